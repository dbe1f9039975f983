/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What surrounds ESP: its header in the clear, UDP encapsulation, the outer IP header.
 */
#include "esp_test.h"

/* RFC 4303 2.1, 2.2 */
static void spi_and_sequence_are_read_in_the_clear(void **state)
{
    (void)state;
    static const uint8_t packet[] = {0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x05, 0x10};
    esp_header h = {0};
    assert_int_equal(esp_header_decode(packet, sizeof(packet), &h), ESP_OK);
    assert_int_equal(h.spi, 0x01020304);
    assert_int_equal(h.sequence_low, 5);
    for (size_t n = 0; n < 8; n++)
        assert_int_equal(esp_header_decode(packet, n, &h), ESP_ERR_TRUNCATED);
    assert_int_equal(esp_header_decode(NULL, 8, &h), ESP_ERR_ARG);
    assert_int_equal(esp_header_decode(packet, 8, NULL), ESP_ERR_ARG);
    static const uint8_t reserved[8] = {0, 0, 0, 0xff};
    assert_int_equal(esp_header_decode(reserved, 8, &h), ESP_ERR_SPI);
    static const uint8_t lowest[8] = {0, 0, 1, 0};
    assert_int_equal(esp_header_decode(lowest, 8, &h), ESP_OK);
}

static void check_kind(const char *hex, esp_rc rc, uint32_t expected)
{
    uint8_t buf[64];
    uint32_t kind = 99;
    const size_t len = hex_bytes(hex, buf, sizeof(buf));
    assert_int_equal(esp_udp_classify(buf, len, &kind), rc);
    assert_int_equal(kind, rc == ESP_OK ? expected : 99);
}

/* RFC 3948 2.1 to 2.3, 3.2, 4 */
static void datagrams_on_4500_are_told_apart(void **state)
{
    (void)state;
    check_kind("", ESP_ERR_TRUNCATED, 0);
    check_kind("ff", ESP_OK, ESP_UDP_KEEPALIVE);
    check_kind("fe", ESP_ERR_TRUNCATED, 0);
    check_kind("00", ESP_ERR_TRUNCATED, 0);
    check_kind("ffff", ESP_ERR_TRUNCATED, 0);
    check_kind("000000", ESP_ERR_TRUNCATED, 0);
    check_kind("00000000", ESP_OK, ESP_UDP_IKE);
    check_kind("00000000 a1b2c3d4e5f60718 0000000000000000 21202208", ESP_OK, ESP_UDP_IKE);
    check_kind("00000001", ESP_OK, ESP_UDP_ESP);
    check_kind("01000000", ESP_OK, ESP_UDP_ESP);
    check_kind("ffffffff", ESP_OK, ESP_UDP_ESP);
    check_kind("01020304 00000005 1011121314151617", ESP_OK, ESP_UDP_ESP);

    uint32_t kind;
    uint8_t byte = 0;
    assert_int_equal(esp_udp_classify(NULL, 4, &kind), ESP_ERR_ARG);
    assert_int_equal(esp_udp_classify(&byte, 1, NULL), ESP_ERR_ARG);
}

/* RFC 3948 2.3 */
static void a_keepalive_is_one_byte(void **state)
{
    (void)state;
    uint8_t out[2] = {0, 0x55};
    size_t len = 0;
    uint32_t kind = 0;
    assert_int_equal(esp_udp_keepalive_encode(out, 0, &len), ESP_ERR_BUFFER);
    assert_int_equal(len, 1);
    assert_int_equal(out[0], 0);
    assert_int_equal(esp_udp_keepalive_encode(out, 2, &len), ESP_OK);
    assert_hex(out, 2, "ff55");
    assert_int_equal(len, 1);
    assert_int_equal(esp_udp_classify(out, len, &kind), ESP_OK);
    assert_int_equal(kind, ESP_UDP_KEEPALIVE);
    assert_int_equal(esp_udp_keepalive_encode(NULL, 1, &len), ESP_ERR_ARG);
    assert_int_equal(esp_udp_keepalive_encode(out, 1, NULL), ESP_ERR_ARG);
}

/* The outer header of RFC 7634 Appendix A. */
static const char ipv4_hex[] = "4500008c234500004032de5bcb007199cb007105";

static void the_outer_header_of_rfc_7634_is_read_and_written(void **state)
{
    (void)state;
    uint8_t packet[0x8c] = {0};
    uint8_t out[64];
    size_t len = 0;
    esp_outer o;
    assert_int_equal(hex_bytes(ipv4_hex, packet, sizeof(packet)), 20);
    assert_int_equal(esp_outer_decode(packet, sizeof(packet), &o), ESP_OK);
    assert_int_equal(o.family, ESP_FAMILY_IPV4);
    assert_int_equal(o.hop_limit, 64);
    assert_int_equal(o.identification, 0x2345);
    assert_int_equal(o.dont_fragment, 0);
    assert_int_equal(o.header_len, 20);
    assert_int_equal(o.payload_len, 0x8c - 20);
    assert_hex(o.source, 16, "cb007199 00000000 00000000 00000000");
    assert_hex(o.destination, 16, "cb007105 00000000 00000000 00000000");
    assert_int_equal(esp_outer_encode(&o, out, sizeof(out), &len), ESP_OK);
    assert_hex(out, len, ipv4_hex);
}

