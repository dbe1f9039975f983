/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function with each pointer NULL, lengths of zero, sizes and capacities that do not do, and
 * without memory. tests/gates/arguments.py tells whether one is left out.
 */
#include "net.h"
#include "refusal.h"

#include <string.h>

/*
 * Hand-made: RFC 4271 4.2 with capabilities of VPNv4 and four-octet AS 65000; 4.4; RFC 4271 4.3
 * with RFC 4364 4.3.4: 10.1.1.0/24 of RD 65000:1 by label 100 and 10.1.2.0/24 of RD 65000:2 by
 * label 101, next hop 10.0.9.2, RT 65000:100; RFC 4271 4.5 with RFC 9003: "hi"; RFC 2918.
 */
#define HEADER       "ffffffffffffffffffffffffffffffff"
#define OPEN         HEADER "00310104fde8005a0a000002140206010400010080020641040000fde802020200"
#define KEEPALIVE    HEADER "001304"
#define NOTIFICATION HEADER "0018 03 06 02 02 6869"
#define REFRESH      HEADER "0017 05 0001 00 80"
#define UPDATE                                                                                     \
    HEADER "006202 0000 004b"                                                                      \
           "800e2f 0001800c0000000000000000 0a000902 00"                                           \
           "70000641 0000fde800000001 0a0101 70000651 0000fde800000002 0a0102"                     \
           "400101 00 400200 400504 00000064 c01008 0002fde800000064"

enum { PATIENCE_S = 200, SETTLE_S = 10 };

static struct {
    bgpvpn_config cfg;
    bgpvpn_neighbor_config neighbor_cfg;
    bgpvpn_engine *engine;
    bgpvpn_event event;
    bgpvpn_output output;
    bgpvpn_stream_info stream;
    bgpvpn_neighbor_info neighbor;
    bgpvpn_route route;
    bgpvpn_label label;
    bgpvpn_path_info path;
    bgpvpn_counters counters;
    bgpvpn_header header;
    bgpvpn_open open;
    bgpvpn_capability capability;
    bgpvpn_notification notification;
    bgpvpn_refresh refresh;
    bgpvpn_restart restart;
    bgpvpn_attribute attribute;
    bgpvpn_update update;
    bgpvpn_nlri nlri;
    const uint8_t *view;
    uint64_t id, it;
    size_t at, len;
    uint32_t table;
    uint8_t code, subcode, eight[8], buf[256];
} out;

/* ---- The codec. ---- */

static uint8_t message[256];

static size_t load(const char *hex)
{
    return hex_bytes(hex, message, sizeof(message));
}

static int codec_setup(void **state)
{
    (void)state;
    watch(&out, sizeof(out), NULL);
    out.at = 0;
    return 0;
}

static bgpvpn_open an_open;
static bgpvpn_notification a_notification;
static bgpvpn_restart a_restart;
/* RFC 4724 3: 120 s, VPNv4, forwarding state kept. */
static const bgpvpn_capability restart_capability = {
    .value = (const uint8_t *)"\x00\x78\x00\x01\x80\x80", .len = 6, .code = 64};
static const bgpvpn_refresh a_refresh = {.afi = BGPVPN_AFI_IPV4, .safi = BGPVPN_SAFI_VPN};
static const bgpvpn_attribute an_origin = {
    .value = (const uint8_t *)"", .len = 1, .flags = BGPVPN_FLAG_TRANSITIVE, .type = 1};
static const bgpvpn_nlri a_prefix = {.prefix = {.family = 4, .prefix_len = 8, .bytes = {10}}};
static const bgpvpn_update an_end_of_rib = {.as_size = 4};

static int32_t encode_open(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_open_encode(&an_open, buf, cap, len);
}

static int32_t encode_open_with(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_open_encode_with(&an_open, &restart_capability, 1, buf, cap, len);
}

static int32_t encode_restart(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_restart_encode(&a_restart, buf, cap, len);
}

static int32_t encode_notification(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_notification_encode(&a_notification, buf, cap, len);
}

static int32_t encode_keepalive(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_keepalive_encode(buf, cap, len);
}

static int32_t encode_refresh(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_refresh_encode(&a_refresh, buf, cap, len);
}

static int32_t encode_attribute(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_attribute_encode(&an_origin, buf, cap, len);
}

static int32_t encode_update(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_update_encode(&an_end_of_rib, buf, cap, len);
}

static int32_t encode_nlri(uint8_t *buf, size_t cap, size_t *len)
{
    return bgpvpn_nlri_encode(BGPVPN_TABLE_IPV4, 0, &a_prefix, buf, cap, len);
}

