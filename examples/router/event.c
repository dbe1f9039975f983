/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the caller is told: a ring that grows up to a ceiling, and each event as a line of text.
 *
 * Beyond the ceiling events for the log are lost and counted; nothing stalls because nobody reads
 * them. What the caller must act on has slots of its own.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS_FIRST = 64, EVENTS_MAX = 8192, EVENTS_RESERVED = 1024 };

bool rt_events_init(router *r)
{
    r->events.items = alloc_array(&r->mem, EVENTS_FIRST, sizeof(*r->events.items));
    r->events.cap = r->events.items ? EVENTS_FIRST : 0;
    return r->events.items != NULL;
}

void rt_event_init(router_event *ev, uint32_t kind)
{
    memset(ev, 0, sizeof(*ev));
    ev->kind = kind;
    ev->label = ev->label2 = ROUTER_NO_LABEL;
}

static bool events_grow(router *r)
{
    rt_events *q = &r->events;
    router_event *items = alloc_array(&r->mem, q->cap * 2, sizeof(*items));
    if (!items)
        return false;
    for (size_t i = 0; i < q->count; i++)
        items[i] = q->items[(q->head + i) % q->cap];
    alloc_free(&r->mem, q->items);
    q->items = items;
    q->cap *= 2;
    q->head = 0;
    return true;
}

static bool events_put(router *r, const router_event *ev, size_t ceiling)
{
    rt_events *q = &r->events;
    if (q->count >= ceiling || (q->count == q->cap && !events_grow(r))) {
        q->lost++;
        return false;
    }
    q->items[(q->head + q->count) % q->cap] = *ev;
    q->count++;
    return true;
}

void rt_event_push(router *r, const router_event *ev)
{
    (void)events_put(r, ev, EVENTS_MAX - EVENTS_RESERVED);
}

bool rt_event_must(router *r, const router_event *ev)
{
    return events_put(r, ev, EVENTS_MAX);
}

void rt_event_refused(router *r, uint64_t tunnel, const char *peer, int32_t reason, const char *why)
{
    router_event ev;
    rt_event_init(&ev, ROUTER_EVENT_REFUSED);
    ev.tunnel = tunnel;
    ev.reason = reason;
    ev.why = why;
    if (peer)
        (void)snprintf(ev.peer, sizeof(ev.peer), "%s", peer);
    rt_event_push(r, &ev);
}

int32_t router_poll_event(router *r, router_event *event)
{
    if (!r || !event)
        return ROUTER_ERR_ARG;
    rt_events *q = &r->events;
    if (q->count == 0)
        return ROUTER_OK;
    *event = q->items[q->head];
    q->head = (q->head + 1) % q->cap;
    q->count--;
    return ROUTER_YES;
}

/* ---- Text ---- */

/* Fields of an event that mean something, by kind. */
enum {
    F_VRF = 1 << 0,
    F_TUNNEL = 1 << 1,
    F_STREAM = 1 << 2,
    F_LABEL = 1 << 3,
    F_LABEL2 = 1 << 4,
    F_REQUEST = 1 << 5,
    F_SOURCE = 1 << 6,
    F_DIRECTION = 1 << 7,
    F_PROTOCOL = 1 << 8,
    F_REASON = 1 << 9,
    F_LOCAL = 1 << 10,
    F_REMOTE = 1 << 11,
    F_ADDRESS = 1 << 12,
    F_PREFIX = 1 << 13,
    F_VIA = 1 << 14,
    F_PEER = 1 << 15
};

typedef struct event_kind {
    const char *name;
    uint32_t fields;
} event_kind;

