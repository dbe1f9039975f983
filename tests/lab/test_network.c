/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lab's underlay, its hosts and its address plan.
 */
#include "harness.h"

#include "host.h"
#include "network.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

enum { DATAGRAMS = 20000 };

static router_path path_between(uint32_t from, uint32_t to)
{
    return (router_path){.local = ip_host4(from, 4500),
                         .peer = ip_host4(to, 500),
                         .transport = ROUTER_TRANSPORT_UDP};
}

static network *send_many(uint64_t seed, const network_rules *rules)
{
    network *n = network_new(seed, rules);
    assert_non_null(n);
    const router_path path = path_between(1, 2);
    for (uint32_t i = 0; i < DATAGRAMS; i++)
        assert_true(network_send(n, i, &path, (const uint8_t *)&i, sizeof(i)));
    return n;
}

static uint32_t content(const network_datagram *d)
{
    uint32_t v;
    assert_int_equal(d->len, sizeof(v));
    memcpy(&v, d->buf + ROUTER_HEADROOM, sizeof(v));
    return v;
}

static void a_quiet_network_delivers_each_datagram_once_in_order_after_its_delay(void **state)
{
    (void)state;
    const network_rules rules = {.delay_ms = 7};
    network *n = send_many(1, &rules);
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        assert_true(network_deadline(n) == i + 7);
        assert_null(network_receive(n, i + 6));
        network_datagram *d = network_receive(n, i + 7);
        assert_non_null(d);
        assert_int_equal(content(d), i);
        /* The receiver's view: its own end is local. */
        assert_int_equal(d->path.local.port, 500);
        assert_int_equal(d->path.peer.port, 4500);
        assert_int_equal(d->path.peer.bytes[3], 1);
        free(d);
    }
    assert_true(network_deadline(n) == ROUTER_NEVER);
    network_free(n);
}

static void datagrams_that_arrive_together_arrive_in_the_order_sent(void **state)
{
    (void)state;
    const network_rules rules = {.delay_ms = 1};
    network *n = network_new(1, &rules);
    const router_path path = path_between(1, 2);
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(network_send(n, 5, &path, (const uint8_t *)&i, sizeof(i)));
    for (uint32_t i = 0; i < 1000; i++) {
        network_datagram *d = network_receive(n, 6);
        assert_int_equal(content(d), i);
        free(d);
    }
    network_free(n);
}

static void losses_and_duplicates_are_as_many_as_the_rules_say(void **state)
{
    (void)state;
    const network_rules rules = {.delay_ms = 1,
                                 .loss_ppm = 50000,
                                 .duplicate_ppm = 20000,
                                 .reorder_ppm = 100000,
                                 .reorder_ms = 40};
    network *n = send_many(3, &rules);
    static uint8_t seen[DATAGRAMS];
    memset(seen, 0, sizeof(seen));
    uint32_t late = 0, last = 0;
    network_datagram *d;
    while ((d = network_receive(n, DATAGRAMS + 100)) != NULL) {
        const uint32_t v = content(d);
        late += v < last;
        last = v;
        seen[v]++;
        free(d);
    }
    uint32_t lost = 0, twice = 0;
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        lost += seen[i] == 0;
        twice += seen[i] == 2;
        assert_true(seen[i] <= 2);
    }
    network_stats stats;
    network_get_stats(n, &stats);
    assert_int_equal(stats.lost, lost);
    assert_int_equal(stats.duplicated, twice);
    assert_in_range(lost, DATAGRAMS / 20 - 150, DATAGRAMS / 20 + 150);
    assert_in_range(twice, DATAGRAMS / 53 - 100, DATAGRAMS / 53 + 100);
    assert_true(late > DATAGRAMS / 20);
    network_free(n);
}

