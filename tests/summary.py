#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""summary.py RESULT.xml...: adds up ctest's results, and says why each skipped test was."""
import os
import sys
import xml.etree.ElementTree as ElementTree

passed, failed, skipped = 0, [], []
for path in sys.argv[1:]:
    run = os.path.basename(path).split("-")[0]
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('name')} ({run})"
        output = (case.findtext("system-out") or "").strip().splitlines()
        if case.get("status") == "run":
            passed += 1
        elif case.find("skipped") is not None:
            skipped.append(f"skipped: {name}: {output[-1] if output else 'no reason given'}")
        else:
            failed.append(f"failed: {name}")

for line in skipped + failed:
    print(line)
print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
sys.exit(bool(failed) or passed == 0)
