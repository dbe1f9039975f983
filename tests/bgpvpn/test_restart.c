/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Graceful restart (RFC 4724, RFC 8538), in both roles.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#define KIND(name) (UINT64_C(1) << BGPVPN_EVENT_##name)

/* As OPEN, with graceful restart: head (flags and time), then a VPNv4 tuple with the flags f. */
#define OPEN_WITH(head, f)                                                                         \
    HEADER "003b0104fde8005a0a0000021e0206010400010080020641040000fde802020200"                    \
           "02084006" head "000180" f
/* The same, without families: only a helper. */
#define OPEN_HELPER                                                                                \
    HEADER "00370104fde8005a0a0000021a0206010400010080020641040000fde802020200"                    \
           "020440024078"
#define OPEN_KEEPS   OPEN_WITH("0078", "00") /* 120 seconds */
#define OPEN_BACK    OPEN_WITH("8078", "80") /* restarted, and has kept forwarding */
#define OPEN_LOST    OPEN_WITH("8078", "00") /* restarted, and has not */
#define OPEN_N       OPEN_WITH("4078", "80") /* also after NOTIFICATION */
#define OPEN_N_SHORT OPEN_WITH("4005", "80") /* five seconds */
#define END_OF_RIB   HEADER "001d0200000006800f03000180"

static void info_of(const machine *m, bgpvpn_neighbor_info *info)
{
    memset(info, 0, sizeof(*info));
    info->struct_size = sizeof(*info);
    assert_int_equal(bgpvpn_engine_get_neighbor(m->e, m->id, info), BGPVPN_OK);
}

/* Established with four routes. */
static void with_routes(machine *m, const char *open, const bgpvpn_neighbor_config *n)
{
    machine_new(m, NULL, n);
    machine_establish(m, open);
    for (uint32_t i = 0; i < 4; i++)
        machine_route(m, i, 100 + i);
    machine_feed(m, END_OF_RIB);
    assert_int_equal(machine_paths(m), 4);
    m->kinds = 0;
    m->sent_len = 0;
}

static void drop(machine *m)
{
    assert_int_equal(bgpvpn_engine_stream_down(m->e, m->now_ms, m->stream), BGPVPN_OK);
    machine_pump(m);
    assert_int_equal(m->last.kind, BGPVPN_EVENT_DOWN);
}

static void come_back(machine *m, const char *open)
{
    for (int i = 0; machine_state(m) != BGPVPN_STATE_CONNECT; i++) {
        assert_true(i < 100);
        machine_wait(m, 100);
    }
    machine_establish(m, open);
}

/* ---- The capability that we send ---- */

static void sent_capability(const machine *m, bgpvpn_restart *out, bool *there)
{
    bgpvpn_open open;
    bgpvpn_capability c;
    size_t it = 0;
    *there = false;
    assert_int_equal(bgpvpn_open_decode(m->sent, (size_t)m->sent[16] << 8 | m->sent[17], &open),
                     BGPVPN_OK);
    while (bgpvpn_capability_next(&open, &it, &c) == BGPVPN_YES) {
        if (c.code != BGPVPN_CAPABILITY_GRACEFUL_RESTART)
            continue;
        assert_int_equal(bgpvpn_restart_decode(&c, out), BGPVPN_OK);
        *there = true;
    }
}

