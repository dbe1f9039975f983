/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The loop. What arrives goes through the router in batches as it comes; before the loop waits
 * again, the router's events are applied, its output is sent and its deadline becomes the timer:
 *
 *   uv_poll, uv_tcp, uv_timer --> router_rx_batch, router_control_input, router_stream_input
 *   uv_prepare -----------------> router_timeout, router_poll_event, router_poll_output
 */
#include "io/node.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "io/keylog.h"
#include "io/log.h"
#include "io/streams.h"
#include "io/tun.h"
#include "io/underlay.h"

enum {
    MAX_BATCHES_A_WAKE = 4, /* then the other descriptors have their turn */
    MAX_TUNS = ROUTER_MAX_VRFS + 1,
    SIGNALS = 2
};

typedef struct node node;

/* A descriptor in the loop. */
typedef struct port {
    uv_poll_t poll;
    node *owner;
    int fd;
    uint32_t vrf;            /* of a TUN */
    underlay_socket *socket; /* NULL: a TUN */
} port;

struct node {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t timer;
    uv_signal_t signals[SIGNALS];
    log log;
    keylog keylog;
    underlay underlay;
    port underlay_ports[UNDERLAY_SOCKETS];
    port tuns[MAX_TUNS];
    size_t tun_count;
    streams streams;
    router *router;
    batch batch;
    bool report_waits; /* router_rx_batch left something for router_timeout */
    bool timer_is_set;
    uint64_t timer_ms;
    uint8_t output[ROUTER_OUTPUT_BYTES];
};

static void on_readable(uv_poll_t *poll, int status, int events);

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* ---- Events and output ---- */

static bool apply_events(node *n)
{
    bool any = false;
    router_event event;
    while (router_poll_event(n->router, &event) == ROUTER_YES) {
        log_event(&n->log, &event);
        if (event.kind == ROUTER_EVENT_STREAM_CONNECT)
            streams_connect(&n->streams, event.stream, &event.local, &event.remote);
        else if (event.kind == ROUTER_EVENT_STREAM_CLOSE)
            streams_end(&n->streams, event.stream);
        any = true;
    }
    return any;
}

static bool send_output(node *n)
{
    bool any = false;
    router_output out;
    while (router_poll_output(n->router, now_ms(), n->output, sizeof n->output, &out) ==
           ROUTER_YES) {
        if (out.kind == ROUTER_OUTPUT_STREAM)
            streams_send(&n->streams, out.stream, n->output, out.len);
        else
            underlay_send(&n->underlay, &out.path, n->output, out.len);
        any = true;
    }
    return any;
}

/* Nothing is left that the router wants to be applied or sent. */
static void drain(node *n)
{
    bool more;
    do {
        more = apply_events(n);
        more = send_output(n) || more;
        streams_finish(&n->streams);
    } while (more);
}

/* ---- Packets ---- */

static void write_tun(node *n, const router_packet *packet)
{
    for (size_t i = 0; i < n->tun_count; i++) {
        if (n->tuns[i].vrf != packet->vrf)
            continue;
        ssize_t rc;
        do {
            rc = write(n->tuns[i].fd, packet->buf + packet->offset, packet->len);
        } while (rc < 0 && errno == EINTR);
        /* A device that is full or down loses the packet, as any link does. */
        return;
    }
}

static size_t read_tun(port *p, batch *b)
{
    b->count = 0;
    while (b->count < BATCH_PACKETS) {
        const ssize_t len = read(p->fd, batch_space(b, b->count), BATCH_MAX_PACKET_BYTES);
        if (len <= 0)
            break;
        router_packet *packet = batch_put(b, b->count, 0, (size_t)len);
        packet->port = ROUTER_PORT_TUN;
        packet->vrf = p->vrf;
    }
    return b->count;
}

/*
 * An IKE message may bring the SA that packets behind it need, so it is dealt with before they are
 * looked at; and its answer leaves before any packet that uses what it brought.
 */
static bool is_ike(const router_packet *packet)
{
    static const uint8_t non_esp_marker[4]; /* RFC 3948 2.2 */
    const uint8_t *bytes = packet->buf + packet->offset;
    return packet->port == ROUTER_PORT_UNDERLAY && packet->path.transport == ROUTER_TRANSPORT_UDP &&
           (packet->path.local.port == UNDERLAY_PORT_IKE ||
            (packet->len >= sizeof non_esp_marker &&
             memcmp(bytes, non_esp_marker, sizeof non_esp_marker) == 0));
}

