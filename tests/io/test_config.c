/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/config.h"
#include "io/config_value.h"

static const char node_text[] = "name = a\n"
                                "identity = a.example.net\n"
                                "underlay = 192.0.2.1\n"
                                "tunnel = 172.16.1.1\n"
                                "tunnel-network = 172.16.1.0/24\n"
                                "as = 65000\n";
enum { NODE_LINES = 6 };

static const char vrf_text[] = "[vrf RED]\n"
                               "id = 7\n"
                               "rd = 65000:7\n"
                               "import = 65000:7\n"
                               "export = 65000:7\n"
                               "namespace = red\n"
                               "route = 0.0.0.0/0\n";

static const char peer_text[] = "[peer b.example.net]\n"
                                "local-key = \"one # key\"\n"
                                "remote-key = other\n"
                                "authorized = 172.16.1.2/32\n";

static io_config config;
static io_config_error error;

static bool parse(const char *text)
{
    io_config_init(&config, false, true);
    memset(&error, 0, sizeof error);
    return io_config_parse("f.conf", text, strlen(text), &config, &error);
}

/* The node's keys and then text, whose first line is number 1 in the expectation. */
static void assert_refused(const char *text, size_t line, size_t column, const char *what)
{
    char *all = malloc(strlen(node_text) + strlen(text) + 1);
    assert_non_null(all);
    strcpy(all, node_text);
    strcat(all, text);
    const bool taken = parse(all);
    free(all);
    if (taken)
        fail_msg("was taken: %s", text);
    char expected[IO_CONFIG_ERROR_BYTES];
    snprintf(expected, sizeof expected, "f.conf:%zu:%zu: %s", NODE_LINES + line, column, what);
    assert_string_equal(error.text, expected);
    assert_int_equal(error.line, NODE_LINES + line);
    assert_int_equal(error.column, column);
}

static void assert_ipv4(const router_addr *address, const char *hex, uint8_t prefix_len)
{
    assert_int_equal(address->family, ROUTER_FAMILY_IPV4);
    assert_int_equal(address->prefix_len, prefix_len);
    assert_hex(address->bytes, 4, hex);
    assert_int_equal(address->port, 0);
    assert_int_equal(address->scope, 0);
}

