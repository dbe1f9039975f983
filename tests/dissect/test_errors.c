/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Malformed packets, class by class: what is said of them, where, and by which rule. The bytes were
 * assembled by hand from the RFCs that the rules name.
 */
#include "frames.h"

#include "dissect/rules.h"
#include "internal/checksum.h"
#include "internal/wire.h"

#include <nhrp/nhrp.h>
#include <string.h>

static int setup(void **state)
{
    *state = frames_dissector(false);
    return 0;
}

static int teardown(void **state)
{
    dissect_free(*state);
    return 0;
}

static const node *raw(dissector *d, uint32_t link, const char *hex)
{
    uint8_t bytes[1024];
    return frames_run(d, link, bytes, hex_bytes(hex, bytes, sizeof bytes), 0);
}

static void link_headers_that_end_too_soon_or_name_nothing(void **state)
{
    dissector *d = *state;
    frames_assert_error(raw(d, DISSECT_LINK_ETHERNET, "000102030405060708090a0b08"), "ethernet", 0,
                        "LINK_ERR_TRUNCATED", "IEEE 802.3 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_ETHERNET, "000102030405060708090a0b810000"), "vlan", 14,
                        "LINK_ERR_TRUNCATED", "IEEE 802.3 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_SLL, "0000"), "sll", 0, "LINK_ERR_TRUNCATED",
                        "IEEE 802.3 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_SLL2, "0800"), "sll2", 0, "LINK_ERR_TRUNCATED",
                        "IEEE 802.3 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_NULL, "07000000"), "null", 0, "LINK_ERR_TYPE",
                        "pcap link type");
    frames_assert_error(raw(d, DISSECT_LINK_LOOP, "000000"), "null", 0, "LINK_ERR_TRUNCATED",
                        "IEEE 802.3 3.1");
}

/* RFC 791 3.1; the last 20 bytes are one header, whose checksum is 0xf5e9. */
#define IPV4(first, total, checksum) first "00" total "0000000040fd" checksum "c0000201c0000202"

static void ipv4_headers_that_contradict_themselves(void **state)
{
    dissector *d = *state;
    frames_assert_clean(raw(d, DISSECT_LINK_RAW, IPV4("45", "0014", "f5e9")));
    frames_assert_error(raw(d, DISSECT_LINK_RAW, IPV4("45", "0014", "76d9")), "ipv4", 10,
                        "IP_ERR_CHECKSUM", "RFC 791 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, IPV4("44", "0014", "f6e9")), "ipv4", 0,
                        "IP_ERR_HEADER", "RFC 791 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, IPV4("46", "0014", "f4e9")), "ipv4", 0,
                        "IP_ERR_HEADER", "RFC 791 3.1");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, IPV4("45", "0015", "f5e8")), "ipv4", 2,
                        "IP_ERR_LENGTH", "RFC 791 3.1, RFC 8200 3");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, "4500"), "ipv4", 0, "IP_ERR_TRUNCATED",
                        "RFC 791 3.1, RFC 8200 3");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, "55"), "ip", 0, "IP_ERR_VERSION",
                        "RFC 791 3.1, RFC 8200 3");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, ""), "ip", 0, "IP_ERR_TRUNCATED",
                        "RFC 791 3.1, RFC 8200 3");
}

/* RFC 791 3.2: 7 bytes and more to come; one that ends beyond 65535. */
static void fragments_that_cannot_be(void **state)
{
    frame f;
    static const uint8_t bytes[16];
    frame_ip(&f, 17, bytes, 7, false);
    f.bytes[6] = 0x20;
    wire_set_u16(f.bytes + 10, 0);
    wire_set_u16(f.bytes + 10, checksum_end(checksum_add(0, f.bytes, IP_BYTES)));
    frames_assert_error(frames_see(*state, &f), "ipv4", 20, "IP_ERR_FRAGMENT",
                        "RFC 791 3.2, RFC 8200 4.5");
    frame_ip(&f, 17, bytes, 16, false);
    wire_set_u16(f.bytes + 6, 0x1fff);
    wire_set_u16(f.bytes + 10, 0);
    wire_set_u16(f.bytes + 10, checksum_end(checksum_add(0, f.bytes, IP_BYTES)));
    frames_assert_error(frames_see(*state, &f), "ipv4", 20, "IP_ERR_FRAGMENT",
                        "RFC 791 3.2, RFC 8200 4.5");
}

