/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naive.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#define VRF 7

static mplsvpn_rc set(mplsvpn_table *t, mplsvpn_addr prefix, uint64_t cookie)
{
    const mplsvpn_hop hop = tunnel_hop(1, cookie);
    return mplsvpn_route_set(t, VRF, &prefix, &hop);
}

static void the_longest_prefix_wins(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_hop hop;
    mplsvpn_addr found, a = prefix4(10, 2, 2, 102, 0);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_ERR_NO_ROUTE);
    static const uint8_t lengths[] = {0, 8, 15, 24, 31, 32};
    for (size_t i = 0; i < sizeof(lengths); i++) {
        mplsvpn_addr prefix = a;
        prefix.prefix_len = lengths[i];
        naive_mask(&prefix);
        assert_int_equal(set(t, prefix, lengths[i]), MPLSVPN_OK);
        assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_OK);
        assert_int_equal(hop.cookie, lengths[i]);
        assert_int_equal(hop.vrf, VRF);
        assert_memory_equal(&found, &prefix, sizeof(found));
    }
    a.bytes[3] = 103;
    assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_OK);
    assert_int_equal(hop.cookie, 31);
    a.bytes[0] = 11;
    assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_OK);
    assert_int_equal(hop.cookie, 0);
    assert_int_equal(table_usage(t).routes, 6);
    mplsvpn_table_free(t);
}

/* Prefixes that often share beginnings, of every length. */
static mplsvpn_addr random_prefix(prng *p, uint8_t family)
{
    const unsigned bits = family == MPLSVPN_FAMILY_IPV4 ? 32 : 128;
    mplsvpn_addr a = {.family = family, .prefix_len = (uint8_t)prng_below(p, bits + 1)};
    for (unsigned i = 0; i < bits / 8; i++)
        a.bytes[i] =
            prng_below(p, 3) ? (uint8_t)(prng_below(p, 2) * 0x81) : (uint8_t)prng_below(p, 256);
    naive_mask(&a);
    return a;
}

