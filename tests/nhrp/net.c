/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "net.h"

#include <stdlib.h>
#include <string.h>

nhrp_addr ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {a, b, c, d}};
}

nhrp_addr prefix4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len)
{
    nhrp_addr p = ip4(a, b, c, d);
    p.prefix_len = len;
    return p;
}

nhrp_addr in_vrf(nhrp_addr a, uint32_t vrf)
{
    a.scope = vrf;
    return a;
}

void net_init(net *n, uint64_t seed, const vnet_rules *rules)
{
    static const vnet_rules quiet = {.delay_ms = 10};
    memset(n, 0, sizeof(*n));
    n->now_ms = 1000;
    n->tunnel_delay_ms = 300;
    n->wire = vnet_new(seed, rules ? rules : &quiet);
}

void net_end(net *n)
{
    for (int i = 0; i < n->count; i++)
        nhrp_engine_free(n->nodes[i].engine);
    vnet_free(n->wire);
}

/* Node number k: tunnel address 172.16.1.k, NBMA address 192.168.1.k. */
node *net_node(net *n, uint8_t number, fail_alloc *f, const nhrp_interface_config *interface,
               const nhrp_config *config)
{
    node *d = &n->nodes[n->count];
    nhrp_config c;
    nhrp_interface_config i;
    assert_true(n->count < MAX_NODES);
    (void)nhrp_config_init(&c);
    (void)nhrp_interface_config_init(&i);
    if (config)
        c = *config;
    if (interface)
        i = *interface;
    i.network_id = i.network_id ? i.network_id : NETWORK;
    memset(c.seed, number, sizeof(c.seed));
    if (f) {
        c.allocator.resize = fail_alloc_resize;
        c.allocator.user = f;
    }
    memset(d, 0, sizeof(*d));
    d->net = n;
    d->index = n->count;
    d->tunnel = ip4(172, 16, 1, number);
    d->nbma = d->outer = ip4(192, 168, 1, number);
    d->recent = d->answers = true;
    d->next_link = 100;
    if (nhrp_engine_new(&c, n->now_ms, &d->engine) != NHRP_OK)
        return NULL;
    n->count++;
    if (nhrp_engine_interface_add(d->engine, n->now_ms, INTERFACE, &i) != NHRP_OK)
        return NULL;
    return d;
}

static net_link *link_slot(node *d, uint32_t id)
{
    for (size_t i = 0; i < MAX_LINKS; i++)
        if (d->links[i].id == id)
            return &d->links[i];
    fail_msg("node %d has no link %u", d->index, id);
    return NULL;
}

static bool half(net *n, node *d, uint32_t id, const node *peer, uint32_t peer_id, uint32_t flags)
{
    nhrp_link_config c;
    (void)nhrp_link_config_init(&c);
    c.interface = INTERFACE;
    c.flags = flags;
    c.local_nbma = d->nbma;
    c.local_protocol_ipv4 = d->tunnel;
    c.local_protocol_ipv6 = d->tunnel6;
    c.local_link_local = d->link_local;
    c.peer_nbma = peer->outer;
    c.peer_protocol_ipv4 = peer->tunnel;
    c.peer_protocol_ipv6 = peer->tunnel6;
    net_link *slot = link_slot(d, 0);
    *slot = (net_link){id, peer->index, peer_id};
    if (nhrp_engine_link_up(d->engine, n->now_ms, id, &c) == NHRP_OK)
        return true;
    slot->id = 0;
    return false;
}

void net_connect(net *n, node *a, uint32_t a_link, node *b, uint32_t b_link, uint32_t flags)
{
    (void)half(n, a, a_link, b, b_link, flags);
    (void)half(n, b, b_link, a, a_link, 0);
}

/* A multipoint link: its packets reach the node whose outer address they are for. */
void net_multipoint(net *n, node *d, uint32_t link, uint32_t flags)
{
    nhrp_link_config c;
    (void)nhrp_link_config_init(&c);
    c.interface = INTERFACE;
    c.flags = NHRP_LINK_MULTIPOINT | flags;
    c.local_nbma = d->nbma;
    c.local_protocol_ipv4 = d->tunnel;
    c.local_protocol_ipv6 = d->tunnel6;
    net_link *slot = link_slot(d, 0);
    if (nhrp_engine_link_up(d->engine, n->now_ms, link, &c) == NHRP_OK)
        *slot = (net_link){link, ANY, 0};
}

