/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The NAT address extension in all roles. It is specified nowhere: what is expected here is what
 * deployed peers send, of which tests/nhrp/vectors/frr.txt has captures.
 */
#include "net.h"

#include <string.h>

enum { HUB = 0, ONE = 1, TWO = 2 };

static const nhrp_addr inner = {.family = NHRP_FAMILY_IPV4, .bytes = {192, 168, 0, 2}};

/* Hub 172.16.1.100, spokes .1 and .2, both 192.168.0.2 behind NATs of their own. */
static void stations(net *n, uint32_t flags, fail_alloc *f)
{
    static const uint8_t numbers[] = {100, 1, 2};
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags |= NHRP_INTERFACE_SERVER | flags;
    net_init(n, 1, NULL);
    for (size_t k = 0; k < 3; k++)
        if (!net_node(n, numbers[k], f, &i, NULL))
            return;
    for (uint8_t k = ONE; k <= TWO; k++) {
        n->nodes[k].nbma = inner;
        n->nodes[k].outer = ip4(203, 0, 113, k);
    }
}

static void network(net *n, uint32_t flags, fail_alloc *f)
{
    stations(n, flags, f);
    for (int k = 0; k < n->count; k++)
        net_multipoint(n, &n->nodes[k], 1, 0);
    for (int k = ONE; k < n->count; k++) {
        nhrp_server_config c;
        uint64_t id;
        (void)nhrp_server_config_init(&c);
        c.link = 1;
        c.nbma = n->nodes[HUB].nbma;
        c.protocol = n->nodes[HUB].tunnel;
        (void)nhrp_engine_server_add(n->nodes[k].engine, n->now_ms, &c, &id);
    }
}

static bool nat_of(const net *n, nhrp_packet *p, nhrp_extension *x)
{
    size_t it = 0;
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, p), NHRP_OK);
    while (nhrp_extension_next(p, &it, x) == NHRP_YES)
        if (x->kind == NHRP_KIND_NAT)
            return true;
    return false;
}

