/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CREATE_CHILD_SA for Child SAs (RFC 7296 1.3.1, 1.3.3): new ones, rekeys, and rekeys of both sides
 * at once (2.8.1, 2.25.1). What a Child SA is agreed to be is shared with IKE_AUTH.
 */
#include "engine.h"

uint16_t ikev2__reason_of(uint16_t notify)
{
    switch (notify) {
    case IKEV2__N_NO_PROPOSAL_CHOSEN:
        return IKEV2_REASON_NO_PROPOSAL;
    case IKEV2__N_INVALID_KE_PAYLOAD:
        return IKEV2_REASON_KEY_EXCHANGE;
    case IKEV2__N_AUTHENTICATION_FAILED:
        return IKEV2_REASON_AUTHENTICATION;
    case IKEV2__N_TS_UNACCEPTABLE:
    case IKEV2__N_SINGLE_PAIR_REQUIRED:
    case IKEV2__N_INVALID_SELECTORS:
        return IKEV2_REASON_SELECTORS;
    case IKEV2__N_INTERNAL_ADDRESS_FAILURE:
    case IKEV2__N_FAILED_CP_REQUIRED:
        return IKEV2_REASON_ADDRESS;
    case IKEV2__N_NO_ADDITIONAL_SAS:
        return IKEV2_REASON_LIMIT;
    case IKEV2__N_TEMPORARY_FAILURE:
        return IKEV2_REASON_TEMPORARY;
    case IKEV2__N_CHILD_SA_NOT_FOUND:
        return IKEV2_REASON_NOT_FOUND;
    case IKEV2__N_INVALID_SYNTAX:
        return IKEV2_REASON_SYNTAX;
    case IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD:
        return IKEV2_REASON_CRITICAL;
    default:
        return IKEV2_REASON_NOTIFY;
    }
}

/* ---- What a Child SA is agreed to be ---- */

static uint16_t notify_of(ikev2_rc rc)
{
    if (rc == IKEV2_OK)
        return 0;
    return rc == IKEV2_ERR_PROPOSAL ? IKEV2__N_NO_PROPOSAL_CHOSEN : IKEV2__N_INVALID_SYNTAX;
}

static bool wants_transport(const ikev2__message *msg)
{
    ikev2_notify n;
    return ikev2__message_notify(msg, IKEV2__N_USE_TRANSPORT_MODE, &n);
}

static void policy_selectors(const ikev2__sa *sa, const ikev2__policy *p, ikev2__selectors *local,
                             ikev2__selectors *peer)
{
    ikev2__selectors_resolve(p->local_ts, p->local_count, &sa->path.local, local);
    ikev2__selectors_resolve(p->peer_ts, p->peer_count, &sa->path.peer, peer);
}