#define IPV6_ADDRESSES "20010db800000000000000000000000120010db8000000000000000000000002"

static void ipv6_headers_that_contradict_themselves(void **state)
{
    dissector *d = *state;
    frames_assert_clean(raw(d, DISSECT_LINK_RAW, "6000000000003b40" IPV6_ADDRESSES));
    frames_assert_error(raw(d, DISSECT_LINK_RAW, "6000000000083b40" IPV6_ADDRESSES), "ipv6", 4,
                        "IP_ERR_LENGTH", "RFC 791 3.1, RFC 8200 3");
    frames_assert_error(raw(d, DISSECT_LINK_RAW, "60000000"), "ipv6", 0, "IP_ERR_TRUNCATED",
                        "RFC 791 3.1, RFC 8200 3");
    /* A hop-by-hop header that claims 16 bytes where there are 8. */
    frames_assert_error(
        raw(d, DISSECT_LINK_RAW, "6000000000080040" IPV6_ADDRESSES "3b01000000000000"), "ipv6", 40,
        "IP_ERR_EXTENSION", "RFC 8200 4");
}

static void transport_headers_that_contradict_themselves(void **state)
{
    dissector *d = *state;
    frame f;
    frame_udp_hex(&f, 500, "");
    f.bytes[IP_BYTES + 5] = 7;
    frames_assert_error(frames_see(d, &f), "udp", 24, "UDP_ERR_LENGTH", "RFC 768");
    f.bytes[IP_BYTES + 5] = 9;
    frames_assert_error(frames_see(d, &f), "udp", 24, "UDP_ERR_LENGTH", "RFC 768");
    frame_ip(&f, 17, (const uint8_t[]){1, 2, 3}, 3, false);
    frames_assert_error(frames_see(d, &f), "udp", 20, "UDP_ERR_TRUNCATED", "RFC 768");
    frame_tcp(&f, 1, 0x10, (const uint8_t *)"", 0, false);
    f.bytes[IP_BYTES + 12] = 0x40;
    frames_assert_error(frames_see(d, &f), "tcp", 32, "TCP_ERR_OFFSET", "RFC 9293 3.1");
    f.bytes[IP_BYTES + 12] = 0x60;
    frames_assert_error(frames_see(d, &f), "tcp", 32, "TCP_ERR_OFFSET", "RFC 9293 3.1");
    frame_ip(&f, 6, (const uint8_t[]){0, 179, 0}, 3, false);
    frames_assert_error(frames_see(d, &f), "tcp", 20, "TCP_ERR_TRUNCATED", "RFC 9293 3.1");
    frame_ip(&f, 1, (const uint8_t[]){8, 0, 0}, 3, false);
    frames_assert_error(frames_see(d, &f), "icmp", 20, "IP_ERR_ICMP", "RFC 792, RFC 4443 2.1");
}

static void gre_headers_that_must_be_discarded(void **state)
{
    static const struct {
        const char *hex;
        uint64_t at;
        const char *code;
        const char *rule;
    } cases[] = {
        {"2000", 0, "GRE_ERR_TRUNCATED", "RFC 2890 2"},
        {"20000800", 0, "GRE_ERR_TRUNCATED", "RFC 2890 2"}, /* a key, and no room for it */
        {"4000080000000000", 0, "GRE_ERR_ROUTING", "RFC 2784 2.3"},
        {"08000800", 0, "GRE_ERR_RESERVED", "RFC 2784 2.3"},
        {"0001880b", 1, "GRE_ERR_VERSION", "RFC 2784 2.3.1"},
        {"8000080000000000", 4, "GRE_ERR_CHECKSUM", "RFC 2784 2.5"},
        {"00000000", 2, "GRE_ERR_PROTOCOL", "RFC 2784 2.4"},
    };
    dissector *d = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frame f;
        uint8_t bytes[64];
        frame_ip(&f, 47, bytes, hex_bytes(cases[i].hex, bytes, sizeof bytes), false);
        frames_assert_error(frames_see(d, &f), "gre", IP_BYTES + cases[i].at, cases[i].code,
                            cases[i].rule);
    }
}

