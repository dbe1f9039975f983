/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a group is told about a dest, and UPDATEs that tell it.
 */
#include "engine.h"

enum {
    UPDATE_FIXED = BGPVPN_HEADER_LEN + 4, /* both length fields */
    MP_FIXED = 4 + 5,                     /* attribute head, AFI, SAFI, next hop length, reserved */
    NLRI_MAX = 1 + BGPVPN_LABEL_LEN + BGPVPN_RD_LEN + 16,
    NEXT_HOP_LEN = 4,
    COMMUNITY_V6_LEN = 20,
    COMMUNITY_LOCAL = 0x40, /* in the type: not transitive (RFC 4360 2) */
    MAPPED_AT = 10          /* the two 0xff bytes of an IPv4-mapped address */
};

static bool is_vpn(uint32_t table)
{
    return bgpvpn__table_safi(table) == BGPVPN_SAFI_VPN;
}

static const neighbor *source_of(const bgpvpn_engine *e, const path *p)
{
    return p->source == SOURCE_LOCAL ? NULL : e->by_index[p->source];
}

static bool is_internal(const bgpvpn_engine *e, const neighbor *n)
{
    return n->cfg.remote_as == e->cfg.local_as;
}

static bool is_to_clients(const group *g)
{
    return g->policy.client && g->policy.internal;
}

/* Whether a route may be told to a group at all. */
static bool is_eligible(const bgpvpn_engine *e, const group *g, const dest *d, const path *best)
{
    const neighbor *from = source_of(e, best);
    /* RFC 4684 4: clients are asked for everything, and only they by ourselves. */
    if (d->table == BGPVPN_TABLE_TARGETS && d->prefix_len == 0 && !from)
        return is_to_clients(g);
    /* RFC 1997 */
    if (best->attrs->no_advertise || (best->attrs->no_export && !g->policy.internal))
        return false;
    if (!from || !is_internal(e, from) || !g->policy.internal)
        return true;
    /* RFC 4456 6: from a client to all, from another one to the clients. */
    return (from->cfg.flags & BGPVPN_NEIGHBOR_CLIENT) || g->policy.client;
}

/* Where a group shall send packets: NULL, if the family cannot say it. */
static const bgpvpn_addr *next_hop_of(const group *g, uint32_t table, const attrs *a, bool self)
{
    const bgpvpn_addr *next_hop = self ? &g->policy.local : &a->hop->addr;
    const bool ipv4_only = table == BGPVPN_TABLE_IPV4 || table == BGPVPN_TABLE_VPNV4;
    return ipv4_only && next_hop->family != BGPVPN_FAMILY_IPV4 ? NULL : next_hop;
}

static bool is_wanted(const bgpvpn_engine *e, const neighbor *n, const path *best)
{
    const uint8_t *communities = NULL;
    size_t len = 0;
    if (!bgpvpn__attrs_find(best->attrs, BGPVPN_ATTR_EXTENDED_COMMUNITIES, &communities, &len))
        len = 0;
    return bgpvpn__targets_want(e, n, communities, len);
}

