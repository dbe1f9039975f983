/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function with each pointer NULL, lengths of zero, sizes and capacities that do not do, and
 * without memory. tests/gates/arguments.py tells whether one is left out.
 */
#include "net.h"

#include <string.h>

/*
 * Hand-made: RFC 2332 5.2.1, a Resolution Request of 172.16.1.1 for 10.2.2.102 with one CIE
 * (5.2.0.1) and an empty responder address (5.3.1); checksum left out.
 */
#define REQUEST                                                                                    \
    "00010800 00000000 00ff 003c 0000 0034 01 01 04 00"                                            \
    "04 04 0000 00000001 c0a80101 ac100101 0a020266"                                               \
    "00 20 0000 0000 0258 00 00 00 00"                                                             \
    "80030000 80000000"

static struct {
    nhrp_config cfg;
    nhrp_interface_config interface_cfg;
    nhrp_link_config link_cfg;
    nhrp_mapping_config mapping_cfg;
    nhrp_server_config server_cfg;
    nhrp_server server;
    nhrp_addr addr;
    nhrp_route route;
    nhrp_engine *engine;
    nhrp_event event;
    nhrp_output output;
    nhrp_question question;
    nhrp_mapping mapping;
    nhrp_link link;
    nhrp_counters counters;
    nhrp_packet packet;
    nhrp_cie cie;
    nhrp_extension extension;
    nhrp_label_binding binding;
    nhrp_writer writer;
    uint64_t id, it;
    size_t at, len;
    uint8_t buf[128];
} out;

/* ---- The codec. ---- */

static uint8_t request[60];
static nhrp_packet decoded;

static int packet_setup(void **state)
{
    (void)state;
    assert_int_equal(hex_bytes(REQUEST, request, sizeof(request)), sizeof(request));
    assert_int_equal(nhrp_packet_set_checksum(request, sizeof(request)), NHRP_OK);
    assert_int_equal(nhrp_packet_decode(request, sizeof(request), &decoded), NHRP_OK);
    watch(&out, sizeof(out), NULL);
    out.at = 0;
    return 0;
}

static void the_decoders_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    const size_t len = sizeof(request);
    refuses(nhrp_packet_decode(NULL, len, &out.packet));
    refuses(nhrp_packet_decode(request, len, NULL));
    answers(NHRP_ERR_TRUNCATED, nhrp_packet_decode(request, 0, &out.packet));
    accepts(nhrp_packet_decode(request, len, &out.packet));
    refuses(nhrp_packet_decode_quoted(NULL, len, &out.packet));
    refuses(nhrp_packet_decode_quoted(request, len, NULL));
    answers(NHRP_ERR_TRUNCATED, nhrp_packet_decode_quoted(request, 0, &out.packet));
    accepts(nhrp_packet_decode_quoted(request, len, &out.packet));
    refuses(nhrp_packet_set_checksum(NULL, len));
    answers(NHRP_ERR_TRUNCATED, nhrp_packet_set_checksum(request, 0));
    accepts(nhrp_packet_set_checksum(request, len));
}

static void the_iterators_refuse_null_and_stay_where_they_are(void **state)
{
    (void)state;
    nhrp_extension record = {.type = NHRP_EXTENSION_FORWARD, .kind = NHRP_KIND_FORWARD};
    record.value = decoded.cies;
    record.len = decoded.cies_len;
    refuses(nhrp_cie_next(NULL, &out.at, &out.cie));
    refuses(nhrp_cie_next(&decoded, NULL, &out.cie));
    refuses(nhrp_cie_next(&decoded, &out.at, NULL));
    refuses(nhrp_extension_next(NULL, &out.at, &out.extension));
    refuses(nhrp_extension_next(&decoded, NULL, &out.extension));
    refuses(nhrp_extension_next(&decoded, &out.at, NULL));
    refuses(nhrp_extension_next_cie(NULL, &record, &out.at, &out.cie));
    refuses(nhrp_extension_next_cie(&decoded, NULL, &out.at, &out.cie));
    refuses(nhrp_extension_next_cie(&decoded, &record, NULL, &out.cie));
    refuses(nhrp_extension_next_cie(&decoded, &record, &out.at, NULL));
    accepts(nhrp_cie_next(&decoded, &out.at, &out.cie));
    out.at = 0;
    accepts(nhrp_extension_next(&decoded, &out.at, &out.extension));
    out.at = 0;
    accepts(nhrp_extension_next_cie(&decoded, &record, &out.at, &out.cie));
}

