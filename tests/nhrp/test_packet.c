/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <nhrp/nhrp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_addr(vectors *v, const char *field, const nhrp_addr *a)
{
    size_t len;
    if (!vectors_has(v, field))
        return;
    const uint8_t *want = vectors_hex(v, field, &len);
    assert_int_equal(a->family, len == 4 ? NHRP_FAMILY_IPV4 : NHRP_FAMILY_IPV6);
    assert_memory_equal(a->bytes, want, len);
}

static void assert_vector(vectors *v)
{
    nhrp_packet p;
    nhrp_cie cie, first = {0};
    nhrp_extension x;
    size_t len, it = 0, cies = 0, records = 0;
    char kinds[64] = "";
    const uint8_t *bytes = vectors_hex(v, "packet", &len);
    assert_int_equal(nhrp_packet_decode(bytes, len, &p), NHRP_OK);
    assert_int_equal(p.size, len);
    assert_int_equal(p.type, vectors_number(v, "type"));
    assert_int_equal(p.hop_count, vectors_number(v, "hop_count"));
    assert_int_equal(p.flags, vectors_number(v, "flags"));
    assert_int_equal(p.request_id, vectors_number(v, "request_id"));
    assert_addr(v, "source_nbma", &p.source_nbma);
    assert_addr(v, "source_protocol", &p.source_protocol);
    assert_addr(v, "destination_protocol", &p.destination_protocol);
    while (nhrp_cie_next(&p, &it, &cie) == NHRP_YES)
        if (cies++ == 0)
            first = cie;
    if (vectors_has(v, "cies"))
        assert_int_equal(cies, vectors_number(v, "cies"));
    if (vectors_has(v, "code")) {
        assert_int_equal(first.code, vectors_number(v, "code"));
        assert_int_equal(first.prefix_len, vectors_number(v, "prefix_len"));
        assert_int_equal(first.holding_time_s, vectors_number(v, "holding_time_s"));
    }
    it = 0;
    while (nhrp_extension_next(&p, &it, &x) == NHRP_YES) {
        snprintf(kinds + strlen(kinds), 8, "%s%u", kinds[0] ? " " : "", x.kind);
        size_t at = 0;
        while (nhrp_extension_next_cie(&p, &x, &at, &cie) == NHRP_YES)
            records++;
    }
    assert_string_equal(kinds, vectors_text(v, "kinds"));
    if (vectors_has(v, "records"))
        assert_int_equal(records, vectors_number(v, "records"));
    if (vectors_has(v, "error_code")) {
        assert_int_equal(p.error_code, vectors_number(v, "error_code"));
        assert_int_equal(p.error_offset, vectors_number(v, "error_offset"));
    }
    if (vectors_has(v, "traffic_code"))
        assert_int_equal(p.traffic_code, vectors_number(v, "traffic_code"));
    if (vectors_has(v, "contents_len"))
        assert_int_equal(p.contents_len, vectors_number(v, "contents_len"));
}

/* Writes a decoded packet anew; the result must be the same octets. */
static size_t write_again(const nhrp_packet *p, uint8_t *buf, size_t cap)
{
    nhrp_writer w;
    nhrp_cie cie;
    nhrp_extension x;
    size_t it = 0, len = 0;
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, p), NHRP_OK);
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES)
        assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    if (p->contents)
        assert_int_equal(nhrp_writer_put_contents(&w, p->contents, p->contents_len), NHRP_OK);
    it = 0;
    while (p->type != NHRP_ERROR_INDICATION && nhrp_extension_next(p, &it, &x) == NHRP_YES)
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return len;
}

static void packets_of_another_implementation_decode(void **state)
{
    (void)state;
    vectors *v = vectors_open("nhrp/vectors/frr.txt");
    size_t n = 0;
    for (; vectors_next(v); n++)
        assert_vector(v);
    vectors_close(v);
    assert_int_equal(n, 17);
}

static void packets_by_the_figures_of_the_rfcs_decode(void **state)
{
    (void)state;
    vectors *v = vectors_open("nhrp/vectors/rfc.txt");
    size_t n = 0;
    for (; vectors_next(v); n++)
        assert_vector(v);
    vectors_close(v);
    assert_int_equal(n, 14);
}

