/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The way out. What is to be sent waits as an intent and becomes a packet in poll_output, so that
 * it says what is true when it leaves.
 */
#include "core.h"

nhrp_rc nhrp__note_new(nhrp_engine *e, uint8_t kind, const nhrp__link *cause, const nhrp__link *out,
                       const uint8_t *bytes, size_t len, nhrp__note **note)
{
    if (e->output_count >= e->cfg.max_outputs || cause->output_count >= e->cfg.max_outputs_per_link)
        return NHRP_ERR_LIMIT;
    nhrp__note *n = alloc_zero(&e->mem, sizeof(*n) + len);
    if (!n)
        return NHRP_ERR_NOMEM;
    n->intent.kind = kind;
    n->link = nhrp__link_refer(out);
    n->cause = nhrp__link_refer(cause);
    n->to = out->cfg.peer_nbma;
    n->len = len;
    if (len > 0)
        memcpy(n->bytes, bytes, len);
    *note = n;
    return NHRP_OK;
}

/* The link whose packet a note is about, as long as it is there; NULL of what is no note. */
static nhrp__link *cause_of(const nhrp_engine *e, nhrp__intent *i)
{
    return i->kind >= INTENT_REPLY ? nhrp__link_get(e, CONTAINER_OF(i, nhrp__note, intent)->cause)
                                   : NULL;
}

void nhrp__intent_queue(nhrp_engine *e, nhrp__intent *i)
{
    if (list_linked(&i->node))
        return;
    list_append(&e->outputs, &i->node);
    e->output_count++;
    nhrp__link *cause = cause_of(e, i);
    if (cause)
        cause->output_count++;
}

/* Takes an intent out; a note is freed, the others live in what they are about. */
void nhrp__intent_cancel(nhrp_engine *e, nhrp__intent *i)
{
    if (!list_linked(&i->node))
        return;
    nhrp__link *cause = cause_of(e, i);
    if (cause)
        cause->output_count--;
    list_remove(&i->node);
    e->output_count--;
    if (i->kind >= INTENT_REPLY) {
        nhrp__note *n = CONTAINER_OF(i, nhrp__note, intent);
        sodium_memzero(n->bytes, n->len); /* with the neighbour's password, perhaps */
        alloc_free(&e->mem, n);
    }
}

void nhrp__intents_end(nhrp_engine *e)
{
    while (!list_empty(&e->outputs))
        nhrp__intent_cancel(e, CONTAINER_OF(e->outputs.next, nhrp__intent, node));
}

void nhrp__binding_make(nhrp_label_binding *b, uint8_t role, const nhrp__labels *labels,
                        const nhrp_addr *prefix)
{
    memset(b, 0, sizeof(*b));
    b->role = role;
    b->label_count = (uint8_t)labels->count;
    memcpy(b->labels, labels->label, sizeof(b->labels));
    b->prefix = addr_prefix(prefix, 0, prefix->prefix_len);
}

nhrp_rc nhrp__labels_put(const nhrp_engine *e, nhrp_writer *w, const nhrp_label_binding *bindings,
                         size_t count)
{
    uint8_t value[LABEL_VALUE_MAX];
    nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value};
    const nhrp_rc rc =
        nhrp_label_encode(bindings, count, e->cfg.vendor_oui, value, sizeof(value), &x.len);
    return rc == NHRP_OK ? nhrp_writer_put_extension(w, &x) : rc;
}

/* How transit records and the responder address name this node: always by the same address. */
static nhrp_cie station(const nhrp__link *l, uint8_t family)
{
    nhrp_cie cie;
    memset(&cie, 0, sizeof(cie));
    cie.holding_time_s = l->interface->cfg.holding_time_s;
    cie.nbma = addr_bare(&l->cfg.local_nbma, 0);
    cie.protocol = nhrp__link_local(l, family);
    return cie;
}

static void put_cies(nhrp_writer *w, const nhrp_packet *p, const uint8_t *codes)
{
    nhrp_cie cie;
    size_t it = 0;
    for (size_t i = 0; nhrp_cie_next(p, &it, &cie) == NHRP_YES; i++) {
        if (i < MAX_REGISTRATION_CIES)
            cie.code = codes[i];
        if (cie.code != NHRP_CODE_SUCCESS)
            cie.holding_time_s = 0; /* RFC 2332 5.2.0.1: on a NAK */
        (void)nhrp_writer_put_cie(w, &cie);
    }
}

