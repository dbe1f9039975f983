/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The core of examples/dissect, with keys. An input is a list of records: a kind, a length of two
 * bytes, bytes. Some are frames as they are; the others are put into what leads to the decoder they
 * are for, with lengths, checksums and ICVs made right, so that mutations get there.
 */
#include "dissect/dissect.h"
#include "internal/checksum.h"
#include "internal/wire.h"
#include "libikev2/crypto.h"

#include <esp/esp.h>
#include <nhrp/nhrp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FRAME_MAX = 8192,
    RECORDS_MAX = 8,
    KIND_CUT = 0x80, /* the capture has not all of the frame */
    CUT_BYTES = 64,
    IPV4_BYTES = 20,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_GRE = 47,
    IKE_HEADER_BYTES = 28,
    BGP_HEADER_BYTES = 19
};

enum {
    KIND_ESP = 8,
    KIND_SK,
    KIND_IKE,
    KIND_GRE,
    KIND_NHRP,
    KIND_SEGMENT,
    KIND_BGP,
    KIND_FRAGMENT,
    KINDS
};

/* 00 01 02 ... */
#define GCM_KEY "000102030405060708090a0b0c0d0e0f10111213"

static struct {
    dissector *d;
    esp_sa *sa;
    ikev2__crypto *crypto;
    ikev2__cipher cipher;
    uint8_t key[20];
    alloc mem;
} world;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void make_world(void)
{
    dissect_options options;
    esp_sa_config cfg;
    dissect_options_init(&options);
    options.secrets = true;
    world.d = dissect_new(&options);
    require(world.d != NULL);
    for (uint8_t i = 0; i < sizeof world.key; i++)
        world.key[i] = i;
    esp_sa_config_init(&cfg);
    cfg.spi = 0x1000;
    cfg.direction = ESP_DIRECTION_OUT;
    cfg.algorithm = ESP_ALGORITHM_AES128_GCM16;
    cfg.keymat = world.key;
    cfg.keymat_len = sizeof world.key;
    require(esp_sa_new(&cfg, &world.sa) == ESP_OK);
    world.mem = alloc_make(NULL, NULL);
    require(ikev2__crypto_new(&world.mem, &world.crypto) == IKEV2_OK);
    require(ikev2__cipher_get(IKEV2_ENCR_AES_GCM_16, 128, 0, &world.cipher));
    require(!dissect_add_esp_key(world.d, "\"IPv4\",\"*\",\"*\",\"0x00001000\","
                                          "\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x" GCM_KEY
                                          "\",\"NULL\",\"\""));
    require(!dissect_add_ikev2_key(world.d, "0101010101010101,0202020202020202," GCM_KEY "," GCM_KEY
                                            ",\"AES-GCM-128 with 16 octet ICV [RFC5282]\",,,"
                                            "\"NONE [RFC4306]\""));
}

/* An IPv4 header before len bytes that are there already. */
static size_t put_ipv4(uint8_t *frame, uint8_t protocol, size_t len, bool back)
{
    uint8_t head[IPV4_BYTES] = {0x45, 0, 0,   0, 0, 0, 0,   0, 64, protocol,
                                0,    0, 192, 0, 2, 1, 192, 0, 2,  2};
    if (back) {
        head[15] = 2;
        head[19] = 1;
    }
    wire_set_u16(head + 2, (uint16_t)(IPV4_BYTES + len));
    wire_set_u16(head + 10, checksum_end(checksum_add(0, head, sizeof head)));
    memcpy(frame, head, sizeof head);
    return IPV4_BYTES + len;
}

static size_t put_udp(uint8_t *frame, uint16_t port, size_t len)
{
    uint8_t *udp = frame + IPV4_BYTES;
    wire_set_u16(udp, port);
    wire_set_u16(udp + 2, port);
    wire_set_u16(udp + 4, (uint16_t)(8 + len));
    wire_set_u16(udp + 6, 0);
    return put_ipv4(frame, PROTOCOL_UDP, 8 + len, false);
}

