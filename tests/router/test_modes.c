/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same node otherwise: a reflecting hub, IPv6 inside and outside, raw ESP, passwords, a bad
 * underlay, several workers. And what the functions say to wrong arguments.
 */
#include "mesh.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HUB = 0, SPOKE1 = 1, SPOKE2 = 2, VRF = 1, SIZE = 100 };

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
    return m;
}

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

static uint8_t way(const mesh *m)
{
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    router_route route;
    return router_get_route(m->nodes[SPOKE1].r, VRF, &ce2, &route) == ROUTER_OK ? route.source : 0;
}

/* Packets one by one until the way is direct; each must arrive, whichever way it goes. */
static void talk_until_direct(mesh *m)
{
    size_t sent = 0;
    while (sent < 20 && way(m) != ROUTER_SOURCE_NHRP) {
        send_ce1(m);
        sent++;
        mesh_run(m, 1000);
    }
    if (way(m) != ROUTER_SOURCE_NHRP || received(m, SPOKE2) != sent) {
        mesh_print(m);
        fail_msg("no shortcut, or packets were lost");
    }
}

static void reflecting(router_config *c, size_t index)
{
    if (index == HUB) {
        c->bgp_reflector = true;
        c->vrfs[0].discards = 0; /* no summary: each prefix has a label of the hub's */
    }
}

