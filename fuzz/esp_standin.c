/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for libesp's crypto_openssl.c where opening is fuzzed: the same sizes and refusals
 * from a mixer. What was sealed opens, what was changed does not. esp_open_real replays the corpus
 * with the real ciphers.
 */
#include "libesp/cipher.h"
#include "standin.h"

#include <esp/sa.h>

struct esp__cipher {
    uint64_t key;
};

static esp_rc standin_create(const alloc *a, uint8_t algorithm, bool sealing, const uint8_t *key,
                             esp__cipher **out)
{
    (void)sealing;
    esp__cipher *cipher = alloc_zero(a, sizeof(*cipher));
    if (!cipher)
        return ESP_ERR_NOMEM;
    cipher->key = standin_absorb(algorithm, key, esp__cipher_key_bytes(algorithm));
    *out = cipher;
    return ESP_OK;
}

static void standin_destroy(const alloc *a, esp__cipher *cipher)
{
    alloc_free(a, cipher);
}

static uint64_t packet_key(const esp__cipher *cipher, const esp__cipher_job *job)
{
    const uint64_t state = standin_absorb(cipher->key, job->nonce, ESP__NONCE_BYTES);
    return standin_absorb(state, job->aad, job->aad_len);
}

static void make_icv(uint64_t key, const esp__cipher_job *job, uint8_t icv[ESP_ICV_BYTES])
{
    standin_squeeze(standin_absorb(~key, job->text, job->len), icv, ESP_ICV_BYTES);
}

static esp_rc standin_seal(esp__cipher *cipher, const esp__cipher_job *job)
{
    const uint64_t key = packet_key(cipher, job);
    if (job->head_len > 0)
        memcpy(job->text, job->head, job->head_len);
    standin_add_stream(key, job->text, job->len);
    make_icv(key, job, job->icv);
    return ESP_OK;
}

static esp_rc standin_open(esp__cipher *cipher, const esp__cipher_job *job)
{
    uint8_t icv[ESP_ICV_BYTES];
    const uint64_t key = packet_key(cipher, job);
    make_icv(key, job, icv);
    standin_add_stream(key, job->text, job->len);
    return memcmp(icv, job->icv, sizeof(icv)) == 0 ? ESP_OK : ESP_ERR_AUTH;
}

const esp__cipher_backend esp__cipher_openssl = {
    "standin", standin_create, standin_destroy, standin_seal, standin_open,
};
