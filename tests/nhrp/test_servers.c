/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A client with several servers: on links of their own and on one multipoint link, with priorities,
 * failover and return (RFC 2332 5.2.3).
 */
#include "net.h"

#include <stddef.h>
#include <string.h>

enum { HUB = 0, SECOND = 1, SPOKE = 2 };

/* Hubs 172.16.1.100 and .101 and the spoke .1, who wants so many servers at once. */
static void nodes(net *n, uint64_t seed, const vnet_rules *rules, uint32_t wanted, fail_alloc *f)
{
    static const uint8_t numbers[] = {100, 101, 1};
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER;
    i.max_registrations = wanted;
    net_init(n, seed, rules);
    for (size_t k = 0; k < 3; k++)
        if (!net_node(n, numbers[k], f, &i, NULL))
            return;
}

static uint64_t add(net *n, uint32_t link, uint32_t priority, nhrp_addr protocol, nhrp_addr nbma)
{
    nhrp_server_config c;
    uint64_t id = 0;
    assert_int_equal(nhrp_server_config_init(&c), NHRP_OK);
    c.link = link;
    c.priority = priority;
    c.protocol = protocol;
    c.nbma = nbma;
    assert_int_equal(nhrp_engine_server_add(n->nodes[SPOKE].engine, n->now_ms, &c, &id), NHRP_OK);
    return id;
}

static const nhrp_addr none;

/* Links 1 and 2 of the spoke lead to the two hubs, which have these priorities; ids are out. */
static void on_links(net *n, uint32_t wanted, uint32_t first, uint32_t second, uint64_t id[2])
{
    nodes(n, 1, NULL, wanted, NULL);
    net_connect(n, &n->nodes[SPOKE], 1, &n->nodes[HUB], 1, 0);
    net_connect(n, &n->nodes[SPOKE], 2, &n->nodes[SECOND], 1, 0);
    id[0] = add(n, 1, first, n->nodes[HUB].tunnel, none);
    id[1] = add(n, 2, second, n->nodes[SECOND].tunnel, none);
}

static void assert_states(const net *n, const uint64_t id[2], uint32_t first, uint32_t second)
{
    assert_int_equal(node_server(&n->nodes[SPOKE], id[0]).state, first);
    assert_int_equal(node_server(&n->nodes[SPOKE], id[1]).state, second);
}

/* Without a limit it registers with all of them, each link on its own. */
static void links_to_two_servers_register_with_both(void **state)
{
    (void)state;
    net n;
    nodes(&n, 1, NULL, 0, NULL);
    net_connect(&n, &n.nodes[SPOKE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
    net_connect(&n, &n.nodes[SPOKE], 2, &n.nodes[SECOND], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTERED), 2);
    assert_int_equal(node_events(&n.nodes[HUB], NHRP_EVENT_MAPPING_UP), 1);
    assert_int_equal(node_events(&n.nodes[SECOND], NHRP_EVENT_MAPPING_UP), 1);
    net_run(&n, n.now_ms + 600000); /* RFC 2332 5.2.3: each at a third of the holding time */
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 8);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTRATION_LOST), 0);
    net_end(&n);
}

static void the_better_server_takes_over_once_it_has_answered(void **state)
{
    (void)state;
    net n;
    uint64_t id[2];
    on_links(&n, 1, 5, 1, id);
    net_run(&n, n.now_ms + 100);
    assert_states(&n, id, NHRP_SERVER_STANDBY, NHRP_SERVER_REGISTERED);
    net_run(&n, n.now_ms + 600000);
    assert_states(&n, id, NHRP_SERVER_STANDBY, NHRP_SERVER_REGISTERED);
    net_end(&n);
}

/* The first answers, the better one does not: the first is not left for it. */
static void a_better_server_that_is_silent_changes_nothing(void **state)
{
    (void)state;
    net n;
    uint64_t id[2];
    on_links(&n, 1, 5, 1, id);
    n.nodes[SECOND].deaf = true;
    net_run(&n, n.now_ms + 600000);
    assert_states(&n, id, NHRP_SERVER_REGISTERED, NHRP_SERVER_DOWN);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTRATION_LOST), 0);
    n.nodes[SECOND].deaf = false;
    net_run(&n, n.now_ms + 70000);
    assert_states(&n, id, NHRP_SERVER_STANDBY, NHRP_SERVER_REGISTERED);
    const nhrp_event *lost = node_event(&n.nodes[SPOKE], NHRP_EVENT_REGISTRATION_LOST);
    assert_non_null(lost);
    assert_int_equal(lost->reason, NHRP_ERR_LIMIT);
    assert_true(lost->id == id[0]);
    net_end(&n);
}

