/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/header.h>
#include <stdlib.h>
#include <string.h>

#define HEADROOM GRE_HEADER_MAX_BYTES

/* Oracle: scapy; RFC 2784 2, RFC 2890 2 */
static void headers_decode_to_what_the_oracle_encoded(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/header.txt");
    unsigned count = 0;
    while (vectors_next(v)) {
        size_t len, payload_len;
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        const uint8_t *payload = vectors_hex(v, "payload", &payload_len);
        gre_header h;
        assert_int_equal(gre_header_decode(packet, len, &h), GRE_OK);
        assert_int_equal(h.protocol, vectors_number(v, "protocol"));
        assert_int_equal(h.flags, vectors_number(v, "flags"));
        assert_int_equal(h.key, vectors_number(v, "key"));
        assert_int_equal(h.sequence, vectors_number(v, "sequence"));
        assert_int_equal(h.header_len, gre_header_get_len(h.flags));
        assert_bytes(packet + h.header_len, len - h.header_len, payload, payload_len);
        count++;
    }
    vectors_close(v);
    assert_int_equal(count, 10);
}

static void headers_encode_to_what_the_oracle_encoded(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/header.txt");
    while (vectors_next(v)) {
        size_t len, payload_len, at = 0;
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        const uint8_t *payload = vectors_hex(v, "payload", &payload_len);
        uint8_t buf[HEADROOM + 64];
        memset(buf, 0xee, sizeof(buf));
        memcpy(buf + HEADROOM, payload, payload_len);
        const gre_header h = {.protocol = (uint16_t)vectors_number(v, "protocol"),
                              .flags = (uint8_t)vectors_number(v, "flags"),
                              .key = (uint32_t)vectors_number(v, "key"),
                              .sequence = (uint32_t)vectors_number(v, "sequence")};
        assert_int_equal(gre_header_encode(&h, buf, HEADROOM, payload_len, &at), GRE_OK);
        assert_bytes(buf + at, HEADROOM + payload_len - at, packet, len);
        for (size_t i = 0; i < at; i++)
            assert_int_equal(buf[i], 0xee);
    }
    vectors_close(v);
}

static gre_rc decode_hex(const char *hex)
{
    uint8_t bytes[64];
    const size_t len = hex_bytes(hex, bytes, sizeof(bytes));
    /* Exactly as long as the packet, so that a sanitizer sees one byte too far. */
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    gre_header h = {.protocol = 0x5555};
    const gre_rc rc = gre_header_decode(exact, len, &h);
    if (rc != GRE_OK)
        assert_int_equal(h.protocol, 0x5555);
    free(exact);
    return rc;
}

/* bad-input: GRE header flags that claim fields beyond the packet */
static void flags_that_claim_fields_beyond_the_packet_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_hex(""), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("00"), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("000008"), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("80000800"), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("20000800 0000 00"), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("10000800 000000"), GRE_ERR_TRUNCATED);
    assert_int_equal(decode_hex("b0000800 00000000 00000000 000000"), GRE_ERR_TRUNCATED);
}

/* bad-input: a source-route list without an end; RFC 2784 2.3: bits 1-5 */
static void source_routing_of_rfc_1701_is_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_hex("40000800 00000000 ffff0004"), GRE_ERR_ROUTING);
    assert_int_equal(decode_hex("c0000800 00000000"), GRE_ERR_ROUTING);
}

/* RFC 2784 2.3 */
static void reserved_bits_4_and_5_are_refused_and_6_to_12_ignored(void **state)
{
    (void)state;
    assert_int_equal(decode_hex("08000800"), GRE_ERR_RESERVED);
    assert_int_equal(decode_hex("04000800"), GRE_ERR_RESERVED);
    for (unsigned bit = 6; bit <= 12; bit++) {
        const uint16_t bits = (uint16_t)(0x8000u >> bit);
        const uint8_t packet[] = {(uint8_t)(bits >> 8), (uint8_t)bits, 0x08, 0x00};
        gre_header h;
        assert_int_equal(gre_header_decode(packet, sizeof(packet), &h), GRE_OK);
        assert_int_equal(h.flags, 0);
        assert_int_equal(h.header_len, 4);
    }
}

/* RFC 2784 2.3.1 */
static void versions_other_than_0_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_hex("3081880b 00000000 00000000 00000000"), GRE_ERR_VERSION);
    assert_int_equal(decode_hex("00070800"), GRE_ERR_VERSION);
}

static void protocol_type_0_is_refused_both_ways(void **state)
{
    (void)state;
    const gre_header h = {.protocol = 0};
    uint8_t buf[HEADROOM];
    size_t at;
    assert_int_equal(decode_hex("00000000"), GRE_ERR_PROTOCOL);
    assert_int_equal(gre_header_encode(&h, buf, HEADROOM, 0, &at), GRE_ERR_PROTOCOL);
}

