/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Registration in both roles, the server's answers out of it, and authentication.
 */
#include "net.h"

#include <string.h>

/* Node 0 is the server 172.16.1.100, node 1 the client 172.16.1.1, who registers. */
static void pair(net *n, const nhrp_interface_config *interface, fail_alloc *f, uint32_t flags)
{
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    if (interface)
        i = *interface;
    i.flags = NHRP_INTERFACE_SERVER | NHRP_INTERFACE_REDIRECT | NHRP_INTERFACE_SHORTCUT;
    if (net_node(n, 100, f, &i, NULL) && net_node(n, 1, f, &i, NULL))
        net_connect(n, &n->nodes[1], 1, &n->nodes[0], 1, NHRP_LINK_REGISTER | flags);
}

static void a_client_registers_and_is_a_mapping_of_the_server(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    nhrp_link l = {.struct_size = sizeof(l)};
    net_init(&n, 1, NULL);
    pair(&n, NULL, NULL, 0);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTERED), 1);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_UP), 1);
    assert_true(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
    const nhrp_addr host = in_vrf(prefix4(172, 16, 1, 1, 32), GLOBAL);
    assert_memory_equal(&m.prefix, &host, sizeof(host));
    assert_memory_equal(m.nbma.bytes, n.nodes[1].nbma.bytes, 4);
    assert_int_equal(m.flags & NHRP_MAPPING_AUTHORITATIVE, NHRP_MAPPING_AUTHORITATIVE);
    assert_int_equal(m.holding_time_s, 600);
    assert_int_equal(nhrp_engine_get_link(n.nodes[1].engine, 1, &l), NHRP_OK);
    assert_int_equal(l.registered, 1);
    net_end(&n);
}

/* RFC 2332 5.2.3: at a third of the holding time. */
static void it_registers_again_at_a_third_of_the_holding_time(void **state)
{
    (void)state;
    net n;
    net_init(&n, 1, NULL);
    pair(&n, NULL, NULL, 0);
    net_run(&n, n.now_ms + 199000);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 1);
    net_run(&n, n.now_ms + 2000);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 2);
    net_run(&n, n.now_ms + 1800000);
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 11);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_UP), 1);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_DOWN), 0);
    net_end(&n);
}

/* RFC 2332 5.2.0.1: retries keep the request id; the ids start from the configuration. */
static void retries_back_off_with_the_same_id_and_the_loss_is_told(void **state)
{
    (void)state;
    static const vnet_rules deaf = {.loss_ppm = 1000000}, quiet = {.delay_ms = 10};
    net n;
    nhrp_packet p;
    uint32_t first = 0;
    net_init(&n, 1, NULL);
    n.watch = NHRP_REGISTRATION_REQUEST;
    pair(&n, NULL, NULL, 0);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(p.request_id, 1);
    vnet_set_rules(n.wire, &deaf);
    net_run(&n, n.now_ms + 201000);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
        assert_int_equal(p.request_id, 2);
        first = p.request_id;
        net_run(&n, n.now_ms + 4000);
    }
    assert_int_equal(first, 2);
    net_run(&n, n.now_ms + 400000);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTRATION_LOST), 1);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_DOWN), 1); /* it expired there */
    assert_in_range(n.sent[NHRP_REGISTRATION_REQUEST], 8, 20);
    vnet_set_rules(n.wire, &quiet);
    net_run(&n, n.now_ms + 70000);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTERED), 2);
    net_end(&n);
}

static void a_link_that_goes_takes_its_registration_along(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    net_init(&n, 1, NULL);
    pair(&n, NULL, NULL, 0);
    net_run(&n, n.now_ms + 100);
    net_disconnect(&n, &n.nodes[1], 1);
    net_settle(&n);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_DOWN), 1);
    assert_false(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
    assert_int_equal(nhrp_engine_deadline(n.nodes[1].engine), NHRP_NEVER);
    net_end(&n);
}

