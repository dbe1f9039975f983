/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Bad UPDATEs, and what RFC 7606 wants done with them. Attributes are hex as on the wire; the
 * message around them is made here.
 */
#include "harness.h"

#include <bgpvpn/bgpvpn.h>
#include <string.h>

#define RESET_ATTRIBUTES BGPVPN_ERR_ATTRIBUTES
#define RESET_MP         BGPVPN_ERR_MULTIPROTOCOL
#define RESET_NLRI       BGPVPN_ERR_NLRI
#define ORIGIN           "400101 00 "
#define PATH             "400200 "
#define PATH1            "400206 0201 0000fde9 "
#define PREF             "400504 00000064 "
#define HOP              "400304 0a000002 "
#define RT               "c01008 0002fde800000064 "
/* VPNv4 10.1.1.0/24, label 100, RD 65000:1, next hop 10.0.0.2 */
#define REACH   "800e20 0001800c00000000000000000a00000200 70000641 0000fde800000001 0a0101 "
#define UNREACH "800f12 000180 70800000 0000fde800000001 0a0101 "
#define GOOD    REACH ORIGIN PATH PREF RT

typedef struct bad {
    const char *attributes;
    int expected; /* BGPVPN_TREAT_..., or below 0 a reset */
    const char *nlri;
    uint8_t external, as_size;
} bad;

static bgpvpn_rc decode(const bad *b, bgpvpn_update *u)
{
    static uint8_t buf[2048];
    size_t len = hex_bytes("ffffffffffffffffffffffffffffffff0000020000 0000", buf, sizeof(buf));
    const size_t attributes = hex_bytes(b->attributes, buf + len, sizeof(buf) - len);
    buf[len - 2] = (uint8_t)(attributes >> 8);
    buf[len - 1] = (uint8_t)attributes;
    len += attributes;
    if (b->nlri)
        len += hex_bytes(b->nlri, buf + len, sizeof(buf) - len);
    buf[16] = (uint8_t)(len >> 8);
    buf[17] = (uint8_t)len;
    return bgpvpn_update_decode(buf, len, b->as_size ? b->as_size : 4, b->external, u);
}

