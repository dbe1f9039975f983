/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tunnels that end, fail and change while customers talk: the path by the hub always remains.
 */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

enum { HUB = 0, SPOKE1 = 1, SPOKE2 = 2, VRF = 1, SIZE = 100 };

static void send_ce1(mesh *m)
{
    uint8_t packet[1600];
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    mesh_send(m, SPOKE1, VRF, packet, mesh_udp(packet, &ce1, &ce2, 64, false, SIZE));
}

static size_t received(mesh *m, size_t node)
{
    mesh_packet got;
    size_t n = 0;
    while (mesh_take(m, node, VRF, &got))
        n++;
    return n;
}

static mesh *up(uint64_t seed, void (*change)(router_config *c, size_t index))
{
    mesh *m = mesh_new(seed);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 3; i++) {
        mesh_config(c, i);
        if (change)
            change(c, i);
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 10000);
    if (mesh_count(m, HUB, ROUTER_EVENT_BGP_UP) != 2) {
        mesh_print(m);
        fail_msg("BGP did not come up");
    }
    return m;
}

static uint8_t way(const mesh *m)
{
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    router_route route;
    assert_int_equal(router_get_route(m->nodes[SPOKE1].r, VRF, &ce2, &route), ROUTER_OK);
    return route.source;
}

static void shortcut(mesh *m)
{
    for (int i = 0; i < 10 && way(m) != ROUTER_SOURCE_NHRP; i++) {
        send_ce1(m);
        mesh_run(m, 1000);
    }
    if (way(m) != ROUTER_SOURCE_NHRP) {
        mesh_print(m);
        fail_msg("no shortcut");
    }
    mesh_empty(m, SPOKE2);
}

static void an_idle_tunnel_goes_while_dpd_nhrp_and_bgp_go_on(void **state)
{
    (void)state;
    mesh *m = up(21, NULL);
    shortcut(m);
    const router_event *tunnel = mesh_last(m, SPOKE1, ROUTER_EVENT_TUNNEL_UP);
    const uint64_t id = tunnel->tunnel;
    mesh_run(m, 100000);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_DOWN), 0);
    mesh_run(m, 30000); /* idle_ms is 120,000 */
    const router_event *down = mesh_last(m, SPOKE1, ROUTER_EVENT_TUNNEL_DOWN);
    assert_non_null(down);
    assert_int_equal(down->tunnel, id);
    assert_int_equal(mesh_count(m, SPOKE2, ROUTER_EVENT_TUNNEL_DOWN), 1);
    assert_int_equal(way(m), ROUTER_SOURCE_BGP);
    /* The hub's tunnels live on without a single customer's packet. */
    mesh_run(m, 600000);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_TUNNEL_DOWN), 0);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_BGP_DOWN), 0);
    send_ce1(m);
    mesh_run(m, 100);
    assert_int_equal(received(m, SPOKE2), 1);
    mesh_free(m);
}

static void a_tunnel_in_use_stays(void **state)
{
    (void)state;
    mesh *m = up(22, NULL);
    shortcut(m);
    for (int i = 0; i < 60; i++) { /* six holding times */
        send_ce1(m);
        mesh_run(m, 60000);
        assert_int_equal(way(m), ROUTER_SOURCE_NHRP);
    }
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_DOWN), 0);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_MAPPING_DOWN), 0);
    assert_int_equal(received(m, SPOKE2), 60);
    mesh_free(m);
}

static void no_packet_waits_for_resolution(void **state)
{
    (void)state;
    mesh *m = up(23, NULL);
    size_t sent = 0;
    for (int i = 0; i < 500; i++) { /* through all of the setting up of the shortcut */
        send_ce1(m);
        sent++;
        assert_int_equal(m->nodes[SPOKE1].last.verdict, ROUTER_VERDICT_UNDERLAY);
        mesh_run(m, 10);
    }
    mesh_run(m, 1000);
    assert_int_equal(received(m, SPOKE2), sent);
    assert_int_equal(way(m), ROUTER_SOURCE_NHRP);
    mesh_free(m);
}

static void no_shared_key(router_config *c, size_t index)
{
    if (index == SPOKE2)
        (void)strcpy(c->peers[1].remote_key, "a key that spoke 1 does not have");
}

