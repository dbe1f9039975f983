/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * VRFs, local routes, and what VRFs import (RFC 4364 4.3). A vroute is a prefix of a VRF, a cand
 * ties it to a dest whose best path has one of the VRF's import route targets. Which cand wins is
 * found out when the caller polls, so that many changes cost one choice.
 */
#include "engine.h"

enum {
    COMMUNITY_LEN = 4,
    COMMUNITIES_MAX = 1024,
    LARGE_COMMUNITY_LEN = 12,
    LARGE_COMMUNITIES_MAX = 3072
};

#define RESCUE_MS 1000 /* a pause before an import that found no memory is tried again */

static vroute *vroute_at(const bgpvpn_engine *e, uint32_t handle)
{
    return pool_at(&e->vroutes, handle);
}

static cand *cand_at(const bgpvpn_engine *e, uint32_t handle)
{
    return pool_at(&e->cands, handle);
}

static uint64_t hash_vroute(const bgpvpn_engine *e, const vrf *v, const bgpvpn_addr *prefix)
{
    uint8_t key[4 + 2 + sizeof(prefix->bytes)];
    wire_set_u32(key, v->number);
    key[4] = prefix->family;
    key[5] = prefix->prefix_len;
    memcpy(key + 6, prefix->bytes, sizeof(prefix->bytes));
    return drbg_hash(e->hash_key, key, sizeof(key));
}

static void vroute_prefix(const vroute *v, bgpvpn_addr *out)
{
    memset(out, 0, sizeof(*out));
    out->family = v->family;
    out->prefix_len = v->prefix_len;
    memcpy(out->bytes, v->prefix, sizeof(out->bytes));
}

static uint64_t hash_of_vroute(const bgpvpn_engine *e, const vroute *v)
{
    bgpvpn_addr prefix;
    vroute_prefix(v, &prefix);
    return hash_vroute(e, v->vrf, &prefix);
}

static void make_dirty(bgpvpn_engine *e, uint32_t handle)
{
    vroute *v = vroute_at(e, handle);
    if (v->dirty)
        return;
    v->dirty = 1;
    v->next_dirty = 0;
    if (e->dirty_tail)
        vroute_at(e, e->dirty_tail)->next_dirty = handle;
    else
        e->dirty_head = handle;
    e->dirty_tail = handle;
}

static uint32_t vroute_find(const bgpvpn_engine *e, const vrf *owner, const bgpvpn_addr *prefix)
{
    const uint64_t hash = hash_vroute(e, owner, prefix);
    for (uint32_t h = *bgpvpn__index_bucket(&e->vroute_index, hash); h; h = vroute_at(e, h)->next) {
        const vroute *v = vroute_at(e, h);
        if (v->vrf == owner && v->family == prefix->family && v->prefix_len == prefix->prefix_len &&
            memcmp(v->prefix, prefix->bytes, sizeof(v->prefix)) == 0)
            return h;
    }
    return 0;
}

static uint32_t vroute_get(bgpvpn_engine *e, vrf *owner, const bgpvpn_addr *prefix)
{
    if (!bgpvpn__index_ready(&e->vroute_index, &e->alloc))
        return 0;
    const uint32_t known = vroute_find(e, owner, prefix);
    if (known)
        return known;
    const uint32_t handle = pool_new(&e->vroutes, &e->alloc);
    if (!handle)
        return 0;
    vroute *v = vroute_at(e, handle);
    v->vrf = owner;
    v->family = prefix->family;
    v->prefix_len = prefix->prefix_len;
    memcpy(v->prefix, prefix->bytes, sizeof(v->prefix));
    uint32_t *bucket = bgpvpn__index_bucket(&e->vroute_index, hash_vroute(e, owner, prefix));
    v->next = *bucket;
    *bucket = handle;
    owner->routes++;

    uint32_t *low, *high;
    if (!bgpvpn__index_grow(&e->vroute_index, &e->alloc, e->vroutes.count, &low, &high))
        return handle;
    uint32_t moving = *low;
    *low = 0;
    while (moving) {
        v = vroute_at(e, moving);
        const uint32_t next = v->next;
        bucket = bgpvpn__index_bucket(&e->vroute_index, hash_of_vroute(e, v));
        v->next = *bucket;
        *bucket = moving;
        moving = next;
    }
    return handle;
}

