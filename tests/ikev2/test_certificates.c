/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two engines that authenticate by signatures: every kind of key in both roles, what is refused and
 * why, questions answered, late, wrong and never.
 */
#include "signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7427, 8420: and a shared key on one side goes with any signature on the other. */
static void each_kind_of_key_authenticates_in_both_roles(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa", "p256", "p384", "p521", "ed25519", NULL};
    for (size_t a = 0; a < 6; a++)
        for (size_t b = 0; b < 6; b++)
            for (int role = 0; role < 2; role++) {
                signers_prepare(kinds[a], kinds[b]);
                signers_connect(role);
                pair_assert_agree(&p, 1);
                pair_close(&p);
            }
}

static void rsa_signs_by_pkcs1_where_it_is_told_to(void **state)
{
    (void)state;
    signers_prepare("rsa", "rsa");
    creds[0].pub.pkcs1 = 1;
    signers_connect(0);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

/* RFC 7383: three certificates of RSA go in fragments, each within the limit. */
static void a_chain_of_three_certificates_goes_in_fragments(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        signers_prepare("rsa", "rsa");
        for (int i = 0; i < 2; i++) {
            credentials_add(creds[i].chain, &creds[i].pub.chain_count, "rsa_root");
            cfg[i].fragment_bytes = 576;
        }
        signers_connect(role);
        pair_assert_agree(&p, 1);
        assert_true(p.sent >= 12);
        assert_in_range(p.max_len, 500, 576);
        pair_close(&p);
    }
}

static void a_chain_in_fragments_survives_loss(void **state)
{
    (void)state;
    static const vnet_rules rough = {
        .delay_ms = 5, .jitter_ms = 40, .loss_ppm = 200000, .duplicate_ppm = 100000};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        signers_prepare("rsa", "p384");
        cfg[0].fragment_bytes = cfg[1].fragment_bytes = 400;
        cfg[0].retransmit_tries = cfg[1].retransmit_tries = 30;
        cfg[0].half_open_ms = cfg[1].half_open_ms = 600000;
        pair_open(&p, seed, &rough, cfg);
        (void)signers_initiate(0);
        pair_run(&p, 600000);
        pair_assert_agree(&p, 1);
        pair_close(&p);
    }
}

/* ---- Refusals: node 0 is judged by node 1, as initiator and as responder. ---- */

typedef struct misfit {
    const char *leaf;
    const char *ca;
    const char *crl;
    uint16_t reason;
} misfit;

static void assert_misfit(const misfit *m)
{
    for (int role = 0; role < 2; role++) {
        signers_prepare("p256", "p256");
        credentials_leaf(&creds[0], m->leaf, "bad_key");
        if (m->ca)
            credentials_add(creds[0].chain, &creds[0].pub.chain_count, m->ca);
        if (m->crl)
            credentials_add(creds[1].crls, &creds[1].pub.crl_count, m->crl);
        signers_connect(role);
        signers_assert_refused(1, m->reason);
        /* RFC 7296 2.21.2: the stranger is not told why. */
        if (role == 0)
            assert_int_equal(p.n[0].events[0].detail, IKEV2__N_AUTHENTICATION_FAILED);
        pair_close(&p);
    }
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_expired", NULL, NULL, IKEV2_REASON_CERT_TIME});
    assert_misfit(&(misfit){"bad_not_yet", NULL, NULL, IKEV2_REASON_CERT_TIME});
}

static void a_revoked_certificate_is_refused(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_revoked", NULL, "ec_crl", IKEV2_REASON_CERT_REVOKED});
}

static void a_list_that_is_too_old_or_of_another_authority_vouches_for_nobody(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_revoked", NULL, "ec_crl_old", IKEV2_REASON_CERT_CRL});
    assert_misfit(&(misfit){"bad_revoked", NULL, "rsa_crl", IKEV2_REASON_CERT_CRL});
}

static void an_untrusted_certificate_is_refused(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_self_signed", NULL, NULL, IKEV2_REASON_CERT_UNTRUSTED});
}

/* CVE-2026-35331: constraints are libcrypto's, and they count. */
static void a_chain_that_breaks_a_rule_is_refused(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_excluded", "bad_ca_narrow", NULL, IKEV2_REASON_CERT_CHAIN});
    assert_misfit(&(misfit){"bad_under_leaf", "bad_ca_leaf", NULL, IKEV2_REASON_CERT_CHAIN});
    assert_misfit(&(misfit){"bad_issuer", NULL, NULL, IKEV2_REASON_CERT_UNTRUSTED});
}

