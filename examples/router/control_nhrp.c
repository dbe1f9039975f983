/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * libnhrp's questions, answered from the LFIB, the FIB and the RIB, and its mappings, which become
 * routes. A link of it is a tunnel; both have the tunnel's slot as their number.
 *
 * What is told about packets is read from the packets themselves, as they arrive and leave.
 */
#include "internal.h"

#include <string.h>

int32_t rt_nhrp_new(router *r)
{
    const rt_config *c = &r->config;
    nhrp_config config;
    (void)nhrp_config_init(&config);
    config.allocator.resize = c->resize;
    config.allocator.user = c->resize_user;
    drbg_get(&r->random, config.seed, sizeof(config.seed));
    config.first_registration_id = 1;
    config.max_links = RT_MAX_TUNNELS;
    config.max_events = RT_ENGINE_EVENTS;
    config.tunnel_wait_ms = c->tunnel_wait_ms;
    /* Six in 19 s, not four in 15: on a bad underlay four are lost once in a thousand times. */
    config.max_transmissions = RT_NHRP_TRANSMISSIONS;
    config.retransmit_max_ms = RT_NHRP_RETRANSMIT_MAX_MS;
    /* Whoever is remembered as a flow may be redirected. */
    if (config.max_flows < c->flows)
        config.max_flows = c->flows;
    if (config.max_flows_per_link < config.max_flows / 4)
        config.max_flows_per_link = config.max_flows / 4;
    const nhrp_rc rc = nhrp_engine_new(&config, r->now, &r->nhrp);
    sodium_memzero(&config, sizeof(config));
    if (rc != NHRP_OK)
        return rc == NHRP_ERR_ARG ? ROUTER_ERR_ARG : ROUTER_ERR_NOMEM;
    nhrp_interface_config interface;
    (void)nhrp_interface_config_init(&interface);
    interface.network_id = c->network_id;
    interface.flags = NHRP_INTERFACE_TUNNEL_FIRST | (c->redirect ? NHRP_INTERFACE_REDIRECT : 0u) |
                      (c->shortcut ? NHRP_INTERFACE_SHORTCUT : 0u);
    interface.key_len = strlen(c->nhrp_authentication);
    interface.key = interface.key_len ? (const uint8_t *)c->nhrp_authentication : NULL;
    interface.authentication =
        interface.key_len ? NHRP_AUTHENTICATION_CLEARTEXT : NHRP_AUTHENTICATION_NONE;
    interface.max_packet_size = c->tunnel_mtu;
    /* A spoke's hub brings the requests of all others, so that a hundred is too few. */
    interface.send_limit = RT_NHRP_SEND_LIMIT;
    interface.holding_time_s = (uint16_t)c->holding_time_s;
    const nhrp_rc added = nhrp_engine_interface_add(r->nhrp, r->now, RT_NHRP_INTERFACE, &interface);
    if (added != NHRP_OK)
        return added == NHRP_ERR_ARG ? ROUTER_ERR_ARG : ROUTER_ERR_NOMEM;
    return map_init(&r->mappings, &r->mem) ? ROUTER_OK : ROUTER_ERR_NOMEM;
}

void rt_nhrp_free(router *r)
{
    size_t bucket = 0;
    map_node *n = r->mappings.buckets ? map_walk(&r->mappings, &bucket, NULL) : NULL;
    while (n) {
        rt_mapping *m = CONTAINER_OF(n, rt_mapping, by_id);
        n = map_walk(&r->mappings, &bucket, n);
        alloc_free(&r->mem, m);
    }
    map_free(&r->mappings, &r->mem);
}

/* ---- Links ---- */

static nhrp_addr plain(const router_addr *a)
{
    nhrp_addr out;
    router_addr host = rt_addr_host(a);
    host.prefix_len = 0;
    RT_TO(nhrp, &out, &host);
    return out;
}

