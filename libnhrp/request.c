/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Resolution Requests of others: answered here by the egress or out of registrations, or passed
 * on. A request waits in a question while the caller says which; at the egress it may then wait
 * for the tunnel that the reply is to use.
 */
#include "core.h"

/* The prefix that the requester accepts at most (RFC 2332 5.2.1); false where it makes no sense. */
static bool widest_wanted(const nhrp_packet *p, uint8_t *prefix_len, size_t *cies)
{
    nhrp_cie cie;
    size_t it = 0;
    *cies = 0;
    *prefix_len = nhrp__family_bits(p->destination_protocol.family);
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES) {
        if (++*cies > 1)
            return false;
        if (!prefix_len_from_wire(p->destination_protocol.family, cie.prefix_len, prefix_len))
            return false;
    }
    return true;
}

/* RFC 2332 5.3.2: our own address in the forward record is a loop. */
static bool passed_here(const nhrp_engine *e, const nhrp__arrival *a, bool *first_hop)
{
    nhrp_cie cie;
    size_t it = 0;
    *first_hop = true;
    if (a->scan.forward.kind == NHRP_KIND_UNKNOWN)
        return false;
    while (nhrp_extension_next_cie(&a->pkt, &a->scan.forward, &it, &cie) == NHRP_YES) {
        *first_hop = false;
        if (addr_given(&cie.protocol) && nhrp__address_ours(e, &cie.protocol))
            return true;
    }
    return false;
}

static nhrp_rc reply_note(nhrp_engine *e, const nhrp__link *cause, nhrp__link *out,
                          const uint8_t *bytes, size_t len, nhrp__note **note)
{
    const nhrp_rc rc = nhrp__note_new(e, INTENT_REPLY, cause, out, bytes, len, note);
    if (rc == NHRP_OK)
        (*note)->type = NHRP_RESOLUTION_REPLY;
    return rc;
}

/* RFC 2332 5.2.2: a negative reply has one CIE, all zero but its code. */
static nhrp_rc reply_negative(nhrp_engine *e, nhrp__link *out, const nhrp_addr *to,
                              const uint8_t *bytes, size_t len, uint8_t code)
{
    nhrp__note *n;
    const nhrp_rc rc = reply_note(e, out, out, bytes, len, &n);
    if (rc != NHRP_OK)
        return rc;
    n->cie.code = code;
    n->to = *to;
    nhrp__intent_queue(e, &n->intent);
    return NHRP_OK;
}

/* What is answered is kept, to be purged; without room for that it is refused: RFC 2332 5.2.2. */
static nhrp_rc reply_positive(nhrp_engine *e, const nhrp__link *cause, nhrp__link *out,
                              const nhrp_addr *to, const nhrp_packet *p, const nhrp_cie *cie,
                              const nhrp_cie *nat, const nhrp_addr *link_local,
                              const nhrp_addr *prefix, const nhrp__labels *labels)
{
    nhrp__note *n;
    nhrp_rc rc = reply_note(e, cause, out, p->bytes, p->size, &n);
    if (rc != NHRP_OK)
        return rc;
    const bool own = addr_equal(&cie->nbma, &out->cfg.local_nbma) ||
                     addr_equal(&cie->nbma, nhrp__link_outer(e, out));
    rc = nhrp__answer_keep(e, out, p, prefix, labels, own, cie->holding_time_s);
    n->to = *to;
    if (rc == NHRP_OK) {
        n->positive = true;
        n->cie = *cie;
        n->nat = *nat;
        if (link_local && p->destination_protocol.family == NHRP_FAMILY_IPV6)
            n->link_local = *link_local;
        n->labels = *labels;
        n->prefix = *prefix;
    } else {
        n->cie.code = NHRP_CODE_INSUFFICIENT_RESOURCES;
    }
    nhrp__intent_queue(e, &n->intent);
    return NHRP_OK;
}