/* scapy's outer headers, IPv4 and IPv6. */
static void outer_headers_of_scapy_are_read_and_written(void **state)
{
    (void)state;
    vectors *v = vectors_open("esp/vectors/scapy.txt");
    size_t n = 0;
    while (vectors_next(v)) {
        if (!vectors_has(v, "outer"))
            continue;
        size_t header_len, packet_len;
        const uint8_t *header = vectors_hex(v, "outer", &header_len);
        const uint8_t *esp = vectors_hex(v, "packet", &packet_len);
        uint8_t packet[512];
        uint8_t out[ESP_OUTER_MAX];
        size_t len;
        esp_outer o;
        memcpy(packet, header, header_len);
        memcpy(packet + header_len, esp, packet_len);
        assert_int_equal(esp_outer_decode(packet, header_len + packet_len, &o), ESP_OK);
        assert_int_equal(o.family, header_len == 40 ? ESP_FAMILY_IPV6 : ESP_FAMILY_IPV4);
        assert_int_equal(o.header_len, header_len);
        assert_int_equal(o.payload_len, packet_len);
        assert_int_equal(esp_outer_encode(&o, out, sizeof(out), &len), ESP_OK);
        assert_bytes(out, len, header, header_len);
        n++;
    }
    vectors_close(v);
    assert_int_equal(n, 18);
}

static esp_rc decode_changed(size_t at, uint8_t value, size_t len)
{
    uint8_t packet[0x8c] = {0};
    esp_outer o;
    (void)hex_bytes(ipv4_hex, packet, sizeof(packet));
    packet[at] = value;
    /* Put the checksum right again, by RFC 1071. */
    uint32_t sum = 0;
    const size_t header_len = (size_t)(packet[0] & 15) * 4;
    packet[10] = packet[11] = 0;
    for (size_t i = 0; i < header_len; i += 2)
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
    return esp_outer_decode(packet, len, &o);
}

static void damaged_ipv4_headers_are_refused(void **state)
{
    (void)state;
    uint8_t packet[0x8c] = {0};
    esp_outer o;
    (void)hex_bytes(ipv4_hex, packet, sizeof(packet));
    for (size_t n = 0; n < sizeof(packet); n++)
        assert_int_equal(esp_outer_decode(packet, n, &o), ESP_ERR_TRUNCATED);
    packet[8] ^= 1;
    assert_int_equal(esp_outer_decode(packet, sizeof(packet), &o), ESP_ERR_CHECKSUM);

    assert_int_equal(decode_changed(0, 0x45, 0x8c), ESP_OK);
    assert_int_equal(decode_changed(0, 0x46, 0x8c), ESP_OK); /* options are skipped */
    assert_int_equal(decode_changed(0, 0x44, 0x8c), ESP_ERR_TRUNCATED);
    assert_int_equal(decode_changed(0, 0x55, 0x8c), ESP_ERR_VERSION);
    assert_int_equal(decode_changed(3, 19, 0x8c), ESP_ERR_TRUNCATED);
    assert_int_equal(decode_changed(3, 0x8d, 0x8c), ESP_ERR_TRUNCATED);
    assert_int_equal(decode_changed(3, 0x80, 0x8c), ESP_OK); /* a frame's padding behind it */
    assert_int_equal(decode_changed(6, 0x40, 0x8c), ESP_OK); /* DF */
    assert_int_equal(decode_changed(9, 17, 0x8c), ESP_ERR_PROTOCOL);
}

/* RFC 4303 3.4.1. Bad input: CVE-2022-34718: reassembly comes before ESP. */
static void fragments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_changed(6, 0x20, 0x8c), ESP_ERR_FRAGMENT);
    assert_int_equal(decode_changed(6, 0x01, 0x8c), ESP_ERR_FRAGMENT);
    assert_int_equal(decode_changed(7, 0x01, 0x8c), ESP_ERR_FRAGMENT);
    uint8_t packet[60];
    esp_outer o;
    const size_t len = hex_bytes("60000000 0010 2c 40 20010db8000000000000000000000001"
                                 "20010db8000000000000000000000002 32000000 00000000"
                                 "0000000000000000",
                                 packet, sizeof(packet));
    assert_int_equal(esp_outer_decode(packet, len, &o), ESP_ERR_FRAGMENT);
}

