/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_FORWARD_H
#define MPLSVPN_FORWARD_H

/**
 * @file
 * @brief Packets through the table, in place in a buffer with headroom.
 *
 * @code
 *   IP from a TUN or an unlabelled interface         MPLS from a tunnel
 *            |                                               |
 *     mplsvpn_ip_input(vrf) <----- hop VRF ----- mplsvpn_label_input(interface)
 *            | hop LOCAL, TUNNEL                             | hop LOCAL, TUNNEL
 *     mplsvpn_packet_push                                    |
 *            '------------------------+----------------------'
 *                        send out.len bytes at out.offset,
 *            LOCAL: to the TUN of hop.vrf; TUNNEL: GRE protocol out.protocol on the interface
 * @endcode
 *
 * Each node takes one off the TTL (RFC 3443): of IP that goes into a tunnel in
 * mplsvpn_packet_push(), of a label that is swapped or popped to a next hop in
 * mplsvpn_label_input(). What is LOCAL is the host stack's to count. In the uniform model a popped
 * label's TTL becomes the packet's below it, unless that is smaller already. The traffic class of a
 * first label is the IP precedence in the uniform model and @c pipe_tc in the short pipe model;
 * DSCP is never rewritten.
 */

#include <mplsvpn/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a packet's bytes are, as Ethernet types, which are GRE protocol types too. */
enum {
    MPLSVPN_PROTOCOL_IPV4 = 0x0800, /**< IPv4. */
    MPLSVPN_PROTOCOL_IPV6 = 0x86dd, /**< IPv6. */
    MPLSVPN_PROTOCOL_MPLS = 0x8847  /**< MPLS unicast. */
};

/** A packet in its buffer, 16 bytes, frozen. */
typedef struct mplsvpn_packet {
    uint32_t offset;   /**< Where it begins. */
    uint32_t len;      /**< Its bytes. */
    uint16_t protocol; /**< MPLSVPN_PROTOCOL_... */
    uint8_t ttl;       /**< TTL of its top header. */
    uint8_t tc;        /**< Traffic class of the label it came in with, 0 where none. */
    uint32_t label;    /**< The last label that was taken off or swapped; of push: 0. */
} mplsvpn_packet;

