/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A hub and two spokes: the hub redirects, spoke1 resolves, spoke2 makes the tunnel and replies.
 */
#include "net.h"

#include <string.h>

static bool same_bytes(const nhrp_addr *a, const nhrp_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, 16) == 0;
}

static void assert_shortcut(net *n, uint32_t vrf, uint32_t label)
{
    nhrp_mapping m = {0};
    node *spoke1 = &n->nodes[1], *spoke2 = &n->nodes[2];
    assert_true(node_mapping(spoke1, NHRP_MAPPING_RESOLVED, &m));
    const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), vrf);
    assert_memory_equal(&m.prefix, &prefix, sizeof(prefix));
    assert_true(same_bytes(&m.nbma, &spoke2->nbma));
    assert_true(same_bytes(&m.next_hop, &spoke2->tunnel));
    assert_int_equal(m.label_count, 1);
    assert_int_equal(m.labels[0], label);
    assert_int_equal(m.overlay_label_count, 1);
    assert_int_equal(m.overlay_labels[0], NHRP_LABEL_IMPLICIT_NULL);
    assert_int_equal(m.link, 100); /* the new tunnel */
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_UP), 1);
}

static void the_walk_ends_with_a_shortcut_and_its_label(void **state)
{
    net *n = *state;
    walk_shortcut(n);
    assert_shortcut(n, CUSTOMER, 202);
    /* One of each: the redirect, the request twice (spoke and hub), the reply over the tunnel. */
    assert_int_equal(n->sent[NHRP_TRAFFIC_INDICATION], 1);
    assert_int_equal(n->sent[NHRP_RESOLUTION_REQUEST], 2);
    assert_int_equal(n->sent[NHRP_RESOLUTION_REPLY], 1);
    assert_int_equal(node_sent(&n->nodes[2], NHRP_RESOLUTION_REPLY), 1);
    assert_int_equal(n->sent[NHRP_ERROR_INDICATION], 0);
}

/* Step 8: the redirect carries the label that spoke1 advertised, and quotes 64 octets. */
static void the_redirect_names_the_vrf_by_the_receiver_s_label(void **state)
{
    net *n = *state;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_label_binding b;
    size_t it = 0, at = 0;
    n->watch = NHRP_TRAFFIC_INDICATION;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_settle(n);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    const nhrp_addr source = ip4(10, 1, 1, 101);
    assert_true(same_bytes(&p.destination_protocol, &source));
    assert_true(same_bytes(&p.source_protocol, &n->nodes[0].tunnel));
    assert_int_equal(p.traffic_code, 0);
    assert_int_equal(p.contents_len, 64);
    assert_int_equal(p.contents[63], 63);
    assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_YES);
    assert_hex(x.value, x.len, "024d504c01 01 0c 01 00 0001 18 01 000651 0a0101"); /* 101 */
    assert_int_equal(nhrp_label_next(&x, &at, &b), NHRP_YES);
}

/* Steps 11 and 12: the hub swaps the CONTEXT, adds its record and lowers the hop count. */
static void the_hub_swaps_the_context_of_the_request(void **state)
{
    net *n = *state;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_cie cie;
    size_t it = 0, at = 0;
    n->watch = NHRP_RESOLUTION_REQUEST;
    assert_int_equal(walk_packet(n), NHRP_OK);
    for (size_t sent = 0; sent < 2;) {
        net_run(n, n->now_ms + 5);
        if (n->sent[NHRP_RESOLUTION_REQUEST] == sent)
            continue;
        sent = (size_t)n->sent[NHRP_RESOLUTION_REQUEST];
        assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
        assert_int_equal(p.hop_count, sent == 1 ? 255 : 254);
        assert_true(same_bytes(&p.source_nbma, &n->nodes[1].nbma));
        assert_true(same_bytes(&p.source_protocol, &n->nodes[1].tunnel));
        it = 0;
        assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
        assert_int_equal(cie.prefix_len, 8); /* of the route that triggered it */
        it = 0;
        while (nhrp_extension_next(&p, &it, &x) == NHRP_YES) {
            if (x.kind == NHRP_KIND_VENDOR)
                assert_hex(x.value, x.len,
                           sent == 1 ? "024d504c01 01 0a 01 00 0001 08 01 003e81 0a"
                                     : "024d504c01 01 0c 01 00 0001 18 01 000ca1 0a0202");
            if (x.kind != NHRP_KIND_FORWARD)
                continue;
            at = 0;
            assert_int_equal(nhrp_extension_next_cie(&p, &x, &at, &cie),
                             sent == 1 ? NHRP_OK : NHRP_YES);
            if (sent == 2) {
                assert_true(same_bytes(&cie.protocol, &n->nodes[0].tunnel));
                assert_true(same_bytes(&cie.nbma, &n->nodes[0].nbma));
            }
        }
    }
}

