/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A BGP speaker for interop tests: an engine, TCP sockets and poll(). Commands come on standard
 * input, a line each; what happens goes to standard output, a line each.
 *
 *   bgpvpn_interop_peer LOCAL LISTEN_PORT PEER PEER_PORT AS RD_NUMBER RT_NUMBER [OPTION...]
 *       passive  client  self  hold=SECONDS  v6 (VPNv6 too)  only6 (VPNv6 alone)
 *       targets (tells and obeys route target membership)
 *       plain (no marks of a refresh)  preserves (asks to keep our routes when we restart)
 *       dump=FILE (what each stream received, to FILE.ID)  range=BITS (whoever dials from
 * PEER/BITS) announce PREFIX/LEN LABEL      withdraw PREFIX/LEN      refresh TABLE      counters
 * quit
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bgpvpn/bgpvpn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS = 8, CREDIT = 65536, VRF = 1, ROUTER_IDS = 0x0a080000 };

typedef struct stream {
    uint64_t id; /* 0: free */
    int fd;
    int connecting;
    FILE *dump; /* or NULL */
    uint8_t out[CREDIT];
    size_t out_len;
} stream;

typedef struct peer {
    bgpvpn_engine *engine;
    uint64_t neighbor;
    bgpvpn_addr local;
    stream streams[STREAMS];
    uint32_t next_label;
    int listener;
    int quit;
    const char *dump; /* where to: a file for each stream, its id at the end of the name */
} peer;

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

static bgpvpn_addr addr_of(const char *text, uint16_t port)
{
    bgpvpn_addr a = {.family = BGPVPN_FAMILY_IPV4, .port = port};
    if (inet_pton(AF_INET, text, a.bytes) == 1)
        return a;
    a.family = BGPVPN_FAMILY_IPV6;
    if (inet_pton(AF_INET6, text, a.bytes) != 1)
        die(text);
    return a;
}

static socklen_t sockaddr_of(const bgpvpn_addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (a->family == BGPVPN_FAMILY_IPV4) {
        struct sockaddr_in s = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&s.sin_addr, a->bytes, 4);
        memcpy(out, &s, sizeof(s));
        return sizeof(s);
    }
    struct sockaddr_in6 s = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
    memcpy(&s.sin6_addr, a->bytes, 16);
    memcpy(out, &s, sizeof(s));
    return sizeof(s);
}

static const char *text_of(const bgpvpn_addr *a)
{
    static char text[2][INET6_ADDRSTRLEN];
    static int turn;
    char *t = text[turn ^= 1];
    inet_ntop(a->family == BGPVPN_FAMILY_IPV6 ? AF_INET6 : AF_INET, a->bytes, t, INET6_ADDRSTRLEN);
    return t;
}

static FILE *dump_open(const char *prefix, uint64_t id)
{
    char name[256];
    (void)snprintf(name, sizeof(name), "%s.%" PRIu64, prefix, id);
    FILE *f = fopen(name, "wb");
    if (!f)
        die(name);
    return f;
}

static stream *stream_new(peer *p, uint64_t id, int fd)
{
    for (int i = 0; i < STREAMS; i++) {
        if (p->streams[i].id == 0) {
            p->streams[i].id = id;
            p->streams[i].fd = fd;
            p->streams[i].connecting = 0;
            p->streams[i].out_len = 0;
            p->streams[i].dump = p->dump ? dump_open(p->dump, id) : NULL;
            return &p->streams[i];
        }
    }
    fprintf(stderr, "too many streams\n");
    exit(1);
}

static stream *stream_find(peer *p, uint64_t id)
{
    for (int i = 0; i < STREAMS; i++)
        if (p->streams[i].id == id)
            return &p->streams[i];
    return NULL;
}

static void stream_end(peer *p, stream *s, int tell)
{
    if (tell)
        (void)bgpvpn_engine_stream_down(p->engine, now_ms(), s->id);
    close(s->fd);
    if (s->dump)
        fclose(s->dump);
    s->id = 0;
}

