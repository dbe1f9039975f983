/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <stdio.h>

enum {
    PER_SUBNET = 250,
    HUB_HOST = 254,
    CUSTOMER_HOSTS = 100,
    CUSTOMER_FIRST = 101,
    CUSTOMER_NET = 0x0a000000,
    CUSTOMER_BITS = 24,
    SUMMARY_BITS = 8,
    LACKING = 3
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
