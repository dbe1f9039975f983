/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the layers share.
 */
#ifndef DISSECT_CORE_H
#define DISSECT_CORE_H

#include "dissect.h"
#include "fragments.h"
#include "keys.h"
#include "rules.h"
#include "streams.h"

#include <ikev2/ikev2.h>

enum {
    DEPTH_MAX = 24, /* layers within layers */
    ITEMS_MAX = 512 /* of one list */
};

/* Bytes of a frame, or of a buffer that was put together from several. */
typedef struct span {
    const uint8_t *bytes;
    size_t len;         /* that there are */
    size_t wire_len;    /* that there should be: more, where the capture cut them */
    size_t offset;      /* of the first from the start of the buffer */
    const char *buffer; /* NULL: the frame */
} span;

typedef struct endpoints {
    uint8_t family; /* 4 or 6 */
    uint8_t source[16];
    uint8_t destination[16];
    uint16_t source_port;
    uint16_t destination_port;
} endpoints;

/* IKE fragments that wait for the others (RFC 7383). */
enum { PARTS_MAX = 64, ASSEMBLIES_MAX = 8 };

typedef struct assembly {
    uint64_t used; /* frame number; 0: free */
    uint64_t spi_i;
    uint64_t spi_r;
    uint32_t message_id;
    uint8_t flags;
    uint8_t first;
    uint16_t total;
    uint16_t have;
    uint8_t *parts[PARTS_MAX];
    size_t lens[PARTS_MAX];
} assembly;

struct dissector {
    dissect_options options;
    tree tree;
    ikev2_opener *opener;
    key_tables keys;
    stream_table streams;
    fragment_table fragments;
    assembly assemblies[ASSEMBLIES_MAX];

    /* Of the frame at hand. */
    uint64_t number;
    node *packet;
    node *layers;
    endpoints ends;   /* of the innermost IP packet so far */
    uint64_t context; /* what encloses it: tells streams of equal addresses apart */
    unsigned depth;
    unsigned quoting; /* within a packet that another one quotes, perhaps cut short */
};

typedef void layer_fn(dissector *d, span s);

/* One layer more, unless there are too many. */
void ds_enter(dissector *d, layer_fn *layer, span s);

bool ds_is_cut(const span *s);
/* From at on; at is at most s->len or the rest is empty. */
span ds_from(const span *s, size_t at);
/* The first len bytes, as a header's length field says. */
span ds_first(const span *s, size_t len);

/* Begins a layer: "proto" and where it is. */
node *ds_layer(dissector *d, const char *proto, const span *s);

/* What is wrong, and by which rule; where the capture cut the bytes it may only be that. */
void ds_fault(dissector *d, node *layer, const span *s, int library, int32_t rc);
/* The same where the place, and perhaps the rule (NULL: the table's), is known better. */
void ds_fault_at(dissector *d, node *layer, const span *s, size_t at, const char *rule, int library,
                 int32_t rc);
/* The layer cannot be read to its end because the capture has no more of it. */
void ds_cut(dissector *d, node *layer, const span *s);

/* A packet that another quotes: dissected, but part of no stream. */
void ds_quoted(dissector *d, node *layer, layer_fn *quoted, span s);

void ds_payload(dissector *d, node *layer, const span *s);
void ds_context(dissector *d, const void *bytes, size_t len);
bool ds_more(dissector *d, node *list, size_t count);

/* An IPv4 or IPv6 address, by its family (4 or 6); nothing for others. */
void ds_address(dissector *d, node *parent, const char *key, uint8_t family, const uint8_t *bytes);
void ds_prefix(dissector *d, node *parent, const char *key, uint8_t family, const uint8_t *bytes,
               unsigned prefix_len);

typedef struct name {
    uint32_t value;
    const char *text;
} name;
/* NULL where the list, which ends with a NULL text, does not have it. */
const char *name_of(const name *names, uint32_t value);
void ds_name(dissector *d, node *parent, const char *key, const name *names, uint32_t value);
/* The names of the bits that are set, as a list. */
void ds_flags(dissector *d, node *parent, const char *key, const name *bits, uint32_t value);

/* The layers. */
void ds_link(dissector *d, uint32_t link, span s);
void ds_ethernet(dissector *d, span s);
void ds_ethertype(dissector *d, node *layer, uint16_t type, span s);
void ds_ip(dissector *d, span s); /* IPv4 or IPv6, by the first bits */
void ds_ip_protocol(dissector *d, node *layer, uint8_t protocol, span s);
void ds_icmp(dissector *d, span s);
void ds_icmpv6(dissector *d, span s);
void ds_udp(dissector *d, span s);
void ds_tcp(dissector *d, span s);
void ds_gre(dissector *d, span s);
void ds_mpls(dissector *d, span s);
void ds_nhrp(dissector *d, span s);
void ds_ikev2(dissector *d, span s);
void ds_assembly_forget(assembly *a);
void ds_ikev2_payloads(dissector *d, node *layer, const char *key, uint8_t first, const span *s);
void ds_esp(dissector *d, span s);
void ds_bgp(dissector *d, stream_state *stream, span message);
void ds_bgp_attributes(dissector *d, node *layer, const uint8_t *bytes, size_t len,
                       uint8_t as_size);

#endif
