/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A small DMVPN router in one process, the peer of FRR and of the Linux kernel in the tests.
 *
 *   linux_peer --nbma A --tunnel A[,A6] [option]...
 *
 *     --key N                     of GRE; 42
 *     --nhs NBMA[,TUNNEL]         registers there
 *     --peer NBMA[,TUNNEL]        a neighbour; those that send to us become peers by themselves
 *     --server                    takes registrations
 *     --multipoint                one NHRP link for all that --nhs and --peer do not name
 *     --unique                    asks for a unique registration
 *     --holding SECONDS           of what is registered and answered; 120
 *     --password TEXT             NHRP authentication
 *     --local PREFIX              ours: echo requests to it are answered
 *     --route PREFIX,NBMA         by a peer
 *     --red PREFIX,LABEL          ours in VRF red, by this label
 *     --red-route PREFIX,NBMA,LABEL  by a peer with its label
 *     --esp raw|udp,ALGORITHM,SPI_IN,KEY_IN,SPI_OUT,KEY_OUT[,esn]   with every peer, in transport
 *                                 mode; gcm128, gcm256 or chacha20, keys in hex with the salt
 *     --ike NBMA|any,NAME,PEER,KEY[,udp]   initiates there, or waits; ESP is raw unless udp forces
 * it
 *     --hex                       prints NHRP packets that come in
 *
 * It prints what happens, and obeys these lines on standard input:
 *
 *     ping SOURCE DESTINATION [COUNT [BYTES]]    echo requests; red-ping: in VRF red
 *     red-route PREFIX,NBMA,LABEL                as the option
 *     resolve ADDRESS, withdraw PREFIX, forget (all mappings)
 *     inject NBMA HEX             an NHRP packet as it is
 *     replay                      sends the last ESP packet once more
 *     replay-in                   takes the last one that came once more
 *     rekey-child, rekey-ike, delete-ike
 *     show, quit
 */
#define _DEFAULT_SOURCE
#include "node.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, WORDS_MAX = 8, BODY_BYTES = 56, DEFAULT_KEY = 42, HOLDING_TIME_S = 120 };

uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void must(int32_t rc, const char *what)
{
    if (rc == 0)
        return;
    printf("FATAL %s rc=%d\n", what, rc);
    exit(1);
}

static void die(const char *what)
{
    fprintf(stderr, "linux_peer: %s\n", what);
    exit(2);
}

nhrp_addr address(const char *t)
{
    char host[INET6_ADDRSTRLEN];
    nhrp_addr a = {0};
    const size_t n = strcspn(t, "/");
    if (n >= sizeof(host))
        die(t);
    memcpy(host, t, n);
    host[n] = '\0';
    a.family = strchr(host, ':') ? NHRP_FAMILY_IPV6 : NHRP_FAMILY_IPV4;
    if (inet_pton(a.family == NHRP_FAMILY_IPV6 ? AF_INET6 : AF_INET, host, a.bytes) != 1)
        die(t);
    if (t[n] == '/')
        a.prefix_len = (uint8_t)strtoul(t + n + 1, NULL, 10);
    return a;
}

static uint8_t host_bits(const nhrp_addr *a)
{
    return a->family == NHRP_FAMILY_IPV6 ? 128 : 32;
}

const char *text(const nhrp_addr *a)
{
    static char buffers[2][INET6_ADDRSTRLEN + 4];
    static unsigned next;
    char *b = buffers[next++ % 2];
    if (a->family == NHRP_FAMILY_NONE ||
        !inet_ntop(a->family == NHRP_FAMILY_IPV6 ? AF_INET6 : AF_INET, a->bytes, b,
                   INET6_ADDRSTRLEN))
        return "none";
    if (a->prefix_len > 0 && a->prefix_len < host_bits(a))
        snprintf(b + strlen(b), 5, "/%u", a->prefix_len);
    return b;
}

