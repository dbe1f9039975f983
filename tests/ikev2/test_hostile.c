/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Input that broke other implementations, at an engine: nothing changes, nothing leaks, and the
 * reason is told. Memory that runs out anywhere. Arguments that are NULL.
 */
#include "libikev2/engine.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vnet_rules calm = {.delay_ms = 10};

static void open_connected(pair *p)
{
    ikev2_config cfg[2];
    pair_configs(cfg);
    pair_open(p, 1, &calm, cfg);
    pair_connect(p, 0);
}

static ikev2_counters counters(const pair *p, int i)
{
    ikev2_counters c = {.struct_size = sizeof(c)};
    assert_int_equal(ikev2_engine_get_counters(p->n[i].e, &c), IKEV2_OK);
    return c;
}

static ikev2_path path_to(const pair *p, int i)
{
    return (ikev2_path){.local = p->n[i].addr, .peer = p->n[1 - i].addr};
}

/* Node 1 gets a message sealed with node 0's keys; the id is the one that is due. */
static ikev2_rc inject(pair *p, uint8_t exchange, bool response, uint32_t id, uint8_t first,
                       const char *hex)
{
    ikev2__sa *mine = ikev2__sa_by_id(p->n[0].e, p->n[0].sa);
    uint8_t text[2048];
    ikev2__builder b = {.w = wire_writer_make(p->n[0].e->plain, 4096), .first = first};
    ikev2__flight flight;
    const ikev2_path path = path_to(p, 1);
    wire_put_bytes(&b.w, text, hex_bytes(hex, text, sizeof(text)));
    assert_int_equal(ikev2__protect(mine, exchange, response, id, &b, &flight), IKEV2_OK);
    const ikev2_rc rc =
        ikev2_engine_input(p->n[1].e, p->now, &path, flight.bytes + 2, flight.len - 2);
    ikev2__flight_free(p->n[0].e, &flight);
    return rc;
}

static uint32_t due_id(const pair *p)
{
    const ikev2__sa *mine = ikev2__sa_by_id(p->n[0].e, p->n[0].sa);
    return ikev2__sa_by_spi(p->n[1].e, mine->spi_r)->next_recv;
}

/* What node 1 answers, decrypted by node 0; returns the first notify type, 0 without one. */
static uint16_t answer_of(pair *p)
{
    uint8_t buf[4096];
    ikev2_output out;
    ikev2_header h;
    const uint8_t *plain;
    size_t len;
    uint8_t first;
    uint64_t hash;
    ikev2__message m;
    ikev2_notify n;
    size_t it = 0;
    ikev2__sa *mine = ikev2__sa_by_id(p->n[0].e, p->n[0].sa);
    assert_int_equal(ikev2_engine_poll_output(p->n[1].e, p->now, buf, sizeof(buf), &out),
                     IKEV2_YES);
    assert_int_equal(ikev2_header_decode(buf, out.len, &h), IKEV2_OK);
    assert_int_equal(h.flags & IKEV2_FLAG_RESPONSE, IKEV2_FLAG_RESPONSE);
    assert_int_equal(ikev2__unprotect(mine, &h, buf, out.len, &plain, &len, &first, &hash),
                     IKEV2_YES);
    assert_int_equal(ikev2__message_parse(plain, len, first, &m), IKEV2_OK);
    return ikev2__message_next_notify(&m, &it, &n) ? n.type : 0;
}

/* bad-input: CVE-2014-2338, CVE-2019-12312: nothing but IKE_AUTH before authentication */
static void an_unauthenticated_sa_takes_no_other_exchange(void **state)
{
    (void)state;
    static const uint8_t exchanges[] = {36, 37, 38, 43, 0, 255};
    for (size_t i = 0; i < sizeof(exchanges); i++) {
        pair p;
        ikev2_config cfg[2];
        pair_configs(cfg);
        pair_open(&p, 1, &calm, cfg);
        const ikev2_peer a = pair_peer(&p, 0);
        const ikev2_peer b = pair_peer(&p, 1);
        pair_profile(&p, 1, &b);
        assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &p.n[0].sa), IKEV2_OK);
        pair_run(&p, 25); /* IKE_SA_INIT is done, IKE_AUTH under way */
        assert_int_equal(counters(&p, 1).half_open, 1);
        assert_int_equal(inject(&p, exchanges[i], false, 1, 0, ""), IKEV2_ERR_EXCHANGE);
        assert_int_equal(counters(&p, 1).half_open, 1);
        assert_int_equal(counters(&p, 1).exchange, 1);
        pair_run(&p, 5000);
        pair_assert_agree(&p, 1); /* the true IKE_AUTH still counts */
        pair_close(&p);
    }
}

