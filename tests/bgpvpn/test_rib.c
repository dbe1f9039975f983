/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The RIB against a naive reference, the decision process, filters, limits, memory. Peers are
 * played by hand: bytes in, bytes out.
 */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VRF      1u
#define PEERS    3u
#define PREFIXES 12u

/* An engine at 10.0.0.1, AS 65000, and peers at 10.0.0.(2 + i), whose AS is as[i]. */
typedef struct lab {
    bgpvpn_engine *e;
    uint64_t now_ms;
    uint64_t id[PEERS], stream[PEERS];
    uint32_t as[PEERS];
    uint8_t sent[PEERS][65536]; /* by the engine, UPDATEs only */
    size_t sent_len[PEERS];
    uint8_t part[PEERS][BGPVPN_MESSAGE_MAX]; /* of a message */
    size_t part_len[PEERS];
    uint64_t faults, limits, downs, asks;
    bgpvpn_event last, last_ask;
    uint32_t labels;
    bool labels_withheld;
    bgpvpn_label last_label;
} lab;

/* Bytes of a stream, and the whole messages in them. */
static void take_bytes(lab *l, uint32_t i, const uint8_t *bytes, size_t count)
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

static void settle(lab *l)
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

static void feed(lab *l, uint32_t i, const uint8_t *bytes, size_t len)
{
    size_t used = 0;
    assert_int_equal(bgpvpn_engine_input(l->e, l->now_ms, l->stream[i], bytes, len, &used),
                     BGPVPN_OK);
    assert_int_equal(used, len);
    settle(l);
}

static void feed_hex(lab *l, uint32_t i, const char *hex)
{
    uint8_t buf[4096];
    feed(l, i, buf, hex_bytes(hex, buf, sizeof(buf)));
}

static lab *lab_with(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags,
                     uint32_t tables, uint32_t capabilities)
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

static lab *lab_new(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags)
{
    return lab_with(as, given, flags, BGPVPN_TABLE_VPNV4,
                    BGPVPN_CAPABLE_MULTIPROTOCOL | BGPVPN_CAPABLE_AS4);
}

static void lab_free(lab *l)
{
    bgpvpn_engine_free(l->e);
    free(l);
}

typedef struct route {
    bool there;
    uint32_t prefix; /* the second octet: 10.N.0.0/16 */
    uint32_t label, pref, med, origin;
    uint32_t as[4];
    uint8_t hops;
    uint8_t extra[64];
    size_t extra_len;
    uint32_t next_hop; /* the last octet of 10.0.9.N */
} route;

static size_t put(uint8_t *buf, size_t at, uint8_t flags, uint8_t type, const uint8_t *value,
                  size_t len)
{
    const bgpvpn_attribute a = {value, len, flags, type, 0, 0};
    size_t n;
    assert_int_equal(bgpvpn_attribute_encode(&a, buf + at, 512 - at, &n), BGPVPN_OK);
    return at + n;
}

static void send_route(lab *l, uint32_t i, const route *r)
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

/* The peer whose path is chosen for a prefix; PEERS: none. */
static uint32_t chosen(const lab *l, uint32_t prefix, uint32_t *label)
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

static const uint32_t internal[PEERS] = {65000, 65000, 65000};
static const uint32_t mixed[PEERS] = {65000, 65001, 65002};

static route plain(uint32_t prefix)
{
    const route r = {.there = true, .prefix = prefix, .label = 100, .next_hop = 1};
    return r;
}

/* ---- The decision process, RFC 4271 9.1.2.2, rule by rule ---- */

static void the_decision_goes_by_the_rules_in_order(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        route r = plain(1);
        r.as[0] = 64999;
        r.hops = 1;
        send_route(l, i, &r);
    }
    assert_int_equal(chosen(l, 1, NULL), 0); /* the lowest identifier */
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 64999;
    r.med = 0;
    route worse = r;
    worse.med = 5; /* lower MED wins among paths of one neighbouring AS */
    send_route(l, 0, &worse);
    assert_int_equal(chosen(l, 1, NULL), 1);
    worse.as[0] = 64998; /* of another AS, MED does not count */
    send_route(l, 0, &worse);
    assert_int_equal(chosen(l, 1, NULL), 0);
    r.origin = 2;
    send_route(l, 1, &r);
    send_route(l, 0, &r);
    assert_int_equal(chosen(l, 1, NULL), 2); /* IGP before incomplete */
    r.hops = 0;
    send_route(l, 1, &r);
    assert_int_equal(chosen(l, 1, NULL), 1); /* the shorter path before that */
    r.hops = 2;
    r.as[1] = 64997;
    r.pref = 101;
    send_route(l, 0, &r);
    assert_int_equal(chosen(l, 1, NULL), 0); /* local preference before that */
    r.there = false;
    send_route(l, 0, &r);
    assert_int_equal(chosen(l, 1, NULL), 1);
    lab_free(l);
}

