/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets that no honest sender makes. Whatever comes in, nothing moves but a counter.
 */
#include "esp_test.h"

#include <stdlib.h>

/* Opens a copy, and asserts that the window stayed where it was and nothing was written. */
static esp_rc open_bad(esp_sa *sa, const uint8_t *packet, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* exact, so that a sanitizer sees one byte too far */
    assert_non_null(copy);
    memcpy(copy, packet, len);
    const esp_sa_counters before = test_counters(sa);
    esp_opened opened;
    memset(&opened, 0xee, sizeof(opened));
    const esp_opened untouched = opened;

    const esp_rc rc = esp_sa_open(sa, 0, copy, len, &opened);
    assert_true(rc < 0);
    assert_memory_equal(&opened, &untouched, sizeof(opened));
    const esp_sa_counters after = test_counters(sa);
    assert_true(after.sequence == before.sequence && after.packets == before.packets &&
                after.bytes == before.bytes);
    free(copy);
    return rc;
}

static void assert_opens(esp_sa *sa, const uint8_t *packet, size_t len)
{
    uint8_t copy[TEST_ROOM];
    esp_opened opened;
    memcpy(copy, packet, len);
    assert_int_equal(esp_sa_open(sa, 0, copy, len, &opened), ESP_OK);
}

/* RFC 4303 3.4.4.2. Bad input: replay window update before auth. */
static void a_change_of_any_bit_is_found_and_the_window_stays(void **state)
{
    (void)state;
    for (size_t k = 0; k < TEST_SUITES; k++)
        for (uint8_t esn = 0; esn <= 1; esn++) {
            esp_sa_config cfg = test_config_of(ESP_DIRECTION_IN, &test_suites[k]);
            cfg.esn = esn;
            cfg.last_sequence = 4000;
            esp_sa *sa = test_sa(&cfg);
            uint8_t packet[TEST_ROOM];
            const uint8_t plain[32] = {[29] = 1, [30] = 1, [31] = 47};
            const size_t len = craft(&cfg, 5000, plain, sizeof(plain), packet);
            uint64_t auth = 0;
            for (size_t bit = 0; bit < len * 8; bit++) {
                packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
                const esp_rc rc = open_bad(sa, packet, len);
                if (bit < 32) {
                    assert_int_equal(rc, ESP_ERR_SPI);
                } else if (rc == ESP_ERR_REPLAY) {
                    assert_true(bit < 64 && !esn); /* a number below the window */
                } else {
                    assert_int_equal(rc, ESP_ERR_AUTH);
                    auth++;
                }
                packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
            assert_true(test_counters(sa).auth == auth && auth > (len - 8) * 8);
            assert_true(test_counters(sa).spi == 32);
            assert_opens(sa, packet, len);
            esp_sa_free(sa);
        }
}

/* Bad input: ICV truncated. */
static void a_truncated_packet_is_never_accepted(void **state)
{
    (void)state;
    for (size_t k = 0; k < TEST_SUITES; k++) {
        const test_suite *suite = &test_suites[k];
        const size_t overhead = (size_t)suite->header_len + suite->icv_len;
        const size_t smallest = overhead + suite->alignment; /* holds padding and two bytes */
        esp_sa_config cfg = test_config_of(ESP_DIRECTION_IN, suite);
        esp_sa *sa = test_sa(&cfg);
        uint8_t packet[TEST_ROOM];
        const uint8_t plain[48] = {[45] = 1, [46] = 1, [47] = 47};
        const size_t len = craft(&cfg, 1, plain, sizeof(plain), packet);
        for (size_t n = 0; n < len; n++) {
            const esp_rc rc = open_bad(sa, packet, n);
            if (n < smallest)
                assert_int_equal(rc, ESP_ERR_TRUNCATED);
            else
                assert_int_equal(rc,
                                 (n - overhead) % suite->alignment ? ESP_ERR_ALIGN : ESP_ERR_AUTH);
        }
        /* Bytes that do not belong to it are as bad. */
        memset(packet + len, 0, 16);
        assert_int_equal(open_bad(sa, packet, len + 1), ESP_ERR_ALIGN);
        assert_int_equal(open_bad(sa, packet, len + suite->alignment), ESP_ERR_AUTH);
        assert_true(test_counters(sa).truncated == smallest);
        assert_opens(sa, packet, len);
        esp_sa_free(sa);
    }
}

/* RFC 4303 2.4: authentic, but not aligned on four bytes. */
static void an_authentic_packet_out_of_alignment_is_dropped(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM];
    uint8_t plain[16] = {0};
    for (size_t n = 5; n <= 11; n++) {
        plain[n - 1] = 47;
        plain[n - 2] = 0;
        const size_t len = craft(&cfg, n, plain, n, packet);
        if (n % 4 == 0)
            assert_opens(sa, packet, len);
        else
            assert_int_equal(open_bad(sa, packet, len), ESP_ERR_ALIGN);
        memset(plain, 0, sizeof(plain));
    }
    esp_sa_free(sa);
}

