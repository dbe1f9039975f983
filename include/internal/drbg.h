/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A deterministic random bit generator: ChaCha20 with fast key erasure. Each call makes 32 bytes
 * more than it was asked for, and they replace the key, so that a stolen state does not tell what
 * was drawn before it. Also the keyed hash for tables whose keys a peer chooses.
 */
#ifndef INTERNAL_DRBG_H
#define INTERNAL_DRBG_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DRBG_SEED_BYTES 32

typedef struct drbg {
    uint8_t key[DRBG_SEED_BYTES];
} drbg;

static inline void drbg_init(drbg *d, const uint8_t seed[DRBG_SEED_BYTES])
{
    memcpy(d->key, seed, DRBG_SEED_BYTES);
}

static inline void drbg_get(drbg *d, uint8_t *out, size_t len)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    uint8_t block[2 * DRBG_SEED_BYTES];

    /* One ChaCha20 block: 32 bytes of next key, 32 bytes that key the output stream. */
    crypto_stream_chacha20(block, sizeof(block), nonce, d->key);
    memcpy(d->key, block, DRBG_SEED_BYTES);
    if (len <= DRBG_SEED_BYTES)
        memcpy(out, block + DRBG_SEED_BYTES, len);
    else
        crypto_stream_chacha20(out, len, nonce, block + DRBG_SEED_BYTES);
    sodium_memzero(block, sizeof(block));
}

/* Mixes fresh entropy in; what was there before still counts. */
static inline void drbg_reseed(drbg *d, const uint8_t seed[DRBG_SEED_BYTES])
{
    static const uint8_t input[crypto_core_hchacha20_INPUTBYTES] = {0};
    uint8_t mixed[DRBG_SEED_BYTES];
    drbg_get(d, mixed, sizeof(mixed));
    for (size_t i = 0; i < sizeof(mixed); i++)
        mixed[i] ^= seed[i];
    crypto_core_hchacha20(d->key, input, mixed, NULL);
    sodium_memzero(mixed, sizeof(mixed));
}

static inline uint32_t drbg_u32(drbg *d)
{
    uint8_t b[4];
    drbg_get(d, b, sizeof(b));
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A number below bound, each as likely; bound 0 yields 0. */
static inline uint32_t drbg_below(drbg *d, uint32_t bound)
{
    if (bound == 0)
        return 0;
    const uint32_t refuse = (uint32_t)(-bound) % bound;
    uint32_t v;
    do
        v = drbg_u32(d);
    while (v < refuse);
    return v % bound;
}

static inline uint64_t drbg_hash(const uint8_t key[crypto_shorthash_KEYBYTES], const void *data,
                                 size_t len)
{
    uint8_t h[crypto_shorthash_BYTES];
    uint64_t v = 0;
    crypto_shorthash(h, data, len, key);
    for (size_t i = 0; i < sizeof(h); i++)
        v = v << 8 | h[i];
    return v;
}

#endif
