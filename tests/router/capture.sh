#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tshark opens a capture of the walk with the keys that the routers logged, and sees in it what the
# routers say that they sent.
set -eu
command -v tshark >/dev/null || { echo "tshark is not installed"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
labels=$("$1" "$dir")
set -- $labels
hub=$2 spoke2=$6
XDG_CONFIG_HOME=$dir tshark -o esp.enable_encryption_decode:TRUE -r "$dir/walk.pcap" -V \
    >"$dir/text" 2>/dev/null
fail() { echo "$1"; exit 1; }
grep -q "MPLS Label: .*$hub" "$dir/text" || fail "no packet with the hub's label $hub"
grep -q "MPLS Label: .*$spoke2" "$dir/text" || fail "no packet with spoke 2's label $spoke2"
grep -q "Internet Protocol Version 4, Src: 10.1.1.101, Dst: 10.2.2.102" "$dir/text" ||
    fail "no customer's packet"
grep -q "Next Hop Resolution Protocol (NHRP Resolution Request)" "$dir/text" ||
    fail "no Resolution Request"
grep -q "Next Hop Resolution Protocol (NHRP Resolution Reply)" "$dir/text" ||
    fail "no Resolution Reply"
grep -q "Identification Data:spoke1.spokes.example.net" "$dir/text" || fail "no IKE_AUTH in the clear"
echo "tshark saw labels $hub and $spoke2, the customer's packets, request and reply"
