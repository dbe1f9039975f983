/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sa.h"

#include <internal/versioned.h>
#include <sodium.h>

#define NO_LIMIT           UINT64_MAX
#define DEFAULT_WINDOW     1024
#define SMALLEST_WINDOW    32 /* what RFC 4303 3.4.3 makes everyone support */
#define WINDOW_GRANULARITY 64

/* The first released sizes: all fields up to here are in every version. */
#define CONFIG_FIRST_SIZE   sizeof(esp_sa_config)
#define INFO_FIRST_SIZE     offsetof(esp_sa_info, integrity)
#define COUNTERS_FIRST_SIZE sizeof(esp_sa_counters)

void esp_sa_config_init(esp_sa_config *cfg)
{
    if (!cfg)
        return;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    cfg->mode = ESP_MODE_TRANSPORT;
    cfg->replay_window = DEFAULT_WINDOW;
    cfg->workers = 1;
}

static bool window_is_valid(uint32_t size)
{
    return size == 0 || size == SMALLEST_WINDOW ||
           (size <= ESP_REPLAY_WINDOW_MAX && size % WINDOW_GRANULARITY == 0);
}

/* The last number that the sequence counter may reach (RFC 4303 3.3.3: it never cycles). */
static uint64_t last_usable(bool esn)
{
    return esn ? UINT64_MAX : UINT32_MAX;
}

static bool config_is_valid(const esp_sa_config *cfg, const esp__suite *suite)
{
    static const uint8_t zero[sizeof(cfg->reserved)];
    const bool inbound = cfg->direction == ESP_DIRECTION_IN;

    if (cfg->direction != ESP_DIRECTION_OUT && !inbound)
        return false;
    if (cfg->mode != ESP_MODE_TRANSPORT && cfg->mode != ESP_MODE_TUNNEL)
        return false;
    /* RFC 4303 2.1 */
    if (cfg->spi < ESP_SPI_MIN || cfg->esn > 1 || !window_is_valid(cfg->replay_window))
        return false;
    /* RFC 4303 3.4.3: the window is what tells the high half of an extended sequence number. */
    if (inbound && cfg->esn && cfg->replay_window == 0)
        return false;
    if (cfg->workers == 0 || cfg->workers > ESP_WORKERS_MAX ||
        memcmp(cfg->reserved, zero, sizeof(zero)) != 0)
        return false;
    /* RFC 4106 8.1, RFC 7634 2, RFC 7296 2.17 */
    if (!cfg->keymat ||
        cfg->keymat_len != (size_t)suite->key_bytes + suite->salt_bytes + suite->integrity_bytes)
        return false;
    return cfg->last_sequence <= last_usable(cfg->esn);
}

/* A soft limit that was not given comes a sixteenth before the hard one. */
static uint64_t soft_limit(uint64_t given, uint64_t hard)
{
    if (given != 0)
        return given;
    return hard == NO_LIMIT ? NO_LIMIT : hard - hard / 16;
}

static void set_limits(esp_sa *sa, const esp_sa_config *cfg)
{
    const uint64_t last = sa->direction == ESP_DIRECTION_OUT ? last_usable(sa->esn) : NO_LIMIT;

    sa->hard_packets = cfg->hard_packets ? cfg->hard_packets : NO_LIMIT;
    sa->spent = ESP_ERR_EXPIRED;
    if (sa->hard_packets >= last) {
        sa->hard_packets = last;
        sa->spent = ESP_ERR_SEQUENCE;
    }
    sa->soft_packets = soft_limit(cfg->soft_packets, sa->hard_packets);
    sa->hard_bytes = cfg->hard_bytes ? cfg->hard_bytes : NO_LIMIT;
    sa->soft_bytes = soft_limit(cfg->soft_bytes, sa->hard_bytes);
    sa->counts_bytes = sa->hard_bytes != NO_LIMIT || sa->soft_bytes != NO_LIMIT;
}

static esp_rc make_workers(esp_sa *sa, const uint8_t *key)
{
    sa->workers = alloc_array(&sa->alloc, sa->worker_count, sizeof(*sa->workers));
    if (!sa->workers)
        return ESP_ERR_NOMEM;
    for (uint32_t i = 0; i < sa->worker_count; i++) {
        const esp_rc rc =
            sa->backend->create(&sa->alloc, &sa->suite, sa->direction == ESP_DIRECTION_OUT, key,
                                &sa->workers[i].cipher);
        if (rc != ESP_OK)
            return rc;
    }
    return ESP_OK;
}

esp_rc esp_sa_new(const esp_sa_config *config, esp_sa **out)
{
    esp_sa_config cfg;
    esp__suite suite;
    esp_sa_config_init(&cfg);
    if (!config || !out || !versioned_read(&cfg, sizeof(cfg), CONFIG_FIRST_SIZE, config) ||
        !esp__suite_get(cfg.algorithm, cfg.integrity, &suite) || !config_is_valid(&cfg, &suite))
        return ESP_ERR_ARG;

    const alloc a = alloc_make(cfg.allocator.resize, cfg.allocator.user);
    esp_sa *sa = alloc_zero(&a, sizeof(*sa));
    if (!sa)
        return ESP_ERR_NOMEM;
    sa->alloc = a;
    sa->backend = suite.aead ? &esp__cipher_openssl : &esp__cipher_openssl_hmac;
    sa->suite = suite;
    sa->payload_max = (uint32_t)esp__payload_max(sa, ESP_PACKET_MAX);
    sa->worker_count = cfg.workers;
    sa->spi = cfg.spi;
    sa->direction = cfg.direction;
    sa->mode = cfg.mode;
    sa->esn = cfg.esn == 1;
    set_limits(sa, &cfg);
    memcpy(sa->salt, cfg.keymat + suite.key_bytes, suite.salt_bytes);
    atomic_init(&sa->last_sequence, cfg.last_sequence);
    atomic_init(&sa->enciphered_bytes, 0);

    const uint32_t window = sa->direction == ESP_DIRECTION_IN ? cfg.replay_window : 0;
    esp_rc rc = make_workers(sa, cfg.keymat);
    if (rc == ESP_OK && !esp__window_init(&sa->window, &sa->alloc, window, cfg.last_sequence))
        rc = ESP_ERR_NOMEM;
    if (rc != ESP_OK) {
        esp_sa_free(sa);
        return rc;
    }
    *out = sa;
    return ESP_OK;
}

