/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Redirects: Traffic Indications sent for packets that turn round here, and obeyed when they come.
 * draft-detienne-dmvpn 4.3, 5.1.
 */
#include "core.h"

enum { IPV4_HEADER = 20, IPV6_HEADER = 40 };

/* The addresses of an IP packet of which at least the fixed header is there. */
static bool quoted_addresses(const uint8_t *b, size_t len, nhrp_addr *source,
                             nhrp_addr *destination)
{
    wire_reader r = wire_reader_make(b, len);
    const uint8_t version = wire_get_u8(&r);
    if (version >> 4 == 4 && (version & 15) >= 5 && len >= IPV4_HEADER) {
        (void)wire_get_bytes(&r, 11);
        nhrp__addr_get(&r, NHRP_FAMILY_IPV4, 4, source);
        nhrp__addr_get(&r, NHRP_FAMILY_IPV4, 4, destination);
    } else if (version >> 4 == 6 && len >= IPV6_HEADER) {
        (void)wire_get_bytes(&r, 7);
        nhrp__addr_get(&r, NHRP_FAMILY_IPV6, 16, source);
        nhrp__addr_get(&r, NHRP_FAMILY_IPV6, 16, destination);
    } else {
        return false;
    }
    return wire_ok(&r);
}

static uint64_t flow_hash(const nhrp_engine *e, const nhrp__flow *f)
{
    const uint64_t from = nhrp__hash_addr(e, f->link.serial, &f->source);
    return nhrp__hash_addr(e, from ^ f->context, &f->destination);
}

static void flow_end(nhrp_engine *e, nhrp__flow *f)
{
    nhrp__link *l = nhrp__link_get(e, f->link);
    if (l)
        l->flow_count--;
    map_remove(&e->flows_by_key, &f->by_key);
    list_remove(&f->node);
    e->flow_count--;
    alloc_free(&e->mem, f);
}

void nhrp__flows_end(nhrp_engine *e)
{
    while (!list_empty(&e->flows))
        flow_end(e, CONTAINER_OF(e->flows.next, nhrp__flow, node));
}

/* All flows rest equally long, so the list is in order of their ends. */
static void flows_expire(nhrp_engine *e)
{
    while (!list_empty(&e->flows)) {
        nhrp__flow *f = CONTAINER_OF(e->flows.next, nhrp__flow, node);
        if (e->now_ms - f->at_ms < e->cfg.redirect_interval_ms)
            return;
        flow_end(e, f);
    }
}

static nhrp__flow *flow_find(const nhrp_engine *e, const nhrp__flow *key)
{
    for (map_node *n = map_first(&e->flows_by_key, flow_hash(e, key)); n; n = map_next(n)) {
        nhrp__flow *f = CONTAINER_OF(n, nhrp__flow, by_key);
        if (f->link.serial == key->link.serial && f->context == key->context &&
            addr_equal(&f->source, &key->source) && addr_equal(&f->destination, &key->destination))
            return f;
    }
    return NULL;
}

static nhrp_rc flow_note(nhrp_engine *e, nhrp__link *in, const nhrp__flow *key)
{
    if (e->cfg.redirect_interval_ms == 0)
        return NHRP_OK;
    if (e->flow_count >= e->cfg.max_flows || in->flow_count >= e->cfg.max_flows_per_link)
        return NHRP_ERR_LIMIT;
    nhrp__flow *f = alloc_zero(&e->mem, sizeof(*f));
    if (!f)
        return NHRP_ERR_NOMEM;
    *f = *key;
    f->at_ms = e->now_ms;
    map_insert(&e->flows_by_key, &e->mem, &f->by_key, flow_hash(e, f));
    list_append(&e->flows, &f->node);
    e->flow_count++;
    in->flow_count++;
    return NHRP_OK;
}

/* On a multipoint link it is a registered client that packets are from. */
static const nhrp__mapping *client_on(const nhrp_engine *e, const nhrp__link *l,
                                      const nhrp_addr *protocol)
{
    const nhrp__mapping *m =
        addr_given(protocol) ? nhrp__client_find(e, protocol, l->cfg.vrf) : NULL;
    return m && m->link == l && e->now_ms < m->expires_ms ? m : NULL;
}

