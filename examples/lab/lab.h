/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A whole network in one process, on virtual time: a hub, spokes, their customers, and the underlay
 * between them. The same options give the same run, to the byte.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "capture.h"
#include "host.h"
#include "internal/heap.h"
#include "network.h"
#include "plan.h"
#include "walk.h"

#include <stdio.h>

typedef struct lab_node lab_node;

/* Between two nodes, or ANY and one, nothing arrives from one time to another. */
enum { LAB_ANY = UINT16_MAX, LAB_MAX_FAULTS = 16 };

typedef struct lab_cut {
    uint32_t a, b;
    uint64_t from_ms, until_ms;
} lab_cut;

/* A node loses all that it knows, tells nobody, and begins anew. */
typedef struct lab_restart {
    uint32_t node;
    uint64_t at_ms;
} lab_restart;

typedef struct lab_options {
    plan plan;
    network_rules rules;
    uint64_t seconds;
    uint32_t rebind_s;       /* NATs choose other ports so often; 0: never */
    uint32_t burst, pause_s; /* after so many pings a flow rests so long; 0: never */
    lab_cut cuts[LAB_MAX_FAULTS];
    size_t cut_count;
    lab_restart restarts[LAB_MAX_FAULTS]; /* earliest first */
    size_t restart_count;
    const char *pcap; /* NULL: no capture */
    bool log;         /* every event, on standard output */
} lab_options;

/* Packets from one customer's host to another's, again and again. */
typedef struct flow {
    heap_node timer;
    uint32_t number;
    uint32_t from, to; /* nodes */
    uint32_t vrf;
    bool udp;
    uint32_t every_ms;
    uint64_t start_ms;
    uint64_t until_ms;
    bool forbidden;    /* the receiver is not in the VRF: there must be no answer */
    uint64_t pending;  /* a bit for each of the last 64 that was not yet answered */
    uint64_t directly; /* and of these for each that went by a shortcut */
    uint32_t sent, arrived, answered;
    uint64_t first_ms;  /* the first answer, or arrival of UDP; ROUTER_NEVER: none yet */
    uint64_t direct_ms; /* the route became a shortcut; ROUTER_NEVER: not yet */
    uint32_t answered_directly;
    uint32_t silent, longest_silence; /* pings in a row that were not answered within every_ms */
} flow;

typedef struct lab {
    lab_options options;
    uint64_t now;
    network *net;
    lab_node **nodes; /* 0 is the hub */
    uint32_t node_count;
    alloc alloc;
    heap timers;      /* of nodes */
    heap flow_timers; /* of flows */
    lab_node *dirty, **dirty_end;
    flow **flows;
    uint32_t flow_count, flow_cap;
    capture *capture;
    uint32_t underlay_link;
    walk *walk; /* NULL: nobody watches */
    FILE *log;  /* NULL: none */
    uint64_t events;
    uint64_t strayed;     /* packets that came out in another VRF than they went in */
    uint64_t unreachable; /* underlay datagrams to nobody, or cut off */
    size_t restarted;
    uint32_t ready;    /* spokes that have the hub's summary in each VRF */
    uint64_t ready_ms; /* the last of them got it */
    bool failed;       /* out of memory, or a router that could not be made */
} lab;

bool lab_begin(lab *l, const lab_options *options);
/* False when the capture could not be written. */
bool lab_end(lab *l);

/* Runs until a time, or until *stop, if not NULL, says so. */
void lab_run(lab *l, uint64_t until_ms, bool (*stop)(const lab *l));

/* NULL without memory. */
flow *lab_add_flow(lab *l, const flow *f);

/* What nodes tell. */
void lab_node_event(lab *l, lab_node *n, const router_event *event);
void lab_node_sends(lab *l, const lab_node *n, const router_path *path, const uint8_t *bytes,
                    size_t len);
void lab_customer_packet(lab *l, lab_node *n, uint32_t vrf, const uint8_t *packet, size_t len);

#endif
