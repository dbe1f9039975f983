/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_TUNNEL_H
#define GRE_TUNNEL_H

/**
 * @file
 * @brief One end of a GRE tunnel: its key, its sequence numbers, its counters.
 *
 * A tunnel is used by one thread at a time. It knows no time and sends nothing.
 *
 * @code
 *   payload in a buffer with headroom  -> gre_tunnel_encode -> ESP, or gre_outer_encode and send
 *   from ESP, or after gre_outer_decode -> gre_tunnel_decode -> view.protocol, view.payload_offset
 * @endcode
 */

#include <gre/header.h>
#include <gre/outer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One end of a tunnel; opaque. */
typedef struct gre_tunnel gre_tunnel;

/** How a tunnel is made. May grow: start with gre_config_init(). */
typedef struct gre_config {
    uint32_t struct_size; /**< Set by gre_config_init(). */
    uint32_t key;         /**< The key, where @c use_key is 1. */
    uint8_t use_key;      /**< 1: send the key and take only packets that have one. */
    uint8_t any_key;      /**< 1: take any packet's key, present or not, and report it. */
    uint8_t use_checksum; /**< 1: send checksums; received ones are always verified. */
    uint8_t use_sequence; /**< 1: send sequence numbers and drop out-of-sequence packets. */
    uint8_t ttl;          /**< TTL or hop limit of the outer header; default 255. */
    uint8_t other_table;  /**< 1: payloads are routed in another table than outer packets, such as a
                             VRF; see GRE_ERR_LOOP. */
    uint8_t reserved[2];  /**< 0. */
    uint32_t mtu;         /**< Largest payload in bytes, labels included; 0: unlimited. */
    uint32_t reserved2;   /**< 0. */
    gre_addr local;       /**< This end's address, where an outer header is written. */
    gre_addr remote;      /**< The other end's. */
    gre_allocator allocator; /**< Memory for the tunnel. */
} gre_config;

/** What arrived through a tunnel, 24 bytes, frozen. */
typedef struct gre_view {
    uint32_t payload_offset; /**< Where the payload begins in the buffer given to decode. */
    uint32_t payload_len;    /**< Its bytes; may be 0. */
    uint32_t key;            /**< 0 where absent. */
    uint32_t sequence;       /**< 0 where absent. */
    uint16_t protocol;       /**< Protocol type: GRE_PROTOCOL_... or one to drop. */
    uint8_t flags;           /**< GRE_FLAG_... that were present. */
    uint8_t reserved;        /**< 0. */
    uint32_t gap;            /**< Sequence numbers skipped just before this packet: lost ones. */
} gre_view;

/** Packets and bytes of a tunnel, and why packets were dropped. May grow. */
typedef struct gre_counters {
    uint32_t struct_size;         /**< Set by the caller. */
    uint32_t reserved;            /**< 0. */
    uint64_t out_packets;         /**< Encoded. */
    uint64_t out_bytes;           /**< Payload bytes encoded. */
    uint64_t in_packets;          /**< Decoded. */
    uint64_t in_bytes;            /**< Payload bytes decoded. */
    uint64_t in_gaps;             /**< Sequence numbers that never came in order. */
    uint64_t out_too_big;         /**< GRE_ERR_TOO_BIG. */
    uint64_t out_no_headroom;     /**< GRE_ERR_BUFFER. */
    uint64_t drop_truncated;      /**< GRE_ERR_TRUNCATED. */
    uint64_t drop_checksum;       /**< GRE_ERR_CHECKSUM. */
    uint64_t drop_version;        /**< GRE_ERR_VERSION. */
    uint64_t drop_routing;        /**< GRE_ERR_ROUTING. */
    uint64_t drop_reserved;       /**< GRE_ERR_RESERVED. */
    uint64_t drop_protocol;       /**< GRE_ERR_PROTOCOL. */
    uint64_t drop_key_missing;    /**< GRE_ERR_KEY_MISSING. */
    uint64_t drop_key_unexpected; /**< GRE_ERR_KEY_UNEXPECTED. */
    uint64_t drop_key_mismatch;   /**< GRE_ERR_KEY_MISMATCH. */
    uint64_t drop_sequence;       /**< GRE_ERR_SEQUENCE. */
    uint64_t drop_loop;           /**< GRE_ERR_LOOP. */
} gre_counters;

/**
 * @brief Sets @c struct_size and the defaults: no key, no checksum, no sequence, TTL 255, no MTU.
 * @param cfg Overwritten.
 * @retval GRE_OK Done.
 * @retval GRE_ERR_ARG @p cfg is NULL.
 */
GRE_API gre_rc gre_config_init(gre_config *cfg);

/**
 * @brief Makes one end of a tunnel.
 * @param cfg Copied.
 * @param out The tunnel; the caller frees it with gre_tunnel_free().
 * @retval GRE_OK Made; the next sequence number sent is 0 (RFC 2890 2.2).
 * @retval GRE_ERR_ARG A NULL pointer, a switch other than 0 or 1, ttl 0, or addresses of different
 *         families. Both may be absent.
 * @retval GRE_ERR_NOMEM No memory.
 */
