/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sealing and opening beside the bare cipher: the five EVP calls that a packet of AES-128-GCM takes
 * with a context reused, and nothing else: no headers, no sequence numbers, no replay window, no
 * counters. ChaCha20-Poly1305 beside libsodium's. Runs alternate in one process; CPU time of the
 * thread; the ratio of medians.
 *
 * One line each: name, ours, the peer's name, the peer's, ratio (above 1: ours is better), unit.
 */
#define _POSIX_C_SOURCE 200809L
#include "measure.h"

#include <esp/esp.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS      41
#define POOL        64 /* packets in turn: they stay in the second-level cache */
#define PASSES      64 /* over the pool, in a round */
#define STRIDE      1472
#define AAD_BYTES   8
#define IV_BYTES    8
#define SALT_BYTES  4
#define NONCE_BYTES 12

/* Of AES-128 16 bytes of key and 4 of salt, of ChaCha20 32 and 4. */
static const uint8_t keymat[36] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
#define AES_KEYMAT_BYTES 20

typedef struct bench {
    size_t payload_len;
    esp_sa *out;
    esp_sa *in;
    EVP_CIPHER_CTX *sealer;
    EVP_CIPHER_CTX *opener;
    uint8_t pool[POOL][STRIDE];
    size_t packet_len;
    uint64_t iv;
} bench;

/* ---- Ours. ---- */

static void seal_pool(bench *b)
{
    esp_span span;
    for (size_t i = 0; i < POOL; i++) {
        uint8_t *out = b->pool[i];
        require(esp_sa_seal(b->out, 0, out, STRIDE, out + ESP_HEADER_BYTES, b->payload_len,
                            ESP_NEXT_GRE, &span) == ESP_OK,
                "esp_sa_seal");
    }
    b->packet_len = span.len;
}

static void seal_pool_batch(bench *b)
{
    esp_seal_item items[POOL];
    esp_span spans[POOL];
    for (size_t i = 0; i < POOL; i++)
        items[i] = (esp_seal_item){.out = b->pool[i],
                                   .cap = STRIDE,
                                   .in = b->pool[i] + ESP_HEADER_BYTES,
                                   .len = b->payload_len,
                                   .next_header = ESP_NEXT_GRE};
    require(esp_sa_seal_batch(b->out, 0, items, POOL, spans) == ESP_OK, "esp_sa_seal_batch");
    for (size_t i = 0; i < POOL; i++)
        require(spans[i].result == ESP_OK, "esp_sa_seal_batch");
}

static void open_pool(bench *b)
{
    esp_opened opened;
    for (size_t i = 0; i < POOL; i++)
        require(esp_sa_open(b->in, 0, b->pool[i], b->packet_len, &opened) == ESP_OK, "esp_sa_open");
}

/* ---- The bare cipher, over as many bytes. ---- */

static void next_nonce(bench *b, uint8_t nonce[NONCE_BYTES])
{
    memcpy(nonce, keymat + AES_KEYMAT_BYTES - SALT_BYTES, SALT_BYTES);
    b->iv++;
    memcpy(nonce + SALT_BYTES, &b->iv, IV_BYTES);
}

static void evp_seal_pool(bench *b)
{
    const int text_len = (int)(b->packet_len - ESP_HEADER_BYTES - ESP_ICV_BYTES);
    uint8_t nonce[NONCE_BYTES];
    int n;
    for (size_t i = 0; i < POOL; i++) {
        uint8_t *packet = b->pool[i];
        uint8_t *text = packet + ESP_HEADER_BYTES;
        next_nonce(b, nonce);
        require(EVP_EncryptInit_ex(b->sealer, NULL, NULL, NULL, nonce) == 1 &&
                    EVP_EncryptUpdate(b->sealer, NULL, &n, packet, AAD_BYTES) == 1 &&
                    EVP_EncryptUpdate(b->sealer, text, &n, text, text_len) == 1 &&
                    EVP_EncryptFinal_ex(b->sealer, text + text_len, &n) == 1 &&
                    EVP_CIPHER_CTX_ctrl(b->sealer, EVP_CTRL_AEAD_GET_TAG, ESP_ICV_BYTES,
                                        text + text_len) == 1,
                "EVP_Encrypt");
    }
}

static void evp_open_pool(bench *b)
{
    const int text_len = (int)(b->packet_len - ESP_HEADER_BYTES - ESP_ICV_BYTES);
    uint8_t nonce[NONCE_BYTES];
    int n;
    for (size_t i = 0; i < POOL; i++) {
        uint8_t *packet = b->pool[i];
        uint8_t *text = packet + ESP_HEADER_BYTES;
        memcpy(nonce, keymat + AES_KEYMAT_BYTES - SALT_BYTES, SALT_BYTES);
        memcpy(nonce + SALT_BYTES, packet + ESP_HEADER_BYTES - IV_BYTES, IV_BYTES);
        require(EVP_DecryptInit_ex(b->opener, NULL, NULL, NULL, nonce) == 1 &&
                    EVP_DecryptUpdate(b->opener, NULL, &n, packet, AAD_BYTES) == 1 &&
                    EVP_DecryptUpdate(b->opener, text, &n, text, text_len) == 1 &&
                    EVP_CIPHER_CTX_ctrl(b->opener, EVP_CTRL_AEAD_SET_TAG, ESP_ICV_BYTES,
                                        text + text_len) == 1 &&
                    EVP_DecryptFinal_ex(b->opener, text + text_len, &n) == 1,
                "EVP_Decrypt");
    }
}

