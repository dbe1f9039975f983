/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_DMVPN_H
#define NHRP_DMVPN_H

/**
 * @file
 * @brief What a multipoint network needs besides: static mappings, servers, addresses that change,
 *        and where packets for many go.
 */

#include <nhrp/base.h>
#include <nhrp/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A static mapping: what the operator knows of a peer (ip nhrp map). */
typedef struct nhrp_mapping_config {
    uint32_t struct_size; /**< sizeof(nhrp_mapping_config). */
    uint32_t link;        /**< A known link: packets go by it, and the mapping ends with it. */
    uint32_t flags;       /**< NHRP_MAPPING_UNIQUE or 0. */
    uint16_t mtu;         /**< What to answer; 0: the default. */
    uint8_t preference;   /**< What to answer. */
    uint8_t reserved;     /**< Zero. */
    nhrp_addr prefix;     /**< What it leads to, in the link's own VRF; its scope is not read. */
    nhrp_addr next_hop;   /**< The peer's tunnel address; NONE: the prefix is that host. */
    nhrp_addr nbma;       /**< The peer's NBMA address; NONE where the link has one peer. */
} nhrp_mapping_config;

/**
 * @brief Zeroes a static mapping's configuration and fills in the struct size.
 * @param[out] cfg Written.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG cfg is NULL.
 */
NHRP_API nhrp_rc nhrp_mapping_config_init(nhrp_mapping_config *cfg);

/**
 * @brief Adds a static mapping; nhrp_engine_remove removes it.
 *
 * It takes the place of what was learned of the prefix, never expires, and is answered to others
 * as a registration is (RFC 2332 5.2.2). Neither purges nor registrations of others change it:
 * who registers its addresses is told so where they are the same, and prohibited where they
 * differ. MAPPING_UP follows.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param cfg From nhrp_mapping_config_init; copied.
 * @param[out] id The mapping.
 * @retval NHRP_OK Added.
 * @retval NHRP_ERR_ARG An argument is NULL or out of range, the prefix is ours, or the NBMA address
 *         is not that of the link's only peer.
 * @retval NHRP_ERR_ABSENT No such link.
 * @retval NHRP_ERR_STATE The prefix has a static mapping.
 * @retval NHRP_ERR_LIMIT max_mappings.
 * @retval NHRP_ERR_NOMEM No memory; nothing changed.
 */
NHRP_API nhrp_rc nhrp_engine_mapping_add(nhrp_engine *e, uint64_t now_ms,
                                         const nhrp_mapping_config *cfg, uint64_t *id);

/** Flags of a server. */
enum {
    NHRP_SERVER_MULTICAST = 0x01 /**< nhrp_engine_next_multicast names it (nhs ... multicast). */
};

/** A server of ours (ip nhrp nhs), besides those that links with NHRP_LINK_REGISTER lead to. */
typedef struct nhrp_server_config {
    uint32_t struct_size; /**< sizeof(nhrp_server_config). */
    uint32_t link;        /**< A known link: registrations go by it, and the server ends with it. */
    uint32_t priority;    /**< 0 is the best. */
    uint32_t flags;       /**< NHRP_SERVER_MULTICAST or 0. */
    nhrp_addr protocol;   /**< Its tunnel address, whose family is registered; NONE: unknown. */
    nhrp_addr nbma;       /**< Its NBMA address. NONE: the peer's; on a multipoint link that of the
                               mapping of its tunnel address, which may come later. */
} nhrp_server_config;

/** States of a server. */
enum {
    NHRP_SERVER_STANDBY = 1,    /**< Others do: max_registrations of the interface. */
    NHRP_SERVER_ASKED = 2,      /**< Asked, no answer yet. */
    NHRP_SERVER_REGISTERED = 3, /**< It knows us. */
    NHRP_SERVER_DOWN = 4        /**< It did not answer or refused, and is asked again. */
};

/** A server as the engine knows it. */
typedef struct nhrp_server {
    uint32_t struct_size;         /**< sizeof(nhrp_server). */
    uint32_t state;               /**< NHRP_SERVER_STANDBY ... */
    uint64_t id;                  /**< Never used again. */
    uint64_t registered_until_ms; /**< REGISTERED; else 0. */
    uint32_t link;                /**< Registrations go by it. */
    uint32_t interface;           /**< Of link. */
    uint32_t priority;            /**< As configured. */
    uint32_t transmissions;       /**< Requests since its last answer. */
    nhrp_addr protocol;           /**< Its tunnel address, where known. */
    nhrp_addr nbma;               /**< Where requests go; NONE: no mapping leads to it. */
} nhrp_server;

