/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "table.h"

#include <stdlib.h>

#define VRF   7
#define OWNER UINT64_C(0x1122334455667788)

static mplsvpn_hop vrf_hop(uint32_t vrf)
{
    return (mplsvpn_hop){.kind = MPLSVPN_HOP_VRF, .vrf = vrf};
}

static uint32_t allocate(mplsvpn_table *t, uint64_t owner)
{
    uint32_t label = 0;
    assert_int_equal(mplsvpn_label_allocate(t, owner, &label), MPLSVPN_OK);
    return label;
}

static uint8_t state_of(const mplsvpn_table *t, uint32_t label)
{
    uint8_t s = 99;
    uint64_t owner;
    mplsvpn_hop hop;
    assert_int_equal(mplsvpn_label_get(t, label, &s, &owner, &hop), MPLSVPN_OK);
    return s;
}

static void labels_start_at_an_offset_that_the_seed_decides(void **state)
{
    (void)state;
    uint32_t first[4];
    for (uint8_t i = 0; i < 4; i++) {
        mplsvpn_config c = table_config();
        /* The last one has the seed of the first again. */
        c.seed[31] = i == 3 ? 0 : i;
        mplsvpn_table *t = table_new(&c);
        first[i] = allocate(t, OWNER);
        assert_int_equal(allocate(t, OWNER),
                         first[i] == MPLSVPN_LABEL_LAST ? MPLSVPN_LABEL_FIRST : first[i] + 1);
        mplsvpn_table_free(t);
    }
    assert_int_not_equal(first[0], first[1]);
    assert_int_not_equal(first[1], first[2]);
    assert_int_equal(first[0], first[3]);
}

static void labels_stay_in_the_range_and_wrap_around_in_it(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.first_label = 1000;
    c.last_label = 1599;
    mplsvpn_table *t = table_new(&c);
    uint8_t seen[600] = {0};
    uint32_t label;
    for (int i = 0; i < 600; i++) {
        label = allocate(t, OWNER + (uint64_t)(i % 3));
        assert_in_range(label, 1000, 1599);
        assert_int_equal(seen[label - 1000]++, 0);
    }
    assert_int_equal(mplsvpn_label_allocate(t, OWNER, &label), MPLSVPN_ERR_LIMIT);
    assert_int_equal(table_usage(t).labels, 600);
    mplsvpn_table_free(t);
}

static void the_label_that_was_freed_longest_ago_is_used_first(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.first_label = 16;
    c.last_label = 20;
    mplsvpn_table *t = table_new(&c);
    uint32_t l[5];
    for (int i = 0; i < 5; i++)
        l[i] = allocate(t, OWNER);
    static const int order[] = {3, 0, 4, 1};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(mplsvpn_label_release(t, l[order[i]]), MPLSVPN_OK);
        assert_int_equal(mplsvpn_label_reclaim(t, l[order[i]]), MPLSVPN_OK);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(allocate(t, OWNER), l[order[i]]);
    mplsvpn_table_free(t);
}

static void never_used_labels_come_before_freed_ones(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.last_label = 19;
    mplsvpn_table *t = table_new(&c);
    const uint32_t first = allocate(t, OWNER);
    assert_int_equal(mplsvpn_label_release(t, first), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reclaim(t, first), MPLSVPN_OK);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(allocate(t, OWNER), first);
    assert_int_equal(allocate(t, OWNER), first);
    mplsvpn_table_free(t);
}

static void a_label_taken_by_name_is_passed_over(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.last_label = 24;
    mplsvpn_table *t = table_new(&c);
    assert_int_equal(mplsvpn_label_reserve(t, OWNER, 20), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(t, OWNER, 20), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_label_reserve(t, OWNER, 25), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_reserve(t, OWNER, 22), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_release(t, 22), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reclaim(t, 22), MPLSVPN_OK);
    for (int i = 0; i < 7; i++) {
        const uint32_t label = allocate(t, OWNER);
        assert_int_not_equal(label, 20);
        assert_int_not_equal(label, 22);
    }
    /* Freed once, so it comes last; and it may be taken by name out of the queue. */
    assert_int_equal(mplsvpn_label_reserve(t, OWNER, 22), MPLSVPN_OK);
    uint32_t label;
    assert_int_equal(mplsvpn_label_allocate(t, OWNER, &label), MPLSVPN_ERR_LIMIT);
    mplsvpn_table_free(t);
}

