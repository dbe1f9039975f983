/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys and certificates for tests, of tests/ikev2/vectors/certificates.txt.
 */
#ifndef TEST_IKEV2_CREDENTIALS_H
#define TEST_IKEV2_CREDENTIALS_H

#include "pair.h"

/* When all certificates but the bad ones are valid: 2030-01-01. */
#define TEST_UNIX_TIME_S UINT64_C(1893456000)

void credentials_open(void);
void credentials_close(void);

/* Lives until credentials_close. */
ikev2_der credentials_get(const char *name);

enum { CREDENTIALS_MAX = 4 };

/* Lists for one ikev2_credentials, which points into it. */
typedef struct credentials {
    ikev2_credentials pub;
    ikev2_der chain[CREDENTIALS_MAX];
    ikev2_der anchors[CREDENTIALS_MAX];
    ikev2_der crls[CREDENTIALS_MAX];
} credentials;

/* A key's kind: "rsa", "p256", "p384", "p521", "ed25519"; NULL: a shared key. */
void credentials_make(credentials *c, int node, const char *kind, const char *peer_kind);
void credentials_leaf(credentials *c, const char *cert, const char *key);
void credentials_add(ikev2_der *list, size_t *count, const char *name);

#endif