static void a_decoded_packet_is_written_as_the_same_octets(void **state)
{
    (void)state;
    static const char *const files[] = {"nhrp/vectors/frr.txt", "nhrp/vectors/rfc.txt"};
    for (size_t i = 0; i < 2; i++) {
        vectors *v = vectors_open(files[i]);
        while (vectors_next(v)) {
            uint8_t buf[512];
            nhrp_packet p;
            size_t len;
            const uint8_t *bytes = vectors_hex(v, "packet", &len);
            assert_int_equal(nhrp_packet_decode(bytes, len, &p), NHRP_OK);
            /* Ours always ends with the compulsory bit; traffic indications without extensions
             * and bare end extensions are written without a list. */
            if (strstr(vectors_text(v, "name"), "end extension without"))
                continue;
            if (p.extensions_len == NHRP_EXTENSION_SIZE)
                continue;
            const size_t again = write_again(&p, buf, sizeof(buf));
            assert_bytes(buf, again, bytes, len);
        }
        vectors_close(v);
    }
}

/* ---- Bad shapes, made from one good packet. ---- */

static size_t good(uint8_t *buf)
{
    vectors *v = vectors_open("nhrp/vectors/rfc.txt");
    size_t len;
    assert_true(vectors_next(v));
    const uint8_t *bytes = vectors_hex(v, "packet", &len);
    memcpy(buf, bytes, len);
    vectors_close(v);
    return len;
}

static nhrp_rc decode_with(uint8_t *buf, size_t len)
{
    nhrp_packet p;
    (void)nhrp_packet_set_checksum(buf, len);
    return nhrp_packet_decode(buf, len, &p);
}

static void every_truncation_is_told_and_nothing_is_written(void **state)
{
    (void)state;
    uint8_t buf[256];
    const size_t len = good(buf);
    for (size_t n = 0; n < len; n++) {
        nhrp_packet p;
        uint8_t *copy = malloc(n ? n : 1); /* exactly n octets, for the sanitizer */
        memcpy(copy, buf, n);
        memset(&p, 0x5a, sizeof(p));
        assert_int_equal(nhrp_packet_decode(copy, n, &p), NHRP_ERR_TRUNCATED);
        for (size_t i = 0; i < sizeof(p); i++)
            assert_int_equal(((uint8_t *)&p)[i], 0x5a);
        free(copy);
    }
}

/* RFC 2332 5.1: the frame may be padded; ar$pktsz counts. */
static void padding_after_the_packet_is_ignored(void **state)
{
    (void)state;
    uint8_t buf[256] = {0};
    nhrp_packet p;
    const size_t len = good(buf);
    memset(buf + len, 0xee, 30);
    assert_int_equal(nhrp_packet_decode(buf, len + 30, &p), NHRP_OK);
    assert_int_equal(p.size, len);
}

/* RFC 2332 5.1, and the shape of FRR 9c083f6916. */
static void the_checksum_of_an_odd_packet_counts_a_zero_octet_more(void **state)
{
    (void)state;
    vectors *v = vectors_open("nhrp/vectors/rfc.txt");
    size_t odd = 0;
    while (vectors_next(v)) {
        uint8_t buf[512];
        nhrp_packet p;
        size_t len;
        const uint8_t *bytes = vectors_hex(v, "packet", &len);
        if (len % 2 == 0)
            continue;
        odd++;
        memcpy(buf, bytes, len);
        buf[len] = 0xff; /* what follows in the frame does not count */
        assert_int_equal(nhrp_packet_decode(buf, len + 1, &p), NHRP_OK);
        buf[len - 1] ^= 1;
        assert_int_equal(nhrp_packet_decode(buf, len, &p), NHRP_ERR_CHECKSUM);
        buf[12] = buf[13] = 0;
        buf[len - 1] ^= 1;
        assert_int_equal(nhrp_packet_set_checksum(buf, len), NHRP_OK);
        assert_bytes(buf, len, bytes, len);
    }
    vectors_close(v);
    assert_true(odd >= 3);
}

static void each_damaged_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t buf[256];
    nhrp_packet p;
    const size_t len = good(buf);
    for (size_t bit = 0; bit < len * 8; bit++) {
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(nhrp_packet_decode(buf, len, &p) < 0);
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(nhrp_packet_decode(buf, len, &p), NHRP_OK);
}