static void the_messages_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    const size_t cap = sizeof(out.buf);
    size_t n = load(KEEPALIVE);
    refuses(bgpvpn_header_decode(NULL, n, &out.header));
    refuses(bgpvpn_header_decode(message, n, NULL));
    answers(BGPVPN_ERR_TRUNCATED, bgpvpn_header_decode(message, 0, &out.header));
    accepts(bgpvpn_header_decode(message, n, &out.header));
    refuses(bgpvpn_extended_header_decode(NULL, n, &out.header));
    refuses(bgpvpn_extended_header_decode(message, n, NULL));
    answers(BGPVPN_ERR_TRUNCATED, bgpvpn_extended_header_decode(message, 0, &out.header));
    accepts(bgpvpn_extended_header_decode(message, n, &out.header));
    refuses(bgpvpn_keepalive_encode(NULL, cap, &out.len));
    refuses(bgpvpn_keepalive_encode(out.buf, cap, NULL));
    assert_int_equal(bgpvpn_keepalive_encode(out.buf, 0, &out.len), BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_keepalive_encode(out.buf, cap, &out.len));
    assert_every_capacity(encode_keepalive, BGPVPN_OK, 19);

    n = load(REFRESH);
    refuses(bgpvpn_refresh_decode(NULL, n, &out.refresh));
    refuses(bgpvpn_refresh_decode(message, n, NULL));
    assert_true(bgpvpn_refresh_decode(message, 0, &out.refresh) <= BGPVPN_ERR_TRUNCATED);
    accepts(bgpvpn_refresh_decode(message, n, &out.refresh));
    refuses(bgpvpn_refresh_encode(NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_refresh_encode(&a_refresh, NULL, cap, &out.len));
    refuses(bgpvpn_refresh_encode(&a_refresh, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_refresh_encode(&a_refresh, out.buf, 0, &out.len), BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_refresh_encode(&a_refresh, out.buf, cap, &out.len));
    assert_every_capacity(encode_refresh, BGPVPN_OK, 23);

    refuses(bgpvpn_rc_notification(BGPVPN_ERR_MARKER, NULL, &out.subcode));
    refuses(bgpvpn_rc_notification(BGPVPN_ERR_MARKER, &out.code, NULL));
    accepts(bgpvpn_rc_notification(BGPVPN_ERR_MARKER, &out.code, &out.subcode));
    assert_int_equal(bgpvpn_version() >> 16, BGPVPN_VERSION_MAJOR);
    assert_string_equal(bgpvpn_rc_name(INT32_MIN), "BGPVPN_UNKNOWN");
}

static void the_open_message_refuses_null_and_takes_no_octets(void **state)
{
    (void)state;
    const size_t n = load(OPEN), cap = sizeof(out.buf);
    refuses(bgpvpn_open_decode(NULL, n, &out.open));
    refuses(bgpvpn_open_decode(message, n, NULL));
    answers(BGPVPN_ERR_TRUNCATED, bgpvpn_open_decode(message, 0, &out.open));
    accepts(bgpvpn_open_decode(message, n, &an_open));
    refuses(bgpvpn_capability_next(NULL, &out.at, &out.capability));
    refuses(bgpvpn_capability_next(&an_open, NULL, &out.capability));
    refuses(bgpvpn_capability_next(&an_open, &out.at, NULL));
    accepts(bgpvpn_capability_next(&an_open, &out.at, &out.capability));
    refuses(bgpvpn_open_encode(NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_open_encode(&an_open, NULL, cap, &out.len));
    refuses(bgpvpn_open_encode(&an_open, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_open_encode(&an_open, out.buf, 0, &out.len), BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_open_encode(&an_open, out.buf, cap, &out.len));
    assert_every_capacity(encode_open, BGPVPN_OK, out.len);

    refuses(bgpvpn_open_encode_with(NULL, &restart_capability, 1, out.buf, cap, &out.len));
    refuses(bgpvpn_open_encode_with(&an_open, NULL, 1, out.buf, cap, &out.len));
    refuses(bgpvpn_open_encode_with(&an_open, &restart_capability, 1, NULL, cap, &out.len));
    refuses(bgpvpn_open_encode_with(&an_open, &restart_capability, 1, out.buf, cap, NULL));
    assert_int_equal(
        bgpvpn_open_encode_with(&an_open, &restart_capability, 1, out.buf, 0, &out.len),
        BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_open_encode_with(&an_open, &restart_capability, 0, out.buf, cap, &out.len));
    accepts(bgpvpn_open_encode_with(&an_open, &restart_capability, 1, out.buf, cap, &out.len));
    assert_every_capacity(encode_open_with, BGPVPN_OK, out.len);
}

static void the_restart_capability_refuses_null_and_takes_no_octets(void **state)
{
    (void)state;
    const size_t cap = sizeof(out.buf);
    refuses(bgpvpn_restart_decode(NULL, &out.restart));
    refuses(bgpvpn_restart_decode(&restart_capability, NULL));
    accepts(bgpvpn_restart_decode(&restart_capability, &a_restart));
    refuses(bgpvpn_restart_encode(NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_restart_encode(&a_restart, NULL, cap, &out.len));
    refuses(bgpvpn_restart_encode(&a_restart, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_restart_encode(&a_restart, out.buf, 0, &out.len), BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_restart_encode(&a_restart, out.buf, cap, &out.len));
    assert_every_capacity(encode_restart, BGPVPN_OK, 6);
}

static void the_notification_refuses_null_and_takes_no_octets(void **state)
{
    (void)state;
    const size_t n = load(NOTIFICATION), cap = sizeof(out.buf);
    refuses(bgpvpn_notification_decode(NULL, n, &out.notification));
    refuses(bgpvpn_notification_decode(message, n, NULL));
    assert_true(bgpvpn_notification_decode(message, 0, &out.notification) <= BGPVPN_ERR_TRUNCATED);
    accepts(bgpvpn_notification_decode(message, n, &a_notification));
    refuses(bgpvpn_notification_text(NULL, &out.view, &out.len));
    refuses(bgpvpn_notification_text(&a_notification, NULL, &out.len));
    refuses(bgpvpn_notification_text(&a_notification, &out.view, NULL));
    accepts(bgpvpn_notification_text(&a_notification, &out.view, &out.len));
    assert_int_equal(out.len, 2);
    refuses(bgpvpn_notification_encode(NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_notification_encode(&a_notification, NULL, cap, &out.len));
    refuses(bgpvpn_notification_encode(&a_notification, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_notification_encode(&a_notification, out.buf, 0, &out.len),
                     BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_notification_encode(&a_notification, out.buf, cap, &out.len));
    assert_every_capacity(encode_notification, BGPVPN_OK, n);
    a_notification.data = NULL;
    refuses(bgpvpn_notification_encode(&a_notification, out.buf, cap, &out.len));
}

static void the_update_refuses_null_and_takes_no_octets(void **state)
{
    (void)state;
    const size_t cap = sizeof(out.buf), n = load(UPDATE);
    bgpvpn_update u;
    refuses(bgpvpn_update_decode(NULL, n, 4, 0, &out.update));
    refuses(bgpvpn_update_decode(message, n, 4, 0, NULL));
    assert_true(bgpvpn_update_decode(message, 0, 4, 0, &out.update) <= BGPVPN_ERR_TRUNCATED);
    accepts(bgpvpn_update_decode(message, n, 4, 0, &u));
    refuses(bgpvpn_update_end_of_rib(NULL, &out.table));
    refuses(bgpvpn_update_end_of_rib(&u, NULL));
    accepts(bgpvpn_update_end_of_rib(&u, &out.table));
    refuses(bgpvpn_update_encode(NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_update_encode(&an_end_of_rib, NULL, cap, &out.len));
    refuses(bgpvpn_update_encode(&an_end_of_rib, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_update_encode(&an_end_of_rib, out.buf, 0, &out.len), BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_update_encode(&an_end_of_rib, out.buf, cap, &out.len));
    assert_every_capacity(encode_update, BGPVPN_OK, 23);
}

static void attributes_and_prefixes_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    const uint32_t table = BGPVPN_TABLE_IPV4;
    const size_t cap = sizeof(out.buf);
    size_t n = load("400101 00");
    refuses(bgpvpn_attribute_next(NULL, n, &out.at, &out.attribute));
    refuses(bgpvpn_attribute_next(message, n, NULL, &out.attribute));
    refuses(bgpvpn_attribute_next(message, n, &out.at, NULL));
    answers(BGPVPN_OK, bgpvpn_attribute_next(message, 0, &out.at, &out.attribute));
    accepts(bgpvpn_attribute_next(message, n, &out.at, &out.attribute));
    refuses(bgpvpn_attribute_encode(NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_attribute_encode(&an_origin, NULL, cap, &out.len));
    refuses(bgpvpn_attribute_encode(&an_origin, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_attribute_encode(&an_origin, out.buf, 0, &out.len), BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_attribute_encode(&an_origin, out.buf, cap, &out.len));
    assert_every_capacity(encode_attribute, BGPVPN_OK, n);

    n = load("080a");
    out.at = 0;
    refuses(bgpvpn_nlri_next(table, 0, NULL, n, &out.at, &out.nlri));
    refuses(bgpvpn_nlri_next(table, 0, message, n, NULL, &out.nlri));
    refuses(bgpvpn_nlri_next(table, 0, message, n, &out.at, NULL));
    answers(BGPVPN_OK, bgpvpn_nlri_next(table, 0, message, 0, &out.at, &out.nlri));
    accepts(bgpvpn_nlri_next(table, 0, message, n, &out.at, &out.nlri));
    refuses(bgpvpn_nlri_encode(table, 0, NULL, out.buf, cap, &out.len));
    refuses(bgpvpn_nlri_encode(table, 0, &a_prefix, NULL, cap, &out.len));
    refuses(bgpvpn_nlri_encode(table, 0, &a_prefix, out.buf, cap, NULL));
    assert_int_equal(bgpvpn_nlri_encode(table, 0, &a_prefix, out.buf, 0, &out.len),
                     BGPVPN_ERR_BUFFER);
    accepts(bgpvpn_nlri_encode(table, 0, &a_prefix, out.buf, cap, &out.len));
    assert_every_capacity(encode_nlri, BGPVPN_OK, n);

    refuses(bgpvpn_rd_make(65000, 1, 0, NULL));
    accepts(bgpvpn_rd_make(65000, 1, 0, out.eight));
    refuses(bgpvpn_rt_make(65000, 1, 0, NULL));
    accepts(bgpvpn_rt_make(65000, 1, 0, out.eight));
    refuses(bgpvpn_rt_check(NULL));
    accepts(bgpvpn_rt_check(out.eight));
}

/* Each as the same call once more, whose result is the one just seen. */
static void try_all(const uint8_t *b, size_t n)
{
    bgpvpn_header h;
    bgpvpn_open o;
    bgpvpn_notification no;
    bgpvpn_refresh r;
    bgpvpn_update u;
    bgpvpn_attribute a;
    bgpvpn_nlri p;
    size_t it = 0;
    int32_t rc = bgpvpn_header_decode(b, n, &h);
    if (rc < 0)
        answers(rc, bgpvpn_header_decode(b, n, &out.header));
    rc = bgpvpn_open_decode(b, n, &o);
    if (rc < 0)
        answers(rc, bgpvpn_open_decode(b, n, &out.open));
    rc = bgpvpn_notification_decode(b, n, &no);
    if (rc < 0)
        answers(rc, bgpvpn_notification_decode(b, n, &out.notification));
    rc = bgpvpn_refresh_decode(b, n, &r);
    if (rc < 0)
        answers(rc, bgpvpn_refresh_decode(b, n, &out.refresh));
    rc = bgpvpn_update_decode(b, n, 4, 0, &u);
    if (rc < 0)
        answers(rc, bgpvpn_update_decode(b, n, 4, 0, &out.update));
    out.at = 0;
    rc = bgpvpn_attribute_next(b, n, &it, &a);
    if (rc < 0)
        answers(rc, bgpvpn_attribute_next(b, n, &out.at, &out.attribute));
    it = 0;
    rc = bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, b, n, &it, &p);
    if (rc < 0)
        answers(rc, bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, b, n, &out.at, &out.nlri));
}

static void a_decoder_that_fails_has_written_nothing(void **state)
{
    (void)state;
    static const char *const good[] = {OPEN,
                                       KEEPALIVE,
                                       NOTIFICATION,
                                       REFRESH,
                                       UPDATE,
                                       "400101 00",
                                       "70000641 0000fde800000001 0a0101"};
    static const uint8_t values[] = {0, 1, 4, 127, 255};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const size_t n = load(good[i]);
        for (size_t len = 0; len <= n; len++)
            try_all(message, len);
        for (size_t at = 0; at < n * sizeof(values); at++) {
            const uint8_t was = message[at / sizeof(values)];
            message[at / sizeof(values)] = values[at % sizeof(values)];
            try_all(message, n);
            message[at / sizeof(values)] = was;
        }
    }
}

/* ---- The engine: a session that is up, with two routes, and a VRF with one of its own. ---- */

static const bgpvpn_addr us = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
static const bgpvpn_addr them = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 2}};
static const bgpvpn_addr stranger = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 7, 7, 7}};
static const bgpvpn_addr dialled = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 3}};
static const bgpvpn_addr next_hop = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 9, 2}};
static const bgpvpn_addr prefix = {
    .family = BGPVPN_FAMILY_IPV4, .prefix_len = 16, .bytes = {10, 5}};

