/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two engines that authenticate by signatures, for the tests of what they take and refuse.
 */
#ifndef TEST_IKEV2_SIGNERS_H
#define TEST_IKEV2_SIGNERS_H

#include "credentials.h"
#include "libikev2/engine.h"

extern const vnet_rules calm;
extern pair p;
extern credentials creds[2];
extern ikev2_config cfg[2];

int signers_setup(void **state);
int signers_teardown(void **state);

/* Node 0 has a key of kind a, node 1 of kind b; NULL: a shared key. */
void signers_prepare(const char *a, const char *b);
/* Node i begins; the other one has a profile for it. */
uint64_t signers_initiate(int i);
void signers_connect(int i); /* the same from the engines' making on, until all is quiet */
/* Node i refuses the other one, for that reason and no other. */
void signers_assert_refused(int i, uint16_t reason);
ikev2__sa *signers_sa(int i, uint8_t state);

/* The last question of that kind. */
uint64_t signers_ask(int i, uint16_t kind);
void signers_run_to_question(int i, uint16_t kind);
ikev2_rc signers_sign(int i, uint64_t ask, const char *key);
/* Node 0 has no key; node role initiates, and node 0 has asked for the signature. */
void signers_begin_asking_to_sign(int role);
/* Node 0 has a key of that kind, node 1 no anchors, and has asked. */
void signers_begin_asking_for_trust(int role, const char *kind);

#endif
