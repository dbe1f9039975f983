/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each rule of what is accepted, tried by one who breaks it.
 */
#include "net.h"

#include <stdlib.h>
#include <string.h>

/* ---- Packets by hand. ---- */

typedef struct craft {
    nhrp_packet h;
    nhrp_cie cie;
    bool has_cie;
    nhrp_label_binding labels[4];
    size_t label_count;
    bool twice;              /* the label extension */
    nhrp_extension extra[3]; /* type 0: none */
    nhrp_cie record;         /* in a forward record, where its family is given */
    const uint8_t *contents;
    size_t contents_len;
} craft;

static size_t make(const craft *c, uint8_t *buf, size_t cap)
{
    nhrp_writer w;
    size_t len = 0;
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, &c->h), NHRP_OK);
    if (c->has_cie)
        assert_int_equal(nhrp_writer_put_cie(&w, &c->cie), NHRP_OK);
    if (c->contents)
        assert_int_equal(nhrp_writer_put_contents(&w, c->contents, c->contents_len), NHRP_OK);
    if (c->record.protocol.family) {
        const nhrp_extension x = {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension_cie(&w, &c->record), NHRP_OK);
    }
    for (int i = 0; c->label_count && i < (c->twice ? 2 : 1); i++) {
        uint8_t value[256];
        nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value};
        assert_int_equal(nhrp_label_encode(c->labels, c->label_count, NHRP_OUI_DEFAULT, value,
                                           sizeof(value), &x.len),
                         NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    }
    for (size_t i = 0; i < 3 && c->extra[i].type; i++)
        assert_int_equal(nhrp_writer_put_extension(&w, &c->extra[i]), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return len;
}

static nhrp_rc inject(node *d, uint32_t link, const craft *c)
{
    uint8_t buf[2048];
    const size_t len = make(c, buf, sizeof(buf));
    uint8_t *exact = malloc(len);
    memcpy(exact, buf, len);
    const nhrp_rc rc = nhrp_engine_input(d->engine, d->net->now_ms, link, NULL, exact, len);
    free(exact);
    return rc;
}

static void bind(craft *c, uint8_t role, uint32_t label, nhrp_addr prefix)
{
    nhrp_label_binding *b = &c->labels[c->label_count++];
    *b = (nhrp_label_binding){.role = role, .label_count = 1, .labels = {label}, .prefix = prefix};
}

/* The Error Indication that waits at a node, or 0. */
static uint16_t error_code(node *d)
{
    uint8_t buf[2048];
    nhrp_output out;
    nhrp_packet p;
    uint16_t code = 0;
    while (nhrp_engine_poll_output(d->engine, d->net->now_ms, buf, sizeof(buf), &out) == NHRP_YES)
        if (nhrp_packet_decode(buf, (size_t)out.len, &p) == NHRP_OK &&
            p.type == NHRP_ERROR_INDICATION)
            code = p.error_code;
    return code;
}

/* ---- Redirects at the spoke. ---- */

static uint8_t quoted[64] = {0x45, 0, 0,  84, 0, 0,   0x40, 0, 64, 1,
                             0,    0, 10, 1,  1, 101, 10,   2, 2,  102};

static craft redirect(void)
{
    craft c = {.contents = quoted, .contents_len = sizeof(quoted)};
    c.h.type = NHRP_TRAFFIC_INDICATION;
    c.h.hop_count = 255;
    c.h.source_nbma = ip4(192, 168, 1, 100);
    c.h.source_protocol = ip4(172, 16, 1, 100);
    c.h.destination_protocol = ip4(10, 1, 1, 101);
    bind(&c, NHRP_ROLE_CONTEXT, 101, prefix4(10, 1, 1, 0, 24));
    return c;
}

static void start(net *n)
{
    net_init(n, 1, NULL);
    walk_build(n, NULL, NULL);
    net_settle(n);
}

static void a_good_redirect_by_hand_is_obeyed(void **state)
{
    (void)state;
    net n;
    start(&n);
    const craft c = redirect();
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_REPEATED); /* does not ask again */
    net_run(&n, n.now_ms + 3000);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_MAPPING_UP), 1);
    net_end(&n);
}

static void assert_redirect_refused(net *n, const craft *c, nhrp_rc answer)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    assert_int_equal(inject(&n->nodes[1], 1, c), NHRP_OK);
    net_settle(n);
    assert_int_equal(n->nodes[1].last_answer, answer);
    assert_int_equal(n->sent[NHRP_RESOLUTION_REQUEST], 0);
    assert_int_equal(nhrp_engine_next_mapping(n->nodes[1].engine, &it, &m), NHRP_OK);
    assert_int_equal(node_dropped(&n->nodes[1], answer), 1);
    net_end(n);
}

static void a_redirect_whose_source_is_no_customer_of_the_vrf_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = redirect();
    uint8_t packet[64];
    memcpy(packet, quoted, sizeof(packet));
    packet[13] = 9; /* 10.9.1.101 goes by the hub */
    c.contents = packet;
    c.labels[0].prefix = prefix4(10, 9, 0, 0, 16);
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void a_redirect_for_a_destination_that_goes_another_way_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    net_connect(&n, &n.nodes[1], 9, &n.nodes[2], 9, 0);
    node_route(&n.nodes[1], CUSTOMER, prefix4(10, 2, 2, 0, 24), 9, 202);
    const craft c = redirect();
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void a_redirect_for_a_local_destination_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    node_route(&n.nodes[1], CUSTOMER, prefix4(10, 2, 2, 0, 24), 0, 131);
    const craft c = redirect();
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void a_redirect_for_a_flow_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    n.nodes[1].recent = false;
    const craft c = redirect();
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void a_redirect_with_a_label_that_is_not_ours_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = redirect();
    c.labels[0].labels[0] = 4711;
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void a_redirect_with_a_label_that_this_link_may_not_use_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    n.nodes[1].labels[0].link = 9;
    const craft c = redirect();
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void redirects_with_bad_label_extensions_are_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = redirect();
    c.twice = true;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_LABEL);
    c = redirect();
    bind(&c, NHRP_ROLE_CONTEXT, 111, prefix4(10, 1, 1, 0, 24));
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_LABEL);
    c = redirect();
    c.labels[0].role = NHRP_ROLE_RESPONDER_VPN;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_LABEL);
    c = redirect();
    c.labels[0].prefix = prefix4(10, 7, 0, 0, 16); /* not of the quoted source */
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_LABEL);
    net_end(&n);
}

