#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares sizes, offsets, constants and functions of the public headers with tests/abi/*.abi.

abi.py --update writes the files anew: a diff in them is a change of the ABI, to be explained in
the commit that makes it.
"""
import difflib
import os
import subprocess
import sys
import tempfile

from headers import LIBRARIES, ROOT, declarations, includes_of


def shape(library):
    lines, functions = [], []
    for node in declarations(library):
        name = node.get("name")
        if node["kind"] == "RecordDecl" and node.get("completeDefinition") and name:
            lines.append(f'printf("struct {name} %zu\\n", sizeof({name}));')
            for field in node.get("inner", []):
                if field["kind"] == "FieldDecl":
                    f = field["name"]
                    lines.append(f'printf("  {f} at %zu, %zu: {field["type"]["qualType"]}\\n",'
                                 f' offsetof({name}, {f}), sizeof((({name} *)0)->{f}));')
        elif node["kind"] == "EnumDecl":
            for constant in node.get("inner", []):
                if constant["kind"] == "EnumConstantDecl":
                    c = constant["name"]
                    lines.append(f'printf("{c} = %lld\\n", (long long){c});')
        elif node["kind"] == "FunctionDecl":
            params = ", ".join(p["type"]["qualType"] for p in node.get("inner", [])
                               if p["kind"] == "ParmVarDecl")
            functions.append(f'{node["type"]["qualType"].split("(")[0].strip()} {name}({params})')
    program = ("#include <stddef.h>\n#include <stdio.h>\n" + includes_of(library)
               + "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n")
    with tempfile.TemporaryDirectory() as folder:
        source, binary = os.path.join(folder, "abi.c"), os.path.join(folder, "abi")
        with open(source, "w", encoding="utf-8") as f:
            f.write(program)
        subprocess.run(["cc", "-I", os.path.join(ROOT, "include"), source, "-o", binary],
                       check=True)
        out = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
    return out + "".join(f + "\n" for f in sorted(functions))


changed = False
for library in LIBRARIES:
    path = os.path.join(ROOT, "tests", "abi", library + ".abi")
    now = shape(library)
    if "--update" in sys.argv:
        with open(path, "w", encoding="utf-8") as f:
            f.write(now)
        continue
    with open(path, encoding="utf-8") as f:
        pinned = f.read()
    diff = list(difflib.unified_diff(pinned.splitlines(), now.splitlines(), path, "headers",
                                     lineterm=""))
    print("\n".join(diff))
    changed = changed or bool(diff)
if changed:
    print("the ABI changed: if that is meant, run tests/gates/abi.py --update and say why")
sys.exit(changed)
