/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "print.h"

#include <mplsvpn/mplsvpn.h>

int main(void)
{
    mplsvpn_config config;
    mplsvpn_table *table;
    if (mplsvpn_config_init(&config) != MPLSVPN_OK ||
        mplsvpn_table_new(&config, &table) != MPLSVPN_OK)
        return 1;
    const mplsvpn_hop vrf = {.kind = MPLSVPN_HOP_VRF, .vrf = 7};
    mplsvpn_hop hop;
    if (mplsvpn_vrf_add(table, 7) != MPLSVPN_OK ||
        mplsvpn_interface_set(table, 1, 7) != MPLSVPN_OK ||
        mplsvpn_interface_allow(table, 1, 7) != MPLSVPN_OK ||
        mplsvpn_label_reserve(table, 0, 200) != MPLSVPN_OK ||
        mplsvpn_label_bind(table, 200, &vrf) != MPLSVPN_OK ||
        mplsvpn_table_lookup(table, 1, 200, &hop) != MPLSVPN_OK || hop.vrf != 7)
        return 1;

    const mplsvpn_label label = {.value = 200, .bottom = 1, .ttl = 63};
    uint8_t entry[MPLSVPN_LABEL_BYTES];
    if (mplsvpn_label_encode(&label, entry, sizeof(entry)) != MPLSVPN_OK)
        return 1;
    printf("mplsvpn: ");
    print_hex(entry, sizeof(entry));
    printf(", label 201: %s\n", mplsvpn_rc_name(mplsvpn_table_lookup(table, 1, 201, &hop)));
    mplsvpn_table_free(table);
    return 0;
}
