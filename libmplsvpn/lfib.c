/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Local labels: the allocator, which is the writer's, and the index that readers use.
 */
#include "state.h"

/* ---- Directories of chunks. ---- */

static void *chunk_at(_Atomic(directory *) const *dir, uint32_t number)
{
    const directory *d = atomic_load_explicit(dir, memory_order_acquire);
    const size_t at = number / CHUNK_ITEMS;
    return d && at < d->count ? atomic_load_explicit(&d->chunks[at], memory_order_acquire) : NULL;
}

/* Makes sure that there is a chunk for an item; false where there is no memory. */
static bool chunk_reserve(mplsvpn_table *t, _Atomic(directory *) *dir, uint32_t number,
                          size_t chunk_bytes)
{
    const size_t at = number / CHUNK_ITEMS;
    directory *d = atomic_load_explicit(dir, memory_order_relaxed);
    if (!d || at >= d->count) {
        size_t count = d ? d->count : 1;
        while (count <= at)
            count *= 2;
        directory *longer = alloc_zero(&t->memory, sizeof(*d) + count * sizeof(d->chunks[0]));
        if (!longer)
            return false;
        longer->count = count;
        for (size_t i = 0; d && i < d->count; i++)
            atomic_init(&longer->chunks[i],
                        atomic_load_explicit(&d->chunks[i], memory_order_relaxed));
        atomic_store_explicit(dir, longer, memory_order_release);
        if (d)
            mplsvpn__epoch_retire(&t->epoch, &d->retired);
        d = longer;
    }
    if (atomic_load_explicit(&d->chunks[at], memory_order_relaxed))
        return true;
    void *chunk = alloc_zero(&t->memory, chunk_bytes);
    if (!chunk)
        return false;
    atomic_store_explicit(&d->chunks[at], chunk, memory_order_release);
    return true;
}

static void directory_free(mplsvpn_table *t, _Atomic(directory *) *dir)
{
    directory *d = atomic_load_explicit(dir, memory_order_relaxed);
    for (size_t i = 0; d && i < d->count; i++)
        alloc_free(&t->memory, atomic_load_explicit(&d->chunks[i], memory_order_relaxed));
    alloc_free(&t->memory, d);
}

/* ---- Labels and ordinals. ---- */

static bool in_range(const mplsvpn_table *t, uint32_t label)
{
    return label >= t->cfg.first_label && label <= t->cfg.last_label;
}

static uint32_t ordinal_of(const mplsvpn_table *t, uint32_t label)
{
    const uint32_t offset = label - t->cfg.first_label;
    return offset >= t->lfib.start ? offset - t->lfib.start
                                   : offset + t->lfib.range - t->lfib.start;
}

static uint32_t label_of(const mplsvpn_table *t, uint32_t ordinal)
{
    const uint64_t offset = (uint64_t)ordinal + t->lfib.start;
    return t->cfg.first_label + (uint32_t)(offset % t->lfib.range);
}

static label_record *record_at(const mplsvpn_table *t, uint32_t ordinal)
{
    label_chunk *chunk = chunk_at(&t->lfib.labels, ordinal);
    return chunk ? &chunk->records[ordinal % CHUNK_ITEMS] : NULL;
}

/* The record of a label that is not free, or NULL. */
static label_record *taken_record(const mplsvpn_table *t, uint32_t label)
{
    label_record *r = in_range(t, label) ? record_at(t, ordinal_of(t, label)) : NULL;
    return r && r->state != MPLSVPN_LABEL_FREE ? r : NULL;
}

static _Atomic uint32_t *index_at(const mplsvpn_table *t, uint32_t ordinal)
{
    label_chunk *chunk = chunk_at(&t->lfib.labels, ordinal);
    return chunk ? &chunk->index[ordinal % CHUNK_ITEMS] : NULL;
}

