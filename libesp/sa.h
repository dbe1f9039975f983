/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What sealing, opening and the management of an SA share.
 */
#ifndef LIBESP_SA_H
#define LIBESP_SA_H

#include "cipher.h"
#include "window.h"

#include <esp/batch.h>
#include <esp/sa.h>
#include <internal/alloc.h>
#include <internal/wire.h>
#include <stdatomic.h>

/* Parts of the packet, as the picture in <esp/sa.h> has them. */
#define ESP__SPI_AT        0
#define ESP__SEQUENCE_AT   4
#define ESP__IV_AT         8
#define ESP__TRAILER_BYTES 2 /* pad length, next header */
#define ESP__AAD_MAX       12

/* Packets of a batch whose numbers are reserved together: bounds what lies on the stack. */
#define ESP__RESERVE_MAX 64

/* Counters of a worker: one per result, from ESP_ERR_TRUNCATED down, then these. */
enum {
    ESP__COUNT_RESULTS = ESP_ERR_TRUNCATED - ESP_ERR_CRYPTO + 1,
    ESP__COUNT_BUFFER = ESP__COUNT_RESULTS,
    ESP__COUNT_TOO_LONG,
    ESP__COUNT_PACKETS,
    ESP__COUNT_BYTES,
    ESP__COUNT_KINDS
};

#define ESP__CACHE_LINE 64

/*
 * One thread writes a worker's counters, any may read them: relaxed atomics, which cost as much as
 * plain integers. The space keeps two workers out of one cache line, wherever the array begins.
 */
typedef struct esp__worker {
    esp__cipher *cipher;
    _Atomic uint64_t counts[ESP__COUNT_KINDS];
    uint8_t space[ESP__CACHE_LINE];
} esp__worker;

struct esp_sa {
    alloc alloc;
    const esp__cipher_backend *backend;
    esp__worker *workers;
    uint32_t worker_count;
    uint32_t spi;
    uint8_t direction;
    uint8_t mode;
    esp__suite suite;
    bool esn;
    bool counts_bytes; /* a limit in bytes is in force */
    uint32_t payload_max;
    uint8_t salt[ESP__SALT_BYTES];
    uint64_t soft_packets; /* UINT64_MAX where there is none, as the other three */
    uint64_t hard_packets; /* outbound also: the last sequence number that may be used */
    uint64_t soft_bytes;
    uint64_t hard_bytes;
    esp_rc spent; /* what a packet beyond hard_packets gets */

    /* Inbound, one thread at a time. The window's top is copied for readers of the counters. */
    esp__window window;
    uint64_t opened_packets;

    uint8_t space[ESP__CACHE_LINE];    /* what follows is written by all workers at once */
    _Atomic uint64_t last_sequence;    /* outbound: reserved so far; inbound: the window's top */
    _Atomic uint64_t enciphered_bytes; /* kept only where counts_bytes */
};

static inline void esp__count(esp__worker *w, unsigned kind, uint64_t n)
{
    const uint64_t before = atomic_load_explicit(&w->counts[kind], memory_order_relaxed);
    atomic_store_explicit(&w->counts[kind], before + n, memory_order_relaxed);
}

/* Counts why a packet was dropped, and returns the reason. */
esp_rc esp__drop(esp__worker *w, esp_rc rc);

/* Extents are compared as integers: the two may belong to different objects. */
static inline bool esp__overlaps(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    const uintptr_t a_at = (uintptr_t)a;
    const uintptr_t b_at = (uintptr_t)b;
    return a_at < b_at ? b_at - a_at < a_len : a_at - b_at < b_len;
}

/* ESP_LIMIT_SOFT once a soft limit is reached by so many packets and bytes; else 0. */
static inline uint32_t esp__flags(const esp_sa *sa, uint64_t packets, uint64_t bytes)
{
    return packets >= sa->soft_packets || bytes >= sa->soft_bytes ? ESP_LIMIT_SOFT : 0;
}

/*
 * RFC 4106 5, RFC 7634 2.1: what is authenticated only: the SPI and the sequence number, all 64
 * bits of it with ESN. Returns its length.
 */
static inline size_t esp__aad(const esp_sa *sa, uint64_t sequence, uint8_t aad[ESP__AAD_MAX])
{
    wire_writer w = wire_writer_make(aad, ESP__AAD_MAX);
    wire_put_u32(&w, sa->spi);
    if (sa->esn)
        wire_put_u64(&w, sequence);
    else
        wire_put_u32(&w, (uint32_t)sequence);
    return w.len;
}

/* The bytes of a payload with padding, pad length and next header (RFC 4303 2.4). */
static inline size_t esp__padded_len(const esp_sa *sa, size_t payload_len)
{
    const size_t mask = sa->suite.alignment - 1u;
    return (payload_len + ESP__TRAILER_BYTES + mask) & ~mask;
}

/* What a packet has beside the padded payload. */
static inline size_t esp__overhead(const esp_sa *sa)
{
    return (size_t)sa->suite.header_len + sa->suite.icv_len;
}

/* The longest payload whose packet has so many bytes at most, which hold an empty one. */
static inline size_t esp__payload_max(const esp_sa *sa, size_t packet_len)
{
    const size_t mask = sa->suite.alignment - 1u;
    return ((packet_len - esp__overhead(sa)) & ~mask) - ESP__TRAILER_BYTES;
}

#endif
