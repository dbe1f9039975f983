/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "codec.h"

#include <internal/checksum.h>

enum { STATE_NEW = 0, STATE_MANDATORY = 1, STATE_EXTENSIONS = 2, STATE_ENDED = 3 };

static wire_writer resume(const nhrp_writer *w)
{
    wire_writer out = {w->buf, w->cap, w->len};
    return out;
}

static bool addr_fits(const nhrp_addr *a, uint8_t family)
{
    return a->family == NHRP_FAMILY_NONE || a->family == family;
}

static bool family_ok(uint8_t family)
{
    return family == NHRP_FAMILY_IPV4 || family == NHRP_FAMILY_IPV6;
}

static void put_addr(wire_writer *o, const nhrp_addr *a)
{
    wire_put_bytes(o, a->bytes, nhrp__family_size(a->family));
}

static uint8_t first_family(const nhrp_addr *a, const nhrp_addr *b)
{
    if (a->family != NHRP_FAMILY_NONE)
        return a->family;
    return b->family != NHRP_FAMILY_NONE ? b->family : NHRP_FAMILY_IPV4;
}

/* RFC 2332 5.1, 5.2.0.1, 5.2.7; draft-detienne-dmvpn 5.1 */
nhrp_rc nhrp_writer_begin(nhrp_writer *w, uint8_t *buf, size_t cap, const nhrp_packet *header)
{
    if (!w || (!buf && cap > 0) || !header || header->type < NHRP_RESOLUTION_REQUEST ||
        header->type > NHRP_TYPE_MAX)
        return NHRP_ERR_ARG;
    const nhrp_addr *nbma = &header->source_nbma;
    const nhrp_addr *source = &header->source_protocol;
    const nhrp_addr *destination = &header->destination_protocol;
    const uint8_t nbma_family = nbma->family ? nbma->family : NHRP_FAMILY_IPV4;
    const uint8_t family = first_family(destination, source);
    if (!family_ok(nbma_family) || !family_ok(family) || !addr_fits(source, family) ||
        !addr_fits(destination, family))
        return NHRP_ERR_ARG;

    wire_writer o = wire_writer_make(buf, cap);
    wire_put_u16(&o, nbma_family == NHRP_FAMILY_IPV4 ? AFN_IPV4 : AFN_IPV6);
    wire_put_u16(&o, family == NHRP_FAMILY_IPV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
    wire_put_zeros(&o, 5); /* ar$pro.snap */
    wire_put_u8(&o, header->hop_count);
    wire_put_zeros(&o, 6); /* ar$pktsz, ar$chksum, ar$extoff: at the end */
    wire_put_u8(&o, NHRP_VERSION);
    wire_put_u8(&o, header->type);
    wire_put_u8(&o, (uint8_t)nhrp__family_size(nbma->family));
    wire_put_u8(&o, 0); /* no subaddress */

    wire_put_u8(&o, (uint8_t)nhrp__family_size(source->family));
    wire_put_u8(&o, (uint8_t)nhrp__family_size(destination->family));
    if (nhrp__type_has_cies(header->type)) {
        wire_put_u16(&o, header->flags);
        wire_put_u32(&o, header->request_id);
    } else if (header->type == NHRP_ERROR_INDICATION) {
        wire_put_u16(&o, 0);
        wire_put_u16(&o, header->error_code);
        wire_put_u16(&o, header->error_offset);
    } else {
        wire_put_u16(&o, 0);
        wire_put_u16(&o, header->traffic_code);
        wire_put_u16(&o, 0);
    }
    put_addr(&o, nbma);
    put_addr(&o, source);
    put_addr(&o, destination);

    memset(w, 0, sizeof(*w));
    w->buf = buf;
    w->cap = cap;
    w->len = o.len;
    w->nbma_family = nbma_family;
    w->protocol_family = family;
    w->type = header->type;
    w->state = STATE_MANDATORY;
    return NHRP_OK;
}

void nhrp__writer_copy(nhrp_writer *w, uint8_t *buf, size_t cap, const nhrp_packet *p,
                       uint8_t hop_count)
{
    memset(w, 0, sizeof(*w));
    w->buf = buf;
    w->cap = cap;
    w->nbma_family = p->nbma_family;
    w->protocol_family = p->protocol_family;
    w->type = p->type;
    w->state = STATE_MANDATORY;
    wire_writer o = resume(w);
    wire_put_bytes(&o, p->bytes, p->extensions ? (size_t)(p->extensions - p->bytes) : p->size);
    if (o.len <= cap && buf)
        buf[OFFSET_HOP_COUNT] = hop_count;
    w->len = o.len;
}

static nhrp_rc put_cie(nhrp_writer *w, const nhrp_cie *c)
{
    if (!addr_fits(&c->nbma, w->nbma_family) ||
        (c->protocol.family != NHRP_FAMILY_NONE && !family_ok(c->protocol.family)))
        return NHRP_ERR_ARG;
    wire_writer o = resume(w);
    wire_put_u8(&o, c->code);
    wire_put_u8(&o, c->prefix_len);
    wire_put_u16(&o, 0);
    wire_put_u16(&o, c->mtu);
    wire_put_u16(&o, c->holding_time_s);
    wire_put_u8(&o, (uint8_t)nhrp__family_size(c->nbma.family));
    wire_put_u8(&o, 0);
    wire_put_u8(&o, (uint8_t)nhrp__family_size(c->protocol.family));
    wire_put_u8(&o, c->preference);
    put_addr(&o, &c->nbma);
    put_addr(&o, &c->protocol);
    w->len = o.len;
    return NHRP_OK;
}

nhrp_rc nhrp_writer_put_cie(nhrp_writer *w, const nhrp_cie *cie)
{
    if (!w || !cie)
        return NHRP_ERR_ARG;
    if (w->state != STATE_MANDATORY || !nhrp__type_has_cies(w->type))
        return NHRP_ERR_STATE;
    return put_cie(w, cie);
}

nhrp_rc nhrp_writer_put_contents(nhrp_writer *w, const uint8_t *contents, size_t len)
{
    if (!w || (!contents && len > 0))
        return NHRP_ERR_ARG;
    if (w->state != STATE_MANDATORY || nhrp__type_has_cies(w->type))
        return NHRP_ERR_STATE;
    wire_writer o = resume(w);
    wire_put_bytes(&o, contents, len);
    w->len = o.len;
    return NHRP_OK;
}

nhrp_rc nhrp_writer_put_extension(nhrp_writer *w, const nhrp_extension *x)
{
    if (!w || !x || x->type == NHRP_EXTENSION_END || x->type > EXTENSION_TYPE_MASK ||
        x->len > UINT16_MAX || (!x->value && x->len > 0))
        return NHRP_ERR_ARG;
    /* RFC 2332 5.2.7: no extensions may be added to an Error Indication. */
    if ((w->state != STATE_MANDATORY && w->state != STATE_EXTENSIONS) ||
        w->type == NHRP_ERROR_INDICATION)
        return NHRP_ERR_STATE;
    if (w->state == STATE_MANDATORY)
        w->extensions_at = w->len;
    w->state = STATE_EXTENSIONS;
    w->extension_at = w->len;
    wire_writer o = resume(w);
    wire_put_u16(&o, (uint16_t)(x->type | (x->compulsory ? EXTENSION_COMPULSORY : 0)));
    wire_put_u16(&o, (uint16_t)x->len);
    wire_put_bytes(&o, x->value, x->len);
    w->len = o.len;
    return NHRP_OK;
}

/* The extension's length grows with its value; beyond 16 bits the packet is too long anyway. */
static void extension_grew(nhrp_writer *w)
{
    wire_writer o = resume(w);
    wire_patch_u16(&o, w->extension_at + 2,
                   (uint16_t)(w->len - w->extension_at - NHRP_EXTENSION_SIZE));
}

void nhrp__writer_append(nhrp_writer *w, const uint8_t *bytes, size_t len)
{
    wire_writer o = resume(w);
    wire_put_bytes(&o, bytes, len);
    w->len = o.len;
    extension_grew(w);
}

nhrp_rc nhrp_writer_put_extension_cie(nhrp_writer *w, const nhrp_cie *cie)
{
    if (!w || !cie)
        return NHRP_ERR_ARG;
    if (w->state != STATE_EXTENSIONS)
        return NHRP_ERR_STATE;
    const nhrp_rc rc = put_cie(w, cie);
    if (rc == NHRP_OK)
        extension_grew(w);
    return rc;
}

nhrp_rc nhrp_writer_end(nhrp_writer *w, size_t *len)
{
    if (!w || !len)
        return NHRP_ERR_ARG;
    if (w->state != STATE_MANDATORY && w->state != STATE_EXTENSIONS)
        return NHRP_ERR_STATE;
    wire_writer o = resume(w);
    if (w->state == STATE_EXTENSIONS) {
        wire_put_u16(&o, EXTENSION_COMPULSORY | NHRP_EXTENSION_END);
        wire_put_u16(&o, 0);
    }
    w->len = o.len;
    w->state = STATE_ENDED;
    if (o.len > PACKET_SIZE_MAX)
        return NHRP_ERR_SIZE;
    *len = o.len;
    if (!wire_fits(&o))
        return NHRP_ERR_BUFFER;
    wire_patch_u16(&o, OFFSET_SIZE, (uint16_t)o.len);
    wire_patch_u16(&o, OFFSET_EXTENSIONS, (uint16_t)w->extensions_at);
    return nhrp_packet_set_checksum(w->buf, o.len);
}
