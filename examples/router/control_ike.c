/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * libikev2's events: SAs come, change and go. Also whom to call, and when to call again.
 *
 * Who the peer is decides the first peer of the configuration that its authenticated identity
 * matches. An SA that was made with another one's keys is refused: who holds the keys of a domain
 * is not thereby each host that has an entry, and keys, of its own.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

enum { MS_PER_S = 1000 };

static router_path path_from(const ikev2_path *in)
{
    router_path out;
    memset(&out, 0, sizeof(out));
    rt_addr_from(&out.local, &in->local);
    rt_addr_from(&out.peer, &in->peer);
    out.transport = ROUTER_TRANSPORT_UDP;
    return out;
}

/* ---- What the engine is told about a peer ---- */

typedef struct peer_storage {
    ikev2_addr push;
} peer_storage;

static void identity_set(ikev2_identity *out, const char *name)
{
    out->bytes = (const uint8_t *)name;
    out->len = strlen(name);
    out->type = IKEV2_ID_FQDN;
}

static void peer_fill(const router *r, uint32_t index, peer_storage *storage, ikev2_peer *out)
{
    const rt_config *c = &r->config;
    const router_peer_config *p = &c->peers[index];
    memset(out, 0, sizeof(*out));
    out->struct_size = sizeof(*out);
    out->request = IKEV2_REQUEST_SUBNETS;
    out->user = (uint64_t)index + 1;
    identity_set(&out->local_id, c->identity);
    identity_set(&out->peer_id, p->identity);
    out->local_psk = (const uint8_t *)p->local_key;
    out->local_psk_len = strlen(p->local_key);
    out->peer_psk = (const uint8_t *)p->remote_key;
    out->peer_psk_len = strlen(p->remote_key);
    /* Our tunnel address is what we tell the peer (route set interface); what it tells us is
     * weighed here, so that a refused prefix can be named. */
    const router_addr own = rt_addr_host(&c->tunnel);
    RT_TO(ikev2, &storage->push, &own);
    out->push_routes = &storage->push;
    out->push_route_count = 1;
}

int32_t rt_ike_new(router *r)
{
    const rt_config *c = &r->config;
    ikev2_config config;
    (void)ikev2_config_init(&config);
    config.allocator.resize = c->resize;
    config.allocator.user = c->resize_user;
    drbg_get(&r->random, config.seed, sizeof(config.seed));
    config.ike_port = RT_PORT_IKE;
    config.natt_port = RT_PORT_NATT;
    config.max_profiles = ROUTER_MAX_PEERS;
    config.max_events = RT_ENGINE_EVENTS;
    config.ike_lifetime_s = c->ike_lifetime_s;
    config.child_lifetime_s = c->child_lifetime_s;
    config.liveness_ms = c->dpd_s * MS_PER_S;
    config.force_encapsulation = c->force_encapsulation;
    const ikev2_rc rc = ikev2_engine_new(&config, r->now, &r->ike);
    sodium_memzero(&config, sizeof(config));
    if (rc != IKEV2_OK)
        return rc == IKEV2_ERR_ARG ? ROUTER_ERR_ARG : ROUTER_ERR_NOMEM;
    for (uint32_t i = 0; i < c->peer_count; i++) {
        peer_storage storage;
        ikev2_peer profile;
        uint64_t id;
        peer_fill(r, i, &storage, &profile);
        if (ikev2_engine_add_profile(r->ike, r->now, &profile, &id) != IKEV2_OK)
            return ROUTER_ERR_NOMEM;
    }
    return ROUTER_OK;
}

/* ---- Calling ---- */

