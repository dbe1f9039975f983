/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration file of hub and spoke: any bytes are read, or refused with a place inside them;
 * what is read stays within what there is room for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/config.h"

/* Every so many sizes the input goes through a file too. */
#define FILE_EVERY 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static io_config config;

void router_config_init(router_config *c)
{
    memset(c, 0, sizeof *c);
}

static void require(bool what)
{
    if (!what)
        abort();
}

static size_t lines(const uint8_t *data, size_t size)
{
    size_t n = 1;
    for (size_t i = 0; i < size; i++)
        n += data[i] == '\n';
    return n;
}

static void check_tun(const io_tun_config *tun)
{
    require(memchr(tun->network_namespace, '\0', sizeof tun->network_namespace) != NULL);
    require(memchr(tun->device, '\0', sizeof tun->device) != NULL);
    require(tun->route_count >= 1 && tun->route_count <= ROUTER_MAX_PREFIXES);
    for (size_t i = 0; i < tun->route_count; i++)
        require(tun->routes[i].prefix_len <=
                (tun->routes[i].family == ROUTER_FAMILY_IPV4 ? 32 : 128));
}

static void check(void)
{
    const router_config *r = &config.router;
    require(r->name[0] && r->identity[0] && r->underlay.family && r->tunnel.family && r->as);
    require(r->vrf_count <= ROUTER_MAX_VRFS && r->peer_count <= ROUTER_MAX_PEERS);
    require(r->bgp_neighbor_count <= ROUTER_MAX_PEERS);
    check_tun(&config.global);
    for (size_t i = 0; i < r->vrf_count; i++) {
        require(r->vrfs[i].id && r->vrfs[i].imports && r->vrfs[i].exports);
        check_tun(&config.vrfs[i]);
    }
    for (size_t i = 0; i < r->peer_count; i++)
        require(r->peers[i].local_key[0] && r->peers[i].remote_key[0] && r->peers[i].authorizeds &&
                r->peers[i].vrf_count <= ROUTER_MAX_VRFS);
}

/* What is read from a file is what was parsed; and what cannot be read says so. */
static void from_file(const char *text, size_t size)
{
    io_config_error error = {0}, again = {0};
    char path[32];
    const int fd = memfd_create("config", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, text, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    io_config_init(&config, false, true);
    const bool parsed = io_config_parse(path, text, size, &config, &error);
    io_config_init(&config, false, true);
    require(io_config_load(path, &config, &again) == parsed);
    require(strcmp(error.text, again.text) == 0 && error.line == again.line);
    close(fd);
    if (size == 0) {
        require(!io_config_load("/dev/fd/no", &config, &error) && error.line == 0);
        require(!io_config_load("/", &config, &error) && error.line == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    io_config_error error = {0};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    io_config_init(&config, false, true);
    if (io_config_parse("f", text, size, &config, &error))
        check();
    else
        require(error.line >= 1 && error.line <= lines(data, size) && error.column >= 1 &&
                error.text[0]);
    if (size % FILE_EVERY == 0)
        from_file(text, size);
    io_config_wipe(&config);
    free(text);
    return 0;
}
