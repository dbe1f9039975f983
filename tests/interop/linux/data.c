/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The data plane: tables, GRE and ESP.
 */
#include "node.h"

#include <stdio.h>
#include <string.h>

enum { OUTER_TTL = 64, MTU = 1400 };

static uint8_t in_buffer[BUFFER_BYTES];
static uint8_t sealed[BUFFER_BYTES];

void data_init(node *n)
{
    static const uint32_t vrfs[] = {VRF_GLOBAL, VRF_RED};
    mplsvpn_config cfg;
    must(mplsvpn_config_init(&cfg), "mplsvpn_config_init");
    must(mplsvpn_table_new(&cfg, &n->table), "mplsvpn_table_new");
    for (size_t i = 0; i < sizeof(vrfs) / sizeof(vrfs[0]); i++) {
        must(mplsvpn_vrf_add(n->table, vrfs[i]), "mplsvpn_vrf_add");
        must(mplsvpn_vrf_add(n->table, vrfs[i] + WITHOUT), "mplsvpn_vrf_add");
    }
    must(mplsvpn_reader_new(n->table, &n->reader), "mplsvpn_reader_new");
    underlay_init(n);
}

static esp_sa *make_sa(const security *s, uint8_t direction)
{
    const bool in = direction == ESP_DIRECTION_IN;
    esp_sa_config cfg;
    esp_sa *sa;
    esp_sa_config_init(&cfg);
    cfg.direction = direction;
    cfg.algorithm = s->algorithm;
    cfg.esn = s->esn;
    cfg.spi = in ? s->spi_in : s->spi_out;
    cfg.keymat = in ? s->key_in : s->key_out;
    cfg.keymat_len = s->key_len;
    must(esp_sa_new(&cfg, &sa), "esp_sa_new");
    return sa;
}

void data_add_peer(node *n, peer *p)
{
    gre_config cfg;
    must(gre_config_init(&cfg), "gre_config_init");
    cfg.use_key = 1;
    cfg.key = n->key;
    cfg.ttl = OUTER_TTL;
    cfg.mtu = MTU;
    memcpy(&cfg.local, &n->nbma, sizeof(cfg.local));
    memcpy(&cfg.remote, &p->nbma, sizeof(cfg.remote));
    cfg.local.prefix_len = cfg.remote.prefix_len = 0;
    must(gre_tunnel_new(&cfg, &p->tunnel), "gre_tunnel_new");
    must(mplsvpn_interface_set(n->table, p->link, VRF_GLOBAL), "mplsvpn_interface_set");
    must(mplsvpn_interface_allow(n->table, p->link, VRF_GLOBAL), "mplsvpn_interface_allow");
    must(mplsvpn_interface_allow(n->table, p->link, VRF_RED), "mplsvpn_interface_allow");
    if (n->esp.carriage != ESP_OFF)
        data_seal_with(n, data_add_sas(n, p, &n->esp));
}

sas *data_add_sas(node *n, const peer *p, const security *from)
{
    for (size_t i = 0; i < SAS_MAX; i++) {
        sas *s = &n->sas[i];
        if (s->in)
            continue;
        s->from = *from;
        s->link = p->link;
        s->in = make_sa(from, ESP_DIRECTION_IN);
        return s;
    }
    must(ESP_ERR_LIMIT, "data_add_sas");
    return NULL;
}

void data_seal_with(node *n, sas *s)
{
    s->out = make_sa(&s->from, ESP_DIRECTION_OUT);
    peer_by_link(n, s->link)->sending = s;
}

sas *data_find_sas(node *n, uint64_t child)
{
    for (size_t i = 0; i < SAS_MAX; i++)
        if (n->sas[i].in && n->sas[i].from.child == child)
            return &n->sas[i];
    return NULL;
}

void data_remove_sas(node *n, sas *s)
{
    peer *p = peer_by_link(n, s->link);
    if (p->sending == s)
        p->sending = NULL;
    esp_sa_free(s->in);
    esp_sa_free(s->out);
    memset(s, 0, sizeof(*s));
}

