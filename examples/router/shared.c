/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tables that workers read while the control thread changes them, and when their parts may be
 * freed.
 *
 * A worker publishes the epoch that it entered in before it loads any pointer, and "never" when it
 * leaves. The control thread unpublishes an object, then begins a new epoch. Both sides order the
 * two steps by a full fence, so either the worker sees that the object is gone, or the control
 * thread sees the worker's epoch and waits until it has left.
 */
#include "internal.h"

/* The mark of an entry that was removed, so that a search goes on behind it. */
static rt_inbound spi_gone;

enum { SPI_SLOTS_MIN = 16 };

static size_t spi_slot(uint32_t spi, size_t mask)
{
    /* SPIs are our own random numbers: any mixing does. */
    return (spi * UINT32_C(0x9e3779b1)) >> 7 & mask;
}

rt_inbound *rt_spi_find(const router *r, uint32_t spi)
{
    const rt_spi_table *table = atomic_load_explicit(&r->spis, memory_order_acquire);
    if (!table)
        return NULL;
    for (size_t i = spi_slot(spi, table->mask), n = 0; n <= table->mask; n++) {
        rt_inbound *in = atomic_load_explicit(&table->slots[i].entry, memory_order_acquire);
        if (!in)
            return NULL;
        if (in != &spi_gone && in->spi == spi)
            return in;
        i = (i + 1) & table->mask;
    }
    return NULL;
}

static void spi_put(rt_spi_table *table, rt_inbound *in)
{
    size_t i = spi_slot(in->spi, table->mask);
    while (atomic_load_explicit(&table->slots[i].entry, memory_order_relaxed))
        i = (i + 1) & table->mask;
    atomic_store_explicit(&table->slots[i].entry, in, memory_order_release);
}

static void spi_table_destroy(router *r, rt_retired *self)
{
    alloc_free(&r->mem, self);
}

/* A new table, at most half full, without those that were removed. */
static int32_t spi_rebuild(router *r)
{
    size_t slots = SPI_SLOTS_MIN;
    while (slots < 4 * (r->spi_count + 1))
        slots *= 2;
    rt_spi_table *table =
        r->mem.resize(r->mem.user, NULL, sizeof(*table) + slots * sizeof(table->slots[0]));
    if (!table)
        return ROUTER_ERR_NOMEM;
    table->mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        atomic_init(&table->slots[i].entry, NULL);
    rt_spi_table *old = atomic_load_explicit(&r->spis, memory_order_relaxed);
    for (size_t i = 0; old && i <= old->mask; i++) {
        rt_inbound *in = atomic_load_explicit(&old->slots[i].entry, memory_order_relaxed);
        if (in && in != &spi_gone)
            spi_put(table, in);
    }
    atomic_store_explicit(&r->spis, table, memory_order_release);
    r->spi_used = r->spi_count;
    if (old)
        rt_retire(r, &old->retired, spi_table_destroy);
    return ROUTER_OK;
}

int32_t rt_spi_add(router *r, rt_inbound *in)
{
    if (rt_spi_find(r, in->spi))
        return ROUTER_ERR_STATE;
    const rt_spi_table *table = atomic_load_explicit(&r->spis, memory_order_relaxed);
    if (!table || 2 * (r->spi_used + 1) > table->mask) {
        const int32_t rc = spi_rebuild(r);
        if (rc != ROUTER_OK)
            return rc;
    }
    spi_put(atomic_load_explicit(&r->spis, memory_order_relaxed), in);
    r->spi_count++;
    r->spi_used++;
    return ROUTER_OK;
}

void rt_spi_remove(router *r, rt_inbound *in)
{
    rt_spi_table *table = atomic_load_explicit(&r->spis, memory_order_relaxed);
    for (size_t i = 0; table && i <= table->mask; i++) {
        const size_t at = (spi_slot(in->spi, table->mask) + i) & table->mask;
        rt_inbound *found = atomic_load_explicit(&table->slots[at].entry, memory_order_relaxed);
        if (!found)
            return;
        if (found == in) {
            atomic_store_explicit(&table->slots[at].entry, &spi_gone, memory_order_release);
            r->spi_count--;
            return;
        }
    }
}

/*
 * ---- Tunnels by slot: chunks that stay until the end, so that a slot never moves ----
 *
 * A worker may hold a slot's number, from a route, across the tunnel's end. So the slot is not
 * another's before every worker has left its batch: a label must never go to a node that did not
 * allot it.
 */
static rt_tunnel slot_resting;

