/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function with each pointer NULL, lengths of zero, sizes and capacities that do not do, and
 * without memory. tests/gates/arguments.py tells whether one is left out.
 */
#include "refusal.h"

#include <gre/gre.h>
#include <string.h>

/* Hand-made: RFC 2784 2, no optional field, IPv4, two octets of payload. */
static const uint8_t gre_packet[] = {0x00, 0x00, 0x08, 0x00, 0xab, 0xcd};

/* Hand-made: IPv4 of 24 octets with DF, UDP, 10.1.1.1 to 10.2.2.2; who calls has verified the
   checksum (RFC 1812 4.3.2.7). */
static const uint8_t ip_packet[24] = {0x45, 0, 0, 24, 0,  1, 0x40, 0, 64, 17, 0,    0,
                                      10,   1, 1, 1,  10, 2, 2,    2, 0,  53, 0x12, 0x34};

static const gre_addr source = {.family = GRE_FAMILY_IPV4, .bytes = {10, 9, 9, 9}};
static const gre_addr destination = {.family = GRE_FAMILY_IPV4, .bytes = {10, 9, 9, 1}};

static struct {
    gre_config cfg;
    gre_header header;
    gre_outer outer;
    gre_view view;
    gre_counters counters;
    gre_tunnel *tunnel;
    size_t it, len, offset;
    uint8_t buf[64];
} out;

static gre_config cfg;
static gre_tunnel *tunnel;

static void tunnel_state(description *d)
{
    gre_counters c = {.struct_size = sizeof(c)};
    gre_outer o;
    const uint32_t numbers[] = {gre_tunnel_get_mtu(tunnel), gre_tunnel_get_overhead(tunnel)};
    memset(&o, 0, sizeof(o));
    assert_int_equal(gre_tunnel_get_counters(tunnel, &c), GRE_OK);
    assert_int_equal(gre_tunnel_get_outer(tunnel, &o), GRE_OK);
    describe(d, &c, sizeof(c));
    describe(d, &o, sizeof(o));
    describe(d, numbers, sizeof(numbers));
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(gre_config_init(&cfg), GRE_OK);
    cfg.use_sequence = 1;
    cfg.local = source;
    cfg.remote = destination;
    assert_int_equal(gre_tunnel_new(&cfg, &tunnel), GRE_OK);
    watch(&out, sizeof(out), tunnel_state);
    out.it = 0;
    out.counters.struct_size = sizeof(out.counters);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gre_tunnel_free(tunnel);
    return 0;
}

static void the_header_functions_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    const gre_header h = {.protocol = GRE_PROTOCOL_IPV4};
    const size_t len = sizeof(gre_packet);
    accepts(gre_header_decode(gre_packet, len, &out.header));
    refuses(gre_header_decode(NULL, len, &out.header));
    refuses(gre_header_decode(gre_packet, len, NULL));
    answers(GRE_ERR_TRUNCATED, gre_header_decode(gre_packet, 0, &out.header));

    accepts(gre_header_encode(&h, out.buf, 16, 2, &out.offset));
    accepts(gre_header_encode(&h, out.buf, 16, 0, &out.offset));
    refuses(gre_header_encode(NULL, out.buf, 16, 2, &out.offset));
    refuses(gre_header_encode(&h, NULL, 16, 2, &out.offset));
    refuses(gre_header_encode(&h, out.buf, 16, 2, NULL));
    for (size_t headroom = 0; headroom < GRE_HEADER_MIN_BYTES; headroom++)
        answers(GRE_ERR_BUFFER, gre_header_encode(&h, out.buf, headroom, 2, &out.offset));
    answers(GRE_ERR_BUFFER, gre_header_encode(&h, out.buf, 0, 2, &out.offset));
    assert_int_equal(gre_header_get_len(0), GRE_HEADER_MIN_BYTES);
}

