/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function with each pointer NULL, lengths of zero, sizes and capacities that do not do, and
 * without memory. tests/gates/arguments.py tells whether one is left out.
 */
#include "refusal.h"

#include <mplsvpn/mplsvpn.h>
#include <string.h>

enum { VRF = 7, OWNER = 42, INTERFACE = 3, LABEL = 100, HELD = 101, HEADROOM = 16 };

/* Hand-made: IPv4 of 20 octets, TTL 64, UDP, 10.1.1.1 to 10.2.2.2, checksum of RFC 1071. */
#define IP_PACKET "45000014 00010000 401163d3 0a010101 0a020202"
/* Hand-made, RFC 3032 2.1: label 100, TC 0, bottom, TTL 64. */
#define LABEL_100 "00064140"

static const mplsvpn_addr prefix = {.family = MPLSVPN_FAMILY_IPV4, .prefix_len = 8, .bytes = {10}};
static const mplsvpn_addr address = {.family = MPLSVPN_FAMILY_IPV4, .bytes = {10, 2, 2, 2}};
static const mplsvpn_hop tunnel = {
    .kind = MPLSVPN_HOP_TUNNEL, .vrf = VRF, .label_count = 1, .labels = {200}};
static const mplsvpn_hop vrf_hop = {.kind = MPLSVPN_HOP_VRF, .vrf = VRF};

static struct {
    mplsvpn_config cfg;
    mplsvpn_usage usage;
    mplsvpn_counters counters;
    mplsvpn_label label, labels[4];
    mplsvpn_hop hop, hops[2];
    mplsvpn_rc results[2];
    mplsvpn_addr prefix;
    mplsvpn_packet packet;
    mplsvpn_table *table;
    mplsvpn_reader *reader;
    size_t it, count, offset;
    uint64_t owner;
    uint32_t number;
    uint8_t state, buf[64];
} out;

static mplsvpn_config cfg;
static mplsvpn_table *table;
static mplsvpn_reader *reader;

/* All that the getters tell, but for blocks that wait to be freed. */
static void table_state(description *d)
{
    mplsvpn_usage u = {.struct_size = sizeof(u)};
    mplsvpn_counters c = {.struct_size = sizeof(c)};
    mplsvpn_addr at = {.family = MPLSVPN_FAMILY_NONE};
    mplsvpn_hop hop;
    size_t it = 0;
    uint32_t label;
    assert_int_equal(mplsvpn_table_get_usage(table, &u), MPLSVPN_OK);
    u.pending = 0;
    describe(d, &u, sizeof(u));
    if (reader) {
        assert_int_equal(mplsvpn_reader_get_counters(reader, &c), MPLSVPN_OK);
        describe(d, &c, sizeof(c));
    }
    while (mplsvpn_lfib_next(table, &it, &label) == MPLSVPN_YES) {
        uint8_t state;
        uint64_t owner;
        assert_int_equal(mplsvpn_label_get(table, label, &state, &owner, &hop), MPLSVPN_OK);
        describe(d, &state, sizeof(state));
        describe(d, &owner, sizeof(owner));
        describe(d, &hop, sizeof(hop));
        const mplsvpn_rc entry = mplsvpn_table_lookup(table, INTERFACE, label, &hop);
        describe(d, &entry, sizeof(entry));
    }
    while (mplsvpn_route_next(table, VRF, MPLSVPN_FAMILY_IPV4, &at, &hop) == MPLSVPN_YES) {
        describe(d, &at, sizeof(at));
        describe(d, &hop, sizeof(hop));
    }
}

