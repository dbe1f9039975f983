/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/underlay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/address.h"
#include "io/netns.h"

enum { SOCKET_BUFFER_BYTES = 4 << 20 };

/* ---- Batches ---- */

bool batch_init(batch *b)
{
    memset(b, 0, sizeof *b);
    b->memory = malloc((size_t)BATCH_PACKETS * BATCH_BUFFER_BYTES);
    return b->memory != NULL;
}

void batch_free(batch *b)
{
    free(b->memory);
    b->memory = NULL;
}

uint8_t *batch_space(batch *b, size_t i)
{
    return b->memory + i * BATCH_BUFFER_BYTES + ROUTER_HEADROOM;
}

router_packet *batch_put(batch *b, size_t i, size_t skip, size_t len)
{
    router_packet *packet = &b->packets[b->count++];
    *packet = (router_packet){.buf = b->memory + i * BATCH_BUFFER_BYTES,
                              .cap = BATCH_BUFFER_BYTES,
                              .offset = ROUTER_HEADROOM + skip,
                              .len = len};
    return packet;
}

/* ---- Sockets ---- */

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool set_options(int fd, const router_addr *local)
{
    /* As large as the system allows, where it does not let us choose. */
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES))
        set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
    if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES))
        set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);

    /* The tunnel's MTU is the router's business: what it sends may be fragmented on the way. */
    if (local->family == ROUTER_FAMILY_IPV6)
        return set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
}

static bool open_one(underlay_socket *s, uint8_t transport, const router_addr *local, uint16_t port)
{
    const int family = local->family == ROUTER_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    const int type = transport == ROUTER_TRANSPORT_UDP ? SOCK_DGRAM : SOCK_RAW;
    s->transport = transport;
    s->local = *local;
    s->local.port = port;
    s->fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, transport);
    if (s->fd < 0)
        return false;

    struct sockaddr_storage address;
    const socklen_t len = address_to_sockaddr(&s->local, &address);
    return set_options(s->fd, local) && bind(s->fd, (struct sockaddr *)&address, len) == 0;
}

bool underlay_open(underlay *u, const io_config *config, char problem[UNDERLAY_PROBLEM_BYTES])
{
    static const struct {
        uint8_t transport;
        uint16_t port;
        const char *name;
    } wanted[UNDERLAY_SOCKETS] = {
        [UNDERLAY_IKE] = {ROUTER_TRANSPORT_UDP, UNDERLAY_PORT_IKE, "UDP port 500"},
        [UNDERLAY_NAT_T] = {ROUTER_TRANSPORT_UDP, UNDERLAY_PORT_NAT_T, "UDP port 4500"},
        [UNDERLAY_ESP] = {ROUTER_TRANSPORT_ESP, 0, "IP protocol 50"},
        [UNDERLAY_GRE] = {ROUTER_TRANSPORT_GRE, 0, "IP protocol 47"},
    };
    *u = (underlay){0};
    for (size_t i = 0; i < UNDERLAY_SOCKETS; i++)
        u->sockets[i].fd = -1;

    netns n;
    if (!netns_enter(&n, config->front_door)) {
        snprintf(problem, UNDERLAY_PROBLEM_BYTES, "front door %s: %s", config->front_door,
                 strerror(errno));
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < UNDERLAY_SOCKETS; i++) {
        ok =
            open_one(&u->sockets[i], wanted[i].transport, &config->router.underlay, wanted[i].port);
        if (!ok) {
            const int error = errno;
            char text[ADDRESS_TEXT_BYTES];
            snprintf(problem, UNDERLAY_PROBLEM_BYTES, "%s on %s: %s", wanted[i].name,
                     address_text(&config->router.underlay, text), strerror(error));
        }
    }
    netns_leave(&n);
    if (!ok)
        underlay_close(u);
    return ok;
}

void underlay_close(underlay *u)
{
    for (size_t i = 0; i < UNDERLAY_SOCKETS; i++) {
        if (u->sockets[i].fd >= 0)
            close(u->sockets[i].fd);
        u->sockets[i].fd = -1;
    }
}

/* ---- In ---- */

