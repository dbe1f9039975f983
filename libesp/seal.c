/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Outbound: RFC 4303 3.3, RFC 4106, RFC 7634, RFC 3602, RFC 4868.
 *
 * A packet is checked, then its bytes are counted against the limits, then it takes a sequence
 * number, then it is enciphered. What fails after the number was taken leaves a gap, since the
 * number is the IV and must not serve twice (RFC 4106 3.1).
 */
#include "sa.h"

#define CIPHER_BLOCK_BYTES 16 /* AES; ChaCha20 does not mind */

static esp_rc check_item(const esp_sa *sa, const esp_seal_item *item)
{
    if (!item->out || (!item->in && item->len > 0))
        return ESP_ERR_ARG;
    if (item->len > sa->payload_max)
        return ESP_ERR_LIMIT;
    if (item->cap < esp__padded_len(sa, item->len) + esp__overhead(sa))
        return ESP_ERR_BUFFER;
    if (item->len > 0 && item->in != item->out + sa->suite.header_len &&
        esp__overlaps(item->in, item->len, item->out, item->cap))
        return ESP_ERR_ARG;
    /* RFC 4303 3.1.2: in tunnel mode the payload is an IP packet. */
    if (sa->mode == ESP_MODE_TUNNEL && item->next_header != ESP_NEXT_IPV4 &&
        item->next_header != ESP_NEXT_IPV6 && item->next_header != ESP_NEXT_NONE)
        return ESP_ERR_ARG;
    return ESP_OK;
}

/* Counts n bytes; false, and nothing counted, where the hard limit had been reached before. */
static bool take_bytes(esp_sa *sa, uint64_t n, uint64_t *total)
{
    *total = 0;
    if (!sa->counts_bytes)
        return true;
    uint64_t used = atomic_load_explicit(&sa->enciphered_bytes, memory_order_relaxed);
    do {
        if (used >= sa->hard_bytes)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&sa->enciphered_bytes, &used, used + n,
                                                    memory_order_relaxed, memory_order_relaxed));
    *total = used + n;
    return true;
}

/*
 * Takes up to n sequence numbers at once, whatever other workers do: returns how many, from *first
 * on. RFC 4303 3.3.3: the counter stops at its end and never cycles.
 */
static size_t reserve(esp_sa *sa, size_t n, uint64_t *first)
{
    uint64_t used = atomic_load_explicit(&sa->last_sequence, memory_order_relaxed);
    uint64_t taken;
    do {
        const uint64_t left = sa->hard_packets > used ? sa->hard_packets - used : 0;
        taken = n < left ? n : left;
        if (taken == 0)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&sa->last_sequence, &used, used + taken,
                                                    memory_order_relaxed, memory_order_relaxed));
    *first = used + 1;
    return (size_t)taken;
}

/* Lays out the packet around the payload and enciphers it. The item was checked. */
static esp_rc encipher(const esp_sa *sa, esp__worker *w, const esp_seal_item *item,
                       uint64_t sequence)
{
    uint8_t *out = item->out;
    uint8_t *text = out + sa->suite.header_len;
    const size_t text_len = esp__padded_len(sa, item->len);

    wire_set_u32(out + ESP__SPI_AT, sa->spi);
    wire_set_u32(out + ESP__SEQUENCE_AT, (uint32_t)sequence);
    uint8_t nonce[ESP__NONCE_BYTES];
    if (sa->suite.aead) {
        /* RFC 4106 3.1, RFC 7634 2: the IV need only be unique, and the sequence number is. */
        wire_set_u32(out + ESP__IV_AT, (uint32_t)(sequence >> 32));
        wire_set_u32(out + ESP__IV_AT + 4, (uint32_t)sequence);
        memcpy(nonce, sa->salt, ESP__SALT_BYTES);
        memcpy(nonce + ESP__SALT_BYTES, out + ESP__IV_AT, ESP__IV_BYTES);
    }

    /* Whole blocks go from in to out through the cipher, only the rest of one is copied. */
    const bool in_place = item->len == 0 || item->in == text;
    const size_t head_len = in_place ? 0 : item->len - item->len % CIPHER_BLOCK_BYTES;
    if (!in_place && item->len > head_len)
        memcpy(text + head_len, item->in + head_len, item->len - head_len);

    /* RFC 4303 2.4: padding is 1, 2, 3, ... */
    uint8_t *trailer = text + item->len;
    const size_t pad_len = text_len - item->len - ESP__TRAILER_BYTES;
    for (size_t i = 0; i < pad_len; i++)
        trailer[i] = (uint8_t)(i + 1);
    trailer[pad_len] = (uint8_t)pad_len;
    trailer[pad_len + 1] = item->next_header;

    uint8_t aad[ESP__AAD_MAX];
    const esp__cipher_job job = {
        .nonce = nonce,
        .aad = aad,
        .aad_len = esp__aad(sa, sequence, aad),
        .head = item->in,
        .head_len = head_len,
        .text = text,
        .len = text_len,
        .icv = text + text_len,
    };
    return sa->backend->seal(w->cipher, &job);
}

