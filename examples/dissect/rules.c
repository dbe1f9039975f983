/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rules.h"

#include <bgpvpn/bgpvpn.h>
#include <esp/esp.h>
#include <gre/gre.h>
#include <ikev2/ikev2.h>
#include <mplsvpn/mplsvpn.h>
#include <nhrp/nhrp.h>
#include <stddef.h>

static const rule rules[] = {
    {RULES_LINK, LINK_ERR_TRUNCATED, 0, true, "LINK_ERR_TRUNCATED", "IEEE 802.3 3.1",
     "the frame ends inside its link header"},
    {RULES_LINK, LINK_ERR_TYPE, 0, false, "LINK_ERR_TYPE", "pcap link type",
     "the link header names no protocol that belongs there"},

    {RULES_IP, IP_ERR_TRUNCATED, 0, true, "IP_ERR_TRUNCATED", "RFC 791 3.1, RFC 8200 3",
     "the packet ends inside its header"},
    {RULES_IP, IP_ERR_CHECKSUM, 10, false, "IP_ERR_CHECKSUM", "RFC 791 3.1",
     "the header checksum is wrong"},
    {RULES_IP, IP_ERR_VERSION, 0, false, "IP_ERR_VERSION", "RFC 791 3.1, RFC 8200 3",
     "the version is neither 4 nor 6"},
    {RULES_IP, IP_ERR_HEADER, 0, false, "IP_ERR_HEADER", "RFC 791 3.1",
     "the header length is below 20 bytes or beyond the total length"},
    {RULES_IP, IP_ERR_LENGTH, 2, false, "IP_ERR_LENGTH", "RFC 791 3.1, RFC 8200 3",
     "the length is more than there is"},
    {RULES_IP, IP_ERR_EXTENSION, 0, true, "IP_ERR_EXTENSION", "RFC 8200 4",
     "an extension header goes beyond the packet"},
    {RULES_IP, IP_ERR_ICMP, 0, true, "IP_ERR_ICMP", "RFC 792, RFC 4443 2.1",
     "the ICMP message is shorter than its header"},

    {RULES_IP, IP_ERR_FRAGMENT, 0, false, "IP_ERR_FRAGMENT", "RFC 791 3.2, RFC 8200 4.5",
     "a fragment that is not the last is no multiple of 8 bytes long, or one goes beyond 65535"},

    {RULES_UDP, UDP_ERR_TRUNCATED, 0, true, "UDP_ERR_TRUNCATED", "RFC 768",
     "the datagram is shorter than its header"},
    {RULES_UDP, UDP_ERR_LENGTH, 4, false, "UDP_ERR_LENGTH", "RFC 768",
     "the length is below 8 or more than the packet holds"},
    {RULES_TCP, TCP_ERR_TRUNCATED, 0, true, "TCP_ERR_TRUNCATED", "RFC 9293 3.1",
     "the segment is shorter than its header"},
    {RULES_TCP, TCP_ERR_OFFSET, 12, false, "TCP_ERR_OFFSET", "RFC 9293 3.1",
     "the data offset is below 5 or beyond the segment"},

    {RULES_GRE, GRE_ERR_TRUNCATED, 0, true, NULL, "RFC 2890 2",
     "shorter than the fields that the flags announce"},
    {RULES_GRE, GRE_ERR_CHECKSUM, 4, true, NULL, "RFC 2784 2.5", "the checksum is wrong"},
    {RULES_GRE, GRE_ERR_VERSION, 1, false, NULL, "RFC 2784 2.3.1", "the version is not 0"},
    {RULES_GRE, GRE_ERR_ROUTING, 0, false, NULL, "RFC 2784 2.3",
     "source routing, which a receiver must discard"},
    {RULES_GRE, GRE_ERR_RESERVED, 0, false, NULL, "RFC 2784 2.3",
     "reserved bit 4 or 5 is set: the packet must be discarded"},
    {RULES_GRE, GRE_ERR_PROTOCOL, 2, false, NULL, "RFC 2784 2.4",
     "protocol type 0 is no EtherType"},

    {RULES_MPLS, MPLSVPN_ERR_TRUNCATED, 0, true, NULL, "RFC 3032 2.1",
     "the packet ends inside a label stack entry"},
    {RULES_MPLS, MPLSVPN_ERR_NO_BOTTOM, 0, true, NULL, "RFC 3032 2.1",
     "no entry of the label stack says that it is the bottom"},
    {RULES_MPLS, MPLSVPN_ERR_DEPTH, 0, false, NULL, "RFC 3032 2.1",
     "the label stack is deeper than any that is accepted"},

    {RULES_NHRP, NHRP_ERR_TRUNCATED, 10, true, NULL, "RFC 2332 5.1",
     "shorter than its header or ar$pktsz say"},
    {RULES_NHRP, NHRP_ERR_CHECKSUM, 12, false, NULL, "RFC 2332 5.1", "ar$chksum is wrong"},
    {RULES_NHRP, NHRP_ERR_VERSION, 16, false, NULL, "RFC 2332 5.1", "ar$op.version is not 1"},
    {RULES_NHRP, NHRP_ERR_TYPE, 17, false, NULL, "RFC 2332 5.1",
     "ar$op.type is of no packet that there is"},
    {RULES_NHRP, NHRP_ERR_FORMAT, 14, false, NULL, "RFC 2332 5.1",
     "ar$pktsz and ar$extoff contradict each other"},
    {RULES_NHRP, NHRP_ERR_FAMILY, 0, false, NULL, "RFC 2332 5.1",
     "ar$afn or ar$pro.type is neither IPv4 nor IPv6"},
    {RULES_NHRP, NHRP_ERR_ADDRESS, 18, false, NULL, "RFC 2332 5.2.0.1",
     "an address length that the family does not have"},
    {RULES_NHRP, NHRP_ERR_CIE, 0, false, NULL, "RFC 2332 5.2.0.1",
     "a client information entry goes beyond its part of the packet, or has an address of a wrong "
     "length"},
    {RULES_NHRP, NHRP_ERR_EXTENSION, 0, false, NULL, "RFC 2332 5.3",
     "an extension goes beyond the packet, or none ends the list"},
    {RULES_NHRP, NHRP_ERR_LABEL, 0, false, NULL, "docs/nhrp.md, labels in NHRP",
     "a label binding is malformed, or has a label that may not be used"},
    {RULES_NHRP, NHRP_ERR_AUTHENTICATION, 0, false, NULL, "RFC 2332 5.3.4",
     "the authentication extension is shorter than its SPI"},

    {RULES_IKEV2, IKEV2_ERR_TRUNCATED, 0, true, NULL, "RFC 7296 3.1",
     "the message is shorter than its header"},
    {RULES_IKEV2, IKEV2_ERR_LENGTH, 24, true, NULL, "RFC 7296 3.1",
     "the length is not that of the message"},
    {RULES_IKEV2, IKEV2_ERR_VERSION, 17, false, NULL, "RFC 7296 2.5", "the major version is not 2"},
    {RULES_IKEV2, IKEV2_ERR_SYNTAX, 0, false, NULL, "RFC 7296 3.2",
     "a field holds what the payload does not allow"},
    {RULES_IKEV2, IKEV2_ERR_PAYLOADS, 0, false, NULL, "RFC 7296 3.14",
     "an encrypted payload is due and there is none"},
    {RULES_IKEV2, IKEV2_ERR_CRITICAL, 0, false, NULL, "RFC 7296 2.5",
     "an unknown payload has its critical bit set"},
    {RULES_IKEV2, IKEV2_ERR_INTEGRITY, 0, false, NULL, "RFC 7296 3.14",
     "the integrity check fails: forged, damaged, or other keys"},
    {RULES_IKEV2, IKEV2_ERR_FRAGMENT, 0, false, NULL, "RFC 7383 2.5",
     "the fragment number is 0 or above the total"},

    {RULES_IKEV2, IKE_FAULT_CHAIN, 0, true, "IKEV2_ERR_LENGTH", "RFC 7296 3.2",
     "the length of a payload is below 4 or beyond the message, or bytes are left over"},
    {RULES_IKEV2, IKE_FAULT_SEALED, 28, false, "IKEV2_ERR_LENGTH", "RFC 7296 3.14",
     "ciphertext or padding of an impossible length"},

    {RULES_ESP, ESP_ERR_TRUNCATED, 0, true, NULL, "RFC 4303 2", "shorter than header and trailer"},
    {RULES_ESP, ESP_ERR_ALIGN, 0, false, NULL, "RFC 4303 2.4",
     "the ciphertext does not end on a four-byte boundary"},
    {RULES_ESP, ESP_ERR_SPI, 0, false, NULL, "RFC 4303 2.1", "SPIs 0 to 255 are reserved"},
    {RULES_ESP, ESP_ERR_REPLAY, 4, false, NULL, "RFC 4303 3.3.3",
     "sequence number 0 is never sent"},
    {RULES_ESP, ESP_ERR_AUTH, 0, false, NULL, "RFC 4303 3.4.4.1",
     "the integrity check fails: forged, damaged, or other keys"},
    {RULES_ESP, ESP_ERR_PADDING, 0, false, NULL, "RFC 4303 2.4",
     "authentic, but the padding is not 1, 2, 3, ... or longer than the packet"},
    {RULES_ESP, ESP_ERR_NEXT_HEADER, 0, false, NULL, "RFC 4303 2.6",
     "authentic, but the next header does not belong there"},

    {RULES_BGP, BGPVPN_ERR_TRUNCATED, 0, false, NULL, "RFC 4271 4.1",
     "the message ends inside an item"},
    {RULES_BGP, BGPVPN_ERR_MARKER, 0, false, NULL, "RFC 4271 6.1", "the marker is not all ones"},
    {RULES_BGP, BGPVPN_ERR_LENGTH, 16, false, NULL, "RFC 4271 6.1",
     "the length is wrong for the type of message"},
    {RULES_BGP, BGPVPN_ERR_TYPE, 18, false, NULL, "RFC 4271 6.1", "no such type of message"},
    {RULES_BGP, BGPVPN_ERR_OPEN, 28, false, NULL, "RFC 4271 6.2",
     "the lengths in the OPEN do not add up"},
    {RULES_BGP, BGPVPN_ERR_VERSION, 19, false, NULL, "RFC 4271 6.2", "the version is not 4"},
    {RULES_BGP, BGPVPN_ERR_PEER_AS, 20, false, NULL, "RFC 4271 6.2, RFC 7607 2", "AS 0"},
    {RULES_BGP, BGPVPN_ERR_IDENTIFIER, 24, false, NULL, "RFC 6286 2.1", "the BGP identifier is 0"},
    {RULES_BGP, BGPVPN_ERR_PARAMETER, 28, false, NULL, "RFC 4271 6.2, RFC 5492 4",
     "an optional parameter that is not capabilities"},
    {RULES_BGP, BGPVPN_ERR_HOLD_TIME, 22, false, NULL, "RFC 4271 6.2",
     "a hold time of 1 or 2 seconds"},
    {RULES_BGP, BGPVPN_ERR_CAPABILITY, 28, false, NULL, "RFC 5492 3",
     "a capability that cannot be read"},
    {RULES_BGP, BGPVPN_ERR_ATTRIBUTES, 21, false, NULL, "RFC 7606 3, 5.2",
     "the attributes do not add up, and what they reach cannot be told"},
    {RULES_BGP, BGPVPN_ERR_MULTIPROTOCOL, 21, false, NULL, "RFC 7606 5.3, 7.11, 7.12",
     "MP_REACH_NLRI or MP_UNREACH_NLRI cannot be parsed"},
    {RULES_BGP, BGPVPN_ERR_NLRI, 19, false, NULL, "RFC 7606 5.3",
     "a prefix of the IPv4 routes cannot be parsed"},
    {RULES_BGP, BGPVPN_ERR_REFRESH, 16, false, NULL, "RFC 7313 5",
     "a ROUTE-REFRESH of a wrong length"},
    {RULES_BGP, BGP_FAULT_DISCARD, 19, false, "BGPVPN_TREAT_DISCARD", "RFC 7606 3",
     "an attribute is malformed, repeated or out of place: it is discarded, the routes stand"},
    {RULES_BGP, BGP_FAULT_WITHDRAW, 19, false, "BGPVPN_TREAT_WITHDRAW", "RFC 7606 3 d",
     "an attribute is malformed or missing: all routes of the message count as withdrawn"},
};