/* RFC 2332 5.2.2: the request's extensions come back, in their order, and then those of our own. */
static void put_reply_extensions(nhrp_engine *e, const nhrp__note *n, const nhrp__link *l,
                                 const nhrp_packet *p, nhrp_writer *w)
{
    const nhrp_cie responder = station(l, p->protocol_family);
    nhrp_extension x;
    size_t it = 0;
    bool authenticated = false;
    while (nhrp_extension_next(p, &it, &x) == NHRP_YES) {
        if (x.kind == NHRP_KIND_AUTHENTICATION) {
            nhrp__authentication_put(l, w);
            authenticated = true;
        } else if (x.kind == NHRP_KIND_RESPONDER) {
            x.value = NULL;
            x.len = 0;
            (void)nhrp_writer_put_extension(w, &x);
            (void)nhrp_writer_put_extension_cie(w, &responder);
        } else if (x.kind == NHRP_KIND_NAT) {
            (void)nhrp_writer_put_extension(w, &x);
            if (addr_given(&n->nat.nbma))
                (void)nhrp_writer_put_extension_cie(w, &n->nat);
        } else {
            (void)nhrp_writer_put_extension(w, &x);
        }
    }
    if (n->positive && n->labels.count > 0) {
        const nhrp__labels null = {1, {NHRP_LABEL_IMPLICIT_NULL}};
        const nhrp_addr tunnel = addr_host(&responder.protocol, 0);
        nhrp_label_binding b[2];
        nhrp__binding_make(&b[0], NHRP_ROLE_RESPONDER_VPN, &n->labels, &n->prefix);
        nhrp__binding_make(&b[1], NHRP_ROLE_RESPONDER_OVERLAY, &null, &tunnel);
        (void)nhrp__labels_put(e, w, b, 2);
    }
    if (!authenticated)
        nhrp__authentication_put(l, w);
}

/* draft-detienne-dmvpn 4.7: about IPv6, a second CIE with the link-local address. */
static void put_answer(nhrp_writer *w, const nhrp__note *n)
{
    nhrp_cie second = n->cie;
    (void)nhrp_writer_put_cie(w, &n->cie);
    if (!n->positive || !addr_given(&n->link_local))
        return;
    second.prefix_len = NHRP_PREFIX_HOST;
    second.protocol = addr_bare(&n->link_local, 0);
    (void)nhrp_writer_put_cie(w, &second);
}

static void write_reply(nhrp_engine *e, nhrp__note *n, const nhrp__link *l, const nhrp_packet *p,
                        nhrp_writer *w, uint8_t *buf, size_t cap)
{
    nhrp_packet h = *p;
    h.type = n->type;
    h.hop_count = l->interface->cfg.hop_count;
    if (n->type == NHRP_RESOLUTION_REPLY) {
        h.flags &= NHRP_FLAG_ROUTER | NHRP_FLAG_STABLE_SOURCE | NHRP_FLAG_NAT | NHRP_FLAG_UNIQUE;
        if (n->positive)
            h.flags |= NHRP_FLAG_AUTHORITATIVE | NHRP_FLAG_STABLE_DESTINATION;
    } else if (n->type == NHRP_REGISTRATION_REPLY &&
               addr_equal(&p->destination_protocol, &p->source_protocol)) {
        /* RFC 2332 5.2.3: the client does not know its server's address; now it does. */
        h.destination_protocol = nhrp__link_local(l, p->protocol_family);
    }
    (void)nhrp_writer_begin(w, buf, cap, &h);
    if (n->type == NHRP_RESOLUTION_REPLY)
        put_answer(w, n);
    else
        put_cies(w, p, n->codes);
    put_reply_extensions(e, n, l, p, w);
}

/* RFC 2332 5.3: the order of extensions is kept. 5.3.2, 5.3.3: transit records grow. */
static void write_forward(nhrp_engine *e, nhrp__note *n, const nhrp__link *l, const nhrp_packet *p,
                          nhrp_writer *w, uint8_t *buf, size_t cap)
{
    const nhrp_cie us = station(l, p->protocol_family);
    const uint8_t record =
        p->type == NHRP_RESOLUTION_REQUEST ? NHRP_KIND_FORWARD : NHRP_KIND_REVERSE;
    nhrp_label_binding context;
    nhrp_extension x;
    size_t it = 0;
    bool authenticated = false;
    nhrp__binding_make(&context, NHRP_ROLE_CONTEXT, &n->labels, &n->prefix);
    nhrp__writer_copy(w, buf, cap, p, (uint8_t)(p->hop_count - 1));
    while (nhrp_extension_next(p, &it, &x) == NHRP_YES) {
        const bool labels = n->labels.count > 0 && x.kind == NHRP_KIND_VENDOR &&
                            nhrp_label_check(&x, e->cfg.vendor_oui) == NHRP_YES;
        if (x.kind == NHRP_KIND_AUTHENTICATION) {
            nhrp__authentication_put(l, w);
            authenticated = true;
        } else if (labels) {
            nhrp__label_swap(w, &x, &context);
        } else {
            (void)nhrp_writer_put_extension(w, &x);
            if (n->record && x.kind == record)
                (void)nhrp_writer_put_extension_cie(w, &us);
        }
    }
    if (!authenticated && p->type != NHRP_ERROR_INDICATION)
        nhrp__authentication_put(l, w);
}