static void med_eliminates_before_identifiers_are_compared(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, 0);
    /* A (AS 1, MED 5), B (AS 2), C (AS 1, MED 1): A loses to C, then B has the lower identifier. */
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 1;
    r.med = 5;
    send_route(l, 0, &r);
    r.med = 1;
    send_route(l, 2, &r);
    r.as[0] = 2;
    r.med = 9;
    send_route(l, 1, &r);
    assert_int_equal(chosen(l, 1, NULL), 1);
    lab_free(l);
}

static void external_comes_before_internal_and_the_shorter_cluster_list_first(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 65001;
    send_route(l, 0, &r);
    send_route(l, 1, &r);
    assert_int_equal(chosen(l, 1, NULL), 1);
    lab_free(l);

    /* RFC 4456 9: equal originators, then the list. */
    l = lab_new(internal, NULL, 0);
    r = plain(1);
    r.extra_len = hex_bytes("800904 0a090909 800a08 0a080808 0a080809", r.extra, sizeof(r.extra));
    send_route(l, 0, &r);
    r.extra_len = hex_bytes("800904 0a090909 800a04 0a080808", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    assert_int_equal(chosen(l, 1, NULL), 1);
    lab_free(l);
}

/* ---- Loops and filters ---- */

static void loops_are_refused_and_take_the_old_route_along(void **state)
{
    (void)state;
    static const struct {
        const char *extra;
        uint32_t as;
    } cases[] = {{"", 65000},
                 {"800904 0a000001", 0},           /* our own ORIGINATOR_ID */
                 {"800a08 0a080808 0a000001", 0}}; /* our cluster */
    for (size_t i = 0; i < 3; i++) {
        lab *l = lab_new(internal, NULL, 0);
        route r = plain(1);
        send_route(l, 0, &r);
        assert_int_equal(chosen(l, 1, NULL), 0);
        r.hops = cases[i].as != 0;
        r.as[0] = cases[i].as;
        r.extra_len = hex_bytes(cases[i].extra, r.extra, sizeof(r.extra));
        send_route(l, 0, &r);
        assert_int_equal(chosen(l, 1, NULL), PEERS);
        bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
        assert_int_equal(bgpvpn_engine_get_neighbor(l->e, l->id[0], &info), BGPVPN_OK);
        assert_int_equal(info.loop_as, i == 0);
        assert_int_equal(info.loop_originator, i == 1);
        assert_int_equal(info.loop_cluster, i == 2);
        assert_int_equal(info.paths, 0);
        lab_free(l);
    }
}

static void an_external_path_must_begin_with_the_peers_as(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 65001;
    send_route(l, 1, &r);
    assert_int_equal(chosen(l, 1, NULL), 1);
    r.as[0] = 65009;
    send_route(l, 1, &r);
    assert_int_equal(chosen(l, 1, NULL), PEERS); /* RFC 7606 7.2 */
    assert_int_equal(l->faults, 1);
    assert_int_equal(l->downs, 0);
    lab_free(l);
}

static void a_malformed_update_withdraws_without_a_reset(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, 0);
    route r = plain(1);
    send_route(l, 0, &r);
    r.extra_len = hex_bytes("c00803 000000", r.extra, sizeof(r.extra));
    send_route(l, 0, &r);
    assert_int_equal(chosen(l, 1, NULL), PEERS);
    assert_int_equal(l->faults, 1);
    assert_int_equal(l->last.number, BGPVPN_TREAT_WITHDRAW);
    assert_int_equal(l->last.code, BGPVPN_ATTR_COMMUNITIES);
    assert_int_equal(l->downs, 0);
    lab_free(l);
}

static void a_second_open_is_an_fsm_error(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, 0);
    feed_hex(l, 0, "ffffffffffffffffffffffffffffffff001d0104fde8005a0a00000200");
    assert_int_equal(l->downs, 1);
    assert_int_equal(l->last.reason, BGPVPN_REASON_SENT);
    assert_int_equal(l->last.code, 5);
    assert_int_equal(l->last.subcode, 3); /* RFC 6608 */
    lab_free(l);
}

/* ---- What external peers are told ---- */

static bool find_sent(const lab *l, uint32_t i, bgpvpn_update *out)
{
    bool found = false;
    for (size_t at = 0; at < l->sent_len[i];) {
        const size_t len = (size_t)l->sent[i][at + 16] << 8 | l->sent[i][at + 17];
        bgpvpn_update u;
        assert_int_equal(bgpvpn_update_decode(l->sent[i] + at, len, 4, 0, &u), BGPVPN_OK);
        assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
        if (u.reach_len > 0) {
            *out = u;
            found = true;
        }
        at += len;
    }
    return found;
}

