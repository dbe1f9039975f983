/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "mesh.h"

#include "internal/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 4096, IPV4 = 20, UDP = 8, DELAY_MS = 5, NAT_PORTS = 20000 };

router_addr mesh_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t bits)
{
    router_addr out = {.family = ROUTER_FAMILY_IPV4, .prefix_len = bits, .bytes = {a, b, c, d}};
    return out;
}

/* ---- Packets ---- */

static void ipv4_header(uint8_t *ip, size_t size, uint8_t protocol, const router_addr *from,
                        const router_addr *to, uint8_t ttl, bool dont_fragment)
{
    memset(ip, 0, IPV4);
    ip[0] = 0x45;
    ip[2] = (uint8_t)(size >> 8);
    ip[3] = (uint8_t)size;
    ip[6] = dont_fragment ? 0x40 : 0;
    ip[8] = ttl;
    ip[9] = protocol;
    memcpy(ip + 12, from->bytes, 4);
    memcpy(ip + 16, to->bytes, 4);
    const uint16_t sum = checksum_end(checksum_add(0, ip, IPV4));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

size_t mesh_udp(uint8_t *out, const router_addr *from, const router_addr *to, uint8_t ttl,
                bool dont_fragment, size_t size)
{
    memset(out, 'x', size);
    ipv4_header(out, size, 17, from, to, ttl, dont_fragment);
    uint8_t *udp = out + IPV4;
    const size_t len = size - IPV4;
    memset(udp, 0, UDP);
    udp[1] = udp[3] = 9;
    udp[4] = (uint8_t)(len >> 8);
    udp[5] = (uint8_t)len;
    memcpy(udp + UDP, MESH_MARKER, strlen(MESH_MARKER));
    return size;
}

size_t mesh_tcp_syn(uint8_t *out, const router_addr *from, const router_addr *to, uint16_t mss)
{
    const size_t size = IPV4 + 24;
    memset(out, 0, size);
    ipv4_header(out, size, 6, from, to, 64, true);
    uint8_t *tcp = out + IPV4;
    tcp[1] = tcp[3] = 80;
    tcp[12] = 0x60;
    tcp[13] = 0x02;
    tcp[20] = 2;
    tcp[21] = 4;
    tcp[22] = (uint8_t)(mss >> 8);
    tcp[23] = (uint8_t)mss;
    uint64_t sum = checksum_add(0, out + 12, 8);
    sum += 6 + 24;
    const uint16_t check = checksum_end(checksum_add(sum, tcp, 24));
    tcp[16] = (uint8_t)(check >> 8);
    tcp[17] = (uint8_t)check;
    return size;
}

/* ---- Making ---- */

mesh *mesh_new(uint64_t seed)
{
    const vnet_rules rules = {.delay_ms = DELAY_MS};
    mesh *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    m->now = 1000;
    m->corrupt.state = seed;
    m->net = vnet_new(seed, &rules);
    m->configs = calloc(MESH_MAX_NODES, sizeof(*m->configs));
    assert_non_null(m->configs);
    return m;
}

void mesh_free(mesh *m)
{
    for (size_t i = 0; i < m->count; i++) {
        router_free(m->nodes[i].r);
        free(m->nodes[i].events);
        free(m->nodes[i].inbox);
    }
    for (size_t i = 0; i < m->stream_count; i++)
        for (size_t end = 0; end < 2; end++)
            free(m->streams[i].waiting[end]);
    vnet_free(m->net);
    free(m->configs);
    free(m);
}

static void vrf_config(router_vrf_config *v, size_t index)
{
    static const uint8_t target[8] = {0x00, 0x02, 0xfd, 0xe8, 0, 0, 0, 1};
    v->id = 1;
    (void)snprintf(v->name, sizeof(v->name), "CUSTOMER");
    memcpy(v->rd, (uint8_t[8]){0, 0, 0xfd, 0xe8, 0, 0, 0, (uint8_t)(index + 1)}, 8);
    memcpy(v->import_targets[0], target, sizeof(target));
    memcpy(v->export_targets[0], target, sizeof(target));
    v->imports = v->exports = 1;
    if (index == 0) {
        v->discard[v->discards++] = mesh_ipv4(10, 0, 0, 0, 8);
    } else {
        const uint8_t n = (uint8_t)index;
        v->connected[v->connecteds++] = mesh_ipv4(10, n, n, 1, 24);
    }
}

static void peer_config(router_peer_config *p, const char *identity, const char *key)
{
    (void)snprintf(p->identity, sizeof(p->identity), "%s", identity);
    (void)snprintf(p->local_key, sizeof(p->local_key), "%s", key);
    (void)snprintf(p->remote_key, sizeof(p->remote_key), "%s", key);
    p->authorized[p->authorizeds++] = mesh_ipv4(172, 16, 1, 0, 24);
    p->vrfs[p->vrf_count++] = 1;
}

void mesh_config(router_config *c, size_t index)
{
    const uint8_t host = index == 0 ? 254 : (uint8_t)index;
    router_config_init(c);
    (void)snprintf(c->name, sizeof(c->name), index == 0 ? "hub" : "spoke%u", (unsigned)index);
    if (index == 0)
        (void)snprintf(c->identity, sizeof(c->identity), "hub.example.net");
    else
        (void)snprintf(c->identity, sizeof(c->identity), "spoke%u.spokes.example.net",
                       (unsigned)index);
    c->underlay = mesh_ipv4(192, 168, 1, host, 0);
    c->tunnel = mesh_ipv4(172, 16, 1, host, 32);
    vrf_config(&c->vrfs[0], index);
    c->vrf_count = 1;
    if (index > 0) {
        router_peer_config *hub = &c->peers[c->peer_count++];
        peer_config(hub, "hub.example.net", "the key of hub and spokes");
        hub->address = mesh_ipv4(192, 168, 1, 254, 0);
        hub->initiate = true;
        c->bgp_neighbors[c->bgp_neighbor_count++] = mesh_ipv4(172, 16, 1, 254, 0);
    } else {
        c->bgp_listen = mesh_ipv4(172, 16, 1, 0, 24);
    }
    peer_config(&c->peers[c->peer_count++], "*.spokes.example.net",
                index == 0 ? "the key of hub and spokes" : "the key of the spokes");
    c->redirect = index == 0;
    c->shortcut = index != 0;
    c->as = 65000;
    memcpy(c->bgp_id, (uint8_t[4]){172, 16, 1, host}, 4);
}

int32_t mesh_try(mesh *m, const router_config *c)
{
    const size_t i = m->count;
    assert_true(i < MESH_MAX_NODES);
    m->configs[i] = *c;
    memset(m->configs[i].seed, (int)(i + 1), sizeof(m->configs[i].seed));
    m->nodes[i].events = calloc(MESH_EVENTS, sizeof(router_event));
    m->nodes[i].inbox = calloc(MESH_INBOX, sizeof(mesh_packet));
    assert_non_null(m->nodes[i].events);
    assert_non_null(m->nodes[i].inbox);
    m->problem = NULL;
    const int32_t rc = router_new(&m->configs[i], m->now, &m->nodes[i].r, &m->problem);
    if (rc == ROUTER_OK) {
        m->count++;
        return rc;
    }
    free(m->nodes[i].events);
    free(m->nodes[i].inbox);
    return rc;
}

size_t mesh_add(mesh *m, const router_config *c)
{
    const int32_t rc = mesh_try(m, c);
    if (rc != ROUTER_OK)
        fail_msg("router_new: %d %s", rc, m->problem ? m->problem : "");
    return m->count - 1;
}

mesh *mesh_walk(uint64_t seed)
{
    mesh *m = mesh_new(seed);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 3; i++) {
        mesh_config(c, i);
        (void)mesh_add(m, c);
    }
    free(c);
    return m;
}