static void forward_some(node *n, router_packet *packets, size_t count)
{
    if (router_rx_batch(n->router, 0, now_ms(), packets, count) == ROUTER_YES)
        n->report_waits = true;
    underlay_send_batch(&n->underlay, packets, count);
    for (size_t i = 0; i < count; i++) {
        if (packets[i].verdict == ROUTER_VERDICT_TUN) {
            write_tun(n, &packets[i]);
        } else if (packets[i].verdict == ROUTER_VERDICT_CONTROL) {
            router_control_input(n->router, now_ms(), &packets[i]);
            drain(n);
        }
    }
}

static void forward(node *n)
{
    batch *b = &n->batch;
    size_t begin = 0;
    while (begin < b->count) {
        size_t end = begin + 1;
        while (end < b->count && !is_ike(&b->packets[end - 1]))
            end++;
        forward_some(n, b->packets + begin, end - begin);
        begin = end;
    }
}

static void take_in(port *p)
{
    node *n = p->owner;
    size_t got = BATCH_PACKETS;
    for (int i = 0; i < MAX_BATCHES_A_WAKE && got == BATCH_PACKETS; i++) {
        got = p->socket ? underlay_receive(p->socket, &n->batch) : read_tun(p, &n->batch);
        forward(n);
    }
}

/* The loop has let go of a descriptor: a socket's error passes, a TUN device that went does not. */
static void on_port_error(port *p)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (p->socket && getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
        uv_poll_start(&p->poll, UV_READABLE, on_readable) == 0)
        return;
    log_line(&p->owner->log, "event=failed why=\"the TUN device of VRF %u has gone\"", p->vrf);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    port *p = poll->data;
    node *n = p->owner;
    if (status < 0) {
        on_port_error(p);
        return;
    }
    /* Raw ESP comes by another socket than the IKE message that preceded it. */
    if (p->socket && p->socket->transport != ROUTER_TRANSPORT_UDP) {
        take_in(&n->underlay_ports[UNDERLAY_IKE]);
        take_in(&n->underlay_ports[UNDERLAY_NAT_T]);
    }
    take_in(p);
}

/* ---- Time ---- */

static void on_timer(uv_timer_t *timer)
{
    node *n = timer->data;
    n->timer_is_set = false;
}

