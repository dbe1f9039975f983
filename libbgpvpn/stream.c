/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Streams: bytes in, bytes out.
 */
#include "engine.h"

enum { NOTIFICATION_FIXED = 21 };

static conn *conn_find(const bgpvpn_engine *e, uint64_t stream)
{
    map_node *node = map_first(&e->conns_by_id, stream);
    return node ? CONTAINER_OF(node, conn, node) : NULL;
}

bgpvpn_rc bgpvpn__conn_new(bgpvpn_engine *e, const bgpvpn_addr *peer, uint8_t incoming, conn **out)
{
    conn *c = alloc_zero(&e->alloc, sizeof(*c));
    if (!c)
        return BGPVPN_ERR_NOMEM;
    if (!heap_join(&e->timers, &e->alloc, &c->timer.node)) {
        alloc_free(&e->alloc, c);
        return BGPVPN_ERR_NOMEM;
    }
    c->timer.owner = TIMER_CONN;
    c->id = e->next_id++;
    c->peer = *peer;
    c->incoming = incoming;
    c->up = incoming;
    c->rx = c->small[0];
    c->tx = c->small[1];
    c->hold_at = c->keepalive_at = c->close_at = c->ask_at = BGPVPN_NEVER;
    c->delay_at = c->send_hold_at = BGPVPN_NEVER;
    map_insert(&e->conns_by_id, &e->alloc, &c->node, c->id);
    c->next = e->conns;
    if (e->conns)
        e->conns->prev = c;
    e->conns = c;
    e->conn_count++;
    *out = c;
    return BGPVPN_OK;
}

void bgpvpn__conn_attach(conn *c, neighbor *n)
{
    c->neighbor = n;
    c->neighbor_id = n->id;
    if (c->incoming)
        n->in = c;
    else
        n->out = c;
}

void bgpvpn__conn_ready(bgpvpn_engine *e, conn *c)
{
    if (c->ready_link)
        return;
    c->ready_next = NULL;
    c->ready_link = e->ready_end;
    *e->ready_end = c;
    e->ready_end = &c->ready_next;
}

static void rests(bgpvpn_engine *e, conn *c)
{
    if (!c->ready_link)
        return;
    *c->ready_link = c->ready_next;
    if (c->ready_next)
        c->ready_next->ready_link = c->ready_link;
    else
        e->ready_end = c->ready_link;
    c->ready_link = NULL;
}

void bgpvpn__conn_free(bgpvpn_engine *e, conn *c)
{
    rests(e, c);
    if (c->ask_id)
        e->asks--;
    e->closed_count -= c->closed;
    heap_leave(&e->timers, &c->timer.node);
    map_remove(&e->conns_by_id, &c->node);
    if (e->turn == c)
        e->turn = c->next;
    if (c->prev)
        c->prev->next = c->next;
    else
        e->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    e->conn_count--;
    alloc_free(&e->alloc, c->large);
    alloc_free(&e->alloc, c);
}

bool bgpvpn__conn_extend(bgpvpn_engine *e, conn *c)
{
    if (c->large)
        return true;
    if (!bgpvpn__scratch_reserve(e, SCRATCH_EXTENDED))
        return false;
    uint8_t *large = alloc_array(&e->alloc, 2, BGPVPN_EXTENDED_MAX);
    if (!large)
        return false;
    /* Both may hold what is not done with. */
    memcpy(large, c->rx, c->rx_len);
    memcpy(large + BGPVPN_EXTENDED_MAX, c->tx, c->tx_len);
    c->large = large;
    c->rx = large;
    c->tx = large + BGPVPN_EXTENDED_MAX;
    c->extended = true;
    return true;
}

void bgpvpn__conn_close(bgpvpn_engine *e, conn *c)
{
    if (c->closed)
        return;
    c->closed = true;
    c->closing = c->send_notification = false;
    c->close_at = c->ask_at = BGPVPN_NEVER;
    e->closed_count++;
    bgpvpn__conn_arm(e, c);
}

void bgpvpn__conn_arm(bgpvpn_engine *e, conn *c)
{
    uint64_t at = c->hold_at;
    at = c->keepalive_at < at ? c->keepalive_at : at;
    at = c->close_at < at ? c->close_at : at;
    at = c->ask_at < at ? c->ask_at : at;
    at = c->delay_at < at ? c->delay_at : at;
    at = c->send_hold_at < at ? c->send_hold_at : at;
    heap_set(&e->timers, &c->timer.node, at);
}

/* ---- Requests ---- */

static bool addr_ok(const bgpvpn_addr *a)
{
    return a->family == BGPVPN_FAMILY_IPV4 || a->family == BGPVPN_FAMILY_IPV6;
}

