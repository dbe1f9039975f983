/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Our servers: the client's side of registrations (RFC 2332 5.2.3). A link with NHRP_LINK_REGISTER
 * has one per address family, others are added to it; each has its own state:
 *
 *     STANDBY --chosen--> ASKED --reply--> REGISTERED --no answers, or a refusal--> DOWN
 *        ^                  |                 |   ^                                  |  ^
 *        |                  |                 |   +------------- reply --------------+  |
 *        |                  +-----------------|---- no answers, or a refusal -----------+
 *        +---- enough better ones ------------+
 *
 * Where an interface wants few servers at once, the best are asked first. One that is DOWN does not
 * count but is asked again and again, so that its return is noticed.
 */
#include "core.h"

#include <internal/versioned.h>

static void set_state(nhrp__server *s, uint8_t state)
{
    static const uint32_t allowed[] = {
        [NHRP_SERVER_STANDBY] = 1u << NHRP_SERVER_ASKED,
        [NHRP_SERVER_ASKED] =
            1u << NHRP_SERVER_STANDBY | 1u << NHRP_SERVER_REGISTERED | 1u << NHRP_SERVER_DOWN,
        [NHRP_SERVER_REGISTERED] =
            1u << NHRP_SERVER_STANDBY | 1u << NHRP_SERVER_REGISTERED | 1u << NHRP_SERVER_DOWN,
        [NHRP_SERVER_DOWN] =
            1u << NHRP_SERVER_STANDBY | 1u << NHRP_SERVER_REGISTERED | 1u << NHRP_SERVER_DOWN};
    if (allowed[s->state] & 1u << state)
        s->state = state;
}

static void push(nhrp_engine *e, const nhrp__server *s, uint32_t kind, uint32_t code,
                 int32_t reason)
{
    nhrp_event ev;
    memset(&ev, 0, sizeof(ev));
    ev.kind = kind;
    ev.reason = reason;
    ev.id = s->id;
    ev.code = code;
    ev.link = s->link->id;
    ev.interface = s->link->interface->id;
    ev.vrf = s->link->cfg.vrf;
    nhrp__event_push(e, &ev);
}

/* Where its packets go: as configured, or as the mapping of its tunnel address says. */
nhrp_addr nhrp__server_nbma(const nhrp_engine *e, const nhrp__server *s)
{
    if (addr_given(&s->nbma))
        return s->nbma;
    const nhrp__mapping *m = nhrp__client_find(e, &s->protocol, s->link->cfg.vrf);
    nhrp_addr none;
    memset(&none, 0, sizeof(none));
    return m && m->link == s->link ? m->nbma : none;
}

/* Retries keep the id, the next registration has the next one. */
static void transmit(nhrp_engine *e, nhrp__server *s)
{
    if (s->transmissions == 0)
        s->request_id = ++e->last_registration_id;
    uint64_t next =
        e->now_ms + nhrp__backoff(e->cfg.retransmit_ms, e->cfg.retransmit_max_ms, s->transmissions);
    if (s->state == NHRP_SERVER_REGISTERED && next > s->registered_until_ms)
        next = s->registered_until_ms;
    s->transmissions++;
    nhrp__intent_queue(e, &s->intent);
    nhrp__timer_set(e, &s->timer, next);
}

/* The caller is told of the end of what it was told of. */
static void unregister(nhrp_engine *e, nhrp__server *s, int32_t reason)
{
    if (s->told)
        push(e, s, NHRP_EVENT_REGISTRATION_LOST, 0, reason);
    s->told = false;
}

static void ask(nhrp_engine *e, nhrp__server *s)
{
    set_state(s, NHRP_SERVER_ASKED);
    transmit(e, s);
}

static void stand_by(nhrp_engine *e, nhrp__server *s)
{
    unregister(e, s, NHRP_ERR_LIMIT);
    set_state(s, NHRP_SERVER_STANDBY);
    s->transmissions = 0;
    nhrp__intent_cancel(e, &s->intent);
    nhrp__timer_set(e, &s->timer, HEAP_NEVER);
}

/* The servers of an interface for one family: how many there are in a state, and which matter. */
typedef struct survey {
    uint32_t registered, asked;
    nhrp__server *best;             /* on standby */
    nhrp__server *worst_registered; /* among equals the one that changed, else the last */
    nhrp__server *worst_asked;
} survey;