static void a_certificate_signed_with_sha1_is_refused(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_under_sha1", "bad_ca_sha1", NULL, IKEV2_REASON_CERT_KEY});
}

/* CVE-2022-4967 */
static void a_certificate_of_somebody_else_is_refused(void **state)
{
    (void)state;
    assert_misfit(&(misfit){"bad_name", NULL, NULL, IKEV2_REASON_CERT_IDENTITY});
    assert_misfit(&(misfit){"bad_no_name", NULL, NULL, IKEV2_REASON_CERT_IDENTITY});
}

static void too_many_certificates_and_one_too_long_are_refused(void **state)
{
    (void)state;
    for (int too_long = 0; too_long < 2; too_long++)
        for (int role = 0; role < 2; role++) {
            signers_prepare("rsa", "rsa");
            cfg[1].max_certs = too_long ? 8 : 1;
            cfg[1].max_cert_bytes = too_long ? 500 : 4096;
            signers_connect(role);
            signers_assert_refused(1, IKEV2_REASON_CERT_LIMIT);
            pair_close(&p);
        }
}

/* Each side must do what the other one is configured for. */
static void another_method_than_the_one_agreed_on_is_refused(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        signers_prepare("p256", "p256");
        creds[0].pub.local_auth = IKEV2_AUTHENTICATE_PSK;
        signers_connect(role);
        signers_assert_refused(1, IKEV2_REASON_AUTH_METHOD);
        pair_close(&p);
        signers_prepare("p256", "p256");
        creds[1].pub.peer_auth = IKEV2_AUTHENTICATE_PSK;
        signers_connect(role);
        signers_assert_refused(1, IKEV2_REASON_AUTH_METHOD);
        pair_close(&p);
    }
}

/* ---- A peer that does what it should not: node 0's engine is changed before it sends. ---- */

static void a_key_outside_the_process_signs(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa", "p256", "p384", "p521", "ed25519"};
    char key[64];
    for (size_t k = 0; k < 5; k++)
        for (int role = 0; role < 2; role++) {
            signers_prepare(kinds[k], "p256");
            creds[0].pub.private_key = NULL;
            creds[0].pub.private_key_len = 0;
            pair_open(&p, 7, &calm, cfg);
            (void)signers_initiate(role);
            signers_run_to_question(0, IKEV2_EVENT_ASK_SIGN);
            snprintf(key, sizeof(key), "a_%s_key", kinds[k]);
            const uint64_t ask = signers_ask(0, IKEV2_EVENT_ASK_SIGN);
            assert_int_equal(signers_sign(0, ask, key), IKEV2_OK);
            /* Once. */
            assert_int_equal(ikev2_engine_answer_sign(p.n[0].e, p.now, ask, NULL, 0),
                             IKEV2_ERR_ABSENT);
            pair_run(&p, 60000);
            pair_assert_agree(&p, 1);
            assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_ASK_SIGN, 0), 1);
            pair_close(&p);
        }
}

static void a_wrong_signature_is_told_to_its_maker_and_may_be_made_again(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        signers_begin_asking_to_sign(role);
        const uint64_t ask = signers_ask(0, IKEV2_EVENT_ASK_SIGN);
        assert_int_equal(signers_sign(0, ask, "b_p256_key"), IKEV2_ERR_KEY);
        assert_int_equal(ikev2_engine_answer_sign(p.n[0].e, p.now, ask, (const uint8_t *)"x", 1),
                         IKEV2_ERR_KEY);
        assert_int_equal(signers_sign(0, ask, "a_p256_key"), IKEV2_OK);
        pair_run(&p, 60000);
        pair_assert_agree(&p, 1);
        pair_close(&p);
    }
}

