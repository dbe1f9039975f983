/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * pcapng as its draft draws it: both byte orders, clocks, sections, and files that are damaged.
 */
#include "frames.h"

#include "dissect/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file in memory, written in either byte order. */
typedef struct file {
    uint8_t bytes[4096];
    size_t len;
    bool big;
    size_t block_at;
} file;

static void put(file *f, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        f->bytes[f->len + (f->big ? n - 1 - i : i)] = (uint8_t)(v >> 8 * i);
    f->len += n;
}

static void begin(file *f, uint32_t type)
{
    f->block_at = f->len;
    put(f, type, 4);
    put(f, 0, 4);
}

static void end(file *f)
{
    while (f->len % 4)
        put(f, 0, 1);
    const size_t total = f->len + 4 - f->block_at;
    const size_t after = f->len;
    f->len = f->block_at + 4;
    put(f, total, 4);
    f->len = after;
    put(f, total, 4);
}

static void section(file *f, bool big)
{
    f->big = big;
    begin(f, 0x0a0d0d0a);
    put(f, 0x1a2b3c4d, 4);
    put(f, 1, 2);
    put(f, 0, 2);
    put(f, UINT64_MAX, 8);
    end(f);
}

static void interface(file *f, uint16_t link, const char *name, uint8_t resolution, int64_t offset)
{
    begin(f, 1);
    put(f, link, 2);
    put(f, 0, 2);
    put(f, 4, 4); /* snapshot length */
    put(f, 2, 2);
    put(f, strlen(name), 2);
    memcpy(f->bytes + f->len, name, strlen(name));
    f->len += strlen(name);
    while (f->len % 4)
        put(f, 0, 1);
    put(f, 9, 2);
    put(f, 1, 2);
    put(f, resolution, 1);
    put(f, 0, 1);
    put(f, 0, 2);
    put(f, 14, 2);
    put(f, 8, 2);
    put(f, (uint64_t)offset, 8);
    put(f, 0, 4);
    end(f);
}

static void packet(file *f, uint32_t number, uint64_t stamp, uint32_t captured, uint32_t length)
{
    begin(f, 6);
    put(f, number, 4);
    put(f, stamp >> 32, 4);
    put(f, stamp & 0xffffffff, 4);
    put(f, captured, 4);
    put(f, length, 4);
    for (uint32_t i = 0; i < captured; i++)
        put(f, i + 1, 1);
    end(f);
}

static void next(pcapng *p, uint64_t seconds, uint32_t microseconds, uint32_t link,
                 const char *name)
{
    dissect_frame got;
    const int rc = pcapng_next(p, &got);
    if (rc != PCAPNG_PACKET)
        fail_msg("%s", p->why);
    assert_int_equal(got.seconds, seconds);
    assert_int_equal(got.microseconds, microseconds);
    assert_int_equal(got.link, link);
    assert_string_equal(got.interface_name, name);
    assert_int_equal(got.len, 3);
    assert_int_equal(got.wire_len, 1500);
    assert_hex(got.bytes, got.len, "010203");
}

static void both_byte_orders_and_every_clock_are_read(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        file f = {.len = 0};
        section(&f, big);
        interface(&f, 1, "micro", 6, 0);
        interface(&f, 101, "nano", 9, 0);
        begin(&f, 0x0bad); /* a block of an unknown type is passed over */
        put(&f, 7, 4);
        end(&f);
        interface(&f, 276, "binary", 0x80 | 10, 100);
        packet(&f, 0, 5000007, 3, 1500);
        packet(&f, 1, 5000007999, 3, 1500);
        packet(&f, 2, 5 * 1024 + 512, 3, 1500);
        section(&f, !big); /* other interfaces, in the other order */
        interface(&f, 228, "second", 0, -5);
        packet(&f, 0, 1700000005, 3, 1500);
        FILE *in = fmemopen(f.bytes, f.len, "r");
        pcapng p;
        dissect_frame got;
        assert_non_null(in);
        pcapng_begin(&p, in);
        next(&p, 5, 7, 1, "micro");
        next(&p, 5, 7, 101, "nano");
        next(&p, 105, 500000, 276, "binary");
        next(&p, 1700000000, 0, 228, "second");
        assert_int_equal(pcapng_next(&p, &got), PCAPNG_DONE);
        pcapng_end(&p);
        fclose(in);
    }
}