/* A registered client, to whom this server is authoritative (RFC 2332 5.2.2). */
static nhrp_rc answer_registered(nhrp_engine *e, const nhrp__arrival *a, const nhrp__mapping *m)
{
    const nhrp_packet *p = &a->pkt;
    const nhrp__labels none = {0, {0}};
    const nhrp_addr to = a->from ? *a->from : a->link->cfg.peer_nbma;
    if ((p->flags & NHRP_FLAG_UNIQUE) && !(m->flags & NHRP_MAPPING_UNIQUE))
        return reply_negative(e, a->link, &to, p->bytes, p->size, NHRP_CODE_NOT_UNIQUE);
    nhrp_cie cie, nat;
    memset(&cie, 0, sizeof(cie));
    cie.prefix_len = m->prefix.prefix_len;
    cie.mtu = m->mtu;
    cie.preference = m->preference;
    const uint64_t left = m->expires_ms == NHRP_NEVER ? a->link->interface->cfg.holding_time_s
                                                      : (m->expires_ms - e->now_ms + 999) / 1000;
    cie.holding_time_s = (uint16_t)(left < UINT16_MAX ? left : UINT16_MAX);
    cie.protocol = addr_bare(&m->next_hop, 0);
    nhrp__nat_answer(p, &m->claimed_nbma, &m->nbma, &cie, &nat);
    return reply_positive(e, a->link, a->link, &to, p, &cie, &nat, NULL, &m->prefix, &none);
}

nhrp_rc nhrp__request_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    const nhrp__scan *s = &a->scan;
    nhrp__link *l = a->link;
    uint8_t widest;
    size_t cies;
    bool first_hop;
    if (!addr_given(&p->source_nbma) || !addr_given(&p->source_protocol) ||
        !addr_given(&p->destination_protocol))
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_FORMAT, NHRP_ERROR_PROTOCOL);
    if (!widest_wanted(p, &widest, &cies))
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_CIE, NHRP_ERROR_PROTOCOL);
    if (s->label_extensions > 1 || s->contexts > 1 ||
        (s->contexts == 1 && s->context.prefix.family != p->destination_protocol.family))
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_LABEL, NHRP_ERROR_INVALID_EXTENSION);
    if (passed_here(e, a, &first_hop))
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_LOOP, NHRP_ERROR_LOOP_DETECTED);
    /* Behind different NATs two nodes may have the same address: what tells them apart counts. */
    const nhrp_addr requester_nbma = nhrp__nat_requester(p);
    if (nhrp__address_ours(e, &p->source_protocol) ||
        addr_equal(&requester_nbma, &l->cfg.local_nbma))
        return NHRP_ERR_LOOP;
    /*
     * A neighbour's own request names the neighbour: nobody asks in another's name. The record of a
     * request that was passed on is its sender's word, which a leaf has no reason to give.
     */
    if ((l->cfg.flags & NHRP_LINK_LEAF) && !first_hop)
        return NHRP_ERR_REFUSED;
    if (first_hop && !(l->cfg.flags & NHRP_LINK_MULTIPOINT) &&
        !nhrp__link_peer_is(l, &p->source_protocol))
        return NHRP_ERR_REFUSED;

    nhrp_question asked;
    memset(&asked, 0, sizeof(asked));
    asked.purpose = NHRP_PURPOSE_REQUEST;
    asked.source = addr_bare(&p->source_protocol, 0);
    asked.destination = addr_bare(&p->destination_protocol, 0);
    asked.prefix = addr_prefix(&p->destination_protocol, 0, widest);
    asked.nbma = requester_nbma;
    if (s->contexts == 1) {
        asked.label_count = s->context.label_count;
        memcpy(asked.labels, s->context.labels, sizeof(asked.labels));
    }
    if (nhrp__question_same(l, &asked, p->request_id))
        return NHRP_ERR_REPEATED;
    if (nhrp__questions_of(l, &asked.source) >= e->cfg.max_questions_per_requester)
        return NHRP_ERR_LIMIT;

    const nhrp__mapping *client =
        s->contexts == 0 ? nhrp__client_find(e, &p->destination_protocol, l->cfg.vrf) : NULL;
    /* One that has run out may still wait for its timer. */
    if (client && e->now_ms < client->expires_ms && client->prefix.prefix_len >= widest) {
        if (s->unknown_compulsory)
            return nhrp__refuse(e, l, a->from, p, NHRP_ERR_COMPULSORY,
                                NHRP_ERROR_UNRECOGNIZED_EXTENSION);
        return answer_registered(e, a, client);
    }

    nhrp__question *q;
    const nhrp_rc rc = nhrp__question_new(e, l, NHRP_PURPOSE_REQUEST, p->bytes, p->size, &q);
    if (rc != NHRP_OK)
        return rc;
    q->request_id = p->request_id;
    q->asked.source = asked.source;
    q->asked.destination = asked.destination;
    q->asked.destination.scope = asked.label_count ? 0 : l->cfg.vrf;
    q->asked.prefix = asked.prefix;
    q->asked.nbma = asked.nbma;
    q->asked.label_count = asked.label_count;
    memcpy(q->asked.labels, asked.labels, sizeof(q->asked.labels));
    if (a->from)
        q->from = *a->from;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

