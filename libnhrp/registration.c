/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Registrations of others with us (RFC 2332 5.2.3, 5.2.4): each is a mapping. Ours with others are
 * in server.c.
 */
#include "core.h"

static void push(nhrp_engine *e, const nhrp__link *l, uint32_t kind, uint32_t code, uint64_t id)
{
    nhrp_event ev;
    memset(&ev, 0, sizeof(ev));
    ev.kind = kind;
    ev.id = id;
    ev.code = code;
    ev.link = l->id;
    ev.interface = l->interface->id;
    ev.vrf = l->cfg.vrf;
    nhrp__event_push(e, &ev);
}

/* What one CIE of a registration asks for. */
typedef struct claim {
    nhrp_addr prefix; /* its scope is the link's VRF */
    nhrp_addr client, nbma, claimed_nbma;
    uint16_t holding_time_s, mtu;
    uint8_t preference;
    bool unique;
} claim;

static bool claim_read(const nhrp__arrival *a, const nhrp_cie *cie, claim *c)
{
    const nhrp_packet *p = &a->pkt;
    uint8_t len;
    memset(c, 0, sizeof(*c));
    const nhrp_addr *client = addr_given(&cie->protocol) ? &cie->protocol : &p->source_protocol;
    c->client = addr_unmapped(client);
    if (!prefix_len_from_wire(c->client.family, cie->prefix_len, &len))
        return false;
    c->prefix = addr_prefix(&c->client, a->link->cfg.vrf, len);
    c->claimed_nbma = addr_bare(addr_given(&cie->nbma) ? &cie->nbma : &p->source_nbma, 0);
    c->nbma = addr_bare(a->from ? a->from : &a->link->cfg.peer_nbma, 0);
    c->holding_time_s = cie->holding_time_s;
    c->mtu = cie->mtu;
    c->preference = cie->preference;
    c->unique = (p->flags & NHRP_FLAG_REGISTRATION_UNIQUE) != 0;
    return true;
}

static bool claim_allowed(const nhrp_engine *e, const nhrp__link *l, const claim *c)
{
    const bool host = c->prefix.prefix_len == nhrp__family_bits(c->prefix.family);
    if (!(l->interface->cfg.flags & NHRP_INTERFACE_SERVER) || nhrp__address_ours(e, &c->client))
        return false;
    if (!host && (c->unique || !(l->interface->cfg.flags & NHRP_INTERFACE_PREFIXES)))
        return false;
    return (l->cfg.flags & NHRP_LINK_MULTIPOINT) || nhrp__link_peer_is(l, &c->client);
}

static void commit(nhrp_engine *e, nhrp__mapping *m, nhrp__link *l, const claim *c,
                   nhrp__replica *replica)
{
    const bool fresh = m->kind != NHRP_MAPPING_REGISTERED;
    const bool moved = !fresh && (m->link != l || !addr_equal(&m->nbma, &c->nbma) ||
                                  !addr_equal(&m->claimed_nbma, &c->claimed_nbma));
    if (m->resolution)
        nhrp__resolution_end(e, m->resolution);
    if (moved)
        nhrp__answers_withdraw(e, &m->prefix);
    nhrp__mapping_set_kind(m, NHRP_MAPPING_REGISTERED);
    nhrp__mapping_set_link(m, l);
    nhrp__replica_release(e, m->replica);
    m->replica = replica;
    m->flags = NHRP_MAPPING_AUTHORITATIVE | (c->unique ? NHRP_MAPPING_UNIQUE : 0u) |
               (addr_equal(&c->nbma, &c->claimed_nbma) ? 0u : NHRP_MAPPING_NATED);
    m->nbma = c->nbma;
    m->claimed_nbma = c->claimed_nbma;
    m->holding_time_s = c->holding_time_s;
    m->mtu = c->mtu;
    m->preference = c->preference;
    /* Of a host that is renewed the rest is as it was, and is not touched. */
    if (fresh || !addr_equal(&m->prefix, &c->client)) {
        m->destination = m->next_hop = c->client;
        m->labels.count = m->overlay.count = 0;
        memset(m->interface_id, 0, sizeof(m->interface_id));
    }
    m->expires_ms = e->now_ms + (uint64_t)c->holding_time_s * 1000;
    nhrp__mapping_arm(e, m);
    if (fresh || moved)
        nhrp__mapping_touch(e, m);
}

