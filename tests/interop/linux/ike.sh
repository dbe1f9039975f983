#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ike.sh LINUX_PEER UML_LAUNCH: libikev2 and strongSwan on a Linux router whose kernel does the ESP:
# transport mode around GRE, as protocol 50 and in UDP, initiated, rekeyed and ended by each side.
# NHRP registers through it, and labelled packets go both ways under every SA.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
linux_peer=$1 uml_launch=$2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/network.sh"
need_tools
reason=$(guest_impossible vtysh swanctl)
[ -n "$reason" ] || [ -x /usr/lib/ipsec/charon ] || reason="needs package strongswan-charon"
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

pings() { router_shows ', 0% packet loss' "$1 -q -c $2 -i 0.05 -W 1 ${*:3}"; }
swan() { router ". /mnt/here/router.sh; router_swan $*"; }

ike_start() { # NBMA|any [udp]
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1 --holding 30 \
        --red 172.16.5.0/24,200 --red-route 192.168.1.0/24,198.51.100.1,100 \
        --ike "$1,a.test,router.test,an interop key${2:+,$2}"
}

traffic_flows() { # WHEN
    mark a
    tell a red-ping 172.16.5.1 192.168.1.1 5
    observe "  labelled packets go both ways $1" at_least 5 a '^echo-reply vrf=1 from=192.168.1.1'
    observe "  the kernel's too" pings "ip vrf exec red ping" 5 -I 192.168.1.1 172.16.5.9
}

we_begin() {
    ike_start 198.51.100.1
    observe "we initiate, strongSwan accepts: transport mode, protocol 50" \
        says a '^child-in mode=1 encapsulated=0'
    observe "  nhrpd registers us through it" says a '^registered'
    traffic_flows "at first"
    tell a rekey-child
    observe "  we rekey the Child SA" says a '^child-remove'
    traffic_flows "with the new keys"
    tell a rekey-ike
    observe "  we rekey the IKE SA" says a '^ike-down'
    swan --rekey --child gre >/dev/null || fail "strongSwan cannot rekey"
    observe "  strongSwan rekeys the Child SA under it" says a '^child-remove'
    traffic_flows "with strongSwan's keys"
    swan --terminate --ike dmvpn >/dev/null || fail "strongSwan cannot end it"
    observe "  strongSwan ends it" says a '^ike-down reason=2'
    peer_stop a
}

they_begin() {
    ike_start any udp
    swan --initiate --child gre --timeout 10 >"$dir/swan.log" || fail "strongSwan cannot initiate"
    observe "strongSwan initiates, we accept and want UDP: transport mode in UDP 4500" \
        says a '^child-in mode=1 encapsulated=1'
    observe "  nhrpd registers us through it" says a '^registered'
    traffic_flows "at first"
    swan --rekey --ike dmvpn >/dev/null || fail "strongSwan cannot rekey"
    observe "  strongSwan rekeys the IKE SA" says a '^ike-down'
    tell a rekey-child
    observe "  we rekey the Child SA under it" says a '^child-remove'
    traffic_flows "with the new keys"
    tell a delete-ike
    observe "  we end it: neither strongSwan nor the kernel has an SA" \
        shows_no 'dmvpn|proto esp' router '. /mnt/here/router.sh; router_swan --list-sas; ip xfrm state'
    peer_stop a
}

network_begin
router_start <<'END'
. /mnt/here/router.sh
router_network
router_mpls
ip route add 172.16.5.0/24 vrf red encap mpls 200 via inet 10.0.0.2 dev gre1 onlink
router_nhrpd "ip nhrp network-id 1" "ip nhrp holdtime 30"
router_charon
END
we_begin
they_begin
echo "passed: $observed observations"