/* RFC 7676 2.1 */
static void one_flipped_bit_breaks_the_checksum(void **state)
{
    (void)state;
    uint8_t packet[64];
    /* By hand: ~(8000 + 0800 + 0102). The first word has results of its own. */
    const size_t len = hex_bytes("80000800 76fd0000 0102", packet, sizeof(packet));
    gre_header h;
    assert_int_equal(gre_header_decode(packet, len, &h), GRE_OK);
    for (size_t bit = 32; bit < len * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(gre_header_decode(packet, len, &h), GRE_ERR_CHECKSUM);
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* RFC 2784 2.6 */
static void reserved1_is_sent_as_zero_and_ignored_on_receipt(void **state)
{
    (void)state;
    assert_int_equal(decode_hex("80000800 77fe0001"), GRE_OK);
    const gre_header h = {.protocol = 0x0800, .flags = GRE_FLAG_CHECKSUM, .reserved1 = 0xffff};
    uint8_t buf[HEADROOM];
    size_t at;
    assert_int_equal(gre_header_encode(&h, buf, HEADROOM, 0, &at), GRE_OK);
    assert_hex(buf + at, HEADROOM - at, "80000800 77ff0000");
}

static void a_short_headroom_is_told_and_nothing_is_written(void **state)
{
    (void)state;
    const gre_header h = {.protocol = 0x0800, .flags = GRE_FLAG_KEY};
    uint8_t buf[7] = {0};
    size_t at = 99;
    assert_int_equal(gre_header_encode(&h, buf, 7, 0, &at), GRE_ERR_BUFFER);
    assert_int_equal(at, 99);
    assert_hex(buf, sizeof(buf), "00000000000000");
}

static void whatever_decodes_encodes_to_the_same_meaning(void **state)
{
    (void)state;
    prng p = {1};
    unsigned decoded = 0;
    for (int i = 0; i < 200000; i++) {
        uint8_t buf[HEADROOM + 40];
        const size_t len = prng_below(&p, 40);
        prng_bytes(&p, buf + HEADROOM, len);
        /* Random first octets are nearly all refused. */
        if (len > 1 && (i & 3)) {
            buf[HEADROOM] &= 0x33;
            buf[HEADROOM + 1] &= 0xf8;
        }
        gre_header h, again;
        if (gre_header_decode(buf + HEADROOM, len, &h) != GRE_OK)
            continue;
        decoded++;
        size_t at;
        assert_int_equal(
            gre_header_encode(&h, buf, HEADROOM + h.header_len, len - h.header_len, &at), GRE_OK);
        assert_int_equal(at, HEADROOM);
        assert_int_equal(gre_header_decode(buf + at, len, &again), GRE_OK);
        again.checksum = h.checksum;
        again.reserved1 = h.reserved1;
        assert_memory_equal(&again, &h, sizeof(h));
    }
    assert_true(decoded > 10000);
}

static void whatever_encodes_decodes_to_the_same_fields(void **state)
{
    (void)state;
    prng p = {2};
    for (int i = 0; i < 50000; i++) {
        uint8_t buf[HEADROOM + 40];
        const size_t len = prng_below(&p, 41);
        const uint32_t choice = prng_below(&p, 8);
        size_t at;
        gre_header h = {.protocol = (uint16_t)(1 + prng_below(&p, 0xffff))}, got;
        h.flags = (uint8_t)((choice & 1 ? GRE_FLAG_CHECKSUM : 0) | (choice & 2 ? GRE_FLAG_KEY : 0) |
                            (choice & 4 ? GRE_FLAG_SEQUENCE : 0));
        h.key = choice & 2 ? (uint32_t)prng_u64(&p) : 0;
        h.sequence = choice & 4 ? (uint32_t)prng_u64(&p) : 0;
        h.header_len = (uint8_t)gre_header_get_len(h.flags);
        prng_bytes(&p, buf, sizeof(buf));
        assert_int_equal(gre_header_encode(&h, buf, HEADROOM, len, &at), GRE_OK);
        assert_int_equal(gre_header_decode(buf + at, HEADROOM + len - at, &got), GRE_OK);
        got.checksum = 0;
        assert_memory_equal(&got, &h, sizeof(h));
    }
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    gre_header h = {.protocol = 0x0800};
    uint8_t buf[HEADROOM] = {0};
    size_t at;
    assert_int_equal(gre_header_decode(NULL, 4, &h), GRE_ERR_ARG);
    assert_int_equal(gre_header_decode(buf, 4, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_header_decode(buf, 0, &h), GRE_ERR_TRUNCATED);
    assert_int_equal(gre_header_encode(NULL, buf, HEADROOM, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_header_encode(&h, NULL, HEADROOM, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_header_encode(&h, buf, HEADROOM, 0, NULL), GRE_ERR_ARG);
    h.flags = 0x40;
    assert_int_equal(gre_header_encode(&h, buf, HEADROOM, 0, &at), GRE_ERR_ARG);
    assert_int_equal(gre_header_get_len(0), 4);
    assert_int_equal(gre_header_get_len(0xff), 16);
}

static void every_result_has_its_name(void **state)
{
    (void)state;
    for (gre_rc rc = GRE_ERR_LOOP; rc <= GRE_ERR_TRUNCATED; rc++)
        assert_string_not_equal(gre_rc_name(rc), "GRE_UNKNOWN");
    assert_string_equal(gre_rc_name(GRE_ERR_LOOP), "GRE_ERR_LOOP");
    assert_string_equal(gre_rc_name(GRE_ERR_LOOP - 1), "GRE_UNKNOWN");
    assert_int_equal(sizeof(gre_header), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_decode_to_what_the_oracle_encoded),
        cmocka_unit_test(headers_encode_to_what_the_oracle_encoded),
        cmocka_unit_test(flags_that_claim_fields_beyond_the_packet_are_refused),
        cmocka_unit_test(source_routing_of_rfc_1701_is_refused),
        cmocka_unit_test(reserved_bits_4_and_5_are_refused_and_6_to_12_ignored),
        cmocka_unit_test(versions_other_than_0_are_refused),
        cmocka_unit_test(protocol_type_0_is_refused_both_ways),
        cmocka_unit_test(one_flipped_bit_breaks_the_checksum),
        cmocka_unit_test(reserved1_is_sent_as_zero_and_ignored_on_receipt),
        cmocka_unit_test(a_short_headroom_is_told_and_nothing_is_written),
        cmocka_unit_test(whatever_decodes_encodes_to_the_same_meaning),
        cmocka_unit_test(whatever_encodes_decodes_to_the_same_fields),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
        cmocka_unit_test(every_result_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
