/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The heap of the process.
 */
#ifndef LAB_MEMORY_H
#define LAB_MEMORY_H

#include <stddef.h>

/* Before much is allocated: that it will be about so many bytes. */
void memory_expect(size_t bytes);

/* What is allocated and was not given back; 0 where the C library cannot tell. */
size_t memory_in_use(void);

#endif
