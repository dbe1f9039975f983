/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The state machine of one connection (RFC 9293 3.10), its retransmission and its windows.
 */
#include "connection.h"

enum { MSS_WITHOUT_OPTION = 536, REPEATED_ACKS = 3, FIN_WAIT_2_MS = 60000 };

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* The only writer of a state; RFC 9293 figure 5. */
static void set_state(connection *c, uint8_t state)
{
    static const uint16_t allowed[STATES] = {
        [STATE_CLOSED] = 1u << STATE_SYN_SENT | 1u << STATE_SYN_RECEIVED,
        [STATE_SYN_SENT] = 1u << STATE_ESTABLISHED,
        [STATE_SYN_RECEIVED] = 1u << STATE_ESTABLISHED,
        [STATE_ESTABLISHED] = 1u << STATE_FIN_WAIT_1 | 1u << STATE_CLOSE_WAIT,
        [STATE_FIN_WAIT_1] = 1u << STATE_FIN_WAIT_2 | 1u << STATE_CLOSING | 1u << STATE_TIME_WAIT,
        [STATE_FIN_WAIT_2] = 1u << STATE_TIME_WAIT,
        [STATE_CLOSE_WAIT] = 1u << STATE_LAST_ACK,
        [STATE_CLOSING] = 1u << STATE_TIME_WAIT,
        [STATE_LAST_ACK] = 0,
        [STATE_TIME_WAIT] = 0,
    };
    if (state == STATE_CLOSED || allowed[c->state] & 1u << state)
        c->state = state;
}

/*
 * One timer. While something is unacknowledged, or waits for a closed window to open, it is the
 * retransmission timer; in FIN-WAIT-2 it gives up on a peer that never closes; in TIME-WAIT it ends
 * the wait. These exclude each other.
 */
static void arm(vtcp *t, connection *c, uint64_t now_ms, uint32_t after_ms)
{
    heap_set(&t->timers, &c->timer, now_ms + after_ms);
}

static void disarm(vtcp *t, connection *c)
{
    heap_set(&t->timers, &c->timer, HEAP_NEVER);
}

void vtcp__down(vtcp *t, connection *c, uint32_t reason)
{
    set_state(c, STATE_CLOSED);
    disarm(t, c);
    c->reason = reason;
    c->telling = 0;
    if (c->accepted && !c->up)
        c->told_down = true; /* nobody has heard of it */
    else
        vtcp__tell(t, c, VTCP_EVENT_DOWN);
}

void vtcp__open(vtcp *t, connection *c, uint64_t now_ms, uint8_t state)
{
    set_state(c, state);
    c->snd_una = c->snd_nxt = c->snd_max = c->iss;
    c->mss = MSS_WITHOUT_OPTION;
    c->rto_ms = t->config.rto_initial_ms;
    arm(t, c, now_ms, c->rto_ms);
    vtcp__want_output(t, c);
}

/* ---- Sending ---- */

static bool has_sent_syn(const connection *c)
{
    return c->state != STATE_SYN_SENT && c->state != STATE_SYN_RECEIVED;
}

/* The sequence number of tx.bytes[0]. */
static uint32_t tx_start(const connection *c)
{
    return c->snd_una == c->iss ? c->iss + 1 : c->snd_una;
}

static uint32_t fin_number(const connection *c)
{
    return tx_start(c) + (uint32_t)c->tx.len;
}

static uint16_t window(const vtcp *t, const connection *c)
{
    return (uint16_t)(t->config.receive_bytes - c->rx.len);
}

static void stamp(vtcp *t, connection *c, segment *s)
{
    s->from = c->local;
    s->to = c->peer;
    s->window = window(t, c);
    if (s->flags & SEGMENT_ACK) {
        s->ack = c->rcv_nxt;
        c->told_edge = c->rcv_nxt + s->window;
        c->ack_due = false;
    }
}

