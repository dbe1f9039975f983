/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A spoke that has gone hostile: it says by BGP and NHRP what it likes, over tunnels that it has
 * every right to. docs/threats.md.
 */
#include "mesh.h"

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

typedef void change(router_config *c, size_t index);

/* The walk with two VRFs of the same addresses; to the hub spoke 1 is of RED alone. */
static mesh *up(uint64_t seed, change *changed, void (*edit)(size_t, size_t, uint8_t *, size_t))
{
    mesh *m = mesh_new(seed);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    m->edit = edit;
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
        if (i == HUB) {
            c->peers[1] = c->peers[0];
            (void)strcpy(c->peers[0].identity, "spoke1.spokes.example.net");
            c->peers[0].vrf_count = 1;
            c->peer_count = 2;
        }
        if (changed)
            changed(c, i);
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 10000);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_BGP_UP), 2);
    return m;
}

static uint64_t dropped(const mesh *m, size_t node, int32_t reason)
{
    router_stats stats;
    router_get_stats(m->nodes[node].r, &stats);
    return stats.dropped[reason];
}

/* Sends bytes by spoke 1's tunnel to the hub, whatever they are, and has the hub take them. */
static router_packet say(mesh *m, uint16_t protocol, const uint8_t *bytes, size_t len)
{
    router *r = m->nodes[SPOKE1].r;
    rt_tunnel *t = rt_tunnel_by_identity(r, "hub.example.net");
    uint8_t buf[2048];
    size_t offset = ROUTER_HEADROOM;
    router_path path;
    assert_non_null(t);
    memcpy(buf + offset, bytes, len);
    assert_int_equal(rt_send_tunnel(r, NULL, r->worker_count, t, protocol, buf, sizeof(buf),
                                    &offset, &len, &path),
                     ROUTER_DROP_NONE);
    const router_path arrival = {
        .local = path.peer, .peer = path.local, .transport = path.transport};
    const router_packet out = mesh_inject(m, HUB, &arrival, buf + offset, len);
    if (out.verdict == ROUTER_VERDICT_CONTROL)
        (void)router_control_input(m->nodes[HUB].r, m->now, &out);
    mesh_run(m, 100);
    return out;
}

/* ---- Names ---- */

/* A spoke with the key of all spokes answers under the hub's name, which a wildcard covers too. */
static void an_identity_with_another_s_keys_is_refused(void **state)
{
    (void)state;
    mesh *m = mesh_new(51);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    mesh_config(c, 0);
    (void)mesh_add(m, c);
    mesh_config(c, 1);
    (void)strcpy(c->peers[1].identity, "*.example.net");
    (void)mesh_add(m, c);
    mesh_config(c, 2);
    (void)strcpy(c->identity, "hub.example.net");
    c->peers[0] = c->peers[1]; /* it waits to be called */
    c->peer_count = 1;
    c->bgp_neighbor_count = 0;
    (void)mesh_add(m, c);
    free(c);
    mesh_run(m, 5000);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_IKE_UP), 1);
    const router_addr impostor = mesh_ipv4(192, 168, 1, 2, 0);
    rt_ike_want(m->nodes[SPOKE1].r, 999, &impostor);
    mesh_run(m, 5000);
    const router_event *ev = mesh_last(m, SPOKE1, ROUTER_EVENT_REFUSED);
    assert_non_null(ev);
    assert_string_equal(ev->why, "an identity with another's keys");
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_IKE_UP), 1);
    mesh_free(m);
}

static void a_peer_that_tells_no_address_is_not_kept(void **state)
{
    (void)state;
    mesh *m = mesh_new(52);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 2; i++) {
        mesh_config(c, i);
        if (i == 1)
            c->tunnel = mesh_ipv4(172, 31, 0, 1, 32); /* none that the hub allows */
        (void)mesh_add(m, c);
    }
    free(c);
    mesh_run(m, 9000);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_IKE_DOWN), 0);
    mesh_run(m, 3000);
    assert_true(mesh_count(m, HUB, ROUTER_EVENT_IKE_DOWN) >= 1);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_TUNNEL_UP), 0);
    mesh_free(m);
}

/* ---- BGP ---- */

