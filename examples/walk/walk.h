/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which of the walk's 20 steps has been observed. What goes in are the log lines of a hub and two
 * spokes, "node=NAME event=...", merged; a step counts when the lines seen so far show it, with
 * labels, request ids, tunnels and VRFs that agree between the nodes. What no line shows is not a
 * step, whoever intended it.
 *
 * Lines of one node must come in their order. Those of different nodes may come in any.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WALK_STEPS = 20 };

/* The nodes of the walk; strings are the caller's and must outlive the walk. */
typedef struct walk_node {
    const char *name;     /* as in node=NAME */
    const char *tunnel;   /* tunnel address */
    const char *nbma;     /* transport address */
    const char *prefix;   /* that it advertises: the customer's, the hub's summary */
    const char *customer; /* the customer's host; NULL at the hub */
} walk_node;

typedef struct walk_config {
    walk_node hub;
    walk_node spoke1;
    walk_node spoke2;
    const char *vrf; /* what people call it */
} walk_config;

/* hub 172.16.1.254, spoke1 with 10.1.1.101 in 10.1.1.0/24, spoke2 with 10.2.2.102, and so on. */
void walk_config_init(walk_config *config);

typedef struct walk walk;

/* NULL without memory. */
walk *walk_new(const walk_config *config);
void walk_free(walk *w);

/* One line, with or without its line feed. False when there was no memory to keep what it says. */
bool walk_line(walk *w, const char *line, size_t len);

/*
 * Writes the next step that was observed and not yet told, "step 8  hub -> spoke1: ...", without a
 * line feed. False when there is none.
 */
enum { WALK_TEXT_BYTES = 256 };
bool walk_poll_step(walk *w, char text[WALK_TEXT_BYTES]);

/* How many were observed, and whether one was. */
uint32_t walk_count(const walk *w);
bool walk_observed(const walk *w, uint32_t step);

/* What a step is about, for those that are missing. */
const char *walk_step_name(uint32_t step);

#endif