static void replayed_early_and_forged_messages_change_nothing(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    const ikev2_path path = path_to(&p, 1);
    const uint32_t due = due_id(&p);
    assert_int_equal(inject(&p, 37, false, due + 1, 0, ""), IKEV2_ERR_MESSAGE_ID);
    assert_int_equal(inject(&p, 37, false, due + 0x80000000u, 0, ""), IKEV2_ERR_MESSAGE_ID);
    assert_int_equal(inject(&p, 37, false, due - 1, 0, ""), IKEV2_ERR_MESSAGE_ID);
    assert_int_equal(inject(&p, 37, true, 0, 0, ""), IKEV2_ERR_MESSAGE_ID);
    assert_int_equal(counters(&p, 1).message_id, 4);
    /* Our own message, reflected. */
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, p.last[1], p.last_len[1]),
                     IKEV2_ERR_UNKNOWN_SPI);
    /* IKE_AUTH once more. */
    assert_int_equal(inject(&p, 35, false, due, 0, ""), IKEV2_ERR_EXCHANGE);
    uint8_t forged[2048];
    memcpy(forged, p.last[0], p.last_len[0]);
    forged[20 + 3] = (uint8_t)due; /* message id */
    forged[18] = 37;
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, forged, p.last_len[0]),
                     IKEV2_ERR_INTEGRITY);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

/* RFC 7296 2.1; the identical answer */
static void a_repeated_request_gets_the_same_bytes_again(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    const ikev2_path path = path_to(&p, 1);
    uint8_t first[2048];
    const size_t len = p.last_len[1];
    uint8_t buf[4096];
    ikev2_output out;
    memcpy(first, p.last[1], len);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, p.last[0], p.last_len[0]),
                         IKEV2_OK);
        assert_int_equal(ikev2_engine_poll_output(p.n[1].e, p.now, buf, sizeof(buf), &out),
                         IKEV2_YES);
        assert_bytes(buf, out.len, first, len);
    }
    assert_int_equal(counters(&p, 1).repeated, 3);
    pair_close(&p);
}

static void datagrams_that_are_no_ike_are_dropped_with_a_reason(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    ikev2_path path = path_to(&p, 1);
    uint8_t m[64] = {0};
    m[0] = 1;
    m[16] = 33;
    m[17] = 0x20;
    m[18] = 34;
    m[19] = 8;
    m[27] = 28;
    for (size_t n = 0; n < 28; n++)
        assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, n), IKEV2_ERR_TRUNCATED);
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 29), IKEV2_ERR_LENGTH);
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_LENGTH);
    m[17] = 0x10; /* IKEv1 */
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_VERSION);
    m[17] = 0x20;
    m[18] = 35;
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_UNKNOWN_SPI);
    path.local.port = 4500;
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_SYNTAX);
    m[0] = 0xff;
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 1), IKEV2_OK);
    assert_int_equal(counters(&p, 1).bad_version, 1);
    assert_int_equal(counters(&p, 1).unknown_spi, 1);
    pair_close(&p);
}

/* RFC 7296 2.5 */
static void a_higher_major_version_is_answered_with_ours(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    const ikev2_path path = path_to(&p, 1);
    uint8_t m[28] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t buf[256];
    ikev2_output out;
    m[17] = 0x30;
    m[18] = 34;
    m[19] = 8;
    m[27] = 28;
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_VERSION);
    assert_int_equal(ikev2_engine_poll_output(p.n[1].e, p.now, buf, sizeof(buf), &out), IKEV2_YES);
    assert_hex(buf, out.len,
               "0102030405060708 0000000000000000 29202220 00000000 00000024"
               "00000008 00000005");
    m[19] = 0x28; /* never an answer to an answer */
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_VERSION);
    assert_int_equal(ikev2_engine_poll_output(p.n[1].e, p.now, buf, sizeof(buf), &out), IKEV2_OK);
    pair_close(&p);
}

/* RFC 7296 2.5 */
static void an_unknown_critical_payload_is_refused_and_the_sa_lives(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    assert_int_equal(inject(&p, 37, false, due_id(&p), 200, "00800004"), IKEV2_OK);
    assert_int_equal(answer_of(&p), 1);
    pair_assert_agree(&p, 1);
    assert_int_equal(inject(&p, 37, false, due_id(&p), 200, "00000004"), IKEV2_OK);
    assert_int_equal(answer_of(&p), 0);
    assert_int_equal(counters(&p, 1).critical, 1);
    pair_close(&p);
}

/* RFC 7296 2.21.3; bad-input: CVE-2013-6467, CVE-2023-23009 */
static void authentic_nonsense_is_answered_and_ends_the_sa(void **state)
{
    (void)state;
    static const struct {
        uint8_t exchange;
        uint8_t first;
        const char *hex;
    } cases[] = {
        {36, 0, ""},                                           /* nothing at all */
        {36, 40, "00000014 00000000000000000000000000000000"}, /* a nonce alone */
        {37, 42, "00000008 03040001"},                         /* an SPI that is not there */
        {37, 41, "00000008 03ff4009"},                         /* an SPI beyond the end */
        {37, 41, "00000007 000040"},                           /* a short notification */
        {37, 41, "00000009"},                                  /* beyond the end */
        {37, 41, "00000003"},                                  /* shorter than a header */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pair p;
        open_connected(&p);
        assert_int_equal(
            inject(&p, cases[i].exchange, false, due_id(&p), cases[i].first, cases[i].hex),
            IKEV2_OK);
        assert_int_equal(answer_of(&p), 7); /* INVALID_SYNTAX */
        pair_run(&p, 1);
        assert_int_equal(p.n[1].child_count, 0);
        assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_IKE_SA_DOWN, IKEV2_REASON_SYNTAX), 1);
        pair_close(&p);
    }
}

