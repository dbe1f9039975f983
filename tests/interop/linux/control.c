/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The caller's side of libnhrp: events become routes, questions are answered out of the tables,
 * packets go out over GRE.
 */
#define _DEFAULT_SOURCE
#include "node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* NHRP's packets, with headroom for GRE and what is around it. */
static uint8_t out_buffer[BUFFER_BYTES];

static bool same(const nhrp_addr *a, const nhrp_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* nbma NULL: the multipoint link; protocol NULL or NONE: not known. */
static void link_up(node *n, uint32_t id, const nhrp_addr *nbma, const nhrp_addr *protocol,
                    uint32_t flags)
{
    nhrp_link_config link;
    must(nhrp_link_config_init(&link), "nhrp_link_config_init");
    link.interface = INTERFACE;
    link.vrf = VRF_GLOBAL;
    link.flags = flags;
    link.local_nbma = n->nbma;
    link.local_protocol_ipv4 = n->tunnel_ipv4;
    link.local_protocol_ipv6 = n->tunnel_ipv6;
    if (nbma)
        link.peer_nbma = *nbma;
    if (protocol && protocol->family == NHRP_FAMILY_IPV4)
        link.peer_protocol_ipv4 = *protocol;
    else if (protocol && protocol->family == NHRP_FAMILY_IPV6)
        link.peer_protocol_ipv6 = *protocol;
    must(nhrp_engine_link_up(n->nhrp, now_ms(), id, &link), "nhrp_engine_link_up");
}

void control_init(node *n, const char *password, uint16_t holding_time_s)
{
    nhrp_config cfg;
    nhrp_interface_config interface;
    must(nhrp_config_init(&cfg), "nhrp_config_init");
    if (getrandom(cfg.seed, sizeof(cfg.seed), 0) != sizeof(cfg.seed))
        must(NHRP_ERR_STATE, "getrandom");
    cfg.redirect_interval_ms = 1000;
    must(nhrp_engine_new(&cfg, now_ms(), &n->nhrp), "nhrp_engine_new");
    must(nhrp_interface_config_init(&interface), "nhrp_interface_config_init");
    /* DMVPN: answers need no tunnel of their own, the multipoint interface is there. */
    interface.flags = NHRP_INTERFACE_REDIRECT | NHRP_INTERFACE_SHORTCUT;
    if (n->server)
        interface.flags |= NHRP_INTERFACE_SERVER;
    interface.network_id = 1;
    interface.holding_time_s = holding_time_s;
    if (password) {
        interface.authentication = NHRP_AUTHENTICATION_CLEARTEXT;
        interface.key = (const uint8_t *)password;
        interface.key_len = strlen(password);
    }
    must(nhrp_engine_interface_add(n->nhrp, now_ms(), INTERFACE, &interface),
         "nhrp_engine_interface_add");
    if (n->multipoint)
        link_up(n, MULTIPOINT, NULL, NULL, NHRP_LINK_MULTIPOINT);
}

void control_link_up(node *n, const peer *p, const nhrp_addr *protocol, uint32_t flags)
{
    link_up(n, p->link, &p->nbma, protocol, flags);
}

static bool has_link(const node *n, uint32_t link)
{
    nhrp_link known = {.struct_size = sizeof(known)};
    return nhrp_engine_get_link(n->nhrp, link, &known) == NHRP_OK;
}

void control_meet(node *n, const peer *p)
{
    static const nhrp_addr none;
    if (!n->multipoint && !has_link(n, p->link))
        control_link_up(n, p, &none, 0);
}

static uint32_t link_of(const node *n, const peer *p)
{
    return has_link(n, p->link) ? p->link : MULTIPOINT;
}

/* The other way round: who is meant where a link and an NBMA address are named. */
static peer *peer_of(node *n, uint32_t link, const nhrp_addr *nbma)
{
    return link == MULTIPOINT ? peer_at(n, nbma) : peer_by_link(n, link);
}

/* The tunnel address that a peer registered on the multipoint link. */
static nhrp_addr client_at(const node *n, const nhrp_addr *nbma)
{
    static const nhrp_addr none;
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(n->nhrp, &it, &m) == NHRP_YES)
        if (m.kind == NHRP_MAPPING_REGISTERED && same(&m.nbma, nbma))
            return m.next_hop;
    return none;
}

