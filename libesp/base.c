/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <esp/base.h>
#include <esp/result.h>

uint32_t esp_version(void)
{
    return ESP_VERSION_MAJOR << 16 | ESP_VERSION_MINOR << 8 | ESP_VERSION_PATCH;
}

const char *esp_rc_name(esp_rc rc)
{
    switch (rc) {
    case ESP_YES:
        return "ESP_YES";
    case ESP_OK:
        return "ESP_OK";
    case ESP_ERR_ARG:
        return "ESP_ERR_ARG";
    case ESP_ERR_NOMEM:
        return "ESP_ERR_NOMEM";
    case ESP_ERR_BUFFER:
        return "ESP_ERR_BUFFER";
    case ESP_ERR_LIMIT:
        return "ESP_ERR_LIMIT";
    case ESP_ERR_STATE:
        return "ESP_ERR_STATE";
    case ESP_ERR_ABSENT:
        return "ESP_ERR_ABSENT";
    case ESP_ERR_TRUNCATED:
        return "ESP_ERR_TRUNCATED";
    case ESP_ERR_ALIGN:
        return "ESP_ERR_ALIGN";
    case ESP_ERR_SPI:
        return "ESP_ERR_SPI";
    case ESP_ERR_REPLAY:
        return "ESP_ERR_REPLAY";
    case ESP_ERR_AUTH:
        return "ESP_ERR_AUTH";
    case ESP_ERR_PADDING:
        return "ESP_ERR_PADDING";
    case ESP_ERR_NEXT_HEADER:
        return "ESP_ERR_NEXT_HEADER";
    case ESP_ERR_DUMMY:
        return "ESP_ERR_DUMMY";
    case ESP_ERR_EXPIRED:
        return "ESP_ERR_EXPIRED";
    case ESP_ERR_SEQUENCE:
        return "ESP_ERR_SEQUENCE";
    case ESP_ERR_CRYPTO:
        return "ESP_ERR_CRYPTO";
    case ESP_ERR_VERSION:
        return "ESP_ERR_VERSION";
    case ESP_ERR_CHECKSUM:
        return "ESP_ERR_CHECKSUM";
    case ESP_ERR_FRAGMENT:
        return "ESP_ERR_FRAGMENT";
    case ESP_ERR_PROTOCOL:
        return "ESP_ERR_PROTOCOL";
    default:
        return "ESP_UNKNOWN";
    }
}