static uint32_t read_spi(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool spi_ok(const ikev2__choice *c)
{
    static const uint8_t zero[4];
    return memcmp(c->spi, zero, sizeof(zero)) != 0;
}

uint16_t ikev2__terms_from_request(const ikev2__sa *sa, const ikev2__policy *policy,
                                   const ikev2__message *msg, bool with_group,
                                   ikev2__child_terms *out)
{
    const ikev2__offer offer = {.transforms = policy->transforms,
                                .count = policy->transform_count,
                                .protocol = IKEV2_PROTOCOL_ID_ESP,
                                .with_group = with_group,
                                .spi_len = 4};
    ikev2__selectors local;
    ikev2__selectors peer;
    ikev2__selectors tsi;
    ikev2__selectors tsr;
    *out = (ikev2__child_terms){0};
    uint16_t refusal = notify_of(
        ikev2__choose(&offer, ikev2__message_get(msg, IKEV2_PAYLOAD_SA), false, &out->choice));
    if (refusal == 0 && !spi_ok(&out->choice))
        refusal = IKEV2__N_NO_PROPOSAL_CHOSEN;
    if (refusal == 0)
        refusal =
            notify_of(ikev2__selectors_decode(ikev2__message_get(msg, IKEV2_PAYLOAD_TSI), &tsi));
    if (refusal == 0)
        refusal =
            notify_of(ikev2__selectors_decode(ikev2__message_get(msg, IKEV2_PAYLOAD_TSR), &tsr));
    if (refusal != 0)
        return refusal;

    /* RFC 7296 1.3.1: who may do transport mode may also do without; we hold to the policy. */
    out->mode = policy->mode;
    if (policy->mode == IKEV2_MODE_TRANSPORT && !wants_transport(msg)) {
        out->reason = IKEV2_REASON_MODE;
        return IKEV2__N_NO_PROPOSAL_CHOSEN;
    }
    if (policy->mode == IKEV2_MODE_TRANSPORT && sa->nat_peer)
        ikev2__selectors_substitute(&tsi, &sa->path.peer);
    if (policy->mode == IKEV2_MODE_TRANSPORT && sa->nat_local)
        ikev2__selectors_substitute(&tsr, &sa->path.local);
    policy_selectors(sa, policy, &local, &peer);
    ikev2__selectors_narrow(&tsi, &peer, &out->peer);
    ikev2__selectors_narrow(&tsr, &local, &out->local);
    return out->peer.count == 0 || out->local.count == 0 ? IKEV2__N_TS_UNACCEPTABLE : 0;
}

uint16_t ikev2__terms_from_response(const ikev2__sa *sa, const ikev2__child *child,
                                    const ikev2__message *msg, bool with_group,
                                    ikev2__child_terms *out)
{
    const ikev2__policy *policy = child->policy;
    const ikev2__offer offer = ikev2__child_offer(child, NULL, with_group);
    ikev2__selectors local;
    ikev2__selectors peer;
    *out = (ikev2__child_terms){0};
    uint16_t refusal = notify_of(
        ikev2__choose(&offer, ikev2__message_get(msg, IKEV2_PAYLOAD_SA), true, &out->choice));
    if (refusal == 0 && !spi_ok(&out->choice))
        refusal = IKEV2__N_NO_PROPOSAL_CHOSEN;
    if (refusal == 0)
        refusal = notify_of(
            ikev2__selectors_decode(ikev2__message_get(msg, IKEV2_PAYLOAD_TSI), &out->local));
    if (refusal == 0)
        refusal = notify_of(
            ikev2__selectors_decode(ikev2__message_get(msg, IKEV2_PAYLOAD_TSR), &out->peer));
    if (refusal != 0)
        return refusal;
    out->mode = policy->mode;
    if (wants_transport(msg) != (policy->mode == IKEV2_MODE_TRANSPORT)) {
        out->reason = IKEV2_REASON_MODE;
        return IKEV2__N_NO_PROPOSAL_CHOSEN;
    }
    if (policy->mode == IKEV2_MODE_TRANSPORT && sa->nat_local)
        ikev2__selectors_substitute(&out->local, &sa->path.local);
    if (policy->mode == IKEV2_MODE_TRANSPORT && sa->nat_peer)
        ikev2__selectors_substitute(&out->peer, &sa->path.peer);
    policy_selectors(sa, policy, &local, &peer);
    /* RFC 7296 2.9: an answer may narrow, never widen. */
    const bool narrowed =
        ikev2__selectors_within(&out->local, &local) && ikev2__selectors_within(&out->peer, &peer);
    return narrowed ? 0 : IKEV2__N_TS_UNACCEPTABLE;
}

ikev2_rc ikev2__child_accept(ikev2__child *c, const ikev2__child_terms *terms)
{
    const uint8_t *spi = terms->choice.spi;
    const ikev2_rc rc = ikev2__child_set_selectors(c, &terms->local, &terms->peer);
    if (rc < 0)
        return rc;
    c->suite = terms->choice.suite;
    c->mode = terms->mode;
    c->spi_out = read_spi(spi);
    return IKEV2_OK;
}

/* nonce NULL: IKE_AUTH has none; group NONE: no key exchange. */
void ikev2__put_child_offer(ikev2__builder *b, const ikev2__child *c, bool with_group,
                            const uint8_t *nonce, uint16_t group, const uint8_t *pub)
{
    uint8_t spi[4];
    ikev2__selectors local;
    ikev2__selectors peer;
    wire_set_u32(spi, c->spi_in);
    const ikev2__offer offer = ikev2__child_offer(c, spi, with_group);
    if (c->policy->mode == IKEV2_MODE_TRANSPORT)
        ikev2__put_status(b, IKEV2__N_USE_TRANSPORT_MODE);
    ikev2__put_offer(b, &offer);
    if (nonce)
        ikev2__put_bytes(b, IKEV2_PAYLOAD_NONCE, nonce, IKEV2__NONCE_BYTES);
    if (group != IKEV2_GROUP_NONE)
        ikev2__put_ke(b, group, pub, ikev2__group_public_bytes(group));
    policy_selectors(c->sa, c->policy, &local, &peer);
    ikev2__put_selectors(b, IKEV2_PAYLOAD_TSI, local.list, local.count);
    ikev2__put_selectors(b, IKEV2_PAYLOAD_TSR, peer.list, peer.count);
}

void ikev2__put_child_answer(ikev2__builder *b, const ikev2__child *c,
                             const ikev2__child_terms *terms, const uint8_t *nonce,
                             const uint8_t *pub)
{
    uint8_t spi[4];
    wire_set_u32(spi, c->spi_in);
    const ikev2__offer offer = ikev2__child_offer(c, spi, true);
    const uint16_t group = terms->choice.suite.group;
    if (terms->mode == IKEV2_MODE_TRANSPORT)
        ikev2__put_status(b, IKEV2__N_USE_TRANSPORT_MODE);
    ikev2__put_choice(b, &offer, &terms->choice);
    if (nonce)
        ikev2__put_bytes(b, IKEV2_PAYLOAD_NONCE, nonce, IKEV2__NONCE_BYTES);
    if (pub)
        ikev2__put_ke(b, group, pub, ikev2__group_public_bytes(group));
    ikev2__put_selectors(b, IKEV2_PAYLOAD_TSI, terms->peer.list, terms->peer.count);
    ikev2__put_selectors(b, IKEV2_PAYLOAD_TSR, terms->local.list, terms->local.count);
}

/* ---- Collisions ---- */

/* RFC 7296 2.8.1: octet by octet; of two that agree so far the shorter is lower. */
static int compare_nonces(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (order != 0)
        return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

void ikev2__note_rival(ikev2__task *task, uint64_t id, const ikev2_payload *theirs,
                       const uint8_t ours[IKEV2__NONCE_BYTES])
{
    const bool theirs_lower =
        compare_nonces(theirs->body, theirs->len, ours, IKEV2__NONCE_BYTES) < 0;
    task->rival_id = id;
    task->rival_nonce_len = theirs_lower ? theirs->len : IKEV2__NONCE_BYTES;
    memcpy(task->rival_nonce, theirs_lower ? theirs->body : ours, task->rival_nonce_len);
}

bool ikev2__lost_to_rival(const ikev2__task *task, const ikev2_payload *theirs)
{
    const uint8_t *lowest = task->nonce;
    size_t len = sizeof(task->nonce);
    if (compare_nonces(theirs->body, theirs->len, lowest, len) < 0) {
        lowest = theirs->body;
        len = theirs->len;
    }
    return compare_nonces(lowest, len, task->rival_nonce, task->rival_nonce_len) < 0;
}

bool ikev2__back_off(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    if (++sa->failures > IKEV2__MAX_FAILURES) {
        sa->want_delete = true;
        sa->close_reason = IKEV2_REASON_TEMPORARY;
        return false;
    }
    /* Each waits a time of its own, so that two do not meet again. */
    ikev2__sa_set_timer(sa, IKEV2__T_RETRY,
                        e->now_ms + e->cfg.retry_ms + drbg_below(&e->random, e->cfg.retry_ms + 1));
    return true;
}

/* ---- Requests of ours ---- */

static bool is_in_use(const ikev2__child *c)
{
    return c && (c->state == IKEV2__CHILD_UP || c->state == IKEV2__CHILD_IN_ONLY);
}

ikev2_rc ikev2__create_build(ikev2__sa *sa, ikev2__child *child)
{
    ikev2_engine *e = sa->e;
    ikev2__child *old = is_in_use(child) ? child : NULL;
    uint8_t pub[IKEV2__MAX_PUBLIC];
    ikev2__task *task = alloc_zero(&e->mem, sizeof(*task));
    ikev2__child *fresh = task && old ? ikev2__child_new(sa, old->policy) : child;
    if (!task || !fresh) {
        alloc_free(&e->mem, task);
        return IKEV2_ERR_NOMEM;
    }
    task->kind = IKEV2__TASK_CHILD;
    task->child_id = fresh->id;
    task->old_id = old ? old->id : 0;
    task->group = child->retry_group ? child->retry_group
                                     : ikev2__first_group(fresh->policy->transforms,
                                                          fresh->policy->transform_count);
    drbg_get(&e->random, task->nonce, sizeof(task->nonce));
    ikev2_rc rc = IKEV2_OK;
    if (task->group != IKEV2_GROUP_NONE &&
        !ikev2__dh_generate(e->crypto, task->group, &e->random, task->priv, pub))
        rc = IKEV2_ERR_CRYPTO;
    if (rc == IKEV2_OK) {
        ikev2__builder b = ikev2__sa_builder(sa);
        if (old) {
            uint8_t spi[4];
            wire_set_u32(spi, old->spi_in);
            ikev2__put_notify(&b, IKEV2_PROTOCOL_ID_ESP, spi, sizeof(spi), IKEV2__N_REKEY_SA, NULL,
                              0);
        }
        ikev2__put_child_offer(&b, fresh, true, task->nonce, task->group, pub);
        rc = ikev2__sa_request(sa, task, IKEV2_EXCHANGE_CREATE_CHILD_SA, &b);
    }
    if (rc < 0) {
        sodium_memzero(task, sizeof(*task));
        alloc_free(&e->mem, task);
        if (old)
            ikev2__child_free(fresh);
        return rc;
    }
    fresh->replaces = task->old_id;
    ikev2__child_set_state(fresh, IKEV2__CHILD_PENDING);
    return IKEV2_OK;
}

/* The peer is to delete it; where that does not happen we do, in the end. */
static void replaced(ikev2__child *c)
{
    const ikev2_engine *e = c->sa->e;
    if (c->state == IKEV2__CHILD_DEAD)
        return;
    ikev2__child_set_state(c, IKEV2__CHILD_REPLACED);
    c->want_rekey = false;
    c->soft_ms = IKEV2_NEVER;
    c->hard_ms = e->now_ms + e->cfg.linger_ms;
    ikev2__sa_arm(c->sa);
}

/* The peer has made it and we cannot use it: it is deleted without having been announced. */
static void reject(ikev2__child *c, uint16_t reason)
{
    ikev2__child_set_state(c, IKEV2__CHILD_UP);
    c->want_delete = true;
    c->delete_reason = reason;
}

static ikev2_rc create_failed(ikev2__sa *sa, const ikev2__task *task, const ikev2__message *msg)
{
    ikev2_engine *e = sa->e;
    ikev2__child *child = ikev2__child_by_id(e, task->child_id);
    ikev2__child *old = task->old_id ? ikev2__child_by_id(e, task->old_id) : NULL;
    ikev2__child *wish = task->old_id ? old : child; /* who tries again */
    const uint16_t error = ikev2__message_error(msg);
    ikev2_notify n;
    if (error == 0)
        return IKEV2_ERR_PAYLOADS;
    bool again = false;
    if (task->rival_id || (task->old_id && !is_in_use(old))) {
        /* The peer's own rekey went through, or the old SA is gone: nothing is left to do. */
    } else if (error == IKEV2__N_TEMPORARY_FAILURE) {
        again = true;
    } else if (error == IKEV2__N_INVALID_KE_PAYLOAD &&
               ikev2__message_notify(msg, IKEV2__N_INVALID_KE_PAYLOAD, &n)) {
        const uint16_t group = (uint16_t)(n.data[0] << 8 | n.data[1]);
        again = group != task->group && wish->retry_group == 0 &&
                ikev2__has_transform(wish->policy->transforms, wish->policy->transform_count,
                                     IKEV2_TRANSFORM_GROUP, group);
        wish->retry_group = again ? group : 0;
        if (!again)
            ikev2__refused(sa, wish, IKEV2_REASON_KEY_EXCHANGE, group);
    } else {
        ikev2__refused(sa, wish, ikev2__reason_of(error), error);
    }
    const bool not_found = error == IKEV2__N_CHILD_SA_NOT_FOUND && is_in_use(old);
    ikev2__sa_request_done(sa);
    if (not_found) {
        /* RFC 7296 2.25: the old one is forgotten without a word, another made from scratch. */
        ikev2__child_remove(old, IKEV2_REASON_NOT_FOUND);
        child->replaces = 0;
        again = true;
        old = NULL;
        ikev2__child_set_state(child, IKEV2__CHILD_WANTED);
    } else if (old || !again) {
        ikev2__child_free(child);
    } else {
        ikev2__child_set_state(child, IKEV2__CHILD_WANTED);
    }
    if (old)
        old->want_rekey = again;
    if (error == IKEV2__N_TEMPORARY_FAILURE && again)
        (void)ikev2__back_off(sa);
    return IKEV2_OK;
}

/* The key exchange of an answer; secret_len 0 where there is none. */
static ikev2_rc answer_secret(ikev2__sa *sa, const ikev2__task *task, const ikev2__message *msg,
                              uint16_t group, uint8_t *secret, size_t *secret_len)
{
    const ikev2_payload *p = ikev2__message_get(msg, IKEV2_PAYLOAD_KE);
    ikev2_tagged ke;
    *secret_len = 0;
    if (group == IKEV2_GROUP_NONE)
        return IKEV2_OK;
    if (!p || ikev2_ke_decode(p->body, p->len, &ke) < 0 || ke.tag != group || group != task->group)
        return IKEV2_ERR_PROPOSAL;
    const ikev2_rc rc =
        ikev2__dh_shared(sa->e->crypto, group, task->priv, ke.bytes, ke.len, secret);
    if (rc == IKEV2_OK)
        *secret_len = ikev2__group_secret_bytes(group);
    return rc;
}

static bool was_deleted(const ikev2__task *task, const uint8_t *spi)
{
    for (size_t i = 0; i < task->deleted_count; i++)
        if (task->deleted[i] == read_spi(spi))
            return true;
    return false;
}

ikev2_rc ikev2__create_response(ikev2__sa *sa, ikev2__message *msg)
{
    ikev2_engine *e = sa->e;
    ikev2__task *task = sa->task;
    if (task->kind != IKEV2__TASK_CHILD)
        return IKEV2_ERR_EXCHANGE;
    if (msg->form == IKEV2__FORM_ERROR)
        return create_failed(sa, task, msg);
    if (msg->form != IKEV2__FORM_CHILD)
        return IKEV2_ERR_PAYLOADS;
    ikev2__child *child = ikev2__child_by_id(e, task->child_id);
    const ikev2_payload *nonce = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    uint8_t secret[IKEV2__MAX_PUBLIC];
    size_t secret_len = 0;
    ikev2__child_terms terms;
    if (!ikev2__nonce_ok(nonce))
        return IKEV2_ERR_SYNTAX;
    const uint16_t refusal = ikev2__terms_from_response(sa, child, msg, true, &terms);
    uint16_t reason = terms.reason ? terms.reason : ikev2__reason_of(refusal);
    bool ok = refusal == 0;
    if (ok && answer_secret(sa, task, msg, terms.choice.suite.group, secret, &secret_len) < 0) {
        ok = false;
        reason = IKEV2_REASON_KEY_EXCHANGE;
    }
    if (ok) {
        const ikev2__part shared = {secret, secret_len};
        const ikev2__part ni = {task->nonce, sizeof(task->nonce)};
        const ikev2__part nr = {nonce->body, nonce->len};
        ikev2_rc rc = ikev2__child_accept(child, &terms);
        if (rc == IKEV2_OK)
            rc = ikev2__derive_child(sa, child, true, &shared, &ni, &nr);
        sodium_memzero(secret, sizeof(secret));
        if (rc < 0)
            return rc;
    }
    const bool deleted = was_deleted(task, terms.choice.spi);
    ikev2__child *old = task->old_id ? ikev2__child_by_id(e, task->old_id) : NULL;
    ikev2__child *rival = task->rival_id ? ikev2__child_by_id(e, task->rival_id) : NULL;
    /* Also where the rival was deleted since: the peer goes by the nonces, and so do we. */
    const bool lost = task->rival_id && ikev2__lost_to_rival(task, nonce);
    /* The caller deleted the old one while we waited. */
    const bool unwanted = old && old->want_delete && old->delete_reason == IKEV2_REASON_LOCAL;
    ikev2__sa_request_done(sa);
    sa->failures = 0;
    if (old)
        old->want_rekey = false;
    if (deleted) {
        ikev2__child_free(child);
    } else if (!ok) {
        ikev2__refused(sa, child, reason, refusal);
        reject(child, reason);
    } else if (unwanted) {
        reject(child, IKEV2_REASON_LOCAL);
        if (rival) {
            rival->want_delete = true;
            rival->delete_reason = IKEV2_REASON_LOCAL;
        }
    } else if (lost) {
        reject(child, IKEV2_REASON_REDUNDANT);
    } else {
        ikev2__child_install(child, true);
        if (old && old->state != IKEV2__CHILD_DEAD) {
            old->want_delete = true;
            old->delete_reason = IKEV2_REASON_REKEYED;
        }
        /* Its maker deletes it. */
        if (rival)
            replaced(rival);
    }
    return IKEV2_OK;
}

/* ---- Requests of the peer ---- */

ikev2_rc ikev2__respond_error(ikev2__sa *sa, uint8_t exchange, uint16_t type, const uint8_t *data,
                              size_t len, uint64_t hash)
{
    ikev2__builder b = ikev2__sa_builder(sa);
    ikev2__flight flight;
    ikev2__put_notify(&b, 0, NULL, 0, type, data, len);
    const ikev2_rc rc = ikev2__protect(sa, exchange, true, sa->next_recv, &b, &flight);
    if (rc == IKEV2_OK)
        ikev2__sa_respond(sa, &flight, hash);
    return rc;
}

ikev2_rc ikev2__fatal_error(ikev2__sa *sa, uint8_t exchange, uint16_t type, const uint8_t *data,
                            size_t len, uint64_t hash, uint16_t reason)
{
    const ikev2_rc rc = ikev2__respond_error(sa, exchange, type, data, len, hash);
    if (rc < 0)
        return rc;
    ikev2__refused(sa, NULL, reason, type);
    ikev2__sa_close(sa, reason);
    return IKEV2_OK;
}

static ikev2_rc not_found(ikev2__sa *sa, const ikev2_notify *rekey, uint64_t hash)
{
    ikev2__builder b = ikev2__sa_builder(sa);
    ikev2__flight flight;
    ikev2__put_notify(&b, rekey->protocol, rekey->spi, rekey->spi_len, IKEV2__N_CHILD_SA_NOT_FOUND,
                      NULL, 0);
    const ikev2_rc rc =
        ikev2__protect(sa, IKEV2_EXCHANGE_CREATE_CHILD_SA, true, sa->next_recv, &b, &flight);
    if (rc == IKEV2_OK)
        ikev2__sa_respond(sa, &flight, hash);
    return rc;
}

/* 0: go on; else what the request is answered with (RFC 7296 2.25). */
static uint16_t collision(const ikev2__sa *sa, bool rekey, const ikev2__child *old)
{
    if (sa->state != IKEV2__STATE_ESTABLISHED ||
        (sa->task && sa->task->kind == IKEV2__TASK_IKE_REKEY))
        return IKEV2__N_TEMPORARY_FAILURE;
    if (rekey)
        return is_in_use(old) && !old->want_delete ? 0 : IKEV2__N_TEMPORARY_FAILURE;
    return sa->child_count >= sa->e->cfg.max_children_per_sa ? IKEV2__N_NO_ADDITIONAL_SAS : 0;
}

/* The answer to an acceptable request; frees the new child when it fails. */
static ikev2_rc answer(ikev2__sa *sa, ikev2__child *child, const ikev2__message *msg,
                       const ikev2__child_terms *terms, const uint8_t *pub, const uint8_t *secret,
                       size_t secret_len, const uint8_t nonce[IKEV2__NONCE_BYTES], uint64_t hash)
{
    const ikev2_payload *theirs = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    const ikev2__part shared = {secret, secret_len};
    const ikev2__part ni = {theirs->body, theirs->len};
    const ikev2__part nr = {nonce, IKEV2__NONCE_BYTES};
    ikev2__flight flight;
    ikev2_rc rc = ikev2__child_accept(child, terms);
    if (rc == IKEV2_OK)
        rc = ikev2__derive_child(sa, child, false, &shared, &ni, &nr);
    if (rc == IKEV2_OK) {
        ikev2__builder b = ikev2__sa_builder(sa);
        ikev2__put_child_answer(&b, child, terms, nonce, secret_len > 0 ? pub : NULL);
        rc = ikev2__protect(sa, IKEV2_EXCHANGE_CREATE_CHILD_SA, true, sa->next_recv, &b, &flight);
    }
    if (rc == IKEV2_OK)
        ikev2__sa_respond(sa, &flight, hash);
    else
        ikev2__child_free(child);
    return rc;
}

/* Our half of the key exchange; a notify type other than 0 refuses the request. */
static ikev2_rc request_secret(ikev2__sa *sa, const ikev2__message *msg, uint16_t group,
                               uint8_t *pub, uint8_t *secret, uint16_t *refusal)
{
    ikev2_engine *e = sa->e;
    const ikev2_payload *p = ikev2__message_get(msg, IKEV2_PAYLOAD_KE);
    uint8_t priv[IKEV2__MAX_PRIVATE] = {0};
    ikev2_tagged ke = {0};
    if (p && ikev2_ke_decode(p->body, p->len, &ke) < 0) {
        *refusal = IKEV2__N_INVALID_SYNTAX;
        return IKEV2_OK;
    }
    if (!p || ke.tag != group) {
        *refusal = IKEV2__N_INVALID_KE_PAYLOAD;
        return IKEV2_OK;
    }
    ikev2_rc rc = IKEV2_ERR_CRYPTO;
    if (ikev2__dh_generate(e->crypto, group, &e->random, priv, pub))
        rc = ikev2__dh_shared(e->crypto, group, priv, ke.bytes, ke.len, secret);
    sodium_memzero(priv, sizeof(priv));
    if (rc == IKEV2_ERR_KEY) {
        *refusal = IKEV2__N_INVALID_SYNTAX; /* RFC 6989 2.5 */
        return IKEV2_OK;
    }
    return rc;
}

ikev2_rc ikev2__create_request(ikev2__sa *sa, ikev2__message *msg, uint64_t hash)
{
    ikev2_engine *e = sa->e;
    const uint8_t exchange = IKEV2_EXCHANGE_CREATE_CHILD_SA;
    const ikev2_payload *theirs = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    ikev2_notify rekey;
    ikev2__child *old = NULL;
    ikev2__child_terms terms = {0};
    if (!ikev2__nonce_ok(theirs))
        return ikev2__fatal_error(sa, exchange, IKEV2__N_INVALID_SYNTAX, NULL, 0, hash,
                                  IKEV2_REASON_SYNTAX);
    const bool is_rekey = ikev2__message_notify(msg, IKEV2__N_REKEY_SA, &rekey);
    if (is_rekey) {
        if (rekey.protocol == IKEV2_PROTOCOL_ID_ESP)
            old = ikev2__child_by_spi_out(sa, read_spi(rekey.spi));
        /* It may be the one that our own request makes: the peer knows it before we do. */
        if (!old && sa->task && sa->task->kind == IKEV2__TASK_CHILD)
            return ikev2__respond_error(sa, exchange, IKEV2__N_TEMPORARY_FAILURE, NULL, 0, hash);
        if (!old)
            return not_found(sa, &rekey, hash);
    }
    uint16_t refusal = collision(sa, is_rekey, old);
    const bool temporary = refusal != 0;
    if (refusal == 0)
        refusal = ikev2__terms_from_request(sa, old ? old->policy : sa->ctx->peer->policy, msg,
                                            true, &terms);
    uint8_t pub[IKEV2__MAX_PUBLIC];
    uint8_t secret[IKEV2__MAX_PUBLIC];
    uint8_t nonce[IKEV2__NONCE_BYTES];
    uint8_t wanted[2];
    const uint16_t group = terms.choice.suite.group;
    ikev2_rc rc = IKEV2_OK;
    if (refusal == 0 && group != IKEV2_GROUP_NONE)
        rc = request_secret(sa, msg, group, pub, secret, &refusal);
    if (rc < 0)
        return rc;
    if (refusal == IKEV2__N_INVALID_SYNTAX)
        return ikev2__fatal_error(sa, exchange, refusal, NULL, 0, hash, IKEV2_REASON_SYNTAX);
    if (refusal != 0) {
        wire_set_u16(wanted, group);
        const bool ke = refusal == IKEV2__N_INVALID_KE_PAYLOAD;
        rc = ikev2__respond_error(sa, exchange, refusal, ke ? wanted : NULL,
                                  ke ? sizeof(wanted) : 0, hash);
        if (rc == IKEV2_OK && !temporary && !ke)
            ikev2__refused(sa, old, terms.reason ? terms.reason : ikev2__reason_of(refusal),
                           refusal);
        return rc;
    }

    ikev2__child *child = ikev2__child_new(sa, old ? old->policy : sa->ctx->peer->policy);
    if (!child)
        return IKEV2_ERR_NOMEM;
    drbg_get(&e->random, nonce, sizeof(nonce));
    const size_t secret_len = ikev2__group_secret_bytes(group);
    rc = answer(sa, child, msg, &terms, pub, secret, secret_len, nonce, hash);
    sodium_memzero(secret, sizeof(secret));
    if (rc < 0)
        return rc;
    child->replaces = old ? old->id : 0;
    ikev2__child_install(child, old == NULL);
    if (old) {
        if (sa->task && sa->task->kind == IKEV2__TASK_CHILD && sa->task->old_id == old->id)
            ikev2__note_rival(sa->task, child->id, theirs, nonce);
        replaced(old);
    }
    return IKEV2_OK;
}
