/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <nhrp/nhrp.h>

#include <string.h>

enum { OUI = NHRP_OUI_DEFAULT };

static nhrp_label_binding binding(uint8_t role, uint32_t label, uint8_t a, uint8_t b, uint8_t c,
                                  uint8_t len)
{
    nhrp_label_binding out = {.role = role, .label_count = 1, .labels = {label}};
    out.prefix.family = NHRP_FAMILY_IPV4;
    out.prefix.prefix_len = len;
    out.prefix.bytes[0] = a;
    out.prefix.bytes[1] = b;
    out.prefix.bytes[2] = c;
    return out;
}

/* The extension as it is documented, label 100 for 10.1.1.0/24 as CONTEXT, assembled by hand. */
static const char DOCUMENTED[] = "00 08 00 13 02 4d 50 4c 01 01 0c 01 00 00 01 18 01 00 06 41"
                                 "0a 01 01";

static nhrp_extension extension(const uint8_t *value, size_t len)
{
    return (nhrp_extension){
        .type = NHRP_EXTENSION_VENDOR, .kind = NHRP_KIND_VENDOR, .value = value, .len = len};
}

static void the_documented_octets_are_what_is_written(void **state)
{
    (void)state;
    uint8_t value[64], buf[256];
    size_t value_len, len;
    nhrp_packet h = {.type = 1};
    nhrp_writer w;
    h.destination_protocol.family = NHRP_FAMILY_IPV4;
    const nhrp_label_binding b = binding(NHRP_ROLE_CONTEXT, 100, 10, 1, 1, 24);
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, value, sizeof(value), &value_len), NHRP_OK);
    const nhrp_extension x = extension(value, value_len);
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    const size_t before = w.len;
    assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    const size_t after = w.len;
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_hex(buf + before, after - before, DOCUMENTED);
}

static void the_documented_octets_are_what_is_read(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t it = 0;
    nhrp_label_binding b;
    const size_t len = hex_bytes(DOCUMENTED, bytes, sizeof(bytes));
    const nhrp_extension x = extension(bytes + 4, len - 4);
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_YES);
    assert_int_equal(nhrp_label_next(&x, &it, &b), NHRP_YES);
    const nhrp_label_binding want = binding(NHRP_ROLE_CONTEXT, 100, 10, 1, 1, 24);
    assert_memory_equal(&b, &want, sizeof(b));
    assert_int_equal(nhrp_label_next(&x, &it, &b), NHRP_OK);
}

/* design: the label for the responder's tunnel address, implicit null = 00 00 31 */
static void implicit_null_is_written_as_documented(void **state)
{
    (void)state;
    uint8_t value[64];
    size_t len;
    nhrp_label_binding b = binding(NHRP_ROLE_RESPONDER_OVERLAY, 3, 172, 16, 1, 32);
    b.prefix.bytes[3] = 2;
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, value, sizeof(value), &len), NHRP_OK);
    assert_hex(value, len, "02 4d 50 4c 01 01 0d 03 00 00 01 20 01 00 00 31 ac 10 01 02");
}

static void another_maker_s_extension_and_another_version_are_not_ours(void **state)
{
    (void)state;
    uint8_t bytes[64];
    const size_t len = hex_bytes(DOCUMENTED, bytes, sizeof(bytes));
    nhrp_extension x = extension(bytes + 4, len - 4);
    assert_int_equal(nhrp_label_check(&x, 0x00000c), NHRP_OK);
    x.type = 7;
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_OK);
    x.type = NHRP_EXTENSION_VENDOR;
    bytes[8] = 2;
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_OK);
    bytes[8] = 1;
    bytes[7] = 'M';
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_OK);
    x.len = 4;
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_OK);
}

static void malformed_bindings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        /* no binding at all */
        "024d504c01",
        /* a binding longer than the extension */
        "024d504c01 01 0d 01 00 0001 18 01 000641 0a0101",
        /* a binding with an octet too many */
        "024d504c01 01 0d 01 00 0001 18 01 000641 0a010100",
        /* a binding with an octet too few */
        "024d504c01 01 0b 01 00 0001 18 01 000641 0a01",
        /* no labels */
        "024d504c01 01 09 01 00 0001 18 00 0a0101",
        /* five labels */
        "024d504c01 01 18 01 00 0001 18 05 000640 000640 000640 000640 000641 0a0101",
        /* bottom of stack missing */
        "024d504c01 01 0c 01 00 0001 18 01 000640 0a0101",
        /* bottom of stack before the last */
        "024d504c01 01 0f 01 00 0001 18 02 000641 000641 0a0101",
        /* an unknown address family */
        "024d504c01 01 0c 01 00 0003 18 01 000641 0a0101",
        /* a prefix length that the family does not have */
        "024d504c01 01 0e 01 00 0001 21 01 000641 0a01010000",
        /* bits beyond the prefix length */
        "024d504c01 01 0c 01 00 0001 17 01 000641 0a0101",
        /* label 0, explicit null */
        "024d504c01 01 0c 01 00 0001 18 01 000001 0a0101",
        /* label 1, router alert */
        "024d504c01 01 0c 01 00 0001 18 01 000011 0a0101",
        /* label 15 */
        "024d504c01 01 0c 01 00 0001 18 01 0000f1 0a0101",
        /* implicit null within a stack */
        "024d504c01 01 0f 01 00 0001 18 02 000030 000641 0a0101",
        /* half a header after a binding */
        "024d504c01 01 0c 01 00 0001 18 01 000641 0a0101 01",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t bytes[64];
        const size_t len = hex_bytes(bad[i], bytes, sizeof(bytes));
        const nhrp_extension x = extension(bytes, len);
        if (nhrp_label_check(&x, OUI) != NHRP_ERR_LABEL)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void a_binding_of_a_later_revision_is_skipped(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t it = 0;
    nhrp_label_binding b;
    const size_t len = hex_bytes("024d504c01 07 02 aabb 01 0c 01 00 0001 18 01 000641 0a0101",
                                 bytes, sizeof(bytes));
    const nhrp_extension x = extension(bytes, len);
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_YES);
    assert_int_equal(nhrp_label_next(&x, &it, &b), NHRP_YES);
    assert_int_equal(b.labels[0], 100);
}

