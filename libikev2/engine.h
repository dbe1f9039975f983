/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine's objects. An engine owns IKE SAs, an IKE SA its children; everything is found by
 * maps, and one heap holds the next deadline of every IKE SA.
 */
#ifndef LIBIKEV2_ENGINE_H
#define LIBIKEV2_ENGINE_H

#include "crypto.h"
#include "internal/container.h"
#include "internal/heap.h"
#include "internal/map.h"
#include "internal/ring.h"
#include "internal/versioned.h"
#include "message.h"
#include "proposal.h"
#include "selectors.h"
#include "signature.h"

#include <ikev2/info.h>

enum {
    IKEV2__MARKER_BYTES = 4, /* RFC 7296 2.23: four zero bytes before IKE on port 4500 */
    IKEV2__REPLY_BYTES = 128,
    IKEV2__SHORT_MESSAGE = 128, /* most informational messages fit */
    IKEV2__INIT_RETRIES = 4,    /* cookies and other groups that one IKE_SA_INIT takes */
    IKEV2__MAX_EARLY_DELETES = 8,
    IKEV2__MAX_FAILURES = 60 /* TEMPORARY_FAILURE in a row: several minutes (2.25) */
};

/*
 * Timers of an IKE SA; the earliest of them and of its children's lifetimes is in the heap.
 * RETRANSMIT  our request is unanswered (RFC 7296 2.1)
 * SETUP       a responder's SA is not authenticated yet, or the caller has not answered
 * REKEY       soft lifetime of the IKE SA
 * EXPIRE      hard lifetime, and how long a replaced SA waits for its Delete
 * LIVENESS    the peer is silent (RFC 7296 2.4)
 * KEEPALIVE   a NAT forgets us (RFC 3948 4)
 * RETRY       after TEMPORARY_FAILURE, or memory ran out
 * REASSEMBLY  fragments do not come (RFC 7383 2.6)
 * LINGER      a closed SA goes
 * REAP        dead children go
 */
enum {
    IKEV2__T_RETRANSMIT,
    IKEV2__T_SETUP,
    IKEV2__T_REKEY,
    IKEV2__T_EXPIRE,
    IKEV2__T_LIVENESS,
    IKEV2__T_KEEPALIVE,
    IKEV2__T_RETRY,
    IKEV2__T_REASSEMBLY,
    IKEV2__T_LINGER,
    IKEV2__T_REAP,
    IKEV2__T_COUNT
};

/* A Child SA as configured; shared by reference count. One block with its lists. */
typedef struct ikev2__policy {
    uint32_t refs;
    uint8_t mode;
    size_t transform_count;
    size_t local_count;
    size_t peer_count;
    const ikev2_transform *transforms;
    const ikev2_selector *local_ts;
    const ikev2_selector *peer_ts;
} ikev2__policy;

/* A peer as configured; one block, wiped when the last SA lets go. */
typedef struct ikev2__peer {
    uint32_t refs;
    uint64_t profile_id;
    size_t size;
    ikev2__policy *policy;
    const uint8_t *ca_hashes; /* of the anchors' keys, for CERTREQ */
    size_t ca_count;
    ikev2_peer pub; /* its pointers lead into this block */
} ikev2__peer;

/* What an IKE SA and its successors share. */
typedef struct ikev2__context {
    uint32_t refs;
    ikev2__peer *peer; /* NULL: not known yet */
    ikev2_identity peer_id;
    ikev2_identity asked_id;
    uint8_t *local_psk; /* from an answer; else the peer's are used */
    size_t local_psk_len;
    uint8_t *peer_psk;
    size_t peer_psk_len;
    ikev2_addr *routes;
    size_t route_count;
    ikev2_addr assigned;
} ikev2__context;

typedef struct ikev2__keys {
    uint8_t d[IKEV2__MAX_PRF_BYTES];
    uint8_t ai[IKEV2__MAX_INTEG_KEY];
    uint8_t ar[IKEV2__MAX_INTEG_KEY];
    uint8_t ei[IKEV2__MAX_CIPHER_KEY];
    uint8_t er[IKEV2__MAX_CIPHER_KEY];
    uint8_t pi[IKEV2__MAX_PRF_BYTES];
    uint8_t pr[IKEV2__MAX_PRF_BYTES];
} ikev2__keys;

