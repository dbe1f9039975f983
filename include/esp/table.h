/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_TABLE_H
#define ESP_TABLE_H

/**
 * @file
 * @brief Finds the inbound SA of a packet by its SPI (RFC 4303 2.1, RFC 4301 4.1).
 *
 * The SPIs are the receiver's own choice, so that a sender cannot fill one bucket. A table is
 * read by several threads at once only while none changes it.
 */

#include <esp/base.h>
#include <esp/result.h>
#include <esp/sa.h>

#ifdef __cplusplus
extern "C" {
#endif

/** SPIs and their SAs. */
typedef struct esp_table esp_table;

/** What a table is made from; fill it with @ref esp_table_config_init first. It may grow. */
typedef struct esp_table_config {
    uint32_t struct_size;    /**< Set by @ref esp_table_config_init. */
    uint32_t max_entries;    /**< Ceiling, not preallocated. Default 1,000,000. */
    esp_allocator allocator; /**< Zeroed: the C library's. */
} esp_table_config;

/**
 * @brief Fills a configuration with the defaults.
 * @param[out] cfg NULL is ignored.
 */
ESP_API void esp_table_config_init(esp_table_config *cfg);

/**
 * @brief Makes an empty table.
 * @param[in] cfg Copied.
 * @param[out] out The table, to be freed with @ref esp_table_free.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL, a struct_size that no version had, or max_entries 0.
 * @retval ESP_ERR_NOMEM Nothing was made.
 */
ESP_API esp_rc esp_table_new(const esp_table_config *cfg, esp_table **out);

/**
 * @brief Frees a table; the SAs are the caller's and stay.
 * @param table NULL is ignored.
 */
ESP_API void esp_table_free(esp_table *table);

/**
 * @brief Enters an SA under its own SPI.
 * @param table The table.
 * @param sa Inbound; borrowed until @ref esp_table_remove.
 * @param cookie The caller's, such as the tunnel that the SA belongs to.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL or an outbound SA.
 * @retval ESP_ERR_STATE The SPI is taken; remove that entry first.
 * @retval ESP_ERR_LIMIT max_entries is reached.
 * @retval ESP_ERR_NOMEM Nothing changed.
 */
ESP_API esp_rc esp_table_add(esp_table *table, esp_sa *sa, uint64_t cookie);

/**
 * @brief Takes an SPI out; its SA may be freed then.
 * @param table The table.
 * @param spi In host order.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_ABSENT No such entry.
 */
ESP_API esp_rc esp_table_remove(esp_table *table, uint32_t spi);

/**
 * @brief Finds an SA.
 * @param[in] table The table.
 * @param spi In host order, from @ref esp_header_decode.
 * @param[out] sa The SA as it was entered.
 * @param[out] cookie The caller's.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_SPI Reserved (0 to 255): drop the packet.
 * @retval ESP_ERR_ABSENT No such entry: drop the packet (RFC 4303 3.4.2).
 */
ESP_API esp_rc esp_table_lookup(const esp_table *table, uint32_t spi, esp_sa **sa,
                                uint64_t *cookie);

/**
 * @brief Tells how many entries there are.
 * @param[in] table NULL counts as empty.
 * @return The number of entries.
 */
ESP_API uint32_t esp_table_get_count(const esp_table *table);

#ifdef __cplusplus
}
#endif

#endif
