/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Peers, profiles and policies: copied from the caller, matched, wiped.
 */
#include "engine.h"

enum {
    MAX_LIST = 256,       /* items of any configured list, and the length of keys in 16 bytes */
    MAX_DER = 1024 * 1024 /* lists of revoked certificates grow long */
};

/* Lays items out behind one another in a block; counts first, copies when there is a block. */
typedef struct layout {
    uint8_t *block;
    size_t used;
} layout;

static const void *lay(layout *l, const void *items, size_t bytes)
{
    const size_t at = (l->used + 7) / 8 * 8;
    l->used = at + bytes;
    if (!l->block || bytes == 0)
        return NULL;
    memcpy(l->block + at, items, bytes);
    return l->block + at;
}

static bool list_ok(const void *items, size_t count)
{
    return count <= MAX_LIST && (items || count == 0);
}

static bool selectors_ok(const ikev2_selector *ts, size_t count)
{
    if (!list_ok(ts, count) || count > IKEV2_MAX_SELECTORS)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!ikev2__selector_valid(&ts[i]))
            return false;
    return true;
}

static void lay_policy(layout *l, ikev2__policy *p, const ikev2_child_policy *pub)
{
    p->transforms = lay(l, pub->transforms, pub->transform_count * sizeof(*pub->transforms));
    p->local_ts = lay(l, pub->local_ts, pub->local_ts_count * sizeof(*pub->local_ts));
    p->peer_ts = lay(l, pub->peer_ts, pub->peer_ts_count * sizeof(*pub->peer_ts));
}

ikev2_rc ikev2__policy_new(ikev2_engine *e, const ikev2_child_policy *pub, ikev2__policy **out)
{
    ikev2_child_policy in = {.struct_size = sizeof(in)};
    if (pub && !versioned_read(&in, sizeof(in), sizeof(in), pub))
        return IKEV2_ERR_ARG;
    if (in.mode == 0)
        in.mode = IKEV2_MODE_TRANSPORT;
    if (!in.transforms) {
        in.transforms = e->cfg.child_transforms;
        in.transform_count = e->cfg.child_transform_count;
    }
    if (in.mode > IKEV2_MODE_TUNNEL || !selectors_ok(in.local_ts, in.local_ts_count) ||
        !selectors_ok(in.peer_ts, in.peer_ts_count) ||
        !ikev2__transforms_valid(in.transforms, in.transform_count, IKEV2_PROTOCOL_ID_ESP))
        return IKEV2_ERR_ARG;
    layout l = {.used = sizeof(ikev2__policy)};
    ikev2__policy sizing = {0};
    lay_policy(&l, &sizing, &in);
    ikev2__policy *p = alloc_zero(&e->mem, l.used);
    if (!p)
        return IKEV2_ERR_NOMEM;
    l = (layout){.block = (uint8_t *)p, .used = sizeof(*p)};
    p->refs = 1;
    p->mode = in.mode;
    p->transform_count = in.transform_count;
    p->local_count = in.local_ts_count;
    p->peer_count = in.peer_ts_count;
    lay_policy(&l, p, &in);
    *out = p;
    return IKEV2_OK;
}

void ikev2__policy_release(ikev2_engine *e, ikev2__policy *p)
{
    if (p && --p->refs == 0)
        alloc_free(&e->mem, p);
}

/* A list of views, and what they show. */
static const ikev2_der *lay_ders(layout *l, const ikev2_der *from, size_t count)
{
    ikev2_der *list = (ikev2_der *)(uintptr_t)lay(l, from, count * sizeof(*from));
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = lay(l, from[i].bytes, from[i].len);
        if (list)
            list[i].bytes = bytes;
    }
    return list;
}

static const ikev2_credentials *lay_credentials(layout *l, const ikev2_credentials *from)
{
    ikev2_credentials sizing;
    ikev2_credentials *to = (ikev2_credentials *)(uintptr_t)lay(l, from, sizeof(*from));
    if (!to)
        to = &sizing;
    to->private_key = lay(l, from->private_key, from->private_key_len);
    to->chain = lay_ders(l, from->chain, from->chain_count);
    to->anchors = lay_ders(l, from->anchors, from->anchor_count);
    to->crls = lay_ders(l, from->crls, from->crl_count);
    return to == &sizing ? NULL : to;
}

static void lay_peer(layout *l, ikev2_peer *to, const ikev2_peer *from)
{
    if (from->credentials)
        to->credentials = lay_credentials(l, from->credentials);
    to->local_id.bytes = lay(l, from->local_id.bytes, from->local_id.len);
    to->peer_id.bytes = lay(l, from->peer_id.bytes, from->peer_id.len);
    to->local_psk = lay(l, from->local_psk, from->local_psk_len);
    to->peer_psk = lay(l, from->peer_psk, from->peer_psk_len);
    to->ike_transforms =
        lay(l, from->ike_transforms, from->ike_transform_count * sizeof(*from->ike_transforms));
    to->push_routes = lay(l, from->push_routes, from->push_route_count * sizeof(ikev2_addr));
    to->accept_routes = lay(l, from->accept_routes, from->accept_route_count * sizeof(ikev2_addr));
}

