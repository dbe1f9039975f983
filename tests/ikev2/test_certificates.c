/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two engines that authenticate by signatures: every kind of key in both roles, what is refused and
 * why, questions answered, late, wrong and never.
 */
#include "credentials.h"
#include "libikev2/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vnet_rules calm = {.delay_ms = 5};
static pair p;
static credentials creds[2];
static ikev2_config cfg[2];

static int setup(void **state)
{
    (void)state;
    credentials_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    credentials_close();
    return 0;
}

/* Node 0 has a key of kind a, node 1 of kind b; NULL: a shared key. */
static void prepare(const char *a, const char *b)
{
    pair_configs(cfg);
    cfg[0].unix_time_s = cfg[1].unix_time_s = TEST_UNIX_TIME_S;
    credentials_make(&creds[0], 0, a, b);
    credentials_make(&creds[1], 1, b, a);
}

static uint64_t initiate(int i)
{
    ikev2_peer initiator = pair_peer(&p, i);
    ikev2_peer responder = pair_peer(&p, 1 - i);
    uint64_t id;
    initiator.credentials = &creds[i].pub;
    responder.credentials = &creds[1 - i].pub;
    pair_profile(&p, 1 - i, &responder);
    assert_int_equal(ikev2_engine_initiate(p.n[i].e, p.now, &initiator, &id), IKEV2_OK);
    return id;
}

static void connect_now(int i)
{
    pair_open(&p, 7, &calm, cfg);
    (void)initiate(i);
    pair_run(&p, 60000);
}

/* Node i refuses the other one, for that reason and no other. */
static void assert_refused(int i, uint16_t reason)
{
    size_t refusals = 0;
    for (size_t k = 0; k < p.n[i].event_count; k++) {
        if (p.n[i].events[k].kind != IKEV2_EVENT_REFUSED)
            continue;
        if (p.n[i].events[k].reason != reason)
            fail_msg("reason %u instead of %u", p.n[i].events[k].reason, reason);
        refusals++;
    }
    assert_int_equal(refusals, 1);
    assert_int_equal(p.n[0].sa, 0);
    assert_int_equal(p.n[1].sa, 0);
    pair_assert_agree(&p, 0);
}

/* RFC 7427, 8420: and a shared key on one side goes with any signature on the other. */
static void each_kind_of_key_authenticates_in_both_roles(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa", "p256", "p384", "p521", "ed25519", NULL};
    for (size_t a = 0; a < 6; a++)
        for (size_t b = 0; b < 6; b++)
            for (int role = 0; role < 2; role++) {
                prepare(kinds[a], kinds[b]);
                connect_now(role);
                pair_assert_agree(&p, 1);
                pair_close(&p);
            }
}

static void rsa_signs_by_pkcs1_where_it_is_told_to(void **state)
{
    (void)state;
    prepare("rsa", "rsa");
    creds[0].pub.pkcs1 = 1;
    connect_now(0);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

/* RFC 7383: three certificates of RSA go in fragments, each within the limit. */
static void a_chain_of_three_certificates_goes_in_fragments(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        prepare("rsa", "rsa");
        for (int i = 0; i < 2; i++) {
            credentials_add(creds[i].chain, &creds[i].pub.chain_count, "rsa_root");
            cfg[i].fragment_bytes = 576;
        }
        connect_now(role);
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
        prepare("rsa", "p384");
        cfg[0].fragment_bytes = cfg[1].fragment_bytes = 400;
        cfg[0].retransmit_tries = cfg[1].retransmit_tries = 30;
        cfg[0].half_open_ms = cfg[1].half_open_ms = 600000;
        pair_open(&p, seed, &rough, cfg);
        (void)initiate(0);
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
        prepare("p256", "p256");
        credentials_leaf(&creds[0], m->leaf, "bad_key");
        if (m->ca)
            credentials_add(creds[0].chain, &creds[0].pub.chain_count, m->ca);
        if (m->crl)
            credentials_add(creds[1].crls, &creds[1].pub.crl_count, m->crl);
        connect_now(role);
        assert_refused(1, m->reason);
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
            prepare("rsa", "rsa");
            cfg[1].max_certs = too_long ? 8 : 1;
            cfg[1].max_cert_bytes = too_long ? 500 : 4096;
            connect_now(role);
            assert_refused(1, IKEV2_REASON_CERT_LIMIT);
            pair_close(&p);
        }
}