void data_route(node *n, uint32_t vrf, const nhrp_addr *prefix, const mplsvpn_hop *hop)
{
    const mplsvpn_addr to = route_address(prefix);
    must(mplsvpn_route_set(n->table, vrf, &to, hop), "mplsvpn_route_set");
}

void data_unroute(node *n, uint32_t vrf, const nhrp_addr *prefix)
{
    const mplsvpn_addr to = route_address(prefix);
    (void)mplsvpn_route_remove(n->table, vrf, &to);
}

/* An ESP packet at sealed + ESP_OUTER_MAX: in UDP as it is, else with a header of its own. */
static void transmit_esp(node *n, const peer *p, size_t len)
{
    uint8_t *packet = sealed + ESP_OUTER_MAX;
    esp_outer outer = {.family = n->nbma.family,
                       .hop_limit = OUTER_TTL,
                       .dont_fragment = n->nbma.family == ESP_FAMILY_IPV4,
                       .payload_len = (uint32_t)len};
    size_t header;
    memcpy(n->last_out, packet, len);
    n->last_out_len = len;
    if (p->sending->from.carriage == ESP_UDP) {
        underlay_send(n->fd_udp, &p->nbma, PORT_NAT, packet, len);
        return;
    }
    memcpy(outer.source, n->nbma.bytes, sizeof(outer.source));
    memcpy(outer.destination, p->nbma.bytes, sizeof(outer.destination));
    uint8_t bytes[ESP_OUTER_MAX];
    must(esp_outer_encode(&outer, bytes, sizeof(bytes), &header), "esp_outer_encode");
    memcpy(packet - header, bytes, header);
    underlay_send(n->fd_send, &p->nbma, PORT_NONE, packet - header, header + len);
}

void data_send(node *n, peer *p, uint16_t protocol, uint8_t *buf, size_t at, size_t len)
{
    gre_outer outer;
    size_t gre_at;
    const gre_rc rc = gre_tunnel_encode(p->tunnel, protocol, buf, at, len, &gre_at);
    if (rc != GRE_OK) {
        printf("not-sent reason=%s\n", gre_rc_name(rc));
        return;
    }
    len += at - gre_at;
    if (n->secure && !p->sending) {
        printf("not-sent reason=no SA\n");
        return;
    }
    if (p->sending) {
        esp_span span;
        must(esp_sa_seal(p->sending->out, 0, sealed + ESP_OUTER_MAX, sizeof(sealed) - ESP_OUTER_MAX,
                         buf + gre_at, len, ESP_NEXT_GRE, &span),
             "esp_sa_seal");
        n->counts.sealed++;
        transmit_esp(n, p, span.len);
        return;
    }
    must(gre_tunnel_get_outer(p->tunnel, &outer), "gre_tunnel_get_outer");
    must(gre_outer_encode(&outer, buf, gre_at, len, &at), "gre_outer_encode");
    underlay_send(n->fd_send, &p->nbma, PORT_NONE, buf + at, len + gre_at - at);
}

void data_replay(node *n)
{
    if (n->last_out_len == 0 || !n->peers[0].sending)
        return;
    memcpy(sealed + ESP_OUTER_MAX, n->last_out, n->last_out_len);
    transmit_esp(n, &n->peers[0], n->last_out_len);
}

/* By the hop: labels, GRE, the tunnel. */
static void send_by(node *n, const mplsvpn_hop *hop, uint8_t *buf, size_t at, size_t len)
{
    mplsvpn_packet packet;
    peer *p = peer_by_link(n, hop->interface_id);
    const mplsvpn_rc rc = mplsvpn_packet_push(n->reader, hop, buf, at, len, &packet);
    if (rc == MPLSVPN_OK && p)
        data_send(n, p, packet.protocol, buf, packet.offset, packet.len);
    else
        printf("not-sent reason=%s\n", mplsvpn_rc_name(rc));
}

