/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Neighbours and listen ranges.
 */
#include "engine.h"

enum {
    BGP_PORT = 179,
    HOLD_MIN_S = 3,
    BACKOFF_DOUBLINGS = 6,
    CODE_CEASE = 6,
    CEASE_SHUTDOWN = 2,
    CEASE_REMOVED = 3,
    CEASE_RESET = 4,
    CEASE_HARD_RESET = 9,
    TEXT_MAX = 255,
    DEFAULT_HOLD_S = 90,
    DEFAULT_CONNECT_RETRY_S = 120,
    DEFAULT_WARN_PERCENT = 75,
    DEFAULT_STALE_S = 180,
    DEFAULT_TARGETS = 4096,
    PERCENT = 100
};

#define MS_PER_S UINT64_C(1000)

bool bgpvpn__addr_same(const bgpvpn_addr *a, const bgpvpn_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bgpvpn_rc bgpvpn_neighbor_config_init(bgpvpn_neighbor_config *cfg)
{
    if (!cfg)
        return BGPVPN_ERR_ARG;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    cfg->tables = BGPVPN_TABLE_VPNV4;
    cfg->hold_time_s = DEFAULT_HOLD_S;
    cfg->connect_retry_s = DEFAULT_CONNECT_RETRY_S;
    cfg->idle_hold_s = 1;
    cfg->warn_percent = DEFAULT_WARN_PERCENT;
    cfg->stale_time_s = DEFAULT_STALE_S;
    cfg->max_targets = DEFAULT_TARGETS;
    return BGPVPN_OK;
}

bool bgpvpn__neighbor_config_read(const bgpvpn_neighbor_config *theirs,
                                  bgpvpn_neighbor_config *ours)
{
    (void)bgpvpn_neighbor_config_init(ours);
    return versioned_read(ours, sizeof(*ours), NEIGHBOR_CONFIG_FIRST, theirs) &&
           ours->remote_as != 0 &&
           (ours->send_hold_time_s == 0 || ours->send_hold_time_s > ours->hold_time_s) &&
           (ours->hold_time_s == 0 ||
            (ours->hold_time_s >= HOLD_MIN_S && ours->hold_time_s <= UINT16_MAX)) &&
           ours->connect_retry_s != 0 && ours->warn_percent <= PERCENT && ours->tables != 0 &&
           !(ours->tables & ~ALL_TABLES);
}

static uint64_t hash_addr(const bgpvpn_engine *e, const bgpvpn_addr *a)
{
    uint8_t key[5 + sizeof(a->bytes)] = {a->family};
    wire_set_u32(key + 1, a->scope);
    memcpy(key + 5, a->bytes, sizeof(a->bytes));
    return drbg_hash(e->hash_key, key, sizeof(key));
}

neighbor *bgpvpn__neighbor_by_addr(const bgpvpn_engine *e, const bgpvpn_addr *addr)
{
    map_node *node = map_first(&e->neighbors_by_addr, hash_addr(e, addr));
    for (; node; node = map_next(node)) {
        neighbor *n = CONTAINER_OF(node, neighbor, node);
        if (bgpvpn__addr_same(&n->cfg.address, addr) && n->cfg.address.scope == addr->scope)
            return n;
    }
    return NULL;
}

static neighbor *neighbor_find(const bgpvpn_engine *e, uint64_t id)
{
    neighbor *n = e->neighbors;
    while (n && (n->id != id || n->removing))
        n = n->next;
    return n;
}

/* A free place in by_index; 0: no memory. */
static uint32_t free_index(bgpvpn_engine *e)
{
    for (uint32_t i = 1; i < e->index_cap; i++)
        if (!e->by_index[i])
            return i;
    const uint32_t cap = e->index_cap ? e->index_cap * 2 : 16;
    neighbor **grown = alloc_grow(&e->alloc, e->by_index, e->index_cap, cap, sizeof(*grown));
    if (!grown)
        return 0;
    const uint32_t index = e->index_cap ? e->index_cap : 1;
    e->by_index = grown;
    e->index_cap = cap;
    return index;
}

bgpvpn_rc bgpvpn__neighbor_new(bgpvpn_engine *e, const bgpvpn_neighbor_config *cfg,
                               const bgpvpn_addr *addr, bool dynamic, neighbor **out)
{
    if (e->neighbor_count >= e->cfg.max_neighbors)
        return BGPVPN_ERR_LIMIT;
    const uint32_t index = free_index(e);
    neighbor *n = index ? alloc_zero(&e->alloc, sizeof(*n)) : NULL;
    if (!n || !heap_join(&e->timers, &e->alloc, &n->timer.node)) {
        alloc_free(&e->alloc, n);
        return BGPVPN_ERR_NOMEM;
    }
    n->timer.owner = TIMER_NEIGHBOR;
    n->cfg = *cfg;
    n->cfg.address = *addr;
    n->cfg.address.prefix_len = 0;
    n->id = e->next_id++;
    n->index = index;
    n->dynamic = dynamic;
    n->rest = BGPVPN_STATE_ACTIVE;
    n->retry_at = n->restart_at = n->stale_at = n->targets.wait_at = BGPVPN_NEVER;
    e->by_index[index] = n;
    map_insert(&e->neighbors_by_addr, &e->alloc, &n->node, hash_addr(e, addr));
    neighbor **link = &e->neighbors;
    while (*link)
        link = &(*link)->next;
    *link = n;
    e->neighbor_count++;
    *out = n;
    return BGPVPN_OK;
}

static void neighbor_free(bgpvpn_engine *e, neighbor **link)
{
    neighbor *n = *link;
    *link = n->next;
    bgpvpn__group_leave(e, n);
    alloc_free(&e->alloc, n->targets.list);
    heap_leave(&e->timers, &n->timer.node);
    e->by_index[n->index] = NULL;
    e->neighbor_count--;
    alloc_free(&e->alloc, n);
}

void bgpvpn__neighbor_settle(bgpvpn_engine *e, bool all)
{
    for (neighbor **link = &e->neighbors; *link;) {
        const neighbor *n = *link;
        if (all || (n->removing && n->info.paths == 0))
            neighbor_free(e, link);
        else
            link = &(*link)->next;
    }
}

void bgpvpn__neighbor_arm(bgpvpn_engine *e, neighbor *n)
{
    uint64_t at = n->retry_at;
    at = n->restart_at < at ? n->restart_at : at;
    at = n->stale_at < at ? n->stale_at : at;
    at = n->targets.wait_at < at ? n->targets.wait_at : at;
    heap_set(&e->timers, &n->timer.node, at);
}

static void arm(bgpvpn_engine *e, neighbor *n, uint64_t delay_ms)
{
    n->retry_at = delay_ms == BGPVPN_NEVER ? BGPVPN_NEVER : e->now_ms + delay_ms;
    bgpvpn__neighbor_arm(e, n);
}

static uint64_t backoff_ms(bgpvpn_engine *e, neighbor *n)
{
    const uint32_t doublings = n->fails < BACKOFF_DOUBLINGS ? n->fails : BACKOFF_DOUBLINGS;
    const uint64_t pause = ((uint64_t)n->cfg.idle_hold_s * MS_PER_S) << doublings;
    const uint64_t most = n->cfg.connect_retry_s * MS_PER_S;
    n->fails++;
    return bgpvpn__jitter_ms(e, pause < most ? pause : most);
}

/* It is not looked up any more; its memory goes when its last route has gone. */
static void retire(bgpvpn_engine *e, neighbor *n)
{
    n->removing = true;
    n->restart_at = n->stale_at = n->targets.wait_at = BGPVPN_NEVER;
    bgpvpn__rib_mark(n, ALL_TABLES);
    bgpvpn__rib_sweep(e, n, ALL_TABLES);
    arm(e, n, BGPVPN_NEVER);
    map_remove(&e->neighbors_by_addr, &n->node);
    bgpvpn__rib_rescan(e);
    if (e->scan_left == 0)
        bgpvpn__neighbor_settle(e, false);
}

static void forget_dynamic(bgpvpn_engine *e, neighbor *n)
{
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_GONE, .id = n->id, .address = n->cfg.address};
    bgpvpn__emit(e, &ev);
    retire(e, n);
}

