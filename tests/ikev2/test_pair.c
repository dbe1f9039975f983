/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The whole life of SAs between two engines, over a network that loses, repeats and delays.
 */
#include "pair.h"

#include <string.h>

static const vnet_rules calm = {.delay_ms = 10};

static void open_calm(pair *p)
{
    ikev2_config cfg[2];
    pair_configs(cfg);
    pair_open(p, 1, &calm, cfg);
}

static void two_engines_set_up_a_transport_mode_child_for_gre(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    assert_int_equal(p.sent, 4); /* RFC 7296 1.2: two exchanges */
    ikev2_child_info c = {.struct_size = sizeof(c)};
    assert_int_equal(ikev2_engine_get_child(p.n[0].e, pair_first_child(&p, 0), &c), IKEV2_OK);
    assert_int_equal(c.mode, IKEV2_MODE_TRANSPORT);
    assert_int_equal(c.encr, IKEV2_ENCR_AES_GCM_16);
    assert_int_equal(c.key_in_len, 20);
    assert_int_equal(c.esn, 1);
    assert_int_equal(c.local_ts_count, 1);
    assert_int_equal(c.local_ts[0].protocol, 47);
    assert_int_equal(c.local_ts[0].start[3], 1);
    assert_int_equal(c.peer_ts[0].end[3], 2);
    assert_int_equal(c.user, 100);
    assert_int_equal(c.encapsulated, 0);
    pair_close(&p);
}

/* What happens after the set-up, in turns; each ends with both sides agreeing. */
static void whole_life(pair *p)
{
    pair_connect(p, 0);
    pair_assert_agree(p, 1);
    p->had_child = true;
    assert_int_equal(ikev2_engine_rekey_child(p->n[0].e, p->now, pair_first_child(p, 0)), 0);
    pair_run(p, 60000);
    pair_assert_agree(p, 1);
    assert_int_equal(ikev2_engine_rekey_ike(p->n[1].e, p->now, p->n[1].sa), 0);
    pair_run(p, 60000);
    pair_assert_agree(p, 1);
    uint64_t second;
    assert_int_equal(ikev2_engine_initiate_child(p->n[1].e, p->now, p->n[1].sa, NULL, &second), 0);
    pair_run(p, 60000);
    pair_assert_agree(p, 2);
    assert_int_equal(ikev2_engine_delete_child(p->n[1].e, p->now, second), 0);
    pair_run(p, 60000);
    pair_assert_agree(p, 1);
    p->had_child = false;
    assert_int_equal(ikev2_engine_delete_ike(p->n[0].e, p->now, p->n[0].sa), 0);
    pair_run(p, 200000);
    pair_assert_agree(p, 0);
    for (int i = 0; i < 2; i++) {
        ikev2_counters c = {.struct_size = sizeof(c)};
        assert_int_equal(ikev2_engine_get_counters(p->n[i].e, &c), IKEV2_OK);
        assert_int_equal(c.sas, 0);
        assert_int_equal(c.children, 0);
        assert_int_equal(c.half_open, 0);
        assert_int_equal(c.rekeys, 2);
    }
}

static uint64_t life_with(uint64_t drop, uint64_t dup, uint64_t late)
{
    pair p;
    open_calm(&p);
    p.drop_at = drop;
    p.dup_at = dup;
    p.late_at = late;
    whole_life(&p);
    const uint64_t sent = p.sent;
    pair_close(&p);
    return sent;
}

static void a_whole_life_ends_where_it_began(void **state)
{
    (void)state;
    /* Set-up 4, rekey with delete 4, IKE rekey with delete 4, child 2, delete 2, delete 2. */
    assert_int_equal(life_with(0, 0, 0), 18);
}

/* RFC 7296 2.1 */
static void every_single_datagram_may_be_lost(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 18; i++)
        (void)life_with(i, 0, 0);
}

static void every_single_datagram_may_come_twice(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 18; i++)
        (void)life_with(0, i, 0);
}

static void every_single_datagram_may_come_after_its_retransmission(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 18; i++)
        (void)life_with(0, 0, i);
}

static void lossy_networks_end_in_the_same_state_on_both_sides(void **state)
{
    (void)state;
    const vnet_rules rough = {.loss_ppm = 150000,
                              .duplicate_ppm = 100000,
                              .reorder_ppm = 200000,
                              .delay_ms = 20,
                              .jitter_ms = 50,
                              .reorder_ms = 1500};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        pair p;
        ikev2_config cfg[2];
        pair_configs(cfg);
        for (int i = 0; i < 2; i++) {
            cfg[i].retransmit_tries = 12;
            cfg[i].retransmit_max_ms = 3000;
        }
        pair_open(&p, seed, &rough, cfg);
        whole_life(&p);
        pair_close(&p);
    }
}

