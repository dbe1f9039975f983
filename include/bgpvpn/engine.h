/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_ENGINE_H
#define BGPVPN_ENGINE_H

/**
 * @file
 * @brief The engine of a node: configuration, life, streams, events, output (RFC 4271 8).
 *
 * The engine does no I/O: the caller owns the TCP connections, each known by a stream id. The loop:
 * poll_event until 0, poll_route and poll_label until 0, poll_output until 0, wait for input or
 * bgpvpn_engine_deadline(), then input or timeout. One thread at a time.
 */

#include <bgpvpn/update.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A BGP speaker with its sessions and RIBs. */
typedef struct bgpvpn_engine bgpvpn_engine;

/** Kinds of event; a caller ignores those that it does not know. */
enum {
    BGPVPN_EVENT_CONNECT = 1,       /**< Open TCP for parent_id: bgpvpn_engine_get_stream(). */
    BGPVPN_EVENT_CLOSE = 2,         /**< Close the TCP connection of parent_id; its id is gone. */
    BGPVPN_EVENT_UP = 3,            /**< Neighbour id is Established on stream parent_id. */
    BGPVPN_EVENT_DOWN = 4,          /**< Neighbour id left Established; reason, code, subcode. */
    BGPVPN_EVENT_FAILED = 5,        /**< A session with id failed before Established. */
    BGPVPN_EVENT_END_OF_RIB = 6,    /**< id sent all it had of the family in number (RFC 4724 2). */
    BGPVPN_EVENT_REFRESH = 7,       /**< id asked for the family in number again (RFC 2918). */
    BGPVPN_EVENT_FAULT = 8,         /**< RFC 7606: number is the treatment, code the attribute. */
    BGPVPN_EVENT_LIMIT = 9,         /**< A max_... refused routes of id; reported once a session. */
    BGPVPN_EVENT_NEIGHBOR = 10,     /**< Dynamic neighbour id was made for stream parent_id. */
    BGPVPN_EVENT_GONE = 11,         /**< Dynamic neighbour id has been removed. */
    BGPVPN_EVENT_ASK_ACCEPT = 12,   /**< Answer with bgpvpn_engine_answer_accept(). */
    BGPVPN_EVENT_ASK_NEXT_HOP = 13, /**< Answer with bgpvpn_engine_answer_next_hop(). */
    BGPVPN_EVENT_MANY_PREFIXES = 14, /**< id is at warn_percent in the family in number. */
    BGPVPN_EVENT_MAX_PREFIXES = 15,  /**< id is beyond max_prefixes in the family in number. */
    BGPVPN_EVENT_STALE = 16,         /**< After DOWN: families in number stay (RFC 4724 4.2). */
    BGPVPN_EVENT_STALE_OVER = 17, /**< What id kept of the families in number is fresh or gone. */
    BGPVPN_EVENT_SELECTED = 18    /**< The first routes after a restart can be polled. */
};

/** Why a session ended: @ref bgpvpn_event.reason. */
enum {
    BGPVPN_REASON_NONE = 0,      /**< Nothing to tell. */
    BGPVPN_REASON_STREAM = 1,    /**< The TCP connection failed or was closed by the peer. */
    BGPVPN_REASON_SENT = 2,      /**< We sent the NOTIFICATION in code, subcode. */
    BGPVPN_REASON_RECEIVED = 3,  /**< The peer sent the NOTIFICATION in code, subcode. */
    BGPVPN_REASON_COLLISION = 4, /**< The other connection of the pair won (RFC 4271 6.8). */
    BGPVPN_REASON_DENIED = 5,    /**< ASK_ACCEPT was answered no, or not in time. */
    BGPVPN_REASON_REMOVED = 6,   /**< By request of the caller. */
    BGPVPN_REASON_SEND_HOLD = 7  /**< Nothing could be sent for the send hold time (RFC 9687). */
};

