/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Configuration payloads (RFC 7296 3.15): subnets pushed both ways, an address for the initiator.
 */
#include "engine.h"

enum { ATTRIBUTE_BYTES = 4, IP6_WITH_PREFIX = 17, IP4_WITH_MASK = 8 };

static bool attribute_length_ok(const ikev2_tagged *a)
{
    switch (a->tag) {
    case IKEV2_ATTR_INTERNAL_IP4_ADDRESS:
        return a->len == 0 || a->len == 4;
    case IKEV2_ATTR_INTERNAL_IP4_SUBNET:
        return a->len == 0 || a->len == IP4_WITH_MASK;
    case IKEV2_ATTR_INTERNAL_IP6_ADDRESS:
    case IKEV2_ATTR_INTERNAL_IP6_SUBNET:
        return a->len == 0 || a->len == IP6_WITH_PREFIX;
    default:
        return true;
    }
}

/* RFC 7296 3.15.1 */
ikev2_rc ikev2_attribute_next(const ikev2_tagged *cp, size_t *it, ikev2_tagged *out)
{
    if (!cp || !it || !out || *it > cp->len || (!cp->bytes && cp->len > 0))
        return IKEV2_ERR_ARG;
    if (*it == cp->len)
        return IKEV2_OK;
    wire_reader r = wire_reader_make(cp->bytes + *it, cp->len - *it);
    ikev2_tagged a = {0};
    a.tag = wire_get_u16(&r) & 0x7fff; /* the high bit is reserved */
    a.len = wire_get_u16(&r);
    a.bytes = wire_get_bytes(&r, a.len);
    if (!wire_ok(&r) || !attribute_length_ok(&a))
        return IKEV2_ERR_SYNTAX;
    *it += ATTRIBUTE_BYTES + a.len;
    *out = a;
    return IKEV2_YES;
}

static void begin(ikev2__builder *b, uint8_t type)
{
    ikev2__payload_begin(b, IKEV2_PAYLOAD_CP);
    wire_put_u8(&b->w, type);
    wire_put_zeros(&b->w, 3);
}

static void put_empty(ikev2__builder *b, uint16_t attribute)
{
    wire_put_u16(&b->w, attribute);
    wire_put_u16(&b->w, 0);
}

static void put_prefix(ikev2__builder *b, const ikev2_addr *p)
{
    if (p->family == IKEV2_FAMILY_IPV4) {
        const uint32_t mask = p->prefix_len == 0 ? 0 : UINT32_MAX << (32 - p->prefix_len);
        wire_put_u16(&b->w, IKEV2_ATTR_INTERNAL_IP4_SUBNET);
        wire_put_u16(&b->w, IP4_WITH_MASK);
        wire_put_bytes(&b->w, p->bytes, 4);
        wire_put_u32(&b->w, mask);
    } else {
        wire_put_u16(&b->w, IKEV2_ATTR_INTERNAL_IP6_SUBNET);
        wire_put_u16(&b->w, IP6_WITH_PREFIX);
        wire_put_bytes(&b->w, p->bytes, 16);
        wire_put_u8(&b->w, p->prefix_len);
    }
}

void ikev2__put_config(ikev2__builder *b, uint8_t type, const ikev2_addr *routes, size_t count,
                       const ikev2_addr *address)
{
    begin(b, type);
    if (address && address->family == IKEV2_FAMILY_IPV4) {
        wire_put_u16(&b->w, IKEV2_ATTR_INTERNAL_IP4_ADDRESS);
        wire_put_u16(&b->w, 4);
        wire_put_bytes(&b->w, address->bytes, 4);
    } else if (address && address->family == IKEV2_FAMILY_IPV6) {
        wire_put_u16(&b->w, IKEV2_ATTR_INTERNAL_IP6_ADDRESS);
        wire_put_u16(&b->w, IP6_WITH_PREFIX);
        wire_put_bytes(&b->w, address->bytes, 16);
        wire_put_u8(&b->w, address->prefix_len);
    }
    for (size_t i = 0; i < count; i++)
        put_prefix(b, &routes[i]);
    ikev2__payload_end(b);
}

void ikev2__put_config_request(ikev2__builder *b, uint8_t request)
{
    begin(b, IKEV2_CFG_REQUEST);
    if (request & IKEV2_REQUEST_ADDRESS)
        put_empty(b, IKEV2_ATTR_INTERNAL_IP4_ADDRESS);
    if (request & IKEV2_REQUEST_SUBNETS) {
        put_empty(b, IKEV2_ATTR_INTERNAL_IP4_SUBNET);
        put_empty(b, IKEV2_ATTR_INTERNAL_IP6_SUBNET);
    }
    ikev2__payload_end(b);
}

/* RFC 7296 3.15: an acknowledgement names what was taken, without values. */
void ikev2__put_config_ack(ikev2__builder *b, const ikev2_tagged *set)
{
    ikev2_tagged a;
    size_t it = 0;
    begin(b, IKEV2_CFG_ACK);
    while (ikev2_attribute_next(set, &it, &a) == IKEV2_YES)
        if (a.tag == IKEV2_ATTR_INTERNAL_IP4_SUBNET || a.tag == IKEV2_ATTR_INTERNAL_IP6_SUBNET)
            put_empty(b, a.tag);
    ikev2__payload_end(b);
}

