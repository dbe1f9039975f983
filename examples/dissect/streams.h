/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCP streams put together from segments, as far as a capture has them: segments may come out of
 * order, twice, overlapping, or never. Buffers are bounded; what was never seen is skipped.
 */
#ifndef DISSECT_STREAMS_H
#define DISSECT_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STREAMS_MAX = 128,          /* directions of connections; the oldest makes room */
    STREAM_LATER_MAX = 32,      /* segments that wait for one before them */
    STREAM_LATER_BYTES = 65536, /* in them */
    STREAM_BYTES_MAX = 196608   /* in order, and not consumed yet */
};

typedef struct stream_key {
    uint64_t context;
    uint8_t family;
    uint8_t source[16];
    uint8_t destination[16];
    uint16_t source_port;
    uint16_t destination_port;
} stream_key;

typedef struct later_segment {
    uint32_t sequence;
    uint32_t len;
    uint8_t *bytes;
} later_segment;

/* One direction. */
typedef struct stream_state {
    stream_key key;
    uint64_t used; /* when it was last needed */
    bool begun;
    bool lost;     /* bytes are missing: the next message begins somewhere ahead */
    uint32_t next; /* the sequence number that is due */
    bool acked_known;
    uint32_t acked; /* what the peer acknowledged */
    uint8_t *bytes; /* in order, not consumed yet */
    size_t len;
    size_t cap;
    later_segment later[STREAM_LATER_MAX]; /* by sequence number */
    size_t later_count;
    size_t later_bytes;
    /* What the application learned: for BGP. */
    bool open_seen;
    bool as4;
    uint32_t as;
} stream_state;

typedef struct stream_table {
    stream_state states[STREAMS_MAX];
    size_t count; /* that were ever used */
    uint64_t clock;
} stream_table;

/* What became of a segment. */
typedef struct stream_result {
    size_t added;      /* bytes in order now, its own and those that waited */
    size_t own_at;     /* where its own bytes begin in the stream's, if any were added */
    size_t own_skip;   /* bytes at its front that were there already */
    size_t own_len;    /* its own among those added */
    uint32_t missing;  /* bytes that were given up just now */
    bool repeated;     /* nothing new */
    bool out_of_order; /* waits for those before it */
    bool cut;          /* the capture has not all of it: forget what is in the stream then */
    bool no_memory;
} stream_result;

void streams_free(stream_table *t);
/* The direction of a key, made where it is not there. */
stream_state *streams_get(stream_table *t, const stream_key *key);
/* The opposite direction; NULL: nothing of it was seen. */
stream_state *streams_find_reverse(stream_table *t, const stream_key *key);

void stream_begin(stream_state *s, uint32_t next);
void stream_acknowledge(stream_state *s, uint32_t acknowledgment);
/* A segment of wire_len bytes, of which the capture has len. */
stream_result stream_add(stream_state *s, uint32_t sequence, const uint8_t *bytes, size_t len,
                         size_t wire_len);
void stream_consume(stream_state *s, size_t len);

#endif
