/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The router's streams as TCP connections of the kernel, from and to the tunnel address.
 *
 * Back-pressure goes both ways. In: what the router does not consume stays in the stream's buffer,
 * and nothing more is read until it has. Out: the router may have no more bytes under way than a
 * window; bytes that the kernel has taken make room again.
 */
#ifndef IO_STREAMS_H
#define IO_STREAMS_H

#include <uv.h>

#include "io/log.h"
#include "router/router.h"

typedef struct stream stream;

typedef struct streams {
    uv_loop_t *loop;
    router *router;
    const log *log;
    router_addr local; /* the tunnel address, port 0 */
    uv_tcp_t listener;
    bool listening;
    stream *first;
} streams;

void streams_init(streams *s, uv_loop_t *loop, router *r, const log *l, const router_addr *local);

/* Accepts connections to the tunnel address. Returns 0 or an error of libuv. */
int streams_listen(streams *s, uint16_t port);

void streams_connect(streams *s, uint64_t id, const router_addr *local, const router_addr *remote);
void streams_send(streams *s, uint64_t id, const uint8_t *bytes, size_t len);

/* The router wants no more of a stream: it is closed by streams_finish. */
void streams_end(streams *s, uint64_t id);

/* Closes those that have ended, after what has been given to streams_send. */
void streams_finish(streams *s);

/* Offers the router again what it did not consume; call after router_timeout. */
void streams_retry(streams *s);

/* Closes all; memory goes as the loop runs on. */
void streams_close(streams *s);

#endif