#define CHILD_PAYLOADS(ke)                                                                         \
    "2800002c 00000028 01030403 22222222 0300000c 01000014 800e0080 03000008 05000001 "            \
    "00000008 05000000" ke "2c000014 000102030405060708090a0b0c0d0e0f "                            \
    "2d000018 01000000 072f0010 0000ffff 0a000001 0a000001 "                                       \
    "29000018 01000000 072f0010 0000ffff 0a000002 0a000002 00000008 00004007"

/* bad-input: CVE-2023-38710 */
static void rekeying_a_child_that_is_not_there_is_answered_so(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    assert_int_equal(
        inject(&p, 36, false, due_id(&p), 41, "2100000c 03044009 11111111" CHILD_PAYLOADS("")),
        IKEV2_OK);
    assert_int_equal(answer_of(&p), 44); /* CHILD_SA_NOT_FOUND */
    assert_int_equal(
        inject(&p, 36, false, due_id(&p), 41, "2100000c 02044009 11111111" CHILD_PAYLOADS("")),
        IKEV2_OK);
    assert_int_equal(answer_of(&p), 44);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

static void a_child_by_hand_is_made_and_installed(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    assert_int_equal(inject(&p, 36, false, due_id(&p), 33, CHILD_PAYLOADS("")), IKEV2_OK);
    assert_int_equal(answer_of(&p), 16391); /* USE_TRANSPORT_MODE */
    pair_run(&p, 1);
    assert_int_equal(p.n[1].child_count, 2);
    assert_int_equal(p.n[1].children[1].spi_out, 0x22222222);
    pair_close(&p);
}

/* RFC 7296 2.25: after TEMPORARY_FAILURE the rekey waits, and is tried again. */
static void a_rekey_that_is_put_off_is_tried_again(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    ikev2__sa *mine = ikev2__sa_by_id(p.n[0].e, p.n[0].sa);
    const ikev2__sa *sa = ikev2__sa_by_spi(p.n[1].e, mine->spi_r);
    uint8_t buf[2048];
    ikev2_output out;
    assert_int_equal(ikev2_engine_rekey_child(p.n[1].e, p.now, pair_first_child(&p, 1)), 0);
    assert_int_equal(ikev2_engine_poll_output(p.n[1].e, p.now, buf, sizeof(buf), &out), IKEV2_YES);
    assert_int_equal(inject(&p, 36, true, sa->next_send - 1, 41, "00000008 0000002b"), IKEV2_OK);
    mine->next_recv++; /* the answer was node 0's, as far as node 1 can tell */
    assert_null(sa->request.bytes);
    assert_true(ikev2_engine_deadline(p.n[1].e) >= p.now + 3000);
    pair_run(&p, 30000);
    pair_assert_agree(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_CHILD_IN, 0), 2);
    pair_close(&p);
}

/* RFC 7296 2.25: the child is unknown to the peer, so another one is made from scratch. */
static void a_child_that_the_peer_does_not_know_is_made_anew(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    /* Node 0 forgets its child without a word. */
    ikev2__child *lost = ikev2__child_by_id(p.n[0].e, pair_first_child(&p, 0));
    ikev2__child_remove(lost, IKEV2_REASON_LOCAL);
    assert_int_equal(ikev2_engine_rekey_child(p.n[1].e, p.now, pair_first_child(&p, 1)), 0);
    pair_run(&p, 30000);
    pair_assert_agree(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_CHILD_REMOVE, IKEV2_REASON_NOT_FOUND), 1);
    pair_close(&p);
}

/* RFC 7296 2.25, 3.10: the same where the answer does not name the SPI, like strongSwan's. */
static void a_child_may_be_unknown_without_its_spi(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    ikev2__sa *mine = ikev2__sa_by_id(p.n[0].e, p.n[0].sa);
    const ikev2__sa *sa = ikev2__sa_by_spi(p.n[1].e, mine->spi_r);
    uint8_t buf[2048];
    ikev2_output out;
    assert_int_equal(ikev2_engine_rekey_child(p.n[1].e, p.now, pair_first_child(&p, 1)), 0);
    assert_int_equal(ikev2_engine_poll_output(p.n[1].e, p.now, buf, sizeof(buf), &out), IKEV2_YES);
    assert_int_equal(inject(&p, 36, true, sa->next_send - 1, 41, "00000008 0000002c"), IKEV2_OK);
    mine->next_recv++; /* the answer was node 0's, as far as node 1 can tell */
    ikev2__child_remove(ikev2__child_by_id(p.n[0].e, pair_first_child(&p, 0)), IKEV2_REASON_LOCAL);
    pair_run(&p, 30000);
    pair_assert_agree(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_CHILD_REMOVE, IKEV2_REASON_NOT_FOUND), 1);
    pair_close(&p);
}

