/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * NBMA addresses that change: a client's own, by DHCP, and as its server sees it, when a NAT binds
 * anew.
 */
#include "net.h"

#include <string.h>

enum { HUB = 0, ONE = 1, TWO = 2 };

/* Hub 172.16.1.100 and spokes .1 and .2 on one multipoint network; the spokes register. */
static void network(net *n, uint32_t flags, fail_alloc *f)
{
    static const uint8_t numbers[] = {100, 1, 2};
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER;
    net_init(n, 1, NULL);
    for (size_t k = 0; k < 3; k++)
        if (!net_node(n, numbers[k], f, &i, NULL))
            return;
    for (int k = 0; k < 3; k++)
        net_multipoint(n, &n->nodes[k], 1, k == HUB ? 0 : flags);
    for (int k = ONE; k <= TWO; k++) {
        nhrp_server_config c;
        uint64_t id;
        (void)nhrp_server_config_init(&c);
        c.link = 1;
        c.nbma = n->nodes[HUB].nbma;
        c.protocol = n->nodes[HUB].tunnel;
        (void)nhrp_engine_server_add(n->nodes[k].engine, n->now_ms, &c, &id);
    }
    net_run(n, n->now_ms + 100);
}

/* The hub's mapping of spoke number k. */
static nhrp_mapping client(const net *n, uint8_t number)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(n->nodes[HUB].engine, &it, &m) == NHRP_YES)
        if (m.kind == NHRP_MAPPING_REGISTERED && m.prefix.bytes[3] == number)
            return m;
    fail_msg("no client %u", number);
    return m;
}

/* Spoke one asks the hub for spoke two by a packet made here. */
static void ask_for_two(net *n)
{
    nhrp_writer w;
    uint8_t buf[256];
    size_t len = 0;
    const node *one = &n->nodes[ONE];
    const nhrp_packet h = {.type = NHRP_RESOLUTION_REQUEST,
                           .hop_count = 255,
                           .request_id = 99,
                           .source_nbma = one->nbma,
                           .source_protocol = one->tunnel,
                           .destination_protocol = n->nodes[TWO].tunnel};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_int_equal(nhrp_engine_input(n->nodes[HUB].engine, n->now_ms, 1, &one->outer, buf, len),
                     NHRP_OK);
    net_run(n, n->now_ms + 100);
}

static nhrp_rc move(net *n, int k, nhrp_addr to)
{
    n->nodes[k].outer = n->nodes[k].nbma = to;
    return nhrp_engine_link_set_nbma(n->nodes[k].engine, n->now_ms, 1, &to);
}

/* RFC 2332 5.2.3, 5.2.5: the binding changes, and whoever was told of the old one is told so. */
static void a_client_that_moves_registers_at_once_and_the_old_answer_is_purged(void **state)
{
    (void)state;
    net n;
    network(&n, 0, NULL);
    ask_for_two(&n);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 2);
    const nhrp_addr to = ip4(203, 0, 113, 7);
    assert_int_equal(move(&n, TWO, to), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 3);
    const nhrp_mapping m = client(&n, 2);
    assert_memory_equal(m.nbma.bytes, to.bytes, 4);
    assert_memory_equal(m.claimed_nbma.bytes, to.bytes, 4);
    assert_int_equal(m.flags & NHRP_MAPPING_NATED, 0);
    assert_int_equal(node_events(&n.nodes[HUB], NHRP_EVENT_MAPPING_UP), 3);
    assert_int_equal(n.sent[NHRP_PURGE_REQUEST], 1);
    assert_int_equal(n.sent[NHRP_PURGE_REPLY], 1);
    /* It stands all the while, and goes on being renewed. */
    net_run(&n, n.now_ms + 1000000);
    assert_int_equal(node_events(&n.nodes[TWO], NHRP_EVENT_REGISTERED), 1);
    assert_int_equal(node_events(&n.nodes[TWO], NHRP_EVENT_REGISTRATION_LOST), 0);
    net_end(&n);
}

static void an_address_that_is_set_again_changes_nothing(void **state)
{
    (void)state;
    net n;
    network(&n, 0, NULL);
    assert_int_equal(move(&n, TWO, n.nodes[TWO].nbma), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 2);
    const nhrp_addr none = {0};
    const nhrp_addr to = ip4(203, 0, 113, 7);
    assert_int_equal(move(&n, TWO, none), NHRP_ERR_ARG);
    assert_int_equal(nhrp_engine_link_set_nbma(n.nodes[TWO].engine, n.now_ms, 9, &to),
                     NHRP_ERR_ABSENT);
    net_end(&n);
}

