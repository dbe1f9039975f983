/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_MESSAGE_H
#define BGPVPN_MESSAGE_H

/**
 * @file
 * @brief BGP messages but for UPDATE: framing, OPEN, NOTIFICATION, ROUTE-REFRESH (RFC 4271 4).
 *
 * Pure functions: no allocation, no state. What a decoder yields are views into the caller's
 * buffer, in host order. Encoders write whole messages, header included.
 */

#include <bgpvpn/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a message was refused; bgpvpn_rc_notification() tells the NOTIFICATION that it earns. */
enum {
    BGPVPN_ERR_TRUNCATED = -20,     /**< The bytes end inside the item: wait for more. */
    BGPVPN_ERR_MARKER = -21,        /**< The marker is not all ones. */
    BGPVPN_ERR_LENGTH = -22,        /**< The length is wrong for the type of message. */
    BGPVPN_ERR_TYPE = -23,          /**< No such type of message. */
    BGPVPN_ERR_OPEN = -24,          /**< An OPEN whose inner lengths do not add up. */
    BGPVPN_ERR_VERSION = -25,       /**< A version other than 4. */
    BGPVPN_ERR_PEER_AS = -26,       /**< An AS that is not the configured one, or 0. */
    BGPVPN_ERR_IDENTIFIER = -27,    /**< A BGP identifier of 0, or our own within an AS. */
    BGPVPN_ERR_PARAMETER = -28,     /**< An optional parameter that is not capabilities. */
    BGPVPN_ERR_HOLD_TIME = -29,     /**< A hold time of 1 or 2 seconds. */
    BGPVPN_ERR_CAPABILITY = -30,    /**< The speakers have no address family in common. */
    BGPVPN_ERR_ATTRIBUTES = -31,    /**< An attribute list that RFC 7606 cannot save. */
    BGPVPN_ERR_MULTIPROTOCOL = -32, /**< MP_REACH_NLRI or MP_UNREACH_NLRI cannot be parsed. */
    BGPVPN_ERR_NLRI = -33,          /**< IPv4 NLRI that cannot be parsed. */
    BGPVPN_ERR_REFRESH = -34        /**< A ROUTE-REFRESH of a wrong length. */
};

/** Sizes (RFC 4271 4.1). */
enum {
    BGPVPN_HEADER_LEN = 19,     /**< Marker, length, type. */
    BGPVPN_MESSAGE_MAX = 4096,  /**< The longest message. */
    BGPVPN_EXTENDED_MAX = 65535 /**< Where extended messages were announced (RFC 8654 4). */
};

/** Types of message. */
enum {
    BGPVPN_MESSAGE_OPEN = 1,         /**< RFC 4271 4.2 */
    BGPVPN_MESSAGE_UPDATE = 2,       /**< RFC 4271 4.3 */
    BGPVPN_MESSAGE_NOTIFICATION = 3, /**< RFC 4271 4.5 */
    BGPVPN_MESSAGE_KEEPALIVE = 4,    /**< RFC 4271 4.4 */
    BGPVPN_MESSAGE_REFRESH = 5       /**< RFC 2918 */
};

/** Address families on the wire (IANA). */
enum {
    BGPVPN_AFI_IPV4 = 1,      /**< IPv4 */
    BGPVPN_AFI_IPV6 = 2,      /**< IPv6 */
    BGPVPN_SAFI_UNICAST = 1,  /**< Unicast forwarding. */
    BGPVPN_SAFI_VPN = 128,    /**< MPLS-labelled VPN addresses (RFC 4364 4.3.4). */
    BGPVPN_SAFI_TARGETS = 132 /**< Route target membership (RFC 4684 4). */
};

/** The families known here, as bits of a mask. */
enum {
    BGPVPN_TABLE_IPV4 = 1 << 0,   /**< AFI 1, SAFI 1. */
    BGPVPN_TABLE_IPV6 = 1 << 1,   /**< AFI 2, SAFI 1. */
    BGPVPN_TABLE_VPNV4 = 1 << 2,  /**< AFI 1, SAFI 128 (RFC 4364). */
    BGPVPN_TABLE_VPNV6 = 1 << 3,  /**< AFI 2, SAFI 128 (RFC 4659). */
    BGPVPN_TABLE_TARGETS = 1 << 4 /**< AFI 1, SAFI 132 (RFC 4684): who wants which VPN routes. */
};

