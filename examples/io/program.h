/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What hub and spoke have in common: their arguments.
 */
#ifndef IO_PROGRAM_H
#define IO_PROGRAM_H

#include <stdbool.h>

/* PROGRAM --config FILE [--log FILE] [--keylog DIR]: returns the exit status. */
int program_main(int argc, char **argv, bool redirect, bool shortcut);

#endif