/* Each side must do what the other one is configured for. */
static void another_method_than_the_one_agreed_on_is_refused(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        prepare("p256", "p256");
        creds[0].pub.local_auth = IKEV2_AUTHENTICATE_PSK;
        connect_now(role);
        assert_refused(1, IKEV2_REASON_AUTH_METHOD);
        pair_close(&p);
        prepare("p256", "p256");
        creds[1].pub.peer_auth = IKEV2_AUTHENTICATE_PSK;
        connect_now(role);
        assert_refused(1, IKEV2_REASON_AUTH_METHOD);
        pair_close(&p);
    }
}

/* ---- A peer that does what it should not: node 0's engine is changed before it sends. ---- */

static ikev2__sa *sa_of(int i, uint8_t state)
{
    for (uint64_t id = 1; id < 64; id++) {
        ikev2__sa *sa = ikev2__sa_by_id(p.n[i].e, id);
        if (sa && sa->state == state)
            return sa;
    }
    fail_msg("no SA in state %u", state);
    return NULL;
}

/* Node 0 signs by questions, so that the test holds the pen. */
static uint64_t ask_of(int i, uint16_t kind)
{
    for (size_t k = p.n[i].event_count; k > 0; k--)
        if (p.n[i].events[k - 1].kind == kind)
            return p.n[i].events[k - 1].ask_id;
    fail_msg("node %d has not asked %u", i, kind);
    return 0;
}

static void run_to_question(int i, uint16_t kind)
{
    for (int step = 0; step < 200; step++) {
        pair_run(&p, 1);
        if (pair_count_events(&p, i, kind, 0) > 0)
            return;
    }
    fail_msg("node %d never asks %u", i, kind);
}

static ikev2_rc sign(int i, uint64_t ask, const char *key)
{
    ikev2_sign_question q = {.struct_size = sizeof(q)};
    uint8_t signature[IKEV2__MAX_SIGNATURE];
    size_t len = 0;
    const ikev2_der der = credentials_get(key);
    assert_int_equal(ikev2_engine_get_sign_question(p.n[i].e, ask, &q), IKEV2_OK);
    const ikev2_der octets = {q.octets, q.octets_len};
    assert_true(ikev2__sign(q.scheme, &der, &octets, signature, &len));
    return ikev2_engine_answer_sign(p.n[i].e, p.now, ask, signature, len);
}

static void begin_asking_to_sign(int role)
{
    prepare("p256", "p256");
    creds[0].pub.private_key = NULL;
    creds[0].pub.private_key_len = 0;
    pair_open(&p, 7, &calm, cfg);
    (void)initiate(role);
    run_to_question(0, IKEV2_EVENT_ASK_SIGN);
}