/* Accounts for a segment that takes sequence space. */
static void sent(vtcp *t, connection *c, uint64_t now_ms, const segment *s)
{
    const uint32_t end = s->seq + segment_space(s);
    if (before(s->seq, c->snd_max)) {
        t->stats.retransmitted++;
        /* Karn: what was sent twice tells no round trip. */
        c->timing = false;
    } else if (!c->timing) {
        c->timing = true;
        c->timed_seq = end;
        c->timed_at_ms = now_ms;
    }
    if (before(c->snd_nxt, end))
        c->snd_nxt = end;
    if (before(c->snd_max, end))
        c->snd_max = end;
    if (c->timer.deadline == HEAP_NEVER)
        arm(t, c, now_ms, c->rto_ms);
}

static bool next_syn(vtcp *t, connection *c, uint64_t now_ms, segment *out)
{
    if (c->snd_nxt != c->iss)
        return false;
    segment s = {.seq = c->iss, .flags = SEGMENT_SYN, .mss = t->config.mss};
    if (c->state == STATE_SYN_RECEIVED)
        s.flags |= SEGMENT_ACK;
    stamp(t, c, &s);
    sent(t, c, now_ms, &s);
    *out = s;
    return true;
}

/* Data, FIN or both from sequence number seq, as far as the window allows. */
static bool data_from(vtcp *t, connection *c, uint64_t now_ms, uint32_t seq, segment *out)
{
    if (c->fin_acknowledged)
        return false;
    const uint32_t allowed = c->snd_wnd == 0 && c->probe ? 1 : c->snd_wnd;
    const uint32_t ahead = seq - c->snd_una;
    const size_t offset = seq - tx_start(c);
    if (offset > c->tx.len)
        return false;
    size_t len = c->tx.len - offset;
    if (len > c->mss)
        len = c->mss;
    const size_t room = allowed > ahead ? allowed - ahead : 0;
    if (len > room)
        len = room;

    segment s = {.seq = seq, .flags = SEGMENT_ACK, .payload = c->tx.bytes + offset, .len = len};
    if (len == 0)
        s.payload = NULL;
    if (offset + len == c->tx.len) {
        if (len > 0)
            s.flags |= SEGMENT_PSH;
        /* A FIN goes even into a window that is full: it carries nothing to store. */
        if (c->fin_queued)
            s.flags |= SEGMENT_FIN;
    }
    if (segment_space(&s) == 0)
        return false;
    c->probe = false;
    stamp(t, c, &s);
    sent(t, c, now_ms, &s);
    *out = s;
    return true;
}

bool vtcp__next_segment(vtcp *t, connection *c, uint64_t now_ms, segment *out)
{
    if (c->state == STATE_CLOSED)
        return false;
    if (!has_sent_syn(c))
        return next_syn(t, c, now_ms, out);
    if (c->resend) {
        c->resend = false;
        if (data_from(t, c, now_ms, c->snd_una, out))
            return true;
    }
    /* Behind a FIN that was sent there is nothing. */
    const bool all_sent = c->fin_queued && !c->fin_acknowledged && c->snd_nxt == fin_number(c) + 1;
    if (!all_sent && data_from(t, c, now_ms, c->snd_nxt, out))
        return true;
    /* RFC 9293 3.8.6.1: waiting for the window to open. */
    if (c->tx.len > 0 && c->timer.deadline == HEAP_NEVER)
        arm(t, c, now_ms, c->rto_ms);
    if (!c->ack_due)
        return false;
    segment s = {.seq = c->snd_max, .flags = SEGMENT_ACK};
    stamp(t, c, &s);
    *out = s;
    return true;
}

void vtcp__close(vtcp *t, connection *c)
{
    if (c->state == STATE_SYN_SENT) {
        vtcp__down(t, c, VTCP_REASON_CLOSED);
        return;
    }
    c->fin_queued = true;
    if (c->state == STATE_ESTABLISHED)
        set_state(c, STATE_FIN_WAIT_1);
    else if (c->state == STATE_CLOSE_WAIT)
        set_state(c, STATE_LAST_ACK);
    vtcp__want_output(t, c);
}