/* As captured: flag 0x0002, not compulsory, the server's addresses, a prefix length of the host. */
static void a_registration_names_the_server_as_deployed(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    stations(&n, NHRP_INTERFACE_NAT, NULL);
    n.watch = NHRP_REGISTRATION_REQUEST;
    net_connect(&n, &n.nodes[ONE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
    net_settle(&n);
    assert_true(nat_of(&n, &p, &x));
    assert_int_equal(p.flags, NHRP_FLAG_NAT);
    assert_int_equal(x.compulsory, 0);
    assert_hex(x.value, x.len, "0020 0000 0000 0000 04 00 04 00 c0a80164 ac100164");
    net_end(&n);
}

/* As captured from a client that does not know its server: all zero for its tunnel address. */
static void an_unknown_server_s_tunnel_address_is_all_zero(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_server_config c;
    uint64_t id;
    stations(&n, NHRP_INTERFACE_NAT, NULL);
    n.watch = NHRP_REGISTRATION_REQUEST;
    net_multipoint(&n, &n.nodes[ONE], 1, 0);
    (void)nhrp_server_config_init(&c);
    c.link = 1;
    c.nbma = n.nodes[HUB].nbma;
    assert_int_equal(nhrp_engine_server_add(n.nodes[ONE].engine, n.now_ms, &c, &id), NHRP_OK);
    net_settle(&n);
    assert_true(nat_of(&n, &p, &x));
    assert_hex(x.value, x.len, "0020 0000 0000 0000 04 00 04 00 c0a80164 00000000");
    net_end(&n);
}

static void without_the_flag_nothing_is_said_of_nats(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    n.last_len = 0;
    network(&n, 0, NULL);
    n.watch = NHRP_REGISTRATION_REQUEST;
    net_run(&n, n.now_ms + 100);
    assert_false(nat_of(&n, &p, &x));
    assert_int_equal(p.flags & NHRP_FLAG_NAT, 0);
    assert_int_equal(node_events(&n.nodes[ONE], NHRP_EVENT_TRANSLATED), 0);
    net_end(&n);
}

/* As deployed: the server adds a second entry, the client as it sees it. */
static void the_server_tells_a_translated_client_its_outer_address(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_link l = {.struct_size = sizeof(l)};
    network(&n, NHRP_INTERFACE_NAT, NULL);
    n.watch = NHRP_REGISTRATION_REPLY;
    net_run(&n, n.now_ms + 100);
    assert_true(nat_of(&n, &p, &x));
    assert_int_equal(p.flags & NHRP_FLAG_NAT, NHRP_FLAG_NAT);
    assert_hex(x.value, x.len,
               "0020 0000 0000 0000 04 00 04 00 c0a80164 ac100164"
               "0020 0000 0000 0000 04 00 04 00 cb007102 ac100102");
    for (uint8_t k = ONE; k <= TWO; k++) {
        assert_int_equal(node_events(&n.nodes[k], NHRP_EVENT_TRANSLATED), 1);
        assert_int_equal(nhrp_engine_get_link(n.nodes[k].engine, 1, &l), NHRP_OK);
        assert_memory_equal(l.translated_nbma.bytes, n.nodes[k].outer.bytes, 4);
        assert_memory_equal(l.local_nbma.bytes, inner.bytes, 4);
    }
    net_run(&n, n.now_ms + 1000000);
    assert_int_equal(node_events(&n.nodes[ONE], NHRP_EVENT_TRANSLATED), 1); /* told once */
    net_end(&n);
}

static void a_client_that_is_not_translated_is_told_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_link l = {.struct_size = sizeof(l)};
    stations(&n, NHRP_INTERFACE_NAT, NULL);
    n.nodes[ONE].outer = inner;
    n.watch = NHRP_REGISTRATION_REPLY;
    net_connect(&n, &n.nodes[ONE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 100);
    assert_true(nat_of(&n, &p, &x));
    assert_int_equal(x.len, 20);
    assert_int_equal(node_events(&n.nodes[ONE], NHRP_EVENT_TRANSLATED), 0);
    assert_int_equal(nhrp_engine_get_link(n.nodes[ONE].engine, 1, &l), NHRP_OK);
    assert_int_equal(l.translated_nbma.family, NHRP_FAMILY_NONE);
    net_end(&n);
}

/* The binding of the NAT changes, and then the NAT is no more. */
static void what_the_server_sees_is_followed(void **state)
{
    (void)state;
    net n;
    nhrp_link l = {.struct_size = sizeof(l)};
    network(&n, NHRP_INTERFACE_NAT, NULL);
    net_run(&n, n.now_ms + 100);
    n.nodes[ONE].outer = ip4(203, 0, 113, 77);
    net_run(&n, n.now_ms + 201000);
    assert_int_equal(nhrp_engine_get_link(n.nodes[ONE].engine, 1, &l), NHRP_OK);
    assert_memory_equal(l.translated_nbma.bytes, n.nodes[ONE].outer.bytes, 4);
    n.nodes[ONE].outer = inner;
    n.nodes[TWO].deaf = true; /* it has the same address inside */
    net_run(&n, n.now_ms + 201000);
    assert_int_equal(nhrp_engine_get_link(n.nodes[ONE].engine, 1, &l), NHRP_OK);
    assert_int_equal(l.translated_nbma.family, NHRP_FAMILY_NONE);
    assert_int_equal(node_events(&n.nodes[ONE], NHRP_EVENT_TRANSLATED), 3);
    /* An address that is set makes what was said of the one before void. */
    n.nodes[ONE].outer = ip4(203, 0, 113, 78);
    net_run(&n, n.now_ms + 201000);
    const nhrp_addr to = ip4(192, 168, 0, 3);
    assert_int_equal(nhrp_engine_link_set_nbma(n.nodes[ONE].engine, n.now_ms, 1, &to), NHRP_OK);
    assert_int_equal(nhrp_engine_get_link(n.nodes[ONE].engine, 1, &l), NHRP_OK);
    assert_int_equal(l.translated_nbma.family, NHRP_FAMILY_NONE);
    net_end(&n);
}

/* Asks the hub for spoke two; what it answers is out. The extension's value may be empty. */
static void ask_for_two(net *n, bool understands, nhrp_packet *p)
{
    const nhrp_extension x = {.type = NHRP_EXTENSION_NAT};
    nhrp_writer w;
    uint8_t buf[256];
    size_t len = 0;
    const node *one = &n->nodes[ONE];
    const nhrp_packet h = {.type = NHRP_RESOLUTION_REQUEST,
                           .hop_count = 255,
                           .request_id = understands ? 98 : 99,
                           .source_nbma = one->nbma,
                           .source_protocol = one->tunnel,
                           .destination_protocol = n->nodes[TWO].tunnel};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    if (understands)
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    n->watch = NHRP_RESOLUTION_REPLY;
    assert_int_equal(nhrp_engine_input(n->nodes[HUB].engine, n->now_ms, 1, &one->outer, buf, len),
                     NHRP_OK);
    net_settle(n);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, p), NHRP_OK);
}