/* NHRP's own way to a destination: no shortcut, else a renewal would ask the shortcut's end. */
static bool way(const node *n, uint32_t vrf, const nhrp_addr *to, nhrp_addr *prefix,
                mplsvpn_hop *hop)
{
    const mplsvpn_addr address = route_address(to);
    mplsvpn_addr found;
    if (mplsvpn_route_lookup(n->table, vrf + WITHOUT, &address, &found, hop) != MPLSVPN_OK)
        return false;
    memcpy(prefix, &found, sizeof(*prefix));
    return true;
}

static bool is_ours(const node *n, uint32_t vrf, const nhrp_addr *a)
{
    nhrp_addr prefix;
    mplsvpn_hop hop;
    return way(n, vrf, a, &prefix, &hop) && hop.kind == MPLSVPN_HOP_LOCAL;
}

static void answer_route(node *n, uint64_t ask_id)
{
    nhrp_question q = {.struct_size = sizeof(q)};
    nhrp_route r;
    mplsvpn_hop hop;
    if (nhrp_engine_get_question(n->nhrp, ask_id, &q) != NHRP_OK)
        return;
    /* A redirect is sent to whom the packet came from. */
    const nhrp_addr *about = q.purpose == NHRP_PURPOSE_REDIRECT ? &q.source : &q.destination;
    must(nhrp_route_init(&r), "nhrp_route_init");
    r.vrf = q.vrf;
    if (q.purpose == NHRP_PURPOSE_REPLY) {
        r.kind = NHRP_ROUTE_LOCAL;
        r.prefix = q.prefix;
    } else if (q.label_count == 0 && way(n, q.vrf, about, &r.prefix, &hop)) {
        r.kind = hop.kind == MPLSVPN_HOP_LOCAL ? NHRP_ROUTE_LOCAL : NHRP_ROUTE_FORWARD;
        const peer *next = peer_by_link(n, hop.interface_id);
        if (next) {
            r.link = link_of(n, next);
            r.next_hop = client_at(n, &next->nbma);
        }
    }
    if (q.purpose == NHRP_PURPOSE_INDICATION && is_ours(n, q.vrf, &q.source))
        r.flags |= NHRP_ROUTE_SOURCE_LOCAL;
    if (q.purpose == NHRP_PURPOSE_INDICATION && same(&q.destination, &n->recent))
        r.flags |= NHRP_ROUTE_RECENT;
    const nhrp_rc rc = nhrp_engine_answer_route(n->nhrp, now_ms(), ask_id, &r);
    printf("question purpose=%u about=%s answer=%u rc=%s\n", q.purpose, text(about), r.kind,
           nhrp_rc_name(rc));
}

/* A multipoint tunnel reaches every NBMA address: a peer is all it takes. */
static void answer_tunnel(node *n, uint64_t ask_id)
{
    nhrp_question q = {.struct_size = sizeof(q)};
    if (nhrp_engine_get_question(n->nhrp, ask_id, &q) != NHRP_OK)
        return;
    printf("question purpose=%u nbma=%s\n", q.purpose, text(&q.nbma));
    const peer *p = peer_at(n, &q.nbma);
    if (has_link(n, p->link))
        must(nhrp_engine_answer_tunnel(n->nhrp, now_ms(), ask_id, NHRP_TUNNEL_FAILED, 0),
             "nhrp_engine_answer_tunnel");
    else
        control_link_up(n, p, &q.protocol, 0); /* which answers the question */
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"none",     "incomplete", "resolved",
                                        "negative", "registered", "dead"};
    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

static void print_mapping(const char *what, const nhrp_mapping *m)
{
    printf("%s kind=%s prefix=%s", what, kind_name(m->kind), text(&m->prefix));
    printf(" nbma=%s next_hop=%s holding=%u flags=%u mtu=%u\n", text(&m->nbma), text(&m->next_hop),
           m->holding_time_s, m->flags, m->mtu);
}

static void mapping_up(node *n, uint64_t id)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    if (nhrp_engine_get_mapping(n->nhrp, id, &m) != NHRP_OK)
        return;
    print_mapping("mapping-up", &m);
    const mplsvpn_hop hop = {.kind = MPLSVPN_HOP_TUNNEL,
                             .vrf = m.vrf,
                             .interface_id = peer_of(n, m.link, &m.nbma)->link,
                             .next_hop = route_address(&m.next_hop)};
    data_route(n, m.vrf, &m.prefix, &hop);
}

