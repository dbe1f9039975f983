#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# strongswan.sh PEER: our peer program against strongSwan's charon, each initiating, in two network
# namespaces of its own. Tunnel mode with GRE selectors over charon's userspace ESP, which is all
# that any kernel can do; transport mode too where the kernel has XFRM, or where
# LABELMESH_XFRM_SHIM names a library to preload that plays the kernel.
# The keys that we print must be those that charon logs, byte for byte. Authentication is by shared
# keys, and by RSA, ECDSA and Ed25519 signatures with certificates made here.
set -u
PEER=$1
skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip swanctl python3 openssl; do command -v $tool >/dev/null || skip "needs $tool"; done
[ -x /usr/sbin/charon-systemd ] || skip "needs charon-systemd"
ls /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so >/dev/null 2>&1 ||
  skip "needs strongSwan's kernel-libipsec plugin"
ip netns list >/dev/null 2>&1 || skip "no network namespaces"

T=$(mktemp -d /run/ikev2-interop.XXXXXX); chmod 711 "$T"
A=ikeours$$ B=ikepeer$$ OURS="" CHARON="" RESULT=failed
finish() {
  stop_ours; stop_charon
  ip netns del $A 2>/dev/null; ip netns del $B 2>/dev/null
  if [ $RESULT = ok ]; then rm -rf "$T"; else echo "logs are in $T"; fi
}
trap finish EXIT
fail() { echo "FAILED: $*"; tail -20 "$T/ours.log" 2>/dev/null; tail -20 "$T/charon.log" 2>/dev/null; exit 1; }

# until SECONDS COMMAND...: tries until it succeeds.
until_ok() {
  local n=$(($1 * 20)); shift
  until "$@" >/dev/null 2>&1; do n=$((n - 1)); [ $n -gt 0 ] || return 1; sleep 0.05; done
}

ip netns add $A && ip netns add $B && ip link add ve0 netns $A type veth peer name ve0 netns $B ||
  skip "cannot make network namespaces"
for n in "$A 1" "$B 2"; do
  set -- $n
  ip -n $1 link set lo up; ip -n $1 link set ve0 up
  ip -n $1 addr add 10.99.0.$2/24 dev ve0; ip -n $1 addr add 10.$2.0.1/32 dev lo
done

# start_charon MODE LOCAL_TS REMOTE_TS PLUGINS PRELOAD
start_charon() {
  mkdir -p "$T/charon"
  cat >"$T/strongswan.conf" <<EOF
charon-systemd {
  load = random nonce openssl aes sha1 sha2 hmac kdf gcm chapoly curve25519 pem pkcs1 pkcs8 x509 pubkey constraints $4 socket-default vici updown
  install_routes = no
  fragment_size = ${FRAGMENT:-1280}
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
      flush_line = yes
    }
  }
}
EOF
  cat >"$T/swanctl.conf" <<EOF