static void vrf_free(bgpvpn_engine *e, vrf *v)
{
    vrf **link = &e->vrfs;
    while (*link != v)
        link = &(*link)->next;
    *link = v->next;
    for (import_rt **at = &e->import_list; *at;) {
        import_rt *i = *at;
        if (i->vrf != v) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        map_remove(&e->imports, &i->node);
        alloc_free(&e->alloc, i);
    }
    map_remove(&e->vrfs_by_number, &v->node);
    if (v->rd) {
        v->rd->vrf = NULL;
        bgpvpn__rd_put(e, v->rd);
    }
    alloc_free(&e->alloc, v->export_rts);
    alloc_free(&e->alloc, v);
    e->vrf_count--;
}

static void vroute_free(bgpvpn_engine *e, uint32_t handle)
{
    vroute *v = vroute_at(e, handle);
    uint32_t *link = bgpvpn__index_bucket(&e->vroute_index, hash_of_vroute(e, v));
    while (*link != handle)
        link = &vroute_at(e, *link)->next;
    *link = v->next;
    vrf *owner = v->vrf;
    pool_put(&e->vroutes, handle);
    owner->routes--;
    if (owner->removing && owner->routes == 0 && owner->locals == 0)
        vrf_free(e, owner);
}

/* A scan is over: VRFs that it emptied go. */
void bgpvpn__vrf_settle(bgpvpn_engine *e)
{
    for (vrf *v = e->vrfs, *next; v; v = next) {
        next = v->next;
        if (v->removing && v->routes == 0 && v->locals == 0)
            vrf_free(e, v);
    }
}

static void cand_unlink(bgpvpn_engine *e, uint32_t handle)
{
    const cand *c = cand_at(e, handle);
    uint32_t *link = &vroute_at(e, c->vroute)->cands;
    while (*link != handle)
        link = &cand_at(e, *link)->next_of_vroute;
    *link = c->next_of_vroute;
    make_dirty(e, c->vroute);
    pool_put(&e->cands, handle);
}

static void cand_add(bgpvpn_engine *e, uint32_t dest_handle, vrf *owner)
{
    dest *d = bgpvpn__dest(e, dest_handle);
    bgpvpn_addr prefix;
    bgpvpn__dest_prefix(d, &prefix);
    if (!pool_reserve(&e->cands, &e->alloc, 1)) {
        e->rescue_at = e->now_ms + RESCUE_MS;
        return;
    }
    const uint32_t v = vroute_get(e, owner, &prefix);
    const uint32_t handle = v ? pool_new(&e->cands, &e->alloc) : 0;
    if (!handle) {
        /* Over max_vrf_routes the route stays out; without memory it is tried again. */
        if (!pool_full(&e->vroutes))
            e->rescue_at = e->now_ms + RESCUE_MS;
        if (v)
            make_dirty(e, v);
        return;
    }
    cand *c = cand_at(e, handle);
    c->dest = dest_handle;
    c->vroute = v;
    c->next_of_dest = d->cands;
    d->cands = handle;
    c->next_of_vroute = vroute_at(e, v)->cands;
    vroute_at(e, v)->cands = handle;
    make_dirty(e, v);
}

static const import_rt *next_import(const bgpvpn_engine *e, const uint8_t *rt, const import_rt *at)
{
    map_node *node =
        at ? map_next(&at->node) : map_first(&e->imports, drbg_hash(e->hash_key, rt, RT_LEN));
    for (; node; node = map_next(node)) {
        const import_rt *i = CONTAINER_OF(node, import_rt, node);
        if (memcmp(i->rt, rt, RT_LEN) == 0 && !i->vrf->removing)
            return i;
    }
    return NULL;
}

