/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tunnels. There is one for each authenticated identity. It holds the IKE SAs with that peer, and
 * sends on one of them:
 *
 *   Two ends may begin at once, so that two SAs come up. Both receive on both. Both send on the
 *   one that the lower identity began, and that end deletes the other after RT_REDUNDANT_MS. Of
 *   several that the same end began the newest counts: the end must have lost the older ones.
 *
 * Life of a tunnel:
 *
 *   made -> [an SA may send] up -> [its address is known] told -> ended
 *
 * Once told, libnhrp has a link, libbgpvpn a next hop, the RIB a way. All of that ends with it.
 *
 * Timers of a tunnel, of which the earliest is armed: address_ms, redundant_ms, and for a dynamic
 * one the end of its idle time.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

/* ---- Finding ---- */

rt_tunnel *rt_tunnel_by_id(const router *r, uint64_t id)
{
    for (map_node *n = map_first(&r->tunnels, id); n; n = map_next(n))
        return CONTAINER_OF(n, rt_tunnel, by_id);
    return NULL;
}

static uint64_t address_hash(const router *r, const router_addr *address)
{
    const router_addr host = rt_addr_host(address);
    return rt_hash(r, &host, sizeof(host));
}

rt_tunnel *rt_tunnel_by_address(const router *r, const router_addr *address)
{
    if (address->family == ROUTER_FAMILY_NONE)
        return NULL;
    for (map_node *n = map_first(&r->addresses, address_hash(r, address)); n; n = map_next(n)) {
        rt_tunnel *t = CONTAINER_OF(n, rt_tunnel, by_address);
        if (rt_addr_same(&t->address, address))
            return t;
    }
    return NULL;
}

rt_tunnel *rt_tunnel_by_identity(const router *r, const char *identity)
{
    const uint64_t hash = rt_hash(r, identity, strlen(identity));
    for (map_node *n = map_first(&r->identities, hash); n; n = map_next(n)) {
        rt_tunnel *t = CONTAINER_OF(n, rt_tunnel, by_identity);
        if (strcmp(t->identity, identity) == 0)
            return t;
    }
    return NULL;
}

/* Peers behind one NAT share its address. Rare enough for a walk: only questions of NHRP ask it. */
rt_tunnel *rt_tunnel_to_peer(const router *r, const router_addr *nbma, const router_addr *address)
{
    size_t bucket = 0;
    for (map_node *n = map_walk(&r->tunnels, &bucket, NULL); n;
         n = map_walk(&r->tunnels, &bucket, n)) {
        rt_tunnel *t = CONTAINER_OF(n, rt_tunnel, by_id);
        if (t->told && rt_addr_same(&t->path.peer, nbma) && rt_addr_same(&t->address, address))
            return t;
    }
    return NULL;
}

rt_conn *rt_conn_by_sa(const router *r, uint64_t sa_id)
{
    for (map_node *n = map_first(&r->conns, sa_id); n; n = map_next(n))
        return CONTAINER_OF(n, rt_conn, by_sa);
    return NULL;
}

rt_child *rt_child_by_id(const router *r, uint64_t id)
{
    for (map_node *n = map_first(&r->children, id); n; n = map_next(n)) {
        rt_child *c = CONTAINER_OF(n, rt_child, by_id);
        if (c->conn)
            return c;
    }
    return NULL;
}

/* ---- Children ---- */

static void inbound_destroy(router *r, rt_retired *self)
{
    rt_inbound *in = (rt_inbound *)(void *)self;
    esp_sa_free(in->sa);
    alloc_free(&r->mem, in);
}

static void sending_destroy(router *r, rt_retired *self)
{
    alloc_free(&r->mem, self);
}

static void old_sa_destroy(router *r, rt_retired *self)
{
    rt_old_sa *old = (rt_old_sa *)(void *)self;
    esp_sa_free(old->sa);
    alloc_free(&r->mem, old);
}

