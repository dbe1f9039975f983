/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * BGP messages, one at a time and whole.
 */
#include "core.h"

#include <bgpvpn/bgpvpn.h>

static const name types[] = {{BGPVPN_MESSAGE_OPEN, "OPEN"},
                             {BGPVPN_MESSAGE_UPDATE, "UPDATE"},
                             {BGPVPN_MESSAGE_NOTIFICATION, "NOTIFICATION"},
                             {BGPVPN_MESSAGE_KEEPALIVE, "KEEPALIVE"},
                             {BGPVPN_MESSAGE_REFRESH, "ROUTE-REFRESH"},
                             {0, NULL}};

static const name families[] = {{BGPVPN_TABLE_IPV4, "ipv4"},
                                {BGPVPN_TABLE_IPV6, "ipv6"},
                                {BGPVPN_TABLE_VPNV4, "vpnv4"},
                                {BGPVPN_TABLE_VPNV6, "vpnv6"},
                                {0, NULL}};

static const name capabilities[] = {{1, "multiprotocol"},
                                    {2, "route refresh"},
                                    {4, "multiple labels (old)"},
                                    {5, "extended next hop"},
                                    {6, "extended message"},
                                    {8, "multiple labels"},
                                    {9, "BGP role"},
                                    {64, "graceful restart"},
                                    {65, "four-octet AS"},
                                    {69, "ADD-PATH"},
                                    {70, "enhanced route refresh"},
                                    {71, "long-lived graceful restart"},
                                    {73, "FQDN"},
                                    {0, NULL}};

/* RFC 4271 4.5, RFC 4486, RFC 7313, RFC 9003 */
static const name codes[] = {{1, "Message Header Error"},        {2, "OPEN Message Error"},
                             {3, "UPDATE Message Error"},        {4, "Hold Timer Expired"},
                             {5, "Finite State Machine Error"},  {6, "Cease"},
                             {7, "ROUTE-REFRESH Message Error"}, {0, NULL}};

static void put_ipv4(dissector *d, node *parent, const char *key, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    tree_ipv4(&d->tree, parent, key, bytes);
}

/* RFC 4271 4.2 */
static bgpvpn_rc put_open(dissector *d, node *layer, stream_state *stream, const span *m)
{
    tree *t = &d->tree;
    bgpvpn_open open;
    const bgpvpn_rc rc = bgpvpn_open_decode(m->bytes, m->len, &open);
    if (rc != BGPVPN_OK)
        return rc;
    tree_number(t, layer, "as", open.as);
    tree_number(t, layer, "hold_time", open.hold_time_s);
    put_ipv4(d, layer, "identifier", open.router_id);
    ds_flags(d, layer, "families", families, open.tables);
    node *list = tree_array(t, layer, "capabilities");
    bgpvpn_capability c;
    size_t it = 0;
    for (size_t n = 0; bgpvpn_capability_next(&open, &it, &c) == BGPVPN_YES; n++) {
        if (!ds_more(d, list, n))
            break;
        node *one = tree_object(t, list, NULL);
        tree_number(t, one, "code", c.code);
        ds_name(d, one, "name", capabilities, c.code);
        if (c.len)
            tree_hex(t, one, "value", c.value, c.len);
    }
    stream->open_seen = true;
    stream->as = open.as;
    stream->as4 = (open.capabilities & BGPVPN_CAPABLE_AS4) != 0;
    return rc;
}

/* RFC 4271 4.5 */
static bgpvpn_rc put_notification(dissector *d, node *layer, const span *m)
{
    tree *t = &d->tree;
    bgpvpn_notification n;
    const uint8_t *text;
    size_t len;
    const bgpvpn_rc rc = bgpvpn_notification_decode(m->bytes, m->len, &n);
    if (rc != BGPVPN_OK)
        return rc;
    ds_name(d, layer, "error", codes, n.code);
    tree_number(t, layer, "code", n.code);
    tree_number(t, layer, "subcode", n.subcode);
    if (bgpvpn_notification_text(&n, &text, &len) == BGPVPN_OK)
        tree_string(t, layer, "communication", text, len);
    else if (n.len)
        tree_hex(t, layer, "data", n.data, n.len);
    return rc;
}

