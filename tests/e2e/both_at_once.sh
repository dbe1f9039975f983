#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# both_at_once.sh BUILD: both customers begin at once, both spokes want a tunnel to the other, and in
# the end one is in use: each direction has one SPI, and no ping is lost on the way there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
network "$1"
start_all

spawn ce1 ping -i 0.05 -c 300 -W 2 10.2.2.102 >"$dir/ping1.log" 2>&1
first=$!
spawn ce2 ping -i 0.05 -c 300 -W 2 10.1.1.101 >"$dir/ping2.log" 2>&1
second=$!
until_true 15 direct spoke1 10.2.2.0/24 || fail "no direct path from spoke1"
until_true 15 direct spoke2 10.1.1.0/24 || fail "no direct path from spoke2"
wait $first || fail "ping of ce1"
wait $second || fail "ping of ce2"
for n in 1 2; do
    grep -q '300 packets transmitted, 300 received, 0% packet loss' "$dir/ping$n.log" ||
        fail "a ping of ce$n was lost"
done

echo "15 s later one tunnel is in use"
capture_start spoke1 spoke1-wan
for n in 1 2; do
    in_ns ce$n ping -q -c 20 -i 0.05 -W 2 "10.$((3 - n)).$((3 - n)).10$((3 - n))" \
        >>"$dir/ping$n.log" || fail "ping of ce$n"
done
capture_merge "$dir/both.pcapng"
for pair in 192.168.1.11,192.168.1.12 192.168.1.12,192.168.1.11; do
    spis=$(frames "$dir/both.pcapng" "esp && ip.src == ${pair%,*} && ip.dst == ${pair#*,}" \
        -e esp.spi | sort | uniq -c)
    [ "$(wc -l <<<"$spis")" -eq 1 ] && [ -n "$spis" ] || fail "SPIs of $pair: $spis"
done
[ "$(count "$dir/both.pcapng" 'esp && ip.addr == 192.168.1.1 && frame.len > 150')" -le 4 ] ||
    fail "the hub still carries it"
echo "all is well"
