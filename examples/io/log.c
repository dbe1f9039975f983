/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2048, FILE_MODE = 0644 };

bool log_open(log *l, const char *file, const char *node)
{
    snprintf(l->node, sizeof l->node, "%s", node);
    l->fd = STDERR_FILENO;
    if (file)
        l->fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    return l->fd >= 0;
}

void log_close(log *l)
{
    if (l->fd != STDERR_FILENO)
        close(l->fd);
    l->fd = STDERR_FILENO;
}

static size_t begin_line(const log *l, char line[LINE_BYTES])
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (size_t)snprintf(line, LINE_BYTES, "ts=%lld.%03ld node=%s ", (long long)now.tv_sec,
                            now.tv_nsec / 1000000, l->node);
}

/* A log that cannot be written must not stop the traffic. */
static void end_line(const log *l, char line[LINE_BYTES], size_t len)
{
    if (len > LINE_BYTES - 1)
        len = LINE_BYTES - 1;
    line[len] = '\n';
    while (write(l->fd, line, len + 1) < 0 && errno == EINTR)
        continue;
}

void log_event(const log *l, const router_event *event)
{
    char line[LINE_BYTES];
    const size_t len = begin_line(l, line);
    end_line(l, line, len + router_event_format(event, line + len, LINE_BYTES - len));
}

void log_line(const log *l, const char *format, ...)
{
    char line[LINE_BYTES];
    const size_t len = begin_line(l, line);
    va_list arguments;
    va_start(arguments, format);
    const int more = vsnprintf(line + len, LINE_BYTES - len, format, arguments);
    va_end(arguments);
    end_line(l, line, len + (more > 0 ? (size_t)more : 0));
}
