/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine's objects, and what its parts offer each other.
 *
 *   neighbor -- conn (stream)       session.c, stream.c, neighbor.c
 *   dest -- path -- attrs -- hop    rib.c, attrs.c: the RIB, keyed by (table, RD, prefix)
 *   dest -- cand -- vroute -- vrf   vrf.c: what VRFs import
 *   group -- reader -- member       group.c, encode.c: what peers are told
 *
 * Every change of a best route gets the next table version, which also is its place in the shared
 * journal, a ring of handles. A reader goes through the journal, or, when it is too far behind,
 * through the table, looking for versions newer than what it has handed on. A dest without paths
 * stays until every reader is past it, so a withdrawal is never lost.
 */
#ifndef LIBBGPVPN_ENGINE_H
#define LIBBGPVPN_ENGINE_H

#include "codec.h"
#include "pool.h"

#include <bgpvpn/capability.h>
#include <bgpvpn/rib.h>
#include <internal/container.h>
#include <internal/drbg.h>
#include <internal/heap.h>
#include <internal/map.h>
#include <internal/ring.h>
#include <internal/versioned.h>

#include <stdbool.h>

#define EVENT_ROOM         8 /* free slots that an input or a request needs */
#define DEST_V6            UINT32_C(0x80000000)
#define SOURCE_LOCAL       0
#define SOURCE_NONE        UINT32_MAX
#define WINDOW             512
#define SCRATCH            16384u
#define SCRATCH_EXTENDED   65536u
#define LOCAL_PREF_DEFAULT 100
#define LABEL_FIRST        16u /* those below are reserved (RFC 3032 2.1) */
#define TABLES             5
#define RT_LEN             8
#define RESTART_LEN        (2 + 4 * TABLES)
#define ALL_TABLES         ((UINT32_C(1) << TABLES) - 1)

/* The structs that grew, as they were when a caller could first be compiled against them. */
#define NEIGHBOR_CONFIG_FIRST offsetof(bgpvpn_neighbor_config, delay_open_s)
#define NEIGHBOR_INFO_FIRST   offsetof(bgpvpn_neighbor_info, stale)
#define LOCAL_ROUTE_FIRST     offsetof(bgpvpn_local_route, communities)
#define CONFIG_FIRST          offsetof(bgpvpn_config, restarted)

/* A time at which something is owed; owner tells the object that embeds it. */
enum { TIMER_CONN, TIMER_NEIGHBOR };
typedef struct timer {
    heap_node node;
    uint8_t owner;
} timer;

typedef struct rd {
    map_node node;
    uint32_t refs;
    uint8_t bytes[BGPVPN_RD_LEN];
    struct vrf *vrf; /* the local VRF that has it */
} rd;

enum { HOP_UNKNOWN, HOP_UP, HOP_DOWN };
typedef struct hop {
    map_node node;
    uint64_t id;
    uint32_t refs;
    uint32_t metric;
    bgpvpn_addr addr;
    uint8_t state;
    bool queued; /* for ASK_NEXT_HOP */
    struct hop *next_ask;
} hop;

/* An attribute set: canonical bytes, and what the decision and the filters want of them. */
typedef struct attrs {
    map_node node;
    uint32_t refs;
    uint32_t local_pref;
    uint32_t med;
    uint32_t first_as; /* 0: an empty path */
    uint32_t originator;
    uint16_t path_len;
    uint16_t clusters;
    uint8_t origin;
    bool no_export;
    bool no_advertise;
    uint32_t targets; /* bits of its route targets */
    hop *hop;         /* NULL: this speaker */
    uint32_t len;
    uint8_t bytes[];
} attrs;

typedef struct path {
    uint32_t next; /* of the same dest; the best one is first */
    uint32_t source;
    attrs *attrs;
    uint32_t label;
    uint16_t round; /* of its neighbour's family when it was last announced */
    uint16_t reserved;
} path;

enum {
    DEST_LIVE = 1 << 0,
    DEST_BEST = 1 << 1,  /* the first path is the chosen one */
    DEST_MULTI = 1 << 2, /* the best route has come from more than one source */
    DEST_SENT = 1 << 3,  /* it has been announced to someone */
    DEST_LABEL_QUEUED = 1 << 4,
    DEST_LABEL_MOVED = 1 << 5 /* it has changed since it asked for a label */
};
enum { LABEL_IDLE, LABEL_WANTED, LABEL_ASKED, LABEL_HELD, LABEL_STALE, LABEL_FREEING };

