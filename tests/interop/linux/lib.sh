# SPDX-License-Identifier: Apache-2.0
# Sourced by tests that run linux_peer, our small DMVPN router, against others.
. "$(dirname "${BASH_SOURCE[0]}")/../../e2e/lib.sh"

declare -A peer_pid peer_pipe marked
started_at=$(date +%s%N)

# Our peers' names are those of their namespaces and of their logs.
peer_start() { # NAME option...
    local name=$1 pipe
    shift
    rm -f "$dir/$name.pipe"
    mkfifo "$dir/$name.pipe"
    ip netns exec "$prefix$name" "$linux_peer" "$@" <"$dir/$name.pipe" >"$dir/$name.log" 2>&1 &
    peer_pid[$name]=$!
    exec {pipe}>"$dir/$name.pipe"
    peer_pipe[$name]=$pipe
    marked[$name]=0
    until_true 10 grep -q '^ready' "$dir/$name.log" || fail "our peer $name does not start"
}

tell() { # NAME word...
    local name=$1
    shift
    echo "$*" >&"${peer_pipe[$name]}"
}

peer_stop() { # NAME
    local status=0 pipe=${peer_pipe[$1]}
    tell "$1" quit
    wait "${peer_pid[$1]}" || status=$?
    exec {pipe}>&-
    [ $status = 0 ] || fail "our peer $1 ended with $status"
}

# What our peer said since it was marked.
mark() { # NAME...
    local name
    for name in "$@"; do marked[$name]=$(wc -l <"$dir/$name.log"); done
}
since() { tail -n "+$((marked[$1] + 1))" "$dir/$1.log"; } # NAME
says() { grep -E "$2" >/dev/null <<<"$(since "$1")"; }    # NAME PATTERN
times() { grep -cE "$2" <<<"$(since "$1")"; }             # NAME PATTERN
at_least() { [ "$(times "$2" "$3")" -ge "$1" ]; }         # N NAME PATTERN

# An assertion is a sentence, and a command that is true now or soon.
observed=0
observe() { # SENTENCE command...
    local sentence=$1
    shift
    until_true 15 "$@" || fail "not so: $sentence ($*)"
    observed=$((observed + 1))
    printf '%6.1f s  %s\n' "$((($(date +%s%N) - started_at) / 100000000))e-1" "$sentence"
}
not() { ! "$@"; }

# Adds the NHRP packets that our peers got to the file that CAPTURE names, if it names one.
keep_capture() { # our peers...
    [ -n "${CAPTURE:-}" ] || return 0
    local name
    for name in "$@"; do
        grep -A1 '^nhrp-in' "$dir/$name.log" | grep -v '^--' | sed "s/^/$name /" >>"$CAPTURE"
    done
}
