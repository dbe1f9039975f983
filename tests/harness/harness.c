/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64 */
uint64_t prng_u64(prng *p)
{
    uint64_t z = (p->state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint32_t prng_below(prng *p, uint32_t bound)
{
    return bound ? (uint32_t)(prng_u64(p) % bound) : 0;
}

void prng_bytes(prng *p, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)prng_u64(p);
}

void *fail_alloc_resize(void *user, void *ptr, size_t size)
{
    fail_alloc *f = user;
    if (size == 0) {
        f->live -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (++f->calls == f->fail_at)
        return NULL;
    void *grown = realloc(ptr, size);
    f->live += grown && !ptr;
    return grown;
}

void assert_survives_every_allocation_failure(void (*scenario)(fail_alloc *f, void *user),
                                              void *user)
{
    fail_alloc f;
    uint64_t n = 0;
    do {
        f = (fail_alloc){.fail_at = ++n};
        scenario(&f, user);
        if (f.live != 0)
            fail_msg("allocation %llu failed and %lld blocks were left", (unsigned long long)n,
                     (long long)f.live);
    } while (f.calls >= n);
    assert_true(n > 1); /* the scenario did allocate through f */
}

struct vnet {
    prng random;
    vnet_rules rules;
    vnet_datagram *queue; /* a binary heap by (at_ms, order) */
    size_t count, cap;
    uint64_t sent;
};

vnet *vnet_new(uint64_t seed, const vnet_rules *rules)
{
    vnet *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    n->random.state = seed;
    n->rules = *rules;
    return n;
}

void vnet_free(vnet *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->queue[i].bytes);
    free(n->queue);
    free(n);
}

void vnet_set_rules(vnet *n, const vnet_rules *rules)
{
    n->rules = *rules;
}

static bool before(const vnet_datagram *a, const vnet_datagram *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(vnet_datagram *a, vnet_datagram *b)
{
    const vnet_datagram t = *a;
    *a = *b;
    *b = t;
}

static void enqueue(vnet *n, vnet_datagram d, const uint8_t *bytes)
{
    if (n->count == n->cap) {
        n->cap = n->cap ? n->cap * 2 : 64;
        n->queue = realloc(n->queue, n->cap * sizeof(*n->queue));
        assert_non_null(n->queue);
    }
    d.bytes = malloc(d.len ? d.len : 1);
    assert_non_null(d.bytes);
    if (d.len)
        memcpy(d.bytes, bytes, d.len);
    d.order = n->sent++;
    size_t i = n->count++;
    n->queue[i] = d;
    for (; i > 0 && before(&n->queue[i], &n->queue[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&n->queue[i], &n->queue[(i - 1) / 2]);
}

static bool chance(vnet *n, uint32_t ppm)
{
    return prng_below(&n->random, 1000000) < ppm;
}

void vnet_send(vnet *n, uint64_t now_ms, uint32_t from, uint32_t to, uint64_t tag,
               const uint8_t *bytes, size_t len)
{
    vnet_datagram d = {.from = from, .to = to, .tag = tag, .len = len};
    if (chance(n, n->rules.loss_ppm))
        return;
    const int copies = chance(n, n->rules.duplicate_ppm) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
        d.at_ms = now_ms + n->rules.delay_ms + prng_below(&n->random, n->rules.jitter_ms + 1);
        if (chance(n, n->rules.reorder_ppm))
            d.at_ms += prng_below(&n->random, n->rules.reorder_ms + 1);
        enqueue(n, d, bytes);
    }
}

uint64_t vnet_deadline(const vnet *n)
{
    return n->count ? n->queue[0].at_ms : UINT64_MAX;
}

bool vnet_receive(vnet *n, uint64_t now_ms, vnet_datagram *out)
{
    if (n->count == 0 || n->queue[0].at_ms > now_ms)
        return false;
    *out = n->queue[0];
    n->queue[0] = n->queue[--n->count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n->count; child++)
            if (before(&n->queue[child], &n->queue[least]))
                least = child;
        if (least == i)
            break;
        swap(&n->queue[i], &n->queue[least]);
        i = least;
    }
    return true;
}

void vnet_release(vnet_datagram *d)
{
    free(d->bytes);
    d->bytes = NULL;
}
