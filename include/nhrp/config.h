/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_CONFIG_H
#define NHRP_CONFIG_H

/**
 * @file
 * @brief What an engine, an interface and a link are made from.
 *
 * Each struct starts with its size, and has a function that fills in the defaults.
 */

#include <nhrp/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief An engine's configuration. Every max_ is a ceiling, never a preallocation, but for
 *        max_events.
 */
typedef struct nhrp_config {
    uint32_t struct_size;            /**< sizeof(nhrp_config). */
    uint32_t vendor_oui;             /**< OUI of the label extension; NHRP_OUI_DEFAULT. */
    nhrp_allocator allocator;        /**< Zero: the C library's. */
    uint8_t seed[32];                /**< Entropy; never the same twice outside tests. */
    uint32_t first_registration_id;  /**< Request id of the first registration; what was used
                                          before a restart, plus one. */
    uint32_t max_interfaces;         /**< 64. */
    uint32_t max_links;              /**< 10,000. */
    uint32_t max_mappings;           /**< 100,000, of all kinds. */
    uint32_t max_pending;            /**< 1,000 resolutions of ours under way. */
    uint32_t max_pending_per_link;   /**< 100 of them by one link. */
    uint32_t max_questions;          /**< 1,000 packets that wait for an answer. */
    uint32_t max_questions_per_link; /**< 64 of them from one link. */
    uint32_t max_answers;            /**< 10,000 answers remembered, to purge them. */
    uint32_t max_flows;              /**< 4,096 flows whose redirects are limited. */
    uint32_t max_outputs;            /**< 4,096 packets that wait for poll_output. */
    uint32_t max_events;             /**< 256, allocated at once; at least 16. */
    uint32_t max_work;               /**< 64 units that one timeout call does. */
    uint32_t retransmit_ms;          /**< 1,000: the first retry of a request; doubles. */
    uint32_t retransmit_max_ms;      /**< 64,000: where doubling ends. */
    uint32_t max_transmissions;      /**< 4 times a resolution or purge is sent; a
                                          server that leaves so many unanswered is given up. */
    uint32_t question_wait_ms;       /**< 2,000: unanswered routes count as none. */
    uint32_t tunnel_wait_ms;         /**< 3,000: how long a responder waits for a tunnel. */
    uint32_t tunnel_initiate_ms;     /**< 10,000: how long a requester waits for one. */
    uint32_t negative_ms;            /**< 60,000: rest after a failure; doubles. */
    uint32_t negative_max_ms;        /**< 960,000: where doubling ends. */
    uint32_t redirect_interval_ms;   /**< 8,000 between redirects of one flow. */
    uint32_t max_answers_per_link;   /**< 1,000 of max_answers to peers by one link. */
    uint32_t max_flows_per_link;     /**< 1,024 of max_flows that one link brought. */
    uint32_t max_outputs_per_link;   /**< 1,024 of max_outputs that packets by one link caused. */
    uint32_t max_questions_per_requester; /**< 16 requests of one requester on a link wait. */
    uint32_t silent_ms;     /**< 5,000: rest after requests that nobody answered, which
                                 denies nothing; doubles, up to negative_max_ms. */
    uint32_t reserved;      /**< Zero. */
    uint32_t max_servers;   /**< 1,000 that nhrp_engine_server_add adds. */
    uint32_t max_multicast; /**< 1,000 that nhrp_engine_multicast_add adds. */
} nhrp_config;

/** Flags of an interface. */
enum {
    NHRP_INTERFACE_REDIRECT = 0x01,     /**< Sends Traffic Indications (ip nhrp redirect). */
    NHRP_INTERFACE_SHORTCUT = 0x02,     /**< Obeys them (ip nhrp shortcut). */
    NHRP_INTERFACE_TUNNEL_FIRST = 0x04, /**< Answers over a direct tunnel, made first: FlexVPN. */
    NHRP_INTERFACE_SERVER = 0x08,       /**< Accepts registrations. */
    NHRP_INTERFACE_PREFIXES = 0x10,     /**< Also those of prefixes, not of hosts alone. */
    /** Asks for our NBMA address as the server sees it, and tells it: the NAT address extension.
        That of others is understood in any case. */
    NHRP_INTERFACE_NAT = 0x20,
    /** nhrp_engine_next_multicast names the registered clients of multipoint links (ip nhrp map
        multicast dynamic). */
    NHRP_INTERFACE_MULTICAST = 0x40
};