/* As deployed: the entry is the inner address, the extension the outer. */
static void an_answer_names_both_to_whom_asks_so_and_the_outer_to_others(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_cie cie;
    nhrp_extension x;
    size_t it = 0;
    network(&n, NHRP_INTERFACE_NAT, NULL);
    net_run(&n, n.now_ms + 100);
    ask_for_two(&n, true, &p);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_memory_equal(cie.nbma.bytes, inner.bytes, 4);
    assert_true(nat_of(&n, &p, &x));
    assert_hex(x.value, x.len, "0020 0000 0000 0000 04 00 04 00 cb007102 ac100102");

    ask_for_two(&n, false, &p);
    it = 0;
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_memory_equal(cie.nbma.bytes, n.nodes[TWO].outer.bytes, 4);
    assert_false(nat_of(&n, &p, &x));
    net_end(&n);
}

/*
 * The walk with both spokes behind NATs and with the same address inside: the tunnel is asked for
 * to the outer address, and the mapping has both.
 */
static void two_spokes_behind_nats_find_each_other(void **state)
{
    (void)state;
    for (int by_hub = 0; by_hub < 2; by_hub++) {
        net n;
        nhrp_mapping m;
        stations(&n, NHRP_INTERFACE_NAT, NULL);
        n.nodes[TWO].tunnels = by_hub ? TUNNELS_FAIL : TUNNELS_COME_UP;
        for (uint8_t k = ONE; k <= TWO; k++) {
            net_connect(&n, &n.nodes[k], 1, &n.nodes[HUB], k, NHRP_LINK_REGISTER);
            node_route(&n.nodes[k], GLOBAL, prefix4(10, k, k, 0, 24), 0, 0);
            node_route(&n.nodes[k], GLOBAL, prefix4(10, 0, 0, 0, 8), 1, 0);
            node_route(&n.nodes[HUB], GLOBAL, prefix4(10, k, k, 0, 24), k, 0);
        }
        net_run(&n, n.now_ms + 100);
        assert_int_equal(
            hub_hairpin(&n.nodes[HUB], 1, 2, 0, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)), NHRP_OK);
        net_run(&n, n.now_ms + 5000);
        assert_true(node_mapping(&n.nodes[ONE], NHRP_MAPPING_RESOLVED, &m));
        assert_memory_equal(m.nbma.bytes, n.nodes[TWO].outer.bytes, 4);
        assert_memory_equal(m.claimed_nbma.bytes, inner.bytes, 4);
        assert_int_equal(m.flags & NHRP_MAPPING_NATED, NHRP_MAPPING_NATED);
        assert_true(m.link >= 100); /* by the direct tunnel */
        net_end(&n);
    }
}