static void we_offer_what_the_configuration_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags, stale_time_s, restarted;
        bool there;
        bgpvpn_restart want;
    } cases[] = {
        {0, 180, 0, true, {90, 0, BGPVPN_RESTART_NOTIFICATION, 0, 0}},
        {0, 0, 0, false, {0}},
        {BGPVPN_NEIGHBOR_PRESERVES, 180, 0, true, {90, 0, BGPVPN_RESTART_NOTIFICATION, 4, 0}},
        {BGPVPN_NEIGHBOR_PRESERVES,
         180,
         1,
         true,
         {90, 0, BGPVPN_RESTART_NOTIFICATION | BGPVPN_RESTART_RESTARTED, 4, 4}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine m;
        bgpvpn_config cfg;
        bgpvpn_neighbor_config n;
        bgpvpn_restart r = {0};
        bool there;
        net_config(0, &cfg);
        cfg.restarted = cases[i].restarted;
        cfg.restart_time_s = 90;
        machine_neighbor(&n);
        n.flags = cases[i].flags;
        n.stale_time_s = cases[i].stale_time_s;
        machine_new(&m, &cfg, &n);
        assert_int_equal(bgpvpn_engine_stream_up(m.e, m.now_ms, m.stream, &us), BGPVPN_OK);
        machine_pump(&m);
        sent_capability(&m, &r, &there);
        assert_int_equal(there, cases[i].there);
        assert_memory_equal(&r, &cases[i].want, sizeof(r));
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 8538 4: a session that ended did not end forwarding. */
static void a_second_session_says_that_forwarding_went_on(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_config n;
    bgpvpn_restart r;
    bool there;
    machine_neighbor(&n);
    n.flags = BGPVPN_NEIGHBOR_PRESERVES;
    with_routes(&m, OPEN_KEEPS, &n);
    drop(&m);
    m.sent_len = 0;
    come_back(&m, OPEN_BACK);
    sent_capability(&m, &r, &there);
    assert_true(there);
    assert_int_equal(r.preserved, BGPVPN_TABLE_VPNV4);
    assert_int_equal(r.flags, BGPVPN_RESTART_NOTIFICATION); /* we have not restarted */
    bgpvpn_engine_free(m.e);
}

/* ---- Receiving speaker ---- */

/* RFC 4724 4.2 */
static void routes_of_a_peer_that_restarts_stay_until_it_has_told_all(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_info info;
    with_routes(&m, OPEN_KEEPS, NULL);
    drop(&m);
    assert_int_equal(m.kinds & KIND(STALE), KIND(STALE));
    machine_wait(&m, 500);
    assert_int_equal(machine_paths(&m), 4);
    info_of(&m, &info);
    assert_int_equal(info.stale, 4);
    assert_int_equal(info.stale_tables, BGPVPN_TABLE_VPNV4);
    come_back(&m, OPEN_BACK);
    assert_int_equal(machine_paths(&m), 4);
    machine_route(&m, 1, 101);
    machine_route(&m, 2, 222);
    machine_route(&m, 7, 107);
    assert_int_equal(machine_paths(&m), 5);
    m.kinds = 0;
    machine_feed(&m, END_OF_RIB);
    assert_int_equal(m.kinds & KIND(STALE_OVER), KIND(STALE_OVER));
    assert_int_equal(machine_paths(&m), 3);
    machine_wait(&m, 400000);                                  /* no timer is left */
    assert_int_equal(machine_state(&m), BGPVPN_STATE_CONNECT); /* it was silent */
    bgpvpn_engine_free(m.e);
}

static void what_its_forwarding_has_lost_goes_at_once(void **state)
{
    (void)state;
    static const char *const opens[] = {OPEN_LOST, OPEN_HELPER, OPEN};
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        machine m;
        with_routes(&m, OPEN_KEEPS, NULL);
        drop(&m);
        machine_wait(&m, 500);
        come_back(&m, opens[i]);
        assert_int_equal(machine_paths(&m), 0);
        assert_int_equal(m.kinds & KIND(STALE_OVER), KIND(STALE_OVER));
        bgpvpn_engine_free(m.e);
    }
}

static void a_peer_that_does_not_come_back_loses_its_routes(void **state)
{
    (void)state;
    machine m;
    with_routes(&m, OPEN_KEEPS, NULL);
    drop(&m);
    machine_wait(&m, 119000);
    assert_int_equal(machine_paths(&m), 4);
    machine_wait(&m, 2000);
    assert_int_equal(machine_paths(&m), 0);
    assert_int_equal(m.kinds & KIND(STALE_OVER), KIND(STALE_OVER));
    bgpvpn_engine_free(m.e);
}

/* RFC 8538 4.1: the stale timer. */
static void a_peer_that_never_says_that_it_is_done_loses_what_is_stale(void **state)
{
    (void)state;
    machine m;
    with_routes(&m, OPEN_KEEPS, NULL);
    drop(&m);
    come_back(&m, OPEN_BACK);
    machine_route(&m, 0, 100);
    for (int i = 0; i < 17; i++) {
        machine_wait(&m, 10000);
        machine_feed(&m, KEEPALIVE);
    }
    assert_int_equal(machine_paths(&m), 4);
    machine_wait(&m, 11000);
    assert_int_equal(machine_paths(&m), 1);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine_free(m.e);
}

/* RFC 8538 4.1: nor does a peer that restarts again and again put the stale timer off. */
static void the_stale_timer_runs_on_over_several_restarts(void **state)
{
    (void)state;
    machine m;
    with_routes(&m, OPEN_N, NULL);
    const uint64_t over_ms = m.now_ms + 180000;
    drop(&m);
    for (int restart = 0; restart < 3; restart++) {
        come_back(&m, OPEN_N);
        for (int i = 0; i < 4; i++) {
            machine_wait(&m, 10000);
            machine_feed(&m, KEEPALIVE);
        }
        drop(&m);
    }
    come_back(&m, OPEN_N);
    machine_route(&m, 1, 101);
    while (m.now_ms + 11000 < over_ms) {
        machine_wait(&m, 10000);
        machine_feed(&m, KEEPALIVE);
    }
    assert_int_equal(machine_paths(&m), 4);
    machine_wait(&m, over_ms + 1000 - m.now_ms);
    assert_int_equal(machine_paths(&m), 1);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    bgpvpn_engine_free(m.e);
}

static void without_the_capability_or_the_wish_nothing_is_kept(void **state)
{
    (void)state;
    machine m;
    with_routes(&m, OPEN_HELPER, NULL);
    drop(&m);
    assert_int_equal(machine_paths(&m), 0);
    bgpvpn_engine_free(m.e);
    bgpvpn_neighbor_config n;
    machine_neighbor(&n);
    n.stale_time_s = 0;
    with_routes(&m, OPEN_N, &n);
    drop(&m);
    assert_int_equal(machine_paths(&m), 0);
    assert_int_equal(m.kinds & KIND(STALE), 0);
    bgpvpn_engine_free(m.e);
}

/* RFC 4724 4.2, RFC 8538 4.1: what was stale already goes with a second restart, but for N. */
static void a_second_restart_deletes_what_was_stale_unless_n_was_exchanged(void **state)
{
    (void)state;
    for (int n_bit = 0; n_bit < 2; n_bit++) {
        machine m;
        with_routes(&m, n_bit ? OPEN_N : OPEN_KEEPS, NULL);
        drop(&m);
        come_back(&m, n_bit ? OPEN_N : OPEN_BACK);
        machine_route(&m, 1, 101);
        drop(&m);
        assert_int_equal(machine_paths(&m), n_bit ? 4 : 1);
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 8538 4 */
static void a_notification_keeps_routes_only_with_n_and_never_a_hard_reset(void **state)
{
    (void)state;
    static const struct {
        const char *open, *message;
        uint32_t kept;
    } cases[] = {
        {OPEN_KEEPS, HEADER "0015030608", 0}, {OPEN_N, HEADER "0015030608", 4},
        {OPEN_N, HEADER "0015030400", 4},     {OPEN_N, HEADER "0015030602", 0},
        {OPEN_N, HEADER "00170306090602", 0}, {OPEN_N, HEADER "0015030609", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine m;
        with_routes(&m, cases[i].open, NULL);
        machine_feed(&m, cases[i].message);
        assert_int_equal(m.last.kind, BGPVPN_EVENT_DOWN);
        if (machine_paths(&m) != cases[i].kept)
            fail_msg("case %zu: %u are kept", i, machine_paths(&m));
        bgpvpn_engine_free(m.e);
    }
}

static void our_own_notification_follows_the_same_rules(void **state)
{
    (void)state;
    for (int n_bit = 0; n_bit < 2; n_bit++) {
        /* The hold timer; the peer's routes stay where N was exchanged. */
        machine m;
        with_routes(&m, n_bit ? OPEN_N : OPEN_KEEPS, NULL);
        machine_wait(&m, 91000);
        assert_int_equal(m.note, 0x0400);
        assert_int_equal(machine_paths(&m), n_bit ? 4 : 0);
        bgpvpn_engine_free(m.e);
        /* A Cease that means it: wrapped where N was exchanged (RFC 8538 3.1, 5.2). */
        with_routes(&m, n_bit ? OPEN_N : OPEN_KEEPS, NULL);
        assert_int_equal(
            bgpvpn_engine_neighbor_shutdown(m.e, m.now_ms, m.id, (const uint8_t *)"hi", 2),
            BGPVPN_OK);
        machine_pump(&m);
        assert_hex(m.sent, m.sent_len,
                   n_bit ? HEADER "001a0306090602026869" : HEADER "0018030602026869");
        assert_int_equal(machine_paths(&m), 0);
        bgpvpn_engine_free(m.e);
        /* Out of resources is a graceful one. */
        with_routes(&m, n_bit ? OPEN_N : OPEN_KEEPS, NULL);
        assert_int_equal(bgpvpn_engine_neighbor_cease(m.e, m.now_ms, m.id, 8, NULL, 0), BGPVPN_OK);
        machine_pump(&m);
        assert_hex(m.sent, m.sent_len, HEADER "0015030608");
        assert_int_equal(machine_paths(&m), n_bit ? 4 : 0);
        bgpvpn_engine_free(m.e);
    }
}

static void the_longest_text_fits_a_hard_reset(void **state)
{
    (void)state;
    machine m;
    uint8_t said[255];
    bgpvpn_notification note;
    const uint8_t *text;
    size_t len;
    memset(said, 'x', sizeof(said));
    with_routes(&m, OPEN_N, NULL);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(m.e, m.now_ms, m.id, said, sizeof(said)),
                     BGPVPN_OK);
    machine_pump(&m);
    assert_int_equal(bgpvpn_notification_decode(m.sent, m.sent_len, &note), BGPVPN_OK);
    assert_int_equal(note.subcode, 9);
    assert_int_equal(bgpvpn_notification_text(&note, &text, &len), BGPVPN_OK);
    assert_bytes(text, len, said, sizeof(said));
    bgpvpn_engine_free(m.e);
}

/* RFC 8538 5.2, 6 */
static void a_hard_reset_tells_what_it_wraps(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_info info;
    with_routes(&m, OPEN_N, NULL);
    machine_feed(&m, HEADER "001a0306090602026869");
    info_of(&m, &info);
    assert_int_equal(info.last_code, 6);
    assert_int_equal(info.last_subcode, 9);
    assert_int_equal(info.last_hard_code, 6);
    assert_int_equal(info.last_hard_subcode, 2);
    assert_bytes(info.text, info.text_len, (const uint8_t *)"hi", 2);
    bgpvpn_engine_free(m.e);
}

/* RFC 4724 5: no NOTIFICATION, and the new connection stays. */
static void a_peer_that_dials_again_has_restarted(void **state)
{
    (void)state;
    machine m;
    uint64_t stream = 0, old;
    with_routes(&m, OPEN_KEEPS, NULL);
    old = m.stream;
    machine_wait(&m, 6000);
    m.sent_len = 0;
    assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &stream), BGPVPN_OK);
    machine_pump(&m);
    assert_int_equal(m.last.kind, BGPVPN_EVENT_DOWN);
    assert_int_equal(m.last.parent_id, old);
    assert_int_equal(m.sent_len, 0);
    assert_int_equal(machine_paths(&m), 4);
    m.stream = stream;
    machine_pump(&m);
    machine_feed(&m, OPEN_BACK KEEPALIVE);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(machine_paths(&m), 4);
    machine_feed(&m, END_OF_RIB);
    assert_int_equal(machine_paths(&m), 0);
    bgpvpn_engine_free(m.e);
}

/* A session that is young may be one of two dialled at once, unless the peer says otherwise. */
static void a_second_connection_at_once_is_a_collision(void **state)
{
    (void)state;
    for (int restarted = 0; restarted < 2; restarted++) {
        machine m;
        uint64_t stream = 0, old;
        with_routes(&m, OPEN_KEEPS, NULL);
        old = m.stream;
        assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &stream), BGPVPN_OK);
        m.stream = stream;
        machine_pump(&m);
        machine_feed(&m, restarted ? OPEN_BACK : OPEN_KEEPS);
        bgpvpn_stream_info info = {.struct_size = sizeof(info)};
        assert_int_equal(bgpvpn_engine_get_stream(m.e, old, &info),
                         restarted ? BGPVPN_ERR_ABSENT : BGPVPN_OK);
        assert_int_equal(m.note, restarted ? 0 : 0x0607);
        assert_int_equal(machine_paths(&m), 4);
        bgpvpn_engine_free(m.e);
    }
}

