/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/mtu.h>

#include "ip.h"

#include <internal/checksum.h>
#include <internal/wire.h>

#define ICMP_HEADER      8
#define ICMP_CHECKSUM_AT 2
/* RFC 1812 4.3.2.5: internetwork control. */
#define ERROR_TOS 0xc0
#define ERROR_TTL 64

#define ICMP_UNREACHABLE         3
#define ICMP_SOURCE_QUENCH       4
#define ICMP_REDIRECT            5
#define ICMP_TIME_EXCEEDED       11
#define ICMP_PARAMETER_PROBLEM   12
#define ICMPV6_UNREACHABLE       1
#define ICMPV6_TOO_BIG           2
#define ICMPV6_TIME_EXCEEDED     3
#define ICMPV6_FIRST_INFORMATION 128
#define ICMPV6_REDIRECT          137

typedef struct icmp_kind {
    uint8_t type4, code4, type6, code6;
} icmp_kind;

/* RFC 792, RFC 1812 5.2.7.1, RFC 4443 3 */
static const icmp_kind kinds[] = {
    [GRE_ICMP_TOO_BIG] = {ICMP_UNREACHABLE, 4, ICMPV6_TOO_BIG, 0},
    [GRE_ICMP_TIME_EXCEEDED] = {ICMP_TIME_EXCEEDED, 0, ICMPV6_TIME_EXCEEDED, 0},
    [GRE_ICMP_NO_ROUTE] = {ICMP_UNREACHABLE, 0, ICMPV6_UNREACHABLE, 0},
    [GRE_ICMP_ADDRESS_UNREACHABLE] = {ICMP_UNREACHABLE, 1, ICMPV6_UNREACHABLE, 3},
    [GRE_ICMP_PROHIBITED] = {ICMP_UNREACHABLE, 13, ICMPV6_UNREACHABLE, 1},
    [GRE_ICMP_PORT_UNREACHABLE] = {ICMP_UNREACHABLE, 3, ICMPV6_UNREACHABLE, 4},
};

/* 0.0.0.0/8, 127.0.0.0/8, multicast, class E and broadcast: RFC 1122 3.2.2. */
static bool ipv4_is_single_host(const uint8_t a[4])
{
    return a[0] != 0 && a[0] != 127 && a[0] < 224;
}

static bool ipv4_is_many(const uint8_t a[4])
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    return (a[0] & 0xf0) == 0xe0 || memcmp(a, broadcast, sizeof(broadcast)) == 0;
}

static bool ipv4_may_answer(const uint8_t *packet, const ip_view *v)
{
    if (v->later_fragment || !ipv4_is_single_host(packet + IPV4_SOURCE_AT) ||
        ipv4_is_many(packet + IPV4_DESTINATION_AT))
        return false;
    if (v->protocol != IP_PROTOCOL_ICMP)
        return true;
    if (v->payload_at >= v->total_len)
        return false;
    const uint8_t type = packet[v->payload_at];
    return type != ICMP_UNREACHABLE && type != ICMP_SOURCE_QUENCH && type != ICMP_REDIRECT &&
           type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETER_PROBLEM;
}

/* Unspecified, loopback and multicast are no single host: RFC 4443 2.4 e.6. */
static bool ipv6_is_single_host(const uint8_t a[16])
{
    static const uint8_t zeros[15] = {0};
    return a[0] != 0xff && !(memcmp(a, zeros, sizeof(zeros)) == 0 && a[15] <= 1);
}

static bool ipv6_may_answer(const uint8_t *packet, const ip_view *v, uint8_t kind)
{
    const bool too_big = kind == GRE_ICMP_TOO_BIG;
    if (!ipv6_is_single_host(packet + IPV6_SOURCE_AT))
        return false;
    /* RFC 4443 2.4 e.3: path MTU discovery works for multicast too */
    if (packet[IPV6_DESTINATION_AT] == 0xff && !too_big)
        return false;
    /*
     * Whether a later fragment is part of an ICMPv6 error does not show (2.4 e.1), but what is too
     * big is not, and must be answered (3.2).
     */
    if (v->later_fragment)
        return too_big;
    if (v->protocol != IP_PROTOCOL_ICMPV6)
        return true;
    if (v->payload_at >= v->total_len)
        return false;
    const uint8_t type = packet[v->payload_at];
    return type >= ICMPV6_FIRST_INFORMATION && type != ICMPV6_REDIRECT;
}

static uint32_t clamp(uint32_t v, uint32_t low, uint32_t high)
{
    return v < low ? low : v > high ? high : v;
}

static size_t error_len(const ip_view *v)
{
    const bool v4 = v->version == IP_VERSION_4;
    const size_t most = v4 ? GRE_ICMP_IPV4_MAX_BYTES : GRE_ICMP_IPV6_MAX_BYTES;
    const size_t headers = (v4 ? IPV4_HEADER_MIN : IPV6_HEADER) + ICMP_HEADER;
    return v->total_len < most - headers ? headers + v->total_len : most;
}