act bgpvpn__evaluate(bgpvpn_engine *e, const group *g, const neighbor *n, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    const path *best = bgpvpn__best(e, d);
    act a = {.version = d->version, .dest = handle, .source = d->source, .table = d->table};
    a.multi = (d->flags & DEST_MULTI) != 0;
    a.kind = ACT_SKIP;
    /* RFC 4724 4.1: what is not chosen yet is not told; when it is, all are told from the start. */
    if (!(g->policy.tables & d->table) || (e->deferring && d->table != BGPVPN_TABLE_TARGETS))
        return a;
    /* That we want everything is all that a client hears about route targets. */
    if (d->table == BGPVPN_TABLE_TARGETS && d->prefix_len > 0 && is_to_clients(g))
        return a;

    a.targets = d->targets;
    const bool filtered = n && bgpvpn__targets_filter(n, d->table);
    const bool own = n && n->index == d->source;
    /* A withdrawal is only for those who may have been told something else before. */
    const uint8_t withdraw = (d->flags & DEST_SENT) && (!own || a.multi) ? ACT_WITHDRAW : ACT_SKIP;
    /* What a neighbour has never wanted it was never told. */
    a.kind = filtered && !(d->targets & bgpvpn__targets_bits(n)) ? ACT_SKIP : withdraw;
    if (!best || own || !is_eligible(e, g, d, best))
        return a;
    if (filtered && !is_wanted(e, n, best)) {
        a.lost = (d->targets & n->targets.lost) != 0;
        return a;
    }
    a.self = !best->attrs->hop || !g->policy.internal || g->policy.self;
    if (!next_hop_of(g, d->table, best->attrs, a.self))
        return a;
    if (a.self && is_vpn(d->table) && best->source != SOURCE_LOCAL &&
        d->label_state != LABEL_HELD && d->label_state != LABEL_STALE) {
        /*
         * Own next hop without own label would be a black hole. As long as the route has come from
         * one source, this group has not been told anything yet that would have to go.
         */
        bgpvpn__label_want(e, handle);
        a.kind = a.multi ? withdraw : ACT_SKIP;
        return a;
    }
    a.kind = ACT_ANNOUNCE;
    a.attrs = best->attrs;
    a.fresh = !(d->flags & DEST_SENT);
    d->flags |= DEST_SENT;
    return a;
}

/* ---- Attributes going out ---- */

/* AS_PATH, with our AS in front for external peers (RFC 4271 5.1.2). */
static size_t make_as_path(bgpvpn_engine *e, const group *g, const uint8_t *bytes, size_t len)
{
    wire_writer w = wire_writer_make(e->scratch2, e->scratch_size);
    if (!g->policy.internal) {
        const bool extend = len >= 2 && bytes[0] == BGPVPN_AS_SEQ && bytes[1] < UINT8_MAX;
        wire_put_u8(&w, BGPVPN_AS_SEQ);
        wire_put_u8(&w, extend ? (uint8_t)(bytes[1] + 1) : 1);
        wire_put_u32(&w, e->cfg.local_as);
        wire_put_bytes(&w, bytes + (extend ? 2 : 0), len - (extend ? 2 : 0));
    } else {
        wire_put_bytes(&w, bytes, len);
    }
    return wire_fits(&w) ? w.len : 0;
}

/* RFC 6793 4.2.2: two octets, and AS4_PATH if that lost something. */
static bool put_narrow_path(wire_writer *w, const uint8_t *bytes, size_t len)
{
    wire_reader r = wire_reader_make(bytes, len);
    bool lost = false;
    while (r.left > 0) {
        wire_put_u8(w, wire_get_u8(&r));
        const uint8_t n = wire_get_u8(&r);
        wire_put_u8(w, n);
        for (unsigned i = 0; i < n && wire_ok(&r); i++) {
            const uint32_t as = wire_get_u32(&r);
            lost |= as > UINT16_MAX;
            wire_put_u16(w, as > UINT16_MAX ? BGPVPN_AS_TRANS : (uint16_t)as);
        }
    }
    return lost;
}

static size_t narrow_length(const uint8_t *bytes, size_t len)
{
    wire_writer w = wire_writer_make(NULL, 0);
    (void)put_narrow_path(&w, bytes, len);
    return w.len;
}

typedef struct outgoing {
    bgpvpn_engine *e;
    const group *g;
    const path *best;
    bool reflected;
    size_t as_path_len; /* in e->scratch2 */
    bool as4_path;      /* is owed */
} outgoing;

static void put_u32_attribute(wire_writer *w, uint8_t flags, uint8_t type, uint32_t v)
{
    bgpvpn__put_attribute(w, flags, type, 4);
    wire_put_u32(w, v);
}

static void put_as_path(outgoing *o, wire_writer *w)
{
    const uint8_t *bytes = o->e->scratch2;
    if (o->g->policy.as_size == 4) {
        bgpvpn__put_attribute(w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_AS_PATH, o->as_path_len);
        wire_put_bytes(w, bytes, o->as_path_len);
    } else {
        bgpvpn__put_attribute(w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_AS_PATH,
                              narrow_length(bytes, o->as_path_len));
        o->as4_path = put_narrow_path(w, bytes, o->as_path_len);
    }
}

