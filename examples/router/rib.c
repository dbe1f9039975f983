/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The RIB: of each VRF and prefix the candidates, of which one goes to the FIB.
 *
 * Longest prefix is the FIB's business. Of equal prefixes the source decides: connected, static
 * (Null0), NHRP, IKE, BGP. That NHRP stands before IKE and BGP is its override: a shortcut takes
 * the place of a route whose next hop is in the same network. The one exception is a host route in
 * the global VRF, the peer's tunnel address, which belongs to IKE.
 *
 * A candidate by a tunnel counts only while that tunnel is up. One of BGP belongs to whatever
 * tunnel leads to its next hop, now or later; the others go with their tunnel. A VRF's route by a
 * tunnel needs a label: a packet without would arrive in the global VRF.
 */
#include "internal.h"

#include <string.h>

typedef struct rib_key {
    uint32_t vrf;
    uint32_t reserved;
    router_addr prefix;
} rib_key;

static rt_entry *entry_find(const router *r, uint32_t vrf, const router_addr *prefix,
                            uint64_t *out_hash)
{
    rib_key key;
    memset(&key, 0, sizeof(key));
    key.vrf = vrf;
    key.prefix = *prefix;
    *out_hash = rt_hash(r, &key, sizeof(key));
    for (map_node *n = map_first(&r->rib, *out_hash); n; n = map_next(n)) {
        rt_entry *e = CONTAINER_OF(n, rt_entry, node);
        if (e->vrf == vrf && e->prefix.prefix_len == prefix->prefix_len &&
            rt_addr_same(&e->prefix, prefix))
            return e;
    }
    return NULL;
}

static void entry_free_if_empty(router *r, rt_entry *e)
{
    if (e->routes || e->installed || e->dirty)
        return;
    map_remove(&r->rib, &e->node);
    alloc_free(&r->mem, e);
}

/* ---- Which list of its owner a route is in ---- */

static void owner_leave(rt_route *route)
{
    *route->owner_link = route->owner_next;
    if (route->owner_next)
        route->owner_next->owner_link = route->owner_link;
}

static void owner_join(router *r, rt_route *route, rt_tunnel *t)
{
    rt_route **list = t ? &t->routes : &r->unresolved;
    route->tunnel = t;
    route->owner_next = *list;
    route->owner_link = list;
    if (*list)
        (*list)->owner_link = &route->owner_next;
    *list = route;
}

/* ---- Choosing ---- */

static bool is_local(uint8_t source)
{
    return source == ROUTER_SOURCE_CONNECTED || source == ROUTER_SOURCE_STATIC;
}

static bool usable(const router *r, const rt_entry *e, const rt_route *route)
{
    if (is_local(route->source))
        return true;
    if (!route->tunnel || !route->tunnel->told)
        return false;
    if (e->vrf == ROUTER_GLOBAL_VRF)
        return true;
    /* Whose packets may not enter a VRF gets none of that VRF's either. */
    return route->label != ROUTER_NO_LABEL &&
           rt_peer_may_enter(&r->config.peers[route->tunnel->peer], e->vrf);
}

static uint32_t distance(const rt_entry *e, const rt_route *route)
{
    const bool host = e->prefix.prefix_len == rt_addr_bits(&e->prefix);
    if (e->vrf == ROUTER_GLOBAL_VRF && host && route->source == ROUTER_SOURCE_NHRP)
        return 2 * ROUTER_SOURCE_IKE + 1; /* just behind IKE */
    /* A tunnel address leads to the peer that has it, though another pushed it before. */
    if (e->vrf == ROUTER_GLOBAL_VRF && host && route->source == ROUTER_SOURCE_IKE &&
        route->tunnel && rt_addr_same(&route->tunnel->address, &e->prefix))
        return 2 * ROUTER_SOURCE_IKE - 1;
    return 2 * route->source;
}

static const rt_route *choose(const router *r, const rt_entry *e)
{
    const rt_route *best = NULL;
    for (const rt_route *route = e->routes; route; route = route->next) {
        if (!usable(r, e, route))
            continue;
        /* Of equals the older tunnel stays: a later peer cannot take a route over. */
        if (!best || distance(e, route) < distance(e, best) ||
            (distance(e, route) == distance(e, best) && route->tunnel && best->tunnel &&
             route->tunnel->id < best->tunnel->id))
            best = route;
    }
    return best;
}

static void tell(router *r, const rt_entry *e, uint32_t kind)
{
    router_event ev;
    rt_event_init(&ev, kind);
    ev.vrf = e->vrf;
    ev.prefix = e->prefix;
    ev.source = e->source;
    if (kind == ROUTER_EVENT_ROUTE_UP) {
        ev.label = e->label;
        ev.via = e->via;
        ev.tunnel = e->tunnel;
    }
    rt_event_push(r, &ev);
}