typedef struct dest {
    uint32_t next; /* in its hash bucket */
    uint32_t paths;
    rd *rd; /* NULL in unicast tables */
    uint64_t version;
    uint32_t source; /* of the best route, now or last */
    uint32_t label;  /* our own */
    uint32_t label_next;
    uint32_t cands;
    uint32_t targets; /* bits of all route targets that it has had */
    uint8_t table;
    uint8_t prefix_len;
    uint8_t flags;
    uint8_t label_state;
    uint8_t prefix[]; /* 4 or 16 bytes, then a generation of 4 that outlives it */
} dest;

typedef struct cand {
    uint32_t next_of_dest;
    uint32_t next_of_vroute;
    uint32_t dest;
    uint32_t vroute;
} cand;

typedef struct vroute {
    uint32_t next; /* in its hash bucket */
    uint32_t cands;
    uint32_t next_dirty;
    uint8_t dirty;
    uint8_t reported;
    uint8_t family;
    uint8_t prefix_len;
    struct vrf *vrf;
    uint8_t prefix[16];
} vroute;

typedef struct vrf {
    map_node node;
    struct vrf *next;
    rd *rd;
    uint32_t number;
    uint32_t routes; /* vroutes */
    uint32_t locals; /* local paths */
    uint64_t stamp;  /* the last import round that chose it */
    bool removing;
    size_t export_len;
    uint8_t *export_rts;
} vrf;

/* One import route target of one VRF. */
typedef struct import_rt {
    map_node node;
    vrf *vrf;
    struct import_rt *next; /* of the engine */
    uint8_t rt[8];
} import_rt;

/* Linear hashing of handles: grows by one bucket at a time, never all at once. */
typedef struct hash_index {
    pool buckets; /* of uint32_t */
    uint32_t level;
    uint32_t split;
} hash_index;

enum { ACT_SKIP, ACT_ANNOUNCE, ACT_WITHDRAW };
typedef struct act {
    const attrs *attrs; /* NULL: a withdrawal */
    uint64_t version;   /* the dest's: with another one it has changed, and comes again */
    uint32_t dest;
    uint32_t source;
    uint32_t targets; /* the dest's */
    uint8_t kind;
    uint8_t table;
    bool fresh; /* nobody has been told of the dest before */
    bool lost;  /* a withdrawal because the route target is not wanted any more */
    bool self;  /* own next hop */
    bool multi;
    bool done;
} act;

/* Where someone is in the changes, or in the table. */
typedef struct reader {
    uint64_t synced; /* everything up to this version was handed on */
    uint64_t target; /* of a walk: synced when it is over */
    uint64_t at;     /* next journal version, or next handle of the walk */
    bool walking;
    uint32_t full;        /* tables of which all is wanted, not only what is new */
    uint32_t targets;     /* bits of route targets of which all is wanted */
    uint32_t count, left; /* acts in the window, and not yet done */
    act window[WINDOW];
} reader;

typedef struct policy {
    bgpvpn_addr local; /* own next hop */
    uint32_t tables;
    uint32_t remote_as; /* 0: internal, all alike */
    uint8_t internal;
    uint8_t client;
    uint8_t self;
    uint8_t as_size;
    uint16_t message_max;
} policy;

typedef struct group {
    struct group *next;
    policy policy;
    uint32_t number;
    uint32_t members;
    uint64_t head, tail; /* bytes ever written to, and dropped from, the ring */
    reader reader;
    size_t cap;
    uint8_t *bytes;
} group;

/* The head of a record in a group's ring; the message follows. */
typedef struct record {
    uint64_t synced; /* who stands before it has everything up to here */
    uint32_t source; /* who is not told, or told a withdrawal */
    uint16_t len;
    uint8_t multi;
    uint8_t table;
    uint32_t announced;
    uint32_t withdrawn;
    uint32_t targets; /* of its dests */
    uint32_t fresh;   /* 1: nobody has been told of them before */
} record;