void esp_sa_free(esp_sa *sa)
{
    if (!sa)
        return;
    const alloc a = sa->alloc;
    for (uint32_t i = 0; sa->workers && i < sa->worker_count; i++)
        sa->backend->destroy(&a, sa->workers[i].cipher);
    alloc_free(&a, sa->workers);
    esp__window_free(&sa->window, &a);
    sodium_memzero(sa, sizeof(*sa)); /* the salt is part of the key */
    alloc_free(&a, sa);
}

esp_rc esp__drop(esp__worker *w, esp_rc rc)
{
    if (rc == ESP_ERR_BUFFER)
        esp__count(w, ESP__COUNT_BUFFER, 1);
    else if (rc == ESP_ERR_LIMIT)
        esp__count(w, ESP__COUNT_TOO_LONG, 1);
    else if (rc <= ESP_ERR_TRUNCATED && rc >= ESP_ERR_CRYPTO)
        esp__count(w, (unsigned)(ESP_ERR_TRUNCATED - rc), 1);
    return rc;
}

esp_rc esp_sa_get_sealed_len(const esp_sa *sa, size_t len, size_t *sealed_len)
{
    if (!sa || !sealed_len)
        return ESP_ERR_ARG;
    if (len > sa->payload_max)
        return ESP_ERR_LIMIT;
    *sealed_len = esp__padded_len(sa, len) + esp__overhead(sa);
    return ESP_OK;
}

esp_rc esp_sa_get_payload_max(const esp_sa *sa, size_t room, size_t *len)
{
    if (!sa || !len)
        return ESP_ERR_ARG;
    if (room < esp__padded_len(sa, 0) + esp__overhead(sa))
        return ESP_ERR_BUFFER;
    *len = esp__payload_max(sa, room < ESP_PACKET_MAX ? room : ESP_PACKET_MAX);
    return ESP_OK;
}

esp_rc esp_sa_get_info(const esp_sa *sa, esp_sa_info *info)
{
    if (!sa || !info)
        return ESP_ERR_ARG;
    esp_sa_info now = {
        .spi = sa->spi,
        .direction = sa->direction,
        .mode = sa->mode,
        .algorithm = sa->suite.algorithm,
        .esn = sa->esn,
        .replay_window = sa->window.size,
        .workers = sa->worker_count,
        .soft_packets = sa->soft_packets,
        .hard_packets = sa->hard_packets,
        .soft_bytes = sa->soft_bytes,
        .hard_bytes = sa->hard_bytes,
        .integrity = sa->suite.integrity,
        .header_len = sa->suite.header_len,
        .icv_len = sa->suite.icv_len,
        .alignment = sa->suite.alignment,
        .payload_max = sa->payload_max,
    };
    return versioned_write(info, &now, sizeof(now), INFO_FIRST_SIZE) ? ESP_OK : ESP_ERR_ARG;
}

static uint64_t sum(const esp_sa *sa, unsigned kind)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < sa->worker_count; i++)
        total += atomic_load_explicit(&sa->workers[i].counts[kind], memory_order_relaxed);
    return total;
}

static uint64_t sum_of_result(const esp_sa *sa, esp_rc rc)
{
    return sum(sa, (unsigned)(ESP_ERR_TRUNCATED - rc));
}

esp_rc esp_sa_get_counters(const esp_sa *sa, esp_sa_counters *counters)
{
    if (!sa || !counters)
        return ESP_ERR_ARG;
    const esp_sa_counters now = {
        .packets = sum(sa, ESP__COUNT_PACKETS),
        .bytes = sum(sa, ESP__COUNT_BYTES),
        .sequence = atomic_load_explicit(&sa->last_sequence, memory_order_relaxed),
        .truncated = sum_of_result(sa, ESP_ERR_TRUNCATED),
        .align = sum_of_result(sa, ESP_ERR_ALIGN),
        .spi = sum_of_result(sa, ESP_ERR_SPI),
        .replay = sum_of_result(sa, ESP_ERR_REPLAY),
        .auth = sum_of_result(sa, ESP_ERR_AUTH),
        .padding = sum_of_result(sa, ESP_ERR_PADDING),
        .next_header = sum_of_result(sa, ESP_ERR_NEXT_HEADER),
        .dummy = sum_of_result(sa, ESP_ERR_DUMMY),
        .expired = sum_of_result(sa, ESP_ERR_EXPIRED),
        .exhausted = sum_of_result(sa, ESP_ERR_SEQUENCE),
        .buffer = sum(sa, ESP__COUNT_BUFFER),
        .too_long = sum(sa, ESP__COUNT_TOO_LONG),
        .crypto = sum_of_result(sa, ESP_ERR_CRYPTO),
    };
    return versioned_write(counters, &now, sizeof(now), COUNTERS_FIRST_SIZE) ? ESP_OK : ESP_ERR_ARG;
}
