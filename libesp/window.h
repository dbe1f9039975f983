/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The replay window: which of the latest sequence numbers were accepted (RFC 4303 3.4.3), as a ring
 * of 64-bit blocks that is never shifted (RFC 6479), and the high half of extended sequence numbers
 * (RFC 4303 Appendix A2).
 *
 * Numbers are 64 bits wide here, with ESN or without.
 */
#ifndef LIBESP_WINDOW_H
#define LIBESP_WINDOW_H

#include <internal/alloc.h>
#include <stdbool.h>

typedef struct esp__window {
    uint64_t top;  /* the highest number accepted */
    uint32_t size; /* numbers remembered, top included; 0: replays are not looked for */
    uint32_t mask; /* number of blocks, a power of two, less one */
    uint64_t *blocks;
} esp__window;

/* As if all numbers up to last had been accepted; number 0, which nobody sends, always counts. */
bool esp__window_init(esp__window *w, const alloc *a, uint32_t size, uint64_t last);
void esp__window_free(esp__window *w, const alloc *a);

/* False where no number with that low half can be valid. */
bool esp__window_infer(const esp__window *w, uint32_t low, uint64_t *sequence);

/* True where the number is neither too old nor accepted before. Changes nothing. */
bool esp__window_check(const esp__window *w, uint64_t sequence);

/* Takes in a number that was checked, and whose packet has been authenticated since. */
void esp__window_accept(esp__window *w, uint64_t sequence);

#endif
