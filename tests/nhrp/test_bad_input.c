/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets that hurt implementations of NHRP: docs/bad-input.md lists them. Each is made by hand,
 * given to the decoder and to an engine that has a shortcut, and must be dropped for its own
 * reason, counted, with nothing else changed and the shortcut still there.
 */
#include "net.h"

#include <gre/gre.h>
#include <stdlib.h>
#include <string.h>

/*
 * RFC 2332 5.1: afn IPv4, protocol IPv4, no SNAP, hop count 255; then ar$pktsz, the checksum, which
 * is filled in later, and ar$extoff; then version 1, the type, an NBMA address of four octets.
 */
#define FIXED(size, extensions, type)                                                              \
    "0001 0800 0000000000 ff" size "0000" extensions "01" type "0400"
/* RFC 2332 5.2.0.1: lengths of two IPv4 addresses, flags, request id 0x4711; 192.168.1.100,
   172.16.1.100 to 10.1.1.101. */
#define REQUEST "04 04 0000 00004711 c0a80164 ac100164 0a010165"
/* The same of types 7 and 8: error code and offset, or traffic code; to 172.16.1.1, who is us. */
#define ERROR(code) "04 04 0000" code "0000 c0a80164 ac100164 ac100101"
#define REDIRECT    "04 04 0000 0000 0000 c0a80164 ac100164 0a010165"
/* RFC 2332 5.2.0.1: a CIE of 12 octets: code 0, /32, MTU 0, 600 s, no addresses. */
#define CIE "00 20 0000 0000 0258 00 00 00 00"

static net n;
static node *spoke;
static uint64_t shortcut;
static struct {
    nhrp_packet packet;
} out;
static uint8_t *bytes; /* a packet, in a block of just its size */
static size_t len;

static void spoke_state(description *d)
{
    describe_engine(d, spoke->engine);
}

static void start(const nhrp_interface_config *interface)
{
    nhrp_mapping m;
    net_init(&n, 1, NULL);
    walk_build(&n, NULL, interface);
    spoke = &n.nodes[1];
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_true(node_mapping(spoke, NHRP_MAPPING_RESOLVED, &m));
    shortcut = m.id;
    watch(&out, sizeof(out), spoke_state);
}

static int setup(void **state)
{
    (void)state;
    start(NULL);
    return 0;
}