static void nobody_who_signs_is_refused_and_an_answer_that_is_late_finds_nothing(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++)
        for (int role = 0; role < 2; role++) {
            signers_begin_asking_to_sign(role);
            const uint64_t ask = signers_ask(0, IKEV2_EVENT_ASK_SIGN);
            if (!late)
                assert_int_equal(ikev2_engine_answer_sign(p.n[0].e, p.now, ask, NULL, 0), IKEV2_OK);
            pair_run(&p, 120000);
            signers_assert_refused(0, IKEV2_REASON_NOT_SIGNED);
            /* CVE-2024-2357: the peer has repeated its request, and nobody was asked again. */
            assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_ASK_SIGN, 0), 1);
            assert_int_equal(
                ikev2_engine_answer_sign(p.n[0].e, p.now, ask, (const uint8_t *)"x", 1),
                IKEV2_ERR_ABSENT);
            ikev2_sign_question q = {.struct_size = sizeof(q)};
            assert_int_equal(ikev2_engine_get_sign_question(p.n[0].e, ask, &q), IKEV2_ERR_ABSENT);
            pair_close(&p);
        }
}

/* RFC 7427 4: a peer that knows no hash, or none that the key can sign. */
static void a_key_that_no_hash_of_the_peer_fits_is_not_used(void **state)
{
    (void)state;
    static const uint8_t key[] = "a shared key";
    static const uint8_t hashes[2] = {0, 0x1c}; /* no list; SHA2 alone, and the key is Ed25519 */
    for (int i = 0; i < 2; i++) {
        signers_prepare("ed25519", "p256");
        pair_open(&p, 7, &calm, cfg);
        (void)signers_initiate(1);
        pair_run(&p, 12);
        signers_sa(0, IKEV2__STATE_HALF_OPEN)->hs->peer_hashes = hashes[i];
        pair_run(&p, 60000);
        signers_assert_refused(0, IKEV2_REASON_NO_SCHEME);
        pair_close(&p);

        signers_prepare("ed25519", NULL);
        pair_open(&p, 7, &calm, cfg);
        ikev2_peer peer = pair_peer(&p, 0);
        ikev2_peer profile = pair_peer(&p, 1);
        uint64_t id;
        peer.credentials = &creds[0].pub;
        profile.credentials = &creds[1].pub;
        peer.local_psk_len = peer.peer_psk_len = 0; /* asked for: the SA waits with its keys */
        pair_profile(&p, 1, &profile);
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &peer, &id), IKEV2_OK);
        signers_run_to_question(0, IKEV2_EVENT_ASK_PSK);
        signers_sa(0, IKEV2__STATE_KEYED)->hs->peer_hashes = hashes[i];
        assert_int_equal(ikev2_engine_answer_psk(p.n[0].e, p.now,
                                                 signers_ask(0, IKEV2_EVENT_ASK_PSK), key,
                                                 sizeof(key), NULL, 0),
                         IKEV2_OK);
        pair_run(&p, 60000);
        signers_assert_refused(0, IKEV2_REASON_NO_SCHEME);
        pair_close(&p);
    }
}

/* ---- Questions about certificates: node 1 asks about node 0. ---- */

static void a_caller_that_knows_the_key_decides(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        signers_begin_asking_for_trust(role, "rsa");
        const uint64_t ask = signers_ask(1, IKEV2_EVENT_ASK_CERT);
        ikev2_cert_question q = {.struct_size = sizeof(q)};
        assert_int_equal(ikev2_engine_get_cert_question(p.n[1].e, ask, &q), IKEV2_OK);
        const ikev2_der leaf = credentials_get("a_rsa");
        const ikev2_der ca = credentials_get("rsa_intermediate");
        assert_int_equal(q.chain_count, 2);
        assert_bytes(q.chain[0].bytes, q.chain[0].len, leaf.bytes, leaf.len);
        assert_bytes(q.chain[1].bytes, q.chain[1].len, ca.bytes, ca.len);
        assert_bytes(q.peer_id.bytes, q.peer_id.len, (const uint8_t *)"a.test", 6);
        const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                       .public_key = q.public_key,
                                       .public_key_len = q.public_key_len};
        assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, &verdict), IKEV2_OK);
        assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, &verdict),
                         IKEV2_ERR_ABSENT);
        pair_run(&p, 60000);
        pair_assert_agree(&p, 1);
        assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_ASK_CERT, 0), 1);
        pair_close(&p);
    }
}

