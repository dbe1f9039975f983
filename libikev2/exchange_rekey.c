/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CREATE_CHILD_SA for IKE SAs (RFC 7296 1.3.2, 2.18), and both sides at once (2.8.2, 2.25.2).
 */
#include "engine.h"

static ikev2__offer rekey_offer(const ikev2__sa *sa, const uint8_t *spi)
{
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    return (ikev2__offer){.transforms = peer->ike_transforms,
                          .count = peer->ike_transform_count,
                          .protocol = IKEV2_PROTOCOL_ID_IKE,
                          .with_group = true,
                          .spi = spi,
                          .spi_len = IKEV2__SPI_BYTES};
}

static void put_spi(uint64_t spi, uint8_t out[IKEV2__SPI_BYTES])
{
    wire_set_u32(out, (uint32_t)(spi >> 32));
    wire_set_u32(out + 4, (uint32_t)spi);
}

static uint64_t get_spi(const uint8_t *b)
{
    wire_reader r = wire_reader_make(b, IKEV2__SPI_BYTES);
    return wire_get_u64(&r);
}

/* A successor, not yet in use; NULL: no memory. */
static ikev2__sa *successor(ikev2__sa *old, bool initiator, uint64_t spi_i, uint64_t spi_r,
                            const ikev2__suite *suite)
{
    ikev2__sa *sa = ikev2__sa_new(old->e, initiator, &old->path, old->ctx);
    if (!sa)
        return NULL;
    sa->spi_i = spi_i;
    sa->spi_r = spi_r;
    sa->suite = *suite;
    sa->nat_local = old->nat_local;
    sa->nat_peer = old->nat_peer;
    sa->encapsulated = old->encapsulated;
    sa->peer_fragments = old->peer_fragments;
    return sa;
}

/* RFC 7296 2.8: the new IKE SA inherits all Child SAs. */
static void inherit(ikev2__sa *old, ikev2__sa *heir)
{
    ikev2_engine *e = old->e;
    for (ikev2__child *c = old->children, *next; c; c = next) {
        next = c->next;
        if (c->state != IKEV2__CHILD_DEAD)
            ikev2__child_move(c, heir);
    }
    heir->contests = 0;
    heir->want_config |= old->want_config;
    /* The caller deleted the old one while we waited: the children with it. */
    if (old->want_delete && old->close_reason == IKEV2_REASON_LOCAL) {
        heir->want_delete = true;
        heir->close_reason = IKEV2_REASON_LOCAL;
    }
    old->want_config = old->want_rekey = old->want_liveness = false;
    ikev2__sa_set_state(old, IKEV2__STATE_REPLACED);
    ikev2__sa_set_timer(old, IKEV2__T_REKEY, IKEV2_NEVER);
    ikev2__sa_set_timer(old, IKEV2__T_LIVENESS, IKEV2_NEVER);
    ikev2__sa_set_timer(old, IKEV2__T_KEEPALIVE, IKEV2_NEVER);
    ikev2__sa_set_timer(old, IKEV2__T_EXPIRE, e->now_ms + e->cfg.linger_ms);
    ikev2__sa_arm(old);
    ikev2__sa_arm(heir);
    ikev2__sa_pump(heir);
}

static ikev2__sa *rival_of(const ikev2__sa *sa)
{
    ikev2__sa *rival = NULL;
    if (sa->task && sa->task->kind == IKEV2__TASK_IKE_REKEY && sa->task->rival_id)
        rival = ikev2__sa_by_id(sa->e, sa->task->rival_id);
    return rival && rival->state == IKEV2__STATE_ESTABLISHED ? rival : NULL;
}

bool ikev2__rekey_yield(ikev2__sa *sa)
{
    ikev2__sa *rival = rival_of(sa);
    if (!rival)
        return false;
    inherit(sa, rival);
    return true;
}

bool ikev2__rekey_contested(const ikev2__sa *sa)
{
    const ikev2__sa *old = sa->contests ? ikev2__sa_by_id(sa->e, sa->contests) : NULL;
    return old && rival_of(old) == sa;
}

