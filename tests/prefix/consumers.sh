#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# consumers.sh PREFIX BUILD: what BUILD installs with DESTDIR works where it is moved to. There each
# library, with no file of another beside it, is found by a project outside the tree, by CMake and
# by pkg-config, linked shared and static, and does what its RFC says.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
use_prefix "$1"
[ -f "$2/cmake_install.cmake" ] || skip "there is no build in $2"
need cmake ninja-build gcc pkg-config libssl-dev libsodium-dev || skip "a compiler or cmake is missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quietly env DESTDIR="$work/stage" cmake --install "$2"
mv "$work/stage$1" "$work/moved"
if grep -rF "$1" "$work/moved" --include='*.pc' --include='*.cmake'; then
    echo "the prefix is written into these files"
    exit 1
fi
libdir=${PKG_CONFIG_PATH#"$1"} # below the prefix: lib/pkgconfig, say
libdir=${libdir%/pkgconfig}

check() { # LIBRARY PROGRAM STATIC: prints what expected/consumers.txt has of the library
    local expected printed
    expected=$(grep "^$1: " "$root/tests/prefix/expected/consumers.txt")
    printed=$("$2") || { echo "$2: exit $?"; return 1; }
    diff <(echo "$expected") <(echo "$printed")
    links "$2" "$1" "$3"
}

sources=$root/tests/prefix/consumers
for library in gre esp mplsvpn nhrp ikev2 bgpvpn; do
    alone=$work/$library
    mkdir -p "$alone/include" "$alone$libdir/pkgconfig" "$alone$libdir/cmake"
    cp -r "$work/moved/include/$library" "$alone/include"
    cp -P "$work/moved$libdir/lib$library".* "$alone$libdir"
    cp "$work/moved$libdir/pkgconfig/$library.pc" "$alone$libdir/pkgconfig"
    cp -r "$work/moved$libdir/cmake/$library" "$alone$libdir/cmake"

    build=$work/build-$library
    quietly cmake -G Ninja -S "$sources" -B "$build" -DLIBRARY="$library" \
        -DCMAKE_PREFIX_PATH="$alone"
    quietly cmake --build "$build"
    check "$library" "$build/shared" OFF
    check "$library" "$build/static" ON

    export PKG_CONFIG_PATH=$alone$libdir/pkgconfig
    warnings=(-std=c11 -Wall -Wextra -Wpedantic -Werror)
    # shellcheck disable=SC2046
    quietly cc "${warnings[@]}" "$sources/$library.c" -o "$build/pc_shared" \
        $(pkg-config --cflags --libs "$library") "-Wl,-rpath,$alone$libdir"
    check "$library" "$build/pc_shared" OFF
    # With -static everything is, the libraries that ours needs too.
    # shellcheck disable=SC2046
    quietly cc "${warnings[@]}" -static "$sources/$library.c" -o "$build/pc_static" \
        $(pkg-config --static --cflags --libs "$library")
    check "$library" "$build/pc_static" ON
    echo "lib$library: by CMake and by pkg-config, shared and static"
done
