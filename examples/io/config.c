/*
 * SPDX-License-Identifier: Apache-2.0
 *
 *   file       = *( [ section / assignment ] [ "#" comment ] LF )
 *   section    = "[" ( "vrf" / "peer" ) name "]"
 *   assignment = key "=" ( word / DQUOTE *printable DQUOTE )
 *
 * Lists are a key given once for each item. A section ends where the next begins; the keys before
 * the first section are the node's.
 */
#include "io/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/config_value.h"

typedef struct key {
    const char *name;
    bool required;
    bool repeats;
} key;

enum {
    NODE_NAME,
    NODE_IDENTITY,
    NODE_UNDERLAY,
    NODE_FRONT_DOOR,
    NODE_TUNNEL,
    NODE_TUNNEL_NETWORK,
    NODE_TUNNEL_DEVICE,
    NODE_TUNNEL_MTU,
    NODE_REDIRECT,
    NODE_SHORTCUT,
    NODE_FORCE_ENCAPSULATION,
    NODE_NETWORK_ID,
    NODE_NHRP_AUTHENTICATION,
    NODE_HOLDING_TIME_S,
    NODE_AS,
    NODE_BGP_ID,
    NODE_BGP_NEIGHBOR,
    NODE_BGP_LISTEN,
    NODE_BGP_REFLECTOR,
    NODE_BGP_PORT,
    NODE_IDLE_MS,
    NODE_TUNNEL_WAIT_MS,
    NODE_IKE_LIFETIME_S,
    NODE_CHILD_LIFETIME_S,
    NODE_DPD_S,
    NODE_KEYS
};

static const key node_keys[NODE_KEYS] = {
    [NODE_NAME] = {"name", true, false},
    [NODE_IDENTITY] = {"identity", true, false},
    [NODE_UNDERLAY] = {"underlay", true, false},
    [NODE_FRONT_DOOR] = {"front-door", false, false},
    [NODE_TUNNEL] = {"tunnel", true, false},
    [NODE_TUNNEL_NETWORK] = {"tunnel-network", true, true},
    [NODE_TUNNEL_DEVICE] = {"tunnel-device", false, false},
    [NODE_TUNNEL_MTU] = {"tunnel-mtu", false, false},
    [NODE_REDIRECT] = {"redirect", false, false},
    [NODE_SHORTCUT] = {"shortcut", false, false},
    [NODE_FORCE_ENCAPSULATION] = {"force-encapsulation", false, false},
    [NODE_NETWORK_ID] = {"network-id", false, false},
    [NODE_NHRP_AUTHENTICATION] = {"nhrp-authentication", false, false},
    [NODE_HOLDING_TIME_S] = {"holding-time-s", false, false},
    [NODE_AS] = {"as", true, false},
    [NODE_BGP_ID] = {"bgp-id", false, false},
    [NODE_BGP_NEIGHBOR] = {"bgp-neighbor", false, true},
    [NODE_BGP_LISTEN] = {"bgp-listen", false, false},
    [NODE_BGP_REFLECTOR] = {"bgp-reflector", false, false},
    [NODE_BGP_PORT] = {"bgp-port", false, false},
    [NODE_IDLE_MS] = {"idle-ms", false, false},
    [NODE_TUNNEL_WAIT_MS] = {"tunnel-wait-ms", false, false},
    [NODE_IKE_LIFETIME_S] = {"ike-lifetime-s", false, false},
    [NODE_CHILD_LIFETIME_S] = {"child-lifetime-s", false, false},
    [NODE_DPD_S] = {"dpd-s", false, false},
};

enum {
    VRF_ID,
    VRF_RD,
    VRF_IMPORT,
    VRF_EXPORT,
    VRF_CONNECTED,
    VRF_DISCARD,
    VRF_NAMESPACE,
    VRF_DEVICE,
    VRF_ADDRESS,
    VRF_ROUTE,
    VRF_KEYS
};

static const key vrf_keys[VRF_KEYS] = {
    [VRF_ID] = {"id", true, false},
    [VRF_RD] = {"rd", true, false},
    [VRF_IMPORT] = {"import", true, true},
    [VRF_EXPORT] = {"export", true, true},
    [VRF_CONNECTED] = {"connected", false, true},
    [VRF_DISCARD] = {"discard", false, true},
    [VRF_NAMESPACE] = {"namespace", true, false},
    [VRF_DEVICE] = {"device", false, false},
    [VRF_ADDRESS] = {"address", false, false},
    [VRF_ROUTE] = {"route", true, true},
};

