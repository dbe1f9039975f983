/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "net.h"

#include <stdlib.h>
#include <string.h>

net *net_new(uint64_t seed)
{
    net *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    n->random.state = seed;
    n->now_ms = 1000;
    n->credit = NET_BUFFER;
    return n;
}

void net_free(net *n)
{
    for (uint32_t i = 0; i < NET_NODES; i++) {
        bgpvpn_engine_free(n->node[i].engine);
        free(n->node[i].routes);
        free(n->node[i].labels);
    }
    for (uint32_t i = 0; i < NET_STREAMS; i++) {
        free(n->stream[i].to[0].bytes);
        free(n->stream[i].to[1].bytes);
    }
    free(n);
}

void net_prefix(uint32_t ip, uint8_t len, bgpvpn_addr *out)
{
    memset(out, 0, sizeof(*out));
    out->family = BGPVPN_FAMILY_IPV4;
    out->prefix_len = len;
    for (int i = 0; i < 4; i++)
        out->bytes[i] = (uint8_t)(ip >> (24 - 8 * i));
}

void net_config(uint32_t i, bgpvpn_config *cfg)
{
    assert_int_equal(bgpvpn_config_init(cfg), BGPVPN_OK);
    cfg->local_as = 65000;
    cfg->router_id = 0x0a000001 + i;
    memset(cfg->seed, (int)(i + 1), sizeof(cfg->seed));
}

bgpvpn_engine *net_engine(net *n, uint32_t i, const bgpvpn_config *cfg)
{
    bgpvpn_config ours;
    net_node *node = &n->node[i];
    net_config(i, &ours);
    net_prefix(0x0a000001 + i, 0, &node->addr);
    node->next_label = 100000 + i * 10000;
    node->routes = calloc(NET_ROUTES, sizeof(*node->routes));
    node->labels = calloc(NET_ROUTES, sizeof(*node->labels));
    assert_non_null(node->routes);
    assert_non_null(node->labels);
    assert_int_equal(bgpvpn_engine_new(cfg ? cfg : &ours, n->now_ms, &node->engine), BGPVPN_OK);
    return node->engine;
}

uint64_t net_neighbor_with(net *n, uint32_t i, uint32_t j, uint32_t flags, uint32_t tables)
{
    bgpvpn_neighbor_config cfg;
    uint64_t id = 0;
    assert_int_equal(bgpvpn_neighbor_config_init(&cfg), BGPVPN_OK);
    net_prefix(0x0a000001 + j, 0, &cfg.address);
    cfg.remote_as = 65000;
    cfg.flags = flags;
    cfg.tables = tables;
    cfg.connect_retry_s = 5;
    assert_int_equal(bgpvpn_engine_neighbor_add(n->node[i].engine, n->now_ms, &cfg, &id),
                     BGPVPN_OK);
    return id;
}

uint64_t net_neighbor(net *n, uint32_t i, uint32_t j, uint32_t flags)
{
    return net_neighbor_with(n, i, j, flags, BGPVPN_TABLE_VPNV4);
}

void net_vrf(net *n, uint32_t i, uint32_t vrf, uint32_t rd, uint32_t rt)
{
    uint8_t rts[8];
    bgpvpn_vrf_config cfg = {.struct_size = sizeof(cfg), .vrf = vrf};
    assert_int_equal(bgpvpn_rd_make(65000, rd, 0, cfg.rd), BGPVPN_OK);
    assert_int_equal(bgpvpn_rt_make(65000, rt, 0, rts), BGPVPN_OK);
    cfg.import_rts = cfg.export_rts = rts;
    cfg.import_rts_len = cfg.export_rts_len = sizeof(rts);
    assert_int_equal(bgpvpn_engine_vrf_add(n->node[i].engine, n->now_ms, &cfg), BGPVPN_OK);
}

void net_announce(net *n, uint32_t i, uint32_t vrf, uint32_t ip, uint8_t len, uint32_t label)
{
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = label};
    net_prefix(ip, len, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(n->node[i].engine, n->now_ms, vrf, &r), BGPVPN_OK);
}

void net_withdraw(net *n, uint32_t i, uint32_t vrf, uint32_t ip, uint8_t len)
{
    bgpvpn_addr prefix;
    net_prefix(ip, len, &prefix);
    assert_int_equal(bgpvpn_engine_withdraw(n->node[i].engine, n->now_ms, vrf, &prefix), BGPVPN_OK);
}

