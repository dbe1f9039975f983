#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The public headers of a library as clang parses them: what the gates have in common."""
import glob
import json
import os
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LIBRARIES = ["gre", "esp", "mplsvpn", "nhrp", "ikev2", "bgpvpn"]


def public_headers(library):
    return sorted(glob.glob(os.path.join(ROOT, "include", library, "*.h")))


def includes_of(library):
    return "".join(f'#include "{path}"\n' for path in public_headers(library))


def declarations(library):
    """Top-level AST nodes that come from the library's own headers."""
    result = subprocess.run(
        ["clang", "-x", "c", "-std=c11", "-fsyntax-only", "-Xclang", "-ast-dump=json",
         "-I", os.path.join(ROOT, "include"), "-"],
        input=includes_of(library), capture_output=True, text=True, check=True)
    own = os.path.join(ROOT, "include", library) + os.sep
    path = ""
    for node in json.loads(result.stdout)["inner"]:
        path = last_file(node.get("loc", {}), path)
        if path.startswith(own):
            yield node
        path = last_file(node, path)


def last_file(node, path):
    """clang names a file only where it differs from the one named before, at whatever depth."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "file":
            path = value
        elif key != "includedFrom" and isinstance(value, (dict, list)):
            path = last_file(value, path)
    return path
