/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures: which keys and algorithms are taken, making and verifying. Nothing is parsed out of
 * an AlgorithmIdentifier: it is one of those below, byte for byte, or it is refused.
 */
#include "signature.h"

#include <ikev2/message.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

enum {
    MIN_RSA_BITS = 2048,
    MAX_RSA_BITS = 8192,
    MAX_EXPONENT_BITS = 64, /* longer ones only cost the one who verifies */
    MIN_EXPONENT = 5,       /* 3 is what forgers of lax paddings live on */
    MAX_IDENTIFIERS = 4,
    MAX_CURVE_NAME = 32
};

/* RFC 5754 2: parameters are absent, and implementations that put NULL there are accepted. */
#define SHA2_NULL(n)                                                                               \
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n, 0x05, 0x00
#define SHA2_ABSENT(n) 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n
#define OID_PSS        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a
#define OID_MGF1       0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08
#define SALT(n)        0xa2, 0x03, 0x02, 0x01, n
#define TRAILER        0xa3, 0x03, 0x02, 0x01, 0x01

/*
 * RFC 7427 A.4.3, RFC 4055 3.1: the salt as long as the hash, MGF1 with the same hash. The trailer
 * field is the default; RFC 7427 writes it all the same. The first is what we send.
 */
#define PSS(n, salt)                                                                               \
    {                                                                                              \
        {67,                                                                                       \
         {0x30, 0x41, OID_PSS, 0x30, 0x34, 0xa0, 0x0f, SHA2_NULL(n), 0xa1, 0x1c, 0x30, 0x1a,       \
          OID_MGF1, SHA2_NULL(n), SALT(salt)}},                                                    \
            {72,                                                                                   \
             {0x30, 0x46, OID_PSS, 0x30, 0x39, 0xa0, 0x0f, SHA2_NULL(n), 0xa1, 0x1c, 0x30, 0x1a,   \
              OID_MGF1, SHA2_NULL(n), SALT(salt), TRAILER}},                                       \
            {63,                                                                                   \
             {0x30, 0x3d, OID_PSS, 0x30, 0x30, 0xa0, 0x0d, SHA2_ABSENT(n), 0xa1, 0x1a, 0x30, 0x18, \
              OID_MGF1, SHA2_ABSENT(n), SALT(salt)}},                                              \
            {68,                                                                                   \
             {0x30, 0x42, OID_PSS, 0x30, 0x35, 0xa0, 0x0d, SHA2_ABSENT(n), 0xa1, 0x1a, 0x30, 0x18, \
              OID_MGF1, SHA2_ABSENT(n), SALT(salt), TRAILER}},                                     \
    }
/* RFC 7427 A.1.2 to A.1.4 */
#define PKCS1(n)                                                                                   \
    {                                                                                              \
        {                                                                                          \
            15,                                                                                    \
            {                                                                                      \
                0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n, 0x05,   \
                    0x00                                                                           \
            }                                                                                      \
        }                                                                                          \
    }
/* RFC 7427 A.3.2 to A.3.4 */
#define ECDSA(n)                                                                                   \
    {                                                                                              \
        {                                                                                          \
            12,                                                                                    \
            {                                                                                      \
                0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n                \
            }                                                                                      \
        }                                                                                          \
    }
/* RFC 8420 A.1 */
#define ED25519                                                                                    \
    {                                                                                              \
        {                                                                                          \
            7,                                                                                     \
            {                                                                                      \
                0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70                                           \
            }                                                                                      \
        }                                                                                          \
    }

typedef struct identifier {
    uint8_t len;
    uint8_t bytes[IKEV2__MAX_ALGORITHM];
} identifier;

/* How a signature is made; ECDSA goes with any of the three curves. */
enum { FAMILY_RSA_PSS, FAMILY_RSA_PKCS1, FAMILY_ECDSA, FAMILY_ED25519 };

