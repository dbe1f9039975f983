/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool netns_enter(netns *n, const char *name)
{
    n->own = -1;
    if (name[0] == '\0')
        return true;

    char path[PATH_MAX];
    const char *format = strchr(name, '/') ? "%s" : "/run/netns/%s";
    const int len = snprintf(path, sizeof path, format, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int target = open(path, O_RDONLY | O_CLOEXEC);
    if (target < 0)
        return false;
    const int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    bool ok = own >= 0 && setns(target, CLONE_NEWNET) == 0;
    const int error = errno;
    close(target);
    if (ok) {
        n->own = own;
    } else {
        if (own >= 0)
            close(own);
        errno = error;
    }
    return ok;
}

void netns_leave(netns *n)
{
    if (n->own < 0)
        return;
    if (setns(n->own, CLONE_NEWNET) != 0) {
        perror("setns");
        abort();
    }
    const int error = errno;
    close(n->own);
    n->own = -1;
    errno = error;
}
