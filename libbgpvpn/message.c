/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Framing, OPEN, NOTIFICATION, KEEPALIVE, ROUTE-REFRESH.
 */
#include "codec.h"

#include <bgpvpn/capability.h>

enum {
    VERSION = 4,
    PARAMETER_CAPABILITIES = 2,
    PARAMETER_EXTENDED = 255, /* RFC 9072 2 */
    OPEN_MIN = 29,
    UPDATE_MIN = 23,
    NOTIFICATION_MIN = 21,
    REFRESH_LEN = 23,
    HOLD_TIME_MIN_S = 3,
    TARGETS_BITS = 96,         /* RFC 4684 4 */
    RESTART_TIME_MAX = 0x0fff, /* RFC 4724 3 */
    RESTART_R = 0x8000,
    RESTART_N = 0x4000, /* RFC 8538 2 */
    RESTART_F = 0x80,
    CODE_CEASE = 6,
    CEASE_SHUTDOWN = 2,
    CEASE_RESET = 4,
    CEASE_HARD_RESET = 9
};

bgpvpn_rc bgpvpn_rc_notification(bgpvpn_rc rc, uint8_t *code, uint8_t *subcode)
{
    /* RFC 4271 4.5, RFC 5492 5, RFC 7313 5 */
    static const struct {
        bgpvpn_rc rc;
        uint8_t code, subcode;
    } earns[] = {
        {BGPVPN_ERR_MARKER, 1, 1},     {BGPVPN_ERR_LENGTH, 1, 2},
        {BGPVPN_ERR_TYPE, 1, 3},       {BGPVPN_ERR_OPEN, 2, 0},
        {BGPVPN_ERR_VERSION, 2, 1},    {BGPVPN_ERR_PEER_AS, 2, 2},
        {BGPVPN_ERR_IDENTIFIER, 2, 3}, {BGPVPN_ERR_PARAMETER, 2, 4},
        {BGPVPN_ERR_HOLD_TIME, 2, 6},  {BGPVPN_ERR_CAPABILITY, 2, 7},
        {BGPVPN_ERR_ATTRIBUTES, 3, 1}, {BGPVPN_ERR_MULTIPROTOCOL, 3, 9},
        {BGPVPN_ERR_NLRI, 3, 10},      {BGPVPN_ERR_REFRESH, 7, 1},
    };
    if (!code || !subcode)
        return BGPVPN_ERR_ARG;
    for (size_t i = 0; i < sizeof(earns) / sizeof(earns[0]); i++) {
        if (earns[i].rc == rc) {
            *code = earns[i].code;
            *subcode = earns[i].subcode;
            return BGPVPN_OK;
        }
    }
    return BGPVPN_ERR_ARG;
}

uint32_t bgpvpn__table(uint16_t afi, uint8_t safi)
{
    if (afi != BGPVPN_AFI_IPV4 && afi != BGPVPN_AFI_IPV6)
        return 0;
    if (safi == BGPVPN_SAFI_UNICAST)
        return afi == BGPVPN_AFI_IPV4 ? BGPVPN_TABLE_IPV4 : BGPVPN_TABLE_IPV6;
    if (safi == BGPVPN_SAFI_VPN)
        return afi == BGPVPN_AFI_IPV4 ? BGPVPN_TABLE_VPNV4 : BGPVPN_TABLE_VPNV6;
    return afi == BGPVPN_AFI_IPV4 && safi == BGPVPN_SAFI_TARGETS ? BGPVPN_TABLE_TARGETS : 0;
}

uint16_t bgpvpn__table_afi(uint32_t table)
{
    return table & (BGPVPN_TABLE_IPV6 | BGPVPN_TABLE_VPNV6) ? BGPVPN_AFI_IPV6 : BGPVPN_AFI_IPV4;
}

uint8_t bgpvpn__table_safi(uint32_t table)
{
    if (table & BGPVPN_TABLE_TARGETS)
        return BGPVPN_SAFI_TARGETS;
    return table & BGPVPN_TABLES_VPN ? BGPVPN_SAFI_VPN : BGPVPN_SAFI_UNICAST;
}

uint32_t bgpvpn__table_index(uint32_t table)
{
    uint32_t index = 0;
    while (table >>= 1)
        index++;
    return index;
}

uint8_t bgpvpn__table_bits(uint32_t table)
{
    if (table & BGPVPN_TABLE_TARGETS)
        return TARGETS_BITS;
    return bgpvpn__table_afi(table) == BGPVPN_AFI_IPV4 ? 32 : 128;
}