enum {
    PEER_ADDRESS,
    PEER_LOCAL_KEY,
    PEER_REMOTE_KEY,
    PEER_AUTHORIZED,
    PEER_VRF,
    PEER_INITIATE,
    PEER_TRANSIT,
    PEER_KEYS
};

static const key peer_keys[PEER_KEYS] = {
    [PEER_ADDRESS] = {"address", false, false},
    [PEER_LOCAL_KEY] = {"local-key", true, false},
    [PEER_REMOTE_KEY] = {"remote-key", true, false},
    [PEER_AUTHORIZED] = {"authorized", true, true},
    [PEER_VRF] = {"vrf", false, true},
    [PEER_INITIATE] = {"initiate", false, false},
    [PEER_TRANSIT] = {"transit", false, false},
};

enum { SECTION_NODE, SECTION_VRF, SECTION_PEER };

enum { MAX_LINE_BYTES = 1024, MAX_KEYS = NODE_KEYS };

typedef struct parser {
    const char *file;
    const char *line; /* the one being read, without its line feed */
    size_t line_len;
    size_t line_number;
    size_t at;                 /* the next byte of the line */
    char word[MAX_LINE_BYTES]; /* the last one read */
    size_t word_at;            /* where it began */
    io_config *config;
    io_config_error *error;

    uint8_t section; /* SECTION_... */
    const key *keys; /* of the section */
    size_t key_count;
    size_t section_line;
    bool seen[MAX_KEYS];
} parser;

static const char default_global_device[] = "labelmesh0";

void io_config_init(io_config *config, bool redirect, bool shortcut)
{
    memset(config, 0, sizeof *config);
    router_config_init(&config->router);
    config->router.redirect = redirect;
    config->router.shortcut = shortcut;
    memcpy(config->global.device, default_global_device, sizeof default_global_device);
}

static bool fail_at(parser *p, size_t line, size_t column, const char *format, va_list arguments)
{
    char what[IO_CONFIG_ERROR_BYTES / 2];
    vsnprintf(what, sizeof what, format, arguments);
    p->error->line = line;
    p->error->column = column;
    snprintf(p->error->text, sizeof p->error->text, "%.200s:%zu:%zu: %s", p->file, line, column,
             what);
    return false;
}

/* An error at the word last read. */
__attribute__((format(printf, 2, 3))) static bool fail(parser *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_at(p, p->line_number, p->word_at + 1, format, arguments);
    va_end(arguments);
    return false;
}

/* An error at the first line of a section. */
__attribute__((format(printf, 2, 3))) static bool fail_section(parser *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_at(p, p->section_line, 1, format, arguments);
    va_end(arguments);
    return false;
}

static bool expected(parser *p, const char *what)
{
    if (p->word[0] == '\0')
        return fail(p, "expected %s", what);
    return fail(p, "expected %s, found \"%.64s\"", what, p->word);
}

/* ---- Words ---- */

static void skip_space(parser *p)
{
    while (p->at < p->line_len && (p->line[p->at] == ' ' || p->line[p->at] == '\t'))
        p->at++;
}

/* Nothing but a comment is left. */
static bool at_end(parser *p)
{
    skip_space(p);
    return p->at == p->line_len || p->line[p->at] == '#';
}

static bool is_word_byte(char c)
{
    return c > ' ' && c < '\x7f' && c != '#' && c != '=' && c != '"' && c != '[' && c != ']';
}

/* A word, empty where there is none. */
static void read_word(parser *p)
{
    skip_space(p);
    size_t len = 0;
    p->word_at = p->at;
    while (p->at < p->line_len && is_word_byte(p->line[p->at]))
        p->word[len++] = p->line[p->at++];
    p->word[len] = '\0';
}

static bool read_quoted(parser *p)
{
    size_t len = 0;
    p->word_at = p->at++;
    while (p->at < p->line_len && p->line[p->at] != '"')
        p->word[len++] = p->line[p->at++];
    p->word[len] = '\0';
    if (p->at == p->line_len)
        return fail(p, "expected a closing quote before the end of the line");
    p->at++;
    return true;
}