static void flush(peer *p, stream *s)
{
    while (s->out_len > 0 && !s->connecting) {
        const ssize_t n = send(s->fd, s->out, s->out_len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            stream_end(p, s, 1);
            return;
        }
        s->out_len -= (size_t)n;
        memmove(s->out, s->out + n, s->out_len);
    }
}

static void dial(peer *p, const bgpvpn_event *ev)
{
    bgpvpn_addr from = p->local;
    from.port = 0;
    struct sockaddr_storage local, remote;
    const socklen_t len = sockaddr_of(&from, &local);
    (void)sockaddr_of(&ev->address, &remote);
    const int fd = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&local, len) != 0)
        die("bind");
    stream *s = stream_new(p, ev->parent_id, fd);
    s->connecting = 1;
    if (connect(fd, (const struct sockaddr *)&remote, len) != 0 && errno != EINPROGRESS)
        stream_end(p, s, 1);
}

static void on_event(peer *p, const bgpvpn_event *ev)
{
    stream *s;
    switch (ev->kind) {
    case BGPVPN_EVENT_CONNECT:
        dial(p, ev);
        break;
    case BGPVPN_EVENT_CLOSE:
        s = stream_find(p, ev->parent_id);
        if (s) {
            flush(p, s);
            stream_end(p, s, 0);
        }
        break;
    case BGPVPN_EVENT_UP:
        printf("up %s\n", text_of(&ev->address));
        break;
    case BGPVPN_EVENT_REFRESH:
        printf("asked for table %" PRIu32 " by %s\n", ev->number, text_of(&ev->address));
        break;
    case BGPVPN_EVENT_DOWN:
    case BGPVPN_EVENT_FAILED:
        printf("%s %s reason %" PRIu32 " code %u.%u\n",
               ev->kind == BGPVPN_EVENT_DOWN ? "down" : "failed", text_of(&ev->address), ev->reason,
               ev->code, ev->subcode);
        break;
    case BGPVPN_EVENT_END_OF_RIB:
        printf("end-of-rib %" PRIu32 " from %s\n", ev->number, text_of(&ev->address));
        break;
    case BGPVPN_EVENT_FAULT:
        printf("fault treat %" PRIu32 " attribute %u\n", ev->number, ev->code);
        break;
    case BGPVPN_EVENT_STALE:
        printf("routes of %s stay\n", text_of(&ev->address));
        break;
    case BGPVPN_EVENT_STALE_OVER:
        printf("routes of %s no longer stale\n", text_of(&ev->address));
        break;
    default:
        break;
    }
}

static void print_targets(const peer *p, uint64_t route_id)
{
    const uint8_t *value;
    size_t len;
    if (bgpvpn_engine_get_attribute(p->engine, route_id, BGPVPN_ATTR_EXTENDED_COMMUNITIES, &value,
                                    &len) != BGPVPN_OK)
        return;
    for (size_t i = 0; i + 8 <= len; i += 8)
        if (bgpvpn_rt_check(value + i) == BGPVPN_YES && value[i] == 0)
            printf(" rt %u:%u", value[i + 2] << 8 | value[i + 3],
                   (unsigned)value[i + 4] << 24 | (unsigned)value[i + 5] << 16 |
                       (unsigned)value[i + 6] << 8 | value[i + 7]);
}

static void on_route(const peer *p, const bgpvpn_route *r)
{
    static const char *const states[] = {"down", "up", "changed"};
    printf("route %s %s/%u", states[r->state], text_of(&r->prefix), r->prefix.prefix_len);
    if (r->state != BGPVPN_ROUTE_DOWN) {
        printf(" via %s label %" PRIu32 " rd %u:%u", text_of(&r->next_hop), r->label,
               r->rd[2] << 8 | r->rd[3], r->rd[6] << 8 | r->rd[7]);
        print_targets(p, r->route_id);
    }
    printf("\n");
}