static void every_key_reaches_the_router(void **state)
{
    (void)state;
    if (!parse("# a comment\n"
               "  name = spoke1   # and one behind\n"
               "identity\t=\tspoke1.example.net\n"
               "underlay = 192.0.2.11\n"
               "front-door = outside\n"
               "tunnel = 172.16.1.11\n"
               "tunnel-network = 172.16.1.0/24\n"
               "tunnel-network = 172.16.2.0/24\n"
               "tunnel-device = tun9\n"
               "tunnel-mtu = 1300\n"
               "redirect = yes\n"
               "shortcut = no\n"
               "force-encapsulation = no\n"
               "network-id = 5\n"
               "nhrp-authentication = \"s p\"\n"
               "holding-time-s = 300\n"
               "as = 4200000000\n"
               "bgp-id = 192.0.2.99\n"
               "bgp-neighbor = 172.16.1.1\n"
               "bgp-neighbor = 172.16.1.2\n"
               "bgp-listen = 172.16.1.0/24\n"
               "bgp-reflector = yes\n"
               "bgp-port = 1790\n"
               "idle-ms = 60000\n"
               "tunnel-wait-ms = 1000\n"
               "ike-lifetime-s = 7200\n"
               "child-lifetime-s = 3600\n"
               "dpd-s = 10\n"
               "\n"
               "[vrf RED]\n"
               "id = 7\n"
               "rd = 192.0.2.1:7\n"
               "import = 65000:7\n"
               "import = 65000:8\n"
               "export = 4200000000:9\n"
               "connected = 10.1.1.0/24\n"
               "connected = 10.1.2.0/24\n"
               "discard = 10.0.0.0/8\n"
               "namespace = red\n"
               "device = red0\n"
               "address = 10.9.9.9\n"
               "route = 0.0.0.0/0\n"
               "route = ::/0\n"
               "[vrf BLUE]\n"
               "id = 8\n"
               "rd = 65000:8\n"
               "import = 65000:8\n"
               "export = 65000:8\n"
               "namespace = /proc/1/ns/net\n"
               "route = 10.0.0.0/8\n"
               "[peer hub.example.net]\n"
               "address = 192.0.2.1\n"
               "local-key = \"a = # b\"\n"
               "remote-key = plain\n"
               "authorized = 172.16.1.1/32\n"
               "vrf = BLUE\n"
               "vrf = RED\n"
               "initiate = yes\n"
               "[peer *.example.net]\n"
               "local-key = k\n"
               "remote-key = l\n"
               "transit = yes\n"
               "authorized = 172.16.1.0/24\n"))
        fail_msg("%s", error.text);

    const router_config *r = &config.router;
    assert_string_equal(r->name, "spoke1");
    assert_string_equal(r->identity, "spoke1.example.net");
    assert_ipv4(&r->underlay, "c000020b", 0);
    assert_string_equal(config.front_door, "outside");
    assert_ipv4(&r->tunnel, "ac10010b", 0);
    assert_int_equal(config.global.route_count, 2);
    assert_ipv4(&config.global.routes[1], "ac100200", 24);
    assert_ipv4(&config.global.address, "ac10010b", 0);
    assert_string_equal(config.global.device, "tun9");
    assert_int_equal(r->tunnel_mtu, 1300);
    assert_true(r->redirect);
    assert_false(r->shortcut);
    assert_false(r->force_encapsulation);
    assert_int_equal(r->network_id, 5);
    assert_string_equal(r->nhrp_authentication, "s p");
    assert_int_equal(r->holding_time_s, 300);
    assert_int_equal(r->as, 4200000000);
    assert_hex(r->bgp_id, 4, "c0000263");
    assert_int_equal(r->bgp_neighbor_count, 2);
    assert_ipv4(&r->bgp_neighbors[1], "ac100102", 0);
    assert_ipv4(&r->bgp_listen, "ac100100", 24);
    assert_true(r->bgp_reflector);
    assert_int_equal(r->bgp_port, 1790);
    assert_int_equal(r->idle_ms, 60000);
    assert_int_equal(r->tunnel_wait_ms, 1000);
    assert_int_equal(r->ike_lifetime_s, 7200);
    assert_int_equal(r->child_lifetime_s, 3600);
    assert_int_equal(r->dpd_s, 10);

    assert_int_equal(r->vrf_count, 2);
    const router_vrf_config *red = &r->vrfs[0];
    assert_string_equal(red->name, "RED");
    assert_int_equal(red->id, 7);
    assert_hex(red->rd, 8, "0001 c0000201 0007");
    assert_int_equal(red->imports, 2);
    assert_hex(red->import_targets[0], 8, "0002 fde8 00000007");
    assert_hex(red->import_targets[1], 8, "0002 fde8 00000008");
    assert_int_equal(red->exports, 1);
    assert_hex(red->export_targets[0], 8, "0202 fa56ea00 0009");
    assert_int_equal(red->connecteds, 2);
    assert_ipv4(&red->connected[1], "0a010200", 24);
    assert_int_equal(red->discards, 1);
    assert_ipv4(&red->discard[0], "0a000000", 8);
    assert_string_equal(config.vrfs[0].network_namespace, "red");
    assert_string_equal(config.vrfs[0].device, "red0");
    assert_ipv4(&config.vrfs[0].address, "0a090909", 0);
    assert_int_equal(config.vrfs[0].route_count, 2);
    assert_int_equal(config.vrfs[0].routes[1].family, ROUTER_FAMILY_IPV6);
    assert_string_equal(config.vrfs[1].network_namespace, "/proc/1/ns/net");
    assert_string_equal(config.vrfs[1].device, "labelmesh2");
    assert_int_equal(config.vrfs[1].address.family, ROUTER_FAMILY_NONE);

    assert_int_equal(r->peer_count, 2);
    const router_peer_config *hub = &r->peers[0];
    assert_string_equal(hub->identity, "hub.example.net");
    assert_ipv4(&hub->address, "c0000201", 0);
    assert_string_equal(hub->local_key, "a = # b");
    assert_string_equal(hub->remote_key, "plain");
    assert_int_equal(hub->authorizeds, 1);
    assert_ipv4(&hub->authorized[0], "ac100101", 32);
    assert_int_equal(hub->vrf_count, 2);
    assert_int_equal(hub->vrfs[0], 8);
    assert_int_equal(hub->vrfs[1], 7);
    assert_true(hub->initiate);
    assert_false(hub->transit);
    assert_string_equal(r->peers[1].identity, "*.example.net");
    assert_int_equal(r->peers[1].address.family, ROUTER_FAMILY_NONE);
    assert_false(r->peers[1].initiate);
    assert_true(r->peers[1].transit);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    assert_true(parse(node_text));
    assert_false(config.router.redirect);
    assert_true(config.router.shortcut);
    assert_string_equal(config.global.device, "labelmesh0");
    assert_hex(config.router.bgp_id, 4, "ac100101"); /* the tunnel address */
    assert_int_equal(config.router.bgp_port, 179);
    assert_true(config.router.force_encapsulation);
}

