/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GRE_GRE_H
#define GRE_GRE_H

#include <gre/base.h>

#endif
