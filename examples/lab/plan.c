/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <stdio.h>
#include <string.h>

enum {
    PER_SUBNET = 250,
    HUB_HOST = 254,
    CUSTOMER_HOSTS = 100,
    CUSTOMER_FIRST = 101,
    CUSTOMER_NET = 0x0a000000,
    CUSTOMER_BITS = 24,
    SUMMARY_BITS = 8,
    TUNNEL_BITS = 12,
    HOST_BITS = 32,
    IPV6_HOST_BITS = 128,
    LACKING = 3,
    NAT_EVERY = 3
};

static const uint32_t UNDERLAY_NET = 0xc0a80100; /* 192.168.1.0 and up */
static const uint32_t TUNNEL_NET = 0xac100100;   /* 172.16.1.0 and up */
static const uint32_t PRIVATE_NET = 0x64400100;  /* 100.64.1.0 and up (RFC 6598) */
static const uint32_t TUNNEL_NETS = 0xac100000;
static const uint8_t documentation[4] = {0x20, 0x01, 0x0d, 0xb8}; /* RFC 3849 */

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

/* An IPv4 address, or what stands for it in IPv6; bits of it are the prefix. */
static router_addr place(const plan *p, uint32_t address, uint8_t bits)
{
    router_addr four = ip_host4(address, 0);
    if (!p->ipv6) {
        four.prefix_len = bits;
        return four;
    }
    router_addr six = {.family = ROUTER_FAMILY_IPV6};
    memcpy(six.bytes, documentation, sizeof(documentation));
    memcpy(six.bytes + sizeof(documentation), four.bytes, sizeof(documentation));
    six.prefix_len = bits == HOST_BITS ? IPV6_HOST_BITS : (uint8_t)(HOST_BITS + bits);
    return six;
}

router_addr plan_underlay(const plan *p, uint32_t node)
{
    return place(p, numbered(UNDERLAY_NET, node), HOST_BITS);
}

bool plan_has_nat(const plan *p, uint32_t node)
{
    return p->nat && node != PLAN_HUB && node % NAT_EVERY == 0;
}

router_addr plan_own_underlay(const plan *p, uint32_t node)
{
    const uint32_t net = plan_has_nat(p, node) ? PRIVATE_NET : UNDERLAY_NET;
    return place(p, numbered(net, node), HOST_BITS);
}

router_addr plan_tunnel(const plan *p, uint32_t node)
{
    return place(p, numbered(TUNNEL_NET, node), HOST_BITS);
}

router_addr plan_tunnels(const plan *p)
{
    return place(p, TUNNEL_NETS, TUNNEL_BITS);
}

static uint32_t customer_net(uint32_t node)
{
    const uint32_t i = node - 1;
    const uint32_t second = 1 + i % PER_SUBNET;
    const uint32_t third = (second + i / PER_SUBNET) & 0xff;
    return CUSTOMER_NET | second << 16 | third << 8;
}

router_addr plan_prefix(const plan *p, uint32_t node)
{
    return place(p, customer_net(node), CUSTOMER_BITS);
}

router_addr plan_customer(const plan *p, uint32_t node)
{
    const uint32_t host = CUSTOMER_FIRST + (node - 1) % CUSTOMER_HOSTS;
    return place(p, customer_net(node) | host, HOST_BITS);
}

router_addr plan_summary(const plan *p)
{
    return place(p, CUSTOMER_NET, SUMMARY_BITS);
}

bool plan_has_vrf(const plan *p, uint32_t node, uint32_t vrf)
{
    return vrf >= 1 && vrf <= p->vrfs &&
           (node == PLAN_HUB || !p->sparse || (node + vrf) % LACKING != 0);
}

uint32_t plan_vrf_count(const plan *p, uint32_t node)
{
    uint32_t count = 0;
    for (uint32_t vrf = 1; vrf <= p->vrfs; vrf++)
        count += plan_has_vrf(p, node, vrf);
    return count;
}

bool plan_find(const plan *p, const router_addr *underlay, uint32_t *node)
{
    const uint8_t *b = underlay->bytes + (p->ipv6 ? sizeof(documentation) : 0);
    const uint32_t address =
        (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    const uint32_t offset = address - UNDERLAY_NET;
    *node = offset == HUB_HOST ? PLAN_HUB : (offset >> 8) * PER_SUBNET + (offset & 0xff);
    if (*node > p->spokes)
        return false;
    const router_addr its = plan_underlay(p, *node);
    return ip_same_host(&its, underlay);
}