/* The shape of FRR 00542bb170. */
static void a_redirect_that_quotes_a_short_or_unknown_packet_is_dropped(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = redirect();
    for (size_t len = 0; len < 20; len++) {
        c.contents_len = len;
        assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_QUOTED);
    }
    static const uint8_t versions[] = {0x05, 0x00, 0x44, 0x60, 0xf5};
    for (size_t i = 0; i < sizeof(versions); i++) {
        uint8_t packet[39];
        memcpy(packet, quoted, sizeof(packet));
        packet[0] = versions[i];
        c.contents = packet;
        c.contents_len = sizeof(packet);
        assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_QUOTED);
    }
    net_end(&n);
}

/* The shape of FRR #21182: an IPv6 packet where nothing knows IPv6. */
static void a_redirect_for_ipv6_without_an_ipv6_table_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    uint8_t packet[40] = {0x60};
    craft c = redirect();
    packet[8] = packet[24] = 0x20;
    c.contents = packet;
    c.contents_len = sizeof(packet);
    c.label_count = 0;
    assert_redirect_refused(&n, &c, NHRP_ERR_REFUSED);
}

static void a_traffic_code_other_than_redirect_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = redirect();
    c.h.traffic_code = 1;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_REFUSED);
    net_end(&n);
}

static void an_interface_without_shortcuts_obeys_no_redirect(void **state)
{
    (void)state;
    net n;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.flags &= ~(uint32_t)NHRP_INTERFACE_SHORTCUT;
    net_init(&n, 1, NULL);
    walk_build(&n, NULL, &i);
    const craft c = redirect();
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_REFUSED);
    net_end(&n);
}

/* ---- Redirects at the hub. ---- */

static void without_a_label_of_the_source_there_is_no_redirect(void **state)
{
    (void)state;
    net n;
    start(&n);
    assert_int_equal(hub_hairpin(&n.nodes[0], 1, 2, 1000, ip4(10, 5, 1, 1), ip4(10, 2, 2, 102)),
                     NHRP_OK);
    net_run(&n, n.now_ms + 1000);
    assert_int_equal(n.nodes[0].last_answer, NHRP_ERR_REFUSED);
    assert_int_equal(n.sent[NHRP_TRAFFIC_INDICATION], 0);
    net_end(&n);
}

static void links_of_different_networks_make_no_redirect(void **state)
{
    (void)state;
    net n;
    nhrp_interface_config i;
    nhrp_link_config l;
    start(&n);
    (void)nhrp_interface_config_init(&i);
    i.network_id = NETWORK + 1;
    assert_int_equal(nhrp_engine_interface_add(n.nodes[0].engine, n.now_ms, 2, &i), NHRP_OK);
    (void)nhrp_link_config_init(&l);
    l.interface = 2;
    l.local_nbma = ip4(192, 168, 1, 100);
    l.local_protocol_ipv4 = ip4(172, 16, 1, 100);
    l.peer_nbma = ip4(192, 168, 1, 9);
    assert_int_equal(nhrp_engine_link_up(n.nodes[0].engine, n.now_ms, 9, &l), NHRP_OK);
    assert_int_equal(hub_hairpin(&n.nodes[0], 1, 9, 1000, ip4(10, 1, 1, 101), ip4(10, 9, 2, 1)),
                     NHRP_ERR_REFUSED);
    net_end(&n);
}

static void an_unanswered_question_counts_as_no_route(void **state)
{
    (void)state;
    net n;
    start(&n);
    n.nodes[0].answers = false;
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_settle(&n);
    nhrp_question q = {.struct_size = sizeof(q)};
    const uint64_t ask = n.nodes[0].last_ask;
    assert_int_equal(nhrp_engine_get_question(n.nodes[0].engine, ask, &q), NHRP_OK);
    net_run(&n, n.now_ms + 2001);
    assert_int_equal(nhrp_engine_get_question(n.nodes[0].engine, ask, &q), NHRP_ERR_ABSENT);
    nhrp_route late;
    (void)nhrp_route_init(&late);
    assert_int_equal(nhrp_engine_answer_route(n.nodes[0].engine, n.now_ms, ask, &late),
                     NHRP_ERR_ABSENT);
    assert_int_equal(n.sent[NHRP_TRAFFIC_INDICATION], 0);
    assert_int_equal(nhrp_engine_deadline(n.nodes[0].engine), NHRP_NEVER);
    net_end(&n);
}

/* ---- Requests. ---- */

static craft request(uint8_t spoke)
{
    craft c = {.has_cie = true};
    c.h.type = NHRP_RESOLUTION_REQUEST;
    c.h.hop_count = 255;
    c.h.flags = NHRP_FLAG_ROUTER;
    c.h.request_id = 0xabcd;
    c.h.source_nbma = ip4(192, 168, 1, spoke);
    c.h.source_protocol = ip4(172, 16, 1, spoke);
    c.h.destination_protocol = ip4(10, 2, 2, 102);
    c.cie.prefix_len = 8;
    bind(&c, NHRP_ROLE_CONTEXT, 1000, prefix4(10, 0, 0, 0, 8));
    return c;
}