/** States of the FSM (RFC 4271 8.2.2). */
enum {
    BGPVPN_STATE_IDLE = 0,         /**< Shut down, or waiting before another try. */
    BGPVPN_STATE_CONNECT = 1,      /**< Waiting for TCP. */
    BGPVPN_STATE_ACTIVE = 2,       /**< Listening, or waiting for ConnectRetryTimer. */
    BGPVPN_STATE_OPEN_SENT = 3,    /**< Waiting for the peer's OPEN. */
    BGPVPN_STATE_OPEN_CONFIRM = 4, /**< Waiting for KEEPALIVE. */
    BGPVPN_STATE_ESTABLISHED = 5   /**< Exchanging routes. */
};

/** How next hops are tracked: @ref bgpvpn_config.next_hops. */
enum {
    BGPVPN_NEXT_HOPS_ASSUME_UP = 0, /**< Usable until bgpvpn_engine_set_next_hop() denies it. */
    BGPVPN_NEXT_HOPS_ASK = 1        /**< ASK_NEXT_HOP once per address; unusable until answered. */
};

/** What becomes of a connection from an unknown address: @ref bgpvpn_config.accept. */
enum {
    BGPVPN_ACCEPT_KNOWN = 0, /**< Only neighbours and listen ranges. */
    BGPVPN_ACCEPT_ASK = 1    /**< Ask the caller about others. */
};

/** Properties of a neighbour: @ref bgpvpn_neighbor_config.flags. */
enum {
    BGPVPN_NEIGHBOR_PASSIVE = 1 << 0,       /**< Never dial. */
    BGPVPN_NEIGHBOR_CLIENT = 1 << 1,        /**< Route reflector client (RFC 4456). */
    BGPVPN_NEIGHBOR_NEXT_HOP_SELF = 1 << 2, /**< Reflect with own next hop and own labels. */
    BGPVPN_NEIGHBOR_WARN_ONLY = 1 << 3,     /**< max_prefixes ends no session. */
    BGPVPN_NEIGHBOR_EXTENDED = 1 << 4,      /**< Messages of up to 65535 bytes (RFC 8654). */
    BGPVPN_NEIGHBOR_PRESERVES = 1 << 5, /**< Its routes of ours shall outlive a restart of us. */
    BGPVPN_NEIGHBOR_PLAIN_REFRESH = 1 << 6, /**< No marks for it (RFC 7313): some stumble. */
    /** Its routes lead to itself: one whose next hop is another address is refused. For peers that
        are trusted with labels of their own and with nobody else's. */
    BGPVPN_NEIGHBOR_NEXT_HOP_PEER = 1 << 7
};

/** Configuration of an engine; begin with bgpvpn_config_init(). */
typedef struct bgpvpn_config {
    uint32_t struct_size;         /**< Set by bgpvpn_config_init(). */
    uint32_t local_as;            /**< Own AS number; required. */
    uint32_t router_id;           /**< BGP identifier, host order; required. */
    uint32_t cluster_id;          /**< RFC 4456 7; 0: the router id. */
    uint32_t next_hops;           /**< BGPVPN_NEXT_HOPS_... */
    uint32_t accept;              /**< BGPVPN_ACCEPT_... */
    uint32_t ask_timeout_ms;      /**< ASK_ACCEPT unanswered this long means no; 10000. */
    uint32_t close_timeout_ms;    /**< A last NOTIFICATION may wait this long; 5000. */
    uint32_t open_timeout_s;      /**< Hold time while waiting for an OPEN; 240. */
    uint32_t max_work;            /**< Routes looked at in one call; 1000. */
    uint32_t max_events;          /**< Slots of the event ring, at least 16; 256. */
    uint32_t max_neighbors;       /**< Dynamic ones included; 4096. */
    uint32_t max_ranges;          /**< Listen ranges; 64. */
    uint32_t max_asks;            /**< Connections waiting for ASK_ACCEPT; 64. */
    uint32_t max_prefixes;        /**< (RD, prefix) pairs, those being withdrawn too; 4 Mi. */
    uint32_t max_paths;           /**< Routes of all neighbours and local ones; 8 Mi. */
    uint32_t max_attribute_sets;  /**< Distinct ones; 1 Mi. */
    uint32_t max_next_hops;       /**< Distinct ones; 64 Ki. */
    uint32_t max_vrfs;            /**< VRFs; 4096. */
    uint32_t max_vrf_routes;      /**< Routes in all VRFs; 4 Mi. */
    uint32_t max_groups;          /**< Update groups; 64. */
    uint32_t journal_changes;     /**< Changes the shared journal holds, 4 bytes each; 64 Ki. */
    uint32_t group_journal_bytes; /**< Encoded UPDATEs a group holds, at least 16 Ki; 256 Ki. */
    uint32_t reserved;            /**< 0 */
    bgpvpn_allocator allocator;   /**< Zeroed: the C library's. */
    uint8_t seed[32];             /**< Fresh entropy: timer jitter and hash keys. */
    uint32_t restarted;           /**< 1: forwarding went on over a restart (RFC 4724 4.1). */
    uint32_t restart_time_s;      /**< Told to peers that shall keep our routes; 1 to 4095; 120. */
    uint32_t deferral_s;          /**< Selection_Deferral_Timer, where restarted is set; 360. */
    uint32_t targets_wait_s;      /**< For a peer's route targets (RFC 4684 6); 60. */
} bgpvpn_config;

