/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

enum { MILLION = 1000000, MS_PER_S = 1000, DELAY_MS = 10, REORDER_MS = 50, FLOWS = 3 };

const char *options_usage(void)
{
    return "usage: lab [--walk] [--seed S] [--spokes N] [--flows F] [--vrfs K] [--sparse]\n"
           "           [--seconds T]\n"
           "           [--ipv6] [--raw-esp] [--reflector] [--nat [--rebind S]]\n"
           "           [--loss PERCENT] [--reorder PERCENT] [--duplicate PERCENT]\n"
           "           [--delay MS] [--jitter MS] [--pcap FILE] [--log]\n"
           "           [--ike-lifetime S] [--child-lifetime S] [--child-packets N]\n"
           "           [--holding-time S] [--idle S]\n"
           "           [--burst PINGS --pause S]\n"
           "           [--cut NODE,NODE@SECONDS-SECONDS]... [--restart NODE@SECONDS]...\n"
           "nodes are numbers, 0 is the hub; in --cut, '*' is any\n";
}

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

/* The parts of --cut and --restart; each leaves *text behind what it took. */

static bool skip(const char **text, char c)
{
    const bool ok = **text == c;
    *text += ok;
    return ok;
}

static bool take_node(const char **text, uint32_t *out)
{
    char *end;
    const unsigned long v = strtoul(*text, &end, 10);
    const bool ok = **text >= '0' && **text <= '9' && v <= PLAN_MAX_SPOKES;
    *text = end;
    *out = ok ? (uint32_t)v : 0;
    return ok;
}

static bool take_node_or_any(const char **text, uint32_t *out)
{
    if (!skip(text, '*'))
        return take_node(text, out);
    *out = LAB_ANY;
    return true;
}

static bool take_seconds(const char **text, uint64_t *out_ms)
{
    char *end;
    const double v = strtod(*text, &end);
    const bool ok = end != *text && v >= 0 && v <= UINT32_MAX;
    *text = end;
    *out_ms = ok ? (uint64_t)(v * MS_PER_S + 0.5) : 0;
    return ok;
}

static bool get_cut(const char *text, lab_options *o)
{
    lab_cut c;
    if (o->cut_count == LAB_MAX_FAULTS || !take_node_or_any(&text, &c.a) || !skip(&text, ',') ||
        !take_node_or_any(&text, &c.b) || !skip(&text, '@') || !take_seconds(&text, &c.from_ms) ||
        !skip(&text, '-') || !take_seconds(&text, &c.until_ms))
        return false;
    o->cuts[o->cut_count++] = c;
    return *text == '\0';
}

static bool get_restart(const char *text, lab_options *o)
{
    lab_restart r;
    if (o->restart_count == LAB_MAX_FAULTS || !take_node(&text, &r.node) || !skip(&text, '@') ||
        !take_seconds(&text, &r.at_ms))
        return false;
    size_t i = o->restart_count++;
    for (; i > 0 && o->restarts[i - 1].at_ms > r.at_ms; i--)
        o->restarts[i] = o->restarts[i - 1];
    o->restarts[i] = r;
    return *text == '\0';
}

static bool take_value(options *all, const char *option, const char *value)
{
    lab_options *o = &all->lab;
    if (strcmp(option, "--seed") == 0)
        return get_number(value, UINT64_MAX, &o->plan.seed);
    if (strcmp(option, "--spokes") == 0)
        return get_u32(value, PLAN_MAX_SPOKES, &o->plan.spokes) && o->plan.spokes >= 2;
    if (strcmp(option, "--flows") == 0)
        return get_u32(value, PLAN_MAX_FLOWS, &o->plan.flows) && o->plan.flows >= 1;
    if (strcmp(option, "--vrfs") == 0)
        return get_u32(value, ROUTER_MAX_VRFS, &o->plan.vrfs) && o->plan.vrfs >= 1;
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
    if (strcmp(option, "--ike-lifetime") == 0)
        return get_u32(value, UINT32_MAX, &o->plan.ike_lifetime_s);
    if (strcmp(option, "--child-lifetime") == 0)
        return get_u32(value, UINT32_MAX, &o->plan.child_lifetime_s);
    if (strcmp(option, "--child-packets") == 0)
        return get_u32(value, UINT32_MAX, &o->plan.child_packets);
    if (strcmp(option, "--holding-time") == 0)
        return get_u32(value, UINT16_MAX, &o->plan.holding_time_s);
    if (strcmp(option, "--idle") == 0)
        return get_u32(value, UINT32_MAX / MS_PER_S, &o->plan.idle_s);
    if (strcmp(option, "--rebind") == 0)
        return get_u32(value, UINT32_MAX, &o->rebind_s);
    if (strcmp(option, "--burst") == 0)
        return get_u32(value, UINT32_MAX, &o->burst);
    if (strcmp(option, "--pause") == 0)
        return get_u32(value, UINT32_MAX / MS_PER_S, &o->pause_s);
    if (strcmp(option, "--cut") == 0)
        return get_cut(value, o);
    if (strcmp(option, "--restart") == 0)
        return get_restart(value, o);
    if (strcmp(option, "--pcap") != 0)
        return false;
    o->pcap = value;
    return true;
}

/* Nodes may be named before --spokes says how many there are. */
static bool faults_name_nodes(const lab_options *o)
{
    for (size_t i = 0; i < o->cut_count; i++)
        if ((o->cuts[i].a > o->plan.spokes && o->cuts[i].a != LAB_ANY) ||
            (o->cuts[i].b > o->plan.spokes && o->cuts[i].b != LAB_ANY))
            return false;
    for (size_t i = 0; i < o->restart_count; i++)
        if (o->restarts[i].node > o->plan.spokes)
            return false;
    return true;
}

bool options_parse(options *o, int argc, char **argv)
{
    *o = (options){.lab = {.plan = {.spokes = 20, .vrfs = 1, .flows = FLOWS, .seed = 1},
                           .rules = {.delay_ms = DELAY_MS, .reorder_ms = REORDER_MS},
                           .seconds = 60}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--walk") == 0)
            o->walk = true;
        else if (strcmp(argv[i], "--log") == 0)
            o->lab.log = true;
        else if (strcmp(argv[i], "--sparse") == 0)
            o->lab.plan.sparse = true;
        else if (strcmp(argv[i], "--reflector") == 0)
            o->lab.plan.reflector = true;
        else if (strcmp(argv[i], "--raw-esp") == 0)
            o->lab.plan.raw_esp = true;
        else if (strcmp(argv[i], "--ipv6") == 0)
            o->lab.plan.ipv6 = true;
        else if (strcmp(argv[i], "--nat") == 0)
            o->lab.plan.nat = true;
        else if (i + 1 == argc || !take_value(o, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    if (o->walk) {
        /* The walk's hub has a summary. */
        o->lab.plan.spokes = 2;
        o->lab.plan.sparse = o->lab.plan.reflector = false;
    }
    /* Of one VRF a third of the spokes would have none. */
    return faults_name_nodes(&o->lab) && !(o->lab.plan.sparse && o->lab.plan.vrfs < 2);
}
