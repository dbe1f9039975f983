/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Route target membership (RFC 4684): who is sent which VPN routes.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>

#define TABLES (BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_TARGETS)

/* ---- NLRI ---- */

/* RFC 4684 4: assembled by hand. */
static void membership_is_written_as_the_rfc_draws_it(void **state)
{
    (void)state;
    uint8_t buf[32];
    size_t len, it = 0;
    bgpvpn_nlri n = {.label = BGPVPN_LABEL_NONE}, back;
    n.prefix.prefix_len = 96;
    (void)hex_bytes("0000fde8 0002fde800000064", n.prefix.bytes, 16);
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_TARGETS, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_OK);
    assert_hex(buf, len, "60 0000fde8 0002fde800000064");
    assert_int_equal(bgpvpn_nlri_next(BGPVPN_TABLE_TARGETS, 0, buf, len, &it, &back), BGPVPN_YES);
    assert_memory_equal(&back, &n, sizeof(n));
    /* A withdrawal has no label to differ by. */
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_TARGETS, 1, &n, buf, sizeof(buf), &len),
                     BGPVPN_OK);
    assert_hex(buf, len, "60 0000fde8 0002fde800000064");
    n.prefix.prefix_len = 0;
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_TARGETS, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_OK);
    assert_hex(buf, len, "00");
    n.prefix.prefix_len = 31;
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_TARGETS, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_ERR_ARG);
    n.prefix.prefix_len = 97;
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_TARGETS, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_ERR_ARG);
}

static void membership_of_a_wrong_length_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bgpvpn_rc rc;
    } cases[] = {
        {"00", BGPVPN_YES},
        {"20 0000fde8", BGPVPN_YES},
        {"40 0000fde8 0002fde8", BGPVPN_YES},
        {"23 0000fde8 ff", BGPVPN_YES},
        {"01 00", BGPVPN_ERR_NLRI},
        {"1f 0000fde8", BGPVPN_ERR_NLRI},
        {"61 0000fde8 0002fde800000064 00", BGPVPN_ERR_NLRI},
        {"60 0000fde8 0002fde8000000", BGPVPN_ERR_NLRI},
        {"ff 0000fde8", BGPVPN_ERR_NLRI},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t buf[32];
        size_t it = 0;
        bgpvpn_nlri n;
        const size_t len = hex_bytes(cases[i].hex, buf, sizeof(buf));
        assert_int_equal(bgpvpn_nlri_next(BGPVPN_TABLE_TARGETS, 0, buf, len, &it, &n), cases[i].rc);
    }
}

/* ---- One peer, played by hand ---- */

/* As OPEN, with AFI 1 SAFI 132 as well. */
#define OPEN_TARGETS                                                                               \
    HEADER "00390104fde8005a0a0000021c"                                                            \
           "0206010400010080"                                                                      \
           "0206010400010084"                                                                      \
           "020641040000fde8"                                                                      \
           "02020200"
/* The same with graceful restart, 120 seconds, of both VPNv4 and route targets. */
#define OPEN_TARGETS_KEEPS                                                                         \
    HEADER "00470104fde8005a0a0000022a"                                                            \
           "0206010400010080"                                                                      \
           "0206010400010084"                                                                      \
           "020641040000fde8"                                                                      \
           "020c400a0078 00018000 00018400"                                                        \
           "02020200"
#define END_OF_TARGETS HEADER "001d0200000006800f03000184"
#define END_OF_VPN     HEADER "001d0200000006800f03000180"

/* Announces, or withdraws, membership given as NLRI in hex. */
static void want(machine *m, const char *nlri, bool withdraw)
{
    uint8_t bytes[64];
    char hex[512];
    const unsigned len = (unsigned)hex_bytes(nlri, bytes, sizeof(bytes));
    if (withdraw)
        (void)snprintf(hex, sizeof(hex), HEADER "%04x02 0000 %04x 800f%02x 000184 %s", 29 + len,
                       6 + len, 3 + len, nlri);
    else
        (void)snprintf(hex, sizeof(hex),
                       HEADER "%04x02 0000 %04x 800e%02x 000184 04 0a000002 00 %s"
                              "400101 00 400200 400504 00000064",
                       49 + len, 26 + len, 9 + len, nlri);
    machine_feed(m, hex);
}

