/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_NHRP_H
#define NHRP_NHRP_H

/**
 * @file
 * @brief All of libnhrp.
 */

#include <nhrp/base.h>
#include <nhrp/config.h>
#include <nhrp/dmvpn.h>
#include <nhrp/engine.h>
#include <nhrp/event.h>
#include <nhrp/label.h>
#include <nhrp/packet.h>
#include <nhrp/state.h>
#include <nhrp/writer.h>

#endif
