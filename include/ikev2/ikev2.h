/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_IKEV2_H
#define IKEV2_IKEV2_H

#include <ikev2/base.h>

#endif
