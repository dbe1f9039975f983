/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include "internal/container.h"
#include "node.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MS_PER_S = 1000, LINE_BYTES = 1024, UNHEARD_PACKETS = 16 };

/* ---- Nodes ---- */

static void mark_dirty(lab *l, lab_node *n)
{
    if (n->dirty)
        return;
    n->dirty = true;
    n->next_dirty = NULL;
    *l->dirty_end = n;
    l->dirty_end = &n->next_dirty;
}

/* After a packet: most only pass through a node, and change nothing of what it wants. */
static void mark_stirred(lab *l, lab_node *n)
{
    if (n->stirred)
        mark_dirty(l, n);
}

/* In the order in which something happened to them. */
static void settle(lab *l)
{
    while (l->dirty) {
        lab_node *n = l->dirty;
        l->dirty = n->next_dirty;
        if (!l->dirty)
            l->dirty_end = &l->dirty;
        n->dirty = false;
        node_settle(n);
        heap_set(&l->timers, &n->timer, node_deadline(n));
    }
}

static bool is_ready(const lab_node *n)
{
    for (uint32_t vrf = 1; vrf <= n->lab->options.plan.vrfs; vrf++)
        if (plan_has_vrf(&n->lab->options.plan, n->number, vrf) &&
            !(n->vrfs_ready >> (vrf - 1) & 1))
            return false;
    return true;
}

/* A way to the other customers: the hub's summary, or the first prefix that it reflects. */
static void note_route(lab *l, lab_node *n, const router_event *e)
{
    const router_addr summary = plan_summary(&l->options.plan);
    const bool is_summary =
        e->prefix.prefix_len == summary.prefix_len && ip_same_host(&e->prefix, &summary);
    if (n->number == PLAN_HUB || e->source != ROUTER_SOURCE_BGP || e->vrf == ROUTER_GLOBAL_VRF ||
        e->vrf > l->options.plan.vrfs || (!is_summary && !l->options.plan.reflector) || is_ready(n))
        return;
    n->vrfs_ready |= UINT64_C(1) << (e->vrf - 1);
    if (!is_ready(n))
        return;
    l->ready++;
    l->ready_ms = l->now;
}

void lab_node_event(lab *l, lab_node *n, const router_event *event)
{
    l->events++;
    if (event->kind == ROUTER_EVENT_ROUTE_UP)
        note_route(l, n, event);
    if (!l->walk && !l->log)
        return;
    char line[LINE_BYTES];
    const int prefix = snprintf(line, sizeof(line), "ts=%" PRIu64 ".%03u node=%s ", l->now / 1000,
                                (unsigned)(l->now % 1000), n->name);
    size_t len = (size_t)prefix;
    len += router_event_format(event, line + len, sizeof(line) - len);
    if (len >= sizeof(line))
        len = sizeof(line) - 1;
    if (l->walk)
        l->failed |= !walk_line(l->walk, line, len);
    if (l->log)
        fprintf(l->log, "%.*s\n", (int)len, line);
}

static bool is_cut(const lab *l, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < l->options.cut_count; i++) {
        const lab_cut *c = &l->options.cuts[i];
        const bool there = (c->a == from || c->a == LAB_ANY) && (c->b == to || c->b == LAB_ANY);
        const bool back = (c->a == to || c->a == LAB_ANY) && (c->b == from || c->b == LAB_ANY);
        if ((there || back) && l->now >= c->from_ms && l->now < c->until_ms)
            return true;
    }
    return false;
}

/*
 * NATs map every port to one of their own, for whoever sends to it (endpoint-independent, RFC
 * 4787), and forget all mappings at once when they rebind. What has no ports they pass by address.
 */
static uint16_t nat_offset(const lab *l)
{
    enum { FIRST = 20000, STEP = 6000, STEPS = 6 };
    const uint64_t rebinds = l->options.rebind_s ? l->now / MS_PER_S / l->options.rebind_s : 0;
    return (uint16_t)(FIRST + rebinds % STEPS * STEP);
}

static void nat_out(const lab *l, const lab_node *n, router_path *path)
{
    if (!plan_has_nat(&l->options.plan, n->number))
        return;
    const uint16_t port = path->local.port;
    path->local = plan_underlay(&l->options.plan, n->number);
    path->local.port = port ? (uint16_t)(port + nat_offset(l)) : 0;
}

static bool nat_in(const lab *l, uint32_t number, router_path *path)
{
    if (!plan_has_nat(&l->options.plan, number))
        return true;
    const uint16_t port = path->local.port;
    enum { HIGHEST_MAPPED = 5999 };
    const bool mapped =
        port == 0 || (port > nat_offset(l) && port - nat_offset(l) <= HIGHEST_MAPPED);
    path->local = plan_own_underlay(&l->options.plan, number);
    path->local.port = port ? (uint16_t)(port - nat_offset(l)) : 0;
    return mapped;
}

