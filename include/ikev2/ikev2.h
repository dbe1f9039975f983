/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_IKEV2_H
#define IKEV2_IKEV2_H

/**
 * @file
 * @brief All of libikev2: IKEv2 (RFC 7296, 7383, 7427, 7634, 8420) as a sans-IO engine, and its
 * codec.
 */

#include <ikev2/ask.h>
#include <ikev2/base.h>
#include <ikev2/config.h>
#include <ikev2/engine.h>
#include <ikev2/event.h>
#include <ikev2/info.h>
#include <ikev2/message.h>
#include <ikev2/opener.h>
#include <ikev2/types.h>

#endif
