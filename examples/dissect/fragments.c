/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fragments.h"

#include <stdlib.h>
#include <string.h>

void fragments_release(datagram *g)
{
    free(g->bytes);
    g->bytes = NULL;
    g->used = 0;
}

void fragments_free(fragment_table *t)
{
    for (size_t i = 0; i < DATAGRAMS_MAX; i++)
        if (t->datagrams[i].bytes)
            fragments_release(&t->datagrams[i]);
}

static bool same(const fragment_key *a, const fragment_key *b)
{
    return a->id == b->id && a->context == b->context && a->family == b->family &&
           a->protocol == b->protocol && memcmp(a->source, b->source, sizeof(a->source)) == 0 &&
           memcmp(a->destination, b->destination, sizeof(a->destination)) == 0;
}

static datagram *find(fragment_table *t, const fragment_key *key)
{
    datagram *oldest = &t->datagrams[0];
    for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
        datagram *g = &t->datagrams[i];
        if (g->bytes && same(&g->key, key))
            return g;
        if (g->used < oldest->used)
            oldest = g;
    }
    fragments_release(oldest);
    memset(oldest, 0, sizeof(*oldest));
    oldest->bytes = malloc(DATAGRAM_BYTES);
    oldest->key = *key;
    return oldest->bytes ? oldest : NULL;
}

datagram *fragments_add(fragment_table *t, const fragment_key *key, size_t offset,
                        const uint8_t *bytes, size_t len, bool more)
{
    if (len == 0 || offset % FRAGMENT_UNIT || (more && len % FRAGMENT_UNIT) ||
        offset + len > DATAGRAM_BYTES)
        return NULL;
    datagram *g = find(t, key);
    if (!g)
        return NULL;
    g->used = ++t->clock;
    /* Only the unit at the end may have bytes that nobody sent: there is one end. */
    if (!more && g->total != 0 && g->total != offset + len)
        return NULL;
    if (!more)
        g->total = offset + len;
    for (size_t at = 0; at < len; at += FRAGMENT_UNIT) {
        const size_t unit = (offset + at) / FRAGMENT_UNIT;
        const uint8_t bit = (uint8_t)(1u << unit % 8);
        if (g->seen[unit / 8] & bit)
            continue;
        const size_t left = len - at;
        g->seen[unit / 8] |= bit;
        g->units++;
        memcpy(g->bytes + offset + at, bytes + at, left < FRAGMENT_UNIT ? left : FRAGMENT_UNIT);
    }
    /* Units beyond the end, of a datagram that contradicts itself, keep it from being whole. */
    return g->total && g->units == (g->total + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT ? g : NULL;
}
