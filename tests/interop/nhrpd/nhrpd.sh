# SPDX-License-Identifier: Apache-2.0
# Sourced. FRR's zebra and nhrpd on this kernel, with a GRE device in user space (gre_device.c): a
# quick peer for NHRP, and for IPv4 in GRE. It has neither MPLS nor ESP.

nhrpd_impossible() {
    [ -x /usr/lib/frr/nhrpd ] || { echo "needs package frr"; return; }
    getent passwd frr >/dev/null || echo "needs the user of package frr"
}

# Starts the device and both daemons in a namespace whose NBMA address is set already. Further
# arguments are lines of the interface's configuration.
nhrpd_start() { # NAMESPACE UNDERLAY NBMA TUNNEL line...
    local name=$1 underlay=$2 nbma=$3 tunnel=$4 state=$dir/$1.frr daemon load
    shift 4
    mkdir "$state"
    chmod 711 "$dir"
    chown frr:frr "$state"
    spawn "$name" "$gre_device" gre1 "$nbma" 42 >"$dir/$name.device.log" 2>&1
    nhrpd_pid[$name]=$!
    until_true 5 grep -q ready "$dir/$name.device.log" || fail "no GRE device in $name"
    ip -n "$prefix$name" link set gre1 address "$(printf '%02x:%02x:%02x:%02x' ${nbma//./ })"
    ip -n "$prefix$name" addr add "$tunnel/32" dev gre1
    ip -n "$prefix$name" link set gre1 mtu 1400 up
    {
        printf '%s\n' "log file $state/frr.log debugging" "debug nhrp all" "interface gre1" \
            " tunnel source $underlay" " ip nhrp network-id 1" " ip nhrp holdtime 6"
        printf ' %s\n' "$@"
        echo exit
    } >"$state/frr.conf"
    chown frr:frr "$state/frr.conf"
    for daemon in zebra nhrpd; do
        load=()
        [ $daemon = zebra ] || load=(env LD_PRELOAD="$four_octets")
        spawn "$name" "${load[@]}" /usr/lib/frr/$daemon -f "$state/frr.conf" \
            -i "$state/$daemon.pid" -z "$state/zserv.api" --vty_socket "$state" \
            -A 127.0.0.1 -P 0 >"$dir/$name.$daemon.log" 2>&1
        nhrpd_pid[$name]+=" $!"
        until_true 10 test -S "$state/$daemon.vty" || fail "$daemon does not start in $name"
    done
}
declare -A nhrpd_pid

nhrpd_stop() { # NAMESPACE
    local pid
    {
        for pid in ${nhrpd_pid[$1]}; do
            kill -9 "$pid"
            wait "$pid" || true
        done
    } 2>/dev/null
    rm -rf "$dir/$1.frr"
}

# What nhrpd shows, or a line of its log.
nhrpd_show() { vtysh --vty_socket "$dir/$1.frr" -d nhrpd -c "show ip nhrp $2" 2>&1; } # NAME WHAT
nhrpd_shows() { shows "$3" nhrpd_show "$1" "$2"; }                      # NAME WHAT PATTERN
nhrpd_logs() { grep -E "$2" "$dir/$1.frr/frr.log" >/dev/null; }         # NAME PATTERN
