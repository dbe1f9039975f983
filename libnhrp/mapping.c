/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of mappings.
 *
 *     INCOMPLETE -> RESOLVED, NEGATIVE          NEGATIVE -> INCOMPLETE
 *     any        -> REGISTERED, DEAD            STATIC   -> DEAD alone
 *
 * What becomes of a mapping is told by one dirty link per mapping, not by queued events: however
 * many end at once, nothing overflows.
 */
#include "core.h"

enum { MIN_RENEW_LEAD_MS = 1000 };

nhrp__mapping *nhrp__mapping_find(const nhrp_engine *e, uint64_t id)
{
    for (map_node *n = map_first(&e->mappings_by_id, nhrp__hash_id(e, id)); n; n = map_next(n)) {
        nhrp__mapping *m = CONTAINER_OF(n, nhrp__mapping, by_id);
        if (m->id == id)
            return m;
    }
    return NULL;
}

/* The mapping of just this prefix, in the VRF that its scope names. */
nhrp__mapping *nhrp__mapping_exact(const nhrp_engine *e, const nhrp_addr *prefix)
{
    const uint64_t hash = nhrp__hash_addr(e, 0, prefix);
    for (map_node *n = map_first(&e->mappings_by_prefix, hash); n; n = map_next(n)) {
        nhrp__mapping *m = CONTAINER_OF(n, nhrp__mapping, by_prefix);
        if (addr_equal(&m->prefix, prefix) && m->prefix.prefix_len == prefix->prefix_len &&
            m->prefix.scope == prefix->scope)
            return m;
    }
    return NULL;
}

/* A peer whose addresses are known from itself or from the operator. */
bool nhrp__mapping_is_client(const nhrp__mapping *m)
{
    return m->kind == NHRP_MAPPING_REGISTERED || m->kind == NHRP_MAPPING_STATIC;
}

static uint32_t *lengths(nhrp_engine *e, const nhrp_addr *prefix)
{
    return &e->prefix_lengths[prefix->family == NHRP_FAMILY_IPV6][prefix->prefix_len];
}

/* The longest prefix of the kinds asked for; only lengths in use are looked up. */
static nhrp__mapping *longest(const nhrp_engine *e, const nhrp_addr *host, uint32_t vrf,
                              bool client)
{
    const uint32_t *used = e->prefix_lengths[host->family == NHRP_FAMILY_IPV6];
    for (int len = nhrp__family_bits(host->family); len >= 0; len--) {
        if (used[len] == 0)
            continue;
        const nhrp_addr prefix = addr_prefix(host, vrf, (uint8_t)len);
        nhrp__mapping *m = nhrp__mapping_exact(e, &prefix);
        if (m && (!client || nhrp__mapping_is_client(m)))
            return m;
    }
    return NULL;
}

nhrp__mapping *nhrp__mapping_cover(const nhrp_engine *e, const nhrp_addr *host, uint32_t vrf)
{
    return longest(e, host, vrf, false);
}

nhrp__mapping *nhrp__client_find(const nhrp_engine *e, const nhrp_addr *host, uint32_t vrf)
{
    const nhrp_addr plain = addr_unmapped(host);
    return longest(e, &plain, vrf, true);
}

static void index_prefix(nhrp_engine *e, nhrp__mapping *m)
{
    map_insert(&e->mappings_by_prefix, &e->mem, &m->by_prefix, nhrp__hash_addr(e, 0, &m->prefix));
    ++*lengths(e, &m->prefix);
}

static void unindex_prefix(nhrp_engine *e, nhrp__mapping *m)
{
    map_remove(&e->mappings_by_prefix, &m->by_prefix);
    --*lengths(e, &m->prefix);
}