static nhrp_rc indicate(nhrp_engine *e, const nhrp__link *l, const nhrp__mapping *client,
                        const nhrp_addr *source, const uint8_t *quoted, size_t len,
                        const nhrp_route *route)
{
    nhrp__note *n;
    const nhrp_rc rc = nhrp__note_new(e, INTENT_INDICATION, l, l, quoted, len, &n);
    if (rc != NHRP_OK)
        return rc;
    n->cie.protocol = *source;
    if (client)
        n->to = client->nbma;
    if (route) {
        n->labels = nhrp__labels_of_route(route);
        n->prefix = route->prefix;
    }
    nhrp__intent_queue(e, &n->intent);
    return NHRP_OK;
}

static nhrp_rc hairpin(nhrp_engine *e, nhrp__link *in, const nhrp__link *out,
                       const uint32_t *labels, size_t label_count, const uint8_t *packet,
                       size_t len)
{
    const size_t quoted = len < QUOTED_SIZE ? len : QUOTED_SIZE;
    nhrp__flow key;
    memset(&key, 0, sizeof(key));
    key.link = nhrp__link_refer(in);
    key.context = label_count > 0 ? labels[0] : 0;
    if (in->interface->cfg.network_id != out->interface->cfg.network_id ||
        !(in->interface->cfg.flags & NHRP_INTERFACE_REDIRECT))
        return NHRP_ERR_REFUSED;
    if (!quoted_addresses(packet, quoted, &key.source, &key.destination))
        return NHRP_ERR_QUOTED;
    flows_expire(e);
    if (flow_find(e, &key))
        return NHRP_ERR_RATE;
    nhrp_rc rc;
    const bool multipoint = (in->cfg.flags & NHRP_LINK_MULTIPOINT) != 0;
    const nhrp__mapping *client = multipoint ? client_on(e, in, &key.source) : NULL;
    if (label_count == 0 && (!multipoint || client)) {
        rc = flow_note(e, in, &key); /* what cannot be remembered cannot be limited */
        if (rc != NHRP_OK)
            return rc;
        rc = indicate(e, in, client, &key.source, packet, quoted, NULL);
        nhrp__flow *f = rc != NHRP_OK ? flow_find(e, &key) : NULL;
        if (f)
            flow_end(e, f);
        return rc;
    }
    nhrp__question *q;
    rc = nhrp__question_new(e, in, NHRP_PURPOSE_REDIRECT, packet, quoted, &q);
    if (rc == NHRP_OK && (rc = flow_note(e, in, &key)) != NHRP_OK)
        nhrp__question_end(e, q);
    if (rc != NHRP_OK)
        return rc;
    q->asked.out_link = out->id;
    q->asked.label_count = (uint32_t)label_count;
    if (label_count > 0)
        memcpy(q->asked.labels, labels, label_count * sizeof(*labels));
    q->asked.source = key.source;
    q->asked.destination = key.destination;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

nhrp_rc nhrp_engine_hairpin(nhrp_engine *e, uint64_t now_ms, uint32_t in_link, uint32_t out_link,
                            const uint32_t *labels, size_t label_count, const uint8_t *packet,
                            size_t len)
{
    if (!e || !packet || (!labels && label_count > 0) || label_count > NHRP_LABELS_MAX)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__link *in = nhrp__link_find(e, in_link);
    const nhrp__link *out = nhrp__link_find(e, out_link);
    if (!in || !out)
        return NHRP_ERR_ABSENT;
    if (!nhrp__room(e))
        return NHRP_ERR_LIMIT;
    const nhrp_rc rc = hairpin(e, in, out, labels, label_count, packet, len);
    return rc < 0 ? nhrp__drop(in->interface, rc) : rc;
}

/*
 * The label of the route that covers the source; without one, or with several, no redirect. On a
 * multipoint link also the client that is its next hop.
 */
nhrp_rc nhrp__redirect_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route)
{
    const bool labelled = q->asked.label_count > 0;
    const bool multipoint = (q->link->cfg.flags & NHRP_LINK_MULTIPOINT) != 0;
    nhrp_rc rc = NHRP_ERR_REFUSED;
    if (route->kind == NHRP_ROUTE_LOCAL)
        return NHRP_ERR_ARG;
    if (route->kind == NHRP_ROUTE_FORWARD) {
        const nhrp__mapping *client = multipoint ? client_on(e, q->link, &route->next_hop) : NULL;
        if (labelled != (route->label_count > 0) || route->link != q->link->id ||
            !prefix_holds_addr(&route->prefix, &q->asked.source))
            return NHRP_ERR_ARG;
        rc = multipoint && !client ? NHRP_ERR_UNREACHABLE
                                   : indicate(e, q->link, client, &q->asked.source, q->bytes,
                                              q->len, labelled ? route : NULL);
        if (rc == NHRP_ERR_NOMEM || rc == NHRP_ERR_LIMIT)
            return rc;
    }
    nhrp__question_end(e, q);
    return rc;
}