static mplsvpn_addr random_address(prng *p, const naive *n, uint8_t family)
{
    mplsvpn_addr a = random_prefix(p, family);
    if (n->count > 0 && prng_below(p, 2)) {
        const naive_route *r = &n->routes[prng_below(p, (uint32_t)n->count)];
        if (r->prefix.family == family)
            a = r->prefix;
        const unsigned bits = family == MPLSVPN_FAMILY_IPV4 ? 32 : 128;
        const unsigned flip = prng_below(p, bits);
        a.bytes[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
    }
    return a;
}

static void assert_same_answers(mplsvpn_table *t, mplsvpn_reader *r, naive *n, prng *p, int count)
{
    for (int i = 0; i < count; i++) {
        const uint8_t family = prng_below(p, 2) ? MPLSVPN_FAMILY_IPV4 : MPLSVPN_FAMILY_IPV6;
        const mplsvpn_addr a = random_address(p, n, family);
        const naive_route *want = naive_lookup(n, &a);
        mplsvpn_hop hop = {0}, other = {0};
        mplsvpn_addr found;
        const mplsvpn_rc rc = mplsvpn_route_lookup(t, VRF, &a, &found, &hop);
        assert_int_equal(rc, want ? MPLSVPN_OK : MPLSVPN_ERR_NO_ROUTE);
        assert_int_equal(mplsvpn_fib_lookup(r, VRF, &a, &other), rc);
        assert_memory_equal(&hop, &other, sizeof(hop));
        if (want) {
            assert_int_equal(hop.cookie, want->cookie);
            assert_memory_equal(&found, &want->prefix, sizeof(found));
        }
    }
}

static int by_order(const void *a, const void *b)
{
    const naive_route *x = a, *y = b;
    if (x->prefix.family != y->prefix.family)
        return x->prefix.family - y->prefix.family;
    const int order = memcmp(x->prefix.bytes, y->prefix.bytes, 16);
    return order ? order : x->prefix.prefix_len - y->prefix.prefix_len;
}

static void assert_same_walk(mplsvpn_table *t, naive *n)
{
    qsort(n->routes, n->count, sizeof(n->routes[0]), by_order);
    size_t i = 0;
    for (uint8_t family = MPLSVPN_FAMILY_IPV4; family <= MPLSVPN_FAMILY_IPV6; family += 2) {
        mplsvpn_addr at = {0};
        mplsvpn_hop hop;
        mplsvpn_rc rc;
        while ((rc = mplsvpn_route_next(t, VRF, family, &at, &hop)) == MPLSVPN_YES) {
            assert_true(i < n->count);
            assert_memory_equal(&at, &n->routes[i].prefix, sizeof(at));
            assert_int_equal(hop.cookie, n->routes[i].cookie);
            i++;
        }
        assert_int_equal(rc, MPLSVPN_OK);
    }
    assert_int_equal(i, n->count);
    assert_int_equal(table_usage(t).routes, n->count);
}

/* Oracle: the naive table */
static void random_changes_agree_with_the_naive_table(void **state)
{
    (void)state;
    naive *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        prng p = {seed};
        const mplsvpn_config c = table_config();
        mplsvpn_table *t = table_new(&c);
        mplsvpn_reader *r;
        n->count = 0;
        assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
        assert_int_equal(mplsvpn_reader_new(t, &r), MPLSVPN_OK);
        for (int step = 0; step < 4000; step++) {
            const uint8_t family = prng_below(&p, 2) ? MPLSVPN_FAMILY_IPV4 : MPLSVPN_FAMILY_IPV6;
            mplsvpn_addr prefix = random_prefix(&p, family);
            /* Growing, then shrinking. */
            const bool grow = prng_below(&p, 100) < (step < 2500 ? 70u : 20u);
            if (!grow && n->count > 0 && prng_below(&p, 4))
                prefix = n->routes[prng_below(&p, (uint32_t)n->count)].prefix;
            if (grow && n->count < NAIVE_MAX) {
                assert_int_equal(set(t, prefix, (uint64_t)step), MPLSVPN_OK);
                naive_set(n, &prefix, (uint64_t)step);
            } else {
                assert_int_equal(mplsvpn_route_remove(t, VRF, &prefix),
                                 naive_remove(n, &prefix) ? MPLSVPN_OK : MPLSVPN_ERR_ABSENT);
            }
            assert_same_answers(t, r, n, &p, 2);
            if (step % 500 == 0)
                assert_same_walk(t, n);
            (void)mplsvpn_reader_quiesce(r);
        }
        assert_same_answers(t, r, n, &p, 2000);
        while (n->count > 0) {
            assert_int_equal(mplsvpn_route_remove(t, VRF, &n->routes[0].prefix), MPLSVPN_OK);
            (void)naive_remove(n, &n->routes[0].prefix);
        }
        assert_same_walk(t, n);
        assert_same_answers(t, r, n, &p, 100);
        mplsvpn_table_free(t);
    }
    free(n);
}

