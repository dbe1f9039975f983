/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the codec's parts and the engine share.
 */
#ifndef LIBBGPVPN_CODEC_H
#define LIBBGPVPN_CODEC_H

#include <bgpvpn/update.h>
#include <internal/wire.h>

#define BGPVPN_MARKER_LEN 16
#define BGPVPN_RD_LEN     8
#define BGPVPN_LABEL_LEN  3
#define BGPVPN_AS_SET     1
#define BGPVPN_AS_SEQ     2

/* The last one known. */
#define BGPVPN_TABLE_LAST BGPVPN_TABLE_TARGETS

/* Subtypes of ROUTE-REFRESH (RFC 7313 3.2). */
enum { REFRESH_REQUEST = 0, REFRESH_BEGIN = 1, REFRESH_END = 2 };

/* Marker, a length to be patched, type. */
void bgpvpn__put_header(wire_writer *w, uint8_t type);

/* Patches the length; OK, or ERR_BUFFER with the length that is needed in *len. */
bgpvpn_rc bgpvpn__end_message(wire_writer *w, size_t *len);

/* The family of an AFI and SAFI, or 0. */
uint32_t bgpvpn__table(uint16_t afi, uint8_t safi);
uint16_t bgpvpn__table_afi(uint32_t table);
uint8_t bgpvpn__table_safi(uint32_t table);

/* The number of its bit. */
uint32_t bgpvpn__table_index(uint32_t table);

/* Both families of VPN routes. */
#define BGPVPN_TABLES_VPN ((uint32_t)(BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6))

/* Of its prefixes. */
uint8_t bgpvpn__table_family(uint32_t table);

/* 32, 128, or 96 of route target membership. */
uint8_t bgpvpn__table_bits(uint32_t table);

/* Writes the head of an attribute: flags, type and a length of one or two octets. */
void bgpvpn__put_attribute(wire_writer *w, uint8_t flags, uint8_t type, size_t len);

#endif