static void when_no_tunnel_can_be_made_the_hub_path_goes_on(void **state)
{
    (void)state;
    mesh *m = up(24, no_shared_key);
    size_t sent = 0;
    for (int i = 0; i < 300; i++) {
        send_ce1(m);
        sent++;
        mesh_run(m, 100);
    }
    assert_true(mesh_count(m, SPOKE2, ROUTER_EVENT_TUNNEL_WANTED) > 0);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_MAPPING_UP), 0);
    assert_int_equal(way(m), ROUTER_SOURCE_BGP);
    assert_int_equal(received(m, SPOKE2), sent);
    mesh_free(m);
}

static void quick_dpd(router_config *c, size_t index)
{
    (void)index;
    c->dpd_s = 2;
}

static void when_the_direct_tunnel_dies_the_hub_path_takes_over(void **state)
{
    (void)state;
    mesh *m = up(25, quick_dpd);
    shortcut(m);
    /* Spoke 2 is cut off and comes back as a new router: it knows nothing of its tunnels. */
    m->nodes[SPOKE2].cut = true;
    mesh_run(m, 200000);
    assert_int_equal(way(m), ROUTER_SOURCE_BGP);
    assert_true(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_DOWN) > 0);
    assert_true(mesh_count(m, HUB, ROUTER_EVENT_TUNNEL_DOWN) > 0);
    router_free(m->nodes[SPOKE2].r);
    memset(m->configs[SPOKE2].seed, 77, sizeof(m->configs[SPOKE2].seed));
    assert_int_equal(router_new(&m->configs[SPOKE2], m->now, &m->nodes[SPOKE2].r, NULL), ROUTER_OK);
    mesh_reset_streams(m, SPOKE2);
    m->nodes[SPOKE2].cut = false;
    mesh_run(m, 120000);
    mesh_empty(m, SPOKE2);
    send_ce1(m);
    mesh_run(m, 100);
    assert_int_equal(received(m, SPOKE2), 1);
    mesh_free(m);
}

static void a_router_that_begins_anew_is_back_within_seconds(void **state)
{
    (void)state;
    mesh *m = up(27, NULL);
    shortcut(m);
    router_free(m->nodes[SPOKE2].r);
    memset(m->configs[SPOKE2].seed, 78, sizeof(m->configs[SPOKE2].seed));
    assert_int_equal(router_new(&m->configs[SPOKE2], m->now, &m->nodes[SPOKE2].r, NULL), ROUTER_OK);
    mesh_reset_streams(m, SPOKE2);
    mesh_run(m, 15000);
    mesh_empty(m, SPOKE2);
    /* Its old tunnel with spoke 1 is still believed in there: only DPD or its IKE tells. */
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    uint8_t packet[1600];
    mesh_send(m, SPOKE2, VRF, packet, mesh_udp(packet, &ce2, &ce1, 64, false, SIZE));
    mesh_run(m, 100);
    assert_int_equal(received(m, SPOKE1), 1);
    mesh_run(m, 200000);
    send_ce1(m);
    mesh_run(m, 100);
    assert_int_equal(received(m, SPOKE2), 1);
    mesh_free(m);
}

static void few_packets(router_config *c, size_t index)
{
    (void)index;
    c->child_packets = 100;
}

static void an_sa_that_has_sealed_enough_is_rekeyed(void **state)
{
    (void)state;
    mesh *m = up(30, few_packets);
    for (int i = 0; i < 1000; i++) {
        send_ce1(m);
        mesh_run(m, 20);
    }
    assert_int_equal(received(m, SPOKE2), 1000);
    assert_in_range(mesh_count(m, SPOKE1, ROUTER_EVENT_CHILD_REKEYED), 8, 40);
    mesh_free(m);
}

/* A second hub, node 3, beside the first. */
static mesh *two_hubs(uint64_t seed)
{
    mesh *m = mesh_new(seed);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 4; i++) {
        mesh_config(c, i == 3 ? HUB : i);
        c->dpd_s = 2;
        if (i == 3) {
            (void)strcpy(c->name, "hub2");
            (void)strcpy(c->identity, "hub2.example.net");
            c->underlay = mesh_ipv4(192, 168, 1, 253, 0);
            c->tunnel = mesh_ipv4(172, 16, 1, 253, 32);
            c->bgp_id[3] = 253;
            c->vrfs[0].rd[7] = 99;
        } else if (i != HUB) {
            c->peers[2] = c->peers[1];
            c->peers[1] = c->peers[0];
            (void)strcpy(c->peers[1].identity, "hub2.example.net");
            c->peers[1].address = mesh_ipv4(192, 168, 1, 253, 0);
            c->peer_count = 3;
            c->bgp_neighbors[c->bgp_neighbor_count++] = mesh_ipv4(172, 16, 1, 253, 0);
        }
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 10000);
    return m;
}