static void a_replaced_route_keeps_its_place_and_exact_lookup_finds_it(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_hop hop;
    const mplsvpn_addr p = prefix4(10, 0, 0, 0, 8);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_get(t, VRF, &p, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(set(t, p, 1), MPLSVPN_OK);
    assert_int_equal(set(t, p, 2), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_get(t, VRF, &p, &hop), MPLSVPN_OK);
    assert_int_equal(hop.cookie, 2);
    assert_int_equal(table_usage(t).routes, 1);
    const mplsvpn_addr longer = prefix4(10, 0, 0, 0, 9);
    assert_int_equal(mplsvpn_route_get(t, VRF, &longer, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_route_remove(t, VRF, &longer), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_route_remove(t, VRF, &p), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_remove(t, VRF, &p), MPLSVPN_ERR_ABSENT);
    mplsvpn_table_free(t);
}

static void vrfs_do_not_see_each_other(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.max_vrfs = 5000;
    mplsvpn_table *t = table_new(&c);
    const mplsvpn_addr p = prefix4(10, 0, 0, 0, 8);
    for (uint32_t vrf = 0; vrf < 3000; vrf++) {
        const mplsvpn_hop hop = tunnel_hop(1, vrf);
        assert_int_equal(mplsvpn_vrf_add(t, vrf * 7919), MPLSVPN_OK);
        if (vrf % 2)
            assert_int_equal(mplsvpn_route_set(t, vrf * 7919, &p, &hop), MPLSVPN_OK);
    }
    for (uint32_t vrf = 0; vrf < 3000; vrf++) {
        mplsvpn_hop hop;
        assert_int_equal(mplsvpn_route_get(t, vrf * 7919, &p, &hop),
                         vrf % 2 ? MPLSVPN_OK : MPLSVPN_ERR_ABSENT);
        if (vrf % 2)
            assert_int_equal(hop.cookie, vrf);
    }
    for (uint32_t vrf = 0; vrf < 3000; vrf++)
        assert_int_equal(mplsvpn_vrf_remove(t, vrf * 7919), MPLSVPN_OK);
    assert_int_equal(table_usage(t).vrfs, 0);
    assert_int_equal(table_usage(t).routes, 0);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(table_usage(t).pending, 0);
    mplsvpn_table_free(t);
}

static void the_number_of_routes_is_right_when_a_vrf_goes_with_some_left(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    const mplsvpn_addr kept = prefix4(10, 0, 0, 0, 8);
    const mplsvpn_hop hop = tunnel_hop(1, 1);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(t, VRF + 1), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_set(t, VRF + 1, &kept, &hop), MPLSVPN_OK);
    for (uint8_t i = 0; i < 10; i++)
        assert_int_equal(set(t, prefix4(i, 0, 0, 0, 8), 1), MPLSVPN_OK);
    for (uint8_t i = 0; i < 4; i++) {
        const mplsvpn_addr p = prefix4(i, 0, 0, 0, 8);
        assert_int_equal(mplsvpn_route_remove(t, VRF, &p), MPLSVPN_OK);
    }
    assert_int_equal(table_usage(t).routes, 7);
    assert_int_equal(mplsvpn_vrf_remove(t, VRF), MPLSVPN_OK);
    assert_int_equal(table_usage(t).routes, 1);
    mplsvpn_table_free(t);
}

typedef struct meter {
    size_t live;
} meter;

/* Each block begins with its size, in as many bytes as keep it aligned. */
#define METER_HEADER 16

/* Counts the bytes that are in use, as they were asked for. */
static void *meter_resize(void *user, void *ptr, size_t size)
{
    meter *m = user;
    uint8_t *old = ptr ? (uint8_t *)ptr - METER_HEADER : NULL;
    size_t old_size = 0;
    if (old)
        memcpy(&old_size, old, sizeof(old_size));
    if (size == 0) {
        free(old);
        m->live -= old_size;
        return NULL;
    }
    uint8_t *new = realloc(old, METER_HEADER + size);
    if (!new)
        return NULL;
    memcpy(new, &size, sizeof(size));
    m->live += size - old_size;
    return new + METER_HEADER;
}

/* Random routes of one family and length; the bytes that one takes, nodes included. */
static double bytes_of_a_route(mplsvpn_table *t, const meter *m, uint32_t vrf, uint8_t family,
                               uint8_t prefix_len, uint32_t count)
{
    prng p = {5};
    assert_int_equal(mplsvpn_vrf_add(t, vrf), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    const size_t before = m->live;
    const uint32_t routes = table_usage(t).routes;
    while (table_usage(t).routes - routes < count) {
        const mplsvpn_hop hop = tunnel_hop(1, 1);
        mplsvpn_addr prefix = {.family = family, .prefix_len = prefix_len};
        prng_bytes(&p, prefix.bytes, prefix_len / 8);
        assert_int_equal(mplsvpn_route_set(t, vrf, &prefix, &hop), MPLSVPN_OK);
    }
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    return (double)(m->live - before) / count;
}

/* docs/mplsvpn.md, "How it is made, and what it costs": the figures are these. */
static void memory_is_what_the_page_says(void **state)
{
    (void)state;
    meter m = {0};
    mplsvpn_config c = table_config();
    c.allocator.resize = meter_resize;
    c.allocator.user = &m;
    mplsvpn_table *t = table_new(&c);
    const size_t empty = m.live;
    for (uint32_t vrf = 0; vrf < 4000; vrf++)
        assert_int_equal(mplsvpn_vrf_add(t, vrf), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    const double vrf_bytes = (double)(m.live - empty) / 4000;
    const size_t before = m.live;
    uint32_t label;
    const mplsvpn_hop hop = {.kind = MPLSVPN_HOP_VRF, .vrf = VRF};
    assert_int_equal(mplsvpn_label_allocate(t, 1, &label), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    const size_t first_label = m.live - before;
    const double four = bytes_of_a_route(t, &m, 4001, MPLSVPN_FAMILY_IPV4, 24, 167000);
    const double six = bytes_of_a_route(t, &m, 4002, MPLSVPN_FAMILY_IPV6, 64, 50000);
    print_message("bytes: table %zu, VRF %.0f, first label %zu, IPv4 /24 %.0f, IPv6 /64 %.0f\n",
                  empty, vrf_bytes, first_label, four, six);
    assert_true(empty < 500);
    assert_true(vrf_bytes < 100);
    assert_true(first_label < 7168);
    assert_true(four < 190 && six < 440);
    mplsvpn_table_free(t);
    assert_int_equal(m.live, 0);
}

static void bulk_lookup_gives_each_address_its_own_result(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_reader *r;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(t, &r), MPLSVPN_OK);
    assert_int_equal(set(t, prefix4(10, 0, 0, 0, 8), 8), MPLSVPN_OK);
    const mplsvpn_hop null0 = {.kind = MPLSVPN_HOP_DISCARD};
    const mplsvpn_addr dead = prefix4(10, 9, 0, 0, 16);
    assert_int_equal(mplsvpn_route_set(t, VRF, &dead, &null0), MPLSVPN_OK);
    const mplsvpn_addr a[4] = {
        prefix4(10, 1, 2, 3, 0), prefix4(10, 9, 2, 3, 0), prefix4(11, 1, 2, 3, 0), {.family = 5}};
    mplsvpn_hop hops[4] = {{0}};
    mplsvpn_rc results[4];
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, VRF, a, 4, hops, results), MPLSVPN_OK);
    assert_int_equal(results[0], MPLSVPN_OK);
    assert_int_equal(hops[0].cookie, 8);
    assert_int_equal(results[1], MPLSVPN_ERR_DISCARD);
    assert_int_equal(results[2], MPLSVPN_ERR_NO_ROUTE);
    assert_int_equal(results[3], MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, VRF + 1, a, 1, hops, results), MPLSVPN_OK);
    assert_int_equal(results[0], MPLSVPN_ERR_NO_VRF);
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, VRF, a, 0, hops, results), MPLSVPN_OK);
    const mplsvpn_counters n = reader_counters_of(r);
    assert_int_equal(n.drop_discard, 1);
    assert_int_equal(n.drop_no_route, 1);
    assert_int_equal(n.drop_no_vrf, 1);
    mplsvpn_table_free(t);
}