static void a_key_outside_the_process_signs(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa", "p256", "p384", "p521", "ed25519"};
    char key[64];
    for (size_t k = 0; k < 5; k++)
        for (int role = 0; role < 2; role++) {
            prepare(kinds[k], "p256");
            creds[0].pub.private_key = NULL;
            creds[0].pub.private_key_len = 0;
            pair_open(&p, 7, &calm, cfg);
            (void)initiate(role);
            run_to_question(0, IKEV2_EVENT_ASK_SIGN);
            snprintf(key, sizeof(key), "a_%s_key", kinds[k]);
            const uint64_t ask = ask_of(0, IKEV2_EVENT_ASK_SIGN);
            assert_int_equal(sign(0, ask, key), IKEV2_OK);
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
        begin_asking_to_sign(role);
        const uint64_t ask = ask_of(0, IKEV2_EVENT_ASK_SIGN);
        assert_int_equal(sign(0, ask, "b_p256_key"), IKEV2_ERR_KEY);
        assert_int_equal(ikev2_engine_answer_sign(p.n[0].e, p.now, ask, (const uint8_t *)"x", 1),
                         IKEV2_ERR_KEY);
        assert_int_equal(sign(0, ask, "a_p256_key"), IKEV2_OK);
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
            begin_asking_to_sign(role);
            const uint64_t ask = ask_of(0, IKEV2_EVENT_ASK_SIGN);
            if (!late)
                assert_int_equal(ikev2_engine_answer_sign(p.n[0].e, p.now, ask, NULL, 0), IKEV2_OK);
            pair_run(&p, 120000);
            assert_refused(0, IKEV2_REASON_NOT_SIGNED);
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
        prepare("ed25519", "p256");
        pair_open(&p, 7, &calm, cfg);
        (void)initiate(1);
        pair_run(&p, 12);
        sa_of(0, IKEV2__STATE_HALF_OPEN)->hs->peer_hashes = hashes[i];
        pair_run(&p, 60000);
        assert_refused(0, IKEV2_REASON_NO_SCHEME);
        pair_close(&p);

        prepare("ed25519", NULL);
        pair_open(&p, 7, &calm, cfg);
        ikev2_peer peer = pair_peer(&p, 0);
        ikev2_peer profile = pair_peer(&p, 1);
        uint64_t id;
        peer.credentials = &creds[0].pub;
        profile.credentials = &creds[1].pub;
        peer.local_psk_len = peer.peer_psk_len = 0; /* asked for: the SA waits with its keys */
        pair_profile(&p, 1, &profile);
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &peer, &id), IKEV2_OK);
        run_to_question(0, IKEV2_EVENT_ASK_PSK);
        sa_of(0, IKEV2__STATE_KEYED)->hs->peer_hashes = hashes[i];
        assert_int_equal(ikev2_engine_answer_psk(p.n[0].e, p.now, ask_of(0, IKEV2_EVENT_ASK_PSK),
                                                 key, sizeof(key), NULL, 0),
                         IKEV2_OK);
        pair_run(&p, 60000);
        assert_refused(0, IKEV2_REASON_NO_SCHEME);
        pair_close(&p);
    }
}

/* ---- Questions about certificates: node 1 asks about node 0. ---- */

static void begin_asking_for_trust(int role, const char *kind)
{
    prepare(kind, "p256");
    creds[1].pub.anchor_count = 0;
    pair_open(&p, 7, &calm, cfg);
    (void)initiate(role);
    run_to_question(1, IKEV2_EVENT_ASK_CERT);
}

