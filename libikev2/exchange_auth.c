/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * IKE_AUTH (RFC 7296 1.2): identities, the first Child SA, the questions to the caller.
 */
#include "engine.h"

static void ask(ikev2__sa *sa, uint16_t kind)
{
    ikev2_engine *e = sa->e;
    ikev2__sa_set_ask(sa, ikev2__new_id(e));
    sa->ask_kind = kind;
    ikev2__sa_set_timer(sa, IKEV2__T_SETUP, e->now_ms + e->cfg.ask_ms);
    ikev2_event ev = {.kind = kind, .ask_id = sa->ask_id};
    ikev2__emit(e, &ev, sa, NULL);
}

static bool copy_identity(ikev2_engine *e, ikev2_identity *to, const ikev2_identity *from)
{
    uint8_t *bytes = alloc_zero(&e->mem, from->len);
    if (!bytes)
        return false;
    memcpy(bytes, from->bytes, from->len);
    alloc_free(&e->mem, (void *)(uintptr_t)to->bytes);
    *to = (ikev2_identity){.bytes = bytes, .len = from->len, .type = from->type};
    return true;
}

/* Keeps the message while the caller is asked; the peer's repeats change nothing. */
static ikev2_rc stash(ikev2__sa *sa, const uint8_t *plain, size_t len, uint8_t first)
{
    ikev2__handshake *hs = sa->hs;
    if (hs->stash.bytes)
        return IKEV2_OK;
    uint8_t *copy = alloc_zero(&sa->e->mem, len);
    if (!copy)
        return IKEV2_ERR_NOMEM;
    memcpy(copy, plain, len);
    hs->stash = (ikev2__bytes){copy, len};
    hs->stash_first = first;
    return IKEV2_OK;
}

/* What ASK_CERT is about, in the stash instead of in the message. */
static ikev2_rc show(ikev2__sa *sa, const ikev2__judgement *j, const uint8_t *plain)
{
    ikev2__handshake *hs = sa->hs;
    if (!hs->shown)
        hs->shown = alloc_zero(&sa->e->mem, sizeof(*hs->shown));
    if (!hs->shown)
        return IKEV2_ERR_NOMEM;
    hs->shown->key = j->key;
    hs->shown->count = j->cert_count;
    for (size_t i = 0; i < j->cert_count; i++)
        hs->shown->chain[i] =
            (ikev2_der){hs->stash.bytes + (j->certs[i].bytes - plain), j->certs[i].len};
    return IKEV2_OK;
}

/* ---- Initiator ---- */

/* RFC 7296 2.4: only where no other SA with that peer is up or forming. */
static bool is_initial_contact(const ikev2__sa *sa)
{
    const ikev2_identity *id = &sa->ctx->peer_id;
    return id->len > 0 && !ikev2__identity_known(sa->e, id, sa);
}

ikev2_rc ikev2__auth_build(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    ikev2__context *ctx = sa->ctx;
    const ikev2_peer *peer = &ctx->peer->pub;
    if (sa->ask_id != 0)
        return IKEV2_OK;
    if (ikev2__keys_needed(ctx)) {
        ask(sa, IKEV2_EVENT_ASK_PSK);
        return IKEV2_OK;
    }
    ikev2__judgement j = {0};
    ikev2_rc rc = ikev2__prove(sa, &j);
    if (rc < 0)
        return rc;
    if (j.ask) {
        ask(sa, j.ask);
        return IKEV2_OK;
    }
    if (j.reason) {
        ikev2__refused(sa, NULL, j.reason, j.detail);
        ikev2__sa_close(sa, j.reason);
        return IKEV2_OK;
    }
    ikev2__task *task = alloc_zero(&e->mem, sizeof(*task));
    ikev2__child *child = task ? ikev2__child_new(sa, ctx->peer->policy) : NULL;
    if (!child) {
        alloc_free(&e->mem, task);
        return IKEV2_ERR_NOMEM;
    }
    task->kind = IKEV2__TASK_AUTH;
    task->child_id = child->id;

    ikev2__builder b = ikev2__sa_builder(sa);
    const bool wildcard = peer->peer_id.type == IKEV2_ID_ANY || peer->peer_id.bytes[0] == '*';
    ikev2__put_id(&b, IKEV2_PAYLOAD_IDI, &peer->local_id);
    ikev2__put_certs(&b, ctx->peer);
    if (is_initial_contact(sa))
        ikev2__put_status(&b, IKEV2__N_INITIAL_CONTACT);
    if (ikev2__peer_signs(ctx->peer))
        ikev2__put_cert_request(&b, ctx->peer->ca_hashes, ctx->peer->ca_count);
    if (!wildcard)
        ikev2__put_id(&b, IKEV2_PAYLOAD_IDR, &peer->peer_id);
    rc = ikev2__put_proof(sa, &b) ? IKEV2_OK : IKEV2_ERR_CRYPTO;
    if (peer->request)
        ikev2__put_config_request(&b, peer->request);
    ikev2__put_child_offer(&b, child, false, NULL, IKEV2_GROUP_NONE, NULL);
    if (rc == IKEV2_OK)
        rc = ikev2__sa_request(sa, task, IKEV2_EXCHANGE_IKE_AUTH, &b);
    if (rc < 0) {
        ikev2__child_free(child);
        alloc_free(&e->mem, task);
        return rc;
    }
    ikev2__child_set_state(child, IKEV2__CHILD_PENDING);
    ikev2__sa_set_timer(sa, IKEV2__T_SETUP, IKEV2_NEVER);
    ikev2__sa_set_state(sa, IKEV2__STATE_AUTH_SENT);
    return IKEV2_OK;
}

