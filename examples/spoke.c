/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A spoke: it makes shortcuts to other spokes where the hub says so.
 */
#include "io/program.h"

int main(int argc, char **argv)
{
    return program_main(argc, argv, false, true);
}
