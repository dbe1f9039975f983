/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Proofs of identity, ours and the peer's: shared keys (RFC 7296 2.15), signatures (RFC 7427) and
 * the certificates that come with them (RFC 7296 3.6, 3.7).
 */
#include "engine.h"

enum { HASH_ID_BYTES = 2, ALGORITHM_LENGTH_BYTES = 1 };

typedef struct psk {
    const uint8_t *local;
    size_t local_len;
    const uint8_t *peer;
    size_t peer_len;
} psk;

/* An answer of the caller comes before what is configured. */
static psk find_psk(const ikev2__context *ctx)
{
    const ikev2_peer *p = &ctx->peer->pub;
    psk out = {p->local_psk, p->local_psk_len, p->peer_psk, p->peer_psk_len};
    if (ctx->local_psk)
        out = (psk){ctx->local_psk, ctx->local_psk_len, ctx->peer_psk, ctx->peer_psk_len};
    if (out.peer_len == 0) {
        out.peer = out.local;
        out.peer_len = out.local_len;
    }
    return out;
}

static bool we_sign(const ikev2__peer *peer)
{
    const ikev2_credentials *c = peer->pub.credentials;
    return c && c->local_auth == IKEV2_AUTHENTICATE_SIGNATURE;
}

bool ikev2__peer_signs(const ikev2__peer *peer)
{
    const ikev2_credentials *c = peer->pub.credentials;
    return c && c->peer_auth == IKEV2_AUTHENTICATE_SIGNATURE;
}

bool ikev2__keys_needed(const ikev2__context *ctx)
{
    const psk keys = find_psk(ctx);
    return (!we_sign(ctx->peer) && keys.local_len == 0) ||
           (!ikev2__peer_signs(ctx->peer) && keys.peer_len == 0);
}

uint64_t ikev2__unix_time(const ikev2_engine *e)
{
    return e->unix_time_s == 0 ? 0 : e->unix_time_s + (e->now_ms - e->unix_time_ms) / 1000;
}

/* ---- What both can verify ---- */

/* RFC 7427 4 */
void ikev2__put_hashes(ikev2__builder *b)
{
    uint8_t list[HASH_ID_BYTES * (IKEV2__HASH_END - IKEV2__HASH_SHA2_256)];
    wire_writer w = wire_writer_make(list, sizeof(list));
    for (uint16_t id = IKEV2__HASH_SHA2_256; id < IKEV2__HASH_END; id++)
        wire_put_u16(&w, id);
    ikev2__put_notify(b, 0, NULL, 0, IKEV2__N_SIGNATURE_HASH_ALGORITHMS, list, w.len);
}

/* SHA-1 is not among those that are kept; what is not known is passed over. */
void ikev2__note_hashes(ikev2__sa *sa, const ikev2__message *msg)
{
    ikev2_notify n;
    sa->hs->peer_hashes = 0;
    if (!ikev2__message_notify(msg, IKEV2__N_SIGNATURE_HASH_ALGORITHMS, &n))
        return;
    wire_reader r = wire_reader_make(n.data, n.len);
    while (r.left > 0) {
        const uint16_t id = wire_get_u16(&r);
        if (id >= IKEV2__HASH_SHA2_256 && id < IKEV2__HASH_END)
            sa->hs->peer_hashes |= (uint8_t)(1u << id);
    }
}

/* ---- Our proof ---- */

static ikev2_rc make_signature(ikev2__sa *sa, const ikev2_der *key, ikev2__bytes *out)
{
    const ikev2_der octets = {sa->hs->octets.bytes, sa->hs->octets.len};
    uint8_t signature[IKEV2__MAX_SIGNATURE];
    size_t len = 0;
    if (!ikev2__sign(sa->hs->scheme, key, &octets, signature, &len))
        return IKEV2_ERR_CRYPTO;
    uint8_t *copy = alloc_zero(&sa->e->mem, len);
    if (!copy)
        return IKEV2_ERR_NOMEM;
    memcpy(copy, signature, len);
    *out = (ikev2__bytes){copy, len};
    return IKEV2_OK;
}

