/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lines become facts; each step is a question about facts.
 */
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FACTS = 65536,
    NAME_BYTES = 24,
    ADDRESS_BYTES = 56,
    VALUE_BYTES = 64,
    IMPLICIT_NULL = 3,
    PROTOCOL_MPLS = 0x8847
};

enum { ANY, HUB, SPOKE1, SPOKE2, NODES };

enum {
    IKE_UP = 1,
    TUNNEL_UP,
    PUSHED_ROUTE,
    IMPLICIT_NULL_UP,
    BGP_UP,
    LOCAL_LABEL,
    ROUTE_UP,
    FIRST_PACKET,
    REDIRECT_SENT,
    REDIRECT_HEARD,
    MAPPING_INCOMPLETE,
    REQUEST_SENT,
    REQUEST_FORWARDED,
    REQUEST_HEARD,
    TUNNEL_WANTED,
    REPLY_SENT,
    REPLY_HEARD,
    MAPPING_UP,
    EVENTS
};

static const char *const events[EVENTS] = {
    [IKE_UP] = "ike_up",
    [TUNNEL_UP] = "tunnel_up",
    [PUSHED_ROUTE] = "pushed_route",
    [IMPLICIT_NULL_UP] = "implicit_null",
    [BGP_UP] = "bgp_up",
    [LOCAL_LABEL] = "local_label",
    [ROUTE_UP] = "route_up",
    [FIRST_PACKET] = "first_packet",
    [REDIRECT_SENT] = "redirect_sent",
    [REDIRECT_HEARD] = "redirect_heard",
    [MAPPING_INCOMPLETE] = "mapping_incomplete",
    [REQUEST_SENT] = "request_sent",
    [REQUEST_FORWARDED] = "request_forwarded",
    [REQUEST_HEARD] = "request_heard",
    [TUNNEL_WANTED] = "tunnel_wanted",
    [REPLY_SENT] = "reply_sent",
    [REPLY_HEARD] = "reply_heard",
    [MAPPING_UP] = "mapping_up",
};

/* What one line says. In a question, 0 and "" mean that any will do. */
typedef struct fact {
    uint32_t node;
    uint32_t vrf;
    uint64_t tunnel;
    uint32_t label;
    uint32_t label2;
    uint32_t request_id;
    uint32_t protocol;
    uint32_t event; /* an index in events; 0: none that matters here */
    size_t later;   /* the next fact of this node and event, 0 for none */
    char source[NAME_BYTES];
    char direction[NAME_BYTES];
    char local[ADDRESS_BYTES];
    char remote[ADDRESS_BYTES];
    char address[ADDRESS_BYTES];
    char prefix[ADDRESS_BYTES];
} fact;

struct walk {
    walk_node nodes[NODES];
    const char *vrf;
    fact *facts; /* from index 1 on */
    size_t count, cap;
    size_t first[NODES][EVENTS]; /* indices, 0 for none */
    size_t last[NODES][EVENTS];
    bool observed[WALK_STEPS + 1];
    bool told[WALK_STEPS + 1];
    char texts[WALK_STEPS + 1][WALK_TEXT_BYTES];
};

void walk_config_init(walk_config *config)
{
    *config = (walk_config){
        .hub = {"hub", "172.16.1.254", "192.168.1.254", "10.0.0.0/8", NULL},
        .spoke1 = {"spoke1", "172.16.1.1", "192.168.1.1", "10.1.1.0/24", "10.1.1.101"},
        .spoke2 = {"spoke2", "172.16.1.2", "192.168.1.2", "10.2.2.0/24", "10.2.2.102"},
        .vrf = "CUSTOMER",
    };
}

walk *walk_new(const walk_config *config)
{
    walk *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->nodes[HUB] = config->hub;
    w->nodes[SPOKE1] = config->spoke1;
    w->nodes[SPOKE2] = config->spoke2;
    w->vrf = config->vrf;
    return w;
}

void walk_free(walk *w)
{
    if (!w)
        return;
    free(w->facts);
    free(w);
}

/* ---- Lines ---- */

/* Decimal, or hexadecimal with 0x; 0 for anything else. */
static uint64_t number(const char *value)
{
    const bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
    char *end;
    const unsigned long long v = strtoull(value, &end, hex ? 16 : 10);
    return *value != '-' && *end == '\0' ? v : 0;
}

