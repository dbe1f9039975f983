/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a session does besides its states: DelayOpen, the send hold timer, Cease and its subcodes,
 * collisions.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>

static uint8_t last_type(const machine *m)
{
    uint8_t type = 0;
    for (size_t at = 0; at + BGPVPN_HEADER_LEN <= m->sent_len;) {
        type = m->sent[at + 18];
        at += (size_t)m->sent[at + 16] << 8 | m->sent[at + 17];
    }
    return type;
}

/* ---- DelayOpen (RFC 4271 8.1.1) ---- */

static void delayed(machine *m, uint32_t flags)
{
    bgpvpn_neighbor_config n;
    machine_neighbor(&n);
    n.delay_open_s = 10;
    n.flags = flags;
    machine_new(m, NULL, &n);
    if (flags & BGPVPN_NEIGHBOR_PASSIVE)
        assert_int_equal(bgpvpn_engine_accept(m->e, m->now_ms, &us, &them, &m->stream), BGPVPN_OK);
    else
        assert_int_equal(bgpvpn_engine_stream_up(m->e, m->now_ms, m->stream, &us), BGPVPN_OK);
    machine_pump(m);
}

static void an_open_that_is_delayed_goes_out_when_the_timer_is_over(void **state)
{
    (void)state;
    static const uint32_t flags[] = {0, BGPVPN_NEIGHBOR_PASSIVE};
    for (int i = 0; i < 2; i++) {
        machine m;
        delayed(&m, flags[i]);
        assert_int_equal(machine_state(&m), i ? BGPVPN_STATE_ACTIVE : BGPVPN_STATE_CONNECT);
        machine_wait(&m, 9900);
        assert_int_equal(m.sent_len, 0);
        machine_wait(&m, 200);
        assert_int_equal(last_type(&m), BGPVPN_MESSAGE_OPEN);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_OPEN_SENT);
        machine_feed(&m, OPEN);
        machine_feed(&m, KEEPALIVE);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 4271 8.2.2, event 20 */
static void the_peer_that_speaks_first_ends_the_delay(void **state)
{
    (void)state;
    static const uint32_t flags[] = {0, BGPVPN_NEIGHBOR_PASSIVE};
    for (int i = 0; i < 2; i++) {
        machine m;
        delayed(&m, flags[i]);
        machine_feed(&m, OPEN);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_OPEN_CONFIRM);
        assert_int_equal(m.count[BGPVPN_MESSAGE_OPEN], 1);
        assert_int_equal(m.count[BGPVPN_MESSAGE_KEEPALIVE], 1);
        machine_feed(&m, KEEPALIVE);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
        machine_wait(&m, 20000);
        assert_int_equal(m.count[BGPVPN_MESSAGE_OPEN], 1);
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 4271 8.2.2: without an OPEN of ours there is no NOTIFICATION. */
static void errors_during_the_delay_close_without_a_word(void **state)
{
    (void)state;
    static const char *const messages[] = {KEEPALIVE, HEADER "001209", HEADER "0015030602",
                                           HEADER "001d0104fde9005a0a00000200"};
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        machine m;
        delayed(&m, 0);
        machine_feed(&m, messages[i]);
        assert_int_equal(m.sent_len, 0);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_IDLE);
        bgpvpn_engine_free(m.e);
    }
    /* Event 18: TCP alone failed, so the peer may still dial. */
    machine m;
    delayed(&m, 0);
    assert_int_equal(bgpvpn_engine_stream_down(m.e, m.now_ms, m.stream), BGPVPN_OK);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ACTIVE);
    bgpvpn_engine_free(m.e);
}

/* ---- The send hold timer (RFC 9687) ---- */

