#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# nhrp.sh LINUX_PEER UML_LAUNCH: libnhrp and FRR's nhrpd on a Linux router with its own multipoint
# GRE, as client and as server of each other; redirects in both directions.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
linux_peer=$1 uml_launch=$2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/network.sh"
need_tools
reason=$(guest_impossible vtysh iptables-legacy)
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

shows_nhrp() { router_shows "$2" "vtysh -d nhrpd -c 'show ip nhrp $1'"; } # WHAT PATTERN

# ---- The router is the server; a and b are ours. ----

ours_as_clients() {
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1 --holding 6 \
        --route 10.0.0.0/24,198.51.100.1 --route 192.168.0.0/16,198.51.100.1 \
        --local 192.168.2.0/24 --hex
    peer_start b --nbma 198.51.100.3 --tunnel 10.0.0.3 --nhs 198.51.100.1,10.0.0.1 --unique \
        --route 10.0.0.0/24,198.51.100.1 --route 192.168.0.0/16,198.51.100.1 \
        --local 192.168.3.0/24 --hex
    observe "we register" says a '^registered'
    observe "we register uniquely" says b '^registered'
    observe "nhrpd has both of us" shows_nhrp cache 'dynamic +10\.0\.0\.2 +198\.51\.100\.2'
    observe "the kernel has our NBMA address" \
        router_shows '198\.51\.100\.2' 'ip neigh show 10.0.0.2 dev gre1'
    tell a ping 10.0.0.2 10.0.0.1 3 1300
    observe "the kernel answers echo requests in GRE" at_least 3 a '^echo-reply .*from=10.0.0.1'
    observe "we answer the kernel's" router_shows ' 0% packet loss' 'ping -q -c 3 -i 0.05 10.0.0.2'

    mark a b
    tell a ping 10.0.0.2 10.0.0.3
    observe "packets to another client go through the kernel" says a '^echo-reply .*from=10.0.0.3'
    observe "nhrpd redirects us" says a '^nhrp-in type=8 peer=198.51.100.1 rc=NHRP_OK'
    observe "and we resolve the other client" \
        says a '^mapping-up kind=resolved prefix=10.0.0.3 nbma=198.51.100.3'
    mark a b
    tell a ping 10.0.0.2 10.0.0.3
    observe "packets go the short way then" says b '^peer .*nbma=198.51.100.2'
    tell a ping 192.168.2.1 192.168.3.7
    observe "so does a network behind the other client" \
        says a '^mapping-up kind=resolved prefix=192.168.3.0/24 nbma=198.51.100.3'
    keep_capture a b
    peer_stop a
    peer_stop b
}

# ---- We are the server; the router is a client, as is b. ----

router_as_client() {
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --server --hex \
        --route 192.168.3.0/24,198.51.100.3
    peer_start b --nbma 198.51.100.3 --tunnel 10.0.0.3 --nhs 198.51.100.2,10.0.0.2 \
        --route 10.0.0.0/24,198.51.100.2 --local 192.168.3.0/24 --hex
    router '. /mnt/here/router.sh; ip route del 192.168.2.0/24; ip route del 192.168.3.0/24
        ip route add 10.0.0.0/24 via 10.0.0.2 dev gre1 onlink
        ip route add 192.168.0.0/16 via 10.0.0.2 dev gre1 onlink
        router_nhrpd "ip nhrp network-id 1" "ip nhrp holdtime 12" "ip nhrp shortcut" \
            "ip nhrp nhs dynamic nbma 198.51.100.2"' >/dev/null || true
    observe "nhrpd registers with us" \
        says a '^mapping-up kind=registered prefix=10.0.0.1 nbma=198.51.100.1 '
    observe "nhrpd learns our tunnel address" shows_nhrp cache 'nhs +10\.0\.0\.2 +198\.51\.100\.2'
    mark a b
    observe "the kernel reaches another client through us" \
        router 'ping -q -c 1 -W 1 -I 10.0.0.1 10.0.0.3' >/dev/null
    observe "we redirect it" says a '^redirect peer=198.51.100.1'
    observe "nhrpd obeys: it asks us" says a '^nhrp-in type=1 peer=198.51.100.1 rc=NHRP_OK'
    observe "and has the shortcut" shows_nhrp shortcut 'dynamic +10\.0\.0\.3/32 +10\.0\.0\.3'
    observe "the kernel reaches the network behind it through us" \
        router 'ping -q -c 1 -W 1 -I 10.0.0.1 192.168.3.1' >/dev/null
    # nhrpd asks for no more than the host, so that is what it is told.
    observe "nhrpd asks for that too, and b answers" \
        shows_nhrp shortcut 'dynamic +192\.168\.3\.1/32 +10\.0\.0\.3'
    observe "the kernel's route goes the short way" \
        router_shows 'via 10\.0\.0\.3' 'ip route show 192.168.3.1'
    mark a b
    router 'ping -q -c 3 -i 0.1 -W 1 -I 10.0.0.1 192.168.3.1' >/dev/null || fail "no answer"
    observe "packets go the short way" not says a '^redirect peer=198.51.100.1'
    observe "b answered them" at_least 3 b '^packet vrf=0 from=10.0.0.1 icmp-type=8'
    tell b resolve 10.0.0.1
    observe "our other client resolves the router" \
        says b '^mapping-up kind=resolved prefix=10.0.0.1 nbma=198.51.100.1'
    observe "nhrpd registers again and again" at_least 2 a '^nhrp-in type=3 .*rc=NHRP_OK'
    keep_capture a b
    router 'kill -9 $(cat /run/frr/nhrpd.pid)' >/dev/null || true
    observe "the registration of a router that is gone ends" \
        says a '^mapping-down .*prefix=10.0.0.1 '
    peer_stop a
    peer_stop b
}

network_begin
router_start <<'END'
. /mnt/here/router.sh
router_network
router_redirects
ip route add 192.168.2.0/24 via 10.0.0.2 dev gre1 onlink
ip route add 192.168.3.0/24 via 10.0.0.3 dev gre1 onlink
router_nhrpd "ip nhrp network-id 1" "ip nhrp holdtime 12" "ip nhrp redirect" "ip nhrp shortcut"
END
observe "the router is up" router true
ours_as_clients
router_as_client
echo "passed: $observed observations"
