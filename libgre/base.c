/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gre/base.h>
#include <gre/result.h>

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
    case GRE_ERR_TRUNCATED:
        return "GRE_ERR_TRUNCATED";
    case GRE_ERR_CHECKSUM:
        return "GRE_ERR_CHECKSUM";
    case GRE_ERR_VERSION:
        return "GRE_ERR_VERSION";
    case GRE_ERR_ROUTING:
        return "GRE_ERR_ROUTING";
    case GRE_ERR_RESERVED:
        return "GRE_ERR_RESERVED";
    case GRE_ERR_KEY_MISSING:
        return "GRE_ERR_KEY_MISSING";
    case GRE_ERR_KEY_UNEXPECTED:
        return "GRE_ERR_KEY_UNEXPECTED";
    case GRE_ERR_KEY_MISMATCH:
        return "GRE_ERR_KEY_MISMATCH";
    case GRE_ERR_SEQUENCE:
        return "GRE_ERR_SEQUENCE";
    case GRE_ERR_MALFORMED:
        return "GRE_ERR_MALFORMED";
    case GRE_ERR_PROTOCOL:
        return "GRE_ERR_PROTOCOL";
    case GRE_ERR_FRAGMENT:
        return "GRE_ERR_FRAGMENT";
    case GRE_ERR_TOO_BIG:
        return "GRE_ERR_TOO_BIG";
    case GRE_ERR_MAY_FRAGMENT:
        return "GRE_ERR_MAY_FRAGMENT";
    case GRE_ERR_SILENT:
        return "GRE_ERR_SILENT";
    case GRE_ERR_LOOP:
        return "GRE_ERR_LOOP";
    default:
        return "GRE_UNKNOWN";
    }
}
