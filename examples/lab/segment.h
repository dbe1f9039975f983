/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCP segments on the wire (RFC 9293 3.1), in their IP packet.
 */
#ifndef LAB_SEGMENT_H
#define LAB_SEGMENT_H

#include "ip.h"

enum {
    SEGMENT_HEADER_BYTES = 20, /* without options */
    SEGMENT_FIN = 0x01,
    SEGMENT_SYN = 0x02,
    SEGMENT_RST = 0x04,
    SEGMENT_PSH = 0x08,
    SEGMENT_ACK = 0x10
};

typedef struct segment {
    router_addr from; /* with the ports */
    router_addr to;
    uint32_t seq;
    uint32_t ack;
    uint8_t flags;
    uint16_t window;
    uint16_t mss; /* the option; 0: absent */
    const uint8_t *payload;
    size_t len;
} segment;

/* VTCP_OK, VTCP_ERR_MALFORMED or VTCP_ERR_CHECKSUM. */
int32_t segment_decode(const uint8_t *packet, size_t len, segment *out);

/* The length of the packet; 0 where it does not fit. */
size_t segment_encode(const segment *s, uint8_t *out, size_t cap);

/* What the segment takes of the sequence space. */
uint32_t segment_space(const segment *s);

#endif
