/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <bgpvpn/bgpvpn.h>
#include <string.h>

#define MARKER "ffffffffffffffffffffffffffffffff"

/* RFC 4271 4.2, RFC 4760 8, RFC 2918 2, RFC 6793 3: assembled by hand. */
static void an_open_is_encoded_as_the_rfcs_draw_it(void **state)
{
    (void)state;
    const bgpvpn_open open = {.as = 4200000000u,
                              .router_id = 0x0a000001,
                              .hold_time_s = 90,
                              .tables = BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6,
                              .capabilities = BGPVPN_CAPABLE_MULTIPROTOCOL |
                                              BGPVPN_CAPABLE_REFRESH | BGPVPN_CAPABLE_AS4};
    uint8_t buf[128];
    size_t len;
    assert_int_equal(bgpvpn_open_encode(&open, buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len,
               MARKER "0039"
                      "01"
                      "04"
                      "5ba0"
                      "005a"
                      "0a000001"
                      "1c"
                      "02060104000100800206010400020080"
                      "02020200"
                      "02064104fa56ea00");
    bgpvpn_open back;
    assert_int_equal(bgpvpn_open_decode(buf, len, &back), BGPVPN_OK);
    assert_int_equal(back.as, 4200000000u);
    assert_int_equal(back.my_as, BGPVPN_AS_TRANS);
    assert_int_equal(bgpvpn_open_encode(&open, buf, 30, &len), BGPVPN_ERR_BUFFER);
    assert_int_equal(len, 57);
}

static void small_messages_are_encoded_as_the_rfcs_draw_them(void **state)
{
    (void)state;
    uint8_t buf[64];
    size_t len;
    assert_int_equal(bgpvpn_keepalive_encode(buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len, MARKER "001304");
    const bgpvpn_refresh refresh = {.afi = 1, .safi = 128};
    assert_int_equal(bgpvpn_refresh_encode(&refresh, buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len, MARKER "00170500010080");
    const uint8_t text[] = {2, 'h', 'i'};
    const bgpvpn_notification n = {text, sizeof(text), 6, 2};
    assert_int_equal(bgpvpn_notification_encode(&n, buf, sizeof(buf), &len), BGPVPN_OK);
    assert_hex(buf, len, MARKER "0018030602026869");
    bgpvpn_notification back;
    const uint8_t *said;
    size_t said_len;
    assert_int_equal(bgpvpn_notification_decode(buf, len, &back), BGPVPN_OK);
    assert_int_equal(bgpvpn_notification_text(&back, &said, &said_len), BGPVPN_OK);
    assert_bytes(said, said_len, (const uint8_t *)"hi", 2);
}

/* RFC 4364 4.2, 4.3.4; RFC 8277 2.2, 2.4; RFC 4659 2: assembled by hand. */
static void vpn_nlri_is_encoded_as_the_rfcs_draw_it(void **state)
{
    (void)state;
    bgpvpn_nlri n = {.label = 100};
    uint8_t buf[64];
    size_t len, it = 0;
    n.prefix.family = BGPVPN_FAMILY_IPV4;
    n.prefix.prefix_len = 20;
    memcpy(n.prefix.bytes, "\x0a\x01\xf0", 3);
    assert_int_equal(bgpvpn_rd_make(65000, 1, 0, n.rd), BGPVPN_OK);
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_VPNV4, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_OK);
    assert_hex(buf, len, "6c0006410000fde8000000010a01f0");
    bgpvpn_nlri back;
    assert_int_equal(bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, buf, len, &it, &back), BGPVPN_YES);
    assert_int_equal(back.label, 100);
    assert_memory_equal(&back.prefix, &n.prefix, sizeof(n.prefix));
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_VPNV4, 1, &n, buf, sizeof(buf), &len),
                     BGPVPN_OK);
    assert_hex(buf, len, "6c8000000000fde8000000010a01f0");

    n.prefix.family = BGPVPN_FAMILY_IPV6;
    n.prefix.prefix_len = 33;
    memcpy(n.prefix.bytes, "\x20\x01\x0d\xb8\x80", 5);
    assert_int_equal(bgpvpn_rd_make(0x0a080002, 7, 1, n.rd), BGPVPN_OK);
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_VPNV6, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_OK);
    assert_hex(buf, len, "7900064100010a080002000720010db880");
    n.label = BGPVPN_LABEL_MAX + 1;
    assert_int_equal(bgpvpn_nlri_encode(BGPVPN_TABLE_VPNV6, 0, &n, buf, sizeof(buf), &len),
                     BGPVPN_ERR_ARG);
}

