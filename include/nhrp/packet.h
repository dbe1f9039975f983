/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_PACKET_H
#define NHRP_PACKET_H

/**
 * @file
 * @brief The NHRP packet (RFC 2332 section 5, draft-detienne-dmvpn 5.1): the decoder.
 *
 * NBMA and protocol addresses are IPv4 or IPv6; packets of other networks are refused with
 * NHRP_ERR_FAMILY. Decoded structs view the caller's buffer and hold numbers in host order.
 */

#include <nhrp/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a packet was dropped. */
enum {
    NHRP_ERR_TRUNCATED = -20,      /**< It ends before a field or a length that it claims. */
    NHRP_ERR_CHECKSUM = -21,       /**< Its checksum is wrong. */
    NHRP_ERR_VERSION = -22,        /**< Its version is not 1. */
    NHRP_ERR_TYPE = -23,           /**< No such packet type, or one that this node does not take. */
    NHRP_ERR_FORMAT = -24,         /**< Its sizes and offsets contradict each other. */
    NHRP_ERR_FAMILY = -25,         /**< Its NBMA or protocol family is neither IPv4 nor IPv6. */
    NHRP_ERR_ADDRESS = -26,        /**< An address length that its family does not have. */
    NHRP_ERR_CIE = -27,            /**< A malformed client information entry, or too many. */
    NHRP_ERR_EXTENSION = -28,      /**< A malformed, misplaced or repeated extension. */
    NHRP_ERR_LABEL = -29,          /**< A malformed or refused label extension. */
    NHRP_ERR_AUTHENTICATION = -30, /**< The authentication is missing or wrong. */
    NHRP_ERR_COMPULSORY = -31,     /**< An unknown compulsory extension, at its endpoint. */
    NHRP_ERR_HOP_COUNT = -32,      /**< It would have been forwarded with hop count 0. */
    NHRP_ERR_LOOP = -33,           /**< It passed here before, or would go back where it is from. */
    NHRP_ERR_UNSOLICITED = -34,    /**< A reply or error that matches nothing pending. */
    NHRP_ERR_REFUSED = -35,        /**< An acceptance rule forbids what it asks. */
    NHRP_ERR_UNREACHABLE = -36,    /**< Nothing leads to its destination. */
    NHRP_ERR_REPEATED = -37,       /**< The same is being worked on already. */
    NHRP_ERR_RATE = -38,           /**< A rate limit: of a flow, or the interface's quota. */
    NHRP_ERR_NEGATIVE = -39,       /**< Its destination failed recently and must rest. */
    NHRP_ERR_SIZE = -40,           /**< It is, or would become, larger than the interface sends. */
    NHRP_ERR_QUOTED = -41          /**< The packet that it quotes is short or unknown. */
};

/** Packet types. */
enum {
    NHRP_RESOLUTION_REQUEST = 1,   /**< RFC 2332 5.2.1. */
    NHRP_RESOLUTION_REPLY = 2,     /**< RFC 2332 5.2.2. */
    NHRP_REGISTRATION_REQUEST = 3, /**< RFC 2332 5.2.3. */
    NHRP_REGISTRATION_REPLY = 4,   /**< RFC 2332 5.2.4. */
    NHRP_PURGE_REQUEST = 5,        /**< RFC 2332 5.2.5. */
    NHRP_PURGE_REPLY = 6,          /**< RFC 2332 5.2.6. */
    NHRP_ERROR_INDICATION = 7,     /**< RFC 2332 5.2.7. */
    NHRP_TRAFFIC_INDICATION = 8,   /**< draft-detienne-dmvpn 5.1: a redirect. */
    NHRP_TYPE_MAX = 8              /**< The highest type known. */
};

/** Flags of the mandatory part; which of them apply depends on the type. */
enum {
    NHRP_FLAG_ROUTER = 0x8000,              /**< Q, resolution: the requester is a router. */
    NHRP_FLAG_AUTHORITATIVE = 0x4000,       /**< A, resolution. */
    NHRP_FLAG_STABLE_DESTINATION = 0x2000,  /**< D, resolution. */
    NHRP_FLAG_UNIQUE = 0x1000,              /**< U, resolution. */
    NHRP_FLAG_STABLE_SOURCE = 0x0800,       /**< S, resolution. */
    NHRP_FLAG_REGISTRATION_UNIQUE = 0x8000, /**< U, registration. */
    NHRP_FLAG_NO_REPLY = 0x8000,            /**< N, purge. */
    NHRP_FLAG_NAT = 0x0002                  /**< The sender knows the NAT address extension. */
};

/** Codes of a client information entry. */
enum {
    NHRP_CODE_SUCCESS = 0,                /**< Acknowledged. */
    NHRP_CODE_PROHIBITED = 4,             /**< Administratively prohibited. */
    NHRP_CODE_INSUFFICIENT_RESOURCES = 5, /**< No room. */
    NHRP_CODE_NO_BINDING = 12,            /**< No such binding exists. */
    NHRP_CODE_NOT_UNIQUE = 13,            /**< A binding exists but is not unique. */
    NHRP_CODE_ALREADY_REGISTERED = 14     /**< A unique address is registered already. */
};

