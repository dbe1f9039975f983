/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Life of a router, its timers, and its ports on the control side.
 *
 * Timers, one heap:
 *   PEER    to call a configured peer (again)        RT_DIAL_MIN_MS, doubling, with jitter
 *   TUNNEL  no address, delete what lost, idle       see tunnel.c
 *   LINGER  a rekeyed inbound SA                     RT_LINGER_MS
 *   LABELS  labels that were taken back              the longest holding time
 *   RETRY   what failed for want of memory           RT_RETRY_MS
 * The engines have their own, and tell by their deadlines.
 */
#include "internal.h"

#include <string.h>

/* ---- Timers ---- */

int32_t rt_timer_join(router *r, rt_timer *t, uint32_t kind)
{
    t->kind = kind;
    return heap_join(&r->timers, &r->mem, &t->node) ? ROUTER_OK : ROUTER_ERR_NOMEM;
}

void rt_timer_set(router *r, rt_timer *t, uint64_t deadline)
{
    heap_set(&r->timers, &t->node, deadline);
}

void rt_timer_leave(router *r, rt_timer *t)
{
    heap_leave(&r->timers, &t->node);
}

static void retry(router *r)
{
    rt_rib_retry(r);
    rt_bgp_retry(r);
    size_t bucket = 0;
    for (map_node *n = map_walk(&r->tunnels, &bucket, NULL); n;
         n = map_walk(&r->tunnels, &bucket, n)) {
        rt_tunnel *t = CONTAINER_OF(n, rt_tunnel, by_id);
        rt_tunnel_refresh(r, t, 0, NULL);
        if (t->told && !t->link_up)
            t->link_up = rt_nhrp_link_up(r, t);
    }
}

static void timer_fire(router *r, rt_timer *t)
{
    rt_timer_set(r, t, RT_NEVER);
    switch (t->kind) {
    case RT_TIMER_PEER:
        rt_ike_dial(r, CONTAINER_OF(t, rt_peer, timer));
        break;
    case RT_TIMER_TUNNEL:
        rt_tunnel_timeout(r, CONTAINER_OF(t, rt_tunnel, timer));
        break;
    case RT_TIMER_LINGER:
        rt_child_linger_over(r, CONTAINER_OF(t, rt_child, linger));
        break;
    case RT_TIMER_LABELS:
        rt_labels_reclaim(r);
        break;
    case RT_TIMER_RETRY:
        retry(r);
        break;
    default:
        break;
    }
}

/* ---- Life ---- */

static bool maps_init(router *r)
{
    return map_init(&r->tunnels, &r->mem) && map_init(&r->identities, &r->mem) &&
           map_init(&r->addresses, &r->mem) && map_init(&r->conns, &r->mem) &&
           map_init(&r->children, &r->mem) && map_init(&r->rib, &r->mem);
}

static int32_t tables_new(router *r)
{
    const rt_config *c = &r->config;
    mplsvpn_config config;
    (void)mplsvpn_config_init(&config);
    config.allocator.resize = c->resize;
    config.allocator.user = c->resize_user;
    config.max_interfaces = RT_MAX_TUNNELS;
    drbg_get(&r->random, config.seed, sizeof(config.seed));
    if (mplsvpn_table_new(&config, &r->mpls) != MPLSVPN_OK)
        return ROUTER_ERR_NOMEM;
    bool made = mplsvpn_vrf_add(r->mpls, ROUTER_GLOBAL_VRF) == MPLSVPN_OK;
    for (size_t i = 0; made && i < c->vrf_count; i++)
        made = mplsvpn_vrf_add(r->mpls, c->vrfs[i].id) == MPLSVPN_OK;
    return made ? ROUTER_OK : ROUTER_ERR_NOMEM;
}

static int32_t workers_new(router *r)
{
    r->workers = alloc_array(&r->mem, r->config.workers, sizeof(*r->workers));
    if (!r->workers)
        return ROUTER_ERR_NOMEM;
    for (uint32_t i = 0; i < r->config.workers; i++) {
        r->worker_count = i + 1;
        if (!rt_worker_init(r, &r->workers[i], i))
            return ROUTER_ERR_NOMEM;
    }
    return ROUTER_OK;
}

static int32_t peers_new(router *r)
{
    r->peers = alloc_array(&r->mem, r->config.peer_count + 1, sizeof(*r->peers));
    if (!r->peers)
        return ROUTER_ERR_NOMEM;
    for (size_t i = 0; i < r->config.peer_count; i++) {
        if (rt_timer_join(r, &r->peers[i].timer, RT_TIMER_PEER) != ROUTER_OK)
            return ROUTER_ERR_NOMEM;
        if (r->config.peers[i].initiate)
            rt_timer_set(r, &r->peers[i].timer, r->now);
    }
    return ROUTER_OK;
}

