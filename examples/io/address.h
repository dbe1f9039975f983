/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Between the router's addresses and the kernel's.
 */
#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include <sys/socket.h>

#include "router/router.h"

enum { ADDRESS_TEXT_BYTES = 64 };

/* The bytes of an address of this family; 0 for FAMILY_NONE. */
size_t address_len(const router_addr *address);

/* A host with its port; returns the length of what it wrote, 0 for FAMILY_NONE. */
socklen_t address_to_sockaddr(const router_addr *address, struct sockaddr_storage *out);

/* False for a family that is neither IPv4 nor IPv6. The scope is the caller's. */
bool address_from_sockaddr(const struct sockaddr_storage *from, uint32_t scope, router_addr *out);

/* For messages: the host, without its port. */
const char *address_text(const router_addr *address, char out[ADDRESS_TEXT_BYTES]);

#endif
