/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the router share.
 *
 *   data.c     workers: packets through tables that they only read
 *   report.c   what workers tell the control thread: rings, flows
 *   shared.c   tables that workers read while control changes them: SPIs, tunnels; retirement
 *   tunnel.c   tunnels, and which SA of them sends
 *   rib.c      candidates of each prefix, and the one that goes to the FIB
 *   control_*  the engines: their events and questions
 *   event.c    what the caller is told
 *   config.c   defaults and checks
 *   router.c   life, timers, ports
 *   show.c     what may be looked at; keylog.c: keys for a capture's reader
 *
 * Ownership: the router owns tunnels, a tunnel its connections (IKE SAs), a connection its
 * children (pairs of ESP SAs). Whatever a worker may look at is unpublished first, then retired,
 * and freed when every worker has left the batch in which it could have seen it.
 */
#ifndef ROUTER_INTERNAL_H
#define ROUTER_INTERNAL_H

#include "router.h"

#include <bgpvpn/bgpvpn.h>
#include <esp/esp.h>
#include <gre/gre.h>
#include <ikev2/ikev2.h>
#include <mplsvpn/mplsvpn.h>
#include <nhrp/nhrp.h>

#include <stdatomic.h>

#include "internal/alloc.h"
#include "internal/container.h"
#include "internal/drbg.h"
#include "internal/heap.h"
#include "internal/map.h"

enum {
    RT_PORT_IKE = 500,
    RT_PORT_NATT = 4500,
    RT_CONTROL_IKE = 1, /* router_packet.control */
    RT_CONTROL_NHRP = 2,
    RT_NHRP_INTERFACE = 1,
    RT_NHRP_TRANSMISSIONS = 6,
    RT_NHRP_RETRANSMIT_MAX_MS = 4000,
    RT_NHRP_SEND_LIMIT = 1000, /* packets of a link in the ten seconds of libnhrp's interval */
    RT_MAX_TUNNELS = 65536,
    RT_SLOTS_PER_CHUNK = 256,
    RT_MAX_ASKS = 64,           /* tunnels asked for by NHRP, under way */
    RT_REPORTS = 64,            /* of one worker, a power of two */
    RT_QUOTE_BYTES = 64,        /* what a redirect quotes */
    RT_RECENT_MAX = 1024,       /* destinations sent to recently, a power of two */
    RT_ENGINE_EVENTS = 64,      /* that an engine may have for us; drained after every call */
    RT_RECENT_MS = 30000,       /* how recent that is */
    RT_FLOW_ACTIVE_MS = 10000,  /* a flow that goes on says so this often */
    RT_HAIRPIN_MS = 1000,       /* and asks for a redirect this often */
    RT_SEEN_MS = 5000,          /* an SA that receives says so this often */
    RT_MOVED_MS = 1000,         /* or this often, where it comes by another path */
    RT_ADDRESS_WAIT_MS = 10000, /* a peer that told no tunnel address by then is of no use */
    RT_REDUNDANT_MS = 10000,    /* the SA that lost between a pair goes after this */
    RT_LINGER_MS = 3000,        /* a rekeyed inbound SA takes packets that were under way */
    RT_DIAL_MIN_MS = 1000,
    RT_DIAL_MAX_MS = 60000,
    RT_RETRY_MS = 1000,         /* what failed for want of memory is tried again */
    RT_COLLECT_MS = 10,         /* retired objects that a worker still holds */
    RT_WORK_PER_TIMEOUT = 4096, /* engine events handled in one call */
    RT_NHRP_SCRATCH = 2048,
    RT_ICMP_BURST = 100 /* errors per second and worker: RFC 1812 4.3.2.8 */
};

typedef struct rt_tunnel rt_tunnel;
typedef struct rt_conn rt_conn;
typedef struct rt_child rt_child;
typedef struct rt_route rt_route;

/* Something that a worker may still be looking at; the first member of what is retired. */
typedef struct rt_retired {
    struct rt_retired *next;
    uint64_t epoch;
    void (*destroy)(router *r, struct rt_retired *self);
} rt_retired;

