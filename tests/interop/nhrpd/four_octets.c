/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Loaded into nhrpd before the C library. The kernel takes the source of what a TAP receives from
 * an Ethernet header and says that it has six octets; nhrpd expects the four of a GRE device, and
 * they are the first four.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum { ETHERNET = 6, NBMA = 4 };

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    static ssize_t (*next)(int, struct msghdr *, int);
    if (!next) {
        void *found = dlsym(RTLD_NEXT, "recvmsg");
        memcpy(&next, &found, sizeof(next));
    }
    const ssize_t len = next(fd, message, flags);
    struct sockaddr_ll *from = message->msg_name;
    if (len >= 0 && from && message->msg_namelen >= offsetof(struct sockaddr_ll, sll_addr) &&
        from->sll_family == AF_PACKET && from->sll_hatype == ARPHRD_IPGRE &&
        from->sll_halen == ETHERNET)
        from->sll_halen = NBMA;
    return len;
}
