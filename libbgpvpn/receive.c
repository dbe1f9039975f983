/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UPDATE messages of an Established session, into the RIB.
 */
#include "engine.h"

enum { MAPPED_AT = 10, MULTICAST_V4 = 224, MULTICAST_V6 = 0xff };

/* The prefixes of one family in an UPDATE. */
typedef struct batch {
    uint32_t table;
    bool withdraw;
    const uint8_t *bytes;
    size_t len;
    bgpvpn_addr next_hop;
    attrs *attrs;
} batch;

static void tell(bgpvpn_engine *e, const conn *c, uint32_t kind, uint32_t number, uint8_t code)
{
    bgpvpn_event ev = {.kind = kind, .id = c->neighbor_id, .parent_id = c->id};
    ev.number = number;
    ev.code = code;
    ev.address = c->peer;
    bgpvpn__emit(e, &ev);
}

static void refuse(bgpvpn_engine *e, const conn *c)
{
    neighbor *n = c->neighbor;
    n->info.refused++;
    if (n->limit_told)
        return;
    n->limit_told = true;
    tell(e, c, BGPVPN_EVENT_LIMIT, 0, 0);
}

/* The first address of a next hop field, its RD skipped, IPv4-mapped as IPv4. */
static void read_next_hop(const bgpvpn_update *u, uint32_t table, bgpvpn_addr *out)
{
    wire_reader r = wire_reader_make(u->reach_next_hop, u->reach_next_hop_len);
    memset(out, 0, sizeof(*out));
    if (bgpvpn__table_safi(table) == BGPVPN_SAFI_VPN)
        (void)wire_get_bytes(&r, BGPVPN_RD_LEN);
    if (r.left == 4) {
        out->family = BGPVPN_FAMILY_IPV4;
        wire_get_copy(&r, out->bytes, 4);
        return;
    }
    static const uint8_t mapped[MAPPED_AT + 2] = {[MAPPED_AT] = 0xff, [MAPPED_AT + 1] = 0xff};
    wire_get_copy(&r, out->bytes, 16);
    out->family = BGPVPN_FAMILY_IPV6;
    if (memcmp(out->bytes, mapped, sizeof(mapped)) == 0) {
        const bgpvpn_addr v6 = *out;
        memset(out, 0, sizeof(*out));
        out->family = BGPVPN_FAMILY_IPV4;
        memcpy(out->bytes, v6.bytes + sizeof(mapped), 4);
    }
}

/*
 * RFC 4271 6.3: a host's address, and not our own. Where it must be the peer's, the label of a
 * route is one that the peer allotted: with another's address it would be looked up there.
 */
static bool next_hop_ok(const conn *c, const bgpvpn_addr *a)
{
    static const uint8_t zero[16];
    const size_t len = a->family == BGPVPN_FAMILY_IPV4 ? 4 : 16;
    const bool multicast =
        a->family == BGPVPN_FAMILY_IPV4 ? a->bytes[0] >= MULTICAST_V4 : a->bytes[0] == MULTICAST_V6;
    const bool anyones = !(c->neighbor->cfg.flags & BGPVPN_NEIGHBOR_NEXT_HOP_PEER);
    return memcmp(a->bytes, zero, len) != 0 && !multicast && !bgpvpn__addr_same(a, &c->local) &&
           (anyones || bgpvpn__addr_same(a, &c->peer));
}

/* Whether the routes of an UPDATE may come in; counts why not. */
static bool is_welcome(const bgpvpn_engine *e, const conn *c, const bgpvpn_update *u,
                       const uint8_t *as_path, size_t as_path_len, uint64_t **counter)
{
    neighbor *n = c->neighbor;
    /* RFC 4271 9.1.2: an AS loop. */
    if (bgpvpn__as_path_has(as_path, as_path_len, e->cfg.local_as)) {
        *counter = &n->info.loop_as;
        return false;
    }
    /* RFC 4456 8 */
    if ((u->has >> BGPVPN_ATTR_ORIGINATOR_ID & 1) && u->originator_id == e->cfg.router_id) {
        *counter = &n->info.loop_originator;
        return false;
    }
    wire_reader r = wire_reader_make(u->cluster_list, u->cluster_list_len);
    while (r.left > 0) {
        if (wire_get_u32(&r) == e->cfg.cluster_id) {
            *counter = &n->info.loop_cluster;
            return false;
        }
    }
    return true;
}

/* RFC 7606 7.2: an external peer's AS stands first. */
static bool first_as_ok(const bgpvpn_engine *e, const neighbor *n, const uint8_t *bytes, size_t len)
{
    if (n->cfg.remote_as == e->cfg.local_as)
        return true;
    wire_reader r = wire_reader_make(bytes, len);
    const uint8_t type = wire_get_u8(&r);
    (void)wire_get_u8(&r);
    return type == BGPVPN_AS_SEQ && wire_get_u32(&r) == n->cfg.remote_as;
}