/* Both connections were dialled after the restart: one of them stays. */
static void a_collision_after_a_restart_is_one_too(void **state)
{
    (void)state;
    machine m;
    uint64_t stream = 0, old;
    with_routes(&m, OPEN_BACK, NULL);
    old = m.stream;
    assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &stream), BGPVPN_OK);
    m.stream = stream;
    machine_pump(&m);
    machine_feed(&m, OPEN_BACK);
    bgpvpn_stream_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_stream(m.e, old, &info), BGPVPN_OK);
    assert_int_equal(m.note, 0x0607);
    bgpvpn_engine_free(m.e);
}

/* RFC 7313 4: marks before End-of-RIB are ignored. */
static void a_refresh_before_the_end_of_rib_does_not_count(void **state)
{
    (void)state;
    machine m;
    machine_new(&m, NULL, NULL);
    machine_establish(&m,
                      HEADER "003f0104fde8005a0a000002220206010400010080020641040000fde802020200"
                             "020840060078000180 00 02024600");
    machine_route(&m, 0, 100);
    machine_feed(&m, HEADER "00170500010180" HEADER "00170500010280");
    assert_int_equal(machine_paths(&m), 1);
    machine_feed(&m, END_OF_RIB);
    machine_feed(&m, HEADER "00170500010180" HEADER "00170500010280");
    assert_int_equal(machine_paths(&m), 0);
    bgpvpn_engine_free(m.e);
}