/* The datagrams of one message, each behind its length in two bytes; kept to be repeated. */
typedef struct ikev2__flight {
    uint8_t *bytes;
    size_t len;
    size_t cursor; /* what is before it was output; len: nothing to send */
} ikev2__flight;

typedef struct ikev2__bytes {
    uint8_t *bytes;
    size_t len;
} ikev2__bytes;

/* What a caller that judges a certificate is shown; the chain lies in the stash. */
typedef struct ikev2__shown {
    ikev2__public_key key;
    size_t count;
    ikev2_der chain[IKEV2_MAX_CERTS];
} ikev2__shown;

/* What only the first two exchanges need. */
typedef struct ikev2__handshake {
    uint16_t group;
    uint8_t retries;
    uint8_t priv[IKEV2__MAX_PRIVATE];
    uint8_t pub[IKEV2__MAX_PUBLIC]; /* of priv */
    uint16_t pub_group;             /* 0: none yet */
    uint8_t cookie[IKEV2__MAX_COOKIE];
    size_t cookie_len;
    uint8_t ni[IKEV2__MAX_NONCE];
    size_t ni_len;
    uint8_t nr[IKEV2__MAX_NONCE];
    size_t nr_len;
    ikev2__bytes init_request; /* RFC 7296 2.15: both are signed */
    ikev2__bytes init_response;
    ikev2__bytes stash; /* the peer's IKE_AUTH message, decrypted, while the caller is asked */
    uint8_t stash_first;
    uint8_t peer_hashes;         /* that the peer can verify (RFC 7427 4), bit 1 << id */
    bool peer_trusted;           /* the chain was judged by an answer */
    uint16_t scheme;             /* of our signature */
    ikev2__bytes octets;         /* that we sign */
    ikev2__bytes signature;      /* of ours, once it is made */
    ikev2__shown *shown;         /* while ASK_CERT is open */
    ikev2__public_key *expected; /* the peer's, by an answer */
} ikev2__handshake;

enum {
    IKEV2__TASK_NONE,
    IKEV2__TASK_INIT,
    IKEV2__TASK_AUTH,
    IKEV2__TASK_CHILD, /* create or rekey a Child SA */
    IKEV2__TASK_IKE_REKEY,
    IKEV2__TASK_CHILD_DELETE,
    IKEV2__TASK_IKE_DELETE,
    IKEV2__TASK_CONFIG,
    IKEV2__TASK_LIVENESS
};

/* Our request that is out. RFC 7296 2.3: the window is one message. */
typedef struct ikev2__task {
    uint8_t kind;
    uint16_t group;
    uint64_t child_id; /* the new one, or the one to delete */
    uint64_t old_id;   /* the one to rekey */
    uint64_t new_spi;  /* of the new IKE SA */
    uint64_t rival_id; /* made by the peer's request at the same time (2.8.1, 2.8.2) */
    uint8_t priv[IKEV2__MAX_PRIVATE];
    uint8_t nonce[IKEV2__NONCE_BYTES];
    uint8_t rival_nonce[IKEV2__MAX_NONCE]; /* the lower one of the rival exchange */
    size_t rival_nonce_len;
    /* The peer made the child, and deletes it already; its answer to us comes later. */
    uint32_t deleted[IKEV2__MAX_EARLY_DELETES];
    size_t deleted_count;
} ikev2__task;

/* Fragments of one message, by number. RFC 7383 2.6 */
typedef struct ikev2__reassembly {
    uint32_t message_id;
    bool response;
    uint16_t total;
    uint16_t have;
    uint8_t first;        /* type of the first payload, from fragment 1 */
    size_t bytes;         /* of all */
    uint64_t hash;        /* of the datagram of fragment 1 */
    ikev2__bytes parts[]; /* total of them */
} ikev2__reassembly;

/* States of a Child SA. */
enum {
    IKEV2__CHILD_WANTED,  /* waits for its turn */
    IKEV2__CHILD_PENDING, /* our request is out */
    IKEV2__CHILD_IN_ONLY, /* installed inbound; the peer may not have our answer yet */
    IKEV2__CHILD_UP,
    IKEV2__CHILD_REPLACED, /* has a successor; its initiator deletes it */
    IKEV2__CHILD_DELETING, /* our Delete is out */
    IKEV2__CHILD_DEAD,
    IKEV2__CHILD_STATES
};

struct ikev2__sa;