void bgpvpn__import(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    const path *best = bgpvpn__best(e, d);
    const uint8_t *rts = NULL;
    size_t len = 0;
    if (best && d->rd && e->vrf_count > 0 &&
        !bgpvpn__attrs_find(best->attrs, BGPVPN_ATTR_EXTENDED_COMMUNITIES, &rts, &len))
        len = 0;
    if (len == 0 && !d->cands)
        return;

    /* A VRF's stamp says whether this round wants it, and whether it has the dest already. */
    const uint64_t wanted = e->stamp + 1, present = e->stamp + 2;
    e->stamp += 2;
    for (size_t i = 0; i + RT_LEN <= len; i += RT_LEN)
        for (const import_rt *at = next_import(e, rts + i, NULL); at;
             at = next_import(e, rts + i, at))
            at->vrf->stamp = wanted;
    for (uint32_t *link = &d->cands; *link;) {
        const uint32_t c = *link;
        vrf *owner = vroute_at(e, cand_at(e, c)->vroute)->vrf;
        if (owner->stamp == wanted) {
            owner->stamp = present;
            link = &cand_at(e, c)->next_of_dest;
        } else {
            *link = cand_at(e, c)->next_of_dest;
            cand_unlink(e, c);
        }
    }
    for (size_t i = 0; i + RT_LEN <= len; i += RT_LEN) {
        for (const import_rt *at = next_import(e, rts + i, NULL); at;
             at = next_import(e, rts + i, at)) {
            if (at->vrf->stamp == wanted) {
                at->vrf->stamp = present;
                cand_add(e, handle, at->vrf);
            }
        }
    }
}

void bgpvpn__route_dirty(bgpvpn_engine *e, const dest *d)
{
    for (uint32_t c = d->cands; c; c = cand_at(e, c)->next_of_dest)
        make_dirty(e, cand_at(e, c)->vroute);
}

/* The dest that the VRF should use; 0: none, or a local route of its own. */
static uint32_t choose(const bgpvpn_engine *e, const vroute *v)
{
    const path *best = NULL;
    uint32_t found = 0;
    for (uint32_t h = v->cands; h; h = cand_at(e, h)->next_of_vroute) {
        const uint32_t at = cand_at(e, h)->dest;
        const path *p = bgpvpn__best(e, bgpvpn__dest(e, at));
        if (p && (!best || bgpvpn__compare(e, p, best) < 0)) {
            best = p;
            found = at;
        }
    }
    return best && best->source == SOURCE_LOCAL && bgpvpn__dest(e, found)->rd == v->vrf->rd ? 0
                                                                                            : found;
}

static void describe(const bgpvpn_engine *e, uint32_t handle, bgpvpn_route *r)
{
    const dest *d = bgpvpn__dest(e, handle);
    const path *p = bgpvpn__best(e, d);
    r->label = p->label;
    r->route_id = bgpvpn__dest_id(e, handle);
    memcpy(r->rd, d->rd->bytes, sizeof(r->rd));
    if (p->attrs->hop) {
        r->next_hop = p->attrs->hop->addr;
        r->metric = p->attrs->hop->metric;
    }
    if (p->source != SOURCE_LOCAL) {
        r->neighbor = e->by_index[p->source]->id;
        r->cookie = e->by_index[p->source]->cfg.cookie;
    }
}

bgpvpn_rc bgpvpn_engine_poll_route(bgpvpn_engine *e, bgpvpn_route *out)
{
    if (!e || !out || !bgpvpn__size_known(out->struct_size, sizeof(*out)))
        return BGPVPN_ERR_ARG;
    /* RFC 4724 4.1: nothing is chosen before the peers have told all. */
    while (e->dirty_head && !e->deferring) {
        const uint32_t handle = e->dirty_head;
        vroute *v = vroute_at(e, handle);
        e->dirty_head = v->next_dirty;
        if (!e->dirty_head)
            e->dirty_tail = 0;
        v->dirty = 0;

        const uint32_t best = choose(e, v);
        const bool tell = best || v->reported;
        if (tell) {
            bgpvpn_route r = {.struct_size = sizeof(r), .label = BGPVPN_LABEL_NONE};
            r.state = !best          ? BGPVPN_ROUTE_DOWN
                      : !v->reported ? BGPVPN_ROUTE_UP
                                     : BGPVPN_ROUTE_CHANGED;
            r.vrf = v->vrf->number;
            vroute_prefix(v, &r.prefix);
            if (best)
                describe(e, best, &r);
            v->reported = best != 0;
            (void)versioned_write(out, &r, sizeof(r), sizeof(r));
        }
        if (!v->cands)
            vroute_free(e, handle);
        if (tell)
            return BGPVPN_YES;
    }
    return BGPVPN_OK;
}