/* Routes announced and withdrawn in what was sent since the last look. */
static void told(machine *m, unsigned *announced, unsigned *withdrawn)
{
    *announced = *withdrawn = 0;
    for (size_t at = 0; at < m->sent_len;) {
        const uint8_t *msg = m->sent + at;
        const size_t len = (size_t)msg[16] << 8 | msg[17];
        bgpvpn_update u;
        bgpvpn_nlri n;
        size_t it = 0;
        at += len;
        if (msg[18] != BGPVPN_MESSAGE_UPDATE)
            continue;
        assert_int_equal(bgpvpn_update_decode(msg, len, 4, 0, &u), BGPVPN_OK);
        while (u.reach_safi == BGPVPN_SAFI_VPN &&
               bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, u.reach, u.reach_len, &it, &n) == BGPVPN_YES)
            ++*announced;
        it = 0;
        while (u.unreach_safi == BGPVPN_SAFI_VPN &&
               bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 1, u.unreach, u.unreach_len, &it, &n) ==
                   BGPVPN_YES)
            ++*withdrawn;
    }
    m->sent_len = 0;
}

static void assert_told(machine *m, unsigned announced, unsigned withdrawn)
{
    unsigned a, w;
    machine_pump(m);
    told(m, &a, &w);
    assert_int_equal(a, announced);
    assert_int_equal(w, withdrawn);
}

/* VRF number with RD and export target of the same number, and one route. */
static void vrf_with_route(machine *m, uint32_t number)
{
    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = number};
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = 77};
    (void)bgpvpn_rd_make(65000, number, 0, vrf.rd);
    (void)bgpvpn_rt_make(65000, number, 0, rt);
    vrf.export_rts = vrf.import_rts = rt;
    vrf.export_rts_len = vrf.import_rts_len = sizeof(rt);
    assert_int_equal(bgpvpn_engine_vrf_add(m->e, m->now_ms, &vrf), BGPVPN_OK);
    net_prefix(0x0a000000 + (number << 8), 24, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(m->e, m->now_ms, number, &r), BGPVPN_OK);
}

static void targeted(machine *m, uint32_t max_targets)
{
    bgpvpn_neighbor_config n;
    machine_neighbor(&n);
    n.tables = TABLES;
    n.max_targets = max_targets;
    machine_new(m, NULL, &n);
    for (uint32_t i = 100; i < 110; i++)
        vrf_with_route(m, i);
    machine_establish(m, OPEN_TARGETS);
}

#define RT100 "60 0000fde8 0002fde800000064"
#define RT101 "60 0000fde8 0002fde800000065"

static void a_peer_is_sent_what_it_asks_for_and_when_it_has_asked(void **state)
{
    (void)state;
    machine m;
    targeted(&m, 4096);
    assert_told(&m, 0, 0);
    want(&m, RT100, false);
    assert_told(&m, 0, 0); /* more may follow */
    machine_feed(&m, END_OF_TARGETS);
    assert_told(&m, 1, 0);
    want(&m, RT101, false);
    assert_told(&m, 1, 0);
    want(&m, RT100, false); /* again: nothing new */
    assert_told(&m, 0, 0);
    want(&m, RT100, true);
    assert_told(&m, 0, 1);
    /* Of another AS as well: one of the two is enough. */
    want(&m, "60 0000fde9 0002fde800000065", false);
    want(&m, RT101, true);
    machine_pump(&m);
    unsigned a, w;
    told(&m, &a, &w);
    assert_int_equal(w, 0);
    want(&m, "60 0000fde9 0002fde800000065", true);
    assert_told(&m, 0, 1);
    bgpvpn_engine_free(m.e);
}