void data_originate(node *n, uint32_t vrf, uint8_t *buf, size_t len)
{
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_ip_input(n->reader, vrf, buf + HEADROOM, len, &hop);
    if (rc == MPLSVPN_OK && hop.kind == MPLSVPN_HOP_TUNNEL)
        send_by(n, &hop, buf, HEADROOM, len);
    else
        printf("not-sent reason=%s\n", mplsvpn_rc_name(rc));
}

static void refuse(node *n, const char *where, const char *reason)
{
    n->counts.refused++;
    printf("refused by=%s reason=%s\n", where, reason);
}

/* An IP packet in a VRF: for us, or for another peer. */
static void route_packet(node *n, const peer *from, uint32_t vrf, uint8_t *buf, size_t at,
                         size_t len)
{
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_ip_input(n->reader, vrf, buf + at, len, &hop);
    if (rc != MPLSVPN_OK) {
        refuse(n, "libmplsvpn", mplsvpn_rc_name(rc));
        return;
    }
    if (hop.kind == MPLSVPN_HOP_LOCAL) {
        if (echo_input(vrf, buf + at, len)) {
            n->counts.answered++;
            memmove(buf + HEADROOM, buf + at, len);
            data_originate(n, vrf, buf, len);
        }
        return;
    }
    const peer *to = peer_by_link(n, hop.interface_id);
    if (vrf == VRF_GLOBAL && to)
        control_hairpin(n, from, to, buf + at, len);
    memmove(buf + HEADROOM, buf + at, len);
    send_by(n, &hop, buf, HEADROOM, len);
}

static void label_packet(node *n, const peer *from, uint8_t *buf, size_t at, size_t len)
{
    mplsvpn_packet packet;
    mplsvpn_hop hop;
    const mplsvpn_rc rc = mplsvpn_label_input(n->reader, from->link, buf, at, len, &packet, &hop);
    if (rc != MPLSVPN_OK || hop.kind != MPLSVPN_HOP_VRF) {
        refuse(n, "libmplsvpn", mplsvpn_rc_name(rc));
        return;
    }
    n->counts.labelled++;
    printf("labelled label=%u ttl=%u vrf=%u\n", packet.label, packet.ttl, hop.vrf);
    route_packet(n, from, hop.vrf, buf, packet.offset, packet.len);
}

/* A GRE packet at buf + at, from this NBMA address; opened: it was in ESP. */
static void gre_packet(node *n, const nhrp_addr *from, bool opened, uint8_t *buf, size_t at,
                       size_t len)
{
    gre_header header;
    gre_view view;
    gre_rc rc = gre_header_decode(buf + at, len, &header);
    if (rc == GRE_OK && (!(header.flags & GRE_FLAG_KEY) || header.key != n->key))
        rc = GRE_ERR_KEY_MISMATCH;
    if (rc != GRE_OK) {
        refuse(n, "libgre", gre_rc_name(rc));
        return;
    }
    peer *p = peer_at(n, from);
    if (n->secure && !opened) {
        n->counts.cleartext++;
        printf("refused by=policy reason=cleartext\n");
        return;
    }
    rc = gre_tunnel_decode(p->tunnel, buf + at, len, &view);
    if (rc != GRE_OK) {
        refuse(n, "libgre", gre_rc_name(rc));
        return;
    }
    control_meet(n, p); /* whoever speaks GRE with our key is a neighbour */
    at += view.payload_offset;
    switch (view.protocol) {
    case GRE_PROTOCOL_NHRP:
        control_input(n, p, buf + at, view.payload_len);
        break;
    case GRE_PROTOCOL_MPLS:
        label_packet(n, p, buf, at, view.payload_len);
        break;
    case GRE_PROTOCOL_IPV4:
    case GRE_PROTOCOL_IPV6:
        route_packet(n, p, VRF_GLOBAL, buf, at, view.payload_len);
        break;
    default:
        refuse(n, "libgre", "protocol");
        break;
    }
}