static const nhrp_label_binding context = {
    .role = NHRP_ROLE_CONTEXT,
    .label_count = 1,
    .labels = {100},
    .prefix = {.family = NHRP_FAMILY_IPV4, .prefix_len = 24, .bytes = {10, 1, 1}}};

static int32_t encode_label(uint8_t *buf, size_t cap, size_t *len)
{
    return nhrp_label_encode(&context, 1, NHRP_OUI_DEFAULT, buf, cap, len);
}

static void the_label_functions_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    uint8_t value[64];
    nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .kind = NHRP_KIND_VENDOR, .value = value};
    const uint32_t oui = NHRP_OUI_DEFAULT;
    accepts(nhrp_label_encode(&context, 1, oui, value, sizeof(value), &x.len));
    refuses(nhrp_label_encode(NULL, 1, oui, out.buf, sizeof(out.buf), &out.len));
    refuses(nhrp_label_encode(&context, 0, oui, out.buf, sizeof(out.buf), &out.len));
    refuses(nhrp_label_encode(&context, 1, oui, NULL, sizeof(out.buf), &out.len));
    refuses(nhrp_label_encode(&context, 1, oui, out.buf, sizeof(out.buf), NULL));
    assert_int_equal(nhrp_label_encode(&context, 1, oui, out.buf, 0, &out.len), NHRP_ERR_BUFFER);
    assert_int_equal(nhrp_label_encode(&context, 1, oui, NULL, 0, &out.len), NHRP_ERR_BUFFER);
    /* docs/nhrp.md: OUI, 4C, version; a binding of 12 octets behind its two */
    assert_every_capacity(encode_label, NHRP_OK, 19);

    refuses(nhrp_label_check(NULL, oui));
    accepts(nhrp_label_check(&x, oui));
    refuses(nhrp_label_next(NULL, &out.at, &out.binding));
    refuses(nhrp_label_next(&x, NULL, &out.binding));
    refuses(nhrp_label_next(&x, &out.at, NULL));
    accepts(nhrp_label_next(&x, &out.at, &out.binding));
}

/* Each as the same call once more, whose result is the one just seen. */
static void try_all(uint8_t *b, size_t n)
{
    nhrp_packet p;
    nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .kind = NHRP_KIND_VENDOR};
    nhrp_label_binding l;
    size_t it = 0;
    (void)nhrp_packet_set_checksum(b, n);
    nhrp_rc rc = nhrp_packet_decode(b, n, &p);
    if (rc < 0)
        answers(rc, nhrp_packet_decode(b, n, &out.packet));
    rc = nhrp_packet_decode_quoted(b, n, &p);
    if (rc < 0)
        answers(rc, nhrp_packet_decode_quoted(b, n, &out.packet));
    x.value = b;
    x.len = n;
    out.at = 0;
    rc = nhrp_label_next(&x, &it, &l);
    if (rc < 0)
        answers(rc, nhrp_label_next(&x, &out.at, &out.binding));
    x.kind = NHRP_KIND_FORWARD;
    nhrp_cie cie;
    it = 0;
    rc = nhrp_extension_next_cie(&decoded, &x, &it, &cie);
    if (rc < 0)
        answers(rc, nhrp_extension_next_cie(&decoded, &x, &out.at, &out.cie));
}

static void a_decoder_that_fails_has_written_nothing(void **state)
{
    (void)state;
    static const char *const good[] = {
        REQUEST,
        /* RFC 2332 5.2.0.1: a CIE with both addresses; docs/nhrp.md: a label extension's value */
        "00 20 0000 0000 0258 04 00 04 00 c0a80109 ac100109",
        "024d50 4c 01 01 0c 01 00 0001 18 01 000641 0a0101",
    };
    static const uint8_t values[] = {0, 1, 4, 127, 255};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint8_t b[64];
        const size_t n = hex_bytes(good[i], b, sizeof(b));
        for (size_t len = 0; len <= n; len++)
            try_all(b, len);
        for (size_t at = 0; at < n * sizeof(values); at++) {
            const uint8_t was = b[at / sizeof(values)];
            b[at / sizeof(values)] = values[at % sizeof(values)];
            try_all(b, n);
            b[at / sizeof(values)] = was;
        }
    }
}