/* 1, 2, 4 and 8 s without an answer, and the next one is asked: long before it would run out. */
static void a_server_that_stops_answering_is_left_and_taken_back(void **state)
{
    (void)state;
    net n;
    uint64_t id[2];
    on_links(&n, 1, 1, 5, id);
    net_run(&n, n.now_ms + 100);
    assert_states(&n, id, NHRP_SERVER_REGISTERED, NHRP_SERVER_STANDBY);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 1);
    n.nodes[HUB].deaf = true;
    net_run(&n, n.now_ms + 200000 + 14000);
    assert_states(&n, id, NHRP_SERVER_REGISTERED, NHRP_SERVER_STANDBY);
    net_run(&n, n.now_ms + 2000);
    assert_states(&n, id, NHRP_SERVER_DOWN, NHRP_SERVER_REGISTERED);
    const nhrp_event *lost = node_event(&n.nodes[SPOKE], NHRP_EVENT_REGISTRATION_LOST);
    assert_true(lost->id == id[0] && lost->reason == 0 && lost->link == 1);
    assert_true(node_event(&n.nodes[SPOKE], NHRP_EVENT_REGISTERED)->id == id[1]);
    n.nodes[HUB].deaf = false;
    net_run(&n, n.now_ms + 70000);
    assert_states(&n, id, NHRP_SERVER_REGISTERED, NHRP_SERVER_STANDBY);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTERED), 3);
    net_end(&n);
}

static void among_equals_the_one_that_serves_stays(void **state)
{
    (void)state;
    net n;
    uint64_t id[2];
    on_links(&n, 1, 3, 3, id);
    n.nodes[HUB].deaf = true;
    net_run(&n, n.now_ms + 20000);
    assert_states(&n, id, NHRP_SERVER_DOWN, NHRP_SERVER_REGISTERED);
    n.nodes[HUB].deaf = false;
    net_run(&n, n.now_ms + 70000);
    assert_states(&n, id, NHRP_SERVER_STANDBY, NHRP_SERVER_REGISTERED);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTERED), 1);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTRATION_LOST), 0);
    net_end(&n);
}

static void a_server_that_refuses_is_replaced(void **state)
{
    (void)state;
    net n;
    nhrp_addr b;
    uint64_t id[2];
    nhrp_mapping_config c;
    uint64_t mapping;
    on_links(&n, 1, 1, 5, id);
    /* The hub has other plans for the spoke's address. */
    (void)nhrp_mapping_config_init(&c);
    net_connect(&n, &n.nodes[HUB], 9, &n.nodes[SECOND], 9, 0);
    c.link = 9;
    b = prefix4(172, 16, 1, 1, 32);
    c.prefix = b;
    assert_int_equal(nhrp_engine_mapping_add(n.nodes[HUB].engine, n.now_ms, &c, &mapping), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_states(&n, id, NHRP_SERVER_DOWN, NHRP_SERVER_REGISTERED);
    assert_int_equal(node_event(&n.nodes[SPOKE], NHRP_EVENT_REGISTRATION_REFUSED)->code,
                     NHRP_CODE_PROHIBITED);
    net_end(&n);
}

static void what_is_removed_or_goes_down_is_replaced_at_once(void **state)
{
    (void)state;
    net n;
    uint64_t id[2];
    on_links(&n, 1, 1, 5, id);
    net_run(&n, n.now_ms + 100);
    net_disconnect(&n, &n.nodes[SPOKE], 1);
    net_run(&n, n.now_ms + 100);
    assert_states(&n, id, 0, NHRP_SERVER_REGISTERED);
    const uint64_t third = add(&n, 2, 9, none, none);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_server(&n.nodes[SPOKE], third).state, NHRP_SERVER_STANDBY);
    assert_int_equal(nhrp_engine_server_remove(n.nodes[SPOKE].engine, n.now_ms, id[1]), NHRP_OK);
    assert_int_equal(nhrp_engine_server_remove(n.nodes[SPOKE].engine, n.now_ms, id[1]),
                     NHRP_ERR_ABSENT);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_server(&n.nodes[SPOKE], third).state, NHRP_SERVER_REGISTERED);
    net_end(&n);
}

/* ---- One multipoint link: DMVPN. ---- */

static void on_one_link(net *n, uint64_t seed, const vnet_rules *rules, uint32_t wanted,
                        fail_alloc *f)
{
    nodes(n, seed, rules, wanted, f);
    for (int k = 0; k < n->count; k++)
        net_multipoint(n, &n->nodes[k], 1, 0);
}