/* From the reserved number to the finished packet; the span is written on success. */
static esp_rc seal_item(const esp_sa *sa, esp__worker *w, const esp_seal_item *item,
                        uint64_t sequence, uint64_t total_bytes, esp_span *span)
{
    const esp_rc rc = encipher(sa, w, item, sequence);
    if (rc != ESP_OK)
        return esp__drop(w, rc);
    const size_t text_len = esp__padded_len(sa, item->len);
    esp__count(w, ESP__COUNT_PACKETS, 1);
    esp__count(w, ESP__COUNT_BYTES, text_len);
    *span = (esp_span){
        .len = (uint32_t)(text_len + esp__overhead(sa)),
        .sequence = sequence,
        .flags = esp__flags(sa, sequence, total_bytes),
    };
    return ESP_OK;
}

static esp_rc check_call(const esp_sa *sa, uint32_t worker)
{
    if (!sa || worker >= sa->worker_count)
        return ESP_ERR_ARG;
    return sa->direction == ESP_DIRECTION_OUT ? ESP_OK : ESP_ERR_STATE;
}

esp_rc esp_sa_seal(esp_sa *sa, uint32_t worker, uint8_t *out, size_t cap, const uint8_t *in,
                   size_t len, uint8_t next_header, esp_span *span)
{
    const esp_rc call = check_call(sa, worker);
    if (call != ESP_OK || !span)
        return call != ESP_OK ? call : ESP_ERR_ARG;
    esp__worker *w = &sa->workers[worker];
    const esp_seal_item item = {
        .out = out, .cap = cap, .in = in, .len = len, .next_header = next_header};

    const esp_rc rc = check_item(sa, &item);
    if (rc != ESP_OK)
        return esp__drop(w, rc);
    uint64_t total_bytes;
    if (!take_bytes(sa, esp__padded_len(sa, len), &total_bytes))
        return esp__drop(w, ESP_ERR_EXPIRED);
    uint64_t sequence;
    if (reserve(sa, 1, &sequence) == 0)
        return esp__drop(w, sa->spent);
    return seal_item(sa, w, &item, sequence, total_bytes, span);
}

/* At most ESP__RESERVE_MAX packets, whose sequence numbers are reserved together. */
static void seal_run(esp_sa *sa, esp__worker *w, const esp_seal_item *items, size_t count,
                     esp_span *spans)
{
    uint64_t totals[ESP__RESERVE_MAX];
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        spans[i] = (esp_span){.result = check_item(sa, &items[i])};
        if (spans[i].result == ESP_OK &&
            !take_bytes(sa, esp__padded_len(sa, items[i].len), &totals[i]))
            spans[i].result = ESP_ERR_EXPIRED;
        if (spans[i].result == ESP_OK)
            wanted++;
        else
            (void)esp__drop(w, spans[i].result);
    }

    uint64_t sequence = 0;
    size_t granted = wanted > 0 ? reserve(sa, wanted, &sequence) : 0;
    for (size_t i = 0; i < count; i++) {
        if (spans[i].result != ESP_OK)
            continue;
        if (granted == 0) {
            spans[i].result = esp__drop(w, sa->spent);
            continue;
        }
        spans[i].result = seal_item(sa, w, &items[i], sequence, totals[i], &spans[i]);
        sequence++;
        granted--;
    }
}

esp_rc esp_sa_seal_batch(esp_sa *sa, uint32_t worker, const esp_seal_item *items, size_t count,
                         esp_span *spans)
{
    const esp_rc call = check_call(sa, worker);
    if (call != ESP_OK || (count > 0 && (!items || !spans)))
        return call != ESP_OK ? call : ESP_ERR_ARG;
    while (count > 0) {
        const size_t n = count < ESP__RESERVE_MAX ? count : ESP__RESERVE_MAX;
        seal_run(sa, &sa->workers[worker], items, n, spans);
        items += n;
        spans += n;
        count -= n;
    }
    return ESP_OK;
}
