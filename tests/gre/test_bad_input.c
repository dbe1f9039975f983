/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets that hurt implementations of GRE: docs/bad-input.md lists them. Each is made by hand,
 * given to the decoder and to a tunnel, and must be dropped for its own reason, counted, with
 * nothing else changed: the packet that was due next is still the one that is taken.
 */
#include "refusal.h"

#include <gre/gre.h>
#include <stdlib.h>
#include <string.h>

static gre_tunnel *tunnel;
static struct {
    gre_header header;
    gre_view view;
} out;

/* What is left when the counter of the drop is taken out. */
static void tunnel_state(description *d)
{
    gre_counters c = {.struct_size = sizeof(c)};
    const uint32_t overhead = gre_tunnel_get_overhead(tunnel);
    assert_int_equal(gre_tunnel_get_counters(tunnel, &c), GRE_OK);
    c.drop_truncated = c.drop_routing = 0;
    describe(d, &c, sizeof(c));
    describe(d, &overhead, sizeof(overhead));
}

static gre_counters counters(void)
{
    gre_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(gre_tunnel_get_counters(tunnel, &c), GRE_OK);
    return c;
}

/* A packet of the tunnel's key and sequence number (RFC 2890 2), with an octet of payload. */
static void take(uint8_t sequence)
{
    const uint8_t packet[] = {0x30, 0, 0x08, 0, 0, 0, 0, 7, 0, 0, 0, sequence, 0xab};
    gre_view v;
    assert_int_equal(gre_tunnel_decode(tunnel, packet, sizeof(packet), &v), GRE_OK);
    assert_int_equal(v.gap, 0);
    assert_int_equal(v.payload_len, 1);
}

static int setup(void **state)
{
    (void)state;
    gre_config cfg;
    assert_int_equal(gre_config_init(&cfg), GRE_OK);
    cfg.use_key = cfg.use_sequence = 1;
    cfg.key = 7;
    assert_int_equal(gre_tunnel_new(&cfg, &tunnel), GRE_OK);
    take(0);
    watch(&out, sizeof(out), tunnel_state);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    take(1);
    gre_tunnel_free(tunnel);
    return 0;
}

static void refused(const char *hex, gre_rc why)
{
    uint8_t packet[128];
    const size_t len = hex_bytes(hex, packet, sizeof(packet));
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, packet, len);
    answers(why, gre_header_decode(exact, len, &out.header));
    answers(why, gre_tunnel_decode(tunnel, exact, len, &out.view));
    free(exact);
}

/* RFC 2784 2.1, RFC 2890 2: checksum, key and sequence number, cut at each octet. */
static void flags_that_claim_fields_beyond_the_packet_are_refused(void **state)
{
    (void)state;
    uint64_t count = 0;
    static const uint8_t flags[] = {0x80, 0x20, 0x10, 0xa0, 0x90, 0x30, 0xb0};
    for (size_t i = 0; i < sizeof(flags); i++) {
        for (size_t len = 0; len < gre_header_get_len(flags[i]); len++) {
            uint8_t *packet = calloc(1, len ? len : 1);
            assert_non_null(packet);
            if (len > 0)
                packet[0] = flags[i];
            if (len > 2)
                packet[2] = 0x08;
            answers(GRE_ERR_TRUNCATED, gre_header_decode(packet, len, &out.header));
            answers(GRE_ERR_TRUNCATED, gre_tunnel_decode(tunnel, packet, len, &out.view));
            free(packet);
            count++;
        }
    }
    assert_int_equal(counters().drop_truncated, count);
}

/*
 * RFC 1701: with R set there follow checksum, offset and source route entries: address family, SRE
 * offset, SRE length, addresses; family 0 and length 0 end the list. Here is no end, an entry of no
 * length (nobody gets on from there), and one longer than the packet. RFC 2784 2.3 lets a receiver
 * drop them all.
 */
static void a_source_route_list_without_an_end_is_refused(void **state)
{
    (void)state;
    refused("4000 0800 0000 0000", GRE_ERR_ROUTING);
    refused("4000 0800 0000 0000 0800 00 04 0a010101 0800 04 04 0a010102", GRE_ERR_ROUTING);
    refused("4000 0800 0000 0000 0800 00 00 0800 00 00 0800 00 00", GRE_ERR_ROUTING);
    refused("4000 0800 0000 0000 0800 00 ff 0a010101", GRE_ERR_ROUTING);
    refused("7000 0800 0000 0000 0000 0007 0000 0001 0800 ff 04 0a010101", GRE_ERR_ROUTING);
    assert_int_equal(counters().drop_routing, 5);
}

#define BAD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BAD(flags_that_claim_fields_beyond_the_packet_are_refused),
        BAD(a_source_route_list_without_an_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