static ikev2_rc initiate(router *r, uint32_t index, const router_addr *to, uint64_t *sa_id)
{
    peer_storage storage;
    ikev2_peer peer;
    peer_fill(r, index, &storage, &peer);
    router_addr local = rt_addr_host(&r->config.underlay);
    router_addr remote = rt_addr_host(to);
    local.prefix_len = remote.prefix_len = 0;
    local.scope = remote.scope = r->config.underlay.scope;
    local.port = RT_PORT_IKE;
    remote.port = to->port ? to->port : RT_PORT_IKE;
    RT_TO(ikev2, &peer.path.local, &local);
    RT_TO(ikev2, &peer.path.peer, &remote);
    return ikev2_engine_initiate(r->ike, r->now, &peer, sa_id);
}

/* Doubles each time, and spreads what would otherwise call at once by a quarter. */
static void dial_later(router *r, rt_peer *p)
{
    p->sa_id = 0;
    p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : RT_DIAL_MIN_MS;
    if (p->backoff_ms > RT_DIAL_MAX_MS)
        p->backoff_ms = RT_DIAL_MAX_MS;
    const uint32_t jitter = drbg_below(&r->random, p->backoff_ms / 4 + 1);
    rt_timer_set(r, &p->timer, r->now + p->backoff_ms + jitter);
}

static bool peer_connected(const router *r, uint32_t index)
{
    size_t bucket = 0;
    for (map_node *n = map_walk(&r->identities, &bucket, NULL); n;
         n = map_walk(&r->identities, &bucket, n)) {
        const rt_tunnel *t = CONTAINER_OF(n, rt_tunnel, by_identity);
        if (t->peer == index && t->conns)
            return true;
    }
    return false;
}

void rt_ike_dial(router *r, rt_peer *p)
{
    const uint32_t index = (uint32_t)(p - r->peers);
    if (p->sa_id != 0 || peer_connected(r, index))
        return;
    if (initiate(r, index, &r->config.peers[index].address, &p->sa_id) != IKEV2_OK)
        dial_later(r, p);
}

void rt_ike_tunnel_ended(router *r, const rt_tunnel *t)
{
    for (size_t i = 0; i < RT_MAX_ASKS; i++)
        if (r->asks[i].ask_id != 0 && rt_addr_same(&r->asks[i].nbma, &t->path.peer))
            r->asks[i].ask_id = 0;
    if (r->config.peers[t->peer].initiate && !t->idle)
        dial_later(r, &r->peers[t->peer]);
}

/* ---- Tunnels that NHRP wants ---- */

static uint32_t peer_for_nbma(const router *r, const router_addr *nbma)
{
    const rt_config *c = &r->config;
    for (uint32_t i = 0; i < c->peer_count; i++)
        if (rt_addr_same(&c->peers[i].address, nbma))
            return i;
    for (uint32_t i = 0; i < c->peer_count; i++)
        if (c->peers[i].address.family == ROUTER_FAMILY_NONE)
            return i;
    return (uint32_t)c->peer_count;
}

/*
 * A slot whose question NHRP has given up, for another: or a peer that names addresses where nobody
 * answers would keep all of them for the minute that each attempt takes. That attempt ends with it.
 */
static rt_ask *ask_reuse(router *r)
{
    for (size_t i = 0; i < RT_MAX_ASKS; i++) {
        rt_ask *a = &r->asks[i];
        nhrp_question q;
        memset(&q, 0, sizeof(q));
        q.struct_size = sizeof(q);
        if (nhrp_engine_get_question(r->nhrp, a->ask_id, &q) != NHRP_ERR_ABSENT)
            continue;
        bool shared = rt_conn_by_sa(r, a->sa_id) != NULL; /* it came up */
        for (size_t k = 0; k < RT_MAX_ASKS; k++)
            shared |= k != i && r->asks[k].ask_id != 0 && r->asks[k].sa_id == a->sa_id;
        if (!shared)
            (void)ikev2_engine_delete_ike(r->ike, r->now, a->sa_id);
        a->ask_id = 0;
        return a;
    }
    return NULL;
}