static void the_same_seed_treats_the_same_datagrams_alike_and_another_does_not(void **state)
{
    (void)state;
    const network_rules rules = {.delay_ms = 1, .loss_ppm = 50000, .jitter_ms = 30};
    network *a = send_many(7, &rules), *b = send_many(7, &rules), *c = send_many(8, &rules);
    uint32_t differ = 0;
    for (;;) {
        assert_true(network_deadline(a) == network_deadline(b));
        network_datagram *x = network_receive(a, UINT64_MAX - 1);
        network_datagram *y = network_receive(b, UINT64_MAX - 1);
        network_datagram *z = network_receive(c, UINT64_MAX - 1);
        assert_int_equal(x != NULL, y != NULL);
        if (x) {
            assert_int_equal(content(x), content(y));
            differ += !z || content(x) != content(z);
        }
        const bool done = !x;
        free(x);
        free(y);
        free(z);
        if (done)
            break;
    }
    assert_true(differ > 0);
    network_free(a);
    network_free(b);
    network_free(c);
}

/* ---- Hosts; packets made by scapy 2.5 ---- */

static void assert_same_mark(const host_mark *a, const host_mark *b)
{
    assert_int_equal(a->vrf, b->vrf);
    assert_int_equal(a->flow, b->flow);
    assert_int_equal(a->sequence, b->sequence);
    assert_true(a->sent_ms == b->sent_ms);
}

static router_addr ipv6_host(uint8_t last)
{
    router_addr a = {.family = ROUTER_FAMILY_IPV6, .prefix_len = 128};
    a.bytes[0] = 0x20;
    a.bytes[1] = 0x01;
    a.bytes[2] = 0x0d;
    a.bytes[3] = 0xb8;
    a.bytes[15] = last;
    return a;
}

static void an_echo_request_is_answered_as_scapy_would(void **state)
{
    (void)state;
    uint8_t packet[HOST_PACKET_BYTES], answer[HOST_PACKET_BYTES];
    host_heard heard;
    const router_addr self = ip_host4(0x0a010165, 0);
    size_t len = hex_bytes(
        "4500002800004000400123080a0202660a0101650800acb40007000977686f206973207468657265", packet,
        sizeof(packet));
    size_t out = host_input(&self, packet, len, &heard, answer);
    assert_int_equal(heard.kind, HOST_HEARD_ECHO);
    assert_false(heard.marked);
    assert_hex(answer, out,
               "4500002800004000400123080a0101650a0202660000b4b40007000977686f206973207468657265");
    const router_addr other = ip_host4(0x0a010166, 0);
    assert_int_equal(host_input(&other, packet, len, &heard, answer), 0);
    assert_int_equal(heard.kind, HOST_HEARD_NOTHING);
}

static void an_ipv6_echo_request_is_answered_as_scapy_would(void **state)
{
    (void)state;
    uint8_t packet[HOST_PACKET_BYTES], answer[HOST_PACKET_BYTES];
    host_heard heard;
    const router_addr self = ipv6_host(1);
    size_t len =
        hex_bytes("6000000000143a4020010db800000000000000000000000220010db8000000000000000000000001"
                  "8000d8f00007000977686f206973207468657265",
                  packet, sizeof(packet));
    size_t out = host_input(&self, packet, len, &heard, answer);
    assert_hex(answer, out,
               "6000000000143a4020010db800000000000000000000000120010db8000000000000000000000002"
               "8100d7f00007000977686f206973207468657265");
}

static void a_ping_comes_back_with_its_mark(void **state)
{
    (void)state;
    const router_addr a = ip_host4(0x0a010165, 0), b = ip_host4(0x0a020266, 0);
    const host_mark mark = {.vrf = 3, .flow = 70000, .sequence = 9, .sent_ms = 1ull << 40};
    uint8_t request[HOST_PACKET_BYTES], answer[HOST_PACKET_BYTES], none[HOST_PACKET_BYTES];
    host_heard heard;
    const size_t len = host_ping(&a, &b, &mark, request);
    const size_t back = host_input(&b, request, len, &heard, answer);
    assert_int_equal(heard.kind, HOST_HEARD_ECHO);
    assert_int_equal(host_input(&a, answer, back, &heard, none), 0);
    assert_int_equal(heard.kind, HOST_HEARD_REPLY);
    assert_true(heard.marked);
    assert_same_mark(&heard.mark, &mark);
    const size_t udp = host_udp(&a, &b, &mark, request);
    assert_int_equal(host_input(&b, request, udp, &heard, none), 0);
    assert_int_equal(heard.kind, HOST_HEARD_UDP);
    assert_same_mark(&heard.mark, &mark);
}

