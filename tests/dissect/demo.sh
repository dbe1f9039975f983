#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD DISSECT: what the programs really sent, captured on every link of the demo, is
# dissected whole, without an error, and tshark says the same of every frame.
set -euo pipefail
. "$(dirname "$0")/../e2e/lib.sh"
build=$1
dissect=$2
need_tools ping tshark dumpcap mergecap iperf3
[ -x "$build/examples/hub" ] || { echo "skipped: no hub in $build"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$root/examples/demo" --build "$build" --pcap "$dir/demo.pcapng" >"$dir/demo.log" 2>&1 ||
    { tail -n 20 "$dir/demo.log"; exit 1; }
"$root/tests/dissect/compare.py" "$dissect" "$dir/demo.pcapng" "$dir/demo.pcapng.keys"
