/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A small deterministic TCP (RFC 9293) on virtual time. IP packets and the time go in; IP packets,
 * events and the next deadline come out, so that BGP's streams cross the tunnels of the lab as they
 * would.
 *
 *   vtcp_connect, vtcp_listen --> event UP --> vtcp_send, vtcp_peek and vtcp_consume --> vtcp_close
 *
 * In it: handshake, MSS, reassembly, retransmission with backoff (RFC 6298), fast retransmit, a
 * fixed receive window that opens as the caller consumes, zero window probes, FIN and RST as RFC
 * 9293 and RFC 5961 have them. Not in it: congestion control, window scaling, SACK, timestamps,
 * urgent data, simultaneous open.
 */
#ifndef LAB_VTCP_H
#define LAB_VTCP_H

#include "router/router.h"

enum {
    VTCP_YES = 1,
    VTCP_OK = 0,
    VTCP_ERR_ARG = -1,
    VTCP_ERR_NOMEM = -2,
    VTCP_ERR_BUFFER = -3,
    VTCP_ERR_LIMIT = -4,
    VTCP_ERR_STATE = -5,
    VTCP_ERR_ABSENT = -6,
    VTCP_ERR_MALFORMED = -20, /* not a TCP segment in an IP packet */
    VTCP_ERR_CHECKSUM = -21,
    VTCP_ERR_SEQUENCE = -22 /* outside the window, or an acknowledgment of nothing sent */
};

typedef struct vtcp_config {
    uint16_t mss;           /* of what we receive, and at most send; 1360 */
    uint32_t send_bytes;    /* that may wait to be acknowledged; 65536 */
    uint32_t receive_bytes; /* that may wait to be consumed: the window; 65535 at most */
    uint32_t rto_initial_ms;
    uint32_t rto_min_ms;
    uint32_t rto_max_ms;
    uint32_t retries; /* retransmissions of one segment before the connection is given up */
    uint32_t time_wait_ms;
    uint32_t max_connections;
    uint64_t seed; /* of initial sequence numbers and ephemeral ports */
} vtcp_config;

void vtcp_config_init(vtcp_config *config);

/* All connections of one host. */
typedef struct vtcp vtcp;

int32_t vtcp_new(const vtcp_config *config, vtcp **out);
void vtcp_free(vtcp *t);

/* Accepts connections to a port, on any address; one port at a time, 0 for none. */
void vtcp_listen(vtcp *t, uint16_t port);

/* local: the address; port 0 takes an ephemeral one. */
int32_t vtcp_connect(vtcp *t, uint64_t now_ms, const router_addr *local, const router_addr *peer,
                     uint64_t *id);

/* An IP packet addressed to this host. A negative result: it was dropped, here is why. */
int32_t vtcp_input(vtcp *t, uint64_t now_ms, const uint8_t *packet, size_t len);

int32_t vtcp_timeout(vtcp *t, uint64_t now_ms);
uint64_t vtcp_deadline(const vtcp *t);

/* Takes what the send buffer has room for. */
int32_t vtcp_send(vtcp *t, uint64_t now_ms, uint64_t id, const uint8_t *bytes, size_t len,
                  size_t *taken);
size_t vtcp_room(const vtcp *t, uint64_t id);

/* The bytes that arrived in order, until the next call of anything but this. */
int32_t vtcp_peek(const vtcp *t, uint64_t id, const uint8_t **bytes, size_t *len);
int32_t vtcp_consume(vtcp *t, uint64_t now_ms, uint64_t id, size_t len);

/* FIN after what was sent. The connection is there until event DOWN. */
int32_t vtcp_close(vtcp *t, uint64_t now_ms, uint64_t id);
/* RST, and no event: the connection is forgotten. */
int32_t vtcp_abort(vtcp *t, uint64_t now_ms, uint64_t id);

enum {
    VTCP_EVENT_UP = 1,    /* connected, or accepted: .accepted tells */
    VTCP_EVENT_READABLE,  /* vtcp_peek has more than when this was last said */
    VTCP_EVENT_WRITABLE,  /* vtcp_send had filled the buffer, and there is room again */
    VTCP_EVENT_PEER_DONE, /* the peer sent FIN, and all before it was consumed */
    VTCP_EVENT_DOWN       /* reason; the id is then absent */
};

enum {
    VTCP_REASON_CLOSED = 1, /* by both sides */
    VTCP_REASON_RESET,
    VTCP_REASON_REFUSED,
    VTCP_REASON_TIMEOUT
};

typedef struct vtcp_event {
    uint32_t kind;
    uint32_t reason;
    uint64_t id;
    bool accepted;
    router_addr local;
    router_addr peer;
} vtcp_event;

int32_t vtcp_poll_event(vtcp *t, vtcp_event *event);

/* One IP packet in buf, of *len bytes. */
int32_t vtcp_poll_output(vtcp *t, uint64_t now_ms, uint8_t *buf, size_t cap, size_t *len);

typedef struct vtcp_stats {
    uint64_t segments_in, segments_out, retransmitted, dropped, out_of_order;
} vtcp_stats;

void vtcp_get_stats(const vtcp *t, vtcp_stats *out);

#endif
