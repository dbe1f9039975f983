/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine's calls: arguments, limits, what is shown, IPv6.
 */
#include "net.h"

#include <string.h>

static void no_function_takes_null(void **state)
{
    net *n = *state;
    nhrp_config c;
    nhrp_interface_config i;
    nhrp_link_config l;
    nhrp_route r;
    nhrp_event ev;
    nhrp_output out;
    nhrp_engine *e;
    uint8_t buf[64] = {0};
    uint64_t id = 0, it = 0;
    const nhrp_addr a = ip4(10, 0, 0, 1);
    nhrp_mapping m = {.struct_size = sizeof(m)};
    nhrp_link shown = {.struct_size = sizeof(shown)};
    nhrp_counters counters = {.struct_size = sizeof(counters)};
    nhrp_question q = {.struct_size = sizeof(q)};
    e = n->nodes[0].engine;

    assert_int_equal(nhrp_config_init(NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_interface_config_init(NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_link_config_init(NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_route_init(NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_config_init(&c), NHRP_OK);
    assert_int_equal(nhrp_interface_config_init(&i), NHRP_OK);
    assert_int_equal(nhrp_link_config_init(&l), NHRP_OK);
    assert_int_equal(nhrp_route_init(&r), NHRP_OK);
    assert_int_equal(nhrp_engine_new(NULL, 0, &e), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_new(&c, 0, NULL), NHRP_ERR_ARG);
    nhrp_engine_free(NULL);
    assert_int_equal(nhrp_engine_input(NULL, 0, 1, NULL, buf, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_input(e, 0, 1, NULL, NULL, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_input(e, 0, 1, NULL, buf, 0), NHRP_ERR_TRUNCATED);
    assert_int_equal(nhrp_engine_input(e, 0, 4711, NULL, buf, 1), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_timeout(NULL, 0), NHRP_ERR_ARG);
    assert_true(nhrp_engine_deadline(NULL) == NHRP_NEVER);
    assert_int_equal(nhrp_engine_interface_add(NULL, 0, 5, &i), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_interface_add(e, 0, 5, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_interface_remove(NULL, 0, 5), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_link_up(NULL, 0, 9, &l), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_link_up(e, 0, 9, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_link_up(e, 0, 9, &l), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_link_down(NULL, 0, 9), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_link_down(e, 0, 9), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_hairpin(NULL, 0, 1, 2, NULL, 0, buf, 64), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_hairpin(e, 0, 1, 2, NULL, 1, buf, 64), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_hairpin(e, 0, 1, 2, NULL, 0, NULL, 64), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_hairpin(e, 0, 1, 2, NULL, 0, buf, 0), NHRP_ERR_QUOTED);
    assert_int_equal(nhrp_engine_hairpin(e, 0, 1, 99, NULL, 0, buf, 64), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_resolve(NULL, 0, &a, &id), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_resolve(e, 0, NULL, &id), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_resolve(e, 0, &a, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_used(NULL, 0, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_used(e, 0, 0), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_withdraw(NULL, 0, &a), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_withdraw(e, 0, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_remove(NULL, 0, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_remove(e, 0, 0), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_reseed(NULL, 0, c.seed), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_reseed(e, 0, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_reseed(e, 0, c.seed), NHRP_OK);
    assert_int_equal(nhrp_engine_answer_route(NULL, 0, 1, &r), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_answer_route(e, 0, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_answer_route(e, 0, 0, &r), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_answer_tunnel(NULL, 0, 1, 1, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_answer_tunnel(e, 0, 1, 2, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_answer_tunnel(e, 0, 0, 1, 1), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_poll_event(NULL, &ev), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_poll_event(e, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_poll_output(NULL, 0, buf, 64, &out), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_poll_output(e, 0, NULL, 64, &out), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_poll_output(e, 0, buf, 64, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_question(NULL, 1, &q), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_question(e, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_question(e, 0, &q), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_get_mapping(NULL, 1, &m), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_mapping(e, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_mapping(e, 0, &m), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_next_mapping(NULL, &it, &m), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_next_mapping(e, NULL, &m), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_next_mapping(e, &it, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_next_mapping(e, &it, &m), NHRP_OK);
    assert_int_equal(nhrp_engine_get_link(NULL, 1, &shown), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_link(e, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_link(e, 99, &shown), NHRP_ERR_ABSENT);
    assert_int_equal(nhrp_engine_next_link(NULL, &it, &shown), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_next_link(e, NULL, &shown), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_next_link(e, &it, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_counters(NULL, 1, &counters), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_counters(e, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_get_counters(e, 99, &counters), NHRP_ERR_ABSENT);
    counters.struct_size = 4;
    assert_int_equal(nhrp_engine_get_counters(e, 1, &counters), NHRP_ERR_ARG);
}

static void structs_have_the_frozen_sizes(void **state)
{
    (void)state;
    assert_int_equal(sizeof(nhrp_event), 64);
    assert_int_equal(sizeof(nhrp_output), 64);
    assert_int_equal(sizeof(nhrp_addr), 24);
    assert_int_equal(sizeof(nhrp_label_binding), 44);
}

static void configurations_out_of_range_are_refused(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    nhrp_engine *e = NULL;
    uint32_t *const zeros[] = {&c.max_work,  &c.retransmit_ms, &c.max_transmissions, &c.negative_ms,
                               &c.silent_ms, &c.max_events,    &c.struct_size};
    for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
        (void)nhrp_config_init(&c);
        *zeros[i] = 0;
        assert_int_equal(nhrp_engine_new(&c, 0, &e), NHRP_ERR_ARG);
    }
    assert_null(e);
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 1, NULL, NULL, NULL));
    e = n.nodes[0].engine;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    assert_int_equal(nhrp_engine_interface_add(e, 0, INTERFACE, &i), NHRP_ERR_STATE);
    i.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
    assert_int_equal(nhrp_engine_interface_add(e, 0, 2, &i), NHRP_ERR_ARG);
    i.key = (const uint8_t *)"x";
    i.key_len = 65;
    assert_int_equal(nhrp_engine_interface_add(e, 0, 2, &i), NHRP_ERR_ARG);
    i.key_len = 1;
    i.authentication = NHRP_AUTHENTICATION_HMAC_SHA256;
    i.spi = 255;
    assert_int_equal(nhrp_engine_interface_add(e, 0, 2, &i), NHRP_ERR_ARG);
    i.authentication = 3;
    assert_int_equal(nhrp_engine_interface_add(e, 0, 2, &i), NHRP_ERR_ARG);
    net_end(&n);
}

static void links_need_what_their_kind_needs(void **state)
{
    (void)state;
    net n;
    nhrp_link_config good, l;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 1, NULL, NULL, NULL));
    nhrp_engine *e = n.nodes[0].engine;
    (void)nhrp_link_config_init(&good);
    good.interface = INTERFACE;
    good.local_nbma = ip4(192, 168, 1, 1);
    good.local_protocol_ipv4 = ip4(172, 16, 1, 1);
    good.peer_nbma = ip4(192, 168, 1, 2);
    good.identity = (const uint8_t *)"spoke2.example";
    good.identity_len = 14;

    l = good;
    l.interface = 9;
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    l.local_protocol_ipv4.family = NHRP_FAMILY_NONE;
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    l.peer_nbma = (nhrp_addr){0};
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    l.flags = NHRP_LINK_MULTIPOINT;
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    l.peer_nbma.family = NHRP_FAMILY_IPV6;
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    l.peer_nbma.bytes[7] = 1; /* an IPv4 address with more */
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    l.identity_len = 256;
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_ARG);
    l = good;
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_OK);
    assert_int_equal(nhrp_engine_link_up(e, 0, 1, &l), NHRP_ERR_STATE);
    assert_int_equal(nhrp_engine_interface_remove(e, 0, INTERFACE), NHRP_ERR_STATE);

    nhrp_link shown = {.struct_size = sizeof(shown)};
    uint64_t it = 0;
    assert_int_equal(nhrp_engine_next_link(e, &it, &shown), NHRP_YES);
    assert_int_equal(shown.link, 1);
    assert_bytes(shown.identity, shown.identity_len, (const uint8_t *)"spoke2.example", 14);
    assert_int_equal(nhrp_engine_next_link(e, &it, &shown), NHRP_OK);
    assert_int_equal(nhrp_engine_link_down(e, 0, 1), NHRP_OK);
    assert_int_equal(nhrp_engine_interface_remove(e, 0, INTERFACE), NHRP_OK);
    assert_int_equal(nhrp_engine_interface_remove(e, 0, INTERFACE), NHRP_ERR_ABSENT);
    net_end(&n);
}

static void time_that_goes_backwards_stands_still(void **state)
{
    net *n = *state;
    const nhrp_addr to = in_vrf(ip4(10, 2, 2, 102), CUSTOMER);
    uint64_t id;
    nhrp_engine *e = n->nodes[1].engine;
    assert_int_equal(nhrp_engine_resolve(e, n->now_ms + 5000, &to, &id), NHRP_OK);
    const uint64_t deadline = nhrp_engine_deadline(e);
    assert_int_equal(nhrp_engine_timeout(e, 0), NHRP_OK);
    assert_true(nhrp_engine_deadline(e) == deadline);
}

static void an_output_waits_for_a_buffer_that_holds_it(void **state)
{
    net *n = *state;
    uint8_t buf[2048];
    nhrp_output out = {0};
    n->nodes[1].answers = false;
    node *hub = &n->nodes[0];
    nhrp_event ev;
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, ip4(10, 1, 1, 1), ip4(10, 2, 2, 2)), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n->now_ms, buf, 10, &out),
                     NHRP_ERR_BUFFER);
    const uint64_t need = out.len;
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n->now_ms, buf, (size_t)need - 1, &out),
                     NHRP_ERR_BUFFER);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n->now_ms, buf, (size_t)need, &out),
                     NHRP_YES);
    assert_int_equal(out.len, need);
    assert_int_equal(out.type, NHRP_TRAFFIC_INDICATION);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n->now_ms, buf, 2048, &out), NHRP_OK);
}

/* Two customers with the same addresses; what one of them was told is no reason to be silent. */
static void flows_of_two_vrfs_with_the_same_addresses_are_redirected_each(void **state)
{
    net *n = *state;
    node *hub = &n->nodes[0];
    const nhrp_addr from = ip4(10, 1, 1, 101), to = ip4(10, 2, 2, 102);
    assert_int_equal(hub_hairpin(hub, 1, 2, 1000, from, to), NHRP_OK);
    assert_int_equal(hub_hairpin(hub, 1, 2, 1000, from, to), NHRP_ERR_RATE);
    assert_int_equal(hub_hairpin(hub, 1, 2, 1001, from, to), NHRP_OK);
    assert_int_equal(hub_hairpin(hub, 1, 2, 1001, from, to), NHRP_ERR_RATE);
}

static void where_no_flow_can_be_remembered_no_redirect_goes_out(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    (void)nhrp_config_init(&c);
    c.max_flows = 1;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 100, NULL, NULL, &c));
    assert_non_null(net_node(&n, 1, NULL, NULL, NULL));
    assert_non_null(net_node(&n, 2, NULL, NULL, NULL));
    node *hub = &n.nodes[0];
    net_connect(&n, hub, 1, &n.nodes[1], 1, 0);
    net_connect(&n, hub, 2, &n.nodes[2], 1, 0);
    const nhrp_addr from = ip4(10, 1, 1, 101);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 1)), NHRP_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 2)), NHRP_ERR_LIMIT);
    net_settle(&n);
    assert_int_equal(n.sent[NHRP_TRAFFIC_INDICATION], 1);
    net_end(&n);
}

static void one_link_does_not_use_up_the_flows_of_all(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    (void)nhrp_config_init(&c);
    c.max_flows_per_link = 2;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 100, NULL, NULL, &c));
    assert_non_null(net_node(&n, 1, NULL, NULL, NULL));
    assert_non_null(net_node(&n, 2, NULL, NULL, NULL));
    node *hub = &n.nodes[0];
    net_connect(&n, hub, 1, &n.nodes[1], 1, 0);
    net_connect(&n, hub, 2, &n.nodes[2], 1, 0);
    const nhrp_addr from = ip4(10, 1, 1, 101), back = ip4(10, 2, 2, 102);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 1)), NHRP_OK);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 2)), NHRP_OK);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 3)), NHRP_ERR_LIMIT);
    assert_int_equal(hub_hairpin(hub, 2, 1, 0, back, from), NHRP_OK);
    /* Forgotten flows make room, as the link had never had them. */
    net_run(&n, n.now_ms + c.redirect_interval_ms);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 3)), NHRP_OK);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 4)), NHRP_OK);
    assert_int_equal(hub_hairpin(hub, 1, 2, 0, from, ip4(10, 2, 2, 5)), NHRP_ERR_LIMIT);
    net_end(&n);
}

