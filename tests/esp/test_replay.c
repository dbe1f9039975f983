/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sequence numbers: the replay window, extended sequence numbers, the end of the counter.
 */
#include "esp_test.h"

#include "libesp/window.h"

static const uint32_t window_sizes[] = {32, 64, 128, 192, 1024, 4096};
#define WINDOW_SIZES (sizeof(window_sizes) / sizeof(window_sizes[0]))

/* ---- A model that is slow and plain: it remembers all that it ever accepted. ---- */

#define MODEL_SPAN (1 << 20)

typedef struct model {
    uint64_t base; /* of seen[] */
    uint64_t top;
    uint32_t size;
    bool seen[MODEL_SPAN];
} model;

static void model_init(model *m, uint64_t base, uint64_t last, uint32_t size)
{
    memset(m, 0, sizeof(*m));
    m->base = base;
    m->top = last;
    m->size = size;
    for (uint64_t s = base; s <= last; s++)
        m->seen[s - base] = true;
}

static bool model_fresh(const model *m, uint64_t s)
{
    if (s > m->top)
        return true;
    return s + m->size > m->top && !m->seen[s - m->base];
}

static void model_accept(model *m, uint64_t s)
{
    m->seen[s - m->base] = true;
    if (s > m->top)
        m->top = s;
}

/*
 * RFC 4303 A2.2 said in one sentence: of the numbers with that low half, the one which lies among
 * the 2^32 that begin at the window's lower end, top - size + 1. None where it would be negative,
 * or beyond 64 bits.
 */
static bool model_infer(uint64_t top, uint32_t size, uint32_t low, uint64_t *sequence)
{
    const uint32_t above_lower = low - (uint32_t)(top - size + 1);
    const uint64_t below_top = size - 1;
    if (above_lower < below_top && top < below_top - above_lower)
        return false;
    if (above_lower > below_top && above_lower - below_top > UINT64_MAX - top)
        return false;
    *sequence = top - below_top + above_lower;
    return true;
}

/* ---- The window against the model. ---- */

static void walk_window(uint64_t base, uint64_t last, uint32_t size, bool esn, uint64_t seed)
{
    static model m;
    const alloc a = alloc_make(NULL, NULL);
    esp__window w;
    prng rng = {seed};

    model_init(&m, base, last, size);
    assert_true(esp__window_init(&w, &a, size, last));
    for (int i = 0; i < 20000; i++) {
        /* Mostly behind the top, some beyond; now and then a leap. */
        const uint32_t reach = prng_below(&rng, 50) == 0 ? size * 8 : size * 2;
        int64_t delta = (int64_t)prng_below(&rng, reach * 2) - reach * 7 / 4;
        if ((int64_t)(m.top - base) + delta < 0)
            delta = -(int64_t)(m.top - base);
        uint64_t s = m.top + (uint64_t)delta;
        if (s - base >= MODEL_SPAN)
            break;

        if (esn) {
            uint64_t expected = 0;
            uint64_t actual = 0;
            const bool there = model_infer(m.top, size, (uint32_t)s, &expected);
            assert_int_equal(esp__window_infer(&w, (uint32_t)s, &actual), there);
            assert_true(actual == expected);
            if (!there || actual - base >= MODEL_SPAN)
                continue;
            s = actual;
        }
        assert_int_equal(esp__window_check(&w, s), model_fresh(&m, s));
        /* A third of the fresh packets turn out to be forged: the window must not know them. */
        if (model_fresh(&m, s) && prng_below(&rng, 3) != 0) {
            model_accept(&m, s);
            esp__window_accept(&w, s);
        }
        assert_true(w.top == m.top);
    }
    assert_true(m.top > last);
    esp__window_free(&w, &a);
}

/* RFC 4303 3.4.3, RFC 6479 */
static void the_window_agrees_with_a_naive_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < WINDOW_SIZES; i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            walk_window(0, 0, window_sizes[i], false, seed);
            walk_window(1000, 1000 + 37 * seed, window_sizes[i], false, seed + 10);
        }
}

