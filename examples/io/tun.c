/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/address.h"
#include "io/netns.h"
#include "io/rtnl.h"

static bool set_up(const io_tun_config *config, uint16_t mtu, const char **step)
{
    *step = "find the device";
    const uint32_t index = if_nametoindex(config->device);
    if (index == 0)
        return false;
    *step = "open netlink";
    const int socket = rtnl_open();
    if (socket < 0)
        return false;
    *step = "set its MTU and take it up";
    bool ok = rtnl_link_up(socket, index, mtu);
    if (ok && config->address.family != ROUTER_FAMILY_NONE) {
        *step = "add its address";
        ok = rtnl_add_address(socket, index, &config->address);
    }
    for (size_t i = 0; ok && i < config->route_count; i++) {
        *step = "add a route";
        ok = rtnl_add_route(socket, index, &config->routes[i], &config->address);
    }
    const int error = errno;
    close(socket);
    errno = error;
    return ok;
}

/* In the namespace. */
static int make(const io_tun_config *config, uint16_t mtu, const char **step)
{
    *step = "open /dev/net/tun";
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    *step = "make the device";
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    memcpy(request.ifr_name, config->device, sizeof config->device);
    if (ioctl(fd, TUNSETIFF, &request) == 0 && set_up(config, mtu, step))
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int tun_open(const io_tun_config *config, uint16_t mtu, char problem[TUN_PROBLEM_BYTES])
{
    const char *step = "enter the network namespace";
    netns n;
    int fd = -1;
    if (netns_enter(&n, config->network_namespace)) {
        fd = make(config, mtu, &step);
        const int error = errno;
        netns_leave(&n);
        errno = error;
    }
    if (fd < 0)
        snprintf(problem, TUN_PROBLEM_BYTES, "TUN %s%s%s: %s: %s", config->device,
                 config->network_namespace[0] ? " in " : "", config->network_namespace, step,
                 strerror(errno));
    return fd;
}
