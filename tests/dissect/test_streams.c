/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Streams put together from segments, and datagrams from fragments: in any order, twice,
 * overlapping, never.
 */
#include "frames.h"

#include "dissect/fragments.h"
#include "dissect/streams.h"
#include "internal/wire.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_BYTES = 6000, FLAG_SYN = 2, FLAG_ACK = 16, FLAGS = 0x18 };

static const stream_key key = {.family = 4, .source_port = 179, .destination_port = 4000};

static stream_table *make_table(void)
{
    stream_table *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    return t;
}

static void free_table(stream_table *t)
{
    streams_free(t);
    free(t);
}

/* Cuts a stream into segments that overlap and repeat, shuffles them within a window, and feeds
 * them. */
static void bytes_come_out_as_they_went_in_whatever_the_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        prng p = {seed};
        stream_table *t = make_table();
        stream_state *s = streams_get(t, &key);
        uint8_t sent[STREAM_BYTES];
        uint8_t got[STREAM_BYTES + 1];
        size_t got_len = 0;
        prng_bytes(&p, sent, sizeof sent);
        const uint32_t first = (uint32_t)prng_u64(&p); /* may wrap */
        stream_begin(s, first);
        struct piece {
            size_t at;
            size_t len;
        } pieces[600];
        size_t count = 0;
        for (size_t at = 0; at < STREAM_BYTES;) {
            const size_t back = at < 100 ? 0 : prng_below(&p, 100);
            size_t len = 1 + prng_below(&p, 400);
            if (at - back + len > STREAM_BYTES)
                len = STREAM_BYTES - (at - back);
            assert_true(count < 598);
            pieces[count++] = (struct piece){at - back, len};
            if (prng_below(&p, 4) == 0) {
                pieces[count] = pieces[prng_below(&p, (uint32_t)count)];
                count++;
            }
            if (at < at - back + len)
                at = at - back + len;
        }
        for (size_t i = 0; i < count; i++) { /* within eight of them */
            const size_t other = i / 8 * 8 + prng_below(&p, 8);
            if (other < count) {
                const struct piece swap = pieces[i];
                pieces[i] = pieces[other];
                pieces[other] = swap;
            }
        }
        for (size_t i = 0; i < count; i++) {
            const stream_result r = stream_add(s, first + (uint32_t)pieces[i].at,
                                               sent + pieces[i].at, pieces[i].len, pieces[i].len);
            assert_int_equal(r.missing, 0);
            assert_true(got_len + s->len <= STREAM_BYTES);
            const size_t take = prng_below(&p, (uint32_t)s->len + 1);
            if (take > 0)
                memcpy(got + got_len, s->bytes, take);
            got_len += take;
            stream_consume(s, take);
        }
        memcpy(got + got_len, s->bytes, s->len);
        got_len += s->len;
        assert_bytes(got, got_len, sent, STREAM_BYTES);
        assert_false(s->lost);
        assert_int_equal(s->later_count, 0);
        assert_int_equal(s->later_bytes, 0);
        free_table(t);
    }
}

static void nothing_grows_without_bound(void **state)
{
    (void)state;
    stream_table *t = make_table();
    prng p = {7};
    uint8_t bytes[1400] = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        stream_key k = key;
        k.source_port = (uint16_t)prng_below(&p, 1000);
        stream_state *s = streams_get(t, &k);
        (void)stream_add(s, (uint32_t)prng_u64(&p), bytes, prng_below(&p, sizeof bytes),
                         sizeof bytes);
        assert_true(s->len <= STREAM_BYTES_MAX && s->later_bytes <= STREAM_LATER_BYTES);
        assert_true(s->later_count <= STREAM_LATER_MAX && t->count <= STREAMS_MAX);
    }
    free_table(t);
}