static int32_t write_request(uint8_t *buf, size_t cap, size_t *len)
{
    const nhrp_cie cie = {.prefix_len = 32, .holding_time_s = 600};
    const nhrp_extension responder = {.type = NHRP_EXTENSION_RESPONDER, .compulsory = 1};
    nhrp_writer w;
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, &decoded), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension(&w, &responder), NHRP_OK);
    return nhrp_writer_end(&w, len);
}

static void the_writer_refuses_null_and_stays_as_it_was(void **state)
{
    (void)state;
    const nhrp_cie cie = {.prefix_len = 32};
    const nhrp_extension record = {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
    nhrp_packet redirect = decoded;
    const size_t cap = sizeof(out.buf);
    refuses(nhrp_writer_begin(NULL, out.buf, cap, &decoded));
    refuses(nhrp_writer_begin(&out.writer, NULL, cap, &decoded));
    refuses(nhrp_writer_begin(&out.writer, out.buf, cap, NULL));
    accepts(nhrp_writer_begin(&out.writer, out.buf, 0, &decoded));
    accepts(nhrp_writer_begin(&out.writer, NULL, 0, &decoded));
    assert_int_equal(nhrp_writer_end(&out.writer, &out.len), NHRP_ERR_BUFFER);
    assert_int_equal(out.len, NHRP_FIXED_SIZE + 8 + 3 * 4); /* RFC 2332 5.2.0.1 */
    accepts(nhrp_writer_begin(&out.writer, out.buf, cap, &decoded));
    refuses(nhrp_writer_put_cie(NULL, &cie));
    refuses(nhrp_writer_put_cie(&out.writer, NULL));
    accepts(nhrp_writer_put_cie(&out.writer, &cie));
    refuses(nhrp_writer_put_extension(NULL, &record));
    refuses(nhrp_writer_put_extension(&out.writer, NULL));
    accepts(nhrp_writer_put_extension(&out.writer, &record));
    refuses(nhrp_writer_put_extension_cie(NULL, &cie));
    refuses(nhrp_writer_put_extension_cie(&out.writer, NULL));
    accepts(nhrp_writer_put_extension_cie(&out.writer, &cie));
    refuses(nhrp_writer_end(NULL, &out.len));
    refuses(nhrp_writer_end(&out.writer, NULL));
    accepts(nhrp_writer_end(&out.writer, &out.len));

    redirect.type = NHRP_TRAFFIC_INDICATION;
    accepts(nhrp_writer_begin(&out.writer, out.buf, cap, &redirect));
    refuses(nhrp_writer_put_contents(NULL, request, 20));
    refuses(nhrp_writer_put_contents(&out.writer, NULL, 20));
    accepts(nhrp_writer_put_contents(&out.writer, NULL, 0));
    accepts(nhrp_writer_put_contents(&out.writer, request, 0));
    accepts(nhrp_writer_put_contents(&out.writer, request, 20));
    assert_every_capacity(write_request, NHRP_OK, sizeof(request));
}

/* ---- The engine: spoke2 of the walk, which waits for a tunnel and for a route. ---- */

static net n;
static node *spoke;
static nhrp_engine *e;
static uint64_t now, mapping, ask_tunnel, ask_route;
static bool with_counters;

static void engine_state(description *d)
{
    nhrp_counters c = {.struct_size = sizeof(c)};
    if (with_counters && nhrp_engine_get_counters(e, INTERFACE, &c) == NHRP_OK)
        describe(d, &c, sizeof(c));
    describe_engine(d, e);
}

static void watch_all(void)
{
    watch(&out, sizeof(out), e ? engine_state : NULL);
    out.it = 0;
    out.mapping.struct_size = sizeof(out.mapping);
    out.server.struct_size = sizeof(out.server);
    out.link.struct_size = sizeof(out.link);
    out.counters.struct_size = sizeof(out.counters);
    out.question.struct_size = sizeof(out.question);
}

static int engine_setup(void **state)
{
    (void)state;
    const nhrp_addr host = in_vrf(ip4(10, 9, 9, 9), CUSTOMER);
    net_init(&n, 1, NULL);
    n.watch = NHRP_RESOLUTION_REQUEST;
    walk_build(&n, NULL, NULL);
    spoke = &n.nodes[2];
    spoke->tunnels = TUNNELS_SILENT;
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_run(&n, n.now_ms + 500);
    assert_int_equal(spoke->last_ask_purpose, NHRP_PURPOSE_RESPONDER);
    ask_tunnel = spoke->last_ask;
    now = n.now_ms;
    e = spoke->engine;
    assert_int_equal(nhrp_engine_resolve(e, now, &host, &mapping), NHRP_OK);
    with_counters = true;
    watch_all();
    return 0;
}

static int engine_teardown(void **state)
{
    (void)state;
    net_end(&n);
    e = NULL;
    return 0;
}

static nhrp_link_config tunnel_to(const node *peer)
{
    nhrp_link_config c;
    assert_int_equal(nhrp_link_config_init(&c), NHRP_OK);
    c.interface = INTERFACE;
    c.local_nbma = ip4(192, 168, 1, 2);
    c.local_protocol_ipv4 = ip4(172, 16, 1, 2);
    c.peer_nbma = peer ? peer->nbma : ip4(192, 168, 1, 77);
    c.peer_protocol_ipv4 = peer ? peer->tunnel : ip4(172, 16, 1, 77);
    return c;
}

static void the_defaults_refuse_null(void **state)
{
    (void)state;
    refuses(nhrp_config_init(NULL));
    accepts(nhrp_config_init(&out.cfg));
    refuses(nhrp_interface_config_init(NULL));
    accepts(nhrp_interface_config_init(&out.interface_cfg));
    refuses(nhrp_link_config_init(NULL));
    accepts(nhrp_link_config_init(&out.link_cfg));
    refuses(nhrp_mapping_config_init(NULL));
    accepts(nhrp_mapping_config_init(&out.mapping_cfg));
    refuses(nhrp_server_config_init(NULL));
    accepts(nhrp_server_config_init(&out.server_cfg));
    refuses(nhrp_route_init(NULL));
    accepts(nhrp_route_init(&out.route));
    assert_int_equal(nhrp_version() >> 16, NHRP_VERSION_MAJOR);
    assert_string_equal(nhrp_rc_name(INT32_MIN), "NHRP_UNKNOWN");
}

static void making_refuses_null_and_leaves_the_engine_as_it_was(void **state)
{
    (void)state;
    nhrp_config cfg;
    nhrp_interface_config i;
    const nhrp_link_config l = tunnel_to(NULL);
    assert_int_equal(nhrp_config_init(&cfg), NHRP_OK);
    assert_int_equal(nhrp_interface_config_init(&i), NHRP_OK);
    i.network_id = NETWORK;
    refuses(nhrp_engine_new(NULL, now, &out.engine));
    refuses(nhrp_engine_new(&cfg, now, NULL));
    refuses_sizes(nhrp_engine_new(sized(cfg), now, &out.engine));
    accepts(nhrp_engine_new(&cfg, now, &out.engine));
    nhrp_engine_free(out.engine);
    nhrp_engine_free(NULL);
    refuses(nhrp_engine_interface_add(NULL, now, 5, &i));
    refuses(nhrp_engine_interface_add(e, now, 5, NULL));
    refuses_sizes(nhrp_engine_interface_add(e, now, 5, sized(i)));
    accepts(nhrp_engine_interface_add(e, now, 5, &i));
    refuses(nhrp_engine_interface_remove(NULL, now, 5));
    accepts(nhrp_engine_interface_remove(e, now, 5));
    refuses(nhrp_engine_link_up(NULL, now, 9, &l));
    refuses(nhrp_engine_link_up(e, now, 9, NULL));
    refuses_sizes(nhrp_engine_link_up(e, now, 9, sized(l)));
    accepts(nhrp_engine_link_up(e, now, 9, &l));
    refuses(nhrp_engine_link_down(NULL, now, 9));
    accepts(nhrp_engine_link_down(e, now, 9));
    refuses(nhrp_engine_reseed(NULL, now, cfg.seed));
    refuses(nhrp_engine_reseed(e, now, NULL));
    accepts(nhrp_engine_reseed(e, now, cfg.seed));
}

/* An interface's key and a link's identity: pointer and length. */
static void a_key_or_identity_that_is_not_there_is_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[4] = {1, 2, 3, 4};
    nhrp_interface_config i;
    nhrp_link_config l = tunnel_to(NULL);
    assert_int_equal(nhrp_interface_config_init(&i), NHRP_OK);
    i.network_id = NETWORK;
    i.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
    i.key_len = sizeof(bytes);
    refuses(nhrp_engine_interface_add(e, now, 5, &i));
    i.key = bytes;
    i.key_len = 0;
    refuses(nhrp_engine_interface_add(e, now, 5, &i));
    l.identity_len = sizeof(bytes);
    refuses(nhrp_engine_link_up(e, now, 9, &l));
    l.identity = bytes;
    l.identity_len = 0;
    accepts(nhrp_engine_link_up(e, now, 9, &l));
}

