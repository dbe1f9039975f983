/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A packet's way in: decode, authenticate, look at the extensions, hand it to its type, or pass it
 * on. What is dropped is counted by reason.
 */
#include "core.h"

nhrp_rc nhrp__drop(nhrp__interface *i, nhrp_rc why)
{
    const int32_t reason = NHRP_ERR_TRUNCATED - why;
    if (reason >= 0 && reason < NHRP_COUNTER_REASONS)
        i->counters.dropped[reason]++;
    return why;
}

/*
 * Queues an Error Indication about the packet to whoever sent it over this link: the link's peer,
 * or from. RFC 2332 5.2.7: never about an error. Where there is no room for it, or one link caused
 * many, it is left out.
 */
nhrp_rc nhrp__refuse(nhrp_engine *e, nhrp__link *l, const nhrp_addr *from, const nhrp_packet *p,
                     nhrp_rc why, uint16_t error_code)
{
    nhrp__note *n;
    if (p->type == NHRP_ERROR_INDICATION || error_code == 0 || !addr_given(&p->source_protocol))
        return why;
    if (e->now_ms - l->errors_from_ms >= ERROR_WINDOW_MS) {
        l->errors_from_ms = e->now_ms;
        l->errors = 0;
    }
    if (l->errors >= ERRORS_PER_WINDOW ||
        nhrp__note_new(e, INTENT_ERROR, l, l, p->bytes, p->size, &n) != NHRP_OK)
        return why;
    l->errors++;
    n->code = error_code;
    if (from && addr_given(from))
        n->to = *from;
    nhrp__intent_queue(e, &n->intent);
    return why;
}

static nhrp_rc scan_labels(const nhrp_engine *e, const nhrp_extension *x, nhrp__scan *s)
{
    const nhrp_rc is = nhrp_label_check(x, e->cfg.vendor_oui);
    nhrp_label_binding b;
    size_t it = 0;
    if (is != NHRP_YES)
        return is;
    s->label_extensions++;
    while (nhrp_label_next(x, &it, &b) == NHRP_YES) {
        if (b.role == NHRP_ROLE_CONTEXT) {
            s->context = b;
            s->contexts++;
        } else if (b.role == NHRP_ROLE_RESPONDER_VPN) {
            s->vpn = b;
            s->vpns++;
        } else if (b.role == NHRP_ROLE_RESPONDER_OVERLAY) {
            s->overlay = b;
            s->overlays++;
        }
    }
    return NHRP_OK;
}

/* RFC 2332 5.3: any type but vendor-private occurs once. */
static bool once(nhrp_extension *slot, const nhrp_extension *x)
{
    if (slot->kind != NHRP_KIND_UNKNOWN)
        return false;
    *slot = *x;
    return true;
}

nhrp_rc nhrp__scan_extensions(const nhrp_engine *e, const nhrp_packet *p, nhrp__scan *s)
{
    nhrp_extension x;
    size_t it = 0;
    memset(s, 0, sizeof(*s));
    s->error_code = NHRP_ERROR_INVALID_EXTENSION;
    while (nhrp_extension_next(p, &it, &x) == NHRP_YES) {
        bool ok = true;
        switch (x.kind) {
        case NHRP_KIND_RESPONDER:
            ok = once(&s->responder, &x);
            break;
        case NHRP_KIND_FORWARD:
            ok = once(&s->forward, &x);
            break;
        case NHRP_KIND_REVERSE:
            ok = once(&s->reverse, &x);
            break;
        case NHRP_KIND_NAT:
            ok = once(&s->nat, &x);
            break;
        case NHRP_KIND_AUTHENTICATION:
            if (!once(&s->authentication, &x)) {
                s->error_code = NHRP_ERROR_PROTOCOL;
                return NHRP_ERR_EXTENSION;
            }
            break;
        case NHRP_KIND_VENDOR:
            if (scan_labels(e, &x, s) < 0)
                return NHRP_ERR_LABEL;
            break;
        case NHRP_KIND_CAPABILITIES:
            break;
        default:
            s->unknown_compulsory |= x.compulsory != 0;
            break;
        }
        if (!ok)
            return NHRP_ERR_EXTENSION;
    }
    s->error_code = 0;
    return NHRP_OK;
}

