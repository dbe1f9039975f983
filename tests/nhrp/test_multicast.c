/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where packets for many are replicated to.
 */
#include "net.h"

#include <string.h>

/* Node 0 is the server 172.16.1.100 on multipoint link 1. */
static node *server(net *n, fail_alloc *f, uint32_t flags)
{
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER | flags;
    net_init(n, 1, NULL);
    node *d = net_node(n, 100, f, &i, NULL);
    if (d)
        net_multipoint(n, d, 1, 0);
    return d;
}

/* A client 172.16.1.number registers from an NBMA address. */
static void register_from(net *n, uint8_t number, nhrp_addr from, uint16_t holding_time_s)
{
    nhrp_writer w;
    uint8_t buf[256];
    size_t len = 0;
    const nhrp_packet h = {.type = NHRP_REGISTRATION_REQUEST,
                           .hop_count = 255,
                           .request_id = 5,
                           .source_nbma = from,
                           .source_protocol = ip4(172, 16, 1, number),
                           .destination_protocol = ip4(172, 16, 1, 100)};
    const nhrp_cie cie = {.prefix_len = 255, .holding_time_s = holding_time_s};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_int_equal(nhrp_engine_input(n->nodes[0].engine, n->now_ms, 1, &from, buf, len), NHRP_OK);
    net_settle(n);
}

/* The last octets of the addresses of 198.51.100.0/24, in the order in which they come. */
static void assert_replicas(const node *d, uint32_t link, const char *expected)
{
    nhrp_addr nbma;
    uint64_t it = 0;
    char seen[64] = "";
    size_t len = 0;
    while (nhrp_engine_next_multicast(d->engine, link, &it, &nbma) == NHRP_YES) {
        assert_int_equal(nbma.bytes[0], 198);
        assert_true(len < sizeof(seen) - 1);
        seen[len++] = (char)('0' + nbma.bytes[3]);
    }
    assert_string_equal(seen, expected);
}

static nhrp_addr at(uint8_t last)
{
    return ip4(198, 51, 100, last);
}

/* ip nhrp map multicast dynamic: as long as the registration stands, and where it moves to. */
static void every_registered_client_is_named_once(void **state)
{
    (void)state;
    net n;
    node *hub = server(&n, NULL, NHRP_INTERFACE_MULTICAST);
    assert_replicas(hub, 1, "");
    register_from(&n, 1, at(1), 60);
    register_from(&n, 2, at(2), 120);
    register_from(&n, 3, at(2), 60); /* behind the same NAT */
    assert_replicas(hub, 1, "12");
    register_from(&n, 1, at(1), 60);
    assert_replicas(hub, 1, "12");
    register_from(&n, 1, at(4), 60);
    assert_replicas(hub, 1, "24");
    net_run(&n, n.now_ms + 61000);
    assert_replicas(hub, 1, "2");
    net_run(&n, n.now_ms + 60000);
    assert_replicas(hub, 1, "");
    net_end(&n);
}

static void without_the_flag_only_those_added_are_named(void **state)
{
    (void)state;
    net n;
    const nhrp_addr a = at(7), b = at(8);
    node *hub = server(&n, NULL, 0);
    register_from(&n, 1, at(1), 60);
    assert_replicas(hub, 1, "");
    assert_int_equal(nhrp_engine_multicast_add(hub->engine, n.now_ms, 1, &a), NHRP_OK);
    assert_int_equal(nhrp_engine_multicast_add(hub->engine, n.now_ms, 1, &a), NHRP_ERR_STATE);
    assert_int_equal(nhrp_engine_multicast_remove(hub->engine, n.now_ms, 1, &b), NHRP_ERR_ABSENT);
    assert_replicas(hub, 1, "7");
    assert_int_equal(nhrp_engine_multicast_remove(hub->engine, n.now_ms, 1, &a), NHRP_OK);
    assert_replicas(hub, 1, "");
    net_end(&n);
}

static void an_address_that_is_added_and_registered_stays_until_both_have_gone(void **state)
{
    (void)state;
    net n;
    const nhrp_addr a = at(1);
    node *hub = server(&n, NULL, NHRP_INTERFACE_MULTICAST);
    register_from(&n, 1, a, 60);
    assert_int_equal(nhrp_engine_multicast_remove(hub->engine, n.now_ms, 1, &a), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_multicast_add(hub->engine, n.now_ms, 1, &a), NHRP_OK);
    assert_replicas(hub, 1, "1");
    net_run(&n, n.now_ms + 61000);
    assert_replicas(hub, 1, "1");
    register_from(&n, 1, a, 60);
    assert_int_equal(nhrp_engine_multicast_remove(hub->engine, n.now_ms, 1, &a), NHRP_OK);
    assert_replicas(hub, 1, "1");
    register_from(&n, 1, a, 0);
    assert_replicas(hub, 1, "");
    net_end(&n);
}

