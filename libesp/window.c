/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "window.h"

#define BLOCK_BITS  64u
#define SUBSPACE    (UINT64_C(1) << 32)
#define LOW_HALF(x) ((uint32_t)(x))

/*
 * One block more than the window spans: the window's lower end lies within a block, and the upper
 * end may have just entered a new one.
 */
static uint32_t blocks_for(uint32_t size)
{
    const uint32_t needed = (size + BLOCK_BITS - 1) / BLOCK_BITS + 1;
    uint32_t blocks = 2;
    while (blocks < needed)
        blocks *= 2;
    return blocks;
}

static uint64_t *block_of(const esp__window *w, uint64_t sequence)
{
    return &w->blocks[(sequence / BLOCK_BITS) & w->mask];
}

static uint64_t bit_of(uint64_t sequence)
{
    return UINT64_C(1) << (sequence % BLOCK_BITS);
}

bool esp__window_init(esp__window *w, const alloc *a, uint32_t size, uint64_t last)
{
    w->top = last;
    w->size = size;
    w->mask = 0;
    w->blocks = NULL;
    if (size == 0)
        return true;

    const uint32_t blocks = blocks_for(size);
    w->blocks = alloc_array(a, blocks, sizeof(*w->blocks));
    if (!w->blocks)
        return false;
    w->mask = blocks - 1;
    memset(w->blocks, 0xff, blocks * sizeof(*w->blocks));
    /* Of the top's own block, the bits above the top are yet to come. */
    *block_of(w, last) = bit_of(last) | (bit_of(last) - 1);
    return true;
}

void esp__window_free(esp__window *w, const alloc *a)
{
    alloc_free(a, w->blocks);
    w->blocks = NULL;
}

/* RFC 4303 A2.2; the names are its own, B being the lower end of the window, T the upper. */
bool esp__window_infer(const esp__window *w, uint32_t low, uint64_t *sequence)
{
    const uint32_t tl = LOW_HALF(w->top);
    const uint32_t bl = tl - w->size + 1;
    uint64_t high = w->top / SUBSPACE;

    if (tl >= w->size - 1) { /* Case A: the window lies within one subspace. */
        if (low < bl)
            high++;
    } else { /* Case B: it spans two. */
        if (low >= bl) {
            if (high == 0)
                return false; /* before the first number of all */
            high--;
        }
    }
    if (high >= SUBSPACE)
        return false; /* beyond the last: the sequence never cycles (RFC 4303 3.3.3) */
    *sequence = high * SUBSPACE + low;
    return true;
}

bool esp__window_check(const esp__window *w, uint64_t sequence)
{
    if (w->size == 0 || sequence > w->top)
        return true;
    if (w->top - sequence >= w->size)
        return false;
    return (*block_of(w, sequence) & bit_of(sequence)) == 0;
}

void esp__window_accept(esp__window *w, uint64_t sequence)
{
    if (sequence > w->top) {
        if (w->size > 0) {
            /* Blocks that the top enters anew hold the bits of numbers a whole ring ago. */
            const uint64_t from = w->top / BLOCK_BITS;
            const uint64_t entered = sequence / BLOCK_BITS - from;
            const uint64_t stale = entered <= w->mask ? entered : (uint64_t)w->mask + 1;
            for (uint64_t i = 1; i <= stale; i++)
                w->blocks[(from + i) & w->mask] = 0;
        }
        w->top = sequence;
    }
    if (w->size > 0)
        *block_of(w, sequence) |= bit_of(sequence);
}
