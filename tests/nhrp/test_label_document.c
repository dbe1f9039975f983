/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * docs/nhrp-labels.md: its vectors, and its rules for stations. Sections named are of it.
 */
#include "craft.h"
#include "label_json.h"

#include <stdlib.h>
#include <string.h>

/* 4.3 */
static void every_vector_decodes_to_the_line_that_it_states(void **state)
{
    (void)state;
    size_t count = 0;
    vectors *v = vectors_open("nhrp/vectors/labels.txt");
    while (vectors_next(v)) {
        char *line = NULL;
        size_t size, len;
        const uint8_t *value = vectors_hex(v, "value", &len);
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        if (len)
            memcpy(exact, value, len);
        FILE *f = open_memstream(&line, &size);
        assert_non_null(f);
        label_json(f, len ? exact : NULL, len);
        fclose(f);
        if (strcmp(line, vectors_text(v, "json")) != 0)
            fail_msg("%s: %s", vectors_text(v, "name"), line);
        free(line);
        free(exact);
        count++;
    }
    vectors_close(v);
    assert_true(count > 40);
}

/* The values of our label extensions in the last packet that was watched. */
static size_t last_labels(const net *n, nhrp_extension *out, size_t cap)
{
    nhrp_packet p;
    nhrp_extension x;
    size_t it = 0, count = 0;
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES)
        if (nhrp_label_check(&x, NHRP_OUI_DEFAULT) == NHRP_YES && count < cap)
            out[count++] = x;
    return count;
}

/* A request of spoke1 to the hub with this value as its label extension, by hand. */
static craft request_with(const char *hex, uint8_t *value, size_t cap)
{
    craft c = request(1);
    c.label_count = 0;
    c.extra[0] = (nhrp_extension){
        .type = NHRP_EXTENSION_VENDOR, .value = value, .len = hex_bytes(hex, value, cap)};
    return c;
}

/* 6.3: CONTEXT is made anew; other items, other roles, their flags and TC bits are left alone. */
static void in_transit_all_but_the_context_stays_octet_for_octet(void **state)
{
    (void)state;
    net n;
    uint8_t value[128];
    nhrp_extension x;
    start(&n);
    n.watch = NHRP_RESOLUTION_REQUEST;
    const craft c = request_with("024d504c01 0702aabb 010c 63 f0 0001 18 01 00064f 0a0101"
                                 "010a 01 00 0001 08 01 003e81 0a ff00",
                                 value, sizeof(value));
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(last_labels(&n, &x, 1), 1);
    assert_hex(x.value, x.len,
               "024d504c01 0702aabb 010c 63 f0 0001 18 01 00064f 0a0101"
               "010c 01 00 0001 18 01 000ca1 0a0202 ff00");
    net_end(&n);
}

/* 6.3: sixteen bindings of four labels for an IPv6 host are 581 octets, and all go on. */
static void the_largest_extension_passes_a_transit_station(void **state)
{
    (void)state;
    net n;
    uint8_t value[1024];
    char hex[2048] = "024d504c01 010a 01 00 0001 08 01 003e81 0a";
    nhrp_extension x;
    start(&n);
    n.watch = NHRP_RESOLUTION_REQUEST;
    for (int i = 1; i < NHRP_BINDINGS_MAX; i++)
        strcat(hex, "0122 63 00 0002 80 04 000640 000640 000640 000641"
                    "20010db8000000000000000000000002");
    const craft c = request_with(hex, value, sizeof(value));
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(last_labels(&n, &x, 1), 1);
    assert_int_equal(x.len, 5 + 14 + 15 * 36);
    nhrp_label_binding b;
    size_t it = 0;
    assert_int_equal(nhrp_label_next(&x, &it, &b), NHRP_YES);
    assert_int_equal(b.labels[0], 202);
    net_end(&n);
}

/* 6.2: roles 2 and 3 in a request mean nothing; without CONTEXT the link's own VRF holds. */
static void a_request_whose_extension_has_no_context_names_none(void **state)
{
    (void)state;
    net n;
    uint8_t value[64];
    start(&n);
    const craft c = request_with("024d504c01 010c 02 00 0001 18 01 003e81 0a0202", value, 64);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(n.nodes[0].last_question.label_count, 0);
    assert_int_equal(n.nodes[0].last_question.vrf, GLOBAL);
    net_end(&n);
}

/* 6.1: whatever station it reaches, a malformed one is error 9; another version is no such thing.
 */
static void a_malformed_extension_is_error_9_in_every_request(void **state)
{
    (void)state;
    net n;
    uint8_t value[64];
    start(&n);
    craft c = request_with("024d504c01 010c 01 00 0001 18 01 003e80 0a0202", value, 64);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_INVALID_EXTENSION);
    c = request_with("024d504c02 010c 01 00 0001 18 01 003e80 0a0202", value, 64);
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_OK);
    net_end(&n);
}

