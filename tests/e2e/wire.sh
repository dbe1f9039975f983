#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# wire.sh BUILD [raw] [ipv6]: what customers send by UDP and TCP, through the hub and directly, whole
# and in fragments, arrives, and cannot be read on any transport link. ESP is in UDP 4500 or raw, over
# IPv4 or IPv6.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
network "$1" python3
shift
esp='udp.port == 4500 && esp'
for name in hub spoke1 spoke2; do topology_config $name; done
for option in "$@"; do
    case $option in
    raw)
        esp='(ip.proto == 50 || ipv6.nxt == 50) && !udp'
        sed -i '/^as = /i force-encapsulation = no' "$dir"/*.conf
        ;;
    ipv6)
        for name in hub spoke1 spoke2; do
            address=$(transport_of $name)
            ip -n "$prefix$name" addr add "2001:db8::${address##*.}/64" dev $name-wan nodad
        done
        sed -i 's/192\.168\.1\./2001:db8::/' "$dir"/*.conf
        ;;
    esac
done
capture_all
start_all

cat >"$dir/server.py" <<'END'
import socket, sys, threading
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.2.2.102", 7000))
    while True:
        data, peer = s.recvfrom(65535)
        s.sendto(data, peer)
threading.Thread(target=udp, daemon=True).start()
s = socket.create_server(("10.2.2.102", 7000))
open(sys.argv[1], "w").close()
while True:
    c, _ = s.accept()
    while data := c.recv(65536):
        c.sendall(data)
    c.close()
END
cat >"$dir/client.py" <<'END'
import socket, sys
phase = sys.argv[1]
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(5)
u.connect(("10.2.2.102", 7000))
for size in (1, 1300, 4000):
    data = f"UDP marker {phase} ".encode() * (size // 20 + 1)
    u.send(data)
    assert u.recv(65535) == data, size
t = socket.create_connection(("10.2.2.102", 7000), timeout=10)
data = f"TCP marker {phase} ".encode() * 5000
t.sendall(data)
got = b""
while len(got) < len(data):
    part = t.recv(65536)
    assert part
    got += part
assert got == data
END
spawn ce2 python3 "$dir/server.py" "$dir/listening"
until_true 10 test -e "$dir/listening" || fail "no server"

echo "by the hub at first, and directly then"
in_ns ce1 python3 "$dir/client.py" first >"$dir/first.log" 2>&1 || fail "the first exchange"
until_true 15 direct spoke1 10.2.2.0/24 || fail "no direct path"
in_ns ce1 python3 "$dir/client.py" second >"$dir/second.log" 2>&1 || fail "the second exchange"

echo "nothing of it can be read on a transport link"
capture_merge "$dir/wire.pcapng"
check_wire "$dir/wire.pcapng" "UDP marker first" "TCP marker first" "UDP marker second" \
    "TCP marker second"
family=ip
[[ " $* " != *" ipv6 "* ]] || family=ipv6
[ "$(count "$dir/wire.pcapng" "$on_transport && $esp && $family")" -gt 20 ] || fail "not as asked"
[ "$(count "$dir/wire.pcapng" "$on_transport && (esp || udpencap) && !($esp && $family) &&
    !isakmp && !udpencap.nat_keepalive")" -eq 0 ] || fail "not only as asked"
echo "all is well"
