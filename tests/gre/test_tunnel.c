/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/tunnel.h>
#include <string.h>

#define HEADROOM 16

static gre_config config(void)
{
    gre_config c;
    assert_int_equal(gre_config_init(&c), GRE_OK);
    return c;
}

static gre_tunnel *tunnel(const gre_config *c)
{
    gre_tunnel *t = NULL;
    assert_int_equal(gre_tunnel_new(c, &t), GRE_OK);
    return t;
}

static gre_counters counters(const gre_tunnel *t)
{
    gre_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(gre_tunnel_get_counters(t, &c), GRE_OK);
    return c;
}

static gre_rc decode_hex(gre_tunnel *t, const char *hex, gre_view *out)
{
    uint8_t bytes[64];
    return gre_tunnel_decode(t, bytes, hex_bytes(hex, bytes, sizeof(bytes)), out);
}

/* Hand-made: RFC 2890 2 with key 7, sequence numbers 0 and 1 */
static void a_tunnel_puts_its_key_and_rising_sequence_numbers_in_front(void **state)
{
    (void)state;
    gre_config c = config();
    c.use_key = c.use_sequence = 1;
    c.key = 7;
    gre_tunnel *t = tunnel(&c);
    uint8_t buf[HEADROOM + 2];
    size_t at;
    assert_int_equal(gre_tunnel_get_overhead(t), 12);
    for (int i = 0; i < 2; i++) {
        memcpy(buf + HEADROOM, "\xab\xcd", 2);
        assert_int_equal(gre_tunnel_encode(t, GRE_PROTOCOL_MPLS, buf, HEADROOM, 2, &at), GRE_OK);
        assert_int_equal(at, HEADROOM - 12);
        assert_hex(buf + at, 14,
                   i ? "30008847 00000007 00000001 abcd" : "30008847 00000007 00000000 abcd");
    }
    assert_int_equal(counters(t).out_packets, 2);
    assert_int_equal(counters(t).out_bytes, 4);
    gre_tunnel_free(t);
}

static void a_tunnel_takes_what_the_other_end_sends(void **state)
{
    (void)state;
    gre_config c = config();
    c.use_key = c.use_sequence = c.use_checksum = 1;
    c.key = 0xcafe;
    gre_tunnel *a = tunnel(&c), *b = tunnel(&c);
    for (uint32_t i = 0; i < 100; i++) {
        uint8_t buf[HEADROOM + 33];
        size_t at;
        gre_view v;
        memset(buf + HEADROOM, (int)i, 33);
        assert_int_equal(gre_tunnel_encode(a, GRE_PROTOCOL_IPV4, buf, HEADROOM, 33, &at), GRE_OK);
        assert_int_equal(gre_tunnel_decode(b, buf + at, sizeof(buf) - at, &v), GRE_OK);
        assert_int_equal(v.protocol, GRE_PROTOCOL_IPV4);
        assert_int_equal(v.payload_offset, 16);
        assert_int_equal(v.payload_len, 33);
        assert_int_equal(v.key, 0xcafe);
        assert_int_equal(v.sequence, i);
        assert_int_equal(v.gap, 0);
    }
    assert_int_equal(counters(b).in_packets, 100);
    assert_int_equal(counters(b).in_bytes, 3300);
    gre_tunnel_free(a);
    gre_tunnel_free(b);
}

/* RFC 2890 2.1 */
static void keys_must_match_and_each_mismatch_has_its_own_result(void **state)
{
    (void)state;
    gre_config c = config();
    gre_tunnel *without = tunnel(&c);
    c.use_key = 1;
    c.key = 0;
    gre_tunnel *zero = tunnel(&c);
    c.use_key = 0;
    c.any_key = 1;
    gre_tunnel *any = tunnel(&c);
    gre_view v = {.protocol = 0x5555};
    assert_int_equal(decode_hex(without, "20000800 00000000", &v), GRE_ERR_KEY_UNEXPECTED);
    assert_int_equal(decode_hex(zero, "00000800", &v), GRE_ERR_KEY_MISSING);
    assert_int_equal(decode_hex(zero, "20000800 00000001", &v), GRE_ERR_KEY_MISMATCH);
    assert_int_equal(v.protocol, 0x5555);
    assert_int_equal(decode_hex(without, "00000800", &v), GRE_OK);
    assert_int_equal(decode_hex(zero, "20000800 00000000", &v), GRE_OK);
    assert_int_equal(decode_hex(any, "00000800", &v), GRE_OK);
    assert_int_equal(decode_hex(any, "20000800 00000009", &v), GRE_OK);
    assert_int_equal(v.key, 9);
    assert_int_equal(counters(without).drop_key_unexpected, 1);
    assert_int_equal(counters(zero).drop_key_missing, 1);
    assert_int_equal(counters(zero).drop_key_mismatch, 1);
    gre_tunnel_free(without);
    gre_tunnel_free(zero);
    gre_tunnel_free(any);
}

