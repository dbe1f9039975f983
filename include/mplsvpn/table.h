/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_TABLE_H
#define MPLSVPN_TABLE_H

/**
 * @file
 * @brief The forwarding table of a node, and its readers.
 *
 * One thread writes: every function that takes an mplsvpn_table belongs to it. Any number of
 * threads read, each with an mplsvpn_reader of its own. Lookups take no lock and wait for nobody;
 * what the writer takes out is freed once every reader has called mplsvpn_reader_quiesce().
 *
 * @code
 *   writer                                   each worker
 *   mplsvpn_table_new                        for (;;) {
 *   mplsvpn_vrf_add, _interface_set, _allow      mplsvpn_reader_quiesce(r);
 *   mplsvpn_reader_new for each worker           take a batch; for each packet:
 *   mplsvpn_label_allocate, _bind, ...               mplsvpn_label_input or mplsvpn_ip_input
 *   mplsvpn_route_set, ...                       before it waits: mplsvpn_reader_idle(r);
 *   mplsvpn_table_collect now and then       }
 * @endcode
 */

#include <mplsvpn/label.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All labels, VRFs, routes and interfaces of a node; opaque. */
typedef struct mplsvpn_table mplsvpn_table;

/** One thread's right to look things up, and its counters; opaque. */
typedef struct mplsvpn_reader mplsvpn_reader;

/** How TTL crosses the VPN (RFC 3443). */
enum {
    MPLSVPN_TTL_UNIFORM = 0,   /**< The label's TTL is the packet's, each way: hops are seen. */
    MPLSVPN_TTL_SHORT_PIPE = 1 /**< Labels start at @c pipe_ttl; the VPN hides its inner hops. */
};

/** What a table is made with. May grow: start with mplsvpn_config_init(). */
typedef struct mplsvpn_config {
    uint32_t struct_size;        /**< Set by mplsvpn_config_init(). */
    uint32_t first_label;        /**< First label to allocate; default 16. */
    uint32_t last_label;         /**< Last label to allocate; default 1048575. */
    uint32_t max_labels;         /**< Labels not free at one time; default 1048560. */
    uint32_t max_vrfs;           /**< Default 4096. */
    uint32_t max_routes;         /**< Of all VRFs; default 4,000,000. */
    uint32_t max_interfaces;     /**< Default 100,000. */
    uint32_t max_readers;        /**< Default 256. */
    uint8_t ttl_model;           /**< MPLSVPN_TTL_...; default uniform. */
    uint8_t pipe_ttl;            /**< TTL of labels in the short pipe model; default 255. */
    uint8_t pipe_tc;             /**< Traffic class of labels in the short pipe model; 0 to 7. */
    uint8_t reserved[5];         /**< 0. */
    uint8_t seed[32];            /**< Entropy: the first label to be allocated depends on it. */
    mplsvpn_allocator allocator; /**< Memory for the table and all it owns. */
} mplsvpn_config;

/** What becomes of a packet. */
enum {
    MPLSVPN_HOP_DISCARD = 0, /**< Null0: dropped. */
    MPLSVPN_HOP_LOCAL = 1,   /**< To the TUN of @c vrf. */
    MPLSVPN_HOP_TUNNEL = 2,  /**< Push @c labels, send on @c interface_id to @c next_hop. */
    MPLSVPN_HOP_VRF = 3      /**< Look the destination up in @c vrf; never a route's. */
};

/**
 * @brief A next hop: of a route, or of a label once it has been popped. 64 bytes, frozen.
 *
 * As a label's hop: VRF is pop and look up, LOCAL pop and deliver, TUNNEL without labels pop and
 * send, TUNNEL with labels swap (the last of them takes the popped one's place, those before are
 * pushed on top), DISCARD drops.
 */
typedef struct mplsvpn_hop {
    uint64_t cookie;                   /**< The caller's, handed back. */
    uint8_t kind;                      /**< MPLSVPN_HOP_... */
    uint8_t label_count;               /**< Labels to push, 0 to MPLSVPN_PUSH_MAX. */
    uint8_t flags;                     /**< The caller's, handed back. */
    uint8_t reserved;                  /**< 0. */
    uint32_t vrf;                      /**< The VRF; of a label also the context to be allowed. */
    uint32_t interface_id;             /**< TUNNEL: where to send. */
    uint32_t reserved2;                /**< 0. */
    mplsvpn_addr next_hop;             /**< TUNNEL: the address there; may be absent. */
    uint32_t labels[MPLSVPN_PUSH_MAX]; /**< Top first. 3 alone is kept as none; 0 and 2 are sent. */
} mplsvpn_hop;

/** How full a table is. May grow. */
typedef struct mplsvpn_usage {
    uint32_t struct_size; /**< Set by the caller. */
    uint32_t labels;      /**< Not free: allocated, bound or draining. */
    uint32_t draining;    /**< Of these, released and not reclaimed. */
    uint32_t vrfs;        /**< VRFs. */
    uint32_t routes;      /**< Routes of all VRFs, both families. */
    uint32_t interfaces;  /**< Interfaces. */
    uint32_t readers;     /**< Registered readers. */
    uint32_t pending;     /**< Blocks that wait for readers to quiesce. */
} mplsvpn_usage;

