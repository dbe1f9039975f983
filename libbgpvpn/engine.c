/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Life of an engine, time, events, next hops, getters of the RIB.
 */
#include "engine.h"

enum {
    EVENTS_MIN = 16,
    JOURNAL_MIN = 16,
    GROUP_BYTES_MIN = 16384,
    JITTER_PARTS = 256,
    RESTART_TIME_MAX_S = 4095
};

uint64_t bgpvpn__now(bgpvpn_engine *e, uint64_t now_ms)
{
    if (now_ms > e->now_ms)
        e->now_ms = now_ms;
    return e->now_ms;
}

uint64_t bgpvpn__stir(bgpvpn_engine *e, uint64_t now_ms)
{
    e->quiet = false;
    return bgpvpn__now(e, now_ms);
}

/* RFC 4271 10: 0.75 to 1.0 times. */
uint64_t bgpvpn__jitter_ms(bgpvpn_engine *e, uint64_t ms)
{
    return ms - ms / 4 * drbg_below(&e->drbg, JITTER_PARTS) / (JITTER_PARTS - 1);
}

bool bgpvpn__events_ok(const bgpvpn_engine *e)
{
    return ring_free(&e->events) >= EVENT_ROOM;
}

void bgpvpn__emit(bgpvpn_engine *e, const bgpvpn_event *ev)
{
    (void)ring_push(&e->events, ev);
}

bgpvpn_rc bgpvpn_config_init(bgpvpn_config *cfg)
{
    static const bgpvpn_config defaults = {
        .struct_size = sizeof(bgpvpn_config),
        .ask_timeout_ms = 10000,
        .close_timeout_ms = 5000,
        .open_timeout_s = 240,
        .max_work = 1000,
        .max_events = 256,
        .max_neighbors = 4096,
        .max_ranges = 64,
        .max_asks = 64,
        .max_prefixes = 4u << 20,
        .max_paths = 8u << 20,
        .max_attribute_sets = 1u << 20,
        .max_next_hops = 64u << 10,
        .max_vrfs = 4096,
        .max_vrf_routes = 4u << 20,
        .max_groups = 64,
        .journal_changes = 64u << 10,
        .group_journal_bytes = 256u << 10,
        .restart_time_s = 120,
        .deferral_s = 360,
        .targets_wait_s = 60,
    };
    if (!cfg)
        return BGPVPN_ERR_ARG;
    *cfg = defaults;
    return BGPVPN_OK;
}

static bool config_ok(const bgpvpn_config *c)
{
    return c->local_as != 0 && c->router_id != 0 && c->next_hops <= BGPVPN_NEXT_HOPS_ASK &&
           c->accept <= BGPVPN_ACCEPT_ASK && c->max_work > 0 && c->max_events >= EVENTS_MIN &&
           c->open_timeout_s > 0 && c->max_prefixes < DEST_V6 &&
           c->journal_changes >= JOURNAL_MIN && c->group_journal_bytes >= GROUP_BYTES_MIN &&
           c->restarted <= 1 && c->restart_time_s > 0 && c->restart_time_s <= RESTART_TIME_MAX_S;
}

/* A dest with a prefix of so many bytes and its generation, such that the next one is aligned. */
static uint32_t dest_size(size_t prefix_bytes)
{
    const size_t size = offsetof(dest, prefix) + prefix_bytes + sizeof(uint32_t);
    return (uint32_t)((size + _Alignof(dest) - 1) / _Alignof(dest) * _Alignof(dest));
}

