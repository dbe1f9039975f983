#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# Writes the vector files of libmplsvpn with scapy, which is the oracle: it encodes every label and
# header and computes every checksum. What TTLs there are is written down here by RFC 3443. Run it
# in this folder: /usr/bin/python3 make.py
import logging

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import IP, UDP, IPv6, Raw, conf, raw
from scapy.contrib.mpls import MPLS

DATA = bytes(range(1, 30))


def write(path, what, records):
    with open(path, "w") as out:
        out.write(f"# {what}\n# Made by scapy {conf.version}: /usr/bin/python3 make.py\n")
        for record in records:
            out.write("\n")
            for name, value in record.items():
                out.write(f"{name} = {value.hex() if isinstance(value, bytes) else value}\n")


def mpls(*entries):
    """(label, tc, ttl), top first."""
    packet = None
    for i, (label, tc, ttl) in enumerate(entries):
        layer = MPLS(label=label, cos=tc, s=int(i == len(entries) - 1), ttl=ttl)
        packet = packet / layer if packet else layer
    return packet


def stack(name, *entries):
    record = {"name": name, "count": len(entries), "bytes": raw(mpls(*entries))}
    for i, (label, tc, ttl) in enumerate(entries):
        record[f"label{i}"], record[f"tc{i}"], record[f"ttl{i}"] = label, tc, ttl
    return record


write("stack.txt", "MPLS label stacks.", [
    stack("one label", (100, 0, 64)),
    stack("the largest values", (1048575, 7, 255)),
    stack("the smallest values", (0, 0, 0)),
    stack("three labels", (16, 1, 255), (524288, 2, 1), (2, 5, 17)),
    stack("sixteen labels", *((1000 + i, i % 8, 200 - i) for i in range(16))),
])

UNIFORM, PIPE = 0, 1
NONE = 4294967295


def ip4(ttl, tos=0):
    return IP(src="10.1.1.101", dst="10.2.2.102", ttl=ttl, tos=tos) / UDP() / Raw(DATA)


def ip6(ttl, tc=0):
    return IPv6(src="2001:db8:1::101", dst="2001:db8:2::102", hlim=ttl, tc=tc) / UDP() / Raw(DATA)


def push(name, model, before, labels, after, protocol):
    record = {"name": name, "model": model, "before": raw(before), "after": raw(after), "protocol":
              protocol, "count": len(labels)}
    record.update({f"label{i}": label for i, label in enumerate(labels)})
    return record


write("push.txt", "IP packets before and after a hop's labels were pushed.", [
    push("IPv4, one label, uniform", UNIFORM, ip4(64), [100], mpls((100, 0, 63)) / ip4(63), 0x8847),
    push("IPv4, precedence 5, uniform", UNIFORM, ip4(64, 0xB8), [100],
         mpls((100, 5, 63)) / ip4(63, 0xB8), 0x8847),
    push("IPv4, two labels, uniform", UNIFORM, ip4(2, 0x20), [17, 1048575],
         mpls((17, 1, 1), (1048575, 1, 1)) / ip4(1, 0x20), 0x8847),
    push("IPv4, one label, short pipe", PIPE, ip4(64, 0xB8), [100],
         mpls((100, 3, 200)) / ip4(63, 0xB8), 0x8847),
    push("IPv6, four labels, short pipe", PIPE, ip6(9), [20, 30, 40, 50],
         mpls((20, 3, 200), (30, 3, 200), (40, 3, 200), (50, 3, 200)) / ip6(8), 0x8847),
    push("IPv6, class 0xb8, uniform", UNIFORM, ip6(255, 0xB8), [100],
         mpls((100, 5, 254)) / ip6(254, 0xB8), 0x8847),
    push("IPv4, explicit null, uniform", UNIFORM, ip4(64), [0], mpls((0, 0, 63)) / ip4(63), 0x8847),
    push("IPv4, no label", UNIFORM, ip4(64), [], ip4(63), 0x0800),
    push("IPv6, no label", PIPE, ip6(64), [], ip6(63), 0x86DD),
])


