/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_UPDATE_H
#define BGPVPN_UPDATE_H

/**
 * @file
 * @brief UPDATE messages: attributes, NLRI, extended communities (RFC 4271 4.3, RFC 4760,
 * RFC 4364, RFC 8277), with errors graded as RFC 7606 wants.
 */

#include <bgpvpn/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Attribute type codes (IANA). */
enum {
    BGPVPN_ATTR_ORIGIN = 1,                /**< RFC 4271 5.1.1 */
    BGPVPN_ATTR_AS_PATH = 2,               /**< RFC 4271 5.1.2 */
    BGPVPN_ATTR_NEXT_HOP = 3,              /**< RFC 4271 5.1.3 */
    BGPVPN_ATTR_MED = 4,                   /**< RFC 4271 5.1.4 */
    BGPVPN_ATTR_LOCAL_PREF = 5,            /**< RFC 4271 5.1.5 */
    BGPVPN_ATTR_ATOMIC_AGGREGATE = 6,      /**< RFC 4271 5.1.6 */
    BGPVPN_ATTR_AGGREGATOR = 7,            /**< RFC 4271 5.1.7 */
    BGPVPN_ATTR_COMMUNITIES = 8,           /**< RFC 1997 */
    BGPVPN_ATTR_ORIGINATOR_ID = 9,         /**< RFC 4456 8 */
    BGPVPN_ATTR_CLUSTER_LIST = 10,         /**< RFC 4456 8 */
    BGPVPN_ATTR_MP_REACH = 14,             /**< RFC 4760 3 */
    BGPVPN_ATTR_MP_UNREACH = 15,           /**< RFC 4760 4 */
    BGPVPN_ATTR_EXTENDED_COMMUNITIES = 16, /**< RFC 4360 */
    BGPVPN_ATTR_AS4_PATH = 17,             /**< RFC 6793 3 */
    BGPVPN_ATTR_AS4_AGGREGATOR = 18,       /**< RFC 6793 3 */
    BGPVPN_ATTR_IPV6_EXT_COMMUNITIES = 25, /**< RFC 5701 */
    BGPVPN_ATTR_LARGE_COMMUNITIES = 32     /**< RFC 8092 */
};

/** Attribute flags (RFC 4271 4.3). */
enum {
    BGPVPN_FLAG_OPTIONAL = 0x80,   /**< Not well-known. */
    BGPVPN_FLAG_TRANSITIVE = 0x40, /**< Passed on by who does not know it. */
    BGPVPN_FLAG_PARTIAL = 0x20,    /**< Someone passed it on who did not know it. */
    BGPVPN_FLAG_EXTENDED = 0x10    /**< The length has two octets. */
};

/** The largest label value (RFC 3032 2.1). */
enum { BGPVPN_LABEL_MAX = 0xfffff };

/** No label. */
#define BGPVPN_LABEL_NONE UINT32_MAX

/** What RFC 7606 2 wants done with an UPDATE. */
enum {
    BGPVPN_TREAT_NORMAL = 0,  /**< Nothing is wrong. */
    BGPVPN_TREAT_DISCARD = 1, /**< Attributes were left out; the routes stand. */
    BGPVPN_TREAT_WITHDRAW = 2 /**< All routes of the message count as withdrawn. */
};

/** An attribute as it lies in a message; frozen. */
typedef struct bgpvpn_attribute {
    const uint8_t *value; /**< A view. */
    size_t len;           /**< Of the value. */
    uint8_t flags;        /**< BGPVPN_FLAG_... */
    uint8_t type;         /**< BGPVPN_ATTR_... */
    uint16_t reserved;    /**< 0 */
    uint32_t reserved2;   /**< 0 */
} bgpvpn_attribute;

/**
 * @brief An UPDATE; frozen.
 *
 * The fields of an attribute count only when bit (1 << type) of @c has is set; an attribute that
 * was malformed and discarded has no bit.
 */
