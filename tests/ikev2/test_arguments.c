/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function with each pointer NULL, lengths of zero, sizes and capacities that do not do, and
 * without memory. tests/gates/arguments.py tells whether one is left out.
 */
#include "credentials.h"
#include "refusal.h"

#include <string.h>

static struct {
    ikev2_config cfg;
    ikev2_engine *engine;
    ikev2_event event;
    ikev2_output output;
    ikev2_sa_info sa;
    ikev2_sa_keys keys;
    ikev2_child_info child;
    ikev2_counters counters;
    ikev2_sign_question sign;
    ikev2_cert_question cert;
    ikev2_header header;
    ikev2_chain chain;
    ikev2_payload payload;
    ikev2_proposal proposal;
    ikev2_transform transform;
    ikev2_tagged tagged;
    ikev2_identity identity;
    ikev2_notify notify;
    ikev2_delete removal;
    ikev2_selector selector;
    ikev2_fragment fragment;
    ikev2_opener *opener;
    ikev2_opened opened;
    const ikev2_addr *routes;
    uint64_t id;
    size_t at, count;
    uint8_t buf[64];
} out;

/* ---- The codec. ---- */

static uint8_t bytes[64];

static size_t load(const char *hex)
{
    return hex_bytes(hex, bytes, sizeof(bytes));
}

static int codec_setup(void **state)
{
    (void)state;
    watch(&out, sizeof(out), NULL);
    out.at = 0;
    return 0;
}

static void the_header_and_chain_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    /* Hand-made: RFC 7296 3.1, and 3.2 with a Notify of INITIAL_CONTACT. */
    size_t n = load("0000000000000001 0000000000000000 00 20 22 08 00000000 0000001c");
    refuses(ikev2_header_decode(NULL, n, &out.header));
    refuses(ikev2_header_decode(bytes, n, NULL));
    answers(IKEV2_ERR_TRUNCATED, ikev2_header_decode(bytes, 0, &out.header));
    accepts(ikev2_header_decode(bytes, n, &out.header));

    n = load("00000008 00004000");
    refuses(ikev2_chain_begin(NULL, n, IKEV2_PAYLOAD_NOTIFY, &out.chain));
    refuses(ikev2_chain_begin(bytes, n, IKEV2_PAYLOAD_NOTIFY, NULL));
    accepts(ikev2_chain_begin(bytes, 0, IKEV2_PAYLOAD_NONE, &out.chain));
    assert_int_equal(ikev2_chain_next(&out.chain, &out.payload), IKEV2_OK);
    accepts(ikev2_chain_begin(NULL, 0, IKEV2_PAYLOAD_NONE, &out.chain));
    accepts(ikev2_chain_begin(bytes, n, IKEV2_PAYLOAD_NOTIFY, &out.chain));
    refuses(ikev2_chain_next(NULL, &out.payload));
    refuses(ikev2_chain_next(&out.chain, NULL));
    accepts(ikev2_chain_next(&out.chain, &out.payload));
}

/* Of tests/ikev2/test_opener.c: sealed by python3-cryptography, AES-128-GCM, key 40 41 ... 53. */
static void the_opener_refuses_null_and_takes_no_octets(void **state)
{
    (void)state;
    static const char fragment[] =
        "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d73520250800000005000000442900002800010002"
        "000000000000000186aed12eb4967c1d36829ee156fcc2a60a704cdcd9e6b35b";
    static const ikev2_allocator memory;
    uint8_t message[68], secret[20];
    const size_t n = hex_bytes(fragment, message, sizeof(message));
    for (uint8_t i = 0; i < sizeof(secret); i++)
        secret[i] = (uint8_t)(0x40 + i);
    const ikev2_message_key key = {
        .key = secret, .key_len = sizeof(secret), .encr = IKEV2_ENCR_AES_GCM_16};
    refuses(ikev2_opener_new(&memory, NULL));
    accepts(ikev2_opener_new(NULL, &out.opener));
    ikev2_opener_free(out.opener);
    accepts(ikev2_opener_new(&memory, &out.opener));
    ikev2_opener *opener = out.opener;
    refuses(ikev2_opener_open(NULL, &key, message, n, &out.opened));
    refuses(ikev2_opener_open(opener, NULL, message, n, &out.opened));
    refuses(ikev2_opener_open(opener, &key, NULL, n, &out.opened));
    refuses(ikev2_opener_open(opener, &key, message, n, NULL));
    answers(IKEV2_ERR_TRUNCATED, ikev2_opener_open(opener, &key, message, 0, &out.opened));
    accepts(ikev2_opener_open(opener, &key, message, n, &out.opened));
    ikev2_opener_free(opener);
    ikev2_opener_free(NULL);
}

/* An opener has no state that could be seen. */
static void no_state(description *d)
{
    describe(d, "", 0);
}

static void open_without_memory(fail_alloc *f, void *user)
{
    (void)user;
    const ikev2_allocator memory = {.resize = fail_alloc_resize, .user = f};
    watch(&out, sizeof(out), no_state);
    step(IKEV2_OK, ikev2_opener_new(&memory, &out.opener));
    ends();
    ikev2_opener_free(out.opener);
}

