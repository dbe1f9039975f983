#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# capture.sh LAB: tshark, given the keys, reads the walk's capture: ESP is decrypted, and inside are
# GRE with MPLS, NHRP, BGP and the customers' packets. IKE_AUTH is decrypted where the router tells
# the keys of IKE SAs.
set -eu
lab=$1
command -v tshark >/dev/null || { echo "no tshark"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$lab" --walk --pcap "$out/walk.pcapng" >"$out/walk" 2>"$out/cost"

count() { # FILTER AT_LEAST
    XDG_CONFIG_HOME="$out/walk.pcapng.keys" tshark -r "$out/walk.pcapng" -Y "$1" \
        >"$out/found" 2>"$out/errors" || { cat "$out/errors"; exit 1; }
    n=$(wc -l <"$out/found")
    echo "$n: $1"
    [ "$n" -ge "$2" ] || { cat "$out/errors"; exit 1; }
}

count 'isakmp.exchangetype == 34' 6
if [ -s "$out/walk.pcapng.keys/wireshark/ikev2_decryption_table" ]; then
    count 'isakmp.exchangetype == 35 && isakmp.auth.method == 2' 6
fi
count 'esp && gre.proto == 0x8847 && mpls.label && ip.dst == 10.2.2.102' 5
count 'esp && gre.proto == 0x2001' 4
# Each TCP segment is seen on a TUN first, so that tshark takes what is in the tunnel for a repeat.
count 'esp && tcp.port == 179' 6
count 'bgp.type == 2' 3
count 'icmp.type == 0' 10
# Nothing is malformed, and no checksum is wrong.
XDG_CONFIG_HOME="$out/walk.pcapng.keys" tshark -r "$out/walk.pcapng" \
    -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE \
    -Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0' \
    >"$out/bad" 2>"$out/errors" || { cat "$out/errors"; exit 1; }
[ ! -s "$out/bad" ] || { cat "$out/bad"; exit 1; }
