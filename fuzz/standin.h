/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The mixer under the stand-ins for cryptographic primitives: every bit that goes in counts for
 * every bit that comes out, and nothing is secret.
 */
#ifndef FUZZ_STANDIN_H
#define FUZZ_STANDIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { STANDIN_WORD = 8 };

/* The finalizer of splitmix64. */
static inline uint64_t standin_mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static inline uint64_t standin_absorb(uint64_t state, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    for (; at + STANDIN_WORD <= len; at += STANDIN_WORD) {
        uint64_t word;
        memcpy(&word, bytes + at, STANDIN_WORD);
        state = standin_mix(state + word);
    }
    for (; at < len; at++)
        state = standin_mix(state + bytes[at]);
    return state;
}

/* The next eight bytes of the stream that a state makes, combined with what is there. */
static inline void standin_add_stream(uint64_t state, uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += STANDIN_WORD) {
        const uint64_t word = standin_mix(state + at + 1);
        for (size_t i = 0; i < STANDIN_WORD && at + i < len; i++)
            bytes[at + i] ^= (uint8_t)(word >> 8 * i);
    }
}

static inline void standin_squeeze(uint64_t state, uint8_t *out, size_t len)
{
    memset(out, 0, len);
    standin_add_stream(state, out, len);
}

#endif
