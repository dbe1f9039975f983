/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A TUN device in a network namespace. It lives as long as its descriptor.
 */
#ifndef IO_TUN_H
#define IO_TUN_H

#include "io/config.h"

enum { TUN_PROBLEM_BYTES = 256 };

/*
 * Makes the device in its namespace, up, with its address and routes, and comes back. Returns a
 * nonblocking descriptor that reads and writes bare IP packets, or -1 and what was wrong.
 */
int tun_open(const io_tun_config *config, uint16_t mtu, char problem[TUN_PROBLEM_BYTES]);

#endif
