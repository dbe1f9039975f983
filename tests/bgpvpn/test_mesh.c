/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A reflector with next-hop-self (node 0) and spokes, on virtual time.
 */
#include "net.h"

#include <string.h>

#define HUB       0u
#define SPOKE1    1u
#define SPOKE2    2u
#define CUSTOMER  7u
#define PREFIX1   0x0a010100u /* 10.1.1.0 */
#define PREFIX2   0x0a020200u
#define SUMMARY   0x0a000000u
#define HUB_FLAGS (BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_NEXT_HOP_SELF)

typedef struct triangle {
    net *n;
    uint64_t hub[3];   /* the hub's neighbour ids */
    uint64_t spoke[3]; /* the spokes' ids of the hub */
} triangle;

static triangle triangle_new(uint64_t seed, uint32_t hub_flags)
{
    triangle t = {.n = net_new(seed)};
    for (uint32_t i = HUB; i <= SPOKE2; i++) {
        (void)net_engine(t.n, i, NULL);
        net_vrf(t.n, i, CUSTOMER, i + 1, 100);
    }
    for (uint32_t i = SPOKE1; i <= SPOKE2; i++) {
        t.hub[i] = net_neighbor(t.n, HUB, i, hub_flags | BGPVPN_NEIGHBOR_PASSIVE);
        t.spoke[i] = net_neighbor(t.n, i, HUB, 0);
    }
    return t;
}

static void announce_all(const triangle *t)
{
    net_announce(t->n, SPOKE1, CUSTOMER, PREFIX1, 24, 1001);
    net_announce(t->n, SPOKE2, CUSTOMER, PREFIX2, 24, 2002);
    net_announce(t->n, HUB, CUSTOMER, SUMMARY, 8, 500);
}

/* What holds between any two steps: a spoke's route by the hub has a label that the hub gave. */
static void assert_spoke_route(const triangle *t, uint32_t at, uint32_t from, uint32_t ip,
                               uint32_t label)
{
    const net_route *r = net_route_of(t->n, at, CUSTOMER, ip, 24);
    assert_non_null(r);
    assert_memory_equal(r->next_hop.bytes, t->n->node[HUB].addr.bytes, 4);
    const net_label *l = net_label_of(t->n, HUB, r->label);
    assert_non_null(l);
    assert_int_equal(l->out_label, label);
    assert_memory_equal(l->next_hop.bytes, t->n->node[from].addr.bytes, 4);
}

static void assert_converged(const triangle *t)
{
    assert_spoke_route(t, SPOKE1, SPOKE2, PREFIX2, 2002);
    assert_spoke_route(t, SPOKE2, SPOKE1, PREFIX1, 1001);
    for (uint32_t i = SPOKE1; i <= SPOKE2; i++) {
        const net_route *r = net_route_of(t->n, i, CUSTOMER, SUMMARY, 8);
        assert_non_null(r);
        assert_int_equal(r->label, 500);
        assert_int_equal(net_routes_up(t->n, i), 2);
    }
    assert_int_equal(net_routes_up(t->n, HUB), 2);
    assert_int_equal(net_route_of(t->n, HUB, CUSTOMER, PREFIX1, 24)->label, 1001);
}

static void a_hub_swaps_labels_between_its_spokes(void **state)
{
    (void)state;
    triangle t = triangle_new(1, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    assert_converged(&t);
    for (uint32_t i = SPOKE1; i <= SPOKE2; i++) {
        assert_int_equal(t.n->node[i].ups, 1);
        assert_int_equal(t.n->node[i].downs, 0);
        assert_int_equal(t.n->node[i].eors, 1);
    }
    net_free(t.n);
}

static void routes_and_labels_go_with_their_withdrawal(void **state)
{
    (void)state;
    triangle t = triangle_new(2, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    net_withdraw(t.n, SPOKE1, CUSTOMER, PREFIX1, 24);
    net_run(t.n, 1000);
    assert_null(net_route_of(t.n, HUB, CUSTOMER, PREFIX1, 24));
    assert_null(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24));
    net_withdraw(t.n, SPOKE2, CUSTOMER, PREFIX2, 24);
    net_withdraw(t.n, HUB, CUSTOMER, SUMMARY, 8);
    net_run(t.n, 1000);
    for (uint32_t i = HUB; i <= SPOKE2; i++) {
        bgpvpn_counters c;
        net_counters(t.n, i, &c);
        assert_int_equal(net_routes_up(t.n, i), 0);
        assert_int_equal(c.prefixes, 0);
        assert_int_equal(c.paths, 0);
        assert_int_equal(c.attribute_sets, 0);
        assert_int_equal(c.next_hops, 0);
        assert_int_equal(c.vrf_routes, 0);
        for (size_t k = 0; k < t.n->node[i].label_count; k++)
            assert_int_equal(t.n->node[i].labels[k].route_id, 0);
    }
    net_free(t.n);
}

static void a_relabel_reprograms_the_hub_and_keeps_its_label(void **state)
{
    (void)state;
    triangle t = triangle_new(3, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    const uint32_t before = net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24)->label;
    net_announce(t.n, SPOKE1, CUSTOMER, PREFIX1, 24, 1111);
    net_run(t.n, 1000);
    assert_spoke_route(&t, SPOKE2, SPOKE1, PREFIX1, 1111);
    assert_int_equal(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24)->label, before);
    assert_int_equal(net_route_of(t.n, HUB, CUSTOMER, PREFIX1, 24)->label, 1111);
    net_free(t.n);
}

