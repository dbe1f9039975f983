#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cpp.sh PREFIX COMPILER: the C++ programs, on the installed libraries, shared and static, by the
# CMake packages; the libraries' headers are held to the same warnings.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
use_prefix "$1"
need cmake ninja-build g++ clang pkg-config libsodium-dev || skip "a compiler or cmake is missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for static in OFF ON; do
    quietly cmake -G Ninja -S "$root/examples/ffi/cpp" -B "$work/$static" -DSTATIC=$static \
        -DCMAKE_CXX_COMPILER="$2" -DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON -DCMAKE_PREFIX_PATH="$1"
    quietly cmake --build "$work/$static"
    for library in nhrp mplsvpn; do
        expect $library "$work/$static/$library"
        links "$work/$static/$library" $library $static
    done
done
