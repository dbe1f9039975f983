/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What can be negotiated, what is refused and why, between two engines.
 */
#include "pair.h"

#include <stdio.h>
#include <string.h>

static const vnet_rules calm = {.delay_ms = 10};

static void open_with(pair *p, const ikev2_config cfg[2])
{
    pair_open(p, 1, &calm, cfg);
}

static void open_calm(pair *p)
{
    ikev2_config cfg[2];
    pair_configs(cfg);
    open_with(p, cfg);
}

static ikev2_counters counters(const pair *p, int i)
{
    ikev2_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(ikev2_engine_get_counters(p->n[i].e, &c), IKEV2_OK);
    return c;
}

static ikev2_child_info child_info(const pair *p, int i)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    assert_int_equal(ikev2_engine_get_child(p->n[i].e, pair_first_child(p, i), &c), IKEV2_OK);
    return c;
}

static ikev2_sa_info sa_info(const pair *p, int i)
{
    ikev2_sa_info s = {.struct_size = sizeof(s)};
    assert_int_equal(ikev2_engine_get_sa(p->n[i].e, p->n[i].sa, &s), IKEV2_OK);
    return s;
}

static void connect_as(pair *p, const ikev2_peer *initiator, const ikev2_peer *responder)
{
    uint64_t id;
    pair_profile(p, 1, responder);
    assert_int_equal(ikev2_engine_initiate(p->n[0].e, p->now, initiator, &id), IKEV2_OK);
    pair_run(p, 60000);
}

#define T(t, i, k)                                                                                 \
    {                                                                                              \
        .type = IKEV2_TRANSFORM_##t, .id = IKEV2_##i, .key_bits = (k)                              \
    }

static void every_suite_works_for_ike_and_child_and_through_rekeys(void **state)
{
    (void)state;
    static const ikev2_transform ciphers[][2] = {
        {T(ENCR, ENCR_AES_GCM_16, 128)},
        {T(ENCR, ENCR_AES_GCM_16, 256)},
        {T(ENCR, ENCR_CHACHA20_POLY1305, 0)},
        {T(ENCR, ENCR_AES_CBC, 128), T(INTEG, INTEG_HMAC_SHA2_256_128, 0)},
        {T(ENCR, ENCR_AES_CBC, 256), T(INTEG, INTEG_HMAC_SHA2_384_192, 0)},
        {T(ENCR, ENCR_AES_CBC, 256), T(INTEG, INTEG_HMAC_SHA2_512_256, 0)},
    };
    static const uint16_t groups[] = {31, 19, 20, 21, 14, 15, 16};
    for (size_t c = 0; c < 6; c++)
        for (size_t g = 0; g < 7; g++) {
            if (c != 0 && g > 1 && c != g)
                continue;
            const uint16_t prf = (uint16_t)(IKEV2_PRF_HMAC_SHA2_256 + g % 3);
            const size_t n = ciphers[c][1].type ? 2 : 1;
            ikev2_transform ike[4] = {ciphers[c][0], ciphers[c][1]};
            ikev2_transform child[4] = {ciphers[c][0], ciphers[c][1]};
            ike[n] = (ikev2_transform){.type = IKEV2_TRANSFORM_PRF, .id = prf};
            ike[n + 1] = (ikev2_transform){.type = IKEV2_TRANSFORM_GROUP, .id = groups[g]};
            child[n] = (ikev2_transform){.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_NO};
            child[n + 1] = (ikev2_transform){.type = IKEV2_TRANSFORM_GROUP, .id = groups[g]};
            pair p;
            ikev2_config cfg[2];
            pair_configs(cfg);
            for (int i = 0; i < 2; i++) {
                cfg[i].ike_transforms = ike;
                cfg[i].ike_transform_count = n + 2;
                cfg[i].child_transforms = child;
                cfg[i].child_transform_count = n + 2;
            }
            open_with(&p, cfg);
            pair_connect(&p, 0);
            pair_assert_agree(&p, 1);
            assert_int_equal(sa_info(&p, 0).group, groups[g]);
            assert_int_equal(child_info(&p, 0).group, 0); /* RFC 7296 1.2 */
            assert_int_equal(ikev2_engine_rekey_child(p.n[1].e, p.now, pair_first_child(&p, 1)), 0);
            pair_run(&p, 10000);
            pair_assert_agree(&p, 1);
            assert_int_equal(child_info(&p, 0).group, groups[g]); /* forward secrecy */
            assert_int_equal(child_info(&p, 0).esn, 0);
            assert_int_equal(ikev2_engine_rekey_ike(p.n[0].e, p.now, p.n[0].sa), 0);
            pair_run(&p, 10000);
            pair_assert_agree(&p, 1);
            pair_close(&p);
        }
}