static const event_kind kinds[] = {
    [ROUTER_EVENT_STREAM_CONNECT] = {"stream_connect", F_STREAM | F_LOCAL | F_REMOTE},
    [ROUTER_EVENT_STREAM_CLOSE] = {"stream_close", F_STREAM},
    [ROUTER_EVENT_IKE_UP] = {"ike_up", F_LOCAL | F_REMOTE | F_PEER},
    [ROUTER_EVENT_IKE_DOWN] = {"ike_down", F_REASON | F_PEER},
    [ROUTER_EVENT_TUNNEL_UP] = {"tunnel_up", F_TUNNEL | F_REMOTE | F_ADDRESS | F_PEER},
    [ROUTER_EVENT_TUNNEL_DOWN] = {"tunnel_down", F_TUNNEL | F_REASON | F_PEER},
    [ROUTER_EVENT_CHILD_REKEYED] = {"child_rekeyed", F_TUNNEL | F_PEER},
    [ROUTER_EVENT_PUSHED_ROUTE] = {"pushed_route", F_TUNNEL | F_PREFIX | F_PEER},
    [ROUTER_EVENT_ROUTE_REFUSED] = {"route_refused", F_TUNNEL | F_PREFIX | F_PEER},
    [ROUTER_EVENT_IMPLICIT_NULL] = {"implicit_null", F_TUNNEL | F_ADDRESS},
    [ROUTER_EVENT_BGP_UP] = {"bgp_up", F_STREAM | F_ADDRESS},
    [ROUTER_EVENT_BGP_DOWN] = {"bgp_down", F_REASON | F_ADDRESS},
    [ROUTER_EVENT_LOCAL_LABEL] = {"local_label", F_VRF | F_LABEL | F_PREFIX},
    [ROUTER_EVENT_ROUTE_UP] = {"route_up",
                               F_VRF | F_TUNNEL | F_LABEL | F_SOURCE | F_PREFIX | F_VIA},
    [ROUTER_EVENT_ROUTE_DOWN] = {"route_down", F_VRF | F_SOURCE | F_PREFIX},
    [ROUTER_EVENT_FIRST_PACKET] = {"first_packet", F_VRF | F_TUNNEL | F_LABEL | F_DIRECTION |
                                                       F_PROTOCOL | F_LOCAL | F_REMOTE},
    [ROUTER_EVENT_REDIRECT_SENT] = {"redirect_sent",
                                    F_VRF | F_TUNNEL | F_LABEL | F_LOCAL | F_REMOTE},
    [ROUTER_EVENT_REDIRECT_HEARD] = {"redirect_heard",
                                     F_VRF | F_TUNNEL | F_LABEL | F_LOCAL | F_REMOTE},
    [ROUTER_EVENT_MAPPING_INCOMPLETE] = {"mapping_incomplete", F_VRF | F_ADDRESS},
    [ROUTER_EVENT_REQUEST_SENT] = {"request_sent",
                                   F_VRF | F_TUNNEL | F_LABEL | F_REQUEST | F_ADDRESS},
    [ROUTER_EVENT_REQUEST_FORWARDED] = {"request_forwarded", F_VRF | F_TUNNEL | F_LABEL | F_LABEL2 |
                                                                 F_REQUEST | F_ADDRESS},
    [ROUTER_EVENT_REQUEST_HEARD] = {"request_heard",
                                    F_VRF | F_TUNNEL | F_LABEL | F_REMOTE | F_ADDRESS},
    [ROUTER_EVENT_TUNNEL_WANTED] = {"tunnel_wanted", F_REMOTE},
    [ROUTER_EVENT_REPLY_SENT] = {"reply_sent",
                                 F_VRF | F_TUNNEL | F_LABEL | F_LABEL2 | F_REQUEST | F_PREFIX},
    [ROUTER_EVENT_REPLY_HEARD] = {"reply_heard",
                                  F_VRF | F_TUNNEL | F_LABEL | F_LABEL2 | F_REQUEST | F_PREFIX},
    [ROUTER_EVENT_MAPPING_UP] = {"mapping_up", F_VRF | F_TUNNEL | F_LABEL | F_REMOTE | F_PREFIX},
    [ROUTER_EVENT_MAPPING_DOWN] = {"mapping_down", F_VRF | F_REASON | F_PREFIX},
    [ROUTER_EVENT_REFUSED] = {"refused", F_TUNNEL | F_REASON | F_PEER},
};

static const char *const source_names[] = {"none", "connected", "static", "nhrp", "ike", "bgp"};
static const char *const direction_names[] = {"none", "to_tunnel", "from_tunnel", "transit"};
static const char *const drop_names[] = {"none",        "malformed",   "no_sa",    "auth",
                                         "not_latched", "not_allowed", "no_label", "no_route",
                                         "discard",     "ttl",         "too_big",  "no_tunnel"};

const char *router_drop_name(int32_t reason)
{
    return reason >= 0 && reason < ROUTER_DROP_REASONS ? drop_names[reason] : "unknown";
}

