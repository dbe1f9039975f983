/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "io/config_value.h"

#include <arpa/inet.h>
#include <string.h>

enum { IPV4_BYTES = 4, IPV6_BYTES = 16, MAX_TEXT_BYTES = 64 };

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool config_is_name(const char *text)
{
    if (!is_letter_or_digit(text[0]))
        return false;
    for (const char *c = text; *c; c++) {
        if (!is_letter_or_digit(*c) && *c != '.' && *c != '-' && *c != '_')
            return false;
    }
    return true;
}

bool config_number(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9')
            return false;
        const uint64_t digit = (uint64_t)(*c - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool config_address(const char *text, router_addr *out)
{
    router_addr address = {0};
    if (inet_pton(AF_INET, text, address.bytes) == 1)
        address.family = ROUTER_FAMILY_IPV4;
    else if (inet_pton(AF_INET6, text, address.bytes) == 1)
        address.family = ROUTER_FAMILY_IPV6;
    else
        return false;
    *out = address;
    return true;
}

/* Splits "left<separator>right" at the last separator; left goes to a buffer. */
static const char *split(const char *text, char separator, char left[MAX_TEXT_BYTES])
{
    const char *at = strrchr(text, separator);
    if (!at || at - text >= MAX_TEXT_BYTES)
        return NULL;
    memcpy(left, text, (size_t)(at - text));
    left[at - text] = '\0';
    return at + 1;
}

static bool has_host_bits(const router_addr *prefix)
{
    for (size_t bit = prefix->prefix_len; bit < 8 * sizeof prefix->bytes; bit++) {
        if (prefix->bytes[bit / 8] & (0x80 >> bit % 8))
            return true;
    }
    return false;
}

int config_prefix(const char *text, router_addr *out)
{
    char left[MAX_TEXT_BYTES];
    router_addr prefix;
    uint64_t len;
    const char *right = split(text, '/', left);
    if (!right || !config_address(left, &prefix) || !config_number(right, &len))
        return CONFIG_PREFIX_MALFORMED;
    if (len > 8 * (prefix.family == ROUTER_FAMILY_IPV4 ? IPV4_BYTES : IPV6_BYTES))
        return CONFIG_PREFIX_MALFORMED;
    prefix.prefix_len = (uint8_t)len;
    if (has_host_bits(&prefix))
        return CONFIG_PREFIX_HOST_BITS;
    *out = prefix;
    return CONFIG_PREFIX_OK;
}

static void put(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

/* The administrator's kind, as a route distinguisher's type and a route target's high type. */
enum { KIND_AS2 = 0, KIND_IPV4 = 1, KIND_AS4 = 2 };

/* Six bytes of administrator and assigned number. RFC 4364 4.2, RFC 4360 3.1, RFC 5668 2 */
static bool administrator(const char *text, uint8_t *kind, uint8_t out[6])
{
    char left[MAX_TEXT_BYTES];
    router_addr address;
    uint64_t as, number;
    const char *right = split(text, ':', left);
    if (!right || !config_number(right, &number))
        return false;
    if (config_number(left, &as) && as <= UINT16_MAX && number <= UINT32_MAX) {
        *kind = KIND_AS2;
        put(out, as, 2);
        put(out + 2, number, 4);
        return true;
    }
    if (number > UINT16_MAX)
        return false;
    if (config_number(left, &as) && as <= UINT32_MAX) {
        *kind = KIND_AS4;
        put(out, as, 4);
    } else if (config_address(left, &address) && address.family == ROUTER_FAMILY_IPV4) {
        *kind = KIND_IPV4;
        memcpy(out, address.bytes, IPV4_BYTES);
    } else {
        return false;
    }
    put(out + 4, number, 2);
    return true;
}

bool config_route_distinguisher(const char *text, uint8_t out[8])
{
    uint8_t kind, rest[6];
    if (!administrator(text, &kind, rest))
        return false;
    put(out, kind, 2);
    memcpy(out + 2, rest, sizeof rest);
    return true;
}

bool config_route_target(const char *text, uint8_t out[8])
{
    enum { SUBTYPE_ROUTE_TARGET = 2 };
    uint8_t kind, rest[6];
    if (!administrator(text, &kind, rest))
        return false;
    out[0] = kind;
    out[1] = SUBTYPE_ROUTE_TARGET;
    memcpy(out + 2, rest, sizeof rest);
    return true;
}