static void put_ipv4(uint8_t *out, size_t total, const icmp_kind *k, uint32_t mtu,
                     const gre_addr *source, const uint8_t *packet)
{
    uint8_t headers[IPV4_HEADER_MIN + ICMP_HEADER];
    wire_writer w = wire_writer_make(headers, sizeof(headers));
    wire_put_u8(&w, IP_VERSION_4 << 4 | IPV4_HEADER_MIN / 4);
    wire_put_u8(&w, ERROR_TOS);
    wire_put_u16(&w, (uint16_t)total);
    wire_put_u16(&w, 0);
    wire_put_u16(&w, IPV4_DF);
    wire_put_u8(&w, ERROR_TTL);
    wire_put_u8(&w, IP_PROTOCOL_ICMP);
    wire_put_u16(&w, 0);
    wire_put_bytes(&w, source->bytes, 4);
    wire_put_bytes(&w, packet + IPV4_SOURCE_AT, 4);
    /* RFC 792; the next-hop MTU is the low half of the second word: RFC 1191 4 */
    wire_put_u8(&w, k->type4);
    wire_put_u8(&w, k->code4);
    wire_put_u16(&w, 0);
    wire_put_u32(&w, mtu);

    memcpy(out, headers, sizeof(headers));
    memcpy(out + sizeof(headers), packet, total - sizeof(headers));
    gre__ip_finish(out, IPV4_HEADER_MIN);
    uint8_t *icmp = out + IPV4_HEADER_MIN;
    wire_set_u16(icmp + ICMP_CHECKSUM_AT,
                 checksum_end(checksum_add(0, icmp, total - IPV4_HEADER_MIN)));
}

static void put_ipv6(uint8_t *out, size_t total, const icmp_kind *k, uint32_t mtu,
                     const gre_addr *source, const uint8_t *packet)
{
    uint8_t headers[IPV6_HEADER + ICMP_HEADER];
    const uint32_t icmp_len = (uint32_t)(total - IPV6_HEADER);
    wire_writer w = wire_writer_make(headers, sizeof(headers));
    wire_put_u32(&w, (uint32_t)IP_VERSION_6 << 28);
    wire_put_u16(&w, (uint16_t)icmp_len);
    wire_put_u8(&w, IP_PROTOCOL_ICMPV6);
    wire_put_u8(&w, ERROR_TTL);
    wire_put_bytes(&w, source->bytes, 16);
    wire_put_bytes(&w, packet + IPV6_SOURCE_AT, 16);
    wire_put_u8(&w, k->type6);
    wire_put_u8(&w, k->code6);
    wire_put_u16(&w, 0);
    wire_put_u32(&w, mtu);

    memcpy(out, headers, sizeof(headers));
    memcpy(out + sizeof(headers), packet, total - sizeof(headers));
    uint8_t *icmp = out + IPV6_HEADER;
    const uint64_t pseudo =
        gre__ip_pseudo_sum(source->bytes, packet + IPV6_SOURCE_AT, icmp_len, IP_PROTOCOL_ICMPV6);
    wire_set_u16(icmp + ICMP_CHECKSUM_AT, checksum_end(checksum_add(pseudo, icmp, icmp_len)));
}

/* Whether an error of this kind may answer the packet, and the mtu to report. */
static gre_rc judge(uint8_t kind, uint32_t *mtu, const uint8_t *packet, const ip_view *v)
{
    const bool v4 = v->version == IP_VERSION_4;
    const bool too_big = kind == GRE_ICMP_TOO_BIG;
    if (too_big && v4 && !v->dont_fragment)
        return GRE_ERR_MAY_FRAGMENT;
    /* RFC 7676 3.3: the tunnel itself must carry these, in pieces if need be */
    if (too_big && !v4 && v->total_len <= GRE_MTU_IPV6_MIN)
        return GRE_ERR_MAY_FRAGMENT;
    if (!(v4 ? ipv4_may_answer(packet, v) : ipv6_may_answer(packet, v, kind)))
        return GRE_ERR_SILENT;
    if (!too_big)
        *mtu = 0;
    else if (v4)
        *mtu = clamp(*mtu, GRE_MTU_IPV4_MIN, UINT16_MAX);
    else
        *mtu = clamp(*mtu, GRE_MTU_IPV6_MIN, UINT32_MAX);
    return GRE_OK;
}

gre_rc gre_icmp_error_encode(uint8_t kind, uint32_t mtu, const gre_addr *source,
                             const uint8_t *packet, size_t len, uint8_t *out, size_t cap,
                             size_t *out_len)
{
    if (!source || !packet || !out || !out_len || kind < GRE_ICMP_TOO_BIG ||
        kind >= sizeof(kinds) / sizeof(kinds[0]) || (kind == GRE_ICMP_TOO_BIG && mtu == 0))
        return GRE_ERR_ARG;
    ip_view v;
    gre_rc rc = gre__ip_decode(packet, len, &v);
    if (rc != GRE_OK)
        return rc;
    const bool v4 = v.version == IP_VERSION_4;
    if (source->family != (v4 ? GRE_FAMILY_IPV4 : GRE_FAMILY_IPV6))
        return GRE_ERR_ARG;
    rc = judge(kind, &mtu, packet, &v);
    if (rc != GRE_OK)
        return rc;

    const size_t total = error_len(&v);
    *out_len = total;
    if (total > cap)
        return GRE_ERR_BUFFER;
    if (v4)
        put_ipv4(out, total, &kinds[kind], mtu, source, packet);
    else
        put_ipv6(out, total, &kinds[kind], mtu, source, packet);
    return GRE_OK;
}

gre_rc gre_icmp_too_big(uint32_t mtu, const gre_addr *source, const uint8_t *packet, size_t len,
                        uint8_t *out, size_t cap, size_t *out_len)
{
    return gre_icmp_error_encode(GRE_ICMP_TOO_BIG, mtu, source, packet, len, out, cap, out_len);
}