/* RFC 7296 2.9, 2.7: an answer outside the offer is refused, and the child deleted at the peer. */
static void an_answer_that_widens_the_selectors_is_not_installed(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    ikev2__sa *mine = ikev2__sa_by_id(p.n[0].e, p.n[0].sa);
    const ikev2__sa *sa = ikev2__sa_by_spi(p.n[1].e, mine->spi_r);
    uint64_t id;
    uint8_t buf[2048];
    ikev2_output out;
    assert_int_equal(ikev2_engine_initiate_child(p.n[1].e, p.now, p.n[1].sa, NULL, &id), 0);
    assert_int_equal(ikev2_engine_poll_output(p.n[1].e, p.now, buf, sizeof(buf), &out), IKEV2_YES);
    assert_int_equal(
        inject(&p, 36, true, sa->next_send - 1, 33,
               "28000024 00000020 01030402 22222222 0300000c 01000014 800e0080 00000008 05000001 "
               "2c000014 000102030405060708090a0b0c0d0e0f "
               "2d000018 01000000 07000010 0000ffff 00000000 ffffffff "
               "29000018 01000000 072f0010 0000ffff 0a000001 0a000001 00000008 00004007"),
        IKEV2_OK);
    pair_run(&p, 1);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_REFUSED, IKEV2_REASON_SELECTORS), 1);
    assert_int_equal(p.n[1].child_count, 1);
    pair_close(&p);
}

/* RFC 7296 3.15.1, 3.15: a prefix has at most 128 bits, and nobody is given what he did not want.
 */
static void an_address_is_taken_only_as_asked_for_and_with_a_prefix_that_can_be(void **state)
{
    (void)state;
    uint8_t bytes[4 + 17] = {0, IKEV2_ATTR_INTERNAL_IP6_ADDRESS, 0, 17, 0x20, 0x01};
    const ikev2_tagged cp = {.tag = IKEV2_CFG_REPLY, .bytes = bytes, .len = sizeof(bytes)};
    ikev2__pushed got;
    pair p;
    open_connected(&p);
    ikev2__sa *mine = ikev2__sa_by_id(p.n[0].e, p.n[0].sa);
    bytes[20] = 128;
    assert_int_equal(ikev2__config_read(mine, &cp, true, &got), IKEV2_OK);
    assert_int_equal(got.assigned.family, IKEV2_FAMILY_NONE);
    ikev2__config_drop(mine, &got);
    mine->ctx->peer->pub.request = IKEV2_REQUEST_ADDRESS;
    assert_int_equal(ikev2__config_read(mine, &cp, true, &got), IKEV2_OK);
    assert_int_equal(got.assigned.family, IKEV2_FAMILY_IPV6);
    assert_int_equal(got.assigned.prefix_len, 128);
    ikev2__config_drop(mine, &got);
    bytes[20] = 129;
    assert_int_equal(ikev2__config_read(mine, &cp, true, &got), IKEV2_OK);
    assert_int_equal(got.assigned.family, IKEV2_FAMILY_NONE);
    ikev2__config_drop(mine, &got);
    pair_close(&p);
}

/* RFC 7296 3.13.1: 65535 to 0 is OPAQUE; any other range that runs backwards is none. */
static void ports_that_run_backwards_meet_nothing(void **state)
{
    (void)state;
    const ikev2__selectors any = {.count = 1,
                                  .list = {{.family = IKEV2_FAMILY_IPV4, .end_port = 65535}}};
    ikev2__selectors bad = {
        .count = 1, .list = {{.family = IKEV2_FAMILY_IPV4, .start_port = 100, .end_port = 50}}};
    ikev2__selectors out;
    ikev2__selectors_narrow(&bad, &any, &out);
    assert_int_equal(out.count, 0);
    assert_false(ikev2__selectors_within(&bad, &any));
    bad.list[0].start_port = 65535;
    bad.list[0].end_port = 0;
    ikev2__selectors_narrow(&bad, &any, &out);
    assert_int_equal(out.count, 1);
}

/* bad-input: CVE-2022-4967, by type and bytes: nothing but a whole label hides behind a star. */
static void a_wildcard_matches_its_own_kind_below_its_own_domain_only(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        uint8_t type;
        bool matches;
    } cases[] = {
        {"a.example.com", 13, IKEV2_ID_FQDN, true},
        {"a.example.com", 13, IKEV2_ID_KEY_ID, false},
        {"a.example.com", 13, IKEV2_ID_RFC822_ADDR, false},
        {"evil-example.com", 16, IKEV2_ID_FQDN, false},
        {"example.com", 11, IKEV2_ID_FQDN, false},
        {".example.com", 12, IKEV2_ID_FQDN, false},
        {"a.example.com\0", 14, IKEV2_ID_FQDN, false},
        {"a.example.com.evil.org", 22, IKEV2_ID_FQDN, false},
        {"com", 3, IKEV2_ID_FQDN, false},
    };
    const ikev2_identity pattern = pair_fqdn("*.example.com");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ikev2_identity id = {
            .bytes = (const uint8_t *)cases[i].bytes, .len = cases[i].len, .type = cases[i].type};
        assert_int_equal(ikev2__identity_matches(&pattern, &id), cases[i].matches);
    }
}

