#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo_walk.sh BUILD: the demo ends in 20 of 20 with no ping lost, and its capture shows what it
# claims: the flow leaves the hub's link, nothing can be read, and with the keys everything can.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
build=$1
need_tools ping tshark dumpcap mergecap iperf3
[ -x "$build/examples/hub" ] || { echo "skipped: no hub in $build"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "the demo ends in 20 of 20 steps, with no ping lost"
pcap=$dir/walk.pcapng
status=0
"$root/examples/demo" --build "$build" --pcap "$pcap" >"$dir/demo.log" 2>&1 || status=$?
[ $status -eq 0 ] || fail "status $status"
[ "$(tail -n 1 "$dir/demo.log")" = "walk: 20 of 20 steps" ] || fail "the last line"
[ "$(grep -c '^step ' "$dir/demo.log")" -eq 20 ] || fail "steps"
grep -q '100 packets transmitted, 100 received, 0% packet loss' "$dir/demo.log" || fail "pings"

echo "on transport links only ARP, ND, ICMP, IKE and ESP; the payload only on the customers'"
check_wire "$pcap" LabelMes

echo "with the keys, nothing is malformed, and IKE_AUTH, NHRP, BGP and MPLS are inside"
keys=$pcap.keys
[ "$(stat -c %a "$keys/wireshark/esp_sa")" = 600 ] || fail "mode of the keys"
malformed=$(decrypted "$keys" "$pcap" '_ws.malformed' -e frame.number -e frame.protocols)
[ -z "$malformed" ] || fail "malformed: $malformed"
inside=('isakmp.exchangetype == 35 && isakmp.typepayload == 39'
    'esp && mpls && icmp.type == 8 && ip.dst == 10.2.2.102' 'esp && bgp.type == 2'
    'esp && nhrp.hdr.op.type == 1' 'esp && nhrp.hdr.op.type == 2' 'esp && nhrp.hdr.op.type == 8')
for what in "${inside[@]}"; do
    [ -n "$(decrypted "$keys" "$pcap" "$on_transport && $what" | head -n 1)" ] ||
        fail "not inside: $what"
    [ -z "$(frames "$pcap" "$on_transport && $what" | head -n 1)" ] ||
        fail "inside without the keys: $what"
done

echo "once the path is direct, no packet of the flow is on the hub's link"
flow='icmp && ip.addr == 10.1.1.101 && ip.addr == 10.2.2.102'
hub=$(decrypted "$keys" "$pcap" "frame.interface_name == \"hub-wan\" && esp && $flow" \
    -e frame.time_epoch)
spoke=$(decrypted "$keys" "$pcap" "frame.interface_name == \"spoke2-wan\" && esp && $flow &&
    ip.addr == 192.168.1.11" -e frame.time_epoch)
[ -n "$hub" ] || fail "the flow did not begin by the hub"
[ -n "$spoke" ] || fail "the flow is not direct"
awk -v direct="$(head -n 1 <<<"$spoke")" '
    FNR == NR { if ($1 > direct + 0.2) late++; next }
    $1 > direct + 0.2 { after++ }
    END { print late + 0, after + 0; exit !(late == 0 && after >= 40) }' \
    <(echo "$hub") <(echo "$spoke") >"$dir/after.log" ||
    fail "packets on the hub's link, and on spoke2's, 0.2 s after the first direct one: see above"
echo "all is well"