/* RFC 4303 Appendix A2 */
static void extended_numbers_agree_with_a_naive_model_across_the_wrap(void **state)
{
    (void)state;
    for (size_t i = 0; i < WINDOW_SIZES; i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            const uint64_t wrap = seed << 32;
            walk_window(0, 0, window_sizes[i], true, seed);
            walk_window(wrap - 20000, wrap - 10000, window_sizes[i], true, seed + 20);
            walk_window(wrap - 20000, wrap - 1, window_sizes[i], true, seed + 30);
            walk_window(wrap - 20000, wrap, window_sizes[i], true, seed + 40);
        }
}

/* RFC 4303 A2.2, at each edge of both cases. Bad input: ESN high-half guess. */
static void the_high_half_is_inferred_at_every_edge(void **state)
{
    (void)state;
    const alloc a = alloc_make(NULL, NULL);
    static const uint32_t highs[] = {0, 1, 2, 0x7fffffff, 0xfffffffe, 0xffffffff};

    for (size_t i = 0; i < WINDOW_SIZES; i++) {
        const uint32_t size = window_sizes[i];
        const uint32_t lows[] = {0,         1,         2,          size - 2,   size - 1,
                                 size,      size + 1,  0x7fffffff, 0x80000000, 0xffffffff - size,
                                 0u - size, 1u - size, 2u - size,  0xfffffffe, 0xffffffff};
        const size_t n = sizeof(lows) / sizeof(lows[0]);
        for (size_t h = 0; h < sizeof(highs) / sizeof(highs[0]); h++)
            for (size_t t = 0; t < n; t++) {
                esp__window w;
                const uint64_t top = (uint64_t)highs[h] << 32 | lows[t];
                assert_true(esp__window_init(&w, &a, size, top));
                for (size_t s = 0; s < n; s++) {
                    uint64_t expected = 0;
                    uint64_t actual = 0;
                    const bool there = model_infer(top, size, lows[s], &expected);
                    assert_int_equal(esp__window_infer(&w, lows[s], &actual), there);
                    assert_true(actual == expected);
                }
                esp__window_free(&w, &a);
            }
    }
}

/* ---- The same through whole packets. ---- */

static void walk_sa(uint64_t base, uint64_t last, uint32_t size, uint8_t esn, uint64_t seed)
{
    static model m;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    cfg.replay_window = size;
    cfg.esn = esn;
    cfg.last_sequence = last;
    esp_sa *sa = test_sa(&cfg);
    prng rng = {seed};
    uint64_t accepted = 0;
    uint64_t replays = 0;

    model_init(&m, base, last, size);
    for (int i = 0; i < 3000; i++) {
        int64_t delta = (int64_t)prng_below(&rng, size * 2 + size / 4) - (int64_t)size * 2 + 8;
        if ((int64_t)(m.top - base) + delta < 0)
            delta = 1;
        const uint64_t s = m.top + (uint64_t)delta;
        if (s - base >= MODEL_SPAN)
            break;
        uint8_t packet[TEST_ROOM];
        const size_t len = craft_numbered(&cfg, s, packet);
        const bool forged = prng_below(&rng, 4) == 0;
        if (forged)
            packet[len - 1 - prng_below(&rng, 16)] ^= 1;

        /* With ESN a number below the window is taken for one a subspace later. */
        const bool fresh = model_fresh(&m, s);
        const bool late = esn && s + size <= m.top;
        esp_opened opened;
        const esp_rc rc = esp_sa_open(sa, 0, packet, len, &opened);
        if (late || (fresh && forged)) {
            assert_int_equal(rc, ESP_ERR_AUTH);
        } else if (fresh) {
            assert_int_equal(rc, ESP_OK);
            assert_true(opened.sequence == s);
            assert_int_equal(packet[opened.offset], (uint8_t)s);
            model_accept(&m, s);
            accepted++;
        } else {
            assert_int_equal(rc, ESP_ERR_REPLAY);
            replays++;
        }
        assert_true(test_counters(sa).sequence == m.top);
    }
    assert_true(accepted > 100 && replays > 20);
    assert_true(test_counters(sa).packets == accepted);
    assert_true(test_counters(sa).replay == replays);
    esp_sa_free(sa);
}