/* What the peer pushed is in the FIB; its tunnel address is one hop away, without a label. */
static void tell_pushed(router *r, const rt_entry *e, const rt_tunnel *t)
{
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_PUSHED_ROUTE);
    ev.tunnel = t->id;
    ev.prefix = e->prefix;
    memcpy(ev.peer, t->identity, sizeof(ev.peer));
    rt_event_push(r, &ev);
    if (e->prefix.prefix_len != rt_addr_bits(&e->prefix) || !rt_addr_same(&e->prefix, &t->address))
        return;
    rt_event_init(&ev, ROUTER_EVENT_IMPLICIT_NULL);
    ev.tunnel = t->id;
    ev.address = t->address;
    ev.label = MPLSVPN_LABEL_IMPLICIT_NULL;
    rt_event_push(r, &ev);
}

static bool as_installed(const rt_entry *e, const rt_route *best)
{
    return e->installed && e->source == best->source && e->label == best->label &&
           e->cookie == best->cookie && e->tunnel == (best->tunnel ? best->tunnel->id : 0) &&
           rt_addr_same(&e->via, &best->via);
}

static bool fib_set(router *r, const rt_entry *e, const rt_route *best)
{
    mplsvpn_hop hop;
    mplsvpn_addr prefix;
    memset(&hop, 0, sizeof(hop));
    RT_TO(mplsvpn, &prefix, &e->prefix);
    hop.cookie = best->cookie;
    hop.flags = best->source;
    if (best->tunnel) {
        hop.kind = MPLSVPN_HOP_TUNNEL;
        hop.interface_id = best->tunnel->slot;
        RT_TO(mplsvpn, &hop.next_hop, &best->via);
        hop.next_hop.prefix_len = 0;
        if (best->label != ROUTER_NO_LABEL) {
            hop.label_count = 1;
            hop.labels[0] = best->label;
        }
    } else {
        hop.kind = best->source == ROUTER_SOURCE_STATIC ? MPLSVPN_HOP_DISCARD : MPLSVPN_HOP_LOCAL;
    }
    return mplsvpn_route_set(r->mpls, e->vrf, &prefix, &hop) == MPLSVPN_OK;
}

static void entry_update(router *r, rt_entry *e)
{
    const rt_route *best = choose(r, e);
    if (best && as_installed(e, best))
        return;
    if (best && !fib_set(r, e, best)) {
        best = NULL; /* better no route than one that its owner has taken back */
        if (!e->dirty) {
            e->dirty = true;
            e->dirty_next = r->dirty;
            r->dirty = e;
        }
        rt_timer_set(r, &r->retry_timer, r->now + RT_RETRY_MS);
    }
    if (e->installed) {
        tell(r, e, ROUTER_EVENT_ROUTE_DOWN);
        r->route_count--;
        e->installed = false;
        if (!best) {
            mplsvpn_addr prefix;
            RT_TO(mplsvpn, &prefix, &e->prefix);
            (void)mplsvpn_route_remove(r->mpls, e->vrf, &prefix);
        }
    }
    if (!best)
        return;
    e->installed = true;
    e->source = best->source;
    e->label = best->label;
    e->cookie = best->cookie;
    e->tunnel = best->tunnel ? best->tunnel->id : 0;
    e->via = best->via;
    r->route_count++;
    tell(r, e, ROUTER_EVENT_ROUTE_UP);
    if (best->source == ROUTER_SOURCE_IKE)
        tell_pushed(r, e, best->tunnel);
}

void rt_rib_retry(router *r)
{
    rt_entry *e = r->dirty;
    r->dirty = NULL;
    while (e) {
        rt_entry *next = e->dirty_next;
        e->dirty = false;
        entry_update(r, e);
        entry_free_if_empty(r, e);
        e = next;
    }
}

/* ---- Candidates ---- */

/* Of each prefix a source has one candidate, but IKE one for each tunnel. */
static rt_route **route_find(rt_entry *e, uint8_t source, const rt_tunnel *tunnel)
{
    rt_route **link = &e->routes;
    while (*link && ((*link)->source != source ||
                     (source == ROUTER_SOURCE_IKE && (*link)->tunnel != tunnel)))
        link = &(*link)->next;
    return link;
}

/* What one more candidate needs, so that what was polled from a cursor cannot be lost. */
bool rt_rib_reserve(router *r)
{
    if (!r->spare_entry)
        r->spare_entry = alloc_zero(&r->mem, sizeof(*r->spare_entry));
    if (!r->spare_route)
        r->spare_route = alloc_zero(&r->mem, sizeof(*r->spare_route));
    return r->spare_entry && r->spare_route;
}

static rt_entry *entry_new(router *r)
{
    rt_entry *e = r->spare_entry;
    r->spare_entry = NULL;
    return e ? e : alloc_zero(&r->mem, sizeof(*e));
}

static rt_route *route_new(router *r)
{
    rt_route *route = r->spare_route;
    r->spare_route = NULL;
    return route ? route : alloc_zero(&r->mem, sizeof(*route));
}

