/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_HEADER_H
#define GRE_HEADER_H

/**
 * @file
 * @brief The GRE header of RFC 2784 with the fields of RFC 2890.
 *
 * @code
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  |C|R|K|S|s|    Reserved0    | Ver |         Protocol Type         |
 *  |      Checksum (optional)        |       Reserved1 (optional)    |
 *  |                         Key (optional)                          |
 *  |                   Sequence Number (optional)                    |
 * @endcode
 *
 * Headers are written in front of a payload that lies in a buffer with headroom; no payload moves.
 */

#include <gre/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The GRE header: fields that are present, as in its first octet. */
enum {
    GRE_FLAG_CHECKSUM = 0x80, /**< Checksum and Reserved1 are present. */
    GRE_FLAG_KEY = 0x20,      /**< The Key is present. */
    GRE_FLAG_SEQUENCE = 0x10  /**< The Sequence Number is present. */
};

/** GRE protocol types (Ethernet types) that this family of libraries speaks. */
enum {
    GRE_PROTOCOL_IPV4 = 0x0800,          /**< RFC 2784 3. */
    GRE_PROTOCOL_NHRP = 0x2001,          /**< RFC 2332 5.1. */
    GRE_PROTOCOL_IPV6 = 0x86dd,          /**< RFC 7676 2.1. */
    GRE_PROTOCOL_MPLS = 0x8847,          /**< MPLS unicast, RFC 4023 4.2. */
    GRE_PROTOCOL_MPLS_MULTICAST = 0x8848 /**< MPLS multicast, RFC 4023 4.2. */
};

/** Sizes of a header on the wire. */
enum {
    GRE_HEADER_MIN_BYTES = 4, /**< No optional field. */
    GRE_HEADER_MAX_BYTES = 16 /**< Checksum, key and sequence number. */
};

/** One GRE header in host order, 16 bytes, frozen. */
typedef struct gre_header {
    uint16_t protocol;  /**< Protocol type of the payload: GRE_PROTOCOL_... or another. */
    uint8_t flags;      /**< GRE_FLAG_... that are present, no other bits. */
    uint8_t header_len; /**< Bytes of header, thus the payload's offset; ignored by encode. */
    uint32_t key;       /**< 0 where absent. */
    uint32_t sequence;  /**< 0 where absent. */
    uint16_t checksum;  /**< As received, 0 where absent; ignored by encode, which computes it. */
    uint16_t reserved1; /**< As received (decode ignores its value); ignored by encode. */
} gre_header;

/**
 * @brief Bytes that a header with these fields takes.
 * @param flags GRE_FLAG_...; other bits are ignored.
 * @return 4, 8, 12 or 16.
 */
GRE_API uint32_t gre_header_get_len(uint8_t flags);

/**
 * @brief Reads the header at the start of a GRE packet and verifies its checksum.
 *
 * The checksum covers all of @p len, so hand in the packet without link padding. Reserved bits 6 to
 * 12 are ignored (RFC 2784 2.3).
 *
 * @param buf The GRE header and its payload.
 * @param len Bytes of both.
 * @param out Written only on success.
 * @retval GRE_OK The payload begins at @c out->header_len; it may be empty.
 * @retval GRE_ERR_ARG A pointer is NULL.
 * @retval GRE_ERR_TRUNCATED Drop: shorter than the fields that its flags announce.
 * @retval GRE_ERR_VERSION Drop: not version 0 (version 1 is PPTP's).
 * @retval GRE_ERR_ROUTING Drop: source routing (RFC 1701) was refused.
 * @retval GRE_ERR_RESERVED Drop: bit 4 or 5 is set.
 * @retval GRE_ERR_CHECKSUM Drop: damaged.
 * @retval GRE_ERR_PROTOCOL Drop: protocol type 0 (keepalives of other makers).
 */
GRE_API gre_rc gre_header_decode(const uint8_t *buf, size_t len, gre_header *out);

/**
 * @brief Writes a header in front of a payload, the checksum included.
 * @param hdr Protocol, flags, key and sequence are used.
 * @param buf The buffer: @p offset bytes of headroom, then @p len bytes of payload.
 * @param offset Where the payload begins.
 * @param len Bytes of payload.
 * @param out_offset Where the header begins; the packet is @p len plus the difference long.
 * @retval GRE_OK Written.
 * @retval GRE_ERR_ARG A pointer is NULL, or the flags have other bits.
 * @retval GRE_ERR_BUFFER The headroom is short: give gre_header_get_len() bytes.
 * @retval GRE_ERR_PROTOCOL Protocol type 0 is not sent.
 */
GRE_API gre_rc gre_header_encode(const gre_header *hdr, uint8_t *buf, size_t offset, size_t len,
                                 size_t *out_offset);

#ifdef __cplusplus
}
#endif

#endif
