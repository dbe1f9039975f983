#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# node.sh PREFIX LIBRARY: the Node program of a library, on the installed libraries, with koffi from
# the npm registry. The program is copied to build/, as that is where koffi is installed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
use_prefix "$1"
# The machine's own, else Debian's.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    need nodejs npm ca-certificates || skip "nodejs and npm are missing"
fi
need pkg-config || skip "pkg-config is missing"

work=$root/build/ffi-node
mkdir -p "$work"
cp -r "$root/examples/ffi/node/." "$work"
cd "$work"
if ! npm install >npm.log 2>&1; then
    code=$(sed -n 's/^npm \(ERR!\|error\) code //p' npm.log)
    case $code in
    E[0-9]* | EAI_AGAIN | ENOTFOUND | ECONN* | ETIMEDOUT | ENET* | EHOST* | ERR_SOCKET*)
        skip "npm does not reach its registry: $code" ;;
    esac
    cat npm.log
    exit 1
fi
expect "$2" node "$2.mjs"
