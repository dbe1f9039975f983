/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One writer and two readers. The writer changes routes, labels, permissions and VRFs all the time;
 * whatever a reader gets must be one of the hops that were set for what it asked, never a mixture,
 * never another VRF's or label's, and never freed memory. Built a second time with ThreadSanitizer,
 * which sees what luck hides.
 */
#include "table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define READERS 2
#define VRF     7
#define LABEL   100
#define ROUNDS  200000

/* Labels that are taken, bound, released and reclaimed; so many that their directory grows. */
#define OTHER_LABEL  101
#define OTHER_LABELS 1000

typedef struct shared {
    mplsvpn_reader *readers[READERS];
    atomic_int stop;
    atomic_int wrong;
    atomic_ullong found;
    atomic_ullong found_labels;
} shared;

typedef struct job {
    shared *s;
    int number;
} job;

/* Every hop that is ever set says the same thing in all its fields. */
static mplsvpn_hop make_hop(uint32_t n)
{
    mplsvpn_hop hop = tunnel_hop(n, n);
    hop.vrf = VRF;
    hop.label_count = 4;
    for (int i = 0; i < 4; i++)
        hop.labels[i] = 16 + n;
    return hop;
}

static int is_whole(const mplsvpn_hop *hop, uint32_t vrf)
{
    return hop->vrf == vrf && hop->cookie == hop->interface_id &&
           hop->labels[0] == 16 + hop->interface_id && hop->labels[3] == hop->labels[0] &&
           hop->label_count == 4;
}

/* A label's hop names the label. */
static int is_of_label(const mplsvpn_hop *hop, uint32_t label)
{
    return hop->kind == MPLSVPN_HOP_TUNNEL && hop->vrf == VRF && hop->interface_id == label &&
           hop->label_count == 1 && hop->labels[0] == 16 + (uint32_t)hop->cookie;
}

/* What a packet with a label gets: the result, and the hop. */
static mplsvpn_rc look_up_label(mplsvpn_reader *r, uint32_t value, mplsvpn_hop *hop)
{
    uint8_t buf[64] = {0};
    mplsvpn_packet out;
    const mplsvpn_label label = {.value = value, .bottom = 1, .ttl = 64};
    (void)mplsvpn_label_encode(&label, buf + 20, MPLSVPN_LABEL_BYTES);
    return mplsvpn_label_input(r, 1, buf, 20, 30, &out, hop);
}

static void *read_all(void *arg)
{
    const job *j = arg;
    mplsvpn_reader *r = j->s->readers[j->number];
    prng p = {(uint64_t)j->number + 1};
    while (!atomic_load(&j->s->stop)) {
        (void)mplsvpn_reader_quiesce(r);
        for (int i = 0; i < 32; i++) {
            mplsvpn_hop hop;
            const mplsvpn_addr a =
                prefix4(10, (uint8_t)prng_below(&p, 4), (uint8_t)prng_below(&p, 4), 1, 0);
            mplsvpn_rc rc = mplsvpn_fib_lookup(r, VRF, &a, &hop);
            if (rc == MPLSVPN_OK) {
                atomic_fetch_add(&j->s->found, 1);
                if (!is_whole(&hop, VRF))
                    atomic_store(&j->s->wrong, 1);
            }
            /* VRFs that come and go. */
            const uint32_t other = 1000 + prng_below(&p, 50);
            rc = mplsvpn_fib_lookup(r, other, &a, &hop);
            if (rc == MPLSVPN_OK && !is_whole(&hop, other))
                atomic_store(&j->s->wrong, 1);
            if (look_up_label(r, LABEL, &hop) == MPLSVPN_OK) {
                atomic_fetch_add(&j->s->found, 1);
                if (!is_whole(&hop, VRF))
                    atomic_store(&j->s->wrong, 1);
            }
            /* Labels that come and go. */
            const uint32_t label = OTHER_LABEL + prng_below(&p, OTHER_LABELS);
            if (look_up_label(r, label, &hop) == MPLSVPN_OK) {
                atomic_fetch_add(&j->s->found_labels, 1);
                if (!is_of_label(&hop, label))
                    atomic_store(&j->s->wrong, 1);
            }
        }
        if (prng_below(&p, 8) == 0)
            (void)mplsvpn_reader_idle(r);
    }
    (void)mplsvpn_reader_idle(r);
    return NULL;
}

