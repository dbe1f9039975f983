/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an authenticated peer that has gone hostile gets, where the other tests do not show it:
 * speech in another's name, and the shares of what all links have in common. docs/threats.md.
 */
#include "craft.h"

#include <stdlib.h>
#include <string.h>

/* The walk's network; to the hub the spokes are leaves. */
static void start_leaves(net *n, const nhrp_config *hub, const nhrp_interface_config *interface)
{
    static const uint8_t numbers[] = {100, 1, 2};
    net_init(n, 1, NULL);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(net_node(n, numbers[i], NULL, interface, i == 0 ? hub : NULL));
    for (uint32_t s = 1; s <= 2; s++) {
        const uint8_t third = (uint8_t)s;
        node_route(&n->nodes[s], CUSTOMER, prefix4(10, third, third, 0, 24), 0, 101u * s);
        node_route(&n->nodes[s], CUSTOMER, prefix4(10, 0, 0, 0, 8), 1, 1000);
        node_label(&n->nodes[s], 101u * s, CUSTOMER, 0);
        node_route(&n->nodes[0], CUSTOMER, prefix4(10, third, third, 0, 24), s, 101u * s);
        net_connect(n, &n->nodes[0], s, &n->nodes[s], 1, NHRP_LINK_LEAF);
    }
    node_label(&n->nodes[0], 1000, CUSTOMER, 0);
    net_settle(n);
}

/* ---- In another's name. ---- */

static void a_leaf_resolves_as_ever(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    start_leaves(&n, NULL, NULL);
    n.nodes[2].tunnels = TUNNELS_FAIL; /* so that the reply crosses the hub too */
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(m.labels[0], 202);
    net_end(&n);
}

/* RFC 2332 5.3.2: the record is its sender's word; with one, a request may name any requester. */
static void a_leaf_s_request_with_a_forward_record_is_refused(void **state)
{
    (void)state;
    net n;
    start_leaves(&n, NULL, NULL);
    craft c = request(1);
    c.h.source_protocol = ip4(172, 16, 1, 77);
    c.h.source_nbma = ip4(198, 51, 100, 7); /* whom spoke2 would call */
    c.record.protocol = ip4(172, 16, 1, 99);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_REFUSED);
    c.h.source_protocol = ip4(172, 16, 1, 1); /* nor in its own name */
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_REFUSED);
    c.record.protocol.family = NHRP_FAMILY_NONE;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REQUEST], 1);
    net_end(&n);
}

/*
 * Spoke2 answers through the hub, but as if spoke3 had: spoke1 would send a VRF's packets to spoke3
 * under a label of spoke2's choice.
 */
static void a_leaf_s_reply_in_another_s_name_is_refused(void **state)
{
    (void)state;
    net n;
    start_leaves(&n, NULL, NULL);
    craft c = {.has_cie = true};
    c.h.type = NHRP_RESOLUTION_REPLY;
    c.h.hop_count = 255;
    c.h.request_id = 1;
    c.h.source_nbma = ip4(192, 168, 1, 1);
    c.h.source_protocol = ip4(172, 16, 1, 1);
    c.h.destination_protocol = ip4(10, 2, 2, 102);
    c.cie.prefix_len = 24;
    c.cie.holding_time_s = 600;
    c.cie.nbma = ip4(192, 168, 1, 3);
    c.cie.protocol = ip4(172, 16, 1, 2);
    assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_ERR_REFUSED);
    c.cie.nbma = ip4(192, 168, 1, 2);
    c.cie.protocol = ip4(172, 16, 1, 3);
    assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_ERR_REFUSED);
    c.cie.protocol = ip4(172, 16, 1, 2);
    assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REPLY], 1);
    c.cie.code = NHRP_CODE_NO_BINDING; /* a negative one names nobody */
    memset(&c.cie.nbma, 0, sizeof(c.cie.nbma));
    memset(&c.cie.protocol, 0, sizeof(c.cie.protocol));
    assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_OK);
    net_end(&n);
}

