/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an engine is made of. Each file of the engine owns one kind of object.
 */
#ifndef NHRP_CORE_H
#define NHRP_CORE_H

#include "addr.h"
#include "list.h"

#include <internal/alloc.h>
#include <internal/container.h>
#include <internal/drbg.h>
#include <internal/heap.h>
#include <internal/map.h>
#include <internal/ring.h>
#include <nhrp/dmvpn.h>
#include <nhrp/engine.h>
#include <nhrp/state.h>

enum {
    EVENTS_PER_CALL = 4, /* K: what one input, request, answer or unit of work may emit */
    MIN_EVENTS = 16,
    MAX_KEY = 64,
    MAX_IDENTITY = 255,
    QUOTED_SIZE = 64, /* octets of a packet that a Traffic Indication quotes */
    MAX_REGISTRATION_CIES = 32,
    /* Error Indications to one link, so that bad packets of one do not use up the quota of all. */
    ERRORS_PER_WINDOW = 10,
    ERROR_WINDOW_MS = 10000,
    LABEL_VALUE_MAX = 128 /* a label extension of the two bindings that we say at most */
};

/*
 * Timers. Each object has one deadline, in the engine's one heap:
 *   MAPPING       renewal where it is used, then expiry; of a negative one, the end of its rest
 *   RESOLUTION    the next transmission of our request, or giving up
 *   QUESTION      the default answer
 *   REGISTRATION  the next transmission of our registration, a third of the holding time after it
 *                 was taken, or sooner while it is not; or the time when the server is given up
 *   ANSWER        the end of what we answered; while it is purged, the next transmission
 */
enum { TIMER_MAPPING, TIMER_RESOLUTION, TIMER_QUESTION, TIMER_REGISTRATION, TIMER_ANSWER };

typedef struct nhrp__timer {
    heap_node node;
    uint8_t kind;
} nhrp__timer;

/* A packet to be made by poll_output, embedded in what it is about, or the head of an nhrp__note.
 */
enum {
    INTENT_REQUEST,      /* our Resolution Request: an nhrp__resolution */
    INTENT_REGISTRATION, /* our Registration Request: an nhrp__server */
    INTENT_PURGE,        /* our Purge Request: an nhrp__answer */
    INTENT_REPLY,        /* to a request of any kind: the rest are an nhrp__note */
    INTENT_FORWARD,
    INTENT_ERROR,
    INTENT_INDICATION
};

typedef struct nhrp__intent {
    list_node node;
    uint8_t kind;
} nhrp__intent;

typedef struct nhrp__interface {
    list_node node;
    uint32_t id;
    uint32_t links;
    nhrp_interface_config cfg;
    uint8_t key[MAX_KEY];
    nhrp_counters counters;
} nhrp__interface;

/* How much of a send limit is used. */
typedef struct nhrp__quota {
    uint64_t from_ms; /* when its interval began */
    uint32_t sent;
    bool told;
} nhrp__quota;

typedef struct nhrp__labels {
    uint32_t count;
    uint32_t label[NHRP_LABELS_MAX];
} nhrp__labels;

typedef struct nhrp__link {
    map_node by_id;
    map_node by_nbma;
    map_node by_protocol[2]; /* IPv4, IPv6 */
    list_node node;
    list_node mappings, resolutions, questions, answers;
    uint64_t serial; /* tells a link from an earlier one of the same id */
    uint32_t id;
    uint32_t mapping_count, resolution_count, question_count, answer_count, flow_count;
    uint32_t output_count; /* notes that wait and that it caused */
    nhrp__quota own;       /* what it sends by itself */
    nhrp__quota caused;    /* what its packets cause, wherever that goes */
    nhrp__interface *interface;
    nhrp_link_config cfg;
    uint8_t identity[MAX_IDENTITY];
    uint64_t up_ms;
    uint64_t errors_from_ms; /* when the window of its errors began */
    uint32_t errors;

    list_node servers;    /* of ours, by this link */
    list_node replicas;   /* where packets for many go */
    nhrp_addr translated; /* our NBMA address as others see it, where it is another */
    uint64_t translator;  /* the server that told */
} nhrp__link;