/* The engine goes on: the shortcut stands, and one who asks rightly is answered. */
static int teardown(void **state)
{
    (void)state;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    const uint64_t replies = n.sent[NHRP_RESOLUTION_REPLY];
    assert_int_equal(nhrp_engine_used(spoke->engine, n.now_ms, shortcut), NHRP_OK);
    assert_int_equal(nhrp_engine_get_mapping(spoke->engine, shortcut, &m), NHRP_OK);
    assert_int_equal(m.kind, NHRP_MAPPING_RESOLVED);
    assert_int_equal(hub_hairpin(&n.nodes[0], 2, 1, 1000, ip4(10, 2, 2, 102), ip4(10, 1, 1, 101)),
                     NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_true(n.sent[NHRP_RESOLUTION_REPLY] > replies);
    assert_true(node_mapping(&n.nodes[2], NHRP_MAPPING_RESOLVED, &m));
    net_end(&n);
    free(bytes);
    bytes = NULL;
    return 0;
}

static void load_as_it_is(const char *hex)
{
    uint8_t packet[512];
    len = hex_bytes(hex, packet, sizeof(packet));
    free(bytes);
    bytes = malloc(len);
    assert_non_null(bytes);
    memcpy(bytes, packet, len);
}

static void load(const char *hex)
{
    load_as_it_is(hex);
    (void)nhrp_packet_set_checksum(bytes, len);
}

/* Types and number of what the spoke has to send now. */
static uint64_t sent_now(uint8_t type)
{
    uint8_t buf[2048];
    nhrp_output o;
    uint64_t count = 0;
    while (nhrp_engine_poll_output(spoke->engine, n.now_ms, buf, sizeof(buf), &o) == NHRP_YES)
        count += type == 0 || o.type == type;
    return count;
}

/* The decoder refuses it, and so does the engine, which says nothing: RFC 2332 5.2.7 lets it. */
static void undecodable(nhrp_rc why)
{
    const uint64_t before = node_dropped(spoke, why);
    answers(why, nhrp_packet_decode(bytes, len, &out.packet));
    answers(why, nhrp_engine_input(spoke->engine, n.now_ms, 1, NULL, bytes, len));
    assert_int_equal(node_dropped(spoke, why), before + 1);
    assert_int_equal(sent_now(0), 0);
}

/* It decodes, and the engine drops it. */
static void dropped(nhrp_rc why)
{
    nhrp_packet p;
    const uint64_t before = node_dropped(spoke, why);
    assert_int_equal(nhrp_packet_decode(bytes, len, &p), NHRP_OK);
    answers(why, nhrp_engine_input(spoke->engine, n.now_ms, 1, NULL, bytes, len));
    assert_int_equal(node_dropped(spoke, why), before + 1);
}

/* ---- Lengths. ---- */

/* RFC 2332 5.3: type 3 says 255 octets, and four are left. */
static void an_extension_longer_than_the_packet_is_refused(void **state)
{
    (void)state;
    load(FIXED("003c", "0034", "01") REQUEST CIE "8003 00ff 8000 0000");
    undecodable(NHRP_ERR_EXTENSION);
    /* One octet too many is too many as well. */
    load(FIXED("003c", "0034", "01") REQUEST CIE "8003 0005 8000 0000");
    undecodable(NHRP_ERR_EXTENSION);
}

/* RFC 2332 5.2.0.1: NBMA length 4 is the packet's last word but three octets. */
static void a_cie_whose_nbma_address_lies_beyond_the_packet_is_refused(void **state)
{
    (void)state;
    load(FIXED("0034", "0000", "01") REQUEST "00 20 0000 0000 0258 04 00 00 00");
    undecodable(NHRP_ERR_CIE);
    load(FIXED("0037", "0000", "01") REQUEST "00 20 0000 0000 0258 04 00 00 00 c0a801");
    undecodable(NHRP_ERR_CIE);
}

static void a_cie_with_an_address_of_another_family_s_length_is_refused(void **state)
{
    (void)state;
    /* Five octets are nobody's address; sixteen are not IPv4's, which ar$afn says. */
    load(FIXED("0039", "0000", "01") REQUEST "00 20 0000 0000 0258 05 00 00 00 c0a8016401");
    undecodable(NHRP_ERR_CIE);
    load(FIXED("0044", "0000", "01") REQUEST "00 20 0000 0000 0258 10 00 00 00"
                                             "20010db8000000000000000000000001");
    undecodable(NHRP_ERR_CIE);
    /* A protocol address of seven octets; an NBMA subaddress, which IP has not. */
    load(FIXED("003b", "0000", "01") REQUEST "00 20 0000 0000 0258 00 00 07 00 0a010165000000");
    undecodable(NHRP_ERR_CIE);
    load(FIXED("0038", "0000", "01") REQUEST "00 20 0000 0000 0258 00 04 00 00 c0a80164");
    undecodable(NHRP_ERR_CIE);
    /* A subaddress of twelve octets that could pass for another CIE. */
    load(FIXED("0040", "0000", "01") REQUEST "00 20 0000 0000 0258 00 0c 00 00" CIE);
    undecodable(NHRP_ERR_CIE);
}

/* RFC 2332 5.2.0.1: the addresses that the mandatory header announces are not there. */
static void header_addresses_beyond_the_packet_are_refused(void **state)
{
    (void)state;
    load(FIXED("001c", "0000", "01") "04 04 0000 00004711");
    undecodable(NHRP_ERR_TRUNCATED);
    load(FIXED("0027", "0000", "01") "04 04 0000 00004711 c0a80164 ac100164 0a0101");
    undecodable(NHRP_ERR_TRUNCATED);
    load(FIXED("0028", "0000", "01") "ff 04 0000 00004711 c0a80164 ac100164 0a010165");
    undecodable(NHRP_ERR_ADDRESS);
    load(FIXED("0028", "0000", "01") "04 ff 0000 00004711 c0a80164 ac100164 0a010165");
    undecodable(NHRP_ERR_ADDRESS);
    /* The extensions begin before the addresses end. */
    load(FIXED("0028", "0020", "01") REQUEST);
    undecodable(NHRP_ERR_TRUNCATED);
}

/* RFC 2332 5.2.7: an error about a request of which 22 octets are left; or none. */
static void an_error_that_quotes_a_truncated_packet_is_dropped(void **state)
{
    (void)state;
    load(FIXED("003e", "0000", "07") ERROR("0006") FIXED("0034", "0000", "01") "04 04");
    dropped(NHRP_ERR_QUOTED);
    nhrp_packet p;
    assert_int_equal(nhrp_packet_decode(bytes, len, &p), NHRP_OK);
    answers(NHRP_ERR_TRUNCATED, nhrp_packet_decode_quoted(p.contents, p.contents_len, &out.packet));
    load(FIXED("0028", "0000", "07") ERROR("0006"));
    dropped(NHRP_ERR_QUOTED);
    assert_int_equal(sent_now(0), 0);
}

/* RFC 2332 5.2.0.1: eleven octets, ten, ... one. */
static void a_cie_shorter_than_its_fixed_part_is_refused(void **state)
{
    (void)state;
    for (uint8_t cut = 1; cut < NHRP_CIE_SIZE; cut++) {
        load_as_it_is(FIXED("0034", "0000", "01") REQUEST CIE);
        len = 0x34u - cut;
        bytes[11] = (uint8_t)len;
        bytes = realloc(bytes, len);
        assert_non_null(bytes);
        assert_int_equal(nhrp_packet_set_checksum(bytes, len), NHRP_OK);
        undecodable(NHRP_ERR_CIE);
    }
}

/* ---- Numbers that index tables elsewhere. ---- */

/* RFC 2332 5.1: with addresses of no length nothing else contradicts the family. */
static void an_unknown_family_with_addresses_of_no_length_is_refused(void **state)
{
    (void)state;
    /* afn 6 is IEEE 802; 0x0806 is ARP */
    load("0006 0800 0000000000 ff 001c 0000 0000 01 01 0000 00 00 0000 00004711");
    undecodable(NHRP_ERR_FAMILY);
    load("0001 0806 0000000000 ff 001c 0000 0000 01 01 0000 00 00 0000 00004711");
    undecodable(NHRP_ERR_FAMILY);
}

static void an_address_family_beyond_any_table_is_refused(void **state)
{
    (void)state;
    load("ffff 0800 0000000000 ff 001c 0000 0000 01 01 0000 00 00 0000 00004711");
    undecodable(NHRP_ERR_FAMILY);
    load("0000 0800 0000000000 ff 001c 0000 0000 01 01 0000 00 00 0000 00004711");
    undecodable(NHRP_ERR_FAMILY);
    load("8000 0800 0000000000 ff 001c 0000 0000 01 01 0000 00 00 0000 00004711");
    undecodable(NHRP_ERR_FAMILY);
}

/* All of them count as type 0. */
static void a_packet_type_beyond_8_is_refused_and_counted_as_none(void **state)
{
    (void)state;
    static const uint8_t types[] = {0, 9, 16, 31, 127, 128, 255};
    nhrp_counters before = {.struct_size = sizeof(before)}, after = before;
    assert_int_equal(nhrp_engine_get_counters(spoke->engine, INTERFACE, &before), NHRP_OK);
    for (size_t i = 0; i < sizeof(types); i++) {
        load_as_it_is(FIXED("0034", "0000", "01") REQUEST CIE);
        bytes[17] = types[i];
        assert_int_equal(nhrp_packet_set_checksum(bytes, len), NHRP_OK);
        undecodable(NHRP_ERR_TYPE);
    }
    assert_int_equal(nhrp_engine_get_counters(spoke->engine, INTERFACE, &after), NHRP_OK);
    assert_int_equal(after.received[0], before.received[0] + sizeof(types));
    assert_memory_equal(&after.received[1], &before.received[1],
                        sizeof(after.received) - sizeof(after.received[0]));
}

/* ---- Redirects. ---- */

/* draft-detienne-dmvpn 5.1: it quotes an IP packet. RFC 791 3.1, RFC 8200 3: this is none. */
static void a_redirect_that_quotes_a_short_or_unknown_packet_is_dropped(void **state)
{
    (void)state;
    load(FIXED("0028", "0000", "08") REDIRECT); /* nothing at all */
    dropped(NHRP_ERR_QUOTED);
    load(FIXED("0029", "0000", "08") REDIRECT "45"); /* its version alone */
    dropped(NHRP_ERR_QUOTED);
    load(FIXED("003b", "0000", "08") REDIRECT /* 19 octets of IPv4 */
         "45000054 00004000 40010000 0a010165 0a0202");
    dropped(NHRP_ERR_QUOTED);
    load(FIXED("003c", "0000", "08") REDIRECT /* version 5 */
         "55000054 00004000 40010000 0a010165 0a020266");
    dropped(NHRP_ERR_QUOTED);
    load(FIXED("003c", "0000", "08") REDIRECT /* a header of 16 octets */
         "44000054 00004000 40010000 0a010165 0a020266");
    dropped(NHRP_ERR_QUOTED);
    load(FIXED("004f", "0000", "08") REDIRECT /* 39 octets of IPv6 */
         "60000000 00143b40 20010db8000000000000000000000001 20010db80000000000000000000002");
    dropped(NHRP_ERR_QUOTED);
    assert_int_equal(sent_now(NHRP_RESOLUTION_REQUEST), 0);
}

/* 2001:db8::1 to 2001:db8:2::2, and there is no IPv6 anywhere. */
static void an_ipv6_packet_where_no_ipv6_table_exists_makes_no_mapping(void **state)
{
    (void)state;
    description before = {.len = 0}, after = {.len = 0};
    const uint64_t requests = n.sent[NHRP_RESOLUTION_REQUEST];
    describe_engine(&before, spoke->engine);
    load(FIXED("0050", "0000", "08") REDIRECT
         "60000000 00143b40 20010db8000000000000000000000001 20010db8000200000000000000000002");
    assert_int_equal(nhrp_engine_input(spoke->engine, n.now_ms, 1, NULL, bytes, len), NHRP_OK);
    net_settle(&n); /* the caller is asked for the route, and has none */
    assert_int_equal(spoke->last_ask_purpose, NHRP_PURPOSE_INDICATION);
    assert_int_equal(spoke->last_answer, NHRP_ERR_REFUSED);
    assert_int_equal(node_dropped(spoke, NHRP_ERR_REFUSED), 1);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REQUEST], requests);
    describe_engine(&after, spoke->engine);
    assert_bytes(after.bytes, after.len, before.bytes, before.len);

    /* A request by 2001:db8::64, an address that the link's peer does not have. */
    load("0001 86dd 0000000000 ff 004c 0000 0000 01 01 0400 10 10 0000 00004711 c0a80164"
         "20010db8000000000000000000000064 20010db8000200000000000000000002"
         "00 80 0000 0000 0258 00 00 00 00");
    dropped(NHRP_ERR_REFUSED);
    assert_int_equal(sent_now(NHRP_RESOLUTION_REQUEST), 0);
}