/* The code of the last reply that went out anywhere. */
static int reply_code(const net *n)
{
    nhrp_packet p;
    nhrp_cie cie;
    size_t it = 0;
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    assert_int_equal(p.type, NHRP_RESOLUTION_REPLY);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    return cie.code;
}

static void a_request_in_another_s_name_is_refused(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(1);
    c.h.source_protocol = ip4(172, 16, 1, 2);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_REFUSED);
    c.h.source_protocol = ip4(172, 16, 1, 100); /* the hub's own */
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LOOP);
    c = request(1);
    c.h.source_nbma = n.nodes[0].nbma;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LOOP);
    net_end(&n);
}

static void a_context_that_the_link_may_not_use_is_prohibited(void **state)
{
    (void)state;
    net n;
    start(&n);
    n.watch = NHRP_RESOLUTION_REPLY;
    craft c = request(1);
    c.labels[0].labels[0] = 5555;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(n.nodes[0].last_answer, NHRP_ERR_REFUSED);
    assert_int_equal(reply_code(&n), NHRP_CODE_PROHIBITED);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REQUEST], 0);
    net_end(&n);
}

/* Code 12 is no-binding. */
static void a_request_for_nothing_known_has_no_binding(void **state)
{
    (void)state;
    net n;
    start(&n);
    n.watch = NHRP_RESOLUTION_REPLY;
    craft c = request(1);
    c.h.destination_protocol = ip4(11, 0, 0, 1);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(reply_code(&n), NHRP_CODE_NO_BINDING);
    net_end(&n);
}

static void a_request_without_context_resolves_in_the_link_s_own_vrf_alone(void **state)
{
    (void)state;
    net n;
    nhrp_route r;
    start(&n);
    node *spoke2 = &n.nodes[2];
    spoke2->answers = false;
    n.watch = NHRP_RESOLUTION_REPLY;
    craft c = request(100);
    c.label_count = 0;
    assert_int_equal(inject(spoke2, 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(spoke2->last_question.label_count, 0);
    assert_int_equal(spoke2->last_question.vrf, GLOBAL);
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_LOCAL;
    r.vrf = CUSTOMER; /* a caller that searched */
    r.prefix = prefix4(10, 2, 2, 0, 24);
    assert_int_equal(nhrp_engine_answer_route(spoke2->engine, n.now_ms, spoke2->last_ask, &r),
                     NHRP_ERR_REFUSED);
    net_settle(&n);
    assert_int_equal(reply_code(&n), NHRP_CODE_PROHIBITED);
    net_end(&n);
}

/* RFC 2332 5.3.2; the loop error is 3. */
static void a_request_that_was_here_is_a_loop(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(1);
    c.record.protocol = ip4(172, 16, 1, 100);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LOOP);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_LOOP_DETECTED);
    net_end(&n);
}

/* RFC 2332 5.1; the shape of FRR 7c87716482. */
static void hop_count_0_is_never_forwarded_but_may_arrive(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(1);
    c.h.hop_count = 0;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    n.nodes[0].answers = true;
    nhrp_event ev;
    assert_int_equal(nhrp_engine_poll_event(n.nodes[0].engine, &ev), NHRP_YES);
    nhrp_route r;
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_FORWARD;
    r.vrf = CUSTOMER;
    r.link = 2;
    r.label_count = 1;
    r.labels[0] = 202;
    r.prefix = prefix4(10, 2, 2, 0, 24);
    assert_int_equal(nhrp_engine_answer_route(n.nodes[0].engine, n.now_ms, ev.ask_id, &r),
                     NHRP_ERR_HOP_COUNT);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_HOP_COUNT);
    assert_int_equal(node_sent(&n.nodes[0], NHRP_RESOLUTION_REQUEST), 0);
    /* At its endpoint it is answered. */
    n.watch = NHRP_RESOLUTION_REPLY;
    c = request(100);
    c.h.hop_count = 0;
    c.labels[0].labels[0] = 202;
    assert_int_equal(inject(&n.nodes[2], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(reply_code(&n), NHRP_CODE_SUCCESS);
    net_end(&n);
}

/* RFC 2332 5.3 */
static void an_unknown_compulsory_extension_is_error_1_at_the_endpoint(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(100);
    c.labels[0].labels[0] = 202;
    c.extra[0] = (nhrp_extension){.type = 0x123, .compulsory = 1};
    assert_int_equal(inject(&n.nodes[2], 1, &c), NHRP_OK);
    nhrp_event ev;
    nhrp_route r;
    assert_int_equal(nhrp_engine_poll_event(n.nodes[2].engine, &ev), NHRP_YES);
    (void)nhrp_route_init(&r);
    r.kind = NHRP_ROUTE_LOCAL;
    r.vrf = CUSTOMER;
    r.label_count = 1;
    r.labels[0] = 202;
    r.prefix = prefix4(10, 2, 2, 0, 24);
    assert_int_equal(nhrp_engine_answer_route(n.nodes[2].engine, n.now_ms, ev.ask_id, &r),
                     NHRP_ERR_COMPULSORY);
    assert_int_equal(error_code(&n.nodes[2]), NHRP_ERROR_UNRECOGNIZED_EXTENSION);
    net_end(&n);
}

/* RFC 2332 5.3 */
static void in_transit_it_is_forwarded_with_no_record_added(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_cie cie;
    size_t it = 0, records = 0, unknown = 0;
    start(&n);
    n.watch = NHRP_RESOLUTION_REQUEST;
    craft c = request(1);
    c.extra[0] = (nhrp_extension){.type = 0x123, .compulsory = 1};
    c.extra[1] = (nhrp_extension){.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(n.sent[NHRP_RESOLUTION_REQUEST], 1);
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES) {
        size_t at = 0;
        unknown += x.type == 0x123 && x.compulsory;
        while (nhrp_extension_next_cie(&p, &x, &at, &cie) == NHRP_YES)
            records++;
    }
    assert_int_equal(unknown, 1);
    assert_int_equal(records, 0);
    net_end(&n);
}

static void type_9_of_another_length_is_ignored_when_it_may_be(void **state)
{
    (void)state;
    net n;
    static const uint8_t value[3] = {1, 2, 3};
    start(&n);
    n.watch = NHRP_RESOLUTION_REPLY;
    craft c = request(100);
    c.labels[0].labels[0] = 202;
    c.extra[0] = (nhrp_extension){.type = NHRP_EXTENSION_NAT, .value = value, .len = 3};
    assert_int_equal(inject(&n.nodes[2], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(reply_code(&n), NHRP_CODE_SUCCESS);
    net_end(&n);
}

static void extensions_that_may_occur_once_are_refused_twice(void **state)
{
    (void)state;
    net n;
    static const uint8_t password[] = {0, 0, 0, 1, 'x'};
    start(&n);
    craft c = request(1);
    c.twice = true; /* more than one label extension is error 9 */
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_INVALID_EXTENSION);
    c = request(1);
    c.extra[0] = c.extra[1] = (nhrp_extension){.type = NHRP_EXTENSION_REVERSE, .compulsory = 1};
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_EXTENSION);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_INVALID_EXTENSION);
    /* Two authentication extensions are a format error. */
    c = request(1);
    c.extra[0] = c.extra[1] = (nhrp_extension){
        .type = NHRP_EXTENSION_AUTHENTICATION, .compulsory = 1, .value = password, .len = 5};
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_EXTENSION);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_PROTOCOL);
    net_end(&n);
}

