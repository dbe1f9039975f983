/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Frames for the tests: bytes in hex, wrapped in what leads to the decoder they are for.
 */
#ifndef TEST_DISSECT_FRAMES_H
#define TEST_DISSECT_FRAMES_H

#include "harness.h"

#include "dissect/dissect.h"

enum { FRAME_MAX = 16384, IP_BYTES = 20, UDP_AT = 28, GRE_AT = 24, TCP_AT = 40 };

typedef struct frame {
    uint8_t bytes[FRAME_MAX];
    size_t len;
} frame;

/* From 192.0.2.1 to 192.0.2.2, back: the other way. */
void frame_ip(frame *f, uint8_t protocol, const uint8_t *bytes, size_t len, bool back);
void frame_udp(frame *f, uint16_t port, const uint8_t *bytes, size_t len);
void frame_gre(frame *f, uint16_t protocol, const uint8_t *bytes, size_t len);
void frame_tcp(frame *f, uint32_t sequence, uint8_t flags, const uint8_t *bytes, size_t len,
               bool back);

/* The same of hex digits. */
void frame_udp_hex(frame *f, uint16_t port, const char *hex);
void frame_gre_hex(frame *f, uint16_t protocol, const char *hex);

dissector *frames_dissector(bool secrets);

/* Dissects bytes that are exactly as long as they say; cut: how many the capture left out. */
const node *frames_run(dissector *d, uint32_t link, const uint8_t *bytes, size_t len, size_t cut);
const node *frames_see(dissector *d, const frame *f);

/* The n-th layer of that protocol, from 0; NULL: there is none. */
const node *frames_layer(const node *packet, const char *proto, size_t n);
const char *frames_text(const node *object, const char *key); /* fails where it is not there */
uint64_t frames_number(const node *object, const char *key);  /* the same */

void frames_assert_error(const node *packet, const char *layer, uint64_t offset, const char *code,
                         const char *rule);
void frames_assert_clean(const node *packet);

#endif
