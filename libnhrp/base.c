/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <nhrp/base.h>
#include <nhrp/packet.h>

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
    case NHRP_ERR_TRUNCATED:
        return "NHRP_ERR_TRUNCATED";
    case NHRP_ERR_CHECKSUM:
        return "NHRP_ERR_CHECKSUM";
    case NHRP_ERR_VERSION:
        return "NHRP_ERR_VERSION";
    case NHRP_ERR_TYPE:
        return "NHRP_ERR_TYPE";
    case NHRP_ERR_FORMAT:
        return "NHRP_ERR_FORMAT";
    case NHRP_ERR_FAMILY:
        return "NHRP_ERR_FAMILY";
    case NHRP_ERR_ADDRESS:
        return "NHRP_ERR_ADDRESS";
    case NHRP_ERR_CIE:
        return "NHRP_ERR_CIE";
    case NHRP_ERR_EXTENSION:
        return "NHRP_ERR_EXTENSION";
    case NHRP_ERR_LABEL:
        return "NHRP_ERR_LABEL";
    case NHRP_ERR_AUTHENTICATION:
        return "NHRP_ERR_AUTHENTICATION";
    case NHRP_ERR_COMPULSORY:
        return "NHRP_ERR_COMPULSORY";
    case NHRP_ERR_HOP_COUNT:
        return "NHRP_ERR_HOP_COUNT";
    case NHRP_ERR_LOOP:
        return "NHRP_ERR_LOOP";
    case NHRP_ERR_UNSOLICITED:
        return "NHRP_ERR_UNSOLICITED";
    case NHRP_ERR_REFUSED:
        return "NHRP_ERR_REFUSED";
    case NHRP_ERR_UNREACHABLE:
        return "NHRP_ERR_UNREACHABLE";
    case NHRP_ERR_REPEATED:
        return "NHRP_ERR_REPEATED";
    case NHRP_ERR_RATE:
        return "NHRP_ERR_RATE";
    case NHRP_ERR_NEGATIVE:
        return "NHRP_ERR_NEGATIVE";
    case NHRP_ERR_SIZE:
        return "NHRP_ERR_SIZE";
    case NHRP_ERR_QUOTED:
        return "NHRP_ERR_QUOTED";
    default:
        return "NHRP_UNKNOWN";
    }
}