/* Steps 16 and 17, RFC 2332 5.2.2 */
static void the_reply_returns_the_request_s_extensions_and_adds_labels(void **state)
{
    net *n = *state;
    nhrp_packet p;
    nhrp_extension x;
    nhrp_cie cie;
    size_t it = 0, at = 0;
    n->watch = NHRP_RESOLUTION_REPLY;
    walk_shortcut(n);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    assert_int_equal(cie.prefix_len, 24);
    assert_int_equal(cie.holding_time_s, 600);
    assert_true(same_bytes(&cie.nbma, &n->nodes[2].nbma));
    assert_true(same_bytes(&cie.protocol, &n->nodes[2].tunnel));
    static const uint8_t kinds[] = {NHRP_KIND_RESPONDER, NHRP_KIND_FORWARD, NHRP_KIND_REVERSE,
                                    NHRP_KIND_VENDOR, NHRP_KIND_VENDOR};
    it = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_YES);
        assert_int_equal(x.kind, kinds[i]);
        if (i == 0) {
            assert_int_equal(nhrp_extension_next_cie(&p, &x, &at, &cie), NHRP_YES);
            assert_true(same_bytes(&cie.protocol, &n->nodes[2].tunnel));
        }
    }
    assert_hex(x.value, x.len,
               "024d504c01 01 0c 02 00 0001 18 01 000ca1 0a0202"
               "01 0d 03 00 0001 20 01 000031 ac100102");
    assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_OK);
}

static void two_vrfs_with_the_same_prefixes_stay_apart(void **state)
{
    net *n = *state;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    size_t found = 0;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 10000);
    assert_int_equal(hub_hairpin(&n->nodes[0], 1, 2, 1001, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)),
                     NHRP_OK);
    net_run(n, n->now_ms + 3000);
    while (nhrp_engine_next_mapping(n->nodes[1].engine, &it, &m) == NHRP_YES) {
        assert_int_equal(m.kind, NHRP_MAPPING_RESOLVED);
        assert_int_equal(m.labels[0], m.vrf == CUSTOMER ? 202 : 212);
        found |= m.vrf == CUSTOMER ? 1 : 2;
    }
    assert_int_equal(found, 3);
}

static void a_context_that_swaps_is_forwarded_by_its_entry(void **state)
{
    net *n = *state;
    node *hub = &n->nodes[0];
    hub->labels[0].swap_link = 2; /* 2547oDMVPN: per-prefix label 1000 is swapped to 202 */
    hub->labels[0].swap_label = 202;
    node *spoke1 = &n->nodes[1];
    /* The redirect comes from the table all the same. */
    node_label(hub, 999, CUSTOMER, 0);
    assert_int_equal(hub_hairpin(hub, 1, 2, 999, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)), NHRP_OK);
    net_run(n, n->now_ms + 3000);
    assert_shortcut(n, CUSTOMER, 202);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_NEGATIVE), 0);
}