/* CVE-2020-16088: another key, and one of another type. */
static void a_key_other_than_the_one_that_the_caller_knows_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"b_p256", "a_rsa", "a_ed25519"};
    for (size_t i = 0; i < 3; i++)
        for (int role = 0; role < 2; role++) {
            ikev2__public_key key;
            const ikev2_der other = credentials_get(others[i]);
            signers_begin_asking_for_trust(role, "p256");
            assert_int_equal(ikev2__cert_key(&other, &key), 0);
            const ikev2_verdict verdict = {
                .struct_size = sizeof(verdict), .public_key = key.spki, .public_key_len = key.len};
            assert_int_equal(ikev2_engine_answer_cert(
                                 p.n[1].e, p.now, signers_ask(1, IKEV2_EVENT_ASK_CERT), &verdict),
                             IKEV2_OK);
            pair_run(&p, 60000);
            signers_assert_refused(1, IKEV2_REASON_CERT_UNTRUSTED);
            pair_close(&p);
        }
}

static void a_caller_that_has_anchors_lets_the_engine_judge(void **state)
{
    (void)state;
    static const struct {
        const char *anchor;
        uint64_t unix_time_s;
        uint16_t reason;
    } cases[] = {
        {"ec_root", TEST_UNIX_TIME_S, 0},
        {"a_p256", TEST_UNIX_TIME_S, 0}, /* the certificate itself */
        {"rsa_root", TEST_UNIX_TIME_S, IKEV2_REASON_CERT_UNTRUSTED},
        {"ec_root", 1, IKEV2_REASON_CERT_TIME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int role = 0; role < 2; role++) {
            const ikev2_der anchor = credentials_get(cases[i].anchor);
            signers_begin_asking_for_trust(role, "p256");
            const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                           .unix_time_s = cases[i].unix_time_s,
                                           .anchors = &anchor,
                                           .anchor_count = 1};
            assert_int_equal(ikev2_engine_answer_cert(
                                 p.n[1].e, p.now, signers_ask(1, IKEV2_EVENT_ASK_CERT), &verdict),
                             IKEV2_OK);
            pair_run(&p, 60000);
            if (cases[i].reason)
                signers_assert_refused(1, cases[i].reason);
            else
                pair_assert_agree(&p, 1);
            pair_close(&p);
        }
}

static void nobody_who_judges_is_refused_and_a_verdict_that_is_late_finds_nothing(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++)
        for (int role = 0; role < 2; role++) {
            signers_begin_asking_for_trust(role, "p256");
            const uint64_t ask = signers_ask(1, IKEV2_EVENT_ASK_CERT);
            if (!late)
                assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, NULL), IKEV2_OK);
            pair_run(&p, 120000);
            signers_assert_refused(1, IKEV2_REASON_CERT_REFUSED);
            assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, NULL),
                             IKEV2_ERR_ABSENT);
            ikev2_cert_question q = {.struct_size = sizeof(q)};
            assert_int_equal(ikev2_engine_get_cert_question(p.n[1].e, ask, &q), IKEV2_ERR_ABSENT);
            pair_close(&p);
        }
}

/* The peer of an initiator that is still asked has the SA already. */
static void an_sa_that_is_deleted_while_it_is_judged_goes_on_both_sides(void **state)
{
    (void)state;
    signers_begin_asking_for_trust(1, "p256");
    const uint64_t ask = signers_ask(1, IKEV2_EVENT_ASK_CERT);
    pair_run(&p, 20);
    assert_int_not_equal(p.n[0].sa, 0);
    ikev2_cert_question q = {.struct_size = sizeof(q)};
    assert_int_equal(ikev2_engine_get_cert_question(p.n[1].e, ask, &q), IKEV2_OK);
    assert_int_equal(ikev2_engine_delete_ike(p.n[1].e, p.now, q.sa_id), IKEV2_OK);
    assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, NULL), IKEV2_ERR_ABSENT);
    pair_run(&p, 1000);
    assert_int_equal(p.n[0].sa, 0);
    pair_assert_agree(&p, 0);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_LOCAL), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_PEER_DELETE),
                     1);
    pair_close(&p);
}