/* A leaf's word of itself is held against what its tunnel has proven. */
static void a_leaf_that_names_another_s_outer_address_is_refused(void **state)
{
    (void)state;
    for (int honest = 0; honest < 2; honest++) {
        net n;
        nhrp_link_config c;
        nhrp_writer w;
        nhrp_mapping m;
        uint64_t id;
        uint8_t buf[512];
        size_t len = 0;
        nhrp_packet p;
        stations(&n, NHRP_INTERFACE_NAT, NULL);
        node *hub = &n.nodes[HUB];
        (void)nhrp_link_config_init(&c);
        c.interface = INTERFACE;
        c.flags = NHRP_LINK_LEAF;
        c.local_nbma = hub->nbma;
        c.local_protocol_ipv4 = hub->tunnel;
        c.peer_nbma = n.nodes[ONE].outer;
        c.peer_protocol_ipv4 = n.nodes[ONE].tunnel;
        assert_int_equal(nhrp_engine_link_up(hub->engine, n.now_ms, 1, &c), NHRP_OK);
        hub->links[0] = (net_link){1, ONE, 1};
        node_route(hub, GLOBAL, prefix4(10, 1, 1, 0, 24), 1, 0);
        n.watch = NHRP_RESOLUTION_REQUEST;
        const nhrp_addr host = ip4(10, 1, 1, 5);
        assert_int_equal(nhrp_engine_resolve(hub->engine, n.now_ms, &host, &id), NHRP_OK);
        net_settle(&n);
        assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
        p.type = NHRP_RESOLUTION_REPLY;
        const nhrp_cie cie = {
            .prefix_len = 24, .holding_time_s = 60, .nbma = inner, .protocol = n.nodes[ONE].tunnel};
        const nhrp_extension x = {.type = NHRP_EXTENSION_NAT};
        const nhrp_cie outer = {.prefix_len = 32,
                                .nbma = n.nodes[honest ? ONE : TWO].outer,
                                .protocol = n.nodes[ONE].tunnel};
        assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &p), NHRP_OK);
        assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension_cie(&w, &outer), NHRP_OK);
        assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
        assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, NULL, buf, len),
                         honest ? NHRP_OK : NHRP_ERR_REFUSED);
        net_settle(&n);
        assert_int_equal(node_mapping(hub, NHRP_MAPPING_RESOLVED, &m), honest);
        net_end(&n);
    }
}

/* Type 9 of eight octets is RFC 2735 4.2; of another length, or CIEs cut short, it is no list. */
static void a_malformed_extension_is_no_translation(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 7, 8, 11, 13, 19, 21, 31};
    static const uint8_t value[32] = {0, 32, [8] = 4, 0, 4, 0, 203, 0, 113, 9, 172, 16, 1, 1};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        net n;
        nhrp_writer w;
        nhrp_packet p;
        nhrp_link l = {.struct_size = sizeof(l)};
        uint8_t buf[512];
        size_t len = 0;
        stations(&n, NHRP_INTERFACE_NAT, NULL);
        n.watch = NHRP_REGISTRATION_REQUEST;
        net_connect(&n, &n.nodes[ONE], 1, &n.nodes[HUB], 1, NHRP_LINK_REGISTER);
        n.nodes[HUB].deaf = true;
        net_settle(&n);
        assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
        p.type = NHRP_REGISTRATION_REPLY;
        const nhrp_cie cie = {.prefix_len = 255, .holding_time_s = 600};
        const nhrp_extension x = {.type = NHRP_EXTENSION_NAT, .value = value, .len = lens[i]};
        assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &p), NHRP_OK);
        assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
        assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
        (void)nhrp_engine_input(n.nodes[ONE].engine, n.now_ms, 1, NULL, buf, len);
        net_settle(&n);
        assert_int_equal(nhrp_engine_get_link(n.nodes[ONE].engine, 1, &l), NHRP_OK);
        assert_int_equal(l.translated_nbma.family, NHRP_FAMILY_NONE);
        net_end(&n);
    }
}

static void translating(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    network(&n, NHRP_INTERFACE_NAT, f);
    net_run(&n, n.now_ms + 300000);
    net_end(&n);
}

static void translation_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(translating, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_names_the_server_as_deployed),
        cmocka_unit_test(an_unknown_server_s_tunnel_address_is_all_zero),
        cmocka_unit_test(without_the_flag_nothing_is_said_of_nats),
        cmocka_unit_test(the_server_tells_a_translated_client_its_outer_address),
        cmocka_unit_test(a_client_that_is_not_translated_is_told_nothing),
        cmocka_unit_test(what_the_server_sees_is_followed),
        cmocka_unit_test(an_answer_names_both_to_whom_asks_so_and_the_outer_to_others),
        cmocka_unit_test(two_spokes_behind_nats_find_each_other),
        cmocka_unit_test(a_leaf_that_names_another_s_outer_address_is_refused),
        cmocka_unit_test(a_malformed_extension_is_no_translation),
        cmocka_unit_test(translation_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
