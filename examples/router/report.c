/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What workers tell the control thread. Each has a ring of its own, with one writer and one reader.
 * A full ring loses reports, never packets; what matters is said again by the next packet, because
 * the mark "told" is set only once the report is in the ring.
 *
 * Flows are remembered in sets of eight. A flow that is not there takes the place of the one idle
 * for longest, if that has been idle for a while; else it goes unnoticed: its packets go their way,
 * only shortcuts and events miss it. So a flood of new flows costs a look at eight entries each.
 */
#include "internal.h"

#include <string.h>

enum { FLOW_WAYS = 8, RECENT_WAYS = 8, FLOW_IDLE_MS = 2000 };

bool rt_worker_init(router *r, rt_worker *w, uint32_t number)
{
    atomic_init(&w->epoch, RT_NEVER);
    w->number = number;
    w->flow_seed = (uint64_t)drbg_u32(&r->random) << 32 | drbg_u32(&r->random) | 1;
    w->reports = alloc_array(&r->mem, RT_REPORTS, sizeof(*w->reports));
    w->flows = alloc_array(&r->mem, r->config.flows, sizeof(*w->flows));
    if (!w->reports || !w->flows)
        return false;
    if (mplsvpn_reader_new(r->mpls, &w->reader) != MPLSVPN_OK)
        return false;
    return mplsvpn_reader_idle(w->reader) == MPLSVPN_OK;
}

void rt_worker_free(router *r, rt_worker *w)
{
    mplsvpn_reader_free(w->reader);
    alloc_free(&r->mem, w->reports);
    alloc_free(&r->mem, w->flows);
}

bool rt_report_waits(const rt_worker *w)
{
    return atomic_load_explicit(&w->head, memory_order_relaxed) !=
           atomic_load_explicit(&w->tail, memory_order_relaxed);
}

bool rt_report_push(rt_worker *w, const rt_report *report)
{
    const uint32_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&w->head, memory_order_acquire) == RT_REPORTS)
        return false;
    w->reports[tail % RT_REPORTS] = *report;
    atomic_store_explicit(&w->tail, tail + 1, memory_order_release);
    return true;
}

static bool report_pop(rt_worker *w, rt_report *out)
{
    const uint32_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&w->tail, memory_order_acquire))
        return false;
    *out = w->reports[head % RT_REPORTS];
    atomic_store_explicit(&w->head, head + 1, memory_order_release);
    return true;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 32;
}

static uint64_t flow_key(const rt_worker *w, uint8_t direction, uint32_t vrf, uint64_t tunnel,
                         const router_addr *source, const router_addr *destination)
{
    uint64_t words[4];
    memcpy(words, source->bytes, sizeof(source->bytes));
    memcpy(words + 2, destination->bytes, sizeof(destination->bytes));
    uint64_t h = mix(w->flow_seed, tunnel);
    h = mix(h, (uint64_t)vrf << 16 | (uint64_t)source->family << 8 | direction);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        h = mix(h, words[i]);
    return h ? h : 1;
}

rt_flow *rt_flow_find(router *r, rt_worker *w, uint64_t now_ms, uint8_t direction, uint32_t vrf,
                      uint64_t tunnel, const router_addr *source, const router_addr *destination)
{
    const uint64_t key = flow_key(w, direction, vrf, tunnel, source, destination);
    rt_flow *set = w->flows + (key & (r->config.flows - 1) & ~(uint64_t)(FLOW_WAYS - 1));
    rt_flow *oldest = set;
    for (size_t i = 0; i < FLOW_WAYS; i++) {
        if (set[i].key == key) {
            set[i].used_ms = now_ms;
            return &set[i];
        }
        if (set[i].key == 0 || (oldest->key != 0 && set[i].used_ms < oldest->used_ms))
            oldest = &set[i];
    }
    if (oldest->key != 0 && now_ms - oldest->used_ms < FLOW_IDLE_MS)
        return NULL;
    *oldest =
        (rt_flow){.key = key, .active_ms = RT_NEVER, .used_ms = now_ms, .hairpin_ms = RT_NEVER};
    return oldest;
}

