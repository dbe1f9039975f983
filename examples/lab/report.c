/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "node.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    LAST_PINGS = 8,    /* of which one is answered where a flow lives */
    FLOWS_SHOWN = 100, /* of more only those that died */
};

typedef struct outcome {
    uint64_t *answered_ms; /* of each flow, from its first ping to the first answer */
    uint64_t *direct_ms;   /* and until its route was a shortcut */
    size_t allowed;        /* flows that may be answered */
    size_t answered, direct, answered_directly, living;
    uint32_t forbidden; /* packets that arrived at a spoke without the VRF */
    uint32_t silence;
    uint64_t sent, replies;
} outcome;

void report_options(const lab_options *o)
{
    printf("lab: seed %" PRIu64 ", %u spokes, %u VRFs, %s, %s, %s, %" PRIu64
           " s; loss %u, reordering %u, duplication %u of a million; delay %u + %u ms\n",
           o->plan.seed, o->plan.spokes, o->plan.vrfs, o->plan.ipv6 ? "IPv6" : "IPv4",
           o->plan.reflector ? "reflector" : "summary", o->plan.raw_esp ? "ESP" : "ESP in UDP",
           o->seconds, o->rules.loss_ppm, o->rules.reorder_ppm, o->rules.duplicate_ppm,
           o->rules.delay_ms, o->rules.jitter_ms);
}

void report_flow(const lab *l, const flow *f)
{
    const plan *p = &l->options.plan;
    char from[IP_TEXT_BYTES], to[IP_TEXT_BYTES];
    const router_addr source = plan_customer(p, f->from), destination = plan_customer(p, f->to);
    printf("ping %s -> %s vrf %u: %u of %u answered, %u of them directly%s\n",
           ip_text(&source, from), ip_text(&destination, to), f->vrf, f->answered, f->sent,
           f->answered_directly, f->forbidden ? " (not in the VRF)" : "");
}

static bool lives(const flow *f)
{
    const uint32_t last = f->sent < LAST_PINGS ? f->sent : LAST_PINGS;
    uint32_t unanswered = 0;
    for (uint32_t i = 1; i <= last; i++)
        unanswered += (uint32_t)(f->pending >> (f->sent - i) % 64 & 1);
    return unanswered < last;
}

static void add_flow(outcome *o, const plan *p, const flow *f)
{
    if (f->forbidden) {
        o->forbidden += f->answered + f->arrived;
        return;
    }
    o->allowed++;
    o->sent += f->sent;
    o->replies += f->answered;
    /* Nobody can call a spoke behind a NAT from behind another. */
    const bool by_hub = plan_has_nat(p, f->from) && plan_has_nat(p, f->to);
    o->answered_directly += by_hub || f->answered_directly > 0;
    o->living += lives(f);
    if (f->longest_silence > o->silence)
        o->silence = f->longest_silence;
    if (f->first_ms != ROUTER_NEVER)
        o->answered_ms[o->answered++] = f->first_ms - f->start_ms;
    if (f->direct_ms != ROUTER_NEVER)
        o->direct_ms[o->direct++] = f->direct_ms - f->start_ms;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Smallest, median and largest of what was reached. */
static void print_times(const char *what, uint64_t *times, size_t count, size_t of)
{
    qsort(times, count, sizeof(*times), compare_u64);
    printf("%s: %zu of %zu", what, count, of);
    if (count > 0)
        printf(", after %" PRIu64 " / %" PRIu64 " / %" PRIu64 " ms", times[0], times[count / 2],
               times[count - 1]);
    printf("\n");
}

static void print_routers(const lab *l)
{
    router_stats sum = {0};
    uint64_t refused = 0;
    for (uint32_t i = 0; i < l->node_count; i++) {
        router_stats stats;
        router_get_stats(l->nodes[i]->router, &stats);
        sum.to_tunnel += stats.to_tunnel;
        sum.from_tunnel += stats.from_tunnel;
        sum.transit += stats.transit;
        sum.tunnels += stats.tunnels;
        sum.mappings += stats.mappings;
        refused += l->nodes[i]->refused;
        for (int reason = 0; reason < ROUTER_DROP_REASONS; reason++)
            sum.dropped[reason] += stats.dropped[reason];
    }
    printf("packets: %" PRIu64 " into tunnels, %" PRIu64 " out of tunnels, %" PRIu64
           " through the hub\n",
           sum.to_tunnel, sum.from_tunnel, sum.transit);
    printf("state: %" PRIu64 " tunnel ends, %" PRIu64 " mappings\n", sum.tunnels, sum.mappings);
    printf("dropped:");
    for (int reason = 1; reason < ROUTER_DROP_REASONS; reason++)
        printf(" %s %" PRIu64, router_drop_name(reason), sum.dropped[reason]);
    printf(", control %" PRIu64 "\n", refused);
}

static void print_outcome(const lab *l, const outcome *o)
{
    network_stats net;
    network_get_stats(l->net, &net);
    printf("ready: %u of %u spokes, the last after %" PRIu64 " ms\n", l->ready,
           l->options.plan.spokes, l->ready_ms);
    print_times("flows answered", o->answered_ms, o->answered, o->allowed);
    print_times("flows direct", o->direct_ms, o->direct, o->allowed);
    printf("pings: %" PRIu64 " of %" PRIu64 " answered, longest silence %u pings\n", o->replies,
           o->sent, o->silence);
    printf("flows alive at the end: %zu of %zu\n", o->living, o->allowed);
    printf("isolation: %zu flows to spokes without the VRF, %u packets got through; %" PRIu64
           " strayed\n",
           l->flow_count - o->allowed, o->forbidden, l->strayed);
    printf("underlay: %" PRIu64 " datagrams, %" PRIu64 " bytes, %" PRIu64 " lost, %" PRIu64
           " duplicated, %" PRIu64 " cut off\n",
           net.sent, net.bytes, net.lost, net.duplicated, l->unreachable);
    print_routers(l);
}

bool report_outcome(const lab *l)
{
    outcome o = {.answered_ms = calloc(l->flow_count + 1, sizeof(uint64_t)),
                 .direct_ms = calloc(l->flow_count + 1, sizeof(uint64_t))};
    bool converged = false;
    if (o.answered_ms && o.direct_ms) {
        for (uint32_t i = 0; i < l->flow_count; i++) {
            add_flow(&o, &l->options.plan, l->flows[i]);
            if (l->flow_count <= FLOWS_SHOWN || (!l->flows[i]->forbidden && !lives(l->flows[i])))
                report_flow(l, l->flows[i]);
        }
        print_outcome(l, &o);
        /* Where the underlay was cut on purpose, the way by the hub will do. */
        const bool direct = l->options.cut_count > 0 || o.answered_directly == o.allowed;
        converged = o.allowed > 0 && o.answered == o.allowed && direct && o.living == o.allowed &&
                    o.forbidden == 0 && l->strayed == 0 && l->ready == l->options.plan.spokes;
        printf("lab: %s\n", converged ? "converged" : "not converged");
    }
    free(o.answered_ms);
    free(o.direct_ms);
    return converged;
}