/* RFC 4684 6: 60 seconds. */
static void a_peer_that_does_not_say_that_it_is_done_is_not_waited_for_long(void **state)
{
    (void)state;
    machine m;
    targeted(&m, 4096);
    want(&m, RT100, false);
    machine_wait(&m, 59000);
    assert_told(&m, 0, 0);
    machine_wait(&m, 2000);
    assert_told(&m, 1, 0);
    bgpvpn_engine_free(m.e);
}

static void parts_of_targets_and_none_stand_for_many(void **state)
{
    (void)state;
    static const struct {
        const char *nlri;
        unsigned routes;
    } cases[] = {
        {"00", 10},
        {"20 0000fde8", 10},
        {"40 0000fde8 0002fde8", 10},        /* all of one administrator */
        {"5f 0000fde8 0002fde800000064", 2}, /* 100 and 101 */
        {"5d 0000fde8 0002fde800000068", 6}, /* 104 to 111, of which there are 6 */
        {"40 0000fde8 0002fde9", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine m;
        targeted(&m, 4096);
        want(&m, cases[i].nlri, false);
        machine_feed(&m, END_OF_TARGETS);
        assert_told(&m, cases[i].routes, 0);
        want(&m, cases[i].nlri, true);
        assert_told(&m, 0, cases[i].routes);
        bgpvpn_engine_free(m.e);
    }
}

/* RFC 4684 6 */
static void a_route_without_targets_goes_to_who_wants_everything(void **state)
{
    (void)state;
    machine m;
    bgpvpn_vrf_config v = {.struct_size = sizeof(v), .vrf = 50};
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = 77};
    targeted(&m, 4096);
    (void)bgpvpn_rd_make(65000, 50, 0, v.rd);
    assert_int_equal(bgpvpn_engine_vrf_add(m.e, m.now_ms, &v), BGPVPN_OK);
    net_prefix(0x0aff0000, 24, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(m.e, m.now_ms, 50, &r), BGPVPN_OK);
    want(&m, RT100, false);
    machine_feed(&m, END_OF_TARGETS);
    assert_told(&m, 1, 0);
    want(&m, "00", false);
    assert_told(&m, 11, 0); /* the one again, as all have the bits of everything */
    net_prefix(0x0aff0100, 24, &r.prefix);
    assert_int_equal(bgpvpn_engine_announce(m.e, m.now_ms, 50, &r), BGPVPN_OK);
    assert_told(&m, 1, 0);
    want(&m, "00", true);
    assert_told(&m, 0, 11);
    bgpvpn_engine_free(m.e);
}

static void who_asks_for_too_much_gets_everything(void **state)
{
    (void)state;
    machine m;
    targeted(&m, 1);
    want(&m, RT100, false);
    machine_feed(&m, END_OF_TARGETS);
    assert_told(&m, 1, 0);
    want(&m, RT101, false);
    machine_pump(&m);
    unsigned a, w;
    told(&m, &a, &w);
    assert_true(a >= 9);
    assert_int_equal(w, 0);
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m.e, m.id, &info), BGPVPN_OK);
    assert_int_equal(info.targets, 1);
    assert_int_equal(info.filtered, 0);
    bgpvpn_engine_free(m.e);
}

static void a_refresh_brings_only_what_is_wanted(void **state)
{
    (void)state;
    machine m;
    targeted(&m, 4096);
    want(&m, RT100, false);
    machine_feed(&m, END_OF_TARGETS);
    assert_told(&m, 1, 0);
    machine_feed(&m, HEADER "00170500010080");
    assert_told(&m, 1, 0);
    bgpvpn_engine_free(m.e);
}

/* Targets that share a bit of the filter with what is wanted are not wanted. */
static void what_is_announced_later_is_filtered_as_exactly(void **state)
{
    (void)state;
    machine m;
    targeted(&m, 4096);
    want(&m, RT100, false);
    machine_feed(&m, END_OF_TARGETS);
    assert_told(&m, 1, 0);
    for (uint32_t i = 200; i < 500; i++)
        vrf_with_route(&m, i);
    assert_told(&m, 0, 0);
    bgpvpn_engine_free(m.e);
}