static void limits_are_kept(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.max_routes = 2;
    c.max_vrfs = 1;
    c.max_readers = 1;
    mplsvpn_table *t = table_new(&c);
    mplsvpn_reader *r, *s;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_vrf_add(t, VRF + 1), MPLSVPN_ERR_LIMIT);
    assert_int_equal(set(t, prefix4(1, 0, 0, 0, 8), 1), MPLSVPN_OK);
    assert_int_equal(set(t, prefix4(2, 0, 0, 0, 8), 1), MPLSVPN_OK);
    assert_int_equal(set(t, prefix4(3, 0, 0, 0, 8), 1), MPLSVPN_ERR_LIMIT);
    assert_int_equal(set(t, prefix4(2, 0, 0, 0, 8), 2), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(t, &r), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(t, &s), MPLSVPN_ERR_LIMIT);
    mplsvpn_reader_free(r);
    assert_int_equal(mplsvpn_reader_new(t, &s), MPLSVPN_OK);
    mplsvpn_table_free(t);
}

static void bad_prefixes_and_hops_are_refused(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(set(t, prefix4(10, 0, 0, 0, 33), 1), MPLSVPN_ERR_ARG);
    assert_int_equal(set(t, prefix4(10, 0, 0, 1, 8), 1), MPLSVPN_ERR_ARG);
    assert_int_equal(set(t, prefix4(10, 0x80, 0, 0, 8), 1), MPLSVPN_ERR_ARG);
    mplsvpn_addr p = prefix4(10, 0, 0, 0, 8);
    p.bytes[15] = 1;
    assert_int_equal(set(t, p, 1), MPLSVPN_ERR_ARG);
    p = (mplsvpn_addr){.family = MPLSVPN_FAMILY_IPV6, .prefix_len = 129};
    assert_int_equal(set(t, p, 1), MPLSVPN_ERR_ARG);
    p.family = 5;
    assert_int_equal(set(t, p, 1), MPLSVPN_ERR_ARG);

    p = prefix4(10, 0, 0, 0, 8);
    const mplsvpn_hop good = tunnel_hop(1, 1);
    mplsvpn_hop bad = good;
    bad.kind = MPLSVPN_HOP_VRF;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    bad = good;
    bad.label_count = 5;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    bad.kind = MPLSVPN_HOP_LOCAL;
    bad.label_count = 1;
    bad.labels[0] = 16;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    bad = good;
    bad.label_count = 2;
    /* RFC 3032 2.1: 3 is alone or not at all, 1 and 4 to 15 are not sent */
    static const uint32_t refused[] = {1, 3, 4, 7, 15, 1048576};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bad.labels[0] = 16;
        bad.labels[1] = refused[i];
        assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    }
    bad = good;
    bad.reserved = 1;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    bad = good;
    bad.reserved2 = 1;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    bad = good;
    bad.next_hop.family = 5;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &bad), MPLSVPN_ERR_ARG);
    assert_int_equal(table_usage(t).routes, 0);
    /* The most that a hop may push. */
    mplsvpn_hop most = good, got;
    most.label_count = MPLSVPN_PUSH_MAX;
    for (uint32_t i = 0; i < MPLSVPN_PUSH_MAX; i++)
        most.labels[i] = MPLSVPN_LABEL_LAST - i;
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &most), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_get(t, VRF, &p, &got), MPLSVPN_OK);
    assert_memory_equal(got.labels, most.labels, sizeof(most.labels));
    mplsvpn_table_free(t);
}