static void take_worse(nhrp__server **worst, nhrp__server *s, const nhrp__server *changed)
{
    if (!*worst || s->priority > (*worst)->priority ||
        (s->priority == (*worst)->priority && *worst != changed))
        *worst = s;
}

static survey look(const nhrp_engine *e, const nhrp__interface *i, uint8_t family,
                   const nhrp__server *changed)
{
    survey v;
    memset(&v, 0, sizeof(v));
    for (list_node *n = e->servers.next; n != &e->servers; n = n->next) {
        nhrp__server *s = CONTAINER_OF(n, nhrp__server, node);
        if (s->link->interface != i || s->family != family)
            continue;
        if (s->state == NHRP_SERVER_REGISTERED) {
            v.registered++;
            take_worse(&v.worst_registered, s, changed);
        } else if (s->state == NHRP_SERVER_ASKED) {
            v.asked++;
            take_worse(&v.worst_asked, s, changed);
        } else if (s->state == NHRP_SERVER_STANDBY && (!v.best || s->priority < v.best->priority)) {
            v.best = s;
        }
    }
    return v;
}

static bool better(const nhrp__server *s, const nhrp__server *than)
{
    return than && s->priority < than->priority;
}

/*
 * Has as many servers asked as the interface wants, and those that are better than one of them: no
 * server is left before a better one has answered. A lower priority is better; among equals those
 * that are registered stay.
 */
static void choose(nhrp_engine *e, const nhrp__interface *i, uint8_t family,
                   const nhrp__server *changed)
{
    const uint32_t wanted = i->cfg.max_registrations ? i->cfg.max_registrations : UINT32_MAX;
    for (;;) {
        const survey v = look(e, i, family, changed);
        if (v.registered > wanted)
            stand_by(e, v.worst_registered);
        else if (v.registered == wanted && v.asked > 0 &&
                 !better(v.worst_asked, v.worst_registered))
            stand_by(e, v.worst_asked);
        else if (v.best && (v.registered + v.asked < wanted || better(v.best, v.worst_registered) ||
                            better(v.best, v.worst_asked)))
            ask(e, v.best);
        else
            return;
    }
}

static void choose_beside(nhrp_engine *e, const nhrp__server *s)
{
    choose(e, s->link->interface, s->family, s);
}

void nhrp__server_due(nhrp_engine *e, nhrp__server *s)
{
    const bool silent = s->transmissions >= e->cfg.max_transmissions;
    const bool expired = s->state == NHRP_SERVER_REGISTERED && e->now_ms >= s->registered_until_ms;
    if (s->state != NHRP_SERVER_DOWN && (silent || expired)) {
        unregister(e, s, 0);
        set_state(s, NHRP_SERVER_DOWN);
        choose_beside(e, s);
    }
    transmit(e, s);
}

/* A server on standby, in the lists of the engine and the link. */
static nhrp_rc server_new(nhrp_engine *e, nhrp__link *l, uint8_t family, nhrp__server **out)
{
    nhrp__server *s = alloc_zero(&e->mem, sizeof(*s));
    if (!s)
        return NHRP_ERR_NOMEM;
    s->timer.kind = TIMER_REGISTRATION;
    if (!heap_join(&e->timers, &e->mem, &s->timer.node)) {
        alloc_free(&e->mem, s);
        return NHRP_ERR_NOMEM;
    }
    s->id = ++e->last_id;
    s->link = l;
    s->family = family;
    s->state = NHRP_SERVER_STANDBY;
    s->intent.kind = INTENT_REGISTRATION;
    list_append(&e->servers, &s->node);
    list_append(&l->servers, &s->link_node);
    *out = s;
    return NHRP_OK;
}

void nhrp__server_end(nhrp_engine *e, nhrp__server *s)
{
    const nhrp__interface *i = s->link->interface;
    const uint8_t family = s->family;
    nhrp__intent_cancel(e, &s->intent);
    heap_leave(&e->timers, &s->timer.node);
    list_remove(&s->node);
    list_remove(&s->link_node);
    e->server_count -= s->added;
    alloc_free(&e->mem, s);
    choose(e, i, family, NULL);
}

static nhrp_addr peer_of(const nhrp__link *l, uint8_t family)
{
    return family == NHRP_FAMILY_IPV4 ? l->cfg.peer_protocol_ipv4 : l->cfg.peer_protocol_ipv6;
}