static void esp_packet(node *n, const nhrp_addr *from, uint8_t *buf, size_t at, size_t len)
{
    esp_opened opened;
    esp_header header;
    sas *s = NULL;
    n->last_from = *from;
    n->last_in_len = len;
    memcpy(n->last_in, buf + at, len);
    esp_rc rc = esp_header_decode(buf + at, len, &header);
    for (size_t i = 0; i < SAS_MAX && !s; i++)
        if (n->sas[i].in && n->sas[i].from.spi_in == header.spi)
            s = &n->sas[i];
    if (rc == ESP_OK)
        rc = s ? esp_sa_open(s->in, 0, buf + at, len, &opened) : ESP_ERR_SPI;
    if (rc == ESP_ERR_AUTH)
        n->counts.unauthentic++;
    if (rc == ESP_ERR_REPLAY)
        n->counts.replayed++;
    if (rc != ESP_OK) {
        printf("refused by=libesp reason=%s\n", esp_rc_name(rc));
        return;
    }
    n->counts.opened++;
    if (opened.next_header == ESP_NEXT_GRE)
        gre_packet(n, from, true, buf, at + opened.offset, opened.len);
    else
        refuse(n, "libesp", "next header");
}

/* Raw sockets of IPv4 deliver the header, too; those of IPv6 have taken it off. */
void data_receive_gre(node *n)
{
    nhrp_addr from;
    size_t len;
    while ((len = underlay_receive(n->fd_gre, in_buffer, &from)) > 0) {
        gre_outer outer = {.payload_len = (uint16_t)len};
        const gre_rc rc = n->nbma.family == NHRP_FAMILY_IPV4
                              ? gre_outer_decode(in_buffer + HEADROOM, len, &outer)
                              : GRE_OK;
        if (rc == GRE_OK)
            gre_packet(n, &from, false, in_buffer, HEADROOM + outer.header_len, outer.payload_len);
        else
            refuse(n, "libgre", gre_rc_name(rc));
    }
}

void data_receive_esp(node *n)
{
    nhrp_addr from;
    size_t len;
    while ((len = underlay_receive(n->fd_esp, in_buffer, &from)) > 0) {
        esp_outer outer = {.payload_len = (uint32_t)len};
        const esp_rc rc = n->nbma.family == NHRP_FAMILY_IPV4
                              ? esp_outer_decode(in_buffer + HEADROOM, len, &outer)
                              : ESP_OK;
        if (rc == ESP_OK)
            esp_packet(n, &from, in_buffer, HEADROOM + outer.header_len, outer.payload_len);
        else
            refuse(n, "libesp", esp_rc_name(rc));
    }
}

void data_replay_in(node *n)
{
    const nhrp_addr from = n->last_from;
    if (n->last_in_len == 0)
        return;
    memcpy(in_buffer + HEADROOM, n->last_in, n->last_in_len);
    esp_packet(n, &from, in_buffer, HEADROOM, n->last_in_len);
}

void data_receive_ike(node *n)
{
    nhrp_addr from;
    size_t len;
    while ((len = underlay_receive(n->fd_ike, in_buffer, &from)) > 0)
        ike_input(n, PORT_IKE, &from, in_buffer + HEADROOM, len);
}

void data_receive_udp(node *n)
{
    nhrp_addr from;
    uint32_t kind;
    size_t len;
    while ((len = underlay_receive(n->fd_udp, in_buffer, &from)) > 0) {
        if (esp_udp_classify(in_buffer + HEADROOM, len, &kind) != ESP_OK)
            continue;
        if (kind == ESP_UDP_ESP)
            esp_packet(n, &from, in_buffer, HEADROOM, len);
        else if (kind == ESP_UDP_IKE)
            ike_input(n, PORT_NAT, &from, in_buffer + HEADROOM, len);
    }
}