static void a_packet_larger_than_the_interface_sends_is_dropped(void **state)
{
    (void)state;
    net n;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.max_packet_size = 128;
    i.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
    i.key = (const uint8_t *)"a password that fills the packet up so that it is too large";
    i.key_len = 59;
    net_init(&n, 1, NULL);
    walk_build(&n, NULL, &i);
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_dropped(&n.nodes[0], NHRP_ERR_SIZE), 1);
    assert_int_equal(n.sent[NHRP_TRAFFIC_INDICATION], 0);
    net_end(&n);
}

static void ceilings_are_kept(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    nhrp_link_config l;
    nhrp_interface_config i;
    uint64_t id;
    (void)nhrp_config_init(&c);
    c.max_links = c.max_interfaces = 1;
    c.max_pending = 2;
    net_init(&n, 1, NULL);
    node *a = net_node(&n, 1, NULL, NULL, &c);
    assert_non_null(a);
    assert_non_null(net_node(&n, 2, NULL, NULL, NULL));
    net_connect(&n, a, 1, &n.nodes[1], 1, 0);
    (void)nhrp_interface_config_init(&i);
    assert_int_equal(nhrp_engine_interface_add(a->engine, n.now_ms, 2, &i), NHRP_ERR_LIMIT);
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.local_nbma = ip4(192, 168, 1, 1);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 1);
    l.peer_nbma = ip4(192, 168, 1, 3);
    assert_int_equal(nhrp_engine_link_up(a->engine, n.now_ms, 2, &l), NHRP_ERR_LIMIT);
    for (uint8_t k = 0; k < 3; k++) {
        const nhrp_addr to = ip4(10, 0, 0, k);
        assert_int_equal(nhrp_engine_resolve(a->engine, n.now_ms, &to, &id),
                         k < 2 ? NHRP_OK : NHRP_ERR_LIMIT);
    }
    net_end(&n);
}

