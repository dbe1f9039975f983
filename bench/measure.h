/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What benchmarks share: CPU time of the thread, the median of runs, and what an allocator holds.
 * _POSIX_C_SOURCE is defined before the first include.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s failed\n", what);
        exit(1);
    }
}

static inline double cpu_ns(void)
{
    struct timespec t;
    require(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0, "clock_gettime");
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

/* An allocator's resize whose user is a size_t: bytes held, with the C library's rounding. */
static inline void *counted_resize(void *user, void *p, size_t size)
{
    size_t *held = user;
    *held -= malloc_usable_size(p);
    if (size == 0) {
        free(p);
        return NULL;
    }
    void *q = realloc(p, size);
    *held += malloc_usable_size(q);
    return q;
}

#endif
