/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Written down by RFC 4303 2 and RFC 4106 apart from the library, so that an error of one is not an
 * error of both.
 */
#include "esp_test.h"

#include <openssl/evp.h>

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

size_t craft(const esp_sa_config *cfg, uint64_t sequence, const uint8_t *plain, size_t len,
             uint8_t out[TEST_ROOM])
{
    uint8_t nonce[12];
    uint8_t aad[12];
    int n = 0;

    assert_true(len + 32 <= TEST_ROOM);
    put_be(out, cfg->spi, 4);
    put_be(out + 4, sequence, 4);
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

size_t craft_numbered(const esp_sa_config *cfg, uint64_t sequence, uint8_t out[TEST_ROOM])
{
    const uint8_t plain[4] = {(uint8_t)sequence, 1, 1, 47};
    return craft(cfg, sequence, plain, sizeof(plain), out);
}
