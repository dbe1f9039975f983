/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for libikev2's crypto_*.c where the engine is fuzzed: the same shapes, sizes and
 * refusals, from a mixer that costs nanoseconds. Two ends that exchange keys agree, what was sealed
 * opens, what was changed does not; nothing is secret. The targets *_real replay the same corpora
 * with the real primitives.
 */
#include "libikev2/crypto.h"
#include "standin.h"

#include <ikev2/ikev2.h>

enum { SALT_BYTES = 4, CHACHA_KEY_BYTES = 32, AES_BLOCK_BYTES = 16 };

struct ikev2__crypto {
    uint8_t unused;
};

ikev2_rc ikev2__crypto_new(const alloc *a, ikev2__crypto **out)
{
    if (sodium_init() < 0)
        return IKEV2_ERR_CRYPTO;
    *out = alloc_zero(a, sizeof(**out));
    return *out ? IKEV2_OK : IKEV2_ERR_NOMEM;
}

void ikev2__crypto_free(ikev2__crypto *c, const alloc *a)
{
    alloc_free(a, c);
}

/* ---- Pseudorandom functions and hashes. ---- */

size_t ikev2__prf_bytes(uint16_t prf)
{
    if (prf < IKEV2_PRF_HMAC_SHA2_256 || prf > IKEV2_PRF_HMAC_SHA2_512)
        return 0;
    return 32u + 16u * (prf - IKEV2_PRF_HMAC_SHA2_256);
}

static uint64_t absorb_all(uint64_t state, const uint8_t *key, size_t key_len,
                           const ikev2__part *parts, size_t count)
{
    state = standin_absorb(state, key, key_len);
    for (size_t i = 0; i < count; i++)
        state = standin_absorb(state, parts[i].bytes, parts[i].len);
    return state;
}

bool ikev2__prf(ikev2__crypto *c, uint16_t prf, const uint8_t *key, size_t key_len,
                const ikev2__part *parts, size_t count, uint8_t *out)
{
    (void)c;
    standin_squeeze(absorb_all(prf, key, key_len, parts, count), out, ikev2__prf_bytes(prf));
    return ikev2__prf_bytes(prf) > 0;
}

bool ikev2__prf_plus(ikev2__crypto *c, uint16_t prf, const uint8_t *key, size_t key_len,
                     const ikev2__part *seed, size_t count, uint8_t *out, size_t len)
{
    (void)c;
    standin_squeeze(standin_mix(absorb_all(prf, key, key_len, seed, count)), out, len);
    return len <= 255 * ikev2__prf_bytes(prf);
}

bool ikev2__sha1(ikev2__crypto *c, const uint8_t *bytes, size_t len, uint8_t out[IKEV2__SHA1_BYTES])
{
    (void)c;
    standin_squeeze(standin_absorb(1, bytes, len), out, IKEV2__SHA1_BYTES);
    return true;
}

/* ---- Ciphers. ---- */

bool ikev2__cipher_get(uint16_t encr, uint16_t key_bits, uint16_t integ, ikev2__cipher *out)
{
    const bool cbc = encr == IKEV2_ENCR_AES_CBC;
    const bool chacha = encr == IKEV2_ENCR_CHACHA20_POLY1305;
    if (!cbc && !chacha && encr != IKEV2_ENCR_AES_GCM_16)
        return false;
    if (cbc && (integ < IKEV2_INTEG_HMAC_SHA2_256_128 || integ > IKEV2_INTEG_HMAC_SHA2_512_256))
        return false;
    if (!chacha && key_bits != 128 && key_bits != 256)
        return false;
    *out = (ikev2__cipher){.encr = encr,
                           .integ = integ,
                           .key_bytes = SALT_BYTES + CHACHA_KEY_BYTES,
                           .iv_bytes = 8,
                           .icv_bytes = 16,
                           .block_bytes = 1};
    if (encr == IKEV2_ENCR_AES_GCM_16)
        out->key_bytes = SALT_BYTES + key_bits / 8u;
    if (cbc) {
        out->key_bytes = key_bits / 8u;
        out->integ_bytes = 32u + 16u * (integ - IKEV2_INTEG_HMAC_SHA2_256_128);
        out->iv_bytes = out->block_bytes = AES_BLOCK_BYTES;
        out->icv_bytes = out->integ_bytes / 2;
    }
    return true;
}

static uint64_t text_key(const ikev2__cipher *cipher, const uint8_t *key, const uint8_t *iv)
{
    return standin_absorb(standin_absorb(cipher->encr, key, cipher->key_bytes), iv,
                          cipher->iv_bytes);
}