/* ---- Streams ---- */

static mesh_stream *stream_find(mesh *m, size_t node, uint64_t id, size_t *end)
{
    for (size_t i = 0; i < m->stream_count; i++)
        for (*end = 0; *end < 2; (*end)++)
            if (m->streams[i].open && m->streams[i].node[*end] == node &&
                m->streams[i].id[*end] == id)
                return &m->streams[i];
    return NULL;
}

static void stream_end(mesh *m, mesh_stream *s, size_t told);

static void stream_connect(mesh *m, size_t node, const router_event *ev)
{
    size_t other = 0;
    while (other < m->count &&
           memcmp(m->configs[other].tunnel.bytes, ev->remote.bytes, sizeof(ev->remote.bytes)) != 0)
        other++;
    uint64_t id = 0;
    router_addr local = ev->local;
    local.port = 40000;
    if (other == m->count || m->nodes[other].cut || m->stream_count == MESH_STREAMS ||
        router_stream_accept(m->nodes[other].r, m->now, &ev->remote, &local, &id) != ROUTER_OK) {
        (void)router_stream_down(m->nodes[node].r, m->now, ev->stream);
        return;
    }
    mesh_stream *s = &m->streams[m->stream_count++];
    s->node[0] = node;
    s->node[1] = other;
    s->id[0] = ev->stream;
    s->id[1] = id;
    s->open = true;
    if (router_stream_up(m->nodes[node].r, m->now, ev->stream, &ev->local) != ROUTER_OK) {
        (void)router_stream_down(m->nodes[node].r, m->now, ev->stream);
        stream_end(m, s, 1);
        return;
    }
    (void)router_stream_credit(m->nodes[node].r, m->now, ev->stream, 1 << 30);
    (void)router_stream_credit(m->nodes[other].r, m->now, id, 1 << 30);
}