static void sodium_seal_pool(bench *b)
{
    const size_t text_len = b->packet_len - ESP_HEADER_BYTES - ESP_ICV_BYTES;
    uint8_t nonce[NONCE_BYTES];
    for (size_t i = 0; i < POOL; i++) {
        uint8_t *packet = b->pool[i];
        uint8_t *text = packet + ESP_HEADER_BYTES;
        next_nonce(b, nonce);
        require(crypto_aead_chacha20poly1305_ietf_encrypt_detached(
                    text, text + text_len, NULL, text, text_len, packet, AAD_BYTES, NULL, nonce,
                    keymat) == 0,
                "crypto_aead_chacha20poly1305_ietf_encrypt_detached");
    }
}

/* ---- Runs. ---- */

/* Nanoseconds a packet; prepare is not timed. */
static double measure(bench *b, void (*prepare)(bench *), void (*work)(bench *))
{
    double total = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        if (prepare)
            prepare(b);
        const double begin = cpu_ns();
        work(b);
        total += cpu_ns() - begin;
    }
    return total / (PASSES * POOL);
}

static void compare(const char *name, uint8_t algorithm, size_t payload_len,
                    void (*prepare)(bench *), void (*ours)(bench *), void (*peers)(bench *))
{
    const int aes = algorithm == ESP_ALGORITHM_AES128_GCM16;
    static bench b;
    double our_ns[ROUNDS];
    double peer_ns[ROUNDS];
    esp_sa_config cfg;

    memset(&b, 0, sizeof(b));
    b.payload_len = payload_len;
    esp_sa_config_init(&cfg);
    cfg.direction = ESP_DIRECTION_OUT;
    cfg.algorithm = algorithm;
    cfg.spi = ESP_SPI_MIN;
    cfg.keymat = keymat;
    cfg.keymat_len = aes ? AES_KEYMAT_BYTES : sizeof(keymat);
    require(esp_sa_new(&cfg, &b.out) == ESP_OK, "esp_sa_new");
    cfg.direction = ESP_DIRECTION_IN;
    require(esp_sa_new(&cfg, &b.in) == ESP_OK, "esp_sa_new");
    b.sealer = EVP_CIPHER_CTX_new();
    b.opener = EVP_CIPHER_CTX_new();
    require(b.sealer && b.opener &&
                EVP_EncryptInit_ex(b.sealer, EVP_aes_128_gcm(), NULL, keymat, NULL) == 1 &&
                EVP_DecryptInit_ex(b.opener, EVP_aes_128_gcm(), NULL, keymat, NULL) == 1,
            "EVP init");

    seal_pool(&b); /* so that packet_len is known */
    for (int i = 0; i < ROUNDS; i++) {
        our_ns[i] = measure(&b, prepare, ours);
        peer_ns[i] = measure(&b, prepare, peers);
    }
    const double our_median = median(our_ns, ROUNDS);
    const double peer_median = median(peer_ns, ROUNDS);
    printf("%s\t%.1f\t%s\t%.1f\t%.2f\tns/packet\n", name, our_median,
           aes ? "EVP aes-128-gcm" : "libsodium chacha20-poly1305", peer_median,
           peer_median / our_median);

    EVP_CIPHER_CTX_free(b.sealer);
    EVP_CIPHER_CTX_free(b.opener);
    esp_sa_free(b.out);
    esp_sa_free(b.in);
}

int main(void)
{
    const uint8_t aes = ESP_ALGORITHM_AES128_GCM16, chacha = ESP_ALGORITHM_CHACHA20_POLY1305;
    require(sodium_init() >= 0, "sodium_init");
    compare("esp-seal-openssl-1400", aes, 1400, NULL, seal_pool, evp_seal_pool);
    compare("esp-seal-batch-openssl-1400", aes, 1400, NULL, seal_pool_batch, evp_seal_pool);
    compare("esp-open-openssl-1400", aes, 1400, seal_pool, open_pool, evp_open_pool);
    compare("esp-seal-openssl-64", aes, 64, NULL, seal_pool, evp_seal_pool);
    compare("esp-open-openssl-64", aes, 64, seal_pool, open_pool, evp_open_pool);
    compare("esp-seal-chacha-1400", chacha, 1400, NULL, seal_pool, sodium_seal_pool);
    compare("esp-seal-chacha-64", chacha, 64, NULL, seal_pool, sodium_seal_pool);
    return 0;
}
