/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What we answered, so that it can be purged, and the purges of others (RFC 2332 5.2.5, 5.2.6).
 */
#include "core.h"

static uint64_t key_hash(const nhrp_engine *e, const nhrp_addr *prefix, const nhrp_addr *requester)
{
    return nhrp__hash_addr(e, nhrp__hash_addr(e, 0, prefix), requester);
}

static nhrp__answer *find(const nhrp_engine *e, const nhrp_addr *prefix, const nhrp_addr *requester)
{
    const uint64_t hash = key_hash(e, prefix, requester);
    for (map_node *n = map_first(&e->answers_by_key, hash); n; n = map_next(n)) {
        nhrp__answer *a = CONTAINER_OF(n, nhrp__answer, by_key);
        if (addr_equal(&a->prefix, prefix) && a->prefix.prefix_len == prefix->prefix_len &&
            a->prefix.scope == prefix->scope && addr_equal(&a->requester, requester))
            return a;
    }
    return NULL;
}

static nhrp__answer *find_purge(const nhrp_engine *e, uint32_t request_id)
{
    const uint64_t hash = nhrp__hash_id(e, request_id);
    for (map_node *n = map_first(&e->answers_by_request, hash); n; n = map_next(n)) {
        nhrp__answer *a = CONTAINER_OF(n, nhrp__answer, by_request);
        if (a->request_id == request_id)
            return a;
    }
    return NULL;
}

static void purge_stop(nhrp_engine *e, nhrp__answer *a)
{
    if (a->transmissions == 0)
        return;
    map_remove(&e->answers_by_request, &a->by_request);
    nhrp__intent_cancel(e, &a->intent);
    a->transmissions = 0;
}

static void set_link(nhrp__answer *a, nhrp__link *l)
{
    if (a->link) {
        list_remove(&a->link_node);
        a->link->answer_count--;
    }
    a->link = l;
    if (l) {
        list_append(&l->answers, &a->link_node);
        l->answer_count++;
    }
}

void nhrp__answer_end(nhrp_engine *e, nhrp__answer *a)
{
    purge_stop(e, a);
    set_link(a, NULL);
    map_remove(&e->answers_by_key, &a->by_key);
    heap_leave(&e->timers, &a->timer.node);
    alloc_free(&e->mem, a);
}

/* Remembers that the requester was told, until the holding time that it was told has passed. */
nhrp_rc nhrp__answer_keep(nhrp_engine *e, nhrp__link *l, const nhrp_packet *request,
                          const nhrp_addr *prefix, const nhrp__labels *labels, bool own,
                          uint32_t holding_time_s)
{
    const nhrp_addr requester = addr_bare(&request->source_protocol, 0);
    nhrp__answer *a = find(e, prefix, &requester);
    if (!a) {
        if (e->answers_by_key.count >= e->cfg.max_answers ||
            l->answer_count >= e->cfg.max_answers_per_link)
            return NHRP_ERR_LIMIT;
        a = alloc_zero(&e->mem, sizeof(*a));
        if (!a)
            return NHRP_ERR_NOMEM;
        a->timer.kind = TIMER_ANSWER;
        a->intent.kind = INTENT_PURGE;
        if (!heap_join(&e->timers, &e->mem, &a->timer.node)) {
            alloc_free(&e->mem, a);
            return NHRP_ERR_NOMEM;
        }
        a->prefix = *prefix;
        a->requester = requester;
        map_insert(&e->answers_by_key, &e->mem, &a->by_key, key_hash(e, prefix, &requester));
    }
    purge_stop(e, a);
    set_link(a, l);
    a->labels = *labels;
    a->own = own;
    a->requester_nbma = nhrp__nat_requester(request);
    a->expires_ms = e->now_ms + (uint64_t)holding_time_s * 1000;
    nhrp__timer_set(e, &a->timer, a->expires_ms);
    return NHRP_OK;
}

static void transmit(nhrp_engine *e, nhrp__answer *a)
{
    const uint64_t next =
        e->now_ms + nhrp__backoff(e->cfg.retransmit_ms, e->cfg.retransmit_max_ms, a->transmissions);
    a->transmissions++;
    nhrp__intent_queue(e, &a->intent);
    nhrp__timer_set(e, &a->timer, next < a->expires_ms ? next : a->expires_ms);
}

/* RFC 2332 5.2.5: repeated until it is acknowledged or what it purges has run out anyway. */
void nhrp__answer_due(nhrp_engine *e, nhrp__answer *a)
{
    if (a->transmissions == 0 || a->transmissions >= e->cfg.max_transmissions ||
        e->now_ms >= a->expires_ms)
        nhrp__answer_end(e, a);
    else
        transmit(e, a);
}

/* A purge is believed over the tunnel that the mapping uses, so it goes there if it exists. */
static void purge_begin(nhrp_engine *e, nhrp__answer *a)
{
    nhrp__link *direct = nhrp__link_to_peer(e, a->link->interface->cfg.network_id,
                                            &a->requester_nbma, &a->requester);
    if (direct)
        set_link(a, direct);
    do
        a->request_id = drbg_u32(&e->random);
    while (a->request_id == 0 || find_purge(e, a->request_id));
    map_insert(&e->answers_by_request, &e->mem, &a->by_request, nhrp__hash_id(e, a->request_id));
    transmit(e, a);
}

void nhrp__answers_withdraw(nhrp_engine *e, const nhrp_addr *prefix)
{
    size_t bucket = 0;
    for (map_node *n = NULL; (n = map_walk(&e->answers_by_key, &bucket, n)) != NULL;) {
        nhrp__answer *a = CONTAINER_OF(n, nhrp__answer, by_key);
        if (a->transmissions == 0 && a->prefix.scope == prefix->scope &&
            prefix_overlaps(&a->prefix, prefix))
            purge_begin(e, a);
    }
}