static void list_append(const mplsvpn_table *t, uint32_t *head, uint32_t *tail, uint32_t ordinal)
{
    label_record *r = record_at(t, ordinal);
    r->previous = *tail;
    r->next = 0;
    if (*tail)
        record_at(t, *tail - 1)->next = ordinal + 1;
    else
        *head = ordinal + 1;
    *tail = ordinal + 1;
}

static void list_remove(const mplsvpn_table *t, uint32_t *head, uint32_t *tail, uint32_t ordinal)
{
    const label_record *r = record_at(t, ordinal);
    if (r->previous)
        record_at(t, r->previous - 1)->next = r->next;
    else
        *head = r->next;
    if (r->next)
        record_at(t, r->next - 1)->previous = r->previous;
    else
        *tail = r->previous;
}

/*
 * The only writer of a label's state.
 *
 *              to  FREE HELD BOUND DRAINING
 *     FREE          -    x     -      -
 *     HELD          -    -     x      x
 *     BOUND         -    -     x      x
 *     DRAINING      x    -     -      -
 */
static bool set_state(label_record *r, uint8_t state)
{
    static const uint8_t allowed[] = {
        [MPLSVPN_LABEL_FREE] = 1 << MPLSVPN_LABEL_HELD,
        [MPLSVPN_LABEL_HELD] = 1 << MPLSVPN_LABEL_BOUND | 1 << MPLSVPN_LABEL_DRAINING,
        [MPLSVPN_LABEL_BOUND] = 1 << MPLSVPN_LABEL_BOUND | 1 << MPLSVPN_LABEL_DRAINING,
        [MPLSVPN_LABEL_DRAINING] = 1 << MPLSVPN_LABEL_FREE,
    };
    if (!(allowed[r->state] & 1 << state))
        return false;
    r->state = state;
    return true;
}

/* ---- Owners. ---- */

/* The finalizer of splitmix64: every bit of the input counts for every bit of the output. */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static label_owner *owner_find(const mplsvpn_table *t, uint64_t id)
{
    map_node *n = map_first(&t->lfib.owners, mix(id ^ t->lfib.hash_key));
    while (n && ((label_owner *)n)->id != id)
        n = map_next(n);
    return (label_owner *)n;
}

static label_owner *owner_get(mplsvpn_table *t, uint64_t id)
{
    label_owner *o = owner_find(t, id);
    if (o)
        return o;
    o = alloc_zero(&t->memory, sizeof(*o));
    if (o) {
        o->id = id;
        map_insert(&t->lfib.owners, &t->memory, &o->node, mix(id ^ t->lfib.hash_key));
    }
    return o;
}

static void owner_drop_if_empty(mplsvpn_table *t, label_owner *o)
{
    if (o->head)
        return;
    map_remove(&t->lfib.owners, &o->node);
    alloc_free(&t->memory, o);
}

/* ---- Dense entries. ---- */

static lfib_entry *entry_at(const mplsvpn_table *t, uint32_t number)
{
    lfib_entry *chunk = chunk_at(&t->lfib.entries, number);
    return &chunk[number % CHUNK_ITEMS];
}

bool mplsvpn__lfib_collect(mplsvpn_table *t)
{
    lfib *f = &t->lfib;
    if (!f->retired_head)
        return true;
    const uint64_t oldest = mplsvpn__epoch_advance(&t->epoch);
    while (f->retired_head) {
        const uint32_t number = f->retired_head - 1;
        lfib_entry *e = entry_at(t, number);
        if (e->epoch >= oldest)
            break;
        f->retired_head = e->next_free;
        f->retired_count--;
        e->next_free = f->free_entries;
        f->free_entries = number + 1;
    }
    if (!f->retired_head)
        f->retired_tail = 0;
    return f->retired_head == 0;
}

