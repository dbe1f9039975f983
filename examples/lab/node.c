/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include "internal/container.h"
#include "rng.h"
#include "segment.h"

#include <stdlib.h>
#include <string.h>

enum {
    PACKET_BYTES = 4096, /* more than any tunnel MTU of the lab */
    STREAM_BYTES = 16384,
    PIECE_BYTES = 4096,
    SETTLE_ROUNDS = 10000 /* a router that wants something for ever is noticed */
};

struct stream {
    map_node by_router;
    map_node by_tcp;
    stream *next, **link;
    uint64_t router_id; /* 0: the router does not know it, or no more */
    uint64_t tcp_id;
    bool up;
    bool ending;  /* the router wants it closed, once what it still has is sent */
    bool stalled; /* the router did not take all */
};

typedef struct packet {
    router_packet meta;
    uint8_t buf[ROUTER_HEADROOM + PACKET_BYTES + ROUTER_TAILROOM];
} packet;

static void dispatch(lab_node *n, router_packet *p);

/* ---- Streams ---- */

static stream *find_by_router(const lab_node *n, uint64_t id)
{
    for (map_node *m = map_first(&n->by_router, rng_mix(id)); m; m = map_next(m)) {
        stream *s = CONTAINER_OF(m, stream, by_router);
        if (s->router_id == id)
            return s;
    }
    return NULL;
}

static stream *find_by_tcp(const lab_node *n, uint64_t id)
{
    for (map_node *m = map_first(&n->by_tcp, rng_mix(id)); m; m = map_next(m)) {
        stream *s = CONTAINER_OF(m, stream, by_tcp);
        if (s->tcp_id == id)
            return s;
    }
    return NULL;
}

static bool add_stream(lab_node *n, uint64_t router_id, uint64_t tcp_id, bool up)
{
    stream *s = calloc(1, sizeof(*s));
    if (!s)
        return false;
    s->router_id = router_id;
    s->tcp_id = tcp_id;
    s->up = up;
    s->next = n->streams;
    s->link = &n->streams;
    if (s->next)
        s->next->link = &s->next;
    n->streams = s;
    map_insert(&n->by_router, &n->lab->alloc, &s->by_router, rng_mix(router_id));
    map_insert(&n->by_tcp, &n->lab->alloc, &s->by_tcp, rng_mix(tcp_id));
    return true;
}

static void remove_stream(lab_node *n, stream *s)
{
    map_remove(&n->by_router, &s->by_router);
    map_remove(&n->by_tcp, &s->by_tcp);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    n->ending -= s->ending;
    n->stalled -= s->stalled;
    free(s);
}

static void give_credit(lab_node *n, const stream *s)
{
    if (s->up && !s->ending)
        (void)router_stream_credit(n->router, n->lab->now, s->router_id,
                                   vtcp_room(n->tcp, s->tcp_id));
}

static void connect_stream(lab_node *n, const router_event *e)
{
    router_addr local = e->local;
    local.port = 0;
    uint64_t id = 0;
    if (vtcp_connect(n->tcp, n->lab->now, &local, &e->remote, &id) == VTCP_OK &&
        add_stream(n, e->stream, id, false))
        return;
    (void)vtcp_abort(n->tcp, n->lab->now, id);
    (void)router_stream_down(n->router, n->lab->now, e->stream);
}

static void end_stream(lab_node *n, uint64_t id)
{
    stream *s = find_by_router(n, id);
    if (!s || s->ending)
        return;
    s->ending = true;
    n->ending++;
}

/* After the last bytes of those that end were polled. */
static void close_ended(lab_node *n)
{
    for (stream *s = n->ending ? n->streams : NULL, *next; s; s = next) {
        next = s->next;
        if (!s->ending)
            continue;
        (void)vtcp_close(n->tcp, n->lab->now, s->tcp_id);
        remove_stream(n, s);
    }
}

static void deliver(lab_node *n, stream *s)
{
    const uint8_t *bytes;
    size_t len, consumed = 0;
    if (!s->up || vtcp_peek(n->tcp, s->tcp_id, &bytes, &len) != VTCP_OK || len == 0)
        return;
    /* After an end that the router wanted, nobody reads. */
    if (s->ending)
        consumed = len;
    else if (router_stream_input(n->router, n->lab->now, s->router_id, bytes, len, &consumed) < 0)
        consumed = 0;
    n->stalled -= s->stalled;
    s->stalled = consumed < len;
    n->stalled += s->stalled;
    (void)vtcp_consume(n->tcp, n->lab->now, s->tcp_id, consumed);
}

static void deliver_stalled(lab_node *n)
{
    for (stream *s = n->stalled ? n->streams : NULL; s; s = s->next)
        if (s->stalled)
            deliver(n, s);
}

