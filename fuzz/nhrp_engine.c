/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine in all roles at once. The input is a script: packets on links (their checksums and
 * digests repaired, their request id sometimes that of the last packet sent), steps of time, links
 * that come and go, answers true and false, calls of the data plane, allocations that fail. The
 * first octet chooses how packets are authenticated.
 */
#include "image.h"
#include "libnhrp/core.h"

#include <nhrp/nhrp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LINKS = 4,
    MULTIPOINT = 3,
    MAX_STEPS = 64,
    MAX_REGISTRATIONS = 1,
    FIRST_RARE = 0xf0 /* of the ops by the whole octet */
};

typedef struct script {
    const uint8_t *next;
    size_t left;
} script;

static uint8_t take(script *s)
{
    if (s->left == 0)
        return 0;
    s->left--;
    return *s->next++;
}

static void require(int holds)
{
    if (!holds)
        abort();
}

static nhrp_addr ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {a, b, c, d}};
}

static void link_up(nhrp_engine *e, uint64_t now, uint32_t id)
{
    nhrp_link_config c;
    (void)nhrp_link_config_init(&c);
    c.interface = 1;
    c.flags = id == MULTIPOINT ? NHRP_LINK_MULTIPOINT : id == 0 ? NHRP_LINK_REGISTER : 0;
    c.local_nbma = ip4(192, 168, 1, 1);
    c.local_protocol_ipv4 = ip4(172, 16, 1, 1);
    if (id != MULTIPOINT) {
        c.peer_nbma = ip4(192, 168, 1, (uint8_t)(id + 2));
        c.peer_protocol_ipv4 = ip4(172, 16, 1, (uint8_t)(id + 2));
    }
    (void)nhrp_engine_link_up(e, now, id, &c);
}

static void answer(nhrp_engine *e, uint64_t now, uint64_t ask_id, script *s)
{
    nhrp_question q = {.struct_size = sizeof(q)};
    nhrp_route r;
    if (nhrp_engine_get_question(e, ask_id, &q) != NHRP_OK)
        return;
    if (q.purpose >= NHRP_PURPOSE_RESPONDER) {
        (void)nhrp_engine_answer_tunnel(e, now, ask_id, take(s) % 2, take(s) % LINKS);
        return;
    }
    (void)nhrp_route_init(&r);
    r.kind = take(s) % 4;
    r.flags = NHRP_ROUTE_SOURCE_LOCAL | NHRP_ROUTE_RECENT;
    r.vrf = q.label_count ? 7 : q.vrf;
    r.link = take(s) % 4 ? q.link : take(s) % LINKS;
    r.label_count = q.label_count > 0 || q.purpose == NHRP_PURPOSE_REDIRECT;
    r.labels[0] = 100 + take(s);
    r.prefix = q.purpose == NHRP_PURPOSE_REPLY      ? q.prefix
               : q.purpose == NHRP_PURPOSE_REDIRECT ? q.source
                                                    : q.destination;
    r.prefix.scope = 0;
    if (q.purpose != NHRP_PURPOSE_REPLY)
        r.prefix.prefix_len = r.prefix.family == NHRP_FAMILY_IPV4 ? 32 : 128;
    (void)nhrp_engine_answer_route(e, now, ask_id, &r);
}

/* Every mapping that stands has a link; none is of nobody. */
static void check(const nhrp_engine *e, uint64_t now)
{
    nhrp_mapping m = {.struct_size = sizeof(m)};
    nhrp_link l = {.struct_size = sizeof(l)};
    uint64_t it = 0;
    while (nhrp_engine_next_mapping(e, &it, &m) == NHRP_YES) {
        if (m.kind != NHRP_MAPPING_RESOLVED && m.kind != NHRP_MAPPING_REGISTERED &&
            m.kind != NHRP_MAPPING_STATIC)
            continue;
        require(nhrp_engine_get_link(e, m.link, &l) == NHRP_OK);
        require(m.nbma.family != NHRP_FAMILY_NONE);
        require(m.vrf != 7 || m.kind != NHRP_MAPPING_RESOLVED || m.label_count > 0);
        (void)now;
    }
}