/** Codes of an Error Indication. */
enum {
    NHRP_ERROR_UNRECOGNIZED_EXTENSION = 1, /**< An unknown compulsory extension. */
    NHRP_ERROR_LOOP_DETECTED = 3,          /**< The packet went round in a loop. */
    NHRP_ERROR_UNREACHABLE = 6,            /**< Protocol address unreachable. */
    NHRP_ERROR_PROTOCOL = 7,               /**< Any error in the packet. */
    NHRP_ERROR_SDU_SIZE = 8,               /**< Larger than the network's MTU. */
    NHRP_ERROR_INVALID_EXTENSION = 9,      /**< An extension that the packet may not carry. */
    NHRP_ERROR_INVALID_REPLY = 10,         /**< A Resolution Reply that nobody asked for. */
    NHRP_ERROR_AUTHENTICATION = 11,        /**< Authentication failure. */
    NHRP_ERROR_HOP_COUNT = 15              /**< Hop count exceeded. */
};

/** Extension types as on the wire. */
enum {
    NHRP_EXTENSION_END = 0,            /**< Ends the list. */
    NHRP_EXTENSION_RESPONDER = 3,      /**< Responder address: one CIE, empty in requests. */
    NHRP_EXTENSION_FORWARD = 4,        /**< Forward transit NHS record: CIEs. */
    NHRP_EXTENSION_REVERSE = 5,        /**< Reverse transit NHS record: CIEs. */
    NHRP_EXTENSION_AUTHENTICATION = 7, /**< Made anew at each hop. */
    NHRP_EXTENSION_VENDOR = 8,         /**< Vendor-private; may repeat. */
    NHRP_EXTENSION_NAT = 9             /**< NAT address, or device capabilities: see kind. */
};

/** What an extension is, since the type alone does not tell. */
enum {
    NHRP_KIND_UNKNOWN = 0,        /**< A type that this library does not know. */
    NHRP_KIND_RESPONDER = 1,      /**< Responder address. */
    NHRP_KIND_FORWARD = 2,        /**< Forward transit NHS record. */
    NHRP_KIND_REVERSE = 3,        /**< Reverse transit NHS record. */
    NHRP_KIND_AUTHENTICATION = 4, /**< Authentication. */
    NHRP_KIND_VENDOR = 5,         /**< Vendor-private. */
    NHRP_KIND_NAT = 6,            /**< NAT address: type 9, empty or a list of CIEs. */
    NHRP_KIND_CAPABILITIES = 7    /**< RFC 2735 4.2: type 9, 8 bytes. */
};

/** Fixed sizes in octets. */
enum {
    NHRP_FIXED_SIZE = 20,    /**< The fixed part. */
    NHRP_CIE_SIZE = 12,      /**< A CIE without its addresses. */
    NHRP_EXTENSION_SIZE = 4, /**< Type and length of an extension. */
    NHRP_PREFIX_HOST = 255   /**< The prefix length that means the host; 0 means it too. */
};

/**
 * @brief A packet: what was decoded, or the header that a writer begins with.
 *
 * The views hold until the buffer changes. A writer reads type to traffic_code and the addresses;
 * it takes the NBMA family from source_nbma (IPv4 where that is absent) and the protocol family
 * from destination_protocol, else source_protocol.
 */
typedef struct nhrp_packet {
    uint8_t type;                   /**< NHRP_RESOLUTION_REQUEST ... */
    uint8_t hop_count;              /**< How many servers it may still cross. */
    uint8_t nbma_family;            /**< NHRP_FAMILY_..., from ar$afn. */
    uint8_t protocol_family;        /**< NHRP_FAMILY_..., from ar$pro.type. */
    uint16_t flags;                 /**< Types 1-6; else 0. */
    uint16_t error_code;            /**< Type 7; else 0. */
    uint16_t error_offset;          /**< Type 7; else 0. */
    uint16_t traffic_code;          /**< Type 8: 0 is a redirect; else 0. */
    uint32_t request_id;            /**< Types 1-6; else 0. */
    nhrp_addr source_nbma;          /**< Family NONE where its length is 0. */
    nhrp_addr source_protocol;      /**< The station that sent the request. */
    nhrp_addr destination_protocol; /**< What the request is about or goes to. */
    const uint8_t *cies;            /**< Types 1-6: read them by nhrp_cie_next. */
    size_t cies_len;                /**< In octets. */
    const uint8_t *contents;        /**< Types 7 and 8: the packet quoted, perhaps cut short. */
    size_t contents_len;            /**< In octets. */
    const uint8_t *extensions;      /**< NULL where there are none. */
    size_t extensions_len;          /**< In octets, the end extension included. */
    const uint8_t *bytes;           /**< The whole packet. */
    size_t size;                    /**< ar$pktsz; the frame may have been longer. */
} nhrp_packet;

