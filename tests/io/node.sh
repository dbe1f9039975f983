#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# node.sh NODE [raw] [ipv6] [front-door]: two nodes whose router only carries packets, in namespaces,
# by UDP 4500 or raw protocol 50, over IPv4 or IPv6, with the transport in their own namespace or in
# another. What is tested is all the rest: TUN devices in their namespaces, UDP and raw sockets, TCP
# streams with back-pressure, timers, the log, the key log and the end by a signal.
set -euo pipefail
node=$1
shift
raw=
net=192.0.2.
front=
for option in "$@"; do
    case $option in
    raw) raw=1 ;;
    ipv6) net=2001:db8:: ;;
    front-door) front=-door ;;
    esac
done
. "$(dirname "$0")/../e2e/lib.sh"

need_tools ping ss
namespaces_begin
ns a b a-red b-red
[ -z "$front" ] || ns a-door b-door
ip -n "${prefix}a$front" link add w type veth peer name w netns "${prefix}b$front"
for n in a b; do
    i=1; [ $n = a ] || i=2
    len=24; [ "$net" = 192.0.2. ] || len="64 nodad"
    # shellcheck disable=SC2086
    ip -n "$prefix$n$front" addr add "$net"$i/$len dev w
    ip -n "$prefix$n$front" link set w up
    o=$((3 - i))
    {
        echo "name = $n"
        echo "identity = $n.example.net"
        echo "underlay = $net$i"
        echo "tunnel = 172.16.1.$i"
        echo "tunnel-network = 172.16.1.0/24"
        echo "as = 65000"
        if [ $n = a ]; then echo "bgp-neighbor = 172.16.1.2"; else echo "bgp-listen = 172.16.1.0/24"; fi
        [ -z "$raw" ] || echo "force-encapsulation = no"
        [ -z "$front" ] || echo "front-door = $prefix$n$front"
        echo "[vrf RED]"
        echo "id = 7"
        echo "rd = 65000:7"
        echo "import = 65000:7"
        echo "export = 65000:7"
        echo "namespace = ${prefix}$n-red"
        echo "device = red0"
        echo "address = 10.9.9.$i"
        echo "route = 10.9.9.$o/32"
        echo "[peer other.example.net]"
        echo "address = $net$o"
        echo "local-key = k"
        echo "remote-key = k"
        echo "authorized = 172.16.1.$o/32"
    } >"$dir/$n.conf"
done

start() { # NAME extra arguments...
    local name=$1
    shift
    spawn "$name" "$node" --config "$dir/$name.conf" --log "$dir/node.log" "$@"
    started=$!
    until_true 5 grep -q "node=$name event=ready" "$dir/node.log" || fail "$name did not start"
}
touch "$dir/node.log"
start b
start a --keylog "$dir/keys"

echo "the TUN of a VRF is in its namespace, with MTU, address and route"
shows 'UP.* mtu 1400 ' in_ns a-red ip -o link show red0 || fail "red0"
shows '10\.9\.9\.1/32' in_ns a-red ip -o -4 addr show red0 || fail "its address"
shows '^10\.9\.9\.2 dev red0.*src 10\.9\.9\.1' in_ns a-red ip route || fail "its route"
[ -z "$(in_ns a-red ip -o -6 addr show red0)" ] || fail "it has an address of its own"
echo "the global one is in the program's own"
shows '^172\.16\.1\.0/24 dev labelmesh0.*src 172\.16\.1\.1' in_ns a ip route || fail "labelmesh0"

echo "packets pass from TUN to TUN, of each VRF, none lost"
in_ns a-red ping -q -c 50 -i 0.002 10.9.9.2 >"$dir/ping.log" || fail "ping in the VRF"
in_ns a ping -q -c 50 -i 0.002 172.16.1.2 >>"$dir/ping.log" || fail "ping in the global table"
in_ns a-red ping -q -s 9000 -c 3 -i 0.01 10.9.9.2 >>"$dir/ping.log" || fail "ping in fragments"
if in_ns a-red ping -q -c 1 -W 1 172.16.1.2 >/dev/null 2>&1; then fail "the VRF reaches the global table"; fi

echo "a stream carries a mebibyte each way, with back-pressure, and is closed"
until_true 20 grep -q "node=a event=bgp_down" "$dir/node.log" || fail "the stream"
grep -q "node=a event=stream_close" "$dir/node.log" || fail "its close"
shows '172\.16\.1\.2:179' in_ns b ss -tln || fail "the listener"

echo "keys are written only where asked for, for the owner only"
[ "$(stat -c %a "$dir/keys/wireshark/esp_sa")" = 600 ] || fail "mode of esp_sa"
[ "$(cat "$dir/keys/wireshark/ikev2_decryption_table")" = "ike line" ] || fail "ike keys"

echo "each line of the log is whole"
if grep -vqE '^ts=[0-9]+\.[0-9]{3} node=[ab] event=[a-z_]+( |$)' "$dir/node.log"; then fail "log"; fi

echo "a TUN device that is removed is missed, and nothing else stops"
ip -n "${prefix}b-red" link del red0
until_true 5 grep -q 'node=b event=failed why="the TUN device of VRF 7 has gone"' "$dir/node.log" ||
    fail "no word of it"
in_ns a ping -q -c 5 -i 0.01 -W 2 172.16.1.2 >>"$dir/ping.log" || fail "the other TUN"

echo "SIGTERM ends a node, and its devices with it"
kill -TERM "$started"
wait "$started" || fail "exit status $?"
grep -q "node=a event=stopping signal=15" "$dir/node.log" || fail "no word of it"
if in_ns a-red ip link show red0 >/dev/null 2>&1; then fail "red0 is still there"; fi

echo "what cannot be opened is named"
sed -i "s/^underlay = .*/underlay = ${net}77/" "$dir/a.conf"
if in_ns a "$node" --config "$dir/a.conf" 2>"$dir/problem.log"; then fail "it started"; fi
grep -q "event=failed why=\"UDP port 500 on ${net}77: Cannot assign requested address\"" \
    "$dir/problem.log" || fail "the message"
sed -i "s/^namespace = .*/namespace = nowhere-at-all/" "$dir/a.conf"
if in_ns a "$node" --config "$dir/a.conf" 2>"$dir/problem.log"; then fail "it started"; fi
grep -q 'TUN red0 in nowhere-at-all: enter the network namespace: No such file' \
    "$dir/problem.log" || fail "the message"
echo "all is well"