bool rt_nhrp_link_up(router *r, rt_tunnel *t)
{
    nhrp_link_config link;
    (void)nhrp_link_config_init(&link);
    link.interface = RT_NHRP_INTERFACE;
    link.vrf = ROUTER_GLOBAL_VRF;
    link.local_nbma = plain(&r->config.underlay);
    link.peer_nbma = plain(&t->path.peer);
    const bool six = r->config.tunnel.family == ROUTER_FAMILY_IPV6;
    *(six ? &link.local_protocol_ipv6 : &link.local_protocol_ipv4) = plain(&r->config.tunnel);
    if (t->address.family == ROUTER_FAMILY_IPV4)
        link.peer_protocol_ipv4 = plain(&t->address);
    else if (t->address.family == ROUTER_FAMILY_IPV6)
        link.peer_protocol_ipv6 = plain(&t->address);
    /* Spokes speak for themselves; hubs, which spokes initiate to, pass on what others say. */
    const router_peer_config *peer = &r->config.peers[t->peer];
    if (!peer->initiate && !peer->transit)
        link.flags = NHRP_LINK_LEAF;
    link.identity = (const uint8_t *)t->identity;
    link.identity_len = strlen(t->identity);
    if (nhrp_engine_link_up(r->nhrp, r->now, t->slot, &link) != NHRP_OK) {
        rt_timer_set(r, &r->retry_timer, r->now + RT_RETRY_MS);
        return false;
    }
    /* The engine took it as the answer to questions about this peer. */
    for (size_t i = 0; i < RT_MAX_ASKS; i++)
        if (r->asks[i].ask_id != 0 && rt_addr_same(&r->asks[i].nbma, &t->path.peer))
            r->asks[i].ask_id = 0;
    return true;
}

void rt_nhrp_link_down(router *r, rt_tunnel *t)
{
    (void)nhrp_engine_link_down(r->nhrp, r->now, t->slot);
}

/* ---- What questions were about ---- */

static void topic_note(router *r, const nhrp_addr *source, const nhrp_addr *destination,
                       uint32_t vrf, uint32_t label)
{
    rt_topic *topic = &r->topics[r->topic_next++ % RT_TOPICS];
    rt_addr_from(&topic->source, source);
    rt_addr_from(&topic->destination, destination);
    topic->vrf = vrf;
    topic->label = label;
}

static rt_topic topic_find(const router *r, const router_addr *source,
                           const router_addr *destination)
{
    for (uint32_t i = 0; i < RT_TOPICS; i++) { /* the newest first */
        const rt_topic *topic = &r->topics[(r->topic_next - 1 - i) % RT_TOPICS];
        if (rt_addr_same(&topic->source, source) && rt_addr_same(&topic->destination, destination))
            return *topic;
    }
    const rt_topic none = {.label = ROUTER_NO_LABEL};
    return none;
}

/* ---- Route questions ---- */

/* What the context of a question names: a VRF, or a hop to swap to. */
static nhrp_rc context(const router *r, const nhrp_question *q, mplsvpn_hop *hop)
{
    memset(hop, 0, sizeof(*hop));
    if (q->label_count == 0) { /* never by search: the link's own VRF */
        hop->kind = MPLSVPN_HOP_VRF;
        hop->vrf = q->vrf;
        return NHRP_OK;
    }
    if (q->label_count > 1)
        return NHRP_ERR_REFUSED;
    const mplsvpn_rc rc = mplsvpn_table_lookup(r->mpls, q->link, q->labels[0], hop);
    if (rc == MPLSVPN_ERR_NOT_ALLOWED)
        return NHRP_ERR_REFUSED;
    const bool known =
        rc == MPLSVPN_OK && (hop->kind == MPLSVPN_HOP_VRF || hop->kind == MPLSVPN_HOP_TUNNEL);
    return known ? NHRP_OK : NHRP_ERR_UNREACHABLE;
}

static bool fib_lookup(const router *r, uint32_t vrf, const nhrp_addr *address, router_addr *prefix,
                       mplsvpn_hop *hop)
{
    mplsvpn_addr found;
    mplsvpn_addr wanted;
    router_addr host;
    rt_addr_from(&host, address);
    host.prefix_len = 0;
    host.port = 0;
    host.scope = 0;
    RT_TO(mplsvpn, &wanted, &host);
    if (mplsvpn_route_lookup(r->mpls, vrf, &wanted, &found, hop) != MPLSVPN_OK)
        return false;
    rt_addr_from(prefix, &found);
    return true;
}