ikev2_rc ikev2__prove(ikev2__sa *sa, ikev2__judgement *out)
{
    ikev2__handshake *hs = sa->hs;
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    ikev2__public_key pub;
    if (!we_sign(sa->ctx->peer) || hs->signature.len > 0)
        return IKEV2_OK;
    const ikev2_credentials *c = peer->credentials;
    /* It was read when the peer was configured. */
    if (ikev2__cert_key(&c->chain[0], &pub) != 0)
        return IKEV2_ERR_CRYPTO;
    hs->scheme = ikev2__scheme_choose(pub.kind, hs->peer_hashes, c->pkcs1);
    if (hs->scheme == 0) {
        out->reason = IKEV2_REASON_NO_SCHEME;
        return IKEV2_OK;
    }
    ikev2_rc rc = IKEV2_OK;
    if (!hs->octets.bytes)
        rc = ikev2__auth_octets(sa, sa->initiator, &peer->local_id, &hs->octets);
    if (rc < 0)
        return rc;
    const ikev2_der key = {c->private_key, c->private_key_len};
    if (key.len > 0)
        return make_signature(sa, &key, &hs->signature);
    out->ask = IKEV2_EVENT_ASK_SIGN;
    return IKEV2_OK;
}

/* RFC 7296 3.6: a CERT payload each, the one with our key first. */
void ikev2__put_certs(ikev2__builder *b, const ikev2__peer *peer)
{
    const ikev2_credentials *c = peer->pub.credentials;
    const uint8_t encoding = IKEV2_CERT_X509_SIGNATURE;
    if (!we_sign(peer))
        return;
    for (size_t i = 0; i < c->chain_count; i++) {
        ikev2__payload_begin(b, IKEV2_PAYLOAD_CERT);
        wire_put_u8(&b->w, encoding);
        wire_put_bytes(&b->w, c->chain[i].bytes, c->chain[i].len);
        ikev2__payload_end(b);
    }
}

/* RFC 7296 3.7; no hashes: any authority will do. */
void ikev2__put_cert_request(ikev2__builder *b, const uint8_t *hashes, size_t count)
{
    ikev2__payload_begin(b, IKEV2_PAYLOAD_CERTREQ);
    wire_put_u8(&b->w, IKEV2_CERT_X509_SIGNATURE);
    wire_put_bytes(&b->w, hashes, count * IKEV2__KEY_HASH_BYTES);
    ikev2__payload_end(b);
}

/* RFC 7427 3: length of the AlgorithmIdentifier, the identifier, the signature. */
static bool put_signature(ikev2__sa *sa, ikev2__builder *b)
{
    const ikev2__handshake *hs = sa->hs;
    uint8_t value[ALGORITHM_LENGTH_BYTES + IKEV2__MAX_ALGORITHM + IKEV2__MAX_SIGNATURE];
    const size_t n = ikev2__scheme_identifier(hs->scheme, value + ALGORITHM_LENGTH_BYTES);
    if (n == 0 || hs->signature.len > IKEV2__MAX_SIGNATURE)
        return false;
    value[0] = (uint8_t)n;
    memcpy(value + ALGORITHM_LENGTH_BYTES + n, hs->signature.bytes, hs->signature.len);
    ikev2__put_auth(b, IKEV2_AUTH_DIGITAL_SIGNATURE, value,
                    ALGORITHM_LENGTH_BYTES + n + hs->signature.len);
    return true;
}

bool ikev2__put_proof(ikev2__sa *sa, ikev2__builder *b)
{
    if (we_sign(sa->ctx->peer))
        return put_signature(sa, b);
    const psk keys = find_psk(sa->ctx);
    uint8_t value[IKEV2__MAX_PRF_BYTES];
    const bool ok = ikev2__auth_value(sa, sa->initiator, keys.local, keys.local_len,
                                      &sa->ctx->peer->pub.local_id, value);
    if (ok)
        ikev2__put_auth(b, IKEV2_AUTH_SHARED_KEY, value, ikev2__prf_bytes(sa->suite.prf));
    sodium_memzero(value, sizeof(value));
    return ok;
}

