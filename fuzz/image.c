/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
#else
#define __asan_poison_memory_region(at, len)   ((void)(at), (void)(len))
#define __asan_unpoison_memory_region(at, len) ((void)(at), (void)(len))
#endif

enum { ARENA_BYTES = 4 << 20, BLOCKS_MAX = 4096, ALIGNMENT = 16, REDZONE_BYTES = 32 };

typedef struct block {
    uint8_t *at;
    size_t len;
    bool live;
} block;

/* While the world is built blocks are cut from the arena, with poison between them. */
static _Alignas(ALIGNMENT) uint8_t arena[ARENA_BYTES];
static uint8_t copy[ARENA_BYTES];
static size_t used;
static block blocks[BLOCKS_MAX];
static size_t block_count;
static bool kept;
static size_t starve;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool in_arena(const void *ptr)
{
    return (uintptr_t)ptr >= (uintptr_t)arena && (uintptr_t)ptr < (uintptr_t)arena + sizeof(arena);
}

/* The live block that begins there; anything else is a wrong or a second free. */
static block *find(const void *ptr)
{
    size_t low = 0, high = block_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if ((uintptr_t)blocks[middle].at < (uintptr_t)ptr)
            low = middle + 1;
        else
            high = middle;
    }
    require(low < block_count && blocks[low].at == ptr && blocks[low].live);
    return &blocks[low];
}

static void *cut(size_t size)
{
    if (block_count == 0)
        __asan_poison_memory_region(arena, sizeof(arena));
    const size_t at = used + REDZONE_BYTES;
    require(size < sizeof(arena) && at + size <= sizeof(arena) && block_count < BLOCKS_MAX);
    used = at + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    blocks[block_count] = (block){.at = arena + at, .len = size, .live = true};
    __asan_unpoison_memory_region(arena + at, size);
    return blocks[block_count++].at;
}

void *image_resize(void *user, void *ptr, size_t size)
{
    (void)user;
    block *b = in_arena(ptr) ? find(ptr) : NULL;
    if (ptr && !b) {
        if (size > 0)
            return starve > 0 && --starve == 0 ? NULL : realloc(ptr, size);
        free(ptr);
        return NULL;
    }
    void *fresh = NULL;
    if (size > 0) {
        if (starve > 0 && --starve == 0)
            return NULL;
        fresh = kept ? malloc(size) : cut(size);
        if (!fresh)
            return NULL;
        if (b)
            memcpy(fresh, ptr, b->len < size ? b->len : size);
    }
    if (b) {
        b->live = false;
        __asan_poison_memory_region(b->at, b->len);
    }
    return fresh;
}

bool image_kept(void)
{
    return kept;
}

void image_keep(void)
{
    size_t live = 0;
    for (size_t i = 0; i < block_count; i++)
        if (blocks[i].live)
            blocks[live++] = blocks[i];
    block_count = live;
    for (size_t i = 0; i < block_count; i++)
        memcpy(copy + (blocks[i].at - arena), blocks[i].at, blocks[i].len);
    kept = true;
}

void image_starve(size_t count)
{
    starve = count;
}

void image_restore(void)
{
    starve = 0;
    for (size_t i = 0; i < block_count; i++) {
        block *b = &blocks[i];
        __asan_unpoison_memory_region(b->at, b->len);
        memcpy(b->at, copy + (b->at - arena), b->len);
        b->live = true;
    }
}
