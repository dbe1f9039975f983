/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The RIB: dests, paths, the decision process (RFC 4271 9.1), the journal of changes.
 */
#include "engine.h"

#define V4_BYTES 4
#define V6_BYTES 16

static size_t prefix_bytes(uint32_t table)
{
    return bgpvpn__table_bits(table) == 32 ? V4_BYTES : V6_BYTES;
}

static pool *dest_pool(bgpvpn_engine *e, uint32_t table)
{
    return bgpvpn__table_bits(table) == 32 ? &e->dests4 : &e->dests6;
}

dest *bgpvpn__dest(const bgpvpn_engine *e, uint32_t handle)
{
    return handle & DEST_V6 ? pool_at(&e->dests6, handle & ~DEST_V6) : pool_at(&e->dests4, handle);
}

path *bgpvpn__path(const bgpvpn_engine *e, uint32_t handle)
{
    return handle ? pool_at(&e->paths, handle) : NULL;
}

path *bgpvpn__best(const bgpvpn_engine *e, const dest *d)
{
    return d->flags & DEST_BEST ? bgpvpn__path(e, d->paths) : NULL;
}

void bgpvpn__dest_prefix(const dest *d, bgpvpn_addr *out)
{
    memset(out, 0, sizeof(*out));
    out->family = bgpvpn__table_family(d->table);
    out->prefix_len = d->prefix_len;
    memcpy(out->bytes, d->prefix, prefix_bytes(d->table));
}

/* How often a slot was used before: half of a route id, and the only thing that outlives a dest. */
static uint8_t *generation(uint32_t handle, dest *d)
{
    return d->prefix + (handle & DEST_V6 ? V6_BYTES : V4_BYTES);
}

uint64_t bgpvpn__dest_id(const bgpvpn_engine *e, uint32_t handle)
{
    uint32_t g;
    memcpy(&g, generation(handle, bgpvpn__dest(e, handle)), sizeof(g));
    return (uint64_t)g << 32 | handle;
}

uint32_t bgpvpn__dest_by_id(const bgpvpn_engine *e, uint64_t id)
{
    const uint32_t handle = (uint32_t)id;
    const pool *p = handle & DEST_V6 ? &e->dests6 : &e->dests4;
    const uint32_t slot = handle & ~DEST_V6;
    if (slot == 0 || slot >= p->end || !(bgpvpn__dest(e, handle)->flags & DEST_LIVE))
        return 0;
    return bgpvpn__dest_id(e, handle) == id ? handle : 0;
}

/* IPv4 and IPv6 dests take turns, so that a place means the same while the pools grow. */
uint64_t bgpvpn__rib_size(const bgpvpn_engine *e)
{
    return 2 * (uint64_t)(e->dests4.end > e->dests6.end ? e->dests4.end : e->dests6.end);
}

uint32_t bgpvpn__rib_walk(const bgpvpn_engine *e, uint64_t at)
{
    const pool *p = at & 1 ? &e->dests6 : &e->dests4;
    const uint32_t slot = (uint32_t)(at / 2);
    if (slot == 0 || slot >= p->end)
        return 0;
    const dest *d = pool_at(p, slot);
    if (!(d->flags & DEST_LIVE))
        return 0;
    return at & 1 ? slot | DEST_V6 : slot;
}

static uint64_t hash_of(const bgpvpn_engine *e, uint32_t table, const rd *r, const uint8_t *bytes,
                        uint8_t prefix_len)
{
    uint8_t key[2 + BGPVPN_RD_LEN + V6_BYTES] = {(uint8_t)table, prefix_len};
    const size_t n = prefix_bytes(table);
    if (r)
        memcpy(key + 2, r->bytes, BGPVPN_RD_LEN);
    memcpy(key + 2 + BGPVPN_RD_LEN, bytes, n);
    return drbg_hash(e->hash_key, key, 2 + BGPVPN_RD_LEN + n);
}

static uint64_t hash_dest(const bgpvpn_engine *e, const dest *d)
{
    return hash_of(e, d->table, d->rd, d->prefix, d->prefix_len);
}