static void an_external_peer_gets_our_as_our_next_hop_and_our_label(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 65001;
    r.med = 7;
    r.extra_len = hex_bytes("c06302 abcd 806402 0000", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    bgpvpn_update u;
    size_t it = 0;
    bgpvpn_nlri n;
    assert_true(find_sent(l, 2, &u));
    assert_hex(u.as_path, u.as_path_len, "0202 0000fde8 0000fde9");
    assert_hex(u.reach_next_hop, u.reach_next_hop_len, "0000000000000000 0a000001");
    assert_int_equal(u.has >> BGPVPN_ATTR_LOCAL_PREF & 1, 0);
    assert_int_equal(u.has >> BGPVPN_ATTR_MED & 1, 0); /* RFC 4271 5.1.4 */
    assert_int_equal(bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, u.reach, u.reach_len, &it, &n),
                     BGPVPN_YES);
    assert_int_equal(n.label, 9000);
    /* RFC 4271 5: an unknown transitive attribute goes on, marked; another one does not. */
    size_t at = 0;
    bgpvpn_attribute a;
    int seen = 0;
    while (bgpvpn_attribute_next(u.attributes, u.attributes_len, &at, &a) == BGPVPN_YES) {
        assert_int_not_equal(a.type, 0x64);
        if (a.type == 0x63) {
            assert_int_equal(a.flags, 0xe0);
            assert_hex(a.value, a.len, "abcd");
            seen++;
        }
    }
    assert_int_equal(seen, 1);
    /* The internal peer: next hop and label as they came, local preference put in. */
    assert_true(find_sent(l, 0, &u));
    assert_hex(u.reach_next_hop, u.reach_next_hop_len, "0000000000000000 0a000901");
    assert_int_equal(u.local_pref, 100);
    assert_int_equal(u.has >> BGPVPN_ATTR_ORIGINATOR_ID & 1, 0);
    assert_int_equal(u.med, 7);
    assert_false(find_sent(l, 1, &u)); /* never back to where it came from */
    lab_free(l);
}