static size_t registration(uint8_t *buf, size_t cap, nhrp_addr protocol, nhrp_addr nbma,
                           uint8_t prefix_len, uint16_t flags, uint16_t holding_time_s)
{
    nhrp_writer w;
    size_t len = 0;
    nhrp_packet h = {.type = NHRP_REGISTRATION_REQUEST, .hop_count = 255, .flags = flags};
    nhrp_cie cie = {.prefix_len = prefix_len, .holding_time_s = holding_time_s};
    h.request_id = 5;
    h.source_nbma = nbma;
    h.source_protocol = protocol;
    h.destination_protocol = ip4(172, 16, 1, 100);
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return len;
}

/* The code of the registration reply that the node has ready. */
static int reply_code(node *d, nhrp_addr *to)
{
    uint8_t buf[2048];
    nhrp_output out;
    nhrp_packet p;
    nhrp_cie cie;
    size_t it = 0;
    assert_int_equal(nhrp_engine_poll_output(d->engine, d->net->now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, &p), NHRP_OK);
    assert_int_equal(p.type, NHRP_REGISTRATION_REPLY);
    assert_int_equal(p.request_id, 5);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    if (to)
        *to = out.to;
    return cie.code;
}

static int register_at(net *n, uint32_t link, const nhrp_addr *from, nhrp_addr protocol,
                       nhrp_addr nbma, uint8_t prefix_len, uint16_t flags, uint16_t holding_time_s)
{
    uint8_t buf[256];
    const size_t len =
        registration(buf, sizeof(buf), protocol, nbma, prefix_len, flags, holding_time_s);
    assert_int_equal(nhrp_engine_input(n->nodes[0].engine, n->now_ms, link, from, buf, len),
                     NHRP_OK);
    return reply_code(&n->nodes[0], NULL);
}

static void someone_else_s_address_or_prefix_is_prohibited(void **state)
{
    (void)state;
    net n;
    net_init(&n, 1, NULL);
    pair(&n, NULL, NULL, 0);
    net_run(&n, n.now_ms + 100);
    const nhrp_addr nbma = ip4(192, 168, 1, 1);
    assert_int_equal(register_at(&n, 1, NULL, ip4(172, 16, 1, 9), nbma, 255, 0, 60),
                     NHRP_CODE_PROHIBITED);
    assert_int_equal(register_at(&n, 1, NULL, ip4(172, 16, 1, 100), nbma, 255, 0, 60),
                     NHRP_CODE_PROHIBITED);
    assert_int_equal(register_at(&n, 1, NULL, ip4(172, 16, 1, 1), nbma, 24, 0, 60),
                     NHRP_CODE_PROHIBITED);
    assert_int_equal(register_at(&n, 1, NULL, ip4(172, 16, 1, 1), nbma, 32, 0, 60),
                     NHRP_CODE_SUCCESS);
    net_end(&n);
}

static void a_node_that_is_no_server_prohibits_registrations(void **state)
{
    (void)state;
    net n;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 100, NULL, NULL, NULL));
    assert_non_null(net_node(&n, 1, NULL, NULL, NULL));
    net_connect(&n, &n.nodes[1], 1, &n.nodes[0], 1, NHRP_LINK_REGISTER);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTRATION_REFUSED), 1);
    assert_int_equal(node_event(&n.nodes[1], NHRP_EVENT_REGISTRATION_REFUSED)->code,
                     NHRP_CODE_PROHIBITED);
    net_run(&n, n.now_ms + 65000); /* and tries again */
    assert_int_equal(n.sent[NHRP_REGISTRATION_REQUEST], 2);
    net_end(&n);
}

static void a_registration_of_no_time_ends_the_one_before(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    net_init(&n, 1, NULL);
    pair(&n, NULL, NULL, 0);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(register_at(&n, 1, NULL, ip4(172, 16, 1, 1), ip4(192, 168, 1, 1), 255, 0, 0),
                     NHRP_CODE_SUCCESS);
    assert_false(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
    net_end(&n);
}

/* ---- A multipoint interface: DMVPN. ---- */

static void multipoint(net *n)
{
    nhrp_interface_config i;
    nhrp_link_config l;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER | NHRP_INTERFACE_REDIRECT;
    net_init(n, 1, NULL);
    assert_non_null(net_node(n, 100, NULL, &i, NULL));
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.flags = NHRP_LINK_MULTIPOINT;
    l.local_nbma = ip4(192, 168, 1, 100);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 100);
    assert_int_equal(nhrp_engine_link_up(n->nodes[0].engine, n->now_ms, 1, &l), NHRP_OK);
}