static void more_bindings_than_the_limit_are_refused(void **state)
{
    (void)state;
    uint8_t value[512];
    size_t len;
    nhrp_label_binding b[NHRP_BINDINGS_MAX + 1];
    for (size_t i = 0; i <= NHRP_BINDINGS_MAX; i++)
        b[i] = binding(1, 100, 10, 1, 1, 24);
    assert_int_equal(nhrp_label_encode(b, NHRP_BINDINGS_MAX + 1, OUI, value, sizeof(value), &len),
                     NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(b, NHRP_BINDINGS_MAX, OUI, value, sizeof(value), &len),
                     NHRP_OK);
    nhrp_extension x = extension(value, len);
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_YES);
    memcpy(value + len, value + 5, 14);
    x.len += 14;
    assert_int_equal(nhrp_label_check(&x, OUI), NHRP_ERR_LABEL);
}

static void bindings_survive_the_wire(void **state)
{
    (void)state;
    prng r = {4711};
    for (int round = 0; round < 5000; round++) {
        nhrp_label_binding b[NHRP_BINDINGS_MAX] = {{0}}, got;
        uint8_t value[512];
        size_t len, it = 0;
        const size_t n = 1 + prng_below(&r, 4);
        for (size_t i = 0; i < n; i++) {
            b[i].role = (uint8_t)prng_u64(&r);
            b[i].label_count = (uint8_t)(1 + prng_below(&r, NHRP_LABELS_MAX));
            for (size_t k = 0; k < b[i].label_count; k++)
                b[i].labels[k] = NHRP_LABEL_FIRST + prng_below(&r, NHRP_LABEL_LAST - 15);
            b[i].prefix.family = prng_below(&r, 2) ? NHRP_FAMILY_IPV4 : NHRP_FAMILY_IPV6;
            const uint32_t bits = b[i].prefix.family == NHRP_FAMILY_IPV4 ? 32 : 128;
            b[i].prefix.prefix_len = (uint8_t)prng_below(&r, bits + 1);
            for (size_t bit = 0; bit < b[i].prefix.prefix_len; bit++)
                if (prng_below(&r, 2))
                    b[i].prefix.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        assert_int_equal(nhrp_label_encode(b, n, OUI, value, sizeof(value), &len), NHRP_OK);
        const nhrp_extension x = extension(value, len);
        assert_int_equal(nhrp_label_check(&x, OUI), NHRP_YES);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(nhrp_label_next(&x, &it, &got), NHRP_YES);
            assert_memory_equal(&got, &b[i], sizeof(got));
        }
        assert_int_equal(nhrp_label_next(&x, &it, &got), NHRP_OK);
        for (size_t cap = 0; cap < len; cap++) {
            size_t need = 0;
            assert_int_equal(nhrp_label_encode(b, n, OUI, value, cap, &need), NHRP_ERR_BUFFER);
            assert_int_equal(need, len);
        }
    }
}

static void no_function_takes_null_or_nonsense(void **state)
{
    (void)state;
    uint8_t value[64];
    size_t len, it = 0;
    nhrp_label_binding b = binding(1, 100, 10, 1, 1, 24);
    nhrp_extension x = extension(NULL, 0);
    assert_int_equal(nhrp_label_check(NULL, OUI), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_next(NULL, &it, &b), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_next(&x, NULL, &b), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_next(&x, &it, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_next(&x, &it, &b), NHRP_ERR_LABEL);
    it = 1;
    assert_int_equal(nhrp_label_next(&x, &it, &b), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(NULL, 1, OUI, value, 64, &len), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(&b, 0, OUI, value, 64, &len), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(&b, 1, 0x1000000, value, 64, &len), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, NULL, 64, &len), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, value, 64, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, NULL, 0, &len), NHRP_ERR_BUFFER);
    b.labels[0] = 0x100000;
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, value, 64, &len), NHRP_ERR_ARG);
    b.labels[0] = 0;
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, value, 64, &len), NHRP_ERR_ARG);
    b.labels[0] = 100;
    b.prefix.prefix_len = 23;
    assert_int_equal(nhrp_label_encode(&b, 1, OUI, value, 64, &len), NHRP_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_octets_are_what_is_written),
        cmocka_unit_test(the_documented_octets_are_what_is_read),
        cmocka_unit_test(implicit_null_is_written_as_documented),
        cmocka_unit_test(another_maker_s_extension_and_another_version_are_not_ours),
        cmocka_unit_test(malformed_bindings_are_refused),
        cmocka_unit_test(a_binding_of_a_later_revision_is_skipped),
        cmocka_unit_test(more_bindings_than_the_limit_are_refused),
        cmocka_unit_test(bindings_survive_the_wire),
        cmocka_unit_test(no_function_takes_null_or_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