/* A request without CONTEXT resolves in the link's own VRF: its reply says nothing of another. */
static void a_vrf_s_destination_is_not_asked_for_without_a_label(void **state)
{
    net *n = *state;
    nhrp_route r;
    uint64_t id;
    node *d = &n->nodes[1];
    d->answers = false;
    const nhrp_addr to = in_vrf(ip4(10, 2, 2, 102), CUSTOMER);
    assert_int_equal(nhrp_engine_resolve(d->engine, n->now_ms, &to, &id), NHRP_OK);
    net_settle(n);
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_FORWARD;
    r.vrf = CUSTOMER;
    r.link = 1;
    r.prefix = prefix4(10, 0, 0, 0, 8);
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, d->last_ask, &r), NHRP_ERR_ARG);
    r.label_count = 1;
    r.labels[0] = 1000;
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, d->last_ask, &r), NHRP_OK);
}

static void answers_that_cannot_be_are_refused_and_the_question_stays(void **state)
{
    net *n = *state;
    nhrp_route r;
    uint64_t id;
    node *d = &n->nodes[1];
    d->answers = false;
    const nhrp_addr to = in_vrf(ip4(10, 2, 2, 102), CUSTOMER);
    assert_int_equal(nhrp_engine_resolve(d->engine, n->now_ms, &to, &id), NHRP_OK);
    net_settle(n);
    const uint64_t ask = d->last_ask;
    (void)nhrp_route_init(&r);
    r.kind = 9;
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ARG);
    r.kind = NHRP_ROUTE_FORWARD;
    r.link = 1;
    r.prefix = prefix4(10, 0, 0, 0, 8);
    r.label_count = 5;
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ARG);
    r.label_count = 1;
    r.labels[0] = 1; /* special */
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ARG);
    r.labels[0] = 1000;
    r.link = 99;
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ARG);
    r.link = 1;
    r.prefix = prefix4(10, 1, 0, 0, 8); /* bits beyond the length */
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ARG);
    r.prefix = prefix4(11, 0, 0, 0, 8); /* not of the destination */
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_answer_tunnel(d->engine, n->now_ms, ask, NHRP_TUNNEL_FAILED, 0),
                     NHRP_ERR_ABSENT); /* not what was asked */
    r.prefix = prefix4(10, 0, 0, 0, 8);
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_OK);
    assert_int_equal(nhrp_engine_answer_route(d->engine, n->now_ms, ask, &r), NHRP_ERR_ABSENT);
}

