/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_BGPVPN_H
#define BGPVPN_BGPVPN_H

/**
 * @file
 * @brief All of libbgpvpn.
 */

#include <bgpvpn/base.h>
#include <bgpvpn/capability.h>
#include <bgpvpn/engine.h>
#include <bgpvpn/message.h>
#include <bgpvpn/neighbor.h>
#include <bgpvpn/rib.h>
#include <bgpvpn/stream.h>
#include <bgpvpn/update.h>

#endif
