#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# data.sh PEER: our peer program against strongSwan, with data: tunnel mode with GRE selectors, ESP
# in UDP, charon's userspace ESP. Each side initiates, with AES-GCM-128 and with
# ChaCha20-Poly1305; both send echo requests in GRE all the time, plain and behind a label, while
# each side rekeys the Child SA and the IKE SA, one after the other and both at once. No request may
# be lost. charon's packet counters must equal ours, and charon's keys must decrypt the capture.
#
#   us, 10.99.0.1, inner 10.1.0.1  ---- veth, ESP in UDP ----  10.99.0.2, inner 10.2.0.1, charon
#   echo, libgre, libesp, libikev2                             libipsec, ipsec0, gre_endpoint.py
#
# With KEEP_LOGS set the logs and the capture stay where it says.
set -u
PEER=$1
# Bounded in time from the inside, so that what was made is removed.
[ -n "${BOUNDED:-}" ] || BOUNDED=1 exec timeout 60 "$0" "$@"
HERE=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip swanctl dumpcap tshark; do
  command -v $tool >/dev/null || skip "needs $tool"
done
[ -x /usr/sbin/charon-systemd ] || skip "needs charon-systemd"
[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ] ||
  skip "needs strongSwan's kernel-libipsec plugin"
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
/usr/bin/python3 -c 'import cryptography' 2>/dev/null || skip "needs python3-cryptography"

