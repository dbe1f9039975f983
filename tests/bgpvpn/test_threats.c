/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a neighbour that has gone hostile gets, where the other tests do not show it.
 * docs/threats.md.
 */
#include "net.h"

enum { JUDGE = 0, SPEAKER = 1, THIRD = 2, CUSTOMER = 7 };

#define OWN    0x0a010100u /* 10.1.1.0, the speaker's own */
#define OTHERS 0x0a020200u /* 10.2.2.0, of a third node: the speaker passes it on as it is */

/* What the judge has of the speaker, which reflects a third node's routes with its next hop. */
static net *judged(uint32_t flags, uint64_t *id)
{
    net *n = net_new(1);
    for (uint32_t i = JUDGE; i <= THIRD; i++) {
        (void)net_engine(n, i, NULL);
        net_vrf(n, i, CUSTOMER, i + 1, 100);
    }
    *id = net_neighbor(n, JUDGE, SPEAKER, flags);
    (void)net_neighbor(n, SPEAKER, JUDGE, BGPVPN_NEIGHBOR_PASSIVE);
    (void)net_neighbor(n, SPEAKER, THIRD, BGPVPN_NEIGHBOR_CLIENT);
    (void)net_neighbor(n, THIRD, SPEAKER, BGPVPN_NEIGHBOR_PASSIVE);
    net_announce(n, SPEAKER, CUSTOMER, OWN, 24, 1001);
    net_announce(n, THIRD, CUSTOMER, OTHERS, 24, 2002);
    net_run(n, 10000);
    return n;
}

static void a_route_by_a_third_node_is_refused_where_it_must_be_by_the_peer(void **state)
{
    (void)state;
    uint64_t id;
    bgpvpn_neighbor_info info;
    net *n = judged(BGPVPN_NEIGHBOR_NEXT_HOP_PEER, &id);
    assert_non_null(net_route_of(n, JUDGE, CUSTOMER, OWN, 24));
    assert_null(net_route_of(n, JUDGE, CUSTOMER, OTHERS, 24));
    net_info(n, JUDGE, id, &info);
    assert_int_equal(info.bad_next_hop, 1);
    assert_int_equal(info.paths, 1);
    assert_int_equal(info.resets, 0);
    net_free(n);
}

static void without_the_flag_it_is_taken_as_reflectors_send_it(void **state)
{
    (void)state;
    uint64_t id;
    net *n = judged(0, &id);
    assert_non_null(net_route_of(n, JUDGE, CUSTOMER, OWN, 24));
    assert_non_null(net_route_of(n, JUDGE, CUSTOMER, OTHERS, 24));
    net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_by_a_third_node_is_refused_where_it_must_be_by_the_peer),
        cmocka_unit_test(without_the_flag_it_is_taken_as_reflectors_send_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