/* ---- The control thread's side ---- */

/* As many as there can be flows, but not without end. */
static size_t recent_count(const router *r)
{
    return r->config.flows < RT_RECENT_MAX ? r->config.flows : RT_RECENT_MAX;
}

/* The set of a destination, as for flows: it has the place of its own, else that of the oldest. */
static rt_recent *recent_find(const router *r, uint32_t vrf, const router_addr *destination)
{
    struct {
        router_addr destination;
        uint32_t vrf;
    } key;
    memset(&key, 0, sizeof(key));
    key.destination = rt_addr_host(destination);
    key.vrf = vrf;
    const size_t first =
        rt_hash(r, &key, sizeof(key)) & (recent_count(r) - 1) & ~(size_t)(RECENT_WAYS - 1);
    rt_recent *found = &r->recent[first];
    for (rt_recent *slot = found; slot < &r->recent[first + RECENT_WAYS]; slot++) {
        if (slot->vrf == vrf && rt_addr_same(&slot->destination, &key.destination))
            return slot;
        if (slot->at_ms < found->at_ms)
            found = slot;
    }
    return found;
}

static void note_recent(router *r, const rt_report *report)
{
    if (!r->recent)
        r->recent = alloc_array(&r->mem, recent_count(r), sizeof(*r->recent));
    if (!r->recent)
        return;
    rt_recent *slot = recent_find(r, report->vrf, &report->destination);
    slot->at_ms = r->now;
    slot->tunnel = report->tunnel;
    slot->vrf = report->vrf;
    slot->destination = rt_addr_host(&report->destination);
}

bool rt_recently_sent(const router *r, uint32_t vrf, const router_addr *destination,
                      uint64_t tunnel)
{
    if (!r->recent)
        return false;
    const rt_recent *slot = recent_find(r, vrf, destination);
    return slot->tunnel == tunnel && slot->vrf == vrf &&
           rt_addr_same(&slot->destination, destination) && r->now - slot->at_ms <= RT_RECENT_MS;
}

static void on_flow(router *r, const rt_report *report)
{
    if (report->direction == ROUTER_DIRECTION_TO_TUNNEL) {
        note_recent(r, report);
        if (report->cookie)
            (void)nhrp_engine_used(r->nhrp, r->now, report->cookie);
    }
    if (!report->first)
        return;
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_FIRST_PACKET);
    ev.direction = report->direction;
    ev.vrf = report->vrf;
    ev.tunnel = report->tunnel;
    ev.label = report->label;
    ev.protocol = report->protocol;
    const bool out = report->direction != ROUTER_DIRECTION_FROM_TUNNEL;
    ev.local = out ? report->source : report->destination;
    ev.remote = out ? report->destination : report->source;
    rt_event_push(r, &ev);
}

static void on_seen(router *r, const rt_report *report)
{
    ikev2_path path;
    RT_TO(ikev2, &path.local, &report->path.local);
    RT_TO(ikev2, &path.peer, &report->path.peer);
    const bool udp = report->path.transport == ROUTER_TRANSPORT_UDP;
    (void)ikev2_engine_seen(r->ike, r->now, report->cookie, udp ? &path : NULL);
}

void rt_reports_drain(router *r)
{
    for (uint32_t i = 0; i < r->worker_count; i++) {
        rt_report report;
        /* A bound, so that a busy worker cannot keep the control thread here. */
        for (size_t n = 0; n < RT_REPORTS && report_pop(&r->workers[i], &report); n++) {
            switch (report.kind) {
            case RT_REPORT_SEEN:
                on_seen(r, &report);
                break;
            case RT_REPORT_LIMIT:
                (void)ikev2_engine_child_limit(r->ike, r->now, report.cookie, report.first);
                break;
            case RT_REPORT_FLOW:
                on_flow(r, &report);
                break;
            case RT_REPORT_HAIRPIN:
                rt_nhrp_hairpin(r, &report);
                break;
            default:
                break;
            }
        }
    }
}