static uint32_t number32(const char *value)
{
    const uint64_t v = number(value);
    return v <= UINT32_MAX ? (uint32_t)v : 0;
}

static uint32_t label_number(const char *value)
{
    return strncmp(value, "implicit", strlen("implicit")) == 0 ? IMPLICIT_NULL : number32(value);
}

static void copy(char *out, size_t cap, const char *value)
{
    snprintf(out, cap, "%s", value);
}

/* An address as it is compared: without a port, and a host without its prefix length. */
static void copy_address(char out[ADDRESS_BYTES], const char *value)
{
    const char *from = value[0] == '[' ? value + 1 : value;
    copy(out, ADDRESS_BYTES, from);
    char *end = value[0] == '[' ? strchr(out, ']') : NULL;
    const char *colon = strchr(out, ':');
    if (!end && colon && !strchr(colon + 1, ':'))
        end = strchr(out, ':');
    if (end)
        *end = '\0';
    char *slash = strchr(out, '/');
    const char *host = strchr(out, ':') ? "/128" : "/32";
    if (slash && strcmp(slash, host) == 0)
        *slash = '\0';
}

static uint32_t node_number(const walk *w, const char *name)
{
    for (uint32_t i = HUB; i < NODES; i++)
        if (strcmp(w->nodes[i].name, name) == 0)
            return i;
    return ANY;
}

static uint32_t event_number(const char *name)
{
    uint32_t i = EVENTS - 1;
    while (i > 0 && strcmp(events[i], name) != 0)
        i--;
    return i;
}

static void take_field(const walk *w, fact *f, const char *key, const char *value)
{
    if (strcmp(key, "node") == 0)
        f->node = node_number(w, value);
    else if (strcmp(key, "event") == 0)
        f->event = event_number(value);
    else if (strcmp(key, "vrf") == 0)
        f->vrf = number32(value);
    else if (strcmp(key, "tunnel") == 0)
        f->tunnel = number(value);
    else if (strcmp(key, "label") == 0)
        f->label = label_number(value);
    else if (strcmp(key, "label2") == 0)
        f->label2 = label_number(value);
    else if (strcmp(key, "request_id") == 0)
        f->request_id = number32(value);
    else if (strcmp(key, "protocol") == 0)
        f->protocol = number32(value);
    else if (strcmp(key, "source") == 0)
        copy(f->source, sizeof(f->source), value);
    else if (strcmp(key, "direction") == 0)
        copy(f->direction, sizeof(f->direction), value);
    else if (strcmp(key, "local") == 0)
        copy_address(f->local, value);
    else if (strcmp(key, "remote") == 0)
        copy_address(f->remote, value);
    else if (strcmp(key, "address") == 0)
        copy_address(f->address, value);
    else if (strcmp(key, "prefix") == 0)
        copy_address(f->prefix, value);
}

/*
 * Words "key=value" or "key="several words"" up to the end of the line; values longer than any of
 * ours are cut.
 */
static void parse(const walk *w, const char *line, size_t len, fact *out)
{
    memset(out, 0, sizeof(*out));
    size_t at = 0;
    while (at < len) {
        char key[NAME_BYTES] = "", value[VALUE_BYTES] = "";
        size_t key_len = 0, value_len = 0;
        bool in_value = false, quoted = false;
        for (; at < len && (line[at] != ' ' || quoted) && line[at] != '\n'; at++) {
            if (in_value && line[at] == '"')
                quoted = !quoted;
            if (!in_value && line[at] == '=')
                in_value = true;
            else if (in_value && value_len + 1 < sizeof(value))
                value[value_len++] = line[at];
            else if (!in_value && key_len + 1 < sizeof(key))
                key[key_len++] = line[at];
        }
        at++;
        if (in_value)
            take_field(w, out, key, value);
    }
}

/* ---- Questions ---- */

static bool same_number(uint64_t wanted, uint64_t has)
{
    return wanted == 0 || wanted == has;
}

static bool same_text(const char *wanted, const char *has)
{
    return wanted[0] == '\0' || strcmp(wanted, has) == 0;
}

