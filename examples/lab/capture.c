/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * pcapng (draft-ietf-opsawg-pcapng), in this machine's byte order, which its section header names.
 */
#include "capture.h"

#include "ip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER = 0x1a2b3c4d,
    VERSION_MAJOR = 1,
    /*
     * Not LINKTYPE_RAW, which is either: on Linux libpcap has another number for it, and compares
     * the two as soon as there is a second interface.
     */
    LINKTYPE_IPV4 = 228,
    LINKTYPE_IPV6 = 229,
    OPTION_IF_NAME = 2,
    OPTION_IF_TSRESOL = 9,
    TSRESOL_MS = 3,
    BLOCK_BYTES = 12, /* type and length, and the length again at the end */
    PATH_BYTES = 4096,
    DIRECTORY_MODE = 0755
};

/* The virtual clock begins on 2026-01-01. */
#define EPOCH_MS 1767225600000u

struct capture {
    FILE *file;
    FILE *ike_keys;
    FILE *esp_keys;
    uint32_t links;
    uint16_t link_type;
    uint8_t *scratch;
    bool failed;
};

enum { SCRATCH_BYTES = 65536 + IP_HEADER_BYTES };

static void put(capture *c, const void *bytes, size_t len)
{
    c->failed |= len > 0 && fwrite(bytes, 1, len, c->file) != len;
}

static void put_u32(capture *c, uint32_t v)
{
    put(c, &v, sizeof(v));
}

static void put_u16(capture *c, uint16_t v)
{
    put(c, &v, sizeof(v));
}

static size_t padding(size_t len)
{
    return (4 - len % 4) % 4;
}

static void put_padded(capture *c, const void *bytes, size_t len)
{
    static const uint8_t zeros[4] = {0};
    put(c, bytes, len);
    put(c, zeros, padding(len));
}

static void put_option(capture *c, uint16_t code, const void *bytes, size_t len)
{
    put_u16(c, code);
    put_u16(c, (uint16_t)len);
    put_padded(c, bytes, len);
}

static void put_section(capture *c)
{
    const uint32_t len = BLOCK_BYTES + 16;
    const uint64_t unknown_length = UINT64_MAX;
    put_u32(c, BLOCK_SECTION);
    put_u32(c, len);
    put_u32(c, BYTE_ORDER);
    put_u16(c, VERSION_MAJOR);
    put_u16(c, 0);
    put(c, &unknown_length, sizeof(unknown_length));
    put_u32(c, len);
}

uint32_t capture_add_link(capture *c, const char *name)
{
    const size_t name_len = strlen(name);
    const uint8_t resolution = TSRESOL_MS;
    const uint32_t len = (uint32_t)(BLOCK_BYTES + 8 + 4 + name_len + padding(name_len) + 4 + 4 + 4);
    put_u32(c, BLOCK_INTERFACE);
    put_u32(c, len);
    put_u16(c, c->link_type);
    put_u16(c, 0);
    put_u32(c, 0); /* no snapshot length */
    put_option(c, OPTION_IF_NAME, name, name_len);
    put_option(c, OPTION_IF_TSRESOL, &resolution, 1);
    put_option(c, 0, NULL, 0);
    put_u32(c, len);
    return c->links++;
}

void capture_packet(capture *c, uint32_t link, uint64_t now_ms, const uint8_t *packet, size_t len)
{
    const uint64_t at = EPOCH_MS + now_ms;
    const uint32_t block = (uint32_t)(BLOCK_BYTES + 20 + len + padding(len));
    put_u32(c, BLOCK_PACKET);
    put_u32(c, block);
    put_u32(c, link);
    put_u32(c, (uint32_t)(at >> 32));
    put_u32(c, (uint32_t)at);
    put_u32(c, (uint32_t)len);
    put_u32(c, (uint32_t)len);
    put_padded(c, packet, len);
    put_u32(c, block);
}

void capture_datagram(capture *c, uint32_t link, uint64_t now_ms, const router_path *path,
                      const uint8_t *bytes, size_t len)
{
    size_t total;
    if (path->transport == ROUTER_TRANSPORT_UDP) {
        total = ip_encode_udp(c->scratch, SCRATCH_BYTES, &path->local, &path->peer, bytes, len);
    } else {
        const size_t header =
            ip_encode(c->scratch, &path->local, &path->peer, path->transport, len);
        if (header > 0)
            memcpy(c->scratch + header, bytes, len);
        total = header > 0 ? header + len : 0;
    }
    if (total > 0)
        capture_packet(c, link, now_ms, c->scratch, total);
}

void capture_key(void *user, int kind, const char *line)
{
    capture *c = user;
    FILE *file = kind == ROUTER_KEYLOG_IKE ? c->ike_keys : c->esp_keys;
    c->failed |= fprintf(file, "%s\n", line) < 0;
}

/* ---- Files ---- */

static bool make_directory(const char *path)
{
    return mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST;
}

static FILE *open_in(const char *directory, const char *name)
{
    char path[PATH_BYTES];
    const int len = snprintf(path, sizeof(path), "%s/%s", directory, name);
    return len > 0 && (size_t)len < sizeof(path) ? fopen(path, "w") : NULL;
}

static bool open_keys(capture *c, const char *path)
{
    char directory[PATH_BYTES];
    int len = snprintf(directory, sizeof(directory), "%s.keys", path);
    if (len < 0 || (size_t)len >= sizeof(directory) || !make_directory(directory))
        return false;
    len = snprintf(directory, sizeof(directory), "%s.keys/wireshark", path);
    if (len < 0 || (size_t)len >= sizeof(directory) || !make_directory(directory))
        return false;
    FILE *preferences = open_in(directory, "preferences");
    if (!preferences)
        return false;
    /* Not the authentication check: tshark 4.0 knows no extended sequence numbers in ESP. */
    const bool told = fputs("esp.enable_encryption_decode: TRUE\n", preferences) >= 0;
    c->ike_keys = open_in(directory, "ikev2_decryption_table");
    c->esp_keys = open_in(directory, "esp_sa");
    return fclose(preferences) == 0 && told && c->ike_keys && c->esp_keys;
}

capture *capture_open(const char *path, bool ipv6)
{
    capture *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->link_type = ipv6 ? LINKTYPE_IPV6 : LINKTYPE_IPV4;
    c->scratch = malloc(SCRATCH_BYTES);
    c->file = fopen(path, "wb");
    if (!c->scratch || !c->file || !open_keys(c, path)) {
        (void)capture_close(c);
        return NULL;
    }
    put_section(c);
    return c;
}

bool capture_close(capture *c)
{
    bool ok = !c->failed;
    FILE *const files[] = {c->file, c->ike_keys, c->esp_keys};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i])
            ok &= fclose(files[i]) == 0;
    free(c->scratch);
    free(c);
    return ok;
}
