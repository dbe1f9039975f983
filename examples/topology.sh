# SPDX-License-Identifier: Apache-2.0
# Sourced after namespaces.sh by the demo and its tests: the network of the walk.
#
#   ce1 -- spoke1-customer .. spoke1 --+         +-- spoke2 .. spoke2-customer -- ce2
#                                      +-- wan --+
#          hub-customer .... hub ------+
#
# "--" is a veth pair, ".." a program with a TUN device in the VRF's namespace. Each device has the
# name of what it belongs to, so that a capture tells the links apart.

transport_of() {
    case $1 in hub) echo 192.168.1.1 ;; spoke*) echo "192.168.1.1${1#spoke}" ;; esac
}

topology_make() {
    local name n
    ns wan hub spoke1 spoke2 hub-customer spoke1-customer spoke2-customer ce1 ce2
    ip -n "${prefix}wan" link add bridge0 type bridge mcast_snooping 0
    ip -n "${prefix}wan" link set bridge0 up
    for name in hub spoke1 spoke2; do
        ip -n "$prefix$name" link add "$name-wan" type veth peer name "$name" netns "${prefix}wan"
        ip -n "$prefix$name" addr add "$(transport_of "$name")/24" dev "$name-wan"
        ip -n "$prefix$name" link set "$name-wan" up
        ip -n "${prefix}wan" link set "$name" master bridge0 up
        in_ns "$name-customer" sysctl -qw net.ipv4.ip_forward=1
    done
    for n in 1 2; do
        ip -n "${prefix}ce$n" link add "ce$n-lan" type veth \
            peer name lan netns "${prefix}spoke$n-customer"
        ip -n "${prefix}spoke$n-customer" addr add "10.$n.$n.1/24" dev lan
        ip -n "${prefix}spoke$n-customer" link set lan up
        ip -n "${prefix}ce$n" addr add "10.$n.$n.10$n/24" dev "ce$n-lan"
        ip -n "${prefix}ce$n" link set "ce$n-lan" up
        ip -n "${prefix}ce$n" route add default via "10.$n.$n.1"
    done
    events=$dir/events
    touch "$events"
}

# The configuration with the namespaces of this run.
topology_config() { # NAME
    sed "s/^namespace = /&$prefix/" "$root/examples/configs/$1.conf" >"$dir/$1.conf"
}

event() { # PATTERN: an event that has been logged, as an extended regular expression
    grep -qE "$1" "$events"
}

ready() { # NAME COUNT: started so often
    [ "$(grep -c "node=$1 event=ready" "$events")" -ge "$2" ]
}

node_start() { # NAME [arguments...]; sets node_pid[NAME]
    local name=$1 program=spoke count
    shift
    [ "$name" != hub ] || program=hub
    [ -e "$dir/$name.conf" ] || topology_config "$name"
    count=$(grep -c "node=$name event=ready" "$events" || true)
    spawn "$name" "$programs/$program" --config "$dir/$name.conf" --log "$events" "$@"
    node_pid[$name]=$!
    until_true 10 ready "$name" $((count + 1))
}
declare -gA node_pid

# The spokes have the hub's summary and the hub has the spokes' prefixes.
routes_are_up() {
    event "node=spoke1 event=route_up .*source=bgp.*prefix=10\.0\.0\.0/8" &&
        event "node=spoke2 event=route_up .*source=bgp.*prefix=10\.0\.0\.0/8" &&
        event "node=hub event=route_up .*source=bgp.*prefix=10\.1\.1\.0/24" &&
        event "node=hub event=route_up .*source=bgp.*prefix=10\.2\.2\.0/24"
}

# Captures a link into $dir/DEVICE.pcapng; sets capture_pid[DEVICE].
capture_start() { # NAMESPACE DEVICE
    spawn "$1" dumpcap -q -i "$2" -w "$dir/$2.pcapng" >/dev/null 2>&1
    capture_pid[$2]=$!
    until_true 10 test -s "$dir/$2.pcapng"
}
declare -gA capture_pid

capture_all() {
    local name n
    for name in hub spoke1 spoke2; do capture_start "$name" "$name-wan"; done
    for n in 1 2; do capture_start "ce$n" "ce$n-lan"; done
}

# Ends the captures and merges them, when they have caught up with what was sent.
capture_merge() { # FILE
    local device before='' now round
    for round in 1 2 3 4 5 6 7 8 9 10; do
        now=$(stat -c %s "$dir"/*.pcapng)
        [ "$now" != "$before" ] || break
        before=$now
        sleep 1
    done
    for device in "${!capture_pid[@]}"; do
        kill -INT "${capture_pid[$device]}" 2>/dev/null || true
        wait "${capture_pid[$device]}" 2>/dev/null || true
        unset "capture_pid[$device]"
    done
    mergecap -w "$1" "$dir"/*.pcapng
}

# Bytes that a device has carried.
carried() { # NAMESPACE DEVICE
    in_ns "$1" cat "/sys/class/net/$2/statistics/rx_bytes" "/sys/class/net/$2/statistics/tx_bytes" |
        awk '{ sum += $1 } END { print sum }'
}