static uint32_t table_of(uint16_t afi, uint8_t safi)
{
    const bool v4 = afi == BGPVPN_AFI_IPV4;
    if ((!v4 && afi != BGPVPN_AFI_IPV6) || (safi != BGPVPN_SAFI_UNICAST && safi != BGPVPN_SAFI_VPN))
        return 0;
    if (safi == BGPVPN_SAFI_UNICAST)
        return v4 ? BGPVPN_TABLE_IPV4 : BGPVPN_TABLE_IPV6;
    return v4 ? BGPVPN_TABLE_VPNV4 : BGPVPN_TABLE_VPNV6;
}

static void put_family(dissector *d, node *parent, uint16_t afi, uint8_t safi)
{
    const uint32_t table = table_of(afi, safi);
    if (table)
        ds_name(d, parent, "family", families, table);
    else
        tree_format(&d->tree, parent, "family", "afi %u safi %u", afi, safi);
}

/* RFC 4364 4.2 */
static void put_rd(dissector *d, node *parent, const uint8_t b[8])
{
    tree *t = &d->tree;
    const unsigned type = (unsigned)(b[0] << 8 | b[1]);
    const uint32_t last4 = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 | b[7];
    const unsigned last2 = (unsigned)(b[6] << 8 | b[7]);
    if (type == 0)
        tree_format(t, parent, "rd", "%u:%u", (unsigned)(b[2] << 8 | b[3]), (unsigned)last4);
    else if (type == 1)
        tree_format(t, parent, "rd", "%u.%u.%u.%u:%u", b[2], b[3], b[4], b[5], last2);
    else if (type == 2)
        tree_format(
            t, parent, "rd", "%u:%u",
            (unsigned)((uint32_t)b[2] << 24 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 8 | b[5]),
            last2);
    else
        tree_hex(t, parent, "rd", b, 8);
}

static void put_routes(dissector *d, node *layer, const char *key, uint32_t table, bool withdraw,
                       const uint8_t *bytes, size_t len)
{
    tree *t = &d->tree;
    node *list = tree_array(t, layer, key);
    bgpvpn_nlri nlri;
    size_t it = 0;
    const bool vpn = table == BGPVPN_TABLE_VPNV4 || table == BGPVPN_TABLE_VPNV6;
    for (size_t n = 0; bgpvpn_nlri_next(table, withdraw, bytes, len, &it, &nlri) == BGPVPN_YES;
         n++) {
        if (!ds_more(d, list, n))
            break;
        node *one = tree_object(t, list, NULL);
        ds_prefix(d, one, "prefix", nlri.prefix.family, nlri.prefix.bytes, nlri.prefix.prefix_len);
        if (!vpn)
            continue;
        put_rd(d, one, nlri.rd);
        /* RFC 8277 2.4: in a withdrawal the label field means nothing. */
        if (withdraw)
            continue;
        tree_number(t, one, "label", nlri.label);
        if (nlri.labels > 1)
            tree_number(t, one, "labels", nlri.labels);
    }
}

