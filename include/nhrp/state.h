/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_STATE_H
#define NHRP_STATE_H

/**
 * @file
 * @brief What an engine knows: mappings, links and counters, for show commands and data planes.
 *
 * Set struct_size in the output before the call. Views in it hold until the next call that takes
 * a non-const engine.
 */

#include <nhrp/base.h>
#include <nhrp/engine.h>
#include <nhrp/label.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a mapping came about. */
enum {
    NHRP_MAPPING_INCOMPLETE = 1, /**< Asked for, not answered yet. */
    NHRP_MAPPING_RESOLVED = 2,   /**< Answered; a shortcut. */
    NHRP_MAPPING_NEGATIVE = 3,   /**< Failed; not asked again before expires_ms. */
    NHRP_MAPPING_REGISTERED = 4, /**< A client registered it with us. */
    NHRP_MAPPING_DEAD = 5,       /**< Gone; kept until its last event has been seen. */
    NHRP_MAPPING_STATIC = 6      /**< Configured: nhrp_engine_mapping_add. */
};

/** Flags of a mapping. */
enum {
    NHRP_MAPPING_UNIQUE = 0x01,        /**< Registered as unique. */
    NHRP_MAPPING_AUTHORITATIVE = 0x02, /**< From a registration, or a reply that said so. */
    NHRP_MAPPING_ROUTER = 0x04,        /**< The reply answered a router. */
    NHRP_MAPPING_NATED = 0x08,         /**< claimed_nbma differs from nbma. */
    NHRP_MAPPING_USED = 0x10,          /**< Used since it was last answered. */
    NHRP_MAPPING_RENEWING = 0x20       /**< Asked for again while it lasts. */
};

/** A mapping: protocol prefix to NBMA address, with labels. */
typedef struct nhrp_mapping {
    uint32_t struct_size;                     /**< sizeof(nhrp_mapping). */
    uint32_t kind;                            /**< NHRP_MAPPING_INCOMPLETE ... */
    uint64_t id;                              /**< Never used again. */
    uint64_t created_ms;                      /**< When it was asked for or registered. */
    uint64_t expires_ms;                      /**< When it ends, or NHRP_NEVER. */
    uint32_t flags;                           /**< NHRP_MAPPING_UNIQUE ... */
    uint32_t vrf;                             /**< Where prefix belongs. */
    uint32_t link;                            /**< By which packets go to it. */
    uint32_t interface;                       /**< Of link. */
    uint32_t request_link;                    /**< By which it was asked for. */
    uint32_t failures;                        /**< In a row. */
    uint32_t holding_time_s;                  /**< As last told by the peer. */
    uint16_t mtu;                             /**< As told by the peer; 0: the default. */
    uint8_t preference;                       /**< As told by the peer. */
    uint8_t code;                             /**< Of the negative reply. */
    uint32_t label_count;                     /**< 0: packets go without a VPN label. */
    uint32_t labels[NHRP_LABELS_MAX];         /**< To push, top first. */
    uint32_t overlay_label_count;             /**< 0: none told. */
    uint32_t overlay_labels[NHRP_LABELS_MAX]; /**< For the next hop itself. */
    nhrp_addr prefix;                         /**< What it leads to. */
    nhrp_addr destination;                    /**< The host that was asked for. */
    nhrp_addr next_hop;                       /**< The peer's tunnel address. */
    nhrp_addr nbma;                           /**< The peer's NBMA address. */
    nhrp_addr claimed_nbma;                   /**< As the peer sees it itself. */
    nhrp_addr link_local;                     /**< The peer's IPv6 link-local address; NONE: it
                                                   told none. */
} nhrp_mapping;

