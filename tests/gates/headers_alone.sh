#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles by itself, as C11 and as C++17, with both compilers.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
n=0
for header in "$root"/include/[!i]*/*.h "$root"/include/ikev2/*.h; do
    for c in gcc clang; do
        # shellcheck disable=SC2086
        $c -std=c11 $warnings -fsyntax-only -x c -I "$root/include" -include "$header" /dev/null
        # shellcheck disable=SC2086
        case $c in gcc) cxx=g++ ;; *) cxx=clang++ ;; esac
        $cxx -std=c++17 $warnings -fsyntax-only -x c++ -I "$root/include" -include "$header" /dev/null
    done
    n=$((n + 1))
done
echo "$n headers compile alone"
