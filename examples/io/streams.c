/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/streams.h"

#include <stdlib.h>
#include <string.h>

#include "io/address.h"

enum { INPUT_BYTES = 16384, WINDOW_BYTES = 65536, LISTEN_BACKLOG = 128 };

enum {
    STREAM_CONNECTING,
    STREAM_UP,
    STREAM_ENDED,     /* the router wants no more of it, but may have its last bytes to send */
    STREAM_FINISHING, /* those go out */
    STREAM_CLOSED     /* waits for libuv */
};

struct stream {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    streams *owner;
    stream *next;
    uint64_t id;
    uint8_t state;    /* STREAM_... */
    size_t in_flight; /* given to libuv, not yet taken by the kernel */
    size_t input_at;  /* what the router has not consumed: input[input_at, input_end) */
    size_t input_end;
    uint8_t input[INPUT_BYTES];
};

typedef struct write_job {
    uv_write_t request;
    stream *stream;
    size_t len;
    uint8_t bytes[];
} write_job;

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static stream *find(streams *s, uint64_t id)
{
    for (stream *each = s->first; each; each = each->next) {
        if (each->id == id && each->state != STREAM_CLOSED)
            return each;
    }
    return NULL;
}

/* ---- The end ---- */

static void on_closed(uv_handle_t *handle)
{
    stream *t = handle->data;
    stream **at = &t->owner->first;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    free(t);
}

static void close_stream(stream *t)
{
    if (t->state == STREAM_CLOSED)
        return;
    t->state = STREAM_CLOSED;
    uv_close((uv_handle_t *)&t->tcp, on_closed);
}

/* It ended by itself: the router hears of it, unless it was the one that wanted this. */
static void lose_stream(stream *t)
{
    const bool known = t->state == STREAM_CONNECTING || t->state == STREAM_UP;
    const uint64_t id = t->id;
    router *r = t->owner->router;
    close_stream(t);
    if (known)
        router_stream_down(r, now_ms(), id);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    close_stream(request->data);
}

void streams_end(streams *s, uint64_t id)
{
    stream *t = find(s, id);
    if (t && t->state == STREAM_CONNECTING)
        close_stream(t);
    else if (t && t->state == STREAM_UP)
        t->state = STREAM_ENDED;
}

void streams_finish(streams *s)
{
    for (stream *t = s->first; t; t = t->next) {
        if (t->state != STREAM_ENDED)
            continue;
        t->state = STREAM_FINISHING;
        t->shutdown.data = t;
        if (uv_shutdown(&t->shutdown, (uv_stream_t *)&t->tcp, on_shutdown) != 0)
            close_stream(t);
    }
}

/* ---- In ---- */

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    stream *t = handle->data;
    *out = uv_buf_init((char *)t->input, sizeof t->input);
}

/* Hands over what is in the buffer. True when all of it was consumed. */
static bool deliver(stream *t)
{
    while (t->state == STREAM_UP && t->input_at < t->input_end) {
        size_t consumed = 0;
        const int32_t rc =
            router_stream_input(t->owner->router, now_ms(), t->id, t->input + t->input_at,
                                t->input_end - t->input_at, &consumed);
        if (rc == ROUTER_ERR_ABSENT) {
            close_stream(t);
            return false;
        }
        if (rc < 0 || consumed == 0)
            return false;
        t->input_at += consumed;
    }
    t->input_at = t->input_end = 0;
    return true;
}

static void on_read(uv_stream_t *handle, ssize_t got, const uv_buf_t *space)
{
    (void)space;
    stream *t = handle->data;
    if (got < 0) {
        lose_stream(t);
        return;
    }
    if (t->state != STREAM_UP)
        return;
    t->input_at = 0;
    t->input_end = (size_t)got;
    if (!deliver(t) && t->state == STREAM_UP)
        uv_read_stop(handle);
}

void streams_retry(streams *s)
{
    for (stream *t = s->first; t; t = t->next) {
        if (t->state == STREAM_UP && t->input_at < t->input_end && deliver(t) &&
            uv_read_start((uv_stream_t *)&t->tcp, on_space, on_read) != 0)
            lose_stream(t);
    }
}

/* ---- Out ---- */

static void set_credit(stream *t)
{
    const size_t room = t->in_flight < WINDOW_BYTES ? WINDOW_BYTES - t->in_flight : 0;
    if (t->state == STREAM_UP)
        router_stream_credit(t->owner->router, now_ms(), t->id, room);
}

static void on_written(uv_write_t *request, int status)
{
    write_job *job = request->data;
    stream *t = job->stream;
    t->in_flight -= job->len;
    free(job);
    if (status == 0)
        set_credit(t);
    else if (status != UV_ECANCELED)
        lose_stream(t);
}

