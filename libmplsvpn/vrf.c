/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "state.h"

#include <string.h>

#define IPV4_BITS 32
#define IPV6_BITS 128

vrf *mplsvpn__vrf_find(const mplsvpn_table *t, uint32_t id)
{
    return (vrf *)mplsvpn__idmap_find(&t->vrfs, id);
}

static bool is_family(uint8_t family)
{
    return family == MPLSVPN_FAMILY_IPV4 || family == MPLSVPN_FAMILY_IPV6;
}

static trie *trie_of(vrf *v, uint8_t family)
{
    return family == MPLSVPN_FAMILY_IPV4 ? &v->ipv4 : &v->ipv6;
}

/* A prefix of ours from a caller's; false where it is none. */
static bool prefix_normalize(const mplsvpn_addr *in, mplsvpn_addr *out)
{
    if (!is_family(in->family) ||
        in->prefix_len > (in->family == MPLSVPN_FAMILY_IPV4 ? IPV4_BITS : IPV6_BITS))
        return false;
    *out = (mplsvpn_addr){.family = in->family, .prefix_len = in->prefix_len};
    memcpy(out->bytes, in->bytes, sizeof(out->bytes));
    /* Nothing beyond the prefix. */
    const size_t whole = in->prefix_len / 8u;
    const unsigned rest = in->prefix_len % 8u;
    if (rest && (in->bytes[whole] & (0xff >> rest)))
        return false;
    for (size_t i = whole + (rest != 0); i < sizeof(in->bytes); i++)
        if (in->bytes[i])
            return false;
    return true;
}

static bool label_may_be_sent(uint32_t label)
{
    return label == MPLSVPN_LABEL_IPV4_EXPLICIT_NULL || label == MPLSVPN_LABEL_IPV6_EXPLICIT_NULL ||
           (label >= MPLSVPN_LABEL_FIRST && label <= MPLSVPN_LABEL_LAST);
}

bool mplsvpn__hop_normalize(const mplsvpn_hop *in, mplsvpn_hop *out)
{
    mplsvpn_hop hop = *in;
    if (hop.kind > MPLSVPN_HOP_VRF || hop.label_count > MPLSVPN_PUSH_MAX || hop.reserved ||
        hop.reserved2 ||
        (hop.next_hop.family != MPLSVPN_FAMILY_NONE && !is_family(hop.next_hop.family)) ||
        (hop.kind != MPLSVPN_HOP_TUNNEL && hop.label_count > 0))
        return false;
    /* RFC 3032 2.1: implicit null is signalled, never sent */
    if (hop.label_count == 1 && hop.labels[0] == MPLSVPN_LABEL_IMPLICIT_NULL)
        hop.label_count = 0;
    for (unsigned i = 0; i < hop.label_count; i++)
        if (!label_may_be_sent(hop.labels[i]))
            return false;
    for (unsigned i = hop.label_count; i < MPLSVPN_PUSH_MAX; i++)
        hop.labels[i] = 0;
    *out = hop;
    return true;
}