static void input_refuses_null_and_leaves_the_engine_as_it_was(void **state)
{
    (void)state;
    const nhrp_addr from = ip4(192, 168, 1, 100), host = in_vrf(ip4(10, 8, 8, 8), CUSTOMER);
    const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), CUSTOMER);
    const uint32_t labels[] = {202};
    uint8_t ip[20] = {0x45, [12] = 10, 2, 2, 1, 10, 3, 3, 3};
    const size_t len = n.last_len;
    uint8_t packet[sizeof(n.last)];
    memcpy(packet, n.last, len);
    packet[27] ^= 1; /* another request id */
    assert_int_equal(nhrp_packet_set_checksum(packet, len), NHRP_OK);
    refuses(nhrp_engine_input(NULL, now, 1, &from, packet, len));
    refuses(nhrp_engine_input(e, now, 1, &from, NULL, len));
    assert_int_equal(nhrp_engine_input(e, now, 1, &from, packet, 0), NHRP_ERR_TRUNCATED);
    assert_int_equal(node_dropped(spoke, NHRP_ERR_TRUNCATED), 1);
    accepts(nhrp_engine_input(e, now, 1, NULL, packet, len)); /* its link has one peer */
    packet[27] ^= 3;
    assert_int_equal(nhrp_packet_set_checksum(packet, len), NHRP_OK);
    accepts(nhrp_engine_input(e, now, 1, &from, packet, len));

    const nhrp_link_config other = tunnel_to(NULL);
    assert_int_equal(nhrp_engine_link_up(e, now, 9, &other), NHRP_OK);
    refuses(nhrp_engine_hairpin(NULL, now, 1, 9, labels, 1, ip, sizeof(ip)));
    refuses(nhrp_engine_hairpin(e, now, 1, 9, NULL, 1, ip, sizeof(ip)));
    refuses(nhrp_engine_hairpin(e, now, 1, 9, labels, 1, NULL, sizeof(ip)));
    assert_int_equal(nhrp_engine_hairpin(e, now, 1, 9, labels, 1, ip, 0), NHRP_ERR_QUOTED);
    assert_int_equal(node_dropped(spoke, NHRP_ERR_QUOTED), 1);
    accepts(nhrp_engine_hairpin(e, now, 1, 9, labels, 1, ip, sizeof(ip)));
    ip[19] = 4; /* another flow */
    accepts(nhrp_engine_hairpin(e, now, 1, 9, labels, 0, ip, sizeof(ip)));
    ip[19] = 5;
    accepts(nhrp_engine_hairpin(e, now, 1, 9, NULL, 0, ip, sizeof(ip)));

    refuses(nhrp_engine_resolve(NULL, now, &host, &out.id));
    refuses(nhrp_engine_resolve(e, now, NULL, &out.id));
    refuses(nhrp_engine_resolve(e, now, &host, NULL));
    accepts(nhrp_engine_resolve(e, now, &host, &out.id));
    refuses(nhrp_engine_used(NULL, now, mapping));
    accepts(nhrp_engine_used(e, now, mapping));
    refuses(nhrp_engine_withdraw(NULL, now, &prefix));
    refuses(nhrp_engine_withdraw(e, now, NULL));
    accepts(nhrp_engine_withdraw(e, now, &prefix));
    refuses(nhrp_engine_remove(NULL, now, mapping));
    accepts(nhrp_engine_remove(e, now, mapping));
    refuses(nhrp_engine_timeout(NULL, now));
    accepts(nhrp_engine_timeout(e, now));
    assert_true(nhrp_engine_deadline(NULL) == NHRP_NEVER);
    assert_true(nhrp_engine_deadline(e) != NHRP_NEVER);
}