/* A packet registers addresses of one family, so each family has a server of its own. */
static bool registers(const nhrp__link *l, uint8_t family)
{
    const bool ipv4 = addr_given(&l->cfg.local_protocol_ipv4);
    if (family == NHRP_FAMILY_IPV4)
        return ipv4;
    /* Who is known by IPv4 alone may not serve IPv6. */
    return addr_given(&l->cfg.local_protocol_ipv6) &&
           (!ipv4 || addr_given(&l->cfg.peer_protocol_ipv6));
}

/* The servers that the only peer of a link is. */
nhrp_rc nhrp__servers_of_link(nhrp_engine *e, nhrp__link *l)
{
    static const uint8_t families[] = {NHRP_FAMILY_IPV4, NHRP_FAMILY_IPV6};
    nhrp__server *s;
    for (size_t i = 0; i < sizeof(families) && (l->cfg.flags & NHRP_LINK_REGISTER); i++) {
        if (!registers(l, families[i]))
            continue;
        const nhrp_rc rc = server_new(e, l, families[i], &s);
        if (rc != NHRP_OK) {
            while (!list_empty(&l->servers))
                nhrp__server_end(e, CONTAINER_OF(l->servers.next, nhrp__server, link_node));
            return rc;
        }
        s->priority = l->cfg.priority;
        s->protocol = peer_of(l, families[i]);
        s->nbma = l->cfg.peer_nbma;
    }
    return NHRP_OK;
}

void nhrp__servers_begin(nhrp_engine *e, nhrp__link *l)
{
    for (list_node *n = l->servers.next; n != &l->servers; n = n->next)
        choose_beside(e, CONTAINER_OF(n, nhrp__server, link_node));
}

/* What the servers know is true no more: whoever is asked at all is asked anew, at once. */
void nhrp__servers_renew(nhrp_engine *e, nhrp__link *l)
{
    for (list_node *n = l->servers.next; n != &l->servers; n = n->next) {
        nhrp__server *s = CONTAINER_OF(n, nhrp__server, link_node);
        if (s->state == NHRP_SERVER_STANDBY)
            continue;
        s->transmissions = 0;
        transmit(e, s);
    }
}

/* A station that registers itself leaves the client addresses out: they are the packet's own. */
void nhrp__server_write(const nhrp_engine *e, nhrp__server *s, nhrp_writer *w, uint8_t *buf,
                        size_t cap)
{
    static const uint16_t asked_for[] = {NHRP_EXTENSION_RESPONDER, NHRP_EXTENSION_FORWARD,
                                         NHRP_EXTENSION_REVERSE};
    const nhrp__link *l = s->link;
    const nhrp_interface_config *c = &l->interface->cfg;
    nhrp_packet h;
    nhrp_cie cie;
    memset(&h, 0, sizeof(h));
    memset(&cie, 0, sizeof(cie));
    h.type = NHRP_REGISTRATION_REQUEST;
    h.hop_count = c->hop_count;
    if (l->cfg.flags & NHRP_LINK_UNIQUE)
        h.flags = NHRP_FLAG_REGISTRATION_UNIQUE;
    if (c->flags & NHRP_INTERFACE_NAT)
        h.flags |= NHRP_FLAG_NAT;
    h.request_id = s->request_id;
    h.source_nbma = l->cfg.local_nbma;
    h.source_protocol = nhrp__link_local(l, s->family);
    h.destination_protocol = addr_given(&s->protocol) ? s->protocol : h.source_protocol;
    cie.prefix_len = NHRP_PREFIX_HOST;
    cie.holding_time_s = c->holding_time_s;
    (void)nhrp_writer_begin(w, buf, cap, &h);
    (void)nhrp_writer_put_cie(w, &cie);
    for (size_t i = 0; i < sizeof(asked_for) / sizeof(asked_for[0]); i++) {
        const nhrp_extension x = {.type = asked_for[i], .compulsory = 1};
        (void)nhrp_writer_put_extension(w, &x);
    }
    if (c->flags & NHRP_INTERFACE_NAT) {
        /* As deployed: the server's addresses, its tunnel address all zero where it is unknown. */
        const nhrp_addr nbma = nhrp__server_nbma(e, s);
        nhrp_addr protocol = s->protocol;
        protocol.family = s->family;
        const nhrp_cie server = nhrp__nat_cie(&nbma, &protocol);
        nhrp__nat_put(w, &server);
    }
    nhrp__authentication_put(l, w);
}

