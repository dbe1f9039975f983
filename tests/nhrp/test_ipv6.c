/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tunnels with IPv6 addresses: both families registered by one link, and link-local addresses told
 * with answers (draft-detienne-dmvpn 4.7).
 */
#include "net.h"

#include <string.h>

enum { HUB = 0, ONE = 1, TWO = 2 };

static nhrp_addr ip6(uint8_t subnet, uint8_t host)
{
    return (nhrp_addr){.family = NHRP_FAMILY_IPV6,
                       .bytes = {0x20, 1, 0xd, 0xb8, [7] = subnet, [15] = host}};
}

static nhrp_addr link_local(uint8_t host)
{
    return (nhrp_addr){.family = NHRP_FAMILY_IPV6, .bytes = {0xfe, 0x80, [15] = host}};
}

/* The hub and the spokes with tunnel addresses of both families; the nodes' links are to be made.
 */
static void stations(net *n, fail_alloc *f)
{
    static const uint8_t numbers[] = {100, 1, 2};
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags |= NHRP_INTERFACE_SERVER;
    net_init(n, 1, NULL);
    for (size_t k = 0; k < 3; k++) {
        node *d = net_node(n, numbers[k], f, &i, NULL);
        if (!d)
            return;
        d->tunnel6 = ip6(0xaa, numbers[k]);
        d->link_local = link_local(numbers[k]);
    }
}

static bool registered(const node *d, nhrp_addr host)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(d->engine, &it, &m) == NHRP_YES)
        if (m.kind == NHRP_MAPPING_REGISTERED && memcmp(m.prefix.bytes, host.bytes, 16) == 0)
            return true;
    return false;
}

/* RFC 2332 5.2.3: ar$pro.type is one for a packet, so there are two registrations. */
static void one_link_registers_both_families(void **state)
{
    (void)state;
    net n;
    stations(&n, NULL);
    net_connect(&n, &n.nodes[ONE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 2);
    assert_int_equal(node_events(&n.nodes[ONE], NHRP_EVENT_REGISTERED), 2);
    assert_true(registered(&n.nodes[HUB], n.nodes[ONE].tunnel));
    assert_true(registered(&n.nodes[HUB], n.nodes[ONE].tunnel6));
    net_end(&n);
}

/* Who is known by an IPv4 address alone is asked for no IPv6. */
static void a_server_without_ipv6_is_asked_for_ipv4_alone(void **state)
{
    (void)state;
    net n;
    stations(&n, NULL);
    n.nodes[HUB].tunnel6.family = NHRP_FAMILY_NONE;
    memset(n.nodes[HUB].tunnel6.bytes, 0, 16);
    net_connect(&n, &n.nodes[ONE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 1);
    assert_true(registered(&n.nodes[HUB], n.nodes[ONE].tunnel));
    net_end(&n);
}

static void a_multipoint_link_has_servers_of_both_families(void **state)
{
    (void)state;
    net n;
    stations(&n, NULL);
    net_multipoint(&n, &n.nodes[HUB], 1, 0);
    net_multipoint(&n, &n.nodes[ONE], 1, 0);
    for (int k = 0; k < 2; k++) {
        nhrp_server_config c;
        uint64_t id;
        (void)nhrp_server_config_init(&c);
        c.link = 1;
        c.nbma = n.nodes[HUB].nbma;
        c.protocol = k ? n.nodes[HUB].tunnel6 : n.nodes[HUB].tunnel;
        assert_int_equal(nhrp_engine_server_add(n.nodes[ONE].engine, n.now_ms, &c, &id), NHRP_OK);
    }
    net_run(&n, n.now_ms + 100);
    assert_true(registered(&n.nodes[HUB], n.nodes[ONE].tunnel));
    assert_true(registered(&n.nodes[HUB], n.nodes[ONE].tunnel6));
    net_end(&n);
}

/* Spoke one asks for a host behind spoke two, whose answer comes back. */
static void ask(net *n, nhrp_addr host, nhrp_addr there, nhrp_addr all)
{
    uint64_t id;
    there.prefix_len = all.family == NHRP_FAMILY_IPV4 ? 24 : 64;
    all.prefix_len = all.family == NHRP_FAMILY_IPV4 ? 8 : 32;
    for (uint8_t k = ONE; k <= TWO; k++) {
        net_connect(n, &n->nodes[k], 1, &n->nodes[HUB], k, 0);
        node_route(&n->nodes[k], GLOBAL, all, 1, 0);
    }
    node_route(&n->nodes[TWO], GLOBAL, there, 0, 0);
    node_route(&n->nodes[HUB], GLOBAL, there, 2, 0);
    n->watch = NHRP_RESOLUTION_REPLY;
    assert_int_equal(nhrp_engine_resolve(n->nodes[ONE].engine, n->now_ms, &host, &id), NHRP_OK);
    net_run(n, n->now_ms + 3000);
}

/* draft-detienne-dmvpn 4.7 */
static void an_answer_about_ipv6_tells_the_link_local_address(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_cie first, second;
    nhrp_mapping m;
    size_t it = 0;
    stations(&n, NULL);
    ask(&n, ip6(2, 9), ip6(2, 0), ip6(0, 0));
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(nhrp_cie_next(&p, &it, &first), NHRP_YES);
    assert_int_equal(nhrp_cie_next(&p, &it, &second), NHRP_YES);
    assert_int_equal(nhrp_cie_next(&p, &it, &second), NHRP_OK);
    const nhrp_addr own = link_local(2);
    assert_int_equal(first.prefix_len, 64);
    assert_memory_equal(first.protocol.bytes, n.nodes[TWO].tunnel6.bytes, 16);
    assert_memory_equal(second.protocol.bytes, own.bytes, 16);
    assert_memory_equal(second.nbma.bytes, first.nbma.bytes, 16);
    assert_int_equal(second.code, 0);
    assert_true(node_mapping(&n.nodes[ONE], NHRP_MAPPING_RESOLVED, &m));
    assert_memory_equal(&m.link_local, &own, sizeof(own));
    net_end(&n);
}

static void without_one_or_about_ipv4_nothing_is_added(void **state)
{
    (void)state;
    for (int about_ipv4 = 0; about_ipv4 < 2; about_ipv4++) {
        net n;
        nhrp_packet p;
        nhrp_cie cie;
        nhrp_mapping m;
        size_t it = 0;
        stations(&n, NULL);
        if (about_ipv4) {
            ask(&n, ip4(10, 2, 2, 9), ip4(10, 2, 2, 0), ip4(10, 0, 0, 0));
        } else {
            n.nodes[TWO].link_local = (nhrp_addr){0};
            ask(&n, ip6(2, 9), ip6(2, 0), ip6(0, 0));
        }
        assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
        assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
        assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_OK);
        assert_true(node_mapping(&n.nodes[ONE], NHRP_MAPPING_RESOLVED, &m));
        assert_int_equal(m.link_local.family, NHRP_FAMILY_NONE);
        net_end(&n);
    }
}

/*
 * A leaf's second CIE: its link-local address at its own NBMA address is its own; at another's it
 * speaks for another, and so does a second CIE with any other address.
 */
static void a_leaf_s_second_entry_is_held_against_the_first(void **state)
{
    (void)state;
    for (int shape = 0; shape < 4; shape++) {
        net n;
        nhrp_link_config c;
        nhrp_writer w;
        nhrp_packet p;
        nhrp_mapping m;
        uint64_t id;
        uint8_t buf[512];
        size_t len = 0;
        stations(&n, NULL);
        node *hub = &n.nodes[HUB];
        const node *one = &n.nodes[ONE];
        (void)nhrp_link_config_init(&c);
        c.interface = INTERFACE;
        c.flags = NHRP_LINK_LEAF;
        c.local_nbma = hub->nbma;
        c.local_protocol_ipv6 = hub->tunnel6;
        c.peer_nbma = one->nbma;
        c.peer_protocol_ipv6 = one->tunnel6;
        assert_int_equal(nhrp_engine_link_up(hub->engine, n.now_ms, 1, &c), NHRP_OK);
        hub->links[0] = (net_link){1, ONE, 1};
        nhrp_addr there = ip6(2, 0);
        there.prefix_len = 64;
        node_route(hub, GLOBAL, there, 1, 0);
        n.watch = NHRP_RESOLUTION_REQUEST;
        const nhrp_addr host = ip6(2, 9);
        assert_int_equal(nhrp_engine_resolve(hub->engine, n.now_ms, &host, &id), NHRP_OK);
        net_settle(&n);
        assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
        p.type = NHRP_RESOLUTION_REPLY;
        const nhrp_cie first = {
            .prefix_len = 64, .holding_time_s = 60, .nbma = one->nbma, .protocol = one->tunnel6};
        nhrp_cie second = first;
        second.protocol = link_local(1);
        if (shape == 1)
            second.nbma = n.nodes[TWO].nbma;
        if (shape == 2)
            second.protocol = n.nodes[TWO].tunnel6;
        assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &p), NHRP_OK);
        if (shape != 3) /* the link-local address alone names nobody */
            assert_int_equal(nhrp_writer_put_cie(&w, &first), NHRP_OK);
        assert_int_equal(nhrp_writer_put_cie(&w, &second), NHRP_OK);
        assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
        assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, NULL, buf, len),
                         shape == 0 ? NHRP_OK : NHRP_ERR_REFUSED);
        net_settle(&n);
        assert_int_equal(node_mapping(hub, NHRP_MAPPING_RESOLVED, &m), shape == 0);
        net_end(&n);
    }
}