/** Packets of one reader, and why packets were dropped. May grow. */
typedef struct mplsvpn_counters {
    uint32_t struct_size;      /**< Set by the caller. */
    uint32_t reserved;         /**< 0. */
    uint64_t ip_packets;       /**< Packets for which mplsvpn_ip_input() found a hop. */
    uint64_t labeled_packets;  /**< Packets for which mplsvpn_label_input() found a hop. */
    uint64_t pushed_packets;   /**< Packets that left mplsvpn_packet_push(). */
    uint64_t drop_truncated;   /**< MPLSVPN_ERR_TRUNCATED. */
    uint64_t drop_checksum;    /**< MPLSVPN_ERR_CHECKSUM. */
    uint64_t drop_version;     /**< MPLSVPN_ERR_VERSION. */
    uint64_t drop_malformed;   /**< MPLSVPN_ERR_MALFORMED. */
    uint64_t drop_ttl;         /**< MPLSVPN_ERR_TTL. */
    uint64_t drop_no_bottom;   /**< MPLSVPN_ERR_NO_BOTTOM. */
    uint64_t drop_depth;       /**< MPLSVPN_ERR_DEPTH. */
    uint64_t drop_reserved;    /**< MPLSVPN_ERR_RESERVED. */
    uint64_t drop_no_label;    /**< MPLSVPN_ERR_NO_LABEL. */
    uint64_t drop_draining;    /**< MPLSVPN_ERR_DRAINING. */
    uint64_t drop_not_allowed; /**< MPLSVPN_ERR_NOT_ALLOWED. */
    uint64_t drop_no_route;    /**< MPLSVPN_ERR_NO_ROUTE. */
    uint64_t drop_discard;     /**< MPLSVPN_ERR_DISCARD. */
    uint64_t drop_no_vrf;      /**< MPLSVPN_ERR_NO_VRF. */
    uint64_t drop_not_bottom;  /**< MPLSVPN_ERR_NOT_BOTTOM. */
    uint64_t drop_address;     /**< MPLSVPN_ERR_ADDRESS. */
    uint64_t drop_no_headroom; /**< MPLSVPN_ERR_BUFFER. */
} mplsvpn_counters;

/**
 * @brief Sets @c struct_size and the defaults; the seed is left zero for the caller to fill.
 * @param cfg Overwritten.
 * @retval MPLSVPN_OK Done.
 * @retval MPLSVPN_ERR_ARG @p cfg is NULL.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_config_init(mplsvpn_config *cfg);

/**
 * @brief Makes an empty table.
 * @param cfg Copied.
 * @param out The table; the caller frees it with mplsvpn_table_free().
 * @retval MPLSVPN_OK Made.
 * @retval MPLSVPN_ERR_ARG A NULL pointer, a label range that is empty or leaves 16 to 1048575, or a
 *         field out of range.
 * @retval MPLSVPN_ERR_NOMEM No memory.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_table_new(const mplsvpn_config *cfg, mplsvpn_table **out);

/**
 * @brief Frees a table, its readers and all they hold; no thread may be reading.
 * @param t May be NULL.
 */
MPLSVPN_API void mplsvpn_table_free(mplsvpn_table *t);

/**
 * @brief Frees what every reader has left behind.
 *
 * Changes do this by themselves now and then; call it when the table is quiet.
 *
 * @param t The table.
 * @retval MPLSVPN_OK Nothing waits any more.
 * @retval MPLSVPN_YES Some reader has not quiesced since; call again later.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_table_collect(mplsvpn_table *t);

/**
 * @brief How full the table is.
 * @param t The table.
 * @param out @c struct_size set by the caller.
 * @retval MPLSVPN_OK Filled in.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL or @c struct_size is too small.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_table_get_usage(const mplsvpn_table *t, mplsvpn_usage *out);

/**
 * @brief Registers a reader; called by the writer, which hands it to a thread.
 *
 * A new reader is active: from now on it must quiesce or be idle.
 *
 * @param t The table.
 * @param out The reader; freed with mplsvpn_reader_free() or with the table.
 * @retval MPLSVPN_OK Made.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_LIMIT There are @c max_readers.
 * @retval MPLSVPN_ERR_NOMEM No memory.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_reader_new(mplsvpn_table *t, mplsvpn_reader **out);

/**
 * @brief Takes a reader back; called by the writer when the reader's thread has done with it.
 * @param r May be NULL.
 */
MPLSVPN_API void mplsvpn_reader_free(mplsvpn_reader *r);

/**
 * @brief Says that this thread is between lookups; wakes an idle reader. Cheap: once for each
 * batch.
 * @param r The calling thread's reader.
 * @retval MPLSVPN_OK Said.
 * @retval MPLSVPN_ERR_ARG @p r is NULL.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_reader_quiesce(mplsvpn_reader *r);

/**
 * @brief Says that this thread makes no lookup until it quiesces next, so that nobody waits for it.
 *
 * While idle its lookups return MPLSVPN_ERR_STATE.
 *
 * @param r The calling thread's reader.
 * @retval MPLSVPN_OK Said.
 * @retval MPLSVPN_ERR_ARG @p r is NULL.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_reader_idle(mplsvpn_reader *r);

/**
 * @brief Copies a reader's counters; any thread may, as long as the reader lives.
 * @param r The reader.
 * @param out @c struct_size set by the caller.
 * @retval MPLSVPN_OK Copied.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL or @c struct_size is too small.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_reader_get_counters(const mplsvpn_reader *r, mplsvpn_counters *out);

#ifdef __cplusplus
}
#endif

#endif