void streams_send(streams *s, uint64_t id, const uint8_t *bytes, size_t len)
{
    stream *t = find(s, id);
    if (!t || (t->state != STREAM_UP && t->state != STREAM_ENDED))
        return;
    if (t->in_flight == 0) {
        uv_buf_t part = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
        const int taken = uv_try_write((uv_stream_t *)&t->tcp, &part, 1);
        if (taken > 0) {
            bytes += taken;
            len -= (size_t)taken;
        }
    }
    if (len > 0) {
        write_job *job = malloc(sizeof *job + len);
        if (!job) {
            lose_stream(t);
            return;
        }
        job->request.data = job;
        job->stream = t;
        job->len = len;
        memcpy(job->bytes, bytes, len);
        uv_buf_t part = uv_buf_init((char *)job->bytes, (unsigned)len);
        t->in_flight += len;
        if (uv_write(&job->request, (uv_stream_t *)&t->tcp, &part, 1, on_written) != 0) {
            t->in_flight -= len;
            free(job);
            lose_stream(t);
            return;
        }
    }
    set_credit(t);
}

/* ---- The beginning ---- */

static bool get_address(stream *t, int (*get)(const uv_tcp_t *, struct sockaddr *, int *),
                        router_addr *out)
{
    struct sockaddr_storage address = {0};
    int len = sizeof address;
    return get(&t->tcp, (struct sockaddr *)&address, &len) == 0 &&
           address_from_sockaddr(&address, t->owner->local.scope, out);
}

static stream *new_stream(streams *s, uint64_t id)
{
    stream *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->owner = s;
    t->id = id;
    if (uv_tcp_init(s->loop, &t->tcp) != 0) {
        free(t);
        return NULL;
    }
    t->tcp.data = t;
    t->next = s->first;
    s->first = t;
    return t;
}

static bool start(stream *t)
{
    t->state = STREAM_UP;
    uv_tcp_nodelay(&t->tcp, 1);
    if (uv_read_start((uv_stream_t *)&t->tcp, on_space, on_read) != 0)
        return false;
    set_credit(t);
    return true;
}

static void on_connected(uv_connect_t *request, int status)
{
    stream *t = request->data;
    if (t->state != STREAM_CONNECTING)
        return;
    router_addr local;
    if (status != 0) {
        log_line(t->owner->log, "event=stream_failed stream=%llu why=\"%s\"",
                 (unsigned long long)t->id, uv_strerror(status));
        lose_stream(t);
    } else if (!get_address(t, uv_tcp_getsockname, &local) ||
               router_stream_up(t->owner->router, now_ms(), t->id, &local) < 0 || !start(t)) {
        lose_stream(t);
    }
}

void streams_connect(streams *s, uint64_t id, const router_addr *local, const router_addr *remote)
{
    stream *t = new_stream(s, id);
    if (!t) {
        router_stream_down(s->router, now_ms(), id);
        return;
    }
    router_addr from = *local;
    from.port = 0;
    struct sockaddr_storage own, peer;
    address_to_sockaddr(&from, &own);
    address_to_sockaddr(remote, &peer);
    t->connect.data = t;
    int status = uv_tcp_bind(&t->tcp, (struct sockaddr *)&own, 0);
    if (status == 0)
        status = uv_tcp_connect(&t->connect, &t->tcp, (struct sockaddr *)&peer, on_connected);
    if (status != 0) {
        log_line(s->log, "event=stream_failed stream=%llu why=\"%s\"", (unsigned long long)id,
                 uv_strerror(status));
        lose_stream(t);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    streams *s = listener->data;
    if (status != 0)
        return;
    stream *t = new_stream(s, 0);
    if (!t)
        return;
    /* Until the router has taken it there is nobody to tell of its end. */
    t->state = STREAM_FINISHING;
    router_addr local, peer;
    if (uv_accept(listener, (uv_stream_t *)&t->tcp) != 0 ||
        !get_address(t, uv_tcp_getsockname, &local) || !get_address(t, uv_tcp_getpeername, &peer) ||
        router_stream_accept(s->router, now_ms(), &local, &peer, &t->id) < 0)
        close_stream(t);
    else if (!start(t))
        lose_stream(t);
}

int streams_listen(streams *s, uint16_t port)
{
    router_addr address = s->local;
    address.port = port;
    struct sockaddr_storage local;
    address_to_sockaddr(&address, &local);
    int status = uv_tcp_init(s->loop, &s->listener);
    if (status != 0)
        return status;
    s->listening = true;
    s->listener.data = s;
    status = uv_tcp_bind(&s->listener, (struct sockaddr *)&local, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&s->listener, LISTEN_BACKLOG, on_connection);
    return status;
}

void streams_init(streams *s, uv_loop_t *loop, router *r, const log *l, const router_addr *local)
{
    *s = (streams){.loop = loop, .router = r, .log = l, .local = *local};
    s->local.port = 0;
}

void streams_close(streams *s)
{
    for (stream *t = s->first; t; t = t->next)
        close_stream(t);
    if (s->listening)
        uv_close((uv_handle_t *)&s->listener, NULL);
    s->listening = false;
}