static gre_rc receive(gre_tunnel *t, uint32_t sequence, uint32_t *gap)
{
    const uint8_t packet[] = {0x10,
                              0,
                              0x08,
                              0,
                              (uint8_t)(sequence >> 24),
                              (uint8_t)(sequence >> 16),
                              (uint8_t)(sequence >> 8),
                              (uint8_t)sequence};
    gre_view v = {.gap = 0};
    const gre_rc rc = gre_tunnel_decode(t, packet, sizeof(packet), &v);
    *gap = v.gap;
    return rc;
}

/* RFC 2890 2.2 */
static void packets_out_of_sequence_are_dropped_and_gaps_passed_over(void **state)
{
    (void)state;
    gre_config c = config();
    c.use_sequence = 1;
    gre_tunnel *t = tunnel(&c);
    uint32_t gap;
    gre_view v;
    assert_int_equal(receive(t, 0, &gap), GRE_OK);
    assert_int_equal(receive(t, 0, &gap), GRE_ERR_SEQUENCE);
    assert_int_equal(receive(t, 1, &gap), GRE_OK);
    assert_int_equal(receive(t, 5, &gap), GRE_OK);
    assert_int_equal(gap, 3);
    assert_int_equal(receive(t, 4, &gap), GRE_ERR_SEQUENCE);
    /* One without a sequence number may come in between. */
    assert_int_equal(decode_hex(t, "00000800", &v), GRE_OK);
    assert_int_equal(receive(t, 6, &gap), GRE_OK);
    assert_int_equal(counters(t).drop_sequence, 2);
    assert_int_equal(counters(t).in_gaps, 3);
    gre_tunnel_free(t);
}

/* RFC 2890 2.2: the last value and the 2^31 - 1 before it are the past */
static void sequence_numbers_wrap_around(void **state)
{
    (void)state;
    gre_config c = config();
    c.use_sequence = 1;
    gre_tunnel *t = tunnel(&c);
    uint32_t gap;
    assert_int_equal(receive(t, 0x7fffffff, &gap), GRE_OK);
    assert_int_equal(receive(t, 0, &gap), GRE_ERR_SEQUENCE);
    assert_int_equal(receive(t, 0xfffffffe, &gap), GRE_OK);
    assert_int_equal(receive(t, 0x7fffffff, &gap), GRE_ERR_SEQUENCE);
    assert_int_equal(receive(t, 0xffffffff, &gap), GRE_OK);
    assert_int_equal(receive(t, 0, &gap), GRE_OK);
    assert_int_equal(gap, 0);
    assert_int_equal(receive(t, 0xffffffff, &gap), GRE_ERR_SEQUENCE);
    assert_int_equal(receive(t, 0x80000001, &gap), GRE_ERR_SEQUENCE);
    assert_int_equal(receive(t, 0x80000000, &gap), GRE_OK);
    gre_tunnel_free(t);
}

static void a_reset_starts_both_directions_anew(void **state)
{
    (void)state;
    gre_config c = config();
    c.use_sequence = 1;
    gre_tunnel *t = tunnel(&c);
    uint8_t buf[HEADROOM];
    size_t at;
    uint32_t gap;
    assert_int_equal(gre_tunnel_encode(t, 0x0800, buf, HEADROOM, 0, &at), GRE_OK);
    assert_int_equal(receive(t, 9, &gap), GRE_OK);
    assert_int_equal(gre_tunnel_reset(t), GRE_OK);
    assert_int_equal(receive(t, 0, &gap), GRE_OK);
    assert_int_equal(gre_tunnel_encode(t, 0x0800, buf, HEADROOM, 0, &at), GRE_OK);
    assert_hex(buf + at, 8, "10000800 00000000");
    gre_tunnel_free(t);
}