/* An inbound SA, as workers find it by SPI: it names its tunnel (RFC 5660). */
typedef struct rt_inbound {
    rt_retired retired;
    esp_sa *sa;
    rt_tunnel *tunnel;
    uint64_t child;
    uint32_t spi;
    atomic_flag opening;             /* one worker at a time: replay window and counters */
    _Atomic uint64_t seen_ms;        /* last report of traffic */
    _Atomic uint64_t seen_path;      /* a hash of where it came from */
    _Atomic uint32_t limit_reported; /* 1: soft, 2: hard */
} rt_inbound;

/* How a tunnel sends now; replaced as a whole. The esp_sa belongs to the child. */
typedef struct rt_sending {
    rt_retired retired;
    esp_sa *sa;
    router_path path;
    uint64_t child;
    _Atomic uint32_t limit_reported;
} rt_sending;

/* An outbound SA on its way out. */
typedef struct rt_old_sa {
    rt_retired retired;
    esp_sa *sa;
} rt_old_sa;

/* ---- Timers ---- */

enum { RT_TIMER_PEER = 1, RT_TIMER_TUNNEL, RT_TIMER_LINGER, RT_TIMER_LABELS, RT_TIMER_RETRY };

typedef struct rt_timer {
    heap_node node;
    uint32_t kind;
} rt_timer;

/* ---- Tunnels ---- */

/* A pair of ESP SAs. */
struct rt_child {
    map_node by_id;
    rt_child *next; /* of its connection, newest first */
    rt_conn *conn;  /* NULL: removed, and its inbound SA lingers */
    uint64_t id;
    uint32_t spi_in;
    rt_inbound *in;
    esp_sa *out;
    rt_old_sa *old; /* what retires out */
    bool sends;     /* CHILD_OUT came */
    bool encapsulated;
    rt_timer linger;
};

/* An IKE SA, also across its rekeying. */
struct rt_conn {
    map_node by_sa;
    rt_conn *next; /* of its tunnel, newest first */
    rt_tunnel *tunnel;
    uint64_t sa_id;
    router_path path;
    rt_child *children;
    uint64_t routes_hash; /* of what the peer pushed last */
    bool initiator;       /* we began the first of them */
    bool superseded;      /* the peer began anew: it no longer knows this one */
};

struct rt_tunnel {
    rt_retired retired;
    map_node by_id;
    map_node by_identity;
    map_node by_address;
    uint64_t id;
    uint32_t slot; /* the interface of libmplsvpn and the link of libnhrp */
    uint32_t peer; /* index in the configuration */
    char identity[ROUTER_NAME_BYTES];
    rt_conn *conns;
    rt_conn *chosen; /* the one that sends */
    router_path path;
    router_addr address;   /* of the peer in the tunnel */
    rt_route *routes;      /* that go by it */
    uint64_t bgp_neighbor; /* whose session runs over it; 0: none */
    rt_timer timer;
    uint64_t address_ms;   /* when it must be known; RT_NEVER: it is, or nothing sends yet */
    uint64_t redundant_ms; /* connections that lost are deleted */
    uint64_t up_ms;
    bool up;      /* it can send */
    bool told;    /* TUNNEL_UP was */
    bool link_up; /* libnhrp knows it */
    bool dynamic; /* spoke to spoke: goes when idle */
    bool idle;    /* going for that reason */
    _Atomic(rt_sending *) sending;
    _Atomic uint64_t customer_ms; /* the last customer's packet */
};

/* ---- Routes ---- */

struct rt_route {
    rt_route *next;                     /* candidates of the same prefix */
    rt_route *owner_next, **owner_link; /* of its tunnel, or of those without */
    struct rt_entry *entry;
    rt_tunnel *tunnel; /* NULL: local, discarded, or its next hop has no tunnel */
    uint64_t cookie;   /* NHRP: the mapping */
    uint32_t label;
    uint8_t source;
    router_addr via;
};

typedef struct rt_entry {
    map_node node;
    uint32_t vrf;
    router_addr prefix;
    rt_route *routes;
    struct rt_entry *dirty_next; /* the FIB could not follow for want of memory */
    bool dirty;
    /* What is in the FIB. */
    bool installed;
    uint8_t source;
    uint32_t label;
    uint64_t tunnel;
    uint64_t cookie;
    router_addr via;
} rt_entry;