/* ip nhrp nhs ... nbma ..., and ip nhrp map with ip nhrp nhs. */
static void servers_on_a_multipoint_link_are_found_by_address_or_mapping(void **state)
{
    (void)state;
    net n;
    nhrp_mapping_config c;
    uint64_t mapping;
    on_one_link(&n, 1, NULL, 0, NULL);
    const nhrp_addr hub = n.nodes[HUB].tunnel, second = n.nodes[SECOND].tunnel;
    const uint64_t a = add(&n, 1, 0, hub, n.nodes[HUB].nbma);
    const uint64_t b = add(&n, 1, 0, second, none);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_server(&n.nodes[SPOKE], a).state, NHRP_SERVER_REGISTERED);
    assert_int_equal(node_server(&n.nodes[SPOKE], b).state, NHRP_SERVER_ASKED);
    assert_int_equal(node_server(&n.nodes[SPOKE], b).nbma.family, NHRP_FAMILY_NONE);
    (void)nhrp_mapping_config_init(&c);
    c.link = 1;
    c.prefix = second;
    c.prefix.prefix_len = 32;
    c.nbma = n.nodes[SECOND].nbma;
    assert_int_equal(nhrp_engine_mapping_add(n.nodes[SPOKE].engine, n.now_ms, &c, &mapping),
                     NHRP_OK);
    net_run(&n, n.now_ms + 10000);
    assert_int_equal(node_server(&n.nodes[SPOKE], b).state, NHRP_SERVER_REGISTERED);
    assert_int_equal(node_events(&n.nodes[SECOND], NHRP_EVENT_MAPPING_UP), 1);
    net_end(&n);
}

/* Anyone on the network can guess a counter; not anyone has the server's NBMA address. */
static void another_node_s_reply_registers_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_writer w;
    uint8_t buf[256];
    size_t len = 0;
    on_one_link(&n, 1, NULL, 0, NULL);
    const nhrp_addr server = n.nodes[HUB].nbma, other = n.nodes[SECOND].nbma;
    nhrp_engine *e = n.nodes[SPOKE].engine;
    (void)add(&n, 1, 0, n.nodes[HUB].tunnel, server);
    n.nodes[HUB].deaf = true;
    net_settle(&n);
    const nhrp_packet h = {.type = NHRP_REGISTRATION_REPLY,
                           .hop_count = 255,
                           .request_id = 1,
                           .source_nbma = n.nodes[SPOKE].nbma,
                           .source_protocol = n.nodes[SPOKE].tunnel,
                           .destination_protocol = n.nodes[HUB].tunnel};
    const nhrp_cie cie = {.prefix_len = 255, .holding_time_s = 600};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_int_equal(nhrp_engine_input(e, n.now_ms, 1, &other, buf, len), NHRP_ERR_UNSOLICITED);
    assert_int_equal(nhrp_engine_input(e, n.now_ms, 1, &server, buf, len), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_events(&n.nodes[SPOKE], NHRP_EVENT_REGISTERED), 1);
    net_end(&n);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    net n;
    uint64_t id = 0;
    on_one_link(&n, 1, NULL, 0, NULL);
    nhrp_engine *e = n.nodes[SPOKE].engine;
    nhrp_server_config good, bad[4];
    assert_int_equal(nhrp_server_config_init(&good), NHRP_OK);
    good.link = 1;
    good.protocol = n.nodes[HUB].tunnel;
    good.nbma = n.nodes[HUB].nbma;
    for (size_t i = 0; i < 4; i++)
        bad[i] = good;
    bad[0].protocol = bad[0].nbma = none;      /* nothing tells where it is */
    bad[1].protocol = n.nodes[SPOKE].tunnel;   /* ourselves */
    bad[2].nbma.family = NHRP_FAMILY_IPV6;     /* the link's NBMA network is IPv4 */
    bad[3].protocol.family = NHRP_FAMILY_IPV6; /* no tunnel address of that family */
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nhrp_engine_server_add(e, n.now_ms, &bad[i], &id), NHRP_ERR_ARG);
    bad[0] = good;
    bad[0].link = 9;
    assert_int_equal(nhrp_engine_server_add(e, n.now_ms, &bad[0], &id), NHRP_ERR_ABSENT);
    net_end(&n);
}

static void no_more_servers_than_the_ceiling(void **state)
{
    (void)state;
    net n;
    nhrp_config cfg;
    uint64_t id = 0;
    nhrp_server_config c;
    (void)nhrp_config_init(&cfg);
    cfg.max_servers = 2;
    net_init(&n, 1, NULL);
    node *d = net_node(&n, 1, NULL, NULL, &cfg);
    assert_non_null(d);
    net_multipoint(&n, d, 1, 0);
    (void)nhrp_server_config_init(&c);
    c.link = 1;
    c.nbma = ip4(198, 51, 100, 1);
    assert_int_equal(nhrp_engine_server_add(d->engine, n.now_ms, &c, &id), NHRP_OK);
    assert_int_equal(nhrp_engine_server_add(d->engine, n.now_ms, &c, &id), NHRP_OK);
    assert_int_equal(nhrp_engine_server_add(d->engine, n.now_ms, &c, &id), NHRP_ERR_LIMIT);
    assert_int_equal(nhrp_engine_server_remove(d->engine, n.now_ms, id), NHRP_OK);
    assert_int_equal(nhrp_engine_server_add(d->engine, n.now_ms, &c, &id), NHRP_OK);
    net_end(&n);
}