/* RFC 2784 2: sequence numbers are not looked at where the tunnel does not use them */
static void a_tunnel_without_sequence_numbers_does_not_look_at_them(void **state)
{
    (void)state;
    const gre_config c = config();
    gre_tunnel *t = tunnel(&c);
    uint32_t gap;
    assert_int_equal(receive(t, 5, &gap), GRE_OK);
    assert_int_equal(receive(t, 5, &gap), GRE_OK);
    assert_int_equal(gap, 0);
    gre_tunnel_free(t);
}

static void a_payload_beyond_the_mtu_is_refused_and_uses_up_no_sequence_number(void **state)
{
    (void)state;
    gre_config c = config();
    c.use_sequence = 1;
    c.mtu = 10;
    gre_tunnel *t = tunnel(&c);
    uint8_t buf[HEADROOM + 11] = {0};
    size_t at;
    assert_int_equal(gre_tunnel_encode(t, 0x0800, buf, HEADROOM, 11, &at), GRE_ERR_TOO_BIG);
    assert_int_equal(gre_tunnel_encode(t, 0x0800, buf, 7, 10, &at), GRE_ERR_BUFFER);
    assert_int_equal(gre_tunnel_encode(t, 0, buf, HEADROOM, 10, &at), GRE_ERR_PROTOCOL);
    assert_int_equal(gre_tunnel_encode(t, 0x0800, buf, HEADROOM, 10, &at), GRE_OK);
    assert_hex(buf + at, 8, "10000800 00000000");
    assert_int_equal(gre_tunnel_set_mtu(t, 11), GRE_OK);
    assert_int_equal(gre_tunnel_get_mtu(t), 11);
    assert_int_equal(gre_tunnel_encode(t, 0x0800, buf, HEADROOM, 11, &at), GRE_OK);
    assert_int_equal(counters(t).out_too_big, 1);
    assert_int_equal(counters(t).out_no_headroom, 1);
    assert_int_equal(counters(t).out_packets, 2);
    gre_tunnel_free(t);
}

static void every_reason_to_drop_has_its_counter(void **state)
{
    (void)state;
    const gre_config c = config();
    gre_tunnel *t = tunnel(&c);
    gre_view v;
    assert_int_equal(decode_hex(t, "00", &v), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex(t, "80000800 00000000", &v), GRE_ERR_CHECKSUM);
    assert_int_equal(decode_hex(t, "00010800", &v), GRE_ERR_VERSION);
    assert_int_equal(decode_hex(t, "40000800", &v), GRE_ERR_ROUTING);
    assert_int_equal(decode_hex(t, "08000800", &v), GRE_ERR_RESERVED);
    assert_int_equal(decode_hex(t, "00000000", &v), GRE_ERR_PROTOCOL);
    const gre_counters n = counters(t);
    assert_int_equal(n.drop_truncated, 1);
    assert_int_equal(n.drop_checksum, 1);
    assert_int_equal(n.drop_version, 1);
    assert_int_equal(n.drop_routing, 1);
    assert_int_equal(n.drop_reserved, 1);
    assert_int_equal(n.drop_protocol, 1);
    assert_int_equal(n.in_packets, 0);
    gre_tunnel_free(t);
}

static void the_outer_header_comes_from_the_configuration(void **state)
{
    (void)state;
    gre_config c = config();
    gre_outer o;
    gre_tunnel *t = tunnel(&c);
    assert_int_equal(gre_tunnel_get_outer(t, &o), GRE_ERR_ABSENT);
    gre_tunnel_free(t);
    c.ttl = 9;
    c.local = (gre_addr){.family = GRE_FAMILY_IPV4, .bytes = {192, 168, 1, 1}};
    c.remote = (gre_addr){.family = GRE_FAMILY_IPV4, .bytes = {192, 168, 1, 2}};
    t = tunnel(&c);
    assert_int_equal(gre_tunnel_get_outer(t, &o), GRE_OK);
    assert_int_equal(o.ttl, 9);
    assert_int_equal(o.flags, GRE_OUTER_DONT_FRAGMENT);
    assert_memory_equal(o.source.bytes, c.local.bytes, 16);
    assert_memory_equal(o.destination.bytes, c.remote.bytes, 16);
    gre_tunnel_free(t);
}

