/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Update groups. Peers that must be told the same share a group, which encodes each UPDATE once,
 * into a ring of records of bounded size. A peer is a cursor in that ring. The one who is at the
 * head makes the group encode more; who is behind the tail, or new, is sent what it lacks straight
 * from the table (it walks), and then joins the ring where its head was when the walk began.
 */
#include "engine.h"

enum { RING_MESSAGES = 4 };

static bool same_policy(const policy *a, const policy *b)
{
    return bgpvpn__addr_same(&a->local, &b->local) && a->tables == b->tables &&
           a->remote_as == b->remote_as && a->internal == b->internal && a->client == b->client &&
           a->self == b->self && a->as_size == b->as_size && a->message_max == b->message_max;
}

static policy policy_of(const bgpvpn_engine *e, const neighbor *n)
{
    const conn *c = n->up;
    policy p = {.local = c->local, .tables = c->tables};
    p.internal = n->cfg.remote_as == e->cfg.local_as;
    p.remote_as = p.internal ? 0 : n->cfg.remote_as;
    p.client = (n->cfg.flags & BGPVPN_NEIGHBOR_CLIENT) != 0;
    p.self = (n->cfg.flags & BGPVPN_NEIGHBOR_NEXT_HOP_SELF) != 0;
    p.message_max = BGPVPN_MESSAGE_MAX;
    /* RFC 8654 4. Several messages shall fit the ring. */
    if (c->extended && (c->capabilities & BGPVPN_CAPABLE_EXTENDED_MESSAGE)) {
        const uint32_t most = e->cfg.group_journal_bytes / RING_MESSAGES;
        p.message_max = (uint16_t)(most < BGPVPN_EXTENDED_MAX ? most : BGPVPN_EXTENDED_MAX);
    }
    p.as_size = c->capabilities & BGPVPN_CAPABLE_AS4 ? 4 : 2;
    return p;
}

static bgpvpn_rc group_new(bgpvpn_engine *e, const policy *p, group **out)
{
    if (e->group_count >= e->cfg.max_groups)
        return BGPVPN_ERR_LIMIT;
    group *g = alloc_zero(&e->alloc, sizeof(*g));
    uint8_t *bytes = alloc_array(&e->alloc, e->cfg.group_journal_bytes, 1);
    if (!g || !bytes) {
        alloc_free(&e->alloc, g);
        alloc_free(&e->alloc, bytes);
        return BGPVPN_ERR_NOMEM;
    }
    g->policy = *p;
    g->bytes = bytes;
    g->cap = e->cfg.group_journal_bytes;
    g->number = ++e->group_number;
    g->reader.synced = e->version;
    g->reader.at = e->version + 1;
    g->next = e->groups;
    e->groups = g;
    e->group_count++;
    *out = g;
    return BGPVPN_OK;
}

/*
 * Tables that a neighbour is not told yet. RFC 4724 4.1: routes that are not chosen; but who waits
 * for our route targets would not tell all before it has them. RFC 4684 6: VPN routes follow when
 * the neighbour has said which.
 */
static uint32_t held_back(const bgpvpn_engine *e, const neighbor *n)
{
    const uint32_t deferred = e->deferring ? ALL_TABLES & ~(uint32_t)BGPVPN_TABLE_TARGETS : 0;
    return deferred | (n->targets.open ? 0 : BGPVPN_TABLES_VPN);
}

bgpvpn_rc bgpvpn__group_join(bgpvpn_engine *e, neighbor *n)
{
    const policy p = policy_of(e, n);
    group *g = e->groups;
    while (g && !same_policy(&g->policy, &p))
        g = g->next;
    if (!g) {
        const bgpvpn_rc rc = group_new(e, &p, &g);
        if (rc != BGPVPN_OK)
            return rc;
    }
    g->members++;
    n->group = g;
    n->walk_due = true;
    n->walk_full = p.tables & ~held_back(e, n);
    n->eor = n->walk_full;
    n->eor_told = 0;
    n->refresh_end = 0;
    n->synced = g->reader.synced;
    n->ring_at = g->head;
    return BGPVPN_OK;
}

void bgpvpn__group_leave(bgpvpn_engine *e, neighbor *n)
{
    group *g = n->group;
    alloc_free(&e->alloc, n->walk);
    n->walk = NULL;
    n->walk_due = false;
    n->group = NULL;
    if (!g || --g->members > 0)
        return;
    group **link = &e->groups;
    while (*link != g)
        link = &(*link)->next;
    *link = g->next;
    e->group_count--;
    alloc_free(&e->alloc, g->bytes);
    alloc_free(&e->alloc, g);
}