/** A link as the engine knows it. */
typedef struct nhrp_link {
    uint32_t struct_size;          /**< sizeof(nhrp_link). */
    uint32_t link;                 /**< The caller's id. */
    uint32_t interface;            /**< Its interface. */
    uint32_t vrf;                  /**< Its own VRF. */
    uint32_t flags;                /**< NHRP_LINK_... */
    uint32_t registered;           /**< 1 while our registration with the peer stands. */
    uint32_t mappings;             /**< Mappings that end with it. */
    uint32_t pending;              /**< Resolutions under way by it. */
    uint64_t up_ms;                /**< When it was made. */
    nhrp_addr local_nbma;          /**< As configured. */
    nhrp_addr local_protocol_ipv4; /**< As configured. */
    nhrp_addr local_protocol_ipv6; /**< As configured. */
    nhrp_addr peer_nbma;           /**< As configured. */
    nhrp_addr peer_protocol_ipv4;  /**< As configured. */
    nhrp_addr peer_protocol_ipv6;  /**< As configured. */
    const uint8_t *identity;       /**< As configured. */
    size_t identity_len;           /**< Octets of identity. */
    nhrp_addr translated_nbma;     /**< Ours as our server sees it, where a NAT changes it. */
} nhrp_link;

/** Sizes of the arrays of counters. */
enum {
    NHRP_COUNTER_TYPES = 16,  /**< Packet types; index 0 counts those of no known type. */
    NHRP_COUNTER_REASONS = 32 /**< Reasons: index -20 - NHRP_ERR_... */
};

/** Counters of an interface, since it was added. */
typedef struct nhrp_counters {
    uint32_t struct_size;                   /**< sizeof(nhrp_counters). */
    uint32_t reserved;                      /**< Zero. */
    uint64_t sent[NHRP_COUNTER_TYPES];      /**< Packets sent, by type. */
    uint64_t received[NHRP_COUNTER_TYPES];  /**< Packets that came in, by type. */
    uint64_t forwarded[NHRP_COUNTER_TYPES]; /**< Of those sent, what others had made. */
    uint64_t dropped[NHRP_COUNTER_REASONS]; /**< Dropped, by reason, sent or received. */
} nhrp_counters;

/**
 * @brief Looks a mapping up.
 * @param e The engine.
 * @param id From an event or an iterator.
 * @param[in,out] out struct_size set by the caller; written on success only.
 * @retval NHRP_OK Found, perhaps marked NHRP_MAPPING_DEAD.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 * @retval NHRP_ERR_ABSENT No such mapping.
 */
NHRP_API nhrp_rc nhrp_engine_get_mapping(const nhrp_engine *e, uint64_t id, nhrp_mapping *out);

/**
 * @brief Walks all mappings that are not dead, in order of creation.
 * @param e The engine.
 * @param[in,out] it 0 to begin with, then the id of the one before, which may be gone.
 * @param[in,out] out struct_size set by the caller; written with NHRP_YES only.
 * @retval NHRP_YES One was found.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 */
NHRP_API nhrp_rc nhrp_engine_next_mapping(const nhrp_engine *e, uint64_t *it, nhrp_mapping *out);

/**
 * @brief Looks a link up.
 * @param e The engine.
 * @param link The caller's id.
 * @param[in,out] out struct_size set by the caller; written on success only.
 * @retval NHRP_OK Found.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 * @retval NHRP_ERR_ABSENT No such link.
 */
NHRP_API nhrp_rc nhrp_engine_get_link(const nhrp_engine *e, uint32_t link, nhrp_link *out);

/**
 * @brief Walks all links in the order in which they came up.
 * @param e The engine.
 * @param[in,out] it 0 to begin with; changed at will by the engine.
 * @param[in,out] out struct_size set by the caller; written with NHRP_YES only.
 * @retval NHRP_YES One was found.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 */
NHRP_API nhrp_rc nhrp_engine_next_link(const nhrp_engine *e, uint64_t *it, nhrp_link *out);

/**
 * @brief Reads an interface's counters.
 * @param e The engine.
 * @param interface The caller's id.
 * @param[in,out] out struct_size set by the caller; written on success only.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 * @retval NHRP_ERR_ABSENT No such interface.
 */
NHRP_API nhrp_rc nhrp_engine_get_counters(const nhrp_engine *e, uint32_t interface,
                                          nhrp_counters *out);

#ifdef __cplusplus
}
#endif

#endif
