/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A router that only carries: what a TUN yields goes to the first peer's address as UDP 4500 (or
 * protocol 50 without force_encapsulation) behind a marker and the VRF, and back. It dials the
 * first BGP neighbour, says "hello" and counts what it hears; the other side echoes. It exercises
 * every port of the node without a protocol.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "router/router.h"

enum { MARKER_BYTES = 8, HELLO_BYTES = 1 << 20, CHUNK_BYTES = 30000, TICK_MS = 200 };

static const uint8_t marker[4] = {'F', 'A', 'K', 'E'};

struct router {
    router_config config;
    uint64_t tick_ms;
    uint64_t stream;
    bool up;
    bool dialled;
    bool wants_stream;
    bool wants_close;
    bool ends;
    size_t credit;
    size_t to_send; /* bytes of the stream */
    size_t sent;
    size_t heard;
    bool stalled; /* after each input, until the next timeout: back-pressure */
    bool pending_up;
    bool pending_done;
};

void router_config_init(router_config *config)
{
    memset(config, 0, sizeof *config);
    config->force_encapsulation = true;
    config->tunnel_mtu = 1400;
    config->bgp_port = 179;
}

int32_t router_new(const router_config *config, uint64_t now_ms, router **out, const char **problem)
{
    router *r = calloc(1, sizeof *r);
    if (!r) {
        *problem = "out of memory";
        return ROUTER_ERR_NOMEM;
    }
    r->config = *config;
    r->tick_ms = now_ms + TICK_MS;
    *out = r;
    return ROUTER_OK;
}

void router_free(router *r)
{
    free(r);
}

const char *router_drop_name(int32_t reason)
{
    return reason ? "fake" : "none";
}

static void from_tun(const router *r, router_packet *p)
{
    const bool udp = r->config.force_encapsulation;
    p->offset -= MARKER_BYTES;
    p->len += MARKER_BYTES;
    memcpy(p->buf + p->offset, marker, sizeof marker);
    for (size_t i = 0; i < 4; i++)
        p->buf[p->offset + 4 + i] = (uint8_t)(p->vrf >> (24 - 8 * i));
    p->path = (router_path){.local = r->config.underlay,
                            .peer = r->config.peers[0].address,
                            .transport = udp ? ROUTER_TRANSPORT_UDP : ROUTER_TRANSPORT_ESP};
    p->path.local.port = p->path.peer.port = udp ? 4500 : 0;
    p->verdict = ROUTER_VERDICT_UNDERLAY;
}

static void from_underlay(router_packet *p)
{
    const uint8_t *b = p->buf + p->offset;
    p->verdict = ROUTER_VERDICT_DROP;
    if (p->path.transport == ROUTER_TRANSPORT_UDP && p->path.local.port == 500)
        p->verdict = ROUTER_VERDICT_CONTROL;
    if (p->len < MARKER_BYTES || memcmp(b, marker, sizeof marker) != 0)
        return;
    p->vrf = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 | b[7];
    p->offset += MARKER_BYTES;
    p->len -= MARKER_BYTES;
    p->verdict = ROUTER_VERDICT_TUN;
}

int32_t router_rx_batch(router *r, uint32_t worker, uint64_t now_ms, router_packet *packets,
                        size_t count)
{
    (void)worker;
    (void)now_ms;
    for (size_t i = 0; i < count; i++) {
        if (packets[i].port == ROUTER_PORT_TUN)
            from_tun(r, &packets[i]);
        else
            from_underlay(&packets[i]);
    }
    return ROUTER_OK;
}

int32_t router_control_input(router *r, uint64_t now_ms, const router_packet *packet)
{
    (void)r;
    (void)now_ms;
    (void)packet;
    return ROUTER_OK;
}

int32_t router_timeout(router *r, uint64_t now_ms)
{
    r->stalled = false;
    if (now_ms < r->tick_ms)
        return ROUTER_OK;
    r->tick_ms = now_ms + TICK_MS;
    if (r->config.bgp_neighbor_count > 0 && !r->dialled) {
        r->dialled = true;
        r->wants_stream = true;
    }
    return ROUTER_OK;
}

uint64_t router_deadline(const router *r)
{
    return r->stalled ? 0 : r->tick_ms;
}

int32_t router_stream_accept(router *r, uint64_t now_ms, const router_addr *local,
                             const router_addr *peer, uint64_t *stream)
{
    (void)now_ms;
    if (r->up || local->port != r->config.bgp_port || peer->port == 0)
        return ROUTER_ERR_ABSENT;
    r->up = true;
    r->stream = *stream = 77;
    return ROUTER_OK;
}