/* RFC 7296 1.2: INVALID_KE_PAYLOAD */
static void another_group_is_tried_where_the_responder_wants_it(void **state)
{
    (void)state;
    static const ikev2_transform both[] = {T(ENCR, ENCR_AES_GCM_16, 128),
                                           T(PRF, PRF_HMAC_SHA2_256, 0), T(GROUP, GROUP_X25519, 0),
                                           T(GROUP, GROUP_P256, 0)};
    static const ikev2_transform p256[] = {T(ENCR, ENCR_AES_GCM_16, 128),
                                           T(PRF, PRF_HMAC_SHA2_256, 0), T(GROUP, GROUP_P256, 0)};
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[0].ike_transforms = both;
    cfg[0].ike_transform_count = 4;
    cfg[1].ike_transforms = p256;
    cfg[1].ike_transform_count = 3;
    open_with(&p, cfg);
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    assert_int_equal(sa_info(&p, 0).group, IKEV2_GROUP_P256);
    assert_int_equal(p.sent, 6);
    assert_int_equal(counters(&p, 1).refused, 1);
    pair_close(&p);
}

/* RFC 7296 2.6 */
static void above_the_threshold_a_cookie_is_wanted_and_returned(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].cookie_threshold = 0;
    open_with(&p, cfg);
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    assert_int_equal(p.sent, 6);
    assert_int_equal(counters(&p, 1).cookies, 1);
    pair_close(&p);
}

static void a_flood_of_half_open_sas_is_bounded(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].cookie_threshold = 1000;
    cfg[1].max_half_open = 5;
    open_with(&p, cfg);
    const ikev2_peer peer = pair_peer(&p, 0);
    uint64_t id;
    for (int i = 0; i < 20; i++)
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &peer, &id), IKEV2_OK);
    pair_run(&p, 15); /* the requests arrive, the answers do not */
    assert_int_equal(counters(&p, 1).half_open, 5);
    assert_int_equal(counters(&p, 1).limited, 15);
    pair_run(&p, 400000);
    assert_int_equal(counters(&p, 1).half_open, 0);
    assert_int_equal(counters(&p, 1).sas, 0);
    pair_close(&p);
}

/* RFC 7296 2.23, RFC 3948 */
static void behind_a_nat_everything_floats_to_port_4500(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    p.nat = true;
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    assert_int_equal(child_info(&p, 0).encapsulated, 1);
    assert_int_equal(sa_info(&p, 0).path.local.port, 4500);
    assert_int_equal(sa_info(&p, 0).path.peer.port, 4500);
    assert_int_equal(sa_info(&p, 1).path.peer.port, 14500);
    assert_int_equal(sa_info(&p, 1).path.peer.bytes[3], 99);
    assert_int_equal(sa_info(&p, 0).nat_local, 1);
    assert_int_equal(sa_info(&p, 0).nat_peer, 0);
    assert_int_equal(sa_info(&p, 1).nat_peer, 1);
    /* RFC 7296 2.23.1: each side's selectors hold the addresses that it sees. */
    assert_int_equal(child_info(&p, 0).local_ts[0].start[3], 1);
    assert_int_equal(child_info(&p, 1).peer_ts[0].start[3], 99);
    assert_int_equal(child_info(&p, 1).local_ts[0].start[3], 2);
    /* RFC 3948 4: keepalives, one byte of 0xff. */
    pair_run(&p, 60000);
    assert_int_equal(p.last_len[0], 1);
    assert_int_equal(p.last[0][0], 0xff);
    assert_int_equal(counters(&p, 1).bad_syntax, 0);
    pair_close(&p);
}

/* RFC 7296 2.23: dynamic address update */
static void when_the_nat_maps_anew_the_path_follows(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    p.nat = true;
    pair_connect(&p, 0);
    ikev2_path path = sa_info(&p, 1).path;
    p.nat_shift = 7;
    path.peer.port = 14507;
    assert_int_equal(ikev2_engine_seen(p.n[1].e, p.now, pair_first_child(&p, 1), &path), IKEV2_OK);
    assert_int_equal(sa_info(&p, 1).path.peer.port, 14507);
    pair_run(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_PATH_CHANGED, 0), 1);
    /* An authentic request does it too. */
    p.nat_shift = 9;
    assert_int_equal(ikev2_engine_rekey_child(p.n[0].e, p.now, pair_first_child(&p, 0)), 0);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    assert_int_equal(sa_info(&p, 1).path.peer.port, 14509);
    /* The one behind the NAT does not follow. */
    path = sa_info(&p, 0).path;
    path.peer.port = 4999;
    assert_int_equal(ikev2_engine_seen(p.n[0].e, p.now, pair_first_child(&p, 0), &path), IKEV2_OK);
    assert_int_equal(sa_info(&p, 0).path.peer.port, 4500);
    pair_close(&p);
}