/* ---- Errors and authentication. ---- */

static const uint8_t password[] = {'s', 'e', 's', 'a', 'm', 'e', '!', '!'};

static int setup_with_password(void **state)
{
    (void)state;
    nhrp_interface_config i;
    assert_int_equal(nhrp_interface_config_init(&i), NHRP_OK);
    i.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
    i.key = password;
    i.key_len = sizeof(password);
    start(&i);
    return 0;
}

/*
 * Errors carry no authentication (RFC 2332 5.2.7: no extensions): code 11 with a request of ours
 * that is not pending, and with a reply that would make a mapping.
 */
static void an_authentication_error_opens_no_way_round_authentication(void **state)
{
    (void)state;
    load(FIXED("005c", "0000", "07") ERROR("000b")
             FIXED("0034", "0000", "01") "04 04 0000 00004711 c0a80101 ac100101 0a020266" CIE);
    dropped(NHRP_ERR_UNSOLICITED);
    load(FIXED("0064", "0000", "07") ERROR("000b")
             FIXED("003c", "0000", "02") "04 04 0000 00004711 c0a80101 ac100101 0a020266"
                                         "00 18 0000 0000 0258 04 00 04 00 c0a80109 ac100109");
    dropped(NHRP_ERR_UNSOLICITED);
    assert_int_equal(sent_now(0), 0);
    /* The same reply by itself is refused: it has no password. RFC 2332 5.3.4.2 */
    load(FIXED("003c", "0000", "02") "04 04 0000 00004711 c0a80101 ac100101 0a020266"
                                     "00 18 0000 0000 0258 04 00 04 00 c0a80109 ac100109");
    dropped(NHRP_ERR_AUTHENTICATION);
    assert_int_equal(sent_now(NHRP_ERROR_INDICATION), 1);
}

