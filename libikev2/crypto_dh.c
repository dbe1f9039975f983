/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key exchange. Private keys come from the engine's generator. RFC 6989: whatever the peer sends is
 * proved to be an element of the group before it is used.
 */
#include "crypto_private.h"

enum {
    X25519_BYTES = 32,
    MODP_EXPONENT_BYTES = 64, /* twice the strength of the largest group, and more */
    DRAWS = 64                /* each curve scalar is in range with probability above 1/2 */
};

static bool is_modp(uint16_t group)
{
    return group >= IKEV2_GROUP_MODP_2048 && group <= IKEV2_GROUP_MODP_4096;
}

static bool is_curve(uint16_t group)
{
    return group >= IKEV2_GROUP_P256 && group <= IKEV2_GROUP_P521;
}

/* Bytes of a coordinate or scalar. */
static size_t curve_bytes(uint16_t group)
{
    static const size_t bytes[IKEV2__CURVES] = {32, 48, 66};
    return bytes[group - IKEV2_GROUP_P256];
}

size_t ikev2__group_public_bytes(uint16_t group)
{
    static const size_t modp[IKEV2__MODPS] = {256, 384, 512};
    if (group == IKEV2_GROUP_X25519)
        return X25519_BYTES;
    if (is_curve(group))
        return 2 * curve_bytes(group); /* RFC 5903 7: x | y */
    return is_modp(group) ? modp[group - IKEV2_GROUP_MODP_2048] : 0;
}

size_t ikev2__group_secret_bytes(uint16_t group)
{
    return is_curve(group) ? curve_bytes(group) : ikev2__group_public_bytes(group);
}

static bool draw_scalar(const BIGNUM *order, size_t bytes, drbg *random, BIGNUM *d, uint8_t *priv)
{
    const int spare = (int)(bytes * 8) - BN_num_bits(order);
    for (int i = 0; i < DRAWS; i++) {
        drbg_get(random, priv, bytes);
        priv[0] &= (uint8_t)(0xff >> spare);
        if (!BN_bin2bn(priv, (int)bytes, d))
            return false;
        if (!BN_is_zero(d) && BN_cmp(d, order) < 0)
            return true;
    }
    return false;
}

static bool curve_generate(ikev2__crypto *c, uint16_t group, drbg *random, uint8_t *priv,
                           uint8_t *pub)
{
    const EC_GROUP *g = c->curves[group - IKEV2_GROUP_P256];
    const size_t n = curve_bytes(group);
    EC_POINT *point = EC_POINT_new(g);
    BN_CTX_start(c->bn);
    BIGNUM *d = BN_CTX_get(c->bn);
    BIGNUM *x = BN_CTX_get(c->bn);
    BIGNUM *y = BN_CTX_get(c->bn);
    bool ok = point && y && draw_scalar(EC_GROUP_get0_order(g), n, random, d, priv);
    if (ok) {
        BN_set_flags(d, BN_FLG_CONSTTIME);
        ok = EC_POINT_mul(g, point, d, NULL, NULL, c->bn) == 1 &&
             EC_POINT_get_affine_coordinates(g, point, x, y, c->bn) == 1 &&
             BN_bn2binpad(x, pub, (int)n) == (int)n && BN_bn2binpad(y, pub + n, (int)n) == (int)n;
        BN_clear(d);
    }
    BN_CTX_end(c->bn);
    EC_POINT_clear_free(point);
    return ok;
}

