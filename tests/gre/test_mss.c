/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/mtu.h>
#include <stdlib.h>
#include <string.h>

/* Oracle: scapy computes the TCP checksum of the packet before and after. RFC 1624 3 */
static void a_clamped_packet_is_what_the_oracle_would_have_built(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/mss.txt");
    unsigned changed = 0, count = 0;
    while (vectors_next(v)) {
        size_t len, after_len;
        const uint8_t *before = vectors_hex(v, "before", &len);
        const uint8_t *after = vectors_hex(v, "after", &after_len);
        uint8_t buf[256];
        memcpy(buf, before, len);
        const gre_rc rc = gre_mss_clamp(buf, len, (uint16_t)vectors_number(v, "max"));
        assert_int_equal(rc, vectors_number(v, "changed"));
        assert_bytes(buf, len, after, after_len);
        changed += rc == GRE_YES;
        count++;
    }
    vectors_close(v);
    assert_int_equal(changed, 7);
    assert_int_equal(count, 13);
}

/* The first record of mss.txt; TCP options begin at 40. */
#define SYN                                                                                        \
    "4500003c00010000400662ee0a0101650a0202669c4001bb0102030400000000a00220006e300000"             \
    "020405b4010303070402080a0000000100000000"

static void assert_left_alone(const uint8_t *packet, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, packet, len);
    assert_int_equal(gre_mss_clamp(copy, len, 1000), GRE_OK);
    assert_memory_equal(copy, packet, len);
    free(copy);
}

static void malformed_options_are_left_alone(void **state)
{
    (void)state;
    uint8_t p[60];
    hex_bytes(SYN, p, sizeof(p));
    p[41] = 0; /* MSS of length 0, 1, 3, and beyond the header */
    assert_left_alone(p, sizeof(p));
    p[41] = 1;
    assert_left_alone(p, sizeof(p));
    p[41] = 3;
    assert_left_alone(p, sizeof(p));
    p[41] = 21;
    assert_left_alone(p, sizeof(p));
    hex_bytes(SYN, p, sizeof(p));
    p[51] = 11; /* a later option runs past the header: the good one before it stays too */
    assert_left_alone(p, sizeof(p));
    hex_bytes(SYN, p, sizeof(p));
    p[59] = 8; /* the last octet begins an option */
    p[51] = 9;
    assert_left_alone(p, sizeof(p));
}

static void malformed_headers_are_left_alone(void **state)
{
    (void)state;
    uint8_t p[60];
    hex_bytes(SYN, p, sizeof(p));
    p[32] = 0x40; /* TCP header of 16 bytes, then of 44 */
    assert_left_alone(p, sizeof(p));
    p[32] = 0xb0;
    assert_left_alone(p, sizeof(p));
    hex_bytes(SYN, p, sizeof(p));
    p[0] = 0x44;
    assert_left_alone(p, sizeof(p));
    p[0] = 0x55;
    assert_left_alone(p, sizeof(p));
}

/* RFC 4302 3.3.3: a changed packet fails its integrity check */
static void a_syn_behind_an_authentication_header_is_left_alone(void **state)
{
    (void)state;
    uint8_t syn[60], p[40 + 24 + 40];
    hex_bytes(SYN, syn, sizeof(syn));
    hex_bytes("60000000 0040 33 40 20010db8000000000000000000000101"
              "20010db8000000000000000000000102"
              "06040000 00000001 00000001 000000000000000000000000",
              p, sizeof(p));
    memcpy(p + 64, syn + 20, 40);
    assert_left_alone(p, sizeof(p));
    /* The same octets as destination options, and the SYN is clamped. */
    p[6] = 60;
    p[41] = 2;
    assert_int_equal(gre_mss_clamp(p, sizeof(p), 1000), GRE_YES);
}

/* RFC 8200 4.5: only the first fragment begins with the TCP header */
static void a_later_ipv6_fragment_is_left_alone_and_a_first_one_clamped(void **state)
{
    (void)state;
    uint8_t syn[60], p[40 + 8 + 40];
    hex_bytes(SYN, syn, sizeof(syn));
    hex_bytes("60000000 0030 2c 40 20010db8000000000000000000000101"
              "20010db8000000000000000000000102 06000009 00000001",
              p, sizeof(p));
    memcpy(p + 48, syn + 20, 40);
    assert_left_alone(p, sizeof(p));
    p[43] = 1;
    assert_int_equal(gre_mss_clamp(p, sizeof(p), 1000), GRE_YES);
    assert_hex(p + 48 + 22, 2, "03e8");
}

