/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Outer header, GRE header and tunnel. The first octet chooses the tunnel's configuration; the rest
 * is a packet, seen as GRE and as IP that carries GRE. Checksums are repaired first, as what lies
 * behind them is the point; one bit of the first octet leaves them alone. What decodes is encoded
 * again, one bit says with too little room.
 */
#include <gre/gre.h>

#include <internal/checksum.h>
#include <internal/wire.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repair(uint8_t *p, size_t len)
{
    if (len >= 8 && (p[0] & GRE_FLAG_CHECKSUM)) {
        wire_set_u16(p + 4, 0);
        wire_set_u16(p + 4, checksum_end(checksum_add(0, p, len)));
    }
}

static void repair_outer(uint8_t *p, size_t len)
{
    const size_t header_len = len ? (size_t)(p[0] & 15) * 4 : 0;
    if (len >= 20 && p[0] >> 4 == 4 && header_len >= 20 && header_len <= len) {
        wire_set_u16(p + 10, 0);
        wire_set_u16(p + 10, checksum_end(checksum_add(0, p, header_len)));
    }
}

static void try_header(const uint8_t *p, size_t len)
{
    gre_header h, again;
    if (gre_header_decode(p, len, &h) != GRE_OK)
        return;
    MUST(h.header_len <= len);
    uint8_t *copy = malloc(len + GRE_HEADER_MAX_BYTES);
    MUST(copy);
    memcpy(copy + GRE_HEADER_MAX_BYTES, p, len);
    size_t at;
    MUST(gre_header_encode(&h, copy, GRE_HEADER_MAX_BYTES + h.header_len, len - h.header_len,
                           &at) == GRE_OK);
    MUST(at == GRE_HEADER_MAX_BYTES);
    MUST(gre_header_decode(copy + at, len, &again) == GRE_OK);
    MUST(again.protocol == h.protocol && again.flags == h.flags && again.key == h.key &&
         again.sequence == h.sequence);
    if (h.header_len > 0)
        MUST(gre_header_encode(&h, copy, h.header_len - 1u, 0, &at) == GRE_ERR_BUFFER);
    free(copy);
}

static void try_tunnel(uint8_t choice, const uint8_t *p, size_t len)
{
    gre_config c;
    gre_tunnel *t = NULL;
    gre_view v;
    MUST(gre_config_init(&c) == GRE_OK);
    c.use_key = choice & 1;
    c.any_key = choice >> 1 & 1;
    c.use_checksum = choice >> 2 & 1;
    c.use_sequence = choice >> 3 & 1;
    MUST(gre_tunnel_new(&c, &t) == GRE_OK);
    for (int i = 0; i < 2; i++)
        if (gre_tunnel_decode(t, p, len, &v) == GRE_OK)
            MUST((size_t)v.payload_offset + v.payload_len == len);
    gre_tunnel_free(t);
}

/* The header without its options must come out as it went in. */
static void encode_outer(const gre_outer *o, size_t headroom)
{
    uint8_t buf[GRE_OUTER_IPV6_BYTES + 8];
    gre_outer again, want = *o;
    const bool v4 = o->source.family == GRE_FAMILY_IPV4;
    const size_t header_len = v4 ? GRE_OUTER_IPV4_BYTES : GRE_OUTER_IPV6_BYTES;
    size_t at = 0;
    const gre_rc rc = gre_outer_encode(o, buf, headroom, o->payload_len, &at);
    if (rc != GRE_OK) {
        /* A TTL of 0 is read, but never sent. */
        MUST(rc == (o->ttl == 0 ? GRE_ERR_ARG : GRE_ERR_BUFFER));
        MUST(o->ttl == 0 || header_len > headroom);
        return;
    }
    MUST(at == headroom - header_len);
    /* The length says more than is there: the payload is left out. */
    MUST(gre_outer_decode(buf + at, header_len, &again) ==
         (o->payload_len ? GRE_ERR_TRUNCATED : GRE_OK));
    want.header_len = (uint16_t)header_len;
    MUST(o->payload_len || memcmp(&again, &want, sizeof(want)) == 0);
}

static void try_outer(const uint8_t *p, size_t len, size_t headroom)
{
    gre_outer o;
    if (gre_outer_decode(p, len, &o) != GRE_OK)
        return;
    MUST((size_t)o.header_len + o.payload_len <= len);
    encode_outer(&o, headroom);
    try_header(p + o.header_len, o.payload_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t choice = data[0];
    const size_t len = size - 1;
    uint8_t *p = malloc(len ? len : 1);
    MUST(p);
    memcpy(p, data + 1, len);
    if (!(choice & 0x80))
        repair_outer(p, len);
    try_outer(p, len, choice & 0x40 ? GRE_OUTER_IPV4_BYTES : GRE_OUTER_IPV6_BYTES + 8);
    memcpy(p, data + 1, len);
    if (!(choice & 0x80))
        repair(p, len);
    try_header(p, len);
    try_tunnel(choice, p, len);
    free(p);
    return 0;
}
