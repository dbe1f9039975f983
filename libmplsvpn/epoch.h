/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Memory that readers may still be looking at.
 *
 * The writer unlinks a block, then retires it under the current epoch. Collecting advances the
 * epoch, and frees the blocks whose epoch every active reader has seen pass: a reader that stored
 * epoch e between two lookups has seen all that was unlinked before e, and holds nothing older.
 *
 * A reader that wakes up stores its epoch while the writer may be scanning. Both then do a
 * read-modify-write on one shared word: whoever comes second sees what the other one wrote before,
 * the writer the reader's epoch, or the reader what has been unlinked.
 */
#ifndef LIBMPLSVPN_EPOCH_H
#define LIBMPLSVPN_EPOCH_H

#include <internal/alloc.h>
#include <stdatomic.h>
#include <stdbool.h>

#define EPOCH_IDLE 0

/* The first member of every block that readers reach. */
typedef struct retired {
    struct retired *next;
    uint64_t epoch;
} retired;

typedef struct retired_queue {
    retired *head;
    retired **tail;
} retired_queue;

/* A reader's part. */
typedef struct epoch_reader {
    struct epoch_reader *next;
    _Atomic uint64_t epoch; /* EPOCH_IDLE, or the last one seen */
    bool active;            /* the reader's own copy of epoch != EPOCH_IDLE */
} epoch_reader;

typedef struct epoch {
    alloc memory;
    _Atomic uint64_t now;
    _Atomic uint64_t handshake;
    epoch_reader *readers;
    retired_queue blocks;
    size_t pending;
    size_t until_collect;
} epoch;

void mplsvpn__epoch_init(epoch *e, const alloc *memory);

/* Frees all that waits; nobody reads any more. */
void mplsvpn__epoch_close(epoch *e);

void mplsvpn__epoch_join(epoch *e, epoch_reader *r);
void mplsvpn__epoch_leave(epoch *e, epoch_reader *r);
void mplsvpn__epoch_quiesce(epoch *e, epoch_reader *r);
void mplsvpn__epoch_idle(epoch_reader *r);

/* Takes a block that no reader can find any more. */
void mplsvpn__epoch_retire(epoch *e, retired *block);

/* Begins a new epoch; what was unlinked in one before the result is out of every reader's sight. */
uint64_t mplsvpn__epoch_advance(epoch *e);

/* Frees what it can; true where nothing waits any more. */
bool mplsvpn__epoch_collect(epoch *e);

#endif
