/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "echo.h"

#include <gre/gre.h>
#include <internal/checksum.h>
#include <internal/wire.h>

#include <string.h>

enum {
    IPV4_BYTES = 20,
    ICMP_BYTES = 8,
    IPV4_VERSION_IHL = 0x45,
    TTL = 64,
    PROTOCOL_ICMP = 1,
    TYPE_REPLY = 0,
    TYPE_REQUEST = 8,
    IDENTIFIER = 0x4c4d,
    LABEL_OURS = 100, /* The peer puts it on, and we on what we send the peer's. */
    LABEL_PEERS = 200,
    LABEL_BOTTOM = 0x100,
    LABEL_BYTES = 4
};

static const uint8_t our_address[4] = {172, 16, 0, 1};
static const uint8_t peer_address[4] = {172, 16, 0, 2};

/* Any length from 0 up to the longest, so that every padding of ESP occurs. */
static size_t body_len(uint16_t sequence)
{
    return sequence * 331U % (ECHO_BODY_MAX + 1);
}

static uint8_t body_byte(uint16_t sequence, size_t i)
{
    return (uint8_t)(sequence * 7U + i);
}

/* Label if there is one, IPv4, ICMP, body: from us to the peer. */
static size_t write_packet(uint8_t *out, uint16_t gre_protocol, uint8_t type, uint16_t identifier,
                           uint16_t sequence, const uint8_t *body, size_t len)
{
    uint8_t *ip = out;
    if (gre_protocol == GRE_PROTOCOL_MPLS) {
        wire_set_u32(out, (uint32_t)LABEL_PEERS << 12 | LABEL_BOTTOM | TTL);
        ip += LABEL_BYTES;
    }
    uint8_t *icmp = ip + IPV4_BYTES;
    memset(ip, 0, IPV4_BYTES + ICMP_BYTES);
    if (len > 0)
        memcpy(icmp + ICMP_BYTES, body, len);
    ip[0] = IPV4_VERSION_IHL;
    wire_set_u16(ip + 2, (uint16_t)(IPV4_BYTES + ICMP_BYTES + len));
    ip[8] = TTL;
    ip[9] = PROTOCOL_ICMP;
    memcpy(ip + 12, our_address, sizeof(our_address));
    memcpy(ip + 16, peer_address, sizeof(peer_address));
    wire_set_u16(ip + 10, checksum_end(checksum_add(0, ip, IPV4_BYTES)));
    icmp[0] = type;
    wire_set_u16(icmp + 4, identifier);
    wire_set_u16(icmp + 6, sequence);
    wire_set_u16(icmp + 2, checksum_end(checksum_add(0, icmp, ICMP_BYTES + len)));
    return (size_t)(icmp + ICMP_BYTES + len - out);
}

size_t echo_request(echo *e, uint8_t *out, uint16_t *gre_protocol)
{
    uint8_t body[ECHO_BODY_MAX];
    const uint16_t sequence = (uint16_t)e->sent++;
    const size_t len = body_len(sequence);
    for (size_t i = 0; i < len; i++)
        body[i] = body_byte(sequence, i);
    *gre_protocol = sequence % 2 ? GRE_PROTOCOL_MPLS : GRE_PROTOCOL_IPV4;
    return write_packet(out, *gre_protocol, TYPE_REQUEST, IDENTIFIER, sequence, body, len);
}

/* A reply is right when it brings back what its request had, and comes once. */
static bool take_reply(echo *e, uint16_t gre_protocol, uint16_t identifier, uint16_t sequence,
                       const uint8_t *body, size_t len)
{
    if (identifier != IDENTIFIER || sequence >= e->sent || len != body_len(sequence) ||
        gre_protocol != (sequence % 2 ? GRE_PROTOCOL_MPLS : GRE_PROTOCOL_IPV4))
        return false;
    for (size_t i = 0; i < len; i++)
        if (body[i] != body_byte(sequence, i))
            return false;
    if (e->back[sequence])
        e->duplicates++;
    else
        e->returned++;
    e->back[sequence] = 1;
    return true;
}

bool echo_input(echo *e, uint16_t gre_protocol, const uint8_t *packet, size_t len, uint8_t *reply,
                size_t *reply_len)
{
    wire_reader r = wire_reader_make(packet, len);
    if (gre_protocol == GRE_PROTOCOL_MPLS) {
        const uint32_t entry = wire_get_u32(&r);
        if (entry >> 12 != LABEL_OURS || !(entry & LABEL_BOTTOM)) {
            e->bad++;
            return false;
        }
        e->labelled++;
    }
    const uint8_t *ip = wire_get_bytes(&r, IPV4_BYTES);
    const size_t icmp_len = r.left;
    const uint8_t *icmp = wire_get_bytes(&r, ICMP_BYTES);
    if (!wire_ok(&r) || (gre_protocol != GRE_PROTOCOL_MPLS && gre_protocol != GRE_PROTOCOL_IPV4) ||
        ip[0] != IPV4_VERSION_IHL || (size_t)(ip[2] << 8 | ip[3]) != IPV4_BYTES + icmp_len ||
        ip[9] != PROTOCOL_ICMP || checksum_end(checksum_add(0, ip, IPV4_BYTES)) != 0 ||
        checksum_end(checksum_add(0, icmp, icmp_len)) != 0 || r.left > ECHO_BODY_MAX ||
        memcmp(ip + 12, peer_address, sizeof(peer_address)) != 0 ||
        memcmp(ip + 16, our_address, sizeof(our_address)) != 0) {
        e->bad++;
        return false;
    }
    const uint16_t identifier = (uint16_t)(icmp[4] << 8 | icmp[5]);
    const uint16_t sequence = (uint16_t)(icmp[6] << 8 | icmp[7]);
    if (icmp[0] == TYPE_REQUEST) {
        e->answered++;
        *reply_len =
            write_packet(reply, gre_protocol, TYPE_REPLY, identifier, sequence, r.next, r.left);
        return true;
    }
    if (icmp[0] != TYPE_REPLY || !take_reply(e, gre_protocol, identifier, sequence, r.next, r.left))
        e->bad++;
    return false;
}
