/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "signers.h"

#include <stdio.h>
#include <string.h>

const vnet_rules calm = {.delay_ms = 5};
pair p;
credentials creds[2];
ikev2_config cfg[2];

int signers_setup(void **state)
{
    (void)state;
    credentials_open();
    return 0;
}

int signers_teardown(void **state)
{
    (void)state;
    credentials_close();
    return 0;
}

/* Node 0 has a key of kind a, node 1 of kind b; NULL: a shared key. */
void signers_prepare(const char *a, const char *b)
{
    pair_configs(cfg);
    cfg[0].unix_time_s = cfg[1].unix_time_s = TEST_UNIX_TIME_S;
    credentials_make(&creds[0], 0, a, b);
    credentials_make(&creds[1], 1, b, a);
}

uint64_t signers_initiate(int i)
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

void signers_connect(int i)
{
    pair_open(&p, 7, &calm, cfg);
    (void)signers_initiate(i);
    pair_run(&p, 60000);
}

/* Node i refuses the other one, for that reason and no other. */
void signers_assert_refused(int i, uint16_t reason)
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

ikev2__sa *signers_sa(int i, uint8_t state)
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
uint64_t signers_ask(int i, uint16_t kind)
{
    for (size_t k = p.n[i].event_count; k > 0; k--)
        if (p.n[i].events[k - 1].kind == kind)
            return p.n[i].events[k - 1].ask_id;
    fail_msg("node %d has not asked %u", i, kind);
    return 0;
}

void signers_run_to_question(int i, uint16_t kind)
{
    for (int step = 0; step < 200; step++) {
        pair_run(&p, 1);
        if (pair_count_events(&p, i, kind, 0) > 0)
            return;
    }
    fail_msg("node %d never asks %u", i, kind);
}

ikev2_rc signers_sign(int i, uint64_t ask, const char *key)
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

void signers_begin_asking_to_sign(int role)
{
    signers_prepare("p256", "p256");
    creds[0].pub.private_key = NULL;
    creds[0].pub.private_key_len = 0;
    pair_open(&p, 7, &calm, cfg);
    (void)signers_initiate(role);
    signers_run_to_question(0, IKEV2_EVENT_ASK_SIGN);
}

void signers_begin_asking_for_trust(int role, const char *kind)
{
    signers_prepare(kind, "p256");
    creds[1].pub.anchor_count = 0;
    pair_open(&p, 7, &calm, cfg);
    (void)signers_initiate(role);
    signers_run_to_question(1, IKEV2_EVENT_ASK_CERT);
}
