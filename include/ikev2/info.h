/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_INFO_H
#define IKEV2_INFO_H

/**
 * @file
 * @brief What an engine knows: SAs, keys, pushed routes, counters.
 *
 * Set struct_size before the call. Views live until the next non-const call on the engine. An SA
 * stays readable, marked dead, until its last event was polled and a later non-const call made.
 * A NULL argument, and a struct_size that no version had, is IKEV2_ERR_ARG.
 */

#include <ikev2/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** States of an IKE SA. */
enum {
    IKEV2_SA_CONNECTING = 1, /**< Not authenticated yet. */
    IKEV2_SA_ESTABLISHED,    /**< In use. */
    IKEV2_SA_CLOSING,        /**< Replaced, or its deletion is under way. */
    IKEV2_SA_DEAD            /**< Gone. */
};

/** States of a Child SA. */
enum {
    IKEV2_CHILD_CONNECTING = 1, /**< Being negotiated. */
    IKEV2_CHILD_INSTALLED,      /**< Receives; the peer may not be ready for ours yet. */
    IKEV2_CHILD_ESTABLISHED,    /**< Receives and sends. */
    IKEV2_CHILD_CLOSING,        /**< Replaced, or its deletion is under way. */
    IKEV2_CHILD_DEAD            /**< Gone; its keys are wiped. */
};

/** An IKE SA. */
typedef struct ikev2_sa_info {
    uint32_t struct_size;        /**< sizeof(ikev2_sa_info). */
    uint8_t state;               /**< IKEV2_SA_... */
    uint8_t initiator;           /**< 1: we are the original initiator. */
    uint8_t nat_local;           /**< 1: we are behind a NAT. */
    uint8_t nat_peer;            /**< 1: the peer is, or says so. */
    uint64_t id;                 /**< Its id. */
    uint64_t user;               /**< @ref ikev2_peer.user. */
    uint64_t profile_id;         /**< The profile that matched, or 0. */
    uint64_t spi_i;              /**< SPI of the initiator. */
    uint64_t spi_r;              /**< SPI of the responder. */
    ikev2_path path;             /**< Its path. */
    ikev2_identity local_id;     /**< Who we are. */
    ikev2_identity peer_id;      /**< Who the peer is; claimed only, until ESTABLISHED. */
    ikev2_identity asked_id;     /**< Responder: the IDr that the peer asked for, or type 0. */
    ikev2_addr assigned_address; /**< What CFG_REPLY gave us or the peer; family NONE: nothing. */
    uint16_t encr;               /**< IKEV2_ENCR_... */
    uint16_t key_bits;           /**< Of the cipher. */
    uint16_t integ;              /**< IKEV2_INTEG_... */
    uint16_t prf;                /**< IKEV2_PRF_... */
    uint16_t group;              /**< IKEV2_GROUP_... */
    uint8_t reserved[2];         /**< 0. */
    uint32_t child_count;        /**< Child SAs, of any state but dead. */
} ikev2_sa_info;

/** A Child SA. Keys of AEAD ciphers end in the salt; they are views, secret, and wiped at REMOVE.
 */
typedef struct ikev2_child_info {
    uint32_t struct_size;           /**< sizeof(ikev2_child_info). */
    uint8_t state;                  /**< IKEV2_CHILD_... */
    uint8_t mode;                   /**< IKEV2_MODE_... */
    uint8_t esn;                    /**< IKEV2_ESN_... */
    uint8_t encapsulated;           /**< 1: ESP in UDP on the path's ports (RFC 3948). */
    uint64_t id;                    /**< Its id. */
    uint64_t sa_id;                 /**< Its IKE SA, now. */
    uint64_t replaces;              /**< The Child SA that it rekeyed, or 0. */
    uint64_t user;                  /**< @ref ikev2_peer.user. */
    ikev2_path path;                /**< The IKE SA's. */
    uint32_t spi_in;                /**< SPI of packets to us. */
    uint32_t spi_out;               /**< SPI of packets to the peer. */
    uint16_t encr;                  /**< IKEV2_ENCR_... */
    uint16_t key_bits;              /**< Of the cipher. */
    uint16_t integ;                 /**< IKEV2_INTEG_... */
    uint16_t group;                 /**< IKEV2_GROUP_... of its own key exchange, or NONE. */
    const uint8_t *key_in;          /**< Cipher key, inbound. */
    size_t key_in_len;              /**< Its length, salt included. */
    const uint8_t *integ_key_in;    /**< Integrity key, inbound, or NULL. */
    size_t integ_key_in_len;        /**< Its length. */
    const uint8_t *key_out;         /**< Cipher key, outbound. */
    size_t key_out_len;             /**< Its length, salt included. */
    const uint8_t *integ_key_out;   /**< Integrity key, outbound, or NULL. */
    size_t integ_key_out_len;       /**< Its length. */
    const ikev2_selector *local_ts; /**< What we send from. */
    size_t local_ts_count;          /**< Their number. */
    const ikev2_selector *peer_ts;  /**< What we send to. */
    size_t peer_ts_count;           /**< Their number. */
} ikev2_child_info;