static ikev2_rc curve_shared(ikev2__crypto *c, uint16_t group, const uint8_t *priv,
                             const uint8_t *peer, uint8_t *secret)
{
    const EC_GROUP *g = c->curves[group - IKEV2_GROUP_P256];
    const size_t n = curve_bytes(group);
    EC_POINT *point = EC_POINT_new(g);
    BN_CTX_start(c->bn);
    BIGNUM *d = BN_CTX_get(c->bn);
    BIGNUM *x = BN_CTX_get(c->bn);
    BIGNUM *y = BN_CTX_get(c->bn);
    ikev2_rc rc = IKEV2_ERR_CRYPTO;
    if (point && y && BN_bin2bn(peer, (int)n, x) && BN_bin2bn(peer + n, (int)n, y)) {
        /* RFC 6989 2.3: coordinates below the prime and a point on the curve: libcrypto checks. */
        rc = IKEV2_ERR_KEY;
        if (EC_POINT_set_affine_coordinates(g, point, x, y, c->bn) == 1 &&
            EC_POINT_is_on_curve(g, point, c->bn) == 1 && EC_POINT_is_at_infinity(g, point) == 0) {
            rc = IKEV2_ERR_CRYPTO;
            if (BN_bin2bn(priv, (int)n, d)) {
                BN_set_flags(d, BN_FLG_CONSTTIME);
                if (EC_POINT_mul(g, point, NULL, point, d, c->bn) == 1 &&
                    EC_POINT_get_affine_coordinates(g, point, x, y, c->bn) == 1 &&
                    BN_bn2binpad(x, secret, (int)n) == (int)n)
                    rc = IKEV2_OK;
                BN_clear(d);
                BN_clear(x);
                BN_clear(y);
            }
        }
    }
    BN_CTX_end(c->bn);
    EC_POINT_clear_free(point);
    return rc;
}

/* base NULL: the generator, 2. */
static ikev2_rc modp_power(ikev2__crypto *c, uint16_t group, const uint8_t *base,
                           const uint8_t *priv, uint8_t *out)
{
    const BIGNUM *p = c->primes[group - IKEV2_GROUP_MODP_2048];
    const int n = (int)ikev2__group_public_bytes(group);
    BN_CTX_start(c->bn);
    BIGNUM *g = BN_CTX_get(c->bn);
    BIGNUM *x = BN_CTX_get(c->bn);
    BIGNUM *limit = BN_CTX_get(c->bn);
    BIGNUM *r = BN_CTX_get(c->bn);
    ikev2_rc rc = IKEV2_ERR_CRYPTO;
    const bool have = r && BN_copy(limit, p) && BN_sub_word(limit, 1) &&
                      (base ? BN_bin2bn(base, n, g) != NULL : BN_set_word(g, 2) == 1);
    if (have) {
        /* RFC 6989 2.1: 1 < g^x < p - 1. */
        if (BN_is_zero(g) || BN_is_one(g) || BN_cmp(g, limit) >= 0) {
            rc = IKEV2_ERR_KEY;
        } else if (BN_bin2bn(priv, MODP_EXPONENT_BYTES, x)) {
            BN_set_flags(x, BN_FLG_CONSTTIME);
            if (BN_mod_exp(r, g, x, p, c->bn) == 1 && BN_bn2binpad(r, out, n) == n)
                rc = IKEV2_OK;
        }
        BN_clear(x);
        BN_clear(r);
    }
    BN_CTX_end(c->bn);
    return rc;
}

bool ikev2__dh_generate(ikev2__crypto *c, uint16_t group, drbg *random,
                        uint8_t priv[IKEV2__MAX_PRIVATE], uint8_t pub[IKEV2__MAX_PUBLIC])
{
    if (group == IKEV2_GROUP_X25519) {
        drbg_get(random, priv, X25519_BYTES);
        return crypto_scalarmult_curve25519_base(pub, priv) == 0;
    }
    if (is_curve(group))
        return curve_generate(c, group, random, priv, pub);
    if (!is_modp(group))
        return false;
    drbg_get(random, priv, MODP_EXPONENT_BYTES);
    return modp_power(c, group, NULL, priv, pub) == IKEV2_OK;
}

ikev2_rc ikev2__dh_shared(ikev2__crypto *c, uint16_t group, const uint8_t priv[IKEV2__MAX_PRIVATE],
                          const uint8_t *peer, size_t peer_len, uint8_t secret[IKEV2__MAX_PUBLIC])
{
    const size_t len = ikev2__group_public_bytes(group);
    if (len == 0 || peer_len != len)
        return IKEV2_ERR_KEY;
    /* RFC 8031 2: an all-zero result is refused; libsodium says so. */
    if (group == IKEV2_GROUP_X25519)
        return crypto_scalarmult_curve25519(secret, priv, peer) == 0 ? IKEV2_OK : IKEV2_ERR_KEY;
    if (is_curve(group))
        return curve_shared(c, group, priv, peer, secret);
    return modp_power(c, group, peer, priv, secret);
}