/* RFC 7313 4: a refresh of the membership itself. */
static void what_a_refresh_does_not_ask_for_again_is_withdrawn(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_config n;
    machine_neighbor(&n);
    n.tables = TABLES;
    machine_new(&m, NULL, &n);
    for (uint32_t i = 100; i < 110; i++)
        vrf_with_route(&m, i);
    machine_establish(&m, HEADER "003d0104fde8005a0a00000220"
                                 "0206010400010080"
                                 "0206010400010084"
                                 "020641040000fde8"
                                 "02020200"
                                 "02024600");
    want(&m, RT100, false);
    want(&m, RT101, false);
    machine_feed(&m, END_OF_TARGETS);
    assert_told(&m, 2, 0);
    machine_feed(&m, HEADER "00170500010184");
    want(&m, RT101, false);
    machine_feed(&m, HEADER "00170500010284");
    assert_told(&m, 0, 1);
    bgpvpn_engine_free(m.e);
}

/* The peer's 10.1.1.0/24, with the label 100 and the target 65000:number. */
static void peer_route(machine *m, unsigned number)
{
    char hex[256];
    (void)snprintf(hex, sizeof(hex),
                   HEADER "005302 0000 003c 800e20 0001800c0000000000000000 0a000002 00"
                          "70000641 0000fde800000001 0a0101"
                          "400101 00 400200 400504 00000064 c01008 0002fde8%08x",
                   number);
    machine_feed(m, hex);
}

/* The same route, from one target to another and back, between two clients. */
static void a_route_that_loses_its_target_is_withdrawn_from_who_had_it(void **state)
{
    (void)state;
    machine m;
    bgpvpn_neighbor_config n;
    uint64_t id, sink = 0;
    machine_neighbor(&n);
    n.flags = BGPVPN_NEIGHBOR_CLIENT;
    machine_new(&m, NULL, &n);
    machine_establish(&m, OPEN);
    const uint64_t source = m.stream;
    n.address.bytes[3] = 3;
    n.flags |= BGPVPN_NEIGHBOR_PASSIVE;
    n.tables = TABLES;
    assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &id), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &n.address, &sink), BGPVPN_OK);
    m.stream = sink;
    machine_feed(&m, HEADER "00390104fde8005a0a0000031c"
                            "0206010400010080"
                            "0206010400010084"
                            "020641040000fde8"
                            "02020200");
    machine_feed(&m, KEEPALIVE);
    want(&m, RT100, false);
    machine_feed(&m, END_OF_TARGETS);
    static const struct {
        unsigned target, announced, withdrawn;
    } steps[] = {{200, 0, 0}, {100, 1, 0}, {200, 0, 1}, {201, 0, 1}, {100, 1, 0}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        m.sent_len = 0;
        m.stream = source;
        peer_route(&m, steps[i].target);
        m.stream = sink;
        /* Once it was told, a withdrawal too many does no harm. */
        assert_told(&m, steps[i].announced, steps[i].withdrawn);
    }
    bgpvpn_engine_free(m.e);
}

/* ---- Nodes ---- */

static void vrf(net *n, uint32_t i, uint32_t number, uint32_t import, uint32_t export)
{
    uint8_t in[8], out[8];
    bgpvpn_vrf_config cfg = {.struct_size = sizeof(cfg), .vrf = number};
    (void)bgpvpn_rd_make(65000, i * 100 + number, 0, cfg.rd);
    (void)bgpvpn_rt_make(65000, import, 0, in);
    (void)bgpvpn_rt_make(65000, export, 0, out);
    cfg.import_rts = in;
    cfg.export_rts = out;
    cfg.import_rts_len = cfg.export_rts_len = 8;
    assert_int_equal(bgpvpn_engine_vrf_add(n->node[i].engine, n->now_ms, &cfg), BGPVPN_OK);
}

