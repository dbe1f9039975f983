/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include "internal/drbg.h"

static void the_same_seed_gives_the_same_bytes_and_another_seed_others(void **state)
{
    (void)state;
    const uint8_t one[32] = {1}, two[32] = {2};
    uint8_t a[100], b[100], c[100];
    drbg d;

    drbg_init(&d, one);
    drbg_get(&d, a, sizeof(a));
    drbg_init(&d, one);
    drbg_get(&d, b, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    drbg_get(&d, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    drbg_init(&d, two);
    drbg_get(&d, c, sizeof(c));
    assert_memory_not_equal(a, c, sizeof(a));
}

static void every_byte_of_a_reseed_counts_and_so_does_the_past(void **state)
{
    (void)state;
    const uint8_t one[32] = {1}, two[32] = {2};
    uint8_t plain[32], other[32];
    drbg d;

    drbg_init(&d, one);
    drbg_reseed(&d, two);
    drbg_get(&d, plain, sizeof(plain));
    for (size_t i = 0; i < sizeof(two); i++) {
        uint8_t seed[32] = {2};
        seed[i] ^= 0x80;
        drbg_init(&d, one);
        drbg_reseed(&d, seed);
        drbg_get(&d, other, sizeof(other));
        assert_memory_not_equal(plain, other, sizeof(plain));
    }
    drbg_init(&d, two);
    drbg_reseed(&d, two);
    drbg_get(&d, other, sizeof(other));
    assert_memory_not_equal(plain, other, sizeof(plain));
}

static void numbers_below_a_bound_reach_all_of_them(void **state)
{
    (void)state;
    const uint8_t seed[32] = {3};
    bool seen[7] = {false};
    drbg d;

    drbg_init(&d, seed);
    for (int i = 0; i < 500; i++) {
        const uint32_t v = drbg_below(&d, 7);
        assert_true(v < 7);
        seen[v] = true;
    }
    for (int i = 0; i < 7; i++)
        assert_true(seen[i]);
    assert_int_equal(drbg_below(&d, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_seed_others),
        cmocka_unit_test(every_byte_of_a_reseed_counts_and_so_does_the_past),
        cmocka_unit_test(numbers_below_a_bound_reach_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
