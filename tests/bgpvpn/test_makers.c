/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What five makers' daemons really sent, byte for byte: it means to us what it meant to them.
 */
#include "harness.h"

#include <bgpvpn/bgpvpn.h>
#include <stdio.h>
#include <string.h>

static const char *const makers[] = {"frr", "gobgp", "bird", "openbgpd", "exabgp"};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

typedef void (*reader)(vectors *v, const uint8_t *msg, size_t len);

/* Calls read for all records of a kind; returns how many there are of each maker. */
static void for_each(const char *kind, reader read, int seen[MAKERS])
{
    for (int i = 0; i < MAKERS; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "bgpvpn/vectors/%s.txt", makers[i]);
        vectors *v = vectors_open(path);
        seen[i] = 0;
        while (vectors_next(v)) {
            size_t len;
            const uint8_t *msg = vectors_hex(v, "message", &len);
            if (strcmp(vectors_text(v, "kind"), kind) != 0)
                continue;
            read(v, msg, len);
            seen[i]++;
        }
        vectors_close(v);
    }
}

/* Cut short anywhere and with its length mended, an UPDATE is an error and not a crash. */
static void assert_no_part_of_it_passes(const uint8_t *msg, size_t len)
{
    uint8_t copy[BGPVPN_MESSAGE_MAX];
    bgpvpn_update u;
    for (size_t cut = BGPVPN_HEADER_LEN; cut < len; cut++) {
        memcpy(copy, msg, cut);
        copy[16] = (uint8_t)(cut >> 8);
        copy[17] = (uint8_t)cut;
        assert_true(bgpvpn_update_decode(copy, cut, 4, 0, &u) < 0);
    }
}

static void read_open(vectors *v, const uint8_t *msg, size_t len)
{
    bgpvpn_open open;
    bgpvpn_capability c;
    size_t it = 0;
    uint32_t refresh = 0, as4 = 0, families = 0;
    assert_int_equal(bgpvpn_open_decode(msg, len, &open), BGPVPN_OK);
    assert_int_equal(open.as, 65000);
    assert_int_equal(open.router_id, vectors_number(v, "router_id"));
    assert_int_equal(open.hold_time_s, vectors_number(v, "hold_time_s"));
    assert_int_equal(open.tables, BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6);
    while (bgpvpn_capability_next(&open, &it, &c) == BGPVPN_YES) {
        families += c.code == 1;
        refresh += c.code == 2;
        as4 += c.code == 65;
    }
    assert_int_equal(families, 2);
    assert_int_equal((open.capabilities & BGPVPN_CAPABLE_REFRESH) != 0, refresh);
    assert_int_equal((open.capabilities & BGPVPN_CAPABLE_AS4) != 0, as4);
    for (size_t cut = 0; cut < len; cut++)
        assert_true(bgpvpn_open_decode(msg, cut, &open) < 0);
}

static void opens_of_all_makers_are_read(void **state)
{
    (void)state;
    int seen[MAKERS];
    for_each("open", read_open, seen);
    for (int i = 0; i < MAKERS; i++)
        assert_true(seen[i] >= 1);
}

/* The route of a record, and that the UPDATE holds no other. */
static void assert_route(vectors *v, const bgpvpn_nlri *n, bool labelled)
{
    size_t len;
    const uint8_t *rd = vectors_hex(v, "rd", &len);
    assert_bytes(n->rd, sizeof(n->rd), rd, len);
    assert_int_equal(n->prefix.prefix_len, vectors_number(v, "prefix_len"));
    const uint8_t *prefix = vectors_hex(v, "prefix", &len);
    assert_bytes(n->prefix.bytes, len, prefix, len);
    if (labelled)
        assert_int_equal(n->label, vectors_number(v, "label"));
}

static void read_reach(vectors *v, const uint8_t *msg, size_t len)
{
    const uint32_t table = (uint32_t)vectors_number(v, "table");
    size_t it = 0, want_len;
    bgpvpn_update u;
    bgpvpn_nlri n;
    uint32_t end = 0;
    assert_int_equal(bgpvpn_update_decode(msg, len, 4, 0, &u), BGPVPN_OK);
    assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
    assert_int_equal(bgpvpn_update_end_of_rib(&u, &end), BGPVPN_OK);
    assert_int_equal(u.reach_safi, BGPVPN_SAFI_VPN);
    assert_int_equal(u.reach_afi, table == BGPVPN_TABLE_VPNV4 ? BGPVPN_AFI_IPV4 : BGPVPN_AFI_IPV6);
    assert_int_equal(bgpvpn_nlri_next(table, 0, u.reach, u.reach_len, &it, &n), BGPVPN_YES);
    assert_route(v, &n, true);
    assert_int_equal(bgpvpn_nlri_next(table, 0, u.reach, u.reach_len, &it, &n), BGPVPN_OK);
    /* RFC 4364 4.3.4, RFC 4659 3.2.1: an RD of zero, then the address. */
    const uint8_t *hop = vectors_hex(v, "next_hop", &want_len);
    assert_bytes(u.reach_next_hop + 8, u.reach_next_hop_len - 8, hop, want_len);
    const uint8_t *rt = vectors_hex(v, "rt", &want_len);
    assert_bytes(u.ext_communities, u.ext_communities_len, rt, want_len);
    assert_int_equal(bgpvpn_rt_check(u.ext_communities), BGPVPN_YES);
    assert_int_equal(u.local_pref, 100);
    assert_int_equal(u.as_path_len, 0);
    assert_int_equal(u.originator_id, vectors_number(v, "originator"));
    assert_int_equal(u.cluster_list_len, 4 * vectors_number(v, "clusters"));
    assert_no_part_of_it_passes(msg, len);
}