void ikev2__rekey_settle(ikev2__sa *sa, uint8_t exchange, const ikev2__message *msg)
{
    const ikev2_payload *p = ikev2__message_get(msg, IKEV2_PAYLOAD_DELETE);
    ikev2_delete d = {0};
    if (p)
        (void)ikev2_delete_decode(p->body, p->len, &d);
    const bool of_children =
        exchange == IKEV2_EXCHANGE_CREATE_CHILD_SA || d.protocol == IKEV2_PROTOCOL_ID_ESP;
    if (of_children && ikev2__rekey_contested(sa))
        (void)ikev2__rekey_yield(ikev2__sa_by_id(sa->e, sa->contests));
}

ikev2_rc ikev2__rekey_build(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    uint8_t pub[IKEV2__MAX_PUBLIC];
    uint8_t spi[IKEV2__SPI_BYTES];
    ikev2__task *task = alloc_zero(&e->mem, sizeof(*task));
    if (!task)
        return IKEV2_ERR_NOMEM;
    task->kind = IKEV2__TASK_IKE_REKEY;
    task->new_spi = ikev2__new_ike_spi(e);
    task->group = sa->retry_group ? sa->retry_group : sa->suite.group;
    put_spi(task->new_spi, spi);
    drbg_get(&e->random, task->nonce, sizeof(task->nonce));
    ikev2_rc rc = IKEV2_ERR_CRYPTO;
    if (ikev2__dh_generate(e->crypto, task->group, &e->random, task->priv, pub)) {
        const ikev2__offer offer = rekey_offer(sa, spi);
        ikev2__builder b = ikev2__sa_builder(sa);
        ikev2__put_offer(&b, &offer);
        ikev2__put_bytes(&b, IKEV2_PAYLOAD_NONCE, task->nonce, sizeof(task->nonce));
        ikev2__put_ke(&b, task->group, pub, ikev2__group_public_bytes(task->group));
        rc = ikev2__sa_request(sa, task, IKEV2_EXCHANGE_CREATE_CHILD_SA, &b);
    }
    if (rc < 0) {
        sodium_memzero(task, sizeof(*task));
        alloc_free(&e->mem, task);
    }
    return rc;
}

static ikev2_rc rekey_failed(ikev2__sa *sa, const ikev2__message *msg)
{
    const ikev2__task *task = sa->task;
    const uint16_t error = ikev2__message_error(msg);
    ikev2_notify n;
    if (error == 0)
        return IKEV2_ERR_PAYLOADS;
    const bool yielded = ikev2__rekey_yield(sa);
    bool again = false;
    if (yielded) {
        /* The peer's own rekey went through. */
    } else if (error == IKEV2__N_TEMPORARY_FAILURE) {
        again = true;
    } else if (error == IKEV2__N_INVALID_KE_PAYLOAD &&
               ikev2__message_notify(msg, IKEV2__N_INVALID_KE_PAYLOAD, &n)) {
        const ikev2_peer *peer = &sa->ctx->peer->pub;
        const uint16_t group = (uint16_t)(n.data[0] << 8 | n.data[1]);
        again = group != task->group && sa->retry_group == 0 &&
                ikev2__has_transform(peer->ike_transforms, peer->ike_transform_count,
                                     IKEV2_TRANSFORM_GROUP, group);
        sa->retry_group = again ? group : 0;
        if (!again)
            ikev2__refused(sa, NULL, IKEV2_REASON_KEY_EXCHANGE, group);
    } else {
        ikev2__refused(sa, NULL, ikev2__reason_of(error), error);
    }
    ikev2__sa_request_done(sa);
    sa->want_rekey = again;
    if (error == IKEV2__N_TEMPORARY_FAILURE && again)
        (void)ikev2__back_off(sa);
    return IKEV2_OK;
}

