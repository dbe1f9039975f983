/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The IP header before ESP (RFC 791 3.1, RFC 8200 3, RFC 4303 3.1).
 */
#include <esp/packet.h>
#include <internal/checksum.h>
#include <internal/wire.h>

#define PROTOCOL_ESP 50

#define IPV4_HEADER_BYTES 20
#define IPV4_WORD_BYTES   4
#define IPV4_CHECKSUM_AT  10
#define IPV4_TOTAL_MAX    65535
#define IPV4_DF           0x4000
#define IPV4_MF           0x2000
#define IPV4_OFFSET       0x1fff
#define IPV4_ADDR_BYTES   4

#define IPV6_HEADER_BYTES 40
#define IPV6_PAYLOAD_MAX  65535
#define IPV6_FLOW_MAX     0xfffff
#define IPV6_FRAGMENT     44
#define IPV6_ADDR_BYTES   16

static bool is_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

static bool ipv4_is_valid(const esp_outer *o)
{
    return o->payload_len <= IPV4_TOTAL_MAX - IPV4_HEADER_BYTES && o->flow_label == 0 &&
           o->dont_fragment <= 1 &&
           is_zero(o->source + IPV4_ADDR_BYTES, sizeof(o->source) - IPV4_ADDR_BYTES) &&
           is_zero(o->destination + IPV4_ADDR_BYTES, sizeof(o->destination) - IPV4_ADDR_BYTES);
}

static bool ipv6_is_valid(const esp_outer *o)
{
    return o->payload_len <= IPV6_PAYLOAD_MAX && o->flow_label <= IPV6_FLOW_MAX &&
           o->dont_fragment == 0 && o->identification == 0;
}

static void put_ipv4(wire_writer *w, const esp_outer *o)
{
    wire_put_u8(w, 4 << 4 | IPV4_HEADER_BYTES / IPV4_WORD_BYTES);
    wire_put_u8(w, o->traffic_class);
    wire_put_u16(w, (uint16_t)(IPV4_HEADER_BYTES + o->payload_len));
    wire_put_u16(w, o->identification);
    wire_put_u16(w, o->dont_fragment ? IPV4_DF : 0);
    wire_put_u8(w, o->hop_limit);
    wire_put_u8(w, PROTOCOL_ESP);
    wire_put_u16(w, 0);
    wire_put_bytes(w, o->source, IPV4_ADDR_BYTES);
    wire_put_bytes(w, o->destination, IPV4_ADDR_BYTES);
    wire_patch_u16(w, IPV4_CHECKSUM_AT, checksum_end(checksum_add(0, w->buf, IPV4_HEADER_BYTES)));
}

static void put_ipv6(wire_writer *w, const esp_outer *o)
{
    wire_put_u32(w, UINT32_C(6) << 28 | (uint32_t)o->traffic_class << 20 | o->flow_label);
    wire_put_u16(w, (uint16_t)o->payload_len);
    wire_put_u8(w, PROTOCOL_ESP);
    wire_put_u8(w, o->hop_limit);
    wire_put_bytes(w, o->source, IPV6_ADDR_BYTES);
    wire_put_bytes(w, o->destination, IPV6_ADDR_BYTES);
}

esp_rc esp_outer_encode(const esp_outer *outer, uint8_t *out, size_t cap, size_t *len)
{
    if (!outer || !out || !len)
        return ESP_ERR_ARG;
    const bool ipv4 = outer->family == ESP_FAMILY_IPV4;
    if (!ipv4 && outer->family != ESP_FAMILY_IPV6)
        return ESP_ERR_ARG;
    if (!(ipv4 ? ipv4_is_valid(outer) : ipv6_is_valid(outer)))
        return ESP_ERR_ARG;

    uint8_t header[ESP_OUTER_MAX];
    wire_writer w = wire_writer_make(header, sizeof(header));
    if (ipv4)
        put_ipv4(&w, outer);
    else
        put_ipv6(&w, outer);
    *len = w.len;
    if (cap < w.len)
        return ESP_ERR_BUFFER;
    memcpy(out, header, w.len);
    return ESP_OK;
}

static esp_rc decode_ipv4(const uint8_t *buf, size_t len, esp_outer *out)
{
    wire_reader r = wire_reader_make(buf, len);
    const size_t header_len = (size_t)(wire_get_u8(&r) & 0xf) * IPV4_WORD_BYTES;
    esp_outer o = {.family = ESP_FAMILY_IPV4};
    o.traffic_class = wire_get_u8(&r);
    const size_t total_len = wire_get_u16(&r);
    o.identification = wire_get_u16(&r);
    const uint16_t fragment = wire_get_u16(&r);
    o.hop_limit = wire_get_u8(&r);
    const uint8_t protocol = wire_get_u8(&r);
    (void)wire_get_u16(&r); /* the checksum is verified over the whole header */
    wire_get_copy(&r, o.source, IPV4_ADDR_BYTES);
    wire_get_copy(&r, o.destination, IPV4_ADDR_BYTES);

    if (!wire_ok(&r) || header_len < IPV4_HEADER_BYTES || total_len < header_len || total_len > len)
        return ESP_ERR_TRUNCATED;
    if (checksum_end(checksum_add(0, buf, header_len)) != 0)
        return ESP_ERR_CHECKSUM;
    if (fragment & (IPV4_MF | IPV4_OFFSET)) /* RFC 4303 3.4.1 */
        return ESP_ERR_FRAGMENT;
    if (protocol != PROTOCOL_ESP)
        return ESP_ERR_PROTOCOL;
    o.dont_fragment = (fragment & IPV4_DF) != 0;
    o.header_len = (uint16_t)header_len;
    o.payload_len = (uint32_t)(total_len - header_len);
    *out = o;
    return ESP_OK;
}

static esp_rc decode_ipv6(const uint8_t *buf, size_t len, esp_outer *out)
{
    wire_reader r = wire_reader_make(buf, len);
    const uint32_t first = wire_get_u32(&r);
    esp_outer o = {.family = ESP_FAMILY_IPV6, .header_len = IPV6_HEADER_BYTES};
    o.traffic_class = (uint8_t)(first >> 20);
    o.flow_label = first & IPV6_FLOW_MAX;
    o.payload_len = wire_get_u16(&r);
    const uint8_t next_header = wire_get_u8(&r);
    o.hop_limit = wire_get_u8(&r);
    wire_get_copy(&r, o.source, IPV6_ADDR_BYTES);
    wire_get_copy(&r, o.destination, IPV6_ADDR_BYTES);

    if (!wire_ok(&r) || o.payload_len > r.left)
        return ESP_ERR_TRUNCATED;
    if (next_header == IPV6_FRAGMENT) /* RFC 4303 3.4.1 */
        return ESP_ERR_FRAGMENT;
    if (next_header != PROTOCOL_ESP)
        return ESP_ERR_PROTOCOL;
    *out = o;
    return ESP_OK;
}

esp_rc esp_outer_decode(const uint8_t *buf, size_t len, esp_outer *outer)
{
    if (!buf || !outer)
        return ESP_ERR_ARG;
    if (len == 0)
        return ESP_ERR_TRUNCATED;
    switch (buf[0] >> 4) {
    case 4:
        return decode_ipv4(buf, len, outer);
    case 6:
        return decode_ipv6(buf, len, outer);
    default:
        return ESP_ERR_VERSION;
    }
}