/* The server that waits for an answer to this request, and from where it must come. */
static nhrp__server *waiting(const nhrp_engine *e, const nhrp__arrival *a, uint32_t request_id)
{
    for (list_node *n = a->link->servers.next; n != &a->link->servers; n = n->next) {
        nhrp__server *s = CONTAINER_OF(n, nhrp__server, link_node);
        if (s->transmissions == 0 || s->request_id != request_id)
            continue;
        const nhrp_addr nbma = nhrp__server_nbma(e, s);
        return !a->from || addr_equal(a->from, &nbma) ? s : NULL;
    }
    return NULL;
}

/* An Error Indication that quotes a registration of ours brings its retry forward, no more. */
nhrp_rc nhrp__server_hurry(nhrp_engine *e, const nhrp__arrival *a, uint32_t request_id,
                           uint64_t *id)
{
    nhrp__server *s = waiting(e, a, request_id);
    const uint64_t sooner = e->now_ms + e->cfg.retransmit_ms;
    if (!s)
        return NHRP_ERR_UNSOLICITED;
    if (sooner < s->timer.node.deadline)
        nhrp__timer_set(e, &s->timer, sooner);
    *id = s->id;
    return NHRP_OK;
}

static void refused(nhrp_engine *e, nhrp__server *s, uint8_t code)
{
    push(e, s, NHRP_EVENT_REGISTRATION_REFUSED, code, 0);
    s->told = false;
    set_state(s, NHRP_SERVER_DOWN);
    nhrp__timer_set(e, &s->timer, e->now_ms + e->cfg.retransmit_max_ms);
    choose_beside(e, s);
}

static void registered(nhrp_engine *e, nhrp__server *s, const nhrp_packet *p)
{
    const uint64_t holding_ms = (uint64_t)s->link->interface->cfg.holding_time_s * 1000;
    set_state(s, NHRP_SERVER_REGISTERED);
    s->registered_until_ms = e->now_ms + holding_ms;
    /* RFC 2332 5.2.3: at a third of the holding time. */
    nhrp__timer_set(e, &s->timer, e->now_ms + holding_ms / 3);
    choose_beside(e, s);
    if (s->state != NHRP_SERVER_REGISTERED)
        return;
    if (!s->told)
        push(e, s, NHRP_EVENT_REGISTERED, 0, 0);
    s->told = true;
    if ((s->link->interface->cfg.flags & NHRP_INTERFACE_NAT) && nhrp__nat_learn(s->link, s, p)) {
        push(e, s, NHRP_EVENT_TRANSLATED, 0, 0);
        nhrp__nat_outdated(e, s->link);
    }
}

nhrp_rc nhrp__registration_reply_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    if (!addr_given(&p->source_protocol))
        return NHRP_ERR_FORMAT;
    if (!nhrp__address_ours(e, &p->source_protocol))
        return nhrp__transit(e, a, &p->source_protocol);
    nhrp__server *s = waiting(e, a, p->request_id);
    if (!s)
        return NHRP_ERR_UNSOLICITED;
    if (a->scan.unknown_compulsory)
        return NHRP_ERR_COMPULSORY;
    nhrp_cie cie;
    size_t it = 0, cies = 0;
    uint8_t code = NHRP_CODE_SUCCESS;
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES) {
        cies++;
        if (code == NHRP_CODE_SUCCESS)
            code = cie.code;
    }
    if (cies == 0)
        return NHRP_ERR_CIE;
    nhrp__intent_cancel(e, &s->intent);
    s->transmissions = 0;
    if (code != NHRP_CODE_SUCCESS)
        refused(e, s, code);
    else
        registered(e, s, p);
    return NHRP_OK;
}

/* ---- Servers that the caller adds. ---- */

nhrp_rc nhrp_server_config_init(nhrp_server_config *cfg)
{
    if (!cfg)
        return NHRP_ERR_ARG;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    return NHRP_OK;
}

