/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The transport sockets: UDP 500 and 4500, and raw ones for ESP and GRE without UDP, all bound to
 * the node's transport address. Packets go in batches through buffers made once.
 */
#ifndef IO_UNDERLAY_H
#define IO_UNDERLAY_H

#include "io/config.h"

enum {
    BATCH_PACKETS = 64,
    BATCH_MAX_PACKET_BYTES = 65536,
    BATCH_BUFFER_BYTES = ROUTER_HEADROOM + BATCH_MAX_PACKET_BYTES + ROUTER_TAILROOM
};

/* Packets on their way through router_rx_batch, each in a buffer of its own. */
typedef struct batch {
    uint8_t *memory;
    router_packet packets[BATCH_PACKETS];
    size_t count;
} batch;

bool batch_init(batch *b);
void batch_free(batch *b);

/* Where packet i is received. */
uint8_t *batch_space(batch *b, size_t i);

/* Packet i, received there: len bytes after skip bytes that are not its own. */
router_packet *batch_put(batch *b, size_t i, size_t skip, size_t len);

enum { UNDERLAY_PORT_IKE = 500, UNDERLAY_PORT_NAT_T = 4500 };
enum { UNDERLAY_IKE, UNDERLAY_NAT_T, UNDERLAY_ESP, UNDERLAY_GRE, UNDERLAY_SOCKETS };

typedef struct underlay_socket {
    int fd; /* -1: not open */
    uint8_t transport;
    router_addr local;
} underlay_socket;

typedef struct underlay {
    underlay_socket sockets[UNDERLAY_SOCKETS];
    uint64_t unsent; /* datagrams that no socket took */
} underlay;

enum { UNDERLAY_PROBLEM_BYTES = 256 };

/* Opens them in the front door's namespace. False: problem says what was wrong. */
bool underlay_open(underlay *u, const io_config *config, char problem[UNDERLAY_PROBLEM_BYTES]);
void underlay_close(underlay *u);

/* Reads what waits on a socket into an empty batch, up to its size. Returns the number of packets.
 */
size_t underlay_receive(underlay_socket *s, batch *b);

/* Sends those of at most BATCH_PACKETS packets whose verdict is UNDERLAY. */
void underlay_send_batch(underlay *u, const router_packet *packets, size_t packet_count);
void underlay_send(underlay *u, const router_path *path, const uint8_t *bytes, size_t len);

#endif
