/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_DMVPN_H
#define NHRP_DMVPN_H

/**
 * @file
 * @brief What a multipoint network needs besides: static mappings.
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

#ifdef __cplusplus
}
#endif

#endif