/* ---- Reports ---- */

enum {
    RT_REPORT_SEEN = 1, /* an SA received: child, path */
    RT_REPORT_LIMIT,    /* child, hard */
    RT_REPORT_FLOW,     /* a flow begins or goes on */
    RT_REPORT_HAIRPIN   /* a packet went back into the network that it came from */
};

typedef struct rt_report {
    uint8_t kind;
    uint8_t direction;
    uint8_t first; /* FLOW: 1 begins; LIMIT: 1 hard */
    uint8_t quote_len;
    uint16_t protocol;
    uint32_t vrf;
    uint32_t label;
    uint64_t tunnel;
    uint64_t tunnel_out;
    uint64_t cookie; /* child, or mapping */
    router_addr source;
    router_addr destination;
    router_path path;
    uint8_t quote[RT_QUOTE_BYTES];
} rt_report;

typedef struct rt_flow {
    uint64_t key;        /* 0: free */
    uint64_t active_ms;  /* last report */
    uint64_t used_ms;    /* last packet */
    uint64_t hairpin_ms; /* last request for a redirect */
} rt_flow;

typedef struct rt_worker {
    _Atomic uint64_t epoch; /* RT_NEVER between batches */
    uint32_t number;
    mplsvpn_reader *reader;
    rt_report *reports;
    _Atomic uint32_t head, tail;
    rt_flow *flows;
    uint64_t flow_seed;
    uint64_t icmp_ms;
    uint32_t icmp_left;
    _Atomic uint64_t to_tunnel, from_tunnel, transit;
    _Atomic uint64_t dropped[ROUTER_DROP_REASONS];
} rt_worker;

#define RT_NEVER UINT64_MAX

/* ---- SPIs: open addressing, so that a reader needs no lock ---- */

typedef struct rt_spi_slot {
    _Atomic(rt_inbound *) entry; /* NULL: free; RT_SPI_GONE: was taken */
} rt_spi_slot;

typedef struct rt_spi_table {
    rt_retired retired;
    size_t mask;
    rt_spi_slot slots[];
} rt_spi_table;

/* ---- Peers, questions, labels ---- */

typedef struct rt_peer {
    rt_timer timer;
    uint64_t dial_ms; /* RT_NEVER: not now */
    uint64_t sa_id;   /* of the attempt, 0 for none */
    uint32_t backoff_ms;
} rt_peer;

/* A tunnel that NHRP wants. */
typedef struct rt_ask {
    uint64_t ask_id; /* 0: free */
    uint64_t sa_id;
    router_addr nbma;
} rt_ask;

/* A label of ours for a prefix. */
typedef struct rt_label {
    struct rt_label *next;
    map_node by_value; /* where it is of a reflected route */
    uint64_t free_ms;  /* draining: when it may be used again */
    uint32_t label;
    uint32_t vrf;
    router_addr prefix;
    router_addr next_hop; /* reflected */
    uint32_t out_label;
} rt_label;

/* What a question was about, until the packet that it leads to leaves: for the log only. */
typedef struct rt_topic {
    router_addr source;
    router_addr destination;
    uint32_t vrf;
    uint32_t label;
} rt_topic;
enum { RT_TOPICS = 64 };

/* A mapping of libnhrp that is in the RIB. */
typedef struct rt_mapping {
    map_node by_id;
    uint64_t id;
    uint32_t vrf;
    router_addr prefix;
} rt_mapping;

typedef struct rt_recent {
    uint64_t at_ms;
    uint64_t tunnel;
    uint32_t vrf;
    router_addr destination;
} rt_recent;

/*
 * The configuration, as long as what is in it: router_config has room for the largest, which most
 * nodes are far from. The names are those of router_config.
 */
