/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Our own resolutions:
 *
 *     ROUTE --way known--> REQUESTED --reply--> OFFERED --accepted--> TUNNEL --up--> done
 *
 * A resolution belongs to a mapping: an incomplete one, which becomes resolved or negative, or a
 * resolved one that is renewed. A tunnel that is there already skips TUNNEL.
 */
#include "core.h"

static void set_state(nhrp__resolution *r, uint8_t state)
{
    static const uint8_t allowed[] = {[RESOLUTION_ROUTE] = 1u << RESOLUTION_REQUESTED,
                                      [RESOLUTION_REQUESTED] = 1u << RESOLUTION_OFFERED,
                                      [RESOLUTION_OFFERED] = 1u << RESOLUTION_TUNNEL,
                                      [RESOLUTION_TUNNEL] = 0};
    if (allowed[r->state] & 1u << state)
        r->state = state;
}

static nhrp__resolution *find(const nhrp_engine *e, uint32_t request_id)
{
    const uint64_t hash = nhrp__hash_id(e, request_id);
    for (map_node *n = map_first(&e->resolutions_by_request, hash); n; n = map_next(n)) {
        nhrp__resolution *r = CONTAINER_OF(n, nhrp__resolution, by_request);
        if (r->request_id == request_id)
            return r;
    }
    return NULL;
}

/* Unpredictable and unique among what is pending; a departure from the counter of 5.2.0.1. */
static uint32_t fresh_request_id(nhrp_engine *e)
{
    uint32_t id;
    do
        id = drbg_u32(&e->random);
    while (id == 0 || find(e, id));
    return id;
}

static nhrp_rc resolution_new(nhrp_engine *e, nhrp__resolution **out)
{
    if (e->resolution_count >= e->cfg.max_pending)
        return NHRP_ERR_LIMIT;
    nhrp__resolution *r = alloc_zero(&e->mem, sizeof(*r));
    if (!r)
        return NHRP_ERR_NOMEM;
    r->timer.kind = TIMER_RESOLUTION;
    r->intent.kind = INTENT_REQUEST;
    r->state = RESOLUTION_ROUTE;
    if (!heap_join(&e->timers, &e->mem, &r->timer.node)) {
        alloc_free(&e->mem, r);
        return NHRP_ERR_NOMEM;
    }
    e->resolution_count++;
    *out = r;
    return NHRP_OK;
}

void nhrp__resolution_end(nhrp_engine *e, nhrp__resolution *r)
{
    if (r->question)
        nhrp__question_end(e, r->question);
    if (r->link) {
        list_remove(&r->link_node);
        r->link->resolution_count--;
        map_remove(&e->resolutions_by_request, &r->by_request);
    }
    nhrp__intent_cancel(e, &r->intent);
    heap_leave(&e->timers, &r->timer.node);
    if (r->mapping) {
        r->mapping->resolution = NULL;
        r->mapping->flags &= ~(uint32_t)NHRP_MAPPING_RENEWING;
    }
    e->resolution_count--;
    alloc_free(&e->mem, r);
}

/* Given up for a reason of our own; a mapping that stood stands until it expires. */
void nhrp__resolution_cancel(nhrp_engine *e, nhrp__resolution *r)
{
    nhrp__mapping *m = r->mapping;
    if (m->kind == NHRP_MAPPING_INCOMPLETE)
        nhrp__mapping_end(e, m);
    else
        nhrp__resolution_end(e, r);
}

static void rest(nhrp_engine *e, nhrp__mapping *m, uint8_t code, uint32_t first_ms)
{
    nhrp__mapping_set_kind(m, NHRP_MAPPING_NEGATIVE);
    m->code = code;
    m->rest_ms = nhrp__backoff(first_ms, e->cfg.negative_max_ms, m->failures);
    m->expires_ms = e->now_ms + m->rest_ms;
    m->failures++;
    nhrp__mapping_arm(e, m);
    nhrp__mapping_touch(e, m);
}