/* bad-input: CVE-2023-38712: more payloads after a Delete of the SA */
static void deletions_are_done_after_all_of_the_message_was_read(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    char hex[256];
    const uint32_t spi = p.n[1].children[0].spi_out;
    snprintf(hex, sizeof(hex),
             "2a000008 01000000 2a00000c 03040001 %08x 2f00000c 03040001 %08x "
             "00000010 03000000 000d0004 0a000000",
             spi, spi);
    assert_int_equal(inject(&p, 37, false, due_id(&p), 42, hex), IKEV2_OK);
    pair_run(&p, 1);
    assert_int_equal(p.n[1].child_count, 0);
    assert_int_equal(p.n[1].sa, 0);
    assert_int_equal(pair_count_events(&p, 1, IKEV2_EVENT_CHILD_REMOVE, 0), 1);
    pair_close(&p);
}

/* RFC 7383 2.6; bad-input: CVE-2016-10396, CVE-2013-6076 */
static void fragments_are_bounded_and_collected_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        pair p;
        open_connected(&p);
        ikev2__sa *mine = ikev2__sa_by_id(p.n[0].e, p.n[0].sa);
        const ikev2_path path = path_to(&p, 1);
        ikev2__builder b = {.w = wire_writer_make(p.n[0].e->plain, 4096)};
        ikev2__flight f;
        uint8_t vendor[500] = {0};
        ikev2__put_bytes(&b, IKEV2_PAYLOAD_VENDOR, vendor, sizeof(vendor));
        p.n[0].e->cfg.fragment_bytes = 128;
        assert_int_equal(ikev2__protect(mine, 37, false, due_id(&p), &b, &f), IKEV2_OK);
        const uint8_t *parts[32];
        size_t lens[32];
        size_t count = 0;
        for (size_t at = 0; at < f.len; at += lens[count - 1] + 2) {
            lens[count] = (size_t)(f.bytes[at] << 8 | f.bytes[at + 1]);
            parts[count] = f.bytes + at + 2;
            count++;
        }
        assert_true(count > 6);
        for (size_t i = 0; i < count; i++) {
            const size_t k = order == 0 ? i : order == 1 ? count - 1 - i : (i * 5 + 3) % count;
            if (order == 2 && count % 5 == 0)
                break;
            assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, parts[k], lens[k]),
                             IKEV2_OK);
            if (i + 1 < count) /* once more changes nothing */
                assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, parts[k], lens[k]),
                                 IKEV2_OK);
        }
        if (order != 2 || count % 5 != 0)
            assert_int_equal(answer_of(&p), 0);
        ikev2__flight_free(p.n[0].e, &f);
        pair_close(&p);
    }
}

static void half_a_message_is_forgotten_in_time(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    ikev2__sa *mine = ikev2__sa_by_id(p.n[0].e, p.n[0].sa);
    const ikev2_path path = path_to(&p, 1);
    ikev2__builder b = {.w = wire_writer_make(p.n[0].e->plain, 4096)};
    ikev2__flight f;
    uint8_t vendor[500] = {0};
    ikev2__put_bytes(&b, IKEV2_PAYLOAD_VENDOR, vendor, sizeof(vendor));
    p.n[0].e->cfg.fragment_bytes = 128;
    assert_int_equal(ikev2__protect(mine, 37, false, due_id(&p), &b, &f), IKEV2_OK);
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, f.bytes + 2,
                                        (size_t)(f.bytes[0] << 8 | f.bytes[1])),
                     IKEV2_OK);
    ikev2__flight_free(p.n[0].e, &f);
    const ikev2__sa *sa = ikev2__sa_by_spi(p.n[1].e, mine->spi_r);
    assert_non_null(sa->reassembly);
    pair_run(&p, 40000);
    assert_null(sa->reassembly);
    pair_close(&p);
}

/* RFC 7296 2.6: bound to address, SPI and nonce; of this or the last secret */
static void a_cookie_counts_for_its_sender_and_its_time_only(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    pair_open(&p, 1, &calm, cfg);
    ikev2_engine *e = p.n[1].e;
    ikev2_path path = path_to(&p, 1);
    uint8_t nonce_bytes[32] = {1};
    ikev2_payload nonce = {.body = nonce_bytes, .len = 32};
    uint8_t cookie[33];
    ikev2__cookie_make(e, &path, 7, &nonce, cookie);
    ikev2_notify n = {.data = cookie, .len = sizeof(cookie)};
    assert_true(ikev2__cookie_valid(e, &path, 7, &nonce, &n));
    assert_false(ikev2__cookie_valid(e, &path, 8, &nonce, &n));
    path.peer.port = 501;
    assert_false(ikev2__cookie_valid(e, &path, 7, &nonce, &n));
    path.peer.port = 500;
    nonce_bytes[0] = 2;
    assert_false(ikev2__cookie_valid(e, &path, 7, &nonce, &n));
    nonce_bytes[0] = 1;
    cookie[32] ^= 1;
    assert_false(ikev2__cookie_valid(e, &path, 7, &nonce, &n));
    cookie[32] ^= 1;
    n.len = 32;
    assert_false(ikev2__cookie_valid(e, &path, 7, &nonce, &n));
    n.len = 33;
    e->now_ms += 70000;
    assert_true(ikev2__cookie_valid(e, &path, 7, &nonce, &n)); /* the last secret */
    e->now_ms += 70000;
    assert_false(ikev2__cookie_valid(e, &path, 7, &nonce, &n));
    pair_close(&p);
}

