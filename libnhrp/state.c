/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an engine shows of itself.
 */
#include "core.h"

#include <internal/versioned.h>

/* What the first versions of the structs had. */
#define MAPPING_FIRST offsetof(nhrp_mapping, link_local)
#define LINK_FIRST    offsetof(nhrp_link, translated_nbma)

static void show_mapping(const nhrp__mapping *m, nhrp_mapping *out)
{
    memset(out, 0, sizeof(*out));
    out->struct_size = sizeof(*out);
    out->kind = m->kind;
    out->id = m->id;
    out->created_ms = m->created_ms;
    out->expires_ms = m->expires_ms;
    out->flags = m->flags;
    out->vrf = m->prefix.scope;
    out->request_link = m->request_link.id;
    if (m->link) {
        out->link = m->link->id;
        out->interface = m->link->interface->id;
    }
    out->failures = m->failures;
    out->holding_time_s = m->holding_time_s;
    out->mtu = m->mtu;
    out->preference = m->preference;
    out->code = m->code;
    out->label_count = m->labels.count;
    memcpy(out->labels, m->labels.label, sizeof(out->labels));
    out->overlay_label_count = m->overlay.count;
    memcpy(out->overlay_labels, m->overlay.label, sizeof(out->overlay_labels));
    out->prefix = m->prefix;
    out->destination = m->destination;
    out->next_hop = m->next_hop;
    out->nbma = m->nbma;
    out->claimed_nbma = m->claimed_nbma;
    static const uint8_t none[sizeof(m->interface_id)] = {0};
    if (memcmp(m->interface_id, none, sizeof(none)) != 0) {
        out->link_local.family = NHRP_FAMILY_IPV6;
        out->link_local.bytes[0] = 0xfe;
        out->link_local.bytes[1] = 0x80;
        memcpy(out->link_local.bytes + 8, m->interface_id, sizeof(none));
    }
}

static nhrp_rc write_mapping(const nhrp__mapping *m, nhrp_mapping *out, nhrp_rc found)
{
    nhrp_mapping v;
    show_mapping(m, &v);
    return versioned_write(out, &v, sizeof(v), MAPPING_FIRST) ? found : NHRP_ERR_ARG;
}

nhrp_rc nhrp_engine_get_mapping(const nhrp_engine *e, uint64_t id, nhrp_mapping *out)
{
    if (!e || !out)
        return NHRP_ERR_ARG;
    const nhrp__mapping *m = nhrp__mapping_find(e, id);
    return m ? write_mapping(m, out, NHRP_OK) : NHRP_ERR_ABSENT;
}

/* The list is in order of ids; where the last one has gone, the next higher id is sought. */
nhrp_rc nhrp_engine_next_mapping(const nhrp_engine *e, uint64_t *it, nhrp_mapping *out)
{
    if (!e || !it || !out)
        return NHRP_ERR_ARG;
    const nhrp__mapping *last = *it ? nhrp__mapping_find(e, *it) : NULL;
    const list_node *n =
        last && last->kind != NHRP_MAPPING_DEAD ? last->node.next : e->mappings.next;
    for (; n != &e->mappings; n = n->next) {
        const nhrp__mapping *m = CONTAINER_OF(n, nhrp__mapping, node);
        if (m->id <= *it)
            continue;
        const nhrp_rc rc = write_mapping(m, out, NHRP_YES);
        if (rc == NHRP_YES)
            *it = m->id;
        return rc;
    }
    return NHRP_OK;
}

static nhrp_rc write_link(const nhrp_engine *e, const nhrp__link *l, nhrp_link *out, nhrp_rc found)
{
    nhrp_link v;
    memset(&v, 0, sizeof(v));
    v.struct_size = sizeof(v);
    v.link = l->id;
    v.interface = l->interface->id;
    v.vrf = l->cfg.vrf;
    v.flags = l->cfg.flags;
    for (const list_node *n = l->servers.next; n != &l->servers; n = n->next)
        if (CONTAINER_OF(n, nhrp__server, link_node)->state == NHRP_SERVER_REGISTERED)
            v.registered = 1;
    v.mappings = l->mapping_count;
    v.pending = l->resolution_count;
    v.up_ms = l->up_ms;
    v.local_nbma = l->cfg.local_nbma;
    v.local_protocol_ipv4 = l->cfg.local_protocol_ipv4;
    v.local_protocol_ipv6 = l->cfg.local_protocol_ipv6;
    v.peer_nbma = l->cfg.peer_nbma;
    v.peer_protocol_ipv4 = l->cfg.peer_protocol_ipv4;
    v.peer_protocol_ipv6 = l->cfg.peer_protocol_ipv6;
    v.identity = l->identity;
    v.identity_len = l->cfg.identity_len;
    const nhrp_addr *outer = nhrp__link_outer(e, l);
    if (!addr_equal(outer, &l->cfg.local_nbma))
        v.translated_nbma = *outer;
    return versioned_write(out, &v, sizeof(v), LINK_FIRST) ? found : NHRP_ERR_ARG;
}

nhrp_rc nhrp_engine_get_link(const nhrp_engine *e, uint32_t link, nhrp_link *out)
{
    if (!e || !out)
        return NHRP_ERR_ARG;
    const nhrp__link *l = nhrp__link_find(e, link);
    return l ? write_link(e, l, out, NHRP_OK) : NHRP_ERR_ABSENT;
}

nhrp_rc nhrp_engine_next_link(const nhrp_engine *e, uint64_t *it, nhrp_link *out)
{
    if (!e || !it || !out)
        return NHRP_ERR_ARG;
    for (const list_node *n = e->links.next; n != &e->links; n = n->next) {
        const nhrp__link *l = CONTAINER_OF(n, nhrp__link, node);
        if (l->serial <= *it)
            continue;
        const nhrp_rc rc = write_link(e, l, out, NHRP_YES);
        if (rc == NHRP_YES)
            *it = l->serial;
        return rc;
    }
    return NHRP_OK;
}

nhrp_rc nhrp_engine_get_counters(const nhrp_engine *e, uint32_t interface, nhrp_counters *out)
{
    if (!e || !out)
        return NHRP_ERR_ARG;
    const nhrp__interface *i = nhrp__interface_find(e, interface);
    if (!i)
        return NHRP_ERR_ABSENT;
    nhrp_counters v = i->counters;
    v.struct_size = sizeof(v);
    return versioned_write(out, &v, sizeof(v), sizeof(v)) ? NHRP_OK : NHRP_ERR_ARG;
}
