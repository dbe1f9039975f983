/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_RIB_H
#define BGPVPN_RIB_H

/**
 * @file
 * @brief VRFs, local routes, routes out to the caller, labels, next hops (RFC 4364 4, RFC 8277).
 *
 * Routes and labels change in bulk, so they are not events but coalescing cursors: however often
 * an object changed, it is reported once, as it is now.
 */

#include <bgpvpn/neighbor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a route of a VRF: @ref bgpvpn_route.state. */
enum {
    BGPVPN_ROUTE_DOWN = 0,   /**< There is none any more. */
    BGPVPN_ROUTE_UP = 1,     /**< There is one where there was none. */
    BGPVPN_ROUTE_CHANGED = 2 /**< It is another one now. */
};

/** What to do about a label: @ref bgpvpn_label.kind. */
enum {
    BGPVPN_LABEL_ASK = 1,     /**< Allot one, program the swap, then answer. */
    BGPVPN_LABEL_CHANGED = 2, /**< Keep the label, program the swap anew. */
    BGPVPN_LABEL_FREE = 3     /**< Withdrawn from all: the label is free once it has drained. */
};

/** A VRF. */
typedef struct bgpvpn_vrf_config {
    uint32_t struct_size;      /**< Set by the caller. */
    uint32_t vrf;              /**< The caller's number for it. */
    uint8_t rd[8];             /**< Route distinguisher, as on the wire. */
    const uint8_t *import_rts; /**< 8 bytes each; routes with one of them are imported. */
    size_t import_rts_len;     /**< Their length in bytes. */
    const uint8_t *export_rts; /**< 8 bytes each; put on local routes. */
    size_t export_rts_len;     /**< Their length in bytes. */
} bgpvpn_vrf_config;

/** A route that the caller announces. */
typedef struct bgpvpn_local_route {
    uint32_t struct_size; /**< Set by the caller. */
    uint32_t label;       /**< That names the VRF or the prefix here; LABEL_NONE is refused. */
    bgpvpn_addr prefix;   /**< IPv4 or IPv6, with its length. */
    uint32_t origin;      /**< 0 IGP, 1 EGP, 2 incomplete. */
    uint32_t has_med;     /**< 1: @c med is sent. */
    uint32_t med;         /**< MULTI_EXIT_DISC. */
    uint32_t local_pref;  /**< LOCAL_PREF; 0 means 100. */
    const uint8_t *communities;       /**< 4 bytes each (RFC 1997); copied. */
    size_t communities_len;           /**< Their length in bytes; up to 1024. */
    const uint8_t *large_communities; /**< 12 bytes each (RFC 8092); copied, repeats left out. */
    size_t large_communities_len;     /**< Their length in bytes; up to 3072. */
} bgpvpn_local_route;

/** The best route of a prefix in a VRF. */
typedef struct bgpvpn_route {
    uint32_t struct_size; /**< Set by the caller. */
    uint32_t state;       /**< BGPVPN_ROUTE_...; what follows prefix counts unless DOWN. */
    uint32_t vrf;         /**< The VRF that imports it. */
    uint32_t label;       /**< To push. */
    bgpvpn_addr prefix;   /**< What it leads to. */
    bgpvpn_addr next_hop; /**< Who allotted the label; none for a route of another local VRF. */
    uint64_t route_id;    /**< For the getters; 0 when DOWN. */
    uint64_t neighbor;    /**< Who sent it; 0: local. */
    uint64_t cookie;      /**< The neighbour's. */
    uint8_t rd[8];        /**< Its route distinguisher. */
    uint32_t metric;      /**< Of the next hop. */
    uint32_t reserved;    /**< 0 */
} bgpvpn_route;

/** A label question. */
typedef struct bgpvpn_label {
    uint32_t struct_size; /**< Set by the caller. */
    uint32_t kind;        /**< BGPVPN_LABEL_... */
    uint64_t route_id;    /**< Names the (RD, prefix) pair. */
    uint32_t label;       /**< Own label; LABEL_NONE for ASK. */
    uint32_t out_label;   /**< The best route's label, to swap to; LABEL_NONE for FREE. */
    bgpvpn_addr prefix;   /**< The prefix. */
    bgpvpn_addr next_hop; /**< Who allotted out_label; none for FREE. */
    uint8_t rd[8];        /**< The route distinguisher. */
    uint64_t neighbor;    /**< Who sent the best route; 0 for FREE. */
} bgpvpn_label;

