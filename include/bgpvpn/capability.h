/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_CAPABILITY_H
#define BGPVPN_CAPABILITY_H

/**
 * @file
 * @brief Capabilities beyond those that are a flag: any code, and graceful restart (RFC 5492,
 * RFC 4724 3, RFC 8538 2).
 */

#include <bgpvpn/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Capability codes (IANA). */
enum {
    BGPVPN_CAPABILITY_MULTIPROTOCOL = 1,     /**< RFC 4760 8 */
    BGPVPN_CAPABILITY_REFRESH = 2,           /**< RFC 2918 2 */
    BGPVPN_CAPABILITY_EXTENDED_MESSAGE = 6,  /**< RFC 8654 3 */
    BGPVPN_CAPABILITY_GRACEFUL_RESTART = 64, /**< RFC 4724 3 */
    BGPVPN_CAPABILITY_AS4 = 65,              /**< RFC 6793 3 */
    BGPVPN_CAPABILITY_ENHANCED_REFRESH = 70  /**< RFC 7313 3.1 */
};

/** Restart flags: @ref bgpvpn_restart.flags. */
enum {
    BGPVPN_RESTART_RESTARTED = 1 << 0,   /**< R: the sender has restarted (RFC 4724 3). */
    BGPVPN_RESTART_NOTIFICATION = 1 << 1 /**< N: also after NOTIFICATION (RFC 8538 2). */
};

/** The graceful restart capability; 16 bytes, frozen. */
typedef struct bgpvpn_restart {
    uint16_t time_s;    /**< Restart time, up to 4095. */
    uint16_t reserved;  /**< 0 */
    uint32_t flags;     /**< BGPVPN_RESTART_... */
    uint32_t tables;    /**< BGPVPN_TABLE_... listed; unknown families are skipped. */
    uint32_t preserved; /**< Those of them with the F bit: forwarding went on. */
} bgpvpn_restart;

/**
 * @brief Encodes an OPEN as bgpvpn_open_encode(), with more capabilities behind its own.
 * @param open The message.
 * @param more Capabilities of at most 255 bytes each; may be NULL when @p count is 0.
 * @param count How many.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len The length of the message; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, a code or length above 255, or more than 4096 bytes.
 */
BGPVPN_API bgpvpn_rc bgpvpn_open_encode_with(const bgpvpn_open *open, const bgpvpn_capability *more,
                                             size_t count, uint8_t *buf, size_t cap, size_t *len);

/**
 * @brief Decodes the value of a graceful restart capability; of several in an OPEN the last counts.
 * @param capability Of code 64.
 * @param[out] out What it says.
 * @retval BGPVPN_OK Decoded.
 * @retval BGPVPN_ERR_OPEN Not two octets and four for each family: it counts as absent.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or another code.
 */
BGPVPN_API bgpvpn_rc bgpvpn_restart_decode(const bgpvpn_capability *capability,
                                           bgpvpn_restart *out);

/**
 * @brief Encodes the value of a graceful restart capability.
 * @param restart What it shall say.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len Its length; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, the time is above 4095, a flag or family is unknown, or
 *         a family is preserved and not listed.
 */
BGPVPN_API bgpvpn_rc bgpvpn_restart_encode(const bgpvpn_restart *restart, uint8_t *buf, size_t cap,
                                           size_t *len);

#ifdef __cplusplus
}
#endif

#endif
