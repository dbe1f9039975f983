/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * label_dump FILE...: takes each file for the value of a vendor-private extension and prints what
 * the label codec says of it, one line each, as docs/nhrp-labels.md 4.3 has it: to be compared with
 * what another codec says of the same files.
 */
#include "label_json.h"

enum { VALUE_MAX = 65535 }; /* RFC 2332 5.3: the length has 16 bits */

int main(int argc, char **argv)
{
    static uint8_t value[VALUE_MAX + 1];
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        const size_t len = f ? fread(value, 1, sizeof(value), f) : 0;
        const int bad = !f || ferror(f) || len > VALUE_MAX;
        if (f)
            fclose(f);
        if (bad) {
            fprintf(stderr, "%s: not an extension's value\n", argv[i]);
            return 1;
        }
        label_json(stdout, value, len);
        putchar('\n');
    }
    return 0;
}