/* RFC 7296 2.8.1 */
static void both_sides_rekey_the_child_at_once_and_one_new_child_is_left(void **state)
{
    (void)state;
    for (uint64_t lost = 0; lost <= 12; lost++) {
        pair p;
        open_calm(&p);
        pair_connect(&p, 0);
        p.had_child = true;
        p.drop_at = lost ? p.sent + lost : 0;
        const uint64_t old = pair_first_child(&p, 0);
        for (int i = 0; i < 2; i++)
            assert_int_equal(ikev2_engine_rekey_child(p.n[i].e, p.now, pair_first_child(&p, i)), 0);
        pair_run(&p, 120000);
        pair_assert_agree(&p, 1);
        assert_true(pair_first_child(&p, 0) != old);
        pair_close(&p);
    }
}

/* RFC 7296 2.8.2 */
static void both_sides_rekey_the_ike_sa_at_once_and_one_inherits_the_child(void **state)
{
    (void)state;
    for (uint64_t lost = 0; lost <= 12; lost++) {
        pair p;
        open_calm(&p);
        pair_connect(&p, 0);
        const uint64_t old = p.n[0].sa;
        p.drop_at = lost ? p.sent + lost : 0;
        for (int i = 0; i < 2; i++)
            assert_int_equal(ikev2_engine_rekey_ike(p.n[i].e, p.now, p.n[i].sa), 0);
        pair_run(&p, 120000);
        /* The newest SA may be the redundant one that is gone: find the child's. */
        for (int i = 0; i < 2; i++) {
            ikev2_child_info c = {.struct_size = sizeof(c)};
            assert_int_equal(ikev2_engine_get_child(p.n[i].e, pair_first_child(&p, i), &c), 0);
            p.n[i].sa = c.sa_id;
        }
        pair_assert_agree(&p, 1);
        assert_true(p.n[0].sa != old);
        for (int i = 0; i < 2; i++) {
            ikev2_counters c = {.struct_size = sizeof(c)};
            assert_int_equal(ikev2_engine_get_counters(p.n[i].e, &c), IKEV2_OK);
            assert_int_equal(c.sas, 1);
        }
        pair_close(&p);
    }
}

/* RFC 7296 2.25 */
static void whatever_both_sides_do_at_once_they_agree_in_the_end(void **state)
{
    (void)state;
    enum { REKEY_CHILD, REKEY_IKE, DELETE_CHILD, NEW_CHILD, ACTIONS };
    for (int a = 0; a < ACTIONS; a++)
        for (int b = 0; b < ACTIONS; b++)
            for (uint64_t lost = 0; lost <= 6; lost++) {
                pair p;
                const int action[2] = {a, b};
                size_t expected = 1;
                open_calm(&p);
                pair_connect(&p, 0);
                p.drop_at = lost ? p.sent + lost : 0;
                for (int i = 0; i < 2; i++) {
                    ikev2_engine *e = p.n[i].e;
                    const uint64_t child = pair_first_child(&p, i);
                    uint64_t id;
                    ikev2_rc rc = IKEV2_OK;
                    if (action[i] == REKEY_CHILD)
                        rc = ikev2_engine_rekey_child(e, p.now, child);
                    else if (action[i] == REKEY_IKE)
                        rc = ikev2_engine_rekey_ike(e, p.now, p.n[i].sa);
                    else if (action[i] == DELETE_CHILD)
                        rc = ikev2_engine_delete_child(e, p.now, child);
                    else
                        rc = ikev2_engine_initiate_child(e, p.now, p.n[i].sa, NULL, &id);
                    assert_int_equal(rc, IKEV2_OK);
                    expected += action[i] == NEW_CHILD;
                }
                if (a == DELETE_CHILD || b == DELETE_CHILD)
                    expected--;
                pair_run(&p, 200000);
                for (int i = 0; i < 2; i++) {
                    ikev2_counters c = {.struct_size = sizeof(c)};
                    assert_int_equal(ikev2_engine_get_counters(p.n[i].e, &c), IKEV2_OK);
                    assert_int_equal(c.sas, 1);
                    for (size_t k = 0; k < p.n[i].child_count; k++) {
                        ikev2_child_info info = {.struct_size = sizeof(info)};
                        assert_int_equal(
                            ikev2_engine_get_child(p.n[i].e, p.n[i].children[k].id, &info), 0);
                        p.n[i].sa = info.sa_id;
                    }
                }
                pair_assert_agree(&p, expected);
                pair_close(&p);
            }
}