static void a_reflecting_hub_swaps_labels_and_still_redirects(void **state)
{
    (void)state;
    mesh *m = up(31, reflecting);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    router_route route;
    const int32_t rc = router_get_route(m->nodes[SPOKE1].r, VRF, &ce2, &route);
    if (rc != ROUTER_OK || route.prefix.prefix_len != 24 || route.via.bytes[3] != 254) {
        mesh_print(m);
        fail_msg("no reflected route");
    }
    const uint32_t by_hub = route.label;
    talk_until_direct(m);
    assert_int_equal(router_get_route(m->nodes[SPOKE1].r, VRF, &ce2, &route), ROUTER_OK);
    assert_int_not_equal(route.label, by_hub);
    assert_int_equal(mesh_last(m, SPOKE2, ROUTER_EVENT_LOCAL_LABEL)->label, route.label);
    const uint64_t hub = m->between[SPOKE1][HUB];
    send_ce1(m);
    mesh_run(m, 100);
    assert_int_equal(m->between[SPOKE1][HUB], hub);
    assert_int_equal(received(m, SPOKE2), 1);
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

static void raw_esp(router_config *c, size_t index)
{
    (void)index;
    c->force_encapsulation = false;
}

static void without_a_nat_esp_may_go_bare(void **state)
{
    (void)state;
    mesh *m = up(32, raw_esp);
    send_ce1(m);
    assert_int_equal(m->nodes[SPOKE1].last.path.transport, ROUTER_TRANSPORT_ESP);
    assert_int_equal(m->nodes[SPOKE1].last.path.local.port, 0);
    mesh_run(m, 100);
    assert_int_equal(received(m, SPOKE2), 1);
    talk_until_direct(m);
    mesh_free(m);
}

static void same_password(router_config *c, size_t index)
{
    (void)index;
    (void)strcpy(c->nhrp_authentication, "secret");
}

static void other_password(router_config *c, size_t index)
{
    (void)strcpy(c->nhrp_authentication, index == HUB ? "secret" : "guess");
}

static void nhrp_passwords_must_agree(void **state)
{
    (void)state;
    mesh *m = up(33, same_password);
    talk_until_direct(m);
    mesh_free(m);
    m = up(34, other_password);
    for (int i = 0; i < 10; i++) {
        send_ce1(m);
        mesh_run(m, 1000);
    }
    assert_int_equal(way(m), ROUTER_SOURCE_BGP);
    assert_int_equal(received(m, SPOKE2), 10);
    assert_true(mesh_count(m, SPOKE1, ROUTER_EVENT_REFUSED) > 0);
    mesh_free(m);
}

static router_addr six(uint16_t net, uint16_t host, uint8_t bits)
{
    router_addr a = {.family = ROUTER_FAMILY_IPV6, .prefix_len = bits, .bytes = {0xfd}};
    a.bytes[2] = (uint8_t)(net >> 8);
    a.bytes[3] = (uint8_t)net;
    a.bytes[14] = (uint8_t)(host >> 8);
    a.bytes[15] = (uint8_t)host;
    return a;
}

static void with_ipv6_inside(router_config *c, size_t index)
{
    router_vrf_config *v = &c->vrfs[0];
    if (index == HUB)
        v->discard[v->discards++] = six(0, 0, 16);
    else
        v->connected[v->connecteds++] = six((uint16_t)index, 1, 64);
}

static size_t ipv6_udp(uint8_t *out, const router_addr *from, const router_addr *to)
{
    memset(out, 0, SIZE);
    out[0] = 0x60;
    out[5] = SIZE - 40;
    out[6] = 17;
    out[7] = 64;
    memcpy(out + 8, from->bytes, 16);
    memcpy(out + 24, to->bytes, 16);
    out[45] = SIZE - 40;
    memcpy(out + 48, MESH_MARKER, strlen(MESH_MARKER));
    return SIZE;
}

static void ipv6_customers_have_the_same_walk(void **state)
{
    (void)state;
    mesh *m = up(35, with_ipv6_inside);
    const router_addr ce1 = six(1, 0x101, 0);
    const router_addr ce2 = six(2, 0x102, 0);
    uint8_t packet[SIZE];
    router_route route;
    memset(&route, 0, sizeof(route));
    size_t sent = 0;
    while (sent < 20 && route.source != ROUTER_SOURCE_NHRP) {
        mesh_send(m, SPOKE1, VRF, packet, ipv6_udp(packet, &ce1, &ce2));
        sent++;
        mesh_run(m, 1000);
        if (router_get_route(m->nodes[SPOKE1].r, VRF, &ce2, &route) != ROUTER_OK) {
            mesh_print(m);
            fail_msg("no IPv6 route");
        }
    }
    assert_int_equal(received(m, SPOKE2), sent);
    if (route.source != ROUTER_SOURCE_NHRP)
        mesh_print(m);
    assert_int_equal(route.source, ROUTER_SOURCE_NHRP);
    assert_int_equal(route.prefix.prefix_len, 64);
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

static void ipv6_underlay(router_config *c, size_t index)
{
    c->underlay = six(0xffff, index == HUB ? 254 : (uint16_t)index, 0);
    if (index != HUB)
        c->peers[0].address = six(0xffff, 254, 0);
}

static void the_underlay_may_be_ipv6(void **state)
{
    (void)state;
    mesh *m = up(36, ipv6_underlay);
    talk_until_direct(m);
    mesh_free(m);
}

static void tunnel_addresses_reach_each_other_in_the_global_vrf(void **state)
{
    (void)state;
    mesh *m = up(37, NULL);
    uint8_t packet[1600];
    mesh_packet got;
    const router_addr spoke1 = mesh_ipv4(172, 16, 1, 1, 0);
    const router_addr hub = mesh_ipv4(172, 16, 1, 254, 0);
    mesh_send(m, SPOKE1, ROUTER_GLOBAL_VRF, packet,
              mesh_udp(packet, &spoke1, &hub, 64, false, SIZE));
    mesh_run(m, 100);
    assert_true(mesh_take(m, HUB, ROUTER_GLOBAL_VRF, &got));
    assert_int_equal(got.len, SIZE);
    mesh_send(m, HUB, ROUTER_GLOBAL_VRF, packet, mesh_udp(packet, &hub, &spoke1, 64, false, SIZE));
    mesh_run(m, 100);
    assert_true(mesh_take(m, SPOKE1, ROUTER_GLOBAL_VRF, &got));
    /* And no customer's VRF is to be reached from there. */
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    mesh_send(m, SPOKE1, ROUTER_GLOBAL_VRF, packet,
              mesh_udp(packet, &spoke1, &ce2, 64, false, SIZE));
    assert_int_equal(m->nodes[SPOKE1].last.reason, ROUTER_DROP_NO_ROUTE);
    mesh_free(m);
}

static void a_bad_underlay_delays_but_does_not_break(void **state)
{
    (void)state;
    for (uint64_t seed = 40; seed < 46; seed++) {
        mesh *m = mesh_walk(seed);
        const vnet_rules rules = {.loss_ppm = 150000,
                                  .duplicate_ppm = 100000,
                                  .reorder_ppm = 200000,
                                  .delay_ms = 20,
                                  .jitter_ms = 10,
                                  .reorder_ms = 300};
        vnet_set_rules(m->net, &rules);
        m->corrupt_ppm = 100000;
        mesh_run(m, 60000);
        for (int i = 0; i < 200; i++) {
            send_ce1(m);
            mesh_run(m, 250);
        }
        const vnet_rules good = {.delay_ms = 5};
        vnet_set_rules(m->net, &good);
        m->corrupt_ppm = 0;
        mesh_run(m, 120000);
        mesh_empty(m, SPOKE2);
        for (int i = 0; i < 20; i++) {
            send_ce1(m);
            mesh_run(m, 1000);
        }
        assert_int_equal(received(m, SPOKE2), 20);
        assert_int_equal(m->leaks, 0);
        mesh_free(m);
    }
}

static void a_spoke_behind_a_nat_gets_its_shortcut_by_calling_itself(void **state)
{
    (void)state;
    for (size_t hidden = SPOKE1; hidden <= SPOKE2; hidden++) {
        mesh *m = mesh_walk(38);
        m->nodes[hidden].nat = mesh_ipv4(203, 0, 113, 7, 0);
        mesh_run(m, 15000);
        assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_BGP_UP), 2);
        assert_int_equal(mesh_last(m, hidden, ROUTER_EVENT_TUNNEL_UP)->remote.bytes[3], 254);
        size_t sent = 0;
        while (sent < 100 && way(m) != ROUTER_SOURCE_NHRP) {
            send_ce1(m);
            sent++;
            mesh_run(m, 1000);
        }
        if (way(m) != ROUTER_SOURCE_NHRP || received(m, SPOKE2) != sent) {
            mesh_print(m);
            fail_msg("no shortcut for spoke %u behind a NAT", (unsigned)hidden);
        }
        mesh_free(m);
    }
}