typedef struct scheme {
    uint16_t id;
    uint8_t family;
    uint8_t hash;
    const char *digest;
    identifier identifiers[MAX_IDENTIFIERS];
} scheme;

/* clang-format off */
static const scheme schemes[] = {
    {IKEV2_SIGNATURE_RSA_PSS_SHA2_256, FAMILY_RSA_PSS, IKEV2__HASH_SHA2_256, "SHA2-256", PSS(1, 32)},
    {IKEV2_SIGNATURE_RSA_PSS_SHA2_384, FAMILY_RSA_PSS, IKEV2__HASH_SHA2_384, "SHA2-384", PSS(2, 48)},
    {IKEV2_SIGNATURE_RSA_PSS_SHA2_512, FAMILY_RSA_PSS, IKEV2__HASH_SHA2_512, "SHA2-512", PSS(3, 64)},
    {IKEV2_SIGNATURE_RSA_PKCS1_SHA2_256, FAMILY_RSA_PKCS1, IKEV2__HASH_SHA2_256, "SHA2-256", PKCS1(0x0b)},
    {IKEV2_SIGNATURE_RSA_PKCS1_SHA2_384, FAMILY_RSA_PKCS1, IKEV2__HASH_SHA2_384, "SHA2-384", PKCS1(0x0c)},
    {IKEV2_SIGNATURE_RSA_PKCS1_SHA2_512, FAMILY_RSA_PKCS1, IKEV2__HASH_SHA2_512, "SHA2-512", PKCS1(0x0d)},
    {IKEV2_SIGNATURE_ECDSA_SHA2_256, FAMILY_ECDSA, IKEV2__HASH_SHA2_256, "SHA2-256", ECDSA(2)},
    {IKEV2_SIGNATURE_ECDSA_SHA2_384, FAMILY_ECDSA, IKEV2__HASH_SHA2_384, "SHA2-384", ECDSA(3)},
    {IKEV2_SIGNATURE_ECDSA_SHA2_512, FAMILY_ECDSA, IKEV2__HASH_SHA2_512, "SHA2-512", ECDSA(4)},
    {IKEV2_SIGNATURE_ED25519, FAMILY_ED25519, IKEV2__HASH_IDENTITY, NULL, ED25519},
};
/* clang-format on */

enum { SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

static const scheme *scheme_get(uint16_t id)
{
    for (size_t i = 0; i < SCHEMES; i++)
        if (schemes[i].id == id)
            return &schemes[i];
    return NULL;
}

static bool fits_kind(const scheme *s, uint8_t kind)
{
    switch (kind) {
    case IKEV2__KEY_RSA:
        return s->family == FAMILY_RSA_PSS || s->family == FAMILY_RSA_PKCS1;
    case IKEV2__KEY_P256:
    case IKEV2__KEY_P384:
    case IKEV2__KEY_P521:
        return s->family == FAMILY_ECDSA;
    case IKEV2__KEY_ED25519:
        return s->family == FAMILY_ED25519;
    default:
        return false;
    }
}

uint16_t ikev2__scheme_find(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < SCHEMES; i++)
        for (size_t k = 0; k < MAX_IDENTIFIERS; k++) {
            const identifier *known = &schemes[i].identifiers[k];
            if (known->len > 0 && known->len == len && memcmp(known->bytes, bytes, len) == 0)
                return schemes[i].id;
        }
    return 0;
}

size_t ikev2__scheme_identifier(uint16_t id, uint8_t out[IKEV2__MAX_ALGORITHM])
{
    const scheme *s = scheme_get(id);
    if (!s)
        return 0;
    memcpy(out, s->identifiers[0].bytes, s->identifiers[0].len);
    return s->identifiers[0].len;
}

bool ikev2__scheme_fits(uint16_t id, uint8_t kind)
{
    const scheme *s = scheme_get(id);
    return s && fits_kind(s, kind);
}