typedef struct conn {
    map_node node;
    struct conn *next, *prev;              /* of the engine */
    struct conn *ready_next, **ready_link; /* link NULL: not in the list */
    struct neighbor *neighbor;
    timer timer;
    uint64_t id, ask_id;
    uint64_t neighbor_id; /* outlives the neighbour */
    bgpvpn_addr local, peer;
    uint64_t hold_at, keepalive_at, close_at, ask_at, delay_at, send_hold_at;
    uint64_t credit, send_hold_ms;
    uint32_t as, router_id, tables, capabilities;
    uint32_t send_refresh, send_eor; /* tables */
    uint32_t send_begin, send_end;   /* tables whose refresh begins, or has ended */
    uint16_t hold_s;
    uint8_t state, incoming, up;
    bool send_open, send_keepalive, send_notification;
    bool closing; /* a last NOTIFICATION goes out */
    bool closed;  /* event CLOSE is due */
    uint8_t reason, code, subcode;
    uint16_t data_len;
    uint8_t data[256];
    uint16_t rx_len, tx_len, tx_at;
    bgpvpn_restart restart; /* the peer's; all zero: none */
    bool graceful;          /* both have announced graceful restart */
    bool extended;          /* we announced extended messages: rx and tx are large */
    uint8_t *rx, *tx;
    uint8_t *large;
    uint8_t small[2][BGPVPN_MESSAGE_MAX];
} conn;

/*
 * The routes of one family that a neighbour has sent. A new round marks them all: those announced
 * again join it, the others are stale, though used. What is older than swept is gone, and taken out
 * by the next scan. Differences count, so there may be 32767 rounds while a scan is under way.
 */
typedef struct family {
    uint16_t round;
    uint16_t swept;
    uint32_t live;   /* routes that are not swept */
    uint32_t fresh;  /* those of this round */
    bool refreshing; /* between BoRR and EoRR */
    bool max_told;   /* MAX_PREFIXES, and not fewer since */
    bool many_told;  /* the warning has been given */
} family;

/*
 * What VPN routes a neighbour wants (RFC 4684). Of a route target a bit is kept, one of 32 by a
 * keyed hash: bits that do not meet say that a route cannot concern the neighbour, those that do
 * say that it may.
 */
typedef struct target {
    uint8_t key[12]; /* route target, then origin AS */
    uint8_t len;     /* of the route target: 0 to 64 bits */
    uint8_t reserved;
    uint16_t round; /* as its path's */
} target;

typedef struct targets {
    target *list; /* in order of key and length */
    uint32_t count, cap;
    uint32_t shorter;      /* those that are not whole route targets */
    uint32_t bits;         /* of all of them */
    uint32_t gained, lost; /* bits that came and went since the last walk ended */
    uint64_t wait_at;      /* its End-of-RIB is waited for until then */
    bool open;             /* VPN routes may be sent */
    bool all;              /* there were too many */
} targets;

typedef struct neighbor {
    struct neighbor *next; /* in order of ids */
    map_node node;         /* by address */
    bgpvpn_neighbor_config cfg;
    timer timer;
    uint64_t id;
    uint64_t retry_at;   /* dial, or leave Idle */
    uint64_t restart_at; /* the peer should be back */
    uint64_t stale_at;   /* what it has not announced again goes */
    uint32_t stale;      /* tables kept over its restart */
    uint32_t eor_seen;   /* tables whose End-of-RIB has come in this session */
    bool was_up;
    uint32_t index;
    family families[TABLES];
    targets targets;
    uint8_t rest; /* Idle or Active: its state without a connection */
    bool dynamic, shutdown, removing, limit_told;
    bool over_limit; /* its session is ended for max_prefixes */
    uint32_t fails;
    conn *out, *in;
    conn *up; /* the Established one */
    uint64_t established_ms;
    group *group;
    reader *walk;              /* while it is sent the table */
    bool walk_due;             /* ... or is about to be */
    uint32_t walk_full;        /* ... all of these tables */
    uint32_t eor;              /* tables that End-of-RIB follows */
    uint32_t refresh_end;      /* tables that the end of a refresh follows */
    uint64_t join_at;          /* where it joins the group's ring after that */
    uint64_t ring_at;          /* where it is in the ring */
    uint64_t synced;           /* everything up to this version was handed on */
    bgpvpn_neighbor_info info; /* counters, and what the last session left */
} neighbor;

typedef struct range {
    struct range *next;
    uint64_t id;
    bgpvpn_neighbor_config cfg;
} range;

