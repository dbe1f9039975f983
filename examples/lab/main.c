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
#include "memory.h"
#include "options.h"
#include "report.h"
#include "rng.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
    STATUS_USAGE = 2,
    MS_PER_S = 1000,
    KIB = 1024,
    NODE_KIB = 512, /* about what one takes */
    PING_EVERY_MS = 1000,
    UDP_EVERY_MS = 500,
    FLOWS_FROM_MS = 5000, /* pings begin, spread over a second */
    FLOWS_END_MS = 5000,  /* before the end, so that the last answers come in */
    WALK_PINGS = 5,
    WALK_READY_STEP = 3, /* the customer sends when the routes are there */
    WALK_LIMIT_MS = 60000,
    WALK_AFTER_MS = 2000
};

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

/* The addresses of the plan as text; those of IPv4 are the walk's defaults. */
typedef struct walk_texts {
    struct {
        char tunnel[IP_TEXT_BYTES], nbma[IP_TEXT_BYTES], customer[IP_TEXT_BYTES];
        char prefix[IP_TEXT_BYTES + 4];
    } nodes[3];
} walk_texts;

static void describe_walk(const plan *p, walk_texts *texts, walk_config *config)
{
    walk_config_init(config);
    walk_node *const nodes[] = {&config->hub, &config->spoke1, &config->spoke2};
    for (uint32_t i = 0; i < 3; i++) {
        const router_addr tunnel = plan_tunnel(p, i), nbma = plan_underlay(p, i);
        const router_addr prefix = i ? plan_prefix(p, i) : plan_summary(p);
        char text[IP_TEXT_BYTES];
        nodes[i]->tunnel = ip_text(&tunnel, texts->nodes[i].tunnel);
        nodes[i]->nbma = ip_text(&nbma, texts->nodes[i].nbma);
        snprintf(texts->nodes[i].prefix, sizeof(texts->nodes[i].prefix), "%s/%u",
                 ip_text(&prefix, text), prefix.prefix_len);
        nodes[i]->prefix = texts->nodes[i].prefix;
        if (i == PLAN_HUB)
            continue;
        const router_addr customer = plan_customer(p, i);
        nodes[i]->customer = ip_text(&customer, texts->nodes[i].customer);
    }
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
    report_flow(l, a);
    report_flow(l, b);
    return a->answered == a->sent && b->answered == b->sent;
}

static bool run_walk(lab *l, uint32_t *steps)
{
    walk_texts texts;
    walk_config config;
    describe_walk(&l->options.plan, &texts, &config);
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
    *steps = walk_count(l->walk);
    walk_free(l->walk);
    l->walk = NULL;
    return ok && *steps == WALK_STEPS;
}

/* ---- Many spokes ---- */

/* Other spokes than from, each once; all where there are no more than count. */
static uint32_t choose_targets(const plan *p, uint64_t *random, uint32_t from, uint32_t count,
                               uint32_t chosen[PLAN_MAX_FLOWS])
{
    const uint32_t others = p->spokes - 1;
    const uint32_t wanted = count < others ? count : others;
    for (uint32_t n = 0; n < wanted;) {
        const uint32_t drawn = 1 + rng_below(random, others);
        chosen[n] = drawn + (drawn >= from);
        uint32_t same = 0;
        while (chosen[same] != chosen[n])
            same++;
        n += same == n;
    }
    return wanted;
}

static bool add_pings(lab *l)
{
    const plan *p = &l->options.plan;
    const uint64_t end_ms = l->options.seconds * MS_PER_S;
    uint64_t random = p->seed ^ rng_mix(p->spokes);
    for (uint32_t from = 1; from <= p->spokes; from++) {
        uint32_t chosen[PLAN_MAX_FLOWS];
        const uint32_t count = choose_targets(p, &random, from, p->flows, chosen);
        /* A customer's host has one clock: it pings all of its own at once. */
        const uint64_t start_ms = FLOWS_FROM_MS + rng_below(&random, PING_EVERY_MS);
        for (uint32_t i = 0; i < count; i++) {
            flow f = {.from = from,
                      .to = chosen[i],
                      .vrf = 1 + rng_below(&random, p->vrfs),
                      .every_ms = PING_EVERY_MS,
                      .start_ms = start_ms,
                      .until_ms = end_ms > FLOWS_END_MS ? end_ms - FLOWS_END_MS : 0};
            f.forbidden = !plan_has_vrf(p, f.to, f.vrf);
            if (plan_has_vrf(p, f.from, f.vrf) && !lab_add_flow(l, &f))
                return false;
        }
    }
    return true;
}

static bool run_many(lab *l)
{
    report_options(&l->options);
    if (!add_pings(l))
        return false;
    lab_run(l, l->options.seconds * MS_PER_S, NULL);
    return report_outcome(l);
}

/* ---- What it cost ---- */

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double wall_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The last line is for tests/lab/scale.sh, too. */
static void print_costs(const lab *l, double wall)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0)
        return;
    const double spokes = l->options.plan.spokes;
    const double user = seconds_of(&used.ru_utime), system = seconds_of(&used.ru_stime);
    fprintf(stderr,
            "cost: %.3f s wall, %.3f s CPU, %zu KiB of heap at the end, %ld KiB resident at most, "
            "%.3f s virtual\n",
            wall, user + system, memory_in_use() / KIB, used.ru_maxrss, (double)l->now / MS_PER_S);
    fprintf(stderr,
            "cost a spoke: %.3f ms user, %.3f ms system, %.1f KiB heap, %.1f KiB resident\n",
            user * MS_PER_S / spokes, system * MS_PER_S / spokes,
            (double)memory_in_use() / KIB / spokes, (double)used.ru_maxrss / spokes);
}

int main(int argc, char **argv)
{
    options o;
    if (!options_parse(&o, argc, argv)) {
        fputs(options_usage(), stderr);
        return STATUS_USAGE;
    }
    memory_expect((size_t)(o.lab.plan.spokes + 1) * NODE_KIB * KIB);
    const double began = wall_seconds();
    lab l;
    uint32_t steps = 0;
    bool ok = lab_begin(&l, &o.lab);
    if (ok)
        ok = o.walk ? run_walk(&l, &steps) : run_many(&l);
    if (l.failed)
        fprintf(stderr, "lab: out of memory, or a node that never came to rest\n");
    ok &= !l.failed;
    fflush(stdout);
    print_costs(&l, wall_seconds() - began);
    if (!lab_end(&l)) {
        fprintf(stderr, "lab: the capture could not be written\n");
        ok = false;
    }
    if (o.walk) /* the last line, also of a terminal that shows both */
        printf("walk: %u of %d steps\n", steps, WALK_STEPS);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
