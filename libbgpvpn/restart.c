/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Graceful restart (RFC 4724, RFC 8538), in both roles.
 *
 * The peer restarts: its routes are marked and stay, as good as others, until it has announced them
 * again and sent End-of-RIB, or a timer ends that. We restart: peers are heard, but no route is
 * chosen until all of them have sent End-of-RIB, or a timer ends that.
 *
 * Timers of a neighbour:
 *   restart_at   the peer's Restart Time is over, and it is not back.
 *   stale_at     the stale timer: kept, or marked by a refresh, for too long.
 * Of the engine: defer_at, the Selection_Deferral_Timer.
 */
#include "engine.h"

enum { CODE_CEASE = 6, CEASE_LAST_HARD = 4, CEASE_HARD_RESET = 9 };

#define MS_PER_S UINT64_C(1000)

bool bgpvpn__restart_offer(const bgpvpn_engine *e, const conn *c, uint8_t buf[RESTART_LEN],
                           bgpvpn_capability *out)
{
    const neighbor *n = c->neighbor;
    if (!n || n->cfg.stale_time_s == 0)
        return false;
    bgpvpn_restart r = {.time_s = (uint16_t)e->cfg.restart_time_s,
                        .flags = BGPVPN_RESTART_NOTIFICATION};
    /* RFC 4724 4.1 */
    if (e->deferring)
        r.flags |= BGPVPN_RESTART_RESTARTED;
    if (n->cfg.flags & BGPVPN_NEIGHBOR_PRESERVES)
        r.tables = n->cfg.tables;
    /* RFC 8538 4: a session that ended did not end forwarding. */
    if (e->cfg.restarted || n->was_up)
        r.preserved = r.tables;
    size_t len = 0;
    (void)bgpvpn_restart_encode(&r, buf, RESTART_LEN, &len);
    out->value = buf;
    out->len = len;
    out->code = BGPVPN_CAPABILITY_GRACEFUL_RESTART;
    out->reserved = 0;
    return true;
}

bool bgpvpn__restart_read(const neighbor *n, const bgpvpn_open *open, bgpvpn_restart *out)
{
    bgpvpn_capability cap;
    size_t it = 0;
    bool found = false;
    memset(out, 0, sizeof(*out));
    if (n->cfg.stale_time_s == 0)
        return false;
    /* RFC 4724 3: of several the last one counts. */
    while (bgpvpn_capability_next(open, &it, &cap) == BGPVPN_YES)
        if (cap.code == BGPVPN_CAPABILITY_GRACEFUL_RESTART &&
            bgpvpn_restart_decode(&cap, out) == BGPVPN_OK)
            found = true;
    return found;
}

bool bgpvpn__restart_is_soft(const conn *c, uint8_t code, uint8_t subcode)
{
    /* RFC 8538 4, 5.1 */
    return c->graceful && (c->restart.flags & BGPVPN_RESTART_NOTIFICATION) &&
           !(code == CODE_CEASE && (subcode <= CEASE_LAST_HARD || subcode == CEASE_HARD_RESET));
}

bool bgpvpn__restart_is_hard(const conn *c, uint8_t subcode)
{
    /* RFC 8538 3.1; where neither side keeps a family the plain Cease says more. */
    const bool kept =
        c->neighbor && (c->restart.tables || (c->neighbor->cfg.flags & BGPVPN_NEIGHBOR_PRESERVES));
    return kept && c->state == BGPVPN_STATE_ESTABLISHED && c->graceful &&
           (c->restart.flags & BGPVPN_RESTART_NOTIFICATION) &&
           !bgpvpn__restart_is_soft(c, CODE_CEASE, subcode);
}

static void tell(bgpvpn_engine *e, const neighbor *n, uint32_t kind, uint32_t tables)
{
    bgpvpn_event ev = {.kind = kind, .id = n->id, .number = tables, .address = n->cfg.address};
    bgpvpn__emit(e, &ev);
}