/* The bytes of the IPv4 header with which a raw IPv4 socket begins; IPv6's does not. */
static size_t header_bytes(const underlay_socket *s, const uint8_t *bytes, size_t len)
{
    if (s->transport == ROUTER_TRANSPORT_UDP || s->local.family == ROUTER_FAMILY_IPV6 || len == 0)
        return 0;
    return 4 * (size_t)(bytes[0] & 0x0f);
}

size_t underlay_receive(underlay_socket *s, batch *b)
{
    struct sockaddr_storage from[BATCH_PACKETS];
    struct iovec space[BATCH_PACKETS];
    struct mmsghdr messages[BATCH_PACKETS];
    for (size_t i = 0; i < BATCH_PACKETS; i++) {
        space[i] = (struct iovec){.iov_base = batch_space(b, i), .iov_len = BATCH_MAX_PACKET_BYTES};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                   .msg_namelen = sizeof from[i],
                                                   .msg_iov = &space[i],
                                                   .msg_iovlen = 1}};
    }
    b->count = 0;
    const int got = recvmmsg(s->fd, messages, BATCH_PACKETS, 0, NULL);
    for (int i = 0; i < got; i++) {
        const size_t len = messages[i].msg_len;
        const size_t skip = header_bytes(s, batch_space(b, (size_t)i), len);
        router_addr peer;
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC || skip > len ||
            !address_from_sockaddr(&from[i], s->local.scope, &peer))
            continue;
        if (s->transport != ROUTER_TRANSPORT_UDP)
            peer.port = 0;
        router_packet *packet = batch_put(b, (size_t)i, skip, len - skip);
        packet->port = ROUTER_PORT_UNDERLAY;
        packet->path = (router_path){.local = s->local, .peer = peer, .transport = s->transport};
    }
    return got > 0 ? (size_t)got : 0;
}

/* ---- Out ---- */

static int find_socket(const underlay *u, const router_path *path)
{
    for (size_t i = 0; i < UNDERLAY_SOCKETS; i++) {
        const underlay_socket *s = &u->sockets[i];
        if (s->transport == path->transport && s->local.port == path->local.port)
            return s->fd;
    }
    return -1;
}

/* One sendmmsg after another; a datagram that is refused is passed over, as a full link would. */
static void send_all(underlay *u, int fd, struct mmsghdr *messages, size_t count)
{
    size_t done = 0;
    while (done < count) {
        const int sent = fd < 0 ? -1 : sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
        if (sent > 0) {
            done += (size_t)sent;
        } else if (fd < 0 || errno != EINTR) {
            u->unsent++;
            done++;
        }
    }
}

void underlay_send_batch(underlay *u, const router_packet *packets, size_t packet_count)
{
    struct sockaddr_storage to[BATCH_PACKETS];
    struct iovec bytes[BATCH_PACKETS];
    struct mmsghdr messages[BATCH_PACKETS];
    size_t count = 0;
    int fd = -1;
    for (size_t i = 0; i < packet_count; i++) {
        const router_packet *packet = &packets[i];
        if (packet->verdict != ROUTER_VERDICT_UNDERLAY)
            continue;
        const int next = find_socket(u, &packet->path);
        if (next != fd) {
            send_all(u, fd, messages, count);
            count = 0;
            fd = next;
        }
        bytes[count] =
            (struct iovec){.iov_base = packet->buf + packet->offset, .iov_len = packet->len};
        messages[count] = (struct mmsghdr){
            .msg_hdr = {.msg_name = &to[count],
                        .msg_namelen = address_to_sockaddr(&packet->path.peer, &to[count]),
                        .msg_iov = &bytes[count],
                        .msg_iovlen = 1}};
        count++;
    }
    send_all(u, fd, messages, count);
}

void underlay_send(underlay *u, const router_path *path, const uint8_t *bytes, size_t len)
{
    struct sockaddr_storage to;
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct mmsghdr message = {.msg_hdr = {.msg_name = &to,
                                          .msg_namelen = address_to_sockaddr(&path->peer, &to),
                                          .msg_iov = &iov,
                                          .msg_iovlen = 1}};
    send_all(u, find_socket(u, path), &message, 1);
}
