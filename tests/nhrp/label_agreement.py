#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two readings of docs/nhrp-labels.md agree: libnhrp's and label_codec.py's.

    label_agreement.py [--count N] [--seed S] NHRP_LABEL_DUMP

First label_codec.py is held against the document's own vectors (its section 12) and against itself:
what it decodes it encodes to the same meaning. Then both programs print section 4.3's line for every
file of fuzz/corpus/nhrp_label, for changes of each vector and for N generated values; the first
difference fails, with the value in hexadecimal and both lines.
"""

import argparse
import collections
import pathlib
import random
import subprocess
import sys
import tempfile
from typing import Callable, Iterator, List, Sequence, Tuple

sys.dont_write_bytecode = True  # nothing beside the sources
import label_codec  # noqa: E402
from label_codec import ACCEPTED, DEFAULT_OUI, IGNORED, REFUSED, Binding, decode, encode  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCUMENT = ROOT / "docs" / "nhrp-labels.md"
CORPUS = ROOT / "fuzz" / "corpus" / "nhrp_label"
HEADER = bytes.fromhex("024d504c01")
BATCH = 1000  # files for one run of the programs

# Values at and beside every limit of the document's section 3.
EDGE_LABELS = (*range(20), 0x7FFFF, 0x80000, 0xFFFFE, 0xFFFFF)
EDGE_PREFIX_LENGTHS = {
    1: (0, 1, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 128, 255),
    2: (0, 1, 7, 8, 9, 32, 33, 47, 48, 49, 63, 64, 65, 120, 127, 128, 129, 136, 255),
}
EDGE_AFIS = (0, 3, 25, 255, 256, 257, 512, 65535)


def fail(message: str) -> None:
    sys.exit(f"label_agreement: {message}")


def vectors() -> List[Tuple[bytes, str]]:
    """Section 12: indented blocks of hexadecimal octets, each ended by the line that it decodes to."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.partition("\n## 12 ")[2].partition("\n## ")[0]
    found = []
    digits = ""
    for line in section.splitlines():
        if line.startswith("    {"):
            found.append((bytes.fromhex(digits), line.strip()))
            digits = ""
        elif line.startswith("    "):
            digits += line
    if digits or len(found) != section.count("\n**"):
        fail("section 12 is not as expected")
    return found


# ---- values ------------------------------------------------------------------------------------


def valid_binding(rng: random.Random) -> Binding:
    afi = rng.choice((1, 2))
    longest = 32 if afi == 1 else 128
    length = rng.choice((rng.randint(0, longest), 0, longest))
    octets = (length + 7) // 8
    bits = rng.getrandbits(length) if length else 0
    prefix = (bits << (8 * octets - length)).to_bytes(octets, "big")
    count = rng.choice((1, 1, 1, 2, 3, 4))
    labels = tuple(rng.choice((rng.randint(16, 0xFFFFF), 16, 0xFFFFF)) for _ in range(count))
    if count == 1 and rng.random() < 0.2:
        labels = (3,)
    return Binding(rng.choice((1, 2, 3, rng.randint(0, 255))), afi, length, prefix, labels)


def valid_bindings(rng: random.Random) -> List[Binding]:
    return [valid_binding(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, rng.randint(1, 16))))]


def items_of(value: bytes) -> List[bytes]:
    """The items of a value whose item lengths are right."""
    items = []
    at = len(HEADER)
    while at < len(value):
        end = at + 2 + value[at + 1]
        items.append(value[at:end])
        at = end
    return items


def other_item(rng: random.Random) -> bytes:
    length = rng.choice((0, 1, 2, rng.randint(0, 20), rng.randint(0, 255)))
    return bytes((rng.choice((0, 2, 255, rng.randint(2, 255))), length)) + rng.randbytes(length)


def with_noise(rng: random.Random, value: bytes) -> bytes:
    """Another value of the same meaning: flags, Rsrv bits and items of other types."""
    result = bytearray(HEADER)
    for item in items_of(value):
        if rng.random() < 0.3:
            result += other_item(rng)
        octets = bytearray(item)
        octets[3] = rng.choice((0, 1, 255, rng.randint(0, 255)))
        for i in range(octets[7]):
            octets[8 + 3 * i + 2] |= rng.randint(0, 7) << 1
        result += octets
    if rng.random() < 0.3:
        result += other_item(rng)
    return bytes(result)


