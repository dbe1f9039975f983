#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# collisions.sh LAB "SEED...": where both ends often rekey at once, and messages overtake each other,
# no tunnel goes down, and hardly a ping is lost.
set -eu
lab=$1 seeds=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for seed in $seeds; do
    "$lab" --seed "$seed" --spokes 6 --seconds 10000 --ike-lifetime 200 --child-lifetime 60 \
        --delay 300 --jitter 300 --log >"$out/log"
    grep -v '^ts=' "$out/log"
    [ "$(grep -c 'event=child_rekeyed' "$out/log")" -ge 3000 ]
    [ "$(grep -c 'event=tunnel_down' "$out/log")" = 0 ]
    awk '/^pings:/ { seen = 1; if ($4 - $2 > 10) exit 1 } END { exit !seen }' "$out/log"
done
