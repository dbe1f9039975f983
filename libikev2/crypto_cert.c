/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * X.509: keys and names of certificates, and whether a chain leads to a trust anchor. libcrypto
 * decodes and judges (RFC 5280); nothing is fetched, whatever a certificate points at.
 */
#include "signature.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

enum {
    AUTH_LEVEL = 2 /* 112 bits: no SHA-1, no RSA below 2048 bits, anywhere in the chain */
};

static X509 *decode_cert(const ikev2_der *der)
{
    const uint8_t *at = der->bytes;
    X509 *cert = d2i_X509(NULL, &at, (long)der->len);
    if (cert && at != der->bytes + der->len) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static X509_CRL *decode_crl(const ikev2_der *der)
{
    const uint8_t *at = der->bytes;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der->len);
    if (crl && at != der->bytes + der->len) {
        X509_CRL_free(crl);
        return NULL;
    }
    return crl;
}

bool ikev2__certs_decode(const ikev2_der *certs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        X509 *cert = decode_cert(&certs[i]);
        if (!cert)
            return false;
        X509_free(cert);
    }
    return true;
}

bool ikev2__crls_decode(const ikev2_der *crls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        X509_CRL *crl = decode_crl(&crls[i]);
        if (!crl)
            return false;
        X509_CRL_free(crl);
    }
    return true;
}

/* RFC 4945 5.1.3.2: where the key usage is told, it must be to sign. */
static bool may_sign(X509 *cert)
{
    return (X509_get_key_usage(cert) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

uint16_t ikev2__cert_key(const ikev2_der *der, ikev2__public_key *out)
{
    X509 *cert = decode_cert(der);
    if (!cert)
        return IKEV2_REASON_CERT_SYNTAX;
    uint8_t *spki = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    const bool ok = len > 0 && may_sign(cert) && ikev2__public_key_read(spki, (size_t)len, out);
    OPENSSL_free(spki);
    X509_free(cert);
    return ok ? 0 : IKEV2_REASON_CERT_KEY;
}

/* RFC 7296 3.7 */
bool ikev2__cert_key_hash(const ikev2_der *der, uint8_t out[IKEV2__KEY_HASH_BYTES])
{
    X509 *cert = decode_cert(der);
    uint8_t *spki = NULL;
    unsigned int n = 0;
    const int len = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : 0;
    const bool ok = len > 0 && EVP_Digest(spki, (size_t)len, out, &n, EVP_sha1(), NULL) == 1 &&
                    n == IKEV2__KEY_HASH_BYTES;
    OPENSSL_free(spki);
    X509_free(cert);
    return ok;
}

/* ---- Identity ---- */

static bool string_is(const ASN1_STRING *s, const ikev2_identity *id)
{
    return s && (size_t)ASN1_STRING_length(s) == id->len &&
           memcmp(ASN1_STRING_get0_data(s), id->bytes, id->len) == 0;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* RFC 4343: names of hosts have no case. */
static bool host_is(const ASN1_STRING *s, const ikev2_identity *id)
{
    if (!s || (size_t)ASN1_STRING_length(s) != id->len)
        return false;
    const uint8_t *name = ASN1_STRING_get0_data(s);
    for (size_t i = 0; i < id->len; i++)
        if (lower(name[i]) != lower(id->bytes[i]))
            return false;
    return true;
}

static bool name_matches(const GENERAL_NAME *name, const ikev2_identity *id)
{
    switch (id->type) {
    case IKEV2_ID_FQDN:
        return name->type == GEN_DNS && host_is(name->d.dNSName, id);
    case IKEV2_ID_RFC822_ADDR:
        return name->type == GEN_EMAIL && string_is(name->d.rfc822Name, id);
    case IKEV2_ID_IPV4_ADDR:
    case IKEV2_ID_IPV6_ADDR:
        return name->type == GEN_IPADD && string_is(name->d.iPAddress, id);
    default:
        return false;
    }
}

static bool alternative_name_matches(const X509 *cert, const ikev2_identity *id)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++)
        found = name_matches(sk_GENERAL_NAME_value(names, i), id);
    GENERAL_NAMES_free(names);
    return found;
}

static bool subject_matches(const X509 *cert, const ikev2_identity *id)
{
    const uint8_t *at = id->bytes;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)id->len);
    const bool same =
        name && at == id->bytes + id->len && X509_NAME_cmp(name, X509_get_subject_name(cert)) == 0;
    X509_NAME_free(name);
    return same;
}

