#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# restart.sh BUILD [stopped]: a spoke that is killed and started again is reached again, by the hub
# and then directly, although nobody was told that it went. The other spoke finds that out by itself:
# after dpd-s of silence it asks seven times, in 63 s. One that is stopped tells its peers, and is
# reached by the hub as soon as it is back.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
how=${2:-killed}
network "$1"
for name in hub spoke1 spoke2; do
    topology_config $name
    sed -i '/^as = /i dpd-s = 3' "$dir/$name.conf"
done
start_all

reached() {
    in_ns ce1 ping -q -c 1 -W 1 10.2.2.102 >/dev/null 2>&1
}

# What was logged since a line is what counts now.
event_since() { # LINE PATTERN
    shows "$2" tail -n +"$1" "$events"
}

spawn ce1 ping -i 0.1 10.2.2.102 >"$dir/ping.log" 2>&1
until_true 15 direct spoke1 10.2.2.0/24 || fail "no direct path"

echo "spoke2 is $how"
patience=100
if [ "$how" = killed ]; then
    node_kill spoke2
else
    patience=10
    kill -TERM "${node_pid[spoke2]}"
    wait "${node_pid[spoke2]}" || fail "status $?"
fi
if reached; then fail "who answers?"; fi

echo "and started again: it is reached"
since=$(($(wc -l <"$events") + 1))
node_start spoke2 || fail "spoke2 did not start"
until_true $patience reached || fail "it is not reached"

echo "and directly, with new keys"
until_true 60 event_since "$since" \
    "node=spoke1 event=route_up .*source=nhrp.*prefix=10\.2\.2\.0/24" || fail "no direct path"
until_true 10 event_since "$since" \
    "node=spoke2 event=first_packet .*direction=from_tunnel.*remote=10\.1\.1\.101" ||
    fail "no packet"
in_ns ce1 ping -q -c 40 -i 0.02 -W 2 10.2.2.102 >"$dir/after.log" || fail "pings are lost"
echo "all is well"
