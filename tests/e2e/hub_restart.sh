#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hub_restart.sh BUILD: while the hub is dead the direct path loses nothing; when it is back the
# spokes find it again by themselves, with their routes.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
network "$1"
for name in hub spoke1 spoke2; do
    topology_config $name
    sed -i '/^as = /i dpd-s = 3' "$dir/$name.conf"
done
start_all
in_ns ce1 ping -q -c 20 -i 0.05 -W 2 10.2.2.102 >"$dir/ping.log" || fail "the first pings"
until_true 15 direct spoke1 10.2.2.0/24 || fail "no direct path from spoke1"
until_true 15 direct spoke2 10.1.1.0/24 || fail "no direct path from spoke2"

echo "the hub is killed: the direct path loses nothing, until after it was found dead and back"
node_kill hub
spawn ce1 ping -i 0.05 -c 1800 -W 2 10.2.2.102 >"$dir/ping.log" 2>&1
ping=$!
sleep 2
since=$(($(wc -l <"$events") + 1))
node_start hub || fail "the hub did not start"

again() {
    shows "node=hub event=route_up .*prefix=10\.1\.1\.0/24" tail -n +"$since" "$events" &&
        shows "node=hub event=route_up .*prefix=10\.2\.2\.0/24" tail -n +"$since" "$events" &&
        shows "node=spoke1 event=bgp_up" tail -n +"$since" "$events" &&
        shows "node=spoke2 event=bgp_up" tail -n +"$since" "$events"
}
until_true 110 again || fail "the spokes do not find it"
wait $ping || fail "the direct path"
grep -q '1800 packets transmitted, 1800 received, 0% packet loss' "$dir/ping.log" ||
    fail "a ping was lost: $(grep transmitted "$dir/ping.log")"
echo "all is well"
