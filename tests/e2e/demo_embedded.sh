#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo_embedded.sh BUILD: the walk in one process, where asked for and where there is no TUN device;
# the demo says which and why.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
build=$1
[ -x "$build/examples/hub" ] || { echo "skipped: no hub in $build"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

check() { # PATTERN command...
    local pattern=$1
    shift
    "$@" >"$dir/demo.log" 2>"$dir/errors.log" || fail "status $?"
    shows "$pattern" head -n 1 "$dir/demo.log" || fail "it does not say so"
    [ "$(tail -n 1 "$dir/demo.log")" = "walk: 20 of 20 steps" ] || fail "the last line"
}

echo "as asked"
check '^embedded, as asked' "$root/examples/demo" --build "$build" --embedded

echo "without TUN devices"
unshare -m true 2>/dev/null || { echo "skipped: cannot hide /dev/net/tun"; exit 77; }
# shellcheck disable=SC2016
check '^no namespaces here \(.*TUN.*\): embedded' unshare -m sh -c \
    'mount --bind /dev/null /dev/net/tun && exec "$@"' sh "$root/examples/demo" --build "$build"
echo "all is well"