/* ---- The peer's proof ---- */

static void refuse(ikev2__judgement *out, uint16_t reason, uint32_t detail)
{
    out->reason = reason;
    out->detail = detail;
}

static void judge_psk(const ikev2__sa *sa, const ikev2_tagged *auth, const ikev2_identity *id,
                      ikev2__judgement *out)
{
    const psk keys = find_psk(sa->ctx);
    const size_t n = ikev2__prf_bytes(sa->suite.prf);
    uint8_t expected[IKEV2__MAX_PRF_BYTES];
    if (auth->tag != IKEV2_AUTH_SHARED_KEY) {
        refuse(out, IKEV2_REASON_AUTH_METHOD, auth->tag);
        return;
    }
    const bool ok = auth->len == n &&
                    ikev2__auth_value(sa, !sa->initiator, keys.peer, keys.peer_len, id, expected) &&
                    sodium_memcmp(expected, auth->bytes, n) == 0;
    sodium_memzero(expected, sizeof(expected));
    if (!ok)
        refuse(out, IKEV2_REASON_AUTHENTICATION, 0);
}

/* The certificates of a message, its sender's first; only X.509, so many and so long. */
static void collect_certs(const ikev2__sa *sa, const ikev2__message *msg, ikev2__judgement *out)
{
    const ikev2_config *cfg = &sa->e->cfg;
    out->cert_count = 0;
    for (size_t i = 0; i < msg->count; i++) {
        const ikev2_payload *p = &msg->payloads[i];
        if (p->type != IKEV2_PAYLOAD_CERT)
            continue;
        if (p->len <= 1) {
            refuse(out, IKEV2_REASON_CERT_SYNTAX, 0);
            return;
        }
        if (p->body[0] != IKEV2_CERT_X509_SIGNATURE) {
            refuse(out, IKEV2_REASON_CERT_ENCODING, p->body[0]);
            return;
        }
        if (out->cert_count == cfg->max_certs || p->len - 1 > cfg->max_cert_bytes) {
            refuse(out, IKEV2_REASON_CERT_LIMIT, (uint32_t)out->cert_count);
            return;
        }
        out->certs[out->cert_count++] = (ikev2_der){p->body + 1, p->len - 1};
    }
}

/* A signature as the payload has it. */
typedef struct claim {
    uint16_t scheme;
    const uint8_t *signature;
    size_t len;
    uint8_t converted[IKEV2__MAX_SIGNATURE];
} claim;

/* False: no algorithm that is allowed for such a key. */
static bool read_claim(const ikev2_tagged *auth, uint8_t kind, claim *out)
{
    if (auth->tag != IKEV2_AUTH_DIGITAL_SIGNATURE) { /* RFC 4754 */
        out->scheme = ikev2__scheme_of_method((uint8_t)auth->tag, kind);
        out->signature = out->converted;
        return out->scheme != 0 &&
               ikev2__signature_from_raw(kind, auth->bytes, auth->len, out->converted, &out->len);
    }
    wire_reader r = wire_reader_make(auth->bytes, auth->len);
    const uint8_t n = wire_get_u8(&r);
    const uint8_t *identifier = wire_get_bytes(&r, n);
    if (!wire_ok(&r) || n == 0)
        return false;
    out->scheme = ikev2__scheme_find(identifier, n);
    out->len = r.left;
    out->signature = wire_get_bytes(&r, r.left);
    return ikev2__scheme_fits(out->scheme, kind);
}

uint16_t ikev2__auth_verify(const ikev2_tagged *auth, const ikev2__public_key *key,
                            const ikev2_der *octets)
{
    claim c;
    if (!read_claim(auth, key->kind, &c))
        return IKEV2_REASON_ALGORITHM;
    return ikev2__signature_ok(c.scheme, key, octets, c.signature, c.len)
               ? 0
               : IKEV2_REASON_AUTHENTICATION;
}

