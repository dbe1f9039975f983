/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Path attributes, and what RFC 7606 says about bad ones.
 */
#include "core.h"
#include "internal/wire.h"

#include <bgpvpn/bgpvpn.h>

static const name attribute_names[] = {
    {BGPVPN_ATTR_ORIGIN, "ORIGIN"},
    {BGPVPN_ATTR_AS_PATH, "AS_PATH"},
    {BGPVPN_ATTR_NEXT_HOP, "NEXT_HOP"},
    {BGPVPN_ATTR_MED, "MULTI_EXIT_DISC"},
    {BGPVPN_ATTR_LOCAL_PREF, "LOCAL_PREF"},
    {BGPVPN_ATTR_ATOMIC_AGGREGATE, "ATOMIC_AGGREGATE"},
    {BGPVPN_ATTR_AGGREGATOR, "AGGREGATOR"},
    {BGPVPN_ATTR_COMMUNITIES, "COMMUNITIES"},
    {BGPVPN_ATTR_ORIGINATOR_ID, "ORIGINATOR_ID"},
    {BGPVPN_ATTR_CLUSTER_LIST, "CLUSTER_LIST"},
    {BGPVPN_ATTR_MP_REACH, "MP_REACH_NLRI"},
    {BGPVPN_ATTR_MP_UNREACH, "MP_UNREACH_NLRI"},
    {BGPVPN_ATTR_EXTENDED_COMMUNITIES, "EXTENDED_COMMUNITIES"},
    {BGPVPN_ATTR_AS4_PATH, "AS4_PATH"},
    {BGPVPN_ATTR_AS4_AGGREGATOR, "AS4_AGGREGATOR"},
    {BGPVPN_ATTR_IPV6_EXT_COMMUNITIES, "IPV6_EXTENDED_COMMUNITIES"},
    {BGPVPN_ATTR_LARGE_COMMUNITIES, "LARGE_COMMUNITIES"},
    {0, NULL}};

static const name flag_names[] = {{BGPVPN_FLAG_OPTIONAL, "optional"},
                                  {BGPVPN_FLAG_TRANSITIVE, "transitive"},
                                  {BGPVPN_FLAG_PARTIAL, "partial"},
                                  {0, NULL}};

/* RFC 4271 4.3 b; segments that are not whole are left out. */
static void put_path(dissector *d, node *entry, const bgpvpn_attribute *a, uint8_t as_size)
{
    static const name segments[] = {{1, "set"},
                                    {2, "sequence"},
                                    {3, "confederation sequence"},
                                    {4, "confederation set"},
                                    {0, NULL}};
    tree *t = &d->tree;
    node *list = tree_array(t, entry, "path");
    wire_reader r = wire_reader_make(a->value, a->len);
    while (r.left >= 2) {
        const uint8_t type = wire_get_u8(&r);
        const size_t count = wire_get_u8(&r);
        wire_reader numbers = wire_sub(&r, count * as_size);
        if (!wire_ok(&r))
            return;
        node *one = tree_object(t, list, NULL);
        ds_name(d, one, "segment", segments, type);
        node *as = tree_array(t, one, "as");
        for (size_t i = 0; i < count; i++)
            tree_number(t, as, NULL,
                        as_size == 4 ? wire_get_u32(&numbers) : wire_get_u16(&numbers));
    }
}

/* RFC 4360 3, RFC 5668, RFC 4364 4.3.1 */
static void put_extended(dissector *d, node *list, const uint8_t *b)
{
    tree *t = &d->tree;
    if (bgpvpn_rt_check(b) != BGPVPN_YES) {
        tree_hex(t, list, NULL, b, 8);
        return;
    }
    wire_reader r = wire_reader_make(b + 2, 6);
    if (b[0] == 0) {
        const uint16_t admin = wire_get_u16(&r);
        tree_format(t, list, NULL, "rt:%u:%u", admin, (unsigned)wire_get_u32(&r));
    } else if (b[0] == 1) {
        (void)wire_get_u32(&r);
        tree_format(t, list, NULL, "rt:%u.%u.%u.%u:%u", b[2], b[3], b[4], b[5], wire_get_u16(&r));
    } else {
        const uint32_t admin = wire_get_u32(&r);
        tree_format(t, list, NULL, "rt:%u:%u", (unsigned)admin, wire_get_u16(&r));
    }
}