/* What was there before the shortcut is there again. */
static void mapping_down(node *n, uint64_t id)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    mplsvpn_hop hop;
    if (nhrp_engine_get_mapping(n->nhrp, id, &m) != NHRP_OK)
        return;
    print_mapping("mapping-down", &m);
    const mplsvpn_addr prefix = route_address(&m.prefix);
    if (mplsvpn_route_get(n->table, m.vrf + WITHOUT, &prefix, &hop) == MPLSVPN_OK)
        data_route(n, m.vrf, &m.prefix, &hop);
    else
        data_unroute(n, m.vrf, &m.prefix);
}

static void take_event(node *n, const nhrp_event *ev)
{
    switch (ev->kind) {
    case NHRP_EVENT_ASK_ROUTE:
        answer_route(n, ev->ask_id);
        break;
    case NHRP_EVENT_ASK_TUNNEL:
        answer_tunnel(n, ev->ask_id);
        break;
    case NHRP_EVENT_MAPPING_UP:
        mapping_up(n, ev->id);
        break;
    case NHRP_EVENT_MAPPING_DOWN:
        mapping_down(n, ev->id);
        break;
    case NHRP_EVENT_MAPPING_NEGATIVE:
        printf("mapping-negative code=%u\n", ev->code);
        break;
    case NHRP_EVENT_REGISTERED:
        printf("registered link=%u\n", ev->link);
        break;
    case NHRP_EVENT_REGISTRATION_REFUSED:
        printf("registration-refused link=%u code=%u\n", ev->link, ev->code);
        break;
    case NHRP_EVENT_REGISTRATION_LOST:
        printf("registration-lost link=%u\n", ev->link);
        break;
    case NHRP_EVENT_ERROR_INDICATION:
        printf("error-indication link=%u code=%u\n", ev->link, ev->code);
        break;
    case NHRP_EVENT_DUPLICATE_ADDRESS:
        printf("duplicate-address link=%u\n", ev->link);
        break;
    default:
        break;
    }
}

void control_drain(node *n)
{
    nhrp_event ev;
    nhrp_output out;
    while (nhrp_engine_poll_event(n->nhrp, &ev) == NHRP_YES)
        take_event(n, &ev);
    while (nhrp_engine_poll_output(n->nhrp, now_ms(), out_buffer + HEADROOM,
                                   sizeof(out_buffer) - HEADROOM, &out) == NHRP_YES) {
        peer *p = peer_of(n, out.link, &out.to);
        printf("nhrp-out type=%u peer=%s\n", out.type, text(&p->nbma));
        data_send(n, p, GRE_PROTOCOL_NHRP, out_buffer, HEADROOM, out.len);
    }
}

void control_input(node *n, const peer *p, const uint8_t *packet, size_t len)
{
    const nhrp_rc rc = nhrp_engine_input(n->nhrp, now_ms(), link_of(n, p), &p->nbma, packet, len);
    nhrp_packet decoded;
    const bool ok = nhrp_packet_decode(packet, len, &decoded) == NHRP_OK;
    printf("nhrp-in type=%u peer=%s rc=%s\n", ok ? decoded.type : 0u, text(&p->nbma),
           nhrp_rc_name(rc));
    if (n->hex) {
        printf("nhrp-hex ");
        for (size_t i = 0; i < len; i++)
            printf("%02x", packet[i]);
        printf("\n");
    }
    control_drain(n);
}

void control_hairpin(node *n, const peer *in, const peer *out, const uint8_t *packet, size_t len)
{
    if (nhrp_engine_hairpin(n->nhrp, now_ms(), link_of(n, in), link_of(n, out), NULL, 0, packet,
                            len) == NHRP_OK)
        printf("redirect peer=%s\n", text(&in->nbma));
    control_drain(n);
}

void control_show(const node *n)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(n->nhrp, &it, &m) == NHRP_YES)
        print_mapping("mapping", &m);
    nhrp_counters c = {.struct_size = sizeof(c)};
    must(nhrp_engine_get_counters(n->nhrp, INTERFACE, &c), "nhrp_engine_get_counters");
    for (int i = 0; i < NHRP_COUNTER_REASONS; i++)
        if (c.dropped[i] > 0)
            printf("dropped reason=%s count=%" PRIu64 "\n", nhrp_rc_name(NHRP_ERR_TRUNCATED - i),
                   c.dropped[i]);
}