void rt_ike_want(router *r, uint64_t ask_id, const router_addr *nbma)
{
    rt_ask *slot = NULL;
    uint64_t sa_id = 0;
    for (size_t i = 0; i < RT_MAX_ASKS; i++) {
        rt_ask *a = &r->asks[i];
        if (a->ask_id == 0)
            slot = slot ? slot : a;
        else if (rt_addr_same(&a->nbma, nbma) && a->sa_id != 0)
            sa_id = a->sa_id;
    }
    if (!slot)
        slot = ask_reuse(r);
    const uint32_t index = peer_for_nbma(r, nbma);
    const bool own = rt_addr_same(nbma, &r->config.underlay);
    if (!slot || index == r->config.peer_count || own ||
        (sa_id == 0 && initiate(r, index, nbma, &sa_id) != IKEV2_OK)) {
        (void)nhrp_engine_answer_tunnel(r->nhrp, r->now, ask_id, NHRP_TUNNEL_FAILED, 0);
        return;
    }
    slot->ask_id = ask_id;
    slot->sa_id = sa_id;
    slot->nbma = rt_addr_host(nbma);
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_TUNNEL_WANTED);
    ev.remote = rt_addr_host(nbma);
    ev.remote.prefix_len = 0;
    rt_event_push(r, &ev);
}

/* ---- IKE SAs ---- */

/* FQDNs only, of printable characters: what was not configured as one matches nobody. */
static bool identity_text(const ikev2_identity *id, char out[ROUTER_NAME_BYTES])
{
    if (id->type != IKEV2_ID_FQDN || id->len == 0 || id->len >= ROUTER_NAME_BYTES)
        return false;
    for (size_t i = 0; i < id->len; i++) {
        const uint8_t b = id->bytes[i];
        if (b <= ' ' || b >= 0x7f || b == '*')
            return false;
        out[i] = (char)b;
    }
    out[id->len] = 0;
    return true;
}

static void refuse_sa(router *r, uint64_t sa_id, const char *identity, int32_t reason,
                      const char *why)
{
    rt_event_refused(r, 0, identity, reason, why);
    (void)ikev2_engine_delete_ike(r->ike, r->now, sa_id);
}

static void tell_ike(router *r, uint32_t kind, const char *peer, const router_path *path,
                     int32_t reason)
{
    router_event ev;
    rt_event_init(&ev, kind);
    if (path) {
        ev.local = path->local;
        ev.remote = path->peer;
    }
    ev.reason = reason;
    (void)snprintf(ev.peer, sizeof(ev.peer), "%s", peer);
    rt_event_push(r, &ev);
}

static bool child_info(const router *r, uint64_t id, ikev2_child_info *info)
{
    memset(info, 0, sizeof(*info));
    info->struct_size = sizeof(*info);
    return ikev2_engine_get_child(r->ike, id, info) == IKEV2_OK;
}

/*
 * A rekeyed IKE SA hands its children to its heir. When both sides rekey at once there are two, one
 * of them redundant (RFC 7296 2.8.2), and which one that is turns out late: the connection stays
 * with the SA that has its children. Without children it goes to the first heir.
 */
static uint64_t sa_of_children(const router *r, const rt_conn *c, uint64_t heir)
{
    for (const rt_child *child = c->children; child; child = child->next) {
        ikev2_child_info info;
        if (child_info(r, child->id, &info) && info.state != IKEV2_CHILD_DEAD)
            return info.sa_id;
    }
    return heir;
}

static rt_conn *conn_of_children(const router *r, uint64_t sa_id)
{
    uint64_t child_id = 0;
    while (ikev2_engine_next_child(r->ike, sa_id, &child_id) == IKEV2_YES) {
        const rt_child *child = rt_child_by_id(r, child_id);
        if (child && child->conn)
            return child->conn;
    }
    return NULL;
}

