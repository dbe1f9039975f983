/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Traffic selectors: narrowing and comparing.
 */
#ifndef LIBIKEV2_SELECTORS_H
#define LIBIKEV2_SELECTORS_H

#include "message.h"

typedef struct ikev2__selectors {
    size_t count;
    ikev2_selector list[IKEV2_MAX_SELECTORS];
} ikev2__selectors;

/* All selectors of a payload; those beyond the limit are left out, which narrows. */
ikev2_rc ikev2__selectors_decode(const ikev2_payload *p, ikev2__selectors *out);
/* What a policy says on this path: NONE becomes its address; a NULL list is GRE of it. */
void ikev2__selectors_resolve(const ikev2_selector *list, size_t count, const ikev2_addr *addr,
                              ikev2__selectors *out);
/* The intersection of each with each; count 0: nothing in common. */
void ikev2__selectors_narrow(const ikev2__selectors *a, const ikev2__selectors *b,
                             ikev2__selectors *out);
/* Is each of inner within one of outer? */
bool ikev2__selectors_within(const ikev2__selectors *inner, const ikev2__selectors *outer);
/* RFC 7296 2.23.1: puts an address in the place of the one that a NAT made meaningless. */
void ikev2__selectors_substitute(ikev2__selectors *s, const ikev2_addr *addr);
bool ikev2__selector_valid(const ikev2_selector *s);

#endif
