/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * IKEv2 messages: header, payload chains, encrypted payloads opened, fragments joined.
 */
#include "core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOADS_MAX = 128 };

static const name exchanges[] = {{IKEV2_EXCHANGE_IKE_SA_INIT, "IKE_SA_INIT"},
                                 {IKEV2_EXCHANGE_IKE_AUTH, "IKE_AUTH"},
                                 {IKEV2_EXCHANGE_CREATE_CHILD_SA, "CREATE_CHILD_SA"},
                                 {IKEV2_EXCHANGE_INFORMATIONAL, "INFORMATIONAL"},
                                 {38, "IKE_SESSION_RESUME"},
                                 {43, "IKE_INTERMEDIATE"},
                                 {44, "IKE_FOLLOWUP_KE"},
                                 {0, NULL}};

static const name flags[] = {{IKEV2_FLAG_INITIATOR, "initiator"},
                             {IKEV2_FLAG_VERSION, "version"},
                             {IKEV2_FLAG_RESPONSE, "response"},
                             {0, NULL}};

/* ---- Fragments (RFC 7383) ---- */

void ds_assembly_forget(assembly *a)
{
    if (!a->used)
        return;
    for (size_t i = 0; i < PARTS_MAX; i++)
        free(a->parts[i]);
    *a = (assembly){0};
}

static bool belongs(const assembly *a, const ikev2_header *h)
{
    return a->used && a->spi_i == h->spi_i && a->spi_r == h->spi_r &&
           a->message_id == h->message_id && a->flags == h->flags;
}

static assembly *assembly_for(dissector *d, const ikev2_header *h, uint16_t total)
{
    assembly *oldest = &d->assemblies[0];
    for (size_t i = 0; i < ASSEMBLIES_MAX; i++) {
        assembly *a = &d->assemblies[i];
        if (belongs(a, h) && a->total == total)
            return a;
        if (belongs(a, h))
            ds_assembly_forget(a); /* RFC 7383 2.5.1: cut anew, into pieces of another size */
        if (a->used < oldest->used)
            oldest = a;
    }
    ds_assembly_forget(oldest);
    *oldest = (assembly){.used = d->number,
                         .spi_i = h->spi_i,
                         .spi_r = h->spi_r,
                         .message_id = h->message_id,
                         .flags = h->flags,
                         .total = total};
    return oldest;
}

static void join(dissector *d, node *layer, assembly *a)
{
    size_t len = 0;
    for (size_t i = 0; i < a->total; i++)
        len += a->lens[i];
    uint8_t *whole = tree_memory(&d->tree, len);
    size_t at = 0;
    for (size_t i = 0; whole && i < a->total; i++) {
        memcpy(whole + at, a->parts[i], a->lens[i]);
        at += a->lens[i];
    }
    if (whole) {
        const span s = {.bytes = whole, .len = len, .wire_len = len, .buffer = "ikev2 fragments"};
        tree_true(&d->tree, layer, "reassembled");
        ds_ikev2_payloads(d, layer, "payloads", a->first, &s);
    }
    ds_assembly_forget(a);
}

static void keep_fragment(dissector *d, node *layer, const ikev2_header *h, const ikev2_opened *o,
                          const uint8_t *text)
{
    if (o->total > PARTS_MAX) {
        tree_text(&d->tree, layer, "reassembly", "too many fragments");
        return;
    }
    assembly *a = assembly_for(d, h, o->total);
    const size_t i = o->number - 1u;
    if (!a->parts[i]) {
        a->parts[i] = malloc(o->len ? o->len : 1);
        if (!a->parts[i])
            return;
        memcpy(a->parts[i], text, o->len);
        a->lens[i] = o->len;
        a->have++;
    }
    if (o->number == 1)
        a->first = o->first_payload;
    tree_number(&d->tree, layer, "fragments_seen", a->have);
    if (a->have == a->total)
        join(d, layer, a);
}

/* ---- Encrypted payloads (RFC 7296 3.14) ---- */

static ikev2_rc open_with(dissector *d, const ike_keys *k, const ikev2_header *h, const span *s,
                          uint8_t *copy, ikev2_opened *opened)
{
    const int side = h->flags & IKEV2_FLAG_INITIATOR ? 0 : 1;
    const ikev2_message_key key = {.key = k->key[side],
                                   .key_len = k->key_len,
                                   .integ_key = k->integ_key_len ? k->integ_key[side] : NULL,
                                   .integ_key_len = k->integ_key_len,
                                   .encr = k->encr,
                                   .integ = k->integ};
    memcpy(copy, s->bytes, s->len);
    return ikev2_opener_open(d->opener, &key, copy, s->len, opened);
}

