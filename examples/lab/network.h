/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The underlay: datagrams under way on virtual time. A seed decides which of them are lost, late,
 * duplicated or out of order.
 */
#ifndef LAB_NETWORK_H
#define LAB_NETWORK_H

#include "router/router.h"

typedef struct network_rules {
    uint32_t loss_ppm;      /* datagrams lost, of a million */
    uint32_t duplicate_ppm; /* delivered twice */
    uint32_t reorder_ppm;   /* delayed by up to reorder_ms beyond the others */
    uint32_t delay_ms;      /* one way, at least 1 */
    uint32_t jitter_ms;     /* up to this much more; with it order is lost as well */
    uint32_t reorder_ms;
} network_rules;

typedef struct network network;

typedef struct network_datagram {
    router_path path; /* as the receiver sees it */
    size_t len;
    /* Room for ROUTER_HEADROOM, the bytes, and ROUTER_TAILROOM. */
    uint8_t buf[];
} network_datagram;

typedef struct network_stats {
    uint64_t sent, lost, duplicated, delivered, bytes;
} network_stats;

/* NULL without memory. */
network *network_new(uint64_t seed, const network_rules *rules);
void network_free(network *n);

/* Copies the bytes; path is the sender's. False without memory: the datagram is lost. */
bool network_send(network *n, uint64_t now_ms, const router_path *path, const uint8_t *bytes,
                  size_t len);

/* When the next datagram arrives; ROUTER_NEVER when none is under way. */
uint64_t network_deadline(const network *n);

/* One that has arrived by now_ms, the caller's to free; NULL when there is none. */
network_datagram *network_receive(network *n, uint64_t now_ms);

void network_get_stats(const network *n, network_stats *out);

#endif