typedef struct rt_config {
    char *name;
    char *identity;
    router_addr underlay, tunnel;
    router_vrf_config *vrfs;
    size_t vrf_count;
    router_peer_config *peers;
    size_t peer_count;
    bool redirect, shortcut, force_encapsulation, bgp_reflector;
    uint32_t network_id;
    char *nhrp_authentication;
    uint32_t holding_time_s;
    uint32_t as;
    uint8_t bgp_id[4];
    router_addr *bgp_neighbors;
    size_t bgp_neighbor_count;
    router_addr bgp_listen;
    uint16_t bgp_port;
    uint16_t tunnel_mtu;
    uint32_t idle_ms, tunnel_wait_ms;
    uint32_t ike_lifetime_s, child_lifetime_s, dpd_s;
    uint32_t workers, flows;
    void *(*resize)(void *user, void *ptr, size_t size);
    void *resize_user;
    uint64_t child_packets;
} rt_config;

typedef struct rt_events {
    router_event *items;
    size_t cap, head, count;
    uint64_t lost;
} rt_events;

struct router {
    rt_config config;
    alloc mem;
    uint64_t now;
    drbg random;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];

    ikev2_engine *ike;
    nhrp_engine *nhrp;
    bgpvpn_engine *bgp;
    mplsvpn_table *mpls;

    rt_worker *workers;
    uint32_t worker_count;
    _Atomic uint64_t epoch;
    rt_retired *retired;
    _Atomic(rt_spi_table *) spis;
    size_t spi_count, spi_used; /* used counts those that were removed */
    _Atomic(rt_tunnel *) *_Atomic chunks[RT_MAX_TUNNELS / RT_SLOTS_PER_CHUNK];
    uint32_t slot_hint;

    heap timers;
    rt_timer label_timer, retry_timer;
    map tunnels, identities, addresses, conns, children;
    map rib;
    rt_child *lingering;
    rt_route *unresolved;
    rt_entry *spare_entry; /* see rt_rib_reserve */
    rt_route *spare_route;
    rt_entry *dirty;
    uint64_t next_tunnel;
    uint64_t tunnel_count, conn_count, route_count;

    rt_peer *peers;
    rt_ask asks[RT_MAX_ASKS];
    rt_label *labels;   /* of our own prefixes */
    map swaps;          /* labels of reflected routes */
    rt_label *draining; /* first to be reclaimed first */
    rt_label **draining_end;
    uint64_t bgp_neighbors[ROUTER_MAX_PEERS]; /* 0: not added yet */
    uint64_t last_mapping;                    /* the newest that was told */
    rt_recent *recent;
    map mappings;
    rt_topic topics[RT_TOPICS];
    uint32_t topic_next;

    rt_events events;
    router_keylog *keylog;
    void *keylog_user;
    bool more;                        /* timeout stopped before all was done */
    uint8_t scratch[RT_NHRP_SCRATCH]; /* an NHRP packet as it was before it was sealed */
};

/* ---- Addresses: the same 24 bytes in every library ---- */

#define RT_TO(library, out, in) memcpy((out), (in), sizeof(library##_addr))

static inline void rt_addr_from(router_addr *out, const void *library_addr)
{
    memcpy(out, library_addr, sizeof(*out));
}

static inline uint8_t rt_addr_bits(const router_addr *a)
{
    return a->family == ROUTER_FAMILY_IPV6 ? 128 : a->family == ROUTER_FAMILY_IPV4 ? 32 : 0;
}

bool rt_addr_same(const router_addr *a, const router_addr *b);        /* family and bytes */
bool rt_addr_covers(const router_addr *prefix, const router_addr *a); /* a host or a prefix */
router_addr rt_addr_host(const router_addr *a);                       /* no port, no scope */
router_addr rt_addr_network(const router_addr *a, uint8_t bits);      /* host bits zero */
bool rt_addr_valid(const router_addr *a);
uint64_t rt_hash(const router *r, const void *data, size_t len);

/* ---- config.c ---- */

const char *rt_config_check(const router_config *c);
bool rt_config_copy(rt_config *out, const router_config *in, const alloc *a);
void rt_config_free(rt_config *c, const alloc *a);
bool rt_identity_matches(const char *pattern, const char *identity);
/* The first peer whose identity matches, or peer_count. */
uint32_t rt_config_peer(const rt_config *c, const char *identity);
const router_vrf_config *rt_config_vrf(const rt_config *c, uint32_t id);
bool rt_peer_may_push(const router_peer_config *peer, const router_addr *prefix);
bool rt_peer_may_enter(const router_peer_config *peer, uint32_t vrf);
/* The router's own address in a VRF; false where it has none of that family. */
bool rt_vrf_address(const rt_config *c, uint32_t vrf, uint8_t family, router_addr *out);

