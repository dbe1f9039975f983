/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A server on a multipoint link with many clients: what a registration, its renewal and a
 * resolution cost it, from the packet in to the packet out, with few clients and with a million;
 * and what a cache entry keeps of memory.
 *
 * Runs alternate in one process; CPU time of the thread; the ratio of medians.
 * One line each: name, ours, the peer's name, the peer's, ratio (above 1: ours is better), unit.
 */
#define _POSIX_C_SOURCE 200809L
#include "measure.h"

#include <nhrp/nhrp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 15,
    SAMPLES = 2000, /* packets in a round */
    FEW = 100,
    SOME = 100000,
    MANY = 1000000,
    SIZES = 3,
    MTU = 512,
    MULTIPOINT = 1,
    HOLDING_S = 7200,
    ENTRY_LIMIT_BYTES = 256
};

/* ---- The server, and packets of its clients. ---- */

typedef struct server {
    nhrp_engine *engine;
    uint64_t now_ms;
    size_t held, held_empty;
    uint32_t clients;
    uint32_t request_id;
} server;

static nhrp_addr ip4(uint32_t a)
{
    return (nhrp_addr){
        .family = NHRP_FAMILY_IPV4,
        .bytes = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a}};
}

static nhrp_addr tunnel_of(uint32_t client)
{
    return ip4(UINT32_C(0x0a000001) + client); /* 10.0.0.1 is the server's */
}

static nhrp_addr nbma_of(uint32_t client)
{
    return ip4(UINT32_C(0xc0000001) + client);
}

static void server_open(server *s)
{
    nhrp_config cfg;
    nhrp_interface_config interface;
    nhrp_link_config link;
    memset(s, 0, sizeof(*s));
    s->now_ms = 1000;
    require(nhrp_config_init(&cfg) == NHRP_OK &&
                nhrp_interface_config_init(&interface) == NHRP_OK &&
                nhrp_link_config_init(&link) == NHRP_OK,
            "nhrp_config_init");
    cfg.allocator.resize = counted_resize;
    cfg.allocator.user = &s->held;
    cfg.seed[0] = 1;
    cfg.max_mappings = 2 * MANY;
    cfg.max_answers = cfg.max_answers_per_link = 2 * SAMPLES * ROUNDS;
    interface.flags = NHRP_INTERFACE_SERVER;
    interface.send_limit = 0;
    link.interface = 1;
    link.flags = NHRP_LINK_MULTIPOINT;
    link.local_nbma = nbma_of(0);
    link.local_protocol_ipv4 = tunnel_of(0);
    require(nhrp_engine_new(&cfg, s->now_ms, &s->engine) == NHRP_OK &&
                nhrp_engine_interface_add(s->engine, s->now_ms, 1, &interface) == NHRP_OK &&
                nhrp_engine_link_up(s->engine, s->now_ms, MULTIPOINT, &link) == NHRP_OK,
            "nhrp_engine_new");
    s->held_empty = s->held;
}

static size_t write_packet(server *s, uint8_t type, uint32_t client, const nhrp_addr *about,
                           uint8_t *buf)
{
    const nhrp_packet header = {
        .type = type,
        .hop_count = 255,
        .flags = type == NHRP_RESOLUTION_REQUEST ? NHRP_FLAG_ROUTER | NHRP_FLAG_AUTHORITATIVE : 0,
        .request_id = ++s->request_id,
        .protocol_family = NHRP_FAMILY_IPV4,
        .nbma_family = NHRP_FAMILY_IPV4,
        .source_nbma = nbma_of(client),
        .source_protocol = tunnel_of(client),
        .destination_protocol = *about};
    const nhrp_cie cie = {.prefix_len = 32, .mtu = 1400, .holding_time_s = HOLDING_S};
    static const nhrp_extension extensions[] = {
        {.type = NHRP_EXTENSION_RESPONDER, .compulsory = 1},
        {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1},
        {.type = NHRP_EXTENSION_REVERSE, .compulsory = 1},
    };
    nhrp_writer w;
    size_t len = 0;
    require(nhrp_writer_begin(&w, buf, MTU, &header) == NHRP_OK &&
                nhrp_writer_put_cie(&w, &cie) == NHRP_OK,
            "nhrp_writer");
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        require(nhrp_writer_put_extension(&w, &extensions[i]) == NHRP_OK, "nhrp_writer");
    require(nhrp_writer_end(&w, &len) == NHRP_OK, "nhrp_writer_end");
    return len;
}