/* ---- Keys for a capture's reader ---- */

typedef struct keys {
    size_t esp, ike;
    char last[1024];
} keys;

static void note_key(void *user, int kind, const char *line)
{
    keys *k = user;
    if (kind == ROUTER_KEYLOG_ESP) {
        k->esp++;
        (void)snprintf(k->last, sizeof(k->last), "%s", line);
    } else {
        k->ike++;
    }
}

static void the_key_log_has_a_line_for_each_sa(void **state)
{
    (void)state;
    mesh *m = mesh_walk(47);
    keys k = {0};
    router_set_keylog(m->nodes[SPOKE1].r, note_key, &k);
    mesh_run(m, 10000);
    assert_int_equal(k.ike, 1);
    assert_int_equal(k.esp, 2); /* in and out */
    /* Wireshark's esp_sa: protocol, source, destination, SPI, cipher, key and salt, none. */
    char spi[11];
    char key[43];
    char rest[8];
    assert_int_equal(sscanf(k.last,
                            "\"IPv4\",\"192.168.1.1\",\"192.168.1.254\",\"%10[0-9a-fx]\","
                            "\"AES-GCM with 16 octet ICV [RFC4106]\",\"%42[0-9a-fx]\",\"NULL\",%7s",
                            spi, key, rest),
                     3);
    assert_int_equal(strlen(spi), 10);
    assert_int_equal(strlen(key), 42); /* 0x, 16 bytes of key and 4 of salt */
    assert_string_equal(rest, "\"\"");
    mesh_free(m);
}

/* ---- Several workers ---- */

typedef struct worker {
    router *r;
    router *hub;
    uint32_t number;
    _Atomic uint64_t *now;
    atomic_bool *stop;
    _Atomic uint64_t sent;
    _Atomic uint64_t passed; /* by the hub, towards spoke 2 */
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    uint8_t packet[1600];
    uint8_t buffer[4096];
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    const size_t len = mesh_udp(packet, &ce1, &ce2, 64, false, SIZE);
    while (!atomic_load(w->stop)) {
        memcpy(buffer + ROUTER_HEADROOM, packet, len);
        router_packet p = {.buf = buffer,
                           .cap = sizeof(buffer),
                           .offset = ROUTER_HEADROOM,
                           .len = len,
                           .port = ROUTER_PORT_TUN,
                           .vrf = VRF};
        (void)router_rx_batch(w->r, w->number, atomic_load(w->now), &p, 1);
        if (p.verdict != ROUTER_VERDICT_UNDERLAY)
            continue;
        w->sent++;
        if (p.path.peer.bytes[3] != 254)
            continue; /* by the shortcut */
        const router_path way_there = p.path;
        p.path.local = way_there.peer;
        p.path.peer = way_there.local;
        p.port = ROUTER_PORT_UNDERLAY;
        (void)router_rx_batch(w->hub, w->number, atomic_load(w->now), &p, 1);
        w->passed += p.verdict == ROUTER_VERDICT_UNDERLAY;
    }
    return NULL;
}

