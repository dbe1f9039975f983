/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets of a capture file, one after the other: libpcap reads it, but for pcapng, of which it
 * neither tells the interfaces nor takes several of different kinds.
 */
#ifndef DISSECT_CAPTURE_H
#define DISSECT_CAPTURE_H

#include "dissect.h"

enum { CAPTURE_WHY_BYTES = 320 };

typedef struct capture capture;

/* "-" is standard input; filter may be NULL. NULL: why is in why. */
capture *capture_open(const char *path, const char *filter, char why[CAPTURE_WHY_BYTES]);
void capture_close(capture *c);

enum { CAPTURE_END, CAPTURE_PACKET, CAPTURE_FAILED };

/* The next packet that the filter lets through, good until the next call. */
int capture_next(capture *c, dissect_frame *frame, char why[CAPTURE_WHY_BYTES]);

#endif
