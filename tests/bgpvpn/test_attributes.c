/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What peers are told: attributes by kind of session, other families, two-octet speakers.
 */
#include "rib_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What external peers are told ---- */

static bool find_sent(const lab *l, uint32_t i, bgpvpn_update *out)
{
    bool found = false;
    for (size_t at = 0; at < l->sent_len[i];) {
        const size_t len = (size_t)l->sent[i][at + 16] << 8 | l->sent[i][at + 17];
        bgpvpn_update u;
        assert_int_equal(bgpvpn_update_decode(l->sent[i] + at, len, 4, 0, &u), BGPVPN_OK);
        assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
        if (u.reach_len > 0) {
            *out = u;
            found = true;
        }
        at += len;
    }
    return found;
}

static void an_external_peer_gets_our_as_our_next_hop_and_our_label(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 65001;
    r.med = 7;
    r.extra_len = hex_bytes("c06302 abcd 806402 0000", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    bgpvpn_update u;
    size_t it = 0;
    bgpvpn_nlri n;
    assert_true(find_sent(l, 2, &u));
    assert_hex(u.as_path, u.as_path_len, "0202 0000fde8 0000fde9");
    assert_hex(u.reach_next_hop, u.reach_next_hop_len, "0000000000000000 0a000001");
    assert_int_equal(u.has >> BGPVPN_ATTR_LOCAL_PREF & 1, 0);
    assert_int_equal(u.has >> BGPVPN_ATTR_MED & 1, 0); /* RFC 4271 5.1.4 */
    assert_int_equal(bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, u.reach, u.reach_len, &it, &n),
                     BGPVPN_YES);
    assert_int_equal(n.label, 9000);
    /* RFC 4271 5: an unknown transitive attribute goes on, marked; another one does not. */
    size_t at = 0;
    bgpvpn_attribute a;
    int seen = 0;
    while (bgpvpn_attribute_next(u.attributes, u.attributes_len, &at, &a) == BGPVPN_YES) {
        assert_int_not_equal(a.type, 0x64);
        if (a.type == 0x63) {
            assert_int_equal(a.flags, 0xe0);
            assert_hex(a.value, a.len, "abcd");
            seen++;
        }
    }
    assert_int_equal(seen, 1);
    /* The internal peer: next hop and label as they came, local preference put in. */
    assert_true(find_sent(l, 0, &u));
    assert_hex(u.reach_next_hop, u.reach_next_hop_len, "0000000000000000 0a000901");
    assert_int_equal(u.local_pref, 100);
    assert_int_equal(u.has >> BGPVPN_ATTR_ORIGINATOR_ID & 1, 0);
    assert_int_equal(u.med, 7);
    assert_false(find_sent(l, 1, &u)); /* never back to where it came from */
    lab_free(l);
}