static void a_label_goes_from_held_to_bound_to_draining_to_free(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_hop hop = vrf_hop(VRF), got;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    const uint32_t label = allocate(t, OWNER);
    assert_int_equal(state_of(t, label), MPLSVPN_LABEL_HELD);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NO_LABEL);
    assert_int_equal(mplsvpn_label_reclaim(t, label), MPLSVPN_ERR_STATE);

    hop.cookie = 1;
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    assert_int_equal(state_of(t, label), MPLSVPN_LABEL_BOUND);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_OK);
    assert_int_equal(got.cookie, 1);
    hop.cookie = 2;
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_OK);
    assert_int_equal(got.cookie, 2);
    assert_int_equal(mplsvpn_label_reclaim(t, label), MPLSVPN_ERR_STATE);

    assert_int_equal(mplsvpn_label_release(t, label), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_release(t, label), MPLSVPN_OK);
    assert_int_equal(state_of(t, label), MPLSVPN_LABEL_DRAINING);
    assert_int_equal(table_usage(t).draining, 1);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_DRAINING);
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_ERR_STATE);

    assert_int_equal(mplsvpn_label_reclaim(t, label), MPLSVPN_OK);
    assert_int_equal(state_of(t, label), MPLSVPN_LABEL_FREE);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NO_LABEL);
    assert_int_equal(mplsvpn_label_reclaim(t, label), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_label_release(t, label), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(table_usage(t).labels, 0);
    assert_int_equal(table_usage(t).draining, 0);
    mplsvpn_table_free(t);
}

static void an_owner_has_its_labels_listed_and_released_together(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    uint32_t label, mine[300], others[300];
    size_t it = 0;
    mplsvpn_hop hop = vrf_hop(VRF), got;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_next(t, OWNER, &it, &label), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_release_owner(t, OWNER), MPLSVPN_ERR_ABSENT);
    for (int i = 0; i < 300; i++) {
        mine[i] = allocate(t, OWNER);
        others[i] = allocate(t, OWNER + 1 + (uint64_t)i);
        hop.cookie = mine[i];
        assert_int_equal(mplsvpn_label_bind(t, mine[i], &hop), MPLSVPN_OK);
        hop.cookie = others[i];
        assert_int_equal(mplsvpn_label_bind(t, others[i], &hop), MPLSVPN_OK);
    }
    for (int i = 0; i < 300; i++) {
        assert_int_equal(mplsvpn_label_next(t, OWNER, &it, &label), MPLSVPN_YES);
        assert_int_equal(label, mine[i]);
    }
    assert_int_equal(mplsvpn_label_next(t, OWNER, &it, &label), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_next(t, OWNER, &it, &label), MPLSVPN_OK);

    assert_int_equal(mplsvpn_label_release_owner(t, OWNER), MPLSVPN_OK);
    assert_int_equal(table_usage(t).draining, 300);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(mplsvpn_table_lookup(t, 1, mine[i], &got), MPLSVPN_ERR_DRAINING);
        assert_int_equal(mplsvpn_table_lookup(t, 1, others[i], &got), MPLSVPN_OK);
        assert_int_equal(got.cookie, others[i]);
    }
    /* The label just returned may be reclaimed. */
    int reclaimed = 0;
    for (it = 0; mplsvpn_label_next(t, OWNER, &it, &label) == MPLSVPN_YES; reclaimed++)
        assert_int_equal(mplsvpn_label_reclaim(t, label), MPLSVPN_OK);
    assert_int_equal(reclaimed, 300);
    assert_int_equal(mplsvpn_label_release_owner(t, OWNER), MPLSVPN_ERR_ABSENT);
    assert_int_equal(table_usage(t).labels, 300);
    mplsvpn_table_free(t);
}

