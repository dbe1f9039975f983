/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, signatures and methods as a hostile peer may write them: each is refused for its
 * own reason, in both roles.
 */
#include "signers.h"

#include <string.h>

/* ---- Whatever a peer may write: node 0's IKE_AUTH message is made by hand. ---- */

enum { MAX_CERTS = 40, MAX_AUTH = 1200 };

typedef struct message {
    uint8_t method;
    uint8_t auth[MAX_AUTH];
    size_t auth_len;
    uint8_t encoding;
    ikev2_der certs[MAX_CERTS];
    size_t cert_count;
} message;

/* What node 0 would send: a good signature with the key, and the certificate. */
static message good_message(uint64_t ask, const char *cert, const char *key)
{
    message m = {.method = IKEV2_AUTH_DIGITAL_SIGNATURE,
                 .encoding = IKEV2_CERT_X509_SIGNATURE,
                 .certs = {credentials_get(cert)},
                 .cert_count = 1};
    ikev2_sign_question q = {.struct_size = sizeof(q)};
    const ikev2_der der = credentials_get(key);
    size_t len = 0;
    assert_int_equal(ikev2_engine_get_sign_question(p.n[0].e, ask, &q), IKEV2_OK);
    const ikev2_der octets = {q.octets, q.octets_len};
    const size_t n = ikev2__scheme_identifier(q.scheme, m.auth + 1);
    m.auth[0] = (uint8_t)n;
    assert_true(ikev2__sign(q.scheme, &der, &octets, m.auth + 1 + n, &len));
    m.auth_len = 1 + n + len;
    return m;
}

static void send_by_hand(const message *m)
{
    ikev2__sa *sa = signers_sa(0, p.n[0].profile ? IKEV2__STATE_ASKING : IKEV2__STATE_KEYED);
    const bool response = !sa->initiator;
    const ikev2_path path = {.local = p.n[1].addr, .peer = p.n[0].addr};
    ikev2__builder b = ikev2__sa_builder(sa);
    ikev2__flight flight;
    ikev2__put_id(&b, response ? IKEV2_PAYLOAD_IDR : IKEV2_PAYLOAD_IDI,
                  &sa->ctx->peer->pub.local_id);
    for (size_t i = 0; i < m->cert_count; i++) {
        ikev2__payload_begin(&b, IKEV2_PAYLOAD_CERT);
        wire_put_u8(&b.w, m->encoding);
        wire_put_bytes(&b.w, m->certs[i].bytes, m->certs[i].len);
        ikev2__payload_end(&b);
    }
    ikev2__put_auth(&b, m->method, m->auth, m->auth_len);
    if (!response) {
        ikev2__child *child = ikev2__child_new(sa, sa->ctx->peer->policy);
        ikev2__put_child_offer(&b, child, false, NULL, IKEV2_GROUP_NONE, NULL);
    }
    assert_int_equal(ikev2__protect(sa, IKEV2_EXCHANGE_IKE_AUTH, response, 1, &b, &flight),
                     IKEV2_OK);
    for (size_t at = 0; at < flight.len;) {
        const size_t len = (size_t)flight.bytes[at] << 8 | flight.bytes[at + 1];
        (void)ikev2_engine_input(p.n[1].e, p.now, &path, flight.bytes + at + 2, len);
        at += 2 + len;
    }
    ikev2__flight_free(p.n[0].e, &flight);
}

/* Node 1 judges the message that change makes of a good one; in both roles. */
static void assert_judged(void (*change)(message *m, int which), int which, const char *cert,
                          const char *key, uint16_t reason)
{
    for (int role = 0; role < 2; role++) {
        signers_begin_asking_to_sign(role);
        message m = good_message(signers_ask(0, IKEV2_EVENT_ASK_SIGN), cert, key);
        if (change)
            change(&m, which);
        send_by_hand(&m);
        pair_run(&p, 60000);
        if (reason)
            signers_assert_refused(1, reason);
        else
            assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_UP, 0), 1);
        pair_close(&p);
    }
}

static void a_message_by_hand_is_taken_where_nothing_is_wrong(void **state)
{
    (void)state;
    assert_judged(NULL, 0, "a_p256", "a_p256_key", 0);
}

static void set_method(message *m, int which)
{
    m->method = (uint8_t)which;
}

/* RFC 8247 3.1: RSA with SHA-1 is of the past, and told apart from what was never agreed to. */
static void rsa_with_sha1_is_refused_by_its_name(void **state)
{
    (void)state;
    assert_judged(set_method, IKEV2_AUTH_RSA_SHA1, "a_p256", "a_p256_key", IKEV2_REASON_SHA1);
}

/* CVE-2015-4047 */
static void methods_that_nobody_configured_are_refused(void **state)
{
    (void)state;
    static const int methods[] = {0, 2, 3, 8, 12, 13, 15, 201, 255};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        assert_judged(set_method, methods[i], "a_p256", "a_p256_key", IKEV2_REASON_AUTH_METHOD);
}