static bool matches(const fact *wanted, const fact *f)
{
    return same_number(wanted->vrf, f->vrf) && same_number(wanted->tunnel, f->tunnel) &&
           same_number(wanted->label, f->label) && same_number(wanted->label2, f->label2) &&
           same_number(wanted->request_id, f->request_id) &&
           same_number(wanted->protocol, f->protocol) && same_text(wanted->source, f->source) &&
           same_text(wanted->direction, f->direction) && same_text(wanted->local, f->local) &&
           same_text(wanted->remote, f->remote) && same_text(wanted->address, f->address) &&
           same_text(wanted->prefix, f->prefix);
}

static fact want(uint32_t node, uint32_t event)
{
    fact f;
    memset(&f, 0, sizeof(f));
    f.node = node;
    f.event = event;
    return f;
}

/* The next fact that matches, behind last, which is of the same kind; NULL begins. */
static const fact *next(const walk *w, const fact *wanted, const fact *last)
{
    size_t i = last ? last->later : w->first[wanted->node][wanted->event];
    while (i != 0 && !matches(wanted, &w->facts[i]))
        i = w->facts[i].later;
    return i ? &w->facts[i] : NULL;
}

/* The first that matches and was seen after another of the same node. */
static const fact *next_after(const walk *w, const fact *wanted, const fact *after)
{
    const fact *f = next(w, wanted, NULL);
    while (f && f < after)
        f = next(w, wanted, f);
    return f;
}

static bool seen(const walk *w, const fact *wanted)
{
    return next(w, wanted, NULL) != NULL;
}

/* Seen on the same node before f was. */
static bool seen_before(const walk *w, const fact *wanted, const fact *f)
{
    const fact *first = next(w, wanted, NULL);
    return first && first < f;
}

/* The customer's packets that the walk follows, as those that send them see them. */
static fact want_flow(const walk *w, uint32_t node, uint32_t event)
{
    fact f = want(node, event);
    copy(f.local, sizeof(f.local), w->nodes[SPOKE1].customer);
    copy(f.remote, sizeof(f.remote), w->nodes[SPOKE2].customer);
    return f;
}

/* A tunnel of a node leads to the other: its far end is that node's transport address. */
static bool leads_to(const walk *w, uint32_t node, uint64_t tunnel, uint32_t peer)
{
    fact up = want(node, TUNNEL_UP);
    up.tunnel = tunnel;
    copy(up.remote, sizeof(up.remote), w->nodes[peer].nbma);
    return tunnel != 0 && seen(w, &up);
}

/* The label is the one that its owner advertised for its prefix; vrf 0: in any of its VRFs. */
static bool owns_label(const walk *w, uint32_t owner, uint32_t label, uint32_t vrf)
{
    fact local = want(owner, LOCAL_LABEL);
    local.label = label;
    local.vrf = vrf;
    copy(local.prefix, sizeof(local.prefix), w->nodes[owner].prefix);
    return label != 0 && seen(w, &local);
}

/* The VRF of a node is the customer's: the node advertised its prefix in it. */
static bool is_customer_vrf(const walk *w, uint32_t node, uint32_t vrf)
{
    fact local = want(node, LOCAL_LABEL);
    local.vrf = vrf;
    copy(local.prefix, sizeof(local.prefix), w->nodes[node].prefix);
    return vrf != 0 && seen(w, &local);
}

/* ---- The steps: each sets *found to the fact that it is told from ---- */

static bool connected(const walk *w, uint32_t node, uint32_t peer)
{
    fact ike = want(node, IKE_UP);
    copy(ike.remote, sizeof(ike.remote), w->nodes[peer].nbma);
    fact pushed = want(node, PUSHED_ROUTE);
    copy(pushed.prefix, sizeof(pushed.prefix), w->nodes[peer].tunnel);
    for (const fact *f = next(w, &pushed, NULL); f; f = next(w, &pushed, f))
        if (leads_to(w, node, f->tunnel, peer))
            return seen(w, &ike);
    return false;
}

static bool step_1(const walk *w, const fact **found)
{
    (void)found;
    return connected(w, SPOKE1, HUB) && connected(w, HUB, SPOKE1) && connected(w, SPOKE2, HUB) &&
           connected(w, HUB, SPOKE2);
}

