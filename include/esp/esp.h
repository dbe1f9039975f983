/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_ESP_H
#define ESP_ESP_H

#include <esp/base.h>

#endif
