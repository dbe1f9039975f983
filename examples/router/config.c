/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Defaults of the configuration, what makes it impossible, and the questions that it answers by
 * itself: who a peer is, what it may push, which address is ours in a VRF.
 */
#include "internal.h"

#include <string.h>

enum {
    DEFAULT_TUNNEL_MTU = 1400,
    DEFAULT_IDLE_MS = 120000,
    DEFAULT_TUNNEL_WAIT_MS = 3000,
    DEFAULT_IKE_LIFETIME_S = 14400,
    DEFAULT_CHILD_LIFETIME_S = 3600,
    DEFAULT_DPD_S = 30,
    DEFAULT_HOLDING_TIME_S = 600,
    DEFAULT_FLOWS = 1024,
    BGP_PORT = 179,
    MTU_MIN = 576,
    MTU_MAX = 9000,
    MAX_WORKERS = 128,
    MAX_FLOWS = 1 << 20
};

void router_config_init(router_config *config)
{
    if (!config)
        return;
    memset(config, 0, sizeof(*config));
    config->force_encapsulation = true;
    config->network_id = 1;
    config->holding_time_s = DEFAULT_HOLDING_TIME_S;
    config->bgp_port = BGP_PORT;
    config->tunnel_mtu = DEFAULT_TUNNEL_MTU;
    config->idle_ms = DEFAULT_IDLE_MS;
    config->tunnel_wait_ms = DEFAULT_TUNNEL_WAIT_MS;
    config->ike_lifetime_s = DEFAULT_IKE_LIFETIME_S;
    config->child_lifetime_s = DEFAULT_CHILD_LIFETIME_S;
    config->dpd_s = DEFAULT_DPD_S;
    config->workers = 1;
    config->flows = DEFAULT_FLOWS;
}

