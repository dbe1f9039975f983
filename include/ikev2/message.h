/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_MESSAGE_H
#define IKEV2_MESSAGE_H

/**
 * @file
 * @brief The decoder of messages and payloads (RFC 7296 3), for dissectors and for the engine.
 *
 * Everything decoded is a view into the caller's bytes, numbers in host order. Nothing allocates.
 * A NULL argument is IKEV2_ERR_ARG. Outputs are written on success only, and iterators stay where
 * they are; ikev2_header_decode has an exception.
 */

#include <ikev2/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Exchange types. */
enum {
    IKEV2_EXCHANGE_IKE_SA_INIT = 34,     /**< RFC 7296 1.2. */
    IKEV2_EXCHANGE_IKE_AUTH = 35,        /**< RFC 7296 1.2. */
    IKEV2_EXCHANGE_CREATE_CHILD_SA = 36, /**< RFC 7296 1.3. */
    IKEV2_EXCHANGE_INFORMATIONAL = 37    /**< RFC 7296 1.4. */
};

/** Payload types. */
enum {
    IKEV2_PAYLOAD_NONE = 0,     /**< End of the chain. */
    IKEV2_PAYLOAD_SA = 33,      /**< Security Association. */
    IKEV2_PAYLOAD_KE = 34,      /**< Key Exchange. */
    IKEV2_PAYLOAD_IDI = 35,     /**< Identification of the initiator. */
    IKEV2_PAYLOAD_IDR = 36,     /**< Identification of the responder. */
    IKEV2_PAYLOAD_CERT = 37,    /**< Certificate; opaque here. */
    IKEV2_PAYLOAD_CERTREQ = 38, /**< Certificate Request; opaque here. */
    IKEV2_PAYLOAD_AUTH = 39,    /**< Authentication. */
    IKEV2_PAYLOAD_NONCE = 40,   /**< Nonce. */
    IKEV2_PAYLOAD_NOTIFY = 41,  /**< Notify. */
    IKEV2_PAYLOAD_DELETE = 42,  /**< Delete. */
    IKEV2_PAYLOAD_VENDOR = 43,  /**< Vendor ID. */
    IKEV2_PAYLOAD_TSI = 44,     /**< Traffic selectors of the initiator. */
    IKEV2_PAYLOAD_TSR = 45,     /**< Traffic selectors of the responder. */
    IKEV2_PAYLOAD_SK = 46,      /**< Encrypted and Authenticated; always last. */
    IKEV2_PAYLOAD_CP = 47,      /**< Configuration. */
    IKEV2_PAYLOAD_EAP = 48,     /**< Extensible Authentication; opaque here. */
    IKEV2_PAYLOAD_SKF = 53      /**< Encrypted and Authenticated Fragment (RFC 7383). */
};

/** Flags of the header. */
enum {
    IKEV2_FLAG_INITIATOR = 0x08, /**< From the original initiator of the IKE SA. */
    IKEV2_FLAG_VERSION = 0x10,   /**< Could speak a higher major version. */
    IKEV2_FLAG_RESPONSE = 0x20   /**< A response. */
};

/** Security protocol ids. */
enum {
    IKEV2_PROTOCOL_ID_IKE = 1, /**< IKE SA. */
    IKEV2_PROTOCOL_ID_AH = 2,  /**< AH: never accepted. */
    IKEV2_PROTOCOL_ID_ESP = 3  /**< ESP. */
};

/** Configuration payload types. */
enum {
    IKEV2_CFG_REQUEST = 1, /**< Asks. */
    IKEV2_CFG_REPLY = 2,   /**< Answers a request. */
    IKEV2_CFG_SET = 3,     /**< Pushes. */
    IKEV2_CFG_ACK = 4      /**< Accepts what was pushed. */
};

