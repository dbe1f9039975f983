/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Structs that may grow begin with uint32_t struct_size, set by the caller. A caller compiled
 * against an older header hands in less, one compiled against a newer header more.
 */
#ifndef INTERNAL_VERSIONED_H
#define INTERNAL_VERSIONED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No struct of ours comes near it: a larger size was never set. */
#define VERSIONED_MAX_SIZE 65536

/*
 * Reads a caller's struct into ours, of size bytes, which holds the defaults. False where the
 * caller's is smaller than the first released one, or its part unknown to us is not all zero: it
 * asks for something that this version cannot do.
 */
static inline bool versioned_read(void *ours, size_t size, size_t first_size, const void *theirs)
{
    uint32_t given;
    memcpy(&given, theirs, sizeof(given));
    if (given < first_size || given > VERSIONED_MAX_SIZE)
        return false;
    for (size_t i = size; i < given; i++)
        if (((const uint8_t *)theirs)[i] != 0)
            return false;
    memcpy(ours, theirs, given < size ? given : size);
    const uint32_t known = (uint32_t)size;
    memcpy(ours, &known, sizeof(known));
    return true;
}

/* Writes our struct into a caller's of struct_size bytes; what it has beyond ours becomes zero. */
static inline bool versioned_write(void *theirs, const void *ours, size_t size, size_t first_size)
{
    uint32_t given;
    memcpy(&given, theirs, sizeof(given));
    if (given < first_size || given > VERSIONED_MAX_SIZE)
        return false;
    const size_t shared = given < size ? given : size;
    memcpy(theirs, ours, shared);
    memset((uint8_t *)theirs + shared, 0, given - shared);
    memcpy(theirs, &given, sizeof(given));
    return true;
}

#endif
