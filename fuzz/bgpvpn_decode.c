/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every decoder of the codec. Marker and length are repaired; the first byte chooses options:
 * octets of an AS, an external peer, a length that is one too many. What decodes is encoded again,
 * and must then decode to the same.
 */
#include <bgpvpn/bgpvpn.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void open_again(const bgpvpn_open *o)
{
    uint8_t out[BGPVPN_MESSAGE_MAX];
    size_t n = 0;
    bgpvpn_open back;
    bgpvpn_open known = *o;
    /* RFC 9072 by its own decision, and without graceful restart's families. */
    if (bgpvpn_open_encode(&known, out, sizeof(out), &n) != BGPVPN_OK)
        return;
    require(bgpvpn_open_decode(out, n, &back) == BGPVPN_OK);
    require(back.router_id == o->router_id && back.hold_time_s == o->hold_time_s);
    require(bgpvpn_open_encode(&known, out, n - 1, &n) == BGPVPN_ERR_BUFFER);
}

static void refresh_again(const bgpvpn_refresh *r)
{
    uint8_t out[BGPVPN_MESSAGE_MAX];
    size_t n = 0;
    bgpvpn_refresh back;
    require(bgpvpn_refresh_encode(r, out, sizeof(out), &n) == BGPVPN_OK);
    require(bgpvpn_refresh_decode(out, n, &back) == BGPVPN_OK &&
            memcmp(&back, r, sizeof(back)) == 0);
}

static void notification_again(const bgpvpn_notification *n)
{
    uint8_t out[BGPVPN_MESSAGE_MAX];
    size_t len = 0;
    bgpvpn_notification back;
    require(bgpvpn_notification_encode(n, out, sizeof(out), &len) == BGPVPN_OK);
    require(bgpvpn_notification_decode(out, len, &back) == BGPVPN_OK && back.len == n->len);
}

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

/* A route target of any of the three types can be made from its parts. */
static void route_target(const uint8_t c[8])
{
    uint8_t made[8];
    if (bgpvpn_rt_check(c) != BGPVPN_YES)
        return;
    const uint32_t high = (uint32_t)c[2] << 8 | c[3];
    const uint32_t middle = (uint32_t)c[4] << 8 | c[5];
    const uint32_t low = (uint32_t)c[6] << 8 | c[7];
    const uint32_t admin = c[0] == 0 ? high : high << 16 | middle;
    const uint32_t assigned = c[0] == 0 ? middle << 16 | low : low;
    if (c[0] == 2 && admin <= UINT16_MAX)
        return; /* it would be made in the two-octet type */
    require(bgpvpn_rt_make(admin, assigned, c[0] == 1, made) == BGPVPN_OK);
    require(memcmp(made, c, sizeof(made)) == 0);
}

static void attributes(const bgpvpn_update *u)
{
    size_t it = 0, n = 0, again = 0;
    bgpvpn_attribute a, back;
    uint8_t out[BGPVPN_MESSAGE_MAX + 8];
    while (bgpvpn_attribute_next(u->attributes, u->attributes_len, &it, &a) == BGPVPN_YES) {
        again = 0;
        require(bgpvpn_attribute_encode(&a, out, sizeof(out), &n) == BGPVPN_OK);
        require(bgpvpn_attribute_next(out, n, &again, &back) == BGPVPN_YES && again == n);
        require(back.type == a.type && back.len == a.len &&
                (a.len == 0 || memcmp(back.value, a.value, a.len) == 0));
        for (size_t i = 0; a.type == BGPVPN_ATTR_EXTENDED_COMMUNITIES && i + 8 <= a.len; i += 8)
            route_target(a.value + i);
    }
}

/* The families and prefixes alone, without other attributes. */
static void update_again(const bgpvpn_update *u)
{
    bgpvpn_update bare = *u, back;
    uint8_t out[BGPVPN_MESSAGE_MAX];
    size_t n = 0;
    if ((u->reach_len > 0 && u->reach_afi == 0) || (u->unreach_len > 0 && u->unreach_afi == 0))
        return; /* to the encoder a family of 0 is none */
    bare.attributes = NULL;
    bare.attributes_len = 0;
    if (bgpvpn_update_encode(&bare, out, sizeof(out), &n) != BGPVPN_OK ||
        bgpvpn_update_decode(out, n, u->as_size, 0, &back) != BGPVPN_OK)
        return;
    require(back.withdrawn_len == u->withdrawn_len && back.nlri_len == u->nlri_len &&
            back.reach_len == u->reach_len && back.unreach_len == u->unreach_len);
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
    attributes(&u);
    update_again(&u);
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
    msg[17] = (uint8_t)(len + (data[0] >> 2 & 1));
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
    if (bgpvpn_open_decode(msg, len, &open) == BGPVPN_OK) {
        while (bgpvpn_capability_next(&open, &it, &c) == BGPVPN_YES)
            restart(&c);
        open_again(&open);
    }
    if (bgpvpn_notification_decode(msg, len, &n) == BGPVPN_OK) {
        (void)bgpvpn_notification_text(&n, &text, &text_len);
        notification_again(&n);
    }
    if (bgpvpn_refresh_decode(msg, len, &r) == BGPVPN_OK)
        refresh_again(&r);
    update(msg, len, data[0]);
    free(msg);
    return 0;
}
