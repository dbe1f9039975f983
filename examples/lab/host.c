/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "internal/checksum.h"
#include "internal/wire.h"

enum {
    ICMP_ECHO_REPLY = 0,
    ICMP_ECHO = 8,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129,
    ICMP_HEADER_BYTES = 8,
    UDP_HEADER_BYTES = 8,
    MAGIC = 0x4c61624d, /* "LabM" */
    MARK_BYTES = 24
};

static void put_mark(uint8_t *b, const host_mark *mark)
{
    wire_set_u32(b, MAGIC);
    wire_set_u32(b + 4, mark->vrf);
    wire_set_u32(b + 8, mark->flow);
    wire_set_u32(b + 12, mark->sequence);
    wire_set_u32(b + 16, (uint32_t)(mark->sent_ms >> 32));
    wire_set_u32(b + 20, (uint32_t)mark->sent_ms);
}

static bool get_mark(const uint8_t *bytes, size_t len, host_mark *mark)
{
    wire_reader r = wire_reader_make(bytes, len);
    const bool ours = wire_get_u32(&r) == MAGIC;
    mark->vrf = wire_get_u32(&r);
    mark->flow = wire_get_u32(&r);
    mark->sequence = wire_get_u32(&r);
    mark->sent_ms = wire_get_u64(&r);
    return ours && wire_ok(&r);
}

/* ICMPv6 has a pseudo-header in its checksum (RFC 4443 2.3), ICMP has none. */
static uint16_t icmp_checksum(const router_addr *from, const router_addr *to, const uint8_t *icmp,
                              size_t len)
{
    const bool six = from->family == ROUTER_FAMILY_IPV6;
    const uint64_t sum = six ? ip_pseudo_sum(from, to, IP_PROTOCOL_ICMPV6, len) : 0;
    return checksum_end(checksum_add(sum, icmp, len));
}

static uint8_t icmp_protocol(const router_addr *a)
{
    return a->family == ROUTER_FAMILY_IPV4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6;
}

size_t host_ping(const router_addr *from, const router_addr *to, const host_mark *mark,
                 uint8_t out[HOST_PACKET_BYTES])
{
    const size_t len = ICMP_HEADER_BYTES + MARK_BYTES;
    const size_t header = ip_encode(out, from, to, icmp_protocol(from), len);
    if (header == 0)
        return 0;
    uint8_t *icmp = out + header;
    icmp[0] = from->family == ROUTER_FAMILY_IPV4 ? ICMP_ECHO : ICMPV6_ECHO;
    icmp[1] = 0;
    wire_set_u16(icmp + 2, 0);
    wire_set_u16(icmp + 4, (uint16_t)mark->flow);
    wire_set_u16(icmp + 6, (uint16_t)mark->sequence);
    put_mark(icmp + ICMP_HEADER_BYTES, mark);
    wire_set_u16(icmp + 2, icmp_checksum(from, to, icmp, len));
    return header + len;
}

size_t host_udp(const router_addr *from, const router_addr *to, const host_mark *mark,
                uint8_t out[HOST_PACKET_BYTES])
{
    uint8_t payload[MARK_BYTES];
    put_mark(payload, mark);
    router_addr sender = *from, receiver = *to;
    sender.port = receiver.port = HOST_UDP_PORT;
    return ip_encode_udp(out, HOST_PACKET_BYTES, &sender, &receiver, payload, sizeof(payload));
}

static size_t answer(const ip_view *ip, uint8_t reply_type, uint8_t out[HOST_PACKET_BYTES])
{
    if (ip->len + IP_HEADER_BYTES > HOST_PACKET_BYTES)
        return 0;
    const size_t header = ip_encode(out, &ip->to, &ip->from, ip->protocol, ip->len);
    if (header == 0)
        return 0;
    uint8_t *icmp = out + header;
    memcpy(icmp, ip->payload, ip->len);
    icmp[0] = reply_type;
    wire_set_u16(icmp + 2, 0);
    wire_set_u16(icmp + 2, icmp_checksum(&ip->to, &ip->from, icmp, ip->len));
    return header + ip->len;
}

static size_t icmp_input(const ip_view *ip, host_heard *heard, uint8_t out[HOST_PACKET_BYTES])
{
    if (ip->len < ICMP_HEADER_BYTES || icmp_checksum(&ip->from, &ip->to, ip->payload, ip->len) != 0)
        return 0;
    const bool four = ip->protocol == IP_PROTOCOL_ICMP;
    const uint8_t type = ip->payload[0];
    heard->kind = HOST_HEARD_OTHER;
    heard->marked =
        get_mark(ip->payload + ICMP_HEADER_BYTES, ip->len - ICMP_HEADER_BYTES, &heard->mark);
    if (type == (four ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY))
        heard->kind = HOST_HEARD_REPLY;
    if (type != (four ? ICMP_ECHO : ICMPV6_ECHO))
        return 0;
    heard->kind = HOST_HEARD_ECHO;
    return answer(ip, four ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY, out);
}

static void udp_input(const ip_view *ip, host_heard *heard)
{
    const uint64_t sum = ip_pseudo_sum(&ip->from, &ip->to, IP_PROTOCOL_UDP, ip->len);
    if (ip->len < UDP_HEADER_BYTES || checksum_end(checksum_add(sum, ip->payload, ip->len)) != 0)
        return;
    heard->kind = HOST_HEARD_UDP;
    heard->marked =
        get_mark(ip->payload + UDP_HEADER_BYTES, ip->len - UDP_HEADER_BYTES, &heard->mark);
}

size_t host_input(const router_addr *self, const uint8_t *packet, size_t len, host_heard *heard,
                  uint8_t out[HOST_PACKET_BYTES])
{
    ip_view ip;
    memset(heard, 0, sizeof(*heard));
    if (!ip_decode(packet, len, &ip) || !ip_same_host(&ip.to, self))
        return 0;
    heard->from = ip.from;
    if (ip.protocol == icmp_protocol(self))
        return icmp_input(&ip, heard, out);
    if (ip.protocol == IP_PROTOCOL_UDP)
        udp_input(&ip, heard);
    return 0;
}
