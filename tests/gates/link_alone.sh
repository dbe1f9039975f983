#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# link_alone.sh LIBRARY [pkg-config module...]: builds the library from a copy that holds only its
# own folder, its public headers and include/internal, and resolves every symbol.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
library=$1
shift
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/include"
cp -r "$root/lib$library" "$copy/"
cp -r "$root/include/$library" "$root/include/internal" "$copy/include/"
cd "$copy"
flags=
[ $# -eq 0 ] || flags="$(pkg-config --cflags --libs "$@")"
# shellcheck disable=SC2086
cc -std=c11 -O0 -fPIC -shared -fvisibility=hidden -Wl,--no-undefined -Iinclude \
    $(find "lib$library" -name '*.c') -o "lib$library.so" $flags
echo "lib$library links alone${*:+ with $*}"