static const rule unknown = {0, 0, 0, true, NULL, "none", "refused"};

const rule *rules_find(int library, int32_t rc)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].library == library && rules[i].rc == rc)
            return &rules[i];
    return &unknown;
}

const char *rules_code_name(const rule *r, int32_t rc)
{
    if (r->name)
        return r->name;
    switch (r->library) {
    case RULES_GRE:
        return gre_rc_name(rc);
    case RULES_MPLS:
        return mplsvpn_rc_name(rc);
    case RULES_NHRP:
        return nhrp_rc_name(rc);
    case RULES_IKEV2:
        return ikev2_rc_name(rc);
    case RULES_ESP:
        return esp_rc_name(rc);
    case RULES_BGP:
        return bgpvpn_rc_name(rc);
    default:
        return "UNKNOWN";
    }
}

const char *rules_attribute(uint8_t type)
{
    static const char *const sections[] = {
        [BGPVPN_ATTR_ORIGIN] = "RFC 7606 7.1",
        [BGPVPN_ATTR_AS_PATH] = "RFC 7606 7.2",
        [BGPVPN_ATTR_NEXT_HOP] = "RFC 7606 7.3",
        [BGPVPN_ATTR_MED] = "RFC 7606 7.4",
        [BGPVPN_ATTR_LOCAL_PREF] = "RFC 7606 7.5",
        [BGPVPN_ATTR_ATOMIC_AGGREGATE] = "RFC 7606 7.6",
        [BGPVPN_ATTR_AGGREGATOR] = "RFC 7606 7.7",
        [BGPVPN_ATTR_COMMUNITIES] = "RFC 7606 7.8",
        [BGPVPN_ATTR_ORIGINATOR_ID] = "RFC 7606 7.9",
        [BGPVPN_ATTR_CLUSTER_LIST] = "RFC 7606 7.10",
        [BGPVPN_ATTR_MP_REACH] = "RFC 7606 7.11",
        [BGPVPN_ATTR_MP_UNREACH] = "RFC 7606 7.12",
        [BGPVPN_ATTR_EXTENDED_COMMUNITIES] = "RFC 7606 7.14",
        [BGPVPN_ATTR_AS4_PATH] = "RFC 6793 6",
        [BGPVPN_ATTR_AS4_AGGREGATOR] = "RFC 6793 6",
        [BGPVPN_ATTR_IPV6_EXT_COMMUNITIES] = "RFC 7606 7.15",
        [BGPVPN_ATTR_LARGE_COMMUNITIES] = "RFC 8092 5",
    };
    const char *section = type < sizeof(sections) / sizeof(sections[0]) ? sections[type] : NULL;
    return section ? section : "RFC 7606 3";
}
