/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The label extension, the one place that knows how labels look in NHRP. docs/nhrp-labels.md is
 * its specification; the sections named below are of it.
 *
 *     OUI (3) | 4C | version 01 | bindings...
 *     binding = 01 | length | role | flags 0 | AFI (2) | prefix length | n | n x 3 | prefix
 *
 * A label is 3 octets as in RFC 8277: 20 bits of label, 3 bits ignored, the bottom-of-stack bit.
 */
#include "codec.h"

#include <nhrp/label.h>

enum {
    HEADER_SIZE = 5, /* OUI, magic, version */
    MAGIC = 0x4c,
    VERSION = 1,
    TLV_BINDING = 1,
    BINDING_FIXED_SIZE = 6, /* role to n */
    LABEL_SIZE = 3,
    ITEM_HEADER_SIZE = 2,
    BINDING_MAX_SIZE = ITEM_HEADER_SIZE + BINDING_FIXED_SIZE + NHRP_LABELS_MAX * LABEL_SIZE + 16,
    AFI_IPV4 = 1,
    AFI_IPV6 = 2
};

static size_t prefix_size(uint8_t prefix_len)
{
    return ((size_t)prefix_len + 7) / 8;
}

/* RFC 7274: 0 to 15 are special. Implicit null alone says that nothing is to be pushed. */
static bool label_allowed(uint32_t label, uint8_t count)
{
    if (label == NHRP_LABEL_IMPLICIT_NULL)
        return count == 1;
    return label >= NHRP_LABEL_FIRST && label <= NHRP_LABEL_LAST;
}

static bool labels_allowed(const nhrp_label_binding *b)
{
    if (b->label_count < 1 || b->label_count > NHRP_LABELS_MAX)
        return false;
    for (uint8_t i = 0; i < b->label_count; i++)
        if (!label_allowed(b->labels[i], b->label_count))
            return false;
    return true;
}

static bool prefix_clean(const nhrp_addr *p)
{
    for (size_t bit = p->prefix_len; bit < sizeof(p->bytes) * 8; bit++)
        if (p->bytes[bit / 8] & 0x80 >> bit % 8)
            return false;
    return true;
}

/* RFC 8277 2.1: only the last label has S set. */
static bool get_labels(wire_reader *r, nhrp_label_binding *b)
{
    for (uint8_t i = 0; i < b->label_count; i++) {
        const uint32_t v = wire_get_u24(r);
        b->labels[i] = v >> 4;
        if ((v & 1) != (i + 1 == b->label_count))
            return false;
    }
    return true;
}

/* The value of one binding, which must be consumed exactly. */
static bool get_binding(wire_reader r, nhrp_label_binding *b)
{
    memset(b, 0, sizeof(*b));
    b->role = wire_get_u8(&r);
    (void)wire_get_u8(&r); /* flags: none are defined, all are ignored */
    const uint16_t afi = wire_get_u16(&r);
    b->prefix.prefix_len = wire_get_u8(&r);
    b->label_count = wire_get_u8(&r);
    b->prefix.family = afi == AFI_IPV4   ? NHRP_FAMILY_IPV4
                       : afi == AFI_IPV6 ? NHRP_FAMILY_IPV6
                                         : NHRP_FAMILY_NONE;
    if (!wire_ok(&r) || b->label_count < 1 || b->label_count > NHRP_LABELS_MAX ||
        b->prefix.family == NHRP_FAMILY_NONE ||
        b->prefix.prefix_len > nhrp__family_bits(b->prefix.family) || !get_labels(&r, b))
        return false;
    wire_get_copy(&r, b->prefix.bytes, prefix_size(b->prefix.prefix_len));
    return wire_done(&r) && labels_allowed(b) && prefix_clean(&b->prefix);
}

nhrp_rc nhrp_label_next(const nhrp_extension *x, size_t *it, nhrp_label_binding *out)
{
    if (!x || !it || !out || *it > x->len)
        return NHRP_ERR_ARG;
    if (x->len < HEADER_SIZE)
        return NHRP_ERR_LABEL;
    const size_t start = *it < HEADER_SIZE ? HEADER_SIZE : *it;
    wire_reader r = wire_reader_make(x->value + start, x->len - start);
    while (r.left > 0) {
        const uint8_t type = wire_get_u8(&r);
        const uint8_t len = wire_get_u8(&r);
        const wire_reader value = wire_sub(&r, len);
        if (!wire_ok(&r))
            return NHRP_ERR_LABEL;
        if (type != TLV_BINDING)
            continue; /* of a later revision */
        nhrp_label_binding b;
        if (!get_binding(value, &b))
            return NHRP_ERR_LABEL;
        *it = x->len - r.left;
        *out = b;
        return NHRP_YES;
    }
    *it = x->len;
    return NHRP_OK;
}

