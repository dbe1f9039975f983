/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine as a whole: its tables, its time, its events and outputs.
 */
#include "core.h"

#include <internal/versioned.h>

void nhrp__time_set(nhrp_engine *e, uint64_t now_ms)
{
    if (now_ms > e->now_ms)
        e->now_ms = now_ms;
    nhrp__reap(e);
}

/* Mappings whose last event was polled are looked up no more once another call is made. */
void nhrp__reap(nhrp_engine *e)
{
    while (!list_empty(&e->dead))
        nhrp__mapping_free(e, CONTAINER_OF(e->dead.next, nhrp__mapping, dirty_node));
}

bool nhrp__room(const nhrp_engine *e)
{
    return ring_free(&e->events) >= EVENTS_PER_CALL;
}

void nhrp__event_push(nhrp_engine *e, const nhrp_event *ev)
{
    (void)ring_push(&e->events, ev);
}

/* Keyed: peers choose addresses. The family tells 4 octets from 16. */
uint64_t nhrp__hash_addr(const nhrp_engine *e, uint64_t salt, const nhrp_addr *a)
{
    uint8_t key[sizeof(salt) + 2 + sizeof(a->scope) + sizeof(a->bytes)];
    memcpy(key, &salt, sizeof(salt));
    key[sizeof(salt)] = a->family;
    key[sizeof(salt) + 1] = a->prefix_len;
    memcpy(key + sizeof(salt) + 2, &a->scope, sizeof(a->scope));
    memcpy(key + sizeof(salt) + 2 + sizeof(a->scope), a->bytes, sizeof(a->bytes));
    return drbg_hash(e->hash_key, key, sizeof(key));
}

uint64_t nhrp__hash_id(const nhrp_engine *e, uint64_t id)
{
    return drbg_hash(e->hash_key, &id, sizeof(id));
}

void nhrp__timer_set(nhrp_engine *e, nhrp__timer *t, uint64_t deadline_ms)
{
    heap_set(&e->timers, &t->node, deadline_ms);
}

/* What the first version of the struct had. */
#define CONFIG_FIRST offsetof(nhrp_config, max_servers)

static bool config_ok(const nhrp_config *c)
{
    return c->vendor_oui <= 0xffffff && c->max_events >= MIN_EVENTS && c->max_work > 0 &&
           c->retransmit_ms > 0 && c->retransmit_max_ms >= c->retransmit_ms &&
           c->max_transmissions > 0 && c->negative_ms > 0 && c->silent_ms > 0 &&
           c->negative_max_ms >= c->negative_ms;
}

#define TABLES(e)                                                                                  \
    {                                                                                              \
        &(e)->links_by_id, &(e)->links_by_nbma, &(e)->links_by_protocol[0],                        \
            &(e)->links_by_protocol[1], &(e)->mappings_by_id, &(e)->mappings_by_prefix,            \
            &(e)->resolutions_by_request, &(e)->questions_by_id, &(e)->answers_by_key,             \
            &(e)->answers_by_request, &(e)->flows_by_key, &(e)->replicas_by_key,                   \
            &(e)->replicas_by_id                                                                   \
    }

static bool tables_init(nhrp_engine *e)
{
    map *const maps[] = TABLES(e);
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        if (!map_init(maps[i], &e->mem))
            return false;
    return ring_init(&e->events, &e->mem, e->cfg.max_events, sizeof(nhrp_event));
}

static void tables_end(nhrp_engine *e)
{
    map *const maps[] = TABLES(e);
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        map_free(maps[i], &e->mem);
    ring_end(&e->events, &e->mem);
    alloc_free(&e->mem, e->locals);
    heap_free(&e->timers, &e->mem);
}

