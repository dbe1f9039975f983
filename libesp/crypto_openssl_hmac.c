/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * AES-CBC (RFC 3602) or no encryption (RFC 2410), then HMAC-SHA2 (RFC 4868), by OpenSSL 3.
 *
 * RFC 4303 3.3.2.1: encryption first; the ICV covers the packet from its SPI to the last byte
 * enciphered, and the high half of an extended sequence number, which is not sent.
 */
#include "cipher.h"

#include <esp/sa.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

enum {
    BLOCK_BYTES = 16,
    CLEAR_BYTES = 8, /* SPI, sequence number */
    SPI_BYTES = 4,
    HIGH_BYTES = 4,
    DIGEST_MAX = 64
};

struct esp__cipher {
    EVP_CIPHER_CTX *ctx; /* NULL: no encryption */
    EVP_MAC_CTX *mac;
    esp__suite suite;
};

static void hmac_destroy(const alloc *a, esp__cipher *cipher)
{
    if (!cipher)
        return;
    EVP_CIPHER_CTX_free(cipher->ctx); /* both wipe their keys */
    EVP_MAC_CTX_free(cipher->mac);
    alloc_free(a, cipher);
}

static bool key_cipher(esp__cipher *cipher, bool sealing, const uint8_t *key)
{
    const char *name =
        cipher->suite.algorithm == ESP_ALGORITHM_AES128_CBC ? "AES-128-CBC" : "AES-256-CBC";
    EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, name, NULL);
    const bool keyed = type &&
                       EVP_CipherInit_ex2(cipher->ctx, type, key, NULL, sealing, NULL) == 1 &&
                       EVP_CIPHER_CTX_set_padding(cipher->ctx, 0) == 1;
    EVP_CIPHER_free(type); /* the context holds its own reference */
    return keyed;
}

static bool key_mac(esp__cipher *cipher, const uint8_t *key)
{
    static const char *const names[] = {
        [ESP_INTEGRITY_HMAC_SHA2_256_128] = "SHA2-256",
        [ESP_INTEGRITY_HMAC_SHA2_384_192] = "SHA2-384",
        [ESP_INTEGRITY_HMAC_SHA2_512_256] = "SHA2-512",
    };
    char name[sizeof("SHA2-256")];
    memcpy(name, names[cipher->suite.integrity], sizeof(name));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_init(cipher->mac, key, cipher->suite.integrity_bytes, params) == 1;
}

static esp_rc hmac_create(const alloc *a, const esp__suite *suite, bool sealing, const uint8_t *key,
                          esp__cipher **out)
{
    esp__cipher *cipher = alloc_zero(a, sizeof(*cipher));
    if (!cipher)
        return ESP_ERR_NOMEM;
    cipher->suite = *suite;
    ERR_set_mark(); /* the queue of errors is the caller's: what fails here is told by the result */
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    cipher->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac); /* the context holds its own reference */
    bool keyed = cipher->mac && key_mac(cipher, key + suite->key_bytes);
    if (keyed && suite->algorithm != ESP_ALGORITHM_NULL) {
        cipher->ctx = EVP_CIPHER_CTX_new();
        keyed = cipher->ctx && key_cipher(cipher, sealing, key);
    }
    ERR_pop_to_mark();
    if (!keyed) {
        hmac_destroy(a, cipher);
        return ESP_ERR_CRYPTO;
    }
    *out = cipher;
    return ESP_OK;
}

static bool digest(const esp__cipher *cipher, const esp__cipher_job *job, uint8_t out[DIGEST_MAX])
{
    const uint8_t *packet = job->text - cipher->suite.header_len;
    const bool esn = job->aad_len > CLEAR_BYTES;
    size_t len;
    return EVP_MAC_init(cipher->mac, NULL, 0, NULL) == 1 && /* the key stays */
           EVP_MAC_update(cipher->mac, packet, cipher->suite.header_len + job->len) == 1 &&
           (!esn || EVP_MAC_update(cipher->mac, job->aad + SPI_BYTES, HIGH_BYTES) == 1) &&
           EVP_MAC_final(cipher->mac, out, &len, DIGEST_MAX) == 1;
}

/*
 * RFC 3602 3: the IV must be one that nobody can foresee. It is the enciphered sequence number
 * (NIST SP 800-38A, appendix C), which is the first block of a CBC whose own IV is zero.
 */
static bool encipher(EVP_CIPHER_CTX *ctx, const esp__cipher_job *job)
{
    static const uint8_t zero[BLOCK_BYTES];
    uint8_t *iv = job->text - BLOCK_BYTES;
    const size_t number_bytes = job->aad_len - SPI_BYTES;
    uint8_t *rest = job->text + job->head_len;
    int n;
    memset(iv, 0, BLOCK_BYTES);
    memcpy(iv + BLOCK_BYTES - number_bytes, job->aad + SPI_BYTES, number_bytes);
    return EVP_EncryptInit_ex2(ctx, NULL, NULL, zero, NULL) == 1 &&
           EVP_EncryptUpdate(ctx, iv, &n, iv, BLOCK_BYTES) == 1 &&
           (job->head_len == 0 ||
            EVP_EncryptUpdate(ctx, job->text, &n, job->head, (int)job->head_len) == 1) &&
           EVP_EncryptUpdate(ctx, rest, &n, rest, (int)(job->len - job->head_len)) == 1;
}

static esp_rc hmac_seal(esp__cipher *cipher, const esp__cipher_job *job)
{
    uint8_t icv[DIGEST_MAX];
    if (!cipher->ctx && job->head_len > 0)
        memcpy(job->text, job->head, job->head_len);
    if ((cipher->ctx && !encipher(cipher->ctx, job)) || !digest(cipher, job, icv))
        return ESP_ERR_CRYPTO;
    memcpy(job->icv, icv, cipher->suite.icv_len);
    return ESP_OK;
}

static esp_rc hmac_open(esp__cipher *cipher, const esp__cipher_job *job)
{
    uint8_t icv[DIGEST_MAX];
    int n;
    if (!digest(cipher, job, icv))
        return ESP_ERR_CRYPTO;
    if (sodium_memcmp(icv, job->icv, cipher->suite.icv_len) != 0)
        return ESP_ERR_AUTH;
    if (cipher->ctx &&
        (EVP_DecryptInit_ex2(cipher->ctx, NULL, NULL, job->text - BLOCK_BYTES, NULL) != 1 ||
         EVP_DecryptUpdate(cipher->ctx, job->text, &n, job->text, (int)job->len) != 1))
        return ESP_ERR_CRYPTO;
    return ESP_OK;
}

const esp__cipher_backend esp__cipher_openssl_hmac = {
    "openssl", hmac_create, hmac_destroy, hmac_seal, hmac_open,
};
