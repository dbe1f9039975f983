/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A multipoint GRE device for a kernel that has none: gre_device NAME NBMA KEY.
 *
 * A TAP says that its link type is GRE over IPv4, whose addresses have four octets, and is taken
 * for such a device by nhrpd. The kernel still gives it Ethernet frames: where they go is the NBMA
 * address in the first four octets of the destination. libgre does the rest, over a raw socket.
 * Prints "ready" and runs until it is killed.
 */
#define _DEFAULT_SOURCE
#include <gre/gre.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4096, HEADROOM = 64, ETHERNET_BYTES = 14, NBMA_BYTES = 4, TYPE_AT = 12 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const int fd = open("/dev/net/tun", O_RDWR);
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETLINK, ARPHRD_IPGRE) < 0)
        die("tap");
    return fd;
}

static int open_raw(const struct sockaddr_in *nbma)
{
    const int fd = socket(AF_INET, SOCK_RAW, IPPROTO_GRE);
    if (fd < 0 || bind(fd, (const struct sockaddr *)nbma, sizeof(*nbma)) < 0)
        die("raw socket");
    return fd;
}

static gre_tunnel *make_tunnel(uint32_t key)
{
    gre_config cfg;
    gre_tunnel *t;
    if (gre_config_init(&cfg) != GRE_OK)
        exit(1);
    cfg.use_key = 1;
    cfg.key = key;
    if (gre_tunnel_new(&cfg, &t) != GRE_OK)
        exit(1);
    return t;
}

/* Frames to no NBMA address, or to all, are multicast, which nobody has mapped. */
static void send_frame(gre_tunnel *t, int raw, uint8_t *frame, size_t len)
{
    static const uint8_t zero[NBMA_BYTES], ones[NBMA_BYTES] = {255, 255, 255, 255};
    struct sockaddr_in to = {.sin_family = AF_INET};
    size_t at;
    if (len < ETHERNET_BYTES || memcmp(frame, zero, NBMA_BYTES) == 0 ||
        memcmp(frame, ones, NBMA_BYTES) == 0)
        return;
    const uint16_t type = (uint16_t)(frame[TYPE_AT] << 8 | frame[TYPE_AT + 1]);
    memcpy(&to.sin_addr, frame, NBMA_BYTES);
    /* The header is written over the frame's own. */
    if (gre_tunnel_encode(t, type, frame, ETHERNET_BYTES, len - ETHERNET_BYTES, &at) == GRE_OK &&
        sendto(raw, frame + at, len - at, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
        perror("sendto");
}

static void take_packet(gre_tunnel *t, int tap, const struct sockaddr_in *nbma, uint8_t *packet,
                        size_t len)
{
    gre_outer outer;
    gre_view view;
    if (gre_outer_decode(packet, len, &outer) != GRE_OK ||
        gre_tunnel_decode(t, packet + outer.header_len, outer.payload_len, &view) != GRE_OK)
        return;
    uint8_t *payload = packet + outer.header_len + view.payload_offset;
    uint8_t *frame = payload - ETHERNET_BYTES;
    memset(frame, 0, ETHERNET_BYTES);
    memcpy(frame, &nbma->sin_addr, NBMA_BYTES);
    memcpy(frame + 6, outer.source.bytes, NBMA_BYTES);
    frame[TYPE_AT] = (uint8_t)(view.protocol >> 8);
    frame[TYPE_AT + 1] = (uint8_t)view.protocol;
    if (write(tap, frame, ETHERNET_BYTES + view.payload_len) < 0)
        perror("write");
}

int main(int argc, char **argv)
{
    static uint8_t buf[HEADROOM + BUFFER_BYTES];
    struct sockaddr_in nbma = {.sin_family = AF_INET};
    if (argc != 4 || inet_pton(AF_INET, argv[2], &nbma.sin_addr) != 1) {
        fprintf(stderr, "usage: gre_device NAME NBMA KEY\n");
        return 2;
    }
    struct pollfd fds[] = {{.fd = open_tap(argv[1]), .events = POLLIN},
                           {.fd = open_raw(&nbma), .events = POLLIN}};
    gre_tunnel *t = make_tunnel((uint32_t)strtoul(argv[3], NULL, 0));
    puts("ready");
    fflush(stdout);
    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents) {
            const ssize_t len = read(fds[0].fd, buf + HEADROOM, BUFFER_BYTES);
            if (len > 0)
                send_frame(t, fds[1].fd, buf + HEADROOM, (size_t)len);
        }
        if (fds[1].revents) {
            const ssize_t len = recv(fds[1].fd, buf + HEADROOM, BUFFER_BYTES, 0);
            if (len > 0)
                take_packet(t, fds[0].fd, &nbma, buf + HEADROOM, (size_t)len);
        }
    }
    return 1;
}