static void a_full_event_ring_holds_input_back_and_loses_nothing(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].max_events = 4 * 8 + 8;
    pair_open(&p, 1, &calm, cfg);
    ikev2_event ev = {.kind = IKEV2_EVENT_REFUSED};
    ikev2__emit(p.n[1].e, &ev, NULL, NULL);
    const ikev2_path path = path_to(&p, 1);
    uint8_t m[28] = {0};
    assert_int_equal(ikev2_engine_input(p.n[1].e, p.now, &path, m, 28), IKEV2_ERR_LIMIT);
    assert_int_equal(counters(&p, 1).received, 0);
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

static void small_output_buffers_lose_no_datagram(void **state)
{
    (void)state;
    pair p;
    ikev2_config cfg[2];
    pair_configs(cfg);
    pair_open(&p, 1, &calm, cfg);
    const ikev2_peer a = pair_peer(&p, 0);
    uint64_t id;
    uint8_t buf[2048];
    ikev2_output out = {.len = 0};
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, p.now, &a, &id), IKEV2_OK);
    assert_int_equal(ikev2_engine_poll_output(p.n[0].e, p.now, buf, 10, &out), IKEV2_ERR_BUFFER);
    const size_t need = out.len;
    assert_int_equal(ikev2_engine_poll_output(p.n[0].e, p.now, NULL, 0, &out), IKEV2_ERR_BUFFER);
    assert_int_equal(ikev2_engine_poll_output(p.n[0].e, p.now, buf, need, &out), IKEV2_YES);
    assert_int_equal(out.len, need);
    assert_int_equal(ikev2_engine_poll_output(p.n[0].e, p.now, buf, need, &out), IKEV2_OK);
    pair_close(&p);
}

/* A set-up, both rekeys, and the end, in one engine's memory; it must come out right or not at all.
 */
static void life(fail_alloc *f, void *user)
{
    pair p;
    ikev2_config cfg[2];
    (void)user;
    pair_configs(cfg);
    memset(&p, 0, sizeof(p));
    p.now = 1000;
    p.net = vnet_new(1, &calm);
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        cfg[i].seed[0] = (uint8_t)(i + 1);
        cfg[i].fragment_bytes = 256;
        cfg[i].max_events = 64;
        cfg[i].allocator.resize = fail_alloc_resize;
        cfg[i].allocator.user = f;
        p.n[i].name = i ? "b.test" : "a.test";
        p.n[i].addr = (ikev2_addr){
            .family = IKEV2_FAMILY_IPV4, .port = 500, .bytes = {10, 0, 0, (uint8_t)(i + 1)}};
        const ikev2_rc rc = ikev2_engine_new(&cfg[i], p.now, &p.n[i].e);
        assert_true(rc == IKEV2_OK || rc == IKEV2_ERR_NOMEM);
        ok = ok && rc == IKEV2_OK;
    }
    if (ok) {
        const ikev2_addr route = {.family = IKEV2_FAMILY_IPV4, .prefix_len = 32, .bytes = {9}};
        ikev2_peer a = pair_peer(&p, 0);
        ikev2_peer b = pair_peer(&p, 1);
        a.push_routes = b.push_routes = &route;
        a.push_route_count = b.push_route_count = 1;
        a.request = IKEV2_REQUEST_SUBNETS;
        uint64_t id;
        b.path.peer = (ikev2_addr){0};
        ikev2_rc rc = ikev2_engine_add_profile(p.n[1].e, p.now, &b, &id);
        if (rc == IKEV2_ERR_NOMEM)
            rc = ikev2_engine_add_profile(p.n[1].e, p.now, &b, &id);
        assert_int_equal(rc, IKEV2_OK);
        rc = ikev2_engine_initiate(p.n[0].e, p.now, &a, &id);
        if (rc == IKEV2_ERR_NOMEM)
            rc = ikev2_engine_initiate(p.n[0].e, p.now, &a, &id);
        assert_int_equal(rc, IKEV2_OK);
        pair_run(&p, 60000);
        /* One failure delays, and stops nothing. */
        pair_assert_agree(&p, 1);
        assert_int_equal(ikev2_engine_rekey_child(p.n[0].e, p.now, pair_first_child(&p, 0)), 0);
        pair_run(&p, 60000);
        pair_assert_agree(&p, 1);
        assert_int_equal(ikev2_engine_rekey_ike(p.n[1].e, p.now, p.n[1].sa), 0);
        pair_run(&p, 60000);
        pair_assert_agree(&p, 1);
        assert_int_equal(ikev2_engine_delete_ike(p.n[0].e, p.now, p.n[0].sa), 0);
        pair_run(&p, 100000);
        assert_int_equal(p.n[0].child_count + p.n[1].child_count, 0);
    }
    for (int i = 0; i < 2; i++)
        ikev2_engine_free(p.n[i].e);
    vnet_free(p.net);
}

static void memory_may_run_out_at_any_place(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(life, NULL);
}

/* Looks for the keys of a child in what the engine's allocator gave out and got back. */
static uint8_t *watched;
static size_t watched_len;
static bool leaked;

