/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_NEIGHBOR_H
#define BGPVPN_NEIGHBOR_H

/**
 * @file
 * @brief Neighbours and their streams: making, ending, asking, looking at them.
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

/** What is known about a neighbour. Counters start at 0 with the neighbour. */
typedef struct bgpvpn_neighbor_info {
    uint32_t struct_size;      /**< Set by the caller. */
    uint32_t state;            /**< BGPVPN_STATE_...: the furthest of its connections. */
    uint64_t id;               /**< Its id. */
    uint64_t cookie;           /**< The caller's own. */
    uint64_t stream;           /**< Of the furthest connection; 0 without one. */
    uint64_t established_ms;   /**< When the session came up; 0 if it is not. */
    bgpvpn_addr address;       /**< Of the peer. */
    uint32_t remote_as;        /**< As configured. */
    uint32_t router_id;        /**< The peer's identifier; 0 before its OPEN. */
    uint32_t flags;            /**< BGPVPN_NEIGHBOR_... */
    uint32_t dynamic;          /**< 1: made from a listen range or an answer. */
    uint32_t shutdown;         /**< 1: shut down by request. */
    uint32_t tables;           /**< Families negotiated. */
    uint32_t capabilities;     /**< BGPVPN_CAPABLE_... that the peer announced. */
    uint32_t hold_time_s;      /**< Negotiated. */
    uint32_t keepalive_s;      /**< A third of it. */
    uint32_t resets;           /**< Times it left Established. */
    uint32_t last_reason;      /**< BGPVPN_REASON_... of the last end. */
    uint32_t last_code;        /**< NOTIFICATION code of it. */
    uint32_t last_subcode;     /**< NOTIFICATION subcode of it. */
    uint32_t text_len;         /**< Of the shutdown communication received last. */
    uint32_t group;            /**< Number of its update group; 0 without one. */
    uint32_t walking;          /**< 1: it is being sent the table, not the changes. */
    uint64_t received[6];      /**< Messages by type; index 0: all. */
    uint64_t sent[6];          /**< Messages by type; index 0: all. */
    uint64_t paths;            /**< Routes of it in the RIB. */
    uint64_t prefixes_in;      /**< Prefixes announced to us, repeats counted. */
    uint64_t withdraws_in;     /**< Prefixes withdrawn, also by treat-as-withdraw. */
    uint64_t implicit_in;      /**< Announcements that replaced an older one. */
    uint64_t prefixes_out;     /**< Prefixes announced by us, repeats counted. */
    uint64_t withdraws_out;    /**< Prefixes withdrawn by us. */
    uint64_t treated_withdraw; /**< UPDATEs treated as withdraw (RFC 7606). */
    uint64_t treated_discard;  /**< UPDATEs that lost attributes (RFC 7606). */
    uint64_t loop_as;          /**< Prefixes refused: own AS in the path. */
    uint64_t loop_originator;  /**< Prefixes refused: own ORIGINATOR_ID. */
    uint64_t loop_cluster;     /**< Prefixes refused: own cluster in CLUSTER_LIST. */
    uint64_t bad_next_hop;     /**< Prefixes refused: our own, no host's, or not the peer's. */
    uint64_t refused;          /**< Prefixes refused: a max_... or memory. */
    uint64_t ignored;          /**< Prefixes of a family that was not negotiated. */
    uint8_t text[256];         /**< That communication, UTF-8 as received (RFC 9003). */
} bgpvpn_neighbor_info;

/**
 * @brief Adds a neighbour, which starts at once (RFC 4271 8.1.2 events 1 and 4).
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param cfg Copied.
 * @param[out] id Its id, never used again.
 * @retval BGPVPN_OK Added.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or a setting is out of range.
 * @retval BGPVPN_ERR_STATE A neighbour with that address and scope exists.
 * @retval BGPVPN_ERR_LIMIT max_neighbors are there.
 * @retval BGPVPN_ERR_NOMEM Out of memory.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_add(bgpvpn_engine *e, uint64_t now_ms,
                                                const bgpvpn_neighbor_config *cfg, uint64_t *id);

/**
 * @brief Ends a neighbour's sessions with Cease 3 and removes it and its routes.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The neighbour.
 * @retval BGPVPN_OK Removed; its routes go step by step.
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_LIMIT The event ring is full: drain it.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_remove(bgpvpn_engine *e, uint64_t now_ms, uint64_t id);

/**
 * @brief Shuts a neighbour down with Cease 2 and a communication (RFC 4486, RFC 9003).
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The neighbour.
 * @param text UTF-8; may be NULL when @p len is 0.
 * @param len At most 255.
 * @retval BGPVPN_OK It stays in Idle until bgpvpn_engine_neighbor_start().
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_LIMIT The event ring is full: drain it.
 * @retval BGPVPN_ERR_ARG @p e is NULL, or the text is too long.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_shutdown(bgpvpn_engine *e, uint64_t now_ms, uint64_t id,
                                                     const uint8_t *text, size_t len);

/**
 * @brief Starts a neighbour, also one that pauses after a failure.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The neighbour.
 * @retval BGPVPN_OK It is not in Idle any more.
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_LIMIT The event ring is full: drain it.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_start(bgpvpn_engine *e, uint64_t now_ms, uint64_t id);

/**
 * @brief Ends a neighbour's session with Cease 4 and lets it come up again.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The neighbour.
 * @retval BGPVPN_OK Done.
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_LIMIT The event ring is full: drain it.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_reset(bgpvpn_engine *e, uint64_t now_ms, uint64_t id);

/**
 * @brief Asks a neighbour for its routes again (RFC 2918).
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The neighbour.
 * @param tables BGPVPN_TABLE_...
 * @retval BGPVPN_OK Asked for those of them that were negotiated.
 * @retval BGPVPN_ERR_STATE Not Established, or the peer cannot do it.
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_refresh(bgpvpn_engine *e, uint64_t now_ms, uint64_t id,
                                                    uint32_t tables);

/**
 * @brief Adds a listen range: connections from it make passive dynamic neighbours.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param cfg Copied; its address is a prefix. The longest matching range counts.
 * @param[out] id Its id.
 * @retval BGPVPN_OK Added.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or a setting is out of range.
 * @retval BGPVPN_ERR_LIMIT max_ranges are there.
 * @retval BGPVPN_ERR_NOMEM Out of memory.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_range_add(bgpvpn_engine *e, uint64_t now_ms,
                                             const bgpvpn_neighbor_config *cfg, uint64_t *id);

/**
 * @brief Removes a listen range; neighbours made from it stay until their sessions end.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The range.
 * @retval BGPVPN_OK Removed.
 * @retval BGPVPN_ERR_ABSENT No such range.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_range_remove(bgpvpn_engine *e, uint64_t now_ms, uint64_t id);

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

/**
 * @brief Tells about a neighbour.
 * @param e The engine.
 * @param id The neighbour.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_OK Filled.
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_neighbor(const bgpvpn_engine *e, uint64_t id,
                                                bgpvpn_neighbor_info *out);

/**
 * @brief Tells about the neighbours one by one, in the order of their ids.
 * @param e The engine.
 * @param[in,out] it 0 at first, then the id returned last.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_YES Filled.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_next_neighbor(const bgpvpn_engine *e, uint64_t *it,
                                                     bgpvpn_neighbor_info *out);

#ifdef __cplusplus
}
#endif

#endif