static void the_opener_survives_the_lack_of_memory(void **state)
{
    (void)state;
    assert_steps_survive_every_allocation_failure(open_without_memory, NULL);
}

static void the_iterators_refuse_null_and_stay_where_they_are(void **state)
{
    (void)state;
    ikev2_proposal p;
    ikev2_tagged cp;
    size_t it = 0;
    /* Hand-made: RFC 7296 3.3, one proposal of IKE with x25519 alone. */
    size_t n = load("00000010 01010001 00000008 0400001f");
    refuses(ikev2_proposal_next(NULL, n, &out.at, &out.proposal));
    refuses(ikev2_proposal_next(bytes, n, NULL, &out.proposal));
    refuses(ikev2_proposal_next(bytes, n, &out.at, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_proposal_next(bytes, 0, &out.at, &out.proposal));
    accepts(ikev2_proposal_next(bytes, n, &out.at, &out.proposal));
    assert_int_equal(ikev2_proposal_next(bytes, n, &it, &p), IKEV2_YES);
    out.at = 0;
    refuses(ikev2_transform_next(NULL, &out.at, &out.transform));
    refuses(ikev2_transform_next(&p, NULL, &out.transform));
    refuses(ikev2_transform_next(&p, &out.at, NULL));
    accepts(ikev2_transform_next(&p, &out.at, &out.transform));

    /* Hand-made: RFC 7296 3.13, one selector: 10.0.0.1, any protocol and port. */
    n = load("01000000 07000010 0000ffff 0a000001 0a000001");
    out.at = 0;
    refuses(ikev2_selector_next(NULL, n, &out.at, &out.selector));
    refuses(ikev2_selector_next(bytes, n, NULL, &out.selector));
    refuses(ikev2_selector_next(bytes, n, &out.at, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_selector_next(bytes, 0, &out.at, &out.selector));
    accepts(ikev2_selector_next(bytes, n, &out.at, &out.selector));

    /* Hand-made: RFC 7296 3.15, CFG_REQUEST for INTERNAL_IP4_ADDRESS. */
    n = load("01000000 00010000");
    out.at = 0;
    refuses(ikev2_cp_decode(NULL, n, &out.tagged));
    refuses(ikev2_cp_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_cp_decode(bytes, 0, &out.tagged));
    accepts(ikev2_cp_decode(bytes, n, &cp));
    refuses(ikev2_attribute_next(NULL, &out.at, &out.tagged));
    refuses(ikev2_attribute_next(&cp, NULL, &out.tagged));
    refuses(ikev2_attribute_next(&cp, &out.at, NULL));
    accepts(ikev2_attribute_next(&cp, &out.at, &out.tagged));
}

static void the_payload_decoders_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    size_t n = load("001f0000 aabb"); /* RFC 7296 3.4 */
    refuses(ikev2_ke_decode(NULL, n, &out.tagged));
    refuses(ikev2_ke_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_ke_decode(bytes, 0, &out.tagged));
    accepts(ikev2_ke_decode(bytes, n, &out.tagged));
    n = load("02000000 612e74657374"); /* 3.5: a.test */
    refuses(ikev2_id_decode(NULL, n, &out.identity));
    refuses(ikev2_id_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_id_decode(bytes, 0, &out.identity));
    accepts(ikev2_id_decode(bytes, n, &out.identity));
    n = load("02000000 aa"); /* 3.8 */
    refuses(ikev2_auth_decode(NULL, n, &out.tagged));
    refuses(ikev2_auth_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_auth_decode(bytes, 0, &out.tagged));
    accepts(ikev2_auth_decode(bytes, n, &out.tagged));
    n = load("00004000"); /* 3.10 */
    refuses(ikev2_notify_decode(NULL, n, &out.notify));
    refuses(ikev2_notify_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_notify_decode(bytes, 0, &out.notify));
    accepts(ikev2_notify_decode(bytes, n, &out.notify));
    n = load("03040001 00001000"); /* 3.11 */
    refuses(ikev2_delete_decode(NULL, n, &out.removal));
    refuses(ikev2_delete_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_delete_decode(bytes, 0, &out.removal));
    accepts(ikev2_delete_decode(bytes, n, &out.removal));
    n = load("00010001 aa"); /* RFC 7383 2.5 */
    refuses(ikev2_fragment_decode(NULL, n, &out.fragment));
    refuses(ikev2_fragment_decode(bytes, n, NULL));
    answers(IKEV2_ERR_SYNTAX, ikev2_fragment_decode(bytes, 0, &out.fragment));
    accepts(ikev2_fragment_decode(bytes, n, &out.fragment));
    assert_int_equal(ikev2_version() >> 16, IKEV2_VERSION_MAJOR);
    assert_string_equal(ikev2_rc_name(INT32_MIN), "IKEV2_UNKNOWN");
    assert_string_equal(ikev2_notify_name(UINT16_MAX), "UNKNOWN");
}

/* Each as the same call once more, whose result is the one just seen. */
static void try_all(const uint8_t *b, size_t n)
{
    ikev2_header h;
    ikev2_tagged t;
    ikev2_identity id;
    ikev2_notify no;
    ikev2_delete d;
    ikev2_fragment f;
    ikev2_proposal p;
    ikev2_selector s;
    size_t it = 0;
    int32_t rc = ikev2_header_decode(b, n, &h);
    if (rc < 0 && rc != IKEV2_ERR_VERSION)
        answers(rc, ikev2_header_decode(b, n, &out.header));
    rc = ikev2_ke_decode(b, n, &t);
    if (rc < 0)
        answers(rc, ikev2_ke_decode(b, n, &out.tagged));
    rc = ikev2_id_decode(b, n, &id);
    if (rc < 0)
        answers(rc, ikev2_id_decode(b, n, &out.identity));
    rc = ikev2_notify_decode(b, n, &no);
    if (rc < 0)
        answers(rc, ikev2_notify_decode(b, n, &out.notify));
    rc = ikev2_delete_decode(b, n, &d);
    if (rc < 0)
        answers(rc, ikev2_delete_decode(b, n, &out.removal));
    rc = ikev2_fragment_decode(b, n, &f);
    if (rc < 0)
        answers(rc, ikev2_fragment_decode(b, n, &out.fragment));
    out.at = 0;
    rc = ikev2_proposal_next(b, n, &it, &p);
    if (rc < 0)
        answers(rc, ikev2_proposal_next(b, n, &out.at, &out.proposal));
    it = 0;
    rc = ikev2_selector_next(b, n, &it, &s);
    if (rc < 0)
        answers(rc, ikev2_selector_next(b, n, &out.at, &out.selector));
}

static void a_decoder_that_fails_has_written_nothing(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0000000000000001 0000000000000000 00 20 22 08 00000000 0000001c",
        "00000010 01010001 00000008 0400001f",
        "01000000 07000010 0000ffff 0a000001 0a000001",
        "02000000 612e74657374",
        "03040001 00001000",
        "00010001 aa",
        "0000 4004 0102030405060708090a0b0c0d0e0f1011121314", /* RFC 7296 2.23 */
    };
    static const uint8_t values[] = {0, 1, 4, 127, 255};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const size_t n = load(good[i]);
        for (size_t len = 0; len <= n; len++)
            try_all(bytes, len);
        for (size_t at = 0; at < n * sizeof(values); at++) {
            const uint8_t was = bytes[at / sizeof(values)];
            bytes[at / sizeof(values)] = values[at % sizeof(values)];
            try_all(bytes, n);
            bytes[at / sizeof(values)] = was;
        }
    }
}

