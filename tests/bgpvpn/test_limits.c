/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How many routes a neighbour may send (RFC 4486 4).
 */
#include "machine.h"

#include <string.h>

#define KIND(name) (UINT64_C(1) << BGPVPN_EVENT_##name)

static void limited(machine *m, uint32_t most, uint32_t flags, uint32_t restart_s)
{
    bgpvpn_neighbor_config n;
    machine_neighbor(&n);
    n.max_prefixes = most;
    n.max_prefixes_restart_s = restart_s;
    n.flags = flags;
    machine_new(m, NULL, &n);
    machine_establish(m, OPEN);
    m->kinds = 0;
    m->sent_len = 0;
}

static void the_route_beyond_the_limit_ends_the_session(void **state)
{
    (void)state;
    machine m;
    limited(&m, 8, 0, 0);
    for (uint32_t i = 0; i < 5; i++)
        machine_route(&m, i, 100 + i);
    assert_int_equal(m.kinds & KIND(MANY_PREFIXES), 0);
    machine_route(&m, 5, 105); /* 75 % */
    assert_int_not_equal(m.kinds & KIND(MANY_PREFIXES), 0);
    m.kinds = 0;
    machine_route(&m, 6, 106);
    machine_route(&m, 7, 107);
    machine_route(&m, 7, 207); /* the same prefix again is not one more */
    assert_int_equal(m.kinds, 0);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    m.sent_len = 0;
    machine_route(&m, 8, 108);
    /* RFC 4486 4: AFI, SAFI, upper bound. */
    assert_hex(m.sent, m.sent_len, HEADER "001c030601 000180 00000008");
    assert_int_equal(m.kinds & (KIND(MAX_PREFIXES) | KIND(DOWN)), KIND(MAX_PREFIXES) | KIND(DOWN));
    assert_int_equal(m.kinds & KIND(MANY_PREFIXES), 0);
    assert_int_equal(m.last.code, 6);
    assert_int_equal(m.last.subcode, 1);
    assert_int_equal(machine_paths(&m), 0);
    bgpvpn_engine_free(m.e);
}

static void it_stays_down_until_it_is_started_or_the_pause_is_over(void **state)
{
    (void)state;
    for (uint32_t restart_s = 0; restart_s <= 300; restart_s += 300) {
        machine m;
        uint64_t id;
        limited(&m, 1, 0, restart_s);
        machine_route(&m, 0, 100);
        machine_route(&m, 1, 101);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_IDLE);
        machine_wait(&m, 290000);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_IDLE);
        /* RFC 4271 8.2.2: Idle refuses. */
        assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &id), BGPVPN_ERR_STATE);
        machine_wait(&m, 20000);
        assert_int_equal(machine_state(&m), restart_s ? BGPVPN_STATE_CONNECT : BGPVPN_STATE_IDLE);
        assert_int_equal(bgpvpn_engine_neighbor_start(m.e, m.now_ms, m.id), BGPVPN_OK);
        machine_pump(&m);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_CONNECT);
        /* What the last session left behind does not count against the new one. */
        machine_establish(&m, OPEN);
        machine_route(&m, 5, 100);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
        assert_int_equal(machine_paths(&m), 1);
        bgpvpn_engine_free(m.e);
    }
}

static void a_limit_may_only_warn(void **state)
{
    (void)state;
    machine m;
    limited(&m, 2, BGPVPN_NEIGHBOR_WARN_ONLY, 0);
    for (uint32_t i = 0; i < 3; i++)
        machine_route(&m, i, 100 + i);
    assert_int_equal(m.kinds, KIND(MANY_PREFIXES) | KIND(MAX_PREFIXES));
    m.kinds = 0;
    machine_route(&m, 3, 103);
    assert_int_equal(m.kinds, 0); /* told once */
    for (uint32_t i = 0; i < 4; i++)
        machine_route(&m, i, BGPVPN_LABEL_NONE);
    for (uint32_t i = 0; i < 3; i++)
        machine_route(&m, i, 100 + i);
    assert_int_equal(m.kinds, KIND(MANY_PREFIXES) | KIND(MAX_PREFIXES)); /* there were fewer */
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(machine_paths(&m), 3);
    bgpvpn_engine_free(m.e);
}

static void a_dynamic_neighbor_is_refused_until_the_pause_is_over(void **state)
{
    (void)state;
    machine m;
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    uint64_t range;
    memset(&m, 0, sizeof(m));
    net_config(0, &cfg);
    machine_neighbor(&n);
    n.address.prefix_len = 24;
    n.max_prefixes = 1;
    n.max_prefixes_restart_s = 60;
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, &m.e), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_range_add(m.e, 0, &n, &range), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(m.e, 0, &us, &them, &m.stream), BGPVPN_OK);
    machine_feed(&m, OPEN);
    machine_feed(&m, KEEPALIVE);
    machine_route(&m, 0, 100);
    machine_route(&m, 1, 101);
    assert_int_not_equal(m.kinds & KIND(DOWN), 0);
    assert_int_equal(m.kinds & KIND(GONE), 0);
    machine_wait(&m, 50000);
    assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream), BGPVPN_ERR_STATE);
    machine_wait(&m, 20000);
    assert_int_not_equal(m.kinds & KIND(GONE), 0);
    assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream), BGPVPN_OK);
    machine_feed(&m, OPEN);
    machine_feed(&m, KEEPALIVE);
    machine_route(&m, 7, 100);
    assert_int_equal(m.last.kind, BGPVPN_EVENT_UP);
    bgpvpn_engine_free(m.e);
}

static void settings_out_of_range_are_refused_and_older_callers_are_not(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_config n;
    uint64_t id;
    machine_in(&m, BGPVPN_STATE_IDLE);
    machine_neighbor(&n);
    n.address.bytes[3] = 9;
    n.warn_percent = 101;
    assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &id), BGPVPN_ERR_ARG);
    /* A caller compiled when the struct ended with the cookie. */
    n.struct_size = offsetof(bgpvpn_neighbor_config, delay_open_s);
    assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &id), BGPVPN_OK);
    n.address.bytes[3] = 10;
    n.struct_size -= 4;
    assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &id), BGPVPN_ERR_ARG);
    bgpvpn_engine_free(m.e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_route_beyond_the_limit_ends_the_session),
        cmocka_unit_test(it_stays_down_until_it_is_started_or_the_pause_is_over),
        cmocka_unit_test(a_limit_may_only_warn),
        cmocka_unit_test(a_dynamic_neighbor_is_refused_until_the_pause_is_over),
        cmocka_unit_test(settings_out_of_range_are_refused_and_older_callers_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
