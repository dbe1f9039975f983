#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# python.sh PREFIX LIBRARY: the Python program of a library, on the installed libraries.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
use_prefix "$1"
need python3 python3-cffi gcc pkg-config || skip "python3-cffi is missing"
# Debian's own python3, which has Debian's python3-cffi.
expect "$2" /usr/bin/python3 "$root/examples/ffi/python/$2.py"
