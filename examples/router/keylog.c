/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys as the tables of Wireshark want them, a line each. Nothing is made or kept unless somebody
 * asked for it.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024, KEY_HEX_BYTES = 2 * ESP_KEYMAT_MAX + 1, ADDR_BYTES = 48 };

void router_set_keylog(router *r, router_keylog *log, void *user)
{
    if (!r)
        return;
    r->keylog = log;
    r->keylog_user = user;
}

static void addr_text(const router_addr *a, char *out, size_t cap)
{
    const uint8_t *b = a->bytes;
    if (a->family == ROUTER_FAMILY_IPV4) {
        (void)snprintf(out, cap, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < sizeof(a->bytes) && at + 5 < cap; i += 2)
        at += (size_t)snprintf(out + at, cap - at, "%s%x", i ? ":" : "",
                               (unsigned)(b[i] << 8 | b[i + 1]));
}

static const char *esp_cipher(const ikev2_child_info *info)
{
    if (info->encr == IKEV2_ENCR_AES_GCM_16)
        return "AES-GCM with 16 octet ICV [RFC4106]";
    if (info->encr == IKEV2_ENCR_CHACHA20_POLY1305)
        return "ChaCha20 with Poly1305 [RFC7634]";
    return NULL;
}

void rt_keylog_esp(router *r, const ikev2_child_info *info, bool inbound)
{
    const char *cipher = esp_cipher(info);
    const uint8_t *key = inbound ? info->key_in : info->key_out;
    const size_t len = inbound ? info->key_in_len : info->key_out_len;
    if (!r->keylog || !cipher || !key || len > ESP_KEYMAT_MAX)
        return;
    router_addr local;
    router_addr peer;
    char from[ADDR_BYTES];
    char to[ADDR_BYTES];
    char hex[KEY_HEX_BYTES];
    char line[LINE_BYTES];
    rt_addr_from(&local, &info->path.local);
    rt_addr_from(&peer, &info->path.peer);
    addr_text(inbound ? &peer : &local, from, sizeof(from));
    addr_text(inbound ? &local : &peer, to, sizeof(to));
    sodium_bin2hex(hex, sizeof(hex), key, len);
    (void)snprintf(line, sizeof(line),
                   "\"%s\",\"%s\",\"%s\",\"0x%08x\",\"%s\",\"0x%s\",\"NULL\",\"\"",
                   local.family == ROUTER_FAMILY_IPV6 ? "IPv6" : "IPv4", from, to,
                   inbound ? info->spi_in : info->spi_out, cipher, hex);
    r->keylog(r->keylog_user, ROUTER_KEYLOG_ESP, line);
    sodium_memzero(hex, sizeof(hex));
    sodium_memzero(line, sizeof(line));
}

void rt_keylog_ike(router *r, uint64_t sa_id)
{
    (void)r;
    (void)sa_id;
}