/* What comes meanwhile is dropped, and comes again: nothing of it is lost. */
static void a_peer_that_goes_on_while_it_is_judged_is_served_afterwards(void **state)
{
    (void)state;
    static const ikev2_addr route = {.family = IKEV2_FAMILY_IPV4, .prefix_len = 8, .bytes = {10}};
    signers_prepare("p256", "p256");
    creds[1].pub.anchor_count = 0;
    pair_open(&p, 7, &calm, cfg);
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    uint64_t id;
    a.credentials = &creds[0].pub;
    b.credentials = &creds[1].pub;
    a.push_routes = &route;
    a.push_route_count = 1;
    pair_profile(&p, 0, &a);
    assert_int_equal(ikev2_engine_initiate(p.n[1].e, p.now, &b, &id), IKEV2_OK);
    signers_run_to_question(1, IKEV2_EVENT_ASK_CERT);
    pair_run(&p, 20);
    assert_int_equal(ikev2_engine_rekey_ike(p.n[0].e, p.now, p.n[0].sa), IKEV2_OK);
    pair_run(&p, 3000);
    const ikev2_der anchor = credentials_get("ec_root");
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = TEST_UNIX_TIME_S,
                                   .anchors = &anchor,
                                   .anchor_count = 1};
    assert_int_equal(
        ikev2_engine_answer_cert(p.n[1].e, p.now, signers_ask(1, IKEV2_EVENT_ASK_CERT), &verdict),
        IKEV2_OK);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_UP, 0), 2);
    pair_close(&p);
}

static void without_the_wall_time_the_caller_is_asked(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        signers_prepare("p256", "p256");
        cfg[1].unix_time_s = 0;
        pair_open(&p, 7, &calm, cfg);
        (void)signers_initiate(role);
        signers_run_to_question(1, IKEV2_EVENT_ASK_CERT);
        pair_close(&p);
        /* Told, it goes on by itself; and it goes on with the monotonic one. */
        signers_prepare("p256", "p256");
        cfg[1].unix_time_s = 0;
        pair_open(&p, 7, &calm, cfg);
        assert_int_equal(ikev2_engine_set_unix_time(p.n[1].e, p.now, TEST_UNIX_TIME_S), IKEV2_OK);
        assert_true(ikev2__unix_time(p.n[1].e) == TEST_UNIX_TIME_S);
        (void)signers_initiate(role);
        pair_run(&p, 60000);
        pair_assert_agree(&p, 1);
        assert_true(ikev2__unix_time(p.n[1].e) >= TEST_UNIX_TIME_S);
        pair_close(&p);
    }
}

/* Both questions, one after the other, in one exchange. */
static void a_responder_judges_first_and_signs_then(void **state)
{
    (void)state;
    signers_prepare("p256", "p256");
    creds[1].pub.anchor_count = 0;
    creds[1].pub.private_key_len = 0;
    creds[1].pub.private_key = NULL;
    pair_open(&p, 7, &calm, cfg);
    (void)signers_initiate(0);
    signers_run_to_question(1, IKEV2_EVENT_ASK_CERT);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_ASK_SIGN, 0), 0);
    const ikev2_der anchor = credentials_get("ec_root");
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = TEST_UNIX_TIME_S,
                                   .anchors = &anchor,
                                   .anchor_count = 1};
    const uint64_t ask = signers_ask(1, IKEV2_EVENT_ASK_CERT);
    assert_int_equal(ikev2_engine_answer_sign(p.n[1].e, p.now, ask, (const uint8_t *)"x", 1),
                     IKEV2_ERR_ABSENT); /* the answer to another question */
    assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, &verdict), IKEV2_OK);
    signers_run_to_question(1, IKEV2_EVENT_ASK_SIGN);
    assert_int_equal(signers_sign(1, signers_ask(1, IKEV2_EVENT_ASK_SIGN), "b_p256_key"), IKEV2_OK);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

/* ---- Memory ---- */

static void answer_all(pair_node *n, size_t *seen)
{
    const ikev2_der anchor = credentials_get("ec_root");
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = TEST_UNIX_TIME_S,
                                   .anchors = &anchor,
                                   .anchor_count = 1};
    for (; *seen < n->event_count; (*seen)++) {
        const ikev2_event *ev = &n->events[*seen];
        const int i = n == &p.n[1];
        ikev2_rc rc = IKEV2_OK;
        for (int tries = 0; tries < 2 && (tries == 0 || rc == IKEV2_ERR_NOMEM); tries++) {
            if (ev->kind == IKEV2_EVENT_ASK_CERT)
                rc = ikev2_engine_answer_cert(n->e, p.now, ev->ask_id, &verdict);
            else if (ev->kind == IKEV2_EVENT_ASK_SIGN)
                rc = signers_sign(i, ev->ask_id, i ? "b_p256_key" : "a_p256_key");
        }
        assert_int_equal(rc, IKEV2_OK);
    }
}

