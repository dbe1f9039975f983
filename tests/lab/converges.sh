#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# converges.sh LAB "SEED..." OPTIONS: with each seed, every flow is answered and goes directly, no
# packet strays into another VRF, and none reaches a spoke without the VRF.
set -eu
lab=$1 seeds=$2
shift 2
for seed in $seeds; do
    "$lab" --seed "$seed" "$@"
done
