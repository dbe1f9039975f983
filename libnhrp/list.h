/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A ring of nodes that live in the objects they link; the head is a node too. A node whose next is
 * NULL is in no list.
 */
#ifndef NHRP_LIST_H
#define NHRP_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_node {
    struct list_node *next, *prev;
} list_node;

static inline void list_init(list_node *head)
{
    head->next = head->prev = head;
}

static inline bool list_linked(const list_node *n)
{
    return n->next != NULL;
}

static inline void list_append(list_node *head, list_node *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}

/* Harmless for a node in no list. */
static inline void list_remove(list_node *n)
{
    if (!n->next)
        return;
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->next = n->prev = NULL;
}

static inline bool list_empty(const list_node *head)
{
    return head->next == head;
}

#endif