/* ---- The engine: a responder with an IKE SA and a Child SA. ---- */

static const vnet_rules calm = {.delay_ms = 5};
static pair p;
static ikev2_engine *e;
static uint64_t now, sa, child;
static bool exact; /* the state with ids, SPIs and counters, which a repeated call may change */

static void describe_identity(description *d, const ikev2_identity *id)
{
    describe(d, &id->type, sizeof(id->type));
    if (id->len > 0)
        describe(d, id->bytes, id->len);
}

static void describe_child(description *d, uint64_t id)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    assert_int_equal(ikev2_engine_get_child(e, id, &c), IKEV2_OK);
    const uint8_t kind[] = {c.state, c.mode, c.esn, c.encapsulated};
    const uint64_t numbers[] = {c.id, c.sa_id, c.replaces, c.spi_in, c.spi_out};
    describe(d, kind, sizeof(kind));
    if (exact)
        describe(d, numbers, sizeof(numbers));
    if (exact && c.key_in_len > 0)
        describe(d, c.key_in, c.key_in_len);
    if (c.local_ts_count > 0)
        describe(d, c.local_ts, c.local_ts_count * sizeof(*c.local_ts));
}

static void engine_state(description *d)
{
    ikev2_counters c = {.struct_size = sizeof(c)};
    const ikev2_addr *routes;
    size_t count;
    const uint64_t deadline = ikev2_engine_deadline(e);
    assert_int_equal(ikev2_engine_get_counters(e, &c), IKEV2_OK);
    const uint32_t gauges[] = {c.sas, c.half_open, c.children};
    describe(d, gauges, sizeof(gauges));
    if (exact) {
        describe(d, &c, sizeof(c));
        describe(d, &deadline, sizeof(deadline));
    }
    for (uint64_t id = 1; id < 64; id++) {
        ikev2_sa_info i = {.struct_size = sizeof(i)};
        uint64_t at = 0;
        if (ikev2_engine_get_sa(e, id, &i) != IKEV2_OK)
            continue;
        const uint64_t numbers[] = {i.id, i.spi_i, i.spi_r, i.user, i.profile_id};
        const uint32_t kind[] = {i.state, i.initiator, i.encr, i.group, i.child_count};
        describe(d, kind, sizeof(kind));
        describe(d, &i.path, sizeof(i.path));
        /* Until the SA is established the peer's identity is a claim, which may come twice. */
        if (exact || i.state != IKEV2_SA_CONNECTING) {
            describe_identity(d, &i.local_id);
            describe_identity(d, &i.peer_id);
        }
        if (exact)
            describe(d, numbers, sizeof(numbers));
        assert_int_equal(ikev2_engine_get_routes(e, id, &routes, &count), IKEV2_OK);
        if (count > 0)
            describe(d, routes, count * sizeof(*routes));
        while (ikev2_engine_next_child(e, id, &at) == IKEV2_YES)
            describe_child(d, at);
    }
}

