/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * NHRP: the fixed and the mandatory part, client information entries, extensions, what is quoted.
 */
#include "core.h"
#include "internal/wire.h"

#include <nhrp/nhrp.h>

enum {
    OFFSET_SIZE = 10,
    SNAP_BYTES = 5,
    MANDATORY_SIZE = 8,      /* without its addresses */
    AUTHENTICATION_HEAD = 4, /* reserved and SPI */
    VENDOR_HEAD = 3          /* the OUI */
};

static const name types[] = {{NHRP_RESOLUTION_REQUEST, "Resolution Request"},
                             {NHRP_RESOLUTION_REPLY, "Resolution Reply"},
                             {NHRP_REGISTRATION_REQUEST, "Registration Request"},
                             {NHRP_REGISTRATION_REPLY, "Registration Reply"},
                             {NHRP_PURGE_REQUEST, "Purge Request"},
                             {NHRP_PURGE_REPLY, "Purge Reply"},
                             {NHRP_ERROR_INDICATION, "Error Indication"},
                             {NHRP_TRAFFIC_INDICATION, "Traffic Indication"},
                             {0, NULL}};

static const name codes[] = {{NHRP_CODE_SUCCESS, "success"},
                             {NHRP_CODE_PROHIBITED, "administratively prohibited"},
                             {NHRP_CODE_INSUFFICIENT_RESOURCES, "insufficient resources"},
                             {NHRP_CODE_NO_BINDING, "no binding exists"},
                             {NHRP_CODE_NOT_UNIQUE, "binding not unique"},
                             {NHRP_CODE_ALREADY_REGISTERED, "already registered"},
                             {0, NULL}};

static const name errors[] = {{NHRP_ERROR_UNRECOGNIZED_EXTENSION, "unrecognized extension"},
                              {NHRP_ERROR_LOOP_DETECTED, "loop detected"},
                              {NHRP_ERROR_UNREACHABLE, "protocol address unreachable"},
                              {NHRP_ERROR_PROTOCOL, "protocol error"},
                              {NHRP_ERROR_SDU_SIZE, "SDU size exceeded"},
                              {NHRP_ERROR_INVALID_EXTENSION, "invalid extension"},
                              {NHRP_ERROR_INVALID_REPLY, "invalid Resolution Reply received"},
                              {NHRP_ERROR_AUTHENTICATION, "authentication failure"},
                              {NHRP_ERROR_HOP_COUNT, "hop count exceeded"},
                              {0, NULL}};

static const name kinds[] = {{NHRP_KIND_RESPONDER, "responder address"},
                             {NHRP_KIND_FORWARD, "forward transit NHS record"},
                             {NHRP_KIND_REVERSE, "reverse transit NHS record"},
                             {NHRP_KIND_AUTHENTICATION, "authentication"},
                             {NHRP_KIND_VENDOR, "vendor-private"},
                             {NHRP_KIND_NAT, "NAT address"},
                             {NHRP_KIND_CAPABILITIES, "device capabilities"},
                             {0, NULL}};

static const name resolution_flags[] = {{NHRP_FLAG_ROUTER, "Q"},
                                        {NHRP_FLAG_AUTHORITATIVE, "A"},
                                        {NHRP_FLAG_STABLE_DESTINATION, "D"},
                                        {NHRP_FLAG_UNIQUE, "U"},
                                        {NHRP_FLAG_STABLE_SOURCE, "S"},
                                        {NHRP_FLAG_NAT, "NAT"},
                                        {0, NULL}};
static const name registration_flags[] = {
    {NHRP_FLAG_REGISTRATION_UNIQUE, "U"}, {NHRP_FLAG_NAT, "NAT"}, {0, NULL}};
static const name purge_flags[] = {{NHRP_FLAG_NO_REPLY, "N"}, {NHRP_FLAG_NAT, "NAT"}, {0, NULL}};

