/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * NLRI, route distinguishers and route targets.
 */
#include "codec.h"

enum {
    LABEL_BITS = 24,
    RD_BITS = 64,
    AS_BITS = 32,
    LABEL_SHIFT = 4,
    LABEL_BOTTOM = 1,
    LABEL_WITHDRAWN = 0x800000, /* RFC 8277 2.4 */
    TYPE_AS2 = 0,
    TYPE_IPV4 = 1,
    TYPE_AS4 = 2,
    SUBTYPE_ROUTE_TARGET = 2
};

static int known_table(uint32_t table)
{
    return table == BGPVPN_TABLE_IPV4 || table == BGPVPN_TABLE_IPV6 ||
           table == BGPVPN_TABLE_VPNV4 || table == BGPVPN_TABLE_VPNV6 ||
           table == BGPVPN_TABLE_TARGETS;
}

static int is_vpn(uint32_t table)
{
    return bgpvpn__table_safi(table) == BGPVPN_SAFI_VPN;
}

static int length_ok(uint32_t table, unsigned bits)
{
    /* RFC 4684 4: an AS number cannot be cut short; no bits at all mean every target. */
    if (table == BGPVPN_TABLE_TARGETS && bits > 0 && bits < AS_BITS)
        return 0;
    return bits <= bgpvpn__table_bits(table);
}

bgpvpn_rc bgpvpn_nlri_next(uint32_t table, uint8_t withdraw, const uint8_t *buf, size_t len,
                           size_t *it, bgpvpn_nlri *out)
{
    (void)withdraw; /* the label of a withdrawal is read as any other, and means nothing */
    if (!it || !out || (!buf && len > 0) || !known_table(table))
        return BGPVPN_ERR_ARG;
    if (*it >= len)
        return BGPVPN_OK;

    wire_reader r = wire_reader_make(buf + *it, len - *it);
    bgpvpn_nlri n = {.label = BGPVPN_LABEL_NONE};
    unsigned bits = wire_get_u8(&r);
    if (is_vpn(table)) {
        /* RFC 8277 2.2: one label, whatever its S bit says. */
        if (bits < LABEL_BITS + RD_BITS)
            return BGPVPN_ERR_NLRI;
        n.label = wire_get_u24(&r) >> LABEL_SHIFT;
        n.labels = 1;
        wire_get_copy(&r, n.rd, BGPVPN_RD_LEN);
        bits -= LABEL_BITS + RD_BITS;
    }
    if (!length_ok(table, bits))
        return BGPVPN_ERR_NLRI;
    const size_t bytes = (bits + 7) / 8;
    wire_get_copy(&r, n.prefix.bytes, bytes);
    if (!wire_ok(&r))
        return BGPVPN_ERR_NLRI;
    /* RFC 4271 4.3: bits beyond the length mean nothing. */
    if (bits % 8)
        n.prefix.bytes[bytes - 1] &= (uint8_t)(0xff << (8 - bits % 8));
    n.prefix.family = bgpvpn__table_family(table);
    n.prefix.prefix_len = (uint8_t)bits;
    *it = len - r.left;
    *out = n;
    return BGPVPN_YES;
}

bgpvpn_rc bgpvpn_nlri_encode(uint32_t table, uint8_t withdraw, const bgpvpn_nlri *nlri,
                             uint8_t *buf, size_t cap, size_t *len)
{
    if (!nlri || !buf || !len || !known_table(table))
        return BGPVPN_ERR_ARG;
    const unsigned bits = nlri->prefix.prefix_len;
    if (nlri->prefix.family != bgpvpn__table_family(table) || !length_ok(table, bits) ||
        (is_vpn(table) && !withdraw && nlri->label > BGPVPN_LABEL_MAX))
        return BGPVPN_ERR_ARG;

    wire_writer w = wire_writer_make(buf, cap);
    if (is_vpn(table)) {
        wire_put_u8(&w, (uint8_t)(bits + LABEL_BITS + RD_BITS));
        const uint32_t field =
            withdraw ? LABEL_WITHDRAWN : nlri->label << LABEL_SHIFT | LABEL_BOTTOM;
        const uint8_t label[BGPVPN_LABEL_LEN] = {(uint8_t)(field >> 16), (uint8_t)(field >> 8),
                                                 (uint8_t)field};
        wire_put_bytes(&w, label, sizeof(label));
        wire_put_bytes(&w, nlri->rd, BGPVPN_RD_LEN);
    } else {
        wire_put_u8(&w, (uint8_t)bits);
    }
    wire_put_bytes(&w, nlri->prefix.bytes, (bits + 7) / 8);
    *len = w.len;
    return wire_fits(&w) ? BGPVPN_OK : BGPVPN_ERR_BUFFER;
}

/* Type and value as route distinguishers and extended communities share them. */
static bgpvpn_rc make(uint32_t admin, uint32_t assigned, uint8_t ipv4, uint8_t *type,
                      uint8_t value[6])
{
    const int wide = ipv4 || admin > UINT16_MAX;
    if (wide && assigned > UINT16_MAX)
        return BGPVPN_ERR_ARG;
    *type = ipv4 ? TYPE_IPV4 : wide ? TYPE_AS4 : TYPE_AS2;
    if (wide) {
        wire_set_u32(value, admin);
        wire_set_u16(value + 4, (uint16_t)assigned);
    } else {
        wire_set_u16(value, (uint16_t)admin);
        wire_set_u32(value + 2, assigned);
    }
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_rd_make(uint32_t admin, uint32_t number, uint8_t ipv4, uint8_t out[8])
{
    uint8_t type = 0;
    if (!out || make(admin, number, ipv4, &type, out + 2) != BGPVPN_OK)
        return BGPVPN_ERR_ARG;
    /* RFC 4364 4.2: the type is a number of two octets. */
    out[0] = 0;
    out[1] = type;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_rt_make(uint32_t admin, uint32_t number, uint8_t ipv4, uint8_t out[8])
{
    uint8_t type = 0;
    if (!out || make(admin, number, ipv4, &type, out + 2) != BGPVPN_OK)
        return BGPVPN_ERR_ARG;
    /* RFC 4360 4: the type is the high octet, the low one says route target. */
    out[0] = type;
    out[1] = SUBTYPE_ROUTE_TARGET;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_rt_check(const uint8_t community[8])
{
    if (!community)
        return BGPVPN_ERR_ARG;
    return community[0] <= TYPE_AS4 && community[1] == SUBTYPE_ROUTE_TARGET ? BGPVPN_YES
                                                                            : BGPVPN_OK;
}
