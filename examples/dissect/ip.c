/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * IPv4 and IPv6, and what they carry.
 */
#include "core.h"
#include "internal/checksum.h"
#include "internal/wire.h"

#include <esp/esp.h>
#include <gre/gre.h>
#include <string.h>

enum {
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    MORE_FRAGMENTS = 0x2000,
    DONT_FRAGMENT = 0x4000,
    FRAGMENT_OFFSET = 0x1fff,
    IPV6_FRAGMENT_OFFSET = 0xfff8,
    IPV6_MORE_FRAGMENTS = 1,
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_ESP = 50,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_DESTINATION = 60,
    EXTENSIONS_MAX = 16,
    ICMP_BYTES = 8,
    ICMP_UNREACHABLE = 3,
    ICMP_REDIRECT = 5,
    ICMP_ECHO_REPLY = 0,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129
};

static const name protocols[] = {
    {PROTOCOL_HOP_BY_HOP, "hop-by-hop"},
    {PROTOCOL_ICMP, "icmp"},
    {ESP_NEXT_IPV4, "ipv4"},
    {PROTOCOL_TCP, "tcp"},
    {PROTOCOL_UDP, "udp"},
    {ESP_NEXT_IPV6, "ipv6"},
    {PROTOCOL_ROUTING, "routing"},
    {PROTOCOL_FRAGMENT, "fragment"},
    {GRE_IP_PROTOCOL, "gre"},
    {PROTOCOL_ESP, "esp"},
    {PROTOCOL_ICMPV6, "icmpv6"},
    {ESP_NEXT_NONE, "none"},
    {PROTOCOL_DESTINATION, "options"},
    {0, NULL},
};

void ds_ip_protocol(dissector *d, node *layer, uint8_t protocol, span s)
{
    switch (protocol) {
    case PROTOCOL_ICMP:
        ds_enter(d, ds_icmp, s);
        break;
    case PROTOCOL_ICMPV6:
        ds_enter(d, ds_icmpv6, s);
        break;
    case PROTOCOL_TCP:
        ds_enter(d, ds_tcp, s);
        break;
    case PROTOCOL_UDP:
        ds_enter(d, ds_udp, s);
        break;
    case PROTOCOL_ESP:
        ds_enter(d, ds_esp, s);
        break;
    case GRE_IP_PROTOCOL:
        ds_enter(d, ds_gre, s);
        break;
    case ESP_NEXT_IPV4:
    case ESP_NEXT_IPV6:
        ds_enter(d, ds_ip, s);
        break;
    default:
        ds_payload(d, layer, &s);
        break;
    }
}

/* The packet within a frame, which may be padded; false: its length is more than there is. */
static bool limit(dissector *d, node *layer, const span *s, size_t total, span *out)
{
    if (total > s->wire_len && d->quoting == 0) {
        ds_fault_at(d, layer, s, s->bytes[0] >> 4 == 4 ? 2 : 4, NULL, RULES_IP, IP_ERR_LENGTH);
        return false;
    }
    *out = ds_first(s, total);
    return true;
}

/* RFC 791 3.2, RFC 8200 4.5: names a fragment, and goes on with the datagram when it is whole. */
static void put_fragment(dissector *d, node *layer, uint8_t protocol, uint32_t id, size_t offset,
                         bool more, span s)
{
    tree *t = &d->tree;
    tree_number(t, layer, "fragment_offset", offset);
    if (more)
        tree_true(t, layer, "more_fragments");
    ds_payload(d, layer, &s);
    if (d->quoting > 0 || ds_is_cut(&s)) {
        ds_cut(d, layer, &s);
        return;
    }
    if ((more && (s.len % FRAGMENT_UNIT || s.len == 0)) || offset + s.len >= DATAGRAM_BYTES) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_FRAGMENT);
        return;
    }
    fragment_key key = {
        .context = d->context, .id = id, .family = d->ends.family, .protocol = protocol};
    memcpy(key.source, d->ends.source, sizeof(key.source));
    memcpy(key.destination, d->ends.destination, sizeof(key.destination));
    datagram *g = fragments_add(&d->fragments, &key, offset, s.bytes, s.len, more);
    uint8_t *whole = g ? tree_memory(t, g->total) : NULL;
    if (whole) {
        const span joined = {
            .bytes = whole, .len = g->total, .wire_len = g->total, .buffer = "ip fragments"};
        memcpy(whole, g->bytes, g->total);
        fragments_release(g);
        tree_true(t, layer, "reassembled");
        ds_ip_protocol(d, layer, protocol, joined);
    }
}

