# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh and uml.sh: the NBMA network 198.51.100.0/24 and 2001:db8:ffff::/64, a bridge
# in a namespace of its own, with the guest "router" at 1 and our peers a at 2 and b at 3.

network_begin() {
    local number=2 name
    guests_begin
    ns wan a b
    ip -n "${prefix}wan" link add br0 type bridge
    ip -n "${prefix}wan" addr add 198.51.100.254/24 dev br0
    ip -n "${prefix}wan" link set br0 up
    for name in a b; do
        ip -n "${prefix}wan" link add "p-$name" type veth peer name w0 netns "$prefix$name"
        ip -n "${prefix}wan" link set "p-$name" master br0 up
        ip -n "$prefix$name" addr add 198.51.100.$number/24 dev w0
        ip -n "$prefix$name" addr add 2001:db8:ffff::$number/64 dev w0 nodad
        ip -n "$prefix$name" link set w0 up
        number=$((number + 1))
    done
}

router_start() { # the guest's setup on standard input
    guest_start router wan br0 198.51.100.1
}
router() { guest router "$@"; }
router_shows() { guest_shows router "$@"; } # PATTERN shell...