static void a_removed_or_shut_down_neighbor_keeps_nothing(void **state)
{
    (void)state;
    machine m;
    with_routes(&m, OPEN_KEEPS, NULL);
    drop(&m);
    assert_int_equal(bgpvpn_engine_neighbor_shutdown(m.e, m.now_ms, m.id, NULL, 0), BGPVPN_OK);
    assert_int_equal(machine_paths(&m), 0);
    bgpvpn_engine_free(m.e);
    with_routes(&m, OPEN_KEEPS, NULL);
    drop(&m);
    assert_int_equal(bgpvpn_engine_neighbor_remove(m.e, m.now_ms, m.id), BGPVPN_OK);
    machine_wait(&m, 100);
    bgpvpn_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(bgpvpn_engine_get_counters(m.e, &c), BGPVPN_OK);
    assert_int_equal(c.paths, 0);
    assert_int_equal(c.neighbors, 0);
    bgpvpn_engine_free(m.e);
}

static void a_dynamic_neighbor_waits_for_its_peer_too(void **state)
{
    (void)state;
    for (int back = 0; back < 2; back++) {
        machine m;
        bgpvpn_config cfg;
        bgpvpn_neighbor_config n;
        bgpvpn_counters c = {.struct_size = sizeof(c)};
        uint64_t range;
        memset(&m, 0, sizeof(m));
        net_config(0, &cfg);
        machine_neighbor(&n);
        n.address.prefix_len = 24;
        assert_int_equal(bgpvpn_engine_new(&cfg, 0, &m.e), BGPVPN_OK);
        assert_int_equal(bgpvpn_engine_range_add(m.e, 0, &n, &range), BGPVPN_OK);
        assert_int_equal(bgpvpn_engine_accept(m.e, 0, &us, &them, &m.stream), BGPVPN_OK);
        machine_feed(&m, OPEN_KEEPS KEEPALIVE);
        m.id = m.last.id;
        machine_route(&m, 0, 100);
        drop(&m);
        machine_wait(&m, 60000);
        assert_int_equal(machine_paths(&m), 1);
        assert_int_equal(m.kinds & KIND(GONE), 0);
        if (back) {
            assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream), BGPVPN_OK);
            machine_feed(&m, OPEN_BACK KEEPALIVE END_OF_RIB);
            assert_int_equal(machine_paths(&m), 0);
            drop(&m);
        } else {
            machine_wait(&m, 61000);
        }
        machine_wait(&m, 200000);
        assert_int_equal(m.kinds & KIND(GONE), KIND(GONE));
        assert_int_equal(bgpvpn_engine_get_counters(m.e, &c), BGPVPN_OK);
        assert_int_equal(c.paths, 0);
        assert_int_equal(c.neighbors, 0);
        bgpvpn_engine_free(m.e);
    }
}