static void stream_event(lab_node *n, const vtcp_event *e)
{
    stream *s = find_by_tcp(n, e->id);
    const uint64_t now = n->lab->now;
    switch (e->kind) {
    case VTCP_EVENT_UP:
        if (e->accepted) {
            uint64_t id;
            if (router_stream_accept(n->router, now, &e->local, &e->peer, &id) < 0 ||
                !add_stream(n, id, e->id, true)) {
                (void)vtcp_abort(n->tcp, now, e->id);
                return;
            }
            s = find_by_tcp(n, e->id);
        } else if (s) {
            s->up = true;
            (void)router_stream_up(n->router, now, s->router_id, &e->local);
        }
        if (s)
            give_credit(n, s);
        break;
    case VTCP_EVENT_READABLE:
        if (s) {
            deliver(n, s);
        } else {
            const uint8_t *bytes;
            size_t len;
            if (vtcp_peek(n->tcp, e->id, &bytes, &len) == VTCP_OK)
                (void)vtcp_consume(n->tcp, now, e->id, len);
        }
        break;
    case VTCP_EVENT_WRITABLE:
        if (s)
            give_credit(n, s);
        break;
    case VTCP_EVENT_PEER_DONE:
        (void)vtcp_close(n->tcp, now, e->id);
        /* fall through */
    default:
        if (!s)
            return;
        if (!s->ending)
            (void)router_stream_down(n->router, now, s->router_id);
        remove_stream(n, s);
        break;
    }
}

static void stream_output(lab_node *n, uint64_t id, const uint8_t *bytes, size_t len)
{
    const stream *s = find_by_router(n, id);
    size_t taken = 0;
    if (!s)
        return;
    if (vtcp_send(n->tcp, n->lab->now, s->tcp_id, bytes, len, &taken) != VTCP_OK || taken < len)
        n->lab->failed = true; /* more than the credit */
    give_credit(n, s);
}

/* ---- Packets ---- */

static void through_router(lab_node *n, router_packet *p)
{
    if (router_rx_batch(n->router, 0, n->lab->now, p, 1) == ROUTER_YES) {
        (void)router_timeout(n->router, n->lab->now);
        n->stirred = true;
    }
    dispatch(n, p);
}

static void to_tun(lab_node *n, uint32_t vrf, const uint8_t *bytes, size_t len)
{
    lab *l = n->lab;
    if (l->capture)
        capture_packet(l->capture, n->links[vrf], l->now, bytes, len);
    if (vrf == ROUTER_GLOBAL_VRF) {
        (void)vtcp_input(n->tcp, l->now, bytes, len);
        n->stirred = true;
    } else {
        lab_customer_packet(l, n, vrf, bytes, len);
    }
}

static void dispatch(lab_node *n, router_packet *p)
{
    switch (p->verdict) {
    case ROUTER_VERDICT_TUN:
        to_tun(n, p->vrf, p->buf + p->offset, p->len);
        break;
    case ROUTER_VERDICT_UNDERLAY:
        lab_node_sends(n->lab, n, &p->path, p->buf + p->offset, p->len);
        break;
    case ROUTER_VERDICT_CONTROL:
        n->unheard++;
        n->stirred = true;
        n->refused += router_control_input(n->router, n->lab->now, p) < 0;
        break;
    default:
        break;
    }
}

static void from_tun(lab_node *n, uint32_t vrf, const uint8_t *bytes, size_t len)
{
    packet p;
    if (len > PACKET_BYTES)
        return;
    if (n->lab->capture)
        capture_packet(n->lab->capture, n->links[vrf], n->lab->now, bytes, len);
    memset(&p.meta, 0, sizeof(p.meta));
    memcpy(p.buf + ROUTER_HEADROOM, bytes, len);
    p.meta.buf = p.buf;
    p.meta.cap = sizeof(p.buf);
    p.meta.offset = ROUTER_HEADROOM;
    p.meta.len = len;
    p.meta.port = ROUTER_PORT_TUN;
    p.meta.vrf = vrf;
    through_router(n, &p.meta);
}

void node_customer(lab_node *n, uint32_t vrf, const uint8_t *bytes, size_t len)
{
    from_tun(n, vrf, bytes, len);
}

void node_datagram(lab_node *n, network_datagram *d)
{
    router_packet p = {.buf = d->buf,
                       .cap = ROUTER_HEADROOM + d->len + ROUTER_TAILROOM,
                       .offset = ROUTER_HEADROOM,
                       .len = d->len,
                       .port = ROUTER_PORT_UNDERLAY,
                       .path = d->path};
    through_router(n, &p);
}

/* ---- The loop ---- */

void node_timeout(lab_node *n)
{
    (void)router_timeout(n->router, n->lab->now);
    (void)vtcp_timeout(n->tcp, n->lab->now);
}

