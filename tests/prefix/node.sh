#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# node.sh PREFIX LIBRARY: the Node program of a library, on the installed libraries, with koffi from
# the npm registry. The program is copied to build/, as that is where koffi is installed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
use_prefix "$1"
# The machine's own, else Debian's.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    need nodejs npm || skip "nodejs and npm are missing"
fi
need pkg-config || skip "pkg-config is missing"

work=$root/build/ffi-node
mkdir -p "$work"
cp -r "$root/examples/ffi/node/." "$work"
cd "$work"
npm install >npm.log 2>&1 || skip "npm cannot install koffi: $(grep -m 1 'ERR!' npm.log || tail -n 1 npm.log)"
expect "$2" node "$2.mjs"
