/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include "internal/checksum.h"
#include "internal/versioned.h"
#include "internal/wire.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void integers_are_read_in_network_order(void **state)
{
    (void)state;
    wire_reader r = wire_reader_make(bytes, sizeof(bytes));
    assert_int_equal(wire_get_u8(&r), 0x01);
    assert_int_equal(wire_get_u16(&r), 0x0203);
    assert_int_equal(wire_get_u24(&r), 0x040506);
    assert_int_equal(wire_get_u32(&r), 0x0708090a);
    assert_true(wire_done(&r));
}

static void a_short_read_sticks(void **state)
{
    (void)state;
    wire_reader r = wire_reader_make(bytes, 3);
    assert_int_equal(wire_get_u32(&r), 0);
    assert_int_equal(wire_get_u8(&r), 0);
    assert_int_equal(r.left, 0);
    assert_null(wire_get_bytes(&r, 0));
    assert_false(wire_ok(&r));
    assert_false(wire_done(&r));
}

static void a_sub_cursor_stays_within_its_length(void **state)
{
    (void)state;
    wire_reader r = wire_reader_make(bytes, sizeof(bytes));
    wire_reader sub = wire_sub(&r, 4);
    assert_int_equal(wire_get_u16(&sub), 0x0102);
    assert_false(wire_done(&sub));
    assert_int_equal(wire_get_u32(&sub), 0);
    assert_false(wire_ok(&sub));
    assert_int_equal(wire_get_u16(&r), 0x0506);

    wire_reader beyond = wire_sub(&r, 5);
    assert_false(wire_ok(&beyond));
    assert_false(wire_ok(&r));
}

static void a_length_near_the_top_of_size_t_does_not_wrap(void **state)
{
    (void)state;
    wire_reader r = wire_reader_make(bytes, sizeof(bytes));
    assert_null(wire_get_bytes(&r, SIZE_MAX));
    assert_false(wire_ok(&r));
}

static void a_full_writer_tells_the_size_it_wants(void **state)
{
    (void)state;
    uint8_t buf[4] = {0};
    wire_writer w = wire_writer_make(buf, sizeof(buf));
    wire_put_u24(&w, 0x010203);
    wire_put_u32(&w, 0xffffffff);
    wire_put_u8(&w, 9);
    assert_false(wire_fits(&w));
    assert_int_equal(w.len, 8);
    assert_hex(buf, 4, "01020300");

    uint8_t room[8];
    w = wire_writer_make(room, sizeof(room));
    wire_put_u16(&w, 0);
    wire_put_u24(&w, 0x040506);
    wire_patch_u16(&w, 0, 0xabcd);
    wire_put_zeros(&w, 3);
    assert_true(wire_fits(&w));
    assert_hex(room, w.len, "abcd040506000000");
}

/* RFC 1071 section 3: the sum of its example, and the same over an odd number of bytes. */
static void checksums_are_those_of_rfc1071(void **state)
{
    (void)state;
    const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(checksum_end(checksum_add(0, data, sizeof(data))), (uint16_t)~0xddf2);
    assert_int_equal(checksum_end(checksum_add(0, data, 3)), (uint16_t)~0xf201);
    assert_int_equal(checksum_end(checksum_add(checksum_add(0, data, 2), data + 2, 6)),
                     (uint16_t)~0xddf2);
}

typedef struct grown {
    uint32_t struct_size;
    uint32_t first;
    uint32_t second;
} grown;

static void structs_of_older_and_newer_callers_are_read(void **state)
{
    (void)state;
    grown ours = {.second = 7};
    const uint32_t older[2] = {8, 5};
    assert_true(versioned_read(&ours, sizeof(ours), 8, older));
    assert_int_equal(ours.first, 5);
    assert_int_equal(ours.second, 7);
    assert_int_equal(ours.struct_size, sizeof(ours));

    uint32_t newer[4] = {16, 1, 2, 0};
    assert_true(versioned_read(&ours, sizeof(ours), 8, newer));
    newer[3] = 1;
    assert_false(versioned_read(&ours, sizeof(ours), 8, newer));
    const uint32_t tiny[1] = {4};
    assert_false(versioned_read(&ours, sizeof(ours), 8, tiny));

    uint32_t never_set[1] = {0xdeadbeef};
    assert_false(versioned_read(&ours, sizeof(ours), 8, never_set));
    assert_false(versioned_write(never_set, &ours, sizeof(ours), 8));

    uint32_t out[4] = {16, 9, 9, 9};
    assert_true(versioned_write(out, &ours, sizeof(ours), 8));
    assert_int_equal(out[0], 16);
    assert_int_equal(out[1], 1);
    assert_int_equal(out[2], 2);
    assert_int_equal(out[3], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_in_network_order),
        cmocka_unit_test(a_short_read_sticks),
        cmocka_unit_test(a_sub_cursor_stays_within_its_length),
        cmocka_unit_test(a_length_near_the_top_of_size_t_does_not_wrap),
        cmocka_unit_test(a_full_writer_tells_the_size_it_wants),
        cmocka_unit_test(checksums_are_those_of_rfc1071),
        cmocka_unit_test(structs_of_older_and_newer_callers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
