#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""label_dump.py LABEL_DUMP: the program prints the lines that vectors/labels.txt states, in the
order of its arguments, and docs/nhrp-labels.md prints each of those vectors."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def vectors():
    text = open(os.path.join(HERE, "vectors", "labels.txt")).read()
    for record in re.split(r"\n\s*\n", re.sub(r"^#.*\n", "", text, flags=re.M)):
        joined = re.sub(r"\n\s+", " ", record.strip())
        fields = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in joined.splitlines())
        if fields:
            yield fields["name"], fields["value"], fields["json"]


def main(program):
    named = list(vectors())
    document = open(os.path.join(HERE, "..", "..", "docs", "nhrp-labels.md")).read()
    words = " ".join(document.split())
    missing = [n for n, v, j in named if n not in words or " ".join(v.split()) not in words]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for i, (_, value, _) in enumerate(named):
            files.append(os.path.join(folder, str(i)))
            with open(files[-1], "wb") as f:
                f.write(bytes.fromhex(value))
        out = subprocess.run([program] + files, capture_output=True, text=True, check=True).stdout
    lines = out.splitlines()
    wrong = [n for (n, _, j), line in zip(named, lines) if j != line]
    for name in missing:
        print(f"not in docs/nhrp-labels.md: {name}")
    for name in wrong:
        print(f"printed otherwise: {name}")
    print(f"{len(named)} vectors")
    return 1 if missing or wrong or len(lines) != len(named) or not named else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
