/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_MTU_H
#define GRE_MTU_H

/**
 * @file
 * @brief What a tunnel owes to packets that it makes larger: MSS clamp, ICMP errors, fragments.
 *
 * RFC 4459 3.1 (signal to the source), 3.3 (fragment what allows it) and 3.4 (lower the MSS). No
 * function keeps state; limit the rate of ICMP errors (RFC 1812 4.3.2.8, RFC 4443 2.4 f) yourself.
 */

#include <gre/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes of ICMP errors. */
enum {
    GRE_ICMP_IPV4_MAX_BYTES = 576,  /**< Largest ICMP error, its IP header included: RFC 1812. */
    GRE_ICMP_IPV6_MAX_BYTES = 1280, /**< Largest ICMPv6 error: RFC 4443 2.4 c. */
    GRE_MTU_IPV4_MIN = 68,          /**< RFC 791: every link carries this. */
    GRE_MTU_IPV6_MIN = 1280         /**< RFC 8200 5. */
};

/** Kinds of ICMP error: what happened; the packet's version decides type and code. */
enum {
    GRE_ICMP_TOO_BIG = 1,             /**< IPv4 type 3 code 4, IPv6 type 2. */
    GRE_ICMP_TIME_EXCEEDED = 2,       /**< TTL or hop limit: type 11 code 0, type 3 code 0. */
    GRE_ICMP_NO_ROUTE = 3,            /**< Type 3 code 0, type 1 code 0. */
    GRE_ICMP_ADDRESS_UNREACHABLE = 4, /**< Type 3 code 1, type 1 code 3. */
    GRE_ICMP_PROHIBITED = 5,          /**< By policy: type 3 code 13, type 1 code 1. */
    GRE_ICMP_PORT_UNREACHABLE = 6     /**< Type 3 code 3, type 1 code 4. */
};

/**
 * @brief Largest TCP segment that fits an MTU without IP or TCP options (RFC 6691).
 * @param mtu Bytes of IP packet.
 * @param family GRE_FAMILY_IPV4 or GRE_FAMILY_IPV6.
 * @return Bytes, at most 65535; 0 where nothing fits or the family is unknown.
 */
GRE_API uint16_t gre_mss_get(uint32_t mtu, uint8_t family);

/**
 * @brief Lowers the MSS option of a TCP SYN, never raises it, never adds one.
 *
 * IPv4 options and IPv6 extension headers are passed over, but for an authentication header, whose
 * packet must not change. Whatever is not a whole, well-formed SYN
 * with an MSS option larger than @p max_mss stays as it is. The TCP checksum is adjusted
 * (RFC 1624), so one that was wrong stays wrong.
 *
 * @param packet An IPv4 or IPv6 packet, from its IP header on.
 * @param len Bytes that it has.
 * @param max_mss The largest MSS to let pass.
 * @retval GRE_YES The option was lowered.
 * @retval GRE_OK Nothing was changed.
 * @retval GRE_ERR_ARG @p packet is NULL or @p max_mss is 0.
 */
GRE_API gre_rc gre_mss_clamp(uint8_t *packet, size_t len, uint16_t max_mss);