/* RFC 791 3.2: pieces in any order, some twice, of several datagrams at once. */
static void datagrams_come_out_as_they_went_in_whatever_the_order(void **state)
{
    (void)state;
    enum { DATAGRAMS = 8, BYTES = 3000, UNITS = BYTES / FRAGMENT_UNIT };
    for (uint64_t seed = 1; seed <= 200; seed++) {
        prng p = {seed};
        fragment_table *t = calloc(1, sizeof(*t));
        assert_non_null(t);
        static uint8_t sent[DATAGRAMS][BYTES];
        bool whole[DATAGRAMS] = {false};
        struct piece {
            size_t which;
            size_t at;
            size_t len;
        } pieces[DATAGRAMS * UNITS * 2];
        size_t count = 0;
        for (size_t i = 0; i < DATAGRAMS; i++) {
            prng_bytes(&p, sent[i], BYTES);
            for (size_t at = 0; at < BYTES;) {
                size_t len = (1 + prng_below(&p, 60)) * FRAGMENT_UNIT;
                len = at + len > BYTES - 5 ? BYTES - 5 - at : len; /* the last is no multiple */
                pieces[count++] = (struct piece){i, at, len};
                if (prng_below(&p, 5) == 0) {
                    pieces[count] = pieces[count - 1];
                    count++;
                }
                at += len;
                if (at == BYTES - 5)
                    break;
            }
        }
        for (size_t i = 0; i < count; i++) {
            const size_t other = prng_below(&p, (uint32_t)count);
            const struct piece swap = pieces[i];
            pieces[i] = pieces[other];
            pieces[other] = swap;
        }
        for (size_t i = 0; i < count; i++) {
            const struct piece *x = &pieces[i];
            const fragment_key k = {.family = 4, .id = (uint32_t)x->which};
            if (whole[x->which])
                continue;
            datagram *g = fragments_add(t, &k, x->at, sent[x->which] + x->at, x->len,
                                        x->at + x->len < BYTES - 5);
            if (!g)
                continue;
            assert_bytes(g->bytes, g->total, sent[x->which], BYTES - 5);
            whole[x->which] = true;
            fragments_release(g);
        }
        for (size_t i = 0; i < DATAGRAMS; i++)
            assert_true(whole[i]);
        for (size_t i = 0; i < DATAGRAMS_MAX; i++)
            assert_null(t->datagrams[i].bytes);
        free(t);
    }
}

static void fragments_that_contradict_each_other_do_no_harm(void **state)
{
    (void)state;
    prng p = {5};
    fragment_table *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    static uint8_t bytes[4000];
    for (int n = 0; n < 50000; n++) {
        const fragment_key k = {.family = 4, .id = prng_below(&p, 40)};
        const size_t offset = prng_below(&p, 9000) * FRAGMENT_UNIT;
        datagram *g = fragments_add(t, &k, offset, bytes, prng_below(&p, sizeof bytes),
                                    prng_below(&p, 4) != 0);
        if (g) {
            assert_true(g->total <= DATAGRAM_BYTES);
            fragments_release(g);
        }
    }
    fragments_free(t);
    free(t);
}

/* Two last fragments: bytes that neither has would be those of whoever had the memory before. */
static void a_datagram_has_no_byte_that_nobody_sent(void **state)
{
    (void)state;
    fragment_table *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    static const uint8_t bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const fragment_key k = {.family = 4, .id = 1};
    assert_null(fragments_add(t, &k, 8, bytes + 8, 8, false));
    assert_null(fragments_add(t, &k, 0, bytes, 3, false));
    datagram *g = fragments_add(t, &k, 0, bytes, 8, true);
    assert_non_null(g);
    assert_bytes(g->bytes, g->total, bytes, sizeof bytes);
    fragments_release(g);
    /* Nor does a fragment in the middle end within a unit. */
    assert_null(fragments_add(t, &k, 0, bytes, 3, true));
    for (size_t i = 0; i < DATAGRAMS_MAX; i++)
        assert_null(t->datagrams[i].bytes);
    free(t);
}

#define MARKER    "ffffffffffffffffffffffffffffffff"
#define KEEPALIVE MARKER "001304"
#define OPEN      MARKER "001d0104fde800b40a08000100"

static const node *segment(dissector *d, const uint8_t *stream, uint32_t from, uint32_t to)
{
    frame f;
    frame_tcp(&f, 1000 + from, FLAGS, stream + from, to - from, false);
    return frames_see(d, &f);
}

static void syn(dissector *d)
{
    frame f;
    frame_tcp(&f, 999, FLAG_SYN, (const uint8_t *)"", 0, false);
    frames_assert_clean(frames_see(d, &f));
}

static size_t messages(const node *packet)
{
    size_t n = 0;
    while (frames_layer(packet, "bgp", n))
        n++;
    return n;
}

