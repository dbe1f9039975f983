/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_RESYNC_H
#define ESP_RESYNC_H

/**
 * @file
 * @brief Finds the sequence number again after 2^32 packets were lost (RFC 4303 Appendix A3).
 */

#include <esp/base.h>
#include <esp/result.h>
#include <esp/sa.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief Tries later high halves of the sequence number on a packet that failed authentication.
 *
 * With ESN a receiver that missed 2^32 packets in a row authenticates nothing any more. The caller
 * counts consecutive ESP_ERR_AUTH of @ref esp_sa_open, and past a threshold of its own hands in a
 * copy of one such packet, taken before it was opened. Each try costs a copy and a decryption, so
 * this belongs off the fast path, seldom, and with few tries: most such packets are forged.
 *
 * @param sa Inbound, with ESN.
 * @param worker As for @ref esp_sa_open, and no call of that at the same time.
 * @param[in] packet The ESP packet as it was received; unchanged.
 * @param len Bytes at @p packet.
 * @param max_tries High halves to try, from the window's own plus one.
 * @param[out] out Where the packet is decrypted; must not overlap @p packet.
 * @param cap Bytes at @p out, at least @p len.
 * @param[out] opened Where the payload lies within @p out; written on success.
 * @retval ESP_OK The packet is authentic; the window has moved to it.
 * @retval ESP_ERR_ARG A NULL, a wrong worker or an overlap.
 * @retval ESP_ERR_STATE The SA is outbound or has no ESN.
 * @retval ESP_ERR_BUFFER @p cap is below @p len.
 * @retval ESP_ERR_AUTH None fits: drop the packet, the SA is as before.
 * @return Else what @ref esp_sa_open returns.
 */
ESP_API esp_rc esp_sa_resync(esp_sa *sa, uint32_t worker, const uint8_t *packet, size_t len,
                             uint32_t max_tries, uint8_t *out, size_t cap, esp_opened *opened);

#ifdef __cplusplus
}
#endif

#endif
