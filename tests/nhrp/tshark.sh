#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tshark.sh DUMP_WALK: what the engines send is what tshark reads: types, checksums, addresses,
# prefix lengths, extensions; nothing malformed.
set -eu
if ! command -v tshark >/dev/null || ! command -v text2pcap >/dev/null; then
    echo "skipped: no tshark"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" >"$dir/packets.txt"
text2pcap -q -l 101 "$dir/packets.txt" "$dir/packets.pcap" 2>"$dir/log"
tshark -r "$dir/packets.pcap" -T fields -E separator='|' -e nhrp.hdr.op.type \
    -e nhrp.hdr.chksum.status -e nhrp.src.prot.addr -e nhrp.dst.prot.addr -e nhrp.hdr.hopcnt \
    -e nhrp.ext.type -e nhrp.prefix -e nhrp.code -e nhrp.err.code -e nhrp.auth_ext.data \
    -e nhrp.client.nbma.addr -e nhrp.ext.not_allowed -e nhrp.ext.malformed -e nhrp.ext.extra -e _ws.malformed -e _ws.expert.message >"$dir/read" 2>"$dir/log"
grep -v "^#" "$(dirname "$0")/vectors/tshark.txt" >"$dir/expected"
diff -u "$dir/expected" "$dir/read"
echo "$(wc -l <"$dir/read") packets as expected"
