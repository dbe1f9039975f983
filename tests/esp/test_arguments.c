/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every function with each pointer NULL, lengths of zero, sizes and capacities that do not do, and
 * without memory. tests/gates/arguments.py tells whether one is left out.
 */
#include "refusal.h"

#include "esp_test.h"

enum { COOKIE = 42, PAYLOAD_LEN = 5 };

static const uint8_t payload[PAYLOAD_LEN] = {1, 2, 3, 4, 5};

static struct {
    esp_sa_config cfg;
    esp_table_config table_cfg;
    esp_sa_info info;
    esp_sa_counters counters;
    esp_header header;
    esp_outer outer;
    esp_span span, spans[2];
    esp_opened opened, openeds[2];
    esp_sa *sa;
    esp_table *table;
    uint64_t cookie;
    size_t len;
    uint32_t kind;
    uint8_t buf[128];
} out;

static esp_sa_config cfg;
static esp_table_config table_cfg;
static esp_sa *outbound, *inbound;
static esp_table *table;

static void sa_state(description *d, const esp_sa *sa)
{
    const esp_sa_counters c = test_counters(sa);
    esp_sa_info i = {.struct_size = sizeof(i)};
    assert_int_equal(esp_sa_get_info(sa, &i), ESP_OK);
    describe(d, &c, sizeof(c));
    describe(d, &i, sizeof(i));
}

static void all_state(description *d)
{
    esp_sa *sa = NULL;
    uint64_t cookie = 0;
    const esp_rc found = esp_table_lookup(table, TEST_SPI, &sa, &cookie);
    const uint64_t entry[] = {esp_table_get_count(table), cookie, (uint64_t)(sa == inbound),
                              (uint64_t)found};
    sa_state(d, outbound);
    sa_state(d, inbound);
    describe(d, entry, sizeof(entry));
}

static void watch_all(void)
{
    watch(&out, sizeof(out), inbound && table ? all_state : NULL);
    out.info.struct_size = sizeof(out.info);
    out.counters.struct_size = sizeof(out.counters);
}

static int setup(void **state)
{
    (void)state;
    cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.esn = 1;
    outbound = test_sa(&cfg);
    cfg.direction = ESP_DIRECTION_IN;
    inbound = test_sa(&cfg);
    esp_table_config_init(&table_cfg);
    assert_int_equal(esp_table_new(&table_cfg, &table), ESP_OK);
    assert_int_equal(esp_table_add(table, inbound, COOKIE), ESP_OK);
    watch_all();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    esp_table_free(table);
    esp_sa_free(inbound);
    esp_sa_free(outbound);
    inbound = outbound = NULL;
    table = NULL;
    return 0;
}

static const esp_outer outer = {.family = ESP_FAMILY_IPV4,
                                .hop_limit = 64,
                                .payload_len = 8,
                                .source = {10, 1, 1, 1},
                                .destination = {10, 2, 2, 2}};

static int32_t encode_outer(uint8_t *buf, size_t cap, size_t *len)
{
    return esp_outer_encode(&outer, buf, cap, len);
}

static int32_t encode_keepalive(uint8_t *buf, size_t cap, size_t *len)
{
    return esp_udp_keepalive_encode(buf, cap, len);
}

static int32_t seal(uint8_t *buf, size_t cap, size_t *len)
{
    esp_span span;
    assert_int_equal(esp_sa_get_sealed_len(outbound, PAYLOAD_LEN, len), ESP_OK);
    return esp_sa_seal(outbound, 0, buf, cap, payload, PAYLOAD_LEN, ESP_NEXT_GRE, &span);
}

