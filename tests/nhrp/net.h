/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A small caller for engines under test: each node answers its engine's questions out of a static
 * table of VRFs, labels and routes, makes tunnels when it is asked to, and notes what it is told.
 * Packets go over the virtual network of the harness.
 */
#ifndef NET_H
#define NET_H

#include "harness.h"
#include "refusal.h"

#include <nhrp/nhrp.h>

enum {
    MAX_NODES = 8,
    MAX_LINKS = 16,
    MAX_ROUTES = 16,
    MAX_LABELS = 16,
    MAX_EVENTS = 256,
    MAX_TUNNELS = 32,
    MAX_ASKS = 64,
    INTERFACE = 1,
    NETWORK = 1,
    GLOBAL = 0, /* VRFs */
    CUSTOMER = 7,
    OTHER = 8,
    ANY = -1 /* the peer of a multipoint link: whoever has the NBMA address */
};

/* What becomes of a question for a tunnel. */
enum { TUNNELS_COME_UP, TUNNELS_FAIL, TUNNELS_SILENT };

typedef struct net_route {
    uint32_t vrf;
    nhrp_addr prefix;
    uint32_t link;  /* 0: local, a customer interface */
    uint32_t label; /* local: ours; by a link: the next hop's */
    bool learned;   /* from the peer of link, hence a label that the peer owns */
} net_route;

typedef struct net_label {
    uint32_t label;
    uint32_t vrf;
    uint32_t link;      /* the link that may use it; 0: any */
    uint32_t swap_link; /* not 0: swap instead of pop */
    uint32_t swap_label;
} net_label;

typedef struct net_link {
    uint32_t id; /* 0: none */
    int peer;
    uint32_t peer_link;
} net_link;

struct net;

typedef struct node {
    struct net *net;
    int index;
    nhrp_engine *engine;
    nhrp_addr tunnel, tunnel6, nbma;
    nhrp_addr link_local;
    nhrp_addr outer; /* what others see its packets come from: a NAT's, or nbma */
    net_link links[MAX_LINKS];
    net_route routes[MAX_ROUTES];
    net_label labels[MAX_LABELS];
    size_t route_count, label_count;
    int tunnels;
    bool recent;  /* answers say that a packet went there recently */
    bool answers; /* false: questions are left alone */
    bool deaf;    /* packets to it are lost */
    uint32_t next_link;
    nhrp_event events[MAX_EVENTS];
    size_t event_count;
    uint32_t last_ask_purpose;
    uint64_t last_ask;
    nhrp_question last_question;
    nhrp_rc last_answer;
} node;

typedef struct net_tunnel {
    uint64_t at_ms;
    int from;
    nhrp_addr nbma;
    uint64_t ask_id;
    bool pending;
} net_tunnel;

typedef struct net {
    uint64_t now_ms;
    vnet *wire;
    node nodes[MAX_NODES];
    int count;
    net_tunnel tunnels[MAX_TUNNELS];
    uint32_t tunnel_delay_ms;
    uint64_t sent[16];  /* packets by type, over all links */
    uint8_t last[2048]; /* the last packet of last_type sent */
    size_t last_len;
    uint8_t watch;                                  /* the type to keep in last */
    void (*tap)(const uint8_t *packet, size_t len); /* sees all packets sent, or NULL */
} net;

nhrp_addr ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
nhrp_addr prefix4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len);
nhrp_addr in_vrf(nhrp_addr a, uint32_t vrf);

void net_init(net *n, uint64_t seed, const vnet_rules *rules);
void net_end(net *n);
node *net_node(net *n, uint8_t number, fail_alloc *f, const nhrp_interface_config *interface,
               const nhrp_config *config);
void net_connect(net *n, node *a, uint32_t a_link, node *b, uint32_t b_link, uint32_t flags);
void net_multipoint(net *n, node *d, uint32_t link, uint32_t flags);
void net_disconnect(net *n, node *a, uint32_t a_link);
void node_route(node *d, uint32_t vrf, nhrp_addr prefix, uint32_t link, uint32_t label);
void node_label(node *d, uint32_t label, uint32_t vrf, uint32_t link);

/* Handles all that is ready now; then as time goes by, until the time given. */
void net_settle(net *n);
void net_run(net *n, uint64_t until_ms);

/* A packet from source to destination that turned round at the hub. */
nhrp_rc hub_hairpin(node *hub, uint32_t in_link, uint32_t out_link, uint32_t label,
                    nhrp_addr source, nhrp_addr destination);

size_t node_events(const node *d, uint32_t kind);
const nhrp_event *node_event(const node *d, uint32_t kind);
bool node_mapping(const node *d, uint32_t kind, nhrp_mapping *out);
uint64_t node_dropped(const node *d, nhrp_rc reason);
uint64_t node_sent(const node *d, uint8_t type);

/* What the getters tell of mappings, links, questions and the deadline; not the counters. */
nhrp_server node_server(const node *d, uint64_t id);
void describe_engine(description *d, const nhrp_engine *e);

/* The walk: node 0 is the hub, 1 and 2 are spokes; see test_walk.c. */
void walk_build(net *n, fail_alloc *f, const nhrp_interface_config *interface);
nhrp_rc walk_packet(net *n); /* CE1's packet for CE2 turns round at the hub */
void walk_shortcut(net *n);  /* the same, and three seconds later: the shortcut stands */

/* A test that begins with the walk's net, seed 1, on a good network: *state is the net. */
#define walk_test(function) cmocka_unit_test_setup_teardown(function, walk_setup, walk_teardown)
int walk_setup(void **state);
int walk_teardown(void **state);

#endif