/* RFC 8200 4.4 */
static void a_syn_behind_a_routing_header_is_clamped(void **state)
{
    (void)state;
    uint8_t syn[60], p[40 + 8 + 40];
    hex_bytes(SYN, syn, sizeof(syn));
    hex_bytes("60000000 0030 2b 40 20010db8000000000000000000000101"
              "20010db8000000000000000000000102 06000400 00000000",
              p, sizeof(p));
    memcpy(p + 48, syn + 20, 40);
    assert_int_equal(gre_mss_clamp(p, sizeof(p), 1000), GRE_YES);
}

static void every_cut_of_a_syn_is_left_alone(void **state)
{
    (void)state;
    uint8_t p[60];
    hex_bytes(SYN, p, sizeof(p));
    for (size_t len = 0; len < sizeof(p); len++)
        assert_left_alone(p, len);
}

static void a_wrong_checksum_stays_wrong(void **state)
{
    (void)state;
    uint8_t p[60];
    hex_bytes(SYN, p, sizeof(p));
    p[37] ^= 1;
    assert_int_equal(gre_mss_clamp(p, sizeof(p), 1360), GRE_YES);
    /* From mss.txt: the right one is 6e94. */
    assert_int_equal(p[36] << 8 | p[37], 0x6e95);
}

static void random_packets_never_change_but_for_option_and_checksum(void **state)
{
    (void)state;
    prng r = {7};
    for (int i = 0; i < 200000; i++) {
        uint8_t p[60], q[60];
        hex_bytes(SYN, p, sizeof(p));
        for (uint32_t n = prng_below(&r, 6); n > 0; n--)
            p[prng_below(&r, sizeof(p))] = (uint8_t)prng_below(&r, 256);
        memcpy(q, p, sizeof(p));
        const gre_rc rc = gre_mss_clamp(q, prng_below(&r, sizeof(p) + 1), 1000);
        int differing = 0;
        for (size_t at = 0; at < sizeof(p); at++)
            differing += p[at] != q[at];
        assert_true(rc == GRE_YES ? differing > 0 : differing == 0);
        assert_memory_equal(p, q, 20);
    }
}

/* RFC 6691, RFC 879 */
static void the_mss_of_an_mtu_leaves_room_for_both_headers(void **state)
{
    (void)state;
    assert_int_equal(gre_mss_get(1400, GRE_FAMILY_IPV4), 1360);
    assert_int_equal(gre_mss_get(1400, GRE_FAMILY_IPV6), 1340);
    assert_int_equal(gre_mss_get(40, GRE_FAMILY_IPV4), 0);
    assert_int_equal(gre_mss_get(0, GRE_FAMILY_IPV6), 0);
    assert_int_equal(gre_mss_get(41, GRE_FAMILY_IPV4), 1);
    assert_int_equal(gre_mss_get(65535, GRE_FAMILY_IPV4), 65495);
    assert_int_equal(gre_mss_get(1000000, GRE_FAMILY_IPV4), 65535);
    assert_int_equal(gre_mss_get(1400, GRE_FAMILY_NONE), 0);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t p[1] = {0x45};
    assert_int_equal(gre_mss_clamp(NULL, 1, 1), GRE_ERR_ARG);
    assert_int_equal(gre_mss_clamp(p, 1, 0), GRE_ERR_ARG);
    assert_int_equal(gre_mss_clamp(p, 0, 1), GRE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clamped_packet_is_what_the_oracle_would_have_built),
        cmocka_unit_test(malformed_options_are_left_alone),
        cmocka_unit_test(malformed_headers_are_left_alone),
        cmocka_unit_test(a_syn_behind_an_authentication_header_is_left_alone),
        cmocka_unit_test(a_later_ipv6_fragment_is_left_alone_and_a_first_one_clamped),
        cmocka_unit_test(a_syn_behind_a_routing_header_is_clamped),
        cmocka_unit_test(every_cut_of_a_syn_is_left_alone),
        cmocka_unit_test(a_wrong_checksum_stays_wrong),
        cmocka_unit_test(random_packets_never_change_but_for_option_and_checksum),
        cmocka_unit_test(the_mss_of_an_mtu_leaves_room_for_both_headers),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