static void on_sa_rekeyed(router *r, const ikev2_event *ev)
{
    rt_conn *c = rt_conn_by_sa(r, ev->replaces);
    if (!c)
        c = conn_of_children(r, ev->sa_id);
    if (!c)
        return; /* an heir that lost */
    const uint64_t sa_id = sa_of_children(r, c, ev->sa_id);
    ikev2_sa_info info;
    memset(&info, 0, sizeof(info));
    info.struct_size = sizeof(info);
    rt_conn_rename(r, c, sa_id);
    if (ikev2_engine_get_sa(r->ike, sa_id, &info) == IKEV2_OK)
        c->path = path_from(&info.path);
    rt_tunnel_refresh(r, c->tunnel, 0, NULL);
}

static void on_sa_up(router *r, const ikev2_event *ev)
{
    ikev2_sa_info info;
    memset(&info, 0, sizeof(info));
    info.struct_size = sizeof(info);
    if (ikev2_engine_get_sa(r->ike, ev->sa_id, &info) != IKEV2_OK)
        return;
    rt_keylog_ike(r, ev->sa_id);
    if (ev->replaces != 0) {
        on_sa_rekeyed(r, ev); /* who began the first of them still counts */
        return;
    }
    char identity[ROUTER_NAME_BYTES] = "";
    if (!identity_text(&info.peer_id, identity)) {
        refuse_sa(r, ev->sa_id, NULL, ROUTER_ERR_ARG, "an identity that is no host name");
        return;
    }
    const uint32_t index = rt_config_peer(&r->config, identity);
    if (index == r->config.peer_count || ev->user != (uint64_t)index + 1 ||
        rt_identity_matches(r->config.identity, identity)) {
        refuse_sa(r, ev->sa_id, identity, ROUTER_ERR_STATE, "an identity with another's keys");
        return;
    }
    rt_tunnel *t = rt_tunnel_by_identity(r, identity);
    const bool made = t == NULL;
    if (made && rt_tunnel_new(r, identity, index, &t) != ROUTER_OK) {
        refuse_sa(r, ev->sa_id, identity, ROUTER_ERR_LIMIT, "no room for another tunnel");
        return;
    }
    if (!made && !info.initiator)
        rt_tunnel_begun_anew(r, t);
    rt_conn *c = rt_conn_new(r, t, ev->sa_id);
    if (!c) {
        if (made)
            rt_tunnel_end(r, t, ROUTER_ERR_NOMEM, "no memory");
        refuse_sa(r, ev->sa_id, identity, ROUTER_ERR_NOMEM, "no memory");
        return;
    }
    c->initiator = info.initiator != 0;
    c->path = path_from(&info.path);
    if (made)
        t->path = c->path;
    t->idle = false;
    for (size_t i = 0; i < r->config.peer_count; i++)
        if (r->peers[i].sa_id == ev->sa_id)
            r->peers[i].sa_id = 0; /* no attempt any more: its tunnel tells that it is there */
    tell_ike(r, ROUTER_EVENT_IKE_UP, identity, &c->path, 0);
    rt_ike_set_routes(r, c);
}

static void attempt_failed(router *r, uint64_t sa_id)
{
    for (size_t i = 0; i < r->config.peer_count; i++)
        if (r->peers[i].sa_id == sa_id)
            dial_later(r, &r->peers[i]);
    for (size_t i = 0; i < RT_MAX_ASKS; i++) {
        if (r->asks[i].ask_id == 0 || r->asks[i].sa_id != sa_id)
            continue;
        (void)nhrp_engine_answer_tunnel(r->nhrp, r->now, r->asks[i].ask_id, NHRP_TUNNEL_FAILED, 0);
        r->asks[i].ask_id = 0;
    }
}

static const char *reason_text(uint16_t reason)
{
    switch (reason) {
    case IKEV2_REASON_LOCAL:
        return "deleted by us";
    case IKEV2_REASON_PEER_DELETE:
        return "deleted by the peer";
    case IKEV2_REASON_TIMEOUT:
        return "the peer does not answer";
    case IKEV2_REASON_LIFETIME:
        return "its lifetime ended";
    case IKEV2_REASON_INITIAL_CONTACT:
        return "the peer began anew";
    case IKEV2_REASON_AUTHENTICATION:
        return "authentication failed";
    case IKEV2_REASON_IDENTITY:
        return "an identity that was not expected";
    default:
        return NULL;
    }
}