void vtcp__expired(vtcp *t, connection *c, uint64_t now_ms)
{
    if (c->state == STATE_TIME_WAIT || c->state == STATE_FIN_WAIT_2) {
        vtcp__down(t, c, VTCP_REASON_CLOSED);
        return;
    }
    if (c->retries++ == t->config.retries) {
        vtcp__down(t, c, VTCP_REASON_TIMEOUT);
        return;
    }
    /* RFC 6298 5.5; then all from the first unacknowledged byte on. */
    c->rto_ms = c->rto_ms > t->config.rto_max_ms / 2 ? t->config.rto_max_ms : c->rto_ms * 2;
    c->timing = false;
    c->snd_nxt = c->snd_una;
    c->probe = true;
    c->repeated_acks = 0;
    arm(t, c, now_ms, c->rto_ms);
    vtcp__want_output(t, c);
}

/* ---- Receiving ---- */

static void set_rto(const vtcp *t, connection *c)
{
    c->rto_ms = c->srtt_ms ? c->srtt_ms + 4 * c->rttvar_ms : t->config.rto_initial_ms;
    if (c->rto_ms < t->config.rto_min_ms)
        c->rto_ms = t->config.rto_min_ms;
    if (c->rto_ms > t->config.rto_max_ms)
        c->rto_ms = t->config.rto_max_ms;
}

/* RFC 6298 2, with a clock of one millisecond. */
static void measure(const vtcp *t, connection *c, uint64_t now_ms)
{
    const uint32_t r = (uint32_t)(now_ms - c->timed_at_ms);
    if (c->srtt_ms == 0) {
        c->srtt_ms = r ? r : 1;
        c->rttvar_ms = r / 2;
    } else {
        const uint32_t error = r > c->srtt_ms ? r - c->srtt_ms : c->srtt_ms - r;
        c->rttvar_ms = (3 * c->rttvar_ms + error) / 4;
        c->srtt_ms = (7 * c->srtt_ms + r) / 8;
        c->srtt_ms = c->srtt_ms ? c->srtt_ms : 1;
    }
    c->timing = false;
    set_rto(t, c);
}

static void enter_time_wait(vtcp *t, connection *c, uint64_t now_ms)
{
    set_state(c, STATE_TIME_WAIT);
    arm(t, c, now_ms, t->config.time_wait_ms);
    c->reason = VTCP_REASON_CLOSED;
    if (c->rx.len == 0)
        vtcp__tell(t, c, VTCP_EVENT_DOWN);
}

static void own_fin_acknowledged(vtcp *t, connection *c, uint64_t now_ms)
{
    c->fin_acknowledged = true;
    switch (c->state) {
    case STATE_FIN_WAIT_1:
        set_state(c, STATE_FIN_WAIT_2);
        arm(t, c, now_ms, FIN_WAIT_2_MS);
        break;
    case STATE_CLOSING:
        enter_time_wait(t, c, now_ms);
        break;
    case STATE_LAST_ACK:
        vtcp__down(t, c, VTCP_REASON_CLOSED);
        break;
    default:
        break;
    }
}

/* What an acknowledgment of something new means. */
static void acknowledged(vtcp *t, connection *c, uint64_t now_ms, uint32_t ack)
{
    const bool fin = c->fin_queued && !c->fin_acknowledged && ack == fin_number(c) + 1;
    const uint32_t start = tx_start(c);
    size_t bytes = ack - start;
    if (bytes > c->tx.len)
        bytes = c->tx.len;
    if (bytes > 0) {
        c->tx.len -= bytes;
        memmove(c->tx.bytes, c->tx.bytes + bytes, c->tx.len);
    }
    c->snd_una = ack;
    if (before(c->snd_nxt, ack))
        c->snd_nxt = ack;
    if (c->timing && !before(ack, c->timed_seq))
        measure(t, c, now_ms);
    c->retries = 0;
    c->repeated_acks = 0;
    if (c->starved && bytes > 0) {
        c->starved = false;
        vtcp__tell(t, c, VTCP_EVENT_WRITABLE);
    }
    if (c->snd_una == c->snd_max)
        disarm(t, c);
    else
        arm(t, c, now_ms, c->rto_ms);
    if (fin)
        own_fin_acknowledged(t, c, now_ms);
    vtcp__want_output(t, c);
}

