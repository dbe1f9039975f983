/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The FSM (RFC 4271 8). A connection has the states from Connect on; Idle and Active are those of a
 * neighbour without one. A neighbour has two connections at most, one of each direction, until a
 * collision is resolved.
 *
 * Timers of a connection:
 *   hold_at       HoldTimer: the peer has been silent for too long. While waiting for its OPEN a
 *                 large value, then the negotiated one; restarted by KEEPALIVE and UPDATE.
 *   keepalive_at  KeepaliveTimer: time to say something; a third of the hold time, jittered.
 *   delay_at      DelayOpenTimer: TCP is there, and we wait for the peer's OPEN before our own.
 *   send_hold_at  SendHoldTimer (RFC 9687): no message could be handed out. Restarted by each one
 *                 without moving the timer, so it may run out too early, and is then set anew.
 *   ask_at        ASK_ACCEPT has not been answered.
 *   close_at      the last NOTIFICATION could not be handed out.
 * Of a neighbour: retry_at, its ConnectRetryTimer, and in Idle the pause before another start.
 */
#include "engine.h"

enum {
    CODE_OPEN = 2,
    OPEN_CAPABILITY = 7,
    CODE_HOLD_TIMER = 4,
    CODE_FSM = 5, /* RFC 6608: the subcode is 1 for OpenSent, 2 OpenConfirm, 3 Established */
    CODE_CEASE = 6,
    CODE_SEND_HOLD_TIMER = 8,
    CEASE_MAX_PREFIXES = 1,
    CEASE_REJECTED = 5,
    CEASE_COLLISION = 7,
    CEASE_RESOURCES = 8,
    CEASE_HARD_RESET = 9,
    KEEPALIVES_A_HOLD_TIME = 3,
    SEND_HOLD_MIN_S = 480, /* RFC 9687 6 */
    CEASE_MAX_PREFIXES_LEN = 7
};

#define MS_PER_S UINT64_C(1000)

static void set_state(conn *c, uint8_t state)
{
    static const uint8_t allowed[] = {
        [BGPVPN_STATE_IDLE] =
            1 << BGPVPN_STATE_CONNECT | 1 << BGPVPN_STATE_ACTIVE | 1 << BGPVPN_STATE_OPEN_SENT,
        [BGPVPN_STATE_CONNECT] = 1 << BGPVPN_STATE_IDLE | 1 << BGPVPN_STATE_OPEN_SENT,
        [BGPVPN_STATE_ACTIVE] = 1 << BGPVPN_STATE_IDLE | 1 << BGPVPN_STATE_OPEN_SENT,
        [BGPVPN_STATE_OPEN_SENT] = 1 << BGPVPN_STATE_IDLE | 1 << BGPVPN_STATE_OPEN_CONFIRM,
        [BGPVPN_STATE_OPEN_CONFIRM] = 1 << BGPVPN_STATE_IDLE | 1 << BGPVPN_STATE_ESTABLISHED,
        [BGPVPN_STATE_ESTABLISHED] = 1 << BGPVPN_STATE_IDLE,
    };
    if (allowed[c->state] >> state & 1)
        c->state = state;
}

uint8_t bgpvpn__neighbor_state(const neighbor *n)
{
    uint8_t state = n->rest;
    if (n->out && (n->out->state > state || n->out->state == BGPVPN_STATE_CONNECT))
        state = n->out->state;
    if (n->in && n->in->state > state)
        state = n->in->state;
    return state;
}

static void restart_hold(const bgpvpn_engine *e, conn *c)
{
    c->hold_at = c->hold_s ? e->now_ms + c->hold_s * MS_PER_S : BGPVPN_NEVER;
}

static void restart_keepalive(bgpvpn_engine *e, conn *c)
{
    const uint64_t period = c->hold_s * MS_PER_S / KEEPALIVES_A_HOLD_TIME;
    /* RFC 4271 10 */
    c->keepalive_at = c->hold_s ? e->now_ms + bgpvpn__jitter_ms(e, period) : BGPVPN_NEVER;
}

static void send_open(bgpvpn_engine *e, conn *c)
{
    set_state(c, BGPVPN_STATE_OPEN_SENT);
    c->delay_at = BGPVPN_NEVER;
    c->send_open = true;
    bgpvpn__conn_ready(e, c);
    c->hold_at = e->now_ms + e->cfg.open_timeout_s * MS_PER_S;
}

