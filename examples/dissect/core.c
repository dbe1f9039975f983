/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One frame at a time: the packet's object, its layers, what is wrong with it.
 */
#include "core.h"

#include <inttypes.h>
#include <nhrp/nhrp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TREE_BYTES = 4 << 20 };

void dissect_options_init(dissect_options *options)
{
    *options = (dissect_options){
        .label_oui = NHRP_OUI_DEFAULT, .bgp_ports = {DISSECT_BGP_PORT}, .bgp_port_count = 1};
}

dissector *dissect_new(const dissect_options *options)
{
    dissector *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->options = *options;
    if (!tree_init(&d->tree, TREE_BYTES) || ikev2_opener_new(NULL, &d->opener) != IKEV2_OK) {
        dissect_free(d);
        return NULL;
    }
    return d;
}

void dissect_reset(dissector *d)
{
    for (size_t i = 0; i < ASSEMBLIES_MAX; i++)
        ds_assembly_forget(&d->assemblies[i]);
    streams_free(&d->streams);
    fragments_free(&d->fragments);
}

void dissect_free(dissector *d)
{
    if (!d)
        return;
    dissect_reset(d);
    keys_free(&d->keys);
    ikev2_opener_free(d->opener);
    tree_free(&d->tree);
    free(d);
}

const char *dissect_add_ikev2_key(dissector *d, const char *line)
{
    return keys_add_ike(&d->keys, line);
}

const char *dissect_add_esp_key(dissector *d, const char *line)
{
    return keys_add_esp(&d->keys, line);
}

const node *dissect_packet(dissector *d, const dissect_frame *frame)
{
    tree *t = &d->tree;
    tree_reset(t);
    d->number = frame->number;
    d->ends = (endpoints){0};
    d->context = frame->interface;
    d->depth = 0;
    d->quoting = 0;
    d->packet = tree_root(t);
    tree_number(t, d->packet, "number", frame->number);
    tree_format(t, d->packet, "time", "%" PRIu64 ".%06" PRIu32, frame->seconds,
                frame->microseconds);
    if (frame->interface_name)
        tree_string(t, d->packet, "interface", (const uint8_t *)frame->interface_name,
                    strlen(frame->interface_name));
    tree_number(t, d->packet, "length", frame->wire_len);
    if (frame->len < frame->wire_len)
        tree_number(t, d->packet, "captured", frame->len);
    d->layers = tree_array(t, d->packet, "layers");
    const span s = {.bytes = frame->bytes, .len = frame->len, .wire_len = frame->wire_len};
    ds_link(d, frame->link, s);
    if (t->full)
        tree_true_at_last(t, d->packet, "incomplete");
    return d->packet;
}

/* ---- Spans ---- */

bool ds_is_cut(const span *s)
{
    return s->len < s->wire_len;
}

span ds_from(const span *s, size_t at)
{
    span rest = *s;
    const size_t skip = at < s->len ? at : s->len;
    rest.bytes += skip;
    rest.len -= skip;
    rest.wire_len = at < s->wire_len ? s->wire_len - at : 0;
    rest.offset += at;
    return rest;
}

span ds_first(const span *s, size_t len)
{
    span first = *s;
    first.wire_len = len;
    first.len = s->len < len ? s->len : len;
    return first;
}

/* ---- Layers ---- */

void ds_enter(dissector *d, layer_fn *layer, span s)
{
    if (d->depth == DEPTH_MAX) {
        tree_format(&d->tree, d->packet, "stopped", "more than %d layers within layers", DEPTH_MAX);
        return;
    }
    d->depth++;
    layer(d, s);
    d->depth--;
}

node *ds_layer(dissector *d, const char *proto, const span *s)
{
    node *layer = tree_object(&d->tree, d->layers, NULL);
    tree_text(&d->tree, layer, "proto", proto);
    tree_number(&d->tree, layer, "offset", s->offset);
    if (s->buffer)
        tree_text(&d->tree, layer, "buffer", s->buffer);
    return layer;
}

static const char *proto_of(const node *layer)
{
    const node *proto = tree_find(layer, "proto");
    return proto && proto->text ? proto->text : "frame";
}

void ds_cut(dissector *d, node *layer, const span *s)
{
    tree *t = &d->tree;
    if (d->quoting > 0) {
        tree_true(t, layer, "cut_short");
        return;
    }
    if (tree_find(d->packet, "truncated"))
        return;
    node *cut = tree_object(t, d->packet, "truncated");
    tree_text(t, cut, "layer", proto_of(layer));
    tree_number(t, cut, "offset", s->offset);
    if (s->buffer)
        tree_text(t, cut, "buffer", s->buffer);
    tree_format(t, cut, "text", "the capture has %zu of %zu bytes", s->len, s->wire_len);
}

