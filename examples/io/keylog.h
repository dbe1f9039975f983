/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * For debugging only: keys of every SA, for a capture's reader. `XDG_CONFIG_HOME=DIR tshark` and
 * Wireshark find them in DIR/wireshark. Whoever reads these files reads the traffic.
 */
#ifndef IO_KEYLOG_H
#define IO_KEYLOG_H

#include "router/router.h"

typedef struct keylog {
    int ike;
    int esp;
} keylog;

/* Makes DIR/wireshark/{ikev2_decryption_table,esp_sa}, readable to the owner only. False: errno. */
bool keylog_open(keylog *k, const char *directory);
void keylog_close(keylog *k);

/* A router_keylog; user is the keylog. */
void keylog_write(void *user, int kind, const char *line);

#endif
