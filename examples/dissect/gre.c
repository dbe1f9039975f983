/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core.h"

#include <gre/gre.h>

/* RFC 2784, RFC 2890 */
void ds_gre(dissector *d, span s)
{
    static const name protocols[] = {
        {GRE_PROTOCOL_IPV4, "ipv4"},           {GRE_PROTOCOL_NHRP, "nhrp"},
        {GRE_PROTOCOL_IPV6, "ipv6"},           {GRE_PROTOCOL_MPLS, "mpls"},
        {GRE_PROTOCOL_MPLS_MULTICAST, "mpls"}, {0, NULL}};
    tree *t = &d->tree;
    node *layer = ds_layer(d, "gre", &s);
    gre_header h;
    const gre_rc rc = gre_header_decode(s.bytes, s.len, &h);
    if (rc != GRE_OK) {
        ds_fault(d, layer, &s, RULES_GRE, rc);
        return;
    }
    const char *protocol = name_of(protocols, h.protocol);
    tree_format(t, layer, "protocol_type", "0x%04x", h.protocol);
    if (protocol)
        tree_text(t, layer, "protocol", protocol);
    if (h.flags & GRE_FLAG_CHECKSUM)
        tree_format(t, layer, "checksum", "0x%04x", h.checksum);
    if (h.flags & GRE_FLAG_KEY) {
        tree_number(t, layer, "key", h.key);
        ds_context(d, &h.key, sizeof h.key);
    }
    if (h.flags & GRE_FLAG_SEQUENCE)
        tree_number(t, layer, "sequence", h.sequence);
    ds_ethertype(d, layer, h.protocol, ds_from(&s, h.header_len));
}