/* Nobody takes bytes, but the peer is heard: milliseconds until the session is down, or 0. */
static uint64_t blocked_for(machine *m, uint64_t most)
{
    bgpvpn_event ev;
    size_t used;
    uint8_t keepalive[32];
    const size_t len = hex_bytes(KEEPALIVE, keepalive, sizeof(keepalive));
    (void)bgpvpn_engine_set_credit(m->e, m->now_ms, m->stream, 0);
    for (uint64_t waited = 0; waited < most; waited += 1000) {
        m->now_ms += 1000;
        (void)bgpvpn_engine_timeout(m->e, m->now_ms);
        (void)bgpvpn_engine_input(m->e, m->now_ms, m->stream, keepalive, len, &used);
        while (bgpvpn_engine_poll_event(m->e, &ev) == BGPVPN_YES) {
            if (ev.kind != BGPVPN_EVENT_DOWN)
                continue;
            m->last = ev;
            return waited + 1000;
        }
    }
    return 0;
}

static void a_peer_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_ESTABLISHED);
    /* RFC 9687 6: eight minutes, with a hold time of 90 seconds. */
    const uint64_t waited = blocked_for(&m, 1000000);
    assert_in_range(waited, 479000, 481000);
    assert_int_equal(m.last.reason, BGPVPN_REASON_SEND_HOLD);
    assert_int_equal(m.last.code, 8);
    assert_int_equal(m.last.subcode, 0);
    bgpvpn_engine_free(m.e);
}

static void the_send_hold_time_is_a_setting_and_needs_a_hold_time(void **state)
{
    (void)state;
    static const struct {
        uint32_t set;
        const char *open;
        uint64_t least, most; /* 0: never */
    } cases[] = {
        {100, OPEN, 99000, 101000},
        {UINT32_MAX, OPEN, 0, 0},
        /* A hold time of 600 seconds, which is more than we offer: 90. */
        {0, HEADER "00310104fde802580a000002140206010400010080020641040000fde802020200", 479000,
         481000},
        {0, HEADER "00310104fde800000a000002140206010400010080020641040000fde802020200", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine m;
        bgpvpn_neighbor_config n;
        machine_neighbor(&n);
        n.send_hold_time_s = cases[i].set;
        machine_new(&m, NULL, &n);
        machine_establish(&m, cases[i].open);
        assert_in_range(blocked_for(&m, 700000), cases[i].least, cases[i].most);
        bgpvpn_engine_free(m.e);
    }
    /* RFC 9687 4.4: it is greater than the hold time. */
    machine m;
    bgpvpn_neighbor_config n;
    uint64_t id;
    machine_in(&m, BGPVPN_STATE_IDLE);
    machine_neighbor(&n);
    n.address.bytes[3] = 9;
    n.send_hold_time_s = 90;
    assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &id), BGPVPN_ERR_ARG);
    bgpvpn_engine_free(m.e);
}

static void a_slow_peer_is_not_given_up(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_ESTABLISHED);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(blocked_for(&m, 400000), 0);
        machine_pump(&m); /* takes what has waited */
    }
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine_free(m.e);
}

/* ---- Cease ---- */