/* A server of ours, with which we register. */
typedef struct nhrp__server {
    list_node node, link_node;
    nhrp__timer timer;
    nhrp__intent intent;
    nhrp__link *link;
    uint64_t id;
    uint64_t registered_until_ms; /* in state REGISTERED */
    uint32_t priority;
    uint32_t request_id;
    uint32_t transmissions; /* since the last answer */
    uint8_t state;          /* NHRP_SERVER_STANDBY ... */
    uint8_t family;         /* of the address that is registered */
    bool added;             /* by nhrp_engine_server_add */
    bool told;              /* the caller knows that it is registered */
    bool multicast;         /* packets for many go there too */
    nhrp_addr protocol;     /* NONE where unknown */
    nhrp_addr nbma;         /* NONE: that of the mapping of protocol */
} nhrp__server;

/* An NBMA address of a multipoint link that packets for many are replicated to. */
typedef struct nhrp__replica {
    map_node by_key, by_id;
    list_node link_node;
    nhrp__link *link;
    uint64_t id;
    uint32_t holders; /* registered clients there, and one where it is fixed */
    bool fixed;       /* by nhrp_engine_multicast_add */
    nhrp_addr nbma;
} nhrp__replica;

/* A link that may have gone. */
typedef struct nhrp__link_ref {
    uint64_t serial;
    uint32_t id;
} nhrp__link_ref;

typedef struct nhrp__mapping {
    /* First what a renewal of a registration looks at: with a million of them each line of the
       cache that it touches counts. */
    map_node by_prefix;
    nhrp_addr prefix;        /* its scope is the VRF */
    struct nhrp__link *link; /* that it uses; NULL while incomplete or negative */
    uint64_t expires_ms;
    uint32_t flags;
    uint16_t holding_time_s, mtu;
    uint8_t kind, preference, code;
    bool told; /* the caller knows it by an event or a call */
    nhrp_addr nbma, claimed_nbma;
    struct nhrp__resolution *resolution;
    nhrp__replica *replica; /* of a registered client, or NULL */
    nhrp__timer timer;
    nhrp_addr next_hop;

    map_node by_id;
    list_node node, link_node, dirty_node;
    uint64_t id;
    uint64_t created_ms;
    nhrp__link_ref request_link;
    uint64_t rest_ms; /* how long a negative one rests */
    uint32_t failures;
    nhrp__labels labels, overlay;
    nhrp_addr destination;
    uint8_t interface_id[8]; /* of the peer's link-local address; zero: not told */
} nhrp__mapping;

/* What a Resolution Reply offered. */
typedef struct nhrp__offer {
    nhrp__link_ref arrival;
    uint16_t flags, holding_time_s, mtu;
    uint8_t preference;
    nhrp__labels labels, overlay;
    nhrp_addr prefix, next_hop, nbma, claimed_nbma;
    uint8_t interface_id[8];
} nhrp__offer;

enum {
    RESOLUTION_ROUTE,     /* asks the caller which way */
    RESOLUTION_REQUESTED, /* waits for the reply */
    RESOLUTION_OFFERED,   /* asks the caller how much of the prefix to take */
    RESOLUTION_TUNNEL     /* waits for the tunnel */
};

typedef struct nhrp__resolution {
    map_node by_request;
    list_node link_node;
    nhrp__timer timer;
    nhrp__intent intent;
    nhrp__mapping *mapping;
    nhrp__link *link; /* NULL in state ROUTE */
    struct nhrp__question *question;
    uint32_t request_id;
    uint32_t transmissions;
    uint8_t state;
    nhrp__labels context;
    nhrp_addr widest; /* the prefix of the route that it is for */
    nhrp__offer offer;
} nhrp__resolution;