static const name roles[] = {{NHRP_ROLE_CONTEXT, "context"},
                             {NHRP_ROLE_RESPONDER_VPN, "responder VPN"},
                             {NHRP_ROLE_RESPONDER_OVERLAY, "responder overlay"},
                             {0, NULL}};

static void put_address(dissector *d, node *parent, const char *key, const nhrp_addr *a)
{
    ds_address(d, parent, key, a->family, a->bytes);
}

static bool is_request(uint8_t type)
{
    return type >= NHRP_RESOLUTION_REQUEST && type <= NHRP_PURGE_REPLY;
}

/*
 * RFC 2332 5.1, 5.2.0.1: the fixed part as it is on the wire. What the decoder makes of these
 * fields is all that counts elsewhere; here they are shown.
 */
static void put_fixed(dissector *d, node *layer, const span *s)
{
    tree *t = &d->tree;
    wire_reader r = wire_reader_make(s->bytes, s->len);
    tree_number(t, layer, "afn", wire_get_u16(&r));
    tree_format(t, layer, "pro_type", "0x%04x", wire_get_u16(&r));
    const uint8_t *snap = wire_get_bytes(&r, SNAP_BYTES);
    if (snap && (snap[0] || snap[1] || snap[2] || snap[3] || snap[4]))
        tree_hex(t, layer, "pro_snap", snap, SNAP_BYTES);
    tree_number(t, layer, "hopCnt", wire_get_u8(&r));
    tree_number(t, layer, "pktsz", wire_get_u16(&r));
    tree_format(t, layer, "chksum", "0x%04x", wire_get_u16(&r));
    tree_number(t, layer, "extoff", wire_get_u16(&r));
    tree_number(t, layer, "op_version", wire_get_u8(&r));
    tree_number(t, layer, "op_type", wire_get_u8(&r));
    tree_number(t, layer, "shtl", wire_get_u8(&r));
    tree_number(t, layer, "sstl", wire_get_u8(&r));
    tree_number(t, layer, "source_protocol_length", wire_get_u8(&r));
    tree_number(t, layer, "destination_protocol_length", wire_get_u8(&r));
}

/* RFC 2332 5.2.0.1 */
static void put_header(dissector *d, node *layer, const nhrp_packet *p, const span *s)
{
    tree *t = &d->tree;
    put_fixed(d, layer, s);
    ds_name(d, layer, "type", types, p->type);
    if (is_request(p->type)) {
        ds_flags(d, layer, "flags",
                 p->type <= NHRP_RESOLUTION_REPLY     ? resolution_flags
                 : p->type <= NHRP_REGISTRATION_REPLY ? registration_flags
                                                      : purge_flags,
                 p->flags);
        tree_number(t, layer, "request_id", p->request_id);
    } else if (p->type == NHRP_ERROR_INDICATION) {
        ds_name(d, layer, "error_code", errors, p->error_code);
        tree_number(t, layer, "error_offset", p->error_offset);
    } else {
        tree_number(t, layer, "traffic_code", p->traffic_code);
    }
    put_address(d, layer, "source_nbma_address", &p->source_nbma);
    put_address(d, layer, "source_protocol_address", &p->source_protocol);
    put_address(d, layer, "destination_protocol_address", &p->destination_protocol);
}

/* RFC 2332 5.2.0.1 */
static void put_cie(dissector *d, node *list, const nhrp_cie *c)
{
    tree *t = &d->tree;
    node *entry = tree_object(t, list, NULL);
    ds_name(d, entry, "code", codes, c->code);
    tree_number(t, entry, "prefix_length", c->prefix_len);
    tree_number(t, entry, "mtu", c->mtu);
    tree_number(t, entry, "holding_time", c->holding_time_s);
    tree_number(t, entry, "preference", c->preference);
    put_address(d, entry, "client_nbma_address", &c->nbma);
    put_address(d, entry, "client_protocol_address", &c->protocol);
}

