/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Route target membership (RFC 4684): its routes live in the RIB as others do, with the origin AS
 * and the route target as prefix. Beside that each neighbour has the list of what it asked for, by
 * which VPN routes for it are filtered. Update groups are shared by neighbours that want different
 * things: the filter is applied where a neighbour takes from its group.
 *
 * A reflector asks its clients for everything, as section 4 suggests, so that no client is left out
 * because another one's membership was the best.
 */
#include "engine.h"

enum { AS_LEN = 4, RT_BITS = 64, AS_BITS = 32, PREFIX_LEN = AS_LEN + RT_LEN };

#define MS_PER_S UINT64_C(1000)
#define ALL_BITS UINT32_MAX

uint32_t bgpvpn__target_bit(const bgpvpn_engine *e, const uint8_t rt[RT_LEN])
{
    return UINT32_C(1) << (drbg_hash(e->hash_key, rt, RT_LEN) % 32);
}

/* ---- The list of a neighbour ---- */

static uint32_t bits_of(const bgpvpn_engine *e, const target *t)
{
    return t->len == RT_BITS ? bgpvpn__target_bit(e, t->key) : ALL_BITS;
}

static void make_target(target *out, const uint8_t *prefix, uint8_t prefix_len)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->key, prefix + AS_LEN, RT_LEN);
    memcpy(out->key + RT_LEN, prefix, AS_LEN);
    out->len = prefix_len > AS_BITS ? (uint8_t)(prefix_len - AS_BITS) : 0;
    out->reserved = prefix_len == 0; /* every AS, and every target */
}

static int compare(const target *a, const target *b)
{
    const int c = memcmp(a->key, b->key, sizeof(a->key));
    if (c != 0)
        return c;
    return a->len != b->len ? a->len - b->len : a->reserved - b->reserved;
}

/* Where it is, or belongs. */
static uint32_t place_of(const targets *s, const target *t, bool *there)
{
    uint32_t low = 0, high = s->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (compare(&s->list[middle], t) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < s->count && compare(&s->list[low], t) == 0;
    return low;
}

static void recount(const bgpvpn_engine *e, targets *s)
{
    s->bits = 0;
    s->shorter = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        s->bits |= bits_of(e, &s->list[i]);
        s->shorter += s->list[i].len < RT_BITS;
    }
}

bool bgpvpn__targets_reserve(bgpvpn_engine *e, neighbor *n, uint32_t more)
{
    targets *s = &n->targets;
    uint64_t want = (uint64_t)s->count + more;
    want = want < n->cfg.max_targets ? want : n->cfg.max_targets;
    if (want <= s->cap)
        return true;
    const uint32_t twice = s->cap * 2;
    const uint32_t cap = twice > want ? twice : (uint32_t)want;
    target *grown = alloc_grow(&e->alloc, s->list, s->cap, cap, sizeof(*grown));
    if (!grown)
        return false;
    s->list = grown;
    s->cap = cap;
    return true;
}

void bgpvpn__targets_add(bgpvpn_engine *e, neighbor *n, const uint8_t *prefix, uint8_t prefix_len,
                         uint16_t round)
{
    targets *s = &n->targets;
    target t;
    bool there;
    make_target(&t, prefix, prefix_len);
    t.round = round;
    const uint32_t at = place_of(s, &t, &there);
    if (there) {
        s->list[at].round = round;
        return;
    }
    if (s->count >= s->cap || s->count >= n->cfg.max_targets) {
        /* Who wants too much to remember gets everything. */
        if (!s->all)
            s->gained = ALL_BITS;
        s->all = true;
    } else {
        memmove(&s->list[at + 1], &s->list[at], (s->count - at) * sizeof(t));
        s->list[at] = t;
        s->count++;
        s->shorter += t.len < RT_BITS;
        s->bits |= bits_of(e, &t);
        s->gained |= bits_of(e, &t);
    }
    bgpvpn__group_retarget(n, 0);
}

void bgpvpn__targets_remove(bgpvpn_engine *e, neighbor *n, const uint8_t *prefix,
                            uint8_t prefix_len)
{
    targets *s = &n->targets;
    target t;
    bool there;
    make_target(&t, prefix, prefix_len);
    const uint32_t at = place_of(s, &t, &there);
    if (!there)
        return;
    s->lost |= bits_of(e, &t);
    s->count--;
    memmove(&s->list[at], &s->list[at + 1], (s->count - at) * sizeof(t));
    recount(e, s);
    bgpvpn__group_retarget(n, 0);
}

void bgpvpn__targets_purge(bgpvpn_engine *e, neighbor *n)
{
    targets *s = &n->targets;
    const uint16_t swept = n->families[bgpvpn__table_index(BGPVPN_TABLE_TARGETS)].swept;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if ((int16_t)(s->list[i].round - swept) < 0)
            s->lost |= bits_of(e, &s->list[i]);
        else
            s->list[kept++] = s->list[i];
    }
    if (kept == s->count)
        return;
    s->count = kept;
    recount(e, s);
    bgpvpn__group_retarget(n, 0);
}

/* ---- The filter ---- */

bool bgpvpn__targets_filter(const neighbor *n, uint32_t table)
{
    return n->up && (n->up->tables & BGPVPN_TABLE_TARGETS) && (table & BGPVPN_TABLES_VPN) &&
           !(n->targets.all && n->targets.open);
}

uint32_t bgpvpn__targets_bits(const neighbor *n)
{
    return n->targets.bits | n->targets.lost;
}