static void stream_end(mesh *m, mesh_stream *s, size_t told)
{
    s->open = false;
    for (size_t end = 0; end < 2; end++) {
        free(s->waiting[end]);
        s->waiting[end] = NULL;
        s->waiting_len[end] = 0;
        if (end == told && !m->nodes[s->node[end]].cut)
            (void)router_stream_down(m->nodes[s->node[end]].r, m->now, s->id[end]);
    }
}

static void stream_close(mesh *m, size_t node, uint64_t id)
{
    size_t end;
    mesh_stream *s = stream_find(m, node, id, &end);
    if (s)
        stream_end(m, s, 1 - end);
}

/* Hands an end what waits for it; true when it took something. */
static bool stream_feed(mesh *m, mesh_stream *s, size_t end)
{
    size_t consumed = 0;
    if (!s->open || s->waiting_len[end] == 0 || m->nodes[s->node[end]].cut)
        return false;
    const int32_t rc = router_stream_input(m->nodes[s->node[end]].r, m->now, s->id[end],
                                           s->waiting[end], s->waiting_len[end], &consumed);
    assert_true(consumed <= s->waiting_len[end]);
    if (rc == ROUTER_ERR_ABSENT) {
        stream_end(m, s, 1 - end);
        return true;
    }
    s->waiting_len[end] -= consumed;
    memmove(s->waiting[end], s->waiting[end] + consumed, s->waiting_len[end]);
    return consumed > 0;
}

static void stream_carry(mesh *m, size_t node, uint64_t id, const uint8_t *buf, size_t len)
{
    size_t end;
    mesh_stream *s = stream_find(m, node, id, &end);
    if (!s)
        return;
    const size_t to = 1 - end;
    s->waiting[to] = realloc(s->waiting[to], s->waiting_len[to] + len);
    assert_non_null(s->waiting[to]);
    memcpy(s->waiting[to] + s->waiting_len[to], buf, len);
    if (m->edit)
        m->edit(node, s->node[to], s->waiting[to] + s->waiting_len[to], len);
    s->waiting_len[to] += len;
    (void)stream_feed(m, s, to);
}

void mesh_reset_streams(mesh *m, size_t node)
{
    for (size_t i = 0; i < m->stream_count; i++)
        for (size_t end = 0; end < 2; end++)
            if (m->streams[i].open && m->streams[i].node[end] == node)
                stream_end(m, &m->streams[i], 1 - end);
}

/* ---- The underlay ---- */

typedef struct wire {
    router_path path;
    uint8_t bytes[BUFFER_BYTES];
} wire;

static size_t node_by_underlay(const mesh *m, const router_addr *a)
{
    for (size_t i = 0; i < m->count; i++) {
        const mesh_node *n = &m->nodes[i];
        const router_addr *own =
            n->nat.family != ROUTER_FAMILY_NONE ? &n->nat : &m->configs[i].underlay;
        if (memcmp(own->bytes, a->bytes, sizeof(a->bytes)) == 0)
            return i;
    }
    return m->count;
}

/* What a NAT makes of a path on the way out, and on the way in again. */
static router_path translate(mesh *m, size_t from, size_t to, const router_path *path)
{
    router_path out = *path;
    if (m->nodes[from].nat.family != ROUTER_FAMILY_NONE) {
        memcpy(out.local.bytes, m->nodes[from].nat.bytes, sizeof(out.local.bytes));
        out.local.port = (uint16_t)(out.local.port + NAT_PORTS);
        m->nodes[from].nat_open[to] = true;
    }
    if (m->nodes[to].nat.family != ROUTER_FAMILY_NONE) {
        memcpy(out.peer.bytes, m->configs[to].underlay.bytes, sizeof(out.peer.bytes));
        out.peer.port = (uint16_t)(out.peer.port - NAT_PORTS);
    }
    return out;
}

