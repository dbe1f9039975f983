/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets through the table. Each entry point first finds out all that it needs to know, and only
 * then writes to the packet, so a packet that is dropped is as it was.
 */
#include "ip.h"
#include "state.h"

#include <internal/wire.h>
#include <string.h>

static uint8_t smaller(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static bool is_uniform(const mplsvpn_reader *r)
{
    return r->table->cfg.ttl_model == MPLSVPN_TTL_UNIFORM;
}

/* ---- IP in. ---- */

static mplsvpn_rc ip_input(const mplsvpn_reader *r, uint32_t vrf_id, const uint8_t *packet,
                           size_t len, mplsvpn_hop *out_hop)
{
    mplsvpn_addr destination;
    mplsvpn_rc rc = mplsvpn__ip_check(packet, len, &destination);
    if (rc != MPLSVPN_OK)
        return rc;
    const trie_route *route = mplsvpn__vrf_match(r->table, vrf_id, &destination, &rc);
    if (!route)
        return rc;
    if (route->hop.kind == MPLSVPN_HOP_DISCARD)
        return MPLSVPN_ERR_DISCARD;
    /* RFC 1812 5.3.1: only what is forwarded can run out */
    if (route->hop.kind == MPLSVPN_HOP_TUNNEL && mplsvpn__ip_ttl(packet, packet[0] >> 4) <= 1)
        return MPLSVPN_ERR_TTL;
    *out_hop = route->hop;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_ip_input(mplsvpn_reader *r, uint32_t vrf_id, const uint8_t *packet, size_t len,
                            mplsvpn_hop *out_hop)
{
    if (!r || !packet || !out_hop)
        return MPLSVPN_ERR_ARG;
    if (!r->epoch.active)
        return MPLSVPN_ERR_STATE;
    const mplsvpn_rc rc = ip_input(r, vrf_id, packet, len, out_hop);
    if (rc == MPLSVPN_OK)
        counter_add(&r->counters.ip_packets);
    return mplsvpn__count(r, rc);
}

/* ---- Labels out. ---- */

/*
 * Writes a hop's labels so that they end at an offset, and returns where they begin. The lowest has
 * the given TTL, traffic class and bottom bit; in the uniform model so have those above it, as each
 * copies the one underneath (RFC 3443 3.6).
 */
static size_t push(const mplsvpn_table *t, const mplsvpn_hop *hop, uint8_t *buf, size_t offset,
                   mplsvpn_label lowest)
{
    mplsvpn_label label = lowest;
    for (unsigned i = hop->label_count; i-- > 0;) {
        label.value = hop->labels[i];
        offset -= MPLSVPN_LABEL_BYTES;
        (void)mplsvpn_label_encode(&label, buf + offset, MPLSVPN_LABEL_BYTES);
        label.bottom = 0;
        if (t->cfg.ttl_model == MPLSVPN_TTL_SHORT_PIPE) {
            label.ttl = t->cfg.pipe_ttl;
            label.tc = t->cfg.pipe_tc;
        }
    }
    return offset;
}

static mplsvpn_rc packet_push(const mplsvpn_reader *r, const mplsvpn_hop *hop, uint8_t *buf,
                              size_t offset, size_t len, mplsvpn_packet *out)
{
    uint8_t *ip = buf + offset;
    uint8_t version;
    const mplsvpn_rc rc = mplsvpn__ip_version(ip, len, &version);
    if (rc != MPLSVPN_OK)
        return rc;
    const size_t labels_len = (size_t)hop->label_count * MPLSVPN_LABEL_BYTES;
    const uint8_t ttl = mplsvpn__ip_ttl(ip, version);
    const bool forwarded = hop->kind == MPLSVPN_HOP_TUNNEL;
    if (forwarded && ttl <= 1)
        return MPLSVPN_ERR_TTL;
    if (labels_len > offset)
        return MPLSVPN_ERR_BUFFER;

    mplsvpn_packet p = {.protocol = mplsvpn__ip_protocol(version), .ttl = ttl};
    size_t start = offset;
    if (forwarded) {
        p.ttl = (uint8_t)(ttl - 1);
        mplsvpn__ip_set_ttl(ip, version, p.ttl);
    }
    if (hop->label_count > 0) {
        const mplsvpn_config *cfg = &r->table->cfg;
        /* RFC 3032 2.4.3, RFC 3443 3.6 */
        if (!is_uniform(r))
            p.ttl = cfg->pipe_ttl;
        const mplsvpn_label lowest = {.tc = is_uniform(r) ? mplsvpn__ip_precedence(ip, version)
                                                          : cfg->pipe_tc,
                                      .bottom = 1,
                                      .ttl = p.ttl};
        start = push(r->table, hop, buf, offset, lowest);
        p.protocol = MPLSVPN_PROTOCOL_MPLS;
    }
    p.offset = (uint32_t)start;
    p.len = (uint32_t)(len + labels_len);
    *out = p;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_packet_push(mplsvpn_reader *r, const mplsvpn_hop *hop, uint8_t *buf,
                               size_t offset, size_t len, mplsvpn_packet *out)
{
    if (!r || !hop || !buf || !out || offset > UINT32_MAX / 2 || len > UINT32_MAX / 2 ||
        (hop->kind != MPLSVPN_HOP_LOCAL && hop->kind != MPLSVPN_HOP_TUNNEL) ||
        hop->label_count > MPLSVPN_PUSH_MAX || (hop->kind == MPLSVPN_HOP_LOCAL && hop->label_count))
        return MPLSVPN_ERR_ARG;
    const mplsvpn_rc rc = packet_push(r, hop, buf, offset, len, out);
    if (rc == MPLSVPN_OK)
        counter_add(&r->counters.pushed_packets);
    return mplsvpn__count(r, rc);
}

/* ---- Labels in. ---- */

/* What is known of a labelled packet before it is touched. */
typedef struct labeled {
    mplsvpn_label stack[MPLSVPN_STACK_MAX];
    size_t count;
    size_t top;   /* the label that decides; explicit nulls above it are popped */
    uint8_t ttl;  /* RFC 3443 3.4: the incoming TTL, explicit nulls taken into account */
    uint8_t only; /* the IP version that a bottom explicit null allows, or 0 */
} labeled;

static bool is_explicit_null(uint32_t label)
{
    return label == MPLSVPN_LABEL_IPV4_EXPLICIT_NULL || label == MPLSVPN_LABEL_IPV6_EXPLICIT_NULL;
}

/* Reads the stack and passes over explicit nulls that have labels below them (RFC 4182 2). */
static mplsvpn_rc read_stack(const mplsvpn_reader *r, const uint8_t *buf, size_t len, labeled *l)
{
    const mplsvpn_rc rc = mplsvpn_stack_decode(buf, len, l->stack, MPLSVPN_STACK_MAX, &l->count);
    if (rc != MPLSVPN_OK)
        return rc;
    l->top = 0;
    l->ttl = l->stack[0].ttl;
    l->only = 0;
    /* RFC 3032 2.4.2: what has run out is neither forwarded nor stripped */
    while (l->ttl > 0 && is_explicit_null(l->stack[l->top].value) && l->top + 1 < l->count) {
        const uint8_t below = l->stack[++l->top].ttl;
        l->ttl = is_uniform(r) ? smaller(l->ttl, below) : below;
    }
    return l->ttl == 0 ? MPLSVPN_ERR_TTL : MPLSVPN_OK;
}

/* An explicit null at the bottom: the interface's own VRF. */
static mplsvpn_rc null_hop(const mplsvpn_table *t, uint32_t in_if, labeled *l, mplsvpn_hop *hop)
{
    const interface *i = mplsvpn__interface_find(t, in_if);
    const uint32_t own = i ? atomic_load_explicit(&i->vrf, memory_order_acquire) : 0;
    if (!i || !mplsvpn__interface_may(i, own))
        return MPLSVPN_ERR_NOT_ALLOWED;
    l->only =
        l->stack[l->top].value == MPLSVPN_LABEL_IPV4_EXPLICIT_NULL ? IP_VERSION_4 : IP_VERSION_6;
    *hop = (mplsvpn_hop){.kind = MPLSVPN_HOP_VRF, .vrf = own};
    return MPLSVPN_OK;
}

/* The payload's version, which the bottom label and the first nibble tell (RFC 3032 2.2). */
static mplsvpn_rc payload_version(const labeled *l, const uint8_t *payload, size_t len,
                                  uint8_t *out)
{
    const mplsvpn_rc rc = mplsvpn__ip_version(payload, len, out);
    if (rc == MPLSVPN_OK && l->only && *out != l->only)
        return MPLSVPN_ERR_VERSION;
    return rc;
}

/* Pops all labels; the IP packet goes on in a VRF, to the TUN or to a next hop. */
static mplsvpn_rc pop_to_ip(const mplsvpn_reader *r, const labeled *l, uint8_t ttl, uint8_t *buf,
                            size_t offset, size_t len, mplsvpn_packet *p)
{
    const size_t popped = l->count * MPLSVPN_LABEL_BYTES;
    uint8_t *ip = buf + offset + popped;
    uint8_t version;
    const mplsvpn_rc rc = payload_version(l, ip, len - popped, &version);
    if (rc != MPLSVPN_OK)
        return rc;
    p->ttl = mplsvpn__ip_ttl(ip, version);
    /* RFC 3443 3.1; a TTL never grows, or a loop could live for ever */
    if (is_uniform(r) && ttl < p->ttl) {
        p->ttl = ttl;
        mplsvpn__ip_set_ttl(ip, version, ttl);
    }
    p->protocol = mplsvpn__ip_protocol(version);
    p->offset = (uint32_t)(offset + popped);
    p->len = (uint32_t)(len - popped);
    return MPLSVPN_OK;
}

/* Pops one label, under which there are more (RFC 3443 3.5, case 3). */
static void pop_to_label(const mplsvpn_reader *r, const labeled *l, uint8_t ttl, uint8_t *buf,
                         size_t offset, size_t len, mplsvpn_packet *p)
{
    const size_t popped = (l->top + 1) * MPLSVPN_LABEL_BYTES;
    mplsvpn_label exposed = l->stack[l->top + 1];
    if (is_uniform(r) && ttl < exposed.ttl) {
        exposed.ttl = ttl;
        (void)mplsvpn_label_encode(&exposed, buf + offset + popped, MPLSVPN_LABEL_BYTES);
    }
    p->ttl = exposed.ttl;
    p->protocol = MPLSVPN_PROTOCOL_MPLS;
    p->offset = (uint32_t)(offset + popped);
    p->len = (uint32_t)(len - popped);
}

/* RFC 3443 3.5, cases 1 and 2. */
static mplsvpn_rc swap(const mplsvpn_reader *r, const labeled *l, uint8_t ttl,
                       const mplsvpn_hop *hop, uint8_t *buf, size_t offset, size_t len,
                       mplsvpn_packet *p)
{
    const mplsvpn_label *top = &l->stack[l->top];
    const size_t below = offset + (l->top + 1) * MPLSVPN_LABEL_BYTES;
    const size_t labels_len = (size_t)hop->label_count * MPLSVPN_LABEL_BYTES;
    if (labels_len > below)
        return MPLSVPN_ERR_BUFFER;
    const mplsvpn_label lowest = {.tc = top->tc, .bottom = top->bottom, .ttl = ttl};
    const size_t start = push(r->table, hop, buf, below, lowest);
    p->ttl = hop->label_count > 1 && !is_uniform(r) ? r->table->cfg.pipe_ttl : ttl;
    p->protocol = MPLSVPN_PROTOCOL_MPLS;
    p->offset = (uint32_t)start;
    p->len = (uint32_t)(offset + len - start);
    return MPLSVPN_OK;
}

static mplsvpn_rc switch_label(const mplsvpn_reader *r, const labeled *l, const mplsvpn_hop *hop,
                               uint8_t *buf, size_t offset, size_t len, mplsvpn_packet *p)
{
    const bool bottom = l->stack[l->top].bottom;
    if (hop->kind == MPLSVPN_HOP_DISCARD)
        return MPLSVPN_ERR_DISCARD;
    if (hop->kind != MPLSVPN_HOP_TUNNEL)
        return bottom ? pop_to_ip(r, l, l->ttl, buf, offset, len, p) : MPLSVPN_ERR_NOT_BOTTOM;

    /* RFC 3443 3.5: the check of the outgoing TTL comes first, whatever is done with it */
    if (l->ttl <= 1)
        return MPLSVPN_ERR_TTL;
    const uint8_t ttl = (uint8_t)(l->ttl - 1);
    if (hop->label_count > 0)
        return swap(r, l, ttl, hop, buf, offset, len, p);
    if (bottom)
        return pop_to_ip(r, l, ttl, buf, offset, len, p);
    pop_to_label(r, l, ttl, buf, offset, len, p);
    return MPLSVPN_OK;
}

static mplsvpn_rc label_input(const mplsvpn_reader *r, uint32_t in_if, uint8_t *buf, size_t offset,
                              size_t len, mplsvpn_packet *out, mplsvpn_hop *out_hop)
{
    labeled l;
    mplsvpn_hop hop;
    mplsvpn_rc rc = read_stack(r, buf + offset, len, &l);
    if (rc != MPLSVPN_OK)
        return rc;
    const mplsvpn_label *top = &l.stack[l.top];
    rc = is_explicit_null(top->value) ? null_hop(r->table, in_if, &l, &hop)
                                      : mplsvpn_table_lookup(r->table, in_if, top->value, &hop);
    if (rc != MPLSVPN_OK)
        return rc;
    mplsvpn_packet p = {.tc = top->tc, .label = top->value};
    rc = switch_label(r, &l, &hop, buf, offset, len, &p);
    if (rc != MPLSVPN_OK)
        return rc;
    *out = p;
    *out_hop = hop;
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_label_input(mplsvpn_reader *r, uint32_t in_if, uint8_t *buf, size_t offset,
                               size_t len, mplsvpn_packet *out, mplsvpn_hop *out_hop)
{
    if (!r || !buf || !out || !out_hop || offset > UINT32_MAX / 2 || len > UINT32_MAX / 2)
        return MPLSVPN_ERR_ARG;
    if (!r->epoch.active)
        return MPLSVPN_ERR_STATE;
    const mplsvpn_rc rc = label_input(r, in_if, buf, offset, len, out, out_hop);
    if (rc == MPLSVPN_OK)
        counter_add(&r->counters.labeled_packets);
    return mplsvpn__count(r, rc);
}
