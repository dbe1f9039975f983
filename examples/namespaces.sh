# SPDX-License-Identifier: Apache-2.0
# Sourced by the demo and by tests that need network namespaces of their own: names that no parallel
# run has, programs in the background, and an end that leaves nothing behind.

# Says why this machine cannot do it; silent where it can. Further arguments are tools that it needs.
namespaces_impossible() {
    local tool
    [ "$(id -u)" -eq 0 ] || { echo "needs root"; return; }
    [ -c /dev/net/tun ] || { echo "needs /dev/net/tun"; return; }
    for tool in ip "$@"; do
        command -v "$tool" >/dev/null || { echo "needs $tool"; return; }
    done
    local probe=lm$$-probe
    ip netns add $probe 2>/dev/null &&
        ip -n $probe link add probe0 type veth peer name probe1 2>/dev/null &&
        ip -n $probe link add probe2 type bridge 2>/dev/null &&
        ip -n $probe tuntap add probe3 mode tun 2>/dev/null ||
        echo "cannot make network namespaces, veth, bridge and TUN devices"
    ip netns del $probe 2>/dev/null || true
}

# Sets prefix, for the names of namespaces, and dir, for files; the EXIT trap undoes everything.
namespaces_begin() {
    prefix=lm$$-
    dir=$(mktemp -d)
    trap namespaces_end EXIT
    trap 'exit 130' INT TERM
}

# Ends what this script started and what still runs, by pid, and removes its namespaces.
namespaces_end() {
    local status=$? pid name running
    trap '' INT TERM
    running=$(jobs -rp)
    disown -a # or the shell has words of its own for each
    for pid in $running; do
        kill -9 "$pid" 2>/dev/null || true
    done
    for pid in $running; do
        while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    done
    ip netns list | cut -d' ' -f1 | while read -r name; do
        case $name in "$prefix"*) ip netns del "$name" ;; esac
    done
    rm -rf "$dir"
    exit "$status"
}

ns() { # NAME...: namespaces with their loopback up
    local name
    for name in "$@"; do
        ip netns add "$prefix$name"
        ip -n "$prefix$name" link set lo up
    done
}

in_ns() { # NAME command...
    local name=$1
    shift
    ip netns exec "$prefix$name" "$@"
}

spawn() { # NAME command...: in the background; $! is the command's own pid
    local name=$1
    shift
    ip netns exec "$prefix$name" "$@" &
}

until_true() { # SECONDS command...: polls until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}
