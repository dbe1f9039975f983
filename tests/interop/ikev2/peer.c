/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * libikev2 with sockets, for interop tests: one peer, in either role. It prints every event and the
 * keys of every Child SA, and obeys lines on its standard input:
 * rekey-child, rekey-ike, child, delete-child, delete-ike, quit.
 *
 *   peer LOCAL REMOTE LOCAL-ID REMOTE-ID PSK (initiate|respond) (transport|tunnel)
 *        [LOCAL-PREFIX REMOTE-PREFIX] [force] [push=PREFIX] [fragment=BYTES]
 *        [key=FILE] [chain=FILE]... [anchor=FILE]... [pkcs1] [ask]
 *
 * Files are DER. With a chain we sign, with an anchor the peer must; ask: both by questions, that
 * of trust answered by the anchors.
 */
#define _DEFAULT_SOURCE
#include <ikev2/ikev2.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 2, MAX_DATAGRAM = 65536, MAX_FILE = 8192, MAX_FILES = 8 };

static const uint16_t ports[SOCKETS] = {500, 4500};

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

static ikev2_addr address(const char *text, uint16_t port)
{
    ikev2_addr a = {.family = IKEV2_FAMILY_IPV4, .port = port};
    char host[64];
    snprintf(host, sizeof(host), "%s", text);
    char *slash = strchr(host, '/');
    if (slash) {
        *slash = 0;
        a.prefix_len = (uint8_t)atoi(slash + 1);
    }
    if (inet_pton(AF_INET, host, a.bytes) != 1)
        die(text);
    return a;
}

static int open_socket(const ikev2_addr *local, uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&sin.sin_addr, local->bytes, 4);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
        die("bind");
    return fd;
}

static void print_hex(const char *name, const uint8_t *bytes, size_t len)
{
    printf(" %s=", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
}

static void print_child(const ikev2_engine *e, uint64_t id)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    if (ikev2_engine_get_child(e, id, &c) != IKEV2_OK)
        return;
    printf(" mode=%s encr=%u esn=%u encap=%u proto=%u",
           c.mode == IKEV2_MODE_TRANSPORT ? "transport" : "tunnel", c.encr, c.esn, c.encapsulated,
           c.local_ts[0].protocol);
    print_hex("key_in", c.key_in, c.key_in_len);
    print_hex("key_out", c.key_out, c.key_out_len);
    if (c.integ_key_in_len > 0) {
        print_hex("integ_in", c.integ_key_in, c.integ_key_in_len);
        print_hex("integ_out", c.integ_key_out, c.integ_key_out_len);
    }
}

static uint64_t newest_sa;
static uint64_t newest_child;

static ikev2_credentials credentials = {.struct_size = sizeof(credentials)};
static ikev2_der chain[MAX_FILES], anchors[MAX_FILES];
static const char *key_file;

static ikev2_der load(const char *path)
{
    uint8_t *bytes = malloc(MAX_FILE);
    FILE *f = fopen(path, "rb");
    if (!f || !bytes)
        die(path);
    const size_t len = fread(bytes, 1, MAX_FILE, f);
    fclose(f);
    return (ikev2_der){bytes, len};
}

/* A key outside the library: the openssl command has it. */
static void answer_sign(ikev2_engine *e, uint64_t ask)
{
    char command[512];
    ikev2_sign_question q = {.struct_size = sizeof(q)};
    if (ikev2_engine_get_sign_question(e, ask, &q) != IKEV2_OK ||
        q.scheme != IKEV2_SIGNATURE_ECDSA_SHA2_256)
        return;
    snprintf(command, sizeof(command), "openssl dgst -sha256 -sign %s -keyform DER -out %s.sig",
             key_file, key_file);
    FILE *f = popen(command, "w");
    if (!f || fwrite(q.octets, 1, q.octets_len, f) != q.octets_len || pclose(f) != 0)
        die("openssl");
    snprintf(command, sizeof(command), "%s.sig", key_file);
    const ikev2_der signature = load(command);
    printf("signed rc=%d\n",
           ikev2_engine_answer_sign(e, now_ms(), ask, signature.bytes, signature.len));
}

static void answer_cert(ikev2_engine *e, uint64_t ask)
{
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = (uint64_t)time(NULL),
                                   .anchors = anchors,
                                   .anchor_count = 1};
    printf("judged rc=%d\n", ikev2_engine_answer_cert(e, now_ms(), ask, &verdict));
}

