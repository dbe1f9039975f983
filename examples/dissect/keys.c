/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A line is a list of fields, separated by commas, each bare or in double quotes. Wildcards are
 * read by reading a field twice, with zeros and with ones in their place: what differs does not
 * count.
 */
#include "keys.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 10, FIELD_BYTES = 512 };

typedef struct fields {
    char text[FIELDS_MAX][FIELD_BYTES];
    size_t count;
} fields;

void keys_free(key_tables *k)
{
    for (size_t i = 0; i < k->esp_count; i++)
        esp_sa_free(k->esp[i].sa);
    if (k->esp)
        sodium_memzero(k->esp, k->esp_count * sizeof(*k->esp));
    if (k->ike)
        sodium_memzero(k->ike, k->ike_count * sizeof(*k->ike));
    free(k->esp);
    free(k->ike);
    *k = (key_tables){0};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One field; NULL: it is too long, or its quotes do not end. */
static const char *read_field(const char *at, char out[FIELD_BYTES])
{
    size_t len = 0;
    while (is_space(*at))
        at++;
    const bool quoted = *at == '"';
    at += quoted;
    while (*at && (quoted ? *at != '"' : *at != ',') && len + 1 < FIELD_BYTES)
        out[len++] = *at++;
    if (quoted && *at++ != '"')
        return NULL;
    while (!quoted && len > 0 && is_space(out[len - 1]))
        len--;
    out[len] = 0;
    while (is_space(*at))
        at++;
    return *at == 0 || *at == ',' ? at : NULL;
}

static bool split(const char *line, fields *f)
{
    f->count = 0;
    for (;;) {
        if (f->count == FIELDS_MAX)
            return false;
        line = read_field(line, f->text[f->count++]);
        if (!line)
            return false;
        if (*line == 0)
            return true;
        line++;
    }
}

static bool is_empty(const char *line)
{
    while (is_space(*line))
        line++;
    return *line == 0 || *line == '#';
}

/* Hex digits, with or without 0x. */
static bool read_hex(const char *text, uint8_t *out, size_t cap, size_t *len)
{
    const char *end;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    return sodium_hex2bin(out, cap, text, strlen(text), NULL, len, &end) == 0 && *end == 0;
}

/* Room for one more; NULL: no memory, or there are too many. */
static void *grow(void *items, size_t count, size_t size)
{
    if (count >= KEYS_MAX)
        return NULL;
    if (count & (count - 1))
        return items; /* room up to the next power of two */
    uint8_t *grown = malloc((count ? 2 * count : 1) * size);
    if (grown && items) {
        memcpy(grown, items, count * size);
        sodium_memzero(items, count * size);
        free(items);
    }
    return grown;
}

/* ---- ikev2_decryption_table ---- */

static bool begins(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

static void ike_algorithms(ike_keys *k, const char *encr, const char *integ)
{
    if (begins(encr, "AES-GCM-") && strstr(encr, "16 octet"))
        k->encr = IKEV2_ENCR_AES_GCM_16;
    else if (begins(encr, "AES-CBC-"))
        k->encr = IKEV2_ENCR_AES_CBC;
    else if (begins(encr, "CHACHA20"))
        k->encr = IKEV2_ENCR_CHACHA20_POLY1305;
    if (begins(integ, "HMAC_SHA2_256_128"))
        k->integ = IKEV2_INTEG_HMAC_SHA2_256_128;
    else if (begins(integ, "HMAC_SHA2_384_192"))
        k->integ = IKEV2_INTEG_HMAC_SHA2_384_192;
    else if (begins(integ, "HMAC_SHA2_512_256"))
        k->integ = IKEV2_INTEG_HMAC_SHA2_512_256;
}

static bool read_spi64(const char *text, uint64_t *out)
{
    uint8_t bytes[8];
    size_t len;
    if (!read_hex(text, bytes, sizeof bytes, &len) || len != sizeof bytes)
        return false;
    *out = 0;
    for (size_t i = 0; i < len; i++)
        *out = *out << 8 | bytes[i];
    return true;
}

static const char *read_ike(const char *line, ike_keys *k)
{
    enum { SPI_I, SPI_R, EI, ER, ENCR, AI, AR, INTEG, IKE_FIELDS };
    fields f;
    size_t lens[4];
    if (!split(line, &f) || f.count != IKE_FIELDS)
        return "eight fields are due: SPIs, SK_ei, SK_er, cipher, SK_ai, SK_ar, integrity";
    const bool good = read_spi64(f.text[SPI_I], &k->spi_i) && read_spi64(f.text[SPI_R], &k->spi_r);
    if (!good)
        return "an SPI is not 16 hex digits";
    if (!read_hex(f.text[EI], k->key[0], KEYS_SECRET_MAX, &lens[0]) ||
        !read_hex(f.text[ER], k->key[1], KEYS_SECRET_MAX, &lens[1]) ||
        !read_hex(f.text[AI], k->integ_key[0], KEYS_SECRET_MAX, &lens[2]) ||
        !read_hex(f.text[AR], k->integ_key[1], KEYS_SECRET_MAX, &lens[3]))
        return "a key is not hex, or too long";
    if (lens[0] != lens[1] || lens[2] != lens[3])
        return "the keys of initiator and responder differ in length";
    k->key_len = lens[0];
    k->integ_key_len = lens[2];
    ike_algorithms(k, f.text[ENCR], f.text[INTEG]);
    sodium_memzero(&f, sizeof f);
    return NULL;
}

const char *keys_add_ike(key_tables *k, const char *line)
{
    ike_keys key = {0};
    if (is_empty(line))
        return NULL;
    const char *why = read_ike(line, &key);
    ike_keys *grown = why ? NULL : grow(k->ike, k->ike_count, sizeof(*grown));
    if (why || !grown)
        return why ? why : "too many keys";
    k->ike = grown;
    k->ike[k->ike_count++] = key;
    sodium_memzero(&key, sizeof key);
    return NULL;
}

ike_keys *keys_find_ike(const key_tables *k, size_t *it, uint64_t spi_i, uint64_t spi_r)
{
    while (*it < k->ike_count) {
        ike_keys *key = &k->ike[(*it)++];
        if (key->spi_i == spi_i && key->spi_r == spi_r)
            return key;
    }
    return NULL;
}

/* ---- esp_sa ---- */

/* text with every * replaced. */
static bool without_stars(const char *text, const char *with, char *out, size_t cap)
{
    size_t at = 0;
    for (; *text; text++) {
        const char *piece = *text == '*' ? with : (char[2]){*text, 0};
        const size_t len = strlen(piece);
        if (at + len + 1 > cap)
            return false;
        memcpy(out + at, piece, len);
        at += len;
    }
    out[at] = 0;
    return true;
}

static void mask_to(uint8_t mask[16], unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        const unsigned left = bits > 8 * i ? bits - 8 * i : 0;
        const unsigned keep = left >= 8 ? 0xffu : 0xff00u >> left & 0xffu;
        mask[i] = (uint8_t)(mask[i] & keep);
    }
}

/* "*", an address, an address/prefix, or one with * for an octet or a group. */
static bool read_address(const char *text, uint8_t family, address_pattern *out)
{
    char low[FIELD_BYTES];
    char high[FIELD_BYTES];
    char address[FIELD_BYTES];
    uint8_t ones[16] = {0};
    const int af = family == ESP_FAMILY_IPV4 ? AF_INET : AF_INET6;
    const unsigned bits = family == ESP_FAMILY_IPV4 ? 32 : 128;
    memset(out, 0, sizeof(*out));
    if (strcmp(text, "*") == 0)
        return true;
    if (family == 0)
        return false;
    (void)snprintf(address, sizeof address, "%s", text);
    unsigned prefix_len = bits;
    char *slash = strchr(address, '/');
    if (slash) {
        char *end;
        const unsigned long n = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end || n > bits)
            return false;
        prefix_len = (unsigned)n;
        *slash = 0;
    }
    if (!without_stars(address, "0", low, sizeof low) ||
        !without_stars(address, family == ESP_FAMILY_IPV4 ? "255" : "ffff", high, sizeof high) ||
        inet_pton(af, low, out->bytes) != 1 || inet_pton(af, high, ones) != 1)
        return false;
    for (size_t i = 0; i < bits / 8; i++)
        out->mask[i] = (uint8_t) ~(out->bytes[i] ^ ones[i]);
    mask_to(out->mask, prefix_len);
    return true;
}