static void well_known_communities_are_obeyed(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    bgpvpn_update u;
    route r = plain(1);
    r.hops = 1;
    r.as[0] = 65001;
    r.extra_len = hex_bytes("c00804 ffffff01", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    assert_true(find_sent(l, 0, &u));
    assert_false(find_sent(l, 2, &u)); /* NO_EXPORT, RFC 1997 */
    l->sent_len[0] = 0;
    r.prefix = 2;
    r.extra_len = hex_bytes("c00804 ffffff02", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    assert_false(find_sent(l, 0, &u)); /* NO_ADVERTISE */
    r.prefix = 3;
    r.extra_len = hex_bytes("c00808 0000fde8 ffffff03", r.extra, sizeof(r.extra));
    send_route(l, 1, &r);
    assert_true(find_sent(l, 0, &u));
    assert_false(find_sent(l, 2, &u)); /* NO_EXPORT_SUBCONFED, outside a confederation */
    lab_free(l);
}

static bool find_attribute(const bgpvpn_update *u, uint8_t type, bgpvpn_attribute *out)
{
    size_t at = 0;
    while (bgpvpn_attribute_next(u->attributes, u->attributes_len, &at, out) == BGPVPN_YES)
        if (out->type == type)
            return true;
    return false;
}

/* RFC 4360 6 */
static void communities_that_are_not_transitive_stay_in_the_as(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    bgpvpn_update u;
    bgpvpn_attribute a;
    route r = plain(1);
    r.extra_len = hex_bytes("c01018 0002fde800000064 4004fde800000001 030c000000000001", r.extra,
                            sizeof(r.extra));
    send_route(l, 0, &r);
    assert_true(find_sent(l, 1, &u));
    assert_hex(u.ext_communities, u.ext_communities_len, "0002fde800000064 030c000000000001");
    /* Nothing but such: no attribute at all. */
    r.extra_len =
        hex_bytes("c01008 4004fde800000001 c01914 4002 20010db8 00000000 00000000 00000000"
                  "0001",
                  r.extra, sizeof(r.extra));
    send_route(l, 0, &r);
    assert_true(find_sent(l, 1, &u));
    assert_false(find_attribute(&u, BGPVPN_ATTR_EXTENDED_COMMUNITIES, &a));
    assert_false(find_attribute(&u, BGPVPN_ATTR_IPV6_EXT_COMMUNITIES, &a));
    lab_free(l);
    /* Within the AS they go along. */
    l = lab_new(internal, NULL, BGPVPN_NEIGHBOR_CLIENT);
    send_route(l, 0, &r);
    assert_true(find_sent(l, 1, &u));
    assert_hex(u.ext_communities, u.ext_communities_len, "4004fde800000001");
    lab_free(l);
}

/* RFC 8092 3: repeats are removed, the order stays. */
static void large_communities_are_passed_on_once_each(void **state)
{
    (void)state;
    lab *l = lab_new(mixed, NULL, 0);
    bgpvpn_update u;
    bgpvpn_attribute a;
    route r = plain(1);
    r.extra_len = hex_bytes("c02030 0000fde8 00000001 00000002 0000fde8 00000001 00000003"
                            "0000fde8 00000001 00000002 00000000 00000000 00000000",
                            r.extra, sizeof(r.extra));
    send_route(l, 0, &r);
    assert_true(find_sent(l, 1, &u));
    assert_true(find_attribute(&u, BGPVPN_ATTR_LARGE_COMMUNITIES, &a));
    assert_int_equal(a.flags, 0xc0);
    assert_hex(a.value, a.len,
               "0000fde8 00000001 00000002 0000fde8 00000001 00000003"
               "00000000 00000000 00000000");
    lab_free(l);
}

static void a_route_of_ours_carries_the_communities_that_it_was_given(void **state)
{
    (void)state;
    static const uint8_t plain_ones[] = {0xfd, 0xe8, 0, 1, 0xfd, 0xe8, 0, 2};
    static const uint8_t large[24] = {0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 0, 0, 0, 2,
                                      0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 0, 0, 0, 2};
    lab *l = lab_new(internal, NULL, 0);
    bgpvpn_vrf_config v = {.struct_size = sizeof(v), .vrf = VRF};
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = 77};
    bgpvpn_update u;
    bgpvpn_attribute a;
    (void)bgpvpn_rd_make(65000, 9, 0, v.rd);
    assert_int_equal(bgpvpn_engine_vrf_add(l->e, l->now_ms, &v), BGPVPN_OK);
    net_prefix(0x0a050000, 16, &r.prefix);
    r.communities = plain_ones;
    r.communities_len = sizeof(plain_ones);
    r.large_communities = large;
    r.large_communities_len = sizeof(large);
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &r), BGPVPN_OK);
    settle(l);
    assert_true(find_sent(l, 0, &u));
    assert_hex(u.communities, u.communities_len, "fde80001 fde80002");
    assert_true(find_attribute(&u, BGPVPN_ATTR_LARGE_COMMUNITIES, &a));
    assert_hex(a.value, a.len, "0000fde8 00000001 00000002");
    /* What cannot be a list is refused; who was compiled before there were any has none. */
    r.communities_len = 5;
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &r), BGPVPN_ERR_ARG);
    r.communities = NULL;
    r.communities_len = 4;
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &r), BGPVPN_ERR_ARG);
    r.communities_len = 0;
    r.large_communities_len = 13;
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &r), BGPVPN_ERR_ARG);
    r.struct_size = offsetof(bgpvpn_local_route, communities);
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &r), BGPVPN_OK);
    settle(l);
    assert_true(find_sent(l, 0, &u));
    assert_int_equal(u.communities_len, 0);
    lab_free(l);
}

/* ---- Other families, two-octet speakers ---- */

static void two_octet_speakers_do_not_lose_large_as_numbers(void **state)
{
    (void)state;
    lab *l = lab_with(mixed, NULL, 0, BGPVPN_TABLE_VPNV4, BGPVPN_CAPABLE_MULTIPROTOCOL);
    /* AS_PATH 65001 AS_TRANS 64500, AS4_PATH 4200000000 64500 (RFC 6793 4.2.3). */
    feed_hex(l, 1,
             "ffffffffffffffffffffffffffffffff 0056 02 0000 003f"
             "800e20 0001800c 0000000000000000 0a000901 00 70000641 0000fde800000001 0a0101"
             "400101 00 400208 0203 fde9 5ba0 fbf4"
             "c0110a 0202 fa56ea00 0000fbf4");
    bgpvpn_path_info p = {.struct_size = sizeof(p)};
    uint64_t it = 0;
    const uint8_t *value;
    size_t len;
    assert_int_equal(bgpvpn_engine_get_next_path(l->e, &it, &p), BGPVPN_YES);
    assert_int_equal(
        bgpvpn_engine_get_attribute(l->e, p.route_id, BGPVPN_ATTR_AS_PATH, &value, &len),
        BGPVPN_OK);
    assert_hex(value, len, "0201 0000fde9 0202 fa56ea00 0000fbf4");
    assert_int_equal(
        bgpvpn_engine_get_attribute(l->e, p.route_id, BGPVPN_ATTR_AS4_PATH, &value, &len),
        BGPVPN_ERR_ABSENT);
    /* RFC 6793 4.2.2: going out to such a speaker, both again. */
    bgpvpn_update u;
    const size_t sent = (size_t)l->sent[2][16] << 8 | l->sent[2][17];
    assert_int_equal(l->sent_len[2], sent);
    assert_int_equal(bgpvpn_update_decode(l->sent[2], sent, 2, 1, &u), BGPVPN_OK);
    assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
    assert_hex(u.as_path, u.as_path_len, "0202 fde8 fde9 0202 5ba0 fbf4");
    bgpvpn_attribute a;
    size_t at = 0;
    while (bgpvpn_attribute_next(u.attributes, u.attributes_len, &at, &a) == BGPVPN_YES)
        if (a.type == BGPVPN_ATTR_AS4_PATH)
            break;
    assert_int_equal(a.type, BGPVPN_ATTR_AS4_PATH);
    assert_hex(a.value, a.len, "0202 0000fde8 0000fde9 0202 fa56ea00 0000fbf4");
    lab_free(l);
}

