#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh LINUX_PEER GRE_DEVICE FOUR_OCTETS: libnhrp and FRR's nhrpd, each as client and as server of
# the other, on this kernel.
#
#      hub 198.51.100.1, 10.0.0.1
#            |            |
#      a .2, 10.0.0.2   b .3, 10.0.0.3, and 192.168.3.0/24 behind it
#
# With CAPTURE naming a file, the NHRP packets that our peers got are added to it: tests/nhrp/vectors
# has some.
set -euo pipefail
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 240 "$0" "$@"
linux_peer=$1 gre_device=$2 four_octets=$3
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../linux/lib.sh"
. "$here/nhrpd.sh"
need_tools vtysh ping
reason=$(nhrpd_impossible)
[ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }

namespaces_begin
ns wan hub a b
ip -n "${prefix}wan" link add br0 type bridge
ip -n "${prefix}wan" link set br0 up
number=1
for name in hub a b; do
    ip -n "${prefix}wan" link add "p-$name" type veth peer name w0 netns "$prefix$name"
    ip -n "${prefix}wan" link set "p-$name" master br0 up
    ip -n "$prefix$name" addr add 198.51.100.$number/24 dev w0
    # Any new address of the device below, such as IPv6's own, makes nhrpd forget all that it knows.
    in_ns "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
        net.ipv6.conf.w0.disable_ipv6=1
    ip -n "$prefix$name" link set w0 up
    number=$((number + 1))
done

# ---- nhrpd is the server; a and b are ours. ----

ours_as_clients() {
    nhrpd_start hub w0 198.51.100.1 10.0.0.1 "ip nhrp shortcut" "ip nhrp redirect"
    ip -n "${prefix}hub" addr add 192.168.1.1/24 dev lo
    ip -n "${prefix}hub" route add 192.168.3.0/24 via 10.0.0.3 dev gre1 onlink
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1 --holding 6 \
        --route 10.0.0.0/24,198.51.100.1 --route 192.168.0.0/16,198.51.100.1 --hex
    observe "we register with nhrpd" says a '^registered link=1'
    observe "nhrpd keeps our address and where it is" \
        nhrpd_shows hub cache '10\.0\.0\.2 .*198\.51\.100\.2 '
    peer_start b --nbma 198.51.100.3 --tunnel 10.0.0.3 --nhs 198.51.100.1 --unique \
        --route 10.0.0.0/24,198.51.100.1 --local 192.168.3.0/24 --hex
    observe "we register, uniquely, with an nhrpd whose tunnel address we do not know" \
        says b '^registered link=1'
    observe "nhrpd has both of us" nhrpd_shows hub cache '10\.0\.0\.3 .*198\.51\.100\.3 '

    tell a resolve 10.0.0.3
    observe "nhrpd passes our request on to the other client, and its reply back to us" \
        says a '^mapping-up kind=resolved prefix=10.0.0.3 nbma=198.51.100.3'
    tell a resolve 192.168.3.7
    observe "a network behind the other client comes as its prefix" \
        says a '^mapping-up kind=resolved prefix=192.168.3.0/24 nbma=198.51.100.3'
    tell a resolve 192.168.1.7
    observe "nhrpd answers for its own network itself" \
        says a '^mapping-up kind=resolved prefix=192.168.1.0/24 nbma=198.51.100.1'

    mark a b
    tell b withdraw 192.168.3.0/24
    observe "nhrpd passes our purge on" says a '^nhrp-in type=5 peer=198.51.100.1 rc=NHRP_OK'
    observe "and its acknowledgement back" says b '^nhrp-in type=6 peer=198.51.100.1 rc=NHRP_OK'
    tell a ping 10.0.0.2 192.168.3.7
    observe "an echo request goes the short way" says a '^echo-reply vrf=0 from=192.168.3.7'
    observe "a purge that came by the hub did not end what goes another way" \
        not says a '^mapping-down'
    tell a forget
    tell a resolve 192.168.3.7
    observe "what was purged is resolved again" \
        at_least 1 a '^mapping-up kind=resolved prefix=192.168.3.0/24'
    tell b withdraw 192.168.3.0/24
    observe "a purge that comes by the short way ends it" \
        says a '^mapping-down .*prefix=192.168.3.0/24'

    # A Resolution Request for 10.0.0.3 with two CIEs, where RFC 2332 5.2.1 has one.
    local bad=000108000000000000ff005048530040010104000404c800deadbeefc63364020a0000020a000003
    bad+=00200000000000780000000000200000000000780000000080030000800400008005000080000000
    tell a inject 198.51.100.1 $bad
    observe "nhrpd passes an Error Indication on" \
        says a '^nhrp-in type=7 peer=198.51.100.1 rc=NHRP_ERR_UNSOLICITED'
    mark a b
    # The same with one CIE and an extension of type 8224, compulsory.
    bad=000108000000000000ff004ca4cf0034010104000404c800deadbef0c63364020a0000020a000003
    bad+=002000000000007800000000800300008004000080050000a02000040102030480000000
    tell a inject 198.51.100.1 $bad
    observe "nhrpd does not pass on what has an unknown compulsory extension" \
        nhrpd_logs hub 'FWD-FAIL Resolution-Request'
    observe "and says nothing of it" not says b '^nhrp-in type=1'
    mark a
    observe "we register again before the holding time ends" \
        at_least 3 a '^nhrp-in type=4 peer=198.51.100.1 rc=NHRP_OK'
    observe "and nhrpd keeps us" nhrpd_shows hub cache '10\.0\.0\.2 .*198\.51\.100\.2 '
    keep_capture a b
    peer_stop a
    observe "nhrpd forgets us when we have gone" shows_no '10\.0\.0\.2 ' nhrpd_show hub cache
    peer_start a --nbma 198.51.100.2 --tunnel 10.0.0.2 --nhs 198.51.100.1,10.0.0.1 \
        --password "sesame"
    observe "nhrpd returns our password as it came, so that we register" \
        says a '^registered link=1'
    peer_stop a
    peer_stop b
    nhrpd_stop hub
}

