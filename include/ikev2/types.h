/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_TYPES_H
#define IKEV2_TYPES_H

/**
 * @file
 * @brief Words of the protocol: algorithms, identities, selectors, paths, and why a packet dropped.
 */

#include <ikev2/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a datagram was dropped; values of @ref ikev2_rc. */
enum {
    IKEV2_ERR_TRUNCATED = -20,   /**< Ends inside a header or a field. */
    IKEV2_ERR_LENGTH = -21,      /**< A length field contradicts what holds it. */
    IKEV2_ERR_VERSION = -22,     /**< Major version other than 2. */
    IKEV2_ERR_SYNTAX = -23,      /**< A field holds what the RFC forbids. */
    IKEV2_ERR_PAYLOADS = -24,    /**< A required payload is missing, or one is there too often. */
    IKEV2_ERR_CRITICAL = -25,    /**< An unknown payload has its critical bit set. */
    IKEV2_ERR_UNKNOWN_SPI = -26, /**< No IKE SA has these SPIs. */
    IKEV2_ERR_MESSAGE_ID = -27,  /**< Outside the window of one message. */
    IKEV2_ERR_INTEGRITY = -28,   /**< The checksum does not verify: forged, or another key. */
    IKEV2_ERR_EXCHANGE = -29,    /**< No such exchange in this state and role. */
    IKEV2_ERR_COOKIE = -30,      /**< Half-open SAs are many: answered by a cookie request. */
    IKEV2_ERR_FRAGMENT = -31,    /**< Fragment number or total out of range. */
    IKEV2_ERR_PROPOSAL = -32,    /**< No proposal is acceptable, or the KE is for another group. */
    IKEV2_ERR_KEY = -33,         /**< The public key is not valid (RFC 6989). */
    IKEV2_ERR_CRYPTO = -34       /**< libcrypto failed or lacks the algorithm. */
};

/** Transform types (RFC 7296 3.3.2); values of @ref ikev2_transform.type. */
enum {
    IKEV2_TRANSFORM_ENCR = 1,  /**< Encryption. */
    IKEV2_TRANSFORM_PRF = 2,   /**< Pseudorandom function; IKE only. */
    IKEV2_TRANSFORM_INTEG = 3, /**< Integrity; not with AEAD ciphers. */
    IKEV2_TRANSFORM_GROUP = 4, /**< Key exchange method. */
    IKEV2_TRANSFORM_ESN = 5    /**< Extended sequence numbers; Child SA only. */
};

/** Encryption transforms that may be configured (RFC 8247, 8221, 7634). */
enum {
    IKEV2_ENCR_AES_CBC = 12,          /**< Key of 128 or 256 bits; wants an INTEG. */
    IKEV2_ENCR_AES_GCM_16 = 20,       /**< Key of 128 or 256 bits, 16-byte ICV. */
    IKEV2_ENCR_CHACHA20_POLY1305 = 28 /**< Key of 256 bits, no key length attribute. */
};

/** Pseudorandom functions that may be configured. */
enum {
    IKEV2_PRF_HMAC_SHA2_256 = 5, /**< RFC 4868. */
    IKEV2_PRF_HMAC_SHA2_384 = 6, /**< RFC 4868. */
    IKEV2_PRF_HMAC_SHA2_512 = 7  /**< RFC 4868. */
};

/** Integrity transforms that may be configured. */
enum {
    IKEV2_INTEG_NONE = 0,               /**< With AEAD. */
    IKEV2_INTEG_HMAC_SHA2_256_128 = 12, /**< RFC 4868. */
    IKEV2_INTEG_HMAC_SHA2_384_192 = 13, /**< RFC 4868. */
    IKEV2_INTEG_HMAC_SHA2_512_256 = 14  /**< RFC 4868. */
};

/** Key exchange methods that may be configured. */
enum {
    IKEV2_GROUP_NONE = 0,       /**< No key exchange: a Child SA without forward secrecy. */
    IKEV2_GROUP_MODP_2048 = 14, /**< RFC 3526. */
    IKEV2_GROUP_MODP_3072 = 15, /**< RFC 3526. */
    IKEV2_GROUP_MODP_4096 = 16, /**< RFC 3526. */
    IKEV2_GROUP_P256 = 19,      /**< RFC 5903. */
    IKEV2_GROUP_P384 = 20,      /**< RFC 5903. */
    IKEV2_GROUP_P521 = 21,      /**< RFC 5903. */
    IKEV2_GROUP_X25519 = 31     /**< RFC 8031. */
};

/** Values of the ESN transform. */
enum {
    IKEV2_ESN_NO = 0, /**< 32-bit sequence numbers. */
    IKEV2_ESN_YES = 1 /**< 64-bit sequence numbers. */
};

/** Identity types (RFC 7296 3.5). */
enum {
    IKEV2_ID_ANY = 0,         /**< In patterns only: whoever it is. */
    IKEV2_ID_IPV4_ADDR = 1,   /**< 4 bytes. */
    IKEV2_ID_FQDN = 2,        /**< "spoke1.example.com"; in patterns "*.example.com". */
    IKEV2_ID_RFC822_ADDR = 3, /**< "user@example.com"; in patterns "*@example.com". */
    IKEV2_ID_IPV6_ADDR = 5,   /**< 16 bytes. */
    IKEV2_ID_DER_ASN1_DN = 9, /**< Opaque here. */
    IKEV2_ID_KEY_ID = 11      /**< Opaque. */
};

