/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "selectors.h"

enum {
    TS_IPV4_ADDR_RANGE = 7,
    TS_IPV6_ADDR_RANGE = 8,
    HEADER_BYTES = 8, /* of a selector */
    IPV4_BYTES = 16,  /* a whole selector */
    IPV6_BYTES = 40
};

static size_t addr_bytes(uint8_t family)
{
    return family == IKEV2_FAMILY_IPV4 ? 4 : 16;
}

/* Are there as many selectors as the payload claims, and one at least? */
static bool count_right(const uint8_t *body, size_t len)
{
    wire_reader r = wire_reader_make(body, len);
    const uint8_t claimed = wire_get_u8(&r);
    (void)wire_get_bytes(&r, 3);
    size_t count = 0;
    for (; r.left > 0; count++) {
        (void)wire_get_u16(&r);
        const uint16_t length = wire_get_u16(&r);
        (void)wire_get_bytes(&r, length < 4 ? SIZE_MAX : length - 4u);
    }
    return wire_ok(&r) && count > 0 && count == claimed;
}

/* RFC 7296 3.13 */
ikev2_rc ikev2_selector_next(const uint8_t *body, size_t len, size_t *it, ikev2_selector *out)
{
    if (!body || !it || !out || *it > len)
        return IKEV2_ERR_ARG;
    if (len < 4)
        return IKEV2_ERR_SYNTAX;
    size_t at = *it == 0 ? 4 : *it;
    while (at < len) {
        wire_reader r = wire_reader_make(body + at, len - at);
        const uint8_t type = wire_get_u8(&r);
        ikev2_selector s = {.protocol = wire_get_u8(&r)};
        const uint16_t length = wire_get_u16(&r);
        if (!wire_ok(&r) || length < HEADER_BYTES || length > len - at)
            return IKEV2_ERR_SYNTAX;
        if ((type == TS_IPV4_ADDR_RANGE && length != IPV4_BYTES) ||
            (type == TS_IPV6_ADDR_RANGE && length != IPV6_BYTES))
            return IKEV2_ERR_SYNTAX;
        at += length;
        if (type != TS_IPV4_ADDR_RANGE && type != TS_IPV6_ADDR_RANGE)
            continue;
        s.family = type == TS_IPV4_ADDR_RANGE ? IKEV2_FAMILY_IPV4 : IKEV2_FAMILY_IPV6;
        s.start_port = wire_get_u16(&r);
        s.end_port = wire_get_u16(&r);
        wire_get_copy(&r, s.start, addr_bytes(s.family));
        wire_get_copy(&r, s.end, addr_bytes(s.family));
        *it = at;
        *out = s;
        return IKEV2_YES;
    }
    if (!count_right(body, len))
        return IKEV2_ERR_SYNTAX;
    *it = at;
    return IKEV2_OK;
}

void ikev2__put_selectors(ikev2__builder *b, uint8_t type, const ikev2_selector *ts, size_t count)
{
    ikev2__payload_begin(b, type);
    wire_put_u8(&b->w, (uint8_t)count);
    wire_put_zeros(&b->w, 3);
    for (size_t i = 0; i < count; i++) {
        const bool v4 = ts[i].family == IKEV2_FAMILY_IPV4;
        wire_put_u8(&b->w, v4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
        wire_put_u8(&b->w, ts[i].protocol);
        wire_put_u16(&b->w, v4 ? IPV4_BYTES : IPV6_BYTES);
        wire_put_u16(&b->w, ts[i].start_port);
        wire_put_u16(&b->w, ts[i].end_port);
        wire_put_bytes(&b->w, ts[i].start, addr_bytes(ts[i].family));
        wire_put_bytes(&b->w, ts[i].end, addr_bytes(ts[i].family));
    }
    ikev2__payload_end(b);
}

ikev2_rc ikev2__selectors_decode(const ikev2_payload *p, ikev2__selectors *out)
{
    ikev2_selector s;
    size_t it = 0;
    ikev2_rc rc;
    out->count = 0;
    while ((rc = ikev2_selector_next(p->body, p->len, &it, &s)) == IKEV2_YES)
        if (out->count < IKEV2_MAX_SELECTORS)
            out->list[out->count++] = s;
    return rc;
}

bool ikev2__selector_valid(const ikev2_selector *s)
{
    if (s->family == IKEV2_FAMILY_NONE)
        return s->start_port <= s->end_port;
    if (s->family != IKEV2_FAMILY_IPV4 && s->family != IKEV2_FAMILY_IPV6)
        return false;
    return s->start_port <= s->end_port && memcmp(s->start, s->end, sizeof(s->start)) <= 0;
}

void ikev2__selectors_resolve(const ikev2_selector *list, size_t count, const ikev2_addr *addr,
                              ikev2__selectors *out)
{
    static const ikev2_selector gre = {.protocol = IKEV2_PROTOCOL_GRE, .end_port = UINT16_MAX};
    if (count == 0) {
        list = &gre;
        count = 1;
    }
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        ikev2_selector *s = &out->list[i];
        *s = list[i];
        if (s->family == IKEV2_FAMILY_NONE) {
            s->family = addr->family;
            memcpy(s->start, addr->bytes, sizeof(s->start));
            memcpy(s->end, addr->bytes, sizeof(s->end));
        }
    }
}

