/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "node.h"

#include <internal/checksum.h>
#include <internal/wire.h>

#include <stdio.h>
#include <string.h>

enum {
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    ICMP_BYTES = 8,
    TTL = 64,
    PROTOCOL_ICMP = 1,
    PROTOCOL_ICMPV6 = 58,
    ECHO_REPLY = 0,
    ECHO_REQUEST = 8,
    ECHO_REQUEST_V6 = 128,
    ECHO_REPLY_V6 = 129,
    IDENTIFIER = 0x4c4d
};

static uint8_t body_byte(uint16_t sequence, size_t i)
{
    return (uint8_t)(sequence * 7U + i);
}

/* RFC 792; RFC 4443 2.3 with the pseudo-header, whose addresses are the 32 octets at addresses. */
static void icmp_checksum(uint8_t *icmp, size_t len, const uint8_t *addresses)
{
    uint64_t sum = 0;
    if (addresses) {
        uint8_t pseudo[8] = {0};
        wire_set_u32(pseudo, (uint32_t)len);
        pseudo[7] = PROTOCOL_ICMPV6;
        sum = checksum_add(checksum_add(0, addresses, 32), pseudo, sizeof(pseudo));
    }
    wire_set_u16(icmp + 2, 0);
    wire_set_u16(icmp + 2, checksum_end(checksum_add(sum, icmp, len)));
}

static void ipv4_checksum(uint8_t *ip)
{
    wire_set_u16(ip + 10, 0);
    wire_set_u16(ip + 10, checksum_end(checksum_add(0, ip, IPV4_BYTES)));
}

size_t echo_request(uint8_t *out, const nhrp_addr *from, const nhrp_addr *to, uint16_t sequence,
                    size_t body_len)
{
    const bool v6 = from->family == NHRP_FAMILY_IPV6;
    uint8_t *icmp = out + (v6 ? IPV6_BYTES : IPV4_BYTES);
    const size_t icmp_len = ICMP_BYTES + body_len;
    memset(out, 0, (size_t)(icmp - out) + ICMP_BYTES);
    icmp[0] = v6 ? ECHO_REQUEST_V6 : ECHO_REQUEST;
    wire_set_u16(icmp + 4, IDENTIFIER);
    wire_set_u16(icmp + 6, sequence);
    for (size_t i = 0; i < body_len; i++)
        icmp[ICMP_BYTES + i] = body_byte(sequence, i);
    if (v6) {
        out[0] = 0x60;
        wire_set_u16(out + 4, (uint16_t)icmp_len);
        out[6] = PROTOCOL_ICMPV6;
        out[7] = TTL;
        memcpy(out + 8, from->bytes, 16);
        memcpy(out + 24, to->bytes, 16);
    } else {
        out[0] = 0x45;
        wire_set_u16(out + 2, (uint16_t)(IPV4_BYTES + icmp_len));
        out[8] = TTL;
        out[9] = PROTOCOL_ICMP;
        memcpy(out + 12, from->bytes, 4);
        memcpy(out + 16, to->bytes, 4);
        ipv4_checksum(out);
    }
    icmp_checksum(icmp, icmp_len, v6 ? out + 8 : NULL);
    return (size_t)(icmp - out) + icmp_len;
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
    uint8_t t[16];
    memcpy(t, a, len);
    memcpy(a, b, len);
    memcpy(b, t, len);
}

/* Identifier and content must be those of a request of ours. */
static void take_reply(uint32_t vrf, const uint8_t *icmp, size_t len, const nhrp_addr *from)
{
    const uint16_t sequence = (uint16_t)(icmp[6] << 8 | icmp[7]);
    bool ours = (icmp[4] << 8 | icmp[5]) == IDENTIFIER;
    for (size_t i = ICMP_BYTES; i < len; i++)
        ours = ours && icmp[i] == body_byte(sequence, i - ICMP_BYTES);
    printf("%s vrf=%u from=%s sequence=%u bytes=%zu\n", ours ? "echo-reply" : "strange-reply", vrf,
           text(from), sequence, len - ICMP_BYTES);
}

bool echo_input(uint32_t vrf, uint8_t *packet, size_t len)
{
    const bool v6 = packet[0] >> 4 == 6;
    const size_t header = v6 ? IPV6_BYTES : IPV4_BYTES;
    const uint8_t protocol = len > IPV4_BYTES ? packet[v6 ? 6 : 9] : 0;
    if (len < header + ICMP_BYTES || (!v6 && packet[0] != 0x45) ||
        protocol != (v6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP))
        return false;
    uint8_t *icmp = packet + header;
    const size_t icmp_len = len - header;
    nhrp_addr from = {.family = v6 ? NHRP_FAMILY_IPV6 : NHRP_FAMILY_IPV4};
    memcpy(from.bytes, packet + (v6 ? 8 : 12), v6 ? 16 : 4);
    if (icmp[0] == (v6 ? ECHO_REPLY_V6 : ECHO_REPLY))
        take_reply(vrf, icmp, icmp_len, &from);
    else
        printf("packet vrf=%u from=%s icmp-type=%u\n", vrf, text(&from), icmp[0]);
    if (icmp[0] != (v6 ? ECHO_REQUEST_V6 : ECHO_REQUEST))
        return false;
    icmp[0] = v6 ? ECHO_REPLY_V6 : ECHO_REPLY;
    if (v6) {
        swap(packet + 8, packet + 24, 16);
        packet[7] = TTL;
    } else {
        swap(packet + 12, packet + 16, 4);
        packet[8] = TTL;
        ipv4_checksum(packet);
    }
    icmp_checksum(icmp, icmp_len, v6 ? packet + 8 : NULL);
    return true;
}