static void network_ids_of_the_nodes_may_differ(void **state)
{
    (void)state;
    net n;
    nhrp_interface_config i;
    (void)nhrp_interface_config_init(&i);
    net_init(&n, 1, NULL);
    /* The ids are local: each node has its own, and the links of a node share it. */
    walk_build(&n, NULL, &i);
    net_end(&n);
    net_init(&n, 1, NULL);
    for (uint8_t k = 0; k < 3; k++) {
        static const uint8_t numbers[] = {100, 1, 2};
        i.network_id = 10u + k;
        assert_non_null(net_node(&n, numbers[k], NULL, &i, NULL));
    }
    node *hub = &n.nodes[0];
    for (uint8_t s = 1; s <= 2; s++) {
        net_connect(&n, &n.nodes[s], 1, hub, s, 0);
        node_route(&n.nodes[s], CUSTOMER, prefix4(10, s, s, 0, 24), 0, 100u + s);
        node_route(&n.nodes[s], CUSTOMER, prefix4(10, 0, 0, 0, 8), 1, 1000);
        node_label(&n.nodes[s], 100u + s, CUSTOMER, 0);
        node_route(hub, CUSTOMER, prefix4(10, s, s, 0, 24), s, 100u + s);
    }
    node_label(hub, 1000, CUSTOMER, 0);
    assert_int_equal(walk_packet(&n), NHRP_OK);
    net_run(&n, n.now_ms + 3000);
    assert_shortcut(&n, CUSTOMER, 102);
    net_end(&n);
}

/* ---- The fallbacks. ---- */

static void
without_a_tunnel_in_time_the_reply_goes_by_the_hub_and_the_requester_initiates(void **state)
{
    net *n = *state;
    n->nodes[2].tunnels = TUNNELS_SILENT;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 2990);
    assert_int_equal(n->sent[NHRP_RESOLUTION_REPLY], 0);
    net_run(n, n->now_ms + 1500);
    nhrp_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(nhrp_engine_get_counters(n->nodes[0].engine, INTERFACE, &c), NHRP_OK);
    assert_int_equal(c.forwarded[NHRP_RESOLUTION_REPLY], 1);
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_ASK_TUNNEL), 1);
    assert_int_equal(n->nodes[1].last_ask_purpose, NHRP_PURPOSE_REQUESTER);
    assert_shortcut(n, CUSTOMER, 202);
}

static void when_the_responder_s_tunnel_fails_the_reply_goes_by_the_hub_at_once(void **state)
{
    net *n = *state;
    n->nodes[2].tunnels = TUNNELS_FAIL;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 1000);
    assert_shortcut(n, CUSTOMER, 202);
}

static void when_both_fail_the_destination_rests_a_minute_and_then_longer(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    node *spoke1 = &n->nodes[1];
    n->nodes[2].tunnels = TUNNELS_FAIL;
    spoke1->tunnels = TUNNELS_FAIL;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 1000);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_NEGATIVE), 1);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_UP), 0);
    assert_true(node_mapping(spoke1, NHRP_MAPPING_NEGATIVE, &m));
    assert_in_range(m.expires_ms, n->now_ms + 59000, n->now_ms + 60000);
    const nhrp_addr host = in_vrf(prefix4(10, 2, 2, 102, 32), CUSTOMER);
    assert_memory_equal(&m.prefix, &host, sizeof(host));

    /* Redirects go on, and are not obeyed while it rests. */
    const uint64_t before = n->sent[NHRP_RESOLUTION_REQUEST];
    net_run(n, n->now_ms + 20000);
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 1000);
    assert_int_equal(n->sent[NHRP_RESOLUTION_REQUEST], before);
    assert_int_equal(node_dropped(spoke1, NHRP_ERR_NEGATIVE), 1);

    /* The second time it rests twice as long. */
    net_run(n, m.expires_ms + 1);
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 1000);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_NEGATIVE), 2);
    assert_true(node_mapping(spoke1, NHRP_MAPPING_NEGATIVE, &m));
    assert_int_equal(m.failures, 2);
    assert_in_range(m.expires_ms, n->now_ms + 119000, n->now_ms + 120000);

    /* Left alone it is forgotten. */
    net_run(n, m.expires_ms + 130000);
    assert_false(node_mapping(spoke1, NHRP_MAPPING_NEGATIVE, &m));
}