static uint32_t rib_find(const bgpvpn_engine *e, uint32_t table, const rd *r,
                         const bgpvpn_addr *prefix)
{
    const uint64_t hash = hash_of(e, table, r, prefix->bytes, prefix->prefix_len);
    uint32_t handle = *bgpvpn__index_bucket(&e->dest_index, hash);
    while (handle) {
        const dest *d = bgpvpn__dest(e, handle);
        if (d->table == table && d->rd == r && d->prefix_len == prefix->prefix_len &&
            memcmp(d->prefix, prefix->bytes, prefix_bytes(table)) == 0)
            return handle;
        handle = d->next;
    }
    return 0;
}

static void index_insert(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    uint32_t *bucket = bgpvpn__index_bucket(&e->dest_index, hash_dest(e, d));
    d->next = *bucket;
    *bucket = handle;

    uint32_t *low, *high;
    if (!bgpvpn__index_grow(&e->dest_index, &e->alloc, e->dests4.count + e->dests6.count, &low,
                            &high))
        return;
    uint32_t moving = *low;
    *low = 0;
    while (moving) {
        d = bgpvpn__dest(e, moving);
        const uint32_t next = d->next;
        bucket = bgpvpn__index_bucket(&e->dest_index, hash_dest(e, d));
        d->next = *bucket;
        *bucket = moving;
        moving = next;
    }
}

static void index_remove(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    uint32_t *link = bgpvpn__index_bucket(&e->dest_index, hash_dest(e, d));
    while (*link && *link != handle)
        link = &bgpvpn__dest(e, *link)->next;
    if (*link)
        *link = d->next;
}

bool bgpvpn__rib_reserve(bgpvpn_engine *e, uint32_t table, uint32_t n)
{
    return bgpvpn__index_ready(&e->dest_index, &e->alloc) &&
           pool_reserve(&e->paths, &e->alloc, n) && pool_reserve(dest_pool(e, table), &e->alloc, n);
}

/* Dests without a path are in the journal from here on: nothing before it is to be reaped. */
static void lost_its_paths(bgpvpn_engine *e)
{
    if (e->pathless++ == 0)
        e->reaped = e->version;
}

/* max_prefixes counts both families. */
static uint32_t dest_new(bgpvpn_engine *e, uint32_t table, rd *r, const bgpvpn_addr *prefix)
{
    if (e->dests4.count + e->dests6.count >= e->cfg.max_prefixes)
        return 0;
    pool *p = dest_pool(e, table);
    uint32_t handle = pool_new(p, &e->alloc);
    if (!handle)
        return 0;
    dest *d = pool_at(p, handle);
    if (p == &e->dests6)
        handle |= DEST_V6;
    d->rd = r;
    d->source = SOURCE_NONE;
    d->label = BGPVPN_LABEL_NONE;
    d->table = (uint8_t)table;
    d->prefix_len = prefix->prefix_len;
    d->flags = DEST_LIVE;
    lost_its_paths(e);
    memcpy(d->prefix, prefix->bytes, prefix_bytes(table));
    index_insert(e, handle);
    return handle;
}

void bgpvpn__rib_release(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    index_remove(e, handle);
    e->pathless--;
    if (d->rd)
        bgpvpn__rd_put(e, d->rd);
    uint32_t g;
    memcpy(&g, generation(handle, d), sizeof(g));
    g++;
    pool_put(handle & DEST_V6 ? &e->dests6 : &e->dests4, handle & ~DEST_V6);
    memcpy(generation(handle, d), &g, sizeof(g));
}

/* ---- The decision process ---- */

static const neighbor *source_of(const bgpvpn_engine *e, const path *p)
{
    return p->source == SOURCE_LOCAL ? NULL : e->by_index[p->source];
}

static family *family_of(const bgpvpn_engine *e, const dest *d, uint32_t source)
{
    return &e->by_index[source]->families[bgpvpn__table_index(d->table)];
}

static bool is_swept(const bgpvpn_engine *e, const dest *d, const path *p)
{
    if (p->source == SOURCE_LOCAL)
        return d->rd && d->rd->vrf && d->rd->vrf->removing;
    return (int16_t)(p->round - family_of(e, d, p->source)->swept) < 0;
}

