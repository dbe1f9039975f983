#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# readme.sh PREFIX: the program in README.md is the one in examples/, and the command beneath it
# builds it on the installed libraries.
set -eu
prefix=$1
cd "$(dirname "$0")/../.."
[ -d "$prefix/include/nhrp" ] || { echo "nothing is installed in $prefix"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d' >"$work/readme.c"
sed -n '/^#include/,$p' examples/first/first.c | diff "$work/readme.c" -

command=$(sed -n 's/^ *\(cc .*pkg-config.*\)$/\1/p' README.md)
[ -n "$command" ]
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name nhrp.pc)")
export PKG_CONFIG_PATH
eval "$(echo "$command" | sed "s#-o first#-o $work/first#")"
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH") "$work/first" | tee "$work/out"
# RFC 2332 5.1: it is a packet of ar$afn IPv4 and ar$pro.type IPv4.
grep -Eq 'send [0-9]+ bytes on link 7.*: 00010800' "$work/out"