/* RFC 3032 2.1 */
static void label_stacks_without_an_end(void **state)
{
    dissector *d = *state;
    frame f;
    frame_gre_hex(&f, 0x8847, "0006404000065040");
    frames_assert_error(frames_see(d, &f), "mpls", GRE_AT, "MPLSVPN_ERR_NO_BOTTOM", "RFC 3032 2.1");
    frame_gre_hex(&f, 0x8847, "");
    frames_assert_error(frames_see(d, &f), "mpls", GRE_AT, "MPLSVPN_ERR_TRUNCATED", "RFC 3032 2.1");
    uint8_t deep[17 * 4] = {0};
    deep[66] = 1; /* the bottom is the 17th */
    frame_gre(&f, 0x8847, deep, sizeof deep);
    const node *packet = frames_see(d, &f);
    frames_assert_error(packet, "mpls", GRE_AT, "MPLSVPN_ERR_DEPTH", "RFC 3032 2.1");
    /* What there is of it is shown. */
    assert_non_null(tree_find(frames_layer(packet, "mpls", 0), "labels")->first);
}

/* RFC 2332 5.2.1: a request with one CIE and three extensions; tests/nhrp/vectors/rfc.txt. */
#define NHRP_REQUEST                                                                               \
    "000108000000000000ff0044a3ea0034010104000404c80001020304c0a80101ac1001010a020266"             \
    "00080000000002580000000080030000800400008005000080000000"

static void nhrp_case(dissector *d, size_t at, uint16_t value, bool repair, uint64_t offset,
                      const char *code, const char *section)
{
    uint8_t bytes[128];
    const size_t len = hex_bytes(NHRP_REQUEST, bytes, sizeof bytes);
    frame f;
    wire_set_u16(bytes + at, value);
    if (repair)
        assert_int_equal(nhrp_packet_set_checksum(bytes, len), NHRP_OK);
    frame_gre(&f, 0x2001, bytes, len);
    frames_assert_error(frames_see(d, &f), "nhrp", GRE_AT + offset, code, section);
}

static void nhrp_headers_that_contradict_themselves(void **state)
{
    dissector *d = *state;
    nhrp_case(d, 12, 0x1234, false, 12, "NHRP_ERR_CHECKSUM", "RFC 2332 5.1");
    nhrp_case(d, 10, 200, false, 10, "NHRP_ERR_TRUNCATED", "RFC 2332 5.1");
    nhrp_case(d, 16, 0x0201, true, 16, "NHRP_ERR_VERSION", "RFC 2332 5.1");
    nhrp_case(d, 16, 0x0109, true, 17, "NHRP_ERR_TYPE", "RFC 2332 5.1");
    nhrp_case(d, 14, 100, true, 14, "NHRP_ERR_FORMAT", "RFC 2332 5.1");
    nhrp_case(d, 0, 3, true, 0, "NHRP_ERR_FAMILY", "RFC 2332 5.1"); /* afn 3: NSAP */
    nhrp_case(d, 2, 0x0806, true, 0, "NHRP_ERR_FAMILY", "RFC 2332 5.1");
    nhrp_case(d, 18, 0x0500, true, 18, "NHRP_ERR_ADDRESS", "RFC 2332 5.2.0.1");
}

