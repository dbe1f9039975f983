/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two engines joined by a network on virtual time, and what a data plane would have installed.
 */
#ifndef TEST_IKEV2_PAIR_H
#define TEST_IKEV2_PAIR_H

#include "harness.h"

#include <ikev2/ikev2.h>

enum { PAIR_MAX_CHILDREN = 64, PAIR_MAX_EVENTS = 512, PAIR_MAX_ROUTES = 4 };

typedef struct pair_child {
    uint64_t id;
    uint32_t spi_in;
    uint32_t spi_out;
    bool in;
    bool out;
} pair_child;

typedef struct pair_node {
    ikev2_engine *e;
    ikev2_addr addr;
    fail_alloc memory;
    const char *name;
    uint64_t sa; /* the newest IKE SA that is up, or 0 */
    uint64_t profile;
    pair_child children[PAIR_MAX_CHILDREN]; /* installed, by events alone */
    size_t child_count;
    ikev2_event events[PAIR_MAX_EVENTS];
    size_t event_count;
    uint64_t unusable_since; /* no outbound child although there was one */
} pair_node;

typedef struct pair {
    pair_node n[2];
    vnet *net;
    uint64_t now;
    uint64_t sent;    /* datagrams so far, both ways */
    uint64_t drop_at; /* this one is lost; counted from 1, 0: none */
    uint64_t dup_at;
    uint64_t late_at; /* this one comes after a retransmission */
    bool nat;         /* node 0 is behind a NAT */
    uint16_t nat_shift;
    size_t sent_to[2];
    size_t max_len;
    uint8_t last[2][2048]; /* the last datagram that each sent */
    size_t last_len[2];
    bool had_child; /* checks that from now on each node always has a child to send on */
} pair;

/* Configs with defaults for tests; the caller may change them before pair_open. */
void pair_configs(ikev2_config cfg[2]);
void pair_open(pair *p, uint64_t seed, const vnet_rules *rules, const ikev2_config cfg[2]);
void pair_close(pair *p);

/* A peer config of node i towards the other; PSKs set. Static storage, good until the next call. */
ikev2_peer pair_peer(const pair *p, int i);
void pair_profile(pair *p, int i, const ikev2_peer *peer);

void pair_run(pair *p, uint64_t ms);
/* Initiates from node i and runs until both are up. */
void pair_connect(pair *p, int i);
uint64_t pair_first_child(const pair *p, int i);
size_t pair_live_children(const pair *p, int i);                                /* by the engine */
size_t pair_count_events(const pair *p, int i, uint16_t kind, uint16_t reason); /* 0: any */

/* Both have the same Child SAs, with keys equal crosswise, as many as expected, all usable. */
void pair_assert_agree(const pair *p, size_t children);
ikev2_identity pair_fqdn(const char *name);

#endif