static void messages_are_seen_where_their_last_byte_is(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    syn(d);
    assert_int_equal(messages(segment(d, stream, 0, 10)), 0);
    const node *packet = segment(d, stream, 10, 30);
    assert_int_equal(messages(packet), 1);
    /* Its bytes are not all of this frame: the offset is of the stream. */
    assert_string_equal(frames_text(frames_layer(packet, "bgp", 0), "buffer"), "tcp stream");
    assert_int_equal(frames_number(frames_layer(packet, "tcp", 0), "waiting"), 1);
    packet = segment(d, stream, 30, 67);
    assert_int_equal(messages(packet), 2);
    assert_string_equal(frames_text(frames_layer(packet, "bgp", 0), "buffer"), "tcp stream");
    assert_null(tree_find(frames_layer(packet, "bgp", 1), "buffer"));
    assert_int_equal(frames_number(frames_layer(packet, "bgp", 1), "offset"), TCP_AT + 48 - 30);
    dissect_free(d);
}

static void segments_out_of_order_and_twice_are_told(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    syn(d);
    const node *packet = segment(d, stream, 29, 48);
    assert_int_equal(messages(packet), 0);
    assert_non_null(tree_find(frames_layer(packet, "tcp", 0), "out_of_order"));
    packet = segment(d, stream, 0, 29);
    assert_int_equal(messages(packet), 2);
    packet = segment(d, stream, 0, 29);
    assert_int_equal(messages(packet), 0);
    assert_non_null(tree_find(frames_layer(packet, "tcp", 0), "retransmission"));
    /* Half of it is new. */
    packet = segment(d, stream, 29, 67);
    assert_int_equal(messages(packet), 1);
    assert_int_equal(frames_number(frames_layer(packet, "bgp", 0), "offset"), TCP_AT + 19);
    dissect_free(d);
}

static void a_number_far_behind_begins_another_stream_that_misses_nothing(void **state)
{
    (void)state;
    stream_table *t = make_table();
    stream_state *s = streams_get(t, &key);
    const uint8_t bytes[4] = {1, 2, 3, 4};
    stream_begin(s, 0x80000000);
    stream_result r = stream_add(s, 0x40000000, bytes, sizeof bytes, sizeof bytes);
    assert_int_equal(r.missing, 0);
    assert_int_equal(r.own_len, sizeof bytes);
    assert_true(s->lost);
    r = stream_add(s, 0x60000000, bytes, sizeof bytes, sizeof bytes);
    assert_int_equal(r.missing, 0x20000000 - sizeof bytes);
    free_table(t);
}

static void what_was_never_captured_is_skipped_once_the_peer_has_it(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    frame f;
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    syn(d);
    assert_int_equal(messages(segment(d, stream, 0, 10)), 0);
    /* 10 to 40 are missing: then the end of a KEEPALIVE, and a whole one. */
    assert_int_equal(messages(segment(d, stream, 40, 48)), 0);
    frame_tcp(&f, 5000, FLAG_ACK, stream, 0, true);
    wire_set_u32(f.bytes + IP_BYTES + 8, 1000 + 48);
    (void)frames_see(d, &f);
    const node *packet = segment(d, stream, 48, 67);
    assert_int_equal(frames_number(frames_layer(packet, "tcp", 0), "missing"), 30);
    assert_int_equal(frames_number(frames_layer(packet, "tcp", 0), "skipped"), 8);
    assert_int_equal(messages(packet), 1);
    assert_null(tree_find(packet, "error"));
    dissect_free(d);
}

static void a_capture_that_begins_in_the_middle_finds_the_next_marker(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    const node *packet = segment(d, stream, 20, 48);
    assert_int_equal(messages(packet), 1);
    assert_int_equal(frames_number(frames_layer(packet, "tcp", 0), "skipped"), 9);
    assert_null(tree_find(packet, "error"));
    dissect_free(d);
}

static void a_cut_segment_is_no_error_and_the_stream_goes_on(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    frame f;
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    syn(d);
    frame_tcp(&f, 1000, FLAGS, stream, 48, false);
    const node *packet = frames_run(d, DISSECT_LINK_RAW, f.bytes, f.len - 10, 10);
    assert_null(tree_find(packet, "error"));
    assert_non_null(tree_find(packet, "truncated"));
    assert_int_equal(messages(packet), 1); /* the OPEN is whole */
    packet = segment(d, stream, 48, 67);
    assert_null(tree_find(packet, "error"));
    assert_int_equal(messages(packet), 1);
    dissect_free(d);
}