/* RFC 3032 2.1 */
static void implicit_null_means_no_label(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    const mplsvpn_addr p = prefix4(10, 0, 0, 0, 8);
    mplsvpn_hop hop = tunnel_hop(1, 1);
    hop.label_count = 1;
    hop.labels[0] = MPLSVPN_LABEL_IMPLICIT_NULL;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_get(t, VRF, &p, &hop), MPLSVPN_OK);
    assert_int_equal(hop.label_count, 0);
    assert_int_equal(hop.labels[0], 0);
    mplsvpn_table_free(t);
}

/* Where a call fails for want of memory, what could be looked up before can be looked up after. */
static void scenario(fail_alloc *f, void *user)
{
    (void)user;
    naive *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    mplsvpn_config c = table_config();
    c.allocator.resize = fail_alloc_resize;
    c.allocator.user = f;
    mplsvpn_table *t = NULL;
    prng p = {3};
    if (mplsvpn_table_new(&c, &t) == MPLSVPN_OK && mplsvpn_vrf_add(t, VRF) == MPLSVPN_OK) {
        for (int i = 0; i < 60; i++) {
            mplsvpn_addr prefix =
                random_prefix(&p, i % 2 ? MPLSVPN_FAMILY_IPV4 : MPLSVPN_FAMILY_IPV6);
            const mplsvpn_rc rc = set(t, prefix, (uint64_t)i);
            assert_true(rc == MPLSVPN_OK || rc == MPLSVPN_ERR_NOMEM);
            if (rc == MPLSVPN_OK)
                naive_set(n, &prefix, (uint64_t)i);
            /* Removal needs no memory. */
            if (i % 3 == 2 && n->count > 0) {
                prefix = n->routes[prng_below(&p, (uint32_t)n->count)].prefix;
                assert_int_equal(mplsvpn_route_remove(t, VRF, &prefix), MPLSVPN_OK);
                (void)naive_remove(n, &prefix);
            }
            for (size_t k = 0; k < n->count; k++) {
                mplsvpn_addr found;
                mplsvpn_hop hop;
                const naive_route *want = naive_lookup(n, &n->routes[k].prefix);
                assert_int_equal(mplsvpn_route_lookup(t, VRF, &n->routes[k].prefix, &found, &hop),
                                 MPLSVPN_OK);
                assert_int_equal(hop.cookie, want->cookie);
            }
        }
        assert_same_walk(t, n);
        assert_int_equal(mplsvpn_vrf_remove(t, VRF), MPLSVPN_OK);
    }
    mplsvpn_table_free(t);
    free(n);
}