static void *watching_resize(void *user, void *ptr, size_t size)
{
    /* A block with its size in front, so that it can be searched when it is freed. */
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    (void)user;
    if (block && watched)
        for (size_t i = 0; size == 0 && i + watched_len <= block[0]; i++)
            leaked |= memcmp((uint8_t *)ptr + i, watched, watched_len) == 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    if (!block)
        return NULL;
    block[0] = size;
    return block + 2;
}

static void keys_are_wiped_before_memory_goes_back(void **state)
{
    (void)state;
    enum { SECRETS = 8, PART = 12 };
    for (size_t n = 0; n < SECRETS; n++) {
        pair p;
        ikev2_config cfg[2];
        uint8_t key[PART];
        pair_configs(cfg);
        pair_open(&p, 1, &calm, cfg);
        ikev2_engine_free(p.n[0].e);
        cfg[0].allocator.resize = watching_resize;
        assert_int_equal(ikev2_engine_new(&cfg[0], p.now, &p.n[0].e), IKEV2_OK);
        pair_connect(&p, 0);
        const ikev2__child *c = ikev2__child_by_id(p.n[0].e, pair_first_child(&p, 0));
        const ikev2__sa *sa = c->sa;
        const uint8_t *secrets[SECRETS] = {
            c->key_in,   c->key_out,  sa->keys.d,  sa->keys.ei,
            sa->keys.er, sa->keys.pi, sa->keys.pr, sa->ctx->peer->pub.local_psk};
        memcpy(key, secrets[n], PART);
        watched = key;
        watched_len = PART;
        leaked = false;
        assert_int_equal(ikev2_engine_delete_ike(p.n[0].e, p.now, p.n[0].sa), IKEV2_OK);
        pair_run(&p, 100000);
        ikev2_engine_free(p.n[0].e);
        p.n[0].e = NULL;
        watched = NULL;
        assert_false(leaked);
        pair_close(&p);
    }
}