/*
 * Failed: the destination rests, first_ms the first time, and the path by the hub goes on. A
 * mapping that is only renewed ends where the responder denied it, and stands where nobody
 * answered.
 */
static void fail_for(nhrp_engine *e, nhrp__resolution *r, uint8_t code, uint32_t first_ms)
{
    nhrp__mapping *m = r->mapping;
    const nhrp_addr host = addr_host(&m->destination, m->prefix.scope);
    nhrp__resolution_end(e, r);
    if (m->kind == NHRP_MAPPING_INCOMPLETE) {
        rest(e, m, code, first_ms);
        return;
    }
    if (code == NHRP_CODE_SUCCESS)
        return;
    nhrp__mapping_end(e, m);
    if (!nhrp__mapping_exact(e, &host) &&
        nhrp__mapping_new(e, &host, NHRP_MAPPING_INCOMPLETE, &m) == NHRP_OK) {
        m->destination = host;
        rest(e, m, code, first_ms);
    }
}

static void fail(nhrp_engine *e, nhrp__resolution *r, uint8_t code)
{
    fail_for(e, r, code, e->cfg.negative_ms);
}

static void transmit(nhrp_engine *e, nhrp__resolution *r)
{
    const uint64_t wait =
        nhrp__backoff(e->cfg.retransmit_ms, e->cfg.retransmit_max_ms, r->transmissions);
    r->transmissions++;
    nhrp__intent_queue(e, &r->intent);
    nhrp__timer_set(e, &r->timer, e->now_ms + wait);
}

/* The way is known: ask. The prefix of the route is the widest that we can use; 0 cannot be said.
 */
static void request(nhrp_engine *e, nhrp__resolution *r, nhrp__link *l, const nhrp_route *route)
{
    const uint8_t len = route->prefix.prefix_len > 0 ? route->prefix.prefix_len : 1;
    set_state(r, RESOLUTION_REQUESTED);
    r->link = l;
    list_append(&l->resolutions, &r->link_node);
    l->resolution_count++;
    r->request_id = fresh_request_id(e);
    map_insert(&e->resolutions_by_request, &e->mem, &r->by_request,
               nhrp__hash_id(e, r->request_id));
    r->context = nhrp__labels_of_route(route);
    r->widest = addr_prefix(&r->mapping->destination, 0, len);
    r->mapping->request_link = nhrp__link_refer(l);
    transmit(e, r);
}

/* Whether the destination may be asked for; *m is a rested negative mapping to use again, or NULL.
 */
static nhrp_rc may_ask(const nhrp_engine *e, const nhrp_addr *host, nhrp__mapping **m)
{
    *m = nhrp__mapping_cover(e, host, host->scope);
    if (!*m)
        return NHRP_OK;
    switch ((*m)->kind) {
    case NHRP_MAPPING_INCOMPLETE:
        return NHRP_ERR_REPEATED;
    case NHRP_MAPPING_NEGATIVE:
        return e->now_ms < (*m)->expires_ms ? NHRP_ERR_NEGATIVE : NHRP_OK;
    default:
        return NHRP_ERR_STATE;
    }
}