/* What an argument says about signatures; true: ask for them. */
static bool credentials_option(const char *arg)
{
    if (strncmp(arg, "key=", 4) == 0)
        key_file = arg + 4;
    if (strncmp(arg, "chain=", 6) == 0 && credentials.chain_count < MAX_FILES)
        chain[credentials.chain_count++] = load(arg + 6);
    if (strncmp(arg, "anchor=", 7) == 0 && credentials.anchor_count < MAX_FILES)
        anchors[credentials.anchor_count++] = load(arg + 7);
    if (strcmp(arg, "pkcs1") == 0)
        credentials.pkcs1 = 1;
    return strcmp(arg, "ask") == 0;
}

static void set_credentials(ikev2_peer *peer, bool ask)
{
    if (credentials.chain_count == 0 && credentials.anchor_count == 0)
        return;
    credentials.local_auth = credentials.chain_count > 0;
    credentials.peer_auth = credentials.anchor_count > 0;
    credentials.chain = chain;
    credentials.anchors = anchors;
    if (ask) {
        credentials.anchor_count = 0;
    } else if (key_file) {
        const ikev2_der key = load(key_file);
        credentials.private_key = key.bytes;
        credentials.private_key_len = key.len;
    }
    peer->credentials = &credentials;
}

static void drain_events(ikev2_engine *e)
{
    static const char *const kinds[] = {
        "?",        "ike-up",  "ike-down", "child-in", "child-out", "child-remove", "ask-psk",
        "ask-peer", "refused", "timeout",  "path",     "routes",    "ask-sign",     "ask-cert"};
    ikev2_event ev;
    while (ikev2_engine_poll_event(e, &ev) == IKEV2_YES) {
        printf("%s sa=%llu child=%llu reason=%u detail=%u spi_in=%08x spi_out=%08x",
               ev.kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[ev.kind] : "?",
               (unsigned long long)ev.sa_id, (unsigned long long)ev.child_id, ev.reason, ev.detail,
               ev.spi_in, ev.spi_out);
        if (ev.kind == IKEV2_EVENT_CHILD_IN) {
            newest_child = ev.child_id;
            print_child(e, ev.child_id);
        }
        if (ev.kind == IKEV2_EVENT_IKE_SA_UP)
            newest_sa = ev.sa_id;
        printf("\n");
        if (ev.kind == IKEV2_EVENT_ASK_SIGN)
            answer_sign(e, ev.ask_id);
        if (ev.kind == IKEV2_EVENT_ASK_CERT)
            answer_cert(e, ev.ask_id);
        fflush(stdout);
    }
}

static void drain_outputs(ikev2_engine *e, const int fds[SOCKETS])
{
    static uint8_t buf[MAX_DATAGRAM];
    ikev2_output out;
    while (ikev2_engine_poll_output(e, now_ms(), buf, sizeof(buf), &out) == IKEV2_YES) {
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(out.path.peer.port)};
        memcpy(&sin.sin_addr, out.path.peer.bytes, 4);
        const int fd = fds[out.path.local.port == ports[1]];
        (void)sendto(fd, buf, out.len, 0, (struct sockaddr *)&sin, sizeof(sin));
    }
}

static void receive(ikev2_engine *e, int fd, const ikev2_addr *local, uint16_t port)
{
    static uint8_t buf[MAX_DATAGRAM];
    struct sockaddr_in sin;
    socklen_t sin_len = sizeof(sin);
    const ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&sin, &sin_len);
    if (n < 0)
        return;
    ikev2_path path = {.local = *local, .peer = {.family = IKEV2_FAMILY_IPV4}};
    path.local.port = port;
    path.peer.port = ntohs(sin.sin_port);
    memcpy(path.peer.bytes, &sin.sin_addr, 4);
    const ikev2_rc rc = ikev2_engine_input(e, now_ms(), &path, buf, (size_t)n);
    if (rc < 0)
        printf("dropped rc=%d\n", rc);
}

/* False: the test is over. */
static bool obey(ikev2_engine *e)
{
    char line[64];
    uint64_t id;
    ikev2_rc rc = IKEV2_OK;
    if (!fgets(line, sizeof(line), stdin) || strncmp(line, "quit", 4) == 0)
        return false;
    if (strncmp(line, "rekey-child", 11) == 0)
        rc = ikev2_engine_rekey_child(e, now_ms(), newest_child);
    else if (strncmp(line, "rekey-ike", 9) == 0)
        rc = ikev2_engine_rekey_ike(e, now_ms(), newest_sa);
    else if (strncmp(line, "delete-child", 12) == 0)
        rc = ikev2_engine_delete_child(e, now_ms(), newest_child);
    else if (strncmp(line, "delete-ike", 10) == 0)
        rc = ikev2_engine_delete_ike(e, now_ms(), newest_sa);
    else if (strncmp(line, "child", 5) == 0)
        rc = ikev2_engine_initiate_child(e, now_ms(), newest_sa, NULL, &id);
    printf("command rc=%d\n", rc);
    fflush(stdout);
    return true;
}

