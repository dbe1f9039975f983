#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each library includes its own headers, the private helpers, libc, and its crypto in crypto_*.c."""
import glob
import os
import re
import sys

from headers import LIBRARIES, ROOT, public_headers

LIBC = {"stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h", "limits.h"}
problems = []

for library in LIBRARIES:
    folder = os.path.join(ROOT, "lib" + library)
    private = glob.glob(os.path.join(folder, "**", "*.[ch]"), recursive=True)
    for path in private + public_headers(library):
        name = os.path.basename(path)
        for include in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)', open(path).read(), re.M):
            public = path not in private
            allowed = (include.startswith(library + "/")
                       or (include in {"stddef.h", "stdint.h"})
                       or (not public and (include in LIBC
                                           or include.startswith("internal/")
                                           or os.path.exists(os.path.join(folder, include))
                                           or include == "sodium.h"
                                           or (include.startswith("openssl/")
                                               and name.startswith("crypto_")))))
            if not allowed:
                problems.append(f"{os.path.relpath(path, ROOT)} includes {include}")

for path in glob.glob(os.path.join(ROOT, "include", "internal", "*.h")):
    for include in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)', open(path).read(), re.M):
        if include not in LIBC | {"sodium.h"} and not os.path.exists(
                os.path.join(ROOT, "include", "internal", include)):
            problems.append(f"{os.path.relpath(path, ROOT)} includes {include}")

print("\n".join(problems))
sys.exit(bool(problems))
