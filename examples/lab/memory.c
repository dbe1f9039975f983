/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* sbrk, madvise */

#include "memory.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __GLIBC__

enum { STEP_BYTES = 65536, STEPS = 4, HUGE_PAGE_BYTES = 2 << 20 };

/*
 * The nodes take turns, a packet each, and a thousand of them have more pages than a TLB has
 * entries: each packet would pay for that. So the heap grows once, and what it grows by is of huge
 * pages, where the kernel has them.
 */
void memory_expect(size_t bytes)
{
    (void)mallopt(M_TOP_PAD, bytes < INT_MAX ? (int)bytes : INT_MAX);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    const uintptr_t old_end = (uintptr_t)sbrk(0);
    void *blocks[STEPS];
    for (size_t i = 0; i < STEPS; i++)
        blocks[i] = malloc(STEP_BYTES);
    for (size_t i = 0; i < STEPS; i++)
        free(blocks[i]);
    const uintptr_t from = (old_end + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    const uintptr_t to = (uintptr_t)sbrk(0);
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    (void)mallopt(M_TOP_PAD, STEP_BYTES);
}

size_t memory_in_use(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

#else

void memory_expect(size_t bytes)
{
    (void)bytes;
}

size_t memory_in_use(void)
{
    return 0;
}

#endif
