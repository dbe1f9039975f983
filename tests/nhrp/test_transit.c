/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What passes through: a chain of hubs, a multipoint interface; and the rarer ends of a resolution.
 */
#include "net.h"

#include <string.h>

/* spoke1 - hub1 - hub2 - spoke2: nodes 0, 1, 2, 3. */
static void chain(net *n)
{
    static const uint8_t numbers[] = {1, 101, 102, 2};
    for (size_t i = 0; i < 4; i++)
        assert_non_null(net_node(n, numbers[i], NULL, NULL, NULL));
    for (size_t i = 0; i < 3; i++)
        net_connect(n, &n->nodes[i], 2, &n->nodes[i + 1], 1, 0);
    const nhrp_addr d1 = prefix4(10, 1, 1, 0, 24), d2 = prefix4(10, 2, 2, 0, 24);
    node *s1 = &n->nodes[0], *h1 = &n->nodes[1], *h2 = &n->nodes[2], *s2 = &n->nodes[3];
    node_route(s1, CUSTOMER, d1, 0, 101);
    node_route(s1, CUSTOMER, prefix4(10, 0, 0, 0, 8), 2, 1000);
    node_route(h1, CUSTOMER, d1, 1, 101);
    node_route(h1, CUSTOMER, d2, 2, 2000);
    node_route(h2, CUSTOMER, d1, 1, 1000);
    node_route(h2, CUSTOMER, d2, 2, 202);
    node_route(s2, CUSTOMER, d2, 0, 202);
    node_label(s1, 101, CUSTOMER, 0);
    node_label(h1, 1000, CUSTOMER, 0);
    node_label(h2, 2000, CUSTOMER, 0);
    node_label(s2, 202, CUSTOMER, 0);
    node_route(h1, GLOBAL, prefix4(172, 16, 1, 2, 32), 2, 0);
    node_route(h2, GLOBAL, prefix4(172, 16, 1, 1, 32), 1, 0);
    s2->tunnels = TUNNELS_FAIL; /* the reply goes back through both hubs */
}

static void a_chain_of_hubs_is_crossed_both_ways(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_cie cie;
    nhrp_mapping m;
    size_t it = 0, forward = 0, reverse = 0;
    net_init(&n, 1, NULL);
    n.watch = NHRP_RESOLUTION_REPLY;
    chain(&n);
    assert_int_equal(hub_hairpin(&n.nodes[1], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)),
                     NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_true(node_mapping(&n.nodes[0], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(m.labels[0], 202);
    assert_memory_equal(m.nbma.bytes, n.nodes[3].nbma.bytes, 4);
    /* The caller was asked where spoke1's tunnel address is, and each hub is in both records. */
    assert_int_equal(n.nodes[2].last_ask_purpose, NHRP_PURPOSE_TRANSIT);
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(p.hop_count, 253);
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES) {
        size_t at = 0;
        while ((x.kind == NHRP_KIND_FORWARD || x.kind == NHRP_KIND_REVERSE) &&
               nhrp_extension_next_cie(&p, &x, &at, &cie) == NHRP_YES)
            *(x.kind == NHRP_KIND_FORWARD ? &forward : &reverse) += 1;
    }
    assert_int_equal(forward, 2);
    assert_int_equal(reverse, 2);
    net_end(&n);
}

static void a_reply_to_nowhere_is_error_6(void **state)
{
    (void)state;
    net n;
    net_init(&n, 1, NULL);
    n.watch = NHRP_ERROR_INDICATION;
    chain(&n);
    n.nodes[2].route_count--; /* hub2 does not know spoke1 */
    assert_int_equal(hub_hairpin(&n.nodes[1], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)),
                     NHRP_OK);
    net_run(&n, n.now_ms + 900);
    nhrp_packet p;
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(p.error_code, NHRP_ERROR_UNREACHABLE);
    assert_int_equal(node_dropped(&n.nodes[2], NHRP_ERR_UNREACHABLE), 1);
    net_end(&n);
}