static int32_t router_make(router *r)
{
    drbg_get(&r->random, r->hash_key, sizeof(r->hash_key));
    if (!maps_init(r) || !rt_events_init(r))
        return ROUTER_ERR_NOMEM;
    int32_t rc = rt_timer_join(r, &r->label_timer, RT_TIMER_LABELS);
    if (rc == ROUTER_OK)
        rc = rt_timer_join(r, &r->retry_timer, RT_TIMER_RETRY);
    if (rc == ROUTER_OK)
        rc = tables_new(r);
    if (rc == ROUTER_OK)
        rc = workers_new(r);
    if (rc == ROUTER_OK)
        rc = rt_ike_new(r);
    if (rc == ROUTER_OK)
        rc = rt_nhrp_new(r);
    if (rc == ROUTER_OK)
        rc = rt_rib_set(r, ROUTER_GLOBAL_VRF, &r->config.tunnel, ROUTER_SOURCE_CONNECTED, NULL,
                        NULL, ROUTER_NO_LABEL, 0);
    if (rc == ROUTER_OK)
        rc = rt_bgp_new(r);
    if (rc == ROUTER_OK)
        rc = peers_new(r);
    return rc;
}

int32_t router_new(const router_config *config, uint64_t now_ms, router **out, const char **problem)
{
    if (problem)
        *problem = NULL;
    if (!config || !out) {
        if (problem)
            *problem = "an argument is missing";
        return ROUTER_ERR_ARG;
    }
    const char *wrong = rt_config_check(config);
    if (wrong) {
        if (problem)
            *problem = wrong;
        return ROUTER_ERR_ARG;
    }
    if (sodium_init() < 0)
        return ROUTER_ERR_NOMEM;
    const alloc mem = alloc_make(config->resize, config->resize_user);
    router *r = alloc_zero(&mem, sizeof(*r));
    if (!r)
        return ROUTER_ERR_NOMEM;
    r->mem = mem;
    r->now = now_ms;
    drbg_init(&r->random, config->seed);
    const int32_t rc = rt_config_copy(&r->config, config, &mem) ? router_make(r) : ROUTER_ERR_NOMEM;
    if (rc != ROUTER_OK) {
        if (problem)
            *problem = rc == ROUTER_ERR_ARG ? "a value that a library refuses" : "no memory";
        router_free(r);
        return rc;
    }
    *out = r;
    return ROUTER_OK;
}

static void tunnels_free(router *r)
{
    if (!r->tunnels.buckets)
        return;
    size_t bucket = 0;
    map_node *n;
    while (bucket = 0, (n = map_walk(&r->tunnels, &bucket, NULL)) != NULL) {
        rt_tunnel *t = CONTAINER_OF(n, rt_tunnel, by_id);
        while (t->conns)
            rt_conn_free(r, t->conns);
        rt_tunnel_end(r, t, 0, NULL);
    }
}

void router_free(router *r)
{
    if (!r)
        return;
    tunnels_free(r);
    rt_rib_free(r);
    rt_shared_free(r);
    rt_labels_free(r);
    ikev2_engine_free(r->ike);
    nhrp_engine_free(r->nhrp);
    bgpvpn_engine_free(r->bgp);
    for (uint32_t i = 0; i < r->worker_count; i++)
        rt_worker_free(r, &r->workers[i]);
    alloc_free(&r->mem, r->workers);
    mplsvpn_table_free(r->mpls);
    rt_nhrp_free(r);
    map *maps[] = {&r->tunnels, &r->identities, &r->addresses, &r->conns, &r->children, &r->rib};
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        map_free(maps[i], &r->mem);
    alloc_free(&r->mem, r->peers);
    alloc_free(&r->mem, r->recent);
    alloc_free(&r->mem, r->events.items);
    heap_free(&r->timers, &r->mem);
    const alloc mem = r->mem;
    rt_config_free(&r->config, &mem);
    sodium_memzero(r, sizeof(*r));
    alloc_free(&mem, r);
}

/* ---- The engines ---- */

void rt_pump(router *r)
{
    for (size_t n = 0; n < RT_WORK_PER_TIMEOUT; n++)
        if (!rt_ike_event(r) && !rt_nhrp_event(r) && !rt_bgp_event(r))
            return;
    r->more = true;
}

static void clock_set(router *r, uint64_t now_ms)
{
    if (now_ms > r->now)
        r->now = now_ms;
}

