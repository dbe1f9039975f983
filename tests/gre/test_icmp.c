/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/mtu.h>
#include <stdlib.h>
#include <string.h>

static const gre_addr router4 = {.family = GRE_FAMILY_IPV4, .bytes = {172, 16, 1, 1}};
static const gre_addr router6 = {.family = GRE_FAMILY_IPV6,
                                 .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0xfe}};

/* Oracle: scapy; RFC 792, RFC 1191 4, RFC 1812 4.3.2, RFC 4443 3 */
static void errors_are_what_the_oracle_builds(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/icmp.txt");
    unsigned count = 0;
    while (vectors_next(v)) {
        size_t len, error_len, source_len, out_len = 0;
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        const uint8_t *error = vectors_hex(v, "error", &error_len);
        const uint8_t *source_bytes = vectors_hex(v, "source", &source_len);
        gre_addr source = {.family = (uint8_t)vectors_number(v, "family")};
        memcpy(source.bytes, source_bytes, source_len);
        uint8_t out[GRE_ICMP_IPV6_MAX_BYTES];
        const uint8_t kind = (uint8_t)vectors_number(v, "kind");
        const uint32_t mtu = (uint32_t)vectors_number(v, "mtu");
        assert_int_equal(
            gre_icmp_error_encode(kind, mtu, &source, packet, len, out, sizeof(out), &out_len),
            GRE_OK);
        assert_bytes(out, out_len, error, error_len);
        /* One byte less does not do, and the needed length is told. */
        size_t need = 0;
        assert_int_equal(
            gre_icmp_error_encode(kind, mtu, &source, packet, len, out, error_len - 1, &need),
            GRE_ERR_BUFFER);
        assert_int_equal(need, error_len);
        count++;
    }
    vectors_close(v);
    assert_int_equal(count, 13);
}

static gre_rc answer(uint8_t kind, uint32_t mtu, const uint8_t *packet, size_t len)
{
    uint8_t out[GRE_ICMP_IPV6_MAX_BYTES];
    size_t out_len;
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, packet, len);
    const gre_rc rc =
        gre_icmp_error_encode(kind, mtu, len && packet[0] >> 4 == 6 ? &router6 : &router4, exact,
                              len, out, sizeof(out), &out_len);
    free(exact);
    return rc;
}

/* A UDP packet of 32 bytes; checksums are not looked at. */
static void make_ipv4(uint8_t p[32])
{
    hex_bytes("45000020 00004000 40110000 0a010165 0a020266 00010002 000c0000 00000000", p, 32);
}

static void make_ipv6(uint8_t p[52])
{
    hex_bytes("60000000 000c1140 20010db8000000000000000000000101 "
              "20010db8000000000000000000000102 00010002 000c0000 00000000",
              p, 52);
}

/* RFC 1122 3.2.2 */
static void ipv4_sources_that_are_no_single_host_get_no_error(void **state)
{
    (void)state;
    static const uint8_t sources[][4] = {{0, 0, 0, 0},   {127, 0, 0, 1},       {224, 0, 0, 5},
                                         {240, 0, 0, 1}, {255, 255, 255, 255}, {0, 1, 2, 3}};
    uint8_t p[32];
    make_ipv4(p);
    assert_int_equal(answer(GRE_ICMP_TIME_EXCEEDED, 0, p, 32), GRE_OK);
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        memcpy(p + 12, sources[i], 4);
        assert_int_equal(answer(GRE_ICMP_TIME_EXCEEDED, 0, p, 32), GRE_ERR_SILENT);
    }
}

/* RFC 1122 3.2.2 */
static void ipv4_multicast_and_broadcast_destinations_get_no_error(void **state)
{
    (void)state;
    uint8_t p[32];
    make_ipv4(p);
    memcpy(p + 16, "\xe0\x00\x00\x01", 4);
    assert_int_equal(answer(GRE_ICMP_TOO_BIG, 500, p, 32), GRE_ERR_SILENT);
    memcpy(p + 16, "\xff\xff\xff\xff", 4);
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 32), GRE_ERR_SILENT);
}

