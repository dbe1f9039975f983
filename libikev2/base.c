/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <ikev2/base.h>
#include <ikev2/types.h>

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
    case IKEV2_ERR_TRUNCATED:
        return "IKEV2_ERR_TRUNCATED";
    case IKEV2_ERR_LENGTH:
        return "IKEV2_ERR_LENGTH";
    case IKEV2_ERR_VERSION:
        return "IKEV2_ERR_VERSION";
    case IKEV2_ERR_SYNTAX:
        return "IKEV2_ERR_SYNTAX";
    case IKEV2_ERR_PAYLOADS:
        return "IKEV2_ERR_PAYLOADS";
    case IKEV2_ERR_CRITICAL:
        return "IKEV2_ERR_CRITICAL";
    case IKEV2_ERR_UNKNOWN_SPI:
        return "IKEV2_ERR_UNKNOWN_SPI";
    case IKEV2_ERR_MESSAGE_ID:
        return "IKEV2_ERR_MESSAGE_ID";
    case IKEV2_ERR_INTEGRITY:
        return "IKEV2_ERR_INTEGRITY";
    case IKEV2_ERR_EXCHANGE:
        return "IKEV2_ERR_EXCHANGE";
    case IKEV2_ERR_COOKIE:
        return "IKEV2_ERR_COOKIE";
    case IKEV2_ERR_FRAGMENT:
        return "IKEV2_ERR_FRAGMENT";
    case IKEV2_ERR_PROPOSAL:
        return "IKEV2_ERR_PROPOSAL";
    case IKEV2_ERR_KEY:
        return "IKEV2_ERR_KEY";
    case IKEV2_ERR_CRYPTO:
        return "IKEV2_ERR_CRYPTO";
    default:
        return "IKEV2_UNKNOWN";
    }
}