static void distinguishers_and_targets_have_three_types(void **state)
{
    (void)state;
    uint8_t out[8];
    assert_int_equal(bgpvpn_rd_make(65000, 100000, 0, out), BGPVPN_OK);
    assert_hex(out, 8, "0000fde8000186a0");
    assert_int_equal(bgpvpn_rd_make(4200000000u, 8, 0, out), BGPVPN_OK);
    assert_hex(out, 8, "0002fa56ea000008");
    assert_int_equal(bgpvpn_rt_make(65000, 100, 0, out), BGPVPN_OK);
    assert_hex(out, 8, "0002fde800000064");
    assert_int_equal(bgpvpn_rt_make(0x0a080002, 100, 1, out), BGPVPN_OK);
    assert_hex(out, 8, "01020a0800020064");
    assert_int_equal(bgpvpn_rt_make(4200000000u, 100, 0, out), BGPVPN_OK);
    assert_hex(out, 8, "0202fa56ea000064");
    assert_int_equal(bgpvpn_rt_make(4200000000u, 65536, 0, out), BGPVPN_ERR_ARG);
    const uint8_t origin[8] = {0, 3};
    assert_int_equal(bgpvpn_rt_check(origin), BGPVPN_OK);
}

static size_t random_nlri(prng *p, uint32_t table, uint8_t *buf, size_t cap, bgpvpn_nlri *out,
                          size_t *count)
{
    size_t len = 0, n;
    for (*count = 0; *count < 20; (*count)++) {
        bgpvpn_nlri *x = &out[*count];
        const bool v4 = table & (BGPVPN_TABLE_IPV4 | BGPVPN_TABLE_VPNV4);
        const bool vpn = table & (BGPVPN_TABLE_VPNV4 | BGPVPN_TABLE_VPNV6);
        memset(x, 0, sizeof(*x));
        x->prefix.family = v4 ? BGPVPN_FAMILY_IPV4 : BGPVPN_FAMILY_IPV6;
        x->prefix.prefix_len = (uint8_t)prng_below(p, v4 ? 33 : 129);
        for (unsigned bit = 0; bit < x->prefix.prefix_len; bit++)
            x->prefix.bytes[bit / 8] |= (uint8_t)(prng_below(p, 2) << (7 - bit % 8));
        x->label = vpn ? prng_below(p, 1 << 20) : BGPVPN_LABEL_NONE;
        x->labels = vpn;
        if (vpn)
            prng_bytes(p, x->rd, sizeof(x->rd));
        if (bgpvpn_nlri_encode(table, 0, x, buf + len, cap - len, &n) != BGPVPN_OK)
            break;
        len += n;
    }
    return len;
}

