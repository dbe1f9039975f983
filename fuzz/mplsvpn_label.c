/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Label stacks and labelled packets through a table that has a label of every kind: 100 pops to a
 * VRF, 101 delivers, 102 pops to a next hop, 103 swaps, 104 swaps and pushes, 105 discards, 106 may
 * not be used, 107 drains. The first octet chooses the TTL model, the headroom and the interface.
 * What a hop leads to is followed as the router would, for some steps; IPv4 header checksums are
 * repaired first.
 */
#include "image.h"

#include <internal/checksum.h>
#include <internal/wire.h>
#include <mplsvpn/mplsvpn.h>
#include <stdlib.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

#define VRF       7
#define OTHER_VRF 8
#define STEPS_MAX 8
/* A small range keeps the index small; labels beyond it are as absent as any other. */
#define LABEL_LAST 1039
#define MODELS     2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bind_label(mplsvpn_table *t, uint32_t label, uint8_t kind, uint32_t vrf, uint8_t labels)
{
    mplsvpn_hop hop = {.kind = kind, .vrf = vrf, .label_count = labels};
    for (uint32_t i = 0; i < labels; i++)
        hop.labels[i] = 100 + i;
    MUST(mplsvpn_label_reserve(t, 1, label) == MPLSVPN_OK);
    MUST(mplsvpn_label_bind(t, label, &hop) == MPLSVPN_OK);
}

static mplsvpn_table *prepare(uint8_t model, mplsvpn_reader **r)
{
    mplsvpn_config c;
    mplsvpn_table *t = NULL;
    const mplsvpn_addr v4 = {.family = MPLSVPN_FAMILY_IPV4, .prefix_len = 1};
    const mplsvpn_addr nowhere = {.family = MPLSVPN_FAMILY_IPV4, .prefix_len = 2, .bytes = {128}};
    const mplsvpn_hop discard = {.kind = MPLSVPN_HOP_DISCARD};
    const mplsvpn_addr v6 = {.family = MPLSVPN_FAMILY_IPV6};
    const mplsvpn_hop out = {.kind = MPLSVPN_HOP_TUNNEL, .label_count = 2, .labels = {100, 103}};
    const mplsvpn_hop local = {.kind = MPLSVPN_HOP_LOCAL};
    MUST(mplsvpn_config_init(&c) == MPLSVPN_OK);
    c.ttl_model = model;
    c.last_label = LABEL_LAST;
    c.allocator.resize = image_resize;
    MUST(mplsvpn_table_new(&c, &t) == MPLSVPN_OK);
    MUST(mplsvpn_vrf_add(t, VRF) == MPLSVPN_OK && mplsvpn_vrf_add(t, OTHER_VRF) == MPLSVPN_OK);
    MUST(mplsvpn_interface_set(t, 1, VRF) == MPLSVPN_OK);
    MUST(mplsvpn_interface_allow(t, 1, VRF) == MPLSVPN_OK);
    MUST(mplsvpn_route_set(t, VRF, &v4, &out) == MPLSVPN_OK);
    MUST(mplsvpn_route_set(t, VRF, &nowhere, &discard) == MPLSVPN_OK);
    MUST(mplsvpn_route_set(t, VRF, &v6, &local) == MPLSVPN_OK);
    bind_label(t, 100, MPLSVPN_HOP_VRF, VRF, 0);
    bind_label(t, 101, MPLSVPN_HOP_LOCAL, VRF, 0);
    bind_label(t, 102, MPLSVPN_HOP_TUNNEL, VRF, 0);
    bind_label(t, 103, MPLSVPN_HOP_TUNNEL, VRF, 1);
    bind_label(t, 104, MPLSVPN_HOP_TUNNEL, VRF, 4);
    bind_label(t, 105, MPLSVPN_HOP_DISCARD, VRF, 0);
    bind_label(t, 106, MPLSVPN_HOP_VRF, OTHER_VRF, 0);
    bind_label(t, 107, MPLSVPN_HOP_VRF, VRF, 0);
    MUST(mplsvpn_label_release(t, 107) == MPLSVPN_OK);
    MUST(mplsvpn_reader_new(t, r) == MPLSVPN_OK);
    return t;
}

/* The IPv4 header behind the labels, or where there are none at the start. */
static void repair(uint8_t *p, size_t len)
{
    mplsvpn_label stack[MPLSVPN_STACK_MAX];
    size_t count = 0;
    if (mplsvpn_stack_decode(p, len, stack, MPLSVPN_STACK_MAX, &count) != MPLSVPN_OK)
        count = 0;
    p += count * 4;
    len -= count * 4;
    const size_t header_len = len ? (size_t)(p[0] & 15) * 4 : 0;
    if (len >= 20 && p[0] >> 4 == 4 && header_len >= 20 && header_len <= len) {
        wire_set_u16(p + 10, 0);
        wire_set_u16(p + 10, checksum_end(checksum_add(0, p, header_len)));
    }
}