/* 6.2: two CONTEXTs, or one of the other family, are error 9. */
static void a_request_has_one_context_of_its_own_family(void **state)
{
    (void)state;
    net n;
    start(&n);
    craft c = request(1);
    craft_bind(&c, NHRP_ROLE_CONTEXT, 1000, prefix4(10, 0, 0, 0, 8));
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_INVALID_EXTENSION);
    c.label_count = 1;
    memset(&c.labels[0].prefix, 0, sizeof(c.labels[0].prefix));
    c.labels[0].prefix.family = NHRP_FAMILY_IPV6;
    assert_int_equal(inject(&n.nodes[0], 1, &c), NHRP_ERR_LABEL);
    assert_int_equal(error_code(&n.nodes[0]), NHRP_ERROR_INVALID_EXTENSION);
    net_end(&n);
}

/* 6.5: the reply brings the request's extension back as it was, then one of its own. */
static void a_reply_returns_the_extension_as_it_came(void **state)
{
    (void)state;
    net n;
    uint8_t value[64];
    nhrp_extension x[2];
    start(&n);
    n.watch = NHRP_RESOLUTION_REPLY;
    craft c = request_with("024d504c01 0702aabb 010c 01 5a 0001 18 01 000caf 0a0202", value, 64);
    c.h.source_nbma = ip4(192, 168, 1, 100);
    c.h.source_protocol = ip4(172, 16, 1, 100);
    assert_int_equal(inject(&n.nodes[2], 1, &c), NHRP_OK);
    net_settle(&n);
    assert_int_equal(last_labels(&n, x, 2), 2);
    assert_hex(x[0].value, x[0].len, "024d504c01 0702aabb 010c 01 5a 0001 18 01 000caf 0a0202");
    assert_hex(x[1].value, x[1].len,
               "024d504c01 010c 02 00 0001 18 01 000ca1 0a0202"
               "010d 03 00 0001 20 01 000031 ac100102");
    net_end(&n);
}

/* 6.6: a reply is about one prefix of one VRF. */
static void a_reply_with_two_overlay_bindings_is_refused(void **state)
{
    (void)state;
    net n;
    craft c = asked(&n);
    const nhrp_addr tunnel = prefix4(172, 16, 1, 2, 32);
    craft_bind(&c, NHRP_ROLE_RESPONDER_OVERLAY, 3, tunnel);
    craft_bind(&c, NHRP_ROLE_RESPONDER_OVERLAY, 3, tunnel);
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_ERR_LABEL);
    c.label_count--;
    assert_int_equal(inject(&n.nodes[1], 1, &c), NHRP_OK);
    net_end(&n);
}

/* 6.8: a purge names the VRF by what was answered there, and names one. */
static void a_purge_with_two_vpn_bindings_purges_nothing(void **state)
{
    (void)state;
    net n;
    nhrp_mapping m;
    start(&n);
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    craft c = {.has_cie = true};
    c.h.type = NHRP_PURGE_REQUEST;
    c.h.hop_count = 255;
    c.h.source_nbma = ip4(192, 168, 1, 2);
    c.h.source_protocol = ip4(172, 16, 1, 2);
    c.h.destination_protocol = ip4(172, 16, 1, 1);
    c.cie.prefix_len = 24;
    c.cie.protocol = ip4(10, 2, 2, 0);
    craft_bind(&c, NHRP_ROLE_RESPONDER_VPN, 202, prefix4(10, 2, 2, 0, 24));
    craft_bind(&c, NHRP_ROLE_RESPONDER_VPN, 203, prefix4(10, 2, 2, 0, 24));
    assert_int_equal(inject(&n.nodes[1], m.link, &c), NHRP_ERR_LABEL);
    assert_int_equal(error_code(&n.nodes[1]), NHRP_ERROR_INVALID_EXTENSION);
    assert_true(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    c.label_count = 1;
    assert_int_equal(inject(&n.nodes[1], m.link, &c), NHRP_OK);
    net_settle(&n);
    assert_false(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_decodes_to_the_line_that_it_states),
        cmocka_unit_test(in_transit_all_but_the_context_stays_octet_for_octet),
        cmocka_unit_test(the_largest_extension_passes_a_transit_station),
        cmocka_unit_test(a_request_whose_extension_has_no_context_names_none),
        cmocka_unit_test(a_malformed_extension_is_error_9_in_every_request),
        cmocka_unit_test(a_request_has_one_context_of_its_own_family),
        cmocka_unit_test(a_reply_returns_the_extension_as_it_came),
        cmocka_unit_test(a_reply_with_two_overlay_bindings_is_refused),
        cmocka_unit_test(a_purge_with_two_vpn_bindings_purges_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
