/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the engine makes of the octets of another implementation, FRR's nhrpd.
 */
#include "net.h"

#include <string.h>

/* A node 10.0.0.last with a link to 10.0.0.peer. */
static void frr(net *n, uint8_t last, uint8_t peer, uint32_t flags)
{
    nhrp_interface_config i;
    nhrp_link_config l;
    (void)nhrp_interface_config_init(&i);
    i.flags |= NHRP_INTERFACE_SERVER;
    i.holding_time_s = 120;
    net_init(n, 1, NULL);
    assert_non_null(net_node(n, last, NULL, &i, NULL));
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.flags = flags;
    l.local_nbma = ip4(198, 51, 100, last);
    l.local_protocol_ipv4 = ip4(10, 0, 0, last);
    l.peer_nbma = ip4(198, 51, 100, peer);
    l.peer_protocol_ipv4 = ip4(10, 0, 0, peer);
    assert_int_equal(nhrp_engine_link_up(n->nodes[0].engine, n->now_ms, 1, &l), NHRP_OK);
}

static const uint8_t *captured(vectors *v, const char *name, size_t *len)
{
    while (vectors_next(v))
        if (!strcmp(vectors_text(v, "name"), name))
            return vectors_hex(v, "packet", len);
    fail_msg("no vector %s", name);
    return NULL;
}

static void frr_s_registration_is_taken_and_answered(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    nhrp_output out;
    nhrp_packet p;
    nhrp_cie cie;
    nhrp_extension x;
    uint8_t buf[512];
    size_t len, it = 0, at = 0;
    vectors *v = vectors_open("nhrp/vectors/frr.txt");
    const uint8_t *bytes = captured(v, "registration request of a client", &len);
    frr(&n, 1, 2, 0);
    node *server = &n.nodes[0];
    assert_int_equal(nhrp_engine_input(server->engine, n.now_ms, 1, NULL, bytes, len), NHRP_OK);
    assert_true(node_mapping(server, NHRP_MAPPING_REGISTERED, &m));
    assert_int_equal(m.prefix.bytes[3], 2);
    assert_int_equal(m.holding_time_s, 120);
    assert_int_equal(nhrp_engine_poll_output(server->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, &p), NHRP_OK);
    assert_int_equal(p.type, NHRP_REGISTRATION_REPLY);
    assert_int_equal(p.request_id, 1);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_int_equal(cie.code, 0);
    assert_int_equal(cie.holding_time_s, 120);
    /* Its extensions in its order: forward, reverse, responder, NAT. */
    static const uint8_t kinds[] = {NHRP_KIND_FORWARD, NHRP_KIND_REVERSE, NHRP_KIND_RESPONDER,
                                    NHRP_KIND_NAT};
    it = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_YES);
        assert_int_equal(x.kind, kinds[i]);
        if (x.kind == NHRP_KIND_RESPONDER) {
            assert_int_equal(nhrp_extension_next_cie(&p, &x, &at, &cie), NHRP_YES);
            assert_int_equal(cie.protocol.bytes[3], 1);
        }
    }
    vectors_close(v);
    net_end(&n);
}

/* RFC 2332 5.2.3: the client names itself as the destination, for want of its server's address. */
static void a_client_that_does_not_know_its_server_is_told_its_address(void **state)
{
    (void)state;
    net n;
    nhrp_output out;
    nhrp_packet p;
    uint8_t buf[512];
    size_t len;
    vectors *v = vectors_open("nhrp/vectors/frr.txt");
    const uint8_t *bytes =
        captured(v, "registration request of a client that does not know its server", &len);
    frr(&n, 1, 3, 0);
    node *server = &n.nodes[0];
    assert_int_equal(nhrp_engine_input(server->engine, n.now_ms, 1, NULL, bytes, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_output(server->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, &p), NHRP_OK);
    assert_int_equal(p.type, NHRP_REGISTRATION_REPLY);
    const nhrp_addr client = ip4(10, 0, 0, 3), us = ip4(10, 0, 0, 1);
    assert_memory_equal(&p.source_protocol, &client, sizeof(client));
    assert_memory_equal(&p.destination_protocol, &us, sizeof(us));
    assert_int_equal(p.flags, NHRP_FLAG_REGISTRATION_UNIQUE | NHRP_FLAG_NAT); /* as they came */
    vectors_close(v);
    net_end(&n);
}

/* What the node asks its caller when this packet comes. */
static nhrp_question asked_about(net *n, const char *name)
{
    size_t len;
    vectors *v = vectors_open("nhrp/vectors/frr.txt");
    const uint8_t *bytes = captured(v, name, &len);
    node *d = &n->nodes[0];
    d->answers = false;
    assert_int_equal(nhrp_engine_input(d->engine, n->now_ms, 1, NULL, bytes, len), NHRP_OK);
    net_settle(n);
    vectors_close(v);
    assert_int_equal(node_events(d, NHRP_EVENT_ASK_ROUTE), 1);
    return d->last_question;
}

static void frr_s_redirect_is_about_the_packet_that_it_quotes(void **state)
{
    (void)state;
    net n;
    frr(&n, 2, 1, 0);
    const nhrp_question q = asked_about(&n, "traffic indication for a packet that turned round");
    const nhrp_addr source = ip4(10, 0, 0, 2), destination = ip4(10, 0, 0, 3);
    assert_int_equal(q.purpose, NHRP_PURPOSE_INDICATION);
    assert_int_equal(q.label_count, 0);
    assert_memory_equal(&q.source, &source, sizeof(source));
    assert_memory_equal(&q.destination, &destination, sizeof(destination));
    net_end(&n);
}

static void frr_s_request_is_for_one_host(void **state)
{
    (void)state;
    net n;
    frr(&n, 1, 2, 0);
    const nhrp_question q = asked_about(&n, "resolution request of a client that was redirected");
    const nhrp_addr requester = ip4(10, 0, 0, 2), nbma = ip4(198, 51, 100, 2);
    assert_int_equal(q.purpose, NHRP_PURPOSE_REQUEST);
    assert_memory_equal(&q.source, &requester, sizeof(requester));
    assert_memory_equal(&q.nbma, &nbma, sizeof(nbma));
    assert_memory_equal(q.destination.bytes, ((const uint8_t[]){10, 0, 0, 3}), 4);
    assert_int_equal(q.prefix.prefix_len, 32);
    net_end(&n);
}

static void frr_s_reply_registers_the_client(void **state)
{
    (void)state;
    net n;
    size_t len;
    vectors *v = vectors_open("nhrp/vectors/frr.txt");
    const uint8_t *bytes = captured(v, "registration reply of the server", &len);
    frr(&n, 2, 1, NHRP_LINK_REGISTER);
    node *client = &n.nodes[0];
    net_settle(&n);
    assert_int_equal(nhrp_engine_input(client->engine, n.now_ms, 1, NULL, bytes, len), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_events(client, NHRP_EVENT_REGISTERED), 1);
    assert_int_equal(nhrp_engine_input(client->engine, n.now_ms, 1, NULL, bytes, len),
                     NHRP_ERR_UNSOLICITED);
    vectors_close(v);
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frr_s_registration_is_taken_and_answered),
        cmocka_unit_test(a_client_that_does_not_know_its_server_is_told_its_address),
        cmocka_unit_test(frr_s_redirect_is_about_the_packet_that_it_quotes),
        cmocka_unit_test(frr_s_request_is_for_one_host),
        cmocka_unit_test(frr_s_reply_registers_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