bool bgpvpn__path_usable(const bgpvpn_engine *e, const dest *d, const path *p)
{
    return !is_swept(e, d, p) && (!p->attrs->hop || p->attrs->hop->state == HOP_UP);
}

static bool is_external(const bgpvpn_engine *e, const path *p)
{
    const neighbor *n = source_of(e, p);
    return n && n->cfg.remote_as != e->cfg.local_as;
}

static int by_number(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Below 0: a is better. RFC 4271 9.1.1, 9.1.2.2 a and b; what is announced here comes first. */
static int compare_before_med(const path *a, const path *b)
{
    int c = by_number(a->source != SOURCE_LOCAL, b->source != SOURCE_LOCAL);
    if (c == 0)
        c = by_number(b->attrs->local_pref, a->attrs->local_pref);
    if (c == 0)
        c = by_number(a->attrs->path_len, b->attrs->path_len);
    if (c == 0)
        c = by_number(a->attrs->origin, b->attrs->origin);
    return c;
}

/* RFC 4271 9.1.2.2 d to g, RFC 4456 9. */
static int compare_after_med(const bgpvpn_engine *e, const path *a, const path *b)
{
    int c = by_number(!is_external(e, a), !is_external(e, b));
    if (c == 0)
        c = by_number(a->attrs->hop ? a->attrs->hop->metric : 0,
                      b->attrs->hop ? b->attrs->hop->metric : 0);
    const neighbor *na = source_of(e, a);
    const neighbor *nb = source_of(e, b);
    if (c != 0 || !na || !nb)
        return c;
    c = by_number(a->attrs->originator ? a->attrs->originator : na->info.router_id,
                  b->attrs->originator ? b->attrs->originator : nb->info.router_id);
    if (c == 0)
        c = by_number(a->attrs->clusters, b->attrs->clusters);
    if (c == 0)
        c = memcmp(na->cfg.address.bytes, nb->cfg.address.bytes, sizeof(na->cfg.address.bytes));
    return c;
}

int bgpvpn__compare(const bgpvpn_engine *e, const path *a, const path *b)
{
    int c = compare_before_med(a, b);
    if (c == 0 && a->attrs->first_as == b->attrs->first_as)
        c = by_number(a->attrs->med, b->attrs->med);
    return c ? c : compare_after_med(e, a, b);
}

/* RFC 4271 9.1.2.2 c: MEDs compare only within a neighbouring AS, and only among the equals. */
static bool loses_by_med(const bgpvpn_engine *e, const dest *d, const path *p)
{
    for (uint32_t h = d->paths; h;) {
        const path *q = bgpvpn__path(e, h);
        if (q != p && bgpvpn__path_usable(e, d, q) && compare_before_med(p, q) == 0 &&
            p->attrs->first_as == q->attrs->first_as && q->attrs->med < p->attrs->med)
            return true;
        h = q->next;
    }
    return false;
}

static bool is_client(const bgpvpn_engine *e, const path *p)
{
    const neighbor *n = source_of(e, p);
    return n && (n->cfg.flags & BGPVPN_NEIGHBOR_CLIENT);
}

/* RFC 4684 3.2 ii: who is no client must hear that a client wants the target. */
static bool prefers_clients(const bgpvpn_engine *e, const dest *d, const path *top)
{
    if (d->table != BGPVPN_TABLE_TARGETS || !top)
        return false;
    for (uint32_t h = d->paths; h; h = bgpvpn__path(e, h)->next) {
        const path *p = bgpvpn__path(e, h);
        if (bgpvpn__path_usable(e, d, p) && is_client(e, p) && compare_before_med(p, top) == 0 &&
            !loses_by_med(e, d, p))
            return true;
    }
    return false;
}

/* The handle of the best usable path, or 0. */
static uint32_t choose(const bgpvpn_engine *e, const dest *d)
{
    const path *top = NULL;
    for (uint32_t h = d->paths; h; h = bgpvpn__path(e, h)->next) {
        const path *p = bgpvpn__path(e, h);
        if (bgpvpn__path_usable(e, d, p) && (!top || compare_before_med(p, top) < 0))
            top = p;
    }
    const bool from_clients = prefers_clients(e, d, top);
    uint32_t best = 0;
    for (uint32_t h = d->paths; top && h; h = bgpvpn__path(e, h)->next) {
        const path *p = bgpvpn__path(e, h);
        if (!bgpvpn__path_usable(e, d, p) || compare_before_med(p, top) != 0 ||
            loses_by_med(e, d, p) || (from_clients && !is_client(e, p)))
            continue;
        if (!best || compare_after_med(e, p, bgpvpn__path(e, best)) < 0)
            best = h;
    }
    return best;
}

static void move_to_front(bgpvpn_engine *e, dest *d, uint32_t handle)
{
    uint32_t *link = &d->paths;
    while (*link != handle)
        link = &bgpvpn__path(e, *link)->next;
    path *p = bgpvpn__path(e, handle);
    *link = p->next;
    p->next = d->paths;
    d->paths = handle;
}

void bgpvpn__rib_touch(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    d->version = ++e->version;
    e->journal[e->version % e->cfg.journal_changes] = handle;
    /* What falls off the journal before the reaper saw it is found by a scan, once it may go. */
    if (e->pathless == 0) {
        e->reaped = e->version;
    } else if (e->version - e->reaped > e->cfg.journal_changes) {
        e->reaped = e->version - e->cfg.journal_changes;
        e->lost = e->reaped;
    }
    e->news = true;
}

/* Chooses anew; touched: the best path is gone or has other attributes or another label now. */
static void decide(bgpvpn_engine *e, uint32_t handle, bool touched)
{
    dest *d = bgpvpn__dest(e, handle);
    const uint32_t old = d->flags & DEST_BEST ? d->paths : 0;
    const uint32_t best = choose(e, d);
    if (best == old && !touched)
        return;
    d->flags = best ? d->flags | DEST_BEST : d->flags & (uint8_t)~DEST_BEST;
    if (best) {
        const uint32_t bits = bgpvpn__path(e, best)->attrs->targets;
        d->targets |= d->rd && bits == 0 ? UINT32_MAX : bits;
        move_to_front(e, d, best);
        const uint32_t source = bgpvpn__path(e, best)->source;
        if (d->source != SOURCE_NONE && d->source != source)
            d->flags |= DEST_MULTI;
        d->source = source;
    }
    bgpvpn__rib_touch(e, handle);
    bgpvpn__import(e, handle);
    bgpvpn__route_dirty(e, d);
    bgpvpn__label_stale(e, handle);
}

static uint32_t *find_path(bgpvpn_engine *e, dest *d, uint32_t source)
{
    uint32_t *link = &d->paths;
    while (*link && bgpvpn__path(e, *link)->source != source)
        link = &bgpvpn__path(e, *link)->next;
    return link;
}

static void count_path(bgpvpn_engine *e, const dest *d, uint32_t source, int by)
{
    if (source != SOURCE_LOCAL)
        e->by_index[source]->info.paths += (uint64_t)(int64_t)by;
    else if (d->rd && d->rd->vrf)
        d->rd->vrf->locals += (uint32_t)by;
}

/* A path joins the round of its family. */
static void join_round(bgpvpn_engine *e, const dest *d, path *p)
{
    if (p->source == SOURCE_LOCAL)
        return;
    family *f = family_of(e, d, p->source);
    p->round = f->round;
    f->live++;
    f->fresh++;
    if (d->table == BGPVPN_TABLE_TARGETS)
        bgpvpn__targets_add(e, e->by_index[p->source], d->prefix, d->prefix_len, p->round);
}

/* It has been announced again. */
static void rejoin_round(bgpvpn_engine *e, const dest *d, path *p)
{
    if (p->source == SOURCE_LOCAL)
        return;
    family *f = family_of(e, d, p->source);
    f->live -= !is_swept(e, d, p);
    f->fresh -= p->round == f->round;
    join_round(e, d, p);
}

static void leave_round(bgpvpn_engine *e, const dest *d, const path *p)
{
    if (p->source == SOURCE_LOCAL)
        return;
    family *f = family_of(e, d, p->source);
    f->live -= !is_swept(e, d, p);
    f->fresh -= p->round == f->round;
    if (d->table == BGPVPN_TABLE_TARGETS && !is_swept(e, d, p))
        bgpvpn__targets_remove(e, e->by_index[p->source], d->prefix, d->prefix_len);
}

/* Takes out the path at a link; true when it was the best one. */
static bool unlink_path(bgpvpn_engine *e, dest *d, uint32_t *link)
{
    const uint32_t handle = *link;
    path *p = bgpvpn__path(e, handle);
    const bool was_best = (d->flags & DEST_BEST) && link == &d->paths;
    if (was_best)
        d->flags &= (uint8_t)~DEST_BEST;
    *link = p->next;
    count_path(e, d, p->source, -1);
    leave_round(e, d, p);
    bgpvpn__attrs_put(e, p->attrs);
    pool_put(&e->paths, handle);
    if (!d->paths)
        lost_its_paths(e);
    return was_best;
}

static bgpvpn_rc path_add(bgpvpn_engine *e, dest *d, uint32_t source, attrs *a, uint32_t label)
{
    if (pool_full(&e->paths))
        return BGPVPN_ERR_LIMIT;
    const uint32_t handle = pool_new(&e->paths, &e->alloc);
    if (!handle)
        return BGPVPN_ERR_NOMEM;
    path *p = bgpvpn__path(e, handle);
    p->source = source;
    p->attrs = a;
    p->label = label;
    a->refs++;
    /* Behind the first one, which may be the best. */
    if (!d->paths)
        e->pathless--;
    uint32_t *link = d->paths ? &bgpvpn__path(e, d->paths)->next : &d->paths;
    p->next = *link;
    *link = handle;
    count_path(e, d, source, 1);
    join_round(e, d, p);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn__rib_set(bgpvpn_engine *e, uint32_t table, const uint8_t *rd_bytes,
                          const bgpvpn_addr *prefix, uint32_t source, attrs *a, uint32_t label)
{
    if (!bgpvpn__rib_reserve(e, table, 1))
        return BGPVPN_ERR_NOMEM;
    rd *r = NULL;
    if (rd_bytes && !(r = bgpvpn__rd_get(e, rd_bytes)))
        return BGPVPN_ERR_NOMEM;
    uint32_t handle = rib_find(e, table, r, prefix);
    if (handle) {
        if (r)
            bgpvpn__rd_put(e, r); /* the dest holds it */
    } else {
        handle = pool_full(&e->paths) ? 0 : dest_new(e, table, r, prefix);
        if (!handle) {
            if (r)
                bgpvpn__rd_put(e, r);
            return BGPVPN_ERR_LIMIT;
        }
    }

    dest *d = bgpvpn__dest(e, handle);
    const uint32_t *link = find_path(e, d, source);
    bool touched = false;
    if (*link) {
        path *p = bgpvpn__path(e, *link);
        const bool same = p->attrs == a && p->label == label && !is_swept(e, d, p);
        touched = (d->flags & DEST_BEST) && *link == d->paths && !same;
        rejoin_round(e, d, p);
        p->label = label;
        a->refs++;
        bgpvpn__attrs_put(e, p->attrs);
        p->attrs = a;
        if (source != SOURCE_LOCAL)
            e->by_index[source]->info.implicit_in++;
        if (same)
            return BGPVPN_OK;
    } else {
        const bgpvpn_rc rc = path_add(e, d, source, a, label);
        if (rc != BGPVPN_OK)
            return rc; /* an old dest: it has another path, or waits to be reaped */
    }
    decide(e, handle, touched);
    return BGPVPN_OK;
}

bool bgpvpn__rib_remove(bgpvpn_engine *e, uint32_t table, const rd *r, const bgpvpn_addr *prefix,
                        uint32_t source)
{
    const uint32_t handle = rib_find(e, table, r, prefix);
    if (!handle)
        return false;
    dest *d = bgpvpn__dest(e, handle);
    uint32_t *link = find_path(e, d, source);
    if (!*link)
        return false;
    const bool was_best = unlink_path(e, d, link);
    /* A dest whose last path was never usable also waits for the reaper. */
    decide(e, handle, was_best || !d->paths);
    return true;
}

/* ---- Background work ---- */

void bgpvpn__rib_rescan(bgpvpn_engine *e)
{
    e->scan_left = bgpvpn__rib_size(e);
}

void bgpvpn__rib_mark(neighbor *n, uint32_t tables)
{
    for (uint32_t i = 0; i < TABLES; i++) {
        if (!(tables >> i & 1))
            continue;
        n->families[i].round++;
        n->families[i].fresh = 0;
    }
}

void bgpvpn__rib_sweep(bgpvpn_engine *e, neighbor *n, uint32_t tables)
{
    bool any = false;
    for (uint32_t i = 0; i < TABLES; i++) {
        family *f = &n->families[i];
        if (!(tables >> i & 1))
            continue;
        any |= f->live != f->fresh;
        f->swept = f->round;
        f->live = f->fresh;
        f->refreshing = false;
    }
    if (tables & BGPVPN_TABLE_TARGETS)
        bgpvpn__targets_purge(e, n);
    if (any)
        bgpvpn__rib_rescan(e);
}

static bool reap(bgpvpn_engine *e, uint32_t handle, uint64_t synced)
{
    const dest *d = bgpvpn__dest(e, handle);
    if (!(d->flags & DEST_LIVE) || d->paths || d->version > synced)
        return false;
    if (!bgpvpn__label_drop(e, handle))
        bgpvpn__rib_release(e, handle);
    return true;
}

static void visit(bgpvpn_engine *e, uint32_t handle, uint64_t synced)
{
    dest *d = bgpvpn__dest(e, handle);
    bool touched = false;
    for (uint32_t *link = &d->paths; *link;) {
        path *p = bgpvpn__path(e, *link);
        if (is_swept(e, d, p))
            touched |= unlink_path(e, d, link) || !d->paths;
        else
            link = &p->next;
    }
    decide(e, handle, touched);
    bgpvpn__import(e, handle);
    (void)reap(e, handle, synced);
}

bool bgpvpn__rib_work(bgpvpn_engine *e, uint32_t *budget)
{
    if (e->pathless == 0) {
        e->reaped = e->version;
        e->lost = 0;
    }
    const uint64_t synced = e->pathless > 0 ? bgpvpn__group_synced(e) : e->version;
    if (e->lost && e->lost <= synced) {
        e->lost = 0;
        bgpvpn__rib_rescan(e);
    }
    for (; e->scan_left > 0 && *budget > 0; e->scan_left--, (*budget)--) {
        if (++e->scan_at >= bgpvpn__rib_size(e))
            e->scan_at = 0;
        const uint32_t handle = bgpvpn__rib_walk(e, e->scan_at);
        if (handle)
            visit(e, handle, synced);
        if (e->scan_left == 1) {
            bgpvpn__vrf_settle(e);
            bgpvpn__neighbor_settle(e, false);
        }
    }
    for (; e->reaped<synced && * budget> 0; (*budget)--) {
        e->reaped++;
        const uint32_t handle = e->journal[e->reaped % e->cfg.journal_changes];
        if (bgpvpn__dest(e, handle)->version == e->reaped)
            (void)reap(e, handle, synced);
    }
    return e->scan_left > 0 || e->reaped < synced;
}

void bgpvpn__rib_end(bgpvpn_engine *e)
{
    for (uint64_t at = 0; at < bgpvpn__rib_size(e); at++) {
        const uint32_t handle = bgpvpn__rib_walk(e, at);
        if (!handle)
            continue;
        dest *d = bgpvpn__dest(e, handle);
        while (d->paths)
            (void)unlink_path(e, d, &d->paths);
        bgpvpn__rib_release(e, handle);
    }
    pool_end(&e->dests4, &e->alloc);
    pool_end(&e->dests6, &e->alloc);
    pool_end(&e->paths, &e->alloc);
    bgpvpn__index_end(&e->dest_index, &e->alloc);
    alloc_free(&e->alloc, e->journal);
}