static bgpvpn_config cfg;
static bgpvpn_neighbor_config neighbor_cfg;
static bgpvpn_vrf_config vrf_cfg;
static bgpvpn_local_route local_route;
static uint8_t rt[8];
static bgpvpn_engine *e;
static uint64_t now, neighbor, stream;
static bool exact; /* the state with what a repeated call may count twice */

static void describe_neighbor(description *d, const bgpvpn_neighbor_info *i)
{
    const uint64_t numbers[] = {i->state,  i->stream,      i->tables,       i->paths,
                                i->resets, i->prefixes_in, i->prefixes_out, i->dynamic};
    if (exact)
        describe(d, i, sizeof(*i));
    else
        describe(d, numbers, sizeof(numbers));
}

static void engine_state(description *d)
{
    bgpvpn_counters c = {.struct_size = sizeof(c)};
    bgpvpn_neighbor_info i = {.struct_size = sizeof(i)};
    bgpvpn_path_info path = {.struct_size = sizeof(path)};
    const uint64_t deadline = bgpvpn_engine_deadline(e);
    uint64_t it = 0;
    assert_int_equal(bgpvpn_engine_get_counters(e, &c), BGPVPN_OK);
    describe(d, &c, sizeof(c));
    while (bgpvpn_engine_get_next_neighbor(e, &it, &i) == BGPVPN_YES)
        describe_neighbor(d, &i);
    for (it = 0; bgpvpn_engine_get_next_path(e, &it, &path) == BGPVPN_YES;)
        describe(d, &path, sizeof(path));
    if (exact)
        describe(d, &deadline, sizeof(deadline));
}