/* ---- Requests ---- */

static vrf *vrf_find(const bgpvpn_engine *e, uint32_t number)
{
    map_node *node = map_first(&e->vrfs_by_number, number);
    return node ? CONTAINER_OF(node, vrf, node) : NULL;
}

static bool add_imports(bgpvpn_engine *e, vrf *v, const uint8_t *rts, size_t len)
{
    for (size_t i = 0; i < len; i += RT_LEN) {
        import_rt *at = alloc_zero(&e->alloc, sizeof(*at));
        if (!at)
            return false;
        at->vrf = v;
        memcpy(at->rt, rts + i, RT_LEN);
        at->next = e->import_list;
        e->import_list = at;
        map_insert(&e->imports, &e->alloc, &at->node, drbg_hash(e->hash_key, at->rt, RT_LEN));
    }
    return true;
}

/* Peers need not send any more what it alone imported. */
static void forget_imports(bgpvpn_engine *e, const vrf *v)
{
    for (const import_rt *i = e->targets_used ? e->import_list : NULL; i; i = i->next)
        if (i->vrf == v)
            bgpvpn__targets_forget(e, i->rt);
}

bgpvpn_rc bgpvpn_engine_vrf_add(bgpvpn_engine *e, uint64_t now_ms, const bgpvpn_vrf_config *cfg)
{
    bgpvpn_vrf_config c;
    if (!e || !cfg || !versioned_read(&c, sizeof(c), sizeof(c), cfg) ||
        (!c.import_rts && c.import_rts_len > 0) || (!c.export_rts && c.export_rts_len > 0) ||
        c.import_rts_len % RT_LEN || c.export_rts_len % RT_LEN ||
        c.export_rts_len > BGPVPN_MESSAGE_MAX / 2)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    const rd *taken = bgpvpn__rd_find(e, c.rd);
    if (vrf_find(e, c.vrf) || (taken && taken->vrf))
        return BGPVPN_ERR_STATE;
    if (e->vrf_count >= e->cfg.max_vrfs)
        return BGPVPN_ERR_LIMIT;

    vrf *v = alloc_zero(&e->alloc, sizeof(*v));
    if (!v)
        return BGPVPN_ERR_NOMEM;
    v->number = c.vrf;
    v->next = e->vrfs;
    e->vrfs = v;
    e->vrf_count++;
    map_insert(&e->vrfs_by_number, &e->alloc, &v->node, c.vrf);
    v->rd = bgpvpn__rd_get(e, c.rd);
    if (c.export_rts_len > 0)
        v->export_rts = alloc_array(&e->alloc, 1, c.export_rts_len);
    if (!v->rd || (c.export_rts_len > 0 && !v->export_rts) ||
        !add_imports(e, v, c.import_rts, c.import_rts_len)) {
        vrf_free(e, v);
        return BGPVPN_ERR_NOMEM;
    }
    for (size_t i = 0; i < c.import_rts_len; i += RT_LEN) {
        const bgpvpn_rc rc = bgpvpn__targets_import(e, c.import_rts + i);
        if (rc == BGPVPN_OK)
            continue;
        v->removing = true;
        forget_imports(e, v);
        vrf_free(e, v);
        return rc;
    }
    v->rd->vrf = v;
    v->export_len = c.export_rts_len;
    if (v->export_len > 0)
        memcpy(v->export_rts, c.export_rts, v->export_len);
    bgpvpn__rib_rescan(e);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_vrf_remove(bgpvpn_engine *e, uint64_t now_ms, uint32_t number)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    vrf *v = vrf_find(e, number);
    if (!v || v->removing)
        return BGPVPN_ERR_ABSENT;
    v->removing = true;
    forget_imports(e, v);
    bgpvpn__rib_rescan(e);
    if (e->scan_left == 0)
        bgpvpn__vrf_settle(e);
    return BGPVPN_OK;
}