/* A loop of routes: hub1 says hub2, hub2 says hub1. RFC 2332 5.3.2 */
static void a_loop_of_routes_ends_at_the_first_hub_seen_again(void **state)
{
    (void)state;
    net n;
    net_init(&n, 1, NULL);
    chain(&n);
    net_connect(&n, &n.nodes[1], 3, &n.nodes[2], 3, 0); /* so that it does not turn on one link */
    n.nodes[2].routes[1].link = 3;                      /* hub2 to 10.2.2.0/24 */
    n.nodes[2].routes[1].label = 1000;
    assert_int_equal(hub_hairpin(&n.nodes[1], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)),
                     NHRP_OK);
    net_run(&n, n.now_ms + 900);
    /* The request, and then its own error about it, which goes round too: RFC 2332 5.2.7. */
    assert_int_equal(node_dropped(&n.nodes[1], NHRP_ERR_LOOP), 2);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REQUEST], 3);
    net_end(&n);
}

/* ---- A multipoint interface passes on between its registered clients. ---- */

static size_t write_packet(uint8_t *buf, size_t cap, uint8_t type, nhrp_addr nbma, nhrp_addr source,
                           nhrp_addr destination, const nhrp_cie *cie)
{
    nhrp_writer w;
    size_t len = 0;
    nhrp_packet h = {.type = type, .hop_count = 9, .request_id = 77};
    h.source_nbma = nbma;
    h.source_protocol = source;
    h.destination_protocol = destination;
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, &h), NHRP_OK);
    if (cie)
        assert_int_equal(nhrp_writer_put_cie(&w, cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return len;
}

static void assert_sent_to(node *d, const nhrp_addr *to, uint8_t type)
{
    uint8_t buf[512];
    nhrp_output out;
    assert_int_equal(nhrp_engine_poll_output(d->engine, d->net->now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(out.type, type);
    assert_memory_equal(out.to.bytes, to->bytes, 4);
}

/* A hub with one multipoint link, 1, and the clients 172.16.1.1 and .2 at 198.51.100.1 and .2. */
static node *multipoint_hub(net *n)
{
    uint8_t buf[512];
    nhrp_interface_config i;
    nhrp_link_config l;
    nhrp_event ev;
    const nhrp_cie registered = {.holding_time_s = 600};
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER | NHRP_INTERFACE_REDIRECT;
    net_init(n, 1, NULL);
    node *hub = net_node(n, 100, NULL, &i, NULL);
    assert_non_null(hub);
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.flags = NHRP_LINK_MULTIPOINT;
    l.local_nbma = ip4(192, 168, 1, 100);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 100);
    assert_int_equal(nhrp_engine_link_up(hub->engine, n->now_ms, 1, &l), NHRP_OK);
    for (uint8_t k = 1; k <= 2; k++) {
        const nhrp_addr nbma = ip4(198, 51, 100, k);
        const size_t len = write_packet(buf, sizeof(buf), NHRP_REGISTRATION_REQUEST, nbma,
                                        ip4(172, 16, 1, k), l.local_protocol_ipv4, &registered);
        assert_int_equal(nhrp_engine_input(hub->engine, n->now_ms, 1, &nbma, buf, len), NHRP_OK);
        assert_sent_to(hub, &nbma, NHRP_REGISTRATION_REPLY);
    }
    while (nhrp_engine_poll_event(hub->engine, &ev) == NHRP_YES)
        continue;
    return hub;
}

static void a_multipoint_hub_passes_on_between_its_clients(void **state)
{
    (void)state;
    net n;
    uint8_t buf[512];
    nhrp_route r;
    nhrp_event ev;
    const nhrp_addr a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    const nhrp_addr ta = ip4(172, 16, 1, 1), tb = ip4(172, 16, 1, 2);
    node *hub = multipoint_hub(&n);
    /* a's request for what is behind b goes to b, because the caller says that b is next. */
    const nhrp_addr what = ip4(10, 2, 2, 102);
    size_t len = write_packet(buf, sizeof(buf), NHRP_RESOLUTION_REQUEST, a, ta, what, NULL);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_FORWARD;
    r.link = 1;
    r.prefix = prefix4(10, 2, 2, 0, 24);
    r.next_hop = tb;
    assert_int_equal(nhrp_engine_answer_route(hub->engine, n.now_ms, ev.ask_id, &r), NHRP_OK);
    assert_sent_to(hub, &b, NHRP_RESOLUTION_REQUEST);
    /* b's reply goes back to a, whom the registration names. */
    nhrp_cie cie = {.prefix_len = 24, .holding_time_s = 600, .nbma = b, .protocol = tb};
    len = write_packet(buf, sizeof(buf), NHRP_RESOLUTION_REPLY, a, ta, what, &cie);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &b, buf, len), NHRP_OK);
    assert_sent_to(hub, &a, NHRP_RESOLUTION_REPLY);
    /* A next hop that nobody registered is unreachable. */
    len = write_packet(buf, sizeof(buf), NHRP_RESOLUTION_REQUEST, a, ta, what, NULL);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    r.next_hop = ip4(172, 16, 1, 9);
    assert_int_equal(nhrp_engine_answer_route(hub->engine, n.now_ms, ev.ask_id, &r),
                     NHRP_ERR_UNREACHABLE);
    /* Whom to ask is not known on such a link. */
    uint64_t id;
    assert_int_equal(nhrp_engine_resolve(hub->engine, n.now_ms, &what, &id), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    assert_int_equal(nhrp_engine_answer_route(hub->engine, n.now_ms, ev.ask_id, &r), NHRP_ERR_ARG);
    net_end(&n);
}

/* An IPv4 header, as much of it as a redirect looks at. */
static nhrp_rc turned_round(node *hub, nhrp_addr source)
{
    uint8_t ip[20] = {0x45};
    memcpy(ip + 12, source.bytes, 4);
    memcpy(ip + 16, ((const uint8_t[]){10, 2, 2, 102}), 4);
    return nhrp_engine_hairpin(hub->engine, hub->net->now_ms, 1, 1, NULL, 0, ip, sizeof(ip));
}

/* draft-detienne-dmvpn 4.3 on one interface for all: the registration tells who sent a packet. */
static void a_multipoint_hub_redirects_the_client_that_a_packet_is_from(void **state)
{
    (void)state;
    net n;
    nhrp_route r;
    nhrp_event ev;
    nhrp_output out;
    uint8_t buf[512];
    const nhrp_addr a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    node *hub = multipoint_hub(&n);
    assert_int_equal(turned_round(hub, ip4(172, 16, 1, 1)), NHRP_OK);
    assert_sent_to(hub, &a, NHRP_TRAFFIC_INDICATION);
    assert_int_equal(turned_round(hub, ip4(172, 16, 1, 1)), NHRP_ERR_RATE);
    assert_int_equal(turned_round(hub, ip4(172, 16, 1, 2)), NHRP_OK);
    assert_sent_to(hub, &b, NHRP_TRAFFIC_INDICATION);

    /* Somebody behind a client: the caller knows behind which. */
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_FORWARD;
    r.link = 1;
    r.prefix = prefix4(10, 1, 1, 0, 24);
    r.next_hop = ip4(172, 16, 1, 1);
    assert_int_equal(turned_round(hub, ip4(10, 1, 1, 7)), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    assert_int_equal(ev.purpose, NHRP_PURPOSE_REDIRECT);
    r.labels[0] = 100; /* there were none */
    r.label_count = 1;
    assert_int_equal(nhrp_engine_answer_route(hub->engine, n.now_ms, ev.ask_id, &r), NHRP_ERR_ARG);
    r.label_count = 0;
    assert_int_equal(nhrp_engine_answer_route(hub->engine, n.now_ms, ev.ask_id, &r), NHRP_OK);
    assert_sent_to(hub, &a, NHRP_TRAFFIC_INDICATION);

    /* Behind nobody who is registered. */
    assert_int_equal(turned_round(hub, ip4(10, 1, 1, 8)), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    r.next_hop = ip4(172, 16, 1, 9);
    assert_int_equal(nhrp_engine_answer_route(hub->engine, n.now_ms, ev.ask_id, &r),
                     NHRP_ERR_UNREACHABLE);
    /* A registration that has run out says nothing any more, though its timer is late. */
    n.now_ms += 600000;
    assert_int_equal(turned_round(hub, ip4(172, 16, 1, 1)), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    assert_int_equal(ev.purpose, NHRP_PURPOSE_REDIRECT);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_OK);
    net_end(&n);
}

/* The error goes to the NBMA address that the packet came from. */
static void an_error_on_a_multipoint_link_goes_to_the_sender(void **state)
{
    (void)state;
    net n;
    uint8_t buf[512];
    nhrp_link_config l;
    const nhrp_addr a = ip4(198, 51, 100, 1), ta = ip4(172, 16, 1, 1);
    net_init(&n, 1, NULL);
    node *hub = net_node(&n, 100, NULL, NULL, NULL);
    assert_non_null(hub);
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.flags = NHRP_LINK_MULTIPOINT;
    l.local_nbma = ip4(192, 168, 1, 100);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 100);
    assert_int_equal(nhrp_engine_link_up(hub->engine, n.now_ms, 1, &l), NHRP_OK);
    const size_t len =
        write_packet(buf, sizeof(buf), NHRP_PURGE_REQUEST, a, ta, ip4(172, 16, 1, 100), NULL);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_ERR_CIE);
    assert_sent_to(hub, &a, NHRP_ERROR_INDICATION);
    net_end(&n);
}

/* ---- The rarer ends. ---- */

static void two_hosts_of_one_prefix_end_in_one_mapping(void **state)
{
    net *n = *state;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    size_t count = 0;
    for (uint8_t k = 0; k < 5; k++)
        assert_int_equal(
            hub_hairpin(&n->nodes[0], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, k)), NHRP_OK);
    net_run(n, n->now_ms + 3000);
    while (nhrp_engine_next_mapping(n->nodes[1].engine, &it, &m) == NHRP_YES) {
        assert_int_equal(m.kind, NHRP_MAPPING_RESOLVED);
        assert_int_equal(m.prefix.prefix_len, 24);
        count++;
    }
    assert_int_equal(count, 1);
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_MAPPING_UP),
                     node_events(&n->nodes[1], NHRP_EVENT_MAPPING_DOWN) + 1);
}

