/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_RESULT_H
#define MPLSVPN_RESULT_H

/**
 * @file
 * @brief Why the library refuses a packet; each has a counter in @ref mplsvpn_counters.
 *
 * All of them mean: drop the packet. Where another step is possible, the comment names it.
 */

#include <mplsvpn/base.h>

/** The library's own results. The numbers are part of the ABI. */
enum {
    MPLSVPN_ERR_TRUNCATED = -20,   /**< The packet ends inside a header that it announces. */
    MPLSVPN_ERR_CHECKSUM = -21,    /**< The IPv4 header checksum is wrong. */
    MPLSVPN_ERR_VERSION = -22,     /**< Not the IP version that is due here, or no IP at all. */
    MPLSVPN_ERR_MALFORMED = -23,   /**< An IP header contradicts itself or the length. */
    MPLSVPN_ERR_TTL = -24,         /**< TTL used up: an ICMP time exceeded may be sent. */
    MPLSVPN_ERR_NO_BOTTOM = -25,   /**< The label stack does not end before the packet does. */
    MPLSVPN_ERR_DEPTH = -26,       /**< More than MPLSVPN_STACK_MAX labels. */
    MPLSVPN_ERR_RESERVED = -27,    /**< A special-purpose label that nothing here handles. */
    MPLSVPN_ERR_NO_LABEL = -28,    /**< The label is bound to nothing here. */
    MPLSVPN_ERR_DRAINING = -29,    /**< The label was released: its sender is out of date. */
    MPLSVPN_ERR_NOT_ALLOWED = -30, /**< The interface may not enter that VRF. */
    MPLSVPN_ERR_NO_ROUTE = -31,    /**< The VRF has no route: ICMP unreachable may be sent. */
    MPLSVPN_ERR_DISCARD = -32,     /**< The route is a Null0 route. */
    MPLSVPN_ERR_NO_VRF = -33,      /**< There is no such VRF. */
    MPLSVPN_ERR_NOT_BOTTOM = -34,  /**< Labels are left where IP is due. */
    MPLSVPN_ERR_ADDRESS = -35      /**< An address that is never routed: multicast, loopback. */
};

#endif
