/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets that others made: RFC 7634, draft-mcgrew-gcm-test, scapy, the Python package
 * cryptography.
 */
#include "esp_test.h"

#include "libesp/cipher.h"

typedef struct vector {
    esp_sa_config cfg;
    uint64_t sequence;
    uint8_t next_header;
    const uint8_t *payload;
    size_t payload_len;
    const uint8_t *packet;
    size_t packet_len;
} vector;

static vector read_vector(vectors *v, bool hmac)
{
    vector x = {0};
    esp_sa_config_init(&x.cfg);
    x.cfg.algorithm = (uint8_t)vectors_number(v, "algorithm");
    if (hmac)
        x.cfg.integrity = (uint8_t)vectors_number(v, "integrity");
    x.cfg.mode = (uint8_t)vectors_number(v, "mode");
    x.cfg.spi = (uint32_t)vectors_number(v, "spi");
    x.cfg.esn = (uint8_t)vectors_number(v, "esn");
    x.cfg.keymat = vectors_hex(v, "keymat", &x.cfg.keymat_len);
    x.sequence = vectors_number(v, "sequence");
    x.cfg.last_sequence = x.sequence - 1;
    x.next_header = (uint8_t)vectors_number(v, "next_header");
    x.payload = vectors_hex(v, "payload", &x.payload_len);
    x.packet = vectors_hex(v, "packet", &x.packet_len);
    return x;
}

static size_t header_len(const esp_sa *sa)
{
    esp_sa_info info = {.struct_size = sizeof(info)};
    assert_int_equal(esp_sa_get_info(sa, &info), ESP_OK);
    return info.header_len;
}

static void check_opening(const vector *x)
{
    esp_sa_config cfg = x->cfg;
    cfg.direction = ESP_DIRECTION_IN;
    esp_sa *sa = test_sa(&cfg);
    uint8_t buf[TEST_ROOM];
    esp_opened opened;

    memcpy(buf, x->packet, x->packet_len);
    assert_int_equal(esp_sa_open(sa, 0, buf, x->packet_len, &opened), ESP_OK);
    assert_int_equal(opened.next_header, x->next_header);
    assert_true(opened.sequence == x->sequence);
    assert_int_equal(opened.offset, header_len(sa));
    assert_bytes(buf + opened.offset, opened.len, x->payload, x->payload_len);
    esp_sa_free(sa);
}

static void check_sealing(const vector *x)
{
    esp_sa_config cfg = x->cfg;
    cfg.direction = ESP_DIRECTION_OUT;
    uint8_t buf[TEST_ROOM];
    esp_span span;

    esp_sa *sa = test_sa(&cfg);
    assert_int_equal(
        esp_sa_seal(sa, 0, buf, x->packet_len, x->payload, x->payload_len, x->next_header, &span),
        ESP_OK);
    assert_true(span.sequence == x->sequence);
    assert_bytes(buf + span.offset, span.len, x->packet, x->packet_len);
    esp_sa_free(sa);

    sa = test_sa(&cfg);
    uint8_t *in_place = buf + header_len(sa);
    memcpy(in_place, x->payload, x->payload_len);
    assert_int_equal(
        esp_sa_seal(sa, 0, buf, sizeof(buf), in_place, x->payload_len, x->next_header, &span),
        ESP_OK);
    assert_bytes(buf + span.offset, span.len, x->packet, x->packet_len);
    esp_sa_free(sa);
}

static size_t check_file(const char *path, bool hmac, bool seal)
{
    vectors *v = vectors_open(path);
    size_t n = 0;
    while (vectors_next(v)) {
        const vector x = read_vector(v, hmac);
        check_opening(&x);
        if (seal)
            check_sealing(&x);
        n++;
    }
    vectors_close(v);
    return n;
}

/* RFC 7634 Appendix A */
static void the_esp_example_of_rfc_7634_opens(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/rfc7634.txt", false, false), 1);
}

/* draft-mcgrew-gcm-test-01 4, for RFC 4106 */
static void the_gcm_examples_for_esp_open(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/mcgrew_gcm.txt", false, false), 2);
}