static void a_mapping_denied_at_its_renewal_ends_and_rests(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    walk_shortcut(n);
    node *spoke1 = &n->nodes[1];
    const uint64_t id = node_event(spoke1, NHRP_EVENT_MAPPING_UP)->id;
    assert_int_equal(nhrp_engine_used(spoke1->engine, n->now_ms, id), NHRP_OK);
    n->nodes[0].routes[2].label = 0; /* hub to 10.2.2.0/24: gone */
    n->nodes[0].routes[2].prefix = prefix4(10, 77, 0, 0, 16);
    net_run(n, n->now_ms + 460000);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_DOWN), 1);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_NEGATIVE), 1);
    assert_int_equal(node_event(spoke1, NHRP_EVENT_MAPPING_NEGATIVE)->code, NHRP_CODE_NO_BINDING);
    assert_false(node_mapping(spoke1, NHRP_MAPPING_RESOLVED, &m));
}

static void a_mapping_whose_renewal_is_not_answered_stands_until_it_expires(void **state)
{
    net *n = *state;
    static const vnet_rules deaf = {.loss_ppm = 1000000};
    nhrp_mapping m;
    walk_shortcut(n);
    node *spoke1 = &n->nodes[1];
    const uint64_t id = node_event(spoke1, NHRP_EVENT_MAPPING_UP)->id;
    assert_int_equal(nhrp_engine_used(spoke1->engine, n->now_ms, id), NHRP_OK);
    vnet_set_rules(n->wire, &deaf);
    net_run(n, n->now_ms + 500000);
    assert_true(node_mapping(spoke1, NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(node_sent(spoke1, NHRP_RESOLUTION_REQUEST), 5);
    net_run(n, n->now_ms + 200000);
    assert_false(node_mapping(spoke1, NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_NEGATIVE), 0);
}

static void an_offer_that_the_caller_refuses_makes_a_negative_mapping(void **state)
{
    net *n = *state;
    nhrp_route r;
    nhrp_mapping m;
    node *spoke1 = &n->nodes[1];
    assert_int_equal(walk_packet(n), NHRP_OK);
    while (spoke1->last_ask_purpose != NHRP_PURPOSE_INDICATION)
        net_run(n, n->now_ms + 1);
    spoke1->answers = false;
    while (spoke1->last_ask_purpose != NHRP_PURPOSE_REPLY)
        net_run(n, n->now_ms + 1);
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_FORWARD; /* no answer to this */
    r.link = 1;
    r.prefix = prefix4(10, 2, 2, 0, 24);
    assert_int_equal(nhrp_engine_answer_route(spoke1->engine, n->now_ms, spoke1->last_ask, &r),
                     NHRP_ERR_ARG);
    r.kind = NHRP_ROUTE_LOCAL;
    r.prefix = prefix4(10, 2, 2, 0, 23); /* wider than offered */
    assert_int_equal(nhrp_engine_answer_route(spoke1->engine, n->now_ms, spoke1->last_ask, &r),
                     NHRP_ERR_ARG);
    r.kind = NHRP_ROUTE_NONE;
    assert_int_equal(nhrp_engine_answer_route(spoke1->engine, n->now_ms, spoke1->last_ask, &r),
                     NHRP_ERR_REFUSED);
    assert_true(node_mapping(spoke1, NHRP_MAPPING_NEGATIVE, &m));
}

static void a_timeout_does_a_bounded_amount_of_work(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    uint64_t id;
    nhrp_event ev;
    (void)nhrp_config_init(&c);
    c.max_work = 1;
    net_init(&n, 1, NULL);
    node *d = net_node(&n, 1, NULL, NULL, &c);
    assert_non_null(d);
    for (uint8_t k = 0; k < 3; k++) {
        const nhrp_addr to = ip4(10, 0, 0, k);
        assert_int_equal(nhrp_engine_resolve(d->engine, n.now_ms, &to, &id), NHRP_OK);
    }
    while (nhrp_engine_poll_event(d->engine, &ev) == NHRP_YES)
        continue;
    const uint64_t later = n.now_ms + 2000;
    assert_int_equal(nhrp_engine_timeout(d->engine, later), NHRP_YES);
    assert_true(nhrp_engine_deadline(d->engine) <= later);
    assert_int_equal(nhrp_engine_timeout(d->engine, later), NHRP_YES);
    assert_int_equal(nhrp_engine_timeout(d->engine, later), NHRP_OK);
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_hubs_is_crossed_both_ways),
        cmocka_unit_test(a_reply_to_nowhere_is_error_6),
        cmocka_unit_test(a_loop_of_routes_ends_at_the_first_hub_seen_again),
        cmocka_unit_test(a_multipoint_hub_passes_on_between_its_clients),
        cmocka_unit_test(a_multipoint_hub_redirects_the_client_that_a_packet_is_from),
        cmocka_unit_test(an_error_on_a_multipoint_link_goes_to_the_sender),
        walk_test(two_hosts_of_one_prefix_end_in_one_mapping),
        walk_test(a_mapping_denied_at_its_renewal_ends_and_rests),
        walk_test(a_mapping_whose_renewal_is_not_answered_stands_until_it_expires),
        walk_test(an_offer_that_the_caller_refuses_makes_a_negative_mapping),
        cmocka_unit_test(a_timeout_does_a_bounded_amount_of_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
