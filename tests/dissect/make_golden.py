#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_golden.py FOLDER: the captures of tests/dissect/golden, made by scapy.

IKE and ESP are sealed by python3-cryptography and scapy; NHRP and BGP are the packets that peers sent,
from tests/nhrp/vectors and tests/bgpvpn/vectors. The JSON files beside the captures are what dissect
said of them, read over, and compared with tshark (compare.py) where tshark knows the protocol.
"""
import os
import re
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scapy.all import (GRE, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6DestUnreach,
                       ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment, raw)
from scapy.contrib.mpls import MPLS
from scapy.layers.ipsec import ESP, SecurityAssociation

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
A, B = "192.0.2.1", "192.0.2.2"
A6, B6 = "2001:db8::1", "2001:db8::2"
out = sys.argv[1]


def hexes(path, name):
    text = open(os.path.join(TESTS, path)).read()
    for value in re.findall(r"^%s = (.*(?:\n[ \t].*)*)" % name, text, re.M):
        yield bytes.fromhex(re.sub(r"\s", "", value))


def capture(name, frames, link, snap_length=262144):
    with open(os.path.join(out, name + ".pcap"), "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for n, frame in enumerate(frames):
            data = frame if isinstance(frame, bytes) else raw(frame)
            f.write(struct.pack("<IIII", 1700000000 + n, 1000 * n, min(len(data), snap_length),
                                len(data)) + data[:snap_length])


# Links: Ethernet with tags, IPv6 with extension headers, fragments, ICMP with what it quotes.
eth = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
ping = IP(src=A, dst=B, id=1) / ICMP(id=7, seq=1) / b"payload of a ping"
big = fragment(IP(src=A, dst=B, id=2) / UDP(sport=9, dport=9) / (b"x" * 100), fragsize=64)
capture("ethernet", [
    eth / ping,
    eth / Dot1Q(vlan=5, prio=3) / ping,
    eth / Dot1AD(vlan=100) / Dot1Q(vlan=5) / ping,
    eth / IPv6(src=A6, dst=B6) / ICMPv6EchoRequest(id=7, seq=2, data=b"payload"),
    eth / IPv6(src=A6, dst=B6) / IPv6ExtHdrDestOpt() / UDP(sport=9, dport=9) / b"after options",
    eth / IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(offset=0, m=1, id=9, nh=17) / (b"x" * 24),
    eth / IP(src=B, dst=A, id=3) / ICMP(type=3, code=4, nexthopmtu=1400) / raw(ping)[:28],
    eth / IPv6(src=B6, dst=A6) / ICMPv6DestUnreach(code=1)
    / raw(IPv6(src=A6, dst=B6) / UDP(sport=9, dport=9) / b"quoted"),
    eth / IP(src=A, dst=B, id=4) / GRE(proto=0x0800, key_present=1, key=42, seqnum_present=1,
                                       seqence_number=7) / ping,
    eth / IP(src=A, dst=B, id=5) / GRE(proto=0x8847, chksum_present=1)
    / MPLS(label=100, s=0, ttl=64) / MPLS(label=200, cos=5, s=1, ttl=63) / ping,
    eth / IP(src=A, dst=B, id=6) / GRE(proto=0x6558) / eth / ping,
    eth / IP(src=A, dst=B, id=7) / UDP(sport=4500, dport=4500) / b"\xff",
] + [eth / f for f in big], 1)
sll = bytes.fromhex("000000010006020000000001000008 00".replace(" ", ""))
capture("sll", [sll + raw(ping)], 113)
capture("sll2", [bytes.fromhex("0800000000000003000104060200000000010000") + raw(ping)], 276)
capture("null", [bytes.fromhex("02000000") + raw(ping),
                 bytes.fromhex("0000001e") + raw(IPv6(src=A6, dst=B6)
                                                 / ICMPv6EchoRequest(id=7, seq=3))], 0)

# NHRP as FRR sent it, and as the RFC's figures say.
nhrp = list(hexes("nhrp/vectors/frr.txt", "packet")) + list(hexes("nhrp/vectors/rfc.txt", "packet"))
capture("nhrp", [IP(src=A, dst=B, id=n) / GRE(proto=0x2001) / p for n, p in enumerate(nhrp)], 101)

# BGP: one connection for each message that FRR, GoBGP, BIRD and ExaBGP sent.
bgp = list(hexes("bgpvpn/vectors/open.txt", "message")) \
    + list(hexes("bgpvpn/vectors/update.txt", "message"))
frames = []
for n, message in enumerate(bgp):
    tcp = dict(sport=40000 + n, dport=179, window=65535)
    frames.append(IP(src=A, dst=B, id=n) / TCP(seq=999, flags="S", **tcp))
    frames.append(IP(src=A, dst=B, id=n) / TCP(seq=1000, ack=1, flags="PA", **tcp) / message)
capture("bgp", frames, 101)

# ESP by scapy, in transport and tunnel mode.
key = bytes(range(20))
sa = SecurityAssociation(ESP, spi=0x1000, crypt_algo="AES-GCM", crypt_key=key, seq_num=1)
tunnel = SecurityAssociation(ESP, spi=0x1001, crypt_algo="AES-GCM", crypt_key=key, seq_num=1,
                             tunnel_header=IP(src=A, dst=B, id=8))
gre = IP(src=A, dst=B, id=9) / GRE(proto=0x8847) / MPLS(label=100, s=1, ttl=64) / ping
long = IP(src=A, dst=B, id=10) / GRE(proto=0x0800) / IP(src=A, dst=B, id=11) / ICMP(id=7, seq=9) \
    / (b"x" * 1500)
capture("esp", [sa.encrypt(gre, seq_num=1, iv=bytes(7) + b"\1"),
                tunnel.encrypt(ping, seq_num=1, iv=bytes(7) + b"\1")]
        + fragment(sa.encrypt(long, seq_num=2, iv=bytes(7) + b"\2"), fragsize=800), 101)


# IKEv2 in two fragments (RFC 7383): an INFORMATIONAL with three notifications.
def skf(number, total, part, first):
    k = bytes(range(0x40, 0x54))
    plain = part + b"\0"
    body = 4 + 4 + 8 + len(plain) + 16
    head = bytes.fromhex("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7") + bytes([53, 0x20, 37, 8]) \
        + (5).to_bytes(4, "big") + (28 + body).to_bytes(4, "big")
    aad = head + bytes([first, 0]) + body.to_bytes(2, "big") + number.to_bytes(2, "big") \
        + total.to_bytes(2, "big")
    iv = bytes(7) + bytes([number])
    return aad + iv + AESGCM(k[:16]).encrypt(k[16:] + iv, plain, aad)


text = bytes.fromhex("2900000800004000" "2900000c000040010000000a" "0000000800004007")
capture("ikev2", [IP(src=A, dst=B, id=n) / UDP(sport=500, dport=500) / skf(n, 2, part, first)
                  for n, part, first in ((1, text[:13], 41), (2, text[13:], 0))], 101)


# Each wrong in its way: an IPv4 checksum, a GRE version, a label stack without an end, an NHRP
# extension beyond the packet, an IKE payload of three bytes, two BGP messages.
def checksum(data):
    total = sum(struct.unpack(">%dH" % ((len(data) + 1) // 2), data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", total ^ 0xffff)


bad_extension = bytearray(nhrp[3])
bad_extension[62:64] = b"\x01\0"
bad_extension[12:14] = bytes(2)
bad_extension[12:14] = checksum(bytes(bad_extension))
bad_ip = bytearray(raw(ping))
bad_ip[10] ^= 1
marker = b"\xff" * 16
origin_3 = marker + bytes.fromhex("0027020000000e40010103400200400304" "0a080001" "080a")
tcp = dict(sport=40000, dport=179, window=65535)
malformed = [
    bytes(bad_ip),
    IP(src=A, dst=B, id=1) / GRE(proto=0x880b, version=1) / b"PPTP",
    IP(src=A, dst=B, id=2) / GRE(proto=0x8847) / MPLS(label=100, s=0, ttl=64),
    IP(src=A, dst=B, id=3) / GRE(proto=0x2001) / bytes(bad_extension),
    IP(src=A, dst=B, id=4) / UDP(sport=500, dport=500)
    / bytes.fromhex("0102030405060708" + "00" * 8 + "28202208" + "00000000" + "00000020" "00000003"),
    IP(src=A, dst=B, id=5) / TCP(seq=999, flags="S", **tcp),
    IP(src=A, dst=B, id=6) / TCP(seq=1000, ack=1, flags="PA", **tcp)
    / (origin_3 + marker + bytes.fromhex("001309") + marker + bytes.fromhex("001304")),
]
capture("malformed", malformed, 101)
# Well-formed packets, of which the capture has 60 bytes each.
capture("cut", [f for f in frames[:4]] + [gre, sa.encrypt(gre, seq_num=3, iv=bytes(7) + b"\3")], 101,
        snap_length=60)
