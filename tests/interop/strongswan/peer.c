/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One end of a GRE tunnel in ESP in UDP: libikev2, libesp and libgre with two sockets and poll. It
 * is what an integrator's first program looks like, and the peer of strongSwan in data.sh.
 *
 *   strongswan_peer [--initiate] [--chacha20poly1305] [--pfs] [--soft-packets=N]
 *
 * It prints every event and obeys lines on its standard input: start, stop (echo requests into the
 * tunnel, one every INTERVAL_MS), report, rekey-child, rekey-ike, delete-child, delete-ike,
 * new-child, quit. It ends with 0 when every request was answered, once, and nothing was dropped.
 *
 *   echo  <->  gre_tunnel  <->  gre_outer  <->  esp_sa  <->  UDP 4500  <->  ikev2_engine
 */
#define _DEFAULT_SOURCE
#include "echo.h"
#include "sas.h"

#include <gre/gre.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SOCKETS = 2,
    MAX_DATAGRAM = 65536,
    RECEIVE_BYTES = 1 << 22, /* data.sh holds the program for a while. */
    INTERVAL_MS = 3,
    SEEN_MS = 1000, /* How often traffic is reported to libikev2. */
    HEADROOM = ESP_HEADER_BYTES + GRE_OUTER_IPV4_BYTES + GRE_HEADER_MAX_BYTES
};

/* The laboratory that data.sh builds. */
static const char local_address[] = "10.99.0.1";
static const char peer_address[] = "10.99.0.2";
static const char local_inner[] = "10.1.0.1";
static const char peer_inner[] = "10.2.0.1";
static const char local_name[] = "a.test";
static const char peer_name[] = "b.test";
static const char psk[] = "an interop key";
static const uint16_t ports[SOCKETS] = {500, 4500};

typedef struct node {
    ikev2_engine *engine;
    gre_tunnel *tunnel;
    sas sas;
    echo echo;
    int fds[SOCKETS];
    bool started;
    uint64_t next_echo_ms;
    uint64_t seen_ms;
    uint64_t sa_id;   /* The IKE SA of the newest Child SA. */
    uint32_t dropped; /* Packets that a library refused. */
} node;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void must(int32_t rc, const char *what)
{
    if (rc == IKEV2_OK)
        return;
    printf("FATAL %s rc=%d\n", what, rc);
    exit(1);
}

static void address(const char *text, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    if (inet_pton(AF_INET, text, bytes) != 1)
        die(text);
}

static void drop(node *n, const char *where, int32_t rc)
{
    n->dropped++;
    printf("dropped by=%s rc=%d\n", where, rc);
}

static void print_key(const char *name, const uint8_t *bytes, size_t len)
{
    printf(" %s=", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
}

static void print_child(const ikev2_engine *e, uint64_t id)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    must(ikev2_engine_get_child(e, id, &c), "ikev2_engine_get_child");
    printf(" mode=%s encr=%u group=%u esn=%u encapsulated=%u protocol=%u",
           c.mode == IKEV2_MODE_TUNNEL ? "tunnel" : "transport", c.encr, c.group, c.esn,
           c.encapsulated, c.local_ts[0].protocol);
    print_key("key_in", c.key_in, c.key_in_len);
    print_key("key_out", c.key_out, c.key_out_len);
}

static const char *event_name(uint16_t kind)
{
    static const char *const names[] = {"?",         "ike-up",       "ike-down", "child-in",
                                        "child-out", "child-remove", "ask-psk",  "ask-peer",
                                        "refused",   "timeout",      "path",     "routes"};
    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : names[0];
}

