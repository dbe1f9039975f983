/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One node of a DMVPN network in a single process, for tests with real routers: libnhrp, libgre,
 * libmplsvpn, libesp and libikev2 over raw sockets.
 *
 *   echo  <->  mplsvpn_table  <->  gre_tunnel  <->  [esp_sa]  <->  raw sockets, UDP 4500
 *                    ^                  ^              ^
 *                    '-- nhrp_engine ---'         ikev2_engine
 *
 * A peer is known by its NBMA address. It is an NHRP link, an interface of libmplsvpn and a GRE
 * tunnel, all under one number; or there is one multipoint link for all that are not configured.
 */
#ifndef LINUX_NODE_H
#define LINUX_NODE_H

#include <esp/esp.h>
#include <gre/gre.h>
#include <ikev2/ikev2.h>
#include <mplsvpn/mplsvpn.h>
#include <nhrp/nhrp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEERS_MAX = 8,
    SAS_MAX = 16, /* At a time, with those that are being replaced. */
    BUFFER_BYTES = 4096,
    /* What is put in front of a packet: outer header, ESP header, GRE header, labels. */
    HEADROOM = 128,
    INTERFACE = 1,              /* The one NHRP interface. */
    MULTIPOINT = PEERS_MAX + 1, /* The NHRP link of peers that have none of their own. */

    PORT_NONE = 0, /* Of raw sockets. */
    PORT_IKE = 500,
    PORT_NAT = 4500,

    /* The tables of mplsvpn. The tables WITHOUT have no shortcuts: they tell NHRP's own way. */
    VRF_GLOBAL = 0,
    VRF_RED = 1,
    WITHOUT = 16
};

/* How ESP travels; values of security.carriage. */
enum { ESP_OFF = 0, ESP_RAW = 1, ESP_UDP = 2 };

/* What both SAs with a peer are made from. */
typedef struct security {
    int carriage;
    uint8_t algorithm;
    bool esn;
    uint64_t child; /* As libikev2 calls it; 0: static. */
    uint32_t spi_in, spi_out;
    uint8_t key_in[ESP_KEYMAT_MAX], key_out[ESP_KEYMAT_MAX];
    size_t key_len;
} security;

/* Another node. */
typedef struct peer {
    uint32_t link; /* From 1; 0: a free slot. */
    nhrp_addr nbma;
    gre_tunnel *tunnel;
    struct sas *sending; /* NULL without ESP, or as long as there is no SA. */
} peer;

/* A pair of SAs. */
typedef struct sas {
    esp_sa *in, *out; /* NULL: a free slot; out comes later where IKE is under way. */
    uint32_t link;
    security from;
} sas;

/* Counted over the run, for the command "show". */
typedef struct counts {
    uint32_t answered;                                  /* Echo requests for us. */
    uint32_t labelled;                                  /* Packets that came with a label. */
    uint32_t sealed, opened;                            /* ESP packets. */
    uint32_t unauthentic, replayed, cleartext, refused; /* Dropped; refused: for other reasons. */
} counts;

typedef struct node {
    nhrp_engine *nhrp;
    mplsvpn_table *table;
    mplsvpn_reader *reader;
    nhrp_addr nbma, tunnel_ipv4, tunnel_ipv6;
    uint32_t key;
    bool multipoint;
    bool server;  /* Takes registrations. */
    bool hex;     /* NHRP packets that come in are printed. */
    bool secure;  /* GRE comes and goes in ESP only. */
    security esp; /* The static SAs, where the carriage is one. */
    ikev2_engine *ike;
    uint64_t ike_sa, ike_child; /* The newest. */
    peer peers[PEERS_MAX];
    sas sas[SAS_MAX];
    nhrp_addr recent; /* Where the last packet of ours went: redirects are about live flows. */
    counts counts;
    /* For the commands "replay" and "replay-in": the last ESP packets, each with its length. */
    uint8_t last_out[BUFFER_BYTES], last_in[BUFFER_BYTES];
    size_t last_out_len, last_in_len;
    nhrp_addr last_from;
    int fd_send, fd_gre, fd_esp, fd_ike, fd_udp;
} node;