static void the_packet_functions_refuse_null_and_take_no_octets(void **state)
{
    (void)state;
    /* RFC 4303 2: SPI 0x1000, sequence number 1 */
    const uint8_t head[] = {0, 0, 0x10, 0, 0, 0, 0, 1};
    uint8_t packet[28] = {0};
    accepts(esp_header_decode(head, sizeof(head), &out.header));
    refuses(esp_header_decode(NULL, sizeof(head), &out.header));
    refuses(esp_header_decode(head, sizeof(head), NULL));
    answers(ESP_ERR_TRUNCATED, esp_header_decode(head, 0, &out.header));

    accepts(esp_udp_classify(head, sizeof(head), &out.kind));
    refuses(esp_udp_classify(NULL, sizeof(head), &out.kind));
    refuses(esp_udp_classify(head, sizeof(head), NULL));
    answers(ESP_ERR_TRUNCATED, esp_udp_classify(head, 0, &out.kind));

    accepts(esp_udp_keepalive_encode(out.buf, 1, &out.len));
    refuses(esp_udp_keepalive_encode(NULL, 1, &out.len));
    refuses(esp_udp_keepalive_encode(out.buf, 1, NULL));
    assert_int_equal(esp_udp_keepalive_encode(out.buf, 0, &out.len), ESP_ERR_BUFFER);
    assert_every_capacity(encode_keepalive, ESP_OK, ESP_UDP_KEEPALIVE_BYTES);

    accepts(esp_outer_encode(&outer, packet, sizeof(packet), &out.len));
    refuses(esp_outer_encode(NULL, out.buf, sizeof(out.buf), &out.len));
    refuses(esp_outer_encode(&outer, NULL, sizeof(out.buf), &out.len));
    refuses(esp_outer_encode(&outer, out.buf, sizeof(out.buf), NULL));
    assert_int_equal(esp_outer_encode(&outer, out.buf, 0, &out.len), ESP_ERR_BUFFER);
    assert_every_capacity(encode_outer, ESP_OK, 20);

    accepts(esp_outer_decode(packet, sizeof(packet), &out.outer));
    refuses(esp_outer_decode(NULL, sizeof(packet), &out.outer));
    refuses(esp_outer_decode(packet, sizeof(packet), NULL));
    answers(ESP_ERR_TRUNCATED, esp_outer_decode(packet, 0, &out.outer));
}

#define ESP_IN_IPV6                                                                                \
    "60000000 0008 3240 20010db8000000000000000000000001 20010db8000000000000000000000002"         \
    "00001000 00000001"

/* Each as the same call once more, whose result is the one just seen. */
static void try_all(const uint8_t *b, size_t n)
{
    esp_header h;
    esp_outer o;
    uint32_t kind;
    esp_rc rc = esp_header_decode(b, n, &h);
    if (rc < 0)
        answers(rc, esp_header_decode(b, n, &out.header));
    rc = esp_udp_classify(b, n, &kind);
    if (rc < 0)
        answers(rc, esp_udp_classify(b, n, &out.kind));
    rc = esp_outer_decode(b, n, &o);
    if (rc < 0)
        answers(rc, esp_outer_decode(b, n, &out.outer));
}

static void a_decoder_that_fails_has_written_nothing(void **state)
{
    (void)state;
    static const char *const good[] = {
        /* RFC 4303 2 alone, in IPv4 and in IPv6 */
        "00001000 00000001",
        "4500001c 00004000 403223ab 0a010101 0a020202 00001000 00000001",
        ESP_IN_IPV6,
    };
    static const uint8_t values[] = {0, 1, 4, 127, 255};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint8_t b[64];
        const size_t n = hex_bytes(good[i], b, sizeof(b));
        for (size_t len = 0; len <= n; len++)
            try_all(b, len);
        for (size_t at = 0; at < n * sizeof(values); at++) {
            const uint8_t was = b[at / sizeof(values)];
            b[at / sizeof(values)] = values[at % sizeof(values)];
            try_all(b, n);
            b[at / sizeof(values)] = was;
        }
    }
}

static void the_sa_functions_refuse_null_and_leave_the_sa_as_it_was(void **state)
{
    (void)state;
    esp_sa_config_init(NULL);
    esp_sa_config_init(&out.cfg);
    refuses(esp_sa_new(NULL, &out.sa));
    refuses(esp_sa_new(&cfg, NULL));
    refuses_sizes(esp_sa_new(sized(cfg), &out.sa));
    accepts(esp_sa_new(&cfg, &out.sa));
    esp_sa_free(out.sa);
    esp_sa_free(NULL);

    refuses(esp_sa_get_sealed_len(NULL, 5, &out.len));
    refuses(esp_sa_get_sealed_len(outbound, 5, NULL));
    accepts(esp_sa_get_sealed_len(outbound, 0, &out.len));
    assert_int_equal(out.len, ESP_PACKET_MIN);
    refuses(esp_sa_get_payload_max(NULL, 1400, &out.len));
    refuses(esp_sa_get_payload_max(outbound, 1400, NULL));
    answers(ESP_ERR_BUFFER, esp_sa_get_payload_max(outbound, 0, &out.len));
    accepts(esp_sa_get_payload_max(outbound, 1400, &out.len));
    refuses(esp_sa_get_info(NULL, &out.info));
    refuses(esp_sa_get_info(outbound, NULL));
    refuses_sizes(esp_sa_get_info(outbound, sized(out.info)));
    accepts(esp_sa_get_info(outbound, &out.info));
    refuses(esp_sa_get_counters(NULL, &out.counters));
    refuses(esp_sa_get_counters(outbound, NULL));
    refuses_sizes(esp_sa_get_counters(outbound, sized(out.counters)));
    accepts(esp_sa_get_counters(outbound, &out.counters));
}