static void the_fib_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(scenario, NULL);
}

/* Without memory for a smaller node a removal leaves a hole, which nobody may notice. */
static void a_route_removed_without_memory_is_gone_and_may_come_back(void **state)
{
    (void)state;
    fail_alloc f = {0};
    mplsvpn_config c = table_config();
    c.allocator.resize = fail_alloc_resize;
    c.allocator.user = &f;
    mplsvpn_table *t = table_new(&c);
    const mplsvpn_addr p24 = prefix4(10, 1, 2, 0, 24), p26 = prefix4(10, 1, 2, 64, 26);
    const mplsvpn_addr a = prefix4(10, 1, 2, 65, 0);
    mplsvpn_addr found = {0};
    mplsvpn_hop hop;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(set(t, p24, 24), MPLSVPN_OK);
    assert_int_equal(set(t, p26, 26), MPLSVPN_OK);
    for (int round = 0; round < 2; round++) {
        f.fail_at = f.calls + 1;
        assert_int_equal(mplsvpn_route_remove(t, VRF, &p26), MPLSVPN_OK);
        assert_true(f.calls >= f.fail_at);
        f.fail_at = 0;
        assert_int_equal(mplsvpn_route_remove(t, VRF, &p26), MPLSVPN_ERR_ABSENT);
        assert_int_equal(mplsvpn_route_get(t, VRF, &p26, &hop), MPLSVPN_ERR_ABSENT);
        assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_OK);
        assert_int_equal(hop.cookie, 24);
        found = (mplsvpn_addr){0};
        assert_int_equal(mplsvpn_route_next(t, VRF, 4, &found, &hop), MPLSVPN_YES);
        assert_int_equal(mplsvpn_route_next(t, VRF, 4, &found, &hop), MPLSVPN_OK);
        assert_int_equal(set(t, p26, 27), MPLSVPN_OK);
        assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_OK);
        assert_int_equal(hop.cookie, 27);
        assert_int_equal(table_usage(t).routes, 2);
    }
    /* A chain of nodes that is left empty goes with the next change that has memory. */
    f.fail_at = f.calls + 1;
    assert_int_equal(mplsvpn_route_remove(t, VRF, &p26), MPLSVPN_OK);
    f.fail_at = 0;
    assert_int_equal(mplsvpn_route_remove(t, VRF, &p24), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_lookup(t, VRF, &a, &found, &hop), MPLSVPN_ERR_NO_ROUTE);
    mplsvpn_table_free(t);
    assert_int_equal(f.live, 0);
}