/* VPN routes of others that a node has been sent. */
static uint32_t others(const net *n, uint32_t i)
{
    bgpvpn_path_info p = {.struct_size = sizeof(p)};
    uint64_t it = 0;
    uint32_t count = 0;
    while (bgpvpn_engine_get_next_path(n->node[i].engine, &it, &p) == BGPVPN_YES)
        count += p.table == BGPVPN_TABLE_VPNV4 && p.neighbor != 0;
    return count;
}

/* A reflector 0 without VRFs, and spokes 1 to 4. */
static net *star(uint64_t seed, uint32_t last_tables, uint32_t flags)
{
    net *n = net_new(seed);
    for (uint32_t i = 0; i < 5; i++)
        net_engine(n, i, NULL);
    for (uint32_t i = 1; i < 5; i++) {
        const uint32_t tables = i == 4 ? last_tables : TABLES;
        (void)net_neighbor_with(n, 0, i, BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_PASSIVE | flags,
                                tables);
        (void)net_neighbor_with(n, i, 0, 0, tables);
    }
    return n;
}

static void a_reflector_sends_a_spoke_only_what_it_imports(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags <= BGPVPN_NEIGHBOR_NEXT_HOP_SELF;
         flags += BGPVPN_NEIGHBOR_NEXT_HOP_SELF) {
        net *n = star(7, BGPVPN_TABLE_VPNV4, flags);
        const uint32_t rts[] = {0, 100, 200, 100, 100};
        for (uint32_t i = 1; i < 5; i++) {
            vrf(n, i, 1, rts[i], rts[i]);
            for (uint32_t k = 0; k < 20; k++)
                net_announce(n, i, 1, 0x0a000000 + (i << 16) + (k << 8), 24, 100 + k);
        }
        net_run(n, 20000);
        assert_int_equal(others(n, 0), 80);
        assert_int_equal(others(n, 1), 40); /* of 3 and 4 */
        assert_int_equal(others(n, 2), 0);
        assert_int_equal(others(n, 3), 40);
        assert_int_equal(others(n, 4), 60); /* it does not say what it wants */
        assert_int_equal(net_routes_up(n, 1), 40);
        assert_int_equal(net_routes_up(n, 4), 40);

        /* Another VRF brings more, and takes it along when it goes. */
        vrf(n, 2, 2, 100, 300);
        net_run(n, 5000);
        assert_int_equal(others(n, 2), 60);
        assert_int_equal(net_routes_up(n, 2), 60);
        assert_int_equal(others(n, 1), 40);
        assert_int_equal(bgpvpn_engine_vrf_remove(n->node[2].engine, n->now_ms, 2), BGPVPN_OK);
        net_run(n, 5000);
        assert_int_equal(others(n, 2), 0);
        /* What changes goes to who wants it. */
        net_withdraw(n, 1, 1, 0x0a010000, 24);
        net_announce(n, 1, 1, 0x0a010100, 24, 999);
        net_run(n, 5000);
        assert_int_equal(others(n, 3), 39);
        assert_int_equal(others(n, 2), 0);
        assert_int_equal(net_route_of(n, 3, 1, 0x0a010100, 24) != NULL, 1);
        bgpvpn_counters c;
        net_counters(n, 0, &c);
        /* Spokes that want different things share what is encoded. */
        assert_true(c.groups <= 2);
        net_free(n);
    }
}

