/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What can be read before any key is known: the kind of a datagram, the ESP header, the outer IP
 * header, which must come out again as it went in where it has no options; and what says nothing,
 * the keepalive.
 */
#include <esp/packet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_outer(const uint8_t *data, size_t size)
{
    esp_outer o;
    uint8_t out[ESP_OUTER_MAX];
    size_t len = 0, unused;
    if (esp_outer_decode(data, size, &o) != ESP_OK)
        return;
    require(o.header_len + (size_t)o.payload_len <= size);
    require(esp_outer_encode(&o, out, sizeof(out), &len) == ESP_OK || o.header_len > 20);
    require(len == 0 || esp_outer_encode(&o, out, len - 1, &unused) == ESP_ERR_BUFFER);
    /* The reserved fragment bit, and a checksum of 0 for 0xffff, are not kept. */
    if (o.header_len == len && (o.family == 6 || (data[6] & 0x80) == 0))
        require(memcmp(out, data, 10) == 0 && memcmp(out + 12, data + 12, len - 12) == 0);
}

static void check_keepalive(const uint8_t *data, size_t size)
{
    uint8_t out;
    size_t len = 0;
    uint32_t kind = 0;
    require(esp_udp_keepalive_encode(&out, 0, &len) == ESP_ERR_BUFFER && len == 1);
    require(esp_udp_keepalive_encode(&out, 1, &len) == ESP_OK);
    require(esp_udp_classify(&out, 1, &kind) == ESP_OK && kind == ESP_UDP_KEEPALIVE);
    require(size != 1 || esp_udp_classify(data, size, &kind) != ESP_OK || data[0] == out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t kind = 0;
    esp_header header;
    const esp_rc udp = esp_udp_classify(data, size, &kind);
    const esp_rc esp = esp_header_decode(data, size, &header);
    require(udp != ESP_OK || (kind >= ESP_UDP_ESP && kind <= ESP_UDP_KEEPALIVE));
    if (esp == ESP_OK)
        require(udp == ESP_OK && kind == ESP_UDP_ESP && header.spi > 255);
    check_outer(data, size);
    check_keepalive(data, size);
    return 0;
}
