#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# repeats.sh LAB OPTIONS: the network converges, every flow answered and direct; run once more, with
# the same seed, it says the same bytes, every event of every node among them; another seed says
# others.
set -eu
lab=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$lab" --seed 1 --log "$@" >"$out/first" 2>"$out/cost" &
first=$!
"$lab" --seed 1 --log "$@" >"$out/second" 2>/dev/null &
second=$!
wait "$second" || true
wait "$first" || { grep -v '^ts=' "$out/first"; cat "$out/cost"; exit 1; }
grep -v '^ts=' "$out/first"
cat "$out/cost"
cmp "$out/first" "$out/second"
[ "$(grep -c '^ts=' "$out/first")" -ge 1000 ]

# So long that the addresses and routes are there, so short that it costs little.
"$lab" --seed 1 "$@" --seconds 6 --log >"$out/first" 2>/dev/null || true
"$lab" --seed 2 "$@" --seconds 6 --log >"$out/other" 2>/dev/null || true
[ "$(grep -c '^ts=' "$out/other")" -ge 1000 ]
# What the nodes say, as the report names the seed.
grep '^ts=' "$out/first" >"$out/a"
grep '^ts=' "$out/other" >"$out/b"
! cmp -s "$out/a" "$out/b"