/* The target of routes changes under a spoke. */
static void a_route_that_changes_its_target_leaves_and_arrives(void **state)
{
    (void)state;
    net *n = star(9, TABLES, 0);
    vrf(n, 1, 1, 100, 100);
    vrf(n, 2, 1, 200, 200);
    vrf(n, 3, 1, 300, 100);
    net_announce(n, 3, 1, 0x0a030000, 16, 33);
    net_run(n, 20000);
    assert_int_equal(others(n, 1), 1);
    assert_int_equal(others(n, 2), 0);
    assert_int_equal(bgpvpn_engine_vrf_remove(n->node[3].engine, n->now_ms, 1), BGPVPN_OK);
    net_run(n, 2000);
    vrf(n, 3, 1, 300, 200); /* the same RD */
    net_announce(n, 3, 1, 0x0a030000, 16, 33);
    net_run(n, 5000);
    assert_int_equal(others(n, 1), 0);
    assert_int_equal(others(n, 2), 1);
    net_free(n);
}

/* RFC 4684 3.2: two reflectors, each with clients, which are no clients of each other. */
static void reflectors_ask_each_other_for_their_clients(void **state)
{
    (void)state;
    net *n = net_new(11);
    for (uint32_t i = 0; i < 6; i++)
        net_engine(n, i, NULL);
    /* 0 has clients 2 and 3, 1 has clients 4 and 5. */
    for (uint32_t i = 2; i < 6; i++) {
        const uint32_t hub = i < 4 ? 0 : 1;
        (void)net_neighbor_with(n, hub, i, BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_PASSIVE,
                                TABLES);
        (void)net_neighbor_with(n, i, hub, 0, TABLES);
    }
    (void)net_neighbor_with(n, 0, 1, 0, TABLES);
    (void)net_neighbor_with(n, 1, 0, BGPVPN_NEIGHBOR_PASSIVE, TABLES);
    const uint32_t rts[] = {0, 0, 100, 200, 100, 300};
    for (uint32_t i = 2; i < 6; i++) {
        vrf(n, i, 1, rts[i], rts[i]);
        net_announce(n, i, 1, 0x0a000000 + (i << 16), 16, 100 + i);
    }
    net_run(n, 30000);
    assert_int_equal(others(n, 2), 1);
    assert_int_equal(others(n, 4), 1);
    assert_int_equal(others(n, 3), 0);
    assert_int_equal(others(n, 5), 0);
    assert_non_null(net_route_of(n, 2, 1, 0x0a040000, 16));
    assert_non_null(net_route_of(n, 4, 1, 0x0a020000, 16));
    /* Own clients' routes, and of the others' only what a client wants. */
    assert_int_equal(others(n, 0), 3);
    assert_int_equal(others(n, 1), 3);
    net_free(n);
}

/* Against a naive rule, with everything changing. */
static void random_changes_leave_every_spoke_with_what_it_imports(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        net *n = star(seed, TABLES, seed & 1 ? BGPVPN_NEIGHBOR_NEXT_HOP_SELF : 0);
        prng p = {seed * 77};
        uint32_t import[5][4] = {{0}}, export[5][4] = {{0}};
        bool there[5][4][8] = {{{false}}};
        n->chunk = seed % 3 == 0 ? 64 : 0;
        for (int change = 0; change < 300; change++) {
            const uint32_t i = 1 + prng_below(&p, 4), v = prng_below(&p, 4);
            const uint32_t k = prng_below(&p, 8);
            const uint32_t ip = 0x0a000000 + (i << 16) + (v << 12) + (k << 8);
            if (!import[i][v]) {
                import[i][v] = 1 + prng_below(&p, 5);
                export[i][v] = 1 + prng_below(&p, 5);
                vrf(n, i, v + 1, import[i][v], export[i][v]);
            } else if (prng_below(&p, 12) == 0) {
                assert_int_equal(bgpvpn_engine_vrf_remove(n->node[i].engine, n->now_ms, v + 1),
                                 BGPVPN_OK);
                import[i][v] = export[i][v] = 0;
                memset(there[i][v], 0, sizeof(there[i][v]));
                net_run(n, 200);
            } else if (there[i][v][k] && prng_below(&p, 2)) {
                net_withdraw(n, i, v + 1, ip, 24);
                there[i][v][k] = false;
            } else {
                net_announce(n, i, v + 1, ip, 24, 16 + prng_below(&p, 1000));
                there[i][v][k] = true;
            }
            if (prng_below(&p, 40) == 0)
                net_cut(n, 0, i);
            if (prng_below(&p, 4) == 0)
                net_run(n, prng_below(&p, 400));
        }
        net_run(n, 200000);
        for (uint32_t i = 1; i < 5; i++) {
            uint32_t expected = 0;
            for (uint32_t j = 1; j < 5; j++) {
                for (uint32_t w = 0; w < 4; w++) {
                    bool wanted = false;
                    for (uint32_t v = 0; v < 4; v++)
                        wanted |= j != i && export[j][w] != 0 && export[j][w] == import[i][v];
                    for (uint32_t k = 0; wanted && k < 8; k++)
                        expected += there[j][w][k];
                }
            }
            if (others(n, i) != expected)
                fail_msg("seed %u: node %u has %u routes, not %u", (unsigned)seed, i, others(n, i),
                         expected);
        }
        net_free(n);
    }
}