int32_t router_timeout(router *r, uint64_t now_ms)
{
    if (!r)
        return ROUTER_ERR_ARG;
    clock_set(r, now_ms);
    r->more = false;
    rt_pump(r);
    rt_reports_drain(r);
    rt_pump(r);
    heap_node *first;
    for (size_t n = 0; n < RT_WORK_PER_TIMEOUT && (first = heap_first(&r->timers)) != NULL &&
                       first->deadline <= r->now;
         n++) {
        timer_fire(r, CONTAINER_OF(first, rt_timer, node));
        rt_pump(r);
    }
    if (ikev2_engine_timeout(r->ike, r->now) == IKEV2_YES)
        r->more = true;
    rt_pump(r);
    if (nhrp_engine_timeout(r->nhrp, r->now) == NHRP_YES)
        r->more = true;
    rt_pump(r);
    if (r->bgp && bgpvpn_engine_timeout(r->bgp, r->now) == BGPVPN_YES)
        r->more = true;
    rt_pump(r);
    (void)rt_collect(r);
    return r->more || router_deadline(r) <= r->now ? ROUTER_YES : ROUTER_OK;
}

uint64_t router_deadline(const router *r)
{
    if (!r)
        return ROUTER_NEVER;
    uint64_t deadline = r->more ? r->now : ROUTER_NEVER;
    for (uint32_t i = 0; i < r->worker_count; i++)
        if (rt_report_waits(&r->workers[i]))
            deadline = r->now;
    if (r->retired && r->now + RT_COLLECT_MS < deadline)
        deadline = r->now + RT_COLLECT_MS;
    const heap_node *first = heap_first(&r->timers);
    const uint64_t others[] = {first ? first->deadline : ROUTER_NEVER,
                               ikev2_engine_deadline(r->ike), nhrp_engine_deadline(r->nhrp),
                               r->bgp ? bgpvpn_engine_deadline(r->bgp) : ROUTER_NEVER};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i] < deadline)
            deadline = others[i];
    return deadline;
}

int32_t router_control_input(router *r, uint64_t now_ms, const router_packet *packet)
{
    if (!r || !packet || !packet->buf || packet->offset > packet->cap ||
        packet->len > packet->cap - packet->offset)
        return ROUTER_ERR_ARG;
    clock_set(r, now_ms);
    /* What came before it in the rings may decide what it is worth. */
    rt_reports_drain(r);
    rt_pump(r);
    const uint8_t *bytes = packet->buf + packet->offset;
    if (packet->control == RT_CONTROL_IKE) {
        ikev2_path path;
        RT_TO(ikev2, &path.local, &packet->path.local);
        RT_TO(ikev2, &path.peer, &packet->path.peer);
        (void)ikev2_engine_input(r->ike, r->now, &path, bytes, packet->len);
    } else if (packet->control == RT_CONTROL_NHRP) {
        rt_tunnel *t = rt_tunnel_by_id(r, packet->tunnel);
        if (!t || !t->link_up)
            return ROUTER_ERR_ABSENT; /* the tunnel went while the packet was on its way here */
        rt_nhrp_input(r, t, bytes, packet->len);
    } else {
        return ROUTER_ERR_ARG;
    }
    rt_pump(r);
    return ROUTER_OK;
}

/* ---- Streams ---- */

static int32_t from_bgp(bgpvpn_rc rc)
{
    return rc >= BGPVPN_ERR_ABSENT ? rc : ROUTER_ERR_STATE;
}

int32_t router_stream_accept(router *r, uint64_t now_ms, const router_addr *local,
                             const router_addr *peer, uint64_t *stream)
{
    if (!r || !local || !peer || !stream)
        return ROUTER_ERR_ARG;
    if (!r->bgp)
        return ROUTER_ERR_ABSENT;
    clock_set(r, now_ms);
    rt_pump(r);
    /* Who speaks for an address is who has it in a tunnel, not who once was on the way there. */
    const rt_tunnel *t = rt_tunnel_by_address(r, peer);
    if (!t || !t->told)
        return ROUTER_ERR_ABSENT;
    bgpvpn_addr ours;
    bgpvpn_addr theirs;
    RT_TO(bgpvpn, &ours, local);
    RT_TO(bgpvpn, &theirs, peer);
    const bgpvpn_rc rc = bgpvpn_engine_accept(r->bgp, r->now, &ours, &theirs, stream);
    rt_pump(r);
    return from_bgp(rc);
}

int32_t router_stream_up(router *r, uint64_t now_ms, uint64_t stream, const router_addr *local)
{
    if (!r || !local)
        return ROUTER_ERR_ARG;
    if (!r->bgp)
        return ROUTER_ERR_ABSENT;
    clock_set(r, now_ms);
    rt_pump(r);
    bgpvpn_addr ours;
    RT_TO(bgpvpn, &ours, local);
    const bgpvpn_rc rc = bgpvpn_engine_stream_up(r->bgp, r->now, stream, &ours);
    rt_pump(r);
    return from_bgp(rc);
}