static void the_outer_functions_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    const gre_outer o = {.source = source, .destination = destination, .ttl = 1};
    size_t at;
    accepts(gre_outer_encode(&o, out.buf, 40, 4, &out.offset));
    accepts(gre_outer_encode(&o, out.buf, 40, 0, &at));
    refuses(gre_outer_encode(NULL, out.buf, 40, 4, &out.offset));
    refuses(gre_outer_encode(&o, NULL, 40, 4, &out.offset));
    refuses(gre_outer_encode(&o, out.buf, 40, 4, NULL));
    for (size_t headroom = 0; headroom < GRE_OUTER_IPV4_BYTES; headroom++)
        answers(GRE_ERR_BUFFER, gre_outer_encode(&o, out.buf, headroom, 4, &out.offset));
    answers(GRE_ERR_BUFFER, gre_outer_encode(&o, out.buf, 0, 4, &out.offset));

    const uint8_t *packet = out.buf + at;
    accepts(gre_outer_decode(packet, GRE_OUTER_IPV4_BYTES, &out.outer));
    refuses(gre_outer_decode(NULL, GRE_OUTER_IPV4_BYTES, &out.outer));
    refuses(gre_outer_decode(packet, GRE_OUTER_IPV4_BYTES, NULL));
    answers(GRE_ERR_TRUNCATED, gre_outer_decode(packet, 0, &out.outer));
}

#define GRE_IN_IPV6                                                                                \
    "60000000 0004 2f40 20010db8000000000000000000000001 20010db8000000000000000000000002"         \
    "00000800"

/* Each as the same call once more, whose result is the one just seen. */
static void try_all(const uint8_t *b, size_t n)
{
    gre_header h;
    gre_outer o;
    gre_rc rc = gre_header_decode(b, n, &h);
    if (rc < 0)
        answers(rc, gre_header_decode(b, n, &out.header));
    rc = gre_outer_decode(b, n, &o);
    if (rc < 0)
        answers(rc, gre_outer_decode(b, n, &out.outer));
}

static void a_decoder_that_fails_has_written_nothing(void **state)
{
    (void)state;
    static const char *const good[] = {
        /* RFC 2784 2.1 and RFC 2890 2 with all fields; in IPv4 and IPv6 */
        "b000 0800 9cf6 0000 00000007 00000001 ab",
        "45000018 00004000 402f149c 0a090909 0a090901 00000800",
        GRE_IN_IPV6,
    };
    static const uint8_t values[] = {0, 1, 4, 127, 255};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint8_t b[64];
        const size_t n = hex_bytes(good[i], b, sizeof(b));
        for (size_t len = 0; len <= n; len++)
            try_all(b, len);
        for (size_t at = 0; at < n * sizeof(values); at++) {
            const uint8_t was = b[at / sizeof(values)];
            b[at / sizeof(values)] = values[at % sizeof(values)];
            try_all(b, n);
            b[at / sizeof(values)] = was;
        }
    }
}

static int32_t too_big(uint8_t *buf, size_t cap, size_t *len)
{
    return gre_icmp_too_big(1000, &source, ip_packet, sizeof(ip_packet), buf, cap, len);
}

static int32_t time_exceeded(uint8_t *buf, size_t cap, size_t *len)
{
    return gre_icmp_error_encode(GRE_ICMP_TIME_EXCEEDED, 0, &source, ip_packet, sizeof(ip_packet),
                                 buf, cap, len);
}

static int32_t fragment(uint8_t *buf, size_t cap, size_t *len)
{
    uint8_t packet[sizeof(ip_packet)];
    size_t it = 0;
    memcpy(packet, ip_packet, sizeof(packet));
    packet[6] = 0; /* no DF */
    return gre_fragment_next(packet, sizeof(packet), 68, &it, buf, cap, len);
}

