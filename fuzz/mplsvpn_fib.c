/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A stream of operations on one VRF, against an array of prefixes that are all compared. Each is
 * six octets: what, prefix length, and four that make an address of either family; the address
 * octets are spread so that prefixes meet.
 */
#include <tests/mplsvpn/naive.h>

#include <stdlib.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

#define VRF             7
#define OPERATION_BYTES 6
#define OPERATIONS_MAX  64
#define WALKS_MAX       2 /* a walk costs more than all else together */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mplsvpn_addr make_address(const uint8_t b[OPERATION_BYTES])
{
    const uint8_t v6 = b[0] & 1;
    mplsvpn_addr a = {.family = v6 ? MPLSVPN_FAMILY_IPV6 : MPLSVPN_FAMILY_IPV4,
                      .prefix_len = (uint8_t)(b[1] % (v6 ? 129 : 33))};
    for (int i = 0; i < (v6 ? 16 : 4); i++)
        a.bytes[i] = b[2 + i % 4];
    return a;
}

static void check_lookup(mplsvpn_table *t, const naive *n, const mplsvpn_addr *a)
{
    const naive_route *want = naive_lookup(n, a);
    mplsvpn_addr found;
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_route_lookup(t, VRF, a, &found, &hop);
    MUST(rc == (want ? MPLSVPN_OK : MPLSVPN_ERR_NO_ROUTE));
    if (want)
        MUST(hop.cookie == want->cookie && memcmp(&found, &want->prefix, sizeof(found)) == 0);
}

static void check_walk(mplsvpn_table *t, naive *n)
{
    size_t count = 0;
    for (uint8_t family = MPLSVPN_FAMILY_IPV4; family <= MPLSVPN_FAMILY_IPV6; family += 2) {
        mplsvpn_addr at = {0};
        mplsvpn_hop hop;
        while (mplsvpn_route_next(t, VRF, family, &at, &hop) == MPLSVPN_YES) {
            const naive_route *r = naive_find(n, &at);
            MUST(r && r->cookie == hop.cookie);
            count++;
        }
    }
    MUST(count == n->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mplsvpn_config c;
    mplsvpn_table *t = NULL;
    static naive reference;
    naive *n = &reference;
    int walks = 0;
    n->count = 0;
    MUST(mplsvpn_config_init(&c) == MPLSVPN_OK);
    MUST(mplsvpn_table_new(&c, &t) == MPLSVPN_OK);
    MUST(mplsvpn_vrf_add(t, VRF) == MPLSVPN_OK);
    for (size_t i = 0; i < OPERATIONS_MAX && size >= OPERATION_BYTES; i++) {
        const mplsvpn_addr address = make_address(data);
        mplsvpn_addr prefix = address;
        naive_mask(&prefix);
        const mplsvpn_hop hop = {.kind = MPLSVPN_HOP_TUNNEL, .cookie = i};
        switch (data[0] >> 1 & 3) {
        case 0:
        case 1:
            MUST(mplsvpn_route_set(t, VRF, &prefix, &hop) == MPLSVPN_OK);
            naive_set(n, &prefix, i);
            break;
        case 2:
            MUST(mplsvpn_route_remove(t, VRF, &prefix) ==
                 (naive_remove(n, &prefix) ? MPLSVPN_OK : MPLSVPN_ERR_ABSENT));
            break;
        default:
            if (walks++ < WALKS_MAX)
                check_walk(t, n);
            break;
        }
        check_lookup(t, n, &address);
        data += OPERATION_BYTES;
        size -= OPERATION_BYTES;
    }
    check_walk(t, n);
    MUST(mplsvpn_vrf_remove(t, VRF) == MPLSVPN_OK);
    MUST(mplsvpn_table_collect(t) == MPLSVPN_OK);
    mplsvpn_table_free(t);
    return 0;
}