static void put_labels(dissector *d, node *entry, const nhrp_extension *x)
{
    tree *t = &d->tree;
    node *list = tree_array(t, entry, "labels");
    nhrp_label_binding b;
    size_t it = 0;
    while (nhrp_label_next(x, &it, &b) == NHRP_YES) {
        node *binding = tree_object(t, list, NULL);
        ds_name(d, binding, "role", roles, b.role);
        ds_prefix(d, binding, "prefix", b.prefix.family, b.prefix.bytes, b.prefix.prefix_len);
        node *stack = tree_array(t, binding, "stack");
        for (size_t i = 0; i < b.label_count && i < NHRP_LABELS_MAX; i++)
            tree_number(t, stack, NULL, b.labels[i]);
    }
}

static void put_vendor(dissector *d, node *layer, node *entry, const nhrp_extension *x,
                       const span *value)
{
    tree *t = &d->tree;
    const nhrp_rc rc = nhrp_label_check(x, d->options.label_oui);
    if (rc == NHRP_YES) {
        put_labels(d, entry, x);
        return;
    }
    if (rc < 0)
        ds_fault(d, layer, value, RULES_NHRP, rc);
    if (x->len >= VENDOR_HEAD)
        tree_hex(t, entry, "oui", x->value, VENDOR_HEAD);
    tree_hex(t, entry, "value", x->value, x->len);
}

/* RFC 2332 5.3.4; the password only where it was asked for. */
static void put_authentication(dissector *d, node *layer, node *entry, const nhrp_extension *x,
                               const span *value)
{
    tree *t = &d->tree;
    wire_reader r = wire_reader_make(x->value, x->len);
    (void)wire_get_u16(&r);
    const uint16_t spi = wire_get_u16(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, value, RULES_NHRP, NHRP_ERR_AUTHENTICATION);
        return;
    }
    tree_number(t, entry, "spi", spi);
    tree_number(t, entry, "length", x->len - AUTHENTICATION_HEAD);
    if (d->options.secrets)
        tree_string(t, entry, "data", x->value + AUTHENTICATION_HEAD, x->len - AUTHENTICATION_HEAD);
}

static void put_extension(dissector *d, node *layer, node *list, const nhrp_packet *p,
                          const nhrp_extension *x, const span *s)
{
    tree *t = &d->tree;
    node *entry = tree_object(t, list, NULL);
    const char *kind = name_of(kinds, x->kind);
    tree_number(t, entry, "type", x->type);
    tree_text(t, entry, "name", kind ? kind : "unknown");
    if (x->compulsory)
        tree_true(t, entry, "compulsory");
    span value = ds_from(s, x->value ? (size_t)(x->value - s->bytes) : 0);
    value = ds_first(&value, x->len);
    switch (x->kind) {
    case NHRP_KIND_RESPONDER:
    case NHRP_KIND_FORWARD:
    case NHRP_KIND_REVERSE:
    case NHRP_KIND_NAT: {
        node *cies = tree_array(t, entry, "cies");
        nhrp_cie cie;
        size_t it = 0;
        nhrp_rc rc;
        for (size_t n = 0; (rc = nhrp_extension_next_cie(p, x, &it, &cie)) == NHRP_YES; n++)
            if (ds_more(d, cies, n))
                put_cie(d, cies, &cie);
        if (rc < 0)
            ds_fault_at(d, layer, &value, it, NULL, RULES_NHRP, rc);
        break;
    }
    case NHRP_KIND_AUTHENTICATION:
        put_authentication(d, layer, entry, x, &value);
        break;
    case NHRP_KIND_VENDOR:
        put_vendor(d, layer, entry, x, &value);
        break;
    default:
        tree_hex(t, entry, "value", x->value, x->len);
        break;
    }
}

/* RFC 2332 5.2.7: the packet that was in error, as far as it is quoted. */
static void quoted_nhrp(dissector *d, span s)
{
    node *layer = ds_layer(d, "nhrp", &s);
    nhrp_packet p;
    const nhrp_rc rc = nhrp_packet_decode_quoted(s.bytes, s.len, &p);
    if (rc == NHRP_OK)
        put_header(d, layer, &p, &s);
    else
        ds_fault(d, layer, &s, RULES_NHRP, rc);
}

