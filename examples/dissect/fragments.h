/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * IP datagrams put together from fragments (RFC 791 3.2, RFC 8200 4.5). What came first counts
 * where fragments overlap; the oldest datagram that is not whole makes room.
 */
#ifndef DISSECT_FRAGMENTS_H
#define DISSECT_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DATAGRAMS_MAX = 16,
    DATAGRAM_BYTES = 65536,
    FRAGMENT_UNIT = 8,
    DATAGRAM_UNITS = DATAGRAM_BYTES / FRAGMENT_UNIT
};

typedef struct fragment_key {
    uint64_t context;
    uint32_t id;
    uint8_t family;
    uint8_t protocol;
    uint8_t source[16];
    uint8_t destination[16];
} fragment_key;

typedef struct datagram {
    uint64_t used; /* when it was last added to */
    fragment_key key;
    uint8_t *bytes; /* DATAGRAM_BYTES; NULL: free */
    size_t total;   /* 0: its last fragment has not come */
    size_t units;   /* seen */
    uint8_t seen[DATAGRAM_UNITS / 8];
} datagram;

typedef struct fragment_table {
    datagram datagrams[DATAGRAMS_MAX];
    uint64_t clock;
} fragment_table;

void fragments_free(fragment_table *t);

/* The datagram that this fragment makes whole, to be given back; NULL: none, or no memory. */
datagram *fragments_add(fragment_table *t, const fragment_key *key, size_t offset,
                        const uint8_t *bytes, size_t len, bool more);
void fragments_release(datagram *g);

#endif
