/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Inbound: RFC 4303 3.4, RFC 4106, RFC 7634, RFC 3602, RFC 4868.
 *
 * Everything is computed in locals; the window and the limits move last, when the packet is known
 * to be authentic and well-formed.
 */
#include "sa.h"

#include <esp/resync.h>

#define IPV4_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40

/* What can be refused before the cipher runs, cheapest first. */
static esp_rc check_packet(const esp_sa *sa, const uint8_t *buf, size_t len, uint32_t *low)
{
    if (len > ESP_PACKET_MAX)
        return ESP_ERR_LIMIT;
    if (len < esp__padded_len(sa, 0) + esp__overhead(sa))
        return ESP_ERR_TRUNCATED;
    if (((len - esp__overhead(sa)) & (sa->suite.alignment - 1u)) != 0)
        return ESP_ERR_ALIGN;

    wire_reader r = wire_reader_make(buf, len);
    if (wire_get_u32(&r) != sa->spi)
        return ESP_ERR_SPI;
    if (sa->opened_packets >= sa->hard_packets ||
        atomic_load_explicit(&sa->enciphered_bytes, memory_order_relaxed) >= sa->hard_bytes)
        return ESP_ERR_EXPIRED;

    *low = wire_get_u32(&r);
    return ESP_OK;
}

/* RFC 4303 3.4.3: the whole number, and whether it is new. */
static esp_rc check_sequence(const esp_sa *sa, uint32_t low, uint64_t *sequence)
{
    *sequence = low;
    if (sa->esn && !esp__window_infer(&sa->window, low, sequence))
        return ESP_ERR_REPLAY;
    return esp__window_check(&sa->window, *sequence) ? ESP_OK : ESP_ERR_REPLAY;
}

static esp_rc decipher(const esp_sa *sa, esp__worker *w, uint8_t *buf, size_t len,
                       uint64_t sequence)
{
    uint8_t nonce[ESP__NONCE_BYTES];
    if (sa->suite.aead) {
        memcpy(nonce, sa->salt, ESP__SALT_BYTES);
        memcpy(nonce + ESP__SALT_BYTES, buf + ESP__IV_AT, ESP__IV_BYTES);
    }
    uint8_t aad[ESP__AAD_MAX];
    const esp__cipher_job job = {
        .nonce = nonce,
        .aad = aad,
        .aad_len = esp__aad(sa, sequence, aad),
        .text = buf + sa->suite.header_len,
        .len = len - esp__overhead(sa),
        .icv = buf + len - sa->suite.icv_len,
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

/* Where an inner IP packet ends by its own header; payload_len where that makes no sense. */
static size_t inner_len(const uint8_t *payload, size_t payload_len, uint8_t next_header)
{
    wire_reader r = wire_reader_make(payload, payload_len);
    const uint32_t version_and_more = wire_get_u32(&r);
    const uint32_t ipv6_payload_len = wire_get_u16(&r);
    const bool ipv4 = next_header == ESP_NEXT_IPV4;
    const size_t header_len = ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    const size_t len = ipv4 ? version_and_more & 0xffff : header_len + ipv6_payload_len;
    const bool sound = wire_ok(&r) && version_and_more >> 28 == (ipv4 ? 4 : 6) &&
                       len >= header_len && len <= payload_len;
    return sound ? len : payload_len;
}

/*
 * The plaintext as payload, padding, pad length and next header. RFC 4303 2.6: of a dummy packet
 * the next header alone need be well-formed.
 */
static esp_rc take_apart(const esp_sa *sa, const uint8_t *text, size_t text_len,
                         uint8_t *next_header, size_t *payload_len)
{
    *next_header = text[text_len - 1];
    if (*next_header == ESP_NEXT_NONE)
        return ESP_ERR_DUMMY;
    const esp_rc rc = strip_padding(text, text_len, payload_len);
    if (rc != ESP_OK || sa->mode != ESP_MODE_TUNNEL)
        return rc;
    if (*next_header != ESP_NEXT_IPV4 && *next_header != ESP_NEXT_IPV6) /* RFC 4303 3.1.2 */
        return ESP_ERR_NEXT_HEADER;
    /* RFC 4303 2.7: traffic flow padding lies behind the inner packet. */
    *payload_len = inner_len(text, *payload_len, *next_header);
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

/* From a checked packet and its number on. With an error but ESP_ERR_DUMMY nothing has moved. */
static esp_rc open_as(esp_sa *sa, esp__worker *w, uint8_t *buf, size_t len, uint64_t sequence,
                      esp_opened *opened)
{
    esp_rc rc = decipher(sa, w, buf, len, sequence);
    if (rc != ESP_OK)
        return rc;
    const uint8_t *text = buf + sa->suite.header_len;
    const size_t text_len = len - esp__overhead(sa);
    uint8_t next_header;
    size_t payload_len;
    rc = take_apart(sa, text, text_len, &next_header, &payload_len);
    if (rc != ESP_OK && rc != ESP_ERR_DUMMY)
        return rc;

    const uint64_t bytes = accept_packet(sa, w, sequence, text_len);
    if (rc == ESP_OK)
        *opened = (esp_opened){
            .offset = sa->suite.header_len,
            .len = (uint32_t)payload_len,
            .sequence = sequence,
            .flags = esp__flags(sa, sa->opened_packets, bytes),
            .next_header = next_header,
        };
    return rc;
}

static esp_rc open_packet(esp_sa *sa, esp__worker *w, uint8_t *buf, size_t len, esp_opened *opened)
{
    uint32_t low;
    uint64_t sequence;
    esp_rc rc = check_packet(sa, buf, len, &low);
    if (rc == ESP_OK)
        rc = check_sequence(sa, low, &sequence);
    if (rc == ESP_OK)
        rc = open_as(sa, w, buf, len, sequence, opened);
    return rc == ESP_OK ? ESP_OK : esp__drop(w, rc);
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

/* RFC 4303 A3.2 */
static esp_rc resync_packet(esp_sa *sa, esp__worker *w, const uint8_t *packet, size_t len,
                            uint32_t max_tries, uint8_t *out, esp_opened *opened)
{
    uint32_t low;
    esp_rc rc = check_packet(sa, packet, len, &low);
    if (rc != ESP_OK)
        return rc;
    const uint64_t high = sa->window.top >> 32;
    rc = ESP_ERR_AUTH;
    for (uint64_t i = 1; i <= max_tries && high + i <= UINT32_MAX && rc == ESP_ERR_AUTH; i++) {
        memcpy(out, packet, len);
        rc = open_as(sa, w, out, len, (high + i) << 32 | low, opened);
    }
    return rc;
}

esp_rc esp_sa_resync(esp_sa *sa, uint32_t worker, const uint8_t *packet, size_t len,
                     uint32_t max_tries, uint8_t *out, size_t cap, esp_opened *opened)
{
    const esp_rc call = check_call(sa, worker);
    if (call != ESP_OK)
        return call;
    if (!packet || !out || !opened || esp__overlaps(packet, len, out, cap))
        return ESP_ERR_ARG;
    if (!sa->esn)
        return ESP_ERR_STATE;
    esp__worker *w = &sa->workers[worker];
    if (cap < len)
        return esp__drop(w, ESP_ERR_BUFFER);
    const esp_rc rc = resync_packet(sa, w, packet, len, max_tries, out, opened);
    return rc == ESP_OK ? ESP_OK : esp__drop(w, rc);
}
