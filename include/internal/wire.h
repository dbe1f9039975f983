/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Cursors over bytes in network order.
 *
 * The reader is sticky: after a short read everything yields 0 or NULL, and left is 0. So a decoder
 * reads straight down into a local, tests wire_ok once, and only then writes its output. A nested
 * length goes through wire_sub, and the sub-cursor must be consumed exactly: wire_done says so.
 *
 * The writer counts on past the end of its buffer, so that a caller learns the size that it needs.
 */
#ifndef INTERNAL_WIRE_H
#define INTERNAL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct wire_reader {
    const uint8_t *next;
    size_t left;
    bool failed;
} wire_reader;

static inline wire_reader wire_reader_make(const uint8_t *buf, size_t len)
{
    wire_reader r = {buf, len, false};
    return r;
}

/*
 * Takes n bytes: the only way forward. NULL and a failed cursor when fewer are left; of a NULL
 * buffer none are.
 */
static inline const uint8_t *wire_get_bytes(wire_reader *r, size_t n)
{
    if (r->failed || n > r->left || (!r->next && n > 0)) {
        r->failed = true;
        r->left = 0;
        return NULL;
    }
    const uint8_t *at = r->next;
    if (n > 0)
        r->next += n;
    r->left -= n;
    return at;
}

static inline uint8_t wire_get_u8(wire_reader *r)
{
    const uint8_t *b = wire_get_bytes(r, 1);
    return b ? b[0] : 0;
}

static inline uint16_t wire_get_u16(wire_reader *r)
{
    const uint8_t *b = wire_get_bytes(r, 2);
    return b ? (uint16_t)((uint32_t)b[0] << 8 | b[1]) : 0;
}

static inline uint32_t wire_get_u24(wire_reader *r)
{
    const uint8_t *b = wire_get_bytes(r, 3);
    return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t wire_get_u32(wire_reader *r)
{
    const uint8_t *b = wire_get_bytes(r, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static inline uint64_t wire_get_u64(wire_reader *r)
{
    const uint64_t high = wire_get_u32(r);
    return high << 32 | wire_get_u32(r);
}

/* Copies n bytes to out, which is left alone when fewer are left. */
static inline void wire_get_copy(wire_reader *r, uint8_t *out, size_t n)
{
    const uint8_t *b = wire_get_bytes(r, n);
    if (b && n > 0)
        memcpy(out, b, n);
}

/* A cursor over the next n bytes, which the outer one has then consumed; it inherits a failure. */
static inline wire_reader wire_sub(wire_reader *r, size_t n)
{
    const uint8_t *b = wire_get_bytes(r, n);
    wire_reader sub = {b, r->failed ? 0 : n, r->failed};
    return sub;
}

static inline bool wire_ok(const wire_reader *r)
{
    return !r->failed;
}

/* Nothing failed and nothing is left over. */
static inline bool wire_done(const wire_reader *r)
{
    return !r->failed && r->left == 0;
}

typedef struct wire_writer {
    uint8_t *buf;
    size_t cap;
    size_t len; /* bytes wanted so far; beyond cap they were only counted */
} wire_writer;

static inline wire_writer wire_writer_make(uint8_t *buf, size_t cap)
{
    wire_writer w = {buf, cap, 0};
    return w;
}

/* Room for n bytes, or NULL where they do not fit. */
static inline uint8_t *wire_put_space(wire_writer *w, size_t n)
{
    const size_t at = w->len;
    w->len += n;
    return w->buf && at <= w->len && w->len <= w->cap ? w->buf + at : NULL;
}

static inline void wire_put_u8(wire_writer *w, uint8_t v)
{
    uint8_t *b = wire_put_space(w, 1);
    if (b)
        b[0] = v;
}

static inline void wire_set_u16(uint8_t *b, uint16_t v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static inline void wire_set_u32(uint8_t *b, uint32_t v)
{
    wire_set_u16(b, (uint16_t)(v >> 16));
    wire_set_u16(b + 2, (uint16_t)v);
}

static inline void wire_put_u16(wire_writer *w, uint16_t v)
{
    uint8_t *b = wire_put_space(w, 2);
    if (b)
        wire_set_u16(b, v);
}

static inline void wire_put_u24(wire_writer *w, uint32_t v)
{
    wire_put_u8(w, (uint8_t)(v >> 16));
    wire_put_u16(w, (uint16_t)v);
}

static inline void wire_put_u32(wire_writer *w, uint32_t v)
{
    uint8_t *b = wire_put_space(w, 4);
    if (b)
        wire_set_u32(b, v);
}

static inline void wire_put_u64(wire_writer *w, uint64_t v)
{
    wire_put_u32(w, (uint32_t)(v >> 32));
    wire_put_u32(w, (uint32_t)v);
}

static inline void wire_put_bytes(wire_writer *w, const uint8_t *bytes, size_t n)
{
    uint8_t *b = wire_put_space(w, n);
    if (b && n > 0)
        memcpy(b, bytes, n);
}

static inline void wire_put_zeros(wire_writer *w, size_t n)
{
    uint8_t *b = wire_put_space(w, n);
    if (b && n > 0)
        memset(b, 0, n);
}

/* Overwrites a field that was put earlier, such as a length known only at its end. */
static inline void wire_patch_u16(wire_writer *w, size_t at, uint16_t v)
{
    if (at + 2 <= w->len && w->len <= w->cap)
        wire_set_u16(w->buf + at, v);
}

static inline bool wire_fits(const wire_writer *w)
{
    return w->len <= w->cap;
}

#endif
