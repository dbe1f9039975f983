/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The FSM: every state against every event (RFC 4271 8.2.2), and what the caller may not do.
 */
#include "machine.h"

#include <string.h>

/* Events, by what the caller or the peer does. */
enum {
    STOP,
    RETRY,
    TCP_UP,
    TCP_ACCEPT,
    TCP_DOWN,
    GET_OPEN,
    GET_BAD_OPEN,
    GET_KEEPALIVE,
    GET_UPDATE,
    GET_NOTIFICATION,
    GET_REFRESH,
    GET_BAD_HEADER,
    HOLD_EXPIRES,
    EVENTS
};

static void happen(machine *m, int event)
{
    uint64_t other;
    switch (event) {
    case STOP:
        (void)bgpvpn_engine_neighbor_shutdown(m->e, m->now_ms, m->id, NULL, 0);
        break;
    case RETRY:
        m->now_ms += 121000 - 30000 - 3000; /* beyond 0.75 times, keeping to the hold time */
        break;
    case TCP_UP:
        (void)bgpvpn_engine_stream_up(m->e, m->now_ms, m->stream, &us);
        break;
    case TCP_ACCEPT:
        if (bgpvpn_engine_accept(m->e, m->now_ms, &us, &them, &other) == BGPVPN_OK)
            m->stream = other;
        break;
    case TCP_DOWN:
        (void)bgpvpn_engine_stream_down(m->e, m->now_ms, m->stream);
        break;
    case GET_OPEN:
        machine_feed(m, OPEN);
        break;
    case GET_BAD_OPEN: /* of another AS */
        machine_feed(m, HEADER "001d0104fde9005a0a00000200");
        break;
    case GET_KEEPALIVE:
        machine_feed(m, KEEPALIVE);
        break;
    case GET_UPDATE: /* withdraws 10.1.1.0/24 in VPNv4 */
        machine_feed(m, HEADER "002c02 0000 0015 800f12 000180 70800000 0000fde800000001 0a0101");
        break;
    case GET_NOTIFICATION:
        machine_feed(m, HEADER "0015030602");
        break;
    case GET_REFRESH:
        machine_feed(m, HEADER "00170500010080");
        break;
    case GET_BAD_HEADER:
        machine_feed(m, HEADER "001304" HEADER "001209");
        break;
    case HOLD_EXPIRES:
        m->now_ms += 240000;
        break;
    default:
        break;
    }
    (void)bgpvpn_engine_timeout(m->e, m->now_ms);
    /* A caller whose connection is gone would not wait for the next attempt to be seen. */
    machine_pump(m);
}

typedef struct outcome {
    uint32_t state;
    uint16_t note;
} outcome;

static void every_event_in_every_state_leads_where_the_rfc_says(void **state)
{
    (void)state;
    enum {
        I = BGPVPN_STATE_IDLE,
        C = BGPVPN_STATE_CONNECT,
        A = BGPVPN_STATE_ACTIVE,
        S = BGPVPN_STATE_OPEN_SENT,
        F = BGPVPN_STATE_OPEN_CONFIRM,
        E = BGPVPN_STATE_ESTABLISHED
    };
    /* clang-format off */
    static const outcome table[6][EVENTS] = {
        [I] = {{I, 0}, {I, 0}, {I, 0}, {I, 0}, {I, 0}, {I, 0}, {I, 0}, {I, 0}, {I, 0}, {I, 0},
               {I, 0}, {I, 0}, {I, 0}},
        [C] = {{I, 0}, {C, 0}, {S, 0}, {S, 0}, {A, 0}, {C, 0}, {C, 0}, {C, 0}, {C, 0}, {C, 0},
               {C, 0}, {C, 0}, {C, 0}},
        [A] = {{I, 0}, {A, 0}, {A, 0}, {S, 0}, {A, 0}, {A, 0}, {A, 0}, {A, 0}, {A, 0}, {A, 0},
               {A, 0}, {A, 0}, {A, 0}},
        [S] = {{I, 0x602}, {S, 0}, {S, 0}, {S, 0}, {A, 0}, {F, 0}, {I, 0x202}, {I, 0x501},
               {I, 0x501}, {I, 0}, {I, 0x501}, {I, 0x501}, {I, 0x400}},
        [F] = {{I, 0x602}, {F, 0}, {F, 0}, {F, 0}, {I, 0}, {I, 0x502}, {I, 0x502}, {E, 0},
               {I, 0x502}, {I, 0}, {I, 0x502}, {I, 0x102}, {I, 0x400}},
        [E] = {{I, 0x602}, {E, 0}, {E, 0}, {E, 0}, {I, 0}, {I, 0x503}, {I, 0x503}, {E, 0},
               {E, 0}, {I, 0}, {E, 0}, {I, 0x102}, {I, 0x400}},
    };
    /* clang-format on */
    for (uint32_t from = I; from <= E; from++) {
        for (int event = 0; event < EVENTS; event++) {
            machine m;
            machine_in(&m, from);
            happen(&m, event);
            const outcome *want = &table[from][event];
            if (machine_state(&m) != want->state || m.note != want->note)
                fail_msg("state %u, event %d: state %u and %04x, not %u and %04x", from, event,
                         machine_state(&m), m.note, want->state, want->note);
            bgpvpn_engine_free(m.e);
        }
    }
}

