/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Questions: what the engine cannot know and asks its caller. Each belongs to a packet that waits
 * or to a resolution of ours, has a deadline, and counts as NONE or FAILED when that passes.
 */
#include "core.h"

#include <internal/versioned.h>

static nhrp__question *find(const nhrp_engine *e, uint64_t ask_id)
{
    for (map_node *n = map_first(&e->questions_by_id, nhrp__hash_id(e, ask_id)); n;
         n = map_next(n)) {
        nhrp__question *q = CONTAINER_OF(n, nhrp__question, by_id);
        if (q->ask_id == ask_id)
            return q;
    }
    return NULL;
}

static bool asks_tunnel(const nhrp__question *q)
{
    return q->asked.purpose == NHRP_PURPOSE_RESPONDER || q->asked.purpose == NHRP_PURPOSE_REQUESTER;
}

/* A question with room for a packet; it is asked by nhrp__question_ask. */
nhrp_rc nhrp__question_new(nhrp_engine *e, nhrp__link *l, uint32_t purpose, const uint8_t *bytes,
                           size_t len, nhrp__question **out)
{
    if (e->question_count >= e->cfg.max_questions ||
        (l && l->question_count >= e->cfg.max_questions_per_link))
        return NHRP_ERR_LIMIT;
    nhrp__question *q = alloc_zero(&e->mem, sizeof(*q) + len);
    if (!q)
        return NHRP_ERR_NOMEM;
    q->timer.kind = TIMER_QUESTION;
    if (!heap_join(&e->timers, &e->mem, &q->timer.node)) {
        alloc_free(&e->mem, q);
        return NHRP_ERR_NOMEM;
    }
    q->len = len;
    if (len > 0)
        memcpy(q->bytes, bytes, len);
    q->asked.struct_size = sizeof(q->asked);
    q->asked.purpose = purpose;
    e->question_count++;
    q->link = l;
    if (l) {
        q->asked.link = l->id;
        q->asked.interface = l->interface->id;
        q->asked.vrf = l->cfg.vrf;
        list_append(&l->questions, &q->link_node);
        l->question_count++;
    }
    *out = q;
    return NHRP_OK;
}

static uint32_t wait_ms(const nhrp_engine *e, uint32_t purpose)
{
    return purpose == NHRP_PURPOSE_RESPONDER   ? e->cfg.tunnel_wait_ms
           : purpose == NHRP_PURPOSE_REQUESTER ? e->cfg.tunnel_initiate_ms
                                               : e->cfg.question_wait_ms;
}

/* Asks under a new id: a question that turns from a route to a tunnel is another question. */
void nhrp__question_ask(nhrp_engine *e, nhrp__question *q)
{
    if (q->ask_id)
        map_remove(&e->questions_by_id, &q->by_id);
    q->ask_id = ++e->last_id;
    map_insert(&e->questions_by_id, &e->mem, &q->by_id, nhrp__hash_id(e, q->ask_id));
    q->asked.deadline_ms = e->now_ms + wait_ms(e, q->asked.purpose);
    nhrp__timer_set(e, &q->timer, q->asked.deadline_ms);

    nhrp_event ev;
    memset(&ev, 0, sizeof(ev));
    ev.kind = asks_tunnel(q) ? NHRP_EVENT_ASK_TUNNEL : NHRP_EVENT_ASK_ROUTE;
    ev.ask_id = q->ask_id;
    ev.id = q->asked.mapping_id;
    ev.link = q->asked.link;
    ev.interface = q->asked.interface;
    ev.vrf = q->asked.vrf;
    ev.purpose = q->asked.purpose;
    nhrp__event_push(e, &ev);
}

void nhrp__question_end(nhrp_engine *e, nhrp__question *q)
{
    if (q->resolution)
        q->resolution->question = NULL;
    if (q->ask_id)
        map_remove(&e->questions_by_id, &q->by_id);
    if (q->link) {
        list_remove(&q->link_node);
        q->link->question_count--;
    }
    heap_leave(&e->timers, &q->timer.node);
    e->question_count--;
    sodium_memzero(q->bytes, q->len); /* with the neighbour's password, perhaps */
    alloc_free(&e->mem, q);
}

