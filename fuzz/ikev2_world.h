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
    uint8_t answers;    /* WORLD_ANSWERS_... */
    uint32_t installed; /* Child SAs that the victim was told to use */
} world;

/* What the victim's caller says when it is asked for a key or a peer. */
enum { WORLD_ANSWERS_NOTHING, WORLD_ANSWERS_RIGHT, WORLD_ANSWERS_WRONG };

/* A world whose SA is established and at rest. */
void world_begin(world *w);
/*
 * A world whose two ends have keys, and nothing more: IKE_AUTH is what the victim waits for, as the
 * responder or as the initiator. Peers that it does not know, and keys that it does not have, it
 * asks its caller for.
 */
void world_begin_keyed(world *w, bool victim_initiates);
void world_close(world *w);
/* Polls all events and outputs of the victim, and reads what they name. */
void world_drain_victim(world *w);

/* The other's SA, and the victim's that belongs to it; NULL when it is gone. */
ikev2__sa *world_mine(const world *w);
ikev2__sa *world_victims(const world *w, const ikev2__sa *mine);
/* A datagram from the other. */
void world_give(world *w, const uint8_t *bytes, size_t len);
/* The payloads, sealed as the other would, in one datagram or in fragments. */
void world_send_sealed(world *w, ikev2__sa *mine, uint8_t exchange, bool response, uint32_t id,
                       uint8_t first, const uint8_t *text, size_t len);
extern const uint8_t world_psk[5];

#endif
