/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The host: its connections by id and by address pair, the order in which they send and tell.
 */
#include "vtcp.h"

#include "connection.h"
#include "internal/container.h"
#include "rng.h"

enum { EPHEMERAL_FIRST = 49152, EPHEMERAL_COUNT = 16384, EPHEMERAL_TRIES = 64 };

void vtcp_config_init(vtcp_config *config)
{
    if (!config)
        return;
    *config = (vtcp_config){
        .mss = 1360,
        .send_bytes = 65536,
        .receive_bytes = UINT16_MAX,
        .rto_initial_ms = 1000,
        .rto_min_ms = 200,
        .rto_max_ms = 60000,
        .retries = 15,
        .time_wait_ms = 60000,
        .max_connections = 4096,
    };
}

/* ---- First-in first-out lists ---- */

static void list_init(link *head)
{
    head->prev = head->next = head;
}

static void list_add(link *head, link *l)
{
    if (l->next)
        return;
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

static void list_remove(link *l)
{
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}

void vtcp__want_output(vtcp *t, connection *c)
{
    list_add(&t->output, &c->output);
}

void vtcp__tell(vtcp *t, connection *c, uint32_t kind)
{
    if (c->told_down)
        return;
    c->telling |= 1u << kind;
    list_add(&t->events, &c->events);
}

/* ---- Tables ---- */

static uint64_t hash_pair(const vtcp *t, const router_addr *local, const router_addr *peer)
{
    uint64_t h = t->config.seed ^ ((uint64_t)local->port << 16 | peer->port);
    for (size_t i = 0; i < sizeof(local->bytes); i += 8) {
        uint64_t a = 0, b = 0;
        for (size_t j = 0; j < 8; j++) {
            a = a << 8 | local->bytes[i + j];
            b = b << 8 | peer->bytes[i + j];
        }
        h = rng_mix(h ^ a);
        h = rng_mix(h ^ b);
    }
    return h;
}

static bool same_end(const router_addr *a, const router_addr *b)
{
    return a->port == b->port && ip_same_host(a, b);
}

static connection *find_pair(const vtcp *t, const router_addr *local, const router_addr *peer)
{
    map_node *n = map_first(&t->by_pair, hash_pair(t, local, peer));
    for (; n; n = map_next(n)) {
        connection *c = CONTAINER_OF(n, connection, by_pair);
        if (same_end(&c->local, local) && same_end(&c->peer, peer))
            return c;
    }
    return NULL;
}

static connection *find_id(const vtcp *t, uint64_t id)
{
    map_node *n = map_first(&t->by_id, rng_mix(id));
    for (; n; n = map_next(n)) {
        connection *c = CONTAINER_OF(n, connection, by_id);
        if (c->id == id && !c->told_down)
            return c;
    }
    return NULL;
}

static int32_t add(vtcp *t, const router_addr *local, const router_addr *peer, connection **out)
{
    if (t->connections >= t->config.max_connections)
        return VTCP_ERR_LIMIT;
    connection *c = alloc_zero(&t->alloc, sizeof(*c));
    if (!c || !heap_join(&t->timers, &t->alloc, &c->timer)) {
        alloc_free(&t->alloc, c);
        return VTCP_ERR_NOMEM;
    }
    c->id = t->next_id++;
    c->local = *local;
    c->peer = *peer;
    c->iss = (uint32_t)rng_next(&t->random);
    map_insert(&t->by_id, &t->alloc, &c->by_id, rng_mix(c->id));
    map_insert(&t->by_pair, &t->alloc, &c->by_pair, hash_pair(t, local, peer));
    t->connections++;
    *out = c;
    return VTCP_OK;
}

static void forget(vtcp *t, connection *c)
{
    list_remove(&c->output);
    list_remove(&c->events);
    map_remove(&t->by_id, &c->by_id);
    map_remove(&t->by_pair, &c->by_pair);
    heap_leave(&t->timers, &c->timer);
    alloc_free(&t->alloc, c->tx.bytes);
    alloc_free(&t->alloc, c->rx.bytes);
    alloc_free(&t->alloc, c);
    t->connections--;
}

bool vtcp__reserve(const vtcp *t, buffer *b, size_t len)
{
    enum { SMALLEST = 512 };
    if (len <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : SMALLEST;
    while (cap < len)
        cap *= 2;
    uint8_t *bytes = alloc_grow(&t->alloc, b->bytes, b->cap, cap, 1);
    if (!bytes)
        return false;
    b->bytes = bytes;
    b->cap = cap;
    return true;
}

/* ---- The interface ---- */

int32_t vtcp_new(const vtcp_config *config, vtcp **out)
{
    if (!config || !out || config->mss == 0 || config->send_bytes == 0 ||
        config->receive_bytes == 0 || config->receive_bytes > UINT16_MAX || config->rto_min_ms == 0)
        return VTCP_ERR_ARG;
    const alloc a = alloc_make(NULL, NULL);
    vtcp *t = alloc_zero(&a, sizeof(*t));
    if (!t)
        return VTCP_ERR_NOMEM;
    t->alloc = a;
    t->config = *config;
    t->random = config->seed;
    t->next_id = 1;
    list_init(&t->output);
    list_init(&t->events);
    const bool made = map_init(&t->by_id, &a) && map_init(&t->by_pair, &a);
    if (!made) {
        vtcp_free(t);
        return VTCP_ERR_NOMEM;
    }
    *out = t;
    return VTCP_OK;
}

void vtcp_free(vtcp *t)
{
    if (!t)
        return;
    if (t->by_id.buckets && t->by_pair.buckets) {
        size_t bucket = 0;
        map_node *n = map_walk(&t->by_id, &bucket, NULL);
        while (n) {
            map_node *next = map_walk(&t->by_id, &bucket, n);
            forget(t, CONTAINER_OF(n, connection, by_id));
            n = next;
        }
    }
    map_free(&t->by_id, &t->alloc);
    map_free(&t->by_pair, &t->alloc);
    heap_free(&t->timers, &t->alloc);
    const alloc a = t->alloc;
    alloc_free(&a, t);
}

void vtcp_listen(vtcp *t, uint16_t port)
{
    if (t)
        t->listening = port;
}

int32_t vtcp_connect(vtcp *t, uint64_t now_ms, const router_addr *local, const router_addr *peer,
                     uint64_t *id)
{
    if (!t || !local || !peer || !id || local->family != peer->family || peer->port == 0 ||
        (local->family != ROUTER_FAMILY_IPV4 && local->family != ROUTER_FAMILY_IPV6))
        return VTCP_ERR_ARG;
    router_addr from = *local;
    for (int tries = 0; local->port == 0 && tries < EPHEMERAL_TRIES; tries++) {
        from.port = (uint16_t)(EPHEMERAL_FIRST + rng_next(&t->random) % EPHEMERAL_COUNT);
        if (!find_pair(t, &from, peer))
            break;
    }
    if (find_pair(t, &from, peer))
        return VTCP_ERR_LIMIT;
    connection *c;
    const int32_t rc = add(t, &from, peer, &c);
    if (rc != VTCP_OK)
        return rc;
    vtcp__open(t, c, now_ms, STATE_SYN_SENT);
    *id = c->id;
    return VTCP_OK;
}

bool vtcp__reply(vtcp *t, const router_addr *from, const router_addr *to, uint8_t flags,
                 uint32_t seq, uint32_t ack)
{
    if (t->reply_count == MAX_REPLIES)
        return false;
    t->replies[t->reply_count++] =
        (reply){.from = *from, .to = *to, .seq = seq, .ack = ack, .flags = flags};
    return true;
}

/* RFC 9293 3.10.7.1 and 3.10.7.2: no connection. */
static int32_t stray(vtcp *t, uint64_t now_ms, const segment *s)
{
    if (s->flags & SEGMENT_RST)
        return VTCP_ERR_ABSENT;
    if (s->flags & SEGMENT_ACK) {
        (void)vtcp__reply(t, &s->to, &s->from, SEGMENT_RST, s->ack, 0);
        return VTCP_ERR_ABSENT;
    }
    if (!(s->flags & SEGMENT_SYN) || t->listening == 0 || s->to.port != t->listening) {
        (void)vtcp__reply(t, &s->to, &s->from, SEGMENT_RST | SEGMENT_ACK, 0,
                          s->seq + segment_space(s));
        return VTCP_ERR_ABSENT;
    }
    connection *c;
    const int32_t rc = add(t, &s->to, &s->from, &c);
    if (rc != VTCP_OK)
        return rc;
    c->accepted = true;
    vtcp__open(t, c, now_ms, STATE_SYN_RECEIVED);
    return vtcp__segment(t, c, now_ms, s);
}

int32_t vtcp_input(vtcp *t, uint64_t now_ms, const uint8_t *packet, size_t len)
{
    if (!t || !packet)
        return VTCP_ERR_ARG;
    segment s;
    int32_t rc = segment_decode(packet, len, &s);
    if (rc == VTCP_OK) {
        t->stats.segments_in++;
        connection *c = find_pair(t, &s.to, &s.from);
        rc = c ? vtcp__segment(t, c, now_ms, &s) : stray(t, now_ms, &s);
        if (c && c->state == STATE_CLOSED && c->told_down)
            forget(t, c);
    }
    if (rc != VTCP_OK)
        t->stats.dropped++;
    return rc;
}

int32_t vtcp_timeout(vtcp *t, uint64_t now_ms)
{
    if (!t)
        return VTCP_ERR_ARG;
    for (;;) {
        heap_node *first = heap_first(&t->timers);
        if (!first || first->deadline > now_ms)
            return VTCP_OK;
        connection *c = CONTAINER_OF(first, connection, timer);
        vtcp__expired(t, c, now_ms);
        if (c->state == STATE_CLOSED && c->told_down)
            forget(t, c);
    }
}

uint64_t vtcp_deadline(const vtcp *t)
{
    if (!t)
        return ROUTER_NEVER;
    const heap_node *first = heap_first(&t->timers);
    return first ? first->deadline : ROUTER_NEVER;
}

int32_t vtcp_send(vtcp *t, uint64_t now_ms, uint64_t id, const uint8_t *bytes, size_t len,
                  size_t *taken)
{
    (void)now_ms;
    if (!t || (!bytes && len > 0) || !taken)
        return VTCP_ERR_ARG;
    connection *c = find_id(t, id);
    if (!c)
        return VTCP_ERR_ABSENT;
    if (c->fin_queued || c->state == STATE_CLOSED)
        return VTCP_ERR_STATE;
    const size_t room = t->config.send_bytes - c->tx.len;
    const size_t take = len < room ? len : room;
    if (!vtcp__reserve(t, &c->tx, c->tx.len + take))
        return VTCP_ERR_NOMEM;
    if (take > 0)
        memcpy(c->tx.bytes + c->tx.len, bytes, take);
    c->tx.len += take;
    c->starved = take < len || take == room;
    vtcp__want_output(t, c);
    *taken = take;
    return VTCP_OK;
}

size_t vtcp_room(const vtcp *t, uint64_t id)
{
    const connection *c = t ? find_id(t, id) : NULL;
    return c && !c->fin_queued ? t->config.send_bytes - c->tx.len : 0;
}

int32_t vtcp_peek(const vtcp *t, uint64_t id, const uint8_t **bytes, size_t *len)
{
    if (!t || !bytes || !len)
        return VTCP_ERR_ARG;
    const connection *c = find_id(t, id);
    if (!c)
        return VTCP_ERR_ABSENT;
    *bytes = c->rx.bytes;
    *len = c->rx.len;
    return VTCP_OK;
}

int32_t vtcp_consume(vtcp *t, uint64_t now_ms, uint64_t id, size_t len)
{
    (void)now_ms;
    if (!t)
        return VTCP_ERR_ARG;
    connection *c = find_id(t, id);
    if (!c)
        return VTCP_ERR_ABSENT;
    if (len > c->rx.len)
        return VTCP_ERR_ARG;
    vtcp__consumed(t, c, len);
    return VTCP_OK;
}

int32_t vtcp_close(vtcp *t, uint64_t now_ms, uint64_t id)
{
    (void)now_ms;
    if (!t)
        return VTCP_ERR_ARG;
    connection *c = find_id(t, id);
    if (!c)
        return VTCP_ERR_ABSENT;
    if (c->fin_queued || c->state == STATE_CLOSED)
        return VTCP_ERR_STATE;
    vtcp__close(t, c);
    return VTCP_OK;
}

int32_t vtcp_abort(vtcp *t, uint64_t now_ms, uint64_t id)
{
    (void)now_ms;
    if (!t)
        return VTCP_ERR_ARG;
    connection *c = find_id(t, id);
    if (!c)
        return VTCP_ERR_ABSENT;
    if (c->state != STATE_CLOSED && c->state != STATE_SYN_SENT)
        (void)vtcp__reply(t, &c->local, &c->peer, SEGMENT_RST | SEGMENT_ACK, c->snd_max,
                          c->rcv_nxt);
    forget(t, c);
    return VTCP_OK;
}

int32_t vtcp_poll_event(vtcp *t, vtcp_event *event)
{
    if (!t || !event)
        return VTCP_ERR_ARG;
    if (t->events.next == &t->events)
        return VTCP_OK;
    connection *c = CONTAINER_OF(t->events.next, connection, events);
    uint32_t kind = VTCP_EVENT_UP;
    while (!(c->telling & 1u << kind))
        kind++;
    c->telling &= ~(1u << kind);
    *event = (vtcp_event){
        .kind = kind, .id = c->id, .accepted = c->accepted, .local = c->local, .peer = c->peer};
    /* One connection tells all that it has before the next one does. */
    if (!c->telling)
        list_remove(&c->events);
    if (kind == VTCP_EVENT_DOWN) {
        event->reason = c->reason;
        c->told_down = true;
        list_remove(&c->events);
        if (c->state == STATE_CLOSED)
            forget(t, c);
    }
    return VTCP_YES;
}

static int32_t put(vtcp *t, const segment *s, uint8_t *buf, size_t cap, size_t *len)
{
    *len = segment_encode(s, buf, cap);
    t->stats.segments_out++;
    return VTCP_YES;
}

int32_t vtcp_poll_output(vtcp *t, uint64_t now_ms, uint8_t *buf, size_t cap, size_t *len)
{
    if (!t || !buf || !len)
        return VTCP_ERR_ARG;
    enum { SEGMENT_HEADERS = 64 };
    if (cap < (size_t)t->config.mss + SEGMENT_HEADERS)
        return VTCP_ERR_BUFFER;
    if (t->reply_count > 0) {
        const reply *r = &t->replies[--t->reply_count];
        const segment s = {
            .from = r->from, .to = r->to, .seq = r->seq, .ack = r->ack, .flags = r->flags};
        return put(t, &s, buf, cap, len);
    }
    while (t->output.next != &t->output) {
        connection *c = CONTAINER_OF(t->output.next, connection, output);
        segment s;
        if (vtcp__next_segment(t, c, now_ms, &s))
            return put(t, &s, buf, cap, len);
        list_remove(&c->output);
    }
    return VTCP_OK;
}

void vtcp_get_stats(const vtcp *t, vtcp_stats *out)
{
    if (t && out)
        *out = t->stats;
}