/** A path in the RIB. */
typedef struct bgpvpn_path_info {
    uint32_t struct_size; /**< Set by the caller. */
    uint32_t table;       /**< BGPVPN_TABLE_... */
    uint64_t route_id;    /**< Of its (RD, prefix) pair. */
    uint64_t neighbor;    /**< Who sent it; 0: local. */
    bgpvpn_addr prefix;   /**< The prefix. */
    bgpvpn_addr next_hop; /**< As received; none for a local one. */
    uint8_t rd[8];        /**< The route distinguisher. */
    uint32_t label;       /**< As received. */
    uint32_t own_label;   /**< Given for it by answer_label; else LABEL_NONE. */
    uint32_t best;        /**< 1: it is the chosen one. */
    uint32_t usable;      /**< 1: its next hop is up. */
    uint32_t local_pref;  /**< 100 where none was sent. */
    uint32_t med;         /**< 0 where none was sent. */
} bgpvpn_path_info;

/** How much of everything there is. */
typedef struct bgpvpn_counters {
    uint32_t struct_size;     /**< Set by the caller. */
    uint32_t neighbors;       /**< Neighbours. */
    uint32_t established;     /**< Sessions that are up. */
    uint32_t groups;          /**< Update groups. */
    uint32_t prefixes;        /**< (RD, prefix) pairs, those being withdrawn too. */
    uint32_t paths;           /**< Paths. */
    uint32_t attribute_sets;  /**< Distinct attribute sets. */
    uint32_t next_hops;       /**< Distinct next hops. */
    uint32_t vrfs;            /**< VRFs. */
    uint32_t vrf_routes;      /**< Prefixes that VRFs import. */
    uint64_t table_version;   /**< Changes of best routes so far. */
    uint64_t updates_encoded; /**< UPDATEs encoded: once for a group, not once for a peer. */
    uint64_t group_rejoins;   /**< Times that a peer fell off its group's journal. */
} bgpvpn_counters;