static void a_tunnel_that_leads_elsewhere_is_no_answer(void **state)
{
    net *n = *state;
    n->nodes[2].tunnels = TUNNELS_SILENT;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 500);
    node *d = &n->nodes[2];
    assert_int_equal(d->last_ask_purpose, NHRP_PURPOSE_RESPONDER);
    assert_int_equal(
        nhrp_engine_answer_tunnel(d->engine, n->now_ms, d->last_ask, NHRP_TUNNEL_UP, 1),
        NHRP_ERR_ARG); /* the hub's */
    assert_int_equal(
        nhrp_engine_answer_tunnel(d->engine, n->now_ms, d->last_ask, NHRP_TUNNEL_UP, 99),
        NHRP_ERR_ARG);
    assert_int_equal(
        nhrp_engine_answer_tunnel(d->engine, n->now_ms, d->last_ask, NHRP_TUNNEL_FAILED, 0),
        NHRP_OK);
}

static void the_iterator_goes_on_where_a_mapping_has_gone(void **state)
{
    net *n = *state;
    uint64_t ids[4], it = 0;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    nhrp_engine *e = n->nodes[1].engine;
    for (uint8_t k = 0; k < 4; k++) {
        const nhrp_addr to = ip4(10, 9, 9, k);
        assert_int_equal(nhrp_engine_resolve(e, n->now_ms, &to, &ids[k]), NHRP_OK);
    }
    assert_int_equal(nhrp_engine_next_mapping(e, &it, &m), NHRP_YES);
    assert_int_equal(nhrp_engine_next_mapping(e, &it, &m), NHRP_YES);
    assert_int_equal(m.id, ids[1]);
    assert_int_equal(nhrp_engine_remove(e, n->now_ms, ids[1]), NHRP_OK);
    assert_int_equal(nhrp_engine_remove(e, n->now_ms, ids[2]), NHRP_OK);
    assert_int_equal(nhrp_engine_next_mapping(e, &it, &m), NHRP_YES);
    assert_int_equal(m.id, ids[3]);
    assert_int_equal(nhrp_engine_next_mapping(e, &it, &m), NHRP_OK);
}