struct bgpvpn_engine {
    alloc alloc;
    bgpvpn_config cfg;
    drbg drbg;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint64_t now_ms, next_id;
    ring events;
    heap timers;

    map conns_by_id;
    conn *conns, *turn;
    uint32_t conn_count, closed_count, asks;
    /*
     * Who may have something to send: all, but when the engine is quiet; then those in the list of
     * ready ones, and where there is news and a group has something to tell of it, all again.
     */
    conn *ready, **ready_end;
    bool quiet;
    bool news; /* the table has changed since the groups were asked */
    bool busy; /* a search for something to send was broken off */

    neighbor *neighbors;
    map neighbors_by_addr;
    neighbor **by_index;
    uint32_t index_cap, neighbor_count, established;
    range *ranges;
    uint32_t range_count;

    map attr_sets, hops, rds;
    hop *asks_head, *asks_tail;
    pool dests4, dests6, paths, cands, vroutes;
    hash_index dest_index, vroute_index;
    uint32_t *journal;
    uint64_t version;   /* of the table, and of the newest journal entry */
    uint64_t pathless;  /* dests without a path, which wait for everybody to know it */
    uint64_t reaped;    /* journal entries looked at for dests to free */
    uint64_t lost;      /* the newest version that went off the journal before that; 0: none */
    uint64_t scan_at;   /* next handle of the background scan */
    uint64_t scan_left; /* dests it still has to visit */
    bool deferring;     /* no route is chosen or told yet, but what we import (RFC 4724 4.1) */
    uint64_t defer_at;  /* that ends at the latest */
    uint64_t rescue_at; /* when an import that found no memory is tried again */

    map vrfs_by_number, imports;
    vrf *vrfs;
    import_rt *import_list;
    uint32_t vrf_count;
    uint64_t stamp;
    uint32_t dirty_head, dirty_tail; /* vroutes */
    uint32_t label_head, label_tail; /* dests */

    group *groups;
    uint32_t group_count, group_number;
    uint64_t updates_encoded, group_rejoins;
    bool targets_used; /* what VRFs import is in the RIB, for peers to know */

    /* An attribute set or a path in the making: one allocation, larger once a neighbour may send
       extended messages. */
    uint8_t *scratch, *scratch2;
    size_t scratch_size; /* of each */
};

/* Whether a getter may write: only then does it take an item from a queue. */
static inline bool bgpvpn__size_known(uint32_t struct_size, size_t first_size)
{
    return struct_size >= first_size && struct_size <= VERSIONED_MAX_SIZE;
}

/* engine.c */
uint64_t bgpvpn__now(bgpvpn_engine *e, uint64_t now_ms);
/* The same for a request after which anyone may have something to send. */
uint64_t bgpvpn__stir(bgpvpn_engine *e, uint64_t now_ms);
/* What scratch holds is lost where it grows; false: out of memory, and it stays. */
bool bgpvpn__scratch_reserve(bgpvpn_engine *e, size_t size);
uint64_t bgpvpn__jitter_ms(bgpvpn_engine *e, uint64_t ms);
bool bgpvpn__events_ok(const bgpvpn_engine *e);
void bgpvpn__emit(bgpvpn_engine *e, const bgpvpn_event *ev);
void bgpvpn__describe(const bgpvpn_engine *e, uint32_t handle, const path *p,
                      bgpvpn_path_info *out);

/* attrs.c */
rd *bgpvpn__rd_get(bgpvpn_engine *e, const uint8_t bytes[BGPVPN_RD_LEN]);
rd *bgpvpn__rd_find(const bgpvpn_engine *e, const uint8_t bytes[BGPVPN_RD_LEN]);
void bgpvpn__rd_put(bgpvpn_engine *e, rd *r);
hop *bgpvpn__hop_find(const bgpvpn_engine *e, const bgpvpn_addr *addr);
bgpvpn_rc bgpvpn__attrs_get(bgpvpn_engine *e, const uint8_t *bytes, size_t len,
                            const bgpvpn_addr *next_hop, attrs **out);
void bgpvpn__attrs_put(bgpvpn_engine *e, attrs *a);
/* LARGE_COMMUNITIES without repeats (RFC 8092 3); uses e->scratch2. */
void bgpvpn__attrs_put_large(bgpvpn_engine *e, wire_writer *w, uint8_t flags, const uint8_t *value,
                             size_t len);