static bool read_value(parser *p)
{
    skip_space(p);
    if (p->at < p->line_len && p->line[p->at] == '"') {
        if (!read_quoted(p))
            return false;
    } else {
        read_word(p);
        if (p->word[0] == '\0')
            return fail(p, "expected a value");
    }
    const size_t end = p->at;
    if (at_end(p))
        return true;
    p->word_at = p->at == end ? end : p->at;
    return fail(p, "expected the end of the line: a value is one word, or in double quotes");
}

/* ---- Values ---- */

static bool set_text(parser *p, char *out, size_t cap, const char *what)
{
    const size_t len = strlen(p->word);
    if (len == 0)
        return expected(p, what);
    if (len >= cap)
        return fail(p, "expected %s of at most %zu characters, found %zu", what, cap - 1, len);
    memcpy(out, p->word, len + 1);
    return true;
}

static bool set_name(parser *p, char *out, size_t cap, const char *what)
{
    if (!config_is_name(p->word))
        return expected(p, what);
    return set_text(p, out, cap, what);
}

static bool set_number(parser *p, uint64_t low, uint64_t high, uint64_t *out)
{
    uint64_t value;
    if (config_number(p->word, &value) && value >= low && value <= high) {
        *out = value;
        return true;
    }
    return fail(p, "expected a number from %llu to %llu, found \"%.64s\"", (unsigned long long)low,
                (unsigned long long)high, p->word);
}

