/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BGPVPN_BGPVPN_H
#define BGPVPN_BGPVPN_H

#include <bgpvpn/base.h>

#endif
