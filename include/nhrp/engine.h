/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_ENGINE_H
#define NHRP_ENGINE_H

/**
 * @file
 * @brief The NHRP engine: client, server and transit station of one node.
 *
 * Datagrams and the time go in; datagrams, events and the next deadline come out. Drain events
 * before outputs. One thread at a time; nothing is shared between engines.
 */

#include <nhrp/base.h>
#include <nhrp/config.h>
#include <nhrp/event.h>
#include <nhrp/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All NHRP state of a node. */
typedef struct nhrp_engine nhrp_engine;

/** Where a datagram goes, 64 bytes, frozen. */
typedef struct nhrp_output {
    uint32_t link;        /**< By which link. */
    uint32_t type;        /**< Its packet type. */
    uint64_t len;         /**< Octets in the buffer, or needed with NHRP_ERR_BUFFER. */
    nhrp_addr to;         /**< The NBMA address on a multipoint link; else the peer's. */
    uint8_t reserved[24]; /**< Zero. */
} nhrp_output;

/**
 * @brief Makes an engine.
 * @param cfg From nhrp_config_init, with a seed; copied.
 * @param now_ms Monotonic milliseconds; every later call's starts here.
 * @param[out] out The engine; free it by nhrp_engine_free.
 * @retval NHRP_OK Made.
 * @retval NHRP_ERR_ARG An argument is NULL or the configuration out of range.
 * @retval NHRP_ERR_NOMEM No memory, or no libsodium.
 */
NHRP_API nhrp_rc nhrp_engine_new(const nhrp_config *cfg, uint64_t now_ms, nhrp_engine **out);

/**
 * @brief Frees an engine and all it owns, and wipes its keys.
 * @param e The engine, or NULL.
 */
NHRP_API void nhrp_engine_free(nhrp_engine *e);

/**
 * @brief Takes a datagram in.
 *
 * A negative result means that it was dropped: nothing changed but counters, rate limiters and at
 * most one queued Error Indication.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds; a time before the last one counts as the last one.
 * @param link The link that it came by.
 * @param from The NBMA address that it came from; needed on multipoint links, else may be NULL.
 * @param buf The NHRP packet, perhaps padded.
 * @param len Its octets.
 * @retval NHRP_OK Taken; there may be events and outputs.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_ABSENT No such link.
 * @retval NHRP_ERR_LIMIT A ceiling, or too few free events: drain them. Dropped.
 * @retval NHRP_ERR_NOMEM No memory. Dropped.
 * @retval NHRP_ERR_TRUNCATED or another NHRP_ERR_ below -19: why it was dropped. The interface's
 *         counters tell the same.
 */
NHRP_API nhrp_rc nhrp_engine_input(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                   const nhrp_addr *from, const uint8_t *buf, size_t len);

/**
 * @brief Does what is due: retries, expiries, default answers. Harmless when early.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @retval NHRP_OK All that was due is done.
 * @retval NHRP_YES More is due, after events have been drained: call again.
 * @retval NHRP_ERR_ARG e is NULL.
 */
NHRP_API nhrp_rc nhrp_engine_timeout(nhrp_engine *e, uint64_t now_ms);

/**
 * @brief Tells when nhrp_engine_timeout has something to do.
 *
 * Its value may change after any call that takes a non-const engine.
 * @param e The engine, or NULL.
 * @return Monotonic milliseconds; NHRP_NEVER when idle.
 */
NHRP_API uint64_t nhrp_engine_deadline(const nhrp_engine *e);

/**
 * @brief Adds an interface, which links then name.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param interface The caller's id, not in use.
 * @param cfg From nhrp_interface_config_init; copied.
 * @retval NHRP_OK Added.
 * @retval NHRP_ERR_ARG An argument is NULL or out of range.
 * @retval NHRP_ERR_STATE The id is in use.
 * @retval NHRP_ERR_LIMIT max_interfaces.
 * @retval NHRP_ERR_NOMEM No memory.
 */
NHRP_API nhrp_rc nhrp_engine_interface_add(nhrp_engine *e, uint64_t now_ms, uint32_t interface,
                                           const nhrp_interface_config *cfg);

/**
 * @brief Removes an interface; its links must be down before.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param interface The id.
 * @retval NHRP_OK Removed.
 * @retval NHRP_ERR_ARG e is NULL.
 * @retval NHRP_ERR_ABSENT No such interface.
 * @retval NHRP_ERR_STATE It has links.
 */