bool rt_addr_same(const router_addr *a, const router_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

router_addr rt_addr_network(const router_addr *a, uint8_t bits)
{
    router_addr out = {.family = a->family, .prefix_len = bits};
    memcpy(out.bytes, a->bytes, bits / 8);
    if (bits % 8 != 0)
        out.bytes[bits / 8] = (uint8_t)(a->bytes[bits / 8] & (0xff00 >> (bits % 8)));
    return out;
}

router_addr rt_addr_host(const router_addr *a)
{
    return rt_addr_network(a, rt_addr_bits(a));
}

bool rt_addr_covers(const router_addr *prefix, const router_addr *a)
{
    if (prefix->family != a->family)
        return false;
    const uint8_t bits = a->prefix_len ? a->prefix_len : rt_addr_bits(a);
    if (prefix->prefix_len > bits)
        return false;
    const router_addr left = rt_addr_network(prefix, prefix->prefix_len);
    const router_addr right = rt_addr_network(a, prefix->prefix_len);
    return memcmp(left.bytes, right.bytes, sizeof(left.bytes)) == 0;
}

bool rt_addr_valid(const router_addr *a)
{
    if (a->family != ROUTER_FAMILY_IPV4 && a->family != ROUTER_FAMILY_IPV6)
        return false;
    if (a->prefix_len > rt_addr_bits(a))
        return false;
    for (size_t i = rt_addr_bits(a) / 8; i < sizeof(a->bytes); i++)
        if (a->bytes[i] != 0)
            return false;
    return true;
}

uint64_t rt_hash(const router *r, const void *data, size_t len)
{
    return drbg_hash(r->hash_key, data, len);
}

/* "*.example.net" matches any host below example.net; names compare as DNS does (RFC 4343). */
bool rt_identity_matches(const char *pattern, const char *identity)
{
    const char *p = pattern;
    const char *s = identity;
    if (p[0] == '*' && p[1] == '.') {
        const size_t suffix = strlen(p + 1);
        const size_t len = strlen(s);
        if (len <= suffix)
            return false;
        s += len - suffix;
        p++;
    }
    for (; *p && *s; p++, s++) {
        const char a = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
        const char b = *s >= 'A' && *s <= 'Z' ? (char)(*s | 0x20) : *s;
        if (a != b)
            return false;
    }
    return *p == *s;
}

uint32_t rt_config_peer(const rt_config *c, const char *identity)
{
    uint32_t i = 0;
    while (i < c->peer_count && !rt_identity_matches(c->peers[i].identity, identity))
        i++;
    return i;
}

const router_vrf_config *rt_config_vrf(const rt_config *c, uint32_t id)
{
    for (size_t i = 0; i < c->vrf_count; i++)
        if (c->vrfs[i].id == id)
            return &c->vrfs[i];
    return NULL;
}

bool rt_peer_may_push(const router_peer_config *peer, const router_addr *prefix)
{
    for (size_t i = 0; i < peer->authorizeds; i++)
        if (rt_addr_covers(&peer->authorized[i], prefix))
            return true;
    return false;
}

bool rt_peer_may_enter(const router_peer_config *peer, uint32_t vrf)
{
    for (size_t i = 0; i < peer->vrf_count; i++)
        if (peer->vrfs[i] == vrf)
            return true;
    return false;
}

bool rt_vrf_address(const rt_config *c, uint32_t vrf, uint8_t family, router_addr *out)
{
    const router_vrf_config *v = rt_config_vrf(c, vrf);
    for (size_t i = 0; v && i < v->connecteds; i++) {
        const router_addr *a = &v->connected[i];
        const router_addr network = rt_addr_network(a, a->prefix_len);
        const bool is_host = a->prefix_len == rt_addr_bits(a) ||
                             memcmp(network.bytes, a->bytes, sizeof(network.bytes)) != 0;
        if (a->family == family && is_host) {
            *out = rt_addr_host(a);
            return true;
        }
    }
    if (c->tunnel.family != family)
        return false;
    *out = rt_addr_host(&c->tunnel);
    return true;
}

static bool is_text(const char *s, size_t size, bool may_be_empty)
{
    return memchr(s, 0, size) != NULL && (may_be_empty || s[0] != 0);
}

static const char *check_prefixes(const router_addr *prefixes, size_t count)
{
    if (count > ROUTER_MAX_PREFIXES)
        return "too many prefixes";
    for (size_t i = 0; i < count; i++)
        if (!rt_addr_valid(&prefixes[i]))
            return "a prefix that is none";
    return NULL;
}

static size_t vrf_index(const router_config *c, uint32_t id)
{
    size_t i = 0;
    while (i < c->vrf_count && c->vrfs[i].id != id)
        i++;
    return i;
}

static const char *check_vrf(const router_config *c, size_t index)
{
    const router_vrf_config *v = &c->vrfs[index];
    if (v->id == ROUTER_GLOBAL_VRF)
        return "VRF 0 is the global one";
    if (vrf_index(c, v->id) != index)
        return "two VRFs of the same id";
    if (!is_text(v->name, sizeof(v->name), true))
        return "a VRF name without an end";
    if (v->imports > ROUTER_MAX_TARGETS || v->exports > ROUTER_MAX_TARGETS)
        return "too many route targets";
    const char *problem = check_prefixes(v->connected, v->connecteds);
    return problem ? problem : check_prefixes(v->discard, v->discards);
}

static const char *check_peer(const router_config *c, size_t index)
{
    const router_peer_config *p = &c->peers[index];
    if (!is_text(p->identity, sizeof(p->identity), false))
        return "a peer without an identity";
    if (!is_text(p->local_key, sizeof(p->local_key), false) ||
        !is_text(p->remote_key, sizeof(p->remote_key), false))
        return "a peer without keys";
    if (p->address.family != ROUTER_FAMILY_NONE && !rt_addr_valid(&p->address))
        return "a peer's address that is none";
    if (p->initiate && p->address.family == ROUTER_FAMILY_NONE)
        return "a peer to initiate to without an address";
    if (p->vrf_count > ROUTER_MAX_VRFS)
        return "too many VRFs of a peer";
    for (size_t i = 0; i < p->vrf_count; i++)
        if (vrf_index(c, p->vrfs[i]) == c->vrf_count)
            return "a peer's VRF that does not exist";
    return check_prefixes(p->authorized, p->authorizeds);
}

const char *rt_config_check(const router_config *c)
{
    if (!is_text(c->name, sizeof(c->name), true) ||
        !is_text(c->nhrp_authentication, sizeof(c->nhrp_authentication), true))
        return "a text without an end";
    if (!is_text(c->identity, sizeof(c->identity), false) || c->identity[0] == '*')
        return "no identity";
    if (!rt_addr_valid(&c->underlay))
        return "no underlay address";
    if (!rt_addr_valid(&c->tunnel))
        return "no tunnel address";
    if (c->vrf_count > ROUTER_MAX_VRFS)
        return "too many VRFs";
    if (c->peer_count > ROUTER_MAX_PEERS)
        return "too many peers";
    if (c->bgp_neighbor_count > ROUTER_MAX_PEERS)
        return "too many BGP neighbours";
    if (c->tunnel_mtu < MTU_MIN || c->tunnel_mtu > MTU_MAX)
        return "a tunnel MTU out of range";
    if (c->workers < 1 || c->workers > MAX_WORKERS)
        return "a number of workers out of range";
    if (c->flows < 8 || c->flows > MAX_FLOWS || (c->flows & (c->flows - 1)) != 0)
        return "flows that are not a power of two from 8 on";
    if (c->holding_time_s < 1 || c->holding_time_s > UINT16_MAX)
        return "a holding time out of range";
    if (c->tunnel_wait_ms == 0)
        return "no time to wait for a tunnel";
    const bool speaks_bgp = c->bgp_neighbor_count > 0 || c->bgp_listen.family != ROUTER_FAMILY_NONE;
    if (speaks_bgp && (c->as == 0 || c->bgp_port == 0))
        return "BGP without an AS or a port";
    for (size_t i = 0; i < c->bgp_neighbor_count; i++)
        if (!rt_addr_valid(&c->bgp_neighbors[i]))
            return "a BGP neighbour's address that is none";
    if (c->bgp_listen.family != ROUTER_FAMILY_NONE && !rt_addr_valid(&c->bgp_listen))
        return "a BGP listen range that is none";
    const char *problem = NULL;
    for (size_t i = 0; i < c->vrf_count && !problem; i++)
        problem = check_vrf(c, i);
    for (size_t i = 0; i < c->peer_count && !problem; i++)
        problem = check_peer(c, i);
    return problem;
}

/* ---- The copy ---- */

static bool copy_array(void *out, const void *in, size_t count, size_t size, const alloc *a)
{
    void *copy = alloc_array(a, count > 0 ? count : 1, size);
    memcpy(out, &copy, sizeof(copy));
    if (copy && count > 0)
        memcpy(copy, in, count * size);
    return copy != NULL;
}

static bool copy_text(char **out, const char *in, const alloc *a)
{
    return copy_array(out, in, strlen(in) + 1, 1, a);
}

bool rt_config_copy(rt_config *out, const router_config *in, const alloc *a)
{
    const rt_config plain = {.underlay = in->underlay,
                             .tunnel = rt_addr_host(&in->tunnel),
                             .redirect = in->redirect,
                             .shortcut = in->shortcut,
                             .force_encapsulation = in->force_encapsulation,
                             .bgp_reflector = in->bgp_reflector,
                             .network_id = in->network_id,
                             .holding_time_s = in->holding_time_s,
                             .as = in->as,
                             .bgp_listen = in->bgp_listen,
                             .bgp_port = in->bgp_port,
                             .tunnel_mtu = in->tunnel_mtu,
                             .idle_ms = in->idle_ms,
                             .tunnel_wait_ms = in->tunnel_wait_ms,
                             .ike_lifetime_s = in->ike_lifetime_s,
                             .child_lifetime_s = in->child_lifetime_s,
                             .dpd_s = in->dpd_s,
                             .workers = in->workers,
                             .flows = in->flows,
                             .resize = in->resize,
                             .resize_user = in->resize_user,
                             .child_packets = in->child_packets,
                             .vrf_count = in->vrf_count,
                             .peer_count = in->peer_count,
                             .bgp_neighbor_count = in->bgp_neighbor_count};
    *out = plain;
    memcpy(out->bgp_id, in->bgp_id, sizeof(out->bgp_id));
    return copy_text(&out->name, in->name, a) && copy_text(&out->identity, in->identity, a) &&
           copy_text(&out->nhrp_authentication, in->nhrp_authentication, a) &&
           copy_array(&out->vrfs, in->vrfs, in->vrf_count, sizeof(*in->vrfs), a) &&
           copy_array(&out->peers, in->peers, in->peer_count, sizeof(*in->peers), a) &&
           copy_array(&out->bgp_neighbors, in->bgp_neighbors, in->bgp_neighbor_count,
                      sizeof(*in->bgp_neighbors), a);
}

void rt_config_free(rt_config *c, const alloc *a)
{
    if (c->peers) /* keys */
        sodium_memzero(c->peers, c->peer_count * sizeof(*c->peers));
    if (c->nhrp_authentication)
        sodium_memzero(c->nhrp_authentication, strlen(c->nhrp_authentication));
    alloc_free(a, c->name);
    alloc_free(a, c->identity);
    alloc_free(a, c->nhrp_authentication);
    alloc_free(a, c->vrfs);
    alloc_free(a, c->peers);
    alloc_free(a, c->bgp_neighbors);
}