static void what_is_no_link_local_address_is_refused(void **state)
{
    (void)state;
    net n;
    nhrp_link_config c;
    stations(&n, NULL);
    (void)nhrp_link_config_init(&c);
    c.interface = INTERFACE;
    c.flags = NHRP_LINK_MULTIPOINT;
    c.local_nbma = ip4(192, 168, 1, 9);
    c.local_protocol_ipv6 = ip6(0xaa, 9);
    nhrp_addr bad[3] = {ip6(1, 1), link_local(0), link_local(1)};
    bad[2].bytes[4] = 1; /* not of fe80::/64 */
    for (size_t i = 0; i < 3; i++) {
        c.local_link_local = bad[i];
        assert_int_equal(nhrp_engine_link_up(n.nodes[HUB].engine, n.now_ms, 9, &c), NHRP_ERR_ARG);
    }
    c.local_link_local = link_local(9);
    assert_int_equal(nhrp_engine_link_up(n.nodes[HUB].engine, n.now_ms, 9, &c), NHRP_OK);
    net_end(&n);
}

static void both_families(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    stations(&n, f);
    if (n.count > ONE)
        net_connect(&n, &n.nodes[ONE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 300000);
    net_end(&n);
}

static void both_families_survive_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(both_families, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_link_registers_both_families),
        cmocka_unit_test(a_server_without_ipv6_is_asked_for_ipv4_alone),
        cmocka_unit_test(a_multipoint_link_has_servers_of_both_families),
        cmocka_unit_test(an_answer_about_ipv6_tells_the_link_local_address),
        cmocka_unit_test(without_one_or_about_ipv4_nothing_is_added),
        cmocka_unit_test(a_leaf_s_second_entry_is_held_against_the_first),
        cmocka_unit_test(what_is_no_link_local_address_is_refused),
        cmocka_unit_test(both_families_survive_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
