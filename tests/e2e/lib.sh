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

fail() {
    local file
    echo "FAILED: $*"
    for file in "$dir"/*.log "${events:-}"; do
        [ -s "$file" ] && { echo "== $file"; tail -n 60 "$file"; }
    done
    exit 1
}
