/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What must not get through, and what a router owes to packets that do not: VRFs of overlapping
 * addresses, forged labels, packets in the clear, TTL, MTU, MSS, Null0.
 */
#include "mesh.h"

#include "internal/checksum.h"
#include "router/internal.h"

#include <stdlib.h>
#include <string.h>

enum { HUB = 0, SPOKE1 = 1, SPOKE2 = 2, RED = 1, BLUE = 2, SIZE = 100 };

static void target(router_vrf_config *v, uint8_t n)
{
    const uint8_t bytes[8] = {0x00, 0x02, 0xfd, 0xe8, 0, 0, 0, n};
    memcpy(v->import_targets[0], bytes, sizeof(bytes));
    memcpy(v->export_targets[0], bytes, sizeof(bytes));
}

/* The walk with a second VRF of the very same addresses; the hub lets spoke 2 into RED only. */
static mesh *two_vrfs(uint64_t seed, bool spoke2_in_blue)
{
    mesh *m = mesh_new(seed);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 3; i++) {
        mesh_config(c, i);
        c->vrfs[1] = c->vrfs[0];
        c->vrfs[1].id = BLUE;
        c->vrfs[1].rd[7] = (uint8_t)(100 + i);
        target(&c->vrfs[1], 2);
        c->vrf_count = 2;
        for (size_t p = 0; p < c->peer_count; p++) {
            c->peers[p].vrfs[1] = BLUE;
            c->peers[p].vrf_count = 2;
        }
        if (i == HUB && !spoke2_in_blue) { /* before the wildcard: the first match counts */
            c->peers[1] = c->peers[0];
            (void)strcpy(c->peers[0].identity, "spoke2.spokes.example.net");
            c->peers[0].vrf_count = 1;
            c->peer_count = 2;
        }
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 10000);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_BGP_UP), 2);
    return m;
}

static size_t ce_packet(uint8_t *out, uint8_t ttl, bool dont_fragment, size_t size)
{
    const router_addr from = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr to = mesh_ipv4(10, 2, 2, 102, 0);
    return mesh_udp(out, &from, &to, ttl, dont_fragment, size);
}

static void a_packet_of_a_vrf_reaches_that_vrf_only(void **state)
{
    (void)state;
    mesh *m = two_vrfs(11, true);
    uint8_t packet[1600];
    mesh_packet got;
    for (int i = 0; i < 30; i++) {
        mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, false, SIZE));
        mesh_run(m, 300);
    }
    for (int i = 0; i < 30; i++)
        assert_true(mesh_take(m, SPOKE2, RED, &got));
    assert_false(mesh_take(m, SPOKE2, BLUE, &got));
    for (int i = 0; i < 7; i++) {
        mesh_send(m, SPOKE1, BLUE, packet, ce_packet(packet, 64, false, SIZE));
        mesh_run(m, 300);
    }
    assert_false(mesh_take(m, SPOKE2, RED, &got));
    for (int i = 0; i < 7; i++)
        assert_true(mesh_take(m, SPOKE2, BLUE, &got));
    for (size_t node = 0; node < 3; node++)
        assert_false(mesh_take(m, node, ROUTER_GLOBAL_VRF, &got));
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

/* Sends bytes by a tunnel to the hub as that node itself would, whatever they are. */
static router_packet forge_gre(mesh *m, size_t node, uint16_t protocol, uint8_t *buf, size_t offset,
                               size_t len)
{
    router *r = m->nodes[node].r;
    rt_tunnel *t = rt_tunnel_by_identity(r, "hub.example.net");
    assert_non_null(t);
    router_path path;
    assert_int_equal(
        rt_send_tunnel(r, NULL, r->worker_count, t, protocol, buf, 2048, &offset, &len, &path),
        ROUTER_DROP_NONE);
    router_path arrival = {.local = path.peer, .peer = path.local, .transport = path.transport};
    return mesh_inject(m, HUB, &arrival, buf + offset, len);
}

