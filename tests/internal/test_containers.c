/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include "internal/container.h"
#include "internal/heap.h"
#include "internal/map.h"
#include "internal/ring.h"

enum { ITEMS = 500 };

typedef struct item {
    uint64_t key;
    heap_node timer;
    map_node by_key;
} item;

static uint64_t earliest(const item *items)
{
    uint64_t least = HEAP_NEVER;
    for (size_t i = 0; i < ITEMS; i++)
        if (items[i].timer.deadline < least)
            least = items[i].timer.deadline;
    return least;
}

static void the_heap_yields_the_earliest_as_a_naive_search_does(void **state)
{
    (void)state;
    const alloc a = alloc_make(NULL, NULL);
    static item items[ITEMS];
    heap h = {0};
    prng p = {1};

    for (size_t i = 0; i < ITEMS; i++)
        assert_true(heap_join(&h, &a, &items[i].timer));
    for (int round = 0; round < 20000; round++) {
        item *it = &items[prng_below(&p, ITEMS)];
        heap_set(&h, &it->timer, prng_below(&p, 4) ? prng_below(&p, 1000) : HEAP_NEVER);
        const heap_node *first = heap_first(&h);
        assert_int_equal(first ? first->deadline : HEAP_NEVER, earliest(items));
    }
    for (size_t i = 0; i < ITEMS; i++)
        heap_leave(&h, &items[i].timer);
    assert_null(heap_first(&h));
    heap_free(&h, &a);
}

static item *find(const map *m, uint64_t key, uint64_t hash)
{
    for (map_node *n = map_first(m, hash); n; n = map_next(n)) {
        item *it = CONTAINER_OF(n, item, by_key);
        if (it->key == key)
            return it;
    }
    return NULL;
}

static void the_map_finds_what_is_in_it_and_nothing_else(void **state)
{
    (void)state;
    const alloc a = alloc_make(NULL, NULL);
    static item items[ITEMS];
    static bool in[ITEMS];
    map m;
    prng p = {2};

    assert_true(map_init(&m, &a));
    for (size_t i = 0; i < ITEMS; i++)
        items[i].key = i;
    for (int round = 0; round < 20000; round++) {
        const size_t i = prng_below(&p, ITEMS);
        const uint64_t hash = i / 3; /* collisions of whole hashes, too */
        assert_ptr_equal(find(&m, i, hash), in[i] ? &items[i] : NULL);
        if (in[i])
            map_remove(&m, &items[i].by_key);
        else
            map_insert(&m, &a, &items[i].by_key, hash);
        in[i] = !in[i];
    }
    size_t bucket = 0, walked = 0;
    for (const map_node *n = map_walk(&m, &bucket, NULL); n; n = map_walk(&m, &bucket, n))
        walked++;
    assert_int_equal(walked, m.count);
    map_free(&m, &a);
}

static void a_map_that_cannot_grow_still_takes_nodes(void **state)
{
    (void)state;
    fail_alloc f = {.fail_at = 2};
    const alloc a = alloc_make(fail_alloc_resize, &f);
    static item items[ITEMS];
    map m;

    assert_true(map_init(&m, &a));
    for (size_t i = 0; i < ITEMS; i++) {
        items[i].key = i;
        map_insert(&m, &a, &items[i].by_key, i);
    }
    for (size_t i = 0; i < ITEMS; i++)
        assert_ptr_equal(find(&m, i, i), &items[i]);
    map_free(&m, &a);
    assert_int_equal(f.live, 0);
}

static void the_ring_keeps_order_and_refuses_when_full(void **state)
{
    (void)state;
    const alloc a = alloc_make(NULL, NULL);
    ring r;
    uint64_t in = 0, out = 0, v;

    assert_true(ring_init(&r, &a, 3, sizeof(v)));
    for (int round = 0; round < 10; round++) {
        while (ring_push(&r, &in))
            in++;
        assert_int_equal(ring_free(&r), 0);
        assert_true(ring_pop(&r, &v));
        assert_int_equal(v, out++);
    }
    while (ring_pop(&r, &v))
        assert_int_equal(v, out++);
    assert_int_equal(in, out);
    ring_end(&r, &a);
}

static void overflowing_sizes_are_refused(void **state)
{
    (void)state;
    const alloc a = alloc_make(NULL, NULL);
    assert_null(alloc_array(&a, SIZE_MAX / 2, 3));
    assert_null(alloc_grow(&a, NULL, 0, SIZE_MAX / 2, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heap_yields_the_earliest_as_a_naive_search_does),
        cmocka_unit_test(the_map_finds_what_is_in_it_and_nothing_else),
        cmocka_unit_test(a_map_that_cannot_grow_still_takes_nodes),
        cmocka_unit_test(the_ring_keeps_order_and_refuses_when_full),
        cmocka_unit_test(overflowing_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
