/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng): those that tell of interfaces and packets.
 */
#ifndef DISSECT_PCAPNG_H
#define DISSECT_PCAPNG_H

#include "dissect.h"

#include <stdio.h>

enum { PCAPNG_FIRST_BYTE = 0x0a, PCAPNG_NAME_MAX = 64, PCAPNG_INTERFACES_MAX = 4096 };

typedef struct pcapng_interface {
    uint32_t link;
    uint32_t snap_length; /* 0: none */
    uint8_t resolution;   /* as on file: 10^-n, or with the high bit 2^-n seconds */
    int64_t offset_s;
    char name[PCAPNG_NAME_MAX];
} pcapng_interface;

typedef struct pcapng {
    FILE *file;
    bool big_endian;
    uint8_t *block; /* the body of the last one */
    size_t cap;
    pcapng_interface *interfaces; /* of this section */
    size_t interface_count;
    const char *why; /* after an error */
} pcapng;

void pcapng_begin(pcapng *p, FILE *file);
void pcapng_end(pcapng *p);

enum { PCAPNG_DONE, PCAPNG_PACKET, PCAPNG_ERROR };

/* All of frame but its number; good until the next call. */
int pcapng_next(pcapng *p, dissect_frame *frame);

#endif