/* Spoke 1's next hop, 172.16.1.1 behind an RD of zero, becomes spoke 2's. */
static void in_spoke_2_s_name(size_t from, size_t to, uint8_t *bytes, size_t len)
{
    static const uint8_t own[13] = {12, 0, 0, 0, 0, 0, 0, 0, 0, 172, 16, 1, 1};
    for (size_t i = 0; from == SPOKE1 && to == HUB && i + sizeof(own) <= len; i++)
        if (memcmp(bytes + i, own, sizeof(own)) == 0)
            bytes[i + sizeof(own) - 1] = 2;
}

/*
 * With spoke 2's address and a label of spoke 2's for BLUE, packets of RED would come out in BLUE
 * there: the hub may send to it in both.
 */
static void a_route_by_another_spoke_s_tunnel_is_not_taken(void **state)
{
    (void)state;
    router_route route;
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    mesh *m = up(41, NULL, NULL);
    assert_int_equal(router_get_route(m->nodes[HUB].r, RED, &ce1, &route), ROUTER_OK);
    assert_int_equal(route.prefix.prefix_len, 24);
    mesh_free(m);
    m = up(41, NULL, in_spoke_2_s_name);
    assert_int_equal(router_get_route(m->nodes[HUB].r, RED, &ce1, &route), ROUTER_OK);
    assert_int_equal(route.prefix.prefix_len, 8); /* Null0 */
    assert_int_equal(router_get_route(m->nodes[HUB].r, RED, &ce2, &route), ROUTER_OK);
    assert_int_equal(route.prefix.prefix_len, 24);
    mesh_free(m);
}

/* ---- Calls ---- */

/* RT_MAX_ASKS under way, to where nobody is; NHRP has given up its questions about them. */
static void calls_to_nobody_make_room_for_one_that_is_answered(void **state)
{
    (void)state;
    mesh *m = mesh_walk(53);
    mesh_run(m, 5000);
    router *r = m->nodes[SPOKE1].r;
    for (uint8_t i = 0; i < RT_MAX_ASKS; i++) {
        const router_addr nobody = mesh_ipv4(192, 168, 7, i, 0);
        rt_ike_want(r, 1000000u + i, &nobody);
    }
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_UP), 1);
    const router_addr spoke2 = mesh_ipv4(192, 168, 1, 2, 0);
    rt_ike_want(r, 2000000, &spoke2);
    mesh_run(m, 1000);
    assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_UP), 2);
    mesh_free(m);
}

/* ---- Tunnel addresses ---- */

static uint64_t tunnel_towards(const mesh *m, const char *identity)
{
    const rt_tunnel *t = rt_tunnel_by_identity(m->nodes[HUB].r, identity);
    return t ? t->id : 0;
}

static uint64_t way_to_spoke_2(const mesh *m)
{
    const router_addr to = mesh_ipv4(172, 16, 1, 2, 0);
    router_route route;
    return router_get_route(m->nodes[HUB].r, ROUTER_GLOBAL_VRF, &to, &route) == ROUTER_OK
               ? route.tunnel
               : 0;
}

/* The address is what BGP knows a spoke by: whoever has it speaks in its name. */
static void a_tunnel_address_that_another_spoke_has_is_not_to_be_had(void **state)
{
    (void)state;
    mesh *m = up(46, NULL, NULL);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    mesh_config(c, 3);
    c->tunnel = mesh_ipv4(172, 16, 1, 2, 32);
    (void)mesh_add(m, c);
    free(c);
    mesh_run(m, 5000);
    const router_event *ev = mesh_last(m, HUB, ROUTER_EVENT_ROUTE_REFUSED);
    assert_non_null(ev);
    assert_string_equal(ev->peer, "spoke3.spokes.example.net");
    assert_int_equal(way_to_spoke_2(m), tunnel_towards(m, "spoke2.spokes.example.net"));
    mesh_free(m);
}

static void a_tunnel_address_that_was_pushed_by_another_before_goes_to_its_owner(void **state)
{
    (void)state;
    mesh *m = mesh_new(47);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 2; i++) {
        mesh_config(c, i);
        (void)mesh_add(m, c);
    }
    mesh_run(m, 5000);
    router *hub = m->nodes[HUB].r;
    rt_tunnel *first = rt_tunnel_by_identity(hub, "spoke1.spokes.example.net");
    const router_addr host = mesh_ipv4(172, 16, 1, 2, 32);
    assert_non_null(first);
    assert_int_equal(rt_rib_set(hub, ROUTER_GLOBAL_VRF, &host, ROUTER_SOURCE_IKE, first,
                                &first->address, ROUTER_NO_LABEL, 0),
                     ROUTER_OK);
    assert_int_equal(way_to_spoke_2(m), first->id);
    mesh_config(c, 2);
    (void)mesh_add(m, c);
    free(c);
    mesh_run(m, 5000);
    assert_int_equal(way_to_spoke_2(m), tunnel_towards(m, "spoke2.spokes.example.net"));
    mesh_free(m);
}