/* RFC 4303 2.4. Bad input: pad length > payload. */
static void a_pad_length_beyond_the_payload_is_dropped(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM];
    uint8_t plain[256 + 4];
    /* Numbers end in 1, as the byte before the text then does: a reader too far left sees padding.
     */
    uint64_t sequence = 1;
    for (size_t text = 4; text <= sizeof(plain); text += 4)
        for (size_t pad = 0; pad <= 255; pad++) {
            /* Padding as it should be, as far as there is room for it. */
            memset(plain, 0, sizeof(plain));
            for (size_t i = 0; i < pad && i < text - 2; i++)
                plain[text - 3 - i] = (uint8_t)(pad - i);
            plain[text - 2] = (uint8_t)pad;
            plain[text - 1] = 47;
            sequence += 256;
            const size_t len = craft(&cfg, sequence, plain, text, packet);
            if (pad > text - 2) {
                assert_int_equal(open_bad(sa, packet, len), ESP_ERR_PADDING);
            } else {
                esp_opened opened;
                assert_int_equal(esp_sa_open(sa, 0, packet, len, &opened), ESP_OK);
                assert_int_equal(opened.len, text - 2 - pad);
            }
        }
    esp_sa_free(sa);
}

/* RFC 4303 2.4: 1, 2, 3, ... */
static void padding_that_does_not_count_from_one_is_dropped(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM];
    uint8_t plain[16] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 47};
    size_t len;
    for (size_t i = 6; i < 14; i++) {
        plain[i] ^= 0x40;
        len = craft(&cfg, 1, plain, sizeof(plain), packet);
        assert_int_equal(open_bad(sa, packet, len), ESP_ERR_PADDING);
        plain[i] ^= 0x40;
    }
    assert_true(test_counters(sa).padding == 8);
    /* The number is still free: the window did not move. */
    len = craft(&cfg, 1, plain, sizeof(plain), packet);
    assert_opens(sa, packet, len);
    esp_sa_free(sa);
}

/* RFC 4303 2.6. Bad input: next-header 59 dummy. */
static void a_dummy_packet_is_dropped_and_its_number_is_spent(void **state)
{
    (void)state;
    for (int mode = ESP_MODE_TRANSPORT; mode <= ESP_MODE_TUNNEL; mode++) {
        esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
        cfg.mode = (uint8_t)mode;
        esp_sa *out = test_sa(&cfg);
        cfg.direction = ESP_DIRECTION_IN;
        esp_sa *in = test_sa(&cfg);
        uint8_t packet[128];
        uint8_t again[128];
        esp_span span;
        esp_opened opened;
        memset(&opened, 0xee, sizeof(opened));
        const esp_opened untouched = opened;
        assert_int_equal(esp_sa_seal(out, 0, packet, sizeof(packet), (const uint8_t *)"noise", 5,
                                     ESP_NEXT_NONE, &span),
                         ESP_OK);
        memcpy(again, packet, sizeof(again));
        assert_int_equal(esp_sa_open(in, 0, packet, span.len, &opened), ESP_ERR_DUMMY);
        assert_memory_equal(&opened, &untouched, sizeof(opened));
        assert_int_equal(open_bad(in, again, span.len), ESP_ERR_REPLAY);
        assert_true(test_counters(in).dummy == 1 && test_counters(in).packets == 1);
        esp_sa_free(out);
        esp_sa_free(in);
    }
}

/* RFC 4303 2.6: "need not be well-formed". */
static void a_dummy_packet_may_have_any_padding(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM];
    esp_opened opened;
    const uint8_t plain[8] = {9, 9, 9, 9, 9, 9, 255, ESP_NEXT_NONE};
    const size_t len = craft(&cfg, 1, plain, sizeof(plain), packet);
    assert_int_equal(esp_sa_open(sa, 0, packet, len, &opened), ESP_ERR_DUMMY);
    assert_true(test_counters(sa).padding == 0);
    esp_sa_free(sa);
}

/* The payload's length after the inner packet's header was set to say inner_len. */
static size_t open_inner(uint8_t next_header, uint8_t first, size_t inner_len, size_t payload_len)
{
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    cfg.mode = ESP_MODE_TUNNEL;
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM];
    uint8_t plain[128] = {0};
    esp_opened opened;
    plain[0] = first;
    const size_t at = next_header == ESP_NEXT_IPV4 ? 2 : 4;
    plain[at] = (uint8_t)(inner_len >> 8);
    plain[at + 1] = (uint8_t)inner_len;
    plain[payload_len] = 0;
    plain[payload_len + 1] = next_header;
    const size_t len = craft(&cfg, 1, plain, payload_len + 2, packet);
    assert_int_equal(esp_sa_open(sa, 0, packet, len, &opened), ESP_OK);
    esp_sa_free(sa);
    return opened.len;
}