static void nothing_is_advertised_before_its_label_is_answered(void **state)
{
    (void)state;
    triangle t = triangle_new(4, HUB_FLAGS);
    t.n->node[HUB].labels_withheld = true;
    announce_all(&t);
    net_run(t.n, 10000);
    assert_null(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24));
    assert_non_null(net_route_of(t.n, SPOKE2, CUSTOMER, SUMMARY, 8));
    const uint64_t id = net_route_of(t.n, HUB, CUSTOMER, PREFIX1, 24)->route_id;
    assert_int_equal(bgpvpn_engine_answer_label(t.n->node[HUB].engine, t.n->now_ms, id, 15),
                     BGPVPN_ERR_ARG);
    assert_int_equal(bgpvpn_engine_answer_label(t.n->node[HUB].engine, t.n->now_ms, id, 4242),
                     BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_answer_label(t.n->node[HUB].engine, t.n->now_ms, id, 4243),
                     BGPVPN_ERR_STATE);
    assert_int_equal(bgpvpn_engine_answer_label(t.n->node[HUB].engine, t.n->now_ms, id + 99, 4243),
                     BGPVPN_ERR_ABSENT);
    net_run(t.n, 1000);
    assert_int_equal(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24)->label, 4242);
    net_free(t.n);
}

static void a_plain_reflector_keeps_next_hop_and_label(void **state)
{
    (void)state;
    triangle t = triangle_new(5, BGPVPN_NEIGHBOR_CLIENT);
    announce_all(&t);
    net_run(t.n, 10000);
    const net_route *r = net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24);
    assert_non_null(r);
    assert_int_equal(r->label, 1001);
    assert_memory_equal(r->next_hop.bytes, t.n->node[SPOKE1].addr.bytes, 4);

    /* RFC 4456 8 */
    const uint8_t *value;
    size_t len;
    assert_int_equal(bgpvpn_engine_get_attribute(t.n->node[SPOKE2].engine, r->route_id,
                                                 BGPVPN_ATTR_ORIGINATOR_ID, &value, &len),
                     BGPVPN_OK);
    assert_hex(value, len, "0a000002");
    assert_int_equal(bgpvpn_engine_get_attribute(t.n->node[SPOKE2].engine, r->route_id,
                                                 BGPVPN_ATTR_CLUSTER_LIST, &value, &len),
                     BGPVPN_OK);
    assert_hex(value, len, "0a000001");
    assert_int_equal(bgpvpn_engine_get_attribute(t.n->node[SPOKE2].engine, r->route_id,
                                                 BGPVPN_ATTR_EXTENDED_COMMUNITIES, &value, &len),
                     BGPVPN_OK);
    assert_hex(value, len, "0002fde800000064");
    net_free(t.n);
}

static void a_speaker_that_is_no_reflector_passes_nothing_on(void **state)
{
    (void)state;
    triangle t = triangle_new(6, 0);
    announce_all(&t);
    net_run(t.n, 10000);
    assert_null(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24));
    assert_non_null(net_route_of(t.n, HUB, CUSTOMER, PREFIX1, 24));
    assert_non_null(net_route_of(t.n, SPOKE2, CUSTOMER, SUMMARY, 8));
    net_free(t.n);
}