/* Canonical bytes of an UPDATE's attributes, in e->scratch. */
size_t bgpvpn__attrs_canonical(bgpvpn_engine *e, const bgpvpn_update *u);
bool bgpvpn__attrs_find(const attrs *a, uint8_t type, const uint8_t **value, size_t *len);
bool bgpvpn__as_path_has(const uint8_t *path, size_t len, uint32_t as);

/* targets.c: route target membership (RFC 4684) */
uint32_t bgpvpn__target_bit(const bgpvpn_engine *e, const uint8_t rt[RT_LEN]);
/* Whether a neighbour is sent only what it asks for; and whether it asks for a route. */
bool bgpvpn__targets_filter(const neighbor *n, uint32_t table);
bool bgpvpn__targets_want(const bgpvpn_engine *e, const neighbor *n, const uint8_t *communities,
                          size_t len);
/* Bits of what it wants, or wanted until lately. */
uint32_t bgpvpn__targets_bits(const neighbor *n);
/* The session is up: NOMEM, or what VRFs import is in the RIB. */
bgpvpn_rc bgpvpn__targets_begin(bgpvpn_engine *e, neighbor *n, const conn *c);
void bgpvpn__targets_end(bgpvpn_engine *e, neighbor *n);
/* It has told all, or has had the time for it: VPN routes follow. */
void bgpvpn__targets_open(bgpvpn_engine *e, neighbor *n);
/* Makes room for so many more; false: out of memory. */
bool bgpvpn__targets_reserve(bgpvpn_engine *e, neighbor *n, uint32_t more);
void bgpvpn__targets_add(bgpvpn_engine *e, neighbor *n, const uint8_t *prefix, uint8_t prefix_len,
                         uint16_t round);
void bgpvpn__targets_remove(bgpvpn_engine *e, neighbor *n, const uint8_t *prefix,
                            uint8_t prefix_len);
void bgpvpn__targets_purge(bgpvpn_engine *e, neighbor *n);
/* A VRF imports the route target from now on, or no VRF does any more. */
bgpvpn_rc bgpvpn__targets_import(bgpvpn_engine *e, const uint8_t rt[RT_LEN]);
void bgpvpn__targets_forget(bgpvpn_engine *e, const uint8_t rt[RT_LEN]);

/* rib.c */
dest *bgpvpn__dest(const bgpvpn_engine *e, uint32_t handle);
uint64_t bgpvpn__dest_id(const bgpvpn_engine *e, uint32_t handle);
uint32_t bgpvpn__dest_by_id(const bgpvpn_engine *e, uint64_t id);
void bgpvpn__dest_prefix(const dest *d, bgpvpn_addr *out);
path *bgpvpn__path(const bgpvpn_engine *e, uint32_t handle);
path *bgpvpn__best(const bgpvpn_engine *e, const dest *d);
bool bgpvpn__path_usable(const bgpvpn_engine *e, const dest *d, const path *p);
/* Below 0: a is better. Across dests, where the elimination by MED is not defined. */
int bgpvpn__compare(const bgpvpn_engine *e, const path *a, const path *b);
/* The dest at a place of the table, or 0; places go from 0 up to bgpvpn__rib_size, exclusive. */
uint32_t bgpvpn__rib_walk(const bgpvpn_engine *e, uint64_t at);
uint64_t bgpvpn__rib_size(const bgpvpn_engine *e);
bool bgpvpn__rib_reserve(bgpvpn_engine *e, uint32_t table, uint32_t n);
bgpvpn_rc bgpvpn__rib_set(bgpvpn_engine *e, uint32_t table, const uint8_t *rd_bytes,
                          const bgpvpn_addr *prefix, uint32_t source, attrs *a, uint32_t label);
bool bgpvpn__rib_remove(bgpvpn_engine *e, uint32_t table, const rd *r, const bgpvpn_addr *prefix,
                        uint32_t source);