static void fields_out_of_range_have_their_own_errors(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        nhrp_rc want;
    } cases[] = {
        {0, 0xff, NHRP_ERR_FAMILY}, /* afn out of range (the shape of FRR PR 21097) */
        {1, 0, NHRP_ERR_FAMILY},    /* afn 0 */
        {1, 3, NHRP_ERR_FAMILY},    /* NSAP */
        {2, 0x86, NHRP_ERR_FAMILY}, /* protocol type 0x8600 */
        {16, 0, NHRP_ERR_VERSION},  /* MARS */
        {16, 2, NHRP_ERR_VERSION},    {17, 0, NHRP_ERR_TYPE},
        {17, 9, NHRP_ERR_TYPE}, /* above 8 (the shape of FRR dabe8dc367) */
        {17, 255, NHRP_ERR_TYPE},     {18, 5, NHRP_ERR_ADDRESS}, /* ar$shtl */
        {18, 0x44, NHRP_ERR_ADDRESS},                            /* E.164 bit */
        {18, 16, NHRP_ERR_ADDRESS},                              /* of the other family */
        {19, 4, NHRP_ERR_ADDRESS},                               /* a subaddress */
        {20, 3, NHRP_ERR_ADDRESS},                               /* source protocol length */
        {20, 255, NHRP_ERR_ADDRESS},  {21, 16, NHRP_ERR_ADDRESS},
        {14, 0xff, NHRP_ERR_FORMAT},  /* extensions beyond the packet */
        {15, 19, NHRP_ERR_FORMAT},    /* extensions within the fixed part */
        {15, 24, NHRP_ERR_TRUNCATED}, /* extensions within the mandatory header */
        {15, 44, NHRP_ERR_CIE},       /* extensions within the CIE */
        {48, 4, NHRP_ERR_CIE},        /* a CIE's NBMA address and the packet ends */
        {49, 1, NHRP_ERR_CIE},        /* a CIE's subaddress */
        {50, 3, NHRP_ERR_CIE},        /* a CIE's protocol address length */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t buf[256];
        const size_t len = good(buf);
        buf[cases[i].at] = cases[i].value;
        if (decode_with(buf, len) != cases[i].want)
            fail_msg("case %zu: %s", i, nhrp_rc_name(decode_with(buf, len)));
    }
}

/* The shape of FRR PR 20932. */
static void an_extension_longer_than_the_packet_is_refused(void **state)
{
    (void)state;
    uint8_t buf[256];
    const size_t len = good(buf);
    buf[len - 4 * 4 + 3] = 1; /* the first of three extensions swallows a part of the next */
    assert_int_equal(decode_with(buf, len), NHRP_ERR_EXTENSION);
    buf[len - 4 * 4 + 3] = 200;
    assert_int_equal(decode_with(buf, len), NHRP_ERR_EXTENSION);
    buf[len - 4 * 4 + 2] = buf[len - 4 * 4 + 3] = 255;
    assert_int_equal(decode_with(buf, len), NHRP_ERR_EXTENSION);
}

static void a_list_without_an_end_and_one_that_goes_on_after_it_are_refused(void **state)
{
    (void)state;
    uint8_t buf[256];
    size_t len = good(buf);
    buf[len - 3] = 3; /* the end becomes an extension */
    assert_int_equal(decode_with(buf, len), NHRP_ERR_EXTENSION);
    len = good(buf);
    buf[len - 7] = 0; /* the one before the end becomes an end */
    assert_int_equal(decode_with(buf, len), NHRP_ERR_EXTENSION);
    len = good(buf);
    buf[len - 1] = 1; /* an end with a value that is not there */
    assert_int_equal(decode_with(buf, len), NHRP_ERR_EXTENSION);
}

/* The shape of tcpdump's: fewer than 12 octets. */
static void a_cie_shorter_than_its_fixed_part_is_refused(void **state)
{
    (void)state;
    for (size_t n = 1; n < NHRP_CIE_SIZE; n++) {
        uint8_t buf[256];
        (void)good(buf);
        const size_t len = 40 + n;
        buf[10] = 0;
        buf[11] = (uint8_t)len;
        buf[14] = buf[15] = 0;
        assert_int_equal(decode_with(buf, len), NHRP_ERR_CIE);
    }
}