static bool config_ok(const nhrp_engine *e, const nhrp__link *l, const nhrp_server_config *c)
{
    const bool multipoint = (l->cfg.flags & NHRP_LINK_MULTIPOINT) != 0;
    if ((c->flags & ~(uint32_t)NHRP_SERVER_MULTICAST) || !addr_valid(&c->protocol) ||
        !addr_valid(&c->nbma) || (addr_given(&c->protocol) && nhrp__address_ours(e, &c->protocol)))
        return false;
    /* Without an NBMA address its tunnel address must lead to one. */
    if (multipoint && !addr_given(&c->nbma) && !addr_given(&c->protocol))
        return false;
    return !addr_given(&c->nbma) || (c->nbma.family == l->cfg.local_nbma.family &&
                                     (multipoint || addr_equal(&c->nbma, &l->cfg.peer_nbma)));
}

/* The family that is registered: that of the server's tunnel address, or IPv4 where we have it. */
static uint8_t family_of(const nhrp__link *l, const nhrp_server_config *c)
{
    if (addr_given(&c->protocol))
        return c->protocol.family;
    return addr_given(&l->cfg.local_protocol_ipv4) ? NHRP_FAMILY_IPV4 : NHRP_FAMILY_IPV6;
}

nhrp_rc nhrp_engine_server_add(nhrp_engine *e, uint64_t now_ms, const nhrp_server_config *cfg,
                               uint64_t *id)
{
    nhrp_server_config c;
    nhrp__server *s;
    if (!e || !cfg || !id)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    (void)nhrp_server_config_init(&c);
    if (!versioned_read(&c, sizeof(c), sizeof(c), cfg))
        return NHRP_ERR_ARG;
    nhrp__link *l = nhrp__link_find(e, c.link);
    if (!l)
        return NHRP_ERR_ABSENT;
    if (!config_ok(e, l, &c))
        return NHRP_ERR_ARG;
    const uint8_t family = family_of(l, &c);
    const nhrp_addr *local =
        family == NHRP_FAMILY_IPV4 ? &l->cfg.local_protocol_ipv4 : &l->cfg.local_protocol_ipv6;
    if (!addr_given(local))
        return NHRP_ERR_ARG;
    if (e->server_count >= e->cfg.max_servers || !nhrp__room(e))
        return NHRP_ERR_LIMIT;
    const nhrp_rc rc = server_new(e, l, family, &s);
    if (rc != NHRP_OK)
        return rc;
    s->added = true;
    e->server_count++;
    s->multicast = (c.flags & NHRP_SERVER_MULTICAST) != 0;
    s->priority = c.priority;
    s->protocol = addr_bare(&c.protocol, 0);
    s->nbma = addr_given(&c.nbma) ? addr_bare(&c.nbma, 0) : l->cfg.peer_nbma;
    *id = s->id;
    choose_beside(e, s);
    return NHRP_OK;
}

static nhrp__server *find(const nhrp_engine *e, uint64_t id)
{
    for (list_node *n = e->servers.next; n != &e->servers; n = n->next) {
        nhrp__server *s = CONTAINER_OF(n, nhrp__server, node);
        if (s->id == id)
            return s;
    }
    return NULL;
}

nhrp_rc nhrp_engine_server_remove(nhrp_engine *e, uint64_t now_ms, uint64_t id)
{
    if (!e)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__server *s = find(e, id);
    if (!s)
        return NHRP_ERR_ABSENT;
    nhrp__server_end(e, s);
    return NHRP_OK;
}

nhrp_rc nhrp_engine_next_server(const nhrp_engine *e, uint64_t *it, nhrp_server *out)
{
    if (!e || !it || !out)
        return NHRP_ERR_ARG;
    for (list_node *n = e->servers.next; n != &e->servers; n = n->next) {
        const nhrp__server *s = CONTAINER_OF(n, nhrp__server, node);
        if (s->id <= *it)
            continue;
        nhrp_server v;
        memset(&v, 0, sizeof(v));
        v.struct_size = sizeof(v);
        v.state = s->state;
        v.id = s->id;
        v.link = s->link->id;
        v.interface = s->link->interface->id;
        v.priority = s->priority;
        v.transmissions = s->transmissions;
        v.registered_until_ms = s->state == NHRP_SERVER_REGISTERED ? s->registered_until_ms : 0;
        v.protocol = s->protocol;
        v.nbma = nhrp__server_nbma(e, s);
        if (!versioned_write(out, &v, sizeof(v), sizeof(v)))
            return NHRP_ERR_ARG;
        *it = s->id;
        return NHRP_YES;
    }
    return NHRP_OK;
}