static void a_responder_that_is_not_there_makes_a_negative_mapping_after_four_requests(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    n->nodes[0].answers = true;
    n->nodes[2].answers = false;
    net_disconnect(n, &n->nodes[2], 1);
    node *hub = &n->nodes[0];
    net_connect(n, &n->nodes[2], 50, hub, 2, 0);
    n->nodes[2].links[0].peer_link = 77; /* nothing that it says arrives */
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 30000);
    assert_int_equal(node_sent(&n->nodes[1], NHRP_RESOLUTION_REQUEST), 4);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_NEGATIVE, &m));
    /* The fourth gave up after 1 + 2 + 4 + 8 s; nobody denied anything, so the rest is short. */
    assert_in_range(m.expires_ms, n->now_ms - 30000 + 15000 + 5000,
                    n->now_ms - 30000 + 15000 + 5300);
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 16000);
    assert_int_equal(node_sent(&n->nodes[1], NHRP_RESOLUTION_REQUEST), 8);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_NEGATIVE, &m));
    assert_int_equal(m.failures, 2);
    assert_in_range(m.expires_ms, n->now_ms + 8000, n->now_ms + 10000);
}

/* ---- What becomes of a shortcut. ---- */

static void a_mapping_never_outlives_its_link(void **state)
{
    net *n = *state;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    walk_shortcut(n);
    node *spoke1 = &n->nodes[1];
    const uint64_t id = node_event(spoke1, NHRP_EVENT_MAPPING_UP)->id;
    assert_int_equal(nhrp_engine_link_down(spoke1->engine, n->now_ms, 100), NHRP_OK);
    assert_int_equal(nhrp_engine_used(spoke1->engine, n->now_ms, id), NHRP_ERR_ABSENT);
    nhrp_event ev;
    assert_int_equal(nhrp_engine_poll_event(spoke1->engine, &ev), NHRP_YES);
    assert_int_equal(ev.kind, NHRP_EVENT_MAPPING_DOWN);
    assert_int_equal(ev.id, id);
    /* Gettable and marked dead until the next call that is not const. */
    assert_int_equal(nhrp_engine_get_mapping(spoke1->engine, id, &m), NHRP_OK);
    assert_int_equal(m.kind, NHRP_MAPPING_DEAD);
    assert_int_equal(m.labels[0], 202);
    assert_int_equal(nhrp_engine_poll_event(spoke1->engine, &ev), NHRP_OK);
    assert_int_equal(nhrp_engine_get_mapping(spoke1->engine, id, &m), NHRP_ERR_ABSENT);
}

static void an_unused_mapping_expires(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    walk_shortcut(n);
    const uint64_t requests = n->sent[NHRP_RESOLUTION_REQUEST];
    net_run(n, n->now_ms + 601000);
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_MAPPING_DOWN), 1);
    assert_false(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(n->sent[NHRP_RESOLUTION_REQUEST], requests);
}