/**
 * The keys that protect an IKE SA's messages, for whoever must read a capture. They are views,
 * secret, and wiped with the SA; those of AEAD ciphers end in the salt, and have no integrity keys.
 */
typedef struct ikev2_sa_keys {
    uint32_t struct_size; /**< sizeof(ikev2_sa_keys). */
    uint32_t reserved;    /**< 0. */
    const uint8_t *ei;    /**< SK_ei: cipher key of the initiator's messages. */
    size_t ei_len;        /**< Its length. */
    const uint8_t *er;    /**< SK_er: of the responder's. */
    size_t er_len;        /**< Its length. */
    const uint8_t *ai;    /**< SK_ai: integrity key of the initiator's messages, or NULL. */
    size_t ai_len;        /**< Its length. */
    const uint8_t *ar;    /**< SK_ar: of the responder's, or NULL. */
    size_t ar_len;        /**< Its length. */
} ikev2_sa_keys;

/** Counters, since the engine was made. */
typedef struct ikev2_counters {
    uint32_t struct_size;   /**< sizeof(ikev2_counters). */
    uint32_t sas;           /**< IKE SAs now, of any state. */
    uint32_t half_open;     /**< Responder's SAs that were never authenticated, now. */
    uint32_t children;      /**< Child SAs now. */
    uint64_t received;      /**< Datagrams in. */
    uint64_t sent;          /**< Datagrams out. */
    uint64_t retransmitted; /**< Requests sent again. */
    uint64_t repeated;      /**< Requests received again. */
    uint64_t bad_syntax;    /**< Dropped: truncated, lengths, syntax, missing payloads. */
    uint64_t bad_version;   /**< Dropped: major version. */
    uint64_t critical;      /**< Refused: critical payload. */
    uint64_t unknown_spi;   /**< Dropped: no such IKE SA. */
    uint64_t message_id;    /**< Dropped: outside the window. */
    uint64_t integrity;     /**< Dropped: checksum. */
    uint64_t exchange;      /**< Dropped: exchange not allowed in that state. */
    uint64_t cookies;       /**< Cookie requests sent. */
    uint64_t fragments;     /**< Dropped: bad fragments. */
    uint64_t refused;       /**< Refused: proposal, key, identity, authentication. */
    uint64_t limited;       /**< Dropped: a limit, or no memory. */
    uint64_t handshakes;    /**< IKE SAs authenticated. */
    uint64_t rekeys;        /**< IKE and Child SAs rekeyed. */
} ikev2_counters;

/**
 * @brief Describes an IKE SA.
 * @param e the engine.
 * @param sa_id the IKE SA.
 * @param out with struct_size set.
 * @retval IKEV2_ERR_ABSENT no such IKE SA.
 */
IKEV2_API ikev2_rc ikev2_engine_get_sa(const ikev2_engine *e, uint64_t sa_id, ikev2_sa_info *out);

/**
 * @brief Shows the keys of an IKE SA (RFC 7296 2.14).
 * @param e the engine.
 * @param sa_id the IKE SA.
 * @param out with struct_size set.
 * @retval IKEV2_ERR_ABSENT no such IKE SA.
 * @retval IKEV2_ERR_STATE it has no keys yet, or none any more.
 */
IKEV2_API ikev2_rc ikev2_engine_get_keys(const ikev2_engine *e, uint64_t sa_id, ikev2_sa_keys *out);

/**
 * @brief Describes a Child SA.
 * @param e the engine.
 * @param child_id the Child SA.
 * @param out with struct_size set.
 * @retval IKEV2_ERR_ABSENT no such Child SA.
 */
IKEV2_API ikev2_rc ikev2_engine_get_child(const ikev2_engine *e, uint64_t child_id,
                                          ikev2_child_info *out);

/**
 * @brief Takes the next Child SA of an IKE SA.
 * @param e the engine.
 * @param sa_id the IKE SA.
 * @param child_id 0 for the first, else the last one returned; the next is written.
 * @retval IKEV2_YES @p child_id is a Child SA.
 * @retval IKEV2_OK no more.
 */
IKEV2_API ikev2_rc ikev2_engine_next_child(const ikev2_engine *e, uint64_t sa_id,
                                           uint64_t *child_id);

/**
 * @brief Shows the subnets that the peer pushed and that are accepted.
 * @param e the engine.
 * @param sa_id the IKE SA.
 * @param routes the prefixes; a view.
 * @param count their number.
 * @retval IKEV2_ERR_ABSENT no such IKE SA.
 */
IKEV2_API ikev2_rc ikev2_engine_get_routes(const ikev2_engine *e, uint64_t sa_id,
                                           const ikev2_addr **routes, size_t *count);

/**
 * @brief Reads the counters.
 * @param e the engine.
 * @param out with struct_size set.
 * @retval IKEV2_ERR_ARG struct_size is smaller than any release of the library had.
 */
IKEV2_API ikev2_rc ikev2_engine_get_counters(const ikev2_engine *e, ikev2_counters *out);

#ifdef __cplusplus
}
#endif

#endif
