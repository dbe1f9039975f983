/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MPLSVPN_MPLSVPN_H
#define MPLSVPN_MPLSVPN_H

/**
 * @file
 * @brief All of libmplsvpn: label stacks, label allocation, the LFIB and the FIBs of VRFs.
 */

#include <mplsvpn/base.h>
#include <mplsvpn/fib.h>
#include <mplsvpn/forward.h>
#include <mplsvpn/label.h>
#include <mplsvpn/lfib.h>
#include <mplsvpn/result.h>
#include <mplsvpn/table.h>

#endif