/* RFC 791 3.1 */
static void ipv4(dissector *d, span s)
{
    tree *t = &d->tree;
    node *layer = ds_layer(d, "ipv4", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const size_t header = (size_t)(wire_get_u8(&r) & 15) * 4;
    const uint8_t tos = wire_get_u8(&r);
    const uint16_t total = wire_get_u16(&r);
    const uint16_t id = wire_get_u16(&r);
    const uint16_t fragment = wire_get_u16(&r);
    const uint8_t ttl = wire_get_u8(&r);
    const uint8_t protocol = wire_get_u8(&r);
    (void)wire_get_u16(&r); /* the checksum, summed with the rest */
    const uint8_t *source = wire_get_bytes(&r, 4);
    const uint8_t *destination = wire_get_bytes(&r, 4);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_TRUNCATED);
        return;
    }
    tree_ipv4(t, layer, "source", source);
    tree_ipv4(t, layer, "destination", destination);
    ds_name(d, layer, "protocol", protocols, protocol);
    tree_number(t, layer, "ttl", ttl);
    tree_number(t, layer, "tos", tos);
    tree_number(t, layer, "total_length", total);
    tree_format(t, layer, "identification", "0x%04x", id);
    if (fragment & DONT_FRAGMENT)
        tree_true(t, layer, "dont_fragment");
    if (header < IPV4_BYTES || (total != 0 && header > total)) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_HEADER);
        return;
    }
    if (header > s.len) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_TRUNCATED);
        return;
    }
    span packet;
    /* A total length of 0 is what a card that segments by itself is handed: all that there is. */
    if (!limit(d, layer, &s, total ? total : s.wire_len, &packet))
        return;
    if (checksum_end(checksum_add(0, s.bytes, header)) != 0 && d->quoting == 0) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_CHECKSUM);
        return;
    }
    d->ends = (endpoints){.family = ESP_FAMILY_IPV4};
    memcpy(d->ends.source, source, 4);
    memcpy(d->ends.destination, destination, 4);
    const span payload = ds_from(&packet, header);
    if (fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET))
        put_fragment(d, layer, protocol, id, (fragment & FRAGMENT_OFFSET) * FRAGMENT_UNIT,
                     fragment & MORE_FRAGMENTS, payload);
    else
        ds_ip_protocol(d, layer, protocol, payload);
}

/* RFC 8200 4; where the payload begins, 0: it cannot be told, or was a fragment. */
static size_t extensions(dissector *d, node *layer, const span *s, uint8_t *protocol)
{
    size_t at = IPV6_BYTES;
    for (int n = 0; n < EXTENSIONS_MAX; n++) {
        const bool fragment = *protocol == PROTOCOL_FRAGMENT;
        if (*protocol != PROTOCOL_HOP_BY_HOP && *protocol != PROTOCOL_ROUTING &&
            *protocol != PROTOCOL_DESTINATION && !fragment)
            return at;
        wire_reader r =
            wire_reader_make(s->bytes + (at < s->len ? at : s->len), at < s->len ? s->len - at : 0);
        const uint8_t next = wire_get_u8(&r);
        const uint8_t units = wire_get_u8(&r); /* of eight bytes beyond the first eight */
        const size_t len = fragment ? 8 : (units + 1u) * 8;
        const uint16_t offset = wire_get_u16(&r);
        const uint32_t id = wire_get_u32(&r);
        (void)wire_get_bytes(&r, len - FRAGMENT_UNIT);
        if (!wire_ok(&r)) {
            ds_fault_at(d, layer, s, at, NULL, RULES_IP, IP_ERR_EXTENSION);
            return 0;
        }
        *protocol = next;
        at += len;
        if (fragment && (offset & (IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS))) {
            put_fragment(d, layer, next, id, offset & IPV6_FRAGMENT_OFFSET,
                         offset & IPV6_MORE_FRAGMENTS, ds_from(s, at));
            return 0;
        }
    }
    ds_fault_at(d, layer, s, at, NULL, RULES_IP, IP_ERR_EXTENSION);
    return 0;
}