typedef struct nhrp__question {
    map_node by_id;
    list_node link_node;
    nhrp__timer timer;
    uint64_t ask_id;
    uint32_t request_id;
    uint32_t network_id; /* of the tunnel that is asked for */
    nhrp__link *link;    /* whose packet it is about, or NULL */
    nhrp__resolution *resolution;
    nhrp_addr from; /* on a multipoint link: who sent the packet; else NONE */
    nhrp_question asked;
    nhrp_route route; /* the answer that waits for a tunnel */
    size_t len;       /* of the packet that waits */
    uint8_t bytes[];
} nhrp__question;

typedef struct nhrp__answer {
    map_node by_key, by_request;
    list_node link_node;
    nhrp__timer timer;
    nhrp__intent intent;
    nhrp__link *link;
    uint64_t expires_ms;
    uint32_t request_id;
    uint32_t transmissions; /* 0: not being purged */
    bool own;               /* it named our own NBMA address */
    nhrp__labels labels;
    nhrp_addr prefix; /* its scope is the VRF */
    nhrp_addr requester, requester_nbma;
} nhrp__answer;

/* A packet to be made out of another one. */
typedef struct nhrp__note {
    nhrp__intent intent;
    nhrp__link_ref link;
    nhrp__link_ref cause; /* whose packet it is about: its share is used */
    nhrp_addr to;
    uint16_t code, offset; /* of an error */
    uint8_t type;          /* of a reply */
    bool record;           /* add a transit record */
    bool positive;         /* a reply with cie and labels */
    nhrp_cie cie;
    nhrp_addr link_local; /* ours, in a second CIE, where given */
    nhrp_cie nat; /* to add to a reply's NAT address extension, where it has an NBMA address */
    nhrp__labels labels;
    nhrp_addr prefix; /* that the labels are for */
    uint8_t codes[MAX_REGISTRATION_CIES];
    size_t len;
    uint8_t bytes[];
} nhrp__note;

typedef struct nhrp__flow {
    map_node by_key;
    list_node node;
    nhrp__link_ref link;
    uint64_t at_ms;
    nhrp_addr source, destination;
    uint32_t context; /* the label that names the VRF: addresses may be the same in another */
} nhrp__flow;

/* A tunnel address of ours and how many links have it. */
typedef struct nhrp__local {
    nhrp_addr addr;
    uint32_t links;
} nhrp__local;

struct nhrp_engine {
    nhrp_config cfg;
    alloc mem;
    drbg random;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint64_t now_ms;
    uint64_t last_id; /* of mappings, questions and links alike */
    uint32_t last_registration_id;
    heap timers;
    ring events;
    nhrp__local *locals; /* few: links commonly share one address */
    size_t local_count, local_cap;
    list_node interfaces, links, servers, mappings, dirty, dead, outputs, flows;
    uint32_t server_count, fixed_replica_count; /* of those that the caller added */
    uint32_t interface_count, output_count, resolution_count, question_count, flow_count;
    map links_by_id, links_by_nbma, links_by_protocol[2];
    map mappings_by_id, mappings_by_prefix;
    map replicas_by_key, replicas_by_id;
    map resolutions_by_request, questions_by_id, answers_by_key, answers_by_request, flows_by_key;
    uint32_t prefix_lengths[2][129]; /* mappings by family and length, to search few lengths */
};

/* What the extensions of a packet hold, once each. */
typedef struct nhrp__scan {
    nhrp_extension responder, forward, reverse, authentication, nat;
    bool unknown_compulsory;
    size_t label_extensions;
    size_t contexts, vpns, overlays;
    nhrp_label_binding context, vpn, overlay;
    uint16_t error_code; /* what to tell the sender where the scan fails */
} nhrp__scan;

/* A packet under treatment. */
typedef struct nhrp__arrival {
    nhrp__link *link;
    const nhrp_addr *from; /* or NULL */
    nhrp_packet pkt;
    nhrp__scan scan;
} nhrp__arrival;