void ds_fault_at(dissector *d, node *layer, const span *s, size_t at, const char *section,
                 int library, int32_t rc)
{
    tree *t = &d->tree;
    const rule *r = rules_find(library, rc);
    if (r->cut && (ds_is_cut(s) || d->quoting > 0)) {
        ds_cut(d, layer, s);
        return;
    }
    node *error;
    if (d->quoting > 0) {
        /* Who quotes a packet need not approve of it. */
        error = tree_object(t, layer, "error");
    } else if (tree_find(d->packet, "error")) {
        const node *more = tree_find(d->packet, "more_errors");
        node *list = more ? (node *)(uintptr_t)more : tree_array(t, d->packet, "more_errors");
        error = tree_object(t, list, NULL);
    } else {
        error = tree_object(t, d->packet, "error");
    }
    tree_text(t, error, "layer", proto_of(layer));
    tree_number(t, error, "offset", s->offset + at);
    if (s->buffer)
        tree_text(t, error, "buffer", s->buffer);
    tree_text(t, error, "code", rules_code_name(r, rc));
    tree_text(t, error, "rule", section ? section : r->rule);
    tree_text(t, error, "text", r->text);
}

void ds_fault(dissector *d, node *layer, const span *s, int library, int32_t rc)
{
    ds_fault_at(d, layer, s, rules_find(library, rc)->at, NULL, library, rc);
}

void ds_quoted(dissector *d, node *layer, layer_fn *quoted, span s)
{
    node *outer_layers = d->layers;
    const endpoints ends = d->ends;
    const uint64_t context = d->context;
    d->layers = tree_array(&d->tree, layer, "quoted");
    d->quoting++;
    ds_enter(d, quoted, s);
    d->quoting--;
    d->layers = outer_layers;
    d->ends = ends;
    d->context = context;
}

/* What nothing here looks into. */
void ds_payload(dissector *d, node *layer, const span *s)
{
    if (s->wire_len > 0)
        tree_number(&d->tree, layer, "payload_length", s->wire_len);
}

void ds_context(dissector *d, const void *bytes, size_t len)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = {0};
    uint8_t input[64];
    unsigned char hash[crypto_shorthash_BYTES];
    const size_t take =
        len < sizeof(input) - sizeof(d->context) ? len : sizeof(input) - sizeof(d->context);
    memcpy(input, &d->context, sizeof(d->context));
    memcpy(input + sizeof(d->context), bytes, take);
    (void)crypto_shorthash(hash, input, sizeof(d->context) + take, key);
    memcpy(&d->context, hash, sizeof(d->context));
}

bool ds_more(dissector *d, node *list, size_t count)
{
    if (count < ITEMS_MAX)
        return true;
    if (count == ITEMS_MAX)
        tree_text(&d->tree, list, NULL, "...");
    return false;
}

/* ---- Values ---- */

void ds_address(dissector *d, node *parent, const char *key, uint8_t family, const uint8_t *bytes)
{
    if (family == NHRP_FAMILY_IPV4)
        tree_ipv4(&d->tree, parent, key, bytes);
    else if (family == NHRP_FAMILY_IPV6)
        tree_ipv6(&d->tree, parent, key, bytes);
}

void ds_prefix(dissector *d, node *parent, const char *key, uint8_t family, const uint8_t *bytes,
               unsigned prefix_len)
{
    node scratch = {.kind = NODE_OBJECT};
    ds_address(d, &scratch, "address", family, bytes);
    const node *text = tree_find(&scratch, "address");
    if (text && text->text)
        tree_format(&d->tree, parent, key, "%s/%u", text->text, prefix_len);
}

const char *name_of(const name *names, uint32_t value)
{
    for (; names->text; names++)
        if (names->value == value)
            return names->text;
    return NULL;
}

void ds_name(dissector *d, node *parent, const char *key, const name *names, uint32_t value)
{
    const char *text = name_of(names, value);
    if (text)
        tree_text(&d->tree, parent, key, text);
    else
        tree_format(&d->tree, parent, key, "%" PRIu32, value);
}

void ds_flags(dissector *d, node *parent, const char *key, const name *bits, uint32_t value)
{
    node *list = tree_array(&d->tree, parent, key);
    for (; bits->text; bits++)
        if (value & bits->value)
            tree_text(&d->tree, list, NULL, bits->text);
}
