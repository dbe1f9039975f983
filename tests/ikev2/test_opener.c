/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Messages opened with given keys, without an IKE SA.
 */
#include "harness.h"

#include <ikev2/ikev2.h>
#include <stdlib.h>
#include <string.h>

static ikev2_opener *make_opener(void)
{
    ikev2_opener *o = NULL;
    assert_int_equal(ikev2_opener_new(NULL, &o), IKEV2_OK);
    return o;
}

static void messages_that_another_sealed_are_opened_and_no_bit_may_change(void **state)
{
    (void)state;
    ikev2_opener *o = make_opener();
    vectors *v = vectors_open("ikev2/vectors/messages.txt");
    size_t count = 0;
    for (; vectors_next(v); count++) {
        uint8_t copy[512];
        size_t len;
        size_t text_len;
        ikev2_opened opened;
        ikev2_message_key key = {.encr = (uint16_t)vectors_number(v, "encr"),
                                 .integ = (uint16_t)vectors_number(v, "integ")};
        key.key = vectors_hex(v, "key", &key.key_len);
        if (key.integ)
            key.integ_key = vectors_hex(v, "integ_key", &key.integ_key_len);
        const uint8_t *message = vectors_hex(v, "message", &len);
        const uint8_t *text = vectors_hex(v, "text", &text_len);
        for (int twice = 0; twice < 2; twice++) {
            memcpy(copy, message, len);
            assert_int_equal(ikev2_opener_open(o, &key, copy, len, &opened), IKEV2_OK);
            assert_bytes(copy + opened.offset, opened.len, text, text_len);
            assert_int_equal(opened.first_payload, IKEV2_PAYLOAD_NOTIFY);
            assert_int_equal(opened.number, 0);
        }
        for (size_t bit = 0; bit < len * 8; bit++) {
            memcpy(copy, message, len);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(ikev2_opener_open(o, &key, copy, len, &opened) < 0);
        }
        for (size_t cut = 1; cut < len; cut++) {
            uint8_t *exact = malloc(cut);
            assert_non_null(exact);
            memcpy(exact, message, cut);
            assert_true(ikev2_opener_open(o, &key, exact, cut, &opened) < 0);
            free(exact);
        }
    }
    assert_int_equal(count, 6);
    vectors_close(v);
    ikev2_opener_free(o);
}

/* Sealed by python3-cryptography: AES-128-GCM, key 40 41 ... 53, as RFC 7383 2.5 lays it out. */
static const char *const fragments[] = {
    "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d73520250800000005000000442900002800010002"
    "000000000000000186aed12eb4967c1d36829ee156fcc2a60a704cdcd9e6b35b",
    "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d73520250800000005000000420000002600020002"
    "0000000000000002b8fb150ad21f12df4f8a69f45614cb1c9fc52076be42",
};

static void fragment_key(uint8_t bytes[20], ikev2_message_key *key)
{
    for (uint8_t i = 0; i < 20; i++)
        bytes[i] = (uint8_t)(0x40 + i);
    *key = (ikev2_message_key){.key = bytes, .key_len = 20, .encr = IKEV2_ENCR_AES_GCM_16};
}

/* RFC 7383 2.5 */
static void fragments_are_opened_one_by_one(void **state)
{
    (void)state;
    ikev2_opener *o = make_opener();
    uint8_t bytes[20];
    uint8_t text[64];
    size_t text_len = 0;
    ikev2_message_key key;
    fragment_key(bytes, &key);
    for (uint16_t i = 0; i < 2; i++) {
        uint8_t message[128];
        ikev2_opened opened;
        const size_t len = hex_bytes(fragments[i], message, sizeof(message));
        assert_int_equal(ikev2_opener_open(o, &key, message, len, &opened), IKEV2_OK);
        assert_int_equal(opened.number, i + 1);
        assert_int_equal(opened.total, 2);
        assert_int_equal(opened.first_payload, i == 0 ? IKEV2_PAYLOAD_NOTIFY : 0);
        memcpy(text + text_len, message + opened.offset, opened.len);
        text_len += opened.len;
    }
    assert_hex(text, text_len, "0000000c000040010000000a");
    ikev2_opener_free(o);
}

/*
 * RFC 7296 3.14: the pad length is within the text. Sealed as above, with IV 3, under a header of
 * INFORMATIONAL: a text of 1 octet, and of 4, whose padding would be as long as all of it.
 */
static void padding_longer_than_the_text_is_refused(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e20250800000006000000392900001d"
        "0000000000000003ace503e938c057b3933f33f26a6d1bd508",
        "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202508000000060000003c29000020"
        "0000000000000003ad4db75450616421e0672982cf5a9fe16fca85fa",
    };
    ikev2_opener *o = make_opener();
    uint8_t bytes[20];
    ikev2_message_key key;
    fragment_key(bytes, &key);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        uint8_t message[128];
        ikev2_opened opened = {.len = 77};
        const size_t len = hex_bytes(messages[i], message, sizeof(message));
        assert_int_equal(ikev2_opener_open(o, &key, message, len, &opened), IKEV2_ERR_LENGTH);
        assert_int_equal(opened.len, 77);
    }
    ikev2_opener_free(o);
}

