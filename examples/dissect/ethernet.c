/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How a frame begins: Ethernet with its tags, the headers of "any" devices, none at all.
 */
#include "core.h"
#include "internal/wire.h"

#include <gre/gre.h>
#include <string.h>

enum {
    MAC_BYTES = 6,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_TRANSPARENT_BRIDGING = 0x6558,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_PROVIDER_VLAN = 0x88a8,
    ETHERTYPE_FIRST = 0x0600, /* below it is a length: IEEE 802.3 3.2.6 */
    SLL_BYTES = 16,
    SLL2_BYTES = 20,
    /* Address families of BSDs in their "null" headers; all of these are IPv6 somewhere. */
    BSD_IPV4 = 2,
    BSD_IPV6_NET = 24,
    BSD_IPV6_FREE = 28,
    BSD_IPV6_DARWIN = 30,
    LINUX_IPV6 = 10
};

bool dissect_link_known(uint32_t link)
{
    static const uint32_t known[] = {DISSECT_LINK_NULL, DISSECT_LINK_ETHERNET, DISSECT_LINK_RAW,
                                     DISSECT_LINK_LOOP, DISSECT_LINK_SLL,      DISSECT_LINK_IPV4,
                                     DISSECT_LINK_IPV6, DISSECT_LINK_SLL2};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == link)
            return true;
    return false;
}

static void mac(dissector *d, node *layer, const char *key, const uint8_t *b)
{
    tree_format(&d->tree, layer, key, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
                b[5]);
}

/* IEEE 802.1Q 9.6 */
static void vlan(dissector *d, span s)
{
    node *layer = ds_layer(d, "vlan", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const uint16_t tag = wire_get_u16(&r);
    const uint16_t type = wire_get_u16(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_LINK, LINK_ERR_TRUNCATED);
        return;
    }
    const uint16_t id = tag & 0x0fff;
    tree_number(&d->tree, layer, "id", id);
    tree_number(&d->tree, layer, "priority", tag >> 13);
    tree_format(&d->tree, layer, "type", "0x%04x", type);
    ds_context(d, &id, sizeof id);
    ds_ethertype(d, layer, type, ds_from(&s, 4));
}

void ds_ethertype(dissector *d, node *layer, uint16_t type, span s)
{
    switch (type) {
    case ETHERTYPE_IPV4:
    case ETHERTYPE_IPV6:
        ds_enter(d, ds_ip, s);
        break;
    case ETHERTYPE_VLAN:
    case ETHERTYPE_PROVIDER_VLAN:
        ds_enter(d, vlan, s);
        break;
    case GRE_PROTOCOL_MPLS:
    case GRE_PROTOCOL_MPLS_MULTICAST:
        ds_enter(d, ds_mpls, s);
        break;
    case GRE_PROTOCOL_NHRP:
        ds_enter(d, ds_nhrp, s);
        break;
    case ETHERTYPE_TRANSPARENT_BRIDGING:
        ds_enter(d, ds_ethernet, s);
        break;
    default:
        if (type == ETHERTYPE_ARP)
            tree_text(&d->tree, layer, "payload", "ARP");
        ds_payload(d, layer, &s);
        break;
    }
}

/* IEEE 802.3 3.1 */
void ds_ethernet(dissector *d, span s)
{
    node *layer = ds_layer(d, "ethernet", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const uint8_t *to = wire_get_bytes(&r, MAC_BYTES);
    const uint8_t *from = wire_get_bytes(&r, MAC_BYTES);
    const uint16_t type = wire_get_u16(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_LINK, LINK_ERR_TRUNCATED);
        return;
    }
    const span rest = ds_from(&s, 2 * MAC_BYTES + 2);
    mac(d, layer, "source", from);
    mac(d, layer, "destination", to);
    if (type < ETHERTYPE_FIRST) {
        tree_text(&d->tree, layer, "payload", "LLC");
        ds_payload(d, layer, &rest);
        return;
    }
    tree_format(&d->tree, layer, "type", "0x%04x", type);
    ds_ethertype(d, layer, type, rest);
}

/* What libpcap writes for Linux's "any" device: type and addresses, then an EtherType or so. */
static void sll(dissector *d, span s)
{
    node *layer = ds_layer(d, "sll", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const uint16_t direction = wire_get_u16(&r);
    (void)wire_get_bytes(&r, SLL_BYTES - 4);
    const uint16_t type = wire_get_u16(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_LINK, LINK_ERR_TRUNCATED);
        return;
    }
    tree_number(&d->tree, layer, "packet_type", direction);
    tree_format(&d->tree, layer, "type", "0x%04x", type);
    ds_ethertype(d, layer, type, ds_from(&s, SLL_BYTES));
}

static void sll2(dissector *d, span s)
{
    node *layer = ds_layer(d, "sll2", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    const uint16_t type = wire_get_u16(&r);
    (void)wire_get_u16(&r);
    const uint32_t interface = wire_get_u32(&r);
    (void)wire_get_u16(&r);
    const uint8_t direction = wire_get_u8(&r);
    (void)wire_get_bytes(&r, SLL2_BYTES - 11);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_LINK, LINK_ERR_TRUNCATED);
        return;
    }
    tree_number(&d->tree, layer, "interface_index", interface);
    tree_number(&d->tree, layer, "packet_type", direction);
    tree_format(&d->tree, layer, "type", "0x%04x", type);
    ds_context(d, &interface, sizeof interface);
    ds_ethertype(d, layer, type, ds_from(&s, SLL2_BYTES));
}

/* The capturing machine's byte order (NULL), or network order (LOOP): the family is a small number.
 */
static void bsd_null(dissector *d, span s)
{
    node *layer = ds_layer(d, "null", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    uint32_t family = wire_get_u32(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_LINK, LINK_ERR_TRUNCATED);
        return;
    }
    if (family > 0xffff)
        family = family >> 24 | (family >> 8 & 0xff00);
    tree_number(&d->tree, layer, "family", family);
    if (family == BSD_IPV4 || family == BSD_IPV6_NET || family == BSD_IPV6_FREE ||
        family == BSD_IPV6_DARWIN || family == LINUX_IPV6)
        ds_enter(d, ds_ip, ds_from(&s, 4));
    else
        ds_fault(d, layer, &s, RULES_LINK, LINK_ERR_TYPE);
}

void ds_link(dissector *d, uint32_t link, span s)
{
    switch (link) {
    case DISSECT_LINK_ETHERNET:
        ds_enter(d, ds_ethernet, s);
        break;
    case DISSECT_LINK_SLL:
        ds_enter(d, sll, s);
        break;
    case DISSECT_LINK_SLL2:
        ds_enter(d, sll2, s);
        break;
    case DISSECT_LINK_NULL:
    case DISSECT_LINK_LOOP:
        ds_enter(d, bsd_null, s);
        break;
    case DISSECT_LINK_RAW:
    case DISSECT_LINK_IPV4:
    case DISSECT_LINK_IPV6:
        ds_enter(d, ds_ip, s);
        break;
    default:
        tree_format(&d->tree, d->packet, "stopped", "link type %u is not known here", link);
        break;
    }
}