static void an_interface_enters_nothing_without_permission(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_hop hop = vrf_hop(VRF), got = {0};
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(t, 8), MPLSVPN_OK);
    const uint32_t label = allocate(t, OWNER);
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    /* no interface; its own VRF; another VRF; this VRF; no longer */
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(mplsvpn_interface_allow(t, 1, 8), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_deny(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_deny(t, 1, VRF), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    /* A swap needs it as well, by its context. */
    hop = tunnel_hop(3, 0);
    hop.vrf = VRF;
    hop.label_count = 1;
    hop.labels[0] = 77;
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_remove(t, 1), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    mplsvpn_table_free(t);
}

/* Oracle: an array of booleans. */
static void permissions_agree_with_a_set(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    prng p = {11};
    uint32_t labels[20];
    uint8_t allowed[20] = {0};
    mplsvpn_hop got;
    for (uint32_t vrf = 0; vrf < 20; vrf++) {
        const mplsvpn_hop hop = vrf_hop(vrf);
        assert_int_equal(mplsvpn_vrf_add(t, vrf), MPLSVPN_OK);
        labels[vrf] = allocate(t, OWNER);
        assert_int_equal(mplsvpn_label_bind(t, labels[vrf], &hop), MPLSVPN_OK);
    }
    assert_int_equal(mplsvpn_interface_set(t, 5, 0), MPLSVPN_OK);
    for (int i = 0; i < 20000; i++) {
        const uint32_t vrf = prng_below(&p, 20);
        if (prng_below(&p, 2)) {
            assert_int_equal(mplsvpn_interface_allow(t, 5, vrf), MPLSVPN_OK);
            allowed[vrf] = 1;
        } else {
            assert_int_equal(mplsvpn_interface_deny(t, 5, vrf),
                             allowed[vrf] ? MPLSVPN_OK : MPLSVPN_ERR_ABSENT);
            allowed[vrf] = 0;
        }
        const uint32_t probe = prng_below(&p, 20);
        assert_int_equal(mplsvpn_table_lookup(t, 5, labels[probe], &got),
                         allowed[probe] ? MPLSVPN_OK : MPLSVPN_ERR_NOT_ALLOWED);
    }
    mplsvpn_table_free(t);
}

typedef struct largest {
    size_t bytes;
} largest;

static void *largest_resize(void *user, void *ptr, size_t size)
{
    largest *l = user;
    if (size > l->bytes)
        l->bytes = size;
    if (size > 0)
        return realloc(ptr, size);
    free(ptr);
    return NULL;
}

static void permissions_that_come_and_go_take_no_more_memory_each_time(void **state)
{
    (void)state;
    largest l = {0};
    mplsvpn_config c = table_config();
    c.allocator.resize = largest_resize;
    c.allocator.user = &l;
    mplsvpn_table *t = table_new(&c);
    for (uint32_t vrf = 0; vrf < 4; vrf++)
        assert_int_equal(mplsvpn_vrf_add(t, vrf), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 5, 0), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(t, 5, 0), MPLSVPN_OK);
    l.bytes = 0;
    for (uint32_t i = 0; i < 4000; i++) {
        assert_int_equal(mplsvpn_interface_allow(t, 5, 1 + i % 3), MPLSVPN_OK);
        assert_int_equal(mplsvpn_interface_deny(t, 5, 1 + i % 3), MPLSVPN_OK);
    }
    assert_in_range(l.bytes, 1, 64);
    mplsvpn_table_free(t);
}

static void a_vrf_in_use_is_not_removed_and_a_new_one_inherits_no_permission(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    const mplsvpn_hop hop = vrf_hop(VRF);
    mplsvpn_hop got;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(t, 1), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_remove(t, VRF), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_interface_set(t, 1, 1), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    uint32_t label = allocate(t, OWNER);
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_remove(t, VRF), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_label_release(t, label), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_remove(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    label = allocate(t, OWNER);
    assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_lookup(t, 1, label, &got), MPLSVPN_ERR_NOT_ALLOWED);
    /* An interface that has gone holds its VRF no longer. */
    assert_int_equal(mplsvpn_vrf_remove(t, 1), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_interface_remove(t, 1), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_remove(t, 1), MPLSVPN_OK);
    mplsvpn_table_free(t);
}

