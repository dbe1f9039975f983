/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * libbgpvpn's events and cursors, and our labels.
 *
 * Each prefix that we announce has a label, bound in the LFIB before anybody hears of it. A
 * reflector that sets itself as next hop has one for each route that it passes on, bound to a swap.
 * A label that was taken back drops until everybody must have forgotten it.
 *
 * A next hop is up while a tunnel leads to it directly: a bare VPN label never goes to a node that
 * did not allot it.
 */
#include "internal.h"

#include <string.h>

enum {
    CONNECT_RETRY_S = 5,
    MS_PER_S = 1000,
    HOLD_TIME_S = 90, /* a label may be in use that long after its session failed */
    RT_BYTES = 8,
    SPOKE_JOURNAL_CHANGES = 1024,
    SPOKE_JOURNAL_BYTES = 16384
};

/* ---- Labels ---- */

const rt_label *rt_label_of_prefix(const router *r, uint32_t vrf, const router_addr *prefix)
{
    for (const rt_label *l = r->labels; l; l = l->next)
        if (l->vrf == vrf && l->prefix.prefix_len == prefix->prefix_len &&
            rt_addr_same(&l->prefix, prefix))
            return l;
    return NULL;
}

static rt_label *swap_find(const router *r, uint32_t label)
{
    map_node *n = map_first(&r->swaps, label);
    return n ? CONTAINER_OF(n, rt_label, by_value) : NULL;
}

const rt_label *rt_label_of_swap(const router *r, uint32_t label)
{
    return swap_find(r, label);
}

/* A reflected route's; those of our own prefixes last as long as the router. */
static void label_release(router *r, rt_label *l)
{
    const uint64_t bgp_ms = HOLD_TIME_S * MS_PER_S;
    const uint64_t nhrp_ms = (uint64_t)r->config.holding_time_s * MS_PER_S;
    map_remove(&r->swaps, &l->by_value);
    (void)mplsvpn_label_release(r->mpls, l->label);
    l->free_ms = r->now + (nhrp_ms > bgp_ms ? nhrp_ms : bgp_ms);
    l->next = NULL;
    if (!r->draining)
        rt_timer_set(r, &r->label_timer, l->free_ms);
    *r->draining_end = l;
    r->draining_end = &l->next;
}

void rt_labels_reclaim(router *r)
{
    while (r->draining && r->draining->free_ms <= r->now) {
        rt_label *l = r->draining;
        r->draining = l->next;
        if (!r->draining)
            r->draining_end = &r->draining;
        (void)mplsvpn_label_reclaim(r->mpls, l->label);
        alloc_free(&r->mem, l);
    }
    if (r->draining)
        rt_timer_set(r, &r->label_timer, r->draining->free_ms);
}

static rt_label *label_new(router *r, uint32_t vrf, const router_addr *prefix)
{
    rt_label *l = alloc_zero(&r->mem, sizeof(*l));
    if (!l)
        return NULL;
    if (mplsvpn_label_allocate(r->mpls, vrf, &l->label) != MPLSVPN_OK) {
        alloc_free(&r->mem, l);
        return NULL;
    }
    l->vrf = vrf;
    l->prefix = rt_addr_network(prefix, prefix->prefix_len);
    return l;
}

void rt_labels_free(router *r)
{
    rt_label *lists[] = {r->labels, r->draining};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        while (lists[i]) {
            rt_label *next = lists[i]->next;
            alloc_free(&r->mem, lists[i]);
            lists[i] = next;
        }
    }
    size_t bucket = 0;
    map_node *n = r->swaps.buckets ? map_walk(&r->swaps, &bucket, NULL) : NULL;
    while (n) {
        rt_label *l = CONTAINER_OF(n, rt_label, by_value);
        n = map_walk(&r->swaps, &bucket, n);
        alloc_free(&r->mem, l);
    }
    map_free(&r->swaps, &r->mem);
}

static void tell_label(router *r, const rt_label *l)
{
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_LOCAL_LABEL);
    ev.vrf = l->vrf;
    ev.prefix = l->prefix;
    ev.label = l->label;
    rt_event_push(r, &ev);
}

/* ---- What we announce ---- */

