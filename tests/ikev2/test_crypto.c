/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key exchange, key derivation, AUTH values and encrypted payloads against foreign vectors.
 */
#include "harness.h"
#include "libikev2/engine.h"

#include <string.h>

static ikev2_engine *make_engine(void)
{
    ikev2_config cfg;
    ikev2_engine *e;
    assert_int_equal(ikev2_config_init(&cfg), IKEV2_OK);
    cfg.seed[0] = 7;
    assert_int_equal(ikev2_engine_new(&cfg, 0, &e), IKEV2_OK);
    return e;
}

static ikev2__part field(vectors *v, const char *name)
{
    ikev2__part p;
    p.bytes = vectors_hex(v, name, &p.len);
    return p;
}

static void check(const uint8_t *got, ikev2__part expected)
{
    assert_bytes(got, expected.len, expected.bytes, expected.len);
}

static void exchange_vectors(const char *path)
{
    ikev2_engine *e = make_engine();
    vectors *v = vectors_open(path);
    size_t count = 0;
    for (; vectors_next(v); count++) {
        const uint16_t group = (uint16_t)vectors_number(v, "group");
        const ikev2__part secret = field(v, "secret");
        for (int side = 0; side < 2; side++) {
            const ikev2__part mine = field(v, side == 0 ? "priv_i" : "priv_r");
            const ikev2__part peer = field(v, side == 0 ? "pub_r" : "pub_i");
            uint8_t priv[IKEV2__MAX_PRIVATE] = {0};
            uint8_t out[IKEV2__MAX_PUBLIC];
            memcpy(priv, mine.bytes, mine.len);
            assert_int_equal(peer.len, ikev2__group_public_bytes(group));
            assert_int_equal(secret.len, ikev2__group_secret_bytes(group));
            assert_int_equal(ikev2__dh_shared(e->crypto, group, priv, peer.bytes, peer.len, out),
                             IKEV2_OK);
            check(out, secret);
        }
    }
    assert_true(count > 0);
    vectors_close(v);
    ikev2_engine_free(e);
}

/* RFC 5903 8 */
static void nist_curves_agree_with_rfc_5903(void **state)
{
    (void)state;
    exchange_vectors("ikev2/vectors/rfc5903.txt");
}

/* RFC 7748 6.1 */
static void x25519_agrees_with_rfc_7748(void **state)
{
    (void)state;
    exchange_vectors("ikev2/vectors/rfc7748.txt");
}

static const uint16_t all_groups[] = {14, 15, 16, 19, 20, 21, 31};

static void both_sides_of_every_group_come_to_the_same_secret(void **state)
{
    (void)state;
    ikev2_engine *e = make_engine();
    for (size_t i = 0; i < sizeof(all_groups) / sizeof(all_groups[0]); i++) {
        const uint16_t g = all_groups[i];
        const size_t n = ikev2__group_public_bytes(g);
        uint8_t priv[2][IKEV2__MAX_PRIVATE] = {{0}};
        uint8_t pub[2][IKEV2__MAX_PUBLIC];
        uint8_t secret[2][IKEV2__MAX_PUBLIC];
        for (int k = 0; k < 2; k++)
            assert_true(ikev2__dh_generate(e->crypto, g, &e->random, priv[k], pub[k]));
        for (int k = 0; k < 2; k++)
            assert_int_equal(ikev2__dh_shared(e->crypto, g, priv[k], pub[1 - k], n, secret[k]),
                             IKEV2_OK);
        assert_memory_equal(secret[0], secret[1], ikev2__group_secret_bytes(g));
        assert_memory_not_equal(pub[0], pub[1], n);
    }
    ikev2_engine_free(e);
}

/* RFC 3526 3, less 1. */
static const char modp_2048_less_1[] =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
    "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
    "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
    "3995497cea956ae515d2261898fa051015728e5a8aacaa68fffffffffffffffe";

