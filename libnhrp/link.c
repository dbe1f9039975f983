/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Interfaces and links, and who is behind them.
 */
#include "core.h"

#include <internal/versioned.h>

/* What the first versions of the structs had. */
#define INTERFACE_CONFIG_FIRST offsetof(nhrp_interface_config, max_registrations)
#define LINK_CONFIG_FIRST      offsetof(nhrp_link_config, priority)

nhrp__interface *nhrp__interface_find(const nhrp_engine *e, uint32_t id)
{
    for (list_node *n = e->interfaces.next; n != &e->interfaces; n = n->next) {
        nhrp__interface *i = CONTAINER_OF(n, nhrp__interface, node);
        if (i->id == id)
            return i;
    }
    return NULL;
}

static bool interface_config_ok(const nhrp_interface_config *c)
{
    if (c->max_packet_size < 128 || c->holding_time_s == 0 || c->hop_count == 0 ||
        (c->send_limit > 0 && c->send_interval_ms == 0))
        return false;
    switch (c->authentication) {
    case NHRP_AUTHENTICATION_NONE:
        return true;
    case NHRP_AUTHENTICATION_CLEARTEXT:
        return c->key && c->key_len >= 1 && c->key_len <= MAX_KEY;
    case NHRP_AUTHENTICATION_HMAC_SHA256:
        return c->key && c->key_len >= 1 && c->key_len <= MAX_KEY && c->spi >= 256 &&
               c->spi <= UINT16_MAX;
    default:
        return false;
    }
}

nhrp_rc nhrp_engine_interface_add(nhrp_engine *e, uint64_t now_ms, uint32_t interface,
                                  const nhrp_interface_config *cfg)
{
    nhrp_interface_config c;
    if (!e || !cfg)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    (void)nhrp_interface_config_init(&c);
    if (!versioned_read(&c, sizeof(c), INTERFACE_CONFIG_FIRST, cfg) || !interface_config_ok(&c))
        return NHRP_ERR_ARG;
    if (nhrp__interface_find(e, interface))
        return NHRP_ERR_STATE;
    if (e->interface_count >= e->cfg.max_interfaces)
        return NHRP_ERR_LIMIT;
    nhrp__interface *i = alloc_zero(&e->mem, sizeof(*i));
    if (!i)
        return NHRP_ERR_NOMEM;
    i->id = interface;
    i->cfg = c;
    if (c.authentication == NHRP_AUTHENTICATION_NONE)
        i->cfg.key_len = 0;
    else
        memcpy(i->key, c.key, c.key_len);
    i->cfg.key = i->key;
    list_append(&e->interfaces, &i->node);
    e->interface_count++;
    return NHRP_OK;
}

nhrp_rc nhrp_engine_interface_remove(nhrp_engine *e, uint64_t now_ms, uint32_t interface)
{
    if (!e)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__interface *i = nhrp__interface_find(e, interface);
    if (!i)
        return NHRP_ERR_ABSENT;
    if (i->links > 0)
        return NHRP_ERR_STATE;
    list_remove(&i->node);
    e->interface_count--;
    sodium_memzero(i->key, sizeof(i->key));
    alloc_free(&e->mem, i);
    return NHRP_OK;
}

nhrp__link *nhrp__link_find(const nhrp_engine *e, uint32_t id)
{
    for (map_node *n = map_first(&e->links_by_id, nhrp__hash_id(e, id)); n; n = map_next(n)) {
        nhrp__link *l = CONTAINER_OF(n, nhrp__link, by_id);
        if (l->id == id)
            return l;
    }
    return NULL;
}

nhrp__link_ref nhrp__link_refer(const nhrp__link *l)
{
    nhrp__link_ref ref = {l ? l->serial : 0, l ? l->id : 0};
    return ref;
}

nhrp__link *nhrp__link_get(const nhrp_engine *e, nhrp__link_ref ref)
{
    nhrp__link *l = ref.serial ? nhrp__link_find(e, ref.id) : NULL;
    return l && l->serial == ref.serial ? l : NULL;
}

