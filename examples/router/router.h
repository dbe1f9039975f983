/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One node of the VPN, hub or spoke, made of the six libraries. It is sans-IO as they are: hub and
 * spoke give it sockets and TUN devices, the lab a virtual network.
 *
 * Three ports: underlay datagrams, packets of the TUN of each VRF, and streams (BGP's TCP).
 *
 *   packet, from the underlay or a TUN --> router_rx_batch --> a verdict: where it goes, rewritten
 *   verdict CONTROL ---------------------> router_control_input
 *   stream bytes ------------------------> router_stream_input
 *   time --------------------------------> router_timeout at router_deadline
 *   router_poll_event, router_poll_output: what to log, connect and close, and what to send
 *
 * Workers call router_rx_batch, each with its own number; everything else belongs to one control
 * thread. What a worker sees and an engine must know (traffic on a tunnel, a packet to redirect)
 * crosses in a ring of reports, which router_timeout drains.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROUTER_YES = 1,
    ROUTER_OK = 0,
    ROUTER_ERR_ARG = -1,
    ROUTER_ERR_NOMEM = -2,
    ROUTER_ERR_BUFFER = -3,
    ROUTER_ERR_LIMIT = -4,
    ROUTER_ERR_STATE = -5,
    ROUTER_ERR_ABSENT = -6
};

#define ROUTER_NEVER UINT64_MAX

/* The same 24 bytes as every library's address. */
enum { ROUTER_FAMILY_NONE = 0, ROUTER_FAMILY_IPV4 = 4, ROUTER_FAMILY_IPV6 = 6 };

typedef struct router_addr {
    uint8_t family;
    uint8_t prefix_len;
    uint16_t port;
    uint32_t scope;
    uint8_t bytes[16];
} router_addr;

/* ---- Configuration ---- */

enum {
    ROUTER_MAX_PREFIXES = 16,
    ROUTER_MAX_TARGETS = 8,
    ROUTER_MAX_VRFS = 64,
    ROUTER_MAX_PEERS = 64,
    ROUTER_NAME_BYTES = 64,
    ROUTER_KEY_BYTES = 128
};

/* The VRF of the tunnel addresses, and of the program's own namespace. */
enum { ROUTER_GLOBAL_VRF = 0 };

typedef struct router_vrf_config {
    uint32_t id; /* 1 and up */
    char name[ROUTER_NAME_BYTES];
    uint8_t rd[8];                                 /* as on the wire, RFC 4364 4.2 */
    uint8_t import_targets[ROUTER_MAX_TARGETS][8]; /* route targets as on the wire, RFC 4360 */
    uint8_t export_targets[ROUTER_MAX_TARGETS][8];
    size_t imports, exports;
    router_addr connected[ROUTER_MAX_PREFIXES]; /* behind the VRF's TUN; advertised */
    router_addr discard[ROUTER_MAX_PREFIXES];   /* summaries to Null0; advertised */
    size_t connecteds, discards;
} router_vrf_config;

/* Who may connect, or whom to connect to. The first that matches an identity counts. */
typedef struct router_peer_config {
    char identity[ROUTER_NAME_BYTES];  /* an FQDN, or "*.domain" for each host in a domain */
    router_addr address;               /* where to initiate; FAMILY_NONE: anywhere, only respond */
    char local_key[ROUTER_KEY_BYTES];  /* the pre-shared key that we prove */
    char remote_key[ROUTER_KEY_BYTES]; /* the one that the peer proves */
    router_addr authorized[ROUTER_MAX_PREFIXES]; /* tunnel addresses and subnets it may push */
    size_t authorizeds;
    uint32_t vrfs[ROUTER_MAX_VRFS]; /* which VRFs its labelled packets may enter */
    size_t vrf_count;
    bool initiate; /* at start, and again whenever it goes down: a spoke's hub */
    bool transit;  /* it passes on what others ask though we do not initiate to it: another hub */
} router_peer_config;

