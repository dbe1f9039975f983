/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The primitives. Only crypto_*.c knows who computes them.
 */
#ifndef LIBIKEV2_CRYPTO_H
#define LIBIKEV2_CRYPTO_H

#include "internal/alloc.h"
#include "internal/drbg.h"

#include <ikev2/types.h>
#include <stdbool.h>

enum {
    IKEV2__MAX_PRF_BYTES = 64,
    IKEV2__MAX_CIPHER_KEY = 36, /* AES-256-GCM with its salt */
    IKEV2__MAX_INTEG_KEY = 64,
    IKEV2__MAX_IV = 16,
    IKEV2__MAX_ICV = 32,
    IKEV2__MAX_BLOCK = 16,
    IKEV2__MAX_PUBLIC = 512, /* MODP 4096 */
    IKEV2__MAX_PRIVATE = 66, /* P-521 */
    IKEV2__SHA1_BYTES = 20
};

typedef struct ikev2__crypto ikev2__crypto;

typedef struct ikev2__part {
    const uint8_t *bytes;
    size_t len;
} ikev2__part;

ikev2_rc ikev2__crypto_new(const alloc *a, ikev2__crypto **out);
void ikev2__crypto_free(ikev2__crypto *c, const alloc *a);

size_t ikev2__prf_bytes(uint16_t prf);
bool ikev2__prf(ikev2__crypto *c, uint16_t prf, const uint8_t *key, size_t key_len,
                const ikev2__part *parts, size_t count, uint8_t *out);
/* RFC 7296 2.13; seed of at most 4 parts. */
bool ikev2__prf_plus(ikev2__crypto *c, uint16_t prf, const uint8_t *key, size_t key_len,
                     const ikev2__part *seed, size_t count, uint8_t *out, size_t len);
bool ikev2__sha1(ikev2__crypto *c, const uint8_t *bytes, size_t len,
                 uint8_t out[IKEV2__SHA1_BYTES]);

/* A cipher with its integrity: how the parts of an SK payload are sized. */
typedef struct ikev2__cipher {
    uint16_t encr;
    uint16_t integ;
    size_t key_bytes;   /* salt included */
    size_t integ_bytes; /* key of the integrity algorithm; 0 with AEAD */
    size_t iv_bytes;
    size_t icv_bytes;
    size_t block_bytes; /* of padding */
} ikev2__cipher;

bool ikev2__cipher_get(uint16_t encr, uint16_t key_bits, uint16_t integ, ikev2__cipher *out);

/*
 * Seals in place: aad | iv | text | icv lie one after the other. The IV is written from counter
 * (AEAD) or from the generator (CBC, which wants it unpredictable).
 */
bool ikev2__seal(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                 const uint8_t *integ_key, drbg *random, uint64_t counter, uint8_t *message,
                 size_t aad_len, size_t text_len);
/* Opens in place; false: forged, nothing but scratch bytes changed. */
bool ikev2__open(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                 const uint8_t *integ_key, uint8_t *message, size_t aad_len, size_t text_len);

/* Where the encrypted text of a message lies, as its lengths say. */
typedef struct ikev2__sealed {
    size_t aad_len; /* up to the IV */
    size_t text_at;
    size_t text_len; /* padding and pad length included */
    uint16_t number; /* 0: SK, not SKF */
    uint16_t total;
    uint8_t first; /* payload inside */
} ikev2__sealed;

/* Finds the SK or SKF payload of a message whose header is decoded. */
ikev2_rc ikev2__sealed_find(const ikev2__cipher *cipher, const uint8_t *buf, size_t len,
                            uint8_t first_payload, ikev2__sealed *out);
/* Opens it in place; used is the length of the text without its padding. */
ikev2_rc ikev2__sealed_open(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                            const uint8_t *integ_key, uint8_t *message, const ikev2__sealed *sealed,
                            size_t *used);

/* Key exchange. */
size_t ikev2__group_public_bytes(uint16_t group); /* 0: no such group */
size_t ikev2__group_secret_bytes(uint16_t group);
bool ikev2__dh_generate(ikev2__crypto *c, uint16_t group, drbg *random,
                        uint8_t priv[IKEV2__MAX_PRIVATE], uint8_t pub[IKEV2__MAX_PUBLIC]);
/* ERR_KEY: the peer's value is not one of the group (RFC 6989), or of another length. */
ikev2_rc ikev2__dh_shared(ikev2__crypto *c, uint16_t group, const uint8_t priv[IKEV2__MAX_PRIVATE],
                          const uint8_t *peer, size_t peer_len, uint8_t secret[IKEV2__MAX_PUBLIC]);

#endif
