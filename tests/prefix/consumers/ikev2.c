/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "print.h"

#include <ikev2/ikev2.h>

int main(void)
{
    static const uint8_t a[] = {'a'}, b[] = {'b'};
    ikev2_config config;
    ikev2_engine *engine;
    if (ikev2_config_init(&config) != IKEV2_OK || ikev2_engine_new(&config, 0, &engine) != IKEV2_OK)
        return 1;
    const ikev2_peer peer = {
        .struct_size = sizeof(peer),
        .path = {.local = {.family = IKEV2_FAMILY_IPV4, .port = 500, .bytes = {192, 0, 2, 1}},
                 .peer = {.family = IKEV2_FAMILY_IPV4, .port = 500, .bytes = {192, 0, 2, 2}}},
        .local_id = {.type = IKEV2_ID_FQDN, .bytes = a, .len = sizeof(a)},
        .peer_id = {.type = IKEV2_ID_FQDN, .bytes = b, .len = sizeof(b)},
    };
    uint64_t sa;
    uint8_t message[1500];
    ikev2_output out;
    if (ikev2_engine_initiate(engine, 0, &peer, &sa) != IKEV2_OK ||
        ikev2_engine_poll_output(engine, 0, message, sizeof(message), &out) != IKEV2_YES)
        return 1;
    printf("ikev2: ");
    print_hex(message + 16, 8);

    message[17] = 0x30;
    printf(", version 3: %s\n",
           ikev2_rc_name(ikev2_engine_input(engine, 0, &out.path, message, out.len)));
    ikev2_engine_free(engine);
    return 0;
}
