/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures and certificates by themselves: AUTH values of an independent oracle, keys, names.
 */
#include "credentials.h"
#include "libikev2/engine.h"

#include <string.h>

enum { OCTETS = 768 };

static uint8_t octets[OCTETS];
static const ikev2_der signed_octets = {octets, OCTETS};

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < OCTETS; i++)
        octets[i] = (uint8_t)i;
    credentials_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    credentials_close();
    return 0;
}

/* RFC 7427 3, A; RFC 8420; RFC 4754 7. CVE-2018-6459, 2021-41990, 2012-2388, 2026-50722. */
static void signatures_of_an_independent_oracle_are_judged_as_it_says(void **state)
{
    (void)state;
    vectors *v = vectors_open("ikev2/vectors/signatures.txt");
    size_t good = 0, bad = 0;
    while (vectors_next(v)) {
        ikev2__public_key key;
        size_t len, spki_len;
        const uint8_t *spki = vectors_hex(v, "spki", &spki_len);
        const uint8_t *auth = vectors_hex(v, "auth", &len);
        const bool ok = vectors_number(v, "ok") == 1;
        const ikev2_tagged tagged = {
            .tag = (uint16_t)vectors_number(v, "method"), .bytes = auth, .len = len};
        assert_true(ikev2__public_key_read(spki, spki_len, &key));
        const uint16_t reason = ikev2__auth_verify(&tagged, &key, &signed_octets);
        if ((reason == 0) != ok)
            fail_msg("%s: reason %u", vectors_text(v, "name"), reason);
        if (ok)
            good++;
        else
            bad++;
    }
    vectors_close(v);
    assert_int_equal(good, 28);
    assert_int_equal(bad, 30);
}

static void a_signature_with_any_bit_changed_is_refused(void **state)
{
    (void)state;
    vectors *v = vectors_open("ikev2/vectors/signatures.txt");
    while (vectors_next(v)) {
        ikev2__public_key key;
        uint8_t changed[600];
        size_t len, spki_len;
        const uint8_t *spki = vectors_hex(v, "spki", &spki_len);
        const uint8_t *auth = vectors_hex(v, "auth", &len);
        if (vectors_number(v, "ok") != 1)
            continue;
        const ikev2_tagged tagged = {
            .tag = (uint16_t)vectors_number(v, "method"), .bytes = changed, .len = len};
        assert_true(len <= sizeof(changed));
        assert_true(ikev2__public_key_read(spki, spki_len, &key));
        for (size_t at = 0; at < len; at += len / 24) {
            memcpy(changed, auth, len);
            changed[at] ^= (uint8_t)(1u << at % 8);
            assert_int_not_equal(ikev2__auth_verify(&tagged, &key, &signed_octets), 0);
        }
        for (size_t n = 0; n < len; n += 1 + len / 24) {
            const ikev2_tagged cut = {.tag = tagged.tag, .bytes = auth, .len = n};
            assert_int_not_equal(ikev2__auth_verify(&cut, &key, &signed_octets), 0);
        }
    }
    vectors_close(v);
}