#define IPV4_TO_REMOTE "00000800 4500001400010000401100000a010165 c0a80102"
#define IPV6_TO_REMOTE                                                                             \
    "000086dd 600000000000113f 20010db8000000000000000000000101"                                   \
    "20010db8000000000000000000000102"

/* RFC 2784 3.1 */
static void a_payload_for_the_other_end_itself_is_dropped_as_a_loop(void **state)
{
    (void)state;
    gre_config c = config();
    gre_view v;
    c.local = (gre_addr){.family = GRE_FAMILY_IPV4, .bytes = {192, 168, 1, 1}};
    c.remote = (gre_addr){.family = GRE_FAMILY_IPV4, .bytes = {192, 168, 1, 2}};
    gre_tunnel *t = tunnel(&c);
    assert_int_equal(decode_hex(t, IPV4_TO_REMOTE, &v), GRE_ERR_LOOP);
    assert_int_equal(decode_hex(t, IPV6_TO_REMOTE, &v), GRE_OK);
    /* the next address, and a payload too short to tell */
    assert_int_equal(decode_hex(t, "00000800 4500001400010000401100000a010165 c0a80103", &v),
                     GRE_OK);
    assert_int_equal(decode_hex(t, "00000800 4500001400010000401100000a010165 c0a801", &v), GRE_OK);
    /* what lies in the buffer behind the packet does not count */
    uint8_t cut[44];
    assert_int_equal(hex_bytes(IPV4_TO_REMOTE, cut, sizeof(cut)), 24);
    assert_int_equal(gre_tunnel_decode(t, cut, 23, &v), GRE_OK);
    assert_int_equal(counters(t).drop_loop, 1);
    gre_tunnel_free(t);

    c.other_table = 1;
    t = tunnel(&c);
    assert_int_equal(decode_hex(t, IPV4_TO_REMOTE, &v), GRE_OK);
    gre_tunnel_free(t);

    c.other_table = 0;
    c.local.family = c.remote.family = GRE_FAMILY_IPV6;
    hex_bytes("20010db8000000000000000000000102", c.remote.bytes, 16);
    t = tunnel(&c);
    assert_int_equal(decode_hex(t, IPV6_TO_REMOTE, &v), GRE_ERR_LOOP);
    assert_int_equal(decode_hex(t, IPV4_TO_REMOTE, &v), GRE_OK);
    assert_int_equal(hex_bytes(IPV6_TO_REMOTE, cut, sizeof(cut)), 44);
    assert_int_equal(gre_tunnel_decode(t, cut, 43, &v), GRE_OK);
    cut[43]++;
    assert_int_equal(gre_tunnel_decode(t, cut, 44, &v), GRE_OK);
    gre_tunnel_free(t);
}

/* A caller built against later headers hands in more; what we do not know must be zero. */
static void a_newer_caller_is_served_as_far_as_we_know(void **state)
{
    (void)state;
    struct {
        gre_config cfg;
        uint8_t later[24];
    } newer = {.cfg = config()};
    struct {
        gre_counters counters;
        uint8_t later[24];
    } out;
    const uint8_t zeros[24] = {0};
    gre_tunnel *t = NULL;
    newer.cfg.struct_size = sizeof(newer);
    assert_int_equal(gre_tunnel_new(&newer.cfg, &t), GRE_OK);
    memset(&out, 0xaa, sizeof(out));
    out.counters.struct_size = sizeof(out);
    assert_int_equal(gre_tunnel_get_counters(t, &out.counters), GRE_OK);
    assert_int_equal(out.counters.struct_size, sizeof(out));
    assert_int_equal(out.counters.drop_loop, 0);
    assert_memory_equal(out.later, zeros, sizeof(zeros));
    gre_tunnel_free(t);
    newer.later[23] = 1;
    assert_int_equal(gre_tunnel_new(&newer.cfg, &t), GRE_ERR_ARG);
}