static void answer_forward(nhrp_route *a, uint32_t vrf, const router_addr *prefix, uint32_t link,
                           const uint32_t *labels, uint32_t label_count)
{
    a->kind = NHRP_ROUTE_FORWARD;
    a->vrf = vrf;
    a->link = link;
    RT_TO(nhrp, &a->prefix, prefix);
    a->label_count = label_count;
    for (uint32_t i = 0; i < label_count && i < NHRP_LABELS_MAX; i++)
        a->labels[i] = labels[i];
}

/* The label that the arriving link's peer advertised for the inner source. */
static void ask_redirect(router *r, const nhrp_question *q, nhrp_route *a)
{
    mplsvpn_hop hop;
    const rt_tunnel *t = rt_slot_get(r, q->link);
    router_addr source;
    router_addr prefix;
    rt_addr_from(&source, &q->source);
    if (!t || q->label_count == 0 || context(r, q, &hop) != NHRP_OK)
        return;
    const uint32_t label = rt_bgp_label_from(r, hop.vrf, &source, t, &prefix);
    if (label == ROUTER_NO_LABEL)
        return;
    answer_forward(a, hop.vrf, &prefix, q->link, &label, 1);
}

static void ask_indication(router *r, const nhrp_question *q, nhrp_route *a)
{
    mplsvpn_hop hop;
    mplsvpn_hop way;
    router_addr prefix;
    router_addr unused;
    if (!r->config.shortcut || context(r, q, &hop) != NHRP_OK || hop.kind != MPLSVPN_HOP_VRF ||
        !fib_lookup(r, hop.vrf, &q->destination, &prefix, &way) || way.kind != MPLSVPN_HOP_TUNNEL)
        return;
    const rt_tunnel *t = rt_slot_get(r, way.interface_id);
    if (!t)
        return;
    answer_forward(a, hop.vrf, &prefix, t->slot, way.labels, way.label_count);
    mplsvpn_hop back;
    if (fib_lookup(r, hop.vrf, &q->source, &unused, &back) && back.kind == MPLSVPN_HOP_LOCAL)
        a->flags |= NHRP_ROUTE_SOURCE_LOCAL;
    router_addr destination;
    rt_addr_from(&destination, &q->destination);
    if (rt_recently_sent(r, hop.vrf, &destination, t->id))
        a->flags |= NHRP_ROUTE_RECENT;
}

static void ask_request(router *r, const nhrp_question *q, nhrp_route *a)
{
    mplsvpn_hop hop;
    mplsvpn_hop way;
    router_addr prefix;
    const nhrp_rc rc = context(r, q, &hop);
    if (rc != NHRP_OK) {
        a->kind = rc == NHRP_ERR_REFUSED ? NHRP_ROUTE_PROHIBITED : NHRP_ROUTE_NONE;
        return;
    }
    if (hop.kind == MPLSVPN_HOP_TUNNEL) { /* 2547oDMVPN: on along the labels */
        const rt_label *own = rt_label_of_swap(r, q->labels[0]);
        const rt_tunnel *t = rt_slot_get(r, hop.interface_id);
        if (own && t && t->id == hop.cookie)
            answer_forward(a, hop.vrf, &own->prefix, hop.interface_id, hop.labels, hop.label_count);
        return;
    }
    if (!fib_lookup(r, hop.vrf, &q->destination, &prefix, &way))
        return;
    if (way.kind == MPLSVPN_HOP_TUNNEL) {
        answer_forward(a, hop.vrf, &prefix, way.interface_id, way.labels, way.label_count);
        return;
    }
    if (way.kind != MPLSVPN_HOP_LOCAL)
        return;
    const rt_label *own = rt_label_of_prefix(r, hop.vrf, &prefix);
    if (!r->config.shortcut || (!own && hop.vrf != ROUTER_GLOBAL_VRF)) {
        a->kind = NHRP_ROUTE_PROHIBITED;
        return;
    }
    a->kind = NHRP_ROUTE_LOCAL;
    a->vrf = hop.vrf;
    RT_TO(nhrp, &a->prefix, &prefix);
    a->label_count = own ? 1 : 0;
    a->labels[0] = own ? own->label : 0;
}

static void ask_transit(router *r, const nhrp_question *q, nhrp_route *a)
{
    mplsvpn_hop way;
    router_addr prefix;
    if (fib_lookup(r, ROUTER_GLOBAL_VRF, &q->destination, &prefix, &way) &&
        way.kind == MPLSVPN_HOP_TUNNEL)
        answer_forward(a, ROUTER_GLOBAL_VRF, &prefix, way.interface_id, NULL, 0);
}