static void each_key_signs_by_each_scheme_that_fits_it(void **state)
{
    (void)state;
    static const struct {
        const char *cert, *key;
        uint16_t first, last;
    } cases[] = {
        {"a_rsa", "a_rsa_key", IKEV2_SIGNATURE_RSA_PSS_SHA2_256,
         IKEV2_SIGNATURE_RSA_PKCS1_SHA2_512},
        {"a_p256", "a_p256_key", IKEV2_SIGNATURE_ECDSA_SHA2_256, IKEV2_SIGNATURE_ECDSA_SHA2_512},
        {"a_p384", "a_p384_key", IKEV2_SIGNATURE_ECDSA_SHA2_256, IKEV2_SIGNATURE_ECDSA_SHA2_512},
        {"a_p521", "a_p521_key", IKEV2_SIGNATURE_ECDSA_SHA2_256, IKEV2_SIGNATURE_ECDSA_SHA2_512},
        {"a_ed25519", "a_ed25519_key", IKEV2_SIGNATURE_ED25519, IKEV2_SIGNATURE_ED25519},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ikev2_der cert = credentials_get(cases[i].cert);
        const ikev2_der key = credentials_get(cases[i].key);
        ikev2__public_key pub;
        assert_int_equal(ikev2__cert_key(&cert, &pub), 0);
        assert_true(ikev2__keys_match(&pub, &key));
        for (uint16_t s = 0; s <= IKEV2_SIGNATURE_ED25519 + 1; s++) {
            uint8_t signature[IKEV2__MAX_SIGNATURE];
            size_t len = 0;
            const bool fits = s >= cases[i].first && s <= cases[i].last;
            assert_int_equal(ikev2__sign(s, &key, &signed_octets, signature, &len), fits);
            if (!fits)
                continue;
            assert_true(ikev2__signature_ok(s, &pub, &signed_octets, signature, len));
            for (uint16_t other = 1; other <= IKEV2_SIGNATURE_ED25519; other++)
                if (other != s)
                    assert_false(ikev2__signature_ok(other, &pub, &signed_octets, signature, len));
        }
    }
}

/* RFC 7427 4 */
static void the_scheme_is_one_that_the_peer_can_verify(void **state)
{
    (void)state;
    const uint8_t all = 0x3c;
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_RSA, all, false),
                     IKEV2_SIGNATURE_RSA_PSS_SHA2_256);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_RSA, all, true),
                     IKEV2_SIGNATURE_RSA_PKCS1_SHA2_256);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_RSA, 1u << IKEV2__HASH_SHA2_512, true),
                     IKEV2_SIGNATURE_RSA_PKCS1_SHA2_512);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_P384, all, false),
                     IKEV2_SIGNATURE_ECDSA_SHA2_384);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_P521, all, false),
                     IKEV2_SIGNATURE_ECDSA_SHA2_512);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_P521, 1u << IKEV2__HASH_SHA2_256, false),
                     IKEV2_SIGNATURE_ECDSA_SHA2_256);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_ED25519, all, false), IKEV2_SIGNATURE_ED25519);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_ED25519, 0x1c, false), 0);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_RSA, 1u << IKEV2__HASH_IDENTITY, false), 0);
    assert_int_equal(ikev2__scheme_choose(IKEV2__KEY_NONE, all, false), 0);
}

/* CVE-2026-14957, 2018-16151, 2017-11185, 2026-50722 */
static void weak_and_degenerate_keys_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"bad_rsa1024", "bad_rsa_e3", "bad_curve", "bad_usage"};
    static const uint8_t exponent[] = {0x02, 0x03, 0x01, 0x00, 0x01};
    static const uint8_t exponents[][3] = {
        {0x01, 0x00, 0x00}, {0x00, 0x00, 0x00}, {0x00, 0x00, 0x01}, {0x00, 0x00, 0x03}};
    ikev2__public_key key;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const ikev2_der cert = credentials_get(names[i]);
        assert_int_equal(ikev2__cert_key(&cert, &key), IKEV2_REASON_CERT_KEY);
    }
    /* Exponents that are even, zero, one and three; a modulus that is even. */
    const ikev2_der good = credentials_get("a_rsa");
    uint8_t bytes[4096];
    memcpy(bytes, good.bytes, good.len);
    const ikev2_der changed = {bytes, good.len};
    uint8_t *at = NULL;
    for (size_t i = 0; i + sizeof(exponent) <= good.len; i++)
        if (memcmp(bytes + i, exponent, sizeof(exponent)) == 0)
            at = bytes + i + 2;
    assert_non_null(at);
    for (size_t i = 0; i < 4; i++) {
        memcpy(at, exponents[i], 3);
        assert_int_not_equal(ikev2__cert_key(&changed, &key), 0);
    }
    memcpy(at, exponent + 2, 3);
    assert_int_equal(ikev2__cert_key(&changed, &key), 0);
    at[-3] ^= 1;
    assert_int_equal(ikev2__cert_key(&changed, &key), IKEV2_REASON_CERT_KEY);
}