void ikev2__selectors_substitute(ikev2__selectors *s, const ikev2_addr *addr)
{
    for (size_t i = 0; i < s->count; i++) {
        ikev2_selector *t = &s->list[i];
        if (t->family != addr->family)
            continue;
        memcpy(t->start, addr->bytes, sizeof(t->start));
        memcpy(t->end, addr->bytes, sizeof(t->end));
    }
}

/* RFC 7296 3.13.1: 65535 to 0 is OPAQUE; no other range of ports begins behind its end. */
static bool runs_backwards(const ikev2_selector *s)
{
    return s->start_port > s->end_port && !(s->start_port == UINT16_MAX && s->end_port == 0);
}

static bool intersect(const ikev2_selector *a, const ikev2_selector *b, ikev2_selector *out)
{
    if (a->family != b->family || (a->protocol && b->protocol && a->protocol != b->protocol) ||
        runs_backwards(a) || runs_backwards(b))
        return false;
    ikev2_selector s = *a;
    if (!s.protocol)
        s.protocol = b->protocol;
    if (b->start_port > s.start_port)
        s.start_port = b->start_port;
    if (b->end_port < s.end_port)
        s.end_port = b->end_port;
    /* RFC 7296 3.13.1: 65535 to 0 is OPAQUE; it meets only itself and any. */
    const bool any_a = a->start_port == 0 && a->end_port == UINT16_MAX;
    const bool any_b = b->start_port == 0 && b->end_port == UINT16_MAX;
    if (any_a || any_b) {
        s.start_port = any_a ? b->start_port : a->start_port;
        s.end_port = any_a ? b->end_port : a->end_port;
    } else if (s.start_port > s.end_port &&
               (a->start_port != b->start_port || a->end_port != b->end_port)) {
        return false;
    }
    if (memcmp(b->start, s.start, sizeof(s.start)) > 0)
        memcpy(s.start, b->start, sizeof(s.start));
    if (memcmp(b->end, s.end, sizeof(s.end)) < 0)
        memcpy(s.end, b->end, sizeof(s.end));
    if (memcmp(s.start, s.end, sizeof(s.start)) > 0)
        return false;
    *out = s;
    return true;
}

static bool is_equal(const ikev2_selector *a, const ikev2_selector *b)
{
    return a->family == b->family && a->protocol == b->protocol && a->start_port == b->start_port &&
           a->end_port == b->end_port && memcmp(a->start, b->start, sizeof(a->start)) == 0 &&
           memcmp(a->end, b->end, sizeof(a->end)) == 0;
}

static bool within(const ikev2_selector *inner, const ikev2_selector *outer)
{
    ikev2_selector both;
    return intersect(inner, outer, &both) && is_equal(&both, inner);
}

/* RFC 7296 2.9 */
void ikev2__selectors_narrow(const ikev2__selectors *a, const ikev2__selectors *b,
                             ikev2__selectors *out)
{
    out->count = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++) {
            ikev2_selector s;
            bool covered = false;
            if (!intersect(&a->list[i], &b->list[k], &s))
                continue;
            for (size_t n = 0; n < out->count && !covered; n++)
                covered = within(&s, &out->list[n]);
            if (!covered && out->count < IKEV2_MAX_SELECTORS)
                out->list[out->count++] = s;
        }
}

bool ikev2__selectors_within(const ikev2__selectors *inner, const ikev2__selectors *outer)
{
    for (size_t i = 0; i < inner->count; i++) {
        bool found = false;
        for (size_t k = 0; k < outer->count && !found; k++)
            found = within(&inner->list[i], &outer->list[k]);
        if (!found)
            return false;
    }
    return inner->count > 0;
}
