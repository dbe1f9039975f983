/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/base.h>

uint32_t gre_version(void)
{
    return GRE_VERSION_MAJOR << 16 | GRE_VERSION_MINOR << 8 | GRE_VERSION_PATCH;
}

const char *gre_rc_name(gre_rc rc)
{
    switch (rc) {
    case GRE_YES:
        return "GRE_YES";
    case GRE_OK:
        return "GRE_OK";
    case GRE_ERR_ARG:
        return "GRE_ERR_ARG";
    case GRE_ERR_NOMEM:
        return "GRE_ERR_NOMEM";
    case GRE_ERR_BUFFER:
        return "GRE_ERR_BUFFER";
    case GRE_ERR_LIMIT:
        return "GRE_ERR_LIMIT";
    case GRE_ERR_STATE:
        return "GRE_ERR_STATE";
    case GRE_ERR_ABSENT:
        return "GRE_ERR_ABSENT";
    default:
        return "GRE_UNKNOWN";
    }
}