static void scenario(fail_alloc *f, void *user)
{
    (void)user;
    gre_config c = config();
    c.allocator.resize = fail_alloc_resize;
    c.allocator.user = f;
    gre_tunnel *t = NULL;
    const gre_rc rc = gre_tunnel_new(&c, &t);
    assert_true(rc == GRE_OK || (rc == GRE_ERR_NOMEM && !t));
    gre_tunnel_free(t);
}

static void a_tunnel_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(scenario, NULL);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    gre_config c = config();
    gre_tunnel *t = tunnel(&c), *u;
    uint8_t buf[HEADROOM] = {0};
    size_t at;
    gre_view v;
    gre_outer o;
    gre_counters n = {0};
    assert_int_equal(gre_config_init(NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_new(NULL, &u), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_new(&c, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_reset(NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_set_mtu(NULL, 1), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_get_mtu(NULL), 0);
    assert_int_equal(gre_tunnel_get_overhead(NULL), 0);
    assert_int_equal(gre_tunnel_encode(NULL, 1, buf, HEADROOM, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_encode(t, 1, NULL, HEADROOM, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_encode(t, 1, buf, HEADROOM, 0, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_decode(NULL, buf, 4, &v), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_decode(t, NULL, 4, &v), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_decode(t, buf, 4, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_decode(t, buf, 0, &v), GRE_ERR_TRUNCATED);
    assert_int_equal(gre_tunnel_get_outer(NULL, &o), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_get_outer(t, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_get_counters(NULL, &n), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_get_counters(t, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_tunnel_get_counters(t, &n), GRE_ERR_ARG);
    gre_tunnel_free(NULL);
    gre_tunnel_free(t);

    gre_config bad = c;
    bad.struct_size = 4;
    assert_int_equal(gre_tunnel_new(&bad, &u), GRE_ERR_ARG);
    for (int i = 0; i < 5; i++) {
        bad = c;
        uint8_t *const switches[] = {&bad.use_key, &bad.any_key, &bad.use_checksum,
                                     &bad.use_sequence, &bad.other_table};
        *switches[i] = 2;
        assert_int_equal(gre_tunnel_new(&bad, &u), GRE_ERR_ARG);
    }
    bad = c;
    bad.reserved2 = 1;
    assert_int_equal(gre_tunnel_new(&bad, &u), GRE_ERR_ARG);
    bad = c;
    bad.ttl = 0;
    assert_int_equal(gre_tunnel_new(&bad, &u), GRE_ERR_ARG);
    bad = c;
    bad.local.family = GRE_FAMILY_IPV4;
    assert_int_equal(gre_tunnel_new(&bad, &u), GRE_ERR_ARG);
    bad = c;
    bad.reserved[1] = 1;
    assert_int_equal(gre_tunnel_new(&bad, &u), GRE_ERR_ARG);
    assert_int_equal(sizeof(gre_view), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tunnel_puts_its_key_and_rising_sequence_numbers_in_front),
        cmocka_unit_test(a_tunnel_takes_what_the_other_end_sends),
        cmocka_unit_test(keys_must_match_and_each_mismatch_has_its_own_result),
        cmocka_unit_test(packets_out_of_sequence_are_dropped_and_gaps_passed_over),
        cmocka_unit_test(sequence_numbers_wrap_around),
        cmocka_unit_test(a_reset_starts_both_directions_anew),
        cmocka_unit_test(a_tunnel_without_sequence_numbers_does_not_look_at_them),
        cmocka_unit_test(a_payload_beyond_the_mtu_is_refused_and_uses_up_no_sequence_number),
        cmocka_unit_test(every_reason_to_drop_has_its_counter),
        cmocka_unit_test(the_outer_header_comes_from_the_configuration),
        cmocka_unit_test(a_payload_for_the_other_end_itself_is_dropped_as_a_loop),
        cmocka_unit_test(a_newer_caller_is_served_as_far_as_we_know),
        cmocka_unit_test(a_tunnel_survives_every_allocation_failure),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