# ---- We are the server; a and b are nhrpd. ----

nhrpd_as_clients() {
    peer_start hub --nbma 198.51.100.1 --tunnel 10.0.0.1 --server --hex \
        --route 192.168.3.0/24,198.51.100.3
    nhrpd_start a w0 198.51.100.2 10.0.0.2 "ip nhrp shortcut" "ip nhrp registration no-unique" \
        "ip nhrp nhs 10.0.0.1 nbma 198.51.100.1"
    nhrpd_start b w0 198.51.100.3 10.0.0.3 "ip nhrp shortcut" \
        "ip nhrp nhs dynamic nbma 198.51.100.1"
    ip -n "${prefix}a" route add 10.0.0.0/24 via 10.0.0.1 dev gre1 onlink
    ip -n "${prefix}a" route add 192.168.0.0/16 via 10.0.0.1 dev gre1 onlink
    ip -n "${prefix}b" route add 10.0.0.0/24 via 10.0.0.1 dev gre1 onlink
    ip -n "${prefix}b" addr add 192.168.3.1/24 dev lo
    observe "nhrpd registers with us" \
        says hub '^mapping-up kind=registered prefix=10.0.0.2 nbma=198.51.100.2 .*holding=6 flags=2 '
    observe "nhrpd without our tunnel address registers too, uniquely" \
        says hub '^mapping-up kind=registered prefix=10.0.0.3 nbma=198.51.100.3 .*holding=6 flags=3 '
    observe "nhrpd takes us for its server" nhrpd_shows a cache 'nhs .*10\.0\.0\.1 .*198\.51\.100\.1 '
    observe "and learns our tunnel address from the reply" \
        nhrpd_shows b cache 'nhs .*10\.0\.0\.1 .*198\.51\.100\.1 '

    observe "packets between the two go through us" \
        in_ns a ping -q -c 1 -W 1 -I 10.0.0.2 10.0.0.3
    observe "we tell nhrpd of the shorter way" says hub '^redirect peer=198.51.100.2'
    observe "nhrpd asks us for it" \
        says hub '^nhrp-in type=1 peer=198.51.100.2 rc=NHRP_OK'
    observe "and believes what we answer out of the registration" \
        nhrpd_shows a shortcut 'dynamic +10\.0\.0\.3/32 +10\.0\.0\.3'
    observe "packets to the network behind b go through us" \
        in_ns a ping -q -c 1 -W 1 -I 10.0.0.2 192.168.3.1
    observe "we pass nhrpd's request on, and the reply back: nhrpd has the prefix" \
        nhrpd_shows a shortcut 'dynamic +192\.168\.3\.0/24 +10\.0\.0\.3'
    mark hub
    in_ns a ping -q -c 3 -i 0.2 -W 1 -I 10.0.0.2 192.168.3.1 >/dev/null ||
        fail "the shortcut leads nowhere"
    observe "packets no longer come our way" not says hub '^packet|^redirect'
    tell hub withdraw 10.0.0.3
    observe "we purge what we told" says hub '^nhrp-out type=5 peer=198.51.100.2'
    observe "nhrpd keeps it" nhrpd_shows a shortcut 'dynamic +10\.0\.0\.3/32'
    observe "nhrpd registers again and again" at_least 3 hub '^nhrp-in type=3 .*rc=NHRP_OK'
    observe "and has not acknowledged the purge" not says hub '^nhrp-in type=6'
    keep_capture hub
    mark hub
    nhrpd_stop a
    observe "a registration ends with its holding time" \
        says hub '^mapping-down .*prefix=10.0.0.2 '
    peer_stop hub
    peer_start hub --nbma 198.51.100.1 --tunnel 10.0.0.1 --server --password "sesame"
    observe "we refuse nhrpd, which has no authentication, where we ask for it" \
        says hub '^nhrp-in type=3 .*rc=NHRP_ERR_AUTHENTICATION'
    observe "nhrpd hears why" nhrpd_logs b 'Error.Indication'
    peer_stop hub
    nhrpd_stop b
}

ours_as_clients
nhrpd_as_clients
echo "passed: $observed observations"
