/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "credentials.h"

#include <stdio.h>
#include <string.h>

static vectors *file;

void credentials_open(void)
{
    file = vectors_open("ikev2/vectors/certificates.txt");
    assert_true(vectors_next(file));
}

void credentials_close(void)
{
    vectors_close(file);
    file = NULL;
}

ikev2_der credentials_get(const char *name)
{
    ikev2_der der;
    der.bytes = vectors_hex(file, name, &der.len);
    return der;
}

void credentials_add(ikev2_der *list, size_t *count, const char *name)
{
    assert_true(*count < CREDENTIALS_MAX);
    list[(*count)++] = credentials_get(name);
}

void credentials_leaf(credentials *c, const char *cert, const char *key)
{
    c->chain[0] = credentials_get(cert);
    c->pub.chain_count = c->pub.chain_count > 0 ? c->pub.chain_count : 1;
    if (key) {
        const ikev2_der der = credentials_get(key);
        c->pub.private_key = der.bytes;
        c->pub.private_key_len = der.len;
    }
}

void credentials_make(credentials *c, int node, const char *kind, const char *peer_kind)
{
    char cert[64], key[80];
    *c = (credentials){.pub = {.struct_size = sizeof(c->pub)}};
    c->pub.chain = c->chain;
    c->pub.anchors = c->anchors;
    c->pub.crls = c->crls;
    if (kind) {
        snprintf(cert, sizeof(cert), "%c_%s", 'a' + node, kind);
        snprintf(key, sizeof(key), "%s_key", cert);
        c->pub.local_auth = IKEV2_AUTHENTICATE_SIGNATURE;
        credentials_leaf(c, cert, key);
        if (strcmp(kind, "rsa") == 0)
            credentials_add(c->chain, &c->pub.chain_count, "rsa_intermediate");
    }
    if (peer_kind) {
        c->pub.peer_auth = IKEV2_AUTHENTICATE_SIGNATURE;
        credentials_add(c->anchors, &c->pub.anchor_count,
                        strcmp(peer_kind, "rsa") == 0 ? "rsa_root" : "ec_root");
    }
}
