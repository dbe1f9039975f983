/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key material of IKE SAs and Child SAs, what AUTH signs, and its value under shared keys.
 */
#include "engine.h"

static ikev2__part part(const uint8_t *bytes, size_t len)
{
    return (ikev2__part){bytes, len};
}

/* RFC 7296 2.14, 2.18 (old: the SA that is rekeyed, whose PRF makes SKEYSEED). */
ikev2_rc ikev2__derive_ike(ikev2__sa *sa, const ikev2__part *ni, const ikev2__part *nr,
                           const uint8_t *secret, const ikev2__sa *old)
{
    ikev2__crypto *crypto = sa->e->crypto;
    const uint16_t prf = sa->suite.prf;
    const size_t prf_len = ikev2__prf_bytes(prf);
    const size_t secret_len = ikev2__group_secret_bytes(sa->suite.group);
    uint8_t nonces[2 * IKEV2__MAX_NONCE];
    uint8_t seed[IKEV2__MAX_PRF_BYTES];
    uint8_t spis[2 * IKEV2__SPI_BYTES];
    uint8_t stream[3 * IKEV2__MAX_PRF_BYTES + 2 * IKEV2__MAX_INTEG_KEY + 2 * IKEV2__MAX_CIPHER_KEY];
    bool ok;

    if (!ikev2__cipher_get(sa->suite.encr, sa->suite.key_bits, sa->suite.integ, &sa->cipher))
        return IKEV2_ERR_CRYPTO;
    memcpy(nonces, ni->bytes, ni->len);
    memcpy(nonces + ni->len, nr->bytes, nr->len);
    if (old) {
        const ikev2__part parts[] = {part(secret, secret_len), *ni, *nr};
        ok = ikev2__prf(crypto, old->suite.prf, old->keys.d, ikev2__prf_bytes(old->suite.prf),
                        parts, 3, seed);
    } else {
        const ikev2__part parts[] = {part(secret, secret_len)};
        ok = ikev2__prf(crypto, prf, nonces, ni->len + nr->len, parts, 1, seed);
    }
    const size_t seed_len = ikev2__prf_bytes(old ? old->suite.prf : prf);

    wire_writer w = wire_writer_make(spis, sizeof(spis));
    wire_put_u64(&w, sa->spi_i);
    wire_put_u64(&w, sa->spi_r);
    const ikev2__part parts[] = {*ni, *nr, part(spis, sizeof(spis))};
    const size_t total = 3 * prf_len + 2 * sa->cipher.integ_bytes + 2 * sa->cipher.key_bytes;
    ok = ok && ikev2__prf_plus(crypto, prf, seed, seed_len, parts, 3, stream, total);
    if (ok) {
        ikev2__keys *k = &sa->keys;
        wire_reader r = wire_reader_make(stream, total);
        wire_get_copy(&r, k->d, prf_len);
        wire_get_copy(&r, k->ai, sa->cipher.integ_bytes);
        wire_get_copy(&r, k->ar, sa->cipher.integ_bytes);
        wire_get_copy(&r, k->ei, sa->cipher.key_bytes);
        wire_get_copy(&r, k->er, sa->cipher.key_bytes);
        wire_get_copy(&r, k->pi, prf_len);
        wire_get_copy(&r, k->pr, prf_len);
        ok = wire_done(&r);
    }
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(stream, sizeof(stream));
    return ok ? IKEV2_OK : IKEV2_ERR_CRYPTO;
}

