/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Capabilities, extended optional parameters and extended messages (RFC 5492, RFC 9072, RFC 8654,
 * RFC 4724 3, RFC 8538 2).
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Graceful restart, the capability ---- */

static bgpvpn_rc restart_of(const char *hex, bgpvpn_restart *out)
{
    uint8_t value[64];
    const size_t len = hex_bytes(hex, value, sizeof(value));
    const bgpvpn_capability c = {value, len, BGPVPN_CAPABILITY_GRACEFUL_RESTART, 0};
    return bgpvpn_restart_decode(&c, out);
}

/* RFC 4724 3, RFC 8538 2: assembled by hand. */
static void graceful_restart_is_read_as_the_rfcs_draw_it(void **state)
{
    (void)state;
    bgpvpn_restart r;
    assert_int_equal(restart_of("0000", &r), BGPVPN_OK);
    assert_int_equal(r.time_s | r.flags | r.tables | r.preserved, 0);
    /* R, N, 120 seconds; VPNv4 preserved, VPNv6 not, a family unknown here preserved. */
    assert_int_equal(restart_of("c078 00018080 00028000 00198080", &r), BGPVPN_OK);
    assert_int_equal(r.time_s, 120);
    assert_int_equal(r.flags, BGPVPN_RESTART_RESTARTED | BGPVPN_RESTART_NOTIFICATION);
    assert_int_equal(r.tables, BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6);
    assert_int_equal(r.preserved, BGPVPN_TABLE_VPNV4);
    /* Reserved bits are ignored. */
    assert_int_equal(restart_of("3fff 0001807f", &r), BGPVPN_OK);
    assert_int_equal(r.time_s, 4095);
    assert_int_equal(r.flags, 0);
    assert_int_equal(r.preserved, 0);
    static const char *const bad[] = {"", "00", "000000", "0000000180", "000000018080ff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(restart_of(bad[i], &r), BGPVPN_ERR_OPEN);
}

static void graceful_restart_is_written_as_the_rfcs_draw_it(void **state)
{
    (void)state;
    uint8_t buf[32];
    size_t len;
    bgpvpn_restart r = {.time_s = 120,
                        .flags = BGPVPN_RESTART_NOTIFICATION,
                        .tables = BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_IPV4,
                        .preserved = BGPVPN_TABLE_VPNV4};
    assert_int_equal(bgpvpn_restart_encode(&r, buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len, "4078 00010100 00018080");
    assert_int_equal(bgpvpn_restart_encode(&r, buf, 9, &len), BGPVPN_ERR_BUFFER);
    assert_int_equal(len, 10);
    r.flags = BGPVPN_RESTART_RESTARTED;
    r.tables = r.preserved = 0;
    assert_int_equal(bgpvpn_restart_encode(&r, buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len, "8078");
    r.time_s = 4096;
    assert_int_equal(bgpvpn_restart_encode(&r, buf, sizeof(buf), &len), BGPVPN_ERR_ARG);
    r.time_s = 1;
    r.preserved = BGPVPN_TABLE_VPNV6; /* and not listed */
    assert_int_equal(bgpvpn_restart_encode(&r, buf, sizeof(buf), &len), BGPVPN_ERR_ARG);
    r.preserved = 0;
    r.flags = 4;
    assert_int_equal(bgpvpn_restart_encode(&r, buf, sizeof(buf), &len), BGPVPN_ERR_ARG);
}

/* ---- Optional parameters of any length ---- */

/* RFC 9072 2: assembled by hand. */
static void an_open_with_wide_parameters_is_written_as_the_rfc_draws_it(void **state)
{
    (void)state;
    const bgpvpn_open open = {.as = 65000,
                              .router_id = 0x0a000001,
                              .hold_time_s = 90,
                              .capabilities = BGPVPN_CAPABLE_REFRESH,
                              .parameters_wide = 1};
    const uint8_t name[] = {'h', 'i'};
    const bgpvpn_capability more = {name, sizeof(name), 73, 0};
    uint8_t buf[64];
    size_t len;
    assert_int_equal(bgpvpn_open_encode_with(&open, &more, 1, buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len,
               HEADER "002c01"
                      "04 fde8 005a 0a000001"
                      "ff ff 000c"
                      "02 0002 0200"
                      "02 0004 4902 6869");
}

static void more_than_255_bytes_of_parameters_go_wide_by_themselves(void **state)
{
    (void)state;
    prng p = {11};
    for (int round = 0; round < 200; round++) {
        uint8_t values[20][255], buf[BGPVPN_MESSAGE_MAX];
        bgpvpn_capability more[20] = {{0}}, c;
        const size_t count = prng_below(&p, 20);
        size_t all = 0, len, it = 0;
        for (size_t i = 0; i < count; i++) {
            more[i].len = prng_below(&p, 256);
            more[i].code = 128 + prng_below(&p, 64);
            more[i].value = values[i];
            prng_bytes(&p, values[i], more[i].len);
            all += 4 + more[i].len;
        }
        const bgpvpn_open open = {.as = 65000, .router_id = 1, .hold_time_s = 90};
        bgpvpn_open back;
        if (count > 0 && all > 4000)
            continue;
        assert_int_equal(bgpvpn_open_encode_with(&open, more, count, buf, sizeof(buf), &len),
                         BGPVPN_OK);
        assert_int_equal(bgpvpn_open_decode(buf, len, &back), BGPVPN_OK);
        assert_int_equal(back.parameters_wide, all > 255);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(bgpvpn_capability_next(&back, &it, &c), BGPVPN_YES);
            assert_int_equal(c.code, more[i].code);
            assert_bytes(c.value, c.len, more[i].value, more[i].len);
        }
        assert_int_equal(bgpvpn_capability_next(&back, &it, &c), BGPVPN_OK);
        for (size_t cut = 0; cut < len; cut++)
            assert_true(bgpvpn_open_decode(buf, cut, &back) < 0);
    }
}

/* RFC 9072 2: once the type says so, the one-octet length is ignored, unless it is 0. */
static void the_type_and_not_the_length_tells_that_parameters_are_wide(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bgpvpn_rc rc;
    } cases[] = {
        {HEADER "002901 04fde8005a0a000001 ff ff 0009 020006 010400010080", BGPVPN_OK},
        {HEADER "002901 04fde8005a0a000001 01 ff 0009 020006 010400010080", BGPVPN_OK},
        {HEADER "002901 04fde8005a0a000001 00 ff 0009 020006 010400010080", BGPVPN_ERR_OPEN},
        {HEADER "002901 04fde8005a0a000001 ff ff 0008 020006 010400010080", BGPVPN_ERR_OPEN},
        {HEADER "002901 04fde8005a0a000001 ff ff 000a 020006 010400010080", BGPVPN_ERR_OPEN},
        {HEADER "002901 04fde8005a0a000001 ff ff 0009 020007 010400010080", BGPVPN_ERR_OPEN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t buf[64];
        bgpvpn_open open;
        const size_t len = hex_bytes(cases[i].hex, buf, sizeof(buf));
        assert_int_equal(bgpvpn_open_decode(buf, len, &open), cases[i].rc);
    }
}

/* ---- Extended messages ---- */

/* RFC 8654 4, 6 */
static void headers_may_say_more_where_it_was_announced(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bgpvpn_rc usual, extended;
    } cases[] = {
        {HEADER "100002", BGPVPN_OK, BGPVPN_OK},
        {HEADER "100102", BGPVPN_ERR_LENGTH, BGPVPN_OK},
        {HEADER "ffff02", BGPVPN_ERR_LENGTH, BGPVPN_OK},
        {HEADER "ffff03", BGPVPN_ERR_LENGTH, BGPVPN_OK},
        {HEADER "ffff05", BGPVPN_ERR_LENGTH, BGPVPN_OK},
        {HEADER "100101", BGPVPN_ERR_LENGTH, BGPVPN_ERR_LENGTH},
        {HEADER "100104", BGPVPN_ERR_LENGTH, BGPVPN_ERR_LENGTH},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t buf[32];
        bgpvpn_header h;
        const size_t len = hex_bytes(cases[i].hex, buf, sizeof(buf));
        assert_int_equal(bgpvpn_header_decode(buf, len, &h), cases[i].usual);
        assert_int_equal(bgpvpn_extended_header_decode(buf, len, &h), cases[i].extended);
    }
}

/* As OPEN, with capability 6, of 10.0.0.last. */
#define OPEN_EXTENDED(last)                                                                        \
    HEADER "00350104fde8005a0a0000" last "180206010400010080020641040000fde80202020002020600"
#define OPEN_USUAL(last)                                                                           \
    HEADER "00310104fde8005a0a0000" last "140206010400010080020641040000fde802020200"

/* A reflector whose client 10.0.0.2 the machine plays; 10.0.0.3 has stream other. */
static void reflector(machine *m, uint32_t flags, const char *open, const char *other_open,
                      uint64_t *other)
{
    bgpvpn_neighbor_config n;
    uint64_t id;
    machine_neighbor(&n);
    n.flags = BGPVPN_NEIGHBOR_CLIENT | flags;
    machine_new(m, NULL, &n);
    machine_establish(m, open);
    const uint64_t first = m->stream;
    n.address.bytes[3] = 3;
    n.flags |= BGPVPN_NEIGHBOR_PASSIVE;
    assert_int_equal(bgpvpn_engine_neighbor_add(m->e, m->now_ms, &n, &id), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(m->e, m->now_ms, &us, &n.address, other), BGPVPN_OK);
    m->stream = *other;
    machine_feed(m, other_open);
    machine_feed(m, KEEPALIVE);
    assert_int_equal(m->last.kind, BGPVPN_EVENT_UP);
    m->stream = first;
    m->sent_len = 0;
}

/* An UPDATE with VPNv4 10.1.1.0/24 and six hundred route targets: 4876 bytes. */
static void feed_long_update(machine *m)
{
    enum { TARGETS = 600 };
    static const char head[] = HEADER "130c02 0000 12f5 800e20 0001800c0000000000000000 0a000002 00"
                                      "70000641 0000fde800000001 0a0101"
                                      "400101 00 400200 400504 00000064 d01012c0";
    char *hex = malloc(sizeof(head) + TARGETS * 16);
    assert_non_null(hex);
    memcpy(hex, head, sizeof(head));
    for (unsigned i = 0; i < TARGETS; i++)
        (void)snprintf(hex + sizeof(head) - 1 + i * 16, 17, "0002fde8%08x", i);
    machine_feed(m, hex);
    free(hex);
}

static void a_long_update_is_taken_and_passed_on_where_both_can(void **state)
{
    (void)state;
    machine m;
    uint64_t other;
    reflector(&m, BGPVPN_NEIGHBOR_EXTENDED, OPEN_EXTENDED("02"), OPEN_EXTENDED("03"), &other);
    feed_long_update(&m);
    assert_int_equal(machine_state(&m), BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(machine_paths(&m), 1);
    (void)bgpvpn_engine_set_credit(m.e, m.now_ms, other, 65536);
    machine_pump(&m);
    bgpvpn_header h;
    bgpvpn_update u;
    assert_int_equal(bgpvpn_extended_header_decode(m.sent, m.sent_len, &h), BGPVPN_OK);
    assert_true(h.length > BGPVPN_MESSAGE_MAX);
    assert_int_equal(m.sent_len, h.length);
    assert_int_equal(bgpvpn_update_decode(m.sent, m.sent_len, 4, 0, &u), BGPVPN_OK);
    assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
    assert_int_equal(u.ext_communities_len, 4800);
    assert_int_equal(u.originator_id, 0x0a000002);
    bgpvpn_engine_free(m.e);
}

/* RFC 8654 4: it must not be sent, and what was announced before is withdrawn. */
static void a_long_update_is_withdrawn_from_who_cannot_take_it(void **state)
{
    (void)state;
    machine m;
    uint64_t other;
    reflector(&m, BGPVPN_NEIGHBOR_EXTENDED, OPEN_EXTENDED("02"), OPEN_USUAL("03"), &other);
    machine_route(&m, 0x0101, 100);
    (void)bgpvpn_engine_set_credit(m.e, m.now_ms, other, 65536);
    machine_pump(&m);
    bgpvpn_update u;
    assert_int_equal(bgpvpn_update_decode(m.sent, m.sent_len, 4, 0, &u), BGPVPN_OK);
    assert_true(u.reach_len > 0);
    m.sent_len = 0;
    feed_long_update(&m);
    (void)bgpvpn_engine_set_credit(m.e, m.now_ms, other, 65536);
    machine_pump(&m);
    assert_hex(m.sent, m.sent_len,
               HEADER "002d02 0000 0016 900f0012 000180 70800000 0000fde800000001 0a0101");
    bgpvpn_engine_free(m.e);
}

/* RFC 8654 5 */
static void who_did_not_announce_it_takes_no_long_message(void **state)
{
    (void)state;
    machine m;
    uint64_t other;
    reflector(&m, 0, OPEN_EXTENDED("02"), OPEN_EXTENDED("03"), &other);
    feed_long_update(&m);
    assert_hex(m.sent, m.sent_len, HEADER "0017030102130c");
    assert_int_equal(machine_state(&m), BGPVPN_STATE_IDLE);
    bgpvpn_engine_free(m.e);
}

static void a_long_message_may_come_in_pieces(void **state)
{
    (void)state;
    machine m;
    uint64_t other;
    reflector(&m, BGPVPN_NEIGHBOR_EXTENDED, OPEN_EXTENDED("02"), OPEN_USUAL("03"), &other);
    enum { LONG = 65535 };
    uint8_t *msg = calloc(1, LONG);
    assert_non_null(msg);
    /* An UPDATE that withdraws 32756 times 0.0.0.0/0 in plain IPv4, which was not negotiated. */
    const size_t len = hex_bytes(HEADER "ffff02 ffe8", msg, LONG);
    assert_int_equal(len, 21);
    for (size_t at = 0; at < LONG;) {
        size_t used = 0;
        const size_t piece = LONG - at < 777 ? LONG - at : 777;
        assert_int_equal(bgpvpn_engine_input(m.e, m.now_ms, m.stream, msg + at, piece, &used),
                         BGPVPN_OK);
        assert_int_equal(used, piece);
        at += used;
    }
    free(msg);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m.e, m.id, &info), BGPVPN_OK);
    assert_int_equal(info.received[BGPVPN_MESSAGE_UPDATE], 1);
    assert_int_equal(info.ignored, 0xffe8);
    bgpvpn_engine_free(m.e);
}

/* One allocation fails, once: the OPEN is handed in again, and all is as it should be. */
static void life(fail_alloc *f, void *user)
{
    machine *m = user;
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    bgpvpn_event ev;
    uint8_t msg[128];
    net_config(0, &cfg);
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    if (bgpvpn_engine_new(&cfg, 0, &m->e) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_new(&cfg, 0, &m->e), BGPVPN_OK);
    machine_neighbor(&n);
    n.flags = BGPVPN_NEIGHBOR_PASSIVE | BGPVPN_NEIGHBOR_EXTENDED | BGPVPN_NEIGHBOR_PRESERVES;
    if (bgpvpn_engine_neighbor_add(m->e, 0, &n, &m->id) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_neighbor_add(m->e, 0, &n, &m->id), BGPVPN_OK);
    if (bgpvpn_engine_accept(m->e, 0, &us, &them, &m->stream) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_accept(m->e, 0, &us, &them, &m->stream), BGPVPN_OK);
    const size_t len = hex_bytes(OPEN_EXTENDED("02") KEEPALIVE, msg, sizeof(msg));
    for (size_t at = 0; at < len;) {
        size_t used = 0;
        const size_t piece = len - at < 40 ? len - at : 40;
        const bgpvpn_rc rc = bgpvpn_engine_input(m->e, 0, m->stream, msg + at, piece, &used);
        assert_true(rc == BGPVPN_OK || rc == BGPVPN_ERR_NOMEM);
        at += used;
    }
    while (bgpvpn_engine_poll_event(m->e, &ev) == BGPVPN_YES)
        assert_int_equal(ev.kind, BGPVPN_EVENT_UP);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m->e, m->id, &info), BGPVPN_OK);
    assert_int_equal(info.state, BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(info.received[BGPVPN_MESSAGE_OPEN], 1);
    bgpvpn_engine_free(m->e);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    static machine m;
    assert_survives_every_allocation_failure(life, &m);
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t buf[64] = {0};
    size_t len;
    bgpvpn_header h;
    bgpvpn_restart r = {0};
    const bgpvpn_open open = {.as = 1, .router_id = 1};
    bgpvpn_capability c = {buf, 2, BGPVPN_CAPABILITY_GRACEFUL_RESTART, 0};
    const bgpvpn_rc arg = BGPVPN_ERR_ARG;
    assert_int_equal(bgpvpn_extended_header_decode(NULL, 19, &h), arg);
    assert_int_equal(bgpvpn_extended_header_decode(buf, 19, NULL), arg);
    assert_int_equal(bgpvpn_open_encode_with(NULL, NULL, 0, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_open_encode_with(&open, NULL, 1, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_open_encode_with(&open, NULL, 0, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_open_encode_with(&open, NULL, 0, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_restart_decode(NULL, &r), arg);
    assert_int_equal(bgpvpn_restart_decode(&c, NULL), arg);
    assert_int_equal(bgpvpn_restart_encode(NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_restart_encode(&r, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_restart_encode(&r, buf, 64, NULL), arg);
    c.code = 2;
    assert_int_equal(bgpvpn_restart_decode(&c, &r), arg);
    c.code = 256;
    assert_int_equal(bgpvpn_open_encode_with(&open, &c, 1, buf, 64, &len), arg);
    c.code = 2;
    c.len = 256;
    assert_int_equal(bgpvpn_open_encode_with(&open, &c, 1, buf, 64, &len), arg);
    c.len = 1;
    c.value = NULL;
    assert_int_equal(bgpvpn_open_encode_with(&open, &c, 1, buf, 64, &len), arg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graceful_restart_is_read_as_the_rfcs_draw_it),
        cmocka_unit_test(graceful_restart_is_written_as_the_rfcs_draw_it),
        cmocka_unit_test(an_open_with_wide_parameters_is_written_as_the_rfc_draws_it),
        cmocka_unit_test(more_than_255_bytes_of_parameters_go_wide_by_themselves),
        cmocka_unit_test(the_type_and_not_the_length_tells_that_parameters_are_wide),
        cmocka_unit_test(headers_may_say_more_where_it_was_announced),
        cmocka_unit_test(a_long_update_is_taken_and_passed_on_where_both_can),
        cmocka_unit_test(a_long_update_is_withdrawn_from_who_cannot_take_it),
        cmocka_unit_test(who_did_not_announce_it_takes_no_long_message),
        cmocka_unit_test(a_long_message_may_come_in_pieces),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(missing_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