/* A prefix covers a connected or static route of the VRF, or is covered by one. */
static bool meets_own(const router_vrf_config *v, const router_addr *prefix)
{
    for (size_t i = 0; i < v->connecteds; i++)
        if (rt_addr_covers(prefix, &v->connected[i]) || rt_addr_covers(&v->connected[i], prefix))
            return true;
    for (size_t i = 0; i < v->discards; i++)
        if (rt_addr_covers(prefix, &v->discard[i]))
            return true;
    return false;
}

static void ask_reply(const router *r, const nhrp_question *q, nhrp_route *a)
{
    const router_vrf_config *v = rt_config_vrf(&r->config, q->vrf);
    router_addr destination;
    rt_addr_from(&destination, &q->destination);
    destination.prefix_len = 0;
    if (!v)
        return;
    for (uint32_t bits = q->prefix.prefix_len; bits <= rt_addr_bits(&destination); bits++) {
        const router_addr part = rt_addr_network(&destination, (uint8_t)bits);
        if (bits == 0 || meets_own(v, &part))
            continue;
        a->kind = NHRP_ROUTE_LOCAL;
        a->vrf = q->vrf;
        RT_TO(nhrp, &a->prefix, &part);
        return;
    }
}

static void ask_resolve(const router *r, const nhrp_question *q, nhrp_route *a)
{
    router_addr destination;
    rt_addr_from(&destination, &q->destination);
    destination.prefix_len = 0;
    const rt_route *route = rt_rib_lookup_without(r, q->vrf, &destination, ROUTER_SOURCE_NHRP);
    if (!route || !route->tunnel)
        return;
    const bool labelled = route->label != ROUTER_NO_LABEL;
    answer_forward(a, q->vrf, &route->entry->prefix, route->tunnel->slot, &route->label,
                   labelled ? 1 : 0);
}

/* ---- What is told of them ---- */

static void tell_incomplete(router *r)
{
    nhrp_mapping m;
    memset(&m, 0, sizeof(m));
    m.struct_size = sizeof(m);
    while (nhrp_engine_next_mapping(r->nhrp, &r->last_mapping, &m) == NHRP_YES) {
        r->last_mapping = m.id;
        if (m.kind != NHRP_MAPPING_INCOMPLETE)
            continue;
        router_event ev;
        rt_event_init(&ev, ROUTER_EVENT_MAPPING_INCOMPLETE);
        ev.vrf = m.vrf;
        rt_addr_from(&ev.address, &m.destination);
        rt_event_push(r, &ev);
    }
}

static void tell_answered(router *r, const nhrp_question *q, const nhrp_route *a)
{
    const rt_tunnel *t = rt_slot_get(r, q->link);
    const uint32_t label = q->label_count ? q->labels[0] : ROUTER_NO_LABEL;
    router_event ev;
    if (q->purpose == NHRP_PURPOSE_INDICATION && a->kind == NHRP_ROUTE_FORWARD) {
        rt_event_init(&ev, ROUTER_EVENT_REDIRECT_HEARD);
        rt_addr_from(&ev.local, &q->source);
        rt_addr_from(&ev.remote, &q->destination);
    } else if (q->purpose == NHRP_PURPOSE_REQUEST && a->kind == NHRP_ROUTE_LOCAL) {
        rt_event_init(&ev, ROUTER_EVENT_REQUEST_HEARD);
        rt_addr_from(&ev.address, &q->destination);
        rt_addr_from(&ev.remote, &q->nbma);
    } else {
        return;
    }
    ev.vrf = a->vrf;
    ev.label = label;
    ev.tunnel = t ? t->id : 0;
    rt_event_push(r, &ev);
}

