#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# instructions.sh LAB [SPOKES FEWER]: as scale.sh, but the instructions that a spoke costs, which
# neither caches nor what else runs can change. valgrind counts them: for a thousand that takes
# minutes.
set -eu
lab=$1 many=${2:-1000} few=${3:-100}
command -v valgrind >/dev/null || { echo "no valgrind"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

count() { # SPOKES
    valgrind --tool=callgrind --callgrind-out-file="$out/counts" "$lab" --spokes "$1" --seconds 30 \
        >"$out/report" 2>"$out/errors" || { cat "$out/report" "$out/errors" >&2; exit 1; }
    awk -v spokes="$1" '/^(summary|totals):/ { n = $2 } END { if (!n) exit 1; printf "%.3f", n / spokes / 1e6 }' \
        "$out/counts"
}

ours=$(count "$many")
peer=$(count "$few")
awk -v many="$many" -v few="$few" -v ours="$ours" -v peer="$peer" 'BEGIN {
    printf "lab-instructions-%s\t%s\t%s spokes\t%s\t%.2f\t%s\n",
           many, ours, few, peer, peer / ours, "million a spoke" }'
