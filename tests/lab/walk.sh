#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# walk.sh LAB SECONDS OPTIONS: the embedded walk shows its 20 steps in order, the pings after it are
# answered directly, and the whole takes less than SECONDS of CPU.
set -eu
lab=$1 limit=$2
shift 2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$lab" --walk "$@" >"$out/walk" 2>"$out/cost" || { cat "$out/walk" "$out/cost"; exit 1; }
cat "$out/walk" "$out/cost"

grep '^step ' "$out/walk" | awk '{ print $2 }' >"$out/steps"
seq 20 | cmp - "$out/steps"
[ "$(tail -n 1 "$out/walk")" = "walk: 20 of 20 steps" ]
[ "$(grep -c 'vrf 1: 5 of 5 answered, [45] of them directly$' "$out/walk")" = 2 ]
awk -v limit="$limit" '/^cost:/ { seen = 1; if ($5 + 0 >= limit) exit 1 } END { exit !seen }' \
    "$out/cost" || { echo "more than $limit s of CPU"; exit 1; }