static int32_t announce(router *r, uint32_t vrf, const router_addr *prefix)
{
    rt_label *l = label_new(r, vrf, prefix);
    if (!l)
        return ROUTER_ERR_NOMEM;
    l->next = r->labels;
    r->labels = l;
    mplsvpn_hop hop;
    memset(&hop, 0, sizeof(hop));
    hop.kind = MPLSVPN_HOP_VRF;
    hop.vrf = vrf;
    if (mplsvpn_label_bind(r->mpls, l->label, &hop) != MPLSVPN_OK)
        return ROUTER_ERR_NOMEM;
    if (r->bgp) {
        bgpvpn_local_route route;
        memset(&route, 0, sizeof(route));
        route.struct_size = sizeof(route);
        route.label = l->label;
        RT_TO(bgpvpn, &route.prefix, &l->prefix);
        const bgpvpn_rc rc = bgpvpn_engine_announce(r->bgp, r->now, vrf, &route);
        if (rc != BGPVPN_OK)
            return rc == BGPVPN_ERR_ARG ? ROUTER_ERR_ARG : ROUTER_ERR_NOMEM;
    }
    tell_label(r, l);
    return ROUTER_OK;
}

static int32_t vrf_add(router *r, const router_vrf_config *v)
{
    if (r->bgp) {
        bgpvpn_vrf_config config;
        memset(&config, 0, sizeof(config));
        config.struct_size = sizeof(config);
        config.vrf = v->id;
        memcpy(config.rd, v->rd, sizeof(config.rd));
        config.import_rts = v->import_targets[0];
        config.import_rts_len = v->imports * RT_BYTES;
        config.export_rts = v->export_targets[0];
        config.export_rts_len = v->exports * RT_BYTES;
        const bgpvpn_rc rc = bgpvpn_engine_vrf_add(r->bgp, r->now, &config);
        if (rc != BGPVPN_OK)
            return rc == BGPVPN_ERR_ARG ? ROUTER_ERR_ARG : ROUTER_ERR_NOMEM;
    }
    int32_t rc = ROUTER_OK;
    for (size_t i = 0; i < v->connecteds && rc == ROUTER_OK; i++) {
        const router_addr prefix = rt_addr_network(&v->connected[i], v->connected[i].prefix_len);
        rc = rt_rib_set(r, v->id, &prefix, ROUTER_SOURCE_CONNECTED, NULL, NULL, ROUTER_NO_LABEL, 0);
        if (rc == ROUTER_OK)
            rc = announce(r, v->id, &prefix);
    }
    for (size_t i = 0; i < v->discards && rc == ROUTER_OK; i++) {
        const router_addr prefix = rt_addr_network(&v->discard[i], v->discard[i].prefix_len);
        rc = rt_rib_set(r, v->id, &prefix, ROUTER_SOURCE_STATIC, NULL, NULL, ROUTER_NO_LABEL, 0);
        if (rc == ROUTER_OK && !rt_label_of_prefix(r, v->id, &prefix))
            rc = announce(r, v->id, &prefix);
    }
    return rc;
}

/* ---- Life ---- */

static void neighbor_fill(const router *r, bgpvpn_neighbor_config *out)
{
    (void)bgpvpn_neighbor_config_init(out);
    out->remote_as = r->config.as;
    /* Spokes announce themselves and so do hubs: with another's next hop a label would get a VRF's
     * packets into whichever VRF of a third node it stands for there. */
    out->flags = BGPVPN_NEIGHBOR_NEXT_HOP_PEER;
    const router_addr own = rt_addr_host(&r->config.tunnel);
    RT_TO(bgpvpn, &out->local, &own);
    out->local.prefix_len = 0;
    out->tables = BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6;
    out->hold_time_s = HOLD_TIME_S;
    out->connect_retry_s = CONNECT_RETRY_S;
}