static void drain(nhrp_engine *e, uint64_t now, script *s, uint8_t last_id[4])
{
    nhrp_event ev;
    nhrp_output out;
    nhrp_packet p;
    uint8_t buf[1500];
    while (nhrp_engine_poll_event(e, &ev) == NHRP_YES)
        if (ev.ask_id && take(s) % 8)
            answer(e, now, ev.ask_id, s);
    while (nhrp_engine_poll_output(e, now, buf, sizeof(buf), &out) == NHRP_YES) {
        require(nhrp_packet_decode(buf, (size_t)out.len, &p) == NHRP_OK);
        require(p.type == out.type);
        if (p.type == NHRP_RESOLUTION_REQUEST || p.type == NHRP_PURGE_REQUEST ||
            p.type == NHRP_REGISTRATION_REQUEST)
            memcpy(last_id, buf + 24, 4);
    }
}

/* Where there is room for a digest, it becomes right. */
static void authenticate(const nhrp_engine *e, uint32_t link, uint8_t *buf, size_t len)
{
    enum { SPI_AND_DIGEST = 36 };
    const nhrp__link *l = nhrp__link_find(e, link);
    nhrp_packet p;
    nhrp_extension x;
    size_t it = 0;
    if (!l || nhrp_packet_decode(buf, len, &p) != NHRP_OK)
        return;
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES)
        if (x.kind == NHRP_KIND_AUTHENTICATION) {
            if (x.len >= SPI_AND_DIGEST)
                nhrp__authentication_finish(l, buf, p.size);
            return;
        }
}

static void packet(nhrp_engine *e, uint64_t now, script *s, const uint8_t last_id[4])
{
    const uint32_t link = take(s) % LINKS;
    const uint8_t fix = take(s);
    const nhrp_addr from = ip4(198, 51, 100, (uint8_t)(take(s) % 4));
    size_t len = (size_t)take(s) << 1;
    len = len < s->left ? len : s->left;
    uint8_t *copy = malloc(len ? len : 1);
    require(copy != NULL);
    if (len)
        memcpy(copy, s->next, len);
    s->next += len;
    s->left -= len;
    if ((fix & 1) && len >= 28)
        memcpy(copy + 24, last_id, 4);
    if (fix % 16 && len >= 12) {
        copy[10] = (uint8_t)(len >> 8);
        copy[11] = (uint8_t)len;
    }
    (void)nhrp_packet_set_checksum(copy, len);
    if (!(fix & 0x40))
        authenticate(e, link, copy, len);
    (void)nhrp_engine_input(e, now, link, &from, copy, len);
    free(copy);
}

static void hairpin(nhrp_engine *e, uint64_t now, script *s)
{
    uint8_t ip[24] = {0x45};
    const uint32_t label = 100u + take(s);
    ip[12] = 10;
    ip[15] = take(s);
    ip[16] = 10;
    ip[19] = take(s);
    (void)nhrp_engine_hairpin(e, now, take(s) % LINKS, take(s) % LINKS, &label, take(s) % 2, ip,
                              sizeof(ip));
}

static void fix(nhrp_engine *e, uint64_t now, script *s)
{
    nhrp_mapping_config c;
    uint64_t id;
    (void)nhrp_mapping_config_init(&c);
    c.link = take(s) % LINKS;
    c.flags = take(s) % 2 ? NHRP_MAPPING_UNIQUE : 0;
    c.prefix = take(s) % 2 ? ip4(10, 2, 2, take(s)) : ip4(172, 16, 1, take(s));
    c.prefix.prefix_len = 32;
    if (c.link == MULTIPOINT)
        c.nbma = ip4(198, 51, 100, (uint8_t)(take(s) % 4));
    (void)nhrp_engine_mapping_add(e, now, &c, &id);
}

