/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * AES-GCM and ChaCha20-Poly1305 by OpenSSL 3.
 *
 * A context keeps its key schedule; a packet costs an IV, the AAD, the text and the tag. The tag
 * travels in an OSSL_PARAM that was built once, which skips the translation that the control calls
 * go through.
 */
#include "cipher.h"

#include <esp/sa.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct esp__cipher {
    EVP_CIPHER_CTX *ctx;
    OSSL_PARAM tag[2]; /* the tag and the end; its data points at the packet's ICV */
};

static const char *algorithm_name(uint8_t algorithm)
{
    switch (algorithm) {
    case ESP_ALGORITHM_AES128_GCM16:
        return "AES-128-GCM";
    case ESP_ALGORITHM_AES256_GCM16:
        return "AES-256-GCM";
    case ESP_ALGORITHM_CHACHA20_POLY1305:
        return "ChaCha20-Poly1305";
    default:
        return NULL;
    }
}

static void openssl_destroy(const alloc *a, esp__cipher *cipher)
{
    if (!cipher)
        return;
    EVP_CIPHER_CTX_free(cipher->ctx); /* which wipes the key schedule */
    alloc_free(a, cipher);
}

static esp_rc openssl_create(const alloc *a, const esp__suite *suite, bool sealing,
                             const uint8_t *key, esp__cipher **out)
{
    esp__cipher *cipher = alloc_zero(a, sizeof(*cipher));
    if (!cipher)
        return ESP_ERR_NOMEM;
    cipher->ctx = EVP_CIPHER_CTX_new();
    if (!cipher->ctx) {
        openssl_destroy(a, cipher);
        return ESP_ERR_NOMEM;
    }
    ERR_set_mark(); /* the queue of errors is the caller's: what fails here is told by the result */
    EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, algorithm_name(suite->algorithm), NULL);
    const bool keyed =
        type && (sealing ? EVP_EncryptInit_ex2(cipher->ctx, type, key, NULL, NULL)
                         : EVP_DecryptInit_ex2(cipher->ctx, type, key, NULL, NULL)) == 1;
    EVP_CIPHER_free(type); /* the context holds its own reference */
    ERR_pop_to_mark();
    if (!keyed) {
        openssl_destroy(a, cipher);
        return ESP_ERR_CRYPTO;
    }
    cipher->tag[0] =
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, ESP_ICV_BYTES);
    cipher->tag[1] = OSSL_PARAM_construct_end();
    *out = cipher;
    return ESP_OK;
}

static esp_rc openssl_seal(esp__cipher *cipher, const esp__cipher_job *job)
{
    EVP_CIPHER_CTX *ctx = cipher->ctx;
    const size_t rest = job->len - job->head_len;
    int n;

    if (EVP_EncryptInit_ex2(ctx, NULL, NULL, job->nonce, NULL) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, job->aad, (int)job->aad_len) != 1)
        return ESP_ERR_CRYPTO;
    if (job->head_len > 0 &&
        EVP_EncryptUpdate(ctx, job->text, &n, job->head, (int)job->head_len) != 1)
        return ESP_ERR_CRYPTO;
    uint8_t *text = job->text + job->head_len;
    if (EVP_EncryptUpdate(ctx, text, &n, text, (int)rest) != 1 ||
        EVP_EncryptFinal_ex(ctx, text + rest, &n) != 1)
        return ESP_ERR_CRYPTO;
    cipher->tag[0].data = job->icv;
    return EVP_CIPHER_CTX_get_params(ctx, cipher->tag) == 1 ? ESP_OK : ESP_ERR_CRYPTO;
}

static esp_rc openssl_open(esp__cipher *cipher, const esp__cipher_job *job)
{
    EVP_CIPHER_CTX *ctx = cipher->ctx;
    int n;

    cipher->tag[0].data = job->icv;
    if (EVP_DecryptInit_ex2(ctx, NULL, NULL, job->nonce, NULL) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, job->aad, (int)job->aad_len) != 1 ||
        EVP_DecryptUpdate(ctx, job->text, &n, job->text, (int)job->len) != 1 ||
        EVP_CIPHER_CTX_set_params(ctx, cipher->tag) != 1)
        return ESP_ERR_CRYPTO;
    return EVP_DecryptFinal_ex(ctx, job->text + job->len, &n) == 1 ? ESP_OK : ESP_ERR_AUTH;
}

const esp__cipher_backend esp__cipher_openssl = {
    "openssl", openssl_create, openssl_destroy, openssl_seal, openssl_open,
};