/* RFC 4303 2.7, 3.4.4.2 */
static void traffic_flow_padding_is_cut_off_in_tunnel_mode(void **state)
{
    (void)state;
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x45, 30, 30), 30);
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x45, 30, 98), 30);
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x45, 20, 98), 20);
    assert_int_equal(open_inner(ESP_NEXT_IPV6, 0x60, 0, 98), 40);
    assert_int_equal(open_inner(ESP_NEXT_IPV6, 0x6f, 10, 98), 50);
    assert_int_equal(open_inner(ESP_NEXT_IPV6, 0x60, 58, 98), 98);
    /* A header that makes no sense is the IP layer's to refuse. */
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x45, 19, 98), 98);
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x45, 99, 98), 98);
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x65, 30, 98), 98);
    assert_int_equal(open_inner(ESP_NEXT_IPV6, 0x40, 10, 98), 98);
    assert_int_equal(open_inner(ESP_NEXT_IPV6, 0x60, 59, 98), 98);
    assert_int_equal(open_inner(ESP_NEXT_IPV6, 0x60, 0, 38), 38);
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0, 0, 2), 2);
    assert_int_equal(open_inner(ESP_NEXT_IPV4, 0x45, 2, 6), 6);
}

/* RFC 4303 3.1.2 */
static void tunnel_mode_refuses_what_is_not_ip(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    cfg.mode = ESP_MODE_TUNNEL;
    esp_sa *sa = test_sa(&cfg);
    for (unsigned next = 0; next < 256; next++) {
        uint8_t packet[TEST_ROOM];
        const uint8_t plain[4] = {0x45, 1, 1, (uint8_t)next};
        const size_t len = craft(&cfg, next + 1, plain, sizeof(plain), packet);
        if (next == ESP_NEXT_IPV4 || next == ESP_NEXT_IPV6)
            assert_opens(sa, packet, len);
        else if (next != ESP_NEXT_NONE)
            assert_int_equal(open_bad(sa, packet, len), ESP_ERR_NEXT_HEADER);
    }
    assert_true(test_counters(sa).next_header == 253);
    esp_sa_free(sa);
}

/* With ESN a forger cannot push the window ahead by guessing a high half. */
static void a_wrong_high_half_fails_authentication(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES256_GCM16);
    cfg.esn = 1;
    cfg.last_sequence = (UINT64_C(7) << 32) + 5000;
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM];
    for (uint64_t high = 0; high < 16; high++) {
        const size_t len = craft_numbered(&cfg, high << 32 | 6000, packet);
        if (high == 7)
            assert_opens(sa, packet, len);
        else
            assert_int_equal(open_bad(sa, packet, len), high < 7 ? ESP_ERR_AUTH : ESP_ERR_REPLAY);
    }
    esp_sa_free(sa);

    /* ESN and plain numbers differ in what is authenticated (RFC 4106 5). */
    cfg.last_sequence = 0;
    sa = test_sa(&cfg);
    cfg.esn = 0;
    const size_t len = craft_numbered(&cfg, 1, packet);
    assert_int_equal(open_bad(sa, packet, len), ESP_ERR_AUTH);
    esp_sa_free(sa);
}

static void random_bytes_never_open(void **state)
{
    (void)state;
    prng rng = {77};
    for (size_t k = 0; k < TEST_SUITES; k++) {
        esp_sa_config cfg = test_config_of(ESP_DIRECTION_IN, &test_suites[k]);
        esp_sa *sa = test_sa(&cfg);
        for (int i = 0; i < 3000; i++) {
            uint8_t packet[128];
            const size_t len = prng_below(&rng, sizeof(packet));
            prng_bytes(&rng, packet, len);
            if (len >= 4 && i % 2) /* past the SPI */
                memcpy(packet, (const uint8_t[]){0, 0, 0x10, 0}, 4);
            (void)open_bad(sa, packet, len);
        }
        esp_sa_free(sa);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_any_bit_is_found_and_the_window_stays),
        cmocka_unit_test(a_truncated_packet_is_never_accepted),
        cmocka_unit_test(an_authentic_packet_out_of_alignment_is_dropped),
        cmocka_unit_test(a_pad_length_beyond_the_payload_is_dropped),
        cmocka_unit_test(padding_that_does_not_count_from_one_is_dropped),
        cmocka_unit_test(a_dummy_packet_is_dropped_and_its_number_is_spent),
        cmocka_unit_test(a_dummy_packet_may_have_any_padding),
        cmocka_unit_test(traffic_flow_padding_is_cut_off_in_tunnel_mode),
        cmocka_unit_test(tunnel_mode_refuses_what_is_not_ip),
        cmocka_unit_test(a_wrong_high_half_fails_authentication),
        cmocka_unit_test(random_bytes_never_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
