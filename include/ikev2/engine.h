/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_ENGINE_H
#define IKEV2_ENGINE_H

/**
 * @file
 * @brief The engine: all IKE SAs and Child SAs of a node, in both roles.
 *
 * One thread at a time. Every mutator takes the time in monotonic milliseconds; going backwards is
 * standing still. Mutators need free event slots and return IKEV2_ERR_LIMIT, before any change,
 * where there are too few: drain with ikev2_engine_poll_event. Drain events before outputs.
 * A NULL that the comment does not allow, and a struct_size that no version had, is IKEV2_ERR_ARG.
 */

#include <ikev2/config.h>
#include <ikev2/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All SAs of a node. */
typedef struct ikev2_engine ikev2_engine;

/** A datagram to send, frozen. */
typedef struct ikev2_output {
    ikev2_path path; /**< From local to peer. */
    uint64_t sa_id;  /**< The IKE SA, or 0. */
    size_t len;      /**< Bytes written; on IKEV2_ERR_BUFFER: bytes needed. */
} ikev2_output;

/**
 * @brief Makes an engine.
 * @param cfg copied.
 * @param now_ms the time.
 * @param out the engine; free it with ikev2_engine_free.
 * @retval IKEV2_ERR_ARG a limit is 0 or contradicts another, or a transform is not supported.
 * @retval IKEV2_ERR_CRYPTO libcrypto lacks an algorithm.
 * @retval IKEV2_ERR_NOMEM nothing was made.
 */
IKEV2_API ikev2_rc ikev2_engine_new(const ikev2_config *cfg, uint64_t now_ms, ikev2_engine **out);

/**
 * @brief Frees an engine and wipes its keys; sends nothing.
 * @param e the engine, or NULL.
 */
IKEV2_API void ikev2_engine_free(ikev2_engine *e);

/**
 * @brief Mixes fresh entropy in.
 * @param e the engine.
 * @param now_ms the time.
 * @param seed of IKEV2_SEED_BYTES bytes.
 * @retval IKEV2_ERR_ARG an argument is NULL.
 */
IKEV2_API ikev2_rc ikev2_engine_reseed(ikev2_engine *e, uint64_t now_ms, const uint8_t *seed);

/**
 * @brief Takes a datagram: a whole UDP payload, non-ESP marker included where the local port is
 * not @ref ikev2_config.ike_port.
 * @param e the engine.
 * @param now_ms the time.
 * @param path where it arrived and whence it came.
 * @param buf the datagram.
 * @param len its length.
 * @retval IKEV2_OK taken; a repeated request is answered again.
 * @retval IKEV2_ERR_LIMIT the event ring is too full: drain and hand it in again, or drop it; also
 * where a limit on SAs refuses the sender.
 * @retval IKEV2_ERR_NOMEM dropped; the same datagram may be handed in again, or comes again.
 * @return Below -19: dropped, and why; counters moved, nothing else but at most one reply.
 */
IKEV2_API ikev2_rc ikev2_engine_input(ikev2_engine *e, uint64_t now_ms, const ikev2_path *path,
                                      const uint8_t *buf, size_t len);

/**
 * @brief Does what is due; harmless when early.
 * @param e the engine.
 * @param now_ms the time.
 * @retval IKEV2_OK all done.
 * @retval IKEV2_YES more is due: drain events, call again.
 */
IKEV2_API ikev2_rc ikev2_engine_timeout(ikev2_engine *e, uint64_t now_ms);

/**
 * @brief When timeout is due; changes with every mutator.
 * @param e the engine.
 * @return Milliseconds, or IKEV2_NEVER.
 */
IKEV2_API uint64_t ikev2_engine_deadline(const ikev2_engine *e);

/**
 * @brief Adds a profile: how a responder answers peers that match it, first added first.
 * @param e the engine.
 * @param now_ms the time.
 * @param profile copied.
 * @param profile_id its id.
 * @retval IKEV2_ERR_LIMIT max_profiles are there.
 * @retval IKEV2_ERR_NOMEM nothing was added.
 */
IKEV2_API ikev2_rc ikev2_engine_add_profile(ikev2_engine *e, uint64_t now_ms,
                                            const ikev2_peer *profile, uint64_t *profile_id);

/**
 * @brief Removes a profile; SAs that were made with it stay.
 * @param e the engine.
 * @param now_ms the time.
 * @param profile_id the profile.
 * @retval IKEV2_ERR_ABSENT no such profile.
 */
IKEV2_API ikev2_rc ikev2_engine_remove_profile(ikev2_engine *e, uint64_t now_ms,
                                               uint64_t profile_id);

/**
 * @brief Begins an IKE SA and its first Child SA.
 * @param e the engine.
 * @param now_ms the time.
 * @param peer copied.
 * @param sa_id the IKE SA's id.
 * @retval IKEV2_ERR_LIMIT max_sas, or the event ring.
 * @retval IKEV2_ERR_NOMEM nothing was begun.
 */
IKEV2_API ikev2_rc ikev2_engine_initiate(ikev2_engine *e, uint64_t now_ms, const ikev2_peer *peer,
                                         uint64_t *sa_id);

