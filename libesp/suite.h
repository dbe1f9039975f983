/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an algorithm and an integrity make of the packet.
 */
#ifndef LIBESP_SUITE_H
#define LIBESP_SUITE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct esp__suite {
    uint8_t algorithm;
    uint8_t integrity;
    bool aead;
    uint8_t key_bytes;       /* of the cipher */
    uint8_t integrity_bytes; /* of key for the integrity */
    uint8_t salt_bytes;
    uint8_t header_len; /* SPI, sequence number, IV */
    uint8_t icv_len;
    uint8_t alignment;
} esp__suite;

/* False: no such algorithm, or not with that integrity. */
bool esp__suite_get(uint8_t algorithm, uint8_t integrity, esp__suite *out);

#endif
