#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ipv6.sh LINUX_PEER UML_LAUNCH: our packets and the Linux kernel's over an IPv6 network: GRE with a
# key, then ESP around it as next header 50 and in UDP 4500. IPv4, IPv6 and MPLS inside, both ways.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
linux_peer=$1 uml_launch=$2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/network.sh"
need_tools
reason=$(guest_impossible)
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

pings() { router_shows ', 0% packet loss' "$1 -q -c $2 -i 0.05 -W 1 ${*:3}"; }
keymat() { printf "$1%.0s" $(seq 20); } # OCTET

works() { # CASE option...
    local case=$1
    shift
    peer_start a --nbma 2001:db8:ffff::2 --tunnel 10.0.0.2,2001:db8::2 \
        --peer 2001:db8:ffff::1,10.0.0.1 --route 2001:db8::1,2001:db8:ffff::1 \
        --red 172.16.5.0/24,200 --red-route 192.168.1.0/24,2001:db8:ffff::1,100 "$@"
    tell a ping 10.0.0.2 10.0.0.1 5 1200
    observe "$case: the kernel answers IPv4" at_least 5 a '^echo-reply vrf=0 from=10.0.0.1 '
    tell a ping 2001:db8::2 2001:db8::1 5 1200
    observe "  and IPv6" at_least 5 a '^echo-reply vrf=0 from=2001:db8::1 '
    tell a red-ping 172.16.5.1 192.168.1.1 5
    observe "  and labelled packets" at_least 5 a '^echo-reply vrf=1 from=192.168.1.1'
    observe "  we answer the kernel's" pings ping 5 -s 1200 10.0.0.2
    observe "  and IPv6" pings "ping -6" 5 -s 1200 2001:db8::2
    observe "  and labelled packets" pings "ip vrf exec red ping" 5 -I 192.168.1.1 172.16.5.9
    tell a show
    observe "  nothing was refused" says a '^counts .*unauthentic=0 replayed=0 cleartext=0 refused=0'
    peer_stop a
}

network_begin
router_start <<'END'
. /mnt/here/router.sh
router_network6
router_mpls
router_nat_port
ip route add 10.0.0.2/32 dev gre1
ip -6 route add 2001:db8::2/128 dev gre1
ip route add 172.16.5.0/24 vrf red encap mpls 200 via inet 10.0.0.2 dev gre1 onlink
END
works "GRE over IPv6"
for carriage in raw udp; do
    router ". /mnt/here/router.sh; nbma=2001:db8:ffff::1
        router_esp 2001:db8:ffff::2 $carriage gcm128 $(keymat 11) $(keymat 22) replay-window 32"
    works "in ESP, $carriage" --esp "$carriage,gcm128,0x2001,$(keymat 22),0x1001,$(keymat 11)"
done
echo "passed: $observed observations"
