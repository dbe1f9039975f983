/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Checked allocation through the caller's allocator. Nothing here aborts: NULL means no memory,
 * and the old block is untouched.
 */
#ifndef INTERNAL_ALLOC_H
#define INTERNAL_ALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct alloc {
    void *(*resize)(void *user, void *ptr, size_t size);
    void *user;
} alloc;

static inline void *alloc_default_resize(void *user, void *ptr, size_t size)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

/* resize NULL: the C library's allocator. */
static inline alloc alloc_make(void *(*resize)(void *, void *, size_t), void *user)
{
    alloc a = {resize ? resize : alloc_default_resize, user};
    return a;
}

static inline void alloc_free(const alloc *a, void *ptr)
{
    if (ptr)
        (void)a->resize(a->user, ptr, 0);
}

/* An array of count zeroed items; NULL also where count * size overflows or is 0. */
static inline void *alloc_array(const alloc *a, size_t count, size_t size)
{
    if (count == 0 || size == 0 || count > SIZE_MAX / size)
        return NULL;
    void *ptr = a->resize(a->user, NULL, count * size);
    if (ptr)
        memset(ptr, 0, count * size);
    return ptr;
}

static inline void *alloc_zero(const alloc *a, size_t size)
{
    return alloc_array(a, 1, size);
}

/* Grows an array to new_count items, the new ones zeroed. */
static inline void *alloc_grow(const alloc *a, void *ptr, size_t old_count, size_t new_count,
                               size_t size)
{
    if (new_count == 0 || size == 0 || new_count < old_count || new_count > SIZE_MAX / size)
        return NULL;
    uint8_t *grown = a->resize(a->user, ptr, new_count * size);
    if (grown)
        memset(grown + old_count * size, 0, (new_count - old_count) * size);
    return grown;
}

#endif
