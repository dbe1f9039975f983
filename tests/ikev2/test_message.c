/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The decoders: bytes laid out by hand from RFC 7296 3, what is malformed, and round trips.
 */
#include "harness.h"
#include "libikev2/proposal.h"
#include "libikev2/selectors.h"

#include <ikev2/ikev2.h>
#include <string.h>

static uint8_t bytes[4096];

static size_t load(const char *hex)
{
    return hex_bytes(hex, bytes, sizeof(bytes));
}

/* RFC 7296 3.1 */
static void a_header_is_decoded_and_its_length_must_be_the_datagrams(void **state)
{
    (void)state;
    ikev2_header h;
    size_t n = load("0102030405060708 1112131415161718 2e202508 00000009 00000020 29000004");
    assert_int_equal(ikev2_header_decode(bytes, n, &h), IKEV2_OK);
    assert_true(h.spi_i == 0x0102030405060708 && h.spi_r == 0x1112131415161718);
    assert_int_equal(h.next_payload, IKEV2_PAYLOAD_SK);
    assert_int_equal(h.exchange, IKEV2_EXCHANGE_INFORMATIONAL);
    assert_int_equal(h.flags, IKEV2_FLAG_INITIATOR);
    assert_int_equal(h.message_id, 9);
    assert_int_equal(ikev2_header_decode(bytes, n - 1, &h), IKEV2_ERR_LENGTH);
    assert_int_equal(ikev2_header_decode(bytes, n + 1, &h), IKEV2_ERR_LENGTH);
    for (size_t i = 0; i < IKEV2_HEADER_BYTES; i++)
        assert_int_equal(ikev2_header_decode(bytes, i, &h), IKEV2_ERR_TRUNCATED);
    bytes[17] = 0x10;
    assert_int_equal(ikev2_header_decode(bytes, n, &h), IKEV2_ERR_VERSION);
    bytes[17] = 0x2f; /* RFC 7296 2.5: the minor version is ignored */
    assert_int_equal(ikev2_header_decode(bytes, n, &h), IKEV2_OK);
}

/* RFC 7296 3.2 */
static void a_chain_ends_exactly_where_it_must(void **state)
{
    (void)state;
    ikev2_chain c;
    ikev2_payload p;
    size_t n = load("2b800006aabb 00000005cc");
    assert_int_equal(ikev2_chain_begin(bytes, n, 40, &c), IKEV2_OK);
    assert_int_equal(ikev2_chain_next(&c, &p), IKEV2_YES);
    assert_int_equal(p.type, 40);
    assert_int_equal(p.critical, 1);
    assert_int_equal(p.len, 2);
    assert_int_equal(ikev2_chain_next(&c, &p), IKEV2_YES);
    assert_int_equal(p.type, 43);
    assert_int_equal(ikev2_chain_next(&c, &p), IKEV2_OK);
    static const char *const bad[] = {"00000003", "00000000", "00000006aa",
                                      "000000",   "2b000004", "0000000400"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ikev2_rc rc;
        n = load(bad[i]);
        assert_int_equal(ikev2_chain_begin(bytes, n, 40, &c), IKEV2_OK);
        while ((rc = ikev2_chain_next(&c, &p)) == IKEV2_YES)
            ;
        assert_int_equal(rc, IKEV2_ERR_LENGTH);
    }
    /* RFC 7296 3.14: SK is last, whatever its next payload says. */
    n = load("29000006aabb");
    assert_int_equal(ikev2_chain_begin(bytes, n, IKEV2_PAYLOAD_SK, &c), IKEV2_OK);
    assert_int_equal(ikev2_chain_next(&c, &p), IKEV2_YES);
    assert_int_equal(p.inner, IKEV2_PAYLOAD_NOTIFY);
    assert_int_equal(ikev2_chain_next(&c, &p), IKEV2_OK);
}

/* RFC 7296 3.3: one proposal, ENCR AES-GCM-16 with 128 bits, PRF, group 31. */
#define GOOD_SA "00000024 01010003 0300000c 01000014 800e0080 03000008 02000005 00000008 0400001f"