/* l and route NULL: the caller is asked for the way first. */
nhrp_rc nhrp__resolution_begin(nhrp_engine *e, const nhrp_addr *destination, uint32_t vrf,
                               nhrp__link *l, const nhrp_route *route, nhrp__mapping **out)
{
    const nhrp_addr host = addr_host(destination, vrf);
    nhrp__mapping *m;
    nhrp__resolution *r;
    nhrp__question *q = NULL;
    nhrp_rc rc = may_ask(e, &host, &m);
    if (rc != NHRP_OK)
        return rc;
    if (l && l->resolution_count >= e->cfg.max_pending_per_link)
        return NHRP_ERR_LIMIT;
    rc = resolution_new(e, &r);
    if (rc != NHRP_OK)
        return rc;
    if (!l)
        rc = nhrp__question_new(e, NULL, NHRP_PURPOSE_RESOLVE, NULL, 0, &q);
    if (rc == NHRP_OK && !m)
        rc = nhrp__mapping_new(e, &host, NHRP_MAPPING_INCOMPLETE, &m);
    if (rc != NHRP_OK) {
        if (q)
            nhrp__question_end(e, q);
        nhrp__resolution_end(e, r);
        return rc;
    }
    nhrp__mapping_set_kind(m, NHRP_MAPPING_INCOMPLETE);
    nhrp__timer_set(e, &m->timer, HEAP_NEVER);
    m->expires_ms = NHRP_NEVER;
    m->destination = host;
    m->resolution = r;
    r->mapping = m;
    if (out)
        *out = m;
    if (l) {
        request(e, r, l, route);
        return NHRP_OK;
    }
    r->question = q;
    q->resolution = r;
    q->asked.vrf = vrf;
    q->asked.destination = host;
    q->asked.mapping_id = m->id;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

nhrp_rc nhrp_engine_resolve(nhrp_engine *e, uint64_t now_ms, const nhrp_addr *destination,
                            uint64_t *id)
{
    nhrp__mapping *m;
    if (!e || !destination || !id || !addr_given(destination) || !addr_valid(destination))
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    if (!nhrp__room(e))
        return NHRP_ERR_LIMIT;
    const nhrp_rc rc = nhrp__resolution_begin(e, destination, destination->scope, NULL, NULL, &m);
    if (rc != NHRP_OK)
        return rc;
    m->told = true;
    *id = m->id;
    return NHRP_OK;
}

nhrp_rc nhrp__resolution_renew(nhrp_engine *e, nhrp__mapping *m)
{
    nhrp__resolution *r;
    nhrp__question *q;
    nhrp_rc rc = resolution_new(e, &r);
    if (rc != NHRP_OK)
        return rc;
    rc = nhrp__question_new(e, NULL, NHRP_PURPOSE_RESOLVE, NULL, 0, &q);
    if (rc != NHRP_OK) {
        nhrp__resolution_end(e, r);
        return rc;
    }
    m->resolution = r;
    m->flags |= NHRP_MAPPING_RENEWING;
    r->mapping = m;
    r->question = q;
    q->resolution = r;
    q->asked.vrf = m->prefix.scope;
    q->asked.destination = m->destination;
    q->asked.mapping_id = m->id;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

nhrp_rc nhrp__resolution_route(nhrp_engine *e, nhrp__question *q, const nhrp_route *route)
{
    nhrp__resolution *r = q->resolution;
    nhrp__link *l = route->kind == NHRP_ROUTE_FORWARD ? nhrp__link_find(e, route->link) : NULL;
    /* On a multipoint link nobody says which peer to ask. */
    if (l && (l->cfg.flags & NHRP_LINK_MULTIPOINT))
        return NHRP_ERR_ARG;
    if (!l || !prefix_holds_addr(&route->prefix, &r->mapping->destination)) {
        if (route->kind == NHRP_ROUTE_FORWARD)
            return NHRP_ERR_ARG;
        fail(e, r, NHRP_CODE_SUCCESS);
        return NHRP_OK;
    }
    /* Without a label a request is about the link's own VRF, and so is what answers it. */
    if (route->label_count == 0 && r->mapping->prefix.scope != l->cfg.vrf)
        return NHRP_ERR_ARG;
    if (l->resolution_count >= e->cfg.max_pending_per_link)
        return NHRP_ERR_LIMIT;
    nhrp__question_end(e, q);
    request(e, r, l, route);
    return NHRP_OK;
}

/* RFC 2332 5.2.0.1: request id and source address information tell what a reply is to. */
static bool answers(const nhrp__resolution *r, const nhrp_packet *p)
{
    const nhrp_addr ours = nhrp__link_local(r->link, r->mapping->destination.family);
    return addr_equal(&p->destination_protocol, &r->mapping->destination) &&
           addr_equal(&p->source_protocol, &ours) &&
           addr_equal(&p->source_nbma, &r->link->cfg.local_nbma);
}

/*
 * The labels of a VRF's reply: exactly one binding that covers the destination. Implicit null would
 * push nothing, and the packet would arrive in another table than its VRF's.
 */
static nhrp_rc take_labels(const nhrp__scan *s, const nhrp_addr *destination, uint8_t *prefix_len,
                           nhrp__offer *o)
{
    if (s->vpns != 1 || s->overlays > 1 || !prefix_holds_addr(&s->vpn.prefix, destination) ||
        s->vpn.labels[0] == NHRP_LABEL_IMPLICIT_NULL)
        return NHRP_ERR_LABEL;
    if (s->vpn.prefix.prefix_len > *prefix_len)
        *prefix_len = s->vpn.prefix.prefix_len;
    o->labels = nhrp__labels_of_binding(&s->vpn);
    if (s->overlays == 1)
        o->overlay = nhrp__labels_of_binding(&s->overlay);
    return NHRP_OK;
}

/* draft-detienne-dmvpn 4.7: the link-local address of who answers, at the same NBMA address. */
static void take_link_local(const nhrp_packet *p, const nhrp_cie *first, uint8_t interface_id[8])
{
    nhrp_cie cie;
    size_t it = 0;
    memset(interface_id, 0, 8);
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES)
        if (cie.code == NHRP_CODE_SUCCESS && addr_link_local(&cie.protocol) &&
            addr_equal(&cie.nbma, &first->nbma))
            memcpy(interface_id, cie.protocol.bytes + 8, 8);
}

static nhrp_rc take_offer(nhrp_engine *e, const nhrp__arrival *a, const nhrp__resolution *r,
                          const nhrp_cie *cie, nhrp__offer *o)
{
    const nhrp_addr *destination = &r->mapping->destination;
    const bool own_way = a->link == r->link;
    const nhrp_addr nbma = nhrp__nat_outer(&a->pkt, &cie->protocol, &cie->nbma);
    uint8_t len;
    memset(o, 0, sizeof(*o));
    if (!addr_given(&cie->nbma) || !addr_given(&cie->protocol) || cie->holding_time_s == 0 ||
        !prefix_len_from_wire(destination->family, cie->prefix_len, &len))
        return NHRP_ERR_CIE;
    if (nhrp__address_ours(e, &cie->protocol) || addr_equal(&nbma, &r->link->cfg.local_nbma))
        return NHRP_ERR_REFUSED;
    /* By another link than the request's only from the peer that owns the NBMA address. */
    if (!own_way && (!addr_equal(&a->link->cfg.peer_nbma, &nbma) ||
                     !nhrp__link_peer_is(a->link, &cie->protocol) ||
                     a->link->interface->cfg.network_id != r->link->interface->cfg.network_id))
        return NHRP_ERR_REFUSED;
    if (r->context.count > 0) {
        const nhrp_rc rc = take_labels(&a->scan, destination, &len, o);
        if (rc != NHRP_OK)
            return rc;
    }
    if (len < r->widest.prefix_len)
        return NHRP_ERR_REFUSED;
    o->arrival = nhrp__link_refer(a->link);
    o->flags = a->pkt.flags;
    o->holding_time_s = cie->holding_time_s;
    o->mtu = cie->mtu;
    o->preference = cie->preference;
    o->prefix = addr_prefix(destination, r->mapping->prefix.scope, len);
    o->next_hop = addr_unmapped(&cie->protocol);
    o->nbma = nbma;
    o->claimed_nbma = addr_bare(&cie->nbma, 0);
    take_link_local(&a->pkt, cie, o->interface_id);
    return NHRP_OK;
}

/*
 * What a leaf answers is its own: in another's name it would send third parties' traffic there,
 * under labels that were never theirs.
 */
static bool speaks_for_itself(const nhrp__arrival *a)
{
    nhrp_cie cie, first;
    size_t it = 0;
    if (!(a->link->cfg.flags & NHRP_LINK_LEAF))
        return true;
    memset(&first, 0, sizeof(first));
    while (nhrp_cie_next(&a->pkt, &it, &cie) == NHRP_YES) {
        /* Its link-local address is its own at the NBMA address that was found to be its own. */
        if (addr_link_local(&cie.protocol) && addr_given(&first.nbma) &&
            addr_equal(&cie.nbma, &first.nbma))
            continue;
        first = cie;
        const nhrp_addr nbma = nhrp__nat_outer(&a->pkt, &cie.protocol, &cie.nbma);
        if (cie.code == NHRP_CODE_SUCCESS && (!addr_equal(&nbma, &a->link->cfg.peer_nbma) ||
                                              !nhrp__link_peer_is(a->link, &cie.protocol)))
            return false;
    }
    return true;
}

nhrp_rc nhrp__reply_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    nhrp_cie cie;
    size_t it = 0;
    if (!addr_given(&p->source_protocol) || !addr_given(&p->destination_protocol))
        return NHRP_ERR_FORMAT;
    if (!speaks_for_itself(a))
        return NHRP_ERR_REFUSED;
    if (!nhrp__address_ours(e, &p->source_protocol))
        return nhrp__transit(e, a, &p->source_protocol);
    nhrp__resolution *r = find(e, p->request_id);
    /* RFC 2332 5.2.2: an unsolicited reply is answered by an Error Indication. */
    if (!r || !answers(r, p))
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_UNSOLICITED, NHRP_ERROR_INVALID_REPLY);
    if (r->state != RESOLUTION_REQUESTED)
        return NHRP_ERR_REPEATED;
    if (a->scan.unknown_compulsory)
        return NHRP_ERR_COMPULSORY;
    if (nhrp_cie_next(p, &it, &cie) != NHRP_YES)
        return NHRP_ERR_CIE;
    if (cie.code != NHRP_CODE_SUCCESS) {
        if (a->link != r->link)
            return NHRP_ERR_REFUSED;
        fail(e, r, cie.code);
        return NHRP_OK;
    }
    nhrp__offer offer;
    nhrp_rc rc = take_offer(e, a, r, &cie, &offer);
    if (rc != NHRP_OK)
        return rc;
    nhrp__question *q;
    rc = nhrp__question_new(e, NULL, NHRP_PURPOSE_REPLY, NULL, 0, &q);
    if (rc != NHRP_OK)
        return rc;
    set_state(r, RESOLUTION_OFFERED);
    nhrp__timer_set(e, &r->timer, HEAP_NEVER);
    nhrp__intent_cancel(e, &r->intent);
    r->offer = offer;
    r->question = q;
    q->resolution = r;
    q->asked.link = a->link->id;
    q->asked.interface = a->link->interface->id;
    q->asked.vrf = r->mapping->prefix.scope;
    q->asked.mapping_id = r->mapping->id;
    q->asked.destination = r->mapping->destination;
    q->asked.prefix = offer.prefix;
    q->asked.nbma = offer.nbma;
    q->asked.protocol = offer.next_hop;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