static void drain(peer *p)
{
    bgpvpn_event ev;
    bgpvpn_route r = {.struct_size = sizeof(r)};
    bgpvpn_label l = {.struct_size = sizeof(l)};
    while (bgpvpn_engine_poll_event(p->engine, &ev) == BGPVPN_YES)
        on_event(p, &ev);
    while (bgpvpn_engine_poll_route(p->engine, &r) == BGPVPN_YES)
        on_route(p, &r);
    while (bgpvpn_engine_poll_label(p->engine, &l) == BGPVPN_YES) {
        const uint32_t label = l.kind == BGPVPN_LABEL_ASK ? p->next_label++ : l.label;
        printf("label %" PRIu32 " kind %" PRIu32 " for %s/%u out %" PRIu32 "\n", label, l.kind,
               text_of(&l.prefix), l.prefix.prefix_len, l.out_label);
        if (l.kind == BGPVPN_LABEL_ASK)
            (void)bgpvpn_engine_answer_label(p->engine, now_ms(), l.route_id, label);
    }
}

static void send_output(peer *p)
{
    static uint8_t buf[CREDIT];
    bgpvpn_output out;
    for (int i = 0; i < STREAMS; i++)
        if (p->streams[i].id)
            (void)bgpvpn_engine_set_credit(p->engine, now_ms(), p->streams[i].id,
                                           CREDIT - p->streams[i].out_len);
    while (bgpvpn_engine_poll_output(p->engine, now_ms(), buf, sizeof(buf), &out) == BGPVPN_YES) {
        stream *s = stream_find(p, out.stream);
        if (!s)
            continue;
        memcpy(s->out + s->out_len, buf, out.len);
        s->out_len += out.len;
        flush(p, s);
    }
}

static void on_readable(peer *p, stream *s)
{
    uint8_t buf[16384];
    const ssize_t n = recv(s->fd, buf, sizeof(buf), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        stream_end(p, s, 1);
        return;
    }
    if (s->dump) {
        (void)fwrite(buf, 1, (size_t)n, s->dump);
        fflush(s->dump);
    }
    for (size_t used = 0, taken = 0; used < (size_t)n; used += taken) {
        if (bgpvpn_engine_input(p->engine, now_ms(), s->id, buf + used, (size_t)n - used, &taken) !=
            BGPVPN_OK)
            return;
        drain(p);
        if (!s->id)
            return;
    }
}

static void on_writable(peer *p, stream *s)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (!s->connecting) {
        flush(p, s);
        return;
    }
    s->connecting = 0;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        stream_end(p, s, 1);
    else
        (void)bgpvpn_engine_stream_up(p->engine, now_ms(), s->id, &p->local);
}

static void on_incoming(peer *p)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    const int fd = accept4(p->listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK);
    bgpvpn_addr peer_addr = {.family = p->local.family};
    uint64_t id;
    if (fd < 0)
        return;
    if (from.ss_family == AF_INET)
        memcpy(peer_addr.bytes, &((const struct sockaddr_in *)&from)->sin_addr, 4);
    else
        memcpy(peer_addr.bytes, &((const struct sockaddr_in6 *)&from)->sin6_addr, 16);
    if (bgpvpn_engine_accept(p->engine, now_ms(), &p->local, &peer_addr, &id) == BGPVPN_OK)
        (void)stream_new(p, id, fd);
    else
        close(fd);
}

static int prefix_of(const char *text, bgpvpn_addr *out)
{
    char ip[INET6_ADDRSTRLEN + 1];
    unsigned len;
    memset(out, 0, sizeof(*out));
    if (sscanf(text, "%46[0-9a-f.:]/%u", ip, &len) != 2)
        return 0;
    const int v6 = strchr(ip, ':') != NULL;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, ip, out->bytes) != 1)
        return 0;
    out->family = v6 ? BGPVPN_FAMILY_IPV6 : BGPVPN_FAMILY_IPV4;
    out->prefix_len = (uint8_t)len;
    return 1;
}

/* Each neighbour's, by its address. */
static bgpvpn_rc print_counters(const peer *p)
{
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    uint64_t it = 0;
    while (bgpvpn_engine_get_next_neighbor(p->engine, &it, &info) == BGPVPN_YES)
        printf("counters of %s: capabilities %" PRIu32 " tables %" PRIu32 " announced %" PRIu64
               " again %" PRIu64 " withdrawn %" PRIu64 "\n",
               text_of(&info.address), info.capabilities, info.tables, info.prefixes_in,
               info.implicit_in, info.withdraws_in);
    return BGPVPN_OK;
}

