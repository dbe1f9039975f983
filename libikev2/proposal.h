/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SA payloads: offering, choosing, checking the choice.
 */
#ifndef LIBIKEV2_PROPOSAL_H
#define LIBIKEV2_PROPOSAL_H

#include "message.h"

/* What was negotiated; 0 where a type does not apply. */
typedef struct ikev2__suite {
    uint16_t encr;
    uint16_t key_bits;
    uint16_t integ;
    uint16_t prf;
    uint16_t group;
    uint16_t esn;
} ikev2__suite;

typedef struct ikev2__offer {
    const ikev2_transform *transforms;
    size_t count;
    uint8_t protocol;   /* IKEV2_PROTOCOL_ID_IKE or ESP */
    bool with_group;    /* false: the groups of the list do not apply (first Child SA) */
    const uint8_t *spi; /* NULL: none */
    size_t spi_len;
} ikev2__offer;

typedef struct ikev2__choice {
    ikev2__suite suite;
    uint8_t number;
    uint8_t spi[IKEV2__SPI_BYTES];
    size_t spi_len;
} ikev2__choice;

/* Is each transform implemented, and is there one of every type that the protocol needs? */
bool ikev2__transforms_valid(const ikev2_transform *t, size_t count, uint8_t protocol);
/* The first group of a list; NONE where there is none. */
uint16_t ikev2__first_group(const ikev2_transform *t, size_t count);
bool ikev2__has_transform(const ikev2_transform *t, size_t count, uint8_t type, uint16_t id);

void ikev2__put_offer(ikev2__builder *b, const ikev2__offer *offer);
void ikev2__put_choice(ikev2__builder *b, const ikev2__offer *offer, const ikev2__choice *choice);

/*
 * Chooses from an SA payload the first proposal that the offer can do. exact: the payload is an
 * answer, and must be a single choice out of the offer. ERR_PROPOSAL: none; ERR_SYNTAX: malformed.
 */
ikev2_rc ikev2__choose(const ikev2__offer *offer, const ikev2_payload *sa, bool exact,
                       ikev2__choice *out);

#endif
