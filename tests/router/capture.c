/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The walk, as a capture with the keys to open it: capture DIR writes DIR/walk.pcap and the files
 * that Wireshark reads from DIR/wireshark.
 */
#include "mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINKTYPE_RAW = 101, IPV4 = 20, UDP = 8 };

static void put32(FILE *f, uint32_t v)
{
    (void)fwrite(&v, sizeof(v), 1, f); /* in the order of this machine: the magic tells which */
}

static void write_datagram(void *user, uint64_t now_ms, const router_path *path,
                           const uint8_t *bytes, size_t len)
{
    FILE *f = user;
    const size_t total = IPV4 + UDP + len;
    uint8_t h[IPV4 + UDP] = {0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, 0, 0, 0x40, 0, 64, 17};
    memcpy(h + 12, path->local.bytes, 4);
    memcpy(h + 16, path->peer.bytes, 4);
    h[20] = (uint8_t)(path->local.port >> 8);
    h[21] = (uint8_t)path->local.port;
    h[22] = (uint8_t)(path->peer.port >> 8);
    h[23] = (uint8_t)path->peer.port;
    h[24] = (uint8_t)((UDP + len) >> 8);
    h[25] = (uint8_t)(UDP + len);
    put32(f, (uint32_t)(now_ms / 1000));
    put32(f, (uint32_t)(now_ms % 1000 * 1000));
    put32(f, (uint32_t)total);
    put32(f, (uint32_t)total);
    (void)fwrite(h, sizeof(h), 1, f);
    (void)fwrite(bytes, len, 1, f);
}

typedef struct key_files {
    FILE *esp, *ike;
} key_files;

static void write_key(void *user, int kind, const char *line)
{
    const key_files *k = user;
    (void)fprintf(kind == ROUTER_KEYLOG_ESP ? k->esp : k->ike, "%s\n", line);
}

static FILE *create(const char *dir, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    char dir[500];
    (void)snprintf(dir, sizeof(dir), "%s/wireshark", argv[1]);
    (void)mkdir(argv[1], 0700);
    (void)mkdir(dir, 0700);
    FILE *pcap = create(argv[1], "walk.pcap");
    key_files keys = {create(dir, "esp_sa"), create(dir, "ikev2_decryption_table")};
    put32(pcap, 0xa1b2c3d4);
    put32(pcap, 2 | 4 << 16);
    put32(pcap, 0);
    put32(pcap, 0);
    put32(pcap, 65535);
    put32(pcap, LINKTYPE_RAW);

    mesh *m = mesh_walk(61);
    m->tap = write_datagram;
    m->tap_user = pcap;
    for (size_t i = 0; i < m->count; i++)
        router_set_keylog(m->nodes[i].r, write_key, &keys);
    mesh_run(m, 10000);
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    uint8_t packet[200];
    const size_t len = mesh_udp(packet, &ce1, &ce2, 64, false, 100);
    for (int i = 0; i < 5; i++) {
        mesh_send(m, 1, 1, packet, len);
        mesh_run(m, 1000);
    }
    (void)printf("hub %u spoke1 %u spoke2 %u\n",
                 (unsigned)mesh_last(m, 0, ROUTER_EVENT_LOCAL_LABEL)->label,
                 (unsigned)mesh_last(m, 1, ROUTER_EVENT_LOCAL_LABEL)->label,
                 (unsigned)mesh_last(m, 2, ROUTER_EVENT_LOCAL_LABEL)->label);
    mesh_free(m);
    (void)fclose(pcap);
    (void)fclose(keys.esp);
    (void)fclose(keys.ike);
    return 0;
}