/* What decodes is encoded to the same octets. */
static void try_stack(const uint8_t *p, size_t len)
{
    mplsvpn_label stack[MPLSVPN_STACK_MAX], first;
    uint8_t out[MPLSVPN_STACK_MAX * 4];
    size_t count = 0, at = 0;
    const mplsvpn_rc one = mplsvpn_label_decode(p, len, &first);
    MUST(one == (len < 4 ? MPLSVPN_ERR_TRUNCATED : MPLSVPN_OK));
    const size_t cap = len % (MPLSVPN_STACK_MAX + 1);
    const mplsvpn_rc rc = mplsvpn_stack_decode(p, len, stack, cap, &count);
    if (rc != MPLSVPN_OK)
        return;
    MUST(memcmp(&stack[0], &first, sizeof(first)) == 0 && count <= cap);
    MUST(mplsvpn_stack_encode(stack, count, out, sizeof(out), &at) == MPLSVPN_OK);
    MUST(at + count * 4 == sizeof(out) && memcmp(out + at, p, count * 4) == 0);
    MUST(mplsvpn_stack_encode(stack, count, out, count * 4 - 1, &at) == MPLSVPN_ERR_BUFFER);
    MUST(mplsvpn_label_encode(&first, out, 3) == MPLSVPN_ERR_BUFFER);
    MUST(mplsvpn_label_encode(&first, out, 4) == MPLSVPN_OK && memcmp(out, p, 4) == 0);
}

/* A hop less, and the header checksum is still right where it was right; but the TTL may run out.
 */
static void try_ip(mplsvpn_reader *r, const uint8_t *p, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    mplsvpn_hop hop;
    MUST(copy);
    if (len > 0)
        memcpy(copy, p, len);
    const mplsvpn_rc before = mplsvpn_ip_input(r, VRF, copy, len, &hop);
    if (mplsvpn_ip_decrement(copy, len) == MPLSVPN_OK && before == MPLSVPN_OK) {
        const mplsvpn_rc after = mplsvpn_ip_input(r, VRF, copy, len, &hop);
        const uint8_t ttl = copy[0] >> 4 == 4 ? copy[8] : copy[7];
        MUST(after == MPLSVPN_OK || (after == MPLSVPN_ERR_TTL && ttl == 1));
    }
    free(copy);
}

static void follow(mplsvpn_reader *r, uint32_t interface, uint8_t *buf, size_t headroom, size_t len)
{
    mplsvpn_packet p = {.offset = (uint32_t)headroom, .len = (uint32_t)len};
    const size_t end = headroom + len;
    for (int i = 0; i < STEPS_MAX; i++) {
        mplsvpn_hop hop;
        if (mplsvpn_label_input(r, interface, buf, p.offset, p.len, &p, &hop) != MPLSVPN_OK)
            return;
        MUST((size_t)p.offset + p.len == end);
        MUST(hop.vrf == VRF && hop.kind != MPLSVPN_HOP_DISCARD);
        if (hop.kind == MPLSVPN_HOP_VRF) {
            MUST(p.protocol != MPLSVPN_PROTOCOL_MPLS);
            if (mplsvpn_ip_input(r, VRF, buf + p.offset, p.len, &hop) != MPLSVPN_OK ||
                mplsvpn_packet_push(r, &hop, buf, p.offset, p.len, &p) != MPLSVPN_OK)
                return;
            MUST((size_t)p.offset + p.len == end);
        }
        if (p.protocol != MPLSVPN_PROTOCOL_MPLS)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const size_t headroom = data[0] >> 1 & 31;
    const size_t len = size - 1;
    static mplsvpn_table *tables[MODELS];
    static mplsvpn_reader *readers[MODELS];
    if (!image_kept()) {
        for (uint8_t model = 0; model < MODELS; model++)
            tables[model] = prepare(model, &readers[model]);
        image_keep();
    }
    image_restore();
    const uint8_t model = data[0] & 1;
    mplsvpn_table *t = tables[model];
    mplsvpn_reader *r = readers[model];
    uint8_t *buf = malloc(headroom + len + 1);
    MUST(buf);
    memset(buf, 0, headroom);
    if (len > 0)
        memcpy(buf + headroom, data + 1, len);
    if (!(data[0] & 0x80))
        repair(buf + headroom, len);
    try_stack(buf + headroom, len);
    try_ip(r, buf + headroom, len);
    follow(r, data[0] & 0x40 ? 2 : 1, buf, headroom, len);
    free(buf);
    mplsvpn_table_free(t);
    return 0;
}
