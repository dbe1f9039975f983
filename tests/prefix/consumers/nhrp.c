/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "print.h"

#include <nhrp/nhrp.h>

int main(void)
{
    nhrp_config config;
    nhrp_engine *engine;
    if (nhrp_config_init(&config) != NHRP_OK || nhrp_engine_new(&config, 0, &engine) != NHRP_OK)
        return 1;
    const nhrp_label_binding binding = {
        .role = NHRP_ROLE_CONTEXT,
        .label_count = 1,
        .labels = {100},
        .prefix = {.family = NHRP_FAMILY_IPV4, .prefix_len = 24, .bytes = {10, 1, 1}},
    };
    uint8_t value[64];
    size_t len;
    if (nhrp_label_encode(&binding, 1, NHRP_OUI_DEFAULT, value, sizeof(value), &len) != NHRP_OK)
        return 1;
    printf("nhrp: ");
    print_hex(value, len);

    nhrp_packet packet;
    printf(", cut short: %s\n", nhrp_rc_name(nhrp_packet_decode(value, len, &packet)));
    nhrp_engine_free(engine);
    return 0;
}