/** A client information entry (RFC 2332 5.2.0.1). */
typedef struct nhrp_cie {
    uint8_t code;            /**< NHRP_CODE_... */
    uint8_t prefix_len;      /**< As on the wire: 0 and 255 both mean the host. */
    uint16_t mtu;            /**< 0: the default. */
    uint16_t holding_time_s; /**< Seconds. */
    uint8_t preference;      /**< Higher is better. */
    uint8_t reserved;        /**< Zero. */
    nhrp_addr nbma;          /**< Family NONE where its length is 0. */
    nhrp_addr protocol;      /**< Family NONE where its length is 0. */
} nhrp_cie;

/** An extension (RFC 2332 5.3). */
typedef struct nhrp_extension {
    uint16_t type;        /**< 14 bits, NHRP_EXTENSION_... */
    uint8_t compulsory;   /**< 1: who answers the packet must understand it. */
    uint8_t kind;         /**< NHRP_KIND_...; a writer does not read it. */
    uint32_t reserved;    /**< Zero. */
    const uint8_t *value; /**< NULL where len is 0. */
    size_t len;           /**< In octets. */
} nhrp_extension;

/**
 * @brief Decodes a frame's NHRP packet and checks the framing of all that is in it.
 *
 * Octets beyond ar$pktsz are padding. After success the iterators cannot fail on the packet, but
 * for what an extension's value holds. RFC 2332 5.1, 5.2.
 * @param buf The frame after its GRE header; viewed by out.
 * @param len Its octets.
 * @param[out] out Written on success only.
 * @retval NHRP_OK It is well-formed; what it asks is another matter.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_TRUNCATED Shorter than its header or ar$pktsz say.
 * @retval NHRP_ERR_CHECKSUM Damaged: drop it without an answer.
 * @retval NHRP_ERR_VERSION NHRP_ERR_TYPE, _FORMAT, _FAMILY, _ADDRESS, _CIE or _EXTENSION: why.
 */
NHRP_API nhrp_rc nhrp_packet_decode(const uint8_t *buf, size_t len, nhrp_packet *out);

/**
 * @brief Decodes as much of a quoted packet as is there: the fixed part and the mandatory header.
 *
 * For the contents of an Error Indication, which may be cut short and whose checksum means
 * nothing any more. Lists of CIEs, contents and extensions are empty in out.
 * @param buf The quoted octets.
 * @param len Their number.
 * @param[out] out Written on success only.
 * @retval NHRP_OK The header was there.
 * @retval NHRP_ERR_ARG An argument is NULL.
 * @retval NHRP_ERR_TRUNCATED NHRP_ERR_VERSION, _TYPE, _FORMAT, _FAMILY or _ADDRESS: why not.
 */
NHRP_API nhrp_rc nhrp_packet_decode_quoted(const uint8_t *buf, size_t len, nhrp_packet *out);

/**
 * @brief Writes the checksum anew after a change of the octets.
 * @param buf A whole packet; ar$pktsz in it is trusted as far as len goes.
 * @param len Octets in buf.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG buf is NULL.
 * @retval NHRP_ERR_TRUNCATED Fewer octets than the fixed part or ar$pktsz.
 */
NHRP_API nhrp_rc nhrp_packet_set_checksum(uint8_t *buf, size_t len);

/**
 * @brief Reads the next client information entry of types 1 to 6.
 * @param pkt A decoded packet.
 * @param[in,out] it 0 to begin with; where the next one starts.
 * @param[out] out Written with NHRP_YES only.
 * @retval NHRP_YES One was read.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL or the position is beyond the list.
 * @retval NHRP_ERR_CIE pkt was not made by the decoder and is malformed.
 */
NHRP_API nhrp_rc nhrp_cie_next(const nhrp_packet *pkt, size_t *it, nhrp_cie *out);

/**
 * @brief Reads the next extension, up to the end extension, which it does not yield.
 * @param pkt A decoded packet.
 * @param[in,out] it 0 to begin with; where the next one starts.
 * @param[out] out Written with NHRP_YES only; views the packet.
 * @retval NHRP_YES One was read.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL or the position is beyond the list.
 * @retval NHRP_ERR_EXTENSION pkt was not made by the decoder and is malformed.
 */
NHRP_API nhrp_rc nhrp_extension_next(const nhrp_packet *pkt, size_t *it, nhrp_extension *out);

/**
 * @brief Reads the next CIE of a responder address, transit record or NAT address extension.
 * @param pkt The packet that the extension is from.
 * @param extension One of its extensions.
 * @param[in,out] it 0 to begin with.
 * @param[out] out Written with NHRP_YES only.
 * @retval NHRP_YES One was read.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL, the position is beyond the value, or the kind of
 *                      extension holds no CIEs.
 * @retval NHRP_ERR_CIE The value is malformed.
 */
NHRP_API nhrp_rc nhrp_extension_next_cie(const nhrp_packet *pkt, const nhrp_extension *extension,
                                         size_t *it, nhrp_cie *out);

#ifdef __cplusplus
}
#endif

#endif
