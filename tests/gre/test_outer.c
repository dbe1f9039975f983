/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/outer.h>
#include <stdlib.h>
#include <string.h>

#define HEADROOM 64

static gre_outer from_vector(vectors *v)
{
    size_t len;
    gre_outer o = {.ttl = (uint8_t)vectors_number(v, "ttl"),
                   .tos = (uint8_t)vectors_number(v, "tos"),
                   .flags = vectors_number(v, "df") ? GRE_OUTER_DONT_FRAGMENT : 0,
                   .identification = (uint16_t)vectors_number(v, "id"),
                   .flow_label = (uint32_t)vectors_number(v, "flow")};
    o.source.family = o.destination.family = (uint8_t)vectors_number(v, "family");
    const uint8_t *bytes = vectors_hex(v, "source", &len);
    memcpy(o.source.bytes, bytes, len);
    bytes = vectors_hex(v, "destination", &len);
    memcpy(o.destination.bytes, bytes, len);
    return o;
}

/* Oracle: scapy; RFC 791 3.1, RFC 8200 3, RFC 7676 4.1 */
static void outer_headers_agree_with_the_oracle_both_ways(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/outer.txt");
    unsigned count = 0;
    while (vectors_next(v)) {
        size_t len, at;
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        const size_t header_len = vectors_number(v, "header_len");
        gre_outer want = from_vector(v);
        uint8_t buf[HEADROOM + 64] = {0};
        memcpy(buf + HEADROOM, packet + header_len, len - header_len);
        assert_int_equal(gre_outer_encode(&want, buf, HEADROOM, len - header_len, &at), GRE_OK);
        assert_bytes(buf + at, HEADROOM - at + len - header_len, packet, len);

        gre_outer got;
        want.header_len = (uint16_t)header_len;
        want.payload_len = (uint16_t)(len - header_len);
        assert_int_equal(gre_outer_decode(packet, len, &got), GRE_OK);
        assert_memory_equal(&got, &want, sizeof(got));
        count++;
    }
    vectors_close(v);
    assert_int_equal(count, 4);
}

/* The first packet of outer.txt, cut after its GRE header. */
#define IPV4_GRE "45000018 00004000 ff2f f862 c0a80101 c0a80102 00000800"

static gre_rc decode_hex(const char *hex, gre_outer *out)
{
    uint8_t bytes[128];
    const size_t len = hex_bytes(hex, bytes, sizeof(bytes));
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    const gre_rc rc = gre_outer_decode(exact, len, out);
    free(exact);
    return rc;
}

static void bytes_beyond_the_total_length_are_padding(void **state)
{
    (void)state;
    gre_outer o;
    assert_int_equal(decode_hex(IPV4_GRE, &o), GRE_OK);
    assert_int_equal(o.payload_len, 4);
    assert_int_equal(decode_hex(IPV4_GRE "00000000", &o), GRE_OK);
    assert_int_equal(o.payload_len, 4);
}

