/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_GRE_H
#define GRE_GRE_H

/**
 * @file
 * @brief All of libgre: GRE (RFC 2784, 2890, 7676) and what tunnels need.
 */

#include <gre/base.h>
#include <gre/header.h>
#include <gre/mtu.h>
#include <gre/outer.h>
#include <gre/result.h>
#include <gre/tunnel.h>

#endif