/* RFC 4303 3.4.3. Bad input: ESP replay window update before auth. */
static void only_authentic_packets_move_the_window(void **state)
{
    (void)state;
    for (size_t i = 0; i < WINDOW_SIZES; i++) {
        walk_sa(0, 0, window_sizes[i], 0, 100 + i);
        walk_sa((UINT64_C(3) << 32) - 20000, (UINT64_C(3) << 32) - 500, window_sizes[i], 1,
                200 + i);
    }
}

static esp_rc open_number(esp_sa *sa, const esp_sa_config *cfg, uint64_t sequence)
{
    uint8_t packet[TEST_ROOM];
    esp_opened opened;
    const size_t len = craft_numbered(cfg, sequence, packet);
    return esp_sa_open(sa, 0, packet, len, &opened);
}

/* RFC 4303 2.2, 3.3.3: the first packet has number 1. */
static void number_zero_is_never_accepted(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    for (cfg.esn = 0; cfg.esn <= 1; cfg.esn++) {
        esp_sa *sa = test_sa(&cfg);
        assert_int_equal(open_number(sa, &cfg, 0), ESP_ERR_REPLAY);
        assert_int_equal(open_number(sa, &cfg, 1), ESP_OK);
        assert_int_equal(open_number(sa, &cfg, 0), ESP_ERR_REPLAY);
        esp_sa_free(sa);
    }
}

/* RFC 4303 3.4.3: anti-replay is the receiver's choice. */
static void a_window_of_zero_accepts_repeats(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    cfg.replay_window = 0;
    esp_sa *sa = test_sa(&cfg);
    assert_int_equal(open_number(sa, &cfg, 9), ESP_OK);
    assert_int_equal(open_number(sa, &cfg, 9), ESP_OK);
    assert_int_equal(open_number(sa, &cfg, 1), ESP_OK);
    /* RFC 4303 3.3.3: whose peer does not look may let its counter cycle, past 0 */
    assert_int_equal(open_number(sa, &cfg, 0), ESP_OK);
    assert_true(test_counters(sa).sequence == 9);
    esp_sa_free(sa);

    /* Without a window nobody knows the high half. */
    cfg.esn = 1;
    assert_int_equal(esp_sa_new(&cfg, &sa), ESP_ERR_ARG);
    /* Outbound the window means nothing. */
    cfg.direction = ESP_DIRECTION_OUT;
    assert_int_equal(esp_sa_new(&cfg, &sa), ESP_OK);
    esp_sa_free(sa);
}

/* RFC 4303 3.3.3, Appendix A */
static void extended_numbers_cross_two_to_the_32_both_ways(void **state)
{
    (void)state;
    for (size_t k = 0; k < TEST_SUITES; k++) {
        esp_sa_config cfg = test_config_of(ESP_DIRECTION_OUT, &test_suites[k]);
        cfg.esn = 1;
        cfg.last_sequence = 0xfffffffd;
        esp_sa *out = test_sa(&cfg);
        cfg.direction = ESP_DIRECTION_IN;
        esp_sa *in = test_sa(&cfg);
        uint8_t packets[6][96];
        esp_span spans[6];
        esp_opened opened;
        uint8_t again[96];

        for (uint8_t i = 0; i < 6; i++) {
            assert_int_equal(esp_sa_seal(out, 0, packets[i], 96, &i, 1, 47, &spans[i]), ESP_OK);
            assert_true(spans[i].sequence == UINT64_C(0xfffffffe) + i);
        }
        assert_hex(packets[2] + 4, 4, "00000000");
        if (test_suites[k].integrity == ESP_INTEGRITY_NONE)
            assert_hex(packets[2] + 8, 8, "0000000100000000"); /* the IV of an AEAD */
        /* The wrap is crossed, then the packets from before it arrive. */
        static const uint8_t order[] = {3, 0, 5, 1, 2, 4};
        for (uint8_t i = 0; i < 6; i++) {
            const uint8_t n = order[i];
            memcpy(again, packets[n], spans[n].len);
            assert_int_equal(esp_sa_open(in, 0, packets[n], spans[n].len, &opened), ESP_OK);
            assert_true(opened.sequence == spans[n].sequence);
            assert_int_equal(packets[n][opened.offset], n);
            assert_int_equal(esp_sa_open(in, 0, again, spans[n].len, &opened), ESP_ERR_REPLAY);
        }
        esp_sa_free(out);
        esp_sa_free(in);
    }
}

