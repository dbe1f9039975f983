#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""symbols.py FOLDER: each lib<name>.so below exports what its headers declare, and nothing else."""
import glob
import os
import re
import subprocess
import sys

from headers import LIBRARIES, declarations

problems = []
for library in LIBRARIES:
    path = glob.glob(os.path.join(sys.argv[1], "**", f"lib{library}.so"), recursive=True)[0]
    out = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True,
                         check=True).stdout
    exported = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    declared = {n["name"] for n in declarations(library) if n["kind"] == "FunctionDecl"}
    problems += [f"{library}: {s} is exported and does not begin with {library}_"
                 for s in exported if not re.match(f"{library}_", s)]
    problems += [f"{library}: {s} is exported and in no public header" for s in exported - declared]
    problems += [f"{library}: {s} is declared and not exported" for s in declared - exported]
print("\n".join(sorted(problems)))
sys.exit(bool(problems))