/* Longer or shorter: the holding time that was told last counts, from then on. */
static void a_renewed_registration_ends_when_its_last_holding_time_does(void **state)
{
    (void)state;
    static const struct {
        uint16_t renewed_s;
        uint32_t last_ms;
    } times[] = {{60, 80000}, {600, 620000}, {10, 30000}};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        net n;
        nhrp_mapping m;
        multipoint(&n);
        const uint64_t begun = n.now_ms;
        const nhrp_addr client = ip4(172, 16, 1, 5), a = ip4(198, 51, 100, 1);
        assert_int_equal(register_at(&n, 1, &a, client, a, 255, 0, 60), NHRP_CODE_SUCCESS);
        net_run(&n, begun + 20000);
        assert_int_equal(register_at(&n, 1, &a, client, a, 255, 0, times[i].renewed_s),
                         NHRP_CODE_SUCCESS);
        net_run(&n, begun + times[i].last_ms - 1);
        assert_true(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
        net_run(&n, begun + times[i].last_ms);
        assert_false(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
        assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_UP), 1);
        assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_DOWN), 1);
        net_end(&n);
    }
}

/* The NAT keeps its binding while the client's own address changes: it is told, as any move. */
static void a_client_that_claims_another_address_has_moved(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    multipoint(&n);
    const nhrp_addr client = ip4(172, 16, 1, 5), outer = ip4(198, 51, 100, 1);
    const nhrp_addr was = ip4(192, 168, 0, 2), is = ip4(192, 168, 0, 3);
    assert_int_equal(register_at(&n, 1, &outer, client, was, 255, 0, 60), NHRP_CODE_SUCCESS);
    net_settle(&n);
    assert_int_equal(register_at(&n, 1, &outer, client, is, 255, 0, 60), NHRP_CODE_SUCCESS);
    net_settle(&n);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_UP), 2);
    assert_true(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
    assert_memory_equal(m.claimed_nbma.bytes, is.bytes, 4);
    net_end(&n);
}

/* RFC 2332 5.2.3, 5.2.4: code 14. */
static void a_unique_address_is_not_given_to_another(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    multipoint(&n);
    const nhrp_addr client = ip4(172, 16, 1, 5), a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    const uint16_t unique = NHRP_FLAG_REGISTRATION_UNIQUE;
    assert_int_equal(register_at(&n, 1, &a, client, a, 255, unique, 60), NHRP_CODE_SUCCESS);
    assert_int_equal(register_at(&n, 1, &a, client, a, 255, unique, 60), NHRP_CODE_SUCCESS);
    assert_int_equal(register_at(&n, 1, &b, client, b, 255, unique, 60),
                     NHRP_CODE_ALREADY_REGISTERED);
    assert_int_equal(register_at(&n, 1, &b, client, b, 255, 0, 60), NHRP_CODE_ALREADY_REGISTERED);
    net_settle(&n);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_DUPLICATE_ADDRESS), 2);
    assert_true(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
    assert_memory_equal(m.nbma.bytes, a.bytes, 4);
    net_end(&n);
}

static void an_address_that_is_not_unique_moves_with_its_client(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    multipoint(&n);
    const nhrp_addr client = ip4(172, 16, 1, 5), a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    assert_int_equal(register_at(&n, 1, &a, client, a, 255, 0, 60), NHRP_CODE_SUCCESS);
    net_settle(&n);
    /* Behind a NAT: it claims what it had, and comes from elsewhere. */
    assert_int_equal(register_at(&n, 1, &b, client, a, 255, 0, 60), NHRP_CODE_SUCCESS);
    net_settle(&n);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_MAPPING_UP), 2);
    assert_true(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
    assert_memory_equal(m.nbma.bytes, b.bytes, 4);
    assert_memory_equal(m.claimed_nbma.bytes, a.bytes, 4);
    assert_int_equal(m.flags & NHRP_MAPPING_NATED, NHRP_MAPPING_NATED);
    net_end(&n);
}