static int32_t take_ack(vtcp *t, connection *c, uint64_t now_ms, const segment *s)
{
    /* RFC 5961 5.2 */
    if (before(c->snd_max, s->ack)) {
        c->ack_due = true;
        vtcp__want_output(t, c);
        return VTCP_ERR_SEQUENCE;
    }
    const uint32_t old_window = c->snd_wnd;
    if (before(c->snd_una, s->ack)) {
        acknowledged(t, c, now_ms, s->ack);
    } else if (s->ack == c->snd_una && c->snd_una != c->snd_max && s->len == 0 &&
               s->window == c->snd_wnd) {
        /* RFC 5681 3.2, without a congestion window. */
        if (++c->repeated_acks == REPEATED_ACKS) {
            c->resend = true;
            vtcp__want_output(t, c);
        }
    }
    if (before(s->ack, c->snd_una))
        return VTCP_OK;
    if (before(c->snd_wl1, s->seq) || (c->snd_wl1 == s->seq && !before(s->ack, c->snd_wl2))) {
        c->snd_wnd = s->window;
        c->snd_wl1 = s->seq;
        c->snd_wl2 = s->ack;
    }
    if (c->snd_wnd == 0) {
        /* The peer lives and says so. */
        c->retries = 0;
    } else if (old_window == 0) {
        /* The probe was not taken, so it is sent again, with what follows. */
        set_rto(t, c);
        c->snd_nxt = c->snd_una;
        c->timing = false;
        vtcp__want_output(t, c);
    }
    return VTCP_OK;
}

/* Notes that [from, to) has arrived; false where there are too many holes already. */
static bool add_range(connection *c, size_t from, size_t to)
{
    size_t first = 0;
    while (first < c->range_count && c->ranges[first].to < from)
        first++;
    size_t past = first;
    while (past < c->range_count && c->ranges[past].from <= to) {
        if (c->ranges[past].from < from)
            from = c->ranges[past].from;
        if (c->ranges[past].to > to)
            to = c->ranges[past].to;
        past++;
    }
    if (past == first && c->range_count == MAX_RANGES)
        return false;
    memmove(&c->ranges[first + 1], &c->ranges[past],
            (c->range_count - past) * sizeof(c->ranges[0]));
    c->range_count = c->range_count - (past - first) + 1;
    c->ranges[first] = (range){from, to};
    return true;
}

/* Stores data that lies in the window; what has been received already is cut off. */
static void take_data(vtcp *t, connection *c, const segment *s)
{
    uint32_t seq = s->seq;
    const uint8_t *data = s->payload;
    size_t len = s->len;
    if (before(seq, c->rcv_nxt)) {
        const size_t old = c->rcv_nxt - seq;
        if (old >= len)
            return;
        seq += (uint32_t)old;
        data += old;
        len -= old;
    }
    const size_t from = seq - c->rx_start;
    if (from >= t->config.receive_bytes)
        return;
    if (len > t->config.receive_bytes - from)
        len = t->config.receive_bytes - from;
    const size_t to = from + len;
    if (len == 0 || !vtcp__reserve(t, &c->rx, to))
        return;
    if (from > c->rx.len) {
        if (!add_range(c, from, to))
            return;
        t->stats.out_of_order++;
        memcpy(c->rx.bytes + from, data, len);
        return;
    }
    memcpy(c->rx.bytes + from, data, len);
    c->rx.len = to;
    while (c->range_count > 0 && c->ranges[0].from <= c->rx.len) {
        if (c->ranges[0].to > c->rx.len)
            c->rx.len = c->ranges[0].to;
        c->range_count--;
        memmove(&c->ranges[0], &c->ranges[1], c->range_count * sizeof(c->ranges[0]));
    }
    c->rcv_nxt = c->rx_start + (uint32_t)c->rx.len;
    vtcp__tell(t, c, VTCP_EVENT_READABLE);
}

static bool peer_is_done(const connection *c)
{
    return c->fin_known && c->rcv_nxt == c->fin_seq + 1;
}

