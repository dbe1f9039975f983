# SPDX-License-Identifier: Apache-2.0
# Sourced by tests that need network namespaces of their own: skip where that cannot be, names that
# no parallel run has, and an end that leaves nothing behind.

skip() {
    echo "skipped: $*"
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip "needs root"
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
for tool in ip ping "$@"; do
    command -v "$tool" >/dev/null || skip "needs $tool"
done

prefix=lm$$-
dir=$(mktemp -d)
pids=()
ip netns add "${prefix}probe" 2>/dev/null || skip "cannot make a network namespace"
ip netns del "${prefix}probe"

# Ends what this script started, by pid, and removes its namespaces.
cleanup() {
    local status=$? pid n
    for pid in "${pids[@]}"; do
        kill -9 "$pid" 2>/dev/null || true
    done
    wait >/dev/null 2>&1 || true
    for n in $(ip netns list | cut -d' ' -f1 | grep "^$prefix"); do
        ip netns del "$n"
    done
    rm -rf "$dir"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ns() { # NAME: a namespace with its loopback up
    ip netns add "$prefix$1"
    ip -n "$prefix$1" link set lo up
}

in_ns() { # NAME command...
    local name=$1
    shift
    ip netns exec "$prefix$name" "$@"
}

spawn() { # NAME command...: in the background; its own pid is $! and goes to pids
    local name=$1
    shift
    ip netns exec "$prefix$name" "$@" &
    pids+=($!)
}

fail() {
    echo "FAILED: $*"
    for log in "$dir"/*.log; do
        [ -s "$log" ] && { echo "== $log"; tail -n 40 "$log"; }
    done
    exit 1
}

until_true() { # SECONDS command...: polls until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}