static void a_special_label_is_refused(void **state)
{
    (void)state;
    net n;
    static const uint8_t explicit_null[] = {0x02, 0x4d, 0x50, 0x4c, 1, 1, 12, 1, 0, 0,
                                            1,    24,   1,    0,    0, 1, 10, 1, 1};
    start(&n);
    craft c = request(1);
    c.label_count = 0;
    c.extra[0] = (nhrp_extension){
        .type = NHRP_EXTENSION_VENDOR, .value = explicit_null, .len = sizeof(explicit_null)};
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_INVALID_EXTENSION);
    net_end(&n);
}

static void the_answer_is_no_wider_than_the_request_wants(void **state)
{
    (void)state;
    net n;
    nhrp_packet p;
    nhrp_cie cie;
    size_t it = 0;
    start(&n);
    n.watch = NHRP_RESOLUTION_REPLY;
    craft c = request(100);
    c.labels[0].labels[0] = 202;
    c.cie.prefix_len = 28;
    assert_int_equal(inject(&n.nodes[2], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_int_equal(cie.prefix_len, 28);
    /* RFC 2332 5.2.0.1: 0 equals 255, the host. */
    c.cie.prefix_len = 0;
    c.h.request_id++;
    assert_int_equal(inject(&n.nodes[2], 1, &c), NHRP_OK);
    net_settle(&n);
    it = 0;
    assert_int_equal(nhrp_packet_decode(n.last, n.last_len, &p), NHRP_OK);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_int_equal(cie.prefix_len, 32);
    net_end(&n);
}

/* The hub is another peer at another address than the requester whose tunnel is wanted. */
static void a_tunnel_that_leads_elsewhere_is_no_answer(void **state)
{
    (void)state;
    net n;
    nhrp_link_config l;
    start(&n);
    node *spoke2 = &n.nodes[2];
    spoke2->tunnels = TUNNELS_SILENT;
    const craft c = redirect();
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_run(&n, n.now_ms + 500);
    assert_int_equal(spoke2->last_ask_purpose, NHRP_PURPOSE_RESPONDER);
    const uint64_t ask = spoke2->last_ask;
    (void)nhrp_link_config_init(&l);
    l.interface = INTERFACE;
    l.local_nbma = spoke2->nbma;
    l.local_protocol_ipv4 = spoke2->tunnel;
    l.peer_nbma = ip4(192, 168, 1, 77); /* the requester's name at another address */
    l.peer_protocol_ipv4 = n.nodes[1].tunnel;
    assert_int_equal(nhrp_engine_link_up(spoke2->engine, n.now_ms, 77, &l), NHRP_OK);
    l.peer_nbma = n.nodes[1].nbma; /* its address, and another's name */
    l.peer_protocol_ipv4 = ip4(172, 16, 1, 78);
    assert_int_equal(nhrp_engine_link_up(spoke2->engine, n.now_ms, 78, &l), NHRP_OK);
    for (uint32_t link = 77; link <= 78; link++)
        assert_int_equal(
            nhrp_engine_answer_tunnel(spoke2->engine, n.now_ms, ask, NHRP_TUNNEL_UP, link),
            NHRP_ERR_ARG);
    net_end(&n);
}

static void requests_without_addresses_or_with_two_entries_are_errors(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(1);
    c.h.source_nbma.family = NHRP_FAMILY_NONE;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_FORMAT);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_PROTOCOL);
    c = request(1);
    c.cie.prefix_len = 33;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_CIE);
    net_end(&n);
}

