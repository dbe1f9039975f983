/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ESP, opened where there are keys. A capture has packets twice and in any order, so there is no
 * replay window; where extended sequence numbers want one, it is moved to the packet at hand.
 */
#include "core.h"

#include <esp/esp.h>
#include <string.h>

enum { ESN_WINDOW = 64 };

/* An SA that takes the packet with this sequence number next. */
static esp_sa *make_sa(const esp_keys *k, uint32_t spi, bool esn, uint64_t sequence)
{
    esp_sa_config cfg;
    esp_sa *sa = NULL;
    esp_sa_config_init(&cfg);
    cfg.spi = spi;
    cfg.direction = ESP_DIRECTION_IN;
    cfg.mode = ESP_MODE_TRANSPORT; /* whatever is inside: the next header tells */
    cfg.algorithm = k->algorithm;
    cfg.esn = esn;
    cfg.replay_window = esn ? ESN_WINDOW : 0;
    cfg.keymat = k->key;
    cfg.keymat_len = k->key_len;
    cfg.last_sequence = esn && sequence > 0 ? sequence - 1 : 0;
    return esp_sa_new(&cfg, &sa) == ESP_OK ? sa : NULL;
}

static esp_rc try_open(esp_keys *k, const esp_header *h, bool esn, bool fresh, uint8_t *copy,
                       size_t len, esp_opened *opened)
{
    const uint64_t sequence = (uint64_t)k->sequence_high << 32 | h->sequence_low;
    if (!k->sa || k->sa_spi != h->spi || k->sa_esn != esn || fresh) {
        esp_sa_free(k->sa);
        k->sa = make_sa(k, h->spi, esn, sequence);
        k->sa_spi = h->spi;
        k->sa_esn = esn;
    }
    return k->sa ? esp_sa_open(k->sa, 0, copy, len, opened) : ESP_ERR_CRYPTO;
}

/* With and without extended sequence numbers, as far as the key's line leaves that open. */
static esp_rc open_with(esp_keys *k, const esp_header *h, const span *s, uint8_t *copy,
                        esp_opened *opened, bool *esn)
{
    esp_rc rc = ESP_ERR_AUTH;
    /* First what worked before. */
    const bool first = k->esn == ESN_YES || (k->esn == ESN_UNKNOWN && k->sa && k->sa_esn);
    for (int i = 0; i < (k->esn == ESN_UNKNOWN ? 2 : 1) && rc == ESP_ERR_AUTH; i++) {
        *esn = i == 0 ? first : !first;
        memcpy(copy, s->bytes, s->len);
        rc = try_open(k, h, *esn, false, copy, s->len, opened);
        if (*esn && (rc == ESP_ERR_REPLAY || rc == ESP_ERR_AUTH)) {
            memcpy(copy, s->bytes, s->len);
            rc = try_open(k, h, true, true, copy, s->len, opened);
        }
        if (*esn && rc == ESP_OK)
            k->sequence_high = (uint32_t)(opened->sequence >> 32);
    }
    return rc;
}

static bool is_authentic(esp_rc rc)
{
    return rc == ESP_OK || rc == ESP_ERR_DUMMY || rc == ESP_ERR_PADDING ||
           rc == ESP_ERR_NEXT_HEADER;
}

static void show_opened(dissector *d, node *layer, const span *s, const uint8_t *copy,
                        const esp_opened *opened)
{
    tree *t = &d->tree;
    span inner = *s;
    inner.bytes = copy + opened->offset;
    inner.len = inner.wire_len = opened->len;
    inner.offset += opened->offset; /* where its ciphertext lies */
    tree_text(t, layer, "status", "decrypted");
    tree_number(t, layer, "next_header", opened->next_header);
    ds_ip_protocol(d, layer, opened->next_header, inner);
}

/* RFC 4303 2 */
void ds_esp(dissector *d, span s)
{
    tree *t = &d->tree;
    node *layer = ds_layer(d, "esp", &s);
    esp_header h;
    const esp_rc header = esp_header_decode(s.bytes, s.len, &h);
    if (header != ESP_OK) {
        ds_fault(d, layer, &s, RULES_ESP, header);
        return;
    }
    tree_format(t, layer, "spi", "0x%08x", h.spi);
    tree_number(t, layer, "sequence", h.sequence_low);
    if (d->quoting > 0 || ds_is_cut(&s)) {
        ds_cut(d, layer, &s);
        return;
    }
    size_t it = 0;
    bool supported = false;
    bool esn = false;
    esp_rc rc = ESP_ERR_ABSENT;
    esp_opened opened;
    esp_keys *k;
    uint8_t *copy = NULL;
    while (!is_authentic(rc) && (k = keys_find_esp(&d->keys, &it, d->ends.family, d->ends.source,
                                                   d->ends.destination, h.spi))) {
        supported |= k->algorithm != 0;
        if (rc == ESP_ERR_ABSENT)
            rc = ESP_ERR_PROTOCOL;
        if (k->algorithm == 0)
            continue;
        if (!copy)
            copy = tree_memory(t, s.len);
        if (!copy)
            return;
        rc = open_with(k, &h, &s, copy, &opened, &esn);
    }
    if (rc == ESP_ERR_ABSENT || !supported) {
        tree_text(t, layer, "status", rc == ESP_ERR_ABSENT ? "no key" : "algorithm not supported");
        ds_payload(d, layer, &s);
        return;
    }
    if (esn && is_authentic(rc))
        tree_true(t, layer, "extended_sequence_number");
    if (rc == ESP_ERR_CRYPTO) {
        tree_text(t, layer, "status", "cannot be opened");
        return;
    }
    if (rc == ESP_OK) {
        show_opened(d, layer, &s, copy, &opened);
    } else if (rc == ESP_ERR_DUMMY) {
        tree_text(t, layer, "status", "dummy packet");
    } else {
        tree_text(t, layer, "status", is_authentic(rc) ? "malformed inside" : "not authentic");
        ds_fault(d, layer, &s, RULES_ESP, rc);
    }
}