static void malformed_outer_headers_are_refused_precisely(void **state)
{
    (void)state;
    gre_outer o;
    assert_int_equal(decode_hex("", &o), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("45", &o), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("60", &o), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("00000800", &o), GRE_ERR_VERSION);
    /* header length 16; header length 24 of total length 20; total length 25 of 24 */
    assert_int_equal(decode_hex("44000018 00004000 ff2ff962 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_MALFORMED);
    assert_int_equal(decode_hex("46000014 00004000 ff2ff762 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_MALFORMED);
    assert_int_equal(decode_hex("45000019 00004000 ff2ff861 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("45000018 00004000 ff2ff863 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_CHECKSUM);
    /* UDP; the first fragment; a later fragment */
    assert_int_equal(decode_hex("45000018 00004000 ff11f880 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_PROTOCOL);
    assert_int_equal(decode_hex("45000018 00002000 ff2f1863 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_FRAGMENT);
    assert_int_equal(decode_hex("45000018 00000001 ff2f3862 c0a80101 c0a80102 00000800", &o),
                     GRE_ERR_FRAGMENT);
}

#define IPV6_ADDRESSES "20010db8000000000000000000000001 20010db8000000000000000000000002"

/* RFC 7676 4.1; RFC 8200 4 */
static void extension_headers_before_gre_are_passed_over_and_bounded(void **state)
{
    (void)state;
    gre_outer o;
    assert_int_equal(
        decode_hex("60000000 000c 3c ff" IPV6_ADDRESSES "2f00010400000000 000086dd", &o), GRE_OK);
    assert_int_equal(o.header_len, 48);
    assert_int_equal(o.payload_len, 4);
    /* a chain that runs past the packet, and one without an end */
    assert_int_equal(decode_hex("60000000 0008 3c ff" IPV6_ADDRESSES "2f01010400000000", &o),
                     GRE_ERR_MALFORMED);
    char hex[400] = "60000000 0050 3c ff" IPV6_ADDRESSES;
    for (int i = 0; i < 9; i++)
        strcat(hex, "3c00010400000000");
    strcat(hex, "2f00010400000000");
    assert_int_equal(decode_hex(hex, &o), GRE_ERR_MALFORMED);
    /* fragment header: offset 0, more fragments */
    assert_int_equal(
        decode_hex("60000000 000c 2c ff" IPV6_ADDRESSES "2f00000100000001 000086dd", &o),
        GRE_ERR_FRAGMENT);
    /* RFC 8200 4.5: a whole packet in one fragment needs no reassembly */
    assert_int_equal(
        decode_hex("60000000 000c 2c ff" IPV6_ADDRESSES "2f00000000000001 000086dd", &o), GRE_OK);
    assert_int_equal(o.header_len, 48);
    assert_int_equal(o.payload_len, 4);
}

static void every_cut_of_a_packet_is_refused(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/outer.txt");
    while (vectors_next(v)) {
        size_t len;
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        for (size_t cut = 0; cut < len; cut++) {
            uint8_t *exact = malloc(cut ? cut : 1);
            assert_non_null(exact);
            memcpy(exact, packet, cut);
            gre_outer o;
            assert_int_equal(gre_outer_decode(exact, cut, &o), GRE_ERR_TRUNCATED);
            free(exact);
        }
    }
    vectors_close(v);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t buf[HEADROOM] = {0};
    size_t at;
    gre_outer o = {.ttl = 1};
    o.source.family = o.destination.family = GRE_FAMILY_IPV4;
    assert_int_equal(gre_outer_encode(&o, buf, 20, 0, &at), GRE_OK);
    assert_int_equal(gre_outer_encode(&o, buf, 19, 0, &at), GRE_ERR_BUFFER);
    assert_int_equal(gre_outer_encode(NULL, buf, 20, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_outer_encode(&o, NULL, 20, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_outer_encode(&o, buf, 20, 0, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_outer_encode(&o, buf, 20, 65516, &at), GRE_ERR_ARG);
    assert_int_equal(gre_outer_encode(&o, buf, 20, 65515, &at), GRE_OK);
    assert_hex(buf + at + 2, 2, "ffff");
    gre_outer bad = o;
    bad.ttl = 0;
    assert_int_equal(gre_outer_encode(&bad, buf, 20, 0, &at), GRE_ERR_ARG);
    bad = o;
    bad.flow_label = 1;
    assert_int_equal(gre_outer_encode(&bad, buf, 20, 0, &at), GRE_ERR_ARG);
    bad = o;
    bad.flags = 2;
    assert_int_equal(gre_outer_encode(&bad, buf, 20, 0, &at), GRE_ERR_ARG);
    bad = o;
    bad.destination.family = GRE_FAMILY_IPV6;
    assert_int_equal(gre_outer_encode(&bad, buf, 40, 0, &at), GRE_ERR_ARG);
    bad.source.family = GRE_FAMILY_IPV6;
    assert_int_equal(gre_outer_encode(&bad, buf, 40, 0, &at), GRE_OK);
    assert_int_equal(gre_outer_encode(&bad, buf, 39, 0, &at), GRE_ERR_BUFFER);
    bad.flow_label = 0x100000;
    assert_int_equal(gre_outer_encode(&bad, buf, 40, 0, &at), GRE_ERR_ARG);
    bad.flow_label = 0;
    bad.flags = GRE_OUTER_DONT_FRAGMENT;
    assert_int_equal(gre_outer_encode(&bad, buf, 40, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_outer_decode(NULL, 1, &o), GRE_ERR_ARG);
    assert_int_equal(gre_outer_decode(buf, 1, NULL), GRE_ERR_ARG);
    assert_int_equal(sizeof(gre_outer), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outer_headers_agree_with_the_oracle_both_ways),
        cmocka_unit_test(bytes_beyond_the_total_length_are_padding),
        cmocka_unit_test(malformed_outer_headers_are_refused_precisely),
        cmocka_unit_test(extension_headers_before_gre_are_passed_over_and_bounded),
        cmocka_unit_test(every_cut_of_a_packet_is_refused),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
