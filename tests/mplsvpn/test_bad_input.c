/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets that hurt implementations of MPLS: docs/bad-input.md lists them. Each is made by hand,
 * given to the decoder and to a table, and must be dropped for its own reason, counted, with
 * nothing else changed, not an octet of it: the packet that comes next finds its way.
 */
#include "refusal.h"

#include <mplsvpn/mplsvpn.h>
#include <stdlib.h>
#include <string.h>

enum { VRF = 7, INTERFACE = 1, SWAP = 100, POP = 101 };

/* Hand-made, RFC 3032 2.1: label 100 not the bottom, label 101 the bottom, TTL 64. */
#define LABEL_100        "00064040"
#define LABEL_101_BOTTOM "00065140"
/* Hand-made: IPv4, TTL 64, UDP, 10.1.1.1 to 10.2.2.2, checksum of RFC 1071. */
#define IP_PACKET "45000014 00010000 401163d3 0a010101 0a020202"

static mplsvpn_table *table;
static mplsvpn_reader *reader;
static struct {
    mplsvpn_label stack[MPLSVPN_STACK_MAX];
    size_t count;
    mplsvpn_packet packet;
    mplsvpn_hop hop;
} out;

static mplsvpn_counters counters(void)
{
    mplsvpn_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(mplsvpn_reader_get_counters(reader, &c), MPLSVPN_OK);
    return c;
}

/* What is left when the counters of the drops are taken out. */
static void table_state(description *d)
{
    mplsvpn_usage u = {.struct_size = sizeof(u)};
    mplsvpn_counters c = counters();
    mplsvpn_hop hop;
    size_t it = 0;
    uint32_t label;
    c.drop_truncated = c.drop_no_bottom = c.drop_depth = 0;
    assert_int_equal(mplsvpn_table_get_usage(table, &u), MPLSVPN_OK);
    describe(d, &u, sizeof(u));
    describe(d, &c, sizeof(c));
    while (mplsvpn_lfib_next(table, &it, &label) == MPLSVPN_YES) {
        assert_int_equal(mplsvpn_table_lookup(table, INTERFACE, label, &hop), MPLSVPN_OK);
        describe(d, &label, sizeof(label));
        describe(d, &hop, sizeof(hop));
    }
}

/* RFC 3031 3.10: label 101 is popped to the VRF. */
static void take(void)
{
    uint8_t packet[64];
    const size_t len = hex_bytes(LABEL_101_BOTTOM IP_PACKET, packet, sizeof(packet));
    mplsvpn_packet p;
    mplsvpn_hop hop;
    assert_int_equal(mplsvpn_label_input(reader, INTERFACE, packet, 0, len, &p, &hop), MPLSVPN_OK);
    assert_int_equal(p.offset, 4);
    assert_int_equal(hop.vrf, VRF);
}

static int setup(void **state)
{
    (void)state;
    mplsvpn_config cfg;
    const mplsvpn_hop swap = {
        .kind = MPLSVPN_HOP_TUNNEL, .vrf = VRF, .label_count = 1, .labels = {200}};
    const mplsvpn_hop pop = {.kind = MPLSVPN_HOP_VRF, .vrf = VRF};
    assert_int_equal(mplsvpn_config_init(&cfg), MPLSVPN_OK);
    assert_int_equal(mplsvpn_table_new(&cfg, &table), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(table, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(table, INTERFACE, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(table, INTERFACE, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(table, 1, SWAP), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(table, SWAP, &swap), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(table, 1, POP), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(table, POP, &pop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(table, &reader), MPLSVPN_OK);
    take();
    watch(&out, sizeof(out), table_state);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    take();
    mplsvpn_table_free(table);
    return 0;
}

static void refused(const uint8_t *bytes, size_t len, mplsvpn_rc why)
{
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    answers(why, mplsvpn_stack_decode(exact, len, out.stack, MPLSVPN_STACK_MAX, &out.count));
    answers(why, mplsvpn_label_input(reader, INTERFACE, exact, 0, len, &out.packet, &out.hop));
    assert_memory_equal(exact, bytes, len);
    free(exact);
}

/* RFC 3032 2.1: one entry to fifteen, and each with one, two and three octets of another. */
static void a_label_stack_without_a_bottom_is_refused(void **state)
{
    (void)state;
    uint8_t stack[(MPLSVPN_STACK_MAX + 1) * MPLSVPN_LABEL_BYTES];
    uint64_t count = 0;
    for (size_t i = 0; i <= MPLSVPN_STACK_MAX; i++)
        assert_int_equal(hex_bytes(LABEL_100, stack + 4 * i, 4), 4);
    for (size_t len = 4; len < MPLSVPN_STACK_MAX * MPLSVPN_LABEL_BYTES; len++, count++)
        refused(stack, len, MPLSVPN_ERR_NO_BOTTOM);
    assert_int_equal(counters().drop_no_bottom, count);

    /* The bottom is there, but its last octet is not. */
    uint8_t cut[8];
    assert_int_equal(hex_bytes(LABEL_100 LABEL_101_BOTTOM, cut, sizeof(cut)), 8);
    refused(cut, 7, MPLSVPN_ERR_NO_BOTTOM);
    /* Sixteen of which none is the bottom are more than anybody means, whether more come or not. */
    refused(stack, sizeof(stack) - MPLSVPN_LABEL_BYTES, MPLSVPN_ERR_DEPTH);
    refused(stack, sizeof(stack), MPLSVPN_ERR_DEPTH);
    assert_int_equal(counters().drop_depth, 2);
}

static void a_packet_that_ends_within_its_first_label_is_refused(void **state)
{
    (void)state;
    uint8_t label[4];
    assert_int_equal(hex_bytes(LABEL_101_BOTTOM, label, sizeof(label)), 4);
    for (size_t len = 0; len < sizeof(label); len++)
        refused(label, len, MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(counters().drop_truncated, 4);
}

#define BAD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BAD(a_label_stack_without_a_bottom_is_refused),
        BAD(a_packet_that_ends_within_its_first_label_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
