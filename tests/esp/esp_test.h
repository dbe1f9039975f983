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

static const uint8_t test_algorithms[] = {
    ESP_ALGORITHM_AES128_GCM16,
    ESP_ALGORITHM_AES256_GCM16,
    ESP_ALGORITHM_CHACHA20_POLY1305,
};

static inline size_t test_keymat_len(uint8_t algorithm)
{
    return algorithm == ESP_ALGORITHM_AES128_GCM16 ? 20 : 36;
}

static inline esp_sa_config test_config(uint8_t direction, uint8_t algorithm)
{
    esp_sa_config cfg;
    esp_sa_config_init(&cfg);
    cfg.direction = direction;
    cfg.algorithm = algorithm;
    cfg.spi = TEST_SPI;
    cfg.keymat = test_keymat;
    cfg.keymat_len = test_keymat_len(algorithm);
    return cfg;
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
 * included. Made by libcrypto alone from what cfg says. Returns its length.
 */
size_t craft(const esp_sa_config *cfg, uint64_t sequence, const uint8_t *plain, size_t len,
             uint8_t out[TEST_ROOM]);

/* The same around a payload of one byte (number mod 256), well padded, next header 47. */
size_t craft_numbered(const esp_sa_config *cfg, uint64_t sequence, uint8_t out[TEST_ROOM]);

#endif
