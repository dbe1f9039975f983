# SPDX-License-Identifier: Apache-2.0
"""Loads an installed LabelMesh library from its own headers: no binding is written by hand.

    nhrp = load("nhrp")
    nhrp.lib.nhrp_version()

The headers hold nothing that cffi cannot read (docs/ffi.md), so preprocessing them is all there is.
"""
import os
import re
import subprocess
import types

import cffi


def pkg_config(option, library):
    result = subprocess.run(["pkg-config", option, library], capture_output=True, text=True,
                            check=True)
    return result.stdout.strip()


def declarations(library):
    include = pkg_config("--variable=includedir", library)
    result = subprocess.run(
        ["cc", "-E", "-P", "-I", include, f"-D{library.upper()}_API=", "-D__attribute__(x)=",
         "-include", "stdint.h", "-"],
        input=f"MARK\n#include <{library}/{library}.h>\n", capture_output=True, text=True,
        check=True)
    # cffi knows the types of the system headers, which come before the mark.
    return re.sub(r"^extern \"C\".*$", "", result.stdout.split("MARK", 1)[1], flags=re.M)


def load(library):
    """The library's functions and constants as .lib, and its cffi as .ffi."""
    ffi = cffi.FFI()
    ffi.cdef(declarations(library))
    path = os.path.join(pkg_config("--variable=libdir", library), f"lib{library}.so")
    return types.SimpleNamespace(ffi=ffi, lib=ffi.dlopen(path))
