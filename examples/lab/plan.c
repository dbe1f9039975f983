/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "internal/wire.h"
#include "rng.h"

#include <stdio.h>
#include <string.h>

enum {
    PER_SUBNET = 250,
    HUB_HOST = 254,
    CUSTOMER_HOSTS = 100,
    CUSTOMER_FIRST = 101,
    TUNNEL_BITS = 12, /* of all tunnel addresses: 172.16.0.0/12 */
    CUSTOMER_NET = 0x0a000000,
    CUSTOMER_BITS = 24,
    SUMMARY_BITS = 8,
    AS = 65000,
    FLOWS = 256
};

static const uint32_t UNDERLAY_NET = 0xc0a80100; /* 192.168.1.0 and up */
static const uint32_t TUNNEL_NET = 0xac100100;   /* 172.16.1.0 and up */

static uint32_t numbered(uint32_t net, uint32_t node)
{
    if (node == PLAN_HUB)
        return net + HUB_HOST;
    const uint32_t i = node - 1;
    return net + (i / PER_SUBNET << 8) + i % PER_SUBNET + 1;
}

void plan_name(uint32_t node, char out[PLAN_NAME_BYTES])
{
    if (node == PLAN_HUB)
        snprintf(out, PLAN_NAME_BYTES, "hub");
    else
        snprintf(out, PLAN_NAME_BYTES, "spoke%u", node);
}

router_addr plan_underlay(uint32_t node)
{
    return ip_host4(numbered(UNDERLAY_NET, node), 0);
}

router_addr plan_tunnel(uint32_t node)
{
    return ip_host4(numbered(TUNNEL_NET, node), 0);
}

router_addr plan_prefix(uint32_t node)
{
    const uint32_t i = node - 1;
    const uint32_t second = 1 + i % PER_SUBNET;
    const uint32_t third = (second + i / PER_SUBNET) & 0xff;
    router_addr prefix = ip_host4(CUSTOMER_NET | second << 16 | third << 8, 0);
    prefix.prefix_len = CUSTOMER_BITS;
    return prefix;
}

router_addr plan_customer(uint32_t node)
{
    router_addr host = plan_prefix(node);
    host.prefix_len = ip_host4(0, 0).prefix_len;
    host.bytes[3] = (uint8_t)(CUSTOMER_FIRST + (node - 1) % CUSTOMER_HOSTS);
    return host;
}

router_addr plan_summary(void)
{
    router_addr summary = ip_host4(CUSTOMER_NET, 0);
    summary.prefix_len = SUMMARY_BITS;
    return summary;
}

bool plan_find(const plan *p, const router_addr *underlay, uint32_t *node)
{
    if (underlay->family != ROUTER_FAMILY_IPV4)
        return false;
    const uint8_t *b = underlay->bytes;
    const uint32_t address =
        (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    const uint32_t offset = address - UNDERLAY_NET;
    const uint32_t low = offset & 0xff;
    *node = offset == HUB_HOST ? PLAN_HUB : (offset >> 8) * PER_SUBNET + low;
    return *node <= p->spokes && address == numbered(UNDERLAY_NET, *node);
}

static router_addr all_tunnels(void)
{
    router_addr net = ip_host4(TUNNEL_NET & (UINT32_MAX << (32 - TUNNEL_BITS)), 0);
    net.prefix_len = TUNNEL_BITS;
    return net;
}

static void set_vrf(router_vrf_config *v, uint32_t id, uint32_t node)
{
    v->id = id;
    snprintf(v->name, sizeof(v->name), id == 1 ? "CUSTOMER" : "CUSTOMER%u", id);
    /* RFC 4364 4.2 and RFC 4360 3.1: both type 0, the AS and a number. */
    static const uint8_t target_type = 2;
    wire_set_u16(v->rd + 2, AS);
    wire_set_u32(v->rd + 4, id);
    v->imports = v->exports = 1;
    v->import_targets[0][1] = target_type;
    wire_set_u16(v->import_targets[0] + 2, AS);
    wire_set_u32(v->import_targets[0] + 4, id);
    memcpy(v->export_targets[0], v->import_targets[0], sizeof(v->export_targets[0]));
    if (node == PLAN_HUB) {
        v->discard[0] = plan_summary();
        v->discards = 1;
    } else {
        v->connected[0] = plan_prefix(node);
        v->connecteds = 1;
    }
}

static void set_peer(router_peer_config *peer, const plan *p, const char *identity,
                     const router_addr *authorized)
{
    static const char key[] = "the lab's pre-shared key";
    snprintf(peer->identity, sizeof(peer->identity), "%s", identity);
    snprintf(peer->local_key, sizeof(peer->local_key), "%s", key);
    snprintf(peer->remote_key, sizeof(peer->remote_key), "%s", key);
    peer->authorized[0] = *authorized;
    peer->authorizeds = 1;
    for (uint32_t id = 1; id <= p->vrfs; id++)
        peer->vrfs[peer->vrf_count++] = id;
}

void plan_config(const plan *p, uint32_t node, router_config *out)
{
    router_config_init(out);
    char name[PLAN_NAME_BYTES];
    plan_name(node, name);
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(out->identity, sizeof(out->identity), "%s.lab.example", name);
    out->underlay = plan_underlay(node);
    out->tunnel = plan_tunnel(node);
    for (uint32_t id = 1; id <= p->vrfs; id++)
        set_vrf(&out->vrfs[out->vrf_count++], id, node);

    const router_addr hub_tunnel = plan_tunnel(PLAN_HUB);
    const router_addr tunnels = all_tunnels();
    if (node != PLAN_HUB) {
        router_peer_config *hub = &out->peers[out->peer_count++];
        set_peer(hub, p, "hub.lab.example", &hub_tunnel);
        hub->address = plan_underlay(PLAN_HUB);
        hub->initiate = true;
        out->bgp_neighbors[out->bgp_neighbor_count++] = hub_tunnel;
    } else {
        out->bgp_listen = tunnels;
    }
    set_peer(&out->peers[out->peer_count++], p, "*.lab.example", &tunnels);
    out->redirect = node == PLAN_HUB;
    out->shortcut = node != PLAN_HUB;
    out->as = AS;
    memcpy(out->bgp_id, out->tunnel.bytes, sizeof(out->bgp_id));

    uint64_t random = p->seed ^ rng_mix(node + 1);
    for (size_t i = 0; i < sizeof(out->seed); i++)
        out->seed[i] = (uint8_t)rng_next(&random);
}