static void put_aggregator(const outgoing *o, wire_writer *w, const bgpvpn_attribute *a)
{
    wire_reader r = wire_reader_make(a->value, a->len);
    const uint32_t as = wire_get_u32(&r);
    const uint32_t id = wire_get_u32(&r);
    if (o->g->policy.as_size == 4) {
        bgpvpn__put_attribute(w, a->flags, a->type, a->len);
        wire_put_u32(w, as);
    } else {
        bgpvpn__put_attribute(w, a->flags, a->type, a->len - 2);
        wire_put_u16(w, as > UINT16_MAX ? BGPVPN_AS_TRANS : (uint16_t)as);
    }
    wire_put_u32(w, id);
    if (o->g->policy.as_size != 4 && as > UINT16_MAX) {
        bgpvpn__put_attribute(w, a->flags, BGPVPN_ATTR_AS4_AGGREGATOR, a->len);
        wire_put_bytes(w, a->value, a->len);
    }
}

/* RFC 4456 8: who brought the route in, and whom it has passed. */
static void put_reflection(const outgoing *o, wire_writer *w)
{
    const attrs *a = o->best->attrs;
    const uint8_t *list = NULL;
    size_t len = 0;
    if (!o->reflected)
        return;
    if (a->originator == 0)
        put_u32_attribute(w, BGPVPN_FLAG_OPTIONAL, BGPVPN_ATTR_ORIGINATOR_ID,
                          source_of(o->e, o->best)->info.router_id);
    else
        put_u32_attribute(w, BGPVPN_FLAG_OPTIONAL, BGPVPN_ATTR_ORIGINATOR_ID, a->originator);
    if (!bgpvpn__attrs_find(a, BGPVPN_ATTR_CLUSTER_LIST, &list, &len))
        len = 0;
    bgpvpn__put_attribute(w, BGPVPN_FLAG_OPTIONAL, BGPVPN_ATTR_CLUSTER_LIST, len + 4);
    wire_put_u32(w, o->e->cfg.cluster_id);
    wire_put_bytes(w, list, len);
}

/* RFC 4360 6, RFC 5701 2: those that are not transitive stay within the AS. */
static void put_extended(const outgoing *o, wire_writer *w, const bgpvpn_attribute *a)
{
    const size_t one =
        a->type == BGPVPN_ATTR_EXTENDED_COMMUNITIES ? (size_t)RT_LEN : (size_t)COMMUNITY_V6_LEN;
    size_t kept = 0;
    for (size_t i = 0; i + one <= a->len; i += one)
        kept += o->g->policy.internal || !(a->value[i] & COMMUNITY_LOCAL) ? one : 0;
    if (kept == 0)
        return;
    bgpvpn__put_attribute(w, a->flags, a->type, kept);
    for (size_t i = 0; i + one <= a->len; i += one)
        if (o->g->policy.internal || !(a->value[i] & COMMUNITY_LOCAL))
            wire_put_bytes(w, a->value + i, one);
}

static void put_other(const outgoing *o, wire_writer *w, const bgpvpn_attribute *a)
{
    switch (a->type) {
    case BGPVPN_ATTR_ORIGIN: /* those that have a place of their own */
    case BGPVPN_ATTR_AS_PATH:
    case BGPVPN_ATTR_MED:
    case BGPVPN_ATTR_LOCAL_PREF:
        return;
    case BGPVPN_ATTR_ORIGINATOR_ID:
    case BGPVPN_ATTR_CLUSTER_LIST:
        if (!o->g->policy.internal || o->reflected)
            return;
        break;
    case BGPVPN_ATTR_AGGREGATOR:
        put_aggregator(o, w, a);
        return;
    case BGPVPN_ATTR_EXTENDED_COMMUNITIES:
    case BGPVPN_ATTR_IPV6_EXT_COMMUNITIES:
        put_extended(o, w, a);
        return;
    default:
        break;
    }
    bgpvpn__put_attribute(w, a->flags, a->type, a->len);
    wire_put_bytes(w, a->value, a->len);
}

