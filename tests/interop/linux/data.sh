#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# data.sh LINUX_PEER UML_LAUNCH: our GRE and MPLS packets and the Linux kernel's. IPv4, IPv6 and MPLS
# in GRE with key 42; label 100 is the kernel's and leads into its VRF red, labels 200 and 201 ours.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
linux_peer=$1 uml_launch=$2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/network.sh"
need_tools
reason=$(guest_impossible vtysh)
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

pings() { router_shows ', 0% packet loss' "$1 -q -c $2 -i 0.05 -W 1 ${*:3}"; }
lost() { router_shows ', 100% packet loss' "$1 -q -c 2 -i 0.05 -W 1 ${*:2}"; }

network_begin
router_start <<'END'
. /mnt/here/router.sh
router_network
router_mpls
router_nhrpd "ip nhrp network-id 1" "ip nhrp shortcut"
for prefix in 172.16.5.0/24 172.16.6.0/24; do
    ip route add $prefix vrf red encap mpls 200 via inet 10.0.0.2 dev gre1 onlink
done
ip addr add 192.168.77.1/24 dev lan0
ip addr add 192.168.78.1/24 dev lan0
ip -6 route add 2001:db8::2/128 dev gre1
ip -6 route add 2001:db8:5::/64 vrf red encap mpls 201 via inet6 2001:db8::2 dev gre1 onlink
END
peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2,2001:db8::2 --nhs 198.51.100.1,10.0.0.1 \
    --route 2001:db8::1,198.51.100.1 \
    --red 172.16.5.0/24,200 --red 2001:db8:5::/64,201 --red-route 192.168.1.0/24,198.51.100.1,100 \
    --red-route 192.168.77.0/24,198.51.100.1,77 --red-route 192.168.78.0/24,198.51.100.1,100 \
    --red-route 2001:db8:1::/64,198.51.100.1,100
observe "nhrpd registers us, and the kernel learns where we are" says a '^registered'
# For IPv6 the test says it; not before nhrpd has set up the device, which forgets neighbours then.
router 'ip -6 neigh replace 2001:db8::2 lladdr 198.51.100.2 dev gre1 nud permanent'

tell a ping 10.0.0.2 10.0.0.1 5 1300
observe "the kernel answers IPv4 in GRE" at_least 5 a '^echo-reply vrf=0 from=10.0.0.1 .*bytes=1300'
observe "we answer the kernel's" pings ping 5 -s 1300 10.0.0.2
tell a ping 2001:db8::2 2001:db8::1 5 1300
observe "the kernel answers IPv6 in GRE" at_least 5 a '^echo-reply vrf=0 from=2001:db8::1 .*bytes=1300'
observe "we answer the kernel's IPv6" pings "ping -6" 5 -s 1300 2001:db8::2

tell a red-ping 172.16.5.1 192.168.1.1 5 1300
observe "the kernel takes our label 100 into VRF red, and answers with our label 200" \
    at_least 5 a '^echo-reply vrf=1 from=192.168.1.1 .*bytes=1300'
observe "we took its label by our table" at_least 5 a '^labelled label=200 ttl=.* vrf=1'
mark a
observe "we answer the kernel's requests out of VRF red" \
    pings "ip vrf exec red ping" 5 -s 1300 -I 192.168.1.1 172.16.5.9
observe "they came with our label" at_least 5 a '^labelled label=200 '
observe "a destination that our VRF does not have is refused" \
    lost "ip vrf exec red ping" -I 192.168.1.1 172.16.6.1
observe "by the table" says a '^refused by=libmplsvpn reason=MPLSVPN_ERR_NO_ROUTE'
tell a red-ping 2001:db8:5::1 2001:db8:1::1 5
observe "labels carry IPv6 too: the kernel answers" \
    at_least 5 a '^echo-reply vrf=1 from=2001:db8:1::1 '
observe "with our label for it" at_least 5 a '^labelled label=201 '
observe "and we answer the kernel" \
    pings "ip vrf exec red ping -6" 5 -s 1300 -I 2001:db8:1::1 2001:db8:5::9
mark a
tell a red-ping 172.16.5.1 192.168.77.1 2
tell a red-ping 172.16.5.1 192.168.78.1 1
observe "the kernel answers what came with its label" says a '^echo-reply vrf=1 from=192.168.78.1'
observe "but not what came with a label that it does not have" not says a 'from=192.168.77.1'
peer_stop a

peer_start b --nbma 198.51.100.3 --tunnel 10.0.0.3 --nhs 198.51.100.1,10.0.0.1 --key 43
tell b ping 10.0.0.3 10.0.0.1
sleep 1.5
observe "with another key than the tunnel's we do not register" not says b '^registered|^nhrp-in'
peer_stop b
echo "passed: $observed observations"
