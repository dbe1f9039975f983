/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A customer's host: it answers echo requests (RFC 792, RFC 4443), sends its own, and sends and
 * counts UDP. What it sends carries the number of its VRF, so that a packet that strays into
 * another VRF is noticed, even where the addresses are the same.
 */
#ifndef LAB_HOST_H
#define LAB_HOST_H

#include "ip.h"

enum {
    HOST_HEARD_NOTHING, /* for another address, or malformed */
    HOST_HEARD_ECHO,    /* a request; the answer is in out */
    HOST_HEARD_REPLY,
    HOST_HEARD_UDP,
    HOST_HEARD_OTHER /* ICMP errors and the like */
};

enum { HOST_PACKET_BYTES = 256, HOST_UDP_PORT = 9 };

/* What a packet of ours says. */
typedef struct host_mark {
    uint32_t vrf;
    uint32_t flow;
    uint32_t sequence;
    uint64_t sent_ms;
} host_mark;

typedef struct host_heard {
    uint8_t kind;
    bool marked; /* mark is valid */
    host_mark mark;
    router_addr from;
} host_heard;

/* An echo request; returns its length. */
size_t host_ping(const router_addr *from, const router_addr *to, const host_mark *mark,
                 uint8_t out[HOST_PACKET_BYTES]);

/* A UDP datagram to the discard port; returns its length. */
size_t host_udp(const router_addr *from, const router_addr *to, const host_mark *mark,
                uint8_t out[HOST_PACKET_BYTES]);

/* Takes a packet; returns the length of the answer in out, 0 for none. */
size_t host_input(const router_addr *self, const uint8_t *packet, size_t len, host_heard *heard,
                  uint8_t out[HOST_PACKET_BYTES]);

#endif
