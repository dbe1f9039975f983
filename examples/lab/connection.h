/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One TCP connection: what vtcp.c (the host, its tables and events) and connection.c (the state
 * machine) share.
 */
#ifndef LAB_CONNECTION_H
#define LAB_CONNECTION_H

#include "internal/alloc.h"
#include "internal/heap.h"
#include "internal/map.h"
#include "segment.h"
#include "vtcp.h"

enum {
    STATE_CLOSED,
    STATE_SYN_SENT,
    STATE_SYN_RECEIVED,
    STATE_ESTABLISHED,
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT,
    STATE_CLOSING,
    STATE_LAST_ACK,
    STATE_TIME_WAIT,
    STATES
};

/* Places in one of the host's first-in first-out lists. */
typedef struct link {
    struct link *prev, *next; /* NULL: in no list */
} link;

/* Bytes that arrived ahead of others, from the start of the receive buffer. */
typedef struct range {
    size_t from, to;
} range;

enum { MAX_RANGES = 16 };

typedef struct buffer {
    uint8_t *bytes;
    size_t len, cap;
} buffer;

typedef struct connection {
    heap_node timer;
    map_node by_id;
    map_node by_pair;
    link output; /* has something to send */
    link events; /* has something to tell: a bit for each VTCP_EVENT in telling */
    uint32_t telling;
    uint32_t reason;
    uint64_t id;
    router_addr local;
    router_addr peer;
    uint8_t state;
    bool accepted;
    bool up;
    bool told_down;

    /* To the peer; names as in RFC 9293 3.3.1. */
    uint32_t iss, snd_una, snd_nxt, snd_max, snd_wnd, snd_wl1, snd_wl2;
    uint16_t mss;
    buffer tx; /* from snd_una on, the SYN not counted */
    bool fin_queued;
    bool fin_acknowledged;
    bool starved; /* the caller had more */
    bool resend;  /* the first segment, at once */
    bool probe;   /* one byte into a closed window */
    uint32_t repeated_acks;

    /* From the peer. */
    uint32_t rcv_nxt;
    uint32_t rx_start;  /* sequence number of the first byte in rx */
    uint32_t told_edge; /* the right edge of the window that the peer knows */
    buffer rx;          /* len: in order */
    range ranges[MAX_RANGES];
    size_t range_count;
    bool fin_known;
    uint32_t fin_seq;
    bool fin_told;
    bool ack_due;

    /* RFC 6298. */
    uint32_t rto_ms, srtt_ms, rttvar_ms, retries;
    bool timing;
    uint32_t timed_seq;
    uint64_t timed_at_ms;
} connection;

/* A segment that belongs to no connection: RST. */
typedef struct reply {
    router_addr from, to;
    uint32_t seq, ack;
    uint8_t flags;
} reply;

enum { MAX_REPLIES = 64 };

struct vtcp {
    vtcp_config config;
    alloc alloc;
    heap timers;
    map by_id;
    map by_pair;
    link output;
    link events;
    uint64_t next_id;
    uint64_t random;
    size_t connections;
    uint16_t listening;
    reply replies[MAX_REPLIES];
    size_t reply_count;
    vtcp_stats stats;
};

/* vtcp.c */
void vtcp__tell(vtcp *t, connection *c, uint32_t kind);
void vtcp__want_output(vtcp *t, connection *c);
bool vtcp__reply(vtcp *t, const router_addr *from, const router_addr *to, uint8_t flags,
                 uint32_t seq, uint32_t ack);
bool vtcp__reserve(const vtcp *t, buffer *b, size_t len);

/* connection.c */
void vtcp__open(vtcp *t, connection *c, uint64_t now_ms, uint8_t state);
int32_t vtcp__segment(vtcp *t, connection *c, uint64_t now_ms, const segment *s);
void vtcp__expired(vtcp *t, connection *c, uint64_t now_ms);
void vtcp__close(vtcp *t, connection *c);
void vtcp__consumed(vtcp *t, connection *c, size_t len);
/* False when there is nothing to send now. */
bool vtcp__next_segment(vtcp *t, connection *c, uint64_t now_ms, segment *out);
void vtcp__down(vtcp *t, connection *c, uint32_t reason);

#endif
