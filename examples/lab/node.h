/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One router with its ports: the underlay, a TUN for each VRF, and TCP for its streams.
 */
#ifndef LAB_NODE_H
#define LAB_NODE_H

#include "internal/map.h"
#include "lab.h"
#include "vtcp.h"

typedef struct stream stream;

struct lab_node {
    heap_node timer;
    bool joined; /* the timer, the lab's heap */
    lab_node *next_dirty;
    bool dirty;
    bool stirred; /* more than packets passing through has happened: it must settle */
    lab *lab;
    uint32_t number;
    char name[PLAN_NAME_BYTES];
    router *router;
    vtcp *tcp;
    map by_router; /* streams, by the router's id and by the TCP's */
    map by_tcp;
    stream *streams;
    size_t ending, stalled; /* how many of them are */
    uint64_t vrfs_ready;    /* a bit for each VRF that has a route to the other customers */
    uint32_t *links;        /* of the capture, by VRF; NULL without one */
    uint32_t unheard;       /* control packets since the node last settled */
    uint64_t refused;       /* control packets that the router did not take */
};

/*
 * NULL without memory, or where the configuration is refused: *problem then says why. old, or NULL,
 * is what the new one replaces, and then freed.
 */
lab_node *node_new(lab *l, uint32_t number, lab_node *old, const char **problem);
void node_free(lab_node *n);

void node_datagram(lab_node *n, network_datagram *d);
/* A packet from a customer in a VRF. */
void node_customer(lab_node *n, uint32_t vrf, const uint8_t *packet, size_t len);
void node_timeout(lab_node *n);

/* Carries out what the router and its TCP want, until they want nothing before a later time. */
void node_settle(lab_node *n);
uint64_t node_deadline(const lab_node *n);

#endif
