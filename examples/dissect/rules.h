/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which rule of which RFC a result code stands for: one row a code.
 */
#ifndef DISSECT_RULES_H
#define DISSECT_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* Whose codes they are. */
enum {
    RULES_LINK,
    RULES_IP,
    RULES_UDP,
    RULES_TCP,
    RULES_GRE,
    RULES_MPLS,
    RULES_NHRP,
    RULES_IKEV2,
    RULES_ESP,
    RULES_BGP
};

/* Codes of what no library decodes. */
enum { LINK_ERR_TRUNCATED = -20, LINK_ERR_TYPE = -21 };
enum {
    IP_ERR_TRUNCATED = -20,
    IP_ERR_CHECKSUM = -21,
    IP_ERR_VERSION = -22,
    IP_ERR_HEADER = -23,
    IP_ERR_LENGTH = -24,
    IP_ERR_EXTENSION = -25,
    IP_ERR_ICMP = -26,
    IP_ERR_FRAGMENT = -27
};
enum { UDP_ERR_TRUNCATED = -20, UDP_ERR_LENGTH = -21 };
enum { TCP_ERR_TRUNCATED = -20, TCP_ERR_OFFSET = -21 };

/* Beside libbgpvpn's results: what RFC 7606 wants done with an UPDATE that it decoded. */
enum { BGP_FAULT_DISCARD = 101, BGP_FAULT_WITHDRAW = 102 };

/* IKEV2_ERR_LENGTH of a payload, and of what is encrypted in one. */
enum { IKE_FAULT_CHAIN = 101, IKE_FAULT_SEALED = 102 };

typedef struct rule {
    int library;
    int32_t rc;
    uint16_t at;      /* where the field is, from the start of the layer */
    bool cut;         /* bytes that the capture left out may be all that is wrong */
    const char *name; /* of the code; NULL: the library knows it */
    const char *rule; /* "RFC 2332 5.2.0.1" */
    const char *text;
} rule;

/* Never NULL: the last row is for codes that are not in the table. */
const rule *rules_find(int library, int32_t rc);
const char *rules_code_name(const rule *r, int32_t rc);

/* RFC 7606: what is said about a malformed attribute of this type. */
const char *rules_attribute(uint8_t type);

#endif
