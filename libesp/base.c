/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <esp/base.h>

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
    default:
        return "ESP_UNKNOWN";
    }
}