static void forge(mesh *m, size_t node, uint32_t label, const uint8_t *ip, size_t len)
{
    uint8_t buf[2048];
    const size_t offset = ROUTER_HEADROOM;
    memcpy(buf + offset + 4, ip, len);
    buf[offset] = (uint8_t)(label >> 12);
    buf[offset + 1] = (uint8_t)(label >> 4);
    buf[offset + 2] = (uint8_t)(label << 4 | 1);
    buf[offset + 3] = 64;
    (void)forge_gre(m, node, GRE_PROTOCOL_MPLS, buf, offset, len + 4);
}

static uint64_t dropped(const mesh *m, size_t node, int32_t reason)
{
    router_stats stats;
    router_get_stats(m->nodes[node].r, &stats);
    return stats.dropped[reason];
}

static void a_label_of_a_vrf_that_the_peer_may_not_enter_is_dropped_and_counted(void **state)
{
    (void)state;
    mesh *m = two_vrfs(12, false);
    uint8_t packet[1600];
    const size_t len = ce_packet(packet, 64, false, SIZE);
    const router_addr summary = mesh_ipv4(10, 0, 0, 0, 8);
    const rt_label *blue = rt_label_of_prefix(m->nodes[HUB].r, BLUE, &summary);
    assert_non_null(blue);
    router_stats before;
    router_stats after;
    router_get_stats(m->nodes[HUB].r, &before);
    forge(m, SPOKE2, blue->label, packet, len);
    assert_int_equal(dropped(m, HUB, ROUTER_DROP_NOT_ALLOWED), 1);
    forge(m, SPOKE2, 900000, packet, len); /* nobody's */
    forge(m, SPOKE2, 14, packet, len);     /* special-purpose */
    assert_int_equal(dropped(m, HUB, ROUTER_DROP_NO_LABEL),
                     before.dropped[ROUTER_DROP_NO_LABEL] + 2);
    router_get_stats(m->nodes[HUB].r, &after);
    assert_int_equal(after.transit, before.transit);
    assert_int_equal(after.from_tunnel, before.from_tunnel);
    mesh_free(m);
}

static void a_peer_gets_no_packets_of_a_vrf_that_it_may_not_enter(void **state)
{
    (void)state;
    mesh *m = two_vrfs(24, false); /* spoke 2 announces 10.2.2.0/24 in BLUE all the same */
    const router_addr to = mesh_ipv4(10, 2, 2, 102, 0);
    router_route route;
    assert_int_equal(router_get_route(m->nodes[HUB].r, RED, &to, &route), ROUTER_OK);
    assert_int_equal(route.prefix.prefix_len, 24);
    assert_int_equal(router_get_route(m->nodes[HUB].r, BLUE, &to, &route), ROUTER_OK);
    assert_int_equal(route.prefix.prefix_len, 8); /* Null0 */
    uint8_t packet[1600];
    mesh_packet got;
    mesh_send(m, SPOKE1, BLUE, packet, ce_packet(packet, 64, false, SIZE));
    mesh_run(m, 100);
    assert_false(mesh_take(m, SPOKE2, BLUE, &got));
    assert_int_equal(dropped(m, HUB, ROUTER_DROP_DISCARD), 1);
    mesh_free(m);
}