static void what_readers_may_see_is_freed_only_when_they_have_quiesced(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    mplsvpn_reader *a, *b;
    const mplsvpn_addr p = prefix4(10, 0, 0, 0, 8);
    const mplsvpn_hop hop = tunnel_hop(1, 1), bound = vrf_hop(VRF);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(t, &a), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(t, &b), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_set(t, VRF, &p, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_remove(t, VRF, &p), MPLSVPN_OK);
    const uint32_t label = allocate(t, OWNER);
    assert_int_equal(mplsvpn_label_bind(t, label, &bound), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(t, label, &bound), MPLSVPN_OK);
    /* two nodes, a route, a dense entry */
    assert_int_equal(table_usage(t).pending, 4);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_YES);
    assert_int_equal(mplsvpn_reader_quiesce(a), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_YES);
    assert_int_equal(table_usage(t).pending, 4);
    assert_int_equal(mplsvpn_reader_idle(b), MPLSVPN_OK);
    (void)mplsvpn_table_collect(t);
    assert_int_equal(mplsvpn_reader_quiesce(a), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(table_usage(t).pending, 0);

    /* A reader that was taken back holds nothing up either. */
    assert_int_equal(mplsvpn_reader_quiesce(b), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(t, label, &bound), MPLSVPN_OK);
    mplsvpn_reader_free(a);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_YES);
    mplsvpn_reader_free(b);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(table_usage(t).readers, 0);
    mplsvpn_table_free(t);
}

static void dense_entries_are_used_again(void **state)
{
    (void)state;
    const mplsvpn_config c = table_config();
    mplsvpn_table *t = table_new(&c);
    const mplsvpn_hop hop = vrf_hop(VRF);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    const uint32_t label = allocate(t, OWNER);
    /* Nobody reads, so two entries take turns; far more rebindings than a chunk has. */
    for (int i = 0; i < 100000; i++)
        assert_int_equal(mplsvpn_label_bind(t, label, &hop), MPLSVPN_OK);
    assert_true(table_usage(t).pending <= 256);
    mplsvpn_table_free(t);
}

