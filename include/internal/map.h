/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A chained hash map of nodes that live in the objects they index. The caller hashes (keyed, where
 * a peer chooses the key) and compares. Insertion cannot fail: where the table cannot grow, chains
 * do, and it tries again later.
 */
#ifndef INTERNAL_MAP_H
#define INTERNAL_MAP_H

#include "alloc.h"

#include <stdbool.h>

typedef struct map_node {
    struct map_node *next;
    uint64_t hash;
} map_node;

typedef struct map {
    map_node **buckets;
    size_t mask; /* number of buckets, a power of two, less one */
    size_t count;
} map;

static inline bool map_init(map *m, const alloc *a)
{
    m->mask = 15;
    m->count = 0;
    m->buckets = alloc_array(a, m->mask + 1, sizeof(*m->buckets));
    return m->buckets != NULL;
}

static inline void map_free(map *m, const alloc *a)
{
    alloc_free(a, m->buckets);
    m->buckets = NULL;
    m->count = 0;
}

static inline map_node *map_match(map_node *node, uint64_t hash)
{
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

/* The first node with this hash, or NULL; the rest by map_next. The caller compares the keys. */
static inline map_node *map_first(const map *m, uint64_t hash)
{
    return map_match(m->buckets[hash & m->mask], hash);
}

static inline map_node *map_next(const map_node *node)
{
    return map_match(node->next, node->hash);
}

static inline void map_grow(map *m, const alloc *a)
{
    const size_t mask = m->mask * 2 + 1;
    map_node **buckets = alloc_array(a, mask + 1, sizeof(*buckets));
    if (!buckets)
        return;
    for (size_t i = 0; i <= m->mask; i++) {
        map_node *node = m->buckets[i];
        while (node) {
            map_node *next = node->next;
            node->next = buckets[node->hash & mask];
            buckets[node->hash & mask] = node;
            node = next;
        }
    }
    alloc_free(a, m->buckets);
    m->buckets = buckets;
    m->mask = mask;
}

static inline void map_insert(map *m, const alloc *a, map_node *node, uint64_t hash)
{
    if (m->count > m->mask)
        map_grow(m, a);
    node->hash = hash;
    node->next = m->buckets[hash & m->mask];
    m->buckets[hash & m->mask] = node;
    m->count++;
}

/* Takes out a node that is in the map. */
static inline void map_remove(map *m, map_node *node)
{
    map_node **link = &m->buckets[node->hash & m->mask];
    while (*link && *link != node)
        link = &(*link)->next;
    if (*link) {
        *link = node->next;
        m->count--;
    }
}

/*
 * Walks all nodes, in no order that means anything: start with *bucket 0 and node NULL. The node
 * just returned may be removed only after the next one was fetched; nothing may be inserted.
 */
static inline map_node *map_walk(const map *m, size_t *bucket, const map_node *node)
{
    map_node *found = node ? node->next : NULL;
    while (!found && *bucket <= m->mask)
        found = m->buckets[(*bucket)++];
    return found;
}

#endif
