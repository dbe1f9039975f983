/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_PACKET_H
#define ESP_PACKET_H

/**
 * @file
 * @brief What surrounds the protected part: the ESP header, UDP encapsulation, the outer IP header.
 */

#include <esp/base.h>
#include <esp/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The part of an ESP packet that is in the clear, 8 bytes, frozen. */
typedef struct esp_header {
    uint32_t spi;          /**< In host order; 0 never comes out of decoding. */
    uint32_t sequence_low; /**< The low half; not authenticated yet. */
} esp_header;

/**
 * @brief Reads SPI and sequence number, for finding the SA. Nothing is authenticated.
 * @param[in] buf The ESP packet.
 * @param len Bytes at @p buf.
 * @param[out] header Written on success.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_TRUNCATED Below 8 bytes: drop it.
 * @retval ESP_ERR_SPI A reserved SPI, 0 to 255: drop it (RFC 4303 2.1).
 */
ESP_API esp_rc esp_header_decode(const uint8_t *buf, size_t len, esp_header *header);

/** What a datagram on the NAT traversal port holds (RFC 3948 2). */
enum {
    ESP_UDP_ESP = 1,      /**< An ESP packet, all of it. */
    ESP_UDP_IKE = 2,      /**< An IKE message after the four zero bytes of the non-ESP marker. */
    ESP_UDP_KEEPALIVE = 3 /**< A NAT keepalive: drop it (RFC 3948 4). */
};

/** Sizes in UDP encapsulation. */
enum {
    ESP_UDP_MARKER_BYTES = 4,    /**< The non-ESP marker, which the IKE message follows. */
    ESP_UDP_KEEPALIVE_BYTES = 1, /**< A keepalive is one byte, 0xff. */
    ESP_UDP_HEADER_BYTES = 8     /**< What UDP itself adds before ESP. */
};

/**
 * @brief Tells ESP, IKE and keepalives apart (RFC 3948 2.1 to 2.3, 3.2).
 * @param[in] buf The payload of a UDP datagram on port 4500.
 * @param len Bytes at @p buf.
 * @param[out] kind ESP_UDP_...; written on success. IKE gets the whole payload, marker included.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_TRUNCATED Too short to be any of them: drop it.
 */
ESP_API esp_rc esp_udp_classify(const uint8_t *buf, size_t len, uint32_t *kind);

/**
 * @brief Writes a NAT keepalive (RFC 3948 2.3).
 * @param[out] out One byte.
 * @param cap Bytes at @p out.
 * @param[out] len Bytes written, or needed with ESP_ERR_BUFFER.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_BUFFER @p cap is 0.
 */
ESP_API esp_rc esp_udp_keepalive_encode(uint8_t *out, size_t cap, size_t *len);

/** The IP header before ESP where there is no UDP, 48 bytes, frozen. */
typedef struct esp_outer {
    uint8_t family;          /**< ESP_FAMILY_IPV4 or ESP_FAMILY_IPV6. */
    uint8_t traffic_class;   /**< DSCP and ECN, as RFC 4301 5.1.2 and RFC 6040 derive them. */
    uint8_t hop_limit;       /**< TTL in IPv4. */
    uint8_t dont_fragment;   /**< IPv4 only: 1 sets DF; 0 in IPv6. */
    uint32_t flow_label;     /**< IPv6 only, 20 bits; 0 in IPv4. */
    uint16_t identification; /**< IPv4 only; 0 in IPv6. */
    uint16_t header_len;     /**< Decoding: where ESP begins. Encoding ignores it. */
    uint32_t payload_len;    /**< Of the ESP packet. */
    uint8_t source[16];      /**< Network order; IPv4 in the first four, the rest zero. */
    uint8_t destination[16]; /**< As source. */
} esp_outer;

/** The longest header that @ref esp_outer_encode writes. */
enum { ESP_OUTER_MAX = 40 /**< IPv6; IPv4 takes 20. */ };

/**
 * @brief Writes an IPv4 or IPv6 header whose payload is ESP (RFC 4303 3.1).
 * @param[in] outer What to write; header_len is ignored.
 * @param[out] out The header; the ESP packet belongs right behind it.
 * @param cap Bytes at @p out.
 * @param[out] len Bytes written, or needed with ESP_ERR_BUFFER.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL, an unknown family, or a field beyond what the header can hold.
 * @retval ESP_ERR_BUFFER @p cap is too small; nothing was written.
 */
ESP_API esp_rc esp_outer_encode(const esp_outer *outer, uint8_t *out, size_t cap, size_t *len);

/**
 * @brief Reads the IP header of a raw ESP packet, as raw sockets deliver it.
 *
 * IPv4 options are skipped. IPv6 extension headers are refused, but for none at all: a host's
 * stack takes them off before it delivers.
 *
 * @param[in] buf An IP packet.
 * @param len Bytes at @p buf; what lies beyond the packet's own length is ignored.
 * @param[out] outer Written on success; ESP lies at header_len, payload_len bytes.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_TRUNCATED Shorter than its header or than the header says.
 * @retval ESP_ERR_VERSION Neither IPv4 nor IPv6.
 * @retval ESP_ERR_CHECKSUM IPv4 only.
 * @retval ESP_ERR_FRAGMENT ESP takes whole packets only.
 * @retval ESP_ERR_PROTOCOL The header is not followed by ESP (50).
 */
ESP_API esp_rc esp_outer_decode(const uint8_t *buf, size_t len, esp_outer *outer);

#ifdef __cplusplus
}
#endif

#endif