void net_disconnect(net *n, node *a, uint32_t a_link)
{
    net_link *l = link_slot(a, a_link);
    node *b = &n->nodes[l->peer];
    (void)nhrp_engine_link_down(b->engine, n->now_ms, l->peer_link);
    link_slot(b, l->peer_link)->id = 0;
    (void)nhrp_engine_link_down(a->engine, n->now_ms, a_link);
    l->id = 0;
}

void node_route(node *d, uint32_t vrf, nhrp_addr prefix, uint32_t link, uint32_t label)
{
    assert_true(d->route_count < MAX_ROUTES);
    d->routes[d->route_count++] = (net_route){vrf, prefix, link, label, link != 0};
}

void node_label(node *d, uint32_t label, uint32_t vrf, uint32_t link)
{
    assert_true(d->label_count < MAX_LABELS);
    d->labels[d->label_count++] = (net_label){label, vrf, link, 0, 0};
}

static bool covers(const nhrp_addr *p, const nhrp_addr *a, uint8_t bits)
{
    if (p->family != a->family || bits < p->prefix_len)
        return false;
    for (size_t i = 0; i < p->prefix_len; i++)
        if ((p->bytes[i / 8] ^ a->bytes[i / 8]) & 0x80 >> i % 8)
            return false;
    return true;
}

static uint8_t bits_of(const nhrp_addr *a)
{
    return a->family == NHRP_FAMILY_IPV4 ? 32 : 128;
}

static const net_route *longest(const node *d, uint32_t vrf, const nhrp_addr *a)
{
    const net_route *best = NULL;
    for (size_t i = 0; i < d->route_count; i++) {
        const net_route *r = &d->routes[i];
        if (r->vrf == vrf && covers(&r->prefix, a, bits_of(a)) &&
            (!best || r->prefix.prefix_len > best->prefix.prefix_len))
            best = r;
    }
    return best;
}

static const net_label *context_of(const node *d, const nhrp_question *q)
{
    for (size_t i = 0; i < d->label_count; i++)
        if (d->labels[i].label == q->labels[0] && q->label_count == 1 &&
            (d->labels[i].link == 0 || d->labels[i].link == q->link))
            return &d->labels[i];
    return NULL;
}

static void from_route(nhrp_route *out, const net_route *r)
{
    out->kind = r->link ? NHRP_ROUTE_FORWARD : NHRP_ROUTE_LOCAL;
    out->vrf = r->vrf;
    out->link = r->link;
    out->label_count = r->label != 0;
    out->labels[0] = r->label;
    out->prefix = r->prefix;
}

/* The widest part of the offer that holds the destination and covers nothing local. */
static void cut(const node *d, const nhrp_question *q, nhrp_route *out)
{
    nhrp_addr p = q->prefix;
    for (bool clean = false; !clean;) {
        memset(p.bytes, 0, sizeof(p.bytes));
        for (size_t i = 0; i < p.prefix_len; i++)
            if (q->destination.bytes[i / 8] & 0x80 >> i % 8)
                p.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
        clean = true;
        for (size_t i = 0; i < d->route_count; i++)
            if (d->routes[i].vrf == q->vrf && d->routes[i].link == 0 &&
                covers(&p, &d->routes[i].prefix, d->routes[i].prefix.prefix_len))
                clean = false;
        if (!clean)
            p.prefix_len++;
    }
    out->kind = NHRP_ROUTE_LOCAL;
    out->vrf = q->vrf;
    out->prefix = p;
}