static void withdraw_batch(bgpvpn_engine *e, const neighbor *n, const batch *b, uint64_t *counter)
{
    size_t it = 0;
    bgpvpn_nlri nlri;
    const bool vpn = bgpvpn__table_safi(b->table) == BGPVPN_SAFI_VPN;
    while (bgpvpn_nlri_next(b->table, b->withdraw, b->bytes, b->len, &it, &nlri) == BGPVPN_YES) {
        const rd *r = vpn ? bgpvpn__rd_find(e, nlri.rd) : NULL;
        if (!vpn || r)
            (void)bgpvpn__rib_remove(e, b->table, r, &nlri.prefix, n->index);
        (*counter)++;
    }
}

/*
 * Takes (or gives back) a reference on the RD of every prefix, so that the RIB will not have to
 * allocate one. False: out of memory, with nothing taken.
 */
static bool hold_rds(bgpvpn_engine *e, const batch *b, size_t up_to, bool take)
{
    size_t it = 0;
    bgpvpn_nlri nlri;
    while (it < up_to &&
           bgpvpn_nlri_next(b->table, 0, b->bytes, b->len, &it, &nlri) == BGPVPN_YES) {
        if (take && !bgpvpn__rd_get(e, nlri.rd)) {
            const size_t one =
                1 + (size_t)(nlri.prefix.prefix_len + 7) / 8 + BGPVPN_LABEL_LEN + BGPVPN_RD_LEN;
            (void)hold_rds(e, b, it - one, false);
            return false;
        }
        if (!take)
            bgpvpn__rd_put(e, bgpvpn__rd_find(e, nlri.rd));
    }
    return true;
}

static uint32_t count_prefixes(const batch *b)
{
    size_t it = 0;
    bgpvpn_nlri nlri;
    uint32_t count = 0;
    while (bgpvpn_nlri_next(b->table, 0, b->bytes, b->len, &it, &nlri) == BGPVPN_YES)
        count++;
    return count;
}

static bool reserve(bgpvpn_engine *e, neighbor *n, const batch *b)
{
    if (b->table == BGPVPN_TABLE_TARGETS && !bgpvpn__targets_reserve(e, n, count_prefixes(b)))
        return false;
    const bool vpn = bgpvpn__table_safi(b->table) == BGPVPN_SAFI_VPN;
    return bgpvpn__rib_reserve(e, b->table, count_prefixes(b)) &&
           (!vpn || hold_rds(e, b, b->len, true));
}

/* Memory is there: what may still be refused is refused by a limit. */
static void announce_batch(bgpvpn_engine *e, const conn *c, const batch *b)
{
    neighbor *n = c->neighbor;
    const bool vpn = bgpvpn__table_safi(b->table) == BGPVPN_SAFI_VPN;
    size_t it = 0;
    bgpvpn_nlri nlri;
    while (bgpvpn_nlri_next(b->table, 0, b->bytes, b->len, &it, &nlri) == BGPVPN_YES) {
        n->info.prefixes_in++;
        if (bgpvpn__rib_set(e, b->table, vpn ? nlri.rd : NULL, &nlri.prefix, n->index, b->attrs,
                            nlri.label) != BGPVPN_OK)
            refuse(e, c);
    }
    if (vpn)
        (void)hold_rds(e, b, b->len, false);
}

/* The routes of one family that the UPDATE brings: in, or, refused for some reason, out. */
static bgpvpn_rc take_batch(bgpvpn_engine *e, const conn *c, batch *b, size_t canonical,
                            uint64_t *refused)
{
    neighbor *n = c->neighbor;
    if (!(c->tables & b->table)) {
        n->info.ignored += count_prefixes(b);
        return BGPVPN_OK;
    }
    if (!refused && !next_hop_ok(c, &b->next_hop))
        refused = &n->info.bad_next_hop;
    if (refused) {
        withdraw_batch(e, n, b, refused);
        return BGPVPN_OK;
    }
    bgpvpn_rc rc = bgpvpn__attrs_get(e, e->scratch, canonical, &b->next_hop, &b->attrs);
    if (rc == BGPVPN_ERR_LIMIT) {
        uint64_t count = 0;
        withdraw_batch(e, n, b, &count);
        n->info.refused += count - 1;
        refuse(e, c);
        return BGPVPN_OK;
    }
    if (rc == BGPVPN_OK && !reserve(e, n, b))
        rc = BGPVPN_ERR_NOMEM;
    else if (rc == BGPVPN_OK)
        announce_batch(e, c, b);
    if (b->attrs)
        bgpvpn__attrs_put(e, b->attrs);
    return rc;
}