static void a_multipoint_link_is_no_leaf(void **state)
{
    (void)state;
    net n;
    nhrp_link_config l;
    start_leaves(&n, NULL, NULL);
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.local_nbma = ip4(192, 168, 1, 100);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 100);
    l.flags = NHRP_LINK_MULTIPOINT | NHRP_LINK_LEAF;
    assert_int_equal(nhrp_engine_link_up(n.nodes[0].engine, n.now_ms, 9, &l), NHRP_ERR_ARG);
    l.flags = NHRP_LINK_MULTIPOINT;
    assert_int_equal(nhrp_engine_link_up(n.nodes[0].engine, n.now_ms, 9, &l), NHRP_OK);
    net_end(&n);
}

/* ---- Shares. ---- */

static void one_spoke_s_flows_leave_room_for_those_of_others(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    nhrp_interface_config i;
    (void)nhrp_config_init(&c);
    (void)nhrp_interface_config_init(&i);
    c.max_flows = 40;
    c.max_flows_per_link = 30;
    i.send_limit = 0;
    start_leaves(&n, &c, &i);
    node *hub = &n.nodes[0];
    size_t taken = 0;
    for (uint8_t k = 0; k < 100; k++) {
        taken += hub_hairpin(hub, 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, k)) == NHRP_OK;
        net_settle(&n);
    }
    assert_int_equal(taken, 30);
    assert_int_equal(hub_hairpin(hub, 2, 1, 1000, ip4(10, 2, 2, 102), ip4(10, 1, 1, 101)), NHRP_OK);
    /* What rested long enough makes room again. */
    net_run(&n, n.now_ms + 8000);
    assert_int_equal(hub_hairpin(hub, 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, 1)), NHRP_OK);
    net_end(&n);
}

/* A flood by one link, whatever it causes to be sent where, is at that link's cost. */
static void one_spoke_s_flood_silences_nobody_else(void **state)
{
    (void)state;
    net n;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.send_limit = 5;
    start_leaves(&n, NULL, &i);
    node *hub = &n.nodes[0];
    n.nodes[2].answers = false;
    craft c = request(1);
    for (uint32_t k = 0; k < 50; k++) { /* goes on to spoke2 */
        c.h.request_id = k;
        (void)inject(hub, 1, &c);
        net_settle(&n);
    }
    assert_int_equal(node_sent(hub, NHRP_RESOLUTION_REQUEST), 5);
    assert_int_equal(node_events(hub, NHRP_EVENT_QUOTA), 1);
    assert_int_equal(node_event(hub, NHRP_EVENT_QUOTA)->link, 1);
    /* Spoke2 has its redirects, its answers and its requests passed on; the hub's own go to it. */
    for (uint8_t k = 1; k <= 3; k++)
        assert_int_equal(hub_hairpin(hub, 2, 1, 1000, ip4(10, 2, 2, 102), ip4(10, 1, 1, k)),
                         NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_sent(hub, NHRP_TRAFFIC_INDICATION), 3);
    uint64_t id;
    const nhrp_addr own = in_vrf(ip4(10, 2, 2, 9), CUSTOMER);
    assert_int_equal(nhrp_engine_resolve(hub->engine, n.now_ms, &own, &id), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_sent(hub, NHRP_RESOLUTION_REQUEST), 6);
    /* Nor does it keep the hub itself from asking by that link. */
    const nhrp_addr by_it = in_vrf(ip4(10, 1, 1, 9), CUSTOMER);
    assert_int_equal(nhrp_engine_resolve(hub->engine, n.now_ms, &by_it, &id), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_sent(hub, NHRP_RESOLUTION_REQUEST), 7);
    net_end(&n);
}

/* At a spoke the requests of all others come by the one link to the hub. */
static void one_requester_s_flood_leaves_questions_for_others_of_the_same_link(void **state)
{
    (void)state;
    net n;
    start_leaves(&n, NULL, NULL);
    node *spoke2 = &n.nodes[2];
    spoke2->tunnels = TUNNELS_SILENT; /* each waits for a tunnel that does not come */
    craft c = request(1);
    c.record.protocol = ip4(172, 16, 1, 100);
    c.labels[0].labels[0] = 202;
    size_t taken = 0;
    for (uint32_t k = 0; k < 200; k++) {
        c.h.request_id = k;
        c.h.destination_protocol = ip4(10, 2, 2, (uint8_t)k);
        taken += inject(spoke2, 1, &c) == NHRP_OK;
        net_settle(&n);
    }
    assert_int_equal(taken, 16);
    c.h.source_protocol = ip4(172, 16, 1, 3);
    c.h.source_nbma = ip4(192, 168, 1, 3);
    assert_int_equal(inject(spoke2, 1, &c), NHRP_OK);
    net_end(&n);
}