static void each_packet_is_counted_by_type_and_each_drop_by_reason(void **state)
{
    net *n = *state;
    nhrp_counters c = {.struct_size = sizeof(c)};
    uint8_t junk[40] = {0};
    walk_shortcut(n);
    assert_int_equal(nhrp_engine_input(n->nodes[0].engine, n->now_ms, 1, NULL, junk, 40),
                     NHRP_ERR_VERSION);
    assert_int_equal(nhrp_engine_get_counters(n->nodes[0].engine, INTERFACE, &c), NHRP_OK);
    assert_int_equal(c.sent[NHRP_TRAFFIC_INDICATION], 1);
    assert_int_equal(c.received[NHRP_RESOLUTION_REQUEST], 1);
    assert_int_equal(c.sent[NHRP_RESOLUTION_REQUEST], 1);
    assert_int_equal(c.forwarded[NHRP_RESOLUTION_REQUEST], 1);
    assert_int_equal(c.received[0], 1);
    assert_int_equal(c.dropped[NHRP_ERR_TRUNCATED - NHRP_ERR_VERSION], 1);
}

/* ---- IPv6: customers, tunnel addresses, NBMA addresses. ---- */

static nhrp_addr ip6(uint8_t a, uint8_t b, uint8_t last)
{
    nhrp_addr out = {.family = NHRP_FAMILY_IPV6, .bytes = {0x20, 0x01, 0x0d, 0xb8, a, b}};
    out.bytes[15] = last;
    return out;
}