static void busy(router_config *c, size_t index)
{
    c->workers = index == SPOKE2 ? 1 : 3;
    c->idle_ms = 8000;
    c->child_lifetime_s = 5;
    c->ike_lifetime_s = 12;
}

static void workers_go_on_while_keys_and_routes_change(void **state)
{
    (void)state;
    mesh *m = up(48, busy);
    _Atomic uint64_t now = m->now;
    atomic_bool stop = false;
    worker workers[2];
    pthread_t threads[2];
    for (uint32_t i = 0; i < 2; i++) {
        workers[i].r = m->nodes[SPOKE1].r;
        workers[i].hub = m->nodes[HUB].r;
        workers[i].number = i + 1;
        workers[i].now = &now;
        workers[i].stop = &stop;
        workers[i].sent = workers[i].passed = 0;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < 2; i++)
        while (atomic_load(&workers[i].passed) == 0)
            (void)sched_yield();
    /* Worker 0 is this thread, which is the control thread too: rekeying, a shortcut that comes and
     * is cleared; hundreds of SAs in all. */
    for (int i = 0; i < 300; i++) {
        send_ce1(m);
        mesh_run(m, 500);
        atomic_store(&now, m->now);
        router_tunnel t;
        uint64_t it = 0;
        while (i % 40 == 39 && router_next_tunnel(m->nodes[SPOKE1].r, &it, &t) == ROUTER_YES)
            if (t.dynamic)
                assert_int_equal(router_clear_tunnel(m->nodes[SPOKE1].r, m->now, t.id), ROUTER_OK);
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].sent >= workers[i].passed);
    }
    assert_true(mesh_count(m, SPOKE1, ROUTER_EVENT_CHILD_REKEYED) > 20);
    mesh_empty(m, SPOKE2);
    send_ce1(m);
    mesh_run(m, 100);
    assert_int_equal(received(m, SPOKE2), 1);
    mesh_free(m);
}

/* ---- Arguments ---- */

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    mesh *m = mesh_walk(49);
    router *r = m->nodes[0].r;
    router_packet p = {.buf = NULL};
    router_output out;
    router_event ev;
    router_route route;
    router_stats stats;
    router_addr a = mesh_ipv4(10, 0, 0, 1, 0);
    uint64_t stream;
    size_t consumed;
    static uint8_t buf[ROUTER_OUTPUT_BYTES];
    router_config_init(NULL);
    router_free(NULL);
    assert_int_equal(router_rx_batch(NULL, 0, 0, &p, 1), ROUTER_ERR_ARG);
    assert_int_equal(router_rx_batch(r, 1, 0, &p, 1), ROUTER_ERR_ARG);
    assert_int_equal(router_rx_batch(r, 0, 0, NULL, 1), ROUTER_ERR_ARG);
    assert_int_equal(router_rx_batch(r, 0, 0, NULL, 0), ROUTER_OK);
    (void)router_rx_batch(r, 0, 0, &p, 1);
    assert_int_equal(p.verdict, ROUTER_VERDICT_DROP);
    assert_int_equal(router_control_input(NULL, 0, &p), ROUTER_ERR_ARG);
    assert_int_equal(router_control_input(r, 0, NULL), ROUTER_ERR_ARG);
    assert_int_equal(router_control_input(r, 0, &p), ROUTER_ERR_ARG);
    assert_int_equal(router_timeout(NULL, 0), ROUTER_ERR_ARG);
    assert_true(router_deadline(NULL) == ROUTER_NEVER);
    assert_int_equal(router_stream_accept(r, 0, NULL, &a, &stream), ROUTER_ERR_ARG);
    assert_int_equal(router_stream_accept(r, 0, &a, NULL, &stream), ROUTER_ERR_ARG);
    assert_int_equal(router_stream_accept(r, 0, &a, &a, NULL), ROUTER_ERR_ARG);
    assert_int_equal(router_stream_accept(r, 0, &a, &a, &stream), ROUTER_ERR_ABSENT);
    assert_int_equal(router_stream_up(r, 0, 99, &a), ROUTER_ERR_ABSENT);
    assert_int_equal(router_stream_up(r, 0, 99, NULL), ROUTER_ERR_ARG);
    assert_int_equal(router_stream_down(r, 0, 99), ROUTER_ERR_ABSENT);
    assert_int_equal(router_stream_down(NULL, 0, 99), ROUTER_ERR_ARG);
    assert_int_equal(router_stream_input(r, 0, 99, buf, 1, &consumed), ROUTER_ERR_ABSENT);
    assert_int_equal(router_stream_input(r, 0, 99, NULL, 1, &consumed), ROUTER_ERR_ARG);
    assert_int_equal(router_stream_credit(r, 0, 99, 1), ROUTER_ERR_ABSENT);
    assert_int_equal(router_poll_output(r, 0, NULL, 0, &out), ROUTER_ERR_ARG);
    assert_int_equal(router_poll_output(r, 0, buf, 10, &out), ROUTER_ERR_BUFFER);
    assert_int_equal(router_poll_event(r, NULL), ROUTER_ERR_ARG);
    assert_int_equal(router_poll_event(NULL, &ev), ROUTER_ERR_ARG);
    assert_int_equal(router_get_route(r, 0, NULL, &route), ROUTER_ERR_ARG);
    assert_int_equal(router_get_route(r, 77, &a, &route), ROUTER_ERR_ABSENT);
    router_get_stats(NULL, &stats);
    router_get_stats(r, NULL);
    assert_int_equal(router_event_format(NULL, NULL, 0), 0);
    assert_string_equal(router_drop_name(-1), "unknown");
    assert_string_equal(router_drop_name(ROUTER_DROP_TTL), "ttl");
    assert_string_equal(router_drop_name(ROUTER_DROP_REASONS - 1), "no_tunnel");
    mesh_free(m);
}