/* RFC 8200 3 */
static void ipv6(dissector *d, span s)
{
    tree *t = &d->tree;
    node *layer = ds_layer(d, "ipv6", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const uint32_t first = wire_get_u32(&r);
    const uint16_t length = wire_get_u16(&r);
    uint8_t protocol = wire_get_u8(&r);
    const uint8_t hop_limit = wire_get_u8(&r);
    const uint8_t *source = wire_get_bytes(&r, 16);
    const uint8_t *destination = wire_get_bytes(&r, 16);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_TRUNCATED);
        return;
    }
    tree_ipv6(t, layer, "source", source);
    tree_ipv6(t, layer, "destination", destination);
    ds_name(d, layer, "next_header", protocols, protocol);
    tree_number(t, layer, "hop_limit", hop_limit);
    tree_number(t, layer, "traffic_class", first >> 20 & 0xff);
    tree_format(t, layer, "flow_label", "0x%05x", (unsigned)(first & 0xfffff));
    tree_number(t, layer, "length", length);
    span packet;
    if (!limit(d, layer, &s, length ? (size_t)IPV6_BYTES + length : s.wire_len, &packet))
        return;
    d->ends = (endpoints){.family = ESP_FAMILY_IPV6};
    memcpy(d->ends.source, source, 16);
    memcpy(d->ends.destination, destination, 16);
    const size_t at = extensions(d, layer, &packet, &protocol);
    if (at > 0)
        ds_ip_protocol(d, layer, protocol, ds_from(&packet, at));
}

void ds_ip(dissector *d, span s)
{
    const uint8_t version = s.len > 0 ? s.bytes[0] >> 4 : 0;
    if (d->ends.family) {
        /* Within another packet; the same for both directions, which know of each other. */
        uint8_t outer[2 * sizeof(d->ends.source)];
        const bool swap = memcmp(d->ends.source, d->ends.destination, sizeof(d->ends.source)) > 0;
        memcpy(outer, swap ? d->ends.destination : d->ends.source, sizeof(d->ends.source));
        memcpy(outer + sizeof(d->ends.source), swap ? d->ends.source : d->ends.destination,
               sizeof(d->ends.source));
        ds_context(d, outer, sizeof outer);
    }
    if (version == 4) {
        ipv4(d, s);
    } else if (version == 6) {
        ipv6(d, s);
    } else {
        node *layer = ds_layer(d, "ip", &s);
        ds_fault(d, layer, &s, RULES_IP, s.len > 0 ? IP_ERR_VERSION : IP_ERR_TRUNCATED);
    }
}

static void icmp(dissector *d, const char *proto, span s, bool v6)
{
    static const name types[] = {{ICMP_ECHO_REPLY, "echo reply"},
                                 {ICMP_UNREACHABLE, "unreachable"},
                                 {ICMP_REDIRECT, "redirect"},
                                 {ICMP_ECHO, "echo request"},
                                 {ICMP_TIME_EXCEEDED, "time exceeded"},
                                 {ICMP_PARAMETER, "parameter problem"},
                                 {0, NULL}};
    static const name types6[] = {{1, "unreachable"},
                                  {2, "packet too big"},
                                  {3, "time exceeded"},
                                  {4, "parameter problem"},
                                  {ICMPV6_ECHO, "echo request"},
                                  {ICMPV6_ECHO_REPLY, "echo reply"},
                                  {133, "router solicitation"},
                                  {134, "router advertisement"},
                                  {135, "neighbor solicitation"},
                                  {136, "neighbor advertisement"},
                                  {0, NULL}};
    tree *t = &d->tree;
    node *layer = ds_layer(d, proto, &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const uint8_t type = wire_get_u8(&r);
    const uint8_t code = wire_get_u8(&r);
    (void)wire_get_u16(&r);
    const uint16_t id = wire_get_u16(&r);
    const uint16_t sequence = wire_get_u16(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_IP, IP_ERR_ICMP);
        return;
    }
    ds_name(d, layer, "type", v6 ? types6 : types, type);
    tree_number(t, layer, "code", code);
    const bool echo = v6 ? type == ICMPV6_ECHO || type == ICMPV6_ECHO_REPLY
                         : type == ICMP_ECHO || type == ICMP_ECHO_REPLY;
    const bool error = v6 ? type >= 1 && type <= 4
                          : type == ICMP_UNREACHABLE || type == ICMP_REDIRECT ||
                                type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
    if (echo) {
        tree_number(t, layer, "id", id);
        tree_number(t, layer, "sequence", sequence);
    } else if (error) {
        if (type == (v6 ? 2 : ICMP_UNREACHABLE) && sequence)
            tree_number(t, layer, "mtu", sequence);
        ds_quoted(d, layer, ds_ip, ds_from(&s, ICMP_BYTES));
    }
}

void ds_icmp(dissector *d, span s)
{
    icmp(d, "icmp", s, false);
}

void ds_icmpv6(dissector *d, span s)
{
    icmp(d, "icmpv6", s, true);
}