static void well_known_communities_are_obeyed(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    bgpvpn_update u;
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 65001;
    r.extra_len = hex_bytes("c00804 ffffff01", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    assert_true(find_sent(l, 0, &u));
    assert_false(find_sent(l, 2, &u)); /* NO_EXPORT, RFC 1997 */
    l->sent_len[0] = 0;
    r.prefix = 2;
    r.extra_len = hex_bytes("c00804 ffffff02", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    assert_false(find_sent(l, 0, &u)); /* NO_ADVERTISE */
    lab_free(l);
}

/* ---- Other families, two-octet speakers ---- */

static void two_octet_speakers_do_not_lose_large_as_numbers(void **state)
{
    (void)state;
    lab *l = lab_with(mixed, NULL, 0, BGPVPN_TABLE_VPNV4, BGPVPN_CAPABLE_MULTIPROTOCOL);
    /* AS_PATH 65001 AS_TRANS 64500, AS4_PATH 4200000000 64500 (RFC 6793 4.2.3). */
    feed_hex(l, 1,
             "ffffffffffffffffffffffffffffffff 0056 02 0000 003f"
             "800e20 0001800c 0000000000000000 0a000901 00 70000641 0000fde800000001 0a0101"
             "400101 00 400208 0203 fde9 5ba0 fbf4"
             "c0110a 0202 fa56ea00 0000fbf4");
    bgpvpn_path_info p = {.struct_size = sizeof(p)};
    uint64_t it = 0;
    const uint8_t *value;
    size_t len;
    assert_int_equal(bgpvpn_engine_get_next_path(l->e, &it, &p), BGPVPN_YES);
    assert_int_equal(
        bgpvpn_engine_get_attribute(l->e, p.route_id, BGPVPN_ATTR_AS_PATH, &value, &len),
        BGPVPN_OK);
    assert_hex(value, len, "0201 0000fde9 0202 fa56ea00 0000fbf4");
    assert_int_equal(
        bgpvpn_engine_get_attribute(l->e, p.route_id, BGPVPN_ATTR_AS4_PATH, &value, &len),
        BGPVPN_ERR_ABSENT);
    /* RFC 6793 4.2.2: going out to such a speaker, both again. */
    bgpvpn_update u;
    const size_t sent = (size_t)l->sent[2][16] << 8 | l->sent[2][17];
    assert_int_equal(l->sent_len[2], sent);
    assert_int_equal(bgpvpn_update_decode(l->sent[2], sent, 2, 1, &u), BGPVPN_OK);
    assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
    assert_hex(u.as_path, u.as_path_len, "0202 fde8 fde9 0202 5ba0 fbf4");
    bgpvpn_attribute a;
    size_t at = 0;
    while (bgpvpn_attribute_next(u.attributes, u.attributes_len, &at, &a) == BGPVPN_YES)
        if (a.type == BGPVPN_ATTR_AS4_PATH)
            break;
    assert_int_equal(a.type, BGPVPN_ATTR_AS4_PATH);
    assert_hex(a.value, a.len, "0202 0000fde8 0000fde9 0202 fa56ea00 0000fbf4");
    lab_free(l);
}

static void ipv4_unicast_is_reflected_in_the_plain_encoding(void **state)
{
    (void)state;
    lab *l =
        lab_with(internal, NULL, BGPVPN_NEIGHBOR_CLIENT, BGPVPN_TABLE_IPV4, BGPVPN_CAPABLE_AS4);
    feed_hex(l, 0,
             "ffffffffffffffffffffffffffffffff 0030 02 0000 0015 400101 00 400200"
             "400304 0a000901 400504 00000064"
             "180a0102");
    assert_hex(l->sent[1], l->sent_len[1],
               "ffffffffffffffffffffffffffffffff 003e 02 0000 0023 400101 00 400200"
               "400304 0a000901 400504 00000064 800904 0a000002 800a04 0a000001"
               "180a0102");
    l->sent_len[1] = 0;
    feed_hex(l, 0, "ffffffffffffffffffffffffffffffff 001b 02 0004 180a0102 0000");
    assert_hex(l->sent[1], l->sent_len[1],
               "ffffffffffffffffffffffffffffffff 001b 02 0004 180a0102 0000");
    lab_free(l);
}

static void vpnv6_takes_an_ipv4_next_hop_as_a_mapped_address(void **state)
{
    (void)state;
    lab *l =
        lab_with(internal, NULL, BGPVPN_NEIGHBOR_CLIENT, BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6,
                 BGPVPN_CAPABLE_MULTIPROTOCOL | BGPVPN_CAPABLE_AS4);
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = VRF};
    bgpvpn_route r = {.struct_size = sizeof(r)};
    bgpvpn_local_route local = {.struct_size = sizeof(local), .label = 100};
    (void)bgpvpn_rd_make(65000, 1, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = vrf.export_rts = rt;
    vrf.import_rts_len = vrf.export_rts_len = sizeof(rt);
    assert_int_equal(bgpvpn_engine_vrf_add(l->e, l->now_ms, &vrf), BGPVPN_OK);
    local.prefix.family = BGPVPN_FAMILY_IPV6;
    local.prefix.prefix_len = 32;
    (void)hex_bytes("20010db8", local.prefix.bytes, 4);
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &local), BGPVPN_OK);
    settle(l);
    /* RFC 4659 3.2.1.2 */
    assert_hex(l->sent[0], l->sent_len[0],
               "ffffffffffffffffffffffffffffffff 0061 02 0000 004a"
               "900e002d 0002 80 18 0000000000000000 00000000000000000000ffff0a000001 00"
               "78000641 0000fde800000001 20010db8"
               "400101 00 400200 400504 00000064 c01008 0002fde800000064");
    /* And in: from peer 0, another prefix with the same next hop form. */
    feed_hex(l, 0,
             "ffffffffffffffffffffffffffffffff 0061 02 0000 004a"
             "900e002d 0002 80 18 0000000000000000 00000000000000000000ffff0a000002 00"
             "78000661 0000fde800000002 20010db9"
             "400101 00 400200 400504 00000064 c01008 0002fde800000064");
    assert_int_equal(bgpvpn_engine_poll_route(l->e, &r), BGPVPN_YES);
    assert_int_equal(r.state, BGPVPN_ROUTE_UP);
    assert_int_equal(r.label, 102);
    assert_int_equal(r.next_hop.family, BGPVPN_FAMILY_IPV4);
    assert_hex(r.next_hop.bytes, 4, "0a000002");
    assert_hex(r.prefix.bytes, 4, "20010db9");
    assert_int_equal(bgpvpn_engine_poll_route(l->e, &r), BGPVPN_OK);
    lab_free(l);
}

