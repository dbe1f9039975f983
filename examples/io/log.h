/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The structured log: one line per event, each written by one write(2), so that several programs
 * may append to one file. "ts=12.345 node=spoke1 event=..." where ts is the monotonic clock's
 * seconds, which all programs of a machine share.
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include "router/router.h"

typedef struct log {
    int fd;
    char node[ROUTER_NAME_BYTES];
} log;

/* Appends to a file, or to the standard error output when it is NULL. False: errno. */
bool log_open(log *l, const char *file, const char *node);
void log_close(log *l);

void log_event(const log *l, const router_event *event);

/* A line of our own, which begins with "event=". */
__attribute__((format(printf, 2, 3))) void log_line(const log *l, const char *format, ...);

#endif