/* RFC 2332 5.2.3, 5.2.4: a unique one is not given to another NBMA address while it stands. */
static void a_unique_registration_moves_only_when_the_old_one_has_run_out(void **state)
{
    (void)state;
    net n;
    network(&n, NHRP_LINK_UNIQUE, NULL);
    const nhrp_addr to = ip4(203, 0, 113, 7);
    assert_int_equal(move(&n, TWO, to), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_event(&n.nodes[TWO], NHRP_EVENT_REGISTRATION_REFUSED)->code,
                     NHRP_CODE_ALREADY_REGISTERED);
    net_run(&n, n.now_ms + 700000);
    assert_int_equal(node_events(&n.nodes[TWO], NHRP_EVENT_REGISTERED), 2);
    assert_memory_equal(client(&n, 2).nbma.bytes, to.bytes, 4);
    net_end(&n);
}

/* The NAT before the client has chosen another address: the client does not know, its server does.
 */
static void a_nat_that_binds_anew_is_noticed_with_the_next_registration(void **state)
{
    (void)state;
    net n;
    network(&n, 0, NULL);
    ask_for_two(&n);
    n.nodes[TWO].outer = ip4(203, 0, 113, 9);
    net_run(&n, n.now_ms + 201000);
    const nhrp_mapping m = client(&n, 2);
    assert_memory_equal(m.nbma.bytes, n.nodes[TWO].outer.bytes, 4);
    assert_memory_equal(m.claimed_nbma.bytes, n.nodes[TWO].nbma.bytes, 4);
    assert_int_equal(m.flags & NHRP_MAPPING_NATED, NHRP_MAPPING_NATED);
    assert_int_equal(node_events(&n.nodes[HUB], NHRP_EVENT_MAPPING_UP), 3);
    assert_int_equal(n.sent[NHRP_PURGE_REQUEST], 1);
    net_end(&n);
}

/* What we answered with the address before is purged: here spoke2's answer of the walk. */
static void what_was_answered_with_the_old_address_is_purged(void **state)
{
    net *n = *state;
    walk_shortcut(n);
    nhrp_mapping m;
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
    const nhrp_addr to = ip4(203, 0, 113, 7);
    for (uint32_t link = 1; link < 200; link++)
        (void)nhrp_engine_link_set_nbma(n->nodes[2].engine, n->now_ms, link, &to);
    net_run(n, n->now_ms + 100);
    assert_false(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(n->sent[NHRP_PURGE_REQUEST], 1);
}

/* Requests that wait go out with the new address under the same id, and are answered. */
static void a_request_that_waits_is_sent_with_the_new_address(void **state)
{
    net *n = *state;
    nhrp_packet p;
    nhrp_mapping m;
    const nhrp_addr to = ip4(203, 0, 113, 7);
    n->watch = NHRP_RESOLUTION_REQUEST;
    n->nodes[0].deaf = true;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 100);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    const uint32_t id = p.request_id;
    n->nodes[0].deaf = false;
    assert_int_equal(nhrp_engine_link_set_nbma(n->nodes[1].engine, n->now_ms, 1, &to), NHRP_OK);
    n->nodes[1].nbma = n->nodes[1].outer = to;
    net_settle(n);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    assert_int_equal(p.request_id, id);
    assert_memory_equal(p.source_nbma.bytes, to.bytes, 4);
    net_run(n, n->now_ms + 3000);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
}

static void moving(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    network(&n, 0, f);
    for (int k = 0; k < n.count; k++)
        (void)move(&n, k, ip4(203, 0, 113, (uint8_t)k));
    net_run(&n, n.now_ms + 300000);
    net_end(&n);
}

static void moving_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(moving, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_moves_registers_at_once_and_the_old_answer_is_purged),
        cmocka_unit_test(an_address_that_is_set_again_changes_nothing),
        cmocka_unit_test(a_unique_registration_moves_only_when_the_old_one_has_run_out),
        cmocka_unit_test(a_nat_that_binds_anew_is_noticed_with_the_next_registration),
        walk_test(what_was_answered_with_the_old_address_is_purged),
        walk_test(a_request_that_waits_is_sent_with_the_new_address),
        cmocka_unit_test(moving_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