/* RFC 7296 2.17: the initiator of the exchange sends with the first keys. */
ikev2_rc ikev2__derive_child(const ikev2__sa *sa, ikev2__child *child, bool initiator,
                             const ikev2__part *secret, const ikev2__part *ni,
                             const ikev2__part *nr)
{
    enum { MAX_MATERIAL = 2 * (IKEV2__MAX_CIPHER_KEY + IKEV2__MAX_INTEG_KEY) };
    ikev2__cipher cipher;
    uint8_t stream[MAX_MATERIAL];
    if (!ikev2__cipher_get(child->suite.encr, child->suite.key_bits, child->suite.integ, &cipher))
        return IKEV2_ERR_CRYPTO;
    const size_t total = 2 * (cipher.key_bytes + cipher.integ_bytes);
    const ikev2__part parts[] = {*secret, *ni, *nr};
    const bool ok = ikev2__prf_plus(sa->e->crypto, sa->suite.prf, sa->keys.d,
                                    ikev2__prf_bytes(sa->suite.prf), parts, 3, stream, total);
    if (ok) {
        wire_reader r = wire_reader_make(stream, total);
        wire_get_copy(&r, initiator ? child->key_out : child->key_in, cipher.key_bytes);
        wire_get_copy(&r, initiator ? child->integ_out : child->integ_in, cipher.integ_bytes);
        wire_get_copy(&r, initiator ? child->key_in : child->key_out, cipher.key_bytes);
        wire_get_copy(&r, initiator ? child->integ_in : child->integ_out, cipher.integ_bytes);
    }
    sodium_memzero(stream, sizeof(stream));
    return ok ? IKEV2_OK : IKEV2_ERR_CRYPTO;
}

/* RFC 7296 2.15: message | nonce | prf(SK_p, identity), the last of them in maced_id. */
static bool auth_parts(const ikev2__sa *sa, bool of_initiator, const ikev2_identity *id,
                       uint8_t maced_id[IKEV2__MAX_PRF_BYTES], ikev2__part out[3])
{
    const ikev2__handshake *hs = sa->hs;
    const uint16_t prf = sa->suite.prf;
    const size_t n = ikev2__prf_bytes(prf);
    const uint8_t *sk_p = of_initiator ? sa->keys.pi : sa->keys.pr;
    const ikev2__bytes *first = of_initiator ? &hs->init_request : &hs->init_response;
    const uint8_t id_head[4] = {id->type, 0, 0, 0};
    const ikev2__part id_parts[] = {part(id_head, sizeof(id_head)), part(id->bytes, id->len)};
    out[0] = part(first->bytes, first->len);
    out[1] = of_initiator ? part(hs->nr, hs->nr_len) : part(hs->ni, hs->ni_len);
    out[2] = part(maced_id, n);
    return ikev2__prf(sa->e->crypto, prf, sk_p, n, id_parts, 2, maced_id);
}

ikev2_rc ikev2__auth_octets(const ikev2__sa *sa, bool of_initiator, const ikev2_identity *id,
                            ikev2__bytes *out)
{
    uint8_t maced_id[IKEV2__MAX_PRF_BYTES];
    ikev2__part parts[3];
    if (!auth_parts(sa, of_initiator, id, maced_id, parts))
        return IKEV2_ERR_CRYPTO;
    const size_t len = parts[0].len + parts[1].len + parts[2].len;
    uint8_t *bytes = alloc_zero(&sa->e->mem, len);
    if (!bytes)
        return IKEV2_ERR_NOMEM;
    wire_writer w = wire_writer_make(bytes, len);
    for (size_t i = 0; i < 3; i++)
        wire_put_bytes(&w, parts[i].bytes, parts[i].len);
    *out = (ikev2__bytes){bytes, len};
    return IKEV2_OK;
}

bool ikev2__auth_value(const ikev2__sa *sa, bool of_initiator, const uint8_t *psk, size_t psk_len,
                       const ikev2_identity *id, uint8_t out[IKEV2__MAX_PRF_BYTES])
{
    static const uint8_t pad[] = {'K', 'e', 'y', ' ', 'P', 'a', 'd', ' ', 'f',
                                  'o', 'r', ' ', 'I', 'K', 'E', 'v', '2'};
    ikev2__crypto *crypto = sa->e->crypto;
    const uint16_t prf = sa->suite.prf;
    const size_t n = ikev2__prf_bytes(prf);
    uint8_t maced_id[IKEV2__MAX_PRF_BYTES];
    uint8_t key[IKEV2__MAX_PRF_BYTES];
    ikev2__part octets[3];
    const ikev2__part pad_part = part(pad, sizeof(pad));
    const bool ok = auth_parts(sa, of_initiator, id, maced_id, octets) &&
                    ikev2__prf(crypto, prf, psk, psk_len, &pad_part, 1, key) &&
                    ikev2__prf(crypto, prf, key, n, octets, 3, out);
    sodium_memzero(key, sizeof(key));
    return ok;
}