/* RFC 2332 5.2.2: without room to remember it, code 5 */
static void answers_by_one_link_are_limited_and_others_are_answered(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    (void)nhrp_config_init(&c);
    c.max_answers_per_link = 3;
    net_init(&n, 1, NULL);
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags = 0; /* replies by the link of the request */
    node *d = net_node(&n, 2, NULL, &i, &c);
    assert_non_null(d);
    assert_non_null(net_node(&n, 100, NULL, NULL, NULL));
    assert_non_null(net_node(&n, 1, NULL, NULL, NULL));
    net_connect(&n, d, 1, &n.nodes[1], 1, 0);
    net_connect(&n, d, 2, &n.nodes[2], 1, 0);
    node_route(d, CUSTOMER, prefix4(10, 2, 2, 0, 24), 0, 202);
    node_label(d, 202, CUSTOMER, 0);
    n.watch = NHRP_RESOLUTION_REPLY;
    craft r = request(1);
    r.cie.prefix_len = 32;
    r.labels[0].labels[0] = 202;
    r.record.protocol = ip4(172, 16, 1, 100);
    for (uint8_t k = 0; k < 5; k++) {
        r.h.request_id = k;
        r.h.destination_protocol = ip4(10, 2, 2, k);
        assert_int_equal(inject(d, 1, &r), NHRP_OK);
        net_settle(&n);
        assert_int_equal(reply_code(&n),
                         k < 3 ? NHRP_CODE_SUCCESS : NHRP_CODE_INSUFFICIENT_RESOURCES);
    }
    r.record.protocol.family = NHRP_FAMILY_NONE;
    assert_int_equal(inject(d, 2, &r), NHRP_OK);
    net_settle(&n);
    assert_int_equal(reply_code(&n), NHRP_CODE_SUCCESS);
    /* What has run out makes room again. */
    net_run(&n, n.now_ms + 600000);
    r.h.request_id = 99;
    r.record.protocol = ip4(172, 16, 1, 100);
    assert_int_equal(inject(d, 1, &r), NHRP_OK);
    net_settle(&n);
    assert_int_equal(reply_code(&n), NHRP_CODE_SUCCESS);
    net_end(&n);
}

static void packets_that_one_link_caused_leave_room_for_those_of_others(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    uint8_t buf[2048];
    nhrp_output out;
    (void)nhrp_config_init(&c);
    c.max_outputs = 12;
    c.max_outputs_per_link = 8;
    c.redirect_interval_ms = 0;
    start_leaves(&n, &c, NULL);
    nhrp_engine *e = n.nodes[0].engine;
    size_t taken = 0;
    for (uint8_t k = 0; k < 20; k++) /* nobody polls */
        taken += hub_hairpin(&n.nodes[0], 1, 2, 0, ip4(10, 1, 1, 101), ip4(10, 2, 2, k)) == NHRP_OK;
    assert_int_equal(taken, 8);
    assert_int_equal(hub_hairpin(&n.nodes[0], 2, 1, 0, ip4(10, 2, 2, 1), ip4(10, 1, 1, 1)),
                     NHRP_OK);
    for (int k = 0; k < 9; k++)
        assert_int_equal(nhrp_engine_poll_output(e, n.now_ms, buf, sizeof(buf), &out), NHRP_YES);
    assert_int_equal(nhrp_engine_poll_output(e, n.now_ms, buf, sizeof(buf), &out), NHRP_OK);
    assert_int_equal(hub_hairpin(&n.nodes[0], 1, 2, 0, ip4(10, 1, 1, 1), ip4(10, 2, 2, 1)),
                     NHRP_OK);
    net_end(&n);
}