/* RFC 1122 3.2.2: errors are types 3, 4, 5, 11, 12 */
static void icmp_errors_are_never_answered_but_questions_are(void **state)
{
    (void)state;
    uint8_t p[32];
    make_ipv4(p);
    p[9] = 1;
    for (unsigned type = 0; type < 256; type++) {
        const int is_error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        p[20] = (uint8_t)type;
        assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 32), is_error ? GRE_ERR_SILENT : GRE_OK);
    }
    /* No type to be seen. */
    p[3] = 20;
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 20), GRE_ERR_SILENT);
}

/* RFC 1122 3.2.2 */
static void later_fragments_are_never_answered_but_first_ones_are(void **state)
{
    (void)state;
    uint8_t p[32];
    make_ipv4(p);
    p[6] = 0x20;
    assert_int_equal(answer(GRE_ICMP_TIME_EXCEEDED, 0, p, 32), GRE_OK);
    p[7] = 1;
    assert_int_equal(answer(GRE_ICMP_TIME_EXCEEDED, 0, p, 32), GRE_ERR_SILENT);
}

/* RFC 4443 2.4 e */
static void ipv6_errors_keep_the_rules_of_rfc_4443(void **state)
{
    (void)state;
    uint8_t p[1500] = {0};
    make_ipv6(p);
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_OK);
    p[6] = 58;
    for (unsigned type = 0; type < 256; type++) {
        p[40] = (uint8_t)type;
        assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52),
                         type < 128 || type == 137 ? GRE_ERR_SILENT : GRE_OK);
    }
    p[5] = 0; /* no type to be seen */
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_ERR_SILENT);
    make_ipv6(p);
    p[8] = 0xff; /* multicast source */
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_ERR_SILENT);
    memset(p + 8, 0, 16); /* unspecified, then loopback source */
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_ERR_SILENT);
    p[23] = 1;
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_ERR_SILENT);
    p[23] = 2; /* a host like any other */
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_OK);
    /* e.3: a multicast destination may be told of its MTU, nothing else */
    make_ipv6(p);
    p[24] = 0xff;
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 52), GRE_ERR_SILENT);
    p[4] = 1460 >> 8;
    p[5] = 1460 & 0xff;
    assert_int_equal(answer(GRE_ICMP_TOO_BIG, 1400, p, 1500), GRE_OK);
}

/*
 * RFC 4443 3.2: what is too big MUST be answered, a later fragment too; no ICMPv6 error is that
 * long. Else it does not show whether it is part of one (2.4 e.1), and stays unanswered.
 */
static void later_ipv6_fragments_are_told_of_the_mtu_only(void **state)
{
    (void)state;
    uint8_t p[1500] = {0};
    make_ipv6(p);
    p[4] = 1460 >> 8;
    p[5] = 1460 & 0xff;
    p[6] = 44;
    for (unsigned next = 17; next <= 58; next += 41) {
        p[40] = (uint8_t)next;
        p[48] = 128;
        p[43] = 1;
        assert_int_equal(answer(GRE_ICMP_TIME_EXCEEDED, 0, p, 1500), GRE_OK);
        assert_int_equal(answer(GRE_ICMP_TOO_BIG, 1400, p, 1500), GRE_OK);
        p[48] = 1; /* no type in a later one, whatever the octet says */
        p[43] = 8;
        assert_int_equal(answer(GRE_ICMP_TIME_EXCEEDED, 0, p, 1500), GRE_ERR_SILENT);
        assert_int_equal(answer(GRE_ICMP_TOO_BIG, 1400, p, 1500), GRE_OK);
    }
}

/* RFC 791, RFC 1191; RFC 7676 3.3 */
static void what_may_be_fragmented_gets_no_too_big(void **state)
{
    (void)state;
    uint8_t p[1300] = {0};
    make_ipv4(p);
    p[6] = 0;
    assert_int_equal(answer(GRE_ICMP_TOO_BIG, 100, p, 32), GRE_ERR_MAY_FRAGMENT);
    make_ipv6(p);
    p[4] = 1240 >> 8;
    p[5] = 1240 & 0xff;
    assert_int_equal(answer(GRE_ICMP_TOO_BIG, 1200, p, 1280), GRE_ERR_MAY_FRAGMENT);
    p[5]++;
    assert_int_equal(answer(GRE_ICMP_TOO_BIG, 1200, p, 1281), GRE_OK);
}

