/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an address is taken for before anyone is authenticated: NAT detection and cookies.
 */
#include "engine.h"

enum { COOKIE_BYTES = 1 + crypto_auth_hmacsha256_BYTES };

static size_t addr_bytes(const ikev2_addr *a)
{
    return a->family == IKEV2_FAMILY_IPV4 ? 4 : 16;
}

/* RFC 7296 2.23: SHA-1 of SPIs, address and port, as the header has them. */
static bool nat_hash(ikev2_engine *e, uint64_t spi_i, uint64_t spi_r, const ikev2_addr *addr,
                     uint8_t out[IKEV2__SHA1_BYTES])
{
    uint8_t data[2 * IKEV2__SPI_BYTES + 16 + 2];
    wire_writer w = wire_writer_make(data, sizeof(data));
    wire_put_u64(&w, spi_i);
    wire_put_u64(&w, spi_r);
    wire_put_bytes(&w, addr->bytes, addr_bytes(addr));
    wire_put_u16(&w, addr->port);
    return ikev2__sha1(e->crypto, data, w.len, out);
}

void ikev2__put_nat_detection(ikev2__builder *b, ikev2_engine *e, uint64_t spi_i, uint64_t spi_r,
                              const ikev2_path *path)
{
    uint8_t hash[IKEV2__SHA1_BYTES];
    /*
     * A port that is none makes the peer see a NAT, so that ESP goes in UDP. A request that is sent
     * once more with a cookie has the same hash.
     */
    ikev2_addr local = path->local;
    if (e->cfg.force_encapsulation)
        local.port = 0;
    if (!nat_hash(e, spi_i, spi_r, &local, hash))
        drbg_get(&e->random, hash, sizeof(hash));
    ikev2__put_notify(b, 0, NULL, 0, IKEV2__N_NAT_DETECTION_SOURCE_IP, hash, sizeof(hash));
    if (!nat_hash(e, spi_i, spi_r, &path->peer, hash))
        drbg_get(&e->random, hash, sizeof(hash));
    ikev2__put_notify(b, 0, NULL, 0, IKEV2__N_NAT_DETECTION_DESTINATION_IP, hash, sizeof(hash));
}

void ikev2__check_nat(ikev2__sa *sa, const ikev2__message *msg, uint64_t spi_i, uint64_t spi_r,
                      const ikev2_path *path)
{
    uint8_t source[IKEV2__SHA1_BYTES];
    uint8_t destination[IKEV2__SHA1_BYTES];
    bool any_source = false;
    bool any_destination = false;
    bool source_ok = false;
    bool destination_ok = false;
    ikev2_notify n;
    size_t it = 0;
    if (!nat_hash(sa->e, spi_i, spi_r, &path->peer, source) ||
        !nat_hash(sa->e, spi_i, spi_r, &path->local, destination))
        return;
    while (ikev2__message_next_notify(msg, &it, &n)) {
        if (n.type == IKEV2__N_NAT_DETECTION_SOURCE_IP) {
            any_source = true;
            source_ok |= memcmp(n.data, source, sizeof(source)) == 0;
        } else if (n.type == IKEV2__N_NAT_DETECTION_DESTINATION_IP) {
            any_destination = true;
            destination_ok |= memcmp(n.data, destination, sizeof(destination)) == 0;
        }
    }
    /* RFC 7296 2.23: no notification, no NAT traversal. */
    const bool able = any_source && any_destination;
    sa->nat_peer = able && !source_ok;
    sa->nat_local = able && !destination_ok;
    sa->encapsulated = able && (sa->nat_peer || sa->nat_local || sa->e->cfg.force_encapsulation);
}

/* RFC 7296 2.6: version | hash(secret, Ni | IPi | SPIi); the secret changes, the last one counts.
 */
static bool cookie_value(ikev2_engine *e, uint8_t version, const ikev2_path *path, uint64_t spi_i,
                         const ikev2_payload *nonce, uint8_t out[COOKIE_BYTES])
{
    uint8_t data[IKEV2__MAX_NONCE + 16 + 2 + 4 + IKEV2__SPI_BYTES];
    wire_writer w = wire_writer_make(data, sizeof(data));
    wire_put_u64(&w, spi_i);
    wire_put_bytes(&w, path->peer.bytes, sizeof(path->peer.bytes));
    wire_put_u16(&w, path->peer.port);
    wire_put_u32(&w, path->peer.scope);
    wire_put_bytes(&w, nonce->body, nonce->len);
    if (!wire_fits(&w))
        return false;
    out[0] = version;
    crypto_auth_hmacsha256(out + 1, data, w.len, e->cookie_secret[version & 1]);
    return true;
}

static void refresh_secret(ikev2_engine *e)
{
    if (e->now_ms < e->cookie_until_ms)
        return;
    e->cookie_version++;
    drbg_get(&e->random, e->cookie_secret[e->cookie_version & 1], sizeof(e->cookie_secret[0]));
    e->cookie_until_ms = e->now_ms + e->cfg.cookie_ms;
}

void ikev2__cookie_make(ikev2_engine *e, const ikev2_path *path, uint64_t spi_i,
                        const ikev2_payload *nonce, uint8_t out[COOKIE_BYTES])
{
    refresh_secret(e);
    (void)cookie_value(e, e->cookie_version, path, spi_i, nonce, out);
}

bool ikev2__cookie_valid(ikev2_engine *e, const ikev2_path *path, uint64_t spi_i,
                         const ikev2_payload *nonce, const ikev2_notify *cookie)
{
    uint8_t expected[COOKIE_BYTES];
    refresh_secret(e);
    if (cookie->len != COOKIE_BYTES)
        return false;
    const uint8_t version = cookie->data[0];
    if (version != e->cookie_version && version != (uint8_t)(e->cookie_version - 1))
        return false;
    return cookie_value(e, version, path, spi_i, nonce, expected) &&
           sodium_memcmp(expected, cookie->data, COOKIE_BYTES) == 0;
}