static bgpvpn_rc refresh_all(const peer *p, uint32_t tables)
{
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    uint64_t it = 0;
    bgpvpn_rc rc = BGPVPN_ERR_ABSENT;
    while (bgpvpn_engine_get_next_neighbor(p->engine, &it, &info) == BGPVPN_YES)
        rc = bgpvpn_engine_neighbor_refresh(p->engine, now_ms(), info.id, tables);
    return rc;
}

static void on_command(peer *p, char *line)
{
    char prefix[64];
    unsigned label, table;
    bgpvpn_local_route r = {.struct_size = sizeof(r)};
    bgpvpn_rc rc = BGPVPN_ERR_ARG;
    if (sscanf(line, "announce %63s %u", prefix, &label) == 2 && prefix_of(prefix, &r.prefix)) {
        r.label = label;
        rc = bgpvpn_engine_announce(p->engine, now_ms(), VRF, &r);
    } else if (sscanf(line, "withdraw %63s", prefix) == 1 && prefix_of(prefix, &r.prefix)) {
        rc = bgpvpn_engine_withdraw(p->engine, now_ms(), VRF, &r.prefix);
    } else if (sscanf(line, "refresh %u", &table) == 1) {
        rc = refresh_all(p, table);
    } else if (strncmp(line, "counters", 8) == 0) {
        rc = print_counters(p);
    } else if (strncmp(line, "quit", 4) == 0) {
        p->quit = 1;
        rc = bgpvpn_engine_neighbor_shutdown(p->engine, now_ms(), p->neighbor,
                                             (const uint8_t *)"test over", 9);
    }
    printf("%s: %s\n", strtok(line, "\n"), bgpvpn_rc_name(rc));
}

static void loop(peer *p)
{
    struct pollfd fds[STREAMS + 2];
    char line[128];
    size_t line_len = 0;
    for (;;) {
        drain(p);
        send_output(p);
        drain(p);
        fflush(stdout);
        if (p->quit)
            return;
        fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = p->listener, .events = POLLIN};
        for (int i = 0; i < STREAMS; i++) {
            const stream *s = &p->streams[i];
            fds[i + 2] = (struct pollfd){.fd = s->id ? s->fd : -1, .events = POLLIN};
            if (s->id && (s->connecting || s->out_len > 0))
                fds[i + 2].events |= POLLOUT;
        }
        const uint64_t now = now_ms(), at = bgpvpn_engine_deadline(p->engine);
        const int wait = at <= now ? 0 : at - now > 1000 ? 1000 : (int)(at - now);
        if (poll(fds, STREAMS + 2, wait) < 0 && errno != EINTR)
            die("poll");
        for (int i = 0; i < STREAMS; i++) {
            stream *s = &p->streams[i];
            if (fds[i + 2].revents & POLLOUT && s->id)
                on_writable(p, s);
            if (fds[i + 2].revents & (POLLIN | POLLHUP | POLLERR) && s->id && !s->connecting)
                on_readable(p, s);
        }
        if (fds[1].revents)
            on_incoming(p);
        if (fds[0].revents) {
            const ssize_t n = read(STDIN_FILENO, line + line_len, sizeof(line) - 1 - line_len);
            if (n <= 0)
                return;
            line_len += (size_t)n;
            line[line_len] = 0;
            for (char *end; (end = strchr(line, '\n'));) {
                char one[sizeof(line)];
                const size_t len = (size_t)(end - line) + 1;
                memcpy(one, line, len);
                one[len] = 0;
                on_command(p, one);
                line_len -= len;
                memmove(line, end + 1, line_len + 1);
            }
        }
        (void)bgpvpn_engine_timeout(p->engine, now_ms());
    }
}