def label(name, model, before, after, protocol, kind, out=(), vrf=7, action="bind"):
    """Label 100 is bound to kind and out; kind 3 is pop to VRF, 2 tunnel, 1 local."""
    record = {"name": name, "model": model, "before": raw(before), "after": raw(after), "protocol":
              protocol, "kind": kind, "vrf": vrf, "count": len(out)}
    record.update({f"label{i}": value for i, value in enumerate(out)})
    return record


write("input.txt", "Labelled packets before and after the LFIB; label 100 is bound as the record says.", [
    label("pop to VRF, uniform", UNIFORM, mpls((100, 0, 60)) / ip4(63), ip4(60), 0x0800, 3),
    label("pop to VRF, uniform, label TTL 1", UNIFORM, mpls((100, 0, 1)) / ip4(63), ip4(1), 0x0800, 3),
    label("pop to VRF, uniform never raises a TTL", UNIFORM, mpls((100, 0, 255)) / ip4(63), ip4(63),
          0x0800, 3),
    label("pop to VRF, short pipe", PIPE, mpls((100, 0, 60)) / ip4(63), ip4(63), 0x0800, 3),
    label("pop to VRF, IPv6", UNIFORM, mpls((100, 0, 60)) / ip6(63), ip6(60), 0x86DD, 3),
    label("pop and deliver", UNIFORM, mpls((100, 0, 60)) / ip4(63), ip4(60), 0x0800, 1),
    label("pop to next hop, uniform", UNIFORM, mpls((100, 0, 60)) / ip4(63), ip4(59), 0x0800, 2),
    label("pop to next hop, short pipe", PIPE, mpls((100, 0, 60)) / ip4(63), ip4(63), 0x0800, 2),
    label("pop to next hop with labels below, uniform", UNIFORM,
          mpls((100, 0, 60), (200, 1, 64)) / ip4(63), mpls((200, 1, 59)) / ip4(63), 0x8847, 2),
    label("pop to next hop with labels below, short pipe", PIPE,
          mpls((100, 0, 60), (200, 1, 64)) / ip4(63), mpls((200, 1, 64)) / ip4(63), 0x8847, 2),
    label("swap", UNIFORM, mpls((100, 6, 60)) / ip4(63), mpls((300, 6, 59)) / ip4(63), 0x8847, 2, [300]),
    label("swap above another label", PIPE, mpls((100, 6, 60), (200, 1, 64)) / ip6(63),
          mpls((300, 6, 59), (200, 1, 64)) / ip6(63), 0x8847, 2, [300]),
    label("swap and push, uniform", UNIFORM, mpls((100, 6, 60)) / ip4(63),
          mpls((30, 6, 59), (40, 6, 59), (300, 6, 59)) / ip4(63), 0x8847, 2, [30, 40, 300]),
    label("swap and push, short pipe", PIPE, mpls((100, 6, 60)) / ip4(63),
          mpls((30, 3, 200), (300, 6, 59)) / ip4(63), 0x8847, 2, [30, 300]),
    label("IPv4 explicit null at the bottom", UNIFORM, mpls((0, 0, 60)) / ip4(63), ip4(60), 0x0800, 3,
          vrf=9),
    label("IPv6 explicit null at the bottom", PIPE, mpls((2, 0, 60)) / ip6(63), ip6(63), 0x86DD, 3,
          vrf=9),
    label("explicit null above a VRF label, uniform", UNIFORM, mpls((0, 0, 50), (100, 0, 60)) / ip4(63),
          ip4(50), 0x0800, 3),
    label("two explicit nulls above a swap", UNIFORM,
          mpls((2, 0, 70), (0, 0, 50), (100, 4, 60)) / ip4(63), mpls((300, 4, 49)) / ip4(63), 0x8847,
          2, [300]),
    label("explicit null above a swap, short pipe", PIPE, mpls((0, 0, 50), (100, 4, 60)) / ip4(63),
          mpls((300, 4, 59)) / ip4(63), 0x8847, 2, [300]),
])
