/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * walk: reads the merged logs of a hub and two spokes on standard input, prints each step of the
 * walk when it has been observed, and ends with "walk: N of 20 steps". Its status is 0 for 20 only.
 */
#include "walk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, MS_PER_S = 1000, STATUS_USAGE = 2 };

typedef struct options {
    walk_config config;
    int64_t timeout_ms; /* -1: none */
} options;

typedef struct input {
    char line[LINE_BYTES];
    size_t len;
} input;

static const char usage[] =
    "usage: walk [--timeout SECONDS] [--vrf NAME]\n"
    "            [--hub NODE] [--hub-tunnel ADDRESS] [--hub-nbma ADDRESS] [--hub-prefix PREFIX]\n"
    "            and the same for --spoke1 and --spoke2, with --spoke1-customer ADDRESS\n";

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

static bool node_option(walk_node *n, const char *name, const char *option, const char *value)
{
    const size_t len = strlen(name);
    if (strncmp(option, "--", 2) != 0 || strncmp(option + 2, name, len) != 0)
        return false;
    const char *field = option + 2 + len;
    const char **target = strcmp(field, "") == 0            ? &n->name
                          : strcmp(field, "-tunnel") == 0   ? &n->tunnel
                          : strcmp(field, "-nbma") == 0     ? &n->nbma
                          : strcmp(field, "-prefix") == 0   ? &n->prefix
                          : strcmp(field, "-customer") == 0 ? &n->customer
                                                            : NULL;
    if (target)
        *target = value;
    return target != NULL;
}

static bool parse_options(options *o, int argc, char **argv)
{
    walk_config_init(&o->config);
    o->timeout_ms = -1;
    for (int i = 1; i < argc; i += 2) {
        const char *option = argv[i], *value = argv[i + 1];
        if (i + 1 == argc)
            return false;
        if (strcmp(option, "--timeout") == 0)
            o->timeout_ms = (int64_t)(strtod(value, NULL) * MS_PER_S);
        else if (strcmp(option, "--vrf") == 0)
            o->config.vrf = value;
        else if (!node_option(&o->config.hub, "hub", option, value) &&
                 !node_option(&o->config.spoke1, "spoke1", option, value) &&
                 !node_option(&o->config.spoke2, "spoke2", option, value))
            return false;
    }
    return true;
}

static void print_steps(walk *w)
{
    char text[WALK_TEXT_BYTES];
    while (walk_poll_step(w, text))
        printf("%s\n", text);
    fflush(stdout);
}

/* Takes what is there, line by line; the rest of a line that is too long belongs to no line. */
static void take(walk *w, input *in, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n') {
            if (!walk_line(w, in->line, in->len))
                fprintf(stderr, "walk: no memory for more lines\n");
            in->len = 0;
        } else if (in->len < sizeof(in->line)) {
            in->line[in->len++] = bytes[i];
        }
    }
}

static void follow(walk *w, int64_t timeout_ms)
{
    static input in;
    const int64_t end = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    while (walk_count(w) < WALK_STEPS) {
        const int64_t left = end < 0 ? -1 : end - now_ms();
        if (end >= 0 && left <= 0)
            return;
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        char bytes[LINE_BYTES];
        const ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        take(w, &in, bytes, (size_t)n);
        print_steps(w);
    }
}

int main(int argc, char **argv)
{
    options o;
    if (!parse_options(&o, argc, argv)) {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    walk *w = walk_new(&o.config);
    if (!w)
        return EXIT_FAILURE;
    follow(w, o.timeout_ms);
    for (uint32_t step = 1; step <= WALK_STEPS; step++)
        if (!walk_observed(w, step))
            printf("missing: step %u, %s\n", step, walk_step_name(step));
    const uint32_t count = walk_count(w);
    printf("walk: %u of %d steps\n", count, WALK_STEPS);
    walk_free(w);
    return count == WALK_STEPS ? EXIT_SUCCESS : EXIT_FAILURE;
}
