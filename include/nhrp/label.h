/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_LABEL_H
#define NHRP_LABEL_H

/**
 * @file
 * @brief MPLS labels in NHRP: a documented vendor-private extension.
 *
 * The value begins with a 3-octet OUI, 'L' (4C) and version 1, followed by bindings. Each binding
 * is a role, a prefix and one to four labels in the encoding of RFC 8277. docs/nhrp-labels.md
 * specifies it; what these functions accept is its section 4.
 */

#include <nhrp/base.h>
#include <nhrp/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a binding is for. */
enum {
    /** A label that the receiver of the packet owns; it names a VRF, or the next hop to swap to. */
    NHRP_ROLE_CONTEXT = 1,
    /** The responder's labels for the prefix that it answers. */
    NHRP_ROLE_RESPONDER_VPN = 2,
    /** The responder's labels for its tunnel address; commonly implicit null. */
    NHRP_ROLE_RESPONDER_OVERLAY = 3
};

/** Numbers of the label extension. */
enum {
    NHRP_LABELS_MAX = 4,          /**< Labels in one binding. */
    NHRP_BINDINGS_MAX = 16,       /**< Bindings in one extension. */
    NHRP_LABEL_IMPLICIT_NULL = 3, /**< Alone: push nothing. */
    NHRP_LABEL_FIRST = 16,        /**< Below are special labels (RFC 7274). */
    NHRP_LABEL_LAST = 1048575,    /**< 20 bits. */
    NHRP_OUI_DEFAULT = 0x024d50   /**< The locally administered OUI 02-4D-50. */
};

/** A binding of labels to a prefix, 44 octets, frozen. */
typedef struct nhrp_label_binding {
    uint8_t role;                     /**< NHRP_ROLE_...; unknown ones are skipped by engines. */
    uint8_t label_count;              /**< 1 to NHRP_LABELS_MAX. */
    uint16_t reserved;                /**< Zero. */
    uint32_t labels[NHRP_LABELS_MAX]; /**< Top of the stack first; 20 bits each. */
    nhrp_addr prefix;                 /**< With prefix_len; bits beyond it are zero. */
} nhrp_label_binding;

/**
 * @brief Tells whether an extension is a label extension, and checks all of its bindings.
 * @param extension A decoded extension.
 * @param oui The 24-bit OUI that label extensions carry.
 * @retval NHRP_YES It is one, of version 1, and well-formed.
 * @retval NHRP_OK It is something else, or another version.
 * @retval NHRP_ERR_ARG extension is NULL.
 * @retval NHRP_ERR_LABEL It is one, but malformed, or has a label that may not be used.
 */
NHRP_API nhrp_rc nhrp_label_check(const nhrp_extension *extension, uint32_t oui);

/**
 * @brief Reads the next binding of an extension that nhrp_label_check has said YES to.
 *
 * Labels 0 to 15 are refused, but for implicit null alone.
 * @param extension The label extension.
 * @param[in,out] it 0 to begin with.
 * @param[out] out Written with NHRP_YES only.
 * @retval NHRP_YES One was read.
 * @retval NHRP_OK There are no more.
 * @retval NHRP_ERR_ARG An argument is NULL or the position is beyond the value.
 * @retval NHRP_ERR_LABEL Malformed.
 */
NHRP_API nhrp_rc nhrp_label_next(const nhrp_extension *extension, size_t *it,
                                 nhrp_label_binding *out);

/**
 * @brief Encodes the value of a label extension; nhrp_writer_put_extension gives it its header.
 * @param bindings What it says, in this order.
 * @param count 1 to NHRP_BINDINGS_MAX.
 * @param oui The 24-bit OUI.
 * @param[out] buf Where the value goes; may be NULL where cap is 0.
 * @param cap Octets of buf.
 * @param[out] len Octets of the value, also with NHRP_ERR_BUFFER.
 * @retval NHRP_OK Encoded.
 * @retval NHRP_ERR_ARG An argument is NULL or a binding is not one that a decoder accepts.
 * @retval NHRP_ERR_BUFFER The buffer is smaller than len.
 */
NHRP_API nhrp_rc nhrp_label_encode(const nhrp_label_binding *bindings, size_t count, uint32_t oui,
                                   uint8_t *buf, size_t cap, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