static bool one_hop_away(const walk *w, uint32_t node, uint32_t peer)
{
    fact null = want(node, IMPLICIT_NULL_UP);
    copy(null.address, sizeof(null.address), w->nodes[peer].tunnel);
    for (const fact *f = next(w, &null, NULL); f; f = next(w, &null, f))
        if (leads_to(w, node, f->tunnel, peer))
            return true;
    return false;
}

static bool step_2(const walk *w, const fact **found)
{
    (void)found;
    return one_hop_away(w, SPOKE1, HUB) && one_hop_away(w, HUB, SPOKE1) &&
           one_hop_away(w, SPOKE2, HUB) && one_hop_away(w, HUB, SPOKE2);
}

/* The node has the owner's prefix from BGP, with the owner's label, by the tunnel to it. */
static const fact *learned(const walk *w, uint32_t node, uint32_t owner)
{
    fact bgp = want(node, BGP_UP);
    copy(bgp.address, sizeof(bgp.address), w->nodes[owner].tunnel);
    fact route = want(node, ROUTE_UP);
    copy(route.prefix, sizeof(route.prefix), w->nodes[owner].prefix);
    copy(route.source, sizeof(route.source), "bgp");
    for (const fact *f = next(w, &route, NULL); f; f = next(w, &route, f))
        if (owns_label(w, owner, f->label, 0) && is_customer_vrf(w, node, f->vrf) &&
            leads_to(w, node, f->tunnel, owner) && seen(w, &bgp))
            return f;
    return NULL;
}

static bool step_3(const walk *w, const fact **found)
{
    *found = learned(w, SPOKE1, HUB);
    return *found && learned(w, SPOKE2, HUB) && learned(w, HUB, SPOKE1) && learned(w, HUB, SPOKE2);
}

/* CE1's packet leaves spoke1 to the hub with the label that the hub advertised for the summary. */
static const fact *sent_to_hub(const walk *w, uint32_t protocol)
{
    fact packet = want_flow(w, SPOKE1, FIRST_PACKET);
    packet.protocol = protocol;
    copy(packet.direction, sizeof(packet.direction), "to_tunnel");
    for (const fact *f = next(w, &packet, NULL); f; f = next(w, &packet, f))
        if (owns_label(w, HUB, f->label, 0) && is_customer_vrf(w, SPOKE1, f->vrf) &&
            leads_to(w, SPOKE1, f->tunnel, HUB))
            return f;
    return NULL;
}

static bool step_4(const walk *w, const fact **found)
{
    *found = sent_to_hub(w, 0);
    return *found != NULL;
}

/* The hub forwards it in the customer's VRF to spoke2, with spoke2's label. */
static const fact *forwarded_by_hub(const walk *w)
{
    fact packet = want_flow(w, HUB, FIRST_PACKET);
    copy(packet.direction, sizeof(packet.direction), "transit");
    for (const fact *f = next(w, &packet, NULL); f; f = next(w, &packet, f))
        if (owns_label(w, SPOKE2, f->label, 0) && is_customer_vrf(w, HUB, f->vrf) &&
            leads_to(w, HUB, f->tunnel, SPOKE2))
            return f;
    return NULL;
}

static bool step_5(const walk *w, const fact **found)
{
    const fact packet = want_flow(w, HUB, FIRST_PACKET);
    *found = sent_to_hub(w, PROTOCOL_MPLS);
    return *found && seen(w, &packet);
}

static bool step_6(const walk *w, const fact **found)
{
    const fact packet = want_flow(w, HUB, FIRST_PACKET);
    for (*found = next(w, &packet, NULL); *found; *found = next(w, &packet, *found))
        if (is_customer_vrf(w, HUB, (*found)->vrf))
            return true;
    return false;
}

/* A packet of the flow comes out of a tunnel at spoke2, with its own label, from the peer. */
static bool arrived_at_spoke2(const walk *w, uint32_t peer)
{
    fact packet = want(SPOKE2, FIRST_PACKET);
    copy(packet.direction, sizeof(packet.direction), "from_tunnel");
    copy(packet.local, sizeof(packet.local), w->nodes[SPOKE2].customer);
    copy(packet.remote, sizeof(packet.remote), w->nodes[SPOKE1].customer);
    for (const fact *f = next(w, &packet, NULL); f; f = next(w, &packet, f))
        if (owns_label(w, SPOKE2, f->label, f->vrf) && is_customer_vrf(w, SPOKE2, f->vrf) &&
            leads_to(w, SPOKE2, f->tunnel, peer))
            return true;
    return false;
}

