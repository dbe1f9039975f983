/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Contexts that crypto_*.c keep; made once, used by every SA.
 */
#ifndef LIBIKEV2_CRYPTO_PRIVATE_H
#define LIBIKEV2_CRYPTO_PRIVATE_H

#include "crypto.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

enum { IKEV2__HASHES = 3, IKEV2__CURVES = 3, IKEV2__MODPS = 3 };

struct ikev2__crypto {
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac[IKEV2__HASHES]; /* SHA2-256, 384, 512 */
    EVP_MD *sha1;
    EVP_CIPHER *gcm[2]; /* 128, 256 */
    EVP_CIPHER *cbc[2];
    EVP_CIPHER_CTX *ctx;
    BN_CTX *bn;
    EC_GROUP *curves[IKEV2__CURVES];
    BIGNUM *primes[IKEV2__MODPS];
};

/* hash: 0 SHA2-256, 1 SHA2-384, 2 SHA2-512. */
bool ikev2__hmac(ikev2__crypto *c, unsigned hash, const uint8_t *key, size_t key_len,
                 const ikev2__part *parts, size_t count, uint8_t *out);

#endif
