/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * INFORMATIONAL (RFC 7296 1.4): deletions, liveness, configuration.
 */
#include "engine.h"

ikev2_rc ikev2__info_build(ikev2__sa *sa, uint8_t kind, ikev2__child *child)
{
    ikev2_engine *e = sa->e;
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    ikev2__task *task = alloc_zero(&e->mem, sizeof(*task));
    if (!task)
        return IKEV2_ERR_NOMEM;
    task->kind = kind;
    task->child_id = child ? child->id : 0;
    ikev2__builder b = ikev2__sa_builder(sa);
    switch (kind) {
    case IKEV2__TASK_CHILD_DELETE:
        ikev2__put_delete(&b, IKEV2_PROTOCOL_ID_ESP, &child->spi_in, 1);
        break;
    case IKEV2__TASK_IKE_DELETE:
        if (sa->failure_notify)
            ikev2__put_status(&b, sa->failure_notify);
        ikev2__put_delete(&b, IKEV2_PROTOCOL_ID_IKE, NULL, 0);
        break;
    case IKEV2__TASK_CONFIG:
        ikev2__put_config(&b, IKEV2_CFG_SET, peer->push_routes, peer->push_route_count, NULL);
        break;
    default: /* RFC 7296 2.4: an empty message asks whether the peer lives */
        break;
    }
    const ikev2_rc rc = ikev2__sa_request(sa, task, IKEV2_EXCHANGE_INFORMATIONAL, &b);
    if (rc < 0) {
        alloc_free(&e->mem, task);
        return rc;
    }
    if (kind == IKEV2__TASK_CHILD_DELETE) {
        child->want_delete = false;
        ikev2__child_set_state(child, IKEV2__CHILD_DELETING);
    } else if (kind == IKEV2__TASK_IKE_DELETE) {
        sa->want_delete = false;
        ikev2__sa_set_timer(sa, IKEV2__T_EXPIRE, IKEV2_NEVER);
        ikev2__sa_set_state(sa, IKEV2__STATE_DELETING);
    } else {
        sa->want_config &= kind != IKEV2__TASK_CONFIG;
        sa->want_liveness = false;
    }
    return IKEV2_OK;
}

ikev2_rc ikev2__info_response(ikev2__sa *sa, ikev2__message *msg)
{
    const ikev2__task *task = sa->task;
    ikev2__child *child;
    (void)msg; /* whatever it says, the exchange is over */
    switch (task->kind) {
    case IKEV2__TASK_CHILD_DELETE:
        child = ikev2__child_by_id(sa->e, task->child_id);
        if (child)
            ikev2__child_retire(child, child->delete_reason);
        break;
    case IKEV2__TASK_IKE_DELETE:
        ikev2__sa_close(sa, sa->close_reason);
        return IKEV2_OK;
    case IKEV2__TASK_CONFIG:
    case IKEV2__TASK_LIVENESS:
        break;
    default:
        return IKEV2_ERR_EXCHANGE;
    }
    ikev2__sa_request_done(sa);
    return IKEV2_OK;
}

/* What a request does, collected first and done when the answer is certain. */
typedef struct actions {
    bool close;
    uint16_t close_reason;
    uint32_t spis[IKEV2__MAX_PAYLOADS * 2]; /* ours, of the children that go */
    ikev2__child *children[IKEV2__MAX_PAYLOADS * 2];
    size_t count;
    uint32_t unknown[IKEV2__MAX_EARLY_DELETES]; /* the peer's; ours may be on its way */
    size_t unknown_count;
    bool config;
    ikev2_tagged set;
} actions;

static bool listed(const actions *a, const ikev2__child *c)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->children[i] == c)
            return true;
    return false;
}