static void a_flood_of_requests_reaches_a_limit(void **state)
{
    (void)state;
    net n;
    start(&n);
    n.nodes[0].answers = false;
    craft c = request(1);
    size_t taken = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        c.h.request_id = i;
        const nhrp_rc rc = inject(&n.nodes[0], 1, &c);
        taken += rc == NHRP_OK;
        assert_true(rc == NHRP_OK || rc == NHRP_ERR_LIMIT);
        net_settle(&n);
    }
    assert_int_equal(taken, 64); /* max_questions_per_link */
    c = request(2);
    assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_OK); /* others are still served */
    net_end(&n);
}

static void bad_packets_of_one_link_cause_few_errors(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(1);
    c.twice = true;
    for (int i = 0; i < 100; i++)
        assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    net_settle(&n);
    assert_int_equal(node_sent(&n.nodes[0], NHRP_ERROR_INDICATION), 10);
    net_run(&n, n.now_ms + 10000);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    net_settle(&n);
    assert_int_equal(node_sent(&n.nodes[0], NHRP_ERROR_INDICATION), 11);
    net_end(&n);
}

/* ---- Replies. ---- */

/* Spoke1 has asked; fills in the reply that would be right. */
static craft asked(net *n)
{
    nhrp_packet p;
    start(n);
    n->watch = NHRP_RESOLUTION_REQUEST;
    n->nodes[2].answers = false; /* nobody else replies */
    assert_int_equal(walk_packet(n), NHRP_OK);
    for (int i = 0; i < 10 && n->sent[NHRP_RESOLUTION_REQUEST] == 0; i++)
        net_run(n, n->now_ms + 5);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    craft c = {.has_cie = true};
    c.h = p;
    c.h.type = NHRP_RESOLUTION_REPLY;
    c.cie.prefix_len = 24;
    c.cie.holding_time_s = 600;
    c.cie.nbma = ip4(192, 168, 1, 2);
    c.cie.protocol = ip4(172, 16, 1, 2);
    bind(&c, NHRP_ROLE_RESPONDER_VPN, 202, prefix4(10, 2, 2, 0, 24));
    return c;
}

static void a_right_reply_by_the_request_s_link_is_taken(void **state)
{
    (void)state;
    net n;
    const craft c = asked(&n);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_REPEATED);
    net_run(&n, n.now_ms + 1000);
    assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_MAPPING_UP), 1);
    net_end(&n);
}

static void assert_unsolicited(net *n, const craft *c)
{
    nhrp_mapping m;
    assert_int_equal(inject(&n->nodes[1], 1, c), NHRP_ERR_UNSOLICITED);
    assert_int_equal(error_code(&n->nodes[1]), NHRP_ERROR_INVALID_REPLY);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_INCOMPLETE, &m)); /* it still waits */
    net_end(n);
}

/* RFC 2332 5.2.2 */
static void a_reply_with_another_request_id_is_unsolicited(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.h.request_id ^= 1;
    assert_unsolicited(&n, &c);
}

static void a_reply_with_another_source_address_is_unsolicited(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.h.source_nbma = ip4(192, 168, 1, 77);
    assert_unsolicited(&n, &c);
}

static void a_reply_for_another_destination_is_unsolicited(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.h.destination_protocol = ip4(10, 2, 2, 103);
    assert_unsolicited(&n, &c);
}

static void a_reply_of_the_other_family_is_unsolicited(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    /* The same addresses, IPv4-mapped. */
    for (int i = 0; i < 2; i++) {
        nhrp_addr *a = i ? &c.h.destination_protocol : &c.h.source_protocol;
        memcpy(a->bytes + 12, a->bytes, 4);
        memset(a->bytes, 0, 10);
        a->bytes[10] = a->bytes[11] = 0xff;
        a->family = NHRP_FAMILY_IPV6;
    }
    assert_unsolicited(&n, &c);
}

static void assert_reply_refused(net *n, uint32_t link, const craft *c, nhrp_rc why)
{
    nhrp_mapping m;
    assert_int_equal(inject(&n->nodes[1], link, c), why);
    assert_int_equal(node_dropped(&n->nodes[1], why), 1);
    net_settle(n);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_INCOMPLETE, &m));
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_MAPPING_UP), 0);
    net_end(n);
}

static void a_reply_over_a_tunnel_whose_peer_does_not_own_the_address_is_refused(void **state)
{
    (void)state;
    net n;
    const craft c = asked(&n);
    assert_non_null(net_node(&n, 66, NULL, NULL, NULL));
    net_connect(&n, &n.nodes[1], 66, &n.nodes[3], 66, 0);
    assert_reply_refused(&n, 66, &c, NHRP_ERR_REFUSED);
}

static void a_reply_over_a_tunnel_that_names_another_s_tunnel_address_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    assert_non_null(net_node(&n, 66, NULL, NULL, NULL));
    net_connect(&n, &n.nodes[1], 66, &n.nodes[3], 66, 0);
    c.cie.nbma = n.nodes[3].nbma; /* its own, but for spoke2's tunnel address */
    assert_reply_refused(&n, 66, &c, NHRP_ERR_REFUSED);
}

static void a_negative_reply_by_another_way_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    assert_non_null(net_node(&n, 66, NULL, NULL, NULL));
    net_connect(&n, &n.nodes[1], 66, &n.nodes[3], 66, 0);
    c.cie = (nhrp_cie){.code = NHRP_CODE_NO_BINDING};
    assert_reply_refused(&n, 66, &c, NHRP_ERR_REFUSED);
}

static void a_negative_reply_makes_a_negative_mapping(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    craft c = asked(&n);
    c.cie = (nhrp_cie){.code = NHRP_CODE_NO_BINDING};
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_NEGATIVE, &m));
    assert_int_equal(m.code, NHRP_CODE_NO_BINDING);
    assert_int_equal(node_event(&n.nodes[1], NHRP_EVENT_MAPPING_NEGATIVE)->code,
                     NHRP_CODE_NO_BINDING);
    net_end(&n);
}

