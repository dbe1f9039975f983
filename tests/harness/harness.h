/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of all libraries share: a random stream by seed, an allocator that fails the n-th
 * call, a network on virtual time, and vectors in files. Time is a number that the test holds.
 */
#ifndef HARNESS_H
#define HARNESS_H

/* cmocka wants these four first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

/* ---- A random stream: the same seed, the same numbers, on every machine. ---- */

typedef struct prng {
    uint64_t state;
} prng;

uint64_t prng_u64(prng *p);
uint32_t prng_below(prng *p, uint32_t bound);
void prng_bytes(prng *p, uint8_t *out, size_t len);

/* ---- An allocator with a plan to fail. ---- */

/*
 * Hand (fail_alloc_resize, &f) to a library as its allocator. Call fail_at (1 is the first) returns
 * NULL; 0 never fails. live is the number of blocks not yet freed.
 */
typedef struct fail_alloc {
    uint64_t calls;
    uint64_t fail_at;
    int64_t live;
} fail_alloc;

void *fail_alloc_resize(void *user, void *ptr, size_t size);

/*
 * Runs scenario(f, user) with every allocation failing in turn, until one run makes fewer calls
 * than the n-th, and asserts after each that no block is left. The scenario must clean up whatever
 * happened, and assert for itself that a failure was reported and lost nothing.
 */
void assert_survives_every_allocation_failure(void (*scenario)(fail_alloc *f, void *user),
                                              void *user);

/* ---- A network on virtual time. ---- */

typedef struct vnet_rules {
    uint32_t loss_ppm;      /* datagrams lost, of a million */
    uint32_t duplicate_ppm; /* delivered twice */
    uint32_t reorder_ppm;   /* delayed by up to reorder_ms beyond the others */
    uint32_t delay_ms;      /* one way */
    uint32_t jitter_ms;     /* up to this much more, order kept between equal arrivals only */
    uint32_t reorder_ms;
} vnet_rules;

typedef struct vnet vnet;

typedef struct vnet_datagram {
    uint64_t at_ms; /* arrives */
    uint64_t order; /* breaks ties: first sent, first in */
    uint32_t from;  /* whatever the test means by them: a node, a node and a link, ... */
    uint32_t to;
    uint64_t tag; /* the test's own */
    size_t len;
    uint8_t *bytes;
} vnet_datagram;

vnet *vnet_new(uint64_t seed, const vnet_rules *rules);
void vnet_free(vnet *n);
void vnet_set_rules(vnet *n, const vnet_rules *rules);

/* Copies the bytes; the rules decide what becomes of them. */
void vnet_send(vnet *n, uint64_t now_ms, uint32_t from, uint32_t to, uint64_t tag,
               const uint8_t *bytes, size_t len);

/* When the next datagram arrives; UINT64_MAX when none is under way. */
uint64_t vnet_deadline(const vnet *n);

/* Takes one datagram that has arrived by now_ms; free its bytes with vnet_release. */
bool vnet_receive(vnet *n, uint64_t now_ms, vnet_datagram *out);
void vnet_release(vnet_datagram *d);

/* ---- Vectors in files. ---- */

/*
 * Records of "name = value" lines, separated by blank lines; '#' begins a comment line. A value is
 * hex (spaces allowed), a number or text, as the reader asks. A line that begins with white space
 * continues the value above. The first comment of a file says where its bytes come from.
 */
typedef struct vectors vectors;

/* Relative to tests/, such as "gre/vectors/rfc2890.txt". Fails the test when there is no file. */
vectors *vectors_open(const char *path);
void vectors_close(vectors *v);
bool vectors_next(vectors *v);
bool vectors_has(const vectors *v, const char *name);
const char *vectors_text(const vectors *v, const char *name);
uint64_t vectors_number(const vectors *v, const char *name);

/* Bytes that live until the next vectors_next; the test fails where the field is missing. */
const uint8_t *vectors_hex(vectors *v, const char *name, size_t *len);

/* The bytes of a hex string, into out; returns their number, and fails the test on a bad digit. */
size_t hex_bytes(const char *hex, uint8_t *out, size_t cap);

/* Fails with both byte strings in hex. */
void assert_bytes(const uint8_t *actual, size_t actual_len, const uint8_t *expected,
                  size_t expected_len);

/* The same, expected given as hex. */
void assert_hex(const uint8_t *actual, size_t actual_len, const char *expected);

#endif