static void watch_all(void)
{
    watch(&out, sizeof(out), e ? engine_state : NULL);
    out.it = 0;
    out.stream.struct_size = sizeof(out.stream);
    out.neighbor.struct_size = sizeof(out.neighbor);
    out.route.struct_size = sizeof(out.route);
    out.label.struct_size = sizeof(out.label);
    out.path.struct_size = sizeof(out.path);
    out.counters.struct_size = sizeof(out.counters);
}

static void configure(void)
{
    now = 1000;
    net_config(0, &cfg);
    cfg.accept = BGPVPN_ACCEPT_ASK;
    cfg.next_hops = BGPVPN_NEXT_HOPS_ASK;
    assert_int_equal(bgpvpn_rt_make(65000, 100, 0, rt), BGPVPN_OK);
    vrf_cfg = (bgpvpn_vrf_config){.struct_size = sizeof(vrf_cfg), .vrf = 1};
    assert_int_equal(bgpvpn_rd_make(65000, 9, 0, vrf_cfg.rd), BGPVPN_OK);
    vrf_cfg.import_rts = vrf_cfg.export_rts = rt;
    vrf_cfg.import_rts_len = vrf_cfg.export_rts_len = sizeof(rt);
    local_route =
        (bgpvpn_local_route){.struct_size = sizeof(local_route), .label = 77, .prefix = prefix};
    assert_int_equal(bgpvpn_neighbor_config_init(&neighbor_cfg), BGPVPN_OK);
    neighbor_cfg.address = them;
    neighbor_cfg.remote_as = 65000;
    neighbor_cfg.flags =
        BGPVPN_NEIGHBOR_PASSIVE | BGPVPN_NEIGHBOR_CLIENT | BGPVPN_NEIGHBOR_NEXT_HOP_SELF;
}