/* bad-input: FRR PR 18994, a CIE that claims an address which the packet does not have. */
static void nhrp_entries_that_go_beyond_the_packet(void **state)
{
    /* The CIE is at 40; the length of its NBMA address at 48. */
    nhrp_case(*state, 48, 0x0400, true, 40, "NHRP_ERR_CIE", "RFC 2332 5.2.0.1");
    nhrp_case(*state, 48, 0x0500, true, 40, "NHRP_ERR_CIE", "RFC 2332 5.2.0.1");
}

/* bad-input: FRR PR 20932, an extension that is longer than the packet. */
static void nhrp_extensions_that_go_beyond_the_packet(void **state)
{
    /* The three extensions are at 52, 56 and 60, their end at 64. */
    nhrp_case(*state, 62, 0x0100, true, 60, "NHRP_ERR_EXTENSION", "RFC 2332 5.3");
    /* A transit record of three bytes is no list of entries. */
    nhrp_case(*state, 58, 0x0003, true, 60, "NHRP_ERR_CIE", "RFC 2332 5.2.0.1");
}

/* A request without CIEs and with one extension before the end. */
static void nhrp_with(frame *f, const char *extension)
{
    uint8_t bytes[256];
    uint8_t value[128];
    size_t len = hex_bytes("000108000000000000ff0000000000280101040004"
                           "04c80001020304c0a80101ac1001010a020266",
                           bytes, sizeof bytes);
    const size_t n = hex_bytes(extension, value, sizeof value);
    memcpy(bytes + len, value, n);
    len += n;
    memcpy(bytes + len, "\x80\0\0\0", 4);
    len += 4;
    wire_set_u16(bytes + 10, (uint16_t)len);
    assert_int_equal(nhrp_packet_set_checksum(bytes, len), NHRP_OK);
    frame_gre(f, 0x2001, bytes, len);
}

static void nhrp_labels_that_may_not_be_used(void **state)
{
    dissector *d = *state;
    frame f;
    /* docs/nhrp.md: label 100 for 10.1.1.0/24, as a context. */
    nhrp_with(&f, "00080013024d504c01010c01000001180100064"
                  "10a0101");
    const node *packet = frames_see(d, &f);
    frames_assert_clean(packet);
    /* The same with label 1, which means router alert and is refused. */
    nhrp_with(&f, "00080013024d504c01010c010000011801000011"
                  "0a0101");
    frames_assert_error(frames_see(d, &f), "nhrp", GRE_AT + 44, "NHRP_ERR_LABEL",
                        "docs/nhrp.md, labels in NHRP");
}

/* RFC 2332 5.3.4 */
static void nhrp_authentication_without_an_spi(void **state)
{
    frame f;
    nhrp_with(&f, "8007000200ff");
    frames_assert_error(frames_see(*state, &f), "nhrp", GRE_AT + 44, "NHRP_ERR_AUTHENTICATION",
                        "RFC 2332 5.3.4");
}

/* RFC 7296 3.1: header of IKE_SA_INIT with a first payload and a length of two digits. */
#define IKE(first, length)                                                                         \
    "0101010101010101000000000000000"                                                              \
    "0" first "202208000000000000" length

static void ike_case(dissector *d, const char *hex, uint64_t at, const char *code,
                     const char *section)
{
    frame f;
    frame_udp_hex(&f, 500, hex);
    frames_assert_error(frames_see(d, &f), "ikev2", UDP_AT + at, code, section);
}

static void ike_headers_that_contradict_themselves(void **state)
{
    dissector *d = *state;
    ike_case(d, "01010101", 0, "IKEV2_ERR_TRUNCATED", "RFC 7296 3.1");
    ike_case(d, IKE("00", "001d"), 24, "IKEV2_ERR_LENGTH", "RFC 7296 3.1");
    ike_case(d,
             "01010101010101010000000000000000"
             "01100200"
             "00000000"
             "0000001c",
             17, "IKEV2_ERR_VERSION", "RFC 7296 2.5");
}