typedef struct router_config {
    char name[ROUTER_NAME_BYTES];
    char identity[ROUTER_NAME_BYTES]; /* FQDN, sent as IDi or IDr */
    router_addr underlay;             /* transport address; scope: the front-door VRF */
    router_addr tunnel;               /* tunnel address, a host, pushed to each peer; BGP's own */
    router_vrf_config vrfs[ROUTER_MAX_VRFS];
    size_t vrf_count;
    router_peer_config peers[ROUTER_MAX_PEERS];
    size_t peer_count;

    bool redirect;            /* hub: send Traffic Indications */
    bool shortcut;            /* spoke: obey them, and answer Resolution Requests */
    bool force_encapsulation; /* ESP in UDP 4500 without a NAT; the default */
    uint32_t network_id;
    char nhrp_authentication[ROUTER_NAME_BYTES]; /* empty: none */
    uint32_t holding_time_s;

    uint32_t as;
    uint8_t bgp_id[4];
    router_addr bgp_neighbors[ROUTER_MAX_PEERS]; /* dialled: tunnel addresses */
    size_t bgp_neighbor_count;
    router_addr bgp_listen; /* a prefix of tunnel addresses; FAMILY_NONE: do not listen */
    bool bgp_reflector;     /* those accepted are route reflector clients */
    uint16_t bgp_port;      /* 179 */

    uint16_t tunnel_mtu;     /* of an IP packet in a tunnel; 1400 */
    uint32_t idle_ms;        /* a spoke-to-spoke tunnel without traffic goes; 120,000 */
    uint32_t tunnel_wait_ms; /* the egress waits so long for a tunnel before it replies; 3,000 */
    uint32_t ike_lifetime_s;
    uint32_t child_lifetime_s;
    uint32_t dpd_s;

    uint32_t workers; /* that call router_rx_batch; 1 */
    uint8_t seed[32]; /* never the same twice, outside tests */

    uint32_t flows; /* remembered by each worker; a power of two, 32 bytes each; 1,024 */
    void *(*resize)(void *user, void *ptr, size_t size); /* as realloc; NULL: the C library's */
    void *resize_user;
    uint64_t child_packets; /* an ESP SA is rekeyed after so many; 0: before its numbers run out */
} router_config;

void router_config_init(router_config *config);

typedef struct router router;

/* The configuration is copied. ERR_ARG: it cannot run; *problem, if not NULL, says why (static). */
int32_t router_new(const router_config *config, uint64_t now_ms, router **out,
                   const char **problem);
void router_free(router *r);

/* ---- Packets ---- */

/* What rewriting wants around a packet in its buffer. */
enum { ROUTER_HEADROOM = 128, ROUTER_TAILROOM = 64 };

/* How a datagram rides on the underlay. */
enum {
    ROUTER_TRANSPORT_UDP = 17, /* IKE and ESP on ports 500 and 4500; bytes are the UDP payload */
    ROUTER_TRANSPORT_ESP = 50, /* bytes begin with the ESP header; ports are 0 */
    ROUTER_TRANSPORT_GRE = 47  /* bytes begin with the GRE header; ports are 0 */
};

typedef struct router_path {
    router_addr local;
    router_addr peer;
    uint8_t transport;
} router_path;

enum { ROUTER_PORT_UNDERLAY = 1, ROUTER_PORT_TUN = 2 };

enum {
    ROUTER_VERDICT_DROP = 0, /* reason says why; it has been counted */
    ROUTER_VERDICT_TUN,      /* write it to the TUN of .vrf */
    ROUTER_VERDICT_UNDERLAY, /* send it on .path */
    ROUTER_VERDICT_CONTROL   /* hand it to router_control_input as it is */
};

typedef struct router_packet {
    uint8_t *buf; /* the caller's; at least ROUTER_HEADROOM before and ROUTER_TAILROOM behind */
    size_t cap;
    size_t offset; /* of the packet; moved by rx_batch */
    size_t len;
    uint8_t port;     /* in: ROUTER_PORT_... */
    uint8_t verdict;  /* out: ROUTER_VERDICT_... */
    uint8_t control;  /* out, for router_control_input */
    int32_t reason;   /* out: ROUTER_DROP_... */
    uint32_t vrf;     /* in: of the TUN it came from; out: of the TUN to write it to */
    uint64_t tunnel;  /* out: the tunnel it came by or goes by, 0 for none */
    router_path path; /* in: how it arrived; out: how to send it */
} router_packet;

enum {
    ROUTER_DROP_NONE = 0,
    ROUTER_DROP_MALFORMED,   /* IP, GRE, MPLS or ESP that does not parse */
    ROUTER_DROP_NO_SA,       /* ESP with an SPI that is not ours */
    ROUTER_DROP_AUTH,        /* ICV, replay or padding */
    ROUTER_DROP_NOT_LATCHED, /* not this tunnel's GRE or key, or unprotected */
    ROUTER_DROP_NOT_ALLOWED, /* a label whose VRF this peer may not enter */
    ROUTER_DROP_NO_LABEL,
    ROUTER_DROP_NO_ROUTE,
    ROUTER_DROP_DISCARD, /* only a Null0 summary covers it */
    ROUTER_DROP_TTL,     /* answered by ICMP where it may be: the packet then is that answer */
    ROUTER_DROP_TOO_BIG,
    ROUTER_DROP_NO_TUNNEL, /* the route's tunnel has no SA to send on */
    ROUTER_DROP_REASONS
};

const char *router_drop_name(int32_t reason);

/*
 * Rewrites each packet and gives it a verdict. An ICMP error that must be sent takes the place of
 * the packet that caused it, with a verdict of its own. Returns YES when a report waits for
 * router_timeout, which should then be called soon, else OK. Datagrams of one peer are best given
 * to one worker: an SA opens one packet at a time.
 */