void bgpvpn__group_refresh(bgpvpn_engine *e, neighbor *n, uint32_t tables)
{
    (void)e;
    /* RFC 7313 4: marks, though not before End-of-RIB. */
    if ((n->up->capabilities & BGPVPN_CAPABLE_ENHANCED_REFRESH) &&
        !(n->cfg.flags & BGPVPN_NEIGHBOR_PLAIN_REFRESH)) {
        const uint32_t marked = tables & n->eor_told & ~n->up->send_eor;
        n->up->send_begin |= marked;
        n->up->send_end &= ~marked;
        n->refresh_end |= marked;
    }
    if (n->walk) {
        n->walk->full |= tables;
        n->walk->at = 0;
        n->walk->count = n->walk->left = 0;
    } else {
        n->walk_full = n->walk_due ? n->walk_full | tables : tables;
        n->walk_due = true;
    }
}

void bgpvpn__group_retarget(const bgpvpn_engine *e, neighbor *n, uint32_t all)
{
    all &= ~held_back(e, n);
    if (!n->group || (!n->targets.open && !all))
        return;
    n->eor |= all;
    if (n->walk) {
        n->walk->full |= all;
        n->walk->gained |= n->targets.gained;
        n->walk->lost |= n->targets.lost;
        n->walk->at = 0;
        n->walk->count = n->walk->left = 0;
    } else {
        n->walk_full = n->walk_due ? n->walk_full | all : all;
        n->walk_due = true;
    }
}

static uint64_t member_synced(const neighbor *n)
{
    if (n->walk)
        return n->walk->synced;
    if (!n->walk_due && n->ring_at == n->group->head)
        return n->group->reader.synced;
    return n->synced;
}

uint64_t bgpvpn__group_synced(const bgpvpn_engine *e)
{
    uint64_t least = e->version;
    for (const group *g = e->groups; g; g = g->next)
        least = g->reader.synced < least ? g->reader.synced : least;
    for (const neighbor *n = e->groups ? e->neighbors : NULL; n; n = n->next)
        if (n->group && member_synced(n) < least)
            least = member_synced(n);
    return least;
}

/* ---- Readers ---- */

static void look_at(bgpvpn_engine *e, const group *g, const neighbor *n, reader *r, uint32_t handle,
                    bool only_lost)
{
    const act a = bgpvpn__evaluate(e, g, n, handle);
    if (only_lost && a.kind == ACT_ANNOUNCE)
        return; /* still wanted, and told before */
    /* Who is sent a whole table was never told what had gone before. */
    if (a.kind == ACT_SKIP || (a.kind == ACT_WITHDRAW && a.version <= r->synced && !a.lost))
        return;
    r->window[r->count++] = a;
}

static void fill_from_table(bgpvpn_engine *e, const group *g, const neighbor *n, reader *r,
                            uint32_t *budget)
{
    for (; r->at < bgpvpn__rib_size(e) && r->count<WINDOW && * budget> 0; (*budget)--) {
        const uint32_t handle = bgpvpn__rib_walk(e, r->at++);
        if (!handle)
            continue;
        const dest *d = bgpvpn__dest(e, handle);
        const bool wanted =
            d->version > r->synced || (r->full & d->table) || (d->targets & r->gained);
        if (wanted || (d->targets & r->lost))
            look_at(e, g, n, r, handle, !wanted);
    }
}

static void fill_from_journal(bgpvpn_engine *e, const group *g, const neighbor *n, reader *r,
                              uint32_t *budget)
{
    for (; r->at <= e->version && r->count<WINDOW && * budget> 0; (*budget)--) {
        const uint64_t version = r->at++;
        const uint32_t handle = e->journal[version % e->cfg.journal_changes];
        /* With a newer version it stands further on, and is told once. */
        if (bgpvpn__dest(e, handle)->version == version)
            look_at(e, g, n, r, handle, false);
    }
}

enum { FILL_NONE, FILL_SOME, FILL_WALKED, FILL_BROKEN_OFF };