/* ip nhrp nhs ... multicast */
static void servers_that_are_marked_are_named_once(void **state)
{
    (void)state;
    net n;
    nhrp_server_config c;
    uint64_t id;
    node *spoke = server(&n, NULL, 0);
    (void)nhrp_server_config_init(&c);
    c.link = 1;
    for (uint8_t k = 1; k <= 4; k++) {
        c.nbma = at(k == 3 ? 2 : k); /* the third is the second's other address */
        c.flags = k == 1 ? 0 : NHRP_SERVER_MULTICAST;
        assert_int_equal(nhrp_engine_server_add(spoke->engine, n.now_ms, &c, &id), NHRP_OK);
    }
    assert_replicas(spoke, 1, "24");
    const nhrp_addr also = at(4);
    assert_int_equal(nhrp_engine_multicast_add(spoke->engine, n.now_ms, 1, &also), NHRP_OK);
    assert_replicas(spoke, 1, "42");
    net_end(&n);
}

static void the_walk_goes_on_when_entries_go(void **state)
{
    (void)state;
    net n;
    nhrp_addr nbma;
    uint64_t it = 0;
    node *hub = server(&n, NULL, 0);
    for (uint8_t k = 1; k <= 4; k++) {
        const nhrp_addr a = at(k);
        assert_int_equal(nhrp_engine_multicast_add(hub->engine, n.now_ms, 1, &a), NHRP_OK);
    }
    assert_int_equal(nhrp_engine_next_multicast(hub->engine, 1, &it, &nbma), NHRP_YES);
    assert_int_equal(nhrp_engine_next_multicast(hub->engine, 1, &it, &nbma), NHRP_YES);
    for (uint8_t k = 1; k <= 3; k++) {
        const nhrp_addr a = at(k);
        assert_int_equal(nhrp_engine_multicast_remove(hub->engine, n.now_ms, 1, &a), NHRP_OK);
    }
    assert_int_equal(nhrp_engine_next_multicast(hub->engine, 1, &it, &nbma), NHRP_YES);
    assert_int_equal(nbma.bytes[3], 4);
    assert_int_equal(nhrp_engine_next_multicast(hub->engine, 1, &it, &nbma), NHRP_OK);
    net_end(&n);
}

static void a_link_with_one_peer_has_that_peer(void **state)
{
    net *n = *state;
    nhrp_addr nbma;
    uint64_t it = 0;
    const nhrp_engine *e = n->nodes[0].engine;
    assert_int_equal(nhrp_engine_next_multicast(e, 1, &it, &nbma), NHRP_YES);
    assert_memory_equal(nbma.bytes, n->nodes[1].nbma.bytes, 4);
    assert_int_equal(nhrp_engine_next_multicast(e, 1, &it, &nbma), NHRP_OK);
    assert_int_equal(nhrp_engine_next_multicast(e, 77, &it, &nbma), NHRP_ERR_ABSENT);
}

static void no_more_are_added_than_the_ceiling_and_they_end_with_the_link(void **state)
{
    (void)state;
    net n;
    nhrp_config cfg;
    const nhrp_addr a = at(1), b = at(2), c = at(3);
    (void)nhrp_config_init(&cfg);
    cfg.max_multicast = 2;
    net_init(&n, 1, NULL);
    node *d = net_node(&n, 100, NULL, NULL, &cfg);
    assert_non_null(d);
    net_multipoint(&n, d, 1, 0);
    assert_int_equal(nhrp_engine_multicast_add(d->engine, n.now_ms, 1, &a), NHRP_OK);
    assert_int_equal(nhrp_engine_multicast_add(d->engine, n.now_ms, 1, &b), NHRP_OK);
    assert_int_equal(nhrp_engine_multicast_add(d->engine, n.now_ms, 1, &c), NHRP_ERR_LIMIT);
    assert_int_equal(nhrp_engine_link_down(d->engine, n.now_ms, 1), NHRP_OK);
    net_multipoint(&n, d, 2, 0);
    assert_replicas(d, 2, "");
    assert_int_equal(nhrp_engine_multicast_add(d->engine, n.now_ms, 2, &c), NHRP_OK);
    net_end(&n);
}

static void replicating(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    nhrp_server_config c;
    uint64_t id;
    static const uint8_t numbers[] = {100, 1};
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER | NHRP_INTERFACE_MULTICAST;
    net_init(&n, 1, NULL);
    for (size_t k = 0; k < 2; k++)
        if (net_node(&n, numbers[k], f, &i, NULL))
            net_multipoint(&n, &n.nodes[k], 1, 0);
    if (n.count == 2) {
        (void)nhrp_server_config_init(&c);
        c.link = 1;
        c.nbma = n.nodes[0].nbma;
        c.flags = NHRP_SERVER_MULTICAST;
        (void)nhrp_engine_server_add(n.nodes[1].engine, n.now_ms, &c, &id);
    }
    net_run(&n, n.now_ms + 300000);
    net_end(&n);
}

static void replication_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(replicating, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_registered_client_is_named_once),
        cmocka_unit_test(without_the_flag_only_those_added_are_named),
        cmocka_unit_test(an_address_that_is_added_and_registered_stays_until_both_have_gone),
        cmocka_unit_test(servers_that_are_marked_are_named_once),
        cmocka_unit_test(the_walk_goes_on_when_entries_go),
        walk_test(a_link_with_one_peer_has_that_peer),
        cmocka_unit_test(no_more_are_added_than_the_ceiling_and_they_end_with_the_link),
        cmocka_unit_test(replication_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
