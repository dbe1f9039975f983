/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A whole session: a reflector with next-hop-self between a peer that is played by the input and
 * one that only listens; both sessions are up when it begins. The input is records: a byte of kind,
 * a byte of length (times 4 for messages), the body. Marker and length of messages are repaired.
 * CUT ends the peer's stream; its body says whether the next has two-octet AS numbers. STARVE makes
 * an allocation fail.
 */
#include "image.h"

#include <bgpvpn/bgpvpn.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RAW_BYTES = 6,
    ADVANCE = 7,
    ANNOUNCE = 8,
    WITHDRAW = 9,
    CUT = 10,
    STARVE = 11,
    STEPS = 400,
    CONNECTS_MAX = 4
};

/* In the OPEN below. */
enum { AS4_AT = 51, NO_CAPABILITY = 200 };

static const uint8_t seed_bytes[32] = {1};

typedef struct world {
    bgpvpn_engine *e;
    uint64_t now_ms, stream[2];
    uint32_t next_label, connects;
    uint8_t two_octets; /* the peer says nothing of four-octet AS numbers */
} world;

static void pump(world *w)
{
    uint8_t buf[8192];
    bgpvpn_event ev;
    bgpvpn_route r = {.struct_size = sizeof(r)};
    bgpvpn_label l = {.struct_size = sizeof(l)};
    bgpvpn_output out;
    for (int turn = 0; turn < STEPS; turn++) {
        int any = 0;
        while (bgpvpn_engine_poll_event(w->e, &ev) == BGPVPN_YES) {
            any = 1;
            for (int i = 0; i < 2; i++)
                if (ev.kind == BGPVPN_EVENT_CLOSE && ev.parent_id == w->stream[i])
                    w->stream[i] = 0;
            if (ev.kind == BGPVPN_EVENT_ASK_NEXT_HOP)
                (void)bgpvpn_engine_answer_next_hop(w->e, w->now_ms, ev.ask_id, ev.ask_id % 4 != 0,
                                                    1);
        }
        while (bgpvpn_engine_poll_route(w->e, &r) == BGPVPN_YES)
            any = 1;
        while (bgpvpn_engine_poll_label(w->e, &l) == BGPVPN_YES) {
            any = 1;
            if (l.kind == BGPVPN_LABEL_ASK)
                (void)bgpvpn_engine_answer_label(w->e, w->now_ms, l.route_id, w->next_label++);
        }
        while (bgpvpn_engine_poll_output(w->e, w->now_ms, buf, sizeof(buf), &out) == BGPVPN_YES)
            any = 1;
        any |= bgpvpn_engine_timeout(w->e, w->now_ms) == BGPVPN_YES;
        if (!any)
            return;
    }
    abort(); /* a livelock */
}

static void input(world *w, int side, const uint8_t *bytes, size_t len)
{
    size_t used = 0, taken = 1;
    while (used < len && taken > 0 && w->stream[side]) {
        taken = 0;
        if (bgpvpn_engine_input(w->e, w->now_ms, w->stream[side], bytes + used, len - used,
                                &taken) != BGPVPN_OK)
            return;
        used += taken;
        pump(w);
    }
}

static void connect_peer(world *w, int side)
{
    /* VPNv4, VPNv6, IPv4, route targets; refresh with marks, four-octet AS, long messages, and
     * graceful restart of VPNv4, also after NOTIFICATION. */
    static const uint8_t hello[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0,    0x4b, 1,    4,    0xfd, 0xe8, 0,    0x5a, 0x0a, 0,    0,    2,
        0x2e, 2,    0x2c, 1,    4,    0,    1,    0,    0x80, 1,    4,    0,    2,    0,
        0x80, 1,    4,    0,    1,    0,    1,    1,    4,    0,    1,    0,    0x84, 2,
        0,    0x41, 4,    0,    0,    0xfd, 0xe8, 0x40, 6,    0x40, 0x78, 0,    1,    0x80,
        0x80, 0x46, 0,    6,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0x13, 4};
    const bgpvpn_addr local = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
    bgpvpn_addr peer = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 2}};
    peer.bytes[3] = (uint8_t)(2 + side);
    if (w->stream[side] || w->connects == CONNECTS_MAX ||
        bgpvpn_engine_accept(w->e, w->now_ms, &local, &peer, &w->stream[side]) != BGPVPN_OK) {
        return;
    }
    w->connects++;
    (void)bgpvpn_engine_set_credit(w->e, w->now_ms, w->stream[side], UINT64_MAX);
    uint8_t copy[sizeof(hello)];
    memcpy(copy, hello, sizeof(hello));
    copy[27] = peer.bytes[3];
    if (w->two_octets)
        copy[AS4_AT] = NO_CAPABILITY;
    input(w, side, copy, sizeof(copy));
}

