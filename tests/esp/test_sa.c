/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An SA's life: configuration, sealing and opening, limits, counters, memory.
 */
#include "esp_test.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static const uint8_t payload[] = "a payload that is longer than one block of the cipher";
#define PAYLOAD_LEN (sizeof(payload) - 1)

static esp_rc seal(esp_sa *sa, uint8_t *out, size_t cap, size_t len, esp_span *span)
{
    return esp_sa_seal(sa, 0, out, cap, payload, len, ESP_NEXT_GRE, span);
}

/* ---- Configuration. ---- */

static void a_config_is_checked_field_by_field(void **state)
{
    (void)state;
    const esp_sa_config good = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    esp_sa_config bad[64];
    size_t n = 0;
    for (size_t i = 0; i < 64; i++)
        bad[i] = good;
    bad[n++].struct_size = 0;
    bad[n++].struct_size = sizeof(good) - 1;
    bad[n++].direction = 0;
    bad[n++].direction = 3;
    bad[n++].mode = 0;
    bad[n++].mode = 3;
    bad[n++].algorithm = 0;
    bad[n++].algorithm = 7;
    bad[n++].algorithm = ESP_ALGORITHM_AES128_CBC; /* without integrity, RFC 4303 3.2.2 */
    bad[n++].algorithm = ESP_ALGORITHM_NULL;
    bad[n++].integrity = ESP_INTEGRITY_HMAC_SHA2_256_128; /* an AEAD has its own */
    bad[n++].integrity = 4;
    bad[n++].algorithm = ESP_ALGORITHM_AES256_GCM16; /* with a short key */
    bad[n++].esn = 2;
    bad[n++].spi = 0;
    bad[n++].spi = 255; /* RFC 4303 2.1 */
    bad[n++].replay_window = 1;
    bad[n++].replay_window = 33;
    bad[n++].replay_window = 65;
    bad[n++].replay_window = 4160;
    bad[n++].workers = 0;
    bad[n++].workers = ESP_WORKERS_MAX + 1;
    bad[n++].reserved[2] = 1;
    bad[n++].keymat = NULL;
    bad[n++].keymat_len = 0;
    bad[n++].keymat_len = 16; /* without the salt */
    bad[n++].keymat_len = 19;
    bad[n++].keymat_len = 21;
    bad[n++].keymat_len = 36;

    esp_sa *sa = NULL;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(esp_sa_new(&bad[i], &sa), ESP_ERR_ARG);
        assert_null(sa);
    }
    assert_int_equal(esp_sa_new(&good, &sa), ESP_OK);
    esp_sa_free(sa);
}

static void a_config_from_a_newer_header_must_be_zero_beyond_ours(void **state)
{
    (void)state;
    struct {
        esp_sa_config cfg;
        uint64_t unknown;
    } newer = {test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16), 0};
    newer.cfg.struct_size = sizeof(newer);
    esp_sa *sa = NULL;
    assert_int_equal(esp_sa_new(&newer.cfg, &sa), ESP_OK);
    esp_sa_free(sa);
    newer.unknown = 1;
    assert_int_equal(esp_sa_new(&newer.cfg, &sa), ESP_ERR_ARG);
}

static void an_sa_tells_what_it_is(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_CHACHA20_POLY1305);
    cfg.esn = 1;
    cfg.workers = 3;
    cfg.mode = ESP_MODE_TUNNEL;
    cfg.hard_packets = 1600;
    cfg.hard_bytes = 3200;
    cfg.soft_bytes = 7;
    esp_sa *sa = test_sa(&cfg);
    esp_sa_info info = {.struct_size = sizeof(info)};
    assert_int_equal(esp_sa_get_info(sa, &info), ESP_OK);
    assert_int_equal(info.struct_size, sizeof(info));
    assert_int_equal(info.spi, TEST_SPI);
    assert_int_equal(info.direction, ESP_DIRECTION_IN);
    assert_int_equal(info.mode, ESP_MODE_TUNNEL);
    assert_int_equal(info.algorithm, ESP_ALGORITHM_CHACHA20_POLY1305);
    assert_int_equal(info.esn, 1);
    assert_int_equal(info.replay_window, 1024);
    assert_int_equal(info.workers, 3);
    assert_true(info.soft_packets == 1500 && info.hard_packets == 1600);
    assert_true(info.soft_bytes == 7 && info.hard_bytes == 3200);
    esp_sa_free(sa);

    sa = test_sa_plain(ESP_DIRECTION_OUT);
    assert_int_equal(esp_sa_get_info(sa, &info), ESP_OK);
    assert_int_equal(info.replay_window, 0);
    assert_true(info.hard_packets == UINT32_MAX && info.soft_packets == 0xf0000000);
    assert_true(info.soft_bytes == UINT64_MAX && info.hard_bytes == UINT64_MAX);
    esp_sa_free(sa);
}