nhrp_rc nhrp_label_check(const nhrp_extension *x, uint32_t oui)
{
    if (!x)
        return NHRP_ERR_ARG;
    if (x->type != NHRP_EXTENSION_VENDOR || x->len < HEADER_SIZE)
        return NHRP_OK;
    wire_reader r = wire_reader_make(x->value, x->len);
    if (wire_get_u24(&r) != oui || wire_get_u8(&r) != MAGIC || wire_get_u8(&r) != VERSION)
        return NHRP_OK;
    nhrp_label_binding b;
    nhrp_rc rc;
    size_t it = 0, count = 0;
    while ((rc = nhrp_label_next(x, &it, &b)) == NHRP_YES)
        if (++count > NHRP_BINDINGS_MAX)
            return NHRP_ERR_LABEL;
    return rc == NHRP_OK && count > 0 ? NHRP_YES : NHRP_ERR_LABEL;
}

/* Writes one item; the binding is one that a decoder accepts. */
static size_t put_binding(const nhrp_label_binding *b, uint8_t out[BINDING_MAX_SIZE])
{
    const size_t octets = prefix_size(b->prefix.prefix_len);
    wire_writer w = wire_writer_make(out, BINDING_MAX_SIZE);
    wire_put_u8(&w, TLV_BINDING);
    wire_put_u8(&w, (uint8_t)(BINDING_FIXED_SIZE + (size_t)b->label_count * LABEL_SIZE + octets));
    wire_put_u8(&w, b->role);
    wire_put_u8(&w, 0);
    wire_put_u16(&w, b->prefix.family == NHRP_FAMILY_IPV4 ? AFI_IPV4 : AFI_IPV6);
    wire_put_u8(&w, b->prefix.prefix_len);
    wire_put_u8(&w, b->label_count);
    for (uint8_t k = 0; k < b->label_count; k++)
        wire_put_u24(&w, b->labels[k] << 4 | (k + 1 == b->label_count));
    wire_put_bytes(&w, b->prefix.bytes, octets);
    return w.len;
}

/*
 * In transit: the items of an extension that is well-formed, octet for octet, but for CONTEXT,
 * which is made anew. What a later revision adds passes through.
 */
void nhrp__label_swap(nhrp_writer *w, const nhrp_extension *x, const nhrp_label_binding *context)
{
    uint8_t made[BINDING_MAX_SIZE];
    const nhrp_extension empty = {.type = NHRP_EXTENSION_VENDOR, .compulsory = x->compulsory};
    const size_t made_len = put_binding(context, made);
    wire_reader r = wire_reader_make(x->value, x->len);
    (void)nhrp_writer_put_extension(w, &empty);
    nhrp__writer_append(w, wire_get_bytes(&r, HEADER_SIZE), HEADER_SIZE);
    while (r.left > 0) {
        const uint8_t *item = r.next;
        const uint8_t type = wire_get_u8(&r);
        const uint8_t len = wire_get_u8(&r);
        const uint8_t *value = wire_get_bytes(&r, len);
        if (!wire_ok(&r))
            return; /* it was checked on its way in */
        if (type == TLV_BINDING && len > 0 && value[0] == NHRP_ROLE_CONTEXT)
            nhrp__writer_append(w, made, made_len);
        else
            nhrp__writer_append(w, item, ITEM_HEADER_SIZE + (size_t)len);
    }
}

static bool binding_ok(const nhrp_label_binding *b)
{
    return nhrp__family_size(b->prefix.family) != 0 &&
           b->prefix.prefix_len <= nhrp__family_bits(b->prefix.family) && labels_allowed(b) &&
           prefix_clean(&b->prefix);
}

nhrp_rc nhrp_label_encode(const nhrp_label_binding *bindings, size_t count, uint32_t oui,
                          uint8_t *buf, size_t cap, size_t *len)
{
    if (!bindings || count < 1 || count > NHRP_BINDINGS_MAX || oui > 0xffffff ||
        (!buf && cap > 0) || !len)
        return NHRP_ERR_ARG;
    for (size_t i = 0; i < count; i++)
        if (!binding_ok(&bindings[i]))
            return NHRP_ERR_ARG;

    wire_writer w = wire_writer_make(buf, cap);
    const uint8_t header[HEADER_SIZE] = {(uint8_t)(oui >> 16), (uint8_t)(oui >> 8), (uint8_t)oui,
                                         MAGIC, VERSION};
    wire_put_bytes(&w, header, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        uint8_t made[BINDING_MAX_SIZE];
        wire_put_bytes(&w, made, put_binding(&bindings[i], made));
    }
    *len = w.len;
    return wire_fits(&w) ? NHRP_OK : NHRP_ERR_BUFFER;
}
