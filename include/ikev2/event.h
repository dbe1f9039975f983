/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_EVENT_H
#define IKEV2_EVENT_H

/**
 * @file
 * @brief What an engine tells its caller.
 */

#include <ikev2/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Values of @ref ikev2_event.kind. Callers ignore kinds that they do not know. */
enum {
    IKEV2_EVENT_IKE_SA_UP = 1, /**< Authenticated, or made by a rekey of @c replaces. */
    IKEV2_EVENT_IKE_SA_DOWN,   /**< Gone, and why. Its children were removed or moved before. */
    IKEV2_EVENT_CHILD_IN,      /**< Install the inbound SA. */
    IKEV2_EVENT_CHILD_OUT,     /**< Start sending; for a rekey: instead of @c replaces. */
    IKEV2_EVENT_CHILD_REMOVE,  /**< Remove both directions. */
    IKEV2_EVENT_ASK_PSK,       /**< Wanted: ikev2_engine_answer_psk. Unanswered: refused. */
    IKEV2_EVENT_ASK_PEER,      /**< Wanted: ikev2_engine_answer_peer. Unanswered: refused. */
    IKEV2_EVENT_REFUSED,       /**< Something was refused, by the peer or by us; the SA may live. */
    IKEV2_EVENT_RETRANSMIT_TIMEOUT, /**< No response; IKE_SA_DOWN follows. */
    IKEV2_EVENT_PATH_CHANGED,       /**< The path moved: NAT float or rebinding. */
    IKEV2_EVENT_ROUTES,             /**< The peer pushed subnets: ikev2_engine_get_routes. */
    IKEV2_EVENT_ASK_SIGN,           /**< Wanted: ikev2_engine_answer_sign. Unanswered: refused. */
    IKEV2_EVENT_ASK_CERT            /**< Wanted: ikev2_engine_answer_cert. Unanswered: refused. */
};

/** Values of @ref ikev2_event.reason. */
enum {
    IKEV2_REASON_NONE = 0,        /**< Nothing to explain. */
    IKEV2_REASON_LOCAL,           /**< The caller's request. */
    IKEV2_REASON_PEER_DELETE,     /**< The peer deleted it. */
    IKEV2_REASON_REKEYED,         /**< Replaced by a newer one. */
    IKEV2_REASON_REDUNDANT,       /**< Lost a simultaneous rekey (RFC 7296 2.8.1). */
    IKEV2_REASON_TIMEOUT,         /**< The peer does not answer. */
    IKEV2_REASON_LIFETIME,        /**< Its lifetime ended before it was rekeyed. */
    IKEV2_REASON_INITIAL_CONTACT, /**< The peer lost its state and began anew. */
    IKEV2_REASON_NO_PROPOSAL,     /**< No proposal in common. */
    IKEV2_REASON_KEY_EXCHANGE,    /**< Groups do not fit, or the public key is invalid. */
    IKEV2_REASON_AUTHENTICATION,  /**< The AUTH value is wrong. */
    IKEV2_REASON_IDENTITY,        /**< No profile for this identity, or not the one expected. */
    IKEV2_REASON_NO_KEY,          /**< No shared key was given. */
    IKEV2_REASON_SELECTORS,       /**< Traffic selectors have nothing in common. */
    IKEV2_REASON_MODE,            /**< The peer refuses the mode. */
    IKEV2_REASON_ADDRESS,         /**< INTERNAL_ADDRESS_FAILURE. */
    IKEV2_REASON_ROUTE,           /**< Pushed subnets beyond the accepted; detail: how many. */
    IKEV2_REASON_LIMIT,           /**< A limit of this engine, or NO_ADDITIONAL_SAS. */
    IKEV2_REASON_SYNTAX,          /**< An authenticated message that the RFC forbids. */
    IKEV2_REASON_CRITICAL,        /**< A critical payload that is not known. */
    IKEV2_REASON_TEMPORARY,       /**< TEMPORARY_FAILURE, again and again. */
    IKEV2_REASON_NOT_FOUND,       /**< CHILD_SA_NOT_FOUND: made anew. */
    IKEV2_REASON_NOTIFY,          /**< Another error of the peer; detail: its notify type. */
    IKEV2_REASON_CRYPTO,          /**< libcrypto failed, or memory ran out, half-way. */
    IKEV2_REASON_AUTH_METHOD,     /**< Another method than the one agreed to; detail: the method. */
    IKEV2_REASON_SHA1,       /**< RSA with SHA-1 (method 1): Digital Signature (14) replaces it. */
    IKEV2_REASON_NO_SCHEME,  /**< The peer knows no hash that our key can sign (RFC 7427 4). */
    IKEV2_REASON_ALGORITHM,  /**< An AlgorithmIdentifier that is not allowed, or of another key. */
    IKEV2_REASON_NOT_SIGNED, /**< ASK_SIGN was refused, or not answered in time. */
    IKEV2_REASON_CERT_MISSING,   /**< The peer sent no certificate. */
    IKEV2_REASON_CERT_ENCODING,  /**< Not X.509 (4), such as a URL or PKCS #7; detail: which. */
    IKEV2_REASON_CERT_LIMIT,     /**< Too many certificates, or one too long; detail: how many. */
    IKEV2_REASON_CERT_SYNTAX,    /**< Not the DER of a certificate. */
    IKEV2_REASON_CERT_KEY,       /**< A weak or degenerate key, or one that must not sign. */
    IKEV2_REASON_CERT_IDENTITY,  /**< The certificate does not hold the peer's identity. */
    IKEV2_REASON_CERT_UNTRUSTED, /**< The chain leads to no anchor, or the key is not the one. */
    IKEV2_REASON_CERT_TIME,      /**< Expired, or not valid yet. */
    IKEV2_REASON_CERT_REVOKED,   /**< A list says so. */
    IKEV2_REASON_CERT_CRL,       /**< No current list covers a certificate of the chain. */
    IKEV2_REASON_CERT_CHAIN,     /**< Another rule of RFC 5280; detail: libcrypto's number. */
    IKEV2_REASON_CERT_REFUSED    /**< ASK_CERT was refused, or not answered in time. */
};

/** What happened, 64 bytes, frozen. */
typedef struct ikev2_event {
    uint16_t kind;     /**< IKEV2_EVENT_... */
    uint16_t reason;   /**< IKEV2_REASON_... */
    uint32_t detail;   /**< See the reason: a notify type or a number. */
    uint64_t sa_id;    /**< The IKE SA. */
    uint64_t child_id; /**< The Child SA, or 0. */
    uint64_t ask_id;   /**< The question, or 0. */
    uint64_t replaces; /**< The SA that this one replaces, of the same kind, or 0. */
    uint64_t user;     /**< @ref ikev2_peer.user, once the peer is known. */
    uint32_t spi_in;   /**< Child SA: SPI of packets to us. */
    uint32_t spi_out;  /**< Child SA: SPI of packets to the peer. */
    uint64_t reserved; /**< 0. */
} ikev2_event;

#ifdef __cplusplus
}
#endif

#endif