static size_t question(uint8_t *buf, size_t cap, nhrp_addr source, nhrp_addr nbma, nhrp_addr what,
                       uint16_t flags, uint32_t id)
{
    nhrp_writer w;
    size_t len = 0;
    nhrp_packet h = {.type = NHRP_RESOLUTION_REQUEST, .hop_count = 255, .flags = flags};
    h.request_id = id;
    h.source_nbma = nbma;
    h.source_protocol = source;
    h.destination_protocol = what;
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, &h), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return len;
}

/* RFC 2332 5.2.2: what is registered is answered by the server, with the time that is left. */
static void the_server_answers_for_its_clients_and_purges_what_it_told(void **state)
{
    (void)state;
    net n;
    uint8_t buf[512];
    nhrp_output out;
    nhrp_packet p;
    nhrp_cie cie;
    size_t it = 0;
    multipoint(&n);
    node *hub = &n.nodes[0];
    const nhrp_addr a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    assert_int_equal(register_at(&n, 1, &a, ip4(172, 16, 1, 1), a, 255, 0, 60), 0);
    assert_int_equal(register_at(&n, 1, &b, ip4(172, 16, 1, 2), b, 255, 0, 60), 0);
    net_run(&n, n.now_ms + 20000);
    size_t len = question(buf, sizeof(buf), ip4(172, 16, 1, 1), a, ip4(172, 16, 1, 2), 0, 9);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_memory_equal(out.to.bytes, a.bytes, 4);
    assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, &p), NHRP_OK);
    assert_int_equal(p.type, NHRP_RESOLUTION_REPLY);
    assert_int_equal(p.flags & NHRP_FLAG_AUTHORITATIVE, NHRP_FLAG_AUTHORITATIVE);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_int_equal(cie.code, 0);
    assert_int_equal(cie.holding_time_s, 40);
    assert_memory_equal(cie.nbma.bytes, b.bytes, 4);

    /* Code 13: a unique binding was wanted, and it is not unique. */
    len =
        question(buf, sizeof(buf), ip4(172, 16, 1, 1), a, ip4(172, 16, 1, 2), NHRP_FLAG_UNIQUE, 10);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, &p), NHRP_OK);
    it = 0;
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_int_equal(cie.code, NHRP_CODE_NOT_UNIQUE);

    /* The client moves: whoever was told of its old address is told to forget it. */
    const nhrp_addr c = ip4(198, 51, 100, 3);
    uint8_t moved[256];
    len = registration(moved, sizeof(moved), ip4(172, 16, 1, 2), c, 255, 0, 60);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &c, moved, len), NHRP_OK);
    bool purged = false;
    while (nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out) == NHRP_YES)
        if (out.type == NHRP_PURGE_REQUEST) {
            purged = true;
            assert_memory_equal(out.to.bytes, a.bytes, 4);
            assert_int_equal(nhrp_packet_decode(buf, (size_t)out.len, &p), NHRP_OK);
            it = 0;
            assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
            assert_int_equal(cie.prefix_len, 32);
            assert_int_equal(cie.protocol.bytes[3], 2);
        }
    assert_true(purged);
    net_end(&n);
}

/*
 * A request that passed other stations names a requester whose tunnel we have too. What it was told
 * of is the very client behind that tunnel: when it goes, the purge cannot go by it any more.
 */
static void a_purge_never_goes_by_the_link_that_ends(void **state)
{
    (void)state;
    static const nhrp_extension record = {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
    net n;
    nhrp_interface_config i;
    nhrp_writer w;
    nhrp_output out;
    uint8_t buf[512];
    size_t len = 0;
    bool purged = false;
    (void)nhrp_interface_config_init(&i);
    i.flags = NHRP_INTERFACE_SERVER;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 100, NULL, &i, NULL));
    assert_non_null(net_node(&n, 1, NULL, &i, NULL));
    assert_non_null(net_node(&n, 2, NULL, &i, NULL));
    node *hub = &n.nodes[0];
    net_connect(&n, hub, 1, &n.nodes[1], 1, 0);
    net_connect(&n, hub, 2, &n.nodes[2], 1, 0);
    const nhrp_addr a = n.nodes[1].nbma, client = ip4(172, 16, 1, 1);
    assert_int_equal(register_at(&n, 1, NULL, client, a, 255, 0, 600), NHRP_CODE_SUCCESS);

    const nhrp_packet h = {.type = NHRP_RESOLUTION_REQUEST,
                           .hop_count = 254,
                           .request_id = 9,
                           .source_nbma = a,
                           .source_protocol = ip4(172, 16, 1, 9),
                           .destination_protocol = client};
    const nhrp_cie passed = {.nbma = n.nodes[2].nbma, .protocol = ip4(172, 16, 1, 2)};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension(&w, &record), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension_cie(&w, &passed), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 2, NULL, buf, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_YES);
    assert_int_equal(out.type, NHRP_RESOLUTION_REPLY);

    assert_int_equal(nhrp_engine_link_down(hub->engine, n.now_ms, 1), NHRP_OK);
    while (nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out) == NHRP_YES) {
        assert_int_equal(out.type, NHRP_PURGE_REQUEST);
        assert_int_equal(out.link, 2);
        purged = true;
    }
    assert_true(purged);
    net_end(&n);
}

