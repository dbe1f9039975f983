/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What protects an SK payload: RFC 5282 and 7634 (AEAD), RFC 3602 with RFC 4868 (CBC and HMAC).
 */
#include "crypto_private.h"
#include "internal/wire.h"

enum {
    SALT_BYTES = 4,
    AEAD_IV_BYTES = 8,
    AEAD_ICV_BYTES = 16,
    AEAD_NONCE_BYTES = 12,
    CHACHA_KEY_BYTES = 32,
    AES_BLOCK_BYTES = 16
};

bool ikev2__cipher_get(uint16_t encr, uint16_t key_bits, uint16_t integ, ikev2__cipher *out)
{
    ikev2__cipher c = {.encr = encr, .integ = integ};
    switch (encr) {
    case IKEV2_ENCR_AES_GCM_16:
    case IKEV2_ENCR_CHACHA20_POLY1305:
        c.key_bytes =
            SALT_BYTES + (encr == IKEV2_ENCR_AES_GCM_16 ? key_bits / 8u : CHACHA_KEY_BYTES);
        c.iv_bytes = AEAD_IV_BYTES;
        c.icv_bytes = AEAD_ICV_BYTES;
        c.block_bytes = 1;
        break;
    case IKEV2_ENCR_AES_CBC:
        if (integ < IKEV2_INTEG_HMAC_SHA2_256_128 || integ > IKEV2_INTEG_HMAC_SHA2_512_256)
            return false;
        c.key_bytes = key_bits / 8u;
        c.integ_bytes = 32u + 16u * (integ - IKEV2_INTEG_HMAC_SHA2_256_128);
        c.iv_bytes = AES_BLOCK_BYTES;
        c.icv_bytes = c.integ_bytes / 2; /* RFC 4868 2.3: half of the hash */
        c.block_bytes = AES_BLOCK_BYTES;
        break;
    default:
        return false;
    }
    if (encr != IKEV2_ENCR_CHACHA20_POLY1305 && key_bits != 128 && key_bits != 256)
        return false;
    *out = c;
    return true;
}

/* RFC 5282 4, RFC 7634 2: nonce = salt from the end of the key, then the IV. */
static void make_nonce(const ikev2__cipher *cipher, const uint8_t *key, const uint8_t *iv,
                       uint8_t nonce[AEAD_NONCE_BYTES])
{
    memcpy(nonce, key + cipher->key_bytes - SALT_BYTES, SALT_BYTES);
    memcpy(nonce + SALT_BYTES, iv, AEAD_IV_BYTES);
}

static const EVP_CIPHER *aes(EVP_CIPHER *const pair[2], size_t key_bytes)
{
    return pair[key_bytes > 16];
}

static bool gcm(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                const uint8_t *nonce, uint8_t *message, size_t aad_len, uint8_t *text, size_t len,
                bool seal)
{
    int n = 0;
    uint8_t *icv = text + len;
    const EVP_CIPHER *alg = aes(c->gcm, cipher->key_bytes - SALT_BYTES);
    bool ok = EVP_CipherInit_ex2(c->ctx, alg, key, nonce, seal, NULL) == 1 &&
              EVP_CipherUpdate(c->ctx, NULL, &n, message, (int)aad_len) == 1 &&
              EVP_CipherUpdate(c->ctx, text, &n, text, (int)len) == 1;
    if (ok && !seal)
        ok = EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_ICV_BYTES, icv) == 1;
    ok = ok && EVP_CipherFinal_ex(c->ctx, text + len, &n) == 1;
    if (ok && seal)
        ok = EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_ICV_BYTES, icv) == 1;
    return ok;
}

static bool cbc(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                const uint8_t *iv, uint8_t *text, size_t len, bool seal)
{
    int n = 0;
    return EVP_CipherInit_ex2(c->ctx, aes(c->cbc, cipher->key_bytes), key, iv, seal, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(c->ctx, 0) == 1 &&
           EVP_CipherUpdate(c->ctx, text, &n, text, (int)len) == 1 && (size_t)n == len;
}

static bool hmac_icv(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *integ_key,
                     const uint8_t *message, size_t len, uint8_t out[IKEV2__MAX_PRF_BYTES])
{
    const ikev2__part part = {message, len};
    return ikev2__hmac(c, cipher->integ - IKEV2_INTEG_HMAC_SHA2_256_128, integ_key,
                       cipher->integ_bytes, &part, 1, out);
}

bool ikev2__seal(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                 const uint8_t *integ_key, drbg *random, uint64_t counter, uint8_t *message,
                 size_t aad_len, size_t text_len)
{
    uint8_t *iv = message + aad_len;
    uint8_t *text = iv + cipher->iv_bytes;
    uint8_t nonce[AEAD_NONCE_BYTES];
    uint8_t icv[IKEV2__MAX_PRF_BYTES];
    if (cipher->encr == IKEV2_ENCR_AES_CBC) {
        drbg_get(random, iv, cipher->iv_bytes);
        const size_t covered = aad_len + cipher->iv_bytes + text_len;
        if (!cbc(c, cipher, key, iv, text, text_len, true) ||
            !hmac_icv(c, cipher, integ_key, message, covered, icv))
            return false;
        memcpy(text + text_len, icv, cipher->icv_bytes);
        return true;
    }
    wire_set_u32(iv, (uint32_t)(counter >> 32));
    wire_set_u32(iv + 4, (uint32_t)counter);
    make_nonce(cipher, key, iv, nonce);
    if (cipher->encr == IKEV2_ENCR_AES_GCM_16)
        return gcm(c, cipher, key, nonce, message, aad_len, text, text_len, true);
    return crypto_aead_chacha20poly1305_ietf_encrypt_detached(text, text + text_len, NULL, text,
                                                              text_len, message, aad_len, NULL,
                                                              nonce, key) == 0;
}

bool ikev2__open(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                 const uint8_t *integ_key, uint8_t *message, size_t aad_len, size_t text_len)
{
    uint8_t *iv = message + aad_len;
    uint8_t *text = iv + cipher->iv_bytes;
    uint8_t nonce[AEAD_NONCE_BYTES];
    uint8_t icv[IKEV2__MAX_PRF_BYTES];
    if (cipher->encr == IKEV2_ENCR_AES_CBC) {
        const size_t covered = aad_len + cipher->iv_bytes + text_len;
        return hmac_icv(c, cipher, integ_key, message, covered, icv) &&
               sodium_memcmp(icv, text + text_len, cipher->icv_bytes) == 0 &&
               cbc(c, cipher, key, iv, text, text_len, false);
    }
    make_nonce(cipher, key, iv, nonce);
    if (cipher->encr == IKEV2_ENCR_AES_GCM_16)
        return gcm(c, cipher, key, nonce, message, aad_len, text, text_len, false);
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               text, NULL, text, text_len, text + text_len, message, aad_len, nonce, key) == 0;
}