/* It has no captured length: the snapshot length of the first interface limits it. */
static void simple_packets_are_read(void **state)
{
    (void)state;
    file f = {.len = 0};
    pcapng p;
    dissect_frame got;
    section(&f, false);
    interface(&f, 1, "only", 6, 0);
    begin(&f, 3);
    put(&f, 1500, 4);
    put(&f, 0x04030201, 4);
    end(&f);
    begin(&f, 3); /* more than the snapshot length */
    put(&f, 1500, 4);
    put(&f, 0x0807060504030201, 8);
    end(&f);
    begin(&f, 3); /* less than the block, which is padded */
    put(&f, 3, 4);
    put(&f, 0x00030201, 4);
    end(&f);
    FILE *in = fmemopen(f.bytes, f.len, "r");
    pcapng_begin(&p, in);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pcapng_next(&p, &got), PCAPNG_PACKET);
        assert_hex(got.bytes, got.len, "01020304");
        assert_int_equal(got.wire_len, 1500);
    }
    assert_int_equal(pcapng_next(&p, &got), PCAPNG_PACKET);
    assert_hex(got.bytes, got.len, "010203");
    assert_int_equal(got.wire_len, 3);
    pcapng_end(&p);
    fclose(in);
}

/* What one block, whole or damaged, makes of a file that began well. */
static void refused(const file *f, const char *why)
{
    pcapng p;
    dissect_frame got;
    FILE *in = fmemopen((void *)(uintptr_t)f->bytes, f->len, "r");
    assert_non_null(in);
    pcapng_begin(&p, in);
    assert_int_equal(pcapng_next(&p, &got), PCAPNG_ERROR);
    assert_non_null(strstr(p.why, why));
    pcapng_end(&p);
    fclose(in);
}

static void damaged_files_are_told_apart(void **state)
{
    (void)state;
    file good = {.len = 0};
    section(&good, false);
    const size_t section_len = good.len;
    interface(&good, 1, "only", 6, 0);
    const size_t at = good.len;
    packet(&good, 0, 1, 3, 3);

    file f = good;
    f.len -= 1;
    refused(&f, "ends inside");
    f = good;
    f.len = at + 5;
    refused(&f, "ends inside");
    f = good;
    f.bytes[f.len - 1] ^= 1;
    refused(&f, "two lengths");
    f = good;
    f.bytes[at + 4] = 8; /* below the edges of a block */
    refused(&f, "impossible length");
    f.bytes[at + 4] = 13;
    refused(&f, "impossible length");
    f.bytes[at + 7] = 0x7f;
    refused(&f, "impossible length");
    f = good;
    f.bytes[8] ^= 1;
    refused(&f, "byte order");
    f = good;
    f.bytes[at + 8] = 1; /* an interface that there is not */
    refused(&f, "not described");
    f = good;
    f.bytes[at + 20] = 5; /* longer than the block */
    refused(&f, "longer than its block");
    f = good;
    f.len = section_len;
    begin(&f, 1);
    end(&f);
    refused(&f, "too short");
    f.len = section_len;
    begin(&f, 6);
    end(&f);
    refused(&f, "too short");
    f.len = section_len;
    begin(&f, 3);
    put(&f, 1, 4);
    end(&f);
    refused(&f, "without an interface");
}

static void random_damage_ends_the_file_and_nothing_else(void **state)
{
    (void)state;
    prng p = {11};
    for (int n = 0; n < 20000; n++) {
        file f = {.len = 0};
        section(&f, n & 1);
        interface(&f, 1, "a name", (uint8_t)prng_u64(&p), (int64_t)prng_u64(&p));
        packet(&f, 0, prng_u64(&p), 20, 20);
        interface(&f, 101, "another name", 6, 0);
        packet(&f, 1, prng_u64(&p), 7, 7);
        for (uint32_t k = prng_below(&p, 4); k > 0; k--)
            f.bytes[prng_below(&p, (uint32_t)f.len)] ^= (uint8_t)(1u << prng_below(&p, 8));
        uint8_t *exact = malloc(f.len);
        assert_non_null(exact);
        memcpy(exact, f.bytes, f.len);
        FILE *in = fmemopen(exact, f.len, "r");
        pcapng g;
        dissect_frame got;
        int rc;
        pcapng_begin(&g, in);
        while ((rc = pcapng_next(&g, &got)) == PCAPNG_PACKET) {
            /* Every byte of it is there. */
            uint8_t *copy = malloc(got.len + 1);
            assert_non_null(copy);
            memcpy(copy, got.bytes, got.len);
            free(copy);
            assert_true(got.wire_len >= got.len);
            assert_true(got.microseconds < 1000000);
        }
        assert_true(rc == PCAPNG_DONE || g.why);
        pcapng_end(&g);
        fclose(in);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_and_every_clock_are_read),
        cmocka_unit_test(simple_packets_are_read),
        cmocka_unit_test(damaged_files_are_told_apart),
        cmocka_unit_test(random_damage_ends_the_file_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