static uint64_t hash_in_network(const nhrp_engine *e, uint32_t network_id, const nhrp_addr *a)
{
    const nhrp_addr bare = addr_bare(a, 0);
    return nhrp__hash_addr(e, network_id, &bare);
}

/* Behind a NAT several peers share an NBMA address: the tunnel address tells which is meant. */
nhrp__link *nhrp__link_to_peer(const nhrp_engine *e, uint32_t network_id, const nhrp_addr *nbma,
                               const nhrp_addr *protocol)
{
    const uint64_t hash = hash_in_network(e, network_id, nbma);
    for (map_node *n = map_first(&e->links_by_nbma, hash); n; n = map_next(n)) {
        nhrp__link *l = CONTAINER_OF(n, nhrp__link, by_nbma);
        if (l->interface->cfg.network_id == network_id && addr_equal(&l->cfg.peer_nbma, nbma) &&
            nhrp__link_peer_is(l, protocol))
            return l;
    }
    return NULL;
}

static const nhrp_addr *peer_protocol(const nhrp__link *l, int which)
{
    return which == 0 ? &l->cfg.peer_protocol_ipv4 : &l->cfg.peer_protocol_ipv6;
}

nhrp__link *nhrp__link_by_protocol(const nhrp_engine *e, uint32_t network_id, const nhrp_addr *a)
{
    const nhrp_addr plain = addr_unmapped(a);
    const int which = plain.family == NHRP_FAMILY_IPV4 ? 0 : 1;
    const map *m = &e->links_by_protocol[which];
    const uint64_t hash = hash_in_network(e, network_id, &plain);
    for (map_node *n = map_first(m, hash); n; n = map_next(n)) {
        nhrp__link *l = which == 0 ? CONTAINER_OF(n, nhrp__link, by_protocol[0])
                                   : CONTAINER_OF(n, nhrp__link, by_protocol[1]);
        if (l->interface->cfg.network_id == network_id &&
            addr_equal(peer_protocol(l, which), &plain))
            return l;
    }
    return NULL;
}

/* Our tunnel address on the link as packets of the family say it. */
nhrp_addr nhrp__link_local(const nhrp__link *l, uint8_t family)
{
    const nhrp_addr *v4 = &l->cfg.local_protocol_ipv4, *v6 = &l->cfg.local_protocol_ipv6;
    if (family == NHRP_FAMILY_IPV4)
        return addr_bare(v4, 0);
    return addr_given(v6) ? addr_bare(v6, 0) : addr_mapped(v4);
}

bool nhrp__link_peer_is(const nhrp__link *l, const nhrp_addr *protocol)
{
    const nhrp_addr plain = addr_unmapped(protocol);
    const nhrp_addr *known = peer_protocol(l, plain.family == NHRP_FAMILY_IPV4 ? 0 : 1);
    return addr_given(known)
               ? addr_equal(known, &plain)
               : !addr_given(&l->cfg.peer_protocol_ipv4) && !addr_given(&l->cfg.peer_protocol_ipv6);
}

static nhrp__local *local_find(const nhrp_engine *e, const nhrp_addr *addr)
{
    for (size_t i = 0; i < e->local_count; i++)
        if (addr_equal(&e->locals[i].addr, addr))
            return &e->locals[i];
    return NULL;
}

bool nhrp__address_ours(const nhrp_engine *e, const nhrp_addr *protocol)
{
    const nhrp_addr plain = addr_unmapped(protocol);
    return local_find(e, &plain) != NULL;
}

/* Room for the two addresses of one more link. */
static bool locals_reserve(nhrp_engine *e)
{
    if (e->local_count + 2 <= e->local_cap)
        return true;
    const size_t cap = e->local_cap ? e->local_cap * 2 : 4;
    nhrp__local *grown = alloc_grow(&e->mem, e->locals, e->local_cap, cap, sizeof(*grown));
    if (!grown)
        return false;
    e->locals = grown;
    e->local_cap = cap;
    return true;
}

