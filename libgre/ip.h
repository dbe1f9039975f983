/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an IPv4 or IPv6 packet is, as far as tunnels need to know.
 */
#ifndef LIBGRE_IP_H
#define LIBGRE_IP_H

#include <gre/result.h>
#include <stdbool.h>

#define IP_VERSION_4           4
#define IP_VERSION_6           6
#define IPV4_HEADER_MIN        20
#define IPV4_TOTAL_LEN_AT      2
#define IPV4_IDENTIFICATION_AT 4
#define IPV4_FRAGMENT_AT       6
#define IPV4_TTL_AT            8
#define IPV4_CHECKSUM_AT       10
#define IPV4_SOURCE_AT         12
#define IPV4_DESTINATION_AT    16
#define IPV4_DF                0x4000
#define IPV4_MF                0x2000
#define IPV4_OFFSET_MASK       0x1fff
#define IPV6_HEADER            40
#define IPV6_SOURCE_AT         8
#define IPV6_DESTINATION_AT    24
#define IP_MAX_BYTES           65535
#define IP_PROTOCOL_ICMP       1
#define IP_PROTOCOL_TCP        6
#define IP_PROTOCOL_ICMPV6     58

typedef struct ip_view {
    uint8_t version;
    uint8_t protocol;        /* of the payload, IPv6 extension headers passed over */
    bool fragment;           /* a part of a packet, the first part too */
    bool later_fragment;     /* no upper-layer header at payload_at */
    bool dont_fragment;      /* IPv4 */
    bool authenticated;      /* an IPv6 AH lies before the payload, which must not change */
    uint16_t fragment_field; /* IPv4: flags and offset as on the wire */
    uint32_t header_len;     /* IPv4 with options; IPv6 the fixed header */
    uint32_t payload_at;     /* behind options and extension headers */
    uint32_t total_len;      /* what the header says; the rest is padding */
} ip_view;

/* Checks lengths; the IPv4 header checksum is not looked at. */
gre_rc gre__ip_decode(const uint8_t *packet, size_t len, ip_view *out);

/* The sum of the pseudo-header that ICMPv6 checksums cover (RFC 8200 8.1). */
uint64_t gre__ip_pseudo_sum(const uint8_t source[16], const uint8_t destination[16], uint32_t len,
                            uint8_t protocol);

/* Writes the checksum of an IPv4 header whose checksum field is zero. */
void gre__ip_finish(uint8_t *header, size_t header_len);

#endif
