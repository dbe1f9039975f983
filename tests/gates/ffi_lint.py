#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails where a public header holds what other languages cannot bind: the rules in docs/ffi.md."""
import re
import sys

from headers import LIBRARIES, declarations, public_headers

SCALAR = r"(?:u?int(?:8|16|32|64)_t|size_t|char|void)"
# Mutators of an engine that take no time: they are cleaned up after or only read a queue.
TIMELESS = ("_free", "_poll_event", "_poll_route", "_poll_label")
problems = []


def problem(library, name, text):
    problems.append(f"{library}: {name}: {text}")


def check_type(library, name, spelled, by_value_struct):
    base = re.sub(r"\b(const|struct)\b", "", spelled)
    base = re.sub(r"\[[^\]]*\]", "", base)
    pointers = base.count("*")
    base = base.replace("*", "").strip()
    if re.fullmatch(SCALAR, base):
        if base == "void" and pointers == 0:
            problem(library, name, "void as a value")
        if base == "char" and pointers == 0 and "[" not in spelled:
            problem(library, name, "char as a value: its sign is the compiler's")
        return
    if base == library + "_rc":
        return
    if re.fullmatch(library + r"_[a-z0-9_]+", base):
        if pointers == 0 and not by_value_struct:
            problem(library, name, f"a struct by value: {spelled}")
        return
    problem(library, name, f"a type that the FFI rules leave out: {spelled}")


def check_record(library, node):
    name = node.get("name", "(anonymous)")
    if node.get("tagUsed") == "union":
        problem(library, name, "a union")
    for field in node.get("inner", []):
        if field["kind"] == "RecordDecl":
            problem(library, name, "an anonymous struct or union inside")
        if field["kind"] != "FieldDecl":
            continue
        spelled = field["type"]["qualType"]
        label = f"{name}.{field.get('name', '(anonymous)')}"
        if field.get("isBitfield"):
            problem(library, label, "a bitfield")
        if "(*" in spelled:
            if name != f"{library}_allocator":
                problem(library, label, "a callback; the allocator's is the only one")
            continue
        check_type(library, label, spelled, by_value_struct=True)


def check_function(library, node):
    name = node["name"]
    if node.get("inline"):
        problem(library, name, "inline")
    if node.get("variadic"):
        problem(library, name, "variable arguments")
    if not name.startswith(library + "_"):
        problem(library, name, "does not begin with the library's name")
    result = node["type"]["qualType"].split("(")[0].strip()
    if result != "void":
        check_type(library, name, result, by_value_struct=False)
    params = [p for p in node.get("inner", []) if p["kind"] == "ParmVarDecl"]
    for param in params:
        check_type(library, f"{name}({param.get('name', '?')})", param["type"]["qualType"],
                   by_value_struct=False)
    engine = f"{library}_engine *"
    if params and params[0]["type"]["qualType"] == engine and not name.endswith(TIMELESS):
        if len(params) < 2 or params[1].get("name") != "now_ms":
            problem(library, name, "changes an engine and does not take now_ms second")
    for before, after in zip(params, params[1:]):
        if after.get("name", "").endswith("now_ms") and before is not params[0]:
            problem(library, name, "now_ms is not the second argument")


def check_text(library):
    for path in public_headers(library):
        text = open(path, encoding="utf-8").read()
        for macro in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+\([^)]*\))", text, re.M):
            problem(library, macro, "a macro with arguments")
        for name in re.findall(r"^[^*/]*\b(\w+_t);", text, re.M):
            problem(library, name, "a type that ends in _t belongs to POSIX")


for library in LIBRARIES:
    check_text(library)
    for node in declarations(library):
        kind = node["kind"]
        if kind == "RecordDecl":
            check_record(library, node)
        elif kind == "FunctionDecl":
            check_function(library, node)
        elif kind == "EnumDecl" and node.get("name"):
            problem(library, node["name"], "a named enum: its width is the compiler's")
        elif kind == "VarDecl":
            problem(library, node["name"], "an exported variable")

print("\n".join(problems))
print(f"{len(problems)} problems in the headers of {len(LIBRARIES)} libraries")
sys.exit(bool(problems))