/* RFC 2332 5.2.7: an error that has everything that errors are sent about. */
static void an_error_is_never_answered_by_an_error(void **state)
{
    (void)state;
    load(FIXED("0028", "0000", "07") ERROR("000b")); /* quotes nothing */
    dropped(NHRP_ERR_QUOTED);
    load(FIXED("0030", "0028", "07") ERROR("000b") "bfff 0000 8000 0000"); /* compulsory, unknown */
    dropped(NHRP_ERR_QUOTED);
    load("0001 0800 0000000000 00 0028 0000 0000 01 07 0400" /* hop count 0, for somebody else */
         "04 04 0000 000b 0000 c0a80164 ac100164 ac100163");
    dropped(NHRP_ERR_HOP_COUNT);
    assert_int_equal(sent_now(0), 0);
}

/* An error about an error about an error. */
static void errors_within_errors_are_not_followed(void **state)
{
    (void)state;
    load(FIXED("00a0", "0000", "07") ERROR("0006") FIXED("0078", "0000", "07") ERROR("0006")
             FIXED("0050", "0000", "07") ERROR("0006") FIXED("0028", "0000", "07") ERROR("0006"));
    dropped(NHRP_ERR_UNSOLICITED);
    assert_int_equal(sent_now(0), 0);
}

static bool holds(const uint8_t *in, size_t in_len, const uint8_t *what, size_t what_len)
{
    for (size_t i = 0; i + what_len <= in_len; i++)
        if (memcmp(in + i, what, what_len) == 0)
            return true;
    return false;
}