static void answer_route(node *d, const nhrp_event *ev, const nhrp_question *q)
{
    nhrp_route out;
    uint32_t vrf = q->vrf;
    const net_label *context = q->label_count ? context_of(d, q) : NULL;
    (void)nhrp_route_init(&out);
    if (context)
        vrf = context->vrf;
    const net_route *to = longest(d, vrf, &q->destination);
    if (q->purpose == NHRP_PURPOSE_REPLY) {
        cut(d, q, &out);
    } else if (q->label_count && !context) {
        out.kind = q->purpose == NHRP_PURPOSE_REQUEST ? NHRP_ROUTE_PROHIBITED : NHRP_ROUTE_NONE;
    } else if (context && context->swap_link) {
        out = (nhrp_route){.struct_size = sizeof(out), .kind = NHRP_ROUTE_FORWARD, .vrf = vrf};
        out.link = context->swap_link;
        out.label_count = 1;
        out.labels[0] = context->swap_label;
        out.prefix = q->prefix;
    } else if (q->purpose == NHRP_PURPOSE_REDIRECT) {
        const net_route *from = NULL;
        for (size_t i = 0; i < d->route_count; i++)
            if (d->routes[i].vrf == vrf && d->routes[i].link == q->link &&
                covers(&d->routes[i].prefix, &q->source, bits_of(&q->source)))
                from = &d->routes[i];
        if (from)
            from_route(&out, from);
    } else if (to) {
        from_route(&out, to);
        if (q->purpose == NHRP_PURPOSE_INDICATION) {
            const net_route *from = longest(d, vrf, &q->source);
            if (from && from->link == 0)
                out.flags |= NHRP_ROUTE_SOURCE_LOCAL;
            if (d->recent)
                out.flags |= NHRP_ROUTE_RECENT;
        }
    }
    d->last_answer = nhrp_engine_answer_route(d->engine, d->net->now_ms, ev->ask_id, &out);
}

static void answer_tunnel(node *d, const nhrp_event *ev, const nhrp_question *q)
{
    net *n = d->net;
    if (d->tunnels == TUNNELS_SILENT)
        return;
    if (d->tunnels == TUNNELS_FAIL) {
        d->last_answer =
            nhrp_engine_answer_tunnel(d->engine, n->now_ms, ev->ask_id, NHRP_TUNNEL_FAILED, 0);
        return;
    }
    for (size_t i = 0; i < MAX_TUNNELS; i++)
        if (!n->tunnels[i].pending) {
            n->tunnels[i] =
                (net_tunnel){n->now_ms + n->tunnel_delay_ms, d->index, q->nbma, ev->ask_id, true};
            return;
        }
}

static bool same(const nhrp_addr *a, const nhrp_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, 16) == 0;
}

static void tunnel_up(net *n, const net_tunnel *t)
{
    node *a = &n->nodes[t->from];
    for (int i = 0; i < n->count; i++) {
        node *b = &n->nodes[i];
        if (!same(&b->outer, &t->nbma))
            continue;
        for (size_t k = 0; k < MAX_LINKS; k++)
            if (a->links[k].id && a->links[k].peer == i)
                return; /* there is one */
        net_connect(n, a, a->next_link++, b, b->next_link++, 0);
    }
}

static bool handle_events(node *d)
{
    nhrp_event ev;
    bool any = false;
    while (nhrp_engine_poll_event(d->engine, &ev) == NHRP_YES) {
        any = true;
        if (d->event_count < MAX_EVENTS)
            d->events[d->event_count++] = ev;
        if (!ev.ask_id)
            continue;
        nhrp_question q = {.struct_size = sizeof(q)};
        if (nhrp_engine_get_question(d->engine, ev.ask_id, &q) != NHRP_OK)
            continue;
        d->last_ask = ev.ask_id;
        d->last_ask_purpose = q.purpose;
        d->last_question = q;
        if (!d->answers)
            continue;
        if (ev.kind == NHRP_EVENT_ASK_ROUTE)
            answer_route(d, &ev, &q);
        else
            answer_tunnel(d, &ev, &q);
    }
    return any;
}

/* The multipoint link, if it has one, of the node with the outer address; false: nobody. */
static bool multipoint_of(const net *n, const nhrp_addr *outer, net_link *to)
{
    for (int i = 0; i < n->count; i++)
        for (size_t k = 0; k < MAX_LINKS && same(&n->nodes[i].outer, outer); k++)
            if (n->nodes[i].links[k].id && n->nodes[i].links[k].peer == ANY) {
                *to = (net_link){0, i, n->nodes[i].links[k].id};
                return true;
            }
    return false;
}

