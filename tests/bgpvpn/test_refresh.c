/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Route refresh with marks (RFC 2918, RFC 7313).
 */
#include "machine.h"

#include <string.h>

/* As OPEN, with the enhanced refresh capability (70). */
#define OPEN_ENHANCED                                                                              \
    HEADER "00350104fde8005a0a000002180206010400010080020641040000fde80202020002024600"
#define REQUEST HEADER "00170500010080"
#define BEGIN   HEADER "00170500010180"
#define END     HEADER "00170500010280"

static void enhanced(machine *m)
{
    machine_new(m, NULL, NULL);
    machine_establish(m, OPEN_ENHANCED);
    m->sent_len = 0;
}

static void we_say_that_we_can(void **state)
{
    (void)state;
    machine m;
    bgpvpn_open open;
    machine_in(&m, BGPVPN_STATE_OPEN_SENT);
    assert_int_equal(bgpvpn_open_decode(m.sent, m.sent_len, &open), BGPVPN_OK);
    assert_int_not_equal(open.capabilities & BGPVPN_CAPABLE_ENHANCED_REFRESH, 0);
    assert_int_not_equal(open.capabilities & BGPVPN_CAPABLE_REFRESH, 0);
    bgpvpn_engine_free(m.e);
}

/* RFC 7313 4 */
static void what_is_not_announced_between_the_marks_is_removed(void **state)
{
    (void)state;
    machine m;
    enhanced(&m);
    for (uint32_t i = 0; i < 4; i++)
        machine_route(&m, i, 100 + i);
    machine_feed(&m, BEGIN);
    assert_int_equal(machine_paths(&m), 4); /* stale, and used */
    machine_route(&m, 1, 101);              /* the same */
    machine_route(&m, 2, 222);              /* another label */
    machine_route(&m, 3, 103);
    machine_route(&m, 3, BGPVPN_LABEL_NONE);
    machine_route(&m, 9, 109);
    assert_int_equal(machine_paths(&m), 4); /* 0, 1, 2, 9 */
    machine_feed(&m, END);
    assert_int_equal(machine_paths(&m), 3); /* at once unusable, then gone */
    machine_wait(&m, 100);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m.e, m.id, &info), BGPVPN_OK);
    assert_int_equal(info.paths, 3);
    bgpvpn_engine_free(m.e);
}

/* The stale timer is that of the refresh under way, not of one that is over. */
static void a_refresh_without_an_end_is_ended_by_the_stale_timer(void **state)
{
    (void)state;
    machine m;
    enhanced(&m);
    machine_route(&m, 0, 100);
    machine_route(&m, 1, 101);
    machine_feed(&m, BEGIN);
    machine_route(&m, 0, 100);
    machine_route(&m, 1, 101);
    machine_feed(&m, END);
    for (int i = 0; i < 17; i++) {
        machine_wait(&m, 10000);
        machine_feed(&m, KEEPALIVE);
    }
    machine_feed(&m, BEGIN);
    machine_route(&m, 0, 100);
    for (int i = 0; i < 17; i++) {
        machine_wait(&m, 10000);
        machine_feed(&m, KEEPALIVE);
    }
    assert_int_equal(machine_paths(&m), 2);
    machine_wait(&m, 11000);
    assert_int_equal(machine_paths(&m), 1);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine_free(m.e);
}

static void marks_without_their_partner_harm_nothing(void **state)
{
    (void)state;
    machine m;
    enhanced(&m);
    machine_route(&m, 0, 100);
    machine_feed(&m, END);
    machine_feed(&m, END);
    assert_int_equal(machine_paths(&m), 1);
    machine_feed(&m, BEGIN);
    machine_route(&m, 0, 100);
    machine_feed(&m, BEGIN); /* begun again */
    machine_feed(&m, END);
    assert_int_equal(machine_paths(&m), 1);
    /* Of a family that was not negotiated, and of a subtype to come, with more behind it. */
    machine_feed(&m, HEADER "00170500020180");
    machine_feed(&m, HEADER "00170500020280");
    machine_feed(&m, HEADER "0019050001ff80abcd");
    machine_wait(&m, 100);
    assert_int_equal(machine_paths(&m), 1);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine_free(m.e);
}

static void marks_of_a_peer_that_did_not_announce_them_are_ignored(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_ESTABLISHED);
    machine_route(&m, 0, 100);
    machine_feed(&m, BEGIN);
    machine_feed(&m, END);
    machine_wait(&m, 100);
    assert_int_equal(machine_paths(&m), 1);
    bgpvpn_engine_free(m.e);
}

static void who_shall_have_no_marks_gets_none_and_sends_none(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_config n;
    bgpvpn_open open;
    machine_neighbor(&n);
    n.flags = BGPVPN_NEIGHBOR_PLAIN_REFRESH;
    machine_new(&m, NULL, &n);
    machine_establish(&m, OPEN_ENHANCED);
    assert_int_equal(bgpvpn_open_decode(m.sent, (size_t)m.sent[16] << 8 | m.sent[17], &open),
                     BGPVPN_OK);
    assert_int_equal(open.capabilities & BGPVPN_CAPABLE_ENHANCED_REFRESH, 0);
    machine_route(&m, 0, 100);
    machine_feed(&m, BEGIN END);
    assert_int_equal(machine_paths(&m), 1);
    m.count[BGPVPN_MESSAGE_REFRESH] = 0;
    machine_feed(&m, REQUEST);
    assert_int_equal(m.count[BGPVPN_MESSAGE_REFRESH], 0);
    bgpvpn_engine_free(m.e);
}