/* Oracle: an array of states by label. */
static void random_operations_keep_allocator_and_states_consistent(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.first_label = 100;
    c.last_label = 899;
    c.max_labels = 500;
    mplsvpn_table *t = table_new(&c);
    mplsvpn_hop hop = vrf_hop(VRF);
    prng p = {21};
    uint8_t states[800] = {0};
    uint64_t cookies[800] = {0};
    uint32_t taken = 0;
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    for (int i = 0; i < 60000; i++) {
        const uint32_t at = prng_below(&p, 800);
        uint32_t label = 100 + at;
        uint8_t *s = &states[at];
        switch (prng_below(&p, 5)) {
        case 0: {
            const mplsvpn_rc rc = mplsvpn_label_allocate(t, prng_below(&p, 9), &label);
            assert_int_equal(rc, taken < 500 ? MPLSVPN_OK : MPLSVPN_ERR_LIMIT);
            if (rc == MPLSVPN_OK) {
                assert_int_equal(states[label - 100], MPLSVPN_LABEL_FREE);
                states[label - 100] = MPLSVPN_LABEL_HELD;
                taken++;
            }
            break;
        }
        case 1: {
            const mplsvpn_rc rc = mplsvpn_label_reserve(t, prng_below(&p, 9), label);
            assert_int_equal(rc, *s            ? MPLSVPN_ERR_STATE
                                 : taken < 500 ? MPLSVPN_OK
                                               : MPLSVPN_ERR_LIMIT);
            if (rc == MPLSVPN_OK) {
                *s = MPLSVPN_LABEL_HELD;
                taken++;
            }
            break;
        }
        case 2:
            hop.cookie = (uint64_t)i + 1;
            if (*s == MPLSVPN_LABEL_HELD || *s == MPLSVPN_LABEL_BOUND)
                cookies[at] = hop.cookie;
            assert_int_equal(mplsvpn_label_bind(t, label, &hop),
                             *s == MPLSVPN_LABEL_FREE       ? MPLSVPN_ERR_ABSENT
                             : *s == MPLSVPN_LABEL_DRAINING ? MPLSVPN_ERR_STATE
                                                            : MPLSVPN_OK);
            if (*s == MPLSVPN_LABEL_HELD)
                *s = MPLSVPN_LABEL_BOUND;
            break;
        case 3:
            assert_int_equal(mplsvpn_label_release(t, label), *s ? MPLSVPN_OK : MPLSVPN_ERR_ABSENT);
            if (*s)
                *s = MPLSVPN_LABEL_DRAINING;
            break;
        default:
            assert_int_equal(mplsvpn_label_reclaim(t, label),
                             *s == MPLSVPN_LABEL_FREE       ? MPLSVPN_ERR_ABSENT
                             : *s == MPLSVPN_LABEL_DRAINING ? MPLSVPN_OK
                                                            : MPLSVPN_ERR_STATE);
            if (*s == MPLSVPN_LABEL_DRAINING) {
                *s = MPLSVPN_LABEL_FREE;
                taken--;
            }
            break;
        }
        assert_int_equal(state_of(t, 100 + at), *s);
        /* No label's hop is another's, however dense entries went from hand to hand. */
        const uint32_t probe = prng_below(&p, 800);
        mplsvpn_hop got;
        uint64_t owner;
        uint8_t state_there;
        assert_int_equal(mplsvpn_label_get(t, 100 + probe, &state_there, &owner, &got), MPLSVPN_OK);
        assert_int_equal(got.cookie, states[probe] == MPLSVPN_LABEL_BOUND ? cookies[probe] : 0);
    }
    assert_int_equal(table_usage(t).labels, taken);
    /* Every label that is not free is in exactly one owner's list. */
    uint32_t listed = 0;
    for (uint64_t owner = 0; owner < 9; owner++) {
        size_t it = 0;
        uint32_t label;
        while (mplsvpn_label_next(t, owner, &it, &label) == MPLSVPN_YES) {
            assert_int_not_equal(states[label - 100], MPLSVPN_LABEL_FREE);
            listed++;
        }
    }
    assert_int_equal(listed, taken);
    /* And the walk over all finds each once. */
    size_t it = 0;
    uint32_t label, walked = 0;
    while (mplsvpn_lfib_next(t, &it, &label) == MPLSVPN_YES) {
        assert_int_not_equal(states[label - 100], MPLSVPN_LABEL_FREE);
        states[label - 100] = MPLSVPN_LABEL_FREE;
        walked++;
    }
    assert_int_equal(walked, taken);
    assert_int_equal(mplsvpn_lfib_next(t, &it, &label), MPLSVPN_OK);
    /* Nobody reads: every dense entry that was given up is found again. */
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(table_usage(t).pending, 0);
    mplsvpn_table_free(t);
}