int32_t router_rx_batch(router *r, uint32_t worker, uint64_t now_ms, router_packet *packets,
                        size_t count);

/* ---- Control ---- */

/* A packet with verdict CONTROL: an IKE datagram, or NHRP that came through a tunnel. */
int32_t router_control_input(router *r, uint64_t now_ms, const router_packet *packet);

int32_t router_timeout(router *r, uint64_t now_ms);
uint64_t router_deadline(const router *r);

/*
 * Streams: event STREAM_CONNECT asks for one, or the caller accepted one on the tunnel address.
 * ERR_ABSENT: no tunnel has the peer's address: close it.
 */
int32_t router_stream_accept(router *r, uint64_t now_ms, const router_addr *local,
                             const router_addr *peer, uint64_t *stream);
int32_t router_stream_up(router *r, uint64_t now_ms, uint64_t stream, const router_addr *local);
int32_t router_stream_down(router *r, uint64_t now_ms, uint64_t stream);
/* *consumed < len: keep the rest and call again after router_timeout. */
int32_t router_stream_input(router *r, uint64_t now_ms, uint64_t stream, const uint8_t *buf,
                            size_t len, size_t *consumed);
int32_t router_stream_credit(router *r, uint64_t now_ms, uint64_t stream, size_t bytes);

enum { ROUTER_OUTPUT_UNDERLAY = 1, ROUTER_OUTPUT_STREAM = 2 };

typedef struct router_output {
    uint8_t kind;
    router_path path; /* UNDERLAY */
    uint64_t stream;  /* STREAM */
    size_t len;
} router_output;

/* YES: one datagram, or bytes of one stream, in buf (ROUTER_OUTPUT_BYTES is always enough). */
enum { ROUTER_OUTPUT_BYTES = 65536 };
int32_t router_poll_output(router *r, uint64_t now_ms, uint8_t *buf, size_t cap,
                           router_output *out);

/* ---- Events: what the caller must do, and what it may log ---- */

enum {
    /* For the caller to act on. */
    ROUTER_EVENT_STREAM_CONNECT = 1, /* open TCP from local to remote for stream */
    ROUTER_EVENT_STREAM_CLOSE,       /* close stream after what poll_output still has for it */

    /* For the log; the walk is told from these. */
    ROUTER_EVENT_IKE_UP,         /* peer, path */
    ROUTER_EVENT_IKE_DOWN,       /* peer, reason */
    ROUTER_EVENT_TUNNEL_UP,      /* tunnel, peer, remote (NBMA), address (its tunnel address) */
    ROUTER_EVENT_TUNNEL_DOWN,    /* tunnel, peer, reason */
    ROUTER_EVENT_CHILD_REKEYED,  /* tunnel */
    ROUTER_EVENT_PUSHED_ROUTE,   /* prefix that the peer pushed and that was installed via tunnel */
    ROUTER_EVENT_ROUTE_REFUSED,  /* prefix outside the peer's authorization */
    ROUTER_EVENT_IMPLICIT_NULL,  /* address (tunnel next hop) is one hop away by tunnel */
    ROUTER_EVENT_BGP_UP,         /* address */
    ROUTER_EVENT_BGP_DOWN,       /* address, reason */
    ROUTER_EVENT_LOCAL_LABEL,    /* vrf, prefix, label: advertised to the others */
    ROUTER_EVENT_ROUTE_UP,       /* vrf, prefix, label, via, tunnel, source: entered the FIB */
    ROUTER_EVENT_ROUTE_DOWN,     /* vrf, prefix, source: left the FIB */
    ROUTER_EVENT_FIRST_PACKET,   /* direction, vrf, label, tunnel, local and remote: the inner
                                    addresses; the first packet of a flow on a tunnel */
    ROUTER_EVENT_REDIRECT_SENT,  /* vrf, tunnel, label (CONTEXT), local and remote: inner */
    ROUTER_EVENT_REDIRECT_HEARD, /* the same, at the spoke */
    ROUTER_EVENT_MAPPING_INCOMPLETE, /* vrf, address */
    ROUTER_EVENT_REQUEST_SENT,       /* vrf, address, label (CONTEXT), tunnel, request_id */
    ROUTER_EVENT_REQUEST_FORWARDED,  /* vrf, address, label in, label2 out, tunnel */
    ROUTER_EVENT_REQUEST_HEARD,      /* vrf, address, label, remote (NBMA of the requester) */
    ROUTER_EVENT_TUNNEL_WANTED,      /* remote (NBMA): the shortcut is being set up */
    ROUTER_EVENT_REPLY_SENT,         /* vrf, prefix, label, label2 (overlay), tunnel */
    ROUTER_EVENT_REPLY_HEARD,        /* the same, with request_id, at the requester */
    ROUTER_EVENT_MAPPING_UP,         /* vrf, prefix, label, remote (NBMA), tunnel */
    ROUTER_EVENT_MAPPING_DOWN,       /* vrf, prefix, reason; also of a resolution that failed */
    ROUTER_EVENT_REFUSED             /* peer or tunnel, reason: what was not believed, and why */
};