static void random_updates_survive_a_round_trip(void **state)
{
    (void)state;
    prng p = {42};
    static const size_t hops[] = {4, 16, 12, 24};
    for (int round = 0; round < 2000; round++) {
        const unsigned k = prng_below(&p, 4);
        const uint32_t table = 1u << k;
        uint8_t nlri[1024], hop[24] = {0}, attrs[64], buf[BGPVPN_MESSAGE_MAX];
        bgpvpn_nlri sent[20], got;
        size_t count, len, it = 0, at = 0;
        const size_t nlri_len = random_nlri(&p, table, nlri, sizeof(nlri), sent, &count);
        bgpvpn_update u = {.reach = nlri, .reach_len = nlri_len, .reach_next_hop = hop};
        u.reach_next_hop_len = hops[k];
        u.reach_afi = k % 2 ? BGPVPN_AFI_IPV6 : BGPVPN_AFI_IPV4;
        u.reach_safi = k < 2 ? BGPVPN_SAFI_UNICAST : BGPVPN_SAFI_VPN;
        const uint8_t origin[] = {(uint8_t)prng_below(&p, 3)};
        const uint8_t path[] = {2, 1, 0, 1, 2, 3};
        const bgpvpn_attribute list[] = {
            {origin, 1, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_ORIGIN, 0, 0},
            {path, 6, BGPVPN_FLAG_TRANSITIVE, BGPVPN_ATTR_AS_PATH, 0, 0}};
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(
                bgpvpn_attribute_encode(&list[i], attrs + at, sizeof(attrs) - at, &len), BGPVPN_OK);
            at += len;
        }
        u.attributes = attrs;
        u.attributes_len = at;
        assert_int_equal(bgpvpn_update_encode(&u, buf, sizeof(buf), &len), BGPVPN_OK);
        bgpvpn_update back;
        assert_int_equal(bgpvpn_update_decode(buf, len, 4, 0, &back), BGPVPN_OK);
        assert_int_equal(back.treat, BGPVPN_TREAT_NORMAL);
        assert_int_equal(back.origin, origin[0]);
        assert_bytes(back.as_path, back.as_path_len, path, sizeof(path));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(bgpvpn_nlri_next(table, 0, back.reach, back.reach_len, &it, &got),
                             BGPVPN_YES);
            assert_memory_equal(&got, &sent[i], sizeof(got));
        }
        assert_int_equal(bgpvpn_nlri_next(table, 0, back.reach, back.reach_len, &it, &got),
                         BGPVPN_OK);
    }
}

static void random_bytes_never_crash_a_decoder(void **state)
{
    (void)state;
    prng p = {7};
    for (int round = 0; round < 20000; round++) {
        uint8_t buf[96];
        const size_t len = BGPVPN_HEADER_LEN + prng_below(&p, sizeof(buf) - BGPVPN_HEADER_LEN);
        prng_bytes(&p, buf, len);
        memset(buf, 0xff, 16);
        buf[16] = 0;
        buf[17] = (uint8_t)len;
        buf[18] = (uint8_t)(1 + prng_below(&p, 5));
        if (buf[18] == BGPVPN_MESSAGE_OPEN)
            buf[19] = 4;
        bgpvpn_open open;
        bgpvpn_update u;
        bgpvpn_notification n;
        bgpvpn_refresh r;
        (void)bgpvpn_open_decode(buf, len, &open);
        (void)bgpvpn_notification_decode(buf, len, &n);
        (void)bgpvpn_refresh_decode(buf, len, &r);
        (void)bgpvpn_update_decode(buf, len, round & 1 ? 4 : 2, round & 2 ? 1 : 0, &u);
    }
}

