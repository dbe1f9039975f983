/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

enum {
    FAR_AHEAD = 1 << 20, /* no window of a BGP speaker is larger: it is another stream */
    FIRST_BYTES = 4096,
    KEPT_BYTES = 16384 /* an empty buffer of more is given back */
};

static int32_t ahead(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static void drop_later(stream_state *s, size_t index)
{
    s->later_bytes -= s->later[index].len;
    free(s->later[index].bytes);
    s->later_count--;
    memmove(&s->later[index], &s->later[index + 1], (s->later_count - index) * sizeof(s->later[0]));
}

static void clear(stream_state *s)
{
    while (s->later_count > 0)
        drop_later(s, 0);
    free(s->bytes);
    s->bytes = NULL;
    s->len = s->cap = 0;
}

void streams_free(stream_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        clear(&t->states[i]);
    t->count = 0;
}

static bool same(const stream_key *a, const stream_key *b)
{
    return a->context == b->context && a->source_port == b->source_port &&
           a->destination_port == b->destination_port && a->family == b->family &&
           memcmp(a->source, b->source, sizeof(a->source)) == 0 &&
           memcmp(a->destination, b->destination, sizeof(a->destination)) == 0;
}

static stream_state *find(stream_table *t, const stream_key *key)
{
    for (size_t i = 0; i < t->count; i++)
        if (same(&t->states[i].key, key))
            return &t->states[i];
    return NULL;
}

stream_state *streams_get(stream_table *t, const stream_key *key)
{
    stream_state *s = find(t, key);
    if (!s) {
        s = &t->states[0];
        if (t->count < STREAMS_MAX) {
            s = &t->states[t->count++];
        } else {
            for (size_t i = 1; i < STREAMS_MAX; i++)
                if (t->states[i].used < s->used)
                    s = &t->states[i];
            clear(s);
        }
        memset(s, 0, sizeof(*s));
        s->key = *key;
    }
    s->used = ++t->clock;
    return s;
}

stream_state *streams_find_reverse(stream_table *t, const stream_key *key)
{
    stream_key reverse = *key;
    memcpy(reverse.source, key->destination, sizeof(reverse.source));
    memcpy(reverse.destination, key->source, sizeof(reverse.destination));
    reverse.source_port = key->destination_port;
    reverse.destination_port = key->source_port;
    return find(t, &reverse);
}

/* A SYN: whatever was before belongs to another connection. */
void stream_begin(stream_state *s, uint32_t next)
{
    if (s->begun && s->next == next && s->len == 0)
        return; /* the same SYN again */
    clear(s);
    s->begun = true;
    s->lost = false;
    s->next = next;
    s->acked_known = false;
    s->open_seen = s->as4 = false;
}

void stream_acknowledge(stream_state *s, uint32_t acknowledgment)
{
    if (!s->acked_known || ahead(acknowledgment, s->acked) > 0)
        s->acked = acknowledgment;
    s->acked_known = true;
}

static bool append(stream_state *s, const uint8_t *bytes, size_t len)
{
    if (len > STREAM_BYTES_MAX - s->len)
        return false;
    if (s->len + len > s->cap) {
        size_t cap = s->cap ? s->cap : FIRST_BYTES;
        while (cap < s->len + len)
            cap *= 2;
        uint8_t *grown = realloc(s->bytes, cap);
        if (!grown)
            return false;
        s->bytes = grown;
        s->cap = cap;
    }
    if (len > 0)
        memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
    return true;
}

/* Bytes are gone for good: what there is of a message cannot be completed. */
static void skip_to(stream_state *s, uint32_t next)
{
    s->len = 0;
    s->lost = true;
    s->next = next;
}

/* Appends what follows, of bytes that begin at or before the one that is due. */
static size_t take(stream_state *s, uint32_t sequence, const uint8_t *bytes, size_t len,
                   size_t *skipped, bool *failed)
{
    const int32_t old = ahead(s->next, sequence);
    *skipped = old > 0 ? (size_t)old : 0;
    if (*skipped >= len)
        return 0;
    if (!append(s, bytes + *skipped, len - *skipped)) {
        skip_to(s, sequence + (uint32_t)len);
        *failed = true;
        return 0;
    }
    s->next = sequence + (uint32_t)len;
    return len - *skipped;
}

static void keep_later(stream_state *s, uint32_t sequence, const uint8_t *bytes, size_t len,
                       stream_result *r)
{
    size_t at = 0;
    while (at < s->later_count && ahead(s->later[at].sequence, sequence) < 0)
        at++;
    if (at < s->later_count && s->later[at].sequence == sequence && s->later[at].len >= len) {
        r->repeated = true;
        return;
    }
    r->out_of_order = true;
    uint8_t *copy = malloc(len);
    if (!copy) {
        r->no_memory = true;
        return;
    }
    memcpy(copy, bytes, len);
    memmove(&s->later[at + 1], &s->later[at], (s->later_count - at) * sizeof(s->later[0]));
    s->later[at] = (later_segment){sequence, (uint32_t)len, copy};
    s->later_count++;
    s->later_bytes += len;
}

/* What waited and may come now; what the peer has acknowledged although we never saw it is lost. */
static void take_later(stream_state *s, bool give_up, stream_result *r)
{
    while (s->later_count > 0) {
        const later_segment *first = &s->later[0];
        const int32_t gap = ahead(first->sequence, s->next);
        if (gap > 0) {
            const bool acked = s->acked_known && ahead(s->acked, first->sequence) >= 0;
            /* Not while there is something that nobody has looked at yet. */
            if ((!acked && !give_up) || r->added > 0)
                return;
            r->missing += (uint32_t)gap;
            skip_to(s, first->sequence);
            give_up = false;
        }
        size_t skipped;
        r->added += take(s, first->sequence, first->bytes, first->len, &skipped, &r->no_memory);
        drop_later(s, 0);
    }
}

static bool has_room(const stream_state *s, size_t len)
{
    return s->later_count < STREAM_LATER_MAX && s->later_bytes + len <= STREAM_LATER_BYTES;
}

stream_result stream_add(stream_state *s, uint32_t sequence, const uint8_t *bytes, size_t len,
                         size_t wire_len)
{
    stream_result r = {0};
    if (!s->begun) {
        /* The connection began before the capture did. */
        s->begun = s->lost = true;
        s->next = sequence;
    }
    if (ahead(sequence, s->next) > FAR_AHEAD || ahead(s->next, sequence) > FAR_AHEAD) {
        /* One far behind begins another stream, of which nothing is missing. */
        r.missing = ahead(sequence, s->next) > 0 ? (uint32_t)ahead(sequence, s->next) : 0;
        while (s->later_count > 0)
            drop_later(s, 0);
        skip_to(s, sequence);
    }
    if (ahead(sequence, s->next) > 0 && !has_room(s, len))
        take_later(s, true, &r);
    if (ahead(sequence, s->next) > 0 && has_room(s, len)) {
        if (len > 0)
            keep_later(s, sequence, bytes, len, &r);
        take_later(s, false, &r);
        return r;
    }
    if (ahead(sequence, s->next) > 0) {
        r.missing += (uint32_t)ahead(sequence, s->next);
        r.added = 0;
        skip_to(s, sequence);
    }
    r.own_at = s->len;
    r.own_len = take(s, sequence, bytes, len, &r.own_skip, &r.no_memory);
    r.repeated = r.own_len == 0 && wire_len > 0 && !r.no_memory;
    r.added += r.own_len;
    if (wire_len > len && ahead(sequence + (uint32_t)wire_len, s->next) > 0) {
        /* The capture has not all of it: what comes next does not follow what is there now. */
        s->next = sequence + (uint32_t)wire_len;
        r.repeated = false;
        r.cut = true;
        return r;
    }
    take_later(s, false, &r);
    return r;
}

void stream_consume(stream_state *s, size_t len)
{
    if (len >= s->len) {
        s->len = 0;
        if (s->cap > KEPT_BYTES) {
            free(s->bytes);
            s->bytes = NULL;
            s->cap = 0;
        }
        return;
    }
    memmove(s->bytes, s->bytes + len, s->len - len);
    s->len -= len;
}