static void single_bytes_and_odd_chunks_make_no_difference(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        triangle t = triangle_new(seed, HUB_FLAGS);
        t.n->chunk = seed == 1 ? 1 : (uint32_t)seed * 5;
        announce_all(&t);
        net_run(t.n, 10000);
        assert_converged(&t);
        net_free(t.n);
    }
}

static void a_little_credit_at_a_time_is_enough(void **state)
{
    (void)state;
    triangle t = triangle_new(9, HUB_FLAGS);
    t.n->credit = 7;
    announce_all(&t);
    net_run(t.n, 10000);
    assert_converged(&t);
    net_free(t.n);
}

static void sessions_come_back_wherever_they_break(void **state)
{
    (void)state;
    for (uint64_t cut = 1; cut < 1500; cut += cut < 400 ? 1 : 7) {
        triangle t = triangle_new(cut, HUB_FLAGS);
        t.n->cut_after = cut;
        announce_all(&t);
        net_run(t.n, 200000);
        net_run(t.n, 100000); /* the cut may have been the last thing */
        assert_int_equal(t.n->cut_after == 0 || t.n->bytes < cut, 1);
        assert_converged(&t);
        net_free(t.n);
    }
}

static void a_lost_session_takes_its_routes_along(void **state)
{
    (void)state;
    triangle t = triangle_new(10, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    t.n->node[HUB].refuses = true;
    net_cut(t.n, HUB, SPOKE1);
    net_run(t.n, 1000);
    assert_null(net_route_of(t.n, HUB, CUSTOMER, PREFIX1, 24));
    assert_null(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24));
    assert_int_equal(net_routes_up(t.n, SPOKE1), 0);
    assert_int_equal(t.n->node[HUB].last.kind, BGPVPN_EVENT_DOWN);
    assert_int_equal(t.n->node[HUB].last.reason, BGPVPN_REASON_STREAM);
    t.n->node[HUB].refuses = false;
    net_run(t.n, 100000);
    assert_converged(&t);
    net_free(t.n);
}

