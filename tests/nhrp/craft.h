/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets by hand, right ones to begin with: what a test changes in them is what it breaks.
 */
#ifndef CRAFT_H
#define CRAFT_H

#include "net.h"

typedef struct craft {
    nhrp_packet h;
    nhrp_cie cie;
    bool has_cie;
    nhrp_label_binding labels[4];
    size_t label_count;
    bool twice;              /* the label extension */
    nhrp_extension extra[3]; /* type 0: none */
    nhrp_cie record;         /* in a forward record, where its family is given */
    const uint8_t *contents;
    size_t contents_len;
} craft;

void craft_bind(craft *c, uint8_t role, uint32_t label, nhrp_addr prefix);
size_t craft_make(const craft *c, uint8_t *buf, size_t cap);
nhrp_rc inject(node *d, uint32_t link, const craft *c);

/* The Error Indication that waits at a node, or 0. */
uint16_t error_code(node *d);

/* The code of the last reply that went out anywhere. */
int reply_code(const net *n);

/* The walk's network, with all links up and nothing resolved. */
void start(net *n);

/* The hub's redirect of the walk, what it quotes, and a spoke's request to the hub. */
extern uint8_t quoted[64];
craft redirect(void);
craft request(uint8_t spoke);

/* Starts, has spoke1 ask, and makes the reply that would be right. */
craft asked(net *n);

#endif
