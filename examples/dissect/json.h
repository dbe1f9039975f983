/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DISSECT_JSON_H
#define DISSECT_JSON_H

#include "dissect/tree.h"

#include <stdio.h>

/* Writes a tree as one line; false: no memory, or it could not be written. */
bool json_write(const node *root, FILE *out);

#endif