/* ---- After our restart ---- */

/*
 * The peer waits for our membership before it tells VPN routes and their End-of-RIB, we for that
 * End-of-RIB before we choose: what we import is told at once, and nothing else (RFC 4724 4.1).
 */
static void after_a_restart_peers_hear_at_once_what_we_import(void **state)
{
    (void)state;
    machine m;
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    unsigned announced, withdrawn;
    net_config(0, &cfg);
    cfg.restarted = 1;
    machine_neighbor(&n);
    n.tables = TABLES;
    machine_new(&m, &cfg, &n);
    vrf_with_route(&m, 100);
    machine_establish(&m, OPEN_TARGETS_KEEPS);
    machine_wait(&m, 1000);
    /* AFI 1, SAFI 132: 65000:65000:100, then End-of-RIB; of SAFI 128 nothing. */
    assert_int_equal(m.kinds & UINT64_C(1) << BGPVPN_EVENT_SELECTED, 0);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 2);
    assert_hex(m.sent + m.sent_len - 29, 29, END_OF_TARGETS);
    told(&m, &announced, &withdrawn);
    assert_int_equal(announced + withdrawn, 0);
    /* Nor when the peer has said what it wants, or asks again. */
    want(&m, RT100, false);
    machine_feed(&m, END_OF_TARGETS HEADER "00170500010080");
    machine_wait(&m, 1000);
    told(&m, &announced, &withdrawn);
    assert_int_equal(announced + withdrawn, 0);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 2);
    machine_feed(&m, END_OF_VPN);
    machine_wait(&m, 1000);
    assert_true(m.kinds & UINT64_C(1) << BGPVPN_EVENT_SELECTED);
    assert_int_equal(m.count[BGPVPN_MESSAGE_UPDATE], 4);
    assert_hex(m.sent + m.sent_len - 29, 29, END_OF_VPN);
    told(&m, &announced, &withdrawn);
    assert_int_equal(announced, 1);
    assert_int_equal(withdrawn, 0);
    bgpvpn_engine_free(m.e);
}

/* ---- Memory ---- */