void bgpvpn__session_open(bgpvpn_engine *e, conn *c)
{
    /* With DelayOpen a connection waits in Connect or Active, by who dialled. */
    set_state(c, c->incoming ? BGPVPN_STATE_ACTIVE : BGPVPN_STATE_CONNECT);
    if (!c->up)
        return;
    if (c->neighbor->cfg.delay_open_s > 0)
        c->delay_at = e->now_ms + c->neighbor->cfg.delay_open_s * MS_PER_S;
    else
        send_open(e, c);
    bgpvpn__conn_arm(e, c);
}

/* RFC 9687 4.3 */
static void start_send_hold(const bgpvpn_engine *e, conn *c)
{
    const uint32_t set = c->neighbor->cfg.send_hold_time_s;
    uint64_t time_s = set;
    if (set == 0)
        time_s =
            c->hold_s * UINT64_C(2) > SEND_HOLD_MIN_S ? c->hold_s * UINT64_C(2) : SEND_HOLD_MIN_S;
    c->send_hold_ms = c->hold_s == 0 || set == UINT32_MAX ? 0 : time_s * MS_PER_S;
    c->send_hold_at = c->send_hold_ms ? e->now_ms + c->send_hold_ms : BGPVPN_NEVER;
}

void bgpvpn__session_sent(bgpvpn_engine *e, conn *c)
{
    if (c->send_hold_ms)
        c->send_hold_at = e->now_ms + c->send_hold_ms;
}

static void report_end(bgpvpn_engine *e, const conn *c, uint32_t kind)
{
    bgpvpn_event ev = {.kind = kind, .reason = c->reason, .id = c->neighbor_id};
    ev.parent_id = c->id;
    ev.code = c->code;
    ev.subcode = c->subcode;
    ev.address = c->peer;
    bgpvpn__emit(e, &ev);
}

/* Routes of the session go step by step from here on, or are kept for its restart. */
static void leave_established(bgpvpn_engine *e, neighbor *n, const conn *c)
{
    /* RFC 4724 4.2, RFC 8538 4: after a NOTIFICATION only where both have said so. */
    const bool soft =
        c->reason == BGPVPN_REASON_STREAM || bgpvpn__restart_is_soft(c, c->code, c->subcode);
    bgpvpn__group_leave(e, n);
    n->up = NULL;
    bgpvpn__targets_end(e, n);
    bgpvpn__restart_left(e, n, c, soft);
    n->established_ms = 0;
    n->limit_told = false;
    for (int i = 0; i < TABLES; i++)
        n->families[i].many_told = n->families[i].max_told = false;
    n->info.resets++;
    e->established--;
}

/* The connection is done with: its neighbour is told, and rid of it. */
static void detach(bgpvpn_engine *e, conn *c, uint8_t reason)
{
    neighbor *n = c->neighbor;
    const uint8_t was = c->state;
    c->reason = reason;
    set_state(c, BGPVPN_STATE_IDLE);
    c->hold_at = c->keepalive_at = c->delay_at = c->send_hold_at = BGPVPN_NEVER;
    c->send_hold_ms = 0;
    c->send_open = c->send_keepalive = false;
    c->send_refresh = c->send_eor = c->send_begin = c->send_end = 0;
    if (!n)
        return;
    if (was != BGPVPN_STATE_CONNECT || c->up) {
        n->info.last_reason = reason;
        n->info.last_code = c->code;
        n->info.last_subcode = c->subcode;
    }
    if (was == BGPVPN_STATE_ESTABLISHED)
        report_end(e, c, BGPVPN_EVENT_DOWN);
    else
        report_end(e, c, BGPVPN_EVENT_FAILED);
    if (was == BGPVPN_STATE_ESTABLISHED)
        leave_established(e, n, c);
    if (n->out == c)
        n->out = NULL;
    if (n->in == c)
        n->in = NULL;
    c->neighbor = NULL;
    /* RFC 4271 8.2.2, event 18: TCP that fails before an OPEN was read leads to Active. */
    const bool no_tcp = was == BGPVPN_STATE_CONNECT && !c->up;
    bgpvpn__neighbor_rest(
        e, n, no_tcp || (was <= BGPVPN_STATE_OPEN_SENT && reason == BGPVPN_REASON_STREAM));
}

void bgpvpn__session_end(bgpvpn_engine *e, conn *c, uint8_t reason)
{
    detach(e, c, reason);
    bgpvpn__conn_close(e, c);
}