static void tell_fin(vtcp *t, connection *c)
{
    if (!peer_is_done(c) || c->rx.len > 0)
        return;
    if (!c->fin_told)
        vtcp__tell(t, c, VTCP_EVENT_PEER_DONE);
    c->fin_told = true;
    if (c->state == STATE_TIME_WAIT)
        vtcp__tell(t, c, VTCP_EVENT_DOWN);
}

static void take_fin(vtcp *t, connection *c, uint64_t now_ms)
{
    if (!c->fin_known || c->rcv_nxt != c->fin_seq)
        return;
    c->rcv_nxt++;
    c->ack_due = true;
    tell_fin(t, c);
    switch (c->state) {
    case STATE_ESTABLISHED:
        set_state(c, STATE_CLOSE_WAIT);
        break;
    case STATE_FIN_WAIT_1:
        set_state(c, STATE_CLOSING);
        break;
    case STATE_FIN_WAIT_2:
        enter_time_wait(t, c, now_ms);
        break;
    default:
        break;
    }
}

void vtcp__consumed(vtcp *t, connection *c, size_t len)
{
    c->rx.len -= len;
    c->rx_start += (uint32_t)len;
    size_t keep = c->rx.len;
    for (size_t i = 0; i < c->range_count; i++) {
        c->ranges[i].from -= len;
        c->ranges[i].to -= len;
        keep = c->ranges[i].to;
    }
    if (len > 0 && keep > 0)
        memmove(c->rx.bytes, c->rx.bytes + len, keep);
    tell_fin(t, c);
    /* RFC 9293 3.8.6.2.2: no silly windows. */
    const uint32_t opened = c->rx_start + t->config.receive_bytes - c->told_edge;
    const uint32_t half = t->config.receive_bytes / 2;
    if (c->state != STATE_CLOSED && opened >= (t->config.mss < half ? t->config.mss : half)) {
        c->ack_due = true;
        vtcp__want_output(t, c);
    }
}

/* RFC 9293 3.10.7.3 */
static int32_t segment_in_syn_sent(vtcp *t, connection *c, uint64_t now_ms, const segment *s)
{
    const bool ack = s->flags & SEGMENT_ACK;
    const bool good_ack = ack && s->ack == c->iss + 1 && c->snd_max == c->iss + 1;
    if (ack && !good_ack) {
        if (!(s->flags & SEGMENT_RST))
            (void)vtcp__reply(t, &c->local, &c->peer, SEGMENT_RST, s->ack, 0);
        return VTCP_ERR_SEQUENCE;
    }
    if (s->flags & SEGMENT_RST) {
        if (!good_ack)
            return VTCP_ERR_SEQUENCE;
        vtcp__down(t, c, VTCP_REASON_REFUSED);
        return VTCP_OK;
    }
    if (!(s->flags & SEGMENT_SYN) || !good_ack)
        return VTCP_ERR_STATE;
    c->rcv_nxt = c->rx_start = s->seq + 1;
    if (s->mss)
        c->mss = s->mss < t->config.mss ? s->mss : t->config.mss;
    set_state(c, STATE_ESTABLISHED);
    acknowledged(t, c, now_ms, s->ack);
    c->snd_wnd = s->window;
    c->snd_wl1 = s->seq;
    c->snd_wl2 = s->ack;
    c->ack_due = true;
    c->up = true;
    vtcp__tell(t, c, VTCP_EVENT_UP);
    vtcp__want_output(t, c);
    return VTCP_OK;
}

/* RFC 9293 3.10.7.4, table 6. */
static bool acceptable(const vtcp *t, const connection *c, const segment *s)
{
    const uint32_t space = segment_space(s);
    const uint32_t edge = c->rcv_nxt + window(t, c);
    if (space == 0 && edge == c->rcv_nxt)
        return s->seq == c->rcv_nxt;
    const bool starts_in = !before(s->seq, c->rcv_nxt) && before(s->seq, edge);
    const uint32_t last = s->seq + space - 1;
    const bool ends_in = space > 0 && !before(last, c->rcv_nxt) && before(last, edge);
    return starts_in || ends_in;
}

