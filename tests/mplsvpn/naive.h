/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The reference for the FIB: an array of prefixes, all of them compared bit by bit.
 */
#ifndef TESTS_MPLSVPN_NAIVE_H
#define TESTS_MPLSVPN_NAIVE_H

#include <mplsvpn/mplsvpn.h>
#include <stdbool.h>
#include <string.h>

#define NAIVE_MAX 2048

typedef struct naive_route {
    mplsvpn_addr prefix;
    uint64_t cookie;
} naive_route;

typedef struct naive {
    naive_route routes[NAIVE_MAX];
    size_t count;
} naive;

static inline bool naive_bit(const uint8_t *bytes, unsigned i)
{
    return bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Clears all bits from a length on. */
static inline void naive_mask(mplsvpn_addr *a)
{
    for (unsigned i = a->prefix_len; i < 128; i++)
        a->bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static inline naive_route *naive_find(naive *n, const mplsvpn_addr *prefix)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->routes[i].prefix.family == prefix->family &&
            n->routes[i].prefix.prefix_len == prefix->prefix_len &&
            memcmp(n->routes[i].prefix.bytes, prefix->bytes, 16) == 0)
            return &n->routes[i];
    return NULL;
}

static inline void naive_set(naive *n, const mplsvpn_addr *prefix, uint64_t cookie)
{
    naive_route *r = naive_find(n, prefix);
    if (!r)
        r = &n->routes[n->count++];
    r->prefix = *prefix;
    r->cookie = cookie;
}

static inline bool naive_remove(naive *n, const mplsvpn_addr *prefix)
{
    naive_route *r = naive_find(n, prefix);
    if (!r)
        return false;
    *r = n->routes[--n->count];
    return true;
}

static inline const naive_route *naive_lookup(const naive *n, const mplsvpn_addr *a)
{
    const naive_route *best = NULL;
    for (size_t i = 0; i < n->count; i++) {
        const naive_route *r = &n->routes[i];
        bool covers = r->prefix.family == a->family;
        for (unsigned bit = 0; covers && bit < r->prefix.prefix_len; bit++)
            covers = naive_bit(r->prefix.bytes, bit) == naive_bit(a->bytes, bit);
        if (covers && (!best || r->prefix.prefix_len > best->prefix.prefix_len))
            best = r;
    }
    return best;
}

#endif