bool ikev2__config_asks(const ikev2_tagged *cp, uint16_t attribute)
{
    ikev2_tagged a;
    size_t it = 0;
    while (ikev2_attribute_next(cp, &it, &a) == IKEV2_YES)
        if (a.tag == attribute)
            return true;
    return false;
}

/* A subnet attribute as a prefix; false where its mask has holes or its length is beyond. */
static bool to_prefix(const ikev2_tagged *a, ikev2_addr *out)
{
    ikev2_addr p = {0};
    wire_reader r = wire_reader_make(a->bytes, a->len);
    if (a->tag == IKEV2_ATTR_INTERNAL_IP4_SUBNET && a->len == IP4_WITH_MASK) {
        p.family = IKEV2_FAMILY_IPV4;
        wire_get_copy(&r, p.bytes, 4);
        uint32_t mask = wire_get_u32(&r);
        for (; mask & 0x80000000u; mask <<= 1)
            p.prefix_len++;
        if (mask != 0)
            return false;
    } else if (a->tag == IKEV2_ATTR_INTERNAL_IP6_SUBNET && a->len == IP6_WITH_PREFIX) {
        p.family = IKEV2_FAMILY_IPV6;
        wire_get_copy(&r, p.bytes, 16);
        p.prefix_len = wire_get_u8(&r);
        if (p.prefix_len > 128)
            return false;
    } else {
        return false;
    }
    /* Bits beyond the prefix mean nothing. */
    for (size_t bit = p.prefix_len; bit < 128; bit++)
        p.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    *out = p;
    return true;
}

static bool is_accepted(const ikev2__peer *peer, const ikev2_addr *p)
{
    const ikev2_peer *pub = &peer->pub;
    for (size_t i = 0; i < pub->accept_route_count; i++)
        if (pub->accept_routes[i].prefix_len <= p->prefix_len &&
            ikev2__prefix_covers(&pub->accept_routes[i], p, pub->accept_routes[i].prefix_len))
            return true;
    return pub->accept_route_count == 0;
}

ikev2_rc ikev2__config_read(ikev2__sa *sa, const ikev2_tagged *cp, bool with_address,
                            ikev2__pushed *out)
{
    ikev2_engine *e = sa->e;
    ikev2_tagged a;
    size_t it = 0;
    size_t offered = 0;
    ikev2_rc rc;
    /* RFC 7296 3.15: a reply gives what was asked for; else our own address is not its business. */
    with_address = with_address && (sa->ctx->peer->pub.request & IKEV2_REQUEST_ADDRESS);
    *out = (ikev2__pushed){0};
    while ((rc = ikev2_attribute_next(cp, &it, &a)) == IKEV2_YES)
        offered++;
    if (rc < 0)
        return rc;
    if (offered > e->cfg.max_routes)
        offered = e->cfg.max_routes;
    out->routes = offered ? alloc_array(&e->mem, offered, sizeof(*out->routes)) : NULL;
    if (offered > 0 && !out->routes)
        return IKEV2_ERR_NOMEM;
    it = 0;
    while (ikev2_attribute_next(cp, &it, &a) == IKEV2_YES) {
        ikev2_addr p;
        if (to_prefix(&a, &p)) {
            if (out->count < offered && is_accepted(sa->ctx->peer, &p))
                out->routes[out->count++] = p;
            else
                out->refused++;
        } else if (with_address && a.tag == IKEV2_ATTR_INTERNAL_IP4_ADDRESS && a.len == 4) {
            out->assigned = (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .prefix_len = 32};
            memcpy(out->assigned.bytes, a.bytes, 4);
        } else if (with_address && a.tag == IKEV2_ATTR_INTERNAL_IP6_ADDRESS && a.len > 0 &&
                   a.bytes[16] <= 128) {
            out->assigned = (ikev2_addr){.family = IKEV2_FAMILY_IPV6, .prefix_len = a.bytes[16]};
            memcpy(out->assigned.bytes, a.bytes, 16);
        }
    }
    return IKEV2_OK;
}

void ikev2__config_drop(ikev2__sa *sa, ikev2__pushed *pushed)
{
    alloc_free(&sa->e->mem, pushed->routes);
    *pushed = (ikev2__pushed){0};
}

void ikev2__config_keep(ikev2__sa *sa, ikev2__pushed *pushed)
{
    ikev2__context *ctx = sa->ctx;
    if (pushed->assigned.family != IKEV2_FAMILY_NONE)
        ctx->assigned = pushed->assigned;
    if (pushed->refused > 0)
        ikev2__refused(sa, NULL, IKEV2_REASON_ROUTE, pushed->refused);
    if (pushed->count > 0) {
        alloc_free(&sa->e->mem, ctx->routes);
        ctx->routes = pushed->routes;
        ctx->route_count = pushed->count;
        pushed->routes = NULL;
        ikev2_event ev = {.kind = IKEV2_EVENT_ROUTES, .detail = (uint32_t)ctx->route_count};
        ikev2__emit(sa->e, &ev, sa, NULL);
    }
    ikev2__config_drop(sa, pushed);
}
