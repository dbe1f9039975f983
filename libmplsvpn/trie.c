/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "trie.h"

#include <string.h>

#define STRIDE     6
#define FANOUT     (1u << STRIDE)
#define LEVELS_MAX (128 / STRIDE + 1)
#define BIT(n)     (UINT64_C(1) << (n))

struct trie_node {
    retired retired;
    uint64_t prefixes;       /* bit (1 << length) - 1 + value: a prefix of 0 to 5 bits ends here */
    uint64_t children;       /* bit value: there is a node below */
    _Atomic(void *) items[]; /* trie_route of each prefix, then trie_node of each child */
};

typedef struct trie_step {
    _Atomic(void *) *link; /* the item that holds the node; NULL for the root */
    trie_node *node;
    unsigned value; /* the six bits of the prefix at this level */
} trie_step;

static unsigned count_bits(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

static size_t address_len(const mplsvpn_addr *a)
{
    return a->family == MPLSVPN_FAMILY_IPV4 ? 4 : 16;
}

/* Six bits of an address; zeros beyond its end. */
static unsigned value_at(const mplsvpn_addr *a, unsigned level)
{
    const unsigned bit = level * STRIDE;
    const size_t at = bit / 8;
    const unsigned high = a->bytes[at];
    const unsigned low = at + 1 < address_len(a) ? a->bytes[at + 1] : 0;
    return (high << 8 | low) >> (16 - STRIDE - bit % 8) & (FANOUT - 1);
}

static unsigned prefix_bit(unsigned value, unsigned length)
{
    return (1u << length) - 1 + (value >> (STRIDE - length));
}

/* The bits of all prefixes in a node that cover a value; a longer one has a higher bit. */
static uint64_t covering(unsigned value)
{
    return BIT(0) | BIT(1 + (value >> 5)) | BIT(3 + (value >> 4)) | BIT(7 + (value >> 3)) |
           BIT(15 + (value >> 2)) | BIT(31 + (value >> 1));
}

static unsigned prefix_index(const trie_node *n, unsigned bit)
{
    return count_bits(n->prefixes & (BIT(bit) - 1));
}

static unsigned child_index(const trie_node *n, unsigned value)
{
    return count_bits(n->prefixes) + count_bits(n->children & (BIT(value) - 1));
}

static void *item(const trie_node *n, unsigned index)
{
    return atomic_load_explicit(&n->items[index], memory_order_acquire);
}

const trie_route *mplsvpn__trie_lookup(const trie *t, const mplsvpn_addr *address)
{
    const trie_route *best = NULL;
    const trie_node *n = atomic_load_explicit(&t->root, memory_order_acquire);
    for (unsigned level = 0; n; level++) {
        const unsigned value = value_at(address, level);
        uint64_t ends = n->prefixes & covering(value);
        while (ends) {
            const unsigned bit = 63u - (unsigned)__builtin_clzll(ends);
            const trie_route *route = item(n, prefix_index(n, bit));
            if (route) {
                best = route;
                break;
            }
            ends &= ~BIT(bit);
        }
        n = n->children & BIT(value) ? item(n, child_index(n, value)) : NULL;
    }
    return best;
}

/* Walks towards the node in which a prefix ends; returns how many levels there are. */
static unsigned descend(const trie *t, const mplsvpn_addr *prefix, trie_step steps[LEVELS_MAX])
{
    const unsigned last = prefix->prefix_len / STRIDE;
    trie_node *n = atomic_load_explicit(&t->root, memory_order_acquire);
    _Atomic(void *) *link = NULL;
    unsigned level = 0;
    while (n) {
        const unsigned value = value_at(prefix, level);
        steps[level++] = (trie_step){link, n, value};
        if (level > last || !(n->children & BIT(value)))
            break;
        link = &n->items[child_index(n, value)];
        n = atomic_load_explicit(link, memory_order_acquire);
    }
    return level;
}

static unsigned end_bit(const mplsvpn_addr *prefix)
{
    return prefix_bit(value_at(prefix, prefix->prefix_len / STRIDE), prefix->prefix_len % STRIDE);
}

/* The item of the route of exactly this prefix, or NULL where there is no bit for it. */
static _Atomic(void *) *find_item(const trie_step *end, unsigned bit)
{
    return end->node->prefixes & BIT(bit) ? &end->node->items[prefix_index(end->node, bit)] : NULL;
}

const trie_route *mplsvpn__trie_find(const trie *t, const mplsvpn_addr *prefix)
{
    trie_step steps[LEVELS_MAX];
    const unsigned levels = descend(t, prefix, steps);
    if (levels != prefix->prefix_len / STRIDE + 1u)
        return NULL;
    _Atomic(void *) *at = find_item(&steps[levels - 1], end_bit(prefix));
    return at ? atomic_load_explicit(at, memory_order_acquire) : NULL;
}

static trie_node *node_new(epoch *e, uint64_t prefixes, uint64_t children)
{
    const size_t items = count_bits(prefixes) + count_bits(children);
    trie_node *n = alloc_zero(&e->memory, sizeof(*n) + items * sizeof(n->items[0]));
    if (n) {
        n->prefixes = prefixes;
        n->children = children;
    }
    return n;
}

/* A copy of a node with other bitmaps; items of new bits are NULL, those of holes are left out. */
static trie_node *node_copy(epoch *e, const trie_node *old, uint64_t prefixes, uint64_t children)
{
    for (uint64_t left = prefixes & old->prefixes; left; left &= left - 1) {
        const unsigned bit = (unsigned)__builtin_ctzll(left);
        if (!item(old, prefix_index(old, bit)))
            prefixes &= ~BIT(bit);
    }
    trie_node *n = node_new(e, prefixes, children);
    if (!n)
        return NULL;
    for (uint64_t left = prefixes & old->prefixes; left; left &= left - 1) {
        const unsigned bit = (unsigned)__builtin_ctzll(left);
        atomic_init(&n->items[prefix_index(n, bit)], item(old, prefix_index(old, bit)));
    }
    for (uint64_t left = children & old->children; left; left &= left - 1) {
        const unsigned value = (unsigned)__builtin_ctzll(left);
        atomic_init(&n->items[child_index(n, value)], item(old, child_index(old, value)));
    }
    return n;
}

/* Puts a node where a step's was; NULL only for the root. */
static void publish(trie *t, const trie_step *step, trie_node *n)
{
    if (step->link)
        atomic_store_explicit(step->link, n, memory_order_release);
    else
        atomic_store_explicit(&t->root, n, memory_order_release);
}

/* The nodes from a level down to the one in which the route's prefix ends, or NULL. */
static trie_node *chain_new(epoch *e, unsigned from, trie_route *route)
{
    const unsigned last = route->prefix.prefix_len / STRIDE;
    trie_node *n = node_new(e, BIT(end_bit(&route->prefix)), 0);
    if (n)
        atomic_init(&n->items[0], route);
    for (unsigned level = last; n && level > from; level--) {
        trie_node *above = node_new(e, 0, BIT(value_at(&route->prefix, level - 1)));
        if (above) {
            atomic_init(&above->items[0], n);
            n = above;
            continue;
        }
        for (unsigned below = level; below <= last; below++) {
            trie_node *next = below < last ? item(n, 0) : NULL;
            alloc_free(&e->memory, n);
            n = next;
        }
    }
    return n;
}

int mplsvpn__trie_set(trie *t, epoch *e, trie_route *route)
{
    trie_step steps[LEVELS_MAX];
    const unsigned levels = descend(t, &route->prefix, steps);
    const unsigned wanted = route->prefix.prefix_len / STRIDE + 1u;
    if (levels == 0) {
        trie_node *root = chain_new(e, 0, route);
        if (!root)
            return -1;
        atomic_store_explicit(&t->root, root, memory_order_release);
        return 1;
    }

    const trie_step *end = &steps[levels - 1];
    const unsigned bit = end_bit(&route->prefix);
    if (levels == wanted) {
        _Atomic(void *) *at = find_item(end, bit);
        if (at) {
            trie_route *old = atomic_load_explicit(at, memory_order_relaxed);
            atomic_store_explicit(at, route, memory_order_release);
            if (!old)
                return 1;
            mplsvpn__epoch_retire(e, &old->retired);
            return 0;
        }
        trie_node *n = node_copy(e, end->node, end->node->prefixes | BIT(bit), end->node->children);
        if (!n)
            return -1;
        atomic_init(&n->items[prefix_index(n, bit)], route);
        publish(t, end, n);
    } else {
        trie_node *below = chain_new(e, levels, route);
        trie_node *n = below ? node_copy(e, end->node, end->node->prefixes,
                                         end->node->children | BIT(end->value))
                             : NULL;
        if (!n) {
            while (below) {
                trie_node *next = below->children ? item(below, 0) : NULL;
                alloc_free(&e->memory, below);
                below = next;
            }
            return -1;
        }
        atomic_init(&n->items[child_index(n, end->value)], below);
        publish(t, end, n);
    }
    mplsvpn__epoch_retire(e, &end->node->retired);
    return 1;
}

static bool has_routes(const trie_node *n)
{
    for (unsigned i = 0; i < count_bits(n->prefixes); i++)
        if (item(n, i))
            return true;
    return false;
}

/* Drops the nodes that a removal left empty, and shrinks the one above; needs no success. */
static void shrink(trie *t, epoch *e, const trie_step *steps, unsigned levels)
{
    unsigned keep = levels - 1;
    uint64_t gone = 0; /* the child of keep that goes */
    while (!has_routes(steps[keep].node) && (steps[keep].node->children & ~gone) == 0) {
        if (keep == 0) {
            atomic_store_explicit(&t->root, NULL, memory_order_release);
            for (unsigned i = 0; i < levels; i++)
                mplsvpn__epoch_retire(e, &steps[i].node->retired);
            return;
        }
        keep--;
        gone = BIT(steps[keep].value);
    }
    const trie_node *old = steps[keep].node;
    trie_node *n = node_copy(e, old, old->prefixes, old->children & ~gone);
    if (!n)
        return;
    publish(t, &steps[keep], n);
    for (unsigned i = keep; i < levels; i++)
        mplsvpn__epoch_retire(e, &steps[i].node->retired);
}

bool mplsvpn__trie_remove(trie *t, epoch *e, const mplsvpn_addr *prefix)
{
    trie_step steps[LEVELS_MAX];
    const unsigned levels = descend(t, prefix, steps);
    if (levels != prefix->prefix_len / STRIDE + 1u)
        return false;
    _Atomic(void *) *at = find_item(&steps[levels - 1], end_bit(prefix));
    trie_route *route = at ? atomic_load_explicit(at, memory_order_relaxed) : NULL;
    if (!route)
        return false;
    atomic_store_explicit(at, NULL, memory_order_release);
    shrink(t, e, steps, levels);
    mplsvpn__epoch_retire(e, &route->retired);
    return true;
}

/* A route comes after a prefix: by address, then by length. */
static bool comes_after(const trie_route *route, const mplsvpn_addr *after)
{
    if (!after)
        return true;
    const int order = memcmp(route->prefix.bytes, after->bytes, sizeof(after->bytes));
    return order > 0 || (order == 0 && route->prefix.prefix_len > after->prefix_len);
}

static const trie_route *next_in_node(const trie_node *n, unsigned level,
                                      const mplsvpn_addr *after);

/*
 * The first route after a prefix among those of a node that begin with the length bits of value;
 * after NULL: the first of all. At six bits it is the child's turn.
 */
static const trie_route *next_below(const trie_node *n, unsigned level, unsigned length,
                                    unsigned value, const mplsvpn_addr *after)
{
    if (after) {
        /* All that is here comes before. */
        const unsigned bound = value_at(after, level) >> (STRIDE - length);
        if (value < bound)
            return NULL;
        if (value > bound)
            after = NULL;
    }
    if (length == STRIDE)
        return n->children & BIT(value)
                   ? next_in_node(item(n, child_index(n, value)), level + 1, after)
                   : NULL;
    const unsigned bit = (1u << length) - 1 + value;
    if (n->prefixes & BIT(bit)) {
        const trie_route *route = item(n, prefix_index(n, bit));
        if (route && comes_after(route, after))
            return route;
    }
    const trie_route *route = next_below(n, level, length + 1, value * 2, after);
    return route ? route : next_below(n, level, length + 1, value * 2 + 1, after);
}

static const trie_route *next_in_node(const trie_node *n, unsigned level, const mplsvpn_addr *after)
{
    return next_below(n, level, 0, 0, after);
}

const trie_route *mplsvpn__trie_next(const trie *t, const mplsvpn_addr *after)
{
    const trie_node *n = atomic_load_explicit(&t->root, memory_order_acquire);
    return n ? next_in_node(n, 0, after) : NULL;
}

static void clear(epoch *e, trie_node *n)
{
    const unsigned routes = count_bits(n->prefixes);
    for (unsigned i = 0; i < routes; i++) {
        trie_route *route = item(n, i);
        if (route)
            mplsvpn__epoch_retire(e, &route->retired);
    }
    for (unsigned i = 0; i < count_bits(n->children); i++)
        clear(e, item(n, routes + i));
    mplsvpn__epoch_retire(e, &n->retired);
}

void mplsvpn__trie_clear(trie *t, epoch *e)
{
    trie_node *root = atomic_load_explicit(&t->root, memory_order_relaxed);
    if (!root)
        return;
    atomic_store_explicit(&t->root, NULL, memory_order_release);
    clear(e, root);
}