static void what_there_is_can_be_walked(void **state)
{
    (void)state;
    mesh *m = up(39, NULL);
    talk_until_direct(m);
    const router *r = m->nodes[SPOKE1].r;
    uint64_t it = 0;
    router_tunnel t;
    assert_int_equal(router_next_tunnel(r, &it, &t), ROUTER_YES);
    assert_string_equal(t.peer, "hub.example.net");
    assert_true(t.up && !t.dynamic && t.ike_sas == 1);
    assert_int_equal(t.path.peer.bytes[3], 254);
    assert_int_equal(router_next_tunnel(r, &it, &t), ROUTER_YES);
    assert_string_equal(t.peer, "spoke2.spokes.example.net");
    assert_true(t.up && t.dynamic && t.customer_ms > 0);
    assert_int_equal(t.address.bytes[3], 2);
    const uint64_t direct = t.id;
    assert_int_equal(router_next_tunnel(r, &it, &t), ROUTER_OK);

    router_addr at = {.family = ROUTER_FAMILY_NONE};
    router_route route;
    size_t routes = 0;
    while (router_next_route(r, VRF, ROUTER_FAMILY_IPV4, &at, &route) == ROUTER_YES)
        routes++;
    assert_int_equal(routes, 3); /* its LAN, the summary, the shortcut */
    memset(&at, 0, sizeof(at));
    assert_int_equal(router_next_route(r, 99, ROUTER_FAMILY_IPV4, &at, &route), ROUTER_ERR_ABSENT);

    router_mapping mapping;
    it = 0;
    assert_int_equal(router_next_mapping(r, &it, &mapping), ROUTER_YES);
    assert_int_equal(mapping.state, ROUTER_MAPPING_UP);
    assert_int_equal(mapping.tunnel, direct);
    assert_int_equal(mapping.prefix.prefix_len, 24);
    assert_int_equal(router_next_mapping(r, &it, &mapping), ROUTER_OK);

    router_neighbor neighbor;
    it = 0;
    assert_int_equal(router_next_neighbor(r, &it, &neighbor), ROUTER_YES);
    assert_true(neighbor.established && neighbor.prefixes == 1);
    assert_int_equal(router_next_neighbor(r, &it, &neighbor), ROUTER_OK);

    assert_int_equal(router_clear_tunnel(m->nodes[SPOKE1].r, m->now, 999), ROUTER_ERR_ABSENT);
    assert_int_equal(router_clear_tunnel(m->nodes[SPOKE1].r, m->now, direct), ROUTER_OK);
    mesh_run(m, 1000);
    assert_int_equal(way(m), ROUTER_SOURCE_BGP);
    it = 0;
    assert_int_equal(router_next_tunnel(NULL, &it, &t), ROUTER_ERR_ARG);
    assert_int_equal(router_next_tunnel(r, NULL, &t), ROUTER_ERR_ARG);
    assert_int_equal(router_next_route(r, VRF, ROUTER_FAMILY_IPV4, NULL, &route), ROUTER_ERR_ARG);
    assert_int_equal(router_next_mapping(r, &it, NULL), ROUTER_ERR_ARG);
    assert_int_equal(router_next_neighbor(r, NULL, &neighbor), ROUTER_ERR_ARG);
    assert_int_equal(router_clear_tunnel(NULL, 0, 1), ROUTER_ERR_ARG);
    mesh_free(m);
}

