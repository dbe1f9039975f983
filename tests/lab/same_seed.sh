#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# same_seed.sh LAB: one seed twice gives the same log, report and captured bytes; another does not.
set -eu
lab=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

run() { # SEED NAME
    "$lab" --seed "$1" --spokes 20 --seconds 30 --vrfs 2 --loss 3 --reorder 3 --duplicate 3 \
        --log --pcap "$out/$2.pcapng" >"$out/$2.txt" 2>/dev/null || true
    tail -n 1 "$out/$2.txt"
    find "$out/$2.pcapng" "$out/$2.pcapng.keys" -type f | sort | xargs cat | cksum >"$out/$2.sum"
}

run 7 first
run 7 second
run 8 other
[ "$(wc -l <"$out/first.txt")" -gt 1000 ]
cmp "$out/first.txt" "$out/second.txt"
cmp "$out/first.sum" "$out/second.sum"
! cmp -s "$out/first.sum" "$out/other.sum"