static uint32_t node_at(const net *n, const bgpvpn_addr *addr)
{
    for (uint32_t i = 0; i < NET_NODES; i++)
        if (n->node[i].engine && memcmp(n->node[i].addr.bytes, addr->bytes, 16) == 0)
            return i;
    return NET_NODES;
}

static net_stream *stream_of(net *n, uint32_t i, uint64_t id, int *side)
{
    for (uint32_t s = 0; s < NET_STREAMS; s++) {
        for (int k = 0; k < 2; k++) {
            net_stream *st = &n->stream[s];
            if (st->used && st->node[k] == i && st->id[k] == id) {
                *side = k;
                return st;
            }
        }
    }
    return NULL;
}

/* One side has gone: the other hears it when it has read what was on the way. */
static void hang_up(net_stream *s, int side)
{
    s->id[side] = 0;
    s->dead = true;
}

static void connect_to(net *n, uint32_t i, uint64_t stream)
{
    bgpvpn_stream_info info = {.struct_size = sizeof(info)};
    bgpvpn_engine *e = n->node[i].engine;
    assert_int_equal(bgpvpn_engine_get_stream(e, stream, &info), BGPVPN_OK);
    const uint32_t j = node_at(n, &info.peer);
    uint64_t other = 0;
    bgpvpn_addr from = n->node[i].addr;
    if (j == NET_NODES || n->node[j].refuses ||
        bgpvpn_engine_accept(n->node[j].engine, n->now_ms, &n->node[j].addr, &from, &other) !=
            BGPVPN_OK) {
        (void)bgpvpn_engine_stream_down(e, n->now_ms, stream);
        return;
    }
    net_stream *s = n->stream;
    while (s->used)
        s++;
    assert_true(s < n->stream + NET_STREAMS);
    memset(s, 0, sizeof(*s));
    s->used = true;
    s->node[0] = i;
    s->node[1] = j;
    s->id[0] = stream;
    s->id[1] = other;
    for (int k = 0; k < 2; k++) {
        s->to[k].bytes = malloc(NET_BUFFER);
        assert_non_null(s->to[k].bytes);
    }
    assert_int_equal(bgpvpn_engine_stream_up(e, n->now_ms, stream, &n->node[i].addr), BGPVPN_OK);
}

static void on_event(net *n, uint32_t i, const bgpvpn_event *ev)
{
    net_node *node = &n->node[i];
    int side;
    net_stream *s;
    switch (ev->kind) {
    case BGPVPN_EVENT_CONNECT:
        connect_to(n, i, ev->parent_id);
        break;
    case BGPVPN_EVENT_CLOSE:
        node->closes++;
        s = stream_of(n, i, ev->parent_id, &side);
        if (s)
            hang_up(s, side);
        break;
    case BGPVPN_EVENT_UP:
        node->ups++;
        node->last = *ev;
        break;
    case BGPVPN_EVENT_DOWN:
        node->downs++;
        node->last = *ev;
        break;
    case BGPVPN_EVENT_FAILED:
        node->fails++;
        node->last = *ev;
        break;
    case BGPVPN_EVENT_END_OF_RIB:
        node->eors++;
        break;
    case BGPVPN_EVENT_REFRESH:
        node->refreshes++;
        break;
    case BGPVPN_EVENT_FAULT:
        node->faults++;
        node->last_fault = *ev;
        break;
    case BGPVPN_EVENT_LIMIT:
        node->limits++;
        break;
    case BGPVPN_EVENT_GONE:
        node->gone++;
        break;
    case BGPVPN_EVENT_ASK_ACCEPT:
    case BGPVPN_EVENT_ASK_NEXT_HOP:
        node->asks++;
        node->last_ask = ev->ask_id;
        break;
    default:
        break;
    }
}

static void on_route(net_node *node, const bgpvpn_route *r)
{
    net_route *free_slot = NULL;
    net_route *slot = NULL;
    for (size_t i = 0; i < node->route_count && !slot; i++) {
        net_route *at = &node->routes[i];
        if (at->up && at->vrf == r->vrf && memcmp(&at->prefix, &r->prefix, sizeof(r->prefix)) == 0)
            slot = at;
        else if (!at->up)
            free_slot = at;
    }
    assert_int_equal(slot != NULL, r->state != BGPVPN_ROUTE_UP);
    if (!slot)
        slot = free_slot ? free_slot : &node->routes[node->route_count++];
    assert_true(node->route_count < NET_ROUTES);
    slot->up = r->state != BGPVPN_ROUTE_DOWN;
    slot->vrf = r->vrf;
    slot->prefix = r->prefix;
    slot->next_hop = r->next_hop;
    slot->label = r->label;
    slot->route_id = r->route_id;
}