/* The link that packets to the responder will use, or NULL. */
static nhrp__link *way_to(const nhrp_engine *e, const nhrp__resolution *r)
{
    const nhrp__offer *o = &r->offer;
    const uint32_t network_id = r->link->interface->cfg.network_id;
    nhrp__link *l = nhrp__link_get(e, o->arrival);
    if (l && addr_equal(&l->cfg.peer_nbma, &o->nbma) && nhrp__link_peer_is(l, &o->next_hop))
        return l;
    return nhrp__link_to_peer(e, network_id, &o->nbma, &o->next_hop);
}

static void complete(nhrp_engine *e, nhrp__resolution *r, nhrp__link *l)
{
    nhrp__mapping *m = r->mapping;
    const nhrp__offer o = r->offer;
    nhrp__resolution_end(e, r);
    nhrp__mapping *other = nhrp__mapping_exact(e, &o.prefix);
    if (other && other != m) {
        /* What registered itself here is better than what was heard of it. */
        if (nhrp__mapping_is_client(other)) {
            nhrp__mapping_end(e, m);
            return;
        }
        nhrp__mapping_end(e, other);
    }
    if (other != m)
        nhrp__mapping_rekey(e, m, &o.prefix);
    nhrp__mapping_set_kind(m, NHRP_MAPPING_RESOLVED);
    nhrp__mapping_set_link(m, l);
    m->failures = 0;
    m->code = NHRP_CODE_SUCCESS;
    m->flags = (o.flags & NHRP_FLAG_AUTHORITATIVE ? NHRP_MAPPING_AUTHORITATIVE : 0u) |
               (o.flags & NHRP_FLAG_ROUTER ? NHRP_MAPPING_ROUTER : 0u) |
               (o.flags & NHRP_FLAG_UNIQUE ? NHRP_MAPPING_UNIQUE : 0u) |
               (addr_equal(&o.nbma, &o.claimed_nbma) ? 0u : NHRP_MAPPING_NATED);
    m->holding_time_s = o.holding_time_s;
    m->mtu = o.mtu;
    m->preference = o.preference;
    m->labels = o.labels;
    m->overlay = o.overlay;
    m->next_hop = o.next_hop;
    m->nbma = o.nbma;
    m->claimed_nbma = o.claimed_nbma;
    memcpy(m->interface_id, o.interface_id, sizeof(m->interface_id));
    m->expires_ms = e->now_ms + (uint64_t)o.holding_time_s * 1000;
    nhrp__mapping_arm(e, m);
    nhrp__mapping_touch(e, m);
}

