/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Inbound: RFC 4303 3.4, RFC 4106, RFC 7634.
 *
 * Everything is computed in locals; the window and the limits move last, when the packet is known
 * to be authentic and well-formed.
 */
#include "sa.h"

/* RFC 4303 3.4.3 to 3.4.4.2: what can be refused before the cipher runs, cheapest first. */
static esp_rc check_packet(const esp_sa *sa, const uint8_t *buf, size_t len, uint64_t *sequence)
{
    if (len > ESP_PACKET_MAX)
        return ESP_ERR_LIMIT;
    if (len < ESP_PACKET_MIN)
        return ESP_ERR_TRUNCATED;
    if ((len - ESP_HEADER_BYTES - ESP_ICV_BYTES) % ESP__ALIGNMENT != 0)
        return ESP_ERR_ALIGN;

    wire_reader r = wire_reader_make(buf, len);
    if (wire_get_u32(&r) != sa->spi)
        return ESP_ERR_SPI;
    if (sa->opened_packets >= sa->hard_packets ||
        atomic_load_explicit(&sa->enciphered_bytes, memory_order_relaxed) >= sa->hard_bytes)
        return ESP_ERR_EXPIRED;

    const uint32_t low = wire_get_u32(&r);
    *sequence = low;
    if (sa->esn && !esp__window_infer(&sa->window, low, sequence))
        return ESP_ERR_REPLAY;
    return esp__window_check(&sa->window, *sequence) ? ESP_OK : ESP_ERR_REPLAY;
}

static esp_rc decipher(const esp_sa *sa, esp__worker *w, uint8_t *buf, size_t len,
                       uint64_t sequence)
{
    uint8_t nonce[ESP__NONCE_BYTES];
    memcpy(nonce, sa->salt, ESP__SALT_BYTES);
    memcpy(nonce + ESP__SALT_BYTES, buf + ESP__IV_AT, ESP__IV_BYTES);
    uint8_t aad[ESP__AAD_MAX];
    const esp__cipher_job job = {
        .nonce = nonce,
        .aad = aad,
        .aad_len = esp__aad(sa, sequence, aad),
        .text = buf + ESP_HEADER_BYTES,
        .len = len - ESP_HEADER_BYTES - ESP_ICV_BYTES,
        .icv = buf + len - ESP_ICV_BYTES,
    };
    return sa->backend->open(w->cipher, &job);
}

/* RFC 4303 2.4, 3.4.4.2: the padding must be 1, 2, 3, ... and lie within the text. */
static esp_rc strip_padding(const uint8_t *text, size_t text_len, size_t *payload_len)
{
    const size_t pad_len = text[text_len - ESP__TRAILER_BYTES];
    if (pad_len > text_len - ESP__TRAILER_BYTES)
        return ESP_ERR_PADDING;
    *payload_len = text_len - ESP__TRAILER_BYTES - pad_len;
    for (size_t i = 0; i < pad_len; i++)
        if (text[*payload_len + i] != i + 1)
            return ESP_ERR_PADDING;
    return ESP_OK;
}

static esp_rc check_next_header(const esp_sa *sa, uint8_t next_header)
{
    if (next_header == ESP_NEXT_NONE)
        return ESP_ERR_DUMMY; /* RFC 4303 2.6 */
    /* RFC 4303 3.1.2 */
    if (sa->mode == ESP_MODE_TUNNEL && next_header != ESP_NEXT_IPV4 && next_header != ESP_NEXT_IPV6)
        return ESP_ERR_NEXT_HEADER;
    return ESP_OK;
}

/* RFC 4303 3.4.3: only here, after the ICV was found right, does the window move. */
static uint64_t accept_packet(esp_sa *sa, esp__worker *w, uint64_t sequence, size_t text_len)
{
    esp__window_accept(&sa->window, sequence);
    atomic_store_explicit(&sa->last_sequence, sa->window.top, memory_order_relaxed);
    sa->opened_packets++;
    const uint64_t bytes =
        atomic_load_explicit(&sa->enciphered_bytes, memory_order_relaxed) + text_len;
    atomic_store_explicit(&sa->enciphered_bytes, bytes, memory_order_relaxed);
    esp__count(w, ESP__COUNT_PACKETS, 1);
    esp__count(w, ESP__COUNT_BYTES, text_len);
    return bytes;
}

static esp_rc open_packet(esp_sa *sa, esp__worker *w, uint8_t *buf, size_t len, esp_opened *opened)
{
    uint64_t sequence;
    esp_rc rc = check_packet(sa, buf, len, &sequence);
    if (rc == ESP_OK)
        rc = decipher(sa, w, buf, len, sequence);
    if (rc != ESP_OK)
        return esp__drop(w, rc);

    const uint8_t *text = buf + ESP_HEADER_BYTES;
    const size_t text_len = len - ESP_HEADER_BYTES - ESP_ICV_BYTES;
    const uint8_t next_header = text[text_len - 1];
    size_t payload_len;
    rc = strip_padding(text, text_len, &payload_len);
    if (rc == ESP_OK)
        rc = check_next_header(sa, next_header);
    if (rc != ESP_OK && rc != ESP_ERR_DUMMY)
        return esp__drop(w, rc);

    const uint64_t bytes = accept_packet(sa, w, sequence, text_len);
    if (rc == ESP_ERR_DUMMY)
        return esp__drop(w, rc);
    *opened = (esp_opened){
        .offset = ESP_HEADER_BYTES,
        .len = (uint32_t)payload_len,
        .sequence = sequence,
        .flags = esp__flags(sa, sa->opened_packets, bytes),
        .next_header = next_header,
    };
    return ESP_OK;
}

static esp_rc check_call(const esp_sa *sa, uint32_t worker)
{
    if (!sa || worker >= sa->worker_count)
        return ESP_ERR_ARG;
    return sa->direction == ESP_DIRECTION_IN ? ESP_OK : ESP_ERR_STATE;
}

esp_rc esp_sa_open(esp_sa *sa, uint32_t worker, uint8_t *buf, size_t len, esp_opened *opened)
{
    const esp_rc call = check_call(sa, worker);
    if (call != ESP_OK || !buf || !opened)
        return call != ESP_OK ? call : ESP_ERR_ARG;
    return open_packet(sa, &sa->workers[worker], buf, len, opened);
}

esp_rc esp_sa_open_batch(esp_sa *sa, uint32_t worker, const esp_open_item *items, size_t count,
                         esp_opened *opened)
{
    const esp_rc call = check_call(sa, worker);
    if (call != ESP_OK || (count > 0 && (!items || !opened)))
        return call != ESP_OK ? call : ESP_ERR_ARG;
    for (size_t i = 0; i < count; i++) {
        opened[i] = (esp_opened){.result = ESP_ERR_ARG};
        if (items[i].buf)
            opened[i].result =
                open_packet(sa, &sa->workers[worker], items[i].buf, items[i].len, &opened[i]);
    }
    return ESP_OK;
}
