/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/outer.h>

#include "ip.h"

#include <internal/checksum.h>
#include <internal/wire.h>

#define FLOW_LABEL_MAX 0xfffff
#define IPV4_LEN       4
#define IPV6_LEN       16

static gre_rc check(const gre_outer *o, size_t len)
{
    const bool v4 = o->source.family == GRE_FAMILY_IPV4;
    if ((!v4 && o->source.family != GRE_FAMILY_IPV6) || o->source.family != o->destination.family ||
        o->ttl == 0 || (o->flags & ~GRE_OUTER_DONT_FRAGMENT) || o->flow_label > FLOW_LABEL_MAX)
        return GRE_ERR_ARG;
    if (v4)
        return o->flow_label || len > IP_MAX_BYTES - GRE_OUTER_IPV4_BYTES ? GRE_ERR_ARG : GRE_OK;
    return o->flags || len > IP_MAX_BYTES ? GRE_ERR_ARG : GRE_OK;
}

static void put_ipv4(wire_writer *w, const gre_outer *o, size_t len)
{
    wire_put_u8(w, IP_VERSION_4 << 4 | GRE_OUTER_IPV4_BYTES / 4);
    wire_put_u8(w, o->tos);
    wire_put_u16(w, (uint16_t)(GRE_OUTER_IPV4_BYTES + len));
    wire_put_u16(w, o->identification);
    wire_put_u16(w, o->flags & GRE_OUTER_DONT_FRAGMENT ? IPV4_DF : 0);
    wire_put_u8(w, o->ttl);
    wire_put_u8(w, GRE_IP_PROTOCOL);
    wire_put_u16(w, 0);
    wire_put_bytes(w, o->source.bytes, IPV4_LEN);
    wire_put_bytes(w, o->destination.bytes, IPV4_LEN);
    gre__ip_finish(w->buf, GRE_OUTER_IPV4_BYTES);
}

static void put_ipv6(wire_writer *w, const gre_outer *o, size_t len)
{
    wire_put_u32(w, (uint32_t)IP_VERSION_6 << 28 | (uint32_t)o->tos << 20 | o->flow_label);
    wire_put_u16(w, (uint16_t)len);
    wire_put_u8(w, GRE_IP_PROTOCOL);
    wire_put_u8(w, o->ttl);
    wire_put_bytes(w, o->source.bytes, IPV6_LEN);
    wire_put_bytes(w, o->destination.bytes, IPV6_LEN);
}

gre_rc gre_outer_encode(const gre_outer *outer, uint8_t *buf, size_t offset, size_t len,
                        size_t *out_offset)
{
    if (!outer || !buf || !out_offset)
        return GRE_ERR_ARG;
    const gre_rc rc = check(outer, len);
    if (rc != GRE_OK)
        return rc;
    const bool v4 = outer->source.family == GRE_FAMILY_IPV4;
    const size_t header_len = v4 ? GRE_OUTER_IPV4_BYTES : GRE_OUTER_IPV6_BYTES;
    if (header_len > offset)
        return GRE_ERR_BUFFER;

    uint8_t header[GRE_OUTER_IPV6_BYTES];
    wire_writer w = wire_writer_make(header, sizeof(header));
    if (v4)
        put_ipv4(&w, outer, len);
    else
        put_ipv6(&w, outer, len);
    memcpy(buf + (offset - header_len), header, header_len);
    *out_offset = offset - header_len;
    return GRE_OK;
}

gre_rc gre_outer_decode(const uint8_t *buf, size_t len, gre_outer *out)
{
    if (!buf || !out)
        return GRE_ERR_ARG;
    ip_view v;
    const gre_rc rc = gre__ip_decode(buf, len, &v);
    if (rc != GRE_OK)
        return rc;
    const bool v4 = v.version == IP_VERSION_4;
    if (v4 && checksum_end(checksum_add(0, buf, v.header_len)) != 0)
        return GRE_ERR_CHECKSUM;
    if (v.protocol != GRE_IP_PROTOCOL)
        return GRE_ERR_PROTOCOL;
    if (v.fragment)
        return GRE_ERR_FRAGMENT;

    gre_outer o = {0};
    wire_reader r = wire_reader_make(buf, v.header_len);
    if (v4) {
        (void)wire_get_u8(&r);
        o.tos = wire_get_u8(&r);
        (void)wire_get_u16(&r);
        o.identification = wire_get_u16(&r);
        o.flags = v.dont_fragment ? GRE_OUTER_DONT_FRAGMENT : 0;
        (void)wire_get_u16(&r);
        o.ttl = wire_get_u8(&r);
        (void)wire_get_bytes(&r, IPV4_SOURCE_AT - IPV4_TTL_AT - 1);
    } else {
        const uint32_t first = wire_get_u32(&r);
        o.tos = (uint8_t)(first >> 20);
        o.flow_label = first & FLOW_LABEL_MAX;
        (void)wire_get_bytes(&r, 3);
        o.ttl = wire_get_u8(&r);
    }
    o.source.family = o.destination.family = v4 ? GRE_FAMILY_IPV4 : GRE_FAMILY_IPV6;
    wire_get_copy(&r, o.source.bytes, v4 ? IPV4_LEN : IPV6_LEN);
    wire_get_copy(&r, o.destination.bytes, v4 ? IPV4_LEN : IPV6_LEN);
    o.header_len = (uint16_t)v.payload_at;
    o.payload_len = (uint16_t)(v.total_len - v.payload_at);
    *out = o;
    return GRE_OK;
}
