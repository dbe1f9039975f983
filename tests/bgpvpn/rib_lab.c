/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rib_lab.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a stream, and the whole messages in them. */
void take_bytes(lab *l, uint32_t i, const uint8_t *bytes, size_t count)
{
    uint8_t *part = l->part[i];
    for (size_t k = 0; k < count; k++) {
        part[l->part_len[i]++] = bytes[k];
        const size_t have = l->part_len[i];
        if (have < BGPVPN_HEADER_LEN || have < ((size_t)part[16] << 8 | part[17]))
            continue;
        if (part[18] == BGPVPN_MESSAGE_UPDATE) {
            assert_true(l->sent_len[i] + have <= sizeof(l->sent[i]));
            memcpy(l->sent[i] + l->sent_len[i], part, have);
            l->sent_len[i] += have;
        }
        l->part_len[i] = 0;
    }
}

static void take_output(lab *l)
{
    static uint8_t buf[65536];
    bgpvpn_output out;
    while (bgpvpn_engine_poll_output(l->e, l->now_ms, buf, sizeof(buf), &out) == BGPVPN_YES)
        for (uint32_t i = 0; i < PEERS; i++)
            if (l->stream[i] == out.stream)
                take_bytes(l, i, buf, out.len);
}

void settle(lab *l)
{
    bgpvpn_event ev;
    bgpvpn_label label = {.struct_size = sizeof(label)};
    for (int turn = 0; turn < 50; turn++) {
        while (bgpvpn_engine_poll_event(l->e, &ev) == BGPVPN_YES) {
            l->faults += ev.kind == BGPVPN_EVENT_FAULT;
            l->limits += ev.kind == BGPVPN_EVENT_LIMIT;
            l->downs += ev.kind == BGPVPN_EVENT_DOWN;
            l->asks += ev.kind == BGPVPN_EVENT_ASK_NEXT_HOP;
            if (ev.kind == BGPVPN_EVENT_ASK_NEXT_HOP)
                l->last_ask = ev;
            else if (ev.kind != BGPVPN_EVENT_CLOSE)
                l->last = ev;
        }
        while (bgpvpn_engine_poll_label(l->e, &label) == BGPVPN_YES) {
            l->last_label = label;
            if (label.kind == BGPVPN_LABEL_ASK && !l->labels_withheld)
                (void)bgpvpn_engine_answer_label(l->e, l->now_ms, label.route_id,
                                                 9000 + l->labels++);
        }
        take_output(l);
        (void)bgpvpn_engine_timeout(l->e, l->now_ms);
    }
}

void feed(lab *l, uint32_t i, const uint8_t *bytes, size_t len)
{
    size_t used = 0;
    assert_int_equal(bgpvpn_engine_input(l->e, l->now_ms, l->stream[i], bytes, len, &used),
                     BGPVPN_OK);
    assert_int_equal(used, len);
    settle(l);
}

void feed_hex(lab *l, uint32_t i, const char *hex)
{
    uint8_t buf[4096];
    feed(l, i, buf, hex_bytes(hex, buf, sizeof(buf)));
}

lab *lab_with(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags, uint32_t tables,
              uint32_t capabilities)
{
    lab *l = calloc(1, sizeof(*l));
    bgpvpn_config cfg;
    assert_non_null(l);
    net_config(0, &cfg);
    l->now_ms = 1000;
    assert_int_equal(bgpvpn_engine_new(given ? given : &cfg, l->now_ms, &l->e), BGPVPN_OK);
    bgpvpn_addr local, peer;
    net_prefix(0x0a000001, 0, &local);
    for (uint32_t i = 0; i < PEERS; i++) {
        bgpvpn_neighbor_config n;
        (void)bgpvpn_neighbor_config_init(&n);
        net_prefix(0x0a000002 + i, 0, &peer);
        n.address = peer;
        n.remote_as = l->as[i] = as[i];
        n.flags = BGPVPN_NEIGHBOR_PASSIVE | flags;
        n.tables = tables;
        assert_int_equal(bgpvpn_engine_neighbor_add(l->e, l->now_ms, &n, &l->id[i]), BGPVPN_OK);
        assert_int_equal(bgpvpn_engine_accept(l->e, l->now_ms, &local, &peer, &l->stream[i]),
                         BGPVPN_OK);
        (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[i], UINT64_MAX);
        const bgpvpn_open open = {.as = as[i],
                                  .router_id = 0x0a000002 + i,
                                  .hold_time_s = 90,
                                  .tables = tables,
                                  .capabilities = capabilities};
        uint8_t buf[128];
        size_t len;
        assert_int_equal(bgpvpn_open_encode(&open, buf, sizeof(buf), &len), BGPVPN_OK);
        feed(l, i, buf, len);
        feed_hex(l, i, "ffffffffffffffffffffffffffffffff001304");
        assert_int_equal(l->last.kind, BGPVPN_EVENT_UP);
    }
    for (uint32_t i = 0; i < PEERS; i++)
        l->sent_len[i] = 0;
    return l;
}

