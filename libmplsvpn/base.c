/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <mplsvpn/base.h>
#include <mplsvpn/result.h>

uint32_t mplsvpn_version(void)
{
    return MPLSVPN_VERSION_MAJOR << 16 | MPLSVPN_VERSION_MINOR << 8 | MPLSVPN_VERSION_PATCH;
}

const char *mplsvpn_rc_name(mplsvpn_rc rc)
{
    switch (rc) {
    case MPLSVPN_YES:
        return "MPLSVPN_YES";
    case MPLSVPN_OK:
        return "MPLSVPN_OK";
    case MPLSVPN_ERR_ARG:
        return "MPLSVPN_ERR_ARG";
    case MPLSVPN_ERR_NOMEM:
        return "MPLSVPN_ERR_NOMEM";
    case MPLSVPN_ERR_BUFFER:
        return "MPLSVPN_ERR_BUFFER";
    case MPLSVPN_ERR_LIMIT:
        return "MPLSVPN_ERR_LIMIT";
    case MPLSVPN_ERR_STATE:
        return "MPLSVPN_ERR_STATE";
    case MPLSVPN_ERR_ABSENT:
        return "MPLSVPN_ERR_ABSENT";
    case MPLSVPN_ERR_TRUNCATED:
        return "MPLSVPN_ERR_TRUNCATED";
    case MPLSVPN_ERR_CHECKSUM:
        return "MPLSVPN_ERR_CHECKSUM";
    case MPLSVPN_ERR_VERSION:
        return "MPLSVPN_ERR_VERSION";
    case MPLSVPN_ERR_MALFORMED:
        return "MPLSVPN_ERR_MALFORMED";
    case MPLSVPN_ERR_TTL:
        return "MPLSVPN_ERR_TTL";
    case MPLSVPN_ERR_NO_BOTTOM:
        return "MPLSVPN_ERR_NO_BOTTOM";
    case MPLSVPN_ERR_DEPTH:
        return "MPLSVPN_ERR_DEPTH";
    case MPLSVPN_ERR_RESERVED:
        return "MPLSVPN_ERR_RESERVED";
    case MPLSVPN_ERR_NO_LABEL:
        return "MPLSVPN_ERR_NO_LABEL";
    case MPLSVPN_ERR_DRAINING:
        return "MPLSVPN_ERR_DRAINING";
    case MPLSVPN_ERR_NOT_ALLOWED:
        return "MPLSVPN_ERR_NOT_ALLOWED";
    case MPLSVPN_ERR_NO_ROUTE:
        return "MPLSVPN_ERR_NO_ROUTE";
    case MPLSVPN_ERR_DISCARD:
        return "MPLSVPN_ERR_DISCARD";
    case MPLSVPN_ERR_NO_VRF:
        return "MPLSVPN_ERR_NO_VRF";
    case MPLSVPN_ERR_NOT_BOTTOM:
        return "MPLSVPN_ERR_NOT_BOTTOM";
    case MPLSVPN_ERR_ADDRESS:
        return "MPLSVPN_ERR_ADDRESS";
    default:
        return "MPLSVPN_UNKNOWN";
    }
}
