/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Messages into datagrams and back: SK (RFC 7296 3.14) and SKF (RFC 7383).
 */
#include "engine.h"

enum {
    FRAGMENT_HEAD_BYTES = 4, /* number and total */
    LENGTH_BYTES = 2         /* before each datagram of a flight */
};

void ikev2__flight_free(ikev2_engine *e, ikev2__flight *f)
{
    alloc_free(&e->mem, f->bytes);
    *f = (ikev2__flight){0};
}

ikev2_rc ikev2__flight_plain(ikev2_engine *e, const uint8_t *message, size_t len,
                             ikev2__flight *out)
{
    uint8_t *bytes = alloc_zero(&e->mem, LENGTH_BYTES + len);
    if (!bytes)
        return IKEV2_ERR_NOMEM;
    wire_set_u16(bytes, (uint16_t)len);
    memcpy(bytes + LENGTH_BYTES, message, len);
    *out = (ikev2__flight){.bytes = bytes, .len = LENGTH_BYTES + len};
    return IKEV2_OK;
}

typedef struct sealing {
    ikev2__sa *sa;
    ikev2_header header;
    uint8_t first;
    uint16_t number; /* 0: SK */
    uint16_t total;
} sealing;

static size_t overhead(const ikev2__cipher *c, bool fragment)
{
    return IKEV2_HEADER_BYTES + IKEV2__GENERIC_BYTES +
           (fragment ? (size_t)FRAGMENT_HEAD_BYTES : 0) + c->iv_bytes + c->icv_bytes;
}

/* Text, padding and pad length. */
static size_t padded(const ikev2__cipher *c, size_t len)
{
    return (len + 1 + c->block_bytes - 1) / c->block_bytes * c->block_bytes;
}

static bool seal_one(const sealing *s, const uint8_t *text, size_t len, wire_writer *w)
{
    ikev2__sa *sa = s->sa;
    const ikev2__cipher *c = &sa->cipher;
    const size_t body = padded(c, len);
    const size_t size = overhead(c, s->number > 0) + body;
    ikev2_header h = s->header;
    h.length = (uint32_t)size;
    h.next_payload = s->number > 0 ? IKEV2_PAYLOAD_SKF : IKEV2_PAYLOAD_SK;

    wire_put_u16(w, (uint16_t)size);
    const size_t start = w->len;
    ikev2__header_put(w, &h);
    /* RFC 7383 2.5: only the first fragment names the first payload. */
    wire_put_u8(w, s->number <= 1 ? s->first : IKEV2_PAYLOAD_NONE);
    wire_put_u8(w, 0);
    wire_put_u16(w, (uint16_t)(size - IKEV2_HEADER_BYTES));
    if (s->number > 0) {
        wire_put_u16(w, s->number);
        wire_put_u16(w, s->total);
    }
    const size_t aad = w->len - start;
    wire_put_zeros(w, c->iv_bytes);
    wire_put_bytes(w, text, len);
    wire_put_zeros(w, body - len - 1);
    wire_put_u8(w, (uint8_t)(body - len - 1));
    wire_put_zeros(w, c->icv_bytes);
    if (!wire_fits(w))
        return false;
    const bool own_i = sa->initiator;
    return ikev2__seal(sa->e->crypto, c, own_i ? sa->keys.ei : sa->keys.er,
                       own_i ? sa->keys.ai : sa->keys.ar, &sa->e->random, sa->iv_counter++,
                       w->buf + start, aad, body);
}

ikev2_rc ikev2__protect(ikev2__sa *sa, uint8_t exchange, bool response, uint32_t message_id,
                        const ikev2__builder *b, ikev2__flight *out)
{
    ikev2_engine *e = sa->e;
    const ikev2__cipher *c = &sa->cipher;
    const size_t len = b->w.len;
    if (!wire_fits(&b->w))
        return IKEV2_ERR_LIMIT;
    sealing s = {.sa = sa, .first = b->first};
    s.header = (ikev2_header){.spi_i = sa->spi_i,
                              .spi_r = sa->spi_r,
                              .version = IKEV2__VERSION,
                              .exchange = exchange,
                              .message_id = message_id};
    s.header.flags = (uint8_t)((sa->initiator ? IKEV2_FLAG_INITIATOR : 0) |
                               (response ? IKEV2_FLAG_RESPONSE : 0));

    size_t whole = overhead(c, false) + padded(c, len);
    size_t chunk = len;
    size_t total = 1;
    const size_t limit = e->cfg.fragment_bytes;
    if (limit > 0 && sa->peer_fragments && whole > limit) {
        /* The most text whose padded form fits a datagram. */
        chunk = (limit - overhead(c, true)) / c->block_bytes * c->block_bytes - 1;
        total = (len + chunk - 1) / chunk;
        whole = limit;
    }
    if (total > e->cfg.max_fragments || whole > UINT16_MAX)
        return IKEV2_ERR_LIMIT;
    const size_t cap = total * (LENGTH_BYTES + whole);
    uint8_t *bytes = alloc_zero(&e->mem, cap);
    if (!bytes)
        return IKEV2_ERR_NOMEM;
    wire_writer w = wire_writer_make(bytes, cap);
    bool ok = true;
    for (size_t i = 0; ok && i < total; i++) {
        const size_t at = i * chunk;
        s.number = total > 1 ? (uint16_t)(i + 1) : 0;
        s.total = (uint16_t)total;
        ok = seal_one(&s, b->w.buf + at, len - at < chunk ? len - at : chunk, &w);
    }
    if (!ok) {
        alloc_free(&e->mem, bytes);
        return IKEV2_ERR_CRYPTO;
    }
    *out = (ikev2__flight){.bytes = bytes, .len = w.len};
    return IKEV2_OK;
}

