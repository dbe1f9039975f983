/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_CONFIG_H
#define IKEV2_CONFIG_H

/**
 * @file
 * @brief What the engine is told: its config, its peers and profiles, their Child SAs.
 */

#include <ikev2/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an engine is made with. ikev2_config_init sets the defaults given here. */
typedef struct ikev2_config {
    uint32_t struct_size;                    /**< sizeof(ikev2_config). */
    uint16_t ike_port;                       /**< Local port without a non-ESP marker (500). */
    uint16_t natt_port;                      /**< Port to float to behind a NAT (4500). */
    ikev2_allocator allocator;               /**< Zeroed: the C library's. */
    uint8_t seed[IKEV2_SEED_BYTES];          /**< Entropy; never use one twice. */
    const ikev2_transform *ike_transforms;   /**< Of IKE SAs, preferred first; copied. NULL:
                                                  AES-GCM-128, PRF-HMAC-SHA2-256, x25519. */
    size_t ike_transform_count;              /**< Their number. */
    const ikev2_transform *child_transforms; /**< Of Child SAs; copied. NULL: AES-GCM-128, ESN yes,
                                                  ESN no. A group here means forward secrecy. */
    size_t child_transform_count;            /**< Their number. */
    uint32_t spi_min;                        /**< Lowest inbound SPI of a Child SA (0x100). */
    uint32_t spi_max;                        /**< Highest (0xffffffff). */
    uint32_t fragment_bytes;      /**< Datagrams above this are fragmented where the peer can:
                                       RFC 7383 (1232); 0: never fragmented. */
    uint32_t max_message_bytes;   /**< Longest message, whole or reassembled (16384). */
    uint32_t max_fragments;       /**< Fragments of a message (64). */
    uint32_t max_sas;             /**< IKE SAs of any state (65536). */
    uint32_t max_half_open;       /**< Responder's unauthenticated SAs (1000). */
    uint32_t cookie_threshold;    /**< Half-open SAs from which on a cookie is wanted (100). */
    uint32_t max_children_per_sa; /**< Child SAs of an IKE SA (8, at most 64). */
    uint32_t max_routes;          /**< Subnets kept from one peer (64). */
    uint32_t max_profiles;        /**< Profiles (4096). */
    uint32_t max_replies;         /**< Stateless replies queued (64). */
    uint32_t max_events;          /**< Slots of the event ring (1024). */
    uint32_t max_work;            /**< SAs served by one call of timeout (64). */
    uint32_t retransmit_ms;       /**< First retransmission; doubles each time (1000). */
    uint32_t retransmit_max_ms;   /**< Longest interval (16000). */
    uint32_t retransmit_tries;    /**< Retransmissions before the peer counts as dead (6). */
    uint32_t half_open_ms;        /**< A responder's SA must be authenticated by then (30000). */
    uint32_t ask_ms;              /**< An unanswered question refuses the peer (5000). */
    uint32_t linger_ms;           /**< A closed SA still repeats its last response (30000). */
    uint32_t cookie_ms;           /**< Life of a cookie secret (60000). */
    uint32_t retry_ms;            /**< Wait after TEMPORARY_FAILURE (3000). */
    uint32_t ike_lifetime_s;      /**< Rekey of the IKE SA, less up to 10 percent; 0: never
                                       (14400). It ends 10 percent after. */
    uint32_t child_lifetime_s;    /**< The same for Child SAs (3600). */
    uint32_t liveness_ms;         /**< Silence that leads to a liveness check; 0: none (30000). */
    uint32_t keepalive_ms;        /**< NAT keepalive when behind a NAT; 0: none (20000). */
    uint8_t force_encapsulation;  /**< 1: NAT detection fails on purpose, ESP goes in UDP (0). */
    uint8_t ask_peer;             /**< 1: ASK_PEER where no profile matches; 0: refused (0). */
    uint8_t reserved[6];          /**< 0. */
    uint64_t unix_time_s;    /**< Wall time of the call, in seconds since 1970; 0: not known, then
                                  certificates are asked about (0). */
    uint32_t max_certs;      /**< Certificates taken from one peer (8, at most 16). */
    uint32_t max_cert_bytes; /**< Length of each (4096). */
} ikev2_config;

/** What CFG_REQUEST asks for; values of @ref ikev2_peer.request. */
enum {
    IKEV2_REQUEST_SUBNETS = 1, /**< The responder's subnets. */
    IKEV2_REQUEST_ADDRESS = 2  /**< An inner IPv4 address. */
};