/* engine.c */
void nhrp__time_set(nhrp_engine *e, uint64_t now_ms);
void nhrp__reap(nhrp_engine *e);
bool nhrp__room(const nhrp_engine *e);
void nhrp__event_push(nhrp_engine *e, const nhrp_event *ev);
uint64_t nhrp__hash_addr(const nhrp_engine *e, uint64_t salt, const nhrp_addr *a);
uint64_t nhrp__hash_id(const nhrp_engine *e, uint64_t id);
void nhrp__timer_set(nhrp_engine *e, nhrp__timer *t, uint64_t deadline_ms);

/* input.c */
nhrp_rc nhrp__scan_extensions(const nhrp_engine *e, const nhrp_packet *p, nhrp__scan *out);
nhrp_rc nhrp__drop(nhrp__interface *i, nhrp_rc why);
nhrp_rc nhrp__refuse(nhrp_engine *e, nhrp__link *l, const nhrp_addr *from, const nhrp_packet *p,
                     nhrp_rc why, uint16_t error_code);
nhrp_rc nhrp__transit(nhrp_engine *e, const nhrp__arrival *a, const nhrp_addr *destination);

/* authentication.c */
bool nhrp__authentication_ok(const nhrp__interface *i, const nhrp_packet *p,
                             const nhrp_extension *x);
void nhrp__authentication_put(const nhrp__link *l, nhrp_writer *w);
void nhrp__authentication_finish(const nhrp__link *l, uint8_t *buf, size_t len);

/* link.c */
nhrp__interface *nhrp__interface_find(const nhrp_engine *e, uint32_t id);
nhrp__link *nhrp__link_find(const nhrp_engine *e, uint32_t id);
nhrp__link *nhrp__link_get(const nhrp_engine *e, nhrp__link_ref ref);
nhrp__link_ref nhrp__link_refer(const nhrp__link *l);
nhrp__link *nhrp__link_to_peer(const nhrp_engine *e, uint32_t network_id, const nhrp_addr *nbma,
                               const nhrp_addr *protocol);
nhrp__link *nhrp__link_by_protocol(const nhrp_engine *e, uint32_t network_id, const nhrp_addr *a);
nhrp_addr nhrp__link_local(const nhrp__link *l, uint8_t family);
bool nhrp__link_peer_is(const nhrp__link *l, const nhrp_addr *protocol);
bool nhrp__address_ours(const nhrp_engine *e, const nhrp_addr *protocol);
void nhrp__links_end(nhrp_engine *e);

/* mapping.c */
nhrp__mapping *nhrp__mapping_find(const nhrp_engine *e, uint64_t id);
nhrp__mapping *nhrp__mapping_exact(const nhrp_engine *e, const nhrp_addr *prefix);
nhrp__mapping *nhrp__mapping_cover(const nhrp_engine *e, const nhrp_addr *host, uint32_t vrf);
nhrp_rc nhrp__mapping_new(nhrp_engine *e, const nhrp_addr *prefix, uint8_t kind,
                          nhrp__mapping **out);
void nhrp__mapping_set_kind(nhrp__mapping *m, uint8_t kind);
void nhrp__mapping_set_link(nhrp__mapping *m, nhrp__link *l);
void nhrp__mapping_rekey(nhrp_engine *e, nhrp__mapping *m, const nhrp_addr *prefix);
void nhrp__mapping_touch(nhrp_engine *e, nhrp__mapping *m);
void nhrp__mapping_end(nhrp_engine *e, nhrp__mapping *m);
void nhrp__mapping_free(nhrp_engine *e, nhrp__mapping *m);
void nhrp__mapping_arm(nhrp_engine *e, nhrp__mapping *m);
void nhrp__mapping_due(nhrp_engine *e, nhrp__mapping *m);
nhrp_rc nhrp__mapping_event(nhrp_engine *e, nhrp_event *ev);
bool nhrp__mapping_is_client(const nhrp__mapping *m);
nhrp__mapping *nhrp__client_find(const nhrp_engine *e, const nhrp_addr *host, uint32_t vrf);