/* They share an NBMA address; each is answered over its own tunnel. */
static void two_peers_behind_one_nat_are_two_peers(void **state)
{
    (void)state;
    net n;
    nhrp_link_config l;
    start_leaves(&n, NULL, NULL);
    node *spoke2 = &n.nodes[2];
    spoke2->tunnels = TUNNELS_SILENT;
    n.watch = NHRP_RESOLUTION_REPLY;
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.local_nbma = ip4(192, 168, 1, 2);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 2);
    l.peer_nbma = ip4(203, 0, 113, 1);
    for (uint8_t k = 1; k <= 3; k++) { /* whichever is found first, two are not it */
        l.peer_protocol_ipv4 = ip4(172, 16, 1, (uint8_t)(30 + k));
        assert_int_equal(nhrp_engine_link_up(spoke2->engine, n.now_ms, 30u + k, &l), NHRP_OK);
    }
    craft c = request(1);
    c.labels[0].labels[0] = 202;
    c.record.protocol = ip4(172, 16, 1, 100);
    c.h.source_nbma = ip4(203, 0, 113, 1);
    for (uint8_t k = 1; k <= 3; k++) {
        uint8_t buf[2048];
        nhrp_output out;
        nhrp_event ev;
        c.h.source_protocol = ip4(172, 16, 1, (uint8_t)(30 + k));
        assert_int_equal(inject(spoke2, 1, &c), NHRP_OK);
        assert_int_equal(nhrp_engine_poll_event(spoke2->engine, &ev), NHRP_YES);
        nhrp_route r;
        (void)nhrp_route_init(&r);
        r.kind = NHRP_ROUTE_LOCAL;
        r.vrf = CUSTOMER;
        r.prefix = prefix4(10, 2, 2, 0, 24);
        r.label_count = 1;
        r.labels[0] = 202;
        assert_int_equal(nhrp_engine_answer_route(spoke2->engine, n.now_ms, ev.ask_id, &r),
                         NHRP_OK);
        assert_int_equal(nhrp_engine_poll_output(spoke2->engine, n.now_ms, buf, sizeof(buf), &out),
                         NHRP_YES);
        assert_int_equal(out.type, NHRP_RESOLUTION_REPLY);
        assert_int_equal(out.link, 30 + k);
    }
    net_end(&n);
}

/* Its own tunnel address, and the NBMA address of a third: spoke1 would call that one. */
static void a_peer_s_own_tunnel_speaks_for_its_own_nbma_address_alone(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    craft c = asked(&n);
    net_connect(&n, &n.nodes[1], 9, &n.nodes[2], 9, 0);
    c.cie.nbma = ip4(192, 168, 1, 3);
    assert_int_equal(inject(&n.nodes[1], 9, &c), NHRP_ERR_REFUSED);
    assert_false(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    c.cie.nbma = ip4(192, 168, 1, 2);
    assert_int_equal(inject(&n.nodes[1], 9, &c), NHRP_OK);
    net_end(&n);
}

/* ---- Old packets, floods of redirects. ---- */

static void an_old_reply_counts_for_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    craft c = asked(&n);
    net_connect(&n, &n.nodes[1], 9, &n.nodes[2], 9, 0);
    const uint32_t asked_with = c.h.request_id;
    assert_int_equal(inject(&n.nodes[1], 9, &c), NHRP_OK);
    net_settle(&n);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(inject(&n.nodes[1], 9, &c), NHRP_ERR_UNSOLICITED);
    /* Nor does it answer the next request for the same destination. */
    assert_int_equal(nhrp_engine_remove(n.nodes[1].engine, n.now_ms, m.id), NHRP_OK);
    assert_int_equal(walk_packet(&n), NHRP_ERR_RATE);
    net_run(&n, n.now_ms + 8000);
    n.sent[NHRP_RESOLUTION_REQUEST] = 0;
    assert_int_equal(walk_packet(&n), NHRP_OK);
    for (int i = 0; i < 10 && n.sent[NHRP_RESOLUTION_REQUEST] == 0; i++)
        net_run(&n, n.now_ms + 5);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REQUEST], 1);
    assert_int_equal(c.h.request_id, asked_with);
    assert_int_equal(inject(&n.nodes[1], 9, &c), NHRP_ERR_UNSOLICITED);
    assert_false(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    net_end(&n);
}