static void ipv4_unicast_is_reflected_in_the_plain_encoding(void **state)
{
    (void)state;
    lab *l =
        lab_with(internal, NULL, BGPVPN_NEIGHBOR_CLIENT, BGPVPN_TABLE_IPV4, BGPVPN_CAPABLE_AS4);
    feed_hex(l, 0,
             "ffffffffffffffffffffffffffffffff 0030 02 0000 0015 400101 00 400200"
             "400304 0a000901 400504 00000064"
             "180a0102");
    assert_hex(l->sent[1], l->sent_len[1],
               "ffffffffffffffffffffffffffffffff 003e 02 0000 0023 400101 00 400200"
               "400304 0a000901 400504 00000064 800904 0a000002 800a04 0a000001"
               "180a0102");
    l->sent_len[1] = 0;
    feed_hex(l, 0, "ffffffffffffffffffffffffffffffff 001b 02 0004 180a0102 0000");
    assert_hex(l->sent[1], l->sent_len[1],
               "ffffffffffffffffffffffffffffffff 001b 02 0004 180a0102 0000");
    lab_free(l);
}

static void vpnv6_takes_an_ipv4_next_hop_as_a_mapped_address(void **state)
{
    (void)state;
    lab *l =
        lab_with(internal, NULL, BGPVPN_NEIGHBOR_CLIENT, BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6,
                 BGPVPN_CAPABLE_MULTIPROTOCOL | BGPVPN_CAPABLE_AS4);
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = VRF};
    bgpvpn_route r = {.struct_size = sizeof(r)};
    bgpvpn_local_route local = {.struct_size = sizeof(local), .label = 100};
    (void)bgpvpn_rd_make(65000, 1, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    vrf.import_rts = vrf.export_rts = rt;
    vrf.import_rts_len = vrf.export_rts_len = sizeof(rt);
    assert_int_equal(bgpvpn_engine_vrf_add(l->e, l->now_ms, &vrf), BGPVPN_OK);
    local.prefix.family = BGPVPN_FAMILY_IPV6;
    local.prefix.prefix_len = 32;
    (void)hex_bytes("20010db8", local.prefix.bytes, 4);
    assert_int_equal(bgpvpn_engine_announce(l->e, l->now_ms, VRF, &local), BGPVPN_OK);
    settle(l);
    /* RFC 4659 3.2.1.2 */
    assert_hex(l->sent[0], l->sent_len[0],
               "ffffffffffffffffffffffffffffffff 0061 02 0000 004a"
               "900e002d 0002 80 18 0000000000000000 00000000000000000000ffff0a000001 00"
               "78000641 0000fde800000001 20010db8"
               "400101 00 400200 400504 00000064 c01008 0002fde800000064");
    /* And in: from peer 0, another prefix with the same next hop form. */
    feed_hex(l, 0,
             "ffffffffffffffffffffffffffffffff 0061 02 0000 004a"
             "900e002d 0002 80 18 0000000000000000 00000000000000000000ffff0a000002 00"
             "78000661 0000fde800000002 20010db9"
             "400101 00 400200 400504 00000064 c01008 0002fde800000064");
    assert_int_equal(bgpvpn_engine_poll_route(l->e, &r), BGPVPN_YES);
    assert_int_equal(r.state, BGPVPN_ROUTE_UP);
    assert_int_equal(r.label, 102);
    assert_int_equal(r.next_hop.family, BGPVPN_FAMILY_IPV4);
    assert_hex(r.next_hop.bytes, 4, "0a000002");
    assert_hex(r.prefix.bytes, 4, "20010db9");
    assert_int_equal(bgpvpn_engine_poll_route(l->e, &r), BGPVPN_OK);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_external_peer_gets_our_as_our_next_hop_and_our_label),
        cmocka_unit_test(well_known_communities_are_obeyed),
        cmocka_unit_test(communities_that_are_not_transitive_stay_in_the_as),
        cmocka_unit_test(large_communities_are_passed_on_once_each),
        cmocka_unit_test(a_route_of_ours_carries_the_communities_that_it_was_given),
        cmocka_unit_test(two_octet_speakers_do_not_lose_large_as_numbers),
        cmocka_unit_test(ipv4_unicast_is_reflected_in_the_plain_encoding),
        cmocka_unit_test(vpnv6_takes_an_ipv4_next_hop_as_a_mapped_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