static bool handle_outputs(node *d)
{
    net *n = d->net;
    uint8_t buf[2048];
    nhrp_output out;
    bool any = false;
    while (nhrp_engine_poll_output(d->engine, n->now_ms, buf, sizeof(buf), &out) == NHRP_YES) {
        any = true;
        n->sent[out.type]++;
        if (n->tap)
            n->tap(buf, (size_t)out.len);
        if (out.type == n->watch) {
            memcpy(n->last, buf, (size_t)out.len);
            n->last_len = (size_t)out.len;
        }
        for (size_t i = 0; i < MAX_LINKS; i++) {
            net_link to = d->links[i];
            if (to.id == out.link && (to.peer != ANY || multipoint_of(n, &out.to, &to)))
                vnet_send(n->wire, n->now_ms, (uint32_t)d->index, (uint32_t)to.peer, to.peer_link,
                          buf, (size_t)out.len);
        }
    }
    return any;
}

void net_settle(net *n)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < MAX_TUNNELS; i++)
            if (n->tunnels[i].pending && n->tunnels[i].at_ms <= n->now_ms) {
                n->tunnels[i].pending = false;
                tunnel_up(n, &n->tunnels[i]);
            }
        for (int i = 0; i < n->count; i++) {
            again |= nhrp_engine_timeout(n->nodes[i].engine, n->now_ms) == NHRP_YES;
            again |= handle_events(&n->nodes[i]);
            again |= handle_outputs(&n->nodes[i]);
        }
        vnet_datagram g;
        while (vnet_receive(n->wire, n->now_ms, &g)) {
            again = true;
            if (!n->nodes[g.to].deaf)
                (void)nhrp_engine_input(n->nodes[g.to].engine, n->now_ms, (uint32_t)g.tag,
                                        &n->nodes[g.from].outer, g.bytes, g.len);
            (void)handle_events(&n->nodes[g.to]);
            vnet_release(&g);
        }
    }
}

void net_run(net *n, uint64_t until_ms)
{
    for (;;) {
        net_settle(n);
        uint64_t next = vnet_deadline(n->wire);
        for (int i = 0; i < n->count; i++) {
            const uint64_t d = nhrp_engine_deadline(n->nodes[i].engine);
            next = d < next ? d : next;
        }
        for (size_t i = 0; i < MAX_TUNNELS; i++)
            if (n->tunnels[i].pending && n->tunnels[i].at_ms < next)
                next = n->tunnels[i].at_ms;
        if (next > until_ms)
            break;
        n->now_ms = next > n->now_ms ? next : n->now_ms;
    }
    n->now_ms = until_ms > n->now_ms ? until_ms : n->now_ms;
    net_settle(n);
}

nhrp_rc hub_hairpin(node *hub, uint32_t in_link, uint32_t out_link, uint32_t label,
                    nhrp_addr source, nhrp_addr destination)
{
    uint8_t ip[84] = {0x45, 0, 0, 84, 0, 0, 0x40, 0, 64, 1};
    memcpy(ip + 12, source.bytes, 4);
    memcpy(ip + 16, destination.bytes, 4);
    for (uint8_t i = 20; i < 84; i++)
        ip[i] = i;
    return nhrp_engine_hairpin(hub->engine, hub->net->now_ms, in_link, out_link,
                               label ? &label : NULL, label != 0, ip, sizeof(ip));
}

size_t node_events(const node *d, uint32_t kind)
{
    size_t n = 0;
    for (size_t i = 0; i < d->event_count; i++)
        n += d->events[i].kind == kind;
    return n;
}

const nhrp_event *node_event(const node *d, uint32_t kind)
{
    for (size_t i = d->event_count; i-- > 0;)
        if (d->events[i].kind == kind)
            return &d->events[i];
    return NULL;
}