static void on_sa_down(router *r, const ikev2_event *ev)
{
    rt_conn *c = rt_conn_by_sa(r, ev->sa_id);
    const uint64_t heir = c ? sa_of_children(r, c, ev->sa_id) : 0;
    if (c && heir != ev->sa_id) {
        rt_conn_rename(r, c, heir);
        return;
    }
    /* Without a connection: rekeyed, or an heir that lost, which either side deletes. */
    const bool replaced = ev->reason == IKEV2_REASON_REKEYED ||
                          ev->reason == IKEV2_REASON_REDUNDANT ||
                          ev->reason == IKEV2_REASON_PEER_DELETE;
    if (c) {
        rt_tunnel *t = c->tunnel;
        tell_ike(r, ROUTER_EVENT_IKE_DOWN, t->identity, NULL, ev->reason);
        rt_conn_free(r, c);
        const char *why = t->idle ? "idle" : reason_text(ev->reason);
        if (t->conns)
            rt_tunnel_refresh(r, t, ev->reason, why);
        else
            rt_tunnel_end(r, t, ev->reason, why);
    } else if (!replaced) {
        const bool known = ev->user > 0 && ev->user <= r->config.peer_count;
        tell_ike(r, ROUTER_EVENT_IKE_DOWN, known ? r->config.peers[ev->user - 1].identity : "",
                 NULL, ev->reason);
    }
    attempt_failed(r, ev->sa_id);
}

/* ---- Pushed routes ---- */

static bool still_pushed(const rt_route *route, const ikev2_addr *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        router_addr prefix;
        rt_addr_from(&prefix, &routes[i]);
        if (prefix.prefix_len == route->entry->prefix.prefix_len &&
            rt_addr_same(&prefix, &route->entry->prefix))
            return true;
    }
    return false;
}

void rt_ike_set_routes(router *r, rt_conn *c)
{
    rt_tunnel *t = c->tunnel;
    const router_peer_config *peer = &r->config.peers[t->peer];
    const ikev2_addr *routes = NULL;
    size_t count = 0;
    if (ikev2_engine_get_routes(r->ike, c->sa_id, &routes, &count) != IKEV2_OK || count == 0)
        return;
    const uint64_t hash = rt_hash(r, routes, count * sizeof(*routes));
    if (hash == c->routes_hash)
        return; /* nothing new since */
    c->routes_hash = hash;
    for (rt_route *route = t->routes, *next; route; route = next) {
        next = route->owner_next;
        if (route->source == ROUTER_SOURCE_IKE && !still_pushed(route, routes, count))
            rt_rib_remove(r, route->entry->vrf, &route->entry->prefix, ROUTER_SOURCE_IKE, t, 0);
    }
    bool have_address = false;
    for (size_t i = 0; i < count; i++) {
        router_addr prefix;
        rt_addr_from(&prefix, &routes[i]);
        prefix.port = 0;
        prefix.scope = 0;
        const bool host = prefix.prefix_len == rt_addr_bits(&prefix);
        const bool own = host && rt_addr_same(&prefix, &r->config.tunnel);
        const rt_tunnel *owner = host ? rt_tunnel_by_address(r, &prefix) : NULL;
        const bool another_s = owner && owner != t;
        if (!rt_addr_valid(&prefix) || own || another_s || !rt_peer_may_push(peer, &prefix)) {
            router_event ev;
            rt_event_init(&ev, ROUTER_EVENT_ROUTE_REFUSED);
            ev.tunnel = t->id;
            ev.prefix = prefix;
            memcpy(ev.peer, t->identity, sizeof(ev.peer));
            rt_event_push(r, &ev);
            continue;
        }
        const bool first_host = host && !have_address && prefix.family == r->config.tunnel.family;
        if (first_host) {
            rt_tunnel_set_address(r, t, &prefix);
            have_address = true;
        }
        if (rt_rib_set(r, ROUTER_GLOBAL_VRF, &prefix, ROUTER_SOURCE_IKE, t, &t->address,
                       ROUTER_NO_LABEL, 0) != ROUTER_OK)
            rt_event_refused(r, t->id, t->identity, ROUTER_ERR_NOMEM, "no memory for a route");
    }
}

