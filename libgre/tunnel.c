/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/tunnel.h>

#include "ip.h"

#include <internal/alloc.h>
#include <internal/versioned.h>

#define TTL_DEFAULT 255
/* RFC 2890 2.2: the value of the last packet before there was one. */
#define SEQUENCE_NONE UINT32_MAX
/* RFC 2890 2.2: so many values up to the last one are the past. */
#define SEQUENCE_PAST 0x7fffffffu

struct gre_tunnel {
    alloc memory;
    gre_config cfg;
    uint32_t next_sequence; /* to send */
    uint32_t last_sequence; /* of the last packet taken */
    gre_counters counters;
};

gre_rc gre_config_init(gre_config *cfg)
{
    if (!cfg)
        return GRE_ERR_ARG;
    *cfg = (gre_config){.struct_size = sizeof(*cfg), .ttl = TTL_DEFAULT};
    return GRE_OK;
}

static bool is_family(uint8_t family)
{
    return family == GRE_FAMILY_NONE || family == GRE_FAMILY_IPV4 || family == GRE_FAMILY_IPV6;
}

static bool config_is_good(const gre_config *c)
{
    const uint8_t zero = c->reserved[0] | c->reserved[1];
    return c->use_key <= 1 && c->any_key <= 1 && c->use_checksum <= 1 && c->use_sequence <= 1 &&
           c->other_table <= 1 && c->ttl != 0 && zero == 0 && c->reserved2 == 0 &&
           is_family(c->local.family) && c->local.family == c->remote.family;
}

gre_rc gre_tunnel_new(const gre_config *cfg, gre_tunnel **out)
{
    if (!cfg || !out)
        return GRE_ERR_ARG;
    gre_config c;
    (void)gre_config_init(&c);
    if (!versioned_read(&c, sizeof(c), sizeof(c), cfg) || !config_is_good(&c))
        return GRE_ERR_ARG;
    const alloc memory = alloc_make(c.allocator.resize, c.allocator.user);
    gre_tunnel *t = alloc_zero(&memory, sizeof(*t));
    if (!t)
        return GRE_ERR_NOMEM;
    t->memory = memory;
    t->cfg = c;
    t->counters.struct_size = sizeof(t->counters);
    (void)gre_tunnel_reset(t);
    *out = t;
    return GRE_OK;
}

void gre_tunnel_free(gre_tunnel *t)
{
    if (!t)
        return;
    const alloc memory = t->memory;
    alloc_free(&memory, t);
}

gre_rc gre_tunnel_reset(gre_tunnel *t)
{
    if (!t)
        return GRE_ERR_ARG;
    t->next_sequence = 0;
    t->last_sequence = SEQUENCE_NONE;
    return GRE_OK;
}

gre_rc gre_tunnel_set_mtu(gre_tunnel *t, uint32_t mtu)
{
    if (!t)
        return GRE_ERR_ARG;
    t->cfg.mtu = mtu;
    return GRE_OK;
}

uint32_t gre_tunnel_get_mtu(const gre_tunnel *t)
{
    return t ? t->cfg.mtu : 0;
}

static uint8_t sent_flags(const gre_config *c)
{
    return (uint8_t)((c->use_checksum ? GRE_FLAG_CHECKSUM : 0) | (c->use_key ? GRE_FLAG_KEY : 0) |
                     (c->use_sequence ? GRE_FLAG_SEQUENCE : 0));
}

uint32_t gre_tunnel_get_overhead(const gre_tunnel *t)
{
    return t ? gre_header_get_len(sent_flags(&t->cfg)) : 0;
}

gre_rc gre_tunnel_encode(gre_tunnel *t, uint16_t protocol, uint8_t *buf, size_t offset, size_t len,
                         size_t *out_offset)
{
    if (!t || !buf || !out_offset)
        return GRE_ERR_ARG;
    if (t->cfg.mtu && len > t->cfg.mtu) {
        t->counters.out_too_big++;
        return GRE_ERR_TOO_BIG;
    }
    const gre_header h = {.protocol = protocol,
                          .flags = sent_flags(&t->cfg),
                          .key = t->cfg.key,
                          .sequence = t->next_sequence};
    const gre_rc rc = gre_header_encode(&h, buf, offset, len, out_offset);
    if (rc == GRE_ERR_BUFFER)
        t->counters.out_no_headroom++;
    if (rc != GRE_OK)
        return rc;
    if (t->cfg.use_sequence)
        t->next_sequence++;
    t->counters.out_packets++;
    t->counters.out_bytes += len;
    return GRE_OK;
}

/* RFC 2890 2.1: the key names the traffic flow; one without a key is another flow. */
static gre_rc check_key(const gre_config *c, const gre_header *h)
{
    if (c->any_key)
        return GRE_OK;
    if (!(h->flags & GRE_FLAG_KEY))
        return c->use_key ? GRE_ERR_KEY_MISSING : GRE_OK;
    if (!c->use_key)
        return GRE_ERR_KEY_UNEXPECTED;
    return h->key == c->key ? GRE_OK : GRE_ERR_KEY_MISMATCH;
}

