/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ip.h"

#include <internal/checksum.h>
#include <internal/wire.h>

#define IPV4_WORD           4
#define IPV6_EXTENSIONS_MAX 8

#define EXTENSION_HOP_BY_HOP  0
#define EXTENSION_ROUTING     43
#define EXTENSION_FRAGMENT    44
#define EXTENSION_AH          51
#define EXTENSION_DESTINATION 60

static gre_rc ipv4_decode(const uint8_t *packet, size_t len, ip_view *v)
{
    wire_reader r = wire_reader_make(packet, len);
    v->header_len = (uint32_t)(wire_get_u8(&r) & 0x0f) * IPV4_WORD;
    (void)wire_get_u8(&r);
    v->total_len = wire_get_u16(&r);
    (void)wire_get_u16(&r);
    v->fragment_field = wire_get_u16(&r);
    (void)wire_get_u8(&r);
    v->protocol = wire_get_u8(&r);
    (void)wire_get_bytes(&r, IPV4_HEADER_MIN - IPV4_CHECKSUM_AT);
    if (!wire_ok(&r))
        return GRE_ERR_TRUNCATED;
    if (v->header_len < IPV4_HEADER_MIN || v->header_len > v->total_len)
        return GRE_ERR_MALFORMED;
    if (v->total_len > len)
        return GRE_ERR_TRUNCATED;
    v->payload_at = v->header_len;
    v->dont_fragment = v->fragment_field & IPV4_DF;
    v->later_fragment = v->fragment_field & IPV4_OFFSET_MASK;
    v->fragment = v->later_fragment || (v->fragment_field & IPV4_MF);
    return GRE_OK;
}

static bool is_extension(uint8_t protocol)
{
    return protocol == EXTENSION_HOP_BY_HOP || protocol == EXTENSION_ROUTING ||
           protocol == EXTENSION_FRAGMENT || protocol == EXTENSION_AH ||
           protocol == EXTENSION_DESTINATION;
}

static gre_rc ipv6_decode(const uint8_t *packet, size_t len, ip_view *v)
{
    wire_reader fixed = wire_reader_make(packet, len);
    (void)wire_get_u32(&fixed);
    v->header_len = IPV6_HEADER;
    v->total_len = IPV6_HEADER + (uint32_t)wire_get_u16(&fixed);
    v->protocol = wire_get_u8(&fixed);
    (void)wire_get_bytes(&fixed, IPV6_HEADER - 7);
    if (!wire_ok(&fixed) || v->total_len > len)
        return GRE_ERR_TRUNCATED;

    wire_reader r = wire_reader_make(packet + IPV6_HEADER, v->total_len - IPV6_HEADER);
    for (int i = 0; is_extension(v->protocol) && !v->later_fragment; i++) {
        if (i == IPV6_EXTENSIONS_MAX)
            return GRE_ERR_MALFORMED;
        const uint8_t kind = v->protocol;
        v->protocol = wire_get_u8(&r);
        const uint8_t units = wire_get_u8(&r);
        if (kind == EXTENSION_FRAGMENT) {
            const uint16_t field = wire_get_u16(&r);
            (void)wire_get_u32(&r);
            v->later_fragment = field >> 3;
            v->fragment = v->later_fragment || (field & 1);
        } else if (kind == EXTENSION_AH) {
            v->authenticated = true;
            (void)wire_get_bytes(&r, (size_t)units * 4 + 6);
        } else {
            (void)wire_get_bytes(&r, (size_t)units * 8 + 6);
        }
        if (!wire_ok(&r))
            return GRE_ERR_MALFORMED;
    }
    v->payload_at = v->total_len - (uint32_t)r.left;
    return GRE_OK;
}

gre_rc gre__ip_decode(const uint8_t *packet, size_t len, ip_view *out)
{
    if (len == 0)
        return GRE_ERR_TRUNCATED;
    ip_view v = {.version = packet[0] >> 4};
    gre_rc rc = GRE_ERR_VERSION;
    if (v.version == IP_VERSION_4)
        rc = ipv4_decode(packet, len, &v);
    else if (v.version == IP_VERSION_6)
        rc = ipv6_decode(packet, len, &v);
    if (rc == GRE_OK)
        *out = v;
    return rc;
}

uint64_t gre__ip_pseudo_sum(const uint8_t source[16], const uint8_t destination[16], uint32_t len,
                            uint8_t protocol)
{
    return checksum_add(checksum_add((uint64_t)len + protocol, source, 16), destination, 16);
}

void gre__ip_finish(uint8_t *header, size_t header_len)
{
    wire_set_u16(header + IPV4_CHECKSUM_AT, checksum_end(checksum_add(0, header, header_len)));
}
