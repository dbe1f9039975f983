/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a worker does with a packet, in its buffer:
 *
 *   underlay -> IKE? control
 *            -> ESP: SA by SPI, open; the SA names the tunnel; GRE without a key, or drop
 *                 -> NHRP: control
 *                 -> MPLS: label, allowed for the tunnel's peer -> VRF  (or swap: out)
 *                 -> IP: the global VRF
 *   TUN of a VRF --------------------------------------------------> VRF
 *   VRF -> route: the TUN, or labels, GRE, ESP of a tunnel
 *
 * Only tables that the control thread publishes are read; nothing here calls an engine. A packet
 * that cannot go on and deserves an ICMP error becomes that error and is routed in its VRF.
 */
#include "internal.h"

#include <string.h>

enum {
    GRE_PROTOCOL_NUMBER = ESP_NEXT_GRE,
    GRE_HEADER = GRE_HEADER_MIN_BYTES,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    ICMP_BYTES = GRE_ICMP_IPV6_MAX_BYTES,
    CUSTOMER_MARK_MS = 500 /* how exactly the last customer's packet is known */
};

/* Where a packet is and what is known about it; one for each packet on its way. */
typedef struct journey {
    router *r;
    rt_worker *w;
    router_packet *p;
    uint64_t now;
    rt_tunnel *in;     /* NULL: from a TUN */
    uint32_t in_label; /* the last one that was taken off */
    uint32_t vrf;
    bool is_icmp; /* an error that we made: no further one answers it */
} journey;

