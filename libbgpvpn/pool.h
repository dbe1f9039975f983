/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Items of one size in chunks, named by a 32-bit handle: half of a pointer, no allocator overhead,
 * stable while the pool grows, and a walk by handle survives any insertion and removal. Handle 0 is
 * nothing. A free item is all zero but for its first four bytes, which link it; its user may keep
 * something in the rest. The item size is a multiple of what its alignment wants.
 */
#ifndef LIBBGPVPN_POOL_H
#define LIBBGPVPN_POOL_H

#include <internal/alloc.h>
#include <stdbool.h>

#define POOL_CHUNK 64u

typedef struct pool {
    uint8_t **chunks;
    uint32_t chunk_count;
    uint32_t chunk_cap;
    uint32_t item_size;
    uint32_t end;   /* handles from 1 up to this one, exclusive, were in use once */
    uint32_t spare; /* first free handle below end */
    uint32_t count; /* in use */
    uint32_t max;
} pool;

static inline void pool_init(pool *p, uint32_t item_size, uint32_t max)
{
    memset(p, 0, sizeof(*p));
    p->item_size = item_size;
    p->max = max;
    p->end = 1;
}

static inline void pool_end(pool *p, const alloc *a)
{
    for (uint32_t i = 0; i < p->chunk_count; i++)
        alloc_free(a, p->chunks[i]);
    alloc_free(a, p->chunks);
    p->chunks = NULL;
    p->chunk_count = p->chunk_cap = p->count = 0;
    p->end = 1;
}

static inline void *pool_at(const pool *p, uint32_t handle)
{
    return p->chunks[handle / POOL_CHUNK] + (size_t)(handle % POOL_CHUNK) * p->item_size;
}

static inline bool pool_chunk(pool *p, const alloc *a)
{
    if (p->chunk_count == p->chunk_cap) {
        const uint32_t cap = p->chunk_cap ? p->chunk_cap * 2 : 8;
        uint8_t **chunks = alloc_grow(a, p->chunks, p->chunk_cap, cap, sizeof(*chunks));
        if (!chunks)
            return false;
        p->chunks = chunks;
        p->chunk_cap = cap;
    }
    uint8_t *chunk = alloc_array(a, POOL_CHUNK, p->item_size);
    if (!chunk)
        return false;
    p->chunks[p->chunk_count++] = chunk;
    return true;
}

/* After this the next n allocations that max allows cannot run out of memory. */
static inline bool pool_reserve(pool *p, const alloc *a, uint32_t n)
{
    const uint64_t spare = p->end - 1 - p->count;
    const uint64_t wanted = n > spare ? p->end + (n - spare) : p->end;
    while ((uint64_t)p->chunk_count * POOL_CHUNK < wanted)
        if (!pool_chunk(p, a))
            return false;
    return true;
}

/* Whether max refuses another one. */
static inline bool pool_full(const pool *p)
{
    return p->count >= p->max;
}

/* A new item's handle; 0 where max or memory does not allow it. */
static inline uint32_t pool_new(pool *p, const alloc *a)
{
    if (pool_full(p) || !pool_reserve(p, a, 1))
        return 0;
    uint32_t handle = p->spare;
    if (handle)
        memcpy(&p->spare, pool_at(p, handle), sizeof(p->spare));
    else
        handle = p->end++;
    memset(pool_at(p, handle), 0, sizeof(p->spare));
    p->count++;
    return handle;
}

static inline void pool_put(pool *p, uint32_t handle)
{
    uint8_t *item = pool_at(p, handle);
    memset(item, 0, p->item_size);
    memcpy(item, &p->spare, sizeof(p->spare));
    p->spare = handle;
    p->count--;
}

#endif