bool node_mapping(const node *d, uint32_t kind, nhrp_mapping *out)
{
    uint64_t it = 0;
    out->struct_size = sizeof(*out);
    while (nhrp_engine_next_mapping(d->engine, &it, out) == NHRP_YES)
        if (out->kind == kind)
            return true;
    return false;
}

uint64_t node_dropped(const node *d, nhrp_rc reason)
{
    nhrp_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(nhrp_engine_get_counters(d->engine, INTERFACE, &c), NHRP_OK);
    return c.dropped[NHRP_ERR_TRUNCATED - reason];
}

uint64_t node_sent(const node *d, uint8_t type)
{
    nhrp_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(nhrp_engine_get_counters(d->engine, INTERFACE, &c), NHRP_OK);
    return c.sent[type];
}

/* A server of the node's by its id; state 0: none. */
nhrp_server node_server(const node *d, uint64_t id)
{
    nhrp_server s = {.struct_size = sizeof(s)};
    uint64_t it = id - 1;
    if (nhrp_engine_next_server(d->engine, &it, &s) != NHRP_YES || s.id != id)
        s.state = 0;
    return s;
}

void describe_engine(description *d, const nhrp_engine *e)
{
    nhrp_server s = {.struct_size = sizeof(s)};
    nhrp_mapping m = {.struct_size = sizeof(m)};
    nhrp_link l = {.struct_size = sizeof(l)};
    nhrp_question q = {.struct_size = sizeof(q)};
    const uint64_t deadline = nhrp_engine_deadline(e);
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(e, &it, &m) == NHRP_YES)
        describe(d, &m, sizeof(m));
    for (it = 0; nhrp_engine_next_link(e, &it, &l) == NHRP_YES;) {
        l.identity = NULL;
        describe(d, &l, sizeof(l));
    }
    for (it = 0; nhrp_engine_next_server(e, &it, &s) == NHRP_YES;)
        describe(d, &s, sizeof(s));
    for (uint64_t ask = 1; ask < MAX_ASKS; ask++)
        if (nhrp_engine_get_question(e, ask, &q) == NHRP_OK)
            describe(d, &q, sizeof(q));
    describe(d, &deadline, sizeof(deadline));
}

/*
 * Hub 172.16.1.100, spokes 172.16.1.1 with 10.1.1.0/24 and .2 with 10.2.2.0/24, both in CUSTOMER;
 * the hub advertises 10.0.0.0/8. Labels: hub 1000, spoke1 101, spoke2 202. OTHER has the same
 * prefixes by labels 1001, 111, 212.
 */
void walk_build(net *n, fail_alloc *f, const nhrp_interface_config *interface)
{
    static const uint8_t numbers[] = {100, 1, 2};
    for (size_t i = 0; i < 3; i++)
        if (!net_node(n, numbers[i], f, interface, NULL))
            return;
    node *hub = &n->nodes[0];
    for (uint8_t s = 1; s <= 2; s++) {
        node *spoke = &n->nodes[s];
        net_connect(n, spoke, 1, hub, s, 0);
        for (uint8_t v = 0; v < 2; v++) {
            const uint32_t vrf = v ? OTHER : CUSTOMER;
            const uint32_t own = (s == 1 ? 101u : 202u) + v * 10u;
            node_route(spoke, vrf, prefix4(10, s, s, 0, 24), 0, own);
            node_route(spoke, vrf, prefix4(10, 0, 0, 0, 8), 1, 1000u + v);
            node_label(spoke, own, vrf, 0);
            node_route(hub, vrf, prefix4(10, s, s, 0, 24), s, own);
        }
    }
    node_label(hub, 1000, CUSTOMER, 0);
    node_label(hub, 1001, OTHER, 0);
}

nhrp_rc walk_packet(net *n)
{
    return hub_hairpin(&n->nodes[0], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102));
}

void walk_shortcut(net *n)
{
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 3000);
}

int walk_setup(void **state)
{
    net *n = malloc(sizeof(*n));
    if (!n)
        return -1;
    net_init(n, 1, NULL);
    walk_build(n, NULL, NULL);
    *state = n;
    return 0;
}

int walk_teardown(void **state)
{
    net *n = *state;
    net_end(n);
    free(n);
    return 0;
}