void lab_node_sends(lab *l, const lab_node *n, const router_path *path, const uint8_t *bytes,
                    size_t len)
{
    uint32_t to;
    router_path wire = *path;
    nat_out(l, n, &wire);
    if (l->capture)
        capture_datagram(l->capture, l->underlay_link, l->now, &wire, bytes, len);
    if (!plan_find(&l->options.plan, &wire.peer, &to) || is_cut(l, n->number, to))
        l->unreachable++;
    else
        l->failed |= !network_send(l->net, l->now, &wire, bytes, len);
}

static void deliver(lab *l)
{
    network_datagram *d;
    while ((d = network_receive(l->net, l->now)) != NULL) {
        uint32_t number;
        if (plan_find(&l->options.plan, &d->path.local, &number) && nat_in(l, number, &d->path)) {
            node_datagram(l->nodes[number], d);
            mark_stirred(l, l->nodes[number]);
            /* As a program would: what the router has to say is heard before it gets more. */
            if (l->nodes[number]->unheard >= UNHEARD_PACKETS)
                settle(l);
        } else {
            l->unreachable++;
        }
        free(d);
    }
}

/* ---- Customers ---- */

/* A duplicate of an answer is not another answer. */
static uint64_t pending_bit(uint32_t sequence)
{
    return UINT64_C(1) << sequence % 64;
}

static void send_flow(lab *l, flow *f)
{
    lab_node *n = l->nodes[f->from];
    const plan *p = &l->options.plan;
    const router_addr from = plan_customer(p, f->from), to = plan_customer(p, f->to);
    const host_mark mark = {
        .vrf = f->vrf, .flow = f->number, .sequence = f->sent, .sent_ms = l->now};
    uint8_t packet[HOST_PACKET_BYTES];
    const size_t len =
        f->udp ? host_udp(&from, &to, &mark, packet) : host_ping(&from, &to, &mark, packet);
    router_route route;
    const bool direct = router_get_route(n->router, f->vrf, &to, &route) == ROUTER_OK &&
                        route.source == ROUTER_SOURCE_NHRP && route.tunnel != 0;
    const bool answered = f->sent == 0 || !(f->pending & pending_bit(f->sent - 1));
    f->silent = answered ? 0 : f->silent + 1;
    if (f->silent > f->longest_silence)
        f->longest_silence = f->silent;
    if (direct && f->direct_ms == ROUTER_NEVER)
        f->direct_ms = l->now;
    f->pending |= pending_bit(f->sent);
    f->directly = direct ? f->directly | pending_bit(f->sent) : f->directly & ~pending_bit(f->sent);
    f->sent++;
    node_customer(n, f->vrf, packet, len);
    mark_stirred(l, n);
}

static void note_heard(lab *l, const lab_node *n, uint32_t vrf, const host_heard *heard)
{
    if (!heard->marked || heard->mark.flow >= l->flow_count)
        return;
    flow *f = l->flows[heard->mark.flow];
    const uint32_t expected = heard->kind == HOST_HEARD_REPLY ? f->from : f->to;
    if (heard->mark.vrf != vrf || f->vrf != vrf || n->number != expected) {
        l->strayed++;
        return;
    }
    if (heard->kind == HOST_HEARD_REPLY) {
        if (!(f->pending & pending_bit(heard->mark.sequence)))
            return;
        f->pending &= ~pending_bit(heard->mark.sequence);
        f->answered++;
        f->answered_directly += (f->directly & pending_bit(heard->mark.sequence)) != 0;
    } else {
        f->arrived++;
    }
    if ((heard->kind == HOST_HEARD_REPLY || f->udp) && f->first_ms == ROUTER_NEVER)
        f->first_ms = l->now;
}

void lab_customer_packet(lab *l, lab_node *n, uint32_t vrf, const uint8_t *packet, size_t len)
{
    if (n->number == PLAN_HUB)
        return;
    const router_addr self = plan_customer(&l->options.plan, n->number);
    host_heard heard;
    uint8_t answer[HOST_PACKET_BYTES];
    const size_t answer_len = host_input(&self, packet, len, &heard, answer);
    if (heard.kind == HOST_HEARD_ECHO || heard.kind == HOST_HEARD_REPLY ||
        heard.kind == HOST_HEARD_UDP)
        note_heard(l, n, vrf, &heard);
    if (answer_len > 0) {
        node_customer(n, vrf, answer, answer_len);
        mark_stirred(l, n);
    }
}