/* ---- event.c ---- */

bool rt_events_init(router *r);
void rt_event_init(router_event *ev, uint32_t kind);
void rt_event_push(router *r, const router_event *ev);
/* For what the caller must act on: false where it could not be kept. */
bool rt_event_must(router *r, const router_event *ev);
void rt_event_refused(router *r, uint64_t tunnel, const char *peer, int32_t reason,
                      const char *why);

/* ---- shared.c ---- */

rt_inbound *rt_spi_find(const router *r, uint32_t spi);
int32_t rt_spi_add(router *r, rt_inbound *in);
void rt_spi_remove(router *r, rt_inbound *in);
rt_tunnel *rt_slot_get(const router *r, uint32_t slot);
int32_t rt_slot_take(router *r, rt_tunnel *t);
/* The tunnel has ended: nobody finds it, and nobody gets its slot yet. */
void rt_slot_rest(router *r, const rt_tunnel *t);
void rt_slot_release(router *r, const rt_tunnel *t);
void rt_worker_enter(router *r, rt_worker *w);
void rt_worker_leave(rt_worker *w);
void rt_retire(router *r, rt_retired *object, void (*destroy)(router *r, rt_retired *self));
/* True when something still waits. */
bool rt_collect(router *r);
void rt_shared_free(router *r);

/* ---- report.c ---- */

bool rt_worker_init(router *r, rt_worker *w, uint32_t number);
void rt_worker_free(router *r, rt_worker *w);
bool rt_report_waits(const rt_worker *w);
bool rt_report_push(rt_worker *w, const rt_report *report);
/* The flow of a packet, or NULL where the memory for flows is full of livelier ones. */
rt_flow *rt_flow_find(router *r, rt_worker *w, uint64_t now_ms, uint8_t direction, uint32_t vrf,
                      uint64_t tunnel, const router_addr *source, const router_addr *destination);
void rt_reports_drain(router *r);
bool rt_recently_sent(const router *r, uint32_t vrf, const router_addr *destination,
                      uint64_t tunnel);

/* ---- data.c ---- */

/* Seals a GRE payload for a tunnel in place: also what the control thread sends. */
int32_t rt_send_tunnel(router *r, rt_worker *w, uint32_t cipher_worker, rt_tunnel *t,
                       uint16_t protocol, uint8_t *buf, size_t cap, size_t *offset, size_t *len,
                       router_path *path);

/* ---- tunnel.c ---- */

rt_tunnel *rt_tunnel_by_id(const router *r, uint64_t id);
rt_tunnel *rt_tunnel_by_address(const router *r, const router_addr *address);
rt_tunnel *rt_tunnel_to_peer(const router *r, const router_addr *nbma, const router_addr *address);
rt_tunnel *rt_tunnel_by_identity(const router *r, const char *identity);
int32_t rt_tunnel_new(router *r, const char *identity, uint32_t peer, rt_tunnel **out);
/* Ends it at once, with all that depends on it. The connections must be gone. */
void rt_tunnel_end(router *r, rt_tunnel *t, int32_t reason, const char *why);
/* Chooses the connection and the child that send, after any of them came, went or moved. */
void rt_tunnel_refresh(router *r, rt_tunnel *t, int32_t reason, const char *why);
/* The peer made another IKE SA: where that is no tie, it has lost what it knew of the others. */
void rt_tunnel_begun_anew(router *r, rt_tunnel *t);
void rt_tunnel_set_address(router *r, rt_tunnel *t, const router_addr *address);
void rt_tunnel_timeout(router *r, rt_tunnel *t);
void rt_tunnel_schedule(router *r, rt_tunnel *t);
rt_conn *rt_conn_by_sa(const router *r, uint64_t sa_id);
rt_conn *rt_conn_new(router *r, rt_tunnel *t, uint64_t sa_id);
void rt_conn_rename(router *r, rt_conn *c, uint64_t sa_id);
void rt_conn_free(router *r, rt_conn *c);
rt_child *rt_child_by_id(const router *r, uint64_t id);
rt_child *rt_child_new(router *r, rt_conn *c, uint64_t id);
/* linger: the inbound SA goes on for a while. */
void rt_child_end(router *r, rt_child *c, bool linger);
void rt_child_linger_over(router *r, rt_child *c);

