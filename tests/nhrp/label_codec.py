#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second codec of the NHRP label extension, version 1.

Written from docs/nhrp-labels.md and the RFCs that it names, and from nothing else: where this file and
libnhrp answer differently, one of them does not do what the document says, or the document says two
things. "Section" in the comments is a section of that document.

    label_codec.py FILE...      one line of section 4.3 for each file, the value of one extension
"""

import json
import sys
from typing import Iterable, NamedTuple, Sequence, Tuple

DEFAULT_OUI = 0x024D50  # section 10
LETTER = 0x4C  # section 2.1
VERSION = 1  # section 2.1
HEADER_LENGTH = 5  # section 2.1: OUI, letter, version
MAX_VALUE_LENGTH = 65535  # section 4: what the Length of RFC 2332 can count

ITEM_BINDING = 1  # section 2.2
MIN_BINDINGS, MAX_BINDINGS = 1, 16  # section 3, items
BINDING_FIXED_LENGTH = 6  # section 2.3: what stands before the label entries
LABEL_ENTRY_LENGTH = 3  # section 2.3

MAX_PREFIX_LENGTH = {1: 32, 2: 128}  # section 3: by AFI, and no AFI but these
MIN_LABELS, MAX_LABELS = 1, 4  # section 3, label count
IMPLICIT_NULL = 3  # section 1.1
MIN_LABEL, MAX_LABEL = 16, 1048575  # section 3, label: the ones that are not special

IGNORED, REFUSED, ACCEPTED = "ignored", "refused", "accepted"  # section 4


class Binding(NamedTuple):
    """All that a binding means (section 4.2)."""

    role: int
    afi: int
    prefix_length: int
    prefix: bytes  # ceil(prefix_length / 8) octets
    labels: Tuple[int, ...]  # top first


class Meaning(NamedTuple):
    """The result of decoding a value (section 4); bindings are empty unless it was accepted."""

    result: str
    bindings: Tuple[Binding, ...] = ()

    def to_json(self) -> str:
        """One line without its end (section 4.3)."""
        line: dict = {"result": self.result}
        if self.result == ACCEPTED:
            line["bindings"] = [
                {
                    "role": b.role,
                    "afi": b.afi,
                    "prefix_length": b.prefix_length,
                    "prefix": b.prefix.hex(),
                    "labels": list(b.labels),
                }
                for b in self.bindings
            ]
        return json.dumps(line, separators=(",", ":"))


class Malformed(ValueError):
    """A reason to refuse a value. Reasons have no order and no distinction (section 4.2)."""


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise Malformed(reason)


def _prefix_octets(prefix_length: int) -> int:
    return (prefix_length + 7) // 8


def _check_prefix(afi: int, prefix_length: int, prefix: bytes) -> None:
    """Section 3: AFI, prefix length, prefix."""
    _require(afi in MAX_PREFIX_LENGTH, "an AFI other than 1 and 2")
    _require(0 <= prefix_length <= MAX_PREFIX_LENGTH[afi], "a prefix longer than an address")
    _require(len(prefix) == _prefix_octets(prefix_length), "a prefix of the wrong size")
    spare = 8 * len(prefix) - prefix_length
    _require(int.from_bytes(prefix, "big") % (1 << spare) == 0, "a bit beyond the prefix length")


def _check_labels(labels: Sequence[int]) -> None:
    """Section 3: label count, label."""
    _require(MIN_LABELS <= len(labels) <= MAX_LABELS, "not one to four labels")
    for label in labels:
        ordinary = MIN_LABEL <= label <= MAX_LABEL
        _require(ordinary or (label == IMPLICIT_NULL and len(labels) == 1), "a special label")


def _decode_binding(value: bytes) -> Binding:
    """binding(I) of section 4.1, for a binding of any role, known or not."""
    _require(len(value) >= BINDING_FIXED_LENGTH, "no whole fixed part")
    role = value[0]  # any (section 3); value[1], the flags, is ignored
    afi = int.from_bytes(value[2:4], "big")
    prefix_length = value[4]
    count = value[5]

    labels_end = BINDING_FIXED_LENGTH + LABEL_ENTRY_LENGTH * count
    _require(
        len(value) == labels_end + _prefix_octets(prefix_length),  # section 2.3
        "octets left over, or too few",
    )
    labels = []
    for at in range(BINDING_FIXED_LENGTH, labels_end, LABEL_ENTRY_LENGTH):
        entry = int.from_bytes(value[at : at + LABEL_ENTRY_LENGTH], "big")
        labels.append(entry >> 4)  # the three bits below, Rsrv, are ignored
        last = at + LABEL_ENTRY_LENGTH == labels_end
        _require(entry & 1 == int(last), "S is not the mark of the last entry")
    prefix = value[labels_end:]

    _check_prefix(afi, prefix_length, prefix)
    _check_labels(labels)
    return Binding(role, afi, prefix_length, prefix, tuple(labels))


def _decode_items(value: bytes) -> Tuple[Binding, ...]:
    """The items that follow the header (section 4.1)."""
    bindings = []
    at = HEADER_LENGTH
    while at < len(value):
        _require(len(value) - at >= 2, "half an item header")
        kind, length = value[at], value[at + 1]
        start, end = at + 2, at + 2 + length
        _require(end <= len(value), "an item longer than what is left")
        if kind == ITEM_BINDING:  # all others are skipped unseen (sections 2.2, 4.2)
            bindings.append(_decode_binding(value[start:end]))
            _require(len(bindings) <= MAX_BINDINGS, "more than sixteen bindings")
        at = end
    _require(len(bindings) >= MIN_BINDINGS, "no binding")
    return tuple(bindings)


def _header(oui: int) -> bytes:
    """Octets 0 to 4 of a value (section 2.1)."""
    return oui.to_bytes(3, "big") + bytes((LETTER, VERSION))


def decode(value: bytes, oui: int = DEFAULT_OUI) -> Meaning:
    """The meaning of the value of an extension of type 8 (section 4)."""
    if len(value) > MAX_VALUE_LENGTH:
        raise ValueError("longer than any extension")  # section 4: not an input at all
    if value[:HEADER_LENGTH] != _header(oui):  # also when there are fewer than 5 octets
        return Meaning(IGNORED)  # before all else (section 4.2)
    try:
        return Meaning(ACCEPTED, _decode_items(value))
    except Malformed:
        return Meaning(REFUSED)


def _encode_binding(binding: Binding) -> bytes:
    _require(0 <= binding.role <= 255, "a role that has no octet")
    _check_prefix(binding.afi, binding.prefix_length, binding.prefix)
    _check_labels(binding.labels)
    value = bytearray((binding.role, 0))  # flags are sent as 0
    value += binding.afi.to_bytes(2, "big")
    value += bytes((binding.prefix_length, len(binding.labels)))
    for i, label in enumerate(binding.labels):
        last = i == len(binding.labels) - 1
        value += (label << 4 | int(last)).to_bytes(LABEL_ENTRY_LENGTH, "big")  # Rsrv is sent as 0
    value += binding.prefix
    return bytes((ITEM_BINDING, len(value))) + value


def encode(bindings: Iterable[Binding], oui: int = DEFAULT_OUI) -> bytes:
    """The one string of octets that section 5 has for a meaning; Malformed if it is not one.

    Roles are not limited to 1 to 3, which a sender keeps to, since every meaning that a decoder
    accepts has its encoding.
    """
    bindings = list(bindings)
    _require(MIN_BINDINGS <= len(bindings) <= MAX_BINDINGS, "not one to sixteen bindings")
    return _header(oui) + b"".join(map(_encode_binding, bindings))


def main(names: Sequence[str]) -> int:
    for name in names:
        with open(name, "rb") as file:
            value = file.read()
        if len(value) > MAX_VALUE_LENGTH:  # section 4.3
            print(f"{name}: longer than any extension", file=sys.stderr)
            return 1
        print(decode(value).to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