/* Registers one claim; the code says what became of it. */
static uint8_t settle(nhrp_engine *e, nhrp__link *l, const claim *c, bool *told)
{
    if (!claim_allowed(e, l, c))
        return NHRP_CODE_PROHIBITED;
    nhrp__mapping *m = nhrp__mapping_exact(e, &c->prefix);
    /* The operator's word stands: true of the same addresses, prohibited to others. */
    if (m && m->kind == NHRP_MAPPING_STATIC)
        return m->link == l && addr_equal(&m->nbma, &c->nbma) ? NHRP_CODE_SUCCESS
                                                              : NHRP_CODE_PROHIBITED;
    const bool other = m && m->kind == NHRP_MAPPING_REGISTERED && !addr_equal(&m->nbma, &c->nbma);
    if (other && (m->flags & NHRP_MAPPING_UNIQUE)) {
        if (!*told)
            push(e, l, NHRP_EVENT_DUPLICATE_ADDRESS, NHRP_CODE_ALREADY_REGISTERED, m->id);
        *told = true;
        return NHRP_CODE_ALREADY_REGISTERED;
    }
    /* Nothing is valid for no time: the registration ends. */
    if (c->holding_time_s == 0) {
        if (m && m->kind == NHRP_MAPPING_REGISTERED && m->link == l && !other)
            nhrp__mapping_end(e, m);
        return NHRP_CODE_SUCCESS;
    }
    nhrp__replica *replica = NULL;
    if ((l->interface->cfg.flags & NHRP_INTERFACE_MULTICAST) &&
        (l->cfg.flags & NHRP_LINK_MULTIPOINT)) {
        replica = nhrp__replica_hold(e, l, &c->nbma);
        if (!replica)
            return NHRP_CODE_INSUFFICIENT_RESOURCES;
    }
    if (!m && nhrp__mapping_new(e, &c->prefix, NHRP_MAPPING_INCOMPLETE, &m) != NHRP_OK) {
        nhrp__replica_release(e, replica);
        return NHRP_CODE_INSUFFICIENT_RESOURCES;
    }
    commit(e, m, l, c, replica);
    return NHRP_CODE_SUCCESS;
}

nhrp_rc nhrp__registration_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    nhrp__link *l = a->link;
    nhrp_cie cie;
    claim c;
    size_t it = 0, cies = 0;
    if (!addr_given(&p->source_nbma) || !addr_given(&p->source_protocol) ||
        !addr_given(&p->destination_protocol))
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_FORMAT, NHRP_ERROR_PROTOCOL);
    if (!addr_equal(&p->destination_protocol, &p->source_protocol) &&
        !nhrp__address_ours(e, &p->destination_protocol))
        return nhrp__transit(e, a, &p->destination_protocol);
    if (a->scan.unknown_compulsory)
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_COMPULSORY,
                            NHRP_ERROR_UNRECOGNIZED_EXTENSION);
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES)
        if (++cies > MAX_REGISTRATION_CIES || !claim_read(a, &cie, &c))
            return nhrp__refuse(e, l, a->from, p, NHRP_ERR_CIE, NHRP_ERROR_PROTOCOL);
    /* RFC 2332 5.2.3: a unique registration has one CIE. */
    if (cies == 0 || (cies > 1 && (p->flags & NHRP_FLAG_REGISTRATION_UNIQUE)))
        return nhrp__refuse(e, l, a->from, p, NHRP_ERR_CIE, NHRP_ERROR_PROTOCOL);

    nhrp__note *n;
    const nhrp_rc rc = nhrp__note_new(e, INTENT_REPLY, l, l, p->bytes, p->size, &n);
    if (rc != NHRP_OK)
        return rc;
    n->type = NHRP_REGISTRATION_REPLY;
    if (a->from)
        n->to = *a->from;
    if (!addr_equal(&n->to, &p->source_nbma))
        n->nat = nhrp__nat_cie(&n->to, &p->source_protocol);
    bool told = false;
    it = cies = 0;
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES && claim_read(a, &cie, &c))
        n->codes[cies++] = settle(e, l, &c, &told);
    nhrp__intent_queue(e, &n->intent);
    return NHRP_OK;
}