static size_t make_esp(uint8_t *frame, const uint8_t *bytes, size_t len)
{
    esp_span span;
    uint8_t *at = frame + IPV4_BYTES + 8;
    if (esp_sa_seal(world.sa, 0, at, FRAME_MAX - IPV4_BYTES - 8, bytes + 1, len - 1, bytes[0],
                    &span) != ESP_OK)
        return 0;
    return put_udp(frame, 4500, span.len);
}

/* The header of an IKE message of the SA that there is a key for; returns where the rest goes. */
static uint8_t *ike_header(uint8_t *frame, uint8_t first, uint8_t exchange, size_t len)
{
    uint8_t *at = frame + IPV4_BYTES + 8;
    memset(at, 1, 8);
    memset(at + 8, 2, 8);
    at[16] = first;
    at[17] = 0x20;
    at[18] = exchange;
    at[19] = 0x08;
    wire_set_u32(at + 20, 1);
    wire_set_u32(at + 24, (uint32_t)(IKE_HEADER_BYTES + len));
    return at + IKE_HEADER_BYTES;
}

static size_t make_sk(uint8_t *frame, const uint8_t *bytes, size_t len)
{
    const bool fragment = bytes[0] & 0x80;
    const size_t head = fragment ? 4 : 0;
    if (len < 1 + head)
        return 0;
    const size_t text = len - 1 - head + 1; /* and a pad length of 0 */
    const size_t body = 4 + head + world.cipher.iv_bytes + text + world.cipher.icv_bytes;
    uint8_t *at = ike_header(frame, fragment ? 53 : 46, 35, body);
    at[0] = bytes[0] & 0x7f;
    at[1] = 0;
    wire_set_u16(at + 2, (uint16_t)body);
    memcpy(at + 4, bytes + 1, head);
    uint8_t *plain = at + 4 + head + world.cipher.iv_bytes;
    memcpy(plain, bytes + 1 + head, text - 1);
    plain[text - 1] = 0;
    require(ikev2__seal(world.crypto, &world.cipher, world.key, NULL, NULL, 7,
                        at - IKE_HEADER_BYTES, IKE_HEADER_BYTES + 4 + head, text));
    return put_udp(frame, 500, IKE_HEADER_BYTES + body);
}

static size_t make_ike(uint8_t *frame, const uint8_t *bytes, size_t len)
{
    memcpy(ike_header(frame, bytes[0], 34, len - 1), bytes + 1, len - 1);
    return put_udp(frame, 500, IKE_HEADER_BYTES + len - 1);
}

static size_t make_nhrp(uint8_t *frame, const uint8_t *bytes, size_t len)
{
    static const uint8_t gre[] = {0, 0, 0x20, 0x01};
    uint8_t *at = frame + IPV4_BYTES;
    memcpy(at, gre, sizeof gre);
    memcpy(at + sizeof gre, bytes, len);
    (void)nhrp_packet_set_checksum(at + sizeof gre, len);
    return put_ipv4(frame, PROTOCOL_GRE, sizeof gre + len, false);
}

static size_t put_tcp(uint8_t *frame, bool back, uint32_t sequence, uint8_t flags, size_t len)
{
    uint8_t head[20] = {0, 179, 0, 179, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff};
    wire_set_u32(head + 4, sequence);
    wire_set_u32(head + 8, 1000);
    memcpy(frame + IPV4_BYTES, head, sizeof head);
    return put_ipv4(frame, PROTOCOL_TCP, sizeof head + len, back);
}

/* Direction and flags, a sequence number near the beginning of the stream, bytes. */
static size_t make_segment(uint8_t *frame, const uint8_t *bytes, size_t len)
{
    if (len < 4)
        return 0;
    memcpy(frame + IPV4_BYTES + 20, bytes + 4, len - 4);
    return put_tcp(frame, bytes[0] & 1, (uint32_t)(bytes[1] << 8 | bytes[2]), bytes[3] & 0x17,
                   len - 4);
}