/* RFC 4303 3.3.3. Bad input: seq wrap. */
static void without_esn_the_last_number_is_two_to_the_32_less_one(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.last_sequence = UINT32_MAX - 2;
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[64];
    esp_span span;

    assert_int_equal(esp_sa_seal(sa, 0, packet, 64, (const uint8_t *)"x", 1, 47, &span), ESP_OK);
    assert_int_equal(esp_sa_seal(sa, 0, packet, 64, (const uint8_t *)"x", 1, 47, &span), ESP_OK);
    assert_true(span.sequence == UINT32_MAX);
    assert_int_equal(span.flags, ESP_LIMIT_SOFT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(esp_sa_seal(sa, 0, packet, 64, (const uint8_t *)"x", 1, 47, &span),
                         ESP_ERR_SEQUENCE);
    assert_true(test_counters(sa).exhausted == 3);
    assert_true(test_counters(sa).sequence == UINT32_MAX);
    esp_sa_free(sa);
}

static void a_batch_stops_at_the_last_number(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.last_sequence = UINT32_MAX - 3;
    esp_sa *sa = test_sa(&cfg);
    static uint8_t packets[8][64];
    esp_seal_item items[8];
    esp_span spans[8];
    for (size_t i = 0; i < 8; i++)
        items[i] = (esp_seal_item){
            .out = packets[i], .cap = 64, .in = (const uint8_t *)"x", .len = 1, .next_header = 47};

    assert_int_equal(esp_sa_seal_batch(sa, 0, items, 8, spans), ESP_OK);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(spans[i].result, i < 3 ? ESP_OK : ESP_ERR_SEQUENCE);
        if (i < 3)
            assert_true(spans[i].sequence == UINT32_MAX - 2 + i);
    }
    assert_true(test_counters(sa).sequence == UINT32_MAX);
    assert_int_equal(esp_sa_seal_batch(sa, 0, items, 8, spans), ESP_OK);
    assert_int_equal(spans[0].result, ESP_ERR_SEQUENCE);
    esp_sa_free(sa);
}

/* RFC 4303 3.3.3 */
static void with_esn_the_last_number_is_two_to_the_64_less_one(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    uint8_t packet[64];
    esp_span span;
    esp_opened opened;
    cfg.esn = 1;
    cfg.last_sequence = UINT64_MAX - 1;
    esp_sa *sa = test_sa(&cfg);
    assert_int_equal(esp_sa_seal(sa, 0, packet, 64, (const uint8_t *)"x", 1, 47, &span), ESP_OK);
    assert_true(span.sequence == UINT64_MAX);
    for (int i = 0; i < 3; i++) {
        uint8_t more[64];
        esp_span none;
        assert_int_equal(esp_sa_seal(sa, 0, more, 64, (const uint8_t *)"x", 1, 47, &none),
                         ESP_ERR_SEQUENCE);
    }
    assert_true(test_counters(sa).sequence == UINT64_MAX);
    esp_sa_free(sa);

    cfg.direction = ESP_DIRECTION_IN;
    sa = test_sa(&cfg);
    assert_int_equal(esp_sa_open(sa, 0, packet, span.len, &opened), ESP_OK);
    assert_true(opened.sequence == UINT64_MAX);
    assert_int_equal(open_number(sa, &cfg, 1), ESP_ERR_REPLAY); /* it does not start again */
    esp_sa_free(sa);

    cfg.esn = 0;
    cfg.last_sequence = UINT64_C(1) << 32;
    assert_int_equal(esp_sa_new(&cfg, &sa), ESP_ERR_ARG);
}