/* A caller built against later headers hands in more; what we do not know must be zero. */
static void a_newer_caller_is_served_as_far_as_we_know(void **state)
{
    (void)state;
    struct {
        mplsvpn_config cfg;
        uint8_t later[24];
    } newer = {.cfg = table_config()};
    struct {
        mplsvpn_usage usage;
        uint8_t later[24];
    } usage;
    struct {
        mplsvpn_counters counters;
        uint8_t later[24];
    } counters;
    const uint8_t zeros[24] = {0};
    mplsvpn_table *t = NULL;
    mplsvpn_reader *r;
    newer.cfg.struct_size = sizeof(newer);
    assert_int_equal(mplsvpn_table_new(&newer.cfg, &t), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(t, &r), MPLSVPN_OK);
    memset(&usage, 0xaa, sizeof(usage));
    memset(&counters, 0xaa, sizeof(counters));
    usage.usage.struct_size = sizeof(usage);
    counters.counters.struct_size = sizeof(counters);
    assert_int_equal(mplsvpn_table_get_usage(t, &usage.usage), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_get_counters(r, &counters.counters), MPLSVPN_OK);
    assert_int_equal(usage.usage.struct_size, sizeof(usage));
    assert_int_equal(usage.usage.readers, 1);
    assert_int_equal(counters.counters.struct_size, sizeof(counters));
    assert_int_equal(counters.counters.drop_no_headroom, 0);
    assert_memory_equal(usage.later, zeros, sizeof(zeros));
    assert_memory_equal(counters.later, zeros, sizeof(zeros));
    mplsvpn_table_free(t);
    newer.later[23] = 1;
    assert_int_equal(mplsvpn_table_new(&newer.cfg, &t), MPLSVPN_ERR_ARG);
}

static void scenario(fail_alloc *f, void *user)
{
    (void)user;
    mplsvpn_config c = table_config();
    c.allocator.resize = fail_alloc_resize;
    c.allocator.user = f;
    mplsvpn_table *t = NULL;
    mplsvpn_reader *r = NULL;
    if (mplsvpn_table_new(&c, &t) == MPLSVPN_OK) {
        uint32_t taken = 0, vrfs = 0, interfaces = 0;
        (void)mplsvpn_reader_new(t, &r);
        for (uint32_t i = 0; i < 20; i++) {
            const mplsvpn_hop hop = vrf_hop(i);
            uint32_t label;
            const mplsvpn_rc added = mplsvpn_vrf_add(t, i);
            const mplsvpn_rc got = mplsvpn_label_allocate(t, i, &label);
            vrfs += added == MPLSVPN_OK;
            taken += got == MPLSVPN_OK;
            if (added != MPLSVPN_OK || got != MPLSVPN_OK)
                continue;
            interfaces += mplsvpn_interface_set(t, i, i) == MPLSVPN_OK;
            const int allowed = mplsvpn_interface_allow(t, i, i) == MPLSVPN_OK;
            const int bound = mplsvpn_label_bind(t, label, &hop) == MPLSVPN_OK;
            mplsvpn_hop seen;
            assert_int_equal(mplsvpn_table_lookup(t, i, label, &seen), !bound ? MPLSVPN_ERR_NO_LABEL
                                                                       : !allowed
                                                                           ? MPLSVPN_ERR_NOT_ALLOWED
                                                                           : MPLSVPN_OK);
            /* Taking away needs no memory. */
            if (allowed)
                assert_int_equal(mplsvpn_interface_deny(t, i, i), MPLSVPN_OK);
            if (i % 2)
                assert_int_equal(mplsvpn_label_release(t, label), MPLSVPN_OK);
        }
        assert_int_equal(table_usage(t).labels, taken);
        assert_int_equal(table_usage(t).vrfs, vrfs);
        assert_int_equal(table_usage(t).interfaces, interfaces);
    }
    mplsvpn_table_free(t);
}