static void an_error_names_file_line_and_column_and_what_was_expected(void **state)
{
    (void)state;
    assert_refused("underlya = 1\n", 1, 1,
                   "expected a key of the node or a [section], found \"underlya\"");
    assert_refused("\n\n  bgp-neighbor = 172.16.1\n", 3, 18,
                   "expected an address such as 192.0.2.1, found \"172.16.1\"");
    assert_refused("bgp-neighbor\n", 1, 13, "expected \"=\" after \"bgp-neighbor\"");
    assert_refused("bgp-neighbor =\n", 1, 15, "expected a value");
    assert_refused("bgp-neighbor = # none\n", 1, 16, "expected a value");
    assert_refused("redirect = maybe\n", 1, 12, "expected yes or no, found \"maybe\"");
    assert_refused("bgp-listen = 172.16.1.1/24\n", 1, 14,
                   "expected a prefix without host bits, found \"172.16.1.1/24\"");
    assert_refused("bgp-listen = 172.16.1.0\n", 1, 14,
                   "expected a prefix such as 192.0.2.0/24, found \"172.16.1.0\"");
    assert_refused("bgp-listen = 172.16.1.0/33\n", 1, 14,
                   "expected a prefix such as 192.0.2.0/24, found \"172.16.1.0/33\"");
    assert_refused("tunnel-mtu = 9001\n", 1, 14,
                   "expected a number from 576 to 9000, found \"9001\"");
    assert_refused("tunnel-mtu = 01400\n", 1, 14,
                   "expected a number from 576 to 9000, found \"01400\"");
    assert_refused("tunnel-mtu = -1\n", 1, 14, "expected a number from 576 to 9000, found \"-1\"");
    assert_refused("dpd-s = 99999999999999999999\n", 1, 9,
                   "expected a number from 1 to 4294967295, found \"99999999999999999999\"");
    assert_refused("bgp-neighbor = 1.2.3.4 5.6.7.8\n", 1, 24,
                   "expected the end of the line: a value is one word, or in double quotes");
    assert_refused("nhrp-authentication = \"abc\n", 1, 23,
                   "expected a closing quote before the end of the line");
    assert_refused("tunnel-device = a-name-too-long-\n", 1, 17,
                   "expected a device name of at most 15 characters, found 16");
    assert_refused("redirect = yes\r\n", 1, 15, "expected printable ASCII, found byte 0x0d");
    assert_refused("as = 1\n", 1, 1, "expected \"as\" only once in this section");
    assert_refused("bgp-id = ::1\n", 1, 10, "expected an IPv4 address, found \"::1\"");
    assert_refused("[vrf]\n", 1, 5, "expected the name of the VRF");
    assert_refused("[vrf RED\n", 1, 9, "expected \"]\"");
    assert_refused("[vrf RED] id\n", 1, 11, "expected the end of the line");
    assert_refused("[network RED]\n", 1, 2,
                   "expected [vrf NAME] or [peer IDENTITY], found \"network\"");
    assert_refused("[vrf RED]\nrd = 65536:65536\n", 2, 6,
                   "expected a route distinguisher such as 65000:1, found \"65536:65536\"");
    assert_refused("[vrf RED]\nimport = 1\n", 2, 10,
                   "expected a route target such as 65000:1, found \"1\"");
    assert_refused("[vrf RED]\nid = 1\n", 1, 1, "expected \"rd = ...\" in this section");
    assert_refused("[peer *]\n", 1, 7,
                   "expected the identity of the peer, such as hub.example.net or *.example.net, "
                   "found \"*\"");
    assert_refused("[peer b]\nvrf = RED\n", 2, 7,
                   "expected the name of a [vrf ...] section above, found \"RED\"");
    assert_refused("[peer b]\nlocal-key = \"\"\n", 2, 13, "expected a key");
}