/* Finds more to tell. The window is empty: everything before r->at was handed on. */
static int fill(bgpvpn_engine *e, const group *g, const neighbor *n, reader *r, uint32_t *budget)
{
    r->count = r->left = 0;
    if (!r->walking) {
        r->synced = r->at - 1;
        if (r->at > e->version)
            return FILL_NONE;
        if (e->version - r->at >= e->cfg.journal_changes) {
            r->walking = true;
            r->target = e->version;
            r->at = 0;
        }
    }
    if (r->walking)
        fill_from_table(e, g, n, r, budget);
    else
        fill_from_journal(e, g, n, r, budget);
    r->left = r->count;
    if (r->count > 0)
        return FILL_SOME;
    if (r->walking && r->at >= bgpvpn__rib_size(e)) {
        r->walking = false;
        r->synced = r->target;
        r->at = r->target + 1;
        r->full = 0;
        return FILL_WALKED;
    }
    return *budget == 0 ? FILL_BROKEN_OFF : FILL_SOME;
}

bool bgpvpn__groups_have_news(bgpvpn_engine *e, uint32_t *budget)
{
    for (group *g = e->groups; g; g = g->next) {
        int found = FILL_SOME;
        while (g->reader.left == 0 && found != FILL_NONE && found != FILL_BROKEN_OFF)
            found = fill(e, g, NULL, &g->reader, budget);
        e->busy |= found == FILL_BROKEN_OFF;
        if (found != FILL_NONE)
            return true;
    }
    return false;
}

/* ---- The ring ---- */

static void ring_write(group *g, const void *bytes, size_t len)
{
    const size_t at = (size_t)(g->head % g->cap);
    const size_t first = len < g->cap - at ? len : g->cap - at;
    memcpy(g->bytes + at, bytes, first);
    memcpy(g->bytes, (const uint8_t *)bytes + first, len - first);
    g->head += len;
}

static void ring_read(const group *g, uint64_t from, void *bytes, size_t len)
{
    const size_t at = (size_t)(from % g->cap);
    const size_t first = len < g->cap - at ? len : g->cap - at;
    memcpy(bytes, g->bytes + at, first);
    memcpy((uint8_t *)bytes + first, g->bytes, len - first);
}

static void ring_append(group *g, const record *rec, const uint8_t *msg)
{
    const size_t need = sizeof(*rec) + rec->len;
    while (g->head + need - g->tail > g->cap) {
        record oldest;
        ring_read(g, g->tail, &oldest, sizeof(oldest));
        g->tail += sizeof(oldest) + oldest.len;
    }
    ring_write(g, rec, sizeof(*rec));
    ring_write(g, msg, rec->len);
}

/* ---- A member ---- */

static void count_out(neighbor *n, const record *rec)
{
    n->info.prefixes_out += rec->announced;
    n->info.withdraws_out += rec->withdrawn;
}

static bgpvpn_rc walk_begin(bgpvpn_engine *e, neighbor *n)
{
    reader *r = alloc_zero(&e->alloc, sizeof(*r));
    if (!r)
        return BGPVPN_ERR_NOMEM;
    r->walking = true;
    r->synced = n->synced;
    r->target = n->group->reader.synced;
    r->full = n->walk_full;
    r->gained = n->targets.gained;
    r->lost = n->targets.lost;
    n->walk = r;
    n->walk_due = false;
    n->walk_full = 0;
    n->join_at = n->group->head;
    return BGPVPN_OK;
}

static void walk_end(bgpvpn_engine *e, neighbor *n)
{
    n->synced = n->walk->synced;
    alloc_free(&e->alloc, n->walk);
    n->walk = NULL;
    n->ring_at = n->join_at;
    n->targets.gained = n->targets.lost = 0;
    /* RFC 4724 2: the initial exchange is complete. */
    n->up->send_eor |= n->eor;
    n->eor_told |= n->eor;
    n->eor = 0;
    n->up->send_end |= n->refresh_end;
    n->refresh_end = 0;
}

/* The next UPDATE of a walk; 0 with *over: it has ended. */
static size_t walk_next(bgpvpn_engine *e, neighbor *n, uint8_t *buf, uint32_t *budget, bool *over)
{
    record rec;
    for (;;) {
        const size_t len = bgpvpn__encode(e, n->group, n->walk, buf, &rec);
        if (len > 0) {
            count_out(n, &rec);
            return len;
        }
        const int found = fill(e, n->group, n, n->walk, budget);
        if (found == FILL_WALKED) {
            *over = true;
            return 0;
        }
        if (found == FILL_BROKEN_OFF) {
            e->busy = true;
            return 0;
        }
    }
}