static void check(const bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bgpvpn_update u = {.treat = 99};
        const bgpvpn_rc rc = decode(&cases[i], &u);
        const int got = rc == BGPVPN_OK ? u.treat : rc;
        if (got != cases[i].expected)
            fail_msg("case %zu: %s: %d, not %d", i, cases[i].attributes, got, cases[i].expected);
    }
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void a_good_update_is_taken_as_it_is(void **state)
{
    (void)state;
    const bad cases[] = {
        {GOOD, BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {UNREACH, BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {ORIGIN PATH HOP PREF, BGPVPN_TREAT_NORMAL, "180a0101", 0, 0},
        {"", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
    };
    CHECK(cases);
}

/* RFC 7606 7.1 to 7.4, 7.8 to 7.10, 7.14, 7.15; RFC 8092 6 */
static void a_malformed_attribute_withdraws_the_routes(void **state)
{
    (void)state;
    const bad cases[] = {
        {REACH "40010100 400201 02" PREF, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},     /* underrun */
        {REACH ORIGIN "400206 0202 0000fde9", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0}, /* overrun */
        {REACH ORIGIN "400202 0200", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0}, /* empty segment */
        {REACH ORIGIN "400206 0501 0000fde9", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {REACH ORIGIN "400206 0301 0000fde9", BGPVPN_TREAT_WITHDRAW, NULL, 0,
         0}, /* confederation */
        {REACH ORIGIN "400206 0201 00000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0}, /* AS 0 */
        {REACH "400101 03" PATH, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {REACH "400102 0000" PATH, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {REACH "400100" PATH, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {ORIGIN PATH "400303 0a0000", BGPVPN_TREAT_WITHDRAW, "180a0101", 0, 0},
        {ORIGIN PATH "400310 0a00000200000000000000000000 0000", BGPVPN_TREAT_WITHDRAW, "180a0101",
         0, 0},
        {GOOD "800403 000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {REACH ORIGIN PATH "400503 000064", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c00803 000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c00800", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "800903 000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "800a05 0000000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {REACH ORIGIN PATH "c01007 0002fde8000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c01913 00000000000000000000000000000000000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c02004 00000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
    };
    CHECK(cases);
}

/* RFC 7606 3 c: Optional and Transitive bits that conflict with the type. */
static void wrong_flags_withdraw_the_routes(void **state)
{
    (void)state;
    const bad cases[] = {
        {REACH "000101 00" PATH, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0}, /* ORIGIN, not transitive */
        {REACH "c00101 00" PATH, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c00404 00000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "400804 00000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "006301 00", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0}, /* unknown and well-known */
        {GOOD "406301 00", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
    };
    CHECK(cases);
}

/* RFC 7606 3 d */
static void missing_mandatory_attributes_withdraw_the_routes(void **state)
{
    (void)state;
    const bad cases[] = {
        {"", BGPVPN_TREAT_WITHDRAW, "180a0101", 0, 0}, /* no attributes, but NLRI */
        {REACH PATH, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {REACH ORIGIN, BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {ORIGIN PATH, BGPVPN_TREAT_WITHDRAW, "180a0101", 0, 0},
        {"c01f10 00000000000000000000000000000000", BGPVPN_TREAT_WITHDRAW, "180a0101", 0, 0},
        {UNREACH, BGPVPN_TREAT_WITHDRAW, "180a0101", 0, 0},
    };
    CHECK(cases);
}

/* RFC 7606 3 f, 3 g, 7.5, 7.6, 7.7, 7.9, 7.10; RFC 6793 4.1, 6 */
static void some_errors_only_cost_the_attribute(void **state)
{
    (void)state;
    const bad cases[] = {
        {GOOD "400601 00", BGPVPN_TREAT_DISCARD, NULL, 0, 0},
        {GOOD "c00707 00000000000000", BGPVPN_TREAT_DISCARD, NULL, 0, 0},
        {GOOD "c00708 0000000000000000", BGPVPN_TREAT_DISCARD, NULL, 0, 2},
        {GOOD "400101 01", BGPVPN_TREAT_DISCARD, NULL, 0, 0}, /* a second ORIGIN */
        {GOOD "c06300 c06300", BGPVPN_TREAT_DISCARD, NULL, 0, 0},
        {REACH ORIGIN PATH1 PREF, BGPVPN_TREAT_DISCARD, NULL, 1, 0},
        {REACH ORIGIN PATH1 "800904 00000001", BGPVPN_TREAT_DISCARD, NULL, 1, 0},
        {REACH ORIGIN PATH1 "800a01 00", BGPVPN_TREAT_DISCARD, NULL, 1, 0},
        {GOOD "c01106 0201 0000fde9", BGPVPN_TREAT_DISCARD, NULL, 0, 0}, /* AS4_PATH, both AS4 */
        {"c01105 0201 0000fd" GOOD, BGPVPN_TREAT_DISCARD, NULL, 0, 2},   /* ... malformed, first */
    };
    CHECK(cases);
}

static void attributes_that_are_not_used_are_not_read(void **state)
{
    (void)state;
    /* Entropy label, tunnel encapsulation, AIGP, prefix SID, next hop capabilities: all garbage. */
    const bad cases[] = {
        {GOOD "c01c02 ffff", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "c01704 ffffffff", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "c01701 00", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "801a02 0100", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "c02810 00000000000000000000000000000000", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "c02803 05ffff", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "c02704 00010003", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {GOOD "c02300", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
    };
    CHECK(cases);
}

/* RFC 7606 4 */
static void attributes_beyond_their_list_withdraw_the_routes(void **state)
{
    (void)state;
    const bad cases[] = {
        {GOOD "c00808 00000000", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c0", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "c008", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {GOOD "d00800", BGPVPN_TREAT_WITHDRAW, NULL, 0, 0},
        {ORIGIN PATH HOP "c008ff 00", BGPVPN_TREAT_WITHDRAW, "180a0101", 0, 0},
    };
    CHECK(cases);
}

/* RFC 7606 3 g, 3 j, 5.2, 5.3, 7.11 */
static void what_hides_the_nlri_ends_the_session(void **state)
{
    (void)state;
    const bad cases[] = {
        {REACH REACH ORIGIN PATH, RESET_ATTRIBUTES, NULL, 0, 0},
        {UNREACH UNREACH, RESET_ATTRIBUTES, NULL, 0, 0},
        {"800e04 00018000" ORIGIN PATH, RESET_MP, NULL, 0, 0},
        {"800e05 0001800c00" ORIGIN PATH, RESET_MP, NULL, 0, 0},
        {"800e05 0001800000" ORIGIN PATH, RESET_MP, NULL, 0, 0}, /* next hop of no length */
        {"800e15 00018010000000000000000000000000000a000000", RESET_MP, NULL, 0, 0},
        {"800f02 0001", RESET_MP, NULL, 0, 0},
        {"c00e05 0001800c00", RESET_MP, NULL, 0, 0},
        {"c00f03 000180", RESET_MP, NULL, 0, 0},
        /* VPN prefixes: shorter than label and RD, of length 0, past 32 bits, cut short. */
        {"800f08 000180 57000641 00", RESET_MP, NULL, 0, 0},
        {"800f04 000180 00", RESET_MP, NULL, 0, 0},
        {"800f13 000180 79800000 0000fde800000001 0a010100 00", RESET_MP, NULL, 0, 0},
        {"800f11 000180 70800000 0000fde800000001 0a01", RESET_MP, NULL, 0, 0},
        {"800f07 000180 18 000641", RESET_MP, NULL, 0, 0}, /* labels only, no bottom of stack */
        {ORIGIN PATH HOP, RESET_NLRI, "21 0a01010000", 0, 0},
        {ORIGIN PATH HOP, RESET_NLRI, "18 0a01", 0, 0},
        /* 5.2: an error, and nothing reachable. */
        {UNREACH "400103 000000", RESET_ATTRIBUTES, NULL, 0, 0},
        {"400103 000000", RESET_ATTRIBUTES, NULL, 0, 0},
        {UNREACH "c0", RESET_ATTRIBUTES, NULL, 0, 0},
    };
    CHECK(cases);
}

static void an_unknown_family_is_not_parsed(void **state)
{
    (void)state;
    const bad cases[] = {
        /* Flow specification of length 0, without other attributes; EVPN. */
        {"800e06 000185000000" ORIGIN PATH, BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {"800f04 000185 00", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
        {"800f08 001946 05ff000000", BGPVPN_TREAT_NORMAL, NULL, 0, 0},
    };
    CHECK(cases);
}

/* RFC 4271 6.3, RFC 7606 3 b */
static void lengths_that_do_not_fit_the_message_end_the_session(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "ffffffffffffffffffffffffffffffff001702 00010000",
        "ffffffffffffffffffffffffffffffff001702 00000001",
        "ffffffffffffffffffffffffffffffff001702 ffffffff",
        "ffffffffffffffffffffffffffffffff001802 0002 0000 00",
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        uint8_t buf[64];
        bgpvpn_update u;
        const size_t len = hex_bytes(messages[i], buf, sizeof(buf));
        assert_int_equal(bgpvpn_update_decode(buf, len, 4, 0, &u), BGPVPN_ERR_ATTRIBUTES);
    }
}

static void labels_are_read_whatever_their_low_bits_say(void **state)
{
    (void)state;
    /* FRR sets bit 0x02; a withdrawal may carry anything (RFC 8277 2.4). */
    static const char *const fields[] = {"000641", "000640", "000643", "00064e"};
    for (size_t i = 0; i < 4; i++) {
        char hex[64] = "70";
        uint8_t buf[32];
        bgpvpn_nlri n;
        size_t it = 0;
        strcat(strcat(hex, fields[i]), "0000fde8000000010a0101");
        const size_t len = hex_bytes(hex, buf, sizeof(buf));
        assert_int_equal(bgpvpn_nlri_next(BGPVPN_TABLE_VPNV4, 0, buf, len, &it, &n), BGPVPN_YES);
        assert_int_equal(n.label, 100);
    }
}

static void a_refresh_of_a_wrong_length_is_refused(void **state)
{
    (void)state;
    uint8_t buf[64];
    bgpvpn_refresh r;
    size_t len = hex_bytes("ffffffffffffffffffffffffffffffff0016050001 00", buf, sizeof(buf));
    assert_int_equal(bgpvpn_refresh_decode(buf, len, &r), BGPVPN_ERR_REFRESH);
    /* An ORF entry whose header is cut is not looked at. */
    len = hex_bytes("ffffffffffffffffffffffffffffffff001905 0001 0080 0140", buf, sizeof(buf));
    assert_int_equal(bgpvpn_refresh_decode(buf, len, &r), BGPVPN_OK);
    assert_int_equal(r.safi, 128);
    len = hex_bytes("ffffffffffffffffffffffffffffffff001805 0001 0180 01", buf, sizeof(buf));
    assert_int_equal(bgpvpn_refresh_decode(buf, len, &r), BGPVPN_ERR_REFRESH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_update_is_taken_as_it_is),
        cmocka_unit_test(a_malformed_attribute_withdraws_the_routes),
        cmocka_unit_test(wrong_flags_withdraw_the_routes),
        cmocka_unit_test(missing_mandatory_attributes_withdraw_the_routes),
        cmocka_unit_test(some_errors_only_cost_the_attribute),
        cmocka_unit_test(attributes_that_are_not_used_are_not_read),
        cmocka_unit_test(attributes_beyond_their_list_withdraw_the_routes),
        cmocka_unit_test(what_hides_the_nlri_ends_the_session),
        cmocka_unit_test(an_unknown_family_is_not_parsed),
        cmocka_unit_test(lengths_that_do_not_fit_the_message_end_the_session),
        cmocka_unit_test(labels_are_read_whatever_their_low_bits_say),
        cmocka_unit_test(a_refresh_of_a_wrong_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