/* ---- Arguments. ---- */

static void every_null_is_an_argument_error(void **state)
{
    (void)state;
    const esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    esp_sa *sa = NULL;
    esp_sa_config_init(NULL);
    esp_sa_free(NULL);
    assert_int_equal(esp_sa_new(NULL, &sa), ESP_ERR_ARG);
    assert_int_equal(esp_sa_new(&cfg, NULL), ESP_ERR_ARG);

    esp_sa *out = test_sa_plain(ESP_DIRECTION_OUT);
    esp_sa *in = test_sa_plain(ESP_DIRECTION_IN);
    uint8_t buf[128] = {0};
    uint8_t text[4] = {0};
    size_t len;
    esp_span span;
    esp_opened opened;
    esp_seal_item seal_item = {.out = buf, .cap = sizeof(buf), .in = text, .len = 4};
    const esp_open_item open_item = {.buf = buf, .len = sizeof(buf)};

    assert_int_equal(esp_sa_seal(NULL, 0, buf, 128, text, 4, 47, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal(out, 0, NULL, 128, text, 4, 47, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal(out, 0, buf, 128, NULL, 4, 47, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal(out, 0, buf, 128, text, 4, 47, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal(out, 1, buf, 128, text, 4, 47, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open(NULL, 0, buf, 128, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open(in, 0, NULL, 128, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open(in, 0, buf, 128, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open(in, 1, buf, 128, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal_batch(NULL, 0, &seal_item, 1, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal_batch(out, 0, NULL, 1, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal_batch(out, 0, &seal_item, 1, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal_batch(out, 1, &seal_item, 1, &span), ESP_ERR_ARG);
    assert_int_equal(esp_sa_seal_batch(out, 0, NULL, 0, NULL), ESP_OK);
    assert_int_equal(esp_sa_open_batch(NULL, 0, &open_item, 1, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open_batch(in, 0, NULL, 1, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open_batch(in, 0, &open_item, 1, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open_batch(in, 1, &open_item, 1, &opened), ESP_ERR_ARG);
    assert_int_equal(esp_sa_open_batch(in, 0, NULL, 0, NULL), ESP_OK);
    assert_int_equal(esp_sa_get_sealed_len(NULL, 4, &len), ESP_ERR_ARG);
    assert_int_equal(esp_sa_get_sealed_len(out, 4, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_sa_get_payload_max(NULL, 400, &len), ESP_ERR_ARG);
    assert_int_equal(esp_sa_get_payload_max(out, 400, NULL), ESP_ERR_ARG);

    esp_sa_info info = {.struct_size = sizeof(info)};
    esp_sa_counters counters = {.struct_size = sizeof(counters)};
    assert_int_equal(esp_sa_get_info(NULL, &info), ESP_ERR_ARG);
    assert_int_equal(esp_sa_get_info(out, NULL), ESP_ERR_ARG);
    info.struct_size = 4;
    assert_int_equal(esp_sa_get_info(out, &info), ESP_ERR_ARG);
    assert_int_equal(esp_sa_get_counters(NULL, &counters), ESP_ERR_ARG);
    assert_int_equal(esp_sa_get_counters(out, NULL), ESP_ERR_ARG);
    counters.struct_size = 4;
    assert_int_equal(esp_sa_get_counters(out, &counters), ESP_ERR_ARG);

    /* A NULL within a batch is that item's own. */
    esp_open_item null_item = {0};
    assert_int_equal(esp_sa_open_batch(in, 0, &null_item, 1, &opened), ESP_OK);
    assert_int_equal(opened.result, ESP_ERR_ARG);
    seal_item.out = NULL;
    assert_int_equal(esp_sa_seal_batch(out, 0, &seal_item, 1, &span), ESP_OK);
    assert_int_equal(span.result, ESP_ERR_ARG);
    esp_sa_free(out);
    esp_sa_free(in);
}

static void an_sa_works_in_its_own_direction_only(void **state)
{
    (void)state;
    esp_sa *out = test_sa_plain(ESP_DIRECTION_OUT);
    esp_sa *in = test_sa_plain(ESP_DIRECTION_IN);
    uint8_t buf[128] = {0};
    esp_span span;
    esp_opened opened;
    const esp_seal_item seal_item = {.out = buf, .cap = sizeof(buf), .in = payload, .len = 4};
    const esp_open_item open_item = {.buf = buf, .len = sizeof(buf)};
    assert_int_equal(seal(in, buf, sizeof(buf), 4, &span), ESP_ERR_STATE);
    assert_int_equal(esp_sa_open(out, 0, buf, sizeof(buf), &opened), ESP_ERR_STATE);
    assert_int_equal(esp_sa_seal_batch(in, 0, &seal_item, 1, &span), ESP_ERR_STATE);
    assert_int_equal(esp_sa_open_batch(out, 0, &open_item, 1, &opened), ESP_ERR_STATE);
    esp_sa_free(out);
    esp_sa_free(in);
}

/* ---- Sealing. ---- */

/* RFC 4303 2.4. Bad input: CVE-2022-34718, CVE-2022-27666: the output buffer is checked. */
static void every_length_round_trips_and_its_buffer_is_measured_exactly(void **state)
{
    (void)state;
    static uint8_t text[1600], out[1700], in_place[1700];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 31);
    for (size_t k = 0; k < TEST_SUITES; k++) {
        const test_suite *suite = &test_suites[k];
        esp_sa_config cfg = test_config_of(ESP_DIRECTION_OUT, suite);
        esp_sa *a = test_sa(&cfg);
        esp_sa *b = test_sa(&cfg);
        cfg.direction = ESP_DIRECTION_IN;
        esp_sa *receiver = test_sa(&cfg);
        for (size_t len = 0; len <= sizeof(text); len += len < 80 ? 1 : 97) {
            esp_span span;
            esp_opened opened;
            size_t need, room_for;
            assert_int_equal(esp_sa_get_sealed_len(a, len, &need), ESP_OK);
            assert_true(need >= len + 2 + suite->header_len + suite->icv_len &&
                        need <= len + ESP_HEADER_MAX + ESP_TRAILER_MAX);
            assert_int_equal(esp_sa_get_payload_max(a, need, &room_for), ESP_OK);
            assert_true(room_for >= len && room_for < len + suite->alignment);

            memset(out, 0xee, sizeof(out));
            assert_int_equal(esp_sa_seal(a, 0, out, need - 1, text, len, 47, &span),
                             ESP_ERR_BUFFER);
            for (size_t i = 0; i < sizeof(out); i++)
                assert_int_equal(out[i], 0xee);
            assert_int_equal(esp_sa_seal(a, 0, out, need, text, len, 47, &span), ESP_OK);
            assert_int_equal(span.offset, 0);
            assert_int_equal(span.len, need);
            assert_int_equal(span.len % 4, 0);
            assert_int_equal(out[need], 0xee);

            memcpy(in_place + suite->header_len, text, len);
            assert_int_equal(
                esp_sa_seal(b, 0, in_place, need, in_place + suite->header_len, len, 47, &span),
                ESP_OK);
            assert_bytes(in_place, span.len, out, need);

            assert_int_equal(esp_sa_open(receiver, 0, out, need, &opened), ESP_OK);
            assert_bytes(out + opened.offset, opened.len, text, len);
        }
        /* A refused buffer takes no number. */
        assert_true(test_counters(a).sequence == test_counters(a).packets);
        assert_true(test_counters(a).buffer == test_counters(a).packets);
        esp_sa_free(a);
        esp_sa_free(b);
        esp_sa_free(receiver);
    }
}

static void the_longest_payload_round_trips_and_one_more_byte_is_refused(void **state)
{
    (void)state;
    static uint8_t text[ESP_PAYLOAD_MAX + 1], out[ESP_PACKET_MAX + 8];
    esp_sa *sa = test_sa_plain(ESP_DIRECTION_OUT);
    esp_sa *receiver = test_sa_plain(ESP_DIRECTION_IN);
    esp_span span;
    esp_opened opened;
    size_t len;
    memset(text, 0x5a, sizeof(text));
    assert_int_equal(esp_sa_seal(sa, 0, out, sizeof(out), text, ESP_PAYLOAD_MAX + 1, 47, &span),
                     ESP_ERR_LIMIT);
    assert_int_equal(esp_sa_get_sealed_len(sa, ESP_PAYLOAD_MAX + 1, &len), ESP_ERR_LIMIT);
    assert_int_equal(esp_sa_get_payload_max(sa, SIZE_MAX, &len), ESP_OK);
    assert_int_equal(len, ESP_PAYLOAD_MAX);
    assert_int_equal(esp_sa_get_payload_max(sa, ESP_PACKET_MIN - 1, &len), ESP_ERR_BUFFER);
    assert_int_equal(esp_sa_get_payload_max(sa, ESP_PACKET_MIN, &len), ESP_OK);
    assert_int_equal(len, 2);

    assert_int_equal(esp_sa_seal(sa, 0, out, sizeof(out), text, ESP_PAYLOAD_MAX, 47, &span),
                     ESP_OK);
    assert_true(span.len <= ESP_PACKET_MAX && span.len + 4 > ESP_PACKET_MAX);
    assert_int_equal(esp_sa_open(receiver, 0, out, ESP_PACKET_MAX + 1, &opened), ESP_ERR_LIMIT);
    assert_int_equal(esp_sa_open(receiver, 0, out, span.len, &opened), ESP_OK);
    assert_bytes(out + opened.offset, opened.len, text, ESP_PAYLOAD_MAX);
    assert_true(test_counters(sa).too_long == 1 && test_counters(receiver).too_long == 1);
    esp_sa_free(sa);
    esp_sa_free(receiver);
}

static void a_payload_that_overlaps_elsewhere_is_refused(void **state)
{
    (void)state;
    esp_sa *sa = test_sa_plain(ESP_DIRECTION_OUT);
    static uint8_t buf[512];
    esp_span span;
    uint8_t *out = buf + 128;
    for (size_t at = 0; at <= 256; at++) {
        const esp_rc rc = esp_sa_seal(sa, 0, out, 100, buf + at, 32, 47, &span);
        const bool apart = at + 32 <= 128 || at >= 228;
        assert_int_equal(rc, apart || at == 128 + ESP_HEADER_BYTES ? ESP_OK : ESP_ERR_ARG);
    }
    esp_sa_free(sa);
}

/* RFC 4303 3.1.2 */
static void tunnel_mode_carries_ip_only(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.mode = ESP_MODE_TUNNEL;
    esp_sa *sa = test_sa(&cfg);
    uint8_t out[128];
    esp_span span;
    for (unsigned next = 0; next < 256; next++) {
        const bool carried = next == 4 || next == 41 || next == 59;
        assert_int_equal(esp_sa_seal(sa, 0, out, sizeof(out), payload, 20, (uint8_t)next, &span),
                         carried ? ESP_OK : ESP_ERR_ARG);
    }
    esp_sa_free(sa);
}

/* ---- Limits. ---- */

static void packet_limits_warn_first_and_then_expire(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.soft_packets = 3;
    cfg.hard_packets = 5;
    esp_sa *out = test_sa(&cfg);
    cfg.direction = ESP_DIRECTION_IN;
    esp_sa *in = test_sa(&cfg);
    esp_span span;
    esp_opened opened;
    uint8_t packet[64];
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(seal(out, packet, sizeof(packet), 1, &span), ESP_OK);
        assert_int_equal(span.flags, i < 3 ? 0 : ESP_LIMIT_SOFT);
        assert_int_equal(esp_sa_open(in, 0, packet, span.len, &opened), ESP_OK);
        assert_int_equal(opened.flags, i < 3 ? 0 : ESP_LIMIT_SOFT);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(seal(out, packet, sizeof(packet), 1, &span), ESP_ERR_EXPIRED);
    uint8_t sixth[TEST_ROOM];
    const size_t len = craft_numbered(&cfg, 6, sixth);
    assert_int_equal(esp_sa_open(in, 0, sixth, len, &opened), ESP_ERR_EXPIRED);
    assert_true(test_counters(out).expired == 3 && test_counters(in).expired == 1);
    assert_true(test_counters(out).sequence == 5 && test_counters(in).sequence == 5);
    esp_sa_free(out);
    esp_sa_free(in);
}

static void byte_limits_warn_first_and_then_expire(void **state)
{
    (void)state;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.hard_bytes = 160; /* ten packets of 16 bytes, padding and trailer included */
    esp_sa *out = test_sa(&cfg);
    cfg.direction = ESP_DIRECTION_IN;
    esp_sa *in = test_sa(&cfg);
    esp_span span;
    esp_opened opened;
    uint8_t packet[64];
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(seal(out, packet, sizeof(packet), 13, &span), ESP_OK);
        assert_int_equal(span.flags, i * 16 < 150 ? 0 : ESP_LIMIT_SOFT);
        assert_int_equal(esp_sa_open(in, 0, packet, span.len, &opened), ESP_OK);
        assert_int_equal(opened.flags, i * 16 < 150 ? 0 : ESP_LIMIT_SOFT);
    }
    assert_true(test_counters(out).bytes == 160 && test_counters(in).bytes == 160);
    assert_int_equal(seal(out, packet, sizeof(packet), 0, &span), ESP_ERR_EXPIRED);
    uint8_t next[TEST_ROOM];
    const size_t len = craft_numbered(&cfg, 11, next);
    assert_int_equal(esp_sa_open(in, 0, next, len, &opened), ESP_ERR_EXPIRED);

    const esp_seal_item item = {.out = packet, .cap = sizeof(packet), .in = payload, .len = 1};
    assert_int_equal(esp_sa_seal_batch(out, 0, &item, 1, &span), ESP_OK);
    assert_int_equal(span.result, ESP_ERR_EXPIRED);
    assert_int_equal(span.len, 0);
    esp_sa_free(out);
    esp_sa_free(in);
}

/* ---- Batches. ---- */

#define BATCH 150 /* more than one reservation */

static void a_batch_does_what_single_calls_do(void **state)
{
    (void)state;
    static uint8_t one[BATCH][160], many[BATCH][160], text[BATCH][100];
    static esp_seal_item items[BATCH];
    static esp_span spans[BATCH];
    static esp_open_item open_items[BATCH];
    static esp_opened opened[BATCH];
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES256_GCM16);
    cfg.soft_packets = 70;
    cfg.soft_bytes = 2000;
    esp_sa *a = test_sa(&cfg);
    esp_sa *b = test_sa(&cfg);
    cfg.direction = ESP_DIRECTION_IN;
    esp_sa *ra = test_sa(&cfg);
    esp_sa *rb = test_sa(&cfg);
    prng rng = {42};
    for (size_t i = 0; i < BATCH; i++) {
        const size_t len = prng_below(&rng, 100);
        prng_bytes(&rng, text[i], len);
        /* Some do not fit, some have no output, some are too long. */
        const uint32_t fault = prng_below(&rng, 12);
        items[i] = (esp_seal_item){
            .out = fault == 0 ? NULL : many[i],
            .cap = fault == 1 ? 20 : sizeof(many[i]),
            .in = text[i],
            .len = fault == 2 ? ESP_PAYLOAD_MAX + 1 : len,
            .next_header = (uint8_t)(fault == 3 ? ESP_NEXT_NONE : 47),
        };
    }
    assert_int_equal(esp_sa_seal_batch(b, 0, items, BATCH, spans), ESP_OK);
    for (size_t i = 0; i < BATCH; i++) {
        esp_span span = {0};
        const esp_rc rc = esp_sa_seal(a, 0, items[i].out ? one[i] : NULL, items[i].cap, items[i].in,
                                      items[i].len, items[i].next_header, &span);
        assert_int_equal(spans[i].result, rc);
        assert_int_equal(spans[i].len, span.len);
        assert_true(spans[i].sequence == span.sequence);
        assert_int_equal(spans[i].flags, span.flags);
        assert_bytes(many[i], spans[i].len, one[i], span.len);
    }
    const esp_sa_counters ca = test_counters(a);
    const esp_sa_counters cb = test_counters(b);
    assert_memory_equal(&ca, &cb, sizeof(ca));

    for (size_t i = 0; i < BATCH; i++) {
        /* Some are repeats, some are damaged. */
        const uint32_t fault = prng_below(&rng, 8);
        if (fault == 0 && i > 0) {
            memcpy(many[i], many[i - 1], sizeof(many[i]));
            spans[i].len = spans[i - 1].len;
        } else if (fault == 1) {
            many[i][20] ^= 0x80;
        }
        open_items[i] = (esp_open_item){many[i], spans[i].len};
        memcpy(one[i], many[i], sizeof(one[i]));
    }
    assert_int_equal(esp_sa_open_batch(rb, 0, open_items, BATCH, opened), ESP_OK);
    size_t good = 0;
    for (size_t i = 0; i < BATCH; i++) {
        esp_opened single = {0};
        single.result = esp_sa_open(ra, 0, one[i], spans[i].len, &single);
        assert_memory_equal(&single, &opened[i], sizeof(single));
        if (single.result == ESP_OK) {
            assert_bytes(many[i] + single.offset, single.len, one[i] + single.offset, single.len);
            good++;
        }
    }
    assert_true(good > BATCH / 3);
    const esp_sa_counters oa = test_counters(ra);
    const esp_sa_counters ob = test_counters(rb);
    assert_memory_equal(&oa, &ob, sizeof(oa));
    assert_true(oa.dummy > 0 && oa.auth > 0 && oa.replay > 0 && oa.truncated > 0);
    esp_sa_free(a);
    esp_sa_free(b);
    esp_sa_free(ra);
    esp_sa_free(rb);
}

/* ---- Memory. ---- */

/* The caller may use the cipher library too, and look at its queue of errors. */
static void a_missing_algorithm_is_refused_and_leaves_no_error_in_the_cipher_library(void **state)
{
    (void)state;
    for (size_t k = 0; k < TEST_SUITES; k++) {
        const esp_sa_config cfg = test_config_of(ESP_DIRECTION_OUT, &test_suites[k]);
        esp_sa *sa = NULL;
        ERR_clear_error();
        ERR_raise(ERR_LIB_USER, 1);
        const unsigned long earlier = ERR_peek_error();
        assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
        assert_int_equal(esp_sa_new(&cfg, &sa), ESP_ERR_CRYPTO);
        assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
        assert_null(sa);
        assert_true(ERR_get_error() == earlier);
        assert_true(ERR_get_error() == 0);
        assert_int_equal(esp_sa_new(&cfg, &sa), ESP_OK);
        esp_sa_free(sa);
    }
}

static void make_and_use(fail_alloc *f, void *user)
{
    (void)user;
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.allocator = (esp_allocator){fail_alloc_resize, f};
    cfg.workers = 3;
    esp_sa *out = NULL;
    esp_sa *in = NULL;
    esp_rc rc = esp_sa_new(&cfg, &out);
    if (rc == ESP_OK) {
        cfg.direction = ESP_DIRECTION_IN;
        rc = esp_sa_new(&cfg, &in);
    }
    if (rc == ESP_OK) {
        /* Packets allocate nothing. */
        const uint64_t calls = f->calls;
        uint8_t packet[128];
        esp_span span;
        esp_opened opened;
        assert_int_equal(seal(out, packet, sizeof(packet), PAYLOAD_LEN, &span), ESP_OK);
        assert_int_equal(esp_sa_open(in, 2, packet, span.len, &opened), ESP_OK);
        assert_true(f->calls == calls);
    } else {
        assert_int_equal(rc, ESP_ERR_NOMEM);
        assert_null(in);
    }
    esp_sa_free(out);
    esp_sa_free(in);
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    assert_survives_every_allocation_failure(make_and_use, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_checked_field_by_field),
        cmocka_unit_test(a_config_from_a_newer_header_must_be_zero_beyond_ours),
        cmocka_unit_test(an_sa_tells_what_it_is),
        cmocka_unit_test(every_null_is_an_argument_error),
        cmocka_unit_test(an_sa_works_in_its_own_direction_only),
        cmocka_unit_test(every_length_round_trips_and_its_buffer_is_measured_exactly),
        cmocka_unit_test(the_longest_payload_round_trips_and_one_more_byte_is_refused),
        cmocka_unit_test(a_payload_that_overlaps_elsewhere_is_refused),
        cmocka_unit_test(tunnel_mode_carries_ip_only),
        cmocka_unit_test(packet_limits_warn_first_and_then_expire),
        cmocka_unit_test(byte_limits_warn_first_and_then_expire),
        cmocka_unit_test(a_batch_does_what_single_calls_do),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_missing_algorithm_is_refused_and_leaves_no_error_in_the_cipher_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