/* A fragment: offset in units of eight bytes, protocol, whether more come and of which datagram. */
static size_t make_fragment(uint8_t *frame, const uint8_t *bytes, size_t len)
{
    if (len < 3)
        return 0;
    memcpy(frame + IPV4_BYTES, bytes + 3, len - 3);
    const size_t made = put_ipv4(frame, bytes[1], len - 3, false);
    frame[5] = bytes[2] & 3;
    wire_set_u16(frame + 6, (uint16_t)((bytes[2] & 0x80) << 6 | bytes[0]));
    wire_set_u16(frame + 10, 0);
    wire_set_u16(frame + 10, checksum_end(checksum_add(0, frame, IPV4_BYTES)));
    return made;
}

/* A message whose header is right, after those before it. */
static size_t make_bgp(uint8_t *frame, const uint8_t *bytes, size_t len, uint32_t sequence[2])
{
    uint8_t *at = frame + IPV4_BYTES + 20;
    const bool back = bytes[0] & 0x80;
    const size_t total = BGP_HEADER_BYTES + len - 1;
    memset(at, 0xff, 16);
    wire_set_u16(at + 16, (uint16_t)total);
    at[18] = bytes[0] & 7;
    memcpy(at + BGP_HEADER_BYTES, bytes + 1, len - 1);
    const uint32_t now = sequence[back];
    sequence[back] += (uint32_t)total;
    return put_tcp(frame, back, now, 0x18, total);
}

static size_t make_frame(uint8_t kind, const uint8_t *bytes, size_t len, uint8_t *frame,
                         uint32_t sequence[2])
{
    switch (kind) {
    case KIND_ESP:
        return make_esp(frame, bytes, len);
    case KIND_SK:
        return make_sk(frame, bytes, len);
    case KIND_IKE:
        return make_ike(frame, bytes, len);
    case KIND_GRE:
        memcpy(frame + IPV4_BYTES, bytes, len);
        return put_ipv4(frame, PROTOCOL_GRE, len, false);
    case KIND_NHRP:
        return make_nhrp(frame, bytes, len);
    case KIND_SEGMENT:
        return make_segment(frame, bytes, len);
    case KIND_BGP:
        return make_bgp(frame, bytes, len, sequence);
    case KIND_FRAGMENT:
        return make_fragment(frame, bytes, len);
    default:
        memcpy(frame, bytes, len);
        return len;
    }
}

static void dissect(uint64_t number, uint32_t link, const uint8_t *bytes, size_t len, bool cut)
{
    /* Exactly as long as it says, so that a byte beyond it is noticed. */
    uint8_t *exact = malloc(len ? len : 1);
    require(exact != NULL);
    memcpy(exact, bytes, len);
    const dissect_frame frame = {.number = number,
                                 .link = link,
                                 .bytes = exact,
                                 .len = len,
                                 .wire_len = cut ? len + CUT_BYTES : len};
    const node *packet = dissect_packet(world.d, &frame);
    require(packet->first && tree_find(packet, "layers"));
    /* What the capture left out is no error of the packet's, and nothing is cut that is whole. */
    require(cut || !tree_find(packet, "truncated"));
    char *text = dissect_text(packet);
    require(text != NULL);
    free(text);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t links[KIND_ESP] = {
        DISSECT_LINK_RAW, DISSECT_LINK_ETHERNET, DISSECT_LINK_NULL, DISSECT_LINK_LOOP,
        DISSECT_LINK_SLL, DISSECT_LINK_SLL2,     DISSECT_LINK_IPV4, DISSECT_LINK_IPV6};
    static uint8_t frame[FRAME_MAX + 1024];
    uint32_t sequence[2] = {1, 1};
    wire_reader r = wire_reader_make(data, size);
    if (!world.d)
        make_world();
    dissect_reset(world.d);
    for (uint64_t number = 1; number <= RECORDS_MAX && r.left > 0; number++) {
        const uint8_t control = wire_get_u8(&r);
        const uint8_t kind = (control & 0x7f) % KINDS;
        size_t len = wire_get_u16(&r);
        if (len > r.left)
            len = r.left;
        const uint8_t *bytes = wire_get_bytes(&r, len);
        if (!bytes || len == 0 || len > 4096)
            continue;
        const size_t made = make_frame(kind, bytes, len, frame, sequence);
        if (made > 0)
            dissect(number, kind < KIND_ESP ? links[kind] : DISSECT_LINK_RAW, frame, made,
                    control & KIND_CUT);
    }
    return 0;
}
