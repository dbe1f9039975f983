/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "suite.h"

#include <esp/sa.h>

enum {
    CLEAR_BYTES = 8, /* SPI, sequence number */
    ALIGNMENT = 4    /* RFC 4303 2.4 */
};

typedef struct cipher {
    uint8_t key_bytes;
    uint8_t salt_bytes;
    uint8_t iv_bytes;
    uint8_t alignment;
    bool aead;
} cipher;

/* RFC 4106 3, 4; RFC 7634 2; RFC 3602 2, 3; RFC 2410 2 */
static const cipher ciphers[] = {
    [ESP_ALGORITHM_AES128_GCM16] = {16, 4, 8, ALIGNMENT, true},
    [ESP_ALGORITHM_AES256_GCM16] = {32, 4, 8, ALIGNMENT, true},
    [ESP_ALGORITHM_CHACHA20_POLY1305] = {32, 4, 8, ALIGNMENT, true},
    [ESP_ALGORITHM_AES128_CBC] = {16, 0, 16, 16, false},
    [ESP_ALGORITHM_AES256_CBC] = {32, 0, 16, 16, false},
    [ESP_ALGORITHM_NULL] = {0, 0, 0, ALIGNMENT, false},
};

typedef struct integrity {
    uint8_t key_bytes;
    uint8_t icv_len;
} integrity;

/* RFC 4868 2.1.1, 2.6 */
static const integrity integrities[] = {
    [ESP_INTEGRITY_NONE] = {0, ESP_ICV_BYTES},
    [ESP_INTEGRITY_HMAC_SHA2_256_128] = {32, 16},
    [ESP_INTEGRITY_HMAC_SHA2_384_192] = {48, 24},
    [ESP_INTEGRITY_HMAC_SHA2_512_256] = {64, 32},
};

bool esp__suite_get(uint8_t algorithm, uint8_t integrity_id, esp__suite *out)
{
    if (algorithm >= sizeof(ciphers) / sizeof(ciphers[0]) || ciphers[algorithm].alignment == 0 ||
        integrity_id >= sizeof(integrities) / sizeof(integrities[0]))
        return false;
    const cipher *c = &ciphers[algorithm];
    const integrity *i = &integrities[integrity_id];
    /* RFC 4303 3.2.3: an AEAD brings its own integrity, and nothing goes without. */
    if (c->aead != (integrity_id == ESP_INTEGRITY_NONE))
        return false;
    *out = (esp__suite){
        .algorithm = algorithm,
        .integrity = integrity_id,
        .aead = c->aead,
        .key_bytes = c->key_bytes,
        .integrity_bytes = i->key_bytes,
        .salt_bytes = c->salt_bytes,
        .header_len = (uint8_t)(CLEAR_BYTES + c->iv_bytes),
        .icv_len = i->icv_len,
        .alignment = c->alignment,
    };
    return true;
}