mplsvpn_addr route_address(const nhrp_addr *a)
{
    mplsvpn_addr to = {.family = a->family, .prefix_len = a->prefix_len};
    memcpy(to.bytes, a->bytes, sizeof(to.bytes));
    return to;
}

peer *peer_by_link(node *n, uint32_t link)
{
    return link >= 1 && link <= PEERS_MAX && n->peers[link - 1].link ? &n->peers[link - 1] : NULL;
}

peer *peer_at(node *n, const nhrp_addr *nbma)
{
    for (uint32_t i = 0; i < PEERS_MAX; i++) {
        peer *p = &n->peers[i];
        if (p->link && memcmp(p->nbma.bytes, nbma->bytes, sizeof(nbma->bytes)) == 0)
            return p;
        if (p->link)
            continue;
        p->link = i + 1;
        p->nbma = *nbma;
        p->nbma.port = 0;
        data_add_peer(n, p);
        printf("peer link=%u nbma=%s\n", p->link, text(nbma));
        return p;
    }
    die("too many peers");
    return NULL;
}

/* ---- Options ---- */

/* Cuts s at commas; returns the number of words, the others are NULL. */
static size_t split(char *s, const char *separators, char *words[WORDS_MAX])
{
    size_t n = 0;
    char *rest = s;
    memset(words, 0, WORDS_MAX * sizeof(words[0]));
    for (char *w; n < WORDS_MAX && (w = strtok_r(rest, separators, &rest)); n++)
        words[n] = w;
    return n;
}

static size_t from_hex(const char *t, uint8_t *out, size_t cap)
{
    size_t n = 0;
    unsigned byte;
    for (; t[0] && t[1] && n < cap && sscanf(t, "%2x", &byte) == 1; t += 2)
        out[n++] = (uint8_t)byte;
    return n;
}

static void read_esp(node *n, char *value)
{
    security *s = &n->esp;
    static const struct {
        const char *name;
        uint8_t algorithm;
        size_t key_len;
    } known[] = {{"gcm128", ESP_ALGORITHM_AES128_GCM16, 20},
                 {"gcm256", ESP_ALGORITHM_AES256_GCM16, 36},
                 {"chacha20", ESP_ALGORITHM_CHACHA20_POLY1305, 36}};
    char *w[WORDS_MAX];
    const size_t count = split(value, ",", w);
    if (count < 6)
        die("--esp");
    s->esn = count > 6 && strcmp(w[6], "esn") == 0;
    s->carriage = strcmp(w[0], "udp") == 0 ? ESP_UDP : ESP_RAW;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(w[1], known[i].name) == 0) {
            s->algorithm = known[i].algorithm;
            s->key_len = known[i].key_len;
        }
    s->spi_in = (uint32_t)strtoul(w[2], NULL, 0);
    s->spi_out = (uint32_t)strtoul(w[4], NULL, 0);
    if (s->key_len == 0 || from_hex(w[3], s->key_in, ESP_KEYMAT_MAX) != s->key_len ||
        from_hex(w[5], s->key_out, ESP_KEYMAT_MAX) != s->key_len)
        die("--esp");
    n->secure = true;
}

static void start_ike(node *n, char *value)
{
    char *w[WORDS_MAX];
    const size_t count = split(value, ",", w);
    if (count < 4)
        die("--ike");
    n->secure = true;
    ike_init(n, w[0], w[1], w[2], w[3], count > 4 && strcmp(w[4], "udp") == 0);
}

/* A route is in the table with shortcuts and in the one without. */
static void add_route(node *n, uint32_t vrf, const char *prefix, const mplsvpn_hop *hop)
{
    nhrp_addr to = address(prefix);
    if (to.prefix_len == 0)
        to.prefix_len = host_bits(&to);
    data_route(n, vrf, &to, hop);
    data_route(n, vrf + WITHOUT, &to, hop);
}

static void add_local(node *n, uint32_t vrf, const char *prefix)
{
    const mplsvpn_hop hop = {.kind = MPLSVPN_HOP_LOCAL, .vrf = vrf};
    add_route(n, vrf, prefix, &hop);
}

