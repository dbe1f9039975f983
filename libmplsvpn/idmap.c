/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "idmap.h"

#define SLOTS_MIN 8

struct idmap_array {
    retired retired;
    size_t mask;
    _Atomic(idmap_item *) slots[];
};

static idmap_item tombstone;

static size_t slot_of(const idmap_array *a, uint32_t id)
{
    /* Ids often run upwards: the golden ratio spreads them. */
    return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & a->mask;
}

idmap_item *mplsvpn__idmap_find(const idmap *m, uint32_t id)
{
    const idmap_array *a = atomic_load_explicit(&m->array, memory_order_acquire);
    if (!a)
        return NULL;
    for (size_t i = slot_of(a, id);; i = (i + 1) & a->mask) {
        idmap_item *item = atomic_load_explicit(&a->slots[i], memory_order_acquire);
        if (!item || (item != &tombstone && item->id == id))
            return item;
    }
}

static void place(idmap_array *a, idmap_item *item)
{
    size_t i = slot_of(a, item->id);
    while (atomic_load_explicit(&a->slots[i], memory_order_relaxed))
        i = (i + 1) & a->mask;
    atomic_store_explicit(&a->slots[i], item, memory_order_release);
}

bool mplsvpn__idmap_reserve(idmap *m, epoch *e)
{
    idmap_array *old = atomic_load_explicit(&m->array, memory_order_relaxed);
    if (old && (m->used + 1) * 2 <= old->mask + 1)
        return true;
    size_t slots = SLOTS_MIN;
    while (slots < (m->count + 1) * 4)
        slots *= 2;
    idmap_array *a = alloc_zero(&e->memory, sizeof(*a) + slots * sizeof(a->slots[0]));
    if (!a)
        return false;
    a->mask = slots - 1;
    size_t slot = 0;
    for (idmap_item *item; (item = mplsvpn__idmap_walk(m, &slot)) != NULL;)
        place(a, item);
    m->used = m->count;
    atomic_store_explicit(&m->array, a, memory_order_release);
    if (old)
        mplsvpn__epoch_retire(e, &old->retired);
    return true;
}

void mplsvpn__idmap_insert(idmap *m, idmap_item *item)
{
    place(atomic_load_explicit(&m->array, memory_order_relaxed), item);
    m->used++;
    m->count++;
}

void mplsvpn__idmap_remove(idmap *m, idmap_item *item)
{
    idmap_array *a = atomic_load_explicit(&m->array, memory_order_relaxed);
    size_t i = slot_of(a, item->id);
    while (atomic_load_explicit(&a->slots[i], memory_order_relaxed) != item)
        i = (i + 1) & a->mask;
    atomic_store_explicit(&a->slots[i], &tombstone, memory_order_release);
    m->count--;
}

idmap_item *mplsvpn__idmap_walk(const idmap *m, size_t *slot)
{
    const idmap_array *a = atomic_load_explicit(&m->array, memory_order_relaxed);
    while (a && *slot <= a->mask) {
        idmap_item *item = atomic_load_explicit(&a->slots[(*slot)++], memory_order_relaxed);
        if (item && item != &tombstone)
            return item;
    }
    return NULL;
}

void mplsvpn__idmap_free(idmap *m, const alloc *memory)
{
    alloc_free(memory, atomic_load_explicit(&m->array, memory_order_relaxed));
}
