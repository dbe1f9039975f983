/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a router knows, for show commands and tests, and the one thing that an operator clears.
 */
#include "internal.h"

#include <string.h>

void router_get_stats(const router *r, router_stats *out)
{
    if (!out)
        return;
    memset(out, 0, sizeof(*out));
    if (!r)
        return;
    for (uint32_t i = 0; i < r->worker_count; i++) {
        const rt_worker *w = &r->workers[i];
        out->to_tunnel += atomic_load_explicit(&w->to_tunnel, memory_order_relaxed);
        out->from_tunnel += atomic_load_explicit(&w->from_tunnel, memory_order_relaxed);
        out->transit += atomic_load_explicit(&w->transit, memory_order_relaxed);
        for (size_t n = 0; n < ROUTER_DROP_REASONS; n++)
            out->dropped[n] += atomic_load_explicit(&w->dropped[n], memory_order_relaxed);
    }
    out->tunnels = r->tunnel_count;
    out->ike_sas = r->conn_count;
    out->mappings = r->mappings.count;
    out->routes = r->route_count;
}

static void route_from_hop(const router *r, const mplsvpn_addr *prefix, const mplsvpn_hop *hop,
                           router_route *out)
{
    memset(out, 0, sizeof(*out));
    rt_addr_from(&out->prefix, prefix);
    rt_addr_from(&out->via, &hop->next_hop);
    out->label = hop->label_count ? hop->labels[hop->label_count - 1] : ROUTER_NO_LABEL;
    out->source = hop->flags;
    const rt_tunnel *t = hop->kind == MPLSVPN_HOP_TUNNEL ? rt_slot_get(r, hop->interface_id) : NULL;
    out->tunnel = t ? t->id : 0;
}

int32_t router_get_route(const router *r, uint32_t vrf, const router_addr *destination,
                         router_route *out)
{
    if (!r || !destination || !out)
        return ROUTER_ERR_ARG;
    const router_addr host = rt_addr_host(destination);
    mplsvpn_addr wanted;
    mplsvpn_addr prefix;
    mplsvpn_hop hop;
    RT_TO(mplsvpn, &wanted, &host);
    if (mplsvpn_route_lookup(r->mpls, vrf, &wanted, &prefix, &hop) != MPLSVPN_OK)
        return ROUTER_ERR_ABSENT;
    route_from_hop(r, &prefix, &hop, out);
    return ROUTER_OK;
}

int32_t router_next_tunnel(const router *r, uint64_t *it, router_tunnel *out)
{
    if (!r || !it || !out)
        return ROUTER_ERR_ARG;
    const rt_tunnel *next = NULL;
    while (*it < RT_MAX_TUNNELS && !next)
        next = rt_slot_get(r, (uint32_t)(*it)++);
    if (!next)
        return ROUTER_OK;
    memset(out, 0, sizeof(*out));
    out->id = next->id;
    memcpy(out->peer, next->identity, sizeof(out->peer));
    const rt_sending *s = atomic_load_explicit(&next->sending, memory_order_relaxed);
    out->path = s ? s->path : next->path;
    out->address = next->address;
    out->up = next->told;
    out->dynamic = next->dynamic;
    out->up_ms = next->up_ms;
    out->customer_ms = atomic_load_explicit(&next->customer_ms, memory_order_relaxed);
    for (const rt_conn *c = next->conns; c; c = c->next)
        out->ike_sas++;
    return ROUTER_YES;
}

int32_t router_next_route(const router *r, uint32_t vrf, uint8_t family, router_addr *it,
                          router_route *out)
{
    if (!r || !it || !out)
        return ROUTER_ERR_ARG;
    mplsvpn_addr prefix;
    mplsvpn_hop hop;
    RT_TO(mplsvpn, &prefix, it);
    const mplsvpn_rc rc = mplsvpn_route_next(r->mpls, vrf, family, &prefix, &hop);
    if (rc != MPLSVPN_YES)
        return rc == MPLSVPN_OK           ? ROUTER_OK
               : rc == MPLSVPN_ERR_ABSENT ? ROUTER_ERR_ABSENT
                                          : ROUTER_ERR_ARG;
    rt_addr_from(it, &prefix);
    route_from_hop(r, &prefix, &hop, out);
    return ROUTER_YES;
}

int32_t router_next_mapping(const router *r, uint64_t *it, router_mapping *out)
{
    if (!r || !it || !out)
        return ROUTER_ERR_ARG;
    nhrp_mapping m;
    memset(&m, 0, sizeof(m));
    m.struct_size = sizeof(m);
    if (nhrp_engine_next_mapping(r->nhrp, it, &m) != NHRP_YES)
        return ROUTER_OK;
    *it = m.id;
    memset(out, 0, sizeof(*out));
    out->vrf = m.vrf;
    rt_addr_from(&out->prefix, m.kind == NHRP_MAPPING_RESOLVED ? &m.prefix : &m.destination);
    rt_addr_from(&out->nbma, &m.nbma);
    out->state = m.kind == NHRP_MAPPING_RESOLVED     ? ROUTER_MAPPING_UP
                 : m.kind == NHRP_MAPPING_INCOMPLETE ? ROUTER_MAPPING_INCOMPLETE
                                                     : ROUTER_MAPPING_NEGATIVE;
    out->label = m.label_count ? m.labels[0] : ROUTER_NO_LABEL;
    out->expires_ms = m.expires_ms;
    const rt_tunnel *t = m.kind == NHRP_MAPPING_RESOLVED ? rt_slot_get(r, m.link) : NULL;
    out->tunnel = t ? t->id : 0;
    return ROUTER_YES;
}

int32_t router_next_neighbor(const router *r, uint64_t *it, router_neighbor *out)
{
    if (!r || !it || !out)
        return ROUTER_ERR_ARG;
    bgpvpn_neighbor_info info;
    memset(&info, 0, sizeof(info));
    info.struct_size = sizeof(info);
    if (!r->bgp || bgpvpn_engine_get_next_neighbor(r->bgp, it, &info) != BGPVPN_YES)
        return ROUTER_OK;
    memset(out, 0, sizeof(*out));
    rt_addr_from(&out->address, &info.address);
    out->established = info.state == BGPVPN_STATE_ESTABLISHED;
    out->established_ms = info.established_ms;
    out->prefixes = info.paths;
    return ROUTER_YES;
}

int32_t router_clear_tunnel(router *r, uint64_t now_ms, uint64_t tunnel)
{
    if (!r)
        return ROUTER_ERR_ARG;
    if (now_ms > r->now)
        r->now = now_ms;
    const rt_tunnel *t = rt_tunnel_by_id(r, tunnel);
    if (!t)
        return ROUTER_ERR_ABSENT;
    for (const rt_conn *c = t->conns; c; c = c->next)
        if (ikev2_engine_delete_ike(r->ike, r->now, c->sa_id) == IKEV2_ERR_LIMIT)
            return ROUTER_ERR_LIMIT;
    rt_pump(r);
    return ROUTER_OK;
}
