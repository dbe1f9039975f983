/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The decision process, loops, and what a route must have to come in.
 */
#include "rib_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
