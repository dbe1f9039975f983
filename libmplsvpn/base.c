/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <mplsvpn/base.h>

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
    default:
        return "MPLSVPN_UNKNOWN";
    }
}