/* All attributes but those with NLRI, into e->scratch; 0: they do not fit there. */
static size_t make_attributes(bgpvpn_engine *e, const group *g, const path *best,
                              const bgpvpn_addr *next_hop, uint32_t table)
{
    const attrs *a = best->attrs;
    const neighbor *from = source_of(e, best);
    const bool internal = g->policy.internal;
    outgoing o = {.e = e, .g = g, .best = best};
    o.reflected = from && is_internal(e, from) && internal;

    const uint8_t *as_path = NULL;
    size_t as_path_len = 0;
    if (!bgpvpn__attrs_find(a, BGPVPN_ATTR_AS_PATH, &as_path, &as_path_len))
        as_path_len = 0;
    o.as_path_len = make_as_path(e, g, as_path, as_path_len);

    wire_writer w = wire_writer_make(e->scratch, e->scratch_size);
    bgpvpn__put_attribute(&w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_ORIGIN, 1);
    wire_put_u8(&w, a->origin);
    put_as_path(&o, &w);
    if (table == BGPVPN_TABLE_IPV4) {
        bgpvpn__put_attribute(&w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_NEXT_HOP, NEXT_HOP_LEN);
        wire_put_bytes(&w, next_hop->bytes, NEXT_HOP_LEN);
    }
    /* RFC 4271 5.1.4: another AS's MED stays in this AS. */
    const uint8_t *med;
    size_t med_len;
    if ((internal || !from) && bgpvpn__attrs_find(a, BGPVPN_ATTR_MED, &med, &med_len))
        put_u32_attribute(&w, BGPVPN_FLAG_OPTIONAL, BGPVPN_ATTR_MED, a->med);
    if (internal)
        put_u32_attribute(&w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_LOCAL_PREF, a->local_pref);
    put_reflection(&o, &w);
    size_t it = 0;
    bgpvpn_attribute at;
    while (bgpvpn_attribute_next(a->bytes, a->len, &it, &at) == BGPVPN_YES)
        put_other(&o, &w, &at);
    if (o.as4_path) {
        bgpvpn__put_attribute(&w, BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_TRANSITIVE,
                              BGPVPN_ATTR_AS4_PATH, o.as_path_len);
        wire_put_bytes(&w, e->scratch2, o.as_path_len);
    }
    return wire_fits(&w) ? w.len : 0;
}

/* ---- Messages ---- */

static size_t next_hop_len(uint32_t table, const bgpvpn_addr *next_hop)
{
    /* RFC 4684 4 */
    if (table == BGPVPN_TABLE_TARGETS)
        return next_hop->family == BGPVPN_FAMILY_IPV4 ? 4 : 16;
    return bgpvpn__table_bits(table) / 8u + (is_vpn(table) ? BGPVPN_RD_LEN : 0u);
}

/* RFC 4364 4.3.4, RFC 4659 3.2.1: an RD of zero, and IPv4 as an IPv4-mapped address. */
static void put_next_hop(wire_writer *w, uint32_t table, const bgpvpn_addr *next_hop)
{
    if (is_vpn(table))
        wire_put_zeros(w, BGPVPN_RD_LEN);
    if (next_hop_len(table, next_hop) == 4 || bgpvpn__table_bits(table) == 32) {
        wire_put_bytes(w, next_hop->bytes, 4);
    } else if (next_hop->family == BGPVPN_FAMILY_IPV6) {
        wire_put_bytes(w, next_hop->bytes, 16);
    } else {
        wire_put_zeros(w, MAPPED_AT);
        wire_put_u16(w, UINT16_MAX);
        wire_put_bytes(w, next_hop->bytes, 4);
    }
}

static void put_nlri(const bgpvpn_engine *e, wire_writer *w, const act *a)
{
    const dest *d = bgpvpn__dest(e, a->dest);
    bgpvpn_nlri n = {.label = BGPVPN_LABEL_NONE};
    uint8_t bytes[NLRI_MAX];
    size_t len = 0;
    bgpvpn__dest_prefix(d, &n.prefix);
    if (d->rd)
        memcpy(n.rd, d->rd->bytes, sizeof(n.rd));
    if (a->kind == ACT_ANNOUNCE) {
        const path *best = bgpvpn__best(e, d);
        n.label = a->self && best->source != SOURCE_LOCAL ? d->label : best->label;
    }
    (void)bgpvpn_nlri_encode(a->table, a->kind == ACT_WITHDRAW, &n, bytes, sizeof(bytes), &len);
    wire_put_bytes(w, bytes, len);
}

