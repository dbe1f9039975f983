/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Written down by RFC 4303 2, RFC 4106, RFC 3602 and RFC 4868 apart from the library, so that an
 * error of one is not an error of both.
 */
#include "esp_test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const EVP_CIPHER *type_of(uint8_t algorithm)
{
    if (algorithm == ESP_ALGORITHM_AES128_GCM16)
        return EVP_aes_128_gcm();
    return algorithm == ESP_ALGORITHM_AES256_GCM16 ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
}

static void put_be(uint8_t *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* RFC 4106 3 to 5, RFC 7634 2 */
static size_t craft_aead(const esp_sa_config *cfg, uint64_t sequence, const uint8_t *plain,
                         size_t len, uint8_t *out)
{
    uint8_t nonce[12];
    uint8_t aad[12];
    int n = 0;

    put_be(out + 8, sequence, 8);
    memcpy(nonce, cfg->keymat + cfg->keymat_len - 4, 4);
    memcpy(nonce + 4, out + 8, 8);
    put_be(aad, cfg->spi, 4);
    put_be(aad + 4, sequence, cfg->esn ? 8 : 4);

    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    assert_non_null(ctx);
    assert_int_equal(EVP_EncryptInit_ex(ctx, type_of(cfg->algorithm), NULL, cfg->keymat, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, aad, cfg->esn ? 12 : 8), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out + 16, &n, plain, (int)len), 1);
    assert_int_equal(EVP_EncryptFinal_ex(ctx, out + 16 + len, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + 16 + len), 1);
    EVP_CIPHER_CTX_free(ctx);
    return 16 + len + 16;
}

/* RFC 3602 3, RFC 4868 2.1, RFC 4303 2.8. Any IV will do for a receiver. */
static size_t craft_hmac(const esp_sa_config *cfg, uint64_t sequence, const uint8_t *plain,
                         size_t len, uint8_t *out)
{
    const bool aes128 = cfg->algorithm == ESP_ALGORITHM_AES128_CBC;
    const bool aes = aes128 || cfg->algorithm == ESP_ALGORITHM_AES256_CBC;
    const size_t key_len = aes ? aes128 ? 16 : 32 : 0;
    uint8_t mac[64];
    unsigned mac_len = 0;
    size_t at = 8;
    int n = 0;

    if (aes) {
        for (uint8_t i = 0; i < 16; i++)
            out[at++] = (uint8_t)(sequence * 31 + i * 7);
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        assert_non_null(ctx);
        assert_int_equal(len % 16, 0);
        assert_int_equal(EVP_EncryptInit_ex(ctx, aes128 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(),
                                            NULL, cfg->keymat, out + 8),
                         1);
        assert_int_equal(EVP_CIPHER_CTX_set_padding(ctx, 0), 1);
        assert_int_equal(EVP_EncryptUpdate(ctx, out + at, &n, plain, (int)len), 1);
        EVP_CIPHER_CTX_free(ctx);
    } else {
        memcpy(out + at, plain, len);
    }
    at += len;
    put_be(out + at, sequence >> 32, 4); /* signed, then the ICV takes its place */
    const EVP_MD *digest = cfg->integrity == ESP_INTEGRITY_HMAC_SHA2_256_128   ? EVP_sha256()
                           : cfg->integrity == ESP_INTEGRITY_HMAC_SHA2_384_192 ? EVP_sha384()
                                                                               : EVP_sha512();
    assert_non_null(HMAC(digest, cfg->keymat + key_len, (int)(cfg->keymat_len - key_len), out,
                         at + (cfg->esn ? 4 : 0), mac, &mac_len));
    memcpy(out + at, mac, mac_len / 2);
    return at + mac_len / 2;
}

size_t craft(const esp_sa_config *cfg, uint64_t sequence, const uint8_t *plain, size_t len,
             uint8_t out[TEST_ROOM])
{
    assert_true(len + 24 + 64 <= TEST_ROOM);
    put_be(out, cfg->spi, 4);
    put_be(out + 4, sequence, 4);
    return cfg->integrity == ESP_INTEGRITY_NONE ? craft_aead(cfg, sequence, plain, len, out)
                                                : craft_hmac(cfg, sequence, plain, len, out);
}

size_t craft_numbered(const esp_sa_config *cfg, uint64_t sequence, uint8_t out[TEST_ROOM])
{
    uint8_t plain[16];
    memset(plain, (uint8_t)sequence, 13);
    plain[13] = 1;
    plain[14] = 1;
    plain[15] = 47;
    return craft(cfg, sequence, plain, sizeof(plain), out);
}
