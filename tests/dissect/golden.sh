#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# golden.sh DISSECT: the small captures of golden/ are dissected as the JSON beside them says, and,
# where tshark is there, as tshark does.
set -eu
dissect=$1
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for capture in "$here"/golden/*.pcap; do
    name=$(basename "$capture" .pcap)
    "$dissect" --json --keys "$here/golden/keys" "$capture" >"$out/$name.json"
    diff -u "$here/golden/$name.json" "$out/$name.json"
    "$dissect" --keys "$here/golden/keys" "$capture" >"$out/$name.txt"
    diff -u "$here/golden/$name.txt" "$out/$name.txt"
    case $name in
    malformed | cut) continue ;; # of these tshark says something else
    esac
    if command -v tshark >/dev/null; then
        "$here/compare.py" "$dissect" "$capture" "$here/golden/keys" ipv4
    fi
done
if ! command -v tshark >/dev/null; then
    echo "skipped: needs tshark; without it all is as the files beside the captures say"
    exit 77
fi
echo "as they should be"
