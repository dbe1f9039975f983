/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lab's TCP: what one side sends is what the other reads, whatever the network does.
 */
#include "harness.h"

#include "segment.h"
#include "vtcp.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLIENT,
    SERVER,
    SIDES,
    PORT = 179,
    PACKET_BYTES = 2048,
    STREAM_BYTES = 60000,
    GIVE_UP_MS = 3600000
};

typedef struct side {
    vtcp *tcp;
    uint64_t id;
    bool up;
    bool accepted;
    bool peer_done;
    bool down;
    uint32_t reason;
    uint8_t *send;
    size_t send_len, sent;
    uint8_t *got;
    size_t got_len, got_cap;
    bool closes; /* when everything was taken */
    bool closed;
    bool reads;
    uint32_t reads_at_most; /* bytes a millisecond; 0: no limit */
} side;

typedef struct pair {
    side sides[SIDES];
    router_addr addresses[SIDES];
    vnet *net;
    uint64_t now;
    prng random;
} pair;

static const vnet_rules quiet = {.delay_ms = 5};
static const vnet_rules bad = {.loss_ppm = 80000,
                               .duplicate_ppm = 50000,
                               .reorder_ppm = 100000,
                               .delay_ms = 10,
                               .jitter_ms = 5,
                               .reorder_ms = 60};

static void pair_begin(pair *p, uint64_t seed, const vnet_rules *rules, const vtcp_config *config)
{
    memset(p, 0, sizeof(*p));
    p->random.state = seed;
    p->net = vnet_new(seed, rules);
    p->now = 1000;
    for (uint32_t i = 0; i < SIDES; i++) {
        vtcp_config c;
        vtcp_config_init(&c);
        if (config)
            c = *config;
        c.seed = seed * SIDES + i;
        assert_int_equal(vtcp_new(&c, &p->sides[i].tcp), VTCP_OK);
        p->addresses[i] = ip_host4(0xac100101u + i, 0);
        p->sides[i].reads = true;
    }
    vtcp_listen(p->sides[SERVER].tcp, PORT);
}

static void pair_end(pair *p)
{
    for (uint32_t i = 0; i < SIDES; i++) {
        vtcp_free(p->sides[i].tcp);
        free(p->sides[i].send);
        free(p->sides[i].got);
    }
    vnet_free(p->net);
}

static void to_send(pair *p, uint32_t which, size_t len)
{
    side *s = &p->sides[which];
    s->send = malloc(len);
    assert_non_null(s->send);
    s->send_len = len;
    prng_bytes(&p->random, s->send, len);
}

static void dial(pair *p)
{
    router_addr to = p->addresses[SERVER];
    to.port = PORT;
    side *c = &p->sides[CLIENT];
    assert_int_equal(vtcp_connect(c->tcp, p->now, &p->addresses[CLIENT], &to, &c->id), VTCP_OK);
}

static void read_some(pair *p, side *s)
{
    const uint8_t *bytes;
    size_t len;
    if (!s->reads || vtcp_peek(s->tcp, s->id, &bytes, &len) != VTCP_OK || len == 0)
        return;
    if (s->reads_at_most && len > s->reads_at_most)
        len = s->reads_at_most;
    if (s->got_len + len > s->got_cap) {
        s->got_cap = (s->got_len + len) * 2;
        s->got = realloc(s->got, s->got_cap);
        assert_non_null(s->got);
    }
    memcpy(s->got + s->got_len, bytes, len);
    s->got_len += len;
    assert_int_equal(vtcp_consume(s->tcp, p->now, s->id, len), VTCP_OK);
}

static void apply_event(side *s, const vtcp_event *e)
{
    switch (e->kind) {
    case VTCP_EVENT_UP:
        assert_false(s->up);
        s->up = true;
        s->accepted = e->accepted;
        s->id = e->id;
        break;
    case VTCP_EVENT_PEER_DONE:
        assert_false(s->peer_done);
        s->peer_done = true;
        break;
    case VTCP_EVENT_DOWN:
        assert_false(s->down);
        s->down = true;
        s->reason = e->reason;
        break;
    default:
        break;
    }
}