/* Hands packets in, one by one, and takes each answer out; nanoseconds a packet. */
static double serve(server *s, uint8_t type, uint8_t reply, uint32_t count,
                    uint32_t (*client_of)(const server *s, uint32_t i))
{
    static uint8_t packets[SAMPLES][MTU];
    static size_t lens[SAMPLES];
    static nhrp_addr from[SAMPLES];
    uint8_t out_buf[MTU];
    size_t last_len = 0;
    require(count <= SAMPLES, "SAMPLES");
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t client = client_of(s, i);
        const nhrp_addr about = type == NHRP_REGISTRATION_REQUEST
                                    ? tunnel_of(0)
                                    : tunnel_of(client % s->clients + 1); /* its neighbour */
        from[i] = nbma_of(client);
        lens[i] = write_packet(s, type, client, &about, packets[i]);
    }
    const double begin = cpu_ns();
    for (uint32_t i = 0; i < count; i++) {
        nhrp_event ev;
        nhrp_output out;
        require(nhrp_engine_input(s->engine, s->now_ms, MULTIPOINT, &from[i], packets[i],
                                  lens[i]) == NHRP_OK,
                "nhrp_engine_input");
        while (nhrp_engine_poll_event(s->engine, &ev) == NHRP_YES)
            continue;
        require(nhrp_engine_poll_output(s->engine, s->now_ms, out_buf, sizeof(out_buf), &out) ==
                        NHRP_YES &&
                    out.type == reply,
                "an answer");
        last_len = out.len;
    }
    const double ns = (cpu_ns() - begin) / count;
    nhrp_packet answer;
    nhrp_cie cie;
    size_t it = 0;
    require(nhrp_packet_decode(out_buf, last_len, &answer) == NHRP_OK &&
                nhrp_cie_next(&answer, &it, &cie) == NHRP_YES && cie.code == NHRP_CODE_SUCCESS,
            "a positive answer");
    s->now_ms += 10;
    require(nhrp_engine_timeout(s->engine, s->now_ms) >= 0, "nhrp_engine_timeout");
    return ns;
}

static uint32_t next_new(const server *s, uint32_t i)
{
    return s->clients + i + 1;
}

/* Spread over all, in no order that a cache would like. */
static uint32_t any(const server *s, uint32_t i)
{
    return (uint32_t)(((uint64_t)i * 2654435761u + s->request_id) % s->clients) + 1;
}

static double register_new(server *s, uint32_t count)
{
    const double ns = serve(s, NHRP_REGISTRATION_REQUEST, NHRP_REGISTRATION_REPLY, count, next_new);
    s->clients += count;
    return ns;
}

static double renew(server *s)
{
    return serve(s, NHRP_REGISTRATION_REQUEST, NHRP_REGISTRATION_REPLY, SAMPLES, any);
}

static double resolve(server *s)
{
    return serve(s, NHRP_RESOLUTION_REQUEST, NHRP_RESOLUTION_REPLY, SAMPLES, any);
}

static void fill(server *s, uint32_t clients)
{
    while (s->clients < clients)
        (void)register_new(s, clients - s->clients < SAMPLES ? clients - s->clients : SAMPLES);
}

/* ---- Rows. ---- */

static void rows(const char *what, double (*work)(server *s), server *servers)
{
    static double ns[SIZES][ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < SIZES; k++)
            ns[k][i] = work(&servers[k]);
    const double few = median(ns[0], ROUNDS);
    for (int k = 1; k < SIZES; k++) {
        const double many = median(ns[k], ROUNDS);
        printf("nhrp-%s-%u\t%.0f\t%u clients\t%.0f\t%.2f\tpackets/CPU-second\n", what,
               (unsigned)servers[k].clients, 1e9 / many, (unsigned)servers[0].clients, 1e9 / few,
               few / many);
    }
}

int main(void)
{
    static const uint32_t sizes[SIZES] = {FEW, SOME, MANY};
    static server servers[SIZES];
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (int k = 0; k < SIZES; k++) {
        server_open(&servers[k]);
        fill(&servers[k], sizes[k]);
    }
    const double bytes =
        (double)(servers[SIZES - 1].held - servers[SIZES - 1].held_empty) / sizes[SIZES - 1];
    printf("nhrp-memory\t%.0f\tlimit\t%d\t%.2f\tbytes/registration\n", bytes, ENTRY_LIMIT_BYTES,
           ENTRY_LIMIT_BYTES / bytes);
    rows("register", renew, servers);
    rows("resolve", resolve, servers);
    for (int k = 0; k < SIZES; k++)
        nhrp_engine_free(servers[k].engine);
    return 0;
}
