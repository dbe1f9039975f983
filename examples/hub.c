/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A hub: it tells its spokes when they could talk to each other directly.
 */
#include "io/program.h"

int main(int argc, char **argv)
{
    return program_main(argc, argv, true, false);
}
