/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Interning: route distinguishers, next hops, attribute sets.
 *
 * The canonical bytes of an attribute set are attributes as on the wire, in order of type, AS_PATH
 * and AGGREGATOR with four-octet numbers, without next hop and NLRI. So equal sets have equal
 * bytes, and going out they are mostly copied.
 */
#include "engine.h"

enum {
    TYPES = 256,
    AS_TRANS_TO_WIDE = 2,
    AGGREGATOR_LEN = 8,
    LARGE_LEN = 12,     /* RFC 8092 3 */
    LARGE_SLOTS = 16384 /* more than twice what the longest attribute holds */
};

/* RFC 1997 */
#define NO_EXPORT    UINT32_C(0xffffff01)
#define NO_ADVERTISE UINT32_C(0xffffff02)
/* Without confederations no other AS is a member, so it is as NO_EXPORT. */
#define NO_EXPORT_SUBCONFED UINT32_C(0xffffff03)

/* ---- Route distinguishers ---- */

rd *bgpvpn__rd_find(const bgpvpn_engine *e, const uint8_t bytes[BGPVPN_RD_LEN])
{
    const uint64_t hash = drbg_hash(e->hash_key, bytes, BGPVPN_RD_LEN);
    for (map_node *node = map_first(&e->rds, hash); node; node = map_next(node)) {
        rd *r = CONTAINER_OF(node, rd, node);
        if (memcmp(r->bytes, bytes, BGPVPN_RD_LEN) == 0)
            return r;
    }
    return NULL;
}

rd *bgpvpn__rd_get(bgpvpn_engine *e, const uint8_t bytes[BGPVPN_RD_LEN])
{
    rd *r = bgpvpn__rd_find(e, bytes);
    if (!r) {
        r = alloc_zero(&e->alloc, sizeof(*r));
        if (!r)
            return NULL;
        memcpy(r->bytes, bytes, BGPVPN_RD_LEN);
        map_insert(&e->rds, &e->alloc, &r->node, drbg_hash(e->hash_key, bytes, BGPVPN_RD_LEN));
    }
    r->refs++;
    return r;
}

void bgpvpn__rd_put(bgpvpn_engine *e, rd *r)
{
    if (--r->refs > 0)
        return;
    map_remove(&e->rds, &r->node);
    alloc_free(&e->alloc, r);
}

/* ---- Next hops ---- */

static uint64_t hash_hop(const bgpvpn_engine *e, const bgpvpn_addr *addr)
{
    uint8_t key[1 + sizeof(addr->bytes)] = {addr->family};
    memcpy(key + 1, addr->bytes, sizeof(addr->bytes));
    return drbg_hash(e->hash_key, key, sizeof(key));
}

hop *bgpvpn__hop_find(const bgpvpn_engine *e, const bgpvpn_addr *addr)
{
    for (map_node *node = map_first(&e->hops, hash_hop(e, addr)); node; node = map_next(node)) {
        hop *h = CONTAINER_OF(node, hop, node);
        if (bgpvpn__addr_same(&h->addr, addr))
            return h;
    }
    return NULL;
}

static bgpvpn_rc hop_get(bgpvpn_engine *e, const bgpvpn_addr *addr, hop **out)
{
    hop *h = bgpvpn__hop_find(e, addr);
    if (!h) {
        if (e->hops.count >= e->cfg.max_next_hops)
            return BGPVPN_ERR_LIMIT;
        h = alloc_zero(&e->alloc, sizeof(*h));
        if (!h)
            return BGPVPN_ERR_NOMEM;
        h->addr.family = addr->family;
        memcpy(h->addr.bytes, addr->bytes, sizeof(h->addr.bytes));
        h->id = e->next_id++;
        h->state = e->cfg.next_hops == BGPVPN_NEXT_HOPS_ASK ? HOP_UNKNOWN : HOP_UP;
        if (h->state == HOP_UNKNOWN) {
            h->queued = true;
            if (e->asks_tail)
                e->asks_tail->next_ask = h;
            else
                e->asks_head = h;
            e->asks_tail = h;
        }
        map_insert(&e->hops, &e->alloc, &h->node, hash_hop(e, addr));
    }
    h->refs++;
    *out = h;
    return BGPVPN_OK;
}