/** How packets of an interface are authenticated (RFC 2332 5.3.4). */
enum {
    NHRP_AUTHENTICATION_NONE = 0,       /**< Neither made nor asked for. */
    NHRP_AUTHENTICATION_CLEARTEXT = 1,  /**< A password, as deployed. */
    NHRP_AUTHENTICATION_HMAC_SHA256 = 2 /**< HMAC with an SPI of 256 or above. */
};

/** An interface: what its links have in common. */
typedef struct nhrp_interface_config {
    uint32_t struct_size;       /**< sizeof(nhrp_interface_config). */
    uint32_t network_id;        /**< Redirects stay within one; significant to this node only. */
    uint32_t flags;             /**< NHRP_INTERFACE_...; default REDIRECT, SHORTCUT and
                                     TUNNEL_FIRST. */
    uint32_t authentication;    /**< NHRP_AUTHENTICATION_... */
    const uint8_t *key;         /**< Password or HMAC key; copied. */
    size_t key_len;             /**< 1 to 64 where authentication is on. */
    uint32_t spi;               /**< 256 to 65535, HMAC only. */
    uint32_t send_limit;        /**< 100: packets per interval that one link sends on its own
                                     account, and as many that what came by it causes, wherever
                                     they go; then silence. 0: no limit. */
    uint32_t send_interval_ms;  /**< 10,000. */
    uint16_t max_packet_size;   /**< 1,400 octets of NHRP; larger ones are not sent. */
    uint16_t holding_time_s;    /**< 600: what we register, and offer where a route has none. */
    uint8_t hop_count;          /**< 255. */
    uint8_t reserved[7];        /**< Zero. */
    uint32_t max_registrations; /**< With how many servers to be registered at once, for each
                                     family; 0: with all. The best are asked first. */
    uint32_t reserved2;         /**< Zero. */
} nhrp_interface_config;

/** Flags of a link. */
enum {
    NHRP_LINK_REGISTER = 0x01,   /**< The peer is our server: register with it. */
    NHRP_LINK_UNIQUE = 0x02,     /**< Ask for a unique registration. */
    NHRP_LINK_MULTIPOINT = 0x04, /**< No fixed peer: peers are told by their NBMA addresses. */
    /** The peer speaks for itself alone, as a spoke does: it passes on no one's requests, and its
        replies name its own addresses. Not with MULTIPOINT. */
    NHRP_LINK_LEAF = 0x08
};

/**
 * @brief A link: one secured adjacency, or a multipoint interface.
 *
 * The peer's addresses are what the tunnel's own protocol has proven or been told to trust; family
 * NONE where it told nothing.
 */
typedef struct nhrp_link_config {
    uint32_t struct_size;          /**< sizeof(nhrp_link_config). */
    uint32_t interface;            /**< A known interface. */
    uint32_t vrf;                  /**< The VRF of packets that name none: the link's own. */
    uint32_t flags;                /**< NHRP_LINK_... */
    nhrp_addr local_nbma;          /**< Ours, as peers should reach us. */
    nhrp_addr local_protocol_ipv4; /**< Our tunnel address; one of the two is needed. */
    nhrp_addr local_protocol_ipv6; /**< Our tunnel address of the other family. */
    nhrp_addr peer_nbma;           /**< The peer's; NONE on a multipoint link only. */
    nhrp_addr peer_protocol_ipv4;  /**< The peer's tunnel address, where known. */
    nhrp_addr peer_protocol_ipv6;  /**< The peer's tunnel address, where known. */
    const uint8_t *identity;       /**< The authenticated identity, any bytes; copied. */
    size_t identity_len;           /**< 0 to 255. */
    uint32_t priority;             /**< REGISTER: of the server that the peer is; 0 is the best. */
    uint32_t reserved;             /**< Zero. */
    nhrp_addr local_link_local;    /**< Our IPv6 link-local address, fe80::/64, to be told with
                                        answers about IPv6; NONE: not told. */
} nhrp_link_config;

/**
 * @brief Fills in the defaults and the struct size; the seed is left zero and must be set.
 * @param[out] cfg Written.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG cfg is NULL.
 */
NHRP_API nhrp_rc nhrp_config_init(nhrp_config *cfg);

/**
 * @brief Fills in the defaults of an interface and the struct size.
 * @param[out] cfg Written.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG cfg is NULL.
 */
NHRP_API nhrp_rc nhrp_interface_config_init(nhrp_interface_config *cfg);

/**
 * @brief Zeroes a link's configuration and fills in the struct size.
 * @param[out] cfg Written.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG cfg is NULL.
 */
NHRP_API nhrp_rc nhrp_link_config_init(nhrp_link_config *cfg);

#ifdef __cplusplus
}
#endif

#endif