static bool is_alike(const act *a, const act *b)
{
    return a->kind == b->kind && a->table == b->table && a->attrs == b->attrs &&
           a->self == b->self && a->source == b->source && a->multi == b->multi &&
           a->targets == b->targets && a->fresh == b->fresh;
}

/* NLRI of all acts in the window that are like the first one, as far as there is room. */
static uint32_t put_alike(bgpvpn_engine *e, reader *r, uint32_t first, wire_writer *w, size_t room)
{
    const act key = r->window[first];
    const size_t start = w->len;
    uint32_t count = 0;
    for (uint32_t i = first; i < r->count; i++) {
        act *a = &r->window[i];
        if (a->done || !is_alike(a, &key))
            continue;
        if (room - (w->len - start) < NLRI_MAX)
            break;
        a->done = true;
        r->left--;
        if (bgpvpn__dest(e, a->dest)->version != a->version)
            continue;
        put_nlri(e, w, a);
        count++;
    }
    return count;
}

static void patch_length(wire_writer *w, size_t at)
{
    wire_patch_u16(w, at, (uint16_t)(w->len - at - 2));
}

static uint32_t put_withdrawal(bgpvpn_engine *e, reader *r, uint32_t first, wire_writer *w)
{
    const uint32_t table = r->window[first].table;
    const size_t room = BGPVPN_MESSAGE_MAX - UPDATE_FIXED - MP_FIXED;
    const size_t length_at = w->len;
    uint32_t count;
    wire_put_u16(w, 0);
    if (table == BGPVPN_TABLE_IPV4) {
        count = put_alike(e, r, first, w, room);
        patch_length(w, length_at);
        wire_put_u16(w, 0);
        return count;
    }
    const size_t attributes_at = w->len;
    wire_put_u16(w, 0);
    wire_put_u8(w, BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_EXTENDED);
    wire_put_u8(w, BGPVPN_ATTR_MP_UNREACH);
    const size_t mp_at = w->len;
    wire_put_u16(w, 0);
    wire_put_u16(w, bgpvpn__table_afi(table));
    wire_put_u8(w, bgpvpn__table_safi(table));
    count = put_alike(e, r, first, w, room);
    patch_length(w, mp_at);
    patch_length(w, attributes_at);
    return count;
}

static uint32_t put_announcement(bgpvpn_engine *e, const group *g, reader *r, uint32_t first,
                                 wire_writer *w)
{
    act *key = &r->window[first];
    const uint32_t table = key->table;
    const path *best = bgpvpn__best(e, bgpvpn__dest(e, key->dest));
    const bgpvpn_addr *next_hop = next_hop_of(g, table, best->attrs, key->self);
    const size_t attributes = make_attributes(e, g, best, next_hop, table);
    const size_t fixed =
        UPDATE_FIXED + MP_FIXED + (next_hop ? next_hop_len(table, next_hop) : 0) + attributes;
    if (attributes == 0 || fixed + NLRI_MAX > g->policy.message_max) {
        /* Too long for any message: the peers must not keep what they had instead. */
        key->kind = ACT_WITHDRAW;
        key->attrs = NULL;
        return put_withdrawal(e, r, first, w);
    }
    /* A message longer than usual is for attributes that need one, not to pack more. */
    const size_t usual = BGPVPN_MESSAGE_MAX;
    const size_t room = fixed + NLRI_MAX > usual ? NLRI_MAX : usual - fixed;
    wire_put_u16(w, 0);
    const size_t attributes_at = w->len;
    wire_put_u16(w, 0);
    if (table == BGPVPN_TABLE_IPV4) {
        wire_put_bytes(w, e->scratch, attributes);
        patch_length(w, attributes_at);
        return put_alike(e, r, first, w, room);
    }
    /* RFC 7606 5.1: NLRI before all other attributes. */
    wire_put_u8(w, BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_EXTENDED);
    wire_put_u8(w, BGPVPN_ATTR_MP_REACH);
    const size_t mp_at = w->len;
    wire_put_u16(w, 0);
    wire_put_u16(w, bgpvpn__table_afi(table));
    wire_put_u8(w, bgpvpn__table_safi(table));
    wire_put_u8(w, (uint8_t)next_hop_len(table, next_hop));
    put_next_hop(w, table, next_hop);
    wire_put_u8(w, 0);
    const uint32_t count = put_alike(e, r, first, w, room);
    patch_length(w, mp_at);
    wire_put_bytes(w, e->scratch, attributes);
    patch_length(w, attributes_at);
    return count;
}