static bool prefix_ok(const bgpvpn_addr *p)
{
    return (p->family == BGPVPN_FAMILY_IPV4 && p->prefix_len <= 32) ||
           (p->family == BGPVPN_FAMILY_IPV6 && p->prefix_len <= 128);
}

/* As NLRI has it: no bits beyond the length, nothing but address and length. */
static void normalize(const bgpvpn_addr *in, bgpvpn_addr *out)
{
    memset(out, 0, sizeof(*out));
    out->family = in->family;
    out->prefix_len = in->prefix_len;
    const size_t whole = in->prefix_len / 8;
    memcpy(out->bytes, in->bytes, whole);
    if (in->prefix_len % 8)
        out->bytes[whole] = in->bytes[whole] & (uint8_t)(0xff << (8 - in->prefix_len % 8));
}

static uint32_t vpn_table(const bgpvpn_addr *prefix)
{
    return prefix->family == BGPVPN_FAMILY_IPV4 ? BGPVPN_TABLE_VPNV4 : BGPVPN_TABLE_VPNV6;
}

/* A path of a dest that a neighbour told with this next hop, and with a label to send to it. */
static const path *path_by(const bgpvpn_engine *e, const dest *d, const bgpvpn_addr *next_hop)
{
    for (const path *p = bgpvpn__path(e, d->paths); p; p = bgpvpn__path(e, p->next)) {
        const hop *h = p->attrs->hop;
        if (h && p->source != SOURCE_LOCAL && p->label >= LABEL_FIRST &&
            p->label <= BGPVPN_LABEL_MAX && h->addr.family == next_hop->family &&
            memcmp(h->addr.bytes, next_hop->bytes, sizeof(next_hop->bytes)) == 0)
            return p;
    }
    return NULL;
}

/* One hash for each length that a prefix may have, from the longest down. */
bgpvpn_rc bgpvpn_engine_get_covering_path(const bgpvpn_engine *e, uint32_t number,
                                          const bgpvpn_addr *address, const bgpvpn_addr *next_hop,
                                          bgpvpn_path_info *out)
{
    bgpvpn_addr host;
    if (!e || !address || !next_hop || !out || !bgpvpn__size_known(out->struct_size, sizeof(*out)))
        return BGPVPN_ERR_ARG;
    host = *address;
    host.prefix_len = host.family == BGPVPN_FAMILY_IPV4 ? 32 : 128;
    if (!prefix_ok(&host))
        return BGPVPN_ERR_ARG;
    const vrf *v = vrf_find(e, number);
    const path *longest = NULL;
    uint32_t at = 0;
    for (uint32_t len = host.prefix_len + 1u; v && len-- > 0;) {
        bgpvpn_addr prefix;
        host.prefix_len = (uint8_t)len;
        normalize(&host, &prefix);
        const uint32_t route = vroute_find(e, v, &prefix);
        for (uint32_t c = route ? vroute_at(e, route)->cands : 0; c;
             c = cand_at(e, c)->next_of_vroute) {
            const dest *d = bgpvpn__dest(e, cand_at(e, c)->dest);
            const path *p = path_by(e, d, next_hop);
            if (p && !longest) {
                longest = p;
                at = cand_at(e, c)->dest;
            } else if (p && p->label != longest->label && d->rd != bgpvpn__dest(e, at)->rd) {
                /* Within one RD the longer prefix is meant; another RD is another VRF. */
                return BGPVPN_ERR_STATE;
            }
        }
    }
    if (!longest)
        return BGPVPN_ERR_ABSENT;
    bgpvpn__describe(e, at, longest, out);
    return BGPVPN_OK;
}

