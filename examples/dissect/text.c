/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A tree as a line: of each layer what a reader looks for first.
 */
#include "dissect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 256, NUMBER_BYTES = 24 };

typedef struct line {
    char *text;
    size_t len;
    size_t cap;
    bool failed;
} line;

static void put_text(line *out, const char *text)
{
    const size_t len = strlen(text);
    if (out->len + len + 1 > out->cap) {
        size_t cap = out->cap ? out->cap : FIRST_BYTES;
        while (cap < out->len + len + 1)
            cap *= 2;
        char *grown = out->failed ? NULL : realloc(out->text, cap);
        if (!grown) {
            out->failed = true;
            return;
        }
        out->text = grown;
        out->cap = cap;
    }
    memcpy(out->text + out->len, text, len + 1);
    out->len += len;
}

static void put_number(line *out, uint64_t number)
{
    char text[NUMBER_BYTES];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    put_text(out, text);
}

static void put_value(line *out, const node *n)
{
    if (n->kind == NODE_NUMBER)
        put_number(out, n->number);
    else if (n->kind == NODE_TEXT)
        put_text(out, n->text);
    else if (n->kind == NODE_TRUE)
        put_text(out, "yes");
}

/* before, then the value; nothing where there is none. */
static void put(line *out, const node *object, const char *before, const char *key)
{
    const node *n = tree_find(object, key);
    if (!n)
        return;
    put_text(out, before);
    put_value(out, n);
}

static void put_flag(line *out, const node *object, const char *key, const char *text)
{
    if (tree_find(object, key))
        put_text(out, text);
}

static void ends(line *out, const node *layer, const char *source, const char *destination)
{
    put(out, layer, " ", source);
    put(out, layer, " > ", destination);
}

static void joined(line *out, const node *layer, const char *key, const char *before)
{
    const node *list = tree_find(layer, key);
    for (const node *n = list ? list->first : NULL; n; n = n->next) {
        put_text(out, n == list->first ? before : ",");
        put_value(out, n);
    }
}

static void layers(line *out, const node *list);

static void put_ip(line *out, const node *layer)
{
    ends(out, layer, "source", "destination");
    put(out, layer, " fragment at ", "fragment_offset");
    put_flag(out, layer, "reassembled", " (whole)");
}

static void put_icmp(line *out, const node *layer)
{
    put(out, layer, " ", "type");
    put(out, layer, " id ", "id");
    put(out, layer, " seq ", "sequence");
}

static void put_udp(line *out, const node *layer)
{
    ends(out, layer, "source_port", "destination_port");
    put(out, layer, " ", "payload");
}

static void put_tcp(line *out, const node *layer)
{
    ends(out, layer, "source_port", "destination_port");
    joined(out, layer, "flags", " ");
    put(out, layer, " seq ", "sequence");
    put(out, layer, " len ", "payload_length");
    put_flag(out, layer, "retransmission", " (again)");
    put_flag(out, layer, "out_of_order", " (early)");
    put(out, layer, " missing ", "missing");
}

static void put_gre(line *out, const node *layer)
{
    put(out, layer, " ", "protocol_type");
    put(out, layer, " key ", "key");
}

static void put_mpls(line *out, const node *layer)
{
    const node *list = tree_find(layer, "labels");
    for (const node *n = list ? list->first : NULL; n; n = n->next)
        put(out, n, n == list->first ? " " : ",", "label");
}

static void put_esp(line *out, const node *layer)
{
    put(out, layer, " spi ", "spi");
    put(out, layer, " seq ", "sequence");
    const node *status = tree_find(layer, "status");
    if (status && status->text && strcmp(status->text, "decrypted") != 0) {
        put_text(out, " (");
        put_text(out, status->text);
        put_text(out, ")");
    }
}

static void put_bindings(line *out, const node *extension)
{
    const node *list = tree_find(extension, "labels");
    for (const node *n = list ? list->first : NULL; n; n = n->next) {
        put(out, n, " ", "role");
        put(out, n, " ", "prefix");
        joined(out, n, "stack", " label ");
    }
}

static void put_nhrp(line *out, const node *layer)
{
    put(out, layer, " ", "type");
    put(out, layer, " id ", "request_id");
    ends(out, layer, "source_protocol_address", "destination_protocol_address");
    put(out, layer, " ", "error_code");
    const node *extensions = tree_find(layer, "extensions");
    for (const node *n = extensions ? extensions->first : NULL; n; n = n->next)
        put_bindings(out, n);
    const node *cies = tree_find(layer, "cies");
    for (const node *n = cies ? cies->first : NULL; n; n = n->next) {
        put(out, n, " [", "code");
        put(out, n, " nbma ", "client_nbma_address");
        put(out, n, "/", "prefix_length");
        put_flag(out, n, "code", "]");
    }
}