/* ---- peer.c ---- */

uint64_t now_ms(void);
/* Ends the program where rc is not 0. */
void must(int32_t rc, const char *what);
/* "10.0.0.1" or "10.0.0.0/24"; without a length that of a host. Ends the program on nonsense. */
nhrp_addr address(const char *text);
/* In one of two static buffers, with the length where it is not a host's. */
const char *text(const nhrp_addr *a);
/* The same as libmplsvpn has it. */
mplsvpn_addr route_address(const nhrp_addr *a);

peer *peer_by_link(node *n, uint32_t link);
/* The peer at this NBMA address, made where it is new. */
peer *peer_at(node *n, const nhrp_addr *nbma);

/* ---- control.c: libnhrp ---- */

void control_init(node *n, const char *password, uint16_t holding_time_s);
/* Adds the peer's link; protocol: its tunnel address, or family NONE. */
void control_link_up(node *n, const peer *p, const nhrp_addr *protocol, uint32_t flags);
/* Adds a link to a peer that has none, unless the multipoint link is for it. */
void control_meet(node *n, const peer *p);
void control_input(node *n, const peer *p, const uint8_t *packet, size_t len);
/* Events, then packets. After whatever may have changed the engine. */
void control_drain(node *n);
/* A packet turned round here: whence it came may be told of a better way. */
void control_hairpin(node *n, const peer *in, const peer *out, const uint8_t *packet, size_t len);
void control_show(const node *n);

/* ---- data.c: tables, GRE, ESP ---- */

void data_init(node *n);
void data_add_peer(node *n, peer *p);
/* From GRE's payload on out; buf has HEADROOM bytes before at. */
void data_send(node *n, peer *p, uint16_t protocol, uint8_t *buf, size_t at, size_t len);
/* An IP packet of ours, at buf + HEADROOM. */
void data_originate(node *n, uint32_t vrf, uint8_t *buf, size_t len);
void data_route(node *n, uint32_t vrf, const nhrp_addr *prefix, const mplsvpn_hop *hop);
void data_unroute(node *n, uint32_t vrf, const nhrp_addr *prefix);
/* A pair of SAs with a peer; sealing begins with data_seal_with. */
sas *data_add_sas(node *n, const peer *p, const security *from);
void data_seal_with(node *n, sas *s);
sas *data_find_sas(node *n, uint64_t child);
void data_remove_sas(node *n, sas *s);
/* Each reads one socket until it is empty. */
void data_receive_gre(node *n);
void data_receive_esp(node *n);
void data_receive_ike(node *n);
void data_receive_udp(node *n);
void data_replay(node *n);
void data_replay_in(node *n);

/* ---- underlay.c: sockets of the NBMA network ---- */

void underlay_init(node *n);
void underlay_send(int fd, const nhrp_addr *to, uint16_t port, const uint8_t *packet, size_t len);
/* Reads a packet to buf + HEADROOM; 0: there is none. from has the port, too. */
size_t underlay_receive(int fd, uint8_t *buf, nhrp_addr *from);

/* ---- ike.c: libikev2 ---- */

/* "any" or the peer's NBMA address to initiate to, our name, the peer's, the key; with force_udp
 * NAT detection fails on purpose. */
void ike_init(node *n, const char *peer_nbma, const char *local, const char *remote,
              const char *psk, bool force_udp);
/* A message to this port of ours; from has the peer's. */
void ike_input(node *n, uint16_t port, const nhrp_addr *from, const uint8_t *packet, size_t len);
void ike_drain(node *n);
/* rekey-child, rekey-ike, delete-ike: the newest. */
void ike_obey(node *n, const char *command);

/* ---- echo.c: ICMP and ICMPv6 ---- */

/* Writes an echo request; returns its length. The families are the same. */
size_t echo_request(uint8_t *out, const nhrp_addr *from, const nhrp_addr *to, uint16_t sequence,
                    size_t body_len);
/*
 * Takes a packet for us and prints replies. True: it was a request, and packet is the reply now.
 */
bool echo_input(uint32_t vrf, uint8_t *packet, size_t len);

#endif
