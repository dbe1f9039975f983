/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#define VRF      7
#define OWN_VRF  9 /* of the interface */
#define IN       1
#define OUT      2
#define LABEL    100
#define HEADROOM 32
#define PIPE_TTL 200
#define PIPE_TC  3

typedef struct node {
    mplsvpn_table *table;
    mplsvpn_reader *reader;
} node;

/* A table in which IN may enter VRF and OWN_VRF, and LABEL is held. */
static node node_new(uint8_t ttl_model)
{
    mplsvpn_config c = table_config();
    c.ttl_model = ttl_model;
    c.pipe_ttl = PIPE_TTL;
    c.pipe_tc = PIPE_TC;
    node n = {.table = table_new(&c)};
    assert_int_equal(mplsvpn_vrf_add(n.table, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_vrf_add(n.table, OWN_VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_set(n.table, IN, OWN_VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(n.table, IN, VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_allow(n.table, IN, OWN_VRF), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_reserve(n.table, 1, LABEL), MPLSVPN_OK);
    assert_int_equal(mplsvpn_reader_new(n.table, &n.reader), MPLSVPN_OK);
    return n;
}

static uint32_t vector_label(vectors *v, size_t i)
{
    char name[16];
    snprintf(name, sizeof(name), "label%zu", i);
    return (uint32_t)vectors_number(v, name);
}

static mplsvpn_hop vector_hop(vectors *v, uint8_t kind)
{
    mplsvpn_hop hop = {.kind = kind, .vrf = VRF};
    if (kind == MPLSVPN_HOP_TUNNEL)
        hop.interface_id = OUT;
    hop.label_count = (uint8_t)vectors_number(v, "count");
    for (size_t i = 0; i < hop.label_count; i++)
        hop.labels[i] = vector_label(v, i);
    return hop;
}

/* Oracle: scapy; RFC 3032 2.4.3, RFC 3443 3.5, 3.6 */
/* The TTL of the top header, by where RFC 3032 2.1, RFC 791 3.1 and RFC 8200 3 have it. */
static uint8_t top_ttl(const mplsvpn_packet *p, const uint8_t *buf)
{
    const uint8_t *top = buf + p->offset;
    return top[p->protocol == MPLSVPN_PROTOCOL_MPLS   ? 3
               : p->protocol == MPLSVPN_PROTOCOL_IPV4 ? 8
                                                      : 7];
}

/* The first label that is no explicit null above others, as a word. */
static uint32_t deciding_label(const uint8_t *stack)
{
    while (stack[0] == 0 && stack[1] == 0 && (stack[2] & 0xd1) == 0)
        stack += 4;
    return (uint32_t)stack[0] << 24 | (uint32_t)stack[1] << 16 | (uint32_t)stack[2] << 8 | stack[3];
}

static void pushed_packets_are_what_the_oracle_builds(void **state)
{
    (void)state;
    vectors *v = vectors_open("mplsvpn/vectors/push.txt");
    unsigned records = 0;
    while (vectors_next(v)) {
        node n = node_new((uint8_t)vectors_number(v, "model"));
        size_t len, after_len;
        const uint8_t *before = vectors_hex(v, "before", &len);
        const uint8_t *after = vectors_hex(v, "after", &after_len);
        const mplsvpn_hop hop = vector_hop(v, MPLSVPN_HOP_TUNNEL);
        uint8_t buf[HEADROOM + 200];
        mplsvpn_packet p;
        memcpy(buf + HEADROOM, before, len);
        assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, len, &p), MPLSVPN_OK);
        assert_bytes(buf + p.offset, p.len, after, after_len);
        assert_int_equal(p.protocol, vectors_number(v, "protocol"));
        assert_int_equal(p.offset, HEADROOM - hop.label_count * 4u);
        assert_int_equal(p.ttl, top_ttl(&p, buf));
        assert_int_equal(p.tc, 0);
        assert_int_equal(p.label, 0);
        mplsvpn_table_free(n.table);
        records++;
    }
    vectors_close(v);
    assert_int_equal(records, 9);
}

/* Oracle: scapy; RFC 3443 3.1 to 3.6, RFC 4182 2 */
static void labelled_packets_come_out_as_the_oracle_builds_them(void **state)
{
    (void)state;
    vectors *v = vectors_open("mplsvpn/vectors/input.txt");
    unsigned records = 0;
    while (vectors_next(v)) {
        node n = node_new((uint8_t)vectors_number(v, "model"));
        size_t len, after_len;
        const uint8_t *before = vectors_hex(v, "before", &len);
        const uint8_t *after = vectors_hex(v, "after", &after_len);
        const mplsvpn_hop hop = vector_hop(v, (uint8_t)vectors_number(v, "kind"));
        mplsvpn_hop got;
        mplsvpn_packet p;
        uint8_t buf[HEADROOM + 200];
        assert_int_equal(mplsvpn_label_bind(n.table, LABEL, &hop), MPLSVPN_OK);
        memcpy(buf + HEADROOM, before, len);
        assert_int_equal(mplsvpn_label_input(n.reader, IN, buf, HEADROOM, len, &p, &got),
                         MPLSVPN_OK);
        assert_bytes(buf + p.offset, p.len, after, after_len);
        assert_int_equal(p.protocol, vectors_number(v, "protocol"));
        assert_int_equal(p.ttl, top_ttl(&p, buf));
        assert_int_equal(p.tc, deciding_label(before) >> 9 & 7);
        assert_int_equal(p.label, deciding_label(before) >> 12);
        assert_int_equal(got.kind, hop.kind);
        assert_int_equal(got.vrf, vectors_number(v, "vrf"));
        assert_int_equal(got.interface_id, hop.interface_id);
        assert_int_equal(reader_counters_of(n.reader).labeled_packets, 1);
        mplsvpn_table_free(n.table);
        records++;
    }
    vectors_close(v);
    assert_int_equal(records, 19);
}

/* An IPv4 packet: 10.1.1.101 to 10.2.2.102, TTL 64, 20 bytes. Checksums here were summed by hand.
 */
#define IPV4 "45000014000100004011630b0a0101650a020266"
#define IPV6 "600000000000113f 20010db8000000000000000000000101 20010db8000000000000000000000102"

static mplsvpn_rc input_hex(const node *n, uint32_t in_if, const char *hex)
{
    uint8_t bytes[256];
    const size_t len = hex_bytes(hex, bytes, sizeof(bytes));
    /* Headroom none, and exactly as long as the packet: a sanitizer sees one byte too far. */
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    mplsvpn_packet p = {.offset = 4711};
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_label_input(n->reader, in_if, exact, 0, len, &p, &hop);
    if (rc != MPLSVPN_OK) {
        assert_int_equal(p.offset, 4711);
        assert_memory_equal(exact, bytes, len);
    }
    free(exact);
    return rc;
}

static void bind_kind(const node *n, uint8_t kind)
{
    const mplsvpn_hop hop = {.kind = kind, .vrf = VRF};
    assert_int_equal(mplsvpn_label_bind(n->table, LABEL, &hop), MPLSVPN_OK);
}

/* bad-input: label stack without bottom-of-stack before the end */
static void a_stack_without_bottom_is_dropped(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    bind_kind(&n, MPLSVPN_HOP_VRF);
    assert_int_equal(input_hex(&n, IN, ""), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(input_hex(&n, IN, "000640"), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(input_hex(&n, IN, "00064040"), MPLSVPN_ERR_NO_BOTTOM);
    assert_int_equal(input_hex(&n, IN, "00064040 00064040 0006"), MPLSVPN_ERR_NO_BOTTOM);
    char hex[400] = "";
    for (int i = 0; i < 17; i++)
        strcat(hex, "00000040");
    assert_int_equal(input_hex(&n, IN, hex), MPLSVPN_ERR_DEPTH);
    const mplsvpn_counters c = reader_counters_of(n.reader);
    assert_int_equal(c.drop_truncated, 2);
    assert_int_equal(c.drop_no_bottom, 2);
    assert_int_equal(c.drop_depth, 1);
    mplsvpn_table_free(n.table);
}

/* RFC 3032 2.1, RFC 7274: only explicit nulls are handled */
static void special_purpose_labels_are_dropped_but_for_explicit_nulls(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    for (unsigned label = 0; label < 16; label++) {
        char hex[80];
        snprintf(hex, sizeof(hex), "%05x140" IPV4, label);
        /* 0 is for IPv4, 2 for IPv6. */
        assert_int_equal(input_hex(&n, IN, hex), label == 0   ? MPLSVPN_OK
                                                 : label == 2 ? MPLSVPN_ERR_VERSION
                                                              : MPLSVPN_ERR_RESERVED);
    }
    assert_int_equal(input_hex(&n, IN, "00002140" IPV6), MPLSVPN_OK);
    assert_int_equal(input_hex(&n, IN, "00000140" IPV6), MPLSVPN_ERR_VERSION);
    /* A router alert on top, the label below it good. */
    bind_kind(&n, MPLSVPN_HOP_VRF);
    assert_int_equal(input_hex(&n, IN, "00001040 00064140" IPV4), MPLSVPN_ERR_RESERVED);
    assert_int_equal(reader_counters_of(n.reader).drop_reserved, 15);
    mplsvpn_table_free(n.table);
}

static void unknown_draining_and_forbidden_labels_are_dropped_and_counted_apart(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    const char *packet = "00064140" IPV4;
    assert_int_equal(input_hex(&n, IN, packet), MPLSVPN_ERR_NO_LABEL);
    bind_kind(&n, MPLSVPN_HOP_VRF);
    assert_int_equal(input_hex(&n, IN, packet), MPLSVPN_OK);
    assert_int_equal(input_hex(&n, IN + 1, packet), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(mplsvpn_interface_deny(n.table, IN, VRF), MPLSVPN_OK);
    assert_int_equal(input_hex(&n, IN, packet), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(mplsvpn_label_release(n.table, LABEL), MPLSVPN_OK);
    assert_int_equal(input_hex(&n, IN, packet), MPLSVPN_ERR_DRAINING);
    /* Explicit null needs permission for the interface's own VRF. */
    assert_int_equal(input_hex(&n, IN, "00000140" IPV4), MPLSVPN_OK);
    assert_int_equal(mplsvpn_interface_deny(n.table, IN, OWN_VRF), MPLSVPN_OK);
    assert_int_equal(input_hex(&n, IN, "00000140" IPV4), MPLSVPN_ERR_NOT_ALLOWED);
    assert_int_equal(input_hex(&n, IN + 1, "00000140" IPV4), MPLSVPN_ERR_NOT_ALLOWED);
    const mplsvpn_counters c = reader_counters_of(n.reader);
    assert_int_equal(c.drop_no_label, 1);
    assert_int_equal(c.drop_not_allowed, 4);
    assert_int_equal(c.drop_draining, 1);
    assert_int_equal(c.labeled_packets, 2);
    mplsvpn_table_free(n.table);
}

static void labels_left_where_ip_is_due_are_dropped(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    bind_kind(&n, MPLSVPN_HOP_VRF);
    assert_int_equal(input_hex(&n, IN, "00064040 00064140" IPV4), MPLSVPN_ERR_NOT_BOTTOM);
    bind_kind(&n, MPLSVPN_HOP_LOCAL);
    assert_int_equal(input_hex(&n, IN, "00064040 00064140" IPV4), MPLSVPN_ERR_NOT_BOTTOM);
    bind_kind(&n, MPLSVPN_HOP_DISCARD);
    assert_int_equal(input_hex(&n, IN, "00064140" IPV4), MPLSVPN_ERR_DISCARD);
    mplsvpn_table_free(n.table);
}

static void what_is_no_ip_below_the_labels_is_dropped(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    bind_kind(&n, MPLSVPN_HOP_VRF);
    assert_int_equal(input_hex(&n, IN, "00064140"), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(input_hex(&n, IN, "00064140 45"), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(input_hex(&n, IN, "00064140 00000000"), MPLSVPN_ERR_VERSION);
    bind_kind(&n, MPLSVPN_HOP_TUNNEL);
    assert_int_equal(input_hex(&n, IN, "00064140 00000000"), MPLSVPN_ERR_VERSION);
    mplsvpn_table_free(n.table);
}

/* RFC 3032 2.4.2, RFC 3443 3.5 */
static void a_label_whose_ttl_has_run_out_is_dropped(void **state)
{
    (void)state;
    for (uint8_t model = MPLSVPN_TTL_UNIFORM; model <= MPLSVPN_TTL_SHORT_PIPE; model++) {
        node n = node_new(model);
        bind_kind(&n, MPLSVPN_HOP_VRF);
        assert_int_equal(input_hex(&n, IN, "00064100" IPV4), MPLSVPN_ERR_TTL);
        assert_int_equal(input_hex(&n, IN, "00064101" IPV4), MPLSVPN_OK);
        bind_kind(&n, MPLSVPN_HOP_TUNNEL);
        assert_int_equal(input_hex(&n, IN, "00064101" IPV4), MPLSVPN_ERR_TTL);
        assert_int_equal(input_hex(&n, IN, "00064102" IPV4), MPLSVPN_OK);
        mplsvpn_hop swap = tunnel_hop(OUT, 0);
        swap.vrf = VRF;
        swap.label_count = 1;
        swap.labels[0] = 300;
        assert_int_equal(mplsvpn_label_bind(n.table, LABEL, &swap), MPLSVPN_OK);
        assert_int_equal(input_hex(&n, IN, "00064101" IPV4), MPLSVPN_ERR_TTL);
        assert_int_equal(reader_counters_of(n.reader).drop_ttl, 3);
        mplsvpn_table_free(n.table);
    }
}

static void a_swap_to_more_labels_needs_headroom(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    mplsvpn_hop swap = tunnel_hop(OUT, 0);
    swap.vrf = VRF;
    swap.label_count = 2;
    swap.labels[0] = 300;
    swap.labels[1] = 301;
    assert_int_equal(mplsvpn_label_bind(n.table, LABEL, &swap), MPLSVPN_OK);
    assert_int_equal(input_hex(&n, IN, "00064140" IPV4), MPLSVPN_ERR_BUFFER);
    assert_int_equal(reader_counters_of(n.reader).drop_no_headroom, 1);
    /* A popped explicit null makes room. */
    assert_int_equal(input_hex(&n, IN, "00000040 00064140" IPV4), MPLSVPN_OK);
    mplsvpn_table_free(n.table);
}

/* ---- IP. ---- */

static mplsvpn_rc ip_hex(const node *n, const char *hex)
{
    uint8_t bytes[128];
    const size_t len = hex_bytes(hex, bytes, sizeof(bytes));
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_ip_input(n->reader, VRF, exact, len, &hop);
    free(exact);
    return rc;
}

static void set_default_routes(const node *n, uint8_t kind)
{
    const mplsvpn_hop hop = {.kind = kind, .interface_id = OUT};
    const mplsvpn_addr v4 = {.family = MPLSVPN_FAMILY_IPV4}, v6 = {.family = MPLSVPN_FAMILY_IPV6};
    assert_int_equal(mplsvpn_route_set(n->table, VRF, &v4, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_set(n->table, VRF, &v6, &hop), MPLSVPN_OK);
}

/* Of routes for source, destination and everything, it is the destination's that counts. */
static void a_packet_takes_the_route_of_its_destination(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    mplsvpn_addr six = {.family = MPLSVPN_FAMILY_IPV6, .prefix_len = 128};
    hex_bytes("20010db8000000000000000000000101", six.bytes, 16);
    mplsvpn_addr prefixes[] = {
        prefix4(10, 1, 1, 101, 32),
        prefix4(10, 2, 2, 102, 32),
        prefix4(0, 0, 0, 0, 0),
        six,
        six,
        {.family = MPLSVPN_FAMILY_IPV6},
    };
    prefixes[4].bytes[15] = 2;
    for (uint64_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const mplsvpn_hop hop = tunnel_hop(OUT, i);
        assert_int_equal(mplsvpn_route_set(n.table, VRF, &prefixes[i], &hop), MPLSVPN_OK);
    }
    uint8_t packet[40];
    mplsvpn_hop hop;
    size_t len = hex_bytes(IPV4, packet, sizeof(packet));
    assert_int_equal(mplsvpn_ip_input(n.reader, VRF, packet, len, &hop), MPLSVPN_OK);
    assert_int_equal(hop.cookie, 1);
    len = hex_bytes(IPV6, packet, sizeof(packet));
    assert_int_equal(mplsvpn_ip_input(n.reader, VRF, packet, len, &hop), MPLSVPN_OK);
    assert_int_equal(hop.cookie, 4);
    packet[39] = 3;
    assert_int_equal(mplsvpn_ip_input(n.reader, VRF, packet, len, &hop), MPLSVPN_OK);
    assert_int_equal(hop.cookie, 5);
    mplsvpn_table_free(n.table);
}

/* RFC 1812 5.2.2, RFC 791 3.1, RFC 8200 3 */
static void bad_ip_headers_are_dropped_precisely(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    set_default_routes(&n, MPLSVPN_HOP_TUNNEL);
    assert_int_equal(ip_hex(&n, IPV4), MPLSVPN_OK);
    assert_int_equal(ip_hex(&n, IPV4 "0000"), MPLSVPN_OK);
    assert_int_equal(ip_hex(&n, IPV6), MPLSVPN_OK);
    assert_int_equal(ip_hex(&n, ""), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(ip_hex(&n, "45"), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(ip_hex(&n, "6000"), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(ip_hex(&n, "00000000"), MPLSVPN_ERR_VERSION);
    /* header length 16, total length 19, 21 of 20, checksum off by one, IPv6 payload missing */
    assert_int_equal(ip_hex(&n, "44000014000100004011 640b 0a0101650a020266"),
                     MPLSVPN_ERR_MALFORMED);
    assert_int_equal(ip_hex(&n, "45000013000100004011 630c 0a0101650a020266"),
                     MPLSVPN_ERR_MALFORMED);
    assert_int_equal(ip_hex(&n, "45000015000100004011 630a 0a0101650a020266"),
                     MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(ip_hex(&n, "45000014000100004011 630c 0a0101650a020266"),
                     MPLSVPN_ERR_CHECKSUM);
    assert_int_equal(ip_hex(&n, "600000000001113f 20010db8000000000000000000000101"
                                "20010db8000000000000000000000102"),
                     MPLSVPN_ERR_TRUNCATED);
    mplsvpn_table_free(n.table);
}

/* RFC 1122 3.2.1.3, RFC 1812 5.3.7, RFC 4291 2.5 */
static void addresses_that_no_router_forwards_are_dropped(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    set_default_routes(&n, MPLSVPN_HOP_TUNNEL);
    /* Protocol 0, source 0.0.0.0, so that the checksum is ~(4500+14+4000+destination). */
    assert_int_equal(ip_hex(&n, "4500001400000000 4000 9ae9 00000000 e0000001"),
                     MPLSVPN_ERR_ADDRESS);
    assert_int_equal(ip_hex(&n, "4500001400000000 4000 7aeb 00000000 ffffffff"),
                     MPLSVPN_ERR_ADDRESS);
    assert_int_equal(ip_hex(&n, "4500001400000000 4000 fbe9 00000000 7f000001"),
                     MPLSVPN_ERR_ADDRESS);
    assert_int_equal(ip_hex(&n, "4500001400000000 4000 7aeb 00000000 00000000"),
                     MPLSVPN_ERR_ADDRESS);
    static const char *const v6[] = {
        "ff020000000000000000000000000001", "00000000000000000000000000000000",
        "00000000000000000000000000000001", "fe800000000000000000000000000001",
        "febf0000000000000000000000000001"};
    for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
        char hex[100] = "600000000000113f20010db8000000000000000000000101";
        strcat(hex, v6[i]);
        assert_int_equal(ip_hex(&n, hex), MPLSVPN_ERR_ADDRESS);
    }
    assert_int_equal(reader_counters_of(n.reader).drop_address, 9);
    /* RFC 4291 2.5.2, 2.5.3, 2.5.6, 2.7: nor as an IPv6 source */
    for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
        char hex[100] = "600000000000113f";
        strcat(hex, v6[i]);
        strcat(hex, "20010db8000000000000000000000101");
        assert_int_equal(ip_hex(&n, hex), MPLSVPN_ERR_ADDRESS);
    }
    assert_int_equal(reader_counters_of(n.reader).drop_address, 14);
    /* Their neighbours are routed. */
    static const char *const v6_routed[] = {
        "00000000000000000000000000000002", "20010db8000000000000000000000000",
        "20010db8000000000000000000000001", "fec00000000000000000000000000001",
        "fe7f0000000000000000000000000001"};
    for (size_t i = 0; i < sizeof(v6_routed) / sizeof(v6_routed[0]); i++) {
        char hex[100] = "600000000000113f20010db8000000000000000000000101";
        strcat(hex, v6_routed[i]);
        assert_int_equal(ip_hex(&n, hex), MPLSVPN_OK);
    }
    mplsvpn_table_free(n.table);
}

/* RFC 1812 5.3.1 */
static void ttl_runs_out_only_for_what_is_forwarded(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    const char *ttl1 = "4500001400010000 0111 a20b 0a0101650a020266";
    const char *ttl2 = "4500001400010000 0211 a10b 0a0101650a020266";
    const char *hops1 = "6000000000001101 20010db8000000000000000000000101"
                        "20010db8000000000000000000000102";
    assert_int_equal(ip_hex(&n, ttl1), MPLSVPN_ERR_NO_ROUTE);
    set_default_routes(&n, MPLSVPN_HOP_TUNNEL);
    assert_int_equal(ip_hex(&n, ttl1), MPLSVPN_ERR_TTL);
    assert_int_equal(ip_hex(&n, ttl2), MPLSVPN_OK);
    assert_int_equal(ip_hex(&n, hops1), MPLSVPN_ERR_TTL);
    set_default_routes(&n, MPLSVPN_HOP_LOCAL);
    assert_int_equal(ip_hex(&n, ttl1), MPLSVPN_OK);
    set_default_routes(&n, MPLSVPN_HOP_DISCARD);
    assert_int_equal(ip_hex(&n, ttl1), MPLSVPN_ERR_DISCARD);
    const mplsvpn_counters c = reader_counters_of(n.reader);
    assert_int_equal(c.drop_ttl, 2);
    assert_int_equal(c.drop_no_route, 1);
    assert_int_equal(c.drop_discard, 1);
    assert_int_equal(c.ip_packets, 2);
    mplsvpn_table_free(n.table);
}

static void a_local_packet_is_left_as_it_is(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    const mplsvpn_hop hop = {.kind = MPLSVPN_HOP_LOCAL, .vrf = VRF};
    uint8_t buf[20];
    mplsvpn_packet p;
    hex_bytes("4500001400010000 0111 a20b 0a0101650a020266", buf, 20);
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, 0, 20, &p), MPLSVPN_OK);
    assert_hex(buf + p.offset, p.len, "4500001400010000 0111 a20b 0a0101650a020266");
    assert_int_equal(p.protocol, MPLSVPN_PROTOCOL_IPV4);
    mplsvpn_table_free(n.table);
}

/* The checksum of every TTL, each against a sum over the header. RFC 1624 3 */
static void decrement_keeps_the_header_checksum_right(void **state)
{
    (void)state;
    prng r = {4};
    for (int i = 0; i < 100000; i++) {
        uint8_t p[20];
        prng_bytes(&r, p, sizeof(p));
        p[0] = 0x45;
        p[10] = p[11] = 0;
        uint32_t sum = 0;
        for (int at = 0; at < 20; at += 2)
            sum += (uint32_t)(p[at] << 8 | p[at + 1]);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        p[10] = (uint8_t)(~sum >> 8);
        p[11] = (uint8_t)~sum;
        const uint8_t ttl = p[8];
        assert_int_equal(mplsvpn_ip_decrement(p, 20), ttl > 1 ? MPLSVPN_OK : MPLSVPN_ERR_TTL);
        assert_int_equal(p[8], ttl > 1 ? ttl - 1 : ttl);
        sum = 0;
        for (int at = 0; at < 20; at += 2)
            sum += (uint32_t)(p[at] << 8 | p[at + 1]);
        sum = (sum & 0xffff) + (sum >> 16);
        assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
    }
    uint8_t v6[40] = {0x60, [7] = 2};
    assert_int_equal(mplsvpn_ip_decrement(v6, 40), MPLSVPN_OK);
    assert_int_equal(v6[7], 1);
    assert_int_equal(mplsvpn_ip_decrement(v6, 40), MPLSVPN_ERR_TTL);
    assert_int_equal(mplsvpn_ip_decrement(v6, 39), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(mplsvpn_ip_decrement(v6, 0), MPLSVPN_ERR_TRUNCATED);
    assert_int_equal(mplsvpn_ip_decrement(NULL, 40), MPLSVPN_ERR_ARG);
    v6[0] = 0x70;
    assert_int_equal(mplsvpn_ip_decrement(v6, 40), MPLSVPN_ERR_VERSION);
}

/*
 * A packet from a host behind spoke 1 by the hub to spoke 2: at each of the three nodes its TTL
 * drops by one but at the last, where the host stack behind the TUN counts.
 */
static void a_packet_crosses_the_hub_from_vrf_to_vrf(void **state)
{
    (void)state;
    node spoke1 = node_new(MPLSVPN_TTL_UNIFORM), hub = node_new(MPLSVPN_TTL_UNIFORM),
         spoke2 = node_new(MPLSVPN_TTL_UNIFORM);
    const mplsvpn_addr to_all = prefix4(10, 0, 0, 0, 8), to_spoke2 = prefix4(10, 2, 2, 0, 24);
    mplsvpn_hop hop = tunnel_hop(OUT, 0);
    hop.label_count = 1;
    hop.labels[0] = LABEL;
    assert_int_equal(mplsvpn_route_set(spoke1.table, VRF, &to_all, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_route_set(hub.table, VRF, &to_spoke2, &hop), MPLSVPN_OK);
    const mplsvpn_hop local = {.kind = MPLSVPN_HOP_LOCAL},
                      pop = {.kind = MPLSVPN_HOP_VRF, .vrf = VRF};
    assert_int_equal(mplsvpn_route_set(spoke2.table, VRF, &to_spoke2, &local), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(hub.table, LABEL, &pop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_bind(spoke2.table, LABEL, &pop), MPLSVPN_OK);

    uint8_t buf[HEADROOM + 20];
    mplsvpn_packet p;
    hex_bytes(IPV4, buf + HEADROOM, 20);
    assert_int_equal(mplsvpn_ip_input(spoke1.reader, VRF, buf + HEADROOM, 20, &hop), MPLSVPN_OK);
    assert_int_equal(mplsvpn_packet_push(spoke1.reader, &hop, buf, HEADROOM, 20, &p), MPLSVPN_OK);
    assert_int_equal(p.protocol, MPLSVPN_PROTOCOL_MPLS);
    assert_hex(buf + p.offset, 4, "0006413f");

    assert_int_equal(mplsvpn_label_input(hub.reader, IN, buf, p.offset, p.len, &p, &hop),
                     MPLSVPN_OK);
    assert_int_equal(hop.kind, MPLSVPN_HOP_VRF);
    assert_int_equal(p.label, LABEL);
    assert_int_equal(mplsvpn_ip_input(hub.reader, hop.vrf, buf + p.offset, p.len, &hop),
                     MPLSVPN_OK);
    assert_int_equal(mplsvpn_packet_push(hub.reader, &hop, buf, p.offset, p.len, &p), MPLSVPN_OK);
    assert_hex(buf + p.offset, 4, "0006413e");

    assert_int_equal(mplsvpn_label_input(spoke2.reader, IN, buf, p.offset, p.len, &p, &hop),
                     MPLSVPN_OK);
    assert_int_equal(mplsvpn_ip_input(spoke2.reader, hop.vrf, buf + p.offset, p.len, &hop),
                     MPLSVPN_OK);
    assert_int_equal(hop.kind, MPLSVPN_HOP_LOCAL);
    assert_int_equal(hop.vrf, VRF);
    assert_int_equal(mplsvpn_packet_push(spoke2.reader, &hop, buf, p.offset, p.len, &p),
                     MPLSVPN_OK);
    /* TTL 62; the checksum is 0x630b + 2 * 0x0100. */
    assert_hex(buf + p.offset, p.len, "45000014000100003e11650b0a0101650a020266");
    mplsvpn_table_free(spoke1.table);
    mplsvpn_table_free(hub.table);
    mplsvpn_table_free(spoke2.table);
}

static void null_and_senseless_arguments_are_refused(void **state)
{
    (void)state;
    node n = node_new(MPLSVPN_TTL_UNIFORM);
    uint8_t buf[HEADROOM + 20] = {0};
    mplsvpn_packet p;
    mplsvpn_hop hop = tunnel_hop(OUT, 0);
    hex_bytes(IPV4, buf + HEADROOM, 20);
    assert_int_equal(mplsvpn_ip_input(NULL, VRF, buf, 20, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_ip_input(n.reader, VRF, NULL, 20, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_ip_input(n.reader, VRF, buf, 20, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_ip_input(n.reader, 1, buf + HEADROOM, 20, &hop), MPLSVPN_ERR_NO_VRF);
    assert_int_equal(mplsvpn_packet_push(NULL, &hop, buf, HEADROOM, 20, &p), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_packet_push(n.reader, NULL, buf, HEADROOM, 20, &p), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, NULL, HEADROOM, 20, &p), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, 20, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, 0, &p),
                     MPLSVPN_ERR_TRUNCATED);
    buf[HEADROOM + 8] = 1;
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, 20, &p), MPLSVPN_ERR_TTL);
    buf[HEADROOM + 8] = 64;
    hop.label_count = 4;
    hop.labels[0] = hop.labels[1] = hop.labels[2] = hop.labels[3] = 16;
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf + HEADROOM - 15, 15, 20, &p),
                     MPLSVPN_ERR_BUFFER);
    assert_hex(buf + HEADROOM, 20, IPV4);
    hop.label_count = 5;
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, 20, &p), MPLSVPN_ERR_ARG);
    hop = (mplsvpn_hop){.kind = MPLSVPN_HOP_VRF};
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, 20, &p), MPLSVPN_ERR_ARG);
    hop = (mplsvpn_hop){.kind = MPLSVPN_HOP_LOCAL, .label_count = 1};
    assert_int_equal(mplsvpn_packet_push(n.reader, &hop, buf, HEADROOM, 20, &p), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_input(NULL, IN, buf, 0, 4, &p, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_input(n.reader, IN, NULL, 0, 4, &p, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_input(n.reader, IN, buf, 0, 4, NULL, &hop), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_label_input(n.reader, IN, buf, 0, 4, &p, NULL), MPLSVPN_ERR_ARG);
    assert_int_equal(mplsvpn_reader_idle(n.reader), MPLSVPN_OK);
    assert_int_equal(mplsvpn_label_input(n.reader, IN, buf, 0, 4, &p, &hop), MPLSVPN_ERR_STATE);
    assert_int_equal(mplsvpn_ip_input(n.reader, VRF, buf, 20, &hop), MPLSVPN_ERR_STATE);
    mplsvpn_table_free(n.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushed_packets_are_what_the_oracle_builds),
        cmocka_unit_test(labelled_packets_come_out_as_the_oracle_builds_them),
        cmocka_unit_test(a_stack_without_bottom_is_dropped),
        cmocka_unit_test(special_purpose_labels_are_dropped_but_for_explicit_nulls),
        cmocka_unit_test(unknown_draining_and_forbidden_labels_are_dropped_and_counted_apart),
        cmocka_unit_test(labels_left_where_ip_is_due_are_dropped),
        cmocka_unit_test(what_is_no_ip_below_the_labels_is_dropped),
        cmocka_unit_test(a_label_whose_ttl_has_run_out_is_dropped),
        cmocka_unit_test(a_swap_to_more_labels_needs_headroom),
        cmocka_unit_test(a_packet_takes_the_route_of_its_destination),
        cmocka_unit_test(bad_ip_headers_are_dropped_precisely),
        cmocka_unit_test(addresses_that_no_router_forwards_are_dropped),
        cmocka_unit_test(ttl_runs_out_only_for_what_is_forwarded),
        cmocka_unit_test(a_local_packet_is_left_as_it_is),
        cmocka_unit_test(decrement_keeps_the_header_checksum_right),
        cmocka_unit_test(a_packet_crosses_the_hub_from_vrf_to_vrf),
        cmocka_unit_test(null_and_senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