typedef struct bgpvpn_update {
    const uint8_t *withdrawn;       /**< IPv4 prefixes, a view. */
    size_t withdrawn_len;           /**< Its length. */
    const uint8_t *attributes;      /**< All path attributes as sent, a view. */
    size_t attributes_len;          /**< Its length. */
    const uint8_t *nlri;            /**< IPv4 prefixes reached, a view. */
    size_t nlri_len;                /**< Its length. */
    const uint8_t *reach;           /**< NLRI of MP_REACH_NLRI, a view. */
    size_t reach_len;               /**< Its length. */
    const uint8_t *reach_next_hop;  /**< Its next hop field as sent, a view. */
    size_t reach_next_hop_len;      /**< 4, 12, 16, 24, 32 or 48 for the known families. */
    const uint8_t *unreach;         /**< NLRI of MP_UNREACH_NLRI, a view. */
    size_t unreach_len;             /**< Its length. */
    const uint8_t *as_path;         /**< Segments (RFC 4271 4.3), a view. */
    size_t as_path_len;             /**< Its length. */
    const uint8_t *communities;     /**< 4 bytes each, a view. */
    size_t communities_len;         /**< Its length. */
    const uint8_t *ext_communities; /**< 8 bytes each, a view. */
    size_t ext_communities_len;     /**< Its length. */
    const uint8_t *cluster_list;    /**< 4 bytes each, a view. */
    size_t cluster_list_len;        /**< Its length. */
    uint32_t next_hop;              /**< NEXT_HOP, an IPv4 address in host order. */
    uint32_t med;                   /**< MULTI_EXIT_DISC */
    uint32_t local_pref;            /**< LOCAL_PREF */
    uint32_t originator_id;         /**< ORIGINATOR_ID, host order. */
    uint64_t has;                   /**< Attributes of types below 64 that are there and good. */
    uint16_t reach_afi;             /**< Of MP_REACH_NLRI. */
    uint16_t unreach_afi;           /**< Of MP_UNREACH_NLRI. */
    uint8_t reach_safi;             /**< Of MP_REACH_NLRI. */
    uint8_t unreach_safi;           /**< Of MP_UNREACH_NLRI. */
    uint8_t origin;                 /**< 0 IGP, 1 EGP, 2 incomplete. */
    uint8_t treat;                  /**< BGPVPN_TREAT_... */
    uint8_t fault;                  /**< Type of the first malformed attribute, else 0. */
    uint8_t as_size;                /**< 2 or 4: octets of an AS number in @c as_path. */
    uint8_t reserved[6];            /**< 0 */
} bgpvpn_update;

/**
 * @brief One prefix of NLRI; 48 bytes, frozen.
 *
 * In BGPVPN_TABLE_TARGETS the prefix has no family, 0 or 32 to 96 bits, and begins with the origin
 * AS (4 bytes) and the route target (8 bytes); its label is BGPVPN_LABEL_NONE.
 */
typedef struct bgpvpn_nlri {
    bgpvpn_addr prefix; /**< With its length; port and scope 0. */
    uint8_t rd[8];      /**< Route distinguisher; zero in unicast families. */
    uint32_t label;     /**< The first label; BGPVPN_LABEL_NONE in unicast families. */
    uint32_t labels;    /**< How many labels there were; an encoder writes one at most. */
    uint64_t reserved;  /**< 0 */
} bgpvpn_nlri;

/**
 * @brief Yields the attributes of a list one by one.
 * @param buf The list, such as @ref bgpvpn_update.attributes.
 * @param len Its length.
 * @param[in,out] it Position, 0 at first.
 * @param[out] out The attribute; a view into @p buf.
 * @retval BGPVPN_YES @p out is set.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_TRUNCATED The list ends inside an attribute.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_attribute_next(const uint8_t *buf, size_t len, size_t *it,
                                           bgpvpn_attribute *out);

/**
 * @brief Encodes one attribute; a value above 255 bytes sets the extended length flag.
 * @param attribute The attribute.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len Bytes of the whole attribute; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or the value is longer than 65535.
 */
BGPVPN_API bgpvpn_rc bgpvpn_attribute_encode(const bgpvpn_attribute *attribute, uint8_t *buf,
                                             size_t cap, size_t *len);

/**
 * @brief Decodes an UPDATE and grades its errors (RFC 7606).
 *
 * The NLRI fields are checked to parse, so that bgpvpn_nlri_next() on them cannot fail for the
 * known families. AS4_PATH is not merged: the engine does that (RFC 6793 4.2.3).
 * @param buf A whole message, header included.
 * @param len Its length.
 * @param as_size 4 when both speakers have the four-octet AS capability, else 2.
 * @param external 1 when the session is external: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are
 *        then discarded (RFC 7606 7.5, 7.9, 7.10).
 * @param[out] out The message; views into @p buf.
 * @retval BGPVPN_OK Decoded; obey @ref bgpvpn_update.treat.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or @p as_size is neither 2 nor 4.
 * @return Else a negative reason: end the session with its NOTIFICATION.
 */
BGPVPN_API bgpvpn_rc bgpvpn_update_decode(const uint8_t *buf, size_t len, uint8_t as_size,
                                          uint8_t external, bgpvpn_update *out);

