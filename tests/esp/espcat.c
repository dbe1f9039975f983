/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * libesp on standard input and output, for tests in other languages. One command a line, fields
 * separated by spaces, bytes in hex ("-" for none):
 *
 *     seal ALGORITHM KEYMAT MODE SPI ESN LAST_SEQUENCE NEXT_HEADER PAYLOAD    ->  PACKET
 *     open ALGORITHM KEYMAT MODE SPI ESN LAST_SEQUENCE PACKET     ->  NEXT_HEADER SEQUENCE PAYLOAD
 *
 * or the name of an error.
 */
#define _POSIX_C_SOURCE 200809L
#include <esp/esp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_BYTES 70000

static int nibble(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t from_hex(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (; hex[0] && nibble(hex[0]) >= 0 && nibble(hex[1]) >= 0 && n < cap; hex += 2)
        out[n++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
    return n;
}

static void print_hex(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    if (len == 0)
        printf("-");
}

static esp_rc answer(const esp_sa_config *cfg, const char *next_header, const char *hex)
{
    static uint8_t buf[BUF_BYTES];
    esp_sa *sa = NULL;
    esp_span span;
    esp_opened opened;
    esp_rc rc = esp_sa_new(cfg, &sa);
    if (rc != ESP_OK)
        return rc;
    if (cfg->direction == ESP_DIRECTION_OUT) {
        esp_sa_info info = {.struct_size = sizeof(info)};
        (void)esp_sa_get_info(sa, &info);
        uint8_t *payload = buf + info.header_len;
        const size_t len = from_hex(hex, payload, sizeof(buf) - ESP_HEADER_MAX);
        rc = esp_sa_seal(sa, 0, buf, sizeof(buf), payload, len,
                         (uint8_t)strtoul(next_header, NULL, 0), &span);
        if (rc == ESP_OK)
            print_hex(buf + span.offset, span.len);
    } else {
        rc = esp_sa_open(sa, 0, buf, from_hex(hex, buf, sizeof(buf)), &opened);
        if (rc == ESP_OK) {
            printf("%u %" PRIu64 " ", opened.next_header, opened.sequence);
            print_hex(buf + opened.offset, opened.len);
        }
    }
    esp_sa_free(sa);
    return rc;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *fields[9] = {0};
        size_t n = 0;
        char *rest = line;
        for (char *f; n < 9 && (f = strtok_r(rest, " \n", &rest)); n++)
            fields[n] = f;
        const int seals = n > 0 && strcmp(fields[0], "seal") == 0;
        if (n != (seals ? 9u : 8u)) {
            fprintf(stderr, "espcat: not a command\n");
            return 2;
        }
        uint8_t keymat[ESP_KEYMAT_MAX];
        esp_sa_config cfg;
        esp_sa_config_init(&cfg);
        cfg.direction = seals ? ESP_DIRECTION_OUT : ESP_DIRECTION_IN;
        char *integrity;
        cfg.algorithm = (uint8_t)strtoul(fields[1], &integrity, 0);
        cfg.integrity = *integrity == '/' ? (uint8_t)strtoul(integrity + 1, NULL, 0) : 0;
        cfg.keymat = keymat;
        cfg.keymat_len = from_hex(fields[2], keymat, sizeof(keymat));
        cfg.mode = (uint8_t)strtoul(fields[3], NULL, 0);
        cfg.spi = (uint32_t)strtoul(fields[4], NULL, 0);
        cfg.esn = (uint8_t)strtoul(fields[5], NULL, 0);
        cfg.last_sequence = strtoull(fields[6], NULL, 0);
        const esp_rc rc = answer(&cfg, fields[7], fields[seals ? 8 : 7]);
        printf("%s\n", rc == ESP_OK ? "" : esp_rc_name(rc));
        fflush(stdout);
    }
    free(line);
    return 0;
}
