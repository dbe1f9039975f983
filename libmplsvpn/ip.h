/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The part of IPv4 and IPv6 headers that forwarding reads and writes.
 */
#ifndef LIBMPLSVPN_IP_H
#define LIBMPLSVPN_IP_H

#include <mplsvpn/forward.h>
#include <stdbool.h>

#define IP_VERSION_4 4
#define IP_VERSION_6 6

/* The version that the first nibble says, where the fixed header is there. */
mplsvpn_rc mplsvpn__ip_version(const uint8_t *packet, size_t len, uint8_t *out);

uint16_t mplsvpn__ip_protocol(uint8_t version);
uint8_t mplsvpn__ip_ttl(const uint8_t *packet, uint8_t version);

/* Sets the TTL and adjusts the IPv4 header checksum. */
void mplsvpn__ip_set_ttl(uint8_t *packet, uint8_t version, uint8_t ttl);

/* The IP precedence: the upper three bits of TOS or traffic class. */
uint8_t mplsvpn__ip_precedence(const uint8_t *packet, uint8_t version);

/* All that RFC 1812 5.2.2 wants of a header before it forwards; the destination comes out. */
mplsvpn_rc mplsvpn__ip_check(const uint8_t *packet, size_t len, mplsvpn_addr *destination);

#endif
