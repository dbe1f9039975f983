/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_NEIGHBOR_H
#define BGPVPN_NEIGHBOR_H

/**
 * @file
 * @brief Neighbours: making, ending, asking, looking at them.
 */

#include <bgpvpn/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is known about a neighbour. Counters start at 0 with the neighbour. */
typedef struct bgpvpn_neighbor_info {
    uint32_t struct_size;       /**< Set by the caller. */
    uint32_t state;             /**< BGPVPN_STATE_...: the furthest of its connections. */
    uint64_t id;                /**< Its id. */
    uint64_t cookie;            /**< The caller's own. */
    uint64_t stream;            /**< Of the furthest connection; 0 without one. */
    uint64_t established_ms;    /**< When the session came up; 0 if it is not. */
    bgpvpn_addr address;        /**< Of the peer. */
    uint32_t remote_as;         /**< As configured. */
    uint32_t router_id;         /**< The peer's identifier; 0 before its OPEN. */
    uint32_t flags;             /**< BGPVPN_NEIGHBOR_... */
    uint32_t dynamic;           /**< 1: made from a listen range or an answer. */
    uint32_t shutdown;          /**< 1: shut down by request. */
    uint32_t tables;            /**< Families negotiated. */
    uint32_t capabilities;      /**< BGPVPN_CAPABLE_... that the peer announced. */
    uint32_t hold_time_s;       /**< Negotiated. */
    uint32_t keepalive_s;       /**< A third of it. */
    uint32_t resets;            /**< Times it left Established. */
    uint32_t last_reason;       /**< BGPVPN_REASON_... of the last end. */
    uint32_t last_code;         /**< NOTIFICATION code of it. */
    uint32_t last_subcode;      /**< NOTIFICATION subcode of it. */
    uint32_t text_len;          /**< Of the shutdown communication received last. */
    uint32_t group;             /**< Number of its update group; 0 without one. */
    uint32_t walking;           /**< 1: it is being sent the table, not the changes. */
    uint64_t received[6];       /**< Messages by type; index 0: all. */
    uint64_t sent[6];           /**< Messages by type; index 0: all. */
    uint64_t paths;             /**< Routes of it in the RIB. */
    uint64_t prefixes_in;       /**< Prefixes announced to us, repeats counted. */
    uint64_t withdraws_in;      /**< Prefixes withdrawn, also by treat-as-withdraw. */
    uint64_t implicit_in;       /**< Announcements that replaced an older one. */
    uint64_t prefixes_out;      /**< Prefixes announced by us, repeats counted. */
    uint64_t withdraws_out;     /**< Prefixes withdrawn by us. */
    uint64_t treated_withdraw;  /**< UPDATEs treated as withdraw (RFC 7606). */
    uint64_t treated_discard;   /**< UPDATEs that lost attributes (RFC 7606). */
    uint64_t loop_as;           /**< Prefixes refused: own AS in the path. */
    uint64_t loop_originator;   /**< Prefixes refused: own ORIGINATOR_ID. */
    uint64_t loop_cluster;      /**< Prefixes refused: own cluster in CLUSTER_LIST. */
    uint64_t bad_next_hop;      /**< Prefixes refused: our own, no host's, or not the peer's. */
    uint64_t refused;           /**< Prefixes refused: a max_... or memory. */
    uint64_t ignored;           /**< Prefixes of a family that was not negotiated. */
    uint8_t text[256];          /**< That communication, UTF-8 as received (RFC 9003). */
    uint64_t stale;             /**< Routes of it that it has not announced again yet. */
    uint32_t stale_tables;      /**< Families kept over its restart. */
    uint32_t restart_flags;     /**< BGPVPN_RESTART_... of its last OPEN. */
    uint32_t restart_tables;    /**< Families that it keeps forwarding for. */
    uint32_t restart_time_s;    /**< Its restart time. */
    uint32_t last_hard_code;    /**< What a Hard Reset as last end wrapped (RFC 8538 3). */
    uint32_t last_hard_subcode; /**< Its subcode. */
    uint32_t targets;           /**< Route targets that it asked for (RFC 4684). */
    uint32_t filtered;          /**< 1: it is sent only VPN routes with one of them. */
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
 * @brief Ends a neighbour's session with any Cease and lets it come up again.
 *
 * Where graceful restart after a NOTIFICATION was agreed on, subcodes 1 to 4 are sent in a Hard
 * Reset, and the others keep the routes of both sides (RFC 8538 5.1).
 * For what the caller alone knows: another configuration change (6, RFC 4486), out of resources
 * (8), BFD down (10, RFC 9384).
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The neighbour.
 * @param subcode Of the Cease; 2 and 4 carry the communication (RFC 9003 2).
 * @param text UTF-8; may be NULL when @p len is 0, as it must be with other subcodes.
 * @param len At most 255.
 * @retval BGPVPN_OK Done.
 * @retval BGPVPN_ERR_ABSENT No such neighbour.
 * @retval BGPVPN_ERR_LIMIT The event ring is full: drain it.
 * @retval BGPVPN_ERR_ARG @p e is NULL, @p subcode is 0, or the text cannot be sent; 9 is not the
 * caller's.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_neighbor_cease(bgpvpn_engine *e, uint64_t now_ms, uint64_t id,
                                                  uint8_t subcode, const uint8_t *text, size_t len);

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