static nhrp_mapping_config fixed(uint32_t link)
{
    nhrp_mapping_config c;
    assert_int_equal(nhrp_mapping_config_init(&c), NHRP_OK);
    c.link = link;
    c.prefix = prefix4(10, 77, 0, 1, 32);
    return c;
}

static nhrp_link_config multipoint(void)
{
    nhrp_link_config c = tunnel_to(NULL);
    c.flags = NHRP_LINK_MULTIPOINT;
    memset(&c.peer_nbma, 0, sizeof(c.peer_nbma));
    return c;
}

static void the_operator_s_words_are_refused_where_null_or_unknown(void **state)
{
    (void)state;
    const nhrp_mapping_config c = fixed(1);
    refuses(nhrp_engine_mapping_add(NULL, now, &c, &out.id));
    refuses(nhrp_engine_mapping_add(e, now, NULL, &out.id));
    refuses(nhrp_engine_mapping_add(e, now, &c, NULL));
    refuses_sizes(nhrp_engine_mapping_add(e, now, sized(c), &out.id));
    accepts(nhrp_engine_mapping_add(e, now, &c, &out.id));

    nhrp_server_config s;
    assert_int_equal(nhrp_server_config_init(&s), NHRP_OK);
    s.link = 1;
    refuses(nhrp_engine_server_add(NULL, now, &s, &out.id));
    refuses(nhrp_engine_server_add(e, now, NULL, &out.id));
    refuses(nhrp_engine_server_add(e, now, &s, NULL));
    refuses_sizes(nhrp_engine_server_add(e, now, sized(s), &out.id));
    accepts(nhrp_engine_server_add(e, now, &s, &out.id));
    const uint64_t server = out.id;
    out.it = 0;
    refuses(nhrp_engine_next_server(NULL, &out.it, &out.server));
    refuses(nhrp_engine_next_server(e, NULL, &out.server));
    refuses(nhrp_engine_next_server(e, &out.it, NULL));
    refuses_sizes(nhrp_engine_next_server(e, &out.it, sized(out.server)));
    accepts(nhrp_engine_next_server(e, &out.it, &out.server));
    const nhrp_addr moved = ip4(192, 168, 1, 3);
    refuses(nhrp_engine_link_set_nbma(NULL, now, 1, &moved));
    refuses(nhrp_engine_link_set_nbma(e, now, 1, NULL));
    refuses(nhrp_engine_link_set_nbma(e, now, 1, &(nhrp_addr){.family = NHRP_FAMILY_IPV6}));
    refuses(nhrp_engine_link_set_nbma(e, now, 1, &(nhrp_addr){.family = NHRP_FAMILY_NONE}));
    accepts(nhrp_engine_link_set_nbma(e, now, 1, &moved));
    const nhrp_link_config many = multipoint();
    assert_int_equal(nhrp_engine_link_up(e, now, 9, &many), NHRP_OK);
    refuses(nhrp_engine_multicast_add(NULL, now, 9, &moved));
    refuses(nhrp_engine_multicast_add(e, now, 9, NULL));
    refuses(nhrp_engine_multicast_add(e, now, 1, &moved));
    accepts(nhrp_engine_multicast_add(e, now, 9, &moved));
    out.it = 0;
    refuses(nhrp_engine_next_multicast(NULL, 9, &out.it, &out.addr));
    refuses(nhrp_engine_next_multicast(e, 9, NULL, &out.addr));
    refuses(nhrp_engine_next_multicast(e, 9, &out.it, NULL));
    accepts(nhrp_engine_next_multicast(e, 9, &out.it, &out.addr));
    refuses(nhrp_engine_multicast_remove(NULL, now, 9, &moved));
    refuses(nhrp_engine_multicast_remove(e, now, 9, NULL));
    accepts(nhrp_engine_multicast_remove(e, now, 9, &moved));
    refuses(nhrp_engine_server_remove(NULL, now, server));
    accepts(nhrp_engine_server_remove(e, now, server));
}

