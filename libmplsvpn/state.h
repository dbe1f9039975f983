/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table and what hangs off it. Whatever readers reach is atomic or never changes once it can be
 * reached; the rest is the writer's own.
 */
#ifndef LIBMPLSVPN_STATE_H
#define LIBMPLSVPN_STATE_H

#include "epoch.h"
#include "idmap.h"
#include "trie.h"

#include <internal/map.h>
#include <mplsvpn/fib.h>
#include <mplsvpn/forward.h>
#include <mplsvpn/lfib.h>

/* Reasons to drop, as results: from the first of the library's own to the last. */
#define DROP_FIRST MPLSVPN_ERR_TRUNCATED
#define DROP_LAST  MPLSVPN_ERR_ADDRESS
#define DROP_COUNT (DROP_FIRST - DROP_LAST + 1)

/* Only the reader's thread writes these; others may look. */
typedef struct reader_counters {
    _Atomic uint64_t ip_packets;
    _Atomic uint64_t labeled_packets;
    _Atomic uint64_t pushed_packets;
    _Atomic uint64_t no_headroom;
    _Atomic uint64_t drops[DROP_COUNT];
} reader_counters;

/* Keeps two readers' counters apart in the cache. */
#define READER_PADDING 64

struct mplsvpn_reader {
    epoch_reader epoch;
    mplsvpn_table *table;
    reader_counters counters;
    uint8_t padding[READER_PADDING];
};

typedef struct vrf {
    idmap_item item;
    trie ipv4;
    trie ipv6;
    uint32_t routes;
    uint32_t bound;      /* labels whose context it is */
    uint32_t interfaces; /* whose own it is */
} vrf;

/* The VRFs that an interface may enter, ascending; a value may repeat. */
typedef struct permissions {
    retired retired;
    uint32_t count;
    _Atomic uint32_t vrfs[];
} permissions;

typedef struct interface {
    idmap_item item;
    _Atomic uint32_t vrf;
    _Atomic(permissions *) allowed; /* NULL: none */
} interface;

#define CHUNK_ITEMS 64

/* Pointers to chunks of CHUNK_ITEMS; a longer directory takes the place of a shorter one. */
typedef struct directory {
    retired retired;
    size_t count;
    _Atomic(void *) chunks[];
} directory;

typedef struct label_owner {
    map_node node;
    uint64_t id;
    uint32_t head; /* links are ordinals + 1; 0 is none */
    uint32_t tail;
} label_owner;

/*
 * Labels are numbered by ordinals, upwards from the one that the seed chose, so that a node with
 * few labels has few chunks. A free label that was used before is linked into the queue of free
 * ones, a label that is not free into its owner's list.
 */
typedef struct label_record {
    label_owner *owner;
    uint32_t previous;
    uint32_t next;
    uint8_t state; /* MPLSVPN_LABEL_... */
    uint8_t queued;
} label_record;

/* What readers see of a label: one of these, or a dense entry's number plus INDEX_ENTRY. */
#define INDEX_UNBOUND  0
#define INDEX_DRAINING 1
#define INDEX_ENTRY    2

typedef struct label_chunk {
    _Atomic uint32_t index[CHUNK_ITEMS];
    label_record records[CHUNK_ITEMS];
} label_chunk;

/* A dense entry: a hop that does not change while any reader may hold its number. */
typedef struct lfib_entry {
    mplsvpn_hop hop;
    uint64_t epoch;     /* retired in */
    uint32_t next_free; /* number + 1 */
    uint32_t reserved;
} lfib_entry;

typedef struct label_list {
    uint32_t head; /* ordinal + 1 */
    uint32_t tail;
} label_list;

typedef struct lfib {
    uint32_t range; /* labels in the configured range */
    uint32_t start; /* the seeded offset */
    uint32_t fresh; /* ordinals below have been used */
    uint32_t taken; /* not free */
    uint32_t draining;
    label_list free_queue;
    uint64_t hash_key;
    map owners;
    _Atomic(directory *) labels;
    _Atomic(directory *) entries;
    uint32_t entries_used; /* dense entries ever used */
    uint32_t free_entries; /* number + 1 of the first that may be used again */
    uint32_t retired_head; /* number + 1: wait for readers, oldest first */
    uint32_t retired_tail;
    uint32_t retired_count;
} lfib;

struct mplsvpn_table {
    alloc memory;
    mplsvpn_config cfg;
    epoch epoch;
    idmap vrfs;
    idmap interfaces;
    lfib lfib;
    uint32_t routes;
    uint32_t readers;
};

/* vrf.c */
vrf *mplsvpn__vrf_find(const mplsvpn_table *t, uint32_t id);
const trie_route *mplsvpn__vrf_match(const mplsvpn_table *t, uint32_t id,
                                     const mplsvpn_addr *address, mplsvpn_rc *rc);
void mplsvpn__vrf_close(mplsvpn_table *t);

/* Checks a caller's hop and puts it in order; false where it cannot be. */
bool mplsvpn__hop_normalize(const mplsvpn_hop *in, mplsvpn_hop *out);

/* interface.c */
interface *mplsvpn__interface_find(const mplsvpn_table *t, uint32_t id);
bool mplsvpn__interface_may(const interface *i, uint32_t vrf_id);
void mplsvpn__interface_forget_vrf(mplsvpn_table *t, uint32_t vrf_id);
void mplsvpn__interface_close(mplsvpn_table *t);

/* lfib.c */
bool mplsvpn__lfib_init(mplsvpn_table *t);
void mplsvpn__lfib_close(mplsvpn_table *t);
/* The hop of a label that is not a special-purpose one; OK, NO_LABEL or DRAINING. */
mplsvpn_rc mplsvpn__lfib_find(const mplsvpn_table *t, uint32_t label, const mplsvpn_hop **out);
/* Frees the dense entries that no reader can hold; true where none waits any more. */
bool mplsvpn__lfib_collect(mplsvpn_table *t);

/* table.c */
static inline void counter_add(_Atomic uint64_t *counter)
{
    const uint64_t v = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, v + 1, memory_order_relaxed);
}

/* Counts a drop where the result is one, and hands the result on. */
mplsvpn_rc mplsvpn__count(mplsvpn_reader *r, mplsvpn_rc rc);

#endif
