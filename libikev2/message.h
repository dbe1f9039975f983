/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Messages as the engine sees them, and how it writes them.
 */
#ifndef LIBIKEV2_MESSAGE_H
#define LIBIKEV2_MESSAGE_H

#include "internal/wire.h"

#include <ikev2/message.h>

enum {
    IKEV2__GENERIC_BYTES = 4, /* generic payload header */
    IKEV2__MAX_PAYLOADS = 64, /* of the known types, in one message */
    IKEV2__NONCE_BYTES = 32,  /* of ours */
    IKEV2__MIN_NONCE = 16,    /* RFC 7296 3.9 */
    IKEV2__MAX_NONCE = 256,
    IKEV2__VERSION = 0x20,
    IKEV2__SPI_BYTES = 8,
    IKEV2__NAT_HASH_BYTES = 20,
    IKEV2__MAX_COOKIE = 64
};

/* Notify message types (RFC 7296 3.10.1, RFC 7383, RFC 7427). */
enum {
    IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD = 1,
    IKEV2__N_INVALID_IKE_SPI = 4,
    IKEV2__N_INVALID_MAJOR_VERSION = 5,
    IKEV2__N_INVALID_SYNTAX = 7,
    IKEV2__N_INVALID_MESSAGE_ID = 9,
    IKEV2__N_INVALID_SPI = 11,
    IKEV2__N_NO_PROPOSAL_CHOSEN = 14,
    IKEV2__N_INVALID_KE_PAYLOAD = 17,
    IKEV2__N_AUTHENTICATION_FAILED = 24,
    IKEV2__N_SINGLE_PAIR_REQUIRED = 34,
    IKEV2__N_NO_ADDITIONAL_SAS = 35,
    IKEV2__N_INTERNAL_ADDRESS_FAILURE = 36,
    IKEV2__N_FAILED_CP_REQUIRED = 37,
    IKEV2__N_TS_UNACCEPTABLE = 38,
    IKEV2__N_INVALID_SELECTORS = 39,
    IKEV2__N_TEMPORARY_FAILURE = 43,
    IKEV2__N_CHILD_SA_NOT_FOUND = 44,
    IKEV2__N_FIRST_STATUS = 16384,
    IKEV2__N_INITIAL_CONTACT = 16384,
    IKEV2__N_SET_WINDOW_SIZE = 16385,
    IKEV2__N_ADDITIONAL_TS_POSSIBLE = 16386,
    IKEV2__N_IPCOMP_SUPPORTED = 16387,
    IKEV2__N_NAT_DETECTION_SOURCE_IP = 16388,
    IKEV2__N_NAT_DETECTION_DESTINATION_IP = 16389,
    IKEV2__N_COOKIE = 16390,
    IKEV2__N_USE_TRANSPORT_MODE = 16391,
    IKEV2__N_HTTP_CERT_LOOKUP_SUPPORTED = 16392,
    IKEV2__N_REKEY_SA = 16393,
    IKEV2__N_ESP_TFC_PADDING_NOT_SUPPORTED = 16394,
    IKEV2__N_NON_FIRST_FRAGMENTS_ALSO = 16395,
    IKEV2__N_FRAGMENTATION_SUPPORTED = 16430,
    IKEV2__N_SIGNATURE_HASH_ALGORITHMS = 16431
};

/* States of an IKE SA; sa.c says what leads from one to another. */
enum {
    IKEV2__STATE_NEW,
    IKEV2__STATE_INIT_SENT, /* initiator: IKE_SA_INIT request is out */
    IKEV2__STATE_KEYED,     /* initiator: has keys, IKE_AUTH not sent: the caller is asked */
    IKEV2__STATE_AUTH_SENT, /* initiator: IKE_AUTH request is out */
    IKEV2__STATE_JUDGING,   /* initiator: its response waits for an answer of the caller */
    IKEV2__STATE_HALF_OPEN, /* responder: IKE_SA_INIT answered */
    IKEV2__STATE_ASKING,    /* responder: IKE_AUTH waits for an answer of the caller */
    IKEV2__STATE_ESTABLISHED,
    IKEV2__STATE_REPLACED, /* has a successor, waits to be deleted */
    IKEV2__STATE_DELETING, /* our Delete is out */
    IKEV2__STATE_CLOSED,   /* gone; only repeats its last response */
    IKEV2__STATE_COUNT
};

#define IKEV2__IN(state)        (1u << IKEV2__STATE_##state)
#define IKEV2__IN_AUTHENTICATED (IKEV2__IN(ESTABLISHED) | IKEV2__IN(REPLACED) | IKEV2__IN(DELETING))
#define IKEV2__BIT(type)        (1u << ((type)-IKEV2_PAYLOAD_SA))

/* Forms of a message within its exchange. */
enum { IKEV2__FORM_PLAIN, IKEV2__FORM_CHILD, IKEV2__FORM_IKE, IKEV2__FORM_ERROR };

typedef struct ikev2__message {
    uint32_t present; /* IKEV2__BIT of each type that may be looked at */
    uint8_t form;
    uint8_t critical; /* the payload type that made the message ERR_CRITICAL */
    size_t count;
    ikev2_payload payloads[IKEV2__MAX_PAYLOADS];
} ikev2__message;

ikev2_rc ikev2__message_parse(const uint8_t *bytes, size_t len, uint8_t first, ikev2__message *msg);
const ikev2_payload *ikev2__message_get(const ikev2__message *msg, uint8_t type);
bool ikev2__message_notify(const ikev2__message *msg, uint16_t type, ikev2_notify *out);
bool ikev2__message_next_notify(const ikev2__message *msg, size_t *it, ikev2_notify *out);
uint16_t ikev2__message_error(const ikev2__message *msg); /* 0: none */

/* Before decryption: is there such a message in this state at all? */
bool ikev2__exchange_allowed(uint8_t exchange, bool response, uint8_t state);
/* After it: has it what it must have? Hides the rest from the handler, and sets the form. */
ikev2_rc ikev2__exchange_check(uint8_t exchange, bool response, uint8_t state, ikev2__message *msg);

/* Writes a chain of payloads; the type of each is patched into the one before. */
typedef struct ikev2__builder {
    wire_writer w;
    size_t next_at;  /* where the type of the next payload goes */
    size_t start_at; /* of the payload being written */
    uint8_t first;   /* type of the first payload */
    bool chained;    /* there is one already */
} ikev2__builder;

ikev2__builder ikev2__builder_make(uint8_t *buf, size_t cap);
void ikev2__payload_begin(ikev2__builder *b, uint8_t type);
void ikev2__payload_end(ikev2__builder *b);
void ikev2__header_put(wire_writer *w, const ikev2_header *h);

void ikev2__put_bytes(ikev2__builder *b, uint8_t type, const uint8_t *bytes, size_t len);
void ikev2__put_ke(ikev2__builder *b, uint16_t group, const uint8_t *bytes, size_t len);
void ikev2__put_id(ikev2__builder *b, uint8_t type, const ikev2_identity *id);
void ikev2__put_auth(ikev2__builder *b, uint8_t method, const uint8_t *bytes, size_t len);
void ikev2__put_notify(ikev2__builder *b, uint8_t protocol, const uint8_t *spi, size_t spi_len,
                       uint16_t type, const uint8_t *data, size_t len);
void ikev2__put_status(ikev2__builder *b, uint16_t type);
void ikev2__put_delete(ikev2__builder *b, uint8_t protocol, const uint32_t *spis, size_t count);
void ikev2__put_selectors(ikev2__builder *b, uint8_t type, const ikev2_selector *ts, size_t count);

#endif
