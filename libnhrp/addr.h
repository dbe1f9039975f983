/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Addresses and prefixes. Comparisons look at family and bytes; scope where it says so.
 */
#ifndef NHRP_ADDR_H
#define NHRP_ADDR_H

#include "codec.h"

static inline bool addr_given(const nhrp_addr *a)
{
    return a->family == NHRP_FAMILY_IPV4 || a->family == NHRP_FAMILY_IPV6;
}

static inline bool addr_equal(const nhrp_addr *a, const nhrp_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Absent, or of a known family with what is beyond it zero. */
static inline bool addr_valid(const nhrp_addr *a)
{
    static const uint8_t zeros[16] = {0};
    const size_t size = nhrp__family_size(a->family);
    return (size != 0 || a->family == NHRP_FAMILY_NONE) &&
           memcmp(a->bytes + size, zeros, sizeof(zeros) - size) == 0 && a->prefix_len <= size * 8;
}

/* Address, family and scope alone. */
static inline nhrp_addr addr_bare(const nhrp_addr *a, uint32_t scope)
{
    nhrp_addr out = *a;
    out.prefix_len = 0;
    out.port = 0;
    out.scope = scope;
    return out;
}

static inline void addr_mask(nhrp_addr *a, uint8_t prefix_len)
{
    for (size_t i = 0; i < sizeof(a->bytes); i++) {
        const size_t first = i * 8;
        if (first >= prefix_len)
            a->bytes[i] = 0;
        else if (prefix_len - first < 8)
            a->bytes[i] &= (uint8_t)(0xff00 >> (prefix_len - first));
    }
    a->prefix_len = prefix_len;
}

static inline nhrp_addr addr_prefix(const nhrp_addr *a, uint32_t scope, uint8_t prefix_len)
{
    nhrp_addr out = addr_bare(a, scope);
    addr_mask(&out, prefix_len);
    return out;
}

static inline nhrp_addr addr_host(const nhrp_addr *a, uint32_t scope)
{
    return addr_prefix(a, scope, nhrp__family_bits(a->family));
}

/* Whether all of inner lies in outer, scopes apart. */
static inline bool prefix_holds(const nhrp_addr *outer, const nhrp_addr *inner, uint8_t inner_len)
{
    if (outer->family != inner->family || inner_len < outer->prefix_len)
        return false;
    const nhrp_addr cut = addr_prefix(inner, 0, outer->prefix_len);
    return memcmp(cut.bytes, outer->bytes, sizeof(cut.bytes)) == 0;
}

static inline bool prefix_holds_addr(const nhrp_addr *outer, const nhrp_addr *host)
{
    return prefix_holds(outer, host, nhrp__family_bits(host->family));
}

static inline bool prefix_overlaps(const nhrp_addr *a, const nhrp_addr *b)
{
    return prefix_holds(a, b, b->prefix_len) || prefix_holds(b, a, a->prefix_len);
}

/* A prefix given from outside: valid, and no bits beyond its length. */
static inline bool prefix_valid(const nhrp_addr *p)
{
    if (!addr_given(p) || !addr_valid(p))
        return false;
    const nhrp_addr cut = addr_prefix(p, 0, p->prefix_len);
    return memcmp(cut.bytes, p->bytes, sizeof(cut.bytes)) == 0;
}

/* RFC 2332 5.2.0.1: prefix length 0 equals 255, the host. False for one that the family lacks. */
static inline bool prefix_len_from_wire(uint8_t family, uint8_t wire, uint8_t *out)
{
    const uint8_t bits = nhrp__family_bits(family);
    if (wire != 0 && wire != NHRP_PREFIX_HOST && wire > bits)
        return false;
    *out = wire == 0 || wire == NHRP_PREFIX_HOST ? bits : wire;
    return true;
}

/* RFC 4291 2.5.6: fe80::/64, and an interface identifier. */
static inline bool addr_link_local(const nhrp_addr *a)
{
    static const uint8_t lead[8] = {0xfe, 0x80}, none[8] = {0};
    return a->family == NHRP_FAMILY_IPV6 && memcmp(a->bytes, lead, sizeof(lead)) == 0 &&
           memcmp(a->bytes + sizeof(lead), none, sizeof(none)) != 0;
}

/* An IPv4 address in IPv6 form: what a node without an IPv6 tunnel address says in IPv6 packets. */
static inline nhrp_addr addr_mapped(const nhrp_addr *v4)
{
    nhrp_addr out = addr_bare(v4, v4->scope);
    memset(out.bytes, 0, sizeof(out.bytes));
    out.family = NHRP_FAMILY_IPV6;
    out.bytes[10] = out.bytes[11] = 0xff;
    memcpy(out.bytes + 12, v4->bytes, 4);
    return out;
}

/* The reverse; other addresses are left as they are. */
static inline nhrp_addr addr_unmapped(const nhrp_addr *a)
{
    static const uint8_t lead[12] = {[10] = 0xff, [11] = 0xff};
    nhrp_addr out = addr_bare(a, a->scope);
    if (a->family != NHRP_FAMILY_IPV6 || memcmp(a->bytes, lead, sizeof(lead)) != 0)
        return out;
    out.family = NHRP_FAMILY_IPV4;
    memset(out.bytes, 0, sizeof(out.bytes));
    memcpy(out.bytes, a->bytes + 12, 4);
    return out;
}

#endif