static void nobody_speaks_bgp_for_an_address_that_is_no_tunnel_s(void **state)
{
    (void)state;
    mesh *m = up(48, NULL, NULL);
    router *hub = m->nodes[HUB].r;
    const router_addr local = mesh_ipv4(172, 16, 1, 254, 0);
    router_addr peer = mesh_ipv4(172, 16, 1, 9, 0);
    uint64_t stream;
    peer.port = 30000;
    /* Even where packets for it go by somebody's tunnel. */
    rt_tunnel *t = rt_tunnel_by_identity(hub, "spoke1.spokes.example.net");
    const router_addr host = mesh_ipv4(172, 16, 1, 9, 32);
    assert_int_equal(rt_rib_set(hub, ROUTER_GLOBAL_VRF, &host, ROUTER_SOURCE_IKE, t, &t->address,
                                ROUTER_NO_LABEL, 0),
                     ROUTER_OK);
    assert_int_equal(router_stream_accept(hub, m->now, &local, &peer, &stream), ROUTER_ERR_ABSENT);
    peer.bytes[3] = 1;
    assert_int_not_equal(router_stream_accept(hub, m->now, &local, &peer, &stream),
                         ROUTER_ERR_ABSENT);
    mesh_free(m);
}

/* ---- Labels ---- */

static void reflecting(router_config *c, size_t index)
{
    if (index == HUB) {
        c->bgp_reflector = true;
        c->vrfs[0].discards = c->vrfs[1].discards = 0;
    }
}

/* RFC 3031 3.14: a swap is no way round what a pop would have to ask. */
static void a_swap_label_of_a_vrf_that_the_peer_may_not_enter_is_dropped(void **state)
{
    (void)state;
    mesh *m = up(42, reflecting, NULL);
    const router *hub = m->nodes[HUB].r;
    size_t bucket = 0;
    size_t tried[3] = {0, 0, 0};
    for (map_node *n = map_walk(&hub->swaps, &bucket, NULL); n;
         n = map_walk(&hub->swaps, &bucket, n)) {
        const rt_label *l = CONTAINER_OF(n, rt_label, by_value);
        const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
        if (!rt_addr_covers(&l->prefix, &ce2))
            continue; /* spoke 1's own */
        const router_addr from = mesh_ipv4(10, 1, 1, 101, 0);
        uint8_t packet[4 + SIZE] = {(uint8_t)(l->label >> 12), (uint8_t)(l->label >> 4),
                                    (uint8_t)(l->label << 4 | 1), 64};
        (void)mesh_udp(packet + 4, &from, &ce2, 64, false, SIZE);
        const router_packet out = say(m, GRE_PROTOCOL_MPLS, packet, sizeof(packet));
        assert_int_equal(out.verdict,
                         l->vrf == RED ? ROUTER_VERDICT_UNDERLAY : ROUTER_VERDICT_DROP);
        tried[l->vrf]++;
    }
    assert_int_equal(tried[RED], 1);
    assert_int_equal(tried[BLUE], 1);
    assert_int_equal(dropped(m, HUB, ROUTER_DROP_NOT_ALLOWED), 1);
    mesh_free(m);
}

/* RFC 3032 2.1: popped, it would leave IP whose source nobody has looked at. */
static void explicit_null_is_no_way_into_the_global_vrf(void **state)
{
    (void)state;
    mesh *m = up(55, NULL, NULL);
    const router_addr spoke2 = mesh_ipv4(172, 16, 1, 2, 0);
    const router_addr hub = mesh_ipv4(172, 16, 1, 254, 0);
    uint8_t packet[4 + SIZE] = {0, 0, 1, 64};
    (void)mesh_udp(packet + 4, &spoke2, &hub, 64, false, SIZE);
    const router_packet out = say(m, GRE_PROTOCOL_MPLS, packet, sizeof(packet));
    assert_int_equal(out.verdict, ROUTER_VERDICT_DROP);
    assert_int_equal(out.reason, ROUTER_DROP_NOT_ALLOWED);
    mesh_free(m);
}

