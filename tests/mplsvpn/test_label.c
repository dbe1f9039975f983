/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <mplsvpn/mplsvpn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t field(vectors *v, const char *name, size_t i)
{
    char full[16];
    snprintf(full, sizeof(full), "%s%zu", name, i);
    return (uint32_t)vectors_number(v, full);
}

/* Oracle: scapy; RFC 3032 2.1 */
static void stacks_agree_with_the_oracle_both_ways(void **state)
{
    (void)state;
    vectors *v = vectors_open("mplsvpn/vectors/stack.txt");
    unsigned records = 0;
    while (vectors_next(v)) {
        size_t len, count = 0, at;
        const uint8_t *bytes = vectors_hex(v, "bytes", &len);
        mplsvpn_label labels[MPLSVPN_STACK_MAX];
        assert_int_equal(mplsvpn_stack_decode(bytes, len, labels, MPLSVPN_STACK_MAX, &count),
                         MPLSVPN_OK);
        assert_int_equal(count, vectors_number(v, "count"));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(labels[i].value, field(v, "label", i));
            assert_int_equal(labels[i].tc, field(v, "tc", i));
            assert_int_equal(labels[i].ttl, field(v, "ttl", i));
            assert_int_equal(labels[i].bottom, i + 1 == count);
        }
        uint8_t buf[80] = {0};
        assert_int_equal(mplsvpn_stack_encode(labels, count, buf, 80, &at), MPLSVPN_OK);
        assert_bytes(buf + at, 80 - at, bytes, len);

        mplsvpn_label one;
        uint8_t entry[4];
        assert_int_equal(mplsvpn_label_decode(bytes, len, &one), MPLSVPN_OK);
        assert_memory_equal(&one, &labels[0], sizeof(one));
        assert_int_equal(mplsvpn_label_encode(&one, entry, 4), MPLSVPN_OK);
        assert_bytes(entry, 4, bytes, 4);
        records++;
    }
    vectors_close(v);
    assert_int_equal(records, 5);
}

static mplsvpn_rc decode(const uint8_t *bytes, size_t len, size_t *count)
{
    mplsvpn_label labels[MPLSVPN_STACK_MAX];
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    const mplsvpn_rc rc = mplsvpn_stack_decode(exact, len, labels, MPLSVPN_STACK_MAX, count);
    free(exact);
    return rc;
}

/* bad-input: label stack without bottom-of-stack before the end */
static void a_stack_without_a_bottom_is_refused(void **state)
{
    (void)state;
    const uint8_t zeros[68] = {0};
    size_t count = 99;
    for (size_t len = 0; len < 4; len++)
        assert_int_equal(decode(zeros, len, &count), MPLSVPN_ERR_TRUNCATED);
    for (size_t len = 4; len < 64; len++)
        assert_int_equal(decode(zeros, len, &count), MPLSVPN_ERR_NO_BOTTOM);
    for (size_t len = 64; len <= 68; len++)
        assert_int_equal(decode(zeros, len, &count), MPLSVPN_ERR_DEPTH);
    assert_int_equal(count, 99);
}

static void whatever_decodes_encodes_to_the_same_bytes(void **state)
{
    (void)state;
    prng p = {5};
    unsigned decoded = 0;
    for (int i = 0; i < 100000; i++) {
        uint8_t in[40], buf[64];
        const size_t len = prng_below(&p, sizeof(in));
        prng_bytes(&p, in, len);
        mplsvpn_label labels[MPLSVPN_STACK_MAX];
        size_t count, at;
        if (mplsvpn_stack_decode(in, len, labels, MPLSVPN_STACK_MAX, &count) != MPLSVPN_OK)
            continue;
        decoded++;
        assert_int_equal(mplsvpn_stack_encode(labels, count, buf, sizeof(buf), &at), MPLSVPN_OK);
        assert_bytes(buf + at, sizeof(buf) - at, in, count * 4);
    }
    assert_true(decoded > 10000);
}