static void on_ask_route(router *r, const nhrp_event *ev)
{
    nhrp_question q;
    nhrp_route a;
    memset(&q, 0, sizeof(q));
    q.struct_size = sizeof(q);
    (void)nhrp_route_init(&a);
    if (nhrp_engine_get_question(r->nhrp, ev->ask_id, &q) != NHRP_OK)
        return;
    const nhrp_addr own = plain(&r->config.tunnel);
    switch (q.purpose) {
    case NHRP_PURPOSE_REDIRECT:
        ask_redirect(r, &q, &a);
        topic_note(r, &q.source, &q.destination, a.vrf, q.labels[0]);
        break;
    case NHRP_PURPOSE_INDICATION:
        ask_indication(r, &q, &a);
        topic_note(r, &own, &q.destination, a.vrf, ROUTER_NO_LABEL);
        break;
    case NHRP_PURPOSE_REQUEST:
        ask_request(r, &q, &a);
        topic_note(r, &q.source, &q.destination, a.vrf,
                   q.label_count ? q.labels[0] : ROUTER_NO_LABEL);
        break;
    case NHRP_PURPOSE_TRANSIT:
        ask_transit(r, &q, &a);
        break;
    case NHRP_PURPOSE_REPLY:
        ask_reply(r, &q, &a);
        break;
    case NHRP_PURPOSE_RESOLVE:
        ask_resolve(r, &q, &a);
        topic_note(r, &own, &q.destination, q.vrf, ROUTER_NO_LABEL);
        break;
    default:
        break;
    }
    nhrp_rc rc = nhrp_engine_answer_route(r->nhrp, r->now, ev->ask_id, &a);
    if (rc == NHRP_OK && a.kind != NHRP_ROUTE_NONE && a.kind != NHRP_ROUTE_PROHIBITED) {
        tell_answered(r, &q, &a);
        tell_incomplete(r);
        return;
    }
    const rt_tunnel *t = rt_slot_get(r, q.link);
    const bool asked_by_peer = q.purpose == NHRP_PURPOSE_INDICATION ||
                               q.purpose == NHRP_PURPOSE_REQUEST || q.purpose == NHRP_PURPOSE_REPLY;
    if (asked_by_peer && t && rc != NHRP_ERR_NEGATIVE && rc != NHRP_ERR_REPEATED)
        rt_event_refused(r, t->id, t->identity, rc == NHRP_OK ? NHRP_ERR_UNREACHABLE : rc,
                         q.purpose == NHRP_PURPOSE_INDICATION ? "a redirect"
                         : q.purpose == NHRP_PURPOSE_REQUEST  ? "a resolution request"
                                                              : "a resolution reply");
}

static void on_ask_tunnel(router *r, const nhrp_event *ev)
{
    nhrp_question q;
    memset(&q, 0, sizeof(q));
    q.struct_size = sizeof(q);
    if (nhrp_engine_get_question(r->nhrp, ev->ask_id, &q) != NHRP_OK)
        return;
    router_addr nbma;
    router_addr protocol;
    rt_addr_from(&nbma, &q.nbma);
    rt_addr_from(&protocol, &q.protocol);
    const rt_tunnel *t = rt_tunnel_to_peer(r, &nbma, &protocol);
    const bool there = t && t->link_up &&
                       nhrp_engine_answer_tunnel(r->nhrp, r->now, ev->ask_id, NHRP_TUNNEL_UP,
                                                 t->slot) != NHRP_ERR_ARG; /* it leads elsewhere */
    if (!there)
        rt_ike_want(r, ev->ask_id, &nbma);
}

/* ---- Mappings ---- */

static rt_mapping *mapping_find(const router *r, uint64_t id)
{
    map_node *n = map_first(&r->mappings, id);
    return n ? CONTAINER_OF(n, rt_mapping, by_id) : NULL;
}

static void tell_mapping(router *r, uint32_t kind, uint32_t vrf, const router_addr *prefix,
                         const nhrp_mapping *m, int32_t reason, const char *why)
{
    router_event ev;
    rt_event_init(&ev, kind);
    ev.vrf = vrf;
    ev.prefix = *prefix;
    ev.reason = reason;
    ev.why = why;
    if (kind == ROUTER_EVENT_MAPPING_UP) {
        const rt_tunnel *t = rt_slot_get(r, m->link);
        ev.tunnel = t ? t->id : 0;
        ev.label = m->label_count ? m->labels[0] : ROUTER_NO_LABEL;
        rt_addr_from(&ev.remote, &m->nbma);
    }
    rt_event_push(r, &ev);
}

static void mapping_forget(router *r, rt_mapping *m)
{
    rt_rib_remove(r, m->vrf, &m->prefix, ROUTER_SOURCE_NHRP, NULL, m->id);
    map_remove(&r->mappings, &m->by_id);
    alloc_free(&r->mem, m);
}

