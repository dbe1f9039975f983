/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * MSS clamp, ICMP errors and IPv4 fragments, about any packet. The first four octets are the kind,
 * how much less room there is than an error may want, and the MTU. What comes out is held to what
 * must always be so: lengths, checksums, a clamp that changes nothing the second time, fragments
 * that add up.
 */
#include <gre/gre.h>

#include <internal/checksum.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_clamp(const uint8_t *data, size_t len, uint16_t mss)
{
    uint8_t *p = malloc(len ? len : 1);
    MUST(p);
    memcpy(p, data, len);
    if (mss > 0) {
        const gre_rc rc = gre_mss_clamp(p, len, mss);
        MUST(rc == GRE_YES || (rc == GRE_OK && memcmp(p, data, len) == 0));
        MUST(gre_mss_clamp(p, len, mss) == GRE_OK);
    }
    free(p);
}

static void try_error(const uint8_t *p, size_t len, uint8_t kind, uint32_t mtu, size_t less)
{
    const uint8_t v4 = len == 0 || p[0] >> 4 == 4;
    const gre_addr source = {.family = v4 ? GRE_FAMILY_IPV4 : GRE_FAMILY_IPV6,
                             .bytes = {10, 0, 0, 1}};
    uint8_t out[GRE_ICMP_IPV6_MAX_BYTES];
    size_t out_len = 0;
    const size_t cap = less < sizeof(out) ? sizeof(out) - less : 0;
    const gre_rc rc = gre_icmp_error_encode(kind, mtu, &source, p, len, out, cap, &out_len);
    MUST(rc != GRE_ERR_BUFFER || out_len > cap);
    if (rc != GRE_OK)
        return;
    MUST(out_len <= cap);
    if (kind == GRE_ICMP_TOO_BIG) {
        uint8_t same[GRE_ICMP_IPV6_MAX_BYTES];
        size_t same_len = 0;
        MUST(gre_icmp_too_big(mtu, &source, p, len, same, sizeof(same), &same_len) == GRE_OK);
        MUST(same_len == out_len && memcmp(same, out, out_len) == 0);
    }
    MUST(out_len <= (v4 ? GRE_ICMP_IPV4_MAX_BYTES : GRE_ICMP_IPV6_MAX_BYTES));
    if (v4) {
        MUST(checksum_end(checksum_add(0, out, 20)) == 0);
        MUST(checksum_end(checksum_add(0, out + 20, out_len - 20)) == 0);
        MUST(memcmp(out + 28, p, out_len - 28) == 0);
    } else {
        MUST(memcmp(out + 48, p, out_len - 48) == 0);
    }
    /* An error never answers an error. */
    uint8_t again[GRE_ICMP_IPV6_MAX_BYTES];
    size_t again_len;
    MUST(gre_icmp_error_encode(GRE_ICMP_NO_ROUTE, 0, &source, out, out_len, again, sizeof(again),
                               &again_len) == GRE_ERR_SILENT);
}

static void try_mss(uint32_t mtu)
{
    MUST(gre_mss_get(mtu, GRE_FAMILY_IPV4) == (mtu > 40 ? mtu - 40 : 0));
    MUST(gre_mss_get(mtu, GRE_FAMILY_IPV6) == (mtu > 60 ? mtu - 60 : 0));
    MUST(gre_mss_get(mtu, 0) == 0);
}

static void try_fragments(const uint8_t *p, size_t len, uint32_t mtu)
{
    uint8_t *out = malloc(65536);
    MUST(out);
    size_t it = 0, out_len = 0, payload = 0;
    gre_rc rc;
    while ((rc = gre_fragment_next(p, len, mtu, &it, out, 65536, &out_len)) == GRE_YES) {
        const size_t header_len = (size_t)(out[0] & 15) * 4;
        MUST(out_len <= (size_t)(p[2] << 8 | p[3]));
        MUST(out_len <= mtu || payload == 0);
        MUST(checksum_end(checksum_add(0, out, header_len)) == 0);
        MUST(memcmp(out + header_len, p + header_len + payload, out_len - header_len) == 0);
        payload += out_len - header_len;
    }
    if (rc == GRE_OK)
        MUST(payload + (size_t)(p[0] & 15) * 4 == (size_t)(p[2] << 8 | p[3]));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    const uint16_t mtu = (uint16_t)(data[2] << 8 | data[3]);
    const size_t len = size - 4;
    uint8_t *p = malloc(len ? len : 1);
    MUST(p);
    memcpy(p, data + 4, len);
    try_mss(mtu);
    try_clamp(p, len, mtu);
    try_error(p, len, data[0], mtu, (size_t)data[1] * 8);
    try_fragments(p, len, mtu);
    free(p);
    return 0;
}
