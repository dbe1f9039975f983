/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "print.h"

#include <gre/gre.h>

int main(void)
{
    uint8_t packet[GRE_HEADER_MAX_BYTES + 4] = {0};
    const gre_header header = {.protocol = GRE_PROTOCOL_MPLS, .flags = GRE_FLAG_KEY, .key = 42};
    size_t offset = 0;
    if (gre_header_encode(&header, packet, GRE_HEADER_MAX_BYTES, 4, &offset) != GRE_OK)
        return 1;
    printf("gre: ");
    print_hex(packet + offset, GRE_HEADER_MAX_BYTES - offset);

    packet[offset + 1] |= 1;
    gre_header back;
    printf(", version 1: %s\n",
           gre_rc_name(gre_header_decode(packet + offset, sizeof(packet) - offset, &back)));
    return 0;
}