uint64_t node_deadline(const lab_node *n)
{
    const uint64_t router_at = router_deadline(n->router);
    const uint64_t tcp_at = vtcp_deadline(n->tcp);
    return router_at < tcp_at ? router_at : tcp_at;
}

static bool take_events(lab_node *n)
{
    bool any = false;
    router_event e;
    while (router_poll_event(n->router, &e) == ROUTER_YES) {
        any = true;
        lab_node_event(n->lab, n, &e);
        if (e.kind == ROUTER_EVENT_STREAM_CONNECT)
            connect_stream(n, &e);
        else if (e.kind == ROUTER_EVENT_STREAM_CLOSE)
            end_stream(n, e.stream);
    }
    vtcp_event t;
    while (vtcp_poll_event(n->tcp, &t) == VTCP_YES) {
        any = true;
        stream_event(n, &t);
    }
    return any;
}

static bool take_output(lab_node *n)
{
    static uint8_t buf[ROUTER_OUTPUT_BYTES];
    bool any = false;
    router_output out;
    while (router_poll_output(n->router, n->lab->now, buf, sizeof(buf), &out) == ROUTER_YES) {
        any = true;
        if (out.kind == ROUTER_OUTPUT_STREAM)
            stream_output(n, out.stream, buf, out.len);
        else
            lab_node_sends(n->lab, n, &out.path, buf, out.len);
    }
    close_ended(n);
    size_t len;
    while (vtcp_poll_output(n->tcp, n->lab->now, buf, PACKET_BYTES, &len) == VTCP_YES) {
        any = true;
        from_tun(n, ROUTER_GLOBAL_VRF, buf, len);
    }
    return any;
}

void node_settle(lab_node *n)
{
    n->unheard = 0;
    n->stirred = false;
    for (int round = 0; round < SETTLE_ROUNDS; round++) {
        const bool events = take_events(n);
        const bool outputs = take_output(n);
        if (node_deadline(n) <= n->lab->now) {
            node_timeout(n);
            deliver_stalled(n);
        } else if (!events && !outputs) {
            return;
        }
    }
    n->lab->failed = true;
}

static bool add_links(lab_node *n, lab_node *old, const router_config *config)
{
    lab *l = n->lab;
    if (old) {
        n->links = old->links;
        old->links = NULL;
        return true;
    }
    n->links = calloc(l->options.plan.vrfs + 1, sizeof(*n->links));
    for (size_t i = 0; n->links && i <= config->vrf_count; i++) {
        char name[PLAN_NAME_BYTES + ROUTER_NAME_BYTES + 1];
        snprintf(name, sizeof(name), "%s-%s", n->name, i ? config->vrfs[i - 1].name : "global");
        n->links[i ? config->vrfs[i - 1].id : ROUTER_GLOBAL_VRF] =
            capture_add_link(l->capture, name);
    }
    return n->links != NULL;
}

lab_node *node_new(lab *l, uint32_t number, lab_node *old, const char **problem)
{
    static router_config config; /* large */
    plan_config(&l->options.plan, number, (uint32_t)l->restarted, &config);
    vtcp_config tcp;
    vtcp_config_init(&tcp);
    tcp.mss = (uint16_t)(config.tunnel_mtu - ip_header_bytes(config.tunnel.family) -
                         SEGMENT_HEADER_BYTES);
    tcp.send_bytes = STREAM_BYTES;
    tcp.max_connections = l->options.plan.spokes + 16;
    tcp.seed = l->options.plan.seed ^ rng_mix(~(uint64_t)number - (l->restarted << 32));

    *problem = "no memory";
    lab_node *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->lab = l;
    n->number = number;
    plan_name(number, n->name);
    n->joined = heap_join(&l->timers, &l->alloc, &n->timer);
    if (!map_init(&n->by_router, &l->alloc) || !map_init(&n->by_tcp, &l->alloc) || !n->joined ||
        vtcp_new(&tcp, &n->tcp) != VTCP_OK ||
        router_new(&config, l->now, &n->router, problem) != ROUTER_OK) {
        node_free(n);
        return NULL;
    }
    vtcp_listen(n->tcp, config.bgp_port);
    if (l->capture) {
        router_set_keylog(n->router, capture_key, l->capture);
        if (!add_links(n, old, &config)) {
            node_free(n);
            return NULL;
        }
    }
    node_free(old);
    return n;
}

void node_free(lab_node *n)
{
    if (!n)
        return;
    while (n->streams)
        remove_stream(n, n->streams);
    map_free(&n->by_router, &n->lab->alloc);
    map_free(&n->by_tcp, &n->lab->alloc);
    if (n->joined)
        heap_leave(&n->lab->timers, &n->timer);
    router_free(n->router);
    vtcp_free(n->tcp);
    free(n->links);
    free(n);
}
