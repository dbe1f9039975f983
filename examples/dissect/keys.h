/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys, as Wireshark's tables have them: ikev2_decryption_table and esp_sa, a line each.
 */
#ifndef DISSECT_KEYS_H
#define DISSECT_KEYS_H

#include <esp/esp.h>
#include <ikev2/ikev2.h>
#include <stdbool.h>

enum { KEYS_MAX = 65536, KEYS_SECRET_MAX = 64 };

typedef struct ike_keys {
    uint64_t spi_i;
    uint64_t spi_r;
    uint8_t key[2][KEYS_SECRET_MAX]; /* of the initiator, of the responder */
    uint8_t integ_key[2][KEYS_SECRET_MAX];
    size_t key_len;
    size_t integ_key_len;
    uint16_t encr; /* 0: an algorithm that libikev2 does not have */
    uint16_t integ;
} ike_keys;

/* An address of which only some bits count. */
typedef struct address_pattern {
    uint8_t bytes[16];
    uint8_t mask[16];
} address_pattern;

enum { ESN_UNKNOWN, ESN_NO, ESN_YES };

typedef struct esp_keys {
    uint8_t family; /* 0: any */
    address_pattern source;
    address_pattern destination;
    uint32_t spi;
    uint32_t spi_mask;
    uint8_t algorithm; /* 0: one that libesp does not have */
    uint8_t esn;
    uint32_t sequence_high; /* with ESN: of the last packet */
    uint8_t key[ESP_KEYMAT_MAX];
    size_t key_len;
    esp_sa *sa; /* of the last packet that these keys opened, or should have */
    uint32_t sa_spi;
    uint8_t sa_esn;
} esp_keys;

typedef struct key_tables {
    ike_keys *ike;
    size_t ike_count;
    esp_keys *esp;
    size_t esp_count;
} key_tables;

void keys_free(key_tables *k);

/* NULL, or what is wrong with the line. */
const char *keys_add_ike(key_tables *k, const char *line);
const char *keys_add_esp(key_tables *k, const char *line);

/* From index it on; NULL: no more. */
ike_keys *keys_find_ike(const key_tables *k, size_t *it, uint64_t spi_i, uint64_t spi_r);
esp_keys *keys_find_esp(const key_tables *k, size_t *it, uint8_t family, const uint8_t *source,
                        const uint8_t *destination, uint32_t spi);

#endif