static void nobody_registers_the_server_s_own_address(void **state)
{
    (void)state;
    net n;
    multipoint(&n);
    const nhrp_addr a = ip4(198, 51, 100, 1);
    assert_int_equal(register_at(&n, 1, &a, ip4(172, 16, 1, 100), a, 255, 0, 60),
                     NHRP_CODE_PROHIBITED);
    net_end(&n);
}

/* Many share a multipoint link: each purges what is its own. */
static void a_purge_from_another_address_of_the_link_purges_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    nhrp_writer w;
    uint8_t buf[256];
    size_t len = 0;
    multipoint(&n);
    node *hub = &n.nodes[0];
    const nhrp_addr client = ip4(172, 16, 1, 5), a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    assert_int_equal(register_at(&n, 1, &a, client, a, 255, 0, 60), NHRP_CODE_SUCCESS);
    const nhrp_packet h = {.type = NHRP_PURGE_REQUEST,
                           .hop_count = 255,
                           .request_id = 9,
                           .source_nbma = a,
                           .source_protocol = client,
                           .destination_protocol = ip4(172, 16, 1, 100)};
    const nhrp_cie cie = {.prefix_len = 32, .protocol = client};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &b, buf, len), NHRP_OK);
    assert_true(node_mapping(hub, NHRP_MAPPING_REGISTERED, &m));
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_OK);
    assert_false(node_mapping(hub, NHRP_MAPPING_REGISTERED, &m));
    net_end(&n);
}

static void what_has_run_out_is_not_answered_though_its_timer_is_late(void **state)
{
    (void)state;
    net n;
    uint8_t buf[512];
    nhrp_output out;
    nhrp_event ev;
    multipoint(&n);
    node *hub = &n.nodes[0];
    const nhrp_addr a = ip4(198, 51, 100, 1), b = ip4(198, 51, 100, 2);
    assert_int_equal(register_at(&n, 1, &b, ip4(172, 16, 1, 2), b, 255, 0, 60), 0);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    n.now_ms += 60000;
    const size_t len = question(buf, sizeof(buf), ip4(172, 16, 1, 1), a, ip4(172, 16, 1, 2), 0, 9);
    assert_int_equal(nhrp_engine_input(hub->engine, n.now_ms, 1, &a, buf, len), NHRP_OK);
    assert_int_equal(nhrp_engine_poll_output(hub->engine, n.now_ms, buf, sizeof(buf), &out),
                     NHRP_OK);
    assert_int_equal(nhrp_engine_poll_event(hub->engine, &ev), NHRP_YES);
    assert_int_equal(ev.kind, NHRP_EVENT_ASK_ROUTE);
    net_end(&n);
}

static void a_multipoint_link_needs_to_know_where_a_packet_is_from(void **state)
{
    (void)state;
    net n;
    uint8_t buf[256];
    multipoint(&n);
    const size_t len =
        registration(buf, sizeof(buf), ip4(172, 16, 1, 2), ip4(198, 51, 100, 3), 255, 0, 60);
    assert_int_equal(nhrp_engine_input(n.nodes[0].engine, n.now_ms, 1, NULL, buf, len),
                     NHRP_ERR_ARG);
    net_end(&n);
}

/* ---- Authentication. ---- */

