/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine.h"

enum { FIRST_LEVEL = 4 };

void bgpvpn__index_init(hash_index *x)
{
    pool_init(&x->buckets, sizeof(uint32_t), UINT32_MAX);
    x->level = FIRST_LEVEL;
    x->split = 0;
}

bool bgpvpn__index_ready(hash_index *x, const alloc *a)
{
    while (x->buckets.count < 1u << FIRST_LEVEL)
        if (!pool_new(&x->buckets, a))
            return false;
    return true;
}

/* Buckets below split have been dealt out to twice as many already. */
uint32_t *bgpvpn__index_bucket(const hash_index *x, uint64_t hash)
{
    uint32_t bucket = (uint32_t)hash & ((1u << x->level) - 1);
    if (bucket < x->split)
        bucket = (uint32_t)hash & ((2u << x->level) - 1);
    return pool_at(&x->buckets, bucket + 1);
}

bool bgpvpn__index_grow(hash_index *x, const alloc *a, uint32_t items, uint32_t **low,
                        uint32_t **high)
{
    if (items <= x->buckets.count || !pool_reserve(&x->buckets, a, 1))
        return false;
    const uint32_t handle = pool_new(&x->buckets, a);
    if (!handle)
        return false;
    *low = pool_at(&x->buckets, x->split + 1);
    *high = pool_at(&x->buckets, handle);
    if (++x->split == 1u << x->level) {
        x->level++;
        x->split = 0;
    }
    return true;
}

void bgpvpn__index_end(hash_index *x, const alloc *a)
{
    pool_end(&x->buckets, a);
}