/* Whether a transit record or responder address names an address of ours (RFC 2332 5.3.1-5.3.3). */
static bool names_us(const nhrp_engine *e, const nhrp_packet *p, const nhrp_extension *x)
{
    nhrp_cie cie;
    size_t it = 0;
    if (x->kind == NHRP_KIND_UNKNOWN)
        return false;
    while (nhrp_extension_next_cie(p, x, &it, &cie) == NHRP_YES)
        if (addr_given(&cie.protocol) && nhrp__address_ours(e, &cie.protocol))
            return true;
    return false;
}

/*
 * Passes a reply, purge or error on towards an address: to the link that is known to lead there,
 * else where the caller says. Loops end here: RFC 2332 5.3.1, 5.3.3, 5.2.7.
 */
nhrp_rc nhrp__transit(nhrp_engine *e, const nhrp__arrival *a, const nhrp_addr *destination)
{
    const nhrp_packet *p = &a->pkt;
    const bool reply = p->type == NHRP_RESOLUTION_REPLY || p->type == NHRP_PURGE_REPLY ||
                       p->type == NHRP_REGISTRATION_REPLY;
    if (p->type == NHRP_ERROR_INDICATION && nhrp__address_ours(e, &p->source_protocol))
        return NHRP_ERR_LOOP;
    if (names_us(e, p, reply ? &a->scan.reverse : &a->scan.forward) ||
        (reply && names_us(e, p, &a->scan.responder)))
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_LOOP, NHRP_ERROR_LOOP_DETECTED);
    if (p->hop_count == 0)
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_HOP_COUNT, NHRP_ERROR_HOP_COUNT);

    const bool record = reply && !a->scan.unknown_compulsory;
    nhrp__link *out = nhrp__link_by_protocol(e, a->link->interface->cfg.network_id, destination);
    if (out)
        return nhrp__forward(e, a->link, a->from, out, p, NULL, record);

    const nhrp__mapping *client = nhrp__client_find(e, destination, a->link->cfg.vrf);
    nhrp_route route;
    if (client && client->link) {
        (void)nhrp_route_init(&route);
        route.next_hop = client->prefix;
        return nhrp__forward(e, a->link, a->from, client->link, p, &route, record);
    }

    nhrp_question asked;
    memset(&asked, 0, sizeof(asked));
    asked.purpose = NHRP_PURPOSE_TRANSIT;
    asked.destination = addr_bare(destination, 0);
    asked.source = addr_bare(&p->source_protocol, 0);
    if (nhrp__question_same(a->link, &asked, p->request_id))
        return NHRP_ERR_REPEATED;
    nhrp__question *q;
    const nhrp_rc rc = nhrp__question_new(e, a->link, NHRP_PURPOSE_TRANSIT, p->bytes, p->size, &q);
    if (rc != NHRP_OK)
        return rc;
    q->request_id = p->request_id;
    if (a->from)
        q->from = *a->from;
    q->asked.destination = asked.destination;
    q->asked.source = asked.source;
    nhrp__question_ask(e, q);
    return NHRP_OK;
}

/*
 * An Error Indication carries no authentication, so it is believed only where it quotes a request
 * of ours that is pending on this very link, and then only makes the next retry come sooner.
 */