bgpvpn_rc bgpvpn_engine_new(const bgpvpn_config *cfg, uint64_t now_ms, bgpvpn_engine **out)
{
    bgpvpn_config c;
    if (!cfg || !out)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn_config_init(&c);
    if (!versioned_read(&c, sizeof(c), CONFIG_FIRST, cfg) || !config_ok(&c))
        return BGPVPN_ERR_ARG;
    if (c.cluster_id == 0)
        c.cluster_id = c.router_id;
    if (sodium_init() < 0)
        return BGPVPN_ERR_STATE;

    const alloc a = alloc_make(c.allocator.resize, c.allocator.user);
    bgpvpn_engine *e = alloc_zero(&a, sizeof(*e));
    if (!e)
        return BGPVPN_ERR_NOMEM;
    e->alloc = a;
    e->cfg = c;
    e->now_ms = now_ms;
    e->next_id = 1;
    e->ready_end = &e->ready;
    e->deferring = c.restarted != 0;
    e->defer_at = e->deferring ? now_ms + c.deferral_s * UINT64_C(1000) : BGPVPN_NEVER;
    drbg_init(&e->drbg, c.seed);
    sodium_memzero(e->cfg.seed, sizeof(e->cfg.seed));
    sodium_memzero(c.seed, sizeof(c.seed));
    drbg_get(&e->drbg, e->hash_key, sizeof(e->hash_key));
    pool_init(&e->dests4, dest_size(4), c.max_prefixes);
    pool_init(&e->dests6, dest_size(16), c.max_prefixes);
    pool_init(&e->paths, sizeof(path), c.max_paths);
    pool_init(&e->cands, sizeof(cand), UINT32_MAX);
    pool_init(&e->vroutes, sizeof(vroute), c.max_vrf_routes);
    bgpvpn__index_init(&e->dest_index);
    bgpvpn__index_init(&e->vroute_index);
    e->journal = alloc_array(&a, c.journal_changes, sizeof(*e->journal));
    if (!e->journal || !bgpvpn__scratch_reserve(e, SCRATCH) ||
        !ring_init(&e->events, &a, c.max_events, sizeof(bgpvpn_event)) ||
        !map_init(&e->conns_by_id, &a) || !map_init(&e->neighbors_by_addr, &a) ||
        !map_init(&e->attr_sets, &a) || !map_init(&e->hops, &a) || !map_init(&e->rds, &a) ||
        !map_init(&e->vrfs_by_number, &a) || !map_init(&e->imports, &a) ||
        !bgpvpn__index_ready(&e->dest_index, &a) || !bgpvpn__index_ready(&e->vroute_index, &a)) {
        bgpvpn_engine_free(e);
        return BGPVPN_ERR_NOMEM;
    }
    *out = e;
    return BGPVPN_OK;
}

bool bgpvpn__scratch_reserve(bgpvpn_engine *e, size_t size)
{
    if (e->scratch_size >= size)
        return true;
    uint8_t *both = alloc_array(&e->alloc, 2, size);
    if (!both)
        return false;
    alloc_free(&e->alloc, e->scratch);
    e->scratch = both;
    e->scratch2 = both + size;
    e->scratch_size = size;
    return true;
}

void bgpvpn_engine_free(bgpvpn_engine *e)
{
    if (!e)
        return;
    const alloc a = e->alloc;
    while (e->conns) {
        conn *c = e->conns;
        bgpvpn__conn_free(e, c);
    }
    bgpvpn__rib_end(e);
    bgpvpn__vrf_end(e);
    bgpvpn__neighbor_settle(e, true);
    while (e->ranges) {
        range *r = e->ranges;
        e->ranges = r->next;
        alloc_free(&a, r);
    }
    alloc_free(&a, e->by_index);
    alloc_free(&a, e->scratch);
    map_free(&e->conns_by_id, &a);
    map_free(&e->neighbors_by_addr, &a);
    map_free(&e->attr_sets, &a);
    map_free(&e->hops, &a);
    map_free(&e->rds, &a);
    map_free(&e->vrfs_by_number, &a);
    map_free(&e->imports, &a);
    ring_end(&e->events, &a);
    heap_free(&e->timers, &a);
    sodium_memzero(&e->drbg, sizeof(e->drbg));
    alloc_free(&a, e);
}

bgpvpn_rc bgpvpn_engine_reseed(bgpvpn_engine *e, uint64_t now_ms, const uint8_t seed[32])
{
    if (!e || !seed)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    drbg_reseed(&e->drbg, seed);
    return BGPVPN_OK;
}

/* ---- Time ---- */

static bool timer_due(const bgpvpn_engine *e)
{
    const heap_node *first = heap_first(&e->timers);
    return first && first->deadline <= e->now_ms;
}