/* A caller built against the header before there were priorities. */
static void the_shorter_structs_of_before_are_taken(void **state)
{
    (void)state;
    nhrp_config cfg;
    nhrp_interface_config i;
    nhrp_link_config l;
    nhrp_engine *e;
    (void)nhrp_config_init(&cfg);
    (void)nhrp_interface_config_init(&i);
    (void)nhrp_link_config_init(&l);
    cfg.struct_size = offsetof(nhrp_config, max_servers);
    i.struct_size = offsetof(nhrp_interface_config, max_registrations);
    i.max_registrations = 1; /* beyond what the size says */
    l.struct_size = offsetof(nhrp_link_config, priority);
    l.interface = 1;
    l.local_nbma = ip4(192, 168, 1, 1);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 1);
    l.flags = NHRP_LINK_MULTIPOINT;
    assert_int_equal(nhrp_engine_new(&cfg, 0, &e), NHRP_OK);
    assert_int_equal(nhrp_engine_interface_add(e, 0, 1, &i), NHRP_OK);
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_OK);
    nhrp_engine_free(e);
}

/* ---- Loss, delay, duplicates; servers that go deaf and hear again. ---- */

static void the_best_server_that_hears_serves_in_the_end(void **state)
{
    (void)state;
    static const vnet_rules rough = {
        .delay_ms = 10, .jitter_ms = 500, .loss_ppm = 300000, .duplicate_ppm = 100000};
    static const vnet_rules quiet = {.delay_ms = 10};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        net n;
        uint64_t id[2];
        on_one_link(&n, seed, &rough, 1, NULL);
        id[0] = add(&n, 1, 1, n.nodes[HUB].tunnel, n.nodes[HUB].nbma);
        id[1] = add(&n, 1, 5, n.nodes[SECOND].tunnel, n.nodes[SECOND].nbma);
        for (uint64_t k = 0; k < 40; k++) {
            n.nodes[HUB].deaf = (seed * 7 + k * 5) % 3 == 0;
            n.nodes[SECOND].deaf = (seed * 3 + k * 11) % 4 == 0;
            net_run(&n, n.now_ms + 60000);
            const nhrp_server a = node_server(&n.nodes[SPOKE], id[0]);
            const nhrp_server b = node_server(&n.nodes[SPOKE], id[1]);
            assert_true(a.state != NHRP_SERVER_REGISTERED || b.state != NHRP_SERVER_REGISTERED);
            assert_true(a.state != NHRP_SERVER_STANDBY); /* the best is always asked */
        }
        vnet_set_rules(n.wire, &quiet);
        n.nodes[HUB].deaf = n.nodes[SECOND].deaf = false;
        net_run(&n, n.now_ms + 300000);
        assert_states(&n, id, NHRP_SERVER_REGISTERED, NHRP_SERVER_STANDBY);
        net_end(&n);
    }
}

static void failing_over(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    nhrp_server_config c;
    uint64_t id;
    on_one_link(&n, 1, NULL, 1, f);
    (void)nhrp_server_config_init(&c);
    for (int k = 0; k < n.count && n.count == 3 && k < 2; k++) {
        c.link = 1;
        c.priority = (uint32_t)k;
        c.nbma = n.nodes[k].nbma;
        (void)nhrp_engine_server_add(n.nodes[SPOKE].engine, n.now_ms, &c, &id);
    }
    net_run(&n, n.now_ms + 1000);
    n.nodes[HUB].deaf = true;
    net_run(&n, n.now_ms + 700000);
    net_end(&n);
}

static void failover_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(failing_over, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_to_two_servers_register_with_both),
        cmocka_unit_test(the_better_server_takes_over_once_it_has_answered),
        cmocka_unit_test(a_better_server_that_is_silent_changes_nothing),
        cmocka_unit_test(a_server_that_stops_answering_is_left_and_taken_back),
        cmocka_unit_test(among_equals_the_one_that_serves_stays),
        cmocka_unit_test(a_server_that_refuses_is_replaced),
        cmocka_unit_test(what_is_removed_or_goes_down_is_replaced_at_once),
        cmocka_unit_test(servers_on_a_multipoint_link_are_found_by_address_or_mapping),
        cmocka_unit_test(another_node_s_reply_registers_nothing),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(no_more_servers_than_the_ceiling),
        cmocka_unit_test(the_shorter_structs_of_before_are_taken),
        cmocka_unit_test(the_best_server_that_hears_serves_in_the_end),
        cmocka_unit_test(failover_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