/* RFC 4760 3, RFC 4364 4.3.2, RFC 4659 3.2: perhaps after an RD of zero, perhaps two. */
static void put_next_hop(dissector *d, node *entry, const bgpvpn_update *u)
{
    enum { RD_BYTES = 8, IPV4_BYTES = 4, IPV6_BYTES = 16 };
    tree *t = &d->tree;
    const uint8_t *b = u->reach_next_hop;
    const size_t len = u->reach_next_hop_len;
    switch (len) {
    case IPV4_BYTES:
    case RD_BYTES + IPV4_BYTES:
        tree_ipv4(t, entry, "next_hop", b + len - IPV4_BYTES);
        break;
    case IPV6_BYTES:
    case 2 * IPV6_BYTES:
        tree_ipv6(t, entry, "next_hop", b);
        if (len > IPV6_BYTES)
            tree_ipv6(t, entry, "next_hop_link_local", b + IPV6_BYTES);
        break;
    case RD_BYTES + IPV6_BYTES:
    case 2 * (RD_BYTES + IPV6_BYTES):
        tree_ipv6(t, entry, "next_hop", b + RD_BYTES);
        if (len > RD_BYTES + IPV6_BYTES)
            tree_ipv6(t, entry, "next_hop_link_local", b + 2 * RD_BYTES + IPV6_BYTES);
        break;
    default:
        tree_hex(t, entry, "next_hop", b, len);
        break;
    }
}

static void put_multiprotocol(dissector *d, node *layer, const bgpvpn_update *u)
{
    tree *t = &d->tree;
    if (u->has & UINT64_C(1) << BGPVPN_ATTR_MP_REACH) {
        node *entry = tree_object(t, layer, "mp_reach");
        const uint32_t table = table_of(u->reach_afi, u->reach_safi);
        put_family(d, entry, u->reach_afi, u->reach_safi);
        put_next_hop(d, entry, u);
        if (table)
            put_routes(d, entry, "nlri", table, false, u->reach, u->reach_len);
        else
            tree_hex(t, entry, "nlri_bytes", u->reach, u->reach_len);
    }
    if (u->has & UINT64_C(1) << BGPVPN_ATTR_MP_UNREACH) {
        node *entry = tree_object(t, layer, "mp_unreach");
        const uint32_t table = table_of(u->unreach_afi, u->unreach_safi);
        put_family(d, entry, u->unreach_afi, u->unreach_safi);
        if (table)
            put_routes(d, entry, "withdrawn", table, true, u->unreach, u->unreach_len);
        else
            tree_hex(t, entry, "nlri_bytes", u->unreach, u->unreach_len);
    }
}

/* RFC 7606 2 */
static void put_treatment(dissector *d, node *layer, const bgpvpn_update *u, const span *m)
{
    static const name treatments[] = {{BGPVPN_TREAT_DISCARD, "attribute discard"},
                                      {BGPVPN_TREAT_WITHDRAW, "treat-as-withdraw"},
                                      {0, NULL}};
    bgpvpn_attribute a;
    size_t it = 0;
    size_t start = 0;
    bool found = false;
    if (u->treat == BGPVPN_TREAT_NORMAL)
        return;
    ds_name(d, layer, "treatment", treatments, u->treat);
    tree_number(&d->tree, layer, "faulty_attribute", u->fault);
    const size_t base = (size_t)(u->attributes - m->bytes);
    while (!found &&
           bgpvpn_attribute_next(u->attributes, u->attributes_len, &it, &a) == BGPVPN_YES) {
        found = a.type == u->fault;
        start = found ? start : it;
    }
    /* One that is missing is not there to be pointed at. */
    ds_fault_at(d, layer, m, found ? base + start : base, found ? rules_attribute(u->fault) : NULL,
                RULES_BGP,
                u->treat == BGPVPN_TREAT_WITHDRAW ? BGP_FAULT_WITHDRAW : BGP_FAULT_DISCARD);
}

static bool as_path_is_at_fault(const bgpvpn_update *u)
{
    return u->treat != BGPVPN_TREAT_NORMAL &&
           (u->fault == BGPVPN_ATTR_AS_PATH || u->fault == BGPVPN_ATTR_AGGREGATOR ||
            u->fault == BGPVPN_ATTR_AS4_PATH || u->fault == BGPVPN_ATTR_AS4_AGGREGATOR);
}

/* With AS numbers of the size that both agreed on; where the OPENs were not seen, of that which
 * fits. */