bgpvpn_rc bgpvpn_engine_timeout(bgpvpn_engine *e, uint64_t now_ms)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    uint32_t budget = e->cfg.max_work;
    while (timer_due(e) && budget > 0 && bgpvpn__events_ok(e)) {
        timer *t = CONTAINER_OF(heap_first(&e->timers), timer, node);
        budget--;
        if (t->owner == TIMER_CONN)
            bgpvpn__session_due(e, CONTAINER_OF(t, conn, timer));
        else
            bgpvpn__neighbor_due(e, CONTAINER_OF(t, neighbor, timer));
    }
    if (e->defer_at <= e->now_ms && bgpvpn__events_ok(e))
        bgpvpn__restart_select(e);
    if (e->rescue_at && e->rescue_at <= e->now_ms) {
        e->rescue_at = 0;
        bgpvpn__rib_rescan(e);
    }
    const bool more = bgpvpn__rib_work(e, &budget);
    return more || timer_due(e) ? BGPVPN_YES : BGPVPN_OK;
}

uint64_t bgpvpn_engine_deadline(const bgpvpn_engine *e)
{
    if (!e)
        return BGPVPN_NEVER;
    /* What poll_output made necessary: a label question, the close of a stream. */
    if (e->label_head || e->events.count > 0 || e->closed_count > 0)
        return e->now_ms;
    if (e->busy || e->scan_left > 0 ||
        (e->pathless > 0 && e->reaped < e->version && e->reaped < bgpvpn__group_synced(e)))
        return e->now_ms;
    const heap_node *first = heap_first(&e->timers);
    uint64_t at = first ? first->deadline : BGPVPN_NEVER;
    if (e->rescue_at && e->rescue_at < at)
        at = e->rescue_at;
    if (e->defer_at < at)
        at = e->defer_at;
    return at;
}

/* ---- Events ---- */

static void take_closed(bgpvpn_engine *e, bgpvpn_event *out)
{
    conn *c = e->conns;
    while (!c->closed)
        c = c->next;
    const bgpvpn_event ev = {.kind = BGPVPN_EVENT_CLOSE,
                             .reason = c->reason,
                             .id = c->neighbor_id,
                             .parent_id = c->id,
                             .code = c->code,
                             .subcode = c->subcode,
                             .address = c->peer};
    *out = ev;
    bgpvpn__conn_free(e, c);
}

static void take_hop(bgpvpn_engine *e, bgpvpn_event *out)
{
    hop *h = e->asks_head;
    e->asks_head = h->next_ask;
    if (!e->asks_head)
        e->asks_tail = NULL;
    h->queued = false;
    const bgpvpn_event ev = {
        .kind = BGPVPN_EVENT_ASK_NEXT_HOP, .id = h->id, .ask_id = h->id, .address = h->addr};
    *out = ev;
}

bgpvpn_rc bgpvpn_engine_poll_event(bgpvpn_engine *e, bgpvpn_event *out)
{
    if (!e || !out)
        return BGPVPN_ERR_ARG;
    if (ring_pop(&e->events, out))
        return BGPVPN_YES;
    /* These two could be many at once, so they wait in their objects and not in the ring. */
    if (e->closed_count > 0)
        take_closed(e, out);
    else if (e->asks_head)
        take_hop(e, out);
    else
        return BGPVPN_OK;
    return BGPVPN_YES;
}

/* ---- Next hops ---- */

static void settle_hop(bgpvpn_engine *e, hop *h, uint8_t up, uint32_t metric)
{
    const uint8_t state = up ? HOP_UP : HOP_DOWN;
    if (h->state == state && h->metric == metric)
        return;
    h->state = state;
    h->metric = metric;
    bgpvpn__rib_rescan(e);
}

bgpvpn_rc bgpvpn_engine_answer_next_hop(bgpvpn_engine *e, uint64_t now_ms, uint64_t ask_id,
                                        uint8_t up, uint32_t metric)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    size_t bucket = 0;
    for (map_node *node = map_walk(&e->hops, &bucket, NULL); node;
         node = map_walk(&e->hops, &bucket, node)) {
        hop *h = CONTAINER_OF(node, hop, node);
        if (h->id == ask_id) {
            settle_hop(e, h, up, metric);
            return BGPVPN_OK;
        }
    }
    return BGPVPN_ERR_ABSENT;
}

