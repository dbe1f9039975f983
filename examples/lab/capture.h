/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A pcapng file of every link, and the keys that tshark wants for it:
 *
 *   XDG_CONFIG_HOME=FILE.keys tshark -r FILE
 *
 * The underlay is one link on which every datagram appears once, when it is sent; each TUN is one.
 */
#ifndef LAB_CAPTURE_H
#define LAB_CAPTURE_H

#include "router/router.h"

typedef struct capture capture;

/* Of IPv4 or of IPv6 packets. NULL, and errno, where a file cannot be made. */
capture *capture_open(const char *path, bool ipv6);

/* False when something could not be written. */
bool capture_close(capture *c);

/* A new link; returns its number. */
uint32_t capture_add_link(capture *c, const char *name);

/* An IP packet on a link. */
void capture_packet(capture *c, uint32_t link, uint64_t now_ms, const uint8_t *packet, size_t len);

/* A datagram of the underlay: the IP and UDP headers are made from the path. */
void capture_datagram(capture *c, uint32_t link, uint64_t now_ms, const router_path *path,
                      const uint8_t *bytes, size_t len);

/* As router_keylog wants it. */
void capture_key(void *user, int kind, const char *line);

#endif