static bool step_7(const walk *w, const fact **found)
{
    *found = forwarded_by_hub(w);
    return *found && arrived_at_spoke2(w, HUB);
}

static bool step_8(const walk *w, const fact **found)
{
    const fact packet = want_flow(w, HUB, FIRST_PACKET);
    const fact redirect = want_flow(w, HUB, REDIRECT_SENT);
    for (const fact *f = next(w, &redirect, NULL); f; f = next(w, &redirect, f)) {
        *found = f;
        if (owns_label(w, SPOKE1, f->label, 0) && is_customer_vrf(w, HUB, f->vrf) &&
            leads_to(w, HUB, f->tunnel, SPOKE1) && seen_before(w, &packet, f))
            return true;
    }
    return false;
}

static const fact *redirect_heard(const walk *w)
{
    const fact redirect = want_flow(w, SPOKE1, REDIRECT_HEARD);
    for (const fact *f = next(w, &redirect, NULL); f; f = next(w, &redirect, f))
        if (owns_label(w, SPOKE1, f->label, f->vrf) && is_customer_vrf(w, SPOKE1, f->vrf) &&
            leads_to(w, SPOKE1, f->tunnel, HUB))
            return f;
    return NULL;
}

static bool step_9(const walk *w, const fact **found)
{
    *found = redirect_heard(w);
    return *found != NULL;
}

/* For the host: spoke1 cannot know the prefix yet. */
static const fact *incomplete(const walk *w)
{
    const fact *redirect = redirect_heard(w);
    if (!redirect)
        return NULL;
    fact mapping = want(SPOKE1, MAPPING_INCOMPLETE);
    mapping.vrf = redirect->vrf;
    copy(mapping.address, sizeof(mapping.address), w->nodes[SPOKE2].customer);
    return next_after(w, &mapping, redirect);
}

static bool step_10(const walk *w, const fact **found)
{
    *found = incomplete(w);
    return *found != NULL;
}

/* With request id *id, 0 for any. */
static const fact *requested(const walk *w, uint32_t id)
{
    const fact *mapping = incomplete(w);
    if (!mapping)
        return NULL;
    fact request = want(SPOKE1, REQUEST_SENT);
    request.vrf = mapping->vrf;
    request.request_id = id;
    copy(request.address, sizeof(request.address), w->nodes[SPOKE2].customer);
    for (const fact *f = next_after(w, &request, mapping); f; f = next(w, &request, f))
        if (owns_label(w, HUB, f->label, 0) && leads_to(w, SPOKE1, f->tunnel, HUB) &&
            f->request_id != 0)
            return f;
    return NULL;
}

static bool step_11(const walk *w, const fact **found)
{
    *found = requested(w, 0);
    return *found != NULL;
}

static bool step_12(const walk *w, const fact **found)
{
    fact request = want(HUB, REQUEST_FORWARDED);
    copy(request.address, sizeof(request.address), w->nodes[SPOKE2].customer);
    for (const fact *f = next(w, &request, NULL); f; f = next(w, &request, f)) {
        *found = f;
        if (owns_label(w, HUB, f->label, f->vrf) && owns_label(w, SPOKE2, f->label2, 0) &&
            is_customer_vrf(w, HUB, f->vrf) && leads_to(w, HUB, f->tunnel, SPOKE2))
            return true;
    }
    return false;
}

static const fact *request_heard(const walk *w)
{
    fact request = want(SPOKE2, REQUEST_HEARD);
    copy(request.address, sizeof(request.address), w->nodes[SPOKE2].customer);
    copy(request.remote, sizeof(request.remote), w->nodes[SPOKE1].nbma);
    for (const fact *f = next(w, &request, NULL); f; f = next(w, &request, f))
        if (owns_label(w, SPOKE2, f->label, f->vrf) && is_customer_vrf(w, SPOKE2, f->vrf))
            return f;
    return NULL;
}