/* RFC 4945 3.1: an identity that the certificate does not hold proves nothing; no common names. */
uint16_t ikev2__cert_identity(const ikev2_der *der, const ikev2_identity *id)
{
    X509 *cert = decode_cert(der);
    if (!cert)
        return IKEV2_REASON_CERT_SYNTAX;
    const bool matches = id->type == IKEV2_ID_DER_ASN1_DN ? subject_matches(cert, id)
                                                          : alternative_name_matches(cert, id);
    X509_free(cert);
    return matches ? 0 : IKEV2_REASON_CERT_IDENTITY;
}

/* ---- Chain ---- */

static uint16_t reason_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return IKEV2_REASON_CERT_TIME;
    case X509_V_ERR_CERT_REVOKED:
        return IKEV2_REASON_CERT_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
        return IKEV2_REASON_CERT_CRL;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return IKEV2_REASON_CERT_UNTRUSTED;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return IKEV2_REASON_CERT_KEY;
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_OK: /* it failed before it began */
        return IKEV2_REASON_CRYPTO;
    default:
        return IKEV2_REASON_CERT_CHAIN;
    }
}

static bool add_anchors(X509_STORE *store, const ikev2_verdict *trust)
{
    for (size_t i = 0; i < trust->anchor_count; i++) {
        X509 *cert = decode_cert(&trust->anchors[i]);
        const bool ok = cert && X509_STORE_add_cert(store, cert) == 1;
        X509_free(cert);
        if (!ok)
            return false;
    }
    for (size_t i = 0; i < trust->crl_count; i++) {
        X509_CRL *crl = decode_crl(&trust->crls[i]);
        const bool ok = crl && X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
        if (!ok)
            return false;
    }
    return true;
}

static STACK_OF(X509) * decode_chain(const ikev2_der *chain, size_t count)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    for (size_t i = 0; certs && i < count; i++) {
        X509 *cert = decode_cert(&chain[i]);
        if (!cert || sk_X509_push(certs, cert) == 0) {
            X509_free(cert);
            sk_X509_pop_free(certs, X509_free);
            return NULL;
        }
    }
    return certs;
}

static void set_rules(X509_VERIFY_PARAM *rules, const ikev2_verdict *trust)
{
    /* Given any list of revoked certificates, each certificate of the chain must be in one's care.
     */
    const unsigned long revocation =
        trust->crl_count > 0 ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0;
    /* What the caller trusts need not be self-signed (RFC 5280 6.1.1). */
    X509_VERIFY_PARAM_set_flags(rules, revocation | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(rules, AUTH_LEVEL);
    X509_VERIFY_PARAM_set_depth(rules, IKEV2_MAX_CERTS);
    X509_VERIFY_PARAM_set_time(rules, (time_t)trust->unix_time_s);
}

/* RFC 5280 6 */
uint16_t ikev2__chain_check(const ikev2_der *chain, size_t count, const ikev2_verdict *trust,
                            uint32_t *detail)
{
    STACK_OF(X509) *certs = decode_chain(chain, count);
    if (!certs || count == 0) {
        sk_X509_pop_free(certs, X509_free);
        return count == 0 ? IKEV2_REASON_CERT_MISSING : IKEV2_REASON_CERT_SYNTAX;
    }
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    uint16_t reason = IKEV2_REASON_CRYPTO;
    if (store && ctx && add_anchors(store, trust) &&
        X509_STORE_CTX_init(ctx, store, sk_X509_value(certs, 0), certs) == 1) {
        set_rules(X509_STORE_CTX_get0_param(ctx), trust);
        if (X509_verify_cert(ctx) == 1) {
            reason = 0;
        } else {
            const int error = X509_STORE_CTX_get_error(ctx);
            reason = reason_of(error);
            *detail = (uint32_t)error;
        }
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(certs, X509_free);
    return reason;
}
