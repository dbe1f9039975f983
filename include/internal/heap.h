/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A min-heap of deadlines. A node joins when its object is made, which may run out of memory; from
 * then on setting and clearing its deadline cannot fail.
 */
#ifndef INTERNAL_HEAP_H
#define INTERNAL_HEAP_H

#include "alloc.h"

#include <stdbool.h>

#define HEAP_NEVER UINT64_MAX

typedef struct heap_node {
    uint64_t deadline; /* HEAP_NEVER: not armed */
    size_t slot;       /* its place in the array, while armed */
} heap_node;

typedef struct heap {
    heap_node **nodes;
    size_t armed;   /* nodes in the array */
    size_t members; /* nodes that joined, armed or not */
    size_t cap;
} heap;

static inline bool heap_join(heap *h, const alloc *a, heap_node *node)
{
    if (h->members == h->cap) {
        const size_t cap = h->cap ? h->cap * 2 : 16;
        heap_node **nodes = alloc_grow(a, h->nodes, h->cap, cap, sizeof(*nodes));
        if (!nodes)
            return false;
        h->nodes = nodes;
        h->cap = cap;
    }
    h->members++;
    node->deadline = HEAP_NEVER;
    return true;
}

static inline void heap_place(heap *h, heap_node *node, size_t slot)
{
    h->nodes[slot] = node;
    node->slot = slot;
}

static inline void heap_rise(heap *h, heap_node *node)
{
    size_t slot = node->slot;
    while (slot > 0 && h->nodes[(slot - 1) / 2]->deadline > node->deadline) {
        heap_place(h, h->nodes[(slot - 1) / 2], slot);
        slot = (slot - 1) / 2;
    }
    heap_place(h, node, slot);
}

static inline void heap_sink(heap *h, heap_node *node)
{
    size_t slot = node->slot;
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= h->armed)
            break;
        if (child + 1 < h->armed && h->nodes[child + 1]->deadline < h->nodes[child]->deadline)
            child++;
        if (h->nodes[child]->deadline >= node->deadline)
            break;
        heap_place(h, h->nodes[child], slot);
        slot = child;
    }
    heap_place(h, node, slot);
}

/* Arms, moves or (HEAP_NEVER) clears the deadline of a member. */
static inline void heap_set(heap *h, heap_node *node, uint64_t deadline)
{
    if (node->deadline != HEAP_NEVER) {
        heap_node *last = h->nodes[--h->armed];
        if (last != node) {
            heap_place(h, last, node->slot);
            heap_rise(h, last);
            heap_sink(h, last);
        }
    }
    node->deadline = deadline;
    if (deadline != HEAP_NEVER) {
        heap_place(h, node, h->armed++);
        heap_rise(h, node);
    }
}

static inline void heap_leave(heap *h, heap_node *node)
{
    heap_set(h, node, HEAP_NEVER);
    h->members--;
}

/* The node with the earliest deadline, or NULL. */
static inline heap_node *heap_first(const heap *h)
{
    return h->armed ? h->nodes[0] : NULL;
}

static inline void heap_free(heap *h, const alloc *a)
{
    alloc_free(a, h->nodes);
    h->nodes = NULL;
    h->armed = h->members = h->cap = 0;
}

#endif