/* A route has one label; another for the responder itself would have to go above it. */
static bool can_push(const nhrp_mapping *m)
{
    return m->label_count <= 1 &&
           (m->overlay_label_count == 0 || m->overlay_labels[0] == MPLSVPN_LABEL_IMPLICIT_NULL);
}

static void on_mapping_up(router *r, uint64_t id)
{
    nhrp_mapping m;
    memset(&m, 0, sizeof(m));
    m.struct_size = sizeof(m);
    if (nhrp_engine_get_mapping(r->nhrp, id, &m) != NHRP_OK || m.kind != NHRP_MAPPING_RESOLVED)
        return;
    if (!can_push(&m)) {
        (void)nhrp_engine_remove(r->nhrp, r->now, id);
        return;
    }
    rt_tunnel *t = rt_slot_get(r, m.link);
    router_addr prefix;
    router_addr via;
    rt_addr_from(&prefix, &m.prefix);
    prefix.scope = 0;
    rt_addr_from(&via, &m.next_hop);
    rt_mapping *known = mapping_find(r, id);
    const bool moved =
        known && (known->vrf != m.vrf || known->prefix.prefix_len != prefix.prefix_len ||
                  !rt_addr_same(&known->prefix, &prefix));
    if (moved)
        mapping_forget(r, known);
    if (!known || moved) {
        known = alloc_zero(&r->mem, sizeof(*known));
        if (!known || !t) {
            alloc_free(&r->mem, known);
            (void)nhrp_engine_remove(r->nhrp, r->now, id);
            return;
        }
        known->id = id;
        known->vrf = m.vrf;
        known->prefix = prefix;
        map_insert(&r->mappings, &r->mem, &known->by_id, id);
    }
    tell_mapping(r, ROUTER_EVENT_MAPPING_UP, m.vrf, &prefix, &m, 0, NULL);
    const uint32_t label = m.label_count ? m.labels[0] : ROUTER_NO_LABEL;
    if (rt_rib_set(r, m.vrf, &prefix, ROUTER_SOURCE_NHRP, t, &via, label, id) != ROUTER_OK) {
        mapping_forget(r, known);
        (void)nhrp_engine_remove(r->nhrp, r->now, id);
    }
}

static void on_mapping_down(router *r, const nhrp_event *ev)
{
    rt_mapping *m = mapping_find(r, ev->id);
    if (!m)
        return;
    tell_mapping(r, ROUTER_EVENT_MAPPING_DOWN, m->vrf, &m->prefix, NULL, ev->reason, NULL);
    mapping_forget(r, m);
}

static void on_mapping_negative(router *r, const nhrp_event *ev)
{
    nhrp_mapping m;
    memset(&m, 0, sizeof(m));
    m.struct_size = sizeof(m);
    if (nhrp_engine_get_mapping(r->nhrp, ev->id, &m) != NHRP_OK)
        return;
    router_addr prefix;
    rt_addr_from(&prefix, &m.destination);
    prefix.prefix_len = rt_addr_bits(&prefix);
    tell_mapping(r, ROUTER_EVENT_MAPPING_DOWN, m.vrf, &prefix, NULL, ev->reason,
                 "resolution failed; the old path goes on");
}

bool rt_nhrp_event(router *r)
{
    nhrp_event ev;
    if (nhrp_engine_poll_event(r->nhrp, &ev) != NHRP_YES)
        return false;
    switch (ev.kind) {
    case NHRP_EVENT_ASK_ROUTE:
        on_ask_route(r, &ev);
        break;
    case NHRP_EVENT_ASK_TUNNEL:
        on_ask_tunnel(r, &ev);
        break;
    case NHRP_EVENT_MAPPING_UP:
        on_mapping_up(r, ev.id);
        break;
    case NHRP_EVENT_MAPPING_DOWN:
        on_mapping_down(r, &ev);
        break;
    case NHRP_EVENT_MAPPING_NEGATIVE:
        on_mapping_negative(r, &ev);
        break;
    default:
        break;
    }
    return true;
}

/* ---- Packets, read for the log ---- */