static void bad_headers_have_their_own_errors(void **state)
{
    (void)state;
    uint8_t buf[64];
    bgpvpn_header h;
    size_t len = hex_bytes(MARKER "001304", buf, sizeof(buf));
    assert_int_equal(bgpvpn_header_decode(buf, len - 1, &h), BGPVPN_ERR_TRUNCATED);
    buf[3] = 0;
    assert_int_equal(bgpvpn_header_decode(buf, len, &h), BGPVPN_ERR_MARKER);
    /* RFC 4271 6.1 */
    static const struct {
        const char *hex;
        bgpvpn_rc rc;
    } cases[] = {
        {MARKER "001204", BGPVPN_ERR_LENGTH}, {MARKER "100104", BGPVPN_ERR_LENGTH},
        {MARKER "001404", BGPVPN_ERR_LENGTH}, {MARKER "001c01", BGPVPN_ERR_LENGTH},
        {MARKER "001602", BGPVPN_ERR_LENGTH}, {MARKER "001403", BGPVPN_ERR_LENGTH},
        {MARKER "001300", BGPVPN_ERR_TYPE},   {MARKER "001306", BGPVPN_ERR_TYPE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = hex_bytes(cases[i].hex, buf, sizeof(buf));
        assert_int_equal(bgpvpn_header_decode(buf, len, &h), cases[i].rc);
    }
    uint8_t code, subcode;
    assert_int_equal(bgpvpn_rc_notification(BGPVPN_ERR_LENGTH, &code, &subcode), BGPVPN_OK);
    assert_int_equal(code, 1);
    assert_int_equal(subcode, 2);
    assert_int_equal(bgpvpn_rc_notification(BGPVPN_ERR_NOMEM, &code, &subcode), BGPVPN_ERR_ARG);
}

/* OPEN bodies from version on, after which the header is put in front. */
static bgpvpn_rc open_of(const char *body, bgpvpn_open *open)
{
    uint8_t buf[600];
    size_t len = hex_bytes(MARKER "000001", buf, sizeof(buf));
    len += hex_bytes(body, buf + len, sizeof(buf) - len);
    buf[16] = (uint8_t)(len >> 8);
    buf[17] = (uint8_t)len;
    return bgpvpn_open_decode(buf, len, open);
}

static void bad_opens_are_refused_with_the_right_reason(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bgpvpn_rc rc;
    } cases[] = {
        {"03fde8005a0a00000100", BGPVPN_ERR_VERSION},
        {"0400000 05a0a00000100", BGPVPN_ERR_PEER_AS},
        {"04fde800020a00000100", BGPVPN_ERR_HOLD_TIME},
        {"04fde8005a0000000000", BGPVPN_ERR_IDENTIFIER},
        {"04fde8005a0a0000010201 00", BGPVPN_ERR_PARAMETER},
        /* A parameter header cut to one byte; RFC 9072 length alone; its parameter cut. */
        {"04fde8005a0a0000010102", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001ff", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001ffff", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001ffff000202 00", BGPVPN_ERR_OPEN},
        {"04fde8005a0a0000010502", BGPVPN_ERR_OPEN},
        /* A capability that is longer than its parameter; AS4 of 0 and of 3 octets; MP of 3. */
        {"04fde8005a0a0000010402024104", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001040202 4100", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001070205 4103000001", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001070205 0103000100", BGPVPN_ERR_OPEN},
        {"04fde8005a0a000001080206 410400000000", BGPVPN_ERR_PEER_AS},
    };
    bgpvpn_open open;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(open_of(cases[i].body, &open), cases[i].rc);
}

static void odd_capabilities_do_not_spoil_an_open(void **state)
{
    (void)state;
    bgpvpn_open open;
    /* Long-lived graceful restart of 3 octets, software version whose inner length lies, GR of 1.
     */
    assert_int_equal(
        open_of("04fde8005a0a00000112 0210 4703000102 4b03ff4141 4001 00 0204 0000", &open),
        BGPVPN_ERR_OPEN);
    assert_int_equal(open_of("04fde8005a0a00000110 020e 4703000102 4b03ff4141 400100 ", &open),
                     BGPVPN_ERR_OPEN);
    assert_int_equal(open_of("04fde8005a0a0000010f 020d 4703000102 4b03ff4141 400100", &open),
                     BGPVPN_OK);
    assert_int_equal(open.capabilities, 0);
    /* RFC 4760 8 */
    assert_int_equal(open.tables, BGPVPN_TABLE_IPV4);
    /* RFC 9072: two-octet lengths. */
    assert_int_equal(open_of("04fde8005a0a000001 ffff0009 020006 010400010080", &open), BGPVPN_OK);
    assert_int_equal(open.tables, BGPVPN_TABLE_VPNV4);
    assert_int_equal(open.parameters_wide, 1);
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t buf[64] = {0}, code;
    size_t len = 0, it = 0;
    uint32_t table;
    const uint8_t *text;
    bgpvpn_header h;
    bgpvpn_open open = {0};
    bgpvpn_capability c;
    bgpvpn_notification n = {0};
    bgpvpn_refresh r = {0};
    bgpvpn_update u = {0};
    bgpvpn_attribute a = {0};
    bgpvpn_nlri nlri = {0};
    const bgpvpn_rc arg = BGPVPN_ERR_ARG;
    assert_int_equal(bgpvpn_rc_notification(-21, NULL, &code), arg);
    assert_int_equal(bgpvpn_rc_notification(-21, &code, NULL), arg);
    assert_int_equal(bgpvpn_header_decode(NULL, 19, &h), arg);
    assert_int_equal(bgpvpn_header_decode(buf, 19, NULL), arg);
    assert_int_equal(bgpvpn_open_decode(NULL, 19, &open), arg);
    assert_int_equal(bgpvpn_open_decode(buf, 19, NULL), arg);
    assert_int_equal(bgpvpn_capability_next(NULL, &it, &c), arg);
    assert_int_equal(bgpvpn_capability_next(&open, NULL, &c), arg);
    assert_int_equal(bgpvpn_capability_next(&open, &it, NULL), arg);
    assert_int_equal(bgpvpn_open_encode(NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_open_encode(&open, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_open_encode(&open, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_notification_decode(NULL, 21, &n), arg);
    assert_int_equal(bgpvpn_notification_decode(buf, 21, NULL), arg);
    assert_int_equal(bgpvpn_notification_text(NULL, &text, &len), arg);
    assert_int_equal(bgpvpn_notification_text(&n, NULL, &len), arg);
    assert_int_equal(bgpvpn_notification_text(&n, &text, NULL), arg);
    assert_int_equal(bgpvpn_notification_encode(NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_notification_encode(&n, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_notification_encode(&n, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_keepalive_encode(NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_keepalive_encode(buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_refresh_decode(NULL, 23, &r), arg);
    assert_int_equal(bgpvpn_refresh_decode(buf, 23, NULL), arg);
    assert_int_equal(bgpvpn_refresh_encode(NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_refresh_encode(&r, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_refresh_encode(&r, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_attribute_next(NULL, 3, &it, &a), arg);
    assert_int_equal(bgpvpn_attribute_next(buf, 3, NULL, &a), arg);
    assert_int_equal(bgpvpn_attribute_next(buf, 3, &it, NULL), arg);
    assert_int_equal(bgpvpn_attribute_next(NULL, 0, &it, &a), BGPVPN_OK);
    assert_int_equal(bgpvpn_attribute_encode(NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_attribute_encode(&a, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_attribute_encode(&a, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_update_decode(NULL, 23, 4, 0, &u), arg);
    assert_int_equal(bgpvpn_update_decode(buf, 23, 4, 0, NULL), arg);
    assert_int_equal(bgpvpn_update_decode(buf, 23, 3, 0, &u), arg);
    assert_int_equal(bgpvpn_update_encode(NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_update_encode(&u, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_update_encode(&u, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_update_end_of_rib(NULL, &table), arg);
    assert_int_equal(bgpvpn_update_end_of_rib(&u, NULL), arg);
    assert_int_equal(bgpvpn_nlri_next(4, 0, NULL, 1, &it, &nlri), arg);
    assert_int_equal(bgpvpn_nlri_next(4, 0, buf, 1, NULL, &nlri), arg);
    assert_int_equal(bgpvpn_nlri_next(4, 0, buf, 1, &it, NULL), arg);
    assert_int_equal(bgpvpn_nlri_next(3, 0, buf, 1, &it, &nlri), arg);
    assert_int_equal(bgpvpn_nlri_encode(4, 0, NULL, buf, 64, &len), arg);
    assert_int_equal(bgpvpn_nlri_encode(4, 0, &nlri, NULL, 64, &len), arg);
    assert_int_equal(bgpvpn_nlri_encode(4, 0, &nlri, buf, 64, NULL), arg);
    assert_int_equal(bgpvpn_rd_make(1, 1, 0, NULL), arg);
    assert_int_equal(bgpvpn_rt_make(1, 1, 0, NULL), arg);
    assert_int_equal(bgpvpn_rt_check(NULL), arg);
    assert_int_equal(bgpvpn_config_init(NULL), arg);
    assert_int_equal(bgpvpn_neighbor_config_init(NULL), arg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_is_encoded_as_the_rfcs_draw_it),
        cmocka_unit_test(small_messages_are_encoded_as_the_rfcs_draw_them),
        cmocka_unit_test(vpn_nlri_is_encoded_as_the_rfcs_draw_it),
        cmocka_unit_test(distinguishers_and_targets_have_three_types),
        cmocka_unit_test(random_updates_survive_a_round_trip),
        cmocka_unit_test(random_bytes_never_crash_a_decoder),
        cmocka_unit_test(bad_headers_have_their_own_errors),
        cmocka_unit_test(bad_opens_are_refused_with_the_right_reason),
        cmocka_unit_test(odd_capabilities_do_not_spoil_an_open),
        cmocka_unit_test(missing_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