uint16_t ikev2__scheme_choose(uint8_t kind, uint8_t hashes, bool pkcs1)
{
    /* The hash that fits the key's strength (RFC 4754 1), or else the next one that is known. */
    const uint8_t preferred = kind == IKEV2__KEY_P384   ? IKEV2__HASH_SHA2_384
                              : kind == IKEV2__KEY_P521 ? IKEV2__HASH_SHA2_512
                                                        : IKEV2__HASH_SHA2_256;
    uint16_t found = 0;
    for (size_t i = 0; i < SCHEMES; i++) {
        const scheme *s = &schemes[i];
        const bool unwanted = s->family == (pkcs1 ? FAMILY_RSA_PSS : FAMILY_RSA_PKCS1);
        if (!fits_kind(s, kind) || unwanted || !(hashes & 1u << s->hash))
            continue;
        if (s->hash == preferred)
            return s->id;
        if (!found)
            found = s->id;
    }
    return found;
}

uint16_t ikev2__scheme_of_method(uint8_t method, uint8_t kind)
{
    if (method == IKEV2_AUTH_ECDSA_256 && kind == IKEV2__KEY_P256)
        return IKEV2_SIGNATURE_ECDSA_SHA2_256;
    if (method == IKEV2_AUTH_ECDSA_384 && kind == IKEV2__KEY_P384)
        return IKEV2_SIGNATURE_ECDSA_SHA2_384;
    if (method == IKEV2_AUTH_ECDSA_521 && kind == IKEV2__KEY_P521)
        return IKEV2_SIGNATURE_ECDSA_SHA2_512;
    return 0;
}

/* ---- Keys ---- */

static bool rsa_ok(const EVP_PKEY *key)
{
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    const int bits = EVP_PKEY_get_bits(key);
    const bool ok = bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(n) &&
                    BN_is_odd(e) && !BN_is_negative(e) && BN_num_bits(e) <= MAX_EXPONENT_BITS &&
                    (BN_num_bits(e) > 3 || BN_get_word(e) >= MIN_EXPONENT);
    BN_free(n);
    BN_free(e);
    return ok;
}

static uint8_t curve_of(const EVP_PKEY *key)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } curves[] = {{"prime256v1", IKEV2__KEY_P256},
                  {"secp384r1", IKEV2__KEY_P384},
                  {"secp521r1", IKEV2__KEY_P521}};
    char name[MAX_CURVE_NAME];
    size_t len = 0;
    int spelled_out = 1;
    /* A curve by its parameters may look like a known one and have another generator. */
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1 ||
        EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &spelled_out) != 1 ||
        spelled_out != 0)
        return IKEV2__KEY_NONE;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(name, curves[i].name) == 0)
            return curves[i].kind;
    return IKEV2__KEY_NONE;
}

static uint8_t kind_of(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA"))
        return rsa_ok(key) ? IKEV2__KEY_RSA : IKEV2__KEY_NONE;
    if (EVP_PKEY_is_a(key, "EC"))
        return curve_of(key);
    return EVP_PKEY_is_a(key, "ED25519") ? IKEV2__KEY_ED25519 : IKEV2__KEY_NONE;
}

