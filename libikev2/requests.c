/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the caller asks for, and its answers.
 */
#include "engine.h"

static bool path_ok(const ikev2_path *p)
{
    return p->local.family == p->peer.family && p->local.port != 0 && p->peer.port != 0 &&
           (p->local.family == IKEV2_FAMILY_IPV4 || p->local.family == IKEV2_FAMILY_IPV6);
}

/* The anchors of all profiles, for who begins with us: its profile is not known then. */
static void note_anchors(ikev2_engine *e, const ikev2__peer *p)
{
    if (!ikev2__peer_signs(p))
        return;
    e->judging_profiles++;
    for (size_t i = 0; i < p->ca_count; i++) {
        const uint8_t *hash = p->ca_hashes + i * IKEV2__KEY_HASH_BYTES;
        bool known = e->ca_count == IKEV2_MAX_CERTS;
        for (size_t k = 0; k < e->ca_count; k++)
            known |= memcmp(e->ca_hashes[k], hash, IKEV2__KEY_HASH_BYTES) == 0;
        if (!known)
            memcpy(e->ca_hashes[e->ca_count++], hash, IKEV2__KEY_HASH_BYTES);
    }
}

static void note_all_anchors(ikev2_engine *e)
{
    e->ca_count = 0;
    e->judging_profiles = 0;
    for (size_t i = 0; i < e->profile_count; i++)
        note_anchors(e, e->profiles[i]);
}

ikev2_rc ikev2_engine_add_profile(ikev2_engine *e, uint64_t now_ms, const ikev2_peer *profile,
                                  uint64_t *profile_id)
{
    if (!e || !profile || !profile_id)
        return IKEV2_ERR_ARG;
    (void)ikev2__enter(e, now_ms, false);
    if (e->profile_count >= e->cfg.max_profiles)
        return IKEV2_ERR_LIMIT;
    if (e->profile_count == e->profile_cap) {
        const size_t cap = e->profile_cap ? e->profile_cap * 2 : 8;
        ikev2__peer **grown = alloc_grow(&e->mem, e->profiles, e->profile_cap, cap, sizeof(*grown));
        if (!grown)
            return IKEV2_ERR_NOMEM;
        e->profiles = grown;
        e->profile_cap = cap;
    }
    ikev2__peer *p;
    const ikev2_rc rc = ikev2__peer_new(e, profile, &p);
    if (rc < 0)
        return rc;
    const ikev2_addr *prefix = &p->pub.path.peer;
    if (prefix->prefix_len > (prefix->family == IKEV2_FAMILY_IPV4 ? 32 : 128)) {
        ikev2__peer_release(e, p);
        return IKEV2_ERR_ARG;
    }
    p->profile_id = ikev2__new_id(e);
    e->profiles[e->profile_count++] = p;
    note_anchors(e, p);
    *profile_id = p->profile_id;
    return IKEV2_OK;
}

ikev2_rc ikev2_engine_remove_profile(ikev2_engine *e, uint64_t now_ms, uint64_t profile_id)
{
    if (!e)
        return IKEV2_ERR_ARG;
    (void)ikev2__enter(e, now_ms, false);
    for (size_t i = 0; i < e->profile_count; i++) {
        if (e->profiles[i]->profile_id != profile_id)
            continue;
        const bool signs = ikev2__peer_signs(e->profiles[i]);
        ikev2__peer_release(e, e->profiles[i]);
        e->profile_count--;
        memmove(&e->profiles[i], &e->profiles[i + 1],
                (e->profile_count - i) * sizeof(e->profiles[0]));
        if (signs)
            note_all_anchors(e);
        return IKEV2_OK;
    }
    return IKEV2_ERR_ABSENT;
}

/* Where the peer's identity is known already, others with it are found by it. */
static ikev2_rc expect_identity(ikev2__sa *sa)
{
    ikev2__context *ctx = sa->ctx;
    const ikev2_identity *id = &ctx->peer->pub.peer_id;
    if (id->type == IKEV2_ID_ANY || id->bytes[0] == '*')
        return IKEV2_OK;
    uint8_t *bytes = alloc_zero(&sa->e->mem, id->len);
    if (!bytes)
        return IKEV2_ERR_NOMEM;
    memcpy(bytes, id->bytes, id->len);
    ctx->peer_id = (ikev2_identity){.bytes = bytes, .len = id->len, .type = id->type};
    ikev2__sa_index_identity(sa);
    return IKEV2_OK;
}

static ikev2_rc begin_initiator(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    sa->spi_i = ikev2__new_ike_spi(e);
    sa->hs = alloc_zero(&e->mem, sizeof(*sa->hs));
    if (!sa->hs)
        return IKEV2_ERR_NOMEM;
    sa->hs->group = ikev2__first_group(peer->ike_transforms, peer->ike_transform_count);
    sa->hs->ni_len = IKEV2__NONCE_BYTES;
    drbg_get(&e->random, sa->hs->ni, sa->hs->ni_len);
    const ikev2_rc rc = expect_identity(sa);
    return rc == IKEV2_OK ? ikev2__init_build(sa) : rc;
}

