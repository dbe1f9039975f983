#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rust.sh PREFIX LIBRARY: the Rust program of a library, on the installed library, shared and static,
# by rustc and pkg-config alone.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
use_prefix "$1"
# The machine's own, else Debian's.
command -v rustc >/dev/null || need rustc || skip "rustc is missing"
need gcc pkg-config || skip "gcc or pkg-config is missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # PROGRAM rustc-options...
    rustc --edition 2021 -D warnings "$root/examples/ffi/rust/$2.rs" -o "$work/$1" "${@:3}"
}

# shellcheck disable=SC2046
build shared "$2" $(pkg-config --libs "$2")
LD_LIBRARY_PATH=$libdir expect "$2" "$work/shared"
links "$work/shared" "$2" OFF

# rustc takes the archive for itself, and what it needs from pkg-config.
# shellcheck disable=SC2046
build static "$2" -L "$libdir" -l "static=$2" \
    $(pkg-config --static --libs "$2" | tr ' ' '\n' | grep '^-[lL]' | grep -vx -- "-l$2")
expect "$2" "$work/static"
links "$work/static" "$2" ON