static void collect_delete(const ikev2__sa *sa, const ikev2_delete *d, actions *a)
{
    if (d->protocol == IKEV2_PROTOCOL_ID_IKE) {
        a->close = true;
        a->close_reason =
            sa->state == IKEV2__STATE_REPLACED ? IKEV2_REASON_REKEYED : IKEV2_REASON_PEER_DELETE;
    }
    if (d->protocol != IKEV2_PROTOCOL_ID_ESP)
        return;
    wire_reader r = wire_reader_make(d->spis, (size_t)d->count * 4);
    for (uint32_t i = 0; i < d->count && a->count < sizeof(a->spis) / sizeof(a->spis[0]); i++) {
        const uint32_t spi = wire_get_u32(&r);
        ikev2__child *c = ikev2__child_by_spi_out(sa, spi);
        if (!c && a->unknown_count < IKEV2__MAX_EARLY_DELETES)
            a->unknown[a->unknown_count++] = spi;
        /* RFC 7296 1.4.1: where both delete at once, neither names it in its answer. */
        if (!c || c->state == IKEV2__CHILD_DELETING || listed(a, c))
            continue;
        a->children[a->count] = c;
        a->spis[a->count++] = c->spi_in;
    }
}

static void collect(ikev2__sa *sa, const ikev2__message *msg, actions *a)
{
    const ikev2_payload *cp = ikev2__message_get(msg, IKEV2_PAYLOAD_CP);
    ikev2_delete d;
    ikev2_notify n;
    for (size_t i = 0; i < msg->count; i++) {
        const ikev2_payload *p = &msg->payloads[i];
        if (p->type == IKEV2_PAYLOAD_DELETE && ikev2_delete_decode(p->body, p->len, &d) == IKEV2_OK)
            collect_delete(sa, &d, a);
    }
    /* RFC 7296 2.21.2: the initiator did not accept our AUTH. */
    if (ikev2__message_notify(msg, IKEV2__N_AUTHENTICATION_FAILED, &n)) {
        a->close = true;
        a->close_reason = IKEV2_REASON_AUTHENTICATION;
    }
    a->config = cp && sa->state == IKEV2__STATE_ESTABLISHED &&
                ikev2_cp_decode(cp->body, cp->len, &a->set) == IKEV2_OK &&
                a->set.tag == IKEV2_CFG_SET;
}

ikev2_rc ikev2__info_request(ikev2__sa *sa, ikev2__message *msg, uint64_t hash)
{
    actions a = {0};
    ikev2__pushed pushed = {0};
    collect(sa, msg, &a);
    ikev2_rc rc = a.config ? ikev2__config_read(sa, &a.set, false, &pushed) : IKEV2_OK;
    if (rc == IKEV2_ERR_SYNTAX)
        return ikev2__fatal_error(sa, IKEV2_EXCHANGE_INFORMATIONAL, IKEV2__N_INVALID_SYNTAX, NULL,
                                  0, hash, IKEV2_REASON_SYNTAX);
    if (rc < 0)
        return rc;
    ikev2__builder b = ikev2__sa_builder(sa);
    ikev2__flight flight;
    if (!a.close && a.count > 0)
        ikev2__put_delete(&b, IKEV2_PROTOCOL_ID_ESP, a.spis, a.count);
    if (a.config)
        ikev2__put_config_ack(&b, &a.set);
    rc = ikev2__protect(sa, IKEV2_EXCHANGE_INFORMATIONAL, true, sa->next_recv, &b, &flight);
    if (rc < 0) {
        ikev2__config_drop(sa, &pushed);
        return rc;
    }
    ikev2__sa_respond(sa, &flight, hash);
    ikev2__config_keep(sa, &pushed);
    if (a.close) {
        /* RFC 7296 2.25.2: our own rekey of it is forgotten; what the peer made counts. */
        if (ikev2__rekey_yield(sa))
            a.close_reason = IKEV2_REASON_REKEYED;
        ikev2__sa_close(sa, a.close_reason);
        return IKEV2_OK;
    }
    for (size_t i = 0; i < a.count; i++)
        ikev2__child_retire(a.children[i], a.children[i]->state == IKEV2__CHILD_REPLACED
                                               ? IKEV2_REASON_REKEYED
                                               : IKEV2_REASON_PEER_DELETE);
    ikev2__task *task = sa->task && sa->task->kind == IKEV2__TASK_CHILD ? sa->task : NULL;
    for (size_t i = 0; task && i < a.unknown_count; i++)
        if (task->deleted_count < IKEV2__MAX_EARLY_DELETES)
            task->deleted[task->deleted_count++] = a.unknown[i];
    return IKEV2_OK;
}
