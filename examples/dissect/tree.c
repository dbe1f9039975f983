/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tree.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, HEX_MAX = 256, TEXT_MAX = 1024, FORMAT_MAX = 256, SPARE_BYTES = 256 };

bool tree_init(tree *t, size_t cap)
{
    *t = (tree){.bytes = malloc(cap + SPARE_BYTES), .cap = cap};
    return t->bytes != NULL;
}

void tree_free(tree *t)
{
    free(t->bytes);
    *t = (tree){0};
}

void tree_reset(tree *t)
{
    t->used = 0;
    t->full = false;
    t->sink = (node){0};
}

void *tree_memory(tree *t, size_t size)
{
    const size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (t->full || rounded < size || rounded > t->cap - t->used) {
        t->full = true;
        return NULL;
    }
    uint8_t *at = t->bytes + t->used;
    t->used += rounded;
    return at;
}

static node *add(tree *t, node *parent, const char *key, uint8_t kind)
{
    node *n = parent == &t->sink ? NULL : tree_memory(t, sizeof(*n));
    if (!n) {
        t->sink = (node){.kind = kind};
        return &t->sink;
    }
    *n = (node){.kind = kind, .key = key};
    if (parent && parent->last)
        parent->last->next = n;
    else if (parent)
        parent->first = n;
    if (parent)
        parent->last = n;
    return n;
}

node *tree_root(tree *t)
{
    return add(t, NULL, NULL, NODE_OBJECT);
}

node *tree_object(tree *t, node *parent, const char *key)
{
    return add(t, parent, key, NODE_OBJECT);
}

node *tree_array(tree *t, node *parent, const char *key)
{
    return add(t, parent, key, NODE_ARRAY);
}

void tree_number(tree *t, node *parent, const char *key, uint64_t number)
{
    add(t, parent, key, NODE_NUMBER)->number = number;
}

void tree_true(tree *t, node *parent, const char *key)
{
    (void)add(t, parent, key, NODE_TRUE);
}

/* Room for a text of len bytes in a new node; NULL where there is none. */
static char *text_of(tree *t, node *parent, const char *key, size_t len)
{
    char *text = parent == &t->sink ? NULL : tree_memory(t, len + 1);
    if (!text)
        return NULL;
    text[len] = 0;
    add(t, parent, key, NODE_TEXT)->text = text;
    return text;
}

void tree_true_at_last(tree *t, node *parent, const char *key)
{
    t->cap += SPARE_BYTES;
    t->full = false;
    tree_true(t, parent, key);
    t->cap -= SPARE_BYTES;
    t->full = true;
}

void tree_text(tree *t, node *parent, const char *key, const char *text)
{
    const size_t len = strlen(text);
    char *out = text_of(t, parent, key, len);
    if (out)
        memcpy(out, text, len);
}

void tree_format(tree *t, node *parent, const char *key, const char *format, ...)
{
    char text[FORMAT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tree_text(t, parent, key, text);
}

static char digit(unsigned value)
{
    return "0123456789abcdef"[value & 15];
}

void tree_hex(tree *t, node *parent, const char *key, const uint8_t *bytes, size_t len)
{
    static const char more[] = "...";
    const size_t shown = len > HEX_MAX ? HEX_MAX : len;
    const size_t tail = len > shown ? strlen(more) : 0;
    char *out = text_of(t, parent, key, 2 * shown + tail);
    for (size_t i = 0; out && i < shown; i++) {
        out[2 * i] = digit(bytes[i] >> 4);
        out[2 * i + 1] = digit(bytes[i]);
    }
    if (out && tail)
        memcpy(out + 2 * shown, more, tail);
}

void tree_string(tree *t, node *parent, const char *key, const uint8_t *bytes, size_t len)
{
    char text[TEXT_MAX + 8];
    size_t at = 0;
    for (size_t i = 0; i < len && at < TEXT_MAX; i++) {
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\') {
            text[at++] = (char)bytes[i];
            continue;
        }
        text[at++] = '\\';
        text[at++] = 'x';
        text[at++] = digit(bytes[i] >> 4);
        text[at++] = digit(bytes[i]);
    }
    text[at] = 0;
    tree_text(t, parent, key, text);
}

void tree_ipv4(tree *t, node *parent, const char *key, const uint8_t *bytes)
{
    char text[INET_ADDRSTRLEN];
    tree_text(t, parent, key, inet_ntop(AF_INET, bytes, text, sizeof text) ? text : "");
}

void tree_ipv6(tree *t, node *parent, const char *key, const uint8_t *bytes)
{
    char text[INET6_ADDRSTRLEN];
    tree_text(t, parent, key, inet_ntop(AF_INET6, bytes, text, sizeof text) ? text : "");
}

const node *tree_find(const node *object, const char *key)
{
    for (const node *n = object->first; n; n = n->next)
        if (n->key && n->key[0] == key[0] && strcmp(n->key, key) == 0)
            return n;
    return NULL;
}