static bool read_u32(const char *text, uint32_t *out)
{
    char *end;
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const unsigned long long n = strtoull(text, &end, hex ? 16 : 10);
    *out = (uint32_t)n;
    return *text && *end == 0 && *text != '-' && n <= UINT32_MAX;
}

static bool read_spi(const char *text, esp_keys *k)
{
    char low[FIELD_BYTES];
    char high[FIELD_BYTES];
    uint32_t ones;
    if (strcmp(text, "*") == 0 || strcmp(text, "0x*") == 0)
        return true; /* the mask is 0 */
    if (!without_stars(text, "0", low, sizeof low) ||
        !without_stars(text, "f", high, sizeof high) || !read_u32(low, &k->spi) ||
        !read_u32(high, &ones))
        return false;
    k->spi_mask = ~(k->spi ^ ones);
    return true;
}

static void esp_algorithm(esp_keys *k, const char *name)
{
    if (begins(name, "AES-GCM with 16 octet") && k->key_len == 20)
        k->algorithm = ESP_ALGORITHM_AES128_GCM16;
    else if (begins(name, "AES-GCM with 16 octet") && k->key_len == 36)
        k->algorithm = ESP_ALGORITHM_AES256_GCM16;
    else if (begins(name, "ChaCha20") && k->key_len == 36)
        k->algorithm = ESP_ALGORITHM_CHACHA20_POLY1305;
}

