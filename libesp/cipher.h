/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the SA asks of a cryptographic library. A backend is one crypto_*.c file; all produce the
 * same bytes.
 */
#ifndef LIBESP_CIPHER_H
#define LIBESP_CIPHER_H

#include "suite.h"

#include <esp/result.h>
#include <internal/alloc.h>

#define ESP__NONCE_BYTES 12
#define ESP__SALT_BYTES  4
#define ESP__IV_BYTES    8

/* One packet. All lengths were checked. */
typedef struct esp__cipher_job {
    const uint8_t *nonce; /* of an AEAD: salt, then IV */
    const uint8_t *aad;   /* SPI and sequence number, 8 bytes, or 12 with ESN */
    size_t aad_len;
    /*
     * The first head_len bytes of text come from head, the rest of len bytes lie at text already;
     * head_len is 0 or a multiple of 16, so that a block is never split. Opening uses text only.
     * Before text lie the packet's SPI, the low half of its sequence number, and its IV, which
     * sealing with AES-CBC makes.
     */
    const uint8_t *head;
    size_t head_len;
    uint8_t *text;
    size_t len;
    uint8_t *icv; /* right behind text; written by seal, compared by open */
} esp__cipher_job;

/* An esp__cipher is one keyed context, used by one thread at a time. */
typedef struct esp__cipher esp__cipher;

typedef struct esp__cipher_backend {
    const char *name;

    /*
     * ESP_OK, ESP_ERR_NOMEM, or ESP_ERR_CRYPTO where the algorithm is not there. The key is the
     * cipher's, then the integrity's.
     */
    esp_rc (*create)(const alloc *a, const esp__suite *suite, bool sealing, const uint8_t *key,
                     esp__cipher **out);
    void (*destroy)(const alloc *a, esp__cipher *cipher); /* NULL is ignored; wipes the key */

    esp_rc (*seal)(esp__cipher *cipher, const esp__cipher_job *job); /* ESP_OK, ESP_ERR_CRYPTO */
    esp_rc (*open)(esp__cipher *cipher, const esp__cipher_job *job); /* and ESP_ERR_AUTH */
} esp__cipher_backend;

extern const esp__cipher_backend esp__cipher_openssl;      /* AEADs */
extern const esp__cipher_backend esp__cipher_openssl_hmac; /* the others */

#endif
