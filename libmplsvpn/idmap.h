/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Objects by a 32-bit id: one writer, readers without locks. Open addressing with linear probing;
 * a removed object leaves a tombstone, and the array is rebuilt when it is half full of either.
 */
#ifndef LIBMPLSVPN_IDMAP_H
#define LIBMPLSVPN_IDMAP_H

#include "epoch.h"

/* The beginning of every object in a map. */
typedef struct idmap_item {
    retired retired;
    uint32_t id;
} idmap_item;

typedef struct idmap_array idmap_array;

typedef struct idmap {
    _Atomic(idmap_array *) array;
    size_t used; /* slots that are not empty, tombstones too */
    size_t count;
} idmap;

/* Any thread. */
idmap_item *mplsvpn__idmap_find(const idmap *m, uint32_t id);

/* Makes sure that the next insert cannot fail; false where there is no memory. */
bool mplsvpn__idmap_reserve(idmap *m, epoch *e);

/* An item whose id is not in the map, after a reserve. */
void mplsvpn__idmap_insert(idmap *m, idmap_item *item);

/* Takes an item out; the caller retires it. */
void mplsvpn__idmap_remove(idmap *m, idmap_item *item);

/* Walks the items in no order; begin with *slot 0. The writer's; nothing may be inserted. */
idmap_item *mplsvpn__idmap_walk(const idmap *m, size_t *slot);

/* Frees the array; the items are the caller's. */
void mplsvpn__idmap_free(idmap *m, const alloc *memory);

#endif