int32_t rt_rib_set(router *r, uint32_t vrf, const router_addr *prefix, uint8_t source,
                   rt_tunnel *tunnel, const router_addr *via, uint32_t label, uint64_t cookie)
{
    const router_addr network = rt_addr_network(prefix, prefix->prefix_len);
    uint64_t hash;
    rt_entry *e = entry_find(r, vrf, &network, &hash);
    rt_route *route = e ? *route_find(e, source, tunnel) : NULL;
    if (!e) {
        e = entry_new(r);
        if (!e)
            return ROUTER_ERR_NOMEM;
        e->vrf = vrf;
        e->prefix = network;
        map_insert(&r->rib, &r->mem, &e->node, hash);
    }
    if (route) {
        owner_leave(route);
    } else {
        route = route_new(r);
        if (!route) {
            entry_free_if_empty(r, e);
            return ROUTER_ERR_NOMEM;
        }
        route->entry = e;
        route->source = source;
        route->next = e->routes;
        e->routes = route;
    }
    memset(&route->via, 0, sizeof(route->via));
    if (via && via->family != ROUTER_FAMILY_NONE) {
        route->via = rt_addr_host(via);
        route->via.prefix_len = 0;
    }
    route->label = label;
    route->cookie = cookie;
    owner_join(r, route,
               source == ROUTER_SOURCE_BGP ? rt_tunnel_by_address(r, &route->via) : tunnel);
    entry_update(r, e);
    return ROUTER_OK;
}

static void route_free(router *r, rt_entry *e, rt_route **link)
{
    rt_route *route = *link;
    *link = route->next;
    owner_leave(route);
    alloc_free(&r->mem, route);
    entry_update(r, e);
    entry_free_if_empty(r, e);
}

void rt_rib_remove(router *r, uint32_t vrf, const router_addr *prefix, uint8_t source,
                   const rt_tunnel *tunnel, uint64_t cookie)
{
    const router_addr network = rt_addr_network(prefix, prefix->prefix_len);
    uint64_t hash;
    rt_entry *e = entry_find(r, vrf, &network, &hash);
    rt_route **link = e ? route_find(e, source, tunnel) : NULL;
    if (link && *link && (*link)->cookie == cookie)
        route_free(r, e, link);
}

void rt_rib_tunnel_changed(router *r, rt_tunnel *t)
{
    /* Its address may be what routes of BGP wait for, or not theirs any more. */
    rt_route *next;
    for (rt_route *route = r->unresolved; t->told && route; route = next) {
        next = route->owner_next;
        if (route->source == ROUTER_SOURCE_BGP && rt_addr_same(&route->via, &t->address)) {
            owner_leave(route);
            owner_join(r, route, t);
        }
    }
    for (rt_route *route = t->routes; route; route = next) {
        next = route->owner_next;
        rt_entry *e = route->entry;
        if (route->source == ROUTER_SOURCE_BGP && !rt_addr_same(&route->via, &t->address)) {
            owner_leave(route);
            owner_join(r, route, NULL);
        }
        entry_update(r, e);
    }
}

void rt_rib_tunnel_gone(router *r, rt_tunnel *t)
{
    while (t->routes) {
        rt_route *route = t->routes;
        rt_entry *e = route->entry;
        if (route->source == ROUTER_SOURCE_BGP) {
            owner_leave(route);
            owner_join(r, route, NULL);
            entry_update(r, e);
            continue;
        }
        rt_route **link = &e->routes;
        while (*link != route)
            link = &(*link)->next;
        route_free(r, e, link);
    }
}

/* ---- Questions about candidates ---- */

const rt_route *rt_rib_lookup_without(const router *r, uint32_t vrf, const router_addr *address,
                                      uint8_t source)
{
    for (int bits = rt_addr_bits(address); bits >= 0; bits--) {
        const router_addr prefix = rt_addr_network(address, (uint8_t)bits);
        uint64_t hash;
        const rt_entry *e = entry_find(r, vrf, &prefix, &hash);
        const rt_route *best = NULL;
        for (const rt_route *route = e ? e->routes : NULL; route; route = route->next)
            if (route->source != source && usable(r, e, route) &&
                (!best || distance(e, route) < distance(e, best)))
                best = route;
        if (best)
            return best;
    }
    return NULL;
}

void rt_rib_free(router *r)
{
    alloc_free(&r->mem, r->spare_entry);
    alloc_free(&r->mem, r->spare_route);
    if (!r->rib.buckets)
        return;
    size_t bucket = 0;
    map_node *n = map_walk(&r->rib, &bucket, NULL);
    while (n) {
        rt_entry *e = CONTAINER_OF(n, rt_entry, node);
        n = map_walk(&r->rib, &bucket, n);
        while (e->routes) {
            rt_route *route = e->routes;
            e->routes = route->next;
            alloc_free(&r->mem, route);
        }
        alloc_free(&r->mem, e);
    }
}