static bool covers(const target *t, const uint8_t rt[RT_LEN])
{
    const size_t whole = t->len / 8;
    const unsigned bits = t->len % 8;
    if (memcmp(t->key, rt, whole) != 0)
        return false;
    return bits == 0 || ((t->key[whole] ^ rt[whole]) >> (8 - bits)) == 0;
}

static bool is_wanted(const bgpvpn_engine *e, const targets *s, const uint8_t rt[RT_LEN])
{
    if (!(s->bits & bgpvpn__target_bit(e, rt)))
        return false;
    target t = {0};
    bool there;
    memcpy(t.key, rt, RT_LEN);
    const uint32_t at = place_of(s, &t, &there); /* the first with this route target */
    if (at < s->count && s->list[at].len == RT_BITS && memcmp(s->list[at].key, rt, RT_LEN) == 0)
        return true;
    for (uint32_t i = 0; s->shorter > 0 && i < s->count; i++)
        if (s->list[i].len < RT_BITS && covers(&s->list[i], rt))
            return true;
    return false;
}

bool bgpvpn__targets_want(const bgpvpn_engine *e, const neighbor *n, const uint8_t *communities,
                          size_t len)
{
    const targets *s = &n->targets;
    if (!s->open)
        return false;
    if (s->all)
        return true;
    for (size_t i = 0; i + RT_LEN <= len; i += RT_LEN)
        if (bgpvpn_rt_check(communities + i) == BGPVPN_YES && is_wanted(e, s, communities + i))
            return true;
    return false;
}

/* ---- The life of a session ---- */

void bgpvpn__targets_open(bgpvpn_engine *e, neighbor *n)
{
    n->targets.wait_at = BGPVPN_NEVER;
    bgpvpn__neighbor_arm(e, n);
    if (n->targets.open || !n->up)
        return;
    n->targets.open = true;
    /* Before routes are chosen there are none to tell: bgpvpn__groups_selected. */
    bgpvpn__group_retarget(n, e->deferring ? 0 : n->up->tables & BGPVPN_TABLES_VPN);
}

bgpvpn_rc bgpvpn__targets_begin(bgpvpn_engine *e, neighbor *n, const conn *c)
{
    static const uint8_t all[RT_LEN];
    n->targets.open = !(c->tables & BGPVPN_TABLE_TARGETS);
    n->targets.all = false;
    if (n->targets.open)
        return BGPVPN_OK;
    /* From here on peers are told what VRFs import, and clients that we want all. */
    if (!e->targets_used) {
        e->targets_used = true;
        bgpvpn_rc rc = bgpvpn__targets_import(e, all);
        for (const import_rt *i = e->import_list; i && rc == BGPVPN_OK; i = i->next)
            if (!i->vrf->removing)
                rc = bgpvpn__targets_import(e, i->rt);
        if (rc == BGPVPN_ERR_NOMEM) {
            e->targets_used = false;
            return rc;
        }
    }
    n->targets.wait_at = e->now_ms + e->cfg.targets_wait_s * MS_PER_S;
    bgpvpn__neighbor_arm(e, n);
    return BGPVPN_OK;
}

void bgpvpn__targets_end(bgpvpn_engine *e, neighbor *n)
{
    n->targets.wait_at = BGPVPN_NEVER;
    n->targets.open = n->targets.all = false;
    n->targets.gained = n->targets.lost = 0;
    bgpvpn__neighbor_arm(e, n);
}

/* ---- What we want ourselves ---- */

/* All zero: every route target, for clients. */
static void make_prefix(const bgpvpn_engine *e, const uint8_t rt[RT_LEN], bgpvpn_addr *out)
{
    static const uint8_t all[RT_LEN];
    memset(out, 0, sizeof(*out));
    if (memcmp(rt, all, RT_LEN) == 0)
        return;
    out->prefix_len = PREFIX_LEN * 8;
    wire_set_u32(out->bytes, e->cfg.local_as);
    memcpy(out->bytes + AS_LEN, rt, RT_LEN);
}

bgpvpn_rc bgpvpn__targets_import(bgpvpn_engine *e, const uint8_t rt[RT_LEN])
{
    /* ORIGIN, AS_PATH, LOCAL_PREF */
    static const uint8_t attributes[] = {0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 5, 4, 0, 0, 0, 100};
    bgpvpn_addr prefix;
    attrs *a;
    if (!e->targets_used)
        return BGPVPN_OK;
    make_prefix(e, rt, &prefix);
    bgpvpn_rc rc = bgpvpn__attrs_get(e, attributes, sizeof(attributes), NULL, &a);
    if (rc != BGPVPN_OK)
        return rc;
    rc =
        bgpvpn__rib_set(e, BGPVPN_TABLE_TARGETS, NULL, &prefix, SOURCE_LOCAL, a, BGPVPN_LABEL_NONE);
    bgpvpn__attrs_put(e, a);
    return rc;
}

void bgpvpn__targets_forget(bgpvpn_engine *e, const uint8_t rt[RT_LEN])
{
    bgpvpn_addr prefix;
    for (const import_rt *i = e->import_list; i; i = i->next)
        if (!i->vrf->removing && memcmp(i->rt, rt, RT_LEN) == 0)
            return;
    make_prefix(e, rt, &prefix);
    (void)bgpvpn__rib_remove(e, BGPVPN_TABLE_TARGETS, NULL, &prefix, SOURCE_LOCAL);
}