static int32_t poll_output(uint8_t *buf, size_t cap, size_t *len)
{
    nhrp_output o;
    memset(&o, 0xff, sizeof(o));
    const nhrp_rc rc = nhrp_engine_poll_output(e, now, buf, cap, &o);
    *len = (size_t)o.len;
    return rc;
}

static void answers_and_polls_refuse_null_and_leave_the_engine_as_it_was(void **state)
{
    (void)state;
    nhrp_route route;
    const size_t cap = sizeof(out.buf);
    assert_int_equal(nhrp_route_init(&route), NHRP_OK);
    route.kind = NHRP_ROUTE_FORWARD;
    route.vrf = CUSTOMER;
    route.link = 1;
    route.label_count = 1;
    route.labels[0] = 1000;
    route.prefix = prefix4(10, 0, 0, 0, 8);
    refuses(nhrp_engine_poll_event(NULL, &out.event));
    refuses(nhrp_engine_poll_event(e, NULL));
    accepts(nhrp_engine_poll_event(e, &out.event));
    assert_int_equal(out.event.kind, NHRP_EVENT_ASK_ROUTE);
    ask_route = out.event.ask_id;
    refuses(nhrp_engine_answer_route(NULL, now, ask_route, &route));
    refuses(nhrp_engine_answer_route(e, now, ask_route, NULL));
    refuses_sizes(nhrp_engine_answer_route(e, now, ask_route, sized(route)));
    accepts(nhrp_engine_answer_route(e, now, ask_route, &route));
    refuses(nhrp_engine_poll_output(NULL, now, out.buf, cap, &out.output));
    refuses(nhrp_engine_poll_output(e, now, NULL, cap, &out.output));
    refuses(nhrp_engine_poll_output(e, now, out.buf, cap, NULL));
    assert_int_equal(nhrp_engine_poll_output(e, now, out.buf, 0, &out.output), NHRP_ERR_BUFFER);
    assert_every_capacity(poll_output, NHRP_YES, (size_t)out.output.len);
    refuses(nhrp_engine_answer_tunnel(NULL, now, ask_tunnel, NHRP_TUNNEL_FAILED, 0));
    accepts(nhrp_engine_answer_tunnel(e, now, ask_tunnel, NHRP_TUNNEL_FAILED, 0));
    accepts(nhrp_engine_poll_output(e, now, n.last, sizeof(n.last), &out.output));
    assert_int_equal(out.output.type, NHRP_RESOLUTION_REPLY);
}

