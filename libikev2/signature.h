/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures (RFC 7427, 8420, 4754) and certificates. Keys are DER, as the caller and the peer hand
 * them in, and are decoded for each use: a handshake needs each of them once.
 */
#ifndef LIBIKEV2_SIGNATURE_H
#define LIBIKEV2_SIGNATURE_H

#include <ikev2/ask.h>
#include <stdbool.h>

enum {
    IKEV2__MAX_SPKI = 1536,      /* RSA of 8192 bits with any exponent that is taken */
    IKEV2__MAX_SIGNATURE = 1024, /* RSA of 8192 bits */
    IKEV2__MAX_ALGORITHM = 72,   /* AlgorithmIdentifier of RSASSA-PSS */
    IKEV2__KEY_HASH_BYTES = 20   /* RFC 7296 3.7: SHA-1, as a name of a key only */
};

/* Hash algorithms (RFC 7427 7, RFC 8420 4); a set of them has bit 1 << id. */
enum {
    IKEV2__HASH_SHA2_256 = 2,
    IKEV2__HASH_SHA2_384 = 3,
    IKEV2__HASH_SHA2_512 = 4,
    IKEV2__HASH_IDENTITY = 5,
    IKEV2__HASH_END
};

/* Kinds of public keys that are taken. */
enum {
    IKEV2__KEY_NONE,
    IKEV2__KEY_RSA,
    IKEV2__KEY_P256,
    IKEV2__KEY_P384,
    IKEV2__KEY_P521,
    IKEV2__KEY_ED25519
};

/* A SubjectPublicKeyInfo. */
typedef struct ikev2__public_key {
    uint8_t kind;
    size_t len;
    uint8_t spki[IKEV2__MAX_SPKI];
} ikev2__public_key;

/* ---- crypto_sign.c ---- */
/* False: it is no key, one that is too weak, or degenerate; kind is set otherwise. */
bool ikev2__public_key_read(const uint8_t *spki, size_t len, ikev2__public_key *out);
bool ikev2__public_keys_equal(const ikev2__public_key *a, const ikev2__public_key *b);
/* The private key (PKCS #8) belongs to the public one. */
bool ikev2__keys_match(const ikev2__public_key *pub, const ikev2_der *pkcs8);
/* 0: none that the other side's hashes allow. */
uint16_t ikev2__scheme_choose(uint8_t kind, uint8_t hashes, bool pkcs1);
/* The scheme of an AlgorithmIdentifier, or 0; and the other way round, its length. */
uint16_t ikev2__scheme_find(const uint8_t *identifier, size_t len);
size_t ikev2__scheme_identifier(uint16_t scheme, uint8_t out[IKEV2__MAX_ALGORITHM]);
bool ikev2__scheme_fits(uint16_t scheme, uint8_t kind);
/* RFC 4754 3: the scheme of methods 9 to 11 for a key of that kind, or 0. */
uint16_t ikev2__scheme_of_method(uint8_t method, uint8_t kind);
bool ikev2__sign(uint16_t scheme, const ikev2_der *pkcs8, const ikev2_der *octets,
                 uint8_t out[IKEV2__MAX_SIGNATURE], size_t *len);
bool ikev2__signature_ok(uint16_t scheme, const ikev2__public_key *key, const ikev2_der *octets,
                         const uint8_t *signature, size_t len);
/* RFC 4754 7: r | s, each as long as the order; into the DER that the rest uses. */
bool ikev2__signature_from_raw(uint8_t kind, const uint8_t *raw, size_t raw_len,
                               uint8_t out[IKEV2__MAX_SIGNATURE], size_t *len);

/* ---- crypto_cert.c: 0, or IKEV2_REASON_... ---- */
uint16_t ikev2__cert_key(const ikev2_der *cert, ikev2__public_key *out);
uint16_t ikev2__cert_identity(const ikev2_der *cert, const ikev2_identity *id);
/* detail: what libcrypto calls the error. */
uint16_t ikev2__chain_check(const ikev2_der *chain, size_t count, const ikev2_verdict *trust,
                            uint32_t *detail);
bool ikev2__certs_decode(const ikev2_der *certs, size_t count);
bool ikev2__crls_decode(const ikev2_der *crls, size_t count);
bool ikev2__cert_key_hash(const ikev2_der *cert, uint8_t out[IKEV2__KEY_HASH_BYTES]);

#endif