static void count(_Atomic uint64_t *counter)
{
    /* One writer: a plain load and store is enough, and costs no lock. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void drop(journey *j, int32_t reason)
{
    j->p->verdict = ROUTER_VERDICT_DROP;
    j->p->reason = reason;
    count(&j->w->dropped[reason]);
}

static int32_t mpls_reason(mplsvpn_rc rc)
{
    switch (rc) {
    case MPLSVPN_ERR_TTL:
        return ROUTER_DROP_TTL;
    case MPLSVPN_ERR_NO_LABEL:
    case MPLSVPN_ERR_DRAINING:
    case MPLSVPN_ERR_RESERVED:
        return ROUTER_DROP_NO_LABEL;
    case MPLSVPN_ERR_NOT_ALLOWED:
        return ROUTER_DROP_NOT_ALLOWED;
    case MPLSVPN_ERR_NO_ROUTE:
    case MPLSVPN_ERR_NO_VRF:
    case MPLSVPN_ERR_ADDRESS:
        return ROUTER_DROP_NO_ROUTE;
    case MPLSVPN_ERR_DISCARD:
        return ROUTER_DROP_DISCARD;
    default:
        return ROUTER_DROP_MALFORMED;
    }
}

/* ---- Sending by a tunnel ---- */

static void report_limit(rt_worker *w, _Atomic uint32_t *reported, uint64_t child, bool hard)
{
    const uint32_t level = hard ? 2 : 1;
    if (!w || atomic_load_explicit(reported, memory_order_relaxed) >= level)
        return;
    const rt_report report = {.kind = RT_REPORT_LIMIT, .first = hard, .cookie = child};
    if (rt_report_push(w, &report))
        atomic_store_explicit(reported, level, memory_order_relaxed);
}

int32_t rt_send_tunnel(router *r, rt_worker *w, uint32_t cipher_worker, rt_tunnel *t,
                       uint16_t protocol, uint8_t *buf, size_t cap, size_t *offset, size_t *len,
                       router_path *path)
{
    (void)r;
    rt_sending *s = atomic_load_explicit(&t->sending, memory_order_acquire);
    if (!s)
        return ROUTER_DROP_NO_TUNNEL;
    const gre_header header = {.protocol = protocol};
    size_t gre_at;
    if (gre_header_encode(&header, buf, *offset, *len, &gre_at) != GRE_OK ||
        gre_at < ESP_HEADER_BYTES)
        return ROUTER_DROP_MALFORMED;
    const size_t gre_len = *len + (*offset - gre_at);
    const size_t esp_at = gre_at - ESP_HEADER_BYTES;
    esp_span span;
    const esp_rc rc = esp_sa_seal(s->sa, cipher_worker, buf + esp_at, cap - esp_at, buf + gre_at,
                                  gre_len, GRE_PROTOCOL_NUMBER, &span);
    if (rc != ESP_OK) {
        const bool spent = rc == ESP_ERR_EXPIRED || rc == ESP_ERR_SEQUENCE;
        if (spent)
            report_limit(w, &s->limit_reported, s->child, true);
        return spent ? ROUTER_DROP_NO_TUNNEL : ROUTER_DROP_MALFORMED;
    }
    if (span.flags & ESP_LIMIT_SOFT)
        report_limit(w, &s->limit_reported, s->child, false);
    *offset = esp_at + span.offset;
    *len = span.len;
    *path = s->path;
    return ROUTER_DROP_NONE;
}

static void mark_customer(rt_tunnel *t, uint64_t now)
{
    const uint64_t last = atomic_load_explicit(&t->customer_ms, memory_order_relaxed);
    if (now - last >= CUSTOMER_MARK_MS)
        atomic_store_explicit(&t->customer_ms, now, memory_order_relaxed);
}

static void send_by(journey *j, rt_tunnel *t, uint16_t protocol, size_t offset, size_t len)
{
    router_packet *p = j->p;
    const int32_t reason = rt_send_tunnel(j->r, j->w, j->w->number, t, protocol, p->buf, p->cap,
                                          &offset, &len, &p->path);
    if (reason != ROUTER_DROP_NONE) {
        drop(j, reason);
        return;
    }
    if (j->vrf != ROUTER_GLOBAL_VRF) {
        mark_customer(t, j->now);
        if (j->in)
            mark_customer(j->in, j->now);
    }
    count(j->in ? &j->w->transit : &j->w->to_tunnel);
    p->offset = offset;
    p->len = len;
    p->tunnel = t->id;
    p->vrf = j->vrf;
    p->verdict = ROUTER_VERDICT_UNDERLAY;
}

/* ---- Addresses of a packet that a lookup has found well-formed ---- */

static void packet_addresses(const uint8_t *ip, router_addr *source, router_addr *destination)
{
    memset(source, 0, sizeof(*source));
    memset(destination, 0, sizeof(*destination));
    if (ip[0] >> 4 == 4) {
        source->family = destination->family = ROUTER_FAMILY_IPV4;
        memcpy(source->bytes, ip + 12, 4);
        memcpy(destination->bytes, ip + 16, 4);
    } else {
        source->family = destination->family = ROUTER_FAMILY_IPV6;
        memcpy(source->bytes, ip + 8, 16);
        memcpy(destination->bytes, ip + 24, 16);
    }
}

static size_t packet_len(const uint8_t *ip)
{
    return ip[0] >> 4 == 4 ? (size_t)(ip[2] << 8 | ip[3])
                           : (size_t)(ip[4] << 8 | ip[5]) + IPV6_HEADER;
}

/* ---- Reports about customers' flows ---- */

static void report_flow(journey *j, uint8_t direction, rt_tunnel *t, const mplsvpn_hop *hop,
                        uint32_t label, const uint8_t *ip, size_t len)
{
    if (j->vrf == ROUTER_GLOBAL_VRF || j->is_icmp)
        return;
    rt_report report;
    memset(&report, 0, sizeof(report));
    packet_addresses(ip, &report.source, &report.destination);
    rt_flow *flow = rt_flow_find(j->r, j->w, j->now, direction, j->vrf, t->id, &report.source,
                                 &report.destination);
    if (!flow)
        return;
    report.direction = direction;
    report.vrf = j->vrf;
    report.tunnel = t->id;
    const bool begins = flow->active_ms == RT_NEVER;
    const bool goes_on = !begins && direction == ROUTER_DIRECTION_TO_TUNNEL &&
                         j->now - flow->active_ms >= RT_FLOW_ACTIVE_MS;
    if (begins || goes_on) {
        report.kind = RT_REPORT_FLOW;
        report.first = begins;
        report.label = label;
        report.protocol = GRE_PROTOCOL_MPLS;
        report.cookie = hop && hop->flags == ROUTER_SOURCE_NHRP ? hop->cookie : 0;
        if (rt_report_push(j->w, &report))
            flow->active_ms = j->now;
    }
    const bool ask = direction == ROUTER_DIRECTION_TRANSIT && j->r->config.redirect;
    if (!ask || (flow->hairpin_ms != RT_NEVER && j->now - flow->hairpin_ms < RT_HAIRPIN_MS))
        return;
    report.kind = RT_REPORT_HAIRPIN;
    report.label = j->in_label;
    report.tunnel = j->in->id;
    report.tunnel_out = t->id;
    report.quote_len = (uint8_t)(len < RT_QUOTE_BYTES ? len : RT_QUOTE_BYTES);
    memcpy(report.quote, ip, report.quote_len);
    if (rt_report_push(j->w, &report))
        flow->hairpin_ms = j->now;
}

/* ---- ICMP errors ---- */

static bool icmp_allowed(journey *j)
{
    rt_worker *w = j->w;
    if (j->now - w->icmp_ms >= 1000) {
        w->icmp_ms = j->now;
        w->icmp_left = RT_ICMP_BURST;
    }
    if (w->icmp_left == 0)
        return false;
    w->icmp_left--;
    return true;
}

static void route_packet(journey *j, size_t offset, size_t len);

/* The packet has been counted as dropped; where it may be answered, the answer takes its place. */
static void answer_icmp(journey *j, uint8_t kind, uint32_t mtu, size_t offset, size_t len)
{
    router_packet *p = j->p;
    const uint8_t family = p->buf[offset] >> 4 == 6 ? ROUTER_FAMILY_IPV6 : ROUTER_FAMILY_IPV4;
    router_addr own;
    uint8_t error[ICMP_BYTES];
    size_t error_len;
    gre_addr source;
    if (j->is_icmp || !rt_vrf_address(&j->r->config, j->vrf, family, &own))
        return;
    own.prefix_len = 0;
    RT_TO(gre, &source, &own);
    if (gre_icmp_error_encode(kind, mtu, &source, p->buf + offset, len, error, sizeof(error),
                              &error_len) != GRE_OK)
        return;
    if (p->cap < ROUTER_HEADROOM + error_len + ROUTER_TAILROOM || !icmp_allowed(j))
        return;
    memcpy(p->buf + ROUTER_HEADROOM, error, error_len);
    j->is_icmp = true;
    if (j->in) {
        route_packet(j, ROUTER_HEADROOM, error_len);
        return;
    }
    p->offset = ROUTER_HEADROOM;
    p->len = error_len;
    p->tunnel = 0;
    p->vrf = j->vrf;
    p->verdict = ROUTER_VERDICT_TUN;
}

static void drop_with_icmp(journey *j, int32_t reason, uint8_t kind, uint32_t mtu, size_t offset,
                           size_t len)
{
    drop(j, reason);
    answer_icmp(j, kind, mtu, offset, len);
}

/* ---- Routing in a VRF ---- */

static void deliver(journey *j, const mplsvpn_hop *hop, size_t offset, size_t len)
{
    router_packet *p = j->p;
    if (!j->in) { /* it came from this TUN: giving it back would go round */
        drop(j, ROUTER_DROP_NO_ROUTE);
        return;
    }
    report_flow(j, ROUTER_DIRECTION_FROM_TUNNEL, j->in, NULL, j->in_label, p->buf + offset, len);
    mplsvpn_packet out;
    const mplsvpn_rc rc = mplsvpn_packet_push(j->w->reader, hop, p->buf, offset, len, &out);
    if (rc != MPLSVPN_OK) {
        drop(j, mpls_reason(rc));
        return;
    }
    if (j->vrf != ROUTER_GLOBAL_VRF)
        mark_customer(j->in, j->now);
    count(&j->w->from_tunnel);
    p->offset = out.offset;
    p->len = out.len;
    p->vrf = j->vrf;
    p->verdict = ROUTER_VERDICT_TUN;
}

static bool too_big(journey *j, size_t offset, size_t len)
{
    const uint32_t mtu = j->r->config.tunnel_mtu;
    const uint8_t *ip = j->p->buf + offset;
    if (len <= mtu)
        return false;
    const bool six = ip[0] >> 4 == 6;
    const bool dont_fragment = !six && (ip[6] & 0x40);
    /* What may be fragmented is: outside of the tunnel, by the underlay (RFC 4459 3.3). */
    if (six ? len <= GRE_MTU_IPV6_MIN : !dont_fragment)
        return false;
    drop_with_icmp(j, ROUTER_DROP_TOO_BIG, GRE_ICMP_TOO_BIG, mtu, offset, len);
    return true;
}

static void forward(journey *j, const mplsvpn_hop *hop, size_t offset, size_t len)
{
    router_packet *p = j->p;
    rt_tunnel *t = rt_slot_get(j->r, hop->interface_id);
    if (!t) {
        drop(j, ROUTER_DROP_NO_TUNNEL);
        return;
    }
    /* Back to where it came from is a loop: a tunnel has one other end. */
    if (t == j->in && !j->is_icmp) {
        drop(j, ROUTER_DROP_NO_ROUTE);
        return;
    }
    if (too_big(j, offset, len))
        return;
    const uint32_t label = hop->label_count ? hop->labels[hop->label_count - 1] : ROUTER_NO_LABEL;
    report_flow(j, j->in ? ROUTER_DIRECTION_TRANSIT : ROUTER_DIRECTION_TO_TUNNEL, t, hop, label,
                p->buf + offset, len);
    mplsvpn_packet out;
    const mplsvpn_rc rc = mplsvpn_packet_push(j->w->reader, hop, p->buf, offset, len, &out);
    if (rc != MPLSVPN_OK) {
        drop(j, mpls_reason(rc));
        return;
    }
    send_by(j, t, out.protocol, out.offset, out.len);
}

static void clamp(journey *j, size_t offset, size_t len)
{
    const uint8_t family = j->p->buf[offset] >> 4 == 6 ? GRE_FAMILY_IPV6 : GRE_FAMILY_IPV4;
    const uint16_t mss = gre_mss_get(j->r->config.tunnel_mtu, family);
    if (mss > 0)
        (void)gre_mss_clamp(j->p->buf + offset, len, mss);
}

static void route_packet(journey *j, size_t offset, size_t len)
{
    uint8_t *ip = j->p->buf + offset;
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_ip_input(j->w->reader, j->vrf, ip, len, &hop);
    if (rc == MPLSVPN_ERR_TTL) {
        drop_with_icmp(j, ROUTER_DROP_TTL, GRE_ICMP_TIME_EXCEEDED, 0, offset, packet_len(ip));
        return;
    }
    if (rc != MPLSVPN_OK) {
        drop(j, mpls_reason(rc));
        return;
    }
    len = packet_len(ip); /* the rest is padding */
    clamp(j, offset, len);
    if (hop.kind == MPLSVPN_HOP_LOCAL)
        deliver(j, &hop, offset, len);
    else if (hop.kind == MPLSVPN_HOP_TUNNEL)
        forward(j, &hop, offset, len);
    else
        drop(j, ROUTER_DROP_NO_ROUTE);
}

/* ---- From the underlay ---- */

/* The IP packet below a stack of labels, for what a swap needs to know about it. */
static bool below_labels(const uint8_t *buf, size_t *offset, size_t *len)
{
    mplsvpn_label stack[MPLSVPN_STACK_MAX];
    size_t n;
    if (mplsvpn_stack_decode(buf + *offset, *len, stack, MPLSVPN_STACK_MAX, &n) != MPLSVPN_OK)
        return false;
    *offset += n * MPLSVPN_LABEL_BYTES;
    *len -= n * MPLSVPN_LABEL_BYTES;
    const uint8_t version = *len > 0 ? buf[*offset] >> 4 : 0;
    return (version == 4 && *len >= IPV4_HEADER) || (version == 6 && *len >= IPV6_HEADER);
}

static void from_label(journey *j)
{
    router_packet *p = j->p;
    mplsvpn_packet out;
    mplsvpn_hop hop;
    const mplsvpn_rc rc =
        mplsvpn_label_input(j->w->reader, j->in->slot, p->buf, p->offset, p->len, &out, &hop);
    if (rc != MPLSVPN_OK) {
        drop(j, mpls_reason(rc));
        return;
    }
    j->vrf = hop.vrf;
    j->in_label = out.label;
    if (hop.kind == MPLSVPN_HOP_VRF) {
        route_packet(j, out.offset, out.len);
        return;
    }
    rt_tunnel *t = hop.kind == MPLSVPN_HOP_TUNNEL ? rt_slot_get(j->r, hop.interface_id) : NULL;
    if (!t || t->id != hop.cookie || out.protocol != MPLSVPN_PROTOCOL_MPLS) {
        drop(j, ROUTER_DROP_NO_TUNNEL);
        return;
    }
    size_t ip_offset = out.offset;
    size_t ip_len = out.len;
    if (t != j->in && below_labels(p->buf, &ip_offset, &ip_len))
        report_flow(j, ROUTER_DIRECTION_TRANSIT, t, NULL, hop.label_count ? hop.labels[0] : 0,
                    p->buf + ip_offset, ip_len);
    send_by(j, t, out.protocol, out.offset, out.len);
}

/* Two paths with the same hash are told apart all the same, when the next report is due. */
static uint64_t path_hash(const router_path *p)
{
    uint64_t words[4];
    memcpy(words, p->peer.bytes, sizeof(p->peer.bytes));
    memcpy(words + 2, p->local.bytes, sizeof(p->local.bytes));
    uint64_t h = (uint64_t)p->peer.port << 16 | p->local.port;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        h = (h ^ words[i] ^ h >> 29) * UINT64_C(0x9fb21c651e98df25);
    return h;
}

static void report_seen(journey *j, rt_inbound *in)
{
    const uint64_t last = atomic_load_explicit(&in->seen_ms, memory_order_relaxed);
    const uint64_t path = path_hash(&j->p->path);
    const bool moved = path != atomic_load_explicit(&in->seen_path, memory_order_relaxed);
    if (last != RT_NEVER && j->now - last < (moved ? RT_MOVED_MS : RT_SEEN_MS))
        return;
    rt_report report;
    memset(&report, 0, sizeof(report));
    report.kind = RT_REPORT_SEEN;
    report.cookie = in->child;
    report.path = j->p->path;
    if (rt_report_push(j->w, &report)) {
        atomic_store_explicit(&in->seen_path, path, memory_order_relaxed);
        atomic_store_explicit(&in->seen_ms, j->now, memory_order_relaxed);
    }
}

/*
 * IP without a label comes from the peer's own address or from behind it, never from one that
 * leads elsewhere: another peer's, or ours.
 */
static bool global_source_ok(journey *j)
{
    const router_packet *p = j->p;
    const uint8_t *ip = p->buf + p->offset;
    router_addr source;
    router_addr destination;
    mplsvpn_addr wanted;
    mplsvpn_hop hop;
    const uint8_t version = ip[0] >> 4;
    if (p->len < (version == 6 ? IPV6_HEADER : IPV4_HEADER))
        return true; /* found out below */
    packet_addresses(ip, &source, &destination);
    RT_TO(mplsvpn, &wanted, &source);
    const mplsvpn_rc rc = mplsvpn_fib_lookup(j->w->reader, ROUTER_GLOBAL_VRF, &wanted, &hop);
    return rc != MPLSVPN_OK || (hop.kind == MPLSVPN_HOP_TUNNEL && hop.interface_id == j->in->slot);
}

static void from_gre(journey *j)
{
    router_packet *p = j->p;
    gre_header header;
    if (gre_header_decode(p->buf + p->offset, p->len, &header) != GRE_OK) {
        drop(j, ROUTER_DROP_MALFORMED);
        return;
    }
    if (header.flags & GRE_FLAG_KEY) { /* these tunnels have none: it is another's */
        drop(j, ROUTER_DROP_NOT_LATCHED);
        return;
    }
    p->offset += header.header_len;
    p->len -= header.header_len;
    switch (header.protocol) {
    case GRE_PROTOCOL_NHRP:
        p->verdict = ROUTER_VERDICT_CONTROL;
        p->control = RT_CONTROL_NHRP;
        break;
    case GRE_PROTOCOL_MPLS:
        from_label(j);
        break;
    case GRE_PROTOCOL_IPV4:
    case GRE_PROTOCOL_IPV6:
        j->vrf = ROUTER_GLOBAL_VRF;
        if (global_source_ok(j))
            route_packet(j, p->offset, p->len);
        else
            drop(j, ROUTER_DROP_NOT_LATCHED);
        break;
    default:
        drop(j, ROUTER_DROP_MALFORMED);
        break;
    }
}

static void from_esp(journey *j)
{
    router_packet *p = j->p;
    esp_header header;
    if (esp_header_decode(p->buf + p->offset, p->len, &header) != ESP_OK) {
        drop(j, ROUTER_DROP_MALFORMED);
        return;
    }
    rt_inbound *in = rt_spi_find(j->r, header.spi);
    if (!in) {
        drop(j, ROUTER_DROP_NO_SA);
        return;
    }
    /* Datagrams of a peer should all go to one worker; where they do not, they wait here. */
    esp_opened opened;
    while (atomic_flag_test_and_set_explicit(&in->opening, memory_order_acquire)) {
    }
    const esp_rc rc = esp_sa_open(in->sa, j->w->number, p->buf + p->offset, p->len, &opened);
    atomic_flag_clear_explicit(&in->opening, memory_order_release);
    if (rc != ESP_OK) {
        if (rc == ESP_ERR_EXPIRED)
            report_limit(j->w, &in->limit_reported, in->child, true);
        const bool forged = rc == ESP_ERR_AUTH || rc == ESP_ERR_REPLAY || rc == ESP_ERR_PADDING;
        const bool dummy = rc == ESP_ERR_DUMMY;
        drop(j, dummy ? ROUTER_DROP_NONE : forged ? ROUTER_DROP_AUTH : ROUTER_DROP_MALFORMED);
        return;
    }
    report_seen(j, in);
    if (opened.flags & ESP_LIMIT_SOFT)
        report_limit(j->w, &in->limit_reported, in->child, false);
    j->in = in->tunnel;
    p->tunnel = in->tunnel->id;
    if (opened.next_header != GRE_PROTOCOL_NUMBER) { /* RFC 5660: only what the SA is for */
        drop(j, ROUTER_DROP_NOT_LATCHED);
        return;
    }
    p->offset += opened.offset;
    p->len = opened.len;
    from_gre(j);
}

static void from_underlay(journey *j)
{
    router_packet *p = j->p;
    if (p->path.transport == ROUTER_TRANSPORT_ESP) {
        from_esp(j);
        return;
    }
    if (p->path.transport != ROUTER_TRANSPORT_UDP) { /* GRE in the clear is nobody's */
        drop(j, ROUTER_DROP_NOT_LATCHED);
        return;
    }
    uint32_t kind = ESP_UDP_IKE;
    if (p->path.local.port != RT_PORT_IKE &&
        esp_udp_classify(p->buf + p->offset, p->len, &kind) != ESP_OK) {
        drop(j, ROUTER_DROP_MALFORMED);
        return;
    }
    if (kind == ESP_UDP_ESP) {
        from_esp(j);
    } else if (kind == ESP_UDP_IKE) {
        p->verdict = ROUTER_VERDICT_CONTROL;
        p->control = RT_CONTROL_IKE;
    } else { /* a keepalive has done its work in the NAT */
        drop(j, ROUTER_DROP_NONE);
    }
}

static void rewrite(router *r, rt_worker *w, uint64_t now, router_packet *p)
{
    journey j = {.r = r, .w = w, .p = p, .now = now, .in_label = ROUTER_NO_LABEL};
    p->reason = ROUTER_DROP_NONE;
    p->control = 0;
    p->tunnel = 0;
    if (!p->buf || p->offset > p->cap || p->len > p->cap - p->offset || p->len == 0) {
        drop(&j, ROUTER_DROP_MALFORMED);
    } else if (p->port == ROUTER_PORT_UNDERLAY) {
        from_underlay(&j);
    } else if (p->port == ROUTER_PORT_TUN) {
        j.vrf = p->vrf;
        route_packet(&j, p->offset, p->len);
    } else {
        drop(&j, ROUTER_DROP_MALFORMED);
    }
}

int32_t router_rx_batch(router *r, uint32_t worker, uint64_t now_ms, router_packet *packets,
                        size_t packet_count)
{
    if (!r || worker >= r->worker_count || (!packets && packet_count > 0))
        return ROUTER_ERR_ARG;
    rt_worker *w = &r->workers[worker];
    rt_worker_enter(r, w);
    (void)mplsvpn_reader_quiesce(w->reader);
    for (size_t i = 0; i < packet_count; i++)
        rewrite(r, w, now_ms, &packets[i]);
    (void)mplsvpn_reader_idle(w->reader);
    rt_worker_leave(w);
    return rt_report_waits(w) ? ROUTER_YES : ROUTER_OK;
}
