/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <bgpvpn/message.h>

uint32_t bgpvpn_version(void)
{
    return BGPVPN_VERSION_MAJOR << 16 | BGPVPN_VERSION_MINOR << 8 | BGPVPN_VERSION_PATCH;
}

const char *bgpvpn_rc_name(bgpvpn_rc rc)
{
    switch (rc) {
    case BGPVPN_YES:
        return "BGPVPN_YES";
    case BGPVPN_OK:
        return "BGPVPN_OK";
    case BGPVPN_ERR_ARG:
        return "BGPVPN_ERR_ARG";
    case BGPVPN_ERR_NOMEM:
        return "BGPVPN_ERR_NOMEM";
    case BGPVPN_ERR_BUFFER:
        return "BGPVPN_ERR_BUFFER";
    case BGPVPN_ERR_LIMIT:
        return "BGPVPN_ERR_LIMIT";
    case BGPVPN_ERR_STATE:
        return "BGPVPN_ERR_STATE";
    case BGPVPN_ERR_ABSENT:
        return "BGPVPN_ERR_ABSENT";
    case BGPVPN_ERR_TRUNCATED:
        return "BGPVPN_ERR_TRUNCATED";
    case BGPVPN_ERR_MARKER:
        return "BGPVPN_ERR_MARKER";
    case BGPVPN_ERR_LENGTH:
        return "BGPVPN_ERR_LENGTH";
    case BGPVPN_ERR_TYPE:
        return "BGPVPN_ERR_TYPE";
    case BGPVPN_ERR_OPEN:
        return "BGPVPN_ERR_OPEN";
    case BGPVPN_ERR_VERSION:
        return "BGPVPN_ERR_VERSION";
    case BGPVPN_ERR_PEER_AS:
        return "BGPVPN_ERR_PEER_AS";
    case BGPVPN_ERR_IDENTIFIER:
        return "BGPVPN_ERR_IDENTIFIER";
    case BGPVPN_ERR_PARAMETER:
        return "BGPVPN_ERR_PARAMETER";
    case BGPVPN_ERR_HOLD_TIME:
        return "BGPVPN_ERR_HOLD_TIME";
    case BGPVPN_ERR_CAPABILITY:
        return "BGPVPN_ERR_CAPABILITY";
    case BGPVPN_ERR_ATTRIBUTES:
        return "BGPVPN_ERR_ATTRIBUTES";
    case BGPVPN_ERR_MULTIPROTOCOL:
        return "BGPVPN_ERR_MULTIPROTOCOL";
    case BGPVPN_ERR_NLRI:
        return "BGPVPN_ERR_NLRI";
    case BGPVPN_ERR_REFRESH:
        return "BGPVPN_ERR_REFRESH";
    default:
        return "BGPVPN_UNKNOWN";
    }
}