static void underlay_send(mesh *m, size_t from, const router_path *path, const uint8_t *bytes,
                          size_t len)
{
    const size_t to = node_by_underlay(m, &path->peer);
    const size_t marker = strlen(MESH_MARKER);
    wire w;
    m->datagrams++;
    if (m->tap)
        m->tap(m->tap_user, m->now, path, bytes, len);
    for (size_t i = 0; i + marker <= len; i++)
        if (memcmp(bytes + i, MESH_MARKER, marker) == 0)
            m->leaks++;
    if (to == m->count || len > sizeof(w.bytes) || m->nodes[from].cut || m->nodes[to].cut)
        return;
    if (path->transport == ROUTER_TRANSPORT_ESP ||
        (path->local.port == 4500 && len > 4 && memcmp(bytes, "\0\0\0\0", 4) != 0))
        m->between[from][to]++;
    if (m->nodes[to].nat.family != ROUTER_FAMILY_NONE && !m->nodes[to].nat_open[from])
        return;
    const router_path seen = translate(m, from, to, path);
    memset(&w, 0, sizeof(w));
    w.path.local = seen.peer;
    w.path.peer = seen.local;
    w.path.transport = seen.transport;
    memcpy(w.bytes, bytes, len);
    if (len > 0 && prng_below(&m->corrupt, 1000000) < m->corrupt_ppm)
        w.bytes[prng_below(&m->corrupt, (uint32_t)len)] ^=
            (uint8_t)(1 << prng_below(&m->corrupt, 8));
    vnet_send(m->net, m->now, (uint32_t)from, (uint32_t)to, 0, (const uint8_t *)&w,
              offsetof(wire, bytes) + len);
}

/* Does what a verdict says. */
static void obey(mesh *m, size_t node, const router_packet *p)
{
    mesh_node *n = &m->nodes[node];
    if (p->verdict == ROUTER_VERDICT_CONTROL) {
        (void)router_control_input(n->r, m->now, p);
    } else if (p->verdict == ROUTER_VERDICT_UNDERLAY) {
        underlay_send(m, node, &p->path, p->buf + p->offset, p->len);
    } else if (p->verdict == ROUTER_VERDICT_TUN) {
        assert_true(n->inbox_count < MESH_INBOX);
        mesh_packet *in = &n->inbox[n->inbox_count++];
        assert_true(p->len <= sizeof(in->bytes));
        in->vrf = p->vrf;
        in->len = p->len;
        memcpy(in->bytes, p->buf + p->offset, p->len);
    }
}

static void put_packet(mesh *m, size_t node, router_packet *p, const uint8_t *bytes, size_t len)
{
    assert_true(len + ROUTER_HEADROOM + ROUTER_TAILROOM <= BUFFER_BYTES);
    memset(p->buf, 0, BUFFER_BYTES);
    memcpy(p->buf + ROUTER_HEADROOM, bytes, len);
    p->cap = BUFFER_BYTES;
    p->offset = ROUTER_HEADROOM;
    p->len = len;
    (void)router_rx_batch(m->nodes[node].r, 0, m->now, p, 1);
    if (p->verdict == ROUTER_VERDICT_DROP)
        m->nodes[node].worker_drops++;
}

router_packet mesh_inject(mesh *m, size_t node, const router_path *path, const uint8_t *bytes,
                          size_t len)
{
    static uint8_t buffer[BUFFER_BYTES];
    router_packet p = {.buf = buffer, .port = ROUTER_PORT_UNDERLAY, .path = *path};
    put_packet(m, node, &p, bytes, len);
    return p;
}

void mesh_send(mesh *m, size_t node, uint32_t vrf, const uint8_t *packet, size_t len)
{
    uint8_t buffer[BUFFER_BYTES];
    router_packet p = {.buf = buffer, .port = ROUTER_PORT_TUN, .vrf = vrf};
    put_packet(m, node, &p, packet, len);
    m->nodes[node].last = p;
    m->nodes[node].last.buf = NULL;
    obey(m, node, &p);
}

/* ---- The loop ---- */

static bool drain(mesh *m, size_t node)
{
    mesh_node *n = &m->nodes[node];
    static uint8_t buf[ROUTER_OUTPUT_BYTES];
    bool any = false;
    router_event ev;
    while (router_poll_event(n->r, &ev) == ROUTER_YES) {
        any = true;
        if (n->event_count < MESH_EVENTS)
            n->events[n->event_count++] = ev;
        if (ev.kind == ROUTER_EVENT_STREAM_CONNECT)
            stream_connect(m, node, &ev);
        else if (ev.kind == ROUTER_EVENT_STREAM_CLOSE)
            stream_close(m, node, ev.stream);
    }
    router_output out;
    while (router_poll_output(n->r, m->now, buf, sizeof(buf), &out) == ROUTER_YES) {
        any = true;
        if (out.kind == ROUTER_OUTPUT_UNDERLAY)
            underlay_send(m, node, &out.path, buf, out.len);
        else
            stream_carry(m, node, out.stream, buf, out.len);
    }
    return any;
}