static void a_used_mapping_is_renewed_before_it_expires(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    walk_shortcut(n);
    node *spoke1 = &n->nodes[1];
    const uint64_t id = node_event(spoke1, NHRP_EVENT_MAPPING_UP)->id;
    for (int i = 0; i < 40; i++) {
        net_run(n, n->now_ms + 60000);
        assert_int_equal(nhrp_engine_used(spoke1->engine, n->now_ms, id), NHRP_OK);
        net_settle(n);
    }
    assert_true(node_mapping(spoke1, NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(m.id, id);
    assert_int_equal(node_events(spoke1, NHRP_EVENT_MAPPING_DOWN), 0);
    /* 40 minutes at 10 minutes of holding time, renewed at three quarters. */
    assert_in_range(node_sent(spoke1, NHRP_RESOLUTION_REQUEST), 4, 8);
}

static void a_withdrawn_prefix_is_purged_at_those_who_were_told(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    walk_shortcut(n);
    const nhrp_addr other = in_vrf(prefix4(10, 2, 2, 0, 24), OTHER);
    assert_int_equal(nhrp_engine_withdraw(n->nodes[2].engine, n->now_ms, &other), NHRP_OK);
    net_run(n, n->now_ms + 1000);
    assert_int_equal(n->sent[NHRP_PURGE_REQUEST], 0); /* nobody was told of that VRF */
    const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), CUSTOMER);
    assert_int_equal(nhrp_engine_withdraw(n->nodes[2].engine, n->now_ms, &prefix), NHRP_OK);
    net_run(n, n->now_ms + 20000);
    assert_int_equal(n->sent[NHRP_PURGE_REQUEST], 1); /* acknowledged: sent once */
    assert_int_equal(n->sent[NHRP_PURGE_REPLY], 1);
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_MAPPING_DOWN), 1);
    assert_false(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
}

static void a_purge_in_one_vrf_leaves_the_same_prefix_of_another(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    assert_int_equal(walk_packet(n), NHRP_OK);
    net_run(n, n->now_ms + 10000);
    assert_int_equal(hub_hairpin(&n->nodes[0], 1, 2, 1001, ip4(10, 1, 1, 101), ip4(10, 2, 2, 102)),
                     NHRP_OK);
    net_run(n, n->now_ms + 3000);
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_MAPPING_UP), 2);
    const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), CUSTOMER);
    assert_int_equal(nhrp_engine_withdraw(n->nodes[2].engine, n->now_ms, &prefix), NHRP_OK);
    net_run(n, n->now_ms + 1000);
    assert_int_equal(node_events(&n->nodes[1], NHRP_EVENT_MAPPING_DOWN), 1);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
    assert_int_equal(m.vrf, OTHER);
}

static void an_unacknowledged_purge_is_repeated_and_given_up(void **state)
{
    net *n = *state;
    static const vnet_rules deaf = {.loss_ppm = 1000000};
    walk_shortcut(n);
    vnet_set_rules(n->wire, &deaf);
    const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), CUSTOMER);
    assert_int_equal(nhrp_engine_withdraw(n->nodes[2].engine, n->now_ms, &prefix), NHRP_OK);
    net_run(n, n->now_ms + 60000);
    assert_int_equal(n->sent[NHRP_PURGE_REQUEST], 4);
}

static void redirects_of_one_flow_are_limited(void **state)
{
    net *n = *state;
    assert_int_equal(walk_packet(n), NHRP_OK);
    assert_int_equal(walk_packet(n), NHRP_ERR_RATE);
    net_run(n, n->now_ms + 7000);
    assert_int_equal(walk_packet(n), NHRP_ERR_RATE);
    assert_int_equal(hub_hairpin(&n->nodes[0], 1, 2, 1000, ip4(10, 1, 1, 101), ip4(10, 2, 2, 103)),
                     NHRP_OK);
    net_run(n, n->now_ms + 1001);
    assert_int_equal(walk_packet(n), NHRP_OK);
}

static void a_destination_can_be_resolved_without_a_redirect(void **state)
{
    net *n = *state;
    uint64_t id = 0, again = 0;
    node *spoke1 = &n->nodes[1];
    const nhrp_addr to = in_vrf(ip4(10, 2, 2, 102), CUSTOMER);
    assert_int_equal(nhrp_engine_resolve(spoke1->engine, n->now_ms, &to, &id), NHRP_OK);
    assert_int_equal(nhrp_engine_resolve(spoke1->engine, n->now_ms, &to, &again),
                     NHRP_ERR_REPEATED);
    net_run(n, n->now_ms + 3000);
    assert_shortcut(n, CUSTOMER, 202);
    assert_int_equal(node_event(spoke1, NHRP_EVENT_MAPPING_UP)->id, id);
    assert_int_equal(nhrp_engine_resolve(spoke1->engine, n->now_ms, &to, &again), NHRP_ERR_STATE);
}