static void what_is_not_of_a_tunnel_is_dropped(void **state)
{
    (void)state;
    mesh *m = two_vrfs(13, true);
    const router_path clear = {.local = mesh_ipv4(192, 168, 1, 254, 0),
                               .peer = mesh_ipv4(192, 168, 1, 1, 0),
                               .transport = ROUTER_TRANSPORT_GRE};
    const uint8_t gre[] = {0, 0, 0x88, 0x47, 0, 1, 0x01, 64, 0x45};
    router_packet p = mesh_inject(m, HUB, &clear, gre, sizeof(gre));
    assert_int_equal(p.verdict, ROUTER_VERDICT_DROP);
    assert_int_equal(p.reason, ROUTER_DROP_NOT_LATCHED);

    router_path udp = clear;
    udp.transport = ROUTER_TRANSPORT_UDP;
    udp.local.port = udp.peer.port = 4500;
    uint8_t esp[64] = {0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1};
    p = mesh_inject(m, HUB, &udp, esp, sizeof(esp));
    assert_int_equal(p.reason, ROUTER_DROP_NO_SA);

    /* One bit of a true packet, and the same packet twice. */
    uint8_t packet[1600];
    uint8_t buffer[2048];
    memset(buffer, 0, sizeof(buffer));
    const size_t len = ce_packet(packet, 64, false, SIZE);
    memcpy(buffer + ROUTER_HEADROOM, packet, len);
    router_packet out = {.buf = buffer,
                         .cap = sizeof(buffer),
                         .offset = ROUTER_HEADROOM,
                         .len = len,
                         .port = ROUTER_PORT_TUN,
                         .vrf = RED};
    (void)router_rx_batch(m->nodes[SPOKE1].r, 0, m->now, &out, 1);
    assert_int_equal(out.verdict, ROUTER_VERDICT_UNDERLAY);
    router_path arrival = {
        .local = out.path.peer, .peer = out.path.local, .transport = out.path.transport};
    uint8_t sealed[2048];
    memcpy(sealed, buffer + out.offset, out.len);
    sealed[out.len - 1] ^= 1;
    p = mesh_inject(m, HUB, &arrival, sealed, out.len);
    assert_int_equal(p.reason, ROUTER_DROP_AUTH);
    sealed[out.len - 1] ^= 1;
    p = mesh_inject(m, HUB, &arrival, sealed, out.len);
    assert_int_equal(p.verdict, ROUTER_VERDICT_UNDERLAY);
    p = mesh_inject(m, HUB, &arrival, sealed, out.len);
    assert_int_equal(p.reason, ROUTER_DROP_AUTH);
    mesh_free(m);
}

static void unlabelled_packets_stay_in_the_global_vrf_with_their_own_source(void **state)
{
    (void)state;
    mesh *m = two_vrfs(21, true);
    uint8_t buf[2048];
    const size_t at = ROUTER_HEADROOM;
    const router_addr hub = mesh_ipv4(172, 16, 1, 254, 0);
    const router_addr spoke1 = mesh_ipv4(172, 16, 1, 1, 0);
    const router_addr spoke2 = mesh_ipv4(172, 16, 1, 2, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    size_t len = mesh_udp(buf + at, &spoke1, &hub, 64, false, SIZE);
    router_packet p = forge_gre(m, SPOKE1, GRE_PROTOCOL_IPV4, buf, at, len);
    assert_int_equal(p.verdict, ROUTER_VERDICT_TUN);
    assert_int_equal(p.vrf, ROUTER_GLOBAL_VRF);
    len = mesh_udp(buf + at, &spoke2, &hub, 64, false, SIZE); /* another's address */
    p = forge_gre(m, SPOKE1, GRE_PROTOCOL_IPV4, buf, at, len);
    assert_int_equal(p.reason, ROUTER_DROP_NOT_LATCHED);
    len = mesh_udp(buf + at, &hub, &hub, 64, false, SIZE); /* the hub's own */
    p = forge_gre(m, SPOKE1, GRE_PROTOCOL_IPV4, buf, at, len);
    assert_int_equal(p.reason, ROUTER_DROP_NOT_LATCHED);
    len = mesh_udp(buf + at, &spoke1, &ce2, 64, false, SIZE); /* a customer */
    p = forge_gre(m, SPOKE1, GRE_PROTOCOL_IPV4, buf, at, len);
    assert_int_equal(p.reason, ROUTER_DROP_NO_ROUTE);
    len = mesh_udp(buf + at, &spoke1, &hub, 64, false, SIZE); /* another protocol */
    p = forge_gre(m, SPOKE1, 0x6558, buf, at, len);
    assert_int_equal(p.reason, ROUTER_DROP_MALFORMED);
    mesh_free(m);
}

static void what_has_no_route_is_dropped_and_null0_is_silent(void **state)
{
    (void)state;
    mesh *m = two_vrfs(14, true);
    uint8_t packet[1600];
    const router_addr from = mesh_ipv4(10, 1, 1, 101, 0);
    router_addr to = mesh_ipv4(192, 0, 2, 1, 0);
    mesh_send(m, SPOKE1, RED, packet, mesh_udp(packet, &from, &to, 64, false, SIZE));
    assert_int_equal(m->nodes[SPOKE1].last.reason, ROUTER_DROP_NO_ROUTE);
    to = mesh_ipv4(10, 77, 0, 1, 0); /* only the hub's summary covers it */
    mesh_send(m, SPOKE1, RED, packet, mesh_udp(packet, &from, &to, 64, false, SIZE));
    assert_int_equal(m->nodes[SPOKE1].last.verdict, ROUTER_VERDICT_UNDERLAY);
    mesh_run(m, 2000);
    assert_int_equal(dropped(m, HUB, ROUTER_DROP_DISCARD), 1);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REDIRECT_SENT), 0);
    mesh_packet got;
    assert_false(mesh_take(m, SPOKE1, RED, &got));
    mesh_free(m);
}