static void notify(bgpvpn_engine *e, conn *c, uint8_t code, uint8_t subcode, const uint8_t *data,
                   size_t len, uint8_t reason)
{
    if (c->closing || c->closed)
        return;
    c->code = code;
    c->subcode = subcode;
    /* RFC 4271 8.1.1: SendNOTIFICATIONwithoutOPEN is not set. */
    if (!c->up || c->delay_at != BGPVPN_NEVER) {
        bgpvpn__session_end(e, c, reason);
        return;
    }
    size_t head = 0;
    if (code == CODE_CEASE && bgpvpn__restart_is_hard(c, subcode)) {
        /* RFC 8538 3.1: the whole reason is the data. */
        c->subcode = CEASE_HARD_RESET;
        c->data[head++] = code;
        c->data[head++] = subcode;
    }
    const size_t room = sizeof(c->data) - head;
    c->data_len = (uint16_t)(head + (len > room ? room : len));
    if (c->data_len > head)
        memcpy(c->data + head, data, c->data_len - head);
    if (c->neighbor) {
        c->neighbor->info.sent[BGPVPN_MESSAGE_NOTIFICATION]++;
        c->neighbor->info.sent[0]++;
    }
    /* A peer that has not heard our OPEN yet hears it first. */
    const bool open_due = c->send_open;
    detach(e, c, reason);
    c->send_open = open_due;
    c->send_notification = true;
    bgpvpn__conn_ready(e, c);
    c->closing = true;
    c->close_at = e->now_ms + e->cfg.close_timeout_ms;
    bgpvpn__conn_arm(e, c);
}

void bgpvpn__session_notify(bgpvpn_engine *e, conn *c, uint8_t code, uint8_t subcode,
                            const uint8_t *data, size_t len)
{
    notify(e, c, code, subcode, data, len, BGPVPN_REASON_SENT);
}

void bgpvpn__session_fault(bgpvpn_engine *e, conn *c, bgpvpn_rc why, const uint8_t *data,
                           size_t len)
{
    uint8_t code = CODE_CEASE, subcode = CEASE_RESOURCES;
    (void)bgpvpn_rc_notification(why, &code, &subcode);
    bgpvpn__session_notify(e, c, code, subcode, data, len);
}

/* RFC 4486 4: the family and its upper bound are the data. */
static void end_over_limit(bgpvpn_engine *e, conn *c, uint32_t table)
{
    const neighbor *n = c->neighbor;
    uint8_t data[CEASE_MAX_PREFIXES_LEN] = {0, (uint8_t)bgpvpn__table_afi(table),
                                            bgpvpn__table_safi(table)};
    wire_set_u32(data + 3, n->cfg.max_prefixes);
    c->neighbor->over_limit = true;
    bgpvpn__session_notify(e, c, CODE_CEASE, CEASE_MAX_PREFIXES, data, sizeof(data));
}

void bgpvpn__session_count(bgpvpn_engine *e, conn *c, uint32_t table)
{
    neighbor *n = c->neighbor;
    family *f = &n->families[bgpvpn__table_index(table)];
    const uint32_t most = n->cfg.max_prefixes;
    if (most == 0)
        return;
    bgpvpn_event ev = {.id = c->neighbor_id, .parent_id = c->id, .number = table};
    ev.address = c->peer;
    const bool many =
        n->cfg.warn_percent > 0 && f->live * UINT64_C(100) >= most * (uint64_t)n->cfg.warn_percent;
    if (many && !f->many_told) {
        ev.kind = BGPVPN_EVENT_MANY_PREFIXES;
        bgpvpn__emit(e, &ev);
    }
    f->many_told = many;
    if (f->live > most && !f->max_told) {
        ev.kind = BGPVPN_EVENT_MAX_PREFIXES;
        bgpvpn__emit(e, &ev);
    }
    f->max_told = f->live > most;
    if (f->max_told && !(n->cfg.flags & BGPVPN_NEIGHBOR_WARN_ONLY))
        end_over_limit(e, c, table);
}

void bgpvpn__session_deny(bgpvpn_engine *e, conn *c)
{
    if (c->ask_id)
        e->asks--;
    c->ask_id = 0;
    c->ask_at = BGPVPN_NEVER;
    notify(e, c, CODE_CEASE, CEASE_REJECTED, NULL, 0, BGPVPN_REASON_DENIED);
}

