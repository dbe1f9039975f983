/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The ESP header in the clear (RFC 4303 2.1, 2.2) and UDP encapsulation (RFC 3948).
 */
#include <esp/packet.h>
#include <esp/sa.h>
#include <internal/wire.h>

#define KEEPALIVE 0xff /* RFC 3948 2.3 */

esp_rc esp_header_decode(const uint8_t *buf, size_t len, esp_header *header)
{
    if (!buf || !header)
        return ESP_ERR_ARG;
    wire_reader r = wire_reader_make(buf, len);
    const uint32_t spi = wire_get_u32(&r);
    const uint32_t sequence_low = wire_get_u32(&r);
    if (!wire_ok(&r))
        return ESP_ERR_TRUNCATED;
    if (spi < ESP_SPI_MIN) /* RFC 4303 2.1 */
        return ESP_ERR_SPI;
    *header = (esp_header){.spi = spi, .sequence_low = sequence_low};
    return ESP_OK;
}

esp_rc esp_udp_classify(const uint8_t *buf, size_t len, uint32_t *kind)
{
    if (!buf || !kind)
        return ESP_ERR_ARG;
    /* RFC 3948 2.3, 4: one byte; a longer run of 0xff is an SPI. */
    if (len == ESP_UDP_KEEPALIVE_BYTES && buf[0] == KEEPALIVE) {
        *kind = ESP_UDP_KEEPALIVE;
        return ESP_OK;
    }
    wire_reader r = wire_reader_make(buf, len);
    const uint32_t spi_or_marker = wire_get_u32(&r);
    if (!wire_ok(&r))
        return ESP_ERR_TRUNCATED;
    /* RFC 3948 2.2: the marker lies where an SPI would, and no SPI is zero. */
    *kind = spi_or_marker == 0 ? ESP_UDP_IKE : ESP_UDP_ESP;
    return ESP_OK;
}

esp_rc esp_udp_keepalive_encode(uint8_t *out, size_t cap, size_t *len)
{
    if (!out || !len)
        return ESP_ERR_ARG;
    *len = ESP_UDP_KEEPALIVE_BYTES;
    if (cap < ESP_UDP_KEEPALIVE_BYTES)
        return ESP_ERR_BUFFER;
    out[0] = KEEPALIVE;
    return ESP_OK;
}
