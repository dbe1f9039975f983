#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bgp.sh LINUX_PEER UML_LAUNCH BGP_PEER: a Linux router with FRR is the other end of a VPN: VPNv4
# routes and labels by libbgpvpn, packets with these labels by libmplsvpn and libgre.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
linux_peer=$1 uml_launch=$2 bgp_peer=$3
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/network.sh"
need_tools
reason=$(guest_impossible vtysh)
[ -n "$reason" ] || [ -x /usr/lib/frr/bgpd ] || reason="needs package frr"
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

# Our BGP speaker, beside our data plane in namespace a.
bgp_start() {
    mkfifo "$dir/bgp.pipe"
    ip -n "${prefix}a" addr add 10.0.0.2/32 dev lo
    ip netns exec "${prefix}a" "$bgp_peer" 10.0.0.2 179 198.51.100.1 179 65000 5 10 \
        <"$dir/bgp.pipe" >"$dir/bgp.log" 2>&1 &
    exec {bgp_pipe}>"$dir/bgp.pipe"
    marked[bgp]=0
}
bgp_tell() { echo "$*" >&"$bgp_pipe"; }

network_begin
router_start <<'END'
. /mnt/here/router.sh
router_network
router_mpls
router_nhrpd "ip nhrp network-id 1" "ip nhrp holdtime 30"
router_bgpd 198.51.100.2
END
peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1 --holding 30 \
    --red 172.16.5.0/24,200
observe "nhrpd registers us: there is a way to our next hop" says a '^registered'
bgp_start
observe "our speaker and FRR's bgpd agree" says bgp '^up'
bgp_tell announce 172.16.5.0/24 200
observe "bgpd tells us of the network in its VRF, with a label" \
    says bgp '^route up 192.168.1.0/24 .* label [0-9]+ rd 65000:10 rt 65000:10'
observe "our route is in the kernel's VRF, with our label, by the tunnel" \
    router_shows '172\.16\.5\.0/24 .*encap mpls +200 .*via 10\.0\.0\.2 dev gre1' \
    'ip route show vrf red'
label=$(sed -nE 's/^route up 192.168.1.0\/24 .* label ([0-9]+) .*/\1/p' "$dir/bgp.log" | tail -n 1)
tell a red-route "192.168.1.0/24,198.51.100.1,$label"
tell a red-ping 172.16.5.1 192.168.1.1 5
observe "the kernel takes packets with the label that bgpd gave ($label), and answers" \
    at_least 5 a '^echo-reply vrf=1 from=192.168.1.1'
observe "we take packets with the label that we gave, and answer" \
    router_shows ', 0% packet loss' \
    'ip vrf exec red ping -q -c 5 -i 0.05 -W 1 -I 192.168.1.1 172.16.5.9'
observe "they had it" at_least 5 a '^labelled label=200 '
bgp_tell announce 172.16.5.0/24 300
observe "another label of ours replaces the first in the kernel" \
    router_shows '172\.16\.5\.0/24 .*encap mpls +300 ' 'ip route show vrf red'
bgp_tell withdraw 172.16.5.0/24
observe "and what we withdraw is gone there" \
    shows_no '172\.16\.5\.0/24' router 'ip route show vrf red'
router 'ip link set lan0 down'
observe "what the router withdraws is gone here" says bgp '^route down 192.168.1.0/24'
bgp_tell quit
peer_stop a
echo "passed: $observed observations"