/** Modes of a Child SA. */
enum {
    IKEV2_MODE_TRANSPORT = 1, /**< USE_TRANSPORT_MODE. */
    IKEV2_MODE_TUNNEL = 2     /**< What the protocol does where nothing is said. */
};

/** Sizes. */
enum {
    IKEV2_MAX_IDENTITY_BYTES = 1024, /**< Longer identities are refused. */
    IKEV2_MAX_SELECTORS = 16,        /**< Per direction of one Child SA. */
    IKEV2_MAX_TRANSFORMS = 32,       /**< In one configured list. */
    IKEV2_SEED_BYTES = 32,           /**< Of entropy. */
    IKEV2_MAX_CERTS = 16,            /**< In one chain, and among anchors: 16 of each. */
    IKEV2_MAX_KEY_BYTES = 8192       /**< Of a private key. */
};

/** How one side proves who it is; values of @ref ikev2_credentials.local_auth and peer_auth. */
enum {
    IKEV2_AUTHENTICATE_PSK = 0,      /**< By a shared key. */
    IKEV2_AUTHENTICATE_SIGNATURE = 1 /**< By a signature and a certificate (RFC 7427). */
};

/** Signature schemes: an AlgorithmIdentifier of RFC 7427 A or RFC 8420 each. */
enum {
    IKEV2_SIGNATURE_RSA_PSS_SHA2_256 = 1, /**< Salt as long as the hash, MGF1 with it. */
    IKEV2_SIGNATURE_RSA_PSS_SHA2_384,     /**< The same. */
    IKEV2_SIGNATURE_RSA_PSS_SHA2_512,     /**< The same. */
    IKEV2_SIGNATURE_RSA_PKCS1_SHA2_256,   /**< RSASSA-PKCS1-v1_5. */
    IKEV2_SIGNATURE_RSA_PKCS1_SHA2_384,   /**< The same. */
    IKEV2_SIGNATURE_RSA_PKCS1_SHA2_512,   /**< The same. */
    IKEV2_SIGNATURE_ECDSA_SHA2_256,       /**< P-256, P-384, P-521; the value is DER. */
    IKEV2_SIGNATURE_ECDSA_SHA2_384,       /**< The same. */
    IKEV2_SIGNATURE_ECDSA_SHA2_512,       /**< The same. */
    IKEV2_SIGNATURE_ED25519               /**< RFC 8420; no hash of the octets before. */
};

/** One transform, 8 bytes, frozen. */
typedef struct ikev2_transform {
    uint8_t type;       /**< IKEV2_TRANSFORM_... */
    uint8_t reserved;   /**< 0. */
    uint16_t id;        /**< IKEV2_ENCR_..., IKEV2_PRF_..., ... */
    uint16_t key_bits;  /**< Key length attribute; 0: there is none. */
    uint16_t reserved2; /**< 0. */
} ikev2_transform;

/** An identity, frozen: a view, or an input that is copied. */
typedef struct ikev2_identity {
    const uint8_t *bytes; /**< The Identification Data. */
    size_t len;           /**< Its length. */
    uint8_t type;         /**< IKEV2_ID_... */
    uint8_t reserved[7];  /**< 0. */
} ikev2_identity;

/** One DER value: a view, or an input that is copied. 16 bytes on 64-bit machines, frozen. */
typedef struct ikev2_der {
    const uint8_t *bytes; /**< The value, nothing behind it. */
    size_t len;           /**< Its length. */
} ikev2_der;

/** A traffic selector: a range of addresses and ports, 40 bytes, frozen (RFC 7296 3.13.1). */
typedef struct ikev2_selector {
    uint8_t family;      /**< IKEV2_FAMILY_...; in policies NONE means the address of the path. */
    uint8_t protocol;    /**< IP protocol; 0: any; GRE is 47. */
    uint16_t start_port; /**< First port, host order. */
    uint16_t end_port;   /**< Last port; any: 0 to 65535. */
    uint16_t reserved;   /**< 0. */
    uint8_t start[16];   /**< First address; IPv4 in the first four, the rest zero. */
    uint8_t end[16];     /**< Last address. */
} ikev2_selector;

/** The two ends of the UDP flow that carries IKE (and ESP in UDP), 48 bytes, frozen. */
typedef struct ikev2_path {
    ikev2_addr local; /**< Ours, with port. */
    ikev2_addr peer;  /**< The peer's, with port. */
} ikev2_path;

/** IP protocol number of GRE, for selectors. */
#define IKEV2_PROTOCOL_GRE 47

/**
 * @brief Name of a notify message type, such as "NO_PROPOSAL_CHOSEN".
 * @param type the type on the wire.
 * @return A static string; "UNKNOWN" for a type that this version does not know.
 */
IKEV2_API const char *ikev2_notify_name(uint16_t type);

#ifdef __cplusplus
}
#endif

#endif