/** Capabilities that are a flag or close to it, as bits of @ref bgpvpn_open.capabilities. */
enum {
    BGPVPN_CAPABLE_MULTIPROTOCOL = 1 << 0,    /**< Code 1, at least once (RFC 4760 8). */
    BGPVPN_CAPABLE_REFRESH = 1 << 1,          /**< Code 2 (RFC 2918). */
    BGPVPN_CAPABLE_AS4 = 1 << 2,              /**< Code 65 (RFC 6793). */
    BGPVPN_CAPABLE_ENHANCED_REFRESH = 1 << 3, /**< Code 70 (RFC 7313). */
    BGPVPN_CAPABLE_GRACEFUL_RESTART = 1 << 4, /**< Code 64 (RFC 4724); read, never sent. */
    BGPVPN_CAPABLE_EXTENDED_MESSAGE = 1 << 5  /**< Code 6 (RFC 8654). */
};

/** AS_TRANS: what a two-octet field says for a larger AS number (RFC 6793 9). */
enum { BGPVPN_AS_TRANS = 23456 };

/** A message header; 4 bytes, frozen. */
typedef struct bgpvpn_header {
    uint16_t length;  /**< Of the whole message, header included. */
    uint8_t type;     /**< BGPVPN_MESSAGE_... */
    uint8_t reserved; /**< 0 */
} bgpvpn_header;

/** An OPEN message; frozen. */
typedef struct bgpvpn_open {
    uint32_t as;               /**< The AS number, four-octet if the capability was there. */
    uint32_t router_id;        /**< BGP identifier, host order. */
    uint16_t hold_time_s;      /**< Proposed; 0 or at least 3. */
    uint16_t my_as;            /**< The two-octet field as on the wire; an encoder ignores it. */
    uint32_t tables;           /**< BGPVPN_TABLE_...; IPv4 unicast if no family was announced. */
    uint32_t capabilities;     /**< BGPVPN_CAPABLE_... */
    uint32_t parameters_wide;  /**< 1: with two-octet lengths (RFC 9072). */
    const uint8_t *parameters; /**< Optional parameters, a view; an encoder ignores it. */
    size_t parameters_len;     /**< Their length. */
} bgpvpn_open;

/** A capability within an OPEN (RFC 5492 4); frozen. */
typedef struct bgpvpn_capability {
    const uint8_t *value; /**< A view. */
    size_t len;           /**< Of the value. */
    uint32_t code;        /**< IANA's capability code. */
    uint32_t reserved;    /**< 0 */
} bgpvpn_capability;

/** A NOTIFICATION message; frozen. */
typedef struct bgpvpn_notification {
    const uint8_t *data; /**< What follows the subcode, a view. */
    size_t len;          /**< Of the data; an encoder takes at most 4075. */
    uint32_t code;       /**< Error code (RFC 4271 4.5). */
    uint32_t subcode;    /**< Error subcode. */
} bgpvpn_notification;

/** A ROUTE-REFRESH message; 4 bytes, frozen. */
typedef struct bgpvpn_refresh {
    uint16_t afi;    /**< Address family. */
    uint8_t subtype; /**< 0 request; 1, 2: beginning and end of a refresh (RFC 7313). */
    uint8_t safi;    /**< Subsequent address family. */
} bgpvpn_refresh;

/**
 * @brief Tells the NOTIFICATION that an error of a decoder earns.
 * @param rc What the decoder returned.
 * @param[out] code Error code.
 * @param[out] subcode Error subcode.
 * @retval BGPVPN_OK Both are set.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or the result earns none.
 */
BGPVPN_API bgpvpn_rc bgpvpn_rc_notification(bgpvpn_rc rc, uint8_t *code, uint8_t *subcode);

/**
 * @brief Reads and checks a message header (RFC 4271 6.1).
 * @param buf The first bytes of a message.
 * @param len How many are there.
 * @param[out] out Type and length; the message may go on beyond @p len.
 * @retval BGPVPN_OK The header is good.
 * @retval BGPVPN_ERR_TRUNCATED Fewer than 19 bytes: wait for more.
 * @retval BGPVPN_ERR_MARKER The stream is out of step: end the session.
 * @retval BGPVPN_ERR_LENGTH End the session.
 * @retval BGPVPN_ERR_TYPE End the session.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_header_decode(const uint8_t *buf, size_t len, bgpvpn_header *out);

/**
 * @brief Reads and checks a header where the own speaker announced extended messages (RFC 8654 4).
 * @param buf The first bytes of a message.
 * @param len How many are there.
 * @param[out] out Type and length; all but OPEN and KEEPALIVE may have up to 65535 bytes.
 * @retval BGPVPN_OK The header is good.
 * @return Else as bgpvpn_header_decode().
 */
