/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "print.h"

#include <esp/esp.h>

static esp_sa *sa_new(uint8_t direction)
{
    static const uint8_t keymat[20] = {0,  1,  2,  3,  4,  5,  6,    7,    8,    9,
                                       10, 11, 12, 13, 14, 15, 0xca, 0xfe, 0xba, 0xbe};
    esp_sa_config config;
    esp_sa_config_init(&config);
    config.direction = direction;
    config.algorithm = ESP_ALGORITHM_AES128_GCM16;
    config.spi = 0x1000;
    config.keymat = keymat;
    config.keymat_len = sizeof(keymat);
    esp_sa *sa = NULL;
    (void)esp_sa_new(&config, &sa);
    return sa;
}

int main(void)
{
    static const uint8_t payload[12] = "a GRE packet";
    esp_sa *sender = sa_new(ESP_DIRECTION_OUT);
    esp_sa *receiver = sa_new(ESP_DIRECTION_IN);
    uint8_t packet[ESP_HEADER_BYTES + sizeof(payload) + ESP_TRAILER_MAX];
    esp_span span;
    if (esp_sa_seal(sender, 0, packet, sizeof(packet), payload, sizeof(payload), ESP_NEXT_GRE,
                    &span) != ESP_OK)
        return 1;
    printf("esp: ");
    print_hex(packet, span.len);

    uint8_t copy[sizeof(packet)];
    for (size_t i = 0; i < span.len; i++)
        copy[i] = packet[i];
    esp_opened opened;
    if (esp_sa_open(receiver, 0, packet, span.len, &opened) != ESP_OK)
        return 1;
    printf(", again: %s\n", esp_rc_name(esp_sa_open(receiver, 0, copy, span.len, &opened)));
    esp_sa_free(sender);
    esp_sa_free(receiver);
    return 0;
}