/* Ends what is kept of the tables: what was not announced again goes. */
static void release(bgpvpn_engine *e, neighbor *n, uint32_t tables)
{
    bgpvpn__rib_sweep(e, n, tables);
    if (n->stale & tables)
        tell(e, n, BGPVPN_EVENT_STALE_OVER, n->stale & tables);
    n->stale &= ~tables;
    bool refreshing = false;
    for (int i = 0; i < TABLES; i++)
        refreshing |= n->families[i].refreshing;
    if (!n->stale)
        n->restart_at = BGPVPN_NEVER;
    if (!n->stale && !refreshing)
        n->stale_at = BGPVPN_NEVER;
    bgpvpn__neighbor_arm(e, n);
}

void bgpvpn__restart_left(bgpvpn_engine *e, neighbor *n, const conn *c, bool soft)
{
    const uint32_t kept = soft && c->graceful && !n->shutdown ? c->restart.tables & c->tables : 0;
    /* RFC 8538 4.1: without the N bit what was stale already goes. */
    if (!(c->restart.flags & BGPVPN_RESTART_NOTIFICATION))
        bgpvpn__rib_sweep(e, n, kept);
    bgpvpn__rib_mark(n, ALL_TABLES);
    n->stale |= kept;
    for (int i = 0; i < TABLES; i++)
        n->families[i].refreshing = false;
    release(e, n, ALL_TABLES & ~kept);
    if (!kept)
        return;
    n->restart_at = e->now_ms + c->restart.time_s * MS_PER_S;
    /* The upper bound holds over several restarts. */
    if (n->stale_at == BGPVPN_NEVER)
        n->stale_at = e->now_ms + n->cfg.stale_time_s * MS_PER_S;
    bgpvpn__neighbor_arm(e, n);
    tell(e, n, BGPVPN_EVENT_STALE, kept);
}

void bgpvpn__restart_up(bgpvpn_engine *e, neighbor *n, const conn *c)
{
    n->was_up = true;
    n->eor_seen = 0;
    n->restart_at = BGPVPN_NEVER;
    /* RFC 4724 4.2: what its forwarding has not kept goes at once. */
    const uint32_t lost = n->stale & ~(c->restart.preserved & c->tables);
    if (lost)
        release(e, n, lost);
    bgpvpn__neighbor_arm(e, n);
    bgpvpn__restart_select(e);
}

void bgpvpn__restart_end_of_rib(bgpvpn_engine *e, neighbor *n, uint32_t table)
{
    n->eor_seen |= table;
    if (n->stale & table)
        release(e, n, table);
    bgpvpn__restart_select(e);
}

void bgpvpn__restart_forget(bgpvpn_engine *e, neighbor *n)
{
    if (n->stale)
        release(e, n, n->stale);
}

void bgpvpn__restart_due(bgpvpn_engine *e, neighbor *n)
{
    uint32_t over = n->stale;
    if (n->stale_at <= e->now_ms) {
        n->stale_at = BGPVPN_NEVER;
        for (int i = 0; i < TABLES; i++)
            over |= n->families[i].refreshing ? UINT32_C(1) << i : 0;
    }
    release(e, n, over);
}

/* Whether nothing more is to be waited for from a neighbour. */
static bool has_told_all(const neighbor *n)
{
    if (n->shutdown || n->removing)
        return true;
    /* RFC 4724 4.1: who has restarted too, or does not say when it is done, is not waited for. */
    return n->up && (!n->up->graceful || (n->up->restart.flags & BGPVPN_RESTART_RESTARTED) ||
                     (n->eor_seen & n->up->tables) == n->up->tables);
}

void bgpvpn__restart_select(bgpvpn_engine *e)
{
    if (!e->deferring)
        return;
    if (e->now_ms < e->defer_at)
        for (const neighbor *n = e->neighbors; n; n = n->next)
            if (!has_told_all(n))
                return;
    e->deferring = false;
    e->defer_at = BGPVPN_NEVER;
    e->quiet = false;
    bgpvpn__groups_selected(e);
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_SELECTED};
    bgpvpn__emit(e, &ev);
}