static void null_and_absent_arguments_are_refused(void **state)
{
    (void)state;
    pair p;
    open_connected(&p);
    ikev2_engine *e = p.n[0].e;
    ikev2_config cfg;
    ikev2_engine *out;
    ikev2_peer peer = pair_peer(&p, 0);
    ikev2_event ev;
    ikev2_output o;
    ikev2_sa_info sa = {.struct_size = sizeof(sa)};
    ikev2_child_info child = {.struct_size = sizeof(child)};
    ikev2_counters co = {.struct_size = sizeof(co)};
    const ikev2_path path = path_to(&p, 0);
    const ikev2_addr *routes;
    size_t count;
    uint64_t id = 0;
    uint8_t b[64] = {0};
    const uint64_t t = p.now;
    assert_int_equal(ikev2_config_init(NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_config_init(&cfg), IKEV2_OK);
    assert_int_equal(ikev2_engine_new(NULL, t, &out), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_new(&cfg, t, NULL), IKEV2_ERR_ARG);
    cfg.max_events = 4;
    assert_int_equal(ikev2_engine_new(&cfg, t, &out), IKEV2_ERR_ARG);
    ikev2_engine_free(NULL);
    assert_int_equal(ikev2_engine_reseed(NULL, t, b), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_reseed(e, t, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_reseed(e, t, b), IKEV2_OK);
    assert_int_equal(ikev2_engine_input(NULL, t, &path, b, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_input(e, t, NULL, b, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_input(e, t, &path, NULL, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_input(e, t, &path, NULL, 0), IKEV2_ERR_TRUNCATED);
    assert_int_equal(ikev2_engine_timeout(NULL, t), IKEV2_ERR_ARG);
    assert_true(ikev2_engine_deadline(NULL) == IKEV2_NEVER);
    assert_int_equal(ikev2_engine_add_profile(NULL, t, &peer, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_add_profile(e, t, NULL, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_add_profile(e, t, &peer, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_remove_profile(NULL, t, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_remove_profile(e, t, 999), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_initiate(NULL, t, &peer, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_initiate(e, t, NULL, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_initiate(e, t, &peer, NULL), IKEV2_ERR_ARG);
    peer.struct_size = 4;
    assert_int_equal(ikev2_engine_initiate(e, t, &peer, &id), IKEV2_ERR_ARG);
    peer = pair_peer(&p, 0);
    peer.local_id.len = 0;
    assert_int_equal(ikev2_engine_initiate(e, t, &peer, &id), IKEV2_ERR_ARG);
    peer = pair_peer(&p, 0);
    peer.path.peer.port = 0;
    assert_int_equal(ikev2_engine_initiate(e, t, &peer, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_initiate_child(NULL, t, 1, NULL, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_initiate_child(e, t, 1, NULL, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_initiate_child(e, t, 999, NULL, &id), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_rekey_child(NULL, t, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_rekey_child(e, t, 999), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_rekey_ike(NULL, t, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_rekey_ike(e, t, 999), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_delete_child(NULL, t, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_delete_child(e, t, 999), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_delete_ike(NULL, t, 1), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_delete_ike(e, t, 999), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_seen(NULL, t, 1, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_seen(e, t, 999, NULL), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_child_limit(NULL, t, 1, 0), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_child_limit(e, t, 999, 0), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_answer_psk(NULL, t, 1, b, 1, NULL, 0), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_answer_psk(e, t, 999, b, 0, NULL, 0), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_answer_psk(e, t, 999, b, 1, NULL, 0), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_answer_peer(NULL, t, 1, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_answer_peer(e, t, 999, NULL), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_poll_event(NULL, &ev), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_poll_event(e, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_poll_output(NULL, t, b, 64, &o), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_poll_output(e, t, NULL, 64, &o), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_poll_output(e, t, b, 64, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_sa(NULL, 1, &sa), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_sa(e, 1, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_sa(e, 999, &sa), IKEV2_ERR_ABSENT);
    sa.struct_size = 3;
    assert_int_equal(ikev2_engine_get_sa(e, p.n[0].sa, &sa), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_child(NULL, 1, &child), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_child(e, 1, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_child(e, 999, &child), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_next_child(NULL, 1, &id), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_next_child(e, 1, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_next_child(e, 999, &id), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_get_routes(NULL, 1, &routes, &count), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_routes(e, 1, NULL, &count), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_routes(e, 1, &routes, NULL), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_routes(e, 999, &routes, &count), IKEV2_ERR_ABSENT);
    assert_int_equal(ikev2_engine_get_counters(NULL, &co), IKEV2_ERR_ARG);
    assert_int_equal(ikev2_engine_get_counters(e, NULL), IKEV2_ERR_ARG);
    pair_assert_agree(&p, 1);
    pair_close(&p);
}

/* Design: weak algorithms cannot be configured. */
static void weak_and_incomplete_proposals_cannot_be_configured(void **state)
{
    (void)state;
    static const ikev2_transform lists[][4] = {
        {{.type = 1, .id = 3}, {.type = 2, .id = 5}, {.type = 4, .id = 31}}, /* 3DES */
        {{.type = 1, .id = 20, .key_bits = 128}, {.type = 2, .id = 1}, {.type = 4, .id = 31}},
        {{.type = 1, .id = 20, .key_bits = 128}, {.type = 2, .id = 5}, {.type = 4, .id = 2}},
        {{.type = 1, .id = 20, .key_bits = 128}, {.type = 2, .id = 5}, {.type = 4, .id = 0}},
        {{.type = 1, .id = 20, .key_bits = 64}, {.type = 2, .id = 5}, {.type = 4, .id = 31}},
        {{.type = 1, .id = 12, .key_bits = 128}, {.type = 2, .id = 5}, {.type = 4, .id = 31}},
        {{.type = 1, .id = 20, .key_bits = 128}, {.type = 2, .id = 5}, {.type = 5, .id = 0}},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        ikev2_config cfg;
        ikev2_engine *e;
        assert_int_equal(ikev2_config_init(&cfg), IKEV2_OK);
        cfg.ike_transforms = lists[i];
        cfg.ike_transform_count = 3;
        assert_int_equal(ikev2_engine_new(&cfg, 0, &e), IKEV2_ERR_ARG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unauthenticated_sa_takes_no_other_exchange),
        cmocka_unit_test(replayed_early_and_forged_messages_change_nothing),
        cmocka_unit_test(a_repeated_request_gets_the_same_bytes_again),
        cmocka_unit_test(datagrams_that_are_no_ike_are_dropped_with_a_reason),
        cmocka_unit_test(a_higher_major_version_is_answered_with_ours),
        cmocka_unit_test(an_unknown_critical_payload_is_refused_and_the_sa_lives),
        cmocka_unit_test(authentic_nonsense_is_answered_and_ends_the_sa),
        cmocka_unit_test(rekeying_a_child_that_is_not_there_is_answered_so),
        cmocka_unit_test(a_child_by_hand_is_made_and_installed),
        cmocka_unit_test(a_rekey_that_is_put_off_is_tried_again),
        cmocka_unit_test(a_child_that_the_peer_does_not_know_is_made_anew),
        cmocka_unit_test(a_child_may_be_unknown_without_its_spi),
        cmocka_unit_test(an_answer_that_widens_the_selectors_is_not_installed),
        cmocka_unit_test(an_address_is_taken_only_as_asked_for_and_with_a_prefix_that_can_be),
        cmocka_unit_test(ports_that_run_backwards_meet_nothing),
        cmocka_unit_test(a_wildcard_matches_its_own_kind_below_its_own_domain_only),
        cmocka_unit_test(deletions_are_done_after_all_of_the_message_was_read),
        cmocka_unit_test(fragments_are_bounded_and_collected_in_any_order),
        cmocka_unit_test(half_a_message_is_forgotten_in_time),
        cmocka_unit_test(a_cookie_counts_for_its_sender_and_its_time_only),
        cmocka_unit_test(a_full_event_ring_holds_input_back_and_loses_nothing),
        cmocka_unit_test(small_output_buffers_lose_no_datagram),
        cmocka_unit_test(memory_may_run_out_at_any_place),
        cmocka_unit_test(keys_are_wiped_before_memory_goes_back),
        cmocka_unit_test(null_and_absent_arguments_are_refused),
        cmocka_unit_test(weak_and_incomplete_proposals_cannot_be_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