void ikev2__auth_disown(ikev2__sa *sa, uint16_t reason, uint32_t detail)
{
    ikev2__refused(sa, NULL, reason, detail);
    sa->failure_notify = IKEV2__N_AUTHENTICATION_FAILED;
    ikev2__auth_abandon(sa, reason);
}

void ikev2__auth_abandon(ikev2__sa *sa, uint16_t reason)
{
    ikev2__sa_request_done(sa);
    ikev2__sa_set_ask(sa, 0);
    ikev2__sa_set_timer(sa, IKEV2__T_SETUP, IKEV2_NEVER);
    sa->close_reason = reason;
    if (ikev2__info_build(sa, IKEV2__TASK_IKE_DELETE, NULL) < 0)
        ikev2__sa_close(sa, reason);
}

static ikev2_rc disown(ikev2__sa *sa, uint16_t reason)
{
    ikev2__auth_disown(sa, reason, 0);
    return IKEV2_OK;
}

/* The peer takes the SA for up; whatever it sends on it is dropped, and comes again. */
static ikev2_rc wait_for_verdict(ikev2__sa *sa, const ikev2__judgement *j, const uint8_t *plain,
                                 size_t len, uint8_t first)
{
    ikev2_rc rc = stash(sa, plain, len, first);
    if (rc == IKEV2_OK)
        rc = show(sa, j, plain);
    if (rc < 0)
        return rc;
    ikev2__sa_set_timer(sa, IKEV2__T_RETRANSMIT, IKEV2_NEVER);
    ikev2__sa_set_state(sa, IKEV2__STATE_JUDGING);
    ask(sa, j->ask);
    return IKEV2_OK;
}

/* What became of the first Child SA. */
typedef struct first_child {
    bool offered;     /* the peer has made it */
    uint16_t refusal; /* 0: it is ours too */
    uint16_t reason;
} first_child;

static ikev2_rc judge_first_child(ikev2__sa *sa, ikev2__child *child, const ikev2__message *msg,
                                  first_child *out)
{
    const ikev2__handshake *hs = sa->hs;
    const ikev2__part none = {NULL, 0};
    const ikev2__part ni = {hs->ni, hs->ni_len};
    const ikev2__part nr = {hs->nr, hs->nr_len};
    const uint32_t all = IKEV2__BIT(IKEV2_PAYLOAD_SA) | IKEV2__BIT(IKEV2_PAYLOAD_TSI) |
                         IKEV2__BIT(IKEV2_PAYLOAD_TSR);
    ikev2__child_terms terms = {0};
    out->offered = (msg->present & all) == all;
    out->refusal = ikev2__message_error(msg);
    if (out->offered)
        out->refusal = ikev2__terms_from_response(sa, child, msg, false, &terms);
    else if (out->refusal == 0)
        out->refusal = IKEV2__N_NO_PROPOSAL_CHOSEN;
    out->reason = terms.reason ? terms.reason : ikev2__reason_of(out->refusal);
    if (out->refusal != 0)
        return IKEV2_OK;
    const ikev2_rc rc = ikev2__child_accept(child, &terms);
    return rc == IKEV2_OK ? ikev2__derive_child(sa, child, true, &none, &ni, &nr) : rc;
}