/** Configuration of a neighbour or a listen range; begin with bgpvpn_neighbor_config_init(). */
typedef struct bgpvpn_neighbor_config {
    uint32_t struct_size;     /**< Set by bgpvpn_neighbor_config_init(). */
    uint32_t remote_as;       /**< Required; equal to the own AS: internal. */
    bgpvpn_addr address;      /**< Of the peer, with port (0: 179) and scope; a range: a prefix. */
    bgpvpn_addr local;        /**< Own address to dial from, or none. */
    uint32_t flags;           /**< BGPVPN_NEIGHBOR_... */
    uint32_t tables;          /**< BGPVPN_TABLE_... to offer; VPNv4. */
    uint32_t hold_time_s;     /**< 0 or at least 3; 90. */
    uint32_t connect_retry_s; /**< ConnectRetryTime, at least 1; 120. */
    uint32_t idle_hold_s;     /**< Pause in Idle after a failure, doubled up to 64 times; 1. */
    uint32_t min_hold_time_s; /**< Smaller ones in an OPEN are refused; 0. */
    uint64_t cookie;          /**< The caller's own; returned by getters. */
    uint32_t delay_open_s;    /**< DelayOpenTime (RFC 4271 8.1.1): OPEN waits that long; 0. */
    /**
     * SendHoldTime (RFC 9687), above the hold time; 0: the greater of 8 minutes and twice the
     * negotiated hold time; UINT32_MAX: none.
     */
    uint32_t send_hold_time_s;
    uint32_t max_prefixes; /**< Of each family; one more ends the session; 0: any number. */
    uint32_t warn_percent; /**< Of max_prefixes, tells MANY_PREFIXES; up to 100, 0: never; 75. */
    /** Pause in Idle after that end; 0: until bgpvpn_engine_neighbor_start(); a dynamic neighbour
        is forgotten after it. */
    uint32_t max_prefixes_restart_s;
    /** Stale timer (RFC 8538 4.1): routes of a peer that restarts are kept so long at most; 0: no
        graceful restart; 180. */
    uint32_t stale_time_s;
    /** Route targets that it may ask for with BGPVPN_TABLE_TARGETS; with more it gets all; 4096. */
    uint32_t max_targets;
    uint32_t reserved; /**< 0 */
} bgpvpn_neighbor_config;

/** An event; 64 bytes, frozen. */
typedef struct bgpvpn_event {
    uint32_t kind;       /**< BGPVPN_EVENT_... */
    uint32_t reason;     /**< BGPVPN_REASON_... */
    uint64_t id;         /**< Neighbour, or next hop for ASK_NEXT_HOP. */
    uint64_t parent_id;  /**< Stream. */
    uint64_t ask_id;     /**< For an answer. */
    uint32_t number;     /**< As the kind says. */
    uint8_t code;        /**< NOTIFICATION code, or attribute type. */
    uint8_t subcode;     /**< NOTIFICATION subcode. */
    uint8_t reserved[2]; /**< 0 */
    bgpvpn_addr address; /**< Of the peer, or the next hop. */
} bgpvpn_event;

