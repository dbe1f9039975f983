/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for libesp's crypto_openssl*.c where opening is fuzzed: the same sizes and refusals
 * from a mixer. What was sealed opens, what was changed does not. esp_open_real replays the corpus
 * with the real ciphers.
 */
#include "libesp/cipher.h"
#include "standin.h"

#include <esp/sa.h>

enum { CLEAR_BYTES = 8, ICV_MAX = 32 };

struct esp__cipher {
    esp__suite suite;
    uint64_t key;
};

static esp_rc standin_create(const alloc *a, const esp__suite *suite, bool sealing,
                             const uint8_t *key, esp__cipher **out)
{
    (void)sealing;
    esp__cipher *cipher = alloc_zero(a, sizeof(*cipher));
    if (!cipher)
        return ESP_ERR_NOMEM;
    cipher->suite = *suite;
    cipher->key =
        standin_absorb(suite->algorithm, key, (size_t)suite->key_bytes + suite->integrity_bytes);
    *out = cipher;
    return ESP_OK;
}

static void standin_destroy(const alloc *a, esp__cipher *cipher)
{
    alloc_free(a, cipher);
}

/* Of the nonce of an AEAD, of the header with its IV where there is an HMAC. */
static uint64_t packet_key(const esp__cipher *cipher, const esp__cipher_job *job)
{
    const size_t header_len = cipher->suite.header_len;
    const uint64_t state = cipher->suite.aead
                               ? standin_absorb(cipher->key, job->nonce, ESP__NONCE_BYTES)
                               : standin_absorb(cipher->key, job->text - header_len, header_len);
    return standin_absorb(state, job->aad, job->aad_len);
}

static void make_icv(const esp__cipher *cipher, uint64_t key, const esp__cipher_job *job,
                     uint8_t icv[ICV_MAX])
{
    standin_squeeze(standin_absorb(~key, job->text, job->len), icv, cipher->suite.icv_len);
}

static esp_rc standin_seal(esp__cipher *cipher, const esp__cipher_job *job)
{
    if (!cipher->suite.aead) {
        const size_t iv_len = cipher->suite.header_len - (size_t)CLEAR_BYTES;
        standin_squeeze(standin_absorb(cipher->key, job->aad, job->aad_len), job->text - iv_len,
                        iv_len);
    }
    const uint64_t key = packet_key(cipher, job);
    if (job->head_len > 0)
        memcpy(job->text, job->head, job->head_len);
    standin_add_stream(key, job->text, job->len);
    make_icv(cipher, key, job, job->icv);
    return ESP_OK;
}

static esp_rc standin_open(esp__cipher *cipher, const esp__cipher_job *job)
{
    uint8_t icv[ICV_MAX];
    const uint64_t key = packet_key(cipher, job);
    make_icv(cipher, key, job, icv);
    standin_add_stream(key, job->text, job->len);
    return memcmp(icv, job->icv, cipher->suite.icv_len) == 0 ? ESP_OK : ESP_ERR_AUTH;
}

const esp__cipher_backend esp__cipher_openssl = {
    "standin", standin_create, standin_destroy, standin_seal, standin_open,
};

const esp__cipher_backend esp__cipher_openssl_hmac = {
    "standin", standin_create, standin_destroy, standin_seal, standin_open,
};