/** Configuration attributes that the engine uses; others are passed over. */
enum {
    IKEV2_ATTR_INTERNAL_IP4_ADDRESS = 1, /**< 0 or 4 bytes. */
    IKEV2_ATTR_INTERNAL_IP6_ADDRESS = 8, /**< 0 or 17 bytes: address, prefix length. */
    IKEV2_ATTR_INTERNAL_IP4_SUBNET = 13, /**< 0 or 8 bytes: address, netmask. */
    IKEV2_ATTR_INTERNAL_IP6_SUBNET = 15  /**< 0 or 17 bytes: prefix, its length. */
};

/** Authentication methods. */
enum {
    IKEV2_AUTH_RSA_SHA1 = 1,          /**< RSA Digital Signature with SHA-1: always refused. */
    IKEV2_AUTH_SHARED_KEY = 2,        /**< Shared Key Message Integrity Code. */
    IKEV2_AUTH_ECDSA_256 = 9,         /**< ECDSA, SHA2-256, P-256 (RFC 4754). */
    IKEV2_AUTH_ECDSA_384 = 10,        /**< ECDSA, SHA2-384, P-384 (RFC 4754). */
    IKEV2_AUTH_ECDSA_521 = 11,        /**< ECDSA, SHA2-512, P-521 (RFC 4754). */
    IKEV2_AUTH_DIGITAL_SIGNATURE = 14 /**< With an AlgorithmIdentifier (RFC 7427). */
};

/** Certificate encoding of X.509 signature certificates, the only one taken (RFC 7296 3.6). */
#define IKEV2_CERT_X509_SIGNATURE 4

/** Size of the IKE header. */
#define IKEV2_HEADER_BYTES 28

/** The IKE header (RFC 7296 3.1), 32 bytes, frozen. */
typedef struct ikev2_header {
    uint64_t spi_i;       /**< SPI of the original initiator. */
    uint64_t spi_r;       /**< SPI of the original responder; 0 in a first message. */
    uint32_t message_id;  /**< Message id. */
    uint32_t length;      /**< Of the whole message. */
    uint8_t next_payload; /**< Type of the first payload. */
    uint8_t version;      /**< Major in the high four bits, minor in the low. */
    uint8_t exchange;     /**< IKEV2_EXCHANGE_... */
    uint8_t flags;        /**< IKEV2_FLAG_... */
    uint8_t reserved[4];  /**< 0. */
} ikev2_header;

/** A walk over a chain of payloads. */
typedef struct ikev2_chain {
    const uint8_t *bytes; /**< The chain. */
    size_t len;           /**< Its length. */
    size_t offset;        /**< Of the next payload. */
    uint8_t next_payload; /**< Type of the next payload. */
    uint8_t reserved[7];  /**< 0. */
} ikev2_chain;

/** One payload of a chain. */
typedef struct ikev2_payload {
    const uint8_t *body; /**< After the generic header. */
    size_t len;          /**< Length of the body. */
    uint8_t type;        /**< IKEV2_PAYLOAD_... or unknown. */
    uint8_t critical;    /**< 1: the critical bit is set. */
    uint8_t inner;       /**< SK and SKF: type of the first payload inside. */
    uint8_t reserved[5]; /**< 0. */
} ikev2_payload;

/** A proposal of an SA payload. */
typedef struct ikev2_proposal {
    const uint8_t *spi;        /**< SPI, or NULL. */
    size_t spi_len;            /**< 0, 4 or 8. */
    const uint8_t *transforms; /**< The transforms, for ikev2_transform_next. */
    size_t transforms_len;     /**< Their length. */
    uint8_t number;            /**< Proposal number. */
    uint8_t protocol;          /**< IKEV2_PROTOCOL_ID_... */
    uint8_t transform_count;   /**< As the header claims. */
    uint8_t reserved[5];       /**< 0. */
} ikev2_proposal;

/** A KE, AUTH or CP payload, or a configuration attribute: a number and bytes. */
typedef struct ikev2_tagged {
    const uint8_t *bytes; /**< The data. */
    size_t len;           /**< Its length. */
    uint16_t tag;         /**< Group, method, CFG type or attribute type. */
    uint8_t reserved[6];  /**< 0. */
} ikev2_tagged;