static void life(fail_alloc *f, void *user)
{
    (void)user;
    machine m = {.now_ms = 1000};
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    uint8_t rt[8], msg[512], buf[4096];
    bgpvpn_vrf_config v = {.struct_size = sizeof(v), .vrf = 1};
    bgpvpn_local_route r = {.struct_size = sizeof(r), .label = 77};
    bgpvpn_event ev;
    bgpvpn_output out;
    uint64_t sent = 0;
    net_config(0, &cfg);
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    if (bgpvpn_engine_new(&cfg, m.now_ms, &m.e) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_new(&cfg, m.now_ms, &m.e), BGPVPN_OK);
    machine_neighbor(&n);
    n.tables = TABLES;
    n.flags = BGPVPN_NEIGHBOR_PASSIVE | BGPVPN_NEIGHBOR_CLIENT;
    if (bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &m.id) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_neighbor_add(m.e, m.now_ms, &n, &m.id), BGPVPN_OK);
    if (bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_accept(m.e, m.now_ms, &us, &them, &m.stream), BGPVPN_OK);
    (void)bgpvpn_engine_set_credit(m.e, m.now_ms, m.stream, UINT64_MAX);
    const size_t len = hex_bytes(OPEN_TARGETS KEEPALIVE HEADER
                                 "003e02 0000 0027 800e16 000184 04 0a000002 00" RT100
                                 "400101 00 400200 400504 00000064" END_OF_TARGETS,
                                 msg, sizeof(msg));
    for (size_t at = 0; at < len;) {
        size_t used = 0;
        const bgpvpn_rc rc =
            bgpvpn_engine_input(m.e, m.now_ms, m.stream, msg + at, len - at, &used);
        assert_true(rc == BGPVPN_OK || rc == BGPVPN_ERR_NOMEM);
        at += used;
        while (bgpvpn_engine_poll_event(m.e, &ev) == BGPVPN_YES)
            assert_int_not_equal(ev.kind, BGPVPN_EVENT_FAILED);
    }
    (void)bgpvpn_rd_make(65000, 9, 0, v.rd);
    (void)bgpvpn_rt_make(65000, 100, 0, rt);
    v.import_rts = v.export_rts = rt;
    v.import_rts_len = v.export_rts_len = sizeof(rt);
    if (bgpvpn_engine_vrf_add(m.e, m.now_ms, &v) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_vrf_add(m.e, m.now_ms, &v), BGPVPN_OK);
    net_prefix(0x0a050000, 16, &r.prefix);
    if (bgpvpn_engine_announce(m.e, m.now_ms, 1, &r) != BGPVPN_OK)
        assert_int_equal(bgpvpn_engine_announce(m.e, m.now_ms, 1, &r), BGPVPN_OK);
    for (int turn = 0; turn < 6; turn++) {
        (void)bgpvpn_engine_timeout(m.e, m.now_ms);
        while (bgpvpn_engine_poll_output(m.e, m.now_ms, buf, sizeof(buf), &out) == BGPVPN_YES)
            sent += out.len;
    }
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m.e, m.id, &info), BGPVPN_OK);
    assert_int_equal(info.state, BGPVPN_STATE_ESTABLISHED);
    assert_int_equal(info.targets, 1);
    assert_int_equal(info.filtered, 1);
    /* The route that is wanted, and that we want everything; one of them twice where a walk met
     * a change. */
    assert_in_range(info.prefixes_out, 2, 3);
    assert_true(sent > 100);
    bgpvpn_engine_free(m.e);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(life, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(membership_is_written_as_the_rfc_draws_it),
        cmocka_unit_test(membership_of_a_wrong_length_is_refused),
        cmocka_unit_test(a_peer_is_sent_what_it_asks_for_and_when_it_has_asked),
        cmocka_unit_test(a_peer_that_does_not_say_that_it_is_done_is_not_waited_for_long),
        cmocka_unit_test(parts_of_targets_and_none_stand_for_many),
        cmocka_unit_test(a_route_without_targets_goes_to_who_wants_everything),
        cmocka_unit_test(who_asks_for_too_much_gets_everything),
        cmocka_unit_test(a_refresh_brings_only_what_is_wanted),
        cmocka_unit_test(what_is_announced_later_is_filtered_as_exactly),
        cmocka_unit_test(what_a_refresh_does_not_ask_for_again_is_withdrawn),
        cmocka_unit_test(a_route_that_loses_its_target_is_withdrawn_from_who_had_it),
        cmocka_unit_test(a_reflector_sends_a_spoke_only_what_it_imports),
        cmocka_unit_test(a_route_that_changes_its_target_leaves_and_arrives),
        cmocka_unit_test(reflectors_ask_each_other_for_their_clients),
        cmocka_unit_test(random_changes_leave_every_spoke_with_what_it_imports),
        cmocka_unit_test(after_a_restart_peers_hear_at_once_what_we_import),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