static void a_spent_ttl_is_answered_by_the_node_where_it_ended(void **state)
{
    (void)state;
    mesh *m = two_vrfs(15, true);
    uint8_t packet[1600];
    mesh_packet got;
    /* RFC 792: type 11, code 0, from an address of the router in that VRF. */
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 1, false, SIZE));
    assert_true(mesh_take(m, SPOKE1, RED, &got));
    assert_int_equal(got.bytes[9], 1);
    assert_int_equal(got.bytes[20], 11);
    assert_memory_equal(got.bytes + 12, "\x0a\x01\x01\x01", 4);
    assert_memory_equal(got.bytes + 16, "\x0a\x01\x01\x65", 4);
    /* At the hub, and back through the tunnel, encrypted. */
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 2, false, SIZE));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE1, RED, &got));
    assert_int_equal(got.bytes[20], 11);
    assert_memory_equal(got.bytes + 12, "\xac\x10\x01\xfe", 4); /* 172.16.1.254: it has no other */
    /* Behind the last one: it is for who stands behind the TUN to say. */
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 3, false, SIZE));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE2, RED, &got));
    assert_int_equal(got.bytes[8], 1);
    assert_int_equal(dropped(m, SPOKE1, ROUTER_DROP_TTL), 1);
    assert_int_equal(dropped(m, HUB, ROUTER_DROP_TTL), 1);
    assert_int_equal(dropped(m, SPOKE2, ROUTER_DROP_TTL), 0);
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

static void a_packet_that_may_not_be_fragmented_is_answered_with_the_mtu(void **state)
{
    (void)state;
    mesh *m = two_vrfs(16, true);
    uint8_t packet[1600];
    mesh_packet got;
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, true, 1401));
    assert_true(mesh_take(m, SPOKE1, RED, &got));
    assert_int_equal(got.bytes[20], 3); /* RFC 1191: type 3, code 4 */
    assert_int_equal(got.bytes[21], 4);
    assert_int_equal(got.bytes[26] << 8 | got.bytes[27], 1400);
    assert_int_equal(dropped(m, SPOKE1, ROUTER_DROP_TOO_BIG), 1);
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, true, 1400));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE2, RED, &got));
    assert_int_equal(got.len, 1400);
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, false, 1450)); /* the underlay cuts */
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE2, RED, &got));
    assert_int_equal(got.len, 1450);
    mesh_free(m);
}

static void icmp_errors_are_limited(void **state)
{
    (void)state;
    mesh *m = two_vrfs(17, true);
    uint8_t packet[1600];
    mesh_packet got;
    size_t answers = 0;
    for (int i = 0; i < 1000; i++)
        mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 1, false, SIZE));
    while (mesh_take(m, SPOKE1, RED, &got))
        answers++;
    assert_in_range(answers, 1, 100);
    assert_int_equal(dropped(m, SPOKE1, ROUTER_DROP_TTL), 1000);
    mesh_free(m);
}

