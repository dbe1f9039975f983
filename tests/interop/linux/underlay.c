/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sockets of the NBMA network, IPv4 or IPv6.
 */
#define _DEFAULT_SOURCE
#include "node.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static socklen_t to_socket(const nhrp_addr *a, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (a->family == NHRP_FAMILY_IPV6) {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&to.sin6_addr, a->bytes, sizeof(to.sin6_addr));
        memcpy(out, &to, sizeof(to));
        return sizeof(to);
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&to.sin_addr, a->bytes, sizeof(to.sin_addr));
    memcpy(out, &to, sizeof(to));
    return sizeof(to);
}

static void from_socket(const struct sockaddr_storage *at, nhrp_addr *out)
{
    memset(out, 0, sizeof(*out));
    if (at->ss_family == AF_INET6) {
        struct sockaddr_in6 from;
        memcpy(&from, at, sizeof(from));
        out->family = NHRP_FAMILY_IPV6;
        out->port = ntohs(from.sin6_port);
        memcpy(out->bytes, &from.sin6_addr, sizeof(from.sin6_addr));
    } else {
        struct sockaddr_in from;
        memcpy(&from, at, sizeof(from));
        out->family = NHRP_FAMILY_IPV4;
        out->port = ntohs(from.sin_port);
        memcpy(out->bytes, &from.sin_addr, sizeof(from.sin_addr));
    }
}

static int open_socket(const node *n, int type, int protocol, uint16_t port)
{
    struct sockaddr_storage at;
    const socklen_t len = to_socket(&n->nbma, port, &at);
    const int fd = socket(at.ss_family, type | SOCK_NONBLOCK, protocol);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, len) < 0) {
        perror("socket");
        exit(1);
    }
    return fd;
}

void underlay_init(node *n)
{
    n->fd_send = open_socket(n, SOCK_RAW, IPPROTO_RAW, PORT_NONE);
    n->fd_gre = open_socket(n, SOCK_RAW, IPPROTO_GRE, PORT_NONE);
    n->fd_esp = open_socket(n, SOCK_RAW, IPPROTO_ESP, PORT_NONE);
    n->fd_ike = open_socket(n, SOCK_DGRAM, 0, PORT_IKE);
    n->fd_udp = open_socket(n, SOCK_DGRAM, 0, PORT_NAT);
}

void underlay_send(int fd, const nhrp_addr *to, uint16_t port, const uint8_t *packet, size_t len)
{
    struct sockaddr_storage at;
    const socklen_t at_len = to_socket(to, port, &at);
    if (sendto(fd, packet, len, 0, (const struct sockaddr *)&at, at_len) < 0)
        perror("sendto");
}

size_t underlay_receive(int fd, uint8_t *buf, nhrp_addr *from)
{
    struct sockaddr_storage at;
    socklen_t at_len = sizeof(at);
    const ssize_t got =
        recvfrom(fd, buf + HEADROOM, BUFFER_BYTES - HEADROOM, 0, (struct sockaddr *)&at, &at_len);
    if (got < 0)
        return 0;
    from_socket(&at, from);
    return (size_t)got;
}
