/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_RESULT_H
#define ESP_RESULT_H

/**
 * @file
 * @brief Why a packet was not sealed or was dropped.
 */

#include <esp/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Results of libesp's own. Each drops one packet and leaves the object usable; where the text says
 * nothing else, nothing has changed but a counter.
 */
enum {
    ESP_ERR_TRUNCATED = -20,   /**< Shorter than its headers and trailer, or than it says. */
    ESP_ERR_ALIGN = -21,       /**< The ciphertext is not a multiple of four bytes. */
    ESP_ERR_SPI = -22,         /**< The SPI is not this SA's: look the SA up again. */
    ESP_ERR_REPLAY = -23,      /**< Seen before, or older than the replay window. */
    ESP_ERR_AUTH = -24,        /**< The ICV is wrong: forged, damaged, or another key. */
    ESP_ERR_PADDING = -25,     /**< Authentic, but the padding is not 1, 2, 3, ... or too long. */
    ESP_ERR_NEXT_HEADER = -26, /**< Authentic, but the SA's mode does not carry this protocol. */
    ESP_ERR_DUMMY = -27,       /**< Authentic, of no content (next header 59), and received. */
    ESP_ERR_EXPIRED = -28,     /**< A hard limit of the SA is reached: replace the SA. */
    ESP_ERR_SEQUENCE = -29,    /**< No sequence number is left: replace the SA. */
    ESP_ERR_CRYPTO = -30,      /**< The cipher failed or is not built in: replace the SA. */
    ESP_ERR_VERSION = -31,     /**< Neither IPv4 nor IPv6. */
    ESP_ERR_CHECKSUM = -32,    /**< The IPv4 header checksum is wrong. */
    ESP_ERR_FRAGMENT = -33,    /**< A fragment: reassemble first (RFC 4303 3.4.1). */
    ESP_ERR_PROTOCOL = -34     /**< The IP packet does not carry ESP next. */
};

#ifdef __cplusplus
}
#endif

#endif
