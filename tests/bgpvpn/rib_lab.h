/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One engine and three peers played by hand: bytes in, bytes out.
 */
#ifndef TESTS_BGPVPN_RIB_LAB_H
#define TESTS_BGPVPN_RIB_LAB_H

#include "net.h"

#define VRF      1u
#define PEERS    3u
#define PREFIXES 12u

/* An engine at 10.0.0.1, AS 65000, and peers at 10.0.0.(2 + i), whose AS is as[i]. */
typedef struct lab {
    bgpvpn_engine *e;
    uint64_t now_ms;
    uint64_t id[PEERS], stream[PEERS];
    uint32_t as[PEERS];
    uint8_t sent[PEERS][65536]; /* by the engine, UPDATEs only */
    size_t sent_len[PEERS];
    uint8_t part[PEERS][BGPVPN_MESSAGE_MAX]; /* of a message */
    size_t part_len[PEERS];
    uint64_t faults, limits, downs, asks;
    bgpvpn_event last, last_ask;
    uint32_t labels;
    bool labels_withheld;
    bgpvpn_label last_label;
} lab;

typedef struct route {
    bool there;
    uint32_t prefix; /* the second octet: 10.N.0.0/16 */
    uint32_t label, pref, med, origin;
    uint32_t as[4];
    uint8_t hops;
    uint8_t extra[64];
    size_t extra_len;
    uint32_t next_hop; /* the last octet of 10.0.9.N */
} route;

/* All of AS 65000, and one of it and two of others. */
extern const uint32_t internal[PEERS], mixed[PEERS];

/* Established with all; given may be NULL, flags and tables are each neighbour's. */
lab *lab_with(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags, uint32_t tables,
              uint32_t capabilities);
lab *lab_new(const uint32_t as[PEERS], const bgpvpn_config *given, uint32_t flags);
void lab_free(lab *l);

/* Polls, answers and takes output until nothing happens. */
void settle(lab *l);
void take_bytes(lab *l, uint32_t i, const uint8_t *bytes, size_t count);
void feed(lab *l, uint32_t i, const uint8_t *bytes, size_t len);
void feed_hex(lab *l, uint32_t i, const char *hex);

/* A route with little in it, and peer i's UPDATE with a route, or its withdrawal. */
route plain(uint32_t prefix);
void send_route(lab *l, uint32_t i, const route *r);

/* The peer whose path is chosen for a prefix; PEERS: none. */
uint32_t chosen(const lab *l, uint32_t prefix, uint32_t *label);

/* An attribute at a place in 512 bytes; returns where the next one goes. */
size_t put(uint8_t *buf, size_t at, uint8_t flags, uint8_t type, const uint8_t *value, size_t len);

#endif
