/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Engines on virtual time, joined by TCP-like streams that live in the test: bytes arrive in order,
 * in chunks of a seeded size, and a stream may be cut after any number of bytes.
 */
#ifndef TESTS_BGPVPN_NET_H
#define TESTS_BGPVPN_NET_H

#include "harness.h"

#include <bgpvpn/bgpvpn.h>

#define NET_NODES   6
#define NET_STREAMS 64
#define NET_BUFFER  (256u << 10)
#define NET_ROUTES  4096

/* A VRF route as a node's caller sees it. */
typedef struct net_route {
    bool up;
    uint32_t vrf;
    bgpvpn_addr prefix, next_hop;
    uint32_t label;
    uint64_t route_id;
} net_route;

/* A label that a node's caller has given out. */
typedef struct net_label {
    uint64_t route_id; /* 0: freed */
    uint32_t label, out_label;
    bgpvpn_addr next_hop;
} net_label;

typedef struct net_node {
    bgpvpn_engine *engine;
    bgpvpn_addr addr;
    net_route *routes;
    size_t route_count;
    net_label *labels;
    size_t label_count;
    uint32_t next_label;
    bool labels_withheld; /* questions stay open */
    bool refuses;         /* incoming connections */
    uint64_t ups, downs, fails, eors, closes, refreshes, faults, asks, limits, gone;
    bgpvpn_event last;       /* of UP, DOWN, FAILED */
    bgpvpn_event last_fault; /* of FAULT */
    uint64_t last_ask;
} net_node;

typedef struct net_pipe { /* one direction */
    uint8_t *bytes;
    size_t len, sent;
} net_pipe;

typedef struct net_stream {
    bool used, dead;
    uint32_t node[2];
    uint64_t id[2]; /* 0: that side has none any more */
    net_pipe to[2]; /* bytes for that side */
} net_stream;

typedef struct net {
    prng random;
    uint64_t now_ms;
    uint32_t chunk;      /* at most so many bytes at once; 0: all */
    uint64_t credit;     /* bytes a stream holds per direction */
    uint64_t cut_after;  /* bytes in all, then every stream breaks once; 0: never */
    uint64_t bytes;      /* delivered in all */
    uint64_t unlabelled; /* next-hop-self without own label: always 0 */
    bool stalled[NET_NODES];
    net_node node[NET_NODES];
    net_stream stream[NET_STREAMS];
} net;

net *net_new(uint64_t seed);
void net_free(net *n);

/* An engine at 10.0.0.(i + 1), its router id the same; cfg may be NULL. */
bgpvpn_engine *net_engine(net *n, uint32_t i, const bgpvpn_config *cfg);
void net_config(uint32_t i, bgpvpn_config *cfg);

/* Node i knows node j; flags: BGPVPN_NEIGHBOR_... */
uint64_t net_neighbor(net *n, uint32_t i, uint32_t j, uint32_t flags);
uint64_t net_neighbor_with(net *n, uint32_t i, uint32_t j, uint32_t flags, uint32_t tables);

/* RD 65000:rd, import and export RT 65000:rt. */
void net_vrf(net *n, uint32_t i, uint32_t vrf, uint32_t rd, uint32_t rt);
void net_announce(net *n, uint32_t i, uint32_t vrf, uint32_t ip, uint8_t len, uint32_t label);
void net_withdraw(net *n, uint32_t i, uint32_t vrf, uint32_t ip, uint8_t len);
void net_prefix(uint32_t ip, uint8_t len, bgpvpn_addr *out);

/* Everything that happens within so many milliseconds. */
void net_run(net *n, uint64_t ms);
void net_cut(net *n, uint32_t i, uint32_t j);

/* What node i's caller knows about a prefix in a VRF; NULL: not up. */
const net_route *net_route_of(const net *n, uint32_t i, uint32_t vrf, uint32_t ip, uint8_t len);
size_t net_routes_up(const net *n, uint32_t i);
const net_label *net_label_of(const net *n, uint32_t i, uint32_t label);
void net_info(const net *n, uint32_t i, uint64_t id, bgpvpn_neighbor_info *out);
void net_counters(const net *n, uint32_t i, bgpvpn_counters *out);

#endif