static void write_some(pair *p, side *s)
{
    if (!s->up || s->down || s->closed)
        return;
    size_t taken = 0;
    const size_t most = 1 + prng_below(&p->random, 4000);
    size_t len = s->send_len - s->sent;
    if (len > most)
        len = most;
    if (len > 0 && vtcp_send(s->tcp, p->now, s->id, s->send + s->sent, len, &taken) == VTCP_OK)
        s->sent += taken;
    if (s->closes && s->sent == s->send_len) {
        assert_int_equal(vtcp_close(s->tcp, p->now, s->id), VTCP_OK);
        s->closed = true;
    }
}

static void side_step(pair *p, uint32_t which)
{
    side *s = &p->sides[which];
    assert_int_equal(vtcp_timeout(s->tcp, p->now), VTCP_OK);
    vtcp_event e;
    while (vtcp_poll_event(s->tcp, &e) == VTCP_YES) {
        if (e.kind == VTCP_EVENT_DOWN || e.kind == VTCP_EVENT_READABLE)
            read_some(p, s);
        apply_event(s, &e);
    }
    if (s->up)
        read_some(p, s);
    write_some(p, s);
    uint8_t packet[PACKET_BYTES];
    size_t len;
    while (vtcp_poll_output(s->tcp, p->now, packet, sizeof(packet), &len) == VTCP_YES)
        vnet_send(p->net, p->now, which, 1 - which, 0, packet, len);
}

/* A millisecond; returns false once nothing will happen any more. */
static bool step(pair *p)
{
    vnet_datagram d;
    while (vnet_receive(p->net, p->now, &d)) {
        (void)vtcp_input(p->sides[d.to].tcp, p->now, d.bytes, d.len);
        vnet_release(&d);
    }
    for (uint32_t i = 0; i < SIDES; i++)
        side_step(p, i);
    p->now++;
    return vnet_deadline(p->net) != UINT64_MAX ||
           vtcp_deadline(p->sides[CLIENT].tcp) != ROUTER_NEVER ||
           vtcp_deadline(p->sides[SERVER].tcp) != ROUTER_NEVER;
}

static void run(pair *p, uint64_t ms)
{
    const uint64_t end = p->now + ms;
    while (p->now < end && step(p))
        continue;
}

static void assert_streams_equal(const pair *p)
{
    for (uint32_t i = 0; i < SIDES; i++) {
        const side *from = &p->sides[i];
        const side *to = &p->sides[1 - i];
        assert_int_equal(to->got_len, from->send_len);
        if (from->send_len > 0)
            assert_memory_equal(to->got, from->send, from->send_len);
    }
}

/* ---- The wire ---- */

/* Packets made by scapy 2.5. */
static const char data_packet[] =
    "4500002f000040004006dfa9ac100101ac1001fec35000b3010203040a0b0c0d5018100022b20000"
    "ffff68656c6c6f";
static const char syn_packet[] =
    "4500002c000040004006dfacac100101ac1001fec35000b301020304000000006002ffff75610000"
    "02040550";
static const char ipv6_packet[] =
    "600000000019064020010db800000000000000000000000120010db8000000000000000000000002"
    "c35000b3010203040a0b0c0d50181000225f000068656c6c6f";

static void a_data_segment_is_decoded_and_encoded_as_scapy_does(void **state)
{
    (void)state;
    uint8_t packet[PACKET_BYTES], again[PACKET_BYTES];
    const size_t len = hex_bytes(data_packet, packet, sizeof(packet));
    segment s;
    assert_int_equal(segment_decode(packet, len, &s), VTCP_OK);
    assert_int_equal(s.from.port, 50000);
    assert_int_equal(s.to.port, 179);
    assert_int_equal(s.seq, 0x01020304);
    assert_int_equal(s.ack, 0x0a0b0c0d);
    assert_int_equal(s.flags, SEGMENT_ACK | SEGMENT_PSH);
    assert_int_equal(s.window, 4096);
    assert_bytes(s.payload, s.len, (const uint8_t *)"\xff\xffhello", 7);
    assert_hex(again, segment_encode(&s, again, sizeof(again)), data_packet);
}

static void a_syn_carries_the_mss_as_scapy_does(void **state)
{
    (void)state;
    uint8_t packet[PACKET_BYTES], again[PACKET_BYTES];
    const size_t len = hex_bytes(syn_packet, packet, sizeof(packet));
    segment s;
    assert_int_equal(segment_decode(packet, len, &s), VTCP_OK);
    assert_int_equal(s.flags, SEGMENT_SYN);
    assert_int_equal(s.mss, 1360);
    assert_hex(again, segment_encode(&s, again, sizeof(again)), syn_packet);
}