lab *lab_new(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags)
{
    return lab_with(as, given, flags, BGPVPN_TABLE_VPNV4,
                    BGPVPN_CAPABLE_MULTIPROTOCOL | BGPVPN_CAPABLE_AS4);
}

void lab_free(lab *l)
{
    bgpvpn_engine_free(l->e);
    free(l);
}

size_t put(uint8_t *buf, size_t at, uint8_t flags, uint8_t type, const uint8_t *value, size_t len)
{
    const bgpvpn_attribute a = {value, len, flags, type, 0, 0};
    size_t n;
    assert_int_equal(bgpvpn_attribute_encode(&a, buf + at, 512 - at, &n), BGPVPN_OK);
    return at + n;
}

void send_route(lab *l, uint32_t i, const route *r)
{
    uint8_t attrs[512], nlri[32], buf[1024], path[18] = {2, r->hops};
    uint8_t hop[12] = {0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 9, (uint8_t)r->next_hop};
    const uint8_t origin = (uint8_t)r->origin;
    const uint8_t pref[] = {0, 0, (uint8_t)(r->pref >> 8), (uint8_t)r->pref};
    const uint8_t med[] = {0, 0, 0, (uint8_t)r->med};
    size_t at = 0, len;
    for (unsigned k = 0; k < r->hops; k++) {
        path[2 + 4 * k + 2] = (uint8_t)(r->as[k] >> 8);
        path[2 + 4 * k + 3] = (uint8_t)r->as[k];
    }
    at = put(attrs, at, 0x40, BGPVPN_ATTR_ORIGIN, &origin, 1);
    at = put(attrs, at, 0x40, BGPVPN_ATTR_AS_PATH, path, r->hops ? 2 + 4 * (size_t)r->hops : 0);
    if (r->med)
        at = put(attrs, at, 0x80, BGPVPN_ATTR_MED, med, 4);
    if (r->pref)
        at = put(attrs, at, 0x40, BGPVPN_ATTR_LOCAL_PREF, pref, 4);
    memcpy(attrs + at, r->extra, r->extra_len);
    at += r->extra_len;
    bgpvpn_nlri n = {.label = r->label};
    n.prefix.family = BGPVPN_FAMILY_IPV4;
    n.prefix.prefix_len = 16;
    n.prefix.bytes[0] = 10;
    n.prefix.bytes[1] = (uint8_t)r->prefix;
    (void)bgpvpn_rd_make(65000, 1, 0, n.rd);
    assert_int_equal(
        bgpvpn_nlri_encode(BGPVPN_TABLE_VPNV4, !r->there, &n, nlri, sizeof(nlri), &len), BGPVPN_OK);
    bgpvpn_update u = {0};
    if (r->there) {
        u.reach = nlri;
        u.reach_len = len;
        u.reach_afi = 1;
        u.reach_safi = 128;
        u.reach_next_hop = hop;
        u.reach_next_hop_len = sizeof(hop);
        u.attributes = attrs;
        u.attributes_len = at;
    } else {
        u.unreach = nlri;
        u.unreach_len = len;
        u.unreach_afi = 1;
        u.unreach_safi = 128;
    }
    assert_int_equal(bgpvpn_update_encode(&u, buf, sizeof(buf), &len), BGPVPN_OK);
    feed(l, i, buf, len);
}

uint32_t chosen(const lab *l, uint32_t prefix, uint32_t *label)
{
    bgpvpn_path_info p = {.struct_size = sizeof(p)};
    uint64_t it = 0;
    while (bgpvpn_engine_get_next_path(l->e, &it, &p) == BGPVPN_YES) {
        if (!p.best || p.prefix.bytes[1] != prefix)
            continue;
        if (label)
            *label = p.label;
        for (uint32_t i = 0; i < PEERS; i++)
            if (l->id[i] == p.neighbor)
                return i;
    }
    return PEERS;
}

const uint32_t internal[PEERS] = {65000, 65000, 65000};
const uint32_t mixed[PEERS] = {65000, 65001, 65002};

route plain(uint32_t prefix)
{
    const route r = {.there = true, .prefix = prefix, .label = 100, .next_hop = 1};
    return r;
}