static bool step_13(const walk *w, const fact **found)
{
    fact wanted = want(SPOKE2, TUNNEL_WANTED);
    copy(wanted.remote, sizeof(wanted.remote), w->nodes[SPOKE1].nbma);
    *found = request_heard(w);
    return *found && seen(w, &wanted);
}

static bool step_14(const walk *w, const fact **found)
{
    static const uint32_t ends[2][2] = {{SPOKE1, SPOKE2}, {SPOKE2, SPOKE1}};
    for (size_t i = 0; i < 2; i++) {
        fact ike = want(ends[i][0], IKE_UP);
        fact tunnel = want(ends[i][0], TUNNEL_UP);
        copy(ike.remote, sizeof(ike.remote), w->nodes[ends[i][1]].nbma);
        copy(tunnel.remote, sizeof(tunnel.remote), w->nodes[ends[i][1]].nbma);
        *found = next(w, &tunnel, NULL);
        if (!*found || !seen(w, &ike))
            return false;
    }
    return true;
}

static bool step_15(const walk *w, const fact **found)
{
    fact pushed = want(SPOKE2, PUSHED_ROUTE);
    copy(pushed.prefix, sizeof(pushed.prefix), w->nodes[SPOKE1].tunnel);
    for (*found = next(w, &pushed, NULL); *found; *found = next(w, &pushed, *found))
        if (leads_to(w, SPOKE2, (*found)->tunnel, SPOKE1))
            return true;
    return false;
}

/* Spoke2's answer, with its label, by the direct tunnel; overlay: for its tunnel address. */
static const fact *replied(const walk *w, uint32_t overlay)
{
    const fact *request = request_heard(w);
    if (!request)
        return NULL;
    fact reply = want(SPOKE2, REPLY_SENT);
    reply.vrf = request->vrf;
    reply.label2 = overlay;
    copy(reply.prefix, sizeof(reply.prefix), w->nodes[SPOKE2].prefix);
    for (const fact *f = next_after(w, &reply, request); f; f = next(w, &reply, f))
        if (owns_label(w, SPOKE2, f->label, f->vrf) && leads_to(w, SPOKE2, f->tunnel, SPOKE1))
            return f;
    return NULL;
}

static bool step_16(const walk *w, const fact **found)
{
    *found = replied(w, 0);
    return *found != NULL;
}

static bool step_17(const walk *w, const fact **found)
{
    *found = replied(w, IMPLICIT_NULL);
    return *found != NULL;
}

static const fact *reply_heard(const walk *w)
{
    fact reply = want(SPOKE1, REPLY_HEARD);
    reply.label2 = IMPLICIT_NULL;
    copy(reply.prefix, sizeof(reply.prefix), w->nodes[SPOKE2].prefix);
    for (const fact *f = next(w, &reply, NULL); f; f = next(w, &reply, f)) {
        const fact *request = f->request_id ? requested(w, f->request_id) : NULL;
        if (request && request < f && request->vrf == f->vrf &&
            owns_label(w, SPOKE2, f->label, 0) && leads_to(w, SPOKE1, f->tunnel, SPOKE2))
            return f;
    }
    return NULL;
}

static bool step_18(const walk *w, const fact **found)
{
    *found = reply_heard(w);
    return *found != NULL;
}

static bool step_19(const walk *w, const fact **found)
{
    const fact *reply = reply_heard(w);
    if (!reply)
        return false;
    fact mapping = want(SPOKE1, MAPPING_UP);
    mapping.vrf = reply->vrf;
    mapping.label = reply->label;
    copy(mapping.prefix, sizeof(mapping.prefix), w->nodes[SPOKE2].prefix);
    copy(mapping.remote, sizeof(mapping.remote), w->nodes[SPOKE2].nbma);
    fact route = want(SPOKE1, ROUTE_UP);
    route.vrf = reply->vrf;
    route.label = reply->label;
    copy(route.prefix, sizeof(route.prefix), w->nodes[SPOKE2].prefix);
    copy(route.source, sizeof(route.source), "nhrp");
    if (!seen(w, &mapping))
        return false;
    for (*found = next(w, &route, NULL); *found; *found = next(w, &route, *found))
        if (leads_to(w, SPOKE1, (*found)->tunnel, SPOKE2))
            return true;
    return false;
}