/**
 * @brief Zeroes a server's configuration and fills in the struct size.
 * @param[out] cfg Written.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG cfg is NULL.
 */
NHRP_API nhrp_rc nhrp_server_config_init(nhrp_server_config *cfg);

/**
 * @brief Adds a server: a registration goes out, unless enough others are as good (RFC 2332 5.2.3).
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param cfg From nhrp_server_config_init; copied.
 * @param[out] id The server, which events name.
 * @retval NHRP_OK Added.
 * @retval NHRP_ERR_ARG An argument is NULL or out of range, the link has no tunnel address of the
 *         family, or nothing can tell the NBMA address.
 * @retval NHRP_ERR_ABSENT No such link.
 * @retval NHRP_ERR_LIMIT max_servers, or too few free events.
 * @retval NHRP_ERR_NOMEM No memory; nothing changed.
 */
NHRP_API nhrp_rc nhrp_engine_server_add(nhrp_engine *e, uint64_t now_ms,
                                        const nhrp_server_config *cfg, uint64_t *id);

/**
 * @brief Removes a server; what is registered there runs out.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param id The server, also one that a link with NHRP_LINK_REGISTER brought.
 * @retval NHRP_OK Removed; the best one on standby takes its place.
 * @retval NHRP_ERR_ARG e is NULL.
 * @retval NHRP_ERR_ABSENT No such server.
 */
NHRP_API nhrp_rc nhrp_engine_server_remove(nhrp_engine *e, uint64_t now_ms, uint64_t id);

/**
 * @brief Walks all servers in the order in which they were added.
 * @param e The engine.
 * @param[in,out] it 0 to begin with, then the id of the one before, which may be gone.
 * @param[in,out] out struct_size set by the caller; written with NHRP_YES only.
 * @retval NHRP_YES One was found.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL or struct_size too small.
 */
NHRP_API nhrp_rc nhrp_engine_next_server(const nhrp_engine *e, uint64_t *it, nhrp_server *out);

/**
 * @brief Changes our own NBMA address on a link, as DHCP may.
 *
 * Registrations and requests that wait go out again at once with the new address, and what we
 * answered with the old one is purged (RFC 2332 5.2.3, 5.2.5). A server takes a new address for a
 * registration that is not unique; a unique one is refused until the old one has run out.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param link The link.
 * @param local_nbma The address, of the same family as before.
 * @retval NHRP_OK Changed, or as it was.
 * @retval NHRP_ERR_ARG An argument is NULL, or local_nbma no address of the link's NBMA family.
 * @retval NHRP_ERR_ABSENT No such link.
 */
NHRP_API nhrp_rc nhrp_engine_link_set_nbma(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                           const nhrp_addr *local_nbma);

/**
 * @brief Adds an NBMA address that packets for many go to (ip nhrp map multicast).
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param link A multipoint link; the entry ends with it.
 * @param nbma The address.
 * @retval NHRP_OK Added.
 * @retval NHRP_ERR_ARG An argument is NULL, nbma no address of the link's NBMA family, or the link
 *         has one peer, who needs no entry.
 * @retval NHRP_ERR_ABSENT No such link.
 * @retval NHRP_ERR_STATE It was added before.
 * @retval NHRP_ERR_LIMIT max_multicast.
 * @retval NHRP_ERR_NOMEM No memory.
 */
NHRP_API nhrp_rc nhrp_engine_multicast_add(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                           const nhrp_addr *nbma);

/**
 * @brief Removes what nhrp_engine_multicast_add added; a client registered there is still named.
 * @param e The engine.
 * @param now_ms Monotonic milliseconds.
 * @param link The link.
 * @param nbma The address.
 * @retval NHRP_OK Removed.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_ABSENT It was not added.
 */
NHRP_API nhrp_rc nhrp_engine_multicast_remove(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                              const nhrp_addr *nbma);

/**
 * @brief Walks the NBMA addresses of a link that a packet for many is replicated to.
 *
 * Each comes once: those added, with NHRP_INTERFACE_MULTICAST those of registered clients, and
 * those of servers with NHRP_SERVER_MULTICAST. A link with one peer has that peer's.
 * @param e The engine.
 * @param link The link.
 * @param[in,out] it 0 to begin with; changed at will by the engine. Entries may come and go.
 * @param[out] nbma Written with NHRP_YES only.
 * @retval NHRP_YES One was found.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_ABSENT No such link.
 */
NHRP_API nhrp_rc nhrp_engine_next_multicast(const nhrp_engine *e, uint32_t link, uint64_t *it,
                                            nhrp_addr *nbma);

#ifdef __cplusplus
}
#endif

#endif
