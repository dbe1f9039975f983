#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# consumers.sh PREFIX: a project outside the tree finds each installed library by CMake and by
# pkg-config, links it shared and static, and runs.
set -eu
prefix=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -d "$prefix/include/nhrp" ] || { echo "nothing is installed in $prefix"; exit 77; }
pkgconfig=$(dirname "$(find "$prefix" -name nhrp.pc)")
libdir=$(dirname "$pkgconfig")

cd "$work"
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
foreach(library gre esp mplsvpn nhrp ikev2 bgpvpn)
  find_package(${library} 0.1 REQUIRED)
  foreach(kind "" _static)
    add_executable(find_${library}${kind} ${library}.c)
    target_link_libraries(find_${library}${kind} PRIVATE ${library}::${library}${kind})
  endforeach()
endforeach()
END
for library in gre esp mplsvpn nhrp ikev2 bgpvpn; do
    cat >$library.c <<END
#include <$library/$library.h>
#include <stdio.h>
int main(void)
{
    printf("$library %x\n", (unsigned)${library}_version());
    return 0;
}
END
    export PKG_CONFIG_PATH="$pkgconfig"
    # shellcheck disable=SC2046
    cc $library.c -o pc_$library $(pkg-config --cflags --libs $library) "-Wl,-rpath,$libdir"
    # shellcheck disable=SC2046
    cc $library.c -o pc_${library}_static $(pkg-config --cflags $library) "$libdir/lib$library.a" \
        $(pkg-config --static --libs-only-l $library | sed "s/-l$library\\b//")
done
cmake -G Ninja -S . -B build -DCMAKE_PREFIX_PATH="$prefix" >cmake.log 2>&1 || { cat cmake.log; exit 1; }
cmake --build build >build.log 2>&1 || { cat build.log; exit 1; }
n=0
for program in build/find_* pc_*; do
    case $program in *.c) continue ;; esac
    [ "$("./$program" | cut -d' ' -f2)" = 100 ] || { echo "$program: wrong version"; exit 1; }
    n=$((n + 1))
done
[ "$n" -eq 24 ]
echo "$n programs of other projects link the installed libraries"