/* ---- OPEN ---- */

/* RFC 4271 6.8, RFC 6286 2.3: whether the connection that the peer dialled stays. */
static bool incoming_wins(const bgpvpn_engine *e, const bgpvpn_open *open)
{
    if (open->router_id != e->cfg.router_id)
        return e->cfg.router_id < open->router_id;
    return e->cfg.local_as < open->as;
}

/*
 * RFC 4724 4.2: who has restarted has no other connection any more, unless that one too was dialled
 * after the restart.
 */
static bool has_lost(const bgpvpn_engine *e, const conn *old, const bgpvpn_open *open)
{
    const neighbor *n = old->neighbor;
    bgpvpn_restart restart;
    if (!bgpvpn__restart_read(n, open, &restart) || !(restart.flags & BGPVPN_RESTART_RESTARTED))
        return false;
    return !(old->restart.flags & BGPVPN_RESTART_RESTARTED) ||
           e->now_ms - n->established_ms >= COLLISION_MS;
}

/* True when the connection must give way to the other one. */
static bool loses_collision(bgpvpn_engine *e, conn *c, const bgpvpn_open *open)
{
    neighbor *n = c->neighbor;
    conn *other = c == n->in ? n->out : n->in;
    if (!other || other->state < BGPVPN_STATE_OPEN_CONFIRM)
        return false;
    if (other->state == BGPVPN_STATE_ESTABLISHED && has_lost(e, other, open)) {
        bgpvpn__session_end(e, other, BGPVPN_REASON_STREAM);
        return false;
    }
    if (other->state == BGPVPN_STATE_ESTABLISHED || incoming_wins(e, open) != (c->incoming != 0))
        return true;
    notify(e, other, CODE_CEASE, CEASE_COLLISION, NULL, 0, BGPVPN_REASON_COLLISION);
    return false;
}

static bgpvpn_rc check_open(const bgpvpn_engine *e, const neighbor *n, const bgpvpn_open *open)
{
    if (open->as != n->cfg.remote_as)
        return BGPVPN_ERR_PEER_AS;
    /* RFC 6286 2.2 */
    if (open->as == e->cfg.local_as && open->router_id == e->cfg.router_id)
        return BGPVPN_ERR_IDENTIFIER;
    if (open->hold_time_s < n->cfg.min_hold_time_s)
        return BGPVPN_ERR_HOLD_TIME;
    return open->tables & n->cfg.tables ? BGPVPN_OK : BGPVPN_ERR_CAPABILITY;
}

/* RFC 5492 3: the capability that we miss. */
static void refuse_families(bgpvpn_engine *e, conn *c)
{
    uint32_t table = BGPVPN_TABLE_LAST;
    while (!(c->neighbor->cfg.tables & table))
        table >>= 1;
    const uint8_t data[] = {
        1, 4, 0, (uint8_t)bgpvpn__table_afi(table), 0, bgpvpn__table_safi(table)};
    bgpvpn__session_notify(e, c, CODE_OPEN, OPEN_CAPABILITY, data, sizeof(data));
}

static bgpvpn_rc receive_open(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len)
{
    static const uint8_t version[] = {0, 4};
    neighbor *n = c->neighbor;
    bgpvpn_open open;
    bgpvpn_rc rc = bgpvpn_open_decode(msg, len, &open);
    if (rc == BGPVPN_OK)
        rc = check_open(e, n, &open);
    if (rc == BGPVPN_ERR_CAPABILITY) {
        refuse_families(e, c);
        return BGPVPN_OK;
    }
    if (rc != BGPVPN_OK) {
        /* RFC 4271 6.2: the version that we speak. */
        const bool is_version = rc == BGPVPN_ERR_VERSION;
        bgpvpn__session_fault(e, c, rc, version, is_version ? sizeof(version) : 0);
        return BGPVPN_OK;
    }
    if ((n->cfg.flags & BGPVPN_NEIGHBOR_EXTENDED) && !bgpvpn__conn_extend(e, c))
        return BGPVPN_ERR_NOMEM;
    /* RFC 4271 8.2.2, event 20: the peer spoke first. */
    if (c->delay_at != BGPVPN_NEVER)
        send_open(e, c);
    if (loses_collision(e, c, &open)) {
        notify(e, c, CODE_CEASE, CEASE_COLLISION, NULL, 0, BGPVPN_REASON_COLLISION);
        return BGPVPN_OK;
    }
    c->as = open.as;
    c->router_id = open.router_id;
    c->tables = open.tables & n->cfg.tables;
    c->capabilities = open.capabilities;
    c->graceful = bgpvpn__restart_read(n, &open, &c->restart);
    c->hold_s =
        open.hold_time_s < n->cfg.hold_time_s ? open.hold_time_s : (uint16_t)n->cfg.hold_time_s;
    c->send_keepalive = true;
    set_state(c, BGPVPN_STATE_OPEN_CONFIRM);
    restart_hold(e, c);
    restart_keepalive(e, c);
    bgpvpn__conn_arm(e, c);
    return BGPVPN_OK;
}