/* ---- Restarting speaker ---- */

static void import_all(machine *m)
{
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = 1};
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = 77};
    (void)bgpvpn_rd_make(65000, 9, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = vrf.export_rts = rt;
    vrf.import_rts_len = vrf.export_rts_len = sizeof(rt);
    assert_int_equal(bgpvpn_engine_vrf_add(m->e, m->now_ms, &vrf), BGPVPN_OK);
    net_prefix(0x0a050000, 16, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(m->e, m->now_ms, 1, &r), BGPVPN_OK);
}

static uint32_t polled(machine *m)
{
    bgpvpn_route r = {.struct_size = sizeof(r)};
    uint32_t count = 0;
    while (bgpvpn_engine_poll_route(m->e, &r) == BGPVPN_YES)
        count++;
    return count;
}

static void restarted(machine *m, const char *open)
{
    bgpvpn_config cfg;
    net_config(0, &cfg);
    cfg.restarted = 1;
    machine_new(m, &cfg, NULL);
    import_all(m);
    machine_establish(m, open);
    machine_route(m, 0, 100);
}

/* RFC 4724 4.1 */
static void after_a_restart_nothing_is_chosen_before_the_peers_have_told_all(void **state)
{
    (void)state;
    machine m;
    restarted(&m, OPEN_KEEPS);
    machine_wait(&m, 1000);
    assert_int_equal(polled(&m), 0);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 0);
    assert_int_equal(m.kinds & KIND(SELECTED), 0);
    machine_feed(&m, END_OF_RIB);
    assert_int_equal(m.kinds & KIND(SELECTED), KIND(SELECTED));
    assert_int_equal(polled(&m), 1);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 2); /* ours, then End-of-RIB */
    bgpvpn_engine_free(m.e);
}