static void an_answer_is_cut_so_that_it_covers_no_connected_route(void **state)
{
    net *n = *state;
    nhrp_mapping m;
    /* Spoke1 has 10.2.2.128/25 itself: only the other half may go by the shortcut. */
    node_route(&n->nodes[1], CUSTOMER, prefix4(10, 2, 2, 128, 25), 0, 131);
    walk_shortcut(n);
    assert_true(node_mapping(&n->nodes[1], NHRP_MAPPING_RESOLVED, &m));
    const nhrp_addr half = in_vrf(prefix4(10, 2, 2, 0, 25), CUSTOMER);
    assert_memory_equal(&m.prefix, &half, sizeof(half));
}

static void the_same_seed_and_inputs_make_the_same_octets(void **state)
{
    (void)state;
    uint8_t first[2048] = {0};
    size_t len = 0;
    for (int i = 0; i < 2; i++) {
        net n;
        net_init(&n, 1, NULL);
        n.watch = NHRP_RESOLUTION_REPLY;
        walk_build(&n, NULL, NULL);
        assert_int_equal(walk_packet(&n), NHRP_OK);
        net_run(&n, n.now_ms + 3000);
        if (i == 1)
            assert_bytes(n.last, n.last_len, first, len);
        memcpy(first, n.last, n.last_len);
        len = n.last_len;
        net_end(&n);
    }
}

/* ---- Over a bad network. ---- */

static void assert_invariants(net *n)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    for (int i = 1; i <= 2; i++) {
        uint64_t it = 0;
        while (nhrp_engine_next_mapping(n->nodes[i].engine, &it, &m) == NHRP_YES) {
            if (m.kind != NHRP_MAPPING_RESOLVED)
                continue;
            const node *peer = &n->nodes[3 - i];
            assert_true(same_bytes(&m.nbma, &peer->nbma));
            assert_true(same_bytes(&m.next_hop, &peer->tunnel));
            const uint32_t own = i == 1 ? 202 : 101;
            assert_int_equal(m.labels[0], own + (m.vrf == OTHER ? 10 : 0));
            assert_int_equal(m.prefix.bytes[1], 3 - i);
        }
    }
}

static void the_walk_converges_over_a_bad_network(void **state)
{
    (void)state;
    static const vnet_rules bad = {.loss_ppm = 50000,
                                   .duplicate_ppm = 50000,
                                   .reorder_ppm = 100000,
                                   .delay_ms = 20,
                                   .jitter_ms = 20,
                                   .reorder_ms = 200};
    size_t late = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        net n;
        nhrp_mapping m;
        net_init(&n, seed, &bad);
        n.tunnel_delay_ms = 100;
        walk_build(&n, NULL, NULL);
        const uint64_t start = n.now_ms;
        /* Traffic goes on both ways and in both VRFs until the shortcuts are there. */
        bool done = false;
        while (!done && n.now_ms < start + 10000) {
            for (uint32_t v = 0; v < 2; v++) {
                (void)hub_hairpin(&n.nodes[0], 1, 2, 1000 + v, ip4(10, 1, 1, 101),
                                  ip4(10, 2, 2, 102 + (uint8_t)v));
                (void)hub_hairpin(&n.nodes[0], 2, 1, 1000 + v, ip4(10, 2, 2, 102),
                                  ip4(10, 1, 1, 101 + (uint8_t)v));
            }
            net_run(&n, n.now_ms + 250);
            assert_invariants(&n);
            done = node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m) &&
                   node_mapping(&n.nodes[2], NHRP_MAPPING_RESOLVED, &m);
        }
        late += !done;
        assert_int_equal(node_events(&n.nodes[1], NHRP_EVENT_MAPPING_DOWN), 0);
        net_end(&n);
    }
    assert_int_equal(late, 0);
}