/** A Notify payload. */
typedef struct ikev2_notify {
    const uint8_t *spi;  /**< SPI. */
    size_t spi_len;      /**< Its length, 0 mostly. */
    const uint8_t *data; /**< Notification data. */
    size_t len;          /**< Its length. */
    uint16_t type;       /**< Notify message type. */
    uint8_t protocol;    /**< IKEV2_PROTOCOL_ID_... or 0. */
    uint8_t reserved[5]; /**< 0. */
} ikev2_notify;

/** A Delete payload. */
typedef struct ikev2_delete {
    const uint8_t *spis; /**< count times spi_size bytes. */
    uint32_t count;      /**< Number of SPIs. */
    uint8_t protocol;    /**< IKEV2_PROTOCOL_ID_... */
    uint8_t spi_size;    /**< 0 for IKE, 4 for ESP and AH. */
    uint8_t reserved[2]; /**< 0. */
} ikev2_delete;

/** The head of an SKF payload (RFC 7383 2.5). */
typedef struct ikev2_fragment {
    const uint8_t *bytes; /**< IV, ciphertext and checksum. */
    size_t len;           /**< Their length. */
    uint16_t number;      /**< From 1. */
    uint16_t total;       /**< At least number. */
    uint8_t reserved[4];  /**< 0. */
} ikev2_fragment;

/**
 * @brief Decodes the header and checks that its length is that of the datagram.
 * @param buf the message, without a non-ESP marker.
 * @param len its length.
 * @param out the header.
 * @retval IKEV2_ERR_TRUNCATED fewer than 28 bytes.
 * @retval IKEV2_ERR_VERSION another major version; @p out is written, so that it can be answered.
 * @retval IKEV2_ERR_LENGTH the length field is not @p len.
 */
IKEV2_API ikev2_rc ikev2_header_decode(const uint8_t *buf, size_t len, ikev2_header *out);

/**
 * @brief Begins a walk over payloads: those after a header, or those inside a decrypted SK.
 * @param bytes the first payload's generic header; must outlive the walk.
 * @param len length of the whole chain.
 * @param first_type type of the first payload.
 * @param out the walk.
 * @retval IKEV2_ERR_ARG @p bytes is NULL and @p len is not 0.
 */
IKEV2_API ikev2_rc ikev2_chain_begin(const uint8_t *bytes, size_t len, uint8_t first_type,
                                     ikev2_chain *out);

/**
 * @brief Takes the next payload. SK and SKF end the chain.
 * @param chain the walk.
 * @param out the payload.
 * @retval IKEV2_YES @p out is a payload.
 * @retval IKEV2_OK the chain ended, exactly at its length.
 * @retval IKEV2_ERR_LENGTH a payload length is below 4 or beyond the end, or bytes are left over.
 */
IKEV2_API ikev2_rc ikev2_chain_next(ikev2_chain *chain, ikev2_payload *out);

/**
 * @brief Takes the next proposal of an SA payload (RFC 7296 3.3.1).
 * @param body the payload's body.
 * @param len its length.
 * @param it position, 0 at first.
 * @param out the proposal.
 * @retval IKEV2_YES @p out is a proposal; its transforms are not looked at yet.
 * @retval IKEV2_OK no more.
 * @retval IKEV2_ERR_SYNTAX the payload is malformed.
 */
IKEV2_API ikev2_rc ikev2_proposal_next(const uint8_t *body, size_t len, size_t *it,
                                       ikev2_proposal *out);

/**
 * @brief Takes the next transform of a proposal (RFC 7296 3.3.2).
 * @param proposal the proposal.
 * @param it position, 0 at first.
 * @param out the transform; @c reserved2 is 1 where it has an attribute that is not known.
 * @retval IKEV2_YES @p out is a transform.
 * @retval IKEV2_OK no more, and their number is the one that the proposal claims.
 * @retval IKEV2_ERR_SYNTAX the proposal is malformed.
 */
