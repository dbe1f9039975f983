#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each test that docs/threats.md names exists and is run: a cmocka test, a fuzz target with a corpus,
or a file."""
import glob
import os
import re
import sys

from cmocka import tests_in
from headers import ROOT


def read(path):
    return open(os.path.join(ROOT, path)).read()


def named(document):
    """The names in the column 'shown by', with the line that has them."""
    column = None
    for number, line in enumerate(document.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")]
        if "shown by" in cells:
            column = cells.index("shown by")
        elif not line.startswith("|"):
            column = None
        elif column is not None:
            if len(cells) != 7:
                yield number, None
            for name in re.findall(r"`([^`]+)`", cells[column]):
                yield number, name


def main():
    tests = set()
    for path in glob.glob(os.path.join(ROOT, "tests", "*", "*.c")):
        tests |= tests_in(open(path).read())
    targets = "".join(open(p).read() for p in glob.glob(os.path.join(ROOT, "fuzz", "*.cmake")))
    problems = []
    count = 0
    for number, name in named(read("docs/threats.md")):
        if name is None:
            problems.append(f"docs/threats.md:{number}: not five columns")
            continue
        count += 1
        if "/" in name:
            found = os.path.exists(os.path.join(ROOT, name))
        elif name.startswith("fuzz_"):
            found = f"labelmesh_fuzz({name[5:]} " in targets
        else:
            found = name in tests
        if not found:
            problems.append(f"docs/threats.md:{number}: no such test is run: {name}")
    print("\n".join(problems) if problems else f"{count} tests named")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