typedef struct ikev2__child {
    map_node by_id;
    map_node by_spi;
    struct ikev2__child *next;
    struct ikev2__sa *sa;
    ikev2__policy *policy;
    uint64_t id;
    uint64_t replaces;
    uint64_t dead_seq; /* the event after which it may go */
    uint64_t soft_ms;
    uint64_t hard_ms;
    uint32_t spi_in;
    uint32_t spi_out;
    uint8_t state;
    uint8_t mode;
    bool want_rekey;
    bool want_delete;
    bool announced; /* the caller knows it by CHILD_IN */
    bool requested; /* the caller began it */
    uint16_t delete_reason;
    uint16_t retry_group; /* the peer wants this one */
    ikev2__suite suite;
    uint8_t key_in[IKEV2__MAX_CIPHER_KEY];
    uint8_t key_out[IKEV2__MAX_CIPHER_KEY];
    uint8_t integ_in[IKEV2__MAX_INTEG_KEY];
    uint8_t integ_out[IKEV2__MAX_INTEG_KEY];
    ikev2_selector *ts; /* ours, then the peer's */
    size_t local_count;
    size_t peer_count;
} ikev2__child;

typedef struct ikev2__sa {
    map_node by_id;
    map_node by_spi;
    map_node by_init;     /* half-open responder: the peer's SPI and address */
    map_node by_identity; /* the peer's identity: in the map is the first with it */
    map_node by_ask;      /* the open question */
    heap_node timer;
    struct ikev2__sa *same_next, *same_prev; /* others with that identity, however many */
    struct ikev2__sa *out_next, *out_prev;   /* those that have something to send */
    ikev2_engine *e;
    ikev2__context *ctx;
    ikev2__handshake *hs;
    ikev2__task *task;
    ikev2__reassembly *reassembly;
    ikev2__child *children;
    uint64_t id;
    uint64_t spi_i;
    uint64_t spi_r;
    uint64_t dead_seq;
    uint64_t last_seen_ms;
    uint64_t iv_counter;
    uint64_t request_hash; /* of the last request answered */
    uint64_t init_hash;
    uint64_t ask_id;
    uint16_t ask_kind; /* the event that asked */
    uint64_t contests; /* the IKE SA that we are rekeying too; the peer made this one */
    uint32_t next_send;
    uint32_t next_recv;
    uint32_t child_count;
    uint32_t tries;
    uint32_t failures; /* TEMPORARY_FAILURE in a row */
    uint8_t state;
    bool initiator;
    bool announced;
    bool counts_half_open;
    bool queued;
    bool in_init;
    bool in_identity;
    bool nat_local;
    bool nat_peer;
    bool encapsulated;
    bool peer_fragments;
    bool want_rekey;
    bool want_delete;
    bool want_liveness;
    bool want_config;
    bool want_keepalive;
    bool doomed; /* EXPIRE closes it without a word, for close_reason */
    uint16_t close_reason;
    uint16_t failure_notify; /* goes with our Delete */
    uint16_t retry_group;    /* the peer wants this one for the next IKE SA */
    ikev2_path path;
    ikev2__suite suite;
    ikev2__cipher cipher;
    ikev2__keys keys;
    ikev2__flight request;
    ikev2__flight response;
    uint64_t deadlines[IKEV2__T_COUNT];
} ikev2__sa;

typedef struct ikev2__reply {
    ikev2_path path;
    size_t len;
    uint8_t bytes[IKEV2__REPLY_BYTES];
} ikev2__reply;

struct ikev2_engine {
    alloc mem;
    ikev2_config cfg;
    drbg random;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint8_t cookie_secret[2][crypto_auth_hmacsha256_KEYBYTES];
    uint8_t cookie_version;
    uint64_t cookie_until_ms;
    ikev2__crypto *crypto;
    ikev2_transform *transforms; /* IKE, then Child */
    map sas_by_id;
    map sas_by_spi;
    map sas_by_init;
    map sas_by_identity;
    map sas_by_ask;
    map children_by_id;
    map children_by_spi;
    heap timers;
    ring events;
    ring replies;
    ikev2__sa *out_head;
    ikev2__sa *out_tail;
    ikev2__peer **profiles;
    size_t profile_count;
    size_t profile_cap;
    uint8_t *plain;  /* max_message_bytes: where messages are written */
    uint8_t *opened; /* max_message_bytes: where they are decrypted */
    uint64_t now_ms;
    uint64_t unix_time_s; /* at unix_time_ms; 0: not known */
    uint64_t unix_time_ms;
    uint8_t ca_hashes[IKEV2_MAX_CERTS][IKEV2__KEY_HASH_BYTES]; /* of all profiles, no more */
    size_t ca_count;
    size_t judging_profiles; /* those whose peers show certificates */
    uint64_t next_id;
    uint64_t events_pushed;
    uint64_t events_polled;
    size_t event_reserve; /* K: slots that one call may fill */
    ikev2_counters counters;
};