static void both_may_dial_at_once_and_one_connection_stays(void **state)
{
    (void)state;
    net *n = net_new(11);
    for (uint32_t i = 0; i < 2; i++) {
        (void)net_engine(n, i, NULL);
        net_vrf(n, i, CUSTOMER, i + 1, 100);
    }
    const uint64_t a = net_neighbor(n, 0, 1, 0);
    const uint64_t b = net_neighbor(n, 1, 0, 0);
    net_announce(n, 0, CUSTOMER, PREFIX1, 24, 1001);
    net_run(n, 60000);
    bgpvpn_neighbor_info info, other;
    net_info(n, 0, a, &info);
    net_info(n, 1, b, &other);
    assert_int_equal(info.state, BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(other.state, BGPVPN_STATE_ESTABLISHED);
    /* RFC 4271 6.8: the connection of the higher identifier, node 1's, survives. */
    bgpvpn_stream_info s = {.struct_size = sizeof(s)};
    assert_int_equal(bgpvpn_engine_get_stream(n->node[0].engine, info.stream, &s), BGPVPN_OK);
    assert_int_equal(s.incoming, 1);
    assert_int_equal(n->node[0].ups, 1);
    assert_non_null(net_route_of(n, 1, CUSTOMER, PREFIX1, 24));
    net_free(n);
}

static void a_shutdown_says_why_and_stays(void **state)
{
    (void)state;
    triangle t = triangle_new(12, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(t.n->node[HUB].engine, t.n->now_ms,
                                                     t.hub[SPOKE1], (const uint8_t *)"works", 5),
                     BGPVPN_OK);
    net_run(t.n, 60000);
    /* RFC 4486, RFC 9003 */
    bgpvpn_neighbor_info info;
    net_info(t.n, SPOKE1, t.spoke[SPOKE1], &info);
    assert_int_equal(info.last_code, 6);
    assert_int_equal(info.last_subcode, 2);
    assert_int_equal(info.text_len, 5);
    assert_memory_equal(info.text, "works", 5);
    assert_int_equal(net_routes_up(t.n, SPOKE1), 0);
    net_info(t.n, HUB, t.hub[SPOKE1], &info);
    assert_int_equal(info.state, BGPVPN_STATE_IDLE);
    assert_int_equal(
        bgpvpn_engine_neighbor_start(t.n->node[HUB].engine, t.n->now_ms, t.hub[SPOKE1]), BGPVPN_OK);
    net_run(t.n, 120000);
    assert_converged(&t);
    net_free(t.n);
}

static void a_refresh_brings_everything_again(void **state)
{
    (void)state;
    triangle t = triangle_new(13, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    bgpvpn_neighbor_info before, after;
    net_info(t.n, SPOKE1, t.spoke[SPOKE1], &before);
    assert_int_equal(bgpvpn_engine_neighbor_refresh(t.n->node[SPOKE1].engine, t.n->now_ms,
                                                    t.spoke[SPOKE1], BGPVPN_TABLE_VPNV4),
                     BGPVPN_OK);
    net_run(t.n, 1000);
    net_info(t.n, SPOKE1, t.spoke[SPOKE1], &after);
    /* RFC 2918: its two routes come again, and nothing changes. */
    assert_int_equal(after.prefixes_in, before.prefixes_in + 2);
    assert_int_equal(t.n->node[HUB].refreshes, 1);
    assert_converged(&t);
    net_free(t.n);
}

static void a_silent_peer_is_given_up_after_the_hold_time(void **state)
{
    (void)state;
    triangle t = triangle_new(14, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    t.n->stalled[SPOKE1] = true;
    net_run(t.n, 95000);
    assert_int_equal(t.n->node[HUB].downs, 1);
    assert_int_equal(t.n->node[HUB].last.code, 4);
    assert_null(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24));
    net_free(t.n);
}

static void keepalives_hold_a_quiet_session(void **state)
{
    (void)state;
    triangle t = triangle_new(15, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 3600000);
    assert_converged(&t);
    for (uint32_t i = HUB; i <= SPOKE2; i++)
        assert_int_equal(t.n->node[i].downs, 0);
    bgpvpn_neighbor_info info;
    net_info(t.n, SPOKE1, t.spoke[SPOKE1], &info);
    /* One in 22.5 to 30 seconds, both ways (RFC 4271 10). */
    assert_in_range(info.sent[BGPVPN_MESSAGE_KEEPALIVE], 118, 164);
    net_free(t.n);
}

static void a_removed_neighbour_leaves_nothing(void **state)
{
    (void)state;
    triangle t = triangle_new(16, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    assert_int_equal(
        bgpvpn_engine_neighbor_remove(t.n->node[HUB].engine, t.n->now_ms, t.hub[SPOKE1]),
        BGPVPN_OK);
    net_run(t.n, 10000);
    bgpvpn_counters c;
    net_counters(t.n, HUB, &c);
    assert_int_equal(c.neighbors, 1);
    assert_int_equal(c.established, 1);
    assert_null(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1, 24));
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(t.n->node[HUB].engine, t.hub[SPOKE1], &info),
                     BGPVPN_ERR_ABSENT);
    net_free(t.n);
}

static void a_vrf_added_late_imports_what_is_there(void **state)
{
    (void)state;
    triangle t = triangle_new(17, HUB_FLAGS);
    announce_all(&t);
    net_run(t.n, 10000);
    net_vrf(t.n, SPOKE2, 8, 88, 100);
    net_run(t.n, 1000);
    assert_non_null(net_route_of(t.n, SPOKE2, 8, PREFIX1, 24));
    /* Its own routes of the other VRF leak in, without a next hop. */
    assert_non_null(net_route_of(t.n, SPOKE2, 8, PREFIX2, 24));
    assert_int_equal(net_route_of(t.n, SPOKE2, 8, PREFIX2, 24)->next_hop.family, 0);
    assert_int_equal(bgpvpn_engine_vrf_remove(t.n->node[SPOKE2].engine, t.n->now_ms, 8), BGPVPN_OK);
    net_run(t.n, 1000);
    assert_null(net_route_of(t.n, SPOKE2, 8, PREFIX1, 24));
    net_vrf(t.n, SPOKE2, 8, 88, 999);
    net_run(t.n, 1000);
    assert_null(net_route_of(t.n, SPOKE2, 8, PREFIX1, 24));
    net_free(t.n);
}

static void peers_of_one_policy_share_what_is_encoded(void **state)
{
    (void)state;
    triangle t = triangle_new(18, BGPVPN_NEIGHBOR_CLIENT);
    net_run(t.n, 10000);
    bgpvpn_counters before, after;
    net_counters(t.n, HUB, &before);
    assert_int_equal(before.groups, 1);
    for (uint32_t i = 0; i < 300; i++)
        net_announce(t.n, HUB, CUSTOMER, PREFIX1 + (i << 8), 24, 16 + i);
    net_run(t.n, 1000);
    net_counters(t.n, HUB, &after);
    /* 300 prefixes of 15 bytes with equal attributes and 300 labels: two UPDATEs, for both. */
    assert_int_equal(after.updates_encoded - before.updates_encoded, 2);
    assert_int_equal(net_routes_up(t.n, SPOKE1), 300);
    assert_int_equal(net_routes_up(t.n, SPOKE2), 300);
    assert_int_equal(net_route_of(t.n, SPOKE2, CUSTOMER, PREFIX1 + (299 << 8), 24)->label, 315);
    net_free(t.n);
}

static void a_peer_that_fell_behind_catches_up_from_the_table(void **state)
{
    (void)state;
    triangle t = {.n = net_new(19)};
    bgpvpn_config cfg;
    net_config(HUB, &cfg);
    cfg.group_journal_bytes = 16384;
    cfg.journal_changes = 64;
    cfg.max_work = 50;
    (void)net_engine(t.n, HUB, &cfg);
    net_vrf(t.n, HUB, CUSTOMER, 1, 100);
    for (uint32_t i = SPOKE1; i <= SPOKE2; i++) {
        (void)net_engine(t.n, i, NULL);
        net_vrf(t.n, i, CUSTOMER, i + 1, 100);
        (void)net_neighbor(t.n, HUB, i, BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_PASSIVE);
        (void)net_neighbor(t.n, i, HUB, 0);
    }
    for (uint32_t i = 0; i < 500; i++)
        net_announce(t.n, HUB, CUSTOMER, PREFIX1 + (i << 8), 24, 16 + i);
    net_run(t.n, 10000);
    assert_int_equal(net_routes_up(t.n, SPOKE2), 500);

    /* Spoke 2's stream takes a few bytes only, while much changes. */
    for (uint32_t round = 0; round < 20; round++) {
        t.n->credit = 3;
        for (uint32_t i = 0; i < 500; i += 1 + round % 3) {
            if ((i + round) % 5 == 0 && round > 0 && (i + round - 1) % 5 != 0)
                continue;
            net_announce(t.n, HUB, CUSTOMER, PREFIX1 + (i << 8), 24, 1000 * (round + 1) + i);
        }
        t.n->credit = round % 2 ? 100 : NET_BUFFER;
        net_run(t.n, 20);
    }
    for (uint32_t i = 0; i < 500; i += 2)
        net_withdraw(t.n, HUB, CUSTOMER, PREFIX1 + (i << 8), 24);
    t.n->credit = NET_BUFFER;
    net_run(t.n, 10000);
    bgpvpn_counters c;
    net_counters(t.n, HUB, &c);
    assert_int_equal(c.prefixes, 250);
    for (uint32_t s = SPOKE1; s <= SPOKE2; s++) {
        assert_int_equal(net_routes_up(t.n, s), 250);
        for (uint32_t i = 1; i < 500; i += 2)
            assert_non_null(net_route_of(t.n, s, CUSTOMER, PREFIX1 + (i << 8), 24));
    }
    net_free(t.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hub_swaps_labels_between_its_spokes),
        cmocka_unit_test(routes_and_labels_go_with_their_withdrawal),
        cmocka_unit_test(a_relabel_reprograms_the_hub_and_keeps_its_label),
        cmocka_unit_test(nothing_is_advertised_before_its_label_is_answered),
        cmocka_unit_test(a_plain_reflector_keeps_next_hop_and_label),
        cmocka_unit_test(a_speaker_that_is_no_reflector_passes_nothing_on),
        cmocka_unit_test(single_bytes_and_odd_chunks_make_no_difference),
        cmocka_unit_test(a_little_credit_at_a_time_is_enough),
        cmocka_unit_test(sessions_come_back_wherever_they_break),
        cmocka_unit_test(a_lost_session_takes_its_routes_along),
        cmocka_unit_test(both_may_dial_at_once_and_one_connection_stays),
        cmocka_unit_test(a_shutdown_says_why_and_stays),
        cmocka_unit_test(a_refresh_brings_everything_again),
        cmocka_unit_test(a_silent_peer_is_given_up_after_the_hold_time),
        cmocka_unit_test(keepalives_hold_a_quiet_session),
        cmocka_unit_test(a_removed_neighbour_leaves_nothing),
        cmocka_unit_test(a_vrf_added_late_imports_what_is_there),
        cmocka_unit_test(peers_of_one_policy_share_what_is_encoded),
        cmocka_unit_test(a_peer_that_fell_behind_catches_up_from_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