static void when_a_hub_dies_the_other_one_carries_on(void **state)
{
    (void)state;
    for (size_t dies = 0; dies < 2; dies++) {
        mesh *m = two_hubs(28 + dies);
        const size_t hubs[] = {HUB, 3};
        assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_BGP_UP), 2);
        send_ce1(m);
        mesh_run(m, 100);
        assert_int_equal(received(m, SPOKE2), 1);
        m->nodes[hubs[dies]].cut = true;
        mesh_run(m, 100000);
        for (int i = 0; i < 20; i++) {
            send_ce1(m);
            mesh_run(m, 1000);
        }
        if (received(m, SPOKE2) != 20) {
            mesh_print(m);
            fail_msg("packets were lost after hub %u died", (unsigned)dies);
        }
        m->nodes[hubs[dies]].cut = false;
        mesh_reset_streams(m, hubs[dies]);
        mesh_run(m, 150000);
        assert_int_equal(mesh_last(m, SPOKE1, ROUTER_EVENT_BGP_UP)->address.bytes[3],
                         dies == 0 ? 254 : 253);
        mesh_empty(m, SPOKE2);
        send_ce1(m);
        mesh_run(m, 100);
        assert_int_equal(received(m, SPOKE2), 1);
        mesh_free(m);
    }
}

static void short_lives(router_config *c, size_t index)
{
    (void)index;
    c->child_lifetime_s = 10;
    c->ike_lifetime_s = 35;
}

static void rekeying_loses_no_packet(void **state)
{
    (void)state;
    mesh *m = up(26, short_lives);
    shortcut(m);
    mesh_empty(m, SPOKE2);
    size_t sent = 0;
    for (int i = 0; i < 12000; i++) {
        send_ce1(m);
        sent++;
        mesh_run(m, 10);
        if (i % 1000 == 999)
            assert_int_equal(received(m, SPOKE2), 1000);
    }
    assert_int_equal(sent, 12000);
    assert_true(mesh_count(m, SPOKE1, ROUTER_EVENT_CHILD_REKEYED) >= 10);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_DOWN), 0);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_TUNNEL_DOWN), 0);
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

static void longer_lives(router_config *c, size_t index)
{
    (void)index;
    c->child_lifetime_s = 100;
    c->ike_lifetime_s = 330;
}

static void rekeying_both_ways_at_once_ends_no_tunnel(void **state)
{
    (void)state;
    enum { SECONDS = 3000 };
    for (uint64_t seed = 70; seed < 76; seed++) {
        mesh *m = up(seed, longer_lives);
        const vnet_rules rules = {
            .delay_ms = 300, .jitter_ms = 400, .reorder_ppm = 100000, .reorder_ms = 600};
        vnet_set_rules(m->net, &rules);
        for (int i = 0; i < SECONDS; i++) {
            send_ce1(m);
            mesh_run(m, 1000);
        }
        mesh_run(m, 3000);
        if (mesh_count(m, HUB, ROUTER_EVENT_TUNNEL_DOWN) > 0 ||
            mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_DOWN) > 0 || received(m, SPOKE2) != SECONDS) {
            mesh_print(m);
            fail_msg("a tunnel ended, or packets were lost, with seed %u", (unsigned)seed);
        }
        mesh_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_tunnel_goes_while_dpd_nhrp_and_bgp_go_on),
        cmocka_unit_test(a_tunnel_in_use_stays),
        cmocka_unit_test(no_packet_waits_for_resolution),
        cmocka_unit_test(when_no_tunnel_can_be_made_the_hub_path_goes_on),
        cmocka_unit_test(when_the_direct_tunnel_dies_the_hub_path_takes_over),
        cmocka_unit_test(a_router_that_begins_anew_is_back_within_seconds),
        cmocka_unit_test(an_sa_that_has_sealed_enough_is_rekeyed),
        cmocka_unit_test(when_a_hub_dies_the_other_one_carries_on),
        cmocka_unit_test(rekeying_loses_no_packet),
        cmocka_unit_test(rekeying_both_ways_at_once_ends_no_tunnel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
