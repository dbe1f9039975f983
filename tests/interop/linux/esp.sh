#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# esp.sh LINUX_PEER UML_LAUNCH: libesp and the Linux kernel's ESP, with static SAs in transport mode
# around GRE: as protocol 50 and in UDP 4500, each algorithm. NHRP, IPv4 and MPLS inside, both ways;
# wrong keys, replays and cleartext as controls.
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

# Key material of so many octets, in hex, out of one octet.
keymat() { printf "$1%.0s" $(seq "$2"); } # OCTET COUNT
key_len() { [ "$1" = gcm128 ] && echo 20 || echo 36; }

esp_start() { # raw|udp ALGORITHM KEY_IN KEY_OUT esn-or-nothing
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1 --holding 30 \
        --red 172.16.5.0/24,200 --red-route 192.168.1.0/24,198.51.100.1,100 \
        --esp "$1,$2,0x2001,$3,0x1001,$4${5:+,$5}"
}
# Shows what the kernel counted of the SA for our packets.
our_sa="ip -s xfrm state get src 198.51.100.2 dst 198.51.100.1 proto esp spi 0x1001"

works() { # raw|udp ALGORITHM [esn]
    local len in out opened option=
    len=$(key_len "$2")
    in=$(keymat 11 "$len") out=$(keymat 22 "$len")
    [ -z "${3:-}" ] || option="flag esn replay-window 64"
    router ". /mnt/here/router.sh; router_esp 198.51.100.2 $1 $2 $in $out ${option:-replay-window 32}"
    esp_start "$1" "$2" "$out" "$in" "${3:-}"
    observe "$1 $2${3:+ with $3}: nhrpd registers us through the kernel's ESP" says a '^registered'
    tell a ping 10.0.0.2 10.0.0.1 5 1300
    observe "  the kernel opens ours and seals its answers" \
        at_least 5 a '^echo-reply vrf=0 from=10.0.0.1 .*bytes=1300'
    tell a red-ping 172.16.5.1 192.168.1.1 5
    observe "  also of labelled packets" at_least 5 a '^echo-reply vrf=1 from=192.168.1.1'
    observe "  we open the kernel's and seal our answers" pings ping 5 -s 1300 10.0.0.2
    observe "  also of labelled packets" pings "ip vrf exec red ping" 5 -I 192.168.1.1 172.16.5.9
}

# After works: the SAs are in use.
replays_are_dropped() {
    tell a show
    observe "  nothing was refused" says a '^counts .*unauthentic=0 replayed=0 cleartext=0 refused=0'
    tell a ping 10.0.0.2 10.0.0.1
    tell a replay
    tell a replay
    observe "  the kernel drops our packet when it comes again" \
        router_shows 'replay 2 failed 0' "$our_sa"
    tell a replay-in
    observe "  and we the kernel's" says a '^refused by=libesp reason=ESP_ERR_REPLAY'
}

wrong_keys_are_dropped() {
    local good bad
    good=$(keymat 11 20) bad=$(keymat 33 20)
    router ". /mnt/here/router.sh; router_esp 198.51.100.2 raw gcm128 $good $bad replay-window 32"
    esp_start raw gcm128 "$(keymat 22 20)" "$good"
    observe "raw gcm128, the kernel's key another: we drop its packets" \
        says a '^refused by=libesp reason=ESP_ERR_AUTH'
    observe "  and answer none" lost ping 10.0.0.2
    peer_stop a
    router ". /mnt/here/router.sh; router_esp 198.51.100.2 raw gcm128 $bad $good replay-window 32"
    esp_start raw gcm128 "$good" "$(keymat 22 20)"
    tell a ping 10.0.0.2 10.0.0.1 3
    observe "raw gcm128, our key another: the kernel drops our packets" router_shows 'failed [1-9]' \
        "$our_sa"
    observe "  and answers none" not says a '^echo-reply|^registered'
    peer_stop a
}

cleartext_is_dropped() {
    local in out
    in=$(keymat 11 20) out=$(keymat 22 20)
    router ". /mnt/here/router.sh; router_esp 198.51.100.2 raw gcm128 $in $out"
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1
    tell a ping 10.0.0.2 10.0.0.1 3
    sleep 1
    observe "the kernel answers no cleartext of ours" not says a '^echo-reply|^registered|^nhrp-in'
    peer_stop a
    router "ip xfrm policy flush; ip neigh replace 10.0.0.2 lladdr 198.51.100.2 dev gre1 nud permanent
        ip route replace 10.0.0.2/32 dev gre1"
    esp_start raw gcm128 "$out" "$in"
    observe "we answer no cleartext of the kernel's" lost ping 10.0.0.2
    observe "  and say why" says a '^refused by=policy reason=cleartext'
    peer_stop a
}

network_begin
router_start <<'END'
. /mnt/here/router.sh
router_network
router_mpls
ip route add 172.16.5.0/24 vrf red encap mpls 200 via inet 10.0.0.2 dev gre1 onlink
router_nat_port
router_nhrpd "ip nhrp network-id 1" "ip nhrp holdtime 30"
END
for case in "raw gcm128" "udp gcm128" "raw chacha20" "udp gcm256" "raw gcm256 esn"; do
    works $case
    replays_are_dropped
    peer_stop a
done
wrong_keys_are_dropped
cleartext_is_dropped
echo "passed: $observed observations"