static void links_that_come_and_go_leave_no_mapping_behind(void **state)
{
    (void)state;
    static const vnet_rules bad = {.loss_ppm = 50000, .delay_ms = 20, .jitter_ms = 40};
    for (uint64_t seed = 1; seed <= 50; seed++) {
        net n;
        prng r = {seed};
        nhrp_mapping m;
        net_init(&n, seed, &bad);
        walk_build(&n, NULL, NULL);
        for (int i = 0; i < 30; i++) {
            (void)walk_packet(&n);
            net_run(&n, n.now_ms + prng_below(&r, 3000));
            for (size_t k = 0; k < MAX_LINKS; k++) {
                const net_link l = n.nodes[1].links[k];
                if (l.id >= 100 && prng_below(&r, 2))
                    net_disconnect(&n, &n.nodes[1], l.id);
            }
            net_settle(&n);
            assert_invariants(&n);
        }
        for (size_t k = 0; k < MAX_LINKS; k++)
            if (n.nodes[1].links[k].id >= 100)
                net_disconnect(&n, &n.nodes[1], n.nodes[1].links[k].id);
        net_settle(&n);
        assert_false(node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m));
        net_end(&n);
    }
}

/* ---- Memory. ---- */

static void walk_with_failures(fail_alloc *f, void *user)
{
    (void)user;
    net n;
    net_init(&n, 1, NULL);
    walk_build(&n, f, NULL);
    if (n.count == 3) {
        (void)walk_packet(&n);
        net_run(&n, n.now_ms + 3000);
        nhrp_mapping m;
        if (node_mapping(&n.nodes[1], NHRP_MAPPING_RESOLVED, &m)) {
            assert_int_equal(m.labels[0], 202);
            const nhrp_addr prefix = in_vrf(prefix4(10, 2, 2, 0, 24), CUSTOMER);
            (void)nhrp_engine_withdraw(n.nodes[2].engine, n.now_ms, &prefix);
        }
        net_run(&n, n.now_ms + 700000);
    }
    net_end(&n);
}

static void the_walk_survives_every_allocation_failure(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(walk_with_failures, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        walk_test(the_walk_ends_with_a_shortcut_and_its_label),
        walk_test(the_redirect_names_the_vrf_by_the_receiver_s_label),
        walk_test(the_hub_swaps_the_context_of_the_request),
        walk_test(the_reply_returns_the_request_s_extensions_and_adds_labels),
        walk_test(two_vrfs_with_the_same_prefixes_stay_apart),
        walk_test(a_context_that_swaps_is_forwarded_by_its_entry),
        cmocka_unit_test(network_ids_of_the_nodes_may_differ),
        walk_test(without_a_tunnel_in_time_the_reply_goes_by_the_hub_and_the_requester_initiates),
        walk_test(when_the_responder_s_tunnel_fails_the_reply_goes_by_the_hub_at_once),
        walk_test(when_both_fail_the_destination_rests_a_minute_and_then_longer),
        walk_test(a_responder_that_is_not_there_makes_a_negative_mapping_after_four_requests),
        walk_test(a_mapping_never_outlives_its_link),
        walk_test(an_unused_mapping_expires),
        walk_test(a_used_mapping_is_renewed_before_it_expires),
        walk_test(a_withdrawn_prefix_is_purged_at_those_who_were_told),
        walk_test(a_purge_in_one_vrf_leaves_the_same_prefix_of_another),
        walk_test(an_unacknowledged_purge_is_repeated_and_given_up),
        walk_test(redirects_of_one_flow_are_limited),
        walk_test(a_destination_can_be_resolved_without_a_redirect),
        walk_test(an_answer_is_cut_so_that_it_covers_no_connected_route),
        cmocka_unit_test(the_same_seed_and_inputs_make_the_same_octets),
        cmocka_unit_test(the_walk_converges_over_a_bad_network),
        cmocka_unit_test(links_that_come_and_go_leave_no_mapping_behind),
        cmocka_unit_test(the_walk_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