static ikev2_selector gre_prefix(const char *text)
{
    const ikev2_addr a = address(text, 0);
    ikev2_selector s = {.family = a.family, .protocol = IKEV2_PROTOCOL_GRE, .end_port = UINT16_MAX};
    memcpy(s.start, a.bytes, sizeof(s.start));
    memcpy(s.end, a.bytes, sizeof(s.end));
    return s;
}

int main(int argc, char **argv)
{
    if (argc < 8)
        return 2;
    ikev2_config cfg;
    ikev2_engine *e;
    ikev2_peer peer = {.struct_size = sizeof(peer)};
    ikev2_child_policy child = {.struct_size = sizeof(child)};
    ikev2_selector ts[2];
    ikev2_addr push;
    uint64_t id;
    int fds[SOCKETS];
    ikev2_config_init(&cfg);
    if (getrandom(cfg.seed, sizeof(cfg.seed), 0) != sizeof(cfg.seed))
        die("getrandom");
    peer.path.local = address(argv[1], ports[0]);
    peer.path.peer = address(argv[2], ports[0]);
    peer.local_id = (ikev2_identity){(const uint8_t *)argv[3], strlen(argv[3]), IKEV2_ID_FQDN, {0}};
    peer.peer_id = (ikev2_identity){(const uint8_t *)argv[4], strlen(argv[4]), IKEV2_ID_FQDN, {0}};
    peer.local_psk = (const uint8_t *)argv[5];
    peer.local_psk_len = strlen(argv[5]);
    peer.child = &child;
    child.mode = strcmp(argv[7], "tunnel") == 0 ? IKEV2_MODE_TUNNEL : IKEV2_MODE_TRANSPORT;
    int next = 8;
    if (child.mode == IKEV2_MODE_TUNNEL && argc >= 10) {
        ts[0] = gre_prefix(argv[8]);
        ts[1] = gre_prefix(argv[9]);
        child.local_ts = &ts[0];
        child.peer_ts = &ts[1];
        child.local_ts_count = child.peer_ts_count = 1;
        next = 10;
    }
    bool ask = false;
    for (; next < argc; next++) {
        ask |= credentials_option(argv[next]);
        if (strcmp(argv[next], "force") == 0)
            cfg.force_encapsulation = 1;
        if (strncmp(argv[next], "fragment=", 9) == 0)
            cfg.fragment_bytes = (uint32_t)atoi(argv[next] + 9);
        if (strncmp(argv[next], "push=", 5) == 0) {
            push = address(argv[next] + 5, 0);
            peer.push_routes = &push;
            peer.push_route_count = 1;
        }
    }
    set_credentials(&peer, ask);
    cfg.unix_time_s = (uint64_t)time(NULL);
    if (ikev2_engine_new(&cfg, now_ms(), &e) != IKEV2_OK)
        return 1;
    for (int i = 0; i < SOCKETS; i++)
        fds[i] = open_socket(&peer.path.local, ports[i]);
    const bool initiate = strcmp(argv[6], "initiate") == 0;
    ikev2_rc rc;
    if (initiate) {
        rc = ikev2_engine_initiate(e, now_ms(), &peer, &id);
    } else {
        ikev2_peer profile = peer;
        profile.path.peer = (ikev2_addr){.family = IKEV2_FAMILY_NONE};
        rc = ikev2_engine_add_profile(e, now_ms(), &profile, &id);
    }
    printf("ready rc=%d\n", rc);
    fflush(stdout);
    for (;;) {
        drain_events(e);
        drain_outputs(e, fds);
        const uint64_t deadline = ikev2_engine_deadline(e);
        const uint64_t now = now_ms();
        const int wait = deadline == IKEV2_NEVER ? -1 : deadline > now ? (int)(deadline - now) : 0;
        struct pollfd p[SOCKETS + 1] = {
            {fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        (void)poll(p, SOCKETS + 1, wait);
        for (int i = 0; i < SOCKETS; i++)
            if (p[i].revents)
                receive(e, fds[i], &peer.path.local, ports[i]);
        if (p[SOCKETS].revents && !obey(e))
            break;
        (void)ikev2_engine_timeout(e, now_ms());
    }
    ikev2_engine_free(e);
    return 0;
}