static void a_proposal_and_its_transforms_are_decoded(void **state)
{
    (void)state;
    ikev2_proposal p;
    ikev2_transform t;
    size_t it = 0;
    size_t at = 0;
    const size_t n = load(GOOD_SA);
    assert_int_equal(ikev2_proposal_next(bytes, n, &it, &p), IKEV2_YES);
    assert_int_equal(p.number, 1);
    assert_int_equal(p.protocol, IKEV2_PROTOCOL_ID_IKE);
    assert_int_equal(ikev2_transform_next(&p, &at, &t), IKEV2_YES);
    assert_int_equal(t.id, IKEV2_ENCR_AES_GCM_16);
    assert_int_equal(t.key_bits, 128);
    assert_int_equal(ikev2_transform_next(&p, &at, &t), IKEV2_YES);
    assert_int_equal(ikev2_transform_next(&p, &at, &t), IKEV2_YES);
    assert_int_equal(t.id, IKEV2_GROUP_X25519);
    assert_int_equal(ikev2_transform_next(&p, &at, &t), IKEV2_OK);
    assert_int_equal(ikev2_proposal_next(bytes, n, &it, &p), IKEV2_OK);
}

static const ikev2_transform ours[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_CBC, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_INTEG, .id = IKEV2_INTEG_HMAC_SHA2_256_128},
    {.type = IKEV2_TRANSFORM_PRF, .id = IKEV2_PRF_HMAC_SHA2_256},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519},
};

static ikev2_rc choose(const char *hex, bool exact, ikev2__choice *out)
{
    const ikev2_payload sa = {.body = bytes, .len = load(hex), .type = IKEV2_PAYLOAD_SA};
    const ikev2__offer offer = {
        .transforms = ours, .count = 5, .protocol = IKEV2_PROTOCOL_ID_IKE, .with_group = true};
    return ikev2__choose(&offer, &sa, exact, out);
}

