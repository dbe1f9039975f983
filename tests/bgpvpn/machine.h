/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One engine with one neighbour, whose part the test plays byte by byte.
 */
#ifndef TESTS_BGPVPN_MACHINE_H
#define TESTS_BGPVPN_MACHINE_H

#include "net.h"

#define HEADER    "ffffffffffffffffffffffffffffffff"
#define OPEN      HEADER "00310104fde8005a0a000002140206010400010080020641040000fde802020200"
#define KEEPALIVE HEADER "001304"

#define MACHINE_SENT 65536

typedef struct machine {
    bgpvpn_engine *e;
    uint64_t now_ms, id, stream;
    uint16_t note;              /* code << 8 | subcode of the last NOTIFICATION sent */
    uint64_t count[6];          /* messages sent, by type */
    bgpvpn_event last;          /* of UP, DOWN, FAILED */
    uint64_t kinds;             /* bits of the kinds of event seen */
    uint8_t sent[MACHINE_SENT]; /* since the test last set sent_len to 0 */
    size_t sent_len;
} machine;

/* 10.0.0.1, which is the engine, and 10.0.0.2. */
extern const bgpvpn_addr us, them;

/* The neighbour as machine_in makes it: them, AS 65000. */
void machine_neighbor(bgpvpn_neighbor_config *out);
/* Engine and neighbour; NULL: as usual. */
void machine_new(machine *m, const bgpvpn_config *cfg, const bgpvpn_neighbor_config *neighbor);
/* The same, in a state; Active: it is passive. */
void machine_in(machine *m, uint32_t state);
/* From Connect to Established, with the OPEN given in hex. */
void machine_establish(machine *m, const char *open);

/* Drains everything; more credit is given to the stream. */
void machine_pump(machine *m);
/* Hands in bytes given in hex, then pumps. */
void machine_feed(machine *m, const char *hex);
/*
 * The peer announces VPNv4 10.(n / 256).(n % 256).0/24 with RD 65000:1, target 65000:100 and the
 * label, or, given BGPVPN_LABEL_NONE, withdraws it.
 */
void machine_route(machine *m, uint32_t n, uint32_t label);
/* Routes of the peer in the RIB that are usable. */
uint32_t machine_paths(const machine *m);
/* Time goes on, step by step, with timers and output. */
void machine_wait(machine *m, uint64_t ms);
uint32_t machine_state(const machine *m);

#endif
