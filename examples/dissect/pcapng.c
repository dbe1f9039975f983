/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pcapng.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a, /* the same in either byte order */
    BLOCK_INTERFACE = 1,
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    BLOCK_EDGES = 12, /* type, length, and the length again at the end */
    BLOCK_MAX = 16 << 20,
    ORDER_MAGIC = 0x1a2b3c4d,
    SECTION_BYTES = 16,
    INTERFACE_BYTES = 8,
    ENHANCED_BYTES = 20,
    SIMPLE_BYTES = 4,
    OPTION_NAME = 2,
    OPTION_RESOLUTION = 9,
    OPTION_OFFSET = 14,
    RESOLUTION_DEFAULT = 6,
    RESOLUTION_BINARY = 0x80,
    DECIMAL_MAX = 19, /* powers of ten that fit 64 bits */
    BINARY_MAX = 63,
    MICROSECONDS = 1000000
};

void pcapng_begin(pcapng *p, FILE *file)
{
    *p = (pcapng){.file = file};
}

void pcapng_end(pcapng *p)
{
    free(p->block);
    free(p->interfaces);
    p->block = NULL;
    p->interfaces = NULL;
}

static int failed(pcapng *p, const char *why)
{
    p->why = why;
    return PCAPNG_ERROR;
}

static uint32_t get(const pcapng *p, const uint8_t *b, size_t bytes)
{
    uint32_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | b[p->big_endian ? i : bytes - 1 - i];
    return v;
}

static uint64_t get_u64(const pcapng *p, const uint8_t *b)
{
    const uint64_t first = get(p, b, 4);
    const uint64_t second = get(p, b + 4, 4);
    return p->big_endian ? first << 32 | second : second << 32 | first;
}

/* Of a section header the byte order must be known before its length is. */
static bool learn_byte_order(pcapng *p, uint8_t order[4])
{
    if (fread(order, 1, 4, p->file) != 4)
        return false;
    p->big_endian = true;
    if (get(p, order, 4) == ORDER_MAGIC)
        return true;
    p->big_endian = false;
    return get(p, order, 4) == ORDER_MAGIC;
}

/* Reads a block into p->block, without its edges. */
static int read_block(pcapng *p, uint32_t *type, size_t *len)
{
    uint8_t head[8];
    uint8_t order[4];
    uint8_t tail[4];
    const size_t got = fread(head, 1, sizeof head, p->file);
    if (got == 0 && !ferror(p->file))
        return PCAPNG_DONE;
    if (got < sizeof head)
        return failed(p, "the file ends inside a block");
    *type = get(p, head, 4);
    const bool section = *type == BLOCK_SECTION;
    if (section && !learn_byte_order(p, order))
        return failed(p, "a section header without a byte order");
    const uint32_t total = get(p, head + 4, 4);
    const size_t had = section ? sizeof order : 0;
    if (total < BLOCK_EDGES + had || total % 4 != 0 || total > BLOCK_MAX)
        return failed(p, "a block of an impossible length");
    *len = total - BLOCK_EDGES;
    if (*len > p->cap) {
        uint8_t *grown = realloc(p->block, *len);
        if (!grown)
            return failed(p, "no memory");
        p->block = grown;
        p->cap = *len;
    }
    if (section)
        memcpy(p->block, order, sizeof order);
    if ((*len > had && fread(p->block + had, 1, *len - had, p->file) != *len - had) ||
        fread(tail, 1, sizeof tail, p->file) != sizeof tail)
        return failed(p, "the file ends inside a block");
    if (get(p, tail, 4) != total)
        return failed(p, "a block whose two lengths differ");
    return PCAPNG_PACKET;
}

static void read_options(const pcapng *p, pcapng_interface *i, const uint8_t *b, size_t len)
{
    while (len >= 4) {
        const uint32_t code = get(p, b, 2);
        const size_t n = get(p, b + 2, 2);
        const size_t padded = (n + 3) & ~(size_t)3;
        if (code == 0 || padded > len - 4)
            return;
        const uint8_t *value = b + 4;
        if (code == OPTION_NAME) {
            const size_t keep = n < PCAPNG_NAME_MAX ? n : PCAPNG_NAME_MAX - 1;
            memset(i->name, 0, sizeof i->name);
            memcpy(i->name, value, keep);
        } else if (code == OPTION_RESOLUTION && n == 1) {
            i->resolution = value[0];
        } else if (code == OPTION_OFFSET && n == 8) {
            i->offset_s = (int64_t)get_u64(p, value);
        }
        b += 4 + padded;
        len -= 4 + padded;
    }
}