static void every_cease_of_the_caller_is_sent_as_it_is(void **state)
{
    (void)state;
    static const struct {
        uint8_t subcode;
        const char *text;
        const char *want;
    } cases[] = {
        {6, "", HEADER "0015030606"},         /* RFC 4486 4: other configuration change */
        {8, "", HEADER "0015030608"},         /* out of resources */
        {10, "", HEADER "001503060a"},        /* RFC 9384: BFD down */
        {4, "hi", HEADER "0018030604026869"}, /* RFC 9003 2 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine m;
        machine_in(&m, BGPVPN_STATE_ESTABLISHED);
        m.sent_len = 0;
        assert_int_equal(bgpvpn_engine_neighbor_cease(m.e, m.now_ms, m.id, cases[i].subcode,
                                                      (const uint8_t *)cases[i].text,
                                                      strlen(cases[i].text)),
                         BGPVPN_OK);
        machine_pump(&m);
        assert_hex(m.sent, m.sent_len, cases[i].want);
        assert_int_equal(m.last.kind, BGPVPN_EVENT_DOWN);
        machine_wait(&m, 3000);
        assert_int_equal(machine_state(&m), BGPVPN_STATE_CONNECT);
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 6608 4: the type of the message is the data. */
static void an_unexpected_message_is_named(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_OPEN_SENT);
    m.sent_len = 0;
    machine_feed(&m, HEADER "00170500010080");
    assert_hex(m.sent, m.sent_len, HEADER "001603050105");
    bgpvpn_engine_free(m.e);
    machine_in(&m, BGPVPN_STATE_OPEN_CONFIRM);
    m.sent_len = 0;
    machine_feed(&m, OPEN);
    assert_hex(m.sent, m.sent_len, HEADER "001603050201");
    bgpvpn_engine_free(m.e);
    machine_in(&m, BGPVPN_STATE_ESTABLISHED);
    m.sent_len = 0;
    machine_feed(&m, OPEN);
    assert_hex(m.sent, m.sent_len, HEADER "001603050301");
    bgpvpn_engine_free(m.e);
}

/* ---- Collisions (RFC 4271 6.8, RFC 6286 2.3) ---- */

/* The peer of AS as and identifier 10.0.0.last has a connection of each direction. */
static void collide(uint32_t as, uint8_t last, bool incoming_first, bool incoming_wins)
{
    machine m;
    bgpvpn_neighbor_config n;
    uint64_t stream[2];
    char open[128];
    machine_neighbor(&n);
    n.remote_as = as;
    machine_new(&m, NULL, &n);
    (void)snprintf(open, sizeof(open),
                   HEADER "00310104%04x005a0a0000%02x140206010400010080020641040000%04x02020200",
                   (unsigned)as, last, (unsigned)as);
    stream[0] = m.stream;
    assert_int_equal(bgpvpn_engine_stream_up(m.e, m.now_ms, stream[0], &us), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &stream[1]), BGPVPN_OK);
    for (int i = 0; i < 2; i++) {
        m.stream = stream[incoming_first ? 1 - i : i];
        machine_pump(&m);
        m.note = 0;
        machine_feed(&m, open);
    }
    /* One of the two was told Cease 7, the other is in OpenConfirm. */
    uint64_t out = stream[0], in = stream[1];
    for (int i = 0; i < 2; i++) {
        m.stream = i ? in : out;
        machine_pump(&m);
    }
    assert_int_equal(m.note, 0x0607);
    bgpvpn_stream_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_stream(m.e, in, &info),
                     incoming_wins ? BGPVPN_OK : BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_get_stream(m.e, out, &info),
                     incoming_wins ? BGPVPN_ERR_ABSENT : BGPVPN_OK);
    m.stream = incoming_wins ? in : out;
    machine_feed(&m, KEEPALIVE);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine_free(m.e);
}

static void of_two_connections_the_right_one_stays(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        collide(65000, 2, first, true); /* theirs is the higher identifier */
        collide(65001, 2, first, true);
        collide(65001, 0, first, false); /* ours is */
        /* RFC 6286 2.3: equal identifiers, so the higher AS decides. */
        collide(65001, 1, first, true);
        collide(64999, 1, first, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_that_is_delayed_goes_out_when_the_timer_is_over),
        cmocka_unit_test(the_peer_that_speaks_first_ends_the_delay),
        cmocka_unit_test(errors_during_the_delay_close_without_a_word),
        cmocka_unit_test(a_peer_that_takes_nothing_is_given_up),
        cmocka_unit_test(the_send_hold_time_is_a_setting_and_needs_a_hold_time),
        cmocka_unit_test(a_slow_peer_is_not_given_up),
        cmocka_unit_test(every_cease_of_the_caller_is_sent_as_it_is),
        cmocka_unit_test(an_unexpected_message_is_named),
        cmocka_unit_test(of_two_connections_the_right_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