/* Queues the packet for another link. What may be swapped, and where it goes, is in the route. */
nhrp_rc nhrp__forward(nhrp_engine *e, nhrp__link *in, const nhrp_addr *from, nhrp__link *out,
                      const nhrp_packet *p, const nhrp_route *route, bool record)
{
    const bool multipoint = (out->cfg.flags & NHRP_LINK_MULTIPOINT) != 0;
    if (out == in && !multipoint)
        return nhrp__refuse(e, in, from, p, NHRP_ERR_LOOP, NHRP_ERROR_LOOP_DETECTED);
    if (out->interface->cfg.network_id != in->interface->cfg.network_id)
        return nhrp__refuse(e, in, from, p, NHRP_ERR_UNREACHABLE, NHRP_ERROR_UNREACHABLE);
    const nhrp__mapping *next = NULL;
    if (multipoint) {
        next = route && addr_given(&route->next_hop)
                   ? nhrp__client_find(e, &route->next_hop, out->cfg.vrf)
                   : NULL;
        if (!next || next->link != out)
            return nhrp__refuse(e, in, from, p, NHRP_ERR_UNREACHABLE, NHRP_ERROR_UNREACHABLE);
    }
    nhrp__note *n;
    const nhrp_rc rc = nhrp__note_new(e, INTENT_FORWARD, in, out, p->bytes, p->size, &n);
    if (rc != NHRP_OK)
        return rc;
    n->record = record;
    if (next)
        n->to = next->nbma;
    if (route && p->type == NHRP_RESOLUTION_REQUEST) {
        n->labels = nhrp__labels_of_route(route);
        n->prefix = route->prefix;
    }
    nhrp__intent_queue(e, &n->intent);
    return NHRP_OK;
}

static nhrp_addr answer_to(const nhrp__question *q)
{
    return addr_given(&q->from) ? q->from : q->link->cfg.peer_nbma;
}

/* The egress replies by the link given, with its own addresses on it. */
static nhrp_rc reply_local(nhrp_engine *e, nhrp__question *q, nhrp__link *out, const nhrp_packet *p,
                           const nhrp_route *route)
{
    const nhrp__labels labels = nhrp__labels_of_route(route);
    const uint8_t family = p->destination_protocol.family;
    const uint8_t len = route->prefix.prefix_len > q->asked.prefix.prefix_len
                            ? route->prefix.prefix_len
                            : q->asked.prefix.prefix_len;
    const nhrp_addr prefix = addr_prefix(&p->destination_protocol, route->vrf, len);
    const uint32_t holding =
        route->holding_time_s ? route->holding_time_s : out->interface->cfg.holding_time_s;
    const nhrp_addr to = out == q->link ? answer_to(q) : out->cfg.peer_nbma;
    nhrp_cie cie, nat;
    memset(&cie, 0, sizeof(cie));
    cie.prefix_len = len;
    cie.holding_time_s = (uint16_t)(holding < UINT16_MAX ? holding : UINT16_MAX);
    cie.protocol = nhrp__link_local(out, family);
    nhrp__nat_answer(p, &out->cfg.local_nbma, nhrp__link_outer(e, out), &cie, &nat);
    return reply_positive(e, q->link, out, &to, p, &cie, &nat, &out->cfg.local_link_local, &prefix,
                          &labels);
}

static nhrp_rc answer_local(nhrp_engine *e, nhrp__question *q, const nhrp_packet *p,
                            const nhrp_route *route)
{
    const nhrp__interface *i = q->link->interface;
    const bool labelled = q->asked.label_count > 0;
    if (labelled != (route->label_count > 0) ||
        !prefix_holds_addr(&route->prefix, &p->destination_protocol))
        return NHRP_ERR_ARG;
    /* A VPN route without a label of its own would let packets out into the wrong table. */
    if (labelled && route->labels[0] == NHRP_LABEL_IMPLICIT_NULL)
        return NHRP_ERR_ARG;
    if (!(i->cfg.flags & NHRP_INTERFACE_TUNNEL_FIRST))
        return reply_local(e, q, q->link, p, route);
    nhrp__link *tunnel =
        nhrp__link_to_peer(e, i->cfg.network_id, &q->asked.nbma, &p->source_protocol);
    if (tunnel)
        return reply_local(e, q, tunnel, p, route);

    q->route = *route;
    q->network_id = i->cfg.network_id;
    q->asked.purpose = NHRP_PURPOSE_RESPONDER;
    q->asked.protocol = addr_unmapped(&p->source_protocol);
    q->asked.vrf = route->vrf;
    nhrp__question_ask(e, q);
    return NHRP_YES; /* the question goes on */
}