def edge_binding(rng: random.Random) -> bytes:
    """A binding whose fields lie at or beside the limits, in an item."""
    afi = rng.choice((1, 2))
    length = rng.choice(EDGE_PREFIX_LENGTHS[afi])
    count = rng.choice((1, 1, 2, 3, 4, 1, 1, 2, 3, 4, 0, 5, rng.randint(0, 80)))
    labels = [rng.choice((rng.randint(16, 0xFFFFF), 16)) for _ in range(count)]
    if count and rng.random() < 0.4:
        labels[rng.randrange(count)] = rng.choice(EDGE_LABELS)
    entries = [label << 4 | rng.randint(0, 7) << 1 for label in labels]
    if entries:
        entries[-1] |= 1
        if rng.random() < 0.1:
            entries[rng.randrange(count)] ^= 1
    octets = (length + 7) // 8
    prefix = bytearray(rng.randbytes(octets))
    if octets and length % 8:
        prefix[-1] &= 0xFF << (8 - length % 8) & 0xFF
        if rng.random() < 0.1:
            prefix[-1] |= 1 << rng.randrange(8 - length % 8)
    if rng.random() < 0.1:
        afi = rng.choice(EDGE_AFIS)
    body = bytearray((rng.randint(0, 255), rng.randint(0, 255), *afi.to_bytes(2, "big"), length, count))
    body += b"".join(entry.to_bytes(3, "big") for entry in entries) + prefix
    if rng.random() < 0.1:
        body = body + rng.randbytes(rng.randint(1, 3)) if rng.random() < 0.5 else body[:-1]
    body = body[:255]
    return bytes((1, len(body))) + bytes(body)


def mutate(rng: random.Random, value: bytes) -> bytes:
    """One change of any kind."""
    octets = bytearray(value)
    at = rng.randrange(len(octets)) if octets else 0
    kind = rng.randrange(9)
    if kind == 0 and octets:
        octets[at] = rng.randint(0, 255)
    elif kind == 1 and octets:
        octets[at] ^= 1 << rng.randrange(8)
    elif kind == 2 and octets:  # lengths and counts are found out by chance: small steps, anywhere
        octets[at] = (octets[at] + rng.choice((-3, -1, 1, 3))) % 256
    elif kind == 3:
        del octets[at:]
    elif kind == 4:
        del octets[at : at + rng.randint(1, 4)]
    elif kind == 5:
        octets[at:at] = rng.randbytes(rng.randint(1, 4))
    elif kind == 6:
        octets += rng.randbytes(rng.randint(1, 4))
    elif kind == 7:
        octets += rng.choice((other_item, edge_binding))(rng)
    elif len(octets) > 6:  # the length of the first item, where another item may begin within it
        octets[6] = (octets[6] + rng.choice((-3, -1, 1, 3, rng.randint(0, 255)))) % 256
    return bytes(octets)


def random_valid(rng: random.Random) -> bytes:
    return with_noise(rng, encode(valid_bindings(rng)))


def random_mutated(rng: random.Random) -> bytes:
    bindings = valid_bindings(rng)
    value = rng.choice((encode(bindings), with_noise(rng, encode(bindings))))
    for _ in range(rng.randint(1, 3)):
        value = mutate(rng, value)
    return value


def random_behind_header(rng: random.Random) -> bytes:
    return HEADER + rng.randbytes(rng.choice((rng.randint(0, 8), rng.randint(0, 60), rng.randint(0, 600))))