/* RFC 6989 2; bad-input: CVE-2015-3240, CVE-2023-41913 */
static void public_values_that_are_no_element_of_the_group_are_refused(void **state)
{
    (void)state;
    ikev2_engine *e = make_engine();
    for (size_t i = 0; i < sizeof(all_groups) / sizeof(all_groups[0]); i++) {
        const uint16_t g = all_groups[i];
        const size_t n = ikev2__group_public_bytes(g);
        uint8_t priv[IKEV2__MAX_PRIVATE] = {0};
        uint8_t pub[IKEV2__MAX_PUBLIC + 1] = {0};
        uint8_t secret[IKEV2__MAX_PUBLIC];
        assert_true(ikev2__dh_generate(e->crypto, g, &e->random, priv, pub));
        const size_t lengths[] = {0, 1, n - 1, n + 1};
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(ikev2__dh_shared(e->crypto, g, priv, pub, lengths[k], secret),
                             IKEV2_ERR_KEY);
        memset(pub, 0, n); /* 0 */
        assert_int_equal(ikev2__dh_shared(e->crypto, g, priv, pub, n, secret), IKEV2_ERR_KEY);
        if (g != IKEV2_GROUP_X25519) {
            memset(pub, 0xff, n); /* above the prime */
            assert_int_equal(ikev2__dh_shared(e->crypto, g, priv, pub, n, secret), IKEV2_ERR_KEY);
            memset(pub, 0, n);
            pub[n - 1] = 1; /* 1, or a point that is not on the curve */
            assert_int_equal(ikev2__dh_shared(e->crypto, g, priv, pub, n, secret), IKEV2_ERR_KEY);
        }
        if (g == IKEV2_GROUP_MODP_2048) {
            /* RFC 3526 3: p - 1, of order two. */
            assert_int_equal(hex_bytes(modp_2048_less_1, pub, n), n);
            assert_int_equal(ikev2__dh_shared(e->crypto, g, priv, pub, n, secret), IKEV2_ERR_KEY);
        }
    }
    ikev2_engine_free(e);
}

/* Fills a made-up SA of the record's suite. */
static void suite_of(vectors *v, ikev2_engine *e, ikev2__sa *sa)
{
    memset(sa, 0, sizeof(*sa));
    sa->e = e;
    sa->suite.encr = (uint16_t)vectors_number(v, "encr");
    sa->suite.key_bits = (uint16_t)vectors_number(v, "key_bits");
    sa->suite.integ = (uint16_t)vectors_number(v, "integ");
    sa->suite.prf = (uint16_t)vectors_number(v, "prf");
    sa->suite.group = (uint16_t)vectors_number(v, "group");
    wire_reader r = wire_reader_make(field(v, "spi_i").bytes, 8);
    sa->spi_i = wire_get_u64(&r);
    r = wire_reader_make(field(v, "spi_r").bytes, 8);
    sa->spi_r = wire_get_u64(&r);
}

/* RFC 7296 2.13, 2.14, 2.15, 2.17, 2.18 */
static void keys_and_auth_values_agree_with_an_independent_derivation(void **state)
{
    (void)state;
    ikev2_engine *e = make_engine();
    vectors *v = vectors_open("ikev2/vectors/keys.txt");
    size_t count = 0;
    for (; vectors_next(v); count++) {
        ikev2__sa sa;
        ikev2__sa old;
        ikev2__handshake hs = {0};
        ikev2__child child = {0};
        suite_of(v, e, &sa);
        suite_of(v, e, &old);
        const ikev2__part old_d = field(v, "old_d");
        const ikev2__part ni = field(v, "ni");
        const ikev2__part nr = field(v, "nr");
        const ikev2__part secret = field(v, "secret");
        memcpy(old.keys.d, old_d.bytes, old_d.len);
        assert_int_equal(ikev2__derive_ike(&sa, &ni, &nr, secret.bytes,
                                           vectors_number(v, "rekey") ? &old : NULL),
                         IKEV2_OK);
        check(sa.keys.d, field(v, "sk_d"));
        if (sa.suite.integ) {
            check(sa.keys.ai, field(v, "sk_ai"));
            check(sa.keys.ar, field(v, "sk_ar"));
        }
        check(sa.keys.ei, field(v, "sk_ei"));
        check(sa.keys.er, field(v, "sk_er"));
        check(sa.keys.pi, field(v, "sk_pi"));
        check(sa.keys.pr, field(v, "sk_pr"));

        const ikev2__part request = field(v, "request");
        const ikev2__part response = field(v, "response");
        const ikev2__part psk = field(v, "psk");
        const ikev2__part name = field(v, "id");
        const ikev2_identity id = {.bytes = name.bytes, .len = name.len, .type = IKEV2_ID_FQDN};
        uint8_t auth[IKEV2__MAX_PRF_BYTES];
        hs.init_request = (ikev2__bytes){(uint8_t *)(uintptr_t)request.bytes, request.len};
        hs.init_response = (ikev2__bytes){(uint8_t *)(uintptr_t)response.bytes, response.len};
        memcpy(hs.ni, ni.bytes, ni.len);
        hs.ni_len = ni.len;
        memcpy(hs.nr, nr.bytes, nr.len);
        hs.nr_len = nr.len;
        sa.hs = &hs;
        assert_true(ikev2__auth_value(&sa, true, psk.bytes, psk.len, &id, auth));
        check(auth, field(v, "auth_i"));
        assert_true(ikev2__auth_value(&sa, false, psk.bytes, psk.len, &id, auth));
        check(auth, field(v, "auth_r"));

        child.suite = sa.suite;
        assert_int_equal(ikev2__derive_child(&sa, &child, true, &secret, &ni, &nr), IKEV2_OK);
        check(child.key_out, field(v, "child_key_i"));
        check(child.key_in, field(v, "child_key_r"));
        if (sa.suite.integ) {
            check(child.integ_out, field(v, "child_integ_i"));
            check(child.integ_in, field(v, "child_integ_r"));
        }
        assert_int_equal(ikev2__derive_child(&sa, &child, false, &secret, &ni, &nr), IKEV2_OK);
        check(child.key_in, field(v, "child_key_i"));
    }
    assert_int_equal(count, 12);
    vectors_close(v);
    ikev2_engine_free(e);
}

