/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/mtu.h>

#include "ip.h"

#include <internal/wire.h>

#define FRAGMENT_UNIT 8
#define OPTION_END    0
#define OPTION_NOP    1
#define OPTION_COPIED 0x80

/*
 * Turns the options that only the first fragment carries into padding (RFC 791 3.1: the copied
 * flag), for a later one. False where an option's length does not fit.
 */
static bool set_options(uint8_t *header, size_t header_len, bool later)
{
    for (size_t at = IPV4_HEADER_MIN; at < header_len;) {
        if (header[at] == OPTION_END)
            return true;
        if (header[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (header_len - at < 2 || header[at + 1] < 2 || header[at + 1] > header_len - at)
            return false;
        const size_t option_len = header[at + 1];
        if (later && !(header[at] & OPTION_COPIED))
            memset(header + at, OPTION_NOP, option_len);
        at += option_len;
    }
    return true;
}

static gre_rc check(const uint8_t *packet, size_t len, uint32_t mtu, ip_view *v)
{
    if (len > 0 && packet[0] >> 4 != IP_VERSION_4)
        return GRE_ERR_VERSION;
    const gre_rc rc = gre__ip_decode(packet, len, v);
    if (rc != GRE_OK)
        return rc;
    if (v->total_len > mtu && v->dont_fragment)
        return GRE_ERR_TOO_BIG;
    const uint32_t begin = (uint32_t)(v->fragment_field & IPV4_OFFSET_MASK) * FRAGMENT_UNIT;
    if (begin + v->total_len > IP_MAX_BYTES)
        return GRE_ERR_MALFORMED;
    /* RFC 791 3.2: where more fragments follow, the next one begins at a multiple of the unit. */
    const bool cut =
        (v->fragment_field & IPV4_MF) && (v->total_len - v->header_len) % FRAGMENT_UNIT;
    return cut ? GRE_ERR_MALFORMED : GRE_OK;
}

gre_rc gre_fragment_next(const uint8_t *packet, size_t len, uint32_t mtu, size_t *it, uint8_t *out,
                         size_t cap, size_t *out_len)
{
    if (!packet || !it || !out || !out_len || mtu < GRE_MTU_IPV4_MIN)
        return GRE_ERR_ARG;
    ip_view v;
    const gre_rc rc = check(packet, len, mtu, &v);
    if (rc != GRE_OK)
        return rc;

    /* The iterator is 0, or one more than the payload bytes that went out. */
    const size_t payload_len = v.total_len - v.header_len;
    const size_t sent = *it ? *it - 1 : 0;
    if (*it && sent == payload_len)
        return GRE_OK;
    if (sent > payload_len || sent % FRAGMENT_UNIT)
        return GRE_ERR_ARG;

    const size_t left = payload_len - sent;
    const size_t room = mtu - v.header_len;
    const size_t take = left <= room ? left : room / FRAGMENT_UNIT * FRAGMENT_UNIT;
    const size_t total = v.header_len + take;
    /* Before the first fragment is out, not between it and the second. */
    uint8_t header[60];
    memcpy(header, packet, v.header_len);
    if (take < payload_len && !set_options(header, v.header_len, sent > 0))
        return GRE_ERR_MALFORMED;
    *out_len = total;
    if (total > cap)
        return GRE_ERR_BUFFER;

    const uint16_t more = take < left ? IPV4_MF : v.fragment_field & IPV4_MF;
    const uint16_t at = (uint16_t)((v.fragment_field & IPV4_OFFSET_MASK) + sent / FRAGMENT_UNIT);
    wire_set_u16(header + IPV4_TOTAL_LEN_AT, (uint16_t)total);
    wire_set_u16(header + IPV4_FRAGMENT_AT, (uint16_t)((v.fragment_field & IPV4_DF) | more | at));
    wire_set_u16(header + IPV4_CHECKSUM_AT, 0);
    gre__ip_finish(header, v.header_len);
    memcpy(out, header, v.header_len);
    memcpy(out + v.header_len, packet + v.header_len + sent, take);
    *it = sent + take + 1;
    return GRE_YES;
}
