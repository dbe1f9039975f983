/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each step is a question about facts.
 */
#include "walk.h"

#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_MPLS = 0x8847 };

struct walk {
    walk_node nodes[NODES];
    const char *vrf;
    facts facts;
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
    for (uint32_t i = HUB; i < NODES; i++)
        w->facts.names[i] = w->nodes[i].name;
    return w;
}

void walk_free(walk *w)
{
    if (!w)
        return;
    facts_free(&w->facts);
    free(w);
}

/* The customer's packets that the walk follows, as those that send them see them. */
static fact want_flow(const walk *w, uint32_t node, uint32_t event)
{
    fact f = fact_wanted(node, event);
    fact_copy(f.local, sizeof(f.local), w->nodes[SPOKE1].customer);
    fact_copy(f.remote, sizeof(f.remote), w->nodes[SPOKE2].customer);
    return f;
}

/* A tunnel of a node leads to the other: its far end is that node's transport address. */
static bool leads_to(const walk *w, uint32_t node, uint64_t tunnel, uint32_t peer)
{
    fact up = fact_wanted(node, TUNNEL_UP);
    up.tunnel = tunnel;
    fact_copy(up.remote, sizeof(up.remote), w->nodes[peer].nbma);
    return tunnel != 0 && facts_seen(&w->facts, &up);
}

/* The label is the one that its owner advertised for its prefix; vrf 0: in any of its VRFs. */
static bool owns_label(const walk *w, uint32_t owner, uint32_t label, uint32_t vrf)
{
    fact local = fact_wanted(owner, LOCAL_LABEL);
    local.label = label;
    local.vrf = vrf;
    fact_copy(local.prefix, sizeof(local.prefix), w->nodes[owner].prefix);
    return label != 0 && facts_seen(&w->facts, &local);
}

/* The VRF of a node is the customer's: the node advertised its prefix in it. */
static bool is_customer_vrf(const walk *w, uint32_t node, uint32_t vrf)
{
    fact local = fact_wanted(node, LOCAL_LABEL);
    local.vrf = vrf;
    fact_copy(local.prefix, sizeof(local.prefix), w->nodes[node].prefix);
    return vrf != 0 && facts_seen(&w->facts, &local);
}

/* ---- The steps: each sets *found to the fact that it is told from ---- */

static bool connected(const walk *w, uint32_t node, uint32_t peer)
{
    fact ike = fact_wanted(node, IKE_UP);
    fact_copy(ike.remote, sizeof(ike.remote), w->nodes[peer].nbma);
    fact pushed = fact_wanted(node, PUSHED_ROUTE);
    fact_copy(pushed.prefix, sizeof(pushed.prefix), w->nodes[peer].tunnel);
    for (const fact *f = facts_next(&w->facts, &pushed, NULL); f;
         f = facts_next(&w->facts, &pushed, f))
        if (leads_to(w, node, f->tunnel, peer))
            return facts_seen(&w->facts, &ike);
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
    fact null = fact_wanted(node, IMPLICIT_NULL_UP);
    fact_copy(null.address, sizeof(null.address), w->nodes[peer].tunnel);
    for (const fact *f = facts_next(&w->facts, &null, NULL); f; f = facts_next(&w->facts, &null, f))
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
    fact bgp = fact_wanted(node, BGP_UP);
    fact_copy(bgp.address, sizeof(bgp.address), w->nodes[owner].tunnel);
    fact route = fact_wanted(node, ROUTE_UP);
    fact_copy(route.prefix, sizeof(route.prefix), w->nodes[owner].prefix);
    fact_copy(route.source, sizeof(route.source), "bgp");
    for (const fact *f = facts_next(&w->facts, &route, NULL); f;
         f = facts_next(&w->facts, &route, f))
        if (owns_label(w, owner, f->label, 0) && is_customer_vrf(w, node, f->vrf) &&
            leads_to(w, node, f->tunnel, owner) && facts_seen(&w->facts, &bgp))
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
    fact_copy(packet.direction, sizeof(packet.direction), "to_tunnel");
    for (const fact *f = facts_next(&w->facts, &packet, NULL); f;
         f = facts_next(&w->facts, &packet, f))
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
    fact_copy(packet.direction, sizeof(packet.direction), "transit");
    for (const fact *f = facts_next(&w->facts, &packet, NULL); f;
         f = facts_next(&w->facts, &packet, f))
        if (owns_label(w, SPOKE2, f->label, 0) && is_customer_vrf(w, HUB, f->vrf) &&
            leads_to(w, HUB, f->tunnel, SPOKE2))
            return f;
    return NULL;
}