static void watch_all(void)
{
    watch(&out, sizeof(out), table ? table_state : NULL);
    out.it = 0;
    out.prefix = (mplsvpn_addr){.family = MPLSVPN_FAMILY_NONE};
    out.usage.struct_size = sizeof(out.usage);
    out.counters.struct_size = sizeof(out.counters);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(mplsvpn_config_init(&cfg), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_new(&cfg, &table), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(table, &reader), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(table, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_set(table, VRF, &prefix, &tunnel), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(table, INTERFACE, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(table, INTERFACE, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(table, OWNER, LABEL), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(table, LABEL, &vrf_hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(table, OWNER, HELD), MPLSVPN_OK);
    watch_all();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mplsvpn_table_free(table);
    table = NULL;
    reader = NULL;
    return 0;
}

static int32_t encode_label(uint8_t *buf, size_t cap, size_t *len)
{
    const mplsvpn_label label = {.value = LABEL, .bottom = 1, .ttl = 64};
    *len = MPLSVPN_LABEL_BYTES;
    return mplsvpn_label_encode(&label, buf, cap);
}

static void the_label_functions_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    uint8_t stack[8];
    const size_t len = hex_bytes("00064040" LABEL_100, stack, sizeof(stack)), headroom = 16;
    const mplsvpn_label labels[2] = {{.value = 16}, {.value = LABEL, .bottom = 1}};
    accepts(mplsvpn_label_decode(stack, len, &out.label));
    refuses(mplsvpn_label_decode(NULL, len, &out.label));
    refuses(mplsvpn_label_decode(stack, len, NULL));
    answers(MPLSVPN_ERR_TRUNCATED, mplsvpn_label_decode(stack, 0, &out.label));

    accepts(mplsvpn_label_encode(&labels[1], out.buf, 4));
    refuses(mplsvpn_label_encode(NULL, out.buf, 4));
    refuses(mplsvpn_label_encode(&labels[1], NULL, 4));
    answers(MPLSVPN_ERR_BUFFER, mplsvpn_label_encode(&labels[1], out.buf, 0));
    assert_every_capacity(encode_label, MPLSVPN_OK, MPLSVPN_LABEL_BYTES);

    accepts(mplsvpn_stack_decode(stack, len, out.labels, 4, &out.count));
    refuses(mplsvpn_stack_decode(NULL, len, out.labels, 4, &out.count));
    refuses(mplsvpn_stack_decode(stack, len, NULL, 4, &out.count));
    refuses(mplsvpn_stack_decode(stack, len, out.labels, 4, NULL));
    answers(MPLSVPN_ERR_TRUNCATED, mplsvpn_stack_decode(stack, 0, out.labels, 4, &out.count));
    answers(MPLSVPN_ERR_BUFFER, mplsvpn_stack_decode(stack, len, out.labels, 0, &out.count));
    answers(MPLSVPN_ERR_BUFFER, mplsvpn_stack_decode(stack, len, out.labels, 1, &out.count));

    accepts(mplsvpn_stack_encode(labels, 2, out.buf, headroom, &out.offset));
    accepts(mplsvpn_stack_encode(labels, 0, out.buf, headroom, &out.offset));
    assert_int_equal(out.offset, headroom);
    refuses(mplsvpn_stack_encode(NULL, 2, out.buf, headroom, &out.offset));
    refuses(mplsvpn_stack_encode(labels, 2, NULL, headroom, &out.offset));
    refuses(mplsvpn_stack_encode(labels, 2, out.buf, headroom, NULL));
    answers(MPLSVPN_ERR_BUFFER, mplsvpn_stack_encode(labels, 2, out.buf, 0, &out.offset));
    for (size_t room = 0; room < 8; room++)
        answers(MPLSVPN_ERR_BUFFER, mplsvpn_stack_encode(labels, 2, out.buf, room, &out.offset));
}

/* Each as the same call once more, whose result is the one just seen. */
static void try_all(const uint8_t *b, size_t n)
{
    mplsvpn_label stack[4];
    size_t count;
    mplsvpn_rc rc = mplsvpn_label_decode(b, n, stack);
    if (rc < 0)
        answers(rc, mplsvpn_label_decode(b, n, &out.label));
    rc = mplsvpn_stack_decode(b, n, stack, 4, &count);
    if (rc < 0)
        answers(rc, mplsvpn_stack_decode(b, n, out.labels, 4, &out.count));
}

static void a_decoder_that_fails_has_written_nothing(void **state)
{
    (void)state;
    static const char *const good[] = {"00064040" LABEL_100 IP_PACKET};
    static const uint8_t values[] = {0, 1, 4, 127, 255};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint8_t b[64];
        const size_t n = hex_bytes(good[i], b, sizeof(b));
        for (size_t len = 0; len <= n; len++)
            try_all(b, len);
        for (size_t at = 0; at < n * sizeof(values); at++) {
            const uint8_t was = b[at / sizeof(values)];
            b[at / sizeof(values)] = values[at % sizeof(values)];
            try_all(b, n);
            b[at / sizeof(values)] = was;
        }
    }
}

static void the_table_functions_refuse_null_and_leave_the_table_as_it_was(void **state)
{
    (void)state;
    refuses(mplsvpn_config_init(NULL));
    accepts(mplsvpn_config_init(&out.cfg));
    refuses(mplsvpn_table_new(NULL, &out.table));
    refuses(mplsvpn_table_new(&cfg, NULL));
    refuses_sizes(mplsvpn_table_new(sized(cfg), &out.table));
    accepts(mplsvpn_table_new(&cfg, &out.table));
    mplsvpn_table_free(out.table);
    mplsvpn_table_free(NULL);
    refuses(mplsvpn_table_collect(NULL));
    accepts(mplsvpn_table_collect(table));
    refuses(mplsvpn_table_get_usage(NULL, &out.usage));
    refuses(mplsvpn_table_get_usage(table, NULL));
    refuses_sizes(mplsvpn_table_get_usage(table, sized(out.usage)));
    accepts(mplsvpn_table_get_usage(table, &out.usage));
    refuses(mplsvpn_reader_new(NULL, &out.reader));
    refuses(mplsvpn_reader_new(table, NULL));
    accepts(mplsvpn_reader_new(table, &out.reader));
    mplsvpn_reader_free(out.reader);
    mplsvpn_reader_free(NULL);
    refuses(mplsvpn_reader_quiesce(NULL));
    refuses(mplsvpn_reader_idle(NULL));
    refuses(mplsvpn_reader_get_counters(NULL, &out.counters));
    refuses(mplsvpn_reader_get_counters(reader, NULL));
    refuses_sizes(mplsvpn_reader_get_counters(reader, sized(out.counters)));
    accepts(mplsvpn_reader_get_counters(reader, &out.counters));
    accepts(mplsvpn_reader_idle(reader));
    accepts(mplsvpn_reader_quiesce(reader));
}

static void the_route_functions_refuse_null_and_leave_the_table_as_it_was(void **state)
{
    (void)state;
    const uint8_t v4 = MPLSVPN_FAMILY_IPV4;
    const mplsvpn_addr both[2] = {address, address};
    refuses(mplsvpn_vrf_add(NULL, VRF + 1));
    refuses(mplsvpn_vrf_remove(NULL, VRF));
    refuses(mplsvpn_route_set(NULL, VRF, &prefix, &tunnel));
    refuses(mplsvpn_route_set(table, VRF, NULL, &tunnel));
    refuses(mplsvpn_route_set(table, VRF, &prefix, NULL));
    refuses(mplsvpn_route_remove(NULL, VRF, &prefix));
    refuses(mplsvpn_route_remove(table, VRF, NULL));
    refuses(mplsvpn_route_get(NULL, VRF, &prefix, &out.hop));
    refuses(mplsvpn_route_get(table, VRF, NULL, &out.hop));
    refuses(mplsvpn_route_get(table, VRF, &prefix, NULL));
    accepts(mplsvpn_route_get(table, VRF, &prefix, &out.hop));
    refuses(mplsvpn_route_lookup(NULL, VRF, &address, &out.prefix, &out.hop));
    refuses(mplsvpn_route_lookup(table, VRF, NULL, &out.prefix, &out.hop));
    refuses(mplsvpn_route_lookup(table, VRF, &address, NULL, &out.hop));
    refuses(mplsvpn_route_lookup(table, VRF, &address, &out.prefix, NULL));
    refuses(mplsvpn_route_next(NULL, VRF, v4, &out.prefix, &out.hop));
    refuses(mplsvpn_route_next(table, VRF, v4, NULL, &out.hop));
    refuses(mplsvpn_route_next(table, VRF, v4, &out.prefix, NULL));
    accepts(mplsvpn_route_next(table, VRF, v4, &out.prefix, &out.hop));
    accepts(mplsvpn_route_lookup(table, VRF, &address, &out.prefix, &out.hop));

    refuses(mplsvpn_fib_lookup(NULL, VRF, &address, &out.hop));
    refuses(mplsvpn_fib_lookup(reader, VRF, NULL, &out.hop));
    refuses(mplsvpn_fib_lookup(reader, VRF, &address, NULL));
    accepts(mplsvpn_fib_lookup(reader, VRF, &address, &out.hop));
    refuses(mplsvpn_fib_lookup_bulk(NULL, VRF, both, 2, out.hops, out.results));
    refuses(mplsvpn_fib_lookup_bulk(reader, VRF, NULL, 2, out.hops, out.results));
    refuses(mplsvpn_fib_lookup_bulk(reader, VRF, both, 2, NULL, out.results));
    refuses(mplsvpn_fib_lookup_bulk(reader, VRF, both, 2, out.hops, NULL));
    accepts(mplsvpn_fib_lookup_bulk(reader, VRF, both, 0, out.hops, out.results));
    assert_int_equal(out.results[0], (mplsvpn_rc)0xa5a5a5a5);
    accepts(mplsvpn_fib_lookup_bulk(reader, VRF, both, 2, out.hops, out.results));

    accepts(mplsvpn_vrf_add(table, VRF + 1));
    accepts(mplsvpn_vrf_remove(table, VRF + 1));
    accepts(mplsvpn_route_set(table, VRF, &prefix, &tunnel));
    accepts(mplsvpn_route_remove(table, VRF, &prefix));
}

static void the_lfib_functions_refuse_null_and_leave_the_table_as_it_was(void **state)
{
    (void)state;
    refuses(mplsvpn_label_allocate(NULL, OWNER, &out.number));
    refuses(mplsvpn_label_allocate(table, OWNER, NULL));
    refuses(mplsvpn_label_reserve(NULL, OWNER, LABEL + 5));
    refuses(mplsvpn_label_bind(NULL, HELD, &vrf_hop));
    refuses(mplsvpn_label_bind(table, HELD, NULL));
    refuses(mplsvpn_label_release(NULL, HELD));
    refuses(mplsvpn_label_release_owner(NULL, OWNER));
    refuses(mplsvpn_label_reclaim(NULL, HELD));
    refuses(mplsvpn_label_next(NULL, OWNER, &out.it, &out.number));
    refuses(mplsvpn_label_next(table, OWNER, NULL, &out.number));
    refuses(mplsvpn_label_next(table, OWNER, &out.it, NULL));
    refuses(mplsvpn_lfib_next(NULL, &out.it, &out.number));
    refuses(mplsvpn_lfib_next(table, NULL, &out.number));
    refuses(mplsvpn_lfib_next(table, &out.it, NULL));
    refuses(mplsvpn_label_get(NULL, LABEL, &out.state, &out.owner, &out.hop));
    refuses(mplsvpn_label_get(table, LABEL, NULL, &out.owner, &out.hop));
    refuses(mplsvpn_label_get(table, LABEL, &out.state, NULL, &out.hop));
    refuses(mplsvpn_label_get(table, LABEL, &out.state, &out.owner, NULL));
    refuses(mplsvpn_table_lookup(NULL, INTERFACE, LABEL, &out.hop));
    refuses(mplsvpn_table_lookup(table, INTERFACE, LABEL, NULL));
    refuses(mplsvpn_interface_set(NULL, INTERFACE, VRF));
    refuses(mplsvpn_interface_remove(NULL, INTERFACE));
    refuses(mplsvpn_interface_allow(NULL, INTERFACE, VRF));
    refuses(mplsvpn_interface_deny(NULL, INTERFACE, VRF));

    accepts(mplsvpn_label_next(table, OWNER, &out.it, &out.number));
    out.it = 0;
    accepts(mplsvpn_lfib_next(table, &out.it, &out.number));
    accepts(mplsvpn_label_get(table, LABEL, &out.state, &out.owner, &out.hop));
    accepts(mplsvpn_table_lookup(table, INTERFACE, LABEL, &out.hop));
    accepts(mplsvpn_label_allocate(table, OWNER, &out.number));
    accepts(mplsvpn_label_reserve(table, OWNER, LABEL + 5));
    accepts(mplsvpn_label_bind(table, HELD, &vrf_hop));
    accepts(mplsvpn_label_release(table, HELD));
    accepts(mplsvpn_label_reclaim(table, HELD));
    accepts(mplsvpn_label_release_owner(table, OWNER));
    accepts(mplsvpn_interface_set(table, INTERFACE, VRF));
    accepts(mplsvpn_interface_allow(table, INTERFACE, VRF));
    accepts(mplsvpn_interface_deny(table, INTERFACE, VRF));
    accepts(mplsvpn_interface_remove(table, INTERFACE));
}

static void the_packet_functions_refuse_null_and_change_no_octet(void **state)
{
    (void)state;
    const size_t at = HEADROOM;
    const size_t len = hex_bytes(IP_PACKET, out.buf + at, sizeof(out.buf) - at);
    uint8_t *p = out.buf + at;
    refuses(mplsvpn_ip_input(NULL, VRF, p, len, &out.hop));
    refuses(mplsvpn_ip_input(reader, VRF, NULL, len, &out.hop));
    refuses(mplsvpn_ip_input(reader, VRF, p, len, NULL));
    refuses(mplsvpn_packet_push(NULL, &tunnel, out.buf, at, len, &out.packet));
    refuses(mplsvpn_packet_push(reader, NULL, out.buf, at, len, &out.packet));
    refuses(mplsvpn_packet_push(reader, &tunnel, NULL, at, len, &out.packet));
    refuses(mplsvpn_packet_push(reader, &tunnel, out.buf, at, len, NULL));
    refuses(mplsvpn_ip_decrement(NULL, len));
    answers(MPLSVPN_ERR_TRUNCATED, mplsvpn_ip_decrement(p, 0));
    accepts(mplsvpn_ip_input(reader, VRF, p, len, &out.hop));
    assert_int_equal(mplsvpn_ip_input(reader, VRF, p, 0, &out.hop), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(mplsvpn_packet_push(reader, &tunnel, out.buf, at, 0, &out.packet),
                     MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(mplsvpn_packet_push(reader, &tunnel, p, 0, len, &out.packet),
                     MPLSVPN_ERR_BUFFER);
    assert_hex(p, len, IP_PACKET);
    accepts(mplsvpn_packet_push(reader, &tunnel, out.buf, at, len, &out.packet));
    accepts(mplsvpn_ip_decrement(p, len));
    assert_int_equal(p[8], 62); /* RFC 1812 5.3.1: one for the push, one for this */
}

static void a_labelled_packet_is_refused_with_null_and_changes_no_octet(void **state)
{
    (void)state;
    const size_t at = HEADROOM;
    const size_t len = hex_bytes(LABEL_100 IP_PACKET, out.buf + at, sizeof(out.buf) - at);
    const uint32_t in = INTERFACE;
    refuses(mplsvpn_label_input(NULL, in, out.buf, at, len, &out.packet, &out.hop));
    refuses(mplsvpn_label_input(reader, in, NULL, at, len, &out.packet, &out.hop));
    refuses(mplsvpn_label_input(reader, in, out.buf, at, len, NULL, &out.hop));
    refuses(mplsvpn_label_input(reader, in, out.buf, at, len, &out.packet, NULL));
    assert_int_equal(mplsvpn_label_input(reader, in, out.buf, at, 0, &out.packet, &out.hop),
                     MPLSVPN_ERR_TRUNCATED);
    assert_hex(out.buf + at, len, LABEL_100 IP_PACKET);
    accepts(mplsvpn_label_input(reader, in, out.buf + at, 0, len, &out.packet, &out.hop));
    assert_int_equal(out.packet.offset, 4);
    assert_int_equal(out.hop.vrf, VRF);
}

static void names_are_told_for_any_number(void **state)
{
    (void)state;
    assert_int_equal(mplsvpn_version() >> 16, MPLSVPN_VERSION_MAJOR);
    assert_string_equal(mplsvpn_rc_name(INT32_MIN), "MPLSVPN_UNKNOWN");
}

static void without_memory(fail_alloc *f, void *user)
{
    (void)user;
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    watch_all();
    step(MPLSVPN_OK, mplsvpn_table_new(&cfg, &out.table));
    table = out.table;
    watch_all();
    step(MPLSVPN_OK, mplsvpn_reader_new(table, &out.reader));
    reader = out.reader;
    watch_all();
    step(MPLSVPN_OK, mplsvpn_vrf_add(table, VRF));
    step(MPLSVPN_OK, mplsvpn_route_set(table, VRF, &prefix, &tunnel));
    step(MPLSVPN_OK, mplsvpn_interface_set(table, INTERFACE, VRF));
    step(MPLSVPN_OK, mplsvpn_interface_allow(table, INTERFACE, VRF));
    step(MPLSVPN_OK, mplsvpn_label_reserve(table, OWNER, LABEL));
    step(MPLSVPN_OK, mplsvpn_label_bind(table, LABEL, &vrf_hop));
    step(MPLSVPN_OK, mplsvpn_label_allocate(table, OWNER, &out.number));
    ends();
    mplsvpn_table_free(table);
    table = NULL;
    reader = NULL;
}

static void every_function_survives_the_lack_of_memory(void **state)
{
    (void)state;
    assert_int_equal(mplsvpn_config_init(&cfg), MPLSVPN_OK);
    assert_steps_survive_every_allocation_failure(without_memory, NULL);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLE(the_label_functions_refuse_null_and_take_no_octets),
        WITH_TABLE(a_decoder_that_fails_has_written_nothing),
        WITH_TABLE(the_table_functions_refuse_null_and_leave_the_table_as_it_was),
        WITH_TABLE(the_route_functions_refuse_null_and_leave_the_table_as_it_was),
        WITH_TABLE(the_lfib_functions_refuse_null_and_leave_the_table_as_it_was),
        WITH_TABLE(the_packet_functions_refuse_null_and_change_no_octet),
        WITH_TABLE(a_labelled_packet_is_refused_with_null_and_changes_no_octet),
        cmocka_unit_test(names_are_told_for_any_number),
        cmocka_unit_test(every_function_survives_the_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