static int add_interface(pcapng *p, size_t len)
{
    if (len < INTERFACE_BYTES)
        return failed(p, "an interface description that is too short");
    if (p->interface_count == PCAPNG_INTERFACES_MAX)
        return failed(p, "too many interfaces");
    const size_t count = p->interface_count;
    if ((count & (count - 1)) == 0) { /* room up to the next power of two */
        pcapng_interface *grown =
            realloc(p->interfaces, (count ? 2 * count : 1) * sizeof(*p->interfaces));
        if (!grown)
            return failed(p, "no memory");
        p->interfaces = grown;
    }
    pcapng_interface *i = &p->interfaces[p->interface_count++];
    *i = (pcapng_interface){.link = get(p, p->block, 2),
                            .snap_length = get(p, p->block + 4, 4),
                            .resolution = RESOLUTION_DEFAULT};
    read_options(p, i, p->block + INTERFACE_BYTES, len - INTERFACE_BYTES);
    return PCAPNG_PACKET;
}

static void set_time(const pcapng_interface *i, uint64_t stamp, dissect_frame *frame)
{
    const unsigned n = i->resolution & (RESOLUTION_BINARY - 1u);
    uint64_t seconds = 0;
    uint64_t micro = 0;
    if (i->resolution & RESOLUTION_BINARY && n <= BINARY_MAX) {
        seconds = stamp >> n;
        uint64_t rest = stamp & ((UINT64_C(1) << n) - 1);
        const unsigned drop = n > 32 ? n - 32 : 0; /* so that the product fits */
        rest >>= drop;
        micro = rest * MICROSECONDS >> (n - drop);
    } else if (!(i->resolution & RESOLUTION_BINARY) && n <= DECIMAL_MAX) {
        uint64_t unit = 1;
        for (unsigned k = 0; k < n; k++)
            unit *= 10;
        seconds = stamp / unit;
        const uint64_t rest = stamp % unit;
        micro = unit > MICROSECONDS ? rest / (unit / MICROSECONDS) : rest * (MICROSECONDS / unit);
    }
    frame->seconds = seconds + (uint64_t)i->offset_s;
    frame->microseconds = (uint32_t)micro;
}

static int packet(pcapng *p, uint32_t interface, uint64_t stamp, const uint8_t *bytes, size_t len,
                  size_t wire_len, dissect_frame *frame)
{
    if (interface >= p->interface_count)
        return failed(p, "a packet of an interface that was not described");
    const pcapng_interface *i = &p->interfaces[interface];
    *frame = (dissect_frame){.link = i->link,
                             .bytes = bytes,
                             .len = len,
                             .wire_len = wire_len < len ? len : wire_len,
                             .interface = interface + 1,
                             .interface_name = i->name[0] ? i->name : NULL};
    set_time(i, stamp, frame);
    return PCAPNG_PACKET;
}

static int enhanced(pcapng *p, size_t len, dissect_frame *frame)
{
    if (len < ENHANCED_BYTES)
        return failed(p, "a packet block that is too short");
    const uint64_t stamp = (uint64_t)get(p, p->block + 4, 4) << 32 | get(p, p->block + 8, 4);
    const size_t captured = get(p, p->block + 12, 4);
    if (captured > len - ENHANCED_BYTES)
        return failed(p, "a packet that is longer than its block");
    return packet(p, get(p, p->block, 4), stamp, p->block + ENHANCED_BYTES, captured,
                  get(p, p->block + 16, 4), frame);
}

/* It has no time, and its captured length is what the block, the packet and the interface allow. */
static int simple(pcapng *p, size_t len, dissect_frame *frame)
{
    if (len < SIMPLE_BYTES || p->interface_count == 0)
        return failed(p, "a packet block that is too short, or without an interface");
    const size_t wire_len = get(p, p->block, 4);
    const uint32_t snap = p->interfaces[0].snap_length;
    size_t captured = len - SIMPLE_BYTES;
    captured = captured > wire_len ? wire_len : captured;
    captured = snap && captured > snap ? snap : captured;
    return packet(p, 0, 0, p->block + SIMPLE_BYTES, captured, wire_len, frame);
}

int pcapng_next(pcapng *p, dissect_frame *frame)
{
    uint32_t type;
    size_t len;
    for (;;) {
        int rc = read_block(p, &type, &len);
        if (rc != PCAPNG_PACKET)
            return rc;
        if (type == BLOCK_ENHANCED)
            return enhanced(p, len, frame);
        if (type == BLOCK_SIMPLE)
            return simple(p, len, frame);
        if (type == BLOCK_SECTION) {
            if (len < SECTION_BYTES)
                return failed(p, "a section header that is too short");
            p->interface_count = 0;
        } else if (type == BLOCK_INTERFACE) {
            rc = add_interface(p, len);
            if (rc != PCAPNG_PACKET)
                return rc;
        }
    }
}