NHRP_API nhrp_rc nhrp_engine_interface_remove(nhrp_engine *e, uint64_t now_ms, uint32_t interface);

/**
 * @brief Adds a link: a tunnel is up and its peer authenticated.
 *
 * Tunnel questions that it satisfies count as answered. With NHRP_LINK_REGISTER a registration
 * goes out.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param link The caller's id, not in use.
 * @param cfg From nhrp_link_config_init; copied.
 * @retval NHRP_OK Added.
 * @retval NHRP_ERR_ARG An argument is NULL or out of range, or the interface unknown.
 * @retval NHRP_ERR_STATE The id is in use.
 * @retval NHRP_ERR_LIMIT max_links, or too few free events.
 * @retval NHRP_ERR_NOMEM No memory; nothing changed.
 */
NHRP_API nhrp_rc nhrp_engine_link_up(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                     const nhrp_link_config *cfg);

/**
 * @brief Removes a link and all that was learned over it or goes by it.
 *
 * Mappings end with MAPPING_DOWN; what we answered to the peer is forgotten, what others were told
 * is not touched: nhrp_engine_withdraw does that.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param link The id.
 * @retval NHRP_OK Removed.
 * @retval NHRP_ERR_ARG e is NULL.
 * @retval NHRP_ERR_ABSENT No such link.
 */
NHRP_API nhrp_rc nhrp_engine_link_down(nhrp_engine *e, uint64_t now_ms, uint32_t link);

/**
 * @brief Reports a packet that went back into the network that it came from: send a redirect.
 *
 * draft-detienne-dmvpn 4.3. Redirects are limited per flow (link, source, destination). On a
 * multipoint link the redirect goes to the registered client that the packet's source is, else to
 * the one that the caller names: NHRP_PURPOSE_REDIRECT.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param in_link Where it came in.
 * @param out_link Where it left.
 * @param labels The label stack that it came in with, top first; NULL where label_count is 0.
 * @param label_count 0 for a packet without labels, of the link's own VRF.
 * @param packet The IPv4 or IPv6 packet, or the first 64 octets of it.
 * @param len Its octets.
 * @retval NHRP_OK A redirect goes out, or a question was asked first.
 * @retval NHRP_ERR_ARG An argument is NULL or out of range.
 * @retval NHRP_ERR_ABSENT No such link.
 * @retval NHRP_ERR_REFUSED The links are of different networks, or redirects are off.
 * @retval NHRP_ERR_RATE This flow was redirected a moment ago.
 * @retval NHRP_ERR_QUOTED The packet is short or no IP packet.
 * @retval NHRP_ERR_LIMIT A ceiling, or too few free events.
 * @retval NHRP_ERR_NOMEM No memory.
 */
NHRP_API nhrp_rc nhrp_engine_hairpin(nhrp_engine *e, uint64_t now_ms, uint32_t in_link,
                                     uint32_t out_link, const uint32_t *labels, size_t label_count,
                                     const uint8_t *packet, size_t len);

/**
 * @brief Resolves a destination without having been redirected.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param destination A host; its scope is the VRF.
 * @param[out] id The mapping, incomplete as yet.
 * @retval NHRP_OK A question goes out first: NHRP_PURPOSE_RESOLVE.
 * @retval NHRP_ERR_ARG An argument is NULL or no address.
 * @retval NHRP_ERR_REPEATED It is under way already.
 * @retval NHRP_ERR_NEGATIVE It failed recently.
 * @retval NHRP_ERR_STATE A mapping leads there.
 * @retval NHRP_ERR_LIMIT A ceiling, or too few free events.
 * @retval NHRP_ERR_NOMEM No memory.
 */
NHRP_API nhrp_rc nhrp_engine_resolve(nhrp_engine *e, uint64_t now_ms, const nhrp_addr *destination,
                                     uint64_t *id);

/**
 * @brief Reports that packets used a mapping, so that it is renewed before it expires.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The mapping.
 * @retval NHRP_OK Noted.
 * @retval NHRP_ERR_ARG e is NULL.
 * @retval NHRP_ERR_ABSENT No such mapping; stop using it.
 */
NHRP_API nhrp_rc nhrp_engine_used(nhrp_engine *e, uint64_t now_ms, uint64_t id);

/**
 * @brief Withdraws what we answered for a prefix and all within it: purges it at those we told.
 *
 * RFC 2332 5.2.5. Call it when a route that answers were made from goes or changes.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param prefix The prefix; its scope is the VRF.
 * @retval NHRP_OK Purges go out where somebody was told.
 * @retval NHRP_ERR_ARG An argument is NULL or no prefix.
 */