/* Both sides ask both questions; an answer that finds no memory is given once more. */
static void asked_life(fail_alloc *f, void *user)
{
    size_t seen[2] = {0, 0};
    uint64_t id;
    (void)user;
    signers_prepare("p256", "p256");
    memset(&p, 0, sizeof(p));
    p.now = 1000;
    p.net = vnet_new(1, &calm);
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        creds[i].pub.anchor_count = 0;
        creds[i].pub.private_key = NULL;
        creds[i].pub.private_key_len = 0;
        cfg[i].seed[0] = (uint8_t)(i + 1);
        cfg[i].max_events = 64;
        cfg[i].allocator.resize = fail_alloc_resize;
        cfg[i].allocator.user = f;
        p.n[i].name = i ? "b.test" : "a.test";
        p.n[i].addr = (ikev2_addr){
            .family = IKEV2_FAMILY_IPV4, .port = 500, .bytes = {10, 0, 0, (uint8_t)(i + 1)}};
        const ikev2_rc rc = ikev2_engine_new(&cfg[i], p.now, &p.n[i].e);
        assert_true(rc == IKEV2_OK || rc == IKEV2_ERR_NOMEM);
        ok = ok && rc == IKEV2_OK;
    }
    if (ok) {
        ikev2_peer a = pair_peer(&p, 0);
        ikev2_peer b = pair_peer(&p, 1);
        a.credentials = &creds[0].pub;
        b.credentials = &creds[1].pub;
        b.path.peer = (ikev2_addr){0};
        ikev2_rc rc = ikev2_engine_add_profile(p.n[1].e, p.now, &b, &id);
        if (rc == IKEV2_ERR_NOMEM)
            rc = ikev2_engine_add_profile(p.n[1].e, p.now, &b, &id);
        assert_int_equal(rc, IKEV2_OK);
        rc = ikev2_engine_initiate(p.n[0].e, p.now, &a, &id);
        if (rc == IKEV2_ERR_NOMEM)
            rc = ikev2_engine_initiate(p.n[0].e, p.now, &a, &id);
        assert_int_equal(rc, IKEV2_OK);
        for (int step = 0; step < 4000; step++) {
            pair_run(&p, 5);
            answer_all(&p.n[0], &seen[0]);
            answer_all(&p.n[1], &seen[1]);
        }
        pair_assert_agree(&p, 1);
        assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, 0), 0);
    }
    for (int i = 0; i < 2; i++)
        ikev2_engine_free(p.n[i].e);
    vnet_free(p.net);
}

static void memory_may_run_out_at_any_place_of_a_signed_exchange(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(asked_life, NULL);
}

/* ---- What is configured ---- */

static ikev2_rc add(const credentials *c)
{
    ikev2_peer peer = pair_peer(&p, 0);
    uint64_t id;
    peer.credentials = &c->pub;
    return ikev2_engine_add_profile(p.n[0].e, p.now, &peer, &id);
}

/* Each of them is wrong before any peer sees it: the caller is told at once. */
static void credentials_that_cannot_be_are_refused(void **state)
{
    (void)state;
    signers_prepare("rsa", "p256");
    pair_open(&p, 7, &calm, cfg);
    const credentials good = creds[0];
    credentials bad = good;
    bad.pub.chain = bad.chain;
    assert_int_equal(add(&good), IKEV2_OK);
    credentials_leaf(&bad, "a_rsa", "b_rsa_key"); /* another's key */
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    credentials_leaf(&bad, "a_rsa", "a_p256_key"); /* of another type */
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    credentials_leaf(&bad, "bad_rsa1024", "bad_rsa1024_key");
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    credentials_leaf(&bad, "bad_rsa_e3", "bad_rsa_e3_key");
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    credentials_leaf(&bad, "a_rsa", "a_rsa_key");
    assert_int_equal(add(&bad), IKEV2_OK);
    bad.pub.private_key_len--;
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    bad.pub.private_key_len++;
    bad.pub.peer_auth = 2;
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    bad.pub.peer_auth = 1;
    bad.pub.reserved = 1;
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    bad.pub.reserved = 0;
    bad.pub.anchors = &bad.chain[3]; /* NULL */
    assert_int_equal(add(&bad), IKEV2_ERR_ARG);
    pair_close(&p);
}

