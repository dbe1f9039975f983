/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A tree as JSON, by jansson. All texts of a tree are ASCII.
 */
#include "json.h"

#include <jansson.h>

static json_t *convert(const node *n)
{
    if (n->kind == NODE_NUMBER)
        return json_integer((json_int_t)n->number);
    if (n->kind == NODE_TEXT)
        return json_string(n->text);
    if (n->kind == NODE_TRUE)
        return json_true();
    json_t *value = n->kind == NODE_ARRAY ? json_array() : json_object();
    for (const node *child = n->first; value && child; child = child->next) {
        json_t *inner = convert(child);
        const int failed = n->kind == NODE_ARRAY
                               ? json_array_append_new(value, inner)
                               : json_object_set_new_nocheck(value, child->key, inner);
        if (failed) {
            json_decref(value);
            return NULL;
        }
    }
    return value;
}

bool json_write(const node *root, FILE *out)
{
    json_t *value = convert(root);
    const bool ok = value && json_dumpf(value, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;
    json_decref(value);
    return ok;
}
