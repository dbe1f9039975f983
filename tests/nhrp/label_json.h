/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the label codec says of an extension's value, as the line of docs/nhrp-labels.md 4.3.
 */
#ifndef LABEL_JSON_H
#define LABEL_JSON_H

#include <stdio.h>

#include <stddef.h>
#include <stdint.h>

/* Writes one line without its end; value may be NULL where len is 0. */
void label_json(FILE *out, const uint8_t *value, size_t len);

#endif