mplsvpn_rc mplsvpn_vrf_add(mplsvpn_table *t, uint32_t id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    if (mplsvpn__vrf_find(t, id))
        return MPLSVPN_ERR_STATE;
    if (t->vrfs.count >= t->cfg.max_vrfs)
        return MPLSVPN_ERR_LIMIT;
    if (!mplsvpn__idmap_reserve(&t->vrfs, &t->epoch))
        return MPLSVPN_ERR_NOMEM;
    vrf *v = alloc_zero(&t->memory, sizeof(*v));
    if (!v)
        return MPLSVPN_ERR_NOMEM;
    v->item.id = id;
    mplsvpn__idmap_insert(&t->vrfs, &v->item);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_vrf_remove(mplsvpn_table *t, uint32_t id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    vrf *v = mplsvpn__vrf_find(t, id);
    if (!v)
        return MPLSVPN_ERR_ABSENT;
    if (v->bound || v->interfaces)
        return MPLSVPN_ERR_STATE;
    mplsvpn__interface_forget_vrf(t, id);
    mplsvpn__idmap_remove(&t->vrfs, &v->item);
    t->routes -= v->routes;
    mplsvpn__trie_clear(&v->ipv4, &t->epoch);
    mplsvpn__trie_clear(&v->ipv6, &t->epoch);
    mplsvpn__epoch_retire(&t->epoch, &v->item.retired);
    return MPLSVPN_OK;
}

void mplsvpn__vrf_close(mplsvpn_table *t)
{
    size_t slot = 0;
    for (idmap_item *item; (item = mplsvpn__idmap_walk(&t->vrfs, &slot)) != NULL;) {
        vrf *v = (vrf *)item;
        mplsvpn__trie_clear(&v->ipv4, &t->epoch);
        mplsvpn__trie_clear(&v->ipv6, &t->epoch);
        alloc_free(&t->memory, v);
    }
    mplsvpn__idmap_free(&t->vrfs, &t->memory);
}

mplsvpn_rc mplsvpn_route_set(mplsvpn_table *t, uint32_t vrf_id, const mplsvpn_addr *prefix,
                             const mplsvpn_hop *hop)
{
    mplsvpn_addr p;
    mplsvpn_hop h;
    if (!t || !prefix || !hop || !prefix_normalize(prefix, &p) ||
        !mplsvpn__hop_normalize(hop, &h) || h.kind == MPLSVPN_HOP_VRF)
        return MPLSVPN_ERR_ARG;
    vrf *v = mplsvpn__vrf_find(t, vrf_id);
    if (!v)
        return MPLSVPN_ERR_ABSENT;
    trie *routes = trie_of(v, p.family);
    if (t->routes >= t->cfg.max_routes && !mplsvpn__trie_find(routes, &p))
        return MPLSVPN_ERR_LIMIT;
    trie_route *route = alloc_zero(&t->memory, sizeof(*route));
    if (!route)
        return MPLSVPN_ERR_NOMEM;
    h.vrf = vrf_id;
    route->prefix = p;
    route->hop = h;
    const int added = mplsvpn__trie_set(routes, &t->epoch, route);
    if (added < 0) {
        alloc_free(&t->memory, route);
        return MPLSVPN_ERR_NOMEM;
    }
    v->routes += (uint32_t)added;
    t->routes += (uint32_t)added;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_route_remove(mplsvpn_table *t, uint32_t vrf_id, const mplsvpn_addr *prefix)
{
    mplsvpn_addr p;
    if (!t || !prefix || !prefix_normalize(prefix, &p))
        return MPLSVPN_ERR_ARG;
    vrf *v = mplsvpn__vrf_find(t, vrf_id);
    if (!v || !mplsvpn__trie_remove(trie_of(v, p.family), &t->epoch, &p))
        return MPLSVPN_ERR_ABSENT;
    v->routes--;
    t->routes--;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_route_get(const mplsvpn_table *t, uint32_t vrf_id, const mplsvpn_addr *prefix,
                             mplsvpn_hop *out_hop)
{
    mplsvpn_addr p;
    if (!t || !prefix || !out_hop || !prefix_normalize(prefix, &p))
        return MPLSVPN_ERR_ARG;
    vrf *v = mplsvpn__vrf_find(t, vrf_id);
    const trie_route *route = v ? mplsvpn__trie_find(trie_of(v, p.family), &p) : NULL;
    if (!route)
        return MPLSVPN_ERR_ABSENT;
    *out_hop = route->hop;
    return MPLSVPN_OK;
}

const trie_route *mplsvpn__vrf_match(const mplsvpn_table *t, uint32_t id,
                                     const mplsvpn_addr *address, mplsvpn_rc *rc)
{
    vrf *v = mplsvpn__vrf_find(t, id);
    const trie_route *route = v ? mplsvpn__trie_lookup(trie_of(v, address->family), address) : NULL;
    *rc = route ? MPLSVPN_OK : v ? MPLSVPN_ERR_NO_ROUTE : MPLSVPN_ERR_NO_VRF;
    return route;
}

mplsvpn_rc mplsvpn_route_lookup(const mplsvpn_table *t, uint32_t vrf_id,
                                const mplsvpn_addr *address, mplsvpn_addr *out_prefix,
                                mplsvpn_hop *out_hop)
{
    if (!t || !address || !out_prefix || !out_hop || !is_family(address->family))
        return MPLSVPN_ERR_ARG;
    mplsvpn_rc rc;
    const trie_route *route = mplsvpn__vrf_match(t, vrf_id, address, &rc);
    if (route) {
        *out_prefix = route->prefix;
        *out_hop = route->hop;
    }
    return rc;
}

mplsvpn_rc mplsvpn_route_next(const mplsvpn_table *t, uint32_t vrf_id, uint8_t family,
                              mplsvpn_addr *prefix, mplsvpn_hop *out_hop)
{
    if (!t || !prefix || !out_hop || !is_family(family))
        return MPLSVPN_ERR_ARG;
    const bool first = prefix->family == MPLSVPN_FAMILY_NONE;
    mplsvpn_addr after;
    if (!first && (prefix->family != family || !prefix_normalize(prefix, &after)))
        return MPLSVPN_ERR_ARG;
    vrf *v = mplsvpn__vrf_find(t, vrf_id);
    if (!v)
        return MPLSVPN_ERR_ABSENT;
    const trie_route *route = mplsvpn__trie_next(trie_of(v, family), first ? NULL : &after);
    if (!route)
        return MPLSVPN_OK;
    *prefix = route->prefix;
    *out_hop = route->hop;
    return MPLSVPN_YES;
}

static mplsvpn_rc lookup(const mplsvpn_reader *r, uint32_t vrf_id, const mplsvpn_addr *address,
                         mplsvpn_hop *out_hop)
{
    if (!is_family(address->family))
        return MPLSVPN_ERR_ARG;
    mplsvpn_rc rc;
    const trie_route *route = mplsvpn__vrf_match(r->table, vrf_id, address, &rc);
    if (!route)
        return rc;
    if (route->hop.kind == MPLSVPN_HOP_DISCARD)
        return MPLSVPN_ERR_DISCARD;
    *out_hop = route->hop;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_fib_lookup(mplsvpn_reader *r, uint32_t vrf_id, const mplsvpn_addr *address,
                              mplsvpn_hop *out_hop)
{
    if (!r || !address || !out_hop)
        return MPLSVPN_ERR_ARG;
    if (!r->epoch.active)
        return MPLSVPN_ERR_STATE;
    return mplsvpn__count(r, lookup(r, vrf_id, address, out_hop));
}

mplsvpn_rc mplsvpn_fib_lookup_bulk(mplsvpn_reader *r, uint32_t vrf_id,
                                   const mplsvpn_addr *addresses, size_t count,
                                   mplsvpn_hop *out_hops, mplsvpn_rc *out_results)
{
    if (!r || !addresses || !out_hops || !out_results)
        return MPLSVPN_ERR_ARG;
    if (!r->epoch.active)
        return MPLSVPN_ERR_STATE;
    for (size_t i = 0; i < count; i++)
        out_results[i] = mplsvpn__count(r, lookup(r, vrf_id, &addresses[i], &out_hops[i]));
    return MPLSVPN_OK;
}