/* Who sent too much stays in Idle, and is refused there, until the pause is over. */
static void rest_over_limit(bgpvpn_engine *e, neighbor *n)
{
    const uint64_t pause = n->cfg.max_prefixes_restart_s * MS_PER_S;
    n->over_limit = false;
    if (n->dynamic && pause == 0) {
        forget_dynamic(e, n);
        return;
    }
    n->rest = BGPVPN_STATE_IDLE;
    arm(e, n, pause ? pause : BGPVPN_NEVER);
}

void bgpvpn__neighbor_rest(bgpvpn_engine *e, neighbor *n, bool failed_to_connect)
{
    if (n->removing || n->shutdown || n->in || n->out)
        return;
    if (n->over_limit) {
        rest_over_limit(e, n);
        return;
    }
    if (n->dynamic) {
        /* Its routes may be waiting for it to come back. */
        n->rest = BGPVPN_STATE_ACTIVE;
        if (!n->stale)
            forget_dynamic(e, n);
        return;
    }
    /* Who cannot be reached may still reach us; who made an error waits a while. */
    n->rest = failed_to_connect ? BGPVPN_STATE_ACTIVE : BGPVPN_STATE_IDLE;
    arm(e, n, backoff_ms(e, n));
}

static void dial(bgpvpn_engine *e, neighbor *n)
{
    conn *c;
    arm(e, n, bgpvpn__jitter_ms(e, n->cfg.connect_retry_s * MS_PER_S));
    if (bgpvpn__conn_new(e, &n->cfg.address, 0, &c) != BGPVPN_OK)
        return; /* tried again when the timer runs out */
    if (c->peer.port == 0)
        c->peer.port = BGP_PORT;
    c->local = n->cfg.local;
    bgpvpn__conn_attach(c, n);
    bgpvpn__session_open(e, c);
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_CONNECT, .id = n->id, .parent_id = c->id};
    ev.address = c->peer;
    bgpvpn__emit(e, &ev);
}

