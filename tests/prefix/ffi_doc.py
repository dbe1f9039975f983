#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The code in docs/ffi.md is in the programs that it speaks of, line for line."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = {"python": "python/nhrp.py", "js": "node/nhrp.mjs", "rust": "rust/nhrp.rs",
            "cpp": "cpp/nhrp.cpp"}

blocks = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs/ffi.md").read_text(), re.M | re.S)
strangers = [block for language, block in blocks
             if block not in (ROOT / "examples/ffi" / PROGRAMS[language]).read_text()]
for block in strangers:
    print(block)
print(f"{len(blocks)} pieces of code in docs/ffi.md, {len(strangers)} of them from nowhere")
sys.exit(1 if strangers or not blocks else 0)