/* ---- Established ---- */

static bgpvpn_rc establish(bgpvpn_engine *e, conn *c)
{
    neighbor *n = c->neighbor;
    n->up = c;
    n->info.router_id = c->router_id;
    bgpvpn_rc rc = bgpvpn__targets_begin(e, n, c);
    if (rc == BGPVPN_OK)
        rc = bgpvpn__group_join(e, n);
    if (rc != BGPVPN_OK) {
        bgpvpn__targets_end(e, n);
        n->up = NULL;
        if (rc == BGPVPN_ERR_NOMEM)
            return rc;
        bgpvpn__session_notify(e, c, CODE_CEASE, CEASE_RESOURCES, NULL, 0);
        return BGPVPN_OK;
    }
    set_state(c, BGPVPN_STATE_ESTABLISHED);
    n->fails = 0;
    n->info.restart_flags = c->restart.flags;
    n->info.restart_tables = c->restart.tables;
    n->info.restart_time_s = c->restart.time_s;
    n->established_ms = e->now_ms;
    e->established++;
    restart_hold(e, c);
    start_send_hold(e, c);
    bgpvpn__conn_arm(e, c);
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_UP, .id = n->id, .parent_id = c->id};
    ev.address = c->peer;
    bgpvpn__emit(e, &ev);
    bgpvpn__restart_up(e, n, c);
    /* A dial in progress is of no use any more. */
    conn *other = c == n->in ? n->out : n->in;
    if (other && other->state == BGPVPN_STATE_CONNECT)
        bgpvpn__session_end(e, other, BGPVPN_REASON_COLLISION);
    return BGPVPN_OK;
}

/* RFC 7313 4: what comes between the two marks is all that the peer has. */
static void receive_mark(bgpvpn_engine *e, conn *c, uint32_t table, uint8_t subtype)
{
    neighbor *n = c->neighbor;
    family *f = &n->families[bgpvpn__table_index(table)];
    if (!(c->capabilities & BGPVPN_CAPABLE_ENHANCED_REFRESH) ||
        (n->cfg.flags & BGPVPN_NEIGHBOR_PLAIN_REFRESH))
        return;
    if (subtype == REFRESH_END) {
        if (f->refreshing)
            bgpvpn__restart_release(e, n, table);
        return;
    }
    /* Not before End-of-RIB, where the peer sends it for sure. And begun again: what came since the
     * first mark is not older. */
    if (f->refreshing || (c->graceful && !(n->eor_seen & table)))
        return;
    f->refreshing = true;
    bgpvpn__rib_mark(n, table);
    if (n->stale_at == BGPVPN_NEVER && n->cfg.stale_time_s > 0) {
        n->stale_at = e->now_ms + n->cfg.stale_time_s * MS_PER_S;
        bgpvpn__neighbor_arm(e, n);
    }
}

static void receive_refresh(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len)
{
    bgpvpn_refresh r;
    const bgpvpn_rc rc = bgpvpn_refresh_decode(msg, len, &r);
    if (rc != BGPVPN_OK) {
        bgpvpn__session_fault(e, c, rc, msg, len);
        return;
    }
    /* RFC 2918 4: of families not announced nothing is sent. */
    const uint32_t table = bgpvpn__table(r.afi, r.safi) & c->tables;
    if (!table || r.subtype > REFRESH_END)
        return;
    if (r.subtype != REFRESH_REQUEST) {
        receive_mark(e, c, table, r.subtype);
        return;
    }
    bgpvpn__group_refresh(e, c->neighbor, table);
    bgpvpn_event ev = {.kind = BGPVPN_EVENT_REFRESH, .id = c->neighbor_id, .parent_id = c->id};
    ev.number = table;
    ev.address = c->peer;
    bgpvpn__emit(e, &ev);
}