static void authenticated(net *n, uint32_t mode, const char *here, const char *there)
{
    nhrp_interface_config i;
    static const uint8_t numbers[] = {100, 1};
    net_init(n, 1, NULL);
    for (size_t k = 0; k < 2; k++) {
        const char *key = k ? there : here;
        (void)nhrp_interface_config_init(&i);
        i.flags |= NHRP_INTERFACE_SERVER;
        i.authentication = key ? mode : NHRP_AUTHENTICATION_NONE;
        i.key = (const uint8_t *)key;
        i.key_len = key ? strlen(key) : 0;
        i.spi = 300;
        assert_non_null(net_node(n, numbers[k], NULL, &i, NULL));
    }
    n->watch = NHRP_REGISTRATION_REQUEST;
    net_connect(n, &n->nodes[1], 1, &n->nodes[0], 1, NHRP_LINK_REGISTER);
    net_run(n, n->now_ms + 100);
}

/* As deployed: type 7, compulsory, 00000001 and the password, length 4 + n. */
static void the_cleartext_password_is_written_as_deployed(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    size_t it = 0;
    authenticated(&n, NHRP_AUTHENTICATION_CLEARTEXT, "cisco", "cisco");
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTERED), 1);
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES && x.kind != NHRP_KIND_AUTHENTICATION)
        continue;
    assert_int_equal(x.compulsory, 1);
    assert_hex(x.value, x.len, "00000001 6369 73636f");
    net_end(&n);
}

static void a_wrong_or_missing_password_is_error_11(void **state)
{
    (void)state;
    static const char *const wrong[] = {"cisc", "ciscoo", "Cisco", "", NULL};
    for (size_t i = 0; i < 5; i++) {
        net n;
        nhrp_mapping m;
        if (wrong[i] && !*wrong[i])
            continue; /* not a password that an interface takes */
        authenticated(&n, NHRP_AUTHENTICATION_CLEARTEXT, "cisco", wrong[i]);
        assert_int_equal(node_dropped(&n.nodes[0], NHRP_ERR_AUTHENTICATION), 1);
        assert_int_equal(node_sent(&n.nodes[0], NHRP_ERROR_INDICATION), 1);
        assert_false(node_mapping(&n.nodes[0], NHRP_MAPPING_REGISTERED, &m));
        assert_int_equal(node_event(&n.nodes[1], NHRP_EVENT_ERROR_INDICATION)->code,
                         NHRP_ERROR_AUTHENTICATION);
        assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTERED), 0);
        net_end(&n);
    }
}

/* A password belongs to one hop; an error may travel further. */
static void an_error_does_not_quote_the_password(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    authenticated(&n, NHRP_AUTHENTICATION_CLEARTEXT, "cisco", "CISCO");
    n.watch = NHRP_ERROR_INDICATION;
    net_run(&n, n.now_ms + 2000);
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(p.error_code, NHRP_ERROR_AUTHENTICATION);
    assert_true(p.contents_len >= 40);
    for (size_t i = 0; i + 5 <= n.last_len; i++)
        assert_memory_not_equal(n.last + i, "CISCO", 5);
    net_end(&n);
}

/* The shape of FRR 6b75806cab: nothing of the value is looked at beyond its length. */
static void an_authentication_extension_of_any_length_is_safe(void **state)
{
    (void)state;
    uint8_t value[80] = {0, 0, 0, 1, 'c', 'i', 's', 'c', 'o'};
    for (uint32_t mode = 1; mode <= 2; mode++) {
        net n;
        authenticated(&n, mode, "cisco", "cisco");
        for (size_t len = 0; len <= sizeof(value); len++) {
            uint8_t buf[256];
            nhrp_writer w;
            size_t size = 0;
            nhrp_packet h = {.type = NHRP_PURGE_REPLY, .hop_count = 1};
            const nhrp_extension x = {.type = NHRP_EXTENSION_AUTHENTICATION,
                                      .compulsory = 1,
                                      .value = len ? value : NULL,
                                      .len = len};
            h.source_protocol = ip4(172, 16, 1, 100);
            h.destination_protocol = ip4(172, 16, 1, 1);
            assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
            assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
            assert_int_equal(nhrp_writer_end(&w, &size), NHRP_OK);
            const nhrp_rc rc = nhrp_engine_input(n.nodes[0].engine, n.now_ms, 1, NULL, buf, size);
            assert_int_equal(rc, mode == 1 && len == 9 ? NHRP_ERR_UNSOLICITED
                                                       : NHRP_ERR_AUTHENTICATION);
        }
        net_end(&n);
    }
}