ikev2_rc ikev2__rekey_response(ikev2__sa *sa, ikev2__message *msg)
{
    ikev2_engine *e = sa->e;
    ikev2__task *task = sa->task;
    if (msg->form == IKEV2__FORM_ERROR)
        return rekey_failed(sa, msg);
    if (msg->form != IKEV2__FORM_IKE)
        return IKEV2_ERR_PAYLOADS;
    const ikev2_payload *nonce = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    const ikev2_payload *kep = ikev2__message_get(msg, IKEV2_PAYLOAD_KE);
    const ikev2__offer offer = rekey_offer(sa, NULL);
    ikev2__choice choice;
    ikev2_tagged ke;
    if (!ikev2__nonce_ok(nonce))
        return IKEV2_ERR_SYNTAX;
    ikev2_rc rc = ikev2__choose(&offer, ikev2__message_get(msg, IKEV2_PAYLOAD_SA), true, &choice);
    if (rc == IKEV2_OK)
        rc = ikev2_ke_decode(kep->body, kep->len, &ke);
    if (rc == IKEV2_OK &&
        (choice.suite.group != task->group || ke.tag != task->group || get_spi(choice.spi) == 0))
        rc = IKEV2_ERR_PROPOSAL;
    if (rc < 0)
        return rc;
    uint8_t secret[IKEV2__MAX_PUBLIC];
    rc = ikev2__dh_shared(e->crypto, task->group, task->priv, ke.bytes, ke.len, secret);
    if (rc < 0)
        return rc;
    ikev2__sa *heir = successor(sa, true, task->new_spi, get_spi(choice.spi), &choice.suite);
    if (!heir) {
        sodium_memzero(secret, sizeof(secret));
        return IKEV2_ERR_NOMEM;
    }
    const ikev2__part ni = {task->nonce, sizeof(task->nonce)};
    const ikev2__part nr = {nonce->body, nonce->len};
    rc = ikev2__derive_ike(heir, &ni, &nr, secret, sa);
    sodium_memzero(secret, sizeof(secret));
    if (rc < 0) {
        ikev2__sa_free(heir);
        return rc;
    }
    ikev2__sa *rival = rival_of(sa);
    const bool lost = rival && ikev2__lost_to_rival(task, nonce);
    ikev2__sa_index_spi(heir);
    ikev2__sa_request_done(sa);
    sa->failures = 0;
    ikev2__sa_establish(heir, sa->id);
    if (lost) {
        /* Who made the redundant one deletes it; the peer deletes the old one. */
        inherit(sa, rival);
        heir->want_delete = true;
        heir->close_reason = IKEV2_REASON_REDUNDANT;
        ikev2__sa_pump(heir);
    } else {
        inherit(sa, heir);
        sa->want_delete = true;
        sa->close_reason = IKEV2_REASON_REKEYED;
        /* The peer deletes its own; unless our Delete of the old one is quicker than our answer. */
        if (rival)
            ikev2__sa_doom(rival, IKEV2_REASON_REDUNDANT, e->now_ms + e->cfg.linger_ms);
    }
    return IKEV2_OK;
}

/* RFC 7296 2.25.1, 2.25.2 */
static bool collides(const ikev2__sa *sa)
{
    const uint8_t kind = sa->task ? sa->task->kind : IKEV2__TASK_NONE;
    return sa->state != IKEV2__STATE_ESTABLISHED || sa->want_delete || kind == IKEV2__TASK_CHILD ||
           kind == IKEV2__TASK_CHILD_DELETE ||
           (kind == IKEV2__TASK_IKE_REKEY && sa->task->rival_id);
}

static ikev2_rc refuse(ikev2__sa *sa, uint16_t type, uint16_t group, uint64_t hash)
{
    uint8_t wanted[2];
    wire_set_u16(wanted, group);
    const bool ke = type == IKEV2__N_INVALID_KE_PAYLOAD;
    const ikev2_rc rc = ikev2__respond_error(sa, IKEV2_EXCHANGE_CREATE_CHILD_SA, type,
                                             ke ? wanted : NULL, ke ? sizeof(wanted) : 0, hash);
    if (rc == IKEV2_OK && type == IKEV2__N_NO_PROPOSAL_CHOSEN)
        ikev2__refused(sa, NULL, IKEV2_REASON_NO_PROPOSAL, type);
    return rc;
}

static ikev2_rc answer(ikev2__sa *sa, ikev2__sa *heir, const ikev2__choice *choice,
                       const uint8_t *pub, const uint8_t *nonce, uint64_t hash)
{
    uint8_t spi[IKEV2__SPI_BYTES];
    ikev2__flight flight;
    put_spi(heir->spi_r, spi);
    const ikev2__offer offer = rekey_offer(sa, spi);
    ikev2__builder b = ikev2__sa_builder(sa);
    ikev2__put_choice(&b, &offer, choice);
    ikev2__put_bytes(&b, IKEV2_PAYLOAD_NONCE, nonce, IKEV2__NONCE_BYTES);
    ikev2__put_ke(&b, choice->suite.group, pub, ikev2__group_public_bytes(choice->suite.group));
    const ikev2_rc rc =
        ikev2__protect(sa, IKEV2_EXCHANGE_CREATE_CHILD_SA, true, sa->next_recv, &b, &flight);
    if (rc == IKEV2_OK)
        ikev2__sa_respond(sa, &flight, hash);
    return rc;
}