static void forced_encapsulation_needs_no_nat(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        pair p;
        ikev2_config cfg[2];
        pair_configs(cfg);
        cfg[side].force_encapsulation = 1;
        open_with(&p, cfg);
        pair_connect(&p, 0);
        pair_assert_agree(&p, 1);
        assert_int_equal(child_info(&p, 0).encapsulated, 1);
        assert_int_equal(sa_info(&p, 1).path.local.port, 4500);
        pair_close(&p);
    }
}

/* RFC 7383 */
static void long_messages_go_in_fragments_and_come_together(void **state)
{
    (void)state;
    for (uint64_t lost = 0; lost < 10; lost++) {
        pair p;
        ikev2_config cfg[2];
        pair_configs(cfg);
        for (int i = 0; i < 2; i++)
            cfg[i].fragment_bytes = 256;
        open_with(&p, cfg);
        ikev2_addr routes[40];
        for (uint8_t i = 0; i < 40; i++)
            routes[i] =
                (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .prefix_len = 24, .bytes = {10, 1, i, 0}};
        ikev2_peer a = pair_peer(&p, 0);
        ikev2_peer b = pair_peer(&p, 1);
        a.request = IKEV2_REQUEST_SUBNETS;
        a.push_routes = b.push_routes = routes;
        a.push_route_count = b.push_route_count = 40;
        p.drop_at = lost + 2;
        connect_as(&p, &a, &b);
        pair_assert_agree(&p, 1);
        assert_true(p.sent > 10);
        assert_true(p.max_len <= 256);
        for (int i = 0; i < 2; i++) {
            const ikev2_addr *got;
            size_t count;
            assert_int_equal(ikev2_engine_get_routes(p.n[i].e, p.n[i].sa, &got, &count), 0);
            assert_int_equal(count, 40);
            assert_int_equal(got[39].bytes[2], 39);
        }
        pair_close(&p);
    }
}

/* Section 3 of the walk: CFG_REPLY from the responder, CFG_SET from the initiator. */
static void each_side_pushes_its_routes_and_keeps_to_what_it_accepts(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    const ikev2_addr of_a[] = {
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 32, .bytes = {172, 16, 1, 1}},
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 8, .bytes = {9}},
        {.family = IKEV2_FAMILY_IPV6, .prefix_len = 64, .bytes = {0x20, 1, 0xd, 0xb8}}};
    const ikev2_addr of_b[] = {
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 32, .bytes = {172, 16, 1, 2}}};
    const ikev2_addr accepted[] = {
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 16, .bytes = {172, 16}},
        {.family = IKEV2_FAMILY_IPV6, .prefix_len = 32, .bytes = {0x20, 1, 0xd, 0xb8}}};
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    a.push_routes = of_a;
    a.push_route_count = 3;
    a.request = IKEV2_REQUEST_SUBNETS | IKEV2_REQUEST_ADDRESS;
    b.push_routes = of_b;
    b.push_route_count = 1;
    b.accept_routes = accepted;
    b.accept_route_count = 2;
    b.assign_address =
        (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .prefix_len = 32, .bytes = {172, 16, 1, 77}};
    connect_as(&p, &a, &b);
    pair_assert_agree(&p, 1);
    const ikev2_addr *got;
    size_t count;
    assert_int_equal(ikev2_engine_get_routes(p.n[0].e, p.n[0].sa, &got, &count), 0);
    assert_int_equal(count, 1);
    assert_memory_equal(&got[0], &of_b[0], sizeof(got[0]));
    assert_int_equal(ikev2_engine_get_routes(p.n[1].e, p.n[1].sa, &got, &count), 0);
    assert_int_equal(count, 2);
    assert_memory_equal(&got[0], &of_a[0], sizeof(got[0]));
    assert_memory_equal(&got[1], &of_a[2], sizeof(got[0]));
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_REFUSED, IKEV2_REASON_ROUTE), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_ROUTES, 0), 1);
    assert_int_equal(sa_info(&p, 0).assigned_address.bytes[3], 77);
    /* They belong to the peer, not to one IKE SA: a rekey keeps them. */
    assert_int_equal(ikev2_engine_rekey_ike(p.n[0].e, p.now, p.n[0].sa), 0);
    pair_run(&p, 10000);
    assert_int_equal(ikev2_engine_get_routes(p.n[1].e, p.n[1].sa, &got, &count), 0);
    assert_int_equal(count, 2);
    pair_close(&p);
}