static void hop_put(bgpvpn_engine *e, hop *h)
{
    if (--h->refs > 0)
        return;
    if (h->queued) {
        hop **link = &e->asks_head;
        hop *before = NULL;
        while (*link != h) {
            before = *link;
            link = &before->next_ask;
        }
        *link = h->next_ask;
        if (e->asks_tail == h)
            e->asks_tail = before;
    }
    map_remove(&e->hops, &h->node);
    alloc_free(&e->alloc, h);
}

/* ---- AS paths ---- */

bool bgpvpn__as_path_has(const uint8_t *bytes, size_t len, uint32_t as)
{
    wire_reader r = wire_reader_make(bytes, len);
    while (r.left > 0) {
        (void)wire_get_u8(&r);
        for (size_t n = wire_get_u8(&r); n > 0 && wire_ok(&r); n--)
            if (wire_get_u32(&r) == as)
                return true;
    }
    return false;
}

/* Numbers in the path; a set counts as one (RFC 4271 9.1.2.2 a). */
static uint16_t path_length(const uint8_t *bytes, size_t len, uint8_t as_size)
{
    wire_reader r = wire_reader_make(bytes, len);
    uint32_t count = 0;
    while (r.left > 0) {
        const uint8_t type = wire_get_u8(&r);
        const size_t n = wire_get_u8(&r);
        (void)wire_get_bytes(&r, n * as_size);
        count += type == BGPVPN_AS_SET ? 1 : (uint32_t)n;
    }
    return (uint16_t)(count > UINT16_MAX ? UINT16_MAX : count);
}

/* Copies segments, up to most numbers, as four-octet ones. */
static void widen(wire_writer *w, const uint8_t *bytes, size_t len, uint8_t as_size, uint32_t most)
{
    wire_reader r = wire_reader_make(bytes, len);
    while (r.left > 0 && most > 0) {
        const uint8_t type = wire_get_u8(&r);
        const uint32_t n = wire_get_u8(&r);
        const uint32_t keep = type == BGPVPN_AS_SEQ && n > most ? most : n;
        most -= type == BGPVPN_AS_SET ? 1 : keep;
        wire_put_u8(w, type);
        wire_put_u8(w, (uint8_t)keep);
        for (uint32_t i = 0; i < n && wire_ok(&r); i++) {
            const uint32_t as = as_size == 4 ? wire_get_u32(&r) : wire_get_u16(&r);
            if (i < keep)
                wire_put_u32(w, as);
        }
    }
}

/* ---- Canonical bytes ---- */

typedef struct view {
    const uint8_t *value;
    size_t len;
    uint8_t flags;
    bool there;
} view;

static void collect(const bgpvpn_update *u, view views[TYPES])
{
    size_t it = 0;
    bgpvpn_attribute a;
    while (bgpvpn_attribute_next(u->attributes, u->attributes_len, &it, &a) == BGPVPN_YES) {
        view *v = &views[a.type];
        /* RFC 7606 3 g: the first one counts. */
        if (v->there)
            continue;
        const view seen = {a.value, a.len, a.flags, true};
        *v = seen;
    }
}

static bool is_known(uint8_t type)
{
    return (type >= BGPVPN_ATTR_ORIGIN && type <= BGPVPN_ATTR_CLUSTER_LIST) ||
           type == BGPVPN_ATTR_EXTENDED_COMMUNITIES || type == BGPVPN_ATTR_IPV6_EXT_COMMUNITIES ||
           type == BGPVPN_ATTR_LARGE_COMMUNITIES;
}

static bool is_kept(const bgpvpn_update *u, uint8_t type, const view *v)
{
    switch (type) {
    case BGPVPN_ATTR_AS_PATH: /* put by itself */
    case BGPVPN_ATTR_AGGREGATOR:
    case BGPVPN_ATTR_NEXT_HOP:
    case BGPVPN_ATTR_MP_REACH:
    case BGPVPN_ATTR_MP_UNREACH:
    case BGPVPN_ATTR_AS4_PATH:
    case BGPVPN_ATTR_AS4_AGGREGATOR:
        return false;
    default:
        break;
    }
    if (is_known(type))
        return (u->has >> type & 1) != 0;
    /* RFC 4271 9: an unknown attribute that is not transitive goes no further. */
    return (v->flags & BGPVPN_FLAG_OPTIONAL) && (v->flags & BGPVPN_FLAG_TRANSITIVE);
}