/* A dense entry to fill; false where there is no memory. */
static bool entry_take(mplsvpn_table *t, uint32_t *out_number)
{
    lfib *f = &t->lfib;
    if (!f->free_entries)
        (void)mplsvpn__lfib_collect(t);
    if (f->free_entries) {
        *out_number = f->free_entries - 1;
        f->free_entries = entry_at(t, *out_number)->next_free;
        return true;
    }
    if (f->entries_used >= UINT32_MAX - INDEX_ENTRY ||
        !chunk_reserve(t, &f->entries, f->entries_used, CHUNK_ITEMS * sizeof(lfib_entry)))
        return false;
    *out_number = f->entries_used++;
    return true;
}

/* Puts a value into the index and retires the entry that was there. */
static void index_set(mplsvpn_table *t, uint32_t ordinal, uint32_t value)
{
    lfib *f = &t->lfib;
    _Atomic uint32_t *index = index_at(t, ordinal);
    const uint32_t old = atomic_load_explicit(index, memory_order_relaxed);
    atomic_store_explicit(index, value, memory_order_release);
    if (old < INDEX_ENTRY)
        return;
    lfib_entry *e = entry_at(t, old - INDEX_ENTRY);
    mplsvpn__vrf_find(t, e->hop.vrf)->bound--;
    e->epoch = atomic_load_explicit(&t->epoch.now, memory_order_relaxed);
    e->next_free = 0;
    if (f->retired_tail)
        entry_at(t, f->retired_tail - 1)->next_free = old - INDEX_ENTRY + 1;
    else
        f->retired_head = old - INDEX_ENTRY + 1;
    f->retired_tail = old - INDEX_ENTRY + 1;
    f->retired_count++;
}

mplsvpn_rc mplsvpn__lfib_find(const mplsvpn_table *t, uint32_t label, const mplsvpn_hop **out)
{
    if (!in_range(t, label))
        return MPLSVPN_ERR_NO_LABEL;
    _Atomic uint32_t *index = index_at(t, ordinal_of(t, label));
    const uint32_t v = index ? atomic_load_explicit(index, memory_order_acquire) : INDEX_UNBOUND;
    if (v < INDEX_ENTRY)
        return v == INDEX_DRAINING ? MPLSVPN_ERR_DRAINING : MPLSVPN_ERR_NO_LABEL;
    *out = &entry_at(t, v - INDEX_ENTRY)->hop;
    return MPLSVPN_OK;
}

/* ---- The allocator. ---- */

