/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the lab says of many spokes when their time is over.
 */
#ifndef LAB_REPORT_H
#define LAB_REPORT_H

#include "lab.h"

void report_options(const lab_options *o);

/* True when the network did what it is for; the last line says so. */
bool report_outcome(const lab *l);

/* "ping A -> B: ..." */
void report_flow(const lab *l, const flow *f);

#endif