/* RFC 2332 5.3.4: lengths 0, 3, 4, one less and one more than right, and with no end to it. */
static void a_credential_of_any_length_is_compared_and_shown_nowhere(void **state)
{
    (void)state;
    static const char *const packets[] = {
        FIXED("003c", "0034", "01") REQUEST CIE "8007 0000 8000 0000",
        FIXED("003f", "0034", "01") REQUEST CIE "8007 0003 000000 8000 0000",
        FIXED("0040", "0034", "01") REQUEST CIE "8007 0004 00000001 8000 0000",
        FIXED("0047", "0034", "01") REQUEST CIE "8007 000b 00000001 736573616d6521 8000 0000",
        FIXED("0049", "0034", "01") REQUEST CIE "8007 000d 00000001 736573616d65212100 8000 0000",
        FIXED("0068", "0034", "01") REQUEST CIE
        "8007 002c 00000001 736573616d652121736573616d652121736573616d652121736573616d652121"
        "736573616d652121 8000 0000",
    };
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        uint8_t buf[2048];
        nhrp_output o;
        load(packets[i]);
        dropped(NHRP_ERR_AUTHENTICATION);
        assert_int_equal(nhrp_engine_poll_output(spoke->engine, n.now_ms, buf, sizeof(buf), &o),
                         NHRP_YES);
        assert_int_equal(o.type, NHRP_ERROR_INDICATION);
        assert_false(holds(buf, (size_t)o.len, password, sizeof(password) - 1));
        assert_int_equal(sent_now(0), 0);
        net_run(&n, n.now_ms + 10000); /* errors of one link are limited */
    }
    /* An extension that claims more than there is never gets so far. */
    load(FIXED("003c", "0034", "01") REQUEST CIE "8007 ffff 8000 0000");
    undecodable(NHRP_ERR_EXTENSION);
}