/* ---- engine.c ---- */
void ikev2__emit(ikev2_engine *e, ikev2_event *ev, const ikev2__sa *sa, const ikev2__child *child);
void ikev2__refused(ikev2__sa *sa, const ikev2__child *child, uint16_t reason, uint32_t detail);
void ikev2__send_reply(ikev2_engine *e, const ikev2_path *path, const ikev2_header *to,
                       uint16_t type, const uint8_t *data, size_t len);
ikev2_rc ikev2__enter(ikev2_engine *e, uint64_t now_ms, bool emits);
void ikev2__queue(ikev2__sa *sa);
uint64_t ikev2__new_id(ikev2_engine *e);
bool ikev2__uses_marker(const ikev2_engine *e, const ikev2_path *path);

/* ---- peer.c ---- */
ikev2_rc ikev2__policy_new(ikev2_engine *e, const ikev2_child_policy *pub, ikev2__policy **out);
void ikev2__policy_release(ikev2_engine *e, ikev2__policy *p);
ikev2_rc ikev2__peer_new(ikev2_engine *e, const ikev2_peer *pub, ikev2__peer **out);
void ikev2__peer_release(ikev2_engine *e, ikev2__peer *p);
bool ikev2__trust_ok(const ikev2_der *anchors, size_t anchor_count, const ikev2_der *crls,
                     size_t crl_count);
ikev2__context *ikev2__context_new(ikev2_engine *e);
void ikev2__context_release(ikev2_engine *e, ikev2__context *ctx);
ikev2__peer *ikev2__profile_match(const ikev2_engine *e, const ikev2_identity *id,
                                  const ikev2_identity *asked, const ikev2_addr *from);
bool ikev2__identity_matches(const ikev2_identity *pattern, const ikev2_identity *id);
bool ikev2__identity_equal(const ikev2_identity *a, const ikev2_identity *b);
bool ikev2__prefix_covers(const ikev2_addr *prefix, const ikev2_addr *addr, uint8_t len);
bool ikev2__addr_equal(const ikev2_addr *a, const ikev2_addr *b); /* and port and scope */

/* ---- keys.c ---- */
ikev2_rc ikev2__derive_ike(ikev2__sa *sa, const ikev2__part *ni, const ikev2__part *nr,
                           const uint8_t *secret, const ikev2__sa *old);
ikev2_rc ikev2__derive_child(const ikev2__sa *sa, ikev2__child *child, bool initiator,
                             const ikev2__part *secret, const ikev2__part *ni,
                             const ikev2__part *nr);
/* RFC 7296 2.15: the octets that one side signs. */
ikev2_rc ikev2__auth_octets(const ikev2__sa *sa, bool of_initiator, const ikev2_identity *id,
                            ikev2__bytes *out);
/* The same under a shared key, of the initiator's or the responder's side. */
bool ikev2__auth_value(const ikev2__sa *sa, bool of_initiator, const uint8_t *psk, size_t psk_len,
                       const ikev2_identity *id, uint8_t out[IKEV2__MAX_PRF_BYTES]);

/* ---- authenticate.c ---- */
/* What is missing, or wrong, before one side's proof counts; all 0: nothing. */
typedef struct ikev2__judgement {
    uint16_t ask; /* IKEV2_EVENT_ASK_... */
    uint16_t reason;
    uint32_t detail;
    size_t cert_count; /* what is to be shown with ASK_CERT */
    ikev2_der certs[IKEV2_MAX_CERTS];
    ikev2__public_key key;
} ikev2__judgement;