static void watch_all(void)
{
    watch(&out, sizeof(out), e ? engine_state : NULL);
    out.id = 0;
    out.sa.struct_size = sizeof(out.sa);
    out.keys.struct_size = sizeof(out.keys);
    out.child.struct_size = sizeof(out.child);
    out.counters.struct_size = sizeof(out.counters);
    out.sign.struct_size = sizeof(out.sign);
    out.cert.struct_size = sizeof(out.cert);
}

static int engine_setup(void **state)
{
    (void)state;
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].ask_peer = 1;
    pair_open(&p, 1, &calm, cfg);
    pair_connect(&p, 0);
    pair_assert_agree(&p, 1);
    e = p.n[1].e;
    now = p.now;
    sa = p.n[1].sa;
    child = pair_first_child(&p, 1);
    exact = true;
    watch_all();
    return 0;
}

static int engine_teardown(void **state)
{
    (void)state;
    pair_close(&p);
    e = NULL;
    return 0;
}

static void making_refuses_null_and_leaves_the_engine_as_it_was(void **state)
{
    (void)state;
    const ikev2_peer peer = pair_peer(&p, 1);
    ikev2_config cfg;
    refuses(ikev2_config_init(NULL));
    accepts(ikev2_config_init(&out.cfg));
    cfg = out.cfg;
    refuses(ikev2_engine_new(NULL, now, &out.engine));
    refuses(ikev2_engine_new(&cfg, now, NULL));
    refuses_sizes(ikev2_engine_new(sized(cfg), now, &out.engine));
    accepts(ikev2_engine_new(&cfg, now, &out.engine));
    ikev2_engine_free(out.engine);
    ikev2_engine_free(NULL);
    refuses(ikev2_engine_reseed(NULL, now, cfg.seed));
    refuses(ikev2_engine_reseed(e, now, NULL));
    accepts(ikev2_engine_reseed(e, now, cfg.seed));
    refuses(ikev2_engine_add_profile(NULL, now, &peer, &out.id));
    refuses(ikev2_engine_add_profile(e, now, NULL, &out.id));
    refuses(ikev2_engine_add_profile(e, now, &peer, NULL));
    refuses_sizes(ikev2_engine_add_profile(e, now, sized(peer), &out.id));
    accepts(ikev2_engine_add_profile(e, now, &peer, &out.id));
    refuses(ikev2_engine_remove_profile(NULL, now, out.id));
    accepts(ikev2_engine_remove_profile(e, now, out.id));
}

/* Pointer and length within a struct: a length without its bytes. */
static void a_peer_with_bytes_that_are_not_there_is_refused(void **state)
{
    (void)state;
    const ikev2_peer good = pair_peer(&p, 1);
    ikev2_child_policy policy = {.struct_size = sizeof(policy), .local_ts_count = 1};
    ikev2_peer bad[7];
    for (size_t i = 0; i < 7; i++)
        bad[i] = good;
    bad[0].local_id.bytes = NULL;
    bad[1].local_id.len = 0;
    bad[2].peer_id.bytes = NULL;
    bad[3].local_psk = NULL;
    bad[4].peer_psk = NULL;
    bad[5].push_route_count = 1;
    bad[6].accept_route_count = 1;
    for (size_t i = 0; i < 7; i++)
        refuses(ikev2_engine_initiate(e, now, &bad[i], &out.id));
    refuses(ikev2_engine_initiate_child(e, now, sa, &policy, &out.id));
    policy.local_ts_count = 0;
    policy.peer_ts_count = 1;
    refuses(ikev2_engine_initiate_child(e, now, sa, &policy, &out.id));
}

static void requests_refuse_null_and_leave_the_engine_as_it_was(void **state)
{
    (void)state;
    const ikev2_peer peer = pair_peer(&p, 1);
    const ikev2_child_policy policy = {.struct_size = sizeof(policy)};
    const ikev2_path path = peer.path;
    refuses(ikev2_engine_initiate(NULL, now, &peer, &out.id));
    refuses(ikev2_engine_initiate(e, now, NULL, &out.id));
    refuses(ikev2_engine_initiate(e, now, &peer, NULL));
    refuses_sizes(ikev2_engine_initiate(e, now, sized(peer), &out.id));
    refuses(ikev2_engine_initiate_child(NULL, now, sa, &policy, &out.id));
    refuses(ikev2_engine_initiate_child(e, now, sa, &policy, NULL));
    refuses_sizes(ikev2_engine_initiate_child(e, now, sa, sized(policy), &out.id));
    refuses(ikev2_engine_rekey_child(NULL, now, child));
    refuses(ikev2_engine_rekey_ike(NULL, now, sa));
    refuses(ikev2_engine_delete_child(NULL, now, child));
    refuses(ikev2_engine_delete_ike(NULL, now, sa));
    refuses(ikev2_engine_seen(NULL, now, child, &path));
    refuses(ikev2_engine_child_limit(NULL, now, child, 0));
    refuses(ikev2_engine_timeout(NULL, now));
    assert_true(ikev2_engine_deadline(NULL) == IKEV2_NEVER);
    assert_true(ikev2_engine_deadline(e) == IKEV2_NEVER);

    accepts(ikev2_engine_seen(e, now, child, NULL)); /* raw ESP */
    accepts(ikev2_engine_seen(e, now, child, &path));
    accepts(ikev2_engine_timeout(e, now));
    accepts(ikev2_engine_initiate(e, now, &peer, &out.id));
    accepts(ikev2_engine_initiate_child(e, now, sa, NULL, &out.id)); /* the peer's policy */
    accepts(ikev2_engine_initiate_child(e, now, sa, &policy, &out.id));
    accepts(ikev2_engine_rekey_child(e, now, child));
    pair_run(&p, 10000);
    now = p.now;
    child = pair_first_child(&p, 1);
    accepts(ikev2_engine_child_limit(e, now, child, 0));
    accepts(ikev2_engine_delete_child(e, now, pair_first_child(&p, 1)));
    accepts(ikev2_engine_rekey_ike(e, now, p.n[1].sa));
    accepts(ikev2_engine_delete_ike(e, now, p.n[1].sa));
}