/**
 * @brief Adds a VRF; routes already there are imported step by step.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param cfg Copied.
 * @retval BGPVPN_OK Added.
 * @retval BGPVPN_ERR_STATE The number is taken.
 * @retval BGPVPN_ERR_LIMIT max_vrfs are there.
 * @retval BGPVPN_ERR_NOMEM Out of memory.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or a length is not a multiple of 8.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_vrf_add(bgpvpn_engine *e, uint64_t now_ms,
                                           const bgpvpn_vrf_config *cfg);

/**
 * @brief Removes a VRF, its local routes, and, DOWN by DOWN, what it imported.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param vrf Its number.
 * @retval BGPVPN_OK Going; the number is free once its last route was polled.
 * @retval BGPVPN_ERR_ABSENT No such VRF.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_vrf_remove(bgpvpn_engine *e, uint64_t now_ms, uint32_t vrf);

/**
 * @brief Announces a route of a VRF, or announces it anew with other properties.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param vrf Its number; it must be able to forward by the label already.
 * @param route Copied.
 * @retval BGPVPN_OK In the RIB.
 * @retval BGPVPN_ERR_ABSENT No such VRF.
 * @retval BGPVPN_ERR_LIMIT A max_... is reached.
 * @retval BGPVPN_ERR_NOMEM Out of memory.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or prefix, label or origin is out of range.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_announce(bgpvpn_engine *e, uint64_t now_ms, uint32_t vrf,
                                            const bgpvpn_local_route *route);

/**
 * @brief Withdraws a route that was announced.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param vrf Its VRF.
 * @param prefix With its length.
 * @retval BGPVPN_OK Withdrawn.
 * @retval BGPVPN_ERR_ABSENT No such VRF or route.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or the prefix is wrong.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_withdraw(bgpvpn_engine *e, uint64_t now_ms, uint32_t vrf,
                                            const bgpvpn_addr *prefix);

/**
 * @brief Answers BGPVPN_LABEL_ASK; only then is the route advertised with own next hop.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param route_id From the question. One label may answer many questions.
 * @param label 16 to 1048575; the LFIB must know it already.
 * @retval BGPVPN_OK Taken.
 * @retval BGPVPN_ERR_ABSENT The route has gone: the label was not used.
 * @retval BGPVPN_ERR_STATE Nothing was asked, or it is answered.
 * @retval BGPVPN_ERR_ARG @p e is NULL, or the label is out of range.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_answer_label(bgpvpn_engine *e, uint64_t now_ms,
                                                uint64_t route_id, uint32_t label);

/**
 * @brief Answers ASK_NEXT_HOP.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param ask_id From the event.
 * @param up 1: reachable and a label can be carried to it; 0: not.
 * @param metric Smaller is better.
 * @retval BGPVPN_OK Taken; routes change step by step.
 * @retval BGPVPN_ERR_ABSENT The next hop is not used any more.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_answer_next_hop(bgpvpn_engine *e, uint64_t now_ms,
                                                   uint64_t ask_id, uint8_t up, uint32_t metric);

/**
 * @brief Tells that the state of a next hop has changed.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param next_hop The address; port, scope and prefix length are ignored.
 * @param up 1: reachable; 0: not.
 * @param metric Smaller is better.
 * @retval BGPVPN_OK Taken; routes change step by step.
 * @retval BGPVPN_ERR_ABSENT No route uses it.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_set_next_hop(bgpvpn_engine *e, uint64_t now_ms,
                                                const bgpvpn_addr *next_hop, uint8_t up,
                                                uint32_t metric);

/**
 * @brief Takes the next changed route of a VRF; poll_event and this before poll_output.
 * @param e The engine.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_YES Filled.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_poll_route(bgpvpn_engine *e, bgpvpn_route *out);

/**
 * @brief Takes the next label question.
 * @param e The engine.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_YES Filled. For ASK answer now or later.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_poll_label(bgpvpn_engine *e, bgpvpn_label *out);

/**
 * @brief Yields an attribute of the best path of a route: route targets, AS path and the rest.
 * @param e The engine.
 * @param route_id From a route or a path.
 * @param type BGPVPN_ATTR_...; AS_PATH has four-octet numbers.
 * @param[out] value A view, until the next call that is not const.
 * @param[out] len Its length.
 * @retval BGPVPN_OK Both are set.
 * @retval BGPVPN_ERR_ABSENT No such route or attribute.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_attribute(const bgpvpn_engine *e, uint64_t route_id,
                                                 uint8_t type, const uint8_t **value, size_t *len);

/**
 * @brief Yields the paths of the RIB one by one, in no particular order.
 * @param e The engine.
 * @param[in,out] it Position, 0 at first; a change of the RIB in between loses or repeats some.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_YES Filled.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_next_path(const bgpvpn_engine *e, uint64_t *it,
                                                 bgpvpn_path_info *out);

/**
 * @brief Finds what a next hop told of an address in a VRF: of the longest prefix that covers the
 *        address and that the VRF imports, the path by this next hop, the best one or not.
 * @param e The engine.
 * @param vrf The VRF's number.
 * @param address A host; its prefix length is not looked at.
 * @param next_hop As received; family and bytes count.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_OK Filled: a path of a neighbour, with a label that is not reserved.
 * @retval BGPVPN_ERR_ABSENT No such path or VRF.
 * @retval BGPVPN_ERR_STATE Paths of several RDs cover the address with labels that differ: which
 *         of the peer's VRFs is meant, nobody here can know.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, no address, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_covering_path(const bgpvpn_engine *e, uint32_t vrf,
                                                     const bgpvpn_addr *address,
                                                     const bgpvpn_addr *next_hop,
                                                     bgpvpn_path_info *out);

/**
 * @brief Counts.
 * @param e The engine.
 * @param[out] out Begins with struct_size.
 * @retval BGPVPN_OK Filled.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or struct_size is too small.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_get_counters(const bgpvpn_engine *e, bgpvpn_counters *out);

#ifdef __cplusplus
}
#endif

#endif
