#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as .clang-format has it.
set -eu
cd "$(dirname "$0")/../.."
find include lib* examples fuzz tests bench -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run --Werror