/* RFC 4754 7: r and s, out of their DER. */
static void make_raw(message *m, int which)
{
    uint8_t raw[64] = {0};
    const uint8_t *at = m->auth + 1 + m->auth[0] + 2;
    for (int i = 0; i < 2; i++) {
        const size_t len = at[1];
        const size_t skip = len > 32 ? len - 32 : 0;
        memcpy(raw + 32 * i + 32 - (len - skip), at + 2 + skip, len - skip);
        at += 2 + len;
    }
    memcpy(m->auth, raw, sizeof(raw));
    m->auth_len = sizeof(raw);
    m->method = (uint8_t)which;
}

static void the_methods_of_rfc_4754_are_taken_with_their_curve_alone(void **state)
{
    (void)state;
    assert_judged(make_raw, IKEV2_AUTH_ECDSA_256, "a_p256", "a_p256_key", 0);
    assert_judged(make_raw, IKEV2_AUTH_ECDSA_384, "a_p256", "a_p256_key", IKEV2_REASON_ALGORITHM);
    assert_judged(make_raw, IKEV2_AUTH_ECDSA_521, "a_p256", "a_p256_key", IKEV2_REASON_ALGORITHM);
}

static void change_algorithm(message *m, int which)
{
    static const uint8_t ed25519[] = {7, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
    if (which == 0)
        m->auth[m->auth[0]] = 1; /* ecdsa-with-SHA1's neighbour */
    if (which == 1)
        m->auth[0] = 255;
    if (which == 2)
        m->auth[0] = 0;
    if (which == 3)
        m->auth_len = 1;
    if (which == 4)
        memcpy(m->auth, ed25519, sizeof(ed25519));
    if (which == 5)
        m->auth_len = 0;
}

/* CVE-2018-6459: nothing is read out of an AlgorithmIdentifier, it is known or it is not. */
static void an_algorithm_that_is_not_on_the_list_is_refused(void **state)
{
    (void)state;
    for (int which = 0; which <= 5; which++)
        assert_judged(change_algorithm, which, "a_p256", "a_p256_key", IKEV2_REASON_ALGORITHM);
}

static void change_signature(message *m, int which)
{
    const size_t at = 1 + m->auth[0];
    if (which == 0)
        m->auth[m->auth_len - 1] ^= 1;
    if (which == 1)
        m->auth_len = at;
    if (which == 2)
        m->auth_len--;
    if (which == 3)
        memset(m->auth + at, 0, m->auth_len - at);
    if (which == 4)
        m->auth[m->auth_len++] = 0;
}

/* CVE-2013-2944, CVE-2012-2388, CVE-2023-26463: an error of the verifier is no yes. */
static void a_signature_that_was_tampered_with_is_refused(void **state)
{
    (void)state;
    for (int which = 0; which <= 4; which++)
        assert_judged(change_signature, which, "a_p256", "a_p256_key", IKEV2_REASON_AUTHENTICATION);
}

static void a_signature_by_another_key_is_refused(void **state)
{
    (void)state;
    assert_judged(NULL, 0, "a_p256", "b_p256_key", IKEV2_REASON_AUTHENTICATION);
    assert_judged(NULL, 0, "a_p384", "a_p256_key", IKEV2_REASON_AUTHENTICATION);
    assert_judged(NULL, 0, "a_ed25519", "a_p256_key", IKEV2_REASON_ALGORITHM);
    /* Its own key and certificate, but it says that it is somebody else. */
    assert_judged(NULL, 0, "b_p256", "b_p256_key", IKEV2_REASON_CERT_IDENTITY);
}

static void set_encoding(message *m, int which)
{
    m->encoding = (uint8_t)which;
}

/* CVE-2026-35329, CVE-2022-40617: no PKCS #7 is opened, no URL followed (RFC 7296 3.6). */
static void encodings_other_than_x509_are_refused(void **state)
{
    (void)state;
    static const int encodings[] = {0, 1, 2, 3, 7, 9, 11, 12, 13, 14, 15, 255};
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
        assert_judged(set_encoding, encodings[i], "a_p256", "a_p256_key",
                      IKEV2_REASON_CERT_ENCODING);
}

static void drop_certs(message *m, int which)
{
    m->cert_count = (size_t)which;
}

static void a_peer_without_a_certificate_is_refused(void **state)
{
    (void)state;
    assert_judged(drop_certs, 0, "a_p256", "a_p256_key", IKEV2_REASON_CERT_MISSING);
}

static void spoil_cert(message *m, int which)
{
    static uint8_t bytes[2048];
    const size_t len = m->certs[0].len;
    memcpy(bytes, m->certs[0].bytes, len);
    bytes[len] = 0;
    m->certs[0].bytes = bytes;
    if (which == 0)
        m->certs[0].len = 0;
    if (which == 1)
        m->certs[0].len = 1;
    if (which == 2)
        m->certs[0].len = len - 1;
    if (which == 3)
        m->certs[0].len = len + 1;
    if (which == 4)
        bytes[0] = 0x31;
    if (which == 5)
        memset(bytes, 0xff, len);
    if (which == 6) { /* behind a good one */
        m->certs[0] = credentials_get("a_p256");
        m->certs[1] = (ikev2_der){bytes, 20};
        m->cert_count = 2;
    }
}

/* CVE-2017-9023 */
static void a_certificate_that_is_none_is_refused(void **state)
{
    (void)state;
    for (int which = 0; which <= 6; which++)
        assert_judged(spoil_cert, which, "a_p256", "a_p256_key", IKEV2_REASON_CERT_SYNTAX);
}

/* CVE-2026-14957, CVE-2018-16151, CVE-2018-16152, CVE-2018-17540, CVE-2017-11185, CVE-2017-9022 */
static void a_certificate_with_a_bad_key_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"bad_rsa1024", "bad_rsa_e3", "bad_curve", "bad_usage"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_judged(NULL, 0, names[i], "a_p256_key", IKEV2_REASON_CERT_KEY);
}