connections {
  t {
    version = 2
    local_addrs = 10.99.0.2
    remote_addrs = 10.99.0.1
    proposals = ${IKE:-aes128gcm16-prfsha256-x25519}
    fragmentation = ${FRAGMENTATION:-yes}
    send_cert = ${SEND_CERT:-always}
    local {
      auth = ${LOCAL_AUTH:-psk}
      id = b.test
    }
    remote {
      auth = ${REMOTE_AUTH:-psk}
      id = a.test
    }
    children {
      c {
        local_ts = $2
        remote_ts = $3
        esp_proposals = ${ESP:-aes128gcm16}
        mode = $1
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
EOF
  rm -f "$T/vici" "$T/charon.log"
  STRONGSWAN_CONF=$T/strongswan.conf LD_PRELOAD=$5 SHIM_LOG=$T/sa.log \
    ip netns exec $B /usr/sbin/charon-systemd >"$T/charon.out" 2>&1 </dev/null &
  CHARON=$!
  until_ok 10 test -S "$T/vici" || fail "charon does not start"
  swanctl --load-all --noprompt --uri "unix://$T/vici" --file "$T/swanctl.conf" >"$T/load" 2>&1 ||
    { cat "$T/load"; fail "charon refuses its configuration"; }
}
stop_charon() { [ -z "$CHARON" ] || { kill "$CHARON"; wait "$CHARON"; } 2>/dev/null; CHARON=""; }

# start_ours ROLE MODE [ARGUMENT...]
start_ours() {
  rm -f "$T/commands"; mkfifo "$T/commands"
  local role=$1; shift
  ip netns exec $A "$PEER" 10.99.0.1 10.99.0.2 a.test b.test "an interop key" "$role" "$@" \
    <"$T/commands" >"$T/ours.log" 2>&1 &
  OURS=$!
  exec 9>"$T/commands"
  until_ok 5 grep -q '^ready rc=0' "$T/ours.log" || fail "our peer does not start"
}
stop_ours() { [ -z "$OURS" ] || { exec 9>&-; wait "$OURS"; } 2>/dev/null; OURS=""; }
tell() { echo "$1" >&9; }

# saw N PATTERN: our log has it N times at least.
has() { [ "$(grep -c "$2" "$T/ours.log")" -ge "$1" ]; }
saw() { until_ok 10 has "$1" "$2" || fail "expected $1 times: $2"; }

# Every key of every child that we printed is in charon's log.
keys_equal() {
  sleep 0.2
  python3 - "$T/ours.log" "$T/charon.log" <<'PY' || fail "keys differ"
import re, sys
ours = [k for l in open(sys.argv[1]) if l.startswith("child-in") for k in re.findall(r"key_(?:in|out)=([0-9a-f]+)", l)]
theirs, want, have = set(), 0, ""
for l in open(sys.argv[2]):
    m = re.search(r"encryption (?:initiator|responder) key => (\d+) bytes", l)
    if m:
        want, have = 2 * int(m.group(1)), ""
        continue
    m = re.search(r"\]\s+\d+: ((?:[0-9A-F]{2} )+)", l)
    if want and m:
        have += m.group(1).replace(" ", "").lower()
        if len(have) >= want:
            theirs.add(have[:want])
            want = 0
missing = [k for k in ours if k not in theirs]
print("%d keys, %d unknown to charon" % (len(ours), len(missing)))
sys.exit(1 if missing or not ours else 0)
PY
}
swan() { swanctl "$@" --uri "unix://$T/vici" >>"$T/swanctl.out" 2>&1; }

# everything MODE OUR_ARGUMENTS...: both initiate, both rekey both kinds, both delete.
everything() {
  echo "-- $1: we initiate"
  start_ours initiate "$@"
  saw 1 '^child-out'
  tell rekey-child; saw 2 '^child-out'; saw 1 '^child-remove'
  tell rekey-ike; saw 2 '^ike-up'; saw 1 '^ike-down'
  swan --rekey --child c; saw 3 '^child-out'; saw 2 '^child-remove'
  swan --rekey --ike t; saw 3 '^ike-up'; saw 2 '^ike-down'
  # The SA that charon made is rekeyed by us again: keys went on from the right SK_d.
  tell rekey-child; saw 4 '^child-out'; saw 3 '^child-remove'
  keys_equal
  tell delete-ike; saw 3 '^ike-down'
  until_ok 5 test -z "$(swanctl --list-sas --uri "unix://$T/vici")" || fail "charon keeps an SA"
  stop_ours
  echo "-- $1: charon initiates"
  start_ours respond "$@"
  swan --initiate --child c --timeout 10 || fail "charon cannot initiate"
  saw 1 '^child-out'
  tell rekey-child; saw 2 '^child-out'
  swan --rekey --ike t; saw 2 '^ike-up'
  keys_equal
  swan --terminate --ike t; saw 2 '^ike-down'
  stop_ours
}

echo "== tunnel mode, GRE selectors"
start_charon tunnel '10.2.0.1/32[gre]' '10.1.0.1/32[gre]' "kernel-libipsec kernel-netlink" ""
everything tunnel 10.1.0.1 10.2.0.1
stop_charon
echo "== the same in small fragments"
IKE=chacha20poly1305-prfsha256-x25519,aes128gcm16-prfsha256-x25519 FRAGMENT=200 \
  start_charon tunnel '10.2.0.1/32[gre]' '10.1.0.1/32[gre]' "kernel-libipsec kernel-netlink" ""
everything tunnel 10.1.0.1 10.2.0.1 fragment=160
grep -q 'received fragment #2' "$T/charon.log" || fail "charon got no fragments"
grep -q 'splitting IKE message' "$T/charon.log" || fail "charon sent no fragments"
stop_charon

# certificate NAME KIND ISSUER [ca]: a key and a certificate, as PEM for charon and as DER for us.
certificate() {
  local name=$1 issuer=$3 C=$T/certs algorithm ca=FALSE usage=digitalSignature
  case $2 in
    rsa) algorithm="RSA -pkeyopt rsa_keygen_bits:3072" ;;
    ecdsa) algorithm="EC -pkeyopt ec_paramgen_curve:P-256" ;;
    ecdsa384) algorithm="EC -pkeyopt ec_paramgen_curve:P-384" ;;
    ed25519) algorithm=ED25519 ;;
  esac
  [ "${4:-}" != ca ] || { ca=TRUE; usage=keyCertSign,cRLSign; }
  mkdir -p "$C"
  { echo "basicConstraints=critical,CA:$ca"; echo "keyUsage=critical,$usage"; echo "subjectKeyIdentifier=hash"
    [ $ca = TRUE ] || echo "subjectAltName=DNS:${name%%-*}"; } >"$C/$name.ext"
  # shellcheck disable=SC2086
  openssl genpkey -algorithm $algorithm -out "$C/$name.key" 2>/dev/null &&
    openssl pkcs8 -topk8 -nocrypt -in "$C/$name.key" -outform DER -out "$C/$name.key.der" &&
    openssl req -new -key "$C/$name.key" -subj "/O=LabelMesh interop/CN=$name" -out "$C/$name.csr" || fail "openssl"
  if [ "$issuer" = self ]; then
    openssl x509 -req -in "$C/$name.csr" -signkey "$C/$name.key" -days 10 -extfile "$C/$name.ext" -out "$C/$name.pem"
  else
    openssl x509 -req -in "$C/$name.csr" -CA "$C/$issuer.pem" -CAkey "$C/$issuer.key" -CAcreateserial -days 10 \
      -extfile "$C/$name.ext" -out "$C/$name.pem"
  fi 2>/dev/null || fail "openssl x509"
  openssl x509 -in "$C/$name.pem" -outform DER -out "$C/$name.der"
}