static void local_add(nhrp_engine *e, const nhrp_addr *addr)
{
    if (!addr_given(addr))
        return;
    nhrp__local *l = local_find(e, addr);
    if (!l) {
        l = &e->locals[e->local_count++];
        l->addr = *addr;
        l->links = 0;
    }
    l->links++;
}

static void local_remove(nhrp_engine *e, const nhrp_addr *addr)
{
    nhrp__local *l = addr_given(addr) ? local_find(e, addr) : NULL;
    if (l && --l->links == 0)
        *l = e->locals[--e->local_count];
}

static bool family_is(const nhrp_addr *a, uint8_t family)
{
    return a->family == family || a->family == NHRP_FAMILY_NONE;
}

static bool link_config_ok(const nhrp_link_config *c)
{
    const nhrp_addr *const all[] = {&c->local_nbma,          &c->local_protocol_ipv4,
                                    &c->local_protocol_ipv6, &c->peer_nbma,
                                    &c->peer_protocol_ipv4,  &c->peer_protocol_ipv6};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (!addr_valid(all[i]))
            return false;
    const bool multipoint = (c->flags & NHRP_LINK_MULTIPOINT) != 0;
    return family_is(&c->local_protocol_ipv4, NHRP_FAMILY_IPV4) &&
           family_is(&c->local_protocol_ipv6, NHRP_FAMILY_IPV6) &&
           family_is(&c->peer_protocol_ipv4, NHRP_FAMILY_IPV4) &&
           family_is(&c->peer_protocol_ipv6, NHRP_FAMILY_IPV6) &&
           (addr_given(&c->local_protocol_ipv4) || addr_given(&c->local_protocol_ipv6)) &&
           addr_given(&c->local_nbma) && addr_given(&c->peer_nbma) == !multipoint &&
           (multipoint || c->peer_nbma.family == c->local_nbma.family) &&
           !(multipoint && (c->flags & (NHRP_LINK_REGISTER | NHRP_LINK_LEAF))) &&
           (c->local_link_local.family == NHRP_FAMILY_NONE ||
            addr_link_local(&c->local_link_local)) &&
           c->identity_len <= MAX_IDENTITY && (c->identity || c->identity_len == 0);
}

static void link_index(nhrp_engine *e, nhrp__link *l)
{
    const uint32_t network_id = l->interface->cfg.network_id;
    map_insert(&e->links_by_id, &e->mem, &l->by_id, nhrp__hash_id(e, l->id));
    if (addr_given(&l->cfg.peer_nbma))
        map_insert(&e->links_by_nbma, &e->mem, &l->by_nbma,
                   hash_in_network(e, network_id, &l->cfg.peer_nbma));
    for (int i = 0; i < 2; i++)
        if (addr_given(peer_protocol(l, i)))
            map_insert(&e->links_by_protocol[i], &e->mem, &l->by_protocol[i],
                       hash_in_network(e, network_id, peer_protocol(l, i)));
}