/* Whether the packet that asks this waits already. */
nhrp__question *nhrp__question_same(const nhrp__link *l, const nhrp_question *asked,
                                    uint32_t request_id)
{
    for (list_node *n = l->questions.next; n != &l->questions; n = n->next) {
        nhrp__question *q = CONTAINER_OF(n, nhrp__question, link_node);
        const bool tunnel = q->asked.purpose == NHRP_PURPOSE_RESPONDER;
        const uint32_t purpose = tunnel ? NHRP_PURPOSE_REQUEST : q->asked.purpose;
        if (purpose == asked->purpose && q->request_id == request_id &&
            addr_equal(&q->asked.source, &asked->source) &&
            addr_equal(&q->asked.destination, &asked->destination) &&
            q->asked.label_count == asked->label_count &&
            memcmp(q->asked.labels, asked->labels, sizeof(asked->labels)) == 0)
            return q;
    }
    return NULL;
}

/* How many requests of one requester wait: who asks much leaves room for others on the link. */
uint32_t nhrp__questions_of(const nhrp__link *l, const nhrp_addr *requester)
{
    uint32_t count = 0;
    for (list_node *n = l->questions.next; n != &l->questions; n = n->next) {
        const nhrp__question *q = CONTAINER_OF(n, nhrp__question, link_node);
        if ((q->asked.purpose == NHRP_PURPOSE_REQUEST ||
             q->asked.purpose == NHRP_PURPOSE_RESPONDER) &&
            addr_equal(&q->asked.source, requester))
            count++;
    }
    return count;
}

static nhrp_rc route_answered(nhrp_engine *e, nhrp__question *q, const nhrp_route *r)
{
    switch (q->asked.purpose) {
    case NHRP_PURPOSE_REDIRECT:
        return nhrp__redirect_answer(e, q, r);
    case NHRP_PURPOSE_INDICATION:
        return nhrp__indication_answer(e, q, r);
    case NHRP_PURPOSE_REQUEST:
        return nhrp__request_answer(e, q, r);
    case NHRP_PURPOSE_TRANSIT:
        return nhrp__transit_answer(e, q, r);
    case NHRP_PURPOSE_REPLY:
        return nhrp__resolution_offer(e, q, r);
    default:
        return nhrp__resolution_route(e, q, r);
    }
}

static nhrp_rc tunnel_answered(nhrp_engine *e, nhrp__question *q, nhrp__link *tunnel)
{
    return q->asked.purpose == NHRP_PURPOSE_RESPONDER ? nhrp__request_tunnel(e, q, tunnel)
                                                      : nhrp__resolution_tunnel(e, q, tunnel);
}

/* Nobody answered: there is no route, no tunnel. Without memory even for that, it is dropped. */
void nhrp__question_due(nhrp_engine *e, nhrp__question *q)
{
    const uint64_t ask_id = q->ask_id;
    nhrp_route none;
    (void)nhrp_route_init(&none);
    const nhrp_rc rc = asks_tunnel(q) ? tunnel_answered(e, q, NULL) : route_answered(e, q, &none);
    if (rc == NHRP_ERR_NOMEM || rc == NHRP_ERR_LIMIT || rc == NHRP_ERR_ARG) {
        q = find(e, ask_id);
        if (q && q->resolution)
            nhrp__resolution_cancel(e, q->resolution);
        else if (q)
            nhrp__question_end(e, q);
    }
}

static bool route_ok(const nhrp_engine *e, const nhrp_route *r)
{
    if (r->kind == NHRP_ROUTE_NONE || r->kind == NHRP_ROUTE_PROHIBITED)
        return true;
    if (r->kind > NHRP_ROUTE_PROHIBITED || r->label_count > NHRP_LABELS_MAX ||
        !prefix_valid(&r->prefix) || !addr_valid(&r->next_hop))
        return false;
    for (uint32_t i = 0; i < r->label_count; i++) {
        const bool null = r->labels[i] == NHRP_LABEL_IMPLICIT_NULL && r->label_count == 1;
        if (!null && (r->labels[i] < NHRP_LABEL_FIRST || r->labels[i] > NHRP_LABEL_LAST))
            return false;
    }
    return r->kind != NHRP_ROUTE_FORWARD || nhrp__link_find(e, r->link) != NULL;
}

