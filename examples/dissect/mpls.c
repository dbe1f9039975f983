/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core.h"

#include <mplsvpn/mplsvpn.h>

static void put(dissector *d, node *list, const mplsvpn_label *label)
{
    tree *t = &d->tree;
    node *entry = tree_object(t, list, NULL);
    tree_number(t, entry, "label", label->value);
    tree_number(t, entry, "tc", label->tc);
    if (label->bottom)
        tree_true(t, entry, "bottom");
    tree_number(t, entry, "ttl", label->ttl);
}

/* RFC 3032 2.1 */
void ds_mpls(dissector *d, span s)
{
    node *layer = ds_layer(d, "mpls", &s);
    node *list = tree_array(&d->tree, layer, "labels");
    mplsvpn_label labels[MPLSVPN_STACK_MAX];
    size_t count = 0;
    const mplsvpn_rc rc = mplsvpn_stack_decode(s.bytes, s.len, labels, MPLSVPN_STACK_MAX, &count);
    if (rc != MPLSVPN_OK) {
        /* What there is of the stack; each entry by itself is always well-formed. */
        mplsvpn_label label;
        for (size_t i = 0, at = 0; i < MPLSVPN_STACK_MAX && at < s.len; i++) {
            if (mplsvpn_label_decode(s.bytes + at, s.len - at, &label) == MPLSVPN_OK)
                put(d, list, &label);
            at += MPLSVPN_LABEL_BYTES;
        }
        ds_fault(d, layer, &s, RULES_MPLS, rc);
        return;
    }
    for (size_t i = 0; i < count; i++)
        put(d, list, &labels[i]);
    const uint32_t bottom = labels[count - 1].value;
    const span payload = ds_from(&s, count * MPLSVPN_LABEL_BYTES);
    ds_context(d, &bottom, sizeof bottom);
    /* RFC 3032 2.2: the bottom label tells what follows; where we do not know it, the version does.
     */
    const uint8_t version = payload.len > 0 ? payload.bytes[0] >> 4 : 0;
    if (bottom == MPLSVPN_LABEL_IPV4_EXPLICIT_NULL || bottom == MPLSVPN_LABEL_IPV6_EXPLICIT_NULL ||
        version == 4 || version == 6)
        ds_enter(d, ds_ip, payload);
    else
        ds_payload(d, layer, &payload);
}