static void put_as_path(bgpvpn_engine *e, wire_writer *w, const bgpvpn_update *u,
                        const view views[TYPES])
{
    wire_writer p = wire_writer_make(e->scratch2, e->scratch_size);
    const view *as4 = &views[BGPVPN_ATTR_AS4_PATH];
    const uint32_t length = path_length(u->as_path, u->as_path_len, u->as_size);
    uint32_t length4 = 0;
    if (u->as_size == AS_TRANS_TO_WIDE && (u->has >> BGPVPN_ATTR_AS4_PATH & 1))
        length4 = path_length(as4->value, as4->len, 4);
    /* RFC 6793 4.2.3: what AS4_PATH lacks stands at the head of AS_PATH. */
    if (length4 > 0 && length4 <= length) {
        widen(&p, u->as_path, u->as_path_len, u->as_size, length - length4);
        wire_put_bytes(&p, as4->value, as4->len);
    } else {
        widen(&p, u->as_path, u->as_path_len, u->as_size, UINT32_MAX);
    }
    bgpvpn__put_attribute(w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_AS_PATH, p.len);
    wire_put_bytes(w, p.buf, p.len);
}

static void put_aggregator(wire_writer *w, const bgpvpn_update *u, const view views[TYPES])
{
    const view *v = &views[BGPVPN_ATTR_AGGREGATOR];
    const view *as4 = &views[BGPVPN_ATTR_AS4_AGGREGATOR];
    if (!(u->has >> BGPVPN_ATTR_AGGREGATOR & 1))
        return;
    bgpvpn__put_attribute(w, v->flags, BGPVPN_ATTR_AGGREGATOR, AGGREGATOR_LEN);
    wire_reader r = wire_reader_make(v->value, v->len);
    const uint32_t as = u->as_size == 4 ? wire_get_u32(&r) : wire_get_u16(&r);
    if (u->as_size == AS_TRANS_TO_WIDE && as == BGPVPN_AS_TRANS &&
        (u->has >> BGPVPN_ATTR_AS4_AGGREGATOR & 1)) {
        wire_put_bytes(w, as4->value, as4->len);
    } else {
        wire_put_u32(w, as);
        wire_put_u32(w, wire_get_u32(&r));
    }
}

void bgpvpn__attrs_put_large(bgpvpn_engine *e, wire_writer *w, uint8_t flags, const uint8_t *value,
                             size_t len)
{
    /* A table of the places of those seen; there are fewer than half as many as it has slots. */
    uint16_t seen[LARGE_SLOTS];
    memset(seen, 0, sizeof(seen));
    wire_writer kept = wire_writer_make(e->scratch2, e->scratch_size);
    for (size_t at = 0; at + LARGE_LEN <= len; at += LARGE_LEN) {
        const uint8_t *one = value + at;
        size_t slot = drbg_hash(e->hash_key, one, LARGE_LEN) % LARGE_SLOTS;
        while (seen[slot] && memcmp(e->scratch2 + (seen[slot] - 1u) * LARGE_LEN, one, LARGE_LEN))
            slot = (slot + 1) % LARGE_SLOTS;
        if (seen[slot])
            continue;
        seen[slot] = (uint16_t)(kept.len / LARGE_LEN + 1);
        wire_put_bytes(&kept, one, LARGE_LEN);
    }
    bgpvpn__put_attribute(w, flags, BGPVPN_ATTR_LARGE_COMMUNITIES, kept.len);
    wire_put_bytes(w, kept.buf, kept.len);
}

size_t bgpvpn__attrs_canonical(bgpvpn_engine *e, const bgpvpn_update *u)
{
    view views[TYPES] = {{0}};
    collect(u, views);
    wire_writer w = wire_writer_make(e->scratch, e->scratch_size);
    for (unsigned type = 1; type < TYPES; type++) {
        const view *v = &views[type];
        if (type == BGPVPN_ATTR_AS_PATH)
            put_as_path(e, &w, u, views);
        else if (type == BGPVPN_ATTR_AGGREGATOR)
            put_aggregator(&w, u, views);
        else if (type == BGPVPN_ATTR_LARGE_COMMUNITIES && v->there &&
                 is_kept(u, BGPVPN_ATTR_LARGE_COMMUNITIES, v)) {
            bgpvpn__attrs_put_large(e, &w, v->flags, v->value, v->len);
        } else if (v->there && is_kept(u, (uint8_t)type, v)) {
            /* RFC 4271 5: passing on what we do not know, we say so. */
            const uint8_t partial = is_known((uint8_t)type) ? 0 : BGPVPN_FLAG_PARTIAL;
            bgpvpn__put_attribute(&w, v->flags | partial, (uint8_t)type, v->len);
            wire_put_bytes(&w, v->value, v->len);
        }
    }
    return wire_fits(&w) ? w.len : 0;
}

