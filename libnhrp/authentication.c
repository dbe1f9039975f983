/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The authentication extension (RFC 2332 5.3.4), made anew at each hop. In cleartext, as deployed:
 * 00 00 00 01 and the password, with no address. As an HMAC: two reserved octets, the SPI, the
 * sender's protocol address and the digest over the packet, in which digest and checksum are zero.
 */
#include "core.h"

enum { SPI_CLEARTEXT = 1, SPI_SIZE = 4, DIGEST_SIZE = crypto_auth_hmacsha256_BYTES };

/* Prefixed by the length, so that a short password does not match the start of a longer one. */
static bool cleartext_ok(const nhrp__interface *i, const nhrp_extension *x)
{
    wire_reader r = wire_reader_make(x->value, x->len);
    if (wire_get_u32(&r) != SPI_CLEARTEXT || !wire_ok(&r) || r.left != i->cfg.key_len)
        return false;
    return sodium_memcmp(r.next, i->key, i->cfg.key_len) == 0;
}

static void digest(const nhrp__interface *i, const uint8_t *packet, size_t len, size_t digest_at,
                   uint8_t out[DIGEST_SIZE])
{
    static const uint8_t zeros[DIGEST_SIZE] = {0};
    crypto_auth_hmacsha256_state h;
    const size_t after_checksum = OFFSET_CHECKSUM + 2;
    const size_t after_digest = digest_at + DIGEST_SIZE;
    crypto_auth_hmacsha256_init(&h, i->key, i->cfg.key_len);
    crypto_auth_hmacsha256_update(&h, packet, OFFSET_CHECKSUM);
    crypto_auth_hmacsha256_update(&h, zeros, 2);
    crypto_auth_hmacsha256_update(&h, packet + after_checksum, digest_at - after_checksum);
    crypto_auth_hmacsha256_update(&h, zeros, sizeof(zeros));
    crypto_auth_hmacsha256_update(&h, packet + after_digest, len - after_digest);
    crypto_auth_hmacsha256_final(&h, out);
    sodium_memzero(&h, sizeof(h));
}

static bool hmac_ok(const nhrp__interface *i, const nhrp_packet *p, const nhrp_extension *x)
{
    wire_reader r = wire_reader_make(x->value, x->len);
    if (wire_get_u32(&r) != i->cfg.spi || !wire_ok(&r) || r.left < DIGEST_SIZE)
        return false;
    const size_t addr_len = r.left - DIGEST_SIZE;
    if (addr_len != nhrp__family_size(p->protocol_family))
        return false;
    (void)wire_get_bytes(&r, addr_len);
    uint8_t want[DIGEST_SIZE];
    digest(i, p->bytes, p->size, (size_t)(r.next - p->bytes), want);
    return sodium_memcmp(r.next, want, sizeof(want)) == 0;
}

/* x of kind UNKNOWN: the packet has no such extension. */
bool nhrp__authentication_ok(const nhrp__interface *i, const nhrp_packet *p,
                             const nhrp_extension *x)
{
    if (i->cfg.authentication == NHRP_AUTHENTICATION_NONE)
        return true;
    if (x->kind != NHRP_KIND_AUTHENTICATION || x->len < SPI_SIZE)
        return false;
    return i->cfg.authentication == NHRP_AUTHENTICATION_CLEARTEXT ? cleartext_ok(i, x)
                                                                  : hmac_ok(i, p, x);
}

void nhrp__authentication_put(const nhrp__link *l, nhrp_writer *w)
{
    uint8_t value[SPI_SIZE + 16 + MAX_KEY] = {0};
    const nhrp__interface *i = l->interface;
    nhrp_extension x = {.type = NHRP_EXTENSION_AUTHENTICATION, .compulsory = 1, .value = value};
    if (i->cfg.authentication == NHRP_AUTHENTICATION_NONE)
        return;
    wire_writer v = wire_writer_make(value, sizeof(value));
    if (i->cfg.authentication == NHRP_AUTHENTICATION_CLEARTEXT) {
        wire_put_u32(&v, SPI_CLEARTEXT);
        wire_put_bytes(&v, i->key, i->cfg.key_len);
    } else {
        const nhrp_addr local = nhrp__link_local(l, w->protocol_family);
        wire_put_u32(&v, i->cfg.spi);
        wire_put_bytes(&v, local.bytes, nhrp__family_size(local.family));
        wire_put_zeros(&v, DIGEST_SIZE);
    }
    x.len = v.len;
    (void)nhrp_writer_put_extension(w, &x);
    sodium_memzero(value, sizeof(value));
}

/* Fills the digest in, once the packet is whole, and mends the checksum. */
void nhrp__authentication_finish(const nhrp__link *l, uint8_t *buf, size_t len)
{
    nhrp_packet p;
    nhrp_extension x;
    size_t it = 0;
    if (l->interface->cfg.authentication != NHRP_AUTHENTICATION_HMAC_SHA256 ||
        nhrp_packet_decode(buf, len, &p) != NHRP_OK)
        return;
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES) {
        if (x.kind != NHRP_KIND_AUTHENTICATION)
            continue;
        const size_t at = (size_t)(x.value - buf) + x.len - DIGEST_SIZE;
        uint8_t out[DIGEST_SIZE];
        digest(l->interface, buf, len, at, out);
        memcpy(buf + at, out, sizeof(out));
        (void)nhrp_packet_set_checksum(buf, len);
        return;
    }
}