static void a_segment_in_ipv6_is_decoded_and_encoded_as_scapy_does(void **state)
{
    (void)state;
    uint8_t packet[PACKET_BYTES], again[PACKET_BYTES];
    const size_t len = hex_bytes(ipv6_packet, packet, sizeof(packet));
    segment s;
    assert_int_equal(segment_decode(packet, len, &s), VTCP_OK);
    assert_int_equal(s.from.family, ROUTER_FAMILY_IPV6);
    assert_bytes(s.payload, s.len, (const uint8_t *)"hello", 5);
    size_t again_len = segment_encode(&s, again, sizeof(again));
    assert_bytes(again, again_len, packet, len);
}

static void a_udp_datagram_is_encoded_as_scapy_does(void **state)
{
    (void)state;
    const router_addr from = ip_host4(0xc0a80101, 4500);
    const router_addr to = ip_host4(0xc0a801fe, 4500);
    const uint8_t payload[] = {0, 0, 0, 0, 'i', 'k', 'e'};
    uint8_t packet[PACKET_BYTES];
    const size_t len = ip_encode_udp(packet, sizeof(packet), &from, &to, payload, sizeof(payload));
    assert_hex(packet, len,
               "45000023000040004011b67ac0a80101c0a801fe11941194000f89ec00000000696b65");
}

