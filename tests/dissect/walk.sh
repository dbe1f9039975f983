#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# walk.sh LAB DISSECT COMPARE [OPTION...]: the walk's capture is dissected whole, without an error,
# and tshark says the same of every frame.
set -eu
lab=$1
dissect=$2
compare=$3
shift 3
command -v tshark >/dev/null || { echo "no tshark"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$lab" --walk "$@" --pcap "$out/walk.pcapng" >"$out/walk" 2>"$out/cost"
"$compare" "$dissect" "$out/walk.pcapng" "$out/walk.pcapng.keys"