/* The shapes of FRR a5e9639667 and PR 18994. */
static void a_cie_whose_nbma_length_is_not_of_its_family_is_refused(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 256; n++) {
        uint8_t buf[256];
        const size_t len = good(buf);
        buf[48] = (uint8_t)n;
        assert_int_equal(decode_with(buf, len), NHRP_ERR_CIE);
    }
}

/* The shape of FRR 46c54af421. */
static void an_unknown_family_with_addresses_of_no_length_is_refused(void **state)
{
    (void)state;
    uint8_t buf[256];
    size_t len = good(buf);
    buf[1] = 77;
    buf[18] = buf[20] = buf[21] = 0;
    assert_int_equal(decode_with(buf, len), NHRP_ERR_FAMILY);
    len = good(buf);
    buf[2] = 0x12;
    buf[18] = buf[20] = buf[21] = 0;
    assert_int_equal(decode_with(buf, len), NHRP_ERR_FAMILY);
}

/* The shape of FRR beea65fe45. */
static void a_quoted_packet_decodes_as_far_as_it_goes(void **state)
{
    (void)state;
    uint8_t buf[256];
    nhrp_packet p;
    const size_t len = good(buf);
    for (size_t n = 0; n < 40; n++)
        assert_int_equal(nhrp_packet_decode_quoted(buf, n, &p), NHRP_ERR_TRUNCATED);
    for (size_t n = 40; n <= len; n++) {
        assert_int_equal(nhrp_packet_decode_quoted(buf, n, &p), NHRP_OK);
        assert_int_equal(p.request_id, 0x01020304);
        assert_null(p.cies);
        assert_null(p.extensions);
    }
    buf[20] = 200;
    assert_int_equal(nhrp_packet_decode_quoted(buf, len, &p), NHRP_ERR_ADDRESS);
    buf[12] ^= 0xff; /* its checksum means nothing */
    buf[20] = 4;
    assert_int_equal(nhrp_packet_decode_quoted(buf, len, &p), NHRP_OK);
}

/* ---- The writer. ---- */

static nhrp_packet header(uint8_t type)
{
    nhrp_packet h = {.type = type, .hop_count = 255, .flags = 0xc800, .request_id = 0x01020304};
    h.source_nbma = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {192, 168, 1, 1}};
    h.source_protocol = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {172, 16, 1, 1}};
    h.destination_protocol = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {10, 2, 2, 102}};
    return h;
}

static void the_writer_makes_the_packet_of_the_vectors(void **state)
{
    (void)state;
    uint8_t buf[256], want[256];
    nhrp_writer w;
    size_t len = 0;
    const size_t want_len = good(want);
    const nhrp_packet h = header(NHRP_RESOLUTION_REQUEST);
    const nhrp_cie cie = {.prefix_len = 8, .holding_time_s = 600};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
    for (uint16_t type = 3; type <= 5; type++) {
        const nhrp_extension x = {.type = type, .compulsory = 1};
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    }
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_bytes(buf, len, want, want_len);
}

static void a_record_grows_by_cies(void **state)
{
    (void)state;
    uint8_t buf[256];
    nhrp_writer w;
    size_t len = 0;
    const nhrp_packet h = header(NHRP_RESOLUTION_REQUEST);
    const nhrp_extension x = {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
    nhrp_cie cie = {.holding_time_s = 600};
    cie.nbma = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {192, 168, 1, 2}};
    cie.protocol = (nhrp_addr){.family = NHRP_FAMILY_IPV4, .bytes = {172, 16, 1, 2}};
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension_cie(&w, &cie), NHRP_OK);
    cie.nbma.bytes[3] = cie.protocol.bytes[3] = 3;
    assert_int_equal(nhrp_writer_put_extension_cie(&w, &cie), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    vectors *v = vectors_open("nhrp/vectors/rfc.txt");
    while (vectors_next(v))
        if (vectors_has(v, "records"))
            break;
    size_t want_len;
    const uint8_t *want = vectors_hex(v, "packet", &want_len);
    assert_bytes(buf, len, want, want_len);
    vectors_close(v);
}