/* What an SA that was taken over has seen before counts as a replay. */
static void a_continued_sa_refuses_what_came_before(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    cfg.last_sequence = 5000;
    esp_sa *sa = test_sa(&cfg);
    for (uint64_t s = 3900; s <= 5000; s++)
        assert_int_equal(open_number(sa, &cfg, s), ESP_ERR_REPLAY);
    assert_int_equal(open_number(sa, &cfg, 5001), ESP_OK);
    esp_sa_free(sa);
}

/* RFC 4303 Appendix A3 */
static void a_receiver_that_missed_two_to_the_32_packets_finds_the_number_again(void **state)
{
    (void)state;
    for (size_t k = 0; k < TEST_SUITES; k++) {
        esp_sa_config cfg = test_config_of(ESP_DIRECTION_IN, &test_suites[k]);
        cfg.esn = 1;
        cfg.last_sequence = (UINT64_C(5) << 32) + 70000;
        esp_sa *sa = test_sa(&cfg);
        const uint64_t now = (UINT64_C(8) << 32) + 10;
        uint8_t packet[TEST_ROOM], received[TEST_ROOM], out[TEST_ROOM];
        esp_opened opened;
        const size_t len = craft_numbered(&cfg, now, packet);

        memcpy(received, packet, len);
        assert_int_equal(open_number(sa, &cfg, now), ESP_ERR_AUTH);
        assert_int_equal(esp_sa_resync(sa, 0, packet, len, 0, out, len, &opened), ESP_ERR_AUTH);
        assert_int_equal(esp_sa_resync(sa, 0, packet, len, 2, out, len, &opened), ESP_ERR_AUTH);
        assert_true(test_counters(sa).sequence == cfg.last_sequence);
        assert_memory_equal(packet, received, len);

        packet[len - 1] ^= 1; /* forged: no number helps */
        assert_int_equal(esp_sa_resync(sa, 0, packet, len, 9, out, len, &opened), ESP_ERR_AUTH);
        packet[len - 1] ^= 1;
        assert_true(test_counters(sa).sequence == cfg.last_sequence);
        assert_true(test_counters(sa).auth == 4);

        assert_int_equal(esp_sa_resync(sa, 0, packet, len, 3, out, len, &opened), ESP_OK);
        assert_true(opened.sequence == now);
        assert_int_equal(out[opened.offset], (uint8_t)now);
        assert_memory_equal(packet, received, len);
        assert_int_equal(open_number(sa, &cfg, now), ESP_ERR_REPLAY);
        assert_int_equal(open_number(sa, &cfg, now - 20), ESP_OK);
        assert_int_equal(open_number(sa, &cfg, now + 1), ESP_OK);
        esp_sa_free(sa);
    }
}

