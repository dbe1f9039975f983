/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the dissector says about a frame: objects, arrays, numbers and texts, in order. They live in
 * one block of memory that is used again for the next frame. When it is full, what is added goes
 * nowhere, and the tree remembers that it is not whole.
 */
#ifndef DISSECT_TREE_H
#define DISSECT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NODE_OBJECT, NODE_ARRAY, NODE_NUMBER, NODE_TEXT, NODE_TRUE };

typedef struct node node;
struct node {
    uint8_t kind;
    const char *key; /* static or in the tree; NULL in an array */
    const char *text;
    uint64_t number;
    node *first;
    node *last;
    node *next;
};

typedef struct tree {
    uint8_t *bytes;
    size_t cap;
    size_t used;
    bool full;
    node sink; /* what was added to a full tree */
} tree;

bool tree_init(tree *t, size_t cap);
void tree_free(tree *t);
void tree_reset(tree *t);
/* Adds to a full tree, for which a little is kept back. */
void tree_true_at_last(tree *t, node *parent, const char *key);

/* Memory until the next reset; NULL where the tree is full. */
void *tree_memory(tree *t, size_t size);

/* A root, or a child of parent; never NULL. Keys are not copied. */
node *tree_root(tree *t);
node *tree_object(tree *t, node *parent, const char *key);
node *tree_array(tree *t, node *parent, const char *key);

void tree_number(tree *t, node *parent, const char *key, uint64_t number);
void tree_true(tree *t, node *parent, const char *key);
void tree_text(tree *t, node *parent, const char *key, const char *text);
void tree_format(tree *t, node *parent, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Two digits a byte; long ones are cut, and end in "...". */
void tree_hex(tree *t, node *parent, const char *key, const uint8_t *bytes, size_t len);
/* Bytes that should be text: what is not printable ASCII becomes \xNN. */
void tree_string(tree *t, node *parent, const char *key, const uint8_t *bytes, size_t len);
void tree_ipv4(tree *t, node *parent, const char *key, const uint8_t *bytes);
void tree_ipv6(tree *t, node *parent, const char *key, const uint8_t *bytes);

const node *tree_find(const node *object, const char *key);

#endif