/* The event of a kind, those before it dropped; what had no memory for it tries again in time. */
static bgpvpn_event event_of(uint32_t kind)
{
    bgpvpn_event ev = {0};
    for (int i = 0; i < PATIENCE_S && ev.kind != kind; i++) {
        while (bgpvpn_engine_poll_event(e, &ev) == BGPVPN_YES && ev.kind != kind)
            continue;
        if (ev.kind == kind)
            break;
        now += 1000;
        (void)bgpvpn_engine_timeout(e, now);
    }
    assert_int_equal(ev.kind, kind);
    return ev;
}

/* Some seconds in which all that is ready to be sent is sent. */
static void settle(void)
{
    bgpvpn_output o;
    uint8_t buf[4096];
    for (int i = 0; i < SETTLE_S; i++) {
        (void)bgpvpn_engine_timeout(e, now += 1000);
        while (bgpvpn_engine_poll_output(e, now, buf, sizeof(buf), &o) == BGPVPN_YES)
            continue;
    }
}

static int engine_setup(void **state)
{
    (void)state;
    size_t used;
    configure();
    assert_int_equal(bgpvpn_engine_new(&cfg, now, &e), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_vrf_add(e, now, &vrf_cfg), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_announce(e, now, 1, &local_route), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_neighbor_add(e, now, &neighbor_cfg, &neighbor), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_accept(e, now, &us, &them, &stream), BGPVPN_OK);
    const size_t len = load(OPEN KEEPALIVE UPDATE);
    assert_int_equal(bgpvpn_engine_input(e, now, stream, message, len, &used), BGPVPN_OK);
    assert_int_equal(used, len);
    exact = true;
    watch_all();
    return 0;
}

static int engine_teardown(void **state)
{
    (void)state;
    bgpvpn_engine_free(e);
    e = NULL;
    return 0;
}

static void making_refuses_null_and_leaves_the_engine_as_it_was(void **state)
{
    (void)state;
    refuses(bgpvpn_config_init(NULL));
    accepts(bgpvpn_config_init(&out.cfg));
    refuses(bgpvpn_neighbor_config_init(NULL));
    accepts(bgpvpn_neighbor_config_init(&out.neighbor_cfg));
    refuses(bgpvpn_engine_new(NULL, now, &out.engine));
    refuses(bgpvpn_engine_new(&cfg, now, NULL));
    refuses_sizes(bgpvpn_engine_new(sized(cfg), now, &out.engine));
    accepts(bgpvpn_engine_new(&cfg, now, &out.engine));
    bgpvpn_engine_free(out.engine);
    bgpvpn_engine_free(NULL);
    refuses(bgpvpn_engine_reseed(NULL, now, cfg.seed));
    refuses(bgpvpn_engine_reseed(e, now, NULL));
    accepts(bgpvpn_engine_reseed(e, now, cfg.seed));
    refuses(bgpvpn_engine_timeout(NULL, now));
    accepts(bgpvpn_engine_timeout(e, now));
    assert_true(bgpvpn_engine_deadline(NULL) == BGPVPN_NEVER);
    assert_true(bgpvpn_engine_deadline(e) != BGPVPN_NEVER);
}

static void neighbors_refuse_null_and_leave_the_engine_as_it_was(void **state)
{
    (void)state;
    static const uint8_t text[] = {'h', 'i'};
    bgpvpn_neighbor_config other = neighbor_cfg;
    other.address = dialled;
    refuses(bgpvpn_engine_neighbor_add(NULL, now, &other, &out.id));
    refuses(bgpvpn_engine_neighbor_add(e, now, NULL, &out.id));
    refuses(bgpvpn_engine_neighbor_add(e, now, &other, NULL));
    refuses_sizes(bgpvpn_engine_neighbor_add(e, now, sized(other), &out.id));
    refuses(bgpvpn_engine_neighbor_refresh(NULL, now, neighbor, BGPVPN_TABLE_VPNV4));
    refuses(bgpvpn_engine_neighbor_reset(NULL, now, neighbor));
    refuses(bgpvpn_engine_neighbor_cease(NULL, now, neighbor, 4, text, 2));
    refuses(bgpvpn_engine_neighbor_cease(e, now, neighbor, 4, NULL, 2));
    refuses(bgpvpn_engine_neighbor_shutdown(NULL, now, neighbor, text, 2));
    refuses(bgpvpn_engine_neighbor_shutdown(e, now, neighbor, NULL, 2));
    refuses(bgpvpn_engine_neighbor_start(NULL, now, neighbor));
    refuses(bgpvpn_engine_neighbor_remove(NULL, now, neighbor));
    other.address.prefix_len = 24;
    other.address.bytes[3] = 0;
    refuses(bgpvpn_engine_range_add(NULL, now, &other, &out.id));
    refuses(bgpvpn_engine_range_add(e, now, NULL, &out.id));
    refuses(bgpvpn_engine_range_add(e, now, &other, NULL));
    refuses_sizes(bgpvpn_engine_range_add(e, now, sized(other), &out.id));
    accepts(bgpvpn_engine_range_add(e, now, &other, &out.id));
    refuses(bgpvpn_engine_range_remove(NULL, now, out.id));
    accepts(bgpvpn_engine_range_remove(e, now, out.id));

    other = neighbor_cfg;
    other.address = dialled;
    accepts(bgpvpn_engine_neighbor_add(e, now, &other, &out.id));
    accepts(bgpvpn_engine_neighbor_refresh(e, now, neighbor, BGPVPN_TABLE_VPNV4));
    accepts(bgpvpn_engine_neighbor_reset(e, now, neighbor));
    accepts(bgpvpn_engine_neighbor_cease(e, now, neighbor, 6, text, 0));
    accepts(bgpvpn_engine_neighbor_cease(e, now, neighbor, 4, text, 2));
    accepts(bgpvpn_engine_neighbor_shutdown(e, now, neighbor, text, 0));
    accepts(bgpvpn_engine_neighbor_shutdown(e, now, neighbor, NULL, 0));
    accepts(bgpvpn_engine_neighbor_shutdown(e, now, neighbor, text, 2));
    accepts(bgpvpn_engine_neighbor_start(e, now, neighbor));
    accepts(bgpvpn_engine_neighbor_remove(e, now, neighbor));
}