static bgpvpn_rc ask_accept(bgpvpn_engine *e, const bgpvpn_addr *local, const bgpvpn_addr *peer,
                            uint64_t *stream)
{
    conn *c;
    if (e->cfg.accept != BGPVPN_ACCEPT_ASK)
        return BGPVPN_ERR_ABSENT;
    if (e->asks >= e->cfg.max_asks)
        return BGPVPN_ERR_LIMIT;
    const bgpvpn_rc rc = bgpvpn__conn_new(e, peer, 1, &c);
    if (rc != BGPVPN_OK)
        return rc;
    c->local = *local;
    c->ask_id = e->next_id++;
    c->ask_at = e->now_ms + e->cfg.ask_timeout_ms;
    e->asks++;
    bgpvpn__conn_arm(e, c);
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_ASK_ACCEPT, .parent_id = c->id, .ask_id = c->ask_id};
    ev.address = *peer;
    bgpvpn__emit(e, &ev);
    *stream = c->id;
    return BGPVPN_OK;
}

static void tell_neighbor(bgpvpn_engine *e, const conn *c)
{
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_NEIGHBOR, .id = c->neighbor_id, .parent_id = c->id};
    ev.address = c->peer;
    bgpvpn__emit(e, &ev);
}

/*
 * RFC 4724 5: a peer that restarts gracefully and dials again has lost its session. One that has
 * just come up may be one of two that were dialled at once, which is a collision.
 */
static bool has_come_anew(const bgpvpn_engine *e, const neighbor *n)
{
    return n->up->graceful && n->up->restart.tables != 0 &&
           e->now_ms - n->established_ms >= COLLISION_MS;
}