static void rekey(pair *p, int i, bool ike)
{
    ikev2_engine *e = p->n[i].e;
    const ikev2_rc rc = ike ? ikev2_engine_rekey_ike(e, p->now, p->n[i].sa)
                            : ikev2_engine_rekey_child(e, p->now, pair_first_child(p, i));
    assert_int_equal(rc, IKEV2_OK);
}

/* Deletes what it had at first, a little after both or one began to rekey it. */
static void delete_while_rekeying(bool ike, bool both, uint64_t wait, uint64_t lost)
{
    pair p;
    open_calm(&p);
    pair_connect(&p, 0);
    ikev2_engine *e = p.n[0].e;
    const uint64_t child = pair_first_child(&p, 0);
    const uint64_t sa = p.n[0].sa;
    p.drop_at = lost ? p.sent + lost : 0;
    rekey(&p, 0, ike);
    if (both)
        rekey(&p, 1, ike);
    pair_run(&p, wait);
    const ikev2_rc rc =
        ike ? ikev2_engine_delete_ike(e, p.now, sa) : ikev2_engine_delete_child(e, p.now, child);
    assert_int_equal(rc, IKEV2_OK);
    pair_run(&p, 120000);
    for (int i = 0; i < 2; i++) {
        ikev2_counters c = {.struct_size = sizeof(c)};
        assert_int_equal(ikev2_engine_get_counters(p.n[i].e, &c), IKEV2_OK);
        assert_int_equal(c.sas, ike ? 0 : 1);
        assert_int_equal(c.children, 0);
        assert_int_equal(p.n[i].child_count, 0);
    }
    assert_true(pair_count_events(&p, 0, ike ? IKEV2_EVENT_IKE_SA_DOWN : IKEV2_EVENT_CHILD_REMOVE,
                                  IKEV2_REASON_LOCAL) >= 1);
    pair_close(&p);
}

/* RFC 7296 1.4.1: while the answer is awaited, which takes 20 ms, the successor is as unwanted. */
static void what_is_deleted_while_it_is_rekeyed_does_not_live_on_in_its_successor(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++)
        for (uint64_t wait = 0; wait <= 15; wait += 5)
            for (uint64_t lost = 0; lost <= 8; lost++) {
                delete_while_rekeying(true, both, wait, lost);
                /* Where our request is lost the peer's own child stands, which nobody deleted. */
                if (!both || lost == 0)
                    delete_while_rekeying(false, both, wait, lost);
            }
}

/* The SA that is left, whichever came last; both must have one. */
static void find_survivor(pair *p)
{
    for (int i = 0; i < 2; i++) {
        ikev2_counters c = {.struct_size = sizeof(c)};
        assert_int_equal(ikev2_engine_get_counters(p->n[i].e, &c), IKEV2_OK);
        assert_int_equal(c.sas, 1);
        assert_int_equal(c.children, p->n[i].child_count);
        for (size_t k = 0; k < p->n[i].child_count; k++) {
            ikev2_child_info info = {.struct_size = sizeof(info)};
            assert_int_equal(ikev2_engine_get_child(p->n[i].e, p->n[i].children[k].id, &info),
                             IKEV2_OK);
            p->n[i].sa = info.sa_id;
        }
    }
}

static void random_wishes_on_a_bad_network_end_in_agreement(void **state)
{
    (void)state;
    const vnet_rules rough = {.loss_ppm = 100000,
                              .duplicate_ppm = 100000,
                              .reorder_ppm = 200000,
                              .delay_ms = 20,
                              .jitter_ms = 300,
                              .reorder_ms = 2000};
    for (uint64_t seed = 1; seed <= 300; seed++) {
        pair p;
        ikev2_config cfg[2];
        prng r = {.state = seed * 7919};
        pair_configs(cfg);
        for (int i = 0; i < 2; i++) {
            cfg[i].retransmit_tries = 14;
            cfg[i].retransmit_max_ms = 3000;
        }
        pair_open(&p, seed, &calm, cfg);
        pair_connect(&p, 0);
        vnet_set_rules(p.net, &rough);
        for (int step = 0; step < 40; step++) {
            const int i = (int)prng_below(&r, 2);
            ikev2_engine *e = p.n[i].e;
            const size_t n = p.n[i].child_count;
            const uint64_t child = n ? p.n[i].children[prng_below(&r, (uint32_t)n)].id : 0;
            uint64_t id;
            switch (prng_below(&r, 6)) {
            case 0:
            case 1:
                (void)ikev2_engine_rekey_child(e, p.now, child);
                break;
            case 2:
                (void)ikev2_engine_rekey_ike(e, p.now, p.n[i].sa);
                break;
            case 3:
                (void)ikev2_engine_initiate_child(e, p.now, p.n[i].sa, NULL, &id);
                break;
            case 4:
                (void)ikev2_engine_delete_child(e, p.now, child);
                break;
            default:
                (void)ikev2_engine_seen(e, p.now, child, NULL);
                break;
            }
            pair_run(&p, prng_below(&r, 2500));
        }
        vnet_set_rules(p.net, &calm);
        /* Longer than the lives of what a collision leaves behind. */
        pair_run(&p, 400000);
        find_survivor(&p);
        pair_assert_agree(&p, p.n[0].child_count);
        pair_close(&p);
    }
}