int32_t router_stream_down(router *r, uint64_t now_ms, uint64_t stream)
{
    if (!r)
        return ROUTER_ERR_ARG;
    if (!r->bgp)
        return ROUTER_ERR_ABSENT;
    clock_set(r, now_ms);
    rt_pump(r);
    const bgpvpn_rc rc = bgpvpn_engine_stream_down(r->bgp, r->now, stream);
    rt_pump(r);
    return from_bgp(rc);
}

int32_t router_stream_input(router *r, uint64_t now_ms, uint64_t stream, const uint8_t *buf,
                            size_t len, size_t *consumed)
{
    if (!r || !consumed || (!buf && len > 0))
        return ROUTER_ERR_ARG;
    if (!r->bgp)
        return ROUTER_ERR_ABSENT;
    clock_set(r, now_ms);
    *consumed = 0;
    bgpvpn_rc rc = BGPVPN_OK;
    /* The engine takes what its ring has room for; between, the ring is drained. */
    for (;;) {
        size_t taken = 0;
        rt_pump(r);
        rc = bgpvpn_engine_input(r->bgp, r->now, stream, buf ? buf + *consumed : NULL,
                                 len - *consumed, &taken);
        *consumed += taken;
        if (rc != BGPVPN_OK || taken == 0 || *consumed == len)
            break;
    }
    rt_pump(r);
    return from_bgp(rc);
}

int32_t router_stream_credit(router *r, uint64_t now_ms, uint64_t stream, size_t bytes)
{
    if (!r)
        return ROUTER_ERR_ARG;
    if (!r->bgp)
        return ROUTER_ERR_ABSENT;
    clock_set(r, now_ms);
    return from_bgp(bgpvpn_engine_set_credit(r->bgp, r->now, stream, bytes));
}

/* ---- Output ---- */

static bool output_ike(router *r, uint8_t *buf, size_t cap, router_output *out)
{
    ikev2_output ike;
    if (ikev2_engine_poll_output(r->ike, r->now, buf, cap, &ike) != IKEV2_YES)
        return false;
    out->kind = ROUTER_OUTPUT_UNDERLAY;
    rt_addr_from(&out->path.local, &ike.path.local);
    rt_addr_from(&out->path.peer, &ike.path.peer);
    out->path.transport = ROUTER_TRANSPORT_UDP;
    out->len = ike.len;
    return true;
}

/* NHRP has no worker of its own, so that it is sealed by the one after the last. */
static bool output_nhrp(router *r, uint8_t *buf, size_t cap, router_output *out)
{
    const size_t room = ESP_HEADER_BYTES + GRE_HEADER_MIN_BYTES;
    nhrp_output message;
    if (cap < room + ESP_TRAILER_MAX)
        return false;
    while (nhrp_engine_poll_output(r->nhrp, r->now, buf + room, cap - room - ESP_TRAILER_MAX,
                                   &message) == NHRP_YES) {
        rt_tunnel *t = rt_slot_get(r, message.link);
        if (!t)
            continue;
        /* In a copy: the sealed bytes tell nothing, and an event must not tell what was not sent.
         */
        const size_t plain_len = (size_t)message.len;
        if (plain_len <= sizeof(r->scratch))
            memcpy(r->scratch, buf + room, plain_len);
        size_t offset = room;
        size_t len = plain_len;
        if (rt_send_tunnel(r, NULL, r->worker_count, t, GRE_PROTOCOL_NHRP, buf, cap, &offset, &len,
                           &out->path) != ROUTER_DROP_NONE)
            continue;
        if (offset > 0)
            memmove(buf, buf + offset, len);
        if (plain_len <= sizeof(r->scratch))
            rt_nhrp_sent(r, t, r->scratch, plain_len);
        out->kind = ROUTER_OUTPUT_UNDERLAY;
        out->len = len;
        return true;
    }
    return false;
}

int32_t router_poll_output(router *r, uint64_t now_ms, uint8_t *buf, size_t cap, router_output *out)
{
    if (!r || !buf || !out)
        return ROUTER_ERR_ARG;
    if (cap < ROUTER_OUTPUT_BYTES)
        return ROUTER_ERR_BUFFER;
    clock_set(r, now_ms);
    rt_pump(r);
    memset(out, 0, sizeof(*out));
    if (output_ike(r, buf, cap, out) || output_nhrp(r, buf, cap, out))
        return ROUTER_YES;
    bgpvpn_output bgp;
    if (!r->bgp || bgpvpn_engine_poll_output(r->bgp, r->now, buf, cap, &bgp) != BGPVPN_YES)
        return ROUTER_OK;
    out->kind = ROUTER_OUTPUT_STREAM;
    out->stream = bgp.stream;
    out->len = bgp.len;
    return ROUTER_YES;
}
