/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Short ways to a table for the tests.
 */
#ifndef TESTS_MPLSVPN_TABLE_H
#define TESTS_MPLSVPN_TABLE_H

#include "harness.h"

#include <mplsvpn/mplsvpn.h>
#include <string.h>

static inline mplsvpn_config table_config(void)
{
    mplsvpn_config c;
    assert_int_equal(mplsvpn_config_init(&c), MPLSVPN_OK);
    memset(c.seed, 0x5a, sizeof(c.seed));
    return c;
}

static inline mplsvpn_table *table_new(const mplsvpn_config *c)
{
    mplsvpn_table *t = NULL;
    assert_int_equal(mplsvpn_table_new(c, &t), MPLSVPN_OK);
    return t;
}

static inline mplsvpn_usage table_usage(const mplsvpn_table *t)
{
    mplsvpn_usage u = {.struct_size = sizeof(u)};
    assert_int_equal(mplsvpn_table_get_usage(t, &u), MPLSVPN_OK);
    return u;
}

static inline mplsvpn_counters reader_counters_of(const mplsvpn_reader *r)
{
    mplsvpn_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(mplsvpn_reader_get_counters(r, &c), MPLSVPN_OK);
    return c;
}

/* A prefix from its length and leading bytes. */
static inline mplsvpn_addr prefix4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len)
{
    return (mplsvpn_addr){.family = MPLSVPN_FAMILY_IPV4, .prefix_len = len, .bytes = {a, b, c, d}};
}

static inline mplsvpn_hop tunnel_hop(uint32_t interface_id, uint64_t cookie)
{
    return (mplsvpn_hop){
        .kind = MPLSVPN_HOP_TUNNEL, .interface_id = interface_id, .cookie = cookie};
}

#endif
