/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What travels in the tunnel: ICMP echo requests and replies, every other one behind an MPLS label.
 * Each request has its own length and content, and a reply must bring both back.
 */
#ifndef STRONGSWAN_ECHO_H
#define STRONGSWAN_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ECHO_BODY_MAX = 1320,                         /* The tunnel under it takes packets of 1400. */
    ECHO_PACKET_MAX = 4 + 20 + 8 + ECHO_BODY_MAX, /* Label, IPv4, ICMP, body. */
    ECHO_REQUESTS_MAX = 60000                     /* Sequence numbers do not wrap. */
};

/* One end. */
typedef struct echo {
    uint32_t sent;       /* Requests; the next one's sequence number. */
    uint32_t returned;   /* Replies to them that were right, each counted once. */
    uint32_t duplicates; /* Replies that had come before. */
    uint32_t answered;   /* Requests of the peer. */
    uint32_t labelled;   /* Packets that came behind our label. */
    uint32_t bad;        /* Packets that are not what they should be. */
    uint8_t back[ECHO_REQUESTS_MAX];
} echo;

/* Writes the next request, up to ECHO_PACKET_MAX bytes; returns its length. */
size_t echo_request(echo *e, uint8_t *out, uint16_t *gre_protocol);

/*
 * Takes what GRE carried. True: a reply of *reply_len bytes was written, for the same GRE protocol.
 */
bool echo_input(echo *e, uint16_t gre_protocol, const uint8_t *packet, size_t len, uint8_t *reply,
                size_t *reply_len);

#endif
