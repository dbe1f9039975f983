/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * lab: a whole network in one process, on virtual time.
 *
 *   lab --walk        the walk of a hub and two spokes, each step when it was observed; then pings
 *   lab --spokes 100  as many spokes, each pinging a few others; how it converged
 *
 * Standard output is the same bytes for the same options. What depends on the machine (CPU, wall
 * clock, memory) goes to standard error.
 */
#include "lab.h"
#include "node.h"
#include "rng.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    STATUS_USAGE = 2,
    MILLION = 1000000,
    MS_PER_S = 1000,
    DELAY_MS = 10,
    REORDER_MS = 50,
    MAX_VRFS = ROUTER_MAX_VRFS,
    TARGETS = 3, /* that each spoke pings, in each VRF */
    PING_EVERY_MS = 1000,
    UDP_EVERY_MS = 500,
    FLOWS_FROM_MS = 5000, /* pings begin, spread over a second */
    FLOWS_END_MS = 5000,  /* before the end, so that the last answers come in */
    FLOWS_SHOWN = 100,    /* more are only summed up */
    WALK_PINGS = 5,
    WALK_READY_STEP = 3, /* the customer sends when the routes are there */
    WALK_LIMIT_MS = 60000,
    WALK_AFTER_MS = 2000
};

static const char usage[] =
    "usage: lab [--walk] [--seed S] [--spokes N] [--vrfs K] [--sparse] [--seconds T]\n"
    "           [--loss PERCENT] [--reorder PERCENT] [--duplicate PERCENT]\n"
    "           [--delay MS] [--jitter MS] [--pcap FILE] [--log]\n";

typedef struct arguments {
    lab_options lab;
    bool walk;
} arguments;

/* ---- Arguments ---- */

static bool get_number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    const unsigned long long v = strtoull(text, &end, 10);
    *out = v;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && v <= most;
}