static void an_mtu_below_what_every_link_carries_is_raised_to_it(void **state)
{
    (void)state;
    uint8_t p[1300] = {0}, out[GRE_ICMP_IPV6_MAX_BYTES];
    size_t len;
    make_ipv4(p);
    assert_int_equal(gre_icmp_too_big(1, &router4, p, 32, out, sizeof(out), &len), GRE_OK);
    assert_hex(out + 24, 4, "00000044");
    assert_int_equal(gre_icmp_too_big(70000, &router4, p, 32, out, sizeof(out), &len), GRE_OK);
    assert_hex(out + 24, 4, "0000ffff");
    make_ipv6(p);
    p[4] = 4;
    p[5] = 0xec;
    assert_int_equal(gre_icmp_too_big(1, &router6, p, 1300, out, sizeof(out), &len), GRE_OK);
    assert_hex(out + 44, 4, "00000500");
    assert_int_equal(len, GRE_ICMP_IPV6_MAX_BYTES);
}

static void padding_is_not_quoted(void **state)
{
    (void)state;
    uint8_t p[64] = {0}, out[GRE_ICMP_IPV4_MAX_BYTES];
    size_t len;
    make_ipv4(p);
    assert_int_equal(
        gre_icmp_error_encode(GRE_ICMP_NO_ROUTE, 0, &router4, p, sizeof(p), out, sizeof(out), &len),
        GRE_OK);
    assert_int_equal(len, 28 + 32);
}

static void cut_and_foreign_packets_get_no_error(void **state)
{
    (void)state;
    uint8_t p[52];
    make_ipv4(p);
    for (size_t len = 0; len < 32; len++)
        assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, len), GRE_ERR_TRUNCATED);
    p[0] = 0x44;
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 32), GRE_ERR_MALFORMED);
    p[0] = 0x15;
    assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, 32), GRE_ERR_VERSION);
    make_ipv6(p);
    for (size_t len = 1; len < 52; len++)
        assert_int_equal(answer(GRE_ICMP_NO_ROUTE, 0, p, len), GRE_ERR_TRUNCATED);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t p[32], out[64];
    size_t len;
    make_ipv4(p);
    assert_int_equal(gre_icmp_error_encode(3, 0, NULL, p, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(3, 0, &router4, NULL, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(3, 0, &router4, p, 32, NULL, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(3, 0, &router4, p, 32, out, 64, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(0, 0, &router4, p, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(7, 0, &router4, p, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(3, 0, &router6, p, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_too_big(100, NULL, p, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_too_big(100, &router4, NULL, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_too_big(100, &router4, p, 32, NULL, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_too_big(100, &router4, p, 32, out, 64, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_too_big(0, &router4, p, 32, out, 64, &len), GRE_ERR_ARG);
    assert_int_equal(gre_icmp_error_encode(3, 0, &router4, p, 0, out, 64, &len), GRE_ERR_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_what_the_oracle_builds),
        cmocka_unit_test(ipv4_sources_that_are_no_single_host_get_no_error),
        cmocka_unit_test(ipv4_multicast_and_broadcast_destinations_get_no_error),
        cmocka_unit_test(icmp_errors_are_never_answered_but_questions_are),
        cmocka_unit_test(later_fragments_are_never_answered_but_first_ones_are),
        cmocka_unit_test(ipv6_errors_keep_the_rules_of_rfc_4443),
        cmocka_unit_test(later_ipv6_fragments_are_told_of_the_mtu_only),
        cmocka_unit_test(what_may_be_fragmented_gets_no_too_big),
        cmocka_unit_test(an_mtu_below_what_every_link_carries_is_raised_to_it),
        cmocka_unit_test(padding_is_not_quoted),
        cmocka_unit_test(cut_and_foreign_packets_get_no_error),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