/**
 * @brief Begins a further Child SA.
 * @param e the engine.
 * @param now_ms the time.
 * @param sa_id an established IKE SA.
 * @param policy copied; NULL: that of the peer.
 * @param child_id the Child SA's id.
 * @retval IKEV2_ERR_STATE the IKE SA is not established.
 * @retval IKEV2_ERR_LIMIT max_children_per_sa.
 * @retval IKEV2_ERR_NOMEM nothing was begun.
 */
IKEV2_API ikev2_rc ikev2_engine_initiate_child(ikev2_engine *e, uint64_t now_ms, uint64_t sa_id,
                                               const ikev2_child_policy *policy,
                                               uint64_t *child_id);

/**
 * @brief Rekeys a Child SA.
 * @param e the engine.
 * @param now_ms the time.
 * @param child_id the Child SA.
 * @retval IKEV2_ERR_STATE it is not in use, or being replaced.
 */
IKEV2_API ikev2_rc ikev2_engine_rekey_child(ikev2_engine *e, uint64_t now_ms, uint64_t child_id);

/**
 * @brief Rekeys an IKE SA; its children move to the new one.
 * @param e the engine.
 * @param now_ms the time.
 * @param sa_id the IKE SA.
 * @retval IKEV2_ERR_STATE it is not established.
 */
IKEV2_API ikev2_rc ikev2_engine_rekey_ike(ikev2_engine *e, uint64_t now_ms, uint64_t sa_id);

/**
 * @brief Deletes a Child SA, and tells the peer.
 * @param e the engine.
 * @param now_ms the time.
 * @param child_id the Child SA.
 * @retval IKEV2_ERR_ABSENT no such Child SA.
 */
IKEV2_API ikev2_rc ikev2_engine_delete_child(ikev2_engine *e, uint64_t now_ms, uint64_t child_id);

/**
 * @brief Deletes an IKE SA and its children, and tells the peer.
 * @param e the engine.
 * @param now_ms the time.
 * @param sa_id the IKE SA.
 * @retval IKEV2_ERR_ABSENT no such IKE SA.
 */
IKEV2_API ikev2_rc ikev2_engine_delete_ike(ikev2_engine *e, uint64_t now_ms, uint64_t sa_id);

/**
 * @brief Reports that a packet of a Child SA was received and verified: the peer lives, and its
 * path may have moved (RFC 7296 2.23). Once a second is enough.
 * @param e the engine.
 * @param now_ms the time.
 * @param child_id the Child SA.
 * @param path where it came from, or NULL for raw ESP.
 * @retval IKEV2_ERR_ABSENT no such Child SA: the packet came after its end.
 */
IKEV2_API ikev2_rc ikev2_engine_seen(ikev2_engine *e, uint64_t now_ms, uint64_t child_id,
                                     const ikev2_path *path);

/**
 * @brief Reports that a Child SA reached a limit of packets, bytes or sequence numbers.
 * @param e the engine.
 * @param now_ms the time.
 * @param child_id the Child SA.
 * @param hard 0: rekey it; 1: delete it.
 * @retval IKEV2_ERR_ABSENT no such Child SA.
 * @retval IKEV2_ERR_STATE a rekey is wanted, and it is not in use.
 */
IKEV2_API ikev2_rc ikev2_engine_child_limit(ikev2_engine *e, uint64_t now_ms, uint64_t child_id,
                                            uint8_t hard);

/**
 * @brief Answers IKEV2_EVENT_ASK_PSK.
 * @param e the engine.
 * @param now_ms the time.
 * @param ask_id the question.
 * @param local our key, copied; NULL: there is none, the peer is refused.
 * @param local_len its length.
 * @param peer the peer's key; NULL: the same.
 * @param peer_len its length.
 * @retval IKEV2_ERR_ABSENT answered already, or too late.
 * @retval IKEV2_ERR_NOMEM the question stays: answer again.
 */
IKEV2_API ikev2_rc ikev2_engine_answer_psk(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                           const uint8_t *local, size_t local_len,
                                           const uint8_t *peer, size_t peer_len);

/**
 * @brief Answers IKEV2_EVENT_ASK_PEER.
 * @param e the engine.
 * @param now_ms the time.
 * @param ask_id the question.
 * @param peer copied; its path and peer_id are not matched again; NULL: the peer is refused.
 * @retval IKEV2_ERR_ABSENT answered already, or too late.
 * @retval IKEV2_ERR_NOMEM the question stays: answer again.
 */
IKEV2_API ikev2_rc ikev2_engine_answer_peer(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                            const ikev2_peer *peer);

/**
 * @brief Takes the oldest event.
 * @param e the engine.
 * @param ev the event.
 * @retval IKEV2_YES @p ev is an event.
 * @retval IKEV2_OK there is none.
 */
IKEV2_API ikev2_rc ikev2_engine_poll_event(ikev2_engine *e, ikev2_event *ev);

/**
 * @brief Takes a datagram to send.
 * @param e the engine.
 * @param now_ms the time.
 * @param buf for the datagram.
 * @param cap its size.
 * @param out the path and the length.
 * @retval IKEV2_YES send it.
 * @retval IKEV2_OK there is none.
 * @retval IKEV2_ERR_BUFFER only out->len was written; the datagram stays.
 */
IKEV2_API ikev2_rc ikev2_engine_poll_output(ikev2_engine *e, uint64_t now_ms, uint8_t *buf,
                                            size_t cap, ikev2_output *out);

#ifdef __cplusplus
}
#endif

#endif
