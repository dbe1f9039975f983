/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The RIB against a naive reference, the decision process, filters, limits, memory. Peers are
 * played by hand: bytes in, bytes out.
 */
#include "net.h"

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
    uint64_t faults, limits, downs, asks;
    bgpvpn_event last, last_ask;
    uint32_t labels;
} lab;

static void take_output(lab *l)
{
    static uint8_t buf[65536];
    bgpvpn_output out;
    while (bgpvpn_engine_poll_output(l->e, l->now_ms, buf, sizeof(buf), &out) == BGPVPN_YES) {
        for (uint32_t i = 0; i < PEERS; i++) {
            if (l->stream[i] != out.stream)
                continue;
            for (size_t at = 0; at < out.len;) {
                const size_t len = (size_t)buf[at + 16] << 8 | buf[at + 17];
                if (buf[at + 18] == BGPVPN_MESSAGE_UPDATE) {
                    assert_true(l->sent_len[i] + len <= sizeof(l->sent[i]));
                    memcpy(l->sent[i] + l->sent_len[i], buf + at, len);
                    l->sent_len[i] += len;
                }
                at += len;
            }
        }
    }
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
        while (bgpvpn_engine_poll_label(l->e, &label) == BGPVPN_YES)
            if (label.kind == BGPVPN_LABEL_ASK)
                (void)bgpvpn_engine_answer_label(l->e, l->now_ms, label.route_id,
                                                 9000 + l->labels++);
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

static lab *lab_new(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags)
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
        assert_int_equal(bgpvpn_engine_neighbor_add(l->e, l->now_ms, &n, &l->id[i]), BGPVPN_OK);
        assert_int_equal(bgpvpn_engine_accept(l->e, l->now_ms, &local, &peer, &l->stream[i]),
                         BGPVPN_OK);
        (void)bgpvpn_engine_set_credit(l->e, l->now_ms, l->stream[i], UINT64_MAX);
        const bgpvpn_open open = {.as = as[i],
                                  .router_id = 0x0a000002 + i,
                                  .hold_time_s = 90,
                                  .tables = BGPVPN_TABLE_VPNV4,
                                  .capabilities =
                                      BGPVPN_CAPABLE_MULTIPROTOCOL | BGPVPN_CAPABLE_AS4};
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
        cmocka_unit_test(a_next_hop_is_asked_for_once_and_may_change),
        cmocka_unit_test(limits_refuse_routes_and_not_sessions),
        cmocka_unit_test(random_changes_end_as_a_naive_rib_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