static void an_unwanted_family_is_refused_with_the_capability(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_OPEN_SENT);
    machine_feed(&m, HEADER "001d0104fde8005a0a00000200"); /* no capabilities: IPv4 unicast only */
    assert_int_equal(m.note, 0x0207);
    bgpvpn_engine_free(m.e);
}

static void our_own_identifier_is_refused_within_an_as(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_OPEN_SENT);
    machine_feed(&m, HEADER "00310104fde8005a0a000001140206010400010080020641040000fde802020200");
    assert_int_equal(m.note, 0x0203); /* RFC 6286 2.2 */
    bgpvpn_engine_free(m.e);
}

static void a_hold_time_of_zero_means_no_keepalives(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_OPEN_SENT);
    machine_feed(&m, HEADER "00310104fde800000a000002140206010400010080020641040000fde802020200");
    machine_feed(&m, KEEPALIVE);
    m.now_ms += 100000000;
    (void)bgpvpn_engine_timeout(m.e, m.now_ms);
    machine_pump(&m);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    assert_true(bgpvpn_engine_deadline(m.e) == BGPVPN_NEVER ||
                bgpvpn_engine_deadline(m.e) > m.now_ms);
    bgpvpn_engine_free(m.e);
}

static void strangers_are_asked_about_or_turned_away(void **state)
{
    (void)state;
    bgpvpn_config cfg;
    bgpvpn_engine *e;
    bgpvpn_event ev;
    uint64_t stream, id;
    size_t used;
    net_config(0, &cfg);
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, &e), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, &them, &stream), BGPVPN_ERR_ABSENT);
    bgpvpn_engine_free(e);

    cfg.accept = BGPVPN_ACCEPT_ASK;
    cfg.max_asks = 1;
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, &e), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, &them, &stream), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, &them, &id), BGPVPN_ERR_LIMIT);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_ASK_ACCEPT);
    assert_int_equal(bgpvpn_engine_input(e, 0, stream, us.bytes, 4, &used), BGPVPN_OK);
    assert_int_equal(used, 0); /* back-pressure until the answer */
    const uint64_t ask = ev.ask_id;
    bgpvpn_neighbor_config n;
    (void)bgpvpn_neighbor_config_init(&n);
    n.remote_as = 65000;
    assert_int_equal(bgpvpn_engine_answer_accept(e, 1, ask + 1, &n), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_answer_accept(e, 1, ask, &n), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_NEIGHBOR);
    /* It goes with its session. */
    assert_int_equal(bgpvpn_engine_stream_down(e, 2, stream), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_FAILED);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_GONE);
    /* Unanswered is no. */
    assert_int_equal(bgpvpn_engine_accept(e, 3, &us, &them, &stream), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(bgpvpn_engine_timeout(e, 20000), BGPVPN_OK);
    /* RFC 4486 4: Connection Rejected */
    uint8_t buf[64];
    bgpvpn_output out;
    assert_int_equal(bgpvpn_engine_set_credit(e, 20000, stream, 64), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_output(e, 20000, buf, sizeof(buf), &out), BGPVPN_YES);
    assert_hex(buf, out.len, HEADER "0015030605");
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_CLOSE);
    assert_int_equal(ev.reason, BGPVPN_REASON_DENIED);
    bgpvpn_engine_free(e);
}

