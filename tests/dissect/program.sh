#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# program.sh DISSECT: options, standard input, filters, and files that are none.
set -eu
dissect=$1
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
fail() { echo "$1"; exit 1; }
status() { # EXPECTED ARGUMENT...
    expected=$1
    shift
    code=0
    "$dissect" "$@" >"$out/stdout" 2>"$out/stderr" || code=$?
    [ "$code" -eq "$expected" ] || fail "status $code, not $expected: $*"
}
lines() { wc -l <"$out/stdout"; }

status 0 --help
grep -q '^usage: dissect' "$out/stdout" || fail "no usage"
status 2
status 2 --no-such-option x "$here/golden/bgp.pcap"
status 2 --port-bgp 0 "$here/golden/bgp.pcap"
status 2 --port-bgp 65536 "$here/golden/bgp.pcap"
status 2 --label-oui 1000000 "$here/golden/bgp.pcap"
status 2 "$here/golden/bgp.pcap" "$here/golden/esp.pcap"
status 1 "$out/no-such-file"
status 1 "$here/program.sh"
grep -q 'unknown file format' "$out/stderr" || fail "no reason: $(cat "$out/stderr")"

# Standard input, and a filter, which leaves the numbers as they are.
"$dissect" - <"$here/golden/ethernet.pcap" >"$out/piped"
cmp "$out/piped" "$here/golden/ethernet.txt" || fail "standard input differs"
status 0 --filter 'icmp6' "$here/golden/ethernet.pcap"
[ "$(lines)" -eq 2 ] || fail "filter: $(lines) lines"
grep -q '^4 ' "$out/stdout" || fail "the number of a frame"
status 1 --filter 'no such filter' "$here/golden/ethernet.pcap"

# Key files: each by its option, both by their folder, and complaints about what they are not.
keys=$here/golden/keys/wireshark
status 0 --esp-sa "$keys/esp_sa" "$here/golden/esp.pcap"
grep -q 'mpls 100' "$out/stdout" || fail "--esp-sa"
status 0 --keys "$keys/ikev2_decryption_table" "$here/golden/ikev2.pcap"
grep -q 'SET_WINDOW_SIZE' "$out/stdout" || fail "--keys FILE"
status 0 --keys "$keys" --json "$here/golden/ikev2.pcap"
status 1 --keys "$out" "$here/golden/ikev2.pcap"
status 1 --keys "$here/program.sh" "$here/golden/ikev2.pcap"
status 1 --ikev2-table "$out/none" "$here/golden/ikev2.pcap"
echo 'not a key' >"$out/esp_sa"
status 0 --keys "$out/esp_sa" "$here/golden/esp.pcap"
grep -q 'esp_sa:1: ' "$out/stderr" || fail "a bad line is not told"

# A file that ends in the middle of a packet: what there is of it, then the reason.
head -c 240 "$here/golden/bgp.pcap" >"$out/short.pcap"
status 1 "$out/short.pcap"
[ "$(lines)" -eq 2 ] || fail "a short file: $(lines) lines"
grep -q 'truncated dump file' "$out/stderr" || fail "no reason: $(cat "$out/stderr")"

# BGP on another port; without the option it is a stream of something.
sed 's/\x9c\x40\x00\xb3/\x9c\x40\x07\xd0/g' "$here/golden/bgp.pcap" >"$out/port.pcap"
status 0 --port-bgp 2000 "$out/port.pcap"
grep -q '> 2000 .*bgp OPEN' "$out/stdout" || fail "--port-bgp"
status 0 "$out/port.pcap"
! grep -q '> 2000 .*bgp OPEN' "$out/stdout" || fail "BGP on any port"

# Interfaces of several kinds in one file, which libpcap does not take; each with its filter.
if ! command -v mergecap >/dev/null; then
    echo "skipped: needs mergecap; all but files of several kinds of link is as it should be"
    exit 77
fi
mergecap -w "$out/mixed.pcapng" "$here/golden/ethernet.pcap" "$here/golden/sll.pcap"
status 0 "$out/mixed.pcapng"
[ "$(lines)" -eq 15 ] || fail "two kinds of link: $(lines) lines"
status 0 --filter 'icmp' "$out/mixed.pcapng"
[ "$(lines)" -eq 3 ] || fail "a filter of two kinds of link: $(lines) lines"
head -c 700 "$out/mixed.pcapng" >"$out/short.pcapng"
status 1 "$out/short.pcapng"
grep -q 'ends inside a block' "$out/stderr" || fail "no reason: $(cat "$out/stderr")"
echo "as it should be"
