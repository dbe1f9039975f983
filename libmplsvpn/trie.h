/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Routes by prefix: a trie that takes six bits at each node. A node has a bitmap of the 63 prefixes
 * of 0 to 5 bits that may end in it and one of its 64 children, and an array with an item for each
 * bit that is set. A node is never changed but for its items: what needs another bitmap makes a new
 * node and swings one pointer, so readers see a route before or after, and an update costs one node
 * and, for the first route in some region, the chain of nodes that leads there.
 *
 * An item may be NULL: the hole of a route that was removed when there was no memory for a smaller
 * node. Removal thus never fails; the hole goes with the node's next copy.
 */
#ifndef LIBMPLSVPN_TRIE_H
#define LIBMPLSVPN_TRIE_H

#include "epoch.h"

#include <mplsvpn/table.h>

typedef struct trie_route {
    retired retired;
    mplsvpn_addr prefix; /* scope and port 0, bits beyond the prefix 0 */
    mplsvpn_hop hop;
} trie_route;

typedef struct trie_node trie_node;

typedef struct trie {
    _Atomic(trie_node *) root;
} trie;

/* The route of the longest prefix that covers an address, or NULL. Any thread. */
const trie_route *mplsvpn__trie_lookup(const trie *t, const mplsvpn_addr *address);

/* The route of exactly this prefix, or NULL. */
const trie_route *mplsvpn__trie_find(const trie *t, const mplsvpn_addr *prefix);

/* Adds a route or replaces that of equal prefix: 1 added, 0 replaced, -1 no memory. */
int mplsvpn__trie_set(trie *t, epoch *e, trie_route *route);

/* Takes the route of exactly this prefix out; false where there is none. */
bool mplsvpn__trie_remove(trie *t, epoch *e, const mplsvpn_addr *prefix);

/* The first route after a prefix, by address, then length; the very first where after is NULL. */
const trie_route *mplsvpn__trie_next(const trie *t, const mplsvpn_addr *after);

/* Empties a trie. */
void mplsvpn__trie_clear(trie *t, epoch *e);

#endif
