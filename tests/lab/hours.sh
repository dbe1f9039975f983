#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hours.sh LAB: for five and a half hours of virtual time, with jitter and reordering, ESP and IKE
# SAs are rekeyed and mappings renewed, and not one ping is lost.
set -eu
lab=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$lab" --spokes 6 --vrfs 2 --seconds 20000 --jitter 15 --reorder 5 --log >"$out/log"
grep -v '^ts=' "$out/log"
[ "$(grep -c 'event=child_rekeyed' "$out/log")" -ge 100 ]
[ "$(grep -c 'event=tunnel_down' "$out/log")" = 0 ]
awk '/^pings:/ { seen = 1; if ($2 != $4 || $2 < 100000) exit 1 } END { exit !seen }' "$out/log"
