/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "print.h"

#include <bgpvpn/bgpvpn.h>

int main(void)
{
    bgpvpn_config config;
    bgpvpn_engine *engine;
    if (bgpvpn_config_init(&config) != BGPVPN_OK)
        return 1;
    config.local_as = 65000;
    config.router_id = 1;
    if (bgpvpn_engine_new(&config, 0, &engine) != BGPVPN_OK)
        return 1;
    bgpvpn_nlri nlri = {
        .label = 200,
        .prefix = {.family = BGPVPN_FAMILY_IPV4, .prefix_len = 24, .bytes = {10, 2, 2}},
    };
    uint8_t bytes[32];
    size_t len;
    if (bgpvpn_rd_make(65000, 1, 0, nlri.rd) != BGPVPN_OK ||
        bgpvpn_nlri_encode(BGPVPN_TABLE_VPNV4, 0, &nlri, bytes, sizeof(bytes), &len) != BGPVPN_OK)
        return 1;
    printf("bgpvpn: ");
    print_hex(bytes, len);

    bgpvpn_header header;
    printf(", no marker: %s\n",
           bgpvpn_rc_name(bgpvpn_header_decode(bytes, sizeof(bytes), &header)));
    bgpvpn_engine_free(engine);
    return 0;
}