static bool step_20(const walk *w, const fact **found)
{
    fact packet = want_flow(w, SPOKE1, FIRST_PACKET);
    copy(packet.direction, sizeof(packet.direction), "to_tunnel");
    for (const fact *f = next(w, &packet, NULL); f; f = next(w, &packet, f)) {
        *found = f;
        if (owns_label(w, SPOKE2, f->label, 0) && is_customer_vrf(w, SPOKE1, f->vrf) &&
            leads_to(w, SPOKE1, f->tunnel, SPOKE2))
            return arrived_at_spoke2(w, SPOKE1);
    }
    return false;
}

/* ---- Telling ---- */

static const struct {
    const char *name;
    bool (*observed)(const walk *w, const fact **found);
} steps[WALK_STEPS + 1] = {
    [1] = {"IKEv2 and ESP between the spokes and the hub, tunnel addresses pushed", step_1},
    [2] = {"implicit null for the tunnel next hops", step_2},
    [3] = {"BGP: prefixes with VPN labels, both ways", step_3},
    [4] = {"spoke1 looks CE1's packet up in the VRF and pushes the hub's label", step_4},
    [5] = {"GRE protocol 0x8847 in ESP to the hub", step_5},
    [6] = {"the hub's label leads to the VRF", step_6},
    [7] = {"the hub pushes spoke2's label and forwards to spoke2", step_7},
    [8] = {"NHRP redirect from the hub with spoke1's label", step_8},
    [9] = {"spoke1 takes the redirect's label for the VRF", step_9},
    [10] = {"spoke1 makes an incomplete mapping for the host", step_10},
    [11] = {"Resolution Request to the hub with the hub's label", step_11},
    [12] = {"the hub forwards the request with spoke2's label", step_12},
    [13] = {"spoke2 makes a virtual-access to spoke1's NBMA address", step_13},
    [14] = {"IKEv2 and ESP between the spokes", step_14},
    [15] = {"spoke2 installs the host route to spoke1's tunnel address", step_15},
    [16] = {"Resolution Reply over the direct tunnel with spoke2's label", step_16},
    [17] = {"implicit null for spoke2's virtual-access address", step_17},
    [18] = {"spoke1 matches the request id to the VRF", step_18},
    [19] = {"spoke1 completes the mapping and installs the prefix", step_19},
    [20] = {"packets go directly", step_20},
};