static bool step_5(const walk *w, const fact **found)
{
    const fact packet = want_flow(w, HUB, FIRST_PACKET);
    *found = sent_to_hub(w, PROTOCOL_MPLS);
    return *found && facts_seen(&w->facts, &packet);
}

static bool step_6(const walk *w, const fact **found)
{
    const fact packet = want_flow(w, HUB, FIRST_PACKET);
    for (*found = facts_next(&w->facts, &packet, NULL); *found;
         *found = facts_next(&w->facts, &packet, *found))
        if (is_customer_vrf(w, HUB, (*found)->vrf))
            return true;
    return false;
}

/* A packet of the flow comes out of a tunnel at spoke2, with its own label, from the peer. */
static bool arrived_at_spoke2(const walk *w, uint32_t peer)
{
    fact packet = fact_wanted(SPOKE2, FIRST_PACKET);
    fact_copy(packet.direction, sizeof(packet.direction), "from_tunnel");
    fact_copy(packet.local, sizeof(packet.local), w->nodes[SPOKE2].customer);
    fact_copy(packet.remote, sizeof(packet.remote), w->nodes[SPOKE1].customer);
    for (const fact *f = facts_next(&w->facts, &packet, NULL); f;
         f = facts_next(&w->facts, &packet, f))
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
    for (const fact *f = facts_next(&w->facts, &redirect, NULL); f;
         f = facts_next(&w->facts, &redirect, f)) {
        *found = f;
        if (owns_label(w, SPOKE1, f->label, 0) && is_customer_vrf(w, HUB, f->vrf) &&
            leads_to(w, HUB, f->tunnel, SPOKE1) && facts_seen_before(&w->facts, &packet, f))
            return true;
    }
    return false;
}

static const fact *redirect_heard(const walk *w)
{
    const fact redirect = want_flow(w, SPOKE1, REDIRECT_HEARD);
    for (const fact *f = facts_next(&w->facts, &redirect, NULL); f;
         f = facts_next(&w->facts, &redirect, f))
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
    fact mapping = fact_wanted(SPOKE1, MAPPING_INCOMPLETE);
    mapping.vrf = redirect->vrf;
    fact_copy(mapping.address, sizeof(mapping.address), w->nodes[SPOKE2].customer);
    return facts_next_after(&w->facts, &mapping, redirect);
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
    fact request = fact_wanted(SPOKE1, REQUEST_SENT);
    request.vrf = mapping->vrf;
    request.request_id = id;
    fact_copy(request.address, sizeof(request.address), w->nodes[SPOKE2].customer);
    for (const fact *f = facts_next_after(&w->facts, &request, mapping); f;
         f = facts_next(&w->facts, &request, f))
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
    fact request = fact_wanted(HUB, REQUEST_FORWARDED);
    fact_copy(request.address, sizeof(request.address), w->nodes[SPOKE2].customer);
    for (const fact *f = facts_next(&w->facts, &request, NULL); f;
         f = facts_next(&w->facts, &request, f)) {
        *found = f;
        if (owns_label(w, HUB, f->label, f->vrf) && owns_label(w, SPOKE2, f->label2, 0) &&
            is_customer_vrf(w, HUB, f->vrf) && leads_to(w, HUB, f->tunnel, SPOKE2))
            return true;
    }
    return false;
}

static const fact *request_heard(const walk *w)
{
    fact request = fact_wanted(SPOKE2, REQUEST_HEARD);
    fact_copy(request.address, sizeof(request.address), w->nodes[SPOKE2].customer);
    fact_copy(request.remote, sizeof(request.remote), w->nodes[SPOKE1].nbma);
    for (const fact *f = facts_next(&w->facts, &request, NULL); f;
         f = facts_next(&w->facts, &request, f))
        if (owns_label(w, SPOKE2, f->label, f->vrf) && is_customer_vrf(w, SPOKE2, f->vrf))
            return f;
    return NULL;
}