/* ---- The checksum, the hop count. ---- */

/*
 * RFC 2332 5.1, RFC 1071: of 61 octets the last, a5, counts as the high half of a word. The sums
 * are worked out by hand: without it, with it as the low half, and right.
 */
static void an_odd_packet_is_summed_to_its_last_octet(void **state)
{
    (void)state;
#define ODD(checksum)                                                                              \
    "0001 0800 0000000000 ff 003d" checksum "0000 01 08 0400" REDIRECT                             \
    "45000054 00004000 40010000 0a010165 0a020307 a5"
    load_as_it_is(ODD("950a"));
    undecodable(NHRP_ERR_CHECKSUM);
    load_as_it_is(ODD("9465"));
    undecodable(NHRP_ERR_CHECKSUM);
    load_as_it_is(ODD("f009"));
    nhrp_packet p;
    assert_int_equal(nhrp_packet_decode(bytes, len, &p), NHRP_OK);
    assert_int_equal(p.size, 61);
    assert_int_equal(p.contents_len, 21);
    assert_int_equal(nhrp_engine_input(spoke->engine, n.now_ms, 1, NULL, bytes, len), NHRP_OK);
    net_settle(&n);
    assert_int_equal(spoke->last_ask_purpose, NHRP_PURPOSE_INDICATION);
#undef ODD
}

/* RFC 2332 5.1: a request and a purge that the hub would pass on have no hop left. */
static void a_hop_count_of_0_is_not_forwarded(void **state)
{
    (void)state;
    node *hub = &n.nodes[0];
    const uint64_t requests = node_sent(hub, NHRP_RESOLUTION_REQUEST);
    const uint64_t purges = node_sent(hub, NHRP_PURGE_REQUEST);
    const uint64_t errors = node_sent(hub, NHRP_ERROR_INDICATION);
    description before = {.len = 0}, after = {.len = 0};
    describe_engine(&before, hub->engine);
    /* spoke1 to 10.2.2.99; CONTEXT, label 1000 for 10.0.0.0/8, as docs/nhrp.md has it */
    load("0001 0800 0000000000 00 004d 0000 0034 01 01 0400"
         "04 04 0000 00004711 c0a80101 ac100101 0a020263" CIE
         "0008 0011 024d50 4c 01 01 0a 01 00 0001 08 01 003e81 0a 80000000");
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, NULL, bytes, len), NHRP_OK);
    net_settle(&n);
    assert_int_equal(hub->last_answer, NHRP_ERR_HOP_COUNT);
    /* RFC 2332 5.2.5: spoke1 to 172.16.1.2 */
    load("0001 0800 0000000000 00 0034 0000 0000 01 05 0400"
         "04 04 0000 00004711 c0a80101 ac100101 ac100102" CIE);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, NULL, bytes, len),
                     NHRP_ERR_HOP_COUNT);
    net_settle(&n);
    assert_int_equal(node_dropped(hub, NHRP_ERR_HOP_COUNT), 2);
    assert_int_equal(node_sent(hub, NHRP_RESOLUTION_REQUEST), requests);
    assert_int_equal(node_sent(hub, NHRP_PURGE_REQUEST), purges);
    assert_int_equal(node_sent(hub, NHRP_ERROR_INDICATION), errors + 2); /* RFC 2332 5.2.7: 15 */
    describe_engine(&after, hub->engine);
    assert_bytes(after.bytes, after.len, before.bytes, before.len);
}