static void a_vrf_takes_the_best_of_several_distinguishers(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, 0);
    uint8_t rt[8], rd[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = VRF};
    bgpvpn_route r = {.struct_size = sizeof(r)};
    (void)bgpvpn_rd_make(65000, 9, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = rt;
    vrf.import_rts_len = sizeof(rt);
    assert_int_equal(bgpvpn_engine_vrf_add(l->e, l->now_ms, &vrf), BGPVPN_OK);
    /* 10.1.1.0/24 as RD 65000:1 from peer 0 and, better, as RD 65000:2 from peer 1. */
    static const char *const update =
        "ffffffffffffffffffffffffffffffff 0062 02 0000 004b"
        "800e2f 0001800c 0000000000000000 0a000901 00 %s 0000fde80000000%u 0a0101"
        " 7000%s 0000fde80000000%u 0a0199"
        "400101 00 400200 400504 000000%02x c01008 0002fde800000064";
    char hex[512];
    snprintf(hex, sizeof(hex), update, "70000641", 1u, "0651", 1u, 100u);
    feed_hex(l, 0, hex);
    snprintf(hex, sizeof(hex), update, "70000661", 2u, "0671", 3u, 120u);
    feed_hex(l, 1, hex);
    int seen = 0;
    while (bgpvpn_engine_poll_route(l->e, &r) == BGPVPN_YES) {
        assert_int_equal(r.state, BGPVPN_ROUTE_UP); /* coalesced: told once */
        assert_int_equal(r.neighbor, l->id[1]);
        (void)bgpvpn_rd_make(65000, r.prefix.bytes[2] == 1 ? 2 : 3, 0, rd);
        assert_bytes(r.rd, 8, rd, 8);
        seen++;
    }
    assert_int_equal(seen, 2);
    assert_int_equal(bgpvpn_engine_stream_down(l->e, l->now_ms, l->stream[1]), BGPVPN_OK);
    settle(l);
    while (bgpvpn_engine_poll_route(l->e, &r) == BGPVPN_YES) {
        assert_int_equal(r.state, BGPVPN_ROUTE_CHANGED);
        assert_int_equal(r.neighbor, l->id[0]);
        seen++;
    }
    assert_int_equal(seen, 4);
    lab_free(l);
}

/* 10.1.1.0/24 or 10.1.0.0/16 with route target 65000:100, as RD 65000:rd. */
static void send_vpn(lab *l, uint32_t i, bool wide, uint32_t rd, uint32_t label, uint32_t next_hop,
                     uint32_t pref)
{
    char hex[512];
    snprintf(hex, sizeof(hex),
             "ffffffffffffffffffffffffffffffff 00%02x 02 0000 00%02x"
             "800e%02x 0001800c 0000000000000000 0a0009%02x 00 %02x%05x1 0000fde80000000%u %s"
             "400101 00 400200 400504 000000%02x c01008 0002fde800000064",
             wide ? 0x52u : 0x53u, wide ? 0x3bu : 0x3cu, wide ? 0x1fu : 0x20u, next_hop,
             wide ? 0x68u : 0x70u, label, rd, wide ? "0a01" : "0a0101", pref);
    feed_hex(l, i, hex);
}

static void what_a_next_hop_told_of_an_address_is_found(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, 0);
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = VRF};
    bgpvpn_path_info p = {.struct_size = sizeof(p)};
    bgpvpn_addr host, hop, other;
    (void)bgpvpn_rd_make(65000, 9, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = rt;
    vrf.import_rts_len = sizeof(rt);
    net_prefix(0x0a010107, 0, &host);
    net_prefix(0x0a000901, 0, &hop);
    net_prefix(0x0a000902, 0, &other);
    send_vpn(l, 0, false, 1, 100, 1, 100);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p),
                     BGPVPN_ERR_ABSENT); /* no such VRF */
    assert_int_equal(bgpvpn_engine_vrf_add(l->e, l->now_ms, &vrf), BGPVPN_OK);
    settle(l);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p), BGPVPN_OK);
    assert_int_equal(p.label, 100);
    assert_int_equal(p.prefix.prefix_len, 24);
    assert_int_equal(p.neighbor, l->id[0]);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &other, &p),
                     BGPVPN_ERR_ABSENT);
    /* A better path of the same route does not hide it. */
    send_vpn(l, 1, false, 1, 200, 2, 120);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p), BGPVPN_OK);
    assert_int_equal(p.label, 100);
    assert_int_equal(p.best, 0);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &other, &p), BGPVPN_OK);
    assert_int_equal(p.label, 200);
    /* Of one RD the longer prefix is meant; another RD with another label leaves it open. */
    send_vpn(l, 0, true, 1, 101, 1, 100);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p), BGPVPN_OK);
    assert_int_equal(p.label, 100);
    send_vpn(l, 0, true, 2, 100, 1, 100);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p), BGPVPN_OK);
    send_vpn(l, 0, true, 2, 102, 1, 100);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p), BGPVPN_ERR_STATE);
    net_prefix(0x0a010207, 0, &host); /* only the two wide ones cover this */
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p), BGPVPN_ERR_STATE);
    net_prefix(0x0a020107, 0, &host);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &hop, &p),
                     BGPVPN_ERR_ABSENT);
    /* A reserved label leads nowhere. */
    send_vpn(l, 2, false, 3, 3, 3, 100);
    net_prefix(0x0a010107, 0, &host);
    net_prefix(0x0a000903, 0, &other);
    assert_int_equal(bgpvpn_engine_get_covering_path(l->e, VRF, &host, &other, &p),
                     BGPVPN_ERR_ABSENT);
    lab_free(l);
}

