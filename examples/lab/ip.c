/* SPDX-License-Identifier: Apache-2.0 */
#include "ip.h"

#include "internal/checksum.h"
#include "internal/wire.h"

#include <arpa/inet.h>

enum {
    IPV4_HEADER_BYTES = 20,
    IPV4_HOST_BITS = 32,
    IPV4_ADDRESS_BYTES = 4,
    IPV4_FRAGMENT_MASK = 0x3fff, /* more fragments, or an offset */
    IPV4_DO_NOT_FRAGMENT = 0x4000,
    IPV6_HEADER_BYTES = 40,
    IPV6_HOST_BITS = 128,
    IPV6_ADDRESS_BYTES = 16,
    HOPS = 64,
    UDP_HEADER_BYTES = 8
};

static router_addr host(uint8_t family, const uint8_t *bytes)
{
    const bool v4 = family == ROUTER_FAMILY_IPV4;
    router_addr a = {.family = family, .prefix_len = v4 ? IPV4_HOST_BITS : IPV6_HOST_BITS};
    memcpy(a.bytes, bytes, v4 ? IPV4_ADDRESS_BYTES : IPV6_ADDRESS_BYTES);
    return a;
}

static bool decode4(const uint8_t *packet, size_t len, ip_view *out)
{
    if (len < IPV4_HEADER_BYTES)
        return false;
    const size_t header = (size_t)(packet[0] & 0xf) * 4;
    const size_t total = (size_t)(packet[2] << 8 | packet[3]);
    if (header < IPV4_HEADER_BYTES || header > total || total > len)
        return false;
    if ((packet[6] << 8 | packet[7]) & IPV4_FRAGMENT_MASK)
        return false;
    if (checksum_end(checksum_add(0, packet, header)) != 0)
        return false;
    out->hops = packet[8];
    out->protocol = packet[9];
    out->from = host(ROUTER_FAMILY_IPV4, packet + 12);
    out->to = host(ROUTER_FAMILY_IPV4, packet + 16);
    out->payload = packet + header;
    out->len = total - header;
    return true;
}

static bool decode6(const uint8_t *packet, size_t len, ip_view *out)
{
    if (len < IPV6_HEADER_BYTES)
        return false;
    const size_t payload = (size_t)(packet[4] << 8 | packet[5]);
    if (payload > len - IPV6_HEADER_BYTES)
        return false;
    out->protocol = packet[6];
    out->hops = packet[7];
    out->from = host(ROUTER_FAMILY_IPV6, packet + 8);
    out->to = host(ROUTER_FAMILY_IPV6, packet + 24);
    out->payload = packet + IPV6_HEADER_BYTES;
    out->len = payload;
    return true;
}

bool ip_decode(const uint8_t *packet, size_t len, ip_view *out)
{
    if (len == 0)
        return false;
    if (packet[0] >> 4 == ROUTER_FAMILY_IPV4)
        return decode4(packet, len, out);
    return packet[0] >> 4 == ROUTER_FAMILY_IPV6 && decode6(packet, len, out);
}

size_t ip_header_bytes(uint8_t family)
{
    return family == ROUTER_FAMILY_IPV4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
}

size_t ip_encode(uint8_t *out, const router_addr *from, const router_addr *to, uint8_t protocol,
                 size_t payload_len)
{
    const size_t header = ip_header_bytes(from->family);
    if (from->family != to->family || payload_len > UINT16_MAX - header)
        return 0;
    memset(out, 0, header);
    if (from->family == ROUTER_FAMILY_IPV4) {
        wire_set_u16(out, 0x4500);
        wire_set_u16(out + 2, (uint16_t)(header + payload_len));
        wire_set_u16(out + 6, IPV4_DO_NOT_FRAGMENT);
        out[8] = HOPS;
        out[9] = protocol;
        memcpy(out + 12, from->bytes, IPV4_ADDRESS_BYTES);
        memcpy(out + 16, to->bytes, IPV4_ADDRESS_BYTES);
        wire_set_u16(out + 10, checksum_end(checksum_add(0, out, header)));
    } else {
        wire_set_u32(out, 0x60000000);
        wire_set_u16(out + 4, (uint16_t)payload_len);
        out[6] = protocol;
        out[7] = HOPS;
        memcpy(out + 8, from->bytes, IPV6_ADDRESS_BYTES);
        memcpy(out + 24, to->bytes, IPV6_ADDRESS_BYTES);
    }
    return header;
}

uint64_t ip_pseudo_sum(const router_addr *from, const router_addr *to, uint8_t protocol,
                       size_t payload_len)
{
    /* An IPv4 address is followed by zeros, which add nothing. */
    uint64_t sum = checksum_add(0, from->bytes, IPV6_ADDRESS_BYTES);
    sum = checksum_add(sum, to->bytes, IPV6_ADDRESS_BYTES);
    return sum + protocol + payload_len;
}

size_t ip_encode_udp(uint8_t *out, size_t cap, const router_addr *from, const router_addr *to,
                     const uint8_t *payload, size_t len)
{
    const size_t header = ip_header_bytes(from->family);
    const size_t udp_len = UDP_HEADER_BYTES + len;
    if (cap < header + udp_len || ip_encode(out, from, to, IP_PROTOCOL_UDP, udp_len) == 0)
        return 0;
    uint8_t *udp = out + header;
    wire_set_u16(udp, from->port);
    wire_set_u16(udp + 2, to->port);
    wire_set_u16(udp + 4, (uint16_t)udp_len);
    wire_set_u16(udp + 6, 0);
    if (len > 0)
        memcpy(udp + UDP_HEADER_BYTES, payload, len);
    const uint64_t sum = ip_pseudo_sum(from, to, IP_PROTOCOL_UDP, udp_len);
    const uint16_t checksum = checksum_end(checksum_add(sum, udp, udp_len));
    /* RFC 768: 0 would mean that there is none. */
    wire_set_u16(udp + 6, checksum ? checksum : UINT16_MAX);
    return header + udp_len;
}

router_addr ip_host4(uint32_t address, uint16_t port)
{
    router_addr a = {.family = ROUTER_FAMILY_IPV4, .prefix_len = IPV4_HOST_BITS, .port = port};
    wire_set_u32(a.bytes, address);
    return a;
}

bool ip_same_host(const router_addr *a, const router_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

const char *ip_text(const router_addr *address, char out[IP_TEXT_BYTES])
{
    const int family = address->family == ROUTER_FAMILY_IPV4 ? AF_INET : AF_INET6;
    if (!inet_ntop(family, address->bytes, out, IP_TEXT_BYTES))
        out[0] = '\0';
    return out;
}