static void message(world *w, uint8_t type, const uint8_t *body, size_t len)
{
    uint8_t msg[2048];
    memset(msg, 0xff, 16);
    msg[16] = (uint8_t)((len + BGPVPN_HEADER_LEN) >> 8);
    msg[17] = (uint8_t)(len + BGPVPN_HEADER_LEN);
    msg[18] = type;
    memcpy(msg + BGPVPN_HEADER_LEN, body, len);
    input(w, 0, msg, len + BGPVPN_HEADER_LEN);
}

static void record(world *w, uint8_t kind, const uint8_t *body, size_t len)
{
    bgpvpn_local_route route = {.struct_size = sizeof(route), .label = 100};
    route.prefix.family = BGPVPN_FAMILY_IPV4;
    route.prefix.prefix_len = 24;
    memcpy(route.prefix.bytes, body, len < 3 ? len : 3);
    connect_peer(w, 0);
    switch (kind) {
    case RAW_BYTES:
        input(w, 0, body, len);
        break;
    case ADVANCE:
        w->now_ms += 1000 * (uint64_t)(len > 0 ? body[0] : 1);
        break;
    case ANNOUNCE:
        (void)bgpvpn_engine_announce(w->e, w->now_ms, 1, &route);
        break;
    case WITHDRAW:
        (void)bgpvpn_engine_withdraw(w->e, w->now_ms, 1, &route.prefix);
        break;
    case CUT:
        (void)bgpvpn_engine_stream_down(w->e, w->now_ms, w->stream[0]);
        w->stream[0] = 0;
        w->two_octets = len > 0 && (body[0] & 1);
        break;
    case STARVE:
        image_starve(len > 0 ? body[0] : 0);
        break;
    default:
        message(w, kind <= BGPVPN_MESSAGE_REFRESH ? kind : BGPVPN_MESSAGE_UPDATE, body, len);
        break;
    }
    pump(w);
}

/* One route has come and gone, so that the first of the input makes no table. */
static void warm_up(world *w)
{
    static const uint8_t prefix[3] = {192, 0, 2};
    record(w, ANNOUNCE, prefix, sizeof(prefix));
    record(w, WITHDRAW, prefix, sizeof(prefix));
}

static int setup(world *w)
{
    bgpvpn_config cfg;
    bgpvpn_neighbor_config range;
    uint64_t id;
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = 1};
    (void)bgpvpn_config_init(&cfg);
    cfg.local_as = 65000;
    cfg.router_id = 0x0a000001;
    cfg.max_prefixes = cfg.max_paths = 64;
    cfg.max_attribute_sets = 16;
    cfg.max_work = 16;
    cfg.max_next_hops = 8;
    cfg.next_hops = BGPVPN_NEXT_HOPS_ASK;
    cfg.journal_changes = 16;
    cfg.group_journal_bytes = 16384;
    memcpy(cfg.seed, seed_bytes, sizeof(cfg.seed));
    cfg.allocator.resize = image_resize;
    if (bgpvpn_engine_new(&cfg, 0, &w->e) != BGPVPN_OK)
        return 0;
    (void)bgpvpn_neighbor_config_init(&range);
    range.remote_as = 65000;
    range.flags = BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_NEXT_HOP_SELF;
    range.flags |= BGPVPN_NEIGHBOR_PRESERVES;
    range.tables = 31;
    range.max_prefixes = 24;
    range.max_prefixes_restart_s = 5;
    range.max_targets = 4;
    range.address.family = BGPVPN_FAMILY_IPV4;
    range.address.prefix_len = 8;
    range.address.bytes[0] = 10;
    (void)bgpvpn_engine_range_add(w->e, 0, &range, &id);
    (void)bgpvpn_rd_make(65000, 9, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = vrf.export_rts = rt;
    vrf.import_rts_len = vrf.export_rts_len = sizeof(rt);
    (void)bgpvpn_engine_vrf_add(w->e, 0, &vrf);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world start = {.next_label = 1000};
    if (!image_kept()) {
        if (!setup(&start))
            abort();
        connect_peer(&start, 1);
        warm_up(&start);
        image_keep();
    }
    image_restore();
    world w = start;
    for (size_t at = 0; at + 2 <= size;) {
        const uint8_t kind = data[at];
        size_t len = (size_t)data[at + 1] * (kind < RAW_BYTES ? 4 : 1);
        at += 2;
        len = len < size - at ? len : size - at;
        record(&w, kind, data + at, len);
        at += len;
    }
    bgpvpn_engine_free(w.e);
    return 0;
}
