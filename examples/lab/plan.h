/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who is who: the addresses and the configuration of the hub (node 0) and of each spoke. The first
 * two spokes are those of the walk: 10.1.1.101 behind 172.16.1.1 at 192.168.1.1, 10.2.2.102 behind
 * 172.16.1.2 at 192.168.1.2; the hub is 172.16.1.254 at 192.168.1.254.
 *
 * With IPv6 everywhere each of these addresses is the second 32 bits behind 2001:db8::/32.
 */
#ifndef LAB_PLAN_H
#define LAB_PLAN_H

#include "ip.h"

enum { PLAN_HUB = 0, PLAN_MAX_SPOKES = 60000, PLAN_NAME_BYTES = 16, PLAN_MAX_FLOWS = 64 };

typedef struct plan {
    uint32_t spokes;
    uint32_t vrfs;
    uint32_t flows; /* how many others each spoke pings; all, where there are fewer */
    uint64_t seed;
    bool sparse;    /* each spoke lacks a third of the VRFs */
    bool reflector; /* the hub passes every prefix on with a label of its own, and no summary */
    bool raw_esp;   /* not in UDP */
    bool ipv6;
    bool nat; /* every third spoke has a private address behind a NAT of its own */
    /* 0: the router's defaults. */
    uint32_t ike_lifetime_s, child_lifetime_s, holding_time_s, idle_s;
    uint32_t child_packets; /* an ESP SA is rekeyed after so many */
} plan;

void plan_name(uint32_t node, char out[PLAN_NAME_BYTES]);
router_addr plan_underlay(const plan *p, uint32_t node);
router_addr plan_tunnel(const plan *p, uint32_t node);
/* A spoke's customer host: the same address in every VRF. */
router_addr plan_customer(const plan *p, uint32_t node);
router_addr plan_prefix(const plan *p, uint32_t node);
router_addr plan_summary(const plan *p);
/* Of all tunnel addresses. */
router_addr plan_tunnels(const plan *p);
bool plan_has_vrf(const plan *p, uint32_t node, uint32_t vrf);
uint32_t plan_vrf_count(const plan *p, uint32_t node);

bool plan_has_nat(const plan *p, uint32_t node);
/* What the node thinks that its underlay address is. */
router_addr plan_own_underlay(const plan *p, uint32_t node);

/* The node at an underlay address; false where there is none. */
bool plan_find(const plan *p, const router_addr *underlay, uint32_t *node);

/* generation: another one for each life of the node, so that no seed is used twice. */
void plan_config(const plan *p, uint32_t node, uint32_t generation, router_config *out);

#endif