static void streams_refuse_null_and_leave_the_engine_as_it_was(void **state)
{
    (void)state;
    const size_t len = load(KEEPALIVE), cap = sizeof(out.buf);
    bgpvpn_neighbor_config other = neighbor_cfg;
    other.address = dialled;
    other.flags = 0;
    refuses(bgpvpn_engine_poll_event(NULL, &out.event));
    refuses(bgpvpn_engine_poll_event(e, NULL));
    accepts(bgpvpn_engine_poll_event(e, &out.event));
    refuses(bgpvpn_engine_input(NULL, now, stream, message, len, &out.len));
    refuses(bgpvpn_engine_input(e, now, stream, NULL, len, &out.len));
    refuses(bgpvpn_engine_input(e, now, stream, message, len, NULL));
    accepts(bgpvpn_engine_input(e, now, stream, NULL, 0, &out.len));
    accepts(bgpvpn_engine_input(e, now, stream, message, 0, &out.len));
    assert_int_equal(out.len, 0);
    accepts(bgpvpn_engine_input(e, now, stream, message, len, &out.len));
    refuses(bgpvpn_engine_set_credit(NULL, now, stream, 4096));
    accepts(bgpvpn_engine_set_credit(e, now, stream, 4096));
    refuses(bgpvpn_engine_poll_output(NULL, now, out.buf, cap, &out.output));
    refuses(bgpvpn_engine_poll_output(e, now, NULL, cap, &out.output));
    refuses(bgpvpn_engine_poll_output(e, now, out.buf, cap, NULL));
    refuses(bgpvpn_engine_poll_output(e, now, out.buf, 0, &out.output));
    accepts(bgpvpn_engine_poll_output(e, now, out.buf, cap, &out.output));
    assert_int_equal(out.output.stream, stream);

    assert_int_equal(bgpvpn_engine_neighbor_add(e, now, &other, &out.id), BGPVPN_OK);
    const uint64_t wanted = event_of(BGPVPN_EVENT_CONNECT).parent_id;
    refuses(bgpvpn_engine_stream_up(NULL, now, wanted, &us));
    refuses(bgpvpn_engine_stream_up(e, now, wanted, NULL));
    accepts(bgpvpn_engine_stream_up(e, now, wanted, &us));
    refuses(bgpvpn_engine_stream_down(NULL, now, wanted));
    accepts(bgpvpn_engine_stream_down(e, now, wanted));
    refuses(bgpvpn_engine_accept(NULL, now, &us, &stranger, &out.id));
    refuses(bgpvpn_engine_accept(e, now, NULL, &stranger, &out.id));
    refuses(bgpvpn_engine_accept(e, now, &us, NULL, &out.id));
    refuses(bgpvpn_engine_accept(e, now, &us, &stranger, NULL));
    accepts(bgpvpn_engine_accept(e, now, &us, &stranger, &out.id));
    const uint64_t ask = event_of(BGPVPN_EVENT_ASK_ACCEPT).ask_id;
    refuses(bgpvpn_engine_answer_accept(NULL, now, ask, &neighbor_cfg));
    refuses_sizes(bgpvpn_engine_answer_accept(e, now, ask, sized(neighbor_cfg)));
    accepts(bgpvpn_engine_answer_accept(e, now, ask, &neighbor_cfg));
}

static void a_question_may_be_answered_with_null(void **state)
{
    (void)state;
    accepts(bgpvpn_engine_accept(e, now, &us, &stranger, &out.id));
    const uint64_t ask = event_of(BGPVPN_EVENT_ASK_ACCEPT).ask_id;
    accepts(bgpvpn_engine_answer_accept(e, now, ask, NULL));
    assert_int_equal(event_of(BGPVPN_EVENT_CLOSE).parent_id, out.id);
}