/* ---- All of it, by every way in. ---- */

typedef nhrp_rc (*carriage)(const uint8_t *packet, size_t packet_len);

/* A tunnel of its own, whose peer is known. */
static nhrp_rc by_a_link(const uint8_t *packet, size_t packet_len)
{
    return nhrp_engine_input(spoke->engine, n.now_ms, 1, NULL, packet, packet_len);
}

/* An interface that anybody may send to. */
static nhrp_rc by_a_multipoint_link(const uint8_t *packet, size_t packet_len)
{
    const nhrp_addr from = ip4(203, 0, 113, 9);
    return nhrp_engine_input(spoke->engine, n.now_ms, 9, &from, packet, packet_len);
}

/* GRE with a key (RFC 2890 2), protocol type 0x2001. */
static nhrp_rc in_gre(const uint8_t *packet, size_t packet_len)
{
    uint8_t *frame = malloc(GRE_HEADER_MAX_BYTES + packet_len);
    gre_config c;
    gre_tunnel *t = NULL;
    gre_view v;
    size_t at;
    assert_non_null(frame);
    assert_int_equal(gre_config_init(&c), GRE_OK);
    c.use_key = c.use_checksum = 1;
    c.key = 7;
    assert_int_equal(gre_tunnel_new(&c, &t), GRE_OK);
    memcpy(frame + GRE_HEADER_MAX_BYTES, packet, packet_len);
    assert_int_equal(
        gre_tunnel_encode(t, GRE_PROTOCOL_NHRP, frame, GRE_HEADER_MAX_BYTES, packet_len, &at),
        GRE_OK);
    assert_int_equal(gre_tunnel_decode(t, frame + at, GRE_HEADER_MAX_BYTES - at + packet_len, &v),
                     GRE_OK);
    assert_int_equal(v.protocol, GRE_PROTOCOL_NHRP);
    const nhrp_rc rc = nhrp_engine_input(spoke->engine, n.now_ms, 1, NULL,
                                         frame + at + v.payload_offset, v.payload_len);
    gre_tunnel_free(t);
    free(frame);
    return rc;
}

/*
 * Each octet of a packet of each type in turn becomes 0, 1, 127, 128 and 255: so each length,
 * count, offset and type lies in every way that matters. The CERT note told no more than that a
 * crafted packet ran code.
 */
