/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * dissect: what is in a capture, packet by packet.
 */
#include "capture.h"
#include "json.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

/* Statuses: what is wrong with packets is said in the output, and is no failure. */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static int complain(const char *file, const char *why)
{
    fprintf(stderr, "dissect: %s: %s\n", file, why);
    return STATUS_FAILED;
}

static bool print(const program_options *o, const node *packet)
{
    if (o->json)
        return json_write(packet, stdout);
    char *line = dissect_text(packet);
    const bool ok = line && puts(line) >= 0;
    free(line);
    return ok;
}

static int run(const program_options *o, dissector *d, capture *c)
{
    char why[CAPTURE_WHY_BYTES];
    dissect_frame frame;
    int rc;
    bool printed = true;
    while (printed && (rc = capture_next(c, &frame, why)) == CAPTURE_PACKET)
        printed = print(o, dissect_packet(d, &frame));
    if (!printed || fflush(stdout) != 0)
        return complain("standard output", "cannot be written");
    return rc == CAPTURE_END ? STATUS_OK : complain(o->file, why);
}

int main(int argc, char **argv)
{
    program_options o;
    const int wanted = options_read(argc, argv, &o);
    if (wanted != OPTIONS_RUN) {
        options_usage(wanted == OPTIONS_WRONG);
        return wanted == OPTIONS_HELP ? STATUS_OK : STATUS_USAGE;
    }
    dissector *d = dissect_new(&o.core);
    if (!d)
        return complain(o.file, "no memory, or libcrypto lacks an algorithm");
    int status = STATUS_FAILED;
    char why[CAPTURE_WHY_BYTES];
    if (strcmp(o.file, "-") == 0)
        (void)setvbuf(stdout, NULL, _IOLBF, 0); /* who pipes a capture in may watch it */
    if (options_load_keys(&o, d)) {
        capture *c = capture_open(o.file, o.filter, why);
        status = c ? run(&o, d, c) : complain(o.file, why);
        if (c)
            capture_close(c);
    }
    dissect_free(d);
    return status;
}