nhrp_rc nhrp__mapping_new(nhrp_engine *e, const nhrp_addr *prefix, uint8_t kind,
                          nhrp__mapping **out)
{
    if (e->mappings_by_id.count >= e->cfg.max_mappings)
        return NHRP_ERR_LIMIT;
    nhrp__mapping *m = alloc_zero(&e->mem, sizeof(*m));
    if (!m)
        return NHRP_ERR_NOMEM;
    m->timer.kind = TIMER_MAPPING;
    if (!heap_join(&e->timers, &e->mem, &m->timer.node)) {
        alloc_free(&e->mem, m);
        return NHRP_ERR_NOMEM;
    }
    m->id = ++e->last_id;
    m->kind = kind;
    m->created_ms = e->now_ms;
    m->expires_ms = NHRP_NEVER;
    m->prefix = *prefix;
    map_insert(&e->mappings_by_id, &e->mem, &m->by_id, nhrp__hash_id(e, m->id));
    index_prefix(e, m);
    list_append(&e->mappings, &m->node);
    *out = m;
    return NHRP_OK;
}

void nhrp__mapping_set_kind(nhrp__mapping *m, uint8_t kind)
{
    static const uint32_t allowed[] = {
        [NHRP_MAPPING_INCOMPLETE] = 1u << NHRP_MAPPING_RESOLVED | 1u << NHRP_MAPPING_NEGATIVE |
                                    1u << NHRP_MAPPING_REGISTERED | 1u << NHRP_MAPPING_DEAD,
        [NHRP_MAPPING_RESOLVED] =
            1u << NHRP_MAPPING_RESOLVED | 1u << NHRP_MAPPING_REGISTERED | 1u << NHRP_MAPPING_DEAD,
        [NHRP_MAPPING_NEGATIVE] =
            1u << NHRP_MAPPING_INCOMPLETE | 1u << NHRP_MAPPING_REGISTERED | 1u << NHRP_MAPPING_DEAD,
        [NHRP_MAPPING_REGISTERED] = 1u << NHRP_MAPPING_REGISTERED | 1u << NHRP_MAPPING_DEAD,
        [NHRP_MAPPING_DEAD] = 0,
        [NHRP_MAPPING_STATIC] = 1u << NHRP_MAPPING_DEAD};
    if (allowed[m->kind] & 1u << kind)
        m->kind = kind;
}

/* The link that the mapping uses; it ends with it. */
void nhrp__mapping_set_link(nhrp__mapping *m, nhrp__link *l)
{
    if (m->link == l)
        return;
    if (m->link) {
        list_remove(&m->link_node);
        m->link->mapping_count--;
    }
    m->link = l;
    if (l) {
        list_append(&l->mappings, &m->link_node);
        l->mapping_count++;
    }
}

void nhrp__mapping_rekey(nhrp_engine *e, nhrp__mapping *m, const nhrp_addr *prefix)
{
    unindex_prefix(e, m);
    m->prefix = *prefix;
    index_prefix(e, m);
}

/* Has the caller told what the mapping has come to. */
void nhrp__mapping_touch(nhrp_engine *e, nhrp__mapping *m)
{
    if (!list_linked(&m->dirty_node))
        list_append(&e->dirty, &m->dirty_node);
}

void nhrp__mapping_free(nhrp_engine *e, nhrp__mapping *m)
{
    list_remove(&m->dirty_node);
    map_remove(&e->mappings_by_id, &m->by_id);
    alloc_free(&e->mem, m);
}

void nhrp__mapping_end(nhrp_engine *e, nhrp__mapping *m)
{
    const bool client = nhrp__mapping_is_client(m);
    const nhrp_addr prefix = m->prefix;
    if (m->resolution)
        nhrp__resolution_end(e, m->resolution);
    nhrp__mapping_set_link(m, NULL);
    nhrp__replica_release(e, m->replica);
    m->replica = NULL;
    unindex_prefix(e, m);
    heap_leave(&e->timers, &m->timer.node);
    list_remove(&m->node);
    nhrp__mapping_set_kind(m, NHRP_MAPPING_DEAD);
    if (m->told) {
        nhrp__mapping_touch(e, m);
    } else {
        nhrp__mapping_free(e, m);
    }
    /* RFC 2332 5.2.5: what was answered out of a registration ends with it. */
    if (client)
        nhrp__answers_withdraw(e, &prefix);
}