static void drain_events(node *n)
{
    ikev2_event ev;
    while (ikev2_engine_poll_event(n->engine, &ev) == IKEV2_YES) {
        printf("%s sa=%" PRIu64 " child=%" PRIu64 " replaces=%" PRIu64
               " reason=%u detail=%u spi_in=%08x spi_out=%08x",
               event_name(ev.kind), ev.sa_id, ev.child_id, ev.replaces, ev.reason, ev.detail,
               ev.spi_in, ev.spi_out);
        switch (ev.kind) {
        case IKEV2_EVENT_CHILD_IN:
            print_child(n->engine, ev.child_id);
            sas_install_in(&n->sas, n->engine, ev.child_id);
            n->sa_id = ev.sa_id;
            break;
        case IKEV2_EVENT_CHILD_OUT:
            sas_install_out(&n->sas, n->engine, ev.child_id);
            break;
        case IKEV2_EVENT_CHILD_REMOVE:
            sas_remove(&n->sas, now_ms(), ev.child_id);
            break;
        case IKEV2_EVENT_PATH_CHANGED:
            sas_follow_path(&n->sas, n->engine);
            break;
        default:
            break;
        }
        printf("\n");
    }
}

static void send_datagram(node *n, const ikev2_path *path, const uint8_t *buf, size_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(path->peer.port)};
    memcpy(&to.sin_addr, path->peer.bytes, 4);
    const int fd = n->fds[path->local.port == ports[1]];
    if (sendto(fd, buf, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
        perror("sendto");
}

static void drain_outputs(node *n)
{
    static uint8_t buf[MAX_DATAGRAM];
    ikev2_output out;
    while (ikev2_engine_poll_output(n->engine, now_ms(), buf, sizeof(buf), &out) == IKEV2_YES)
        send_datagram(n, &out.path, buf, out.len);
}

/* Outwards: GRE, the inner IPv4 header, ESP, UDP; all in the one buffer, payload at HEADROOM. */
static void send_payload(node *n, uint16_t gre_protocol, uint8_t *buf, size_t cap, size_t len)
{
    const child *c = n->sas.sending;
    size_t at;
    size_t outer_at;
    gre_outer outer;
    esp_span span;
    if (!c) {
        drop(n, "no outbound SA", IKEV2_ERR_ABSENT);
        return;
    }
    must(gre_tunnel_encode(n->tunnel, gre_protocol, buf, HEADROOM, len, &at), "gre_tunnel_encode");
    len += HEADROOM - at;
    must(gre_tunnel_get_outer(n->tunnel, &outer), "gre_tunnel_get_outer");
    must(gre_outer_encode(&outer, buf, at, len, &outer_at), "gre_outer_encode");
    len += at - outer_at;
    uint8_t *packet = buf + outer_at - ESP_HEADER_BYTES;
    must(esp_sa_seal(c->out, 0, packet, cap - (size_t)(packet - buf), buf + outer_at, len,
                     ESP_NEXT_IPV4, &span),
         "esp_sa_seal");
    send_datagram(n, &c->path, packet, span.len);
    if ((span.flags & ESP_LIMIT_SOFT) && !c->limit_told) {
        printf("soft-limit child=%" PRIu64 " sequence=%" PRIu64 "\n", c->id, span.sequence);
        n->sas.sending->limit_told = 1;
        must(ikev2_engine_child_limit(n->engine, now_ms(), c->id, 0), "ikev2_engine_child_limit");
    }
}

static void send_request(node *n)
{
    static uint8_t buf[HEADROOM + ECHO_PACKET_MAX + ESP_TRAILER_MAX];
    uint16_t gre_protocol;
    const size_t len = echo_request(&n->echo, buf + HEADROOM, &gre_protocol);
    send_payload(n, gre_protocol, buf, sizeof(buf), len);
}

/* RFC 4301 5.2, step 4: what came through an SA must be what the SA was negotiated for. */
static bool selected(const gre_outer *outer)
{
    uint8_t from[16];
    uint8_t to[16];
    address(peer_inner, from);
    address(local_inner, to);
    return memcmp(outer->source.bytes, from, sizeof(from)) == 0 &&
           memcmp(outer->destination.bytes, to, sizeof(to)) == 0;
}

/* Inwards: ESP by its SPI, the inner IPv4 header, GRE, echo. */
static void receive_esp(node *n, const ikev2_path *path, uint8_t *buf, size_t len)
{
    static uint8_t reply[HEADROOM + ECHO_PACKET_MAX + ESP_TRAILER_MAX];
    esp_header header;
    esp_sa *sa;
    uint64_t slot;
    esp_opened opened;
    gre_outer outer;
    gre_view view;
    size_t reply_len;
    int32_t rc = esp_header_decode(buf, len, &header);
    if (rc == ESP_OK)
        rc = esp_table_lookup(n->sas.table, header.spi, &sa, &slot);
    if (rc == ESP_OK)
        rc = esp_sa_open(sa, 0, buf, len, &opened);
    if (rc != ESP_OK) {
        drop(n, "libesp", rc);
        return;
    }
    if (now_ms() >= n->seen_ms) {
        n->seen_ms = now_ms() + SEEN_MS;
        (void)ikev2_engine_seen(n->engine, now_ms(), n->sas.slots[slot].id, path);
    }
    const uint8_t *packet = buf + opened.offset;
    rc = gre_outer_decode(packet, opened.len, &outer);
    if (rc == GRE_OK && !selected(&outer))
        rc = GRE_ERR_ABSENT;
    if (rc == GRE_OK) {
        packet += outer.header_len;
        rc = gre_tunnel_decode(n->tunnel, packet, outer.payload_len, &view);
    }
    if (rc != GRE_OK) {
        drop(n, "libgre", rc);
        return;
    }
    if (echo_input(&n->echo, view.protocol, packet + view.payload_offset, view.payload_len,
                   reply + HEADROOM, &reply_len))
        send_payload(n, view.protocol, reply, sizeof(reply), reply_len);
}

static void receive_ike(node *n, const ikev2_path *path, const uint8_t *buf, size_t len)
{
    const ikev2_rc rc = ikev2_engine_input(n->engine, now_ms(), path, buf, len);
    /* Where rekeys cross, an answer may find its request or its SA given up: that is no fault. */
    if (rc == IKEV2_ERR_MESSAGE_ID || rc == IKEV2_ERR_UNKNOWN_SPI)
        printf("late rc=%d\n", rc);
    else if (rc < 0)
        drop(n, "libikev2", rc);
    /* The next datagram may be ESP for an SA that this one made. */
    drain_events(n);
    drain_outputs(n);
}

static void receive(node *n, int which)
{
    static uint8_t buf[MAX_DATAGRAM];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t got;
    while ((got = recvfrom(n->fds[which], buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from,
                           &from_len)) >= 0) {
        const size_t len = (size_t)got;
        ikev2_path path = {{.family = IKEV2_FAMILY_IPV4, .port = ports[which]},
                           {.family = IKEV2_FAMILY_IPV4, .port = ntohs(from.sin_port)}};
        uint32_t kind = ESP_UDP_IKE;
        address(local_address, path.local.bytes);
        memcpy(path.peer.bytes, &from.sin_addr, 4);
        if (which == 1 && esp_udp_classify(buf, len, &kind) != ESP_OK)
            drop(n, "classification", ESP_ERR_TRUNCATED);
        else if (kind == ESP_UDP_IKE)
            receive_ike(n, &path, buf, len);
        else if (kind == ESP_UDP_ESP)
            receive_esp(n, &path, buf, len);
    }
}

static void report(const node *n)
{
    const echo *e = &n->echo;
    printf("report sent=%u returned=%u duplicates=%u answered=%u labelled=%u bad=%u dropped=%u\n",
           e->sent, e->returned, e->duplicates, e->answered, e->labelled, e->bad, n->dropped);
}

/* Rekeys or deletes the Child SA that sends, or the IKE SA that has it; or makes a Child SA. */
static ikev2_rc change(node *n, const char *what)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    uint64_t id;
    if (strcmp(what, "new-child\n") == 0)
        return ikev2_engine_initiate_child(n->engine, now_ms(), n->sa_id, NULL, &id);
    if (!n->sas.sending)
        return IKEV2_ERR_ABSENT;
    must(ikev2_engine_get_child(n->engine, n->sas.sending->id, &c), "ikev2_engine_get_child");
    if (strcmp(what, "rekey-child\n") == 0)
        return ikev2_engine_rekey_child(n->engine, now_ms(), c.id);
    if (strcmp(what, "rekey-ike\n") == 0)
        return ikev2_engine_rekey_ike(n->engine, now_ms(), c.sa_id);
    if (strcmp(what, "delete-child\n") == 0)
        return ikev2_engine_delete_child(n->engine, now_ms(), c.id);
    if (strcmp(what, "delete-ike\n") == 0)
        return ikev2_engine_delete_ike(n->engine, now_ms(), c.sa_id);
    return IKEV2_ERR_ARG;
}