/* The CERTREQ payload of node 0's last message, which is IKE_SA_INIT; NULL: there is none. */
static const ikev2_payload *cert_request(ikev2__message *m)
{
    ikev2_header h;
    assert_int_equal(ikev2_header_decode(p.last[0], p.last_len[0], &h), IKEV2_OK);
    assert_int_equal(ikev2__message_parse(p.last[0] + IKEV2_HEADER_BYTES,
                                          p.last_len[0] - IKEV2_HEADER_BYTES, h.next_payload, m),
                     IKEV2_OK);
    return ikev2__message_get(m, IKEV2_PAYLOAD_CERTREQ);
}

/* RFC 7296 3.7: the hashes of the keys, here of the anchors of all profiles. */
static void a_responder_names_the_anchors_of_its_profiles(void **state)
{
    (void)state;
    uint64_t ids[3], id;
    ikev2__message m;
    signers_prepare("rsa", "p256");
    credentials other;
    credentials_make(&other, 0, "rsa", "rsa");
    const credentials *const profiles[3] = {&creds[0], &other, &creds[0]};
    const ikev2_der ec = credentials_get("ec_root_key_hash");
    const ikev2_der rsa = credentials_get("rsa_root_key_hash");
    pair_open(&p, 7, &calm, cfg);
    for (int i = 0; i < 3; i++) {
        ikev2_peer profile = pair_peer(&p, 0);
        profile.path.peer = (ikev2_addr){0};
        profile.credentials = &profiles[i]->pub;
        assert_int_equal(ikev2_engine_add_profile(p.n[0].e, p.now, &profile, &ids[i]), IKEV2_OK);
    }
    for (int left = 3; left >= 0; left--) {
        const ikev2_peer peer = pair_peer(&p, 1);
        assert_int_equal(ikev2_engine_initiate(p.n[1].e, p.now, &peer, &id), IKEV2_OK);
        pair_run(&p, 7);
        const ikev2_payload *request = cert_request(&m);
        if (left >= 2) {
            assert_int_equal(request->len, 41);
            assert_bytes(request->body + 1, 20, ec.bytes, ec.len);
            assert_bytes(request->body + 21, 20, rsa.bytes, rsa.len);
        } else if (left == 1) {
            assert_int_equal(request->len, 21);
            assert_bytes(request->body + 1, 20, ec.bytes, ec.len);
        } else {
            assert_null(request);
        }
        if (request)
            assert_int_equal(request->body[0], IKEV2_CERT_X509_SIGNATURE);
        if (left > 0)
            assert_int_equal(ikev2_engine_remove_profile(p.n[0].e, p.now, ids[left - 1]), IKEV2_OK);
        if (left == 3) /* the same anchors were there twice */
            assert_int_equal(ikev2_engine_delete_ike(p.n[1].e, p.now, id), IKEV2_OK);
    }
    pair_close(&p);
}

