# SPDX-License-Identifier: Apache-2.0
"""Loads an installed LabelMesh library from its own headers: no binding is written by hand.

    nhrp = load("nhrp")
    config = nhrp.struct("config", seed=os.urandom(32))      # defaults by nhrp_config_init
    with nhrp.new("engine", config, now) as engine:          # nhrp_engine_new, nhrp_engine_free
        engine.input(now, link, None, packet, len(packet))   # nhrp_engine_input; raises Error
        for event in engine.events():                        # nhrp_engine_poll_event
            mapping = engine.get_mapping(event.id)           # an output left out is made, returned
            if event.kind == nhrp.EVENT_MAPPING_UP: ...      # NHRP_EVENT_MAPPING_UP

The headers hold nothing that cffi cannot read (docs/ffi.md), so preprocessing them is all there is.
"""
import functools
import ipaddress
import os
import re
import subprocess
import weakref

import cffi


class Error(Exception):
    """A negative result, by the library's own name for it: rc is the number, name its name."""

    def __init__(self, rc, name):
        super().__init__(name)
        self.rc, self.name = rc, name


class Library:
    """One library: its functions and constants without the prefix, and ways to make its structs.

    .ffi and .lib are cffi's own.
    """

    NEVER = 2**64 - 1  # X_NEVER, a macro

    def __init__(self, name):
        self.name, self.ffi = name, cffi.FFI()
        self.ffi.cdef(declarations(name))
        path = os.path.join(pkg_config("--variable=libdir", name), f"lib{name}.so")
        self.lib = self.ffi.dlopen(path)
        version = self.VERSION_MAJOR << 16 | self.VERSION_MINOR << 8 | self.VERSION_PATCH
        if self.version() != version:
            raise ImportError(f"{path} is not of the version of its headers")
        self.kept = weakref.WeakKeyDictionary()  # what a struct points to lives as long as it

    def __getattr__(self, name):
        if name.isupper():
            return getattr(self.lib, f"{self.name.upper()}_{name}")
        return functools.partial(self.call, name)

    def call(self, name, *args):
        """Calls a function. Outputs come last: those that are left out are made and returned."""
        function = getattr(self.lib, f"{self.name}_{name}")
        signature = self.ffi.typeof(function)
        made = [self.blank(t) for t in signature.args[len(args):]]
        rc = function(*map(self.argument, args), *made)
        if signature.result.cname != "int32_t":  # not a result: a deadline, a name
            return rc
        if rc < 0:
            raise Error(rc, self.ffi.string(getattr(self.lib, f"{self.name}_rc_name")(rc)).decode())
        if not made:
            return rc
        if rc == 0 and {"poll", "next"} & set(name.split("_")):
            return None  # nothing is left
        values = [m if self.ffi.typeof(m).item.kind == "struct" else m[0] for m in made]
        return values[0] if len(values) == 1 else tuple(values)

    def argument(self, value):
        if isinstance(value, Object):
            return value.pointer
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self.ffi.from_buffer("uint8_t[]", value)  # no copy: views into it stay good
        return self.ffi.NULL if value is None else value

    def blank(self, pointer_type):
        if pointer_type.item.cname == "uint8_t":  # one or many: the header says
            raise TypeError("bytes are written to a bytearray of the caller's")
        made = self.ffi.new(pointer_type)
        if hasattr(made, "struct_size"):
            made.struct_size = self.ffi.sizeof(made[0])
        return made

    def struct(self, name, **fields):
        """A struct with its defaults; bytes set an array, or a pointer and the length beside it."""
        struct = self.blank(self.ffi.typeof(f"{self.name}_{name} *"))
        if hasattr(self.lib, f"{self.name}_{name}_init"):
            getattr(self.lib, f"{self.name}_{name}_init")(struct)
        self.kept[struct] = kept = list(fields.values())
        types = dict(self.ffi.typeof(struct).item.fields)
        for field, value in fields.items():
            kind = types[field].type.kind
            if kind == "array" and isinstance(value, bytes):
                self.ffi.buffer(getattr(struct, field))[: len(value)] = value
            elif kind == "pointer" and isinstance(value, bytes):
                kept.append(self.ffi.from_buffer("uint8_t[]", value))
                setattr(struct, field, kept[-1])
                setattr(struct, f"{field}_len" if f"{field}_len" in types else "len", len(value))
            elif kind == "struct" and self.ffi.typeof(value).kind == "pointer":
                setattr(struct, field, value[0])
            else:
                setattr(struct, field, value)
        return struct

    def new(self, kind, *args):
        return Object(self, kind, *args)

    def address(self, text, port=0, scope=0):
        """An X_addr from "192.0.2.1" or "10.0.0.0/8"."""
        host = ipaddress.ip_interface(text)
        return self.struct("addr", family=host.version, port=port, scope=scope,
                           prefix_len=host.network.prefixlen if "/" in text else 0,
                           bytes=host.packed)

    def text(self, address):
        ip = ipaddress.ip_address(self.bytes(address.bytes, 4 if address.family == 4 else 16))
        return f"{ip}/{address.prefix_len}" if address.prefix_len else str(ip)

    def bytes(self, pointer, length):
        """A copy of a view: the view itself ends with the next call that changes the object."""
        return bytes(self.ffi.buffer(pointer, length))


class Object:
    """An engine, a table, an SA: its functions are methods; with, or the collector, frees it."""

    def __init__(self, library, kind, *args):
        self.library, self.kind = library, kind
        free = getattr(library.lib, f"{library.name}_{kind}_free")
        self.pointer = library.call(f"{kind}_new", *args)
        # What it was made from is held until it is freed: a reader goes before its table.
        self.free = weakref.finalize(self, lambda pointer, _: free(pointer), self.pointer, args)

    def __getattr__(self, verb):
        return functools.partial(self.library.call, f"{self.kind}_{verb}", self.pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.free()
        self.pointer = self.library.ffi.NULL  # a call after this raises X_ERR_ARG

    def events(self):
        return iter(self.poll_event, None)

    def outputs(self, now):
        buffer = bytearray(65536)
        while out := self.poll_output(now, buffer, len(buffer)):
            yield out, bytes(buffer[: out.len])


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


@functools.lru_cache
def load(library):
    return Library(library)
