/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/mtu.h>
#include <stdio.h>
#include <string.h>

/* Oracle: scapy's fragment(); RFC 791 3.2 */
static void fragments_are_those_of_the_oracle(void **state)
{
    (void)state;
    vectors *v = vectors_open("gre/vectors/fragment.txt");
    unsigned records = 0;
    while (vectors_next(v)) {
        size_t len, it = 0;
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        const uint32_t mtu = (uint32_t)vectors_number(v, "mtu");
        uint8_t out[1500];
        size_t out_len;
        for (unsigned i = 0; i < vectors_number(v, "count"); i++) {
            char name[16];
            size_t part_len;
            snprintf(name, sizeof(name), "part%u", i);
            const uint8_t *part = vectors_hex(v, name, &part_len);
            const size_t before = it;
            assert_int_equal(gre_fragment_next(packet, len, mtu, &it, out, part_len - 1, &out_len),
                             GRE_ERR_BUFFER);
            assert_int_equal(it, before);
            assert_int_equal(out_len, part_len);
            assert_int_equal(gre_fragment_next(packet, len, mtu, &it, out, sizeof(out), &out_len),
                             GRE_YES);
            assert_bytes(out, out_len, part, part_len);
        }
        assert_int_equal(gre_fragment_next(packet, len, mtu, &it, out, sizeof(out), &out_len),
                         GRE_OK);
        records++;
    }
    vectors_close(v);
    assert_int_equal(records, 4);
}

/* RFC 791 3.1: the copied flag. Record route (7) is not copied, so later fragments have NOPs. */
static void options_that_are_not_copied_become_padding_in_later_fragments(void **state)
{
    (void)state;
    uint8_t packet[200] = {0}, out[100];
    hex_bytes("470000c8 00010000 40110000 0a010165 0a020266 0107070400000000", packet, 28);
    size_t it = 0, len;
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 100, &len), GRE_YES);
    assert_hex(out + 20, 8, "0107070400000000");
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 100, &len), GRE_YES);
    assert_hex(out + 20, 8, "0101010101010101");
}

/* RFC 791 3.2: a fragment of a fragment keeps MF and counts from its own offset */
static void a_fragment_is_fragmented_again(void **state)
{
    (void)state;
    uint8_t packet[148] = {0}, out[100];
    hex_bytes("45000094 00012005 40110000 0a010165 0a020266", packet, 20);
    size_t it = 0, len;
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 100, &len), GRE_YES);
    assert_hex(out + 2, 6, "0064 0001 2005");
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 100, &len), GRE_YES);
    assert_hex(out + 2, 6, "0044 0001 200f");
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 100, &len), GRE_OK);
    hex_bytes("45000094 00011fff 40110000 0a010165 0a020266", packet, 20);
    it = 0;
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 100, &len),
                     GRE_ERR_MALFORMED);
}

/* RFC 791 3.1: an option's length counts the whole option, and ends with the header at the latest
 */
static void malformed_options_are_found_before_the_first_fragment_is_out(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "46000094 00010000 40110000 0a010165 0a020266 07000000", /* length 0 */
        "46000094 00010000 40110000 0a010165 0a020266 07010000", /* length 1 */
        "46000094 00010000 40110000 0a010165 0a020266 07050000", /* beyond the header */
        "46000094 00010000 40110000 0a010165 0a020266 01010107", /* no room for a length */
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        uint8_t packet[148] = {0}, out[148] = {0};
        const uint8_t zeros[sizeof(out)] = {0};
        size_t it = 0, len;
        hex_bytes(headers[i], packet, 24);
        assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 148, &len),
                         GRE_ERR_MALFORMED);
        assert_int_equal(it, 0);
        assert_memory_equal(out, zeros, sizeof(out));
        /* What fits goes out as it is: options are the receiver's to judge. */
        assert_int_equal(gre_fragment_next(packet, sizeof(packet), 148, &it, out, 148, &len),
                         GRE_YES);
        assert_int_equal(len, 148);
    }
}

/* RFC 791 3.2: all fragments but the last carry a multiple of eight octets */
static void a_fragment_with_more_to_come_and_an_odd_length_is_malformed(void **state)
{
    (void)state;
    uint8_t packet[148] = {0}, out[148];
    size_t it = 0, len;
    hex_bytes("45000093 00012005 40110000 0a010165 0a020266", packet, 20);
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 148, &len),
                     GRE_ERR_MALFORMED);
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 148, &it, out, 148, &len),
                     GRE_ERR_MALFORMED);
    packet[6] = 0; /* the last one may have any length */
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 148, &it, out, 148, &len), GRE_YES);
}

static void what_must_not_be_fragmented_is_not(void **state)
{
    (void)state;
    uint8_t packet[148] = {0}, out[150];
    size_t it = 0, len;
    hex_bytes("45000094 00014000 40110000 0a010165 0a020266", packet, 20);
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 150, &len),
                     GRE_ERR_TOO_BIG);
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 148, &it, out, 150, &len), GRE_YES);
    packet[0] = 0x60;
    it = 0;
    assert_int_equal(gre_fragment_next(packet, sizeof(packet), 100, &it, out, 150, &len),
                     GRE_ERR_VERSION);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t packet[148] = {0}, out[150];
    size_t it = 0, len;
    hex_bytes("45000094 00010000 40110000 0a010165 0a020266", packet, 20);
    assert_int_equal(gre_fragment_next(NULL, 148, 100, &it, out, 150, &len), GRE_ERR_ARG);
    assert_int_equal(gre_fragment_next(packet, 148, 100, NULL, out, 150, &len), GRE_ERR_ARG);
    assert_int_equal(gre_fragment_next(packet, 148, 100, &it, NULL, 150, &len), GRE_ERR_ARG);
    assert_int_equal(gre_fragment_next(packet, 148, 100, &it, out, 150, NULL), GRE_ERR_ARG);
    assert_int_equal(gre_fragment_next(packet, 148, 67, &it, out, 150, &len), GRE_ERR_ARG);
    assert_int_equal(gre_fragment_next(packet, 147, 100, &it, out, 150, &len), GRE_ERR_TRUNCATED);
    assert_int_equal(gre_fragment_next(packet, 0, 100, &it, out, 150, &len), GRE_ERR_TRUNCATED);
    it = 4;
    assert_int_equal(gre_fragment_next(packet, 148, 100, &it, out, 150, &len), GRE_ERR_ARG);
    it = 1000;
    assert_int_equal(gre_fragment_next(packet, 148, 100, &it, out, 150, &len), GRE_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_are_those_of_the_oracle),
        cmocka_unit_test(options_that_are_not_copied_become_padding_in_later_fragments),
        cmocka_unit_test(a_fragment_is_fragmented_again),
        cmocka_unit_test(malformed_options_are_found_before_the_first_fragment_is_out),
        cmocka_unit_test(a_fragment_with_more_to_come_and_an_odd_length_is_malformed),
        cmocka_unit_test(what_must_not_be_fragmented_is_not),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