static void a_full_event_ring_holds_input_back(void **state)
{
    (void)state;
    bgpvpn_config cfg;
    net_config(0, &cfg);
    cfg.max_events = 16;
    lab *l = lab_new(internal, &cfg, 0);
    /* End-of-RIB twenty times: an event each. */
    uint8_t buf[20 * 29];
    bgpvpn_event ev;
    size_t used, events = 0;
    for (size_t i = 0; i < 20; i++)
        (void)hex_bytes("ffffffffffffffffffffffffffffffff 001d 02 0000 0006 800f03 000180",
                        buf + 29 * i, 29);
    assert_int_equal(bgpvpn_engine_input(l->e, l->now_ms, l->stream[0], buf, sizeof(buf), &used),
                     BGPVPN_OK);
    assert_int_equal(used, 9 * 29); /* eight slots are kept free */
    assert_int_equal(bgpvpn_engine_neighbor_reset(l->e, l->now_ms, l->id[1]), BGPVPN_ERR_LIMIT);
    while (used < sizeof(buf)) {
        size_t more;
        while (bgpvpn_engine_poll_event(l->e, &ev) == BGPVPN_YES)
            events += ev.kind == BGPVPN_EVENT_END_OF_RIB && ev.number == BGPVPN_TABLE_VPNV4;
        assert_int_equal(bgpvpn_engine_input(l->e, l->now_ms, l->stream[0], buf + used,
                                             sizeof(buf) - used, &more),
                         BGPVPN_OK);
        used += more;
    }
    while (bgpvpn_engine_poll_event(l->e, &ev) == BGPVPN_YES)
        events += ev.kind == BGPVPN_EVENT_END_OF_RIB;
    assert_int_equal(events, 20);
    lab_free(l);
}

/* ---- Next hops and limits ---- */

static void a_next_hop_is_asked_for_once_and_may_change(void **state)
{
    (void)state;
    bgpvpn_config cfg;
    net_config(0, &cfg);
    cfg.next_hops = BGPVPN_NEXT_HOPS_ASK;
    lab *l = lab_new(internal, &cfg, 0);
    route r = plain(1);
    send_route(l, 0, &r);
    r.prefix = 2;
    send_route(l, 0, &r);
    assert_int_equal(l->asks, 1);
    assert_int_equal(chosen(l, 1, NULL), PEERS);
    assert_int_equal(bgpvpn_engine_answer_next_hop(l->e, l->now_ms, l->last_ask.ask_id, 1, 10),
                     BGPVPN_OK);
    settle(l);
    assert_int_equal(chosen(l, 1, NULL), 0);
    assert_int_equal(chosen(l, 2, NULL), 0);
    /* RFC 4271 9.1.2.2 e: the nearer next hop. */
    r.next_hop = 2;
    send_route(l, 1, &r);
    assert_int_equal(bgpvpn_engine_answer_next_hop(l->e, l->now_ms, l->last_ask.ask_id, 1, 5),
                     BGPVPN_OK);
    settle(l);
    assert_int_equal(chosen(l, 2, NULL), 1);
    bgpvpn_addr hop;
    net_prefix(0x0a000902, 0, &hop);
    assert_int_equal(bgpvpn_engine_set_next_hop(l->e, l->now_ms, &hop, 0, 0), BGPVPN_OK);
    settle(l);
    assert_int_equal(chosen(l, 2, NULL), 0);
    net_prefix(0x0a000999, 0, &hop);
    assert_int_equal(bgpvpn_engine_set_next_hop(l->e, l->now_ms, &hop, 0, 0), BGPVPN_ERR_ABSENT);
    lab_free(l);
}