rt_child *rt_child_new(router *r, rt_conn *c, uint64_t id)
{
    rt_child *child = alloc_zero(&r->mem, sizeof(*child));
    if (!child)
        return NULL;
    child->old = alloc_zero(&r->mem, sizeof(*child->old)); /* its end must not need memory */
    if (!child->old || rt_timer_join(r, &child->linger, RT_TIMER_LINGER) != ROUTER_OK) {
        alloc_free(&r->mem, child->old);
        alloc_free(&r->mem, child);
        return NULL;
    }
    child->id = id;
    child->conn = c;
    child->next = c->children;
    c->children = child;
    map_insert(&r->children, &r->mem, &child->by_id, id);
    return child;
}

static void child_free(router *r, rt_child *c)
{
    if (c->in) {
        rt_spi_remove(r, c->in);
        rt_retire(r, &c->in->retired, inbound_destroy);
    }
    rt_timer_leave(r, &c->linger);
    map_remove(&r->children, &c->by_id);
    alloc_free(&r->mem, c->old);
    alloc_free(&r->mem, c);
}

/* A tunnel must have stopped sending on it: tunnel_send_on comes first. */
static void retire_out(router *r, rt_child *c)
{
    if (!c->out)
        return;
    c->old->sa = c->out;
    rt_retire(r, &c->old->retired, old_sa_destroy);
    c->out = NULL;
    c->old = NULL;
}

static void tunnel_send_on(router *r, rt_tunnel *t, const rt_child *child, rt_sending *fresh);

void rt_child_end(router *r, rt_child *c, bool linger)
{
    rt_conn *conn = c->conn;
    rt_child **link = &conn->children;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    rt_sending *s = atomic_load_explicit(&conn->tunnel->sending, memory_order_relaxed);
    if (s && s->sa == c->out)
        tunnel_send_on(r, conn->tunnel, NULL, NULL);
    retire_out(r, c);
    c->conn = NULL;
    c->next = NULL;
    if (!linger || !c->in) {
        child_free(r, c);
        return;
    }
    c->next = r->lingering;
    r->lingering = c;
    rt_timer_set(r, &c->linger, r->now + RT_LINGER_MS);
}

void rt_child_linger_over(router *r, rt_child *c)
{
    rt_child **link = &r->lingering;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    child_free(r, c);
}

/* ---- Connections ---- */

rt_conn *rt_conn_new(router *r, rt_tunnel *t, uint64_t sa_id)
{
    rt_conn *c = alloc_zero(&r->mem, sizeof(*c));
    if (!c)
        return NULL;
    c->tunnel = t;
    c->sa_id = sa_id;
    c->next = t->conns;
    t->conns = c;
    map_insert(&r->conns, &r->mem, &c->by_sa, sa_id);
    r->conn_count++;
    return c;
}

void rt_conn_rename(router *r, rt_conn *c, uint64_t sa_id)
{
    map_remove(&r->conns, &c->by_sa);
    c->sa_id = sa_id;
    map_insert(&r->conns, &r->mem, &c->by_sa, sa_id);
}

void rt_conn_free(router *r, rt_conn *c)
{
    rt_tunnel *t = c->tunnel;
    while (c->children)
        rt_child_end(r, c->children, false);
    rt_conn **link = &t->conns;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    if (t->chosen == c)
        t->chosen = NULL;
    map_remove(&r->conns, &c->by_sa);
    alloc_free(&r->mem, c);
    r->conn_count--;
}

/* ---- Tunnels ---- */

static void tunnel_destroy(router *r, rt_retired *self)
{
    rt_slot_release(r, (const rt_tunnel *)(void *)self);
    alloc_free(&r->mem, self);
}

