/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_LABEL_H
#define MPLSVPN_LABEL_H

/**
 * @file
 * @brief Label stack entries and label stacks on the wire (RFC 3032, RFC 5462).
 *
 * @code
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  |                Label                  | TC  |S|       TTL     |
 * @endcode
 */

#include <mplsvpn/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Special-purpose labels (RFC 3032 2.1, RFC 7274). */
enum {
    MPLSVPN_LABEL_IPV4_EXPLICIT_NULL = 0, /**< Popped; what is below is IPv4 or a label. */
    MPLSVPN_LABEL_ROUTER_ALERT = 1,       /**< Dropped here: there is no local module for it. */
    MPLSVPN_LABEL_IPV6_EXPLICIT_NULL = 2, /**< Popped; what is below is IPv6 or a label. */
    MPLSVPN_LABEL_IMPLICIT_NULL = 3,      /**< Signalled only: push nothing. */
    MPLSVPN_LABEL_ENTROPY_INDICATOR = 7,  /**< RFC 6790; dropped here. */
    MPLSVPN_LABEL_EXTENSION = 15,         /**< RFC 7274 3.1; dropped here. */
    MPLSVPN_LABEL_FIRST = 16,             /**< The first that may be allocated. */
    MPLSVPN_LABEL_LAST = 1048575          /**< The last of 20 bits. */
};

/** Sizes of label stacks. */
enum {
    MPLSVPN_LABEL_BYTES = 4, /**< One label stack entry. */
    MPLSVPN_STACK_MAX = 16,  /**< Entries that are accepted in one stack. */
    MPLSVPN_PUSH_MAX = 4     /**< Labels that one hop pushes at most. */
};

/** One label stack entry, 8 bytes, frozen. */
typedef struct mplsvpn_label {
    uint32_t value;  /**< 0 to MPLSVPN_LABEL_LAST. */
    uint8_t tc;      /**< Traffic class, 0 to 7. */
    uint8_t bottom;  /**< 1: bottom of stack. */
    uint8_t ttl;     /**< Time to live. */
    uint8_t padding; /**< 0. */
} mplsvpn_label;

/**
 * @brief Reads one label stack entry.
 * @param buf At least MPLSVPN_LABEL_BYTES.
 * @param len Bytes there are.
 * @param out Written only on success.
 * @retval MPLSVPN_OK Read.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_TRUNCATED Fewer than 4 bytes.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_decode(const uint8_t *buf, size_t len, mplsvpn_label *out);

/**
 * @brief Writes one label stack entry.
 * @param label What to write.
 * @param buf At least MPLSVPN_LABEL_BYTES.
 * @param cap Bytes there are.
 * @retval MPLSVPN_OK Written.
 * @retval MPLSVPN_ERR_ARG A NULL pointer or a field out of range.
 * @retval MPLSVPN_ERR_BUFFER Fewer than 4 bytes.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_encode(const mplsvpn_label *label, uint8_t *buf, size_t cap);

/**
 * @brief Reads a label stack down to its bottom.
 * @param buf The top entry and what follows.
 * @param len Bytes there are.
 * @param out The entries, top first; written only on success.
 * @param cap Entries that @p out holds; MPLSVPN_STACK_MAX always suffice.
 * @param out_count Entries read; the payload begins after as many times 4 bytes.
 * @retval MPLSVPN_OK Read; the last entry is the bottom.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_TRUNCATED Not even one entry.
 * @retval MPLSVPN_ERR_NO_BOTTOM Drop: no entry says that it is the bottom.
 * @retval MPLSVPN_ERR_DEPTH Drop: more than MPLSVPN_STACK_MAX entries.
 * @retval MPLSVPN_ERR_BUFFER @p cap is short.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_stack_decode(const uint8_t *buf, size_t len, mplsvpn_label *out,
                                            size_t cap, size_t *out_count);

/**
 * @brief Writes a label stack in front of a payload.
 *
 * @c bottom is as given: the caller may write on top of a stack that is there already.
 *
 * @param labels Entries, top first.
 * @param count How many; 0 writes nothing.
 * @param buf The buffer with headroom.
 * @param offset Where the payload begins.
 * @param out_offset Where the stack begins.
 * @retval MPLSVPN_OK Written.
 * @retval MPLSVPN_ERR_ARG A NULL pointer, a field out of range, an entry that is bottom above
 *         another, or more than MPLSVPN_STACK_MAX.
 * @retval MPLSVPN_ERR_BUFFER The headroom is short: 4 bytes for each entry.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_stack_encode(const mplsvpn_label *labels, size_t count, uint8_t *buf,
                                            size_t offset, size_t *out_offset);

#ifdef __cplusplus
}
#endif

#endif