static void an_hmac_guards_every_octet(void **state)
{
    (void)state;
    net n;
    authenticated(&n, NHRP_AUTHENTICATION_HMAC_SHA256, "secret", "secret");
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_REGISTERED), 1);
    for (size_t i = 20; i < n.last_len; i++) {
        uint8_t buf[512];
        memcpy(buf, n.last, n.last_len);
        buf[i] ^= 1;
        assert_int_equal(nhrp_packet_set_checksum(buf, n.last_len), NHRP_OK);
        assert_true(nhrp_engine_input(n.nodes[0].engine, n.now_ms, 1, NULL, buf, n.last_len) < 0);
    }
    net_end(&n);
    authenticated(&n, NHRP_AUTHENTICATION_HMAC_SHA256, "secret", "Secret");
    assert_int_equal(node_dropped(&n.nodes[0], NHRP_ERR_AUTHENTICATION), 1);
    net_end(&n);
}

/* Made anew at each hop, also on Traffic Indications: the whole walk with a password. */
static void the_walk_goes_with_authentication_too(void **state)
{
    (void)state;
    for (uint32_t mode = 1; mode <= 2; mode++) {
        net n;
        nhrp_mapping m;
        nhrp_interface_config i;
        (void)nhrp_interface_config_init(&i);
        i.authentication = mode;
        i.key = (const uint8_t *)"secret";
        i.key_len = 6;
        i.spi = 256;
        net_init(&n, 1, NULL);
        walk_build(&n, NULL, &i);
        n.nodes[2].tunnels = TUNNELS_FAIL; /* so that the reply crosses the hub */
        assert_int_equal(walk_packet(&n), NHRP_OK);
        net_run(&n, n.now_ms + 3000);
        assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
        assert_int_equal(node_dropped(&n.nodes[0], NHRP_ERR_AUTHENTICATION), 0);
        net_end(&n);
    }
}

static void registering_with_failures(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    net_init(&n, 1, NULL);
    pair(&n, NULL, f, NHRP_LINK_UNIQUE);
    net_run(&n, n.now_ms + 500000);
    net_end(&n);
}

static void registration_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(registering_with_failures, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_registers_and_is_a_mapping_of_the_server),
        cmocka_unit_test(it_registers_again_at_a_third_of_the_holding_time),
        cmocka_unit_test(retries_back_off_with_the_same_id_and_the_loss_is_told),
        cmocka_unit_test(a_link_that_goes_takes_its_registration_along),
        cmocka_unit_test(someone_else_s_address_or_prefix_is_prohibited),
        cmocka_unit_test(a_node_that_is_no_server_prohibits_registrations),
        cmocka_unit_test(a_registration_of_no_time_ends_the_one_before),
        cmocka_unit_test(a_renewed_registration_ends_when_its_last_holding_time_does),
        cmocka_unit_test(a_client_that_claims_another_address_has_moved),
        cmocka_unit_test(a_unique_address_is_not_given_to_another),
        cmocka_unit_test(an_address_that_is_not_unique_moves_with_its_client),
        cmocka_unit_test(the_server_answers_for_its_clients_and_purges_what_it_told),
        cmocka_unit_test(a_purge_never_goes_by_the_link_that_ends),
        cmocka_unit_test(nobody_registers_the_server_s_own_address),
        cmocka_unit_test(a_purge_from_another_address_of_the_link_purges_nothing),
        cmocka_unit_test(what_has_run_out_is_not_answered_though_its_timer_is_late),
        cmocka_unit_test(a_multipoint_link_needs_to_know_where_a_packet_is_from),
        cmocka_unit_test(the_cleartext_password_is_written_as_deployed),
        cmocka_unit_test(a_wrong_or_missing_password_is_error_11),
        cmocka_unit_test(an_error_does_not_quote_the_password),
        cmocka_unit_test(an_authentication_extension_of_any_length_is_safe),
        cmocka_unit_test(an_hmac_guards_every_octet),
        cmocka_unit_test(the_walk_goes_with_authentication_too),
        cmocka_unit_test(registration_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