static uint64_t asked(uint16_t kind)
{
    ikev2_event ev;
    while (ikev2_engine_poll_event(e, &ev) == IKEV2_YES)
        if (ev.kind == kind)
            return ev.ask_id;
    fail_msg("event %u never came", kind);
    return 0;
}

/* A datagram from one engine, for the other one. */
static size_t datagram(ikev2_engine *from, uint8_t *buf, size_t cap)
{
    ikev2_output o;
    assert_int_equal(ikev2_engine_poll_output(from, now, buf, cap, &o), IKEV2_YES);
    return o.len;
}

static ikev2_path path_at(int i)
{
    return (ikev2_path){.local = p.n[i].addr, .peer = p.n[1 - i].addr};
}

static int32_t poll_output(uint8_t *buf, size_t cap, size_t *len)
{
    ikev2_output o;
    memset(&o, 0xff, sizeof(o));
    const ikev2_rc rc = ikev2_engine_poll_output(e, now, buf, cap, &o);
    *len = o.len;
    return rc;
}

/* One who is not in any profile dials; peer and key are asked for. */
static void input_answers_and_polls_refuse_null_and_leave_the_engine_as_it_was(void **state)
{
    (void)state;
    static uint8_t buf[2048];
    ikev2_peer stranger = pair_peer(&p, 0), known = pair_peer(&p, 1);
    const ikev2_path there = path_at(0), here = path_at(1);
    stranger.local_id = known.peer_id = pair_fqdn("c.test");
    const uint8_t *ours = known.local_psk, *theirs = known.peer_psk;
    const size_t n = known.local_psk_len, m = known.peer_psk_len;
    known.local_psk = known.peer_psk = NULL;
    known.local_psk_len = known.peer_psk_len = 0;
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, now, &stranger, &out.id), IKEV2_OK);
    size_t len = datagram(p.n[0].e, buf, sizeof(buf));
    refuses(ikev2_engine_input(NULL, now, &here, buf, len));
    refuses(ikev2_engine_input(e, now, NULL, buf, len));
    refuses(ikev2_engine_input(e, now, &here, NULL, len));
    assert_int_equal(ikev2_engine_input(e, now, &here, buf, 0), IKEV2_ERR_TRUNCATED);
    assert_int_equal(ikev2_engine_input(e, now, &here, NULL, 0), IKEV2_ERR_TRUNCATED);
    accepts(ikev2_engine_input(e, now, &here, buf, len));

    refuses(ikev2_engine_poll_output(NULL, now, buf, sizeof(buf), &out.output));
    refuses(ikev2_engine_poll_output(e, now, NULL, sizeof(buf), &out.output));
    refuses(ikev2_engine_poll_output(e, now, buf, sizeof(buf), NULL));
    assert_int_equal(ikev2_engine_poll_output(e, now, buf, 0, &out.output), IKEV2_ERR_BUFFER);
    assert_every_capacity(poll_output, IKEV2_YES, out.output.len);
    accepts(ikev2_engine_input(e, now, &here, buf, len)); /* repeated, so answered again */
    accepts(ikev2_engine_poll_output(e, now, buf, sizeof(buf), &out.output));
    assert_int_equal(ikev2_engine_input(p.n[0].e, now, &there, buf, out.output.len), IKEV2_OK);
    len = datagram(p.n[0].e, buf, sizeof(buf));
    accepts(ikev2_engine_input(e, now, &here, buf, len));

    refuses(ikev2_engine_poll_event(NULL, &out.event));
    refuses(ikev2_engine_poll_event(e, NULL));
    accepts(ikev2_engine_poll_event(e, &out.event));
    assert_int_equal(out.event.kind, IKEV2_EVENT_ASK_PEER);
    const uint64_t peer_ask = out.event.ask_id;
    refuses(ikev2_engine_answer_peer(NULL, now, peer_ask, &known));
    refuses_sizes(ikev2_engine_answer_peer(e, now, peer_ask, sized(known)));
    accepts(ikev2_engine_answer_peer(e, now, peer_ask, &known));
    const uint64_t ask = asked(IKEV2_EVENT_ASK_PSK);
    refuses(ikev2_engine_answer_psk(NULL, now, ask, ours, n, theirs, m));
    refuses(ikev2_engine_answer_psk(e, now, ask, NULL, n, theirs, m));
    refuses(ikev2_engine_answer_psk(e, now, ask, ours, 0, theirs, m));
    refuses(ikev2_engine_answer_psk(e, now, ask, ours, n, NULL, m));
    refuses(ikev2_engine_answer_psk(e, now, ask, ours, n, theirs, 0));
    accepts(ikev2_engine_answer_psk(e, now, ask, ours, n, theirs, m));
    assert_int_equal(ikev2_engine_answer_peer(e, now, ask, NULL), IKEV2_ERR_ABSENT);
}