static size_t local_attributes(bgpvpn_engine *e, const vrf *v, const bgpvpn_local_route *route)
{
    wire_writer w = wire_writer_make(e->scratch, e->scratch_size);
    bgpvpn__put_attribute(&w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_ORIGIN, 1);
    wire_put_u8(&w, (uint8_t)route->origin);
    bgpvpn__put_attribute(&w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_AS_PATH, 0);
    if (route->has_med) {
        bgpvpn__put_attribute(&w, BGPVPN_FLAG_OPTIONAL, BGPVPN_ATTR_MED, 4);
        wire_put_u32(&w, route->med);
    }
    bgpvpn__put_attribute(&w, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_LOCAL_PREF, 4);
    wire_put_u32(&w, route->local_pref ? route->local_pref : LOCAL_PREF_DEFAULT);
    if (route->communities_len > 0) {
        bgpvpn__put_attribute(&w, BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_TRANSITIVE,
                              BGPVPN_ATTR_COMMUNITIES, route->communities_len);
        wire_put_bytes(&w, route->communities, route->communities_len);
    }
    if (v->export_len > 0) {
        bgpvpn__put_attribute(&w, BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_TRANSITIVE,
                              BGPVPN_ATTR_EXTENDED_COMMUNITIES, v->export_len);
        wire_put_bytes(&w, v->export_rts, v->export_len);
    }
    if (route->large_communities_len > 0)
        bgpvpn__attrs_put_large(e, &w, BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_TRANSITIVE,
                                route->large_communities, route->large_communities_len);
    return w.len;
}

static bool communities_ok(const bgpvpn_local_route *r)
{
    return (r->communities || r->communities_len == 0) &&
           (r->large_communities || r->large_communities_len == 0) &&
           r->communities_len % COMMUNITY_LEN == 0 && r->communities_len <= COMMUNITIES_MAX &&
           r->large_communities_len % LARGE_COMMUNITY_LEN == 0 &&
           r->large_communities_len <= LARGE_COMMUNITIES_MAX;
}

bgpvpn_rc bgpvpn_engine_announce(bgpvpn_engine *e, uint64_t now_ms, uint32_t number,
                                 const bgpvpn_local_route *route)
{
    bgpvpn_local_route ours = {0};
    if (!e || !route || !versioned_read(&ours, sizeof(ours), LOCAL_ROUTE_FIRST, route) ||
        !prefix_ok(&ours.prefix) || ours.label > BGPVPN_LABEL_MAX || ours.origin > 2 ||
        !communities_ok(&ours))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    const vrf *v = vrf_find(e, number);
    if (!v || v->removing)
        return BGPVPN_ERR_ABSENT;
    attrs *a;
    bgpvpn_rc rc = bgpvpn__attrs_get(e, e->scratch, local_attributes(e, v, &ours), NULL, &a);
    if (rc != BGPVPN_OK)
        return rc;
    bgpvpn_addr prefix;
    normalize(&ours.prefix, &prefix);
    rc = bgpvpn__rib_set(e, vpn_table(&prefix), v->rd->bytes, &prefix, SOURCE_LOCAL, a, ours.label);
    bgpvpn__attrs_put(e, a);
    return rc;
}

bgpvpn_rc bgpvpn_engine_withdraw(bgpvpn_engine *e, uint64_t now_ms, uint32_t number,
                                 const bgpvpn_addr *prefix)
{
    if (!e || !prefix || !prefix_ok(prefix))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    const vrf *v = vrf_find(e, number);
    if (!v || v->removing)
        return BGPVPN_ERR_ABSENT;
    bgpvpn_addr plain;
    normalize(prefix, &plain);
    return bgpvpn__rib_remove(e, vpn_table(&plain), v->rd, &plain, SOURCE_LOCAL)
               ? BGPVPN_OK
               : BGPVPN_ERR_ABSENT;
}

void bgpvpn__vrf_end(bgpvpn_engine *e)
{
    while (e->vrfs)
        vrf_free(e, e->vrfs);
    pool_end(&e->cands, &e->alloc);
    pool_end(&e->vroutes, &e->alloc);
    bgpvpn__index_end(&e->vroute_index, &e->alloc);
}
