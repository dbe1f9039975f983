/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys as the tables of Wireshark want them, a line each. Nothing is made or kept unless somebody
 * asked for it.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_BYTES = 1024,
    KEY_HEX_BYTES = 2 * ESP_KEYMAT_MAX + 1,
    IKE_KEY_HEX_BYTES = 2 * 64 + 1,
    ADDR_BYTES = 48
};

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

/* Names of Wireshark's; NULL where it has none. */
static const char *ike_cipher(const ikev2_sa_info *info)
{
    if (info->encr == IKEV2_ENCR_AES_GCM_16)
        return info->key_bits == 256 ? "AES-GCM-256 with 16 octet ICV [RFC5282]"
                                     : "AES-GCM-128 with 16 octet ICV [RFC5282]";
    if (info->encr == IKEV2_ENCR_AES_CBC)
        return info->key_bits == 256 ? "AES-CBC-256 [RFC3602]" : "AES-CBC-128 [RFC3602]";
    return NULL;
}

static const char *ike_integrity(const ikev2_sa_info *info)
{
    switch (info->integ) {
    case IKEV2_INTEG_HMAC_SHA2_256_128:
        return "HMAC_SHA2_256_128 [RFC4868]";
    case IKEV2_INTEG_HMAC_SHA2_384_192:
        return "HMAC_SHA2_384_192 [RFC4868]";
    case IKEV2_INTEG_HMAC_SHA2_512_256:
        return "HMAC_SHA2_512_256 [RFC4868]";
    default:
        return "NONE [RFC4306]";
    }
}

static void key_hex(char out[IKE_KEY_HEX_BYTES], const uint8_t *key, size_t len)
{
    out[0] = 0;
    if (key && 2 * len < IKE_KEY_HEX_BYTES)
        sodium_bin2hex(out, IKE_KEY_HEX_BYTES, key, len);
}

void rt_keylog_ike(router *r, uint64_t sa_id)
{
    ikev2_sa_info info;
    ikev2_sa_keys keys;
    memset(&info, 0, sizeof(info));
    memset(&keys, 0, sizeof(keys));
    info.struct_size = sizeof(info);
    keys.struct_size = sizeof(keys);
    if (!r->keylog || ikev2_engine_get_sa(r->ike, sa_id, &info) != IKEV2_OK ||
        ikev2_engine_get_keys(r->ike, sa_id, &keys) != IKEV2_OK)
        return;
    const char *cipher = ike_cipher(&info);
    if (!cipher)
        return;
    char hex[4][IKE_KEY_HEX_BYTES];
    char line[LINE_BYTES];
    key_hex(hex[0], keys.ei, keys.ei_len);
    key_hex(hex[1], keys.er, keys.er_len);
    key_hex(hex[2], keys.ai, keys.ai_len);
    key_hex(hex[3], keys.ar, keys.ar_len);
    (void)snprintf(line, sizeof(line), "%016" PRIx64 ",%016" PRIx64 ",%s,%s,\"%s\",%s,%s,\"%s\"",
                   info.spi_i, info.spi_r, hex[0], hex[1], cipher, hex[2], hex[3],
                   ike_integrity(&info));
    r->keylog(r->keylog_user, ROUTER_KEYLOG_IKE, line);
    sodium_memzero(hex, sizeof(hex));
    sodium_memzero(line, sizeof(line));
}
