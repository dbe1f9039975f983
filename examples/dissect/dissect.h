/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The dissector: frames in, trees out. It opens no file and reads no clock; what it remembers from
 * frame to frame (TCP streams that carry BGP, fragments of IKE messages) is bounded.
 */
#ifndef DISSECT_DISSECT_H
#define DISSECT_DISSECT_H

#include "tree.h"

enum {
    DISSECT_PORTS_MAX = 8,
    DISSECT_FRAME_MAX = 262144, /* what libpcap captures at most */
    DISSECT_BGP_PORT = 179,
};

/* How a frame begins; the numbers of pcap's link types. */
enum {
    DISSECT_LINK_NULL = 0,
    DISSECT_LINK_ETHERNET = 1,
    DISSECT_LINK_RAW = 101,
    DISSECT_LINK_LOOP = 108,
    DISSECT_LINK_SLL = 113,
    DISSECT_LINK_IPV4 = 228,
    DISSECT_LINK_IPV6 = 229,
    DISSECT_LINK_SLL2 = 276
};

typedef struct dissect_options {
    uint32_t label_oui; /* of NHRP's label extension */
    bool secrets;       /* show NHRP passwords */
    uint16_t bgp_ports[DISSECT_PORTS_MAX];
    size_t bgp_port_count;
} dissect_options;

typedef struct dissect_frame {
    uint64_t number; /* from 1 */
    uint64_t seconds;
    uint32_t microseconds;
    uint32_t link;              /* DISSECT_LINK_... */
    uint32_t interface;         /* that it was captured on, from 1; 0: the file does not say */
    const char *interface_name; /* may be NULL; need not be printable */
    const uint8_t *bytes;       /* what was captured */
    size_t len;
    size_t wire_len; /* what there was on the wire */
} dissect_frame;

typedef struct dissector dissector;

void dissect_options_init(dissect_options *options);

/* NULL: no memory, or the cipher library does not work. */
dissector *dissect_new(const dissect_options *options);
void dissect_free(dissector *d);

/* Forgets what it remembers from frame to frame, but not the keys: another capture begins. */
void dissect_reset(dissector *d);

bool dissect_link_known(uint32_t link);

/* The tree of a frame, good until the next call. */
const node *dissect_packet(dissector *d, const dissect_frame *frame);

/*
 * One line of Wireshark's ikev2_decryption_table or esp_sa; empty lines and comments are fine.
 * NULL, or what is wrong with it.
 */
const char *dissect_add_ikev2_key(dissector *d, const char *line);
const char *dissect_add_esp_key(dissector *d, const char *line);

/* One line of text for a tree; the caller frees it. NULL: no memory. */
char *dissect_text(const node *packet);

#endif
