/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration file of hub and spoke: "key = value" lines in sections. docs/demo.md lists the
 * keys. Strict: an unknown key, one given twice, a value out of range or a prefix with host bits
 * set is an error with its line and column.
 */
#ifndef IO_CONFIG_H
#define IO_CONFIG_H

#include "router/router.h"

enum {
    IO_NAMESPACE_BYTES = 128,
    IO_DEVICE_BYTES = 16, /* the kernel's IFNAMSIZ */
    IO_CONFIG_MAX_BYTES = 1 << 20,
    IO_CONFIG_ERROR_BYTES = 512
};

/* The TUN device of a VRF, and what the kernel must know of it. */
typedef struct io_tun_config {
    char network_namespace[IO_NAMESPACE_BYTES]; /* a name in /run/netns or a path; "": our own */
    char device[IO_DEVICE_BYTES];
    router_addr address;                     /* FAMILY_NONE: without one */
    router_addr routes[ROUTER_MAX_PREFIXES]; /* through the device */
    size_t route_count;
} io_tun_config;

typedef struct io_config {
    router_config router;
    char front_door[IO_NAMESPACE_BYTES]; /* where the transport sockets are; "": our own */
    io_tun_config global;
    io_tun_config vrfs[ROUTER_MAX_VRFS]; /* in the order of router.vrfs */
} io_config;

typedef struct io_config_error {
    size_t line; /* from 1; 0: the file as a whole */
    size_t column;
    char text[IO_CONFIG_ERROR_BYTES]; /* "FILE:LINE:COLUMN: what was expected" */
} io_config_error;

/* The defaults. redirect and shortcut are what tells a hub from a spoke. */
void io_config_init(io_config *config, bool redirect, bool shortcut);

/* Reads text over the defaults in *config. False: *error says where and what. */
bool io_config_parse(const char *file, const char *text, size_t len, io_config *config,
                     io_config_error *error);

bool io_config_load(const char *file, io_config *config, io_config_error *error);

/* Forgets the keys. */
void io_config_wipe(io_config *config);

#endif