flow *lab_add_flow(lab *l, const flow *f)
{
    if (l->flow_count == l->flow_cap) {
        const uint32_t cap = l->flow_cap ? l->flow_cap * 2 : 64;
        flow **flows = realloc(l->flows, cap * sizeof(*flows));
        if (!flows)
            return NULL;
        l->flows = flows;
        l->flow_cap = cap;
    }
    flow *added = malloc(sizeof(*added));
    if (!added)
        return NULL;
    *added = *f;
    added->number = l->flow_count;
    added->first_ms = added->direct_ms = ROUTER_NEVER;
    if (!heap_join(&l->flow_timers, &l->alloc, &added->timer)) {
        free(added);
        return NULL;
    }
    heap_set(&l->flow_timers, &added->timer, f->start_ms);
    l->flows[l->flow_count++] = added;
    return added;
}

/* ---- Time ---- */

static uint64_t earliest(const heap *h)
{
    const heap_node *first = heap_first(h);
    return first ? first->deadline : ROUTER_NEVER;
}

static uint64_t next_restart(const lab *l)
{
    const lab_options *o = &l->options;
    return l->restarted < o->restart_count ? o->restarts[l->restarted].at_ms : ROUTER_NEVER;
}

static void run_restarts(lab *l)
{
    while (!l->failed && next_restart(l) <= l->now) {
        const uint32_t number = l->options.restarts[l->restarted++].node;
        const char *problem;
        lab_node *old = l->nodes[number];
        const bool was_ready = number != PLAN_HUB && is_ready(old);
        lab_node *n = node_new(l, number, old, &problem);
        if (!n) {
            l->failed = true;
            return;
        }
        l->ready -= was_ready;
        l->nodes[number] = n;
        mark_dirty(l, n);
    }
}

static uint64_t next_time(const lab *l)
{
    uint64_t at = network_deadline(l->net);
    const uint64_t others[] = {earliest(&l->timers), earliest(&l->flow_timers), next_restart(l)};
    for (size_t i = 0; i < 3; i++)
        at = others[i] < at ? others[i] : at;
    return at;
}

static void run_timers(lab *l)
{
    while (earliest(&l->timers) <= l->now) {
        lab_node *n = CONTAINER_OF(heap_first(&l->timers), lab_node, timer);
        heap_set(&l->timers, &n->timer, ROUTER_NEVER);
        node_timeout(n);
        mark_dirty(l, n);
    }
    while (earliest(&l->flow_timers) <= l->now) {
        flow *f = CONTAINER_OF(heap_first(&l->flow_timers), flow, timer);
        send_flow(l, f);
        const lab_options *o = &l->options;
        const bool rests = o->burst && f->sent % o->burst == 0;
        const uint64_t next = l->now + f->every_ms + (rests ? o->pause_s * MS_PER_S : 0);
        heap_set(&l->flow_timers, &f->timer, next < f->until_ms ? next : ROUTER_NEVER);
    }
}

void lab_run(lab *l, uint64_t until_ms, bool (*stop)(const lab *l))
{
    settle(l);
    while (!l->failed && !(stop && stop(l))) {
        const uint64_t at = next_time(l);
        if (at > until_ms)
            break;
        if (at > l->now)
            l->now = at;
        run_restarts(l);
        deliver(l);
        run_timers(l);
        settle(l);
    }
    if (!stop && l->now < until_ms)
        l->now = until_ms;
}

/* ---- Beginning and end ---- */

static bool begin_capture(lab *l)
{
    if (!l->options.pcap)
        return true;
    l->capture = capture_open(l->options.pcap, l->options.plan.ipv6);
    if (!l->capture) {
        perror(l->options.pcap);
        return false;
    }
    l->underlay_link = capture_add_link(l->capture, "underlay");
    return true;
}

static bool begin_nodes(lab *l)
{
    const uint32_t count = l->options.plan.spokes + 1;
    l->nodes = calloc(count, sizeof(*l->nodes));
    if (!l->nodes)
        return false;
    for (; l->node_count < count; l->node_count++) {
        const char *problem = NULL;
        lab_node *n = node_new(l, l->node_count, NULL, &problem);
        if (!n) {
            fprintf(stderr, "lab: node %u: %s\n", l->node_count, problem ? problem : "no memory");
            return false;
        }
        l->nodes[l->node_count] = n;
        mark_dirty(l, n);
    }
    return true;
}

bool lab_begin(lab *l, const lab_options *options)
{
    memset(l, 0, sizeof(*l));
    l->options = *options;
    l->alloc = alloc_make(NULL, NULL);
    l->dirty_end = &l->dirty;
    l->log = options->log ? stdout : NULL;
    l->net = network_new(options->plan.seed, &options->rules);
    return l->net && begin_capture(l) && begin_nodes(l);
}

bool lab_end(lab *l)
{
    for (uint32_t i = 0; i < l->node_count; i++)
        node_free(l->nodes[i]);
    for (uint32_t i = 0; i < l->flow_count; i++)
        free(l->flows[i]);
    free(l->nodes);
    free(l->flows);
    heap_free(&l->timers, &l->alloc);
    heap_free(&l->flow_timers, &l->alloc);
    network_free(l->net);
    return !l->capture || capture_close(l->capture);
}