static void established(vtcp *t, connection *c, uint64_t now_ms, const segment *s)
{
    set_state(c, STATE_ESTABLISHED);
    acknowledged(t, c, now_ms, s->ack);
    c->snd_wnd = s->window;
    c->snd_wl1 = s->seq;
    c->snd_wl2 = s->ack;
    c->up = true;
    vtcp__tell(t, c, VTCP_EVENT_UP);
    if (c->fin_queued)
        set_state(c, STATE_FIN_WAIT_1);
}

static int32_t challenge(vtcp *t, connection *c)
{
    c->ack_due = true;
    vtcp__want_output(t, c);
    return VTCP_ERR_SEQUENCE;
}

static int32_t refuse_ack(vtcp *t, connection *c, const segment *s)
{
    (void)vtcp__reply(t, &c->local, &c->peer, SEGMENT_RST, s->ack, 0);
    return VTCP_ERR_SEQUENCE;
}

/* The listener's SYN, first or again. */
static int32_t take_syn(vtcp *t, connection *c, const segment *s)
{
    if (c->snd_max == c->iss) {
        c->rcv_nxt = c->rx_start = s->seq + 1;
        if (s->mss)
            c->mss = s->mss < t->config.mss ? s->mss : t->config.mss;
        c->snd_wnd = s->window;
    } else if (s->seq + 1 != c->rcv_nxt) {
        return VTCP_ERR_SEQUENCE;
    } else {
        c->snd_nxt = c->iss;
    }
    vtcp__want_output(t, c);
    return VTCP_OK;
}

int32_t vtcp__segment(vtcp *t, connection *c, uint64_t now_ms, const segment *s)
{
    if (c->state == STATE_CLOSED)
        return VTCP_ERR_ABSENT;
    if (c->state == STATE_SYN_SENT)
        return segment_in_syn_sent(t, c, now_ms, s);
    if (c->state == STATE_SYN_RECEIVED && (s->flags & (SEGMENT_SYN | SEGMENT_ACK)) == SEGMENT_SYN)
        return take_syn(t, c, s);

    if (!acceptable(t, c, s)) {
        if (s->flags & SEGMENT_RST)
            return VTCP_ERR_SEQUENCE;
        /* The peer's FIN again: our acknowledgment was lost (RFC 9293 3.6.1). */
        if (c->state == STATE_TIME_WAIT)
            arm(t, c, now_ms, t->config.time_wait_ms);
        const int32_t rc = challenge(t, c);
        /* An old segment may still say that ours arrived, or that the window is open. */
        if (s->flags & SEGMENT_ACK && c->state != STATE_SYN_RECEIVED &&
            !before(c->rcv_nxt, s->seq) && !before(s->ack, c->snd_una))
            (void)take_ack(t, c, now_ms, s);
        return rc;
    }
    if (s->flags & SEGMENT_RST) {
        /* RFC 5961 3.2 */
        if (s->seq != c->rcv_nxt)
            return challenge(t, c);
        vtcp__down(t, c, VTCP_REASON_RESET);
        return VTCP_OK;
    }
    /* RFC 5961 4.2 */
    if (s->flags & SEGMENT_SYN)
        return challenge(t, c);
    if (!(s->flags & SEGMENT_ACK))
        return VTCP_ERR_MALFORMED;
    if (c->state == STATE_SYN_RECEIVED) {
        if (s->ack != c->iss + 1 || c->snd_max != c->iss + 1)
            return refuse_ack(t, c, s);
        established(t, c, now_ms, s);
    } else {
        const int32_t rc = take_ack(t, c, now_ms, s);
        if (rc != VTCP_OK)
            return rc;
    }
    if (c->state == STATE_CLOSED)
        return VTCP_OK;

    if (s->len > 0) {
        c->ack_due = true;
        if (!peer_is_done(c))
            take_data(t, c, s);
    }
    if (s->flags & SEGMENT_FIN && !c->fin_known) {
        c->fin_known = true;
        c->fin_seq = s->seq + (uint32_t)s->len;
    }
    if (s->flags & SEGMENT_FIN)
        c->ack_due = true;
    take_fin(t, c, now_ms);
    vtcp__want_output(t, c);
    return VTCP_OK;
}