/* How much of an offending packet may be quoted: a password is of one hop, an error may travel. */
static size_t quotable(const nhrp_packet *p, size_t room)
{
    nhrp_extension x;
    size_t it = 0, len = p->size;
    while (nhrp_extension_next(p, &it, &x) == NHRP_YES)
        if (x.kind == NHRP_KIND_AUTHENTICATION)
            len = (size_t)(p->extensions - p->bytes);
    return len < room ? len : room;
}

/* RFC 2332 5.2.7 */
static void write_error(const nhrp__note *n, const nhrp__link *l, const nhrp_packet *p,
                        nhrp_writer *w, uint8_t *buf, size_t cap)
{
    nhrp_packet h;
    memset(&h, 0, sizeof(h));
    h.type = NHRP_ERROR_INDICATION;
    h.hop_count = l->interface->cfg.hop_count;
    h.error_code = n->code;
    h.error_offset = n->offset;
    h.source_nbma = l->cfg.local_nbma;
    h.source_protocol = nhrp__link_local(l, p->protocol_family);
    h.destination_protocol = p->source_protocol;
    const size_t quoted = quotable(p, l->interface->cfg.max_packet_size / 2);
    (void)nhrp_writer_begin(w, buf, cap, &h);
    (void)nhrp_writer_put_contents(w, p->bytes, quoted);
}

/* draft-detienne-dmvpn 5.1; the destination is the quoted packet's source, as deployed. */
static void write_indication(nhrp_engine *e, const nhrp__note *n, const nhrp__link *l,
                             nhrp_writer *w, uint8_t *buf, size_t cap)
{
    nhrp_packet h;
    memset(&h, 0, sizeof(h));
    h.type = NHRP_TRAFFIC_INDICATION;
    h.hop_count = l->interface->cfg.hop_count;
    h.source_nbma = l->cfg.local_nbma;
    h.source_protocol = nhrp__link_local(l, n->cie.protocol.family);
    h.destination_protocol = n->cie.protocol;
    (void)nhrp_writer_begin(w, buf, cap, &h);
    (void)nhrp_writer_put_contents(w, n->bytes, n->len);
    if (n->labels.count > 0) {
        nhrp_label_binding b;
        nhrp__binding_make(&b, NHRP_ROLE_CONTEXT, &n->labels, &n->prefix);
        (void)nhrp__labels_put(e, w, &b, 1);
    }
    nhrp__authentication_put(l, w);
}

static void write_note(nhrp_engine *e, nhrp__note *n, const nhrp__link *l, nhrp_writer *w,
                       uint8_t *buf, size_t cap)
{
    nhrp_packet p;
    if (n->intent.kind == INTENT_INDICATION) {
        write_indication(e, n, l, w, buf, cap);
        return;
    }
    if (nhrp_packet_decode(n->bytes, n->len, &p) != NHRP_OK)
        return; /* it was decoded before it was kept */
    if (n->intent.kind == INTENT_REPLY)
        write_reply(e, n, l, &p, w, buf, cap);
    else if (n->intent.kind == INTENT_FORWARD)
        write_forward(e, n, l, &p, w, buf, cap);
    else
        write_error(n, l, &p, w, buf, cap);
}

static nhrp__link *link_of(const nhrp_engine *e, nhrp__intent *i)
{
    switch (i->kind) {
    case INTENT_REQUEST:
        return CONTAINER_OF(i, nhrp__resolution, intent)->link;
    case INTENT_REGISTRATION:
        return CONTAINER_OF(i, nhrp__server, intent)->link;
    case INTENT_PURGE:
        return CONTAINER_OF(i, nhrp__answer, intent)->link;
    default:
        return nhrp__link_get(e, CONTAINER_OF(i, nhrp__note, intent)->link);
    }
}

static nhrp_addr destination_of(const nhrp_engine *e, const nhrp__link *l, nhrp__intent *i)
{
    if (!(l->cfg.flags & NHRP_LINK_MULTIPOINT))
        return l->cfg.peer_nbma;
    if (i->kind == INTENT_REGISTRATION)
        return nhrp__server_nbma(e, CONTAINER_OF(i, nhrp__server, intent));
    if (i->kind == INTENT_PURGE)
        return CONTAINER_OF(i, nhrp__answer, intent)->requester_nbma;
    nhrp_addr none;
    memset(&none, 0, sizeof(none));
    return i->kind >= INTENT_REPLY ? CONTAINER_OF(i, nhrp__note, intent)->to : none;
}

