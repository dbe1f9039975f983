#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# isolation.sh BUILD: two VRFs with the same addresses. What belongs to one is never on a link of the
# other, by the hub or directly, and a prefix that only one has cannot be reached from the other.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
network "$1"

# BLUE beside CUSTOMER: the same prefixes, hosts with the same addresses.
ns hub-blue spoke1-blue spoke2-blue blue1 blue2
for name in hub spoke1 spoke2; do
    topology_config $name
    in_ns $name-blue sysctl -qw net.ipv4.ip_forward=1
    {
        sed '/^\[peer/,$d' "$dir/$name.conf"
        sed -n '/^\[vrf/,/^\[peer/{/^\[peer/!p}' "$dir/$name.conf" |
            sed "s/CUSTOMER/BLUE/; s/65000:1/65000:2/; s/^id = 1/id = 2/; s/-customer/-blue/"
        sed -n '/^\[peer/,$p' "$dir/$name.conf" | sed 's/^vrf = CUSTOMER/&\nvrf = BLUE/'
    } >"$dir/both"
    mv "$dir/both" "$dir/$name.conf"
done
sed -i '0,/^connected = /s//connected = 10.3.3.0\/24\nconnected = /' "$dir/spoke2.conf"
for n in 1 2; do
    ip -n "${prefix}blue$n" link add "blue$n-lan" type veth \
        peer name lan netns "${prefix}spoke$n-blue"
    ip -n "${prefix}spoke$n-blue" addr add "10.$n.$n.1/24" dev lan
    ip -n "${prefix}spoke$n-blue" link set lan up
    ip -n "${prefix}blue$n" addr add "10.$n.$n.10$n/24" dev "blue$n-lan"
    ip -n "${prefix}blue$n" link set "blue$n-lan" up
    ip -n "${prefix}blue$n" route add default via "10.$n.$n.1"
done
ip -n "${prefix}ce2" addr add 10.3.3.103/32 dev lo
ip -n "${prefix}spoke2-customer" route add 10.3.3.0/24 via 10.2.2.102

capture_all
for n in 1 2; do capture_start blue$n blue$n-lan; done
start_all
until_true 15 event "node=spoke1 event=route_up vrf=2 .*prefix=10\.0\.0\.0/8" || fail "no BLUE"

echo "both VRFs reach their own host at the same address, by the hub and directly"
spawn ce1 ping -c 100 -i 0.05 -W 2 -p 5245442d7061636b 10.2.2.102 >"$dir/red.log" 2>&1
red=$!
spawn blue1 ping -c 100 -i 0.05 -W 2 -p 424c55452d706b74 10.2.2.102 >"$dir/blue.log" 2>&1
blue=$!
wait $red || fail "RED"
wait $blue || fail "BLUE"
for vrf in 1 2; do
    until_true 1 event "node=spoke1 event=route_up vrf=$vrf .*source=nhrp.*prefix=10\.2\.2\.0/24" ||
        fail "no direct path in VRF $vrf"
done
grep -q '100 received, 0% packet loss' "$dir/red.log" || fail "RED lost a ping"
grep -q '100 received, 0% packet loss' "$dir/blue.log" || fail "BLUE lost a ping"

echo "a prefix of one VRF cannot be reached from the other"
in_ns ce1 ping -q -c 2 -i 0.2 -W 2 -p 4f4e4c592d524544 10.3.3.103 >"$dir/only.log" ||
    fail "RED does not reach it"
if in_ns blue1 ping -q -c 2 -i 0.2 -W 1 10.3.3.103 >"$dir/only.log"; then fail "BLUE does"; fi

echo "no packet of one was on a link of the other, or readable between"
capture_merge "$dir/all.pcapng"
check_wire "$dir/all.pcapng" RED-pack BLUE-pkt ONLY-RED
red_links='frame.interface_name matches "^ce"'
blue_links='frame.interface_name matches "^blue"'
[ "$(count "$dir/all.pcapng" "$red_links && frame contains \"RED-pack\"")" -eq 400 ] ||
    fail "RED's packets on RED's links"
[ "$(count "$dir/all.pcapng" "$blue_links && frame contains \"BLUE-pkt\"")" -eq 400 ] ||
    fail "BLUE's packets on BLUE's links"
[ "$(count "$dir/all.pcapng" "$red_links && frame contains \"BLUE-pkt\"")" -eq 0 ] ||
    fail "BLUE's packets on a link of RED"
[ "$(count "$dir/all.pcapng" "$blue_links && (frame contains \"RED-pack\" ||
    frame contains \"ONLY-RED\")")" -eq 0 ] || fail "RED's packets on a link of BLUE"
echo "all is well"