static void announcements_of_all_makers_are_read(void **state)
{
    (void)state;
    int seen[MAKERS];
    for_each("reach", read_reach, seen);
    for (int i = 0; i < MAKERS; i++)
        assert_true(seen[i] >= 2);
}

/* RFC 8277 2.4: whatever the label field of a withdrawal says. */
static void read_unreach(vectors *v, const uint8_t *msg, size_t len)
{
    const uint32_t table = (uint32_t)vectors_number(v, "table");
    size_t it = 0;
    bgpvpn_update u;
    bgpvpn_nlri n;
    uint32_t end = 0;
    uint64_t count = 0;
    assert_int_equal(bgpvpn_update_decode(msg, len, 4, 0, &u), BGPVPN_OK);
    assert_int_equal(u.treat, BGPVPN_TREAT_NORMAL);
    assert_int_equal(bgpvpn_update_end_of_rib(&u, &end), BGPVPN_OK);
    assert_int_equal(u.reach_len, 0);
    while (bgpvpn_nlri_next(table, 1, u.unreach, u.unreach_len, &it, &n) == BGPVPN_YES)
        if (count++ == 0)
            assert_route(v, &n, false);
    assert_int_equal(count, vectors_number(v, "routes"));
    assert_no_part_of_it_passes(msg, len);
}

static void withdrawals_of_all_makers_are_read_whatever_their_label(void **state)
{
    (void)state;
    int seen[MAKERS];
    for_each("unreach", read_unreach, seen);
    for (int i = 0; i < MAKERS; i++)
        assert_true(seen[i] >= 1);
}

static void read_end_of_rib(vectors *v, const uint8_t *msg, size_t len)
{
    bgpvpn_update u;
    uint32_t table = 0;
    assert_int_equal(bgpvpn_update_decode(msg, len, 4, 0, &u), BGPVPN_OK);
    assert_int_equal(bgpvpn_update_end_of_rib(&u, &table), BGPVPN_YES);
    assert_int_equal(table, vectors_number(v, "table"));
    assert_no_part_of_it_passes(msg, len);
}

/* RFC 4724 2 */
static void end_of_rib_is_read_with_a_length_of_one_octet_and_of_two(void **state)
{
    (void)state;
    int seen[MAKERS];
    for_each("eor", read_end_of_rib, seen);
    for (int i = 0; i < MAKERS; i++)
        assert_int_equal(seen[i], 2);
}

static void read_refresh(vectors *v, const uint8_t *msg, size_t len)
{
    bgpvpn_refresh r;
    assert_int_equal(bgpvpn_refresh_decode(msg, len, &r), BGPVPN_OK);
    assert_int_equal(r.subtype, vectors_number(v, "subtype"));
    assert_int_equal(r.afi, vectors_number(v, "table") == BGPVPN_TABLE_VPNV4 ? BGPVPN_AFI_IPV4
                                                                             : BGPVPN_AFI_IPV6);
    assert_int_equal(r.safi, BGPVPN_SAFI_VPN);
}

static void read_notification(vectors *v, const uint8_t *msg, size_t len)
{
    bgpvpn_notification n;
    assert_int_equal(bgpvpn_notification_decode(msg, len, &n), BGPVPN_OK);
    assert_int_equal(n.code, vectors_number(v, "code"));
    assert_int_equal(n.subcode, vectors_number(v, "subcode"));
}

static void requests_and_last_words_are_read(void **state)
{
    (void)state;
    int seen[MAKERS];
    int all = 0;
    for_each("refresh", read_refresh, seen);
    for (int i = 0; i < MAKERS; i++)
        all += seen[i];
    assert_true(all >= 8);
    for_each("notification", read_notification, seen);
    all = 0;
    for (int i = 0; i < MAKERS; i++)
        all += seen[i];
    assert_true(all >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_of_all_makers_are_read),
        cmocka_unit_test(announcements_of_all_makers_are_read),
        cmocka_unit_test(withdrawals_of_all_makers_are_read_whatever_their_label),
        cmocka_unit_test(end_of_rib_is_read_with_a_length_of_one_octet_and_of_two),
        cmocka_unit_test(requests_and_last_words_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