static void settle_first_child(ikev2__sa *sa, ikev2__child *child, const first_child *first)
{
    if (first->refusal == 0) {
        ikev2__child_install(child, true);
        return;
    }
    /* RFC 7296 1.2: the IKE SA is up all the same. */
    ikev2__refused(sa, child, first->reason, first->refusal);
    if (first->offered) {
        /* The peer has it: it must go there too. */
        child->delete_reason = first->reason;
        ikev2__child_set_state(child, IKEV2__CHILD_UP);
        child->want_delete = true;
    } else {
        ikev2__child_free(child);
    }
}

ikev2_rc ikev2__auth_response(ikev2__sa *sa, ikev2__message *msg, const uint8_t *plain, size_t len,
                              uint8_t first_payload)
{
    ikev2__context *ctx = sa->ctx;
    ikev2__judgement j;
    ikev2_identity id;
    if (msg->form == IKEV2__FORM_ERROR) {
        const uint16_t error = ikev2__message_error(msg);
        if (error == 0)
            return IKEV2_ERR_PAYLOADS;
        ikev2__refused(sa, NULL, ikev2__reason_of(error), error);
        ikev2__sa_close(sa, ikev2__reason_of(error));
        return IKEV2_OK;
    }
    const ikev2_payload *idr = ikev2__message_get(msg, IKEV2_PAYLOAD_IDR);
    if (ikev2_id_decode(idr->body, idr->len, &id) < 0)
        return disown(sa, IKEV2_REASON_SYNTAX);
    if (!ikev2__identity_matches(&ctx->peer->pub.peer_id, &id))
        return disown(sa, IKEV2_REASON_IDENTITY);
    ikev2_rc rc = ikev2__judge(sa, msg, &id, &j);
    if (rc < 0)
        return rc;
    if (j.reason) {
        ikev2__auth_disown(sa, j.reason, j.detail);
        return IKEV2_OK;
    }
    if (!sa->in_identity && !copy_identity(sa->e, &ctx->peer_id, &id))
        return IKEV2_ERR_NOMEM;
    if (j.ask)
        return wait_for_verdict(sa, &j, plain, len, first_payload);

    /* All that can fail comes first; the response is taken once more where it does. */
    ikev2__child *child = ikev2__child_by_id(sa->e, sa->task->child_id);
    const ikev2_payload *cpp = ikev2__message_get(msg, IKEV2_PAYLOAD_CP);
    ikev2__pushed pushed = {0};
    ikev2_tagged cp;
    first_child first;
    rc = judge_first_child(sa, child, msg, &first);
    if (rc == IKEV2_OK && cpp && ikev2_cp_decode(cpp->body, cpp->len, &cp) == IKEV2_OK &&
        cp.tag == IKEV2_CFG_REPLY)
        rc = ikev2__config_read(sa, &cp, true, &pushed);
    if (rc == IKEV2_ERR_SYNTAX)
        return disown(sa, IKEV2_REASON_SYNTAX);
    if (rc < 0)
        return rc;
    ikev2__sa_request_done(sa);
    sa->want_config = ctx->peer->pub.push_route_count > 0;
    ikev2__sa_establish(sa, 0);
    ikev2__config_keep(sa, &pushed);
    settle_first_child(sa, child, &first);
    ikev2__sa_free_handshake(sa);
    return IKEV2_OK;
}

/* ---- Responder ---- */

void ikev2__auth_refuse(ikev2__sa *sa, uint16_t reason, uint32_t detail)
{
    ikev2__refused(sa, NULL, reason, detail);
    /* RFC 7296 2.21.2: whatever is wrong, the stranger learns no more than this. */
    if (ikev2__respond_error(sa, IKEV2_EXCHANGE_IKE_AUTH, IKEV2__N_AUTHENTICATION_FAILED, NULL, 0,
                             sa->request_hash) < 0)
        ikev2__flight_free(sa->e, &sa->response);
    ikev2__sa_close(sa, reason);
}

static ikev2_rc refuse_now(ikev2__sa *sa, uint16_t reason, uint32_t detail, uint64_t hash)
{
    sa->request_hash = hash;
    ikev2__auth_refuse(sa, reason, detail);
    return IKEV2_OK;
}

