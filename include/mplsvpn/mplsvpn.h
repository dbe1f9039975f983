/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_MPLSVPN_H
#define MPLSVPN_MPLSVPN_H

#include <mplsvpn/base.h>

#endif