/* What is being replaced already, at the peer's wish, refuses to be rekeyed. */
static void obeyed(ikev2_rc rc, const char *what)
{
    if (rc == IKEV2_ERR_STATE)
        printf("not now: %s", what);
    else
        must(rc, what);
}

/* False: the test is over. */
static bool obey(node *n)
{
    char line[64];
    if (!fgets(line, sizeof(line), stdin) || strcmp(line, "quit\n") == 0)
        return false;
    if (strcmp(line, "start\n") == 0)
        n->started = true;
    else if (strcmp(line, "stop\n") == 0)
        n->started = false;
    else if (strcmp(line, "report\n") == 0)
        report(n);
    else
        obeyed(change(n, line), line);
    return true;
}

static int open_socket(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const int room = RECEIVE_BYTES;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, local_address, &at.sin_addr) != 1 || fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        die("bind");
    return fd;
}

static ikev2_selector gre_of(const char *text)
{
    ikev2_selector s = {
        .family = IKEV2_FAMILY_IPV4, .protocol = IKEV2_PROTOCOL_GRE, .end_port = UINT16_MAX};
    address(text, s.start);
    address(text, s.end);
    return s;
}

static void make_tunnel(node *n)
{
    gre_config cfg;
    must(gre_config_init(&cfg), "gre_config_init");
    cfg.local.family = GRE_FAMILY_IPV4;
    address(local_inner, cfg.local.bytes);
    cfg.remote.family = GRE_FAMILY_IPV4;
    address(peer_inner, cfg.remote.bytes);
    must(gre_tunnel_new(&cfg, &n->tunnel), "gre_tunnel_new");
}