static void damaged_ipv6_headers_are_refused(void **state)
{
    (void)state;
    uint8_t packet[60];
    esp_outer o;
    const size_t len = hex_bytes("6ab12345 0008 32 40 20010db8000000000000000000000001"
                                 "20010db8000000000000000000000002 0102030400000005",
                                 packet, sizeof(packet));
    for (size_t n = 0; n < len; n++)
        assert_int_equal(esp_outer_decode(packet, n, &o), ESP_ERR_TRUNCATED);
    assert_int_equal(esp_outer_decode(packet, len, &o), ESP_OK);
    assert_int_equal(o.traffic_class, 0xab);
    assert_int_equal(o.flow_label, 0x12345);
    packet[6] = 0; /* hop-by-hop options */
    assert_int_equal(esp_outer_decode(packet, len, &o), ESP_ERR_PROTOCOL);
}

static void outer_fields_that_a_header_cannot_hold_are_refused(void **state)
{
    (void)state;
    uint8_t out[64];
    size_t len;
    esp_outer o = {.family = ESP_FAMILY_IPV4, .hop_limit = 64, .payload_len = 100};
    assert_int_equal(esp_outer_encode(&o, out, 19, &len), ESP_ERR_BUFFER);
    assert_int_equal(len, 20);
    assert_int_equal(esp_outer_encode(&o, out, 20, &len), ESP_OK);
    assert_int_equal(esp_outer_encode(NULL, out, 20, &len), ESP_ERR_ARG);
    assert_int_equal(esp_outer_encode(&o, NULL, 20, &len), ESP_ERR_ARG);
    assert_int_equal(esp_outer_encode(&o, out, 20, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_outer_decode(NULL, 20, &o), ESP_ERR_ARG);
    assert_int_equal(esp_outer_decode(out, 20, NULL), ESP_ERR_ARG);

    esp_outer bad[6] = {o, o, o, o, o, o};
    bad[0].family = 5;
    bad[1].payload_len = 65516;
    bad[2].flow_label = 1;
    bad[3].dont_fragment = 2;
    bad[4].source[4] = 1;
    bad[5].destination[15] = 1;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(esp_outer_encode(&bad[i], out, sizeof(out), &len), ESP_ERR_ARG);
    o.family = ESP_FAMILY_IPV6;
    assert_int_equal(esp_outer_encode(&o, out, 39, &len), ESP_ERR_BUFFER);
    assert_int_equal(len, 40);
    bad[0] = bad[1] = bad[2] = bad[3] = o;
    bad[0].payload_len = 65536;
    bad[1].flow_label = 1 << 20;
    bad[2].dont_fragment = 1;
    bad[3].identification = 1;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(esp_outer_encode(&bad[i], out, sizeof(out), &len), ESP_ERR_ARG);
}

static void random_outer_headers_round_trip(void **state)
{
    (void)state;
    prng rng = {5};
    for (int i = 0; i < 20000; i++) {
        static uint8_t packet[ESP_OUTER_MAX + 2048];
        esp_outer o = {0};
        esp_outer back;
        size_t len;
        const bool v6 = prng_below(&rng, 2);
        o.family = v6 ? ESP_FAMILY_IPV6 : ESP_FAMILY_IPV4;
        o.traffic_class = (uint8_t)prng_u64(&rng);
        o.hop_limit = (uint8_t)prng_u64(&rng);
        o.payload_len = prng_below(&rng, 2049);
        o.header_len = v6 ? 40 : 20;
        if (v6) {
            o.flow_label = prng_below(&rng, 1 << 20);
        } else {
            o.dont_fragment = (uint8_t)prng_below(&rng, 2);
            o.identification = (uint16_t)prng_u64(&rng);
        }
        prng_bytes(&rng, o.source, v6 ? 16 : 4);
        prng_bytes(&rng, o.destination, v6 ? 16 : 4);
        assert_int_equal(esp_outer_encode(&o, packet, ESP_OUTER_MAX, &len), ESP_OK);
        assert_int_equal(esp_outer_decode(packet, len + o.payload_len, &back), ESP_OK);
        assert_memory_equal(&back, &o, sizeof(o));

        /* Random bytes decode or not, but never crash. */
        prng_bytes(&rng, packet, 64);
        packet[0] = (uint8_t)(i % 2 ? 0x45 : 0x60);
        (void)esp_outer_decode(packet, prng_below(&rng, 65), &back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spi_and_sequence_are_read_in_the_clear),
        cmocka_unit_test(datagrams_on_4500_are_told_apart),
        cmocka_unit_test(a_keepalive_is_one_byte),
        cmocka_unit_test(the_outer_header_of_rfc_7634_is_read_and_written),
        cmocka_unit_test(outer_headers_of_scapy_are_read_and_written),
        cmocka_unit_test(damaged_ipv4_headers_are_refused),
        cmocka_unit_test(fragments_are_refused),
        cmocka_unit_test(damaged_ipv6_headers_are_refused),
        cmocka_unit_test(outer_fields_that_a_header_cannot_hold_are_refused),
        cmocka_unit_test(random_outer_headers_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