static void the_mss_of_a_syn_is_lowered_to_what_fits(void **state)
{
    (void)state;
    mesh *m = two_vrfs(18, true);
    uint8_t packet[1600];
    mesh_packet got;
    const router_addr from = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr to = mesh_ipv4(10, 2, 2, 102, 0);
    mesh_send(m, SPOKE1, RED, packet, mesh_tcp_syn(packet, &from, &to, 1460));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE2, RED, &got));
    assert_int_equal(got.bytes[42] << 8 | got.bytes[43], 1360); /* 1400 less 40: RFC 6691 */
    uint64_t sum = checksum_add(0, got.bytes + 12, 8);
    sum += 6 + 24;
    assert_int_equal(checksum_end(checksum_add(sum, got.bytes + 20, 24)), 0);
    mesh_send(m, SPOKE1, RED, packet, mesh_tcp_syn(packet, &from, &to, 1200));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE2, RED, &got));
    assert_int_equal(got.bytes[42] << 8 | got.bytes[43], 1200);
    mesh_free(m);
}

static void a_route_beyond_the_authorization_is_refused_and_told(void **state)
{
    (void)state;
    mesh *m = mesh_new(19);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 2; i++) {
        mesh_config(c, i);
        if (i == 1)
            c->tunnel = mesh_ipv4(172, 31, 0, 1, 32); /* the hub allows 172.16.1.0/24 */
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 5000);
    const router_event *ev = mesh_last(m, HUB, ROUTER_EVENT_ROUTE_REFUSED);
    assert_non_null(ev);
    assert_int_equal(ev->prefix.bytes[1], 31);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_PUSHED_ROUTE), 0);
    const router_addr to = mesh_ipv4(172, 31, 0, 1, 0);
    router_route route;
    assert_int_equal(router_get_route(m->nodes[HUB].r, ROUTER_GLOBAL_VRF, &to, &route),
                     ROUTER_ERR_ABSENT);
    mesh_free(m);
}

static void a_redirect_about_packets_that_never_were_is_refused(void **state)
{
    (void)state;
    mesh *m = two_vrfs(22, true);
    router *hub = m->nodes[HUB].r;
    const rt_tunnel *in = rt_tunnel_by_identity(hub, "spoke1.spokes.example.net");
    const rt_tunnel *out = rt_tunnel_by_identity(hub, "spoke2.spokes.example.net");
    const router_addr summary = mesh_ipv4(10, 0, 0, 0, 8);
    const uint32_t label = rt_label_of_prefix(hub, RED, &summary)->label;
    uint8_t quote[64];
    const router_addr from = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr to = mesh_ipv4(10, 2, 2, 102, 0);
    (void)mesh_udp(quote, &from, &to, 64, false, sizeof(quote));
    assert_int_equal(nhrp_engine_hairpin(hub->nhrp, m->now, in->slot, out->slot, &label, 1, quote,
                                         sizeof(quote)),
                     NHRP_OK);
    mesh_run(m, 3000);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REDIRECT_SENT), 1);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_REDIRECT_HEARD), 0);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_MAPPING_INCOMPLETE), 0);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_REFUSED), 1);
    mesh_free(m);
}

static void a_reply_is_cut_down_to_what_covers_no_route_of_our_own(void **state)
{
    (void)state;
    mesh *m = mesh_new(23);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 3; i++) {
        mesh_config(c, i);
        if (i == SPOKE1) /* a part of spoke 2's 10.2.2.0/24 is behind spoke 1 */
            c->vrfs[0].connected[c->vrfs[0].connecteds++] = mesh_ipv4(10, 2, 2, 192, 26);
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 10000);
    uint8_t packet[1600];
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    const router_addr mine = mesh_ipv4(10, 2, 2, 200, 0);
    for (int i = 0; i < 3; i++) {
        mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, false, SIZE));
        mesh_run(m, 1000);
    }
    router_route route;
    assert_int_equal(router_get_route(m->nodes[SPOKE1].r, RED, &ce2, &route), ROUTER_OK);
    assert_int_equal(route.source, ROUTER_SOURCE_NHRP);
    assert_int_equal(route.prefix.prefix_len, 25);
    assert_int_equal(router_get_route(m->nodes[SPOKE1].r, RED, &mine, &route), ROUTER_OK);
    assert_int_equal(route.source, ROUTER_SOURCE_CONNECTED);
    mesh_free(m);
}

/*
 * Spoke 1 has the same addresses in two VRFs, and the hub's VRF imports both: which of the two
 * labels names the VRF of the packet, the hub cannot know.
 */
