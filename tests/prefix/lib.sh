# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it, for bash: what they have in common.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/cmake/need.sh"

skip() {
    echo "$*"
    exit 77
}

# use_prefix PREFIX: pkg-config, the compilers and the loader find what is installed there.
use_prefix() {
    [ -d "$1/include/nhrp" ] || skip "nothing is installed in $1"
    PKG_CONFIG_PATH=$(dirname "$(find "$1" -name nhrp.pc)")
    libdir=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH libdir
}

# expect NAME COMMAND...: the command succeeds and prints expected/NAME.txt, less its comments.
expect() {
    local name=$1 output
    shift
    output=$("$@") || { echo "$*: exit $?"; return 1; }
    diff <(grep -v '^#' "$root/tests/prefix/expected/$name.txt") <(echo "$output") ||
        { echo "$*: printed something else"; return 1; }
    echo "$name: ok"
}

# quietly COMMAND...: what it printed is shown only where it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || { echo "$*: exit $?"; echo "$output"; return 1; }
}

# links PROGRAM LIBRARY STATIC: the program needs the shared library, unless STATIC is ON.
links() {
    local needed=ON
    readelf -d "$1" | grep -q "NEEDED.*lib$2\.so" && needed=OFF
    [ $needed = "$3" ] || { echo "$1: linked the other lib$2"; return 1; }
}
