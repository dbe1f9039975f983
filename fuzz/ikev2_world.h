/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two engines of a fixed seed, the victim and the one that the fuzzer speaks through. With the
 * stand-in for the primitives the established world is an image (image.h); libcrypto's contexts
 * cannot be one, so with the real primitives each input begins with a handshake of its own.
 */
#ifndef FUZZ_IKEV2_WORLD_H
#define FUZZ_IKEV2_WORLD_H

#include "libikev2/engine.h"

#ifdef IKEV2_REAL_CRYPTO
#define WORLD_IS_KEPT 0
#else
#define WORLD_IS_KEPT 1
#endif

typedef struct world {
    ikev2_engine *victim;
    ikev2_engine *other;
    ikev2_path to_victim; /* as the victim sees it */
    ikev2_path to_other;
    uint64_t other_sa;
    uint64_t now_ms;
} world;

/* A world whose SA is established and at rest. */
void world_begin(world *w);
void world_close(world *w);
/* Polls all events and outputs of the victim, and reads what they name. */
void world_drain_victim(world *w);

#endif