static void sealing_refuses_null_and_takes_no_sequence_number(void **state)
{
    (void)state;
    const size_t cap = sizeof(out.buf), len = PAYLOAD_LEN;
    const esp_seal_item items[2] = {
        {.out = out.buf, .cap = 64, .in = payload, .len = len, .next_header = ESP_NEXT_GRE},
        {.out = out.buf + 64, .cap = 64, .next_header = ESP_NEXT_GRE}};
    refuses(esp_sa_seal(NULL, 0, out.buf, cap, payload, len, ESP_NEXT_GRE, &out.span));
    refuses(esp_sa_seal(outbound, 0, NULL, cap, payload, len, ESP_NEXT_GRE, &out.span));
    refuses(esp_sa_seal(outbound, 0, out.buf, cap, NULL, len, ESP_NEXT_GRE, &out.span));
    refuses(esp_sa_seal(outbound, 0, out.buf, cap, payload, len, ESP_NEXT_GRE, NULL));
    refuses(esp_sa_seal_batch(NULL, 0, items, 2, out.spans));
    refuses(esp_sa_seal_batch(outbound, 0, NULL, 2, out.spans));
    refuses(esp_sa_seal_batch(outbound, 0, items, 2, NULL));
    answers(ESP_OK, esp_sa_seal_batch(outbound, 0, items, 0, out.spans));
    answers(ESP_ERR_STATE, esp_sa_seal(inbound, 0, out.buf, cap, payload, len, 47, &out.span));
    assert_int_equal(esp_sa_seal(outbound, 0, out.buf, 0, payload, len, 47, &out.span),
                     ESP_ERR_BUFFER);

    /* RFC 4303 3.3.3: the first packet sent has number 1; so nothing above took one. */
    accepts(esp_sa_seal(outbound, 0, out.buf, cap, payload, 0, ESP_NEXT_GRE, &out.span));
    assert_int_equal(out.span.sequence, 1);
    accepts(esp_sa_seal(outbound, 0, out.buf, cap, NULL, 0, ESP_NEXT_GRE, &out.span));
    accepts(esp_sa_seal_batch(outbound, 0, items, 2, out.spans));
    assert_int_equal(out.spans[1].sequence, 4);
    /* 16 of header, 5 of payload, 1 of padding, 2 of trailer, 16 of ICV */
    assert_every_capacity(seal, ESP_OK, 40);
    assert_int_equal(test_counters(outbound).sequence, 5);
    assert_int_equal(test_counters(outbound).buffer, 41);
}

