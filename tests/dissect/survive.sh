#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# survive.sh LAB SURVIVE HOW: the walk's capture, cut, shortened or with bits turned over.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" --walk --pcap "$out/walk.pcapng" >"$out/walk" 2>"$out/cost"
"$2" "$out/walk.pcapng" "$out/walk.pcapng.keys" "$3"
