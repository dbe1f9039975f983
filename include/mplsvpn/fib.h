/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_FIB_H
#define MPLSVPN_FIB_H

/**
 * @file
 * @brief VRFs and their routes, IPv4 and IPv6.
 *
 * All functions that take a table belong to the writer. A VRF without routes costs about 100 bytes.
 * Prefixes are mplsvpn_addr with @c family, @c prefix_len and @c bytes; bits beyond the prefix must
 * be zero; @c port and @c scope are ignored.
 */

#include <mplsvpn/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief Adds a VRF.
 * @param t The table.
 * @param vrf The caller's number; any.
 * @retval MPLSVPN_OK Added, without routes.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_STATE There is one of this number.
 * @retval MPLSVPN_ERR_LIMIT There are @c max_vrfs.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_vrf_add(mplsvpn_table *t, uint32_t vrf);

/**
 * @brief Removes a VRF, its routes, and the permissions to enter it.
 *
 * A reader that has just got a hop may still name the VRF: use its number for another one only when
 * mplsvpn_table_collect() has returned MPLSVPN_OK.
 * @param t The table.
 * @param vrf The VRF.
 * @retval MPLSVPN_OK Removed.
 * @retval MPLSVPN_ERR_ARG @p t is NULL.
 * @retval MPLSVPN_ERR_ABSENT There is no such VRF.
 * @retval MPLSVPN_ERR_STATE Labels are bound to it, or it is an interface's own: release and remove
 *         those first.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_vrf_remove(mplsvpn_table *t, uint32_t vrf);

/**
 * @brief Adds a route or replaces the one of equal prefix.
 * @param t The table.
 * @param vrf The VRF.
 * @param prefix The prefix; length 0 is the default route.
 * @param hop Copied. TUNNEL, LOCAL or DISCARD; @c hop->vrf is set to @p vrf.
 * @retval MPLSVPN_OK Set; lookups see the old or the new, never a mixture.
 * @retval MPLSVPN_ERR_ARG A NULL pointer, a bad prefix, kind VRF, more than MPLSVPN_PUSH_MAX labels
 *         or a label that cannot be sent.
 * @retval MPLSVPN_ERR_ABSENT There is no such VRF.
 * @retval MPLSVPN_ERR_LIMIT There are @c max_routes.
 * @retval MPLSVPN_ERR_NOMEM No memory; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_route_set(mplsvpn_table *t, uint32_t vrf, const mplsvpn_addr *prefix,
                                         const mplsvpn_hop *hop);

/**
 * @brief Removes a route; needs no memory.
 * @param t The table.
 * @param vrf The VRF.
 * @param prefix The exact prefix.
 * @retval MPLSVPN_OK Removed.
 * @retval MPLSVPN_ERR_ARG A NULL pointer or a bad prefix.
 * @retval MPLSVPN_ERR_ABSENT There is no such VRF or route.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_route_remove(mplsvpn_table *t, uint32_t vrf,
                                            const mplsvpn_addr *prefix);

/**
 * @brief The route of exactly this prefix.
 * @param t The table.
 * @param vrf The VRF.
 * @param prefix The prefix.
 * @param out_hop Its hop.
 * @retval MPLSVPN_OK Copied.
 * @retval MPLSVPN_ERR_ARG A NULL pointer or a bad prefix.
 * @retval MPLSVPN_ERR_ABSENT There is no such VRF or route.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_route_get(const mplsvpn_table *t, uint32_t vrf,
                                         const mplsvpn_addr *prefix, mplsvpn_hop *out_hop);

/**
 * @brief The longest prefix that covers an address, for the control plane; counts nothing.
 * @param t The table.
 * @param vrf The VRF.
 * @param address The address; @c prefix_len is ignored.
 * @param out_prefix The route's prefix.
 * @param out_hop Its hop; DISCARD routes too.
 * @retval MPLSVPN_OK Found.
 * @retval MPLSVPN_ERR_ARG A NULL pointer or an unknown family.
 * @retval MPLSVPN_ERR_NO_VRF There is no such VRF.
 * @retval MPLSVPN_ERR_NO_ROUTE No route covers it.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_route_lookup(const mplsvpn_table *t, uint32_t vrf,
                                            const mplsvpn_addr *address, mplsvpn_addr *out_prefix,
                                            mplsvpn_hop *out_hop);

/**
 * @brief Walks the routes of a VRF in order: by address, then by length.
 *
 * The walk goes by the prefix last returned, so routes may come and go meanwhile.
 *
 * @param t The table.
 * @param vrf The VRF.
 * @param family MPLSVPN_FAMILY_IPV4 or MPLSVPN_FAMILY_IPV6.
 * @param prefix Begin with @c family MPLSVPN_FAMILY_NONE; then the prefix last returned, which the
 *        next one replaces.
 * @param out_hop The route's hop.
 * @retval MPLSVPN_YES A route.
 * @retval MPLSVPN_OK No more.
 * @retval MPLSVPN_ERR_ARG A NULL pointer, an unknown family or a bad prefix.
 * @retval MPLSVPN_ERR_ABSENT There is no such VRF.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_route_next(const mplsvpn_table *t, uint32_t vrf, uint8_t family,
                                          mplsvpn_addr *prefix, mplsvpn_hop *out_hop);

/**
 * @brief The hop of the longest prefix that covers an address.
 * @param r The calling thread's reader, which counts drops.
 * @param vrf The VRF.
 * @param address The destination; @c prefix_len is ignored.
 * @param out_hop Never DISCARD.
 * @retval MPLSVPN_OK Found.
 * @retval MPLSVPN_ERR_ARG A NULL pointer or an unknown family.
 * @retval MPLSVPN_ERR_STATE The reader is idle: quiesce first.
 * @retval MPLSVPN_ERR_NO_VRF Drop: there is no such VRF.
 * @retval MPLSVPN_ERR_NO_ROUTE Drop: no route covers it.
 * @retval MPLSVPN_ERR_DISCARD Drop: a Null0 route covers it.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_fib_lookup(mplsvpn_reader *r, uint32_t vrf,
                                          const mplsvpn_addr *address, mplsvpn_hop *out_hop);

/**
 * @brief Looks many addresses up in one VRF, each with a result of its own.
 * @param r The calling thread's reader.
 * @param vrf The VRF.
 * @param addresses @p count destinations, families mixed as they come.
 * @param count How many; 0 is fine.
 * @param out_hops @p count hops, each written where its result is MPLSVPN_OK.
 * @param out_results @p count results, each as of mplsvpn_fib_lookup().
 * @retval MPLSVPN_OK All results were written.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_STATE The reader is idle: quiesce first.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_fib_lookup_bulk(mplsvpn_reader *r, uint32_t vrf,
                                               const mplsvpn_addr *addresses, size_t count,
                                               mplsvpn_hop *out_hops, mplsvpn_rc *out_results);

#ifdef __cplusplus
}
#endif

#endif