/* Each would make a mapping and send four requests: what one link may keep busy is bounded. */
static void a_flood_of_redirects_reaches_a_limit(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    (void)nhrp_config_init(&c);
    c.max_pending_per_link = 20;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 1, NULL, NULL, &c));
    assert_non_null(net_node(&n, 100, NULL, NULL, NULL));
    node *spoke = &n.nodes[0];
    net_connect(&n, spoke, 1, &n.nodes[1], 1, 0);
    n.nodes[1].answers = false;
    node_route(spoke, CUSTOMER, prefix4(10, 1, 1, 0, 24), 0, 101);
    node_route(spoke, CUSTOMER, prefix4(10, 0, 0, 0, 8), 1, 1000);
    node_label(spoke, 101, CUSTOMER, 0);
    craft r = redirect();
    for (uint8_t k = 0; k < 100; k++) {
        quoted[19] = k;
        (void)inject(spoke, 1, &r);
        net_settle(&n);
    }
    quoted[19] = 102;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    size_t mappings = 0;
    while (nhrp_engine_next_mapping(spoke->engine, &it, &m) == NHRP_YES)
        mappings++;
    assert_int_equal(mappings, 20);
    assert_int_equal(node_sent(spoke, NHRP_RESOLUTION_REQUEST), 20);
    net_end(&n);
}

/* ---- Secrets. ---- */

static const char PASSWORD[] = "a password of many octets";
static bool leaked;

/* Blocks with their size in front, so that they can be searched when they are freed. */
static void *watching_resize(void *user, void *ptr, size_t size)
{
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    (void)user;
    for (size_t i = 0; block && size == 0 && i + sizeof(PASSWORD) - 1 <= block[0]; i++)
        leaked |= memcmp((uint8_t *)ptr + i, PASSWORD, sizeof(PASSWORD) - 1) == 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    if (!block)
        return NULL;
    block[0] = size;
    return block + 2;
}

static void passwords_are_wiped_before_memory_goes_back(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    nhrp_interface_config i;
    (void)nhrp_config_init(&c);
    (void)nhrp_interface_config_init(&i);
    c.allocator.resize = watching_resize;
    i.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
    i.key = (const uint8_t *)PASSWORD;
    i.key_len = sizeof(PASSWORD) - 1;
    leaked = false;
    start_leaves(&n, &c, &i);
    assert_int_equal(walk_packet(&n), NHRP_OK); /* the hub passes a request on */
    net_run(&n, n.now_ms + 3000);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_MAPPING_UP), 1);
    net_disconnect(&n, &n.nodes[0], 1);
    net_disconnect(&n, &n.nodes[0], 2);
    assert_int_equal(nhrp_engine_interface_remove(n.nodes[0].engine, n.now_ms, INTERFACE), NHRP_OK);
    net_end(&n);
    assert_false(leaked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_resolves_as_ever),
        cmocka_unit_test(a_leaf_s_request_with_a_forward_record_is_refused),
        cmocka_unit_test(a_leaf_s_reply_in_another_s_name_is_refused),
        cmocka_unit_test(a_multipoint_link_is_no_leaf),
        cmocka_unit_test(a_peer_s_own_tunnel_speaks_for_its_own_nbma_address_alone),
        cmocka_unit_test(one_spoke_s_flows_leave_room_for_those_of_others),
        cmocka_unit_test(one_spoke_s_flood_silences_nobody_else),
        cmocka_unit_test(one_requester_s_flood_leaves_questions_for_others_of_the_same_link),
        cmocka_unit_test(answers_by_one_link_are_limited_and_others_are_answered),
        cmocka_unit_test(packets_that_one_link_caused_leave_room_for_those_of_others),
        cmocka_unit_test(two_peers_behind_one_nat_are_two_peers),
        cmocka_unit_test(an_old_reply_counts_for_nothing),
        cmocka_unit_test(a_flood_of_redirects_reaches_a_limit),
        cmocka_unit_test(passwords_are_wiped_before_memory_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
