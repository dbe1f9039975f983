/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/address.h"

enum { REQUEST_BYTES = 512, ANSWER_BYTES = 4096 };

/* A request being built. Every one of ours fits by far. */
typedef struct request {
    _Alignas(struct nlmsghdr) uint8_t bytes[REQUEST_BYTES];
    size_t len;
} request;

static void *reserve(request *r, size_t len)
{
    uint8_t *at = r->bytes + r->len;
    r->len += NLMSG_ALIGN(len);
    return at;
}

static void begin(request *r, uint16_t type, uint16_t flags, const void *body, size_t len)
{
    memset(r, 0, sizeof *r);
    struct nlmsghdr header = {.nlmsg_type = type,
                              .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)};
    memcpy(reserve(r, sizeof header), &header, sizeof header);
    memcpy(reserve(r, len), body, len);
}

static void put_attribute(request *r, uint16_t type, const void *value, size_t len)
{
    struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len)};
    memcpy(reserve(r, sizeof attribute), &attribute, sizeof attribute);
    memcpy(reserve(r, len), value, len);
}

/* An attribute whose length is known when what is in it has been put. */
static size_t begin_nest(request *r, uint16_t type)
{
    const size_t at = r->len;
    put_attribute(r, type, "", 0);
    return at;
}

static void end_nest(request *r, size_t at)
{
    const uint16_t len = (uint16_t)(r->len - at);
    memcpy(r->bytes + at + offsetof(struct rtattr, rta_len), &len, sizeof len);
}

/* Sends a request and reads its acknowledgement. */
static bool ask(int socket, request *r)
{
    const uint32_t len = (uint32_t)r->len;
    memcpy(r->bytes + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof len);
    if (send(socket, r->bytes, r->len, 0) != (ssize_t)r->len)
        return false;

    uint8_t answer[ANSWER_BYTES];
    const ssize_t got = recv(socket, answer, sizeof answer, 0);
    if (got < 0)
        return false;
    struct nlmsghdr header;
    struct nlmsgerr result;
    if ((size_t)got < sizeof header + sizeof result) {
        errno = EPROTO;
        return false;
    }
    memcpy(&header, answer, sizeof header);
    memcpy(&result, answer + NLMSG_HDRLEN, sizeof result);
    if (header.nlmsg_type != NLMSG_ERROR || result.error != 0) {
        errno = header.nlmsg_type == NLMSG_ERROR ? -result.error : EPROTO;
        return false;
    }
    return true;
}

int rtnl_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* No link-local address, so that the kernel sends nothing of its own into the VPN. */
static void turn_off_link_local(int socket, uint32_t index)
{
    const struct ifinfomsg link = {.ifi_index = (int)index};
    const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
    request r;
    begin(&r, RTM_NEWLINK, 0, &link, sizeof link);
    const size_t families = begin_nest(&r, IFLA_AF_SPEC);
    const size_t family = begin_nest(&r, AF_INET6);
    put_attribute(&r, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    end_nest(&r, family);
    end_nest(&r, families);
    /* A kernel without IPv6 refuses, and has no such address either. */
    ask(socket, &r);
}

bool rtnl_link_up(int socket, uint32_t index, uint32_t mtu)
{
    turn_off_link_local(socket, index);
    const struct ifinfomsg link = {
        .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    request r;
    begin(&r, RTM_NEWLINK, 0, &link, sizeof link);
    put_attribute(&r, IFLA_MTU, &mtu, sizeof mtu);
    return ask(socket, &r);
}

static uint8_t kernel_family(const router_addr *address)
{
    return address->family == ROUTER_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

bool rtnl_add_address(int socket, uint32_t index, const router_addr *address)
{
    const size_t len = address_len(address);
    const struct ifaddrmsg body = {.ifa_family = kernel_family(address),
                                   .ifa_prefixlen = (uint8_t)(8 * len),
                                   .ifa_flags = IFA_F_NODAD,
                                   .ifa_index = index};
    request r;
    begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof body);
    put_attribute(&r, IFA_LOCAL, address->bytes, len);
    put_attribute(&r, IFA_ADDRESS, address->bytes, len);
    return ask(socket, &r);
}

bool rtnl_add_route(int socket, uint32_t index, const router_addr *prefix,
                    const router_addr *source)
{
    const struct rtmsg body = {.rtm_family = kernel_family(prefix),
                               .rtm_dst_len = prefix->prefix_len,
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_scope = RT_SCOPE_LINK,
                               .rtm_type = RTN_UNICAST};
    request r;
    begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof body);
    if (prefix->prefix_len > 0)
        put_attribute(&r, RTA_DST, prefix->bytes, address_len(prefix));
    put_attribute(&r, RTA_OIF, &index, sizeof index);
    if (source->family == prefix->family)
        put_attribute(&r, RTA_PREFSRC, source->bytes, address_len(source));
    return ask(socket, &r);
}