static void whatever_encodes_decodes_to_the_same_entries(void **state)
{
    (void)state;
    prng p = {6};
    for (int i = 0; i < 20000; i++) {
        mplsvpn_label in[MPLSVPN_STACK_MAX], got[MPLSVPN_STACK_MAX];
        uint8_t buf[4 * MPLSVPN_STACK_MAX];
        const size_t count = 1 + prng_below(&p, MPLSVPN_STACK_MAX);
        size_t at, n;
        for (size_t k = 0; k < count; k++)
            in[k] = (mplsvpn_label){.value = prng_below(&p, MPLSVPN_LABEL_LAST + 1),
                                    .tc = (uint8_t)prng_below(&p, 8),
                                    .bottom = k + 1 == count,
                                    .ttl = (uint8_t)prng_below(&p, 256)};
        assert_int_equal(mplsvpn_stack_encode(in, count, buf, sizeof(buf), &at), MPLSVPN_OK);
        assert_int_equal(
            mplsvpn_stack_decode(buf + at, sizeof(buf) - at, got, MPLSVPN_STACK_MAX, &n),
            MPLSVPN_OK);
        assert_int_equal(n, count);
        assert_memory_equal(got, in, count * sizeof(in[0]));
    }
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    mplsvpn_label l = {.value = 16}, stack[17] = {{0}};
    uint8_t buf[80] = {[2] = 1};
    size_t n;
    assert_int_equal(mplsvpn_label_decode(NULL, 4, &l), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_decode(buf, 4, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_decode(buf, 3, &l), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(mplsvpn_label_decode(buf, 0, &l), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(mplsvpn_label_encode(NULL, buf, 4), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_encode(&l, NULL, 4), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_encode(&l, buf, 3), MPLSVPN_ERR_BUFFER);
    l.value = MPLSVPN_LABEL_LAST + 1;
    assert_int_equal(mplsvpn_label_encode(&l, buf, 4), MPLSVPN_ERR_ARG);
    l.value = 1;
    l.tc = 8;
    assert_int_equal(mplsvpn_label_encode(&l, buf, 4), MPLSVPN_ERR_ARG);
    l.tc = 0;
    l.bottom = 2;
    assert_int_equal(mplsvpn_label_encode(&l, buf, 4), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_decode(NULL, 4, stack, 16, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_decode(buf, 4, NULL, 16, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_decode(buf, 4, stack, 16, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_decode(buf, 4, stack, 0, &n), MPLSVPN_ERR_BUFFER);
    assert_int_equal(mplsvpn_stack_encode(NULL, 1, buf, 80, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_encode(stack, 1, NULL, 80, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_encode(stack, 1, buf, 80, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_encode(stack, 17, buf, 80, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_encode(stack, 2, buf, 7, &n), MPLSVPN_ERR_BUFFER);
    stack[0].bottom = 1;
    assert_int_equal(mplsvpn_stack_encode(stack, 2, buf, 80, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_stack_encode(stack, 0, buf, 5, &n), MPLSVPN_OK);
    assert_int_equal(n, 5);
}

static void frozen_structs_have_their_sizes_and_results_their_names(void **state)
{
    (void)state;
    assert_int_equal(sizeof(mplsvpn_label), 8);
    assert_int_equal(sizeof(mplsvpn_packet), 16);
    assert_int_equal(sizeof(mplsvpn_hop), 64);
    for (mplsvpn_rc rc = MPLSVPN_ERR_ADDRESS; rc <= MPLSVPN_ERR_TRUNCATED; rc++)
        assert_string_not_equal(mplsvpn_rc_name(rc), "MPLSVPN_UNKNOWN");
    assert_string_equal(mplsvpn_rc_name(MPLSVPN_ERR_ADDRESS - 1), "MPLSVPN_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_agree_with_the_oracle_both_ways),
        cmocka_unit_test(a_stack_without_a_bottom_is_refused),
        cmocka_unit_test(whatever_decodes_encodes_to_the_same_bytes),
        cmocka_unit_test(whatever_encodes_decodes_to_the_same_entries),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
        cmocka_unit_test(frozen_structs_have_their_sizes_and_results_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