/* question.c */
nhrp_rc nhrp__question_new(nhrp_engine *e, nhrp__link *l, uint32_t purpose, const uint8_t *bytes,
                           size_t len, nhrp__question **out);
void nhrp__question_ask(nhrp_engine *e, nhrp__question *q);
void nhrp__question_end(nhrp_engine *e, nhrp__question *q);
void nhrp__question_due(nhrp_engine *e, nhrp__question *q);
void nhrp__questions_link_up(nhrp_engine *e, nhrp__link *l);
nhrp__question *nhrp__question_same(const nhrp__link *l, const nhrp_question *asked,
                                    uint32_t request_id);
uint32_t nhrp__questions_of(const nhrp__link *l, const nhrp_addr *requester);

/* intent.c */
nhrp_rc nhrp__note_new(nhrp_engine *e, uint8_t kind, const nhrp__link *cause, const nhrp__link *out,
                       const uint8_t *bytes, size_t len, nhrp__note **note);
void nhrp__intent_queue(nhrp_engine *e, nhrp__intent *i);
void nhrp__intent_cancel(nhrp_engine *e, nhrp__intent *i);
void nhrp__intents_end(nhrp_engine *e);
nhrp_rc nhrp__labels_put(const nhrp_engine *e, nhrp_writer *w, const nhrp_label_binding *bindings,
                         size_t count);
void nhrp__binding_make(nhrp_label_binding *b, uint8_t role, const nhrp__labels *labels,
                        const nhrp_addr *prefix);

/* request.c: Resolution Requests of others */
nhrp_rc nhrp__request_input(nhrp_engine *e, const nhrp__arrival *a);
nhrp_rc nhrp__request_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route);
nhrp_rc nhrp__request_tunnel(nhrp_engine *e, nhrp__question *q, nhrp__link *tunnel);
nhrp_rc nhrp__transit_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route);
nhrp_rc nhrp__forward(nhrp_engine *e, nhrp__link *in, const nhrp_addr *from, nhrp__link *out,
                      const nhrp_packet *p, const nhrp_route *route, bool record);

/* resolution.c: our own */
nhrp_rc nhrp__resolution_begin(nhrp_engine *e, const nhrp_addr *destination, uint32_t vrf,
                               nhrp__link *l, const nhrp_route *route, nhrp__mapping **out);
nhrp_rc nhrp__resolution_renew(nhrp_engine *e, nhrp__mapping *m);
nhrp_rc nhrp__resolution_route(nhrp_engine *e, nhrp__question *q, const nhrp_route *route);
nhrp_rc nhrp__resolution_offer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route);
nhrp_rc nhrp__resolution_tunnel(nhrp_engine *e, nhrp__question *q, nhrp__link *tunnel);
nhrp_rc nhrp__reply_input(nhrp_engine *e, const nhrp__arrival *a);
nhrp_rc nhrp__resolution_hurry(nhrp_engine *e, uint32_t request_id, const nhrp_packet *quoted,
                               const nhrp__link *l, uint64_t *mapping_id);
void nhrp__resolutions_renew(nhrp_engine *e, nhrp__link *l);
void nhrp__resolution_due(nhrp_engine *e, nhrp__resolution *r);
void nhrp__resolution_end(nhrp_engine *e, nhrp__resolution *r);
void nhrp__resolution_cancel(nhrp_engine *e, nhrp__resolution *r);
void nhrp__resolution_write(nhrp_engine *e, nhrp__resolution *r, nhrp_writer *w, uint8_t *buf,
                            size_t cap);

/* redirect.c */
nhrp_rc nhrp__indication_input(nhrp_engine *e, const nhrp__arrival *a);
nhrp_rc nhrp__indication_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route);
nhrp_rc nhrp__redirect_answer(nhrp_engine *e, nhrp__question *q, const nhrp_route *route);
void nhrp__flows_end(nhrp_engine *e);

/* registration.c */
nhrp_rc nhrp__registration_input(nhrp_engine *e, const nhrp__arrival *a);