/* PREFIX,NBMA[,LABEL] */
static void add_remote(node *n, uint32_t vrf, char *value)
{
    char *w[WORDS_MAX];
    mplsvpn_hop hop = {.kind = MPLSVPN_HOP_TUNNEL, .vrf = vrf};
    const size_t count = split(value, ",", w);
    if (count < 2)
        die("--route");
    const nhrp_addr nbma = address(w[1]);
    hop.interface_id = peer_at(n, &nbma)->link;
    if (count > 2) {
        hop.label_count = 1;
        hop.labels[0] = (uint32_t)strtoul(w[2], NULL, 0);
    }
    add_route(n, vrf, w[0], &hop);
}

/* PREFIX,LABEL: popped, then looked up in VRF red. */
static void add_red(node *n, char *value)
{
    char *w[WORDS_MAX];
    const mplsvpn_hop hop = {.kind = MPLSVPN_HOP_VRF, .vrf = VRF_RED};
    if (split(value, ",", w) != 2)
        die("--red");
    const uint32_t label = (uint32_t)strtoul(w[1], NULL, 0);
    add_local(n, VRF_RED, w[0]);
    must(mplsvpn_label_reserve(n->table, VRF_RED, label), "mplsvpn_label_reserve");
    must(mplsvpn_label_bind(n->table, label, &hop), "mplsvpn_label_bind");
}

/* NBMA[,TUNNEL] */
static void add_peer(node *n, char *value, uint32_t flags)
{
    char *w[WORDS_MAX];
    nhrp_addr tunnel = {0};
    const size_t count = split(value, ",", w);
    if (count == 0)
        die("--peer");
    const nhrp_addr nbma = address(w[0]);
    const peer *p = peer_at(n, &nbma);
    const mplsvpn_hop hop = {
        .kind = MPLSVPN_HOP_TUNNEL, .vrf = VRF_GLOBAL, .interface_id = p->link};
    if (count > 1) {
        tunnel = address(w[1]);
        add_route(n, VRF_GLOBAL, w[1], &hop);
    }
    control_link_up(n, p, &tunnel, flags);
}

static void own_addresses(node *n, char *value)
{
    char *w[WORDS_MAX];
    const size_t count = split(value, ",", w);
    for (size_t i = 0; i < count; i++) {
        const nhrp_addr a = address(w[i]);
        if (a.family == NHRP_FAMILY_IPV6)
            n->tunnel_ipv6 = a;
        else
            n->tunnel_ipv4 = a;
    }
}

/* What the node is; false: an option that says what it knows, for the second pass. */
static bool node_option(node *n, const char *name, char *value, const char **password,
                        uint16_t *holding_time_s, uint32_t *nhs_flags)
{
    if (strcmp(name, "--nbma") == 0)
        n->nbma = address(value);
    else if (strcmp(name, "--tunnel") == 0)
        own_addresses(n, value);
    else if (strcmp(name, "--key") == 0)
        n->key = (uint32_t)strtoul(value, NULL, 0);
    else if (strcmp(name, "--holding") == 0)
        *holding_time_s = (uint16_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--password") == 0)
        *password = value;
    else if (strcmp(name, "--esp") == 0)
        read_esp(n, value);
    else if (strcmp(name, "--server") == 0)
        n->server = true;
    else if (strcmp(name, "--multipoint") == 0)
        n->multipoint = true;
    else if (strcmp(name, "--unique") == 0)
        *nhs_flags |= NHRP_LINK_UNIQUE;
    else if (strcmp(name, "--hex") == 0)
        n->hex = true;
    else
        return false;
    return true;
}

static void knowledge_option(node *n, const char *name, char *value, uint32_t nhs_flags)
{
    if (strcmp(name, "--ike") == 0)
        start_ike(n, value);
    else if (strcmp(name, "--nhs") == 0)
        add_peer(n, value, nhs_flags);
    else if (strcmp(name, "--peer") == 0)
        add_peer(n, value, 0);
    else if (strcmp(name, "--local") == 0)
        add_local(n, VRF_GLOBAL, value);
    else if (strcmp(name, "--route") == 0)
        add_remote(n, VRF_GLOBAL, value);
    else if (strcmp(name, "--red") == 0)
        add_red(n, value);
    else if (strcmp(name, "--red-route") == 0)
        add_remote(n, VRF_RED, value);
    else
        die(name);
}

static bool takes_value(const char *name)
{
    static const char *const flags[] = {"--server", "--multipoint", "--unique", "--hex"};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(name, flags[i]) == 0)
            return false;
    return true;
}