static void limits_refuse_routes_and_not_sessions(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        bgpvpn_config cfg;
        net_config(0, &cfg);
        *(which == 0   ? &cfg.max_prefixes
          : which == 1 ? &cfg.max_paths
          : which == 2 ? &cfg.max_attribute_sets
                       : &cfg.max_next_hops) = 2;
        lab *l = lab_new(internal, &cfg, 0);
        for (uint32_t i = 1; i <= 5; i++) {
            route r = plain(i);
            r.med = i;
            r.next_hop = i;
            send_route(l, 0, &r);
        }
        bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
        assert_int_equal(bgpvpn_engine_get_neighbor(l->e, l->id[0], &info), BGPVPN_OK);
        assert_int_equal(info.paths, 2);
        assert_int_equal(info.refused, 3);
        assert_int_equal(l->limits, 1);
        assert_int_equal(l->downs, 0);
        lab_free(l);
    }
}

/* ---- Against a naive reference ---- */

static bool better(const route *a, const route *b)
{
    const uint32_t pa = a->pref ? a->pref : 100, pb = b->pref ? b->pref : 100;
    if (pa != pb)
        return pa > pb;
    if (a->hops != b->hops)
        return a->hops < b->hops;
    return a->origin < b->origin; /* else the earlier peer, that is the lower identifier */
}

/* What a peer was told last, from all UPDATEs sent to it. */
static void replay(const lab *l, uint32_t i, uint32_t told[PREFIXES])
{
    for (size_t at = 0; at < l->sent_len[i];) {
        const size_t len = (size_t)l->sent[i][at + 16] << 8 | l->sent[i][at + 17];
        bgpvpn_update u;
        bgpvpn_nlri n;
        size_t it = 0;
        assert_int_equal(bgpvpn_update_decode(l->sent[i] + at, len, 4, 0, &u), BGPVPN_OK);
        while (bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 1, u.unreach, u.unreach_len, &it, &n) == 1)
            told[n.prefix.bytes[1]] = 0;
        for (it = 0; bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, u.reach, u.reach_len, &it, &n) == 1;)
            told[n.prefix.bytes[1]] = n.label;
        at += len;
    }
}

static void random_changes_end_as_a_naive_rib_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        prng p = {seed};
        bgpvpn_config cfg;
        net_config(0, &cfg);
        cfg.journal_changes = 16;
        cfg.max_work = 1 + prng_below(&p, 40);
        lab *l = lab_new(internal, &cfg, BGPVPN_NEIGHBOR_CLIENT);
        route rib[PEERS][PREFIXES] = {{{0}}};
        uint32_t told[PEERS][PREFIXES] = {{0}};
        for (int step = 0; step < 300; step++) {
            const uint32_t i = prng_below(&p, PEERS);
            route r = plain(prng_below(&p, PREFIXES));
            r.there = prng_below(&p, 3) > 0;
            r.label = 16 + prng_below(&p, 1000);
            r.pref = prng_below(&p, 2) ? 0 : 99 + prng_below(&p, 3);
            r.origin = prng_below(&p, 3);
            r.hops = (uint8_t)prng_below(&p, 3);
            r.as[0] = r.as[1] = 64000;
            rib[i][r.prefix] = r;
            send_route(l, i, &r);
            for (uint32_t k = 0; k < PEERS; k++) {
                replay(l, k, told[k]);
                l->sent_len[k] = 0;
            }
        }
        settle(l);
        for (uint32_t x = 0; x < PREFIXES; x++) {
            uint32_t best = PEERS, label = 0;
            for (uint32_t i = 0; i < PEERS; i++)
                if (rib[i][x].there && (best == PEERS || better(&rib[i][x], &rib[best][x])))
                    best = i;
            assert_int_equal(chosen(l, x, &label), best);
            if (best < PEERS)
                assert_int_equal(label, rib[best][x].label);
            /* Every client knows it but the one that it came from. */
            for (uint32_t i = 0; i < PEERS; i++)
                assert_int_equal(told[i][x], best == i || best == PEERS ? 0 : label);
        }
        lab_free(l);
    }
}

static void a_peer_without_credit_falls_off_the_ring_and_misses_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        prng p = {seed};
        bgpvpn_config cfg;
        bgpvpn_counters c = {.struct_size = sizeof(c)};
        net_config(0, &cfg);
        cfg.journal_changes = 16;
        cfg.group_journal_bytes = 16384;
        lab *l = lab_new(internal, &cfg, BGPVPN_NEIGHBOR_CLIENT);
        uint32_t told[PEERS][PREFIXES] = {{0}};
        for (int step = 0; step < 900; step++) {
            route r = plain(prng_below(&p, PREFIXES));
            r.there = prng_below(&p, 3) > 0;
            r.label = 16 + prng_below(&p, 1000);
            r.med = 1 + prng_below(&p, 200);
            if (step == 5)
                (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[2], 0);
            send_route(l, 0, &r);
            replay(l, 1, told[1]);
            l->sent_len[1] = 0;
            if (step != 450 && step != 899)
                continue;
            (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[2], UINT64_MAX);
            settle(l);
            replay(l, 2, told[2]);
            l->sent_len[2] = 0;
            assert_memory_equal(told[1], told[2], sizeof(told[1]));
            (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[2], 0);
        }
        assert_int_equal(bgpvpn_engine_get_counters(l->e, &c), BGPVPN_OK);
        assert_true(c.group_rejoins >= 2);
        lab_free(l);
    }
}