/* The next deadline: renewal while there is time for it, then the end. */
void nhrp__mapping_arm(nhrp_engine *e, nhrp__mapping *m)
{
    uint64_t deadline = m->expires_ms;
    const uint64_t lead = (uint64_t)m->holding_time_s * 1000 / 4;
    if (m->kind == NHRP_MAPPING_RESOLVED && !m->resolution && lead >= MIN_RENEW_LEAD_MS &&
        e->now_ms + lead < m->expires_ms)
        deadline = m->expires_ms - lead;
    /* A registration that is renewed only lasts longer: the timer that is set finds that out, and
       the heap, whose nodes are all over the memory, is left alone. */
    if (m->kind == NHRP_MAPPING_REGISTERED && m->timer.node.deadline <= deadline)
        return;
    nhrp__timer_set(e, &m->timer, deadline);
}

void nhrp__mapping_due(nhrp_engine *e, nhrp__mapping *m)
{
    if (e->now_ms < m->expires_ms) {
        if (m->kind == NHRP_MAPPING_RESOLVED && !m->resolution && (m->flags & NHRP_MAPPING_USED))
            (void)nhrp__resolution_renew(e, m);
        nhrp__timer_set(e, &m->timer, m->expires_ms);
        return;
    }
    /* A negative mapping is kept as long again, so that a next failure rests longer; not so short
     * a time that no redirect can come in it. */
    if (m->kind == NHRP_MAPPING_NEGATIVE) {
        const uint64_t kept = m->rest_ms > e->cfg.negative_ms ? m->rest_ms : e->cfg.negative_ms;
        if (e->now_ms < m->expires_ms + kept) {
            nhrp__timer_set(e, &m->timer, m->expires_ms + kept);
            return;
        }
    }
    nhrp__mapping_end(e, m);
}

/* Turns the next dirty mapping into an event; a mapping that came and went untold is skipped. */
nhrp_rc nhrp__mapping_event(nhrp_engine *e, nhrp_event *ev)
{
    while (!list_empty(&e->dirty)) {
        nhrp__mapping *m = CONTAINER_OF(e->dirty.next, nhrp__mapping, dirty_node);
        list_remove(&m->dirty_node);
        nhrp_event out;
        memset(&out, 0, sizeof(out));
        out.id = m->id;
        out.vrf = m->prefix.scope;
        if (m->link) {
            out.link = m->link->id;
            out.interface = m->link->interface->id;
        }
        if (m->kind == NHRP_MAPPING_DEAD) {
            list_append(&e->dead, &m->dirty_node);
            out.kind = NHRP_EVENT_MAPPING_DOWN;
        } else if (m->kind == NHRP_MAPPING_NEGATIVE) {
            out.kind = NHRP_EVENT_MAPPING_NEGATIVE;
            out.code = m->code;
        } else if (m->kind == NHRP_MAPPING_INCOMPLETE) {
            continue;
        } else {
            out.kind = NHRP_EVENT_MAPPING_UP;
        }
        m->told = m->kind != NHRP_MAPPING_NEGATIVE || m->told;
        *ev = out;
        return NHRP_YES;
    }
    return NHRP_OK;
}

nhrp_rc nhrp_engine_used(nhrp_engine *e, uint64_t now_ms, uint64_t id)
{
    if (!e)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__mapping *m = nhrp__mapping_find(e, id);
    if (!m || m->kind == NHRP_MAPPING_DEAD)
        return NHRP_ERR_ABSENT;
    m->flags |= NHRP_MAPPING_USED;
    /* The time of renewal has come while nobody used it: renew now. */
    const uint64_t lead = (uint64_t)m->holding_time_s * 1000 / 4;
    if (m->kind == NHRP_MAPPING_RESOLVED && !m->resolution && lead >= MIN_RENEW_LEAD_MS &&
        e->now_ms + lead >= m->expires_ms && nhrp__room(e))
        (void)nhrp__resolution_renew(e, m);
    return NHRP_OK;
}

nhrp_rc nhrp_engine_remove(nhrp_engine *e, uint64_t now_ms, uint64_t id)
{
    if (!e)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__mapping *m = nhrp__mapping_find(e, id);
    if (!m || m->kind == NHRP_MAPPING_DEAD)
        return NHRP_ERR_ABSENT;
    nhrp__mapping_end(e, m);
    return NHRP_OK;
}
