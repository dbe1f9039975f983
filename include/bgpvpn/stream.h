/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_STREAM_H
#define BGPVPN_STREAM_H

/**
 * @file
 * @brief Streams: the TCP connections of neighbours, which are the caller's.
 *
 * TCP-MD5, TCP-AO and GTSM (RFC 5925, RFC 5082) are settings of the caller's sockets.
 */

#include <bgpvpn/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is known about a stream. */
typedef struct bgpvpn_stream_info {
    uint32_t struct_size; /**< Set by the caller. */
    uint32_t incoming;    /**< 1: the peer dialled. */
    uint64_t neighbor;    /**< Its neighbour; 0 while ASK_ACCEPT is open. */
    uint64_t cookie;      /**< The neighbour's. */
    bgpvpn_addr peer;     /**< Address and port of the peer. */
    bgpvpn_addr local;    /**< Own address; none if the configuration names none. */
} bgpvpn_stream_info;

/**
 * @brief Reports a TCP connection that a peer opened.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param local Own address of it: the next hop of what is announced over it.
 * @param peer The peer's address.
 * @param[out] stream Its id; it is up at once, with no credit.
 * @retval BGPVPN_OK Taken; ASK_ACCEPT may follow.
 * @retval BGPVPN_ERR_ABSENT Nobody expects it: close it.
 * @retval BGPVPN_ERR_STATE The neighbour is shut down, or has such a connection: close it.
 * @retval BGPVPN_ERR_LIMIT Too many neighbours, questions or events: close it.
 * @retval BGPVPN_ERR_NOMEM Out of memory: close it.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or an address has no family.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_accept(bgpvpn_engine *e, uint64_t now_ms,
                                          const bgpvpn_addr *local, const bgpvpn_addr *peer,
                                          uint64_t *stream);

/**
 * @brief Reports that the TCP connection that event CONNECT wanted is there.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param stream Which.
 * @param local Own address of it: the next hop of what is announced over it.
 * @retval BGPVPN_OK Taken.
 * @retval BGPVPN_ERR_ABSENT No such stream: close the connection.
 * @retval BGPVPN_ERR_STATE It is up already.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or the address has no family.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_stream_up(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream,
                                             const bgpvpn_addr *local);

/**
 * @brief Reports that a TCP connection could not be made or has ended; its id is gone.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param stream Which.
 * @retval BGPVPN_OK Noted; no event CLOSE follows.
 * @retval BGPVPN_ERR_ABSENT No such stream.
 * @retval BGPVPN_ERR_LIMIT The event ring is full: drain it.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_stream_down(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream);

/**
 * @brief Sets how many bytes a stream can take now.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param stream Which.
 * @param bytes Replaces what was left.
 * @retval BGPVPN_OK Set.
 * @retval BGPVPN_ERR_ABSENT No such stream.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_set_credit(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream,
                                              uint64_t bytes);

/**
 * @brief Answers ASK_ACCEPT.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param ask_id From the event.
 * @param cfg What the dynamic neighbour shall be (its address is ignored); NULL: refuse.
 * @retval BGPVPN_OK Event NEIGHBOR or CLOSE follows.
 * @retval BGPVPN_ERR_ABSENT Too late, or no such question.
 * @retval BGPVPN_ERR_ARG @p e is NULL, or a setting is out of range.
 * @retval BGPVPN_ERR_LIMIT Too many neighbours, or a full ring.
 * @retval BGPVPN_ERR_NOMEM Out of memory; the question stays open.
 * @retval BGPVPN_ERR_STATE The neighbour is Idle, shut down or connected; the question stays open.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_answer_accept(bgpvpn_engine *e, uint64_t now_ms, uint64_t ask_id,
                                                 const bgpvpn_neighbor_config *cfg);

/**
 * @brief Tells about a stream.
 * @param e The engine.
 * @param stream Which.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_OK Filled.
 * @retval BGPVPN_ERR_ABSENT No such stream.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_stream(const bgpvpn_engine *e, uint64_t stream,
                                              bgpvpn_stream_info *out);

#ifdef __cplusplus
}
#endif

#endif