uint8_t bgpvpn__table_family(uint32_t table)
{
    if (table & BGPVPN_TABLE_TARGETS)
        return BGPVPN_FAMILY_NONE;
    return bgpvpn__table_afi(table) == BGPVPN_AFI_IPV4 ? BGPVPN_FAMILY_IPV4 : BGPVPN_FAMILY_IPV6;
}

static bgpvpn_rc read_header(const uint8_t *buf, size_t len, bool extended, bgpvpn_header *out)
{
    static const uint16_t minimum[] = {
        0, OPEN_MIN, UPDATE_MIN, NOTIFICATION_MIN, BGPVPN_HEADER_LEN, REFRESH_LEN};
    if (!buf || !out)
        return BGPVPN_ERR_ARG;
    wire_reader r = wire_reader_make(buf, len);
    const uint8_t *marker = wire_get_bytes(&r, BGPVPN_MARKER_LEN);
    const bgpvpn_header h = {.length = wire_get_u16(&r), .type = wire_get_u8(&r)};
    if (!wire_ok(&r))
        return BGPVPN_ERR_TRUNCATED;

    /* RFC 4271 6.1 */
    for (size_t i = 0; i < BGPVPN_MARKER_LEN; i++)
        if (marker[i] != 0xff)
            return BGPVPN_ERR_MARKER;
    if (h.length < BGPVPN_HEADER_LEN || (h.length > BGPVPN_MESSAGE_MAX && !extended))
        return BGPVPN_ERR_LENGTH;
    if (h.type < BGPVPN_MESSAGE_OPEN || h.type > BGPVPN_MESSAGE_REFRESH)
        return BGPVPN_ERR_TYPE;
    /* A ROUTE-REFRESH of a wrong length has an error of its own (RFC 7313 5). */
    if (h.type != BGPVPN_MESSAGE_REFRESH && h.length < minimum[h.type])
        return BGPVPN_ERR_LENGTH;
    if (h.type == BGPVPN_MESSAGE_KEEPALIVE && h.length != BGPVPN_HEADER_LEN)
        return BGPVPN_ERR_LENGTH;
    /* RFC 8654 4 */
    if (h.type == BGPVPN_MESSAGE_OPEN && h.length > BGPVPN_MESSAGE_MAX)
        return BGPVPN_ERR_LENGTH;
    *out = h;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_header_decode(const uint8_t *buf, size_t len, bgpvpn_header *out)
{
    return read_header(buf, len, false, out);
}

bgpvpn_rc bgpvpn_extended_header_decode(const uint8_t *buf, size_t len, bgpvpn_header *out)
{
    return read_header(buf, len, true, out);
}

/* A cursor over the body of one whole message of the type; how long it may be is settled. */
static bgpvpn_rc body(const uint8_t *buf, size_t len, uint8_t type, wire_reader *out)
{
    bgpvpn_header h;
    const bgpvpn_rc rc = bgpvpn_extended_header_decode(buf, len, &h);
    if (rc != BGPVPN_OK)
        return rc;
    if (h.type != type)
        return BGPVPN_ERR_TYPE;
    if (h.length != len)
        return h.length > len ? BGPVPN_ERR_TRUNCATED : BGPVPN_ERR_LENGTH;
    *out = wire_reader_make(buf + BGPVPN_HEADER_LEN, len - BGPVPN_HEADER_LEN);
    return BGPVPN_OK;
}

static bgpvpn_rc read_capability(const bgpvpn_capability *c, bgpvpn_open *open)
{
    wire_reader r = wire_reader_make(c->value, c->len);
    switch (c->code) {
    case BGPVPN_CAPABILITY_MULTIPROTOCOL: {
        const uint16_t afi = wire_get_u16(&r);
        (void)wire_get_u8(&r);
        const uint8_t safi = wire_get_u8(&r);
        if (!wire_done(&r))
            return BGPVPN_ERR_OPEN;
        open->capabilities |= BGPVPN_CAPABLE_MULTIPROTOCOL;
        open->tables |= bgpvpn__table(afi, safi);
        return BGPVPN_OK;
    }
    case BGPVPN_CAPABILITY_AS4: {
        const uint32_t as = wire_get_u32(&r);
        if (!wire_done(&r))
            return BGPVPN_ERR_OPEN;
        open->capabilities |= BGPVPN_CAPABLE_AS4;
        open->as = as;
        return BGPVPN_OK;
    }
    case BGPVPN_CAPABILITY_REFRESH:
        open->capabilities |= c->len == 0 ? BGPVPN_CAPABLE_REFRESH : 0;
        return BGPVPN_OK;
    case BGPVPN_CAPABILITY_ENHANCED_REFRESH:
        open->capabilities |= c->len == 0 ? BGPVPN_CAPABLE_ENHANCED_REFRESH : 0;
        return BGPVPN_OK;
    case BGPVPN_CAPABILITY_EXTENDED_MESSAGE:
        open->capabilities |= c->len == 0 ? BGPVPN_CAPABLE_EXTENDED_MESSAGE : 0;
        return BGPVPN_OK;
    case BGPVPN_CAPABILITY_GRACEFUL_RESTART:
        /* Two octets, then four for each family (RFC 4724 3). */
        open->capabilities |= c->len % 4 == 2 ? BGPVPN_CAPABLE_GRACEFUL_RESTART : 0;
        return BGPVPN_OK;
    default:
        return BGPVPN_OK;
    }
}

/* Finds the optional parameters, whose length has one octet or two (RFC 9072 2). */
static bgpvpn_rc find_parameters(wire_reader *r, bgpvpn_open *open)
{
    size_t len = wire_get_u8(r);
    if (len > 0 && r->left > 0 && r->next[0] == PARAMETER_EXTENDED) {
        (void)wire_get_u8(r);
        len = wire_get_u16(r);
        open->parameters_wide = 1;
    }
    open->parameters_len = len;
    open->parameters = wire_get_bytes(r, len);
    return wire_done(r) ? BGPVPN_OK : BGPVPN_ERR_OPEN;
}

/* Every parameter is whole and holds whole capabilities. */
static bgpvpn_rc check_parameters(const bgpvpn_open *open)
{
    wire_reader r = wire_reader_make(open->parameters, open->parameters_len);
    while (r.left > 0) {
        const uint8_t type = wire_get_u8(&r);
        const size_t len = open->parameters_wide ? wire_get_u16(&r) : wire_get_u8(&r);
        wire_reader value = wire_sub(&r, len);
        if (!wire_ok(&r))
            return BGPVPN_ERR_OPEN;
        if (type != PARAMETER_CAPABILITIES)
            return BGPVPN_ERR_PARAMETER;
        while (value.left > 0) {
            (void)wire_get_u8(&value);
            (void)wire_get_bytes(&value, wire_get_u8(&value));
        }
        if (!wire_done(&value))
            return BGPVPN_ERR_OPEN;
    }
    return wire_done(&r) ? BGPVPN_OK : BGPVPN_ERR_OPEN;
}

bgpvpn_rc bgpvpn_open_decode(const uint8_t *buf, size_t len, bgpvpn_open *out)
{
    if (!buf || !out)
        return BGPVPN_ERR_ARG;
    wire_reader r;
    bgpvpn_rc rc = body(buf, len, BGPVPN_MESSAGE_OPEN, &r);
    if (rc != BGPVPN_OK)
        return rc;

    bgpvpn_open open = {0};
    const uint8_t version = wire_get_u8(&r);
    open.my_as = wire_get_u16(&r);
    open.hold_time_s = wire_get_u16(&r);
    open.router_id = wire_get_u32(&r);
    open.as = open.my_as;
    /* RFC 4271 6.2 */
    if (version != VERSION)
        return BGPVPN_ERR_VERSION;
    rc = find_parameters(&r, &open);
    if (rc == BGPVPN_OK)
        rc = check_parameters(&open);
    if (rc != BGPVPN_OK)
        return rc;

    size_t it = 0;
    bgpvpn_capability c;
    while (bgpvpn_capability_next(&open, &it, &c) == BGPVPN_YES) {
        rc = read_capability(&c, &open);
        if (rc != BGPVPN_OK)
            return rc;
    }
    /* RFC 4760 8: without the capability the session carries IPv4 unicast. */
    if (!(open.capabilities & BGPVPN_CAPABLE_MULTIPROTOCOL))
        open.tables = BGPVPN_TABLE_IPV4;
    if (open.as == 0)
        return BGPVPN_ERR_PEER_AS;
    if (open.hold_time_s != 0 && open.hold_time_s < HOLD_TIME_MIN_S)
        return BGPVPN_ERR_HOLD_TIME;
    /* RFC 6286 2.1 */
    if (open.router_id == 0)
        return BGPVPN_ERR_IDENTIFIER;
    *out = open;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_capability_next(const bgpvpn_open *open, size_t *it, bgpvpn_capability *out)
{
    if (!open || !it || !out || (!open->parameters && open->parameters_len > 0))
        return BGPVPN_ERR_ARG;
    /* The position is that of a capability; the parameter that holds it is found anew. */
    wire_reader r = wire_reader_make(open->parameters, open->parameters_len);
    while (r.left > 0) {
        (void)wire_get_u8(&r);
        const size_t len = open->parameters_wide ? wire_get_u16(&r) : wire_get_u8(&r);
        wire_reader value = wire_sub(&r, len);
        while (value.left > 0) {
            const size_t at = (size_t)(value.next - open->parameters);
            const uint8_t code = wire_get_u8(&value);
            const size_t value_len = wire_get_u8(&value);
            const uint8_t *bytes = wire_get_bytes(&value, value_len);
            if (!wire_ok(&value))
                return BGPVPN_OK;
            if (at < *it)
                continue;
            out->value = bytes;
            out->len = value_len;
            out->code = code;
            out->reserved = 0;
            *it = at + 1;
            return BGPVPN_YES;
        }
    }
    return BGPVPN_OK;
}

void bgpvpn__put_header(wire_writer *w, uint8_t type)
{
    static const uint8_t marker[BGPVPN_MARKER_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0xff};
    wire_put_bytes(w, marker, sizeof(marker));
    wire_put_u16(w, 0);
    wire_put_u8(w, type);
}

bgpvpn_rc bgpvpn__end_message(wire_writer *w, size_t *len)
{
    if (w->len > BGPVPN_EXTENDED_MAX)
        return BGPVPN_ERR_ARG;
    *len = w->len;
    wire_patch_u16(w, BGPVPN_MARKER_LEN, (uint16_t)w->len);
    return wire_fits(w) ? BGPVPN_OK : BGPVPN_ERR_BUFFER;
}

/* A parameter of its own for each capability; wide: as RFC 9072 has it. */
static void put_capability(wire_writer *w, bool wide, uint8_t code, size_t len)
{
    wire_put_u8(w, PARAMETER_CAPABILITIES);
    if (wide)
        wire_put_u16(w, (uint16_t)(len + 2));
    else
        wire_put_u8(w, (uint8_t)(len + 2));
    wire_put_u8(w, code);
    wire_put_u8(w, (uint8_t)len);
}

static void put_parameters(wire_writer *w, bool wide, const bgpvpn_open *open,
                           const bgpvpn_capability *more, size_t count)
{
    for (uint32_t table = BGPVPN_TABLE_IPV4; table <= BGPVPN_TABLE_LAST; table <<= 1) {
        if (!(open->capabilities & BGPVPN_CAPABLE_MULTIPROTOCOL) || !(open->tables & table))
            continue;
        put_capability(w, wide, BGPVPN_CAPABILITY_MULTIPROTOCOL, 4);
        wire_put_u16(w, bgpvpn__table_afi(table));
        wire_put_u8(w, 0);
        wire_put_u8(w, bgpvpn__table_safi(table));
    }
    if (open->capabilities & BGPVPN_CAPABLE_REFRESH)
        put_capability(w, wide, BGPVPN_CAPABILITY_REFRESH, 0);
    if (open->capabilities & BGPVPN_CAPABLE_ENHANCED_REFRESH)
        put_capability(w, wide, BGPVPN_CAPABILITY_ENHANCED_REFRESH, 0);
    if (open->capabilities & BGPVPN_CAPABLE_EXTENDED_MESSAGE)
        put_capability(w, wide, BGPVPN_CAPABILITY_EXTENDED_MESSAGE, 0);
    if (open->capabilities & BGPVPN_CAPABLE_GRACEFUL_RESTART) {
        put_capability(w, wide, BGPVPN_CAPABILITY_GRACEFUL_RESTART, 2);
        wire_put_u16(w, 0);
    }
    if (open->capabilities & BGPVPN_CAPABLE_AS4) {
        put_capability(w, wide, BGPVPN_CAPABILITY_AS4, 4);
        wire_put_u32(w, open->as);
    }
    for (size_t i = 0; i < count; i++) {
        put_capability(w, wide, (uint8_t)more[i].code, more[i].len);
        wire_put_bytes(w, more[i].value, more[i].len);
    }
}

static bool are_capabilities(const bgpvpn_capability *more, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (more[i].code > UINT8_MAX || more[i].len > UINT8_MAX ||
            (!more[i].value && more[i].len > 0))
            return false;
    return true;
}

bgpvpn_rc bgpvpn_open_encode(const bgpvpn_open *open, uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_open_encode_with(open, NULL, 0, buf, cap, len);
}

bgpvpn_rc bgpvpn_open_encode_with(const bgpvpn_open *open, const bgpvpn_capability *more,
                                  size_t count, uint8_t *buf, size_t cap, size_t *len)
{
    if (!open || !buf || !len || (!more && count > 0) || count > BGPVPN_MESSAGE_MAX ||
        !are_capabilities(more, count))
        return BGPVPN_ERR_ARG;
    wire_writer parameters = wire_writer_make(NULL, 0);
    put_parameters(&parameters, false, open, more, count);
    const bool wide = open->parameters_wide || parameters.len > UINT8_MAX;
    if (wide) {
        parameters = wire_writer_make(NULL, 0);
        put_parameters(&parameters, true, open, more, count);
    }

    wire_writer w = wire_writer_make(buf, cap);
    bgpvpn__put_header(&w, BGPVPN_MESSAGE_OPEN);
    wire_put_u8(&w, VERSION);
    wire_put_u16(&w, open->as > UINT16_MAX ? BGPVPN_AS_TRANS : (uint16_t)open->as);
    wire_put_u16(&w, open->hold_time_s);
    wire_put_u32(&w, open->router_id);
    if (wide) {
        wire_put_u8(&w, PARAMETER_EXTENDED);
        wire_put_u8(&w, PARAMETER_EXTENDED);
        wire_put_u16(&w, (uint16_t)parameters.len);
    } else {
        wire_put_u8(&w, (uint8_t)parameters.len);
    }
    if (w.len + parameters.len > BGPVPN_MESSAGE_MAX)
        return BGPVPN_ERR_ARG;
    put_parameters(&w, wide, open, more, count);
    return bgpvpn__end_message(&w, len);
}

/* ---- Graceful restart ---- */

bgpvpn_rc bgpvpn_restart_decode(const bgpvpn_capability *capability, bgpvpn_restart *out)
{
    if (!capability || !out || (!capability->value && capability->len > 0) ||
        capability->code != BGPVPN_CAPABILITY_GRACEFUL_RESTART)
        return BGPVPN_ERR_ARG;
    wire_reader r = wire_reader_make(capability->value, capability->len);
    bgpvpn_restart restart = {0};
    const uint16_t head = wire_get_u16(&r);
    restart.time_s = head & RESTART_TIME_MAX;
    restart.flags = (head & RESTART_R ? (uint32_t)BGPVPN_RESTART_RESTARTED : 0) |
                    (head & RESTART_N ? (uint32_t)BGPVPN_RESTART_NOTIFICATION : 0);
    while (r.left > 0) {
        const uint16_t afi = wire_get_u16(&r);
        const uint32_t table = bgpvpn__table(afi, wire_get_u8(&r));
        restart.tables |= table;
        restart.preserved |= wire_get_u8(&r) & RESTART_F ? table : 0;
    }
    if (!wire_done(&r))
        return BGPVPN_ERR_OPEN;
    *out = restart;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_restart_encode(const bgpvpn_restart *restart, uint8_t *buf, size_t cap,
                                size_t *len)
{
    if (!restart || !buf || !len || restart->time_s > RESTART_TIME_MAX ||
        restart->tables & ~(2 * (uint32_t)BGPVPN_TABLE_LAST - 1) ||
        restart->preserved & ~restart->tables ||
        restart->flags & ~(uint32_t)(BGPVPN_RESTART_RESTARTED | BGPVPN_RESTART_NOTIFICATION))
        return BGPVPN_ERR_ARG;
    wire_writer w = wire_writer_make(buf, cap);
    const unsigned r = restart->flags & BGPVPN_RESTART_RESTARTED ? RESTART_R : 0;
    const unsigned n = restart->flags & BGPVPN_RESTART_NOTIFICATION ? RESTART_N : 0;
    wire_put_u16(&w, (uint16_t)(r | n | restart->time_s));
    for (uint32_t table = BGPVPN_TABLE_IPV4; table <= BGPVPN_TABLE_LAST; table <<= 1) {
        if (!(restart->tables & table))
            continue;
        wire_put_u16(&w, bgpvpn__table_afi(table));
        wire_put_u8(&w, bgpvpn__table_safi(table));
        wire_put_u8(&w, restart->preserved & table ? RESTART_F : 0);
    }
    *len = w.len;
    return wire_fits(&w) ? BGPVPN_OK : BGPVPN_ERR_BUFFER;
}

bgpvpn_rc bgpvpn_notification_decode(const uint8_t *buf, size_t len, bgpvpn_notification *out)
{
    if (!buf || !out)
        return BGPVPN_ERR_ARG;
    wire_reader r;
    const bgpvpn_rc rc = body(buf, len, BGPVPN_MESSAGE_NOTIFICATION, &r);
    if (rc != BGPVPN_OK)
        return rc;
    out->code = wire_get_u8(&r);
    out->subcode = wire_get_u8(&r);
    out->len = r.left;
    out->data = wire_get_bytes(&r, r.left);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_notification_text(const bgpvpn_notification *n, const uint8_t **text, size_t *len)
{
    if (!n || !text || !len)
        return BGPVPN_ERR_ARG;
    wire_reader r = wire_reader_make(n->data, n->data ? n->len : 0);
    uint32_t code = n->code, subcode = n->subcode;
    /* RFC 8538 5.2 */
    if (code == CODE_CEASE && subcode == CEASE_HARD_RESET) {
        code = wire_get_u8(&r);
        subcode = wire_get_u8(&r);
    }
    if (code != CODE_CEASE || (subcode != CEASE_SHUTDOWN && subcode != CEASE_RESET))
        return BGPVPN_ERR_ABSENT;
    /* RFC 9003 2: an octet of length, then that much text. */
    const size_t text_len = wire_get_u8(&r);
    const uint8_t *bytes = wire_get_bytes(&r, text_len);
    if (!wire_ok(&r))
        return BGPVPN_ERR_ABSENT;
    *text = bytes;
    *len = text_len;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_notification_encode(const bgpvpn_notification *n, uint8_t *buf, size_t cap,
                                     size_t *len)
{
    if (!n || !buf || !len || n->code > UINT8_MAX || n->subcode > UINT8_MAX ||
        (!n->data && n->len > 0) || n->len > BGPVPN_MESSAGE_MAX - NOTIFICATION_MIN)
        return BGPVPN_ERR_ARG;
    wire_writer w = wire_writer_make(buf, cap);
    bgpvpn__put_header(&w, BGPVPN_MESSAGE_NOTIFICATION);
    wire_put_u8(&w, (uint8_t)n->code);
    wire_put_u8(&w, (uint8_t)n->subcode);
    wire_put_bytes(&w, n->data, n->len);
    return bgpvpn__end_message(&w, len);
}

bgpvpn_rc bgpvpn_keepalive_encode(uint8_t *buf, size_t cap, size_t *len)
{
    if (!buf || !len)
        return BGPVPN_ERR_ARG;
    wire_writer w = wire_writer_make(buf, cap);
    bgpvpn__put_header(&w, BGPVPN_MESSAGE_KEEPALIVE);
    return bgpvpn__end_message(&w, len);
}

bgpvpn_rc bgpvpn_refresh_decode(const uint8_t *buf, size_t len, bgpvpn_refresh *out)
{
    if (!buf || !out)
        return BGPVPN_ERR_ARG;
    wire_reader r;
    const bgpvpn_rc rc = body(buf, len, BGPVPN_MESSAGE_REFRESH, &r);
    if (rc != BGPVPN_OK)
        return rc;
    bgpvpn_refresh refresh = {0};
    refresh.afi = wire_get_u16(&r);
    refresh.subtype = wire_get_u8(&r);
    refresh.safi = wire_get_u8(&r);
    /* RFC 7313 5: marks carry nothing. A request may (ORF, which was not announced and is not
     * read), and so may subtypes to come. */
    const bool mark = refresh.subtype == REFRESH_BEGIN || refresh.subtype == REFRESH_END;
    if (!wire_ok(&r) || (mark && r.left > 0))
        return BGPVPN_ERR_REFRESH;
    *out = refresh;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_refresh_encode(const bgpvpn_refresh *refresh, uint8_t *buf, size_t cap,
                                size_t *len)
{
    if (!refresh || !buf || !len)
        return BGPVPN_ERR_ARG;
    wire_writer w = wire_writer_make(buf, cap);
    bgpvpn__put_header(&w, BGPVPN_MESSAGE_REFRESH);
    wire_put_u16(&w, refresh->afi);
    wire_put_u8(&w, refresh->subtype);
    wire_put_u8(&w, refresh->safi);
    return bgpvpn__end_message(&w, len);
}