T=$(mktemp -d /run/strongswan-data.XXXXXX); chmod 711 "$T"
A=swanours$$ B=swanpeer$$ CHARON="" CAPTURE="" OURS="" THEIRS="" RESULT=failed
finish() {
  exec 8>&- 9>&-
  for pid in $OURS $THEIRS $CAPTURE $CHARON; do
    kill "$pid" 2>/dev/null; kill -CONT "$pid" 2>/dev/null; wait "$pid" 2>/dev/null
  done
  ip netns del $A 2>/dev/null; ip netns del $B 2>/dev/null
  if [ $RESULT = ok ] && [ -z "${KEEP_LOGS:-}" ]; then rm -rf "$T"; else echo "logs are in $T"; fi
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
fail() {
  echo "FAILED: $*"
  for log in ours theirs charon; do echo "-- $log"; tail -12 "$T/$log.log" 2>/dev/null; done
  exit 1
}

# until_ok SECONDS COMMAND...: tries until it succeeds.
until_ok() {
  local n=$(($1 * 20)); shift
  until "$@" >/dev/null 2>&1; do n=$((n - 1)); [ $n -gt 0 ] || return 1; sleep 0.05; done
}

make_namespaces() {
  ip netns add $A && ip netns add $B && ip link add ve0 netns $A type veth peer name ve0 netns $B ||
    skip "cannot make network namespaces"
  local n
  for n in "$A 1" "$B 2"; do
    set -- $n
    ip -n $1 link set lo up; ip -n $1 link set ve0 up
    ip -n $1 addr add 10.99.0.$2/24 dev ve0
  done
  ip -n $B addr add 10.2.0.1/32 dev lo
}

start_capture() {
  ip netns exec $A dumpcap -q -P -i ve0 -f udp -w "$T/capture.pcap" >"$T/dumpcap.log" 2>&1 &
  CAPTURE=$!
  until_ok 10 test -s "$T/capture.pcap" || fail "no capture"
}
stop_capture() { sleep 0.3; kill -INT "$CAPTURE"; wait "$CAPTURE" 2>/dev/null; CAPTURE=""; }

PLUGINS="random nonce openssl aes sha1 sha2 hmac kdf gcm chapoly curve25519 kernel-libipsec \
kernel-netlink socket-default vici updown"

# charon 5.9.8 drops an answer while it works on a request with the same message ID: an answer is
# not awaited long.
start_charon() {
  rm -f "$T/vici"
  cat >"$T/strongswan.conf" <<END
charon-systemd {
  load = $PLUGINS
  retransmit_timeout = 0.4
  plugins {
    vici {
      socket = unix://$T/vici
    }
    kernel-libipsec {
      load = yes
    }
  }
  filelog {
    log {
      path = $T/charon.log
      default = 1
      ike = 4
      chd = 4
      knl = 2
      esp = 1
      flush_line = yes
    }
  }
}
END
  cat >"$T/swanctl.conf" <<END
connections {
  t {
    version = 2
    local_addrs = 10.99.0.2
    remote_addrs = 10.99.0.1
    proposals = aes128gcm16-prfsha256-x25519,chacha20poly1305-prfsha256-x25519
    local {
      auth = psk
      id = b.test
    }
    remote {
      auth = psk
      id = a.test
    }
    children {
      c {
        local_ts = 10.2.0.1/32[gre]
        remote_ts = 10.1.0.1/32[gre]
        esp_proposals = aes128gcm16,chacha20poly1305,aes128gcm16-x25519
        mode = tunnel
        start_action = none
      }
    }
  }
}
secrets {
  ike-1 {
    id-a = a.test
    id-b = b.test
    secret = "an interop key"
  }
}
END
  STRONGSWAN_CONF=$T/strongswan.conf \
    ip netns exec $B /usr/sbin/charon-systemd >"$T/charon.out" 2>&1 </dev/null &
  CHARON=$!
  until_ok 10 test -S "$T/vici" || fail "charon does not start"
  swanctl --load-all --noprompt --uri "unix://$T/vici" --file "$T/swanctl.conf" >"$T/load" 2>&1 ||
    { cat "$T/load"; fail "charon refuses its configuration"; }
}
swan() { swanctl "$@" --uri "unix://$T/vici" >>"$T/swanctl.out" 2>&1; }

# start_ends ARGUMENT...: our peer with these arguments, and the GRE endpoint of strongSwan's side.
start_ends() {
  rm -f "$T/to-ours" "$T/to-theirs"; mkfifo "$T/to-ours" "$T/to-theirs"
  ip netns exec $A "$PEER" "$@" <"$T/to-ours" >"$T/ours.log" 2>&1 &
  OURS=$!
  exec 9>"$T/to-ours"
  ip netns exec $B /usr/bin/python3 "$HERE/gre_endpoint.py" 10.2.0.1 10.1.0.1 \
    <"$T/to-theirs" >"$T/theirs.log" 2>&1 &
  THEIRS=$!
  exec 8>"$T/to-theirs"
  until_ok 5 grep -q '^ready' "$T/ours.log" || fail "our peer does not start"
  until_ok 5 grep -q '^ready' "$T/theirs.log" || fail "the GRE endpoint does not start"
}
ours() { echo "$1" >&9; }
theirs() { echo "$1" >&8; }

# saw N PATTERN: our log has it N times, at last.
has() { [ "$(grep -c "$2" "$T/ours.log")" -ge "$1" ]; }
saw() { until_ok 10 has "$1" "$2" || fail "expected $1 times: $2"; }

# Both ends know of no request without its reply.
settled() {
  ours report; theirs report; sleep 0.1
  local log
  for log in ours theirs; do
    awk '/^report/ { split($2, sent, "="); split($3, returned, "=") }
      END { exit !(sent[2] > 0 && sent[2] == returned[2]) }' "$T/$log.log" || return 1
  done
}

# Writes to $T/counts what charon counted on its Child SAs, as "sealed SPI PACKETS" (by us) and
# "opened SPI PACKETS". Of SAs that are replaced it keeps the inbound count only.
charon_counts() {
  swanctl --list-sas --uri "unix://$T/vici" 2>/dev/null | sed -nE \
    -e 's/^ +c: #[0-9]+, reqid [0-9]+, ([A-Z]+),.*/state \1/p' \
    -e 's/^ +(in|out) +([0-9a-f]+),.*, +([0-9]+) packets.*/\1 \2 \3/p' |
    awk '$1 == "state" { installed = $2 == "INSTALLED" }
      $1 == "in" && (installed || $3 > 0) { print "sealed", $2, $3 }
      $1 == "out" && installed { print "opened", $2, $3 }' >"$T/counts"
  # Empty while an IKE SA is being replaced.
  grep -q '^opened' "$T/counts"
}
none_left() {
  awk '$1 == "child-in" { c++ } $1 == "child-remove" { c-- } END { exit c != 0 }' "$T/ours.log"
}
no_sas() { [ -z "$(swanctl --list-sas --uri "unix://$T/vici" 2>/dev/null)" ]; }

end_ends() {
  local rc
  ours quit; wait "$OURS"; rc=$?; OURS=""
  [ $rc = 0 ] || fail "our peer ended with $rc"
  theirs quit; wait "$THEIRS"; rc=$?; THEIRS=""
  [ $rc = 0 ] || fail "the GRE endpoint ended with $rc"
  exec 8>&- 9>&-
}

# same_counts: what charon counted, in $T/counts, is what our child-done lines say of the same SPIs.
same_counts() {
  local verb spi packets pattern total
  while read -r verb spi packets; do
    pattern="spi_out=$spi sealed=$packets\$"
    [ "$verb" = sealed ] || pattern="spi_in=$spi opened=$packets "
    grep '^child-done' "$T/ours.log" | grep -q "$pattern" ||
      fail "charon counted $packets packets on $spi, we: $(grep "^child-done.*$spi" "$T/ours.log")"
  done <"$T/counts"
  total=$(awk '$1 == "sealed" { n += $3 } END { print n }' "$T/counts")
  echo "   charon decrypted $total packets on $(grep -c '^sealed' "$T/counts") SAs," \
    "just as many as we sealed on each"
}

# both_rekey: the Child SA and the IKE SA by each side, under traffic; and once more by us what
# charon made, so that keys went on from the right SK_d.
both_rekey() {
  sleep 0.3
  ours rekey-child; saw 2 '^child-out'; saw 1 '^child-remove'
  swan --rekey --child c || fail "charon cannot rekey the child"
  saw 3 '^child-out'; saw 2 '^child-remove'
  ours rekey-ike; saw 2 '^ike-up'; saw 1 '^ike-down'
  swan --rekey --ike t || fail "charon cannot rekey the IKE SA"
  saw 3 '^ike-up'; saw 2 '^ike-down'
  ours rekey-child; saw 4 '^child-out'; saw 3 '^child-remove'
  sleep 0.3
}

# Our events say that one Child SA is left, and charon's list that one of each kind is. An IKE SA
# that lost against ours and that charon forgot, as it may, leaves us half a minute later: it does
# not count.
one_left() {
  awk '$1 == "child-in" { c++ } $1 == "child-remove" { c-- } END { exit c != 1 }' "$T/ours.log" &&
    swanctl --list-sas --uri "unix://$T/vici" 2>/dev/null |
    awk '/^t: / { i++ } /^ +c: .* (INSTALLED|REKEYING|REKEYED),/ { c++ }
      END { exit i != 1 || c != 1 }'
}

# rekey_at_once KIND: our peer is held while charon sends its request; then it sends its own before
# it reads charon's (RFC 7296 2.8.1, 2.8.2).
rekey_at_once() {
  kill -STOP "$OURS"
  if [ "$1" = child ]; then swan --rekey --child c; else swan --rekey --ike t; fi
  ours "rekey-$1"
  kill -CONT "$OURS"
  sleep 0.1
  until_ok 10 one_left || fail "not one SA is left after both rekeyed the $1 at once"
}
collisions() { grep -c "detected $1_REKEY collision with $1_REKEY" "$T/charon.log"; }
crossing_rekeys() {
  local n
  sleep 0.3
  for n in 1 2 3 4 5; do rekey_at_once child; rekey_at_once ike; done
  echo "   requests crossed $(collisions CHILD) times for the Child SA," \
    "$(collisions IKE) times for the IKE SA"
  [ "$(collisions CHILD)" -gt 0 ] && [ "$(collisions IKE)" -gt 0 ] || fail "no requests crossed"
}

# Child SAs after the first have a key exchange of their own (RFC 7296 1.3.1).
pfs_rekeys() {
  both_rekey
  [ "$(grep -c '^child-in.* group=31 ' "$T/ours.log")" = 3 ] || fail "no forward secrecy"
}

# The outbound SA reports its soft limit again and again, and libikev2 replaces it.
limit_rekeys() {
  saw 5 '^soft-limit'; saw 6 '^child-out'; saw 5 '^child-remove'
}

# pause, resume: no packet is under way while there is no Child SA.
pause() { ours stop; theirs stop; until_ok 5 settled || fail "echo requests were lost"; }
resume() { ours start; theirs start; sleep 0.3; }

# Each side deletes the Child SA, and the other makes a new one on the same IKE SA.
children_come_and_go() {
  sleep 0.3; pause
  ours delete-child; saw 1 '^child-remove'
  swan --initiate --child c --timeout 10 || fail "charon cannot make a second Child SA"
  saw 2 '^child-out'; resume; pause
  swan --terminate --child c --timeout 10 || fail "charon cannot delete the Child SA"
  saw 2 '^child-remove'
  ours new-child; saw 3 '^child-out'; resume
  has 2 '^ike-up' && fail "there is a second IKE SA"
}

# charon dies without a word, begins anew and says INITIAL_CONTACT (RFC 7296 2.4).
charon_restarts() {
  sleep 0.3; pause
  kill -KILL "$CHARON"; wait "$CHARON" 2>/dev/null; CHARON=""
  start_charon
  swan --initiate --child c --timeout 10 || fail "charon cannot initiate again"
  saw 2 '^child-out'; saw 1 '^child-remove.* reason=7'; saw 1 '^ike-down.* reason=7'
  resume
}

# scenario NAME INITIATOR DELETER BODY [ARGUMENT...]
scenario() {
  local name=$1 initiator=$2 deleter=$3 body=$4
  shift 4
  echo "== $name: $body, initiated by $initiator, deleted by $deleter"
  if [ "$initiator" = us ]; then
    start_ends "$@" --initiate
  else
    start_ends "$@"
    swan --initiate --child c --timeout 10 || fail "charon cannot initiate"
  fi
  saw 1 '^child-out'
  grep -q '^child-in.* mode=tunnel .*encapsulated=1 protocol=47' "$T/ours.log" || fail "not that SA"
  ours start; theirs start
  $body
  pause
  until_ok 5 charon_counts || fail "charon lists no SA"
  if [ "$deleter" = us ]; then ours delete-ike; else swan --terminate --ike t; fi
  until_ok 5 none_left || fail "we keep a Child SA"
  until_ok 5 no_sas || fail "charon keeps an SA"
  end_ends
  same_counts
  echo "   ours:   $(grep '^report' "$T/ours.log" | tail -n 1)"
  echo "   theirs: $(grep '^report' "$T/theirs.log" | tail -n 1)"
}

make_namespaces
start_charon
start_capture
scenario "AES-GCM-128" us strongSwan both_rekey
scenario "AES-GCM-128" strongSwan us both_rekey
scenario "ChaCha20-Poly1305" us us both_rekey --chacha20poly1305
scenario "ChaCha20-Poly1305" strongSwan strongSwan both_rekey --chacha20poly1305
scenario "AES-GCM-128 with forward secrecy" us us pfs_rekeys --pfs
scenario "AES-GCM-128" us us crossing_rekeys
scenario "AES-GCM-128" strongSwan strongSwan limit_rekeys --soft-packets=100
scenario "AES-GCM-128" us strongSwan children_come_and_go
scenario "AES-GCM-128" strongSwan us charon_restarts
stop_capture
/usr/bin/python3 "$HERE/oracle.py" "$T/charon.log" "$T/capture.pcap" "$T" || fail "the oracle"
RESULT=ok
echo "passed"
