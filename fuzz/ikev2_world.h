/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two engines of a fixed seed, the victim and the one that the fuzzer speaks through.
 */
#ifndef FUZZ_IKEV2_WORLD_H
#define FUZZ_IKEV2_WORLD_H

#include "libikev2/engine.h"

typedef struct world {
    ikev2_engine *victim;
    ikev2_engine *other;
    ikev2_path to_victim; /* as the victim sees it */
    ikev2_path to_other;
    uint64_t other_sa;
    uint64_t now_ms;
} world;

void world_open(world *w);
void world_close(world *w);
/* The other initiates; both come to rest, authenticated. */
void world_connect(world *w);
/* Polls all events and outputs of the victim, and reads what they name. */
void world_drain_victim(world *w);

#endif