# trust LEAF CA...: what charon loads: its own leaf with its key, and authorities.
trust() {
  rm -rf "$T"/{x509,x509ca,private}; mkdir -p "$T"/{x509,x509ca,private}
  [ "$1" = - ] || { cp "$T/certs/$1.pem" "$T/x509/"; cp "$T/certs/$1.key" "$T/private/"; }
  shift
  for ca in "$@"; do cp "$T/certs/$ca.pem" "$T/x509ca/"; done
}

# both OUR_ARGUMENTS...: each initiates once.
both() {
  start_ours initiate tunnel 10.1.0.1 10.2.0.1 "$@"
  saw 1 '^child-out'; keys_equal
  tell delete-ike; saw 1 '^ike-down'
  stop_ours
  start_ours respond tunnel 10.1.0.1 10.2.0.1 "$@"
  swan --initiate --child c --timeout 10 || fail "charon cannot initiate"
  saw 1 '^child-out'; keys_equal
  swan --terminate --ike t; saw 1 '^ike-down'
  stop_ours
}

# charon_said PATTERN: charon's log has it, twice: in either role.
charon_said() { [ "$(grep -c "$1" "$T/charon.log")" -ge 2 ] || fail "charon's log has not twice: $1"; }
tunnel() { start_charon tunnel '10.2.0.1/32[gre]' '10.1.0.1/32[gre]' "kernel-libipsec kernel-netlink" ""; }