int32_t rt_tunnel_new(router *r, const char *identity, uint32_t peer, rt_tunnel **out)
{
    rt_tunnel *t = alloc_zero(&r->mem, sizeof(*t));
    if (!t)
        return ROUTER_ERR_NOMEM;
    const router_peer_config *config = &r->config.peers[peer];
    int32_t rc = rt_slot_take(r, t);
    if (rc != ROUTER_OK) {
        alloc_free(&r->mem, t);
        return rc;
    }
    bool ready = mplsvpn_interface_set(r->mpls, t->slot, ROUTER_GLOBAL_VRF) == MPLSVPN_OK;
    for (size_t i = 0; ready && i < config->vrf_count; i++)
        ready = mplsvpn_interface_allow(r->mpls, t->slot, config->vrfs[i]) == MPLSVPN_OK;
    if (!ready || rt_timer_join(r, &t->timer, RT_TIMER_TUNNEL) != ROUTER_OK) {
        (void)mplsvpn_interface_remove(r->mpls, t->slot);
        rt_slot_rest(r, t);
        rt_retire(r, &t->retired, tunnel_destroy);
        return ROUTER_ERR_NOMEM;
    }
    (void)snprintf(t->identity, sizeof(t->identity), "%s", identity);
    t->id = ++r->next_tunnel;
    t->peer = peer;
    t->address_ms = t->redundant_ms = RT_NEVER;
    t->dynamic = r->config.shortcut && !r->config.redirect && !config->initiate;
    atomic_init(&t->sending, NULL);
    atomic_init(&t->customer_ms, r->now);
    map_insert(&r->tunnels, &r->mem, &t->by_id, t->id);
    map_insert(&r->identities, &r->mem, &t->by_identity,
               rt_hash(r, t->identity, strlen(t->identity)));
    r->tunnel_count++;
    *out = t;
    return ROUTER_OK;
}

static void forget_address(router *r, rt_tunnel *t)
{
    if (t->address.family != ROUTER_FAMILY_NONE)
        map_remove(&r->addresses, &t->by_address);
    memset(&t->address, 0, sizeof(t->address));
}

/* All that depends on the tunnel being usable ends; the tunnel itself may come up again. */
static void tunnel_down(router *r, rt_tunnel *t, int32_t reason, const char *why)
{
    t->address_ms = RT_NEVER;
    if (!t->told)
        return;
    t->told = false;
    if (t->link_up)
        rt_nhrp_link_down(r, t);
    t->link_up = false;
    rt_rib_tunnel_changed(r, t);
    rt_bgp_tunnel_changed(r, t, false);
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_TUNNEL_DOWN);
    ev.tunnel = t->id;
    ev.reason = reason;
    ev.why = why;
    memcpy(ev.peer, t->identity, sizeof(ev.peer));
    rt_event_push(r, &ev);
}

void rt_tunnel_end(router *r, rt_tunnel *t, int32_t reason, const char *why)
{
    tunnel_send_on(r, t, NULL, NULL);
    t->up = false;
    tunnel_down(r, t, reason, why);
    rt_rib_tunnel_gone(r, t);
    forget_address(r, t);
    (void)mplsvpn_interface_remove(r->mpls, t->slot);
    rt_slot_rest(r, t);
    rt_timer_leave(r, &t->timer);
    map_remove(&r->tunnels, &t->by_id);
    map_remove(&r->identities, &t->by_identity);
    r->tunnel_count--;
    rt_ike_tunnel_ended(r, t);
    /* Inbound SAs that linger name the tunnel. */
    for (rt_child *c = r->lingering, *next; c; c = next) {
        next = c->next;
        if (c->in->tunnel == t)
            rt_child_linger_over(r, c);
    }
    rt_retire(r, &t->retired, tunnel_destroy);
}

static void tunnel_tell_up(router *r, rt_tunnel *t)
{
    t->told = true;
    t->address_ms = RT_NEVER;
    r->peers[t->peer].backoff_ms = 0;
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_TUNNEL_UP);
    ev.tunnel = t->id;
    ev.remote = t->path.peer;
    ev.address = t->address;
    memcpy(ev.peer, t->identity, sizeof(ev.peer));
    rt_event_push(r, &ev);
    rt_rib_tunnel_changed(r, t);
    rt_bgp_tunnel_changed(r, t, true);
    t->link_up = rt_nhrp_link_up(r, t);
}