/* RFC 4303 2, RFC 4106 3 to 6, RFC 7634 2 */
static void packets_of_an_independent_aead_open_and_are_sealed_alike(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/aead.txt", false, true), 3 * (6 * 11 + 1));
}

static void packets_of_scapy_open_and_are_sealed_alike(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/scapy.txt", false, true), 3 * 3 * 2 * 2);
}

/* RFC 3602 4 */
static void the_esp_examples_of_rfc_3602_open(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/rfc3602.txt", true, false), 4);
}

/* RFC 3602 2, 3; RFC 2410; RFC 4868 2; RFC 4303 2.8 */
static void packets_of_an_independent_cipher_and_hmac_open_and_are_sealed_alike(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/hmac.txt", true, true), 3 * 3 * 4 * 10);
}

static void packets_of_scapy_with_hmac_open(void **state)
{
    (void)state;
    assert_int_equal(check_file("esp/vectors/scapy_hmac.txt", true, false), 3 * 3 * 3);
}

/* The IVs of the published examples are not sequence numbers, so they go to the cipher itself. */
static void the_cipher_makes_the_published_examples(void **state)
{
    (void)state;
    static const char *const files[] = {"esp/vectors/rfc7634.txt", "esp/vectors/mcgrew_gcm.txt"};
    const alloc a = alloc_make(NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        vectors *v = vectors_open(files[i]);
        while (vectors_next(v)) {
            const vector x = read_vector(v, false);
            size_t nonce_len, aad_len;
            uint8_t buf[TEST_ROOM];
            const size_t text_len = x.packet_len - ESP_HEADER_BYTES - ESP_ICV_BYTES;

            /* Both ways of handing in the text: in place, and its whole blocks from elsewhere. */
            for (size_t head = 0; head <= 16; head += 16) {
                memcpy(buf, x.payload, x.payload_len);
                const size_t pad_len = text_len - x.payload_len - 2;
                for (size_t k = 0; k < pad_len; k++)
                    buf[x.payload_len + k] = (uint8_t)(k + 1);
                buf[text_len - 2] = (uint8_t)pad_len;
                buf[text_len - 1] = x.next_header;
                memset(buf, 0, head);

                const esp__cipher_job job = {
                    .nonce = vectors_hex(v, "nonce", &nonce_len),
                    .aad = vectors_hex(v, "aad", &aad_len),
                    .aad_len = x.cfg.esn ? 12 : 8,
                    .head = x.payload,
                    .head_len = head,
                    .text = buf,
                    .len = text_len,
                    .icv = buf + text_len,
                };
                assert_int_equal(nonce_len, ESP__NONCE_BYTES);
                assert_int_equal(aad_len, job.aad_len);
                esp__cipher *c = NULL;
                const esp__cipher_backend *b = &esp__cipher_openssl;
                esp__suite suite;
                assert_true(esp__suite_get(x.cfg.algorithm, ESP_INTEGRITY_NONE, &suite));
                assert_int_equal(b->create(&a, &suite, true, x.cfg.keymat, &c), ESP_OK);
                assert_int_equal(b->seal(c, &job), ESP_OK);
                assert_bytes(buf, text_len + ESP_ICV_BYTES, x.packet + ESP_HEADER_BYTES,
                             text_len + ESP_ICV_BYTES);
                b->destroy(&a, c);
            }
        }
        vectors_close(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_esp_example_of_rfc_7634_opens),
        cmocka_unit_test(the_gcm_examples_for_esp_open),
        cmocka_unit_test(packets_of_an_independent_aead_open_and_are_sealed_alike),
        cmocka_unit_test(packets_of_scapy_open_and_are_sealed_alike),
        cmocka_unit_test(the_esp_examples_of_rfc_3602_open),
        cmocka_unit_test(packets_of_an_independent_cipher_and_hmac_open_and_are_sealed_alike),
        cmocka_unit_test(packets_of_scapy_with_hmac_open),
        cmocka_unit_test(the_cipher_makes_the_published_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
