/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <nhrp/base.h>

uint32_t nhrp_version(void)
{
    return NHRP_VERSION_MAJOR << 16 | NHRP_VERSION_MINOR << 8 | NHRP_VERSION_PATCH;
}

const char *nhrp_rc_name(nhrp_rc rc)
{
    switch (rc) {
    case NHRP_YES:
        return "NHRP_YES";
    case NHRP_OK:
        return "NHRP_OK";
    case NHRP_ERR_ARG:
        return "NHRP_ERR_ARG";
    case NHRP_ERR_NOMEM:
        return "NHRP_ERR_NOMEM";
    case NHRP_ERR_BUFFER:
        return "NHRP_ERR_BUFFER";
    case NHRP_ERR_LIMIT:
        return "NHRP_ERR_LIMIT";
    case NHRP_ERR_STATE:
        return "NHRP_ERR_STATE";
    case NHRP_ERR_ABSENT:
        return "NHRP_ERR_ABSENT";
    default:
        return "NHRP_UNKNOWN";
    }
}