/* server.c */
nhrp_rc nhrp__servers_of_link(nhrp_engine *e, nhrp__link *l);
void nhrp__servers_begin(nhrp_engine *e, nhrp__link *l);
void nhrp__servers_renew(nhrp_engine *e, nhrp__link *l);
void nhrp__server_due(nhrp_engine *e, nhrp__server *s);
void nhrp__server_end(nhrp_engine *e, nhrp__server *s);
nhrp_rc nhrp__server_hurry(nhrp_engine *e, const nhrp__arrival *a, uint32_t request_id,
                           uint64_t *id);
nhrp_addr nhrp__server_nbma(const nhrp_engine *e, const nhrp__server *s);
void nhrp__server_write(const nhrp_engine *e, nhrp__server *s, nhrp_writer *w, uint8_t *buf,
                        size_t cap);
nhrp_rc nhrp__registration_reply_input(nhrp_engine *e, const nhrp__arrival *a);

/* multicast.c */
nhrp__replica *nhrp__replica_hold(nhrp_engine *e, nhrp__link *l, const nhrp_addr *nbma);
void nhrp__replica_release(nhrp_engine *e, nhrp__replica *r);
void nhrp__replicas_end(nhrp_engine *e, nhrp__link *l);

/* nat.c */
bool nhrp__nat_understood(const nhrp_packet *p);
nhrp_addr nhrp__nat_outer(const nhrp_packet *p, const nhrp_addr *protocol,
                          const nhrp_addr *claimed);
nhrp_addr nhrp__nat_requester(const nhrp_packet *p);
nhrp_cie nhrp__nat_cie(const nhrp_addr *nbma, const nhrp_addr *protocol);
void nhrp__nat_answer(const nhrp_packet *request, const nhrp_addr *claimed, const nhrp_addr *outer,
                      nhrp_cie *cie, nhrp_cie *nat);
void nhrp__nat_put(nhrp_writer *w, const nhrp_cie *cie);
bool nhrp__nat_learn(nhrp__link *l, const nhrp__server *by, const nhrp_packet *reply);
const nhrp_addr *nhrp__link_outer(const nhrp_engine *e, const nhrp__link *l);
void nhrp__nat_outdated(nhrp_engine *e, const nhrp__link *l);

/* purge.c */
nhrp_rc nhrp__answer_keep(nhrp_engine *e, nhrp__link *l, const nhrp_packet *request,
                          const nhrp_addr *prefix, const nhrp__labels *labels, bool own,
                          uint32_t holding_time_s);
void nhrp__answers_outdated(nhrp_engine *e, nhrp__link *l);
void nhrp__answer_due(nhrp_engine *e, nhrp__answer *a);
void nhrp__answer_end(nhrp_engine *e, nhrp__answer *a);
void nhrp__answers_withdraw(nhrp_engine *e, const nhrp_addr *prefix);
nhrp_rc nhrp__purge_input(nhrp_engine *e, const nhrp__arrival *a);
nhrp_rc nhrp__purge_reply_input(nhrp_engine *e, const nhrp__arrival *a);
void nhrp__purge_write(nhrp_engine *e, nhrp__answer *a, nhrp_writer *w, uint8_t *buf, size_t cap);

/* Retries double from the first interval up to the ceiling. */
static inline uint64_t nhrp__backoff(uint64_t first_ms, uint64_t max_ms, uint32_t doublings)
{
    uint64_t v = first_ms;
    while (doublings-- > 0 && v < max_ms)
        v *= 2;
    return v < max_ms ? v : max_ms;
}

static inline nhrp__labels nhrp__labels_of_route(const nhrp_route *r)
{
    nhrp__labels l;
    l.count = r->label_count;
    memcpy(l.label, r->labels, sizeof(l.label));
    return l;
}

static inline nhrp__labels nhrp__labels_of_binding(const nhrp_label_binding *b)
{
    nhrp__labels l;
    l.count = b->label_count;
    memcpy(l.label, b->labels, sizeof(l.label));
    return l;
}

#endif