static void peers_that_restarted_too_or_say_nothing_are_not_waited_for(void **state)
{
    (void)state;
    static const char *const opens[] = {OPEN_BACK, OPEN};
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        machine m;
        restarted(&m, opens[i]);
        assert_int_equal(m.kinds & KIND(SELECTED), KIND(SELECTED));
        assert_int_equal(polled(&m), 1);
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 4684 6: a peer that waits for our route targets would not tell all before it has them. */
static void route_targets_are_told_while_nothing_is_chosen(void **state)
{
    (void)state;
    machine m;
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    net_config(0, &cfg);
    cfg.restarted = 1;
    machine_neighbor(&n);
    n.tables |= BGPVPN_TABLE_TARGETS;
    machine_new(&m, &cfg, &n);
    import_all(&m);
    machine_establish(&m, HEADER "00430104fde8005a0a00000226"
                                 "0206010400010080"
                                 "0206010400010084"
                                 "020641040000fde8"
                                 "02020200"
                                 "020840060078000180"
                                 "00");
    machine_route(&m, 0, 100);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 2); /* the target, then End-of-RIB for it */
    assert_int_equal(polled(&m), 0);
    machine_feed(&m, HEADER "001d0200000006800f03000184");
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 2);
    assert_int_equal(m.kinds & KIND(SELECTED), 0);
    machine_feed(&m, END_OF_RIB);
    assert_int_equal(m.kinds & KIND(SELECTED), KIND(SELECTED));
    assert_int_equal(polled(&m), 1);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 3); /* End-of-RIB: it wants nothing */
    bgpvpn_engine_free(m.e);
}

static void the_deferral_has_an_end(void **state)
{
    (void)state;
    machine m;
    bgpvpn_config cfg;
    net_config(0, &cfg);
    cfg.restarted = 1;
    cfg.deferral_s = 60;
    machine_new(&m, &cfg, NULL); /* and its peer never comes */
    machine_wait(&m, 59000);
    assert_int_equal(m.kinds & KIND(SELECTED), 0);
    machine_wait(&m, 2000);
    assert_int_equal(m.kinds & KIND(SELECTED), KIND(SELECTED));
    bgpvpn_engine_free(m.e);
}

/* ---- Two of ours ---- */

static void add(net *n, uint32_t i, uint32_t j, uint64_t *id)
{
    bgpvpn_neighbor_config cfg;
    assert_int_equal(bgpvpn_neighbor_config_init(&cfg), BGPVPN_OK);
    cfg.address = n->node[j].addr;
    cfg.remote_as = 65000;
    cfg.flags = BGPVPN_NEIGHBOR_PRESERVES;
    cfg.connect_retry_s = 5;
    assert_int_equal(bgpvpn_engine_neighbor_add(n->node[i].engine, n->now_ms, &cfg, id), BGPVPN_OK);
}

