/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <bgpvpn/base.h>

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
    default:
        return "BGPVPN_UNKNOWN";
    }
}
