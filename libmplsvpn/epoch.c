/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "epoch.h"

/* Scanning the readers is put off until so many blocks wait. */
#define COLLECT_BATCH 64

void mplsvpn__epoch_init(epoch *e, const alloc *memory)
{
    e->memory = *memory;
    atomic_init(&e->now, EPOCH_IDLE + 1);
    atomic_init(&e->handshake, 0);
    e->readers = NULL;
    e->blocks.head = NULL;
    e->blocks.tail = &e->blocks.head;
    e->pending = 0;
    e->until_collect = COLLECT_BATCH;
}

static void free_before(epoch *e, uint64_t oldest)
{
    while (e->blocks.head && e->blocks.head->epoch < oldest) {
        retired *block = e->blocks.head;
        e->blocks.head = block->next;
        e->pending--;
        alloc_free(&e->memory, block);
    }
    if (!e->blocks.head)
        e->blocks.tail = &e->blocks.head;
}

void mplsvpn__epoch_close(epoch *e)
{
    free_before(e, UINT64_MAX);
}

void mplsvpn__epoch_join(epoch *e, epoch_reader *r)
{
    atomic_init(&r->epoch, atomic_load_explicit(&e->now, memory_order_relaxed));
    r->active = true;
    r->next = e->readers;
    e->readers = r;
}

void mplsvpn__epoch_leave(epoch *e, epoch_reader *r)
{
    epoch_reader **link = &e->readers;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
}

void mplsvpn__epoch_quiesce(epoch *e, epoch_reader *r)
{
    const uint64_t now = atomic_load_explicit(&e->now, memory_order_acquire);
    atomic_store_explicit(&r->epoch, now, memory_order_release);
    if (!r->active) {
        (void)atomic_fetch_add_explicit(&e->handshake, 1, memory_order_acq_rel);
        r->active = true;
    }
}

void mplsvpn__epoch_idle(epoch_reader *r)
{
    r->active = false;
    atomic_store_explicit(&r->epoch, EPOCH_IDLE, memory_order_release);
}

void mplsvpn__epoch_retire(epoch *e, retired *block)
{
    block->next = NULL;
    block->epoch = atomic_load_explicit(&e->now, memory_order_relaxed);
    *e->blocks.tail = block;
    e->blocks.tail = &block->next;
    e->pending++;
    if (--e->until_collect == 0)
        (void)mplsvpn__epoch_collect(e);
}

uint64_t mplsvpn__epoch_advance(epoch *e)
{
    (void)atomic_fetch_add_explicit(&e->now, 1, memory_order_release);
    (void)atomic_fetch_add_explicit(&e->handshake, 1, memory_order_acq_rel);

    uint64_t oldest = UINT64_MAX;
    for (const epoch_reader *r = e->readers; r; r = r->next) {
        const uint64_t seen = atomic_load_explicit(&r->epoch, memory_order_acquire);
        if (seen != EPOCH_IDLE && seen < oldest)
            oldest = seen;
    }
    return oldest;
}

bool mplsvpn__epoch_collect(epoch *e)
{
    e->until_collect = COLLECT_BATCH;
    if (e->blocks.head)
        free_before(e, mplsvpn__epoch_advance(e));
    return e->blocks.head == NULL;
}
