/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_RESULT_H
#define GRE_RESULT_H

/**
 * @file
 * @brief Why the library refuses a packet.
 *
 * All of them mean: drop the packet. Where another step is possible, the comment names it.
 */

#include <gre/base.h>

/** The library's own results. The numbers are part of the ABI. */
enum {
    GRE_ERR_TRUNCATED = -20,      /**< The packet ends inside a header that it announces. */
    GRE_ERR_CHECKSUM = -21,       /**< The GRE or the outer IPv4 header checksum is wrong. */
    GRE_ERR_VERSION = -22,        /**< A GRE version other than 0, or neither IPv4 nor IPv6. */
    GRE_ERR_ROUTING = -23,        /**< RFC 1701 source routing is asked for: RFC 2784 2.3. */
    GRE_ERR_RESERVED = -24,       /**< Reserved bit 4 or 5 is set: RFC 2784 2.3. */
    GRE_ERR_KEY_MISSING = -25,    /**< The tunnel has a key, the packet has none. */
    GRE_ERR_KEY_UNEXPECTED = -26, /**< The tunnel has no key, the packet has one. */
    GRE_ERR_KEY_MISMATCH = -27,   /**< The packet has the key of another tunnel. */
    GRE_ERR_SEQUENCE = -28,       /**< Older than, or the same as, the last packet taken. */
    GRE_ERR_MALFORMED = -29,      /**< An IP header contradicts itself or the packet's length. */
    GRE_ERR_PROTOCOL = -30,       /**< Not GRE in the outer header, or GRE protocol type 0. */
    GRE_ERR_FRAGMENT = -31,       /**< The outer packet is a fragment: reassemble it first. */
    GRE_ERR_TOO_BIG = -32,        /**< Larger than the tunnel MTU: see gre_icmp_too_big(). */
    GRE_ERR_MAY_FRAGMENT = -33,   /**< No ICMP error is due, as the packet may be fragmented. */
    GRE_ERR_SILENT = -34,         /**< No ICMP error may ever answer this packet. */
    GRE_ERR_LOOP =
        -35 /**< The payload is for the other end itself, and would go back: RFC 2784 3.1. */
};

#endif