static void the_getters_refuse_null_and_change_nothing(void **state)
{
    (void)state;
    refuses(ikev2_engine_get_sa(NULL, sa, &out.sa));
    refuses(ikev2_engine_get_sa(e, sa, NULL));
    refuses_sizes(ikev2_engine_get_sa(e, sa, sized(out.sa)));
    accepts(ikev2_engine_get_sa(e, sa, &out.sa));
    refuses(ikev2_engine_get_keys(NULL, sa, &out.keys));
    refuses(ikev2_engine_get_keys(e, sa, NULL));
    refuses_sizes(ikev2_engine_get_keys(e, sa, sized(out.keys)));
    accepts(ikev2_engine_get_keys(e, sa, &out.keys));
    refuses(ikev2_engine_get_child(NULL, child, &out.child));
    refuses(ikev2_engine_get_child(e, child, NULL));
    refuses_sizes(ikev2_engine_get_child(e, child, sized(out.child)));
    accepts(ikev2_engine_get_child(e, child, &out.child));
    refuses(ikev2_engine_next_child(NULL, sa, &out.id));
    refuses(ikev2_engine_next_child(e, sa, NULL));
    accepts(ikev2_engine_next_child(e, sa, &out.id));
    refuses(ikev2_engine_get_routes(NULL, sa, &out.routes, &out.count));
    refuses(ikev2_engine_get_routes(e, sa, NULL, &out.count));
    refuses(ikev2_engine_get_routes(e, sa, &out.routes, NULL));
    accepts(ikev2_engine_get_routes(e, sa, &out.routes, &out.count));
    refuses(ikev2_engine_get_counters(NULL, &out.counters));
    refuses(ikev2_engine_get_counters(e, NULL));
    refuses_sizes(ikev2_engine_get_counters(e, sized(out.counters)));
    accepts(ikev2_engine_get_counters(e, &out.counters));
}

/* ---- Signatures: a responder that asks for trust and for its own signature. ---- */

enum { MAX_SIGNATURE = 512 };

/* By the engine's own hand: what it makes is shown against an independent oracle elsewhere. */
bool ikev2__sign(uint16_t scheme, const ikev2_der *pkcs8, const ikev2_der *octets, uint8_t *sig,
                 size_t *len);

static credentials ours, theirs;

static void make_signers(void)
{
    credentials_make(&theirs, 0, "ed25519", "p256");
    credentials_make(&ours, 1, "p256", "p256");
    ours.pub.anchor_count = 0;
    ours.pub.private_key = NULL;
    ours.pub.private_key_len = 0;
}

static size_t sign_question(uint64_t ask, uint8_t sig[MAX_SIGNATURE])
{
    ikev2_sign_question q = {.struct_size = sizeof(q)};
    size_t len = 0;
    assert_int_equal(ikev2_engine_get_sign_question(e, ask, &q), IKEV2_OK);
    const ikev2_der key = credentials_get("b_p256_key"), octets = {q.octets, q.octets_len};
    assert_true(ikev2__sign(q.scheme, &key, &octets, sig, &len));
    return len;
}

/* Node 0 dials; its IKE_AUTH request lies in buf, in one datagram. */
static size_t dial_with_signature(uint8_t *buf, size_t cap)
{
    const ikev2_path there = path_at(0), here = path_at(1);
    ikev2_peer dialer = pair_peer(&p, 0);
    uint64_t id;
    dialer.credentials = &theirs.pub;
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, now, &dialer, &id), IKEV2_OK);
    size_t len = datagram(p.n[0].e, buf, cap);
    step(IKEV2_OK, ikev2_engine_input(e, now, &here, buf, len));
    len = datagram(e, buf, cap);
    assert_int_equal(ikev2_engine_input(p.n[0].e, now, &there, buf, len), IKEV2_OK);
    return datagram(p.n[0].e, buf, cap);
}