static ikev2_rc judge_signature(const ikev2__sa *sa, const ikev2_tagged *auth,
                                const ikev2_identity *id, ikev2__judgement *out)
{
    ikev2__bytes octets;
    const ikev2_rc rc = ikev2__auth_octets(sa, !sa->initiator, id, &octets);
    if (rc < 0)
        return rc;
    const ikev2_der view = {octets.bytes, octets.len};
    out->reason = ikev2__auth_verify(auth, &out->key, &view);
    alloc_free(&sa->e->mem, octets.bytes);
    return IKEV2_OK;
}

/* Whether the key that has signed is that of the identity. */
static void judge_trust(const ikev2__sa *sa, const ikev2_identity *id, ikev2__judgement *out)
{
    const ikev2__handshake *hs = sa->hs;
    const ikev2_credentials *c = sa->ctx->peer->pub.credentials;
    if (hs->expected) {
        if (!ikev2__public_keys_equal(hs->expected, &out->key))
            refuse(out, IKEV2_REASON_CERT_UNTRUSTED, 0);
        return;
    }
    if (hs->peer_trusted)
        return;
    const ikev2_verdict trust = {.unix_time_s = ikev2__unix_time(sa->e),
                                 .anchors = c->anchors,
                                 .anchor_count = c->anchor_count,
                                 .crls = c->crls,
                                 .crl_count = c->crl_count};
    if (trust.anchor_count == 0 || trust.unix_time_s == 0) {
        out->ask = IKEV2_EVENT_ASK_CERT;
        return;
    }
    out->reason = ikev2__chain_check(out->certs, out->cert_count, &trust, &out->detail);
    if (out->reason == 0)
        out->reason = ikev2__cert_identity(&out->certs[0], id);
}

/* The first certificate's; or where there is none, the one that an answer told. */
static void find_key(const ikev2__sa *sa, ikev2__judgement *out)
{
    const ikev2_credentials *c = sa->ctx->peer->pub.credentials;
    if (out->cert_count > 0)
        out->reason = ikev2__cert_key(&out->certs[0], &out->key);
    else if (sa->hs->expected)
        out->key = *sa->hs->expected;
    else if (c->anchor_count > 0)
        refuse(out, IKEV2_REASON_CERT_MISSING, 0);
    else
        out->ask = IKEV2_EVENT_ASK_CERT;
}

static bool is_signature(uint16_t method)
{
    return method == IKEV2_AUTH_DIGITAL_SIGNATURE ||
           (method >= IKEV2_AUTH_ECDSA_256 && method <= IKEV2_AUTH_ECDSA_521);
}

ikev2_rc ikev2__judge(ikev2__sa *sa, const ikev2__message *msg, const ikev2_identity *id,
                      ikev2__judgement *out)
{
    const ikev2_payload *p = ikev2__message_get(msg, IKEV2_PAYLOAD_AUTH);
    ikev2_tagged auth;
    *out = (ikev2__judgement){0};
    if (!p || ikev2_auth_decode(p->body, p->len, &auth) != IKEV2_OK) {
        refuse(out, IKEV2_REASON_AUTHENTICATION, 0);
        return IKEV2_OK;
    }
    if (auth.tag == IKEV2_AUTH_RSA_SHA1) {
        refuse(out, IKEV2_REASON_SHA1, auth.tag);
        return IKEV2_OK;
    }
    if (!ikev2__peer_signs(sa->ctx->peer)) {
        judge_psk(sa, &auth, id, out);
        return IKEV2_OK;
    }
    if (!is_signature(auth.tag)) {
        refuse(out, IKEV2_REASON_AUTH_METHOD, auth.tag);
        return IKEV2_OK;
    }
    collect_certs(sa, msg, out);
    if (out->reason == 0)
        find_key(sa, out);
    if (out->reason != 0 || out->ask != 0)
        return IKEV2_OK;
    /* Strangers who have not signed cost no chain and no question. */
    const ikev2_rc rc = judge_signature(sa, &auth, id, out);
    if (rc == IKEV2_OK && out->reason == 0)
        judge_trust(sa, id, out);
    return rc;
}