static void start(bgpvpn_engine *e, neighbor *n)
{
    n->rest = BGPVPN_STATE_ACTIVE;
    n->shutdown = false;
    arm(e, n, BGPVPN_NEVER);
    if (!(n->cfg.flags & BGPVPN_NEIGHBOR_PASSIVE) && !n->dynamic && !n->out && !n->in)
        dial(e, n);
}

void bgpvpn__neighbor_due(bgpvpn_engine *e, neighbor *n)
{
    if (n->targets.wait_at <= e->now_ms) {
        bgpvpn__targets_open(e, n);
        return;
    }
    if (n->restart_at <= e->now_ms || n->stale_at <= e->now_ms) {
        bgpvpn__restart_due(e, n);
        if (n->dynamic && !n->in && !n->out && !n->stale && n->rest == BGPVPN_STATE_ACTIVE)
            forget_dynamic(e, n);
        return;
    }
    arm(e, n, BGPVPN_NEVER);
    if (n->shutdown || n->removing)
        return;
    if (n->dynamic) {
        forget_dynamic(e, n);
        return;
    }
    /* RFC 4271 8.2.2 Connect, event 9: the attempt is given up for another one. */
    if (n->out && !n->out->up)
        bgpvpn__session_end(e, n->out, BGPVPN_REASON_STREAM);
    start(e, n);
}

/* ---- Requests ---- */

bgpvpn_rc bgpvpn_engine_neighbor_add(bgpvpn_engine *e, uint64_t now_ms,
                                     const bgpvpn_neighbor_config *cfg, uint64_t *id)
{
    bgpvpn_neighbor_config ours;
    neighbor *n;
    if (!e || !cfg || !id || !bgpvpn__neighbor_config_read(cfg, &ours) ||
        (ours.address.family != BGPVPN_FAMILY_IPV4 && ours.address.family != BGPVPN_FAMILY_IPV6))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    if (bgpvpn__neighbor_by_addr(e, &ours.address))
        return BGPVPN_ERR_STATE;
    if (!bgpvpn__events_ok(e))
        return BGPVPN_ERR_LIMIT;
    const bgpvpn_rc rc = bgpvpn__neighbor_new(e, &ours, &ours.address, false, &n);
    if (rc != BGPVPN_OK)
        return rc;
    start(e, n);
    *id = n->id;
    return BGPVPN_OK;
}

/* Ends all connections with a Cease. */
static void cease(bgpvpn_engine *e, neighbor *n, uint8_t subcode, const uint8_t *data, size_t len)
{
    if (n->in)
        bgpvpn__session_notify(e, n->in, CODE_CEASE, subcode, data, len);
    if (n->out)
        bgpvpn__session_notify(e, n->out, CODE_CEASE, subcode, data, len);
}

