/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The Internet checksum (RFC 1071). Sums of parts add up as long as every part but the last has an
 * even length.
 */
#ifndef INTERNAL_CHECKSUM_H
#define INTERNAL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds len bytes to a running sum; an odd last byte counts as the high half of a word. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *b, size_t len)
{
    while (len >= 4) {
        sum += (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        b += 4;
        len -= 4;
    }
    if (len >= 2) {
        sum += (uint32_t)b[0] << 8 | b[1];
        b += 2;
        len -= 2;
    }
    if (len == 1)
        sum += (uint32_t)b[0] << 8;
    return sum;
}

/* The checksum of what was summed, in host order; 0 over data that holds a right checksum. */
static inline uint16_t checksum_end(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

#endif
