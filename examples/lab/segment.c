/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include "internal/checksum.h"
#include "internal/wire.h"
#include "vtcp.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_BYTES = 4 };

/* RFC 9293 3.2: false where an option's length is impossible. */
static bool decode_options(wire_reader *r, segment *out)
{
    while (r->left > 0) {
        const uint8_t kind = wire_get_u8(r);
        if (kind == OPTION_END)
            return true;
        if (kind == OPTION_NOP)
            continue;
        const uint8_t len = wire_get_u8(r);
        if (len < 2)
            return false;
        wire_reader body = wire_sub(r, len - 2u);
        if (kind == OPTION_MSS && len == OPTION_MSS_BYTES)
            out->mss = wire_get_u16(&body);
    }
    return wire_ok(r);
}

int32_t segment_decode(const uint8_t *packet, size_t len, segment *out)
{
    ip_view ip;
    if (!ip_decode(packet, len, &ip) || ip.protocol != IP_PROTOCOL_TCP)
        return VTCP_ERR_MALFORMED;

    wire_reader r = wire_reader_make(ip.payload, ip.len);
    segment s = {.from = ip.from, .to = ip.to};
    s.from.port = wire_get_u16(&r);
    s.to.port = wire_get_u16(&r);
    s.seq = wire_get_u32(&r);
    s.ack = wire_get_u32(&r);
    const size_t header = (size_t)(wire_get_u8(&r) >> 4) * 4;
    s.flags = wire_get_u8(&r);
    s.window = wire_get_u16(&r);
    (void)wire_get_u32(&r); /* checksum and urgent pointer */
    if (!wire_ok(&r) || header < SEGMENT_HEADER_BYTES)
        return VTCP_ERR_MALFORMED;
    wire_reader options = wire_sub(&r, header - SEGMENT_HEADER_BYTES);
    if (!decode_options(&options, &s))
        return VTCP_ERR_MALFORMED;
    s.payload = r.next;
    s.len = r.left;

    const uint64_t sum = ip_pseudo_sum(&ip.from, &ip.to, IP_PROTOCOL_TCP, ip.len);
    if (checksum_end(checksum_add(sum, ip.payload, ip.len)) != 0)
        return VTCP_ERR_CHECKSUM;
    *out = s;
    return VTCP_OK;
}

size_t segment_encode(const segment *s, uint8_t *out, size_t cap)
{
    const size_t header = SEGMENT_HEADER_BYTES + (s->mss ? OPTION_MSS_BYTES : 0u);
    const size_t ip_header = ip_header_bytes(s->from.family);
    const size_t tcp_len = header + s->len;
    if (cap < ip_header + tcp_len ||
        ip_encode(out, &s->from, &s->to, IP_PROTOCOL_TCP, tcp_len) == 0)
        return 0;

    uint8_t *tcp = out + ip_header;
    wire_writer w = wire_writer_make(tcp, tcp_len);
    wire_put_u16(&w, s->from.port);
    wire_put_u16(&w, s->to.port);
    wire_put_u32(&w, s->seq);
    wire_put_u32(&w, s->ack);
    wire_put_u8(&w, (uint8_t)(header / 4 << 4));
    wire_put_u8(&w, s->flags);
    wire_put_u16(&w, s->window);
    wire_put_u32(&w, 0);
    if (s->mss) {
        wire_put_u8(&w, OPTION_MSS);
        wire_put_u8(&w, OPTION_MSS_BYTES);
        wire_put_u16(&w, s->mss);
    }
    wire_put_bytes(&w, s->payload, s->len);
    const uint64_t sum = ip_pseudo_sum(&s->from, &s->to, IP_PROTOCOL_TCP, tcp_len);
    wire_set_u16(tcp + 16, checksum_end(checksum_add(sum, tcp, tcp_len)));
    return ip_header + tcp_len;
}

uint32_t segment_space(const segment *s)
{
    return (uint32_t)s->len + ((s->flags & SEGMENT_SYN) ? 1 : 0) +
           ((s->flags & SEGMENT_FIN) ? 1 : 0);
}