static void settle(mesh *m)
{
    bool any = true;
    for (size_t turn = 0; any; turn++) {
        assert_true(turn < 10000); /* nobody talks for ever at one moment */
        any = false;
        for (size_t i = 0; i < m->count; i++) {
            if (m->nodes[i].cut)
                continue;
            if (router_deadline(m->nodes[i].r) <= m->now) {
                const int32_t rc = router_timeout(m->nodes[i].r, m->now);
                any = any || rc == ROUTER_YES;
            }
            any = drain(m, i) || any;
        }
        for (size_t i = 0; i < m->stream_count; i++)
            for (size_t end = 0; end < 2; end++)
                any = stream_feed(m, &m->streams[i], end) || any;
        vnet_datagram d;
        while (vnet_receive(m->net, m->now, &d)) {
            static uint8_t buffer[BUFFER_BYTES];
            wire w;
            assert_true(d.len >= offsetof(wire, bytes));
            memcpy(&w, d.bytes, d.len);
            router_packet p = {.buf = buffer, .port = ROUTER_PORT_UNDERLAY, .path = w.path};
            if (!m->nodes[d.to].cut) {
                put_packet(m, d.to, &p, w.bytes, d.len - offsetof(wire, bytes));
                obey(m, d.to, &p);
            }
            vnet_release(&d);
            any = true;
        }
    }
}

static uint64_t next_moment(const mesh *m)
{
    uint64_t next = vnet_deadline(m->net);
    for (size_t i = 0; i < m->count; i++) {
        const uint64_t deadline = m->nodes[i].cut ? UINT64_MAX : router_deadline(m->nodes[i].r);
        if (deadline < next)
            next = deadline;
    }
    return next;
}

static bool step(mesh *m, uint64_t end)
{
    settle(m);
    const uint64_t next = next_moment(m);
    if (next > end) {
        m->now = end;
        return false;
    }
    m->now = next > m->now ? next : m->now + 1;
    return true;
}

void mesh_run(mesh *m, uint64_t ms)
{
    const uint64_t end = m->now + ms;
    while (m->now < end && step(m, end)) {
    }
    settle(m);
}

const router_event *mesh_last(const mesh *m, size_t node, uint32_t kind)
{
    for (size_t i = m->nodes[node].event_count; i-- > 0;)
        if (m->nodes[node].events[i].kind == kind)
            return &m->nodes[node].events[i];
    return NULL;
}

size_t mesh_count(const mesh *m, size_t node, uint32_t kind)
{
    size_t n = 0;
    for (size_t i = 0; i < m->nodes[node].event_count; i++)
        n += m->nodes[node].events[i].kind == kind;
    return n;
}

long mesh_first(const mesh *m, size_t node, uint32_t kind)
{
    for (size_t i = 0; i < m->nodes[node].event_count; i++)
        if (m->nodes[node].events[i].kind == kind)
            return (long)i;
    return -1;
}

const router_event *mesh_wait(mesh *m, size_t node, uint32_t kind, uint64_t ms)
{
    const uint64_t end = m->now + ms;
    const size_t before = mesh_count(m, node, kind);
    while (mesh_count(m, node, kind) == before && m->now < end && step(m, end)) {
    }
    settle(m);
    return mesh_count(m, node, kind) > before ? mesh_last(m, node, kind) : NULL;
}

void mesh_print(const mesh *m)
{
    for (size_t i = 0; i < m->count; i++) {
        char line[1024];
        for (size_t e = 0; e < m->nodes[i].event_count; e++) {
            (void)router_event_format(&m->nodes[i].events[e], line, sizeof(line));
            (void)fprintf(stderr, "%s: %s\n", m->configs[i].name, line);
        }
    }
}

bool mesh_take(mesh *m, size_t node, uint32_t vrf, mesh_packet *out)
{
    mesh_node *n = &m->nodes[node];
    for (size_t i = 0; i < n->inbox_count; i++) {
        if (n->inbox[i].vrf != vrf)
            continue;
        *out = n->inbox[i];
        n->inbox_count--;
        memmove(&n->inbox[i], &n->inbox[i + 1], (n->inbox_count - i) * sizeof(*n->inbox));
        return true;
    }
    return false;
}

void mesh_empty(mesh *m, size_t node)
{
    m->nodes[node].inbox_count = 0;
}
