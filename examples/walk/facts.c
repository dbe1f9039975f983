/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FACTS = 65536, FIRST_FACTS = 256, VALUE_BYTES = 64 };

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
    return strncmp(value, "implicit", strlen("implicit")) == 0 ? FACT_IMPLICIT_NULL
                                                               : number32(value);
}

void fact_copy(char *out, size_t cap, const char *value)
{
    snprintf(out, cap, "%s", value);
}

/* An address as it is compared: without a port, and a host without its prefix length. */
static void copy_address(char out[FACT_ADDRESS_BYTES], const char *value)
{
    const char *from = value[0] == '[' ? value + 1 : value;
    fact_copy(out, FACT_ADDRESS_BYTES, from);
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

static uint32_t node_number(const facts *all, const char *name)
{
    for (uint32_t i = HUB; i < NODES; i++)
        if (strcmp(all->names[i], name) == 0)
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

static void take_field(const facts *all, fact *f, const char *key, const char *value)
{
    if (strcmp(key, "node") == 0)
        f->node = node_number(all, value);
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
        fact_copy(f->source, sizeof(f->source), value);
    else if (strcmp(key, "direction") == 0)
        fact_copy(f->direction, sizeof(f->direction), value);
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
static void parse(const facts *all, const char *line, size_t len, fact *out)
{
    memset(out, 0, sizeof(*out));
    size_t at = 0;
    while (at < len) {
        char key[FACT_NAME_BYTES] = "", value[VALUE_BYTES] = "";
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
            take_field(all, out, key, value);
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

fact fact_wanted(uint32_t node, uint32_t event)
{
    fact f;
    memset(&f, 0, sizeof(f));
    f.node = node;
    f.event = event;
    return f;
}

const fact *facts_next(const facts *all, const fact *wanted, const fact *last)
{
    size_t i = last ? last->later : all->first[wanted->node][wanted->event];
    while (i != 0 && !matches(wanted, &all->items[i]))
        i = all->items[i].later;
    return i ? &all->items[i] : NULL;
}

const fact *facts_next_after(const facts *all, const fact *wanted, const fact *after)
{
    const fact *f = facts_next(all, wanted, NULL);
    while (f && f < after)
        f = facts_next(all, wanted, f);
    return f;
}

bool facts_seen(const facts *all, const fact *wanted)
{
    return facts_next(all, wanted, NULL) != NULL;
}

bool facts_seen_before(const facts *all, const fact *wanted, const fact *f)
{
    const fact *first = facts_next(all, wanted, NULL);
    return first && first < f;
}

static bool keep(facts *all, const fact *f)
{
    if (all->count + 1 >= MAX_FACTS)
        return false;
    if (all->count + 1 >= all->cap) {
        const size_t cap = all->cap ? all->cap * 2 : FIRST_FACTS;
        fact *items = realloc(all->items, cap * sizeof(*items));
        if (!items)
            return false;
        all->items = items;
        all->cap = cap;
    }
    const size_t i = ++all->count;
    all->items[i] = *f;
    size_t *last = &all->last[f->node][f->event];
    if (*last)
        all->items[*last].later = i;
    else
        all->first[f->node][f->event] = i;
    *last = i;
    return true;
}

int facts_take_line(facts *all, const char *line, size_t len)
{
    fact f;
    parse(all, line, len, &f);
    if (f.node == ANY || f.event == 0)
        return FACTS_NOTHING;
    return keep(all, &f) ? FACTS_KEPT : FACTS_NO_MEMORY;
}

void facts_free(facts *all)
{
    free(all->items);
    all->items = NULL;
    all->count = all->cap = 0;
}