bgpvpn_rc bgpvpn_engine_accept(bgpvpn_engine *e, uint64_t now_ms, const bgpvpn_addr *local,
                               const bgpvpn_addr *peer, uint64_t *stream)
{
    if (!e || !local || !peer || !stream || !addr_ok(local) || !addr_ok(peer))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    if (!bgpvpn__events_ok(e))
        return BGPVPN_ERR_LIMIT;
    neighbor *n = bgpvpn__neighbor_by_addr(e, peer);
    if (n && n->up && has_come_anew(e, n)) {
        bgpvpn__session_end(e, n->up, BGPVPN_REASON_STREAM);
        n = bgpvpn__neighbor_by_addr(e, peer); /* a dynamic one may have gone */
        if (n)
            n->rest = BGPVPN_STATE_ACTIVE;
    }
    const range *r = n ? NULL : bgpvpn__range_match(e, peer);
    if (!n && !r)
        return ask_accept(e, local, peer, stream);
    /* RFC 4271 8.2.2: Idle refuses; and one connection of each direction is enough. */
    if (n && (n->shutdown || n->rest == BGPVPN_STATE_IDLE || n->in))
        return BGPVPN_ERR_STATE;

    conn *c;
    bgpvpn_rc rc = bgpvpn__conn_new(e, peer, 1, &c);
    if (rc != BGPVPN_OK)
        return rc;
    if (!n) {
        rc = bgpvpn__neighbor_new(e, &r->cfg, peer, true, &n);
        if (rc != BGPVPN_OK) {
            bgpvpn__conn_free(e, c);
            return rc;
        }
    }
    c->local = *local;
    bgpvpn__conn_attach(c, n);
    if (r)
        tell_neighbor(e, c);
    bgpvpn__session_open(e, c);
    *stream = c->id;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_answer_accept(bgpvpn_engine *e, uint64_t now_ms, uint64_t ask_id,
                                      const bgpvpn_neighbor_config *cfg)
{
    bgpvpn_neighbor_config ours;
    if (!e || (cfg && !bgpvpn__neighbor_config_read(cfg, &ours)))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    conn *c = e->conns;
    while (c && (c->ask_id != ask_id || c->closed))
        c = c->next;
    if (!c || ask_id == 0)
        return BGPVPN_ERR_ABSENT;
    if (!bgpvpn__events_ok(e))
        return BGPVPN_ERR_LIMIT;
    if (!cfg) {
        bgpvpn__session_deny(e, c);
        return BGPVPN_OK;
    }
    neighbor *n = bgpvpn__neighbor_by_addr(e, &c->peer);
    /* It may have been configured, and even shut down, since the question. */
    if (n && (n->shutdown || n->rest == BGPVPN_STATE_IDLE || n->in))
        return BGPVPN_ERR_STATE;
    if (!n) {
        const bgpvpn_rc rc = bgpvpn__neighbor_new(e, &ours, &c->peer, true, &n);
        if (rc != BGPVPN_OK)
            return rc;
    }
    c->ask_id = 0;
    c->ask_at = BGPVPN_NEVER;
    e->asks--;
    bgpvpn__conn_attach(c, n);
    tell_neighbor(e, c);
    bgpvpn__session_open(e, c);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_stream_up(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream,
                                  const bgpvpn_addr *local)
{
    if (!e || !local || !addr_ok(local))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    conn *c = conn_find(e, stream);
    if (!c)
        return BGPVPN_ERR_ABSENT;
    if (c->up || c->closed)
        return BGPVPN_ERR_STATE;
    c->up = 1;
    c->local = *local;
    bgpvpn__session_open(e, c);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_stream_down(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__stir(e, now_ms);
    conn *c = conn_find(e, stream);
    if (!c)
        return BGPVPN_ERR_ABSENT;
    if (!bgpvpn__events_ok(e))
        return BGPVPN_ERR_LIMIT;
    if (c->neighbor)
        bgpvpn__session_end(e, c, BGPVPN_REASON_STREAM);
    bgpvpn__conn_free(e, c);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_set_credit(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream,
                                   uint64_t bytes)
{
    if (!e)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    conn *c = conn_find(e, stream);
    if (!c)
        return BGPVPN_ERR_ABSENT;
    c->credit = bytes;
    if (bytes > 0)
        bgpvpn__conn_ready(e, c);
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_get_stream(const bgpvpn_engine *e, uint64_t stream, bgpvpn_stream_info *out)
{
    if (!e || !out || !bgpvpn__size_known(out->struct_size, sizeof(*out)))
        return BGPVPN_ERR_ARG;
    const conn *c = conn_find(e, stream);
    if (!c)
        return BGPVPN_ERR_ABSENT;
    bgpvpn_stream_info info = {.struct_size = sizeof(info), .incoming = c->incoming};
    info.neighbor = c->neighbor_id;
    info.cookie = c->neighbor ? c->neighbor->cfg.cookie : 0;
    info.peer = c->peer;
    info.local = c->local;
    (void)versioned_write(out, &info, sizeof(info), sizeof(info));
    return BGPVPN_OK;
}

/* ---- Input ---- */

/* RFC 4271 6.1: a bad length or type is quoted. */
static void bad_header(bgpvpn_engine *e, conn *c, bgpvpn_rc why, const uint8_t *header)
{
    const uint8_t *data = header + BGPVPN_MARKER_LEN;
    if (why == BGPVPN_ERR_LENGTH)
        bgpvpn__session_fault(e, c, why, data, 2);
    else if (why == BGPVPN_ERR_TYPE)
        bgpvpn__session_fault(e, c, why, data + 2, 1);
    else
        bgpvpn__session_fault(e, c, why, NULL, 0);
}

/* RFC 8654 5: who did not announce it takes no longer message. */
static bgpvpn_rc read_header(const conn *c, const uint8_t *buf, size_t len, bgpvpn_header *h)
{
    return c->extended ? bgpvpn_extended_header_decode(buf, len, h)
                       : bgpvpn_header_decode(buf, len, h);
}

/*
 * Takes bytes until a message is complete and handled: the number taken, less than there are only
 * after that. NOMEM: the bytes of that message that came with this call are not taken.
 */
static bgpvpn_rc take_message(bgpvpn_engine *e, conn *c, const uint8_t *buf, size_t len,
                              size_t *taken)
{
    bgpvpn_header h;
    const uint16_t before = c->rx_len;
    if (before == 0 && read_header(c, buf, len, &h) == BGPVPN_OK && h.length <= len) {
        const bgpvpn_rc rc = bgpvpn__session_message(e, c, buf, h.length);
        *taken = rc == BGPVPN_OK ? h.length : 0;
        return rc;
    }
    size_t used = 0;
    size_t want = BGPVPN_HEADER_LEN;
    while (used < len) {
        if (read_header(c, c->rx, c->rx_len, &h) == BGPVPN_OK)
            want = h.length;
        const size_t n = want - c->rx_len < len - used ? want - c->rx_len : len - used;
        memcpy(c->rx + c->rx_len, buf + used, n);
        c->rx_len = (uint16_t)(c->rx_len + n);
        used += n;
        const bgpvpn_rc bad = read_header(c, c->rx, c->rx_len, &h);
        if (bad == BGPVPN_ERR_TRUNCATED || (bad == BGPVPN_OK && c->rx_len < h.length))
            continue;
        if (bad != BGPVPN_OK) {
            bad_header(e, c, bad, c->rx);
            break;
        }
        const bgpvpn_rc rc = bgpvpn__session_message(e, c, c->rx, c->rx_len);
        if (rc != BGPVPN_OK) {
            c->rx_len = before;
            *taken = 0;
            return rc;
        }
        c->rx_len = 0;
        break;
    }
    *taken = used;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_input(bgpvpn_engine *e, uint64_t now_ms, uint64_t stream,
                              const uint8_t *buf, size_t len, size_t *consumed)
{
    if (!e || !consumed || (!buf && len > 0))
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    conn *c = conn_find(e, stream);
    if (!c)
        return BGPVPN_ERR_ABSENT;
    if (!c->up && !c->closed)
        return BGPVPN_ERR_STATE;
    bgpvpn__conn_ready(e, c);
    size_t used = 0;
    while (used < len && !c->closing && !c->closed && c->neighbor && bgpvpn__events_ok(e)) {
        size_t taken = 0;
        const bgpvpn_rc rc = take_message(e, c, buf + used, len - used, &taken);
        if (rc != BGPVPN_OK) {
            *consumed = used;
            return rc;
        }
        used += taken;
    }
    /* Who is being closed is not listened to any more. */
    *consumed = c->closing || c->closed ? len : used;
    return BGPVPN_OK;
}

/* ---- Output ---- */

static void count_sent(const conn *c, uint8_t type)
{
    if (!c->neighbor)
        return;
    c->neighbor->info.sent[type]++;
    c->neighbor->info.sent[0]++;
}

static size_t make_open(const bgpvpn_engine *e, conn *c)
{
    uint8_t restart[RESTART_LEN];
    bgpvpn_capability more;
    bgpvpn_open open = {.as = e->cfg.local_as, .router_id = e->cfg.router_id};
    size_t len = 0;
    open.capabilities = BGPVPN_CAPABLE_MULTIPROTOCOL | BGPVPN_CAPABLE_REFRESH | BGPVPN_CAPABLE_AS4;
    if (c->neighbor) {
        open.hold_time_s = (uint16_t)c->neighbor->cfg.hold_time_s;
        open.tables = c->neighbor->cfg.tables;
        if (!(c->neighbor->cfg.flags & BGPVPN_NEIGHBOR_PLAIN_REFRESH))
            open.capabilities |= BGPVPN_CAPABLE_ENHANCED_REFRESH;
        if (c->neighbor->cfg.flags & BGPVPN_NEIGHBOR_EXTENDED)
            open.capabilities |= BGPVPN_CAPABLE_EXTENDED_MESSAGE;
    }
    const size_t count = bgpvpn__restart_offer(e, c, restart, &more) ? 1 : 0;
    (void)bgpvpn_open_encode_with(&open, &more, count, c->tx, BGPVPN_MESSAGE_MAX, &len);
    return len;
}

/* Takes one table out of a mask. */
static uint32_t take_table(uint32_t *tables)
{
    const uint32_t table = *tables & (~*tables + 1);
    *tables &= ~table;
    return table;
}

static size_t make_refresh(conn *c, uint32_t *tables, uint8_t subtype)
{
    const uint32_t table = take_table(tables);
    const bgpvpn_refresh r = {bgpvpn__table_afi(table), subtype, bgpvpn__table_safi(table)};
    size_t len = 0;
    (void)bgpvpn_refresh_encode(&r, c->tx, BGPVPN_MESSAGE_MAX, &len);
    return len;
}

/* Puts the next message into c->tx; OK without one when there is none. */
static bgpvpn_rc next_message(bgpvpn_engine *e, conn *c, uint32_t *budget)
{
    size_t len = 0;
    bgpvpn_rc rc = BGPVPN_OK;
    uint8_t type = BGPVPN_MESSAGE_UPDATE;
    if (c->send_open) {
        c->send_open = false;
        type = BGPVPN_MESSAGE_OPEN;
        len = make_open(e, c);
    } else if (c->send_notification) {
        c->send_notification = false;
        const bgpvpn_notification n = {c->data, c->data_len, c->code, c->subcode};
        type = BGPVPN_MESSAGE_NOTIFICATION;
        (void)bgpvpn_notification_encode(&n, c->tx, NOTIFICATION_FIXED + sizeof(c->data), &len);
    } else if (c->send_keepalive) {
        c->send_keepalive = false;
        type = BGPVPN_MESSAGE_KEEPALIVE;
        (void)bgpvpn_keepalive_encode(c->tx, BGPVPN_MESSAGE_MAX, &len);
    } else if (c->send_refresh) {
        type = BGPVPN_MESSAGE_REFRESH;
        len = make_refresh(c, &c->send_refresh, REFRESH_REQUEST);
    } else if (c->send_begin) {
        type = BGPVPN_MESSAGE_REFRESH;
        len = make_refresh(c, &c->send_begin, REFRESH_BEGIN);
    } else if (c->state == BGPVPN_STATE_ESTABLISHED) {
        if (!c->send_eor && !c->send_end)
            rc = bgpvpn__group_next(e, c->neighbor, c->tx, budget, &len);
        if (rc == BGPVPN_OK && len == 0 && c->send_eor) {
            len = bgpvpn__encode_end_of_rib(take_table(&c->send_eor), c->tx);
        } else if (rc == BGPVPN_OK && len == 0 && c->send_end) {
            type = BGPVPN_MESSAGE_REFRESH;
            len = make_refresh(c, &c->send_end, REFRESH_END);
        }
    }
    if (len > 0 && type != BGPVPN_MESSAGE_NOTIFICATION)
        count_sent(c, type);
    c->tx_len = (uint16_t)len;
    c->tx_at = 0;
    return rc;
}

static bgpvpn_rc fill(bgpvpn_engine *e, conn *c, uint8_t *buf, size_t cap, uint32_t *budget,
                      size_t *len)
{
    size_t used = 0;
    bgpvpn_rc rc = BGPVPN_OK;
    while (used < cap) {
        if (c->tx_at == c->tx_len) {
            rc = next_message(e, c, budget);
            if (c->tx_len == 0)
                break;
        }
        const size_t left = (size_t)(c->tx_len - c->tx_at);
        const size_t n = left < cap - used ? left : cap - used;
        memcpy(buf + used, c->tx + c->tx_at, n);
        c->tx_at = (uint16_t)(c->tx_at + n);
        used += n;
        if (c->tx_at == c->tx_len)
            bgpvpn__session_sent(e, c);
        if (c->tx_at == c->tx_len && c->closing && !c->send_open && !c->send_notification) {
            bgpvpn__conn_close(e, c);
            break;
        }
    }
    *len = used;
    return used > 0 ? BGPVPN_OK : rc;
}

/* What one connection has to send: YES, OK for nothing. */
static bgpvpn_rc poll_conn(bgpvpn_engine *e, conn *c, uint8_t *buf, size_t cap, uint32_t *budget,
                           bgpvpn_output *out)
{
    if (!c->up || c->closed || c->credit == 0)
        return BGPVPN_OK;
    size_t len = 0;
    const bgpvpn_rc rc = fill(e, c, buf, c->credit < cap ? (size_t)c->credit : cap, budget, &len);
    if (rc != BGPVPN_OK || len == 0)
        return rc;
    c->credit -= len;
    out->stream = c->id;
    out->len = len;
    return BGPVPN_YES;
}

static bgpvpn_rc poll_all(bgpvpn_engine *e, uint8_t *buf, size_t cap, uint32_t *budget,
                          bgpvpn_output *out)
{
    bgpvpn_rc rc = BGPVPN_OK;
    for (uint32_t i = e->conn_count; rc == BGPVPN_OK && i > 0 && *budget > 0; i--) {
        conn *c = e->turn ? e->turn : e->conns;
        e->turn = c->next;
        rc = poll_conn(e, c, buf, cap, budget, out);
    }
    return rc;
}

/* Each in its turn; who has nothing leaves the list. */
static bgpvpn_rc poll_ready(bgpvpn_engine *e, uint8_t *buf, size_t cap, uint32_t *budget,
                            bgpvpn_output *out)
{
    bgpvpn_rc rc = BGPVPN_OK;
    while (rc == BGPVPN_OK && e->ready && *budget > 0) {
        conn *c = e->ready;
        rests(e, c);
        rc = poll_conn(e, c, buf, cap, budget, out);
        if (rc != BGPVPN_OK)
            bgpvpn__conn_ready(e, c);
    }
    return rc;
}

bgpvpn_rc bgpvpn_engine_poll_output(bgpvpn_engine *e, uint64_t now_ms, uint8_t *buf, size_t cap,
                                    bgpvpn_output *out)
{
    if (!e || !buf || !out || cap == 0)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    uint32_t budget = e->cfg.max_work;
    e->busy = false;
    if (e->quiet && e->news && bgpvpn__groups_have_news(e, &budget))
        e->quiet = false;
    e->news = false;
    const bgpvpn_rc rc =
        e->quiet ? poll_ready(e, buf, cap, &budget, out) : poll_all(e, buf, cap, &budget, out);
    if (rc != BGPVPN_OK)
        return rc;
    if (budget == 0)
        e->busy = true;
    e->quiet = !e->busy;
    return BGPVPN_OK;
}