static void encrypted(dissector *d, node *layer, node *entry, const ikev2_header *h, const span *s)
{
    tree *t = &d->tree;
    size_t it = 0;
    ikev2_opened opened;
    ikev2_rc rc = IKEV2_ERR_ABSENT;
    uint8_t *copy = NULL;
    if (d->quoting > 0 || ds_is_cut(s)) {
        ds_cut(d, layer, s);
        return;
    }
    const ike_keys *k;
    while (rc < 0 && (k = keys_find_ike(&d->keys, &it, h->spi_i, h->spi_r))) {
        if (!copy)
            copy = tree_memory(t, s->len);
        if (!copy)
            return;
        rc = open_with(d, k, h, s, copy, &opened);
    }
    if (rc == IKEV2_ERR_ABSENT || rc == IKEV2_ERR_ARG) {
        tree_text(t, entry, "status",
                  rc == IKEV2_ERR_ABSENT ? "no key" : "algorithm not supported");
        return;
    }
    if (rc < 0) {
        tree_text(t, entry, "status", rc == IKEV2_ERR_INTEGRITY ? "not authentic" : "malformed");
        ds_fault(d, layer, s, RULES_IKEV2, rc == IKEV2_ERR_LENGTH ? IKE_FAULT_SEALED : rc);
        return;
    }
    tree_text(t, entry, "status", "decrypted");
    if (opened.number > 0) {
        keep_fragment(d, entry, h, &opened, copy + opened.offset);
        return;
    }
    span inner = *s;
    inner.bytes = copy + opened.offset;
    inner.len = inner.wire_len = opened.len;
    inner.offset += opened.offset; /* where its ciphertext lies */
    ds_ikev2_payloads(d, entry, "payloads", opened.first_payload, &inner);
}

/* ---- Messages ---- */

static void spi(dissector *d, node *layer, const char *key, uint64_t value)
{
    tree_format(&d->tree, layer, key, "%016" PRIx64, value);
}

/* RFC 7296 3.1 */
void ds_ikev2(dissector *d, span s)
{
    tree *t = &d->tree;
    node *layer = ds_layer(d, "ikev2", &s);
    ikev2_header h;
    const ikev2_rc rc = ikev2_header_decode(s.bytes, s.len, &h);
    if (rc == IKEV2_ERR_TRUNCATED || rc == IKEV2_ERR_VERSION) {
        if (rc == IKEV2_ERR_VERSION)
            tree_format(t, layer, "version", "%u.%u", h.version >> 4, h.version & 15u);
        ds_fault(d, layer, &s, RULES_IKEV2, rc);
        return;
    }
    spi(d, layer, "initiator_spi", h.spi_i);
    spi(d, layer, "responder_spi", h.spi_r);
    tree_format(t, layer, "version", "%u.%u", h.version >> 4, h.version & 15u);
    ds_name(d, layer, "exchange", exchanges, h.exchange);
    tree_number(t, layer, "exchange_type", h.exchange);
    ds_flags(d, layer, "flags", flags, h.flags);
    tree_number(t, layer, "message_id", h.message_id);
    tree_number(t, layer, "length", h.length);
    if (rc != IKEV2_OK && (h.length != s.wire_len || !ds_is_cut(&s))) {
        ds_fault_at(d, layer, &s, rules_find(RULES_IKEV2, rc)->at, NULL, RULES_IKEV2, rc);
        return;
    }
    span payloads = ds_from(&s, IKEV2_HEADER_BYTES);
    ds_ikev2_payloads(d, layer, "payloads", h.next_payload, &payloads);
    /* SK and SKF are last: what the walk above named is opened here, where the header is known. */
    const node *list = tree_find(layer, "payloads");
    const node *last = list ? list->last : NULL;
    const node *type = last && last->kind == NODE_OBJECT ? tree_find(last, "type_number") : NULL;
    if (type && (type->number == IKEV2_PAYLOAD_SK || type->number == IKEV2_PAYLOAD_SKF))
        encrypted(d, layer, (node *)(uintptr_t)last, &h, &s);
}