static void a_buffer_too_small_tells_the_size_needed(void **state)
{
    (void)state;
    uint8_t want[256];
    nhrp_packet p;
    const size_t want_len = good(want);
    assert_int_equal(nhrp_packet_decode(want, want_len, &p), NHRP_OK);
    for (size_t cap = 0; cap < want_len; cap++) {
        uint8_t *buf = malloc(cap ? cap : 1);
        nhrp_writer w;
        nhrp_cie cie;
        nhrp_extension x;
        size_t it = 0, len = 0;
        assert_int_equal(nhrp_writer_begin(&w, cap ? buf : NULL, cap, &p), NHRP_OK);
        while (nhrp_cie_next(&p, &it, &cie) == NHRP_YES)
            assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_OK);
        it = 0;
        while (nhrp_extension_next(&p, &it, &x) == NHRP_YES)
            assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
        assert_int_equal(nhrp_writer_end(&w, &len), NHRP_ERR_BUFFER);
        assert_int_equal(len, want_len);
        free(buf);
    }
}

static void the_writer_refuses_what_the_rfc_does(void **state)
{
    (void)state;
    uint8_t buf[256];
    nhrp_writer w;
    size_t len;
    nhrp_packet h = header(NHRP_ERROR_INDICATION);
    const nhrp_cie cie = {0};
    const nhrp_extension x = {.type = 3}, end = {.type = 0}, wide = {.type = 0x4000};
    /* RFC 2332 5.2.7 */
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_ERR_STATE);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_ERR_STATE);
    h.type = NHRP_RESOLUTION_REPLY;
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
    assert_int_equal(nhrp_writer_put_contents(&w, buf, 1), NHRP_ERR_STATE);
    assert_int_equal(nhrp_writer_put_extension_cie(&w, &cie), NHRP_ERR_STATE);
    assert_int_equal(nhrp_writer_put_extension(&w, &end), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_extension(&w, &wide), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    assert_int_equal(nhrp_writer_put_cie(&w, &cie), NHRP_ERR_STATE);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_ERR_STATE);
    h.type = 0;
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_ERR_ARG);
    h.type = 9;
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_ERR_ARG);
    h.type = 1;
    h.source_protocol.family = NHRP_FAMILY_IPV6;
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_ERR_ARG);
    h.source_protocol.family = 5;
    assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_ERR_ARG);
}

