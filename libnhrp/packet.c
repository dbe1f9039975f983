/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The decoder. Every length comes from the packet and goes through a cursor that cannot leave it.
 */
#include "codec.h"

#include <internal/checksum.h>

/* The four parts of a packet, by the offsets in its fixed part. */
typedef struct layout {
    uint16_t size;
    uint16_t extensions_at; /* 0: none */
    uint8_t nbma_len;
    uint8_t subaddress_len;
} layout;

void nhrp__addr_get(wire_reader *r, uint8_t family, size_t len, nhrp_addr *out)
{
    memset(out, 0, sizeof(*out));
    if (len == 0)
        return;
    if (len != nhrp__family_size(family)) {
        r->failed = true;
        r->left = 0;
        return;
    }
    out->family = family;
    wire_get_copy(r, out->bytes, len);
}

static uint8_t family_of_afn(uint16_t afn)
{
    return afn == AFN_IPV4   ? NHRP_FAMILY_IPV4
           : afn == AFN_IPV6 ? NHRP_FAMILY_IPV6
                             : NHRP_FAMILY_NONE;
}

static uint8_t family_of_protocol(uint16_t type)
{
    return type == ETHERTYPE_IPV4   ? NHRP_FAMILY_IPV4
           : type == ETHERTYPE_IPV6 ? NHRP_FAMILY_IPV6
                                    : NHRP_FAMILY_NONE;
}

/* RFC 2332 5.1 */
static nhrp_rc decode_fixed(wire_reader *r, nhrp_packet *p, layout *at)
{
    const uint16_t afn = wire_get_u16(r);
    const uint16_t protocol = wire_get_u16(r);
    (void)wire_get_bytes(r, 5); /* ar$pro.snap: ignored with the short form */
    p->hop_count = wire_get_u8(r);
    at->size = wire_get_u16(r);
    (void)wire_get_u16(r); /* ar$chksum, summed with the rest */
    at->extensions_at = wire_get_u16(r);
    const uint8_t version = wire_get_u8(r);
    p->type = wire_get_u8(r);
    at->nbma_len = wire_get_u8(r);
    at->subaddress_len = wire_get_u8(r);
    if (!wire_ok(r))
        return NHRP_ERR_TRUNCATED;
    if (version != NHRP_VERSION)
        return NHRP_ERR_VERSION;
    if (p->type < NHRP_RESOLUTION_REQUEST || p->type > NHRP_TYPE_MAX)
        return NHRP_ERR_TYPE;
    p->nbma_family = family_of_afn(afn);
    p->protocol_family = family_of_protocol(protocol);
    if (p->nbma_family == NHRP_FAMILY_NONE || p->protocol_family == NHRP_FAMILY_NONE)
        return NHRP_ERR_FAMILY;
    return NHRP_OK;
}

static bool address_len_ok(uint8_t family, uint8_t len)
{
    return len == 0 || len == nhrp__family_size(family);
}

/* RFC 2332 5.2.0.1 and 5.2.7, draft-detienne-dmvpn 5.1: 8 octets and four addresses. */
static nhrp_rc decode_mandatory(wire_reader *r, const layout *at, nhrp_packet *p)
{
    const uint8_t source_len = wire_get_u8(r);
    const uint8_t destination_len = wire_get_u8(r);
    const uint16_t flags = wire_get_u16(r);
    const uint16_t high = wire_get_u16(r);
    const uint16_t low = wire_get_u16(r);
    if (!wire_ok(r))
        return NHRP_ERR_TRUNCATED;
    if (nhrp__type_has_cies(p->type)) {
        p->flags = flags;
        p->request_id = (uint32_t)high << 16 | low;
    } else if (p->type == NHRP_ERROR_INDICATION) {
        p->error_code = high;
        p->error_offset = low;
    } else {
        p->traffic_code = high;
    }
    /* IP networks know neither subaddresses nor the E.164 bit. */
    if (!address_len_ok(p->nbma_family, at->nbma_len) || at->subaddress_len != 0 ||
        !address_len_ok(p->protocol_family, source_len) ||
        !address_len_ok(p->protocol_family, destination_len))
        return NHRP_ERR_ADDRESS;
    nhrp__addr_get(r, p->nbma_family, at->nbma_len, &p->source_nbma);
    nhrp__addr_get(r, p->protocol_family, source_len, &p->source_protocol);
    nhrp__addr_get(r, p->protocol_family, destination_len, &p->destination_protocol);
    return wire_ok(r) ? NHRP_OK : NHRP_ERR_TRUNCATED;
}