void rt_tunnel_set_address(router *r, rt_tunnel *t, const router_addr *address)
{
    if (rt_addr_same(&t->address, address))
        return;
    /* Another tunnel's address is not to be had by pushing it too. */
    const rt_tunnel *other = rt_tunnel_by_address(r, address);
    if (other && other != t) {
        rt_event_refused(r, t->id, t->identity, ROUTER_ERR_STATE,
                         "a tunnel address that another peer has");
        return;
    }
    if (t->told) /* begin anew with what depends on the address */
        tunnel_down(r, t, 0, "the peer's tunnel address changed");
    forget_address(r, t);
    t->address = rt_addr_host(address);
    map_insert(&r->addresses, &r->mem, &t->by_address, address_hash(r, &t->address));
    if (t->up && !t->told)
        tunnel_tell_up(r, t);
    rt_tunnel_schedule(r, t);
}

/* ---- What sends ---- */

/* child NULL: nothing. fresh is what to publish, or NULL with it. */
static void tunnel_send_on(router *r, rt_tunnel *t, const rt_child *child, rt_sending *fresh)
{
    if (fresh) {
        fresh->sa = child->out;
        fresh->child = child->id;
        fresh->path = t->path;
        fresh->path.transport = child->encapsulated ? ROUTER_TRANSPORT_UDP : ROUTER_TRANSPORT_ESP;
        if (!child->encapsulated)
            fresh->path.local.port = fresh->path.peer.port = 0;
        atomic_init(&fresh->limit_reported, 0);
    }
    rt_sending *old = atomic_exchange_explicit(&t->sending, fresh, memory_order_acq_rel);
    if (old)
        rt_retire(r, &old->retired, sending_destroy);
}

static const rt_child *conn_sender(const rt_conn *c)
{
    for (const rt_child *child = c->superseded ? NULL : c->children; child; child = child->next)
        if (child->sends && child->out)
            return child;
    return NULL;
}

static bool began_by_lower(const router *r, const rt_tunnel *t, const rt_conn *c)
{
    const bool we_are_lower = strcmp(r->config.identity, t->identity) < 0;
    return c->initiator == we_are_lower;
}

/* Newest first, so the first of equals is the newest. */
static rt_conn *choose_conn(const router *r, const rt_tunnel *t)
{
    rt_conn *best = NULL;
    for (rt_conn *c = t->conns; c; c = c->next) {
        if (!conn_sender(c))
            continue;
        if (!best || (began_by_lower(r, t, c) && !began_by_lower(r, t, best)))
            best = c;
    }
    return best;
}

static size_t sending_conns(const rt_tunnel *t)
{
    size_t n = 0;
    for (const rt_conn *c = t->conns; c; c = c->next)
        n += conn_sender(c) != NULL;
    return n;
}

static bool path_same(const router_path *a, const router_path *b)
{
    return rt_addr_same(&a->local, &b->local) && a->local.port == b->local.port &&
           rt_addr_same(&a->peer, &b->peer) && a->peer.port == b->peer.port;
}

