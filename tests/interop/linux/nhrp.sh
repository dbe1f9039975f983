#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# nhrp.sh 4|6 LINUX_PEER UML_LAUNCH: libnhrp and FRR's nhrpd on a Linux router with its own multipoint
# GRE, as client and as server of each other; redirects in both directions. For IPv4 or IPv6, over
# IPv4.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
family=$1 linux_peer=$2 uml_launch=$3
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/network.sh"
need_tools
reason=$(guest_impossible vtysh iptables-legacy)
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

# The router's tunnel address ends in 1, a's in 2, b's in 3; each has a network behind it.
case $family in
4)
    ip=ip host=32
    tunnel=10.0.0. tunnels=10.0.0.0/24 lans=192.168.0.0/16
    lan() { echo "192.168.$1.0/24"; }
    lan_host() { echo "192.168.$1.$2"; }
    ;;
6)
    ip=ipv6 host=128
    tunnel=2001:db8:: tunnels=2001:db8::/64 lans=2001:db8::/32
    lan() { echo "2001:db8:$1::/64"; }
    lan_host() { echo "2001:db8:$1::$2"; }
    ;;
esac

shows_nhrp() { router_shows "$2" "vtysh -d nhrpd -c 'show $ip nhrp $1'"; } # WHAT PATTERN
router_pings() { router "ping -$family -q -W 1 $*" >/dev/null; }
with_nhrp() { printf "'$ip nhrp %s' " "$@"; } # Lines for the guest's shell.

# ---- The router is the server; a and b are ours. ----

ours_as_clients() {
    peer_start a --nbma 198.51.100.2 --tunnel ${tunnel}2 --nhs 198.51.100.1,${tunnel}1 \
        --holding 6 --route "$tunnels,198.51.100.1" --route "$lans,198.51.100.1" \
        --local "$(lan 2)" --hex
    peer_start b --nbma 198.51.100.3 --tunnel ${tunnel}3 --nhs 198.51.100.1,${tunnel}1 --unique \
        --route "$tunnels,198.51.100.1" --route "$lans,198.51.100.1" --local "$(lan 3)" --hex
    observe "we register" says a '^registered'
    observe "we register uniquely" says b '^registered'
    observe "nhrpd has us" shows_nhrp cache "dynamic +${tunnel}2 +198.51.100.2"
    observe "the kernel has our NBMA address" \
        router_shows '198\.51\.100\.2' "ip -$family neigh show ${tunnel}2 dev gre1"
    tell a ping ${tunnel}2 ${tunnel}1 3 1300
    observe "the kernel answers echo requests in GRE" at_least 3 a "^echo-reply .*from=${tunnel}1 "
    observe "we answer the kernel's" router_pings -c 3 -i 0.05 ${tunnel}2

    mark a b
    tell a ping ${tunnel}2 ${tunnel}3
    observe "packets to another client go through the kernel" \
        says a "^echo-reply .*from=${tunnel}3 "
    observe "nhrpd redirects us" says a '^nhrp-in type=8 peer=198.51.100.1 rc=NHRP_OK'
    observe "and we resolve the other client" \
        says a "^mapping-up kind=resolved prefix=${tunnel}3 nbma=198.51.100.3"
    mark a b
    tell a ping ${tunnel}2 ${tunnel}3
    observe "packets go the short way then" says b '^peer .*nbma=198.51.100.2'
    tell a ping "$(lan_host 2 1)" "$(lan_host 3 7)"
    observe "so do those to a network behind the other client" \
        says a "^mapping-up kind=resolved prefix=$(lan 3) nbma=198.51.100.3"
    keep_capture a b
    peer_stop a
    peer_stop b
}

# ---- We are the server, with one multipoint link; the router is a client, as is b. ----

router_as_client() {
    peer_start a --nbma 198.51.100.2 --tunnel ${tunnel}2 --server --multipoint --hex \
        --route "$(lan 3),198.51.100.3"
    peer_start b --nbma 198.51.100.3 --tunnel ${tunnel}3 --nhs 198.51.100.2,${tunnel}2 \
        --route "$tunnels,198.51.100.2" --local "$(lan 3)" --hex
    router ". /mnt/here/router.sh; ip route del $(lan 2); ip route del $(lan 3)
        ip route add $tunnels via ${tunnel}2 dev gre1 onlink
        ip route add $lans via ${tunnel}2 dev gre1 onlink
        router_nhrpd $(with_nhrp "network-id 1" "holdtime 12" shortcut \
        "nhs dynamic nbma 198.51.100.2")" >"$dir/reconfigured.log" ||
        fail "nhrpd does not start again"
    observe "nhrpd registers with us" \
        says a "^mapping-up kind=registered prefix=${tunnel}1 nbma=198.51.100.1 "
    observe "nhrpd learns our tunnel address" shows_nhrp cache "nhs +${tunnel}2 +198.51.100.2"
    mark a b
    observe "the kernel reaches another client through us" \
        router_pings -c 1 -I ${tunnel}1 ${tunnel}3
    observe "we redirect it" says a '^redirect peer=198.51.100.1'
    observe "nhrpd obeys: it asks us" says a '^nhrp-in type=1 peer=198.51.100.1 rc=NHRP_OK'
    observe "and has the shortcut" shows_nhrp shortcut "dynamic +${tunnel}3/$host +${tunnel}3"
    observe "the kernel reaches the network behind it through us" \
        router_pings -c 1 -I ${tunnel}1 "$(lan_host 3 1)"
    observe "b is redirected for what is behind it: the route says that it is" \
        says a "^question purpose=1 about=$(lan_host 3 1) answer=2 rc=NHRP_OK"
    observe "and hears of it" says b '^nhrp-in type=8 peer=198.51.100.2'
    # nhrpd asks for no more than the host, so that is what it is told.
    observe "nhrpd asks for that too, and b answers" \
        shows_nhrp shortcut "dynamic +$(lan_host 3 1)/$host +${tunnel}3"
    observe "the kernel's route goes the short way" \
        router_shows "via ${tunnel}3" "ip -$family route show $(lan_host 3 1)"
    mark a b
    observe "the kernel gets answers" router_pings -c 3 -i 0.1 -I ${tunnel}1 "$(lan_host 3 1)"
    observe "packets go the short way" not says a '^redirect peer=198.51.100.1'
    observe "b answered them" at_least 3 b "^packet vrf=0 from=${tunnel}1 icmp-type=(8|128)"
    tell b resolve ${tunnel}1
    observe "our other client resolves the router" \
        says b "^mapping-up kind=resolved prefix=${tunnel}1 nbma=198.51.100.1"
    observe "nhrpd registers again and again" at_least 2 a '^nhrp-in type=3 .*rc=NHRP_OK'
    keep_capture a b
    if [ $family = 4 ]; then # which takes its time
        router 'kill -9 $(cat /run/frr/nhrpd.pid)'
        observe "the registration of a router that is gone ends" \
            says a "^mapping-down .*prefix=${tunnel}1 "
    fi
    peer_stop a
    peer_stop b
}

network_begin
router_start <<END
. /mnt/here/router.sh
router_network
router_redirects
ip route add $(lan 2) via ${tunnel}2 dev gre1 onlink
ip route add $(lan 3) via ${tunnel}3 dev gre1 onlink
router_nhrpd $(with_nhrp "network-id 1" "holdtime 12" redirect shortcut)
END
observe "the router is up" router true
ours_as_clients
router_as_client
echo "passed: $observed observations"