static void tunnel_mode_selectors_are_narrowed(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    ikev2_selector wide = {
        .family = IKEV2_FAMILY_IPV4, .end_port = 65535, .start = {10}, .end = {10, 255, 255, 255}};
    ikev2_selector narrow = {.family = IKEV2_FAMILY_IPV4,
                             .protocol = 47,
                             .end_port = 65535,
                             .start = {10, 2, 0, 1},
                             .end = {10, 2, 0, 9}};
    ikev2_child_policy ca = {.struct_size = sizeof(ca),
                             .mode = IKEV2_MODE_TUNNEL,
                             .local_ts = &wide,
                             .local_ts_count = 1,
                             .peer_ts = &wide,
                             .peer_ts_count = 1};
    ikev2_child_policy cb = ca;
    cb.local_ts = &narrow;
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    a.child = &ca;
    b.child = &cb;
    connect_as(&p, &a, &b);
    pair_assert_agree(&p, 1);
    const ikev2_child_info c = child_info(&p, 0);
    assert_int_equal(c.mode, IKEV2_MODE_TUNNEL);
    assert_int_equal(c.peer_ts_count, 1);
    assert_memory_equal(&c.peer_ts[0], &narrow, sizeof(narrow));
    assert_memory_equal(&c.local_ts[0], &wide, sizeof(wide));
    assert_int_equal(ikev2_engine_rekey_child(p.n[1].e, p.now, pair_first_child(&p, 1)), 0);
    pair_run(&p, 10000);
    pair_assert_agree(&p, 1);
    assert_int_equal(child_info(&p, 1).mode, IKEV2_MODE_TUNNEL);
    pair_close(&p);
}

/* RFC 7296 1.2: the IKE SA is made even where the Child SA is not. */
static void selectors_without_anything_in_common_refuse_the_child_only(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    const ikev2_selector tcp = {.protocol = 6, .end_port = 65535};
    ikev2_child_policy ca = {.struct_size = sizeof(ca),
                             .local_ts = &tcp,
                             .local_ts_count = 1,
                             .peer_ts = &tcp,
                             .peer_ts_count = 1};
    ikev2_peer a = pair_peer(&p, 0);
    const ikev2_peer b = pair_peer(&p, 1);
    a.child = &ca;
    connect_as(&p, &a, &b);
    assert_int_equal(p.n[0].child_count, 0);
    assert_true(p.n[0].sa != 0 && p.n[1].sa != 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pair_count_events(&p, i, IKEV2_EVENT_REFUSED, IKEV2_REASON_SELECTORS), 1);
    pair_close(&p);
}

static void a_mode_that_the_policy_forbids_is_refused(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    ikev2_child_policy ca = {.struct_size = sizeof(ca), .mode = IKEV2_MODE_TUNNEL};
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    a.child = &ca;
    connect_as(&p, &a, &b);
    assert_int_equal(p.n[0].child_count, 0);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, IKEV2_REASON_NO_PROPOSAL), 1);
    pair_close(&p);
    /* The other way round the responder makes a tunnel, and the initiator deletes it again. */
    open_calm(&p);
    a = pair_peer(&p, 0);
    b = pair_peer(&p, 1);
    b.child = &ca;
    connect_as(&p, &a, &b);
    pair_assert_agree(&p, 0);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, IKEV2_REASON_MODE), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_CHILD_IN, 0), 0);
    pair_close(&p);
}

static void a_wrong_key_is_refused_on_both_sides(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        pair p;
        open_calm(&p);
        ikev2_peer a = pair_peer(&p, 0);
        ikev2_peer b = pair_peer(&p, 1);
        ikev2_peer *liar = side == 0 ? &a : &b;
        liar->local_psk = (const uint8_t *)"not the key";
        liar->local_psk_len = 11;
        connect_as(&p, &a, &b);
        pair_run(&p, 100000);
        pair_assert_agree(&p, 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(counters(&p, i).sas, 0);
            assert_true(pair_count_events(&p, i, IKEV2_EVENT_CHILD_OUT, 0) ==
                        (side == 1 && i == 1));
        }
        assert_int_equal(
            pair_count_events(&p, 1 - side, IKEV2_EVENT_REFUSED, IKEV2_REASON_AUTHENTICATION), 1);
        pair_close(&p);
    }
}