void rt_tunnel_refresh(router *r, rt_tunnel *t, int32_t reason, const char *why)
{
    rt_conn *chosen = choose_conn(r, t);
    const rt_child *child = chosen ? conn_sender(chosen) : NULL;
    const rt_sending *now = atomic_load_explicit(&t->sending, memory_order_relaxed);
    t->chosen = chosen;
    if (!child) {
        tunnel_send_on(r, t, NULL, NULL);
        t->up = false;
        tunnel_down(r, t, reason, why);
        t->redundant_ms = RT_NEVER;
        rt_tunnel_schedule(r, t);
        return;
    }
    const bool moved = !path_same(&t->path, &chosen->path);
    if (!now || now->sa != child->out || moved) {
        rt_sending *fresh = alloc_zero(&r->mem, sizeof(*fresh));
        if (!fresh) { /* it goes on as it was, and is looked at again */
            rt_timer_set(r, &r->retry_timer, r->now + RT_RETRY_MS);
            return;
        }
        const bool readdressed = moved && !rt_addr_same(&t->path.peer, &chosen->path.peer);
        t->path = chosen->path;
        tunnel_send_on(r, t, child, fresh);
        if (readdressed && t->link_up) { /* libnhrp knows peers by their NBMA address */
            rt_nhrp_link_down(r, t);
            t->link_up = rt_nhrp_link_up(r, t);
        }
    }
    if (!t->up) {
        t->up = true;
        t->up_ms = r->now;
        atomic_store_explicit(&t->customer_ms, r->now, memory_order_relaxed);
        if (t->address.family != ROUTER_FAMILY_NONE)
            tunnel_tell_up(r, t);
        else
            t->address_ms = r->now + RT_ADDRESS_WAIT_MS;
    }
    if (sending_conns(t) < 2)
        t->redundant_ms = RT_NEVER;
    else if (t->redundant_ms == RT_NEVER && chosen->initiator)
        t->redundant_ms = r->now + RT_REDUNDANT_MS;
    rt_tunnel_schedule(r, t);
}

/* ---- Time ---- */

static uint64_t idle_deadline(const router *r, const rt_tunnel *t)
{
    if (!t->dynamic || !t->up || t->idle || r->config.idle_ms == 0)
        return RT_NEVER;
    return atomic_load_explicit(&t->customer_ms, memory_order_relaxed) + r->config.idle_ms;
}

void rt_tunnel_schedule(router *r, rt_tunnel *t)
{
    uint64_t deadline = idle_deadline(r, t);
    if (t->address_ms < deadline)
        deadline = t->address_ms;
    if (t->redundant_ms < deadline)
        deadline = t->redundant_ms;
    rt_timer_set(r, &t->timer, deadline);
}

/* All but one. False where the engine's events must be drained first. */
static bool delete_conns(router *r, rt_tunnel *t, const rt_conn *keep)
{
    bool done = true;
    for (rt_conn *c = t->conns; c; c = c->next)
        if (c != keep && ikev2_engine_delete_ike(r->ike, r->now, c->sa_id) == IKEV2_ERR_LIMIT)
            done = false;
    return done;
}

/*
 * INITIAL_CONTACT may be missing, where the peer did not know whom it called, or the old SA ends by
 * liveness much later. Until then mappings would use labels that the peer has forgotten. SAs that
 * both ends began at once are less than RT_REDUNDANT_MS apart.
 */
void rt_tunnel_begun_anew(router *r, rt_tunnel *t)
{
    if (!t->told || r->now - t->up_ms <= RT_REDUNDANT_MS)
        return;
    for (rt_conn *c = t->conns; c; c = c->next)
        c->superseded = true;
    rt_tunnel_refresh(r, t, 0, "the peer began anew");
    (void)delete_conns(r, t, NULL); /* what is not deleted now ends by liveness */
}

void rt_tunnel_timeout(router *r, rt_tunnel *t)
{
    if (t->address_ms <= r->now) {
        /* Without its address nothing can go there: perhaps it is told when both begin anew. */
        rt_event_refused(r, t->id, t->identity, ROUTER_ERR_ABSENT,
                         "a peer that told no tunnel address");
        t->address_ms = delete_conns(r, t, NULL) ? RT_NEVER : r->now + RT_RETRY_MS;
    }
    if (t->redundant_ms <= r->now)
        t->redundant_ms = delete_conns(r, t, t->chosen) ? RT_NEVER : r->now + RT_RETRY_MS;
    if (idle_deadline(r, t) <= r->now)
        t->idle = delete_conns(r, t, NULL);
    rt_tunnel_schedule(r, t);
}
