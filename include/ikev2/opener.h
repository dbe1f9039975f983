/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_OPENER_H
#define IKEV2_OPENER_H

/**
 * @file
 * @brief Opens encrypted messages with given keys, for dissectors: no IKE SA, no state.
 */

#include <ikev2/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest message that is opened: a UDP payload. */
enum { IKEV2_OPENER_MAX = 65535 };

/** Contexts of the ciphers; the keys come with each call. */
typedef struct ikev2_opener ikev2_opener;

/** Keys of one direction of an IKE SA (RFC 7296 2.14), an input; frozen. */
typedef struct ikev2_message_key {
    const uint8_t *key;       /**< SK_ei for the original initiator's messages, else SK_er; with an
                                   AEAD cipher the salt is its end (RFC 5282 7.1). */
    size_t key_len;           /**< AES-GCM: 20 or 36; ChaCha20-Poly1305: 36; AES-CBC: 16 or 32. */
    const uint8_t *integ_key; /**< SK_ai or SK_ar; NULL with an AEAD cipher. */
    size_t integ_key_len;     /**< 32, 48 or 64; 0 with an AEAD cipher. */
    uint16_t encr;            /**< IKEV2_ENCR_... */
    uint16_t integ;           /**< IKEV2_INTEG_... */
    uint32_t reserved;        /**< 0. */
} ikev2_message_key;

/** What an encrypted message holds; frozen. */
typedef struct ikev2_opened {
    size_t offset;         /**< Of the text from the start of the message. */
    size_t len;            /**< Its length, without padding. */
    uint16_t number;       /**< SKF: of the fragment, from 1; SK: 0. */
    uint16_t total;        /**< SKF: of fragments; SK: 0. */
    uint8_t first_payload; /**< Type of the first payload; 0 in fragments but the first. */
    uint8_t reserved[3];   /**< 0. */
} ikev2_opened;

/**
 * @brief Makes an opener.
 * @param allocator copied; NULL: the C library's.
 * @param out the opener, to be freed with ikev2_opener_free().
 * @retval IKEV2_ERR_NOMEM nothing was made.
 * @retval IKEV2_ERR_CRYPTO libcrypto lacks an algorithm, or memory.
 */
IKEV2_API ikev2_rc ikev2_opener_new(const ikev2_allocator *allocator, ikev2_opener **out);

/**
 * @brief Frees an opener.
 * @param opener NULL is ignored.
 */
IKEV2_API void ikev2_opener_free(ikev2_opener *opener);

/**
 * @brief Verifies and decrypts an SK or SKF payload in place (RFC 7296 3.14, RFC 7383 2.5).
 *
 * The text of SK is a chain of payloads for ikev2_chain_begin(); that of SKF is a part of one, to
 * be joined in the order of the numbers. Nothing is remembered: the same message opens again.
 *
 * @param opener the opener.
 * @param key the keys of the message's sender.
 * @param buf the message from its header on, without a non-ESP marker; after an error the bytes are
 *        unspecified.
 * @param len its length.
 * @param opened where the text lies in @p buf; written on success.
 * @retval IKEV2_ERR_ARG a NULL, or keys of lengths that the algorithms do not have.
 * @retval IKEV2_ERR_LIMIT longer than IKEV2_OPENER_MAX.
 * @retval IKEV2_ERR_TRUNCATED IKEV2_ERR_VERSION or IKEV2_ERR_LENGTH: as ikev2_header_decode();
 *         IKEV2_ERR_LENGTH also where payloads do not add up, or ciphertext or padding cannot be.
 * @retval IKEV2_ERR_PAYLOADS there is no SK and no SKF payload.
 * @retval IKEV2_ERR_FRAGMENT a fragment's number is 0 or above the total.
 * @retval IKEV2_ERR_SYNTAX an SKF payload too short for its head.
 * @retval IKEV2_ERR_INTEGRITY the checksum does not verify: forged, damaged, or other keys.
 */
IKEV2_API ikev2_rc ikev2_opener_open(ikev2_opener *opener, const ikev2_message_key *key,
                                     uint8_t *buf, size_t len, ikev2_opened *opened);

#ifdef __cplusplus
}
#endif

#endif