/* ---- Attribute sets ---- */

bool bgpvpn__attrs_find(const attrs *a, uint8_t type, const uint8_t **value, size_t *len)
{
    size_t it = 0;
    bgpvpn_attribute at;
    while (bgpvpn_attribute_next(a->bytes, a->len, &it, &at) == BGPVPN_YES) {
        if (at.type == type) {
            *value = at.value;
            *len = at.len;
            return true;
        }
    }
    return false;
}

/* Fills in what is asked of a set again and again. */
static void digest(const bgpvpn_engine *e, attrs *a)
{
    size_t it = 0;
    bgpvpn_attribute at;
    a->local_pref = LOCAL_PREF_DEFAULT;
    while (bgpvpn_attribute_next(a->bytes, a->len, &it, &at) == BGPVPN_YES) {
        wire_reader r = wire_reader_make(at.value, at.len);
        switch (at.type) {
        case BGPVPN_ATTR_ORIGIN:
            a->origin = wire_get_u8(&r);
            break;
        case BGPVPN_ATTR_AS_PATH:
            a->path_len = path_length(at.value, at.len, 4);
            if (wire_get_u8(&r) == BGPVPN_AS_SEQ) {
                (void)wire_get_u8(&r);
                a->first_as = wire_get_u32(&r);
            }
            break;
        case BGPVPN_ATTR_MED:
            a->med = wire_get_u32(&r);
            break;
        case BGPVPN_ATTR_LOCAL_PREF:
            a->local_pref = wire_get_u32(&r);
            break;
        case BGPVPN_ATTR_ORIGINATOR_ID:
            a->originator = wire_get_u32(&r);
            break;
        case BGPVPN_ATTR_CLUSTER_LIST:
            a->clusters = (uint16_t)(at.len / 4);
            break;
        case BGPVPN_ATTR_COMMUNITIES:
            while (r.left >= 4) {
                const uint32_t community = wire_get_u32(&r);
                a->no_export |= community == NO_EXPORT || community == NO_EXPORT_SUBCONFED;
                a->no_advertise |= community == NO_ADVERTISE;
            }
            break;
        case BGPVPN_ATTR_EXTENDED_COMMUNITIES:
            for (size_t i = 0; i + RT_LEN <= at.len; i += RT_LEN)
                if (bgpvpn_rt_check(at.value + i) == BGPVPN_YES)
                    a->targets |= bgpvpn__target_bit(e, at.value + i);
            break;
        default:
            break;
        }
    }
}

bgpvpn_rc bgpvpn__attrs_get(bgpvpn_engine *e, const uint8_t *bytes, size_t len,
                            const bgpvpn_addr *next_hop, attrs **out)
{
    hop *h = NULL;
    if (next_hop) {
        const bgpvpn_rc rc = hop_get(e, next_hop, &h);
        if (rc != BGPVPN_OK)
            return rc;
    }
    const uint64_t hash = drbg_hash(e->hash_key, bytes, len) ^ (h ? h->id : 0);
    for (map_node *node = map_first(&e->attr_sets, hash); node; node = map_next(node)) {
        attrs *a = CONTAINER_OF(node, attrs, node);
        if (a->hop == h && a->len == len && memcmp(a->bytes, bytes, len) == 0) {
            if (h)
                hop_put(e, h); /* the set holds it */
            a->refs++;
            *out = a;
            return BGPVPN_OK;
        }
    }
    const bool full = e->attr_sets.count >= e->cfg.max_attribute_sets;
    attrs *a = full ? NULL : alloc_zero(&e->alloc, sizeof(*a) + len);
    if (!a) {
        if (h)
            hop_put(e, h);
        return full ? BGPVPN_ERR_LIMIT : BGPVPN_ERR_NOMEM;
    }
    a->refs = 1;
    a->hop = h;
    a->len = (uint32_t)len;
    memcpy(a->bytes, bytes, len);
    digest(e, a);
    map_insert(&e->attr_sets, &e->alloc, &a->node, hash);
    *out = a;
    return BGPVPN_OK;
}

void bgpvpn__attrs_put(bgpvpn_engine *e, attrs *a)
{
    if (--a->refs > 0)
        return;
    if (a->hop)
        hop_put(e, a->hop);
    map_remove(&e->attr_sets, &a->node);
    alloc_free(&e->alloc, a);
}
