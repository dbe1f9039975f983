/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Network namespaces: go into one, make descriptors that stay in it, come back.
 */
#ifndef IO_NETNS_H
#define IO_NETNS_H

#include <stdbool.h>

typedef struct netns {
    int own; /* the namespace that we came from; -1: we did not leave it */
} netns;

/*
 * Moves the calling thread into a namespace: a name in /run/netns, or a path when it has a slash;
 * "" is our own. False: errno.
 */
bool netns_enter(netns *n, const char *name);

/* Comes back. There is no going on from a namespace that is not ours: the process ends if it fails.
 */
void netns_leave(netns *n);

#endif