static ikev2_rc wait_for_answer(ikev2__sa *sa, uint16_t kind, const uint8_t *plain, size_t len,
                                uint8_t first, uint64_t hash)
{
    const ikev2_rc rc = stash(sa, plain, len, first);
    if (rc < 0)
        return rc;
    sa->request_hash = hash;
    ikev2__sa_set_state(sa, IKEV2__STATE_ASKING);
    ask(sa, kind);
    return IKEV2_OK;
}

/* INITIAL_CONTACT: what the same identity had before is gone (RFC 7296 2.4). */
static void doom_others(ikev2__sa *sa)
{
    ikev2__sa *other = ikev2__sa_by_identity(sa->e, &sa->ctx->peer_id);
    for (; other; other = other->same_next)
        if (other != sa && other->announced)
            ikev2__sa_doom(other, IKEV2_REASON_INITIAL_CONTACT, sa->e->now_ms);
}

/* The answer's configuration payload, where one is due. */
static void put_config_reply(ikev2__sa *sa, ikev2__builder *b, const ikev2__message *msg)
{
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    const ikev2_payload *p = ikev2__message_get(msg, IKEV2_PAYLOAD_CP);
    ikev2_tagged cp;
    if (!p || ikev2_cp_decode(p->body, p->len, &cp) != IKEV2_OK || cp.tag != IKEV2_CFG_REQUEST)
        return;
    const ikev2_addr *address = NULL;
    const uint8_t family = peer->assign_address.family;
    if ((family == IKEV2_FAMILY_IPV4 && ikev2__config_asks(&cp, IKEV2_ATTR_INTERNAL_IP4_ADDRESS)) ||
        (family == IKEV2_FAMILY_IPV6 && ikev2__config_asks(&cp, IKEV2_ATTR_INTERNAL_IP6_ADDRESS)))
        address = &peer->assign_address;
    if (address)
        sa->ctx->assigned = *address;
    ikev2__put_config(b, IKEV2_CFG_REPLY, peer->push_routes, peer->push_route_count, address);
}

/* Authenticated: the answer with the first Child SA, or with the reason why there is none. */
static ikev2_rc accept_auth(ikev2__sa *sa, ikev2__message *msg, uint64_t hash)
{
    ikev2_engine *e = sa->e;
    ikev2__context *ctx = sa->ctx;
    ikev2__handshake *hs = sa->hs;
    const ikev2__part none = {NULL, 0};
    const ikev2__part ni = {hs->ni, hs->ni_len};
    const ikev2__part nr = {hs->nr, hs->nr_len};
    ikev2__child_terms terms;
    ikev2__child *child = NULL;
    ikev2_notify n;
    const uint16_t refusal = ikev2__terms_from_request(sa, ctx->peer->policy, msg, false, &terms);
    if (refusal == IKEV2__N_INVALID_SYNTAX)
        return ikev2__fatal_error(sa, IKEV2_EXCHANGE_IKE_AUTH, refusal, NULL, 0, hash,
                                  IKEV2_REASON_SYNTAX);
    if (refusal == 0) {
        child = ikev2__child_new(sa, ctx->peer->policy);
        if (!child)
            return IKEV2_ERR_NOMEM;
    }
    ikev2__builder b = ikev2__sa_builder(sa);
    ikev2__flight flight = {0};
    ikev2__put_id(&b, IKEV2_PAYLOAD_IDR, &ctx->peer->pub.local_id);
    ikev2__put_certs(&b, ctx->peer);
    ikev2_rc rc = ikev2__put_proof(sa, &b) ? IKEV2_OK : IKEV2_ERR_CRYPTO;
    if (child) {
        if (rc == IKEV2_OK)
            rc = ikev2__child_accept(child, &terms);
        if (rc == IKEV2_OK)
            rc = ikev2__derive_child(sa, child, false, &none, &ni, &nr);
        put_config_reply(sa, &b, msg);
        ikev2__put_child_answer(&b, child, &terms, NULL, NULL);
    } else {
        ikev2__put_status(&b, refusal);
    }
    if (rc == IKEV2_OK)
        rc = ikev2__protect(sa, IKEV2_EXCHANGE_IKE_AUTH, true, sa->next_recv, &b, &flight);
    if (rc < 0) {
        if (child)
            ikev2__child_free(child);
        return rc;
    }
    const bool initial = ikev2__message_notify(msg, IKEV2__N_INITIAL_CONTACT, &n);
    ikev2__sa_respond(sa, &flight, hash);
    if (sa->in_init)
        map_remove(&e->sas_by_init, &sa->by_init);
    sa->in_init = false;
    ikev2__sa_establish(sa, 0);
    if (initial)
        doom_others(sa);
    if (child)
        ikev2__child_install(child, true);
    else
        ikev2__refused(sa, NULL, ikev2__reason_of(refusal), refusal);
    ikev2__sa_free_handshake(sa);
    return IKEV2_OK;
}

