/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Contexts, pseudorandom functions and hashes.
 */
#include "crypto_private.h"

#include <openssl/core_names.h>

static const char *const hash_names[IKEV2__HASHES] = {"SHA2-256", "SHA2-384", "SHA2-512"};
static const size_t hash_bytes[IKEV2__HASHES] = {32, 48, 64};

static bool make_macs(ikev2__crypto *c)
{
    c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    for (unsigned i = 0; c->hmac && i < IKEV2__HASHES; i++) {
        char name[16];
        memcpy(name, hash_names[i], strlen(hash_names[i]) + 1);
        const OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
            OSSL_PARAM_construct_end(),
        };
        c->mac[i] = EVP_MAC_CTX_new(c->hmac);
        if (!c->mac[i] || EVP_MAC_CTX_set_params(c->mac[i], params) != 1)
            return false;
    }
    return c->hmac != NULL;
}

static bool make_groups(ikev2__crypto *c)
{
    static const int curves[IKEV2__CURVES] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};
    for (size_t i = 0; i < IKEV2__CURVES; i++) {
        c->curves[i] = EC_GROUP_new_by_curve_name(curves[i]);
        if (!c->curves[i])
            return false;
    }
    c->primes[0] = BN_get_rfc3526_prime_2048(NULL);
    c->primes[1] = BN_get_rfc3526_prime_3072(NULL);
    c->primes[2] = BN_get_rfc3526_prime_4096(NULL);
    return c->primes[0] && c->primes[1] && c->primes[2];
}

ikev2_rc ikev2__crypto_new(const alloc *a, ikev2__crypto **out)
{
    if (sodium_init() < 0)
        return IKEV2_ERR_CRYPTO;
    ikev2__crypto *c = alloc_zero(a, sizeof(*c));
    if (!c)
        return IKEV2_ERR_NOMEM;
    bool ok = make_macs(c) && make_groups(c);
    c->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    c->gcm[0] = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    c->gcm[1] = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    c->cbc[0] = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    c->cbc[1] = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    c->ctx = EVP_CIPHER_CTX_new();
    c->bn = BN_CTX_secure_new();
    ok = ok && c->sha1 && c->gcm[0] && c->gcm[1] && c->cbc[0] && c->cbc[1] && c->ctx && c->bn;
    if (!ok) {
        ikev2__crypto_free(c, a);
        return IKEV2_ERR_CRYPTO;
    }
    *out = c;
    return IKEV2_OK;
}

void ikev2__crypto_free(ikev2__crypto *c, const alloc *a)
{
    if (!c)
        return;
    for (size_t i = 0; i < IKEV2__HASHES; i++)
        EVP_MAC_CTX_free(c->mac[i]);
    EVP_MAC_free(c->hmac);
    EVP_MD_free(c->sha1);
    for (size_t i = 0; i < 2; i++) {
        EVP_CIPHER_free(c->gcm[i]);
        EVP_CIPHER_free(c->cbc[i]);
    }
    EVP_CIPHER_CTX_free(c->ctx);
    BN_CTX_free(c->bn);
    for (size_t i = 0; i < IKEV2__CURVES; i++)
        EC_GROUP_free(c->curves[i]);
    for (size_t i = 0; i < IKEV2__MODPS; i++)
        BN_free(c->primes[i]);
    alloc_free(a, c);
}

bool ikev2__hmac(ikev2__crypto *c, unsigned hash, const uint8_t *key, size_t key_len,
                 const ikev2__part *parts, size_t count, uint8_t *out)
{
    size_t len = 0;
    bool ok = EVP_MAC_init(c->mac[hash], key, key_len, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = parts[i].len == 0 || EVP_MAC_update(c->mac[hash], parts[i].bytes, parts[i].len) == 1;
    return ok && EVP_MAC_final(c->mac[hash], out, &len, hash_bytes[hash]) == 1 &&
           len == hash_bytes[hash];
}

size_t ikev2__prf_bytes(uint16_t prf)
{
    if (prf < IKEV2_PRF_HMAC_SHA2_256 || prf > IKEV2_PRF_HMAC_SHA2_512)
        return 0;
    return hash_bytes[prf - IKEV2_PRF_HMAC_SHA2_256];
}

/* RFC 4868 2.1 */
bool ikev2__prf(ikev2__crypto *c, uint16_t prf, const uint8_t *key, size_t key_len,
                const ikev2__part *parts, size_t count, uint8_t *out)
{
    if (ikev2__prf_bytes(prf) == 0)
        return false;
    return ikev2__hmac(c, prf - IKEV2_PRF_HMAC_SHA2_256, key, key_len, parts, count, out);
}

/* RFC 7296 2.13: T1 = prf(K, S | 0x01), Tn = prf(K, Tn-1 | S | n), at most 255 of them. */
bool ikev2__prf_plus(ikev2__crypto *c, uint16_t prf, const uint8_t *key, size_t key_len,
                     const ikev2__part *seed, size_t count, uint8_t *out, size_t len)
{
    enum { MAX_SEED_PARTS = 4 };
    uint8_t t[IKEV2__MAX_PRF_BYTES];
    ikev2__part parts[MAX_SEED_PARTS + 2];
    const size_t block = ikev2__prf_bytes(prf);
    if (block == 0 || count > MAX_SEED_PARTS || len > 255 * block)
        return false;
    for (size_t i = 0; i < count; i++)
        parts[i + 1] = seed[i];
    bool ok = true;
    uint8_t n = 1;
    for (size_t done = 0; ok && done < len; n++) {
        parts[0] = (ikev2__part){t, n == 1 ? 0 : block};
        parts[count + 1] = (ikev2__part){&n, 1};
        ok = ikev2__prf(c, prf, key, key_len, parts, count + 2, t);
        const size_t take = len - done < block ? len - done : block;
        if (ok)
            memcpy(out + done, t, take);
        done += take;
    }
    sodium_memzero(t, sizeof(t));
    return ok;
}

bool ikev2__sha1(ikev2__crypto *c, const uint8_t *bytes, size_t len, uint8_t out[IKEV2__SHA1_BYTES])
{
    unsigned int n = 0;
    return EVP_Digest(bytes, len, out, &n, c->sha1, NULL) == 1 && n == IKEV2__SHA1_BYTES;
}