static void ike_payload_chains_that_do_not_add_up(void **state)
{
    dissector *d = *state;
    /* Beyond the end, below four bytes, bytes left over. */
    ike_case(d, IKE("28", "0020") "00000005", 28, "IKEV2_ERR_LENGTH", "RFC 7296 3.2");
    ike_case(d, IKE("28", "0020") "00000003", 28, "IKEV2_ERR_LENGTH", "RFC 7296 3.2");
    ike_case(d, IKE("28", "0024") "0000000400000000", 32, "IKEV2_ERR_LENGTH", "RFC 7296 3.2");
    /* RFC 7296 2.5: unknown and critical. */
    ike_case(d, IKE("7f", "0020") "00800004", 28, "IKEV2_ERR_CRITICAL", "RFC 7296 2.5");
}

static void ike_payloads_that_hold_what_they_may_not(void **state)
{
    static const struct {
        const char *hex;
        uint64_t at;
        const char *rule;
    } cases[] = {
        /* A proposal of 7 bytes; a transform of 7 bytes in a proposal of 15. */
        {IKE("21", "0028") "0000000c0000000701030000", 32, "RFC 7296 3.3"},
        {IKE("21", "0030") "0000001400000010010100010000000701000014", 32, "RFC 7296 3.3"},
        {IKE("22", "0022") "000000060013", 32, "RFC 7296 3.4"},
        {IKE("23", "0027") "0000000b01000000c00002", 32, "RFC 7296 3.5"}, /* IPv4 of 3 bytes */
        {IKE("27", "0022") "000000060200", 32, "RFC 7296 3.8"},
        /* NAT_DETECTION_SOURCE_IP of 4 bytes, not 20; an SPI that is longer than the payload. */
        {IKE("29", "0028") "0000000c0000400401020304", 32, "RFC 7296 3.10"},
        {IKE("29", "0024") "0000000803044009", 32, "RFC 7296 3.10"},
        {IKE("2a", "0024") "0000000803040002", 32, "RFC 7296 3.11"},
        /* A selector of 15 bytes. */
        {IKE("2c", "0034") "00000018010000000700000f0000ffffc0000201c0000201", 36, "RFC 7296 3.13"},
        {IKE("2f", "0028") "0000000c0100000000010008", 36, "RFC 7296 3.15"},
    };
    dissector *d = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frame f;
        frame_udp_hex(&f, 500, cases[i].hex);
        frames_assert_error(frames_see(d, &f), "ikev2", UDP_AT + cases[i].at, "IKEV2_ERR_SYNTAX",
                            cases[i].rule);
    }
}

/* RFC 7383 2.5: fragment 3 of 2; fragment 0. */
static void ike_fragments_out_of_range(void **state)
{
    ike_case(*state, IKE("35", "0024") "0000000800030002", 32, "IKEV2_ERR_FRAGMENT",
             "RFC 7383 2.5");
    ike_case(*state, IKE("35", "0024") "0000000800000002", 32, "IKEV2_ERR_FRAGMENT",
             "RFC 7383 2.5");
}

static void esp_packets_that_are_none(void **state)
{
    dissector *d = *state;
    frame f;
    uint8_t bytes[64];
    frame_ip(&f, 50, bytes, hex_bytes("000000ff00000001", bytes, sizeof bytes), false);
    frames_assert_error(frames_see(d, &f), "esp", 20, "ESP_ERR_SPI", "RFC 4303 2.1");
    frame_ip(&f, 50, bytes, hex_bytes("00001000000000", bytes, sizeof bytes), false);
    frames_assert_error(frames_see(d, &f), "esp", 20, "ESP_ERR_TRUNCATED", "RFC 4303 2");
    frame_udp_hex(&f, 4500, "");
    frames_assert_error(frames_see(d, &f), "udp", UDP_AT, "ESP_ERR_TRUNCATED", "RFC 3948 2");
}

#define MARKER "ffffffffffffffffffffffffffffffff"