static void set_timer(node *n)
{
    const uint64_t deadline = router_deadline(n->router);
    if (n->timer_is_set && n->timer_ms == deadline)
        return;
    n->timer_is_set = deadline != ROUTER_NEVER;
    n->timer_ms = deadline;
    uv_timer_stop(&n->timer);
    if (!n->timer_is_set)
        return;
    uv_update_time(&n->loop);
    const uint64_t now = now_ms();
    uv_timer_start(&n->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

/* Before the loop waits. */
static void on_prepare(uv_prepare_t *prepare)
{
    node *n = prepare->data;
    const uint64_t now = now_ms();
    if (n->report_waits || router_deadline(n->router) <= now) {
        n->report_waits = false;
        router_timeout(n->router, now);
    }
    streams_retry(&n->streams);
    drain(n);
    set_timer(n);
}

/* ---- From beginning to end ---- */

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Nobody waits for the answers: a peer that misses the word finds out by itself, but later. */
static void say_goodbye(node *n)
{
    router_tunnel tunnel;
    uint64_t it = 0;
    while (router_next_tunnel(n->router, &it, &tunnel) == ROUTER_YES) {
        if (router_clear_tunnel(n->router, now_ms(), tunnel.id) != ROUTER_ERR_LIMIT)
            continue;
        drain(n);
        router_clear_tunnel(n->router, now_ms(), tunnel.id);
    }
    drain(n);
}

static void on_signal(uv_signal_t *handle, int number)
{
    node *n = handle->data;
    log_line(&n->log, "event=stopping signal=%d", number);
    say_goodbye(n);
    streams_close(&n->streams);
    uv_walk(&n->loop, close_handle, NULL);
}

static bool failed(const node *n, const char *what)
{
    log_line(&n->log, "event=failed why=\"%s\"", what);
    return false;
}

static bool watch(node *n, port *p, int fd)
{
    p->owner = n;
    p->fd = fd;
    p->poll.data = p;
    return uv_poll_init(&n->loop, &p->poll, fd) == 0 &&
           uv_poll_start(&p->poll, UV_READABLE, on_readable) == 0;
}

static bool open_tun(node *n, const io_tun_config *config, uint32_t vrf, uint16_t mtu)
{
    char problem[TUN_PROBLEM_BYTES];
    const int fd = tun_open(config, mtu, problem);
    if (fd < 0)
        return failed(n, problem);
    port *p = &n->tuns[n->tun_count++];
    p->vrf = vrf;
    return watch(n, p, fd) || failed(n, "no room in the event loop");
}

static bool open_tuns(node *n, const io_config *config)
{
    const router_config *settings = &config->router;
    if (!open_tun(n, &config->global, ROUTER_GLOBAL_VRF, settings->tunnel_mtu))
        return false;
    for (size_t i = 0; i < settings->vrf_count; i++) {
        if (!open_tun(n, &config->vrfs[i], settings->vrfs[i].id, settings->tunnel_mtu))
            return false;
    }
    return true;
}

static bool open_underlay(node *n, const io_config *config)
{
    char problem[UNDERLAY_PROBLEM_BYTES];
    if (!underlay_open(&n->underlay, config, problem))
        return failed(n, problem);
    for (size_t i = 0; i < UNDERLAY_SOCKETS; i++) {
        port *p = &n->underlay_ports[i];
        p->socket = &n->underlay.sockets[i];
        if (!watch(n, p, p->socket->fd))
            return failed(n, "no room in the event loop");
    }
    return true;
}

static bool open_router(node *n, io_config *config, const node_options *options)
{
    router_config *settings = &config->router;
    if (getrandom(settings->seed, sizeof settings->seed, 0) != sizeof settings->seed)
        return failed(n, "no entropy");
    const char *problem = "out of memory";
    const int32_t rc = router_new(settings, now_ms(), &n->router, &problem);
    io_config_wipe(config);
    if (rc < 0)
        return failed(n, problem);
    if (options->keylog_directory) {
        if (!keylog_open(&n->keylog, options->keylog_directory))
            return failed(n, strerror(errno));
        router_set_keylog(n->router, keylog_write, &n->keylog);
        log_line(&n->log, "event=keylog why=\"keys are being written: for debugging only\"");
    }
    return true;
}

static bool open_streams(node *n, const io_config *config)
{
    const router_config *settings = &config->router;
    streams_init(&n->streams, &n->loop, n->router, &n->log, &settings->tunnel);
    if (settings->bgp_listen.family == ROUTER_FAMILY_NONE)
        return true;
    const int status = streams_listen(&n->streams, settings->bgp_port);
    return status == 0 || failed(n, uv_strerror(status));
}

static bool open_loop(node *n)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT};
    n->timer.data = n;
    n->prepare.data = n;
    bool ok = uv_timer_init(&n->loop, &n->timer) == 0 &&
              uv_prepare_init(&n->loop, &n->prepare) == 0 &&
              uv_prepare_start(&n->prepare, on_prepare) == 0;
    for (size_t i = 0; ok && i < SIGNALS; i++) {
        n->signals[i].data = n;
        ok = uv_signal_init(&n->loop, &n->signals[i]) == 0 &&
             uv_signal_start(&n->signals[i], on_signal, numbers[i]) == 0;
    }
    return ok || failed(n, "no room in the event loop");
}

static bool node_open(node *n, io_config *config, const node_options *options)
{
    return open_tuns(n, config) && open_underlay(n, config) && open_router(n, config, options) &&
           open_streams(n, config) && open_loop(n);
}

static void node_close(node *n)
{
    uv_walk(&n->loop, close_handle, NULL);
    uv_run(&n->loop, UV_RUN_DEFAULT);
    uv_loop_close(&n->loop);
    router_free(n->router);
    keylog_close(&n->keylog);
    underlay_close(&n->underlay);
    for (size_t i = 0; i < n->tun_count; i++)
        close(n->tuns[i].fd);
}

int node_run(io_config *config, const node_options *options)
{
    node *n = calloc(1, sizeof *n);
    if (!n || !batch_init(&n->batch) || uv_loop_init(&n->loop) != 0) {
        fputs("out of memory\n", stderr);
        if (n)
            batch_free(&n->batch);
        free(n);
        return EXIT_FAILURE;
    }
    n->keylog = (keylog){.ike = -1, .esp = -1};
    for (size_t i = 0; i < UNDERLAY_SOCKETS; i++)
        n->underlay.sockets[i].fd = -1;

    /* A peer that resets its TCP connection is an error of a write, no reason to end. */
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_FAILURE;
    if (!log_open(&n->log, options->log_file, config->router.name)) {
        perror(options->log_file);
    } else if (node_open(n, config, options)) {
        log_line(&n->log, "event=ready");
        uv_run(&n->loop, UV_RUN_DEFAULT);
        status = EXIT_SUCCESS;
    }
    node_close(n);
    log_close(&n->log);
    batch_free(&n->batch);
    free(n);
    return status;
}
