/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The values of a configuration file, from text to what the router has on the wire or in a struct.
 */
#ifndef IO_CONFIG_VALUE_H
#define IO_CONFIG_VALUE_H

#include "router/router.h"

/* Letters, digits, dot, hyphen and underscore, beginning with a letter or a digit. */
bool config_is_name(const char *text);

/* Decimal digits only, without leading zeros. */
bool config_number(const char *text, uint64_t *out);

/* IPv4 or IPv6, as a host: prefix_len 0. */
bool config_address(const char *text, router_addr *out);

enum { CONFIG_PREFIX_OK, CONFIG_PREFIX_MALFORMED, CONFIG_PREFIX_HOST_BITS };
int config_prefix(const char *text, router_addr *out);

/* AS:number or IPv4:number as 8 bytes (RFC 4364 4.2, RFC 4360 4). */
bool config_route_distinguisher(const char *text, uint8_t out[8]);
bool config_route_target(const char *text, uint8_t out[8]);

#endif