/* Node 1 is killed and begins anew; node 0 never sees its routes go. */
static void a_restart_between_two_of_ours_is_not_felt(void **state)
{
    (void)state;
    net *n = net_new(3);
    uint64_t id[2];
    for (uint32_t i = 0; i < 2; i++) {
        net_engine(n, i, NULL);
        net_vrf(n, i, 1, i + 1, 100);
    }
    add(n, 0, 1, &id[0]);
    add(n, 1, 0, &id[1]);
    for (uint32_t i = 0; i < 20; i++)
        net_announce(n, 1, 1, 0x0a000000 + (i << 8), 24, 100 + i);
    net_run(n, 20000);
    assert_int_equal(net_routes_up(n, 0), 20);

    net_cut(n, 0, 1);
    bgpvpn_engine_free(n->node[1].engine);
    free(n->node[1].routes);
    free(n->node[1].labels);
    n->node[1].engine = NULL;
    n->node[1].route_count = n->node[1].label_count = 0;
    for (uint32_t s = 0; s < NET_STREAMS; s++)
        for (int k = 0; k < 2; k++)
            if (n->stream[s].used && n->stream[s].node[k] == 1)
                n->stream[s].id[k] = 0;
    net_run(n, 5000);
    assert_int_equal(net_routes_up(n, 0), 20);
    assert_int_equal(n->node[0].downs, 1);

    bgpvpn_config cfg;
    net_config(1, &cfg);
    cfg.restarted = 1;
    net_engine(n, 1, &cfg);
    net_vrf(n, 1, 1, 2, 100);
    add(n, 1, 0, &id[1]);
    for (uint32_t i = 0; i < 19; i++) /* one is gone */
        net_announce(n, 1, 1, 0x0a000000 + (i << 8), 24, 100 + i);
    net_run(n, 30000);
    assert_int_equal(net_routes_up(n, 0), 19);
    bgpvpn_neighbor_info info;
    net_info(n, 0, id[0], &info);
    assert_int_equal(info.stale, 0);
    assert_int_equal(info.paths, 19);
    assert_int_equal(info.state, BGPVPN_STATE_ESTABLISHED);
    net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(we_offer_what_the_configuration_says),
        cmocka_unit_test(a_second_session_says_that_forwarding_went_on),
        cmocka_unit_test(routes_of_a_peer_that_restarts_stay_until_it_has_told_all),
        cmocka_unit_test(what_its_forwarding_has_lost_goes_at_once),
        cmocka_unit_test(a_peer_that_does_not_come_back_loses_its_routes),
        cmocka_unit_test(a_peer_that_never_says_that_it_is_done_loses_what_is_stale),
        cmocka_unit_test(the_stale_timer_runs_on_over_several_restarts),
        cmocka_unit_test(without_the_capability_or_the_wish_nothing_is_kept),
        cmocka_unit_test(a_second_restart_deletes_what_was_stale_unless_n_was_exchanged),
        cmocka_unit_test(a_notification_keeps_routes_only_with_n_and_never_a_hard_reset),
        cmocka_unit_test(our_own_notification_follows_the_same_rules),
        cmocka_unit_test(the_longest_text_fits_a_hard_reset),
        cmocka_unit_test(a_hard_reset_tells_what_it_wraps),
        cmocka_unit_test(a_peer_that_dials_again_has_restarted),
        cmocka_unit_test(a_second_connection_at_once_is_a_collision),
        cmocka_unit_test(a_collision_after_a_restart_is_one_too),
        cmocka_unit_test(a_refresh_before_the_end_of_rib_does_not_count),
        cmocka_unit_test(a_removed_or_shut_down_neighbor_keeps_nothing),
        cmocka_unit_test(a_dynamic_neighbor_waits_for_its_peer_too),
        cmocka_unit_test(after_a_restart_nothing_is_chosen_before_the_peers_have_told_all),
        cmocka_unit_test(peers_that_restarted_too_or_say_nothing_are_not_waited_for),
        cmocka_unit_test(route_targets_are_told_while_nothing_is_chosen),
        cmocka_unit_test(the_deferral_has_an_end),
        cmocka_unit_test(a_restart_between_two_of_ours_is_not_felt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