static void put_payloads(line *out, const node *list)
{
    for (const node *n = list->first; n; n = n->next) {
        put_text(out, n == list->first ? "" : " ");
        put(out, n, "", "type");
        put(out, n, ":", "notify");
        put(out, n, ":", "id");
        put(out, n, " ", "fragment");
        put(out, n, "/", "fragments");
        const node *inner = tree_find(n, "payloads");
        if (inner) {
            put_text(out, "{");
            put_payloads(out, inner);
            put_text(out, "}");
        }
    }
}

static void put_ikev2(line *out, const node *layer)
{
    put(out, layer, " ", "exchange");
    joined(out, layer, "flags", " ");
    put(out, layer, " id ", "message_id");
    const node *list = tree_find(layer, "payloads");
    if (list && list->first) {
        put_text(out, " ");
        put_payloads(out, list);
    }
}

static void put_routes(line *out, const node *object, const char *key, const char *sign)
{
    const node *list = tree_find(object, key);
    for (const node *n = list ? list->first : NULL; n; n = n->next) {
        put_text(out, " ");
        put_text(out, sign);
        put(out, n, "", "rd");
        put(out, n, tree_find(n, "rd") ? ":" : "", "prefix");
        put(out, n, " label ", "label");
    }
}

static void put_bgp(line *out, const node *layer)
{
    put(out, layer, " ", "type");
    put(out, layer, " as ", "as");
    put(out, layer, " ", "error");
    put(out, layer, " end of ", "end_of_rib");
    put_routes(out, layer, "withdrawn", "-");
    put_routes(out, layer, "nlri", "+");
    const node *unreach = tree_find(layer, "mp_unreach");
    const node *reach = tree_find(layer, "mp_reach");
    if (unreach)
        put_routes(out, unreach, "withdrawn", "-");
    if (reach) {
        put_routes(out, reach, "nlri", "+");
        put(out, reach, " via ", "next_hop");
    }
    put(out, layer, " (", "treatment");
    put_flag(out, layer, "treatment", ")");
}

static const struct view {
    const char *proto;
    void (*put)(line *out, const node *layer);
} views[] = {{"ipv4", put_ip},   {"ipv6", put_ip},   {"icmp", put_icmp}, {"icmpv6", put_icmp},
             {"udp", put_udp},   {"tcp", put_tcp},   {"gre", put_gre},   {"mpls", put_mpls},
             {"esp", put_esp},   {"nhrp", put_nhrp}, {"bgp", put_bgp},   {"ikev2", put_ikev2},
             {"ethernet", NULL}, {"sll", NULL},      {"sll2", NULL},     {"null", NULL}};

static void put_layer(line *out, const node *layer)
{
    const node *proto = tree_find(layer, "proto");
    if (!proto || !proto->text)
        return;
    put_text(out, proto->text);
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        if (views[i].put && strcmp(views[i].proto, proto->text) == 0)
            views[i].put(out, layer);
    const node *quoted = tree_find(layer, "quoted");
    if (quoted) {
        put_text(out, " quoting (");
        layers(out, quoted);
        put_text(out, ")");
    }
}

/* Link headers say nothing that one looks for: they are left out unless they are all there is. */
static bool is_silent(const node *layer)
{
    const node *proto = tree_find(layer, "proto");
    for (size_t i = 0; proto && proto->text && i < sizeof(views) / sizeof(views[0]); i++)
        if (!views[i].put && strcmp(views[i].proto, proto->text) == 0)
            return true;
    return false;
}

static void layers(line *out, const node *list)
{
    bool any = false;
    for (const node *n = list->first; n; n = n->next) {
        if (is_silent(n) && n->next)
            continue;
        put_text(out, any ? " | " : "");
        put_layer(out, n);
        any = true;
    }
}

static void put_error(line *out, const node *error)
{
    put(out, error, " ! ", "layer");
    put(out, error, " at ", "offset");
    put(out, error, " of ", "buffer");
    put(out, error, ": ", "text");
    put(out, error, " [", "rule");
    put_flag(out, error, "rule", "]");
}

char *dissect_text(const node *packet)
{
    line whole = {0};
    line *out = &whole;
    put(out, packet, "", "number");
    put(out, packet, " ", "time");
    put(out, packet, " ", "interface");
    put_text(out, " ");
    const node *list = tree_find(packet, "layers");
    if (list)
        layers(out, list);
    put(out, packet, " (", "stopped");
    put_flag(out, packet, "stopped", ")");
    const node *cut = tree_find(packet, "truncated");
    if (cut) {
        put(out, cut, " (truncated by the capture: ", "text");
        put_text(out, ")");
    }
    const node *error = tree_find(packet, "error");
    if (error)
        put_error(out, error);
    const node *more = tree_find(packet, "more_errors");
    for (const node *n = more ? more->first : NULL; n; n = n->next)
        put_error(out, n);
    if (whole.failed) {
        free(whole.text);
        return NULL;
    }
    return whole.text;
}
