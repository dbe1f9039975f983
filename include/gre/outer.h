/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_OUTER_H
#define GRE_OUTER_H

/**
 * @file
 * @brief The outer IPv4 or IPv6 header of GRE that travels without ESP.
 *
 * In transport-mode ESP the outer header is the transport's own and nothing here is needed.
 */

#include <gre/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Numbers of the outer header. */
enum {
    GRE_IP_PROTOCOL = 47,       /**< GRE as IPv4 protocol and IPv6 next header. */
    GRE_OUTER_IPV4_BYTES = 20,  /**< What encode writes for IPv4: no options. */
    GRE_OUTER_IPV6_BYTES = 40,  /**< What encode writes for IPv6: no extension headers. */
    GRE_OUTER_DONT_FRAGMENT = 1 /**< Flag: IPv4 DF. */
};

/** The outer header, 64 bytes, frozen. */
typedef struct gre_outer {
    gre_addr source;         /**< Family and bytes; the destination has the same family. */
    gre_addr destination;    /**< Family and bytes. */
    uint8_t ttl;             /**< TTL or hop limit; encode refuses 0. */
    uint8_t tos;             /**< TOS or traffic class: DSCP and ECN. */
    uint8_t flags;           /**< GRE_OUTER_DONT_FRAGMENT; IPv4 only, 0 for IPv6. */
    uint8_t reserved;        /**< 0. */
    uint16_t identification; /**< IPv4; any value where DF is set (RFC 6864). 0 for IPv6. */
    uint16_t reserved2;      /**< 0. */
    uint32_t flow_label;     /**< IPv6, 20 bits; 0 for IPv4. */
    uint16_t header_len;     /**< Decode: where the GRE header begins; ignored by encode. */
    uint16_t payload_len;    /**< Decode: bytes from there on, padding cut; ignored by encode. */
} gre_outer;

/**
 * @brief Writes the outer header in front of a GRE packet.
 *
 * The IPv4 header checksum is computed; RFC 7676 3.1 has no fragmentation below IPv6.
 *
 * @param outer The header; @c source.family decides which.
 * @param buf The buffer: @p offset bytes of headroom, then the GRE packet.
 * @param offset Where the GRE header begins.
 * @param len Bytes of GRE packet.
 * @param out_offset Where the outer header begins.
 * @retval GRE_OK Written.
 * @retval GRE_ERR_ARG A NULL pointer, families that differ, ttl 0, unknown flags, a flow label
 *         beyond 20 bits, or @p len beyond what the length field can say.
 * @retval GRE_ERR_BUFFER The headroom is short: give GRE_OUTER_IPV4_BYTES or GRE_OUTER_IPV6_BYTES.
 */
GRE_API gre_rc gre_outer_encode(const gre_outer *outer, uint8_t *buf, size_t offset, size_t len,
                                size_t *out_offset);

/**
 * @brief Reads the outer header of a packet that carries GRE.
 *
 * IPv4 options and IPv6 extension headers are skipped (RFC 7676 4.1). Bytes beyond the length
 * that the header gives are padding, not payload.
 *
 * @param buf The packet from its IP header on.
 * @param len Bytes that arrived.
 * @param out Written only on success.
 * @retval GRE_OK The GRE packet is @c out->payload_len bytes at @c out->header_len.
 * @retval GRE_ERR_ARG A pointer is NULL.
 * @retval GRE_ERR_TRUNCATED Drop: fewer bytes than the header says.
 * @retval GRE_ERR_VERSION Drop: neither IPv4 nor IPv6.
 * @retval GRE_ERR_MALFORMED Drop: header lengths that contradict each other.
 * @retval GRE_ERR_CHECKSUM Drop: the IPv4 header is damaged.
 * @retval GRE_ERR_PROTOCOL Not GRE: for somebody else.
 * @retval GRE_ERR_FRAGMENT A fragment: reassemble, then call again.
 */
GRE_API gre_rc gre_outer_decode(const uint8_t *buf, size_t len, gre_outer *out);

#ifdef __cplusplus
}
#endif

#endif