static void the_icmp_functions_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    const uint8_t *p = ip_packet;
    const size_t n = sizeof(ip_packet), cap = sizeof(out.buf);
    const uint8_t kind = GRE_ICMP_NO_ROUTE;
    accepts(gre_icmp_error_encode(kind, 0, &source, p, n, out.buf, cap, &out.len));
    refuses(gre_icmp_error_encode(kind, 0, NULL, p, n, out.buf, cap, &out.len));
    refuses(gre_icmp_error_encode(kind, 0, &source, NULL, n, out.buf, cap, &out.len));
    refuses(gre_icmp_error_encode(kind, 0, &source, p, n, NULL, cap, &out.len));
    refuses(gre_icmp_error_encode(kind, 0, &source, p, n, out.buf, cap, NULL));
    answers(GRE_ERR_TRUNCATED,
            gre_icmp_error_encode(kind, 0, &source, p, 0, out.buf, cap, &out.len));
    assert_int_equal(gre_icmp_error_encode(kind, 0, &source, p, n, out.buf, 0, &out.len),
                     GRE_ERR_BUFFER);

    accepts(gre_icmp_too_big(1000, &source, p, n, out.buf, cap, &out.len));
    refuses(gre_icmp_too_big(1000, NULL, p, n, out.buf, cap, &out.len));
    refuses(gre_icmp_too_big(1000, &source, NULL, n, out.buf, cap, &out.len));
    refuses(gre_icmp_too_big(1000, &source, p, n, NULL, cap, &out.len));
    refuses(gre_icmp_too_big(1000, &source, p, n, out.buf, cap, NULL));
    answers(GRE_ERR_TRUNCATED, gre_icmp_too_big(1000, &source, p, 0, out.buf, cap, &out.len));
    assert_int_equal(gre_icmp_too_big(1000, &source, p, n, out.buf, 0, &out.len), GRE_ERR_BUFFER);

    /* RFC 792: 20 of IP, 8 of ICMP, the packet quoted whole */
    assert_every_capacity(time_exceeded, GRE_OK, 20 + 8 + n);
    assert_every_capacity(too_big, GRE_OK, 20 + 8 + n);
}

static void the_functions_about_size_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    uint8_t p[sizeof(ip_packet)];
    const size_t n = sizeof(p), cap = sizeof(out.buf);
    memcpy(p, ip_packet, n);
    p[6] = 0; /* no DF */
    accepts(gre_mss_clamp(p, n, 1360));
    accepts(gre_mss_clamp(p, 0, 1360));
    refuses(gre_mss_clamp(NULL, n, 1360));
    assert_int_equal(gre_mss_get(1400, GRE_FAMILY_IPV4), 1360);

    refuses(gre_fragment_next(NULL, n, 68, &out.it, out.buf, cap, &out.len));
    refuses(gre_fragment_next(p, n, 68, NULL, out.buf, cap, &out.len));
    refuses(gre_fragment_next(p, n, 68, &out.it, NULL, cap, &out.len));
    refuses(gre_fragment_next(p, n, 68, &out.it, out.buf, cap, NULL));
    answers(GRE_ERR_TRUNCATED, gre_fragment_next(p, 0, 68, &out.it, out.buf, cap, &out.len));
    assert_int_equal(gre_fragment_next(p, n, 68, &out.it, out.buf, 0, &out.len), GRE_ERR_BUFFER);
    accepts(gre_fragment_next(p, n, 68, &out.it, out.buf, cap, &out.len));
    assert_every_capacity(fragment, GRE_YES, n);
}