typedef void config_breaker(router_config *c);

static void no_identity(router_config *c)
{
    c->identity[0] = 0;
}
static void no_underlay(router_config *c)
{
    memset(&c->underlay, 0, sizeof(c->underlay));
}
static void no_tunnel(router_config *c)
{
    memset(&c->tunnel, 0, sizeof(c->tunnel));
}
static void vrf_zero(router_config *c)
{
    c->vrfs[0].id = 0;
}
static void vrf_twice(router_config *c)
{
    c->vrfs[1] = c->vrfs[0];
    c->vrf_count = 2;
}
static void long_prefix(router_config *c)
{
    c->vrfs[0].connected[0].prefix_len = 33;
}
static void many_prefixes(router_config *c)
{
    c->vrfs[0].connecteds = ROUTER_MAX_PREFIXES + 1;
}
static void no_key(router_config *c)
{
    c->peers[0].local_key[0] = 0;
}
static void endless_key(router_config *c)
{
    memset(c->peers[0].remote_key, 'k', sizeof(c->peers[0].remote_key));
}
static void nowhere_to_initiate(router_config *c)
{
    memset(&c->peers[0].address, 0, sizeof(c->peers[0].address));
}
static void strange_vrf(router_config *c)
{
    c->peers[0].vrfs[0] = 9;
}
static void no_workers(router_config *c)
{
    c->workers = 0;
}
static void odd_flows(router_config *c)
{
    c->flows = 1000;
}
static void no_as(router_config *c)
{
    c->as = 0;
}
static void small_mtu(router_config *c)
{
    c->tunnel_mtu = 100;
}
static void many_peers(router_config *c)
{
    c->peer_count = ROUTER_MAX_PEERS + 1;
}
static void many_vrfs(router_config *c)
{
    c->vrf_count = ROUTER_MAX_VRFS + 1;
}

static void a_configuration_that_cannot_run_is_told_why(void **state)
{
    (void)state;
    config_breaker *const breakers[] = {
        no_identity, no_underlay,   no_tunnel, vrf_zero,    vrf_twice,
        long_prefix, many_prefixes, no_key,    endless_key, nowhere_to_initiate,
        strange_vrf, no_workers,    odd_flows, no_as,       small_mtu,
        many_peers,  many_vrfs};
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < sizeof(breakers) / sizeof(breakers[0]); i++) {
        router *r = NULL;
        const char *problem = NULL;
        mesh_config(c, 1);
        breakers[i](c);
        assert_int_equal(router_new(c, 0, &r, &problem), ROUTER_ERR_ARG);
        assert_null(r);
        assert_non_null(problem);
    }
    assert_int_equal(router_new(NULL, 0, NULL, NULL), ROUTER_ERR_ARG);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reflecting_hub_swaps_labels_and_still_redirects),
        cmocka_unit_test(without_a_nat_esp_may_go_bare),
        cmocka_unit_test(nhrp_passwords_must_agree),
        cmocka_unit_test(ipv6_customers_have_the_same_walk),
        cmocka_unit_test(the_underlay_may_be_ipv6),
        cmocka_unit_test(tunnel_addresses_reach_each_other_in_the_global_vrf),
        cmocka_unit_test(a_spoke_behind_a_nat_gets_its_shortcut_by_calling_itself),
        cmocka_unit_test(a_bad_underlay_delays_but_does_not_break),
        cmocka_unit_test(the_key_log_has_a_line_for_each_sa),
        cmocka_unit_test(workers_go_on_while_keys_and_routes_change),
        cmocka_unit_test(what_there_is_can_be_walked),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_configuration_that_cannot_run_is_told_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