/* RFC 7296 2.4 */
static void a_silent_peer_is_found_dead(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[0].liveness_ms = 10000;
    pair_open(&p, 3, &calm, cfg);
    pair_connect(&p, 0);
    pair_run(&p, 100000);
    pair_assert_agree(&p, 1); /* liveness checks are answered */
    assert_true(p.sent > 10);
    const vnet_rules cut = {.loss_ppm = 1000000};
    vnet_set_rules(p.net, &cut);
    pair_run(&p, 200000);
    assert_int_equal(p.n[0].child_count, 0);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_RETRANSMIT_TIMEOUT, 0), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_TIMEOUT), 1);
    pair_close(&p);
}

static void traffic_that_is_seen_spares_liveness_checks(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[0].liveness_ms = 10000;
    pair_open(&p, 3, &calm, cfg);
    pair_connect(&p, 0);
    pair_run(&p, 1);
    const uint64_t sent = p.sent;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ikev2_engine_seen(p.n[0].e, p.now, pair_first_child(&p, 0), NULL), 0);
        pair_run(&p, 5000);
    }
    assert_int_equal(p.sent, sent);
    pair_close(&p);
}

static void lifetimes_rekey_by_themselves(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    for (int i = 0; i < 2; i++) {
        cfg[i].child_lifetime_s = 100;
        cfg[i].ike_lifetime_s = 330;
    }
    pair_open(&p, 9, &calm, cfg);
    pair_connect(&p, 0);
    p.had_child = true;
    pair_run(&p, 3600000);
    pair_assert_agree(&p, 1);
    assert_true(pair_count_events(&p, 0, IKEV2_EVENT_CHILD_IN, 0) > 30);
    assert_true(pair_count_events(&p, 0, IKEV2_EVENT_IKE_SA_UP, 0) > 9);
    pair_close(&p);
}

static void a_hard_limit_deletes_the_child_on_both_sides(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    pair_connect(&p, 0);
    assert_int_equal(ikev2_engine_child_limit(p.n[1].e, p.now, pair_first_child(&p, 1), 0), 0);
    pair_run(&p, 10000);
    pair_assert_agree(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_CHILD_IN, 0), 2);
    assert_int_equal(ikev2_engine_child_limit(p.n[1].e, p.now, pair_first_child(&p, 1), 1), 0);
    pair_run(&p, 10000);
    pair_assert_agree(&p, 0);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_CHILD_REMOVE, IKEV2_REASON_LIFETIME), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_CHILD_REMOVE, IKEV2_REASON_PEER_DELETE),
                     1);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_engines_set_up_a_transport_mode_child_for_gre),
        cmocka_unit_test(a_whole_life_ends_where_it_began),
        cmocka_unit_test(every_single_datagram_may_be_lost),
        cmocka_unit_test(every_single_datagram_may_come_twice),
        cmocka_unit_test(every_single_datagram_may_come_after_its_retransmission),
        cmocka_unit_test(lossy_networks_end_in_the_same_state_on_both_sides),
        cmocka_unit_test(both_sides_rekey_the_child_at_once_and_one_new_child_is_left),
        cmocka_unit_test(both_sides_rekey_the_ike_sa_at_once_and_one_inherits_the_child),
        cmocka_unit_test(whatever_both_sides_do_at_once_they_agree_in_the_end),
        cmocka_unit_test(what_is_deleted_while_it_is_rekeyed_does_not_live_on_in_its_successor),
        cmocka_unit_test(random_wishes_on_a_bad_network_end_in_agreement),
        cmocka_unit_test(a_silent_peer_is_found_dead),
        cmocka_unit_test(traffic_that_is_seen_spares_liveness_checks),
        cmocka_unit_test(lifetimes_rekey_by_themselves),
        cmocka_unit_test(a_hard_limit_deletes_the_child_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