/* Opens a message as the responder would. */
static ikev2_rc open_message(ikev2__sa *sa, const uint8_t *message, size_t len,
                             const uint8_t **plain, size_t *plain_len, uint8_t *first)
{
    ikev2_header h;
    uint64_t hash;
    assert_int_equal(ikev2_header_decode(message, len, &h), IKEV2_OK);
    return ikev2__unprotect(sa, &h, message, len, plain, plain_len, first, &hash);
}

static void messages_that_another_sealed_are_opened_and_no_bit_may_change(void **state)
{
    (void)state;
    ikev2_engine *e = make_engine();
    vectors *v = vectors_open("ikev2/vectors/messages.txt");
    size_t count = 0;
    for (; vectors_next(v); count++) {
        ikev2__sa sa;
        const uint8_t *plain;
        size_t plain_len;
        uint8_t first;
        uint8_t copy[512];
        suite_of(v, e, &sa);
        for (int i = 0; i < IKEV2__T_COUNT; i++)
            sa.deadlines[i] = IKEV2_NEVER;
        const ikev2__part key = field(v, "key");
        const ikev2__part message = field(v, "message");
        memcpy(sa.keys.ei, key.bytes, key.len);
        if (sa.suite.integ) {
            const ikev2__part integ = field(v, "integ_key");
            memcpy(sa.keys.ai, integ.bytes, integ.len);
        }
        assert_true(
            ikev2__cipher_get(sa.suite.encr, sa.suite.key_bits, sa.suite.integ, &sa.cipher));
        assert_int_equal(open_message(&sa, message.bytes, message.len, &plain, &plain_len, &first),
                         IKEV2_YES);
        const ikev2__part text = field(v, "text");
        assert_bytes(plain, plain_len, text.bytes, text.len);
        assert_int_equal(first, IKEV2_PAYLOAD_NOTIFY);
        for (size_t bit = 0; bit < message.len * 8; bit++) {
            ikev2_header h;
            uint64_t hash;
            memcpy(copy, message.bytes, message.len);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (ikev2_header_decode(copy, message.len, &h) == IKEV2_OK)
                assert_true(ikev2__unprotect(&sa, &h, copy, message.len, &plain, &plain_len, &first,
                                             &hash) < 0);
        }
    }
    assert_int_equal(count, 6);
    vectors_close(v);
    ikev2_engine_free(e);
}

/* RFC 7634 Appendix B; its flags of 0 say that the message is a responder's request. */
static void the_example_of_rfc_7634_is_opened(void **state)
{
    (void)state;
    uint8_t message[128];
    const size_t len = hex_bytes("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"
                                 "2e20250000000009000000452900002910111213141516176103"
                                 "94701f8d017f7c12924889"
                                 "6b71bfe25236efd7cdc6706690"
                                 "6315b2",
                                 message, sizeof(message));
    static const uint8_t salt[] = {0xa0, 0xa1, 0xa2, 0xa3};
    ikev2_engine *e = make_engine();
    ikev2__sa sa = {.e = e, .initiator = true};
    const uint8_t *plain;
    size_t plain_len;
    uint8_t first;
    for (int i = 0; i < IKEV2__T_COUNT; i++)
        sa.deadlines[i] = IKEV2_NEVER;
    for (uint8_t i = 0; i < 32; i++)
        sa.keys.er[i] = (uint8_t)(0x80 + i);
    memcpy(sa.keys.er + 32, salt, sizeof(salt));
    assert_true(ikev2__cipher_get(IKEV2_ENCR_CHACHA20_POLY1305, 0, 0, &sa.cipher));
    assert_int_equal(open_message(&sa, message, len, &plain, &plain_len, &first), IKEV2_YES);
    assert_hex(plain, plain_len, "0000000c000040010000000a");
    assert_int_equal(first, IKEV2_PAYLOAD_NOTIFY);
    ikev2_engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist_curves_agree_with_rfc_5903),
        cmocka_unit_test(x25519_agrees_with_rfc_7748),
        cmocka_unit_test(both_sides_of_every_group_come_to_the_same_secret),
        cmocka_unit_test(public_values_that_are_no_element_of_the_group_are_refused),
        cmocka_unit_test(keys_and_auth_values_agree_with_an_independent_derivation),
        cmocka_unit_test(messages_that_another_sealed_are_opened_and_no_bit_may_change),
        cmocka_unit_test(the_example_of_rfc_7634_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
