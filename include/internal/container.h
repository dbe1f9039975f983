/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The object that embeds a list, map or heap node.
 */
#ifndef INTERNAL_CONTAINER_H
#define INTERNAL_CONTAINER_H

#include <stddef.h>

#define CONTAINER_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#endif