static int32_t engine_new(router *r)
{
    const rt_config *c = &r->config;
    bgpvpn_config config;
    (void)bgpvpn_config_init(&config);
    config.local_as = c->as;
    config.router_id = (uint32_t)c->bgp_id[0] << 24 | (uint32_t)c->bgp_id[1] << 16 |
                       (uint32_t)c->bgp_id[2] << 8 | c->bgp_id[3];
    config.next_hops = BGPVPN_NEXT_HOPS_ASK;
    config.accept = BGPVPN_ACCEPT_KNOWN;
    config.max_events = RT_ENGINE_EVENTS;
    config.allocator.resize = c->resize;
    config.allocator.user = c->resize_user;
    if (c->bgp_listen.family == ROUTER_FAMILY_NONE) { /* a spoke tells few, and little */
        config.journal_changes = SPOKE_JOURNAL_CHANGES;
        config.group_journal_bytes = SPOKE_JOURNAL_BYTES;
    }
    drbg_get(&r->random, config.seed, sizeof(config.seed));
    bgpvpn_rc rc = bgpvpn_engine_new(&config, r->now, &r->bgp);
    sodium_memzero(&config, sizeof(config));
    if (rc == BGPVPN_OK && c->bgp_listen.family != ROUTER_FAMILY_NONE) {
        bgpvpn_neighbor_config range;
        uint64_t id;
        neighbor_fill(r, &range);
        const router_addr prefix = rt_addr_network(&c->bgp_listen, c->bgp_listen.prefix_len);
        RT_TO(bgpvpn, &range.address, &prefix);
        range.flags |= BGPVPN_NEIGHBOR_PASSIVE;
        if (c->bgp_reflector)
            range.flags |= BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_NEXT_HOP_SELF;
        rc = bgpvpn_engine_range_add(r->bgp, r->now, &range, &id);
    }
    if (rc == BGPVPN_OK)
        return ROUTER_OK;
    return rc == BGPVPN_ERR_ARG ? ROUTER_ERR_ARG : ROUTER_ERR_NOMEM;
}

int32_t rt_bgp_new(router *r)
{
    r->draining_end = &r->draining;
    if (!map_init(&r->swaps, &r->mem))
        return ROUTER_ERR_NOMEM;
    int32_t rc = r->config.as != 0 ? engine_new(r) : ROUTER_OK;
    for (size_t i = 0; i < r->config.vrf_count && rc == ROUTER_OK; i++)
        rc = vrf_add(r, &r->config.vrfs[i]);
    return rc;
}

/* ---- Neighbours, as their tunnels come ---- */

static void neighbor_dial(router *r, size_t index)
{
    uint64_t *id = &r->bgp_neighbors[index];
    if (*id != 0) { /* at once, not when its pause is over */
        (void)bgpvpn_engine_neighbor_start(r->bgp, r->now, *id);
        return;
    }
    bgpvpn_neighbor_config config;
    neighbor_fill(r, &config);
    const router_addr host = rt_addr_host(&r->config.bgp_neighbors[index]);
    RT_TO(bgpvpn, &config.address, &host);
    config.address.prefix_len = 0;
    config.address.port = r->config.bgp_port;
    if (bgpvpn_engine_neighbor_add(r->bgp, r->now, &config, id) != BGPVPN_OK) {
        *id = 0;
        rt_timer_set(r, &r->retry_timer, r->now + RT_RETRY_MS);
    }
}

static bool swap_bind(router *r, const rt_label *l)
{
    const rt_tunnel *t = rt_tunnel_by_address(r, &l->next_hop);
    mplsvpn_hop hop;
    memset(&hop, 0, sizeof(hop));
    hop.vrf = l->vrf;
    if (t && t->told && rt_peer_may_enter(&r->config.peers[t->peer], l->vrf)) {
        hop.kind = MPLSVPN_HOP_TUNNEL;
        hop.cookie = t->id; /* the slot may be another's one day */
        hop.interface_id = t->slot;
        hop.label_count = 1;
        hop.labels[0] = l->out_label;
    } else {
        hop.kind = MPLSVPN_HOP_DISCARD;
    }
    if (mplsvpn_label_bind(r->mpls, l->label, &hop) == MPLSVPN_OK)
        return true;
    rt_timer_set(r, &r->retry_timer, r->now + RT_RETRY_MS);
    return false;
}

/* Those to a next hop, or all. */
static void swaps_bind(router *r, const router_addr *next_hop)
{
    size_t bucket = 0;
    for (map_node *n = map_walk(&r->swaps, &bucket, NULL); n; n = map_walk(&r->swaps, &bucket, n)) {
        const rt_label *l = CONTAINER_OF(n, rt_label, by_value);
        if (!next_hop || rt_addr_same(&l->next_hop, next_hop))
            (void)swap_bind(r, l);
    }
}

void rt_bgp_retry(router *r)
{
    for (size_t i = 0; r->bgp && i < r->config.bgp_neighbor_count; i++) {
        const rt_tunnel *t = rt_tunnel_by_address(r, &r->config.bgp_neighbors[i]);
        if (r->bgp_neighbors[i] == 0 && t && t->told)
            neighbor_dial(r, i);
    }
    swaps_bind(r, NULL);
}