void bgpvpn__rib_touch(bgpvpn_engine *e, uint32_t handle);
void bgpvpn__rib_rescan(bgpvpn_engine *e);
/* Marks what the neighbour has sent of the tables; what is not announced again can be swept. */
void bgpvpn__rib_mark(neighbor *n, uint32_t tables);
void bgpvpn__rib_sweep(bgpvpn_engine *e, neighbor *n, uint32_t tables);
bool bgpvpn__rib_work(bgpvpn_engine *e, uint32_t *budget);
void bgpvpn__rib_release(bgpvpn_engine *e, uint32_t handle);
void bgpvpn__rib_end(bgpvpn_engine *e);

/* index.c: linear hashing */
void bgpvpn__index_init(hash_index *x);
uint32_t *bgpvpn__index_bucket(const hash_index *x, uint64_t hash);
bool bgpvpn__index_ready(hash_index *x, const alloc *a);
/* After an insertion: one more bucket where there are fewer than items. *low, *high: the bucket
 * that is split, whose items the caller deals out anew, and the new one. */
bool bgpvpn__index_grow(hash_index *x, const alloc *a, uint32_t items, uint32_t **low,
                        uint32_t **high);
void bgpvpn__index_end(hash_index *x, const alloc *a);

/* vrf.c */
void bgpvpn__import(bgpvpn_engine *e, uint32_t handle);
void bgpvpn__vrf_settle(bgpvpn_engine *e);
void bgpvpn__vrf_end(bgpvpn_engine *e);
void bgpvpn__route_dirty(bgpvpn_engine *e, const dest *d);

/* label.c */
void bgpvpn__label_want(bgpvpn_engine *e, uint32_t handle);
void bgpvpn__label_stale(bgpvpn_engine *e, uint32_t handle);
/* Whether the dest must stay until LABEL_FREE has been polled. */
bool bgpvpn__label_drop(bgpvpn_engine *e, uint32_t handle);

/* encode.c */
/* n: the only one who is told, or NULL. */
act bgpvpn__evaluate(bgpvpn_engine *e, const group *g, const neighbor *n, uint32_t handle);
/* Packs what is alike in the window into one UPDATE; 0 when nothing of it is left. */
size_t bgpvpn__encode(bgpvpn_engine *e, const group *g, reader *r, uint8_t *buf, record *rec);
/* Turns an UPDATE of ours, in place, into the withdrawal of its prefixes; returns its length. */
size_t bgpvpn__encode_reverse(bgpvpn_engine *e, uint32_t table, uint8_t *msg, size_t len);
size_t bgpvpn__encode_end_of_rib(uint32_t table, uint8_t *buf);

/* group.c */
bgpvpn_rc bgpvpn__group_join(bgpvpn_engine *e, neighbor *n);
void bgpvpn__group_leave(bgpvpn_engine *e, neighbor *n);
void bgpvpn__group_refresh(bgpvpn_engine *e, neighbor *n, uint32_t tables);
/* What the neighbour wants has changed: it is sent, or withdrawn, what that concerns. all: these
 * tables from the beginning, End-of-RIB after them. */
void bgpvpn__group_retarget(neighbor *n, uint32_t all);
/* Routes are chosen from now on: all neighbours are told what waited for that. */
void bgpvpn__groups_selected(bgpvpn_engine *e);
/* Puts the next UPDATE for the neighbour into buf: its length; 0: none now. */
bgpvpn_rc bgpvpn__group_next(bgpvpn_engine *e, neighbor *n, uint8_t *buf, uint32_t *budget,
                             size_t *len);
uint64_t bgpvpn__group_synced(const bgpvpn_engine *e);
/* Whether a group has something to tell, or may have, since the search was broken off. */
bool bgpvpn__groups_have_news(bgpvpn_engine *e, uint32_t *budget);

/* receive.c */
bgpvpn_rc bgpvpn__receive_update(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len);

/* restart.c: graceful restart */
/* Our capability for a connection, if there is one: its value into buf. */
bool bgpvpn__restart_offer(const bgpvpn_engine *e, const conn *c, uint8_t buf[RESTART_LEN],
                           bgpvpn_capability *out);
