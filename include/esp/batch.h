/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_BATCH_H
#define ESP_BATCH_H

/**
 * @file
 * @brief Several packets in one call, with a result each.
 */

#include <esp/base.h>
#include <esp/result.h>
#include <esp/sa.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One packet for @ref esp_sa_seal_batch, frozen; the fields are the arguments of @ref esp_sa_seal.
 */
typedef struct esp_seal_item {
    uint8_t *out;        /**< Where the ESP packet shall begin. */
    size_t cap;          /**< Bytes at @ref out. */
    const uint8_t *in;   /**< The payload. */
    size_t len;          /**< Bytes at @ref in. */
    uint8_t next_header; /**< The payload's protocol. */
    uint8_t reserved[7]; /**< Zero. */
} esp_seal_item;

/** One packet for @ref esp_sa_open_batch, frozen; the fields are the arguments of @ref esp_sa_open.
 */
typedef struct esp_open_item {
    uint8_t *buf; /**< The ESP packet. */
    size_t len;   /**< Bytes at @ref buf. */
} esp_open_item;

/**
 * @brief Seals several packets, as @ref esp_sa_seal would one after the other.
 *
 * Sequence numbers rise with the index. An item that fails does not stop the rest.
 *
 * @param sa Outbound.
 * @param worker As for @ref esp_sa_seal.
 * @param[in] items The packets; no two may overlap.
 * @param count How many; 0 is allowed.
 * @param[out] spans As many; each result is set.
 * @retval ESP_OK Look at each result.
 * @retval ESP_ERR_ARG A NULL or a wrong worker; nothing was done.
 * @retval ESP_ERR_STATE The SA is inbound; nothing was done.
 */
ESP_API esp_rc esp_sa_seal_batch(esp_sa *sa, uint32_t worker, const esp_seal_item *items,
                                 size_t count, esp_span *spans);

/**
 * @brief Opens several packets, as @ref esp_sa_open would one after the other.
 * @param sa Inbound.
 * @param worker As for @ref esp_sa_open.
 * @param[in] items The packets; the bytes they point at are decrypted in place.
 * @param count How many; 0 is allowed.
 * @param[out] opened As many; each result is set.
 * @retval ESP_OK Look at each result.
 * @retval ESP_ERR_ARG A NULL or a wrong worker; nothing was done.
 * @retval ESP_ERR_STATE The SA is outbound; nothing was done.
 */
ESP_API esp_rc esp_sa_open_batch(esp_sa *sa, uint32_t worker, const esp_open_item *items,
                                 size_t count, esp_opened *opened);

#ifdef __cplusplus
}
#endif

#endif