static void serve(nhrp_engine *e, uint64_t now, script *s)
{
    nhrp_server_config c;
    uint64_t id;
    if (take(s) % 4 == 0) {
        (void)nhrp_engine_server_remove(e, now, take(s));
        return;
    }
    (void)nhrp_server_config_init(&c);
    c.link = take(s) % LINKS;
    c.priority = take(s) % 4;
    c.flags = c.priority % 2 ? NHRP_SERVER_MULTICAST : 0;
    if (take(s) % 2)
        c.protocol = ip4(172, 16, 1, take(s));
    if (c.link == MULTIPOINT && take(s) % 2)
        c.nbma = ip4(198, 51, 100, (uint8_t)(take(s) % 4));
    (void)nhrp_engine_server_add(e, now, &c, &id);
}

/* As many are registered as are wanted, and no fewer are tried. */
static void check_servers(const nhrp_engine *e)
{
    nhrp_server s = {.struct_size = sizeof(s)};
    uint64_t it = 0;
    unsigned standby = 0, tried = 0, registered = 0;
    while (nhrp_engine_next_server(e, &it, &s) == NHRP_YES) {
        standby += s.state == NHRP_SERVER_STANDBY;
        tried += s.state == NHRP_SERVER_ASKED || s.state == NHRP_SERVER_REGISTERED;
        registered += s.state == NHRP_SERVER_REGISTERED;
        require((s.registered_until_ms != 0) == (s.state == NHRP_SERVER_REGISTERED));
    }
    require(registered <= MAX_REGISTRATIONS);
    require(standby == 0 || tried >= MAX_REGISTRATIONS);
}

/* Few addresses are in use, and each comes once. */
static void check_multicast(const nhrp_engine *e)
{
    nhrp_addr nbma;
    uint64_t it = 0;
    bool seen[4] = {false};
    while (nhrp_engine_next_multicast(e, MULTIPOINT, &it, &nbma) == NHRP_YES) {
        require(nbma.bytes[3] < 4 && !seen[nbma.bytes[3]]);
        seen[nbma.bytes[3]] = true;
    }
}