nhrp_rc nhrp_engine_new(const nhrp_config *cfg, uint64_t now_ms, nhrp_engine **out)
{
    nhrp_config c;
    if (!cfg || !out)
        return NHRP_ERR_ARG;
    (void)nhrp_config_init(&c);
    if (!versioned_read(&c, sizeof(c), CONFIG_FIRST, cfg) || !config_ok(&c))
        return NHRP_ERR_ARG;
    if (sodium_init() < 0)
        return NHRP_ERR_NOMEM;
    const alloc mem = alloc_make(c.allocator.resize, c.allocator.user);
    nhrp_engine *e = alloc_zero(&mem, sizeof(*e));
    if (!e)
        return NHRP_ERR_NOMEM;
    e->cfg = c;
    e->mem = mem;
    e->now_ms = now_ms;
    e->last_registration_id = c.first_registration_id - 1;
    list_node *const lists[] = {&e->interfaces, &e->links, &e->servers, &e->mappings,
                                &e->dirty,      &e->dead,  &e->outputs, &e->flows};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        list_init(lists[i]);
    drbg_init(&e->random, c.seed);
    drbg_get(&e->random, e->hash_key, sizeof(e->hash_key));
    sodium_memzero(e->cfg.seed, sizeof(e->cfg.seed));
    sodium_memzero(c.seed, sizeof(c.seed));
    if (!tables_init(e)) {
        nhrp_engine_free(e);
        return NHRP_ERR_NOMEM;
    }
    *out = e;
    return NHRP_OK;
}

void nhrp_engine_free(nhrp_engine *e)
{
    if (!e)
        return;
    nhrp__links_end(e);
    while (!list_empty(&e->mappings))
        nhrp__mapping_end(e, CONTAINER_OF(e->mappings.next, nhrp__mapping, node));
    while (!list_empty(&e->dirty))
        nhrp__mapping_free(e, CONTAINER_OF(e->dirty.next, nhrp__mapping, dirty_node));
    nhrp__reap(e);
    nhrp__intents_end(e);
    nhrp__flows_end(e);
    while (!list_empty(&e->interfaces)) {
        nhrp__interface *i = CONTAINER_OF(e->interfaces.next, nhrp__interface, node);
        list_remove(&i->node);
        sodium_memzero(i->key, sizeof(i->key));
        alloc_free(&e->mem, i);
    }
    tables_end(e);
    const alloc mem = e->mem;
    sodium_memzero(e, sizeof(*e));
    alloc_free(&mem, e);
}

static void due(nhrp_engine *e, nhrp__timer *t)
{
    nhrp__timer_set(e, t, HEAP_NEVER);
    switch (t->kind) {
    case TIMER_MAPPING:
        nhrp__mapping_due(e, CONTAINER_OF(t, nhrp__mapping, timer));
        break;
    case TIMER_RESOLUTION:
        nhrp__resolution_due(e, CONTAINER_OF(t, nhrp__resolution, timer));
        break;
    case TIMER_QUESTION:
        nhrp__question_due(e, CONTAINER_OF(t, nhrp__question, timer));
        break;
    case TIMER_REGISTRATION:
        nhrp__server_due(e, CONTAINER_OF(t, nhrp__server, timer));
        break;
    default:
        nhrp__answer_due(e, CONTAINER_OF(t, nhrp__answer, timer));
        break;
    }
}

nhrp_rc nhrp_engine_timeout(nhrp_engine *e, uint64_t now_ms)
{
    if (!e)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    for (uint32_t work = 0;; work++) {
        heap_node *first = heap_first(&e->timers);
        if (!first || first->deadline > e->now_ms)
            return NHRP_OK;
        if (work == e->cfg.max_work || !nhrp__room(e))
            return NHRP_YES;
        due(e, CONTAINER_OF(first, nhrp__timer, node));
    }
}

uint64_t nhrp_engine_deadline(const nhrp_engine *e)
{
    const heap_node *first = e ? heap_first(&e->timers) : NULL;
    return first ? first->deadline : NHRP_NEVER;
}

nhrp_rc nhrp_engine_reseed(nhrp_engine *e, uint64_t now_ms, const uint8_t *seed)
{
    if (!e || !seed)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    drbg_reseed(&e->random, seed);
    return NHRP_OK;
}

/* What mappings came to is told first: it may be what the rest relies on. */
nhrp_rc nhrp_engine_poll_event(nhrp_engine *e, nhrp_event *ev)
{
    if (!e || !ev)
        return NHRP_ERR_ARG;
    nhrp__reap(e);
    if (nhrp__mapping_event(e, ev) == NHRP_YES)
        return NHRP_YES;
    return ring_pop(&e->events, ev) ? NHRP_YES : NHRP_OK;
}