/**
 * @brief Builds an ICMP or ICMPv6 error packet about a packet, from its IP header on.
 *
 * Quotes as much of the packet as GRE_ICMP_IPV4_MAX_BYTES or GRE_ICMP_IPV6_MAX_BYTES allow. The
 * IPv4 error has TOS 0xc0 (RFC 1812 4.3.2.5), TTL 64 and DF.
 *
 * @param kind GRE_ICMP_...
 * @param mtu For GRE_ICMP_TOO_BIG: the largest packet that fits; values below GRE_MTU_IPV4_MIN and
 *        GRE_MTU_IPV6_MIN are raised to them, those beyond 65535 cut for IPv4. Else 0.
 * @param source The router's own address, of the packet's family.
 * @param packet The offending packet as it arrived, from its IP header on; the caller has verified
 *        its header checksum (RFC 1812 4.3.2.7).
 * @param len Bytes that it has.
 * @param out The error packet; must not overlap @p packet.
 * @param cap Bytes of @p out: GRE_ICMP_IPV6_MAX_BYTES always suffice.
 * @param out_len Bytes written; on GRE_ERR_BUFFER bytes needed.
 * @retval GRE_OK Send it to the packet's source.
 * @retval GRE_ERR_ARG A NULL pointer, an unknown kind, an mtu of 0 for too big, or a source of the
 *         other family.
 * @retval GRE_ERR_BUFFER @p cap is short.
 * @retval GRE_ERR_TRUNCATED The packet is cut short: say nothing.
 * @retval GRE_ERR_VERSION Neither IPv4 nor IPv6: say nothing.
 * @retval GRE_ERR_MALFORMED The IP header contradicts itself: say nothing.
 * @retval GRE_ERR_MAY_FRAGMENT Too big, but IPv4 without DF, or IPv6 of at most 1280 bytes:
 *         gre_fragment_next() for the former, fragment the outer packet for the latter.
 * @retval GRE_ERR_SILENT An ICMP error or redirect, a fragment other than the first (IPv6: unless
 *         too big), a source that is no single host or a destination that is many (RFC 1122 3.2.2,
 *         RFC 4443 2.4 e, 3.2).
 */
GRE_API gre_rc gre_icmp_error_encode(uint8_t kind, uint32_t mtu, const gre_addr *source,
                                     const uint8_t *packet, size_t len, uint8_t *out, size_t cap,
                                     size_t *out_len);

/**
 * @brief Builds the error for a packet that does not fit: gre_icmp_error_encode() with
 *        GRE_ICMP_TOO_BIG.
 * @param mtu The largest packet that fits; not 0.
 * @param source The router's own address, of the packet's family.
 * @param packet The offending packet, from its IP header on.
 * @param len Bytes that it has.
 * @param out The error packet.
 * @param cap Bytes of @p out.
 * @param out_len Bytes written; on GRE_ERR_BUFFER bytes needed.
 * @retval GRE_OK And the errors of gre_icmp_error_encode().
 */
GRE_API gre_rc gre_icmp_too_big(uint32_t mtu, const gre_addr *source, const uint8_t *packet,
                                size_t len, uint8_t *out, size_t cap, size_t *out_len);

/**
 * @brief Cuts an IPv4 packet without DF into fragments (RFC 791 3.2), one at each call.
 *
 * Options that are not copied into later fragments become padding there. A packet that fits comes
 * out whole.
 *
 * @param packet The packet, from its IP header on; may itself be a fragment.
 * @param len Bytes that it has.
 * @param mtu Largest fragment; at least GRE_MTU_IPV4_MIN.
 * @param it Begin with 0; the library's own afterwards.
 * @param out One fragment, with its header; must not overlap @p packet.
 * @param cap Bytes of @p out.
 * @param out_len Bytes written; on GRE_ERR_BUFFER bytes needed.
 * @retval GRE_YES A fragment was written.
 * @retval GRE_OK There are no more.
 * @retval GRE_ERR_ARG A NULL pointer, an mtu below 68, or an @p it that is not ours.
 * @retval GRE_ERR_BUFFER @p cap is short; @p it is unchanged.
 * @retval GRE_ERR_TRUNCATED The packet is cut short: drop it.
 * @retval GRE_ERR_VERSION Not IPv4: routers do not fragment IPv6.
 * @retval GRE_ERR_MALFORMED The IP header contradicts itself: drop it. Only ever at the first call.
 * @retval GRE_ERR_TOO_BIG DF is set: answer with gre_icmp_too_big().
 */
GRE_API gre_rc gre_fragment_next(const uint8_t *packet, size_t len, uint32_t mtu, size_t *it,
                                 uint8_t *out, size_t cap, size_t *out_len);

#ifdef __cplusplus
}
#endif

#endif