void ikev2__note_hashes(ikev2__sa *sa, const ikev2__message *msg);
void ikev2__put_hashes(ikev2__builder *b);
bool ikev2__keys_needed(const ikev2__context *ctx); /* a shared key is wanted, and not there */
bool ikev2__peer_signs(const ikev2__peer *peer);
/* Makes the signature, where ours is one. */
ikev2_rc ikev2__prove(ikev2__sa *sa, ikev2__judgement *out);
void ikev2__put_certs(ikev2__builder *b, const ikev2__peer *peer);
void ikev2__put_cert_request(ikev2__builder *b, const uint8_t *hashes, size_t count);
bool ikev2__put_proof(ikev2__sa *sa, ikev2__builder *b);
/* The peer's AUTH and certificates. */
ikev2_rc ikev2__judge(ikev2__sa *sa, const ikev2__message *msg, const ikev2_identity *id,
                      ikev2__judgement *out);
/* 0, ALGORITHM or AUTHENTICATION: whether it is the key's signature over the octets. */
uint16_t ikev2__auth_verify(const ikev2_tagged *auth, const ikev2__public_key *key,
                            const ikev2_der *octets);
uint64_t ikev2__unix_time(const ikev2_engine *e);

/* ---- questions.c ---- */
uint16_t ikev2__reason_unanswered(uint16_t kind);
ikev2__sa *ikev2__asked(const ikev2_engine *e, uint64_t ask_id, uint16_t kind);
/* Goes on after an answer; where memory ran out the question stands. */
ikev2_rc ikev2__ask_resume(ikev2__sa *sa);
void ikev2__ask_refuse(ikev2__sa *sa, uint16_t reason, uint32_t detail);

/* ---- protect.c ---- */
void ikev2__flight_free(ikev2_engine *e, ikev2__flight *f);
ikev2_rc ikev2__flight_plain(ikev2_engine *e, const uint8_t *message, size_t len,
                             ikev2__flight *out);
/* Encrypts the payloads written so far, in fragments where they are needed and possible. */
ikev2_rc ikev2__protect(ikev2__sa *sa, uint8_t exchange, bool response, uint32_t message_id,
                        const ikev2__builder *b, ikev2__flight *out);
/* YES: plain and first are a whole message; OK: a fragment was kept; else dropped. */
ikev2_rc ikev2__unprotect(ikev2__sa *sa, const ikev2_header *h, const uint8_t *buf, size_t len,
                          const uint8_t **plain, size_t *plain_len, uint8_t *first, uint64_t *hash);
void ikev2__reassembly_free(ikev2__sa *sa);

/* ---- sa.c ---- */
ikev2__sa *ikev2__sa_new(ikev2_engine *e, bool initiator, const ikev2_path *path,
                         ikev2__context *ctx);
ikev2__sa *ikev2__sa_by_id(const ikev2_engine *e, uint64_t id);
ikev2__sa *ikev2__sa_by_ask(const ikev2_engine *e, uint64_t ask_id);
void ikev2__sa_set_ask(ikev2__sa *sa, uint64_t ask_id); /* 0: nothing is asked */
ikev2__sa *ikev2__sa_by_spi(const ikev2_engine *e, uint64_t spi);
void ikev2__sa_free(ikev2__sa *sa); /* forgets it without a word */
void ikev2__sa_unqueue(ikev2__sa *sa);
void ikev2__sa_set_state(ikev2__sa *sa, uint8_t state);
void ikev2__sa_set_timer(ikev2__sa *sa, int timer, uint64_t at_ms);
void ikev2__sa_arm(ikev2__sa *sa);
void ikev2__sa_close(ikev2__sa *sa, uint16_t reason);
void ikev2__sa_doom(ikev2__sa *sa, uint16_t reason, uint64_t at_ms);
void ikev2__sa_establish(ikev2__sa *sa, uint64_t replaces);
void ikev2__sa_index_spi(ikev2__sa *sa);
void ikev2__sa_index_identity(ikev2__sa *sa);
void ikev2__sa_free_handshake(ikev2__sa *sa);
/* The first of the SAs whose peer has this identity, the rest by same_next; or NULL. */
ikev2__sa *ikev2__sa_by_identity(const ikev2_engine *e, const ikev2_identity *id);
bool ikev2__identity_known(const ikev2_engine *e, const ikev2_identity *id, const ikev2__sa *but);
uint64_t ikev2__new_ike_spi(ikev2_engine *e);
void ikev2__sa_heard(ikev2__sa *sa); /* the peer lives */
void ikev2__sa_move_path(ikev2__sa *sa, const ikev2_path *path);
ikev2_rc ikev2__sa_request(ikev2__sa *sa, ikev2__task *task, uint8_t exchange,
                           const ikev2__builder *b);
