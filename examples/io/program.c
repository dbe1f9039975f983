/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/config.h"
#include "io/node.h"

enum { EXIT_USAGE = 2 };

static int usage(const char *program, FILE *out, int status)
{
    fprintf(out,
            "usage: %s --config FILE [--log FILE] [--keylog DIR]\n"
            "  --config FILE  what to run: see docs/demo.md\n"
            "  --log FILE     append events there, not to the standard error output\n"
            "  --keylog DIR   write every SA's keys to DIR/wireshark, for debugging only\n"
            "Needs CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE and CAP_SYS_ADMIN.\n",
            program);
    return status;
}

static int run(const char *file, const node_options *options, bool redirect, bool shortcut)
{
    io_config *config = malloc(sizeof *config);
    if (!config) {
        fputs("out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    io_config_init(config, redirect, shortcut);
    io_config_error error;
    int status = EXIT_FAILURE;
    if (io_config_load(file, config, &error))
        status = node_run(config, options);
    else
        fprintf(stderr, "%s\n", error.text);
    io_config_wipe(config);
    free(config);
    return status;
}

int program_main(int argc, char **argv, bool redirect, bool shortcut)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"log", required_argument, NULL, 'l'},
                                          {"keylog", required_argument, NULL, 'k'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *file = NULL;
    node_options options = {0};
    int found;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'c':
            file = optarg;
            break;
        case 'l':
            options.log_file = optarg;
            break;
        case 'k':
            options.keylog_directory = optarg;
            break;
        case 'h':
            return usage(argv[0], stdout, EXIT_SUCCESS);
        default:
            return usage(argv[0], stderr, EXIT_USAGE);
        }
    }
    if (!file || optind != argc)
        return usage(argv[0], stderr, EXIT_USAGE);
    return run(file, &options, redirect, shortcut);
}