IKEV2_API ikev2_rc ikev2_transform_next(const ikev2_proposal *proposal, size_t *it,
                                        ikev2_transform *out);

/**
 * @brief Decodes a KE payload: tag is the group.
 * @param body the payload's body.
 * @param len its length.
 * @param out the group and the public value.
 * @retval IKEV2_ERR_SYNTAX too short.
 */
IKEV2_API ikev2_rc ikev2_ke_decode(const uint8_t *body, size_t len, ikev2_tagged *out);

/**
 * @brief Decodes an IDi or IDr payload.
 * @param body the payload's body.
 * @param len its length.
 * @param out the identity.
 * @retval IKEV2_ERR_SYNTAX empty, too long, or an address of a wrong length.
 */
IKEV2_API ikev2_rc ikev2_id_decode(const uint8_t *body, size_t len, ikev2_identity *out);

/**
 * @brief Decodes an AUTH payload: tag is the method.
 * @param body the payload's body.
 * @param len its length.
 * @param out the method and the authentication data.
 * @retval IKEV2_ERR_SYNTAX too short.
 */
IKEV2_API ikev2_rc ikev2_auth_decode(const uint8_t *body, size_t len, ikev2_tagged *out);

/**
 * @brief Decodes a Notify payload; those of fixed length must have it.
 * @param body the payload's body.
 * @param len its length.
 * @param out the notification.
 * @retval IKEV2_ERR_SYNTAX too short, or of a length that its type does not allow.
 */
IKEV2_API ikev2_rc ikev2_notify_decode(const uint8_t *body, size_t len, ikev2_notify *out);

/**
 * @brief Decodes a Delete payload.
 * @param body the payload's body.
 * @param len its length.
 * @param out the protocol and its SPIs.
 * @retval IKEV2_ERR_SYNTAX SPI size wrong for the protocol, or not exactly that many SPIs.
 */
IKEV2_API ikev2_rc ikev2_delete_decode(const uint8_t *body, size_t len, ikev2_delete *out);

/**
 * @brief Takes the next selector of a TSi or TSr payload; unknown types are passed over.
 * @param body the payload's body.
 * @param len its length.
 * @param it position, 0 at first.
 * @param out the selector.
 * @retval IKEV2_YES @p out is a selector.
 * @retval IKEV2_OK no more, and their number is the one that the payload claims.
 * @retval IKEV2_ERR_SYNTAX the payload is malformed.
 */
IKEV2_API ikev2_rc ikev2_selector_next(const uint8_t *body, size_t len, size_t *it,
                                       ikev2_selector *out);

/**
 * @brief Decodes the head of a CP payload: tag is the CFG type, bytes are the attributes.
 * @param body the payload's body.
 * @param len its length.
 * @param out the type and the attributes.
 * @retval IKEV2_ERR_SYNTAX too short.
 */
IKEV2_API ikev2_rc ikev2_cp_decode(const uint8_t *body, size_t len, ikev2_tagged *out);

/**
 * @brief Takes the next attribute of a CP payload.
 * @param cp the head.
 * @param it position, 0 at first.
 * @param out the attribute.
 * @retval IKEV2_YES @p out is an attribute.
 * @retval IKEV2_OK no more.
 * @retval IKEV2_ERR_SYNTAX a length is beyond the end, or wrong for a known attribute.
 */
IKEV2_API ikev2_rc ikev2_attribute_next(const ikev2_tagged *cp, size_t *it, ikev2_tagged *out);

/**
 * @brief Decodes the head of an SKF payload.
 * @param body the payload's body.
 * @param len its length.
 * @param out numbers and the encrypted part.
 * @retval IKEV2_ERR_FRAGMENT a number is 0 or above the total.
 * @retval IKEV2_ERR_SYNTAX too short.
 */
IKEV2_API ikev2_rc ikev2_fragment_decode(const uint8_t *body, size_t len, ikev2_fragment *out);

#ifdef __cplusplus
}
#endif

#endif