/* RFC 7296 2.15, 4: a peer with the right key under another name is not who was called. */
static void an_answer_under_another_name_is_refused(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    a.peer_id = pair_fqdn("*.elsewhere.test"); /* a pattern is not sent as IDr */
    connect_as(&p, &a, &b);
    pair_run(&p, 100000);
    pair_assert_agree(&p, 0);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_IKE_SA_UP, 0), 0);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, IKEV2_REASON_IDENTITY), 1);
    assert_int_equal(counters(&p, 0).sas, 0);
    pair_close(&p);
}

static void an_unknown_identity_is_refused_and_told_nothing(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    ikev2_peer a = pair_peer(&p, 0);
    const ikev2_peer b = pair_peer(&p, 1);
    a.local_id = pair_fqdn("c.test");
    connect_as(&p, &a, &b);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_REFUSED, IKEV2_REASON_IDENTITY), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, IKEV2_REASON_AUTHENTICATION), 1);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_AUTHENTICATION),
                     1);
    pair_close(&p);
}

static void identities_of_every_type_match_by_type_and_bytes_or_wildcard(void **state)
{
    (void)state;
    static const uint8_t v4[] = {10, 0, 0, 1};
    static const uint8_t v6[16] = {0x20, 1};
    static const struct {
        ikev2_identity id;
        ikev2_identity pattern;
        bool matches;
    } cases[] = {
        {{v4, 4, IKEV2_ID_IPV4_ADDR, {0}}, {v4, 4, IKEV2_ID_IPV4_ADDR, {0}}, true},
        {{v6, 16, IKEV2_ID_IPV6_ADDR, {0}}, {v6, 16, IKEV2_ID_IPV6_ADDR, {0}}, true},
        {{v4, 4, IKEV2_ID_KEY_ID, {0}}, {v4, 4, IKEV2_ID_KEY_ID, {0}}, true},
        {{v4, 4, IKEV2_ID_KEY_ID, {0}}, {v4, 4, IKEV2_ID_IPV4_ADDR, {0}}, false},
        {{(const uint8_t *)"x.spokes.test", 13, IKEV2_ID_FQDN, {0}},
         {(const uint8_t *)"*.spokes.test", 13, IKEV2_ID_FQDN, {0}},
         true},
        {{(const uint8_t *)".spokes.test", 12, IKEV2_ID_FQDN, {0}},
         {(const uint8_t *)"*.spokes.test", 13, IKEV2_ID_FQDN, {0}},
         false},
        {{(const uint8_t *)"x.spokes.tess", 13, IKEV2_ID_FQDN, {0}},
         {(const uint8_t *)"*.spokes.test", 13, IKEV2_ID_FQDN, {0}},
         false},
        {{(const uint8_t *)"u@spokes.test", 13, IKEV2_ID_RFC822_ADDR, {0}},
         {(const uint8_t *)"*@spokes.test", 13, IKEV2_ID_RFC822_ADDR, {0}},
         true},
        {{(const uint8_t *)"anyone", 6, IKEV2_ID_FQDN, {0}}, {NULL, 0, IKEV2_ID_ANY, {0}}, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pair p;
        open_calm(&p);
        ikev2_peer a = pair_peer(&p, 0);
        ikev2_peer b = pair_peer(&p, 1);
        a.local_id = cases[i].id;
        b.peer_id = cases[i].pattern;
        connect_as(&p, &a, &b);
        assert_int_equal(p.n[0].sa != 0, cases[i].matches);
        if (cases[i].matches)
            assert_memory_equal(sa_info(&p, 1).peer_id.bytes, cases[i].id.bytes, cases[i].id.len);
        pair_close(&p);
    }
}

/* RFC 7296 2.4 */
static void initial_contact_removes_what_the_same_identity_had(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    open_with(&p, cfg);
    pair_connect(&p, 0);
    const uint64_t old = p.n[1].sa;
    /* Node 0 restarts without a memory. */
    ikev2_engine_free(p.n[0].e);
    cfg[0].seed[0] = 99;
    cfg[0].allocator.resize = fail_alloc_resize;
    cfg[0].allocator.user = &p.n[0].memory;
    assert_int_equal(ikev2_engine_new(&cfg[0], p.now, &p.n[0].e), IKEV2_OK);
    p.n[0].child_count = 0;
    const ikev2_peer a = pair_peer(&p, 0);
    uint64_t id;
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    pair_run(&p, 60000);
    pair_assert_agree(&p, 1);
    assert_true(p.n[1].sa != old);
    assert_int_equal(
        pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_INITIAL_CONTACT), 1);
    pair_close(&p);
}

