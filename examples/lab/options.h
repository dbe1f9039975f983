/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The command line of the lab.
 */
#ifndef LAB_OPTIONS_H
#define LAB_OPTIONS_H

#include "lab.h"

typedef struct options {
    lab_options lab;
    bool walk;
} options;

/* False where the arguments make no sense; options_usage tells which would. */
bool options_parse(options *o, int argc, char **argv);
const char *options_usage(void);

#endif
