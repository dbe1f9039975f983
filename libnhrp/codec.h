/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the decoder, the writer and the engine share about the wire.
 */
#ifndef NHRP_CODEC_H
#define NHRP_CODEC_H

#include <internal/wire.h>
#include <nhrp/label.h>
#include <nhrp/packet.h>
#include <nhrp/writer.h>

enum {
    AFN_IPV4 = 1, /* ar$afn */
    AFN_IPV6 = 2,
    ETHERTYPE_IPV4 = 0x0800, /* ar$pro.type */
    ETHERTYPE_IPV6 = 0x86dd,
    NHRP_VERSION = 1, /* ar$op.version */

    OFFSET_HOP_COUNT = 9, /* in the fixed part */
    OFFSET_SIZE = 10,
    OFFSET_CHECKSUM = 12,
    OFFSET_EXTENSIONS = 14,
    OFFSET_TYPE = 17,

    EXTENSION_COMPULSORY = 0x8000,
    EXTENSION_TYPE_MASK = 0x3fff,
    CAPABILITIES_SIZE = 8, /* RFC 2735 4.2 */
    PACKET_SIZE_MAX = 65535
};

/* Octets of an address of the family; 0 for none. */
static inline size_t nhrp__family_size(uint8_t family)
{
    return family == NHRP_FAMILY_IPV4 ? 4 : family == NHRP_FAMILY_IPV6 ? 16 : 0;
}

static inline uint8_t nhrp__family_bits(uint8_t family)
{
    return (uint8_t)(nhrp__family_size(family) * 8);
}

/* Reads an address of len octets; the family NONE for 0. Fails r where the family has no such. */
void nhrp__addr_get(wire_reader *r, uint8_t family, size_t len, nhrp_addr *out);

/* Begins with the mandatory part of another packet, octet for octet, but for its hop count. */
void nhrp__writer_copy(nhrp_writer *w, uint8_t *buf, size_t cap, const nhrp_packet *p,
                       uint8_t hop_count);

/* Adds octets to the value of the extension that was put last. */
void nhrp__writer_append(nhrp_writer *w, const uint8_t *bytes, size_t len);

/* Puts a checked label extension with every CONTEXT replaced and the rest as it was. */
void nhrp__label_swap(nhrp_writer *w, const nhrp_extension *x, const nhrp_label_binding *context);

/* Types that carry requests or replies: a common header and CIEs. */
static inline bool nhrp__type_has_cies(uint8_t type)
{
    return type >= NHRP_RESOLUTION_REQUEST && type <= NHRP_PURGE_REPLY;
}

#endif
