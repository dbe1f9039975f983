/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DISSECT_TRANSPORT_H
#define DISSECT_TRANSPORT_H

#include "core.h"

/* "good", "bad", or "unverified" where bytes are missing: of a whole UDP or TCP packet. */
const char *ds_checksum(const dissector *d, const span *s, uint8_t protocol);

#endif