static void receive_notification(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len)
{
    neighbor *n = c->neighbor;
    bgpvpn_notification note;
    const uint8_t *text;
    size_t text_len;
    if (bgpvpn_notification_decode(msg, len, &note) == BGPVPN_OK) {
        c->code = (uint8_t)note.code;
        c->subcode = (uint8_t)note.subcode;
        n->info.text_len = 0;
        const bool hard = note.code == CODE_CEASE && note.subcode == CEASE_HARD_RESET;
        n->info.last_hard_code = hard && note.len >= 2 ? note.data[0] : 0;
        n->info.last_hard_subcode = hard && note.len >= 2 ? note.data[1] : 0;
        if (bgpvpn_notification_text(&note, &text, &text_len) == BGPVPN_OK) {
            n->info.text_len = (uint32_t)text_len;
            if (text_len > 0)
                memcpy(n->info.text, text, text_len);
        }
    }
    bgpvpn__session_end(e, c, BGPVPN_REASON_RECEIVED);
}

static void wrong_state(bgpvpn_engine *e, conn *c, uint8_t type)
{
    if (c->state < BGPVPN_STATE_OPEN_SENT) {
        bgpvpn__session_end(e, c, BGPVPN_REASON_NONE);
        return;
    }
    /* RFC 6608 4: the type is the data. */
    const uint8_t subcode = (uint8_t)(c->state - BGPVPN_STATE_OPEN_SENT + 1);
    bgpvpn__session_notify(e, c, CODE_FSM, subcode, &type, sizeof(type));
}

bgpvpn_rc bgpvpn__session_message(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len)
{
    neighbor *n = c->neighbor;
    const uint8_t type = msg[BGPVPN_HEADER_LEN - 1];
    bgpvpn_rc rc = BGPVPN_OK;
    n->info.received[type]++;
    n->info.received[0]++;
    if (type == BGPVPN_MESSAGE_NOTIFICATION) {
        receive_notification(e, c, msg, len);
    } else if (c->state <= BGPVPN_STATE_OPEN_SENT && type == BGPVPN_MESSAGE_OPEN) {
        rc = receive_open(e, c, msg, len);
    } else if (c->state == BGPVPN_STATE_OPEN_CONFIRM && type == BGPVPN_MESSAGE_KEEPALIVE) {
        rc = establish(e, c);
    } else if (c->state == BGPVPN_STATE_ESTABLISHED && type != BGPVPN_MESSAGE_OPEN) {
        if (type == BGPVPN_MESSAGE_UPDATE)
            rc = bgpvpn__receive_update(e, c, msg, len);
        else if (type == BGPVPN_MESSAGE_REFRESH)
            receive_refresh(e, c, msg, len);
        if (rc == BGPVPN_OK && c->state == BGPVPN_STATE_ESTABLISHED &&
            type != BGPVPN_MESSAGE_REFRESH) {
            restart_hold(e, c);
            bgpvpn__conn_arm(e, c);
        }
    } else {
        wrong_state(e, c, type);
    }
    if (rc != BGPVPN_OK) {
        n->info.received[type]--;
        n->info.received[0]--;
    }
    return rc;
}

void bgpvpn__session_due(bgpvpn_engine *e, conn *c)
{
    if (c->close_at <= e->now_ms) {
        bgpvpn__conn_close(e, c);
    } else if (c->ask_at <= e->now_ms) {
        bgpvpn__session_deny(e, c);
    } else if (c->delay_at <= e->now_ms) {
        send_open(e, c);
        bgpvpn__conn_arm(e, c);
    } else if (c->hold_at <= e->now_ms) {
        bgpvpn__session_notify(e, c, CODE_HOLD_TIMER, 0, NULL, 0);
    } else if (c->send_hold_at <= e->now_ms) {
        /* RFC 9687 4.3: a NOTIFICATION would wait behind what cannot be sent. */
        c->code = CODE_SEND_HOLD_TIMER;
        c->subcode = 0;
        bgpvpn__session_end(e, c, BGPVPN_REASON_SEND_HOLD);
    } else if (c->keepalive_at <= e->now_ms) {
        c->send_keepalive = true;
        bgpvpn__conn_ready(e, c);
        restart_keepalive(e, c);
        bgpvpn__conn_arm(e, c);
    } else {
        bgpvpn__conn_arm(e, c);
    }
}