static void many_certs(message *m, int which)
{
    for (size_t i = 1; i < (size_t)which; i++)
        m->certs[i] = m->certs[0];
    m->cert_count = (size_t)which;
}

/* CVE-2025-14733: so many, and no more. */
static void certificates_are_bounded_in_number(void **state)
{
    (void)state;
    assert_judged(many_certs, 8, "a_p256", "a_p256_key", 0);
    assert_judged(many_certs, 9, "a_p256", "a_p256_key", IKEV2_REASON_CERT_LIMIT);
    assert_judged(many_certs, 25, "a_p256", "a_p256_key", IKEV2_REASON_CERT_LIMIT);
}

/* A peer that sends no certificate, to a caller that may know its key all the same. */
static void a_key_without_a_certificate_is_for_the_caller_to_know(void **state)
{
    (void)state;
    static const struct {
        const char *known; /* NULL: anchors are answered */
        uint16_t reason;
    } cases[] = {{"a_p256", 0},
                 {"b_p256", IKEV2_REASON_AUTHENTICATION},
                 {"a_rsa", IKEV2_REASON_ALGORITHM},
                 {NULL, IKEV2_REASON_CERT_MISSING}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int role = 0; role < 2; role++) {
            ikev2_verdict verdict = {.struct_size = sizeof(verdict)};
            ikev2_cert_question q = {.struct_size = sizeof(q)};
            const ikev2_der anchor = credentials_get("ec_root");
            ikev2__public_key key;
            signers_prepare("p256", "p256");
            creds[0].pub.private_key = NULL;
            creds[0].pub.private_key_len = 0;
            creds[1].pub.anchor_count = 0;
            pair_open(&p, 7, &calm, cfg);
            (void)signers_initiate(role);
            signers_run_to_question(0, IKEV2_EVENT_ASK_SIGN);
            message m = good_message(signers_ask(0, IKEV2_EVENT_ASK_SIGN), "a_p256", "a_p256_key");
            m.cert_count = 0;
            send_by_hand(&m);
            signers_run_to_question(1, IKEV2_EVENT_ASK_CERT);
            const uint64_t ask = signers_ask(1, IKEV2_EVENT_ASK_CERT);
            assert_int_equal(ikev2_engine_get_cert_question(p.n[1].e, ask, &q), IKEV2_OK);
            assert_int_equal(q.chain_count, 0);
            assert_int_equal(q.public_key_len, 0);
            if (cases[i].known) {
                const ikev2_der cert = credentials_get(cases[i].known);
                assert_int_equal(ikev2__cert_key(&cert, &key), 0);
                verdict.public_key = key.spki;
                verdict.public_key_len = key.len;
            } else {
                verdict.anchors = &anchor;
                verdict.anchor_count = 1;
                verdict.unix_time_s = TEST_UNIX_TIME_S;
            }
            assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, &verdict), IKEV2_OK);
            pair_run(&p, 60000);
            if (cases[i].reason)
                signers_assert_refused(1, cases[i].reason);
            else
                assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_UP, 0), 1);
            pair_close(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_by_hand_is_taken_where_nothing_is_wrong),
        cmocka_unit_test(rsa_with_sha1_is_refused_by_its_name),
        cmocka_unit_test(methods_that_nobody_configured_are_refused),
        cmocka_unit_test(the_methods_of_rfc_4754_are_taken_with_their_curve_alone),
        cmocka_unit_test(an_algorithm_that_is_not_on_the_list_is_refused),
        cmocka_unit_test(a_signature_that_was_tampered_with_is_refused),
        cmocka_unit_test(a_signature_by_another_key_is_refused),
        cmocka_unit_test(encodings_other_than_x509_are_refused),
        cmocka_unit_test(a_peer_without_a_certificate_is_refused),
        cmocka_unit_test(a_certificate_that_is_none_is_refused),
        cmocka_unit_test(a_certificate_with_a_bad_key_is_refused),
        cmocka_unit_test(certificates_are_bounded_in_number),
        cmocka_unit_test(a_key_without_a_certificate_is_for_the_caller_to_know),
    };
    return cmocka_run_group_tests(tests, signers_setup, signers_teardown);
}