/* The same, whichever of several SAs of that identity ended before. */
static void initial_contact_removes_all_that_are_left_of_an_identity(void **state)
{
    (void)state;
    enum { SAS = 4 };
    for (unsigned ended = 0; ended < 1U << SAS; ended++) {
        pair p;
        ikev2_config cfg[2];
        uint64_t ids[SAS], id;
        size_t left = SAS;
        pair_configs(cfg);
        open_with(&p, cfg);
        const ikev2_peer a = pair_peer(&p, 0);
        pair_connect(&p, 0);
        ids[0] = p.n[1].sa;
        for (int i = 1; i < SAS; i++) {
            assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
            pair_run(&p, 1000);
            ids[i] = p.n[1].sa;
            assert_true(ids[i] != ids[i - 1]);
        }
        for (int i = 0; i < SAS; i++)
            if (ended & 1U << i) {
                assert_int_equal(ikev2_engine_delete_ike(p.n[1].e, p.now, ids[i]), IKEV2_OK);
                left--;
            }
        pair_run(&p, 60000);
        ikev2_engine_free(p.n[0].e);
        cfg[0].seed[0] = 99;
        cfg[0].allocator.resize = fail_alloc_resize;
        cfg[0].allocator.user = &p.n[0].memory;
        assert_int_equal(ikev2_engine_new(&cfg[0], p.now, &p.n[0].e), IKEV2_OK);
        p.n[0].child_count = 0;
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
        pair_run(&p, 60000);
        pair_assert_agree(&p, 1);
        assert_int_equal(
            pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_INITIAL_CONTACT), left);
        pair_close(&p);
    }
}

static void two_ike_sas_begun_at_once_both_live(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    for (int i = 0; i < 2; i++) {
        const ikev2_peer mine = pair_peer(&p, i);
        uint64_t id;
        pair_profile(&p, i, &mine);
        assert_int_equal(ikev2_engine_initiate(p.n[i].e, p.now, &mine, &id), IKEV2_OK);
    }
    pair_run(&p, 60000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(counters(&p, i).sas, 2);
        assert_int_equal(counters(&p, i).children, 2);
        assert_int_equal(pair_count_events(&p, i, IKEV2_EVENT_IKE_SA_DOWN, 0), 0);
    }
    pair_close(&p);
}

static uint64_t last_ask(const pair *p, int i, uint16_t kind)
{
    uint64_t id = 0;
    for (size_t k = 0; k < p->n[i].event_count; k++)
        if (p->n[i].events[k].kind == kind)
            id = p->n[i].events[k].ask_id;
    return id;
}

static void the_caller_may_be_asked_for_peer_and_keys(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].ask_peer = 1;
    open_with(&p, cfg);
    ikev2_peer a = pair_peer(&p, 0);
    ikev2_peer b = pair_peer(&p, 1);
    const ikev2_peer full_a = a;
    const ikev2_peer full_b = b;
    uint64_t id;
    a.local_psk = a.peer_psk = b.local_psk = b.peer_psk = NULL;
    a.local_psk_len = a.peer_psk_len = b.local_psk_len = b.peer_psk_len = 0;
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    pair_run(&p, 1000);
    const uint64_t first = last_ask(&p, 0, IKEV2_EVENT_ASK_PSK);
    assert_true(first != 0);
    assert_int_equal(ikev2_engine_answer_psk(p.n[0].e, p.now, first, full_a.local_psk,
                                             full_a.local_psk_len, full_a.peer_psk,
                                             full_a.peer_psk_len),
                     IKEV2_OK);
    assert_int_equal(ikev2_engine_answer_psk(p.n[0].e, p.now, first, full_a.local_psk,
                                             full_a.local_psk_len, NULL, 0),
                     IKEV2_ERR_ABSENT);
    pair_run(&p, 1500); /* a retransmission meanwhile does not ask again */
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_ASK_PEER, 0), 1);
    const uint64_t second = last_ask(&p, 1, IKEV2_EVENT_ASK_PEER);
    assert_int_equal(ikev2_engine_answer_peer(p.n[1].e, p.now, second, &b), IKEV2_OK);
    pair_run(&p, 100);
    const uint64_t third = last_ask(&p, 1, IKEV2_EVENT_ASK_PSK);
    assert_true(third != 0 && third != second);
    assert_int_equal(ikev2_engine_answer_psk(p.n[1].e, p.now, third, full_b.local_psk,
                                             full_b.local_psk_len, full_b.peer_psk,
                                             full_b.peer_psk_len),
                     IKEV2_OK);
    pair_run(&p, 10000);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