static bool set_u32(parser *p, uint32_t low, uint32_t high, uint32_t *out)
{
    uint64_t value = 0;
    if (!set_number(p, low, high, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool set_u16(parser *p, uint16_t low, uint16_t high, uint16_t *out)
{
    uint64_t value = 0;
    if (!set_number(p, low, high, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

static bool set_flag(parser *p, bool *out)
{
    const bool yes = strcmp(p->word, "yes") == 0;
    if (!yes && strcmp(p->word, "no") != 0)
        return expected(p, "yes or no");
    *out = yes;
    return true;
}

static bool set_address(parser *p, router_addr *out)
{
    return config_address(p->word, out) || expected(p, "an address such as 192.0.2.1");
}

static bool set_prefix(parser *p, router_addr *out)
{
    switch (config_prefix(p->word, out)) {
    case CONFIG_PREFIX_OK:
        return true;
    case CONFIG_PREFIX_HOST_BITS:
        return fail(p, "expected a prefix without host bits, found \"%.64s\"", p->word);
    default:
        return expected(p, "a prefix such as 192.0.2.0/24");
    }
}

static bool add_prefix(parser *p, router_addr *list, size_t *count)
{
    if (*count == ROUTER_MAX_PREFIXES)
        return fail(p, "expected at most %d of these", ROUTER_MAX_PREFIXES);
    if (!set_prefix(p, &list[*count]))
        return false;
    ++*count;
    return true;
}

static bool add_target(parser *p, uint8_t (*list)[8], size_t *count)
{
    if (*count == ROUTER_MAX_TARGETS)
        return fail(p, "expected at most %d of these", ROUTER_MAX_TARGETS);
    if (!config_route_target(p->word, list[*count]))
        return expected(p, "a route target such as 65000:1");
    ++*count;
    return true;
}

/* ---- Sections ---- */

static bool set_node(parser *p, size_t key_index)
{
    router_config *settings = &p->config->router;
    switch (key_index) {
    case NODE_NAME:
        return set_name(p, settings->name, sizeof settings->name, "a name");
    case NODE_IDENTITY:
        return set_name(p, settings->identity, sizeof settings->identity, "a domain name");
    case NODE_UNDERLAY:
        return set_address(p, &settings->underlay);
    case NODE_FRONT_DOOR:
        return set_text(p, p->config->front_door, sizeof p->config->front_door,
                        "a network namespace");
    case NODE_TUNNEL:
        return set_address(p, &settings->tunnel);
    case NODE_TUNNEL_NETWORK:
        return add_prefix(p, p->config->global.routes, &p->config->global.route_count);
    case NODE_TUNNEL_DEVICE:
        return set_name(p, p->config->global.device, sizeof p->config->global.device,
                        "a device name");
    case NODE_TUNNEL_MTU:
        return set_u16(p, 576, 9000, &settings->tunnel_mtu);
    case NODE_REDIRECT:
        return set_flag(p, &settings->redirect);
    case NODE_SHORTCUT:
        return set_flag(p, &settings->shortcut);
    case NODE_FORCE_ENCAPSULATION:
        return set_flag(p, &settings->force_encapsulation);
    case NODE_NETWORK_ID:
        return set_u32(p, 1, UINT32_MAX, &settings->network_id);
    case NODE_NHRP_AUTHENTICATION:
        return set_text(p, settings->nhrp_authentication, sizeof settings->nhrp_authentication,
                        "a password");
    case NODE_HOLDING_TIME_S:
        return set_u32(p, 1, UINT16_MAX, &settings->holding_time_s);
    case NODE_AS:
        return set_u32(p, 1, UINT32_MAX, &settings->as);
    case NODE_BGP_ID: {
        router_addr id;
        if (!config_address(p->word, &id) || id.family != ROUTER_FAMILY_IPV4)
            return expected(p, "an IPv4 address");
        memcpy(settings->bgp_id, id.bytes, sizeof settings->bgp_id);
        return true;
    }
    case NODE_BGP_NEIGHBOR:
        if (settings->bgp_neighbor_count == ROUTER_MAX_PEERS)
            return fail(p, "expected at most %d of these", ROUTER_MAX_PEERS);
        if (!set_address(p, &settings->bgp_neighbors[settings->bgp_neighbor_count]))
            return false;
        settings->bgp_neighbor_count++;
        return true;
    case NODE_BGP_LISTEN:
        return set_prefix(p, &settings->bgp_listen);
    case NODE_BGP_REFLECTOR:
        return set_flag(p, &settings->bgp_reflector);
    case NODE_BGP_PORT:
        return set_u16(p, 1, UINT16_MAX, &settings->bgp_port);
    case NODE_IDLE_MS:
        return set_u32(p, 1000, UINT32_MAX, &settings->idle_ms);
    case NODE_TUNNEL_WAIT_MS:
        return set_u32(p, 1, UINT32_MAX, &settings->tunnel_wait_ms);
    case NODE_IKE_LIFETIME_S:
        return set_u32(p, 60, UINT32_MAX, &settings->ike_lifetime_s);
    case NODE_CHILD_LIFETIME_S:
        return set_u32(p, 60, UINT32_MAX, &settings->child_lifetime_s);
    default:
        return set_u32(p, 1, UINT32_MAX, &settings->dpd_s);
    }
}

static bool set_vrf(parser *p, size_t key_index)
{
    const size_t index = p->config->router.vrf_count - 1;
    router_vrf_config *vrf = &p->config->router.vrfs[index];
    io_tun_config *tun = &p->config->vrfs[index];
    switch (key_index) {
    case VRF_ID:
        if (!set_u32(p, 1, UINT32_MAX, &vrf->id))
            return false;
        for (size_t i = 0; i < index; i++) {
            if (p->config->router.vrfs[i].id == vrf->id)
                return fail(p, "expected an id of its own: [vrf %s] has %s",
                            p->config->router.vrfs[i].name, p->word);
        }
        return true;
    case VRF_RD:
        return config_route_distinguisher(p->word, vrf->rd) ||
               expected(p, "a route distinguisher such as 65000:1");
    case VRF_IMPORT:
        return add_target(p, vrf->import_targets, &vrf->imports);
    case VRF_EXPORT:
        return add_target(p, vrf->export_targets, &vrf->exports);
    case VRF_CONNECTED:
        return add_prefix(p, vrf->connected, &vrf->connecteds);
    case VRF_DISCARD:
        return add_prefix(p, vrf->discard, &vrf->discards);
    case VRF_NAMESPACE:
        return set_text(p, tun->network_namespace, sizeof tun->network_namespace,
                        "a network namespace");
    case VRF_DEVICE:
        return set_name(p, tun->device, sizeof tun->device, "a device name");
    case VRF_ADDRESS:
        return set_address(p, &tun->address);
    default:
        return add_prefix(p, tun->routes, &tun->route_count);
    }
}

static bool set_peer(parser *p, size_t key_index)
{
    router_config *settings = &p->config->router;
    router_peer_config *peer = &settings->peers[settings->peer_count - 1];
    switch (key_index) {
    case PEER_ADDRESS:
        return set_address(p, &peer->address);
    case PEER_LOCAL_KEY:
        return set_text(p, peer->local_key, sizeof peer->local_key, "a key");
    case PEER_REMOTE_KEY:
        return set_text(p, peer->remote_key, sizeof peer->remote_key, "a key");
    case PEER_AUTHORIZED:
        return add_prefix(p, peer->authorized, &peer->authorizeds);
    case PEER_VRF:
        for (size_t i = 0; i < settings->vrf_count; i++) {
            if (strcmp(settings->vrfs[i].name, p->word) != 0)
                continue;
            if (peer->vrf_count == ROUTER_MAX_VRFS)
                return fail(p, "expected at most %d of these", ROUTER_MAX_VRFS);
            peer->vrfs[peer->vrf_count++] = settings->vrfs[i].id;
            return true;
        }
        return expected(p, "the name of a [vrf ...] section above");
    case PEER_INITIATE:
        return set_flag(p, &peer->initiate);
    default:
        return set_flag(p, &peer->transit);
    }
}

static bool end_section(parser *p)
{
    for (size_t i = 0; i < p->key_count; i++) {
        if (p->keys[i].required && !p->seen[i])
            return fail_section(p, "expected \"%s = ...\" in this section", p->keys[i].name);
    }
    return true;
}

static void begin_section(parser *p, uint8_t section, const key *keys, size_t key_count)
{
    p->section = section;
    p->keys = keys;
    p->key_count = key_count;
    p->section_line = p->line_number;
    memset(p->seen, 0, sizeof p->seen);
}

static bool begin_vrf(parser *p)
{
    router_config *settings = &p->config->router;
    if (!config_is_name(p->word))
        return expected(p, "the name of the VRF");
    for (size_t i = 0; i < settings->vrf_count; i++) {
        if (strcmp(settings->vrfs[i].name, p->word) == 0)
            return fail(p, "expected a name of its own: there is a [vrf %.64s] above", p->word);
    }
    if (settings->vrf_count == ROUTER_MAX_VRFS)
        return fail(p, "expected at most %d VRFs", ROUTER_MAX_VRFS);
    router_vrf_config *vrf = &settings->vrfs[settings->vrf_count];
    if (!set_name(p, vrf->name, sizeof vrf->name, "a name"))
        return false;
    snprintf(p->config->vrfs[settings->vrf_count].device, IO_DEVICE_BYTES, "labelmesh%zu",
             settings->vrf_count + 1);
    settings->vrf_count++;
    begin_section(p, SECTION_VRF, vrf_keys, VRF_KEYS);
    return true;
}

static bool begin_peer(parser *p)
{
    router_config *settings = &p->config->router;
    const char *host = strncmp(p->word, "*.", 2) == 0 ? p->word + 2 : p->word;
    if (!config_is_name(host))
        return expected(p, "the identity of the peer, such as hub.example.net or *.example.net");
    if (settings->peer_count == ROUTER_MAX_PEERS)
        return fail(p, "expected at most %d peers", ROUTER_MAX_PEERS);
    router_peer_config *peer = &settings->peers[settings->peer_count];
    if (!set_text(p, peer->identity, sizeof peer->identity, "an identity"))
        return false;
    settings->peer_count++;
    begin_section(p, SECTION_PEER, peer_keys, PEER_KEYS);
    return true;
}

static bool parse_section(parser *p)
{
    if (!end_section(p))
        return false;
    p->at++;
    read_word(p);
    const bool vrf = strcmp(p->word, "vrf") == 0;
    if (!vrf && strcmp(p->word, "peer") != 0)
        return expected(p, "[vrf NAME] or [peer IDENTITY]");
    read_word(p);
    if (!(vrf ? begin_vrf(p) : begin_peer(p)))
        return false;
    skip_space(p);
    p->word_at = p->at;
    if (p->at == p->line_len || p->line[p->at] != ']')
        return fail(p, "expected \"]\"");
    p->at++;
    if (!at_end(p)) {
        p->word_at = p->at;
        return fail(p, "expected the end of the line");
    }
    return true;
}

static bool parse_assignment(parser *p)
{
    read_word(p);
    size_t i = 0;
    while (i < p->key_count && strcmp(p->keys[i].name, p->word) != 0)
        i++;
    if (i == p->key_count)
        return expected(p, p->section == SECTION_NODE  ? "a key of the node or a [section]"
                           : p->section == SECTION_VRF ? "a key of a VRF or a [section]"
                                                       : "a key of a peer or a [section]");
    if (p->seen[i] && !p->keys[i].repeats)
        return fail(p, "expected \"%s\" only once in this section", p->keys[i].name);
    skip_space(p);
    if (p->at == p->line_len || p->line[p->at] != '=') {
        p->word_at = p->at;
        return fail(p, "expected \"=\" after \"%s\"", p->keys[i].name);
    }
    p->at++;
    if (!read_value(p))
        return false;
    p->seen[i] = true;
    switch (p->section) {
    case SECTION_NODE:
        return set_node(p, i);
    case SECTION_VRF:
        return set_vrf(p, i);
    default:
        return set_peer(p, i);
    }
}

static bool parse_line(parser *p)
{
    p->at = 0;
    p->word_at = 0;
    if (p->line_len >= MAX_LINE_BYTES)
        return fail(p, "expected a line of at most %d characters", MAX_LINE_BYTES - 1);
    for (size_t i = 0; i < p->line_len; i++) {
        const char c = p->line[i];
        if ((c < ' ' || c > '~') && c != '\t') {
            p->word_at = i;
            return fail(p, "expected printable ASCII, found byte 0x%02x", (unsigned char)c);
        }
    }
    if (at_end(p))
        return true;
    return p->line[p->at] == '[' ? parse_section(p) : parse_assignment(p);
}

bool io_config_parse(const char *file, const char *text, size_t len, io_config *config,
                     io_config_error *error)
{
    parser p = {.file = file, .config = config, .error = error, .line_number = 1};
    begin_section(&p, SECTION_NODE, node_keys, NODE_KEYS);
    bool ok = true;
    size_t begin = 0;
    while (ok && begin < len) {
        const char *end = memchr(text + begin, '\n', len - begin);
        p.line = text + begin;
        p.line_len = end ? (size_t)(end - p.line) : len - begin;
        ok = parse_line(&p);
        begin += p.line_len + 1;
        p.line_number++;
    }
    ok = ok && end_section(&p);
    explicit_bzero(p.word, sizeof p.word);
    if (!ok)
        return false;

    router_config *settings = &config->router;
    static const uint8_t no_id[sizeof settings->bgp_id];
    if (memcmp(settings->bgp_id, no_id, sizeof no_id) == 0 &&
        settings->tunnel.family == ROUTER_FAMILY_IPV4)
        memcpy(settings->bgp_id, settings->tunnel.bytes, sizeof settings->bgp_id);
    config->global.address = settings->tunnel;
    return true;
}

static bool fail_file(io_config_error *error, const char *file, const char *what)
{
    error->line = 0;
    error->column = 0;
    snprintf(error->text, sizeof error->text, "%.200s: %s", file, what);
    return false;
}

bool io_config_load(const char *file, io_config *config, io_config_error *error)
{
    FILE *in = fopen(file, "re");
    if (!in)
        return fail_file(error, file, strerror(errno));
    /* Unbuffered, so that no copy of the keys stays in stdio. */
    setvbuf(in, NULL, _IONBF, 0);
    char *text = malloc(IO_CONFIG_MAX_BYTES);
    if (!text) {
        fclose(in);
        return fail_file(error, file, "out of memory");
    }
    const size_t len = fread(text, 1, IO_CONFIG_MAX_BYTES, in);
    bool ok;
    if (ferror(in))
        ok = fail_file(error, file, strerror(errno));
    else if (len == IO_CONFIG_MAX_BYTES)
        ok = fail_file(error, file, "expected a file of less than a mebibyte");
    else
        ok = io_config_parse(file, text, len, config, error);
    fclose(in);
    explicit_bzero(text, len);
    free(text);
    return ok;
}

void io_config_wipe(io_config *config)
{
    explicit_bzero(config->router.peers, sizeof config->router.peers);
    explicit_bzero(config->router.nhrp_authentication, sizeof config->router.nhrp_authentication);
    explicit_bzero(config->router.seed, sizeof config->router.seed);
}
