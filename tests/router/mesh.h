/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Routers joined by an underlay in memory, on virtual time. Streams are perfect and beside it, so
 * that a test of forwarding does not depend on a TCP; each VRF's TUN is a list of packets.
 *
 * Every datagram is searched for the marker that all payloads of customers hold: none may ever be
 * seen outside of ESP.
 */
#ifndef MESH_H
#define MESH_H

#include "harness.h"

#include "router.h"

enum { MESH_MAX_NODES = 8, MESH_EVENTS = 4096, MESH_INBOX = 4096, MESH_STREAMS = 64 };

/* The marker. */
#define MESH_MARKER "MARKER-of-a-customer"

typedef struct mesh_packet {
    uint32_t vrf;
    size_t len;
    uint8_t bytes[1600];
} mesh_packet;

typedef struct mesh_node {
    router *r;
    router_event *events;
    size_t event_count;
    mesh_packet *inbox;
    size_t inbox_count;
    router_addr nat; /* behind this address, where not NONE: only who was sent to may answer */
    bool nat_open[MESH_MAX_NODES];
    bool cut;           /* nothing goes in or out of it any more */
    router_packet last; /* the verdict on the last packet from its TUN */
    uint64_t worker_drops;
} mesh_node;

typedef struct mesh_stream {
    size_t node[2];
    uint64_t id[2];
    uint8_t *waiting[2]; /* for each end, what it has not taken yet */
    size_t waiting_len[2];
    bool open;
} mesh_stream;

typedef struct mesh {
    /* Sees every datagram, where not NULL. */
    void (*tap)(void *user, uint64_t now_ms, const router_path *path, const uint8_t *bytes,
                size_t len);
    void *tap_user;
    /* Sees, and may change, what a node says to another by a stream, where not NULL. */
    void (*edit)(size_t from, size_t to, uint8_t *bytes, size_t len);
    uint64_t now;
    vnet *net;
    mesh_node nodes[MESH_MAX_NODES];
    router_config *configs;
    size_t count;
    mesh_stream streams[MESH_STREAMS];
    size_t stream_count;
    const char *problem;  /* of the last that could not be made */
    uint32_t corrupt_ppm; /* datagrams with a bit flipped, of a million */
    prng corrupt;
    uint64_t leaks;                                   /* datagrams with the marker */
    uint64_t datagrams;                               /* sent */
    uint64_t between[MESH_MAX_NODES][MESH_MAX_NODES]; /* ESP datagrams from, to */
} mesh;

mesh *mesh_new(uint64_t seed);
void mesh_free(mesh *m);
/* The configuration of a node like those of the walk: index 0 is the hub, the others spokes. */
void mesh_config(router_config *c, size_t index);
/* A seed of its own is put into the configuration. Returns the node's index. */
size_t mesh_add(mesh *m, const router_config *c);
/* The same, where it may fail: then there is no such node. */
int32_t mesh_try(mesh *m, const router_config *c);
/* Three nodes of the walk. */
mesh *mesh_walk(uint64_t seed);

/* Streams of a node that forgot them end, and the other ends hear of it. */
void mesh_reset_streams(mesh *m, size_t node);
void mesh_run(mesh *m, uint64_t ms);
/* Runs until an event of that kind has come to the node (after the first `skip`), at most ms. */
const router_event *mesh_wait(mesh *m, size_t node, uint32_t kind, uint64_t ms);
const router_event *mesh_last(const mesh *m, size_t node, uint32_t kind);
size_t mesh_count(const mesh *m, size_t node, uint32_t kind);
/* Where in the node's events the first of that kind is; -1: nowhere. */
long mesh_first(const mesh *m, size_t node, uint32_t kind);
void mesh_print(const mesh *m);

/* Puts an IP packet into the TUN of a VRF; its verdict is in nodes[node].last. */
void mesh_send(mesh *m, size_t node, uint32_t vrf, const uint8_t *packet, size_t len);
/* Takes the oldest packet that came out of the TUN of a VRF. */
bool mesh_take(mesh *m, size_t node, uint32_t vrf, mesh_packet *out);
void mesh_empty(mesh *m, size_t node);
/* Hands a datagram to a node as if it came from the underlay; returns what became of it. */
router_packet mesh_inject(mesh *m, size_t node, const router_path *path, const uint8_t *bytes,
                          size_t len);

router_addr mesh_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t bits);
/* UDP with the marker as payload, `size` bytes in all. */
size_t mesh_udp(uint8_t *out, const router_addr *from, const router_addr *to, uint8_t ttl,
                bool dont_fragment, size_t size);
size_t mesh_tcp_syn(uint8_t *out, const router_addr *from, const router_addr *to, uint16_t mss);

#endif