static void describe(const walk *w, uint32_t step, const fact *f, char out[WALK_TEXT_BYTES])
{
    const walk_node *hub = &w->nodes[HUB];
    const walk_node *s1 = &w->nodes[SPOKE1];
    const walk_node *s2 = &w->nodes[SPOKE2];
    char text[WALK_TEXT_BYTES - 16];
    const size_t cap = sizeof(text);
    switch (step) {
    case 1:
        snprintf(text, cap, "%s, %s <-> %s: IKEv2 and ESP are up; pushed: %s, %s, %s", s1->name,
                 s2->name, hub->name, s1->tunnel, s2->tunnel, hub->tunnel);
        break;
    case 2:
        snprintf(text, cap, "%s, %s <-> %s: implicit null for the tunnel addresses, one hop away",
                 s1->name, s2->name, hub->name);
        break;
    case 3:
        snprintf(text, cap, "%s, %s <-> %s: BGP has %s, %s, and %s with label %u", s1->name,
                 s2->name, hub->name, s1->prefix, s2->prefix, hub->prefix, f->label);
        break;
    case 4:
        snprintf(text, cap, "%s: packet %s -> %s, VRF %s, push label %u", s1->name, f->local,
                 f->remote, w->vrf, f->label);
        break;
    case 5:
        snprintf(text, cap, "%s -> %s: GRE protocol 0x%04x in ESP, and it arrived", s1->name,
                 hub->name, f->protocol);
        break;
    case 6:
        snprintf(text, cap, "%s: the label leads to VRF %s", hub->name, w->vrf);
        break;
    case 7:
        snprintf(text, cap, "%s -> %s: route %s, push label %u, and it arrived", hub->name,
                 s2->name, s2->prefix, f->label);
        break;
    case 8:
        snprintf(text, cap, "%s -> %s: NHRP redirect, label %u names VRF %s (%s -> %s)", hub->name,
                 s1->name, f->label, w->vrf, f->local, f->remote);
        break;
    case 9:
        snprintf(text, cap, "%s: redirect heard, label %u is VRF %s", s1->name, f->label, w->vrf);
        break;
    case 10:
        snprintf(text, cap, "%s: incomplete mapping for %s in VRF %s", s1->name, f->address,
                 w->vrf);
        break;
    case 11:
        snprintf(text, cap, "%s -> %s: Resolution Request for %s, id %u, label %u", s1->name,
                 hub->name, f->address, f->request_id, f->label);
        break;
    case 12:
        snprintf(text, cap, "%s -> %s: the request, label %u becomes %u", hub->name, s2->name,
                 f->label, f->label2);
        break;
    case 13:
        snprintf(text, cap, "%s: request heard, label %u is VRF %s; virtual-access to %s", s2->name,
                 f->label, w->vrf, f->remote);
        break;
    case 14:
        snprintf(text, cap, "%s <-> %s: IKEv2 and ESP are up between %s and %s", s2->name, s1->name,
                 s2->nbma, s1->nbma);
        break;
    case 15:
        snprintf(text, cap, "%s: host route %s by the new tunnel", s2->name, f->prefix);
        break;
    case 16:
        snprintf(text, cap, "%s -> %s: Resolution Reply over the new tunnel, %s has label %u",
                 s2->name, s1->name, f->prefix, f->label);
        break;
    case 17:
        snprintf(text, cap, "%s -> %s: and implicit null (%u) for %s", s2->name, s1->name,
                 f->label2, s2->tunnel);
        break;
    case 18:
        snprintf(text, cap, "%s: reply heard, id %u is VRF %s", s1->name, f->request_id, w->vrf);
        break;
    case 19:
        snprintf(text, cap, "%s: %s in VRF %s by the new tunnel, label %u", s1->name, f->prefix,
                 w->vrf, f->label);
        break;
    default:
        snprintf(text, cap, "%s -> %s: packet %s -> %s, label %u, directly, and it arrived",
                 s1->name, s2->name, f->local, f->remote, f->label);
        break;
    }
    snprintf(out, WALK_TEXT_BYTES, "step %-2u %s", step, text);
}

static bool keep(walk *w, const fact *f)
{
    if (w->count + 1 >= MAX_FACTS)
        return false;
    if (w->count + 1 >= w->cap) {
        const size_t cap = w->cap ? w->cap * 2 : 256;
        fact *facts = realloc(w->facts, cap * sizeof(*facts));
        if (!facts)
            return false;
        w->facts = facts;
        w->cap = cap;
    }
    const size_t i = ++w->count;
    w->facts[i] = *f;
    size_t *last = &w->last[f->node][f->event];
    if (*last)
        w->facts[*last].later = i;
    else
        w->first[f->node][f->event] = i;
    *last = i;
    return true;
}

bool walk_line(walk *w, const char *line, size_t len)
{
    fact f;
    parse(w, line, len, &f);
    if (f.node == ANY || f.event == 0)
        return true;
    if (!keep(w, &f))
        return false;
    for (uint32_t step = 1; step <= WALK_STEPS; step++) {
        const fact *found = NULL;
        if (w->observed[step] || !steps[step].observed(w, &found))
            continue;
        w->observed[step] = true;
        describe(w, step, found, w->texts[step]);
    }
    return true;
}

bool walk_poll_step(walk *w, char text[WALK_TEXT_BYTES])
{
    for (uint32_t step = 1; step <= WALK_STEPS; step++) {
        if (!w->observed[step] || w->told[step])
            continue;
        w->told[step] = true;
        copy(text, WALK_TEXT_BYTES, w->texts[step]);
        return true;
    }
    return false;
}

uint32_t walk_count(const walk *w)
{
    uint32_t count = 0;
    for (uint32_t step = 1; step <= WALK_STEPS; step++)
        count += w->observed[step];
    return count;
}

bool walk_observed(const walk *w, uint32_t step)
{
    return step <= WALK_STEPS && w->observed[step];
}

const char *walk_step_name(uint32_t step)
{
    return step >= 1 && step <= WALK_STEPS ? steps[step].name : "";
}