typedef struct text {
    char *buf;
    size_t cap;
    size_t len;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const bool fits = t->len < t->cap;
    const int n =
        vsnprintf(fits ? t->buf + t->len : NULL, fits ? t->cap - t->len : 0, format, args);
    va_end(args);
    if (n > 0)
        t->len += (size_t)n;
}

/* RFC 5952: the longest run of two or more zero groups, the first of equals, becomes "::". */
static void put_ipv6(text *t, const uint8_t *b)
{
    int best = -1;
    int best_len = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && b[2 * (i + n)] == 0 && b[2 * (i + n) + 1] == 0)
            n++;
        if (n > best_len) {
            best = i;
            best_len = n;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            put(t, "::");
            i += best_len - 1;
        } else {
            const bool first = i == 0 || (best >= 0 && i == best + best_len);
            put(t, "%s%x", first ? "" : ":", (unsigned)(b[2 * i] << 8 | b[2 * i + 1]));
        }
    }
}

static void put_addr(text *t, const char *name, const router_addr *a, bool prefix)
{
    if (a->family == ROUTER_FAMILY_NONE)
        return;
    const bool six = a->family == ROUTER_FAMILY_IPV6;
    put(t, " %s=%s", name, six && a->port ? "[" : "");
    if (six)
        put_ipv6(t, a->bytes);
    else
        put(t, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]);
    if (prefix)
        put(t, "/%u", a->prefix_len);
    if (a->port)
        put(t, "%s:%u", six ? "]" : "", a->port);
}

static void put_label(text *t, const char *name, uint32_t label)
{
    if (label == ROUTER_NO_LABEL)
        return;
    if (label == MPLSVPN_LABEL_IMPLICIT_NULL)
        put(t, " %s=implicit-null", name);
    else
        put(t, " %s=%" PRIu32, name, label);
}

/* An identity comes from a peer: only what is printable and no separator goes to the log. */
static void put_name(text *t, const char *name, const char *s)
{
    if (s[0] == 0)
        return;
    put(t, " %s=", name);
    for (; *s; s++)
        put(t, "%c", *s > ' ' && *s < 0x7f && *s != '"' && *s != '=' ? *s : '?');
}

size_t router_event_format(const router_event *event, char *buf, size_t cap)
{
    if (!event || (!buf && cap > 0))
        return 0;
    text t = {buf, cap, 0};
    const size_t known = sizeof(kinds) / sizeof(kinds[0]);
    if (event->kind >= known || !kinds[event->kind].name) {
        put(&t, "event=unknown kind=%" PRIu32, event->kind);
        return t.len;
    }
    const uint32_t f = kinds[event->kind].fields;
    put(&t, "event=%s", kinds[event->kind].name);
    if (f & F_VRF)
        put(&t, " vrf=%" PRIu32, event->vrf);
    if ((f & F_TUNNEL) && event->tunnel)
        put(&t, " tunnel=%" PRIu64, event->tunnel);
    if (f & F_STREAM)
        put(&t, " stream=%" PRIu64, event->stream);
    if (f & F_LABEL)
        put_label(&t, "label", event->label);
    if (f & F_LABEL2)
        put_label(&t, "label2", event->label2);
    if (f & F_REQUEST)
        put(&t, " request_id=%" PRIu32, event->request_id);
    if ((f & F_SOURCE) && event->source < sizeof(source_names) / sizeof(source_names[0]))
        put(&t, " source=%s", source_names[event->source]);
    if ((f & F_DIRECTION) && event->direction < sizeof(direction_names) / sizeof(char *))
        put(&t, " direction=%s", direction_names[event->direction]);
    if (f & F_PROTOCOL)
        put(&t, " protocol=0x%04x", event->protocol);
    if (f & F_REASON)
        put(&t, " reason=%" PRId32, event->reason);
    if (f & F_LOCAL)
        put_addr(&t, "local", &event->local, false);
    if (f & F_REMOTE)
        put_addr(&t, "remote", &event->remote, false);
    if (f & F_ADDRESS)
        put_addr(&t, "address", &event->address, false);
    if (f & F_PREFIX)
        put_addr(&t, "prefix", &event->prefix, true);
    if (f & F_VIA)
        put_addr(&t, "via", &event->via, false);
    if (f & F_PEER)
        put_name(&t, "peer", event->peer);
    if (event->why)
        put(&t, " why=\"%s\"", event->why);
    return t.len;
}
