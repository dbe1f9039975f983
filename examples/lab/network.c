/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include "rng.h"

#include <stdlib.h>
#include <string.h>

enum { MILLION = 1000000 };

/* When a datagram arrives, beside it: to compare them is not to fetch them. */
typedef struct arrival {
    uint64_t at_ms;
    uint64_t order; /* of those that arrive together: first sent, first in */
    network_datagram *datagram;
} arrival;

struct network {
    network_rules rules;
    uint64_t random;
    uint64_t order;
    arrival *heap;
    size_t count, cap;
    network_stats stats;
};

network *network_new(uint64_t seed, const network_rules *rules)
{
    network *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->rules = *rules;
    n->random = seed;
    return n;
}

void network_free(network *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        free(n->heap[i].datagram);
    free(n->heap);
    free(n);
}

static bool earlier(const arrival *a, const arrival *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static bool push(network *n, const arrival *a)
{
    if (n->count == n->cap) {
        const size_t cap = n->cap ? n->cap * 2 : 64;
        arrival *heap = realloc(n->heap, cap * sizeof(*heap));
        if (!heap)
            return false;
        n->heap = heap;
        n->cap = cap;
    }
    size_t slot = n->count++;
    while (slot > 0 && earlier(a, &n->heap[(slot - 1) / 2])) {
        n->heap[slot] = n->heap[(slot - 1) / 2];
        slot = (slot - 1) / 2;
    }
    n->heap[slot] = *a;
    return true;
}

static network_datagram *pop(network *n)
{
    network_datagram *first = n->heap[0].datagram;
    const arrival last = n->heap[--n->count];
    size_t slot = 0;
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= n->count)
            break;
        if (child + 1 < n->count && earlier(&n->heap[child + 1], &n->heap[child]))
            child++;
        if (!earlier(&n->heap[child], &last))
            break;
        n->heap[slot] = n->heap[child];
        slot = child;
    }
    n->heap[slot] = last;
    return first;
}

static bool happens(network *n, uint32_t ppm)
{
    /* Draws in any case, so that one rule does not shift what another one decides. */
    return rng_below(&n->random, MILLION) < ppm;
}

static bool send_one(network *n, uint64_t at_ms, const router_path *path, const uint8_t *bytes,
                     size_t len)
{
    network_datagram *d = malloc(sizeof(*d) + ROUTER_HEADROOM + len + ROUTER_TAILROOM);
    if (!d)
        return false;
    d->path = (router_path){.local = path->peer, .peer = path->local, .transport = path->transport};
    d->len = len;
    if (len > 0)
        memcpy(d->buf + ROUTER_HEADROOM, bytes, len);
    const arrival a = {.at_ms = at_ms, .order = n->order++, .datagram = d};
    if (!push(n, &a)) {
        free(d);
        return false;
    }
    return true;
}

bool network_send(network *n, uint64_t now_ms, const router_path *path, const uint8_t *bytes,
                  size_t len)
{
    const network_rules *rules = &n->rules;
    n->stats.sent++;
    n->stats.bytes += len;
    const bool lost = happens(n, rules->loss_ppm);
    const bool twice = happens(n, rules->duplicate_ppm);
    for (int copies = twice ? 2 : 1; copies > 0; copies--) {
        const bool late = happens(n, rules->reorder_ppm);
        const uint32_t jitter = rng_below(&n->random, rules->jitter_ms + 1);
        const uint32_t more = rng_below(&n->random, rules->reorder_ms + 1);
        const uint64_t delay = (rules->delay_ms ? rules->delay_ms : 1) + jitter + (late ? more : 0);
        if (!lost && !send_one(n, now_ms + delay, path, bytes, len))
            return false;
    }
    n->stats.lost += lost;
    n->stats.duplicated += twice && !lost;
    return true;
}

uint64_t network_deadline(const network *n)
{
    return n->count ? n->heap[0].at_ms : ROUTER_NEVER;
}

network_datagram *network_receive(network *n, uint64_t now_ms)
{
    if (network_deadline(n) > now_ms)
        return NULL;
    n->stats.delivered++;
    return pop(n);
}

void network_get_stats(const network *n, network_stats *out)
{
    *out = n->stats;
}