static void streams_of_equal_addresses_in_other_tunnels_are_others(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    frame f;
    (void)hex_bytes(OPEN, stream, sizeof stream);
    syn(d);
    assert_int_equal(messages(segment(d, stream, 0, 29)), 1);
    /* The same packets in GRE. */
    frame_tcp(&f, 999, FLAG_SYN, stream, 0, false);
    const size_t syn_len = f.len;
    frame_gre(&f, 0x0800, f.bytes, syn_len);
    (void)frames_see(d, &f);
    frame_tcp(&f, 1000, FLAGS, stream, 29, false);
    const size_t len = f.len;
    frame_gre(&f, 0x0800, f.bytes, len);
    assert_int_equal(messages(frames_see(d, &f)), 1);
    dissect_free(d);
}

/* In a tunnel too: here each direction has its own outer addresses. */
static void both_directions_of_a_tunnel_know_of_each_other(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    frame f;
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    frame_tcp(&f, 1000, FLAGS, stream, 29, false);
    frame_gre(&f, 0x0800, f.bytes, f.len);
    (void)frames_see(d, &f);
    frame_tcp(&f, 1048, FLAGS, stream + 48, 19, false); /* the KEEPALIVE before it is missing */
    frame_gre(&f, 0x0800, f.bytes, f.len);
    assert_int_equal(messages(frames_see(d, &f)), 0);
    uint8_t inner[64];
    frame_tcp(&f, 5000, FLAG_ACK, stream, 0, true);
    wire_set_u32(f.bytes + IP_BYTES + 8, 1067);
    memcpy(inner + 4, f.bytes, f.len);
    memcpy(inner, "\0\0\x08\0", 4);
    frame_ip(&f, 47, inner, 4 + f.len, true);
    (void)frames_see(d, &f);
    frame_tcp(&f, 1067, FLAGS, stream + 29, 19, false);
    frame_gre(&f, 0x0800, f.bytes, f.len);
    const node *packet = frames_see(d, &f);
    assert_int_equal(frames_number(frames_layer(packet, "tcp", 0), "missing"), 19);
    assert_int_equal(messages(packet), 2);
    dissect_free(d);
}

/* What a gap hides is given up, never what is whole before it. */
static void a_message_before_a_gap_is_not_lost_with_it(void **state)
{
    (void)state;
    dissector *d = frames_dissector(false);
    uint8_t stream[256];
    frame f;
    (void)hex_bytes(OPEN KEEPALIVE KEEPALIVE, stream, sizeof stream);
    syn(d);
    assert_int_equal(messages(segment(d, stream, 48, 67)), 0);
    frame_tcp(&f, 5000, FLAG_ACK, stream, 0, true);
    wire_set_u32(f.bytes + IP_BYTES + 8, 1000 + 67);
    (void)frames_see(d, &f);
    assert_int_equal(messages(segment(d, stream, 0, 29)), 1);
    const node *packet = segment(d, stream, 67, 67 + 19); /* nothing of sense, but it is next */
    assert_int_equal(frames_number(frames_layer(packet, "tcp", 0), "missing"), 19);
    assert_string_equal(frames_text(frames_layer(packet, "bgp", 0), "type"), "KEEPALIVE");
    dissect_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_as_they_went_in_whatever_the_order),
        cmocka_unit_test(nothing_grows_without_bound),
        cmocka_unit_test(datagrams_come_out_as_they_went_in_whatever_the_order),
        cmocka_unit_test(fragments_that_contradict_each_other_do_no_harm),
        cmocka_unit_test(a_datagram_has_no_byte_that_nobody_sent),
        cmocka_unit_test(messages_are_seen_where_their_last_byte_is),
        cmocka_unit_test(segments_out_of_order_and_twice_are_told),
        cmocka_unit_test(a_number_far_behind_begins_another_stream_that_misses_nothing),
        cmocka_unit_test(what_was_never_captured_is_skipped_once_the_peer_has_it),
        cmocka_unit_test(a_capture_that_begins_in_the_middle_finds_the_next_marker),
        cmocka_unit_test(a_cut_segment_is_no_error_and_the_stream_goes_on),
        cmocka_unit_test(streams_of_equal_addresses_in_other_tunnels_are_others),
        cmocka_unit_test(both_directions_of_a_tunnel_know_of_each_other),
        cmocka_unit_test(a_message_before_a_gap_is_not_lost_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