void rt_bgp_tunnel_changed(router *r, const rt_tunnel *t, bool up)
{
    if (!r->bgp || t->address.family == ROUTER_FAMILY_NONE)
        return;
    bgpvpn_addr next_hop;
    RT_TO(bgpvpn, &next_hop, &t->address);
    next_hop.prefix_len = 0;
    (void)bgpvpn_engine_set_next_hop(r->bgp, r->now, &next_hop, up, 0);
    swaps_bind(r, &t->address);
    /* The session ran over the tunnel: it begins anew, and does not wait for its hold timer. */
    if (!up && t->bgp_neighbor != 0)
        (void)bgpvpn_engine_neighbor_reset(r->bgp, r->now, t->bgp_neighbor);
    for (size_t i = 0; up && i < r->config.bgp_neighbor_count; i++)
        if (rt_addr_same(&r->config.bgp_neighbors[i], &t->address))
            neighbor_dial(r, i);
}

/* ---- Events ---- */

static void on_connect(router *r, const bgpvpn_event *ev)
{
    bgpvpn_stream_info info;
    memset(&info, 0, sizeof(info));
    info.struct_size = sizeof(info);
    if (bgpvpn_engine_get_stream(r->bgp, ev->parent_id, &info) != BGPVPN_OK)
        return;
    router_event out;
    rt_event_init(&out, ROUTER_EVENT_STREAM_CONNECT);
    out.stream = ev->parent_id;
    out.local = rt_addr_host(&r->config.tunnel);
    out.local.prefix_len = 0;
    rt_addr_from(&out.remote, &info.peer);
    if (!rt_event_must(r, &out))
        (void)bgpvpn_engine_stream_down(r->bgp, r->now, ev->parent_id);
}

static void tell_session(router *r, const bgpvpn_event *ev, uint32_t kind)
{
    router_event out;
    rt_event_init(&out, kind);
    out.stream = ev->parent_id;
    rt_addr_from(&out.address, &ev->address);
    out.address.port = 0;
    out.reason = (int32_t)ev->reason;
    rt_event_push(r, &out);
    rt_tunnel *t = rt_tunnel_by_address(r, &out.address);
    if (t)
        t->bgp_neighbor = kind == ROUTER_EVENT_BGP_UP ? ev->id : 0;
}

static void on_ask_next_hop(router *r, const bgpvpn_event *ev)
{
    router_addr address;
    rt_addr_from(&address, &ev->address);
    const rt_tunnel *t = rt_tunnel_by_address(r, &address);
    (void)bgpvpn_engine_answer_next_hop(r->bgp, r->now, ev->ask_id, t && t->told, 0);
}

static bool bgp_event(router *r)
{
    bgpvpn_event ev;
    if (bgpvpn_engine_poll_event(r->bgp, &ev) != BGPVPN_YES)
        return false;
    switch (ev.kind) {
    case BGPVPN_EVENT_CONNECT:
        on_connect(r, &ev);
        break;
    case BGPVPN_EVENT_CLOSE: {
        router_event out;
        rt_event_init(&out, ROUTER_EVENT_STREAM_CLOSE);
        out.stream = ev.parent_id;
        (void)rt_event_must(r, &out);
        break;
    }
    case BGPVPN_EVENT_UP:
        tell_session(r, &ev, ROUTER_EVENT_BGP_UP);
        break;
    case BGPVPN_EVENT_DOWN:
        tell_session(r, &ev, ROUTER_EVENT_BGP_DOWN);
        break;
    case BGPVPN_EVENT_ASK_NEXT_HOP:
        on_ask_next_hop(r, &ev);
        break;
    default:
        break;
    }
    return true;
}