static void labels_of(const nhrp_packet *pkt, uint32_t labels[NHRP_ROLE_RESPONDER_OVERLAY + 1])
{
    for (uint32_t role = 0; role <= NHRP_ROLE_RESPONDER_OVERLAY; role++)
        labels[role] = ROUTER_NO_LABEL;
    nhrp_extension ext;
    size_t it = 0;
    while (nhrp_extension_next(pkt, &it, &ext) == NHRP_YES) {
        nhrp_label_binding binding;
        size_t at = 0;
        if (nhrp_label_check(&ext, NHRP_OUI_DEFAULT) != NHRP_YES)
            continue;
        while (nhrp_label_next(&ext, &at, &binding) == NHRP_YES)
            if (binding.role <= NHRP_ROLE_RESPONDER_OVERLAY)
                labels[binding.role] = binding.labels[0];
    }
}

/* The prefix of a positive reply. */
static bool reply_prefix(const nhrp_packet *pkt, router_addr *prefix, router_addr *nbma)
{
    nhrp_cie cie;
    size_t it = 0;
    if (nhrp_cie_next(pkt, &it, &cie) != NHRP_YES || cie.code != NHRP_CODE_SUCCESS)
        return false;
    router_addr destination;
    rt_addr_from(&destination, &pkt->destination_protocol);
    const uint8_t bits = rt_addr_bits(&destination);
    const bool host = cie.prefix_len == 0 || cie.prefix_len > bits;
    *prefix = rt_addr_network(&destination, host ? bits : cie.prefix_len);
    rt_addr_from(nbma, &cie.nbma);
    return true;
}

static bool quoted_addresses(const nhrp_packet *pkt, router_addr *source, router_addr *destination)
{
    const uint8_t *ip = pkt->contents;
    memset(source, 0, sizeof(*source));
    memset(destination, 0, sizeof(*destination));
    if (pkt->contents_len >= 20 && ip[0] >> 4 == 4) {
        source->family = destination->family = ROUTER_FAMILY_IPV4;
        memcpy(source->bytes, ip + 12, 4);
        memcpy(destination->bytes, ip + 16, 4);
        return true;
    }
    if (pkt->contents_len >= 40 && ip[0] >> 4 == 6) {
        source->family = destination->family = ROUTER_FAMILY_IPV6;
        memcpy(source->bytes, ip + 8, 16);
        memcpy(destination->bytes, ip + 24, 16);
        return true;
    }
    return false;
}

static void tell_reply(router *r, uint32_t kind, const rt_tunnel *t, const nhrp_packet *pkt)
{
    uint32_t labels[NHRP_ROLE_RESPONDER_OVERLAY + 1];
    router_addr source;
    router_addr destination;
    router_addr nbma;
    router_event ev;
    rt_event_init(&ev, kind);
    if (!reply_prefix(pkt, &ev.prefix, &nbma))
        return;
    if (kind == ROUTER_EVENT_REPLY_SENT && !rt_addr_same(&nbma, &r->config.underlay))
        return; /* another's, passing through */
    labels_of(pkt, labels);
    rt_addr_from(&source, &pkt->source_protocol);
    rt_addr_from(&destination, &pkt->destination_protocol);
    ev.vrf = topic_find(r, &source, &destination).vrf;
    ev.label = labels[NHRP_ROLE_RESPONDER_VPN];
    ev.label2 = labels[NHRP_ROLE_RESPONDER_OVERLAY];
    ev.request_id = pkt->request_id;
    ev.tunnel = t->id;
    rt_event_push(r, &ev);
}

static void tell_request(router *r, const rt_tunnel *t, const nhrp_packet *pkt)
{
    uint32_t labels[NHRP_ROLE_RESPONDER_OVERLAY + 1];
    router_addr source;
    router_addr destination;
    rt_addr_from(&source, &pkt->source_protocol);
    rt_addr_from(&destination, &pkt->destination_protocol);
    labels_of(pkt, labels);
    const rt_topic topic = topic_find(r, &source, &destination);
    const bool own = rt_addr_same(&source, &r->config.tunnel);
    router_event ev;
    rt_event_init(&ev, own ? ROUTER_EVENT_REQUEST_SENT : ROUTER_EVENT_REQUEST_FORWARDED);
    ev.vrf = topic.vrf;
    ev.address = destination;
    ev.label = own ? labels[NHRP_ROLE_CONTEXT] : topic.label;
    ev.label2 = own ? ROUTER_NO_LABEL : labels[NHRP_ROLE_CONTEXT];
    ev.request_id = pkt->request_id;
    ev.tunnel = t->id;
    rt_event_push(r, &ev);
}

