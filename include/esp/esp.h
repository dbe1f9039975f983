/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_ESP_H
#define ESP_ESP_H

/**
 * @file
 * @brief All of libesp.
 */

#include <esp/base.h>
#include <esp/batch.h>
#include <esp/packet.h>
#include <esp/result.h>
#include <esp/resync.h>
#include <esp/sa.h>
#include <esp/table.h>

#endif