static void a_damaged_packet_is_not_heard(void **state)
{
    (void)state;
    const router_addr a = ip_host4(0x0a010165, 0), b = ip_host4(0x0a020266, 0);
    const host_mark mark = {.vrf = 3};
    uint8_t packet[HOST_PACKET_BYTES], answer[HOST_PACKET_BYTES];
    host_heard heard;
    for (int udp = 0; udp < 2; udp++) {
        const size_t len = udp ? host_udp(&a, &b, &mark, packet) : host_ping(&a, &b, &mark, packet);
        for (size_t bit = 0; bit < len * 8; bit++) {
            packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(host_input(&b, packet, len, &heard, answer), 0);
            assert_int_equal(heard.kind, HOST_HEARD_NOTHING);
            packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(host_input(&b, packet, cut, &heard, answer), 0);
    }
}

/* ---- The plan ---- */

static void the_first_two_spokes_have_the_addresses_of_the_walk(void **state)
{
    (void)state;
    char text[IP_TEXT_BYTES];
    const plan p = {.spokes = 2, .vrfs = 1};
    const router_addr a[] = {plan_tunnel(&p, 0),   plan_underlay(&p, 0), plan_tunnel(&p, 1),
                             plan_customer(&p, 1), plan_prefix(&p, 2),   plan_customer(&p, 2)};
    static const char *const expected[] = {"172.16.1.254", "192.168.1.254", "172.16.1.1",
                                           "10.1.1.101",   "10.2.2.0",      "10.2.2.102"};
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(ip_text(&a[i], text), expected[i]);
    assert_int_equal(plan_prefix(&p, 2).prefix_len, 24);
}

static void every_spoke_has_addresses_of_its_own_and_is_found_by_them(void **state)
{
    (void)state;
    enum { SPOKES = 20000 };
    const plan p = {.spokes = SPOKES, .vrfs = 1};
    static uint8_t taken[1 << 16];
    memset(taken, 0, sizeof(taken));
    for (uint32_t i = 0; i <= SPOKES; i++) {
        const router_addr underlay = plan_underlay(&p, i);
        uint32_t found = UINT32_MAX;
        assert_true(plan_find(&p, &underlay, &found));
        assert_int_equal(found, i);
        if (i == PLAN_HUB)
            continue;
        const router_addr prefix = plan_prefix(&p, i);
        uint8_t *slot = &taken[prefix.bytes[1] << 8 | prefix.bytes[2]];
        assert_int_equal(*slot, 0);
        *slot = 1;
        assert_memory_equal(plan_customer(&p, i).bytes, prefix.bytes, 3);
    }
    uint32_t found;
    const router_addr nobody = plan_underlay(&p, SPOKES + 1), outside = ip_host4(1, 0);
    const router_addr gap = ip_host4(0xc0a801fb, 0);
    assert_false(plan_find(&p, &nobody, &found));
    assert_false(plan_find(&p, &outside, &found));
    assert_false(plan_find(&p, &gap, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_network_delivers_each_datagram_once_in_order_after_its_delay),
        cmocka_unit_test(datagrams_that_arrive_together_arrive_in_the_order_sent),
        cmocka_unit_test(losses_and_duplicates_are_as_many_as_the_rules_say),
        cmocka_unit_test(the_same_seed_treats_the_same_datagrams_alike_and_another_does_not),
        cmocka_unit_test(an_echo_request_is_answered_as_scapy_would),
        cmocka_unit_test(an_ipv6_echo_request_is_answered_as_scapy_would),
        cmocka_unit_test(a_ping_comes_back_with_its_mark),
        cmocka_unit_test(a_damaged_packet_is_not_heard),
        cmocka_unit_test(the_first_two_spokes_have_the_addresses_of_the_walk),
        cmocka_unit_test(every_spoke_has_addresses_of_its_own_and_is_found_by_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