NHRP_API nhrp_rc nhrp_engine_withdraw(nhrp_engine *e, uint64_t now_ms, const nhrp_addr *prefix);

/**
 * @brief Removes a mapping of any kind.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The mapping.
 * @retval NHRP_OK Removed; MAPPING_DOWN follows where it was up.
 * @retval NHRP_ERR_ARG e is NULL.
 * @retval NHRP_ERR_ABSENT No such mapping.
 */
NHRP_API nhrp_rc nhrp_engine_remove(nhrp_engine *e, uint64_t now_ms, uint64_t id);

/**
 * @brief Mixes fresh entropy in.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param seed 32 bytes.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG An argument is NULL.
 */
NHRP_API nhrp_rc nhrp_engine_reseed(nhrp_engine *e, uint64_t now_ms, const uint8_t *seed);

/**
 * @brief Answers a route question, once.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param ask_id From the event.
 * @param route From nhrp_route_init; what it must hold depends on the question's purpose.
 * @retval NHRP_OK Taken.
 * @retval NHRP_ERR_ARG An argument is NULL or the route impossible; the question stays.
 * @retval NHRP_ERR_ABSENT Too late, or answered before.
 * @retval NHRP_ERR_LIMIT Too few free events: drain, answer again.
 * @retval NHRP_ERR_NOMEM No memory; the question stays.
 * @retval NHRP_ERR_REFUSED Taken, but an acceptance rule forbids what it leads to: the packet that
 *         waited was dropped. NHRP_ERR_LOOP, _UNREACHABLE, _NEGATIVE, _REPEATED, _HOP_COUNT and
 *         _COMPULSORY: likewise.
 */
NHRP_API nhrp_rc nhrp_engine_answer_route(nhrp_engine *e, uint64_t now_ms, uint64_t ask_id,
                                          const nhrp_route *route);

/**
 * @brief Answers a tunnel question, once.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param ask_id From the event.
 * @param result NHRP_TUNNEL_UP or NHRP_TUNNEL_FAILED.
 * @param link With UP: a link that is up, whose peer has the NBMA address asked for.
 * @retval NHRP_OK Taken.
 * @retval NHRP_ERR_ARG e is NULL, result out of range, or link leads elsewhere: the question stays.
 * @retval NHRP_ERR_ABSENT Too late, or answered before, or satisfied by nhrp_engine_link_up.
 * @retval NHRP_ERR_LIMIT Too few free events: drain, answer again.
 * @retval NHRP_ERR_NOMEM No memory; the question stays.
 */
NHRP_API nhrp_rc nhrp_engine_answer_tunnel(nhrp_engine *e, uint64_t now_ms, uint64_t ask_id,
                                           uint32_t result, uint32_t link);

/**
 * @brief Takes the next event.
 * @param e The engine.
 * @param[out] ev Written with NHRP_YES only.
 * @retval NHRP_YES There was one.
 * @retval NHRP_OK There is none.
 * @retval NHRP_ERR_ARG An argument is NULL.
 */
NHRP_API nhrp_rc nhrp_engine_poll_event(nhrp_engine *e, nhrp_event *ev);

/**
 * @brief Takes the next datagram to send. Drain events first.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param buf Where it goes.
 * @param cap Octets of buf; the largest max_packet_size always suffices.
 * @param[out] out Written with NHRP_YES; with NHRP_ERR_BUFFER its len alone.
 * @retval NHRP_YES There was one.
 * @retval NHRP_OK There is none.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_BUFFER The buffer is smaller than out->len: nothing was taken.
 */
NHRP_API nhrp_rc nhrp_engine_poll_output(nhrp_engine *e, uint64_t now_ms, uint8_t *buf, size_t cap,
                                         nhrp_output *out);

/**
 * @brief Tells what a question is about.
 * @param e The engine.
 * @param ask_id From an event.
 * @param[in,out] out struct_size set by the caller; written on success only.
 * @retval NHRP_OK Found.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 * @retval NHRP_ERR_ABSENT It was answered, its default was taken, or what asked has gone.
 */
NHRP_API nhrp_rc nhrp_engine_get_question(const nhrp_engine *e, uint64_t ask_id,
                                          nhrp_question *out);

#ifdef __cplusplus
}
#endif

#endif
