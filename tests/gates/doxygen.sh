#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doxygen.sh OUTPUT: the reference of the public headers; a warning is an error.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
cd "$root"
{
    cat docs/Doxyfile
    echo "OUTPUT_DIRECTORY = $1"
} | doxygen -