static void questions_about_signatures_refuse_null_and_leave_the_engine_as_it_was(void **state)
{
    (void)state;
    static uint8_t buf[4096];
    static const uint8_t none[1] = {0};
    uint8_t sig[MAX_SIGNATURE];
    credentials_open();
    make_signers();
    ikev2_engine_free(p.n[1].e);
    ikev2_config cfg[2];
    pair_configs(cfg);
    assert_int_equal(ikev2_engine_new(&cfg[1], now, &p.n[1].e), IKEV2_OK);
    e = p.n[1].e;
    watch_all();
    ikev2_peer known = pair_peer(&p, 1);
    known.credentials = &ours.pub;
    for (int i = 0; i < 8; i++) {
        /* Pointers without lengths and lengths without pointers, in what a peer points at. */
        credentials bad = ours;
        ikev2_peer peer = known;
        const ikev2_der empty = {none, 0}, absent = {NULL, 1}, noise = {none, 1};
        peer.credentials = &bad.pub;
        bad.pub.chain = i == 0 ? NULL : i == 1 ? &empty : i == 2 ? &absent : bad.chain;
        bad.pub.chain_count = i == 3 ? 0 : 1;
        bad.pub.anchors = i == 4 ? NULL : &noise;
        bad.pub.anchor_count = i == 4 || i == 5;
        bad.pub.private_key_len = i == 6;
        bad.pub.struct_size = i == 7 ? 8 : bad.pub.struct_size;
        refuses(ikev2_engine_add_profile(e, now, &peer, &out.id));
    }
    accepts(ikev2_engine_add_profile(e, now, &known, &out.id));
    refuses(ikev2_engine_set_unix_time(NULL, now, TEST_UNIX_TIME_S));
    accepts(ikev2_engine_set_unix_time(e, now, TEST_UNIX_TIME_S));

    const ikev2_path here = path_at(1);
    const size_t len = dial_with_signature(buf, sizeof(buf));
    accepts(ikev2_engine_input(e, now, &here, buf, len));
    const uint64_t cert_ask = asked(IKEV2_EVENT_ASK_CERT);
    refuses(ikev2_engine_get_cert_question(NULL, cert_ask, &out.cert));
    refuses(ikev2_engine_get_cert_question(e, cert_ask, NULL));
    refuses_sizes(ikev2_engine_get_cert_question(e, cert_ask, sized(out.cert)));
    answers(IKEV2_ERR_ABSENT, ikev2_engine_get_sign_question(e, cert_ask, &out.sign));
    accepts(ikev2_engine_get_cert_question(e, cert_ask, &out.cert));
    const ikev2_der anchor = credentials_get("ec_root");
    ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                             .unix_time_s = TEST_UNIX_TIME_S,
                             .anchors = &anchor,
                             .anchor_count = 1};
    refuses(ikev2_engine_answer_cert(NULL, now, cert_ask, &verdict));
    refuses_sizes(ikev2_engine_answer_cert(e, now, cert_ask, sized(verdict)));
    verdict.unix_time_s = 0;
    refuses(ikev2_engine_answer_cert(e, now, cert_ask, &verdict));
    verdict.unix_time_s = TEST_UNIX_TIME_S;
    verdict.anchor_count = 0;
    refuses(ikev2_engine_answer_cert(e, now, cert_ask, &verdict));
    verdict.anchor_count = 1;
    verdict.crl_count = 1;
    refuses(ikev2_engine_answer_cert(e, now, cert_ask, &verdict));
    verdict.crl_count = 0;
    verdict.public_key_len = 1;
    refuses(ikev2_engine_answer_cert(e, now, cert_ask, &verdict));
    verdict.public_key = none;
    refuses(ikev2_engine_answer_cert(e, now, cert_ask, &verdict));
    verdict.public_key_len = 0;
    accepts(ikev2_engine_answer_cert(e, now, cert_ask, &verdict));

    const uint64_t ask = asked(IKEV2_EVENT_ASK_SIGN);
    refuses(ikev2_engine_get_sign_question(NULL, ask, &out.sign));
    refuses(ikev2_engine_get_sign_question(e, ask, NULL));
    refuses_sizes(ikev2_engine_get_sign_question(e, ask, sized(out.sign)));
    accepts(ikev2_engine_get_sign_question(e, ask, &out.sign));
    const size_t n = sign_question(ask, sig);
    refuses(ikev2_engine_answer_sign(NULL, now, ask, sig, n));
    refuses(ikev2_engine_answer_sign(e, now, ask, NULL, n));
    refuses(ikev2_engine_answer_sign(e, now, ask, sig, 0));
    answers(IKEV2_ERR_KEY, ikev2_engine_answer_sign(e, now, ask, none, 1));
    accepts(ikev2_engine_answer_sign(e, now, ask, sig, n));
    assert_int_equal(ikev2_engine_answer_cert(e, now, cert_ask, NULL), IKEV2_ERR_ABSENT);
    credentials_close();
}

static void sign_without_memory(fail_alloc *f, void *user)
{
    (void)user;
    static uint8_t buf[4096];
    uint8_t sig[MAX_SIGNATURE];
    ikev2_config cfg[2];
    credentials_open();
    make_signers();
    pair_configs(cfg);
    cfg[0].unix_time_s = TEST_UNIX_TIME_S;
    pair_open(&p, 1, &calm, cfg);
    now = p.now;
    cfg[1].allocator.resize = fail_alloc_resize;
    cfg[1].allocator.user = f;
    e = NULL;
    exact = false;
    watch_all();
    step(IKEV2_OK, ikev2_engine_new(&cfg[1], now, &out.engine));
    e = out.engine;
    watch_all();
    ikev2_peer known = pair_peer(&p, 1);
    known.credentials = &ours.pub;
    step(IKEV2_OK, ikev2_engine_add_profile(e, now, &known, &out.id));
    const ikev2_path here = path_at(1);
    size_t len = dial_with_signature(buf, sizeof(buf));
    step(IKEV2_OK, ikev2_engine_input(e, now, &here, buf, len));
    const ikev2_der anchor = credentials_get("ec_root");
    const ikev2_verdict verdict = {.struct_size = sizeof(verdict),
                                   .unix_time_s = TEST_UNIX_TIME_S,
                                   .anchors = &anchor,
                                   .anchor_count = 1};
    const uint64_t cert_ask = asked(IKEV2_EVENT_ASK_CERT);
    step(IKEV2_OK, ikev2_engine_answer_cert(e, now, cert_ask, &verdict));
    const uint64_t ask = asked(IKEV2_EVENT_ASK_SIGN);
    const size_t n = sign_question(ask, sig);
    step(IKEV2_OK, ikev2_engine_answer_sign(e, now, ask, sig, n));
    len = datagram(e, buf, sizeof(buf));
    const ikev2_path there = path_at(0);
    assert_int_equal(ikev2_engine_input(p.n[0].e, now, &there, buf, len), IKEV2_OK);
    ends();
    ikev2_engine_free(e);
    e = NULL;
    pair_close(&p);
    credentials_close();
}