/* CVE-2020-16088: comparing keys of two types is an error, not equality. */
static void keys_of_two_types_are_not_equal(void **state)
{
    (void)state;
    static const char *const names[] = {"a_rsa",  "b_rsa",  "a_p256",    "b_p256",
                                        "a_p384", "a_p521", "a_ed25519", "b_ed25519"};
    enum { COUNT = 8 };
    ikev2__public_key keys[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        const ikev2_der cert = credentials_get(names[i]);
        assert_int_equal(ikev2__cert_key(&cert, &keys[i]), 0);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < COUNT; k++)
            assert_int_equal(ikev2__public_keys_equal(&keys[i], &keys[k]), i == k);
    const ikev2_der other = credentials_get("a_p256_key");
    assert_false(ikev2__keys_match(&keys[0], &other));
}

/* RFC 4945 3.1; CVE-2022-4967 */
static void an_identity_must_be_in_the_certificate_under_its_own_type(void **state)
{
    (void)state;
    static const uint8_t v4[] = {10, 0, 0, 1};
    static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    static const struct {
        const char *text;
        uint8_t type;
        bool matches;
    } names[] = {
        {"A.Test", IKEV2_ID_FQDN, true},        {"a.test", IKEV2_ID_FQDN, true},
        {"b.test", IKEV2_ID_FQDN, false},       {"a.tes", IKEV2_ID_FQDN, false},
        {"a.test.", IKEV2_ID_FQDN, false},      {"*.test", IKEV2_ID_FQDN, false},
        {"a@test", IKEV2_ID_RFC822_ADDR, true}, {"b@test", IKEV2_ID_RFC822_ADDR, false},
        {"a@test", IKEV2_ID_FQDN, false},       {"A.Test", IKEV2_ID_RFC822_ADDR, false},
        {"A.Test", IKEV2_ID_KEY_ID, false},     {"A.Test", IKEV2_ID_DER_ASN1_DN, false},
    };
    const ikev2_der cert = credentials_get("names");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ikev2_identity id = pair_fqdn(names[i].text);
        id.type = names[i].type;
        assert_int_equal(ikev2__cert_identity(&cert, &id),
                         names[i].matches ? 0 : IKEV2_REASON_CERT_IDENTITY);
    }
    const ikev2_der subject = credentials_get("names_subject");
    const ikev2_identity dn = {
        .bytes = subject.bytes, .len = subject.len, .type = IKEV2_ID_DER_ASN1_DN};
    const ikev2_identity cut = {
        .bytes = subject.bytes, .len = subject.len - 1, .type = IKEV2_ID_DER_ASN1_DN};
    const ikev2_identity four = {.bytes = v4, .len = 4, .type = IKEV2_ID_IPV4_ADDR};
    const ikev2_identity six = {.bytes = v6, .len = 16, .type = IKEV2_ID_IPV6_ADDR};
    const ikev2_identity nul = {
        .bytes = (const uint8_t *)"a.test\0", .len = 7, .type = IKEV2_ID_FQDN};
    assert_int_equal(ikev2__cert_identity(&cert, &dn), 0);
    assert_int_equal(ikev2__cert_identity(&cert, &cut), IKEV2_REASON_CERT_IDENTITY);
    assert_int_equal(ikev2__cert_identity(&cert, &four), 0);
    assert_int_equal(ikev2__cert_identity(&cert, &six), 0);
    assert_int_equal(ikev2__cert_identity(&cert, &nul), IKEV2_REASON_CERT_IDENTITY);
    const ikev2_der nameless = credentials_get("bad_no_name");
    const ikev2_identity common = pair_fqdn("a.test");
    assert_int_equal(ikev2__cert_identity(&nameless, &common), IKEV2_REASON_CERT_IDENTITY);
}

