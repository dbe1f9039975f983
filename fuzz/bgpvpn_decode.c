/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every decoder of the codec. Marker and length are repaired; the first byte chooses options.
 */
#include <bgpvpn/bgpvpn.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(uint32_t table, uint8_t withdraw, const uint8_t *buf, size_t len)
{
    size_t it = 0, n;
    bgpvpn_nlri nlri, back;
    bgpvpn_rc rc;
    uint8_t out[64];
    while ((rc = bgpvpn_nlri_next(table, withdraw, buf, len, &it, &nlri)) == BGPVPN_YES) {
        size_t again = 0;
        if (bgpvpn_nlri_encode(table, 0, &nlri, out, sizeof(out), &n) != BGPVPN_OK ||
            bgpvpn_nlri_next(table, 0, out, n, &again, &back) != BGPVPN_YES ||
            memcmp(&nlri, &back, sizeof(nlri)) != 0)
            abort();
    }
    if (rc != BGPVPN_OK)
        abort(); /* what a decoded UPDATE holds has been checked */
}

static void update(const uint8_t *msg, size_t len, uint8_t options)
{
    static const uint32_t tables[] = {BGPVPN_TABLE_IPV4, BGPVPN_TABLE_VPNV4, BGPVPN_TABLE_IPV6,
                                      BGPVPN_TABLE_VPNV6};
    bgpvpn_update u;
    uint32_t table;
    if (bgpvpn_update_decode(msg, len, options & 1 ? 4 : 2, options >> 1 & 1, &u) != BGPVPN_OK)
        return;
    (void)bgpvpn_update_end_of_rib(&u, &table);
    walk(BGPVPN_TABLE_IPV4, 1, u.withdrawn, u.withdrawn_len);
    walk(BGPVPN_TABLE_IPV4, 0, u.nlri, u.nlri_len);
    for (unsigned i = 0; i < 4; i++) {
        const uint16_t afi = i < 2 ? BGPVPN_AFI_IPV4 : BGPVPN_AFI_IPV6;
        const uint8_t safi = i % 2 ? BGPVPN_SAFI_VPN : BGPVPN_SAFI_UNICAST;
        if (u.reach_afi == afi && u.reach_safi == safi)
            walk(tables[i], 0, u.reach, u.reach_len);
        if (u.unreach_afi == afi && u.unreach_safi == safi)
            walk(tables[i], 1, u.unreach, u.unreach_len);
    }
}

/* What graceful restart says survives a round trip. */
static void restart(const bgpvpn_capability *c)
{
    bgpvpn_restart r, back;
    uint8_t out[64];
    bgpvpn_capability again = {.value = out, .code = BGPVPN_CAPABILITY_GRACEFUL_RESTART};
    if (bgpvpn_restart_decode(c, &r) != BGPVPN_OK)
        return;
    if (bgpvpn_restart_encode(&r, out, sizeof(out), &again.len) != BGPVPN_OK ||
        bgpvpn_restart_decode(&again, &back) != BGPVPN_OK || memcmp(&r, &back, sizeof(r)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > BGPVPN_EXTENDED_MAX - BGPVPN_HEADER_LEN + 2)
        return 0;
    /* Exactly the message's size, so that a sanitizer sees one byte too far. */
    const size_t len = BGPVPN_HEADER_LEN + size - 2;
    uint8_t *msg = malloc(len);
    if (!msg)
        return 0;
    memset(msg, 0xff, 16);
    msg[16] = (uint8_t)(len >> 8);
    msg[17] = (uint8_t)len;
    msg[18] = data[1];
    memcpy(msg + BGPVPN_HEADER_LEN, data + 2, size - 2);

    bgpvpn_header h;
    bgpvpn_open open;
    bgpvpn_notification n;
    bgpvpn_refresh r;
    const uint8_t *text;
    size_t text_len, it = 0;
    bgpvpn_capability c;
    (void)bgpvpn_header_decode(data, size, &h);
    (void)bgpvpn_extended_header_decode(data, size, &h);
    if (bgpvpn_open_decode(msg, len, &open) == BGPVPN_OK)
        while (bgpvpn_capability_next(&open, &it, &c) == BGPVPN_YES)
            restart(&c);
    if (bgpvpn_notification_decode(msg, len, &n) == BGPVPN_OK)
        (void)bgpvpn_notification_text(&n, &text, &text_len);
    (void)bgpvpn_refresh_decode(msg, len, &r);
    update(msg, len, data[0]);
    free(msg);
    return 0;
}