static void changes_during_a_walk_are_not_missed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        prng p = {seed};
        bgpvpn_config cfg;
        net_config(0, &cfg);
        cfg.max_work = 3;
        cfg.journal_changes = 16;
        lab *l = lab_new(internal, &cfg, BGPVPN_NEIGHBOR_CLIENT);
        uint32_t told[PEERS][PREFIXES] = {{0}};
        for (int step = 0; step < 400; step++) {
            const uint32_t i = prng_below(&p, 2);
            route r = plain(prng_below(&p, PREFIXES));
            r.there = prng_below(&p, 3) > 0;
            r.label = 16 + prng_below(&p, 1000);
            r.med = 1 + prng_below(&p, 200);
            (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[2], prng_below(&p, 150));
            if (prng_below(&p, 8) == 0)
                feed_hex(l, 2, "ffffffffffffffffffffffffffffffff00170500010080");
            send_route(l, i, &r);
            replay(l, 2, told[2]);
            l->sent_len[0] = l->sent_len[1] = l->sent_len[2] = 0;
        }
        (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[2], UINT64_MAX);
        settle(l);
        replay(l, 2, told[2]);
        for (uint32_t x = 0; x < PREFIXES; x++) {
            uint32_t label = 0;
            (void)chosen(l, x, &label);
            assert_int_equal(told[2][x], label);
        }
        lab_free(l);
    }
}

static void a_label_answered_late_leads_to_where_the_route_leads_now(void **state)
{
    (void)state;
    lab *l = lab_new(internal, NULL, BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_NEXT_HOP_SELF);
    l->labels_withheld = true;
    route r = plain(1);
    send_route(l, 0, &r);
    assert_int_equal(l->last_label.kind, BGPVPN_LABEL_ASK);
    assert_int_equal(l->last_label.out_label, 100);
    r.label = 200;
    send_route(l, 0, &r);
    assert_int_equal(bgpvpn_engine_answer_label(l->e, l->now_ms, l->last_label.route_id, 5000),
                     BGPVPN_OK);
    settle(l);
    assert_int_equal(l->last_label.kind, BGPVPN_LABEL_CHANGED);
    assert_int_equal(l->last_label.label, 5000);
    assert_int_equal(l->last_label.out_label, 200);
    /* Answered after the route has gone, it comes back unused or by LABEL_FREE. */
    r.there = false;
    send_route(l, 0, &r);
    assert_int_equal(l->last_label.kind, BGPVPN_LABEL_FREE);
    assert_int_equal(l->last_label.label, 5000);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_decision_goes_by_the_rules_in_order),
        cmocka_unit_test(med_eliminates_before_identifiers_are_compared),
        cmocka_unit_test(external_comes_before_internal_and_the_shorter_cluster_list_first),
        cmocka_unit_test(loops_are_refused_and_take_the_old_route_along),
        cmocka_unit_test(an_external_path_must_begin_with_the_peers_as),
        cmocka_unit_test(a_malformed_update_withdraws_without_a_reset),
        cmocka_unit_test(a_second_open_is_an_fsm_error),
        cmocka_unit_test(an_external_peer_gets_our_as_our_next_hop_and_our_label),
        cmocka_unit_test(well_known_communities_are_obeyed),
        cmocka_unit_test(two_octet_speakers_do_not_lose_large_as_numbers),
        cmocka_unit_test(ipv4_unicast_is_reflected_in_the_plain_encoding),
        cmocka_unit_test(vpnv6_takes_an_ipv4_next_hop_as_a_mapped_address),
        cmocka_unit_test(a_vrf_takes_the_best_of_several_distinguishers),
        cmocka_unit_test(what_a_next_hop_told_of_an_address_is_found),
        cmocka_unit_test(a_full_event_ring_holds_input_back),
        cmocka_unit_test(a_next_hop_is_asked_for_once_and_may_change),
        cmocka_unit_test(limits_refuse_routes_and_not_sessions),
        cmocka_unit_test(random_changes_end_as_a_naive_rib_does),
        cmocka_unit_test(a_peer_without_credit_falls_off_the_ring_and_misses_nothing),
        cmocka_unit_test(changes_during_a_walk_are_not_missed),
        cmocka_unit_test(a_label_answered_late_leads_to_where_the_route_leads_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