static void a_caller_that_knows_the_key_decides(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        begin_asking_for_trust(role, "rsa");
        const uint64_t ask = ask_of(1, IKEV2_EVENT_ASK_CERT);
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
            begin_asking_for_trust(role, "p256");
            assert_int_equal(ikev2__cert_key(&other, &key), 0);
            const ikev2_verdict verdict = {
                .struct_size = sizeof(verdict), .public_key = key.spki, .public_key_len = key.len};
            assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now,
                                                      ask_of(1, IKEV2_EVENT_ASK_CERT), &verdict),
                             IKEV2_OK);
            pair_run(&p, 60000);
            assert_refused(1, IKEV2_REASON_CERT_UNTRUSTED);
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
            begin_asking_for_trust(role, "p256");
            const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                           .unix_time_s = cases[i].unix_time_s,
                                           .anchors = &anchor,
                                           .anchor_count = 1};
            assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now,
                                                      ask_of(1, IKEV2_EVENT_ASK_CERT), &verdict),
                             IKEV2_OK);
            pair_run(&p, 60000);
            if (cases[i].reason)
                assert_refused(1, cases[i].reason);
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
            begin_asking_for_trust(role, "p256");
            const uint64_t ask = ask_of(1, IKEV2_EVENT_ASK_CERT);
            if (!late)
                assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, NULL), IKEV2_OK);
            pair_run(&p, 120000);
            assert_refused(1, IKEV2_REASON_CERT_REFUSED);
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
    begin_asking_for_trust(1, "p256");
    const uint64_t ask = ask_of(1, IKEV2_EVENT_ASK_CERT);
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
    prepare("p256", "p256");
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
    run_to_question(1, IKEV2_EVENT_ASK_CERT);
    pair_run(&p, 20);
    assert_int_equal(ikev2_engine_rekey_ike(p.n[0].e, p.now, p.n[0].sa), IKEV2_OK);
    pair_run(&p, 3000);
    const ikev2_der anchor = credentials_get("ec_root");
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = TEST_UNIX_TIME_S,
                                   .anchors = &anchor,
                                   .anchor_count = 1};
    assert_int_equal(
        ikev2_engine_answer_cert(p.n[1].e, p.now, ask_of(1, IKEV2_EVENT_ASK_CERT), &verdict),
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
        prepare("p256", "p256");
        cfg[1].unix_time_s = 0;
        pair_open(&p, 7, &calm, cfg);
        (void)initiate(role);
        run_to_question(1, IKEV2_EVENT_ASK_CERT);
        pair_close(&p);
        /* Told, it goes on by itself; and it goes on with the monotonic one. */
        prepare("p256", "p256");
        cfg[1].unix_time_s = 0;
        pair_open(&p, 7, &calm, cfg);
        assert_int_equal(ikev2_engine_set_unix_time(p.n[1].e, p.now, TEST_UNIX_TIME_S), IKEV2_OK);
        assert_true(ikev2__unix_time(p.n[1].e) == TEST_UNIX_TIME_S);
        (void)initiate(role);
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
    prepare("p256", "p256");
    creds[1].pub.anchor_count = 0;
    creds[1].pub.private_key_len = 0;
    creds[1].pub.private_key = NULL;
    pair_open(&p, 7, &calm, cfg);
    (void)initiate(0);
    run_to_question(1, IKEV2_EVENT_ASK_CERT);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_ASK_SIGN, 0), 0);
    const ikev2_der anchor = credentials_get("ec_root");
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = TEST_UNIX_TIME_S,
                                   .anchors = &anchor,
                                   .anchor_count = 1};
    const uint64_t ask = ask_of(1, IKEV2_EVENT_ASK_CERT);
    assert_int_equal(ikev2_engine_answer_sign(p.n[1].e, p.now, ask, (const uint8_t *)"x", 1),
                     IKEV2_ERR_ABSENT); /* the answer to another question */
    assert_int_equal(ikev2_engine_answer_cert(p.n[1].e, p.now, ask, &verdict), IKEV2_OK);
    run_to_question(1, IKEV2_EVENT_ASK_SIGN);
    assert_int_equal(sign(1, ask_of(1, IKEV2_EVENT_ASK_SIGN), "b_p256_key"), IKEV2_OK);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

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
    ikev2__sa *sa = sa_of(0, p.n[0].profile ? IKEV2__STATE_ASKING : IKEV2__STATE_KEYED);
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
        begin_asking_to_sign(role);
        message m = good_message(ask_of(0, IKEV2_EVENT_ASK_SIGN), cert, key);
        if (change)
            change(&m, which);
        send_by_hand(&m);
        pair_run(&p, 60000);
        if (reason)
            assert_refused(1, reason);
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
                rc = sign(i, ev->ask_id, i ? "b_p256_key" : "a_p256_key");
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
    prepare("p256", "p256");
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
    prepare("rsa", "p256");
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
    prepare("rsa", "p256");
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
    prepare("rsa", "ed25519");
    cfg[1].ask_peer = 1;
    pair_open(&p, 7, &calm, cfg);
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    uint64_t id;
    a.credentials = &creds[0].pub;
    b.credentials = &creds[1].pub;
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    run_to_question(1, IKEV2_EVENT_ASK_PEER);
    assert_int_equal(ikev2_engine_answer_peer(p.n[1].e, p.now, ask_of(1, IKEV2_EVENT_ASK_PEER), &b),
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
    prepare("ed25519", "p256");
    pair_open(&p, 7, &calm, cfg);
    ikev2_engine_free(p.n[0].e);
    cfg[0].allocator.resize = watching_resize;
    cfg[0].seed[0] = 1;
    assert_int_equal(ikev2_engine_new(&cfg[0], p.now, &p.n[0].e), IKEV2_OK);
    secret = credentials_get("a_ed25519_key");
    leaked = false;
    const uint64_t id = initiate(0);
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
        cmocka_unit_test(memory_may_run_out_at_any_place_of_a_signed_exchange),
        cmocka_unit_test(credentials_that_cannot_be_are_refused),
        cmocka_unit_test(a_responder_names_the_anchors_of_its_profiles),
        cmocka_unit_test(a_profile_that_an_answer_brings_may_hold_credentials),
        cmocka_unit_test(a_list_of_hashes_has_whole_numbers),
        cmocka_unit_test(a_private_key_is_wiped_before_memory_goes_back),
        cmocka_unit_test(structs_without_their_newest_fields_are_taken),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