/* How much of the offer is taken. Then the tunnel, if it is not there. */
nhrp_rc nhrp__resolution_offer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route)
{
    nhrp__resolution *r = q->resolution;
    if (route->kind == NHRP_ROUTE_FORWARD)
        return NHRP_ERR_ARG;
    if (route->kind != NHRP_ROUTE_LOCAL) {
        fail(e, r, NHRP_CODE_SUCCESS);
        return NHRP_ERR_REFUSED;
    }
    if (!prefix_holds_addr(&route->prefix, &r->mapping->destination) ||
        !prefix_holds(&r->offer.prefix, &route->prefix, route->prefix.prefix_len))
        return NHRP_ERR_ARG;
    r->offer.prefix =
        addr_prefix(&route->prefix, r->mapping->prefix.scope, route->prefix.prefix_len);
    nhrp__link *l = way_to(e, r);
    if (l) {
        complete(e, r, l);
        return NHRP_OK;
    }
    set_state(r, RESOLUTION_TUNNEL);
    q->network_id = r->link->interface->cfg.network_id;
    q->asked.purpose = NHRP_PURPOSE_REQUESTER;
    q->asked.interface = r->link->interface->id;
    q->asked.nbma = r->offer.nbma;
    q->asked.protocol = r->offer.next_hop;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

nhrp_rc nhrp__resolution_tunnel(nhrp_engine *e, nhrp__question *q, nhrp__link *tunnel)
{
    if (tunnel)
        complete(e, q->resolution, tunnel);
    else
        fail(e, q->resolution, NHRP_CODE_SUCCESS);
    return NHRP_OK;
}

/* An Error Indication that quotes a pending request of ours brings its retry forward, no more. */
nhrp_rc nhrp__resolution_hurry(nhrp_engine *e, uint32_t request_id, const nhrp_packet *quoted,
                               const nhrp__link *l, uint64_t *mapping_id)
{
    nhrp__resolution *r = find(e, request_id);
    if (!r || r->link != l || r->state != RESOLUTION_REQUESTED || !answers(r, quoted))
        return NHRP_ERR_UNSOLICITED;
    const uint64_t sooner = e->now_ms + e->cfg.retransmit_ms;
    if (sooner < r->timer.node.deadline)
        nhrp__timer_set(e, &r->timer, sooner);
    *mapping_id = r->mapping->id;
    return NHRP_OK;
}

/* Requests that wait go out again: they name our NBMA address, which is another now. */
void nhrp__resolutions_renew(nhrp_engine *e, nhrp__link *l)
{
    for (list_node *n = l->resolutions.next; n != &l->resolutions; n = n->next) {
        nhrp__resolution *r = CONTAINER_OF(n, nhrp__resolution, link_node);
        if (r->state == RESOLUTION_REQUESTED)
            nhrp__intent_queue(e, &r->intent);
    }
}

void nhrp__resolution_due(nhrp_engine *e, nhrp__resolution *r)
{
    /* Requests or replies may have been lost: a silence is no denial. */
    if (r->transmissions >= e->cfg.max_transmissions)
        fail_for(e, r, NHRP_CODE_SUCCESS, e->cfg.silent_ms);
    else
        transmit(e, r);
}

/* RFC 2332 5.2.1, draft-detienne-dmvpn 4.4 */
void nhrp__resolution_write(nhrp_engine *e, nhrp__resolution *r, nhrp_writer *w, uint8_t *buf,
                            size_t cap)
{
    static const uint16_t asked_for[] = {NHRP_EXTENSION_RESPONDER, NHRP_EXTENSION_FORWARD,
                                         NHRP_EXTENSION_REVERSE};
    const nhrp_interface_config *c = &r->link->interface->cfg;
    nhrp_packet h;
    nhrp_cie cie;
    memset(&h, 0, sizeof(h));
    memset(&cie, 0, sizeof(cie));
    h.type = NHRP_RESOLUTION_REQUEST;
    h.hop_count = c->hop_count;
    h.flags = NHRP_FLAG_ROUTER | NHRP_FLAG_AUTHORITATIVE | NHRP_FLAG_STABLE_SOURCE;
    if (c->flags & NHRP_INTERFACE_NAT)
        h.flags |= NHRP_FLAG_NAT;
    h.request_id = r->request_id;
    h.source_nbma = r->link->cfg.local_nbma;
    h.source_protocol = nhrp__link_local(r->link, r->mapping->destination.family);
    h.destination_protocol = r->mapping->destination;
    cie.prefix_len = r->widest.prefix_len;
    cie.holding_time_s = c->holding_time_s;
    (void)nhrp_writer_begin(w, buf, cap, &h);
    (void)nhrp_writer_put_cie(w, &cie);
    for (size_t i = 0; i < sizeof(asked_for) / sizeof(asked_for[0]); i++) {
        const nhrp_extension x = {.type = asked_for[i], .compulsory = 1};
        (void)nhrp_writer_put_extension(w, &x);
    }
    if (c->flags & NHRP_INTERFACE_NAT) {
        const nhrp_addr *outer = nhrp__link_outer(e, r->link);
        nhrp_cie us = nhrp__nat_cie(outer, &h.source_protocol);
        if (addr_equal(outer, &r->link->cfg.local_nbma))
            us.nbma.family = NHRP_FAMILY_NONE; /* nothing to tell: empty */
        nhrp__nat_put(w, &us);
    }
    if (r->context.count > 0) {
        nhrp_label_binding b;
        nhrp__binding_make(&b, NHRP_ROLE_CONTEXT, &r->context, &r->widest);
        (void)nhrp__labels_put(e, w, &b, 1);
    }
    nhrp__authentication_put(r->link, w);
}