/* An answer of the caller came first; else the profiles are asked. */
static bool find_peer(ikev2__sa *sa)
{
    ikev2__context *ctx = sa->ctx;
    if (!ctx->peer) {
        ctx->peer = ikev2__profile_match(sa->e, &ctx->peer_id, &ctx->asked_id, &sa->path.peer);
        if (ctx->peer)
            ctx->peer->refs++;
    }
    return ctx->peer != NULL;
}

ikev2_rc ikev2__auth_request(ikev2__sa *sa, ikev2__message *msg, const uint8_t *plain, size_t len,
                             uint8_t first, uint64_t hash)
{
    ikev2_engine *e = sa->e;
    ikev2__context *ctx = sa->ctx;
    const ikev2_payload *idi = ikev2__message_get(msg, IKEV2_PAYLOAD_IDI);
    const ikev2_payload *idr = ikev2__message_get(msg, IKEV2_PAYLOAD_IDR);
    ikev2_identity id;
    ikev2_identity asked = {0};
    ikev2__judgement j;
    if (ikev2_id_decode(idi->body, idi->len, &id) < 0 ||
        (idr && ikev2_id_decode(idr->body, idr->len, &asked) < 0))
        return ikev2__fatal_error(sa, IKEV2_EXCHANGE_IKE_AUTH, IKEV2__N_INVALID_SYNTAX, NULL, 0,
                                  hash, IKEV2_REASON_SYNTAX);
    if (!copy_identity(e, &ctx->peer_id, &id) || (idr && !copy_identity(e, &ctx->asked_id, &asked)))
        return IKEV2_ERR_NOMEM;
    if (!find_peer(sa))
        return e->cfg.ask_peer ? wait_for_answer(sa, IKEV2_EVENT_ASK_PEER, plain, len, first, hash)
                               : refuse_now(sa, IKEV2_REASON_IDENTITY, 0, hash);
    if (ikev2__keys_needed(ctx))
        return wait_for_answer(sa, IKEV2_EVENT_ASK_PSK, plain, len, first, hash);
    ikev2_rc rc = ikev2__judge(sa, msg, &id, &j);
    /* The peer comes first: nothing is signed for a stranger. */
    if (rc == IKEV2_OK && j.ask == 0 && j.reason == 0)
        rc = ikev2__prove(sa, &j);
    if (rc < 0)
        return rc;
    if (j.reason)
        return refuse_now(sa, j.reason, j.detail, hash);
    if (j.ask == IKEV2_EVENT_ASK_CERT) {
        rc = stash(sa, plain, len, first);
        if (rc == IKEV2_OK)
            rc = show(sa, &j, plain);
        if (rc < 0)
            return rc;
    }
    return j.ask ? wait_for_answer(sa, j.ask, plain, len, first, hash) : accept_auth(sa, msg, hash);
}

ikev2_rc ikev2__auth_resume(ikev2__sa *sa)
{
    ikev2__handshake *hs = sa->hs;
    ikev2__message msg;
    const bool response = sa->initiator;
    const uint8_t state = response ? IKEV2__STATE_AUTH_SENT : IKEV2__STATE_HALF_OPEN;
    ikev2_rc rc = ikev2__message_parse(hs->stash.bytes, hs->stash.len, hs->stash_first, &msg);
    /* It passed both once already. */
    if (rc == IKEV2_OK)
        rc = ikev2__exchange_check(IKEV2_EXCHANGE_IKE_AUTH, response, state, &msg);
    if (rc < 0)
        return rc;
    if (response)
        return ikev2__auth_response(sa, &msg, hs->stash.bytes, hs->stash.len, hs->stash_first);
    return ikev2__auth_request(sa, &msg, hs->stash.bytes, hs->stash.len, hs->stash_first,
                               sa->request_hash);
}