static nhrp_rc answer_forward(nhrp_engine *e, nhrp__question *q, const nhrp_packet *p,
                              const nhrp_route *route, bool record)
{
    const bool labelled = q->asked.label_count > 0;
    if (labelled != (route->label_count > 0) ||
        !prefix_holds_addr(&route->prefix, &p->destination_protocol))
        return NHRP_ERR_ARG;
    if (p->hop_count == 0)
        return nhrp__refuse(e, q->link, &q->from, p, NHRP_ERR_HOP_COUNT, NHRP_ERROR_HOP_COUNT);
    return nhrp__forward(e, q->link, &q->from, nhrp__link_find(e, route->link), p, route, record);
}

/* The caller has said what becomes of a request. */
nhrp_rc nhrp__request_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route)
{
    nhrp_packet p;
    nhrp__scan s;
    nhrp_rc rc = nhrp_packet_decode(q->bytes, q->len, &p);
    if (rc == NHRP_OK)
        rc = nhrp__scan_extensions(e, &p, &s);
    if (rc != NHRP_OK)
        return rc;
    const nhrp_addr to = answer_to(q);
    /* Without a context a request resolves in the link's own VRF, never by search. */
    const bool strays = route->kind == NHRP_ROUTE_LOCAL && q->asked.label_count == 0 &&
                        route->vrf != q->link->cfg.vrf;
    if (route->kind == NHRP_ROUTE_FORWARD) {
        /* RFC 2332 5.3: in transit an unknown compulsory extension only forbids the record. */
        rc = answer_forward(e, q, &p, route, !s.unknown_compulsory);
    } else if (s.unknown_compulsory) {
        rc = nhrp__refuse(e, q->link, &q->from, &p, NHRP_ERR_COMPULSORY,
                          NHRP_ERROR_UNRECOGNIZED_EXTENSION);
    } else if (route->kind == NHRP_ROUTE_LOCAL && !strays) {
        rc = answer_local(e, q, &p, route);
    } else {
        const bool prohibited = strays || route->kind == NHRP_ROUTE_PROHIBITED;
        rc = reply_negative(e, q->link, &to, q->bytes, q->len,
                            prohibited ? NHRP_CODE_PROHIBITED : NHRP_CODE_NO_BINDING);
        if (rc == NHRP_OK && prohibited)
            rc = NHRP_ERR_REFUSED;
    }
    if (rc == NHRP_ERR_ARG || rc == NHRP_ERR_NOMEM || rc == NHRP_ERR_LIMIT)
        return rc; /* the question stays */
    if (rc == NHRP_YES)
        return NHRP_OK;
    nhrp__question_end(e, q);
    return rc;
}

/* The tunnel is up, or will not be: then the reply goes the way that the request came. */
nhrp_rc nhrp__request_tunnel(nhrp_engine *e, nhrp__question *q, nhrp__link *tunnel)
{
    nhrp_packet p;
    nhrp_rc rc = nhrp_packet_decode(q->bytes, q->len, &p);
    if (rc == NHRP_OK)
        rc = reply_local(e, q, tunnel ? tunnel : q->link, &p, &q->route);
    if (rc == NHRP_ERR_NOMEM || rc == NHRP_ERR_LIMIT)
        return rc;
    nhrp__question_end(e, q);
    return rc;
}

nhrp_rc nhrp__transit_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route)
{
    nhrp_packet p;
    nhrp__scan s;
    nhrp_rc rc = nhrp_packet_decode(q->bytes, q->len, &p);
    if (rc == NHRP_OK && p.type != NHRP_ERROR_INDICATION)
        rc = nhrp__scan_extensions(e, &p, &s);
    else
        memset(&s, 0, sizeof(s));
    if (rc == NHRP_OK) {
        const bool reply = p.type == NHRP_RESOLUTION_REPLY || p.type == NHRP_PURGE_REPLY;
        rc = route->kind == NHRP_ROUTE_FORWARD
                 ? nhrp__forward(e, q->link, &q->from, nhrp__link_find(e, route->link), &p, route,
                                 reply && !s.unknown_compulsory)
                 : nhrp__refuse(e, q->link, &q->from, &p, NHRP_ERR_UNREACHABLE,
                                NHRP_ERROR_UNREACHABLE);
    }
    if (rc == NHRP_ERR_NOMEM || rc == NHRP_ERR_LIMIT)
        return rc;
    nhrp__question_end(e, q);
    return rc;
}