static void put_list(dissector *d, node *entry, const bgpvpn_attribute *a)
{
    tree *t = &d->tree;
    node *list = tree_array(t, entry, "values");
    wire_reader r = wire_reader_make(a->value, a->len);
    const size_t unit = a->type == BGPVPN_ATTR_EXTENDED_COMMUNITIES ? 8
                        : a->type == BGPVPN_ATTR_LARGE_COMMUNITIES  ? 12
                                                                    : 4;
    for (size_t n = 0; r.left >= unit && ds_more(d, list, n); n++) {
        const uint8_t *b = wire_get_bytes(&r, unit);
        wire_reader one = wire_reader_make(b, unit);
        if (a->type == BGPVPN_ATTR_EXTENDED_COMMUNITIES) {
            put_extended(d, list, b);
        } else if (a->type == BGPVPN_ATTR_LARGE_COMMUNITIES) {
            const uint32_t admin = wire_get_u32(&one);
            const uint32_t first = wire_get_u32(&one);
            tree_format(t, list, NULL, "%u:%u:%u", (unsigned)admin, (unsigned)first,
                        (unsigned)wire_get_u32(&one));
        } else if (a->type == BGPVPN_ATTR_COMMUNITIES) {
            const uint16_t admin = wire_get_u16(&one);
            tree_format(t, list, NULL, "%u:%u", admin, wire_get_u16(&one));
        } else {
            tree_ipv4(t, list, NULL, b);
        }
    }
}

static void put_value(dissector *d, node *entry, const bgpvpn_attribute *a, uint8_t as_size)
{
    static const name origins[] = {{0, "IGP"}, {1, "EGP"}, {2, "INCOMPLETE"}, {0, NULL}};
    tree *t = &d->tree;
    wire_reader r = wire_reader_make(a->value, a->len);
    switch (a->type) {
    case BGPVPN_ATTR_ORIGIN:
        if (a->len == 1)
            ds_name(d, entry, "value", origins, a->value[0]);
        break;
    case BGPVPN_ATTR_AS_PATH:
        put_path(d, entry, a, as_size);
        break;
    case BGPVPN_ATTR_AS4_PATH:
        put_path(d, entry, a, 4);
        break;
    case BGPVPN_ATTR_NEXT_HOP:
    case BGPVPN_ATTR_ORIGINATOR_ID:
        if (a->len == 4)
            tree_ipv4(t, entry, "value", a->value);
        break;
    case BGPVPN_ATTR_MED:
    case BGPVPN_ATTR_LOCAL_PREF:
        if (a->len == 4)
            tree_number(t, entry, "value", wire_get_u32(&r));
        break;
    case BGPVPN_ATTR_COMMUNITIES:
    case BGPVPN_ATTR_CLUSTER_LIST:
    case BGPVPN_ATTR_EXTENDED_COMMUNITIES:
    case BGPVPN_ATTR_LARGE_COMMUNITIES:
        put_list(d, entry, a);
        break;
    case BGPVPN_ATTR_MP_REACH: /* beside the list, as routes */
    case BGPVPN_ATTR_MP_UNREACH:
    case BGPVPN_ATTR_ATOMIC_AGGREGATE:
        break;
    default:
        tree_hex(t, entry, "value", a->value, a->len);
        break;
    }
}

void ds_bgp_attributes(dissector *d, node *layer, const uint8_t *bytes, size_t len, uint8_t as_size)
{
    tree *t = &d->tree;
    node *list = tree_array(t, layer, "attributes");
    bgpvpn_attribute a;
    size_t it = 0;
    for (size_t n = 0; bgpvpn_attribute_next(bytes, len, &it, &a) == BGPVPN_YES; n++) {
        if (!ds_more(d, list, n))
            return;
        node *entry = tree_object(t, list, NULL);
        ds_name(d, entry, "type", attribute_names, a.type);
        tree_number(t, entry, "code", a.type);
        ds_flags(d, entry, "flags", flag_names, a.flags);
        put_value(d, entry, &a, as_size);
    }
}