/* ---- What an SA is for ---- */

/* Seals bytes as spoke 1's tunnel to the hub does; returns why the hub dropped them. */
static int32_t sealed(mesh *m, uint8_t next_header, const uint8_t *bytes, size_t len)
{
    const router *r = m->nodes[SPOKE1].r;
    const rt_tunnel *t = rt_tunnel_by_identity(r, "hub.example.net");
    const rt_sending *s = atomic_load(&t->sending);
    uint8_t buf[2048];
    esp_span span;
    assert_non_null(s);
    assert_int_equal(
        esp_sa_seal(s->sa, r->worker_count, buf, sizeof(buf), bytes, len, next_header, &span),
        ESP_OK);
    const router_path arrival = {
        .local = s->path.peer, .peer = s->path.local, .transport = s->path.transport};
    return mesh_inject(m, HUB, &arrival, buf + span.offset, span.len).reason;
}

/* RFC 5660: the SA names the tunnel, whose only traffic is GRE without a key. */
static void an_sa_takes_its_own_tunnel_s_gre_and_nothing_else(void **state)
{
    (void)state;
    mesh *m = up(54, NULL, NULL);
    const router_addr from = mesh_ipv4(172, 16, 1, 1, 0);
    const router_addr to = mesh_ipv4(172, 16, 1, 254, 0);
    uint8_t ip[SIZE];
    uint8_t gre[8 + SIZE] = {0, 0, 0x08, 0x00};
    (void)mesh_udp(ip, &from, &to, 64, false, SIZE);
    memcpy(gre + 4, ip, SIZE);
    assert_int_equal(sealed(m, ESP_NEXT_GRE, gre, 4 + SIZE), ROUTER_DROP_NONE);
    assert_int_equal(sealed(m, 4, ip, SIZE), ROUTER_DROP_NOT_LATCHED); /* IP in IP */
    assert_int_equal(sealed(m, 17, gre, 4 + SIZE), ROUTER_DROP_NOT_LATCHED);
    gre[0] = 0x20; /* a key */
    gre[7] = 1;
    memcpy(gre + 8, ip, SIZE);
    assert_int_equal(sealed(m, ESP_NEXT_GRE, gre, 8 + SIZE), ROUTER_DROP_NOT_LATCHED);
    mesh_free(m);
}

/* ---- NHRP ---- */

static nhrp_addr nhrp_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const nhrp_addr out = {.family = NHRP_FAMILY_IPV4, .bytes = {a, b, c, d}};
    return out;
}

/* A Resolution Request for CE2 with a label of the hub's, in the name of 172.16.1.<who>. */
static void ask(mesh *m, uint32_t label, uint8_t who, bool record)
{
    uint8_t buf[512];
    uint8_t value[64];
    nhrp_writer w;
    size_t len = 0;
    nhrp_packet h;
    memset(&h, 0, sizeof(h));
    h.type = NHRP_RESOLUTION_REQUEST;
    h.hop_count = 255;
    h.request_id = 77;
    h.source_nbma = nhrp_ipv4(192, 168, 1, who);
    h.source_protocol = nhrp_ipv4(172, 16, 1, who);
    h.destination_protocol = nhrp_ipv4(10, 2, 2, 102);
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    if (record) {
        const nhrp_extension forward = {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
        const nhrp_cie station = {.protocol = nhrp_ipv4(172, 16, 1, 99)};
        assert_int_equal(nhrp_writer_put_extension(&w, &forward), NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension_cie(&w, &station), NHRP_OK);
    }
    nhrp_label_binding b = {.role = NHRP_ROLE_CONTEXT, .label_count = 1, .labels = {label}};
    b.prefix = nhrp_ipv4(10, 0, 0, 0);
    b.prefix.prefix_len = 8;
    nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value};
    assert_int_equal(nhrp_label_encode(&b, 1, NHRP_OUI_DEFAULT, value, sizeof(value), &x.len),
                     NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    (void)say(m, GRE_PROTOCOL_NHRP, buf, len);
}

static uint32_t label_of(const mesh *m, uint32_t vrf)
{
    const router_addr summary = mesh_ipv4(10, 0, 0, 0, 8);
    const rt_label *l = rt_label_of_prefix(m->nodes[HUB].r, vrf, &summary);
    assert_non_null(l);
    return l->label;
}

static void a_request_with_a_label_of_another_vrf_goes_nowhere(void **state)
{
    (void)state;
    mesh *m = up(43, NULL, NULL);
    ask(m, label_of(m, BLUE), 1, false);
    const long first = mesh_first(m, HUB, ROUTER_EVENT_REFUSED);
    assert_true(first >= 0);
    assert_int_equal(m->nodes[HUB].events[first].reason, NHRP_ERR_REFUSED);
    ask(m, 900000, 1, false); /* nobody's */
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REQUEST_FORWARDED), 0);
    ask(m, label_of(m, RED), 1, false);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REQUEST_FORWARDED), 1);
    mesh_free(m);
}

