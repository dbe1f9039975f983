/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A ring of items of one size, first in first out. It is allocated once; what could overflow it
 * asks ring_free first.
 */
#ifndef INTERNAL_RING_H
#define INTERNAL_RING_H

#include "alloc.h"

#include <stdbool.h>

typedef struct ring {
    uint8_t *items;
    size_t item_size;
    size_t cap;
    size_t head;
    size_t count;
} ring;

static inline bool ring_init(ring *r, const alloc *a, size_t cap, size_t item_size)
{
    r->items = alloc_array(a, cap, item_size);
    r->item_size = item_size;
    r->cap = cap;
    r->head = r->count = 0;
    return r->items != NULL;
}

static inline void ring_end(ring *r, const alloc *a)
{
    alloc_free(a, r->items);
    r->items = NULL;
    r->cap = r->count = 0;
}

/* Slots that are free. */
static inline size_t ring_free(const ring *r)
{
    return r->cap - r->count;
}

/* Copies an item in; false when the ring is full. */
static inline bool ring_push(ring *r, const void *item)
{
    if (r->count == r->cap)
        return false;
    const size_t slot = (r->head + r->count) % r->cap;
    memcpy(r->items + slot * r->item_size, item, r->item_size);
    r->count++;
    return true;
}

/* Copies the oldest item out; false when the ring is empty. */
static inline bool ring_pop(ring *r, void *item)
{
    if (r->count == 0)
        return false;
    memcpy(item, r->items + r->head * r->item_size, r->item_size);
    r->head = (r->head + 1) % r->cap;
    r->count--;
    return true;
}

#endif
