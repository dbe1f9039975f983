/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of libesp share: SAs in pairs, and packets whose plaintext is the test's own, so
 * that a test can make what no sender would.
 */
#ifndef ESP_TEST_H
#define ESP_TEST_H

#include "harness.h"

#include <esp/esp.h>
#include <string.h>

#define TEST_SPI  0x1000u
#define TEST_ROOM 2048

static const uint8_t test_keymat[ESP_KEYMAT_MAX] = {
    0x4c, 0x80, 0xcd, 0xef, 0xbb, 0x5d, 0x10, 0xda, 0x90, 0x6a, 0xc7, 0x3c,
    0x36, 0x13, 0xa6, 0x34, 0x2e, 0x44, 0x3b, 0x68, 0x01, 0x02, 0x03, 0x04,
    0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10,
};

typedef struct test_suite {
    uint8_t algorithm;
    uint8_t integrity;
    uint8_t keymat_len;
    uint8_t header_len;
    uint8_t icv_len;
    uint8_t alignment;
} test_suite;

/* RFC 4106 3, 4, 8.1; RFC 7634 2; RFC 3602 2.4, 3; RFC 2410; RFC 4868 2.1.1, 2.3 */
static const test_suite test_suites[] = {
    {ESP_ALGORITHM_AES128_GCM16, ESP_INTEGRITY_NONE, 20, 16, 16, 4},
    {ESP_ALGORITHM_AES256_GCM16, ESP_INTEGRITY_NONE, 36, 16, 16, 4},
    {ESP_ALGORITHM_CHACHA20_POLY1305, ESP_INTEGRITY_NONE, 36, 16, 16, 4},
    {ESP_ALGORITHM_AES128_CBC, ESP_INTEGRITY_HMAC_SHA2_256_128, 48, 24, 16, 16},
    {ESP_ALGORITHM_AES256_CBC, ESP_INTEGRITY_HMAC_SHA2_512_256, 96, 24, 32, 16},
    {ESP_ALGORITHM_NULL, ESP_INTEGRITY_HMAC_SHA2_384_192, 48, 8, 24, 4},
};

enum { TEST_SUITES = sizeof(test_suites) / sizeof(test_suites[0]) };

static inline esp_sa_config test_config_of(uint8_t direction, const test_suite *suite)
{
    esp_sa_config cfg;
    esp_sa_config_init(&cfg);
    cfg.direction = direction;
    cfg.algorithm = suite->algorithm;
    cfg.integrity = suite->integrity;
    cfg.spi = TEST_SPI;
    cfg.keymat = test_keymat;
    cfg.keymat_len = suite->keymat_len;
    return cfg;
}

static inline esp_sa_config test_config(uint8_t direction, uint8_t algorithm)
{
    size_t k = 0;
    while (k < TEST_SUITES && test_suites[k].algorithm != algorithm)
        k++;
    assert_true(k < TEST_SUITES);
    return test_config_of(direction, &test_suites[k]);
}

static inline esp_sa *test_sa(const esp_sa_config *cfg)
{
    esp_sa *sa = NULL;
    assert_int_equal(esp_sa_new(cfg, &sa), ESP_OK);
    assert_non_null(sa);
    return sa;
}

static inline esp_sa *test_sa_plain(uint8_t direction)
{
    const esp_sa_config cfg = test_config(direction, ESP_ALGORITHM_AES128_GCM16);
    return test_sa(&cfg);
}

static inline esp_sa_counters test_counters(const esp_sa *sa)
{
    esp_sa_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(esp_sa_get_counters(sa, &c), ESP_OK);
    return c;
}

/*
 * An ESP packet with an ICV that is right, around any plaintext, its padding and its last two bytes
 * included; with AES-CBC it is a multiple of 16 bytes. Made by libcrypto alone from what cfg says.
 * Returns its length.
 */
size_t craft(const esp_sa_config *cfg, uint64_t sequence, const uint8_t *plain, size_t len,
             uint8_t out[TEST_ROOM]);

/* The same around a payload of 13 bytes of (number mod 256), well padded, next header 47. */
size_t craft_numbered(const esp_sa_config *cfg, uint64_t sequence, uint8_t out[TEST_ROOM]);

#endif