static void a_spoke_does_not_ask_in_another_s_name(void **state)
{
    (void)state;
    mesh *m = up(44, NULL, NULL);
    ask(m, label_of(m, RED), 7, false);
    ask(m, label_of(m, RED), 7, true); /* as if it had come from afar */
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REFUSED), 2);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REQUEST_FORWARDED), 0);
    assert_int_equal(mesh_count(m, SPOKE2, ROUTER_EVENT_TUNNEL_WANTED), 0);
    mesh_free(m);
}

/* Spoke 2's reply to spoke 1's request, with labels of the test's choice. */
static void reply(mesh *m, uint32_t request_id, uint32_t vpn, uint32_t overlay)
{
    uint8_t buf[512];
    uint8_t value[64];
    nhrp_writer w;
    size_t len = 0;
    nhrp_packet h;
    nhrp_cie cie;
    nhrp_label_binding b[2];
    memset(&h, 0, sizeof(h));
    memset(&cie, 0, sizeof(cie));
    memset(b, 0, sizeof(b));
    h.type = NHRP_RESOLUTION_REPLY;
    h.hop_count = 255;
    h.request_id = request_id;
    h.source_nbma = nhrp_ipv4(192, 168, 1, 1);
    h.source_protocol = nhrp_ipv4(172, 16, 1, 1);
    h.destination_protocol = nhrp_ipv4(10, 2, 2, 102);
    cie.prefix_len = 24;
    cie.holding_time_s = 600;
    cie.nbma = nhrp_ipv4(192, 168, 1, 2);
    cie.protocol = nhrp_ipv4(172, 16, 1, 2);
    b[0].role = NHRP_ROLE_RESPONDER_VPN;
    b[0].prefix = nhrp_ipv4(10, 2, 2, 0);
    b[0].prefix.prefix_len = 24;
    b[0].labels[0] = vpn;
    b[1].role = NHRP_ROLE_RESPONDER_OVERLAY;
    b[1].prefix = nhrp_ipv4(172, 16, 1, 2);
    b[1].prefix.prefix_len = 32;
    b[1].labels[0] = overlay;
    b[0].label_count = b[1].label_count = 1;
    nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value};
    assert_int_equal(nhrp_label_encode(b, 2, NHRP_OUI_DEFAULT, value, sizeof(value), &x.len),
                     NHRP_OK);
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    router *r = m->nodes[SPOKE1].r;
    rt_nhrp_input(r, rt_tunnel_by_identity(r, "spoke2.spokes.example.net"), buf, len);
    (void)router_timeout(r, m->now);
}

static uint8_t way_of_ce1(const mesh *m)
{
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    router_route route;
    assert_int_equal(router_get_route(m->nodes[SPOKE1].r, RED, &ce2, &route), ROUTER_OK);
    return route.source;
}