size_t bgpvpn__encode(bgpvpn_engine *e, const group *g, reader *r, uint8_t *buf, record *rec)
{
    for (uint32_t first = 0; first < r->count && r->left > 0; first++) {
        act *key = &r->window[first];
        if (key->done)
            continue;
        if (bgpvpn__dest(e, key->dest)->version != key->version) {
            key->done = true;
            r->left--;
            continue;
        }
        wire_writer w = wire_writer_make(buf, g->policy.message_max);
        bgpvpn__put_header(&w, BGPVPN_MESSAGE_UPDATE);
        const uint32_t count = key->kind == ACT_ANNOUNCE ? put_announcement(e, g, r, first, &w)
                                                         : put_withdrawal(e, r, first, &w);
        size_t len = 0;
        (void)bgpvpn__end_message(&w, &len);
        memset(rec, 0, sizeof(*rec));
        rec->synced = r->synced;
        rec->source = key->source;
        rec->multi = key->multi;
        rec->table = key->table;
        rec->targets = key->targets;
        rec->fresh = key->fresh;
        rec->len = (uint16_t)len;
        if (key->kind == ACT_ANNOUNCE)
            rec->announced = count;
        else
            rec->withdrawn = count;
        e->updates_encoded++;
        return len;
    }
    return 0;
}

size_t bgpvpn__encode_reverse(bgpvpn_engine *e, uint32_t table, uint8_t *msg, size_t len)
{
    bgpvpn_update u;
    if (bgpvpn_update_decode(msg, len, 4, 0, &u) != BGPVPN_OK)
        return 0;
    const uint8_t *nlri = table == BGPVPN_TABLE_IPV4 ? u.nlri : u.reach;
    const size_t nlri_len = table == BGPVPN_TABLE_IPV4 ? u.nlri_len : u.reach_len;
    wire_writer w = wire_writer_make(e->scratch, e->scratch_size);
    size_t it = 0;
    bgpvpn_nlri n;
    while (bgpvpn_nlri_next(table, 0, nlri, nlri_len, &it, &n) == BGPVPN_YES) {
        uint8_t one[NLRI_MAX];
        size_t one_len = 0;
        (void)bgpvpn_nlri_encode(table, 1, &n, one, sizeof(one), &one_len);
        wire_put_bytes(&w, one, one_len);
    }
    bgpvpn_update out = {0};
    if (table == BGPVPN_TABLE_IPV4) {
        out.withdrawn = e->scratch;
        out.withdrawn_len = w.len;
    } else {
        out.unreach = e->scratch;
        out.unreach_len = w.len;
        out.unreach_afi = bgpvpn__table_afi(table);
        out.unreach_safi = bgpvpn__table_safi(table);
    }
    /* It is shorter than the message was. */
    size_t out_len = 0;
    return bgpvpn_update_encode(&out, msg, len, &out_len) == BGPVPN_OK ? out_len : 0;
}

size_t bgpvpn__encode_end_of_rib(uint32_t table, uint8_t *buf)
{
    bgpvpn_update u = {0};
    size_t len = 0;
    if (table != BGPVPN_TABLE_IPV4) {
        u.unreach_afi = bgpvpn__table_afi(table);
        u.unreach_safi = bgpvpn__table_safi(table);
    }
    (void)bgpvpn_update_encode(&u, buf, BGPVPN_MESSAGE_MAX, &len);
    return len;
}
