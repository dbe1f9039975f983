/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

size_t address_len(const router_addr *address)
{
    switch (address->family) {
    case ROUTER_FAMILY_IPV4:
        return sizeof(struct in_addr);
    case ROUTER_FAMILY_IPV6:
        return sizeof(struct in6_addr);
    default:
        return 0;
    }
}

socklen_t address_to_sockaddr(const router_addr *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->family == ROUTER_FAMILY_IPV4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->bytes, sizeof in.sin_addr);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    if (address->family == ROUTER_FAMILY_IPV6) {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        memcpy(&in.sin6_addr, address->bytes, sizeof in.sin6_addr);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    return 0;
}

bool address_from_sockaddr(const struct sockaddr_storage *from, uint32_t scope, router_addr *out)
{
    router_addr address = {.scope = scope};
    if (from->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        address.family = ROUTER_FAMILY_IPV4;
        address.port = ntohs(in.sin_port);
        memcpy(address.bytes, &in.sin_addr, sizeof in.sin_addr);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, from, sizeof in);
        address.family = ROUTER_FAMILY_IPV6;
        address.port = ntohs(in.sin6_port);
        memcpy(address.bytes, &in.sin6_addr, sizeof in.sin6_addr);
    } else {
        return false;
    }
    *out = address;
    return true;
}

const char *address_text(const router_addr *address, char out[ADDRESS_TEXT_BYTES])
{
    const int family = address->family == ROUTER_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    if (address_len(address) == 0 || !inet_ntop(family, address->bytes, out, ADDRESS_TEXT_BYTES))
        memcpy(out, "none", sizeof "none");
    return out;
}