/* Makes the group encode one more record; false when nothing has changed. */
static bool group_advance(bgpvpn_engine *e, group *g, uint8_t *buf, uint32_t *budget)
{
    record rec;
    for (;;) {
        const size_t len = bgpvpn__encode(e, g, &g->reader, buf, &rec);
        if (len > 0) {
            ring_append(g, &rec, buf);
            return true;
        }
        const int found = fill(e, g, NULL, &g->reader, budget);
        if (found == FILL_NONE)
            return false;
        if (found == FILL_BROKEN_OFF) {
            e->busy = true;
            return false;
        }
    }
}

/* Turns an announcement into the withdrawal of the same prefixes. */
static void reverse(bgpvpn_engine *e, record *rec, uint8_t *buf)
{
    rec->len = (uint16_t)bgpvpn__encode_reverse(e, rec->table, buf, rec->len);
    rec->withdrawn = rec->announced;
    rec->announced = 0;
}

/* Whether a member wants the routes that a message announces. */
static bool is_wanted(const bgpvpn_engine *e, const neighbor *n, const uint8_t *msg, size_t len)
{
    wire_reader r = wire_reader_make(msg + BGPVPN_HEADER_LEN, len - BGPVPN_HEADER_LEN);
    (void)wire_get_bytes(&r, wire_get_u16(&r));
    const size_t attributes_len = wire_get_u16(&r);
    const uint8_t *attributes = wire_get_bytes(&r, attributes_len);
    size_t it = 0;
    bgpvpn_attribute a;
    while (bgpvpn_attribute_next(attributes, attributes_len, &it, &a) == BGPVPN_YES)
        if (a.type == BGPVPN_ATTR_EXTENDED_COMMUNITIES)
            return bgpvpn__targets_want(e, n, a.value, a.len);
    return bgpvpn__targets_want(e, n, NULL, 0);
}

/* Takes the record at the member's place; 0: it is not for this member. */
static size_t take_record(bgpvpn_engine *e, neighbor *n, uint8_t *buf)
{
    const group *g = n->group;
    record rec;
    ring_read(g, n->ring_at, &rec, sizeof(rec));
    ring_read(g, n->ring_at + sizeof(rec), buf, rec.len);
    n->ring_at += sizeof(rec) + rec.len;
    n->synced = rec.synced;
    if (rec.source == n->index && !rec.multi)
        return 0;
    if (bgpvpn__targets_filter(n, rec.table)) {
        if (!(rec.targets & bgpvpn__targets_bits(n)))
            return 0;
        if (rec.announced > 0 && !is_wanted(e, n, buf, rec.len)) {
            if (rec.fresh)
                return 0;
            /* It may have been told when the routes had another target. */
            reverse(e, &rec, buf);
        }
    }
    if (rec.source == n->index && rec.announced > 0) {
        /* The best route is its own now; what it was told before must go. */
        reverse(e, &rec, buf);
    }
    count_out(n, &rec);
    return rec.len;
}

bgpvpn_rc bgpvpn__group_next(bgpvpn_engine *e, neighbor *n, uint8_t *buf, uint32_t *budget,
                             size_t *len)
{
    *len = 0;
    for (;;) {
        if (!n->walk && !n->walk_due && n->ring_at < n->group->tail) {
            n->walk_due = true;
            e->group_rejoins++;
        }
        if (n->walk_due && !n->walk) {
            const bgpvpn_rc rc = walk_begin(e, n);
            if (rc != BGPVPN_OK)
                return rc;
        }
        if (n->walk) {
            bool over = false;
            *len = walk_next(e, n, buf, budget, &over);
            if (!over)
                return BGPVPN_OK;
            walk_end(e, n);
            if (n->up->send_eor)
                return BGPVPN_OK;
            continue; /* with what has changed since it began */
        }
        if (n->ring_at == n->group->head && !group_advance(e, n->group, buf, budget)) {
            if (!n->group->reader.walking)
                n->synced = n->group->reader.synced;
            return BGPVPN_OK;
        }
        *len = take_record(e, n, buf);
        if (*len > 0)
            return BGPVPN_OK;
        if (*budget == 0) {
            e->busy = true;
            return BGPVPN_OK;
        }
        (*budget)--;
    }
}
