/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * To whom packets for many are replicated: the NBMA addresses of a multipoint link's registered
 * clients, each once however many registrations it has, those that the caller adds, and servers
 * that are marked so.
 */
#include "core.h"

/* Iterators: ids of replicas, and behind them those of servers. */
#define OF_SERVERS (UINT64_C(1) << 63)

static uint64_t key_hash(const nhrp_engine *e, const nhrp__link *l, const nhrp_addr *nbma)
{
    return nhrp__hash_addr(e, l->serial, nbma);
}

static nhrp__replica *find(const nhrp_engine *e, const nhrp__link *l, const nhrp_addr *nbma)
{
    const nhrp_addr bare = addr_bare(nbma, 0);
    const uint64_t hash = key_hash(e, l, &bare);
    for (map_node *n = map_first(&e->replicas_by_key, hash); n; n = map_next(n)) {
        nhrp__replica *r = CONTAINER_OF(n, nhrp__replica, by_key);
        if (r->link == l && addr_equal(&r->nbma, &bare))
            return r;
    }
    return NULL;
}

static nhrp__replica *find_id(const nhrp_engine *e, const nhrp__link *l, uint64_t id)
{
    for (map_node *n = map_first(&e->replicas_by_id, nhrp__hash_id(e, id)); n; n = map_next(n)) {
        nhrp__replica *r = CONTAINER_OF(n, nhrp__replica, by_id);
        if (r->id == id)
            return r->link == l ? r : NULL;
    }
    return NULL;
}

/* One more that wants packets there; NULL without memory. */
nhrp__replica *nhrp__replica_hold(nhrp_engine *e, nhrp__link *l, const nhrp_addr *nbma)
{
    nhrp__replica *r = find(e, l, nbma);
    if (!r) {
        r = alloc_zero(&e->mem, sizeof(*r));
        if (!r)
            return NULL;
        r->id = ++e->last_id;
        r->link = l;
        r->nbma = addr_bare(nbma, 0);
        map_insert(&e->replicas_by_key, &e->mem, &r->by_key, key_hash(e, l, &r->nbma));
        map_insert(&e->replicas_by_id, &e->mem, &r->by_id, nhrp__hash_id(e, r->id));
        list_append(&l->replicas, &r->link_node);
    }
    r->holders++;
    return r;
}

void nhrp__replica_release(nhrp_engine *e, nhrp__replica *r)
{
    if (!r || --r->holders > 0)
        return;
    map_remove(&e->replicas_by_key, &r->by_key);
    map_remove(&e->replicas_by_id, &r->by_id);
    list_remove(&r->link_node);
    alloc_free(&e->mem, r);
}

static void unfix(nhrp_engine *e, nhrp__replica *r)
{
    r->fixed = false;
    e->fixed_replica_count--;
    nhrp__replica_release(e, r);
}

/* The link goes; its clients have gone before. */
void nhrp__replicas_end(nhrp_engine *e, nhrp__link *l)
{
    while (!list_empty(&l->replicas))
        unfix(e, CONTAINER_OF(l->replicas.next, nhrp__replica, link_node));
}

nhrp_rc nhrp_engine_multicast_add(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                  const nhrp_addr *nbma)
{
    if (!e || !nbma || !addr_given(nbma) || !addr_valid(nbma))
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__link *l = nhrp__link_find(e, link);
    if (!l)
        return NHRP_ERR_ABSENT;
    if (!(l->cfg.flags & NHRP_LINK_MULTIPOINT) || nbma->family != l->cfg.local_nbma.family)
        return NHRP_ERR_ARG;
    nhrp__replica *r = find(e, l, nbma);
    if (r && r->fixed)
        return NHRP_ERR_STATE;
    if (e->fixed_replica_count >= e->cfg.max_multicast)
        return NHRP_ERR_LIMIT;
    r = nhrp__replica_hold(e, l, nbma);
    if (!r)
        return NHRP_ERR_NOMEM;
    r->fixed = true;
    e->fixed_replica_count++;
    return NHRP_OK;
}

nhrp_rc nhrp_engine_multicast_remove(nhrp_engine *e, uint64_t now_ms, uint32_t link,
                                     const nhrp_addr *nbma)
{
    if (!e || !nbma)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    const nhrp__link *l = nhrp__link_find(e, link);
    nhrp__replica *r = l ? find(e, l, nbma) : NULL;
    if (!r || !r->fixed)
        return NHRP_ERR_ABSENT;
    unfix(e, r);
    return NHRP_OK;
}

/* Whether an earlier one of the link's servers, or a replica, has the address already. */
static bool served(const nhrp_engine *e, const nhrp__server *s, const nhrp_addr *nbma)
{
    for (const list_node *n = s->link->servers.next; n != &s->link_node; n = n->next) {
        const nhrp__server *earlier = CONTAINER_OF(n, nhrp__server, link_node);
        const nhrp_addr its = nhrp__server_nbma(e, earlier);
        if (earlier->multicast && addr_equal(&its, nbma))
            return true;
    }
    return find(e, s->link, nbma) != NULL;
}

static nhrp_rc next_server(const nhrp_engine *e, const nhrp__link *l, uint64_t *it, nhrp_addr *out)
{
    const uint64_t last = *it & OF_SERVERS ? *it & ~OF_SERVERS : 0;
    for (const list_node *n = l->servers.next; n != &l->servers; n = n->next) {
        const nhrp__server *s = CONTAINER_OF(n, nhrp__server, link_node);
        if (!s->multicast || s->id <= last)
            continue;
        const nhrp_addr nbma = nhrp__server_nbma(e, s);
        if (!addr_given(&nbma) || served(e, s, &nbma))
            continue;
        *it = s->id | OF_SERVERS;
        *out = addr_bare(&nbma, 0);
        return NHRP_YES;
    }
    return NHRP_OK;
}

nhrp_rc nhrp_engine_next_multicast(const nhrp_engine *e, uint32_t link, uint64_t *it,
                                   nhrp_addr *nbma)
{
    if (!e || !it || !nbma)
        return NHRP_ERR_ARG;
    const nhrp__link *l = nhrp__link_find(e, link);
    if (!l)
        return NHRP_ERR_ABSENT;
    if (!(l->cfg.flags & NHRP_LINK_MULTIPOINT)) {
        if (*it != 0)
            return NHRP_OK;
        *it = l->serial;
        *nbma = l->cfg.peer_nbma;
        return NHRP_YES;
    }
    if (*it & OF_SERVERS)
        return next_server(e, l, it, nbma);
    /* In order of ids: where the last one has gone, the next higher one is sought. */
    const nhrp__replica *last = *it ? find_id(e, l, *it) : NULL;
    for (const list_node *n = last ? last->link_node.next : l->replicas.next; n != &l->replicas;
         n = n->next) {
        const nhrp__replica *r = CONTAINER_OF(n, nhrp__replica, link_node);
        if (r->id <= *it)
            continue;
        *it = r->id;
        *nbma = r->nbma;
        return NHRP_YES;
    }
    return next_server(e, l, it, nbma);
}