static nhrp_engine *begin(uint8_t authentication)
{
    nhrp_config c;
    nhrp_interface_config i;
    nhrp_engine *e;
    (void)nhrp_config_init(&c);
    c.max_events = 16;
    c.max_mappings = 32;
    c.max_pending = 8;
    c.max_questions = 8;
    c.max_answers = 8;
    c.max_flows = 8;
    c.max_outputs = 16;
    c.allocator.resize = image_resize;
    (void)nhrp_interface_config_init(&i);
    i.network_id = 1;
    i.flags |= NHRP_INTERFACE_SERVER | NHRP_INTERFACE_PREFIXES;
    i.send_limit = 0;
    i.flags |= NHRP_INTERFACE_NAT | NHRP_INTERFACE_MULTICAST;
    i.max_registrations = MAX_REGISTRATIONS;
    i.authentication = authentication;
    i.key = (const uint8_t *)"x";
    i.key_len = 1;
    i.spi = 256;
    require(nhrp_engine_new(&c, 0, &e) == NHRP_OK);
    require(nhrp_engine_interface_add(e, 0, 1, &i) == NHRP_OK);
    for (uint32_t l = 0; l < LINKS; l++)
        link_up(e, 0, l);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script s = {data, size};
    uint8_t last_id[4] = {0};
    uint64_t now = 0, id;
    static const uint8_t kinds[] = {NHRP_AUTHENTICATION_NONE, NHRP_AUTHENTICATION_CLEARTEXT,
                                    NHRP_AUTHENTICATION_HMAC_SHA256};
    static nhrp_engine *engines[sizeof(kinds)];
    if (!image_kept()) {
        for (size_t i = 0; i < sizeof(kinds); i++)
            engines[i] = begin(kinds[i]);
        image_keep();
    }
    image_restore();
    const uint8_t choice = take(&s) % 8;
    nhrp_engine *e = engines[choice > 5 ? choice - 5 : 0];
    for (int step = 0; step < MAX_STEPS && s.left > 0; step++) {
        nhrp_addr a = ip4(10, 2, 2, 0);
        const uint8_t op = take(&s);
        switch (op >= FIRST_RARE ? op : op % 10) {
        case 0:
            now += (uint64_t)take(&s) * 100;
            break;
        case 1:
            now += (uint64_t)take(&s) * 10000;
            break;
        case 2:
            hairpin(e, now, &s);
            break;
        case 3:
            if (take(&s) % 2)
                (void)nhrp_engine_link_down(e, now, take(&s) % LINKS);
            else
                link_up(e, now, take(&s) % LINKS);
            break;
        case 4:
            a.bytes[3] = take(&s);
            a.scope = take(&s) % 2 ? 7 : 0;
            (void)nhrp_engine_resolve(e, now, &a, &id);
            break;
        case 5:
            a.prefix_len = 24;
            a.scope = take(&s) % 2 ? 7 : 0;
            (void)nhrp_engine_withdraw(e, now, &a);
            break;
        case 6:
            (void)nhrp_engine_used(e, now, take(&s));
            (void)nhrp_engine_remove(e, now, take(&s));
            break;
        case 9:
            image_starve(take(&s));
            break;
        case FIRST_RARE:
            fix(e, now, &s);
            break;
        case FIRST_RARE + 2:
            a = ip4(192, 168, 1, take(&s));
            (void)nhrp_engine_link_set_nbma(e, now, take(&s) % LINKS, &a);
            break;
        case FIRST_RARE + 3:
            a = ip4(198, 51, 100, (uint8_t)(take(&s) % 4));
            (void)nhrp_engine_multicast_add(e, now, take(&s) % LINKS, &a);
            break;
        case FIRST_RARE + 4:
            a = ip4(198, 51, 100, (uint8_t)(take(&s) % 4));
            (void)nhrp_engine_multicast_remove(e, now, take(&s) % LINKS, &a);
            break;
        case FIRST_RARE + 1:
            serve(e, now, &s);
            break;
        default:
            packet(e, now, &s, last_id);
            break;
        }
        while (nhrp_engine_timeout(e, now) == NHRP_YES)
            drain(e, now, &s, last_id);
        drain(e, now, &s, last_id);
        check(e, now);
        check_servers(e);
        check_multicast(e);
    }
    /* In the end everything runs out, but for registering with the server and what is static. */
    (void)nhrp_engine_link_down(e, now, 0);
    nhrp_server server = {.struct_size = sizeof(server)};
    for (uint64_t last = 0; nhrp_engine_next_server(e, &last, &server) == NHRP_YES;)
        require(nhrp_engine_server_remove(e, now, server.id) == NHRP_OK);
    nhrp_mapping fixed = {.struct_size = sizeof(fixed)};
    uint64_t at = 0;
    while (nhrp_engine_next_mapping(e, &at, &fixed) == NHRP_YES)
        if (fixed.kind == NHRP_MAPPING_STATIC)
            require(nhrp_engine_remove(e, now, fixed.id) == NHRP_OK);
    now += 100000000;
    for (int i = 0; i < 200 && (i == 0 || nhrp_engine_deadline(e) != NHRP_NEVER); i++) {
        (void)nhrp_engine_timeout(e, now);
        drain(e, now, &s, last_id);
        now += 1000000;
    }
    nhrp_mapping m = {.struct_size = sizeof(m)};
    uint64_t it = 0;
    require(nhrp_engine_next_mapping(e, &it, &m) == NHRP_OK);
    require(nhrp_engine_deadline(e) == NHRP_NEVER);
    nhrp_engine_free(e);
    return 0;
}
