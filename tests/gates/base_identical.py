#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""include/<lib>/base.h is the same in every library, up to the prefix."""
import os
import sys

from headers import LIBRARIES, ROOT


def neutral(library):
    with open(os.path.join(ROOT, "include", library, "base.h"), encoding="utf-8") as f:
        text = f.read()
    return text.replace(library + "_", "X_").replace(library.upper() + "_", "X_")


different = [lib for lib in LIBRARIES if neutral(lib) != neutral("nhrp")]
print("base.h differs from nhrp's in: " + (", ".join(different) or "none"))
sys.exit(bool(different))
