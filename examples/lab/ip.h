/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The IP headers that the lab's hosts, its TCP and its capture need: IPv4 without options, IPv6
 * without extension headers.
 */
#ifndef LAB_IP_H
#define LAB_IP_H

#include "router/router.h"

enum {
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_ICMPV6 = 58,
    IP_HEADER_BYTES = 40 /* the longer of the two */
};

typedef struct ip_view {
    router_addr from;
    router_addr to;
    uint8_t protocol;
    uint8_t hops;
    const uint8_t *payload; /* into the packet */
    size_t len;
} ip_view;

/* False for what is no whole packet, has a wrong header checksum, or is a fragment. */
bool ip_decode(const uint8_t *packet, size_t len, ip_view *out);

/*
 * Writes the header for payload_len bytes, which the caller puts behind it. Returns its length; 0
 * where the families differ or the packet would be too long. IP_HEADER_BYTES are always enough.
 */
size_t ip_encode(uint8_t *out, const router_addr *from, const router_addr *to, uint8_t protocol,
                 size_t payload_len);

size_t ip_header_bytes(uint8_t family);

/* The sum over the pseudo-header (RFC 9293 3.1, RFC 8200 8.1), to add the payload's to. */
uint64_t ip_pseudo_sum(const router_addr *from, const router_addr *to, uint8_t protocol,
                       size_t payload_len);

/* A UDP datagram, headers and all; returns its length, 0 where it does not fit. */
size_t ip_encode_udp(uint8_t *out, size_t cap, const router_addr *from, const router_addr *to,
                     const uint8_t *payload, size_t len);

router_addr ip_host4(uint32_t address, uint16_t port);
bool ip_same_host(const router_addr *a, const router_addr *b);

/* "10.1.1.101", "2001:db8::1": without prefix length or port. */
enum { IP_TEXT_BYTES = 46 };
const char *ip_text(const router_addr *address, char out[IP_TEXT_BYTES]);

#endif
