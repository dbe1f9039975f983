/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DISSECT_OPTIONS_H
#define DISSECT_OPTIONS_H

#include "dissect/dissect.h"

typedef struct program_options {
    dissect_options core;
    bool json;
    const char *filter;
    const char *file;
    /* Key files and folders, in argv; which is which says the option before them. */
    char **arguments;
    int argument_count;
} program_options;

enum { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

int options_read(int argc, char **argv, program_options *out);
void options_usage(bool to_stderr);

/* Reads the key files that were named; false, and a message, where one cannot be read. */
bool options_load_keys(const program_options *o, dissector *d);

#endif