static void a_reply_wider_than_asked_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.cie.prefix_len = 7;
    c.labels[0].prefix = prefix4(10, 0, 0, 0, 7);
    assert_reply_refused(&n, 1, &c, NHRP_ERR_REFUSED);
}

static void prefix_length_0_is_the_host_and_never_a_default_route(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    craft c = asked(&n);
    c.cie.prefix_len = 0;
    c.labels[0].prefix = prefix4(0, 0, 0, 0, 0);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_run(&n, n.now_ms + 1000);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(m.prefix.prefix_len, 32);
    net_end(&n);
}

static void a_vrf_s_reply_without_a_label_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.label_count = 0;
    assert_reply_refused(&n, 1, &c, NHRP_ERR_LABEL);
}

static void a_reply_with_a_label_for_another_prefix_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.labels[0].prefix = prefix4(10, 3, 3, 0, 24);
    assert_reply_refused(&n, 1, &c, NHRP_ERR_LABEL);
}

static void a_reply_whose_vpn_label_pushes_nothing_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.labels[0].labels[0] = NHRP_LABEL_IMPLICIT_NULL;
    assert_reply_refused(&n, 1, &c, NHRP_ERR_LABEL);
}

static void a_reply_with_two_vpn_labels_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    bind(&c, NHRP_ROLE_RESPONDER_VPN, 203, prefix4(10, 2, 2, 0, 24));
    assert_reply_refused(&n, 1, &c, NHRP_ERR_LABEL);
}

static void a_context_in_a_reply_names_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    craft c = asked(&n);
    bind(&c, NHRP_ROLE_CONTEXT, 111, prefix4(10, 1, 1, 0, 24)); /* OTHER's */
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_run(&n, n.now_ms + 1000);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(m.vrf, CUSTOMER);
    net_end(&n);
}

static void a_reply_that_names_ourselves_or_nobody_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    c.cie.nbma = n.nodes[1].nbma;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_REFUSED);
    c.cie.nbma = ip4(192, 168, 1, 2);
    c.cie.protocol = n.nodes[1].tunnel;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_REFUSED);
    c.cie.protocol.family = NHRP_FAMILY_NONE;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_CIE);
    c.cie.protocol = ip4(172, 16, 1, 2);
    c.cie.holding_time_s = 0;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_CIE);
    c.has_cie = false;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_CIE);
    net_end(&n);
}

/* RFC 2332 5.3.1, 5.3.3 */
static void a_reply_in_transit_that_was_here_is_a_loop(void **state)
{
    (void)state;
    net n;
    static const uint8_t hub_cie[20] = {0, 0, 0,   0,   0, 0,   2,   88, 4, 0,
                                        4, 0, 192, 168, 1, 100, 172, 16, 1, 100};
    craft c = asked(&n);
    for (int i = 0; i < 2; i++) {
        c.extra[0] = (nhrp_extension){.type = i ? NHRP_EXTENSION_REVERSE : NHRP_EXTENSION_RESPONDER,
                                      .compulsory = 1,
                                      .value = hub_cie,
                                      .len = sizeof(hub_cie)};
        assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_ERR_LOOP);
        assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_LOOP_DETECTED);
    }
    c.extra[0].type = 0;
    c.h.hop_count = 0;
    assert_int_equal(inject(&n.nodes[0], 2, &c), NHRP_ERR_HOP_COUNT);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_HOP_COUNT);
    net_end(&n);
}

/* ---- Errors. ---- */

static craft error_about(const net *n, const nhrp_packet *reply, uint8_t *kept)
{
    craft c = {.contents = kept, .contents_len = n->last_len};
    memcpy(kept, n->last, n->last_len);
    c.h.type = NHRP_ERROR_INDICATION;
    c.h.hop_count = 255;
    c.h.error_code = NHRP_ERROR_UNREACHABLE;
    c.h.source_nbma = ip4(192, 168, 1, 100);
    c.h.source_protocol = ip4(172, 16, 1, 100);
    c.h.destination_protocol = reply->source_protocol;
    return c;
}

static void an_error_that_quotes_a_pending_request_only_hurries_its_retry(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    uint8_t kept[2048];
    craft reply = asked(&n);
    craft c = error_about(&n, &reply.h, kept);
    net_run(&n, n.now_ms + 1500); /* two sent; the third would go at 3 s */
    assert_int_equal(node_sent(&n.nodes[1], NHRP_RESOLUTION_REQUEST), 2);
    const uint64_t before = nhrp_engine_deadline(n.nodes[1].engine);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    assert_true(nhrp_engine_deadline(n.nodes[1].engine) <= before);
    for (int i = 0; i < 10; i++)
        assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK); /* never later, never gone */
    assert_true(nhrp_engine_deadline(n.nodes[1].engine) >= n.now_ms + 1000);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_INCOMPLETE, &m));
    net_settle(&n);
    assert_int_equal(node_event(&n.nodes[1], NHRP_EVENT_ERROR_INDICATION)->code,
                     NHRP_ERROR_UNREACHABLE);
    assert_int_equal(node_event(&n.nodes[1], NHRP_EVENT_ERROR_INDICATION)->id, m.id);
    /* The quotation may be cut after the addresses. */
    c.contents_len = 40;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_end(&n);
}