void ikev2__sa_request_done(ikev2__sa *sa); /* answered: forgets request and task */
void ikev2__sa_respond(ikev2__sa *sa, ikev2__flight *flight, uint64_t hash);
void ikev2__sa_pump(ikev2__sa *sa); /* begins the next exchange where one is wanted */
void ikev2__sa_timeout(ikev2__sa *sa);
ikev2__builder ikev2__sa_builder(ikev2__sa *sa);
uint64_t ikev2__jittered(ikev2_engine *e, uint64_t ms);

/* ---- child.c ---- */
ikev2__child *ikev2__child_new(ikev2__sa *sa, ikev2__policy *policy);
void ikev2__child_free(ikev2__child *c);
ikev2__child *ikev2__child_by_id(const ikev2_engine *e, uint64_t id);
ikev2__child *ikev2__child_by_spi_out(const ikev2__sa *sa, uint32_t spi);
void ikev2__child_set_state(ikev2__child *c, uint8_t state);
ikev2_rc ikev2__child_set_selectors(ikev2__child *c, const ikev2__selectors *local,
                                    const ikev2__selectors *peer);
void ikev2__child_install(ikev2__child *c, bool outbound); /* CHILD_IN, and CHILD_OUT */
void ikev2__child_start(ikev2__child *c);                  /* CHILD_OUT, once */
void ikev2__child_remove(ikev2__child *c, uint16_t reason);
/* The same while its IKE SA lives on: whoever replaces it is sent on from now. */
void ikev2__child_retire(ikev2__child *c, uint16_t reason);
void ikev2__child_move(ikev2__child *c, ikev2__sa *to);
ikev2__offer ikev2__child_offer(const ikev2__child *c, const uint8_t spi[4], bool with_group);

/* ---- exchanges ---- */
ikev2_rc ikev2__init_build(ikev2__sa *sa);
ikev2_rc ikev2__init_request(ikev2_engine *e, const ikev2_path *path, const ikev2_header *h,
                             const uint8_t *buf, size_t len);
ikev2_rc ikev2__init_response(ikev2__sa *sa, const ikev2_path *path, const ikev2_header *h,
                              const uint8_t *buf, size_t len);
ikev2_rc ikev2__auth_build(ikev2__sa *sa);
ikev2_rc ikev2__auth_request(ikev2__sa *sa, ikev2__message *msg, const uint8_t *plain, size_t len,
                             uint8_t first, uint64_t hash);
ikev2_rc ikev2__auth_resume(ikev2__sa *sa); /* the caller answered */
void ikev2__auth_refuse(ikev2__sa *sa, uint16_t reason, uint32_t detail);
/* RFC 7296 2.21.2: we are who refuses; the peer believes that all is well, so it is told. */
void ikev2__auth_disown(ikev2__sa *sa, uint16_t reason, uint32_t detail);
/* An SA that the peer has and we never had: it is told to delete it. */
void ikev2__auth_abandon(ikev2__sa *sa, uint16_t reason);
ikev2_rc ikev2__auth_response(ikev2__sa *sa, ikev2__message *msg, const uint8_t *plain, size_t len,
                              uint8_t first);
ikev2_rc ikev2__create_build(ikev2__sa *sa, ikev2__child *child);
ikev2_rc ikev2__create_request(ikev2__sa *sa, ikev2__message *msg, uint64_t hash);
ikev2_rc ikev2__create_response(ikev2__sa *sa, ikev2__message *msg);
ikev2_rc ikev2__rekey_build(ikev2__sa *sa);
ikev2_rc ikev2__rekey_request(ikev2__sa *sa, ikev2__message *msg, uint64_t hash);
ikev2_rc ikev2__rekey_response(ikev2__sa *sa, ikev2__message *msg);
/* Our own IKE rekey came to nothing: where the peer made an SA meanwhile, that one inherits. */
bool ikev2__rekey_yield(ikev2__sa *sa);
/* Not decided yet whether this one, made by the peer, or ours will replace the old one. */
bool ikev2__rekey_contested(const ikev2__sa *sa);
/* The peer works with children on an SA that contests ours: it knows already that it won. */
void ikev2__rekey_settle(ikev2__sa *sa, uint8_t exchange, const ikev2__message *msg);
ikev2_rc ikev2__info_build(ikev2__sa *sa, uint8_t kind, ikev2__child *child);
ikev2_rc ikev2__info_request(ikev2__sa *sa, ikev2__message *msg, uint64_t hash);
ikev2_rc ikev2__info_response(ikev2__sa *sa, ikev2__message *msg);
/* Answers with one notification. */
ikev2_rc ikev2__respond_error(ikev2__sa *sa, uint8_t exchange, uint16_t type, const uint8_t *data,
                              size_t len, uint64_t hash);