/* docs/nhrp-labels.md 6.6 */
static void a_shortcut_whose_labels_cannot_be_pushed_is_not_used(void **state)
{
    (void)state;
    mesh *m = up(49, NULL, NULL);
    router *r = m->nodes[SPOKE1].r;
    const router_addr from = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr to = mesh_ipv4(10, 2, 2, 102, 0);
    uint8_t packet[SIZE];
    for (int i = 0; i < 10 && way_of_ce1(m) != ROUTER_SOURCE_NHRP; i++) {
        mesh_send(m, SPOKE1, RED, packet, mesh_udp(packet, &from, &to, 64, false, SIZE));
        mesh_run(m, 500);
    }
    assert_int_equal(way_of_ce1(m), ROUTER_SOURCE_NHRP);
    /* Spoke 1 asks again; before the answer is there, the test's own is. */
    static const uint32_t overlays[] = {1000, MPLSVPN_LABEL_IMPLICIT_NULL};
    for (size_t i = 0; i < 2; i++) {
        nhrp_mapping old;
        uint64_t it = 0;
        uint64_t id;
        memset(&old, 0, sizeof(old));
        old.struct_size = sizeof(old);
        while (nhrp_engine_next_mapping(r->nhrp, &it, &old) == NHRP_YES)
            (void)nhrp_engine_remove(r->nhrp, m->now, old.id);
        nhrp_addr host = nhrp_ipv4(10, 2, 2, 102);
        host.scope = RED;
        const size_t sent = mesh_count(m, SPOKE1, ROUTER_EVENT_REQUEST_SENT);
        assert_int_equal(nhrp_engine_resolve(r->nhrp, m->now, &host, &id), NHRP_OK);
        (void)router_timeout(r, m->now);
        mesh_run(m, 1);
        assert_int_equal(mesh_count(m, SPOKE1, ROUTER_EVENT_REQUEST_SENT), sent + 1);
        assert_int_equal(way_of_ce1(m), ROUTER_SOURCE_BGP);
        reply(m, mesh_last(m, SPOKE1, ROUTER_EVENT_REQUEST_SENT)->request_id, 5000, overlays[i]);
        assert_int_equal(way_of_ce1(m), i == 1 ? ROUTER_SOURCE_NHRP : ROUTER_SOURCE_BGP);
    }
    mesh_free(m);
}

static void all_pass_on(router_config *c, size_t index)
{
    for (size_t i = 0; index == HUB && i < c->peer_count; i++)
        c->peers[i].transit = true;
}

static void a_hub_behind_the_hub_passes_on_what_others_ask(void **state)
{
    (void)state;
    mesh *m = up(45, all_pass_on, NULL);
    ask(m, label_of(m, RED), 7, true);
    assert_int_equal(mesh_count(m, HUB, ROUTER_EVENT_REQUEST_FORWARDED), 1);
    mesh_free(m);
}

/* ---- Secrets ---- */

static const char KEY[] = "the key of hub and spokes";
static bool leaked;

/* Blocks with their size in front, so that they can be searched when they are freed. */
static void *watching_resize(void *user, void *ptr, size_t size)
{
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    (void)user;
    for (size_t i = 0; block && size == 0 && i + sizeof(KEY) - 1 <= block[0]; i++)
        leaked |= memcmp((uint8_t *)ptr + i, KEY, sizeof(KEY) - 1) == 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    if (!block)
        return NULL;
    block[0] = size;
    return block + 2;
}

static void watched(router_config *c, size_t index)
{
    (void)index;
    c->resize = watching_resize;
}

static void keys_are_wiped_before_memory_goes_back(void **state)
{
    (void)state;
    leaked = false;
    mesh *m = up(50, watched, NULL);
    mesh_free(m);
    assert_false(leaked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_with_another_s_keys_is_refused),
        cmocka_unit_test(a_peer_that_tells_no_address_is_not_kept),
        cmocka_unit_test(a_route_by_another_spoke_s_tunnel_is_not_taken),
        cmocka_unit_test(calls_to_nobody_make_room_for_one_that_is_answered),
        cmocka_unit_test(a_tunnel_address_that_another_spoke_has_is_not_to_be_had),
        cmocka_unit_test(a_tunnel_address_that_was_pushed_by_another_before_goes_to_its_owner),
        cmocka_unit_test(nobody_speaks_bgp_for_an_address_that_is_no_tunnel_s),
        cmocka_unit_test(a_swap_label_of_a_vrf_that_the_peer_may_not_enter_is_dropped),
        cmocka_unit_test(explicit_null_is_no_way_into_the_global_vrf),
        cmocka_unit_test(an_sa_takes_its_own_tunnel_s_gre_and_nothing_else),
        cmocka_unit_test(a_request_with_a_label_of_another_vrf_goes_nowhere),
        cmocka_unit_test(a_spoke_does_not_ask_in_another_s_name),
        cmocka_unit_test(a_shortcut_whose_labels_cannot_be_pushed_is_not_used),
        cmocka_unit_test(keys_are_wiped_before_memory_goes_back),
        cmocka_unit_test(a_hub_behind_the_hub_passes_on_what_others_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