static void bgp_case(dissector *d, const char *hex, uint64_t at, const char *code,
                     const char *section)
{
    frame f;
    uint8_t bytes[1024];
    dissect_reset(d);
    frame_tcp(&f, 0, 0x02, bytes, 0, false);
    frames_assert_clean(frames_see(d, &f));
    frame_tcp(&f, 1, 0x18, bytes, hex_bytes(hex, bytes, sizeof bytes), false);
    frames_assert_error(frames_see(d, &f), "bgp", TCP_AT + at, code, section);
}

static void bgp_headers_out_of_step(void **state)
{
    dissector *d = *state;
    bgp_case(d, "00ffffffffffffffffffffffffffffff001304", 0, "BGPVPN_ERR_MARKER", "RFC 4271 6.1");
    bgp_case(d, MARKER "001204", 16, "BGPVPN_ERR_LENGTH", "RFC 4271 6.1");
    bgp_case(d, MARKER "00140400", 16, "BGPVPN_ERR_LENGTH", "RFC 4271 6.1");
    bgp_case(d, MARKER "001309", 18, "BGPVPN_ERR_TYPE", "RFC 4271 6.1");
}

static void bgp_opens_that_are_refused(void **state)
{
    dissector *d = *state;
    bgp_case(d, MARKER "001d0103fde800b40a08000100", 19, "BGPVPN_ERR_VERSION", "RFC 4271 6.2");
    bgp_case(d, MARKER "001d0104fde800020a08000100", 22, "BGPVPN_ERR_HOLD_TIME", "RFC 4271 6.2");
    bgp_case(d, MARKER "001d0104fde800b40000000000", 24, "BGPVPN_ERR_IDENTIFIER", "RFC 6286 2.1");
    bgp_case(d, MARKER "001d0104fde800b40a08000105", 28, "BGPVPN_ERR_OPEN", "RFC 4271 6.2");
    bgp_case(d, MARKER "001f0104fde800b40a080001020100", 28, "BGPVPN_ERR_PARAMETER",
             "RFC 4271 6.2, RFC 5492 4");
}

/* RFC 7606: what ends the session, what withdraws, what is discarded. */
static void bgp_updates_are_graded(void **state)
{
    dissector *d = *state;
    /* Attributes longer than the message; a prefix of 33 bits; MP_REACH_NLRI of 4 bytes. */
    bgp_case(d, MARKER "001702000000ff", 21, "BGPVPN_ERR_ATTRIBUTES", "RFC 7606 3, 5.2");
    bgp_case(d, MARKER "001c02000521000000000000", 19, "BGPVPN_ERR_NLRI", "RFC 7606 5.3");
    bgp_case(d, MARKER "001e0200000007800e0400018000", 21, "BGPVPN_ERR_MULTIPROTOCOL",
             "RFC 7606 5.3, 7.11, 7.12");
    /* 10.0.0.0/8 with ORIGIN 3, an empty AS_PATH and NEXT_HOP. */
    bgp_case(d,
             MARKER "00270200000"
                    "00e4001010340020040030"
                    "40a080001080a",
             23, "BGPVPN_TREAT_WITHDRAW", "RFC 7606 7.1");
    /* The same without ORIGIN: nothing to point at but the list. */
    bgp_case(d,
             MARKER "00230200000"
                    "00a40020040030"
                    "40a080001080a",
             23, "BGPVPN_TREAT_WITHDRAW", "RFC 7606 3 d");
    /* With an ATOMIC_AGGREGATE of one byte after them. */
    bgp_case(d,
             MARKER "002b0200000"
                    "012400101004002004003040a08000140060100080a",
             37, "BGPVPN_TREAT_DISCARD", "RFC 7606 7.6");
}