static void the_rib_refuses_null_and_stays_as_it_was(void **state)
{
    (void)state;
    bgpvpn_vrf_config other = vrf_cfg, bad = vrf_cfg;
    bgpvpn_local_route again = local_route;
    other.vrf = 2;
    again.label = 78;
    refuses(bgpvpn_engine_vrf_add(NULL, now, &other));
    refuses(bgpvpn_engine_vrf_add(e, now, NULL));
    refuses_sizes(bgpvpn_engine_vrf_add(e, now, sized(other)));
    bad.vrf = 2;
    bad.rd[7] = 11;
    bad.import_rts = NULL;
    refuses(bgpvpn_engine_vrf_add(e, now, &bad));
    bad.import_rts = rt;
    bad.export_rts = NULL;
    refuses(bgpvpn_engine_vrf_add(e, now, &bad));
    bad.export_rts_len = 0;
    accepts(bgpvpn_engine_vrf_add(e, now, &bad));
    other.vrf = 3;
    other.rd[7] = 10;
    accepts(bgpvpn_engine_vrf_add(e, now, &other));
    refuses(bgpvpn_engine_vrf_remove(NULL, now, 2));
    accepts(bgpvpn_engine_vrf_remove(e, now, 2));
    refuses(bgpvpn_engine_announce(NULL, now, 1, &again));
    refuses(bgpvpn_engine_announce(e, now, 1, NULL));
    refuses_sizes(bgpvpn_engine_announce(e, now, 1, sized(again)));
    accepts(bgpvpn_engine_announce(e, now, 1, &again));
    refuses(bgpvpn_engine_withdraw(NULL, now, 1, &prefix));
    refuses(bgpvpn_engine_withdraw(e, now, 1, NULL));
    accepts(bgpvpn_engine_withdraw(e, now, 1, &prefix));

    accepts(bgpvpn_engine_set_credit(e, now, stream, UINT64_MAX));
    const uint64_t ask = event_of(BGPVPN_EVENT_ASK_NEXT_HOP).ask_id;
    refuses(bgpvpn_engine_answer_next_hop(NULL, now, ask, 1, 1));
    accepts(bgpvpn_engine_answer_next_hop(e, now, ask, 1, 1));
    refuses(bgpvpn_engine_set_next_hop(NULL, now, &next_hop, 1, 2));
    refuses(bgpvpn_engine_set_next_hop(e, now, NULL, 1, 2));
    accepts(bgpvpn_engine_set_next_hop(e, now, &next_hop, 1, 2));
    accepts(bgpvpn_engine_timeout(e, now));
    refuses(bgpvpn_engine_poll_route(NULL, &out.route));
    refuses(bgpvpn_engine_poll_route(e, NULL));
    refuses_sizes(bgpvpn_engine_poll_route(e, sized(out.route)));
    assert_int_equal(bgpvpn_engine_poll_route(e, &out.route), BGPVPN_YES);
    accepts(bgpvpn_engine_poll_route(e, &out.route));
    refuses(bgpvpn_engine_poll_label(NULL, &out.label));
    refuses(bgpvpn_engine_poll_label(e, NULL));
    refuses_sizes(bgpvpn_engine_poll_label(e, sized(out.label)));
    settle();
    accepts(bgpvpn_engine_poll_label(e, &out.label));
    assert_int_equal(out.label.kind, BGPVPN_LABEL_ASK);
    refuses(bgpvpn_engine_answer_label(NULL, now, out.label.route_id, 100));
    accepts(bgpvpn_engine_answer_label(e, now, out.label.route_id, 100));
}

static void the_getters_refuse_null_and_change_nothing(void **state)
{
    (void)state;
    refuses(bgpvpn_engine_get_stream(NULL, stream, &out.stream));
    refuses(bgpvpn_engine_get_stream(e, stream, NULL));
    refuses_sizes(bgpvpn_engine_get_stream(e, stream, sized(out.stream)));
    accepts(bgpvpn_engine_get_stream(e, stream, &out.stream));
    refuses(bgpvpn_engine_get_neighbor(NULL, neighbor, &out.neighbor));
    refuses(bgpvpn_engine_get_neighbor(e, neighbor, NULL));
    refuses_sizes(bgpvpn_engine_get_neighbor(e, neighbor, sized(out.neighbor)));
    accepts(bgpvpn_engine_get_neighbor(e, neighbor, &out.neighbor));
    refuses(bgpvpn_engine_get_next_neighbor(NULL, &out.it, &out.neighbor));
    refuses(bgpvpn_engine_get_next_neighbor(e, NULL, &out.neighbor));
    refuses(bgpvpn_engine_get_next_neighbor(e, &out.it, NULL));
    refuses_sizes(bgpvpn_engine_get_next_neighbor(e, &out.it, sized(out.neighbor)));
    accepts(bgpvpn_engine_get_next_neighbor(e, &out.it, &out.neighbor));
    out.it = 0;
    refuses(bgpvpn_engine_get_next_path(NULL, &out.it, &out.path));
    refuses(bgpvpn_engine_get_next_path(e, NULL, &out.path));
    refuses(bgpvpn_engine_get_next_path(e, &out.it, NULL));
    refuses_sizes(bgpvpn_engine_get_next_path(e, &out.it, sized(out.path)));
    assert_int_equal(bgpvpn_engine_get_next_path(e, &out.it, &out.path), BGPVPN_YES);
    accepts(bgpvpn_engine_get_next_path(e, &out.it, &out.path));
    refuses(bgpvpn_engine_get_counters(NULL, &out.counters));
    refuses(bgpvpn_engine_get_counters(e, NULL));
    refuses_sizes(bgpvpn_engine_get_counters(e, sized(out.counters)));
    accepts(bgpvpn_engine_get_counters(e, &out.counters));

    assert_int_equal(
        bgpvpn_engine_answer_next_hop(e, now, event_of(BGPVPN_EVENT_ASK_NEXT_HOP).ask_id, 1, 1),
        BGPVPN_OK);
    (void)bgpvpn_engine_timeout(e, now);
    do
        assert_int_equal(bgpvpn_engine_poll_route(e, &out.route), BGPVPN_YES);
    while (out.route.neighbor != neighbor);
    /* The one by label 100, as UPDATE tells it. */
    const bgpvpn_addr host = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 1, 1, 9}};
    refuses(bgpvpn_engine_get_covering_path(NULL, 1, &host, &next_hop, &out.path));
    refuses(bgpvpn_engine_get_covering_path(e, 1, NULL, &next_hop, &out.path));
    refuses(bgpvpn_engine_get_covering_path(e, 1, &host, NULL, &out.path));
    refuses(bgpvpn_engine_get_covering_path(e, 1, &host, &next_hop, NULL));
    refuses_sizes(bgpvpn_engine_get_covering_path(e, 1, &host, &next_hop, sized(out.path)));
    accepts(bgpvpn_engine_get_covering_path(e, 1, &host, &next_hop, &out.path));
    assert_int_equal(out.path.label, 100);
    const uint64_t id = out.route.route_id;
    const uint8_t type = BGPVPN_ATTR_EXTENDED_COMMUNITIES;
    refuses(bgpvpn_engine_get_attribute(NULL, id, type, &out.view, &out.len));
    refuses(bgpvpn_engine_get_attribute(e, id, type, NULL, &out.len));
    refuses(bgpvpn_engine_get_attribute(e, id, type, &out.view, NULL));
    accepts(bgpvpn_engine_get_attribute(e, id, type, &out.view, &out.len));
}