static nhrp_rc error_input(nhrp_engine *e, const nhrp__arrival *a)
{
    const nhrp_packet *p = &a->pkt;
    nhrp_packet quoted;
    if (!addr_given(&p->destination_protocol))
        return NHRP_ERR_FORMAT;
    if (!nhrp__address_ours(e, &p->destination_protocol))
        return nhrp__transit(e, a, &p->destination_protocol);
    if (!p->contents || nhrp_packet_decode_quoted(p->contents, p->contents_len, &quoted) != NHRP_OK)
        return NHRP_ERR_QUOTED;
    if (!nhrp__address_ours(e, &quoted.source_protocol))
        return NHRP_ERR_UNSOLICITED;

    nhrp_event ev;
    memset(&ev, 0, sizeof(ev));
    nhrp_rc rc = NHRP_ERR_UNSOLICITED;
    switch (quoted.type) {
    case NHRP_RESOLUTION_REQUEST:
        rc = nhrp__resolution_hurry(e, quoted.request_id, &quoted, a->link, &ev.id);
        break;
    case NHRP_REGISTRATION_REQUEST:
        rc = nhrp__server_hurry(e, a, quoted.request_id, &ev.id);
        break;
    default: /* purges are retried anyway, and nothing else of ours waits */
        break;
    }
    if (rc != NHRP_OK)
        return rc;
    ev.kind = NHRP_EVENT_ERROR_INDICATION;
    ev.link = a->link->id;
    ev.interface = a->link->interface->id;
    ev.vrf = a->link->cfg.vrf;
    ev.code = p->error_code;
    nhrp__event_push(e, &ev);
    return NHRP_OK;
}

static nhrp_rc dispatch(nhrp_engine *e, const nhrp__arrival *a)
{
    switch (a->pkt.type) {
    case NHRP_RESOLUTION_REQUEST:
        return nhrp__request_input(e, a);
    case NHRP_RESOLUTION_REPLY:
        return nhrp__reply_input(e, a);
    case NHRP_REGISTRATION_REQUEST:
        return nhrp__registration_input(e, a);
    case NHRP_REGISTRATION_REPLY:
        return nhrp__registration_reply_input(e, a);
    case NHRP_PURGE_REQUEST:
        return nhrp__purge_input(e, a);
    case NHRP_PURGE_REPLY:
        return nhrp__purge_reply_input(e, a);
    default:
        return nhrp__indication_input(e, a);
    }
}

static nhrp_rc take(nhrp_engine *e, nhrp__arrival *a, const uint8_t *buf, size_t len)
{
    nhrp__interface *i = a->link->interface;
    nhrp_rc rc = nhrp_packet_decode(buf, len, &a->pkt);
    i->counters.received[rc == NHRP_OK ? a->pkt.type : 0]++;
    if (rc != NHRP_OK)
        return rc;
    const nhrp_packet *p = &a->pkt;
    rc = nhrp__scan_extensions(e, p, &a->scan);
    if (p->type == NHRP_ERROR_INDICATION)
        return error_input(e, a);
    if (!nhrp__authentication_ok(i, p, &a->scan.authentication))
        return nhrp__refuse(e, a->link, a->from, p, NHRP_ERR_AUTHENTICATION,
                            NHRP_ERROR_AUTHENTICATION);
    if (rc != NHRP_OK)
        return nhrp__refuse(e, a->link, a->from, p, rc, a->scan.error_code);
    return dispatch(e, a);
}

nhrp_rc nhrp_engine_input(nhrp_engine *e, uint64_t now_ms, uint32_t link, const nhrp_addr *from,
                          const uint8_t *buf, size_t len)
{
    if (!e || !buf || (from && !addr_valid(from)))
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    nhrp__arrival a;
    memset(&a, 0, sizeof(a));
    a.link = nhrp__link_find(e, link);
    if (!a.link)
        return NHRP_ERR_ABSENT;
    if ((a.link->cfg.flags & NHRP_LINK_MULTIPOINT) && (!from || !addr_given(from)))
        return NHRP_ERR_ARG;
    if (!nhrp__room(e))
        return NHRP_ERR_LIMIT;
    a.from = (a.link->cfg.flags & NHRP_LINK_MULTIPOINT) ? from : NULL;
    nhrp__interface *i = a.link->interface;
    const nhrp_rc rc = take(e, &a, buf, len);
    return rc < 0 ? nhrp__drop(i, rc) : rc;
}