static void the_tunnel_functions_refuse_null_and_leave_the_tunnel_as_it_was(void **state)
{
    (void)state;
    const size_t len = sizeof(gre_packet);
    refuses(gre_config_init(NULL));
    accepts(gre_config_init(&out.cfg));
    refuses(gre_tunnel_new(NULL, &out.tunnel));
    refuses(gre_tunnel_new(&cfg, NULL));
    refuses_sizes(gre_tunnel_new(sized(cfg), &out.tunnel));
    accepts(gre_tunnel_new(&cfg, &out.tunnel));
    gre_tunnel_free(out.tunnel);
    gre_tunnel_free(NULL);

    refuses(gre_tunnel_encode(NULL, 1, out.buf, 16, 2, &out.offset));
    refuses(gre_tunnel_encode(tunnel, 1, NULL, 16, 2, &out.offset));
    refuses(gre_tunnel_encode(tunnel, 1, out.buf, 16, 2, NULL));
    refuses(gre_tunnel_decode(NULL, gre_packet, len, &out.view));
    refuses(gre_tunnel_decode(tunnel, NULL, len, &out.view));
    refuses(gre_tunnel_decode(tunnel, gre_packet, len, NULL));
    refuses(gre_tunnel_set_mtu(NULL, 1400));
    refuses(gre_tunnel_reset(NULL));
    refuses(gre_tunnel_get_outer(NULL, &out.outer));
    refuses(gre_tunnel_get_outer(tunnel, NULL));
    refuses(gre_tunnel_get_counters(NULL, &out.counters));
    refuses(gre_tunnel_get_counters(tunnel, NULL));
    refuses_sizes(gre_tunnel_get_counters(tunnel, sized(out.counters)));
    assert_int_equal(gre_tunnel_get_mtu(NULL), 0);
    assert_int_equal(gre_tunnel_get_mtu(tunnel), 0);
    assert_int_equal(gre_tunnel_get_overhead(NULL), 0);
    assert_int_equal(gre_tunnel_get_overhead(tunnel), 8);

    /* RFC 2890 2.2: none of it used a sequence number up. Each drop counts, nothing else. */
    accepts(gre_tunnel_encode(tunnel, 0x8847, out.buf, 16, 0, &out.offset));
    assert_hex(out.buf + out.offset, 8, "10008847 00000000");
    assert_int_equal(gre_tunnel_encode(tunnel, 0x8847, out.buf, 0, 2, &out.offset), GRE_ERR_BUFFER);
    assert_int_equal(gre_tunnel_decode(tunnel, gre_packet, 0, &out.view), GRE_ERR_TRUNCATED);
    accepts(gre_tunnel_encode(tunnel, 0x8847, out.buf, 16, 0, &out.offset));
    assert_hex(out.buf + out.offset, 8, "10008847 00000001");
    accepts(gre_tunnel_get_counters(tunnel, &out.counters));
    assert_int_equal(out.counters.out_packets, 2);
    assert_int_equal(out.counters.out_no_headroom, 1);
    assert_int_equal(out.counters.drop_truncated, 1);
    accepts(gre_tunnel_decode(tunnel, gre_packet, len, &out.view));
    accepts(gre_tunnel_get_outer(tunnel, &out.outer));
    accepts(gre_tunnel_set_mtu(tunnel, 1400));
    accepts(gre_tunnel_reset(tunnel));
}

static void names_are_told_for_any_number(void **state)
{
    (void)state;
    assert_int_equal(gre_version() >> 16, GRE_VERSION_MAJOR);
    assert_string_equal(gre_rc_name(INT32_MIN), "GRE_UNKNOWN");
}

static void without_memory(fail_alloc *f, void *user)
{
    (void)user;
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    watch(&out, sizeof(out), NULL);
    step(GRE_OK, gre_tunnel_new(&cfg, &out.tunnel));
    tunnel = out.tunnel;
    watch(&out, sizeof(out), tunnel_state);
    ends();
    gre_tunnel_free(tunnel);
    tunnel = NULL;
}

static void every_function_survives_the_lack_of_memory(void **state)
{
    (void)state;
    assert_int_equal(gre_config_init(&cfg), GRE_OK);
    cfg.local = source;
    cfg.remote = destination;
    assert_steps_survive_every_allocation_failure(without_memory, NULL);
}

#define WITH_TUNNEL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TUNNEL(the_header_functions_refuse_null_and_take_no_octets),
        WITH_TUNNEL(the_outer_functions_refuse_null_and_take_no_octets),
        WITH_TUNNEL(a_decoder_that_fails_has_written_nothing),
        WITH_TUNNEL(the_icmp_functions_refuse_null_and_take_no_octets),
        WITH_TUNNEL(the_functions_about_size_refuse_null_and_take_no_octets),
        WITH_TUNNEL(the_tunnel_functions_refuse_null_and_leave_the_tunnel_as_it_was),
        cmocka_unit_test(names_are_told_for_any_number),
        cmocka_unit_test(every_function_survives_the_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