static void a_flipped_bit_anywhere_is_noticed(void **state)
{
    (void)state;
    uint8_t packet[PACKET_BYTES];
    const size_t len = hex_bytes(data_packet, packet, sizeof(packet));
    segment s;
    for (size_t bit = 0; bit < len * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(segment_decode(packet, len, &s), VTCP_OK);
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_truncated_segment_is_refused_at_every_length(void **state)
{
    (void)state;
    uint8_t packet[PACKET_BYTES];
    const size_t len = hex_bytes(syn_packet, packet, sizeof(packet));
    segment s;
    for (size_t cut = 0; cut < len; cut++)
        assert_int_not_equal(segment_decode(packet, cut, &s), VTCP_OK);
}

/* ---- Streams ---- */

static void bytes_arrive_identical_both_ways_through_loss_reordering_and_duplication(void **state)
{
    (void)state;
    uint64_t retransmitted = 0, out_of_order = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        pair p;
        vtcp_config config;
        vtcp_config_init(&config);
        config.receive_bytes = seed % 2 ? UINT16_MAX : 4000;
        config.send_bytes = seed % 3 ? 65536 : 3000;
        config.retries = 40;
        pair_begin(&p, seed, &bad, &config);
        to_send(&p, CLIENT, STREAM_BYTES);
        to_send(&p, SERVER, STREAM_BYTES / 3);
        p.sides[SERVER].reads_at_most = seed % 5 ? 0 : 200;
        p.sides[CLIENT].closes = p.sides[SERVER].closes = true;
        dial(&p);
        run(&p, GIVE_UP_MS);
        assert_streams_equal(&p);
        for (uint32_t i = 0; i < SIDES; i++) {
            assert_true(p.sides[i].peer_done);
            assert_true(p.sides[i].down);
            assert_int_equal(p.sides[i].reason, VTCP_REASON_CLOSED);
            vtcp_stats stats;
            vtcp_get_stats(p.sides[i].tcp, &stats);
            retransmitted += stats.retransmitted;
            out_of_order += stats.out_of_order;
        }
        pair_end(&p);
    }
    /* Or the network was not what the name says. */
    assert_true(retransmitted > 100);
    assert_true(out_of_order > 100);
}

static void the_same_seed_sends_the_same_number_of_segments(void **state)
{
    (void)state;
    vtcp_stats stats[2];
    uint64_t ended[2];
    for (int i = 0; i < 2; i++) {
        pair p;
        pair_begin(&p, 7, &bad, NULL);
        to_send(&p, CLIENT, STREAM_BYTES);
        p.sides[CLIENT].closes = p.sides[SERVER].closes = true;
        dial(&p);
        run(&p, GIVE_UP_MS);
        vtcp_get_stats(p.sides[CLIENT].tcp, &stats[i]);
        ended[i] = p.now;
        pair_end(&p);
    }
    assert_memory_equal(&stats[0], &stats[1], sizeof(stats[0]));
    assert_int_equal(ended[0], ended[1]);
}

static void on_a_quiet_network_nothing_is_sent_twice(void **state)
{
    (void)state;
    pair p;
    pair_begin(&p, 3, &quiet, NULL);
    to_send(&p, CLIENT, STREAM_BYTES);
    to_send(&p, SERVER, STREAM_BYTES);
    dial(&p);
    run(&p, 10000);
    assert_streams_equal(&p);
    assert_true(p.sides[SERVER].accepted);
    assert_false(p.sides[CLIENT].accepted);
    for (uint32_t i = 0; i < SIDES; i++) {
        vtcp_stats stats;
        vtcp_get_stats(p.sides[i].tcp, &stats);
        assert_int_equal(stats.retransmitted, 0);
        assert_int_equal(stats.dropped, 0);
        /* An established connection at rest has no timer. */
        assert_true(vtcp_deadline(p.sides[i].tcp) == ROUTER_NEVER);
    }
    pair_end(&p);
}

/* RFC 9293 3.8.6.1 */
static void a_reader_that_stops_closes_the_window_and_opens_it_again(void **state)
{
    (void)state;
    vtcp_config config;
    vtcp_config_init(&config);
    config.receive_bytes = 3000;
    pair p;
    pair_begin(&p, 5, &quiet, &config);
    to_send(&p, CLIENT, 20000);
    p.sides[SERVER].reads = false;
    dial(&p);
    run(&p, 600000);
    const uint8_t *bytes;
    size_t len;
    assert_int_equal(vtcp_peek(p.sides[SERVER].tcp, p.sides[SERVER].id, &bytes, &len), VTCP_OK);
    assert_int_equal(len, 3000);
    assert_false(p.sides[CLIENT].down);
    p.sides[SERVER].reads = true;
    run(&p, 100000);
    assert_streams_equal(&p);
    pair_end(&p);
}

static void one_side_may_close_while_the_other_goes_on_sending(void **state)
{
    (void)state;
    pair p;
    pair_begin(&p, 9, &bad, NULL);
    p.sides[CLIENT].closes = true;
    to_send(&p, SERVER, STREAM_BYTES);
    dial(&p);
    run(&p, 300000);
    assert_true(p.sides[SERVER].peer_done);
    assert_streams_equal(&p);
    pair_end(&p);
}

static void a_port_where_nobody_listens_refuses(void **state)
{
    (void)state;
    pair p;
    pair_begin(&p, 1, &quiet, NULL);
    vtcp_listen(p.sides[SERVER].tcp, 0);
    dial(&p);
    run(&p, 1000);
    assert_true(p.sides[CLIENT].down);
    assert_int_equal(p.sides[CLIENT].reason, VTCP_REASON_REFUSED);
    pair_end(&p);
}

/* RFC 6298 5.5: the retransmissions are ever further apart, and they end. */
static void a_peer_that_is_not_there_is_given_up(void **state)
{
    (void)state;
    vtcp_config config;
    vtcp_config_init(&config);
    config.retries = 4;
    vtcp *t;
    assert_int_equal(vtcp_new(&config, &t), VTCP_OK);
    const router_addr from = ip_host4(0x0a000001, 0), to = ip_host4(0x0a000002, PORT);
    uint64_t id;
    assert_int_equal(vtcp_connect(t, 0, &from, &to, &id), VTCP_OK);
    static const uint64_t at_ms[] = {0, 1000, 3000, 7000, 15000};
    size_t sent = 0;
    uint64_t now = 0;
    vtcp_event e;
    while (vtcp_poll_event(t, &e) != VTCP_YES) {
        uint8_t packet[PACKET_BYTES];
        size_t len;
        while (vtcp_poll_output(t, now, packet, sizeof(packet), &len) == VTCP_YES) {
            assert_true(sent < sizeof(at_ms) / sizeof(at_ms[0]));
            assert_int_equal(now, at_ms[sent]);
            sent++;
        }
        now = vtcp_deadline(t);
        assert_int_equal(vtcp_timeout(t, now), VTCP_OK);
    }
    assert_int_equal(sent, 5);
    assert_int_equal(now, 31000);
    assert_int_equal(e.kind, VTCP_EVENT_DOWN);
    assert_int_equal(e.reason, VTCP_REASON_TIMEOUT);
    assert_true(vtcp_deadline(t) == ROUTER_NEVER);
    vtcp_free(t);
}

static void an_abort_resets_the_peer(void **state)
{
    (void)state;
    pair p;
    pair_begin(&p, 2, &quiet, NULL);
    dial(&p);
    run(&p, 1000);
    assert_int_equal(vtcp_abort(p.sides[CLIENT].tcp, p.now, p.sides[CLIENT].id), VTCP_OK);
    side_step(&p, CLIENT);
    run(&p, 1000);
    assert_true(p.sides[SERVER].down);
    assert_int_equal(p.sides[SERVER].reason, VTCP_REASON_RESET);
    pair_end(&p);
}

static void inject(pair *p, uint32_t to, uint8_t flags, uint32_t seq, uint32_t ack, int32_t rc)
{
    segment s = {.from = p->addresses[1 - to],
                 .to = p->addresses[to],
                 .seq = seq,
                 .ack = ack,
                 .flags = flags,
                 .window = 1000};
    s.from.port = p->addresses[1 - to].port;
    s.to.port = p->addresses[to].port;
    uint8_t packet[PACKET_BYTES];
    const size_t len = segment_encode(&s, packet, sizeof(packet));
    assert_int_equal(vtcp_input(p->sides[to].tcp, p->now, packet, len), rc);
}

/* Connects by hand, so that the test knows the sequence numbers; the client is the test. */
static uint32_t connect_by_hand(pair *p, uint32_t iss)
{
    p->addresses[CLIENT].port = 50000;
    p->addresses[SERVER].port = PORT;
    inject(p, SERVER, SEGMENT_SYN, iss, 0, VTCP_OK);
    uint8_t packet[PACKET_BYTES];
    size_t len;
    segment s;
    assert_int_equal(vtcp_poll_output(p->sides[SERVER].tcp, p->now, packet, sizeof(packet), &len),
                     VTCP_YES);
    assert_int_equal(segment_decode(packet, len, &s), VTCP_OK);
    assert_int_equal(s.flags, SEGMENT_SYN | SEGMENT_ACK);
    assert_int_equal(s.ack, iss + 1);
    inject(p, SERVER, SEGMENT_ACK, iss + 1, s.seq + 1, VTCP_OK);
    side_step(p, SERVER);
    assert_true(p->sides[SERVER].up);
    return s.seq + 1;
}

/* RFC 5961 3.2 and 4.2 */
static void a_blind_reset_or_syn_is_challenged_and_the_exact_reset_obeyed(void **state)
{
    (void)state;
    pair p;
    pair_begin(&p, 4, &quiet, NULL);
    const uint32_t iss = 0xfffffff0;
    const uint32_t ack = connect_by_hand(&p, iss);
    inject(&p, SERVER, SEGMENT_RST, iss + 100, 0, VTCP_ERR_SEQUENCE);
    inject(&p, SERVER, SEGMENT_RST, iss - 100, 0, VTCP_ERR_SEQUENCE);
    inject(&p, SERVER, SEGMENT_SYN, iss + 1, 0, VTCP_ERR_SEQUENCE);
    inject(&p, SERVER, SEGMENT_ACK, iss + 1, ack + 1, VTCP_ERR_SEQUENCE);
    side_step(&p, SERVER);
    assert_false(p.sides[SERVER].down);
    inject(&p, SERVER, SEGMENT_RST, iss + 1, 0, VTCP_OK);
    side_step(&p, SERVER);
    assert_true(p.sides[SERVER].down);
    assert_int_equal(p.sides[SERVER].reason, VTCP_REASON_RESET);
    pair_end(&p);
}

static void random_segments_never_break_a_connection_of_others(void **state)
{
    (void)state;
    pair p;
    pair_begin(&p, 6, &quiet, NULL);
    dial(&p);
    run(&p, 100);
    to_send(&p, CLIENT, STREAM_BYTES);
    for (int i = 0; i < 20000; i++) {
        segment s = {.from = ip_host4(prng_below(&p.random, 4), (uint16_t)prng_below(&p.random, 3)),
                     .to = p.addresses[SERVER],
                     .seq = (uint32_t)prng_u64(&p.random),
                     .ack = (uint32_t)prng_u64(&p.random),
                     .flags = (uint8_t)prng_u64(&p.random),
                     .window = (uint16_t)prng_u64(&p.random)};
        s.to.port = PORT;
        uint8_t packet[PACKET_BYTES];
        size_t len = segment_encode(&s, packet, sizeof(packet));
        (void)vtcp_input(p.sides[SERVER].tcp, p.now, packet, len);
        if (i % 100 == 0) {
            uint8_t noise[64];
            prng_bytes(&p.random, noise, sizeof(noise));
            (void)vtcp_input(p.sides[SERVER].tcp, p.now, noise, prng_below(&p.random, 64));
        }
    }
    run(&p, 10000);
    assert_int_equal(p.sides[SERVER].got_len, STREAM_BYTES);
    assert_memory_equal(p.sides[SERVER].got, p.sides[CLIENT].send, STREAM_BYTES);
    pair_end(&p);
}

static void random_segments_near_the_window_never_break_its_bounds(void **state)
{
    (void)state;
    enum { SEGMENTS = 3000, WINDOW = 3000, MOST_DATA = 1400 };
    static uint8_t data[MOST_DATA];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        vtcp_config config;
        vtcp_config_init(&config);
        config.receive_bytes = WINDOW;
        pair p;
        pair_begin(&p, seed, &quiet, &config);
        const uint32_t iss = (uint32_t)prng_u64(&p.random);
        const uint32_t ack = connect_by_hand(&p, iss);
        to_send(&p, SERVER, STREAM_BYTES);
        p.sides[SERVER].reads_at_most = 100;
        for (int i = 0; i < SEGMENTS && !p.sides[SERVER].down; i++) {
            segment s = {.from = p.addresses[CLIENT],
                         .to = p.addresses[SERVER],
                         .seq = iss + (uint32_t)p.sides[SERVER].got_len +
                                prng_below(&p.random, 3 * WINDOW) - WINDOW,
                         .ack = ack + prng_below(&p.random, 4000) - 1000,
                         .flags = (uint8_t)(prng_u64(&p.random) | SEGMENT_ACK),
                         .window = (uint16_t)prng_below(&p.random, 5000),
                         .payload = data,
                         .len = prng_below(&p.random, MOST_DATA)};
            if (prng_below(&p.random, 100) != 0)
                s.flags &= (uint8_t) ~(SEGMENT_RST | SEGMENT_SYN | SEGMENT_FIN);
            uint8_t packet[PACKET_BYTES];
            const size_t len = segment_encode(&s, packet, sizeof(packet));
            (void)vtcp_input(p.sides[SERVER].tcp, p.now, packet, len);
            const uint8_t *bytes;
            size_t waiting = 0;
            (void)vtcp_peek(p.sides[SERVER].tcp, p.sides[SERVER].id, &bytes, &waiting);
            assert_true(waiting <= WINDOW);
            p.now += prng_below(&p.random, 300);
            side_step(&p, SERVER);
        }
        pair_end(&p);
    }
}