static void make_icv(const ikev2__cipher *cipher, const uint8_t *key, const uint8_t *integ_key,
                     const uint8_t *message, size_t len, uint8_t icv[IKEV2__MAX_ICV])
{
    uint64_t state = standin_absorb(cipher->integ, key, cipher->key_bytes);
    if (cipher->integ_bytes > 0)
        state = standin_absorb(state, integ_key, cipher->integ_bytes);
    standin_squeeze(standin_absorb(state, message, len), icv, cipher->icv_bytes);
}

bool ikev2__seal(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                 const uint8_t *integ_key, drbg *random, uint64_t counter, uint8_t *message,
                 size_t aad_len, size_t text_len)
{
    (void)c;
    uint8_t *iv = message + aad_len;
    uint8_t *text = iv + cipher->iv_bytes;
    if (cipher->integ_bytes > 0)
        drbg_get(random, iv, cipher->iv_bytes);
    else
        memcpy(iv, &counter, cipher->iv_bytes);
    standin_add_stream(text_key(cipher, key, iv), text, text_len);
    make_icv(cipher, key, integ_key, message, aad_len + cipher->iv_bytes + text_len,
             text + text_len);
    return true;
}

bool ikev2__open(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                 const uint8_t *integ_key, uint8_t *message, size_t aad_len, size_t text_len)
{
    (void)c;
    uint8_t icv[IKEV2__MAX_ICV];
    const uint8_t *iv = message + aad_len;
    uint8_t *text = message + aad_len + cipher->iv_bytes;
    make_icv(cipher, key, integ_key, message, aad_len + cipher->iv_bytes + text_len, icv);
    if (memcmp(icv, text + text_len, cipher->icv_bytes) != 0)
        return false;
    standin_add_stream(text_key(cipher, key, iv), text, text_len);
    return true;
}

/* ---- Key exchange: multiplication modulo 2^64, which commutes. ---- */

static const uint64_t generator = UINT64_C(0x9e3779b97f4a7c15);

static size_t curve_bytes(uint16_t group)
{
    static const size_t bytes[] = {32, 48, 66};
    const bool curve = group >= IKEV2_GROUP_P256 && group <= IKEV2_GROUP_P521;
    return curve ? bytes[group - IKEV2_GROUP_P256] : 0;
}

size_t ikev2__group_public_bytes(uint16_t group)
{
    static const size_t modp[] = {256, 384, 512};
    if (group == IKEV2_GROUP_X25519)
        return 32;
    if (group >= IKEV2_GROUP_MODP_2048 && group <= IKEV2_GROUP_MODP_4096)
        return modp[group - IKEV2_GROUP_MODP_2048];
    return 2 * curve_bytes(group);
}

size_t ikev2__group_secret_bytes(uint16_t group)
{
    return curve_bytes(group) > 0 ? curve_bytes(group) : ikev2__group_public_bytes(group);
}

bool ikev2__dh_generate(ikev2__crypto *c, uint16_t group, drbg *random,
                        uint8_t priv[IKEV2__MAX_PRIVATE], uint8_t pub[IKEV2__MAX_PUBLIC])
{
    (void)c;
    uint64_t exponent;
    const size_t len = ikev2__group_public_bytes(group);
    if (len == 0)
        return false;
    drbg_get(random, priv, sizeof(exponent));
    memcpy(&exponent, priv, sizeof(exponent));
    const uint64_t element = generator * (exponent | 1);
    standin_squeeze(group, pub, len);
    memcpy(pub, &element, sizeof(element));
    return true;
}

ikev2_rc ikev2__dh_shared(ikev2__crypto *c, uint16_t group, const uint8_t priv[IKEV2__MAX_PRIVATE],
                          const uint8_t *peer, size_t peer_len, uint8_t secret[IKEV2__MAX_PUBLIC])
{
    (void)c;
    uint64_t exponent, element;
    if (peer_len == 0 || peer_len != ikev2__group_public_bytes(group))
        return IKEV2_ERR_KEY;
    memcpy(&exponent, priv, sizeof(exponent));
    memcpy(&element, peer, sizeof(element));
    if (element == 0) /* what stands for all that RFC 6989 refuses */
        return IKEV2_ERR_KEY;
    standin_squeeze(element * (exponent | 1), secret, ikev2__group_secret_bytes(group));
    return IKEV2_OK;
}
