/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Prints what engines send, as text2pcap reads it: IPv4, GRE, NHRP. tshark.sh has it decoded.
 */
#include "net.h"

#include <stdio.h>

static void print(const uint8_t *packet, size_t len)
{
    const size_t total = 24 + len;
    const uint8_t header[24] = {0x45,
                                0,
                                (uint8_t)(total >> 8),
                                (uint8_t)total,
                                0,
                                0,
                                0,
                                0,
                                64,
                                47,
                                0,
                                0,
                                192,
                                0,
                                2,
                                1,
                                192,
                                0,
                                2,
                                2,
                                0,
                                0,
                                0x20,
                                0x01};
    printf("000000");
    for (size_t i = 0; i < sizeof(header); i++)
        printf(" %02x", (unsigned)header[i]);
    for (size_t i = 0; i < len; i++)
        printf(" %02x", packet[i]);
    printf("\n\n");
}

int main(void)
{
    net n;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
    i.key = (const uint8_t *)"cisco";
    i.key_len = 5;
    /* The walk with a reply that crosses the hub, and a purge. */
    net_init(&n, 1, NULL);
    n.tap = print;
    walk_build(&n, NULL, &i);
    n.nodes[2].tunnels = TUNNELS_FAIL;
    (void)walk_packet(&n);
    net_run(&n, n.now_ms + 900);
    const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), CUSTOMER);
    (void)nhrp_engine_withdraw(n.nodes[2].engine, n.now_ms, &prefix);
    net_run(&n, n.now_ms + 900);
    net_end(&n);
    /* A registration, and one that is refused because it has no password. */
    i.flags |= NHRP_INTERFACE_SERVER;
    net_init(&n, 1, NULL);
    n.tap = print;
    (void)net_node(&n, 100, NULL, &i, NULL);
    (void)net_node(&n, 1, NULL, &i, NULL);
    i.authentication = NHRP_AUTHENTICATION_NONE;
    (void)net_node(&n, 2, NULL, &i, NULL);
    net_connect(&n, &n.nodes[1], 1, &n.nodes[0], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 100);
    net_connect(&n, &n.nodes[2], 1, &n.nodes[0], 2, NHRP_LINK_REGISTER | NHRP_LINK_UNIQUE);
    net_run(&n, n.now_ms + 100);
    net_end(&n);
    return 0;
}