static bool bgp_route(router *r)
{
    bgpvpn_route route;
    memset(&route, 0, sizeof(route));
    route.struct_size = sizeof(route);
    if (!rt_rib_reserve(r)) { /* it stays in the cursor */
        rt_timer_set(r, &r->retry_timer, r->now + RT_RETRY_MS);
        return false;
    }
    if (bgpvpn_engine_poll_route(r->bgp, &route) != BGPVPN_YES)
        return false;
    router_addr prefix;
    router_addr via;
    rt_addr_from(&prefix, &route.prefix);
    rt_addr_from(&via, &route.next_hop);
    const bool up = route.state != BGPVPN_ROUTE_DOWN && via.family != ROUTER_FAMILY_NONE;
    /* Implicit null would send a customer's packet into the peer's global VRF. */
    const bool labelled = route.label >= MPLSVPN_LABEL_FIRST && route.label <= MPLSVPN_LABEL_LAST;
    if (up && labelled) {
        (void)rt_rib_set(r, route.vrf, &prefix, ROUTER_SOURCE_BGP, NULL, &via, route.label, 0);
        return true;
    }
    rt_rib_remove(r, route.vrf, &prefix, ROUTER_SOURCE_BGP, NULL, 0);
    if (up)
        rt_event_refused(r, 0, NULL, ROUTER_ERR_ARG, "a VPN route without a label");
    return true;
}

/* ---- Labels of reflected routes ---- */

/* Whether the VRF imports a route, since they share a route target. */
static bool imports(const router *r, const router_vrf_config *v, uint64_t route_id)
{
    const uint8_t *communities;
    size_t len;
    if (bgpvpn_engine_get_attribute(r->bgp, route_id, BGPVPN_ATTR_EXTENDED_COMMUNITIES,
                                    &communities, &len) != BGPVPN_OK)
        return false;
    for (size_t j = 0; j < v->imports; j++)
        for (size_t at = 0; at + RT_BYTES <= len; at += RT_BYTES)
            if (memcmp(communities + at, v->import_targets[j], RT_BYTES) == 0)
                return true;
    return false;
}

/* The context of a reflected route is the VRF here that would import it. */
static uint32_t vrf_of_route(const router *r, uint64_t route_id)
{
    for (size_t i = 0; i < r->config.vrf_count; i++)
        if (imports(r, &r->config.vrfs[i], route_id))
            return r->config.vrfs[i].id;
    return ROUTER_GLOBAL_VRF;
}

uint32_t rt_bgp_label_from(const router *r, uint32_t vrf, const router_addr *address,
                           const rt_tunnel *tunnel, router_addr *prefix)
{
    bgpvpn_addr host;
    bgpvpn_addr next_hop;
    bgpvpn_path_info path;
    memset(&path, 0, sizeof(path));
    path.struct_size = sizeof(path);
    RT_TO(bgpvpn, &host, address);
    RT_TO(bgpvpn, &next_hop, &tunnel->address);
    if (!r->bgp ||
        bgpvpn_engine_get_covering_path(r->bgp, vrf, &host, &next_hop, &path) != BGPVPN_OK)
        return ROUTER_NO_LABEL;
    rt_addr_from(prefix, &path.prefix);
    return path.label;
}

static void label_ask(router *r, const bgpvpn_label *q)
{
    router_addr prefix;
    rt_addr_from(&prefix, &q->prefix);
    const uint32_t vrf = vrf_of_route(r, q->route_id);
    if (vrf == ROUTER_GLOBAL_VRF || q->out_label < MPLSVPN_LABEL_FIRST)
        return; /* nobody could be allowed to use it: it is not passed on */
    rt_label *l = label_new(r, vrf, &prefix);
    if (!l)
        return;
    map_insert(&r->swaps, &r->mem, &l->by_value, l->label);
    l->out_label = q->out_label;
    rt_addr_from(&l->next_hop, &q->next_hop);
    if (!swap_bind(r, l) ||
        bgpvpn_engine_answer_label(r->bgp, r->now, q->route_id, l->label) != BGPVPN_OK) {
        label_release(r, l);
        return;
    }
    tell_label(r, l);
}

static bool bgp_label(router *r)
{
    bgpvpn_label q;
    memset(&q, 0, sizeof(q));
    q.struct_size = sizeof(q);
    if (bgpvpn_engine_poll_label(r->bgp, &q) != BGPVPN_YES)
        return false;
    if (q.kind == BGPVPN_LABEL_ASK) {
        label_ask(r, &q);
        return true;
    }
    rt_label *l = swap_find(r, q.label);
    if (!l)
        return true;
    if (q.kind == BGPVPN_LABEL_FREE) {
        label_release(r, l);
    } else {
        l->out_label = q.out_label;
        rt_addr_from(&l->next_hop, &q.next_hop);
        (void)swap_bind(r, l);
    }
    return true;
}

bool rt_bgp_event(router *r)
{
    return r->bgp && (bgp_event(r) || bgp_route(r) || bgp_label(r));
}