static uint16_t chain(const char *leaf, const char *ca, const char *crl, uint64_t unix_time_s)
{
    const ikev2_der certs[] = {credentials_get(leaf), credentials_get(ca ? ca : "ec_root")};
    const ikev2_der anchors[] = {credentials_get("ec_root"), credentials_get("rsa_root")};
    const ikev2_der crls[] = {credentials_get(crl ? crl : "ec_crl")};
    const ikev2_verdict trust = {.unix_time_s = unix_time_s,
                                 .anchors = anchors,
                                 .anchor_count = 2,
                                 .crls = crls,
                                 .crl_count = crl ? 1 : 0};
    uint32_t detail;
    return ikev2__chain_check(certs, ca ? 2 : 1, &trust, &detail);
}

/* RFC 5280 6 */
static void a_chain_is_refused_for_the_reason_that_it_has(void **state)
{
    (void)state;
    static const struct {
        const char *leaf, *ca, *crl;
        uint16_t reason;
    } cases[] = {
        {"a_p256", NULL, NULL, 0},
        {"a_ed25519", NULL, "ec_crl", 0},
        {"a_rsa", "rsa_intermediate", NULL, 0},
        {"a_rsa", NULL, NULL, IKEV2_REASON_CERT_UNTRUSTED},
        {"bad_expired", NULL, NULL, IKEV2_REASON_CERT_TIME},
        {"bad_not_yet", NULL, NULL, IKEV2_REASON_CERT_TIME},
        {"bad_self_signed", NULL, NULL, IKEV2_REASON_CERT_UNTRUSTED},
        {"bad_revoked", NULL, NULL, 0},
        {"bad_revoked", NULL, "ec_crl", IKEV2_REASON_CERT_REVOKED},
        {"a_p256", NULL, "ec_crl_old", IKEV2_REASON_CERT_CRL},
        {"a_p256", NULL, "rsa_crl", IKEV2_REASON_CERT_CRL},
        {"a_rsa", "rsa_intermediate", "rsa_crl", IKEV2_REASON_CERT_CRL},
        {"bad_under_leaf", "bad_ca_leaf", NULL, IKEV2_REASON_CERT_CHAIN},
        {"bad_excluded", "bad_ca_narrow", NULL, IKEV2_REASON_CERT_CHAIN},
        {"bad_under_sha1", "bad_ca_sha1", NULL, IKEV2_REASON_CERT_KEY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint16_t reason = chain(cases[i].leaf, cases[i].ca, cases[i].crl, TEST_UNIX_TIME_S);
        if (reason != cases[i].reason)
            fail_msg("%s: %u", cases[i].leaf, reason);
    }
    assert_int_equal(chain("a_p256", NULL, NULL, 1), IKEV2_REASON_CERT_TIME);
}

static void no_prefix_of_a_certificate_and_nothing_behind_it_is_one(void **state)
{
    (void)state;
    const ikev2_der good = credentials_get("a_p256");
    uint8_t bytes[2048];
    memcpy(bytes, good.bytes, good.len);
    bytes[good.len] = 0;
    ikev2__public_key key;
    for (size_t len = 0; len <= good.len + 1; len++) {
        const ikev2_der cut = {bytes, len};
        assert_int_equal(ikev2__cert_key(&cut, &key),
                         len == good.len ? 0 : IKEV2_REASON_CERT_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_an_independent_oracle_are_judged_as_it_says),
        cmocka_unit_test(a_signature_with_any_bit_changed_is_refused),
        cmocka_unit_test(each_key_signs_by_each_scheme_that_fits_it),
        cmocka_unit_test(the_scheme_is_one_that_the_peer_can_verify),
        cmocka_unit_test(weak_and_degenerate_keys_are_refused),
        cmocka_unit_test(keys_of_two_types_are_not_equal),
        cmocka_unit_test(an_identity_must_be_in_the_certificate_under_its_own_type),
        cmocka_unit_test(a_chain_is_refused_for_the_reason_that_it_has),
        cmocka_unit_test(no_prefix_of_a_certificate_and_nothing_behind_it_is_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