static void write_intent(nhrp_engine *e, nhrp__intent *i, nhrp__link *l, nhrp_writer *w,
                         uint8_t *buf, size_t cap)
{
    memset(w, 0, sizeof(*w));
    switch (i->kind) {
    case INTENT_REQUEST:
        nhrp__resolution_write(e, CONTAINER_OF(i, nhrp__resolution, intent), w, buf, cap);
        break;
    case INTENT_REGISTRATION:
        nhrp__server_write(e, CONTAINER_OF(i, nhrp__server, intent), w, buf, cap);
        break;
    case INTENT_PURGE:
        nhrp__purge_write(e, CONTAINER_OF(i, nhrp__answer, intent), w, buf, cap);
        break;
    default:
        write_note(e, CONTAINER_OF(i, nhrp__note, intent), l, w, buf, cap);
        break;
    }
}

/*
 * Whose share of the send limit an intent uses: a link's own, or, where it is about a packet that
 * came by a link, what that link may cause. So one that floods silences nobody else.
 */
static nhrp__quota *quota_of(const nhrp_engine *e, nhrp__intent *i, nhrp__link **l)
{
    nhrp__link *cause = cause_of(e, i);
    if (cause)
        *l = cause;
    return i->kind >= INTENT_REPLY ? &(*l)->caused : &(*l)->own;
}

/* Whether one more may be sent in this interval; the first refusal is told. */
static bool within_quota(nhrp_engine *e, nhrp__quota *q, const nhrp__link *l)
{
    const nhrp_interface_config *c = &l->interface->cfg;
    if (c->send_limit == 0)
        return true;
    if (e->now_ms - q->from_ms >= c->send_interval_ms) {
        q->from_ms = e->now_ms;
        q->sent = 0;
        q->told = false;
    }
    if (q->sent < c->send_limit)
        return true;
    if (!q->told && ring_free(&e->events) > 0) {
        nhrp_event ev;
        memset(&ev, 0, sizeof(ev));
        ev.kind = NHRP_EVENT_QUOTA;
        ev.reason = NHRP_ERR_RATE;
        ev.link = l->id;
        ev.interface = l->interface->id;
        nhrp__event_push(e, &ev);
        q->told = true;
    }
    return false;
}

nhrp_rc nhrp_engine_poll_output(nhrp_engine *e, uint64_t now_ms, uint8_t *buf, size_t cap,
                                nhrp_output *out)
{
    if (!e || !buf || !out)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    while (!list_empty(&e->outputs)) {
        nhrp__intent *i = CONTAINER_OF(e->outputs.next, nhrp__intent, node);
        nhrp__link *l = link_of(e, i);
        const nhrp_addr to = l ? destination_of(e, l, i) : (nhrp_addr){0};
        if (!addr_given(&to)) { /* the link has gone, or nothing tells where the peer is */
            nhrp__intent_cancel(e, i);
            continue;
        }
        nhrp__interface *interface = l->interface;
        nhrp__link *payer = l;
        nhrp__quota *quota = quota_of(e, i, &payer);
        if (!within_quota(e, quota, payer)) {
            (void)nhrp__drop(interface, NHRP_ERR_RATE);
            nhrp__intent_cancel(e, i);
            continue;
        }
        nhrp_writer w;
        size_t len = 0;
        write_intent(e, i, l, &w, buf, cap);
        const nhrp_rc rc = nhrp_writer_end(&w, &len);
        if (rc == NHRP_ERR_SIZE || len > interface->cfg.max_packet_size) {
            (void)nhrp__drop(interface, NHRP_ERR_SIZE);
            nhrp__intent_cancel(e, i);
            continue;
        }
        if (rc == NHRP_ERR_BUFFER) {
            out->len = len;
            return rc;
        }
        if (rc != NHRP_OK) {
            nhrp__intent_cancel(e, i);
            continue;
        }
        nhrp__authentication_finish(l, buf, len);
        memset(out, 0, sizeof(*out));
        out->link = l->id;
        out->type = w.type;
        out->len = len;
        out->to = to;
        quota->sent++;
        interface->counters.sent[w.type]++;
        if (i->kind == INTENT_FORWARD)
            interface->counters.forwarded[w.type]++;
        nhrp__intent_cancel(e, i);
        return NHRP_YES;
    }
    return NHRP_OK;
}