/** A stretch of bytes for a stream; 16 bytes on 64-bit machines, frozen. */
typedef struct bgpvpn_output {
    uint64_t stream; /**< Where to write it. */
    size_t len;      /**< How many bytes of the buffer; all must be written, in order. */
} bgpvpn_output;

/**
 * @brief Sets defaults.
 * @param[out] cfg The struct; its whole size is overwritten.
 * @retval BGPVPN_OK Set.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_config_init(bgpvpn_config *cfg);

/**
 * @brief Sets defaults.
 * @param[out] cfg The struct; its whole size is overwritten.
 * @retval BGPVPN_OK Set.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_neighbor_config_init(bgpvpn_neighbor_config *cfg);

/**
 * @brief Makes an engine.
 * @param cfg Copied.
 * @param now_ms Monotonic milliseconds.
 * @param[out] out The engine; free it with bgpvpn_engine_free().
 * @retval BGPVPN_OK Made.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or a setting is missing or out of range.
 * @retval BGPVPN_ERR_NOMEM Out of memory.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_new(const bgpvpn_config *cfg, uint64_t now_ms,
                                       bgpvpn_engine **out);

/**
 * @brief Frees an engine and all that it owns; nothing is sent.
 * @param e The engine, or NULL.
 */
BGPVPN_API void bgpvpn_engine_free(bgpvpn_engine *e);

/**
 * @brief Hands in bytes that arrived on a stream.
 *
 * What is wrong with them becomes a NOTIFICATION and an event, never a negative result. Where
 * @p consumed is less than @p len the engine waits for the event ring to be drained, or for an
 * answer: hand in the rest after that, and stop reading from the connection until then.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param stream Which.
 * @param buf The bytes; may be NULL when @p len is 0.
 * @param len How many.
 * @param[out] consumed How many were taken.
 * @retval BGPVPN_OK See @p consumed.
 * @retval BGPVPN_ERR_ABSENT No such stream: close the connection.
 * @retval BGPVPN_ERR_STATE The stream is not up yet.
 * @retval BGPVPN_ERR_NOMEM Out of memory; what @p consumed does not count was not taken.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_input(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream,
                                         const uint8_t *buf, size_t len, size_t *consumed);

/**
 * @brief Runs timers that are due and up to max_work units of background work.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @retval BGPVPN_OK Nothing more is due.
 * @retval BGPVPN_YES There is more: poll, then call again.
 * @retval BGPVPN_ERR_ARG @p e is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_timeout(bgpvpn_engine *e, uint64_t now_ms);

/**
 * @brief Tells when bgpvpn_engine_timeout() is next due; any call may change it.
 * @param e The engine.
 * @return Monotonic milliseconds, in the past when work waits; BGPVPN_NEVER when idle or @p e NULL.
 */
BGPVPN_API uint64_t bgpvpn_engine_deadline(const bgpvpn_engine *e);

/**
 * @brief Mixes fresh entropy into the generator.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param seed 32 bytes, never used before.
 * @retval BGPVPN_OK Mixed.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_reseed(bgpvpn_engine *e, uint64_t now_ms,
                                          const uint8_t seed[32]);

/**
 * @brief Takes the next event.
 * @param e The engine.
 * @param[out] out The event.
 * @retval BGPVPN_YES @p out is set.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_poll_event(bgpvpn_engine *e, bgpvpn_event *out);

/**
 * @brief Takes bytes to send, from one stream that has credit; streams take turns.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param[out] buf Where to.
 * @param cap Its size; any above 0 does, 4096 and more is best.
 * @param[out] out Stream and length; the stream's credit shrinks by it.
 * @retval BGPVPN_YES @p out is set.
 * @retval BGPVPN_OK Nothing to send now; the deadline tells whether a search goes on.
 * @retval BGPVPN_ERR_NOMEM Out of memory; nothing is lost.
 * @retval BGPVPN_ERR_ARG A pointer is NULL or @p cap is 0.
 */
BGPVPN_API bgpvpn_rc bgpvpn_engine_poll_output(bgpvpn_engine *e, uint64_t now_ms, uint8_t *buf,
                                               size_t cap, bgpvpn_output *out);

#ifdef __cplusplus
}
#endif

#endif