rt_tunnel *rt_slot_get(const router *r, uint32_t slot)
{
    if (slot >= RT_MAX_TUNNELS)
        return NULL;
    _Atomic(rt_tunnel *) *chunk =
        atomic_load_explicit(&r->chunks[slot / RT_SLOTS_PER_CHUNK], memory_order_acquire);
    if (!chunk)
        return NULL;
    rt_tunnel *t = atomic_load_explicit(&chunk[slot % RT_SLOTS_PER_CHUNK], memory_order_acquire);
    return t == &slot_resting ? NULL : t;
}

int32_t rt_slot_take(router *r, rt_tunnel *t)
{
    for (uint32_t n = 0; n < RT_MAX_TUNNELS; n++) {
        const uint32_t slot = (r->slot_hint + n) % RT_MAX_TUNNELS;
        const uint32_t c = slot / RT_SLOTS_PER_CHUNK;
        _Atomic(rt_tunnel *) *chunk = atomic_load_explicit(&r->chunks[c], memory_order_relaxed);
        if (!chunk) {
            chunk = r->mem.resize(r->mem.user, NULL, RT_SLOTS_PER_CHUNK * sizeof(*chunk));
            if (!chunk)
                return ROUTER_ERR_NOMEM;
            for (size_t i = 0; i < RT_SLOTS_PER_CHUNK; i++)
                atomic_init(&chunk[i], NULL);
            atomic_store_explicit(&r->chunks[c], chunk, memory_order_release);
        }
        if (!atomic_load_explicit(&chunk[slot % RT_SLOTS_PER_CHUNK], memory_order_relaxed)) {
            t->slot = slot;
            atomic_store_explicit(&chunk[slot % RT_SLOTS_PER_CHUNK], t, memory_order_release);
            r->slot_hint = slot + 1;
            return ROUTER_OK;
        }
    }
    return ROUTER_ERR_LIMIT;
}

static void slot_set(router *r, const rt_tunnel *t, rt_tunnel *value)
{
    _Atomic(rt_tunnel *) *chunk =
        atomic_load_explicit(&r->chunks[t->slot / RT_SLOTS_PER_CHUNK], memory_order_relaxed);
    if (chunk)
        atomic_store_explicit(&chunk[t->slot % RT_SLOTS_PER_CHUNK], value, memory_order_release);
}

void rt_slot_rest(router *r, const rt_tunnel *t)
{
    slot_set(r, t, &slot_resting);
}

void rt_slot_release(router *r, const rt_tunnel *t)
{
    slot_set(r, t, NULL);
    if (t->slot < r->slot_hint)
        r->slot_hint = t->slot;
}

/* ---- Retirement ---- */

void rt_worker_enter(router *r, rt_worker *w)
{
    atomic_store_explicit(&w->epoch, atomic_load(&r->epoch), memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

void rt_worker_leave(rt_worker *w)
{
    atomic_store_explicit(&w->epoch, RT_NEVER, memory_order_release);
}

void rt_retire(router *r, rt_retired *object, void (*destroy)(router *r, rt_retired *self))
{
    atomic_thread_fence(memory_order_seq_cst);
    object->epoch = atomic_fetch_add(&r->epoch, 1) + 1;
    object->destroy = destroy;
    object->next = r->retired;
    r->retired = object;
}

bool rt_collect(router *r)
{
    if (!r->retired)
        return false;
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t oldest = RT_NEVER;
    for (uint32_t i = 0; i < r->worker_count; i++) {
        const uint64_t epoch = atomic_load_explicit(&r->workers[i].epoch, memory_order_acquire);
        if (epoch < oldest)
            oldest = epoch;
    }
    rt_retired **link = &r->retired;
    while (*link) {
        rt_retired *object = *link;
        if (object->epoch <= oldest) {
            *link = object->next;
            object->destroy(r, object);
        } else {
            link = &object->next;
        }
    }
    return r->retired != NULL;
}

void rt_shared_free(router *r)
{
    for (uint32_t i = 0; i < r->worker_count; i++)
        atomic_store(&r->workers[i].epoch, RT_NEVER);
    (void)rt_collect(r);
    alloc_free(&r->mem, atomic_load(&r->spis));
    atomic_store(&r->spis, NULL);
    for (size_t i = 0; i < RT_MAX_TUNNELS / RT_SLOTS_PER_CHUNK; i++) {
        alloc_free(&r->mem, (void *)atomic_load(&r->chunks[i]));
        atomic_store(&r->chunks[i], NULL);
    }
}