static void make_engine(node *n, bool chacha, bool pfs)
{
    static const ikev2_transform aes = {
        .type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128};
    static const ikev2_transform poly = {.type = IKEV2_TRANSFORM_ENCR,
                                         .id = IKEV2_ENCR_CHACHA20_POLY1305};
    const ikev2_transform ike[] = {chacha ? poly : aes,
                                   {.type = IKEV2_TRANSFORM_PRF, .id = IKEV2_PRF_HMAC_SHA2_256},
                                   {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519}};
    const ikev2_transform esp[] = {chacha ? poly : aes,
                                   {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_YES},
                                   {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_NO},
                                   {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519}};
    ikev2_config cfg;
    must(ikev2_config_init(&cfg), "ikev2_config_init");
    if (getrandom(cfg.seed, sizeof(cfg.seed), 0) != sizeof(cfg.seed))
        die("getrandom");
    cfg.ike_transforms = ike;
    cfg.ike_transform_count = sizeof(ike) / sizeof(ike[0]);
    cfg.child_transforms = esp;
    cfg.child_transform_count = sizeof(esp) / sizeof(esp[0]) - (pfs ? 0 : 1);
    must(ikev2_engine_new(&cfg, now_ms(), &n->engine), "ikev2_engine_new");
}

static void add_peer(node *n, bool initiate)
{
    const ikev2_selector local = gre_of(local_inner);
    const ikev2_selector remote = gre_of(peer_inner);
    const ikev2_child_policy policy = {.struct_size = sizeof(policy),
                                       .mode = IKEV2_MODE_TUNNEL,
                                       .local_ts = &local,
                                       .local_ts_count = 1,
                                       .peer_ts = &remote,
                                       .peer_ts_count = 1};
    ikev2_peer peer = {.struct_size = sizeof(peer), .child = &policy};
    uint64_t id;
    peer.local_id =
        (ikev2_identity){(const uint8_t *)local_name, strlen(local_name), IKEV2_ID_FQDN, {0}};
    peer.peer_id =
        (ikev2_identity){(const uint8_t *)peer_name, strlen(peer_name), IKEV2_ID_FQDN, {0}};
    peer.local_psk = (const uint8_t *)psk;
    peer.local_psk_len = strlen(psk);
    if (!initiate) {
        must(ikev2_engine_add_profile(n->engine, now_ms(), &peer, &id), "add_profile");
        return;
    }
    peer.path.local = (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .port = ports[0]};
    peer.path.peer = peer.path.local;
    address(local_address, peer.path.local.bytes);
    address(peer_address, peer.path.peer.bytes);
    must(ikev2_engine_initiate(n->engine, now_ms(), &peer, &id), "initiate");
}

