#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails where docs/bad-input.md names a test or a seed that is not there, or leaves one out."""
import glob
import os
import re
import sys

from cmocka import tests_in
from headers import ROOT

DOCUMENT = os.path.join(ROOT, "docs", "bad-input.md")


def read(path):
    return open(path, encoding="utf-8").read()


def problems_of(document):
    named = set(re.findall(r"`([a-z0-9_]+)`", document))
    seeds = set(re.findall(r"`(\w+_\w+/\w+)`", document))
    sources = {path: tests_in(read(path)) for path in glob.glob(f"{ROOT}/tests/*/test_*.c")}
    there = set().union(*sources.values())
    problems = [f"no test runs as {name}" for name in sorted(named - there)]
    for path, tests in sources.items():
        if path.endswith("test_bad_input.c"):
            problems += [f"{os.path.relpath(path, ROOT)}: {name} is not listed"
                         for name in sorted(tests - named)]
    corpus = {os.path.relpath(path, f"{ROOT}/fuzz/corpus")
              for path in glob.glob(f"{ROOT}/fuzz/corpus/*/*")}
    problems += [f"no seed {seed}" for seed in sorted(seeds - corpus)]
    problems += [f"fuzz/corpus/{seed} is not listed" for seed in sorted(corpus - seeds)
                 if os.path.basename(seed).startswith("bad_")]
    for row in re.findall(r"^\|.*\|$", document, re.M):
        if "`" not in row and not re.match(r"\| shape|\|---", row):
            problems.append(f"a row without a test: {row[:60]}")
    return problems, len(named), len(seeds)


document = read(DOCUMENT)
problems, tests, seeds = problems_of(document)
# A name misspelt and a row without a test must be seen.
for planted in (document.replace("errors_within_errors", "errors_in_errors"),
                document + "\n| a shape | seen | outcome | none |\n"):
    if len(problems_of(planted)[0]) <= len(problems):
        problems.append("a planted mistake in docs/bad-input.md is not seen")
print("\n".join(problems))
print(f"{len(problems)} problems in docs/bad-input.md, which names {tests} tests and {seeds} seeds")
sys.exit(bool(problems))
