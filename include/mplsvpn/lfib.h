/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_LFIB_H
#define MPLSVPN_LFIB_H

/**
 * @file
 * @brief Local labels, what they are bound to, and which interfaces may use them.
 *
 * @code
 *            allocate, reserve        bind          release            reclaim
 *     FREE ------------------> HELD ------> BOUND ----------> DRAINING --------> FREE
 *                               '--- release ---------------------^
 * @endcode
 *
 * A held label drops as unknown, a draining one drops and counts apart. The library knows no time:
 * reclaim a label when whatever advertised it has run out. Labels are allocated upwards from an
 * offset that the seed decides, then the one that has been free longest is used first.
 *
 * All functions belong to the writer.
 */

#include <mplsvpn/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/** States of a local label. */
enum {
    MPLSVPN_LABEL_FREE = 0,    /**< Nobody's. */
    MPLSVPN_LABEL_HELD = 1,    /**< An owner's, bound to nothing yet. */
    MPLSVPN_LABEL_BOUND = 2,   /**< Forwards. */
    MPLSVPN_LABEL_DRAINING = 3 /**< Released: drops until it is reclaimed. */
};

/**
 * @brief Takes a free label for an owner.
 * @param t The table.
 * @param owner_id The caller's: a session, a VRF, a route; any value.
 * @param out_label The label.
 * @retval MPLSVPN_OK Held.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_LIMIT No label is free, or @c max_labels are taken.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_allocate(mplsvpn_table *t, uint64_t owner_id,
                                              uint32_t *out_label);

/**
 * @brief Takes a certain free label for an owner, as static configuration asks for.
 * @param t The table.
 * @param owner_id The caller's.
 * @param label Within the configured range.
 * @retval MPLSVPN_OK Held.
 * @retval MPLSVPN_ERR_ARG @p t is NULL or the label is out of range.
 * @retval MPLSVPN_ERR_STATE The label is not free.
 * @retval MPLSVPN_ERR_LIMIT @c max_labels are taken.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_reserve(mplsvpn_table *t, uint64_t owner_id, uint32_t label);

/**
 * @brief Binds a label, or binds it anew: lookups see the old hop or the new one, never a mixture.
 * @param t The table.
 * @param label Held or bound.
 * @param hop Copied; @c hop->vrf is the context that an interface must be allowed.
 * @retval MPLSVPN_OK Bound.
 * @retval MPLSVPN_ERR_ARG A NULL pointer, an unknown kind, more than MPLSVPN_PUSH_MAX labels, or a
 *         label that cannot be sent.
 * @retval MPLSVPN_ERR_ABSENT The label is free, or there is no such VRF.
 * @retval MPLSVPN_ERR_STATE The label is draining.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_bind(mplsvpn_table *t, uint32_t label, const mplsvpn_hop *hop);

/**
 * @brief Takes a label out of service: it drops from now on, and stays its owner's.
 * @param t The table.
 * @param label Held or bound; a draining one stays so.
 * @retval MPLSVPN_OK Draining.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT The label is free.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_release(mplsvpn_table *t, uint32_t label);

/**
 * @brief Releases all labels of an owner.
 * @param t The table.
 * @param owner_id The owner.
 * @retval MPLSVPN_OK All are draining.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT The owner has no label.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_release_owner(mplsvpn_table *t, uint64_t owner_id);

/**
 * @brief Makes a draining label free.
 * @param t The table.
 * @param label Draining.
 * @retval MPLSVPN_OK Free, and last in the queue to be used again.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT The label is free.
 * @retval MPLSVPN_ERR_STATE The label is in service: release it first.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_reclaim(mplsvpn_table *t, uint32_t label);

/**
 * @brief Walks the labels of an owner.
 *
 * The label just returned may be released or reclaimed; no other label of the owner may be
 * reclaimed during the walk.
 *
 * @param t The table.
 * @param owner_id The owner.
 * @param it Begin with 0; the library's own afterwards.
 * @param out_label The next label.
 * @retval MPLSVPN_YES A label.
 * @retval MPLSVPN_OK No more.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_next(const mplsvpn_table *t, uint64_t owner_id, size_t *it,
                                          uint32_t *out_label);

/**
 * @brief Walks all labels that are not free, in the order in which they are allocated.
 *
 * Labels may change state during the walk.
 *
 * @param t The table.
 * @param it Begin with 0; the library's own afterwards.
 * @param out_label The next label; mplsvpn_label_get() tells the rest.
 * @retval MPLSVPN_YES A label.
 * @retval MPLSVPN_OK No more.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_lfib_next(const mplsvpn_table *t, size_t *it, uint32_t *out_label);

/**
 * @brief State, owner and hop of a label.
 * @param t The table.
 * @param label Any.
 * @param out_state MPLSVPN_LABEL_...
 * @param out_owner_id Its owner; 0 where it is free.
 * @param out_hop Its hop where it is bound, else all zero.
 * @retval MPLSVPN_OK Filled in.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_ABSENT The label is outside of the configured range.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_get(const mplsvpn_table *t, uint32_t label, uint8_t *out_state,
                                         uint64_t *out_owner_id, mplsvpn_hop *out_hop);

/**
 * @brief Adds an interface, or changes its own VRF. A new one may enter nothing.
 * @param t The table.
 * @param interface_id The caller's.
 * @param vrf The VRF of packets that arrive with explicit null or without a label.
 * @retval MPLSVPN_OK Set.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT There is no such VRF.
 * @retval MPLSVPN_ERR_LIMIT There are @c max_interfaces.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_interface_set(mplsvpn_table *t, uint32_t interface_id, uint32_t vrf);

/**
 * @brief Removes an interface and its permissions.
 * @param t The table.
 * @param interface_id The interface.
 * @retval MPLSVPN_OK Removed.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT There is no such interface.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_interface_remove(mplsvpn_table *t, uint32_t interface_id);

/**
 * @brief Lets packets from an interface use labels whose context is a VRF.
 * @param t The table.
 * @param interface_id The interface.
 * @param vrf The VRF; its own one needs this as well.
 * @retval MPLSVPN_OK Allowed; harmless when it was.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT There is no such interface or VRF.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_interface_allow(mplsvpn_table *t, uint32_t interface_id,
                                               uint32_t vrf);

/**
 * @brief Takes a permission back; needs no memory, so it cannot fail for the lack of it.
 * @param t The table.
 * @param interface_id The interface.
 * @param vrf The VRF.
 * @retval MPLSVPN_OK Denied from now on.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT There is no such interface, or it was not allowed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_interface_deny(mplsvpn_table *t, uint32_t interface_id,
                                              uint32_t vrf);

/**
 * @brief What a packet with this label from this interface would meet; counts nothing.
 * @param t The table.
 * @param in_if The interface.
 * @param label The top label, not a special-purpose one.
 * @param hop Written only on success.
 * @retval MPLSVPN_OK The label's hop.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_RESERVED A special-purpose label.
 * @retval MPLSVPN_ERR_NO_LABEL The label is bound to nothing.
 * @retval MPLSVPN_ERR_DRAINING The label was released.
 * @retval MPLSVPN_ERR_NOT_ALLOWED The interface may not enter the label's context.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_table_lookup(const mplsvpn_table *t, uint32_t in_if, uint32_t label,
                                            mplsvpn_hop *hop);

#ifdef __cplusplus
}
#endif

#endif