static void what_cannot_be_opened_is_told_why(void **state)
{
    (void)state;
    ikev2_opener *o = make_opener();
    uint8_t bytes[64];
    uint8_t message[128];
    uint8_t copy[128];
    ikev2_opened opened;
    ikev2_message_key key;
    fragment_key(bytes, &key);
    const size_t len = hex_bytes(fragments[0], message, sizeof(message));

    ikev2_message_key other = key;
    uint8_t wrong[20] = {0};
    other.key = wrong;
    memcpy(copy, message, len);
    assert_int_equal(ikev2_opener_open(o, &other, copy, len, &opened), IKEV2_ERR_INTEGRITY);

    memcpy(copy, message, len);
    copy[33] = 0; /* fragment number 0: RFC 7383 2.5 */
    assert_int_equal(ikev2_opener_open(o, &key, copy, len, &opened), IKEV2_ERR_FRAGMENT);
    memcpy(copy, message, len);
    copy[16] = 0; /* no payloads at all, but bytes that would be some */
    assert_int_equal(ikev2_opener_open(o, &key, copy, len, &opened), IKEV2_ERR_LENGTH);
    memcpy(copy, message, 28);
    copy[16] = 0;
    copy[27] = 28;
    assert_int_equal(ikev2_opener_open(o, &key, copy, 28, &opened), IKEV2_ERR_PAYLOADS);
    memcpy(copy, message, len);
    copy[17] = 0x10; /* IKEv1 */
    assert_int_equal(ikev2_opener_open(o, &key, copy, len, &opened), IKEV2_ERR_VERSION);
    assert_int_equal(ikev2_opener_open(o, &key, copy, 27, &opened), IKEV2_ERR_TRUNCATED);
    assert_int_equal(ikev2_opener_open(o, &key, copy, 0, &opened), IKEV2_ERR_TRUNCATED);
    assert_int_equal(ikev2_opener_open(o, &key, copy, IKEV2_OPENER_MAX + 1, &opened),
                     IKEV2_ERR_LIMIT);
    ikev2_opener_free(o);
}

static void every_null_and_every_key_of_a_wrong_length_is_refused(void **state)
{
    (void)state;
    ikev2_opener *o = make_opener();
    uint8_t bytes[64] = {0};
    uint8_t message[128];
    ikev2_opened opened;
    ikev2_message_key key;
    fragment_key(bytes, &key);
    const size_t len = hex_bytes(fragments[0], message, sizeof(message));
    assert_int_equal(ikev2_opener_new(NULL, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_opener_open(NULL, &key, message, len, &opened), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_opener_open(o, NULL, message, len, &opened), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_opener_open(o, &key, NULL, len, &opened), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_opener_open(o, &key, message, len, NULL), IKEV2_ERR_ARG);
    ikev2_opener_free(NULL);

    static const struct {
        uint16_t encr;
        uint16_t integ;
        size_t key_len;
        size_t integ_len;
    } bad[] = {
        {IKEV2_ENCR_AES_GCM_16, 0, 16, 0},
        {IKEV2_ENCR_AES_GCM_16, 0, 20, 32},
        {IKEV2_ENCR_AES_GCM_16, 0, 0, 0},
        {IKEV2_ENCR_CHACHA20_POLY1305, 0, 32, 0},
        {IKEV2_ENCR_AES_CBC, 0, 16, 0},
        {IKEV2_ENCR_AES_CBC, IKEV2_INTEG_HMAC_SHA2_256_128, 16, 31},
        {IKEV2_ENCR_AES_CBC, IKEV2_INTEG_HMAC_SHA2_256_128, 24, 32},
        {3, 0, 24, 0}, /* 3DES */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const ikev2_message_key k = {.key = bytes,
                                     .key_len = bad[i].key_len,
                                     .integ_key = bytes,
                                     .integ_key_len = bad[i].integ_len,
                                     .encr = bad[i].encr,
                                     .integ = bad[i].integ};
        assert_int_equal(ikev2_opener_open(o, &k, message, len, &opened), IKEV2_ERR_ARG);
    }
    const ikev2_message_key none = {.key_len = 20, .encr = IKEV2_ENCR_AES_GCM_16};
    assert_int_equal(ikev2_opener_open(o, &none, message, len, &opened), IKEV2_ERR_ARG);
    const ikev2_message_key half = {.key = bytes,
                                    .key_len = 16,
                                    .integ_key_len = 32,
                                    .encr = IKEV2_ENCR_AES_CBC,
                                    .integ = IKEV2_INTEG_HMAC_SHA2_256_128};
    assert_int_equal(ikev2_opener_open(o, &half, message, len, &opened), IKEV2_ERR_ARG);
    ikev2_opener_free(o);
}

static void make_and_free(fail_alloc *f, void *user)
{
    (void)user;
    const ikev2_allocator a = {fail_alloc_resize, f};
    ikev2_opener *o = NULL;
    const ikev2_rc rc = ikev2_opener_new(&a, &o);
    assert_true(rc == IKEV2_OK ? o != NULL : rc == IKEV2_ERR_NOMEM && o == NULL);
    ikev2_opener_free(o);
}

static void without_memory_no_opener_is_made(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(make_and_free, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_that_another_sealed_are_opened_and_no_bit_may_change),
        cmocka_unit_test(fragments_are_opened_one_by_one),
        cmocka_unit_test(padding_longer_than_the_text_is_refused),
        cmocka_unit_test(what_cannot_be_opened_is_told_why),
        cmocka_unit_test(every_null_and_every_key_of_a_wrong_length_is_refused),
        cmocka_unit_test(without_memory_no_opener_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