static void on_label(net *n, uint32_t i, const bgpvpn_label *l)
{
    net_node *node = &n->node[i];
    size_t at = 0;
    if (l->kind == BGPVPN_LABEL_ASK) {
        if (node->labels_withheld)
            return;
        while (at < node->label_count && node->labels[at].route_id)
            at++;
        assert_true(at < NET_ROUTES);
        node->label_count += at == node->label_count;
        node->labels[at].label = node->next_label++;
        node->labels[at].route_id = l->route_id;
        node->labels[at].out_label = l->out_label;
        node->labels[at].next_hop = l->next_hop;
        assert_int_equal(bgpvpn_engine_answer_label(node->engine, n->now_ms, l->route_id,
                                                    node->labels[at].label),
                         BGPVPN_OK);
        return;
    }
    while (at < node->label_count &&
           (node->labels[at].label != l->label || !node->labels[at].route_id))
        at++;
    assert_true(at < node->label_count); /* only what was given is changed or freed */
    assert_true(node->labels[at].route_id == l->route_id);
    if (l->kind == BGPVPN_LABEL_FREE)
        node->labels[at].route_id = 0;
    node->labels[at].out_label = l->out_label;
    node->labels[at].next_hop = l->next_hop;
}

static bool drain(net *n, uint32_t i)
{
    net_node *node = &n->node[i];
    bool any = false;
    bgpvpn_event ev;
    bgpvpn_route r = {.struct_size = sizeof(r)};
    bgpvpn_label l = {.struct_size = sizeof(l)};
    while (bgpvpn_engine_poll_event(node->engine, &ev) == BGPVPN_YES) {
        on_event(n, i, &ev);
        any = true;
    }
    while (bgpvpn_engine_poll_route(node->engine, &r) == BGPVPN_YES) {
        on_route(node, &r);
        any = true;
    }
    while (bgpvpn_engine_poll_label(node->engine, &l) == BGPVPN_YES) {
        on_label(n, i, &l);
        any = true;
    }
    return any;
}

static bool send_all(net *n, uint32_t i)
{
    net_node *node = &n->node[i];
    uint8_t buf[8192];
    bgpvpn_output out;
    bool any = false;
    for (uint32_t s = 0; s < NET_STREAMS; s++) {
        net_stream *st = &n->stream[s];
        for (int k = 0; st->used && k < 2; k++) {
            if (st->node[k] != i || !st->id[k])
                continue;
            const net_pipe *p = &st->to[1 - k];
            const uint64_t room = n->stalled[i] ? 0 : n->credit - (p->len - p->sent);
            (void)bgpvpn_engine_set_credit(node->engine, n->now_ms, st->id[k], room);
        }
    }
    const size_t cap = n->chunk ? 1 + prng_below(&n->random, n->chunk) : sizeof(buf);
    while (bgpvpn_engine_poll_output(node->engine, n->now_ms, buf,
                                     cap < sizeof(buf) ? cap : sizeof(buf), &out) == BGPVPN_YES) {
        int side;
        net_stream *st = stream_of(n, i, out.stream, &side);
        any = true;
        assert_true(out.len > 0 && out.len <= sizeof(buf));
        if (!st)
            continue;
        net_pipe *p = &st->to[1 - side];
        if (p->len + out.len > NET_BUFFER) {
            memmove(p->bytes, p->bytes + p->sent, p->len - p->sent);
            p->len -= p->sent;
            p->sent = 0;
        }
        assert_true(p->len + out.len <= NET_BUFFER); /* credit is kept to */
        memcpy(p->bytes + p->len, buf, out.len);
        p->len += out.len;
    }
    return any;
}