static void questions_about_signatures_survive_the_lack_of_memory(void **state)
{
    (void)state;
    assert_steps_survive_every_allocation_failure(sign_without_memory, NULL);
}

/* ---- Memory: a responder that asks for peer and key, then initiates. ---- */

static void without_memory(fail_alloc *f, void *user)
{
    (void)user;
    static uint8_t buf[2048];
    ikev2_config cfg[2];
    pair_configs(cfg);
    cfg[1].ask_peer = 1;
    pair_open(&p, 1, &calm, cfg);
    const ikev2_peer dialer = pair_peer(&p, 0), full = pair_peer(&p, 1);
    ikev2_peer peer = full, other = full;
    const ikev2_path there = path_at(0), here = path_at(1);
    const ikev2_child_policy policy = {.struct_size = sizeof(policy)};
    uint64_t id;
    peer.local_psk = peer.peer_psk = NULL;
    peer.local_psk_len = peer.peer_psk_len = 0;
    other.peer_id = pair_fqdn("z.test");
    now = p.now;
    cfg[1].allocator.resize = fail_alloc_resize;
    cfg[1].allocator.user = f;
    e = NULL;
    exact = false;
    watch_all();
    step(IKEV2_OK, ikev2_engine_new(&cfg[1], now, &out.engine));
    e = out.engine;
    watch_all();
    step(IKEV2_OK, ikev2_engine_add_profile(e, now, &other, &out.id));
    assert_int_equal(ikev2_engine_initiate(p.n[0].e, now, &dialer, &id), IKEV2_OK);
    size_t len = datagram(p.n[0].e, buf, sizeof(buf));
    step(IKEV2_OK, ikev2_engine_input(e, now, &here, buf, len));
    len = datagram(e, buf, sizeof(buf));
    assert_int_equal(ikev2_engine_input(p.n[0].e, now, &there, buf, len), IKEV2_OK);
    len = datagram(p.n[0].e, buf, sizeof(buf));
    step(IKEV2_OK, ikev2_engine_input(e, now, &here, buf, len));
    const uint64_t ask_peer = asked(IKEV2_EVENT_ASK_PEER);
    step(IKEV2_OK, ikev2_engine_answer_peer(e, now, ask_peer, &peer));
    const uint64_t ask_psk = asked(IKEV2_EVENT_ASK_PSK);
    step(IKEV2_OK, ikev2_engine_answer_psk(e, now, ask_psk, full.local_psk, full.local_psk_len,
                                           full.peer_psk, full.peer_psk_len));
    len = datagram(e, buf, sizeof(buf));
    assert_int_equal(ikev2_engine_input(p.n[0].e, now, &there, buf, len), IKEV2_OK);
    ikev2_event ev = {0};
    while (ev.kind != IKEV2_EVENT_IKE_SA_UP)
        assert_int_equal(ikev2_engine_poll_event(e, &ev), IKEV2_YES);
    step(IKEV2_OK, ikev2_engine_initiate_child(e, now, ev.sa_id, &policy, &out.id));
    step(IKEV2_OK, ikev2_engine_initiate(e, now, &other, &out.id));
    ends();
    ikev2_engine_free(e);
    e = NULL;
    pair_close(&p);
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
        CODEC(the_header_and_chain_refuse_null_and_take_no_octets),
        CODEC(the_opener_refuses_null_and_takes_no_octets),
        cmocka_unit_test(the_opener_survives_the_lack_of_memory),
        CODEC(the_iterators_refuse_null_and_stay_where_they_are),
        CODEC(the_payload_decoders_refuse_null_and_take_no_octets),
        CODEC(a_decoder_that_fails_has_written_nothing),
        WITH_ENGINE(making_refuses_null_and_leaves_the_engine_as_it_was),
        WITH_ENGINE(a_peer_with_bytes_that_are_not_there_is_refused),
        WITH_ENGINE(requests_refuse_null_and_leave_the_engine_as_it_was),
        WITH_ENGINE(input_answers_and_polls_refuse_null_and_leave_the_engine_as_it_was),
        WITH_ENGINE(the_getters_refuse_null_and_change_nothing),
        cmocka_unit_test(every_function_survives_the_lack_of_memory),
        WITH_ENGINE(questions_about_signatures_refuse_null_and_leave_the_engine_as_it_was),
        cmocka_unit_test(questions_about_signatures_survive_the_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