/* Are echo requests to be sent? */
static bool sending(const node *n)
{
    return n->started && n->sas.sending && n->echo.sent < ECHO_REQUESTS_MAX;
}

static void wait_for_input(node *n)
{
    uint64_t deadline = ikev2_engine_deadline(n->engine);
    const uint64_t now = now_ms();
    const uint64_t retire = sas_retire(&n->sas, now);
    if (retire < deadline)
        deadline = retire;
    if (sending(n) && n->next_echo_ms < deadline)
        deadline = n->next_echo_ms;
    const int wait = deadline == IKEV2_NEVER ? -1 : deadline > now ? (int)(deadline - now) : 0;
    struct pollfd p[SOCKETS + 1] = {
        {n->fds[0], POLLIN, 0}, {n->fds[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    fflush(stdout);
    (void)poll(p, SOCKETS + 1, wait);
}

static bool input_waits(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, 0) > 0;
}

static void run(node *n)
{
    for (;;) {
        drain_events(n);
        drain_outputs(n);
        wait_for_input(n);
        /* Commands first, so that a request of ours crosses one that has already arrived. */
        if (input_waits(STDIN_FILENO) && !obey(n))
            return;
        drain_outputs(n);
        for (int i = 0; i < SOCKETS; i++)
            receive(n, i);
        (void)ikev2_engine_timeout(n->engine, now_ms());
        drain_events(n);
        if (sending(n) && now_ms() >= n->next_echo_ms) {
            n->next_echo_ms = now_ms() + INTERVAL_MS;
            send_request(n);
        }
    }
}

int main(int argc, char **argv)
{
    static node n;
    bool initiate = false;
    bool chacha = false;
    bool pfs = false;
    uint64_t soft_packets = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--initiate") == 0)
            initiate = true;
        else if (strcmp(argv[i], "--chacha20poly1305") == 0)
            chacha = true;
        else if (strcmp(argv[i], "--pfs") == 0)
            pfs = true;
        else if (strncmp(argv[i], "--soft-packets=", 15) == 0)
            soft_packets = strtoull(argv[i] + 15, NULL, 10);
        else
            return 2;
    }
    /* Lines and not blocks: poll must not wait for a line that stdio has read already. */
    setvbuf(stdin, NULL, _IONBF, 0);
    for (int i = 0; i < SOCKETS; i++)
        n.fds[i] = open_socket(ports[i]);
    sas_init(&n.sas, soft_packets);
    make_tunnel(&n);
    make_engine(&n, chacha, pfs);
    add_peer(&n, initiate);
    printf("ready\n");
    run(&n);
    report(&n);
    const bool good = n.echo.returned == n.echo.sent && n.echo.duplicates == 0 && n.echo.bad == 0 &&
                      n.dropped == 0;
    sas_free(&n.sas);
    gre_tunnel_free(n.tunnel);
    ikev2_engine_free(n.engine);
    return good ? 0 : 1;
}