static void a_question_without_an_answer_refuses(void **state)
{
    (void)state;
    for (int no = 0; no < 2; no++) {
        pair p;
        ikev2_config cfg[2];
        pair_configs(cfg);
        cfg[1].ask_peer = 1;
        open_with(&p, cfg);
        const ikev2_peer a = pair_peer(&p, 0);
        uint64_t id;
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
        pair_run(&p, 1000);
        const uint64_t ask = last_ask(&p, 1, IKEV2_EVENT_ASK_PEER);
        if (no)
            assert_int_equal(ikev2_engine_answer_peer(p.n[1].e, p.now, ask, NULL), IKEV2_OK);
        pair_run(&p, 60000);
        assert_int_equal(ikev2_engine_answer_peer(p.n[1].e, p.now, ask, &a), IKEV2_ERR_ABSENT);
        assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_REFUSED, IKEV2_REASON_IDENTITY), 1);
        assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, IKEV2_REASON_AUTHENTICATION),
                         1);
        pair_close(&p);
    }
}

static void proposals_without_anything_in_common_say_so(void **state)
{
    (void)state;
    static const ikev2_transform chacha[] = {T(ENCR, ENCR_CHACHA20_POLY1305, 0),
                                             T(PRF, PRF_HMAC_SHA2_256, 0),
                                             T(GROUP, GROUP_X25519, 0)};
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[0].ike_transforms = chacha;
    cfg[0].ike_transform_count = 3;
    open_with(&p, cfg);
    pair_connect(&p, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pair_count_events(&p, i, IKEV2_EVENT_REFUSED, IKEV2_REASON_NO_PROPOSAL),
                         1);
    assert_int_equal(counters(&p, 1).sas, 0);
    pair_close(&p);
}

static void no_more_children_than_the_limit(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].max_children_per_sa = 2;
    open_with(&p, cfg);
    pair_connect(&p, 0);
    uint64_t id;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ikev2_engine_initiate_child(p.n[0].e, p.now, p.n[0].sa, NULL, &id), 0);
        pair_run(&p, 10000);
    }
    pair_assert_agree(&p, 2);
    assert_int_equal(pair_count_events(&p, 0, IKEV2_EVENT_REFUSED, IKEV2_REASON_LIMIT), 1);
    assert_int_equal(ikev2_engine_initiate_child(p.n[1].e, p.now, p.n[1].sa, NULL, &id),
                     IKEV2_ERR_LIMIT);
    pair_close(&p);
}

static void child_spis_come_from_the_configured_range(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[0].spi_min = 0x1000;
    cfg[0].spi_max = 0x100f;
    open_with(&p, cfg);
    pair_connect(&p, 0);
    const uint32_t spi = child_info(&p, 0).spi_in;
    assert_in_range(spi, 0x1000, 0x100f);
    pair_close(&p);
}

static void ipv6_paths_work_like_ipv4_ones(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    for (int i = 0; i < 2; i++)
        p.n[i].addr = (ikev2_addr){.family = IKEV2_FAMILY_IPV6,
                                   .port = 500,
                                   .bytes = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)(i + 1)}};
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    assert_int_equal(child_info(&p, 1).local_ts[0].family, IKEV2_FAMILY_IPV6);
    assert_int_equal(child_info(&p, 1).local_ts[0].start[15], 2);
    assert_int_equal(child_info(&p, 1).encapsulated, 0);
    pair_close(&p);
}

static void initial_contact_touches_no_other_identity(void **state)
{
    (void)state;
    pair p;
    open_calm(&p);
    ikev2_peer anyone = pair_peer(&p, 1);
    anyone.peer_id = (ikev2_identity){.type = IKEV2_ID_ANY};
    pair_profile(&p, 1, &anyone);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"one.test", "two.test", "three.test"};
        ikev2_peer a = pair_peer(&p, 0);
        uint64_t id;
        a.local_id = pair_fqdn(names[i]);
        /* The peer's name is not told, so that the initiator cannot know of the others. */
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
        pair_run(&p, 5000);
    }
    assert_int_equal(counters(&p, 1).sas, 3);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_DOWN, 0), 0);
    pair_close(&p);
}

/* Design rule 12: the same seed and inputs, the same bytes. */
static void the_same_seed_makes_the_same_bytes(void **state)
{
    (void)state;
    uint8_t last[2][2][2048];
    size_t len[2][2];
    for (int run = 0; run < 2; run++) {
        pair p;
        open_calm(&p);
        pair_connect(&p, 0);
        assert_int_equal(ikev2_engine_rekey_child(p.n[1].e, p.now, pair_first_child(&p, 1)), 0);
        pair_run(&p, 10000);
        memcpy(last[run], p.last, sizeof(p.last));
        memcpy(len[run], p.last_len, sizeof(p.last_len));
        pair_close(&p);
    }
    for (int i = 0; i < 2; i++)
        assert_bytes(last[0][i], len[0][i], last[1][i], len[1][i]);
}

