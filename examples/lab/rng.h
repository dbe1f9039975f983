/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SplitMix64: any seed will do, and every machine draws the same numbers.
 */
#ifndef LAB_RNG_H
#define LAB_RNG_H

#include <stdint.h>

static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t rng_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return rng_mix(*state);
}

/* Below bound; 0 yields 0. */
static inline uint32_t rng_below(uint64_t *state, uint32_t bound)
{
    return bound ? (uint32_t)(rng_next(state) % bound) : 0;
}

#endif