/* A CIE's protocol address may be of either family: draft-detienne-dmvpn 4.7 mixes them. */
static void get_cie(wire_reader *r, uint8_t nbma_family, nhrp_cie *c)
{
    memset(c, 0, sizeof(*c));
    c->code = wire_get_u8(r);
    c->prefix_len = wire_get_u8(r);
    (void)wire_get_u16(r);
    c->mtu = wire_get_u16(r);
    c->holding_time_s = wire_get_u16(r);
    const uint8_t nbma_len = wire_get_u8(r);
    const uint8_t subaddress_len = wire_get_u8(r);
    const uint8_t protocol_len = wire_get_u8(r);
    c->preference = wire_get_u8(r);
    nhrp__addr_get(r, nbma_family, nbma_len, &c->nbma);
    if (subaddress_len != 0)
        r->failed = true;
    nhrp__addr_get(r, protocol_len == 4 ? NHRP_FAMILY_IPV4 : NHRP_FAMILY_IPV6, protocol_len,
                   &c->protocol);
}

static bool cies_ok(const uint8_t *bytes, size_t len, uint8_t nbma_family)
{
    wire_reader r = wire_reader_make(bytes, len);
    nhrp_cie cie;
    while (wire_ok(&r) && r.left > 0)
        get_cie(&r, nbma_family, &cie);
    return wire_ok(&r);
}

static uint8_t extension_kind(const nhrp_extension *x, uint8_t nbma_family)
{
    switch (x->type) {
    case NHRP_EXTENSION_RESPONDER:
        return NHRP_KIND_RESPONDER;
    case NHRP_EXTENSION_FORWARD:
        return NHRP_KIND_FORWARD;
    case NHRP_EXTENSION_REVERSE:
        return NHRP_KIND_REVERSE;
    case NHRP_EXTENSION_AUTHENTICATION:
        return NHRP_KIND_AUTHENTICATION;
    case NHRP_EXTENSION_VENDOR:
        return NHRP_KIND_VENDOR;
    case NHRP_EXTENSION_NAT:
        /* RFC 2735 4.2 is told from the NAT address extension by its length alone. */
        if (x->len == CAPABILITIES_SIZE)
            return NHRP_KIND_CAPABILITIES;
        return cies_ok(x->value, x->len, nbma_family) ? NHRP_KIND_NAT : NHRP_KIND_UNKNOWN;
    default:
        return NHRP_KIND_UNKNOWN;
    }
}

static void get_extension(wire_reader *r, uint8_t nbma_family, nhrp_extension *x)
{
    memset(x, 0, sizeof(*x));
    const uint16_t type = wire_get_u16(r);
    x->type = type & EXTENSION_TYPE_MASK;
    x->compulsory = (type & EXTENSION_COMPULSORY) != 0;
    x->len = wire_get_u16(r);
    x->value = wire_get_bytes(r, x->len);
    if (!x->value)
        x->len = 0;
    if (x->len == 0)
        x->value = NULL;
    x->kind = extension_kind(x, nbma_family);
}

/* RFC 2332 5.3, 5.3.0: the list ends with the end extension, whose C bit may be missing. */
static bool extensions_ok(const uint8_t *bytes, size_t len, uint8_t nbma_family)
{
    wire_reader r = wire_reader_make(bytes, len);
    nhrp_extension x;
    do {
        get_extension(&r, nbma_family, &x);
        const bool list = x.kind == NHRP_KIND_RESPONDER || x.kind == NHRP_KIND_FORWARD ||
                          x.kind == NHRP_KIND_REVERSE;
        if (list && !cies_ok(x.value, x.len, nbma_family))
            return false;
    } while (wire_ok(&r) && x.type != NHRP_EXTENSION_END);
    return wire_done(&r) && x.len == 0;
}

static nhrp_rc decode_whole(const uint8_t *buf, size_t len, nhrp_packet *p)
{
    layout at;
    wire_reader fixed = wire_reader_make(buf, len);
    nhrp_rc rc = decode_fixed(&fixed, p, &at);
    if (rc == NHRP_ERR_TRUNCATED || rc == NHRP_ERR_VERSION)
        return rc;
    if (at.size > len)
        return NHRP_ERR_TRUNCATED;
    if (at.size < NHRP_FIXED_SIZE)
        return NHRP_ERR_FORMAT;
    if (checksum_end(checksum_add(0, buf, at.size)) != 0)
        return NHRP_ERR_CHECKSUM;
    if (rc != NHRP_OK)
        return rc;
    if (at.extensions_at != 0 &&
        (at.extensions_at < NHRP_FIXED_SIZE || at.extensions_at >= at.size))
        return NHRP_ERR_FORMAT;

    const size_t end = at.extensions_at ? at.extensions_at : at.size;
    wire_reader r = wire_reader_make(buf + NHRP_FIXED_SIZE, end - NHRP_FIXED_SIZE);
    rc = decode_mandatory(&r, &at, p);
    if (rc != NHRP_OK)
        return rc;
    if (nhrp__type_has_cies(p->type)) {
        p->cies_len = r.left;
        p->cies = r.left ? r.next : NULL;
        if (!cies_ok(p->cies, p->cies_len, p->nbma_family))
            return NHRP_ERR_CIE;
    } else {
        p->contents_len = r.left;
        p->contents = r.left ? r.next : NULL;
    }
    if (at.extensions_at != 0) {
        p->extensions = buf + at.extensions_at;
        p->extensions_len = (size_t)(at.size - at.extensions_at);
        if (!extensions_ok(p->extensions, p->extensions_len, p->nbma_family))
            return NHRP_ERR_EXTENSION;
    }
    p->bytes = buf;
    p->size = at.size;
    return NHRP_OK;
}