static void a_hub_holds_a_thousand_spokes_in_one_engine(void **state)
{
    (void)state;
    enum { SPOKES = 1000 };
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    for (int i = 0; i < 2; i++) {
        cfg[i].cookie_threshold = 5000;
        cfg[i].max_half_open = 5000;
        cfg[i].max_events = 8192;
        cfg[i].liveness_ms = 20000;
    }
    open_with(&p, cfg);
    ikev2_peer any = pair_peer(&p, 1);
    any.peer_id = pair_fqdn("*.spokes.test");
    uint64_t profile;
    any.path.peer = (ikev2_addr){0};
    assert_int_equal(ikev2_engine_add_profile(p.n[1].e, p.now, &any, &profile), IKEV2_OK);
    for (int i = 0; i < SPOKES; i++) {
        char name[32];
        ikev2_peer a = pair_peer(&p, 0);
        uint64_t id;
        snprintf(name, sizeof(name), "s%d.spokes.test", i);
        a.local_id = pair_fqdn(name);
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    }
    uint64_t up[2] = {0};
    const uint64_t end = p.now + 60000;
    uint8_t buf[2048];
    ikev2_event ev;
    ikev2_output out;
    while (p.now < end) {
        for (int i = 0; i < 2; i++) {
            ikev2_engine *e = p.n[i].e;
            while (ikev2_engine_timeout(e, p.now) == IKEV2_YES)
                ;
            while (ikev2_engine_poll_event(e, &ev) == IKEV2_YES)
                up[i] += ev.kind == IKEV2_EVENT_CHILD_OUT;
            while (ikev2_engine_poll_output(e, p.now, buf, sizeof(buf), &out) == IKEV2_YES) {
                const ikev2_path path = {.local = out.path.peer, .peer = out.path.local};
                assert_int_equal(ikev2_engine_input(p.n[1 - i].e, p.now, &path, buf, out.len),
                                 IKEV2_OK);
                while (ikev2_engine_poll_event(p.n[1 - i].e, &ev) == IKEV2_YES)
                    up[1 - i] += ev.kind == IKEV2_EVENT_CHILD_OUT;
            }
        }
        p.now += 500;
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(up[i], SPOKES);
        assert_int_equal(counters(&p, i).sas, SPOKES);
        assert_int_equal(counters(&p, i).children, SPOKES);
    }
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_suite_works_for_ike_and_child_and_through_rekeys),
        cmocka_unit_test(another_group_is_tried_where_the_responder_wants_it),
        cmocka_unit_test(above_the_threshold_a_cookie_is_wanted_and_returned),
        cmocka_unit_test(a_flood_of_half_open_sas_is_bounded),
        cmocka_unit_test(behind_a_nat_everything_floats_to_port_4500),
        cmocka_unit_test(when_the_nat_maps_anew_the_path_follows),
        cmocka_unit_test(forced_encapsulation_needs_no_nat),
        cmocka_unit_test(long_messages_go_in_fragments_and_come_together),
        cmocka_unit_test(each_side_pushes_its_routes_and_keeps_to_what_it_accepts),
        cmocka_unit_test(tunnel_mode_selectors_are_narrowed),
        cmocka_unit_test(selectors_without_anything_in_common_refuse_the_child_only),
        cmocka_unit_test(a_mode_that_the_policy_forbids_is_refused),
        cmocka_unit_test(a_wrong_key_is_refused_on_both_sides),
        cmocka_unit_test(an_answer_under_another_name_is_refused),
        cmocka_unit_test(an_unknown_identity_is_refused_and_told_nothing),
        cmocka_unit_test(identities_of_every_type_match_by_type_and_bytes_or_wildcard),
        cmocka_unit_test(initial_contact_removes_what_the_same_identity_had),
        cmocka_unit_test(initial_contact_removes_all_that_are_left_of_an_identity),
        cmocka_unit_test(two_ike_sas_begun_at_once_both_live),
        cmocka_unit_test(the_caller_may_be_asked_for_peer_and_keys),
        cmocka_unit_test(a_question_without_an_answer_refuses),
        cmocka_unit_test(proposals_without_anything_in_common_say_so),
        cmocka_unit_test(no_more_children_than_the_limit),
        cmocka_unit_test(child_spis_come_from_the_configured_range),
        cmocka_unit_test(ipv6_paths_work_like_ipv4_ones),
        cmocka_unit_test(initial_contact_touches_no_other_identity),
        cmocka_unit_test(the_same_seed_makes_the_same_bytes),
        cmocka_unit_test(a_hub_holds_a_thousand_spokes_in_one_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