/* bad-input: CVE-2016-5391, CVE-2024-3652, CVE-2014-9221 */
static void a_choice_needs_one_of_each_type_and_nothing_unknown(void **state)
{
    (void)state;
    ikev2__choice c;
    assert_int_equal(choose(GOOD_SA, false, &c), IKEV2_OK);
    assert_int_equal(c.suite.encr, IKEV2_ENCR_AES_GCM_16);
    assert_int_equal(choose(GOOD_SA, true, &c), IKEV2_OK);
    static const struct {
        const char *what;
        const char *hex;
        ikev2_rc rc;
    } cases[] = {
        {"no group", "0000001c 01010002 0300000c 01000014 800e0080 00000008 02000005",
         IKEV2_ERR_PROPOSAL},
        {"no PRF", "0000001c 01010002 0300000c 01000014 800e0080 00000008 0400001f",
         IKEV2_ERR_PROPOSAL},
        {"no cipher", "00000018 01010002 03000008 02000005 00000008 0400001f", IKEV2_ERR_PROPOSAL},
        {"key length 0",
         "00000024 01010003 0300000c 01000014 800e0000 03000008 02000005 00000008 "
         "0400001f",
         IKEV2_ERR_PROPOSAL},
        {"no key length", "00000020 01010003 03000008 01000014 03000008 02000005 00000008 0400001f",
         IKEV2_ERR_PROPOSAL},
        {"internal group 1025",
         "00000024 01010003 0300000c 01000014 800e0080 03000008 02000005 "
         "00000008 04000401",
         IKEV2_ERR_PROPOSAL},
        {"unknown transform type",
         "0000002c 01010004 0300000c 01000014 800e0080 03000008 02000005 "
         "03000008 0400001f 00000008 07000001",
         IKEV2_ERR_PROPOSAL},
        {"unknown attribute",
         "00000028 01010003 03000010 01000014 800e0080 800f0001 03000008 "
         "02000005 00000008 0400001f",
         IKEV2_ERR_PROPOSAL},
        {"CBC without INTEG",
         "00000024 01010003 0300000c 0100000c 800e0080 03000008 02000005 "
         "00000008 0400001f",
         IKEV2_ERR_PROPOSAL},
        {"GCM with an INTEG",
         "0000002c 01010004 0300000c 01000014 800e0080 03000008 02000005 "
         "03000008 0300000c 00000008 0400001f",
         IKEV2_ERR_PROPOSAL},
        {"GCM with INTEG NONE",
         "0000002c 01010004 0300000c 01000014 800e0080 03000008 02000005 "
         "03000008 03000000 00000008 0400001f",
         IKEV2_OK},
        {"number 2 first",
         "00000024 02010003 0300000c 01000014 800e0080 03000008 02000005 "
         "00000008 0400001f",
         IKEV2_ERR_SYNTAX},
        {"protocol AH",
         "00000024 01020003 0300000c 01000014 800e0080 03000008 02000005 00000008 "
         "0400001f",
         IKEV2_ERR_PROPOSAL},
        {"one transform less than claimed",
         "00000024 01010004 0300000c 01000014 800e0080 03000008 02000005 00000008 0400001f",
         IKEV2_ERR_SYNTAX},
        {"a transform beyond the proposal",
         "00000024 01010003 0300000c 01000014 800e0080 03000008 02000005 00000009 0400001f",
         IKEV2_ERR_SYNTAX},
        {"a transform shorter than its header",
         "00000024 01010003 03000004 01000014 800e0080 03000008 02000005 00000008 0400001f",
         IKEV2_ERR_SYNTAX},
        {"a proposal beyond the payload",
         "00000028 01010003 0300000c 01000014 800e0080 03000008 02000005 00000008 0400001f",
         IKEV2_ERR_SYNTAX},
        {"an SPI that takes all", "0000000c 0101ff00 00000000", IKEV2_ERR_SYNTAX},
        {"empty", "", IKEV2_ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ikev2_rc rc = choose(cases[i].hex, false, &c);
        if (rc != cases[i].rc)
            fail_msg("%s: %d", cases[i].what, rc);
    }
    /* An answer with two ciphers is no choice. */
    assert_int_equal(choose("00000030 01010004 0300000c 01000014 800e0080 0300000c 01000014 "
                            "800e0100 03000008 02000005 00000008 0400001f",
                            true, &c),
                     IKEV2_ERR_PROPOSAL);
}

/* bad-input: FDio 58e3a988913 and others: lengths that the type fixes */
static void notifications_of_fixed_length_must_have_it(void **state)
{
    (void)state;
    ikev2_notify n;
    static const struct {
        const char *hex;
        ikev2_rc rc;
    } cases[] = {
        {"00004004 00112233445566778899aabbccddeeff00112233", IKEV2_OK},
        {"00004004 00112233445566778899aabbccddeeff001122", IKEV2_ERR_SYNTAX},
        {"00004005 00112233445566778899aabbccddeeff0011223344", IKEV2_ERR_SYNTAX},
        {"00004006", IKEV2_ERR_SYNTAX},
        {"00004006 aa", IKEV2_OK},
        {"00000011 001f", IKEV2_OK},
        {"00000011 1f", IKEV2_ERR_SYNTAX},
        {"03044009 11223344", IKEV2_OK},
        {"00044009 11223344", IKEV2_ERR_SYNTAX}, /* CVE-2023-38710 */
        {"01044009 11223344", IKEV2_ERR_SYNTAX},
        {"03034009 112233", IKEV2_ERR_SYNTAX},
        {"0304002c 11223344", IKEV2_OK},
        {"0000002c", IKEV2_OK}, /* As strongSwan 5.9.8 sends it. */
        {"0303002c 112233", IKEV2_ERR_SYNTAX},
        {"03ff4009 11223344", IKEV2_ERR_SYNTAX},
        {"000040", IKEV2_ERR_SYNTAX},
        {"0000ffff aabbcc", IKEV2_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ikev2_notify_decode(bytes, load(cases[i].hex), &n), cases[i].rc);
}

/* RFC 7296 3.11 */
static void a_delete_holds_exactly_the_spis_that_it_claims(void **state)
{
    (void)state;
    ikev2_delete d;
    assert_int_equal(ikev2_delete_decode(bytes, load("03040002 11111111 22222222"), &d), IKEV2_OK);
    assert_int_equal(d.count, 2);
    assert_int_equal(ikev2_delete_decode(bytes, load("01000000"), &d), IKEV2_OK);
    static const char *const bad[] = {"03040002 11111111",
                                      "03040001 1111111122222222",
                                      "03000001",
                                      "01040001 11111111",
                                      "03030001 111111",
                                      "00040001 11111111",
                                      "04040001 11111111",
                                      "01000001",
                                      "0304"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(ikev2_delete_decode(bytes, load(bad[i]), &d), IKEV2_ERR_SYNTAX);
}

/* RFC 7296 3.13; bad-input: CVE-2023-23009, FDio ab63c830114 */
static void a_selector_is_16_or_40_bytes_and_their_number_is_right(void **state)
{
    (void)state;
    ikev2_selector s;
    size_t it = 0;
    size_t n = load("01000000 072f0010 0000ffff 0a000001 0a000001");
    assert_int_equal(ikev2_selector_next(bytes, n, &it, &s), IKEV2_YES);
    assert_int_equal(s.protocol, 47);
    assert_int_equal(s.end_port, 65535);
    assert_int_equal(s.end[3], 1);
    assert_int_equal(ikev2_selector_next(bytes, n, &it, &s), IKEV2_OK);
    static const char *const bad[] = {"01000000 072f000f 0000ffff 0a000001 0a000001",
                                      "01000000 072f0028 0000ffff 0a000001",
                                      "02000000 072f0010 0000ffff 0a000001 0a000001",
                                      "00000000",
                                      "010000",
                                      "00000000 072f0010 0000ffff 0a000001 0a000001",
                                      "01000000 08000010 0000ffff 0a000001 "
                                      "0a000001",
                                      "01000000 072f0000 0000ffff 0a000001 0a000001",
                                      "01000000 072f0010 0000ffff 0a000001 "
                                      "0a000001 00"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ikev2_rc rc;
        n = load(bad[i]);
        it = 0;
        while ((rc = ikev2_selector_next(bytes, n, &it, &s)) == IKEV2_YES)
            ;
        assert_int_equal(rc, IKEV2_ERR_SYNTAX);
    }
    /* An unknown type is passed over. */
    n = load("02000000 63000008 00000000 072f0010 0000ffff 0a000001 0a000001");
    it = 0;
    assert_int_equal(ikev2_selector_next(bytes, n, &it, &s), IKEV2_YES);
    assert_int_equal(ikev2_selector_next(bytes, n, &it, &s), IKEV2_OK);
}

/* bad-input: CVE-2014-2891, CVE-2013-5018, CVE-2025-9242 */
static void identities_are_at_least_one_byte_and_bounded(void **state)
{
    (void)state;
    ikev2_identity id;
    assert_int_equal(ikev2_id_decode(bytes, load("02000000 61"), &id), IKEV2_OK);
    assert_int_equal(ikev2_id_decode(bytes, load("02000000"), &id), IKEV2_ERR_SYNTAX);
    assert_int_equal(ikev2_id_decode(bytes, load("09000000"), &id), IKEV2_ERR_SYNTAX);
    assert_int_equal(ikev2_id_decode(bytes, load("09000000 30"), &id), IKEV2_OK);
    assert_int_equal(ikev2_id_decode(bytes, load("020000"), &id), IKEV2_ERR_SYNTAX);
    assert_int_equal(ikev2_id_decode(bytes, load("01000000 0a0000"), &id), IKEV2_ERR_SYNTAX);
    assert_int_equal(ikev2_id_decode(bytes, load("05000000 0a000001"), &id), IKEV2_ERR_SYNTAX);
    memset(bytes, 'a', sizeof(bytes));
    bytes[0] = IKEV2_ID_FQDN;
    assert_int_equal(ikev2_id_decode(bytes, 4 + IKEV2_MAX_IDENTITY_BYTES, &id), IKEV2_OK);
    assert_int_equal(ikev2_id_decode(bytes, 5 + IKEV2_MAX_IDENTITY_BYTES, &id), IKEV2_ERR_SYNTAX);
}

/* RFC 7296 3.15.1; bad-input: CVE-2026-35330, CVE-2026-25075: attribute lengths */
static void attributes_of_known_types_have_their_lengths(void **state)
{
    (void)state;
    ikev2_tagged cp;
    ikev2_tagged a;
    size_t it = 0;
    assert_int_equal(
        ikev2_cp_decode(bytes, load("01000000 00010000 000d0008 0a000000 ffffff00 7fff0003 aabbcc"),
                        &cp),
        IKEV2_OK);
    assert_int_equal(cp.tag, IKEV2_CFG_REQUEST);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ikev2_attribute_next(&cp, &it, &a), IKEV2_YES);
    assert_int_equal(a.len, 3);
    assert_int_equal(ikev2_attribute_next(&cp, &it, &a), IKEV2_OK);
    static const char *const bad[] = {"03000000 000d0007 0a000000ffffff",
                                      "03000000 00010003 0a0000",
                                      "03000000 000f0010 00112233445566778899aabbccddeeff",
                                      "03000000 000d0008 0a0000",
                                      "03000000 000d",
                                      "03000000 00"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ikev2_cp_decode(bytes, load(bad[i]), &cp), IKEV2_OK);
        it = 0;
        assert_int_equal(ikev2_attribute_next(&cp, &it, &a), IKEV2_ERR_SYNTAX);
    }
}

/* RFC 7383 2.5; bad-input: CVE-2013-6076, CVE-2016-1287 */
static void fragment_numbers_go_from_1_to_the_total(void **state)
{
    (void)state;
    ikev2_fragment f;
    assert_int_equal(ikev2_fragment_decode(bytes, load("00010001 aa"), &f), IKEV2_OK);
    assert_int_equal(ikev2_fragment_decode(bytes, load("00000001 aa"), &f), IKEV2_ERR_FRAGMENT);
    assert_int_equal(ikev2_fragment_decode(bytes, load("00020001 aa"), &f), IKEV2_ERR_FRAGMENT);
    assert_int_equal(ikev2_fragment_decode(bytes, load("00000000"), &f), IKEV2_ERR_FRAGMENT);
    assert_int_equal(ikev2_fragment_decode(bytes, load("000100"), &f), IKEV2_ERR_SYNTAX);
}

/* bad-input: CVE-2026-12413, CVE-2015-3991, CVE-2013-6467 */
static void payloads_are_bounded_in_number_and_unknown_critical_ones_are_named(void **state)
{
    (void)state;
    ikev2__message m;
    size_t n = 0;
    for (int i = 0; i < 1000; i++, n += 4) /* unknown, not critical: passed over, any number */
        memcpy(bytes + n, i == 999 ? "\0\0\0\x04" : "\xc8\0\0\x04", 4);
    assert_int_equal(ikev2__message_parse(bytes, n, 200, &m), IKEV2_OK);
    assert_int_equal(m.count, 0);
    n = 0;
    for (int i = 0; i < 65; i++, n += 8)
        memcpy(bytes + n, i == 64 ? "\0\0\0\x08\0\0\x40\0" : "\x29\0\0\x08\0\0\x40\0", 8);
    assert_int_equal(ikev2__message_parse(bytes, n, 41, &m), IKEV2_ERR_PAYLOADS);
    /* The same type twice, where one is all there can be. */
    assert_int_equal(ikev2__message_parse(bytes, load("28000005aa 00000005bb"), 40, &m),
                     IKEV2_ERR_PAYLOADS);
    assert_int_equal(ikev2__message_parse(bytes, load("00800004"), 200, &m), IKEV2_ERR_CRITICAL);
    assert_int_equal(m.critical, 200);
    /* IKEv1's payload types are unknown ones. */
    assert_int_equal(ikev2__message_parse(bytes, load("00000004"), 1, &m), IKEV2_OK);
    assert_int_equal(m.present, 0);
}

/* RFC 7296 appendix C: required payloads, one left out at a time. */
static void every_exchange_wants_its_payloads_in_its_states(void **state)
{
    (void)state;
    static const struct {
        uint8_t exchange;
        bool response;
        uint8_t state;
        uint8_t types[6];
    } rows[] = {
        {IKEV2_EXCHANGE_IKE_SA_INIT, false, IKEV2__STATE_NEW, {33, 34, 40}},
        {IKEV2_EXCHANGE_IKE_SA_INIT, true, IKEV2__STATE_INIT_SENT, {33, 34, 40}},
        {IKEV2_EXCHANGE_IKE_AUTH, false, IKEV2__STATE_HALF_OPEN, {35, 33, 44, 45}},
        {IKEV2_EXCHANGE_IKE_AUTH, true, IKEV2__STATE_AUTH_SENT, {36, 39}},
        {IKEV2_EXCHANGE_CREATE_CHILD_SA, false, IKEV2__STATE_ESTABLISHED, {33, 40, 44, 45}},
        {IKEV2_EXCHANGE_CREATE_CHILD_SA, true, IKEV2__STATE_ESTABLISHED, {33, 40, 44, 45}},
        {IKEV2_EXCHANGE_INFORMATIONAL, false, IKEV2__STATE_ESTABLISHED, {0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = 0;
        while (rows[i].types[n])
            n++;
        for (size_t left_out = 0; left_out <= n; left_out++) {
            ikev2__message m = {0};
            for (size_t k = 0; k < n; k++)
                if (k != left_out) {
                    m.payloads[m.count++] =
                        (ikev2_payload){.type = rows[i].types[k], .body = bytes, .len = 0};
                    m.present |= IKEV2__BIT(rows[i].types[k]);
                }
            const ikev2_rc rc =
                ikev2__exchange_check(rows[i].exchange, rows[i].response, rows[i].state, &m);
            assert_int_equal(rc, left_out == n ? IKEV2_OK : IKEV2_ERR_PAYLOADS);
        }
        /* bad-input: CVE-2014-2338, CVE-2019-12312: nothing of it in any other state. */
        for (uint8_t s = 0; s < IKEV2__STATE_COUNT; s++) {
            const bool authenticated = s == IKEV2__STATE_ESTABLISHED ||
                                       s == IKEV2__STATE_REPLACED || s == IKEV2__STATE_DELETING;
            const bool allowed = rows[i].exchange >= IKEV2_EXCHANGE_CREATE_CHILD_SA
                                     ? authenticated
                                     : s == rows[i].state;
            assert_int_equal(ikev2__exchange_allowed(rows[i].exchange, rows[i].response, s),
                             allowed);
        }
    }
    assert_false(ikev2__exchange_allowed(43, false, IKEV2__STATE_ESTABLISHED));
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    prng r = {.state = 5};
    for (int round = 0; round < 2000; round++) {
        ikev2__builder b = ikev2__builder_make(bytes, sizeof(bytes));
        ikev2__selectors ts = {.count = 1 + prng_below(&r, IKEV2_MAX_SELECTORS)};
        for (size_t i = 0; i < ts.count; i++) {
            ikev2_selector *s = &ts.list[i];
            s->family = prng_below(&r, 2) ? IKEV2_FAMILY_IPV4 : IKEV2_FAMILY_IPV6;
            const size_t n = s->family == IKEV2_FAMILY_IPV4 ? 4 : 16;
            s->protocol = (uint8_t)prng_u64(&r);
            s->start_port = (uint16_t)prng_u64(&r);
            s->end_port = (uint16_t)prng_u64(&r);
            prng_bytes(&r, s->start, n);
            prng_bytes(&r, s->end, n);
        }
        uint8_t nonce[256];
        const size_t nonce_len = 16 + prng_below(&r, 241);
        prng_bytes(&r, nonce, sizeof(nonce));
        const ikev2_identity id = {nonce, 1 + prng_below(&r, 255), IKEV2_ID_KEY_ID, {0}};
        uint32_t spis[8];
        const size_t spi_count = prng_below(&r, 9);
        for (size_t i = 0; i < 8; i++)
            spis[i] = (uint32_t)prng_u64(&r);
        ikev2__put_bytes(&b, IKEV2_PAYLOAD_NONCE, nonce, nonce_len);
        ikev2__put_id(&b, IKEV2_PAYLOAD_IDI, &id);
        ikev2__put_delete(&b, IKEV2_PROTOCOL_ID_ESP, spis, spi_count);
        ikev2__put_selectors(&b, IKEV2_PAYLOAD_TSI, ts.list, ts.count);
        ikev2__put_ke(&b, 31, nonce, 32);
        ikev2__put_auth(&b, 2, nonce, 32);
        ikev2__put_notify(&b, 3, nonce, 4, IKEV2__N_REKEY_SA, NULL, 0);
        ikev2__message m;
        assert_int_equal(ikev2__message_parse(bytes, b.w.len, b.first, &m), IKEV2_OK);
        assert_int_equal(m.count, 7);
        const ikev2_payload *p = ikev2__message_get(&m, IKEV2_PAYLOAD_NONCE);
        assert_bytes(p->body, p->len, nonce, nonce_len);
        ikev2_identity id2;
        p = ikev2__message_get(&m, IKEV2_PAYLOAD_IDI);
        assert_int_equal(ikev2_id_decode(p->body, p->len, &id2), IKEV2_OK);
        assert_bytes(id2.bytes, id2.len, id.bytes, id.len);
        ikev2_delete d;
        p = ikev2__message_get(&m, IKEV2_PAYLOAD_DELETE);
        assert_int_equal(ikev2_delete_decode(p->body, p->len, &d), IKEV2_OK);
        assert_int_equal(d.count, spi_count);
        ikev2__selectors back;
        assert_int_equal(ikev2__selectors_decode(ikev2__message_get(&m, IKEV2_PAYLOAD_TSI), &back),
                         IKEV2_OK);
        assert_int_equal(back.count, ts.count);
        assert_memory_equal(back.list, ts.list, ts.count * sizeof(ts.list[0]));
    }
}

static void random_bytes_never_hurt_a_decoder(void **state)
{
    (void)state;
    prng r = {.state = 11};
    for (int round = 0; round < 20000; round++) {
        const size_t n = prng_below(&r, 64);
        ikev2_header h;
        ikev2_proposal p;
        ikev2_transform t;
        ikev2_selector s;
        ikev2_tagged a;
        ikev2_tagged b;
        ikev2__message m;
        size_t it = 0;
        prng_bytes(&r, bytes, n);
        (void)ikev2_header_decode(bytes, n, &h);
        (void)ikev2__message_parse(bytes, n, (uint8_t)(33 + prng_below(&r, 16)), &m);
        while (ikev2_proposal_next(bytes, n, &it, &p) == IKEV2_YES)
            for (size_t at = 0; ikev2_transform_next(&p, &at, &t) == IKEV2_YES;)
                ;
        it = 0;
        while (ikev2_selector_next(bytes, n, &it, &s) == IKEV2_YES)
            ;
        it = 0;
        if (ikev2_cp_decode(bytes, n, &a) == IKEV2_OK)
            while (ikev2_attribute_next(&a, &it, &b) == IKEV2_YES)
                ;
    }
}

static void selectors_are_narrowed_to_what_both_allow(void **state)
{
    (void)state;
    const ikev2_selector net = {
        .family = 4, .end_port = 65535, .start = {10}, .end = {10, 255, 255, 255}};
    const ikev2_selector gre = {
        .family = 4, .protocol = 47, .end_port = 65535, .start = {10, 1}, .end = {10, 1, 0, 9}};
    const ikev2_selector tcp = {.family = 4,
                                .protocol = 6,
                                .start_port = 80,
                                .end_port = 90,
                                .start = {10, 1},
                                .end = {10, 1, 0, 9}};
    const ikev2_selector v6 = {.family = 6, .end_port = 65535, .end = {255}};
    const ikev2__selectors a = {2, {net, v6}};
    const ikev2__selectors b = {2, {gre, tcp}};
    ikev2__selectors out;
    ikev2__selectors_narrow(&a, &b, &out);
    assert_int_equal(out.count, 2);
    assert_memory_equal(&out.list[0], &gre, sizeof(gre));
    assert_memory_equal(&out.list[1], &tcp, sizeof(tcp));
    assert_true(ikev2__selectors_within(&b, &a));
    assert_false(ikev2__selectors_within(&a, &b));
    const ikev2__selectors g = {1, {gre}};
    const ikev2__selectors t = {1, {tcp}};
    ikev2__selectors_narrow(&g, &t, &out);
    assert_int_equal(out.count, 0);
    assert_false(ikev2__selectors_within(&out, &a));
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    ikev2_header h;
    ikev2_chain c;
    ikev2_payload p;
    ikev2_proposal pr;
    ikev2_transform t;
    ikev2_tagged g;
    ikev2_identity id;
    ikev2_notify n;
    ikev2_delete d;
    ikev2_selector s;
    ikev2_fragment f;
    size_t it = 0;
    assert_int_equal(ikev2_header_decode(NULL, 28, &h), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_header_decode(bytes, 28, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_chain_begin(NULL, 1, 1, &c), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_chain_begin(bytes, 1, 1, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_chain_next(NULL, &p), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_chain_begin(NULL, 0, 0, &c), IKEV2_OK);
    assert_int_equal(ikev2_chain_next(&c, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_chain_next(&c, &p), IKEV2_OK);
    assert_int_equal(ikev2_proposal_next(NULL, 0, &it, &pr), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_proposal_next(bytes, 0, NULL, &pr), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_proposal_next(bytes, 0, &it, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_transform_next(NULL, &it, &t), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_ke_decode(NULL, 0, &g), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_ke_decode(bytes, 4, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_id_decode(NULL, 0, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_id_decode(bytes, 5, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_auth_decode(NULL, 0, &g), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_notify_decode(NULL, 0, &n), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_notify_decode(bytes, 4, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_delete_decode(NULL, 0, &d), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_delete_decode(bytes, 4, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_selector_next(NULL, 0, &it, &s), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_selector_next(bytes, 0, NULL, &s), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_selector_next(bytes, 0, &it, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_cp_decode(NULL, 0, &g), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_attribute_next(NULL, &it, &g), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_fragment_decode(NULL, 0, &f), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_fragment_decode(bytes, 4, NULL), IKEV2_ERR_ARG);
    assert_string_equal(ikev2_notify_name(38), "TS_UNACCEPTABLE");
    assert_string_equal(ikev2_notify_name(9999), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_decoded_and_its_length_must_be_the_datagrams),
        cmocka_unit_test(a_chain_ends_exactly_where_it_must),
        cmocka_unit_test(a_proposal_and_its_transforms_are_decoded),
        cmocka_unit_test(a_choice_needs_one_of_each_type_and_nothing_unknown),
        cmocka_unit_test(notifications_of_fixed_length_must_have_it),
        cmocka_unit_test(a_delete_holds_exactly_the_spis_that_it_claims),
        cmocka_unit_test(a_selector_is_16_or_40_bytes_and_their_number_is_right),
        cmocka_unit_test(identities_are_at_least_one_byte_and_bounded),
        cmocka_unit_test(attributes_of_known_types_have_their_lengths),
        cmocka_unit_test(fragment_numbers_go_from_1_to_the_total),
        cmocka_unit_test(payloads_are_bounded_in_number_and_unknown_critical_ones_are_named),
        cmocka_unit_test(every_exchange_wants_its_payloads_in_its_states),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(random_bytes_never_hurt_a_decoder),
        cmocka_unit_test(selectors_are_narrowed_to_what_both_allow),
        cmocka_unit_test(null_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