static void a_name_or_an_id_is_not_given_twice(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "%s[vrf RED]\n", vrf_text);
    assert_refused(text, 8, 6, "expected a name of its own: there is a [vrf RED] above");
    snprintf(text, sizeof text, "%s[vrf BLUE]\nid = 7\n", vrf_text);
    assert_refused(text, 9, 6, "expected an id of its own: [vrf RED] has 7");
}

static void a_file_without_what_the_node_needs_is_refused(void **state)
{
    (void)state;
    assert_false(parse(""));
    assert_string_equal(error.text, "f.conf:1:1: expected \"name = ...\" in this section");
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < ROUTER_MAX_PREFIXES; i++)
        strcat(text, "tunnel-network = 10.0.0.0/8\n");
    assert_refused(text, ROUTER_MAX_PREFIXES, 18, "expected at most 16 of these");

    memset(text, ' ', 2000);
    memcpy(text + 2000, "\n", 2);
    assert_refused(text, 1, 1, "expected a line of at most 1023 characters");
}

/* A missing file, and one that is there, by the same door as the programs. */
static void a_file_is_read(void **state)
{
    (void)state;
    io_config_init(&config, true, false);
    assert_false(io_config_load("/nonexistent/f.conf", &config, &error));
    assert_string_equal(error.text, "/nonexistent/f.conf: No such file or directory");
    assert_int_equal(error.line, 0);
    static const char *const files[] = {"hub", "spoke1", "spoke2"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, CONFIGS_DIR "/%s.conf", files[i]);
        io_config_init(&config, i == 0, i != 0);
        if (!io_config_load(path, &config, &error))
            fail_msg("%s", error.text);
        assert_string_equal(config.router.name, files[i]);
    }
}

static void keys_are_forgotten(void **state)
{
    (void)state;
    char text[2048];
    snprintf(text, sizeof text, "%snhrp-authentication = secret\n%s%s", node_text, vrf_text,
             peer_text);
    assert_true(parse(text));
    assert_string_equal(config.router.peers[0].local_key, "one # key");
    io_config_wipe(&config);
    assert_string_equal(config.router.peers[0].local_key, "");
    assert_string_equal(config.router.nhrp_authentication, "");
}

/* Whatever the file holds, it is read or refused with a place inside it. */
static void mangled_files_are_read_or_refused(void **state)
{
    (void)state;
    prng random = {20260101};
    char base[2048], text[2048];
    const size_t len =
        (size_t)snprintf(base, sizeof base, "%s%s%s", node_text, vrf_text, peer_text);
    size_t refused = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(text, base, len);
        size_t n = len;
        for (uint32_t i = 1 + prng_below(&random, 4); i > 0 && n > 0; i--) {
            const uint32_t at = prng_below(&random, (uint32_t)n);
            switch (prng_below(&random, 3)) {
            case 0:
                text[at] = (char)prng_below(&random, 256);
                break;
            case 1:
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
                break;
            default:
                n = at + 1;
                break;
            }
        }
        io_config_init(&config, false, false);
        if (io_config_parse("f", text, n, &config, &error))
            continue;
        refused++;
        assert_true(error.line >= 1 && error.column >= 1);
        assert_true(error.text[0] != '\0');
    }
    assert_true(refused > 1000);
}

static void route_distinguishers_have_three_forms(void **state)
{
    (void)state;
    uint8_t out[8];
    /* RFC 4364 4.2: type 0, 2-byte AS; type 1, IPv4 address; type 2, 4-byte AS */
    assert_true(config_route_distinguisher("65000:4294967295", out));
    assert_hex(out, 8, "0000 fde8 ffffffff");
    assert_true(config_route_distinguisher("192.0.2.1:65535", out));
    assert_hex(out, 8, "0001 c0000201 ffff");
    assert_true(config_route_distinguisher("65536:1", out));
    assert_hex(out, 8, "0002 00010000 0001");
    assert_false(config_route_distinguisher("192.0.2.1:65536", out));
    assert_false(config_route_distinguisher("::1:1", out));
    assert_false(config_route_distinguisher(":", out));
    assert_false(config_route_distinguisher("1:", out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_reaches_the_router),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(an_error_names_file_line_and_column_and_what_was_expected),
        cmocka_unit_test(a_name_or_an_id_is_not_given_twice),
        cmocka_unit_test(a_file_without_what_the_node_needs_is_refused),
        cmocka_unit_test(more_than_there_is_room_for_is_refused),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(keys_are_forgotten),
        cmocka_unit_test(mangled_files_are_read_or_refused),
        cmocka_unit_test(route_distinguishers_have_three_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
