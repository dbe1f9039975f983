/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <mplsvpn/label.h>

#include <internal/wire.h>

#define TC_MAX       7
#define LABEL_SHIFT  12
#define TC_SHIFT     9
#define BOTTOM_SHIFT 8

static mplsvpn_label unpack(uint32_t v)
{
    return (mplsvpn_label){.value = v >> LABEL_SHIFT,
                           .tc = (uint8_t)(v >> TC_SHIFT & TC_MAX),
                           .bottom = (uint8_t)(v >> BOTTOM_SHIFT & 1),
                           .ttl = (uint8_t)v};
}

static uint32_t pack(const mplsvpn_label *l)
{
    return l->value << LABEL_SHIFT | (uint32_t)l->tc << TC_SHIFT |
           (uint32_t)l->bottom << BOTTOM_SHIFT | l->ttl;
}

static int is_valid(const mplsvpn_label *l)
{
    return l->value <= MPLSVPN_LABEL_LAST && l->tc <= TC_MAX && l->bottom <= 1;
}

mplsvpn_rc mplsvpn_label_decode(const uint8_t *buf, size_t len, mplsvpn_label *out)
{
    if (!buf || !out)
        return MPLSVPN_ERR_ARG;
    wire_reader r = wire_reader_make(buf, len);
    const uint32_t v = wire_get_u32(&r);
    if (!wire_ok(&r))
        return MPLSVPN_ERR_TRUNCATED;
    *out = unpack(v);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_encode(const mplsvpn_label *label, uint8_t *buf, size_t cap)
{
    if (!label || !buf || !is_valid(label))
        return MPLSVPN_ERR_ARG;
    if (cap < MPLSVPN_LABEL_BYTES)
        return MPLSVPN_ERR_BUFFER;
    wire_set_u32(buf, pack(label));
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_stack_decode(const uint8_t *buf, size_t len, mplsvpn_label *out, size_t cap,
                                size_t *out_count)
{
    if (!buf || !out || !out_count)
        return MPLSVPN_ERR_ARG;
    mplsvpn_label stack[MPLSVPN_STACK_MAX];
    wire_reader r = wire_reader_make(buf, len);
    size_t count = 0;
    do {
        if (count == MPLSVPN_STACK_MAX)
            return MPLSVPN_ERR_DEPTH;
        stack[count] = unpack(wire_get_u32(&r));
        if (!wire_ok(&r))
            return count == 0 ? MPLSVPN_ERR_TRUNCATED : MPLSVPN_ERR_NO_BOTTOM;
    } while (!stack[count++].bottom);
    if (count > cap)
        return MPLSVPN_ERR_BUFFER;
    memcpy(out, stack, count * sizeof(stack[0]));
    *out_count = count;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_stack_encode(const mplsvpn_label *labels, size_t count, uint8_t *buf,
                                size_t offset, size_t *out_offset)
{
    if (!labels || !buf || !out_offset || count > MPLSVPN_STACK_MAX)
        return MPLSVPN_ERR_ARG;
    for (size_t i = 0; i < count; i++)
        if (!is_valid(&labels[i]) || (labels[i].bottom && i + 1 < count))
            return MPLSVPN_ERR_ARG;
    if (count * MPLSVPN_LABEL_BYTES > offset)
        return MPLSVPN_ERR_BUFFER;
    const size_t start = offset - count * MPLSVPN_LABEL_BYTES;
    for (size_t i = 0; i < count; i++)
        wire_set_u32(buf + start + i * MPLSVPN_LABEL_BYTES, pack(&labels[i]));
    *out_offset = start;
    return MPLSVPN_OK;
}