/*
 * RFC 2784 3.1: a payload for the address that the packet came from would be sent straight back, if
 * both are routed in one table.
 */
static bool loops(const gre_config *c, uint16_t protocol, const uint8_t *payload, size_t len)
{
    if (c->other_table)
        return false;
    if (protocol == GRE_PROTOCOL_IPV4 && c->remote.family == GRE_FAMILY_IPV4)
        return len >= IPV4_HEADER_MIN &&
               memcmp(payload + IPV4_DESTINATION_AT, c->remote.bytes, 4) == 0;
    if (protocol == GRE_PROTOCOL_IPV6 && c->remote.family == GRE_FAMILY_IPV6)
        return len >= IPV6_HEADER &&
               memcmp(payload + IPV6_DESTINATION_AT, c->remote.bytes, 16) == 0;
    return false;
}

static gre_rc decode(const gre_tunnel *t, const uint8_t *buf, size_t len, gre_header *h)
{
    gre_rc rc = gre_header_decode(buf, len, h);
    if (rc == GRE_OK)
        rc = check_key(&t->cfg, h);
    /* RFC 2890 2.2 */
    if (rc == GRE_OK && t->cfg.use_sequence && (h->flags & GRE_FLAG_SEQUENCE) &&
        t->last_sequence - h->sequence <= SEQUENCE_PAST)
        rc = GRE_ERR_SEQUENCE;
    if (rc == GRE_OK && loops(&t->cfg, h->protocol, buf + h->header_len, len - h->header_len))
        rc = GRE_ERR_LOOP;
    return rc;
}

static void count_drop(gre_counters *c, gre_rc rc)
{
    switch (rc) {
    case GRE_ERR_TRUNCATED:
        c->drop_truncated++;
        break;
    case GRE_ERR_CHECKSUM:
        c->drop_checksum++;
        break;
    case GRE_ERR_VERSION:
        c->drop_version++;
        break;
    case GRE_ERR_ROUTING:
        c->drop_routing++;
        break;
    case GRE_ERR_RESERVED:
        c->drop_reserved++;
        break;
    case GRE_ERR_PROTOCOL:
        c->drop_protocol++;
        break;
    case GRE_ERR_KEY_MISSING:
        c->drop_key_missing++;
        break;
    case GRE_ERR_KEY_UNEXPECTED:
        c->drop_key_unexpected++;
        break;
    case GRE_ERR_KEY_MISMATCH:
        c->drop_key_mismatch++;
        break;
    case GRE_ERR_SEQUENCE:
        c->drop_sequence++;
        break;
    case GRE_ERR_LOOP:
        c->drop_loop++;
        break;
    default:
        break;
    }
}

gre_rc gre_tunnel_decode(gre_tunnel *t, const uint8_t *buf, size_t len, gre_view *out)
{
    if (!t || !buf || !out)
        return GRE_ERR_ARG;
    gre_header h;
    /* A view counts in 32 bits; no packet comes near. */
    const gre_rc rc = len > UINT32_MAX ? GRE_ERR_ARG : decode(t, buf, len, &h);
    if (rc != GRE_OK) {
        count_drop(&t->counters, rc);
        return rc;
    }

    gre_view v = {.payload_offset = h.header_len,
                  .payload_len = (uint32_t)(len - h.header_len),
                  .key = h.key,
                  .sequence = h.sequence,
                  .protocol = h.protocol,
                  .flags = h.flags};
    if (t->cfg.use_sequence && (h.flags & GRE_FLAG_SEQUENCE)) {
        v.gap = h.sequence - t->last_sequence - 1;
        t->last_sequence = h.sequence;
    }
    t->counters.in_gaps += v.gap;
    t->counters.in_packets++;
    t->counters.in_bytes += v.payload_len;
    *out = v;
    return GRE_OK;
}

gre_rc gre_tunnel_get_outer(const gre_tunnel *t, gre_outer *out)
{
    if (!t || !out)
        return GRE_ERR_ARG;
    if (t->cfg.local.family == GRE_FAMILY_NONE)
        return GRE_ERR_ABSENT;
    *out =
        (gre_outer){.source = t->cfg.local,
                    .destination = t->cfg.remote,
                    .ttl = t->cfg.ttl,
                    .flags = t->cfg.local.family == GRE_FAMILY_IPV4 ? GRE_OUTER_DONT_FRAGMENT : 0};
    return GRE_OK;
}

gre_rc gre_tunnel_get_counters(const gre_tunnel *t, gre_counters *out)
{
    if (!t || !out || !versioned_write(out, &t->counters, sizeof(t->counters), sizeof(t->counters)))
        return GRE_ERR_ARG;
    return GRE_OK;
}