static void the_getters_refuse_null_and_change_nothing(void **state)
{
    (void)state;
    refuses(nhrp_engine_get_question(NULL, ask_tunnel, &out.question));
    refuses(nhrp_engine_get_question(e, ask_tunnel, NULL));
    refuses_sizes(nhrp_engine_get_question(e, ask_tunnel, sized(out.question)));
    accepts(nhrp_engine_get_question(e, ask_tunnel, &out.question));
    refuses(nhrp_engine_get_mapping(NULL, mapping, &out.mapping));
    refuses(nhrp_engine_get_mapping(e, mapping, NULL));
    refuses_sizes(nhrp_engine_get_mapping(e, mapping, sized(out.mapping)));
    accepts(nhrp_engine_get_mapping(e, mapping, &out.mapping));
    refuses(nhrp_engine_next_mapping(NULL, &out.it, &out.mapping));
    refuses(nhrp_engine_next_mapping(e, NULL, &out.mapping));
    refuses(nhrp_engine_next_mapping(e, &out.it, NULL));
    refuses_sizes(nhrp_engine_next_mapping(e, &out.it, sized(out.mapping)));
    accepts(nhrp_engine_next_mapping(e, &out.it, &out.mapping));
    refuses(nhrp_engine_get_link(NULL, 1, &out.link));
    refuses(nhrp_engine_get_link(e, 1, NULL));
    refuses_sizes(nhrp_engine_get_link(e, 1, sized(out.link)));
    accepts(nhrp_engine_get_link(e, 1, &out.link));
    out.it = 0;
    refuses(nhrp_engine_next_link(NULL, &out.it, &out.link));
    refuses(nhrp_engine_next_link(e, NULL, &out.link));
    refuses(nhrp_engine_next_link(e, &out.it, NULL));
    refuses_sizes(nhrp_engine_next_link(e, &out.it, sized(out.link)));
    accepts(nhrp_engine_next_link(e, &out.it, &out.link));
    refuses(nhrp_engine_get_counters(NULL, INTERFACE, &out.counters));
    refuses(nhrp_engine_get_counters(e, INTERFACE, NULL));
    refuses_sizes(nhrp_engine_get_counters(e, INTERFACE, sized(out.counters)));
    accepts(nhrp_engine_get_counters(e, INTERFACE, &out.counters));
}

/* ---- Memory: the request of the walk, taken by an engine that runs out of it. ---- */

static uint8_t asked[2048];
static size_t asked_len;

static uint64_t next_ask(void)
{
    nhrp_event ev;
    assert_int_equal(nhrp_engine_poll_event(e, &ev), NHRP_YES);
    assert_true(ev.ask_id != 0);
    return ev.ask_id;
}

