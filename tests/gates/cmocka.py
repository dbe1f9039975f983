# SPDX-License-Identifier: Apache-2.0
"""Which cmocka tests there are."""
import re


def tests_in(source):
    """Tests that are written and registered, by whatever macro."""
    written = set(re.findall(r"^static void (\w+)\(void \*\*\w*\)", source, re.M))
    registered = set(re.findall(r"\b[A-Za-z_]+\(\s*(\w+)\s*[,)]", source[source.rfind("int main("):]))
    return written & registered