int32_t router_stream_up(router *r, uint64_t now_ms, uint64_t stream, const router_addr *local)
{
    (void)now_ms;
    if (stream != r->stream || local->port == 0)
        return ROUTER_ERR_ABSENT;
    r->up = true;
    r->pending_up = true;
    r->to_send = HELLO_BYTES;
    return ROUTER_OK;
}

int32_t router_stream_down(router *r, uint64_t now_ms, uint64_t stream)
{
    (void)now_ms;
    if (stream != r->stream)
        return ROUTER_ERR_ABSENT;
    r->up = false;
    r->dialled = false; /* again */
    return ROUTER_OK;
}

int32_t router_stream_input(router *r, uint64_t now_ms, uint64_t stream, const uint8_t *buf,
                            size_t len, size_t *consumed)
{
    (void)now_ms;
    if (stream != r->stream || !r->up)
        return ROUTER_ERR_ABSENT;
    *consumed = r->stalled ? 0 : (len + 1) / 2;
    r->stalled = true;
    for (size_t i = 0; i < *consumed; i++) {
        if (buf[i] != (uint8_t)((r->heard + i) % 251)) {
            fprintf(stderr, "byte %zu of the stream is wrong\n", r->heard + i);
            abort();
        }
    }
    r->heard += *consumed;
    if (r->config.bgp_neighbor_count == 0)
        r->to_send = r->heard; /* the echo */
    else if (r->heard == HELLO_BYTES) {
        r->pending_done = true;
        r->wants_close = true;
    }
    return ROUTER_OK;
}

int32_t router_stream_credit(router *r, uint64_t now_ms, uint64_t stream, size_t bytes)
{
    (void)now_ms;
    if (stream != r->stream)
        return ROUTER_ERR_ABSENT;
    r->credit = bytes;
    return ROUTER_OK;
}

int32_t router_poll_output(router *r, uint64_t now_ms, uint8_t *buf, size_t cap, router_output *out)
{
    (void)now_ms;
    size_t len = r->to_send - r->sent;
    if (len > r->credit)
        len = r->credit;
    if (len > CHUNK_BYTES)
        len = CHUNK_BYTES;
    if (!r->up || len == 0 || len > cap)
        return ROUTER_OK;
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)((r->sent + i) % 251);
    r->sent += len;
    r->credit -= len;
    *out = (router_output){.kind = ROUTER_OUTPUT_STREAM, .stream = r->stream, .len = len};
    return ROUTER_YES;
}

int32_t router_poll_event(router *r, router_event *event)
{
    *event = (router_event){0};
    if (r->wants_stream) {
        r->wants_stream = false;
        r->stream++;
        event->kind = ROUTER_EVENT_STREAM_CONNECT;
        event->local = r->config.tunnel;
        event->remote = r->config.bgp_neighbors[0];
        event->remote.port = r->config.bgp_port;
    } else if (r->pending_up) {
        r->pending_up = false;
        event->kind = ROUTER_EVENT_BGP_UP;
    } else if (r->pending_done) {
        r->pending_done = false;
        event->kind = ROUTER_EVENT_BGP_DOWN;
    } else if (r->wants_close) {
        r->wants_close = false;
        r->up = false;
        event->kind = ROUTER_EVENT_STREAM_CLOSE;
    } else {
        return ROUTER_OK;
    }
    event->stream = r->stream;
    return ROUTER_YES;
}

size_t router_event_format(const router_event *event, char *buf, size_t cap)
{
    const char *name = event->kind == ROUTER_EVENT_STREAM_CONNECT ? "stream_connect"
                       : event->kind == ROUTER_EVENT_STREAM_CLOSE ? "stream_close"
                       : event->kind == ROUTER_EVENT_BGP_UP       ? "bgp_up"
                                                                  : "bgp_down";
    return (size_t)snprintf(buf, cap, "event=%s stream=%llu", name,
                            (unsigned long long)event->stream);
}

int32_t router_next_tunnel(const router *r, uint64_t *it, router_tunnel *out)
{
    (void)r;
    if (*it != 0)
        return ROUTER_OK;
    *it = 1;
    *out = (router_tunnel){.id = 1};
    return ROUTER_YES;
}

int32_t router_clear_tunnel(router *r, uint64_t now_ms, uint64_t tunnel)
{
    (void)r;
    (void)now_ms;
    return tunnel == 1 ? ROUTER_OK : ROUTER_ERR_ABSENT;
}

void router_set_keylog(router *r, router_keylog *keylog, void *user)
{
    (void)r;
    keylog(user, ROUTER_KEYLOG_IKE, "ike line");
    keylog(user, ROUTER_KEYLOG_ESP, "esp line");
}