static void crafted_packets_by_every_carriage_change_no_mapping(void **state)
{
    (void)state;
    static const carriage carriages[] = {by_a_link, by_a_multipoint_link, in_gre};
    static const uint8_t values[] = {0, 1, 127, 128, 255};
    static const char *const bodies[] = {
        FIXED("003c", "0034", "01") REQUEST CIE "8003 0000 8000 0000",
        FIXED("0044", "003c", "02") REQUEST
        "00 18 0000 0000 0258 04 00 04 00 c0a80109 ac100109 8003 0000 8000 0000",
        FIXED("0044", "003c", "04") REQUEST
        "00 20 0000 0000 0258 04 00 04 00 c0a80109 ac100109 8005 0000 8000 0000",
        FIXED("003c", "0000", "06") REQUEST "00 20 0000 0000 0258 04 00 04 00 c0a80109 ac100109",
        FIXED("005c", "0000", "07") ERROR("0006")
            FIXED("0034", "0000", "01") "04 04 0000 00004711 c0a80101 ac100101 0a020266" CIE,
        FIXED("003c", "0000", "08") REDIRECT "45000054 00004000 40010000 0a090165 0a020266",
    };
    nhrp_link_config l;
    nhrp_mapping before = {.struct_size = sizeof(before)}, after = before;
    uint64_t it = 0;
    assert_int_equal(nhrp_link_config_init(&l), NHRP_OK);
    l.interface = INTERFACE;
    l.flags = NHRP_LINK_MULTIPOINT;
    l.local_nbma = spoke->nbma;
    l.local_protocol_ipv4 = spoke->tunnel;
    assert_int_equal(nhrp_engine_link_up(spoke->engine, n.now_ms, 9, &l), NHRP_OK);
    spoke->answers = false;
    assert_int_equal(nhrp_engine_get_mapping(spoke->engine, shortcut, &before), NHRP_OK);
    for (size_t c = 0; c < 3; c++) {
        for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]); b++) {
            load(bodies[b]);
            for (size_t at = 0; at < len * sizeof(values); at++) {
                const uint8_t was = bytes[at / sizeof(values)];
                bytes[at / sizeof(values)] = values[at % sizeof(values)];
                (void)nhrp_packet_set_checksum(bytes, len);
                (void)carriages[c](bytes, len);
                bytes[at / sizeof(values)] = was;
                net_run(&n, n.now_ms + 1);
            }
        }
        net_run(&n, n.now_ms + 5000); /* what was asked for has no answer */
    }
    spoke->answers = true;
    assert_int_equal(nhrp_engine_link_down(spoke->engine, n.now_ms, 9), NHRP_OK);
    assert_int_equal(nhrp_engine_get_mapping(spoke->engine, shortcut, &after), NHRP_OK);
    assert_memory_equal(&after, &before, sizeof(after));
    /* Nobody made a mapping but us, and nobody ended the one that there was. */
    while (nhrp_engine_next_mapping(spoke->engine, &it, &after) == NHRP_YES)
        assert_true(after.id == shortcut || after.kind != NHRP_MAPPING_RESOLVED);
    assert_int_equal(node_events(spoke, NHRP_EVENT_MAPPING_DOWN), 0);
}

#define BAD(test)          cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BAD_PASSWORD(test) cmocka_unit_test_setup_teardown(test, setup_with_password, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BAD(an_extension_longer_than_the_packet_is_refused),
        BAD(a_cie_whose_nbma_address_lies_beyond_the_packet_is_refused),
        BAD(a_cie_with_an_address_of_another_family_s_length_is_refused),
        BAD(header_addresses_beyond_the_packet_are_refused),
        BAD(an_error_that_quotes_a_truncated_packet_is_dropped),
        BAD(a_cie_shorter_than_its_fixed_part_is_refused),
        BAD(an_unknown_family_with_addresses_of_no_length_is_refused),
        BAD(an_address_family_beyond_any_table_is_refused),
        BAD(a_packet_type_beyond_8_is_refused_and_counted_as_none),
        BAD(a_redirect_that_quotes_a_short_or_unknown_packet_is_dropped),
        BAD(an_ipv6_packet_where_no_ipv6_table_exists_makes_no_mapping),
        BAD_PASSWORD(an_authentication_error_opens_no_way_round_authentication),
        BAD(an_error_is_never_answered_by_an_error),
        BAD(errors_within_errors_are_not_followed),
        BAD_PASSWORD(a_credential_of_any_length_is_compared_and_shown_nowhere),
        BAD(an_odd_packet_is_summed_to_its_last_octet),
        BAD(a_hop_count_of_0_is_not_forwarded),
        BAD(crafted_packets_by_every_carriage_change_no_mapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