static EVP_PKEY *decode_public(const uint8_t *spki, size_t len)
{
    const uint8_t *at = spki;
    EVP_PKEY *key = len <= IKEV2__MAX_SPKI ? d2i_PUBKEY(NULL, &at, (long)len) : NULL;
    if (key && at != spki + len) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static EVP_PKEY *decode_private(const ikev2_der *der)
{
    const uint8_t *at = der->bytes;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der->len);
    EVP_PKEY *key = info && at == der->bytes + der->len ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

bool ikev2__public_key_read(const uint8_t *spki, size_t len, ikev2__public_key *out)
{
    EVP_PKEY *key = decode_public(spki, len);
    const uint8_t kind = key ? kind_of(key) : IKEV2__KEY_NONE;
    EVP_PKEY_free(key);
    if (kind == IKEV2__KEY_NONE)
        return false;
    out->kind = kind;
    out->len = len;
    memcpy(out->spki, spki, len);
    return true;
}

/* EVP_PKEY_eq() answers -1 and -2 where it cannot tell: only 1 is yes. */
static bool same_key(const EVP_PKEY *a, const EVP_PKEY *b)
{
    return a && b && EVP_PKEY_eq(a, b) == 1;
}

bool ikev2__public_keys_equal(const ikev2__public_key *a, const ikev2__public_key *b)
{
    EVP_PKEY *first = decode_public(a->spki, a->len);
    EVP_PKEY *second = decode_public(b->spki, b->len);
    const bool equal = same_key(first, second);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    return equal;
}

bool ikev2__keys_match(const ikev2__public_key *pub, const ikev2_der *pkcs8)
{
    EVP_PKEY *first = decode_public(pub->spki, pub->len);
    EVP_PKEY *second = decode_private(pkcs8);
    const bool equal = same_key(first, second);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    return equal;
}

/* ---- Signatures ---- */

static bool set_padding(const scheme *s, EVP_PKEY_CTX *ctx)
{
    if (s->family == FAMILY_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    if (s->family != FAMILY_RSA_PSS)
        return true;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, s->digest, NULL) == 1;
}

bool ikev2__sign(uint16_t id, const ikev2_der *pkcs8, const ikev2_der *octets,
                 uint8_t out[IKEV2__MAX_SIGNATURE], size_t *len)
{
    const scheme *s = scheme_get(id);
    EVP_PKEY *key = decode_private(pkcs8);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    size_t n = IKEV2__MAX_SIGNATURE;
    const bool ok = s && key && md && fits_kind(s, kind_of(key)) &&
                    EVP_DigestSignInit_ex(md, &ctx, s->digest, NULL, NULL, key, NULL) == 1 &&
                    set_padding(s, ctx) &&
                    EVP_DigestSign(md, out, &n, octets->bytes, octets->len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    if (ok)
        *len = n;
    return ok;
}

bool ikev2__signature_ok(uint16_t id, const ikev2__public_key *pub, const ikev2_der *octets,
                         const uint8_t *signature, size_t len)
{
    const scheme *s = scheme_get(id);
    if (!s || !fits_kind(s, pub->kind) || len == 0)
        return false;
    EVP_PKEY *key = decode_public(pub->spki, pub->len);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    /* A signature of RSA is as long as its modulus, to the byte. */
    const bool length_ok =
        key && (pub->kind != IKEV2__KEY_RSA || len == (size_t)EVP_PKEY_get_size(key));
    /* Errors of EVP_DigestVerify() are 0 and below. */
    const bool ok = length_ok && md &&
                    EVP_DigestVerifyInit_ex(md, &ctx, s->digest, NULL, NULL, key, NULL) == 1 &&
                    set_padding(s, ctx) &&
                    EVP_DigestVerify(md, signature, len, octets->bytes, octets->len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    return ok;
}

bool ikev2__signature_from_raw(uint8_t kind, const uint8_t *raw, size_t raw_len,
                               uint8_t out[IKEV2__MAX_SIGNATURE], size_t *len)
{
    const size_t n = kind == IKEV2__KEY_P256   ? 32
                     : kind == IKEV2__KEY_P384 ? 48
                     : kind == IKEV2__KEY_P521 ? 66
                                               : 0;
    if (n == 0 || raw_len != 2 * n)
        return false;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, (int)n, NULL);
    BIGNUM *s = BN_bin2bn(raw + n, (int)n, NULL);
    bool ok = sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1;
    if (ok) {
        uint8_t *at = out; /* at most 2 * 67 + 9 bytes */
        const int written = i2d_ECDSA_SIG(sig, &at);
        ok = written > 0;
        *len = ok ? (size_t)written : 0;
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return ok;
}