static void one_bad_message_does_not_hide_the_next(void **state)
{
    dissector *d = *state;
    frame f;
    uint8_t bytes[128];
    dissect_reset(d);
    frame_tcp(&f, 0, 0x02, bytes, 0, false);
    (void)frames_see(d, &f);
    frame_tcp(&f, 1, 0x18, bytes, hex_bytes(MARKER "001309" MARKER "001304", bytes, sizeof bytes),
              false);
    const node *packet = frames_see(d, &f);
    frames_assert_error(packet, "bgp", TCP_AT + 18, "BGPVPN_ERR_TYPE", "RFC 4271 6.1");
    assert_string_equal(frames_text(frames_layer(packet, "bgp", 1), "type"), "KEEPALIVE");
    /* And two bad ones are both told. */
    dissect_reset(d);
    frame_tcp(&f, 0, 0x02, bytes, 0, false);
    (void)frames_see(d, &f);
    frame_tcp(&f, 1, 0x18, bytes,
              hex_bytes(MARKER "001304" MARKER "001d0103fde800b40a08000100" MARKER
                               "001d0104fde800020a08000100",
                        bytes, sizeof bytes),
              false);
    packet = frames_see(d, &f);
    frames_assert_error(packet, "bgp", TCP_AT + 19 + 19, "BGPVPN_ERR_VERSION", "RFC 4271 6.2");
    const node *more = tree_find(packet, "more_errors");
    assert_non_null(more);
    assert_string_equal(frames_text(more->first, "code"), "BGPVPN_ERR_HOLD_TIME");
}

static void layers_within_layers_end_somewhere(void **state)
{
    dissector *d = *state;
    frame f;
    f.len = 0;
    for (int i = 0; i < 40; i++) {
        const size_t len = f.len;
        frame_gre(&f, 0x0800, f.bytes, len);
    }
    const node *packet = frames_see(d, &f);
    assert_null(tree_find(packet, "error"));
    assert_non_null(strstr(frames_text(packet, "stopped"), "layers within layers"));
}

/* Each code that a decoder returns for a packet has a name and a rule. */
static void every_code_has_a_name_and_a_rule(void **state)
{
    (void)state;
    static const int libraries[] = {RULES_GRE,   RULES_MPLS, RULES_NHRP,
                                    RULES_IKEV2, RULES_ESP,  RULES_BGP};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        for (int32_t rc = -1; rc > -60; rc--) {
            const rule *r = rules_find(libraries[i], rc);
            if (r->rc != rc)
                continue; /* of engines and tables: no decoder returns it */
            count++;
            assert_int_equal(r->library, libraries[i]);
            assert_null(strstr(rules_code_name(r, rc), "UNKNOWN"));
            assert_true(strlen(r->rule) > 0 && strlen(r->text) > 0);
        }
    assert_true(count > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_headers_that_end_too_soon_or_name_nothing),
        cmocka_unit_test(ipv4_headers_that_contradict_themselves),
        cmocka_unit_test(fragments_that_cannot_be),
        cmocka_unit_test(ipv6_headers_that_contradict_themselves),
        cmocka_unit_test(transport_headers_that_contradict_themselves),
        cmocka_unit_test(gre_headers_that_must_be_discarded),
        cmocka_unit_test(label_stacks_without_an_end),
        cmocka_unit_test(nhrp_headers_that_contradict_themselves),
        cmocka_unit_test(nhrp_entries_that_go_beyond_the_packet),
        cmocka_unit_test(nhrp_extensions_that_go_beyond_the_packet),
        cmocka_unit_test(nhrp_labels_that_may_not_be_used),
        cmocka_unit_test(nhrp_authentication_without_an_spi),
        cmocka_unit_test(ike_headers_that_contradict_themselves),
        cmocka_unit_test(ike_payload_chains_that_do_not_add_up),
        cmocka_unit_test(ike_payloads_that_hold_what_they_may_not),
        cmocka_unit_test(ike_fragments_out_of_range),
        cmocka_unit_test(esp_packets_that_are_none),
        cmocka_unit_test(bgp_headers_out_of_step),
        cmocka_unit_test(bgp_opens_that_are_refused),
        cmocka_unit_test(bgp_updates_are_graded),
        cmocka_unit_test(one_bad_message_does_not_hide_the_next),
        cmocka_unit_test(layers_within_layers_end_somewhere),
        cmocka_unit_test(every_code_has_a_name_and_a_rule),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