ikev2_rc ikev2__rekey_request(ikev2__sa *sa, ikev2__message *msg, uint64_t hash)
{
    ikev2_engine *e = sa->e;
    const ikev2_payload *theirs = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    const ikev2_payload *kep = ikev2__message_get(msg, IKEV2_PAYLOAD_KE);
    const ikev2__offer offer = rekey_offer(sa, NULL);
    ikev2__choice choice = {0};
    ikev2_tagged ke;
    if (collides(sa))
        return refuse(sa, IKEV2__N_TEMPORARY_FAILURE, 0, hash);
    ikev2_rc rc = ikev2__choose(&offer, ikev2__message_get(msg, IKEV2_PAYLOAD_SA), false, &choice);
    if (rc == IKEV2_ERR_PROPOSAL)
        return refuse(sa, IKEV2__N_NO_PROPOSAL_CHOSEN, 0, hash);
    const uint16_t group = choice.suite.group;
    if (rc < 0 || ikev2_ke_decode(kep->body, kep->len, &ke) < 0 || !ikev2__nonce_ok(theirs) ||
        get_spi(choice.spi) == 0)
        return ikev2__fatal_error(sa, IKEV2_EXCHANGE_CREATE_CHILD_SA, IKEV2__N_INVALID_SYNTAX, NULL,
                                  0, hash, IKEV2_REASON_SYNTAX);
    if (ke.tag != group)
        return refuse(sa, IKEV2__N_INVALID_KE_PAYLOAD, group, hash);
    if (e->counters.sas >= e->cfg.max_sas)
        return refuse(sa, IKEV2__N_TEMPORARY_FAILURE, 0, hash);

    uint8_t priv[IKEV2__MAX_PRIVATE] = {0};
    uint8_t pub[IKEV2__MAX_PUBLIC];
    uint8_t secret[IKEV2__MAX_PUBLIC];
    uint8_t nonce[IKEV2__NONCE_BYTES];
    rc = IKEV2_ERR_CRYPTO;
    if (ikev2__dh_generate(e->crypto, group, &e->random, priv, pub))
        rc = ikev2__dh_shared(e->crypto, group, priv, ke.bytes, ke.len, secret);
    sodium_memzero(priv, sizeof(priv));
    if (rc == IKEV2_ERR_KEY)
        return ikev2__fatal_error(sa, IKEV2_EXCHANGE_CREATE_CHILD_SA, IKEV2__N_INVALID_SYNTAX, NULL,
                                  0, hash, IKEV2_REASON_KEY_EXCHANGE);
    if (rc < 0)
        return rc;
    drbg_get(&e->random, nonce, sizeof(nonce));
    ikev2__sa *heir =
        successor(sa, false, get_spi(choice.spi), ikev2__new_ike_spi(e), &choice.suite);
    if (heir) {
        const ikev2__part ni = {theirs->body, theirs->len};
        const ikev2__part nr = {nonce, sizeof(nonce)};
        rc = ikev2__derive_ike(heir, &ni, &nr, secret, sa);
        if (rc == IKEV2_OK)
            rc = answer(sa, heir, &choice, pub, nonce, hash);
        if (rc < 0)
            ikev2__sa_free(heir);
    }
    sodium_memzero(secret, sizeof(secret));
    if (!heir || rc < 0)
        return heir ? rc : IKEV2_ERR_NOMEM;
    ikev2__sa_index_spi(heir);
    ikev2__sa_establish(heir, sa->id);
    if (sa->task && sa->task->kind == IKEV2__TASK_IKE_REKEY)
        heir->contests = sa->id;
    if (heir->contests)
        ikev2__note_rival(sa->task, heir->id, theirs, nonce);
    else
        inherit(sa, heir);
    return IKEV2_OK;
}