/* Our NBMA address on the link is another: those who were told the one before are told so. */
void nhrp__answers_outdated(nhrp_engine *e, nhrp__link *l)
{
    list_node *next;
    for (list_node *n = l->answers.next; n != &l->answers; n = next) {
        nhrp__answer *a = CONTAINER_OF(n, nhrp__answer, link_node);
        next = n->next;
        if (a->own && a->transmissions == 0)
            purge_begin(e, a);
    }
}

nhrp_rc nhrp_engine_withdraw(nhrp_engine *e, uint64_t now_ms, const nhrp_addr *prefix)
{
    if (!e || !prefix || !prefix_valid(prefix))
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__answers_withdraw(e, prefix);
    return NHRP_OK;
}

/* The labels that were answered tell which of several VRFs with the same prefix is meant. */
void nhrp__purge_write(nhrp_engine *e, nhrp__answer *a, nhrp_writer *w, uint8_t *buf, size_t cap)
{
    nhrp_packet h;
    nhrp_cie cie;
    memset(&h, 0, sizeof(h));
    memset(&cie, 0, sizeof(cie));
    h.type = NHRP_PURGE_REQUEST;
    h.hop_count = a->link->interface->cfg.hop_count;
    h.request_id = a->request_id;
    h.source_nbma = a->link->cfg.local_nbma;
    h.source_protocol = nhrp__link_local(a->link, a->requester.family);
    h.destination_protocol = a->requester;
    cie.prefix_len = a->prefix.prefix_len;
    cie.protocol = addr_bare(&a->prefix, 0);
    (void)nhrp_writer_begin(w, buf, cap, &h);
    (void)nhrp_writer_put_cie(w, &cie);
    if (a->labels.count > 0) {
        nhrp_label_binding b;
        nhrp__binding_make(&b, NHRP_ROLE_RESPONDER_VPN, &a->labels, &a->prefix);
        (void)nhrp__labels_put(e, w, &b, 1);
    }
    nhrp__authentication_put(a->link, w);
}

static bool labels_equal(const nhrp__labels *a, const nhrp__labels *b)
{
    return a->count == b->count && memcmp(a->label, b->label, a->count * sizeof(a->label[0])) == 0;
}

/* Only what goes to the sender or came from it by this link may be purged over it. */
static bool purges(const nhrp__arrival *a, const nhrp_addr *prefix, const nhrp__mapping *m)
{
    if (m->kind == NHRP_MAPPING_STATIC || (a->from && !addr_equal(a->from, &m->nbma)))
        return false;
    if (a->scan.vpns == 1) {
        const nhrp__labels named = nhrp__labels_of_binding(&a->scan.vpn);
        if (!labels_equal(&named, &m->labels))
            return false;
    }
    return prefix_overlaps(prefix, &m->prefix);
}

static void purge(nhrp_engine *e, const nhrp__arrival *a, const nhrp_cie *cie)
{
    uint8_t len;
    if (!addr_given(&cie->protocol) ||
        !prefix_len_from_wire(cie->protocol.family, cie->prefix_len, &len))
        return;
    const nhrp_addr prefix = addr_prefix(&cie->protocol, 0, len);
    list_node *n = a->link->mappings.next;
    while (n != &a->link->mappings) {
        nhrp__mapping *m = CONTAINER_OF(n, nhrp__mapping, link_node);
        n = n->next;
        if (purges(a, &prefix, m))
            nhrp__mapping_end(e, m);
    }
}

nhrp_rc nhrp__purge_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    if (!addr_given(&p->source_protocol) || !addr_given(&p->destination_protocol))
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_FORMAT, NHRP_ERROR_PROTOCOL);
    if (!addr_equal(&p->destination_protocol, &p->source_protocol) &&
        !nhrp__address_ours(e, &p->destination_protocol))
        return nhrp__transit(e, a, &p->destination_protocol);
    if (a->scan.unknown_compulsory)
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_COMPULSORY,
                            NHRP_ERROR_UNRECOGNIZED_EXTENSION);
    if (p->cies_len == 0)
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_CIE, NHRP_ERROR_PROTOCOL);
    /* Labels tell VRFs apart: of two, neither is taken for the one that is meant. */
    if (a->scan.vpns > 1)
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_LABEL, NHRP_ERROR_INVALID_EXTENSION);
    /* Acknowledged even where nothing matches, unless no reply is wanted. */
    if (!(p->flags & NHRP_FLAG_NO_REPLY)) {
        nhrp__note *n;
        const nhrp_rc rc = nhrp__note_new(e, INTENT_REPLY, a->link, a->link, p->bytes, p->size, &n);
        if (rc != NHRP_OK)
            return rc;
        n->type = NHRP_PURGE_REPLY;
        if (a->from)
            n->to = *a->from;
        nhrp__intent_queue(e, &n->intent);
    }
    nhrp_cie cie;
    size_t it = 0;
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES)
        purge(e, a, &cie);
    return NHRP_OK;
}

nhrp_rc nhrp__purge_reply_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    if (!addr_given(&p->source_protocol))
        return NHRP_ERR_FORMAT;
    if (!nhrp__address_ours(e, &p->source_protocol))
        return nhrp__transit(e, a, &p->source_protocol);
    nhrp__answer *purged = find_purge(e, p->request_id);
    if (!purged || purged->link != a->link)
        return NHRP_ERR_UNSOLICITED;
    nhrp__answer_end(e, purged);
    return NHRP_OK;
}