def random_items(rng: random.Random) -> bytes:
    """Items of right lengths, bindings at the limits or good ones among them."""
    kinds: Sequence[Callable[[random.Random], bytes]] = (
        edge_binding,
        other_item,
        lambda r: encode([valid_binding(r)])[len(HEADER) :],
    )
    return HEADER + b"".join(rng.choice(kinds)(rng) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def random_many(rng: random.Random) -> bytes:
    """Bindings around the limit of sixteen, items of other types between them."""
    value = bytearray(HEADER)
    for _ in range(rng.choice((15, 16, 17, 18))):
        value += encode([valid_binding(rng)])[len(HEADER) :]
        if rng.random() < 0.2:
            value += other_item(rng)
    return bytes(value)


def random_header(rng: random.Random) -> bytes:
    """One bit or octet of OUI, letter and version is another, or the value ends among them."""
    value = bytearray(encode(valid_bindings(rng)))
    at = rng.randrange(len(HEADER))
    if rng.random() < 0.2:
        return bytes(value[:at])
    value[at] ^= rng.choice((1 << rng.randrange(8), rng.randint(1, 255)))
    return bytes(value)


GENERATORS = (
    (random_valid, 15),
    (random_mutated, 40),
    (random_behind_header, 10),
    (random_items, 25),
    (random_many, 5),
    (random_header, 5),
)


def generated(rng: random.Random, count: int) -> Iterator[bytes]:
    makers, weights = zip(*GENERATORS)
    for maker in rng.choices(makers, weights, k=count):
        yield maker(rng)


def changed_vectors(of: Sequence[bytes]) -> Iterator[bytes]:
    """Each vector cut at each octet, with each bit changed; the first with each value of each octet."""
    for value in of:
        for end in range(len(value)):
            yield value[:end]
        for bit in range(8 * len(value)):
            octets = bytearray(value)
            octets[bit // 8] ^= 0x80 >> bit % 8
            yield bytes(octets)
    for at in range(len(of[0])):
        for octet in range(256):
            yield of[0][:at] + bytes((octet,)) + of[0][at + 1 :]


def longest() -> Iterator[bytes]:
    """Values of 65535 octets, the most that an extension holds."""
    good = bytes.fromhex("0109010000010001000101")
    room = 65535 - len(HEADER) - len(good)
    for filler in (bytes((2, 0)), bytes((0, 255)) + bytes(255)):
        for odd in (b"", b"\2", bytes((2, 1, 0))):
            fill = filler * ((room - len(odd)) // len(filler))
            rest = room - len(fill) - len(odd)
            # What is left over is an item, or half of one.
            fill += bytes((2, rest - 2)) + bytes(rest - 2) if rest >= 2 else bytes(rest)
            yield HEADER + good + fill + odd
            yield HEADER + fill + odd + good


# ---- checks ------------------------------------------------------------------------------------


def check_vectors(of: Sequence[Tuple[bytes, str]]) -> None:
    for value, line in of:
        answer = decode(value).to_json()
        if answer != line:
            fail(f"vector {value.hex()}\n  document    {line}\n  label_codec {answer}")
    print(f"{len(of)} vectors of the document are decoded as it says")


def check_round_trips(rng: random.Random, values: Sequence[bytes]) -> None:
    """Section 5: what is sent is accepted, and a meaning has one string of octets."""
    made = accepted = 0
    for _ in range(2000):
        bindings = tuple(valid_bindings(rng))
        oui = rng.choice((DEFAULT_OUI, rng.getrandbits(24)))
        value = encode(bindings, oui)
        noisy = with_noise(rng, HEADER + value[len(HEADER) :])
        if decode(value, oui) != (ACCEPTED, bindings):
            fail(f"encoded {bindings}, decoded {decode(value, oui)}")
        if decode(noisy) != (ACCEPTED, bindings):
            fail(f"{noisy.hex()} lost its meaning, {bindings}")
        if decode(value, oui ^ 1) != (IGNORED, ()):
            fail(f"{value.hex()} is not ignored under another OUI")
        made += 1
    for value in values:
        meaning = decode(value)
        if meaning.result != ACCEPTED:
            continue
        again = encode(meaning.bindings)
        if decode(again) != meaning or encode(decode(again).bindings) != again or len(again) > 581:
            fail(f"{value.hex()}\n  is encoded as {again.hex()}")
        accepted += 1
    print(f"{made} meanings made and {accepted} accepted keep theirs when encoded anew")


def lines_of(command: Sequence[str], names: Sequence[str], folder: str) -> List[str]:
    done = subprocess.run([*command, *names], cwd=folder, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        fail(f"{command[-1]} exits {done.returncode} within {names[0]} .. {names[-1]}")
    lines = done.stdout.decode("ascii", "backslashreplace").split("\n")
    if len(lines) != len(names) + 1 or lines[-1] != "":
        fail(f"{command[-1]} prints {len(lines) - 1} lines for {len(names)} files")
    return lines[:-1]


def check_agreement(dump: str, values: Sequence[bytes]) -> collections.Counter:
    codec = [sys.executable, str(HERE / "label_codec.py")]
    counts: collections.Counter = collections.Counter()
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        with tempfile.TemporaryDirectory() as folder:
            names = [str(i) for i in range(len(batch))]
            for name, value in zip(names, batch):
                pathlib.Path(folder, name).write_bytes(value)
            ours = lines_of(codec, names, folder)
            theirs = lines_of([dump], names, folder)
        for value, our, their in zip(batch, ours, theirs):
            if our != their:
                fail(f"no agreement on {value.hex()}\n  nhrp_label_dump {their}\n  label_codec     {our}")
            counts[decode(value).result] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=30000, help="generated values")
    parser.add_argument("--seed", type=int, default=2332)
    parser.add_argument("dump", type=lambda name: str(pathlib.Path(name).resolve()))
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)

    known = vectors()
    check_vectors(known)
    corpus = [file.read_bytes() for file in sorted(CORPUS.iterdir())]
    changed = list(changed_vectors([value for value, _ in known])) + list(longest())
    values = corpus + changed + list(generated(rng, arguments.count))
    check_round_trips(rng, values)

    if not corpus:
        fail("the corpus is empty")
    counts = check_agreement(arguments.dump, values)
    print(
        f"{sum(counts.values())} values agreed ({len(corpus)} of the corpus, {len(changed)} made from the"
        f" vectors, {arguments.count} generated with seed {arguments.seed}): "
        + ", ".join(f"{counts[result]} {result}" for result in (ACCEPTED, IGNORED, REFUSED))
    )
    if not all(counts[result] for result in (ACCEPTED, IGNORED, REFUSED)):
        fail("one of the three results never occurred")


if __name__ == "__main__":
    main()
