/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An NHRP client, up to its first packet. Yours goes on with the loop in docs/loop.md.
 */
#include <nhrp/nhrp.h>
#include <stdio.h>

int main(void)
{
    nhrp_config config;
    nhrp_config_init(&config);
    config.seed[0] = 1; /* 32 bytes of entropy, in earnest */
    nhrp_engine *engine;
    if (nhrp_engine_new(&config, 0, &engine) != NHRP_OK)
        return 1;

    /* A tunnel to our hub is up: register our tunnel address with it. */
    nhrp_interface_config interface;
    nhrp_interface_config_init(&interface);
    nhrp_engine_interface_add(engine, 0, 1, &interface);
    nhrp_link_config link;
    nhrp_link_config_init(&link);
    link.interface = 1;
    link.flags = NHRP_LINK_REGISTER;
    link.local_nbma = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {192, 0, 2, 11}};
    link.peer_nbma = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {192, 0, 2, 1}};
    link.local_protocol_ipv4 = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {10, 0, 0, 11}};
    link.peer_protocol_ipv4 = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
    nhrp_engine_link_up(engine, 0, 7, &link);

    uint8_t packet[1500];
    nhrp_output out;
    while (nhrp_engine_poll_output(engine, 0, packet, sizeof(packet), &out) == NHRP_YES) {
        printf("send %u bytes on link %u, in GRE protocol 2001:", (unsigned)out.len, out.link);
        for (size_t i = 0; i < out.len; i++)
            printf("%s%02x", i % 4 ? "" : " ", packet[i]);
        printf("\nand call nhrp_engine_timeout at %llu ms\n",
               (unsigned long long)nhrp_engine_deadline(engine));
    }
    nhrp_engine_free(engine);
    return 0;
}