static nhrp_addr prefix6(uint8_t a, uint8_t b, uint8_t len)
{
    nhrp_addr out = ip6(a, b, 0);
    out.prefix_len = len;
    return out;
}

static void walk6(bool tunnel6, bool nbma6)
{
    static const uint8_t numbers[] = {100, 1, 2};
    net n;
    nhrp_mapping m;
    net_init(&n, 1, NULL);
    for (size_t i = 0; i < 3; i++) {
        node *d = net_node(&n, numbers[i], NULL, NULL, NULL);
        assert_non_null(d);
        if (tunnel6)
            d->tunnel6 = ip6(0xaa, 0, numbers[i]);
        if (nbma6)
            d->nbma = d->outer = ip6(0xbb, 0, numbers[i]);
    }
    node *hub = &n.nodes[0];
    for (uint8_t s = 1; s <= 2; s++) {
        net_connect(&n, &n.nodes[s], 1, hub, s, 0);
        node_route(&n.nodes[s], CUSTOMER, prefix6(1, s, 48), 0, 100u + s);
        node_route(&n.nodes[s], CUSTOMER, prefix6(0, 0, 32), 1, 1000);
        node_label(&n.nodes[s], 100u + s, CUSTOMER, 0);
        node_route(hub, CUSTOMER, prefix6(1, s, 48), s, 100u + s);
    }
    node_label(hub, 1000, CUSTOMER, 0);
    uint8_t ip[64] = {0x60};
    const nhrp_addr from = ip6(1, 1, 1), to = ip6(1, 2, 2);
    memcpy(ip + 8, from.bytes, 16);
    memcpy(ip + 24, to.bytes, 16);
    const uint32_t label = 1000;
    assert_int_equal(nhrp_engine_hairpin(hub->engine, n.now_ms, 1, 2, &label, 1, ip, sizeof(ip)),
                     NHRP_OK);
    n.nodes[2].tunnels = TUNNELS_FAIL; /* the reply crosses the hub, too */
    net_run(&n, n.now_ms + 3000);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    const nhrp_addr prefix = in_vrf(prefix6(1, 2, 48), CUSTOMER);
    assert_memory_equal(&m.prefix, &prefix, sizeof(prefix));
    assert_int_equal(m.labels[0], 102);
    assert_memory_equal(&m.nbma, &n.nodes[2].nbma, sizeof(nhrp_addr));
    const nhrp_addr *hop = tunnel6 ? &n.nodes[2].tunnel6 : &n.nodes[2].tunnel;
    assert_memory_equal(&m.next_hop, hop, sizeof(nhrp_addr));
    net_end(&n);
}

static void ipv6_customers_resolve_over_every_mixture_of_families(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        walk6(i & 1, i & 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        walk_test(no_function_takes_null),
        cmocka_unit_test(structs_have_the_frozen_sizes),
        cmocka_unit_test(configurations_out_of_range_are_refused),
        cmocka_unit_test(links_need_what_their_kind_needs),
        walk_test(time_that_goes_backwards_stands_still),
        walk_test(an_output_waits_for_a_buffer_that_holds_it),
        walk_test(flows_of_two_vrfs_with_the_same_addresses_are_redirected_each),
        cmocka_unit_test(where_no_flow_can_be_remembered_no_redirect_goes_out),
        cmocka_unit_test(one_link_does_not_use_up_the_flows_of_all),
        cmocka_unit_test(a_packet_larger_than_the_interface_sends_is_dropped),
        cmocka_unit_test(ceilings_are_kept),
        walk_test(a_vrf_s_destination_is_not_asked_for_without_a_label),
        walk_test(answers_that_cannot_be_are_refused_and_the_question_stays),
        walk_test(a_tunnel_that_leads_elsewhere_is_no_answer),
        walk_test(the_iterator_goes_on_where_a_mapping_has_gone),
        walk_test(each_packet_is_counted_by_type_and_each_drop_by_reason),
        cmocka_unit_test(ipv6_customers_resolve_over_every_mixture_of_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