uint16_t ikev2__reason_of(uint16_t notify);
/* RFC 7296 2.21.3: an authenticated message that the RFC forbids ends the IKE SA. */
ikev2_rc ikev2__fatal_error(ikev2__sa *sa, uint8_t exchange, uint16_t type, const uint8_t *data,
                            size_t len, uint64_t hash, uint16_t reason);
/* TEMPORARY_FAILURE: waits; false: it was too often, the SA is to be deleted. */
bool ikev2__back_off(ikev2__sa *sa);
void ikev2__note_rival(ikev2__task *task, uint64_t id, const ikev2_payload *theirs,
                       const uint8_t ours[IKEV2__NONCE_BYTES]);
/* RFC 7296 2.8.1: does our exchange hold the lowest of the four nonces? */
bool ikev2__lost_to_rival(const ikev2__task *task, const ikev2_payload *theirs);
bool ikev2__nonce_ok(const ikev2_payload *nonce);

/* What a request for a Child SA asks for, judged by policy; shared by IKE_AUTH and CREATE_CHILD. */
typedef struct ikev2__child_terms {
    ikev2__choice choice;
    ikev2__selectors local;
    ikev2__selectors peer;
    uint8_t mode;
    uint16_t reason; /* of a refusal, where the notify type does not tell enough */
} ikev2__child_terms;

/* 0: acceptable; else the notify type that refuses it. */
uint16_t ikev2__terms_from_request(const ikev2__sa *sa, const ikev2__policy *policy,
                                   const ikev2__message *msg, bool with_group,
                                   ikev2__child_terms *out);
uint16_t ikev2__terms_from_response(const ikev2__sa *sa, const ikev2__child *child,
                                    const ikev2__message *msg, bool with_group,
                                    ikev2__child_terms *out);
void ikev2__put_child_offer(ikev2__builder *b, const ikev2__child *c, bool with_group,
                            const uint8_t *nonce, uint16_t group, const uint8_t *pub);
/* nonce and pub NULL: there are none. */
void ikev2__put_child_answer(ikev2__builder *b, const ikev2__child *c,
                             const ikev2__child_terms *terms, const uint8_t *nonce,
                             const uint8_t *pub);
ikev2_rc ikev2__child_accept(ikev2__child *c, const ikev2__child_terms *terms);

/* ---- nat.c ---- */
void ikev2__put_nat_detection(ikev2__builder *b, ikev2_engine *e, uint64_t spi_i, uint64_t spi_r,
                              const ikev2_path *path);
void ikev2__check_nat(ikev2__sa *sa, const ikev2__message *msg, uint64_t spi_i, uint64_t spi_r,
                      const ikev2_path *path);
bool ikev2__cookie_valid(ikev2_engine *e, const ikev2_path *path, uint64_t spi_i,
                         const ikev2_payload *nonce, const ikev2_notify *cookie);
void ikev2__cookie_make(ikev2_engine *e, const ikev2_path *path, uint64_t spi_i,
                        const ikev2_payload *nonce, uint8_t out[33]);

/* ---- config_payload.c ---- */
void ikev2__put_config(ikev2__builder *b, uint8_t type, const ikev2_addr *routes, size_t count,
                       const ikev2_addr *address);
void ikev2__put_config_request(ikev2__builder *b, uint8_t request);
void ikev2__put_config_ack(ikev2__builder *b, const ikev2_tagged *set);
bool ikev2__config_asks(const ikev2_tagged *cp, uint16_t attribute);
/* What a peer pushed: read first, which may fail, and kept when the message is sure to count. */
typedef struct ikev2__pushed {
    ikev2_addr *routes;
    size_t count;
    uint32_t refused;
    ikev2_addr assigned;
} ikev2__pushed;

ikev2_rc ikev2__config_read(ikev2__sa *sa, const ikev2_tagged *cp, bool with_address,
                            ikev2__pushed *out);
void ikev2__config_keep(ikev2__sa *sa, ikev2__pushed *pushed); /* ROUTES, REFUSED */
void ikev2__config_drop(ikev2__sa *sa, ikev2__pushed *pushed);

#endif