C=$T/certs
for kind in ecdsa ecdsa384 ed25519; do
  echo "== signatures: $kind"
  certificate root-$kind $kind self ca
  certificate a.test-$kind $kind root-$kind; certificate b.test-$kind $kind root-$kind
  trust b.test-$kind root-$kind
  LOCAL_AUTH=pubkey REMOTE_AUTH=pubkey tunnel
  both key="$C/a.test-$kind.key.der" chain="$C/a.test-$kind.der" anchor="$C/root-$kind.der"
  charon_said "authentication of 'a.test' with E.* successful"
  charon_said "authentication of 'b.test' (myself) with E.* successful"
  stop_charon
done
echo "== signatures: the key and the trust by questions"
trust b.test-ecdsa root-ecdsa
LOCAL_AUTH=pubkey REMOTE_AUTH=pubkey tunnel
both key="$C/a.test-ecdsa.key.der" chain="$C/a.test-ecdsa.der" anchor="$C/root-ecdsa.der" ask
stop_charon
certificate root-rsa rsa self ca; certificate mid-rsa rsa root-rsa ca
certificate a.test-rsa rsa mid-rsa; certificate b.test-rsa rsa mid-rsa
for padding in pss pkcs1; do
  echo "== signatures: RSA of 3072 bits by $padding, a long chain in fragments"
  trust b.test-rsa root-rsa mid-rsa
  LOCAL_AUTH=pubkey REMOTE_AUTH=pubkey FRAGMENT=576 tunnel
  both key="$C/a.test-rsa.key.der" chain="$C/a.test-rsa.der" chain="$C/mid-rsa.der" chain="$C/root-rsa.der" \
    anchor="$C/root-rsa.der" fragment=576 $padding
  charon_said "authentication of 'a.test' with RSA_EMSA_$(echo $padding | tr a-z A-Z).* successful"
  charon_said 'received fragment #6'
  charon_said 'splitting IKE message'
  stop_charon
done
echo "== a shared key of ours, a signature of charon's; and the other way round"
trust b.test-rsa root-rsa mid-rsa
LOCAL_AUTH=pubkey tunnel
both anchor="$C/root-rsa.der"
stop_charon
trust - root-ed25519
REMOTE_AUTH=pubkey tunnel
both key="$C/a.test-ed25519.key.der" chain="$C/a.test-ed25519.der"
stop_charon
echo "== a certificate that charon's peer does not trust"
trust b.test-ecdsa root-ecdsa
LOCAL_AUTH=pubkey REMOTE_AUTH=pubkey tunnel
start_ours initiate tunnel 10.1.0.1 10.2.0.1 key="$C/a.test-ecdsa.key.der" chain="$C/a.test-ecdsa.der" anchor="$C/root-rsa.der"
saw 1 '^refused.* reason=35 '
stop_ours; stop_charon
rm -rf "$T"/{x509,x509ca,private}

SHIM=${LABELMESH_XFRM_SHIM:-}
kernel_has_xfrm() {
  ip -n $B xfrm state add src 10.99.0.2 dst 10.99.0.1 proto esp spi 0x1 mode transport \
    aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128 2>/dev/null &&
    ip -n $B xfrm state flush
}
if [ -n "$SHIM" ] || kernel_has_xfrm; then
  echo "== transport mode, GRE between the endpoints"
  start_charon transport 'dynamic[gre]' 'dynamic[gre]' kernel-netlink "$SHIM"
  everything transport
  stop_charon
else
  echo "transport mode left out: the kernel has no XFRM"
fi
RESULT=ok
echo "passed"