static void an_error_that_quotes_nothing_of_ours_is_dropped(void **state)
{
    (void)state;
    net n;
    uint8_t kept[2048];
    craft reply = asked(&n);
    craft c = error_about(&n, &reply.h, kept);
    c.contents_len = 39; /* cut within the addresses (the shape of FRR beea65fe45) */
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_QUOTED);
    c.contents_len = 0;
    c.contents = NULL;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_QUOTED);
    c = error_about(&n, &reply.h, kept);
    kept[27] ^= 1; /* another request id */
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_UNSOLICITED);
    kept[27] ^= 1;
    assert_non_null(net_node(&n, 66, NULL, NULL, NULL));
    net_connect(&n, &n.nodes[1], 66, &n.nodes[3], 66, 0);
    assert_int_equal(inject(&n.nodes[1], 66, &c), NHRP_ERR_UNSOLICITED); /* not its way */
    assert_int_equal(n.sent[NHRP_ERROR_INDICATION], 0);
    net_end(&n);
}

/* RFC 2332 5.2.7; the shapes of FRR 05cd35616c and of Wireshark's recursion. */
static void an_error_never_answers_an_error(void **state)
{
    (void)state;
    net n;
    uint8_t kept[2048], inner[2048];
    craft reply = asked(&n);
    craft c = error_about(&n, &reply.h, kept);
    /* Errors in errors, to every depth that fits. */
    for (int depth = 0; depth < 20; depth++) {
        c.contents_len = make(&c, inner, sizeof(inner));
        memcpy(kept, inner, c.contents_len);
        assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_UNSOLICITED);
        assert_int_equal(error_code(&n.nodes[1]), 0);
    }
    /* In transit, with no hops left, from ourselves, to nowhere: silence. */
    c = error_about(&n, &reply.h, kept);
    c.h.destination_protocol = ip4(172, 16, 1, 2);
    c.h.source_protocol = ip4(172, 16, 1, 1);
    c.h.hop_count = 0;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_HOP_COUNT);
    c.h.hop_count = 255;
    c.h.source_protocol = ip4(172, 16, 1, 100);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LOOP);
    assert_int_equal(error_code(&n.nodes[0]), 0);
    net_end(&n);
}

/* ---- Purges. ---- */

static void a_purge_by_one_who_did_not_answer_purges_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    start(&n);
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_non_null(net_node(&n, 66, NULL, NULL, NULL));
    net_connect(&n, &n.nodes[1], 66, &n.nodes[3], 66, 0);
    craft c = {.has_cie = true};
    c.h.type = NHRP_PURGE_REQUEST;
    c.h.hop_count = 255;
    c.h.source_nbma = ip4(192, 168, 1, 2); /* forged */
    c.h.source_protocol = ip4(172, 16, 1, 2);
    c.h.destination_protocol = ip4(172, 16, 1, 1);
    c.cie.prefix_len = 24;
    c.cie.protocol = ip4(10, 2, 2, 0);
    assert_int_equal(inject(&n.nodes[1], 66, &c), NHRP_OK); /* acknowledged, as it must be */
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);  /* by the hub neither */
    net_run(&n, n.now_ms + 100);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    c.cie.protocol = ip4(10, 2, 2, 77);
    c.cie.prefix_len = 0; /* a host within what was answered, by the one who answered */
    assert_int_equal(inject(&n.nodes[1], m.link, &c), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_false(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    net_end(&n);
}

/* RFC 2332 5.2.5: N */
static void a_purge_that_wants_no_reply_gets_none(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = {.has_cie = true};
    c.h.type = NHRP_PURGE_REQUEST;
    c.h.hop_count = 255;
    c.h.flags = NHRP_FLAG_NO_REPLY;
    c.h.source_nbma = ip4(192, 168, 1, 100);
    c.h.source_protocol = ip4(172, 16, 1, 100);
    c.h.destination_protocol = ip4(172, 16, 1, 1);
    c.cie.protocol = ip4(10, 2, 2, 0);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(n.sent[NHRP_PURGE_REPLY], 0);
    c.h.flags = 0;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_run(&n, n.now_ms + 100);
    assert_int_equal(n.sent[NHRP_PURGE_REPLY], 1);
    assert_int_equal(node_dropped(&n.nodes[0], NHRP_ERR_UNSOLICITED), 1);
    net_end(&n);
}

/* ---- The send limit. ---- */

static void the_send_limit_is_kept_and_told_once(void **state)
{
    (void)state;
    net n;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    i.send_limit = 5;
    net_init(&n, 1, NULL);
    walk_build(&n, NULL, &i);
    for (uint8_t k = 0; k < 20; k++)
        assert_int_equal(hub_hairpin(&n.nodes[0], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 3, k)),
                         NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_sent(&n.nodes[0], NHRP_TRAFFIC_INDICATION), 5);
    assert_int_equal(node_dropped(&n.nodes[0], NHRP_ERR_RATE), 15);
    assert_int_equal(node_events(&n.nodes[0], NHRP_EVENT_QUOTA), 1);
    assert_int_equal(node_event(&n.nodes[0], NHRP_EVENT_QUOTA)->link, 1);
    /* The other link has a limit of its own. */
    assert_int_equal(hub_hairpin(&n.nodes[0], 2, 1, 1000, ip4(10, 2, 2, 102), ip4(10, 1, 1, 101)),
                     NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_sent(&n.nodes[0], NHRP_TRAFFIC_INDICATION), 6);
    net_run(&n, n.now_ms + 10000);
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_settle(&n);
    assert_int_equal(node_sent(&n.nodes[0], NHRP_TRAFFIC_INDICATION), 7);
    net_end(&n);
}