ikev2_rc ikev2_engine_initiate(ikev2_engine *e, uint64_t now_ms, const ikev2_peer *peer,
                               uint64_t *sa_id)
{
    if (!e || !peer || !sa_id)
        return IKEV2_ERR_ARG;
    ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    if (e->counters.sas >= e->cfg.max_sas)
        return IKEV2_ERR_LIMIT;
    ikev2__peer *p;
    rc = ikev2__peer_new(e, peer, &p);
    if (rc < 0)
        return rc;
    ikev2__context *ctx = ikev2__context_new(e);
    if (!ctx || !path_ok(&p->pub.path)) {
        ikev2__context_release(e, ctx);
        ikev2__peer_release(e, p);
        return ctx ? IKEV2_ERR_ARG : IKEV2_ERR_NOMEM;
    }
    ctx->peer = p;
    ikev2__sa *sa = ikev2__sa_new(e, true, &p->pub.path, ctx);
    ikev2__context_release(e, ctx);
    if (!sa)
        return IKEV2_ERR_NOMEM;
    rc = begin_initiator(sa);
    if (rc < 0) {
        ikev2__sa_free(sa);
        return rc;
    }
    ikev2__sa_index_spi(sa);
    ikev2__sa_set_state(sa, IKEV2__STATE_INIT_SENT);
    *sa_id = sa->id;
    return IKEV2_OK;
}

ikev2_rc ikev2_engine_initiate_child(ikev2_engine *e, uint64_t now_ms, uint64_t sa_id,
                                     const ikev2_child_policy *policy, uint64_t *child_id)
{
    if (!e || !child_id)
        return IKEV2_ERR_ARG;
    ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    ikev2__sa *sa = ikev2__sa_by_id(e, sa_id);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    if (sa->state != IKEV2__STATE_ESTABLISHED)
        return IKEV2_ERR_STATE;
    if (sa->child_count >= e->cfg.max_children_per_sa)
        return IKEV2_ERR_LIMIT;
    ikev2__policy *p = sa->ctx->peer->policy;
    if (policy) {
        rc = ikev2__policy_new(e, policy, &p);
        if (rc < 0)
            return rc;
    }
    ikev2__child *c = ikev2__child_new(sa, p);
    if (policy)
        ikev2__policy_release(e, p);
    if (!c)
        return IKEV2_ERR_NOMEM;
    c->requested = true;
    *child_id = c->id;
    ikev2__sa_pump(sa);
    return IKEV2_OK;
}

static ikev2_rc find_child(ikev2_engine *e, uint64_t now_ms, uint64_t id, ikev2__child **out)
{
    if (!e)
        return IKEV2_ERR_ARG;
    const ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    *out = ikev2__child_by_id(e, id);
    return *out && (*out)->state != IKEV2__CHILD_DEAD ? IKEV2_OK : IKEV2_ERR_ABSENT;
}

static ikev2_rc want_rekey(ikev2__child *c)
{
    if (c->state != IKEV2__CHILD_UP && c->state != IKEV2__CHILD_IN_ONLY)
        return IKEV2_ERR_STATE;
    c->want_rekey = true;
    ikev2__sa_pump(c->sa);
    return IKEV2_OK;
}

static void want_delete(ikev2__child *c, uint16_t reason)
{
    if (c->state == IKEV2__CHILD_WANTED) {
        ikev2__child_remove(c, reason);
        return;
    }
    if (c->state == IKEV2__CHILD_DELETING)
        return;
    c->want_delete = true;
    c->delete_reason = reason;
    ikev2__sa_pump(c->sa);
}

ikev2_rc ikev2_engine_rekey_child(ikev2_engine *e, uint64_t now_ms, uint64_t child_id)
{
    ikev2__child *c;
    const ikev2_rc rc = find_child(e, now_ms, child_id, &c);
    return rc == IKEV2_OK ? want_rekey(c) : rc;
}

ikev2_rc ikev2_engine_delete_child(ikev2_engine *e, uint64_t now_ms, uint64_t child_id)
{
    ikev2__child *c;
    const ikev2_rc rc = find_child(e, now_ms, child_id, &c);
    if (rc == IKEV2_OK)
        want_delete(c, IKEV2_REASON_LOCAL);
    return rc;
}

ikev2_rc ikev2_engine_child_limit(ikev2_engine *e, uint64_t now_ms, uint64_t child_id, uint8_t hard)
{
    ikev2__child *c;
    const ikev2_rc rc = find_child(e, now_ms, child_id, &c);
    if (rc < 0)
        return rc;
    if (!hard)
        return want_rekey(c);
    want_delete(c, IKEV2_REASON_LIFETIME);
    return IKEV2_OK;
}

