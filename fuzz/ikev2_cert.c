/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a peer's IKE_AUTH message brings besides its payloads' framing: a certificate, an AUTH
 * value, an identity, another certificate or a list of revoked ones; each behind its length in two
 * bytes. They are judged as an engine would, over octets that are known.
 */
#include "libikev2/engine.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OCTETS = 768 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static ikev2_der piece(wire_reader *r)
{
    ikev2_der der = {.len = wire_get_u16(r)};
    if (der.len > r->left)
        der.len = r->left;
    der.bytes = wire_get_bytes(r, der.len);
    return der;
}

/* A key that is taken reads as itself, and is its own equal and nobody else's. */
static void check_key(const ikev2__public_key *key)
{
    ikev2__public_key again;
    require(key->kind != IKEV2__KEY_NONE && key->len <= IKEV2__MAX_SPKI);
    require(ikev2__public_key_read(key->spki, key->len, &again) && again.kind == key->kind);
    require(ikev2__public_keys_equal(key, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t octets[OCTETS];
    for (size_t i = 0; i < OCTETS; i++)
        octets[i] = (uint8_t)i;
    const ikev2_der signed_octets = {octets, OCTETS};
    wire_reader r = wire_reader_make(data, size);
    const uint8_t method = wire_get_u8(&r);
    const uint8_t id_type = wire_get_u8(&r);
    const uint64_t unix_time_s = wire_get_u64(&r);
    const ikev2_der chain[] = {piece(&r), piece(&r)};
    const ikev2_der value = piece(&r);
    const ikev2_der name = piece(&r);
    const ikev2_der crl = piece(&r);
    if (!wire_ok(&r))
        return 0;
    ikev2__public_key key;
    if (ikev2__cert_key(&chain[0], &key) == 0) {
        const ikev2_tagged auth = {.tag = method, .bytes = value.bytes, .len = value.len};
        check_key(&key);
        (void)ikev2__auth_verify(&auth, &key, &signed_octets);
    }
    const ikev2_identity id = {.bytes = name.bytes, .len = name.len, .type = id_type};
    if (name.len > 0)
        (void)ikev2__cert_identity(&chain[0], &id);
    const bool has_crl = crl.len > 0 && ikev2__crls_decode(&crl, 1);
    const ikev2_verdict trust = {.unix_time_s = unix_time_s,
                                 .anchors = &chain[1],
                                 .anchor_count = 1,
                                 .crls = &crl,
                                 .crl_count = has_crl};
    uint32_t detail = 0;
    uint8_t hash[IKEV2__KEY_HASH_BYTES];
    if (ikev2__certs_decode(&chain[1], 1)) {
        (void)ikev2__chain_check(chain, 2, &trust, &detail);
        (void)ikev2__cert_key_hash(&chain[1], hash);
    }
    return 0;
}