static bool get_u32(const char *text, uint32_t most, uint32_t *out)
{
    uint64_t v;
    if (!get_number(text, most, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool get_percent(const char *text, uint32_t *ppm)
{
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !(v >= 0 && v <= 100))
        return false;
    *ppm = (uint32_t)(v * (MILLION / 100) + 0.5);
    return true;
}

static bool take_value(arguments *a, const char *option, const char *value)
{
    lab_options *o = &a->lab;
    if (strcmp(option, "--seed") == 0)
        return get_number(value, UINT64_MAX, &o->plan.seed);
    if (strcmp(option, "--spokes") == 0)
        return get_u32(value, PLAN_MAX_SPOKES, &o->plan.spokes) && o->plan.spokes >= 2;
    if (strcmp(option, "--vrfs") == 0)
        return get_u32(value, MAX_VRFS, &o->plan.vrfs) && o->plan.vrfs >= 1;
    if (strcmp(option, "--seconds") == 0)
        return get_number(value, UINT32_MAX, &o->seconds);
    if (strcmp(option, "--loss") == 0)
        return get_percent(value, &o->rules.loss_ppm);
    if (strcmp(option, "--reorder") == 0)
        return get_percent(value, &o->rules.reorder_ppm);
    if (strcmp(option, "--duplicate") == 0)
        return get_percent(value, &o->rules.duplicate_ppm);
    if (strcmp(option, "--delay") == 0)
        return get_u32(value, MS_PER_S, &o->rules.delay_ms) && o->rules.delay_ms >= 1;
    if (strcmp(option, "--jitter") == 0)
        return get_u32(value, MS_PER_S, &o->rules.jitter_ms);
    if (strcmp(option, "--pcap") == 0) {
        o->pcap = value;
        return true;
    }
    return false;
}

static bool parse_arguments(arguments *a, int argc, char **argv)
{
    *a = (arguments){.lab = {.plan = {.spokes = 20, .vrfs = 1, .seed = 1},
                             .rules = {.delay_ms = DELAY_MS, .reorder_ms = REORDER_MS},
                             .seconds = 60}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--walk") == 0)
            a->walk = true;
        else if (strcmp(argv[i], "--log") == 0)
            a->lab.log = true;
        else if (strcmp(argv[i], "--sparse") == 0)
            a->lab.plan.sparse = true;
        else if (i + 1 == argc || !take_value(a, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    if (a->walk)
        a->lab.plan.spokes = 2;
    return true;
}

/* ---- The walk ---- */

static bool walk_is_ready(const lab *l)
{
    return walk_observed(l->walk, WALK_READY_STEP);
}

static bool walk_is_whole(const lab *l)
{
    return walk_count(l->walk) == WALK_STEPS;
}

static void print_steps(walk *w)
{
    char text[WALK_TEXT_BYTES];
    while (walk_poll_step(w, text))
        printf("%s\n", text);
}

static bool print_ping(const flow *f)
{
    char from[IP_TEXT_BYTES], to[IP_TEXT_BYTES];
    const router_addr source = plan_customer(f->from), destination = plan_customer(f->to);
    printf("ping %s -> %s: %u of %u answered, %u of them directly\n", ip_text(&source, from),
           ip_text(&destination, to), f->answered, f->sent, f->answered_directly);
    return f->answered == f->sent;
}

static bool walk_pings(lab *l)
{
    const flow there = {.from = 1,
                        .to = 2,
                        .vrf = 1,
                        .every_ms = PING_EVERY_MS,
                        .start_ms = l->now,
                        .until_ms = l->now + WALK_PINGS * PING_EVERY_MS};
    flow back = there;
    back.from = 2;
    back.to = 1;
    const flow *a = lab_add_flow(l, &there);
    const flow *b = lab_add_flow(l, &back);
    if (!a || !b)
        return false;
    lab_run(l, there.until_ms + WALK_AFTER_MS, NULL);
    const bool answered = print_ping(a);
    return print_ping(b) && answered;
}

static bool run_walk(lab *l)
{
    walk_config config;
    walk_config_init(&config);
    l->walk = walk_new(&config);
    if (!l->walk)
        return false;
    lab_run(l, WALK_LIMIT_MS, walk_is_ready);
    const flow customer = {.from = 1,
                           .to = 2,
                           .vrf = 1,
                           .udp = true,
                           .every_ms = UDP_EVERY_MS,
                           .start_ms = l->now,
                           .until_ms = WALK_LIMIT_MS};
    bool ok = lab_add_flow(l, &customer) != NULL;
    lab_run(l, WALK_LIMIT_MS, walk_is_whole);
    print_steps(l->walk);
    ok &= walk_pings(l);
    for (uint32_t step = 1; step <= WALK_STEPS; step++)
        if (!walk_observed(l->walk, step))
            printf("missing: step %u, %s\n", step, walk_step_name(step));
    const uint32_t steps = walk_count(l->walk);
    printf("walk: %u of %d steps\n", steps, WALK_STEPS);
    walk_free(l->walk);
    l->walk = NULL;
    return ok && steps == WALK_STEPS;
}

/* ---- Many spokes ---- */

static bool add_pings(lab *l)
{
    const plan *p = &l->options.plan;
    const uint64_t end = l->options.seconds * MS_PER_S;
    uint64_t random = p->seed ^ rng_mix(p->spokes);
    for (uint32_t from = 1; from <= p->spokes; from++) {
        uint32_t chosen[TARGETS], count = 0;
        for (uint32_t i = 0; i < TARGETS; i++) {
            const uint32_t to = 1 + rng_below(&random, p->spokes);
            bool again = to == from;
            for (uint32_t j = 0; j < count; j++)
                again |= chosen[j] == to;
            if (!again)
                chosen[count++] = to;
        }
        for (uint32_t i = 0; i < count; i++) {
            flow f = {.from = from,
                      .to = chosen[i],
                      .vrf = 1 + rng_below(&random, p->vrfs),
                      .every_ms = PING_EVERY_MS,
                      .start_ms = FLOWS_FROM_MS + rng_below(&random, PING_EVERY_MS),
                      .until_ms = end > FLOWS_END_MS ? end - FLOWS_END_MS : 0};
            f.forbidden = !plan_has_vrf(p, f.to, f.vrf);
            if (plan_has_vrf(p, f.from, f.vrf) && !lab_add_flow(l, &f))
                return false;
        }
    }
    return true;
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

static void print_flows(const lab *l)
{
    for (uint32_t i = 0; i < l->flow_count && l->flow_count <= FLOWS_SHOWN; i++) {
        const flow *f = l->flows[i];
        printf("ping spoke%u -> spoke%u vrf %u: %u of %u answered, %u of them directly%s\n",
               f->from, f->to, f->vrf, f->answered, f->sent, f->answered_directly,
               f->forbidden ? " (not in the VRF)" : "");
    }
}

static void print_drops(const lab *l)
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

static bool report(const lab *l)
{
    uint64_t *answered = calloc(l->flow_count + 1, sizeof(*answered));
    uint64_t *direct = calloc(l->flow_count + 1, sizeof(*direct));
    if (!answered || !direct) {
        free(answered);
        free(direct);
        return false;
    }
    size_t answered_count = 0, direct_count = 0, both = 0, allowed = 0;
    uint32_t forbidden = 0;
    uint64_t sent = 0, replies = 0;
    for (uint32_t i = 0; i < l->flow_count; i++) {
        const flow *f = l->flows[i];
        if (f->forbidden) {
            forbidden += f->answered + f->arrived;
            continue;
        }
        allowed++;
        sent += f->sent;
        replies += f->answered;
        both += f->answered_directly > 0;
        if (f->first_ms != ROUTER_NEVER)
            answered[answered_count++] = f->first_ms - f->start_ms;
        if (f->direct_ms != ROUTER_NEVER)
            direct[direct_count++] = f->direct_ms - f->start_ms;
    }
    network_stats net;
    network_get_stats(l->net, &net);
    print_flows(l);
    printf("ready: %u of %u spokes, the last after %" PRIu64 " ms\n", l->ready,
           l->options.plan.spokes, l->ready_ms);
    print_times("flows answered", answered, answered_count, allowed);
    print_times("flows direct", direct, direct_count, allowed);
    printf("pings: %" PRIu64 " of %" PRIu64 " answered\n", replies, sent);
    printf("isolation: %zu flows to spokes without the VRF, %u packets got through; %" PRIu64
           " strayed\n",
           l->flow_count - allowed, forbidden, l->strayed);
    printf("underlay: %" PRIu64 " datagrams, %" PRIu64 " bytes, %" PRIu64 " lost, %" PRIu64
           " duplicated\n",
           net.sent, net.bytes, net.lost, net.duplicated);
    print_drops(l);
    const bool converged = allowed > 0 && answered_count == allowed && direct_count == allowed &&
                           both == allowed && l->strayed == 0 && forbidden == 0 &&
                           l->ready == l->options.plan.spokes;
    printf("lab: %s\n", converged ? "converged" : "not converged");
    free(answered);
    free(direct);
    return converged;
}

static bool run_many(lab *l)
{
    const lab_options *o = &l->options;
    printf("lab: seed %" PRIu64 ", %u spokes, %u VRFs, %" PRIu64
           " s; loss %u, reordering %u, duplication %u of a million; delay %u + %u ms\n",
           o->plan.seed, o->plan.spokes, o->plan.vrfs, o->seconds, o->rules.loss_ppm,
           o->rules.reorder_ppm, o->rules.duplicate_ppm, o->rules.delay_ms, o->rules.jitter_ms);
    if (!add_pings(l))
        return false;
    lab_run(l, o->seconds * MS_PER_S, NULL);
    return report(l);
}

/* ---- What it cost ---- */

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / MILLION;
}

static double wall_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_costs(const lab *l, double wall)
{
    struct rusage usage_now;
    if (getrusage(RUSAGE_SELF, &usage_now) != 0)
        return;
    const double cpu = seconds_of(&usage_now.ru_utime) + seconds_of(&usage_now.ru_stime);
    const uint32_t spokes = l->options.plan.spokes;
    fprintf(stderr,
            "cost: %.3f s wall, %.3f s CPU (%.3f ms a spoke), %ld KiB (%ld KiB a spoke), %.3f s "
            "virtual\n",
            wall, cpu, cpu * MS_PER_S / spokes, usage_now.ru_maxrss, usage_now.ru_maxrss / spokes,
            (double)l->now / MS_PER_S);
}

int main(int argc, char **argv)
{
    arguments a;
    if (!parse_arguments(&a, argc, argv)) {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    const double began = wall_seconds();
    lab l;
    bool ok = lab_begin(&l, &a.lab);
    if (ok)
        ok = a.walk ? run_walk(&l) : run_many(&l);
    if (l.failed)
        fprintf(stderr, "lab: out of memory, or a node that never came to rest\n");
    ok &= !l.failed;
    if (!lab_end(&l)) {
        fprintf(stderr, "lab: the capture could not be written\n");
        ok = false;
    }
    print_costs(&l, wall_seconds() - began);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