static const char *read_esp(const char *line, esp_keys *k)
{
    enum { PROTOCOL, SOURCE, DESTINATION, SPI, ENCR, KEY, AUTH, AUTH_KEY, SN, SN_UPPER };
    fields f;
    uint8_t key[FIELD_BYTES / 2];
    if (!split(line, &f) || f.count <= AUTH_KEY)
        return "eight fields are due: protocol, source, destination, SPI, cipher, key, "
               "authentication, its key";
    if (begins(f.text[PROTOCOL], "IPv4"))
        k->family = ESP_FAMILY_IPV4;
    else if (begins(f.text[PROTOCOL], "IPv6"))
        k->family = ESP_FAMILY_IPV6;
    else if (strcmp(f.text[PROTOCOL], "*") != 0)
        return "the protocol is neither IPv4 nor IPv6";
    if (!read_address(f.text[SOURCE], k->family, &k->source) ||
        !read_address(f.text[DESTINATION], k->family, &k->destination))
        return "an address cannot be read";
    if (!read_spi(f.text[SPI], k))
        return "the SPI cannot be read";
    if (!read_hex(f.text[KEY], key, sizeof key, &k->key_len))
        return "the key is not hex";
    esp_algorithm(k, f.text[ENCR]);
    if (k->algorithm)
        memcpy(k->key, key, k->key_len);
    sodium_memzero(key, sizeof key);
    /* Later versions of Wireshark tell how long sequence numbers are, and their high half. */
    if (f.count > SN)
        k->esn = begins(f.text[SN], "64") ? ESN_YES : ESN_NO;
    if (f.count > SN_UPPER && f.text[SN_UPPER][0] && !read_u32(f.text[SN_UPPER], &k->sequence_high))
        return "the high half of the sequence number cannot be read";
    sodium_memzero(&f, sizeof f);
    return NULL;
}

const char *keys_add_esp(key_tables *k, const char *line)
{
    esp_keys key = {0};
    if (is_empty(line))
        return NULL;
    const char *why = read_esp(line, &key);
    esp_keys *grown = why ? NULL : grow(k->esp, k->esp_count, sizeof(*grown));
    if (why || !grown)
        return why ? why : "too many keys";
    k->esp = grown;
    k->esp[k->esp_count++] = key;
    sodium_memzero(&key, sizeof key);
    return NULL;
}

static bool matches(const address_pattern *p, const uint8_t *address, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((p->bytes[i] ^ address[i]) & p->mask[i])
            return false;
    return true;
}

esp_keys *keys_find_esp(const key_tables *k, size_t *it, uint8_t family, const uint8_t *source,
                        const uint8_t *destination, uint32_t spi)
{
    const size_t len = family == ESP_FAMILY_IPV4 ? 4 : 16;
    while (*it < k->esp_count) {
        esp_keys *key = &k->esp[(*it)++];
        if ((key->family == 0 || key->family == family) && !((key->spi ^ spi) & key->spi_mask) &&
            matches(&key->source, source, len) && matches(&key->destination, destination, len))
            return key;
    }
    return NULL;
}
