# SPDX-License-Identifier: Apache-2.0
# Sourced by tests in network namespaces.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/examples/namespaces.sh"

# Skips the test where it cannot run.
need_tools() { # tool...
    local reason
    reason=$(namespaces_impossible "$@")
    [ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }
}

# Whether a command's output has a line that matches; not a pipe, which ends early with grep -q.
shows() { # PATTERN command...
    local pattern=$1
    shift
    grep -qE "$pattern" <<<"$("$@")"
}

# Whether a command works, and no line of its output matches.
shows_no() { # PATTERN command...
    local pattern=$1 output
    shift
    output=$("$@") && ! grep -qE "$pattern" <<<"$output"
}

fail() {
    local file
    echo "FAILED: $*"
    for file in "$dir"/*.log "${events:-}"; do
        [ -s "$file" ] && { echo "== $file"; tail -n 60 "$file"; }
    done
    exit 1
}

# The walk's network with the programs of a build: sets programs; begins the namespaces.
network() { # BUILD tool...
    programs=$1/examples
    shift
    need_tools ping tshark dumpcap mergecap "$@"
    [ -x "$programs/hub" ] || { echo "skipped: no hub in $programs"; exit 77; }
    . "$root/examples/topology.sh"
    namespaces_begin
    topology_make
}

start_all() { # arguments of each program...
    local name
    for name in hub spoke1 spoke2; do
        node_start "$name" "$@" || fail "$name did not start"
    done
    until_true 20 routes_are_up || fail "no routes through the hub"
}

# As a crash would; the shell's own word of it is not wanted.
node_kill() { # NAME
    {
        kill -9 "${node_pid[$1]}"
        wait "${node_pid[$1]}" || true
    } 2>/dev/null
}

direct() { # SPOKE PREFIX
    event "node=$1 event=route_up .*source=nhrp.*prefix=${2//./\\.}"
}

# Fields of the frames of a capture that a filter shows.
frames() { # FILE FILTER [-e FIELD...]
    local file=$1 filter=$2
    shift 2
    [ $# -gt 0 ] || set -- -e frame.number
    tshark -r "$file" -Y "$filter" -T fields "$@" 2>/dev/null
}

count() { # FILE FILTER
    frames "$@" | wc -l
}

# The same with the keys of SAs.
decrypted() { # KEYS FILE FILTER [-e FIELD...]
    local keys=$1
    shift
    XDG_CONFIG_HOME=$keys frames "$@"
}

# All that may be seen on a transport link, besides what proves the contrary.
on_transport='frame.interface_name matches "-wan$"'
on_customer='frame.interface_name matches "-lan$"'
allowed='arp || icmpv6 || icmp || udp.port in {500,4500} || ip.proto == 50 || ipv6.nxt == 50'

# Transport links carry nothing else, and no bytes of a text that customers' links do carry.
check_wire() { # FILE TEXT...
    local file=$1 text others
    shift
    [ "$(count "$file" "$on_transport && esp")" -gt 0 ] ||
        fail "nothing was encrypted"
    others=$(frames "$file" "$on_transport && !($allowed)" -e frame.interface_name -e frame.protocols)
    [ -z "$others" ] || fail "unexpected on a transport link: $others"
    for text in "$@"; do
        [ "$(count "$file" "$on_customer && frame contains \"$text\"")" -gt 0 ] ||
            fail "\"$text\" is not even on a customer's link: this test shows nothing"
        [ "$(count "$file" "$on_transport && frame contains \"$text\"")" -eq 0 ] ||
            fail "\"$text\" can be read on a transport link"
    done
}