static void a_route_that_goes_leaves_no_nodes_behind(void **state)
{
    (void)state;
    fail_alloc f = {0};
    mplsvpn_config c = table_config();
    c.allocator.resize = fail_alloc_resize;
    c.allocator.user = &f;
    mplsvpn_table *t = table_new(&c);
    mplsvpn_addr host = {.family = MPLSVPN_FAMILY_IPV6, .prefix_len = 128};
    memset(host.bytes, 0xa5, sizeof(host.bytes));
    mplsvpn_addr cover = host;
    cover.prefix_len = 20;
    naive_mask(&cover);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    const int64_t empty = f.live;
    assert_int_equal(set(t, cover, 1), MPLSVPN_OK);
    const int64_t covered = f.live;
    assert_int_equal(set(t, host, 2), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_remove(t, VRF, &host), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(f.live, covered);
    assert_int_equal(mplsvpn_route_remove(t, VRF, &cover), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(f.live, empty);
    mplsvpn_table_free(t);
    assert_int_equal(f.live, 0);
}

static void null_arguments_and_absent_vrfs_are_refused(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_reader *r;
    mplsvpn_addr p = prefix4(10, 0, 0, 0, 8), q = {0};
    mplsvpn_hop hop = tunnel_hop(1, 1);
    mplsvpn_rc results[1];
    assert_int_equal(mplsvpn_reader_new(t, &r), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(NULL, 1), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_vrf_remove(NULL, 1), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_vrf_remove(t, 1), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_route_set(NULL, 1, &p, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_set(t, 1, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_set(t, 1, &p, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_set(t, 1, &p, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_route_remove(NULL, 1, &p), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_remove(t, 1, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_remove(t, 1, &p), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_route_get(NULL, 1, &p, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_get(t, 1, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_get(t, 1, &p, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_get(t, 1, &p, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_route_lookup(NULL, 1, &p, &q, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_lookup(t, 1, NULL, &q, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_lookup(t, 1, &p, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_lookup(t, 1, &p, &q, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_lookup(t, 1, &p, &q, &hop), MPLSVPN_ERR_NO_VRF);
    assert_int_equal(mplsvpn_route_next(NULL, 1, 4, &q, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_next(t, 1, 4, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_next(t, 1, 4, &q, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_next(t, 1, 5, &q, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_next(t, 1, 6, &p, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_route_next(t, 1, 4, &q, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_fib_lookup(NULL, 1, &p, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup(r, 1, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup(r, 1, &p, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup_bulk(NULL, 1, &p, 1, &hop, results), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, 1, NULL, 1, &hop, results), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, 1, &p, 1, NULL, results), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, 1, &p, 1, &hop, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_idle(r), MPLSVPN_OK);
    assert_int_equal(mplsvpn_fib_lookup(r, 1, &p, &hop), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_fib_lookup_bulk(r, 1, &p, 1, &hop, results), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_reader_quiesce(r), MPLSVPN_OK);
    assert_int_equal(mplsvpn_fib_lookup(r, 1, &p, &hop), MPLSVPN_ERR_NO_VRF);
    mplsvpn_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_wins),
        cmocka_unit_test(random_changes_agree_with_the_naive_table),
        cmocka_unit_test(a_replaced_route_keeps_its_place_and_exact_lookup_finds_it),
        cmocka_unit_test(vrfs_do_not_see_each_other),
        cmocka_unit_test(the_number_of_routes_is_right_when_a_vrf_goes_with_some_left),
        cmocka_unit_test(memory_is_what_the_page_says),
        cmocka_unit_test(bulk_lookup_gives_each_address_its_own_result),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(bad_prefixes_and_hops_are_refused),
        cmocka_unit_test(implicit_null_means_no_label),
        cmocka_unit_test(the_fib_survives_every_allocation_failure),
        cmocka_unit_test(a_route_removed_without_memory_is_gone_and_may_come_back),
        cmocka_unit_test(a_route_that_goes_leaves_no_nodes_behind),
        cmocka_unit_test(null_arguments_and_absent_vrfs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