static bgpvpn_rc decode_update(dissector *d, const stream_state *stream, const span *m,
                               bgpvpn_update *u)
{
    const stream_state *peer = streams_find_reverse(&d->streams, &stream->key);
    const bool known = stream->open_seen && peer && peer->open_seen;
    const bool wide = !known || (stream->as4 && peer->as4);
    const uint8_t external = known && stream->as != peer->as;
    bgpvpn_rc rc = bgpvpn_update_decode(m->bytes, m->len, wide ? 4 : 2, external, u);
    if (!known && (rc == BGPVPN_ERR_ATTRIBUTES || (rc == BGPVPN_OK && as_path_is_at_fault(u)))) {
        bgpvpn_update narrow;
        if (bgpvpn_update_decode(m->bytes, m->len, 2, external, &narrow) == BGPVPN_OK &&
            !as_path_is_at_fault(&narrow)) {
            *u = narrow;
            rc = BGPVPN_OK;
        }
    }
    return rc;
}

/* RFC 4271 4.3 */
static bgpvpn_rc put_update(dissector *d, node *layer, const stream_state *stream, const span *m)
{
    bgpvpn_update u;
    uint32_t table;
    const bgpvpn_rc rc = decode_update(d, stream, m, &u);
    if (rc != BGPVPN_OK)
        return rc;
    if (bgpvpn_update_end_of_rib(&u, &table) == BGPVPN_YES)
        ds_name(d, layer, "end_of_rib", families, table);
    if (u.withdrawn_len)
        put_routes(d, layer, "withdrawn", BGPVPN_TABLE_IPV4, true, u.withdrawn, u.withdrawn_len);
    put_multiprotocol(d, layer, &u);
    if (u.attributes_len)
        ds_bgp_attributes(d, layer, u.attributes, u.attributes_len, u.as_size);
    if (u.nlri_len)
        put_routes(d, layer, "nlri", BGPVPN_TABLE_IPV4, false, u.nlri, u.nlri_len);
    put_treatment(d, layer, &u, m);
    return rc;
}

/* RFC 2918 3, RFC 7313 3.2 */
static bgpvpn_rc put_refresh(dissector *d, node *layer, const span *m)
{
    static const name subtypes[] = {{0, "request"}, {1, "beginning"}, {2, "end"}, {0, NULL}};
    bgpvpn_refresh r;
    const bgpvpn_rc rc = bgpvpn_refresh_decode(m->bytes, m->len, &r);
    if (rc != BGPVPN_OK)
        return rc;
    put_family(d, layer, r.afi, r.safi);
    ds_name(d, layer, "subtype", subtypes, r.subtype);
    return rc;
}

void ds_bgp(dissector *d, stream_state *stream, span m)
{
    tree *t = &d->tree;
    node *layer = ds_layer(d, "bgp", &m);
    bgpvpn_header h;
    bgpvpn_rc rc = bgpvpn_header_decode(m.bytes, m.len, &h);
    if (rc == BGPVPN_OK) {
        ds_name(d, layer, "type", types, h.type);
        tree_number(t, layer, "length", h.length);
        switch (h.type) {
        case BGPVPN_MESSAGE_OPEN:
            rc = put_open(d, layer, stream, &m);
            break;
        case BGPVPN_MESSAGE_UPDATE:
            rc = put_update(d, layer, stream, &m);
            break;
        case BGPVPN_MESSAGE_NOTIFICATION:
            rc = put_notification(d, layer, &m);
            break;
        case BGPVPN_MESSAGE_REFRESH:
            rc = put_refresh(d, layer, &m);
            break;
        default:
            break;
        }
    }
    if (rc == BGPVPN_OK)
        return;
    uint8_t code;
    uint8_t subcode;
    if (bgpvpn_rc_notification(rc, &code, &subcode) == BGPVPN_OK) {
        tree_text(t, layer, "treatment", "session reset");
        tree_format(t, layer, "notification", "%u/%u", code, subcode);
    }
    ds_fault(d, layer, &m, RULES_BGP, rc);
}
