/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Static mappings: what the operator says, and what nobody else can change about it.
 */
#include "craft.h"

#include <string.h>

/* Node 0 is the server 172.16.1.100 with multipoint link 1. */
static node *server(net *n, fail_alloc *f)
{
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER | NHRP_INTERFACE_REDIRECT;
    net_init(n, 1, NULL);
    node *d = net_node(n, 100, f, &i, NULL);
    if (d)
        net_multipoint(n, d, 1, 0);
    return d;
}

static nhrp_mapping_config fixed(nhrp_addr prefix, nhrp_addr nbma)
{
    nhrp_mapping_config c;
    assert_int_equal(nhrp_mapping_config_init(&c), NHRP_OK);
    c.link = 1;
    c.prefix = prefix;
    c.nbma = nbma;
    return c;
}

static uint64_t fix(net *n, nhrp_addr prefix, nhrp_addr nbma)
{
    const nhrp_mapping_config c = fixed(prefix, nbma);
    uint64_t id = 0;
    assert_int_equal(nhrp_engine_mapping_add(n->nodes[0].engine, n->now_ms, &c, &id), NHRP_OK);
    return id;
}

static nhrp_rc take(net *n, const nhrp_packet *h, const nhrp_cie *cie, nhrp_addr from)
{
    nhrp_writer w;
    uint8_t buf[256];
    size_t len = 0;
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), h), NHRP_OK);
    if (cie)
        assert_int_equal(nhrp_writer_put_cie(&w, cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return nhrp_engine_input(n->nodes[0].engine, n->now_ms, 1, &from, buf, len);
}

/* The first CIE of what the node has ready, and its type. */
static nhrp_cie answered(net *n, uint8_t type, nhrp_packet *p)
{
    static uint8_t buf[512];
    nhrp_output out;
    nhrp_cie cie;
    size_t it = 0;
    assert_int_equal(nhrp_engine_poll_output(n->nodes[0].engine, n->now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(out.type, type);
    assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, p), NHRP_OK);
    assert_int_equal(nhrp_cie_next(p, &it, &cie), NHRP_YES);
    return cie;
}

static nhrp_packet asking(uint32_t id, nhrp_addr for_what)
{
    return (nhrp_packet){.type = NHRP_RESOLUTION_REQUEST,
                         .hop_count = 255,
                         .request_id = id,
                         .source_nbma = ip4(198, 51, 100, 1),
                         .source_protocol = ip4(172, 16, 1, 1),
                         .destination_protocol = for_what};
}

/* RFC 2332 5.2.2: authoritative, out of the cache; the time is the interface's. */
static void it_is_told_and_answered_and_does_not_expire(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    const nhrp_addr a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    node *hub = server(&n, NULL);
    const uint64_t id = fix(&n, prefix4(172, 16, 1, 2, 32), b);
    net_run(&n, n.now_ms + 100000000);
    assert_int_equal(node_events(hub, NHRP_EVENT_MAPPING_UP), 1);
    assert_int_equal(node_events(hub, NHRP_EVENT_MAPPING_DOWN), 0);
    assert_int_equal(nhrp_engine_get_mapping(hub->engine, id, &m), NHRP_OK);
    assert_int_equal(m.kind, NHRP_MAPPING_STATIC);
    assert_true(m.expires_ms == NHRP_NEVER);
    assert_memory_equal(m.next_hop.bytes, ((const uint8_t[]){172, 16, 1, 2}), 4);

    const nhrp_packet ask = asking(7, ip4(172, 16, 1, 2));
    assert_int_equal(take(&n, &ask, NULL, a), NHRP_OK);
    const nhrp_cie cie = answered(&n, NHRP_RESOLUTION_REPLY, &p);
    assert_int_equal(cie.code, 0);
    assert_int_equal(cie.holding_time_s, 600);
    assert_memory_equal(cie.nbma.bytes, b.bytes, 4);
    assert_int_equal(p.flags & NHRP_FLAG_AUTHORITATIVE, NHRP_FLAG_AUTHORITATIVE);
    net_end(&n);
}

static void a_prefix_leads_to_its_next_hop(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    uint64_t id = 0;
    const nhrp_addr b = ip4(198, 51, 100, 2);
    node *hub = server(&n, NULL);
    nhrp_mapping_config c = fixed(prefix4(10, 2, 0, 0, 16), b);
    assert_int_equal(nhrp_engine_mapping_add(hub->engine, n.now_ms, &c, &id), NHRP_ERR_ARG);
    c.next_hop = ip4(172, 16, 1, 2);
    assert_int_equal(nhrp_engine_mapping_add(hub->engine, n.now_ms, &c, &id), NHRP_OK);
    const nhrp_packet ask = asking(7, ip4(10, 2, 3, 4));
    const nhrp_cie widest = {.prefix_len = 8, .holding_time_s = 60};
    assert_int_equal(take(&n, &ask, &widest, ip4(198, 51, 100, 1)), NHRP_OK);
    const nhrp_cie cie = answered(&n, NHRP_RESOLUTION_REPLY, &p);
    assert_int_equal(cie.prefix_len, 16);
    assert_memory_equal(cie.protocol.bytes, c.next_hop.bytes, 4);
    net_end(&n);
}

/* RFC 2332 5.2.4: what the server does not take for administrative reasons is code 4. */
static void a_registration_of_other_addresses_is_prohibited(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    const nhrp_addr b = ip4(198, 51, 100, 2), other = ip4(198, 51, 100, 9);
    node *hub = server(&n, NULL);
    const uint64_t id = fix(&n, prefix4(172, 16, 1, 2, 32), b);
    nhrp_packet h = {.type = NHRP_REGISTRATION_REQUEST,
                     .hop_count = 255,
                     .request_id = 5,
                     .source_nbma = other,
                     .source_protocol = ip4(172, 16, 1, 2),
                     .destination_protocol = ip4(172, 16, 1, 100)};
    nhrp_cie cie = {.prefix_len = 255, .holding_time_s = 60};
    assert_int_equal(take(&n, &h, &cie, other), NHRP_OK);
    assert_int_equal(answered(&n, NHRP_REGISTRATION_REPLY, &p).code, NHRP_CODE_PROHIBITED);
    h.source_nbma = b;
    assert_int_equal(take(&n, &h, &cie, b), NHRP_OK);
    assert_int_equal(answered(&n, NHRP_REGISTRATION_REPLY, &p).code, NHRP_CODE_SUCCESS);
    cie.holding_time_s = 0;
    assert_int_equal(take(&n, &h, &cie, b), NHRP_OK);
    assert_int_equal(nhrp_engine_get_mapping(hub->engine, id, &m), NHRP_OK);
    assert_int_equal(m.kind, NHRP_MAPPING_STATIC);
    net_end(&n);
}

/* RFC 2332 5.2.5 is about what was cached: the operator's word was not. */
static void a_purge_does_not_touch_it(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    const nhrp_addr b = ip4(198, 51, 100, 2);
    node *hub = server(&n, NULL);
    (void)fix(&n, prefix4(172, 16, 1, 2, 32), b);
    const nhrp_packet h = {.type = NHRP_PURGE_REQUEST,
                           .hop_count = 255,
                           .request_id = 9,
                           .source_nbma = b,
                           .source_protocol = ip4(172, 16, 1, 2),
                           .destination_protocol = ip4(172, 16, 1, 100)};
    const nhrp_cie cie = {.prefix_len = 32, .protocol = ip4(172, 16, 1, 2)};
    assert_int_equal(take(&n, &h, &cie, b), NHRP_OK);
    assert_true(node_mapping(hub, NHRP_MAPPING_STATIC, &m));
    net_end(&n);
}

static void it_takes_the_place_of_what_was_learned_and_is_there_once(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    uint64_t id = 0;
    const nhrp_addr a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    node *hub = server(&n, NULL);
    nhrp_packet h = {.type = NHRP_REGISTRATION_REQUEST,
                     .hop_count = 255,
                     .request_id = 5,
                     .source_nbma = a,
                     .source_protocol = ip4(172, 16, 1, 2),
                     .destination_protocol = ip4(172, 16, 1, 100)};
    const nhrp_cie cie = {.prefix_len = 255, .holding_time_s = 60};
    assert_int_equal(take(&n, &h, &cie, a), NHRP_OK);
    net_settle(&n);
    (void)fix(&n, prefix4(172, 16, 1, 2, 32), b);
    net_settle(&n);
    assert_int_equal(node_events(hub, NHRP_EVENT_MAPPING_DOWN), 1);
    assert_int_equal(node_events(hub, NHRP_EVENT_MAPPING_UP), 2);
    assert_false(node_mapping(hub, NHRP_MAPPING_REGISTERED, &m));
    const nhrp_mapping_config again = fixed(prefix4(172, 16, 1, 2, 32), a);
    assert_int_equal(nhrp_engine_mapping_add(hub->engine, n.now_ms, &again, &id), NHRP_ERR_STATE);
    net_end(&n);
}

/* RFC 2332 5.2.5: who was told of it is told when it goes. */
static void what_was_answered_from_it_is_purged_when_it_is_removed(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    const nhrp_addr a = ip4(198, 51, 100, 1);
    node *hub = server(&n, NULL);
    const uint64_t id = fix(&n, prefix4(172, 16, 1, 2, 32), ip4(198, 51, 100, 2));
    const nhrp_packet ask = asking(7, ip4(172, 16, 1, 2));
    assert_int_equal(take(&n, &ask, NULL, a), NHRP_OK);
    (void)answered(&n, NHRP_RESOLUTION_REPLY, &p);
    assert_int_equal(nhrp_engine_remove(hub->engine, n.now_ms, id), NHRP_OK);
    const nhrp_cie cie = answered(&n, NHRP_PURGE_REQUEST, &p);
    assert_memory_equal(cie.protocol.bytes, ((const uint8_t[]){172, 16, 1, 2}), 4);
    net_end(&n);
}

static void it_ends_with_its_link(void **state)
{
    (void)state;
    net n;
    node *hub = server(&n, NULL);
    (void)fix(&n, prefix4(172, 16, 1, 2, 32), ip4(198, 51, 100, 2));
    net_settle(&n);
    assert_int_equal(nhrp_engine_link_down(hub->engine, n.now_ms, 1), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_events(hub, NHRP_EVENT_MAPPING_DOWN), 1);
    net_end(&n);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    net n;
    uint64_t id = 0;
    node *hub = server(&n, NULL);
    const nhrp_addr b = ip4(198, 51, 100, 2), ours = prefix4(172, 16, 1, 100, 32);
    nhrp_addr ipv6 = b;
    ipv6.family = NHRP_FAMILY_IPV6;
    const nhrp_mapping_config good = fixed(prefix4(172, 16, 1, 2, 32), b);
    nhrp_mapping_config bad[6];
    for (size_t i = 0; i < 6; i++)
        bad[i] = good;
    bad[0].prefix = ours;
    bad[1].prefix = prefix4(172, 16, 1, 2, 24); /* bits beyond its length */
    bad[2].nbma.family = NHRP_FAMILY_NONE;
    bad[3].nbma = ipv6; /* the link's NBMA network is IPv4 */
    bad[4].flags = NHRP_MAPPING_NATED;
    bad[5].next_hop = ip4(172, 16, 1, 100);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(nhrp_engine_mapping_add(hub->engine, n.now_ms, &bad[i], &id),
                         NHRP_ERR_ARG);
    nhrp_mapping_config nowhere = good;
    nowhere.link = 9;
    assert_int_equal(nhrp_engine_mapping_add(hub->engine, n.now_ms, &nowhere, &id),
                     NHRP_ERR_ABSENT);
    net_end(&n);
}

/* On a link with one peer there is one NBMA address. */
static void on_a_link_with_one_peer_it_is_that_peer_s(void **state)
{
    (void)state;
    net n;
    uint64_t id = 0;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    start(&n);
    nhrp_engine *e = n.nodes[0].engine;
    nhrp_mapping_config c = fixed(prefix4(10, 77, 0, 1, 32), ip4(198, 51, 100, 2));
    assert_int_equal(nhrp_engine_mapping_add(e, n.now_ms, &c, &id), NHRP_ERR_ARG);
    c.nbma.family = NHRP_FAMILY_NONE;
    memset(c.nbma.bytes, 0, sizeof(c.nbma.bytes));
    assert_int_equal(nhrp_engine_mapping_add(e, n.now_ms, &c, &id), NHRP_OK);
    assert_int_equal(nhrp_engine_get_mapping(e, id, &m), NHRP_OK);
    assert_memory_equal(m.nbma.bytes, n.nodes[1].nbma.bytes, 4);
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_and_answered_and_does_not_expire),
        cmocka_unit_test(a_prefix_leads_to_its_next_hop),
        cmocka_unit_test(a_registration_of_other_addresses_is_prohibited),
        cmocka_unit_test(a_purge_does_not_touch_it),
        cmocka_unit_test(it_takes_the_place_of_what_was_learned_and_is_there_once),
        cmocka_unit_test(what_was_answered_from_it_is_purged_when_it_is_removed),
        cmocka_unit_test(it_ends_with_its_link),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(on_a_link_with_one_peer_it_is_that_peer_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
