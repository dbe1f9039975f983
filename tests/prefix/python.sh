#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# python.sh PREFIX PROGRAM: runs a Python program on the installed libraries.
set -eu
[ -d "$1/include/nhrp" ] || { echo "nothing is installed in $1"; exit 77; }
PKG_CONFIG_PATH=$(dirname "$(find "$1" -name nhrp.pc)")
export PKG_CONFIG_PATH
# Debian's own, which has Debian's python3-cffi.
exec /usr/bin/python3 "$2"