/* How requests about one neighbour begin; those that may emit events want room for them. */
static bgpvpn_rc find_for(bgpvpn_engine *e, uint64_t now_ms, uint64_t id, bool emits,
                          neighbor **out)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    *out = neighbor_find(e, id);
    if (!*out)
        return BGPVPN_ERR_ABSENT;
    return emits && !bgpvpn__events_ok(e) ? BGPVPN_ERR_LIMIT : BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_neighbor_remove(bgpvpn_engine *e, uint64_t now_ms, uint64_t id)
{
    neighbor *n;
    const bgpvpn_rc rc = find_for(e, now_ms, id, true, &n);
    if (rc != BGPVPN_OK)
        return rc;
    n->shutdown = true;
    cease(e, n, CEASE_REMOVED, NULL, 0);
    retire(e, n);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_neighbor_shutdown(bgpvpn_engine *e, uint64_t now_ms, uint64_t id,
                                          const uint8_t *text, size_t len)
{
    uint8_t data[1 + TEXT_MAX] = {0};
    if ((!text && len > 0) || len > TEXT_MAX)
        return BGPVPN_ERR_ARG;
    neighbor *n;
    const bgpvpn_rc rc = find_for(e, now_ms, id, true, &n);
    if (rc != BGPVPN_OK)
        return rc;
    /* RFC 9003 2 */
    data[0] = (uint8_t)len;
    if (len > 0)
        memcpy(data + 1, text, len);
    n->shutdown = true;
    cease(e, n, CEASE_SHUTDOWN, data, len + 1);
    bgpvpn__restart_forget(e, n);
    n->rest = BGPVPN_STATE_IDLE;
    arm(e, n, BGPVPN_NEVER);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_neighbor_start(bgpvpn_engine *e, uint64_t now_ms, uint64_t id)
{
    neighbor *n;
    const bgpvpn_rc rc = find_for(e, now_ms, id, true, &n);
    if (rc != BGPVPN_OK)
        return rc;
    if (n->rest == BGPVPN_STATE_IDLE)
        start(e, n);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_neighbor_reset(bgpvpn_engine *e, uint64_t now_ms, uint64_t id)
{
    neighbor *n;
    const bgpvpn_rc rc = find_for(e, now_ms, id, true, &n);
    if (rc != BGPVPN_OK)
        return rc;
    cease(e, n, CEASE_RESET, NULL, 0);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_neighbor_cease(bgpvpn_engine *e, uint64_t now_ms, uint64_t id,
                                       uint8_t subcode, const uint8_t *text, size_t len)
{
    uint8_t data[1 + TEXT_MAX] = {0};
    const bool speaks = subcode == CEASE_SHUTDOWN || subcode == CEASE_RESET;
    if (subcode == 0 || subcode == CEASE_HARD_RESET || (!text && len > 0) ||
        len > (speaks ? TEXT_MAX : 0u))
        return BGPVPN_ERR_ARG;
    neighbor *n;
    const bgpvpn_rc rc = find_for(e, now_ms, id, true, &n);
    if (rc != BGPVPN_OK)
        return rc;
    data[0] = (uint8_t)len;
    if (len > 0)
        memcpy(data + 1, text, len);
    cease(e, n, subcode, data, len > 0 ? len + 1 : 0);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_neighbor_refresh(bgpvpn_engine *e, uint64_t now_ms, uint64_t id,
                                         uint32_t tables)
{
    neighbor *n;
    const bgpvpn_rc rc = find_for(e, now_ms, id, false, &n);
    if (rc != BGPVPN_OK)
        return rc;
    /* RFC 2918 4: only to who announced that it can. */
    if (!n->up || !(n->up->capabilities & BGPVPN_CAPABLE_REFRESH))
        return BGPVPN_ERR_STATE;
    n->up->send_refresh |= tables & n->up->tables;
    return BGPVPN_OK;
}

static bool in_prefix(const bgpvpn_addr *prefix, const bgpvpn_addr *a)
{
    const size_t whole = prefix->prefix_len / 8;
    const unsigned bits = prefix->prefix_len % 8;
    if (prefix->family != a->family || prefix->scope != a->scope ||
        memcmp(prefix->bytes, a->bytes, whole) != 0)
        return false;
    return bits == 0 || ((prefix->bytes[whole] ^ a->bytes[whole]) >> (8 - bits)) == 0;
}

const range *bgpvpn__range_match(const bgpvpn_engine *e, const bgpvpn_addr *addr)
{
    const range *best = NULL;
    for (const range *r = e->ranges; r; r = r->next)
        if (in_prefix(&r->cfg.address, addr) &&
            (!best || r->cfg.address.prefix_len > best->cfg.address.prefix_len))
            best = r;
    return best;
}

bgpvpn_rc bgpvpn_engine_range_add(bgpvpn_engine *e, uint64_t now_ms,
                                  const bgpvpn_neighbor_config *cfg, uint64_t *id)
{
    bgpvpn_neighbor_config ours;
    if (!e || !cfg || !id || !bgpvpn__neighbor_config_read(cfg, &ours) ||
        (ours.address.family != BGPVPN_FAMILY_IPV4 && ours.address.family != BGPVPN_FAMILY_IPV6) ||
        ours.address.prefix_len > (ours.address.family == BGPVPN_FAMILY_IPV4 ? 32 : 128))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    if (e->range_count >= e->cfg.max_ranges)
        return BGPVPN_ERR_LIMIT;
    range *r = alloc_zero(&e->alloc, sizeof(*r));
    if (!r)
        return BGPVPN_ERR_NOMEM;
    r->cfg = ours;
    r->id = e->next_id++;
    r->next = e->ranges;
    e->ranges = r;
    e->range_count++;
    *id = r->id;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_range_remove(bgpvpn_engine *e, uint64_t now_ms, uint64_t id)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    range **link = &e->ranges;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    if (!*link)
        return BGPVPN_ERR_ABSENT;
    range *r = *link;
    *link = r->next;
    alloc_free(&e->alloc, r);
    e->range_count--;
    return BGPVPN_OK;
}

/* ---- Getters ---- */

static void describe(const neighbor *n, bgpvpn_neighbor_info *out)
{
    bgpvpn_neighbor_info info = n->info;
    const conn *c = n->up ? n->up : n->in ? n->in : n->out;
    info.struct_size = sizeof(info);
    info.state = bgpvpn__neighbor_state(n);
    info.id = n->id;
    info.cookie = n->cfg.cookie;
    info.stream = c ? c->id : 0;
    info.established_ms = n->established_ms;
    info.address = n->cfg.address;
    info.remote_as = n->cfg.remote_as;
    info.flags = n->cfg.flags;
    info.dynamic = n->dynamic;
    info.shutdown = n->shutdown;
    if (c) {
        info.tables = c->tables;
        info.capabilities = c->capabilities;
        info.hold_time_s = c->hold_s;
        info.keepalive_s = c->hold_s / 3u;
    }
    for (int i = 0; i < TABLES; i++)
        info.stale += n->families[i].live - n->families[i].fresh;
    info.stale_tables = n->stale;
    info.targets = n->targets.count;
    info.filtered = bgpvpn__targets_filter(n, BGPVPN_TABLES_VPN);
    info.group = n->group ? n->group->number : 0;
    info.walking = n->walk || n->walk_due;
    (void)versioned_write(out, &info, sizeof(info), NEIGHBOR_INFO_FIRST);
}

bgpvpn_rc bgpvpn_engine_get_neighbor(const bgpvpn_engine *e, uint64_t id, bgpvpn_neighbor_info *out)
{
    if (!e || !out || !bgpvpn__size_known(out->struct_size, NEIGHBOR_INFO_FIRST))
        return BGPVPN_ERR_ARG;
    const neighbor *n = neighbor_find(e, id);
    if (!n)
        return BGPVPN_ERR_ABSENT;
    describe(n, out);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_get_next_neighbor(const bgpvpn_engine *e, uint64_t *it,
                                          bgpvpn_neighbor_info *out)
{
    if (!e || !it || !out || !bgpvpn__size_known(out->struct_size, NEIGHBOR_INFO_FIRST))
        return BGPVPN_ERR_ARG;
    for (const neighbor *n = e->neighbors; n; n = n->next) {
        if (n->id > *it && !n->removing) {
            *it = n->id;
            describe(n, out);
            return BGPVPN_YES;
        }
    }
    return BGPVPN_OK;
}