void rt_nhrp_sent(router *r, const rt_tunnel *t, const uint8_t *buf, size_t len)
{
    nhrp_packet pkt;
    if (nhrp_packet_decode(buf, len, &pkt) != NHRP_OK)
        return;
    if (pkt.type == NHRP_RESOLUTION_REQUEST) {
        tell_request(r, t, &pkt);
    } else if (pkt.type == NHRP_RESOLUTION_REPLY) {
        tell_reply(r, ROUTER_EVENT_REPLY_SENT, t, &pkt);
    } else if (pkt.type == NHRP_TRAFFIC_INDICATION) {
        uint32_t labels[NHRP_ROLE_RESPONDER_OVERLAY + 1];
        router_event ev;
        rt_event_init(&ev, ROUTER_EVENT_REDIRECT_SENT);
        if (!quoted_addresses(&pkt, &ev.local, &ev.remote))
            return;
        labels_of(&pkt, labels);
        ev.vrf = topic_find(r, &ev.local, &ev.remote).vrf;
        ev.label = labels[NHRP_ROLE_CONTEXT];
        ev.tunnel = t->id;
        rt_event_push(r, &ev);
    }
}

/*
 * A responder behind a NAT knows its inner address only, and puts that into its reply. Where the
 * reply comes over the responder's own tunnel, whose tunnel address IKE has vouched for, the
 * address that it is seen at takes its place, as the NAT extension would have it. NULL: as it is.
 */
static const uint8_t *behind_nat(router *r, const rt_tunnel *t, const uint8_t *buf, size_t len)
{
    nhrp_packet pkt;
    nhrp_cie cie;
    size_t it = 0;
    router_addr claimed;
    router_addr protocol;
    if (len > sizeof(r->scratch) || nhrp_packet_decode(buf, len, &pkt) != NHRP_OK ||
        pkt.type != NHRP_RESOLUTION_REPLY || nhrp_cie_next(&pkt, &it, &cie) != NHRP_YES)
        return NULL;
    rt_addr_from(&claimed, &cie.nbma);
    rt_addr_from(&protocol, &cie.protocol);
    if (!rt_addr_same(&protocol, &t->address) || claimed.family != t->path.peer.family ||
        rt_addr_same(&claimed, &t->path.peer))
        return NULL;
    memcpy(r->scratch, buf, len);
    memcpy(r->scratch + (pkt.cies - buf) + NHRP_CIE_SIZE, t->path.peer.bytes,
           rt_addr_bits(&claimed) / 8);
    return nhrp_packet_set_checksum(r->scratch, len) == NHRP_OK ? r->scratch : NULL;
}

void rt_nhrp_input(router *r, rt_tunnel *t, const uint8_t *buf, size_t len)
{
    const uint8_t *seen = behind_nat(r, t, buf, len);
    if (seen)
        buf = seen;
    const nhrp_rc rc = nhrp_engine_input(r->nhrp, r->now, t->slot, NULL, buf, len);
    if (rc == NHRP_ERR_REPEATED || rc == NHRP_ERR_RATE || rc == NHRP_ERR_NEGATIVE)
        return; /* nothing wrong with the packet */
    if (rc != NHRP_OK) {
        rt_event_refused(r, t->id, t->identity, rc, nhrp_rc_name(rc));
        return;
    }
    nhrp_packet pkt;
    router_addr source;
    if (nhrp_packet_decode(buf, len, &pkt) != NHRP_OK || pkt.type != NHRP_RESOLUTION_REPLY)
        return;
    rt_addr_from(&source, &pkt.source_protocol);
    if (rt_addr_same(&source, &r->config.tunnel))
        tell_reply(r, ROUTER_EVENT_REPLY_HEARD, t, &pkt);
}

void rt_nhrp_hairpin(router *r, const rt_report *report)
{
    const rt_tunnel *in = rt_tunnel_by_id(r, report->tunnel);
    const rt_tunnel *out = rt_tunnel_by_id(r, report->tunnel_out);
    if (!in || !out || !in->link_up || !out->link_up || report->label == ROUTER_NO_LABEL)
        return;
    (void)nhrp_engine_hairpin(r->nhrp, r->now, in->slot, out->slot, &report->label, 1,
                              report->quote, report->quote_len);
}