static bool deliver(net *n, net_stream *s, int side)
{
    net_pipe *p = &s->to[side];
    bgpvpn_engine *e = n->node[s->node[side]].engine;
    if (!s->id[side])
        return false;
    size_t len = p->len - p->sent;
    if (len == 0) {
        if (!s->dead)
            return false;
        (void)bgpvpn_engine_stream_down(e, n->now_ms, s->id[side]);
        s->id[side] = 0;
        return true;
    }
    if (n->chunk) {
        const size_t most = 1 + prng_below(&n->random, n->chunk);
        len = len < most ? len : most;
    }
    if (n->cut_after && n->bytes + len > n->cut_after)
        len = (size_t)(n->cut_after - n->bytes);
    size_t consumed = 0;
    if (len > 0) {
        const bgpvpn_rc rc =
            bgpvpn_engine_input(e, n->now_ms, s->id[side], p->bytes + p->sent, len, &consumed);
        assert_true(rc == BGPVPN_OK || rc == BGPVPN_ERR_ABSENT);
        p->sent += rc == BGPVPN_OK ? consumed : len;
        n->bytes += rc == BGPVPN_OK ? consumed : len;
    }
    if (n->cut_after && n->bytes >= n->cut_after) {
        n->cut_after = 0;
        for (uint32_t i = 0; i < NET_STREAMS; i++) {
            n->stream[i].dead = true;
            n->stream[i].to[0].sent = n->stream[i].to[0].len;
            n->stream[i].to[1].sent = n->stream[i].to[1].len;
        }
    }
    return len > 0;
}

static bool step(net *n)
{
    bool any = false;
    for (uint32_t i = 0; i < NET_NODES; i++) {
        if (!n->node[i].engine)
            continue;
        any |= drain(n, i);
        any |= send_all(n, i);
        any |= drain(n, i);
        any |= bgpvpn_engine_timeout(n->node[i].engine, n->now_ms) == BGPVPN_YES;
        any |= drain(n, i);
    }
    for (uint32_t s = 0; s < NET_STREAMS; s++) {
        net_stream *st = &n->stream[s];
        for (int k = 0; st->used && k < 2; k++)
            any |= deliver(n, st, k);
        if (st->used && st->dead && !st->id[0] && !st->id[1]) {
            free(st->to[0].bytes);
            free(st->to[1].bytes);
            memset(st, 0, sizeof(*st));
        }
    }
    return any;
}

void net_run(net *n, uint64_t ms)
{
    const uint64_t end = n->now_ms + ms;
    uint32_t idle_turns = 0;
    for (;;) {
        if (step(n)) {
            assert_true(++idle_turns < 4000000); /* no livelock */
            continue;
        }
        uint64_t next = end;
        for (uint32_t i = 0; i < NET_NODES; i++) {
            if (!n->node[i].engine)
                continue;
            const uint64_t at = bgpvpn_engine_deadline(n->node[i].engine);
            next = at < next ? at : next;
        }
        if (next <= n->now_ms) /* work that waits for the event ring or for credit */
            next = n->now_ms + 1;
        if (next >= end) {
            n->now_ms = end;
            return;
        }
        n->now_ms = next;
    }
}

void net_cut(net *n, uint32_t i, uint32_t j)
{
    for (uint32_t s = 0; s < NET_STREAMS; s++) {
        net_stream *st = &n->stream[s];
        if (!st->used ||
            !((st->node[0] == i && st->node[1] == j) || (st->node[0] == j && st->node[1] == i)))
            continue;
        st->dead = true;
        st->to[0].sent = st->to[0].len;
        st->to[1].sent = st->to[1].len;
    }
}

const net_route *net_route_of(const net *n, uint32_t i, uint32_t vrf, uint32_t ip, uint8_t len)
{
    bgpvpn_addr prefix;
    net_prefix(ip, len, &prefix);
    for (size_t k = 0; k < n->node[i].route_count; k++) {
        const net_route *r = &n->node[i].routes[k];
        if (r->up && r->vrf == vrf && memcmp(&r->prefix, &prefix, sizeof(prefix)) == 0)
            return r;
    }
    return NULL;
}

size_t net_routes_up(const net *n, uint32_t i)
{
    size_t count = 0;
    for (size_t k = 0; k < n->node[i].route_count; k++)
        count += n->node[i].routes[k].up;
    return count;
}

const net_label *net_label_of(const net *n, uint32_t i, uint32_t label)
{
    for (size_t k = 0; k < n->node[i].label_count; k++)
        if (n->node[i].labels[k].route_id && n->node[i].labels[k].label == label)
            return &n->node[i].labels[k];
    return NULL;
}

void net_info(const net *n, uint32_t i, uint64_t id, bgpvpn_neighbor_info *out)
{
    memset(out, 0, sizeof(*out));
    out->struct_size = sizeof(*out);
    assert_int_equal(bgpvpn_engine_get_neighbor(n->node[i].engine, id, out), BGPVPN_OK);
}

void net_counters(const net *n, uint32_t i, bgpvpn_counters *out)
{
    memset(out, 0, sizeof(*out));
    out->struct_size = sizeof(*out);
    assert_int_equal(bgpvpn_engine_get_counters(n->node[i].engine, out), BGPVPN_OK);
}
