/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_NHRP_H
#define NHRP_NHRP_H

#include <nhrp/base.h>

#endif