/**
 * @brief Encodes an UPDATE from its byte fields.
 *
 * Written are withdrawn, MP_UNREACH_NLRI (when unreach_afi is not 0), MP_REACH_NLRI (when
 * reach_afi is not 0), then attributes as they are, which must not hold those two, then nlri.
 * @param update The message; the decoded fields are ignored.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len The length of the message; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or the message would be longer than 65535 bytes. Above
 *         4096 only who announced extended messages may be sent it (RFC 8654 4).
 */
BGPVPN_API bgpvpn_rc bgpvpn_update_encode(const bgpvpn_update *update, uint8_t *buf, size_t cap,
                                          size_t *len);

/**
 * @brief Tells whether an UPDATE is an End-of-RIB marker (RFC 4724 2).
 * @param update A decoded UPDATE.
 * @param[out] table BGPVPN_TABLE_... it ends; 0 for an unknown family.
 * @retval BGPVPN_YES It is one.
 * @retval BGPVPN_OK It is not.
 * @retval BGPVPN_ERR_ARG A pointer is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_update_end_of_rib(const bgpvpn_update *update, uint32_t *table);

/**
 * @brief Yields the prefixes of NLRI one by one.
 * @param table Exactly one BGPVPN_TABLE_...
 * @param withdraw 1: of a withdrawal, whose label field may hold anything (RFC 8277 2.4).
 * @param buf The NLRI.
 * @param len Its length.
 * @param[in,out] it Position, 0 at first.
 * @param[out] out The prefix, bits beyond its length cleared.
 * @retval BGPVPN_YES @p out is set.
 * @retval BGPVPN_OK There are no more.
 * @retval BGPVPN_ERR_NLRI Malformed from here on.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or @p table is unknown.
 */
BGPVPN_API bgpvpn_rc bgpvpn_nlri_next(uint32_t table, uint8_t withdraw, const uint8_t *buf,
                                      size_t len, size_t *it, bgpvpn_nlri *out);

/**
 * @brief Encodes one prefix of NLRI; in VPN families with one label (RFC 8277 2.2).
 * @param table Exactly one BGPVPN_TABLE_...
 * @param withdraw 1: the label field is 0x800000 whatever the label is (RFC 8277 2.4).
 * @param nlri The prefix.
 * @param[out] buf Where to.
 * @param cap Its size.
 * @param[out] len Its length on the wire; set on BGPVPN_ERR_BUFFER too.
 * @retval BGPVPN_OK Encoded.
 * @retval BGPVPN_ERR_BUFFER @p cap is less than @p len: call again.
 * @retval BGPVPN_ERR_ARG A pointer is NULL, or family, prefix length, label or table is wrong.
 */
BGPVPN_API bgpvpn_rc bgpvpn_nlri_encode(uint32_t table, uint8_t withdraw, const bgpvpn_nlri *nlri,
                                        uint8_t *buf, size_t cap, size_t *len);

/**
 * @brief Makes a route distinguisher (RFC 4364 4.2).
 *
 * A four-octet @p admin yields type 2, or type 1 when @p ipv4 is set; below 65536 type 0.
 * @param admin AS number, or an IPv4 address in host order.
 * @param number Assigned number; above 65535 only with type 0.
 * @param ipv4 1: @p admin is an address.
 * @param[out] out 8 bytes as on the wire.
 * @retval BGPVPN_OK Made.
 * @retval BGPVPN_ERR_ARG @p out is NULL, or the numbers do not fit.
 */
BGPVPN_API bgpvpn_rc bgpvpn_rd_make(uint32_t admin, uint32_t number, uint8_t ipv4, uint8_t out[8]);

/**
 * @brief Makes a route target extended community (RFC 4360 4, RFC 5668); as bgpvpn_rd_make().
 * @param admin AS number, or an IPv4 address in host order.
 * @param number Assigned number; above 65535 only with a two-octet AS.
 * @param ipv4 1: @p admin is an address.
 * @param[out] out 8 bytes as on the wire.
 * @retval BGPVPN_OK Made.
 * @retval BGPVPN_ERR_ARG @p out is NULL, or the numbers do not fit.
 */
BGPVPN_API bgpvpn_rc bgpvpn_rt_make(uint32_t admin, uint32_t number, uint8_t ipv4, uint8_t out[8]);

/**
 * @brief Tells whether an extended community is a route target (RFC 4360 4, RFC 5668).
 * @param community 8 bytes as on the wire.
 * @retval BGPVPN_YES Type 0x00, 0x01 or 0x02 with sub-type 0x02.
 * @retval BGPVPN_OK It is another community.
 * @retval BGPVPN_ERR_ARG @p community is NULL.
 */
BGPVPN_API bgpvpn_rc bgpvpn_rt_check(const uint8_t community[8]);

#ifdef __cplusplus
}
#endif

#endif