static bool step_13(const walk *w, const fact **found)
{
    fact wanted = fact_wanted(SPOKE2, TUNNEL_WANTED);
    fact_copy(wanted.remote, sizeof(wanted.remote), w->nodes[SPOKE1].nbma);
    *found = request_heard(w);
    return *found && facts_seen(&w->facts, &wanted);
}

static bool step_14(const walk *w, const fact **found)
{
    static const uint32_t ends[2][2] = {{SPOKE1, SPOKE2}, {SPOKE2, SPOKE1}};
    for (size_t i = 0; i < 2; i++) {
        fact ike = fact_wanted(ends[i][0], IKE_UP);
        fact tunnel = fact_wanted(ends[i][0], TUNNEL_UP);
        fact_copy(ike.remote, sizeof(ike.remote), w->nodes[ends[i][1]].nbma);
        fact_copy(tunnel.remote, sizeof(tunnel.remote), w->nodes[ends[i][1]].nbma);
        *found = facts_next(&w->facts, &tunnel, NULL);
        if (!*found || !facts_seen(&w->facts, &ike))
            return false;
    }
    return true;
}

static bool step_15(const walk *w, const fact **found)
{
    fact pushed = fact_wanted(SPOKE2, PUSHED_ROUTE);
    fact_copy(pushed.prefix, sizeof(pushed.prefix), w->nodes[SPOKE1].tunnel);
    for (*found = facts_next(&w->facts, &pushed, NULL); *found;
         *found = facts_next(&w->facts, &pushed, *found))
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
    fact reply = fact_wanted(SPOKE2, REPLY_SENT);
    reply.vrf = request->vrf;
    reply.label2 = overlay;
    fact_copy(reply.prefix, sizeof(reply.prefix), w->nodes[SPOKE2].prefix);
    for (const fact *f = facts_next_after(&w->facts, &reply, request); f;
         f = facts_next(&w->facts, &reply, f))
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
    *found = replied(w, FACT_IMPLICIT_NULL);
    return *found != NULL;
}

static const fact *reply_heard(const walk *w)
{
    fact reply = fact_wanted(SPOKE1, REPLY_HEARD);
    reply.label2 = FACT_IMPLICIT_NULL;
    fact_copy(reply.prefix, sizeof(reply.prefix), w->nodes[SPOKE2].prefix);
    for (const fact *f = facts_next(&w->facts, &reply, NULL); f;
         f = facts_next(&w->facts, &reply, f)) {
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
    fact mapping = fact_wanted(SPOKE1, MAPPING_UP);
    mapping.vrf = reply->vrf;
    mapping.label = reply->label;
    fact_copy(mapping.prefix, sizeof(mapping.prefix), w->nodes[SPOKE2].prefix);
    fact_copy(mapping.remote, sizeof(mapping.remote), w->nodes[SPOKE2].nbma);
    fact route = fact_wanted(SPOKE1, ROUTE_UP);
    route.vrf = reply->vrf;
    route.label = reply->label;
    fact_copy(route.prefix, sizeof(route.prefix), w->nodes[SPOKE2].prefix);
    fact_copy(route.source, sizeof(route.source), "nhrp");
    if (!facts_seen(&w->facts, &mapping))
        return false;
    for (*found = facts_next(&w->facts, &route, NULL); *found;
         *found = facts_next(&w->facts, &route, *found))
        if (leads_to(w, SPOKE1, (*found)->tunnel, SPOKE2))
            return true;
    return false;
}

static bool step_20(const walk *w, const fact **found)
{
    fact packet = want_flow(w, SPOKE1, FIRST_PACKET);
    fact_copy(packet.direction, sizeof(packet.direction), "to_tunnel");
    for (const fact *f = facts_next(&w->facts, &packet, NULL); f;
         f = facts_next(&w->facts, &packet, f)) {
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

bool walk_line(walk *w, const char *line, size_t len)
{
    const int taken = facts_take_line(&w->facts, line, len);
    if (taken != FACTS_KEPT)
        return taken != FACTS_NO_MEMORY;
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
        fact_copy(text, WALK_TEXT_BYTES, w->texts[step]);
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