static bool prefixes_ok(const ikev2_addr *p, size_t count)
{
    if (!list_ok(p, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const bool v4 = p[i].family == IKEV2_FAMILY_IPV4 && p[i].prefix_len <= 32;
        const bool v6 = p[i].family == IKEV2_FAMILY_IPV6 && p[i].prefix_len <= 128;
        if (!v4 && !v6)
            return false;
    }
    return true;
}

static bool identity_ok(const ikev2_identity *id, bool may_be_any)
{
    if (id->type == IKEV2_ID_ANY)
        return may_be_any && id->len == 0;
    if (id->type == IKEV2_ID_IPV4_ADDR && id->len != 4)
        return false;
    if (id->type == IKEV2_ID_IPV6_ADDR && id->len != 16)
        return false;
    return id->bytes && id->len > 0 && id->len <= IKEV2_MAX_IDENTITY_BYTES;
}

static bool ders_ok(const ikev2_der *list, size_t count, size_t max)
{
    if (count > max || (!list && count > 0))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!list[i].bytes || list[i].len == 0 || list[i].len > MAX_DER)
            return false;
    return true;
}

/* Our own certificate can sign, and the key is its own. */
static bool own_key_ok(const ikev2_credentials *c)
{
    const ikev2_der key = {c->private_key, c->private_key_len};
    ikev2__public_key pub;
    return c->chain_count > 0 && ikev2__certs_decode(c->chain, c->chain_count) &&
           ikev2__cert_key(&c->chain[0], &pub) == 0 &&
           (key.len == 0 || ikev2__keys_match(&pub, &key));
}

bool ikev2__trust_ok(const ikev2_der *anchors, size_t anchor_count, const ikev2_der *crls,
                     size_t crl_count)
{
    return ders_ok(anchors, anchor_count, IKEV2_MAX_CERTS) && ders_ok(crls, crl_count, MAX_LIST) &&
           ikev2__certs_decode(anchors, anchor_count) && ikev2__crls_decode(crls, crl_count);
}

static bool credentials_ok(const ikev2_credentials *c)
{
    if (c->local_auth > IKEV2_AUTHENTICATE_SIGNATURE ||
        c->peer_auth > IKEV2_AUTHENTICATE_SIGNATURE || c->pkcs1 > 1 || c->reserved != 0 ||
        (!c->private_key && c->private_key_len > 0) || c->private_key_len > IKEV2_MAX_KEY_BYTES ||
        !ders_ok(c->chain, c->chain_count, IKEV2_MAX_CERTS) ||
        !ikev2__trust_ok(c->anchors, c->anchor_count, c->crls, c->crl_count))
        return false;
    return c->local_auth != IKEV2_AUTHENTICATE_SIGNATURE || own_key_ok(c);
}

static bool peer_ok(const ikev2_peer *p)
{
    return identity_ok(&p->local_id, false) && identity_ok(&p->peer_id, true) &&
           (p->local_psk || p->local_psk_len == 0) && (p->peer_psk || p->peer_psk_len == 0) &&
           p->local_psk_len <= IKEV2_MAX_IDENTITY_BYTES &&
           p->peer_psk_len <= IKEV2_MAX_IDENTITY_BYTES &&
           list_ok(p->ike_transforms, p->ike_transform_count) &&
           prefixes_ok(p->push_routes, p->push_route_count) &&
           prefixes_ok(p->accept_routes, p->accept_route_count) &&
           (p->request & ~(IKEV2_REQUEST_SUBNETS | IKEV2_REQUEST_ADDRESS)) == 0;
}

