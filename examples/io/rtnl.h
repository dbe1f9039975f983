/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The little of rtnetlink that a TUN device needs, in the namespace that rtnl_open is called in.
 */
#ifndef IO_RTNL_H
#define IO_RTNL_H

#include "router/router.h"

/* A netlink socket, or -1 with errno. */
int rtnl_open(void);

/* Each waits for the kernel's answer. False: errno. */
bool rtnl_link_up(int socket, uint32_t index, uint32_t mtu);
bool rtnl_add_address(int socket, uint32_t index, const router_addr *address);
/* source, unless FAMILY_NONE or of the other family, is what local programs send from. */
bool rtnl_add_route(int socket, uint32_t index, const router_addr *prefix,
                    const router_addr *source);

#endif