static void without_memory(fail_alloc *f, void *user)
{
    (void)user;
    const nhrp_addr host = in_vrf(ip4(10, 9, 9, 9), CUSTOMER);
    const uint32_t label = 202;
    uint8_t ip[20] = {0x45, [12] = 10, 2, 2, 1, 10, 3, 3, 3};
    nhrp_config cfg;
    nhrp_interface_config i;
    nhrp_link_config hub = tunnel_to(&n.nodes[0]), other = tunnel_to(NULL);
    nhrp_route route;
    assert_int_equal(nhrp_config_init(&cfg), NHRP_OK);
    assert_int_equal(nhrp_interface_config_init(&i), NHRP_OK);
    assert_int_equal(nhrp_route_init(&route), NHRP_OK);
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    i.network_id = NETWORK;
    with_counters = false;
    e = NULL;
    watch_all();
    step(NHRP_OK, nhrp_engine_new(&cfg, now, &out.engine));
    e = out.engine;
    watch_all();
    step(NHRP_OK, nhrp_engine_interface_add(e, now, INTERFACE, &i));
    step(NHRP_OK, nhrp_engine_link_up(e, now, 1, &hub));
    step(NHRP_OK, nhrp_engine_link_up(e, now, 9, &other));
    const nhrp_link_config many = multipoint();
    const nhrp_addr replica = ip4(198, 51, 100, 1);
    step(NHRP_OK, nhrp_engine_link_up(e, now, 10, &many));
    step(NHRP_OK, nhrp_engine_multicast_add(e, now, 10, &replica));
    const nhrp_mapping_config mapping_cfg = fixed(1);
    step(NHRP_OK, nhrp_engine_mapping_add(e, now, &mapping_cfg, &out.id));
    nhrp_server_config server_cfg;
    assert_int_equal(nhrp_server_config_init(&server_cfg), NHRP_OK);
    server_cfg.link = 1;
    step(NHRP_OK, nhrp_engine_server_add(e, now, &server_cfg, &out.id));
    nhrp_event up;
    assert_int_equal(nhrp_engine_poll_event(e, &up), NHRP_YES);
    step(NHRP_OK, nhrp_engine_input(e, now, 1, NULL, asked, asked_len));
    route.kind = NHRP_ROUTE_LOCAL;
    route.vrf = CUSTOMER;
    route.label_count = 1;
    route.labels[0] = 202;
    route.prefix = prefix4(10, 2, 2, 0, 24);
    const uint64_t ask_request = next_ask();
    accepts(nhrp_engine_answer_route(e, now, ask_request, &route));
    const uint64_t ask = next_ask();
    step(NHRP_OK, nhrp_engine_answer_tunnel(e, now, ask, NHRP_TUNNEL_FAILED, 0));
    step(NHRP_OK, nhrp_engine_resolve(e, now, &host, &out.id));
    (void)next_ask();
    step(NHRP_OK, nhrp_engine_hairpin(e, now, 1, 9, &label, 1, ip, sizeof(ip)));
    route.kind = NHRP_ROUTE_FORWARD;
    route.link = 1;
    route.prefix = prefix4(10, 2, 2, 0, 24);
    const uint64_t ask_redirect = next_ask();
    step(NHRP_OK, nhrp_engine_answer_route(e, now, ask_redirect, &route));
    while (nhrp_engine_poll_output(e, now, n.last, sizeof(n.last), &out.output) == NHRP_YES)
        continue;
    ends();
    nhrp_engine_free(e);
    e = NULL;
}

static void every_function_survives_the_lack_of_memory(void **state)
{
    (void)state;
    memcpy(asked, n.last, n.last_len);
    asked_len = n.last_len;
    assert_steps_survive_every_allocation_failure(without_memory, NULL);
}

#define WITH_PACKET(test) cmocka_unit_test_setup(test, packet_setup)
#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, engine_setup, engine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PACKET(the_decoders_refuse_null_and_take_no_octets),
        WITH_PACKET(the_iterators_refuse_null_and_stay_where_they_are),
        WITH_PACKET(the_label_functions_refuse_null_and_take_no_octets),
        WITH_PACKET(a_decoder_that_fails_has_written_nothing),
        WITH_PACKET(the_writer_refuses_null_and_stays_as_it_was),
        WITH_ENGINE(the_defaults_refuse_null),
        WITH_ENGINE(making_refuses_null_and_leaves_the_engine_as_it_was),
        WITH_ENGINE(a_key_or_identity_that_is_not_there_is_refused),
        WITH_ENGINE(input_refuses_null_and_leaves_the_engine_as_it_was),
        WITH_ENGINE(the_operator_s_words_are_refused_where_null_or_unknown),
        WITH_ENGINE(answers_and_polls_refuse_null_and_leave_the_engine_as_it_was),
        WITH_ENGINE(the_getters_refuse_null_and_change_nothing),
        WITH_ENGINE(every_function_survives_the_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