ikev2_rc ikev2__peer_new(ikev2_engine *e, const ikev2_peer *pub, ikev2__peer **out)
{
    ikev2_peer in = {0};
    ikev2_credentials credentials = {0};
    if (!versioned_read(&in, sizeof(in), offsetof(ikev2_peer, credentials), pub))
        return IKEV2_ERR_ARG;
    if (in.credentials) {
        if (!versioned_read(&credentials, sizeof(credentials), sizeof(credentials),
                            in.credentials) ||
            !credentials_ok(&credentials))
            return IKEV2_ERR_ARG;
        in.credentials = &credentials;
    }
    if (!in.ike_transforms) {
        in.ike_transforms = e->cfg.ike_transforms;
        in.ike_transform_count = e->cfg.ike_transform_count;
    }
    if (!peer_ok(&in) ||
        !ikev2__transforms_valid(in.ike_transforms, in.ike_transform_count, IKEV2_PROTOCOL_ID_IKE))
        return IKEV2_ERR_ARG;
    ikev2__policy *policy = NULL;
    const ikev2_rc rc = ikev2__policy_new(e, in.child, &policy);
    if (rc < 0)
        return rc;
    uint8_t hashes[IKEV2_MAX_CERTS][IKEV2__KEY_HASH_BYTES];
    for (size_t i = 0; i < credentials.anchor_count; i++)
        if (!ikev2__cert_key_hash(&credentials.anchors[i], hashes[i])) {
            ikev2__policy_release(e, policy);
            return IKEV2_ERR_CRYPTO;
        }
    layout l = {.used = sizeof(ikev2__peer)};
    ikev2_peer sizing = in;
    lay_peer(&l, &sizing, &in);
    (void)lay(&l, hashes, credentials.anchor_count * sizeof(hashes[0]));
    ikev2__peer *p = alloc_zero(&e->mem, l.used);
    if (!p) {
        ikev2__policy_release(e, policy);
        return IKEV2_ERR_NOMEM;
    }
    p->refs = 1;
    p->size = l.used;
    p->policy = policy;
    p->pub = in;
    p->pub.child = NULL;
    l = (layout){.block = (uint8_t *)p, .used = sizeof(*p)};
    lay_peer(&l, &p->pub, &in);
    p->ca_hashes = lay(&l, hashes, credentials.anchor_count * sizeof(hashes[0]));
    p->ca_count = credentials.anchor_count;
    *out = p;
    return IKEV2_OK;
}

void ikev2__peer_release(ikev2_engine *e, ikev2__peer *p)
{
    if (!p || --p->refs > 0)
        return;
    ikev2__policy_release(e, p->policy);
    sodium_memzero(p, p->size);
    alloc_free(&e->mem, p);
}

ikev2__context *ikev2__context_new(ikev2_engine *e)
{
    ikev2__context *ctx = alloc_zero(&e->mem, sizeof(*ctx));
    if (ctx)
        ctx->refs = 1;
    return ctx;
}

static void free_secret(ikev2_engine *e, uint8_t *secret, size_t len)
{
    if (secret)
        sodium_memzero(secret, len);
    alloc_free(&e->mem, secret);
}

void ikev2__context_release(ikev2_engine *e, ikev2__context *ctx)
{
    if (!ctx || --ctx->refs > 0)
        return;
    ikev2__peer_release(e, ctx->peer);
    free_secret(e, ctx->local_psk, ctx->local_psk_len);
    free_secret(e, ctx->peer_psk, ctx->peer_psk_len);
    alloc_free(&e->mem, (void *)(uintptr_t)ctx->peer_id.bytes);
    alloc_free(&e->mem, (void *)(uintptr_t)ctx->asked_id.bytes);
    alloc_free(&e->mem, ctx->routes);
    alloc_free(&e->mem, ctx);
}

bool ikev2__identity_equal(const ikev2_identity *a, const ikev2_identity *b)
{
    return a->type == b->type && a->len == b->len &&
           (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* "*.example.com" and "*@example.com": a star, then what must follow something. */
bool ikev2__identity_matches(const ikev2_identity *pattern, const ikev2_identity *id)
{
    if (pattern->type == IKEV2_ID_ANY)
        return true;
    const bool may_be_wild =
        pattern->type == IKEV2_ID_FQDN || pattern->type == IKEV2_ID_RFC822_ADDR;
    if (!may_be_wild || pattern->bytes[0] != '*')
        return ikev2__identity_equal(pattern, id);
    const size_t tail = pattern->len - 1;
    return id->type == pattern->type && id->len > tail &&
           memcmp(id->bytes + id->len - tail, pattern->bytes + 1, tail) == 0;
}

bool ikev2__prefix_covers(const ikev2_addr *prefix, const ikev2_addr *addr, uint8_t len)
{
    if (prefix->family != addr->family)
        return false;
    const size_t whole = len / 8;
    if (memcmp(prefix->bytes, addr->bytes, whole) != 0)
        return false;
    const uint8_t mask = (uint8_t)(0xff00u >> len % 8);
    return len % 8 == 0 || ((prefix->bytes[whole] ^ addr->bytes[whole]) & mask) == 0;
}

bool ikev2__addr_equal(const ikev2_addr *a, const ikev2_addr *b)
{
    return a->family == b->family && a->port == b->port && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

ikev2__peer *ikev2__profile_match(const ikev2_engine *e, const ikev2_identity *id,
                                  const ikev2_identity *asked, const ikev2_addr *from)
{
    for (size_t i = 0; i < e->profile_count; i++) {
        const ikev2_peer *p = &e->profiles[i]->pub;
        const ikev2_addr *prefix = &p->path.peer;
        if (prefix->family != IKEV2_FAMILY_NONE &&
            (prefix->scope != from->scope ||
             !ikev2__prefix_covers(prefix, from, prefix->prefix_len)))
            continue;
        if (!ikev2__identity_matches(&p->peer_id, id))
            continue;
        if (asked->type != IKEV2_ID_ANY && !ikev2__identity_equal(asked, &p->local_id))
            continue;
        return e->profiles[i];
    }
    return NULL;
}