static ikev2_rc find_sa(ikev2_engine *e, uint64_t now_ms, uint64_t id, ikev2__sa **out)
{
    if (!e)
        return IKEV2_ERR_ARG;
    const ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    *out = ikev2__sa_by_id(e, id);
    return *out && (*out)->state != IKEV2__STATE_CLOSED ? IKEV2_OK : IKEV2_ERR_ABSENT;
}

ikev2_rc ikev2_engine_rekey_ike(ikev2_engine *e, uint64_t now_ms, uint64_t sa_id)
{
    ikev2__sa *sa;
    const ikev2_rc rc = find_sa(e, now_ms, sa_id, &sa);
    if (rc < 0)
        return rc;
    if (sa->state != IKEV2__STATE_ESTABLISHED)
        return IKEV2_ERR_STATE;
    sa->want_rekey = true;
    ikev2__sa_pump(sa);
    return IKEV2_OK;
}

ikev2_rc ikev2_engine_delete_ike(ikev2_engine *e, uint64_t now_ms, uint64_t sa_id)
{
    ikev2__sa *sa;
    const ikev2_rc rc = find_sa(e, now_ms, sa_id, &sa);
    if (rc < 0)
        return rc;
    sa->close_reason = IKEV2_REASON_LOCAL;
    if (sa->state == IKEV2__STATE_ESTABLISHED || sa->state == IKEV2__STATE_REPLACED) {
        sa->want_delete = true;
        ikev2__sa_pump(sa);
    } else if (sa->state == IKEV2__STATE_JUDGING) {
        ikev2__auth_abandon(sa, IKEV2_REASON_LOCAL);
    } else if (sa->state != IKEV2__STATE_DELETING) {
        ikev2__sa_close(sa, IKEV2_REASON_LOCAL);
    }
    return IKEV2_OK;
}

ikev2_rc ikev2_engine_seen(ikev2_engine *e, uint64_t now_ms, uint64_t child_id,
                           const ikev2_path *path)
{
    ikev2__child *c;
    const ikev2_rc rc = find_child(e, now_ms, child_id, &c);
    if (rc < 0)
        return rc;
    if (path && !path_ok(path))
        return IKEV2_ERR_ARG;
    ikev2__sa_heard(c->sa);
    if (path)
        ikev2__sa_move_path(c->sa, path);
    /* RFC 7296 2.8: a packet on the new SA shows that the peer has it. */
    ikev2__child_start(c);
    return IKEV2_OK;
}

static uint8_t *copy_secret(ikev2_engine *e, const uint8_t *secret, size_t len)
{
    uint8_t *copy = alloc_zero(&e->mem, len);
    if (copy)
        memcpy(copy, secret, len);
    return copy;
}

ikev2_rc ikev2_engine_answer_psk(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                 const uint8_t *local, size_t local_len, const uint8_t *peer,
                                 size_t peer_len)
{
    if (!e || ask_id == 0 || (local && local_len == 0) || (!local && local_len > 0) ||
        (peer && peer_len == 0) || (!peer && peer_len > 0) ||
        local_len > IKEV2_MAX_IDENTITY_BYTES || peer_len > IKEV2_MAX_IDENTITY_BYTES)
        return IKEV2_ERR_ARG;
    const ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    ikev2__sa *sa = ikev2__asked(e, ask_id, IKEV2_EVENT_ASK_PSK);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    if (!local) {
        ikev2__ask_refuse(sa, IKEV2_REASON_NO_KEY, 0);
        return IKEV2_OK;
    }
    ikev2__context *ctx = sa->ctx;
    uint8_t *own = copy_secret(e, local, local_len);
    uint8_t *theirs = own && peer ? copy_secret(e, peer, peer_len) : NULL;
    if (!own || (peer && !theirs)) {
        if (own)
            sodium_memzero(own, local_len);
        alloc_free(&e->mem, own);
        return IKEV2_ERR_NOMEM;
    }
    if (ctx->local_psk)
        sodium_memzero(ctx->local_psk, ctx->local_psk_len);
    if (ctx->peer_psk)
        sodium_memzero(ctx->peer_psk, ctx->peer_psk_len);
    alloc_free(&e->mem, ctx->local_psk);
    alloc_free(&e->mem, ctx->peer_psk);
    ctx->local_psk = own;
    ctx->local_psk_len = local_len;
    ctx->peer_psk = theirs;
    ctx->peer_psk_len = peer_len;
    return ikev2__ask_resume(sa);
}

ikev2_rc ikev2_engine_answer_peer(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                  const ikev2_peer *peer)
{
    if (!e || ask_id == 0)
        return IKEV2_ERR_ARG;
    ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    ikev2__sa *sa = ikev2__asked(e, ask_id, IKEV2_EVENT_ASK_PEER);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    if (!peer) {
        ikev2__ask_refuse(sa, IKEV2_REASON_IDENTITY, 0);
        return IKEV2_OK;
    }
    ikev2__peer *p;
    rc = ikev2__peer_new(e, peer, &p);
    if (rc < 0)
        return rc;
    ikev2__peer_release(e, sa->ctx->peer);
    sa->ctx->peer = p;
    return ikev2__ask_resume(sa);
}
