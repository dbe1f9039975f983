/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "label_json.h"

#include <nhrp/nhrp.h>

static void print_binding(FILE *out, const nhrp_label_binding *b)
{
    const unsigned afi = b->prefix.family == NHRP_FAMILY_IPV4 ? 1 : 2;
    fprintf(out, "{\"role\":%u,\"afi\":%u,\"prefix_length\":%u,\"prefix\":\"", b->role, afi,
            b->prefix.prefix_len);
    for (unsigned i = 0; i < (b->prefix.prefix_len + 7u) / 8; i++)
        fprintf(out, "%02x", b->prefix.bytes[i]);
    fputs("\",\"labels\":[", out);
    for (unsigned i = 0; i < b->label_count; i++)
        fprintf(out, "%s%lu", i ? "," : "", (unsigned long)b->labels[i]);
    fputs("]}", out);
}

void label_json(FILE *out, const uint8_t *value, size_t len)
{
    const nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value, .len = len};
    const nhrp_rc rc = nhrp_label_check(&x, NHRP_OUI_DEFAULT);
    nhrp_label_binding b;
    size_t it = 0;
    if (rc != NHRP_YES) {
        fputs(rc == NHRP_OK ? "{\"result\":\"ignored\"}" : "{\"result\":\"refused\"}", out);
        return;
    }
    fputs("{\"result\":\"accepted\",\"bindings\":[", out);
    for (const char *comma = ""; nhrp_label_next(&x, &it, &b) == NHRP_YES; comma = ",") {
        fputs(comma, out);
        print_binding(out, &b);
    }
    fputs("]}", out);
}