/* RFC 4303 A3.2: the subspace after the window's own is the first to be tried. */
static void one_lost_subspace_is_found_at_the_first_try(void **state)
{
    (void)state;
    static const uint64_t highs[] = {0, 7, 0xfffffffe};
    for (size_t i = 0; i < sizeof(highs) / sizeof(highs[0]); i++) {
        esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
        cfg.esn = 1;
        cfg.last_sequence = highs[i] << 32 | 5000;
        esp_sa *sa = test_sa(&cfg);
        uint8_t packet[TEST_ROOM], copy[TEST_ROOM], out[TEST_ROOM];
        esp_opened opened;
        const uint64_t sequence = (highs[i] + 1) << 32 | 6000;
        const size_t len = craft_numbered(&cfg, sequence, packet);
        memcpy(copy, packet, len);
        assert_int_equal(esp_sa_open(sa, 0, copy, len, &opened), ESP_ERR_AUTH);
        assert_int_equal(esp_sa_resync(sa, 0, packet, len, 1, out, len, &opened), ESP_OK);
        assert_true(opened.sequence == sequence);
        assert_int_equal(open_number(sa, &cfg, sequence), ESP_ERR_REPLAY);
        assert_int_equal(open_number(sa, &cfg, sequence + 1), ESP_OK);
        esp_sa_free(sa);
    }
}

static void resync_checks_its_arguments_and_ends_at_the_last_subspace(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    esp_sa *plain = test_sa(&cfg);
    esp_sa *out = test_sa_plain(ESP_DIRECTION_OUT);
    cfg.esn = 1;
    cfg.last_sequence = (UINT64_C(0xfffffffd) << 32) + 5000;
    esp_sa *sa = test_sa(&cfg);
    uint8_t packet[TEST_ROOM], buf[TEST_ROOM];
    esp_opened opened;
    const size_t len = craft_numbered(&cfg, (UINT64_C(1) << 32) + 7, packet);
    assert_int_equal(esp_sa_resync(NULL, 0, packet, len, 1, buf, len, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_resync(sa, 1, packet, len, 1, buf, len, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_resync(sa, 0, NULL, len, 1, buf, len, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_resync(sa, 0, packet, len, 1, NULL, len, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_resync(sa, 0, packet, len, 1, buf, len, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_sa_resync(sa, 0, packet, len, 1, packet + 8, len, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_resync(out, 0, packet, len, 1, buf, len, &opened), ESP_ERR_STATE);
    assert_int_equal(esp_sa_resync(plain, 0, packet, len, 1, buf, len, &opened), ESP_ERR_STATE);
    assert_int_equal(esp_sa_resync(sa, 0, packet, len, 1, buf, len - 1, &opened), ESP_ERR_BUFFER);
    assert_int_equal(esp_sa_resync(sa, 0, packet, 0, 1, buf, len, &opened), ESP_ERR_TRUNCATED);
    assert_int_equal(esp_sa_resync(sa, 0, packet, len + 1, 1, buf, len + 1, &opened),
                     ESP_ERR_ALIGN);
    /* There are two subspaces left; the search ends there, however many tries it may make. */
    assert_int_equal(esp_sa_resync(sa, 0, packet, len, UINT32_MAX, buf, len, &opened),
                     ESP_ERR_AUTH);
    esp_sa_free(plain);
    esp_sa_free(out);
    esp_sa_free(sa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_agrees_with_a_naive_model),
        cmocka_unit_test(extended_numbers_agree_with_a_naive_model_across_the_wrap),
        cmocka_unit_test(the_high_half_is_inferred_at_every_edge),
        cmocka_unit_test(only_authentic_packets_move_the_window),
        cmocka_unit_test(number_zero_is_never_accepted),
        cmocka_unit_test(a_window_of_zero_accepts_repeats),
        cmocka_unit_test(extended_numbers_cross_two_to_the_32_both_ways),
        cmocka_unit_test(without_esn_the_last_number_is_two_to_the_32_less_one),
        cmocka_unit_test(a_batch_stops_at_the_last_number),
        cmocka_unit_test(with_esn_the_last_number_is_two_to_the_64_less_one),
        cmocka_unit_test(a_continued_sa_refuses_what_came_before),
        cmocka_unit_test(a_receiver_that_missed_two_to_the_32_packets_finds_the_number_again),
        cmocka_unit_test(one_lost_subspace_is_found_at_the_first_try),
        cmocka_unit_test(resync_checks_its_arguments_and_ends_at_the_last_subspace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