static void take_withdrawal(bgpvpn_engine *e, const conn *c, uint32_t table, const uint8_t *bytes,
                            size_t len)
{
    const batch b = {.table = table, .withdraw = true, .bytes = bytes, .len = len};
    neighbor *n = c->neighbor;
    if (len == 0 || table == 0)
        return;
    if (c->tables & table)
        withdraw_batch(e, n, &b, &n->info.withdraws_in);
    else
        n->info.ignored += count_prefixes(&b);
}

static bgpvpn_rc take_routes(bgpvpn_engine *e, const conn *c, bgpvpn_update *u)
{
    neighbor *n = c->neighbor;
    const uint32_t table = u->reach_afi ? bgpvpn__table(u->reach_afi, u->reach_safi) : 0;
    batch mp = {.table = table, .bytes = u->reach, .len = table ? u->reach_len : 0};
    batch plain = {.table = BGPVPN_TABLE_IPV4, .bytes = u->nlri, .len = u->nlri_len};
    if (mp.len > 0)
        read_next_hop(u, table, &mp.next_hop);
    plain.next_hop.family = BGPVPN_FAMILY_IPV4;
    wire_set_u32(plain.next_hop.bytes, u->next_hop);

    size_t canonical = 0;
    uint64_t *refused = NULL;
    if (u->treat == BGPVPN_TREAT_WITHDRAW) {
        refused = &n->info.withdraws_in;
    } else {
        canonical = bgpvpn__attrs_canonical(e, u);
        size_t it = 0;
        bgpvpn_attribute a = {0};
        while (bgpvpn_attribute_next(e->scratch, canonical, &it, &a) == BGPVPN_YES &&
               a.type != BGPVPN_ATTR_AS_PATH)
            continue;
        if (canonical == 0 || !first_as_ok(e, n, a.value, a.len)) {
            u->treat = BGPVPN_TREAT_WITHDRAW;
            u->fault = BGPVPN_ATTR_AS_PATH;
            refused = &n->info.withdraws_in;
        } else {
            (void)is_welcome(e, c, u, a.value, a.len, &refused);
        }
    }
    bgpvpn_rc rc = BGPVPN_OK;
    if (mp.len > 0)
        rc = take_batch(e, c, &mp, canonical, refused);
    if (rc == BGPVPN_OK && plain.len > 0)
        rc = take_batch(e, c, &plain, canonical, refused);
    return rc;
}

/* The last thing that is done: it may end the session. */
static void count_routes(bgpvpn_engine *e, conn *c)
{
    for (uint32_t i = 0; i < TABLES && c->state == BGPVPN_STATE_ESTABLISHED; i++)
        if (c->tables >> i & 1)
            bgpvpn__session_count(e, c, UINT32_C(1) << i);
}

bgpvpn_rc bgpvpn__receive_update(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len)
{
    neighbor *n = c->neighbor;
    const uint8_t as_size = c->capabilities & BGPVPN_CAPABLE_AS4 ? 4 : 2;
    bgpvpn_update u;
    uint32_t table;
    const bgpvpn_rc bad =
        bgpvpn_update_decode(msg, len, as_size, n->cfg.remote_as != e->cfg.local_as, &u);
    if (bad != BGPVPN_OK) {
        bgpvpn__session_fault(e, c, bad, NULL, 0);
        return BGPVPN_OK;
    }
    if (bgpvpn_update_end_of_rib(&u, &table) == BGPVPN_YES) {
        if (c->tables & table) {
            tell(e, c, BGPVPN_EVENT_END_OF_RIB, table, 0);
            bgpvpn__restart_end_of_rib(e, n, table);
            if (table == BGPVPN_TABLE_TARGETS)
                bgpvpn__targets_open(e, n);
        }
        return BGPVPN_OK;
    }
    /* Withdrawals cannot fail, and do no harm when the message has to come again. */
    take_withdrawal(e, c, BGPVPN_TABLE_IPV4, u.withdrawn, u.withdrawn_len);
    take_withdrawal(e, c, u.unreach_afi ? bgpvpn__table(u.unreach_afi, u.unreach_safi) : 0,
                    u.unreach, u.unreach_len);
    if (u.nlri_len > 0 || u.reach_len > 0) {
        const bgpvpn_rc rc = take_routes(e, c, &u);
        if (rc != BGPVPN_OK)
            return rc;
    }
    n->info.treated_withdraw += u.treat == BGPVPN_TREAT_WITHDRAW;
    n->info.treated_discard += u.treat == BGPVPN_TREAT_DISCARD;
    if (u.treat != BGPVPN_TREAT_NORMAL)
        tell(e, c, BGPVPN_EVENT_FAULT, u.treat, u.fault);
    count_routes(e, c);
    return BGPVPN_OK;
}