/* ---- Children ---- */

static uint8_t esp_algorithm(const ikev2_child_info *info)
{
    if (info->encr == IKEV2_ENCR_AES_GCM_16)
        return info->key_bits == 256 ? ESP_ALGORITHM_AES256_GCM16 : ESP_ALGORITHM_AES128_GCM16;
    return info->encr == IKEV2_ENCR_CHACHA20_POLY1305 ? ESP_ALGORITHM_CHACHA20_POLY1305 : 0;
}

static esp_sa *make_sa(router *r, const ikev2_child_info *info, uint8_t direction)
{
    esp_sa_config config;
    esp_sa_config_init(&config);
    config.direction = direction;
    config.spi = direction == ESP_DIRECTION_IN ? info->spi_in : info->spi_out;
    config.mode = ESP_MODE_TRANSPORT;
    config.algorithm = esp_algorithm(info);
    config.esn = info->esn;
    config.workers = r->worker_count + 1; /* the control thread sends too */
    config.soft_packets = r->config.child_packets;
    config.keymat = direction == ESP_DIRECTION_IN ? info->key_in : info->key_out;
    config.keymat_len = direction == ESP_DIRECTION_IN ? info->key_in_len : info->key_out_len;
    config.allocator.resize = r->config.resize;
    config.allocator.user = r->config.resize_user;
    esp_sa *sa = NULL;
    return esp_sa_new(&config, &sa) == ESP_OK ? sa : NULL;
}

static bool install_inbound(router *r, rt_child *child, const ikev2_child_info *info)
{
    rt_inbound *in = alloc_zero(&r->mem, sizeof(*in));
    if (!in)
        return false;
    in->sa = make_sa(r, info, ESP_DIRECTION_IN);
    in->tunnel = child->conn->tunnel;
    in->child = child->id;
    in->spi = info->spi_in;
    atomic_flag_clear(&in->opening);
    atomic_init(&in->seen_ms, RT_NEVER);
    atomic_init(&in->seen_path, 0);
    atomic_init(&in->limit_reported, 0);
    /* One that lingers may have the same SPI: it has had its time. */
    for (rt_child *old = r->lingering, *next; old; old = next) {
        next = old->next;
        if (old->spi_in == in->spi)
            rt_child_linger_over(r, old);
    }
    if (!in->sa || rt_spi_add(r, in) != ROUTER_OK) {
        esp_sa_free(in->sa);
        alloc_free(&r->mem, in);
        return false;
    }
    child->in = in;
    child->spi_in = info->spi_in;
    return true;
}

static void on_child_in(router *r, const ikev2_event *ev)
{
    ikev2_child_info info;
    rt_conn *c = rt_conn_by_sa(r, ev->sa_id);
    if (!c || !child_info(r, ev->child_id, &info)) {
        (void)ikev2_engine_delete_child(r->ike, r->now, ev->child_id);
        return;
    }
    rt_child *child = rt_child_new(r, c, ev->child_id);
    if (child)
        child->encapsulated = info.encapsulated != 0;
    if (!child || !install_inbound(r, child, &info)) {
        if (child)
            rt_child_end(r, child, false);
        rt_event_refused(r, c->tunnel->id, c->tunnel->identity, ROUTER_ERR_NOMEM,
                         "an SA that cannot be installed");
        (void)ikev2_engine_delete_child(r->ike, r->now, ev->child_id);
        return;
    }
    rt_keylog_esp(r, &info, true);
}