/* ---- Memory. ---- */

static void without_memory(fail_alloc *f, void *user)
{
    (void)user;
    bgpvpn_neighbor_config active, range;
    size_t used = 0;
    configure();
    cfg.allocator.resize = fail_alloc_resize;
    cfg.allocator.user = f;
    active = neighbor_cfg;
    active.address = dialled;
    active.flags = 0;
    range = active;
    range.address = prefix;
    exact = false;
    e = NULL;
    watch_all();
    step(BGPVPN_OK, bgpvpn_engine_new(&cfg, now, &out.engine));
    e = out.engine;
    watch_all();
    step(BGPVPN_OK, bgpvpn_engine_vrf_add(e, now, &vrf_cfg));
    step(BGPVPN_OK, bgpvpn_engine_announce(e, now, 1, &local_route));
    step(BGPVPN_OK, bgpvpn_engine_neighbor_add(e, now, &neighbor_cfg, &out.id));
    step(BGPVPN_OK, bgpvpn_engine_range_add(e, now, &range, &out.id));
    step(BGPVPN_OK, bgpvpn_engine_accept(e, now, &us, &them, &out.it));
    const uint64_t opened = out.it;
    step(BGPVPN_OK, bgpvpn_engine_neighbor_add(e, now, &active, &out.id));
    const uint64_t wanted = event_of(BGPVPN_EVENT_CONNECT).parent_id;
    assert_int_equal(bgpvpn_engine_stream_up(e, now, wanted, &us), BGPVPN_OK);
    step(BGPVPN_OK, bgpvpn_engine_accept(e, now, &us, &stranger, &out.id));
    const uint64_t ask = event_of(BGPVPN_EVENT_ASK_ACCEPT).ask_id;
    step(BGPVPN_OK, bgpvpn_engine_answer_accept(e, now, ask, &neighbor_cfg));
    assert_int_equal(bgpvpn_engine_set_credit(e, now, opened, UINT64_MAX), BGPVPN_OK);
    /* One message at a time: those before the one without memory would have been taken. */
    size_t len = load(OPEN);
    step(BGPVPN_OK, bgpvpn_engine_input(e, now, opened, message, len, &used));
    accepts(bgpvpn_engine_poll_output(e, now, out.buf, sizeof(out.buf), &out.output));
    len = load(KEEPALIVE);
    step(BGPVPN_OK, bgpvpn_engine_input(e, now, opened, message, len, &used));
    assert_int_equal(event_of(BGPVPN_EVENT_UP).parent_id, opened);
    len = load(UPDATE);
    step(BGPVPN_OK, bgpvpn_engine_input(e, now, opened, message, len, &used));
    assert_int_equal(used, len);
    step(BGPVPN_YES, bgpvpn_engine_poll_output(e, now, out.buf, sizeof(out.buf), &out.output));
    settle(); /* what had no memory in the background is done later */
    ends();
    bgpvpn_engine_free(e);
    e = NULL;
}

static void every_function_survives_the_lack_of_memory(void **state)
{
    (void)state;
    assert_steps_survive_every_allocation_failure(without_memory, NULL);
}

#define CODEC(test)       cmocka_unit_test_setup(test, codec_setup)
#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, engine_setup, engine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CODEC(the_messages_refuse_null_and_take_no_octets),
        CODEC(the_open_message_refuses_null_and_takes_no_octets),
        CODEC(the_restart_capability_refuses_null_and_takes_no_octets),
        CODEC(the_notification_refuses_null_and_takes_no_octets),
        CODEC(the_update_refuses_null_and_takes_no_octets),
        CODEC(attributes_and_prefixes_refuse_null_and_take_no_octets),
        CODEC(a_decoder_that_fails_has_written_nothing),
        WITH_ENGINE(making_refuses_null_and_leaves_the_engine_as_it_was),
        WITH_ENGINE(neighbors_refuse_null_and_leave_the_engine_as_it_was),
        WITH_ENGINE(streams_refuse_null_and_leave_the_engine_as_it_was),
        WITH_ENGINE(a_question_may_be_answered_with_null),
        WITH_ENGINE(the_rib_refuses_null_and_stays_as_it_was),
        WITH_ENGINE(the_getters_refuse_null_and_change_nothing),
        cmocka_unit_test(every_function_survives_the_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