static void a_profile_that_an_answer_brings_may_hold_credentials(void **state)
{
    (void)state;
    signers_prepare("rsa", "ed25519");
    cfg[1].ask_peer = 1;
    pair_open(&p, 7, &calm, cfg);
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    uint64_t id;
    a.credentials = &creds[0].pub;
    b.credentials = &creds[1].pub;
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    signers_run_to_question(1, IKEV2_EVENT_ASK_PEER);
    assert_int_equal(
        ikev2_engine_answer_peer(p.n[1].e, p.now, signers_ask(1, IKEV2_EVENT_ASK_PEER), &b),
        IKEV2_OK);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

/* RFC 7427 4: two bytes each. */
static void a_list_of_hashes_has_whole_numbers(void **state)
{
    (void)state;
    static const uint8_t body[] = {0, 0, 0x40, 0x2f, 0, 2, 0, 3};
    ikev2_notify n;
    for (size_t len = 4; len <= sizeof(body); len++)
        assert_int_equal(ikev2_notify_decode(body, len, &n),
                         len == 6 || len == 8 ? IKEV2_OK : IKEV2_ERR_SYNTAX);
    assert_string_equal(ikev2_notify_name(n.type), "SIGNATURE_HASH_ALGORITHMS");
}

/* Looks for a private key in what the allocator gets back. */
static ikev2_der secret;
static bool leaked;

static void *watching_resize(void *user, void *ptr, size_t size)
{
    enum { PART = 24 };
    (void)user;
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    const uint8_t *tail = secret.bytes ? secret.bytes + secret.len - PART : NULL;
    for (size_t i = 0; block && tail && size == 0 && i + PART <= block[0]; i++)
        leaked |= memcmp((uint8_t *)ptr + i, tail, PART) == 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    if (!block)
        return NULL;
    block[0] = size;
    return block + 2;
}

static void a_private_key_is_wiped_before_memory_goes_back(void **state)
{
    (void)state;
    signers_prepare("ed25519", "p256");
    pair_open(&p, 7, &calm, cfg);
    ikev2_engine_free(p.n[0].e);
    cfg[0].allocator.resize = watching_resize;
    cfg[0].seed[0] = 1;
    assert_int_equal(ikev2_engine_new(&cfg[0], p.now, &p.n[0].e), IKEV2_OK);
    secret = credentials_get("a_ed25519_key");
    leaked = false;
    const uint64_t id = signers_initiate(0);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    assert_int_equal(ikev2_engine_delete_ike(p.n[0].e, p.now, id), IKEV2_OK);
    pair_run(&p, 100000);
    ikev2_engine_free(p.n[0].e);
    p.n[0].e = NULL;
    secret = (ikev2_der){0};
    assert_false(leaked);
    pair_close(&p);
}

/* ikev2_peer and ikev2_config have grown: who was compiled before still calls. */
static void structs_without_their_newest_fields_are_taken(void **state)
{
    (void)state;
    pair_configs(cfg);
    for (int i = 0; i < 2; i++) {
        cfg[i].struct_size = offsetof(ikev2_config, unix_time_s);
        cfg[i].max_certs = 0;
    }
    pair_open(&p, 7, &calm, cfg);
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    uint64_t id;
    a.struct_size = b.struct_size = offsetof(ikev2_peer, credentials);
    pair_profile(&p, 1, &b);
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_authenticates_in_both_roles),
        cmocka_unit_test(rsa_signs_by_pkcs1_where_it_is_told_to),
        cmocka_unit_test(a_chain_of_three_certificates_goes_in_fragments),
        cmocka_unit_test(a_chain_in_fragments_survives_loss),
        cmocka_unit_test(an_expired_certificate_is_refused),
        cmocka_unit_test(a_revoked_certificate_is_refused),
        cmocka_unit_test(a_list_that_is_too_old_or_of_another_authority_vouches_for_nobody),
        cmocka_unit_test(an_untrusted_certificate_is_refused),
        cmocka_unit_test(a_chain_that_breaks_a_rule_is_refused),
        cmocka_unit_test(a_certificate_signed_with_sha1_is_refused),
        cmocka_unit_test(a_certificate_of_somebody_else_is_refused),
        cmocka_unit_test(too_many_certificates_and_one_too_long_are_refused),
        cmocka_unit_test(another_method_than_the_one_agreed_on_is_refused),
        cmocka_unit_test(a_key_outside_the_process_signs),
        cmocka_unit_test(a_wrong_signature_is_told_to_its_maker_and_may_be_made_again),
        cmocka_unit_test(nobody_who_signs_is_refused_and_an_answer_that_is_late_finds_nothing),
        cmocka_unit_test(a_key_that_no_hash_of_the_peer_fits_is_not_used),
        cmocka_unit_test(a_caller_that_knows_the_key_decides),
        cmocka_unit_test(a_key_other_than_the_one_that_the_caller_knows_is_refused),
        cmocka_unit_test(a_caller_that_has_anchors_lets_the_engine_judge),
        cmocka_unit_test(nobody_who_judges_is_refused_and_a_verdict_that_is_late_finds_nothing),
        cmocka_unit_test(an_sa_that_is_deleted_while_it_is_judged_goes_on_both_sides),
        cmocka_unit_test(a_peer_that_goes_on_while_it_is_judged_is_served_afterwards),
        cmocka_unit_test(without_the_wall_time_the_caller_is_asked),
        cmocka_unit_test(a_responder_judges_first_and_signs_then),
        cmocka_unit_test(memory_may_run_out_at_any_place_of_a_signed_exchange),
        cmocka_unit_test(credentials_that_cannot_be_are_refused),
        cmocka_unit_test(a_responder_names_the_anchors_of_its_profiles),
        cmocka_unit_test(a_profile_that_an_answer_brings_may_hold_credentials),
        cmocka_unit_test(a_list_of_hashes_has_whole_numbers),
        cmocka_unit_test(a_private_key_is_wiped_before_memory_goes_back),
        cmocka_unit_test(structs_without_their_newest_fields_are_taken),
    };
    return cmocka_run_group_tests(tests, signers_setup, signers_teardown);
}