/* ---- rib.c ---- */

bool rt_rib_reserve(router *r);
int32_t rt_rib_set(router *r, uint32_t vrf, const router_addr *prefix, uint8_t source,
                   rt_tunnel *tunnel, const router_addr *via, uint32_t label, uint64_t cookie);
/* tunnel: IKE only, else NULL; cookie: NHRP only, else 0. */
void rt_rib_remove(router *r, uint32_t vrf, const router_addr *prefix, uint8_t source,
                   const rt_tunnel *tunnel, uint64_t cookie);
/* A tunnel came up, went down, or has another address. */
void rt_rib_tunnel_changed(router *r, rt_tunnel *t);
/* A tunnel has gone: routes of BGP wait for another, the rest go. */
void rt_rib_tunnel_gone(router *r, rt_tunnel *t);
void rt_rib_retry(router *r);
/* The best route of the longest prefix that covers an address, of a source other than one. */
const rt_route *rt_rib_lookup_without(const router *r, uint32_t vrf, const router_addr *address,
                                      uint8_t source);
void rt_rib_free(router *r);

/* ---- control_ike.c ---- */

int32_t rt_ike_new(router *r);
bool rt_ike_event(router *r);
void rt_ike_dial(router *r, rt_peer *peer);
/* A tunnel to an NBMA address, for NHRP's question. */
void rt_ike_want(router *r, uint64_t ask_id, const router_addr *nbma);
void rt_ike_tunnel_ended(router *r, const rt_tunnel *t);
void rt_ike_set_routes(router *r, rt_conn *c);

/* ---- keylog.c ---- */

void rt_keylog_ike(router *r, uint64_t sa_id);
void rt_keylog_esp(router *r, const ikev2_child_info *info, bool inbound);

/* ---- control_nhrp.c ---- */

int32_t rt_nhrp_new(router *r);
bool rt_nhrp_event(router *r);
bool rt_nhrp_link_up(router *r, rt_tunnel *t);
void rt_nhrp_link_down(router *r, rt_tunnel *t);
void rt_nhrp_input(router *r, rt_tunnel *t, const uint8_t *buf, size_t len);
/* What poll_output took is about to leave. */
void rt_nhrp_sent(router *r, const rt_tunnel *t, const uint8_t *buf, size_t len);
void rt_nhrp_hairpin(router *r, const rt_report *report);
void rt_nhrp_free(router *r);

/* ---- control_bgp.c ---- */

int32_t rt_bgp_new(router *r);
bool rt_bgp_event(router *r);
void rt_bgp_tunnel_changed(router *r, const rt_tunnel *t, bool up);
/* Neighbours that could not be added for want of memory. */
void rt_bgp_retry(router *r);
void rt_labels_reclaim(router *r);
const rt_label *rt_label_of_prefix(const router *r, uint32_t vrf, const router_addr *prefix);
/* Of a reflected route. */
const rt_label *rt_label_of_swap(const router *r, uint32_t label);
/*
 * The label of the longest route that covers an address, that the VRF imports and that the peer of
 * a tunnel told, the best one or not. NO_LABEL also where routes of several VRFs of the peer cover
 * the address with labels that differ: which of them is meant, nobody here can know.
 */
uint32_t rt_bgp_label_from(const router *r, uint32_t vrf, const router_addr *address,
                           const rt_tunnel *tunnel, router_addr *prefix);
void rt_labels_free(router *r);

/* ---- router.c ---- */

int32_t rt_timer_join(router *r, rt_timer *t, uint32_t kind);
void rt_timer_set(router *r, rt_timer *t, uint64_t deadline);
void rt_timer_leave(router *r, rt_timer *t);
void rt_pump(router *r);

#endif
