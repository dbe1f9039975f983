/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <ikev2/base.h>

uint32_t ikev2_version(void)
{
    return IKEV2_VERSION_MAJOR << 16 | IKEV2_VERSION_MINOR << 8 | IKEV2_VERSION_PATCH;
}

const char *ikev2_rc_name(ikev2_rc rc)
{
    switch (rc) {
    case IKEV2_YES:
        return "IKEV2_YES";
    case IKEV2_OK:
        return "IKEV2_OK";
    case IKEV2_ERR_ARG:
        return "IKEV2_ERR_ARG";
    case IKEV2_ERR_NOMEM:
        return "IKEV2_ERR_NOMEM";
    case IKEV2_ERR_BUFFER:
        return "IKEV2_ERR_BUFFER";
    case IKEV2_ERR_LIMIT:
        return "IKEV2_ERR_LIMIT";
    case IKEV2_ERR_STATE:
        return "IKEV2_ERR_STATE";
    case IKEV2_ERR_ABSENT:
        return "IKEV2_ERR_ABSENT";
    default:
        return "IKEV2_UNKNOWN";
    }
}
