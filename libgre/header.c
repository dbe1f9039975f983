/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/header.h>

#include <internal/checksum.h>
#include <internal/wire.h>

/* Bits of the first two octets, as one number. */
#define FLAGS_ROUTING      0x4000 /* bit 1, RFC 1701 */
#define FLAGS_MUST_BE_ZERO 0x0c00 /* bits 4 and 5 */
#define FLAGS_VERSION      0x0007
#define FLAG_KNOWN         (GRE_FLAG_CHECKSUM | GRE_FLAG_KEY | GRE_FLAG_SEQUENCE)
#define CHECKSUM_AT        4
#define OPTIONAL_FIELD_LEN 4

uint32_t gre_header_get_len(uint8_t flags)
{
    uint32_t len = GRE_HEADER_MIN_BYTES;
    if (flags & GRE_FLAG_CHECKSUM)
        len += OPTIONAL_FIELD_LEN;
    if (flags & GRE_FLAG_KEY)
        len += OPTIONAL_FIELD_LEN;
    if (flags & GRE_FLAG_SEQUENCE)
        len += OPTIONAL_FIELD_LEN;
    return len;
}

gre_rc gre_header_decode(const uint8_t *buf, size_t len, gre_header *out)
{
    if (!buf || !out)
        return GRE_ERR_ARG;

    wire_reader r = wire_reader_make(buf, len);
    gre_header h = {0};
    const uint16_t bits = wire_get_u16(&r);
    h.protocol = wire_get_u16(&r);
    if (!wire_ok(&r))
        return GRE_ERR_TRUNCATED;

    /* RFC 2784 2.3.1, and 2.3 but for the bits that RFC 2890 2 gave a meaning */
    if (bits & FLAGS_VERSION)
        return GRE_ERR_VERSION;
    if (bits & FLAGS_ROUTING)
        return GRE_ERR_ROUTING;
    if (bits & FLAGS_MUST_BE_ZERO)
        return GRE_ERR_RESERVED;
    if (h.protocol == 0)
        return GRE_ERR_PROTOCOL;

    h.flags = (uint8_t)(bits >> 8) & FLAG_KNOWN;
    h.header_len = (uint8_t)gre_header_get_len(h.flags);
    if (h.flags & GRE_FLAG_CHECKSUM) {
        h.checksum = wire_get_u16(&r);
        h.reserved1 = wire_get_u16(&r);
    }
    if (h.flags & GRE_FLAG_KEY)
        h.key = wire_get_u32(&r);
    if (h.flags & GRE_FLAG_SEQUENCE)
        h.sequence = wire_get_u32(&r);
    if (!wire_ok(&r))
        return GRE_ERR_TRUNCATED;

    /* RFC 7676 2.1: where there is a checksum, it must be used */
    if ((h.flags & GRE_FLAG_CHECKSUM) && checksum_end(checksum_add(0, buf, len)) != 0)
        return GRE_ERR_CHECKSUM;
    *out = h;
    return GRE_OK;
}

gre_rc gre_header_encode(const gre_header *hdr, uint8_t *buf, size_t offset, size_t len,
                         size_t *out_offset)
{
    if (!hdr || !buf || !out_offset || (hdr->flags & ~FLAG_KNOWN))
        return GRE_ERR_ARG;
    if (hdr->protocol == 0)
        return GRE_ERR_PROTOCOL;
    const size_t header_len = gre_header_get_len(hdr->flags);
    if (header_len > offset)
        return GRE_ERR_BUFFER;

    uint8_t *start = buf + (offset - header_len);
    wire_writer w = wire_writer_make(start, header_len);
    wire_put_u16(&w, (uint16_t)(hdr->flags << 8));
    wire_put_u16(&w, hdr->protocol);
    /* RFC 2784 2.6: Reserved1 is sent as zero */
    if (hdr->flags & GRE_FLAG_CHECKSUM)
        wire_put_u32(&w, 0);
    if (hdr->flags & GRE_FLAG_KEY)
        wire_put_u32(&w, hdr->key);
    if (hdr->flags & GRE_FLAG_SEQUENCE)
        wire_put_u32(&w, hdr->sequence);
    if (hdr->flags & GRE_FLAG_CHECKSUM)
        wire_patch_u16(&w, CHECKSUM_AT, checksum_end(checksum_add(0, start, header_len + len)));
    *out_offset = offset - header_len;
    return GRE_OK;
}
