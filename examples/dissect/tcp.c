/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCP segments, and the BGP messages that the streams made of them hold.
 */
#include "core.h"
#include "internal/wire.h"
#include "transport.h"

#include <bgpvpn/bgpvpn.h>
#include <string.h>

enum {
    PROTOCOL_TCP = 6,
    TCP_BYTES = 20,
    FLAG_FIN = 0x01,
    FLAG_SYN = 0x02,
    FLAG_RST = 0x04,
    FLAG_PSH = 0x08,
    FLAG_ACK = 0x10,
    FLAG_URG = 0x20,
    MARKER_BYTES = 16,
    MARKER = 0xff
};

static bool is_bgp(const dissector *d)
{
    for (size_t i = 0; i < d->options.bgp_port_count; i++)
        if (d->ends.source_port == d->options.bgp_ports[i] ||
            d->ends.destination_port == d->options.bgp_ports[i])
            return true;
    return false;
}

/* RFC 4271 4.1: where a message may begin, from at on; the end where a marker may have begun. */
static size_t find_marker(const stream_state *s, size_t at)
{
    size_t ones = 0;
    for (size_t i = at; i < s->len; i++) {
        ones = s->bytes[i] == MARKER ? ones + 1 : 0;
        if (ones == MARKER_BYTES)
            return i + 1 - MARKER_BYTES;
    }
    return s->len - ones;
}

/* A message as a span: of the frame where all of it is there, else of the stream. */
static span message_at(const stream_state *s, const stream_result *r, const span *segment,
                       size_t at, size_t len)
{
    span m = {.bytes = s->bytes + at, .len = len, .wire_len = len};
    if (at >= r->own_at && at + len <= r->own_at + r->own_len)
        m.offset = segment->offset + r->own_skip + (at - r->own_at);
    else
        m.buffer = "tcp stream";
    return m;
}

/* Takes the messages that are whole. */
static void take_messages(dissector *d, node *layer, stream_state *s, const stream_result *r,
                          const span *segment)
{
    size_t at = 0;
    size_t skipped = 0;
    bgpvpn_header h;
    for (;;) {
        if (s->lost) {
            const size_t found = find_marker(s, at);
            skipped += found - at;
            at = found;
        }
        if (s->len - at < BGPVPN_HEADER_LEN)
            break;
        const bgpvpn_rc rc = bgpvpn_header_decode(s->bytes + at, s->len - at, &h);
        if (rc != BGPVPN_OK && s->lost) {
            at++; /* what looked like a marker was none */
            skipped++;
            continue;
        }
        if (rc != BGPVPN_OK) {
            const span m = message_at(s, r, segment, at, BGPVPN_HEADER_LEN);
            node *bad = ds_layer(d, "bgp", &m);
            ds_fault(d, bad, &m, RULES_BGP, rc);
            s->lost = true;
            at++;
            skipped++;
            continue;
        }
        s->lost = false;
        if (s->len - at < h.length)
            break;
        ds_bgp(d, s, message_at(s, r, segment, at, h.length));
        at += h.length;
    }
    stream_consume(s, at);
    if (skipped > 0)
        tree_number(&d->tree, layer, "skipped", skipped);
    if (s->len > 0)
        tree_number(&d->tree, layer, "waiting", s->len);
}

static void feed(dissector *d, node *layer, uint32_t sequence, uint8_t flags,
                 uint32_t acknowledgment, span payload)
{
    tree *t = &d->tree;
    stream_key key = {.context = d->context,
                      .family = d->ends.family,
                      .source_port = d->ends.source_port,
                      .destination_port = d->ends.destination_port};
    memcpy(key.source, d->ends.source, sizeof(key.source));
    memcpy(key.destination, d->ends.destination, sizeof(key.destination));
    stream_state *s = streams_get(&d->streams, &key);
    stream_state *reverse = streams_find_reverse(&d->streams, &key);
    if (flags & FLAG_SYN)
        stream_begin(s, sequence + 1);
    if (reverse && flags & FLAG_ACK)
        stream_acknowledge(reverse, acknowledgment);
    if (payload.wire_len == 0 || flags & FLAG_RST)
        return;
    const stream_result r = stream_add(s, flags & FLAG_SYN ? sequence + 1 : sequence, payload.bytes,
                                       payload.len, payload.wire_len);
    if (r.repeated)
        tree_true(t, layer, "retransmission");
    if (r.out_of_order)
        tree_true(t, layer, "out_of_order");
    if (r.missing)
        tree_number(t, layer, "missing", r.missing);
    if (r.added > 0)
        take_messages(d, layer, s, &r, &payload);
    if (r.cut) {
        ds_cut(d, layer, &payload);
        stream_consume(s, s->len);
        s->lost = true;
    }
}

/* RFC 9293 3.1 */
void ds_tcp(dissector *d, span s)
{
    static const name bits[] = {{FLAG_FIN, "FIN"}, {FLAG_SYN, "SYN"}, {FLAG_RST, "RST"},
                                {FLAG_PSH, "PSH"}, {FLAG_ACK, "ACK"}, {FLAG_URG, "URG"},
                                {0, NULL}};
    tree *t = &d->tree;
    node *layer = ds_layer(d, "tcp", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    d->ends.source_port = wire_get_u16(&r);
    d->ends.destination_port = wire_get_u16(&r);
    const uint32_t sequence = wire_get_u32(&r);
    const uint32_t acknowledgment = wire_get_u32(&r);
    const size_t header = (size_t)(wire_get_u8(&r) >> 4) * 4;
    const uint8_t flags = wire_get_u8(&r);
    const uint16_t window = wire_get_u16(&r);
    (void)wire_get_u32(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_TCP, TCP_ERR_TRUNCATED);
        return;
    }
    tree_number(t, layer, "source_port", d->ends.source_port);
    tree_number(t, layer, "destination_port", d->ends.destination_port);
    tree_number(t, layer, "sequence", sequence);
    tree_number(t, layer, "acknowledgment", acknowledgment);
    ds_flags(d, layer, "flags", bits, flags);
    tree_number(t, layer, "window", window);
    if (header < TCP_BYTES || header > s.wire_len) {
        ds_fault(d, layer, &s, RULES_TCP, TCP_ERR_OFFSET);
        return;
    }
    const span payload = ds_from(&s, header);
    tree_number(t, layer, "payload_length", payload.wire_len);
    tree_text(t, layer, "checksum", ds_checksum(d, &s, PROTOCOL_TCP));
    if (is_bgp(d) && d->quoting == 0)
        feed(d, layer, sequence, flags, acknowledgment, payload);
}
