/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The RIB against a naive reference; VRFs, next hops, limits, labels, rings and walks.
 */
#include "rib_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
