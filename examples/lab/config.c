/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of each router of the plan.
 */
#include "internal/wire.h"
#include "plan.h"
#include "rng.h"

#include <stdio.h>
#include <string.h>

enum {
    MS_PER_S = 1000,
    AS = 65000,
    FLOWS_MIN = 256,
    FLOWS_MAX = 1 << 20,
    SPOKE_FLOWS_PER_PING =
        16, /* there and back, by the hub and directly, of others too; and room */
    HUB_FLOWS_PER_PING = 6
};

static void set_vrf(router_vrf_config *v, const plan *p, uint32_t id, uint32_t node)
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
        v->discard[0] = plan_summary(p);
        v->discards = p->reflector ? 0 : 1;
    } else {
        v->connected[0] = plan_prefix(p, node);
        v->connecteds = 1;
    }
}

/* A peer may send into each VRF that this node has. */
static void set_peer(router_peer_config *peer, const plan *p, uint32_t node, const char *identity,
                     const router_addr *authorized)
{
    static const char key[] = "the lab's pre-shared key";
    snprintf(peer->identity, sizeof(peer->identity), "%s", identity);
    snprintf(peer->local_key, sizeof(peer->local_key), "%s", key);
    snprintf(peer->remote_key, sizeof(peer->remote_key), "%s", key);
    peer->authorized[0] = *authorized;
    peer->authorizeds = 1;
    for (uint32_t id = 1; id <= p->vrfs; id++)
        if (plan_has_vrf(p, node, id))
            peer->vrfs[peer->vrf_count++] = id;
}

/* The hub sees the flows of all spokes until they have shortcuts. */
static uint32_t remembered_flows(const plan *p, uint32_t node)
{
    const uint64_t wanted = node == PLAN_HUB ? (uint64_t)HUB_FLOWS_PER_PING * p->flows * p->spokes
                                             : (uint64_t)SPOKE_FLOWS_PER_PING * p->flows;
    uint32_t flows = FLOWS_MIN;
    while (flows < wanted && flows < FLOWS_MAX)
        flows *= 2;
    return flows;
}

static void set_times(const plan *p, router_config *out)
{
    if (p->ike_lifetime_s)
        out->ike_lifetime_s = p->ike_lifetime_s;
    if (p->child_lifetime_s)
        out->child_lifetime_s = p->child_lifetime_s;
    if (p->holding_time_s)
        out->holding_time_s = p->holding_time_s;
    if (p->idle_s)
        out->idle_ms = p->idle_s * MS_PER_S;
    out->child_packets = p->child_packets;
}

void plan_config(const plan *p, uint32_t node, uint32_t generation, router_config *out)
{
    router_config_init(out);
    char name[PLAN_NAME_BYTES];
    plan_name(node, name);
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(out->identity, sizeof(out->identity), "%s.lab.example", name);
    out->underlay = plan_own_underlay(p, node);
    out->tunnel = plan_tunnel(p, node);
    for (uint32_t id = 1; id <= p->vrfs; id++)
        if (plan_has_vrf(p, node, id))
            set_vrf(&out->vrfs[out->vrf_count++], p, id, node);

    const router_addr hub_tunnel = plan_tunnel(p, PLAN_HUB);
    const router_addr tunnels = plan_tunnels(p);
    if (node != PLAN_HUB) {
        router_peer_config *hub = &out->peers[out->peer_count++];
        set_peer(hub, p, node, "hub.lab.example", &hub_tunnel);
        hub->address = plan_underlay(p, PLAN_HUB);
        hub->initiate = true;
        out->bgp_neighbors[out->bgp_neighbor_count++] = hub_tunnel;
    } else {
        out->bgp_listen = tunnels;
    }
    set_peer(&out->peers[out->peer_count++], p, node, "*.lab.example", &tunnels);
    out->redirect = node == PLAN_HUB;
    out->shortcut = node != PLAN_HUB;
    out->flows = remembered_flows(p, node);
    out->as = AS;
    out->bgp_reflector = p->reflector;
    out->force_encapsulation = !p->raw_esp;
    set_times(p, out);
    wire_set_u32(out->bgp_id, node + 1);

    uint64_t random = p->seed ^ rng_mix((uint64_t)generation << 32 | (node + 1));
    for (size_t i = 0; i < sizeof(out->seed); i++)
        out->seed[i] = (uint8_t)rng_next(&random);
}