nhrp_rc nhrp__indication_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    const nhrp__scan *s = &a->scan;
    nhrp__link *l = a->link;
    nhrp_question asked;
    memset(&asked, 0, sizeof(asked));
    if (!(l->interface->cfg.flags & NHRP_INTERFACE_SHORTCUT) || p->traffic_code != 0 ||
        (l->cfg.flags & NHRP_LINK_MULTIPOINT))
        return NHRP_ERR_REFUSED;
    if (s->unknown_compulsory)
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_COMPULSORY,
                            NHRP_ERROR_UNRECOGNIZED_EXTENSION);
    /* Both addresses come from the quoted packet: senders disagree about those in the header. */
    if (!p->contents ||
        !quoted_addresses(p->contents, p->contents_len, &asked.source, &asked.destination))
        return NHRP_ERR_QUOTED;
    if (s->label_extensions > 1 || s->contexts > 1 || s->label_extensions != s->contexts ||
        (s->contexts == 1 && !prefix_holds_addr(&s->context.prefix, &asked.source)))
        return NHRP_ERR_LABEL;
    asked.purpose = NHRP_PURPOSE_INDICATION;
    if (s->contexts == 1) {
        asked.label_count = s->context.label_count;
        memcpy(asked.labels, s->context.labels, sizeof(asked.labels));
    }
    if (nhrp__question_same(l, &asked, 0))
        return NHRP_ERR_REPEATED;
    nhrp__question *q;
    const nhrp_rc rc = nhrp__question_new(e, l, NHRP_PURPOSE_INDICATION, NULL, 0, &q);
    if (rc != NHRP_OK)
        return rc;
    q->asked.source = asked.source;
    q->asked.destination = asked.destination;
    q->asked.label_count = asked.label_count;
    memcpy(q->asked.labels, asked.labels, sizeof(q->asked.labels));
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

/*
 * A redirect is obeyed only where the quoted packet came from a customer of the VRF, its
 * destination goes by the link that the redirect came in on, and a packet went there recently.
 */
nhrp_rc nhrp__indication_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route)
{
    const uint32_t needed = NHRP_ROUTE_SOURCE_LOCAL | NHRP_ROUTE_RECENT;
    const bool labelled = q->asked.label_count > 0;
    nhrp_rc rc = NHRP_ERR_REFUSED;
    if (route->kind == NHRP_ROUTE_FORWARD && route->link == q->link->id &&
        (route->flags & needed) == needed && (labelled || route->vrf == q->link->cfg.vrf)) {
        if (labelled != (route->label_count > 0) ||
            !prefix_holds_addr(&route->prefix, &q->asked.destination))
            return NHRP_ERR_ARG;
        rc = nhrp__resolution_begin(e, &q->asked.destination, route->vrf, q->link, route, NULL);
        if (rc == NHRP_ERR_NOMEM || rc == NHRP_ERR_LIMIT)
            return rc;
        if (rc == NHRP_ERR_STATE)
            rc = NHRP_ERR_REPEATED; /* a mapping leads there: the redirect was late */
    }
    nhrp__question_end(e, q);
    return rc;
}