/* RFC 7313 5: the whole message is the data. */
static void a_mark_of_another_length_ends_the_session(void **state)
{
    (void)state;
    machine m;
    enhanced(&m);
    machine_feed(&m, HEADER "0018050001018000");
    assert_hex(m.sent, m.sent_len, HEADER "002d030701" HEADER "0018050001018000");
    bgpvpn_engine_free(m.e);
}

/* A VRF with two routes of ours. */
static void announce_ours(machine *m)
{
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = 1};
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = 77};
    (void)bgpvpn_rd_make(65000, 9, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.export_rts = rt;
    vrf.export_rts_len = sizeof(rt);
    assert_int_equal(bgpvpn_engine_vrf_add(m->e, m->now_ms, &vrf), BGPVPN_OK);
    net_prefix(0x0a050000, 16, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(m->e, m->now_ms, 1, &r), BGPVPN_OK);
    net_prefix(0x0a060000, 16, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(m->e, m->now_ms, 1, &r), BGPVPN_OK);
}

/* Types of the messages sent, a letter each: U, R with its subtype, E for End-of-RIB. */
static void sequence(const machine *m, char *out, size_t cap)
{
    size_t used = 0;
    for (size_t at = 0; at < m->sent_len; at += (size_t)m->sent[at + 16] << 8 | m->sent[at + 17]) {
        const uint8_t *msg = m->sent + at;
        const size_t len = (size_t)msg[16] << 8 | msg[17];
        bgpvpn_update u;
        uint32_t table;
        assert_true(used + 3 < cap);
        if (msg[18] == BGPVPN_MESSAGE_REFRESH) {
            out[used++] = 'R';
            out[used++] = (char)('0' + msg[21]);
        } else if (msg[18] == BGPVPN_MESSAGE_UPDATE) {
            assert_int_equal(bgpvpn_update_decode(msg, len, 4, 0, &u), BGPVPN_OK);
            out[used++] = bgpvpn_update_end_of_rib(&u, &table) == BGPVPN_YES ? 'E' : 'U';
        }
    }
    out[used] = 0;
}

/* RFC 7313 4: between marks, and never before End-of-RIB. */
static void a_refresh_that_we_are_asked_for_goes_between_marks(void **state)
{
    (void)state;
    machine m;
    char order[64];
    machine_new(&m, NULL, NULL);
    announce_ours(&m);
    machine_establish(&m, OPEN_ENHANCED);
    m.sent_len = 0;
    machine_feed(&m, REQUEST);
    sequence(&m, order, sizeof(order));
    assert_string_equal(order, "R1UR2");
    /* A second request while the first is under way is one refresh. */
    m.sent_len = 0;
    machine_feed(&m, REQUEST REQUEST);
    sequence(&m, order, sizeof(order));
    assert_string_equal(order, "R1UR2");
    bgpvpn_engine_free(m.e);

    machine_new(&m, NULL, NULL);
    announce_ours(&m);
    assert_int_equal(bgpvpn_engine_stream_up(m.e, m.now_ms, m.stream, &us), BGPVPN_OK);
    machine_pump(&m);
    m.sent_len = 0;
    machine_feed(&m, OPEN_ENHANCED KEEPALIVE REQUEST);
    sequence(&m, order, sizeof(order));
    assert_string_equal(order, "UE");
    bgpvpn_engine_free(m.e);

    /* To who did not announce them there are no marks. */
    machine_new(&m, NULL, NULL);
    announce_ours(&m);
    machine_establish(&m, OPEN);
    m.sent_len = 0;
    machine_feed(&m, REQUEST);
    sequence(&m, order, sizeof(order));
    assert_string_equal(order, "U");
    bgpvpn_engine_free(m.e);
}

/* Two engines: what one lost silently, a refresh takes out of the other. */
static void a_refresh_between_two_of_ours_changes_nothing(void **state)
{
    (void)state;
    net *n = net_new(5);
    net_engine(n, 0, NULL);
    net_engine(n, 1, NULL);
    for (uint32_t i = 0; i < 2; i++)
        net_vrf(n, i, 1, i + 1, 100);
    const uint64_t id = net_neighbor(n, 0, 1, 0);
    (void)net_neighbor(n, 1, 0, 0);
    for (uint32_t i = 0; i < 50; i++)
        net_announce(n, 1, 1, 0x0a000000 + (i << 8), 24, 100 + i);
    net_run(n, 10000);
    assert_int_equal(net_routes_up(n, 0), 50);
    assert_int_equal(
        bgpvpn_engine_neighbor_refresh(n->node[0].engine, n->now_ms, id, BGPVPN_TABLE_VPNV4),
        BGPVPN_OK);
    net_run(n, 1000);
    assert_int_equal(n->node[1].refreshes, 1);
    assert_int_equal(net_routes_up(n, 0), 50);
    bgpvpn_neighbor_info info;
    net_info(n, 0, id, &info);
    assert_int_equal(info.paths, 50);
    assert_int_equal(info.implicit_in, 50);
    assert_int_equal(info.received[BGPVPN_MESSAGE_REFRESH], 2); /* the marks */
    net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(we_say_that_we_can),
        cmocka_unit_test(what_is_not_announced_between_the_marks_is_removed),
        cmocka_unit_test(a_refresh_without_an_end_is_ended_by_the_stale_timer),
        cmocka_unit_test(marks_without_their_partner_harm_nothing),
        cmocka_unit_test(marks_of_a_peer_that_did_not_announce_them_are_ignored),
        cmocka_unit_test(who_shall_have_no_marks_gets_none_and_sends_none),
        cmocka_unit_test(a_mark_of_another_length_ends_the_session),
        cmocka_unit_test(a_refresh_that_we_are_asked_for_goes_between_marks),
        cmocka_unit_test(a_refresh_between_two_of_ours_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
