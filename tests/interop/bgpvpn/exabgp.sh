# SPDX-License-Identifier: Apache-2.0
# ExaBGP: it has no RIB. What it received is a log in JSON, what it announces is what its process
# says.
binary=/usr/sbin/exabgp package=exabgp
cannot=([targets]="has nothing to ask with" [reflector]="no reflector")
# Where marks of a refresh were agreed on, 4.2.21 closes the connection when asked for one.
options=plain

start() { # client|six
    local address=10.8.0.4 reflector=10.8.0.1
    [ "$1" != six ] || address=2001:db8:8::4 reflector=2001:db8:8::1
    rm -f "$dir/orders"
    mkfifo "$dir/orders"
    : >"$dir/updates"
    chmod 666 "$dir/orders" "$dir/updates"
    cat >"$dir/process" <<END
#!/bin/sh
exec 3<&0
cat <&3 >>"$dir/updates" &
exec cat <>"$dir/orders"
END
    chmod 755 "$dir/process"
    cat >"$dir/exabgp.conf" <<END
process journal {
    run $dir/process;
    encoder json;
}
neighbor $reflector {
    local-address $address;
    router-id 10.8.0.4;
    local-as 65000;
    peer-as 65000;
    connect 1790;
    capability {
        route-refresh enable;
        $([ "$1" != graceful ] && [ "$1" != again ] || echo "graceful-restart 60;")
    }
    family { ipv4 mpls-vpn; ipv6 mpls-vpn; }
    api {
        processes [ journal ];
        receive { update; parsed; }
    }
}
END
    background daemon env exabgp.daemon.user=root exabgp.daemon.drop=false \
        exabgp.log.destination=stderr exabgp.api.cli=false exabgp.api.ack=false \
        "$binary" "$dir/exabgp.conf"
    daemon_pid=$pid
}
next_hop() { case $1 in *:*) echo 2001:db8:9::4 ;; *) echo 10.8.0.4 ;; esac; }
order() { echo "$*" >"$dir/orders"; }
originate() { # PREFIX LABEL; a route that only changes its label counts as the same
    order announce route "$1" rd 65000:4 next-hop "$(next_hop "$1")" label "$2" med "$2" \
        extended-community "[ target:65000:100 ]"
    echo "$2" >"$dir/label"
}
unoriginate() {
    order withdraw route "$1" rd 65000:4 next-hop "$(next_hop "$1")" label "$(cat "$dir/label")"
}
# The last word about the route.
last() { grep -F "\"$2\"" "$dir/updates" | grep -F "65000:$1\"" | tail -n 1; }
knows() {
    last "$1" "$2" | grep '"announce"' | grep 'target:65000:100' |
        grep -qE "\"$2\", \"label\": \[ \[$3\] \], \"rd\": \"65000:$1\""
}
lacks() { last "$1" "$2" | grep -q '"withdraw"'; }
ask_again() { order announce route-refresh ipv4 mpls-vpn; }
