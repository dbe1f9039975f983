/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One router with its sockets, TUN devices, streams and timer on an event loop.
 */
#ifndef IO_NODE_H
#define IO_NODE_H

#include "io/config.h"

typedef struct node_options {
    const char *log_file;         /* NULL: the standard error output */
    const char *keylog_directory; /* NULL: none */
} node_options;

/*
 * Runs until SIGTERM or SIGINT. Returns the exit status. The keys in *config are wiped once the
 * router has them.
 */
int node_run(io_config *config, const node_options *options);

#endif