BGPVPN_API bgpvpn_rc bgpvpn_extended_header_decode(const uint8_t *buf, size_t len,
                                                   bgpvpn_header *out);

/**
 * @brief Decodes an OPEN and its capabilities (RFC 4271 6.2, RFC 5492, RFC 9072).
 *
 * Unknown capabilities are skipped; a known one of a wrong length counts as absent, except that a
 * malformed four-octet AS or multiprotocol capability refuses the message.
 * @param buf A whole message, header included.
 * @param len Its length.
 * @param[out] out The message; views into @p buf.
 * @retval BGPVPN_OK Decoded; whether the AS is the expected one is for the caller to say.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 * @return Else a negative reason: answer with the NOTIFICATION of bgpvpn_rc_notification().
 */
BGPVPN_API bgpvpn_rc bgpvpn_open_decode(const uint8_t *buf, size_t len, bgpvpn_open *out);

/**
 * @brief Yields the capabilities of an OPEN one by one, unknown ones too.
 * @param open A decoded OPEN, its buffer still valid.
 * @param[in,out] it Position, 0 at first.
 * @param[out] out The capability; a view into the message.
 * @retval BGPVPN_YES @p out is set.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_capability_next(const bgpvpn_open *open, size_t *it,
                                            bgpvpn_capability *out);

/**
 * @brief Encodes an OPEN with one capability parameter for each capability and family.
 *
 * More than 255 bytes of parameters, or parameters_wide set, get lengths of two octets (RFC 9072).
 * @param open The message; parameters, my_as are ignored.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len The length of the message; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_open_encode(const bgpvpn_open *open, uint8_t *buf, size_t cap,
                                        size_t *len);

/**
 * @brief Decodes a NOTIFICATION (RFC 4271 4.5).
 * @param buf A whole message, header included.
 * @param len Its length.
 * @param[out] out The message; a view into @p buf.
 * @retval BGPVPN_OK Decoded.
 * @retval BGPVPN_ERR_LENGTH Too short: end the session without an answer.
 * @retval BGPVPN_ERR_TYPE Another type of message.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_notification_decode(const uint8_t *buf, size_t len,
                                                bgpvpn_notification *out);

/**
 * @brief Yields the text of a shutdown communication (RFC 9003 2), also of one in a Hard Reset.
 * @param n A NOTIFICATION.
 * @param[out] text UTF-8 without a terminator, a view: escape it before showing it.
 * @param[out] len Its length, up to 255; 0 for an empty one.
 * @retval BGPVPN_OK Both are set.
 * @retval BGPVPN_ERR_ABSENT Not Cease 2 or 4, or without a well-formed communication.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_notification_text(const bgpvpn_notification *n, const uint8_t **text,
                                              size_t *len);

/**
 * @brief Encodes a NOTIFICATION.
 * @param n The message.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len The length of the message; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, a code above 255, or more data than a message holds.
 */
BGPVPN_API bgpvpn_rc bgpvpn_notification_encode(const bgpvpn_notification *n, uint8_t *buf,
                                                size_t cap, size_t *len);

/**
 * @brief Encodes a KEEPALIVE: a header alone.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len 19; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_keepalive_encode(uint8_t *buf, size_t cap, size_t *len);

/**
 * @brief Decodes a ROUTE-REFRESH (RFC 2918 3).
 * @param buf A whole message, header included.
 * @param len Its length.
 * @param[out] out The message.
 * @retval BGPVPN_OK Decoded; what follows the four octets (ORF) is ignored.
 * @retval BGPVPN_ERR_REFRESH Shorter than 23 bytes, or longer in a marker (RFC 7313 5).
 * @retval BGPVPN_ERR_TYPE Another type of message.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_refresh_decode(const uint8_t *buf, size_t len, bgpvpn_refresh *out);

/**
 * @brief Encodes a ROUTE-REFRESH.
 * @param refresh The message.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len 23; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_refresh_encode(const bgpvpn_refresh *refresh, uint8_t *buf, size_t cap,
                                           size_t *len);

#ifdef __cplusplus
}
#endif

#endif
