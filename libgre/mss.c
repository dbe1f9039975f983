/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The MSS clamp. Lowering the option is all that it ever does to a packet, and the TCP checksum
 * follows by difference (RFC 1624 3), so that a packet damaged before stays recognisably damaged.
 */
#include <gre/mtu.h>

#include "ip.h"

#include <internal/checksum.h>
#include <internal/wire.h>

#define TCP_HEADER_MIN     20
#define TCP_OFFSET_AT      12
#define TCP_FLAGS_AT       13
#define TCP_CHECKSUM_AT    16
#define TCP_SYN            0x02
#define TCP_OPTION_END     0
#define TCP_OPTION_NOP     1
#define TCP_OPTION_MSS     2
#define TCP_OPTION_MSS_LEN 4

uint16_t gre_mss_get(uint32_t mtu, uint8_t family)
{
    uint32_t headers = TCP_HEADER_MIN;
    if (family == GRE_FAMILY_IPV4)
        headers += IPV4_HEADER_MIN;
    else if (family == GRE_FAMILY_IPV6)
        headers += IPV6_HEADER;
    else
        return 0;
    if (mtu <= headers)
        return 0;
    return mtu - headers > UINT16_MAX ? UINT16_MAX : (uint16_t)(mtu - headers);
}

static uint16_t get_u16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

/* RFC 1624 3, eqn. 3. A field at an odd offset lies across two words: its bytes change places. */
static uint16_t checksum_replace(uint16_t checksum, uint16_t from, uint16_t to, bool odd)
{
    if (odd) {
        from = (uint16_t)(from << 8 | from >> 8);
        to = (uint16_t)(to << 8 | to >> 8);
    }
    return checksum_end((uint64_t)(uint16_t)~checksum + (uint16_t)~from + to);
}

/* Every option has a length that fits, up to the end. */
static bool options_are_good(const uint8_t *tcp, size_t header_len)
{
    for (size_t at = TCP_HEADER_MIN; at < header_len;) {
        if (tcp[at] == TCP_OPTION_END)
            return true;
        if (tcp[at] == TCP_OPTION_NOP) {
            at++;
            continue;
        }
        if (header_len - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > header_len - at)
            return false;
        if (tcp[at] == TCP_OPTION_MSS && tcp[at + 1] != TCP_OPTION_MSS_LEN)
            return false;
        at += tcp[at + 1];
    }
    return true;
}

static bool clamp_options(uint8_t *tcp, size_t header_len, uint16_t max_mss)
{
    bool changed = false;
    for (size_t at = TCP_HEADER_MIN; at < header_len && tcp[at] != TCP_OPTION_END;) {
        if (tcp[at] == TCP_OPTION_NOP) {
            at++;
            continue;
        }
        if (tcp[at] == TCP_OPTION_MSS && get_u16(tcp + at + 2) > max_mss) {
            const uint16_t sum = checksum_replace(get_u16(tcp + TCP_CHECKSUM_AT),
                                                  get_u16(tcp + at + 2), max_mss, at & 1);
            wire_set_u16(tcp + at + 2, max_mss);
            wire_set_u16(tcp + TCP_CHECKSUM_AT, sum);
            changed = true;
        }
        at += tcp[at + 1];
    }
    return changed;
}

gre_rc gre_mss_clamp(uint8_t *packet, size_t len, uint16_t max_mss)
{
    if (!packet || max_mss == 0)
        return GRE_ERR_ARG;
    ip_view v;
    if (gre__ip_decode(packet, len, &v) != GRE_OK || v.protocol != IP_PROTOCOL_TCP ||
        v.later_fragment || v.authenticated || v.total_len - v.payload_at < TCP_HEADER_MIN)
        return GRE_OK;
    uint8_t *tcp = packet + v.payload_at;
    const size_t header_len = (size_t)(tcp[TCP_OFFSET_AT] >> 4) * 4;
    if (!(tcp[TCP_FLAGS_AT] & TCP_SYN) || header_len < TCP_HEADER_MIN ||
        header_len > v.total_len - v.payload_at || !options_are_good(tcp, header_len))
        return GRE_OK;
    return clamp_options(tcp, header_len, max_mss) ? GRE_YES : GRE_OK;
}