/* RFC 4271 8.2.2: Idle refuses, also when the question was asked before. */
static void an_answer_does_not_wake_a_neighbor_that_is_shut_down(void **state)
{
    (void)state;
    bgpvpn_config cfg;
    bgpvpn_engine *e;
    bgpvpn_event ev;
    bgpvpn_neighbor_config n;
    uint64_t stream, id;
    net_config(0, &cfg);
    cfg.accept = BGPVPN_ACCEPT_ASK;
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, &e), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, &them, &stream), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_ASK_ACCEPT);
    (void)bgpvpn_neighbor_config_init(&n);
    n.remote_as = 65000;
    n.flags = BGPVPN_NEIGHBOR_PASSIVE;
    n.address = them;
    assert_int_equal(bgpvpn_engine_neighbor_add(e, 1, &n, &id), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(e, 1, id, NULL, 0), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_answer_accept(e, 2, ev.ask_id, &n), BGPVPN_ERR_STATE);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(e, id, &info), BGPVPN_OK);
    assert_int_equal(info.state, BGPVPN_STATE_IDLE);
    bgpvpn_engine_free(e);
}

static void the_longest_listen_range_counts(void **state)
{
    (void)state;
    bgpvpn_config cfg;
    bgpvpn_engine *e;
    bgpvpn_event ev;
    bgpvpn_neighbor_config n;
    uint64_t wide, narrow, stream;
    net_config(0, &cfg);
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, &e), BGPVPN_OK);
    (void)bgpvpn_neighbor_config_init(&n);
    n.remote_as = 65000;
    net_prefix(0x0a000000, 8, &n.address);
    n.cookie = 8;
    assert_int_equal(bgpvpn_engine_range_add(e, 0, &n, &wide), BGPVPN_OK);
    net_prefix(0x0a000000, 30, &n.address);
    n.cookie = 30;
    assert_int_equal(bgpvpn_engine_range_add(e, 0, &n, &narrow), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, &them, &stream), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_event(e, &ev), BGPVPN_YES);
    assert_int_equal(ev.kind, BGPVPN_EVENT_NEIGHBOR);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(e, ev.id, &info), BGPVPN_OK);
    assert_int_equal(info.cookie, 30);
    assert_int_equal(info.dynamic, 1);
    assert_int_equal(bgpvpn_engine_range_remove(e, 0, narrow), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_range_remove(e, 0, narrow), BGPVPN_ERR_ABSENT);
    bgpvpn_engine_free(e);
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    machine m;
    machine_in(&m, BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine *e = m.e;
    const bgpvpn_rc arg = BGPVPN_ERR_ARG;
    bgpvpn_engine *made;
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf)};
    bgpvpn_local_route local = {.struct_size = sizeof(local)};
    bgpvpn_event ev;
    bgpvpn_output out;
    bgpvpn_route route = {.struct_size = sizeof(route)};
    bgpvpn_label label = {.struct_size = sizeof(label)};
    bgpvpn_path_info path = {.struct_size = sizeof(path)};
    bgpvpn_counters counters = {.struct_size = sizeof(counters)};
    bgpvpn_stream_info stream = {.struct_size = sizeof(stream)};
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    uint64_t id, it = 0;
    size_t len;
    uint8_t buf[32] = {0};
    const uint8_t *value;
    net_config(0, &cfg);
    (void)bgpvpn_neighbor_config_init(&n);
    assert_int_equal(bgpvpn_engine_new(NULL, 0, &made), arg);
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, NULL), arg);
    cfg.local_as = 0;
    assert_int_equal(bgpvpn_engine_new(&cfg, 0, &made), arg);
    bgpvpn_engine_free(NULL);
    assert_int_equal(bgpvpn_engine_input(NULL, 0, 1, buf, 1, &len), arg);
    assert_int_equal(bgpvpn_engine_input(e, 0, 1, NULL, 1, &len), arg);
    assert_int_equal(bgpvpn_engine_input(e, 0, 1, buf, 1, NULL), arg);
    assert_int_equal(bgpvpn_engine_input(e, 0, 999, buf, 1, &len), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_timeout(NULL, 0), arg);
    assert_true(bgpvpn_engine_deadline(NULL) == BGPVPN_NEVER);
    assert_int_equal(bgpvpn_engine_reseed(NULL, 0, buf), arg);
    assert_int_equal(bgpvpn_engine_reseed(e, 0, NULL), arg);
    assert_int_equal(bgpvpn_engine_reseed(e, 0, buf), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_poll_event(NULL, &ev), arg);
    assert_int_equal(bgpvpn_engine_poll_event(e, NULL), arg);
    assert_int_equal(bgpvpn_engine_poll_output(NULL, 0, buf, 32, &out), arg);
    assert_int_equal(bgpvpn_engine_poll_output(e, 0, NULL, 32, &out), arg);
    assert_int_equal(bgpvpn_engine_poll_output(e, 0, buf, 0, &out), arg);
    assert_int_equal(bgpvpn_engine_poll_output(e, 0, buf, 32, NULL), arg);
    assert_int_equal(bgpvpn_engine_neighbor_add(NULL, 0, &n, &id), arg);
    assert_int_equal(bgpvpn_engine_neighbor_add(e, 0, NULL, &id), arg);
    assert_int_equal(bgpvpn_engine_neighbor_add(e, 0, &n, NULL), arg);
    assert_int_equal(bgpvpn_engine_neighbor_add(e, 0, &n, &id), arg); /* no AS, no address */
    n.remote_as = 65000;
    n.address = them;
    assert_int_equal(bgpvpn_engine_neighbor_add(e, 0, &n, &id), BGPVPN_ERR_STATE);
    n.hold_time_s = 2;
    assert_int_equal(bgpvpn_engine_neighbor_add(e, 0, &n, &id), arg);
    assert_int_equal(bgpvpn_engine_neighbor_remove(NULL, 0, 1), arg);
    assert_int_equal(bgpvpn_engine_neighbor_remove(e, 0, 999), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(NULL, 0, 1, NULL, 0), arg);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(e, 0, m.id, NULL, 1), arg);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(e, 0, m.id, buf, 256), arg);
    assert_int_equal(bgpvpn_engine_neighbor_start(NULL, 0, 1), arg);
    assert_int_equal(bgpvpn_engine_neighbor_reset(NULL, 0, 1), arg);
    assert_int_equal(bgpvpn_engine_neighbor_cease(NULL, 0, 1, 6, NULL, 0), arg);
    assert_int_equal(bgpvpn_engine_neighbor_cease(e, 0, m.id, 0, NULL, 0), arg);
    assert_int_equal(bgpvpn_engine_neighbor_cease(e, 0, m.id, 2, NULL, 1), arg);
    assert_int_equal(bgpvpn_engine_neighbor_cease(e, 0, m.id, 2, buf, 256), arg);
    assert_int_equal(bgpvpn_engine_neighbor_cease(e, 0, m.id, 6, buf, 1), arg);
    assert_int_equal(bgpvpn_engine_neighbor_cease(e, 0, 999, 6, NULL, 0), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_neighbor_refresh(NULL, 0, 1, 4), arg);
    assert_int_equal(bgpvpn_engine_range_add(NULL, 0, &n, &id), arg);
    assert_int_equal(bgpvpn_engine_range_add(e, 0, NULL, &id), arg);
    assert_int_equal(bgpvpn_engine_range_add(e, 0, &n, NULL), arg);
    assert_int_equal(bgpvpn_engine_range_remove(NULL, 0, 1), arg);
    assert_int_equal(bgpvpn_engine_accept(NULL, 0, &us, &them, &id), arg);
    assert_int_equal(bgpvpn_engine_accept(e, 0, NULL, &them, &id), arg);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, NULL, &id), arg);
    assert_int_equal(bgpvpn_engine_accept(e, 0, &us, &them, NULL), arg);
    assert_int_equal(bgpvpn_engine_stream_up(NULL, 0, 1, &us), arg);
    assert_int_equal(bgpvpn_engine_stream_up(e, 0, 1, NULL), arg);
    assert_int_equal(bgpvpn_engine_stream_up(e, 0, m.stream, &us), BGPVPN_ERR_STATE);
    assert_int_equal(bgpvpn_engine_stream_down(NULL, 0, 1), arg);
    assert_int_equal(bgpvpn_engine_set_credit(NULL, 0, 1, 1), arg);
    assert_int_equal(bgpvpn_engine_answer_accept(NULL, 0, 1, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_stream(NULL, 1, &stream), arg);
    assert_int_equal(bgpvpn_engine_get_stream(e, 1, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_neighbor(NULL, 1, &info), arg);
    assert_int_equal(bgpvpn_engine_get_neighbor(e, 1, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_next_neighbor(NULL, &it, &info), arg);
    assert_int_equal(bgpvpn_engine_get_next_neighbor(e, NULL, &info), arg);
    assert_int_equal(bgpvpn_engine_get_next_neighbor(e, &it, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_next_neighbor(e, &it, &info), BGPVPN_YES);
    assert_int_equal(bgpvpn_engine_get_next_neighbor(e, &it, &info), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_vrf_add(NULL, 0, &vrf), arg);
    assert_int_equal(bgpvpn_engine_vrf_add(e, 0, NULL), arg);
    vrf.import_rts_len = 8;
    assert_int_equal(bgpvpn_engine_vrf_add(e, 0, &vrf), arg);
    assert_int_equal(bgpvpn_engine_vrf_remove(NULL, 0, 1), arg);
    assert_int_equal(bgpvpn_engine_vrf_remove(e, 0, 1), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_announce(NULL, 0, 1, &local), arg);
    assert_int_equal(bgpvpn_engine_announce(e, 0, 1, NULL), arg);
    local.prefix = us;
    local.label = BGPVPN_LABEL_NONE;
    assert_int_equal(bgpvpn_engine_announce(e, 0, 1, &local), arg);
    local.label = 16;
    assert_int_equal(bgpvpn_engine_announce(e, 0, 1, &local), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_withdraw(NULL, 0, 1, &us), arg);
    assert_int_equal(bgpvpn_engine_withdraw(e, 0, 1, NULL), arg);
    assert_int_equal(bgpvpn_engine_answer_label(NULL, 0, 1, 16), arg);
    assert_int_equal(bgpvpn_engine_answer_label(e, 0, 1, 3), arg);
    assert_int_equal(bgpvpn_engine_answer_next_hop(NULL, 0, 1, 1, 1), arg);
    assert_int_equal(bgpvpn_engine_set_next_hop(NULL, 0, &us, 1, 1), arg);
    assert_int_equal(bgpvpn_engine_set_next_hop(e, 0, NULL, 1, 1), arg);
    assert_int_equal(bgpvpn_engine_poll_route(NULL, &route), arg);
    assert_int_equal(bgpvpn_engine_poll_route(e, NULL), arg);
    assert_int_equal(bgpvpn_engine_poll_label(NULL, &label), arg);
    assert_int_equal(bgpvpn_engine_poll_label(e, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_attribute(NULL, 1, 1, &value, &len), arg);
    assert_int_equal(bgpvpn_engine_get_attribute(e, 1, 1, NULL, &len), arg);
    assert_int_equal(bgpvpn_engine_get_attribute(e, 1, 1, &value, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_attribute(e, 1, 1, &value, &len), BGPVPN_ERR_ABSENT);
    it = 0;
    assert_int_equal(bgpvpn_engine_get_next_path(NULL, &it, &path), arg);
    assert_int_equal(bgpvpn_engine_get_next_path(e, NULL, &path), arg);
    assert_int_equal(bgpvpn_engine_get_next_path(e, &it, NULL), arg);
    assert_int_equal(bgpvpn_engine_get_covering_path(NULL, 1, &us, &us, &path), arg);
    assert_int_equal(bgpvpn_engine_get_covering_path(e, 1, NULL, &us, &path), arg);
    assert_int_equal(bgpvpn_engine_get_covering_path(e, 1, &us, NULL, &path), arg);
    assert_int_equal(bgpvpn_engine_get_covering_path(e, 1, &us, &us, NULL), arg);
    const bgpvpn_addr nothing = {.family = BGPVPN_FAMILY_NONE};
    assert_int_equal(bgpvpn_engine_get_covering_path(e, 1, &nothing, &us, &path), arg);
    assert_int_equal(bgpvpn_engine_get_covering_path(e, 1, &us, &us, &path), BGPVPN_ERR_ABSENT);
    assert_int_equal(bgpvpn_engine_get_counters(NULL, &counters), arg);
    assert_int_equal(bgpvpn_engine_get_counters(e, NULL), arg);
    counters.struct_size = 4;
    assert_int_equal(bgpvpn_engine_get_counters(e, &counters), arg);
    bgpvpn_engine_free(e);
}

/* ---- Memory ---- */

/* One allocation fails, once: what said so is done again, and then all is as it should be. */
static void life(fail_alloc *f, void *user)
{
    (void)user;
    machine m = {.now_ms = 1000};
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    uint8_t rt[8], buf[4096], msg[256];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = 1};
    bgpvpn_local_route local = {.struct_size = sizeof(local), .label = 77};
    bgpvpn_route route = {.struct_size = sizeof(route)};
    bgpvpn_label label = {.struct_size = sizeof(label)};
    bgpvpn_event ev;
    bgpvpn_output out;
    net_config(0, &cfg);
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    if (bgpvpn_engine_new(&cfg, m.now_ms, &m.e) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_new(&cfg, m.now_ms, &m.e), BGPVPN_OK);
    (void)bgpvpn_rd_make(65000, 9, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = vrf.export_rts = rt;
    vrf.import_rts_len = vrf.export_rts_len = sizeof(rt);
    if (bgpvpn_engine_vrf_add(m.e, m.now_ms, &vrf) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_vrf_add(m.e, m.now_ms, &vrf), BGPVPN_OK);
    net_prefix(0x0a050000, 16, &local.prefix);
    if (bgpvpn_engine_announce(m.e, m.now_ms, 1, &local) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_announce(m.e, m.now_ms, 1, &local), BGPVPN_OK);
    (void)bgpvpn_neighbor_config_init(&n);
    n.address = them;
    n.remote_as = 65000;
    n.flags = BGPVPN_NEIGHBOR_PASSIVE | BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_NEXT_HOP_SELF;
    if (bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &m.id) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &m.id), BGPVPN_OK);
    if (bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream), BGPVPN_OK);
    (void)bgpvpn_engine_set_credit(m.e, m.now_ms, m.stream, UINT64_MAX);

    /* The handshake and an UPDATE with two prefixes, in odd pieces. */
    size_t len = hex_bytes(OPEN KEEPALIVE HEADER
                           "006202 0000 004b"
                           "800e2f 0001800c0000000000000000 0a000902 00"
                           "70000641 0000fde800000001 0a0101 70000651 0000fde800000002 0a0102"
                           "400101 00 400200 400504 00000064 c01008 0002fde800000064",
                           msg, sizeof(msg));
    for (size_t at = 0; at < len;) {
        size_t used = 0;
        const size_t piece = len - at < 11 ? len - at : 11;
        const bgpvpn_rc rc = bgpvpn_engine_input(m.e, m.now_ms, m.stream, msg + at, piece, &used);
        assert_true(rc == BGPVPN_OK || rc == BGPVPN_ERR_NOMEM);
        at += used;
        while (bgpvpn_engine_poll_event(m.e, &ev) == BGPVPN_YES)
            assert_int_not_equal(ev.kind, BGPVPN_EVENT_FAILED);
    }
    uint32_t routes = 0, asks = 0;
    uint64_t sent = 0;
    for (int turn = 0; turn < 20; turn++) {
        bgpvpn_rc rc;
        m.now_ms += 500;
        (void)bgpvpn_engine_timeout(m.e, m.now_ms);
        while (bgpvpn_engine_poll_route(m.e, &route) == BGPVPN_YES)
            routes += route.state == BGPVPN_ROUTE_UP;
        while (bgpvpn_engine_poll_label(m.e, &label) == BGPVPN_YES)
            asks++;
        while ((rc = bgpvpn_engine_poll_output(m.e, m.now_ms, buf, sizeof(buf), &out)) ==
               BGPVPN_YES)
            sent += out.len;
        assert_true(rc == BGPVPN_OK || rc == BGPVPN_ERR_NOMEM);
    }
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(routes, 2);
    assert_int_equal(asks, 2);
    assert_true(sent > 100);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m.e, m.id, &info), BGPVPN_OK);
    assert_int_equal(info.paths, 2);
    assert_int_equal(info.prefixes_in, 2);
    assert_int_equal(info.prefixes_out, 1);
    assert_int_equal(bgpvpn_engine_stream_down(m.e, m.now_ms, m.stream), BGPVPN_OK);
    bgpvpn_engine_free(m.e);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(life, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state_leads_where_the_rfc_says),
        cmocka_unit_test(an_unwanted_family_is_refused_with_the_capability),
        cmocka_unit_test(our_own_identifier_is_refused_within_an_as),
        cmocka_unit_test(a_hold_time_of_zero_means_no_keepalives),
        cmocka_unit_test(strangers_are_asked_about_or_turned_away),
        cmocka_unit_test(an_answer_does_not_wake_a_neighbor_that_is_shut_down),
        cmocka_unit_test(the_longest_listen_range_counts),
        cmocka_unit_test(missing_arguments_are_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