GRE_API gre_rc gre_tunnel_new(const gre_config *cfg, gre_tunnel **out);

/**
 * @brief Frees a tunnel.
 * @param t May be NULL.
 */
GRE_API void gre_tunnel_free(gre_tunnel *t);

/**
 * @brief Starts the sequence numbers of both directions anew, as when the tunnel's SA is new.
 * @param t The tunnel.
 * @retval GRE_OK Done.
 * @retval GRE_ERR_ARG @p t is NULL.
 */
GRE_API gre_rc gre_tunnel_reset(gre_tunnel *t);

/**
 * @brief Changes the largest payload, as path MTU discovery learns it (RFC 1191, RFC 4459).
 * @param t The tunnel.
 * @param mtu Bytes of payload, labels included; 0: unlimited.
 * @retval GRE_OK Done.
 * @retval GRE_ERR_ARG @p t is NULL.
 */
GRE_API gre_rc gre_tunnel_set_mtu(gre_tunnel *t, uint32_t mtu);

/**
 * @brief Largest payload of a tunnel.
 * @param t The tunnel.
 * @return Bytes; 0 where unlimited or @p t is NULL.
 */
GRE_API uint32_t gre_tunnel_get_mtu(const gre_tunnel *t);

/**
 * @brief Bytes of GRE header in front of each payload: the headroom that encode needs.
 * @param t The tunnel.
 * @return 4 to 16; 0 where @p t is NULL.
 */
GRE_API uint32_t gre_tunnel_get_overhead(const gre_tunnel *t);

/**
 * @brief Writes the tunnel's GRE header in front of a payload.
 * @param t The tunnel.
 * @param protocol Protocol type of the payload.
 * @param buf The buffer: @p offset bytes of headroom, then @p len bytes of payload.
 * @param offset Where the payload begins.
 * @param len Bytes of payload.
 * @param out_offset Where the GRE header begins.
 * @retval GRE_OK Written; a sequence number was used up.
 * @retval GRE_ERR_ARG A pointer is NULL.
 * @retval GRE_ERR_PROTOCOL Protocol type 0 is not sent.
 * @retval GRE_ERR_TOO_BIG Beyond the MTU: answer with gre_icmp_too_big(), or fragment.
 * @retval GRE_ERR_BUFFER The headroom is short: give gre_tunnel_get_overhead() bytes.
 */
GRE_API gre_rc gre_tunnel_encode(gre_tunnel *t, uint16_t protocol, uint8_t *buf, size_t offset,
                                 size_t len, size_t *out_offset);

/**
 * @brief Checks a GRE packet against the tunnel and tells where its payload is.
 *
 * A sequence number is considered where @c use_sequence is 1; without one the packet is in sequence
 * (RFC 2890 2.2). Nothing is buffered: a gap is passed over.
 *
 * @param t The tunnel.
 * @param buf The GRE header and its payload.
 * @param len Bytes of both.
 * @param out Written only on success.
 * @retval GRE_OK Dispatch by @c out->protocol; drop the types that you do not know (RFC 2784 2.4).
 * @retval GRE_ERR_ARG A pointer is NULL, or @p len beyond 32 bits.
 * @retval GRE_ERR_TRUNCATED Drop.
 * @retval GRE_ERR_CHECKSUM Drop.
 * @retval GRE_ERR_VERSION Drop.
 * @retval GRE_ERR_ROUTING Drop.
 * @retval GRE_ERR_RESERVED Drop.
 * @retval GRE_ERR_PROTOCOL Drop.
 * @retval GRE_ERR_KEY_MISSING Drop.
 * @retval GRE_ERR_KEY_UNEXPECTED Drop.
 * @retval GRE_ERR_KEY_MISMATCH Drop.
 * @retval GRE_ERR_SEQUENCE Drop.
 * @retval GRE_ERR_LOOP Drop: its payload is for the other end's own address.
 */
GRE_API gre_rc gre_tunnel_decode(gre_tunnel *t, const uint8_t *buf, size_t len, gre_view *out);

/**
 * @brief The outer header for this tunnel's packets: addresses, TTL, DF for IPv4; TOS 0.
 * @param t The tunnel.
 * @param out Ready for gre_outer_encode(); change TOS, identification or flow label as you like.
 * @retval GRE_OK Filled in.
 * @retval GRE_ERR_ARG A pointer is NULL.
 * @retval GRE_ERR_ABSENT The tunnel was made without addresses.
 */
GRE_API gre_rc gre_tunnel_get_outer(const gre_tunnel *t, gre_outer *out);

/**
 * @brief Copies the counters.
 * @param t The tunnel.
 * @param out @c struct_size set by the caller.
 * @retval GRE_OK Copied.
 * @retval GRE_ERR_ARG A pointer is NULL or @c struct_size is too small.
 */
GRE_API gre_rc gre_tunnel_get_counters(const gre_tunnel *t, gre_counters *out);

#ifdef __cplusplus
}
#endif

#endif