static void read_option(peer *p, bgpvpn_neighbor_config *n, const char *option)
{
    unsigned number;
    if (strcmp(option, "passive") == 0) {
        n->flags |= BGPVPN_NEIGHBOR_PASSIVE;
    } else if (strcmp(option, "client") == 0) {
        n->flags |= BGPVPN_NEIGHBOR_CLIENT;
    } else if (strcmp(option, "self") == 0) {
        n->flags |= BGPVPN_NEIGHBOR_NEXT_HOP_SELF;
    } else if (strcmp(option, "v6") == 0) {
        n->tables |= BGPVPN_TABLE_VPNV6;
    } else if (strcmp(option, "only6") == 0) {
        n->tables = BGPVPN_TABLE_VPNV6;
    } else if (strcmp(option, "targets") == 0) {
        n->tables |= BGPVPN_TABLE_TARGETS;
    } else if (strcmp(option, "plain") == 0) {
        n->flags |= BGPVPN_NEIGHBOR_PLAIN_REFRESH;
    } else if (strcmp(option, "preserves") == 0) {
        n->flags |= BGPVPN_NEIGHBOR_PRESERVES;
    } else if (sscanf(option, "hold=%u", &number) == 1) {
        n->hold_time_s = number;
    } else if (sscanf(option, "range=%u", &number) == 1) {
        n->address.prefix_len = (uint8_t)number;
    } else if (strncmp(option, "dump=", 5) == 0) {
        p->dump = option + 5;
    } else {
        fprintf(stderr, "unknown option %s\n", option);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static peer p = {.next_label = 50000};
    bgpvpn_config cfg;
    bgpvpn_neighbor_config n;
    if (argc < 8) {
        fprintf(stderr, "usage: %s LOCAL LISTEN_PORT PEER PEER_PORT AS RD RT [OPTION...]\n",
                argv[0]);
        return 2;
    }
    p.local = addr_of(argv[1], (uint16_t)atoi(argv[2]));
    const uint32_t as = (uint32_t)strtoul(argv[5], NULL, 10);
    (void)bgpvpn_config_init(&cfg);
    cfg.local_as = as;
    /* 10.8.0.N, whether the address is that or 2001:db8:8::N */
    cfg.router_id = ROUTER_IDS | p.local.bytes[p.local.family == BGPVPN_FAMILY_IPV6 ? 15 : 3];
    const int random = open("/dev/urandom", O_RDONLY);
    if (random < 0 || read(random, cfg.seed, sizeof(cfg.seed)) != sizeof(cfg.seed))
        die("/dev/urandom");
    close(random);
    if (bgpvpn_engine_new(&cfg, now_ms(), &p.engine) != BGPVPN_OK)
        die("engine");

    uint8_t rt[8];
    bgpvpn_vrf_config vrf = {.struct_size = sizeof(vrf), .vrf = VRF};
    (void)bgpvpn_rd_make(as, (uint32_t)atoi(argv[6]), 0, vrf.rd);
    (void)bgpvpn_rt_make(as, (uint32_t)atoi(argv[7]), 0, rt);
    vrf.import_rts = vrf.export_rts = rt;
    vrf.import_rts_len = vrf.export_rts_len = sizeof(rt);
    if (bgpvpn_engine_vrf_add(p.engine, now_ms(), &vrf) != BGPVPN_OK)
        die("vrf");

    struct sockaddr_storage at;
    const socklen_t at_len = sockaddr_of(&p.local, &at);
    p.listener = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int one = 1;
    (void)setsockopt(p.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(p.listener, (const struct sockaddr *)&at, at_len) != 0 ||
        listen(p.listener, STREAMS) != 0)
        die("listen");
    printf("listening\n");
    fflush(stdout);

    (void)bgpvpn_neighbor_config_init(&n);
    n.address = addr_of(argv[3], (uint16_t)atoi(argv[4]));
    n.remote_as = as;
    n.connect_retry_s = 2;
    for (int i = 8; i < argc; i++)
        read_option(&p, &n, argv[i]);
    const bgpvpn_rc rc = n.address.prefix_len > 0
                             ? bgpvpn_engine_range_add(p.engine, now_ms(), &n, &p.neighbor)
                             : bgpvpn_engine_neighbor_add(p.engine, now_ms(), &n, &p.neighbor);
    if (rc != BGPVPN_OK)
        die("neighbor");
    loop(&p);
    drain(&p);
    send_output(&p);
    bgpvpn_engine_free(p.engine);
    return 0;
}