nhrp_rc nhrp_packet_decode(const uint8_t *buf, size_t len, nhrp_packet *out)
{
    if (!buf || !out)
        return NHRP_ERR_ARG;
    nhrp_packet p;
    memset(&p, 0, sizeof(p));
    const nhrp_rc rc = decode_whole(buf, len, &p);
    if (rc == NHRP_OK)
        *out = p;
    return rc;
}

nhrp_rc nhrp_packet_decode_quoted(const uint8_t *buf, size_t len, nhrp_packet *out)
{
    if (!buf || !out)
        return NHRP_ERR_ARG;
    nhrp_packet p;
    layout at;
    memset(&p, 0, sizeof(p));
    wire_reader r = wire_reader_make(buf, len);
    nhrp_rc rc = decode_fixed(&r, &p, &at);
    if (rc == NHRP_OK && at.size < NHRP_FIXED_SIZE)
        rc = NHRP_ERR_FORMAT;
    if (rc == NHRP_OK)
        rc = decode_mandatory(&r, &at, &p);
    if (rc != NHRP_OK)
        return rc;
    p.bytes = buf;
    p.size = len;
    *out = p;
    return NHRP_OK;
}

nhrp_rc nhrp_packet_set_checksum(uint8_t *buf, size_t len)
{
    if (!buf)
        return NHRP_ERR_ARG;
    if (len < NHRP_FIXED_SIZE)
        return NHRP_ERR_TRUNCATED;
    const size_t size = (size_t)buf[OFFSET_SIZE] << 8 | buf[OFFSET_SIZE + 1];
    if (size < NHRP_FIXED_SIZE || size > len)
        return NHRP_ERR_TRUNCATED;
    wire_set_u16(buf + OFFSET_CHECKSUM, 0);
    wire_set_u16(buf + OFFSET_CHECKSUM, checksum_end(checksum_add(0, buf, size)));
    return NHRP_OK;
}

static nhrp_rc next_cie(const uint8_t *bytes, size_t len, uint8_t nbma_family, size_t *it,
                        nhrp_cie *out)
{
    if (*it > len)
        return NHRP_ERR_ARG;
    if (*it == len)
        return NHRP_OK;
    wire_reader r = wire_reader_make(bytes + *it, len - *it);
    nhrp_cie cie;
    get_cie(&r, nbma_family, &cie);
    if (!wire_ok(&r))
        return NHRP_ERR_CIE;
    *it = len - r.left;
    *out = cie;
    return NHRP_YES;
}

nhrp_rc nhrp_cie_next(const nhrp_packet *pkt, size_t *it, nhrp_cie *out)
{
    if (!pkt || !it || !out)
        return NHRP_ERR_ARG;
    return next_cie(pkt->cies, pkt->cies_len, pkt->nbma_family, it, out);
}

nhrp_rc nhrp_extension_next(const nhrp_packet *pkt, size_t *it, nhrp_extension *out)
{
    if (!pkt || !it || !out || *it > pkt->extensions_len)
        return NHRP_ERR_ARG;
    if (*it == pkt->extensions_len)
        return NHRP_OK;
    wire_reader r = wire_reader_make(pkt->extensions + *it, pkt->extensions_len - *it);
    nhrp_extension x;
    get_extension(&r, pkt->nbma_family, &x);
    if (!wire_ok(&r))
        return NHRP_ERR_EXTENSION;
    if (x.type == NHRP_EXTENSION_END)
        return NHRP_OK;
    *it = pkt->extensions_len - r.left;
    *out = x;
    return NHRP_YES;
}

nhrp_rc nhrp_extension_next_cie(const nhrp_packet *pkt, const nhrp_extension *extension, size_t *it,
                                nhrp_cie *out)
{
    if (!pkt || !extension || !it || !out)
        return NHRP_ERR_ARG;
    switch (extension->kind) {
    case NHRP_KIND_RESPONDER:
    case NHRP_KIND_FORWARD:
    case NHRP_KIND_REVERSE:
    case NHRP_KIND_NAT:
        return next_cie(extension->value, extension->len, pkt->nbma_family, it, out);
    default:
        return NHRP_ERR_ARG;
    }
}