static void a_full_event_ring_refuses_input_before_any_change(void **state)
{
    (void)state;
    net n;
    nhrp_config c;
    (void)nhrp_config_init(&c);
    c.max_events = 16;
    net_init(&n, 1, NULL);
    assert_non_null(net_node(&n, 1, NULL, NULL, &c));
    assert_non_null(net_node(&n, 100, NULL, NULL, &c));
    net_connect(&n, &n.nodes[0], 1, &n.nodes[1], 1, 0);
    craft r = redirect();
    r.label_count = 0;
    nhrp_rc rc = NHRP_OK;
    uint8_t packet[64];
    memcpy(packet, quoted, sizeof(packet));
    r.contents = packet;
    for (int i = 0; i < 20 && rc == NHRP_OK; i++) {
        packet[19] = (uint8_t)i;
        rc = inject(&n.nodes[0], 1, &r);
    }
    assert_int_equal(rc, NHRP_ERR_LIMIT);
    nhrp_event ev;
    int events = 0;
    while (nhrp_engine_poll_event(n.nodes[0].engine, &ev) == NHRP_YES)
        events++;
    assert_int_equal(events, 13); /* 16, and 4 stay free */
    assert_int_equal(inject(&n.nodes[0], 1, &r), NHRP_OK);
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_redirect_by_hand_is_obeyed),
        cmocka_unit_test(a_redirect_whose_source_is_no_customer_of_the_vrf_is_refused),
        cmocka_unit_test(a_redirect_for_a_destination_that_goes_another_way_is_refused),
        cmocka_unit_test(a_redirect_for_a_local_destination_is_refused),
        cmocka_unit_test(a_redirect_for_a_flow_that_does_not_exist_is_refused),
        cmocka_unit_test(a_redirect_with_a_label_that_is_not_ours_is_refused),
        cmocka_unit_test(a_redirect_with_a_label_that_this_link_may_not_use_is_refused),
        cmocka_unit_test(redirects_with_bad_label_extensions_are_refused),
        cmocka_unit_test(a_redirect_that_quotes_a_short_or_unknown_packet_is_dropped),
        cmocka_unit_test(a_redirect_for_ipv6_without_an_ipv6_table_is_refused),
        cmocka_unit_test(a_traffic_code_other_than_redirect_is_refused),
        cmocka_unit_test(an_interface_without_shortcuts_obeys_no_redirect),
        cmocka_unit_test(without_a_label_of_the_source_there_is_no_redirect),
        cmocka_unit_test(links_of_different_networks_make_no_redirect),
        cmocka_unit_test(an_unanswered_question_counts_as_no_route),
        cmocka_unit_test(a_request_in_another_s_name_is_refused),
        cmocka_unit_test(a_context_that_the_link_may_not_use_is_prohibited),
        cmocka_unit_test(a_request_for_nothing_known_has_no_binding),
        cmocka_unit_test(a_request_without_context_resolves_in_the_link_s_own_vrf_alone),
        cmocka_unit_test(a_request_that_was_here_is_a_loop),
        cmocka_unit_test(hop_count_0_is_never_forwarded_but_may_arrive),
        cmocka_unit_test(an_unknown_compulsory_extension_is_error_1_at_the_endpoint),
        cmocka_unit_test(in_transit_it_is_forwarded_with_no_record_added),
        cmocka_unit_test(type_9_of_another_length_is_ignored_when_it_may_be),
        cmocka_unit_test(extensions_that_may_occur_once_are_refused_twice),
        cmocka_unit_test(a_special_label_is_refused),
        cmocka_unit_test(the_answer_is_no_wider_than_the_request_wants),
        cmocka_unit_test(a_tunnel_that_leads_elsewhere_is_no_answer),
        cmocka_unit_test(requests_without_addresses_or_with_two_entries_are_errors),
        cmocka_unit_test(a_flood_of_requests_reaches_a_limit),
        cmocka_unit_test(a_right_reply_by_the_request_s_link_is_taken),
        cmocka_unit_test(a_reply_with_another_request_id_is_unsolicited),
        cmocka_unit_test(a_reply_with_another_source_address_is_unsolicited),
        cmocka_unit_test(a_reply_for_another_destination_is_unsolicited),
        cmocka_unit_test(a_reply_of_the_other_family_is_unsolicited),
        cmocka_unit_test(a_reply_over_a_tunnel_whose_peer_does_not_own_the_address_is_refused),
        cmocka_unit_test(a_reply_over_a_tunnel_that_names_another_s_tunnel_address_is_refused),
        cmocka_unit_test(a_negative_reply_by_another_way_is_refused),
        cmocka_unit_test(a_negative_reply_makes_a_negative_mapping),
        cmocka_unit_test(a_reply_wider_than_asked_is_refused),
        cmocka_unit_test(prefix_length_0_is_the_host_and_never_a_default_route),
        cmocka_unit_test(a_vrf_s_reply_without_a_label_is_refused),
        cmocka_unit_test(a_reply_with_a_label_for_another_prefix_is_refused),
        cmocka_unit_test(a_reply_whose_vpn_label_pushes_nothing_is_refused),
        cmocka_unit_test(a_reply_with_two_vpn_labels_is_refused),
        cmocka_unit_test(bad_packets_of_one_link_cause_few_errors),
        cmocka_unit_test(a_context_in_a_reply_names_nothing),
        cmocka_unit_test(a_reply_that_names_ourselves_or_nobody_is_refused),
        cmocka_unit_test(a_reply_in_transit_that_was_here_is_a_loop),
        cmocka_unit_test(an_error_that_quotes_a_pending_request_only_hurries_its_retry),
        cmocka_unit_test(an_error_that_quotes_nothing_of_ours_is_dropped),
        cmocka_unit_test(an_error_never_answers_an_error),
        cmocka_unit_test(a_purge_by_one_who_did_not_answer_purges_nothing),
        cmocka_unit_test(a_purge_that_wants_no_reply_gets_none),
        cmocka_unit_test(the_send_limit_is_kept_and_told_once),
        cmocka_unit_test(a_full_event_ring_refuses_input_before_any_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