static void there_are_no_more_connections_than_allowed(void **state)
{
    (void)state;
    vtcp_config config;
    vtcp_config_init(&config);
    config.max_connections = 2;
    vtcp *t;
    assert_int_equal(vtcp_new(&config, &t), VTCP_OK);
    const router_addr from = ip_host4(1, 0), to = ip_host4(2, PORT);
    uint64_t id;
    assert_int_equal(vtcp_connect(t, 0, &from, &to, &id), VTCP_OK);
    assert_int_equal(vtcp_connect(t, 0, &from, &to, &id), VTCP_OK);
    assert_int_equal(vtcp_connect(t, 0, &from, &to, &id), VTCP_ERR_LIMIT);
    assert_int_equal(vtcp_close(t, 0, id), VTCP_OK);
    vtcp_event e;
    assert_int_equal(vtcp_poll_event(t, &e), VTCP_YES);
    assert_int_equal(e.kind, VTCP_EVENT_DOWN);
    assert_int_equal(vtcp_connect(t, 0, &from, &to, &id), VTCP_OK);
    vtcp_free(t);
}

static void null_and_unknown_arguments_are_refused(void **state)
{
    (void)state;
    vtcp_config config;
    vtcp_config_init(&config);
    vtcp_config_init(NULL);
    vtcp *t;
    assert_int_equal(vtcp_new(NULL, &t), VTCP_ERR_ARG);
    assert_int_equal(vtcp_new(&config, NULL), VTCP_ERR_ARG);
    config.receive_bytes = UINT16_MAX + 1;
    assert_int_equal(vtcp_new(&config, &t), VTCP_ERR_ARG);
    vtcp_config_init(&config);
    assert_int_equal(vtcp_new(&config, &t), VTCP_OK);
    const router_addr a = ip_host4(1, PORT);
    const router_addr six = {.family = ROUTER_FAMILY_IPV6, .port = PORT};
    uint64_t id = 1;
    uint8_t buf[PACKET_BYTES] = {0};
    const uint8_t *bytes;
    size_t len;
    vtcp_event e;
    assert_int_equal(vtcp_connect(NULL, 0, &a, &a, &id), VTCP_ERR_ARG);
    assert_int_equal(vtcp_connect(t, 0, NULL, &a, &id), VTCP_ERR_ARG);
    assert_int_equal(vtcp_connect(t, 0, &a, NULL, &id), VTCP_ERR_ARG);
    assert_int_equal(vtcp_connect(t, 0, &a, &a, NULL), VTCP_ERR_ARG);
    assert_int_equal(vtcp_connect(t, 0, &a, &six, &id), VTCP_ERR_ARG);
    assert_int_equal(vtcp_input(NULL, 0, buf, 1), VTCP_ERR_ARG);
    assert_int_equal(vtcp_input(t, 0, NULL, 1), VTCP_ERR_ARG);
    assert_int_equal(vtcp_input(t, 0, buf, 0), VTCP_ERR_MALFORMED);
    assert_int_equal(vtcp_timeout(NULL, 0), VTCP_ERR_ARG);
    assert_true(vtcp_deadline(NULL) == ROUTER_NEVER);
    assert_int_equal(vtcp_send(t, 0, 1, buf, 1, &len), VTCP_ERR_ABSENT);
    assert_int_equal(vtcp_send(t, 0, 1, NULL, 1, &len), VTCP_ERR_ARG);
    assert_int_equal(vtcp_send(t, 0, 1, buf, 1, NULL), VTCP_ERR_ARG);
    assert_int_equal(vtcp_room(NULL, 1), 0);
    assert_int_equal(vtcp_peek(t, 1, &bytes, &len), VTCP_ERR_ABSENT);
    assert_int_equal(vtcp_peek(NULL, 1, &bytes, &len), VTCP_ERR_ARG);
    assert_int_equal(vtcp_consume(t, 0, 1, 0), VTCP_ERR_ABSENT);
    assert_int_equal(vtcp_close(t, 0, 1), VTCP_ERR_ABSENT);
    assert_int_equal(vtcp_abort(t, 0, 1), VTCP_ERR_ABSENT);
    assert_int_equal(vtcp_poll_event(t, NULL), VTCP_ERR_ARG);
    assert_int_equal(vtcp_poll_event(t, &e), VTCP_OK);
    assert_int_equal(vtcp_poll_output(t, 0, NULL, 0, &len), VTCP_ERR_ARG);
    assert_int_equal(vtcp_poll_output(t, 0, buf, 100, &len), VTCP_ERR_BUFFER);
    vtcp_listen(NULL, 1);
    vtcp_get_stats(NULL, NULL);
    vtcp_free(NULL);
    vtcp_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_data_segment_is_decoded_and_encoded_as_scapy_does),
        cmocka_unit_test(a_syn_carries_the_mss_as_scapy_does),
        cmocka_unit_test(a_segment_in_ipv6_is_decoded_and_encoded_as_scapy_does),
        cmocka_unit_test(a_udp_datagram_is_encoded_as_scapy_does),
        cmocka_unit_test(a_flipped_bit_anywhere_is_noticed),
        cmocka_unit_test(a_truncated_segment_is_refused_at_every_length),
        cmocka_unit_test(bytes_arrive_identical_both_ways_through_loss_reordering_and_duplication),
        cmocka_unit_test(the_same_seed_sends_the_same_number_of_segments),
        cmocka_unit_test(on_a_quiet_network_nothing_is_sent_twice),
        cmocka_unit_test(a_reader_that_stops_closes_the_window_and_opens_it_again),
        cmocka_unit_test(one_side_may_close_while_the_other_goes_on_sending),
        cmocka_unit_test(a_port_where_nobody_listens_refuses),
        cmocka_unit_test(a_peer_that_is_not_there_is_given_up),
        cmocka_unit_test(an_abort_resets_the_peer),
        cmocka_unit_test(a_blind_reset_or_syn_is_challenged_and_the_exact_reset_obeyed),
        cmocka_unit_test(random_segments_never_break_a_connection_of_others),
        cmocka_unit_test(random_segments_near_the_window_never_break_its_bounds),
        cmocka_unit_test(there_are_no_more_connections_than_allowed),
        cmocka_unit_test(null_and_unknown_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
