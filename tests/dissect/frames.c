/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "frames.h"

#include "internal/checksum.h"
#include "internal/wire.h"

#include <stdlib.h>
#include <string.h>

void frame_ip(frame *f, uint8_t protocol, const uint8_t *bytes, size_t len, bool back)
{
    uint8_t head[IP_BYTES] = {0x45, 0, 0,   0, 0, 0, 0,   0, 64, protocol,
                              0,    0, 192, 0, 2, 1, 192, 0, 2,  2};
    if (back) {
        head[15] = 2;
        head[19] = 1;
    }
    assert_true(IP_BYTES + len <= FRAME_MAX);
    f->len = IP_BYTES + len;
    wire_set_u16(head + 2, (uint16_t)f->len);
    wire_set_u16(head + 10, checksum_end(checksum_add(0, head, sizeof head)));
    memmove(f->bytes + IP_BYTES, bytes, len);
    memcpy(f->bytes, head, sizeof head);
}

void frame_udp(frame *f, uint16_t port, const uint8_t *bytes, size_t len)
{
    uint8_t *udp = f->bytes + IP_BYTES;
    memmove(udp + 8, bytes, len);
    wire_set_u16(udp, port);
    wire_set_u16(udp + 2, port);
    wire_set_u16(udp + 4, (uint16_t)(8 + len));
    wire_set_u16(udp + 6, 0);
    frame_ip(f, 17, udp, 8 + len, false);
}

void frame_gre(frame *f, uint16_t protocol, const uint8_t *bytes, size_t len)
{
    uint8_t *gre = f->bytes + IP_BYTES;
    memmove(gre + 4, bytes, len);
    wire_set_u16(gre, 0);
    wire_set_u16(gre + 2, protocol);
    frame_ip(f, 47, gre, 4 + len, false);
}

void frame_tcp(frame *f, uint32_t sequence, uint8_t flags, const uint8_t *bytes, size_t len,
               bool back)
{
    uint8_t head[20] = {0xd0, 0x01, 0, 179, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff};
    if (back) {
        wire_set_u16(head, 179);
        wire_set_u16(head + 2, 0xd001);
    }
    wire_set_u32(head + 4, sequence);
    memmove(f->bytes + IP_BYTES + sizeof head, bytes, len);
    memcpy(f->bytes + IP_BYTES, head, sizeof head);
    frame_ip(f, 6, f->bytes + IP_BYTES, sizeof head + len, back);
}

void frame_udp_hex(frame *f, uint16_t port, const char *hex)
{
    uint8_t bytes[2048];
    frame_udp(f, port, bytes, hex_bytes(hex, bytes, sizeof bytes));
}

void frame_gre_hex(frame *f, uint16_t protocol, const char *hex)
{
    uint8_t bytes[2048];
    frame_gre(f, protocol, bytes, hex_bytes(hex, bytes, sizeof bytes));
}

dissector *frames_dissector(bool secrets)
{
    dissect_options options;
    dissect_options_init(&options);
    options.secrets = secrets;
    dissector *d = dissect_new(&options);
    assert_non_null(d);
    return d;
}

const node *frames_run(dissector *d, uint32_t link, const uint8_t *bytes, size_t len, size_t cut)
{
    static uint8_t *exact;
    free(exact);
    exact = malloc(len ? len : 1);
    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, bytes, len);
    const dissect_frame f = {
        .number = 1, .link = link, .bytes = exact, .len = len, .wire_len = len + cut};
    return dissect_packet(d, &f);
}

const node *frames_see(dissector *d, const frame *f)
{
    return frames_run(d, DISSECT_LINK_RAW, f->bytes, f->len, 0);
}

const node *frames_layer(const node *packet, const char *proto, size_t n)
{
    const node *list = tree_find(packet, "layers");
    for (const node *layer = list->first; layer; layer = layer->next)
        if (strcmp(frames_text(layer, "proto"), proto) == 0 && n-- == 0)
            return layer;
    return NULL;
}

const char *frames_text(const node *object, const char *key)
{
    assert_non_null(object);
    const node *n = tree_find(object, key);
    if (!n || n->kind != NODE_TEXT)
        fail_msg("no text %s", key);
    return n->text;
}

uint64_t frames_number(const node *object, const char *key)
{
    assert_non_null(object);
    const node *n = tree_find(object, key);
    if (!n || n->kind != NODE_NUMBER)
        fail_msg("no number %s", key);
    return n->number;
}

void frames_assert_error(const node *packet, const char *layer, uint64_t offset, const char *code,
                         const char *rule)
{
    const node *error = tree_find(packet, "error");
    if (!error)
        fail_msg("no error, but %s is due", code);
    assert_string_equal(frames_text(error, "code"), code);
    assert_string_equal(frames_text(error, "layer"), layer);
    assert_string_equal(frames_text(error, "rule"), rule);
    assert_int_equal(frames_number(error, "offset"), offset);
    assert_true(strlen(frames_text(error, "text")) > 0);
}

void frames_assert_clean(const node *packet)
{
    static const char *const bad[] = {"error", "truncated", "stopped", "incomplete"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const node *n = tree_find(packet, bad[i]);
        if (n)
            fail_msg("%s: %s", bad[i], n->kind == NODE_OBJECT ? frames_text(n, "text") : "");
    }
}