bgpvpn_rc bgpvpn_engine_set_next_hop(bgpvpn_engine *e, uint64_t now_ms, const bgpvpn_addr *next_hop,
                                     uint8_t up, uint32_t metric)
{
    if (!e || !next_hop)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    hop *h = bgpvpn__hop_find(e, next_hop);
    if (!h)
        return BGPVPN_ERR_ABSENT;
    settle_hop(e, h, up, metric);
    return BGPVPN_OK;
}

/* ---- Getters ---- */

bgpvpn_rc bgpvpn_engine_get_attribute(const bgpvpn_engine *e, uint64_t route_id, uint8_t type,
                                      const uint8_t **value, size_t *len)
{
    if (!e || !value || !len)
        return BGPVPN_ERR_ARG;
    const uint32_t handle = bgpvpn__dest_by_id(e, route_id);
    const path *best = handle ? bgpvpn__best(e, bgpvpn__dest(e, handle)) : NULL;
    return best && bgpvpn__attrs_find(best->attrs, type, value, len) ? BGPVPN_OK
                                                                     : BGPVPN_ERR_ABSENT;
}

void bgpvpn__describe(const bgpvpn_engine *e, uint32_t handle, const path *p, bgpvpn_path_info *out)
{
    const dest *d = bgpvpn__dest(e, handle);
    bgpvpn_path_info info = {.struct_size = sizeof(info), .table = d->table};
    info.route_id = bgpvpn__dest_id(e, handle);
    info.neighbor = p->source == SOURCE_LOCAL ? 0 : e->by_index[p->source]->id;
    bgpvpn__dest_prefix(d, &info.prefix);
    if (p->attrs->hop)
        info.next_hop = p->attrs->hop->addr;
    if (d->rd)
        memcpy(info.rd, d->rd->bytes, sizeof(info.rd));
    info.label = p->label;
    info.own_label = d->label;
    info.best = p == bgpvpn__best(e, d);
    info.usable = bgpvpn__path_usable(e, d, p);
    info.local_pref = p->attrs->local_pref;
    info.med = p->attrs->med;
    (void)versioned_write(out, &info, sizeof(info), sizeof(info));
}

bgpvpn_rc bgpvpn_engine_get_next_path(const bgpvpn_engine *e, uint64_t *it, bgpvpn_path_info *out)
{
    if (!e || !it || !out || !bgpvpn__size_known(out->struct_size, sizeof(*out)))
        return BGPVPN_ERR_ARG;
    /* The position: a place in the table, and how many of its paths were told. */
    uint64_t at = *it >> 24;
    uint64_t skip = *it & 0xffffff;
    for (; at < bgpvpn__rib_size(e); at++, skip = 0) {
        const uint32_t handle = bgpvpn__rib_walk(e, at);
        const path *p = handle ? bgpvpn__path(e, bgpvpn__dest(e, handle)->paths) : NULL;
        for (uint64_t i = 0; p && i < skip; i++)
            p = bgpvpn__path(e, p->next);
        if (p) {
            bgpvpn__describe(e, handle, p, out);
            *it = at << 24 | (skip + 1);
            return BGPVPN_YES;
        }
    }
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_get_counters(const bgpvpn_engine *e, bgpvpn_counters *out)
{
    if (!e || !out || !bgpvpn__size_known(out->struct_size, sizeof(*out)))
        return BGPVPN_ERR_ARG;
    const bgpvpn_counters c = {
        .struct_size = sizeof(c),
        .neighbors = e->neighbor_count,
        .established = e->established,
        .groups = e->group_count,
        .prefixes = e->dests4.count + e->dests6.count,
        .paths = e->paths.count,
        .attribute_sets = (uint32_t)e->attr_sets.count,
        .next_hops = (uint32_t)e->hops.count,
        .vrfs = e->vrf_count,
        .vrf_routes = e->vroutes.count,
        .table_version = e->version,
        .updates_encoded = e->updates_encoded,
        .group_rejoins = e->group_rejoins,
    };
    (void)versioned_write(out, &c, sizeof(c), sizeof(c));
    return BGPVPN_OK;
}