static void no_function_takes_null(void **state)
{
    (void)state;
    uint8_t buf[64] = {0};
    nhrp_packet p = {0};
    nhrp_cie cie = {0};
    nhrp_extension x = {0};
    nhrp_writer w = {0};
    size_t it = 0;
    const nhrp_packet h = header(1);
    assert_int_equal(nhrp_packet_decode(NULL, 1, &p), NHRP_ERR_ARG);
    assert_int_equal(nhrp_packet_decode(buf, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_packet_decode(buf, 0, &p), NHRP_ERR_TRUNCATED);
    assert_int_equal(nhrp_packet_decode_quoted(NULL, 1, &p), NHRP_ERR_ARG);
    assert_int_equal(nhrp_packet_decode_quoted(buf, 1, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_packet_decode_quoted(buf, 0, &p), NHRP_ERR_TRUNCATED);
    assert_int_equal(nhrp_packet_set_checksum(NULL, 64), NHRP_ERR_ARG);
    assert_int_equal(nhrp_packet_set_checksum(buf, 0), NHRP_ERR_TRUNCATED);
    assert_int_equal(nhrp_packet_set_checksum(buf, 64), NHRP_ERR_TRUNCATED); /* ar$pktsz 0 */
    assert_int_equal(nhrp_cie_next(NULL, &it, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_cie_next(&p, NULL, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_cie_next(&p, &it, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_OK);
    assert_int_equal(nhrp_extension_next(NULL, &it, &x), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next(&p, NULL, &x), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next(&p, &it, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_OK);
    it = 1;
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_ERR_ARG);
    x.kind = NHRP_KIND_FORWARD;
    assert_int_equal(nhrp_extension_next_cie(&p, &x, &it, &cie), NHRP_ERR_ARG);
    it = 0;
    assert_int_equal(nhrp_extension_next_cie(NULL, &x, &it, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next_cie(&p, NULL, &it, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next_cie(&p, &x, NULL, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_extension_next_cie(&p, &x, &it, NULL), NHRP_ERR_ARG);
    x.kind = NHRP_KIND_VENDOR;
    assert_int_equal(nhrp_extension_next_cie(&p, &x, &it, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_begin(NULL, buf, 64, &h), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_begin(&w, NULL, 64, &h), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_begin(&w, buf, 64, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_cie(NULL, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_cie(&w, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_contents(NULL, buf, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_contents(&w, NULL, 1), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_extension(NULL, &x), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_extension(&w, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_extension_cie(NULL, &cie), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_put_extension_cie(&w, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_end(NULL, &it), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_end(&w, NULL), NHRP_ERR_ARG);
    assert_int_equal(nhrp_writer_end(&w, &it), NHRP_ERR_STATE);
}

/* ---- Properties. ---- */

static nhrp_addr random_addr(prng *r, uint8_t family, bool may_be_absent)
{
    nhrp_addr a = {0};
    if (may_be_absent && prng_below(r, 4) == 0)
        return a;
    a.family = family;
    prng_bytes(r, a.bytes, family == NHRP_FAMILY_IPV4 ? 4 : 16);
    return a;
}

static uint8_t random_family(prng *r)
{
    return prng_below(r, 2) ? NHRP_FAMILY_IPV4 : NHRP_FAMILY_IPV6;
}

static void what_is_written_decodes_to_the_same_meaning(void **state)
{
    (void)state;
    prng r = {20260101};
    for (int round = 0; round < 5000; round++) {
        uint8_t buf[2048], noise[64];
        nhrp_packet h = {0}, p;
        nhrp_writer w;
        nhrp_cie cies[4], cie;
        nhrp_extension xs[4], x;
        size_t len = 0, it = 0;
        const uint8_t nbma = random_family(&r), family = random_family(&r);
        h.type = (uint8_t)(1 + prng_below(&r, 8));
        h.hop_count = (uint8_t)prng_below(&r, 256);
        h.source_nbma = random_addr(&r, nbma, false);
        h.source_protocol = random_addr(&r, family, true);
        h.destination_protocol = random_addr(&r, family, false);
        const bool has_cies = h.type <= 6;
        h.flags = has_cies ? (uint16_t)prng_u64(&r) : 0;
        h.request_id = has_cies ? (uint32_t)prng_u64(&r) : 0;
        h.error_code = h.type == 7 ? (uint16_t)prng_u64(&r) : 0;
        h.error_offset = h.type == 7 ? (uint16_t)prng_u64(&r) : 0;
        h.traffic_code = h.type == 8 ? (uint16_t)prng_u64(&r) : 0;
        prng_bytes(&r, noise, sizeof(noise));
        const size_t n = has_cies ? prng_below(&r, 5) : 0;
        const size_t quoted = has_cies ? 0 : prng_below(&r, 65);
        const size_t m = h.type == 7 ? 0 : prng_below(&r, 5);
        assert_int_equal(nhrp_writer_begin(&w, buf, sizeof(buf), &h), NHRP_OK);
        for (size_t i = 0; i < n; i++) {
            memset(&cies[i], 0, sizeof(cies[i]));
            cies[i].code = (uint8_t)prng_u64(&r);
            cies[i].prefix_len = (uint8_t)prng_u64(&r);
            cies[i].mtu = (uint16_t)prng_u64(&r);
            cies[i].holding_time_s = (uint16_t)prng_u64(&r);
            cies[i].preference = (uint8_t)prng_u64(&r);
            cies[i].nbma = random_addr(&r, nbma, true);
            cies[i].protocol = random_addr(&r, random_family(&r), true);
            assert_int_equal(nhrp_writer_put_cie(&w, &cies[i]), NHRP_OK);
        }
        if (!has_cies)
            assert_int_equal(nhrp_writer_put_contents(&w, noise, quoted), NHRP_OK);
        for (size_t i = 0; i < m; i++) {
            memset(&xs[i], 0, sizeof(xs[i]));
            xs[i].type = (uint16_t)(10 + prng_below(&r, 0x3ff0));
            xs[i].compulsory = (uint8_t)prng_below(&r, 2);
            xs[i].len = prng_below(&r, 33);
            xs[i].value = xs[i].len ? noise : NULL;
            assert_int_equal(nhrp_writer_put_extension(&w, &xs[i]), NHRP_OK);
        }
        assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);

        assert_int_equal(nhrp_packet_decode(buf, len, &p), NHRP_OK);
        assert_int_equal(p.type, h.type);
        assert_int_equal(p.hop_count, h.hop_count);
        assert_int_equal(p.flags, h.flags);
        assert_int_equal(p.request_id, h.request_id);
        assert_int_equal(p.error_code, h.error_code);
        assert_int_equal(p.error_offset, h.error_offset);
        assert_int_equal(p.traffic_code, h.traffic_code);
        assert_memory_equal(&p.source_nbma, &h.source_nbma, sizeof(nhrp_addr));
        assert_memory_equal(&p.source_protocol, &h.source_protocol, sizeof(nhrp_addr));
        assert_memory_equal(&p.destination_protocol, &h.destination_protocol, sizeof(nhrp_addr));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
            assert_memory_equal(&cie, &cies[i], sizeof(cie));
        }
        assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_OK);
        assert_bytes(p.contents, p.contents_len, noise, quoted);
        it = 0;
        for (size_t i = 0; i < m; i++) {
            assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_YES);
            assert_int_equal(x.type, xs[i].type);
            assert_int_equal(x.compulsory, xs[i].compulsory);
            assert_bytes(x.value, x.len, noise, xs[i].len);
        }
        assert_int_equal(nhrp_extension_next(&p, &it, &x), NHRP_OK);
    }
}

static void random_octets_never_decode_to_something_inconsistent(void **state)
{
    (void)state;
    prng r = {77};
    size_t decoded = 0;
    for (int round = 0; round < 60000; round++) {
        uint8_t buf[256];
        nhrp_packet p;
        size_t len = good(buf);
        for (uint32_t i = prng_below(&r, 4); i > 0; i--)
            buf[prng_below(&r, (uint32_t)len)] = (uint8_t)prng_u64(&r);
        if (prng_below(&r, 2))
            len = prng_below(&r, (uint32_t)len + 1);
        (void)nhrp_packet_set_checksum(buf, len);
        if (nhrp_packet_decode(buf, len, &p) != NHRP_OK)
            continue;
        decoded++;
        uint8_t again[512];
        nhrp_packet q;
        const size_t n = write_again(&p, again, sizeof(again));
        assert_int_equal(nhrp_packet_decode(again, n, &q), NHRP_OK);
        assert_int_equal(q.type, p.type);
        assert_int_equal(q.request_id, p.request_id);
        assert_int_equal(q.cies_len, p.cies_len);
    }
    assert_true(decoded > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_another_implementation_decode),
        cmocka_unit_test(packets_by_the_figures_of_the_rfcs_decode),
        cmocka_unit_test(a_decoded_packet_is_written_as_the_same_octets),
        cmocka_unit_test(every_truncation_is_told_and_nothing_is_written),
        cmocka_unit_test(padding_after_the_packet_is_ignored),
        cmocka_unit_test(the_checksum_of_an_odd_packet_counts_a_zero_octet_more),
        cmocka_unit_test(each_damaged_bit_is_noticed),
        cmocka_unit_test(fields_out_of_range_have_their_own_errors),
        cmocka_unit_test(an_extension_longer_than_the_packet_is_refused),
        cmocka_unit_test(a_list_without_an_end_and_one_that_goes_on_after_it_are_refused),
        cmocka_unit_test(a_cie_shorter_than_its_fixed_part_is_refused),
        cmocka_unit_test(a_cie_whose_nbma_length_is_not_of_its_family_is_refused),
        cmocka_unit_test(an_unknown_family_with_addresses_of_no_length_is_refused),
        cmocka_unit_test(a_quoted_packet_decodes_as_far_as_it_goes),
        cmocka_unit_test(the_writer_makes_the_packet_of_the_vectors),
        cmocka_unit_test(a_record_grows_by_cies),
        cmocka_unit_test(a_buffer_too_small_tells_the_size_needed),
        cmocka_unit_test(the_writer_refuses_what_the_rfc_does),
        cmocka_unit_test(no_function_takes_null),
        cmocka_unit_test(what_is_written_decodes_to_the_same_meaning),
        cmocka_unit_test(random_octets_never_decode_to_something_inconsistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