static void the_lfib_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(scenario, NULL);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.max_interfaces = 1;
    mplsvpn_table *t = table_new(&c), *u;
    mplsvpn_reader *r;
    mplsvpn_hop hop = vrf_hop(VRF);
    mplsvpn_usage usage = {0};
    mplsvpn_counters n = {0};
    uint32_t label;
    uint64_t owner;
    uint8_t s;
    size_t it = 0;
    assert_int_equal(mplsvpn_config_init(NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_new(NULL, &u), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_new(&c, NULL), MPLSVPN_ERR_ARG);
    mplsvpn_table_free(NULL);
    mplsvpn_reader_free(NULL);
    assert_int_equal(mplsvpn_table_collect(NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_get_usage(NULL, &usage), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_get_usage(t, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_get_usage(t, &usage), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_new(NULL, &r), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_new(t, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_new(t, &r), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_quiesce(NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_idle(NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_get_counters(NULL, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_get_counters(r, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_get_counters(r, &n), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_allocate(NULL, 1, &label), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_allocate(t, 1, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_reserve(NULL, 1, 16), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_reserve(t, 1, 15), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_bind(NULL, 16, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_bind(t, 16, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_reserve(t, 1, 16), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(t, 16, &hop), MPLSVPN_ERR_ABSENT);
    hop.kind = 4;
    assert_int_equal(mplsvpn_label_bind(t, 16, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_release(NULL, 16), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_release(t, UINT32_MAX), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_label_release_owner(NULL, 1), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_reclaim(NULL, 16), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_next(NULL, 1, &it, &label), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_next(t, 1, NULL, &label), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_next(t, 1, &it, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_lfib_next(NULL, &it, &label), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_lfib_next(t, NULL, &label), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_lfib_next(t, &it, NULL), MPLSVPN_ERR_ARG);
    /* One label of a million, wherever the seed put it. */
    assert_int_equal(mplsvpn_lfib_next(t, &it, &label), MPLSVPN_YES);
    assert_int_equal(label, 16);
    assert_int_equal(mplsvpn_lfib_next(t, &it, &label), MPLSVPN_OK);
    it = 12345;
    assert_int_equal(mplsvpn_label_next(t, 1, &it, &label), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_get(NULL, 16, &s, &owner, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_get(t, 16, NULL, &owner, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_get(t, 16, &s, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_get(t, 16, &s, &owner, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_get(t, 15, &s, &owner, &hop), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_interface_set(NULL, 1, 1), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 2, VRF), MPLSVPN_ERR_LIMIT);
    assert_int_equal(mplsvpn_interface_remove(NULL, 1), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_interface_remove(t, 2), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_interface_allow(NULL, 1, VRF), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_interface_allow(t, 2, VRF), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF + 1), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_interface_deny(NULL, 1, VRF), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_interface_deny(t, 2, VRF), MPLSVPN_ERR_ABSENT);
    assert_int_equal(mplsvpn_table_lookup(NULL, 1, 16, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_lookup(t, 1, 16, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_table_lookup(t, 1, 15, &hop), MPLSVPN_ERR_RESERVED);
    assert_int_equal(mplsvpn_table_lookup(t, 1, UINT32_MAX, &hop), MPLSVPN_ERR_NO_LABEL);
    mplsvpn_table_free(t);

    mplsvpn_config bad = c;
    bad.struct_size = 8;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.first_label = 15;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.last_label = 1048576;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.first_label = bad.last_label + 1;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.ttl_model = 2;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.pipe_ttl = 0;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.pipe_tc = 8;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
    bad = c;
    bad.reserved[4] = 1;
    assert_int_equal(mplsvpn_table_new(&bad, &u), MPLSVPN_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_start_at_an_offset_that_the_seed_decides),
        cmocka_unit_test(labels_stay_in_the_range_and_wrap_around_in_it),
        cmocka_unit_test(the_label_that_was_freed_longest_ago_is_used_first),
        cmocka_unit_test(never_used_labels_come_before_freed_ones),
        cmocka_unit_test(a_label_taken_by_name_is_passed_over),
        cmocka_unit_test(a_label_goes_from_held_to_bound_to_draining_to_free),
        cmocka_unit_test(an_owner_has_its_labels_listed_and_released_together),
        cmocka_unit_test(an_interface_enters_nothing_without_permission),
        cmocka_unit_test(permissions_agree_with_a_set),
        cmocka_unit_test(permissions_that_come_and_go_take_no_more_memory_each_time),
        cmocka_unit_test(a_vrf_in_use_is_not_removed_and_a_new_one_inherits_no_permission),
        cmocka_unit_test(what_readers_may_see_is_freed_only_when_they_have_quiesced),
        cmocka_unit_test(dense_entries_are_used_again),
        cmocka_unit_test(random_operations_keep_allocator_and_states_consistent),
        cmocka_unit_test(a_newer_caller_is_served_as_far_as_we_know),
        cmocka_unit_test(the_lfib_survives_every_allocation_failure),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