/* What the peer's OPEN says about it; false, with zeros: nothing, or we do not want it. */
bool bgpvpn__restart_read(const neighbor *n, const bgpvpn_open *open, bgpvpn_restart *out);
/* Whether the end of the session, by a NOTIFICATION or else, is one that routes survive. */
bool bgpvpn__restart_is_soft(const conn *c, uint8_t code, uint8_t subcode);
/* Whether a Cease of ours must be a Hard Reset, so that nobody keeps routes over it. */
bool bgpvpn__restart_is_hard(const conn *c, uint8_t subcode);
/* The session is over, or up. */
void bgpvpn__restart_left(bgpvpn_engine *e, neighbor *n, const conn *c, bool soft);
void bgpvpn__restart_up(bgpvpn_engine *e, neighbor *n, const conn *c);
void bgpvpn__restart_end_of_rib(bgpvpn_engine *e, neighbor *n, uint32_t table);
/* Removes what is kept of the neighbour. */
void bgpvpn__restart_forget(bgpvpn_engine *e, neighbor *n);
void bgpvpn__restart_due(bgpvpn_engine *e, neighbor *n);
/* Route selection after our own restart: ends when all peers have told all, or at defer_at. */
void bgpvpn__restart_select(bgpvpn_engine *e);

/* session.c: the FSM of a connection */
uint8_t bgpvpn__neighbor_state(const neighbor *n);
/* TCP is there: sends OPEN. */
void bgpvpn__session_open(bgpvpn_engine *e, conn *c);
/* NOMEM: nothing changed, and the message may be handed in again. Else OK. */
bgpvpn_rc bgpvpn__session_message(bgpvpn_engine *e, conn *c, const uint8_t *msg, size_t len);
void bgpvpn__session_notify(bgpvpn_engine *e, conn *c, uint8_t code, uint8_t subcode,
                            const uint8_t *data, size_t len);
void bgpvpn__session_fault(bgpvpn_engine *e, conn *c, bgpvpn_rc why, const uint8_t *data,
                           size_t len);
/* Routes of the family have come or gone: tells about the limit, and may end the session. */
void bgpvpn__session_count(bgpvpn_engine *e, conn *c, uint32_t table);
/* RFC 4486 4: Connection Rejected, to a stranger. */
void bgpvpn__session_deny(bgpvpn_engine *e, conn *c);
/* Ends it without a NOTIFICATION; CLOSE follows unless the stream is down. */
void bgpvpn__session_end(bgpvpn_engine *e, conn *c, uint8_t reason);
void bgpvpn__session_due(bgpvpn_engine *e, conn *c);
/* A message has been handed out whole. */
void bgpvpn__session_sent(bgpvpn_engine *e, conn *c);

/* stream.c */
bgpvpn_rc bgpvpn__conn_new(bgpvpn_engine *e, const bgpvpn_addr *peer, uint8_t incoming, conn **out);
void bgpvpn__conn_attach(conn *c, neighbor *n);
void bgpvpn__conn_free(bgpvpn_engine *e, conn *c);
void bgpvpn__conn_close(bgpvpn_engine *e, conn *c);
void bgpvpn__conn_arm(bgpvpn_engine *e, conn *c);
/* It may have something to send. */
void bgpvpn__conn_ready(bgpvpn_engine *e, conn *c);
/* From here on messages may be longer (RFC 8654); false: out of memory. */
bool bgpvpn__conn_extend(bgpvpn_engine *e, conn *c);

/* neighbor.c */
bgpvpn_rc bgpvpn__neighbor_new(bgpvpn_engine *e, const bgpvpn_neighbor_config *cfg,
                               const bgpvpn_addr *addr, bool dynamic, neighbor **out);
bool bgpvpn__neighbor_config_read(const bgpvpn_neighbor_config *theirs,
                                  bgpvpn_neighbor_config *ours);
neighbor *bgpvpn__neighbor_by_addr(const bgpvpn_engine *e, const bgpvpn_addr *addr);
const range *bgpvpn__range_match(const bgpvpn_engine *e, const bgpvpn_addr *addr);
/* A connection of it has failed or ended: rests, tries again, or goes. */
void bgpvpn__neighbor_rest(bgpvpn_engine *e, neighbor *n, bool failed_to_connect);
void bgpvpn__neighbor_due(bgpvpn_engine *e, neighbor *n);
void bgpvpn__neighbor_arm(bgpvpn_engine *e, neighbor *n);
/* Frees removed neighbours whose last route has gone; all: every one. */
void bgpvpn__neighbor_settle(bgpvpn_engine *e, bool all);
bool bgpvpn__addr_same(const bgpvpn_addr *a, const bgpvpn_addr *b);

#endif