static void on_child_out(router *r, const ikev2_event *ev)
{
    ikev2_child_info info;
    rt_child *child = rt_child_by_id(r, ev->child_id);
    if (!child || child->sends || !child_info(r, ev->child_id, &info))
        return;
    rt_conn *c = child->conn;
    child->out = make_sa(r, &info, ESP_DIRECTION_OUT);
    if (!child->out) {
        (void)ikev2_engine_delete_child(r->ike, r->now, ev->child_id);
        return;
    }
    rt_keylog_esp(r, &info, false);
    child->sends = true;
    /* The one told last is the one to send on. */
    rt_child **link = &c->children;
    while (*link != child)
        link = &(*link)->next;
    *link = child->next;
    child->next = c->children;
    c->children = child;
    c->path = path_from(&info.path);
    rt_tunnel_refresh(r, c->tunnel, 0, NULL);
    if (ev->replaces == 0)
        return;
    router_event out;
    rt_event_init(&out, ROUTER_EVENT_CHILD_REKEYED);
    out.tunnel = c->tunnel->id;
    memcpy(out.peer, c->tunnel->identity, sizeof(out.peer));
    rt_event_push(r, &out);
}

static void on_child_remove(router *r, const ikev2_event *ev)
{
    rt_child *child = rt_child_by_id(r, ev->child_id);
    if (!child)
        return;
    rt_conn *c = child->conn;
    const bool linger = ev->reason == IKEV2_REASON_REKEYED ||
                        ev->reason == IKEV2_REASON_REDUNDANT || c->children->next != NULL;
    rt_child_end(r, child, linger);
    rt_tunnel_refresh(r, c->tunnel, ev->reason, c->tunnel->idle ? "idle" : reason_text(ev->reason));
    /* An IKE SA without a child carries nothing: begin anew with both. */
    if (!c->children)
        (void)ikev2_engine_delete_ike(r->ike, r->now, c->sa_id);
}

static void on_path_changed(router *r, const ikev2_event *ev)
{
    ikev2_sa_info info;
    memset(&info, 0, sizeof(info));
    info.struct_size = sizeof(info);
    rt_conn *c = rt_conn_by_sa(r, ev->sa_id);
    if (!c || ikev2_engine_get_sa(r->ike, ev->sa_id, &info) != IKEV2_OK)
        return;
    c->path = path_from(&info.path);
    rt_tunnel_refresh(r, c->tunnel, 0, NULL);
}

static void on_refused(router *r, const ikev2_event *ev)
{
    const rt_conn *c = rt_conn_by_sa(r, ev->sa_id);
    const char *why = reason_text(ev->reason);
    rt_event_refused(r, c ? c->tunnel->id : 0, c ? c->tunnel->identity : NULL, ev->reason,
                     why ? why : "refused in IKE");
}

bool rt_ike_event(router *r)
{
    ikev2_event ev;
    if (ikev2_engine_poll_event(r->ike, &ev) != IKEV2_YES)
        return false;
    switch (ev.kind) {
    case IKEV2_EVENT_IKE_SA_UP:
        on_sa_up(r, &ev);
        break;
    case IKEV2_EVENT_IKE_SA_DOWN:
        on_sa_down(r, &ev);
        break;
    case IKEV2_EVENT_CHILD_IN:
        on_child_in(r, &ev);
        break;
    case IKEV2_EVENT_CHILD_OUT:
        on_child_out(r, &ev);
        break;
    case IKEV2_EVENT_CHILD_REMOVE:
        on_child_remove(r, &ev);
        break;
    case IKEV2_EVENT_REFUSED:
        on_refused(r, &ev);
        break;
    case IKEV2_EVENT_PATH_CHANGED:
        on_path_changed(r, &ev);
        break;
    case IKEV2_EVENT_ROUTES: {
        rt_conn *c = rt_conn_by_sa(r, ev.sa_id);
        if (c)
            rt_ike_set_routes(r, c);
        break;
    }
    default: /* keys and peers are configured, so nothing is asked */
        break;
    }
    return true;
}