static void opening_refuses_null_and_changes_no_octet(void **state)
{
    (void)state;
    uint8_t copy[64], copies[2][64];
    const size_t cap = sizeof(copy), len = 40;
    const uint32_t tries = 2;
    esp_opened opened;
    assert_int_equal(esp_sa_seal(outbound, 0, copy, cap, payload, 5, 47, &out.span), ESP_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(esp_sa_seal(outbound, 0, copies[i], cap, payload, 5, 47, &out.span),
                         ESP_OK);
    const esp_open_item items[2] = {{copies[0], len}, {copies[1], len}};
    memcpy(out.buf, copy, len);
    refuses(esp_sa_open(NULL, 0, out.buf, len, &out.opened));
    refuses(esp_sa_open(inbound, 0, NULL, len, &out.opened));
    refuses(esp_sa_open(inbound, 0, out.buf, len, NULL));
    answers(ESP_ERR_STATE, esp_sa_open(outbound, 0, out.buf, len, &out.opened));
    refuses(esp_sa_open_batch(NULL, 0, items, 2, out.openeds));
    refuses(esp_sa_open_batch(inbound, 0, NULL, 2, out.openeds));
    refuses(esp_sa_open_batch(inbound, 0, items, 2, NULL));
    answers(ESP_OK, esp_sa_open_batch(inbound, 0, items, 0, out.openeds));
    refuses(esp_sa_resync(NULL, 0, copy, len, tries, out.buf, cap, &out.opened));
    refuses(esp_sa_resync(inbound, 0, NULL, len, tries, out.buf, cap, &out.opened));
    refuses(esp_sa_resync(inbound, 0, copy, len, tries, NULL, cap, &out.opened));
    refuses(esp_sa_resync(inbound, 0, copy, len, tries, out.buf, cap, NULL));

    assert_int_equal(esp_sa_open(inbound, 0, out.buf, 0, &opened), ESP_ERR_TRUNCATED);
    assert_int_equal(esp_sa_resync(inbound, 0, copy, 0, tries, out.buf, cap, &opened),
                     ESP_ERR_TRUNCATED);
    assert_int_equal(esp_sa_resync(inbound, 0, copy, len, tries, out.buf, 0, &opened),
                     ESP_ERR_BUFFER);
    assert_int_equal(test_counters(inbound).truncated, 2);
    assert_int_equal(test_counters(inbound).buffer, 1);
    assert_memory_equal(out.buf, copy, len);
    accepts(esp_sa_open(inbound, 0, out.buf, len, &out.opened));
    assert_memory_equal(out.buf + out.opened.offset, payload, PAYLOAD_LEN);
    accepts(esp_sa_open_batch(inbound, 0, items, 2, out.openeds));
    assert_int_equal(out.openeds[1].result, ESP_OK);
}

/* RFC 4303 A3: the packet is of the next 2^32, so the window of inbound is behind. */
static void a_resynchronization_with_nothing_wrong_succeeds(void **state)
{
    (void)state;
    esp_sa *ahead;
    uint8_t packet[64];
    cfg.direction = ESP_DIRECTION_OUT;
    cfg.last_sequence = UINT64_C(1) << 32;
    assert_int_equal(esp_sa_new(&cfg, &ahead), ESP_OK);
    assert_int_equal(esp_sa_seal(ahead, 0, packet, 64, payload, 5, 47, &out.span), ESP_OK);
    accepts(esp_sa_resync(inbound, 0, packet, out.span.len, 2, out.buf, 64, &out.opened));
    assert_true(out.opened.sequence == cfg.last_sequence + 1);
    esp_sa_free(ahead);
}

static void the_table_functions_refuse_null_and_leave_the_table_as_it_was(void **state)
{
    (void)state;
    esp_table_config_init(NULL);
    esp_table_config_init(&out.table_cfg);
    refuses(esp_table_new(NULL, &out.table));
    refuses(esp_table_new(&table_cfg, NULL));
    refuses_sizes(esp_table_new(sized(table_cfg), &out.table));
    accepts(esp_table_new(&table_cfg, &out.table));
    refuses(esp_table_add(NULL, inbound, COOKIE));
    refuses(esp_table_add(table, NULL, COOKIE));
    refuses(esp_table_remove(NULL, TEST_SPI));
    refuses(esp_table_lookup(NULL, TEST_SPI, &out.sa, &out.cookie));
    refuses(esp_table_lookup(table, TEST_SPI, NULL, &out.cookie));
    refuses(esp_table_lookup(table, TEST_SPI, &out.sa, NULL));
    assert_int_equal(esp_table_get_count(NULL), 0);
    assert_int_equal(esp_table_get_count(table), 1);
    accepts(esp_table_lookup(table, TEST_SPI, &out.sa, &out.cookie));
    accepts(esp_table_add(out.table, inbound, COOKIE));
    accepts(esp_table_remove(out.table, TEST_SPI));
    esp_table_free(out.table);
    esp_table_free(NULL);
}

static void names_are_told_for_any_number(void **state)
{
    (void)state;
    assert_int_equal(esp_version() >> 16, ESP_VERSION_MAJOR);
    assert_string_equal(esp_rc_name(INT32_MIN), "ESP_UNKNOWN");
}

static void without_memory(fail_alloc *f, void *user)
{
    (void)user;
    const esp_allocator allocator = {fail_alloc_resize, f};
    cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.allocator = table_cfg.allocator = allocator;
    cfg.workers = 3;
    watch_all();
    step(ESP_OK, esp_sa_new(&cfg, &out.sa));
    outbound = out.sa;
    cfg.direction = ESP_DIRECTION_IN;
    step(ESP_OK, esp_sa_new(&cfg, &out.sa));
    inbound = out.sa;
    step(ESP_OK, esp_table_new(&table_cfg, &out.table));
    table = out.table;
    watch_all();
    step(ESP_OK, esp_table_add(table, inbound, COOKIE));
    accepts(esp_sa_seal(outbound, 2, out.buf, 64, payload, PAYLOAD_LEN, 47, &out.span));
    accepts(esp_sa_open(inbound, 1, out.buf, out.span.len, &out.opened));
    ends();
    (void)teardown(NULL);
}

static void every_function_survives_the_lack_of_memory(void **state)
{
    (void)state;
    esp_table_config_init(&table_cfg);
    assert_steps_survive_every_allocation_failure(without_memory, NULL);
}

#define WITH_SAS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAS(the_packet_functions_refuse_null_and_take_no_octets),
        WITH_SAS(a_decoder_that_fails_has_written_nothing),
        WITH_SAS(the_sa_functions_refuse_null_and_leave_the_sa_as_it_was),
        WITH_SAS(sealing_refuses_null_and_takes_no_sequence_number),
        WITH_SAS(opening_refuses_null_and_changes_no_octet),
        WITH_SAS(a_resynchronization_with_nothing_wrong_succeeds),
        WITH_SAS(the_table_functions_refuse_null_and_leave_the_table_as_it_was),
        cmocka_unit_test(names_are_told_for_any_number),
        cmocka_unit_test(every_function_survives_the_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