nhrp_rc nhrp_engine_link_up(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                            const nhrp_link_config *cfg)
{
    nhrp_link_config c;
    if (!e || !cfg)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    (void)nhrp_link_config_init(&c);
    if (!versioned_read(&c, sizeof(c), LINK_CONFIG_FIRST, cfg) || !link_config_ok(&c))
        return NHRP_ERR_ARG;
    nhrp__interface *i = nhrp__interface_find(e, c.interface);
    if (!i)
        return NHRP_ERR_ARG;
    if (nhrp__link_find(e, link))
        return NHRP_ERR_STATE;
    if (e->links_by_id.count >= e->cfg.max_links || !nhrp__room(e))
        return NHRP_ERR_LIMIT;
    nhrp__link *l = locals_reserve(e) ? alloc_zero(&e->mem, sizeof(*l)) : NULL;
    if (!l)
        return NHRP_ERR_NOMEM;
    l->interface = i;
    l->cfg = c;
    list_init(&l->servers);
    list_init(&l->replicas);
    const nhrp_rc rc = nhrp__servers_of_link(e, l);
    if (rc != NHRP_OK) {
        alloc_free(&e->mem, l);
        return rc;
    }
    l->id = link;
    l->serial = ++e->last_id;
    if (c.identity_len > 0)
        memcpy(l->identity, c.identity, c.identity_len);
    l->cfg.identity = l->identity;
    l->up_ms = l->own.from_ms = l->caused.from_ms = e->now_ms;
    list_init(&l->mappings);
    list_init(&l->resolutions);
    list_init(&l->questions);
    list_init(&l->answers);
    link_index(e, l);
    local_add(e, &c.local_protocol_ipv4);
    local_add(e, &c.local_protocol_ipv6);
    list_append(&e->links, &l->node);
    i->links++;
    nhrp__servers_begin(e, l);
    nhrp__questions_link_up(e, l);
    return NHRP_OK;
}

/* Whatever was learned over the link, goes by it, or waits for it. */
static void link_end(nhrp_engine *e, nhrp__link *l)
{
    /* Found no more: a purge that the end of a registration begins must not choose this link. */
    map_remove(&e->links_by_id, &l->by_id);
    if (addr_given(&l->cfg.peer_nbma))
        map_remove(&e->links_by_nbma, &l->by_nbma);
    for (int i = 0; i < 2; i++)
        if (addr_given(peer_protocol(l, i)))
            map_remove(&e->links_by_protocol[i], &l->by_protocol[i]);
    while (!list_empty(&l->questions))
        nhrp__question_end(e, CONTAINER_OF(l->questions.next, nhrp__question, link_node));
    while (!list_empty(&l->resolutions))
        nhrp__resolution_cancel(e, CONTAINER_OF(l->resolutions.next, nhrp__resolution, link_node));
    while (!list_empty(&l->answers))
        nhrp__answer_end(e, CONTAINER_OF(l->answers.next, nhrp__answer, link_node));
    while (!list_empty(&l->mappings))
        nhrp__mapping_end(e, CONTAINER_OF(l->mappings.next, nhrp__mapping, link_node));
    while (!list_empty(&l->servers))
        nhrp__server_end(e, CONTAINER_OF(l->servers.next, nhrp__server, link_node));
    nhrp__replicas_end(e, l);
    local_remove(e, &l->cfg.local_protocol_ipv4);
    local_remove(e, &l->cfg.local_protocol_ipv6);
    list_remove(&l->node);
    l->interface->links--;
    alloc_free(&e->mem, l);
}

nhrp_rc nhrp_engine_link_down(nhrp_engine *e, uint64_t now_ms, uint32_t link)
{
    if (!e)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__link *l = nhrp__link_find(e, link);
    if (!l)
        return NHRP_ERR_ABSENT;
    link_end(e, l);
    return NHRP_OK;
}

nhrp_rc nhrp_engine_link_set_nbma(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                  const nhrp_addr *local_nbma)
{
    if (!e || !local_nbma || !addr_given(local_nbma) || !addr_valid(local_nbma))
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__link *l = nhrp__link_find(e, link);
    if (!l)
        return NHRP_ERR_ABSENT;
    if (local_nbma->family != l->cfg.local_nbma.family)
        return NHRP_ERR_ARG;
    if (addr_equal(local_nbma, &l->cfg.local_nbma))
        return NHRP_OK;
    l->cfg.local_nbma = *local_nbma;
    memset(&l->translated, 0, sizeof(l->translated));
    l->translator = 0;
    nhrp__servers_renew(e, l);
    nhrp__resolutions_renew(e, l);
    nhrp__answers_outdated(e, l);
    return NHRP_OK;
}

void nhrp__links_end(nhrp_engine *e)
{
    while (!list_empty(&e->links))
        link_end(e, CONTAINER_OF(e->links.next, nhrp__link, node));
}