static void set_up(node *n, int argc, char **argv)
{
    const char *password = NULL;
    uint16_t holding_time_s = HOLDING_TIME_S;
    uint32_t nhs_flags = NHRP_LINK_REGISTER;
    int later[64];
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        const int at = i;
        if (takes_value(argv[at]) && ++i >= argc)
            die(argv[at]);
        if (!node_option(n, argv[at], argv[i], &password, &holding_time_s, &nhs_flags) &&
            count < sizeof(later) / sizeof(later[0]))
            later[count++] = at;
    }
    const bool v4 = n->tunnel_ipv4.family != NHRP_FAMILY_NONE;
    const bool v6 = n->tunnel_ipv6.family != NHRP_FAMILY_NONE;
    if (n->nbma.family == NHRP_FAMILY_NONE || (!v4 && !v6))
        die("--nbma and --tunnel are needed");
    data_init(n);
    control_init(n, password, holding_time_s);
    if (v4)
        add_local(n, VRF_GLOBAL, text(&n->tunnel_ipv4));
    if (v6)
        add_local(n, VRF_GLOBAL, text(&n->tunnel_ipv6));
    for (size_t i = 0; i < count; i++)
        knowledge_option(n, argv[later[i]], argv[later[i] + 1], nhs_flags);
    control_drain(n);
}

/* ---- Commands ---- */

static void ping(node *n, uint32_t vrf, char *const w[WORDS_MAX])
{
    static uint8_t buf[BUFFER_BYTES];
    static uint16_t sequence;
    if (!w[1] || !w[2])
        return;
    const nhrp_addr from = address(w[1]);
    const nhrp_addr to = address(w[2]);
    const unsigned count = w[3] ? (unsigned)strtoul(w[3], NULL, 10) : 1;
    const size_t body = w[3] && w[4] ? strtoul(w[4], NULL, 10) : BODY_BYTES;
    n->recent = to;
    for (unsigned i = 0; i < count && body < BUFFER_BYTES - 2 * HEADROOM; i++)
        data_originate(n, vrf, buf, echo_request(buf + HEADROOM, &from, &to, ++sequence, body));
}

static void forget(node *n)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(n->nhrp, &it, &m) == NHRP_YES)
        (void)nhrp_engine_remove(n->nhrp, now_ms(), m.id);
}

static void inject(node *n, const char *nbma, const char *hex)
{
    static uint8_t buf[BUFFER_BYTES];
    const nhrp_addr to = address(nbma);
    const size_t len = from_hex(hex, buf + HEADROOM, sizeof(buf) - 2 * HEADROOM);
    data_send(n, peer_at(n, &to), GRE_PROTOCOL_NHRP, buf, HEADROOM, len);
}

static void show(const node *n)
{
    const counts *c = &n->counts;
    control_show(n);
    printf("counts answered=%u labelled=%u sealed=%u opened=%u unauthentic=%u replayed=%u "
           "cleartext=%u refused=%u\n",
           c->answered, c->labelled, c->sealed, c->opened, c->unauthentic, c->replayed,
           c->cleartext, c->refused);
}