void ikev2__reassembly_free(ikev2__sa *sa)
{
    ikev2__reassembly *r = sa->reassembly;
    for (size_t i = 0; r && i < r->total; i++)
        if (r->parts[i].bytes) {
            sodium_memzero(r->parts[i].bytes, r->parts[i].len);
            alloc_free(&sa->e->mem, r->parts[i].bytes);
        }
    alloc_free(&sa->e->mem, r);
    sa->reassembly = NULL;
    ikev2__sa_set_timer(sa, IKEV2__T_REASSEMBLY, IKEV2_NEVER);
}

/* The reassembly that a fragment belongs to; NULL: none, and why is in rc. */
static ikev2__reassembly *reassembly_for(ikev2__sa *sa, const ikev2_header *h,
                                         const ikev2__sealed *f, ikev2_rc *rc)
{
    ikev2_engine *e = sa->e;
    ikev2__reassembly *r = sa->reassembly;
    const bool response = h->flags & IKEV2_FLAG_RESPONSE;
    if (r && r->message_id == h->message_id && r->response == response) {
        /* RFC 7383 2.6: fewer fragments than known is old; more means that it was cut anew. */
        if (f->total < r->total) {
            *rc = IKEV2_ERR_FRAGMENT;
            return NULL;
        }
        if (f->total == r->total)
            return r;
    }
    ikev2__reassembly *fresh =
        alloc_zero(&e->mem, sizeof(*fresh) + f->total * sizeof(fresh->parts[0]));
    if (!fresh) {
        *rc = IKEV2_ERR_NOMEM;
        return NULL;
    }
    ikev2__reassembly_free(sa);
    fresh->message_id = h->message_id;
    fresh->response = response;
    fresh->total = f->total;
    sa->reassembly = fresh;
    ikev2__sa_set_timer(sa, IKEV2__T_REASSEMBLY, e->now_ms + e->cfg.half_open_ms);
    return fresh;
}

/* Keeps one fragment, already verified; YES when the message is whole, in e->opened. */
static ikev2_rc reassemble(ikev2__sa *sa, const ikev2_header *h, const ikev2__sealed *f,
                           const uint8_t *text, size_t len, uint64_t hash)
{
    ikev2_engine *e = sa->e;
    ikev2_rc rc = IKEV2_OK;
    ikev2__reassembly *r = reassembly_for(sa, h, f, &rc);
    if (!r)
        return rc;
    ikev2__bytes *slot = &r->parts[f->number - 1];
    if (slot->bytes)
        return IKEV2_OK;
    if (len == 0 || r->bytes + len > e->cfg.max_message_bytes)
        return IKEV2_ERR_FRAGMENT;
    slot->bytes = alloc_zero(&e->mem, len);
    if (!slot->bytes)
        return IKEV2_ERR_NOMEM;
    memcpy(slot->bytes, text, len);
    slot->len = len;
    r->bytes += len;
    r->have++;
    if (f->number == 1) {
        r->first = f->first;
        r->hash = hash;
    }
    return r->have == r->total ? IKEV2_YES : IKEV2_OK;
}

static void join(ikev2__sa *sa, const uint8_t **plain, size_t *plain_len, uint8_t *first,
                 uint64_t *hash)
{
    ikev2__reassembly *r = sa->reassembly;
    size_t at = 0;
    for (size_t i = 0; i < r->total; i++) {
        memcpy(sa->e->opened + at, r->parts[i].bytes, r->parts[i].len);
        at += r->parts[i].len;
    }
    *plain = sa->e->opened;
    *plain_len = at;
    *first = r->first;
    *hash = r->hash;
    ikev2__reassembly_free(sa);
}

ikev2_rc ikev2__unprotect(ikev2__sa *sa, const ikev2_header *h, const uint8_t *buf, size_t len,
                          const uint8_t **plain, size_t *plain_len, uint8_t *first, uint64_t *hash)
{
    ikev2_engine *e = sa->e;
    ikev2__sealed sealed;
    size_t used;
    ikev2_rc rc = ikev2__sealed_find(&sa->cipher, buf, len, h->next_payload, &sealed);
    if (rc < 0)
        return rc;
    const bool fragment = sealed.number > 0;
    if (fragment && (sealed.total > e->cfg.max_fragments || !sa->peer_fragments))
        return IKEV2_ERR_FRAGMENT;
    *hash = drbg_hash(e->hash_key, buf, len);
    memcpy(e->opened, buf, len);
    const bool own_i = sa->initiator;
    rc = ikev2__sealed_open(e->crypto, &sa->cipher, own_i ? sa->keys.er : sa->keys.ei,
                            own_i ? sa->keys.ar : sa->keys.ai, e->opened, &sealed, &used);
    if (rc < 0)
        return rc;
    const uint8_t *text = e->opened + sealed.text_at;
    if (!fragment) {
        ikev2__reassembly_free(sa);
        *plain = text;
        *plain_len = used;
        *first = sealed.first;
        return IKEV2_YES;
    }
    rc = reassemble(sa, h, &sealed, text, used, *hash);
    if (rc == IKEV2_YES)
        join(sa, plain, plain_len, first, hash);
    return rc;
}