/**
 * @brief Checks an IP packet and finds its hop; the packet is not changed.
 *
 * Verifies version, lengths, IPv4 header checksum and TTL, and refuses destinations that no router
 * forwards: multicast, 0.0.0.0/8, 127.0.0.0/8, 255.255.255.255, ::, ::1 and link-local IPv6; those
 * of IPv6 as sources too.
 *
 * @param r The calling thread's reader.
 * @param vrf The VRF to look up in.
 * @param packet The packet, from its IP header on.
 * @param len Bytes there are; more than the header says is padding.
 * @param out_hop LOCAL or TUNNEL.
 * @retval MPLSVPN_OK Go on with mplsvpn_packet_push().
 * @retval MPLSVPN_ERR_ARG A pointer is NULL.
 * @retval MPLSVPN_ERR_STATE The reader is idle: quiesce first.
 * @retval MPLSVPN_ERR_TRUNCATED Drop.
 * @retval MPLSVPN_ERR_VERSION Drop.
 * @retval MPLSVPN_ERR_MALFORMED Drop.
 * @retval MPLSVPN_ERR_CHECKSUM Drop.
 * @retval MPLSVPN_ERR_ADDRESS Drop.
 * @retval MPLSVPN_ERR_NO_VRF Drop.
 * @retval MPLSVPN_ERR_NO_ROUTE Drop; an ICMP unreachable may be sent.
 * @retval MPLSVPN_ERR_DISCARD Drop, silently.
 * @retval MPLSVPN_ERR_TTL Drop; an ICMP time exceeded may be sent. Only a hop TUNNEL can run out:
 *         what is LOCAL may be for this node itself.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_ip_input(mplsvpn_reader *r, uint32_t vrf, const uint8_t *packet,
                                        size_t len, mplsvpn_hop *out_hop);

/**
 * @brief Takes one off a packet's TTL and pushes its hop's labels; leaves a LOCAL one as it is.
 * @param r The calling thread's reader.
 * @param hop From mplsvpn_ip_input(), LOCAL or TUNNEL.
 * @param buf The buffer: @p offset bytes of headroom, then the IP packet.
 * @param offset Where the IP header begins.
 * @param len Bytes of IP packet.
 * @param out Where the packet is now.
 * @retval MPLSVPN_OK Ready to be sent.
 * @retval MPLSVPN_ERR_ARG A NULL pointer, a hop that is neither, or more than 2 GiB.
 * @retval MPLSVPN_ERR_BUFFER The headroom is short: 4 bytes for each label. Nothing changed.
 * @retval MPLSVPN_ERR_TRUNCATED Drop: not the packet that mplsvpn_ip_input() saw.
 * @retval MPLSVPN_ERR_VERSION Drop: likewise.
 * @retval MPLSVPN_ERR_TTL Drop: likewise.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_packet_push(mplsvpn_reader *r, const mplsvpn_hop *hop, uint8_t *buf,
                                           size_t offset, size_t len, mplsvpn_packet *out);

/**
 * @brief Takes a labelled packet through the LFIB: pops or swaps in place.
 *
 * Explicit null labels are popped, wherever in the stack (RFC 4182); at the bottom they lead to the
 * interface's own VRF. Nothing is written before all checks have passed.
 *
 * @param r The calling thread's reader.
 * @param in_if The interface that the packet came in by; it needs permission for the label's VRF.
 * @param buf The buffer: @p offset bytes of headroom, then the label stack.
 * @param offset Where the top label begins.
 * @param len Bytes of stack and payload.
 * @param out Where the packet is now, and what.
 * @param out_hop VRF: go on with mplsvpn_ip_input() in @c out_hop->vrf. TUNNEL: send as it is, its
 *        labels have been pushed. LOCAL: give it to the TUN as it is.
 * @retval MPLSVPN_OK See @p out_hop.
 * @retval MPLSVPN_ERR_ARG A pointer is NULL, or more than 2 GiB.
 * @retval MPLSVPN_ERR_STATE The reader is idle: quiesce first.
 * @retval MPLSVPN_ERR_BUFFER A swap to more labels than before, and the headroom is short.
 * @retval MPLSVPN_ERR_TRUNCATED Drop.
 * @retval MPLSVPN_ERR_NO_BOTTOM Drop.
 * @retval MPLSVPN_ERR_DEPTH Drop.
 * @retval MPLSVPN_ERR_RESERVED Drop.
 * @retval MPLSVPN_ERR_NO_LABEL Drop.
 * @retval MPLSVPN_ERR_DRAINING Drop.
 * @retval MPLSVPN_ERR_NOT_ALLOWED Drop.
 * @retval MPLSVPN_ERR_NOT_BOTTOM Drop.
 * @retval MPLSVPN_ERR_DISCARD Drop: the label is bound to Null0.
 * @retval MPLSVPN_ERR_VERSION Drop: the payload is no IP, or not the one the explicit null says.
 * @retval MPLSVPN_ERR_TTL Drop: the label's TTL has run out.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_label_input(mplsvpn_reader *r, uint32_t in_if, uint8_t *buf,
                                           size_t offset, size_t len, mplsvpn_packet *out,
                                           mplsvpn_hop *out_hop);

/**
 * @brief Takes one off the TTL or hop limit and adjusts the IPv4 header checksum (RFC 1624).
 * @param packet The packet, from its IP header on.
 * @param len Bytes there are.
 * @retval MPLSVPN_OK Done.
 * @retval MPLSVPN_ERR_ARG @p packet is NULL.
 * @retval MPLSVPN_ERR_TRUNCATED Shorter than an IP header.
 * @retval MPLSVPN_ERR_VERSION Neither IPv4 nor IPv6.
 * @retval MPLSVPN_ERR_TTL It is 0 or 1; nothing changed.
 */
MPLSVPN_API mplsvpn_rc mplsvpn_ip_decrement(uint8_t *packet, size_t len);

#ifdef __cplusplus
}
#endif

#endif