static void request(node *n, const char *word, const char *argument)
{
    nhrp_addr a = address(argument);
    uint64_t id = 0;
    if (a.prefix_len == 0)
        a.prefix_len = host_bits(&a);
    const bool resolve = strcmp(word, "resolve") == 0;
    if (resolve)
        a.prefix_len = 0;
    const nhrp_rc rc = resolve ? nhrp_engine_resolve(n->nhrp, now_ms(), &a, &id)
                               : nhrp_engine_withdraw(n->nhrp, now_ms(), &a);
    printf("%s %s rc=%s\n", word, argument, nhrp_rc_name(rc));
}

/* False: the test is over. */
static bool obey(node *n)
{
    static char line[LINE_BYTES];
    char *w[WORDS_MAX];
    if (!fgets(line, sizeof(line), stdin))
        return false;
    if (split(line, " \n", w) == 0)
        return true;
    if (strcmp(w[0], "quit") == 0)
        return false;
    if (strcmp(w[0], "ping") == 0)
        ping(n, VRF_GLOBAL, w);
    else if (strcmp(w[0], "red-ping") == 0)
        ping(n, VRF_RED, w);
    else if (strcmp(w[0], "red-route") == 0 && w[1])
        add_remote(n, VRF_RED, w[1]);
    else if (strcmp(w[0], "replay") == 0)
        data_replay(n);
    else if (strcmp(w[0], "replay-in") == 0)
        data_replay_in(n);
    else if (n->ike && (strncmp(w[0], "rekey-", 6) == 0 || strcmp(w[0], "delete-ike") == 0))
        ike_obey(n, w[0]);
    else if (strcmp(w[0], "show") == 0)
        show(n);
    else if (strcmp(w[0], "forget") == 0)
        forget(n);
    else if (strcmp(w[0], "inject") == 0 && w[2])
        inject(n, w[1], w[2]);
    else if ((strcmp(w[0], "resolve") == 0 || strcmp(w[0], "withdraw") == 0) && w[1])
        request(n, w[0], w[1]);
    else
        printf("unknown command %s\n", w[0]);
    return true;
}

static int wait_ms(const node *n)
{
    uint64_t deadline = nhrp_engine_deadline(n->nhrp);
    if (n->ike && ikev2_engine_deadline(n->ike) < deadline)
        deadline = ikev2_engine_deadline(n->ike);
    const uint64_t now = now_ms();
    if (deadline == NHRP_NEVER)
        return -1;
    return deadline > now ? (int)(deadline - now < 60000 ? deadline - now : 60000) : 0;
}

int main(int argc, char **argv)
{
    static node n = {.key = DEFAULT_KEY};
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0);
    set_up(&n, argc, argv);
    printf("ready\n");
    struct pollfd fds[] = {{.fd = n.fd_gre, .events = POLLIN},
                           {.fd = n.fd_esp, .events = POLLIN},
                           {.fd = n.fd_ike, .events = POLLIN},
                           {.fd = n.fd_udp, .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    for (bool on = true; on;) {
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms(&n)) < 0)
            break;
        (void)mplsvpn_reader_quiesce(n.reader);
        data_receive_ike(&n);
        data_receive_udp(&n);
        data_receive_esp(&n);
        data_receive_gre(&n);
        if (fds[4].revents)
            on = obey(&n);
        while (nhrp_engine_timeout(n.nhrp, now_ms()) == NHRP_YES)
            control_drain(&n);
        control_drain(&n);
        if (n.ike) {
            (void)ikev2_engine_timeout(n.ike, now_ms());
            ike_drain(&n);
        }
    }
    for (size_t i = 0; i < PEERS_MAX; i++)
        gre_tunnel_free(n.peers[i].tunnel);
    for (size_t i = 0; i < SAS_MAX; i++) {
        esp_sa_free(n.sas[i].in);
        esp_sa_free(n.sas[i].out);
    }
    ikev2_engine_free(n.ike);
    nhrp_engine_free(n.nhrp);
    mplsvpn_table_free(n.table);
    return 0;
}