static uint64_t get_u64(const uint8_t b[8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | b[i];
    return v;
}

bool mplsvpn__lfib_init(mplsvpn_table *t)
{
    lfib *f = &t->lfib;
    f->range = t->cfg.last_label - t->cfg.first_label + 1;
    uint64_t v = 0;
    for (size_t i = 0; i < sizeof(t->cfg.seed); i += 8)
        v = mix(v + get_u64(t->cfg.seed + i) + UINT64_C(0x9e3779b97f4a7c15));
    f->start = (uint32_t)(v % f->range);
    f->hash_key = mix(v);
    return map_init(&f->owners, &t->memory);
}

void mplsvpn__lfib_close(mplsvpn_table *t)
{
    size_t bucket = 0;
    map_node *n = map_walk(&t->lfib.owners, &bucket, NULL);
    while (n) {
        map_node *next = map_walk(&t->lfib.owners, &bucket, n);
        alloc_free(&t->memory, n);
        n = next;
    }
    map_free(&t->lfib.owners, &t->memory);
    directory_free(t, &t->lfib.labels);
    directory_free(t, &t->lfib.entries);
}

/* Gives a free label to an owner; nothing changes where there is no memory. */
static mplsvpn_rc take(mplsvpn_table *t, uint64_t owner_id, uint32_t ordinal)
{
    lfib *f = &t->lfib;
    if (!chunk_reserve(t, &f->labels, ordinal, sizeof(label_chunk)))
        return MPLSVPN_ERR_NOMEM;
    label_owner *owner = owner_get(t, owner_id);
    if (!owner)
        return MPLSVPN_ERR_NOMEM;
    label_record *r = record_at(t, ordinal);
    if (r->queued)
        list_remove(t, &f->free_queue.head, &f->free_queue.tail, ordinal);
    r->queued = 0;
    r->owner = owner;
    (void)set_state(r, MPLSVPN_LABEL_HELD);
    list_append(t, &owner->head, &owner->tail, ordinal);
    f->taken++;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_allocate(mplsvpn_table *t, uint64_t owner_id, uint32_t *out_label)
{
    if (!t || !out_label)
        return MPLSVPN_ERR_ARG;
    lfib *f = &t->lfib;
    if (f->taken >= t->cfg.max_labels)
        return MPLSVPN_ERR_LIMIT;

    /* Never used first; those taken by name before their turn came are passed over. */
    for (; f->fresh < f->range; f->fresh++) {
        const label_record *r = record_at(t, f->fresh);
        if (!r || (r->state == MPLSVPN_LABEL_FREE && !r->queued))
            break;
    }
    const bool fresh = f->fresh < f->range;
    if (!fresh && !f->free_queue.head)
        return MPLSVPN_ERR_LIMIT;
    const uint32_t ordinal = fresh ? f->fresh : f->free_queue.head - 1;
    const mplsvpn_rc rc = take(t, owner_id, ordinal);
    if (rc != MPLSVPN_OK)
        return rc;
    f->fresh += fresh;
    *out_label = label_of(t, ordinal);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_reserve(mplsvpn_table *t, uint64_t owner_id, uint32_t label)
{
    if (!t || !in_range(t, label))
        return MPLSVPN_ERR_ARG;
    if (taken_record(t, label))
        return MPLSVPN_ERR_STATE;
    if (t->lfib.taken >= t->cfg.max_labels)
        return MPLSVPN_ERR_LIMIT;
    return take(t, owner_id, ordinal_of(t, label));
}

mplsvpn_rc mplsvpn_label_bind(mplsvpn_table *t, uint32_t label, const mplsvpn_hop *hop)
{
    mplsvpn_hop h;
    if (!t || !hop || !mplsvpn__hop_normalize(hop, &h))
        return MPLSVPN_ERR_ARG;
    label_record *r = taken_record(t, label);
    vrf *context = mplsvpn__vrf_find(t, h.vrf);
    if (!r || !context)
        return MPLSVPN_ERR_ABSENT;
    if (r->state == MPLSVPN_LABEL_DRAINING)
        return MPLSVPN_ERR_STATE;
    uint32_t number;
    if (!entry_take(t, &number))
        return MPLSVPN_ERR_NOMEM;
    entry_at(t, number)->hop = h;
    context->bound++;
    (void)set_state(r, MPLSVPN_LABEL_BOUND);
    index_set(t, ordinal_of(t, label), number + INDEX_ENTRY);
    return MPLSVPN_OK;
}

static void drain(mplsvpn_table *t, label_record *r, uint32_t ordinal)
{
    if (!set_state(r, MPLSVPN_LABEL_DRAINING))
        return;
    t->lfib.draining++;
    index_set(t, ordinal, INDEX_DRAINING);
}

mplsvpn_rc mplsvpn_label_release(mplsvpn_table *t, uint32_t label)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    label_record *r = taken_record(t, label);
    if (!r)
        return MPLSVPN_ERR_ABSENT;
    drain(t, r, ordinal_of(t, label));
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_release_owner(mplsvpn_table *t, uint64_t owner_id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    const label_owner *o = owner_find(t, owner_id);
    if (!o)
        return MPLSVPN_ERR_ABSENT;
    for (uint32_t at = o->head; at; at = record_at(t, at - 1)->next)
        drain(t, record_at(t, at - 1), at - 1);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_reclaim(mplsvpn_table *t, uint32_t label)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    lfib *f = &t->lfib;
    label_record *r = taken_record(t, label);
    if (!r)
        return MPLSVPN_ERR_ABSENT;
    if (!set_state(r, MPLSVPN_LABEL_FREE))
        return MPLSVPN_ERR_STATE;
    const uint32_t ordinal = ordinal_of(t, label);
    label_owner *owner = r->owner;
    index_set(t, ordinal, INDEX_UNBOUND);
    list_remove(t, &owner->head, &owner->tail, ordinal);
    r->owner = NULL;
    owner_drop_if_empty(t, owner);
    list_append(t, &f->free_queue.head, &f->free_queue.tail, ordinal);
    r->queued = 1;
    f->taken--;
    f->draining--;
    return MPLSVPN_OK;
}

/* The iterator of a walk that has returned the last label. */
#define WALK_END SIZE_MAX

mplsvpn_rc mplsvpn_label_next(const mplsvpn_table *t, uint64_t owner_id, size_t *it,
                              uint32_t *out_label)
{
    if (!t || !it || !out_label)
        return MPLSVPN_ERR_ARG;
    const label_owner *o = owner_find(t, owner_id);
    if (!o || *it == WALK_END)
        return MPLSVPN_OK;
    if (*it > t->lfib.range)
        return MPLSVPN_ERR_ARG;
    const uint32_t ordinal = *it ? (uint32_t)(*it - 1) : o->head - 1;
    const label_record *r = record_at(t, ordinal);
    if (!r || r->owner != o)
        return MPLSVPN_ERR_ARG;
    *it = r->next ? r->next : WALK_END;
    *out_label = label_of(t, ordinal);
    return MPLSVPN_YES;
}

mplsvpn_rc mplsvpn_lfib_next(const mplsvpn_table *t, size_t *it, uint32_t *out_label)
{
    if (!t || !it || !out_label)
        return MPLSVPN_ERR_ARG;
    size_t at = *it;
    while (at < t->lfib.range) {
        const label_record *r = record_at(t, (uint32_t)at);
        if (!r) {
            at = (at / CHUNK_ITEMS + 1) * CHUNK_ITEMS;
            continue;
        }
        at++;
        if (r->state != MPLSVPN_LABEL_FREE) {
            *it = at;
            *out_label = label_of(t, (uint32_t)(at - 1));
            return MPLSVPN_YES;
        }
    }
    *it = at;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_get(const mplsvpn_table *t, uint32_t label, uint8_t *out_state,
                             uint64_t *out_owner_id, mplsvpn_hop *out_hop)
{
    if (!t || !out_state || !out_owner_id || !out_hop)
        return MPLSVPN_ERR_ARG;
    if (!in_range(t, label))
        return MPLSVPN_ERR_ABSENT;
    const label_record *r = taken_record(t, label);
    const mplsvpn_hop *hop = NULL;
    *out_state = r ? r->state : MPLSVPN_LABEL_FREE;
    *out_owner_id = r ? r->owner->id : 0;
    *out_hop = mplsvpn__lfib_find(t, label, &hop) == MPLSVPN_OK ? *hop : (mplsvpn_hop){0};
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_table_lookup(const mplsvpn_table *t, uint32_t in_if, uint32_t label,
                                mplsvpn_hop *hop)
{
    if (!t || !hop)
        return MPLSVPN_ERR_ARG;
    if (label < MPLSVPN_LABEL_FIRST)
        return MPLSVPN_ERR_RESERVED;
    const mplsvpn_hop *found;
    const mplsvpn_rc rc = mplsvpn__lfib_find(t, label, &found);
    if (rc != MPLSVPN_OK)
        return rc;
    const interface *i = mplsvpn__interface_find(t, in_if);
    if (!i || !mplsvpn__interface_may(i, found->vrf))
        return MPLSVPN_ERR_NOT_ALLOWED;
    *hop = *found;
    return MPLSVPN_OK;
}