static void a_source_with_labels_that_differ_is_not_redirected(void **state)
{
    (void)state;
    for (int both = 0; both <= 1; both++) {
        mesh *m = mesh_new(25);
        router_config *c = calloc(1, sizeof(*c));
        assert_non_null(c);
        for (size_t i = 0; i < 3; i++) {
            mesh_config(c, i);
            if (i == SPOKE1) {
                c->vrfs[1] = c->vrfs[0];
                c->vrfs[1].id = BLUE;
                c->vrfs[1].rd[7] = 101;
                if (!both)
                    target(&c->vrfs[1], 2); /* the hub does not import it */
                else
                    c->vrfs[1].connected[0].prefix_len = 16; /* whatever is the longer one */
                c->vrf_count = 2;
            }
            (void)mesh_add(m, c);
        }
        free(c);
        mesh_run(m, 10000);
        uint8_t packet[1600];
        mesh_packet got;
        for (int i = 0; i < 3; i++) {
            mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, false, SIZE));
            mesh_run(m, 1000);
            assert_true(mesh_take(m, SPOKE2, RED, &got));
        }
        assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REDIRECT_SENT), both ? 0 : 1);
        mesh_free(m);
    }
}

static void random_packets_on_each_port_harm_nothing(void **state)
{
    (void)state;
    mesh *m = two_vrfs(20, true);
    prng p = {20};
    uint8_t bytes[256];
    for (int i = 0; i < 20000; i++) {
        const size_t len = 1 + prng_below(&p, sizeof(bytes));
        prng_bytes(&p, bytes, len);
        if (prng_below(&p, 2)) {
            bytes[0] = prng_below(&p, 2) ? 0x45 : 0x60;
            mesh_send(m, SPOKE1, prng_below(&p, 4), bytes, len);
        } else {
            router_path path = {.local = mesh_ipv4(192, 168, 1, 1, 0),
                                .peer = mesh_ipv4(192, 168, 1, 254, 0),
                                .transport = prng_below(&p, 2) ? ROUTER_TRANSPORT_UDP
                                                               : ROUTER_TRANSPORT_ESP};
            path.local.port = path.peer.port = prng_below(&p, 2) ? 500 : 4500;
            const router_packet out = mesh_inject(m, SPOKE1, &path, bytes, len);
            if (out.verdict == ROUTER_VERDICT_CONTROL)
                (void)router_control_input(m->nodes[SPOKE1].r, m->now, &out);
        }
    }
    mesh_empty(m, SPOKE1);
    uint8_t packet[1600];
    mesh_packet got;
    mesh_send(m, SPOKE1, RED, packet, ce_packet(packet, 64, false, SIZE));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE2, RED, &got));
    mesh_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_of_a_vrf_reaches_that_vrf_only),
        cmocka_unit_test(a_label_of_a_vrf_that_the_peer_may_not_enter_is_dropped_and_counted),
        cmocka_unit_test(a_peer_gets_no_packets_of_a_vrf_that_it_may_not_enter),
        cmocka_unit_test(what_is_not_of_a_tunnel_is_dropped),
        cmocka_unit_test(unlabelled_packets_stay_in_the_global_vrf_with_their_own_source),
        cmocka_unit_test(what_has_no_route_is_dropped_and_null0_is_silent),
        cmocka_unit_test(a_spent_ttl_is_answered_by_the_node_where_it_ended),
        cmocka_unit_test(a_packet_that_may_not_be_fragmented_is_answered_with_the_mtu),
        cmocka_unit_test(icmp_errors_are_limited),
        cmocka_unit_test(the_mss_of_a_syn_is_lowered_to_what_fits),
        cmocka_unit_test(a_route_beyond_the_authorization_is_refused_and_told),
        cmocka_unit_test(a_redirect_about_packets_that_never_were_is_refused),
        cmocka_unit_test(a_reply_is_cut_down_to_what_covers_no_route_of_our_own),
        cmocka_unit_test(a_source_with_labels_that_differ_is_not_redirected),
        cmocka_unit_test(random_packets_on_each_port_harm_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