nhrp_rc nhrp_engine_answer_route(nhrp_engine *e, uint64_t now_ms, uint64_t ask_id,
                                 const nhrp_route *route)
{
    nhrp_route r;
    if (!e || !route)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    (void)nhrp_route_init(&r);
    if (!versioned_read(&r, sizeof(r), sizeof(r), route) || !route_ok(e, &r))
        return NHRP_ERR_ARG;
    for (size_t i = r.label_count; i < NHRP_LABELS_MAX; i++)
        r.labels[i] = 0;
    nhrp__question *q = find(e, ask_id);
    if (!q || asks_tunnel(q))
        return NHRP_ERR_ABSENT;
    if (!nhrp__room(e))
        return NHRP_ERR_LIMIT;
    const nhrp__link *l = q->link ? q->link : q->resolution ? q->resolution->link : NULL;
    nhrp__interface *i = l ? l->interface : NULL;
    const nhrp_rc rc = route_answered(e, q, &r);
    return i && rc <= NHRP_ERR_TRUNCATED ? nhrp__drop(i, rc) : rc;
}

/* RFC 2332 says nothing of tunnels: what counts is that this one leads to the address asked for. */
static bool leads_to(const nhrp__question *q, const nhrp__link *l)
{
    return l->interface->cfg.network_id == q->network_id &&
           addr_equal(&l->cfg.peer_nbma, &q->asked.nbma) &&
           nhrp__link_peer_is(l, &q->asked.protocol);
}

nhrp_rc nhrp_engine_answer_tunnel(nhrp_engine *e, uint64_t now_ms, uint64_t ask_id, uint32_t result,
                                  uint32_t link)
{
    if (!e || result > NHRP_TUNNEL_UP)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__question *q = find(e, ask_id);
    if (!q || !asks_tunnel(q))
        return NHRP_ERR_ABSENT;
    nhrp__link *l = result == NHRP_TUNNEL_UP ? nhrp__link_find(e, link) : NULL;
    if (result == NHRP_TUNNEL_UP && (!l || !leads_to(q, l)))
        return NHRP_ERR_ARG;
    if (!nhrp__room(e))
        return NHRP_ERR_LIMIT;
    return tunnel_answered(e, q, l);
}

static nhrp__question *waiting_for(const nhrp_engine *e, const nhrp__link *l)
{
    size_t bucket = 0;
    for (map_node *n = NULL; (n = map_walk(&e->questions_by_id, &bucket, n)) != NULL;) {
        nhrp__question *q = CONTAINER_OF(n, nhrp__question, by_id);
        if (asks_tunnel(q) && leads_to(q, l))
            return q;
    }
    return NULL;
}

/*
 * A tunnel came up: whoever waits for one like it need not be told again. An answer may end other
 * questions too, hence the search from the start; without memory the rest wait for their answers.
 */
void nhrp__questions_link_up(nhrp_engine *e, nhrp__link *l)
{
    nhrp__question *q;
    while ((q = waiting_for(e, l)) != NULL)
        if (tunnel_answered(e, q, l) != NHRP_OK)
            return;
}

nhrp_rc nhrp_engine_get_question(const nhrp_engine *e, uint64_t ask_id, nhrp_question *out)
{
    if (!e || !out)
        return NHRP_ERR_ARG;
    const nhrp__question *q = find(e, ask_id);
    if (!q)
        return NHRP_ERR_ABSENT;
    return versioned_write(out, &q->asked, sizeof(q->asked), sizeof(q->asked)) ? NHRP_OK
                                                                               : NHRP_ERR_ARG;
}
