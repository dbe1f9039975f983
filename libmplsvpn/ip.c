/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ip.h"

#include <internal/checksum.h>
#include <internal/wire.h>

#define IPV4_HEADER_MIN     20
#define IPV4_TTL_AT         8
#define IPV4_CHECKSUM_AT    10
#define IPV4_DESTINATION_AT 16
#define IPV6_HEADER         40
#define IPV6_LEN_AT         4
#define IPV6_HOP_LIMIT_AT   7
#define IPV6_SOURCE_AT      8
#define IPV6_DESTINATION_AT 24

static uint16_t get_u16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

mplsvpn_rc mplsvpn__ip_version(const uint8_t *packet, size_t len, uint8_t *out)
{
    if (len == 0)
        return MPLSVPN_ERR_TRUNCATED;
    const uint8_t version = packet[0] >> 4;
    if (version != IP_VERSION_4 && version != IP_VERSION_6)
        return MPLSVPN_ERR_VERSION;
    if (len < (version == IP_VERSION_4 ? IPV4_HEADER_MIN : IPV6_HEADER))
        return MPLSVPN_ERR_TRUNCATED;
    *out = version;
    return MPLSVPN_OK;
}

uint16_t mplsvpn__ip_protocol(uint8_t version)
{
    return version == IP_VERSION_4 ? MPLSVPN_PROTOCOL_IPV4 : MPLSVPN_PROTOCOL_IPV6;
}

uint8_t mplsvpn__ip_ttl(const uint8_t *packet, uint8_t version)
{
    return packet[version == IP_VERSION_4 ? IPV4_TTL_AT : IPV6_HOP_LIMIT_AT];
}

void mplsvpn__ip_set_ttl(uint8_t *packet, uint8_t version, uint8_t ttl)
{
    if (version == IP_VERSION_6) {
        packet[IPV6_HOP_LIMIT_AT] = ttl;
        return;
    }
    /* RFC 1624 3, eqn. 3, with the word that holds TTL and protocol */
    const uint16_t from = get_u16(packet + IPV4_TTL_AT);
    packet[IPV4_TTL_AT] = ttl;
    const uint16_t to = get_u16(packet + IPV4_TTL_AT);
    const uint16_t sum = get_u16(packet + IPV4_CHECKSUM_AT);
    wire_set_u16(packet + IPV4_CHECKSUM_AT,
                 checksum_end((uint64_t)(uint16_t)~sum + (uint16_t)~from + to));
}

uint8_t mplsvpn__ip_precedence(const uint8_t *packet, uint8_t version)
{
    /* IPv6's traffic class lies across the first two octets. */
    return version == IP_VERSION_4 ? packet[1] >> 5 : (packet[0] & 0x0f) >> 1;
}

/* RFC 1122 3.2.1.3, RFC 1812 5.3.7: never in a packet that a router forwards. */
static bool ipv4_is_routed(const uint8_t a[4])
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    return a[0] != 0 && a[0] != 127 && (a[0] & 0xf0) != 0xe0 &&
           memcmp(a, broadcast, sizeof(broadcast)) != 0;
}

/* Unspecified, loopback, multicast, link-local: RFC 4291 2.5, 2.7. */
static bool ipv6_is_routed(const uint8_t a[16])
{
    static const uint8_t zeros[15] = {0};
    return a[0] != 0xff && !(a[0] == 0xfe && (a[1] & 0xc0) == 0x80) &&
           !(memcmp(a, zeros, sizeof(zeros)) == 0 && a[15] <= 1);
}

static mplsvpn_rc check_ipv4(const uint8_t *packet, size_t len, mplsvpn_addr *destination)
{
    const size_t header_len = (size_t)(packet[0] & 0x0f) * 4;
    const size_t total_len = get_u16(packet + 2);
    if (header_len < IPV4_HEADER_MIN || total_len < header_len)
        return MPLSVPN_ERR_MALFORMED;
    if (total_len > len)
        return MPLSVPN_ERR_TRUNCATED;
    if (checksum_end(checksum_add(0, packet, header_len)) != 0)
        return MPLSVPN_ERR_CHECKSUM;
    if (!ipv4_is_routed(packet + IPV4_DESTINATION_AT))
        return MPLSVPN_ERR_ADDRESS;
    destination->family = MPLSVPN_FAMILY_IPV4;
    memcpy(destination->bytes, packet + IPV4_DESTINATION_AT, 4);
    return MPLSVPN_OK;
}

static mplsvpn_rc check_ipv6(const uint8_t *packet, size_t len, mplsvpn_addr *destination)
{
    if ((size_t)IPV6_HEADER + get_u16(packet + IPV6_LEN_AT) > len)
        return MPLSVPN_ERR_TRUNCATED;
    /* RFC 4291 2.5.2, 2.5.3, 2.5.6, 2.7: no packet from or to one of these is ever forwarded */
    if (!ipv6_is_routed(packet + IPV6_SOURCE_AT) || !ipv6_is_routed(packet + IPV6_DESTINATION_AT))
        return MPLSVPN_ERR_ADDRESS;
    destination->family = MPLSVPN_FAMILY_IPV6;
    memcpy(destination->bytes, packet + IPV6_DESTINATION_AT, 16);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn__ip_check(const uint8_t *packet, size_t len, mplsvpn_addr *destination)
{
    uint8_t version;
    const mplsvpn_rc rc = mplsvpn__ip_version(packet, len, &version);
    if (rc != MPLSVPN_OK)
        return rc;
    *destination = (mplsvpn_addr){0};
    return version == IP_VERSION_4 ? check_ipv4(packet, len, destination)
                                   : check_ipv6(packet, len, destination);
}

mplsvpn_rc mplsvpn_ip_decrement(uint8_t *packet, size_t len)
{
    if (!packet)
        return MPLSVPN_ERR_ARG;
    uint8_t version;
    const mplsvpn_rc rc = mplsvpn__ip_version(packet, len, &version);
    if (rc != MPLSVPN_OK)
        return rc;
    const uint8_t ttl = mplsvpn__ip_ttl(packet, version);
    if (ttl <= 1)
        return MPLSVPN_ERR_TTL;
    mplsvpn__ip_set_ttl(packet, version, (uint8_t)(ttl - 1));
    return MPLSVPN_OK;
}
