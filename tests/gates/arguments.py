#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails where a public function lacks a call that it must refuse.

For each function of a library's headers, tests/<library>/test_arguments.c must hold
  - a call with nothing wrong, in accepts(), or in an assertion where it returns no result;
  - for each pointer parameter a call in which that argument alone is NULL;
  - for each parameter of type size_t a call in which it is 0;
  - for each parameter that points at a struct with a struct_size, refuses_sizes() with sized();
and where its comment lists ERR_NOMEM, a step() with it, under
assert_steps_survive_every_allocation_failure(). What is found there is compiled and asserted: calls
count only within the macros of tests/harness/refusal.h and within cmocka's assertions, those of
functions that return nothing excepted.
"""
import functools
import os
import re
import sys

from headers import LIBRARIES, ROOT, declarations, public_headers

ASSERTING = re.compile(
    r"\b(refuses|refuses_sizes|answers|accepts|step|assert_\w+)\s*\((?:[^;(){}]*,)?\s*$")


class Function:
    def __init__(self, node, versioned, needs_memory):
        self.name = node["name"]
        self.returns = node["type"]["qualType"].split("(")[0].strip()
        self.params = [p for p in node.get("inner", []) if p["kind"] == "ParmVarDecl"]
        types = [p["type"]["qualType"] for p in self.params]
        self.pointers = [i for i, t in enumerate(types) if "*" in t or "[" in t]
        self.sizes = [i for i, t in enumerate(types) if t == "size_t"]
        self.versioned = [i for i, t in enumerate(types)
                          if t.count("*") == 1 and base_of(t) in versioned]
        self.needs_memory = self.name in needs_memory


def base_of(spelled):
    return re.sub(r"\b(const|struct)\b|\*", "", spelled).strip()


@functools.lru_cache
def functions_of(library):
    nodes = list(declarations(library))
    versioned = set()
    for node in nodes:
        fields = [f for f in node.get("inner", []) if f["kind"] == "FieldDecl"]
        if node["kind"] == "RecordDecl" and fields and fields[0].get("name") == "struct_size":
            versioned.add(node["name"])
    text = "".join(open(path, encoding="utf-8").read() for path in public_headers(library))
    needs_memory = set()
    for comment, name in re.findall(r"/\*\*((?:(?!\*/).)*)\*/\s*[A-Z0-9]+_API[^;]*?(\w+)\(", text,
                                    re.S):
        if re.search(r"@retval\s+\w+_ERR_NOMEM", comment):
            needs_memory.add(name)
    return [Function(node, versioned, needs_memory) for node in nodes
            if node["kind"] == "FunctionDecl"]


def arguments(text, at):
    """The arguments between the bracket at text[at] and the one that closes it."""
    parts, depth, begin = [], 0, at + 1
    for i in range(at, len(text)):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and text[i] == ","):
            parts.append(" ".join(text[begin:i].split()))
            begin = i + 1
        if depth == 0:
            break
    return parts if parts != [""] else []


def calls_of(source):
    """name -> [(the macro around it, arguments)] of all calls in C source."""
    text = re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"", '""', source, flags=re.S)
    calls = {}
    for match in re.finditer(r"\b([a-z]\w*)\(", text):
        around = ASSERTING.search(text[max(0, match.start() - 400):match.start()])
        calls.setdefault(match.group(1), []).append(
            (around.group(1) if around else "", arguments(text, match.end() - 1)))
    return calls


def missing(function, calls):
    """What is not there, and how much was looked for."""
    found = [(macro, args) for macro, args in calls.get(function.name, [])
             if len(args) == len(function.params) and (macro or function.returns == "void")]
    wanted = {"nothing wrong": any(
        "NULL" not in args and (macro == "accepts" or not function.returns.endswith("_rc"))
        for macro, args in found)}
    for i in function.pointers:
        wanted[f"{function.params[i]['name']} NULL"] = any(
            [n for n, a in enumerate(args) if a == "NULL"] == [i] for _, args in found)
    for i in function.sizes:
        wanted[f"{function.params[i]['name']} 0"] = any(args[i] == "0" for _, args in found)
    for i in function.versioned:
        wanted[f"{function.params[i]['name']} of a wrong size"] = (
            function.name.endswith("_init") or
            any(macro == "refuses_sizes" and args[i].startswith("sized(")
                for macro, args in found))
    if function.needs_memory:
        wanted["no memory"] = any(macro == "step" for macro, _ in found)
    return [what for what, is_there in wanted.items() if not is_there], len(wanted)


def check(library, source):
    calls = calls_of(source)
    functions = functions_of(library)
    problems, count = [], 0
    for function in functions:
        absent, wanted = missing(function, calls)
        problems += [f"{library}: {function.name}: no call with {what}" for what in absent]
        count += wanted
    if any(f.needs_memory for f in functions) and (
            "assert_steps_survive_every_allocation_failure" not in calls):
        problems.append(f"{library}: no assert_steps_survive_every_allocation_failure()")
    return problems, len(functions), count


def sees_a_planted_gap(library, source):
    """Takes calls out one kind at a time; each kind must be missed."""
    for there, planted in (("NULL", "other"), ("0", "1"), ("refuses_sizes", "refuses"),
                           ("accepts", "ignores"), ("step", "ignores")):
        changed = re.sub(rf"\b{there}\b", planted, source)
        if changed != source and not check(library, changed)[0]:
            return False
    return True


def main():
    problems, functions, count = [], 0, 0
    for library in LIBRARIES:
        path = os.path.join(ROOT, "tests", library, "test_arguments.c")
        source = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        found, n, wanted = check(library, source)
        problems += found
        functions += n
        count += wanted
        if not found and not sees_a_planted_gap(library, source):
            problems.append(f"{library}: a call that was taken out is not missed")
    print("\n".join(problems))
    print(f"{len(problems)} of {count} calls are missing, for {functions} functions "
          f"of {len(LIBRARIES)} libraries")
    return bool(problems)


sys.exit(main())
