/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key tables in Wireshark's form, and what they open.
 */
#include "frames.h"

#include "dissect/keys.h"
#include "internal/wire.h"

#include <nhrp/nhrp.h>
#include <stdio.h>

#include <stdlib.h>
#include <string.h>

#define GCM  "\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x000102030405060708090a0b0c0d0e0f10111213\""
#define AUTH ",\"NULL\",\"\""

static bool finds(const char *line, uint8_t family, const uint8_t *source,
                  const uint8_t *destination, uint32_t spi)
{
    key_tables k = {0};
    size_t it = 0;
    const char *why = keys_add_esp(&k, line);
    if (why)
        fail_msg("%s: %s", line, why);
    const bool found = keys_find_esp(&k, &it, family, source, destination, spi) != NULL;
    keys_free(&k);
    return found;
}

static void esp_entries_match_as_their_wildcards_say(void **state)
{
    (void)state;
    static const uint8_t a[16] = {192, 168, 1, 1};
    static const uint8_t b[16] = {192, 168, 1, 254};
    static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    static const struct {
        const char *line;
        bool yes;
    } cases[] = {
        {"\"IPv4\",\"192.168.1.1\",\"192.168.1.254\",\"0xa9d90da7\"," GCM AUTH, true},
        {"IPv4,192.168.1.1,192.168.1.254,0xa9d90da7,AES-GCM with 16 octet ICV [RFC4106],"
         "0x000102030405060708090a0b0c0d0e0f10111213,NULL,",
         true},
        {"\"IPv4\",\"*\",\"*\",\"*\"," GCM AUTH, true},
        {"\"*\",\"*\",\"*\",\"0x*\"," GCM AUTH, true},
        {"\"IPv4\",\"192.168.0.0/16\",\"192.168.1.0/24\",\"0xa9d9****\"," GCM AUTH, true},
        {"\"IPv4\",\"192.168.*.1\",\"*.*.1.254\",\"0xa9d90d*7\"," GCM AUTH, true},
        {"\"IPv4\",\"0.0.0.0/0\",\"*\",\"2849574311\"," GCM AUTH, true},
        {"\"IPv4\",\"192.168.1.2\",\"192.168.1.254\",\"0xa9d90da7\"," GCM AUTH, false},
        {"\"IPv4\",\"192.168.1.254\",\"192.168.1.1\",\"0xa9d90da7\"," GCM AUTH, false},
        {"\"IPv4\",\"192.168.2.0/24\",\"*\",\"0xa9d90da7\"," GCM AUTH, false},
        {"\"IPv4\",\"192.168.*.2\",\"*\",\"0xa9d90da7\"," GCM AUTH, false},
        {"\"IPv4\",\"*\",\"*\",\"0xa9d90da8\"," GCM AUTH, false},
        {"\"IPv4\",\"*\",\"*\",\"0xa8d9****\"," GCM AUTH, false},
        {"\"IPv6\",\"*\",\"*\",\"*\"," GCM AUTH, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (finds(cases[i].line, 4, a, b, 0xa9d90da7) != cases[i].yes)
            fail_msg("%s", cases[i].line);
    assert_true(
        finds("\"IPv6\",\"2001:db8::/32\",\"2001:db8:*::9\",\"1000\"," GCM AUTH, 6, v6, v6, 1000));
    assert_false(finds("\"IPv6\",\"2001:db9::/32\",\"*\",\"1000\"," GCM AUTH, 6, v6, v6, 1000));
    assert_false(finds("\"IPv6\",\"*\",\"2001:db8:*::8\",\"1000\"," GCM AUTH, 6, v6, v6, 1000));
}

static void lines_that_make_no_sense_are_told_and_leave_no_key(void **state)
{
    (void)state;
    static const char *const esp[] = {
        "\"IPv4\",\"*\",\"*\",\"*\"",
        "\"IPv9\",\"*\",\"*\",\"*\"," GCM AUTH,
        "\"IPv4\",\"192.168.1\",\"*\",\"*\"," GCM AUTH,
        "\"IPv4\",\"192.168.1.1/33\",\"*\",\"*\"," GCM AUTH,
        "\"IPv4\",\"192.168.1.1/\",\"*\",\"*\"," GCM AUTH,
        "\"IPv4\",\"2001:db8::1\",\"*\",\"*\"," GCM AUTH,
        "\"*\",\"192.168.1.1\",\"*\",\"*\"," GCM AUTH,
        "\"IPv4\",\"*\",\"*\",\"0x1ffffffff\"," GCM AUTH,
        "\"IPv4\",\"*\",\"*\",\"-1\"," GCM AUTH,
        "\"IPv4\",\"*\",\"*\",\"\"," GCM AUTH,
        "\"IPv4\",\"*\",\"*\",\"*\",\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x0g\"" AUTH,
        "\"IPv4\",\"*\",\"*\",\"*\",\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x000\"" AUTH,
        "\"IPv4,*,*,*",
        "\"IPv4\"x,\"*\",\"*\",\"*\"," GCM AUTH,
        ",,,,,,,,,,,,",
    };
    static const char *const ike[] = {
        "01,02,03",
        "0102030405060708,010203040506070,00,00,\"NULL\",,,\"NONE [RFC4306]\"",
        "0102030405060708,0102030405060708,00,0000,\"NULL\",,,\"NONE [RFC4306]\"",
        "0102030405060708,0102030405060708,00,zz,\"NULL\",,,\"NONE [RFC4306]\"",
    };
    key_tables k = {0};
    for (size_t i = 0; i < sizeof(esp) / sizeof(esp[0]); i++)
        if (!keys_add_esp(&k, esp[i]))
            fail_msg("accepted: %s", esp[i]);
    for (size_t i = 0; i < sizeof(ike) / sizeof(ike[0]); i++)
        if (!keys_add_ike(&k, ike[i]))
            fail_msg("accepted: %s", ike[i]);
    assert_null(keys_add_esp(&k, ""));
    assert_null(keys_add_esp(&k, "  # a comment\n"));
    assert_null(keys_add_ike(&k, "\n"));
    assert_int_equal(k.esp_count + k.ike_count, 0);
    keys_free(&k);
}

static void random_lines_do_no_harm(void **state)
{
    (void)state;
    static const char alphabet[] = "\"\",,,*x0123456789abcdefIPv46./: \t";
    prng p = {3};
    key_tables k = {0};
    for (int n = 0; n < 20000; n++) {
        char line[64];
        size_t len = prng_below(&p, sizeof line - 1);
        line[len] = 0;
        while (len-- > 0)
            line[len] = alphabet[prng_below(&p, sizeof alphabet - 1)];
        (void)keys_add_esp(&k, line);
        (void)keys_add_ike(&k, line);
    }
    keys_free(&k);
}

/* tests/esp/vectors/scapy.txt and rfc7634.txt: packets that scapy and the RFC's authors sealed. */
static size_t opened(const char *path, const char *cipher_16, const char *cipher_32)
{
    vectors *v = vectors_open(path);
    size_t count = 0;
    while (vectors_next(v)) {
        const uint64_t algorithm = vectors_number(v, "algorithm");
        char line[512];
        size_t key_len;
        size_t len;
        frame f;
        const uint8_t *keymat = vectors_hex(v, "keymat", &key_len);
        int at = snprintf(line, sizeof line, "\"IPv4\",\"*\",\"*\",\"%llu\",\"%s\",\"0x",
                          (unsigned long long)vectors_number(v, "spi"),
                          algorithm == ESP_ALGORITHM_CHACHA20_POLY1305 ? cipher_32 : cipher_16);
        for (size_t i = 0; i < key_len; i++)
            at += snprintf(line + at, sizeof line - (size_t)at, "%02x", keymat[i]);
        (void)snprintf(line + at, sizeof line - (size_t)at, "\",\"NULL\",\"\"");
        const uint64_t esn_high = vectors_number(v, "sequence") >> 32;
        if (esn_high)
            (void)snprintf(line + strlen(line), sizeof line - strlen(line),
                           ",\"64-bit\",\"0x%llx\"", (unsigned long long)esn_high);
        dissector *d = frames_dissector(false);
        const char *why = dissect_add_esp_key(d, line);
        if (why)
            fail_msg("%s: %s", line, why);
        const uint8_t *packet = vectors_hex(v, "packet", &len);
        frame_ip(&f, 50, packet, len, false);
        for (int twice = 0; twice < 3; twice++) { /* a capture may have it more than once */
            const node *seen = frames_see(d, &f);
            const node *esp = frames_layer(seen, "esp", 0);
            if (vectors_number(v, "next_header") == ESP_NEXT_NONE) {
                assert_string_equal(frames_text(esp, "status"), "dummy packet");
                continue;
            }
            assert_string_equal(frames_text(esp, "status"), "decrypted");
            assert_int_equal(frames_number(esp, "next_header"), vectors_number(v, "next_header"));
        }
        /* One bit of the ICV. */
        f.bytes[f.len - 1] ^= 1;
        frames_assert_error(frames_see(d, &f), "esp", IP_BYTES, "ESP_ERR_AUTH", "RFC 4303 3.4.4.1");
        dissect_free(d);
        count++;
    }
    vectors_close(v);
    return count;
}

static void packets_that_scapy_sealed_are_opened_again_and_again(void **state)
{
    (void)state;
    assert_true(opened("esp/vectors/scapy.txt", "AES-GCM with 16 octet ICV [RFC4106]",
                       "ChaCha20 with Poly1305 [RFC7634]") >= 4);
}

static void without_a_key_of_use_esp_says_so(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    frame f;
    uint8_t bytes[64];
    const size_t len = hex_bytes("00001000000000010000000000000001"
                                 "0011223344556677001122334455667700112233",
                                 bytes, sizeof bytes);
    frame_ip(&f, 50, bytes, len, false);
    assert_string_equal(frames_text(frames_layer(frames_see(d, &f), "esp", 0), "status"), "no key");
    assert_null(dissect_add_esp_key(d, "\"IPv4\",\"*\",\"*\",\"0x1000\",\"AES-CBC [RFC3602]\","
                                       "\"0x000102030405060708090a0b0c0d0e0f\"" AUTH));
    const node *packet = frames_see(d, &f);
    assert_string_equal(frames_text(frames_layer(packet, "esp", 0), "status"),
                        "algorithm not supported");
    frames_assert_clean(packet);
    dissect_free(d);
}

/* tests/ikev2/vectors/messages.txt: sealed by python3-cryptography, in every cipher there is. */
static void ike_messages_of_every_cipher_are_opened(void **state)
{
    (void)state;
    static const char *const integrity[] = {
        [IKEV2_INTEG_NONE] = "NONE [RFC4306]",
        [IKEV2_INTEG_HMAC_SHA2_256_128] = "HMAC_SHA2_256_128 [RFC4868]",
        [IKEV2_INTEG_HMAC_SHA2_384_192] = "HMAC_SHA2_384_192 [RFC4868]",
        [IKEV2_INTEG_HMAC_SHA2_512_256] = "HMAC_SHA2_512_256 [RFC4868]"};
    vectors *v = vectors_open("ikev2/vectors/messages.txt");
    size_t count = 0;
    for (; vectors_next(v); count++) {
        const uint64_t encr = vectors_number(v, "encr");
        const uint64_t bits = vectors_number(v, "key_bits");
        const char *key = vectors_text(v, "key");
        const char *integ = vectors_text(v, "integ_key");
        const uint64_t number = vectors_number(v, "integ");
        char cipher[64];
        char line[1024];
        size_t len;
        frame f;
        if (encr == IKEV2_ENCR_CHACHA20_POLY1305)
            (void)snprintf(cipher, sizeof cipher, "ChaCha20 with Poly1305 [RFC7634]");
        else
            (void)snprintf(cipher, sizeof cipher,
                           encr == IKEV2_ENCR_AES_CBC ? "AES-CBC-%llu [RFC3602]"
                                                      : "AES-GCM-%llu with 16 octet ICV [RFC5282]",
                           (unsigned long long)bits);
        (void)snprintf(line, sizeof line, "%s,%s,%s,%s,\"%s\",%s,%s,\"%s\"",
                       vectors_text(v, "spi_i"), vectors_text(v, "spi_r"), key, key, cipher,
                       number ? integ : "", number ? integ : "", integrity[number]);
        dissector *d = frames_dissector(false);
        assert_null(dissect_add_ikev2_key(d, line));
        const uint8_t *message = vectors_hex(v, "message", &len);
        frame_udp(&f, 500, message, len);
        const node *packet = frames_see(d, &f);
        frames_assert_clean(packet);
        const node *sk = tree_find(frames_layer(packet, "ikev2", 0), "payloads")->first;
        assert_string_equal(frames_text(sk, "status"), "decrypted");
        const node *inner = tree_find(sk, "payloads")->first;
        assert_string_equal(frames_text(inner, "notify"), "SET_WINDOW_SIZE");
        f.bytes[f.len - 1] ^= 1;
        frames_assert_error(frames_see(d, &f), "ikev2", UDP_AT, "IKEV2_ERR_INTEGRITY",
                            "RFC 7296 3.14");
        dissect_free(d);
    }
    assert_int_equal(count, 6);
    vectors_close(v);
}

/* RFC 7383: sealed by python3-cryptography, AES-128-GCM, key 40 41 ... 53. */
static void fragments_are_joined_in_any_order(void **state)
{
    (void)state;
    static const char *const fragments[] = {
        "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d73520250800000005000000442900002800010002"
        "000000000000000186aed12eb4967c1d36829ee156fcc2a60a704cdcd9e6b35b",
        "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d73520250800000005000000420000002600020002"
        "0000000000000002b8fb150ad21f12df4f8a69f45614cb1c9fc52076be42",
    };
    for (int first = 0; first < 2; first++) {
        dissector *d = frames_dissector(false);
        frame f;
        assert_null(dissect_add_ikev2_key(
            d, "c0c1c2c3c4c5c6c7,d0d1d2d3d4d5d6d7,404142434445464748494a4b4c4d4e4f50515253,"
               "404142434445464748494a4b4c4d4e4f50515253,"
               "\"AES-GCM-128 with 16 octet ICV [RFC5282]\",,,\"NONE [RFC4306]\""));
        for (int twice = 0; twice < 2; twice++) { /* a retransmission changes nothing */
            frame_udp_hex(&f, 500, fragments[first]);
            const node *packet = frames_see(d, &f);
            frames_assert_clean(packet);
            const node *skf = tree_find(frames_layer(packet, "ikev2", 0), "payloads")->first;
            assert_int_equal(frames_number(skf, "fragments_seen"), 1);
            assert_null(tree_find(skf, "payloads"));
        }
        frame_udp_hex(&f, 500, fragments[1 - first]);
        const node *packet = frames_see(d, &f);
        frames_assert_clean(packet);
        const node *skf = tree_find(frames_layer(packet, "ikev2", 0), "payloads")->first;
        assert_non_null(tree_find(skf, "reassembled"));
        assert_string_equal(frames_text(tree_find(skf, "payloads")->first, "notify"),
                            "SET_WINDOW_SIZE");
        dissect_free(d);
    }
}

/* Sealed by python3-cryptography, so that all but one thing is right. */
static void what_is_authentic_may_be_malformed(void **state)
{
    (void)state;
    static const struct {
        uint8_t protocol; /* 50: ESP; 17: IKE */
        const char *hex;
        uint64_t at;
        const char *code;
        const char *rule;
    } cases[] = {
        /* Padding 9, 9; a pad length of 200; nine bytes of ciphertext; less than an ICV. */
        {50, "000010000000000100000000000000011b46fa91b21d2c12629c3c69053133c01219028c3ca15483", 0,
         "ESP_ERR_PADDING", "RFC 4303 2.4"},
        {50, "000010000000000100000000000000011b46fa91ba16e612c57183874d400418e2f0fbeeb404eef0", 0,
         "ESP_ERR_PADDING", "RFC 4303 2.4"},
        {50, "000010000000000100000000000000011b46fa91ba152c143bf908c27bdc3dcb71f03f354560c5d106",
         0, "ESP_ERR_ALIGN", "RFC 4303 2.4"},
        {50, "000010000000000100000000000000015f44d473d5df8d82c17f253a176df04cedac", 0,
         "ESP_ERR_TRUNCATED", "RFC 4303 2"},
        /* A pad length of 200; inside, a payload of three bytes; an SK payload without an IV. */
        {17,
         "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e20250800000005000000412900002500000000000000018"
         "6aed12ab4967c1dfa183023a9d23b54867dc49900575a5f9f",
         28, "IKEV2_ERR_LENGTH", "RFC 7296 3.14"},
        {17,
         "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e20250800000005000000412900002500000000000000018"
         "6aed121b4967c1d3241eb6ad971301f7ba798507501ebe53f",
         40, "IKEV2_ERR_LENGTH", "RFC 7296 3.2"},
        {17, "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202508000000050000002429000008aabbccdd", 28,
         "IKEV2_ERR_LENGTH", "RFC 7296 3.14"},
    };
    dissector *d = frames_dissector(false);
    assert_null(dissect_add_esp_key(d, "\"IPv4\",\"*\",\"*\",\"0x1000\"," GCM AUTH));
    assert_null(dissect_add_ikev2_key(
        d, "c0c1c2c3c4c5c6c7,d0d1d2d3d4d5d6d7,404142434445464748494a4b4c4d4e4f50515253,"
           "404142434445464748494a4b4c4d4e4f50515253,"
           "\"AES-GCM-128 with 16 octet ICV [RFC5282]\",,,\"NONE [RFC4306]\""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frame f;
        uint8_t bytes[128];
        const size_t len = hex_bytes(cases[i].hex, bytes, sizeof bytes);
        const bool esp = cases[i].protocol == 50;
        if (esp)
            frame_ip(&f, 50, bytes, len, false);
        else
            frame_udp(&f, 500, bytes, len);
        frames_assert_error(frames_see(d, &f), esp ? "esp" : "ikev2",
                            (esp ? IP_BYTES : UDP_AT) + cases[i].at, cases[i].code, cases[i].rule);
    }
    dissect_free(d);
}

/* RFC 2332 5.3.4, as deployed: SPI 1, then the password. */
static void passwords_are_shown_only_when_asked_for(void **state)
{
    (void)state;
    static const char packet[] = "000108000000000000ff0044000000280101040004"
                                 "04c80001020304c0a80101ac1001010a020266"
                                 "8007000c00000001736563726574303180000000";
    for (int secrets = 0; secrets < 2; secrets++) {
        dissector *d = frames_dissector(secrets);
        uint8_t bytes[128];
        frame f;
        size_t len = hex_bytes(packet, bytes, sizeof bytes);
        wire_set_u16(bytes + 10, (uint16_t)len);
        wire_set_u16(bytes + 14, 40);
        assert_int_equal(nhrp_packet_set_checksum(bytes, len), NHRP_OK);
        frame_gre(&f, 0x2001, bytes, len);
        const node *seen = frames_see(d, &f);
        frames_assert_clean(seen);
        const node *extension = tree_find(frames_layer(seen, "nhrp", 0), "extensions")->first;
        assert_string_equal(frames_text(extension, "name"), "authentication");
        assert_int_equal(frames_number(extension, "length"), 8);
        if (secrets)
            assert_string_equal(frames_text(extension, "data"), "secret01");
        else
            assert_null(tree_find(extension, "data"));
        dissect_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp_entries_match_as_their_wildcards_say),
        cmocka_unit_test(lines_that_make_no_sense_are_told_and_leave_no_key),
        cmocka_unit_test(random_lines_do_no_harm),
        cmocka_unit_test(packets_that_scapy_sealed_are_opened_again_and_again),
        cmocka_unit_test(without_a_key_of_use_esp_says_so),
        cmocka_unit_test(ike_messages_of_every_cipher_are_opened),
        cmocka_unit_test(fragments_are_joined_in_any_order),
        cmocka_unit_test(what_is_authentic_may_be_malformed),
        cmocka_unit_test(passwords_are_shown_only_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