static void put_cies(dissector *d, node *layer, const nhrp_packet *p, size_t *it)
{
    node *list = tree_array(&d->tree, layer, "cies");
    nhrp_cie cie;
    for (size_t n = 0; nhrp_cie_next(p, it, &cie) == NHRP_YES; n++)
        if (ds_more(d, list, n))
            put_cie(d, list, &cie);
}

static void put_extensions(dissector *d, node *layer, const nhrp_packet *p, const span *s,
                           size_t *it)
{
    node *list = tree_array(&d->tree, layer, "extensions");
    nhrp_extension x;
    for (size_t n = 0; nhrp_extension_next(p, it, &x) == NHRP_YES; n++)
        if (ds_more(d, list, n))
            put_extension(d, layer, list, p, &x, s);
}

static size_t address_len(const nhrp_addr *a)
{
    return a->family == NHRP_FAMILY_NONE ? 0 : a->family == NHRP_FAMILY_IPV4 ? 4 : 16;
}

/*
 * What can be said of a packet that is refused: its header, and the entries before the bad one,
 * which the iterators find when they are led through what the header promises.
 */
static void put_refused(dissector *d, node *layer, const span *s, nhrp_rc rc)
{
    nhrp_packet p;
    size_t at = rules_find(RULES_NHRP, rc)->at;
    if (nhrp_packet_decode_quoted(s->bytes, s->len, &p) == NHRP_OK) {
        wire_reader r = wire_reader_make(s->bytes + OFFSET_SIZE, s->len - OFFSET_SIZE);
        const size_t size = wire_get_u16(&r);
        (void)wire_get_u16(&r);
        const size_t extensions_at = wire_get_u16(&r);
        const size_t cies_at = NHRP_FIXED_SIZE + MANDATORY_SIZE + address_len(&p.source_nbma) +
                               address_len(&p.source_protocol) +
                               address_len(&p.destination_protocol);
        const size_t end = extensions_at ? extensions_at : size;
        size_t it = 0;
        put_header(d, layer, &p, s);
        if (rc == NHRP_ERR_CIE && is_request(p.type) && cies_at <= end && end <= s->len) {
            p.cies = s->bytes + cies_at;
            p.cies_len = end - cies_at;
            put_cies(d, layer, &p, &it);
            at = cies_at + it;
        } else if (rc == NHRP_ERR_EXTENSION && extensions_at < size && size <= s->len) {
            p.extensions = s->bytes + extensions_at;
            p.extensions_len = size - extensions_at;
            put_extensions(d, layer, &p, s, &it);
            at = extensions_at + it;
        }
        if (tree_find(d->packet, "error"))
            return; /* found where it is, more precisely */
    }
    ds_fault_at(d, layer, s, at, NULL, RULES_NHRP, rc);
}

void ds_nhrp(dissector *d, span s)
{
    node *layer = ds_layer(d, "nhrp", &s);
    nhrp_packet p;
    size_t it = 0;
    const nhrp_rc rc = nhrp_packet_decode(s.bytes, s.len, &p);
    if (rc != NHRP_OK) {
        put_refused(d, layer, &s, rc);
        return;
    }
    put_header(d, layer, &p, &s);
    if (is_request(p.type)) {
        put_cies(d, layer, &p, &it);
    } else if (p.contents_len > 0) {
        span quoted = ds_from(&s, (size_t)(p.contents - s.bytes));
        quoted = ds_first(&quoted, p.contents_len);
        ds_quoted(d, layer, p.type == NHRP_ERROR_INDICATION ? quoted_nhrp : ds_ip, quoted);
    }
    it = 0;
    if (p.extensions)
        put_extensions(d, layer, &p, &s, &it);
}