enum {
    ROUTER_SOURCE_CONNECTED = 1,
    ROUTER_SOURCE_STATIC,
    ROUTER_SOURCE_NHRP,
    ROUTER_SOURCE_IKE,
    ROUTER_SOURCE_BGP
};

enum { ROUTER_DIRECTION_TO_TUNNEL = 1, ROUTER_DIRECTION_FROM_TUNNEL, ROUTER_DIRECTION_TRANSIT };

#define ROUTER_NO_LABEL UINT32_MAX

typedef struct router_event {
    uint32_t kind;
    uint32_t vrf;
    uint64_t tunnel;
    uint64_t stream;
    uint32_t label;
    uint32_t label2;
    uint32_t request_id;
    uint8_t source;
    uint8_t direction;
    uint16_t protocol; /* GRE protocol type of a FIRST_PACKET */
    int32_t reason;
    router_addr local;
    router_addr remote;
    router_addr address;
    router_addr prefix;
    router_addr via;
    char peer[ROUTER_NAME_BYTES];
    const char *why; /* static; NULL where reason says it all */
} router_event;

int32_t router_poll_event(router *r, router_event *event);

/*
 * Writes an event as one line "event=tunnel_up tunnel=3 peer=hub.example.net ...", without a line
 * feed, in the order of the struct; only the fields that mean something for its kind. Returns the
 * length, as snprintf does.
 */
size_t router_event_format(const router_event *event, char *buf, size_t cap);

/* ---- For show commands and tests ---- */

typedef struct router_stats {
    uint64_t to_tunnel, from_tunnel, transit; /* packets */
    uint64_t dropped[ROUTER_DROP_REASONS];
    uint64_t tunnels, ike_sas, mappings, routes;
} router_stats;

void router_get_stats(const router *r, router_stats *out);

/* Where a destination in a VRF goes now: ERR_ABSENT without a route. */
typedef struct router_route {
    router_addr prefix;
    router_addr via;
    uint64_t tunnel; /* 0: not a tunnel */
    uint32_t label;
    uint8_t source;
} router_route;

int32_t router_get_route(const router *r, uint32_t vrf, const router_addr *destination,
                         router_route *out);

/*
 * Walks, each in an order of its own: *it is 0 (of routes: an address of FAMILY_NONE) at first and
 * the router's own afterwards. YES: out is one; OK: there are no more.
 */
typedef struct router_tunnel {
    uint64_t id;
    char peer[ROUTER_NAME_BYTES];
    router_path path;
    router_addr address; /* the peer's in the tunnel */
    bool up;
    bool dynamic; /* goes when it is idle */
    uint32_t ike_sas;
    uint64_t up_ms;
    uint64_t customer_ms; /* when a customer's packet last went by it */
} router_tunnel;

int32_t router_next_tunnel(const router *r, uint64_t *it, router_tunnel *out);
int32_t router_next_route(const router *r, uint32_t vrf, uint8_t family, router_addr *it,
                          router_route *out);

enum { ROUTER_MAPPING_INCOMPLETE = 1, ROUTER_MAPPING_UP, ROUTER_MAPPING_NEGATIVE };

typedef struct router_mapping {
    uint32_t vrf;
    uint32_t label;
    router_addr prefix;
    router_addr nbma;
    uint64_t tunnel;
    uint64_t expires_ms;
    uint8_t state; /* ROUTER_MAPPING_... */
} router_mapping;

int32_t router_next_mapping(const router *r, uint64_t *it, router_mapping *out);

typedef struct router_neighbor {
    router_addr address;
    bool established;
    uint64_t established_ms;
    uint64_t prefixes; /* that it told */
} router_neighbor;

int32_t router_next_neighbor(const router *r, uint64_t *it, router_neighbor *out);

/* Ends a tunnel's SAs, and tells the peer; a configured peer is called again. */
int32_t router_clear_tunnel(router *r, uint64_t now_ms, uint64_t tunnel);

/* Keys for a capture's reader, when something asks for them: none are kept for it otherwise. */
enum { ROUTER_KEYLOG_IKE = 1, ROUTER_KEYLOG_ESP = 2 };
typedef void router_keylog(void *user, int kind, const char *line);
/* Lines of Wireshark's ikev2_decryption_table and esp_sa files, for every SA made from now on. */
void router_set_keylog(router *r, router_keylog *log, void *user);

#endif