/** What a Child SA shall be. Everything is copied. */
typedef struct ikev2_child_policy {
    uint32_t struct_size;              /**< sizeof(ikev2_child_policy). */
    uint8_t mode;                      /**< IKEV2_MODE_...; 0: transport. */
    uint8_t reserved[3];               /**< 0. */
    const ikev2_transform *transforms; /**< NULL: the engine's. */
    size_t transform_count;            /**< Their number. */
    const ikev2_selector *local_ts;    /**< Ours; NULL: GRE of the path's local address. */
    size_t local_ts_count;             /**< Their number. */
    const ikev2_selector *peer_ts;     /**< The peer's; NULL: GRE of the path's peer address. */
    size_t peer_ts_count;              /**< Their number. */
} ikev2_child_policy;

/**
 * How a peer and we prove who we are, where a shared key is not all. Everything is copied.
 *
 * What our certificate says we are is for the peer to judge; the peer's must hold its identity as
 * an alternative name of that type, or as the subject (RFC 4945 3.1).
 */
typedef struct ikev2_credentials {
    uint32_t struct_size;       /**< sizeof(ikev2_credentials). */
    uint8_t local_auth;         /**< IKEV2_AUTHENTICATE_... of ours. */
    uint8_t peer_auth;          /**< IKEV2_AUTHENTICATE_... of the peer. */
    uint8_t pkcs1;              /**< 1: RSA signs by PKCS #1 v1.5; 0: by PSS, as RFC 8247 wants. */
    uint8_t reserved;           /**< 0. */
    const uint8_t *private_key; /**< Ours, PKCS #8 without encryption; wiped with the peer. */
    size_t private_key_len;     /**< Its length; 0: IKEV2_EVENT_ASK_SIGN. */
    const ikev2_der *chain;     /**< Our certificate, then those that lead to its anchor. */
    size_t chain_count;         /**< Their number; at least 1 where local_auth is a signature. */
    const ikev2_der *anchors;   /**< Certificates that the peer's may lead to. */
    size_t anchor_count;        /**< Their number; 0: IKEV2_EVENT_ASK_CERT. */
    const ikev2_der *crls;      /**< Lists of revoked certificates. Given any, each certificate of
                                     the peer's chain must be in the care of a current one. */
    size_t crl_count;           /**< Their number. */
} ikev2_credentials;

/**
 * A peer to initiate to, or a profile that a responder matches. Everything is copied.
 *
 * A shared key of length 0 is asked for when it is needed (IKEV2_EVENT_ASK_PSK).
 */
typedef struct ikev2_peer {
    uint32_t struct_size;     /**< sizeof(ikev2_peer). */
    uint8_t request;          /**< IKEV2_REQUEST_... bits; initiator only. */
    uint8_t reserved[3];      /**< 0. */
    uint64_t user;            /**< The caller's; in events and getters. */
    ikev2_path path;          /**< Initiator: both ends with ports. Profile: a prefix of the
                                   peer's address (family NONE: any); local is ignored. */
    ikev2_identity local_id;  /**< Who we are. */
    ikev2_identity peer_id;   /**< Who the peer must be; ANY and wildcards are allowed. */
    const uint8_t *local_psk; /**< The key that we authenticate with. */
    size_t local_psk_len;     /**< Its length. */
    const uint8_t *peer_psk;  /**< The peer's; length 0: the same as ours. */
    size_t peer_psk_len;      /**< Its length. */
    const ikev2_transform *ike_transforms; /**< Of IKE SAs that we begin, and of rekeys; NULL: the
                                                engine's. */
    size_t ike_transform_count;            /**< Their number. */
    const ikev2_child_policy *child; /**< NULL: transport mode, GRE between the path's ends. */
    const ikev2_addr *push_routes;   /**< Prefixes told to the peer: CFG_REPLY or CFG_SET. */
    size_t push_route_count;         /**< Their number. */
    const ikev2_addr *accept_routes; /**< What the peer may push lies in these; none: anything. */
    size_t accept_route_count;       /**< Their number. */
    ikev2_addr assign_address;       /**< Responder: given to a peer that asks; NONE: nothing. */
    const ikev2_credentials *credentials; /**< NULL: shared keys both ways. */
} ikev2_peer;

/**
 * @brief Sets struct_size and every default.
 * @param cfg the config.
 * @retval IKEV2_ERR_ARG @p cfg is NULL.
 */
IKEV2_API ikev2_rc ikev2_config_init(ikev2_config *cfg);

#ifdef __cplusplus
}
#endif

#endif