/* One step in the life of some label, whatever its state lets happen. */
static void change_label(mplsvpn_table *t, prng *p, uint32_t n)
{
    uint32_t label = OTHER_LABEL + prng_below(p, OTHER_LABELS);
    mplsvpn_hop hop = {.kind = MPLSVPN_HOP_TUNNEL,
                       .vrf = VRF,
                       .interface_id = label,
                       .cookie = n & 0xffff,
                       .label_count = 1,
                       .labels = {16 + (n & 0xffff)}};
    switch (prng_below(p, 6)) {
    case 0:
        (void)mplsvpn_label_allocate(t, 2, &label);
        break;
    case 1:
        (void)mplsvpn_label_reserve(t, 3, label);
        break;
    case 2:
        (void)mplsvpn_label_release(t, label);
        break;
    case 3:
        (void)mplsvpn_label_reclaim(t, label);
        break;
    default:
        (void)mplsvpn_label_bind(t, label, &hop);
        break;
    }
}

static void change(mplsvpn_table *t, prng *p, uint32_t n)
{
    const mplsvpn_hop hop = make_hop(n & 0xffff);
    mplsvpn_addr prefix = prefix4(10, (uint8_t)prng_below(p, 4), (uint8_t)prng_below(p, 4), 0,
                                  (uint8_t)(prng_below(p, 9) + 16));
    prefix.bytes[2] &= (uint8_t)(0xff00 >> (prefix.prefix_len - 16));
    const uint32_t other = 1000 + prng_below(p, 50);
    switch (prng_below(p, 10)) {
    case 0:
    case 1:
        assert_int_equal(mplsvpn_route_set(t, VRF, &prefix, &hop), MPLSVPN_OK);
        break;
    case 2:
        (void)mplsvpn_route_remove(t, VRF, &prefix);
        break;
    case 3:
        assert_int_equal(mplsvpn_label_bind(t, LABEL, &hop), MPLSVPN_OK);
        break;
    case 4:
        (void)mplsvpn_interface_allow(t, 1, prng_below(p, 2) ? VRF : other);
        break;
    case 5:
        (void)mplsvpn_interface_deny(t, 1, prng_below(p, 2) ? VRF : other);
        break;
    case 6:
        (void)mplsvpn_vrf_add(t, other);
        prefix.bytes[2] = prefix.bytes[3] = 0;
        prefix.prefix_len = 16;
        assert_int_equal(mplsvpn_route_set(t, other, &prefix, &hop), MPLSVPN_OK);
        (void)mplsvpn_interface_set(t, other, VRF);
        break;
    case 7:
    case 8:
        change_label(t, p, n);
        break;
    default:
        (void)mplsvpn_vrf_remove(t, other);
        (void)mplsvpn_interface_remove(t, other);
        break;
    }
}

static void readers_never_see_a_mixture_or_freed_memory(void **state)
{
    (void)state;
    mplsvpn_config c = table_config();
    c.first_label = LABEL;
    c.last_label = OTHER_LABEL + OTHER_LABELS - 1;
    mplsvpn_table *t = table_new(&c);
    shared s = {.stop = 0};
    job jobs[READERS];
    pthread_t threads[READERS];
    prng p = {99};
    const mplsvpn_hop first = make_hop(0);
    assert_int_equal(mplsvpn_vrf_add(t, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(t, 1, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(t, 1, LABEL), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(t, LABEL, &first), MPLSVPN_OK);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(mplsvpn_reader_new(t, &s.readers[i]), MPLSVPN_OK);
        jobs[i] = (job){&s, i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &jobs[i]), 0);
    }
    for (uint32_t n = 0;
         n < ROUNDS || atomic_load(&s.found) < 1000 || atomic_load(&s.found_labels) < 1000; n++)
        change(t, &p, n);
    /* The counters of a reader at work may be read. */
    assert_true(reader_counters_of(s.readers[0]).drop_reserved == 0);
    atomic_store(&s.stop, 1);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&s.wrong), 0);
    assert_int_equal(mplsvpn_table_collect(t), MPLSVPN_OK);
    assert_int_equal(table_usage(t).pending, 0);
    mplsvpn_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_never_see_a_mixture_or_freed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
